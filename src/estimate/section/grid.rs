//! Grids on a section: their points, the loss there, and values brought from a coarse grid to a fine one.

use std::num::NonZeroUsize;

use super::watched::Crew;
use crate::error::Result;
use crate::landscape::Landscape;
use crate::propagator::{Observer, StopFlag};

/// Points that a thread takes at a time. Whole blocks of lanes: the bits of a loss do not depend on the threads.
const CHUNK: usize = 512;

/// Centres of `cells` equal cells between `lower` and `upper`.
pub fn centers(lower: f64, upper: f64, cells: usize) -> Vec<f64> {
    let width = (upper - lower) / cells as f64;
    (0..cells).map(|cell| lower + (cell as f64 + 0.5) * width).collect()
}

/// All points of a grid, (point, axis), the last axis fastest.
pub fn points_of(axes: &[Vec<f64>]) -> Vec<f64> {
    let count: usize = axes.iter().map(Vec::len).product();
    let mut points = Vec::with_capacity(count * axes.len());
    for index in 0..count {
        let mut rest = count;
        points.extend(axes.iter().map(|axis| {
            rest /= axis.len();
            axis[index / rest % axis.len()]
        }));
    }
    points
}

/// Losses at all points of a grid on `section`, on `threads`.
///
/// # Errors
/// When a loss is not finite; [`Error::Interrupted`](crate::Error::Interrupted) when stopped.
pub fn losses_on(
    section: &dyn Landscape,
    axes: &[Vec<f64>],
    threads: NonZeroUsize,
    stop: &StopFlag,
    observer: &mut dyn Observer,
) -> Result<Vec<f64>> {
    let (points, width) = (points_of(axes), axes.len());
    let chunks: Vec<&[f64]> = points.chunks(CHUNK * width).collect();
    let parts = Crew { threads, stop }.run(chunks.len(), observer, |index| {
        let mut losses = vec![0.0; chunks[index].len() / width];
        section.losses(chunks[index], &mut losses).map(|()| losses)
    })?;
    Ok(parts.concat())
}

/// Values on a coarse grid brought to a fine one, linear between neighbours along every axis: nothing overshoots.
///
/// # Panics
/// When there are not as many values as points of the coarse grid, or an axis has fewer than two of them.
pub fn spread(coarse: &[Vec<f64>], values: &[f64], fine: &[Vec<f64>]) -> Vec<f64> {
    assert_eq!(values.len(), coarse.iter().map(Vec::len).product::<usize>(), "one value per point");
    let places = |axis: usize, x: f64| {
        let axis = &coarse[axis];
        let next = axis.partition_point(|place| *place <= x).clamp(1, axis.len() - 1);
        (next - 1, ((x - axis[next - 1]) / (axis[next] - axis[next - 1])).clamp(0.0, 1.0))
    };
    points_of(fine)
        .chunks_exact(fine.len())
        .map(|point| {
            let places: Vec<(usize, f64)> = point.iter().enumerate().map(|(axis, x)| places(axis, *x)).collect();
            (0..1usize << places.len())
                .map(|corner| {
                    let (mut index, mut weight) = (0, 1.0);
                    for (axis, (place, part)) in places.iter().enumerate() {
                        let up = corner >> axis & 1;
                        index = index * coarse[axis].len() + place + up;
                        weight *= if up == 1 { *part } else { 1.0 - part };
                    }
                    weight * values[index]
                })
                .sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_run_along_the_last_axis() {
        assert_eq!(centers(-1.0, 1.0, 4), [-0.75, -0.25, 0.25, 0.75]);
        assert_eq!(points_of(&[vec![0.0, 1.0], vec![5.0, 6.0, 7.0]])[..8], [0.0, 5.0, 0.0, 6.0, 0.0, 7.0, 1.0, 5.0]);
    }

    #[test]
    fn bilinear_functions_come_through_unchanged() {
        let value = |x: f64, y: f64| 1.0 + 2.0 * x - y + 0.5 * x * y;
        let coarse = [vec![0.0, 1.0, 4.0], vec![-1.0, 2.0]];
        let values: Vec<f64> = points_of(&coarse).chunks(2).map(|p| value(p[0], p[1])).collect();
        let fine = [centers(0.0, 4.0, 9), centers(-1.0, 2.0, 5)];
        let found = spread(&coarse, &values, &fine);
        for (point, found) in points_of(&fine).chunks(2).zip(found) {
            assert!((found - value(point[0], point[1])).abs() < 1e-13);
        }
        let line = spread(&[vec![0.0, 2.0]], &[1.0, 5.0], &[vec![-1.0, 0.5, 2.0]]);
        assert_eq!(line, [1.0, 2.0, 5.0]);
    }
}
