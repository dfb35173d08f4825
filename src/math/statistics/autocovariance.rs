//! Autocovariances of chains and the effective sample size that follows from them.
//!
//! Formula:   ESS = draws of all chains / τ,  τ = -1 + 2 Σ ρ_t over Geyer's initial monotone positive sequence,
//!            ρ_t = 1 - (W - mean autocovariance at lag t) / var⁺
//! Assumes:   chains of one length; draws at equal steps
//! Cost:      one real transform per chain, a little longer than it, or twice as long when the sequence does not end early;
//!            the chains' spectra are added and brought back once
//! Fails when the chains have not met: then the ESS is small, as it should be
//! Reference: \[Vehtari2021\], \[Geyer1992\]; details (where the sequence ends, the smallest τ) as ArviZ has them

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Range below which ArviZ takes values for constant.
const CONSTANT: f64 = 1e-15;

/// Terms that are summed side by side: a single sum would wait for every addition.
const SIDE_BY_SIDE: usize = 8;

/// Plans and buffers for chains of one length.
pub(super) struct Autocovariance {
    draws: usize,
    /// Transforms for the first lags, then for all of them.
    transforms: [Transform; 2],
    /// Which transform the last series needed.
    needed: usize,
}

/// Real transforms of one length.
struct Transform {
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    padded: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

/// The shortest even length from `least` on without prime factors above 5.
fn fast_length(least: usize) -> usize {
    let smooth = |length: &usize| {
        let mut rest = *length;
        for factor in [2, 3, 5] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        rest == 1 && length.is_multiple_of(2)
    };
    (least.max(2)..).find(smooth).expect("a power of two follows every number")
}

impl Transform {
    fn new(planner: &mut RealFftPlanner<f64>, length: usize) -> Self {
        let (forward, backward) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let scratch = forward.get_scratch_len().max(backward.get_scratch_len());
        Transform {
            padded: vec![0.0; length],
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex64::default(); scratch],
            forward,
            backward,
        }
    }

    /// Mean over all chains of the autocovariances at those lags that the padding keeps apart. `series` is (chain, draw), of whose values f is taken.
    fn mean(&mut self, series: &[f64], f: impl Fn(f64) -> f64, means: &[f64]) -> Vec<f64> {
        let draws = series.len() / means.len();
        let mut power = vec![0.0; self.spectrum.len()];
        for (chain, mean) in series.chunks_exact(draws).zip(means) {
            let (data, padding) = self.padded.split_at_mut(draws);
            data.iter_mut().zip(chain).for_each(|(out, value)| *out = f(*value) - mean);
            padding.fill(0.0);
            self.forward
                .process_with_scratch(&mut self.padded, &mut self.spectrum, &mut self.scratch)
                .expect("buffers of the plan's lengths");
            power.iter_mut().zip(&self.spectrum).for_each(|(sum, value)| *sum += value.norm_sqr());
        }
        self.spectrum.iter_mut().zip(&power).for_each(|(out, power)| *out = Complex64::new(*power, 0.0));
        self.backward
            .process_with_scratch(&mut self.spectrum, &mut self.padded, &mut self.scratch)
            .expect("a spectrum whose ends are real");
        let lags = draws.min(self.padded.len() - draws);
        let scale = 1.0 / (self.padded.len() as f64 * series.len() as f64);
        self.padded[..lags].iter().map(|value| value * scale).collect()
    }
}

impl Autocovariance {
    pub(super) fn new(draws: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        // Chains that mix need few lags, and the padding need not be longer than these.
        let lengths = [draws + draws / 64 + 16, 2 * draws].map(fast_length);
        Autocovariance { draws, transforms: lengths.map(|length| Transform::new(&mut planner, length)), needed: 0 }
    }

    /// Effective sample size of f(value) over `series`, (chain, draw): at least two chains of at least two draws.
    pub(super) fn effective_sample_size(&mut self, series: &[f64], f: impl Fn(f64) -> f64) -> f64 {
        let first = f(series[0]);
        // Most series show at once that they are not constant.
        let varies = series.iter().any(|value| (f(*value) - first).abs() >= CONSTANT);
        if !varies && range(series, &f) < CONSTANT {
            return series.len() as f64;
        }
        let means: Vec<f64> =
            series.chunks_exact(self.draws).map(|chain| sum_of(chain, &f) / self.draws as f64).collect();
        let draws = self.draws as f64;
        let tau = loop {
            let covariances = self.transforms[self.needed].mean(series, &f, &means);
            let within = covariances[0] * draws / (draws - 1.0);
            let total = covariances[0] + variance(&means);
            let correlation = |lag: usize| covariances.get(lag).map(|value| 1.0 - (within - value) / total);
            match relaxation(self.draws, correlation) {
                Some(tau) => break tau,
                None => self.needed = 1,
            }
        };
        if tau.is_nan() {
            return f64::NAN;
        }
        series.len() as f64 / tau.max(1.0 / (series.len() as f64).log10())
    }
}

/// Sum of f over all values.
pub(super) fn sum_of(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let pieces = values.chunks_exact(SIDE_BY_SIDE);
    let rest: f64 = pieces.remainder().iter().map(|&value| f(value)).sum();
    let mut sums = [0.0; SIDE_BY_SIDE];
    for piece in pieces {
        sums.iter_mut().zip(piece).for_each(|(sum, &value)| *sum += f(value));
    }
    sums.iter().sum::<f64>() + rest
}

/// Largest minus smallest f(value).
fn range(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let ends = |(low, high): (f64, f64), &value: &f64| (low.min(f(value)), high.max(f(value)));
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    high - low
}

pub(super) fn mean(values: &[f64]) -> f64 {
    sum_of(values, |value| value) / values.len() as f64
}

/// Variance with divisor count - 1.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    sum_of(values, |value| (value - mean) * (value - mean)) / (values.len() as f64 - 1.0)
}

/// τ from the correlations at lags 1 to draws - 1: pairs of lags are summed until a sum is negative, and no sum may exceed
/// the one before it. `None` when a correlation is needed that is not known, not a
/// number when one is none.
fn relaxation(draws: usize, correlation: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let mut kept = vec![0.0; draws];
    let (mut even, mut odd) = (1.0, correlation(1)?);
    (kept[0], kept[1]) = (even, odd);
    let mut lag = 1;
    while lag + 3 < draws && even + odd > 0.0 {
        (even, odd) = (correlation(lag + 1)?, correlation(lag + 2)?);
        if even + odd >= 0.0 {
            (kept[lag + 1], kept[lag + 2]) = (even, odd);
        }
        lag += 2;
    }
    // The last even lag counts once when it is positive, whatever the odd one after it is.
    let last = lag - 1;
    if even > 0.0 {
        kept[last] = even;
    }
    let mut lag = 1;
    while lag + 3 <= last {
        let before = kept[lag - 1] + kept[lag];
        if kept[lag + 1] + kept[lag + 2] > before {
            (kept[lag + 1], kept[lag + 2]) = (before / 2.0, before / 2.0);
        }
        lag += 2;
    }
    if kept.iter().any(|value| value.is_nan()) {
        return Some(f64::NAN);
    }
    Some(-1.0 + 2.0 * kept[..last].iter().sum::<f64>() + kept[last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_agree_with_the_definition() {
        for draws in [2, 3, 7, 50, 200] {
            let series: Vec<f64> = (0..3 * draws).map(|k| ((k * k * 7 + k) % 31) as f64).collect();
            let means: Vec<f64> = series.chunks_exact(draws).map(mean).collect();
            let [first, all] = Autocovariance::new(draws)
                .transforms
                .map(|mut transform| transform.mean(&series, |value| value, &means));
            assert!(all.len() == draws && first.len() <= draws);
            for (lag, found) in all.iter().enumerate() {
                let sum: f64 = series
                    .chunks_exact(draws)
                    .zip(&means)
                    .map(|(chain, mean)| {
                        (lag..draws).map(|k| (chain[k] - mean) * (chain[k - lag] - mean)).sum::<f64>() / draws as f64
                    })
                    .sum();
                let allowed = 1e-12 * 31.0 * 31.0;
                assert!((found - sum / 3.0).abs() < allowed, "{draws} {lag}");
                assert!(first.get(lag).is_none_or(|first| (first - found).abs() < allowed), "{draws} {lag}");
            }
        }
    }

    #[test]
    fn fast_lengths_are_even_and_smooth() {
        assert_eq!([1, 2, 3, 7, 11, 13, 10_000, 10_001].map(fast_length), [2, 2, 4, 8, 12, 16, 10_000, 10_240]);
    }
}
