//! Experiments: a problem file read, checked, run and reported (floor 5).
//!
//! ```text
//! PROBLEM.toml --Source--> Config --check--> Checked --solve::run--> StoredSolution + Report --> results folder
//! ```

pub mod build;
pub mod catalogue;
pub mod check;
pub mod choice;
mod clock;
pub mod config;
pub mod converge;
pub mod diagnose;
mod directions;
mod kept;
pub mod landscape;
pub mod landscape_summary;
pub mod llc;
pub mod llc_summary;
pub mod locate;
pub mod measure;
pub mod model;
pub mod reproduce;
pub mod solve;
mod subject;
pub mod summary;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::propagator::{Observer, StopFlag};
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, Replacement, Report, ResultFolder, SOLUTION_FILE, StoredSolution};

pub use check::{Checked, check};
pub use config::{Config, Source};
pub use summary::{Detail, Summary};

/// What the command line says about a run beside the problem file.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Results folder; `results/<stem>` in the working directory when `None`.
    pub output: Option<PathBuf>,
    /// `key.path=value`, in order; see [`Source`].
    pub overrides: Vec<String>,
    /// Which earlier results may be replaced.
    pub replacement: Replacement,
    /// Seed and threads.
    pub resources: Resources,
    /// Goes on with what a stopped run has kept, where there is something; for `llc` and `landscape`.
    pub resume: bool,
    /// Asks the run to stop; `llc` and `landscape` look at it.
    pub stop: StopFlag,
}

/// What a run may use; results do not depend on the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resources {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads; `None` leaves the number to the program.
    pub threads: Option<NonZeroUsize>,
}

impl Resources {
    /// The threads asked for, else as many as the machine has.
    pub fn thread_count(&self) -> NonZeroUsize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Draws the figures of a solve into a folder. Figures stand on a higher floor than experiments, so the program hands
/// them down as a function.
pub type Draw<'a> = &'a dyn Fn(&StoredSolution, &Report, &Path) -> Result<()>;

/// Results folder of an input file when none is named: `results/<stem>` in the working directory.
pub fn default_folder(path: &Path) -> PathBuf {
    Path::new("results").join(path.file_stem().unwrap_or(path.as_os_str()))
}

/// The command that made a results folder, as its report says; `None` for a solve.
///
/// # Errors
/// When the folder has no report, or one that is not JSON.
pub fn command_of(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(REPORT_FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| Error::malformed(&path, format!("no report: {error}")))?;
    Ok(report.pointer("/problem/command").and_then(serde_json::Value::as_str).map(str::to_string))
}

/// Reads and checks a problem file.
///
/// # Errors
/// Everything wrong with the input, with its place.
pub fn read_problem(path: &Path, overrides: &[String]) -> Result<(Source, Checked)> {
    let source = Source::read(path, overrides)?;
    let config = Config::read(&source)?;
    let checked = check(&config, &source.stem(), source.folder()).map_err(|error| source.locate(error))?;
    Ok((source, checked))
}

/// Solves a problem file and writes its results folder, whole or not at all.
///
/// # Errors
/// Everything wrong with the input, with its place; an occupied or unwritable results folder; a failed run.
pub fn run_solve(path: &Path, options: &Options, draw: Draw<'_>, observer: &mut dyn Observer) -> Result<Summary> {
    let (source, problem) = read_problem(path, &options.overrides)?;
    let document = serde_json::to_value(&problem)
        .map_err(|error| Error::NotFinite { stage: format!("the checked problem: {error}") })?;
    let place = options.output.clone().unwrap_or_else(|| Path::new("results").join(source.stem()));
    let identity = Identity { problem: document.clone(), version: env!("CARGO_PKG_VERSION").to_string() };
    let folder = ResultFolder::open(&place, &identity, options.replacement)?;
    let (solution, mut report) =
        solve::run(&problem, &document, &options.resources, observer).map_err(|error| source.locate(error))?;
    let notes = problem.warnings().iter().filter(|note| !report.warnings.contains(note)).cloned();
    report.warnings.splice(0..0, notes.collect::<Vec<_>>());
    solve::store(&solution, &folder.partial().join(SOLUTION_FILE))?;
    draw(&solution, &report, folder.partial())?;
    report.files = folder.files()?;
    report.files.push(REPORT_FILE.to_string());
    folder.write(REPORT_FILE, format!("{}\n", report.to_json()?).as_bytes())?;
    folder.commit()?;
    Ok(Summary { report, folder: place })
}
