//! Special functions on the real line: Bernoulli, gamma, Mittag-Leffler, differences of powers.
//!
//! Every function here is tested against values of at least 25 digits (`tests/reference`).

use std::f64::consts::{FRAC_PI_2, PI};

use mittagleffler::MittagLeffler;

use crate::error::{Error, Result};

/// Bernoulli function B(u) = u / (eᵘ − 1), the weight of the Scharfetter-Gummel flux.
///
/// Within 2 units in the last place for every u where B(u) is a normal number; 0 where it underflows.
///
/// ```
/// use porewalk::math::special::bernoulli;
/// assert_eq!(bernoulli(0.0), 1.0);
/// assert_eq!(bernoulli(-1e5), 1e5);
/// assert_eq!(bernoulli(1e5), 0.0);
/// ```
pub fn bernoulli(u: f64) -> f64 {
    if u == 0.0 {
        1.0
    } else if u > 800.0 {
        0.0
    } else if u > 700.0 {
        // e^u overflows before B(u) underflows: take e^(-37) out, which is a double to 0.004 units in the last place.
        (37.0 - u).exp() * u * 8.533047625744066e-17
    } else {
        u / u.exp_m1()
    }
}

/// Derivative of the [Bernoulli function](bernoulli): B'(u) = B(u) (1 - B(-u)) / u.
///
/// ```
/// use porewalk::math::special::bernoulli_derivative;
/// assert_eq!(bernoulli_derivative(0.0), -0.5);
/// assert_eq!(bernoulli_derivative(-1e3), -1.0);
/// ```
pub fn bernoulli_derivative(u: f64) -> f64 {
    if u.abs() < 0.1 {
        // The series spares the difference 1 - B(-u).
        let square = u * u;
        -0.5 + u * (1.0 / 6.0 - square * (1.0 / 180.0 - square * (1.0 / 5040.0 - square / 151_200.0)))
    } else {
        bernoulli(u) * (1.0 - bernoulli(-u)) / u
    }
}

/// Logarithm of the [Bernoulli function](bernoulli), for every finite u: neither over- nor underflow.
///
/// ln B(−u) − ln B(u) = u, the logarithm of the ratio of the two rates of a face.
///
/// ```
/// use porewalk::math::special::log_bernoulli;
/// assert!((log_bernoulli(1e6) + 999_986.184_489_442).abs() < 1e-9);
/// ```
pub fn log_bernoulli(u: f64) -> f64 {
    if u > 2.0 {
        u.ln() - u - (-(-u).exp()).ln_1p()
    } else if u < -2.0 {
        (-u).ln() - (-u.exp()).ln_1p()
    } else {
        // B(u) = e^(-v) v / sinh v with v = u/2; sinh(v)/v - 1 by its series, without cancellation.
        let v = 0.5 * u;
        let square = v * v;
        let excess = (1..=10).rev().fold(0.0, |tail: f64, k| {
            let k = f64::from(k);
            square / ((2.0 * k) * (2.0 * k + 1.0)) * (1.0 + tail)
        });
        -v - excess.ln_1p()
    }
}

/// Gamma function Γ(x); infinite or not a number at the poles 0, −1, −2, …
///
/// ```
/// assert_eq!(porewalk::math::special::gamma(5.0), 24.0);
/// ```
pub fn gamma(x: f64) -> f64 {
    special::Gamma::gamma(x)
}

/// Logarithm of |Γ(x)|.
///
/// ```
/// assert!((porewalk::math::special::log_gamma(101.0) - 363.739_375_555_563_5).abs() < 1e-12);
/// ```
pub fn log_gamma(x: f64) -> f64 {
    special::Gamma::ln_gamma(x).0
}

/// Reciprocal gamma function 1/Γ(x), entire: 0 at the poles of Γ.
///
/// ```
/// use porewalk::math::special::reciprocal_gamma;
/// assert_eq!(reciprocal_gamma(-3.0), 0.0);
/// assert!((reciprocal_gamma(0.5) - std::f64::consts::PI.sqrt().recip()).abs() < 1e-15);
/// ```
pub fn reciprocal_gamma(x: f64) -> f64 {
    reciprocal_gamma_of_sum(x, 0.0)
}

/// 1/Γ(high + low) for |low| below one unit in the last place of high: keeps the relative accuracy near poles.
fn reciprocal_gamma_of_sum(high: f64, low: f64) -> f64 {
    if high > 0.5 {
        return gamma(high).recip();
    }
    // Reflection: 1/Γ(y) = sin(πy) Γ(1 − y) / π, the sine from the distance to the nearest integer.
    let nearest = high.round();
    let distance = (high - nearest) + low;
    if distance == 0.0 {
        return 0.0;
    }
    let sign = if nearest.rem_euclid(2.0) == 0.0 { 1.0 } else { -1.0 };
    sign * (PI * distance).sin() / PI * gamma(1.0 - high)
}

/// (from + step)ᵉ − fromᵉ without cancellation, for from ≥ 0, step > 0 and 0 < e ≤ 1: the weights of memory sums.
///
/// Within 4 units in the last place over the tested range (step/from from 1e-18 to infinity).
///
/// ```
/// use porewalk::math::special::power_increase;
/// assert_eq!(power_increase(1.0, 1e-18, 0.5), 5e-19);
/// assert_eq!(power_increase(0.0, 9.0, 0.5), 3.0);
/// ```
///
/// # Panics
/// In debug builds, when the arguments are outside their range.
pub fn power_increase(from: f64, step: f64, exponent: f64) -> f64 {
    debug_assert!(from >= 0.0 && step > 0.0 && exponent > 0.0, "from >= 0, step > 0 and exponent > 0");
    if from == 0.0 {
        return step.powf(exponent);
    }
    // Nothing is subtracted, so steps may be far shorter or far longer than what lies behind them; the power of the
    // larger time is taken, so that no large exponential multiplies a rounded logarithm.
    let growth = exponent * (step / from).ln_1p();
    if step > from { -(-growth).exp_m1() * (from + step).powf(exponent) } else { growth.exp_m1() * from.powf(exponent) }
}

/// Mittag-Leffler function E_(α,β)(z) = Σ zᵏ / Γ(αk + β) for real z, 0 < α ≤ 1 and β > 0.
///
/// Relative error, measured against 30-digit values (`tests/mittag_leffler.rs`; α from 0.05 to 1, z from −1e8 to
/// 1.2, β = 1, α, 1 + α and 1/2): at most 1.3e-14, and 5e-15 for β = 1 and z < 0. The `mittagleffler` crate alone
/// reaches 8e-15 for β = 1 and α ≤ 0.95, but 5e-14 at α = 0.99, 3e-13 at α = 0.999, and for β = α only 1e-13 at
/// z = −50 and 1e-5 at z = −1e8, because its contour has an absolute accuracy. So it is used between the ranges of
/// the Taylor series (|z| ≤ 1/2) and of the asymptotic series, and there replaced, for β = α > 0.7 and for
/// β = 1, α > 0.96, by the integral
///
/// ```text
/// E_(α,1)(−x) = 1/(πα) ∫₀^πα exp(−r) dψ,   E_(α,α)(−x) = 1/(παx) ∫₀^πα r exp(−r) dψ,
/// r = (x sin ψ / sin(πα − ψ))^(1/α),
/// ```
///
/// whose integrand is positive. At α = 1: the exponential for β = 1, (eᶻ − 1)/z for β = 2, series otherwise.
/// For other β and |z| > 1/2 the accuracy is the crate's, absolute rather than relative.
///
/// ```
/// use porewalk::math::special::mittag_leffler;
/// assert_eq!(mittag_leffler(1.0, 1.0, -2.0)?, (-2.0f64).exp());
/// // E_(1/2)(-1) = e erfc(1)
/// assert!((mittag_leffler(0.5, 1.0, -1.0)? - 0.427_583_576_155_807).abs() < 1e-15);
/// # Ok::<(), porewalk::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] outside the ranges above, [`Error::NotFinite`] when the value overflows or is not found.
pub fn mittag_leffler(alpha: f64, beta: f64, z: f64) -> Result<f64> {
    if !(alpha > 0.0 && alpha <= 1.0) {
        return Err(Error::invalid("alpha", alpha, "0 < alpha <= 1", ""));
    }
    if !(beta > 0.0 && beta.is_finite()) {
        return Err(Error::invalid("beta", beta, "beta is positive and finite", ""));
    }
    if !z.is_finite() {
        return Err(Error::invalid("z", z, "the argument is finite", ""));
    }
    let value = if alpha == 1.0 {
        mittag_leffler_of_order_one(beta, z)
    } else if z.abs() <= 0.5 {
        Some(taylor_series(alpha, beta, z))
    } else if z > 0.0 {
        from_crate(alpha, beta, z)
    } else if let Some(value) = asymptotic_series(alpha, beta, z) {
        Some(value)
    } else if (beta == alpha && alpha > 0.7) || (beta == 1.0 && alpha > 0.96) {
        Some(positive_integral(alpha, beta, -z))
    } else {
        from_crate(alpha, beta, z)
    };
    match value {
        Some(value) if value.is_finite() => Ok(value),
        _ => Err(Error::NotFinite { stage: format!("Mittag-Leffler function E_({alpha},{beta})({z})") }),
    }
}

fn from_crate(alpha: f64, beta: f64, z: f64) -> Option<f64> {
    z.mittag_leffler(alpha, beta).map(|value| value.re)
}

/// Power series, for |z| small enough that an alternating sum loses nothing.
fn taylor_series(alpha: f64, beta: f64, z: f64) -> f64 {
    let (mut sum, mut power) = (0.0, 1.0);
    for k in 0..80 {
        let term = power * reciprocal_gamma(alpha.mul_add(f64::from(k), beta));
        sum += term;
        power *= z;
        if k > 1 && power.abs() < 1e-18 * sum.abs() {
            break;
        }
    }
    sum
}

/// −Σ z⁻ᵏ / Γ(β − αk) for z < 0, while its terms fall below rounding; `None` where they do not.
fn asymptotic_series(alpha: f64, beta: f64, z: f64) -> Option<f64> {
    let (mut sum, mut power, mut last_bound) = (0.0f64, 1.0f64, f64::INFINITY);
    for k in 1..=60 {
        power /= z;
        let k = f64::from(k);
        // β − αk as an unevaluated sum of two doubles
        let product = alpha * k;
        let product_rest = alpha.mul_add(k, -product);
        let high = beta - product;
        let shift = high - beta;
        let low = (beta - (high - shift)) - (product + shift) - product_rest;
        let bound = if high > 0.0 { f64::INFINITY } else { power.abs() * gamma((1.0 - high).max(1.5)) };
        if bound.is_finite() {
            if bound > last_bound {
                return None;
            }
            if bound < 1e-17 * sum.abs() {
                return Some(sum);
            }
            last_bound = bound;
        }
        sum -= power * reciprocal_gamma_of_sum(high, low);
    }
    None
}

/// The integral over a positive integrand in the documentation of [`mittag_leffler`], β = 1 or β = α, x > 0.
///
/// Double-exponential rule: the layers at both ends, of width π(1 − α) for α near 1, cost no more nodes.
fn positive_integral(alpha: f64, beta: f64, x: f64) -> f64 {
    const STEP: f64 = 1.0 / 32.0;
    const HALF_COUNT: i32 = 115;
    let angle = PI * alpha;
    let supplement = PI * (1.0 - alpha);
    let mut sum = 0.0;
    for index in -HALF_COUNT..=HALF_COUNT {
        let t = f64::from(index) * STEP;
        // fractions of the interval to the left and to the right of the node
        let ratio = (-PI * t.sinh()).exp();
        let (left, right) = (1.0 / (1.0 + ratio), ratio / (1.0 + ratio));
        let psi = angle * left;
        let numerator = if psi > FRAC_PI_2 { (supplement + angle * right).sin() } else { psi.sin() };
        let rest = angle * right;
        let denominator = if rest > FRAC_PI_2 { (supplement + psi).sin() } else { rest.sin() };
        let rate = (x * (numerator / denominator)).powf(alpha.recip());
        if rate > 700.0 {
            break; // it only grows from here on
        }
        let weight = PI * t.cosh() * left * right;
        sum += weight * (-rate).exp() * if beta == 1.0 { 1.0 } else { rate };
    }
    STEP * sum / if beta == 1.0 { 1.0 } else { x }
}

/// E_(1,β)(z).
fn mittag_leffler_of_order_one(beta: f64, z: f64) -> Option<f64> {
    if beta == 1.0 {
        return Some(z.exp());
    }
    if z == 0.0 {
        return Some(reciprocal_gamma(beta));
    }
    if beta == 2.0 {
        return Some(z.exp_m1() / z);
    }
    if z.abs() <= 0.5 {
        return Some(taylor_series(1.0, beta, z));
    }
    if z < 0.0 {
        if let Some(value) = asymptotic_series(1.0, beta, z) {
            return Some(value);
        }
        // Kummer's transformation: e^z/Γ(β) Σ (β − 1)/(β − 1 + n) (−z)ⁿ/n!, terms of one sign for β > 1.
        let mut power = 1.0;
        let mut sum = 1.0;
        for n in 1..1000 {
            let n = f64::from(n);
            power *= -z / n;
            let term = power * (beta - 1.0) / (beta - 1.0 + n);
            sum += term;
            if n > -z && term.abs() < 1e-17 * sum.abs() {
                return Some(sum * z.exp() * reciprocal_gamma(beta));
            }
        }
        return None;
    }
    let mut term = reciprocal_gamma(beta);
    let mut sum = term;
    for k in 0..2000 {
        term *= z / (f64::from(k) + beta);
        sum += term;
        if term < 1e-17 * sum {
            return Some(sum);
        }
    }
    None
}
