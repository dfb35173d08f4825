//! Learning coefficients along a run of a network that this program knows.

use std::num::NonZeroUsize;
use std::path::Path;

use super::Request;
use super::along::Along;
use super::observe::Source;
use crate::error::{Error, Result};
use crate::estimate::displacement::Diagnosis;
use crate::estimate::learning_coefficient::Upkeep;
use crate::estimate::learning_coefficient::along::estimate_along;
use crate::experiment::check::CheckedRun;
use crate::experiment::config::Source as File;
use crate::experiment::llc::{read_run, settings};
use crate::experiment::subject::{NetworkLoss, network_loss};
use crate::formats::checkpoint::{CheckpointFolder, Selection};
use crate::network::{Mlp, NamedArray, named};
use crate::propagator::{Observer, StopFlag};
use crate::storage::KeptChains;

/// Numbers that a checkpoint may hold beside the parameters of its network.
const MORE: usize = 1 << 16;

/// The run file of `--llc`.
pub(super) struct AlongRun {
    source: File,
    run: CheckedRun,
    document: serde_json::Value,
}

impl AlongRun {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// Everything wrong with it, with its place.
    pub(super) fn read(path: &Path, overrides: &[String]) -> Result<Self> {
        let (source, run) = read_run(path, overrides)?;
        let document = serde_json::to_value(&run)
            .map_err(|error| Error::NotFinite { stage: format!("the checked run: {error}") })?;
        Ok(AlongRun { source, run, document })
    }

    /// The checked run in full.
    pub(super) fn document(&self) -> &serde_json::Value {
        &self.document
    }
}

/// All that the estimates need beside the points.
pub(super) struct Estimation<'a> {
    pub(super) run: &'a AlongRun,
    pub(super) request: &'a Request,
    pub(super) seed: u64,
    pub(super) threads: NonZeroUsize,
    pub(super) stop: &'a StopFlag,
    pub(super) chains: &'a KeptChains,
}

impl Estimation<'_> {
    /// Estimates at up to `request.llc_points` points, evenly spread over those from the origin on.
    ///
    /// # Errors
    /// When the points are not those of the network; a chain that diverged; [`Error::Interrupted`] when stopped.
    pub(super) fn estimate(
        &self,
        source: &Source,
        diagnosis: &Diagnosis,
        observer: &mut dyn Observer,
    ) -> Result<Along> {
        let located = |error| self.run.source.locate(error);
        let NetworkLoss { mlp, loss, description } = network_loss(&self.run.run, self.seed).map_err(located)?;
        let points = Weights::open(source, &mlp, self.request).map_err(located)?;
        let steps = points.steps();
        let origin = diagnosis.input.origin;
        let from: Vec<usize> = (0..steps.len()).filter(|point| steps[*point] >= origin).collect();
        let chosen = evenly(&from, self.request.llc_points);
        let settings = settings(self.run.run.llc(), self.seed, self.threads);
        let upkeep = Upkeep { store: self.chains, stop: self.stop, estimate: 0, relay: None };
        let mut point = |number: usize| points.read(chosen[number], &mlp);
        let found = estimate_along(&*loss, chosen.len(), &mut point, &settings, upkeep, observer).map_err(located)?;
        let steps: Vec<f64> = chosen.iter().map(|point| steps[*point]).collect();
        Ok(Along::new(
            description,
            &steps,
            &found,
            (settings.chains, settings.draws),
            (diagnosis, origin),
            (self.request.scale, self.request.convention),
        ))
    }
}

/// At most `most` of the places, first and last among them.
fn evenly(places: &[usize], most: usize) -> Vec<usize> {
    let count = places.len();
    if count <= most.max(2) {
        return places.to_vec();
    }
    (0..most).map(|number| places[number * (count - 1) / (most - 1)]).collect()
}

/// The weights of the network at every point.
enum Weights<'a> {
    /// In the order of the parameter vector already.
    Vectors { times: &'a [f64], points: &'a [f64], dimension: usize },
    /// Under the names of the checkpoints.
    Named(CheckpointFolder),
}

impl<'a> Weights<'a> {
    fn open(source: &'a Source, mlp: &Mlp, request: &Request) -> Result<Self> {
        match source {
            Source::Trajectories(runs) if runs.runs == 1 && runs.dimension == mlp.parameter_count() => {
                Ok(Weights::Vectors { times: &runs.times, points: &runs.points, dimension: runs.dimension })
            }
            Source::Trajectories(runs) if runs.runs == 1 => Err(Error::invalid(
                "model.widths",
                format!("{:?}", mlp.widths()),
                format!("the network has {} parameters and the points {}", mlp.parameter_count(), runs.dimension),
                "name the widths of the network that was trained",
            )),
            // Which parameters count for the displacement says nothing of which the network has.
            Source::Checkpoints(folder) => {
                let selection = Selection { pattern: request.pattern.clone(), ..Selection::default() };
                let all = CheckpointFolder::open(folder.path(), &selection)?;
                // Before anything is allocated for it: what is a little too large is told by the name of the array.
                if all.dimension() > 2 * mlp.parameter_count() + MORE {
                    return Err(Error::invalid(
                        "model.widths",
                        format!("{:?}", mlp.widths()),
                        format!(
                            "the network has {} parameters and a checkpoint {}",
                            mlp.parameter_count(),
                            all.dimension()
                        ),
                        "name the run file of the network that was trained",
                    ));
                }
                Ok(Weights::Named(all))
            }
            Source::Trajectories(_) | Source::Table(_) => {
                let rule = "learning coefficients along a run need the points of one run";
                let remedy = "give a folder of checkpoints or an npz of one run (step, parameter)";
                Err(Error::invalid("--llc", "(given)", rule, remedy))
            }
        }
    }

    fn steps(&self) -> &[f64] {
        match self {
            Weights::Vectors { times, .. } => times,
            Weights::Named(folder) => folder.times(),
        }
    }

    fn read(&self, point: usize, mlp: &Mlp) -> Result<Vec<f64>> {
        match self {
            Weights::Vectors { points, dimension, .. } => Ok(points[point * dimension..][..*dimension].to_vec()),
            Weights::Named(folder) => {
                let mut all = vec![0.0; folder.dimension()];
                folder.read(point, 0, &mut all)?;
                let arrays: Vec<NamedArray> = folder
                    .tensors()
                    .iter()
                    .map(|tensor| {
                        let count = tensor.shape.iter().product();
                        let data = all[tensor.first..][..count].to_vec();
                        NamedArray { name: tensor.name.clone(), shape: tensor.shape.clone(), data }
                    })
                    .collect();
                named::parameters(mlp, &arrays, &format!("the checkpoint of step {}", folder.times()[point]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_spread_evenly() {
        let places: Vec<usize> = (3..103).collect();
        let chosen = evenly(&places, 12);
        assert_eq!((chosen.len(), chosen[0], chosen[11]), (12, 3, 102));
        assert!(chosen.windows(2).all(|pair| (8..=10).contains(&(pair[1] - pair[0]))));
        assert_eq!(evenly(&places[..5], 40), places[..5]);
    }
}
