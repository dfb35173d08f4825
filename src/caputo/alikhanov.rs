//! The L2-1σ scheme of Alikhanov, on any steps.
//!
//! Formula:   D^α u(t_(n-σ)) ≈ ∫ ω(t_(n-σ) - s) (Π u)'(s) ds, ω(t) = t^(-α)/Γ(1-α), σ = α/2; Π quadratic through
//!            t_(k-1), t_k, t_(k+1) on past steps, linear on the last
//! Assumes:   nothing of the steps for the weights; the theory wants t_k - t_(k-1) <= 7/4 of the next step
//! Order:     2 smooth; 2 on steps graded with r = 2/α for starts like t^α
//! Cost:      ten evaluations of a power per past step where it is short against its age, two where it is not
//! Fails when positivity is wanted (negative values of the size of the error may appear), and near α = 1 for modes
//!            much faster than the steps: those are damped by α/(2-α) a step and no more
//! Reference: \[Alikhanov2015\], \[LiaoMcLeanZhang2019\]
//!
//! On step k the slope of Π is δ_k/τ_k + 2 (s - t_(k-1/2)) / (τ_k + τ_(k+1)) (δ_(k+1)/τ_(k+1) - δ_k/τ_k). With
//! I_k = ∫ (s - t_(k-1/2)) ω ds over the step, b_k = 2 I_k / (τ_k (τ_k + τ_(k+1))) is taken from δ_k and, times
//! τ_k/τ_(k+1), given to δ_(k+1). At α = 1 all past weights vanish and the scheme is that of Crank and Nicolson.

use std::sync::OnceLock;

use super::{CaputoScheme, FractionalOrder, Guarantees, Interpolation};
use crate::math::quadrature::gauss_legendre;
use crate::math::special::{gamma, power_increase, reciprocal_gamma};

/// Quadratic interpolation of the past, evaluated σ = α/2 of a step before the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct L2Sigma;

impl CaputoScheme for L2Sigma {
    fn name(&self) -> &'static str {
        "l2-1sigma"
    }

    fn guarantees(&self, order: FractionalOrder) -> Guarantees {
        Guarantees {
            smooth_order: 2.0,
            // A start like t^α costs all but one order at a fixed time; at order 1 nothing is rough.
            rough_order: if order.value() < 1.0 { 1.0 } else { 2.0 },
            graded_order: Some(2.0),
            keeps_positivity: false,
            reference: "LiaoMcLeanZhang2019",
        }
    }

    fn best_grading(&self, order: FractionalOrder) -> f64 {
        if order.value() < 1.0 { 2.0 / order.value() } else { 1.0 }
    }

    fn evaluation_offset(&self, order: FractionalOrder) -> f64 {
        0.5 * order.value()
    }

    fn interpolation(&self) -> Option<Interpolation> {
        Some(Interpolation::Quadratic)
    }

    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]) {
        assert_eq!(steps.len(), out.len(), "one weight per step");
        let Some((&last, past)) = steps.split_last() else { return };
        let alpha = order.value();
        let scale = 1.0 / gamma(2.0 - alpha);
        let reach = (1.0 - 0.5 * alpha) * last;
        let newest = past.len();
        out[newest] = scale * reach.powf(1.0 - alpha) / last;
        // From the newest step back; `age` is that of the end of the step, `next` the step after it.
        let (mut age, mut next) = (reach, last);
        for (k, &step) in past.iter().enumerate().rev() {
            let b = 2.0 * first_moment(alpha, age, step) / (step * (step + next));
            out[k] = scale * power_increase(age, step, 1.0 - alpha) / step - b;
            out[k + 1] += b * step / next;
            age += step;
            next = step;
        }
    }
}

/// ∫₀^step (step/2 - x) (age + x)^(-α) dx / Γ(1-α): the first moment of the kernel about the middle of a step.
pub(super) fn first_moment(alpha: f64, age: f64, step: f64) -> f64 {
    static RULE: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    let over_gamma = reciprocal_gamma(1.0 - alpha);
    if over_gamma == 0.0 {
        return 0.0;
    }
    if step > age {
        // No longer a small difference: the two integrals as they are.
        let zeroth = power_increase(age, step, 1.0 - alpha) / (1.0 - alpha);
        let first = power_increase(age, step, 2.0 - alpha) / (2.0 - alpha) - age * zeroth;
        return over_gamma * (0.5 * step * zeroth - first);
    }
    // By parts: α/2 ∫ x (step - x) (age + x)^(-α-1) dx, positive throughout and smooth.
    let rule = RULE.get_or_init(|| gauss_legendre(10));
    let sum: f64 = rule
        .iter()
        .map(|(node, weight)| {
            let x = 0.5 * (1.0 + node);
            0.5 * weight * x * (1.0 - x) * (1.0 + x * step / age).powf(-alpha - 1.0)
        })
        .sum();
    over_gamma * 0.5 * alpha * sum * step * (step / age) * step * age.powf(-alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_moment_agrees_across_its_two_formulas_and_with_a_fine_sum() {
        for alpha in [0.05, 0.3, 0.6, 0.95] {
            for ratio in [1e-6, 0.01, 0.5, 0.999, 1.001, 3.0, 1e4] {
                let (age, step) = (0.7, 0.7 * ratio);
                // Composite Gauss with panels that shrink towards x = 0, where the integrand is steepest.
                let rule = gauss_legendre(20);
                let mut exact = 0.0;
                let mut edges: Vec<f64> = (0..60).map(|k| step * 0.5f64.powi(k)).collect();
                edges.push(0.0);
                for pair in edges.windows(2) {
                    let (high, low) = (pair[0], pair[1]);
                    for (node, weight) in &rule {
                        let x = low + 0.5 * (high - low) * (1.0 + node);
                        exact +=
                            0.5 * (high - low) * weight * 0.5 * alpha * x * (step - x) * (age + x).powf(-alpha - 1.0);
                    }
                }
                exact *= reciprocal_gamma(1.0 - alpha);
                let found = first_moment(alpha, age, step);
                assert!((found / exact - 1.0).abs() < 1e-12, "alpha {alpha}, ratio {ratio}: {found:e}, not {exact:e}");
            }
        }
        assert_eq!(first_moment(1.0, 1.0, 0.5), 0.0);
    }

    #[test]
    fn parabolas_are_differentiated_exactly_once_there_is_a_past() {
        // On two and more steps the interpolation of t² is exact on all but the last, where it is linear; with
        // σ = α/2 that error vanishes on average, to third order in the step: here the row itself is checked against
        // exact integrals of the interpolant's slope.
        let order = FractionalOrder::new(0.4).expect("valid");
        let steps = [0.3, 0.2, 0.25];
        let mut row = [0.0; 3];
        L2Sigma.row(order, &steps, &mut row);
        let times = [0.0, 0.3, 0.5, 0.75];
        let point = times[2] + 0.8 * steps[2];
        // ∫_a^b 2 s ω(point - s) ds in closed form, for the two past steps.
        let kernel = |a: f64, b: f64| {
            let (from, to) = (point - b, point - a);
            let zeroth = (to.powf(0.6) - from.powf(0.6)) / 0.6;
            let first = (to.powf(1.6) - from.powf(1.6)) / 1.6;
            2.0 * (point * zeroth - first) / gamma(0.6)
        };
        let slope = (times[3] * times[3] - times[2] * times[2]) / steps[2];
        let exact =
            kernel(times[0], times[1]) + kernel(times[1], times[2]) + slope * (0.8 * steps[2]).powf(0.6) / gamma(1.6);
        let sum: f64 = (0..3).map(|k| row[k] * (times[k + 1].powi(2) - times[k].powi(2))).sum();
        assert!((sum / exact - 1.0).abs() < 1e-13, "{sum} {exact}");
    }
}
