//! Networks as landscapes, and the data they are trained on (floor 2).

pub mod dataset;

pub use dataset::{Dataset, Targets};
