//! Autocovariances of chains and the effective sample size that follows from them.
//!
//! Formula:   ESS = draws of all chains / τ,  τ = -1 + 2 Σ ρ_t over Geyer's initial monotone positive sequence,
//!            ρ_t = 1 - (W - mean autocovariance at lag t) / var⁺
//! Assumes:   chains of one length; draws at equal steps
//! Cost:      one real transform of twice the length per chain; the chains' spectra are added and brought back once
//! Fails when the chains have not met: then the ESS is small, as it should be
//! Reference: \[Vehtari2021\], \[Geyer1992\]; details (where the sequence ends, the smallest τ) as ArviZ has them

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Range below which ArviZ takes values for constant.
const CONSTANT: f64 = 1e-15;

/// Plans and buffers for chains of one length.
pub(super) struct Autocovariance {
    draws: usize,
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

impl Autocovariance {
    pub(super) fn new(draws: usize) -> Self {
        let length = fast_length(2 * draws);
        let mut planner = RealFftPlanner::new();
        let (forward, backward) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let scratch = forward.get_scratch_len().max(backward.get_scratch_len());
        Autocovariance {
            draws,
            padded: vec![0.0; length],
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex64::default(); scratch],
            forward,
            backward,
        }
    }

    /// Mean over all chains of the autocovariances at lags 0 to draws - 1, and the mean of every chain. `series` is
    /// (chain, draw).
    fn mean(&mut self, series: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut power = vec![0.0; self.spectrum.len()];
        let mut means = Vec::with_capacity(series.len() / self.draws);
        for chain in series.chunks_exact(self.draws) {
            let mean = chain.iter().sum::<f64>() / self.draws as f64;
            means.push(mean);
            let (data, padding) = self.padded.split_at_mut(self.draws);
            data.iter_mut().zip(chain).for_each(|(out, value)| *out = value - mean);
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
        let scale = 1.0 / (self.padded.len() as f64 * self.draws as f64 * means.len() as f64);
        (self.padded[..self.draws].iter().map(|value| value * scale).collect(), means)
    }

    /// Effective sample size of `series`, (chain, draw): at least two chains of at least two draws.
    pub(super) fn effective_sample_size(&mut self, series: &[f64]) -> f64 {
        let (low, high) = series
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (value.min(low), value.max(high)));
        if high - low < CONSTANT {
            return series.len() as f64;
        }
        let (covariances, means) = self.mean(series);
        let draws = self.draws as f64;
        let within = covariances[0] * draws / (draws - 1.0);
        let total = covariances[0] + variance(&means);
        let tau = relaxation(self.draws, |lag| 1.0 - (within - covariances[lag]) / total);
        series.len() as f64 / tau.max(1.0 / (series.len() as f64).log10())
    }
}

/// Variance with divisor count - 1.
pub(super) fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)
}

/// τ from the correlations at lags 1 to draws - 1: pairs of lags are summed until a sum is negative, and no sum may exceed
/// the one before it.
fn relaxation(draws: usize, correlation: impl Fn(usize) -> f64) -> f64 {
    let mut kept = vec![0.0; draws];
    let (mut even, mut odd) = (1.0, correlation(1));
    (kept[0], kept[1]) = (even, odd);
    let mut lag = 1;
    while lag + 3 < draws && even + odd > 0.0 {
        (even, odd) = (correlation(lag + 1), correlation(lag + 2));
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
    -1.0 + 2.0 * kept[..last].iter().sum::<f64>() + kept[last]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_agree_with_the_definition() {
        for draws in [2, 3, 7, 50] {
            let series: Vec<f64> = (0..3 * draws).map(|k| ((k * k * 7 + k) % 31) as f64).collect();
            let (found, means) = Autocovariance::new(draws).mean(&series);
            for (lag, found) in found.iter().enumerate() {
                let sum: f64 = series
                    .chunks_exact(draws)
                    .zip(&means)
                    .map(|(chain, mean)| {
                        (lag..draws).map(|k| (chain[k] - mean) * (chain[k - lag] - mean)).sum::<f64>() / draws as f64
                    })
                    .sum();
                assert!((found - sum / 3.0).abs() < 1e-12 * 31.0 * 31.0, "{draws} {lag}");
            }
        }
    }

    #[test]
    fn fast_lengths_are_even_and_smooth() {
        assert_eq!([1, 2, 3, 7, 11, 13, 10_000, 10_001].map(fast_length), [2, 2, 4, 8, 12, 16, 10_000, 10_240]);
    }
}
