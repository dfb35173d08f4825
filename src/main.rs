//! The command `porewalk`.

mod progress;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
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
    #[command(hide = true)]
    Diagnose(Later),
    #[command(hide = true)]
    Compare(Later),
    #[command(hide = true)]
    Reproduce(Later),
}

#[derive(Args)]
struct Solve {
    /// The problem file (for llc and landscape the run file)
    problem: PathBuf,
    /// Results folder [default: results/<stem of the problem file>]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Set a key over the file, as in --set dynamics.order=0.5; repeatable.
    /// Values are TOML, bare words are text; --set 'initial={kind="uniform"}' sets a whole table
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    overrides: Vec<String>,
    /// Replace other results in the results folder (those of the identical problem need no --force)
    #[arg(long)]
    force: bool,
    /// For llc and landscape: go on with a run that was stopped (Ctrl-C) and end with the same numbers.
    /// The other commands accept it and always start afresh
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
        Command::Diagnose(_) => Err(later("diagnose")),
        Command::Compare(_) => Err(later("compare")),
        Command::Reproduce(_) => Err(later("reproduce")),
    }
}

fn later(command: &str) -> Error {
    Error::not_available("command", command, "the commands are solve, converge, landscape, llc, plot and list")
}

impl Solve {
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
    let options = arguments.options();
    let mut progress = Progress::new(arguments.voice.quiet || arguments.voice.json);
    let draw = |study: &Convergence, folder: &Path| porewalk::plot::draw_convergence(study, folder).map(drop);
    let result = experiment::converge::run_converge(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let study = result?;
    match arguments.voice {
        Voice { json: true, .. } => say(&format!("{}\n", study.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => {
            let folder = options.output.unwrap_or_else(|| experiment::default_folder(&arguments.problem));
            say(&experiment::converge::table(&study, &folder))
        }
    }
}

fn llc(arguments: Solve) -> Result<()> {
    let options = arguments.options();
    stop_at_interrupt(options.stop.clone())?;
    let mut progress = Progress::new(arguments.voice.quiet || arguments.voice.json);
    let draw = |traces: &StoredTraces, report: &LlcReport, folder: &Path| {
        porewalk::plot::draw_llc(traces, report, folder).map(drop)
    };
    let result = experiment::llc::run_llc(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let (report, folder) = result?;
    match arguments.voice {
        Voice { json: true, .. } => say(&format!("{}\n", report.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&experiment::llc_summary::summary(&report, &folder)),
    }
}

fn landscape(arguments: Solve) -> Result<()> {
    let options = arguments.options();
    stop_at_interrupt(options.stop.clone())?;
    let mut progress = Progress::new(arguments.voice.quiet || arguments.voice.json);
    let draw = |section: &StoredLandscape, report: &LandscapeReport, folder: &Path| {
        porewalk::plot::draw_landscape(section, report, folder).map(drop)
    };
    let result = experiment::landscape::run_landscape(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let (report, folder) = result?;
    match arguments.voice {
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
    let options = arguments.options();
    let mut progress = Progress::new(arguments.voice.quiet || arguments.voice.json);
    let result = experiment::run_solve(&arguments.problem, &options, &draw, &mut progress);
    drop(progress);
    let summary = result?;
    match arguments.voice {
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
    let folder = &arguments.folder;
    if let Ok(study) = Convergence::read(folder) {
        let names = porewalk::plot::draw_convergence(&study, folder)?;
        return if arguments.voice.quiet {
            Ok(())
        } else {
            say(&format!("{}\n  written    {}: {} (.svg, .png)\n", study.title, folder.display(), names.join(", ")))
        };
    }
    if let Ok(report) = LlcReport::read(folder) {
        let names = porewalk::plot::draw_llc(&StoredTraces::read(folder)?, &report, folder)?;
        return if arguments.voice.quiet {
            Ok(())
        } else {
            say(&format!("{}\n  written    {}: {} (.svg, .png)\n", report.title, folder.display(), names.join(", ")))
        };
    }
    if let Ok(report) = LandscapeReport::read(folder) {
        let names = porewalk::plot::draw_landscape(&StoredLandscape::read(folder)?, &report, folder)?;
        return if arguments.voice.quiet {
            Ok(())
        } else {
            say(&format!("{}\n  written    {}: {} (.svg, .png)\n", report.title, folder.display(), names.join(", ")))
        };
    }
    let report = Report::read(folder)?;
    let solution = StoredSolution::read(&folder.join(SOLUTION_FILE))?;
    let names = porewalk::plot::draw(&solution, &report, folder)?;
    match arguments.voice {
        Voice { json: true, .. } => say(&format!("{}\n", report.to_json()?)),
        Voice { quiet: true, .. } => Ok(()),
        _ => say(&format!("{}\n  written    {}: {} (.svg, .png)\n", report.title, folder.display(), names.join(", "))),
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
