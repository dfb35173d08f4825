//! Networks as landscapes, and the data they are trained on (floor 2).

pub mod activation;
pub mod dataset;
mod filter;
pub mod lanes;
pub mod learning_coefficients;
pub mod linear;
pub mod loss;
pub mod mlp;
pub mod named;
pub mod one_hidden;
mod scalar;
pub mod sources;
mod true_map;

pub use activation::Activation;
pub use dataset::{Dataset, Targets};
pub use lanes::simd_path;
pub use learning_coefficients::LearningCoefficient;
pub use linear::DeepLinear;
pub use loss::{EmpiricalLoss, Precision};
pub use mlp::{Mlp, ParameterArray};
pub use named::NamedArray;
pub use one_hidden::OneHidden;
pub use sources::TargetKind;
pub use true_map::TrueMap;
