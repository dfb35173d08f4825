//! Distances between distributions on the same cells.

use crate::math::summation::compensated_sum;

/// Kullback-Leibler divergence of `probability` from the distribution with natural logarithms `log_reference` \[nats\].
///
/// The reference is given by its logarithms because it may underflow where the probability does not. Cells with
/// probability 0 contribute nothing.
///
/// # Panics
/// When the lengths differ.
///
/// ```
/// use porewalk::estimate::divergence::kullback_leibler;
/// let half = 0.5f64.ln();
/// assert_eq!(kullback_leibler(&[1.0, 0.0], &[half, half]), 2f64.ln());
/// ```
pub fn kullback_leibler(probability: &[f64], log_reference: &[f64]) -> f64 {
    assert_eq!(probability.len(), log_reference.len(), "distributions on the same cells");
    let terms = probability.iter().zip(log_reference).filter(|(p, _)| **p > 0.0);
    // p ln(p/q) - p + q is never negative: summing it avoids the cancellation between cells of opposite sign.
    let gaps = terms.map(|(p, log)| p * (p.ln() - log) - p + log.exp());
    let missed = probability.iter().zip(log_reference).filter(|(p, _)| **p <= 0.0).map(|(_, log)| log.exp());
    compensated_sum(gaps.chain(missed)).max(0.0)
}

/// Total variation distance, half the sum of absolute differences.
///
/// # Panics
/// When the lengths differ.
pub fn total_variation(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "distributions on the same cells");
    0.5 * compensated_sum(a.iter().zip(b).map(|(a, b)| (a - b).abs()))
}

/// Largest |a - b| / b over the cells where b exceeds `floor` times its maximum.
///
/// # Panics
/// When the lengths differ.
pub fn largest_relative_difference(a: &[f64], b: &[f64], floor: f64) -> f64 {
    assert_eq!(a.len(), b.len(), "distributions on the same cells");
    let threshold = floor * b.iter().copied().fold(0.0, f64::max);
    let kept = a.iter().zip(b).filter(|(_, b)| **b > threshold);
    kept.map(|(a, b)| ((a - b) / b).abs()).fold(0.0, f64::max)
}

/// Relative L1 distance: the sum of |a - b| over the sum of |b|.
///
/// # Panics
/// When the lengths differ.
pub fn relative_l1(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "distributions on the same cells");
    compensated_sum(a.iter().zip(b).map(|(a, b)| (a - b).abs())) / compensated_sum(b.iter().map(|b| b.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_between_two_coins() {
        let (p, q) = ([0.3, 0.7], [0.5, 0.5]);
        let logs = q.map(f64::ln);
        let exact = 0.3 * 0.6f64.ln() + 0.7 * 1.4f64.ln();
        assert!((kullback_leibler(&p, &logs) - exact).abs() < 1e-16);
        assert_eq!(kullback_leibler(&q, &logs), 0.0);
        assert!((total_variation(&p, &q) - 0.2).abs() < 1e-16);
        assert!((largest_relative_difference(&p, &q, 1e-12) - 0.4).abs() < 1e-15);
        assert!((relative_l1(&p, &q) - 0.4).abs() < 1e-15);
    }

    #[test]
    fn a_reference_that_underflows_still_has_a_divergence() {
        let logs = [0.0, -2000.0];
        let p = [0.5, 0.5];
        assert!((kullback_leibler(&p, &logs) - (0.5f64.ln() + 1000.0)).abs() < 1e-12);
    }
}
