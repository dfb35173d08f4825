//! Losses that are means over samples, and walkers on them, many at once.
//!
//! A block holds [`LANES`] walkers side by side, (parameter, lane), so that one load brings the same parameter of all of
//! them. Optimisers and samplers are written on blocks; a landscape that knows no lanes is asked walker by walker.

use super::{Differentiable, Landscape};
use crate::error::Result;

/// Walkers in a block: eight single-precision numbers fill a vector register.
pub const LANES: usize = 8;

/// One number per walker.
pub type Lanes = [f64; LANES];

/// Points of [`LANES`] walkers, or their gradients: (parameter, lane).
#[derive(Clone, Debug, PartialEq)]
pub struct WalkerBlock {
    rows: Vec<Lanes>,
}

impl WalkerBlock {
    /// All walkers at the origin of R^d.
    pub fn zeros(dimension: usize) -> Self {
        WalkerBlock { rows: vec![[0.0; LANES]; dimension] }
    }

    /// All walkers at one point.
    pub fn at(point: &[f64]) -> Self {
        WalkerBlock { rows: point.iter().map(|&value| [value; LANES]).collect() }
    }

    /// Number of parameters d.
    pub fn dimension(&self) -> usize {
        self.rows.len()
    }

    /// Row k: parameter k of every walker.
    pub fn rows(&self) -> &[Lanes] {
        &self.rows
    }

    /// The rows, to write on.
    pub fn rows_mut(&mut self) -> &mut [Lanes] {
        &mut self.rows
    }

    /// Copies the point of one walker; `out` (length d) is overwritten.
    pub fn read(&self, lane: usize, out: &mut [f64]) {
        out.iter_mut().zip(&self.rows).for_each(|(value, row)| *value = row[lane]);
    }

    /// Puts one walker at a point (length d).
    pub fn write(&mut self, lane: usize, point: &[f64]) {
        self.rows.iter_mut().zip(point).for_each(|(row, value)| row[lane] = *value);
    }
}

/// Which samples a loss is the mean of.
#[derive(Clone, Copy, Debug)]
pub enum Batch<'a> {
    /// All of them.
    Full,
    /// Those with these numbers, for every walker its own: (draw, lane).
    Drawn(&'a [[u32; LANES]]),
}

/// A loss that is a mean over samples.
pub trait Sampled: Differentiable {
    /// Number n of samples.
    fn sample_count(&self) -> usize;

    /// Mean loss over the samples `batch` (over all of them when `None`) at `point` (length d), and its gradient into
    /// `gradient` (length d, overwritten).
    fn batch_gradient(&self, point: &[f64], batch: Option<&[u32]>, gradient: &mut [f64]) -> f64;

    /// Mean losses of all walkers of a block, and their gradients into `gradient` (overwritten).
    fn block_gradient(&self, block: &WalkerBlock, batch: Batch<'_>, gradient: &mut WalkerBlock) -> Lanes {
        let mut point = vec![0.0; block.dimension()];
        let mut own = vec![0.0; block.dimension()];
        std::array::from_fn(|lane| {
            block.read(lane, &mut point);
            let loss = match batch {
                Batch::Full => self.batch_gradient(&point, None, &mut own),
                Batch::Drawn(draws) => {
                    let batch: Vec<u32> = draws.iter().map(|draw| draw[lane]).collect();
                    self.batch_gradient(&point, Some(&batch), &mut own)
                }
            };
            gradient.write(lane, &own);
            loss
        })
    }

    /// Mean losses of all walkers of a block over all samples.
    fn block_loss(&self, block: &WalkerBlock) -> Lanes {
        let mut point = vec![0.0; block.dimension()];
        std::array::from_fn(|lane| {
            block.read(lane, &mut point);
            self.loss(&point)
        })
    }
}

/// A landscape without samples, standing for n of them that all have its loss.
pub struct Population<L> {
    landscape: L,
    sample_count: usize,
}

impl<L: Differentiable> Population<L> {
    /// `landscape` as the mean loss of `sample_count` samples.
    pub fn new(landscape: L, sample_count: usize) -> Self {
        Population { landscape, sample_count }
    }
}

impl<L: Differentiable> Landscape for Population<L> {
    fn dimension(&self) -> usize {
        self.landscape.dimension()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.landscape.loss(point)
    }

    fn losses(&self, points: &[f64], out: &mut [f64]) -> Result<()> {
        self.landscape.losses(points, out)
    }
}

impl<L: Differentiable> Differentiable for Population<L> {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        self.landscape.gradient(point, out);
    }
}

impl<L: Differentiable> Sampled for Population<L> {
    fn sample_count(&self) -> usize {
        self.sample_count
    }

    fn batch_gradient(&self, point: &[f64], _: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        self.landscape.gradient(point, gradient);
        self.landscape.loss(point)
    }
}
