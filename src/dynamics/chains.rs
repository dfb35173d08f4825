//! Chains of a sampler, a block at a time, with all that is needed to leave them and go on later.
//!
//! Chain c draws its noise from stream ("noise", c) and its batches from stream ("batches", c) of the seed, whatever block
//! or lane it sits in and whatever thread moves it: the same seed gives the same bits.

use crate::landscape::{Batch, LANES, Lanes, WalkerBlock};
use crate::math::random::Stream;

use super::target::Target;

/// What a method keeps from one step to the next; its owner says what lies where. Empty before the first step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// One number per parameter and walker each.
    pub vectors: Vec<WalkerBlock>,
    /// One number per walker each.
    pub numbers: Vec<Lanes>,
}

impl Memory {
    /// True before the first step.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty() && self.numbers.is_empty()
    }
}

/// [`LANES`] chains of a sampler.
#[derive(Clone, Debug)]
pub struct ChainBlock {
    /// Where the chains are. Who moves them by hand calls [`ChainBlock::forget`].
    pub walkers: WalkerBlock,
    /// What the sampler remembers.
    pub memory: Memory,
    seed: u64,
    first_chain: u64,
    pub(super) steps: u64,
    pub(super) noise: [Stream; LANES],
    batches: [Stream; LANES],
    /// Gradients of the newest evaluation.
    pub(super) gradient: WalkerBlock,
    /// Room for a proposal.
    pub(super) proposal: WalkerBlock,
    draws: Vec<[u32; LANES]>,
}

/// Everything a block of chains needs to go on with the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainCheckpoint {
    /// The seed of all streams.
    pub seed: u64,
    /// Number of the chain in lane 0.
    pub first_chain: u64,
    /// Steps done.
    pub steps: u64,
    /// Where the chains are.
    pub walkers: WalkerBlock,
    /// Positions of the streams of noise.
    pub noise: [u128; LANES],
    /// Positions of the streams of batches.
    pub batches: [u128; LANES],
    /// What the sampler remembers.
    pub memory: Memory,
}

impl ChainBlock {
    /// Chains `first_chain`.. of a seed, all at `start` (length d).
    pub fn new(start: &[f64], seed: u64, first_chain: u64) -> Self {
        Self::from_walkers(WalkerBlock::at(start), seed, first_chain)
    }

    /// Chains `first_chain`.. of a seed, each at its own start.
    pub fn from_walkers(walkers: WalkerBlock, seed: u64, first_chain: u64) -> Self {
        let streams = |purpose: &str| std::array::from_fn(|lane| Stream::new(seed, purpose, first_chain + lane as u64));
        let room = WalkerBlock::zeros(walkers.dimension());
        ChainBlock {
            memory: Memory::default(),
            seed,
            first_chain,
            steps: 0,
            noise: streams("noise"),
            batches: streams("batches"),
            gradient: room.clone(),
            proposal: room,
            draws: Vec::new(),
            walkers,
        }
    }

    /// The seed of all streams.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of the chain in lane 0.
    pub fn first_chain(&self) -> u64 {
        self.first_chain
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Forgets what the sampler remembers, as before the first step; the streams go on.
    pub fn forget(&mut self) {
        self.memory = Memory::default();
    }

    /// All that is needed to go on later.
    pub fn checkpoint(&self) -> ChainCheckpoint {
        ChainCheckpoint {
            seed: self.seed,
            first_chain: self.first_chain,
            steps: self.steps,
            walkers: self.walkers.clone(),
            noise: std::array::from_fn(|lane| self.noise[lane].position()),
            batches: std::array::from_fn(|lane| self.batches[lane].position()),
            memory: self.memory.clone(),
        }
    }

    /// The chains as they were at a checkpoint.
    pub fn restore(checkpoint: ChainCheckpoint) -> Self {
        let ChainCheckpoint { seed, first_chain, steps, walkers, noise, batches, memory } = checkpoint;
        let mut block = Self::from_walkers(walkers, seed, first_chain);
        for lane in 0..LANES {
            block.noise[lane].go_to(noise[lane]);
            block.batches[lane].go_to(batches[lane]);
        }
        block.steps = steps;
        block.memory = memory;
        block
    }

    /// Losses at the walkers, of a batch of its own for every chain or of all samples, and the gradients of the energy U
    /// from these into `self.gradient`.
    ///
    /// Batches are drawn with replacement: the draws are independent, so that the variance of a batch's gradient is that
    /// of one sample divided by the batch size, at every size.
    pub(super) fn energy_gradient(&mut self, target: &Target<'_>) -> Lanes {
        let batch = match target.batch_size {
            None => Batch::Full,
            Some(size) => {
                // Checked by `Target::validate`.
                let count = target.landscape.sample_count() as u32;
                self.draws.resize(size, [0; LANES]);
                for (lane, stream) in self.batches.iter_mut().enumerate() {
                    self.draws.iter_mut().for_each(|draw| draw[lane] = stream.index(count));
                }
                Batch::Drawn(&self.draws)
            }
        };
        let losses = target.landscape.block_gradient(&self.walkers, batch, &mut self.gradient);
        target.energy_gradient(&self.walkers, &mut self.gradient);
        losses
    }
}

/// A standard normal number for every chain.
#[inline]
pub(super) fn normals(streams: &mut [Stream; LANES]) -> Lanes {
    let mut out = [0.0; LANES];
    for (value, stream) in out.iter_mut().zip(streams) {
        *value = stream.normal();
    }
    out
}
