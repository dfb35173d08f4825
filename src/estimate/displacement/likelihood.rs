//! How likely a process makes what was observed, up to constants.
//!
//! Formula:   increments: n (log det Σ + K log(tr(Σ^-1 S)/(n_c K)));  table: log det C + K log(rᵀ C^-1 r / K)
//! Assumes:   Gaussian coordinates, n of them effective; K times; S the second moments of the increments, summed over n_c
//!            coordinates; r the residuals of log R² about log <w²> + c, C_ij the correlation of w² at two times
//! Cost:      K³ per value
//! Fails when coordinates are far from Gaussian: the criterion is then too sure, which n makes up for in part
//! Reference: \[Isserlis1918\] for the covariance of w²; the amplitude (and for a table n) at its most likely value

use faer::linalg::solvers::Llt;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, Par, Side};

use super::process::Process;

/// Part of the variance of log R² that counts as rounding.
const NUGGET: f64 = 1e-6;
/// Part of the largest variance below which a direction of the increments is rounding.
const ROUNDING: f64 = 1e-13;

/// What the processes are held against.
pub(super) enum Evidence {
    /// Squared distances of pairs of points.
    Increments {
        /// Times since the origin, the origin first.
        times: Vec<f64>,
        /// 1/sqrt(S_ii).
        scale: Vec<f64>,
        /// F with F Fᵀ = S, scaled to unit diagonal.
        factor: Mat<f64>,
        /// n_c.
        coordinates: f64,
    },
    /// Displacements at each time alone.
    Curve {
        /// Times since the origin, which is not among them.
        times: Vec<f64>,
        /// log R².
        logarithms: Vec<f64>,
    },
}

impl Evidence {
    /// From squared distances (row after row) summed over `coordinates`; times that add no movement are left out. None
    /// when fewer than `least` increments are left.
    pub fn of_distances(times: &[f64], distances: &[f64], coordinates: f64, least: usize) -> Option<Self> {
        let size = times.len();
        let distance = |i: usize, j: usize| distances[i * size + j];
        let mut kept = vec![0];
        for place in 1..size {
            if distance(place, kept[kept.len() - 1]) > 0.0 {
                kept.push(place);
            }
        }
        let count = kept.len() - 1;
        if count < least {
            return None;
        }
        let between = |i: usize, j: usize| distance(kept[i], kept[j]);
        let scale: Vec<f64> = (0..count).map(|i| 1.0 / between(i, i + 1).sqrt()).collect();
        let moments = Mat::from_fn(count, count, |i, j| {
            let product = between(i + 1, j) + between(i, j + 1) - between(i + 1, j + 1) - between(i, j);
            0.5 * product * scale[i] * scale[j]
        });
        let eigen = moments.self_adjoint_eigen(Side::Lower).ok()?;
        let (vectors, variances) = (eigen.U(), eigen.S().column_vector());
        let first = (0..count).find(|k| variances[*k] > ROUNDING * variances[count - 1])?;
        let factor = Mat::from_fn(count, count - first, |i, k| vectors[(i, first + k)] * variances[first + k].sqrt());
        let times = kept.iter().map(|place| times[*place]).collect();
        Some(Evidence::Increments { times, scale, factor, coordinates })
    }

    /// Number K of times or increments.
    pub fn count(&self) -> usize {
        match self {
            Evidence::Increments { scale, .. } => scale.len(),
            Evidence::Curve { logarithms, .. } => logarithms.len(),
        }
    }

    /// Times since the origin, without the origin.
    pub fn times(&self) -> &[f64] {
        match self {
            Evidence::Increments { times, .. } => &times[1..],
            Evidence::Curve { times, .. } => times,
        }
    }

    /// -2 log likelihood (for increments per effective coordinate), and the logarithm of the common factor of <w²>, summed
    /// over the coordinates of one run when `coordinates` are those of one run. None where it does not exist.
    pub fn deviance(&self, process: Process, theta: &[f64]) -> Option<(f64, f64)> {
        match self {
            Evidence::Increments { coordinates, .. } => {
                let (log_determinant, white) = self.whitened(process, theta)?;
                let count = self.count() as f64;
                let amplitude = white.squared_norm_l2() / (coordinates * count);
                (amplitude > 0.0 && amplitude.is_finite())
                    .then(|| (log_determinant + count * amplitude.ln(), amplitude.ln()))
            }
            Evidence::Curve { times, logarithms } => {
                let count = times.len();
                let cholesky = noise(process, theta, times)?;
                let mut columns = Mat::from_fn(count, 2, |i, k| match k {
                    0 => logarithms[i] - process.mean_square(theta, times[i]).ln(),
                    _ => 1.0,
                });
                solve_lower_triangular_in_place(cholesky.L(), columns.as_mut(), Par::Seq);
                let dot = |a: usize, b: usize| (0..count).map(|i| columns[(i, a)] * columns[(i, b)]).sum::<f64>();
                let shift = dot(0, 1) / dot(1, 1);
                let variance = (dot(0, 0) - shift * dot(0, 1)).max(0.0) / count as f64 + f64::MIN_POSITIVE;
                let log_determinant = 2.0 * (0..count).map(|i| cholesky.L()[(i, i)].ln()).sum::<f64>();
                let value = log_determinant + count as f64 * variance.ln();
                value.is_finite().then_some((value, shift))
            }
        }
    }

    /// Number of independent coordinates that the scatter about a process lets see.
    ///
    /// Increments: the whitened moments are Σ λ_k z_k z_kᵀ over coordinates; an element off the diagonal has variance Σ λ_k²,
    /// one on it mean Σ λ_k, so n = (Σ λ)²/Σ λ². Table: 2/variance of log R².
    pub fn effective_coordinates(&self, process: Process, theta: &[f64]) -> Option<f64> {
        let count = self.count();
        match self {
            Evidence::Increments { coordinates, .. } => {
                let (_, white) = self.whitened(process, theta)?;
                let product = &white * white.transpose();
                let diagonal = (0..count).map(|i| product[(i, i)]).sum::<f64>() / count as f64;
                let pairs = (count * (count - 1) / 2) as f64;
                let off: f64 =
                    (0..count).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| product[(i, j)].powi(2)).sum();
                Some((diagonal * diagonal * pairs / off).min(*coordinates))
            }
            Evidence::Curve { .. } => {
                let (value, _) = self.deviance(process, theta)?;
                let Evidence::Curve { times, .. } = self else { return None };
                let cholesky = noise(process, theta, times)?;
                let log_determinant = 2.0 * (0..count).map(|i| cholesky.L()[(i, i)].ln()).sum::<f64>();
                Some(2.0 / ((value - log_determinant) / count as f64).exp())
            }
        }
    }

    /// log det Σ (scaled) and L^-1 F.
    fn whitened(&self, process: Process, theta: &[f64]) -> Option<(f64, Mat<f64>)> {
        let Evidence::Increments { times, scale, factor, .. } = self else { return None };
        let mut covariance = process.increments(theta, times);
        // A common factor is free: taking the mean diagonal out keeps far parameters from under- and overflow.
        let count = scale.len();
        for i in 0..count {
            for j in 0..count {
                covariance[(i, j)] *= scale[i] * scale[j];
            }
        }
        let cholesky = covariance.llt(Side::Lower).ok()?;
        let log_determinant = 2.0 * (0..count).map(|i| cholesky.L()[(i, i)].ln()).sum::<f64>();
        let mut white = factor.clone();
        solve_lower_triangular_in_place(cholesky.L(), white.as_mut(), Par::Seq);
        log_determinant.is_finite().then_some((log_determinant, white))
    }
}

/// Cholesky factor of the correlation of log R².
fn noise(process: Process, theta: &[f64], times: &[f64]) -> Option<Llt<f64>> {
    let mut correlation = process.square_correlations(theta, times);
    (0..times.len()).for_each(|i| correlation[(i, i)] += NUGGET);
    correlation.llt(Side::Lower).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_increments_have_the_likelihood_of_their_coordinates() {
        // Against the density of every coordinate written out with an explicit inverse.
        let times = [0.0, 1.0, 3.0, 4.0];
        let places = [[0.0, 0.4, 1.0, 0.3], [0.0, -1.0, 0.5, 0.7], [0.0, 0.2, -0.2, 1.1], [0.0, 0.6, 0.1, -0.4]];
        let distances: Vec<f64> =
            (0..16).map(|ij| places.iter().map(|w: &[f64; 4]| (w[ij / 4] - w[ij % 4]).powi(2)).sum()).collect();
        let evidence = Evidence::of_distances(&times, &distances, 4.0, 3).unwrap();
        let value = |hurst: f64| {
            let theta = [(hurst / (1.0 - hurst)).ln()];
            let increments = Process::Fractional.increments(&theta, &times);
            let inverse = increments.llt(Side::Lower).unwrap();
            let mut quadratic = 0.0;
            for w in &places {
                let x = Mat::from_fn(3, 1, |i, _| w[i + 1] - w[i]);
                let y = faer::prelude::Solve::solve(&inverse, &x);
                quadratic += (0..3).map(|i| x[(i, 0)] * y[(i, 0)]).sum::<f64>();
            }
            let determinant = increments.determinant().ln();
            (determinant + 3.0 * (quadratic / 12.0).ln(), evidence.deviance(Process::Fractional, &theta).unwrap().0)
        };
        let ((a, x), (b, y)) = (value(0.3), value(0.6));
        assert!(((a - b) - (x - y)).abs() < 1e-10, "{} {}", a - b, x - y);
    }
}
