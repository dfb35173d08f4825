//! Inner products of the points of a run.
//!
//! Formula:   G_ij = <w_i - w_0, w_j - w_0>, and |w_i - w_j|² = G_ii + G_jj - 2 G_ij
//! Assumes:   nothing of the points
//! Cost:      one pass over the points, T² d multiplications; memory T times the parameters read at a time
//! Fails when two points differ by less than the rounding of w - w_0: their distance is lost, not their place
//! Reference: the products are taken from the first point on, which loses no digits of small displacements

use super::Trajectory;
use crate::error::Result;

/// Parameters read at a time.
const BLOCK: usize = 1 << 15;

/// Inner products of the points of one run, all of them and those of groups of consecutive parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    times: Vec<f64>,
    dimension: usize,
    /// G, row after row, of every group; together they are G.
    groups: Vec<Vec<f64>>,
    total: Vec<f64>,
}

impl Gram {
    /// Inner products of a run, in at most `groups` groups of consecutive parameters of about the same size.
    ///
    /// # Errors
    /// When a point cannot be read.
    pub fn of(trajectory: &dyn Trajectory, groups: usize) -> Result<Self> {
        let (count, dimension) = (trajectory.times().len(), trajectory.dimension());
        let group_count = groups.clamp(1, dimension);
        let mut parts = vec![vec![0.0; count * count]; group_count];
        for (group, part) in parts.iter_mut().enumerate() {
            let end = (group + 1) * dimension / group_count;
            let mut first = group * dimension / group_count;
            while first < end {
                let length = BLOCK.min(end - first);
                accumulate(trajectory, first, length, part)?;
                first += length;
            }
        }
        let mut total = vec![0.0; count * count];
        parts.iter().for_each(|part| total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value));
        Ok(Gram { times: trajectory.times().to_vec(), dimension, groups: parts, total })
    }

    /// The step (or time) of every point.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of parameters of a point.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of groups of parameters.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// G, row after row (T × T).
    pub fn products(&self) -> &[f64] {
        &self.total
    }

    /// Squared distance of two points \[w²\].
    ///
    /// # Panics
    /// When a point does not exist.
    pub fn squared_distance(&self, i: usize, j: usize) -> f64 {
        squared_distance(&self.total, self.times.len(), i, j)
    }

    /// Squared distance of two points in one group of parameters \[w²\].
    ///
    /// # Panics
    /// When the group or a point does not exist.
    pub fn squared_distance_in(&self, group: usize, i: usize, j: usize) -> f64 {
        squared_distance(&self.groups[group], self.times.len(), i, j)
    }

    /// Distance of every point from point `origin` \[w\].
    ///
    /// # Panics
    /// When the origin does not exist.
    pub fn displacement(&self, origin: usize) -> Vec<f64> {
        (0..self.times.len()).map(|point| self.squared_distance(origin, point).sqrt()).collect()
    }
}

fn squared_distance(products: &[f64], count: usize, i: usize, j: usize) -> f64 {
    // Rounding may leave a small negative number where two points are equal.
    (products[i * count + i] + products[j * count + j] - 2.0 * products[i * count + j]).max(0.0)
}

/// Adds the products of parameters `first..first + length`.
fn accumulate(trajectory: &dyn Trajectory, first: usize, length: usize, products: &mut [f64]) -> Result<()> {
    let count = trajectory.times().len();
    let mut origin = vec![0.0; length];
    trajectory.read(0, first, &mut origin)?;
    let mut rows = vec![0.0; count * length];
    for (point, row) in rows.chunks_exact_mut(length).enumerate() {
        trajectory.read(point, first, row)?;
        row.iter_mut().zip(&origin).for_each(|(value, origin)| *value -= origin);
    }
    for i in 0..count {
        for j in 0..=i {
            let (a, b) = (&rows[i * length..][..length], &rows[j * length..][..length]);
            let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            products[i * count + j] += product;
            if i != j {
                products[j * count + i] += product;
            }
        }
    }
    Ok(())
}
