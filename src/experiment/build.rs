//! From names in a checked problem to the objects they stand for.

use super::check::{self, Checked};
use super::model::{ComponentChoice, Initial, Model};
use crate::caputo::{BackwardDifferences, CaputoScheme, CorrectedL1, FractionalOrder, L1, L2Sigma};
use crate::error::{Error, Result};
use crate::fokker_planck::{
    CoarseGrained, Diffusivity, Flux, FormulaDiffusivity, GridDiffusivity, LearningCoefficient, UniformDiffusivity,
};
use crate::landscape::parameters::Value;
use crate::landscape::{Analytic, ExpressionLandscape, Formula, GridField, GridLandscape, Landscape};
use crate::mesh::Axis;
use crate::propagator::stepping::Memory;
use crate::propagator::{Krylov, Propagator, Spectral, Stepping};

/// A propagator, why it was chosen and what it rests on.
pub struct Chosen {
    /// The method.
    pub propagator: Box<dyn Propagator>,
    /// One sentence.
    pub reason: &'static str,
    /// Citation keys.
    pub references: &'static [&'static str],
}

/// Steps of a time-stepping propagator when the file names none.
const DEFAULT_STEPS: usize = 1000;
/// Decades that the steps of an automatic grading may span, within the range of double precision.
const LARGEST_SPAN: f64 = 250.0;
const NAMED: &str = "named in the problem file";

/// The propagator of a problem.
///
/// # Errors
/// When the order is outside its range (a checked problem's is not).
pub fn propagator(problem: &Checked) -> Result<Chosen> {
    const KRYLOV: &[&str] = &["Ruhe1984", "Guettel2013", "WeidemanTrefethen2007", "LopezFernandezPalenciaSchaedle2006"];
    Ok(match problem.method().propagator {
        check::Propagator::Auto => Chosen {
            propagator: Box::new(Krylov::default()),
            reason: "the coefficients do not depend on time, so one Krylov basis serves every output time",
            references: KRYLOV,
        },
        check::Propagator::Krylov => {
            Chosen { propagator: Box::new(Krylov::default()), reason: NAMED, references: KRYLOV }
        }
        check::Propagator::Spectral => Chosen {
            propagator: Box::new(Spectral::default()),
            reason: NAMED,
            references: &["Risken1989", "Gorenflo2020"],
        },
        check::Propagator::L1 => stepping(problem, &L1, &["LinXu2007", "StynesORiordanGracia2017"])?,
        check::Propagator::CorrectedL1 => stepping(problem, &CorrectedL1, &["YanKhanFord2018"])?,
        check::Propagator::L2Sigma => stepping(problem, &L2Sigma, &["Alikhanov2015", "LiaoMcLeanZhang2019"])?,
        check::Propagator::Bdf2 => stepping(problem, &BackwardDifferences::SECOND, &["Lubich1986", "JinLiZhou2017"])?,
        check::Propagator::Bdf3 => stepping(problem, &BackwardDifferences::THIRD, &["Lubich1986", "JinLiZhou2017"])?,
    })
}

/// Grading of the steps of a scheme: the file's, or the scheme's best within the range of double precision.
pub fn grading_of(problem: &Checked, scheme: &dyn CaputoScheme, order: FractionalOrder) -> f64 {
    match problem.method().grading {
        check::Grading::Exponent(value) => value,
        check::Grading::Auto => {
            let steps = problem.method().steps.unwrap_or(DEFAULT_STEPS);
            let largest = LARGEST_SPAN / (steps as f64).log10().max(1.0);
            scheme.best_grading(order).min(largest)
        }
    }
}

/// Time steps of a scheme, as the problem asks for.
fn stepping(
    problem: &Checked,
    scheme: &'static dyn CaputoScheme,
    references: &'static [&'static str],
) -> Result<Chosen> {
    let method = problem.method();
    let steps = method.steps.unwrap_or(DEFAULT_STEPS);
    let grading = grading_of(problem, scheme, FractionalOrder::new(problem.dynamics().order)?);
    let memory = match method.memory {
        check::Memory::Auto => Memory::Auto,
        check::Memory::Direct => Memory::Direct,
        check::Memory::Fft => Memory::Fft,
        check::Memory::Exponentials => Memory::Exponentials,
    };
    let propagator = Box::new(Stepping { scheme, steps, grading, memory });
    Ok(Chosen { propagator, reason: NAMED, references })
}

/// Landscape, diffusivity, domain and start of a problem.
///
/// # Errors
/// Names the key of what cannot be built.
pub fn model(problem: &Checked) -> Result<Model> {
    let domain = problem.domain();
    let axes = (0..problem.dimension())
        .map(|k| Axis::new(domain.lower[k], domain.upper[k], domain.cells[k]))
        .collect::<Result<Vec<_>>>()?;
    Ok(Model {
        landscape: landscape(problem)?,
        diffusivity: diffusivity(problem)?,
        friction: friction(problem)?,
        axes,
        flux: match problem.method().flux {
            check::Flux::ScharfetterGummel => Flux::ScharfetterGummel,
            check::Flux::Central => Flux::Central,
            check::Flux::Upwind => Flux::Upwind,
        },
        keep_below: domain.keep_below,
        component: domain.component.as_ref().map(|component| match component {
            check::Component::ContainingStart => ComponentChoice::ContainingStart,
            check::Component::All => ComponentChoice::All,
        }),
        initial: initial(problem)?,
    })
}

fn landscape(problem: &Checked) -> Result<Box<dyn Landscape>> {
    let dimension = problem.dimension();
    Ok(match problem.landscape() {
        check::Landscape::Analytic { kind, parameters } => {
            let one_or_more = |values: &Vec<f64>| match values[..] {
                [single] => Value::Number(single),
                _ => Value::Numbers(values.clone()),
            };
            let parameters = parameters.iter().map(|(name, values)| (name.clone(), one_or_more(values))).collect();
            Box::new(Analytic::build(kind, dimension, &parameters)?)
        }
        check::Landscape::Expression { formula, .. } => Box::new(ExpressionLandscape::new(formula, dimension)?),
        check::Landscape::Grid { file, .. } => Box::new(GridLandscape::read(&problem.resolve(file), dimension)?),
    })
}

fn diffusivity(problem: &Checked) -> Result<Box<dyn Diffusivity>> {
    let dimension = problem.dimension();
    Ok(match problem.diffusivity() {
        check::Diffusivity::Uniform { value } => Box::new(UniformDiffusivity::new(*value)?),
        check::Diffusivity::Expression { formula } => {
            let parsed = Formula::parse("diffusivity.formula", formula, dimension)?;
            if parsed.uses_time() {
                return Err(depends_on_time("diffusivity.formula", formula));
            }
            Box::new(FormulaDiffusivity(parsed))
        }
        check::Diffusivity::Grid { file } => {
            Box::new(GridDiffusivity(GridField::read(&problem.resolve(file), "diffusivity", dimension)?))
        }
        check::Diffusivity::CoarseGrained { scale, spectral_dimension, learning_coefficient, reference } => {
            Box::new(CoarseGrained {
                scale: *scale,
                spectral_dimension: *spectral_dimension,
                reference: *reference,
                learning_coefficient: match learning_coefficient {
                    check::LearningCoefficient::Value(value) => LearningCoefficient::Number(*value),
                    check::LearningCoefficient::FromLandscape => {
                        LearningCoefficient::Field(saved_coefficient(problem)?)
                    }
                },
            })
        }
    })
}

/// The array `learning_coefficient` of the landscape's file.
fn saved_coefficient(problem: &Checked) -> Result<GridField> {
    match problem.landscape() {
        check::Landscape::Grid { file, .. } => {
            GridField::read(&problem.resolve(file), "learning_coefficient", problem.dimension())
        }
        _ => Err(Error::invalid(
            "diffusivity.learning_coefficient",
            "\"from-landscape\"",
            "only a landscape of kind = \"grid\" carries a field of learning coefficients",
            "give a number, or use a saved landscape",
        )),
    }
}

fn friction(problem: &Checked) -> Result<f64> {
    match &problem.dynamics().friction {
        check::Friction::Constant(value) => Ok(*value),
        check::Friction::Formula(text) => {
            let parsed = Formula::parse("dynamics.friction", text, 0)?;
            if parsed.uses_time() {
                return Err(depends_on_time("dynamics.friction", text));
            }
            let value = parsed.evaluate(&[], 0.0);
            if value >= 0.0 && value.is_finite() {
                return Ok(value);
            }
            let rule = format!("the friction must be a finite number >= 0, here it is {value}");
            Err(Error::invalid("dynamics.friction", format!("{text:?}"), rule, "use friction = 1.0"))
        }
    }
}

fn depends_on_time(key: &str, formula: &str) -> Error {
    Error::not_available(key, format!("{formula:?} (it depends on t)"), "use a formula without t")
}

fn initial(problem: &Checked) -> Result<Initial> {
    let dimension = problem.dimension();
    Ok(match problem.initial() {
        check::Initial::Gaussian { mean, standard_deviation } => {
            Initial::Gaussian { mean: mean.clone(), standard_deviation: standard_deviation.clone() }
        }
        check::Initial::Uniform => Initial::Uniform,
        check::Initial::Point { at } => Initial::Point(at.clone()),
        check::Initial::Expression { formula } => {
            let parsed = Formula::parse("initial.formula", formula, dimension)?;
            if parsed.uses_time() {
                let rule = "an initial density does not depend on t";
                return Err(Error::invalid(
                    "initial.formula",
                    format!("{formula:?}"),
                    rule,
                    "remove t from the formula",
                ));
            }
            Initial::Formula(parsed)
        }
        check::Initial::Grid { file } => Initial::Grid(GridField::read(&problem.resolve(file), "density", dimension)?),
    })
}
