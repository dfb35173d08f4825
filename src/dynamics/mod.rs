//! Walkers on landscapes: optimisers and samplers, written on blocks (floor 3).
//!
//! Samplers draw from a [`Target`], a tempered posterior tied to a point, and move [`ChainBlock`]s; a [`Training`] moves
//! [`TrainingBlock`]s by an [`Optimiser`]. Both leave plain data at a checkpoint and go on from it with the same bits.

pub mod adam;
mod batches;
pub mod chains;
pub mod hmc;
pub mod kept;
pub mod mala;
mod metropolis;
pub mod optimiser;
pub mod polish;
pub mod rmsprop;
pub mod rmsprop_sgld;
pub mod sampler;
pub mod schedule;
pub mod sgld;
pub mod sgnht;
pub mod target;
pub mod training;

pub use adam::Adam;
pub use chains::{ChainBlock, ChainCheckpoint, Memory};
pub use hmc::Hmc;
pub use kept::{BlockName, ChainStore, ChainTraces};
pub use mala::Mala;
pub use optimiser::{Optimiser, Sgd};
pub use rmsprop::Rmsprop;
pub use rmsprop_sgld::RmspropSgld;
pub use sampler::{Sampler, Step, energy_acceptance};
pub use schedule::{Decay, Schedule};
pub use sgld::Sgld;
pub use sgnht::Sgnht;
pub use target::Target;
pub use training::{Batches, Training, TrainingBlock};
