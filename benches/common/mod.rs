//! Problems that several benches share.
#![allow(dead_code)] // each bench uses its own part

use std::sync::Arc;

use porewalk::caputo::FractionalOrder;
use porewalk::fokker_planck::{
    Diffusivity, FieldDiffusivity, Flux, FokkerPlanck, InitialDensity, Operator, Stationary, UniformDiffusivity,
};
use porewalk::landscape::ExpressionLandscape;
use porewalk::mesh::{Axis, Density, Mesh};
use porewalk::propagator::{Evolution, Propagator, Solution};

/// An operator, its stationary state and a start.
pub struct Problem {
    pub operator: Operator,
    pub stationary: Stationary,
    pub initial: Density,
}

impl Problem {
    fn new(axes: &[(f64, f64, usize)], formula: &str, diffusivity: &dyn Diffusivity, mean: &[f64], width: f64) -> Self {
        let axes: Vec<Axis> = axes.iter().map(|&(low, high, n)| Axis::new(low, high, n).expect("an axis")).collect();
        let mesh = Arc::new(Mesh::cartesian(&axes).expect("a mesh"));
        let landscape = ExpressionLandscape::new(formula, axes.len()).expect("a formula");
        let operator = FokkerPlanck { landscape: &landscape, diffusivity, friction: 1.0 }
            .discretize(mesh.clone(), Flux::ScharfetterGummel)
            .expect("an operator");
        let initial = InitialDensity::gaussian(&mesh, mean, &vec![width; axes.len()]).expect("a start").density;
        Problem { stationary: operator.stationary().expect("a stationary state"), operator, initial }
    }

    /// (x² - 1)² on the line.
    pub fn line(half_width: f64, cells: usize, diffusivity: f64) -> Self {
        let uniform = UniformDiffusivity::new(diffusivity).expect("positive");
        Self::new(&[(-half_width, half_width, cells)], "(x^2 - 1)^2", &uniform, &[-1.0], 0.2)
    }

    /// Task B: w²/2 on [-5, 5], D = 1, start N(1, 0.25).
    pub fn task_b(cells: usize) -> Self {
        let uniform = UniformDiffusivity::new(1.0).expect("positive");
        Self::new(&[(-5.0, 5.0, cells)], "0.5*x^2", &uniform, &[1.0], 0.5)
    }

    /// (x² - 1)² + y²/2 in the plane: detailed balance, mild enough for Cholesky.
    pub fn plane(cells: usize) -> Self {
        let uniform = UniformDiffusivity::new(0.35).expect("positive");
        let axes = [(-2.2, 2.2, cells), (-2.5, 2.5, cells)];
        Self::new(&axes, "(x^2 - 1)^2 + 0.5*y^2", &uniform, &[-1.0, 0.5], 0.25)
    }

    /// The same with a D(w) that leaves a circulating flux.
    pub fn circulating(cells: usize) -> Self {
        let field = FieldDiffusivity(|w: &[f64]| 0.3 + 0.25 * (2.0 * w[0]).sin() * (3.0 * w[1]).cos());
        let axes = [(-2.2, 2.2, cells), (-2.5, 2.5, cells)];
        Self::new(&axes, "(x^2 - 1)^2 + 0.5*y^2", &field, &[-1.0, 0.5], 0.25)
    }

    /// Densities at some times.
    pub fn propagate(&self, propagator: &dyn Propagator, order: f64, times: &[f64], tolerance: f64) -> Solution {
        let evolution = Evolution {
            operator: &self.operator,
            varying: None,
            stationary: &self.stationary,
            order: FractionalOrder::new(order).expect("an order"),
            initial: &self.initial,
            times,
            tolerance,
            memory_limit: 8 << 30,
            threads: 1,
        };
        propagator.propagate(&evolution, &mut ()).expect("a solution")
    }
}

/// `count` times from `first` to `last`, equal ratios.
pub fn log_times(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|k| first * (last / first).powf(k as f64 / (count - 1) as f64)).collect()
}
