//! A diagnosis as `report.json` and `displacement.npz` hold it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::along::Along;
use crate::error::{Error, Result};
use crate::estimate::displacement::Dimensions;
use crate::estimate::displacement::{Curves, Diagnosis, Interval};
use crate::formats::npz;
use crate::storage::report::REPORT_FILE;

/// Name of the curves in a results folder.
pub const DISPLACEMENT_FILE: &str = "displacement.npz";

/// Everything about a diagnosis that is not a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiagnosisReport {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title: the name of the input.
    pub title: String,
    /// The command with everything that was asked for.
    pub problem: serde_json::Value,
    /// What was read, in words.
    pub source: String,
    /// Slope, walk dimension, Caputo order, phases, models, ergodicity.
    #[serde(flatten)]
    pub diagnosis: Diagnosis,
    /// Spectral dimension and D_ξ.
    #[serde(flatten)]
    pub dimensions: Dimensions,
    /// Where the learning coefficient came from; null without one.
    pub learning_coefficient_source: Option<String>,
    /// Whether d_s is at most the mean learning coefficient; null without one.
    pub bound: Option<Bound>,
    /// Shares of the variance of the points along the principal directions; empty where points are not known.
    pub explained_variance: Vec<f64>,
    /// Loss, learning coefficient and spectral dimension along the run; null unless they were asked for.
    pub along: Option<Along>,
    /// What was left out of the input, in sentences.
    pub remarks: Vec<String>,
    /// Seed of the bootstrap and of chains.
    pub seed: u64,
    /// Wall time by stage \[s\].
    pub wall_time: BTreeMap<String, f64>,
    /// References of the methods used (citation key: full reference).
    pub references: BTreeMap<String, String>,
    /// Names of the files written beside this report.
    #[serde(default)]
    pub files: Vec<String>,
}

/// The bound d_s <= mean λ over the run (paper), d_s <= q mean λ with q = 2 (length). As d_s is made of both, it says no more
/// than slope <= 1/2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// d_s over mean λ, with the interval of the slope.
    pub ratio: Interval,
    /// What the ratio is bounded by: 1 (paper) or 2 (length).
    pub limit: f64,
    /// The estimate keeps it.
    pub holds: bool,
    /// The whole interval keeps it; null when the interval has no upper end.
    pub holds_for_interval: Option<bool>,
    /// What that means, in a sentence.
    pub words: String,
}

impl DiagnosisReport {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the slope is not a number.
    pub fn to_json(&self) -> Result<String> {
        if !self.diagnosis.slope.value.is_finite() {
            return Err(Error::NotFinite { stage: "the slope of the displacement".into() });
        }
        let failed = |error| Error::NotFinite { stage: format!("the report of the diagnosis: {error}") };
        let mut report = serde_json::to_value(self).map_err(failed)?;
        // Curves are in the archive; a report of a million numbers is not read.
        if let Some(fields) = report.as_object_mut() {
            fields.remove("curves");
        }
        serde_json::to_string_pretty(&report).map_err(failed)
    }

    /// The report of a results folder, with its curves.
    ///
    /// # Errors
    /// When there is none, or its curves cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(REPORT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        let mut report: Self = serde_json::from_str(&text)
            .map_err(|error| Error::malformed(&path, format!("no report of a diagnosis: {error}")))?;
        report.diagnosis.curves = read_curves(&folder.join(DISPLACEMENT_FILE))?;
        Ok(report)
    }
}

/// Curves and what is known of the points, as an npz archive: `time`, `displacement`, `lag`, `time_averaged_msd`, where
/// points are known `step` (T), `squared_distance` (T, T) and `principal` (T, k), and along a run `learning_coefficient`,
/// its `_step` and `_error`.
///
/// # Errors
/// When the archive cannot be made.
pub fn to_npz(curves: &Curves, points: Option<&Points>, along: Option<&Along>) -> Result<Vec<u8>> {
    let shapes = [[curves.times.len()], [curves.lags.len()]];
    let mut arrays: Vec<(&str, &[usize], &[f64])> = vec![
        ("time", &shapes[0], &curves.times),
        ("displacement", &shapes[0], &curves.displacement),
        ("lag", &shapes[1], &curves.lags),
        ("time_averaged_msd", &shapes[1], &curves.time_averaged),
    ];
    let point_shapes = points.map(|points| {
        let count = points.steps.len();
        ([count], [count, count], [count, points.principal.len() / count.max(1)])
    });
    if let (Some(points), Some(shapes)) = (points, &point_shapes) {
        arrays.push(("step", &shapes.0, &points.steps));
        if !points.squared_distances.is_empty() {
            arrays.push(("squared_distance", &shapes.1, &points.squared_distances));
        }
        if !points.principal.is_empty() {
            arrays.push(("principal", &shapes.2, &points.principal));
        }
    }
    let columns = along.map(Along::columns);
    if let Some(columns) = &columns {
        for (name, shape, values) in columns {
            arrays.push((name, shape, values));
        }
    }
    npz::to_bytes(&arrays)
}

/// What is known of the points of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// Step of every point.
    pub steps: Vec<f64>,
    /// |w_i - w_j|², row after row; empty when there are too many points.
    pub squared_distances: Vec<f64>,
    /// Place along the principal directions, point after point.
    pub principal: Vec<f64>,
}

fn read_curves(path: &Path) -> Result<Curves> {
    let mut arrays = npz::read(path)?;
    let mut array = |name: &str| {
        let found = arrays.remove(name);
        found.map(|array| array.data).ok_or_else(|| Error::malformed(path, format!("it has no array {name}")))
    };
    Ok(Curves {
        times: array("time")?,
        displacement: array("displacement")?,
        lags: array("lag")?,
        time_averaged: array("time_averaged_msd")?,
    })
}
