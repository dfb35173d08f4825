//! Intervals of a fit from the scatter of its units.
//!
//! Formula:   t* = (θ* - θ)/se* over resamples of the units; interval θ - se (q_97.5, q_2.5 of t*); se from the influence
//!            Σ_t a_t S_u(t)/S(t) of every unit u on the functional with weights a
//! Assumes:   units independent and of one kind; at least eight
//! Cost:      resamples × units × points
//! Fails when units depend on each other: the interval is then too narrow
//! Reference: \[EfronTibshirani1993\], chapter 12: studentised, so that few units still cover

use super::diagnosis::{Interval, PowerLawFit};
use super::line::{Line, LineFit};
use crate::math::random::Stream;

/// Sums of one unit at the fitted times, and its weight.
pub(super) type Sums<'a> = (f64, &'a [f64]);

/// The fit with its standard errors.
struct Studentised {
    fit: LineFit,
    slope_error: f64,
    intercept_error: f64,
}

/// Fits the mean of units and finds the intervals.
pub(super) fn fit_units(times: &[f64], units: &[Sums], resamples: usize, seed: u64, purpose: &str) -> PowerLawFit {
    let line = Line::new(times);
    let once = studentised(&line, units, &vec![1.0; units.len()]);
    let mut stream = Stream::new(seed, purpose, 0);
    let (mut slopes, mut intercepts, mut explained) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..resamples {
        let mut counts = vec![0.0; units.len()];
        for _ in 0..units.len() {
            counts[stream.index(units.len() as u32) as usize] += 1.0;
        }
        let again = studentised(&line, units, &counts);
        let student = |value: f64, error: f64| if error > 0.0 { value / error } else { 0.0 };
        slopes.push(student(again.fit.slope - once.fit.slope, again.slope_error));
        intercepts.push(student(again.fit.intercept - once.fit.intercept, again.intercept_error));
        explained.push(again.fit.r_squared);
    }
    let interval = |value: f64, error: f64, students: &mut Vec<f64>| {
        Interval::new(value, value - error * quantile(students, 0.975), value - error * quantile(students, 0.025))
    };
    let intercept = interval(once.fit.intercept, once.intercept_error, &mut intercepts);
    let r_squared = once.fit.r_squared;
    PowerLawFit {
        slope: interval(once.fit.slope, once.slope_error, &mut slopes),
        prefactor: exponential(intercept),
        // The resamples are noisier than the whole: their interval is stretched to hold it.
        r_squared: Interval::new(
            r_squared,
            quantile(&mut explained, 0.025).min(r_squared),
            quantile(&mut explained, 0.975).max(r_squared),
        ),
        first: times[0],
        last: times[times.len() - 1],
        points: times.len(),
    }
}

/// Slope, its standard error and r² without resampling.
pub(super) fn fit_with_error(times: &[f64], units: &[Sums]) -> (f64, f64, f64) {
    let found = studentised(&Line::new(times), units, &vec![1.0; units.len()]);
    (found.fit.slope, found.slope_error, found.fit.r_squared)
}

fn studentised(line: &Line, units: &[Sums], counts: &[f64]) -> Studentised {
    let mut sums = vec![0.0; line.x.len()];
    let mut weight = 0.0;
    for ((unit_weight, unit), count) in units.iter().zip(counts).filter(|(_, count)| **count > 0.0) {
        weight += count * unit_weight;
        sums.iter_mut().zip(*unit).for_each(|(sum, value)| *sum += count * value);
    }
    let means: Vec<f64> = sums.iter().map(|sum| sum / weight).collect();
    let fit = line.fit(&means);
    // Influence of a unit on log R(t): (S_u/S - w_u/W)/2; the weights of the intercept sum to 1, those of the slope to 0.
    let by_time = |weights: &[f64]| -> Vec<f64> { weights.iter().zip(&sums).map(|(a, sum)| 0.5 * a / sum).collect() };
    let (slope, intercept) = (by_time(&line.slope), by_time(&line.intercept));
    let (mut slope_square, mut intercept_square) = (0.0, 0.0);
    for ((unit_weight, unit), count) in units.iter().zip(counts).filter(|(_, count)| **count > 0.0) {
        let (mut of_slope, mut of_intercept) = (0.0, -0.5 * unit_weight / weight);
        for ((value, slope), intercept) in unit.iter().zip(&slope).zip(&intercept) {
            of_slope += slope * value;
            of_intercept += intercept * value;
        }
        slope_square += count * of_slope * of_slope;
        intercept_square += count * of_intercept * of_intercept;
    }
    let correction = units.len() as f64 / (units.len() as f64 - 1.0);
    Studentised {
        fit,
        slope_error: (correction * slope_square).sqrt(),
        intercept_error: (correction * intercept_square).sqrt(),
    }
}

/// exp of an interval.
pub(super) fn exponential(of: Interval) -> Interval {
    Interval { value: of.value.exp(), lower: of.lower.map(f64::exp), upper: of.upper.map(f64::exp) }
}

/// Quantile of a sample, between its order statistics.
pub(super) fn quantile(values: &mut [f64], probability: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let place = probability * (values.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    values[below] + part * (values[(below + 1).min(values.len() - 1)] - values[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_that_of_leaving_units_out() {
        // The influence agrees with the jackknife, to the order of one over the number of units.
        let mut stream = Stream::new(3, "resample", 0);
        let times: Vec<f64> = (1..=12).map(f64::from).collect();
        let units: Vec<Vec<f64>> = (0..60)
            .map(|_| {
                let factor = stream.exponential();
                times.iter().map(|t| t.powf(0.8) * (0.5 + factor + 0.2 * stream.uniform())).collect()
            })
            .collect();
        let sums: Vec<Sums> = units.iter().map(|unit| (1.0, unit.as_slice())).collect();
        let (slope, error, _) = fit_with_error(&times, &sums);
        let without: Vec<f64> = (0..sums.len())
            .map(|left_out| {
                let mut rest = sums.clone();
                rest.remove(left_out);
                fit_with_error(&times, &rest).0
            })
            .collect();
        let count = sums.len() as f64;
        let mean = without.iter().sum::<f64>() / count;
        let jackknife =
            ((count - 1.0) / count * without.iter().map(|value| (value - mean).powi(2)).sum::<f64>()).sqrt();
        assert!((jackknife / error - 1.0).abs() < 0.05, "{jackknife} {error}");
        let fit = fit_units(&times, &sums, 499, 1, "test");
        assert_eq!(fit.slope.value, slope);
        assert!(fit.slope.contains(slope) && fit.prefactor.contains(fit.prefactor.value));
    }
}
