//! From a training run to its dimensions: `porewalk diagnose`.

pub mod along;
mod coefficient;
mod input;
mod network;
mod observe;
pub mod report;
pub mod summary;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::clock::Clock;
use super::{Options, default_folder, kept};
use crate::error::{Error, Result};
use crate::estimate::displacement::{Convention, Interval, Settings, diagnose, dimensions};
use crate::guide::references;
use crate::propagator::Observer;
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, KeptChains, ResultFolder};
use along::Along;
use coefficient::Coefficient;
use network::AlongRun;
use observe::Observed;
use report::{Bound, DISPLACEMENT_FILE, DiagnosisReport};

/// What to diagnose and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Step that the displacement is measured from; the first one when `None`.
    pub origin: Option<f64>,
    /// First fitted time since the origin.
    pub first: Option<f64>,
    /// Last fitted time since the origin.
    pub last: Option<f64>,
    /// Patterns of parameter names that count; all when empty.
    pub include: Vec<String>,
    /// Patterns of parameter names that do not count.
    pub exclude: Vec<String>,
    /// Regular expression whose group is the step in the name of a checkpoint.
    pub pattern: Option<String>,
    /// Convention of the spectral dimension.
    pub convention: Convention,
    /// Coarse-graining length ξ \[w\].
    pub scale: f64,
    /// A learning coefficient: a number or a file.
    pub lambda: Option<String>,
    /// Run file of the network, for learning coefficients along the run.
    pub llc: Option<PathBuf>,
    /// Most points that learning coefficients are estimated at.
    pub llc_points: usize,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            origin: None,
            first: None,
            last: None,
            include: Vec::new(),
            exclude: Vec::new(),
            pattern: None,
            convention: Convention::Paper,
            scale: 0.5,
            lambda: None,
            llc: None,
            llc_points: 40,
        }
    }
}

/// Draws the figures of a diagnosis into a folder.
pub type DrawDiagnosis<'a> = &'a dyn Fn(&DiagnosisReport, &Path) -> Result<()>;

/// Diagnoses an input and writes its results folder, whole or not at all.
///
/// # Errors
/// Everything wrong with the input, with its place; an occupied or unwritable results folder; chains that diverged.
/// [`Error::Interrupted`] when it was stopped: chains that are done are kept for the option `resume`.
pub fn run_diagnose(
    path: &Path,
    request: &Request,
    options: &Options,
    draw: DrawDiagnosis<'_>,
    observer: &mut dyn Observer,
) -> Result<(DiagnosisReport, PathBuf)> {
    let along = request.llc.as_deref().map(|file| AlongRun::read(file, &options.overrides)).transpose()?;
    if along.is_none() && !options.overrides.is_empty() {
        let remedy = "name the run file with --llc, or leave --set out";
        return Err(Error::invalid("--set", &options.overrides[0], "sets a key of the run file of --llc", remedy));
    }
    let given = request.lambda.as_deref().map(coefficient::given).transpose()?;
    if given.is_some() && along.is_some() {
        let rule = "the learning coefficient is either given or estimated";
        return Err(Error::invalid("--lambda", request.lambda.as_deref().unwrap_or(""), rule, "leave one of them out"));
    }
    let source = observe::open(input::read(path)?, request)?;
    let document = serde_json::json!({
        "command": "diagnose",
        "input": path.display().to_string(),
        "points": source.count(),
        "content": input::fingerprint(path)?,
        "lambda": request.lambda.as_ref().filter(|file| Path::new(file).exists()).map(|file| input::fingerprint(Path::new(file))).transpose()?,
        "request": request,
        "run": along.as_ref().map(AlongRun::document),
        "seed": options.resources.seed,
    });
    let place = options.output.clone().unwrap_or_else(|| default_folder(path));
    let identity = Identity { problem: document.clone(), version: env!("CARGO_PKG_VERSION").to_string() };
    let folder = kept::open(&place, &identity, options, observer)?;
    let chains = KeptChains::new(folder.kept(&identity)?);
    let job = Job { path, request, options, source, along, given, document };
    match job.run(&folder, &chains, draw, observer) {
        Ok(report) => folder.commit().map(|_| (report, place)),
        Err(error) => Err(kept::give_up(folder, &place, chains.is_empty(), error)),
    }
}

/// A diagnosis with all that was read for it.
struct Job<'a> {
    path: &'a Path,
    request: &'a Request,
    options: &'a Options,
    source: observe::Source,
    along: Option<AlongRun>,
    given: Option<Coefficient>,
    document: serde_json::Value,
}

impl Job<'_> {
    fn run(
        self,
        folder: &ResultFolder,
        chains: &KeptChains,
        draw: DrawDiagnosis<'_>,
        observer: &mut dyn Observer,
    ) -> Result<DiagnosisReport> {
        let Job { path, request, options, source, along, given, document } = self;
        let mut clock = Clock::default();
        let seed = options.resources.seed;
        let threads = options.resources.thread_count();
        let settings =
            Settings { origin: request.origin, first: request.first, last: request.last, seed, ..Settings::default() };
        let observed = clock.time("points", || source.observe(&settings, threads, &options.stop, observer))?;
        let Observed { observations, points, words, remarks, explained_variance, column } = observed;
        let diagnosis = clock.time("statistics", || on_threads(threads, || diagnose(&observations, &settings)))?;
        let given = match (given, column) {
            (None, Some((times, values))) => Some(coefficient::of_column(&times, &values)?),
            (given, _) => given,
        };
        let found = match &along {
            None => None,
            Some(run) => Some(clock.time("chains", || {
                let along = network::Estimation { run, request, seed, threads, stop: &options.stop, chains };
                along.estimate(&source, &diagnosis, observer)
            })?),
        };
        let (coefficient, coefficient_source) = match (given, &found) {
            (Some((interval, words)), _) => (Some(interval), Some(words)),
            (None, Some(found)) => along_mean(found),
            (None, None) => (None, None),
        };
        let mut dimensions =
            dimensions(diagnosis.slope, coefficient, request.scale, request.convention).map_err(of_the_command)?;
        if coefficient.is_none() && found.is_some() {
            dimensions.reason.clone_from(&coefficient_source);
        }
        folder.write(DISPLACEMENT_FILE, &report::to_npz(&diagnosis.curves, points.as_ref(), found.as_ref())?)?;
        let mut report = DiagnosisReport {
            program: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            title: default_title(path),
            problem: document,
            source: words,
            bound: dimensions
                .spectral_dimension
                .zip(coefficient)
                .map(|(own, mean)| bound(&own, &mean, &diagnosis.slope, request.convention)),
            diagnosis,
            dimensions,
            learning_coefficient_source: coefficient_source,
            explained_variance,
            along: found,
            remarks,
            seed,
            wall_time: clock.stages,
            references: BTreeMap::new(),
            files: Vec::new(),
        };
        report.references = cited(&report);
        draw(&report, folder.partial())?;
        report.files = folder.files()?;
        report.files.push(REPORT_FILE.to_string());
        folder.write(REPORT_FILE, format!("{}\n", report.to_json()?).as_bytes())?;
        Ok(report)
    }
}

/// Does the statistics on as many threads as were asked for.
fn on_threads<T: Send>(threads: NonZeroUsize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build().map_err(|reason| {
        Error::invalid("--threads", threads, format!("they cannot be started ({reason})"), "ask for fewer")
    })?;
    pool.install(work).map_err(of_the_command)
}

/// The statistics name their settings without dashes.
fn of_the_command(error: Error) -> Error {
    match error {
        Error::Invalid { name, value, rule, remedy } if name == "lambda" => {
            Error::Invalid { name: "--lambda".into(), value, rule, remedy }
        }
        Error::Invalid { name, value, rule, remedy } if ["origin", "first", "last", "scale"].contains(&&*name) => {
            Error::Invalid { name: format!("--{name}"), value, rule, remedy }
        }
        other => other,
    }
}

/// Last part of the path, without its extension when it is a file.
fn default_title(path: &Path) -> String {
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The mean over the minima of the run, where it can stand for a learning coefficient.
fn along_mean(found: &Along) -> (Option<Interval>, Option<String>) {
    let Along { minima, doubtful, .. } = found;
    let count = found.rows.len();
    match found.mean {
        Some(mean) if mean.value > 0.0 => {
            let words = format!(
                "mean over time of the {minima} of {count} points that are minima; something speaks against {doubtful} \
                 of the {count} estimates"
            );
            (Some(mean), Some(words))
        }
        _ => {
            let words = format!("none: of the {count} points {minima} are minima, and only there it is a coefficient");
            (None, Some(words))
        }
    }
}

/// d_s against the mean learning coefficient.
fn bound(own: &Interval, mean: &Interval, slope: &Interval, convention: Convention) -> Bound {
    let limit = convention.limit();
    let holds = slope.value <= 0.5;
    let end = |end: Option<f64>| end.map_or("open".into(), |end| format!("{end:.4}"));
    let words = format!(
        "d_s = {:.4} {} {}mean lambda = {:.4}; d_s is made of both, so this says slope {} 1/2, and the slope is {:.4} [{}, {}]",
        own.value,
        if holds { "<=" } else { ">" },
        if limit == 1.0 { "" } else { "2 x " },
        limit * mean.value,
        if holds { "<=" } else { ">" },
        slope.value,
        end(slope.lower),
        end(slope.upper)
    );
    let ratio = slope.scaled(2.0 * limit);
    Bound { ratio, limit, holds, holds_for_interval: slope.upper.map(|upper| upper <= 0.5), words }
}

fn cited(report: &DiagnosisReport) -> BTreeMap<String, String> {
    let mut keys = vec!["HennickDeBaerdemacker2026", "Metzler2014"];
    if report.along.is_some() {
        keys.push("LauMurfetWei2023");
    }
    keys.iter().filter_map(|key| references::find(key).map(|full| ((*key).to_string(), full.to_string()))).collect()
}
