//! From a run file to a learning coefficient: `porewalk llc`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::check::{CheckedRun, Llc, Sampler, check_run};
use super::clock::Clock;
use super::config::{RunConfig, Source};
use super::subject::{self, Subject};
use super::{Options, kept};
use crate::error::{Error, Result};
use crate::estimate::learning_coefficient::sweep::{Axes, Plateau, Point, Slope, plateaus, slopes, sweep};
use crate::estimate::learning_coefficient::{LearningCoefficient, Settings, Upkeep, estimate_with};
use crate::estimate::quadrature::expected_energy;
use crate::estimate::volume_scaling::volume_scaling;
use crate::guide::references;
use crate::propagator::Observer;
use crate::storage::llc::{LlcEstimate, Oracle, SweepPlateau, SweepRow, SweepSlope, SweepTable, TRACES_FILE};
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, KeptChains, LlcReport, ResultFolder, StoredTraces};

/// Draws the figures of an estimate into a folder.
pub type DrawLlc<'a> = &'a dyn Fn(&StoredTraces, &LlcReport, &Path) -> Result<()>;

/// Box within which volumes are measured when the run names none \[w\], and the lowest level \[loss\].
const VOLUME_RADIUS: f64 = 0.5;
const LOWEST_LEVEL: f64 = 1e-12;

/// Reads and checks a run file.
///
/// # Errors
/// Everything wrong with the input, with its place.
pub fn read_run(path: &Path, overrides: &[String]) -> Result<(Source, CheckedRun)> {
    let source = Source::read(path, overrides)?;
    let config = RunConfig::read(&source)?;
    let run = check_run(&config, &source.stem(), source.folder()).map_err(|error| source.locate(error))?;
    Ok((source, run))
}

/// Estimates the learning coefficient of a run file and writes its results folder, whole or not at all.
///
/// # Errors
/// Everything wrong with the input, with its place; an occupied or unwritable results folder; a chain or a training that
/// diverged. [`Error::Interrupted`] when it was stopped: what is done is kept in the folder for the option `resume`.
pub fn run_llc(
    path: &Path,
    options: &Options,
    draw: DrawLlc<'_>,
    observer: &mut dyn Observer,
) -> Result<(LlcReport, PathBuf)> {
    let (source, run) = read_run(path, &options.overrides)?;
    let checked =
        serde_json::to_value(&run).map_err(|error| Error::NotFinite { stage: format!("the checked run: {error}") })?;
    let document = serde_json::json!({ "command": "llc", "run": checked, "seed": options.resources.seed });
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

/// Writes everything but the last step, the commit.
fn write(folder: &ResultFolder, (mut report, traces, files): Outcome, draw: DrawLlc<'_>) -> Result<LlcReport> {
    folder.write(TRACES_FILE, &traces.to_npz()?)?;
    for (name, content) in &files {
        folder.write(name, content)?;
    }
    draw(&traces, &report, folder.partial())?;
    report.files = folder.files()?;
    report.files.push(REPORT_FILE.to_string());
    folder.write(REPORT_FILE, format!("{}\n", report.to_json()?).as_bytes())?;
    Ok(report)
}

type Outcome = (LlcReport, StoredTraces, subject::Files);

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
    let settings = settings(run.llc(), resources.seed, threads);
    let upkeep = Upkeep { store: chains, stop, estimate: 0, relay: None };
    let found = clock
        .time("chains", || estimate_with(&*subject.landscape, &subject.point, &settings, upkeep, observer))
        .map_err(of_the_file)?;
    let oracle = clock.time("oracle", || oracle(&subject, &found, run.llc()));
    let table = match &run.llc().sweep {
        None => None,
        Some(axes) => {
            let axes = Axes {
                step_size: axes.step_size.clone(),
                localization: axes.localization.clone(),
                inverse_temperature: axes.inverse_temperature.clone(),
            };
            // A sweep shows what the step does: one run per step size, none extrapolated unless that was asked for.
            let settings =
                Settings { extrapolation: Some(run.llc().extrapolation.unwrap_or(false)), ..settings.clone() };
            let upkeep = Upkeep { estimate: 1, ..upkeep };
            let points = clock
                .time("sweep", || sweep(&*subject.landscape, &subject.point, &settings, &axes, upkeep, observer))?;
            Some(table(points))
        }
    };
    let references = cited(&subject, &found, oracle.is_some());
    let traces = StoredTraces { loss: found.traces.loss.clone(), distance: found.traces.distance.clone() };
    let report = LlcReport {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        title: run.title().into(),
        problem: document,
        model: subject::summary(&subject, found.diagnosis.baseline),
        llc: estimated(&found, &settings),
        oracle,
        sweep: table,
        seed: resources.seed,
        wall_time: clock.stages,
        references,
        files: Vec::new(),
    };
    let files = subject::files(&subject)?;
    Ok((report, traces, files))
}

/// The settings of chains as a run file asks for them.
pub(super) fn settings(llc: &Llc, seed: u64, threads: NonZeroUsize) -> Settings {
    let sampler = match llc.sampler {
        Sampler::Auto => None,
        Sampler::Mala => Some("mala"),
        Sampler::Sgld => Some("sgld"),
        Sampler::Sgnht => Some("sgnht"),
        Sampler::RmspropSgld => Some("rmsprop-sgld"),
        Sampler::Hmc => Some("hmc"),
    };
    Settings {
        sampler: sampler.map(str::to_string),
        inverse_temperature: llc.inverse_temperature,
        localization: llc.localization,
        step_size: llc.step_size,
        extrapolation: llc.extrapolation,
        box_radius: llc.box_radius,
        batch_size: llc.batch_size,
        chains: llc.chains,
        burn_in: llc.burn_in,
        draws: llc.draws,
        seed,
        threads,
    }
}

/// The estimator names its settings without their table.
pub(super) fn of_the_file(error: Error) -> Error {
    match error {
        Error::Invalid { name, value, rule, remedy } if !name.contains('.') => {
            Error::Invalid { name: format!("llc.{name}"), value, rule, remedy }
        }
        other => other,
    }
}

fn estimated(found: &LearningCoefficient, settings: &Settings) -> LlcEstimate {
    let LearningCoefficient { value, mcse, diagnosis, verdict, .. } = found;
    let finite = |value: f64| value.is_finite().then_some(value);
    let name = |fault| serde_json::to_value(fault).ok().and_then(|name| name.as_str().map(str::to_string));
    LlcEstimate {
        value: *value,
        mcse: *mcse,
        r_hat: finite(diagnosis.r_hat),
        ess: finite(diagnosis.bulk_ess),
        tail_ess: finite(diagnosis.tail_ess),
        acceptance: diagnosis.acceptance,
        verdict: verdict.words(),
        trustworthy: verdict.is_trustworthy(),
        faults: verdict.faults.iter().filter_map(|(fault, _)| name(fault)).collect(),
        remarks: verdict.remarks.clone(),
        sampler: diagnosis.sampler.clone(),
        inverse_temperature: diagnosis.inverse_temperature,
        localization: diagnosis.localization,
        step_size: diagnosis.step_size,
        chains: settings.chains,
        draws: settings.draws,
        whole_step: diagnosis.whole_step,
        half_step: diagnosis.extrapolation.map(|two| two.half_step),
        drift: diagnosis.drift,
        variance_ratio: diagnosis.variance_ratio,
        below_start: diagnosis.below_start,
        mean_distance: diagnosis.mean_distance,
        radius_ratio: diagnosis.radius_ratio,
        stiffness: diagnosis.stiffness,
        batch_noise: diagnosis.batch_noise,
    }
}

/// What is known without sampling: by theorem, and in one and two dimensions by quadrature and volumes.
fn oracle(subject: &Subject, found: &LearningCoefficient, llc: &Llc) -> Option<Oracle> {
    let (t, g) = (found.diagnosis.inverse_temperature, found.diagnosis.localization);
    let is_small = subject.point.len() <= 2;
    // A loss that is not finite far away has no oracle; the chains have not been there.
    let quadrature = is_small
        .then(|| expected_energy(&*subject.landscape, &subject.point, t, g, llc.box_radius).ok())
        .flatten()
        .filter(|(value, error)| value.is_finite() && *error < 0.01 * value.abs());
    let radius = llc.box_radius.unwrap_or(VOLUME_RADIUS);
    let volume = is_small
        .then(|| volume_scaling(&*subject.landscape, &subject.point, radius, LOWEST_LEVEL).ok())
        .flatten()
        .filter(|fit| fit.learning_coefficient.is_finite() && fit.residual < 0.02);
    if quadrature.is_none() && volume.is_none() && subject.exact.is_none() {
        return None;
    }
    Some(Oracle {
        quadrature: quadrature.map(|(value, _)| value),
        quadrature_error: quadrature.map(|(_, error)| error),
        volume_scaling: volume.map(|fit| (fit.learning_coefficient, fit.multiplicity)),
        exact: subject.exact,
    })
}

fn table(points: Vec<Point>) -> SweepTable {
    let plateaus = plateaus(&points)
        .into_iter()
        .map(|Plateau { axis, others, interval, value }| SweepPlateau {
            axis,
            others: (others[0], others[1]),
            interval,
            value,
        })
        .collect();
    let slopes = slopes(&points)
        .into_iter()
        .map(|Slope { step_size, localization, value, mcse }| SweepSlope { step_size, localization, value, mcse })
        .collect();
    let rows = points.into_iter().map(|point| {
        let number = |pick: fn(&crate::estimate::learning_coefficient::sweep::Found) -> f64| {
            point.found.as_ref().map(pick).filter(|value| value.is_finite())
        };
        SweepRow {
            step_size: point.step_size,
            localization: point.localization,
            inverse_temperature: point.inverse_temperature,
            value: number(|found| found.value),
            mcse: number(|found| found.mcse),
            r_hat: number(|found| found.r_hat),
            ess: number(|found| found.ess),
            acceptance: number(|found| found.acceptance),
            drift: number(|found| found.drift),
            below_start: number(|found| found.below_start),
            radius_ratio: number(|found| found.radius_ratio),
            trustworthy: point.found.as_ref().is_some_and(|found| found.is_trustworthy),
            verdict: point.verdict.clone(),
        }
    });
    SweepTable { points: rows.collect(), plateaus, slopes }
}

fn cited(subject: &Subject, found: &LearningCoefficient, has_oracle: bool) -> BTreeMap<String, String> {
    let mut keys = vec!["LauMurfetWei2023", "Vehtari2021", "Watanabe2009"];
    keys.extend(match found.diagnosis.sampler.as_str() {
        "mala" => &["RobertsTweedie1996"][..],
        "sgld" => &["WellingTeh2011"],
        _ => &[],
    });
    keys.extend(&subject.references);
    if !has_oracle {
        keys.retain(|key| *key != "Watanabe2009");
    }
    keys.iter().filter_map(|key| references::find(key).map(|full| ((*key).to_string(), full.to_string()))).collect()
}
