//! The stochastic gradient Nosé-Hoover thermostat.
//!
//! Formula:   dw = p dt,  dp = -∇U dt - ξ p dt + √(2A) dW,  dξ = (p²/d - 1) dt, one ξ per chain; a step of length h = √ε:
//!            p -= h ∇U_B(w); w += (h/2) p; ξ += (h/2)(p²/d - 1);
//!            p = e^(-ξh) p + √(A (1 - e^(-2ξh))/ξ) N(0, I); ξ += (h/2)(p²/d - 1); w += (h/2) p
//! Assumes:   h² k < 4 for every curvature k of U; noise of batches about alike in all directions: ξ rises by h t² v/2 over
//!            its mean A and so takes away the heat of gradients of variance v
//! Order:     2 in h for the stationary law, without bias on quadratic U of the full batch but for a thermostat's own
//!            (measured in tests/samplers.rs)
//! Cost:      one batch gradient and d normal numbers per chain and step
//! Fails when the noise of batches differs much between directions: one ξ cannot fit them all
//! Reference: \[DingFangBabbushChenSkeelNeven2014\]; the order of the substeps is BADODAB of \[LeimkuhlerShang2016\], its
//!            two half kicks joined
//!
//! Memory: vectors 0 = momenta p; numbers 0 = ξ. A wall of the box stops a parameter and turns its momentum round.

use crate::error::{Error, Result};
use crate::landscape::{LANES, Lanes, WalkerBlock};

use super::chains::{ChainBlock, normals};
use super::sampler::{Sampler, Step};
use super::sgld::check_step_size;
use super::target::Target;

/// Underdamped steps whose friction adapts to the noise of batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgnht {
    /// Square ε of the step h, in \[w\]².
    pub step_size: f64,
    /// A h: friction per step that belongs to the injected noise, positive. Momenta last for about its inverse in steps.
    pub friction: f64,
}

impl Sampler for Sgnht {
    fn name(&self) -> &'static str {
        "sgnht"
    }

    fn check(&self, target: &Target<'_>) -> Result<()> {
        check_step_size(self.step_size)?;
        if !(self.friction > 0.0 && self.friction.is_finite()) {
            return Err(Error::invalid("friction", self.friction, "must be positive and finite", "0.1 is customary"));
        }
        target.validate()
    }

    fn step(&self, target: &Target<'_>, chains: &mut ChainBlock) -> Step {
        let time = self.step_size.sqrt();
        let injected = self.friction / time;
        let loss = chains.energy_gradient(target);
        if chains.memory.is_empty() {
            let mut momentum = WalkerBlock::zeros(chains.walkers.dimension());
            for row in momentum.rows_mut() {
                *row = normals(&mut chains.noise);
            }
            chains.memory.vectors.push(momentum);
            chains.memory.numbers.push([injected; LANES]);
        }
        let momenta = &mut chains.memory.vectors[0];
        let thermostat = &mut chains.memory.numbers[0];
        let mut squares = [0.0; LANES];
        for (momentum, slope) in momenta.rows_mut().iter_mut().zip(chains.gradient.rows()) {
            for lane in 0..LANES {
                momentum[lane] -= time * slope[lane];
                squares[lane] += momentum[lane] * momentum[lane];
            }
        }
        heat(thermostat, &squares, chains.walkers.dimension(), 0.5 * time);
        let kept: Lanes = thermostat.map(|friction| (-friction * time).exp());
        let spread: Lanes = thermostat.map(|friction| (injected * lasting_time(friction, time)).sqrt());
        squares = [0.0; LANES];
        for (row, momentum) in chains.walkers.rows_mut().iter_mut().zip(momenta.rows_mut()) {
            let noise = normals(&mut chains.noise);
            for lane in 0..LANES {
                let old = momentum[lane];
                let new = kept[lane] * old + spread[lane] * noise[lane];
                row[lane] += 0.5 * time * (old + new);
                squares[lane] += new * new;
                momentum[lane] = new;
            }
        }
        heat(thermostat, &squares, chains.walkers.dimension(), 0.5 * time);
        if let Some(radius) = target.box_radius {
            reflect(chains, target.anchor, radius);
        }
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

/// ξ += (p²/d - 1) time.
fn heat(thermostat: &mut Lanes, squares: &Lanes, dimension: usize, time: f64) {
    for (friction, square) in thermostat.iter_mut().zip(squares) {
        *friction += (square / dimension as f64 - 1.0) * time;
    }
}

/// (1 - e^(-2ξh))/ξ, which is 2h at ξ = 0 and positive for every ξ.
fn lasting_time(friction: f64, time: f64) -> f64 {
    if friction == 0.0 { 2.0 * time } else { -(-2.0 * friction * time).exp_m1() / friction }
}

fn reflect(chains: &mut ChainBlock, anchor: &[f64], radius: f64) {
    let momenta = chains.memory.vectors[0].rows_mut().iter_mut();
    for ((row, momentum), anchor) in chains.walkers.rows_mut().iter_mut().zip(momenta).zip(anchor) {
        for (value, momentum) in row.iter_mut().zip(momentum) {
            let inside = value.clamp(anchor - radius, anchor + radius);
            if inside != *value {
                *value = inside;
                *momentum = -*momentum;
            }
        }
    }
}
