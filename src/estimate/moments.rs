//! Moments and free energy of a density of cell averages.
//!
//! A cell average is not a point value: integrating x^2 against the averages as if they were point values is off by
//! h^2/12 (Sheppard). The integrals here are those of a piecewise linear density with the same averages, whose
//! slopes come from the neighbours: fourth order inside, exact for uniform densities, no correction by hand.

use crate::math::summation::compensated_sum;
use crate::mesh::Density;

/// Mean and mean square of every coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Mean position, one entry per axis \[w\].
    pub mean: Vec<f64>,
    /// Mean of the squared coordinate, one entry per axis \[w^2\].
    pub second: Vec<f64>,
}

impl Moments {
    /// Moments of a density of mass one.
    pub fn of(density: &Density) -> Self {
        let mesh = density.mesh();
        let values = density.values();
        let mut moments = Moments { mean: Vec::new(), second: Vec::new() };
        for (axis, line) in mesh.axes().iter().enumerate() {
            let width = line.width();
            let slopes = slopes(density, &values, axis);
            let inertia = width * width / 12.0;
            let cells = || density.probability().iter().zip(mesh.cells()).zip(&slopes);
            moments.mean.push(compensated_sum(
                cells().map(|((p, cell), slope)| p * cell.center[axis] + slope * cell.volume * inertia),
            ));
            moments.second.push(compensated_sum(cells().map(|((p, cell), slope)| {
                let center = cell.center[axis];
                p * (center * center + inertia) + 2.0 * center * slope * cell.volume * inertia
            })));
        }
        moments
    }

    /// Root-mean-square distance from `origin` \[w\].
    pub fn displacement_from(&self, origin: &[f64]) -> f64 {
        let squares = self.mean.iter().zip(&self.second).zip(origin);
        squares
            .map(|((mean, second), origin)| second - 2.0 * origin * mean + origin * origin)
            .sum::<f64>()
            .max(0.0)
            .sqrt()
    }
}

/// Slope of the density along an axis in every cell: the mean of the differences to its neighbours on that axis.
fn slopes(density: &Density, values: &[f64], axis: usize) -> Vec<f64> {
    let mut slopes = vec![0.0; values.len()];
    let mut neighbours = vec![0u8; values.len()];
    for face in density.mesh().faces().iter().filter(|face| face.axis == axis) {
        let [a, b] = face.cells;
        let slope = (values[b] - values[a]) / face.distance;
        for cell in [a, b] {
            slopes[cell] += slope;
            neighbours[cell] += 1;
        }
    }
    slopes.iter_mut().zip(neighbours).for_each(|(slope, count)| *slope /= f64::from(count.max(1)));
    slopes
}

/// Free energy, the integral of γ L p + D p ln p \[w^2 t^-alpha\]; with uniform D it never rises.
///
/// # Panics
/// When the lengths differ.
pub fn free_energy(density: &Density, losses: &[f64], log_diffusivity: &[f64], friction: f64) -> f64 {
    assert_eq!(losses.len(), density.probability().len(), "one loss per cell");
    assert_eq!(log_diffusivity.len(), losses.len(), "one diffusivity per cell");
    let cells = density.probability().iter().zip(density.mesh().cells()).zip(losses.iter().zip(log_diffusivity));
    compensated_sum(cells.filter(|((p, _), _)| **p > 0.0).map(|((p, cell), (loss, log_diffusivity))| {
        p * (friction * loss + log_diffusivity.exp() * (p / cell.volume).ln())
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mesh::{Axis, Mesh};

    fn density(cells: usize, primitive: impl Fn(f64) -> f64, lower: f64, upper: f64) -> Density {
        let axis = Axis::new(lower, upper, cells).expect("a valid axis");
        let mesh = Arc::new(Mesh::cartesian(&[axis]).expect("a valid mesh"));
        let probability = (0..cells).map(|k| primitive(axis.edge(k + 1)) - primitive(axis.edge(k))).collect();
        Density::new(mesh, probability)
    }

    #[test]
    fn a_uniform_density_has_exact_moments() {
        let moments = Moments::of(&density(7, |x| x, 0.0, 1.0));
        assert!((moments.mean[0] - 0.5).abs() < 1e-15);
        assert!((moments.second[0] - 1.0 / 3.0).abs() < 1e-15);
        assert!((moments.displacement_from(&[0.5]) - (1.0f64 / 12.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn moments_of_smooth_cell_averages_converge_fast() {
        // p = (1 + cos x) / (2 π) on [-π, π]: mean 0 by symmetry, mean square π²/3 - 2.
        let pi = std::f64::consts::PI;
        let exact = pi * pi / 3.0 - 2.0;
        let error = |cells| {
            let moments = Moments::of(&density(cells, |x: f64| (x + x.sin()) / (2.0 * pi), -pi, pi));
            (moments.second[0] - exact).abs()
        };
        let order = (error(40) / error(80)).log2();
        assert!(order > 3.0, "observed order {order}");
        assert!(error(80) < 1e-5);
    }

    #[test]
    fn free_energy_of_a_uniform_density_is_its_energy_minus_entropy() {
        let density = density(10, |x| x / 4.0, 0.0, 4.0);
        let losses = [2.0; 10];
        let logs = [0.5f64.ln(); 10];
        let exact = 3.0 * 2.0 - 0.5 * 4f64.ln();
        assert!((free_energy(&density, &losses, &logs, 3.0) - exact).abs() < 1e-14);
    }
}
