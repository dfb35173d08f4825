//! One table of a problem file, read key by key.
//!
//! The values are deserialised by serde one at a time and the tables are walked here: a derived reader would report a
//! value of the wrong type without its key, and a table with a `kind` without its place.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Source;
use crate::error::{Error, Result};
use crate::experiment::locate::Spot;
use crate::math::names::nearest;

/// A table of the file and the keys of it that have not been read yet.
pub struct Section<'a> {
    source: &'a Source,
    /// What the whole file is, with its article.
    file: &'static str,
    path: String,
    table: Table,
}

impl<'a> Section<'a> {
    /// The whole file; `file` says what it is, "a problem file".
    pub fn root(source: &'a Source, file: &'static str) -> Self {
        Section { source, file, path: String::new(), table: source.table().clone() }
    }

    /// Refuses every key that is not in `keys`.
    pub fn only(&self, keys: &[&str]) -> Result<()> {
        let Some((key, value)) = self.table.iter().find(|(key, _)| !keys.contains(&key.as_str())) else {
            return Ok(());
        };
        let place = if self.path.is_empty() { self.file.to_string() } else { format!("[{}]", self.path) };
        let suggestion =
            nearest(key, keys.iter().copied()).map_or(String::new(), |near| format!("did you mean {near}? "));
        let message = format!(
            "{} = {}: {key} is not a key of {place}; {suggestion}The keys are: {}",
            self.path_of(key),
            shown(value),
            keys.join(", ")
        );
        Err(self.source.fault(&self.path_of(key), Spot::Key, message))
    }

    /// A value that may be left out; `expected` completes "must be ...", `example` is a line that would be right.
    pub fn optional<T: DeserializeOwned>(&mut self, key: &str, expected: &str, example: &str) -> Result<Option<T>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => self.typed(key, value, expected, &format!("write {example}")).map(Some),
        }
    }

    /// A value that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, key: &str, expected: &str, example: &str) -> Result<T> {
        match self.optional(key, expected, example)? {
            Some(value) => Ok(value),
            None => Err(self.missing(key, &format!("it must be {expected}; add {example}"))),
        }
    }

    /// All keys that are left.
    pub fn remaining<T: DeserializeOwned>(&mut self, expected: &str, example: &str) -> Result<BTreeMap<String, T>> {
        let remedy = format!("give it {example}");
        std::mem::take(&mut self.table)
            .into_iter()
            .map(|(key, value)| self.typed(&key, value, expected, &remedy).map(|value| (key, value)))
            .collect()
    }

    /// A table that must be there; `content` says what belongs in it.
    pub fn table(&mut self, key: &str, content: &str) -> Result<Section<'a>> {
        match self.optional_table(key)? {
            Some(section) => Ok(section),
            None => Err(self.missing(key, &format!("{} needs this table; add [{key}] with {content}", self.file))),
        }
    }

    /// A table that may be left out.
    pub fn optional_table(&mut self, key: &str) -> Result<Option<Section<'a>>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Table(table)) => {
                Ok(Some(Section { source: self.source, file: self.file, path: self.path_of(key), table }))
            }
            Some(other) => {
                let rule = "must be a table";
                let remedy = format!("write [{key}] on a line of its own and its keys below");
                Err(self.source.locate(Error::invalid(self.path_of(key), shown(&other), rule, remedy)))
            }
        }
    }

    fn typed<T: DeserializeOwned>(&self, key: &str, value: Value, expected: &str, remedy: &str) -> Result<T> {
        let written = shown(&value);
        value.try_into().map_err(|_| {
            self.source.locate(Error::invalid(self.path_of(key), written, format!("must be {expected}"), remedy))
        })
    }

    fn missing(&self, key: &str, advice: &str) -> Error {
        let near = nearest(key, self.table.keys().map(String::as_str));
        let hint = near.map_or(String::new(), |near| format!(" (is {near} a misspelt {key}?)"));
        let path = self.path_of(key);
        self.source.fault(&path, Spot::Key, format!("{path} is missing{hint}: {advice}"))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }
}

/// A value as the file would write it, on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) => super::number(*number),
        Value::Table(table) => format!("{{ {} }}", table.keys().cloned().collect::<Vec<_>>().join(", ")),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
