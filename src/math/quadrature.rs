//! Gauss-Legendre quadrature.

/// Nodes in (-1, 1) and weights of the rule with `count` points, exact for polynomials of degree 2 count - 1.
///
/// # Panics
/// When `count` is zero.
///
/// ```
/// let rule = porewalk::math::quadrature::gauss_legendre(3);
/// let integral: f64 = rule.iter().map(|(x, weight)| weight * x.powi(4)).sum();
/// assert!((integral - 2.0 / 5.0).abs() < 1e-15);
/// ```
pub fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    assert!(count > 0, "a rule has at least one point");
    let degree = count as f64;
    let node = |k: usize| {
        // Newton's method on the Legendre polynomial, from the usual cosine guess.
        let mut x = (std::f64::consts::PI * (k as f64 + 0.75) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..50 {
            let (mut previous, mut current) = (1.0, x);
            for n in 2..=count {
                let n = n as f64;
                (previous, current) = (current, ((2.0 * n - 1.0) * x * current - (n - 1.0) * previous) / n);
            }
            slope = degree * (x * current - previous) / (x * x - 1.0);
            let change = current / slope;
            x -= change;
            if change.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_exact_up_to_their_degree() {
        for count in 1..=12 {
            let rule = gauss_legendre(count);
            for degree in 0..2 * count as i32 {
                let integral: f64 = rule.iter().map(|(x, weight)| weight * x.powi(degree)).sum();
                let exact = if degree % 2 == 0 { 2.0 / f64::from(degree + 1) } else { 0.0 };
                assert!((integral - exact).abs() < 4e-15, "{count} points, degree {degree}: {integral}");
            }
        }
    }
}
