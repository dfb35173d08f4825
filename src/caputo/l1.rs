//! The L1 scheme.
//!
//! Formula:   D^α f(t_n) ≈ sum_k w_k (f_k - f_(k-1)), w_k = \[(t_n - t_(k-1))^(1-α) - (t_n - t_k)^(1-α)\] / (τ_k Γ(2-α))
//! Assumes:   nothing of the steps
//! Order:     2-α smooth; for starts like t^α: 1 at a fixed time on uniform steps, 2-α on steps graded with r = (2-α)/α
//! Cost:      one weight and one multiplication per past step and unknown
//! Fails when nothing: implicit L1 keeps mass and positivity for every step; at α = 1 it is backward Euler
//! Reference: \[SunWu2006\], \[LinXu2007\]; rough starts \[JinLazarovZhou2016\], \[StynesORiordanGracia2017\]

use super::{CaputoScheme, FractionalOrder, Guarantees, Interpolation, row_by_lag};
use crate::math::special::{gamma, power_increase};

/// Piecewise linear interpolation of f under the Caputo integral.
#[derive(Clone, Copy, Debug, Default)]
pub struct L1;

impl CaputoScheme for L1 {
    fn name(&self) -> &'static str {
        "l1"
    }

    fn guarantees(&self, order: FractionalOrder) -> Guarantees {
        // At order 1 the scheme is backward Euler, of order 1 = 2 - order as well.
        Guarantees {
            smooth_order: 2.0 - order.value(),
            rough_order: 1.0,
            graded_order: Some(2.0 - order.value()),
            keeps_positivity: true,
            reference: "StynesORiordanGracia2017",
        }
    }

    fn best_grading(&self, order: FractionalOrder) -> f64 {
        (2.0 - order.value()) / order.value()
    }

    fn interpolation(&self) -> Option<Interpolation> {
        Some(Interpolation::Linear)
    }

    fn lag_weights(&self, order: FractionalOrder, step: f64, count: usize) -> Option<Vec<f64>> {
        let scale = step.powf(-order.value()) / gamma(2.0 - order.value());
        let weight = |lag: usize| match (lag, order.value() < 1.0) {
            (0, _) => scale,
            (_, true) => scale * power_increase(lag as f64, 1.0, 1.0 - order.value()),
            (_, false) => 0.0,
        };
        Some((0..count).map(weight).collect())
    }

    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]) {
        assert_eq!(steps.len(), out.len(), "one weight per step");
        let exponent = 1.0 - order.value();
        if exponent == 0.0 {
            // Backward Euler: the kernel has shrunk to a point, and only the newest increment counts.
            out.fill(0.0);
            if let (Some(weight), Some(step)) = (out.last_mut(), steps.last()) {
                *weight = 1.0 / step;
            }
            return;
        }
        let scale = 1.0 / gamma(2.0 - order.value());
        // Ages are summed from the newest step back: no difference of nearly equal times is ever formed.
        let mut age = 0.0;
        for (&step, weight) in steps.iter().zip(out.iter_mut()).rev() {
            *weight = scale * power_increase(age, step, exponent) / step;
            age += step;
        }
    }
}

/// L1 on uniform steps with half of A u_0 added to the first step: starts like t^α keep the order 2-α at fixed times
/// \[YanKhanFord2018\].
#[derive(Clone, Copy, Debug, Default)]
pub struct CorrectedL1;

impl CaputoScheme for CorrectedL1 {
    fn name(&self) -> &'static str {
        "l1-corrected"
    }

    fn guarantees(&self, order: FractionalOrder) -> Guarantees {
        Guarantees {
            smooth_order: 2.0 - order.value(),
            rough_order: 2.0 - order.value(),
            graded_order: None,
            // The correction is a force like the operator on the start, which is negative somewhere.
            keeps_positivity: false,
            reference: "YanKhanFord2018",
        }
    }

    fn best_grading(&self, _: FractionalOrder) -> f64 {
        1.0
    }

    fn start_correction(&self, step: usize) -> f64 {
        if step == 1 { 0.5 } else { 0.0 }
    }

    fn needs_uniform_steps(&self) -> bool {
        true
    }

    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]) {
        row_by_lag(self, order, steps, out);
    }

    fn lag_weights(&self, order: FractionalOrder, step: f64, count: usize) -> Option<Vec<f64>> {
        L1.lag_weights(order, step, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivative_of_a_straight_line_is_exact() {
        // D^α t = t^(1-α) / Γ(2-α), and L1 is exact for piecewise linear functions.
        let steps = [1e-9, 3e-4, 0.2, 0.01, 1.3];
        let end: f64 = steps.iter().sum();
        for order in [0.1, 0.5, 0.9, 1.0] {
            let order = FractionalOrder::new(order).expect("valid");
            let mut row = [0.0; 5];
            L1.row(order, &steps, &mut row);
            let derivative: f64 = row.iter().zip(steps).map(|(weight, step)| weight * step).sum();
            let exact = end.powf(1.0 - order.value()) / gamma(2.0 - order.value());
            assert!((derivative / exact - 1.0).abs() < 1e-14, "order {}", order.value());
        }
    }

    #[test]
    fn weights_grow_towards_the_present() {
        let order = FractionalOrder::new(0.3).expect("valid");
        let steps = [0.1; 50];
        let mut row = [0.0; 50];
        L1.row(order, &steps, &mut row);
        assert!(row.windows(2).all(|pair| pair[0] < pair[1]) && row[0] > 0.0);
    }
}
