//! Whether the average over time agrees with the average over runs.
//!
//! Formula:   EB = Var(δ²)/<δ²>², δ² a run's time-averaged squared displacement at the first lag;
//!            Gaussian with stationary increments: EB = (2/(d N²)) Σ_ij r(i - j)², r their correlation, N windows;
//!            Brownian motion: about (4/3)(lag/duration)/d; waiting times of order a: 2 Γ(1+a)²/Γ(1+2a) - 1
//! Assumes:   evenly spaced times, at least eight runs, coordinates of a run independent (d of them effective)
//! Cost:      resamples × runs
//! Fails when runs differ for another reason than chance (other learning rates): they scatter too
//! Reference: \[MetzlerJeonCherstvyBarkai2014\], \[HeBurovMetzlerBarkai2008\], \[Isserlis1918\]

use super::diagnosis::{Ergodicity, Interval, PowerLawFit};
use super::layout::Pairs;
use super::moments::{LEAST_UNITS, Moments, PARTS, UnitKind};
use super::resample::{Sums, fit_units, quantile};
use crate::math::random::Stream;
use crate::math::special::gamma;

/// Scatter above this multiple of the Gaussian value is beyond Gaussian.
const BEYOND_GAUSSIAN: f64 = 2.0;
/// Least number of points of the shortest part of the time in the ageing of the time average.
const LEAST_PART: usize = 10;

/// Compares both averages. `coordinates` is the number of independent coordinates of a run. None without enough runs of
/// evenly spaced times.
pub(super) fn ergodicity(
    moments: &Moments,
    ensemble: &PowerLawFit,
    time_averaged: &PowerLawFit,
    coordinates: f64,
    resamples: usize,
    seed: u64,
) -> Option<Ergodicity> {
    let Some((lag, Pairs::Shift(shift))) = moments.layout.lags.first() else { return None };
    if moments.kind != UnitKind::Runs || moments.first_lag.len() < LEAST_UNITS {
        return None;
    }
    let breaking = breaking_parameter(&moments.first_lag, resamples, seed);
    let windows = moments.layout.times.len() - shift;
    let gaussian = gaussian_value(time_averaged.slope.value, *shift as f64, windows) / coordinates;
    let duration = moments.layout.times[moments.layout.times.len() - 1];
    let order = 2.0 * ensemble.slope.value;
    let is_apart = ensemble.slope.is_apart_from(&time_averaged.slope);
    let scatters = breaking.lower.is_some_and(|lower| lower > BEYOND_GAUSSIAN * gaussian);
    let ageing_exponent = ageing(moments, resamples, seed);
    // Confined runs that differ in their noise scatter too, but their time averages do not age.
    let ages = ageing_exponent.is_some_and(|exponent| exponent.upper.is_some_and(|upper| upper < 0.0));
    Some(Ergodicity {
        weakly_broken: is_apart && scatters && ages,
        scatters_beyond_gaussian: scatters,
        ensemble_slope: ensemble.slope,
        time_averaged_slope: time_averaged.slope,
        lag: *lag,
        breaking_parameter: breaking,
        gaussian,
        brownian: 4.0 / 3.0 * lag / duration / coordinates,
        waiting_times: (order > 0.0 && order < 1.0)
            .then(|| 2.0 * gamma(1.0 + order).powi(2) / gamma(1.0 + 2.0 * order) - 1.0),
        ageing_exponent,
    })
}

/// Variance over squared mean, with the percentiles of its bootstrap.
fn breaking_parameter(values: &[f64], resamples: usize, seed: u64) -> Interval {
    let count = values.len() as f64;
    let of = |sum: f64, squares: f64| (squares / count - (sum / count).powi(2)) / (sum / count).powi(2);
    let all = of(values.iter().sum(), values.iter().map(|value| value * value).sum());
    let mut stream = Stream::new(seed, "ergodicity", 0);
    let mut again: Vec<f64> = (0..resamples)
        .map(|_| {
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..values.len() {
                let value = values[stream.index(values.len() as u32) as usize];
                sum += value;
                squares += value * value;
            }
            of(sum, squares)
        })
        .collect();
    // Unbiased: a sample of n has (n-1)/n of the variance.
    let unbiased = count / (count - 1.0);
    Interval::new(all * unbiased, quantile(&mut again, 0.025) * unbiased, quantile(&mut again, 0.975) * unbiased)
}

/// EB of one coordinate of fractional Brownian motion: (2/N²) Σ_ij r(i-j)².
fn gaussian_value(hurst: f64, lag: f64, windows: usize) -> f64 {
    let power = |x: f64| x.abs().powf(2.0 * hurst.clamp(0.01, 1.0));
    let correlation = |k: f64| (power(k + lag) + power(k - lag) - 2.0 * power(k)) / (2.0 * power(lag));
    let count = windows as f64;
    let sum: f64 = (1..windows).map(|k| 2.0 * (count - k as f64) * correlation(k as f64).powi(2)).sum();
    2.0 * (count + sum) / (count * count)
}

/// Exponent of the time average at the first lag against the duration of the measurement.
fn ageing(moments: &Moments, resamples: usize, seed: u64) -> Option<Interval> {
    let count = moments.layout.times.len();
    if count / PARTS[0] < LEAST_PART {
        return None;
    }
    let durations: Vec<f64> = PARTS.iter().map(|part| (count / part) as f64).collect();
    let units: Vec<Sums> = moments.units.iter().map(|unit| (unit.weight, unit.ageing.as_slice())).collect();
    let positive = |part: usize| units.iter().map(|(_, sums)| sums[part]).sum::<f64>() > 0.0;
    // The fit is of a root: the mean square has twice its exponent.
    (0..PARTS.len()).all(positive).then(|| fit_units(&durations, &units, resamples, seed, "ageing").slope.scaled(2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brownian_motion_scatters_as_the_textbook_says() {
        // Windows that overlap: (4/3) lag/duration for lags of many steps and long runs.
        let found = gaussian_value(0.5, 40.0, 8000 - 40);
        assert!((found / (4.0 / 3.0 * 40.0 / 8000.0) - 1.0).abs() < 0.02, "{found}");
        // Lag 1: the squares of independent increments.
        assert!((gaussian_value(0.5, 1.0, 500) - 2.0 / 500.0).abs() < 1e-12);
    }
}
