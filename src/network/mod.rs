//! Networks as landscapes, and the data they are trained on (floor 2).

pub mod activation;
pub mod dataset;
pub mod loss;
pub mod mlp;
mod scalar;
pub mod sources;

pub use activation::Activation;
pub use dataset::{Dataset, Targets};
pub use loss::{EmpiricalLoss, Precision};
pub use mlp::{Mlp, ParameterArray};
pub use sources::TargetKind;
