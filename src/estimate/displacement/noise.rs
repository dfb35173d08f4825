//! The noise of one curve of displacements, and the error of its slope where there are no units to resample.
//!
//! Formula:   Cov(log R²(s), log R²(t)) = σ² ρ(s, t)²; Var slope = Σ a_s a_t σ² ρ²/4, a the weights of the line
//! Assumes:   the power law is right, and the process is fractional (or scaled) Brownian motion of that very exponent
//! Cost:      K³ once, K² per line, K <= 400
//! Fails when the curve is no power law: σ² then holds the misfit as well
//! Reference: \[Isserlis1918\], \[Lamperti1962\]

use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, Par, Side};

use super::diagnosis::{Interval, PowerLawFit};
use super::layout::log_spaced;
use super::line::Line;
use super::resample::exponential;
use crate::math::statistics::student_quantile;

/// Part of the variance that counts as rounding.
pub(super) const NUGGET: f64 = 1e-6;
/// Largest number of times from which σ² is estimated.
const POINTS: usize = 60;

/// Correlation of log R² at two times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Correlation {
    /// That of fractional Brownian motion.
    Fractional(f64),
    /// (s/t)^2h, s < t: independent increments.
    Markov(f64),
}

impl Correlation {
    pub fn at(self, s: f64, t: f64) -> f64 {
        let (s, t) = if s < t { (s, t) } else { (t, s) };
        match self {
            Correlation::Fractional(h) => {
                let ratio = s / t;
                let rho = 0.5 * (ratio.powf(h) + ratio.powf(-h) * (1.0 - (1.0 - ratio).powf(2.0 * h)));
                rho * rho
            }
            Correlation::Markov(h) => (s / t).powf(2.0 * h),
        }
    }

    /// Those that are tried.
    pub fn all() -> impl Iterator<Item = Self> {
        let fractional = (1..=19).map(|k| Correlation::Fractional(0.05 * f64::from(k)));
        fractional.chain((0..8).map(|k| Correlation::Markov(0.1 * 1.6_f64.powi(k))))
    }
}

/// The noise about a straight line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noise {
    /// σ² ρ² of all times, row after row; σ² unbiased.
    covariance: Vec<f64>,
    /// Degrees of freedom of σ².
    freedom: f64,
}

/// The noise of a curve about its line: of the two processes of that slope the likelier one. None when neither has a
/// likelihood.
pub(super) fn noise_of(times: &[f64], squares: &[f64]) -> Option<Noise> {
    let hurst = Line::new(times).fit(squares).slope.clamp(0.02, 0.98);
    let all: Vec<usize> = (0..times.len()).collect();
    let places = log_spaced(times, &all, POINTS);
    [Correlation::Fractional(hurst), Correlation::Markov(hurst)]
        .into_iter()
        .filter_map(|correlation| {
            let count = places.len();
            let matrix = Mat::from_fn(count, count, |i, j| {
                correlation.at(times[places[i]], times[places[j]]) + if i == j { NUGGET } else { 0.0 }
            });
            let cholesky = matrix.llt(Side::Lower).ok()?;
            let mut columns = Mat::from_fn(count, 3, |i, k| match k {
                0 => 1.0,
                1 => times[places[i]].ln(),
                _ => squares[places[i]].ln(),
            });
            solve_lower_triangular_in_place(cholesky.L(), columns.as_mut(), Par::Seq);
            // What is left of y after both other columns were taken out, by Gram-Schmidt.
            let dot = |columns: &Mat<f64>, a: usize, b: usize| {
                (0..count).map(|i| columns[(i, a)] * columns[(i, b)]).sum::<f64>()
            };
            for (from, to) in [(0, 1), (0, 2), (1, 2)] {
                let factor = dot(&columns, from, to) / dot(&columns, from, from);
                (0..count).for_each(|i| columns[(i, to)] -= factor * columns[(i, from)]);
            }
            let freedom = (count as f64 - 2.0).max(1.0);
            let variance = dot(&columns, 2, 2) / freedom;
            // Restricted likelihood: with the information of both coefficients, (0, 0) and (1, 1) after Gram-Schmidt.
            let log_determinant = 2.0 * (0..count).map(|i| cholesky.L()[(i, i)].ln()).sum::<f64>();
            let information = (dot(&columns, 0, 0) * dot(&columns, 1, 1)).ln();
            let deviance = freedom * variance.max(f64::MIN_POSITIVE).ln() + log_determinant + information;
            let row = |s: f64| times.iter().map(move |t| variance * correlation.at(s, *t));
            Some((deviance, Noise { covariance: times.iter().flat_map(|s| row(*s)).collect(), freedom }))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, noise)| noise)
}

/// A fit of a curve from point `start` on, with the noise of the whole curve.
pub(super) fn fit_curve(times: &[f64], squares: &[f64], start: usize, noise: Option<&Noise>) -> PowerLawFit {
    let all = times.len();
    let (times, squares) = (&times[start..], &squares[start..]);
    let line = Line::new(times);
    let fit = line.fit(squares);
    let half = |weights: &[f64]| {
        let of = |noise: &Noise| {
            let mut square = 0.0;
            for (row, a) in noise.covariance.chunks_exact(all).skip(start).zip(weights) {
                square += a * row[start..].iter().zip(weights).map(|(value, b)| b * value).sum::<f64>();
            }
            0.5 * student_quantile(0.975, noise.freedom) * square.max(0.0).sqrt()
        };
        noise.map_or(f64::INFINITY, of)
    };
    let around = |value: f64, half: f64| Interval::new(value, value - half, value + half);
    PowerLawFit {
        slope: around(fit.slope, half(&line.slope)),
        prefactor: exponential(around(fit.intercept, half(&line.intercept))),
        r_squared: Interval::unbounded(fit.r_squared),
        first: times[0],
        last: times[times.len() - 1],
        points: times.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_the_processes() {
        let (s, t, h) = (3.0_f64, 7.0_f64, 0.3);
        let power = |x: f64| x.powf(2.0 * h);
        let covariance = 0.5 * (power(s) + power(t) - power(t - s));
        let exact = covariance * covariance / (power(s) * power(t));
        for (a, b) in [(s, t), (t, s)] {
            assert!((Correlation::Fractional(h).at(a, b) - exact).abs() < 1e-14);
            assert!((Correlation::Markov(h).at(a, b) - power(s) / power(t)).abs() < 1e-14);
        }
        assert!(Correlation::all().all(|one| (one.at(2.0, 2.0) - 1.0).abs() < 1e-14));
    }

    #[test]
    fn an_exact_power_law_has_no_noise() {
        let times: Vec<f64> = (1..=50).map(f64::from).collect();
        let squares: Vec<f64> = times.iter().map(|t| 4.0 * t.powf(0.8)).collect();
        let fit = fit_curve(&times, &squares, 0, noise_of(&times, &squares).as_ref());
        assert!(fit.slope.contains(0.4) && fit.slope.upper.unwrap() - fit.slope.lower.unwrap() < 1e-9);
    }
}
