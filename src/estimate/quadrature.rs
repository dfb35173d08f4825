//! The learning coefficient's expectation by quadrature: what a sampler should give, without a sampler.
//!
//! Formula:   t ∫ (L - L*) exp(-t (L - L*) - (g/2)|w - w*|²) dw / ∫ exp(-t (L - L*) - (g/2)|w - w*|²) dw
//! Assumes:   one or two dimensions, crests of the integrand along the axes through w* or wide ones
//! Cost:      (2 n)^d losses, for two n
//! Fails when nothing bounds the integral (no prior, no box, a loss that does not grow): the estimate of its error says so

use super::graded_points::GradedLosses;
use crate::error::{Error, Result};
use crate::landscape::Landscape;

/// Points on either side of an axis in one and two dimensions; a second rule has two thirds of them.
const POINTS: [usize; 2] = [6000, 420];
/// The prior's density is below e^-40 of its peak beyond this many standard deviations.
const DEVIATIONS: f64 = 9.0;
/// Reach without a prior and without a box: the integrand must have vanished there.
const FAR: f64 = 1e3;

/// t E[L - L(w*)] under exp(-t L - (g/2)|w - w*|²), and an estimate of the error of this number.
///
/// # Errors
/// More than two dimensions, or a loss that is not finite.
pub fn expected_energy(
    landscape: &dyn Landscape,
    at: &[f64],
    inverse_temperature: f64,
    localization: f64,
    box_radius: Option<f64>,
) -> Result<(f64, f64)> {
    let dimension = at.len();
    let Some(count) = dimension.checked_sub(1).and_then(|index| POINTS.get(index)) else {
        return Err(Error::DoesNotApply {
            method: "quadrature",
            why: format!("it takes one or two dimensions, not {dimension}"),
            remedy: "use a sampler".into(),
        });
    };
    let prior = if localization > 0.0 { DEVIATIONS / localization.sqrt() } else { FAR };
    let reach = box_radius.map_or(prior, |radius| radius.min(prior));
    let baseline = landscape.loss(at);
    let mut values = [0.0; 2];
    for (value, count) in values.iter_mut().zip([*count, count * 2 / 3]) {
        let points = GradedLosses::new(landscape, at, reach, count)?;
        let energies = || points.losses.iter().map(|loss| inverse_temperature * (loss - baseline));
        let (mut weight, mut energy) = (0.0, 0.0);
        for ((own, square), volume) in energies().zip(&points.squares).zip(&points.volumes) {
            let density = volume * (-own - 0.5 * localization * square).exp();
            weight += density;
            energy += density * own;
        }
        *value = energy / weight;
    }
    Ok((values[0], (values[0] - values[1]).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::parameters::Value;
    use crate::landscape::{Analytic, ExpressionLandscape};

    fn expression(formula: &str, dimension: usize) -> ExpressionLandscape {
        ExpressionLandscape::new(formula, dimension).expect("a formula")
    }

    /// Values of the closed form 1/2 + a (1 - K1(a)/K0(a)), a = g²/(8 t), in 60-digit arithmetic.
    #[test]
    fn a_crossing_with_a_normal_prior_has_its_value_at_every_temperature() {
        let crossing = expression("x^2*y^2", 2);
        for (t, g, expected) in [
            (144.76, 1.0, 0.36140),
            (144.76, 10.0, 0.20199),
            (1e3, 1.0, 0.39027),
            (1e4, 1.0, 0.41234),
            (1e6, 1.0, 0.43754),
        ] {
            let (found, error) = expected_energy(&crossing, &[0.0, 0.0], t, g, None).expect("two dimensions");
            assert!((found - expected).abs() < 6e-6, "t = {t}, g = {g}: {found} for {expected}");
            assert!(error < 1e-5, "{error:e}");
        }
    }

    #[test]
    fn boxes_bound_the_integral() {
        // t = n / ln n for n = 1e3 and 1e5, flat prior on [-1, 1]².
        let cases = [
            ("x^2*y^2", 144.765, 0.35588),
            ("x^2*y^2", 8685.89, 0.40936),
            ("x^2*y^4", 144.765, 0.20898),
            ("x^2*y^4", 8685.89, 0.23666),
        ];
        for (formula, t, expected) in cases {
            let (found, _) =
                expected_energy(&expression(formula, 2), &[0.0, 0.0], t, 0.0, Some(1.0)).expect("two dimensions");
            assert!((found - expected).abs() < 2e-5, "{formula} at {t}: {found} for {expected}");
        }
    }

    #[test]
    fn wells_have_their_exact_values() {
        let stiffness = ("stiffness".to_string(), Value::Numbers(vec![2.0, 30.0]));
        let well = Analytic::build("harmonic", 2, &[stiffness].into()).expect("a well");
        let exact = 0.5 * (100.0 * 2.0 / 203.0 + 100.0 * 30.0 / 3003.0);
        let (found, _) = expected_energy(&well, &[0.0, 0.0], 100.0, 3.0, None).expect("two dimensions");
        assert!((found - exact).abs() < 1e-9, "{found} {exact}");
        // Homogeneous of degree 4 without a prior: d/4 at every temperature.
        let (found, _) = expected_energy(&expression("x^4", 1), &[0.0], 7.0, 0.0, None).expect("one dimension");
        assert!((found - 0.25).abs() < 1e-9, "{found}");
    }

    #[test]
    fn three_dimensions_are_refused() {
        assert!(expected_energy(&expression("x^2 + y^2 + z^2", 3), &[0.0; 3], 1.0, 1.0, None).is_err());
    }
}
