//! The report of a solve as `report.json` holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
}
