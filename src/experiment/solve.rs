//! From a checked problem to densities and a report.

use std::path::Path;

use super::Resources;
use super::check::Checked;
use crate::error::{Error, Result};
use crate::storage::{Report, StoredSolution};

/// Solves `problem`. `document` is its serialised form for the report.
///
/// # Errors
/// When an object of the problem cannot be built (with its key path) or the run fails.
pub fn run(
    problem: &Checked,
    _document: &serde_json::Value,
    _resources: &Resources,
) -> Result<(StoredSolution, Report)> {
    Err(Error::not_available("landscape.kind", format!("{:?}", problem.landscape()), "the solver is not joined yet"))
}

/// Writes the arrays of a solve to `path` in NumPy's format.
///
/// # Errors
/// When the place cannot be written.
pub fn store(_solution: &StoredSolution, path: &Path) -> Result<()> {
    Err(Error::not_available("solution", path.display(), "the solver is not joined yet"))
}
