//! Problems for the tests: an operator with its stationary state and a start, from closures.

use std::sync::Arc;

use porewalk::caputo::FractionalOrder;
use porewalk::fokker_planck::{
    Diffusivity, FieldDiffusivity, Flux, FokkerPlanck, InitialDensity, Operator, Stationary, UniformDiffusivity,
};
use porewalk::landscape::Landscape;
use porewalk::mesh::{Axis, Density, Mesh};
use porewalk::propagator::{Evolution, Propagator, Solution};

/// A loss given by a closure.
pub struct Loss<F>(pub usize, pub F);

impl<F: Fn(&[f64]) -> f64 + Send + Sync> Landscape for Loss<F> {
    fn dimension(&self) -> usize {
        self.0
    }

    fn loss(&self, point: &[f64]) -> f64 {
        (self.1)(point)
    }
}

/// An operator, its stationary state and a start.
#[derive(Clone)]
pub struct Problem {
    pub operator: Operator,
    pub stationary: Stationary,
    pub initial: Density,
}

/// The mesh of some axes (lower, upper, cells).
pub fn mesh(axes: &[(f64, f64, usize)]) -> Arc<Mesh> {
    let axes: Vec<Axis> = axes.iter().map(|&(lower, upper, cells)| Axis::new(lower, upper, cells).unwrap()).collect();
    Arc::new(Mesh::cartesian(&axes).unwrap())
}

impl Problem {
    /// Scharfetter-Gummel on a box, Gaussian start of the given mean and deviation.
    pub fn new(
        axes: &[(f64, f64, usize)],
        loss: impl Fn(&[f64]) -> f64 + Send + Sync,
        diffusivity: &dyn Diffusivity,
        (mean, deviation): (&[f64], f64),
    ) -> Problem {
        let mesh = mesh(axes);
        let landscape = Loss(axes.len(), loss);
        let operator = FokkerPlanck { landscape: &landscape, diffusivity, friction: 1.0 }
            .discretize(mesh.clone(), Flux::ScharfetterGummel)
            .unwrap();
        let stationary = operator.stationary().unwrap();
        let initial = InitialDensity::gaussian(&mesh, mean, &vec![deviation; axes.len()]).unwrap().density;
        Problem { operator, stationary, initial }
    }

    /// The double well (x² - 1)² + tilt x with uniform D.
    pub fn double_well(half_width: f64, cells: usize, diffusivity: f64, tilt: f64) -> Problem {
        Problem::new(
            &[(-half_width, half_width, cells)],
            move |w| (w[0] * w[0] - 1.0).powi(2) + tilt * w[0],
            &UniformDiffusivity::new(diffusivity).unwrap(),
            (&[-1.0], 0.2),
        )
    }

    /// A plane whose D(w) is no function of the loss: the stationary state carries a flux.
    pub fn circulating(cells: usize, scale: f64) -> Problem {
        Problem::new(
            &[(-2.0, 2.0, cells), (-2.0, 2.0, cells)],
            |w| (w[0] * w[0] - 1.0).powi(2) + w[1] * w[1] + 0.3 * w[0] * w[1],
            &FieldDiffusivity(move |w: &[f64]| scale * (0.3 + 0.25 * (2.0 * w[0]).sin() * (3.0 * w[1]).cos())),
            (&[-1.0, 0.5], 0.3),
        )
    }

    /// (from, to, rate) over all faces, both ways.
    pub fn rates(&self) -> Vec<(usize, usize, f64)> {
        let rates = self.operator.forward_rates().iter().zip(self.operator.backward_rates());
        let both = self.operator.mesh().faces().iter().zip(rates).flat_map(|(face, (&forward, &backward))| {
            let [a, b] = face.cells;
            [(a, b, forward), (b, a, backward)]
        });
        both.collect()
    }

    /// Densities at some times.
    pub fn try_propagate(
        &self,
        propagator: &dyn Propagator,
        order: f64,
        times: &[f64],
        tolerance: f64,
    ) -> porewalk::Result<Solution> {
        let evolution = Evolution {
            operator: &self.operator,
            varying: None,
            stationary: &self.stationary,
            order: FractionalOrder::new(order).unwrap(),
            initial: &self.initial,
            times,
            tolerance,
            memory_limit: 4 << 30,
            threads: 1,
        };
        propagator.propagate(&evolution, &mut ())
    }

    /// Densities at some times, which must succeed.
    pub fn propagate(&self, propagator: &dyn Propagator, order: f64, times: &[f64], tolerance: f64) -> Solution {
        self.try_propagate(propagator, order, times, tolerance).unwrap()
    }
}

/// `count` times from `first` to `last`, equal ratios.
pub fn log_times(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|k| first * (last / first).powf(k as f64 / (count - 1) as f64)).collect()
}
