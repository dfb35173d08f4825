//! The chains of an estimate: blocks over threads, with the traces that they leave.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::{Settings, block_count, sampler};
use crate::dynamics::{ChainBlock, Sampler, Target, energy_acceptance};
use crate::error::{Error, Result};
use crate::landscape::{LANES, Lanes, WalkerBlock};
use crate::propagator::Observer;

/// What chains left behind: one entry per chain, one number per draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Mean loss of the batch (of all samples when full) \[loss\].
    pub loss: Vec<Vec<f64>>,
    /// Distance from the point \[w\].
    pub distance: Vec<Vec<f64>>,
    /// Mean Metropolis acceptance probability per chain: of every step for samplers that use it, of a probe every few
    /// steps on all samples for the others.
    pub acceptance: Vec<f64>,
}

/// Probes of the acceptance in a run of a sampler that does not use it.
const PROBES: usize = 50;
/// Steps between two looks at the counter of finished ones.
const TOLD: u64 = 64;
/// Chains of the pilot run draw from streams that no other chain has.
const PILOT_CHAINS: u64 = 1 << 40;
/// Steps of the pilot run.
const PILOT_STEPS: u32 = 1500;
/// Acceptance that the pilot aims at: for Langevin steps with Metropolis' rule as a mean over their cycle, for leapfrog
/// trajectories, and one where steps without the rule are nearly right.
const AIMS: [(&str, f64); 2] = [("mala", 0.7), ("hmc", 0.8)];
// Half of the cycle's steps are far shorter and hardly ever refused: 0.985 on the cycle is 0.97 at its longest step.
const UNADJUSTED_AIM: f64 = 0.985;

/// Runs every sampler on `settings.chains` chains; all blocks of all samplers share the threads.
pub(super) fn run(
    target: &Target<'_>,
    samplers: &[(&dyn Sampler, f64)],
    settings: &Settings,
    observer: &mut dyn Observer,
) -> Result<Vec<Traces>> {
    let blocks = block_count(settings.chains);
    let jobs: Vec<(usize, u64)> = (0..samplers.len())
        .flat_map(|sampler| (0..blocks).map(move |block| (sampler, (block * LANES) as u64)))
        .collect();
    let total = (jobs.len() * (settings.burn_in + settings.draws)) as u64;
    let done = AtomicU64::new(0);
    let work = || -> Vec<Result<BlockTraces>> {
        jobs.par_iter()
            .map(|&(sampler, first_chain)| run_block(target, samplers[sampler], settings, first_chain, &done))
            .collect()
    };
    let finished = watched(settings.threads, &done, total, observer, work)?;
    let mut finished = finished.into_iter();
    samplers
        .iter()
        .map(|_| {
            let blocks = finished.by_ref().take(blocks).collect::<Result<Vec<_>>>()?;
            join(&blocks, settings.chains)
        })
        .collect()
}

/// Runs `work` on a pool of `threads` threads while this thread tells the observer how far it is.
fn watched<T: Send>(
    threads: NonZeroUsize,
    done: &AtomicU64,
    total: u64,
    observer: &mut dyn Observer,
    work: impl FnOnce() -> T + Send,
) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build()
        .map_err(|error| Error::io("start threads for", "the chains", std::io::Error::other(error)))?;
    let is_over = AtomicBool::new(false);
    let outcome = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let outcome = pool.install(work);
            is_over.store(true, Ordering::Release);
            outcome
        });
        let mut pause = Duration::from_millis(1);
        while !is_over.load(Ordering::Acquire) && !worker.is_finished() {
            thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(100));
            observer.progress(done.load(Ordering::Relaxed), total);
        }
        worker.join()
    });
    Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Traces of a block, draw by draw.
struct BlockTraces {
    loss: Vec<Lanes>,
    distance: Vec<Lanes>,
    acceptance: Lanes,
}

fn run_block(
    target: &Target<'_>,
    (sampler, step_size): (&dyn Sampler, f64),
    settings: &Settings,
    first_chain: u64,
    done: &AtomicU64,
) -> Result<BlockTraces> {
    let mut chains = ChainBlock::new(target.anchor, settings.seed, first_chain);
    let mut traces = BlockTraces {
        loss: Vec::with_capacity(settings.draws),
        distance: Vec::with_capacity(settings.draws),
        acceptance: [0.0; LANES],
    };
    let interval = (settings.draws / PROBES).max(1);
    let mut looks = 0;
    for step in 0..settings.burn_in + settings.draws {
        let draw = step.checked_sub(settings.burn_in);
        let is_probe = !sampler.is_exact() && draw.is_some_and(|draw| draw % interval == 0);
        let before = is_probe.then(|| chains.walkers.clone());
        // Samplers that do not judge their steps tell the loss of the point that they leave.
        let leaving = draw.filter(|_| !sampler.is_exact()).map(|_| distances(&chains.walkers, target.anchor));
        let outcome = sampler.step(target, &mut chains);
        if let Some(lane) = outcome.loss.iter().position(|loss| !loss.is_finite()) {
            return Err(diverged(first_chain + lane as u64, step, step_size));
        }
        if draw.is_some() {
            traces.loss.push(outcome.loss);
            traces.distance.push(leaving.unwrap_or_else(|| distances(&chains.walkers, target.anchor)));
            let acceptance = match &before {
                Some(before) => Some(energy_acceptance(target, before, &chains.walkers, step_size)),
                None => sampler.is_exact().then_some(outcome.acceptance),
            };
            if let Some(acceptance) = acceptance {
                looks += 1;
                traces.acceptance.iter_mut().zip(acceptance).for_each(|(sum, value)| *sum += value);
            }
        }
        if (step as u64 + 1).is_multiple_of(TOLD) {
            done.fetch_add(TOLD, Ordering::Relaxed);
        }
    }
    traces.acceptance.iter_mut().for_each(|sum| *sum /= f64::from(looks.max(1)));
    Ok(traces)
}

fn diverged(chain: u64, step: usize, step_size: f64) -> Error {
    Error::NotFinite {
        stage: format!("the loss of chain {chain} at step {step}: the step size {step_size:e} is too large"),
    }
}

/// |w - w*| of every walker.
fn distances(walkers: &WalkerBlock, anchor: &[f64]) -> Lanes {
    let mut squares = [0.0; LANES];
    for (row, anchor) in walkers.rows().iter().zip(anchor) {
        for (sum, value) in squares.iter_mut().zip(row) {
            *sum += (value - anchor) * (value - anchor);
        }
    }
    squares.map(f64::sqrt)
}

/// The first `chains` lanes of all blocks, chain by chain.
fn join(blocks: &[BlockTraces], chains: usize) -> Result<Traces> {
    let lanes = || (0..chains).map(|chain| (&blocks[chain / LANES], chain % LANES));
    let column = |rows: &[Lanes], lane: usize| rows.iter().map(|row| row[lane]).collect::<Vec<f64>>();
    Ok(Traces {
        loss: lanes().map(|(block, lane)| column(&block.loss, lane)).collect(),
        distance: lanes().map(|(block, lane)| column(&block.distance, lane)).collect(),
        acceptance: lanes().map(|(block, lane)| block.acceptance[lane]).collect(),
    })
}

/// A step size with the acceptance that suits the sampler, by stochastic approximation on one block of chains
/// \[RobbinsMonro1951\]: ln ε moves by the difference of acceptance and aim, less and less, and the second half is averaged.
pub(super) fn pilot(target: &Target<'_>, name: &str, largest_curvature: f64, seed: u64) -> Result<f64> {
    // Steps without Metropolis' rule are tuned by what the rule would say of the same Langevin step.
    let (judge, aim) = match AIMS.iter().find(|(judged, _)| *judged == name) {
        Some((name, aim)) => (*name, *aim),
        None => ("mala", UNADJUSTED_AIM),
    };
    let target = Target { batch_size: None, ..*target };
    let mut log_step = if largest_curvature > 0.0 { -largest_curvature.ln() } else { 0.01_f64.ln() };
    let mut chains = ChainBlock::new(target.anchor, seed, PILOT_CHAINS);
    let mut sum = 0.0;
    for step in 1..=PILOT_STEPS {
        let outcome = sampler(judge, log_step.exp())?.step(&target, &mut chains);
        let acceptance = outcome.acceptance.iter().sum::<f64>() / LANES as f64;
        log_step += 3.0 * (acceptance - aim) / f64::from(step).powf(0.6);
        if step > PILOT_STEPS / 2 {
            sum += log_step;
        }
    }
    let step_size = (sum / f64::from(PILOT_STEPS - PILOT_STEPS / 2)).exp();
    // What is learnt at the point need not hold on the way: no step is longer than the curvature there allows.
    let bound = if aim == UNADJUSTED_AIM && largest_curvature > 0.0 { 1.0 / largest_curvature } else { f64::INFINITY };
    Ok(step_size.min(bound))
}
