//! From an input to what the statistics take.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::Request;
use super::input::{DisplacementTable, Input, Trajectories};
use super::report::Points;
use crate::error::{Error, Result};
use crate::estimate::displacement::{Ensemble, Observations, Settings};
use crate::estimate::trajectory::{Gram, PointArray, Principal, Trajectory, displacement};
use crate::formats::checkpoint::{CheckpointFolder, Selection, Skipped};
use crate::propagator::{Observer, StopFlag};

/// Groups of parameters that a single run is resampled by.
const GROUPS: usize = 32;
/// Fewest groups that are resampled.
const FEWEST_GROUPS: usize = 8;
/// Most points whose distances from one another are kept.
const MOST_PAIRED: usize = 1000;
/// Most points whose products are computed.
const MOST_PRODUCTS: usize = 4000;
/// Principal directions that are reported.
const DIRECTIONS: usize = 4;
/// Names of what is left out that are told for each reason.
const NAMED: usize = 6;
/// Parts of a long pass over the points that progress is told in.
const TICKS: u64 = 1000;

/// An input that is ready to be observed.
pub(super) enum Source {
    /// A folder of checkpoints.
    Checkpoints(Box<CheckpointFolder>),
    /// Whole trajectories.
    Trajectories(Trajectories),
    /// A table.
    Table(DisplacementTable),
}

/// What was observed.
pub(super) struct Observed {
    /// For the statistics.
    pub(super) observations: Observations,
    /// For the archive; of one run only.
    pub(super) points: Option<Points>,
    /// What was read, in words.
    pub(super) words: String,
    /// What was left out, in sentences.
    pub(super) remarks: Vec<String>,
    /// Shares of the principal directions.
    pub(super) explained_variance: Vec<f64>,
    /// Learning coefficients in the input: times and values.
    pub(super) column: Option<(Vec<f64>, Vec<f64>)>,
}

/// Opens an input.
///
/// # Errors
/// When it is a folder that holds no checkpoints of one network, or names are chosen where there are none.
pub(super) fn open(input: Input, request: &Request) -> Result<Source> {
    if !matches!(input, Input::Checkpoints(_)) {
        let asked = [
            ("--include", request.include.first()),
            ("--exclude", request.exclude.first()),
            ("--pattern", request.pattern.as_ref()),
        ];
        if let Some((flag, Some(value))) = asked.into_iter().find(|(_, value)| value.is_some()) {
            let rule = "the input has no parameter names and no file names to choose from";
            return Err(Error::invalid(
                flag,
                format!("{value:?}"),
                rule,
                "leave it out, or give a folder of checkpoints",
            ));
        }
    }
    Ok(match input {
        Input::Checkpoints(path) => {
            let selection = Selection {
                include: request.include.clone(),
                exclude: request.exclude.clone(),
                pattern: request.pattern.clone(),
            };
            Source::Checkpoints(Box::new(CheckpointFolder::open(&path, &selection)?))
        }
        Input::Trajectories(trajectories) => Source::Trajectories(trajectories),
        Input::Table(table) => Source::Table(table),
    })
}

impl Source {
    /// Number of points in time.
    pub(super) fn count(&self) -> usize {
        match self {
            Source::Checkpoints(folder) => folder.steps().len(),
            Source::Trajectories(runs) => runs.times.len(),
            Source::Table(table) => table.times.len(),
        }
    }

    /// Everything that the statistics need, in one pass over the points.
    ///
    /// # Errors
    /// When points cannot be read; [`Error::Interrupted`] when stopped.
    pub(super) fn observe(
        &self,
        settings: &Settings,
        threads: NonZeroUsize,
        stop: &StopFlag,
        observer: &mut dyn Observer,
    ) -> Result<Observed> {
        match self {
            Source::Checkpoints(folder) => {
                let mut remarks = folder.notes().to_vec();
                remarks.extend(left_out(folder.skipped()));
                let words = format!(
                    "{} checkpoints of {} parameters in {} arrays",
                    folder.steps().len(),
                    folder.dimension(),
                    folder.tensors().len()
                );
                one_run(&**folder, words, remarks, (settings, threads), stop, observer)
            }
            Source::Trajectories(runs) if runs.runs == 1 => {
                let run = PointArray::new(runs.times.clone(), runs.points.clone())?;
                let words = format!("one run of {} points of {} parameters", runs.times.len(), runs.dimension);
                if runs.times.len() > MOST_PAIRED {
                    return many_runs(runs, words, settings);
                }
                one_run(&run, words, Vec::new(), (settings, threads), stop, observer)
            }
            Source::Trajectories(runs) => {
                let words =
                    format!("{} runs of {} points of {} parameters", runs.runs, runs.times.len(), runs.dimension);
                many_runs(runs, words, settings)
            }
            Source::Table(table) => Ok(Observed {
                observations: Observations::Table {
                    times: table.times.clone(),
                    displacement: table.displacement.clone(),
                },
                points: None,
                words: format!("a table of {} displacements", table.times.len()),
                remarks: Vec::new(),
                explained_variance: Vec::new(),
                column: table.learning_coefficient.clone().map(|values| (table.times.clone(), values)),
            }),
        }
    }
}

/// What is left out of every checkpoint, by reason, a few names each.
fn left_out(skipped: &[Skipped]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for part in skipped {
        by_reason.entry(&part.reason).or_default().push(&part.name);
    }
    let told = |(reason, names): (&str, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMED);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("left out ({reason}): {}{rest}", names[..names.len() - more].join(", "))
    };
    by_reason.into_iter().map(told).collect()
}

fn one_run(
    run: &dyn Trajectory,
    words: String,
    mut remarks: Vec<String>,
    (settings, threads): (&Settings, NonZeroUsize),
    stop: &StopFlag,
    observer: &mut dyn Observer,
) -> Result<Observed> {
    let mut tell = |part: f64| {
        observer.progress((part * TICKS as f64) as u64, TICKS);
        stop.check()
    };
    let count = run.times().len();
    if count > MOST_PRODUCTS {
        return long_run(run, words, remarks, (settings, threads));
    }
    let gram = Gram::of_with(run, GROUPS, threads.get(), &mut tell)?;
    if gram.group_count() < FEWEST_GROUPS {
        remarks.push(format!(
            "{count} points of {} parameters leave {} groups of parameters: fewer than {FEWEST_GROUPS} are not resampled",
            gram.dimension(),
            gram.group_count()
        ));
    }
    let principal = if count > 1 { Some(Principal::of(&gram, DIRECTIONS)?) } else { None };
    let pairs = || (0..count * count).map(|place| gram.squared_distance(place / count, place % count)).collect();
    let points = Points {
        steps: gram.times().to_vec(),
        squared_distances: if count <= MOST_PAIRED { pairs() } else { Vec::new() },
        principal: principal.iter().flat_map(|own| interleaved(&own.coordinates, count)).collect(),
    };
    Ok(Observed {
        observations: Observations::Run(gram),
        points: Some(points),
        words,
        remarks,
        explained_variance: principal.map_or(Vec::new(), |own| own.explained),
        column: None,
    })
}

/// So many points that their products would cost more than all else: the displacement from the origin alone.
fn long_run(
    run: &dyn Trajectory,
    words: String,
    mut remarks: Vec<String>,
    (settings, threads): (&Settings, NonZeroUsize),
) -> Result<Observed> {
    let origin = settings.origin.and_then(|origin| run.times().iter().position(|time| *time == origin)).unwrap_or(0);
    remarks.push(format!(
        "more than {MOST_PRODUCTS} points: only the displacement from the origin was measured, and no time average"
    ));
    Ok(Observed {
        // The first row, with displacement 0, is the origin.
        observations: Observations::Table {
            times: run.times()[origin..].to_vec(),
            displacement: displacement(run, origin, threads.get())?[origin..].to_vec(),
        },
        points: None,
        words,
        remarks,
        explained_variance: Vec::new(),
        column: None,
    })
}

/// Point after point from direction after direction.
fn interleaved(coordinates: &[Vec<f64>], count: usize) -> Vec<f64> {
    (0..count).flat_map(|point| coordinates.iter().map(move |direction| direction[point])).collect()
}

fn many_runs(runs: &Trajectories, words: String, settings: &Settings) -> Result<Observed> {
    let mut ensemble = Ensemble::new(&runs.times, runs.dimension, runs.runs, settings)?;
    for run in runs.points.chunks_exact(runs.times.len() * runs.dimension) {
        ensemble.push(run)?;
    }
    Ok(Observed {
        observations: Observations::Runs(ensemble),
        points: None,
        words,
        remarks: Vec::new(),
        explained_variance: Vec::new(),
        column: None,
    })
}
