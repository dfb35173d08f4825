//! Results folders of runs that can be stopped: opened with what is kept, given up without losing it.

use std::path::Path;

use super::Options;
use crate::error::{Error, Result};
use crate::propagator::Observer;
use crate::storage::{Identity, ResultFolder};

/// The results folder, with what a stopped run has kept when that is asked for; says which of both it is.
///
/// # Errors
/// Those of [`ResultFolder::open`] and [`ResultFolder::resume`].
pub(super) fn open(
    place: &Path,
    identity: &Identity,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<ResultFolder> {
    if options.resume {
        if let Some(folder) = ResultFolder::resume(place, identity, options.replacement)? {
            observer.note(&format!("going on with what is kept in {}", place.display()));
            return Ok(folder);
        }
        observer.note(&format!("nothing is kept in {}: starting afresh", place.display()));
    }
    ResultFolder::open(place, identity, options.replacement)
}

/// Leaves the folder of a run that failed or was stopped, and gives the error to report.
///
/// A run that would fail again in the same way leaves nothing; any other can go on once its trouble is over.
pub(super) fn give_up(folder: ResultFolder, place: &Path, is_nothing_kept: bool, error: Error) -> Error {
    if is_nothing_kept || matches!(error, Error::NotFinite { .. }) {
        return error;
    }
    folder.keep();
    match error {
        Error::Interrupted { .. } => Error::Interrupted { kept: Some(place.to_path_buf()) },
        other => other,
    }
}
