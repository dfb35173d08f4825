//! From a run file to a section of a landscape: `porewalk landscape`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::check::{CheckedRun, Checkpoints, Directions, FieldMethod, FieldSettings, Spacing};
use super::clock::Clock;
use super::directions::{Aim, aim, extent};
use super::llc::{of_the_file, read_run, settings};
use super::subject::{self, Subject};
use super::{Options, kept};
use crate::error::{Error, Result};
use crate::estimate::section::{Comparison, LocalVolume, Window, centers, chains_field, compare, losses_on};
use crate::estimate::section::{points_of, spread, volume_field};
use crate::estimate::trajectory::Trajectory;
use crate::fokker_planck::{CoarseGrained, LearningCoefficient};
use crate::guide::references;
use crate::landscape::{Landscape, Section};
use crate::propagator::Observer;
use crate::storage::landscape::{
    ComparisonSummary, DiffusivitySummary, FieldSummary, LANDSCAPE_FILE, Lowest, PathSummary, SectionSummary,
    StoredPath,
};
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, KeptChains, LandscapeReport, ResultFolder, StoredLandscape};

/// Draws the figures of a section into a folder.
pub type DrawLandscape<'a> = &'a dyn Fn(&StoredLandscape, &LandscapeReport, &Path) -> Result<()>;

/// Checkpoints of a training whose own path gives the directions, when the file names none.
const CHECKPOINTS: Checkpoints = Checkpoints { count: 100, spacing: Spacing::Linear };
/// Part of the shorter side that is the reach of a point.
const REACH: f64 = 0.1;
/// Points within the radius that the quadrature aims at, and how far it refines the grid for them.
const ENOUGH_POINTS: f64 = 16.0;
const MOST_REFINED: usize = 16;
/// Points within the radius below which the quadrature is remarked on.
const FEW_POINTS: f64 = 4.0;

/// Cuts the section of a run file and writes its results folder, whole or not at all.
///
/// # Errors
/// Everything wrong with the input, with its place; an occupied or unwritable results folder; a training or a chain that
/// diverged. [`Error::Interrupted`] when it was stopped: chains are kept in the folder for the option `resume`.
pub fn run_landscape(
    path: &Path,
    options: &Options,
    draw: DrawLandscape<'_>,
    observer: &mut dyn Observer,
) -> Result<(LandscapeReport, PathBuf)> {
    let (source, run) = read_run(path, &options.overrides)?;
    let run = match &run.section().directions {
        Directions::Trajectory { .. } => run.with_checkpoints(CHECKPOINTS),
        Directions::Between { files } => {
            let first = files[0].clone();
            run.with_weights(&first)
        }
        _ => run,
    };
    let value = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| Error::NotFinite { stage: format!("the checked run: {error}") })
    };
    let checked = value(serde_json::to_value(&run))?;
    let section = value(serde_json::to_value(run.section()))?;
    let seed = options.resources.seed;
    let document = serde_json::json!({ "command": "landscape", "run": checked, "section": section, "seed": seed });
    let place = options.output.clone().unwrap_or_else(|| Path::new("results").join(source.stem()));
    let identity = Identity { problem: document.clone(), version: env!("CARGO_PKG_VERSION").to_string() };
    let folder = kept::open(&place, &identity, options, observer)?;
    let chains = KeptChains::new(folder.kept(&identity)?);
    let outcome = compute(&run, document, options, &chains, observer)
        .map_err(|error| source.locate(error))
        .and_then(|outcome| write(&folder, outcome, draw));
    match outcome {
        Ok(report) => folder.commit().map(|_| (report, place)),
        Err(error) => Err(kept::give_up(folder, &place, chains.is_empty(), error)),
    }
}

type Outcome = (LandscapeReport, StoredLandscape, subject::Files);

/// Writes everything but the last step, the commit.
fn write(
    folder: &ResultFolder,
    (mut report, section, files): Outcome,
    draw: DrawLandscape<'_>,
) -> Result<LandscapeReport> {
    folder.write(LANDSCAPE_FILE, &section.to_npz()?)?;
    for (name, content) in &files {
        folder.write(name, content)?;
    }
    draw(&section, &report, folder.partial())?;
    report.files = folder.files()?;
    report.files.push(REPORT_FILE.to_string());
    folder.write(REPORT_FILE, format!("{}\n", report.to_json()?).as_bytes())?;
    Ok(report)
}

fn compute(
    run: &CheckedRun,
    document: serde_json::Value,
    options: &Options,
    chains: &KeptChains,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let (resources, stop) = (options.resources, &options.stop);
    let mut clock = Clock::default();
    let threads = resources.thread_count();
    let subject = clock.time("model", || subject::subject(run, resources.seed, threads, stop))?;
    let aim = aim(run, &subject, resources.seed)?;
    let double = subject.in_double()?;
    let landscape: &dyn Landscape = match &double {
        Some(loss) => loss,
        None => &*subject.landscape,
    };
    let section = Section::new(landscape, aim.origin.clone(), aim.directions.clone())?;
    let extent = extent(run, &aim, &section);
    let cells = &run.section().cells;
    let axes: Vec<Vec<f64>> =
        extent.iter().zip(cells).map(|((lower, upper), cells)| centers(*lower, *upper, *cells)).collect();
    let loss = clock.time("loss", || losses_on(&section, &axes, threads, stop, observer))?;
    let path = clock.time("trajectory", || path(&subject, landscape, &section))?;
    let mut remarks = Vec::new();
    let setting = Setting { run, subject: &subject, section: &section, axes: &axes, extent: &extent, threads, options };
    let field = match &run.section().learning_coefficient {
        None => None,
        Some(wanted) => {
            Some(clock.time("learning coefficient", || setting.field(wanted, chains, observer, &mut remarks))?)
        }
    };
    let diffusivity = field.as_ref().zip(run.section().learning_coefficient.as_ref()).and_then(|(field, wanted)| {
        let found = diffusivity(&field.value, wanted);
        if found.is_none() {
            let rest = "log10 D_xi = (2 - 2 lambda/d_s) log10 xi needs it, and lambda alone does not give it";
            remarks.push(format!("no diffusivity: section.spectral_dimension is not given; {rest}"));
        }
        found
    });
    let lowest = (0..loss.len()).min_by(|a, b| loss[*a].total_cmp(&loss[*b])).unwrap_or(0);
    let at = points_of(&axes)[lowest * axes.len()..][..axes.len()].to_vec();
    let own_loss = subject.landscape.loss(&subject.point);
    let files = subject::files(&subject)?;
    let report = LandscapeReport {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        title: run.title().into(),
        problem: document,
        model: subject::summary(&subject, own_loss),
        section: section_summary(run, &aim, &extent),
        lowest: Lowest { loss: loss[lowest], at },
        trajectory: path.as_ref().map(|(_, summary)| *summary),
        references: cited(run, &subject, field.as_ref(), diffusivity.is_some()),
        learning_coefficient: field.as_ref().map(|field| field.summary.clone()),
        diffusivity: diffusivity.as_ref().map(|(_, summary)| *summary),
        remarks,
        seed: resources.seed,
        wall_time: clock.stages,
        files: Vec::new(),
    };
    let stored = StoredLandscape {
        axes,
        loss,
        learning_coefficient: field.map(|field| (field.value, field.error)),
        log10_diffusivity: diffusivity.map(|(values, _)| values),
        trajectory: path.map(|(path, _)| path),
        origin: aim.origin,
        directions: aim.directions,
    };
    Ok((report, stored, files))
}

/// The name of a checked value as the file would write it.
fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(table)) => table.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn section_summary(run: &CheckedRun, aim: &Aim, extent: &[(f64, f64)]) -> SectionSummary {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths: Vec<f64> = aim.directions.iter().map(|direction| product(direction, direction).sqrt()).collect();
    SectionSummary {
        directions: name_of(&run.section().directions),
        unit: name_of(&run.section().unit),
        origin: aim.origin_words.clone(),
        labels: aim.labels.clone(),
        explained_variance: aim.explained.clone(),
        cosine: match &aim.directions[..] {
            [a, b] => Some(product(a, b) / (lengths[0] * lengths[1])),
            _ => None,
        },
        lengths,
        lower: extent.iter().map(|ends| ends.0).collect(),
        upper: extent.iter().map(|ends| ends.1).collect(),
        cells: run.section().cells.clone(),
    }
}

/// The checkpoints on the section.
fn path(
    subject: &Subject,
    landscape: &dyn Landscape,
    section: &Section<'_>,
) -> Result<Option<(StoredPath, PathSummary)>> {
    let Some(trajectory) = &subject.trajectory else { return Ok(None) };
    let count = trajectory.times().len();
    let (coordinates, distance): (Vec<Vec<f64>>, Vec<f64>) =
        (0..count).map(|k| section.project(trajectory.point(k))).unzip();
    let points: Vec<f64> = (0..count).flat_map(|k| trajectory.point(k)).copied().collect();
    let mut loss = vec![0.0; count];
    landscape.losses(&points, &mut loss)?;
    let ends = trajectory.point(0).iter().zip(trajectory.point(count - 1));
    let summary = PathSummary {
        checkpoints: count,
        last_distance: distance[count - 1],
        largest_distance: distance.iter().copied().fold(0.0, f64::max),
        displacement: ends.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
    };
    Ok(Some((StoredPath { coordinates, distance, step: trajectory.times().to_vec(), loss }, summary)))
}

/// What fields are made from.
struct Setting<'a> {
    run: &'a CheckedRun,
    subject: &'a Subject,
    section: &'a Section<'a>,
    axes: &'a [Vec<f64>],
    extent: &'a [(f64, f64)],
    threads: NonZeroUsize,
    options: &'a Options,
}

/// λ on the grid.
struct Fields {
    value: Vec<f64>,
    error: Vec<f64>,
    summary: FieldSummary,
}

impl Setting<'_> {
    fn field(
        &self,
        wanted: &FieldSettings,
        store: &KeptChains,
        observer: &mut dyn Observer,
        remarks: &mut Vec<String>,
    ) -> Result<Fields> {
        let settings = settings(self.run.llc(), self.options.resources.seed, self.threads);
        let n = self.subject.landscape.sample_count() as f64;
        let t = settings.inverse_temperature.unwrap_or(n / n.ln());
        let shorter = self.extent.iter().map(|ends| ends.1 - ends.0).fold(f64::INFINITY, f64::min);
        let radius = wanted.radius.unwrap_or(REACH * shorter);
        let window = Window { inverse_temperature: t, localization: wanted.localization, radius };
        let step = |axis: &[f64]| axis[1] - axis[0];
        let widest = self.axes.iter().map(|axis| step(axis)).fold(0.0, f64::max);
        let refine =
            wanted.refine.unwrap_or(((ENOUGH_POINTS * widest / radius).ceil() as usize).clamp(1, MOST_REFINED));
        let widest = widest / refine as f64;
        if radius < FEW_POINTS * widest {
            remarks.push(format!(
                "the reach {radius:.3e} of a point holds {:.1} points to a side: raise section.refine, cells or radius",
                radius / widest
            ));
        }
        let crew = (self.threads, &self.options.stop);
        let volumes = match wanted.method {
            FieldMethod::Volume => Some(volume_field(self.section, self.axes, refine, &window, crew, observer)?),
            FieldMethod::Chains => None,
        };
        let mut coarse_field = None;
        if let Some(counts) = &wanted.coarse {
            // From the first point of every axis to its last: nothing lies outside.
            let coarse: Vec<Vec<f64>> = self
                .axes
                .iter()
                .zip(counts)
                .map(|(axis, count)| {
                    let (first, last) = (axis[0], axis[axis.len() - 1]);
                    (0..*count).map(|k| first + (last - first) * k as f64 / (count - 1) as f64).collect()
                })
                .collect();
            let points: Vec<Vec<f64>> = points_of(&coarse)
                .chunks_exact(coarse.len())
                .map(|place| {
                    let mut point = vec![0.0; self.subject.point.len()];
                    self.section.point(place, &mut point);
                    point
                })
                .collect();
            let upkeep = (store as &dyn crate::dynamics::ChainStore, &self.options.stop);
            let chains =
                chains_field(&*self.subject.landscape, &points, &settings, upkeep, observer).map_err(of_the_file)?;
            let finest = self.axes.iter().map(|axis| step(axis)).fold(f64::INFINITY, f64::min) / refine as f64;
            let longest = coarse.iter().map(|axis| step(axis)).fold(0.0, f64::max);
            let refine = (longest / finest).ceil() as usize;
            let volume = volume_field(self.section, &coarse, refine, &window, crew, observer)?;
            coarse_field = Some((coarse, chains, volume));
        }
        let (value, error) = match (&volumes, &coarse_field) {
            (Some(volumes), _) => {
                (volumes.iter().map(|point| point.value).collect(), volumes.iter().map(LocalVolume::error).collect())
            }
            (None, Some((coarse, chains, _))) => {
                let values: Vec<f64> = chains.iter().map(|point| point.value).collect();
                let errors: Vec<f64> = chains.iter().map(|point| point.mcse).collect();
                (spread(coarse, &values, self.axes), spread(coarse, &errors, self.axes))
            }
            (None, None) => return Err(Error::NotFinite { stage: "a field without a method".into() }),
        };
        let of_volumes = |pick: fn(&LocalVolume) -> f64| {
            volumes.as_ref().map(|volumes| median(&volumes.iter().map(pick).collect::<Vec<f64>>()))
        };
        let summary = FieldSummary {
            method: name_of(&wanted.method),
            inverse_temperature: t,
            radius,
            localization: (wanted.localization, settings.localization),
            range: (lowest(&value), median(&value), highest(&value)),
            median_error: median(&error),
            median_from_temperature: of_volumes(|point| point.from_temperature),
            median_from_grid: of_volumes(|point| point.from_grid),
            comparison: coarse_field.map(|(coarse, chains, volume)| {
                let volume: Vec<f64> = volume.iter().map(|point| point.value).collect();
                let Comparison { mean_difference, correlation, restless } = compare(&chains, &volume);
                ComparisonSummary {
                    points: coarse.iter().map(Vec::len).collect(),
                    mean_difference,
                    correlation,
                    restless,
                    chains: chains.iter().map(|point| point.value).collect(),
                    mcse: chains.iter().map(|point| point.mcse).collect(),
                    volume,
                }
            }),
        };
        Ok(Fields { value, error, summary })
    }
}

/// log10 D_ξ on the grid, when a spectral dimension is given.
fn diffusivity(value: &[f64], wanted: &FieldSettings) -> Option<(Vec<f64>, DiffusivitySummary)> {
    let spectral_dimension = wanted.spectral_dimension?;
    let law = CoarseGrained {
        scale: wanted.scale,
        spectral_dimension,
        learning_coefficient: LearningCoefficient::Number(1.0),
        reference: 1.0,
    };
    let logs: Vec<f64> = value.iter().map(|value| law.log_diffusivity(*value) / std::f64::consts::LN_10).collect();
    let log10_range = (lowest(&logs), highest(&logs));
    Some((logs, DiffusivitySummary { scale: wanted.scale, spectral_dimension, log10_range }))
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn cited(
    run: &CheckedRun,
    subject: &Subject,
    field: Option<&Fields>,
    has_diffusivity: bool,
) -> std::collections::BTreeMap<String, String> {
    let mut keys = subject.references.clone();
    if run.section().directions == Directions::Random {
        keys.push("LiXuTaylorStuderGoldstein2018");
    }
    if let Some(field) = field {
        keys.push("Watanabe2009");
        if field.summary.comparison.is_some() {
            keys.extend(["LauMurfetWei2023", "Vehtari2021"]);
        }
    }
    if has_diffusivity {
        keys.push("HennickDeBaerdemacker2026");
    }
    keys.iter().filter_map(|key| references::find(key).map(|full| ((*key).to_string(), full.to_string()))).collect()
}
