//! A learning coefficient as `report.json` and `traces.npz` hold it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::report::REPORT_FILE;
use crate::error::{Error, Result};
use crate::formats::npz;

/// Name of the traces in a results folder.
pub const TRACES_FILE: &str = "traces.npz";

/// Everything about an estimate that is not a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlcReport {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title of the run.
    pub title: String,
    /// The command and the checked run in full, with every default filled in.
    pub problem: serde_json::Value,
    /// The loss whose coefficient it is.
    pub model: ModelSummary,
    /// The estimate.
    pub llc: LlcEstimate,
    /// What is known of the answer without sampling; null in more than two dimensions.
    pub oracle: Option<Oracle>,
    /// Estimates over several settings; null when none were asked for.
    pub sweep: Option<SweepTable>,
    /// Seed of the run.
    pub seed: u64,
    /// Wall time by stage \[s\].
    pub wall_time: BTreeMap<String, f64>,
    /// References of the methods used (citation key: full reference).
    pub references: BTreeMap<String, String>,
    /// Names of the files written beside this report.
    #[serde(default)]
    pub files: Vec<String>,
}

/// The loss and its point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// What it is, in words.
    pub description: String,
    /// Number of parameters d.
    pub parameters: usize,
    /// Number n of samples.
    pub sample_count: usize,
    /// Loss of the point over all samples.
    pub loss: f64,
    /// Part of the samples that are classified right; null where there are no classes.
    pub accuracy: Option<f64>,
    /// Kernels that computed the loss: the results of two machines agree to rounding when these differ.
    pub kernels: String,
}

/// An estimate with its diagnostics. Energies are t (loss - loss of the point).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlcEstimate {
    /// λ̂, extrapolated to step size zero where both steps were run.
    pub value: f64,
    /// Monte-Carlo standard error of `value`.
    pub mcse: f64,
    /// Rank-normalised split R-hat; null when the chains do not move.
    pub r_hat: Option<f64>,
    /// Bulk effective sample size.
    pub ess: Option<f64>,
    /// Tail effective sample size.
    pub tail_ess: Option<f64>,
    /// Mean Metropolis acceptance probability (a probe for samplers without Metropolis' rule).
    pub acceptance: f64,
    /// `trustworthy`, or what is wrong and what to change.
    pub verdict: String,
    /// Nothing speaks against the estimate.
    pub trustworthy: bool,
    /// Short names of what is wrong.
    pub faults: Vec<String>,
    /// What the reader should know, in sentences.
    pub remarks: Vec<String>,
    /// Sampler.
    pub sampler: String,
    /// Inverse temperature t = n β \[1/loss\].
    pub inverse_temperature: f64,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// Step size ε.
    pub step_size: f64,
    /// Number of chains.
    pub chains: usize,
    /// Draws per chain.
    pub draws: usize,
    /// Estimate and standard error at the step size.
    pub whole_step: (f64, f64),
    /// Estimate and standard error at half the step size; null when it was not run.
    pub half_step: Option<(f64, f64)>,
    /// Last half minus first half, in standard errors.
    pub drift: f64,
    /// Variance of the energy over its mean: 1 for a Gamma law.
    pub variance_ratio: f64,
    /// Share of the draws below the point.
    pub below_start: f64,
    /// Mean distance from the point \[w\].
    pub mean_distance: f64,
    /// Mean distance over the radius of the prior; 0 without a prior.
    pub radius_ratio: f64,
    /// Step size times the largest curvature of the energy at the point.
    pub stiffness: f64,
    /// Part that batches add to the noise of a step.
    pub batch_noise: f64,
}

/// The answer without sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oracle {
    /// t E\[L - L(w*)\] at the same temperature and localisation, by quadrature; null in more than two dimensions.
    pub quadrature: Option<f64>,
    /// Estimated error of `quadrature`.
    pub quadrature_error: Option<f64>,
    /// Learning coefficient and multiplicity by volume scaling; null in more than two dimensions.
    pub volume_scaling: Option<(f64, usize)>,
    /// Learning coefficient λ and multiplicity by theorem; null where none is known.
    pub exact: Option<(f64, usize)>,
}

/// Estimates over several settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// One row per setting.
    pub points: Vec<SweepRow>,
    /// One entry per line of at least three settings.
    pub plateaus: Vec<SweepPlateau>,
    /// One entry per step size and localisation with at least two temperatures.
    pub slopes: Vec<SweepSlope>,
}

/// Slope of the mean loss over 1/t: a learning coefficient that does not need the loss of the point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepSlope {
    /// Step size ε.
    pub step_size: f64,
    /// Localisation g.
    pub localization: f64,
    /// The slope.
    pub value: f64,
    /// Its Monte-Carlo standard error.
    pub mcse: f64,
}

/// One setting of a sweep; numbers are null where the chains diverged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// Step size ε.
    pub step_size: f64,
    /// Localisation g.
    pub localization: f64,
    /// Inverse temperature t.
    pub inverse_temperature: f64,
    /// λ̂.
    pub value: Option<f64>,
    /// Its Monte-Carlo standard error.
    pub mcse: Option<f64>,
    /// Rank-normalised split R-hat.
    pub r_hat: Option<f64>,
    /// Bulk effective sample size.
    pub ess: Option<f64>,
    /// Metropolis acceptance probability.
    pub acceptance: Option<f64>,
    /// Last half minus first half, in standard errors.
    pub drift: Option<f64>,
    /// Share of the draws below the point.
    pub below_start: Option<f64>,
    /// Distance over the prior's radius.
    pub radius_ratio: Option<f64>,
    /// Nothing speaks against it.
    pub trustworthy: bool,
    /// The verdict in words.
    pub verdict: String,
}

/// Where along one axis the estimate does not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPlateau {
    /// `step_size`, `localization` or `inverse_temperature`.
    pub axis: String,
    /// The other two settings, in the order step size, localisation, inverse temperature.
    pub others: (f64, f64),
    /// First and last value on the plateau; null when there is none.
    pub interval: Option<(f64, f64)>,
    /// Mean estimate on the plateau.
    pub value: Option<f64>,
}

impl LlcReport {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the estimate is not a number.
    pub fn to_json(&self) -> Result<String> {
        if !(self.llc.value.is_finite() && self.llc.mcse.is_finite()) {
            return Err(Error::NotFinite { stage: "the learning coefficient".into() });
        }
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::NotFinite { stage: format!("the report of the learning coefficient: {error}") })
    }

    /// The report of a results folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(REPORT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::malformed(&path, format!("no report of a learning coefficient: {error}")))
    }
}

/// Draws of every chain, as `arviz.from_dict` takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTraces {
    /// Loss, one row per chain \[loss\].
    pub loss: Vec<Vec<f64>>,
    /// Distance from the point, one row per chain \[w\].
    pub distance: Vec<Vec<f64>>,
}

impl StoredTraces {
    /// Arrays `loss` and `distance` of shape (chain, draw) as an npz archive.
    ///
    /// # Errors
    /// When the archive cannot be made.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let shape = [self.loss.len(), self.loss.first().map_or(0, Vec::len)];
        let (loss, distance) = (self.loss.concat(), self.distance.concat());
        npz::to_bytes(&[("loss", &shape, &loss), ("distance", &shape, &distance)])
    }

    /// Reads the arrays back.
    ///
    /// # Errors
    /// Names the file and the array that is missing or has the wrong shape.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(TRACES_FILE);
        let mut arrays = npz::read(&path)?;
        let mut rows = |name: &str| -> Result<Vec<Vec<f64>>> {
            let array =
                arrays.remove(name).ok_or_else(|| Error::malformed(&path, format!("it has no array {name}")))?;
            match array.shape[..] {
                [_, draws] if draws > 0 => Ok(array.data.chunks(draws).map(<[f64]>::to_vec).collect()),
                _ => Err(Error::malformed(&path, format!("{name} has no shape (chain, draw)"))),
            }
        };
        Ok(StoredTraces { loss: rows("loss")?, distance: rows("distance")? })
    }
}
