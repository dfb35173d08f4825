//! Results on disk: arrays, reports, folders written whole or not at all (floor 4).

pub mod report;
pub mod solution;

pub use report::{Observables, Report};
pub use solution::StoredSolution;
