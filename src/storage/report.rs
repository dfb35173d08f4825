//! The report of a solve as `report.json` holds it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::propagator::Work;

/// Everything about a run that is not an array of the solution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title of the problem.
    pub title: String,
    /// The checked problem in full, with every default filled in.
    pub problem: serde_json::Value,
    /// What solved it, and why.
    pub method: Method,
    /// Work counted.
    pub work: Work,
    /// The independent method that was run beside the chosen one (`check = true`); null otherwise.
    #[serde(default)]
    pub check: Option<Check>,
    /// Numbers per output time.
    pub observables: Observables,
    /// Stationary state of the operator against exp(-gamma L/D).
    pub stationary_comparison: StationaryComparison,
    /// Estimated errors of the densities (relative, discrete L1 norm).
    pub error_estimate: ErrorEstimate,
    /// What the user should know, in sentences.
    pub warnings: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Wall time by stage \[s\].
    pub wall_time: BTreeMap<String, f64>,
    /// References of the methods used (citation key: full reference).
    pub references: BTreeMap<String, String>,
    /// Names of the files written beside this report: what a later run may replace.
    #[serde(default)]
    pub files: Vec<String>,
}

impl Report {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`Error::NotFinite`] names the first number that JSON cannot hold (infinite or not a number).
    pub fn to_json(&self) -> Result<String> {
        let broken = |error: serde_json::Error| Error::NotFinite { stage: format!("report.json: {error}") };
        let value = serde_json::to_value(self).map_err(broken)?;
        // JSON writes numbers that are not finite as null, which is also what an absent estimate becomes.
        let mut absent = Vec::new();
        if self.error_estimate.time.is_none() {
            absent.push("error_estimate.time");
        }
        if self.check.is_none() {
            absent.push("check");
        }
        if self.error_estimate.space.is_none() {
            absent.push("error_estimate.space");
        }
        if let Some(name) = first_null(&value, "", &absent) {
            return Err(Error::NotFinite { stage: format!("{name} in the report") });
        }
        serde_json::to_string_pretty(&value).map_err(broken)
    }

    /// The report of a results folder.
    ///
    /// # Errors
    /// When there is none, or it is not a report of this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(REPORT_FILE);
        let text = fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_str(&text).map_err(|error| Error::malformed(&path, format!("no report of a solve: {error}")))
    }
}

/// Name of the report in a results folder.
pub const REPORT_FILE: &str = "report.json";

/// Path of the first null outside `problem` (whose absent settings are null) and outside `absent`.
fn first_null(value: &Value, path: &str, absent: &[&str]) -> Option<String> {
    let below = |key: String| if path.is_empty() { key } else { format!("{path}.{key}") };
    match value {
        Value::Null => (!absent.contains(&path)).then(|| path.to_string()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| first_null(item, &format!("{path}[{index}]"), absent))
        }
        Value::Object(_) if path == "problem" => None,
        Value::Object(fields) => fields.iter().find_map(|(key, field)| first_null(field, &below(key.clone()), absent)),
        _ => None,
    }
}

/// The method and the reason for its choice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Method {
    /// Propagator as named in a problem file.
    pub propagator: String,
    /// Why it was chosen, one sentence.
    pub reason: String,
    /// Factorisation used (`tridiagonal`, `cholesky`, `lu`, `dense-eigen`).
    pub factorisation: String,
    /// Flux as named in a problem file.
    pub flux: String,
    /// How the stationary state was found (`closed-form`, `log-ratios`, `elimination`).
    pub stationary: String,
    /// The work that was expected before the run; `work` holds what it took.
    #[serde(default)]
    pub predicted_work: Work,
}

/// Another method's word on the same problem and mesh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// The other propagator.
    pub propagator: String,
    /// The tolerance it was given.
    pub tolerance: f64,
    /// Relative L1 difference of the densities per output time.
    pub difference: Vec<f64>,
    /// The work it took.
    pub work: Work,
}

/// Numbers per output time; every vector has one entry per time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observables {
    /// Output times \[t\].
    pub time: Vec<f64>,
    /// Total probability.
    pub mass: Vec<f64>,
    /// Smallest density \[w^-d\].
    pub min_density: Vec<f64>,
    /// Mean position, one vector of length d per time \[w\].
    pub mean: Vec<Vec<f64>>,
    /// Mean of the square of each coordinate, one vector of length d per time \[w^2\].
    pub second_moment: Vec<Vec<f64>>,
    /// Free energy, the integral of gamma L p + D p log p \[w^2 t^-alpha\].
    pub free_energy: Vec<f64>,
    /// Kullback-Leibler divergence from the stationary density \[nats\].
    pub kl_to_stationary: Vec<f64>,
    /// Kullback-Leibler divergence from exp(-gamma L/D) \[nats\].
    pub kl_to_gibbs: Vec<f64>,
    /// Root-mean-square distance from the mean of the initial density \[w\].
    pub displacement: Vec<f64>,
}

/// Distances between the stationary density of the operator and exp(-gamma L/D).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StationaryComparison {
    /// Kullback-Leibler divergence of the stationary density from the Gibbs density \[nats\].
    pub kl: f64,
    /// Total variation distance, 0 to 1.
    pub total_variation: f64,
    /// Largest |stationary - gibbs| / gibbs over the cells where gibbs exceeds 1e-12 of its maximum.
    pub largest_relative_difference: f64,
    /// L1 norm over the faces of the stationary probability flux \[t^-alpha\]; 0 with detailed balance.
    pub circulating_flux: f64,
}

/// Estimated relative errors (discrete L1 norm of the difference over the L1 norm of the density).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorEstimate {
    /// Error in time, largest over the output times; `None` when the method has no estimate.
    pub time: Option<f64>,
    /// Error in space, from two meshes (`extrapolate = true`); `None` otherwise.
    pub space: Option<f64>,
    /// Largest |mass - 1| before the mass rule was applied.
    pub raw_mass_defect: f64,
    /// Most negative density over the largest one, before negative values were set to zero (<= 0).
    pub raw_undershoot: f64,
}
