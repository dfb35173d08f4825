//! Stochastic gradient Langevin dynamics.
//!
//! Formula:   w += -(ε/2) ( t ∇L_B + g (w - w*) ) + √ε N(0, I), then every parameter clamped to the box
//! Assumes:   ε k < 4 for every curvature k of U; batches drawn with replacement, anew in every step
//! Order:     bias of the stationary law of order ε: on a parameter of curvature k the variance is
//!            (1 + ε t² v/4) / (k (1 - ε k/4)), v the variance of a batch's gradient
//! Cost:      one batch gradient and d normal numbers per chain and step
//! Fails when ε k ≥ 4: the chain diverges; long before, the acceptance of [`super::energy_acceptance`] falls
//! Reference: \[WellingTeh2011\], with the localisation of \[LauMurfetWei2023\]

use crate::error::{Error, Result};
use crate::landscape::LANES;

use super::chains::{ChainBlock, normals};
use super::sampler::{Sampler, Step};
use super::target::Target;

/// Unadjusted Langevin steps with gradients of batches. Remembers nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgld {
    /// Step size ε in \[w\]².
    pub step_size: f64,
}

impl Sampler for Sgld {
    fn name(&self) -> &'static str {
        "sgld"
    }

    fn check(&self, target: &Target<'_>) -> Result<()> {
        check_step_size(self.step_size)?;
        target.validate()
    }

    fn step(&self, target: &Target<'_>, chains: &mut ChainBlock) -> Step {
        let loss = chains.energy_gradient(target);
        let (drift, spread) = (0.5 * self.step_size, self.step_size.sqrt());
        for (row, slope) in chains.walkers.rows_mut().iter_mut().zip(chains.gradient.rows()) {
            let noise = normals(&mut chains.noise);
            for lane in 0..LANES {
                row[lane] += spread * noise[lane] - drift * slope[lane];
            }
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

/// Refuses a step size that is not positive and finite.
pub(super) fn check_step_size(step_size: f64) -> Result<()> {
    if step_size > 0.0 && step_size.is_finite() {
        return Ok(());
    }
    Err(Error::invalid("step_size", step_size, "must be positive and finite", "1e-4 to 1e-3 is customary"))
}
