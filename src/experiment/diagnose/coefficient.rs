//! The learning coefficient that a diagnosis is given: a number, a file, a results folder, or a column of its own input.

use std::path::Path;

use super::along::time_mean;
use crate::error::{Error, Result};
use crate::estimate::displacement::Interval;
use crate::formats::{npz, table};
use crate::storage::LlcReport;

/// A learning coefficient with its interval, and where it is from in words.
pub(super) type Coefficient = (Interval, String);

/// 97.5 % quantile of the normal law.
const TWO_SIDED: f64 = 1.959_963_984_540_054;

const ADVICE: &str =
    "give a positive number, a results folder of `porewalk llc`, or a CSV or npz file of (t, lambda[, error])";

/// What `--lambda` says.
///
/// # Errors
/// When it is no positive number and no readable file.
pub(super) fn given(text: &str) -> Result<Coefficient> {
    if let Ok(value) = text.parse::<f64>() {
        if value > 0.0 && value.is_finite() {
            return Ok((Interval::exact(value), "given as a number, without an error".into()));
        }
        return Err(Error::invalid("--lambda", text, "a learning coefficient is a positive number", ADVICE));
    }
    let path = Path::new(text);
    if !path.exists() {
        return Err(Error::invalid("--lambda", format!("{text:?}"), "is no number and no file", ADVICE));
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if path.is_dir() || extension == "json" {
        let report = if path.is_dir() { LlcReport::read(path)? } else { from_json(path)? };
        let half = TWO_SIDED * report.llc.mcse;
        let interval = Interval::new(report.llc.value, report.llc.value - half, report.llc.value + half);
        return positive(interval, format!("from {text}, verdict: {}", report.llc.verdict));
    }
    let values = if extension == "npz" { from_npz(path)? } else { from_table(path)? };
    let has_errors = values.iter().any(|row| row.2 > 0.0);
    positive(mean(&values, has_errors), format!("mean over time of {} values in {text}", values.len()))
}

/// The mean over time of a column λ(t), without errors.
///
/// # Errors
/// When it is not positive.
pub(super) fn of_column(times: &[f64], values: &[f64]) -> Result<Coefficient> {
    let rows: Vec<(f64, f64, f64)> = times.iter().zip(values).map(|(time, value)| (*time, *value, 0.0)).collect();
    positive(mean(&rows, false), format!("mean over time of the {} values in the input, without an error", rows.len()))
}

fn mean(values: &[(f64, f64, f64)], has_errors: bool) -> Interval {
    let mean = time_mean(values);
    if has_errors { mean } else { Interval::unbounded(mean.value) }
}

fn positive(interval: Interval, source: String) -> Result<Coefficient> {
    if interval.value > 0.0 && interval.value.is_finite() {
        return Ok((interval, source));
    }
    let rule = "a mean learning coefficient is a positive number";
    Err(Error::invalid("lambda", interval.value, rule, "look at the verdicts of its estimates"))
}

fn from_json(path: &Path) -> Result<LlcReport> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::malformed(path, format!("no report of a learning coefficient: {error}")))
}

fn from_table(path: &Path) -> Result<Vec<(f64, f64, f64)>> {
    let table = table::read(path)?;
    if !(2..=3).contains(&table.columns) {
        let problem = format!("it has {} columns; {ADVICE}", table.columns);
        return Err(Error::malformed(path, problem));
    }
    let rows = table.values.chunks_exact(table.columns);
    ordered(path, rows.map(|row| (row[0], row[1], row.get(2).copied().unwrap_or(0.0))).collect())
}

fn from_npz(path: &Path) -> Result<Vec<(f64, f64, f64)>> {
    let arrays = npz::read(path)?;
    let find = |names: &[&str]| names.iter().find_map(|name| arrays.get(*name));
    let time = find(&["learning_coefficient_step", "time", "step", "t"]);
    let value = find(&["learning_coefficient", "lambda", "llc"]);
    let (Some(time), Some(value)) = (time, value) else {
        return Err(Error::malformed(path, "it needs arrays time (or step) and learning_coefficient (or lambda)"));
    };
    let error = find(&["learning_coefficient_error", "error", "mcse"]);
    if time.data.len() != value.data.len() || error.is_some_and(|error| error.data.len() != value.data.len()) {
        return Err(Error::malformed(path, "time, learning_coefficient and its error have different lengths"));
    }
    let row = |place: usize| (time.data[place], value.data[place], error.map_or(0.0, |error| error.data[place]));
    // What this program writes says where it is a coefficient.
    let minimum = arrays.get("is_minimum").filter(|minimum| minimum.data.len() == value.data.len());
    let counts = |place: &usize| minimum.is_none_or(|minimum| minimum.data[*place] != 0.0);
    ordered(path, (0..value.data.len()).filter(counts).map(row).collect())
}

/// Rows with increasing times and finite numbers.
fn ordered(path: &Path, rows: Vec<(f64, f64, f64)>) -> Result<Vec<(f64, f64, f64)>> {
    let is_finite = |row: &(f64, f64, f64)| row.0.is_finite() && row.1.is_finite() && row.2 >= 0.0;
    if let Some(place) = rows.iter().position(|row| !is_finite(row)) {
        return Err(Error::malformed(path, format!("row {} holds a number that is not finite", place + 1)));
    }
    if rows.is_empty() || rows.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(Error::malformed(
            path,
            "the times of its learning coefficients must increase, and there must be one",
        ));
    }
    Ok(rows)
}
