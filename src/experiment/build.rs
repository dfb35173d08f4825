//! From names in a checked problem to the objects they stand for.

use super::check::{self, Checked};
use super::model::{ComponentChoice, Friction, Initial, Model};
use crate::caputo::{BackwardDifferences, CaputoScheme, CorrectedL1, FractionalOrder, L1, L2Sigma};
use crate::error::{Error, Result};
use crate::fokker_planck::{
    CoarseGrained, Diffusivity, Flux, FormulaDiffusivity, GridDiffusivity, LearningCoefficient, UniformDiffusivity,
};
use crate::landscape::parameters::Value;
use crate::landscape::{Analytic, ExpressionLandscape, Formula, GridField, GridLandscape, Landscape};
use crate::mesh::Axis;
use crate::propagator::stepping::Memory;
use crate::propagator::{Adaptive, Contour, Krylov, Propagator, Spectral, Stepping};

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

const STEPS_ASKED_FOR: &str = "time steps were asked for, and this scheme takes any steps with order 2";

/// The propagator of a problem, whose coefficients change with time if `varies`.
///
/// # Errors
/// When the named propagator cannot follow the coefficients, or the order is outside its range.
pub fn propagator(problem: &Checked, varies: bool) -> Result<Chosen> {
    use check::Propagator as Named;
    let named = problem.method().propagator;
    if varies && matches!(named, Named::Krylov | Named::Contour | Named::Spectral) {
        let name = serde_json::to_value(named).map(|name| name.to_string()).unwrap_or_default();
        let rule = "the coefficients depend on t, which this propagator cannot follow";
        return Err(Error::invalid("method.propagator", name, rule, "use \"auto\", \"l2-1sigma\" or \"l1\""));
    }
    let chosen = match (named, problem.method().steps) {
        (Named::Auto, None) if varies => Chosen {
            propagator: Box::new(Adaptive::new(&L2Sigma)),
            reason: "the coefficients depend on time, so adaptive steps of order 2 follow them to the tolerance",
            references: ADAPTIVE,
        },
        (Named::Auto, None) => Chosen {
            propagator: Box::new(Krylov::default()),
            reason: "the coefficients do not depend on time, so one Krylov basis serves every output time",
            references: KRYLOV,
        },
        (Named::Auto, Some(_)) => Chosen { reason: STEPS_ASKED_FOR, ..stepping(problem, &L2Sigma, ALIKHANOV)? },
        (Named::Krylov, _) => Chosen { propagator: Box::new(Krylov::default()), reason: NAMED, references: KRYLOV },
        (Named::Contour, _) => Chosen { propagator: Box::new(Contour), reason: NAMED, references: CONTOUR },
        (Named::Spectral, _) => Chosen {
            propagator: Box::new(Spectral::default()),
            reason: NAMED,
            references: &["Risken1989", "Gorenflo2020"],
        },
        (Named::L1, _) => stepping(problem, &L1, &["LinXu2007", "StynesORiordanGracia2017"])?,
        (Named::CorrectedL1, _) => stepping(problem, &CorrectedL1, &["YanKhanFord2018"])?,
        (Named::L2Sigma, _) => stepping(problem, &L2Sigma, ALIKHANOV)?,
        (Named::Bdf2, _) => stepping(problem, &BackwardDifferences::SECOND, &["Lubich1986", "JinLiZhou2017"])?,
        (Named::Bdf3, _) => stepping(problem, &BackwardDifferences::THIRD, &["Lubich1986", "JinLiZhou2017"])?,
    };
    Ok(chosen)
}

const KRYLOV: &[&str] = &["Ruhe1984", "Guettel2013", "WeidemanTrefethen2007", "LopezFernandezPalenciaSchaedle2006"];
const CONTOUR: &[&str] = &["WeidemanTrefethen2007", "LopezFernandezPalenciaSchaedle2006"];
const ALIKHANOV: &[&str] = &["Alikhanov2015", "LiaoMcLeanZhang2019"];
const ADAPTIVE: &[&str] = &["Alikhanov2015", "KoptevaMeng2020", "Yuste2014", "JiangZhangZhangZhang2017"];

/// Methods that share nothing with the one named `chosen` beyond the operator, the likeliest judge first.
pub fn independent(chosen: &str, varies: bool, tolerance: f64) -> Vec<(Box<dyn Propagator>, f64)> {
    // Time steps reach what they can at a bearable price.
    let bearable = tolerance.max(1e-6);
    let all: Vec<(Box<dyn Propagator>, f64, bool)> = vec![
        (Box::new(Contour), tolerance, false),
        (Box::new(Krylov::default()), tolerance, false),
        (Box::new(Adaptive::new(&L2Sigma)), bearable, true),
        (Box::new(Adaptive::new(&L1)), bearable.max(1e-3), true),
    ];
    let fitting = all.into_iter().filter(|(method, _, steps)| method.name() != chosen && (*steps || !varies));
    fitting.map(|(method, tolerance, _)| (method, tolerance)).collect()
}

/// Grading of the steps of a scheme: the file's, or the scheme's best within the range of double precision.
pub fn grading_of(problem: &Checked, scheme: &dyn CaputoScheme, order: FractionalOrder) -> f64 {
    match problem.method().grading {
        check::Grading::Exponent(value) => value,
        check::Grading::Auto => {
            let steps = problem.step_count().unwrap_or(DEFAULT_STEPS);
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
    if method.steps == Some(check::Steps::Adaptive) {
        return Ok(Chosen { propagator: Box::new(Adaptive::new(scheme)), reason: NAMED, references: ADAPTIVE });
    }
    let steps = problem.step_count().unwrap_or(DEFAULT_STEPS);
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
            Box::new(FormulaDiffusivity(Formula::parse("diffusivity.formula", formula, dimension)?))
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

fn friction(problem: &Checked) -> Result<Friction> {
    Ok(match &problem.dynamics().friction {
        check::Friction::Constant(value) => Friction::Constant(*value),
        check::Friction::Formula(text) => Friction::Formula(Formula::parse("dynamics.friction", text, 0)?),
    })
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
