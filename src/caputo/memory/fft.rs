//! The memory sum on uniform steps by fast Fourier transforms, one step at a time.
//!
//! Formula:   blocks of length p form a tree of radix B; when block j-1 of a parent is complete, block j receives
//!            Σ_(i<j) F⁻¹( F(increments of block i) · F(weights of lags (j-i-1)p .. (j-i+1)p) )
//! Assumes:   uniform steps, weights that depend on the lag alone
//! Order:     that of the scheme; equal to the direct sum to rounding
//! Cost:      N log² N per cell, about twice the direct sum's memory
//! Fails when steps are graded: refused at construction
//! Reference: \[HairerLubichSchlichte1985\]; the tree of a larger radix as in \[vanderHoeven2002\]
//!
//! Every pair (increment, later step) belongs to the smallest block that holds both, and there to two different children.
//! A child is transformed once, whatever the number of its younger siblings, and every cell's spectra lie together:
//! a radix of 8 takes a third of the passes over memory that halving would. Blocks of [`BASE`] are summed directly.

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::MemorySum;
use crate::caputo::{CaputoScheme, FractionalOrder};

/// Blocks of this length are summed directly.
const BASE: usize = 128;
/// Largest number of children of a block.
const LARGEST_RADIX: usize = 8;
/// Cells whose increments lie together: a cache line of a step.
const TILE: usize = 8;
/// Frequencies that are summed over all siblings before the next ones: what stays in the first cache.
const BINS: usize = 256;

/// Blocked online convolution.
pub struct FftSum {
    size: usize,
    capacity: usize,
    step: f64,
    tree: Tree,
    /// Weights by lag, newest first.
    weights: Vec<f64>,
    levels: Vec<Level>,
    /// The newest increments, by tile: step k of a tile in row k mod `tree.longest()`.
    increments: Vec<[f64; TILE]>,
    /// What finished blocks contribute to the steps ahead, laid out like the increments.
    ahead: Vec<[f64; TILE]>,
    count: usize,
    flops: u64,
}

/// The blocks of a number of steps: lengths BASE · radix^level below the whole.
#[derive(Clone, Copy)]
struct Tree {
    radix: usize,
    depth: u32,
}

/// Block `child` of its parent on a level is about to begin.
#[derive(Clone, Copy)]
struct Begin {
    level: u32,
    child: usize,
}

/// Transforms of one block length p.
struct Level {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    /// Spectrum over 2p of the weights of lags (d-1)p..(d+1)p in elements (d-1)(p+1)..d(p+1), for distances d >= 1.
    weights: Vec<Complex64>,
    /// Spectra of the finished children of the newest parent, cell by cell.
    blocks: Vec<Complex64>,
    /// Children per parent that have a younger sibling.
    slots: usize,
}

impl Tree {
    fn new(capacity: usize) -> Self {
        let blocks = capacity.div_ceil(BASE);
        let depth = (0..).find(|&depth| LARGEST_RADIX.pow(depth) >= blocks).unwrap_or(0);
        let radix = (2..=LARGEST_RADIX).find(|radix| radix.pow(depth) >= blocks).unwrap_or(LARGEST_RADIX);
        Tree { radix, depth }
    }

    fn length(self, level: u32) -> usize {
        BASE * self.radix.pow(level)
    }

    /// Length of the longest block below the whole.
    fn longest(self) -> usize {
        self.length(self.depth.saturating_sub(1))
    }

    /// The block that begins at step `count`, if it has an older sibling.
    fn begins(self, count: usize) -> Option<Begin> {
        let level = (0..self.depth).rev().find(|&level| count.is_multiple_of(self.length(level)))?;
        let child = count / self.length(level) % self.radix;
        (child > 0).then_some(Begin { level, child })
    }

    /// Children with a younger sibling on a level.
    fn slots(self, level: u32, capacity: usize) -> usize {
        capacity.div_ceil(self.length(level)).min(self.radix) - 1
    }

    /// Floating-point operations per cell when a block begins: two real transforms of twice its length at 5/2 n log2 n
    /// each, and a product per older sibling.
    fn flops(self, begin: Begin) -> u64 {
        let points = 2 * self.length(begin.level) as u64;
        5 * points * u64::from(points.ilog2()) + 4 * points * begin.child as u64
    }
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
        let tree = Tree::new(capacity);
        let weights = scheme.lag_weights(order, step, tree.length(tree.depth).max(capacity + 1))?;
        let mut planner = RealFftPlanner::<f64>::new();
        let levels = (0..tree.depth).map(|level| {
            let slots = tree.slots(level, capacity);
            Level::new(&mut planner, &weights, tree.length(level), slots, size)
        });
        let rows = size.div_ceil(TILE) * tree.longest();
        Some(FftSum {
            size,
            capacity,
            step,
            levels: levels.collect(),
            tree,
            weights,
            increments: vec![[0.0; TILE]; rows],
            ahead: vec![[0.0; TILE]; rows],
            count: 0,
            flops: 0,
        })
    }

    /// Bytes that a history of `capacity` vectors of length `size` takes.
    pub fn bytes_needed(size: usize, capacity: usize) -> u64 {
        let tree = Tree::new(capacity);
        let spectra: u64 = (0..tree.depth)
            .map(|level| (tree.slots(level, capacity) * (tree.length(level) + 1) * size_of::<Complex64>()) as u64)
            .sum();
        let rows = 2 * tree.longest() * size_of::<[f64; TILE]>();
        (size as u64).saturating_mul(spectra).saturating_add(size.div_ceil(TILE) as u64 * rows as u64)
    }

    /// Floating-point operations of all sums over `count` steps of vectors of length `size`.
    pub fn flops_needed(size: usize, count: usize) -> u64 {
        let tree = Tree::new(count);
        let begins = (BASE..count).step_by(BASE).filter_map(|count| tree.begins(count));
        let blocks: u64 = begins.map(|begin| tree.flops(begin)).sum();
        size as u64 * (blocks + (BASE * count) as u64)
    }

    /// Adds the older siblings of the block that begins now to its steps.
    fn begin(&mut self, Begin { level, child }: Begin) {
        let longest = self.tree.longest();
        let length = self.tree.length(level);
        let (done, now) = ((self.count - length) % longest, self.count % longest);
        // Nothing is ahead yet in the longest blocks: what is left there belongs to the past.
        let is_first = level + 1 == self.tree.depth;
        // A cache line more than a lane needs: lanes at powers of two would drive each other out of the cache.
        let stride = 2 * length + TILE;
        let mut real = vec![0.0; stride * TILE];
        let tiles = self.increments.chunks_exact(longest).zip(self.ahead.chunks_exact_mut(longest));
        let level = &mut self.levels[level as usize];
        let mut workspace = level.workspace();
        for (tile, (increments, ahead)) in tiles.enumerate() {
            let cells = tile * TILE..((tile + 1) * TILE).min(self.size);
            for (row, increment) in increments[done..done + length].iter().enumerate() {
                for (lane, value) in increment.iter().enumerate() {
                    real[lane * stride + row] = *value;
                }
            }
            for (lane, cell) in real.chunks_exact_mut(stride).zip(cells) {
                lane[length..].fill(0.0);
                level.convolve(cell, child, &mut lane[..2 * length], &mut workspace);
            }
            for (row, sums) in ahead[now..now + length].iter_mut().enumerate() {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    let new = real[lane * stride + length + row];
                    *sum = if is_first { new } else { *sum + new };
                }
            }
        }
    }
}

/// Buffers of one convolution.
struct Workspace {
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Level {
    fn new(planner: &mut RealFftPlanner<f64>, weights: &[f64], length: usize, slots: usize, size: usize) -> Self {
        let (forward, inverse) = (planner.plan_fft_forward(2 * length), planner.plan_fft_inverse(2 * length));
        let mut spectra = Vec::with_capacity(slots * (length + 1));
        for distance in 1..=slots {
            let lags = &weights[(distance - 1) * length..(distance + 1) * length];
            let mut kernel: Vec<f64> = lags.iter().map(|weight| weight / (2 * length) as f64).collect();
            let mut spectrum = forward.make_output_vec();
            // Lengths agree by construction; the transforms have no other way to fail.
            let done = forward.process(&mut kernel, &mut spectrum);
            debug_assert!(done.is_ok());
            spectra.append(&mut spectrum);
        }
        Level { forward, inverse, weights: spectra, blocks: vec![Complex64::ZERO; size * slots * (length + 1)], slots }
    }

    fn workspace(&self) -> Workspace {
        let scratch = self.forward.get_scratch_len().max(self.inverse.get_scratch_len());
        Workspace { spectrum: self.forward.make_output_vec(), scratch: vec![Complex64::ZERO; scratch] }
    }

    /// Replaces the newest block of a cell, followed by as many zeros, by junk followed by what child `child` receives
    /// from its older siblings.
    fn convolve(&mut self, cell: usize, child: usize, lane: &mut [f64], workspace: &mut Workspace) {
        let Workspace { spectrum, scratch } = workspace;
        let bins = spectrum.len();
        let blocks = &mut self.blocks[cell * self.slots * bins..][..child * bins];
        let done = self.forward.process_with_scratch(lane, &mut blocks[(child - 1) * bins..], scratch);
        debug_assert!(done.is_ok());
        for first in (0..bins).step_by(BINS) {
            let part = first..(first + BINS).min(bins);
            let sums = &mut spectrum[part.clone()];
            sums.fill(Complex64::ZERO);
            for (block, distance) in blocks.chunks_exact(bins).zip((1..=child).rev()) {
                let weights = &self.weights[(distance - 1) * bins..][part.clone()];
                for ((sum, value), weight) in sums.iter_mut().zip(&block[part.clone()]).zip(weights) {
                    *sum += value * weight;
                }
            }
        }
        // Rounding may leave imaginary parts where a real signal has none.
        spectrum[0].im = 0.0;
        spectrum[bins - 1].im = 0.0;
        let done = self.inverse.process_with_scratch(spectrum, lane, scratch);
        debug_assert!(done.is_ok());
    }
}

impl MemorySum for FftSum {
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64 {
        assert_eq!(out.len(), self.size, "one value per cell");
        assert!(self.count < self.capacity, "more steps than the capacity");
        assert!((next_step / self.step - 1.0).abs() < 1e-6, "uniform steps");
        let longest = self.tree.longest();
        let (now, recent) = (self.count % longest, self.count % BASE);
        let weights = &self.weights[1..=recent];
        let tiles = self.increments.chunks_exact(longest).zip(self.ahead.chunks_exact(longest));
        for (out, (increments, ahead)) in out.chunks_mut(TILE).zip(tiles) {
            let mut sums = ahead[now];
            for (increment, weight) in increments[now - recent..now].iter().zip(weights.iter().rev()) {
                for (sum, value) in sums.iter_mut().zip(increment) {
                    *sum += weight * value;
                }
            }
            out.copy_from_slice(&sums[..out.len()]);
        }
        self.weights[0]
    }

    fn push(&mut self, increment: &[f64], _: f64) {
        let longest = self.tree.longest();
        let row = self.count % longest;
        for (values, increments) in increment.chunks(TILE).zip(self.increments.chunks_exact_mut(longest)) {
            increments[row][..values.len()].copy_from_slice(values);
        }
        let (history, push) = self.flops_ahead();
        self.flops += history + push;
        self.count += 1;
        if let Some(begin) = self.tree.begins(self.count)
            && self.count < self.capacity
        {
            self.begin(begin);
        }
    }

    fn flops_ahead(&self) -> (u64, u64) {
        let next = self.count + 1;
        let begin = self.tree.begins(next).filter(|_| next < self.capacity);
        let push = begin.map_or(0, |begin| self.size as u64 * self.tree.flops(begin));
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
            for (size, capacity) in [(1, 1), (3, 127), (11, 128), (8, 129), (9, 1000), (2, 1024), (1, 4099), (1, 9001)]
            {
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
