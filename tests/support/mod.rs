//! Oracles and readers shared by the integration tests; nothing here uses the crate's own solvers.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used)] // a broken reference file must stop the test

pub mod chain_averages;
pub mod deep_linear;
pub mod exact_values;
pub mod problem;
pub mod reduced_rank;
pub mod sampled_quadratic;

use faer::c64;
use faer::prelude::Solve;
use faer::sparse::linalg::solvers::{Lu, SymbolicLu};
use faer::sparse::{SparseColMat, Triplet};
use serde_json::Value;

/// Nodes on the upper half of the contour: fewer lose digits on steep wells at α = 1 (16 nodes: 1e-9 at D = 0.005,
/// t = 0.056, where 20 and 24 agree to 3e-12), more grow the rounding.
const CONTOUR_NODE_COUNT: usize = 20;

/// Widest band that is eliminated directly; wider operators go to a sparse factorisation.
const DIRECT_BANDWIDTH: usize = 40;

/// How the shifted systems of the contour are solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShiftedSolver {
    /// Elimination without subtractions inside the band: accurate in every entry, cost cells × bandwidth².
    Band,
    /// Sparse LU with pivoting, refined with residuals in flux form.
    SparseLu,
}

/// p(time) of D_t^α p = A p by a Laplace contour on the whole operator, sharing no code with the propagators.
///
/// `rates` lists (from, to, rate) with rate ≥ 0 for the cell masses p; A\[to\]\[from\] = rate and the diagonal is
/// minus the sum of its column. Weideman and Trefethen's hyperbola (Math. Comp. 76 (2007) 1341) for singularities
/// within 0.1 of the negative axis (drift makes the operator non-normal: with the contour for the axis alone 14 nodes
/// gave 1e-10 at D = 0.005, α = 1), 20 complex solves on its upper half; a final normalisation keeps the mass of
/// `initial`. 0 < α ≤ 1, time > 0. Relative L1 error measured in tests/support_selftest.rs: a few 1e-12, steep wells
/// included. 16384 cells in 2D: about a second per time (sparse LU), 1000 cells in 1D: milliseconds.
pub fn contour_reference(rates: &[(usize, usize, f64)], initial: &[f64], alpha: f64, time: f64) -> Vec<f64> {
    let widest = rates.iter().map(|&(from, to, _)| from.abs_diff(to)).max().unwrap_or(0);
    let solver = if widest <= DIRECT_BANDWIDTH { ShiftedSolver::Band } else { ShiftedSolver::SparseLu };
    contour_reference_by(solver, CONTOUR_NODE_COUNT, rates, initial, alpha, time)
}

/// [`contour_reference`] with a chosen solver and number of nodes.
pub fn contour_reference_by(
    solver: ShiftedSolver,
    node_count: usize,
    rates: &[(usize, usize, f64)],
    initial: &[f64],
    alpha: f64,
    time: f64,
) -> Vec<f64> {
    assert!(alpha > 0.0 && alpha <= 1.0 && time > 0.0, "0 < alpha <= 1 and time > 0");
    assert!(rates.iter().all(|&(from, to, rate)| from != to && rate >= 0.0 && rate.is_finite()));
    let mut prepared = Prepared::new(solver, rates, initial.len());
    let mut sum = vec![0.0; initial.len()];
    for (point, weight) in hyperbola(node_count) {
        // e^z ds/s s^alpha (s^alpha - A)^(-1) with s = z/time
        let shift = (point / time).powf(alpha);
        let solution = prepared.solve(shift, initial);
        let factor = weight / point * shift;
        for (total, entry) in sum.iter_mut().zip(&solution) {
            *total += (factor * entry).im;
        }
    }
    let mass: f64 = sum.iter().sum();
    let wanted: f64 = initial.iter().sum();
    sum.iter().map(|entry| entry * (wanted / mass)).collect()
}

/// Points z_k and weights w_k with f(t) = Im Σ w_k F(z_k/t)/t for the inverse Laplace transform of F.
fn hyperbola(node_count: usize) -> Vec<(c64, c64)> {
    // ANGLE maximises the rate (π² − 2πφ − 2πδ)/A at δ = 0.1, A = arcosh(2φ / ((4φ − π + 2δ) sin φ)).
    const ANGLE: f64 = 1.083501;
    const MARGIN: f64 = 0.1;
    let count = node_count as f64;
    let opening = 4.0 * ANGLE - std::f64::consts::PI + 2.0 * MARGIN;
    let reach = (2.0 * ANGLE / (opening * ANGLE.sin())).acosh();
    let step = reach / count;
    let scale = std::f64::consts::PI * opening / reach * count;
    (0..node_count)
        .map(|k| {
            let argument = c64::new(-ANGLE, (k as f64 + 0.5) * step);
            let point = scale * (1.0 + argument.sin());
            let derivative = c64::new(0.0, scale) * argument.cos();
            (point, point.exp() * derivative * (step / std::f64::consts::PI))
        })
        .collect()
}

/// What the shifted systems share.
struct Prepared<'a> {
    solver: ShiftedSolver,
    rates: &'a [(usize, usize, f64)],
    outflow: Vec<f64>,
    symbolic: Option<SymbolicLu<usize>>,
}

impl<'a> Prepared<'a> {
    fn new(solver: ShiftedSolver, rates: &'a [(usize, usize, f64)], cell_count: usize) -> Self {
        let mut outflow = vec![0.0; cell_count];
        for &(from, _, rate) in rates {
            outflow[from] += rate;
        }
        Prepared { solver, rates, outflow, symbolic: None }
    }

    /// x with (shift − A) x = right.
    fn solve(&mut self, shift: c64, right: &[f64]) -> Vec<c64> {
        match self.solver {
            ShiftedSolver::Band => self.solve_in_band(shift, right),
            ShiftedSolver::SparseLu => self.solve_by_factors(shift, right),
        }
    }

    /// Elimination of one cell after the other. Each pivot is the sum of the rates to the cells that remain and of
    /// an excess (the shift and what eliminated cells pass on), so no large numbers cancel.
    fn solve_in_band(&self, shift: c64, right: &[f64]) -> Vec<c64> {
        let cell_count = right.len();
        let band = self.rates.iter().map(|&(from, to, _)| from.abs_diff(to)).max().unwrap_or(0);
        let width = 2 * band + 1;
        // flow[from * width + (to + band - from)]
        let mut flow = vec![c64::new(0.0, 0.0); cell_count * width];
        for &(from, to, rate) in self.rates {
            flow[from * width + (to + band - from)] += rate;
        }
        let mut excess = vec![shift; cell_count];
        let mut pivots = vec![c64::new(0.0, 0.0); cell_count];
        let mut values: Vec<c64> = right.iter().map(|&entry| c64::new(entry, 0.0)).collect();
        for cell in 0..cell_count {
            let last = (cell + band).min(cell_count - 1);
            let ahead: Vec<c64> = (cell + 1..=last).map(|to| flow[cell * width + (to + band - cell)]).collect();
            let pivot = excess[cell] + ahead.iter().sum::<c64>();
            pivots[cell] = pivot;
            let inverse = pivot.inv();
            let passed = excess[cell] * inverse;
            for from in cell + 1..=last {
                let into = flow[from * width + (cell + band - from)];
                if into == c64::new(0.0, 0.0) {
                    continue;
                }
                excess[from] += into * passed;
                let factor = into * inverse;
                let start = from * width + (cell + 1 + band - from);
                // the flow of a cell to itself (to == from) is never read
                for (entry, &onward) in flow[start..start + ahead.len()].iter_mut().zip(&ahead) {
                    *entry += factor * onward;
                }
            }
            let share = values[cell] * inverse;
            for (offset, &onward) in ahead.iter().enumerate() {
                values[cell + 1 + offset] += share * onward;
            }
        }
        for cell in (0..cell_count).rev() {
            let last = (cell + band).min(cell_count - 1);
            let back: c64 =
                (cell + 1..=last).map(|from| flow[from * width + (cell + band - from)] * values[from]).sum();
            values[cell] = (values[cell] + back) / pivots[cell];
        }
        values
    }

    /// Sparse LU, then three corrections with residuals in which every flux leaves one cell and enters another.
    fn solve_by_factors(&mut self, shift: c64, right: &[f64]) -> Vec<c64> {
        faer::set_global_parallelism(faer::Par::Seq);
        let cell_count = right.len();
        let mut entries: Vec<Triplet<usize, usize, c64>> =
            self.rates.iter().map(|&(from, to, rate)| Triplet::new(to, from, c64::new(-rate, 0.0))).collect();
        for (cell, &outflow) in self.outflow.iter().enumerate() {
            entries.push(Triplet::new(cell, cell, shift + outflow));
        }
        let matrix = SparseColMat::<usize, c64>::try_new_from_triplets(cell_count, cell_count, &entries).unwrap();
        if self.symbolic.is_none() {
            self.symbolic = Some(SymbolicLu::try_new(matrix.symbolic()).unwrap());
        }
        let factors = Lu::try_new_with_symbolic(self.symbolic.clone().unwrap(), matrix.as_ref()).unwrap();
        let mut solution = vec![c64::new(0.0, 0.0); cell_count];
        for _ in 0..4 {
            let mut residual: Vec<c64> =
                right.iter().zip(&solution).map(|(&entry, &value)| entry - shift * value).collect();
            for &(from, to, rate) in self.rates {
                let flux = rate * solution[from];
                residual[from] -= flux;
                residual[to] += flux;
            }
            let mut correction = faer::Mat::from_fn(cell_count, 1, |row, _| residual[row]);
            factors.solve_in_place(correction.as_mut());
            for (cell, value) in solution.iter_mut().enumerate() {
                *value += correction[(cell, 0)];
            }
        }
        solution
    }
}

/// Discrete L1 norm of the difference over the L1 norm of `exact`, for cells of equal volume.
///
/// # Panics
/// When the lengths differ.
pub fn relative_difference(values: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(values.len(), exact.len());
    let difference: f64 = values.iter().zip(exact).map(|(a, b)| (a - b).abs()).sum();
    difference / exact.iter().map(|entry| entry.abs()).sum::<f64>()
}

/// Rows of a reference table without its comments (#) and its line of column names; empty fields stay.
pub fn table_rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect()).collect()
}

/// One operator of `tests/reference/transient_small.json` with its exact transients.
pub struct SmallTransient {
    /// Name of the case.
    pub name: String,
    /// (from, to, rate), in doubles that are the reference's exact input.
    pub rates: Vec<(usize, usize, f64)>,
    /// Masses at time 0.
    pub initial: Vec<f64>,
    /// (order, time, masses).
    pub results: Vec<(f64, f64, Vec<f64>)>,
}

/// The cases of `tests/reference/transient_small.json`.
pub fn small_transients() -> Vec<SmallTransient> {
    let file: Value = serde_json::from_str(include_str!("../reference/transient_small.json")).unwrap();
    file["cases"].as_array().unwrap().iter().map(small_transient).collect()
}

fn small_transient(case: &Value) -> SmallTransient {
    SmallTransient {
        name: case["name"].as_str().unwrap().to_string(),
        rates: case["rates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rate| {
                let index = |k: usize| rate[k].as_u64().unwrap() as usize;
                (index(0), index(1), rate[2].as_f64().unwrap())
            })
            .collect(),
        initial: numbers(&case["initial"]),
        results: case["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| {
                let number = |key: &str| result[key].as_f64().unwrap();
                (number("order"), number("time"), numbers(&result["probabilities"]))
            })
            .collect(),
    }
}

/// A JSON array of numbers, or of texts that hold numbers.
pub fn numbers(array: &Value) -> Vec<f64> {
    array
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry.as_f64().unwrap_or_else(|| entry.as_str().unwrap().parse().unwrap()))
        .collect()
}

/// Settings of property tests: the same cases in every run; with `POREWALK_SLOW_TESTS=1` a hundred times as many, other
/// ones in every run.
pub fn random_cases(cases: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, RngSeed};
    let (cases, rng_seed) =
        if is_slow() { (100 * cases, RngSeed::Random) } else { (cases, RngSeed::Fixed(20_261_123)) };
    Config { cases, rng_seed, failure_persistence: None, ..Config::default() }
}

/// True when the long versions of the tests are wanted: `POREWALK_SLOW_TESTS=1`.
pub fn is_slow() -> bool {
    std::env::var_os("POREWALK_SLOW_TESTS").is_some_and(|value| !value.is_empty() && value != "0")
}
