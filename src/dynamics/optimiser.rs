//! What all optimisers share, and gradient descent with momentum.
//!
//! Formula:   g += c w; b = g in the first step, then b = μ b + g; w -= η b, or w -= η (g + μ b) by Nesterov
//! Assumes:   a gradient, of a batch or of all samples
//! Order:     1 in η, as an integrator of dw = -∇L ds
//! Cost:      one pass over the parameters
//! Fails when η k ≥ 2 (1 + μ) for a curvature k (Nesterov's limit is lower): the walker diverges
//! Reference: \[SutskeverMartensDahlHinton2013\], the rate η outside the average b as is customary in software
//!
//! Memory of SGD: vectors 0 = b when μ > 0.

use crate::error::{Error, Result};
use crate::landscape::{LANES, WalkerBlock};

use super::chains::Memory;

/// A rule that moves walkers along their gradients.
pub trait Optimiser: Send + Sync {
    /// Name in problem files and reports.
    fn name(&self) -> &'static str;

    /// Checks the settings against their ranges.
    ///
    /// # Errors
    /// Names the setting that is out of its range.
    fn check(&self) -> Result<()>;

    /// Moves all walkers of a block; `count` steps were done before, `rate` is the learning rate of this one.
    fn step(&self, count: u64, rate: f64, gradient: &WalkerBlock, walkers: &mut WalkerBlock, memory: &mut Memory);
}

/// Every optimiser with its customary settings.
pub fn all() -> Vec<Box<dyn Optimiser>> {
    vec![Box::new(Sgd::default()), Box::new(super::Adam::default()), Box::new(super::Rmsprop::default())]
}

/// The optimiser of a name with its customary settings.
pub fn by_name(name: &str) -> Option<Box<dyn Optimiser>> {
    all().into_iter().find(|optimiser| optimiser.name() == name)
}

/// Gradient descent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// μ, on \[0, 1); 0 for none.
    pub momentum: f64,
    /// Nesterov's form; needs momentum.
    pub nesterov: bool,
    /// c: half of it times |w|² joins the loss; at least 0.
    pub weight_decay: f64,
}

impl Optimiser for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn check(&self) -> Result<()> {
        check_decay("momentum", self.momentum)?;
        check_not_negative("weight_decay", self.weight_decay)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::invalid("nesterov", true, "needs momentum", "0.9 is customary"));
        }
        Ok(())
    }

    fn step(&self, _: u64, rate: f64, gradient: &WalkerBlock, walkers: &mut WalkerBlock, memory: &mut Memory) {
        let slopes = gradient.rows().iter();
        if self.momentum == 0.0 {
            for (row, slope) in walkers.rows_mut().iter_mut().zip(slopes) {
                for lane in 0..LANES {
                    row[lane] -= rate * (slope[lane] + self.weight_decay * row[lane]);
                }
            }
            return;
        }
        // An average that is kept at 0 before the first step begins with the first gradient itself.
        let averages = remembered(memory, 0, gradient.dimension()).rows_mut().iter_mut();
        let (own, averaged) = if self.nesterov { (1.0, self.momentum) } else { (0.0, 1.0) };
        for ((row, slope), average) in walkers.rows_mut().iter_mut().zip(slopes).zip(averages) {
            for lane in 0..LANES {
                let slope = slope[lane] + self.weight_decay * row[lane];
                average[lane] = self.momentum * average[lane] + slope;
                row[lane] -= rate * (own * slope + averaged * average[lane]);
            }
        }
    }
}

/// Vector `place` of a memory, zero when it is new; vectors are asked for in order.
pub(super) fn remembered(memory: &mut Memory, place: usize, dimension: usize) -> &mut WalkerBlock {
    if memory.vectors.len() == place {
        memory.vectors.push(WalkerBlock::zeros(dimension));
    }
    &mut memory.vectors[place]
}

/// Refuses what is not on [0, 1).
pub(super) fn check_decay(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(name, value, "must be at least 0 and below 1", "change it"))
}

/// Refuses what is negative or not finite.
pub(super) fn check_not_negative(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(name, value, "must be finite and at least 0", "change it"))
}
