//! Networks as landscapes, and the data they are trained on (floor 2).

pub mod dataset;
pub mod sources;

pub use dataset::{Dataset, Targets};
pub use sources::TargetKind;
