//! The chains of an estimate: blocks over threads, with the traces that they leave.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{Settings, Upkeep, block_count, sampler};
use crate::dynamics::{
    BlockName, ChainBlock, ChainCheckpoint, ChainTraces, Memory, Sampler, Target, energy_acceptance,
};
use crate::error::{Error, Result};
use crate::landscape::{LANES, Lanes, WalkerBlock};
use crate::propagator::{Observer, StopFlag};

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
/// Steps of a block after which it counts them as done.
const TOLD: usize = 64;
/// Time between two rounds of keeping what the chains have.
const ROUND: Duration = Duration::from_secs(5);
/// Chains of the pilot run draw from streams that no other chain has.
const PILOT_CHAINS: u64 = 1 << 40;
/// Steps of the pilot run.
const PILOT_STEPS: u32 = 1500;
/// Acceptance that the pilot aims at: for Langevin steps with Metropolis' rule as a mean over their cycle, for leapfrog
/// trajectories, and one where steps without the rule are nearly right.
const AIMS: [(&str, f64); 2] = [("mala", 0.7), ("hmc", 0.8)];
// Half of the cycle's steps are far shorter and hardly ever refused: 0.985 on the cycle is 0.97 at its longest step.
const UNADJUSTED_AIM: f64 = 0.985;

/// What all blocks of an estimate share.
pub(super) struct Shared<'a> {
    target: &'a Target<'a>,
    settings: &'a Settings,
    baseline: f64,
    upkeep: Upkeep<'a>,
    /// Steps done by all blocks.
    done: AtomicU64,
    /// Every change asks all blocks to keep what they have.
    rounds: AtomicU64,
}

impl<'a> Shared<'a> {
    /// `baseline`: the loss of the point.
    pub(super) fn new(target: &'a Target<'a>, settings: &'a Settings, baseline: f64, upkeep: Upkeep<'a>) -> Self {
        Shared { target, settings, baseline, upkeep, done: AtomicU64::new(0), rounds: AtomicU64::new(0) }
    }

    /// Steps of every chain.
    fn steps(&self) -> usize {
        self.settings.burn_in + self.settings.draws
    }

    /// What is kept of a block, if it belongs to these chains.
    fn kept(&self, name: BlockName, step_size: f64) -> Result<Option<(ChainCheckpoint, ChainTraces)>> {
        let Some((chains, traces)) = self.upkeep.store.load(name)? else { return Ok(None) };
        let refused = |why: String| {
            let remedy = "leave it out to start afresh".into();
            Err(Error::DoesNotApply { method: "--resume", why, remedy })
        };
        let bits = |traces: &ChainTraces| [traces.step_size, traces.baseline].map(f64::to_bits);
        if bits(&traces) != [step_size, self.baseline].map(f64::to_bits) {
            return refused(format!(
                "the data, the weights or the machine changed: step size {step_size:e} and loss {:e}, kept with {:e} and {:e}",
                self.baseline, traces.step_size, traces.baseline
            ));
        }
        let (steps, dimension) = (chains.steps as usize, chains.walkers.dimension());
        let draws = steps.saturating_sub(self.settings.burn_in);
        let is_right = (chains.seed, chains.first_chain) == (self.settings.seed, first_chain(name))
            && steps <= self.steps()
            && (traces.loss.len(), traces.distance.len()) == (draws, draws)
            && (steps == self.steps() || dimension == self.target.anchor.len());
        if is_right {
            Ok(Some((chains, traces)))
        } else {
            refused("the kept chains are those of other settings".into())
        }
    }
}

fn first_chain(name: BlockName) -> u64 {
    (name.block * LANES) as u64
}

/// Runs every sampler on `settings.chains` chains; all blocks of all samplers share the threads.
pub(super) fn run(
    shared: &Shared<'_>,
    samplers: &[(&dyn Sampler, f64)],
    observer: &mut dyn Observer,
) -> Result<Vec<Traces>> {
    let blocks = block_count(shared.settings.chains);
    let estimate = shared.upkeep.estimate;
    let jobs: Vec<BlockName> =
        (0..samplers.len()).flat_map(|run| (0..blocks).map(move |block| BlockName { estimate, run, block })).collect();
    for &name in &jobs {
        // Looked at once more when its turn comes: all blocks together may be large.
        let kept = shared.kept(name, samplers[name.run].1)?;
        shared.done.fetch_add(kept.map_or(0, |(chains, _)| chains.steps), Ordering::Relaxed);
    }
    let work = || -> Vec<Result<ChainTraces>> {
        jobs.par_iter().map(|&name| run_block(shared, samplers[name.run], name)).collect()
    };
    let finished = watched(shared, (jobs.len() * shared.steps()) as u64, observer, work)?;
    // Whether chains diverged, and which first, is known when all have come to their end.
    if finished.iter().any(|block| matches!(block, Err(Error::Interrupted { .. }))) {
        return Err(Error::Interrupted { kept: None });
    }
    let mut finished = finished.into_iter();
    samplers
        .iter()
        .map(|_| {
            let blocks = finished.by_ref().take(blocks).collect::<Result<Vec<_>>>()?;
            join(&blocks, shared.settings.chains)
        })
        .collect()
}

/// Runs `work` on a pool of threads while this thread tells the observer how far it is and has the chains kept.
fn watched<T: Send>(
    shared: &Shared<'_>,
    total: u64,
    observer: &mut dyn Observer,
    work: impl FnOnce() -> T + Send,
) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(shared.settings.threads.get())
        .build()
        .map_err(|error| Error::io("start threads for", "the chains", std::io::Error::other(error)))?;
    let is_over = AtomicBool::new(false);
    let watcher = thread::current();
    let outcome = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let outcome = pool.install(work);
            is_over.store(true, Ordering::Release);
            watcher.unpark();
            outcome
        });
        let mut pause = Duration::from_millis(1);
        let mut last_round = Instant::now();
        observer.progress(shared.done.load(Ordering::Relaxed), total);
        while !is_over.load(Ordering::Acquire) && !worker.is_finished() {
            // The worker ends the pause.
            thread::park_timeout(pause);
            pause = (2 * pause).min(Duration::from_millis(100));
            observer.progress(shared.done.load(Ordering::Relaxed), total);
            if last_round.elapsed() >= ROUND {
                last_round = Instant::now();
                shared.rounds.fetch_add(1, Ordering::Relaxed);
            }
        }
        worker.join()
    });
    Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

fn run_block(shared: &Shared<'_>, (sampler, step_size): (&dyn Sampler, f64), name: BlockName) -> Result<ChainTraces> {
    let Shared { target, settings, upkeep, .. } = *shared;
    let total = shared.steps();
    let (mut chains, mut traces) = match shared.kept(name, step_size)? {
        Some((chains, traces)) if chains.steps == total as u64 => {
            if let Some(relay) = upkeep.relay {
                relay.finish(name, &chains.walkers);
            }
            return Ok(traces);
        }
        Some((chains, traces)) => (ChainBlock::restore(chains), traces),
        None => (
            match upkeep.relay.and_then(|relay| relay.start(name)) {
                Some(walkers) => ChainBlock::from_walkers(walkers, settings.seed, first_chain(name)),
                None => ChainBlock::new(target.anchor, settings.seed, first_chain(name)),
            },
            ChainTraces::new(step_size, shared.baseline, settings.draws),
        ),
    };
    let begun = chains.steps() as usize;
    let (mut kept, mut told) = (begun, begun);
    let mut round = shared.rounds.load(Ordering::Relaxed);
    let interval = (settings.draws / PROBES).max(1);
    for step in begun..total {
        let newest = shared.rounds.load(Ordering::Relaxed);
        let stops = upkeep.stop.is_set();
        if (stops || newest != round) && step > kept {
            upkeep.store.save(name, &chains.checkpoint(), &traces)?;
            (kept, round) = (step, newest);
        }
        if stops {
            return Err(Error::Interrupted { kept: None });
        }
        let draw = step.checked_sub(settings.burn_in);
        let is_probe = !sampler.is_exact() && draw.is_some_and(|draw| draw % interval == 0);
        let before = is_probe.then(|| chains.walkers.clone());
        // Samplers that do not judge their steps tell the loss of the point that they leave.
        let leaving = draw.filter(|_| !sampler.is_exact()).map(|_| distances(&chains.walkers, target.anchor));
        let outcome = sampler.step(target, &mut chains);
        if let Some(lane) = outcome.loss.iter().position(|loss| !loss.is_finite()) {
            return Err(diverged(first_chain(name) + lane as u64, step, step_size));
        }
        if draw.is_some() {
            traces.loss.push(outcome.loss);
            traces.distance.push(leaving.unwrap_or_else(|| distances(&chains.walkers, target.anchor)));
            let acceptance = match &before {
                Some(before) => Some(energy_acceptance(target, before, &chains.walkers, step_size)),
                None => sampler.is_exact().then_some(outcome.acceptance),
            };
            if let Some(acceptance) = acceptance {
                traces.looks += 1;
                traces.acceptance.iter_mut().zip(acceptance).for_each(|(sum, value)| *sum += value);
            }
        }
        if step + 1 - told == TOLD || step + 1 == total {
            shared.done.fetch_add((step + 1 - told) as u64, Ordering::Relaxed);
            told = step + 1;
        }
    }
    // Nothing but the next chains of a relay will want these walkers any more.
    let memory = Memory::default();
    let walkers = match upkeep.relay {
        Some(relay) => {
            relay.finish(name, &chains.walkers);
            chains.walkers.clone()
        }
        None => WalkerBlock::zeros(0),
    };
    let end = ChainCheckpoint { walkers, memory, ..chains.checkpoint() };
    upkeep.store.save(name, &end, &traces)?;
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
fn join(blocks: &[ChainTraces], chains: usize) -> Result<Traces> {
    let lanes = || (0..chains).map(|chain| (&blocks[chain / LANES], chain % LANES));
    let column = |rows: &[Lanes], lane: usize| rows.iter().map(|row| row[lane]).collect::<Vec<f64>>();
    Ok(Traces {
        loss: lanes().map(|(block, lane)| column(&block.loss, lane)).collect(),
        distance: lanes().map(|(block, lane)| column(&block.distance, lane)).collect(),
        acceptance: lanes().map(|(block, lane)| block.acceptance[lane] / f64::from(block.looks.max(1))).collect(),
    })
}

/// A step size with the acceptance that suits the sampler, by stochastic approximation on one block of chains
/// \[RobbinsMonro1951\]: ln ε moves by the difference of acceptance and aim, less and less, and the second half is averaged.
pub(super) fn pilot(
    target: &Target<'_>,
    name: &str,
    largest_curvature: f64,
    seed: u64,
    stop: &StopFlag,
) -> Result<f64> {
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
        stop.check()?;
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
