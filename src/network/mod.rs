//! Networks as landscapes, and the data they are trained on (floor 2).

pub mod dataset;
pub mod learning_coefficients;
pub mod linear;
pub mod sources;
mod true_map;

pub use dataset::{Dataset, Targets};
pub use learning_coefficients::LearningCoefficient;
pub use linear::DeepLinear;
pub use sources::TargetKind;
pub use true_map::TrueMap;
