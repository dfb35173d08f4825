//! Hamiltonian Monte Carlo: the judge on small problems.
//!
//! Formula:   p ~ N(0, I); l leapfrog steps of length h = √ε: p -= (h/2) ∇U, w += h p, p -= (h/2) ∇U; accepted with
//!            probability min(1, exp(U + p²/2 before - after)); l uniform on 1 ..= 2 m - 1
//! Assumes:   gradients of all samples
//! Order:     exact at every ε
//! Cost:      m full gradients per chain and step on average, d normal numbers
//! Fails when h² k ≥ 4 for a curvature k of U: every proposal is rejected; batches are refused
//! Reference: \[Neal2011\]; the number of steps varies so that no frequency of the target is in step with it (section 3.2)
//!
//! l depends on the seed and the number of the step only: all chains of a block take the same number of gradients, and
//! a chain does not depend on its neighbours. A path that ends out of the box is rejected.

use crate::error::{Error, Result};
use crate::landscape::{LANES, Lanes, WalkerBlock};
use crate::math::random::Stream;

use super::chains::{ChainBlock, normals};
use super::metropolis::{check_full_batch, choose, evaluate_proposals, evaluate_walkers};
use super::sampler::{Sampler, Step};
use super::sgld::check_step_size;
use super::target::Target;

/// Hamiltonian paths of random length with a Metropolis step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hmc {
    /// Square ε of the leapfrog step h, in \[w\]²: with one leapfrog step this is MALA with step size ε.
    pub step_size: f64,
    /// Mean number m of leapfrog steps, at least 1.
    pub leapfrog_steps: u32,
}

impl Hmc {
    /// Leapfrog steps of the next step of all chains with this seed.
    fn path_length(&self, chains: &ChainBlock) -> u32 {
        1 + Stream::new(chains.seed(), "path lengths", chains.steps).index(2 * self.leapfrog_steps - 1)
    }
}

impl Sampler for Hmc {
    fn name(&self) -> &'static str {
        "hmc"
    }

    fn check(&self, target: &Target<'_>) -> Result<()> {
        check_step_size(self.step_size)?;
        if self.leapfrog_steps == 0 || self.leapfrog_steps > 1 << 30 {
            let rule = "at least 1, at most 2^30";
            return Err(Error::invalid("leapfrog_steps", self.leapfrog_steps, rule, "10 is customary"));
        }
        check_full_batch("hmc", target)
    }

    fn step(&self, target: &Target<'_>, chains: &mut ChainBlock) -> Step {
        evaluate_walkers(target, chains);
        let length = self.path_length(chains);
        let time = self.step_size.sqrt();
        let mut momentum = WalkerBlock::zeros(chains.walkers.dimension());
        for row in momentum.rows_mut() {
            *row = normals(&mut chains.noise);
        }
        let before = kinetic_energy(&momentum);
        chains.proposal.rows_mut().copy_from_slice(chains.walkers.rows());
        kick(&mut momentum, &chains.memory.vectors[0], 0.5 * time);
        let mut ends = drift(target, chains, &momentum, time);
        for _ in 1..length {
            kick(&mut momentum, &chains.gradient, time);
            ends = drift(target, chains, &momentum, time);
        }
        kick(&mut momentum, &chains.gradient, 0.5 * time);
        let after = kinetic_energy(&momentum);
        let energy = chains.memory.numbers[1];
        let logs = std::array::from_fn(|lane| (energy[lane] - ends.1[lane]) + (before[lane] - after[lane]));
        choose(target, chains, ends, logs)
    }

    fn gradients_per_step(&self) -> f64 {
        f64::from(self.leapfrog_steps)
    }

    fn is_exact(&self) -> bool {
        true
    }
}

fn kinetic_energy(momentum: &WalkerBlock) -> Lanes {
    let mut sum = [0.0; LANES];
    for row in momentum.rows() {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += 0.5 * value * value;
        }
    }
    sum
}

fn kick(momentum: &mut WalkerBlock, gradient: &WalkerBlock, time: f64) {
    for (row, slope) in momentum.rows_mut().iter_mut().zip(gradient.rows()) {
        for (value, slope) in row.iter_mut().zip(slope) {
            *value -= time * slope;
        }
    }
}

/// Moves the proposals and evaluates them: losses, energies, and gradients into `chains.gradient`.
fn drift(target: &Target<'_>, chains: &mut ChainBlock, momentum: &WalkerBlock, time: f64) -> (Lanes, Lanes) {
    for (row, momentum) in chains.proposal.rows_mut().iter_mut().zip(momentum.rows()) {
        for (value, momentum) in row.iter_mut().zip(momentum) {
            *value += time * momentum;
        }
    }
    evaluate_proposals(target, chains)
}
