//! Caputo schemes: digits of independent computations, observed orders against the promised ones, and the L1
//! propagator on a whole problem (Task B: 1D harmonic, 1000 cells, 1000 steps).
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use porewalk::caputo::{self, CaputoScheme, DirectSum, FractionalOrder, L1, MemorySum, TimeGrid};
use porewalk::fokker_planck::UniformDiffusivity;
use porewalk::math::special::{gamma, mittag_leffler};
use porewalk::propagator::{Spectral, Stepping};
use proptest::prelude::*;
use support::problem::Problem;
use support::{relative_difference, table_rows};

/// u at every node of D^α u = -u, u(0) = 1, stepped for increments with the direct memory sum.
fn relax(scheme: &dyn CaputoScheme, order: f64, grid: &TimeGrid) -> Vec<f64> {
    let order = FractionalOrder::new(order).unwrap();
    let mut memory = DirectSum::new(scheme, order, 1, grid.step_count());
    let mut values = vec![1.0];
    for step in grid.steps() {
        let value = values[values.len() - 1];
        let mut history = [f64::NAN];
        let weight = memory.history(step, &mut history);
        let increment = -(value + history[0]) / (weight + 1.0);
        memory.push(&[increment], step);
        values.push(value + increment);
    }
    values
}

/// (error at the end, largest nodal error) against the Mittag-Leffler function.
fn errors(order: f64, grid: &TimeGrid, values: &[f64]) -> (f64, f64) {
    let nodal = grid.times().iter().zip(values).map(|(time, value)| {
        let exact = if *time == 0.0 { 1.0 } else { mittag_leffler(order, 1.0, -time.powf(order)).unwrap() };
        (value - exact).abs()
    });
    let nodal: Vec<f64> = nodal.collect();
    (nodal[nodal.len() - 1], nodal.into_iter().fold(0.0, f64::max))
}

#[test]
fn l1_has_the_digits_of_an_independent_computation() {
    let mut count = 0;
    for row in table_rows(include_str!("reference/scalar_relaxation.csv")) {
        let number = |index: usize| row[index].parse::<f64>().unwrap();
        let (order, grading, steps) = (number(0), number(1), row[2].parse::<usize>().unwrap());
        let grid = TimeGrid::graded(1.0, steps, grading).unwrap();
        let values = relax(&L1, order, &grid);
        let (end, largest) = errors(order, &grid, &values);
        let value = values[values.len() - 1];
        assert!((value / number(3) - 1.0).abs() < 1e-12, "alpha {order} r {grading} N {steps}: {value:e}");
        assert!((end / number(4) - 1.0).abs() < 1e-6, "alpha {order} r {grading} N {steps}: end {end:e}");
        if !row[5].is_empty() {
            assert!((largest / number(5) - 1.0).abs() < 1e-6, "alpha {order} r {grading} N {steps}: max {largest:e}");
        }
        count += 1;
    }
    assert!(count > 30);
    println!("{count} rows: end values to 1e-12, errors to six digits");
}

#[test]
fn published_digits_to_four_places() {
    // Cross-checked between four programs: error at T = 1.
    for (order, grading, steps, expected) in [
        (0.3, 1.0, 1000, 3.876e-5),
        (0.5, 1.0, 1000, 6.920e-5),
        (0.8, 1.0, 1000, 1.397e-4),
        (0.3, 1.0, 10_000, 3.868e-6),
        (0.5, 1.0, 10_000, 6.858e-6),
        (0.8, 1.0, 10_000, 1.353e-5),
        (0.5, 3.0, 1000, 5.237e-6),
    ] {
        let grid = TimeGrid::graded(1.0, steps, grading).unwrap();
        let (end, _) = errors(order, &grid, &relax(&L1, order, &grid));
        let (found, expected) = (format!("{end:.3e}"), format!("{expected:.3e}"));
        assert_eq!(found, expected, "alpha {order}, r {grading}, N {steps}");
    }
}

/// Every scheme keeps the promise of its registry entry, on graded steps (whole error) and on uniform ones (at T).
#[test]
fn schemes_have_the_orders_they_promise() {
    for scheme in caputo::all() {
        for order in [0.4, 0.6, 0.8, 1.0] {
            let fractional = FractionalOrder::new(order).unwrap();
            let promised = scheme.guarantees(fractional);
            let grading = scheme.best_grading(fractional);
            let run = |steps: usize, grading: f64| {
                let grid = TimeGrid::graded(1.0, steps, grading).unwrap();
                errors(order, &grid, &relax(scheme.as_ref(), order, &grid))
            };
            let graded = [1024, 2048, 4096].map(|steps| run(steps, grading).1);
            let uniform = [512, 1024].map(|steps| run(steps, 1.0).0);
            let found = [(graded[1] / graded[2]).log2(), (uniform[0] / uniform[1]).log2()];
            println!(
                "{} alpha {order}: graded {:.3} of {}, uniform {:.3}",
                scheme.name(),
                found[0],
                promised.graded_order,
                found[1]
            );
            assert!((found[0] - promised.graded_order).abs() < 0.05, "{} alpha {order}: {found:?}", scheme.name());
            assert!((found[1] - promised.rough_order).abs() < 0.05, "{} alpha {order}: {found:?}", scheme.name());
        }
    }
}

/// α = 0.1, grading 19: the first of 10^4 steps is 1e-76 of the interval, and no digit is lost to it. The theory's
/// 1.9 is approached slowly: 80-bit arithmetic gives 1.785 and 1.799 as well (the rows with r = 19 of the table).
#[test]
fn extreme_gradings_keep_their_order() {
    let measured = [2500, 5000, 10_000].map(|steps| {
        let grid = TimeGrid::graded(1.0, steps, 19.0).unwrap();
        errors(0.1, &grid, &relax(&L1, 0.1, &grid)).1
    });
    let table = table_rows(include_str!("reference/scalar_relaxation.csv"));
    let exact = ["2500", "5000", "10000"].map(|steps| {
        let row = table.iter().find(|row| row[0] == "0.1" && row[1] == "19.0" && row[2] == steps).unwrap();
        row[5].parse::<f64>().unwrap()
    });
    let orders = |errors: [f64; 3]| [errors[0] / errors[1], errors[1] / errors[2]].map(f64::log2);
    println!(
        "alpha 0.1, r = 19: errors {measured:?}, orders {:.3?}, in 80 bits {:.3?}",
        orders(measured),
        orders(exact)
    );
    for (found, exact) in orders(measured).iter().zip(orders(exact)) {
        assert!((found - exact).abs() < 1e-4, "{found}, not {exact}");
    }
    assert!(orders(measured)[0] < orders(measured)[1] && orders(measured)[1] < 1.9);
}

proptest! {
    #![proptest_config(support::random_cases(200))]

    /// On any steps the weights of every scheme differentiate t exactly, and the direct sum is the row, whatever was
    /// in the buffer, wherever the history is cut.
    #[test]
    fn rows_are_exact_for_lines_on_any_steps(
        order in 0.02f64..1.0,
        exponents in prop::collection::vec(-6.0f64..0.0, 1..40),
        cut in 0.0f64..1.0,
    ) {
        let steps: Vec<f64> = exponents.iter().map(|exponent| 10f64.powf(*exponent)).collect();
        let fractional = FractionalOrder::new(order).unwrap();
        for scheme in caputo::all() {
            let mut row = vec![f64::NAN; steps.len()];
            scheme.row(fractional, &steps, &mut row);
            let last = steps[steps.len() - 1];
            let point = steps.iter().sum::<f64>() - scheme.evaluation_offset(fractional) * last;
            let sum: f64 = row.iter().zip(&steps).map(|(weight, step)| weight * step).sum();
            let exact = point.powf(1.0 - order) / gamma(2.0 - order);
            prop_assert!((sum / exact - 1.0).abs() < 1e-12, "{}: {sum:e}, not {exact:e}", scheme.name());
            if scheme.guarantees(fractional).keeps_positivity {
                prop_assert!(row.iter().all(|weight| *weight > 0.0));
                prop_assert!(row.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-12)), "weights must grow: {row:?}");
            }
            // Part of the history pushed, the rest pushed after a look that leaves no trace.
            let mut memory = DirectSum::new(scheme.as_ref(), fractional, 1, steps.len());
            let early = (cut * (steps.len() - 1) as f64) as usize;
            for (index, step) in steps[..steps.len() - 1].iter().enumerate() {
                if index == early {
                    memory.history(0.123, &mut [f64::INFINITY]);
                }
                memory.push(&[*step], *step);
            }
            let mut history = [f64::NAN];
            let own = memory.history(last, &mut history);
            prop_assert!(((history[0] + own * last) / exact - 1.0).abs() < 1e-12);
        }
    }
}

/// Task B against the exact solution of the semi-discrete problem (eigenvectors times Mittag-Leffler).
#[test]
fn a_thousand_steps_on_a_thousand_cells() {
    let problem = Problem::new(
        &[(-5.0, 5.0, 1000)],
        |w| 0.5 * w[0] * w[0],
        &UniformDiffusivity::new(1.0).unwrap(),
        (&[1.0], 0.5),
    );
    let exact = problem.propagate(&Spectral::default(), 0.6, &[1.0], 1e-10);
    let grading = L1.best_grading(FractionalOrder::new(0.6).unwrap());
    for (name, grading, expected) in [("uniform", 1.0, 8.089e-5), ("graded", grading, 1.08e-5)] {
        let stepping = Stepping { scheme: &L1, steps: 1000, grading };
        let solution = problem.propagate(&stepping, 0.6, &[1.0], 1e-10);
        let density = &solution.densities[0];
        let error = relative_difference(density.probability(), exact.densities[0].probability());
        let (mass, least) = (density.mass() - 1.0, density.minimum());
        println!("{name}: L1 error {error:.4e}, mass - 1 = {mass:.1e}, least {least:.1e}, {:?}", solution.work);
        assert!((error / expected - 1.0).abs() < 5e-3, "{name}: {error:e}");
        assert!(mass.abs() <= 1e-14 && least >= 0.0, "{name}: mass - 1 = {mass:e}, least {least:e}");
        // Uniform steps share one factorisation; work is counted, not timed.
        let factorisations = if grading == 1.0 { 1..=2 } else { 900..=1001 };
        assert!(factorisations.contains(&solution.work.factorisations), "{name}: {:?}", solution.work);
        assert_eq!((solution.work.steps, solution.work.solves), (1000, 1000));
    }
}
