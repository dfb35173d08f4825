//! What blocks of chains leave behind while they run, and where it is kept for going on after a stop.

use crate::error::Result;
use crate::landscape::{LANES, Lanes};

use super::chains::ChainCheckpoint;

/// Which block of which run of a sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockName {
    /// Number of the estimate; 0 unless there are several.
    pub estimate: usize,
    /// Run of a sampler within the estimate.
    pub run: usize,
    /// Block within the run.
    pub block: usize,
}

/// Traces of a block, draw by draw, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainTraces {
    /// Step size that the chains have.
    pub step_size: f64,
    /// Loss of the point where they started.
    pub baseline: f64,
    /// Mean loss of the batch (of all samples when full) \[loss\].
    pub loss: Vec<Lanes>,
    /// Distance from the point \[w\].
    pub distance: Vec<Lanes>,
    /// Sums of acceptance probabilities.
    pub acceptance: Lanes,
    /// Numbers in each of these sums.
    pub looks: u32,
}

impl ChainTraces {
    /// Traces of chains that have not moved, with room for `draws`.
    pub fn new(step_size: f64, baseline: f64, draws: usize) -> Self {
        ChainTraces {
            step_size,
            baseline,
            loss: Vec::with_capacity(draws),
            distance: Vec::with_capacity(draws),
            acceptance: [0.0; LANES],
            looks: 0,
        }
    }
}

/// Keeps the states of blocks, each the newest only. A finished block is kept without its walkers and memory.
pub trait ChainStore: Sync {
    /// What is kept of a block.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    fn load(&self, name: BlockName) -> Result<Option<(ChainCheckpoint, ChainTraces)>>;

    /// Keeps a block in place of what was kept of it, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save(&self, name: BlockName, chains: &ChainCheckpoint, traces: &ChainTraces) -> Result<()>;
}

/// Keeps nothing.
impl ChainStore for () {
    fn load(&self, _: BlockName) -> Result<Option<(ChainCheckpoint, ChainTraces)>> {
        Ok(None)
    }

    fn save(&self, _: BlockName, _: &ChainCheckpoint, _: &ChainTraces) -> Result<()> {
        Ok(())
    }
}
