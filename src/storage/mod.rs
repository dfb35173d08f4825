//! Results on disk: arrays, reports, folders written whole or not at all (floor 4).

pub mod chains;
pub mod convergence;
pub mod folder;
pub mod identity;
pub mod landscape;
pub mod llc;
pub mod report;
pub mod solution;
pub mod trajectory;

pub use chains::KeptChains;
pub use convergence::Convergence;
pub use folder::{Replacement, ResultFolder};
pub use identity::Identity;
pub use landscape::{LANDSCAPE_FILE, LandscapeReport, StoredLandscape};
pub use llc::{LlcReport, StoredTraces};
pub use report::{Observables, Report};
pub use solution::{SOLUTION_FILE, StoredSolution};
