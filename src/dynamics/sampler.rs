//! What all samplers share: a step on a block of chains, and the probe of a step's error.

use crate::error::Result;
use crate::landscape::{Batch, LANES, Lanes, WalkerBlock};

use super::chains::ChainBlock;
use super::target::Target;

/// What a step tells of every chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Loss of the batch (of all samples when full) at a point of the trajectory: for unadjusted samplers the point from
    /// which the step was made, for Metropolis samplers the point after it.
    pub loss: Lanes,
    /// Metropolis acceptance probability of the step's proposal; 1 for unadjusted samplers.
    pub acceptance: Lanes,
}

/// A Markov chain that samples a [`Target`], many chains at a time.
///
/// All states are in the [`ChainBlock`]; a block belongs to one sampler and one target.
pub trait Sampler: Send + Sync {
    /// Name in problem files and reports.
    fn name(&self) -> &'static str;

    /// Checks that the sampler can sample the target; to be called once before the first step.
    ///
    /// # Errors
    /// What [`Target::validate`] finds; a step size out of its range; a sampler that needs the full batch and does not
    /// get it.
    fn check(&self, target: &Target<'_>) -> Result<()>;

    /// Moves every chain by one step.
    ///
    /// # Panics
    /// When [`Sampler::check`] would refuse the target's batch size, or dimensions differ.
    fn step(&self, target: &Target<'_>, chains: &mut ChainBlock) -> Step;

    /// Gradients per step (on average where the number varies).
    fn gradients_per_step(&self) -> f64;

    /// True when the target is the stationary law at any step size; otherwise the law has an error that vanishes with the
    /// step size.
    fn is_exact(&self) -> bool;
}

/// Metropolis acceptance probabilities of Langevin moves `from` -> `to` of step size ε, from energies and gradients of all
/// samples at both ends.
///
/// min(1, π(y) q(x|y) / (π(x) q(y|x))) with q(y|x) = N(x - (ε/2) ∇U(x), ε): the share of a Langevin step that is not
/// detailed balance, as it is without the noise of batches. Near 1 when the step is small enough. 0 for a move out of the
/// box or to a point without a finite energy. Costs two gradients of the full data: meant for every k-th step.
pub fn energy_acceptance(target: &Target<'_>, from: &WalkerBlock, to: &WalkerBlock, step_size: f64) -> Lanes {
    let ends = [from, to].map(|walkers| {
        let mut gradient = WalkerBlock::zeros(walkers.dimension());
        let loss = target.landscape.block_gradient(walkers, Batch::Full, &mut gradient);
        target.energy_gradient(walkers, &mut gradient);
        End { walkers, energy: target.energy(walkers, &loss), gradient }
    });
    let [from, to] = &ends;
    let inside = target.contains(to.walkers);
    let logs = langevin_log_ratio(
        (from.walkers, &from.gradient, &from.energy),
        (to.walkers, &to.gradient, &to.energy),
        step_size,
    );
    std::array::from_fn(|lane| if inside[lane] { probability(logs[lane]) } else { 0.0 })
}

struct End<'a> {
    walkers: &'a WalkerBlock,
    energy: Lanes,
    gradient: WalkerBlock,
}

/// ln( π(y) q(x|y) / (π(x) q(y|x)) ) of a Langevin move from x to y; points, gradients of U, energies U.
pub(super) fn langevin_log_ratio(
    (x, gradient_x, energy_x): (&WalkerBlock, &WalkerBlock, &Lanes),
    (y, gradient_y, energy_y): (&WalkerBlock, &WalkerBlock, &Lanes),
    step_size: f64,
) -> Lanes {
    // |y - x + ε/2 ∇U(x)|² - |x - y + ε/2 ∇U(y)|² = Σ ε (y - x)(∇U(x) + ∇U(y)) + ε²/4 (∇U(x)² - ∇U(y)²)
    let mut work = [0.0; LANES];
    let mut squares = [0.0; LANES];
    let rows = x.rows().iter().zip(y.rows()).zip(gradient_x.rows().iter().zip(gradient_y.rows()));
    for ((x, y), (slope_x, slope_y)) in rows {
        for lane in 0..LANES {
            let sum = slope_x[lane] + slope_y[lane];
            work[lane] += (y[lane] - x[lane]) * sum;
            squares[lane] += (slope_x[lane] - slope_y[lane]) * sum;
        }
    }
    std::array::from_fn(|lane| energy_x[lane] - energy_y[lane] + 0.5 * work[lane] + 0.125 * step_size * squares[lane])
}

/// min(1, e^log); 0 when the logarithm is not a number.
pub(super) fn probability(log: f64) -> f64 {
    if log >= 0.0 {
        1.0
    } else if log.is_nan() {
        0.0
    } else {
        log.exp()
    }
}

/// Every sampler at a step size ε: the square of the distance that noise moves a parameter in one step of the samplers
/// without momentum; the others take steps of √ε in time.
pub fn all(step_size: f64) -> Vec<Box<dyn Sampler>> {
    vec![
        Box::new(super::Sgld { step_size }),
        Box::new(super::Mala { step_size }),
        Box::new(super::Sgnht { step_size, friction: 0.1 }),
        Box::new(super::RmspropSgld::new(step_size)),
        Box::new(super::Hmc { step_size, leapfrog_steps: 10 }),
    ]
}

/// The sampler of a name at a step size.
pub fn by_name(name: &str, step_size: f64) -> Option<Box<dyn Sampler>> {
    all(step_size).into_iter().find(|sampler| sampler.name() == name)
}
