//! What must hold on every landscape and mesh: column sums, rates, null space, masses, positivity.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use std::sync::Arc;

use porewalk::caputo::L1;
use porewalk::fokker_planck::{FieldDiffusivity, Flux, FokkerPlanck, InitialDensity, Operator, UniformDiffusivity};
use porewalk::math::elimination::log_stationary;
use porewalk::mesh::{Axis, Mesh};
use porewalk::propagator::{Krylov, Propagator, Stepping, stepping::Memory};
use proptest::prelude::*;
use support::problem::{Loss, Problem};

/// A random problem: everything that a user could choose.
#[derive(Clone, Debug)]
struct Case {
    axes: Vec<(f64, f64, usize)>,
    /// Coefficients of the loss: wells, tilt, waves, coupling.
    loss: [f64; 5],
    friction: f64,
    diffusivity: f64,
    /// Strength of the variation of ln D(w); 0 for a uniform D.
    variation: f64,
    /// Part of the losses that stay in the medium; 1 keeps the whole box.
    kept: f64,
    flux: Flux,
}

fn cases() -> impl Strategy<Value = Case> {
    let axis =
        |most: usize| (-3.0f64..0.0, 0.5f64..4.0, 1usize..most).prop_map(|(low, width, n)| (low, low + width, n));
    let axes = prop_oneof![
        prop::collection::vec(axis(60), 1),
        prop::collection::vec(axis(9), 2),
        prop::collection::vec(axis(5), 3),
    ];
    (
        axes,
        prop::array::uniform5(-1.0f64..1.0),
        0.0f64..3.0,
        (-4.0f64..0.5).prop_map(|log| 10f64.powf(log)),
        prop_oneof![Just(0.0), 0.1f64..1.5],
        prop_oneof![Just(1.0), 0.3f64..1.0],
        prop_oneof![Just(Flux::ScharfetterGummel), Just(Flux::Upwind)],
    )
        .prop_map(|(axes, loss, friction, diffusivity, variation, kept, flux)| Case {
            axes,
            loss,
            friction,
            diffusivity,
            variation,
            kept,
            flux,
        })
}

impl Case {
    fn loss_at(&self, w: &[f64]) -> f64 {
        let [a, b, c, d, e] = self.loss;
        let wells: f64 = w.iter().map(|x| a.abs() * (x * x - 1.0).powi(2) + b * x + c * (3.0 * x).sin()).sum();
        wells + if w.len() > 1 { d * w[0] * w[1] + e * (2.0 * w[0] - w[w.len() - 1]).cos() } else { 0.0 }
    }

    fn mesh(&self) -> Arc<Mesh> {
        let axes: Vec<Axis> = self.axes.iter().map(|&(lower, upper, n)| Axis::new(lower, upper, n).unwrap()).collect();
        let whole = Mesh::cartesian(&axes).unwrap();
        if self.kept >= 1.0 {
            return Arc::new(whole);
        }
        let losses: Vec<f64> = whole.centers().chunks_exact(axes.len()).map(|w| self.loss_at(w)).collect();
        let mut sorted = losses.clone();
        sorted.sort_by(f64::total_cmp);
        let level = sorted[((sorted.len() - 1) as f64 * self.kept) as usize];
        Arc::new(Mesh::porous(&axes, &losses, level).unwrap())
    }

    fn operator(&self) -> Operator {
        let own = self.clone();
        let landscape = Loss(self.axes.len(), move |w: &[f64]| own.loss_at(w));
        let uniform = UniformDiffusivity::new(self.diffusivity).unwrap();
        let (value, variation) = (self.diffusivity, self.variation);
        let field = FieldDiffusivity(move |w: &[f64]| {
            let phase: f64 = w.iter().enumerate().map(|(axis, x)| (axis as f64 + 1.0) * x).sum();
            value * (variation * (phase.sin() + 0.5 * w[0].cos())).exp()
        });
        let problem = FokkerPlanck {
            landscape: &landscape,
            diffusivity: if variation == 0.0 { &uniform } else { &field },
            friction: self.friction,
        };
        problem.discretize(self.mesh(), self.flux).unwrap()
    }

    fn problem(&self) -> Problem {
        let operator = self.operator();
        let center: Vec<f64> = self.axes.iter().map(|(lower, upper, _)| 0.5 * (lower + upper)).collect();
        let width: Vec<f64> = self.axes.iter().map(|(lower, upper, _)| 0.4 * (upper - lower)).collect();
        let initial = InitialDensity::gaussian(operator.mesh(), &center, &width).unwrap().density;
        Problem { stationary: operator.stationary().unwrap(), operator, initial }
    }
}

proptest! {
    #![proptest_config(support::random_cases(300))]

    #[test]
    fn columns_sum_to_zero_and_rates_are_not_negative(case in cases()) {
        let operator = case.operator();
        let matrix = operator.matrix();
        let size = operator.mesh().cell_count();
        let mut column_sums = vec![0.0f64; size];
        let mut largest = vec![0.0f64; size];
        let mut negative = 0;
        for (value, (row, column)) in matrix.iter() {
            column_sums[column] += value;
            largest[column] = largest[column].max(value.abs());
            negative += usize::from(row != column && *value < 0.0);
        }
        prop_assert_eq!(negative, 0, "off-diagonal entries are rates");
        for (sum, largest) in column_sums.iter().zip(&largest) {
            prop_assert!(sum.abs() <= 8.0 * f64::EPSILON * largest, "{sum:e} of {largest:e}");
        }
    }

    #[test]
    fn gibbs_is_in_the_null_space_for_uniform_diffusivity(case in cases()) {
        let case = Case { variation: 0.0, flux: Flux::ScharfetterGummel, ..case };
        let operator = case.operator();
        let logs = operator.gibbs();
        // Face by face, forward p_a = backward p_b: in logarithms where the probabilities have no place in a double.
        for (coupling, face) in operator.couplings().iter().zip(operator.mesh().faces()) {
            let [a, b] = face.cells;
            let mismatch = (coupling.forward.ln() + logs[a]) - (coupling.backward.ln() + logs[b]);
            // The exponents are differences of γ L / D: their rounding is relative to its size.
            let exponent = |cell: usize| (case.friction * operator.losses()[cell] / case.diffusivity).abs();
            let size = exponent(a).max(exponent(b)).max(logs[a].abs()).max(logs[b].abs()).max(1.0);
            prop_assert!(mismatch.abs() <= 1e-13 * size, "{mismatch:e} at {:?}", face.center);
        }
        let probability: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        let mut flow = vec![f64::NAN; probability.len()];
        operator.apply(&probability, &mut flow);
        let rates = operator.exit_rates();
        let norm = rates.iter().copied().fold(0.0, f64::max);
        let residual: f64 = flow.iter().map(|value| value.abs()).sum();
        prop_assert!(residual <= 1e-13 * norm, "{residual:e} of {norm:e}");
        // Also against the probability that really flows, where a rounded exponent of size e is worth e ulp.
        let scale: f64 = rates.iter().zip(&probability).map(|(rate, p)| rate * p).sum();
        let lowest = logs.iter().copied().fold(0.0, f64::min);
        let largest = operator.losses().iter().fold(0.0f64, |top, loss| top.max((case.friction * loss).abs()));
        let exponent = lowest.abs() + largest / case.diffusivity;
        let allowed = (1e-13 + 4.0 * f64::EPSILON * exponent) * scale;
        prop_assert!(scale < 1e-290 || residual <= allowed, "{residual:e} of {scale:e}");
    }

    #[test]
    fn stationary_states_balance_every_cell_and_both_ways_agree(case in cases()) {
        let operator = case.operator();
        let stationary = operator.stationary().unwrap();
        let components = operator.mesh().components();
        let logs = &stationary.log_probability;
        // What leaves a cell enters it.
        let couplings = operator.couplings();
        let mut leaving = vec![0.0f64; logs.len()];
        let mut entering = vec![0.0f64; logs.len()];
        for coupling in &couplings {
            let [a, b] = coupling.states;
            for (from, to, rate) in [(a, b, coupling.forward), (b, a, coupling.backward)] {
                leaving[from] += (rate.ln() + logs[from] - logs[from]).exp();
                entering[to] += (rate.ln() + logs[from] - logs[to]).exp();
            }
        }
        let deepest = logs.iter().fold(1.0f64, |deepest, log| deepest.max(log.abs()));
        for (cell, (out, into)) in leaving.iter().zip(&entering).enumerate() {
            prop_assert!((out - into).abs() <= 1e-12 * deepest * out, "cell {cell}: {out:e} out, {into:e} in");
        }
        for label in 0..components.count {
            let members = logs.iter().zip(&components.label).filter(|(_, other)| **other == label);
            let total: f64 = members.map(|(log, _)| log.exp()).sum();
            prop_assert!((total - 1.0).abs() < 1e-13);
        }
        // Elimination knows nothing of formulas or log-ratios.
        if components.count == 1 {
            let order: Vec<usize> = (0..logs.len()).collect();
            let eliminated = log_stationary(logs.len(), &couplings, &order).unwrap();
            for (own, other) in logs.iter().zip(&eliminated) {
                prop_assert!((own - other).abs() <= 1e-12 * deepest, "{own} and {other}");
            }
        }
    }

    #[test]
    fn every_method_keeps_mass_and_positivity(case in cases(), order in prop_oneof![Just(1.0), 0.1f64..1.0], log_end in -3.0f64..3.0) {
        let problem = case.problem();
        let end = 10f64.powf(log_end);
        let times = [0.01 * end, end];
        let stepping = Stepping { scheme: &L1, steps: 12, grading: 2.0, memory: Memory::Direct };
        let methods: [&dyn Propagator; 2] = [&Krylov::default(), &stepping];
        for method in methods {
            let solution = problem.try_propagate(method, order, &times, 1e-8).unwrap();
            for density in &solution.densities {
                let values = density.probability();
                let largest = values.iter().copied().fold(0.0, f64::max);
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let floor = if method.name() == "krylov" { -1e-12 * largest } else { 0.0 };
                prop_assert!((density.mass() - 1.0).abs() <= 1e-13, "{}: mass - 1 = {:e}", method.name(), density.mass() - 1.0);
                prop_assert!(least >= floor, "{}: {least:e}", method.name());
            }
        }
    }
}
