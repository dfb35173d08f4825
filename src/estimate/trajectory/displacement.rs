//! Distance of every point of a run from one of them.
//!
//! Formula:   R(t) = |w(t) - w(origin)|
//! Assumes:   nothing of the points
//! Cost:      one pass over the points, as fast as they are read; memory 1 MiB, and 128 KiB a thread
//! Fails when a point cannot be read
//! Reference: squares are added by thousands, then blocks in order, so that no digits are lost and threads do not matter

use rayon::prelude::*;

use super::{Trajectory, pool};
use crate::error::Result;

/// Parameters of the origin that are held.
const BLOCK: usize = 1 << 17;
/// Parameters that are read at a time.
const PIECE: usize = 1 << 14;

/// R(t) from point number `origin` \[w\] on `threads` threads, which the result does not depend on.
///
/// # Errors
/// When a point cannot be read: the first one that cannot.
///
/// # Panics
/// When the origin does not exist.
pub fn displacement(trajectory: &dyn Trajectory, origin: usize, threads: usize) -> Result<Vec<f64>> {
    let (count, dimension) = (trajectory.times().len(), trajectory.dimension());
    assert!(origin < count, "the origin is one of the points");
    let pool = pool(threads)?;
    let mut squares = vec![0.0; count];
    let mut held = vec![0.0; BLOCK.min(dimension)];
    for first in (0..dimension).step_by(BLOCK) {
        let length = BLOCK.min(dimension - first);
        let held = &mut held[..length];
        trajectory.read(origin, first, held)?;
        let read: Vec<Result<()>> = pool.install(|| {
            let others = squares.par_iter_mut().enumerate().filter(|(point, _)| *point != origin);
            let others = others.map_init(
                || vec![0.0; PIECE.min(length)],
                |piece, (point, square)| add_squares(trajectory, point, first, held, piece, square),
            );
            others.collect()
        });
        read.into_iter().collect::<Result<()>>()?;
    }
    Ok(squares.into_iter().map(f64::sqrt).collect())
}

fn add_squares(
    trajectory: &dyn Trajectory,
    point: usize,
    first: usize,
    origin: &[f64],
    piece: &mut [f64],
    square: &mut f64,
) -> Result<()> {
    let mut place = first;
    for part in origin.chunks(piece.len()) {
        let piece = &mut piece[..part.len()];
        trajectory.read(point, place, piece)?;
        *square += squared_distance(piece, part);
        place += part.len();
    }
    Ok(())
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    // Eight sums go side by side.
    let ((eights, rest), (other_eights, other_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (eight, other) in eights.iter().zip(other_eights) {
        for ((sum, a), b) in sums.iter_mut().zip(eight).zip(other) {
            *sum += (a - b) * (a - b);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().zip(other_rest).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::{Gram, PointArray};
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn distances_are_those_of_the_definition_on_any_number_of_threads() {
        let mut stream = Stream::new(3, "displacement", 0);
        for (count, dimension, origin) in [(1, 5, 0), (7, 1, 6), (5, 13, 2), (3, BLOCK + PIECE + 9, 1)] {
            let points: Vec<f64> = (0..count * dimension).map(|_| 1.0 + stream.normal()).collect();
            let run = PointArray::new((0..count).map(|t| t as f64).collect(), points).expect("valid");
            let found = displacement(&run, origin, 1).expect("readable");
            assert_eq!(found, displacement(&run, origin, 3).expect("readable"));
            let gram = Gram::of(&run, 1).expect("readable").displacement(origin);
            for (point, (distance, other)) in found.iter().zip(gram).enumerate() {
                let pairs = run.point(point).iter().zip(run.point(origin));
                let expected = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!((distance - expected).abs() <= 1e-13 * expected, "{count} {dimension} {point}");
                assert!((other - expected).abs() <= 1e-12 * expected, "{count} {dimension} {point}");
            }
        }
    }
}
