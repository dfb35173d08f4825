//! From a checked problem to densities and a report.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::Resources;
use super::build::{model, propagator};
use super::check::{self, Checked};
use super::measure::{compare_stationary, observables};
use super::model::{Discretised, Distribution, Model, NEGLIGIBLE_LOSS};
use crate::caputo::FractionalOrder;
use crate::error::{Error, Result};
use crate::estimate::divergence::relative_l1;
use crate::fokker_planck::{Flux, StationaryMethod};
use crate::guide::references;
use crate::mesh::Density;
use crate::propagator::{Evolution, Observer, Solution};
use crate::storage::report::{ErrorEstimate, Method};
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
    let chosen = propagator(problem)?;
    let mut result = clock.time("propagate", || Computed::new(problem, &*chosen.propagator, &coarse, observer))?;
    let mut space = None;
    if problem.method().extrapolate {
        let fine = clock.time("discretise", || fine_discretisation(problem, &model))?;
        let finer = clock.time("propagate", || Computed::new(problem, &*chosen.propagator, &fine, observer))?;
        space = Some(result.extrapolate(&finer, &coarse));
    }
    let (stored, observables, comparison) = clock.time("measure", || {
        let observables =
            observables(problem.outputs(), &result.solution.densities, &coarse, &result.stationary, &result.gibbs);
        let comparison = compare_stationary(&coarse, &result.stationary, &result.gibbs);
        (result.stored(problem, &coarse), observables, comparison)
    });
    let warnings = warnings(problem, &coarse, &result);
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
        },
        work,
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

/// Wall time by stage \[s\].
#[derive(Default)]
struct Clock {
    stages: BTreeMap<String, f64>,
}

impl Clock {
    fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        *self.stages.entry(stage.into()).or_default() += start.elapsed().as_secs_f64();
        result
    }
}

/// What a run found on one mesh, or on two.
struct Computed {
    solution: Solution,
    stationary: Distribution,
    gibbs: Distribution,
}

impl Computed {
    fn new(
        problem: &Checked,
        propagator: &dyn crate::propagator::Propagator,
        on: &Discretised,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let evolution = Evolution {
            operator: &on.operator,
            varying: None,
            stationary: &on.stationary,
            order: FractionalOrder::new(problem.dynamics().order)?,
            initial: &on.initial,
            times: problem.outputs(),
            tolerance: problem.method().tolerance,
            memory_limit: problem.method().memory_limit,
        };
        Ok(Computed {
            solution: propagator.propagate(&evolution, observer)?,
            stationary: on.stationary_distribution(),
            gibbs: on.gibbs_distribution(),
        })
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

    fn stored(&self, problem: &Checked, on: &Discretised) -> StoredSolution {
        let mesh = &on.mesh;
        let per_volume = |probability: &[f64]| {
            mesh.spread(&probability.iter().zip(mesh.cells()).map(|(p, cell)| p / cell.volume).collect::<Vec<_>>())
        };
        StoredSolution {
            time: problem.outputs().to_vec(),
            axes: mesh.axes().iter().map(|axis| axis.centers()).collect(),
            density: self.solution.densities.iter().flat_map(|density| per_volume(density.probability())).collect(),
            stationary: per_volume(&self.stationary.probability),
            gibbs: per_volume(&self.gibbs.probability),
            loss: mesh.spread(on.operator.losses()),
            diffusivity: mesh.spread(&on.operator.log_diffusivity().iter().map(|log| log.exp()).collect::<Vec<_>>()),
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

fn warnings(problem: &Checked, on: &Discretised, result: &Computed) -> Vec<String> {
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
