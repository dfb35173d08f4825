//! Quantiles of Student's law.

use special::Beta;

/// The t with P(T <= t) = `p` for `freedom` degrees of freedom.
///
/// ```
/// let quantile = porewalk::math::statistics::student_quantile(0.975, 10.0);
/// assert!((quantile - 2.228_138_852).abs() < 1e-8);
/// ```
///
/// # Panics
/// When p is not between 0 and 1 or there is no freedom.
pub fn student_quantile(p: f64, freedom: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0 && freedom > 0.0, "a quantile needs 0 < p < 1 and freedom > 0");
    // P(|T| > t) = I_x(ν/2, 1/2), x = ν/(ν + t²).
    let tail = 2.0 * p.min(1.0 - p);
    let (a, b) = (0.5 * freedom, 0.5_f64);
    let log_beta = a.ln_beta(b);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // Bisection in t/(1 + t): monotone, and exact to rounding after 200 halvings.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let t = middle / (1.0 - middle);
        if (freedom / (freedom + t * t)).inc_beta(a, b, log_beta) > tail { low = middle } else { high = middle }
    }
    let t = low / (1.0 - low);
    if p < 0.5 { -t } else { t }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_one_and_two_degrees_of_freedom_are_closed_forms() {
        for p in [0.01, 0.3, 0.5, 0.8, 0.975, 0.999] {
            let cauchy = (std::f64::consts::PI * (p - 0.5)).tan();
            assert!((student_quantile(p, 1.0) - cauchy).abs() < 1e-9 * (1.0 + cauchy.abs()), "{p}");
            let two = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            assert!((student_quantile(p, 2.0) - two).abs() < 1e-9 * (1.0 + two.abs()), "{p}");
        }
        assert!((student_quantile(0.975, 1e7) - 1.959_964).abs() < 1e-5);
    }
}
