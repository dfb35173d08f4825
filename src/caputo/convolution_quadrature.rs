//! Convolution quadrature by backward differences, with corrected starts.
//!
//! Formula:   τ^(-α) sum_j ω_(n-j) (u_j - u_0) = A u_n + c_n A u_0, sum ω_j ζ^j = δ(ζ)^α,
//!            δ(ζ) = sum_(j=1..k) (1-ζ)^j / j
//! Assumes:   uniform steps
//! Order:     k = 2, 3, for smooth and for rough starts alike, at any fixed time
//! Cost:      a recurrence of length k per weight
//! Fails when positivity is wanted: negative values of the size of the error may appear
//! Reference: \[Lubich1986\], \[JinLiZhou2017\]
//!
//! On increments u_j - u_0 = sum of δ_i up to j, so the weight of lag m is the coefficient of ζ^m in δ(ζ)^α / (1-ζ) =
//! (1-ζ)^(α-1) q(ζ)^α with δ = (1-ζ) q. Its logarithmic derivative is rational: with Q = (1-ζ) q,
//! Q f' = [(1-α) q + α (1-ζ) q'] f gives the coefficients one after another, without the cancellation of summing ω.

use super::{CaputoScheme, FractionalOrder, Guarantees, row_by_lag};

/// Backward differences of order 2 or 3.
#[derive(Clone, Copy, Debug)]
pub struct BackwardDifferences {
    name: &'static str,
    order: f64,
    /// Coefficients of q(ζ), constant first.
    quotient: &'static [f64],
    /// c_1, c_2, ...
    corrections: &'static [f64],
}

impl BackwardDifferences {
    /// Second order.
    pub const SECOND: Self =
        BackwardDifferences { name: "bdf2", order: 2.0, quotient: &[1.5, -0.5], corrections: &[0.5] };
    /// Third order.
    pub const THIRD: Self = BackwardDifferences {
        name: "bdf3",
        order: 3.0,
        quotient: &[11.0 / 6.0, -7.0 / 6.0, 1.0 / 3.0],
        corrections: &[11.0 / 12.0, -5.0 / 12.0],
    };
}

impl CaputoScheme for BackwardDifferences {
    fn name(&self) -> &'static str {
        self.name
    }

    fn guarantees(&self, _: FractionalOrder) -> Guarantees {
        Guarantees {
            smooth_order: self.order,
            rough_order: self.order,
            graded_order: None,
            keeps_positivity: false,
            reference: "JinLiZhou2017",
        }
    }

    fn best_grading(&self, _: FractionalOrder) -> f64 {
        1.0
    }

    fn start_correction(&self, step: usize) -> f64 {
        self.corrections.get(step - 1).copied().unwrap_or(0.0)
    }

    fn needs_uniform_steps(&self) -> bool {
        true
    }

    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]) {
        row_by_lag(self, order, steps, out);
    }

    fn lag_weights(&self, order: FractionalOrder, step: f64, count: usize) -> Option<Vec<f64>> {
        let alpha = order.value();
        let q = |index: usize| self.quotient.get(index).copied().unwrap_or(0.0);
        let degree = self.quotient.len();
        // (1-ζ) q and (1-α) q + α (1-ζ) q', coefficient by coefficient.
        let product: Vec<f64> = (0..=degree).map(|i| q(i) - if i > 0 { q(i - 1) } else { 0.0 }).collect();
        let slope = |i: usize| (i as f64 + 1.0) * q(i + 1);
        let source: Vec<f64> = (0..degree)
            .map(|i| (1.0 - alpha) * q(i) + alpha * (slope(i) - if i > 0 { slope(i - 1) } else { 0.0 }))
            .collect();
        let mut weights = Vec::with_capacity(count);
        let scale = step.powf(-alpha);
        weights.push(q(0).powf(alpha));
        for n in 1..count {
            // Coefficient of ζ^(n-1) on both sides: sum_i product_i (n-i) f_(n-i) = sum_i source_i f_(n-1-i).
            let right: f64 = (0..degree.min(n)).map(|i| source[i] * weights[n - 1 - i]).sum();
            let left: f64 = (1..=degree.min(n - 1)).map(|i| product[i] * (n - i) as f64 * weights[n - i]).sum();
            weights.push((right - left) / (product[0] * n as f64));
        }
        weights.truncate(count);
        weights.iter_mut().for_each(|weight| *weight *= scale);
        Some(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_partial_sums_of_the_power_of_the_generating_polynomial() {
        // δ(ζ)^α by repeated multiplication of series: exp(α ln δ) through the binomial series of each factor is
        // replaced here by α = 1/2, where the square of the weights' series must be δ(ζ) / (1-ζ)².
        for scheme in [BackwardDifferences::SECOND, BackwardDifferences::THIRD] {
            let weights =
                scheme.lag_weights(FractionalOrder::new(0.5).expect("valid"), 1.0, 60).expect("a convolution");
            let square: Vec<f64> = (0..60).map(|n| (0..=n).map(|i| weights[i] * weights[n - i]).sum()).collect();
            // δ/(1-ζ)² = q/(1-ζ): partial sums of q.
            let mut expected = 0.0;
            for (n, value) in square.iter().enumerate() {
                expected += scheme.quotient.get(n).copied().unwrap_or(0.0);
                assert!((value - expected).abs() < 1e-13, "{} {n}: {value} {expected}", scheme.name());
            }
        }
    }

    #[test]
    fn weights_decay_like_the_kernel() {
        // Lag m: m^(-α)/Γ(1-α) as m grows, whatever the scheme.
        let order = FractionalOrder::new(0.3).expect("valid");
        for scheme in [BackwardDifferences::SECOND, BackwardDifferences::THIRD] {
            let weights = scheme.lag_weights(order, 1.0, 100_001).expect("a convolution");
            let exact = 1e5f64.powf(-0.3) / crate::math::special::gamma(0.7);
            assert!((weights[100_000] / exact - 1.0).abs() < 1e-5, "{}", scheme.name());
        }
    }

    #[test]
    fn order_one_gives_the_classical_formulas() {
        let one = FractionalOrder::new(1.0).expect("valid");
        let weights = BackwardDifferences::SECOND.lag_weights(one, 0.5, 5).expect("a convolution");
        assert_eq!(weights, [3.0, -1.0, 0.0, 0.0, 0.0]);
        let weights = BackwardDifferences::THIRD.lag_weights(one, 1.0, 5).expect("a convolution");
        let expected = [11.0 / 6.0, -7.0 / 6.0, 1.0 / 3.0, 0.0, 0.0];
        assert!(weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{weights:?}");
    }
}
