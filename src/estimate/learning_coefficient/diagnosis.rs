//! What is measured beside an estimate: convergence, drift, step bias, noise of batches, the law of the energy.

use serde::{Deserialize, Serialize};

use super::{Settings, Traces};
use crate::dynamics::{Sampler, Target};
use crate::error::Result;
use crate::landscape::{Batch, LANES, WalkerBlock};
use crate::math::random::Stream;
use crate::math::statistics::{ChainStatistics, chain_statistics};

/// Everything measured beside an estimate. Energies are t K, K the loss above that of the point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Name of the sampler.
    pub sampler: String,
    /// The law does not depend on the step size.
    pub is_exact: bool,
    /// Number n of samples.
    pub sample_count: usize,
    /// Inverse temperature t = n β \[1/loss\].
    pub inverse_temperature: f64,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// Step size ε.
    pub step_size: f64,
    /// Loss of the point over all samples.
    pub baseline: f64,
    /// Estimate at the step size, and its Monte-Carlo standard error.
    pub whole_step: (f64, f64),
    /// Both steps and what they extrapolate to; `None` when only one was run.
    pub extrapolation: Option<Extrapolation>,
    /// Largest rank-normalised split R-hat of the runs.
    pub r_hat: f64,
    /// Smallest bulk effective sample size of the runs.
    pub bulk_ess: f64,
    /// Smallest tail effective sample size of the runs.
    pub tail_ess: f64,
    /// Mean Metropolis acceptance probability.
    pub acceptance: f64,
    /// Mean energy of the last half minus that of the first, in standard errors of the difference.
    pub drift: f64,
    /// Variance of the energy over its mean: 1 for a Gamma law.
    pub variance_ratio: f64,
    /// Share of the draws with a loss below that of the point.
    pub below_start: f64,
    /// Mean distance from the point over the radius sqrt(d/g) of the prior; 0 without a prior.
    pub radius_ratio: f64,
    /// Mean distance from the point \[w\].
    pub mean_distance: f64,
    /// Largest curvature of the energy at the point times the step size.
    pub stiffness: f64,
    /// Part that the noise of batches adds to the noise of a step, ε t² v/4; 0 for full batches.
    pub batch_noise: f64,
}

/// Two step sizes, and what they say of a third that is zero. Values come with their Monte-Carlo standard errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extrapolation {
    /// At half the step.
    pub half_step: (f64, f64),
    /// 2 half - whole: right when the bias is linear in the step.
    pub value: f64,
    /// Standard error of `value`.
    pub mcse: f64,
    /// Whole minus half, in standard errors of the difference.
    pub significance: f64,
}

impl Diagnosis {
    /// The estimate and its standard error: extrapolated if it was.
    pub fn best(&self) -> (f64, f64) {
        self.extrapolation.map_or(self.whole_step, |found| (found.value, found.mcse))
    }
}

/// What is known before the chains are looked at.
pub(super) struct Facts<'a> {
    pub(super) sampler: &'a dyn Sampler,
    pub(super) step_size: f64,
    pub(super) baseline: f64,
    pub(super) largest_curvature: f64,
}

pub(super) fn diagnose(
    target: &Target<'_>,
    settings: &Settings,
    facts: &Facts<'_>,
    traces: &Traces,
    halved: Option<&Traces>,
) -> Result<Diagnosis> {
    let t = target.inverse_temperature;
    let all = statistics(&traces.loss)?;
    let energy = |statistics: &ChainStatistics| (t * (statistics.mean - facts.baseline), t * statistics.mcse);
    let whole_step = energy(&all);
    let half = halved.map(|traces| statistics(&traces.loss)).transpose()?;
    let extrapolation = half.as_ref().map(|half| {
        let half_step = energy(half);
        let error =
            |whole: f64, half: f64| (whole * whole * whole_step.1.powi(2) + half * half * half_step.1.powi(2)).sqrt();
        Extrapolation {
            half_step,
            value: 2.0 * half_step.0 - whole_step.0,
            mcse: error(1.0, 2.0),
            significance: (whole_step.0 - half_step.0) / error(1.0, 1.0).max(f64::MIN_POSITIVE),
        }
    });
    let worst = |pick: fn(&ChainStatistics) -> f64, choose: fn(f64, f64) -> f64| {
        half.as_ref().map_or(pick(&all), |half| choose(pick(&all), pick(half)))
    };
    let draws: f64 = traces.loss.iter().map(|chain| chain.len() as f64).sum();
    let losses = || traces.loss.iter().flatten();
    let below_start = losses().filter(|loss| **loss < facts.baseline).count() as f64 / draws;
    let mean_distance = traces.distance.iter().flatten().sum::<f64>() / draws;
    let radius = (target.anchor.len() as f64 / target.localization).sqrt();
    let variance = t * t * all.standard_deviation * all.standard_deviation;
    Ok(Diagnosis {
        sampler: facts.sampler.name().to_string(),
        is_exact: facts.sampler.is_exact(),
        sample_count: target.landscape.sample_count(),
        inverse_temperature: t,
        localization: target.localization,
        step_size: facts.step_size,
        baseline: facts.baseline,
        whole_step,
        extrapolation,
        r_hat: worst(|found| found.r_hat, f64::max),
        bulk_ess: worst(|found| found.bulk_ess, f64::min),
        tail_ess: worst(|found| found.tail_ess, f64::min),
        acceptance: traces.acceptance.iter().sum::<f64>() / traces.acceptance.len() as f64,
        drift: drift(&traces.loss)?,
        variance_ratio: if whole_step.0 == 0.0 { 0.0 } else { variance / whole_step.0 },
        below_start,
        radius_ratio: if target.localization > 0.0 { mean_distance / radius } else { 0.0 },
        mean_distance,
        stiffness: facts.step_size * facts.largest_curvature,
        batch_noise: facts.step_size * t * t * batch_variance(target, settings.seed) / 4.0,
    })
}

fn statistics(chains: &[Vec<f64>]) -> Result<ChainStatistics> {
    let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    chain_statistics(&chains)
}

/// Last half minus first half of all chains, in standard errors of the difference.
fn drift(chains: &[Vec<f64>]) -> Result<f64> {
    let part = |last: bool| -> Result<ChainStatistics> {
        let halves: Vec<&[f64]> = chains
            .iter()
            .map(|chain| {
                let (first, second) = chain.split_at(chain.len() / 2);
                if last { second } else { first }
            })
            .collect();
        chain_statistics(&halves)
    };
    let (first, last) = (part(false)?, part(true)?);
    let error = first.mcse.hypot(last.mcse);
    Ok(if error > 0.0 { (last.mean - first.mean) / error } else { 0.0 })
}

/// Variance of a parameter's batch gradient at the point, mean over the parameters; 0 for full batches.
fn batch_variance(target: &Target<'_>, seed: u64) -> f64 {
    const BLOCKS: usize = 8;
    let Some(size) = target.batch_size else { return 0.0 };
    let count = target.landscape.sample_count() as u32;
    let dimension = target.anchor.len();
    let mut stream = Stream::new(seed, "batch noise", 0);
    let (walkers, mut gradient) = (WalkerBlock::at(target.anchor), WalkerBlock::zeros(dimension));
    let (mut sums, mut squares) = (vec![0.0; dimension], vec![0.0; dimension]);
    for _ in 0..BLOCKS {
        let draws: Vec<[u32; LANES]> = (0..size).map(|_| std::array::from_fn(|_| stream.index(count))).collect();
        target.landscape.block_gradient(&walkers, Batch::Drawn(&draws), &mut gradient);
        for ((sum, square), row) in sums.iter_mut().zip(&mut squares).zip(gradient.rows()) {
            *sum += row.iter().sum::<f64>();
            *square += row.iter().map(|value| value * value).sum::<f64>();
        }
    }
    let n = (BLOCKS * LANES) as f64;
    let variances = sums.iter().zip(&squares).map(|(sum, square)| (square - sum * sum / n).max(0.0) / (n - 1.0));
    variances.sum::<f64>() / dimension as f64
}
