//! What samplers with a Metropolis step share: the evaluated point of every chain, and the choice between it and a proposal.
//!
//! Memory: vectors 0 = gradient of U at the walkers; numbers 0 = loss, 1 = energy U there. So a step costs gradients at new
//! points only.

use crate::error::{Error, Result};
use crate::landscape::{Batch, LANES, Lanes};

use super::chains::ChainBlock;
use super::sampler::{Step, probability};
use super::target::Target;

/// Refuses batches: the energy difference of a Metropolis step needs all samples.
pub(super) fn check_full_batch(method: &'static str, target: &Target<'_>) -> Result<()> {
    match target.batch_size {
        None => target.validate(),
        Some(size) => Err(Error::DoesNotApply {
            method,
            why: format!("batch_size = {size}, and its acceptance needs the loss of all samples"),
            remedy: "leave batch_size out, or take sgld".into(),
        }),
    }
}

/// Makes sure that the gradients, losses and energies at the walkers are known.
pub(super) fn evaluate_walkers(target: &Target<'_>, chains: &mut ChainBlock) {
    assert!(target.batch_size.is_none(), "the full batch");
    if chains.memory.is_empty() {
        let loss = chains.energy_gradient(target);
        let energy = target.energy(&chains.walkers, &loss);
        chains.memory.vectors.push(chains.gradient.clone());
        chains.memory.numbers.extend([loss, energy]);
    }
}

/// Losses and energies at the proposals; gradients of U there into `chains.gradient`.
pub(super) fn evaluate_proposals(target: &Target<'_>, chains: &mut ChainBlock) -> (Lanes, Lanes) {
    let loss = target.landscape.block_gradient(&chains.proposal, Batch::Full, &mut chains.gradient);
    target.energy_gradient(&chains.proposal, &mut chains.gradient);
    (loss, target.energy(&chains.proposal, &loss))
}

/// Moves every chain to its proposal with probability min(1, e^log), never out of the box.
pub(super) fn choose(
    target: &Target<'_>,
    chains: &mut ChainBlock,
    (loss, energy): (Lanes, Lanes),
    logs: Lanes,
) -> Step {
    let inside = target.contains(&chains.proposal);
    let acceptance: Lanes = std::array::from_fn(|lane| {
        // An infinite energy may come with logarithms of any kind.
        if inside[lane] && energy[lane].is_finite() { probability(logs[lane]) } else { 0.0 }
    });
    let mut moves = [false; LANES];
    for (lane, stream) in chains.noise.iter_mut().enumerate() {
        moves[lane] = stream.uniform() < acceptance[lane];
    }
    let pairs = [(&mut chains.walkers, &chains.proposal), (&mut chains.memory.vectors[0], &chains.gradient)];
    for (kept, new) in pairs {
        for (kept, new) in kept.rows_mut().iter_mut().zip(new.rows()) {
            for lane in 0..LANES {
                kept[lane] = if moves[lane] { new[lane] } else { kept[lane] };
            }
        }
    }
    for lane in (0..LANES).filter(|&lane| moves[lane]) {
        chains.memory.numbers[0][lane] = loss[lane];
        chains.memory.numbers[1][lane] = energy[lane];
    }
    chains.steps += 1;
    Step { loss: chains.memory.numbers[0], acceptance }
}
