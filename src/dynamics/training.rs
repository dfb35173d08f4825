//! Training of an ensemble: many walkers, each with its own start and its own batches.
//!
//! Formula:   w(s + 1) = optimiser( w(s), gradient of the batch of step s, rate of step s )
//! Assumes:   nothing of the loss but its gradients
//! Cost:      one batch gradient and one optimiser step per walker and step; blocks of walkers are shared out to threads
//! Fails when a walker diverges: its numbers stay not finite, the others do not notice
//!
//! Walker c draws its batches from stream ("batches", c) of the seed: the same seed gives the same bits for any number of
//! threads and of other walkers. The last block is filled up with walkers that nobody reads.

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::landscape::{Batch, LANES, Lanes, Sampled, WalkerBlock};
use crate::math::random::Stream;

use super::batches::BatchSource;
use super::chains::Memory;
use super::optimiser::Optimiser;
use super::schedule::Schedule;

pub use super::batches::Batches;

/// How an ensemble is trained.
#[derive(Clone, Copy)]
pub struct Training<'a> {
    /// The loss and its samples.
    pub landscape: &'a dyn Sampled,
    /// The rule of a step.
    pub optimiser: &'a dyn Optimiser,
    /// The learning rate of every step.
    pub schedule: Schedule,
    /// Steps of every walker, counted from its start.
    pub steps: u64,
    /// Samples of every step.
    pub batches: Batches,
    /// Seed of the streams of batches.
    pub seed: u64,
    /// Threads; 0: as many as the machine has.
    pub threads: usize,
}

/// [`LANES`] walkers in training: all that is needed to go on with the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingBlock {
    /// Number of the walker in lane 0.
    pub first_walker: u64,
    /// Lanes that count; the others fill the block up.
    pub lane_count: usize,
    /// Steps done.
    pub step: u64,
    /// Where the walkers are.
    pub walkers: WalkerBlock,
    /// What the optimiser remembers.
    pub memory: Memory,
    /// Positions of the streams of batches; with epochs, where the epoch of the next batch began.
    pub batches: [u128; LANES],
}

impl TrainingBlock {
    /// Blocks of walkers `first_walker`.. at their starts (length d each), before the first step.
    pub fn all(starts: &[Vec<f64>], first_walker: u64) -> Vec<TrainingBlock> {
        let blocks = starts.chunks(LANES).enumerate().map(|(block, starts)| {
            let mut walkers = WalkerBlock::at(&starts[0]);
            starts.iter().enumerate().for_each(|(lane, start)| walkers.write(lane, start));
            TrainingBlock {
                first_walker: first_walker + (block * LANES) as u64,
                lane_count: starts.len(),
                step: 0,
                walkers,
                memory: Memory::default(),
                batches: [0; LANES],
            }
        });
        blocks.collect()
    }
}

impl Training<'_> {
    /// Checks the settings against their ranges.
    ///
    /// # Errors
    /// Names the setting that is out of its range.
    pub fn check(&self) -> Result<()> {
        self.optimiser.check()?;
        self.schedule.check()?;
        let samples = self.landscape.sample_count();
        if samples == 0 || u32::try_from(samples).is_err() {
            let rule = "between 1 and 2^32 - 1 samples";
            return Err(Error::invalid("sample_count", samples, rule, "change the data"));
        }
        match self.batches {
            Batches::Draws(0) | Batches::Epochs(0) => {
                Err(Error::invalid("batch_size", 0, "must be at least 1", "32 is customary"))
            }
            Batches::Epochs(size) if size > samples => Err(Error::invalid(
                "batch_size",
                size,
                format!("an epoch has {samples} samples"),
                "take a smaller batch, or draws with replacement",
            )),
            _ => Ok(()),
        }
    }

    /// Trains every block up to step `steps` and returns the loss of every walker over all samples, in the order of the
    /// blocks.
    ///
    /// `checkpoint` receives every block at the steps named in `at` that it goes through: 0 for the start (only of blocks
    /// that have done no step), `steps` for the end. Blocks come from several threads, each in the order of its steps.
    /// A block kept there and given to `run` later goes on with the same bits.
    ///
    /// # Errors
    /// What [`Training::check`] finds; a start of the wrong length; the first error of `checkpoint`; threads that could not
    /// be started.
    pub fn run(
        &self,
        blocks: &mut [TrainingBlock],
        at: &[u64],
        checkpoint: &(dyn Fn(&TrainingBlock) -> Result<()> + Sync),
    ) -> Result<Vec<f64>> {
        self.check()?;
        let dimension = self.landscape.dimension();
        if let Some(block) = blocks.iter().find(|block| block.walkers.dimension() != dimension) {
            return Err(Error::invalid(
                "starts",
                format!("{} numbers at walker {}", block.walkers.dimension(), block.first_walker),
                format!("the landscape has {dimension} parameters"),
                "give one number per parameter",
            ));
        }
        let pool = ThreadPoolBuilder::new().num_threads(self.threads).build().map_err(|error| {
            Error::invalid("threads", self.threads, format!("they could not be started: {error}"), "ask for fewer")
        })?;
        let one = |block: &mut TrainingBlock| self.run_block(block, at, checkpoint);
        let losses: Vec<(Lanes, usize)> =
            pool.install(|| blocks.par_iter_mut().with_max_len(1).map(one).collect::<Result<_>>())?;
        Ok(losses.iter().flat_map(|(losses, count)| &losses[..*count]).copied().collect())
    }

    fn run_block(
        &self,
        block: &mut TrainingBlock,
        at: &[u64],
        checkpoint: &(dyn Fn(&TrainingBlock) -> Result<()> + Sync),
    ) -> Result<(Lanes, usize)> {
        let streams = std::array::from_fn(|lane| {
            let mut stream = Stream::new(self.seed, "batches", block.first_walker + lane as u64);
            stream.go_to(block.batches[lane]);
            stream
        });
        let samples = self.landscape.sample_count();
        let mut source = BatchSource::new(self.batches, samples as u32, streams, block.step);
        let mut gradient = WalkerBlock::zeros(block.walkers.dimension());
        if block.step == 0 && at.contains(&0) {
            checkpoint(block)?;
        }
        while block.step < self.steps {
            let batch = source.next_batch().map_or(Batch::Full, Batch::Drawn);
            self.landscape.block_gradient(&block.walkers, batch, &mut gradient);
            let rate = self.schedule.rate(block.step);
            self.optimiser.step(block.step, rate, &gradient, &mut block.walkers, &mut block.memory);
            block.step += 1;
            if at.contains(&block.step) {
                block.batches = source.positions();
                checkpoint(block)?;
            }
        }
        block.batches = source.positions();
        Ok((self.landscape.block_loss(&block.walkers), block.lane_count))
    }
}
