//! Inner products of the points of a run.
//!
//! Formula:   G_ij = <w_i - w_0, w_j - w_0>, and |w_i - w_j|² = G_ii + G_jj - 2 G_ij
//! Assumes:   nothing of the points
//! Cost:      one pass over the points, T² d multiplications on all threads; memory 48 MiB for the parameters read at a time,
//!            100 MB for groups, and T² numbers
//! Fails when two points differ by less than the rounding of w - w_0: their distance is lost, not their place
//! Reference: the products are taken from the first point on, which loses no digits of small displacements

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::{Trajectory, pool};
use crate::error::Result;

/// Bytes of parameters that are held at a time.
const BLOCK_BYTES: usize = 48 << 20;
/// Most parameters of a point that are read at a time: their bytes and their numbers stay in the nearer caches.
const LONGEST_BLOCK: usize = 1 << 16;
/// Most bytes of the products of all groups together.
const GROUP_BYTES: usize = 100_000_000;
/// Rows and columns of the part of G that one thread computes at a time.
const TILE: usize = 64;

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
    /// Inner products of a run on one thread, in at most `groups` groups of consecutive parameters of about the same size.
    ///
    /// # Errors
    /// When a point cannot be read.
    pub fn of(trajectory: &dyn Trajectory, groups: usize) -> Result<Self> {
        Self::of_with(trajectory, groups, 1, &mut |_| Ok(()))
    }

    /// The same on `threads` threads, which the result does not depend on. `progress` is told the share that is done, and an
    /// error of it stops the pass. There
    /// are fewer groups than asked for when their products would take more than 100 MB (for more than 625 points and 32 groups).
    ///
    /// # Errors
    /// When a point cannot be read: the first one that cannot; the first error of `progress`.
    pub fn of_with(
        trajectory: &dyn Trajectory,
        groups: usize,
        threads: usize,
        progress: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Self> {
        let (count, dimension) = (trajectory.times().len(), trajectory.dimension());
        let most_groups = GROUP_BYTES / (8 * count * count);
        let group_count = groups.min(most_groups).clamp(1, dimension);
        let block = (BLOCK_BYTES / (8 * count)).clamp(1, LONGEST_BLOCK);
        let pool = pool(threads)?;
        let mut rows = vec![0.0; count * block.min(dimension.div_ceil(group_count))];
        let mut parts = Vec::with_capacity(group_count);
        for group in 0..group_count {
            // In wide integers: the product may be larger than a parameter count ever is.
            let bound = |group: usize| (group as u128 * dimension as u128 / group_count as u128) as usize;
            let (mut first, end) = (bound(group), bound(group + 1));
            let mut tiles = Tile::all(count);
            while first < end {
                let length = block.min(end - first);
                let rows = &mut rows[..count * length];
                pool.install(|| -> Result<()> {
                    read_from_the_first_on(trajectory, first, rows)?;
                    tiles.par_iter_mut().for_each(|tile| tile.add(rows, length));
                    Ok(())
                })?;
                first += length;
                progress(first as f64 / dimension as f64)?;
            }
            parts.push(whole(&tiles, count));
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

/// w_i - w_0 for the parameters from `first` on, as many as each row holds.
fn read_from_the_first_on(trajectory: &dyn Trajectory, first: usize, rows: &mut [f64]) -> Result<()> {
    let length = rows.len() / trajectory.times().len();
    let (origin, others) = rows.split_at_mut(length);
    trajectory.read(0, first, origin)?;
    let origin_ref = &*origin;
    let read: Vec<Result<()>> = others
        .par_chunks_exact_mut(length)
        .enumerate()
        .map(|(point, row)| {
            trajectory.read(point + 1, first, row)?;
            row.iter_mut().zip(origin_ref).for_each(|(value, origin)| *value -= origin);
            Ok(())
        })
        .collect();
    origin.fill(0.0);
    read.into_iter().collect()
}

/// Part of G on or below its diagonal. One thread adds to it at a time, block after block, so that its digits do not depend on
/// how many threads there are.
struct Tile {
    row: usize,
    column: usize,
    height: usize,
    width: usize,
    /// Column after column.
    values: Vec<f64>,
}

impl Tile {
    fn all(count: usize) -> Vec<Tile> {
        let starts = (0..count).step_by(TILE);
        let pairs = starts.flat_map(|row| (0..=row).step_by(TILE).map(move |column| (row, column)));
        pairs
            .map(|(row, column)| {
                let (height, width) = (TILE.min(count - row), TILE.min(count - column));
                Tile { row, column, height, width, values: vec![0.0; height * width] }
            })
            .collect()
    }

    /// Adds the products of points of `length` parameters.
    fn add(&mut self, rows: &[f64], length: usize) {
        let part = |first: usize, count: usize| {
            MatRef::from_row_major_slice(&rows[first * length..][..count * length], count, length)
        };
        let (left, right) = (part(self.row, self.height), part(self.column, self.width));
        let target = MatMut::from_column_major_slice_mut(&mut self.values, self.height, self.width);
        matmul(target, Accum::Add, left, right.transpose(), 1.0, Par::Seq);
    }
}

/// G, row after row.
fn whole(tiles: &[Tile], count: usize) -> Vec<f64> {
    let mut products = vec![0.0; count * count];
    for tile in tiles {
        for (place, value) in tile.values.iter().enumerate() {
            let (i, j) = (tile.row + place % tile.height, tile.column + place / tile.height);
            if j <= i {
                products[i * count + j] = *value;
                products[j * count + i] = *value;
            }
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::super::PointArray;
    use super::*;
    use crate::math::random::Stream;
    use proptest::prelude::*;

    /// The definition, by two loops.
    fn products(run: &PointArray, parameters: std::ops::Range<usize>) -> Vec<f64> {
        let count = run.times().len();
        let mut found = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..count {
                let term = |k: usize| (run.point(i)[k] - run.point(0)[k]) * (run.point(j)[k] - run.point(0)[k]);
                found[i * count + j] = parameters.clone().map(term).sum();
            }
        }
        found
    }

    fn random_run(seed: u64, count: usize, dimension: usize) -> PointArray {
        let mut stream = Stream::new(seed, "gram", 0);
        let points = (0..count * dimension).map(|_| 2.0 + stream.normal()).collect();
        PointArray::new((0..count).map(|t| t as f64).collect(), points).expect("valid")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn products_are_those_of_the_definition(
            seed: u64, count in 1usize..150, dimension in 1usize..400, groups in 1usize..7, threads in 1usize..4,
        ) {
            let run = random_run(seed, count, dimension);
            let mut shares = Vec::new();
            let gram = Gram::of_with(&run, groups, threads, &mut |share| {
                shares.push(share);
                Ok(())
            }).expect("readable");
            prop_assert_eq!(&gram, &Gram::of(&run, groups).expect("readable"));
            prop_assert!(shares.is_sorted() && shares.last() == Some(&1.0));
            let near = |found: &[f64], expected: &[f64]| {
                let size = expected.iter().fold(0.0f64, |size, value| size.max(value.abs()));
                found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-12 * size)
            };
            prop_assert!(near(gram.products(), &products(&run, 0..dimension)));
            let groups = gram.group_count();
            for group in 0..groups {
                let range = group * dimension / groups..(group + 1) * dimension / groups;
                prop_assert!(near(&gram.groups[group], &products(&run, range)));
            }
        }
    }

    #[test]
    fn long_points_are_read_in_blocks() {
        let run = random_run(1, 3, 2 * LONGEST_BLOCK + 77);
        let (gram, expected) = (Gram::of(&run, 1).expect("readable"), products(&run, 0..run.dimension()));
        let apart = gram.products().iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart <= 1e-12 * expected[4], "{apart}");
        assert_eq!(gram, Gram::of_with(&run, 1, 2, &mut |_| Ok(())).expect("readable"));
    }

    #[test]
    fn many_points_have_fewer_groups() {
        let run = random_run(2, 1300, 40);
        assert_eq!(Gram::of(&run, 32).expect("readable").group_count(), 7);
    }
}
