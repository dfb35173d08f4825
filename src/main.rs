//! The command `porewalk`.

mod progress;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use porewalk::estimate::displacement::Convention;
use porewalk::experiment::diagnose::report::DiagnosisReport;
use porewalk::experiment::diagnose::{Request, run_diagnose};
use porewalk::experiment::{self, Detail, Options, Resources};
use porewalk::propagator::StopFlag;
use porewalk::storage::{Convergence, LandscapeReport, LlcReport, Replacement, Report, SOLUTION_FILE};
use porewalk::storage::{StoredLandscape, StoredSolution, StoredTraces};
use porewalk::{Error, Result};
use progress::Progress;

/// Time-fractional Fokker-Planck equations on loss landscapes.
///
/// Exit status: 0 done, 1 the run failed or was stopped, 2 the input is wrong.
#[derive(Parser)]
#[command(name = "porewalk", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Solve the equation of a problem file; write solution.npz, report.json and figures
    Solve(Solve),
    /// Redraw every figure of a results folder, solving nothing again
    Plot(Plot),
    /// List what can be named in a problem file
    List {
        /// landscapes, diffusivities, initials, schemes, fluxes, ...: all when left out
        topic: Option<String>,
    },
    /// Refine time and space; print observed orders, work and error; draw the log-log figure
    Converge(Solve),
    /// Estimate the learning coefficient of a run file, with errors, diagnostics and a verdict
    Llc(Solve),
    /// Train or load a network and cut a line or a plane through its landscape; write landscape.npz and figures
    Landscape(Solve),
    /// Slope, walk and spectral dimension, Caputo order and D_xi of a training run, with intervals and rival models
    Diagnose(Diagnose),
    /// Recompute a table of the paper: table1
    Reproduce(Reproduce),
    #[command(hide = true)]
    Compare(Later),
}

#[derive(Args)]
struct Solve {
    /// The problem file (for llc and landscape the run file)
    problem: PathBuf,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Args)]
struct Diagnose {
    /// A folder of checkpoints, a table of (t, R[, lambda]), or an npz of trajectories (run, step, parameter)
    input: PathBuf,
    /// Step that the displacement is measured from [default: the first]
    #[arg(long, value_name = "STEP")]
    origin: Option<f64>,
    /// First fitted time since the origin [default: the first point after it]
    #[arg(long, value_name = "T")]
    first: Option<f64>,
    /// Last fitted time since the origin [default: the last point]
    #[arg(long, value_name = "T")]
    last: Option<f64>,
    /// Parameters that count, by name with * and ?; repeatable [default: all]
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Parameters that do not count, by name with * and ?; repeatable
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Regular expression whose group is the step in a checkpoint's name [default: the last number in it]
    #[arg(long, value_name = "REGEX")]
    pattern: Option<String>,
    /// Spectral dimension as 2 lambda slope (paper) or, for volume by length, 4 lambda slope (length)
    #[arg(long, value_enum, default_value = "paper")]
    convention: ConventionName,
    /// Coarse-graining length xi of D_xi
    #[arg(long, value_name = "XI", default_value_t = 0.5)]
    scale: f64,
    /// Learning coefficient: a number, a results folder of llc, or a file of (t, lambda[, error])
    #[arg(long, value_name = "NUMBER|FILE", conflicts_with = "llc")]
    lambda: Option<String>,
    /// Estimate learning coefficients along the run, with the network, data and settings of a run file
    #[arg(long, value_name = "RUN.toml")]
    llc: Option<PathBuf>,
    /// Most points at which they are estimated
    #[arg(long, value_name = "N", default_value = "40", requires = "llc")]
    llc_points: NonZeroUsize,
    #[command(flatten)]
    shared: Shared,
}

/// The conventions as the command line names them.
#[derive(Clone, Copy, ValueEnum)]
enum ConventionName {
    Paper,
    Length,
}

#[derive(Args)]
struct Reproduce {
    /// What to reproduce: table1
    name: String,
    #[command(flatten)]
    shared: Shared,
}

/// What every command that writes a results folder takes.
#[derive(Args)]
struct Shared {
    /// Results folder [default: results/<stem of the input>]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Set a key over the file, as in --set dynamics.order=0.5; repeatable.
    /// Values are TOML, bare words are text; --set 'initial={kind="uniform"}' sets a whole table
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    overrides: Vec<String>,
    /// Replace other results in the results folder (those of the identical problem need no --force)
    #[arg(long)]
    force: bool,
    /// Go on with a run of chains that was stopped (Ctrl-C) and end with the same numbers.
    /// Commands without chains accept it and always start afresh
    #[arg(long)]
    resume: bool,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; the results do not depend on them
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    voice: Voice,
}

#[derive(Args)]
struct Plot {
    /// A results folder with report.json and solution.npz
    folder: PathBuf,
    #[command(flatten)]
    voice: Voice,
}

#[derive(Args)]
struct Voice {
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print work and wall time too
    #[arg(short, long)]
    verbose: bool,
    /// Print the report as JSON on standard output and nothing else
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

/// Arguments of a command that comes with a later version.
#[derive(Args)]
#[command(disable_help_flag = true)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Solve(arguments) => solve(arguments),
        Command::Plot(arguments) => plot(&arguments),
        Command::List { topic } => say(&experiment::catalogue::list(topic.as_deref())?),
        Command::Converge(arguments) => converge(arguments),
        Command::Landscape(arguments) => landscape(arguments),
        Command::Llc(arguments) => llc(arguments),
        Command::Diagnose(arguments) => diagnose(arguments),
        Command::Compare(_) => Err(later("compare")),
        Command::Reproduce(arguments) => reproduce(&arguments),
    }
}

fn later(command: &str) -> Error {
    Error::not_available(
        "command",
        command,
        "the commands are solve, converge, landscape, llc, diagnose, reproduce, plot and list",
    )
}

impl Shared {
    fn options(&self) -> Options {
        Options {
            output: self.output.clone(),
            overrides: self.overrides.clone(),
            replacement: if self.force { Replacement::Always } else { Replacement::IfIdentical },
            resources: Resources { seed: self.seed, threads: self.threads },
            resume: self.resume,
            stop: StopFlag::default(),
        }
    }
}

fn converge(arguments: Solve) -> Result<()> {
    let options = arguments.shared.options();
    let mut progress = Progress::new(arguments.shared.voice.quiet || arguments.shared.voice.json);
    let draw = |study: &Convergence, folder: &Path| porewalk::plot::draw_convergence(study, folder).map(drop);
    let result = experiment::converge::run_converge(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let study = result?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", study.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => {
            let folder = options.output.unwrap_or_else(|| experiment::default_folder(&arguments.problem));
            say(&experiment::converge::table(&study, &folder))
        }
    }
}

fn llc(arguments: Solve) -> Result<()> {
    let options = arguments.shared.options();
    stop_at_interrupt(options.stop.clone())?;
    let mut progress = Progress::new(arguments.shared.voice.quiet || arguments.shared.voice.json);
    let draw = |traces: &StoredTraces, report: &LlcReport, folder: &Path| {
        porewalk::plot::draw_llc(traces, report, folder).map(drop)
    };
    let result = experiment::llc::run_llc(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let (report, folder) = result?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", report.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&experiment::llc_summary::summary(&report, &folder)),
    }
}

fn diagnose(arguments: Diagnose) -> Result<()> {
    let options = arguments.shared.options();
    let request = Request {
        origin: arguments.origin,
        first: arguments.first,
        last: arguments.last,
        include: arguments.include,
        exclude: arguments.exclude,
        pattern: arguments.pattern,
        convention: match arguments.convention {
            ConventionName::Paper => Convention::Paper,
            ConventionName::Length => Convention::Length,
        },
        scale: arguments.scale,
        lambda: arguments.lambda,
        llc: arguments.llc,
        llc_points: arguments.llc_points.get(),
    };
    stop_at_interrupt(options.stop.clone())?;
    let mut progress = Progress::new(arguments.shared.voice.quiet || arguments.shared.voice.json);
    let draw = |report: &DiagnosisReport, folder: &Path| porewalk::plot::draw_diagnosis(report, folder).map(drop);
    let result = run_diagnose(&arguments.input, &request, &options, &draw, &mut progress);
    drop(progress);
    let (report, folder) = result?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", report.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&experiment::diagnose::summary::summary(&report, &folder)),
    }
}

fn reproduce(arguments: &Reproduce) -> Result<()> {
    if let Some(flag) = arguments.shared.overrides.first() {
        return Err(Error::invalid("--set", flag, "a table of the paper has no keys to set", "leave it out"));
    }
    let (table, folder) = experiment::reproduce::run_reproduce(&arguments.name, &arguments.shared.options())?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", experiment::reproduce::to_json(&table)?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&experiment::reproduce::summary(&table, &folder)),
    }
}

fn landscape(arguments: Solve) -> Result<()> {
    let options = arguments.shared.options();
    stop_at_interrupt(options.stop.clone())?;
    let mut progress = Progress::new(arguments.shared.voice.quiet || arguments.shared.voice.json);
    let draw = |section: &StoredLandscape, report: &LandscapeReport, folder: &Path| {
        porewalk::plot::draw_landscape(section, report, folder).map(drop)
    };
    let result = experiment::landscape::run_landscape(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let (report, folder) = result?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", report.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&experiment::landscape_summary::summary(&report, &folder)),
    }
}

/// Ctrl-C asks the run to stop; a second one does not wait for it.
fn stop_at_interrupt(stop: StopFlag) -> Result<()> {
    let handler = move || {
        if stop.is_set() {
            std::process::exit(1);
        }
        stop.set();
    };
    ctrlc::set_handler(handler).map_err(|error| Error::io("watch for", "Ctrl-C", io::Error::other(error)))
}

fn solve(arguments: Solve) -> Result<()> {
    let options = arguments.shared.options();
    let mut progress = Progress::new(arguments.shared.voice.quiet || arguments.shared.voice.json);
    let result = experiment::run_solve(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let summary = result?;
    match arguments.shared.voice {
        Voice { json: true, .. } => say(&format!("{}\n", summary.json()?)),
        Voice { quiet: true, .. } => Ok(()),
        Voice { verbose, .. } => say(&summary.text(if verbose { Detail::Full } else { Detail::Short })),
    }
}

/// Draws the figures of a solve into `folder`.
fn draw(solution: &StoredSolution, report: &Report, folder: &Path) -> Result<()> {
    porewalk::plot::draw(solution, report, folder).map(drop)
}

fn plot(arguments: &Plot) -> Result<()> {
    let (folder, voice) = (&arguments.folder, &arguments.voice);
    if let Ok(study) = Convergence::read(folder) {
        let names = porewalk::plot::draw_convergence(&study, folder)?;
        return redrawn(&study.title, folder, &names, voice, || study.to_json());
    }
    match experiment::command_of(folder)?.as_deref() {
        Some("diagnose") => {
            let report = DiagnosisReport::read(folder)?;
            let names = porewalk::plot::draw_diagnosis(&report, folder)?;
            redrawn(&report.title, folder, &names, voice, || report.to_json())
        }
        Some("llc") => {
            let report = LlcReport::read(folder)?;
            let names = porewalk::plot::draw_llc(&StoredTraces::read(folder)?, &report, folder)?;
            redrawn(&report.title, folder, &names, voice, || report.to_json())
        }
        Some("landscape") => {
            let report = LandscapeReport::read(folder)?;
            let names = porewalk::plot::draw_landscape(&StoredLandscape::read(folder)?, &report, folder)?;
            redrawn(&report.title, folder, &names, voice, || report.to_json())
        }
        Some("reproduce") => {
            Err(Error::invalid("FOLDER", folder.display(), "it holds a table, which has no figures", "read table1.csv"))
        }
        _ => {
            let report = Report::read(folder)?;
            let solution = StoredSolution::read(&folder.join(SOLUTION_FILE))?;
            let names = porewalk::plot::draw(&solution, &report, folder)?;
            redrawn(&report.title, folder, &names, voice, || report.to_json())
        }
    }
}

/// Says which figures were drawn again, or prints the report where that is asked for.
fn redrawn(
    title: &str,
    folder: &Path,
    names: &[&str],
    voice: &Voice,
    json: impl FnOnce() -> Result<String>,
) -> Result<()> {
    match voice {
        Voice { json: true, .. } => say(&format!("{}\n", json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&format!("{title}\n  written    {}: {} (.svg, .png)\n", folder.display(), names.join(", "))),
    }
}

/// Writes to standard output; a reader that has gone away (`| head`) is no error.
fn say(text: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("write", "standard output", error)),
        _ => Ok(()),
    }
}

/// Writes an error to standard error, the word in colour on a terminal that wants it.
fn complain(error: &Error) {
    let wants_colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let word = if wants_colour { "\u{1b}[1;31merror\u{1b}[0m:" } else { "error:" };
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "{word} {error}");
}
