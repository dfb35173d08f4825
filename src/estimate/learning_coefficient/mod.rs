//! Local learning coefficients with their errors, and the tests that could have proved them wrong.
//!
//! ```text
//! λ̂ = t ( E[L_n(w)] - L_n(w*) ),   w ~ exp( -t L_n(w) - (g/2) |w - w*|² ),   t = n β = n / ln n unless given
//! ```
//!
//! \[LauMurfetWei2023\]. The expectation is a mean over chains that start at w*; what can go wrong with it (chains too
//! short, steps too long, a point that is no minimum, noise of batches, a prior too strong) is measured beside it and
//! said in a [`Verdict`].

pub mod along;
mod chains;
mod curvature;
mod diagnosis;
mod relay;
pub mod sweep;
mod verdict;

use std::num::NonZeroUsize;

use crate::dynamics::sampler::by_name;
use crate::dynamics::{ChainStore, Sampler, Target};
use crate::error::{Error, Result};
use crate::landscape::{LANES, Sampled, WalkerBlock};
use crate::propagator::{Observer, StopFlag};

pub use chains::Traces;
pub use diagnosis::{Diagnosis, Extrapolation};
pub use relay::Relay;
pub use verdict::{Fault, Verdict};

/// How to estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Name of the sampler; `None` takes `mala` for full batches and `sgld` otherwise.
    pub sampler: Option<String>,
    /// Inverse temperature t = n β \[1/loss\]; `None` is n / ln n.
    pub inverse_temperature: Option<f64>,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// Step size ε; `None` is found by a pilot run.
    pub step_size: Option<f64>,
    /// Repeat at half the step and extrapolate; `None` does so for samplers whose law depends on the step.
    pub extrapolation: Option<bool>,
    /// Half the side of a box around the point \[w\].
    pub box_radius: Option<f64>,
    /// Samples per draw; `None` takes all.
    pub batch_size: Option<usize>,
    /// Number of chains, at least 4.
    pub chains: usize,
    /// Draws that do not count.
    pub burn_in: usize,
    /// Draws that count, per chain.
    pub draws: usize,
    /// Seed of all chains.
    pub seed: u64,
    /// Threads; the results do not depend on them.
    pub threads: NonZeroUsize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            sampler: None,
            inverse_temperature: None,
            localization: 1.0,
            step_size: None,
            extrapolation: None,
            box_radius: None,
            batch_size: None,
            chains: 8,
            burn_in: 500,
            draws: 2000,
            seed: 0,
            threads: NonZeroUsize::MIN,
        }
    }
}

/// How an estimate is stopped and gone on with.
#[derive(Clone, Copy)]
pub struct Upkeep<'a> {
    /// Keeps the chains every few seconds, when they are stopped and at their end; what it holds already is gone on with.
    pub store: &'a dyn ChainStore,
    /// Stops the estimate.
    pub stop: &'a StopFlag,
    /// Number of the estimate in the store.
    pub estimate: usize,
    /// Where chains start, if not at the point, and where they end.
    pub relay: Option<&'a Relay>,
}

/// An estimate with everything that it was made of.
#[derive(Clone, Debug)]
pub struct LearningCoefficient {
    /// λ̂; the extrapolated value when there is one.
    pub value: f64,
    /// Monte-Carlo standard error of `value`.
    pub mcse: f64,
    /// What was measured beside it.
    pub diagnosis: Diagnosis,
    /// Whether it can be trusted, and what to change if not.
    pub verdict: Verdict,
    /// Losses and distances of every draw at the whole step.
    pub traces: Traces,
}

/// Fewest chains that can disagree in a way that is seen.
const FEWEST_CHAINS: usize = 4;
/// Fewest draws per chain that statistics can be made of.
const FEWEST_DRAWS: usize = 20;

/// Estimates the learning coefficient of `landscape` at the point `at` (length d).
///
/// ```
/// use porewalk::estimate::learning_coefficient::{Settings, estimate};
/// use porewalk::landscape::{Analytic, Population};
///
/// let well = Population::new(Analytic::build("harmonic", 2, &Default::default())?, 1000);
/// let llc = estimate(&well, &[0.0, 0.0], &Settings::default(), &mut ())?;
/// let t = llc.diagnosis.inverse_temperature;
/// assert!((llc.value - t / (t + 1.0)).abs() < 4.0 * llc.mcse);
/// # Ok::<(), porewalk::Error>(())
/// ```
///
/// # Errors
/// Settings out of their ranges; a point of the wrong length or with a loss that is not finite; a chain that diverges.
pub fn estimate(
    landscape: &dyn Sampled,
    at: &[f64],
    settings: &Settings,
    observer: &mut dyn Observer,
) -> Result<LearningCoefficient> {
    let upkeep = Upkeep { store: &(), stop: &StopFlag::default(), estimate: 0, relay: None };
    estimate_with(landscape, at, settings, upkeep, observer)
}

/// [`estimate`] with chains that are kept while they run: after a stop the same call goes on and ends with the same bits.
///
/// # Errors
/// Those of [`estimate`]; [`Error::Interrupted`] when stopped; a store that fails, or holds chains of something else.
pub fn estimate_with(
    landscape: &dyn Sampled,
    at: &[f64],
    settings: &Settings,
    upkeep: Upkeep<'_>,
    observer: &mut dyn Observer,
) -> Result<LearningCoefficient> {
    let target = target(landscape, at, settings)?;
    let baseline = landscape.block_loss(&WalkerBlock::at(at))[0];
    if !baseline.is_finite() {
        return Err(Error::NotFinite { stage: "the loss at the point whose coefficient is wanted".into() });
    }
    let largest_curvature = curvature::largest(&target, settings.seed);
    let name = settings.sampler.clone().unwrap_or_else(|| default_sampler(settings).to_string());
    let step_size = match settings.step_size {
        Some(step_size) => step_size,
        None => chains::pilot(&target, &name, largest_curvature, settings.seed, upkeep.stop)?,
    };
    let whole = sampler(&name, step_size)?;
    whole.check(&target)?;
    let extrapolates = settings.extrapolation.unwrap_or(!whole.is_exact());
    let half = if extrapolates { Some(sampler(&name, 0.5 * step_size)?) } else { None };
    let runs: Vec<(&dyn Sampler, f64)> = std::iter::once((&*whole, step_size))
        .chain(half.as_deref().map(|sampler| (sampler, 0.5 * step_size)))
        .collect();
    let shared = chains::Shared::new(&target, settings, baseline, upkeep);
    let mut traces = chains::run(&shared, &runs, observer)?;
    let halved = if extrapolates { traces.pop() } else { None };
    let traces = traces.pop().ok_or_else(|| Error::NotFinite { stage: "a run without chains".into() })?;
    let facts = diagnosis::Facts { sampler: &*whole, step_size, baseline, largest_curvature };
    let diagnosis = diagnosis::diagnose(&target, settings, &facts, &traces, halved.as_ref())?;
    let (value, mcse) = diagnosis.best();
    Ok(LearningCoefficient { value, mcse, verdict: verdict::judge(&diagnosis), diagnosis, traces })
}

fn default_sampler(settings: &Settings) -> &'static str {
    if settings.batch_size.is_none() { "mala" } else { "sgld" }
}

fn sampler(name: &str, step_size: f64) -> Result<Box<dyn Sampler>> {
    by_name(name, step_size)
        .ok_or_else(|| Error::invalid("sampler", format!("{name:?}"), "is not a known sampler", "use \"mala\", say"))
}

/// The law to sample, with the settings checked.
fn target<'a>(landscape: &'a dyn Sampled, at: &'a [f64], settings: &Settings) -> Result<Target<'a>> {
    let least = |name: &str, value: usize, least: usize| {
        if value >= least {
            return Ok(());
        }
        Err(Error::invalid(name, value, format!("must be at least {least}"), format!("use {}, say", 2 * least)))
    };
    least("llc.chains", settings.chains, FEWEST_CHAINS)?;
    least("llc.draws", settings.draws, FEWEST_DRAWS)?;
    let n = landscape.sample_count();
    if settings.inverse_temperature.is_none() {
        least("sample_count", n, 2)?;
    }
    let target = Target {
        landscape,
        anchor: at,
        inverse_temperature: settings.inverse_temperature.unwrap_or(n as f64 / (n as f64).ln()),
        localization: settings.localization,
        box_radius: settings.box_radius,
        batch_size: settings.batch_size,
    };
    target.validate()?;
    Ok(target)
}

/// Blocks that hold `chains` chains.
fn block_count(chains: usize) -> usize {
    chains.div_ceil(LANES)
}
