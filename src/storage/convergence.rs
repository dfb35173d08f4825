//! The convergence study of a problem as `report.json` and `convergence.npz` hold it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::formats::npz;

/// Name of the arrays of a study in a results folder.
pub const CONVERGENCE_FILE: &str = "convergence.npz";

/// Observed orders in time and space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title of the problem.
    pub title: String,
    /// The command and the checked problem in full.
    pub problem: serde_json::Value,
    /// What the errors in time are measured against, in words.
    pub reference: String,
    /// Final time T \[t\].
    pub end: f64,
    /// One study per scheme; sizes are numbers of steps.
    pub time: Vec<Study>,
    /// The study of the cell size; sizes are cells along the first axis, errors the differences between a mesh and the
    /// next finer one.
    pub space: Study,
    /// Names of the files written beside this report.
    #[serde(default)]
    pub files: Vec<String>,
}

/// Errors of one method at several resolutions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The scheme or flux.
    pub name: String,
    /// Grading of the steps; 1 for uniform ones and for the study of space.
    pub grading: f64,
    /// Order that the theory promises.
    pub expected_order: f64,
    /// Coarsest first.
    pub levels: Vec<Level>,
    /// What the numbers say, in words.
    pub verdict: String,
}

/// One resolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Steps, or cells along the first axis.
    pub size: u64,
    /// Relative error at T (discrete L1 norm).
    pub error_at_end: f64,
    /// Largest relative error over T/16, T/8, T/4, T/2, T.
    pub largest_error: f64,
    /// Observed order at T against the level before.
    pub order: Option<f64>,
    /// Wall time \[s\].
    pub seconds: f64,
    /// Bytes of history or basis.
    pub bytes: u64,
}

impl Study {
    /// Order at T between the two finest levels.
    pub fn observed_order(&self) -> Option<f64> {
        self.levels.last().and_then(|level| level.order)
    }
}

impl Convergence {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::NotFinite { stage: format!("the convergence report: {error}") })
    }

    /// Sizes and errors as arrays `NAME_size`, `NAME_error_at_end`, `NAME_largest_error`, one triple per study.
    ///
    /// # Errors
    /// When the archive cannot be made.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let mut arrays: Vec<(String, Vec<f64>)> = Vec::new();
        for study in self.time.iter().chain([&self.space]) {
            let column = |pick: fn(&Level) -> f64| study.levels.iter().map(pick).collect::<Vec<f64>>();
            arrays.push((format!("{}_size", study.name), column(|level| level.size as f64)));
            arrays.push((format!("{}_error_at_end", study.name), column(|level| level.error_at_end)));
            arrays.push((format!("{}_largest_error", study.name), column(|level| level.largest_error)));
        }
        let shapes: Vec<[usize; 1]> = arrays.iter().map(|(_, values)| [values.len()]).collect();
        let borrowed: Vec<(&str, &[usize], &[f64])> = arrays
            .iter()
            .zip(&shapes)
            .map(|((name, values), shape)| (name.as_str(), &shape[..], &values[..]))
            .collect();
        npz::to_bytes(&borrowed)
    }

    /// The study of a results folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(super::report::REPORT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::malformed(&path, format!("no report of a convergence study: {error}")))
    }
}
