//! Walkers on landscapes: optimisers and samplers, written on blocks (floor 3).

pub mod chains;
pub mod sampler;
pub mod sgld;
pub mod target;

pub use chains::{ChainBlock, ChainCheckpoint, Memory};
pub use sampler::{Sampler, Step, energy_acceptance};
pub use sgld::Sgld;
pub use target::Target;
