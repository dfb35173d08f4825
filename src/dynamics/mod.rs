//! Walkers on landscapes: optimisers and samplers, written on blocks (floor 3).

pub mod chains;
pub mod hmc;
pub mod mala;
mod metropolis;
pub mod rmsprop_sgld;
pub mod sampler;
pub mod sgld;
pub mod sgnht;
pub mod target;

pub use chains::{ChainBlock, ChainCheckpoint, Memory};
pub use hmc::Hmc;
pub use mala::Mala;
pub use rmsprop_sgld::RmspropSgld;
pub use sampler::{Sampler, Step, energy_acceptance};
pub use sgld::Sgld;
pub use sgnht::Sgnht;
pub use target::Target;
