//! The one error type of the crate: what went wrong, where, the value, the rule and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// Result with the crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, sorted by what the caller can do about it.
///
/// Slice-length mistakes are programming errors and panic; they are listed under `# Panics`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A value breaks a rule. `name` is the key path in a problem file or the argument's name.
    Invalid {
        /// Key path (`dynamics.order`) or argument name.
        name: String,
        /// The offending value as the user wrote it.
        value: String,
        /// The rule that it breaks.
        rule: String,
        /// What to do about it.
        remedy: String,
    },
    /// An input file is wrong at a known place.
    Config {
        /// The file, or the command-line flag, that holds the mistake.
        origin: String,
        /// Line and column, both from 1; `None` when the whole file is meant.
        place: Option<(usize, usize)>,
        /// The offending line with a marker below it, possibly empty.
        excerpt: String,
        /// What is wrong, the rule and the remedy.
        message: String,
    },
    /// A feature that a file may name but that this version cannot run.
    NotAvailable {
        /// Key path.
        name: String,
        /// The requested value.
        value: String,
        /// What can be used instead.
        remedy: String,
    },
    /// A file is not what it should be (truncated, wrong shape, wrong type).
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file or folder could not be read or written.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The output folder holds results of something else.
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        holds: String,
    },
    /// The run would need more memory than allowed.
    TooLarge {
        /// What needs the memory.
        what: String,
        /// Bytes needed.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
        /// What to do about it.
        remedy: String,
    },
    /// A method that needs detailed balance met an operator with a circulating flux.
    NotReversible {
        /// Largest mismatch of the face log-ratios around a cycle (0 for a reversible operator).
        defect: f64,
        /// What to do about it.
        remedy: String,
    },
    /// A method does not suit the problem.
    DoesNotApply {
        /// The method.
        method: &'static str,
        /// What of the problem it cannot take.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// A method would return wrong digits because its basis is too badly conditioned.
    IllConditioned {
        /// The method.
        method: &'static str,
        /// Its estimated relative error.
        estimate: f64,
        /// The tolerance that was asked for.
        tolerance: f64,
        /// What to do about it.
        remedy: String,
    },
    /// A linear system could not be factorised.
    SingularOperator {
        /// Which system.
        what: String,
    },
    /// A computed value is not a finite number.
    NotFinite {
        /// Where in the computation.
        stage: String,
    },
    /// The run was asked to stop.
    Interrupted {
        /// The results folder that keeps what is done; `None` when nothing is kept.
        kept: Option<PathBuf>,
    },
    /// A method did not reach its tolerance.
    Unconverged {
        /// The method.
        method: &'static str,
        /// The error estimate that was reached.
        reached: f64,
        /// The tolerance that was asked for.
        wanted: f64,
        /// What to do about it.
        remedy: String,
    },
}

impl Error {
    /// An [`Error::Invalid`] from anything that prints.
    pub fn invalid(
        name: impl Into<String>,
        value: impl fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Error::Invalid { name: name.into(), value: value.to_string(), rule: rule.into(), remedy: remedy.into() }
    }

    /// An [`Error::NotAvailable`]; its message holds the words "not available in this version".
    pub fn not_available(name: impl Into<String>, value: impl fmt::Display, remedy: impl Into<String>) -> Self {
        Error::NotAvailable { name: name.into(), value: value.to_string(), remedy: remedy.into() }
    }

    /// An [`Error::Malformed`] file.
    pub fn malformed(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Error::Malformed { path: path.as_ref().to_path_buf(), problem: problem.into() }
    }

    /// An [`Error::Io`] with its path.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Error::Io { path: path.as_ref().to_path_buf(), action, source }
    }

    /// True when the input is at fault, false when the run failed.
    pub fn is_input(&self) -> bool {
        match self {
            Error::Invalid { .. }
            | Error::Config { .. }
            | Error::NotAvailable { .. }
            | Error::Malformed { .. }
            | Error::Occupied { .. }
            | Error::TooLarge { .. }
            | Error::NotReversible { .. }
            | Error::DoesNotApply { .. }
            | Error::IllConditioned { .. } => true,
            Error::Io { action, .. } => *action == "read",
            Error::SingularOperator { .. }
            | Error::NotFinite { .. }
            | Error::Interrupted { .. }
            | Error::Unconverged { .. } => false,
        }
    }

    /// Exit status of the command: 2 when the input is wrong, 1 when the run failed.
    pub fn exit_code(&self) -> u8 {
        if self.is_input() { 2 } else { 1 }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid { name, value, rule, remedy } => {
                write!(f, "{name} = {value}: {rule}")?;
                if !remedy.is_empty() {
                    write!(f, "; {remedy}")?;
                }
                Ok(())
            }
            Error::Config { origin, place, excerpt, message } => {
                write!(f, "{origin}")?;
                if let Some((line, column)) = place {
                    write!(f, ":{line}:{column}")?;
                }
                write!(f, ": {message}")?;
                if !excerpt.is_empty() {
                    write!(f, "\n{excerpt}")?;
                }
                Ok(())
            }
            Error::NotAvailable { name, value, remedy } => {
                write!(f, "{name} = {value} is not available in this version; {remedy}")
            }
            Error::Malformed { path, problem } => write!(f, "{}: {problem}", path.display()),
            Error::Io { path, action, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Error::Occupied { path, holds } => write!(
                f,
                "{} holds {holds}; nothing was changed: use --force to replace it or -o to write elsewhere",
                path.display()
            ),
            Error::TooLarge { what, bytes, limit, remedy } => write!(
                f,
                "{what} needs {:.3} GiB but {:.3} GiB are allowed; {remedy}",
                *bytes as f64 / GIBIBYTE,
                *limit as f64 / GIBIBYTE
            ),
            Error::NotReversible { defect, remedy } => write!(
                f,
                "the operator has no detailed balance (log-ratios around a cycle differ by {defect:.3e}, the rule is 0); {remedy}"
            ),
            Error::DoesNotApply { method, why, remedy } => write!(f, "{method} does not apply: {why}; {remedy}"),
            Error::IllConditioned { method, estimate, tolerance, remedy } => write!(
                f,
                "{method} would be wrong by about {estimate:.1e} (relative, tolerance {tolerance:.1e}) because its basis is ill conditioned; {remedy}"
            ),
            Error::SingularOperator { what } => write!(f, "{what} is singular to working precision"),
            Error::NotFinite { stage } => write!(f, "a value is not finite: {stage}"),
            Error::Interrupted { kept: Some(folder) } => {
                write!(f, "stopped; what is done is kept in {} and --resume goes on from there", folder.display())
            }
            Error::Interrupted { kept: None } => write!(f, "stopped; nothing was done yet that could be kept"),
            Error::Unconverged { method, reached, wanted, remedy } => {
                write!(f, "{method} did not converge: estimated error {reached:.1e}, tolerance {wanted:.1e}; {remedy}")
            }
        }
    }
}

const GIBIBYTE: f64 = (1u64 << 30) as f64;

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
