//! The text of a problem file with the overrides of the command line, and where a mistake in them stands.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::Table;

use super::Override;
use crate::error::{Error, Result};
use crate::experiment::locate::{self, Spot};

/// A problem file is text written by people; more than this is some other file \[bytes\].
const MAXIMUM_BYTES: u64 = 16 << 20;

/// A problem file and the flags that change it.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    text: String,
    overrides: Vec<Override>,
    table: Table,
}

impl Source {
    /// Reads `path` and applies the `--set` flags in their order.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or a flag is not an assignment.
    pub fn read(path: &Path, flags: &[String]) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
        let mut bytes = Vec::new();
        file.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes).map_err(|source| Error::io("read", path, source))?;
        if bytes.len() as u64 > MAXIMUM_BYTES {
            return Err(Error::malformed(path, format!("a problem file has at most {MAXIMUM_BYTES} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let message = "the file is not text in UTF-8; save it as UTF-8".to_string();
            locate::at(path.display().to_string(), &valid, Some(valid.len()..valid.len()), message)
        })?;
        Self::from_text(path, text, flags)
    }

    /// The same from a text; `path` is used in messages and to find other files.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn from_text(path: &Path, text: String, flags: &[String]) -> Result<Self> {
        let mut table = text.parse::<Table>().map_err(|error| {
            let message = format!("not valid TOML: {}", error.message());
            locate::at(path.display().to_string(), &text, error.span(), message)
        })?;
        let overrides = flags.iter().map(|flag| Override::parse(flag)).collect::<Result<Vec<_>>>()?;
        for flag in &overrides {
            flag.apply(&mut table)?;
        }
        Ok(Source { path: path.to_path_buf(), text, overrides, table })
    }

    /// The values, overrides applied.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// File name without its extension.
    pub fn stem(&self) -> String {
        self.path.file_stem().map_or_else(|| "problem".to_string(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The folder of the problem file; other files are named relative to it.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Turns an error that names a key path into one that names its place; other errors pass unchanged.
    pub fn locate(&self, error: Error) -> Error {
        match &error {
            Error::Invalid { name, value, rule, remedy } => {
                let short = Error::invalid(name, locate::shortened(value), rule, remedy);
                self.fault(name, Spot::Value, short.to_string())
            }
            Error::NotAvailable { name, .. } => self.fault(name, Spot::Value, error.to_string()),
            _ => error,
        }
    }

    /// An [`Error::Config`] at a key path, in the file or in the flag that set it.
    pub(in crate::experiment) fn fault(&self, key_path: &str, spot: Spot, message: String) -> Error {
        let parts = locate::parts(key_path);
        let names: Vec<&str> = parts.iter().filter_map(locate::Part::name).collect();
        let agree = |flag: &Override| flag.path().iter().zip(&names).all(|(a, b)| a == b);
        let sets_it = |flag: &&Override| flag.path().len() <= names.len() && agree(flag);
        let span = locate::span_of(&self.text, &parts, spot);
        // A table that is not in the file was made by a flag that sets a key in it.
        let makes_it = |flag: &&Override| span.is_none() && flag.path().len() > names.len() && agree(flag);
        let flags = || self.overrides.iter().rev();
        if let Some(flag) = flags().find(sets_it).or_else(|| flags().find(makes_it)) {
            return Error::Config { origin: flag.flag(), place: None, excerpt: String::new(), message };
        }
        locate::at(self.path.display().to_string(), &self.text, span, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(flags: &[&str]) -> Source {
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_string()).collect();
        let text = "[dynamics]\norder = 1.5\n".to_string();
        Source::from_text(Path::new("a/b.toml"), text, &flags).unwrap()
    }

    #[test]
    fn an_error_of_the_file_names_line_and_column() {
        let error = source(&[]).locate(Error::invalid("dynamics.order", "1.5", "rule", "remedy"));
        assert!(error.to_string().starts_with("a/b.toml:2:9: dynamics.order = 1.5: rule; remedy\n"), "{error}");
    }

    #[test]
    fn an_error_of_a_flag_names_the_flag() {
        let error = source(&["dynamics.order=2"]).locate(Error::invalid("dynamics.order", "2", "rule", "remedy"));
        assert_eq!(error.to_string(), "--set dynamics.order=2: dynamics.order = 2: rule; remedy");
    }

    #[test]
    fn a_table_set_by_a_flag_answers_for_its_keys() {
        let error = source(&["dynamics={order=3}"]).locate(Error::invalid("dynamics.order", "3", "rule", ""));
        assert!(error.to_string().starts_with("--set dynamics={order=3}: "), "{error}");
    }

    #[test]
    fn other_errors_pass() {
        let error = source(&[]).locate(Error::NotFinite { stage: "here".into() });
        assert!(matches!(error, Error::NotFinite { .. }));
    }
}
