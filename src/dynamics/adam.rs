//! Adam, and AdamW.
//!
//! Formula:   g += c w (Adam), or w -= η c w (AdamW, decoupled); m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²;
//!            w -= η m/(1 - β₁ⁿ) / ( √(v/(1 - β₂ⁿ)) + δ ) in step n = 1, 2, ..
//! Assumes:   a gradient, of a batch or of all samples
//! Order:     none: the limit of small η is no gradient flow
//! Cost:      one pass over the parameters, two numbers kept for each
//! Fails when δ is 0 and a gradient is exactly 0: 0/0, so δ must be positive
//! Reference: \[KingmaBa2015\]; decoupled decay \[LoshchilovHutter2019\]
//!
//! Memory: vectors 0 = m, 1 = v.

use crate::error::{Error, Result};
use crate::landscape::{LANES, WalkerBlock};

use super::chains::Memory;
use super::optimiser::{Optimiser, check_decay, check_not_negative, remembered};

/// Descent with averages of gradients and of their squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// β₁, on \[0, 1).
    pub mean_decay: f64,
    /// β₂, on \[0, 1).
    pub square_decay: f64,
    /// δ, positive.
    pub stabilizer: f64,
    /// c, at least 0.
    pub weight_decay: f64,
    /// Decay of the weights apart from the gradient, as in AdamW.
    pub decoupled: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { mean_decay: 0.9, square_decay: 0.999, stabilizer: 1e-8, weight_decay: 0.0, decoupled: false }
    }
}

impl Optimiser for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn check(&self) -> Result<()> {
        check_decay("mean_decay", self.mean_decay)?;
        check_decay("square_decay", self.square_decay)?;
        check_not_negative("weight_decay", self.weight_decay)?;
        check_stabilizer(self.stabilizer)
    }

    fn step(&self, count: u64, rate: f64, gradient: &WalkerBlock, walkers: &mut WalkerBlock, memory: &mut Memory) {
        let dimension = gradient.dimension();
        remembered(memory, 0, dimension);
        remembered(memory, 1, dimension);
        let [means, squares] = &mut memory.vectors[..] else { return };
        let n = (count + 1) as f64;
        let mean_rate = rate / (1.0 - self.mean_decay.powf(n));
        let square_scale = 1.0 / (1.0 - self.square_decay.powf(n)).sqrt();
        let coupled = if self.decoupled { 0.0 } else { self.weight_decay };
        let kept = if self.decoupled { 1.0 - rate * self.weight_decay } else { 1.0 };
        let memories = means.rows_mut().iter_mut().zip(squares.rows_mut());
        for ((row, slope), (mean, square)) in walkers.rows_mut().iter_mut().zip(gradient.rows()).zip(memories) {
            for lane in 0..LANES {
                let slope = slope[lane] + coupled * row[lane];
                mean[lane] = self.mean_decay * mean[lane] + (1.0 - self.mean_decay) * slope;
                square[lane] = self.square_decay * square[lane] + (1.0 - self.square_decay) * slope * slope;
                let size = square[lane].sqrt() * square_scale + self.stabilizer;
                row[lane] = kept * row[lane] - mean_rate * mean[lane] / size;
            }
        }
    }
}

/// Refuses a δ that is not positive and finite.
pub(super) fn check_stabilizer(value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::invalid("stabilizer", value, "must be positive and finite", "1e-8 is customary"))
}
