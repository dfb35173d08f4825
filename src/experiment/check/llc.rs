//! `[llc]`: how to sample.

use serde::Serialize;

use super::model::{Model, PRECISIONS, Precision};
use super::run::{batch_size, count};
use super::{finite, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{LlcConfig, NumberOrList, NumberOrText, SweepConfig, number};

/// How to sample, every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Llc {
    /// Sampler.
    pub sampler: Sampler,
    /// t = n beta; `None` is n / ln n.
    pub inverse_temperature: Option<f64>,
    /// Strength g >= 0 of the prior around the point \[w^-2\].
    pub localization: f64,
    /// Step size; `None` is found by a pilot run.
    pub step_size: Option<f64>,
    /// Repeat at half the step and extrapolate; `None` does so for samplers whose law depends on the step.
    pub extrapolation: Option<bool>,
    /// The point; `None` is the known minimum, or the trained weights.
    pub at: Option<Vec<f64>>,
    /// Half the side of a box around the point \[w\].
    #[serde(rename = "box")]
    pub box_radius: Option<f64>,
    /// Numbers that the chains compute with; `None` takes those of the model.
    pub precision: Option<Precision>,
    /// Values to go through.
    pub sweep: Option<Sweep>,
    /// Number of chains.
    pub chains: usize,
    /// Steps straight down before the chains start.
    pub polish: usize,
    /// Draws that do not count.
    pub burn_in: usize,
    /// Draws that count, per chain.
    pub draws: usize,
    /// Samples per draw; `None` takes all.
    pub batch_size: Option<usize>,
}

/// Samplers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// MALA when the batch is full, SGLD otherwise.
    Auto,
    /// Metropolis-adjusted Langevin.
    Mala,
    /// Stochastic gradient Langevin dynamics.
    Sgld,
    /// Stochastic gradient Nosé-Hoover thermostat.
    Sgnht,
    /// RMSprop-preconditioned SGLD.
    RmspropSgld,
    /// Hamiltonian Monte Carlo.
    Hmc,
}

/// Every combination is run; an axis that is not swept has one value, `None` for that of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sweep {
    /// Step sizes.
    pub step_size: Vec<f64>,
    /// Localisations.
    pub localization: Vec<f64>,
    /// Inverse temperatures.
    pub inverse_temperature: Vec<f64>,
}

/// Values of `llc.sampler`.
pub const SAMPLERS: &[Choice<Sampler>] = &[
    Choice::of("auto", Sampler::Auto, "mala when the batch is full, else sgld (default)"),
    Choice::of("mala", Sampler::Mala, "Metropolis-adjusted Langevin: no step bias, full batch"),
    Choice::of("sgld", Sampler::Sgld, "stochastic gradient Langevin dynamics: bias linear in the step"),
    Choice::of("sgnht", Sampler::Sgnht, "stochastic gradient Nosé-Hoover thermostat"),
    Choice::of("rmsprop-sgld", Sampler::RmspropSgld, "SGLD preconditioned by RMSprop, with the right stationary law"),
    Choice::of("hmc", Sampler::Hmc, "Hamiltonian Monte Carlo: the judge on small problems, full batch"),
];

/// Fewest chains that can disagree in a way that is seen.
const FEWEST_CHAINS: u64 = 4;
/// Fewest draws that a chain is judged by.
const FEWEST_DRAWS: u64 = 20;

pub(super) fn check(config: &LlcConfig, model: &Model) -> Result<Llc> {
    let sampler = choose("llc.sampler", config.sampler.as_deref().unwrap_or("auto"), SAMPLERS)?;
    let batch_size = batch_size("llc.batch_size", config.batch_size.as_ref(), None)?;
    if batch_size.is_some() && matches!(sampler, Sampler::Mala | Sampler::Hmc) {
        let rule = "this sampler compares energies of all samples";
        return Err(Error::invalid("llc.batch_size", "(given)", rule, "use \"full\", or sampler = \"sgld\""));
    }
    if batch_size.is_some() && !matches!(model, Model::Mlp { .. }) {
        let rule = "this model has one loss for all samples";
        return Err(Error::invalid("llc.batch_size", "(given)", rule, "use \"full\""));
    }
    let precision = config.precision.as_deref().map(|typed| choose("llc.precision", typed, PRECISIONS)).transpose()?;
    if precision == Some(Precision::Single) && !matches!(model, Model::Mlp { .. }) {
        let rule = "this model is computed in double precision";
        return Err(Error::invalid("llc.precision", "\"f32\"", rule, "use \"f64\", or leave it out"));
    }
    let g = finite("llc.localization", config.localization.unwrap_or(1.0))?;
    if g < 0.0 {
        return Err(Error::invalid("llc.localization", number(g), "must be at least 0", "use 1.0, say"));
    }
    Ok(Llc {
        sampler,
        inverse_temperature: positive_or_auto("llc.inverse_temperature", config.inverse_temperature.as_ref())?,
        localization: g,
        step_size: positive_or_auto("llc.step_size", config.step_size.as_ref())?,
        extrapolation: config.extrapolation,
        at: at(config.at.as_ref(), model)?,
        box_radius: config.box_radius.map(|radius| positive("llc.box", radius)).transpose()?,
        precision,
        sweep: config.sweep.as_ref().map(sweep).transpose()?,
        chains: count("llc.chains", config.chains.unwrap_or(8), FEWEST_CHAINS)?,
        polish: count("llc.polish", config.polish.unwrap_or(0), 0)?,
        burn_in: count("llc.burn_in", config.burn_in.unwrap_or(500), 0)?,
        draws: count("llc.draws", config.draws.unwrap_or(2000), FEWEST_DRAWS)?,
        batch_size,
    })
}

fn positive_or_auto(key: &str, typed: Option<&NumberOrText>) -> Result<Option<f64>> {
    match typed {
        None => Ok(None),
        Some(NumberOrText::Text(text)) if text == "auto" => Ok(None),
        Some(NumberOrText::Number(value)) => positive(key, *value).map(Some),
        Some(other) => Err(Error::invalid(key, other, "must be a positive number or \"auto\"", "use \"auto\"")),
    }
}

fn at(typed: Option<&NumberOrList>, model: &Model) -> Result<Option<Vec<f64>>> {
    let Some(typed) = typed else { return Ok(None) };
    let Model::Landscape { dimension, .. } = model else {
        let remedy = "remove it; a network's point is its weights, given by model.weights or trained";
        return Err(Error::invalid("llc.at", typed, "this model takes no coordinates", remedy));
    };
    super::per_axis("llc.at", typed, *dimension, super::Spread::OnePerAxis).map(Some)
}

fn sweep(config: &SweepConfig) -> Result<Sweep> {
    let axis = |name: &str, typed: Option<&Vec<f64>>, least: f64| -> Result<Vec<f64>> {
        let values = typed.cloned().unwrap_or_default();
        for (place, value) in values.iter().enumerate() {
            if !(value.is_finite() && *value >= least) {
                let key = format!("llc.sweep.{name}[{place}]");
                return Err(Error::invalid(key, number(*value), "is out of range", "use positive numbers"));
            }
        }
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values.dedup();
        Ok(values)
    };
    let sweep = Sweep {
        step_size: axis("step_size", config.step_size.as_ref(), f64::MIN_POSITIVE)?,
        localization: axis("localization", config.localization.as_ref(), 0.0)?,
        inverse_temperature: axis("inverse_temperature", config.inverse_temperature.as_ref(), f64::MIN_POSITIVE)?,
    };
    if sweep.step_size.is_empty() && sweep.localization.is_empty() && sweep.inverse_temperature.is_empty() {
        let remedy = "add step_size = [1e-4, 3e-4, 1e-3], say";
        return Err(Error::invalid("llc.sweep", "(empty)", "a sweep needs values", remedy));
    }
    Ok(sweep)
}
