//! A straight line through log R against log t.
//!
//! Formula:   slope = Σ ω (x - x̄) y / Σ ω (x - x̄)², x = log t, y = (log R²)/2, ω_i = (x_(i+1) - x_(i-1))/2
//! Assumes:   at least two times > 0
//! Cost:      one logarithm per point
//! Fails when a displacement is 0
//! Reference: least squares over log t as a continuous variable: a dense grid of late times weighs no more than its decades

/// The linear functionals of a fit at given times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// log t.
    pub x: Vec<f64>,
    /// Weights ω, of sum 1.
    pub weights: Vec<f64>,
    /// slope = Σ of these times log R.
    pub slope: Vec<f64>,
    /// log prefactor = Σ of these times log R.
    pub intercept: Vec<f64>,
}

/// What a line gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LineFit {
    pub slope: f64,
    pub intercept: f64,
    pub r_squared: f64,
}

impl Line {
    /// The fit at these times.
    pub fn new(times: &[f64]) -> Self {
        let x: Vec<f64> = times.iter().map(|time| time.ln()).collect();
        let last = x.len() - 1;
        let widths: Vec<f64> = (0..=last).map(|i| x[(i + 1).min(last)] - x[i.saturating_sub(1)]).collect();
        let total: f64 = widths.iter().sum();
        let weights: Vec<f64> = widths.iter().map(|width| width / total).collect();
        let mean: f64 = weights.iter().zip(&x).map(|(weight, x)| weight * x).sum();
        let spread: f64 = weights.iter().zip(&x).map(|(weight, x)| weight * (x - mean).powi(2)).sum();
        let slope: Vec<f64> = weights.iter().zip(&x).map(|(weight, x)| weight * (x - mean) / spread).collect();
        let intercept = weights.iter().zip(&slope).map(|(weight, slope)| weight - mean * slope).collect();
        Line { x, weights, slope, intercept }
    }

    /// The line through mean squared displacements.
    pub fn fit(&self, squares: &[f64]) -> LineFit {
        let y: Vec<f64> = squares.iter().map(|square| 0.5 * square.ln()).collect();
        self.fit_logarithms(&y)
    }

    /// The line through logarithms of displacements.
    pub fn fit_logarithms(&self, y: &[f64]) -> LineFit {
        let dot = |weights: &[f64]| weights.iter().zip(y).map(|(weight, y)| weight * y).sum::<f64>();
        let (slope, intercept, mean) = (dot(&self.slope), dot(&self.intercept), dot(&self.weights));
        let (mut residual, mut total) = (0.0, 0.0);
        for ((weight, x), y) in self.weights.iter().zip(&self.x).zip(y) {
            residual += weight * (y - intercept - slope * x).powi(2);
            total += weight * (y - mean).powi(2);
        }
        // A constant displacement has no variance to explain but rounding.
        let r_squared = if total > 1e-24 * (1.0 + mean * mean) { 1.0 - residual / total } else { 0.0 };
        LineFit { slope, intercept, r_squared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_and_a_dense_end_does_not_weigh_more() {
        let times: Vec<f64> = (1..=500).map(f64::from).collect();
        let fit = Line::new(&times).fit(&times.iter().map(|t| 9.0 * t.powf(0.6)).collect::<Vec<_>>());
        assert!((fit.slope - 0.3).abs() < 1e-12 && (fit.intercept - 3f64.ln()).abs() < 1e-12);
        assert!((fit.r_squared - 1.0).abs() < 1e-12);
        // A bent curve gives nearly the same slope on a uniform and on a logarithmic grid.
        let bent = |times: &[f64]| Line::new(times).fit(&times.iter().map(|t| t / (1.0 + 0.1 * t)).collect::<Vec<_>>());
        let logarithmic: Vec<f64> = (0..=500).map(|k| 500f64.powf(f64::from(k) / 500.0)).collect();
        assert!((bent(&times).slope - bent(&logarithmic).slope).abs() < 0.01);
    }
}
