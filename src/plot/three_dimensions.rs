//! The figure of three-dimensional problems: densities of each coordinate alone.

use super::axes::{Axes, Entry, GIBBS, STATIONARY, legend};
use super::drawing::{Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::{Scale, Spacing};
use super::style::{CURVE, TITLE_SIZE, density_label, label, position_label, time_label};
use super::{chosen_times, ends, largest, title};
use crate::storage::{Report, StoredSolution};

/// Marginal densities of every coordinate at some output times, with those of the stationary state and exp(-γL/D).
pub fn marginals(solution: &StoredSolution, report: &Report) -> Drawing {
    let mut drawing = Drawing::new(1120.0, 400.0);
    drawing.text((500.0, 12.0), label(title(report), TITLE_SIZE, (Side::Middle, Side::Start)));
    let chosen = chosen_times(solution.time.len());
    let mut entries = Vec::new();
    for axis in 0..solution.axes.len() {
        let positions = &solution.axes[axis];
        let mut curves: Vec<(Vec<f64>, Stroke, String)> = chosen
            .iter()
            .enumerate()
            .map(|(order, &index)| {
                let stroke = Stroke::solid(curve_color(order, chosen.len()), CURVE);
                (marginal(solution, solution.density_at(index), axis), stroke, time_label(solution.time[index]))
            })
            .collect();
        curves.push((marginal(solution, &solution.stationary, axis), STATIONARY, "stationary".into()));
        curves.push((marginal(solution, &solution.gibbs, axis), GIBBS, "exp(−γL/D)".into()));
        let (lower, upper) = ends(positions);
        let highest = largest(curves.iter().flat_map(|(values, _, _)| values));
        let axes = Axes {
            left: 78.0 + 310.0 * axis as f64,
            top: 45.0,
            width: 245.0,
            height: 285.0,
            x: Scale { lower, upper, spacing: Spacing::Linear },
            y: Scale::from_zero(1.08 * highest, Spacing::Linear),
        };
        axes.grid(&mut drawing);
        for (values, stroke, name) in curves {
            axes.curve(&mut drawing, positions, &values, stroke);
            if axis == 0 {
                entries.push(Entry { stroke, text: name });
            }
        }
        let words = if axis == 0 { density_label(1) } else { String::new() };
        axes.frame(&mut drawing, &position_label(axis), &words, "");
    }
    legend(&mut drawing, (972.0, 45.0), "", &entries);
    drawing
}

/// Density of one coordinate: the sum over the others, times their cell sizes.
fn marginal(solution: &StoredSolution, density: &[f64], axis: usize) -> Vec<f64> {
    let lengths: Vec<usize> = solution.axes.iter().map(Vec::len).collect();
    let stride: usize = lengths[axis + 1..].iter().product();
    let cell: f64 = solution
        .axes
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != axis)
        .map(|(_, centers)| {
            let (lower, upper) = ends(centers);
            (upper - lower) / centers.len() as f64
        })
        .product();
    let mut sums = vec![0.0; lengths[axis]];
    for (index, value) in density.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        sums[index / stride % lengths[axis]] += value * cell;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marginals_of_a_product_are_its_factors() {
        let factor = |centers: &[f64]| centers.iter().map(|x| 1.0 + x).collect::<Vec<f64>>();
        let axes = vec![vec![0.25, 0.75], vec![-0.5, 0.5], vec![0.125, 0.375, 0.625, 0.875]];
        let (a, b, c) = (factor(&axes[0]), factor(&axes[1]), factor(&axes[2]));
        let density: Vec<f64> =
            a.iter().flat_map(|a| b.iter().map(move |b| a * b)).flat_map(|ab| c.iter().map(move |c| ab * c)).collect();
        let empty = vec![0.0; 16];
        let solution = StoredSolution {
            derivatives: Vec::new(),
            time: vec![1.0],
            axes,
            density: density.clone(),
            stationary: empty.clone(),
            gibbs: empty.clone(),
            loss: empty.clone(),
            diffusivity: empty,
        };
        // Integrals of the other two factors: 1.5, 2 and 1.5.
        for (axis, integral) in [(0, 3.0), (1, 2.25), (2, 3.0)] {
            let expected: Vec<f64> = factor(&solution.axes[axis]).iter().map(|value| value * integral).collect();
            let found = marginal(&solution, &density, axis);
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
        }
    }
}
