//! The spectral oracle.
//!
//! Formula:   p(t) = P^(1/2) Q E_α(-λ t^α) Q^T P^(-1/2) p(0), Q Λ Q^T = -P^(-1/2) A P^(1/2)
//! Assumes:   detailed balance, coefficients constant in time
//! Order:     exact up to rounding times the conditioning of P^(1/2)
//! Cost:      O(M^3) once, O(M) Mittag-Leffler values and O(M^2) per time
//! Fails when the conditioning makes it wrong: refused, with the estimated error
//! Reference: \[Risken1989\], \[Gorenflo2020\]

use faer::linalg::matmul::matmul;
use faer::{Accum, ColMut, ColRef, Mat, Par, Side};

use super::conservation::Conservation;
use super::{Evolution, Observer, Propagator, Solution, Work, constant_coefficients, undershoot, vector_bytes};
use crate::error::{Error, Result};
use crate::math::special::mittag_leffler;
use crate::math::summation::compensated_sum;
use crate::mesh::Density;

/// Eigenvectors times Mittag-Leffler functions.
#[derive(Clone, Copy, Debug)]
pub struct Spectral {
    /// Largest number of cells: the matrix is dense.
    pub largest_size: usize,
}

impl Default for Spectral {
    fn default() -> Self {
        Spectral { largest_size: 4096 }
    }
}

impl Propagator for Spectral {
    fn name(&self) -> &'static str {
        "spectral"
    }

    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work {
        let cells = evolution.initial.probability().len() as u64;
        Work { factorisations: 1, peak_history_bytes: cells * vector_bytes(evolution), ..Work::default() }
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        constant_coefficients(evolution, self.name())?;
        let initial = evolution.initial.probability();
        let size = initial.len();
        self.check(evolution, size)?;
        let logs = &evolution.stationary.log_probability;
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let root: Vec<f64> = logs.iter().map(|log| (0.5 * (log - top)).exp()).collect();
        let scaled: Vec<f64> =
            initial.iter().zip(&root).map(|(p, root)| if *p == 0.0 { 0.0 } else { p / root }).collect();
        let estimate = conditioning_error(&scaled, &root, compensated_sum(initial.iter().copied()));
        if estimate > evolution.tolerance {
            return Err(Error::IllConditioned {
                method: "spectral",
                estimate,
                tolerance: evolution.tolerance,
                remedy: "use propagator = \"krylov\", which does not symmetrise".into(),
            });
        }
        let eigen = minus_symmetrized(evolution)
            .self_adjoint_eigen(Side::Lower)
            .map_err(|reason| Error::SingularOperator { what: format!("the eigenvalue problem ({reason:?})") })?;
        let (vectors, rates) = (eigen.U(), eigen.S().column_vector());
        let mut modes = vec![0.0; size];
        let target = ColMut::from_slice_mut(&mut modes).as_mat_mut();
        matmul(target, Accum::Replace, vectors.transpose(), ColRef::from_slice(&scaled).as_mat(), 1.0, Par::Seq);
        let conservation = Conservation::new(evolution);
        let mut densities = Vec::with_capacity(evolution.times.len());
        let mut raw_mass_defect = 0.0f64;
        for (done, &time) in evolution.times.iter().enumerate() {
            let stretched = time.powf(evolution.order.value());
            let mut relaxed = Vec::with_capacity(size);
            for (mode, &rate) in modes.iter().zip(rates.iter()) {
                // The smallest eigenvalue is zero: rounding must not make it grow.
                relaxed.push(mode * mittag_leffler(evolution.order.value(), 1.0, -rate.max(0.0) * stretched)?);
            }
            let mut values = vec![0.0; size];
            let target = ColMut::from_slice_mut(&mut values).as_mat_mut();
            matmul(target, Accum::Replace, vectors, ColRef::from_slice(&relaxed).as_mat(), 1.0, Par::Seq);
            values.iter_mut().zip(&root).for_each(|(value, root)| *value *= root);
            raw_mass_defect = raw_mass_defect.max(conservation.defect(&values, "a density of the spectral sum")?);
            conservation.restore(&mut values);
            densities.push(Density::new(evolution.initial.mesh().clone(), values));
            observer.progress(done as u64 + 1, evolution.times.len() as u64);
        }
        Ok(Solution {
            times: evolution.times.to_vec(),
            error_estimates: Some(vec![estimate; densities.len()]),
            raw_undershoot: undershoot(&densities),
            densities,
            raw_mass_defect,
            work: Work { peak_history_bytes: matrix_bytes(size), ..Work::default() },
            factorization: "dense-eigen",
        })
    }
}

impl Spectral {
    fn check(&self, evolution: &Evolution<'_>, size: usize) -> Result<()> {
        if !evolution.stationary.is_reversible() {
            return Err(Error::NotReversible {
                defect: evolution.stationary.cycle_defect,
                remedy: "use propagator = \"krylov\", which needs no detailed balance".into(),
            });
        }
        if size > self.largest_size {
            return Err(Error::invalid(
                "method.propagator",
                "spectral",
                format!("a dense eigenvalue problem is solved, of at most {} cells, here {size}", self.largest_size),
                "use propagator = \"krylov\" or fewer cells",
            ));
        }
        if matrix_bytes(size) > evolution.memory_limit {
            return Err(Error::TooLarge {
                what: format!("the dense eigenvalue problem of {size} cells"),
                bytes: matrix_bytes(size),
                limit: evolution.memory_limit,
                remedy: "use propagator = \"krylov\"".into(),
            });
        }
        Ok(())
    }
}

/// Matrix, eigenvectors and workspace.
fn matrix_bytes(size: usize) -> u64 {
    4 * (size as u64).pow(2) * size_of::<f64>() as u64
}

/// Rounding of the modes, carried back through P^(1/2): unit · |P^(-1/2) p0| · |P^(1/2)|_1 over the mass.
fn conditioning_error(scaled: &[f64], root: &[f64], mass: f64) -> f64 {
    let norm = scaled.iter().map(|value| value * value).sum::<f64>().sqrt();
    let root_norm = root.iter().map(|value| value * value).sum::<f64>().sqrt();
    4.0 * f64::EPSILON * norm * root_norm / mass
}

fn minus_symmetrized(evolution: &Evolution<'_>) -> Mat<f64> {
    let operator = evolution.operator;
    let size = operator.mesh().cell_count();
    let mut matrix = Mat::zeros(size, size);
    let rates = operator.forward_rates().iter().zip(operator.backward_rates());
    for (face, (forward, backward)) in operator.mesh().faces().iter().zip(rates) {
        let [a, b] = face.cells;
        let mean = -(forward.sqrt() * backward.sqrt());
        matrix[(a, b)] = mean;
        matrix[(b, a)] = mean;
    }
    for (cell, exit) in operator.exit_rates().into_iter().enumerate() {
        matrix[(cell, cell)] = exit;
    }
    matrix
}
