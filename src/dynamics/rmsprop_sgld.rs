//! Langevin dynamics with a diagonal preconditioner that is learnt first and then kept.
//!
//! Formula:   the first `adaptation` steps are those of SGLD and average V = decay V + (1 - decay) (∇U_B)², divided by
//!            1 - decay^steps; then for good
//!            G = (1 + δ) / (√V/m + δ), m² the mean of V over the parameters,
//!            w += -(ε/2) G ∇U_B + √(εG) N(0, I), then every parameter clamped to the box
//! Assumes:   ε G k < 4 for every curvature k of U
//! Order:     bias of the stationary law of order ε, as SGLD's with step size ε G for each parameter
//! Cost:      one batch gradient and d normal numbers per chain and step
//! Fails when the first steps do not see the curvatures where the chain stays later: slow, but the law stays right
//! Reference: \[LiChenCarlsonCarin2016\], RMSprop's average of \[TielemanHinton2012\]
//!
//! While G changes with w, the law needs the term Σ ∂G/∂w besides the drift; without it the samples are those of another
//! law, the more so the smaller δ. A constant G needs no such term. G is 1 where all gradients are alike and at most
//! (1 + δ)/δ: about the steps of SGLD at the same ε in stiff directions, longer ones in soft directions.
//!
//! Memory: vectors 0 = V without its correction, then G; numbers 0 = steps averaged.

use crate::error::{Error, Result};
use crate::landscape::{LANES, WalkerBlock};

use super::chains::{ChainBlock, normals};
use super::sampler::{Sampler, Step};
use super::sgld::check_step_size;
use super::target::Target;

/// SGLD with longer steps in soft directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmspropSgld {
    /// Step size ε in \[w\]².
    pub step_size: f64,
    /// Decay of the average of squared gradients, on \[0, 1).
    pub decay: f64,
    /// δ: part of the typical gradient below which a gradient counts as small, positive.
    pub stabilizer: f64,
    /// Steps of plain SGLD that the preconditioner is learnt from, at least 1; to be covered by the burn-in.
    pub adaptation: u32,
}

impl RmspropSgld {
    /// Learns for 200 steps with decay 0.99 and δ = 0.1.
    pub fn new(step_size: f64) -> Self {
        RmspropSgld { step_size, decay: 0.99, stabilizer: 0.1, adaptation: 200 }
    }

    /// One more gradient for the average; the last one makes the preconditioner of it.
    fn learn(&self, chains: &mut ChainBlock) {
        let [average] = &mut chains.memory.vectors[..] else { return };
        for (mean, slope) in average.rows_mut().iter_mut().zip(chains.gradient.rows()) {
            for lane in 0..LANES {
                mean[lane] = self.decay * mean[lane] + (1.0 - self.decay) * slope[lane] * slope[lane];
            }
        }
        let count = chains.memory.numbers[0][0] + 1.0;
        chains.memory.numbers[0] = [count; LANES];
        if count >= f64::from(self.adaptation) {
            let correction = 1.0 / (1.0 - self.decay.powf(count));
            average.rows_mut().iter_mut().flatten().for_each(|mean| *mean *= correction);
            self.precondition(average);
        }
    }

    /// G from V, in place.
    fn precondition(&self, average: &mut WalkerBlock) {
        let mut typical = [0.0; LANES];
        for row in average.rows() {
            for (sum, mean) in typical.iter_mut().zip(row) {
                *sum += mean;
            }
        }
        let dimension = average.dimension() as f64;
        typical.iter_mut().for_each(|sum| *sum = (*sum / dimension).sqrt());
        for row in average.rows_mut() {
            for (value, typical) in row.iter_mut().zip(&typical) {
                let relative = value.sqrt() / typical;
                // No gradient at all, or none that is a number: nothing to learn from.
                *value =
                    if relative.is_finite() { (1.0 + self.stabilizer) / (relative + self.stabilizer) } else { 1.0 };
            }
        }
    }
}

impl Sampler for RmspropSgld {
    fn name(&self) -> &'static str {
        "rmsprop-sgld"
    }

    fn check(&self, target: &Target<'_>) -> Result<()> {
        check_step_size(self.step_size)?;
        if !(0.0..1.0).contains(&self.decay) {
            return Err(Error::invalid("decay", self.decay, "must be at least 0 and below 1", "0.99 is customary"));
        }
        if !(self.stabilizer > 0.0 && self.stabilizer.is_finite()) {
            let rule = "must be positive and finite";
            return Err(Error::invalid("stabilizer", self.stabilizer, rule, "0.1 is customary"));
        }
        if self.adaptation == 0 {
            return Err(Error::invalid("adaptation", 0, "must be at least 1", "200 is customary"));
        }
        target.validate()
    }

    fn step(&self, target: &Target<'_>, chains: &mut ChainBlock) -> Step {
        let loss = chains.energy_gradient(target);
        if chains.memory.is_empty() {
            chains.memory.vectors.push(WalkerBlock::zeros(chains.walkers.dimension()));
            chains.memory.numbers.push([0.0; LANES]);
        }
        let (drift, spread) = (0.5 * self.step_size, self.step_size.sqrt());
        let is_learning = chains.memory.numbers[0][0] < f64::from(self.adaptation);
        let rows = chains.gradient.rows().iter().zip(chains.memory.vectors[0].rows());
        for (row, (slope, scale)) in chains.walkers.rows_mut().iter_mut().zip(rows) {
            let noise = normals(&mut chains.noise);
            for lane in 0..LANES {
                let scale = if is_learning { 1.0 } else { scale[lane] };
                row[lane] += spread * scale.sqrt() * noise[lane] - drift * scale * slope[lane];
            }
        }
        if is_learning {
            self.learn(chains);
        }
        target.clamp(&mut chains.walkers);
        chains.steps += 1;
        Step { loss, acceptance: [1.0; LANES] }
    }

    fn gradients_per_step(&self) -> f64 {
        1.0
    }

    fn is_exact(&self) -> bool {
        false
    }
}
