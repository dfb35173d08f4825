//! From a checked problem to densities and a report.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use super::Resources;
use super::build::{independent, model, propagator};
use super::check::{self, Checked};
use super::clock::Clock;
use super::measure::{compare_stationary, observables};
use super::model::{Discretised, Distribution, Model, NEGLIGIBLE_LOSS};
use crate::caputo::FractionalOrder;
use crate::error::{Error, Result};
use crate::estimate::divergence::relative_l1;
use crate::fokker_planck::{Flux, StationaryMethod, Varying};
use crate::guide::references;
use crate::mesh::Density;
use crate::propagator::{Contour, Evolution, Observer, Propagator, Solution};
use crate::storage::report::{Check, ErrorEstimate, Method};
use crate::storage::{Report, StoredSolution};

/// Solves `problem`. `document` is its serialised form for the report.
///
/// # Errors
/// When an object of the problem cannot be built (with its key path) or the run fails.
pub fn run(
    problem: &Checked,
    document: &serde_json::Value,
    resources: &Resources,
    observer: &mut dyn Observer,
) -> Result<(StoredSolution, Report)> {
    let mut clock = Clock::default();
    let model = model(problem)?;
    let coarse = clock.time("discretise", || model.discretise(1))?;
    let chosen = propagator(problem, model.varies())?;
    // Results do not depend on their number.
    let threads = resources.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let setting = Setting { problem, model: &model, on: &coarse, tolerance: problem.method().tolerance, threads };
    let predicted = setting.with_evolution(|evolution| Ok(chosen.propagator.predicted_work(evolution)))?;
    let mut result = clock.time("propagate", || Computed::new(&setting, &*chosen.propagator, observer))?;
    let check = match problem.method().check {
        true => {
            Some(clock.time("check", || checked_against(&setting, &*chosen.propagator, &result.solution, observer))?)
        }
        false => None,
    };
    let derivatives = clock.time("differentiate", || derivatives(&setting, &mut result.solution, observer))?;
    let mut space = None;
    if problem.method().extrapolate {
        let fine = clock.time("discretise", || fine_discretisation(problem, &model))?;
        let fine_setting = Setting { on: &fine, ..setting };
        let finer = clock.time("propagate", || Computed::new(&fine_setting, &*chosen.propagator, observer))?;
        space = Some(result.extrapolate(&finer, &coarse));
    }
    let (stored, observables, comparison) = clock.time("measure", || {
        let frames = frames(&setting)?;
        let observables = observables(problem.outputs(), &result.solution.densities, &coarse, &frames, &result.frame());
        let last = frames.last().unwrap_or(&coarse);
        let comparison = compare_stationary(last, &result.stationary, &result.gibbs);
        Ok::<_, Error>((result.stored(problem, &coarse, &frames, &derivatives), observables, comparison))
    })?;
    let warnings = warnings(problem, &coarse, &result, check.as_ref());
    let Solution { error_estimates, raw_mass_defect, raw_undershoot, work, factorization, .. } = result.solution;
    let report = Report {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        title: problem.title().into(),
        problem: document.clone(),
        method: Method {
            propagator: chosen.propagator.name().into(),
            reason: chosen.reason.into(),
            factorisation: factorization.into(),
            flux: model.flux.name().into(),
            stationary: coarse.stationary.method.name().into(),
            predicted_work: predicted,
        },
        work,
        check,
        observables,
        stationary_comparison: comparison,
        error_estimate: ErrorEstimate {
            time: error_estimates.map(|estimates| estimates.into_iter().fold(0.0, f64::max)),
            space,
            raw_mass_defect,
            raw_undershoot,
        },
        warnings,
        seed: resources.seed,
        wall_time: clock.stages,
        references: cited(&model, &coarse, chosen.references),
        files: Vec::new(),
    };
    Ok((stored, report))
}

/// Writes the arrays of a solve to `path` in NumPy's format.
///
/// # Errors
/// When the place cannot be written.
pub fn store(solution: &StoredSolution, path: &Path) -> Result<()> {
    std::fs::write(path, solution.to_npz()?).map_err(|source| Error::io("write", path, source))
}

/// What a run found on one mesh, or on two.
struct Computed {
    solution: Solution,
    stationary: Distribution,
    gibbs: Distribution,
}

/// A problem on a mesh.
#[derive(Clone, Copy)]
struct Setting<'a> {
    problem: &'a Checked,
    model: &'a Model,
    on: &'a Discretised,
    tolerance: f64,
    threads: usize,
}

impl Setting<'_> {
    fn with_evolution<T>(&self, work: impl FnOnce(&Evolution<'_>) -> Result<T>) -> Result<T> {
        let friction = |time: f64| self.model.friction.at(time);
        let varying = Varying { diffusivity: &*self.model.diffusivity, friction: &friction };
        work(&Evolution {
            operator: &self.on.operator,
            varying: self.model.varies().then_some(&varying),
            stationary: &self.on.stationary,
            order: FractionalOrder::new(self.problem.dynamics().order)?,
            initial: &self.on.initial,
            times: self.problem.outputs(),
            tolerance: self.tolerance,
            memory_limit: self.problem.method().memory_limit,
            threads: self.threads,
        })
    }
}

/// The problem at every output time, when its coefficients change; empty when they do not.
fn frames(setting: &Setting<'_>) -> Result<Vec<Discretised>> {
    if !setting.model.varies() {
        return Ok(Vec::new());
    }
    setting.problem.outputs().iter().map(|&time| setting.on.at(setting.model, time)).collect()
}

/// The densities by another method, compared.
fn checked_against(
    setting: &Setting<'_>,
    chosen: &dyn Propagator,
    solution: &Solution,
    observer: &mut dyn Observer,
) -> Result<Check> {
    let varies = setting.model.varies();
    for (method, tolerance) in independent(chosen.name(), varies, setting.tolerance) {
        let setting = Setting { tolerance, ..*setting };
        match setting.with_evolution(|evolution| method.propagate(evolution, observer)) {
            // A method that cannot judge this problem says so before it computes anything.
            Err(Error::DoesNotApply { .. }) => {}
            Err(error) => return Err(error),
            Ok(other) => {
                let pairs = solution.densities.iter().zip(&other.densities);
                let differences = pairs.map(|(a, b)| relative_l1(a.probability(), b.probability()));
                let propagator = method.name().to_string();
                return Ok(Check { propagator, tolerance, difference: differences.collect(), work: other.work });
            }
        }
    }
    Err(Error::invalid("method.check", true, "no independent method suits this problem", "remove check"))
}

/// The derivatives that the file asks for: name, then one vector over the cells per output time. Their work is added to
/// that of the solution.
fn derivatives(
    setting: &Setting<'_>,
    solution: &mut Solution,
    observer: &mut dyn Observer,
) -> Result<Vec<(String, Vec<Vec<f64>>)>> {
    let parameters = &setting.problem.method().derivatives;
    if parameters.is_empty() {
        return Ok(Vec::new());
    }
    if setting.model.varies() {
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name()).collect();
        let rule = "derivatives are taken on a Laplace contour, and the coefficients depend on t";
        return Err(Error::invalid("method.derivatives", format!("{names:?}"), rule, "remove t or the derivatives"));
    }
    let (other, derivatives) =
        setting.with_evolution(|evolution| Contour.with_derivatives(evolution, parameters, observer))?;
    solution.work.add(&other.work);
    Ok(derivatives.into_iter().map(|(parameter, values)| (parameter.name().to_string(), values)).collect())
}

impl Computed {
    fn new(setting: &Setting<'_>, propagator: &dyn Propagator, observer: &mut dyn Observer) -> Result<Self> {
        // What changes with time is compared at the last output time.
        let last = if setting.model.varies() {
            setting.problem.outputs().last().map(|&time| setting.on.at(setting.model, time)).transpose()?
        } else {
            None
        };
        let last = last.as_ref().unwrap_or(setting.on);
        Ok(Computed {
            solution: setting.with_evolution(|evolution| propagator.propagate(evolution, observer))?,
            stationary: last.stationary_distribution(),
            gibbs: last.gibbs_distribution(),
        })
    }

    fn frame(&self) -> (&Distribution, &Distribution) {
        (&self.stationary, &self.gibbs)
    }

    /// Richardson extrapolation with the same quantities on half the cell size: (4 fine - coarse) / 3, cell by cell on
    /// the coarse mesh. Returns the relative L1 distance between extrapolated and fine densities, the space error of
    /// the fine mesh, largest over the output times.
    fn extrapolate(&mut self, finer: &Computed, coarse: &Discretised) -> f64 {
        let mesh = &coarse.mesh;
        let combine = |coarse: &[f64], fine: &[f64]| -> Vec<f64> {
            coarse.iter().zip(fine).map(|(coarse, fine)| fine + (fine - coarse) / 3.0).collect()
        };
        let mut space = 0.0f64;
        for (density, fine) in self.solution.densities.iter_mut().zip(&finer.solution.densities) {
            let fine = fine.restricted_to(mesh);
            let extrapolated = combine(density.probability(), fine.probability());
            space = space.max(relative_l1(&extrapolated, fine.probability()));
            *density = Density::new(mesh.clone(), extrapolated);
        }
        for (own, fine) in [(&mut self.stationary, &finer.stationary), (&mut self.gibbs, &finer.gibbs)] {
            let fine_mesh = finer.solution.densities[0].mesh().clone();
            let restricted = Density::new(fine_mesh, fine.probability.clone()).restricted_to(mesh);
            let extrapolated = combine(&own.probability, restricted.probability());
            for ((probability, log), value) in own.probability.iter_mut().zip(&mut own.logs).zip(extrapolated) {
                // Where extrapolation leaves the positive numbers, the coarse value stays.
                if value > 0.0 {
                    (*probability, *log) = (value, value.ln());
                }
            }
        }
        if let (Some(own), Some(fine)) = (&mut self.solution.error_estimates, &finer.solution.error_estimates) {
            own.iter_mut().zip(fine).for_each(|(own, fine)| *own = own.max(*fine));
        }
        self.solution.raw_mass_defect = self.solution.raw_mass_defect.max(finer.solution.raw_mass_defect);
        self.solution.raw_undershoot = self.solution.raw_undershoot.min(finer.solution.raw_undershoot);
        self.solution.work.add(&finer.solution.work);
        space
    }

    fn stored(
        &self,
        problem: &Checked,
        on: &Discretised,
        frames: &[Discretised],
        derivatives: &[(String, Vec<Vec<f64>>)],
    ) -> StoredSolution {
        let mesh = &on.mesh;
        let per_volume = |probability: &[f64]| {
            mesh.spread(&probability.iter().zip(mesh.cells()).map(|(p, cell)| p / cell.volume).collect::<Vec<_>>())
        };
        let diffusivity = |on: &Discretised| {
            mesh.spread(&on.operator.log_diffusivity().iter().map(|log| log.exp()).collect::<Vec<_>>())
        };
        let all_times = |values: &Vec<Vec<f64>>| values.iter().flat_map(|value| per_volume(value)).collect();
        StoredSolution {
            time: problem.outputs().to_vec(),
            axes: mesh.axes().iter().map(|axis| axis.centers()).collect(),
            density: self.solution.densities.iter().flat_map(|density| per_volume(density.probability())).collect(),
            derivatives: derivatives.iter().map(|(name, values)| (name.clone(), all_times(values))).collect(),
            stationary: per_volume(&self.stationary.probability),
            gibbs: per_volume(&self.gibbs.probability),
            loss: mesh.spread(on.operator.losses()),
            diffusivity: if frames.is_empty() {
                diffusivity(on)
            } else {
                frames.iter().flat_map(diffusivity).collect()
            },
        }
    }
}

fn fine_discretisation(problem: &Checked, model: &Model) -> Result<Discretised> {
    if problem.domain().keep_below.is_some() {
        return Err(Error::invalid(
            "method.extrapolate",
            true,
            "a porous medium differs between two meshes, so their difference says nothing of the cell size",
            "remove domain.keep_below or extrapolate",
        ));
    }
    model.discretise(2)
}

fn warnings(problem: &Checked, on: &Discretised, result: &Computed, check: Option<&Check>) -> Vec<String> {
    let mut warnings = Vec::new();
    if on.lost_mass > NEGLIGIBLE_LOSS {
        warnings.push(format!(
            "{:.3e} of the initial density lies outside the medium; the rest was normalised",
            on.lost_mass
        ));
    }
    if matches!(problem.diffusivity(), check::Diffusivity::CoarseGrained { .. }) && problem.dynamics().order < 1.0 {
        warnings.push(
            "a coarse-grained diffusivity already contains sub-diffusion: with order < 1 a transient counts it twice \
             (the stationary state is not affected)"
                .into(),
        );
    }
    if let Some(check) = check {
        let difference = check.difference.iter().copied().fold(0.0, f64::max);
        let allowed = 10.0 * (problem.method().tolerance + check.tolerance);
        if difference > allowed {
            warnings.push(format!(
                "the check by {} differs by {difference:.1e}, more than ten times both tolerances: do not trust this result",
                check.propagator
            ));
        }
    }
    let lowest = result.solution.densities.iter().map(Density::minimum).fold(0.0, f64::min);
    if lowest < 0.0 {
        warnings.push(format!(
            "the smallest density is {lowest:.3e}: {}",
            if problem.method().extrapolate { "extrapolation does not keep positivity" } else { "rounding" }
        ));
    }
    warnings
}

/// Full references of the methods used.
fn cited(model: &Model, on: &Discretised, keys: &[&str]) -> BTreeMap<String, String> {
    let mut all = vec!["HennickDeBaerdemacker2026"];
    if model.flux == Flux::ScharfetterGummel {
        all.push("ScharfetterGummel1969");
    }
    if on.stationary.method == StationaryMethod::Elimination {
        all.push("GrassmannTaksarHeyman1985");
    }
    all.extend(keys);
    let full = |key: &&str| references::find(key).map(|full| ((*key).to_string(), full.to_string()));
    all.iter().filter_map(full).collect()
}
