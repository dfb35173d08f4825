//! The memory sum on uniform steps by fast Fourier transforms, one step at a time.
//!
//! Formula:   after n accepted increments, with p the largest power of two dividing n, the increments of the steps
//!            n-p..n act on the steps n..n+p by one cyclic convolution of length 2p
//! Assumes:   uniform steps, weights that depend on the lag alone
//! Order:     that of the scheme; equal to the direct sum to rounding
//! Cost:      N log² N per cell, twice the direct sum's memory
//! Fails when steps are graded: refused at construction
//! Reference: \[HairerLubichSchlichte1985\]
//!
//! Every pair (increment, later step) belongs to exactly one such block: that of the smallest dyadic interval holding
//! both, whose middle is n. Blocks shorter than [`BASE`] are summed directly.

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::MemorySum;
use crate::caputo::{CaputoScheme, FractionalOrder};

/// Blocks up to this length are summed directly.
const BASE: usize = 64;
/// Cells transformed together: a cache line of increments is read at once.
const TILE: usize = 8;

/// Blocked online convolution.
pub struct FftSum {
    size: usize,
    capacity: usize,
    step: f64,
    /// Weights by lag, newest first.
    weights: Vec<f64>,
    /// Increment k in elements k·size..(k+1)·size.
    increments: Vec<f64>,
    /// What finished blocks contribute to step n, in elements n·size..(n+1)·size.
    ahead: Vec<f64>,
    levels: Vec<Level>,
    count: usize,
    flops: u64,
}

/// Transforms of one block length p = BASE · 2^level.
struct Level {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    /// Spectrum of the weights of lags 0..2p, over 2p.
    spectrum: Vec<Complex64>,
}

impl FftSum {
    /// An empty history of vectors of length `size` for at most `capacity` steps of length `step`; `None` when the
    /// scheme is no convolution on uniform steps.
    pub fn new(
        scheme: &dyn CaputoScheme,
        order: FractionalOrder,
        size: usize,
        capacity: usize,
        step: f64,
    ) -> Option<Self> {
        let mut planner = RealFftPlanner::<f64>::new();
        let longest = BASE << Self::level_count(capacity).saturating_sub(1);
        let weights = scheme.lag_weights(order, step, (2 * longest).max(capacity + 1))?;
        let levels = (0..Self::level_count(capacity)).map(|level| Level::new(&mut planner, &weights, BASE << level));
        Some(FftSum {
            size,
            capacity,
            step,
            levels: levels.collect(),
            weights,
            increments: Vec::with_capacity(size * capacity),
            ahead: vec![0.0; size * capacity],
            count: 0,
            flops: 0,
        })
    }

    /// Bytes that a history of `capacity` vectors of length `size` takes.
    pub fn bytes_needed(size: usize, capacity: usize) -> u64 {
        (2 * size as u64).saturating_mul(capacity as u64).saturating_mul(size_of::<f64>() as u64)
    }

    /// Floating-point operations of all sums over `count` steps of vectors of length `size`.
    pub fn flops_needed(size: usize, count: usize) -> u64 {
        let blocks: u64 = (0..Self::level_count(count))
            .map(|level| {
                let length = BASE << level;
                // Blocks of this length end at its odd multiples.
                let number = (count - 1) / length - (count - 1) / (2 * length);
                number as u64 * block_flops(length)
            })
            .sum();
        size as u64 * (blocks + (BASE * count) as u64)
    }

    /// Block lengths that occur before the end of `capacity` steps.
    fn level_count(capacity: usize) -> usize {
        (0..).take_while(|level| (BASE << level) < capacity).count()
    }

    /// Adds the newest block of length `BASE << level` to the steps after it.
    fn add_block(&mut self, level: usize) {
        let length = BASE << level;
        let last = (self.count + length).min(self.capacity);
        if last == self.count {
            return;
        }
        let Level { forward, inverse, spectrum } = &self.levels[level];
        let mut real = vec![0.0; 2 * length * TILE];
        let mut complex = vec![Complex64::ZERO; length + 1];
        let mut scratch = vec![Complex64::ZERO; forward.get_scratch_len().max(inverse.get_scratch_len())];
        let first = (self.count - length) * self.size;
        for start in (0..self.size).step_by(TILE) {
            let width = TILE.min(self.size - start);
            for (row, increment) in self.increments[first..].chunks_exact(self.size).enumerate() {
                for (lane, value) in increment[start..start + width].iter().enumerate() {
                    real[lane * 2 * length + row] = *value;
                }
            }
            for lane in real.chunks_exact_mut(2 * length).take(width) {
                lane[length..].fill(0.0);
                // Lengths agree by construction; the transforms have no other way to fail.
                let done = forward.process_with_scratch(lane, &mut complex, &mut scratch);
                debug_assert!(done.is_ok());
                complex.iter_mut().zip(spectrum).for_each(|(value, weight)| *value *= weight);
                // Rounding may leave imaginary parts where a real signal has none.
                complex[0].im = 0.0;
                complex[length].im = 0.0;
                let done = inverse.process_with_scratch(&mut complex, lane, &mut scratch);
                debug_assert!(done.is_ok());
            }
            let rows = self.ahead[self.count * self.size..last * self.size].chunks_exact_mut(self.size);
            for (row, out) in rows.enumerate() {
                for (lane, value) in out[start..start + width].iter_mut().enumerate() {
                    *value += real[lane * 2 * length + length + row];
                }
            }
        }
        self.flops += self.size as u64 * block_flops(length);
    }
}

/// Two real transforms of twice the block's length n at 5/2 n log2 n each, and the product.
fn block_flops(length: usize) -> u64 {
    let points = 2 * length as u64;
    5 * points * u64::from(points.ilog2()) + 4 * points
}

impl Level {
    fn new(planner: &mut RealFftPlanner<f64>, weights: &[f64], length: usize) -> Self {
        let (forward, inverse) = (planner.plan_fft_forward(2 * length), planner.plan_fft_inverse(2 * length));
        let mut kernel: Vec<f64> = weights[..2 * length].iter().map(|weight| weight / (2 * length) as f64).collect();
        let mut spectrum = forward.make_output_vec();
        let done = forward.process(&mut kernel, &mut spectrum);
        debug_assert!(done.is_ok());
        Level { forward, inverse, spectrum }
    }
}

impl MemorySum for FftSum {
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64 {
        assert_eq!(out.len(), self.size, "one value per cell");
        assert!(self.count < self.capacity, "more steps than the capacity");
        assert!((next_step / self.step - 1.0).abs() < 1e-6, "uniform steps");
        let own = self.count * self.size;
        out.copy_from_slice(&self.ahead[own..own + self.size]);
        let block = self.count - self.count % BASE;
        for past in block..self.count {
            let weight = self.weights[self.count - past];
            let increment = &self.increments[past * self.size..(past + 1) * self.size];
            out.iter_mut().zip(increment).for_each(|(sum, value)| *sum += weight * value);
        }
        self.weights[0]
    }

    fn push(&mut self, increment: &[f64], _: f64) {
        self.flops += 2 * (self.size * (self.count % BASE)) as u64;
        self.increments.extend_from_slice(increment);
        self.count += 1;
        if self.count.is_multiple_of(BASE) {
            // The largest power of two that divides the count.
            let level = (self.count / BASE).trailing_zeros() as usize;
            if level < self.levels.len() {
                self.add_block(level);
            }
        }
    }

    fn flops_ahead(&self) -> (u64, u64) {
        let next = self.count + 1;
        let level = (next / BASE).trailing_zeros() as usize;
        let ends_block = next.is_multiple_of(BASE) && level < self.levels.len();
        let push = if ends_block { self.size as u64 * block_flops(BASE << level) } else { 0 };
        (2 * (self.size * (self.count % BASE)) as u64, push)
    }

    fn flops(&self) -> u64 {
        self.flops
    }

    fn bytes(&self) -> u64 {
        Self::bytes_needed(self.size, self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caputo::{BackwardDifferences, DirectSum, L1, L2Sigma};

    #[test]
    fn equals_the_direct_sum_at_every_step_of_any_number_of_steps() {
        let order = FractionalOrder::new(0.35).expect("valid");
        let schemes: [&dyn CaputoScheme; 2] = [&L1, &BackwardDifferences::THIRD];
        for scheme in schemes {
            for (size, capacity) in [(1, 1), (3, 63), (11, 64), (8, 65), (9, 1000), (2, 1024), (1, 4099)] {
                let step = 0.01;
                let mut fast = FftSum::new(scheme, order, size, capacity, step).expect("a convolution");
                let mut direct = DirectSum::uniform(scheme, order, size, capacity, step).expect("a convolution");
                let mut largest = 0.0f64;
                for n in 0..capacity {
                    let (mut a, mut b) = (vec![f64::NAN; size], vec![f64::INFINITY; size]);
                    assert_eq!(fast.history(step, &mut a), direct.history(step, &mut b));
                    largest = b.iter().fold(largest, |largest, value| largest.max(value.abs()));
                    for (a, b) in a.iter().zip(&b) {
                        assert!((a - b).abs() <= 1e-13 * largest, "{} step {n} of {capacity}: {a} {b}", scheme.name());
                    }
                    let increment: Vec<f64> =
                        (0..size).map(|i| ((7 * n + 3 * i) % 23) as f64 / 23.0 - 0.4 + 1.0 / (n + 1) as f64).collect();
                    fast.push(&increment, step);
                    direct.push(&increment, step);
                }
            }
        }
    }

    #[test]
    fn schemes_that_are_no_convolution_are_refused() {
        let order = FractionalOrder::new(0.35).expect("valid");
        assert!(FftSum::new(&L2Sigma, order, 2, 100, 0.1).is_none());
    }

    #[test]
    fn work_grows_like_n_log_squared_n() {
        let order = FractionalOrder::new(0.5).expect("valid");
        let flops = |steps: usize| {
            let mut sum = FftSum::new(&L1, order, 1, steps, 0.1).expect("a convolution");
            (0..steps).for_each(|_| sum.push(&[1.0], 0.1));
            let predicted = FftSum::flops_needed(1, steps) as f64;
            assert!((predicted / sum.flops() as f64 - 1.0).abs() < 0.02, "{predicted:e} predicted for {}", sum.flops());
            sum.flops() as f64
        };
        let exponent = (flops(1 << 16) / flops(1 << 14)).log2() / 2.0;
        // N log² N between 2^14 and 2^16: 1 + log2((16/14)²)/2 = 1.19 at most.
        assert!(exponent > 1.0 && exponent < 1.2, "{exponent}");
    }
}
