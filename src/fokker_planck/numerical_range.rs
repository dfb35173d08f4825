//! How far the operator's numerical range opens from the negative real axis.
//!
//! Formula:   with f = p/p_s and face weights q = rate · p_s: -A = H + S, H from (q_ab + q_ba)/2 (detailed balance),
//!            S from the stationary fluxes (q_ab - q_ba)/2; tan(angle) = max |x* S x| / x* H x, the norm of H^-1 S
//! Assumes:   the stationary state, positive everywhere
//! Order:     an estimate from below by power iteration, with a margin of a tenth
//! Cost:      one factorisation of H and up to 40 solves; nothing for operators with detailed balance
//! Fails when stationary probabilities span more than exp(600): f cannot be formed
//! Reference: \[GustafsonRao1997\]
//!
//! Every eigenvalue of A lies in the sector. In the inner product of H, H^-1 S is skew: the growth of its powers
//! tends to its norm from below.

use super::shifted::log_spread;
use super::{Operator, ShiftedSystem, Stationary, StationaryMethod};
use crate::error::Result;

/// Largest spread of stationary logarithms for which f = p/p_s is formed.
const LARGEST_SPREAD: f64 = 600.0;
/// Most iterations.
const ITERATIONS: usize = 40;
/// Relative change of the norm at which the iteration ends.
const SETTLED: f64 = 1e-3;
/// The iteration approaches from below.
const MARGIN: f64 = 1.1;

impl Operator {
    /// Half-angle (radians) of the sector around the negative real axis that holds the numerical range in the inner
    /// product with weight 1/p_s; `None` when the landscape is too steep to tell. Zero with detailed balance.
    ///
    /// # Errors
    /// When the symmetric part cannot be factorised.
    pub fn opening_angle(&self, stationary: &Stationary) -> Result<Option<f64>> {
        if stationary.is_reversible() {
            return Ok(Some(0.0));
        }
        if log_spread(&stationary.log_probability) > LARGEST_SPREAD {
            return Ok(None);
        }
        let weights: Vec<f64> = stationary.log_probability.iter().map(|log| log.exp()).collect();
        let faces: Vec<[usize; 2]> = self.mesh().faces().iter().map(|face| face.cells).collect();
        let (mut even, mut odd) = (Vec::new(), Vec::new());
        for ((&[a, b], forward), backward) in faces.iter().zip(self.forward_rates()).zip(self.backward_rates()) {
            let (up, down) = (forward * weights[a], backward * weights[b]);
            even.push(0.5 * (up + down));
            odd.push(0.5 * (up - down));
        }
        let symmetric = self.with_rates(
            faces.iter().zip(&even).map(|(&[a, _], even)| even / weights[a]).collect(),
            faces.iter().zip(&even).map(|(&[_, b], even)| even / weights[b]).collect(),
        );
        let balanced = Stationary { method: StationaryMethod::LogRatios, ..stationary.clone() };
        // H itself is singular: constants. The right-hand sides are orthogonal to them, a small shift does no harm.
        let shift = 1e-9 * self.exit_rates().into_iter().fold(0.0, f64::max);
        let mut factor = ShiftedSystem::new(&symmetric, &balanced)?.factorize(shift)?;
        let norm =
            |f: &[f64]| faces.iter().zip(&even).map(|(&[a, b], even)| even * (f[a] - f[b]).powi(2)).sum::<f64>().sqrt();
        let mut f: Vec<f64> = (0..weights.len()).map(|k| (1.7 * k as f64).sin()).collect();
        let mut growth = 0.0f64;
        let mut before = norm(&f);
        for _ in 0..ITERATIONS {
            let mut p = vec![0.0; f.len()];
            for (&[a, b], odd) in faces.iter().zip(&odd) {
                p[a] += odd * f[b];
                p[b] -= odd * f[a];
            }
            factor.solve_in_place(&mut p);
            f.iter_mut().zip(&p).zip(&weights).for_each(|((f, p), weight)| *f = p / weight);
            let after = norm(&f);
            let ratio = after / before;
            let settled = (ratio / growth - 1.0).abs() < SETTLED;
            growth = growth.max(ratio);
            if settled || after == 0.0 || !after.is_finite() {
                break;
            }
            f.iter_mut().for_each(|f| *f /= after);
            before = 1.0;
        }
        Ok(growth.is_finite().then(|| (MARGIN * growth).atan()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fokker_planck::{FieldDiffusivity, Flux, FokkerPlanck};
    use crate::landscape::ExpressionLandscape;
    use crate::mesh::{Axis, Mesh};
    use std::sync::Arc;

    #[test]
    fn the_sector_holds_every_eigenvalue_and_the_range() {
        let axes = [Axis::new(-2.0, 2.0, 12).expect("valid"), Axis::new(-2.0, 2.0, 10).expect("valid")];
        let mesh = Arc::new(Mesh::cartesian(&axes).expect("valid"));
        let landscape = ExpressionLandscape::new("(x^2 - 1)^2 + y^2", 2).expect("valid");
        for strength in [0.0, 0.2, 0.45] {
            let diffusivity = FieldDiffusivity(move |w: &[f64]| 0.5 + strength * (2.0 * w[0] + 3.0 * w[1]).sin());
            let operator = FokkerPlanck { landscape: &landscape, diffusivity: &diffusivity, friction: 1.0 }
                .discretize(mesh.clone(), Flux::ScharfetterGummel)
                .expect("an operator");
            let stationary = operator.stationary().expect("a state");
            let angle = operator.opening_angle(&stationary).expect("a factorisation").expect("mild");
            // The same norm from dense matrices: symmetrise by p_s, invert H on the complement of constants.
            let count = mesh.cell_count();
            let weight: Vec<f64> = stationary.log_probability.iter().map(|log| (0.5 * log).exp()).collect();
            let matrix = operator.matrix();
            let scaled = faer::Mat::<f64>::from_fn(count, count, |i, j| {
                -matrix.get(i, j).copied().unwrap_or(0.0) * weight[j] / weight[i]
            });
            let even = faer::Mat::<f64>::from_fn(count, count, |i, j| 0.5 * (scaled[(i, j)] + scaled[(j, i)]));
            let odd = faer::Mat::<f64>::from_fn(count, count, |i, j| 0.5 * (scaled[(i, j)] - scaled[(j, i)]));
            let eigen = even.self_adjoint_eigen(faer::Side::Lower).expect("symmetric");
            let root = faer::Mat::<f64>::from_fn(count, count, |i, k| {
                let value = eigen.S()[k];
                if value > 1e-10 { eigen.U()[(i, k)] / value.sqrt() } else { 0.0 }
            });
            let inner = root.transpose() * &odd * &root;
            let exact = inner.singular_values().expect("finite")[0];
            println!("strength {strength}: tan of the angle {:.4}, dense {exact:.4}", angle.tan());
            assert!(angle.tan() >= exact * (1.0 - 1e-9) - 1e-12 && angle.tan() <= MARGIN * exact + 1e-9);
            for value in scaled.eigenvalues().expect("finite") {
                assert!(value.norm() < 1e-9 || value.arg().abs() <= angle + 1e-9, "{value} outside {angle}");
            }
        }
    }
}
