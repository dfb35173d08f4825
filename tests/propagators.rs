//! Propagators against independent oracles: eigenvectors in many digits, Laplace contours on the whole operator, a
//! tensor eigenbasis in the plane. Errors are relative L1 norms.
//!
//! `POREWALK_SLOW_TESTS=1` runs every time of the plane (minutes); without it a few are taken.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use std::sync::Arc;

use faer::{Mat, Side};
use porewalk::fokker_planck::{FieldDiffusivity, StationaryMethod, UniformDiffusivity};
use porewalk::math::special::mittag_leffler;
use porewalk::propagator::{Krylov, Propagator, Spectral};
use support::problem::{Problem, log_times};
use support::{contour_reference, is_slow, relative_difference, small_transients};

const ORDERS: [f64; 4] = [0.2, 0.5, 0.8, 1.0];

/// Mass and positivity of every density.
fn assert_is_density(name: &str, solution: &porewalk::propagator::Solution) {
    for density in &solution.densities {
        let values = density.probability();
        let largest = values.iter().copied().fold(0.0, f64::max);
        let smallest = values.iter().copied().fold(0.0, f64::min);
        assert!((density.mass() - 1.0).abs() <= 1e-13, "{name}: mass {:e}", density.mass() - 1.0);
        assert!(smallest >= -1e-12 * largest, "{name}: smallest density {smallest:e}");
    }
}

#[test]
fn small_operators_agree_with_17_digit_transients() {
    let steep_plane = |scale: f64| {
        Problem::new(
            &[(-1.5, 1.5, 4), (-1.5, 1.5, 4)],
            |w| (w[0] * w[0] - 1.0).powi(2) + w[1] * w[1] + 0.3 * w[0] * w[1],
            &FieldDiffusivity(move |w: &[f64]| scale * (0.3 + 0.25 * (2.0 * w[0]).sin() * (3.0 * w[1]).cos())),
            (&[0.0, 0.0], 0.5),
        )
    };
    let well = |diffusivity: f64| {
        Problem::new(
            &[(-2.0, 2.0, 12)],
            |w| (w[0] * w[0] - 1.0).powi(2) + 0.1 * w[0],
            &UniformDiffusivity::new(diffusivity).unwrap(),
            (&[0.0], 0.5),
        )
    };
    for case in small_transients() {
        let mut problem = match case.name.as_str() {
            "double_well_1d" => well(0.25),
            "steep_double_well_1d" => well(0.02),
            _ => steep_plane(1.0),
        };
        problem.initial = porewalk::mesh::Density::new(problem.initial.mesh().clone(), case.initial.clone());
        // The operator is the table's, to rounding of its exponents.
        let mut own: Vec<_> = problem.rates();
        let mut table = case.rates.clone();
        own.sort_by_key(|rate| (rate.0, rate.1));
        table.sort_by_key(|rate| (rate.0, rate.1));
        for (own, table) in own.iter().zip(&table) {
            assert_eq!((own.0, own.1), (table.0, table.1));
            assert!((own.2 / table.2 - 1.0).abs() < 1e-12, "{own:?} {table:?}");
        }
        let mut worst = 0.0f64;
        for order in ORDERS {
            let results: Vec<_> = case.results.iter().filter(|result| result.0 == order).collect();
            let times: Vec<f64> = results.iter().map(|result| result.1).collect();
            let solution = problem.propagate(&Krylov::default(), order, &times, 1e-12);
            assert_is_density(&case.name, &solution);
            for (density, result) in solution.densities.iter().zip(results) {
                worst = worst.max(relative_difference(density.probability(), &result.2));
            }
        }
        println!("{}: Krylov {worst:.1e}", case.name);
        assert!(worst < 1e-11, "{}: {worst:.1e}", case.name);
    }
}

/// 1D, 1000 cells, every output time from 1e-3 to 1e3, four orders, mild and very steep, reversible all of them in 1D.
#[test]
fn krylov_on_the_line_has_ten_digits_at_every_time() {
    let varying = Problem::new(
        &[(-2.5, 2.5, 1000)],
        |w| (w[0] * w[0] - 1.0).powi(2),
        &FieldDiffusivity(|w: &[f64]| 0.2 + 0.15 * (2.0 * w[0]).tanh()),
        (&[-1.0], 0.2),
    );
    for (name, problem) in [
        ("D = 0.35", Problem::double_well(2.5, 1000, 0.35, 0.0)),
        ("D = 0.005 on [-3, 3]", Problem::double_well(3.0, 1000, 0.005, 0.0)),
        ("D(w)", varying),
    ] {
        let times = log_times(1e-3, 1e3, 25);
        for order in ORDERS {
            let solution = problem.propagate(&Krylov::default(), order, &times, 1e-10);
            assert_is_density(name, &solution);
            let rates = problem.rates();
            let mut worst = 0.0f64;
            for (density, time) in solution.densities.iter().zip(&times) {
                let exact = contour_reference(&rates, problem.initial.probability(), order, *time);
                worst = worst.max(relative_difference(density.probability(), &exact));
            }
            let work = &solution.work;
            println!(
                "{name}, alpha {order}: {worst:.1e} with {} factorisations and {} solves",
                work.factorisations, work.solves
            );
            assert!(worst < 1e-10, "{name}, alpha {order}: {worst:.1e}");
        }
    }
}

#[test]
fn a_hundred_times_cost_few_factorisations_and_solves() {
    let mild = Problem::double_well(2.5, 1000, 0.35, 0.0);
    let steep = Problem::double_well(3.0, 1000, 0.005, 0.0);
    let times = log_times(1e-3, 1e3, 100);
    let mut cases: Vec<(&str, &Problem, f64, u64, u64)> =
        ORDERS.iter().map(|&order| ("D = 0.35", &mild, order, 2, 100)).collect();
    cases.extend(ORDERS.iter().map(|&order| ("D = 0.005", &steep, order, 3, 150)));
    for (name, problem, order, factorisations, solves) in cases {
        let work = problem.propagate(&Krylov::default(), order, &times, 1e-10).work;
        println!("{name}, alpha {order}: {} factorisations, {} solves", work.factorisations, work.solves);
        assert!(work.factorisations <= factorisations && work.solves <= solves, "{name}, alpha {order}: {work:?}");
    }
}

/// p(t) of a sum V(x) + W(y) by the eigenvectors of its two lines, which shares nothing with the plane's operator.
struct TensorBasis {
    modes: [Mat<f64>; 2],
    rates: [Vec<f64>; 2],
    weights: [Vec<f64>; 2],
    coefficients: Mat<f64>,
}

impl TensorBasis {
    fn new(lines: [&Problem; 2]) -> Self {
        let bases = lines.map(|line| {
            let size = line.initial.probability().len();
            // Symmetrised: S = diag(π)^-1/2 A diag(π)^1/2.
            let root: Vec<f64> = line.stationary.log_probability.iter().map(|log| (0.5 * log).exp()).collect();
            let mut matrix = Mat::<f64>::zeros(size, size);
            for (from, to, rate) in line.rates() {
                matrix[(to, from)] += rate * root[from] / root[to];
                matrix[(from, from)] -= rate;
            }
            let eigen = matrix.self_adjoint_eigen(Side::Lower).unwrap();
            let rates: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
            let coefficients: Vec<f64> = (0..size)
                .map(|k| (0..size).map(|i| eigen.U()[(i, k)] * line.initial.probability()[i] / root[i]).sum())
                .collect();
            (eigen.U().to_owned(), rates, root, coefficients)
        });
        let [(u, a, x, c), (v, b, y, d)] = bases;
        let coefficients = Mat::from_fn(c.len(), d.len(), |i, j| c[i] * d[j]);
        TensorBasis { modes: [u, v], rates: [a, b], weights: [x, y], coefficients }
    }

    fn density(&self, order: f64, time: f64) -> Vec<f64> {
        let relaxed = Mat::from_fn(self.rates[0].len(), self.rates[1].len(), |i, j| {
            let z = (self.rates[0][i] + self.rates[1][j]).min(0.0) * time.powf(order);
            self.coefficients[(i, j)] * mittag_leffler(order, 1.0, z).unwrap()
        });
        let values = &self.modes[0] * &relaxed * self.modes[1].transpose();
        let (rows, columns) = (values.nrows(), values.ncols());
        (0..rows * columns)
            .map(|k| {
                let (i, j) = (k / columns, k % columns);
                values[(i, j)] * self.weights[0][i] * self.weights[1][j]
            })
            .collect()
    }
}

#[test]
fn krylov_in_the_plane_has_ten_digits_where_detailed_balance_holds() {
    let diffusivity = UniformDiffusivity::new(0.35).unwrap();
    let line = |half: f64, loss: fn(f64) -> f64, mean: f64| {
        Problem::new(&[(-half, half, 128)], move |w| loss(w[0]), &diffusivity, (&[mean], 0.25))
    };
    let plane = Problem::new(
        &[(-2.2, 2.2, 128), (-2.5, 2.5, 128)],
        |w| (w[0] * w[0] - 1.0).powi(2) + 0.5 * w[1] * w[1],
        &diffusivity,
        (&[-1.0, 0.5], 0.25),
    );
    let basis = TensorBasis::new([&line(2.2, |x| (x * x - 1.0).powi(2), -1.0), &line(2.5, |y| 0.5 * y * y, 0.5)]);
    let times = log_times(1e-3, 1e3, 13);
    for order in ORDERS {
        let solution = plane.propagate(&Krylov::default(), order, &times, 1e-10);
        assert_is_density("plane", &solution);
        let errors = solution.densities.iter().zip(&times);
        let worst = errors
            .map(|(density, time)| relative_difference(density.probability(), &basis.density(order, *time)))
            .fold(0.0, f64::max);
        println!(
            "128 x 128 reversible ({}), alpha {order}: {worst:.1e}, {} factorisations, {} solves",
            solution.factorization, solution.work.factorisations, solution.work.solves
        );
        assert!(worst < 1e-10, "alpha {order}: {worst:.1e}");
    }
}

#[test]
fn krylov_in_the_plane_has_ten_digits_with_a_circulating_flux() {
    let problem = Problem::circulating(128, 1.0);
    assert_eq!(problem.stationary.method, StationaryMethod::Elimination);
    let rates = problem.rates();
    let times = if is_slow() { log_times(1e-3, 1e3, 13) } else { vec![1e-3, 0.1, 10.0, 1e3] };
    for order in ORDERS {
        let solution = problem.propagate(&Krylov::default(), order, &times, 1e-10);
        assert_is_density("circulating", &solution);
        let mut worst = 0.0f64;
        for (density, time) in solution.densities.iter().zip(&times) {
            let exact = contour_reference(&rates, problem.initial.probability(), order, *time);
            worst = worst.max(relative_difference(density.probability(), &exact));
        }
        println!(
            "128 x 128 circulating ({}), alpha {order}, {} times: {worst:.1e}, {} factorisations, {} solves",
            solution.factorization,
            times.len(),
            solution.work.factorisations,
            solution.work.solves
        );
        assert!(worst < 1e-10, "alpha {order}: {worst:.1e}");
    }
}

/// Steep planes: γ (L_max - L_min) / D up to 1e4, both factorisations.
#[test]
fn krylov_in_steep_planes_has_ten_digits() {
    let steep = |diffusivity: f64| {
        Problem::new(
            &[(-2.5, 2.5, 64), (-2.0, 2.0, 48)],
            |w| (w[0] * w[0] - 1.0).powi(2) + 0.5 * w[1] * w[1],
            &UniformDiffusivity::new(diffusivity).unwrap(),
            (&[-1.0, 0.5], 0.25),
        )
    };
    for (diffusivity, expected) in [(0.5, "cholesky"), (0.1, "cholesky"), (0.035, "cholesky"), (0.003, "lu")] {
        let problem = steep(diffusivity);
        let rates = problem.rates();
        for order in [0.5, 1.0] {
            let times = [1e-2, 1.0, 1e2];
            let solution = problem.propagate(&Krylov::default(), order, &times, 1e-10);
            assert_is_density("steep plane", &solution);
            assert_eq!(solution.factorization, expected, "D = {diffusivity}");
            let errors = solution.densities.iter().zip(&times).map(|(density, time)| {
                let exact = contour_reference(&rates, problem.initial.probability(), order, *time);
                relative_difference(density.probability(), &exact)
            });
            let worst = errors.fold(0.0, f64::max);
            println!("D = {diffusivity} ({expected}), alpha {order}: {worst:.1e}");
            assert!(worst < 1e-10, "D = {diffusivity}, alpha {order}: {worst:.1e}");
        }
    }
}

#[test]
fn spectral_agrees_where_it_is_valid_and_refuses_where_it_is_not() {
    let mild = Problem::double_well(2.0, 200, 0.35, 0.1);
    let times = log_times(1e-3, 1e3, 13);
    for order in ORDERS {
        let spectral = mild.propagate(&Spectral::default(), order, &times, 1e-10);
        let krylov = mild.propagate(&Krylov::default(), order, &times, 1e-10);
        assert_is_density("spectral", &spectral);
        let worst = spectral.densities.iter().zip(&krylov.densities);
        let worst = worst.map(|(a, b)| relative_difference(b.probability(), a.probability())).fold(0.0, f64::max);
        println!("spectral and Krylov, alpha {order}: {worst:.1e}");
        assert!(worst < 1e-10, "alpha {order}: {worst:.1e}");
    }
    for problem in [Problem::double_well(3.0, 200, 0.005, 0.0), Problem::circulating(8, 1.0)] {
        let error = problem.try_propagate(&Spectral::default(), 0.5, &[1.0], 1e-8).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(error.to_string().contains("krylov"), "the remedy names what works: {error}");
    }
}

/// α = 1 is the ordinary equation: p(t) = exp(A t) p(0) by uniformisation, a sum of non-negative terms.
#[test]
fn order_one_is_the_ordinary_equation() {
    let problem = Problem::circulating(16, 1.0);
    let size = problem.initial.probability().len();
    let rates = problem.rates();
    let mut exit = vec![0.0; size];
    for (from, _, rate) in &rates {
        exit[*from] += rate;
    }
    let fastest = exit.iter().copied().fold(0.0, f64::max);
    for time in [1e-2, 0.5, 3.0] {
        // exp(At) = Σ Poisson(k; Λt) P^k, P = I + A/Λ with non-negative entries.
        let mean = fastest * time;
        let mut power = problem.initial.probability().to_vec();
        let mut log_weight = -mean;
        let mut exact = vec![0.0; size];
        for k in 0..(mean + 12.0 * mean.sqrt() + 60.0) as usize {
            exact.iter_mut().zip(&power).for_each(|(sum, value)| *sum += log_weight.exp() * value);
            let mut next: Vec<f64> = power.iter().zip(&exit).map(|(p, exit)| p * (1.0 - exit / fastest)).collect();
            for (from, to, rate) in &rates {
                next[*to] += power[*from] * rate / fastest;
            }
            power = next;
            log_weight += (mean / (k + 1) as f64).ln();
        }
        let solution = problem.propagate(&Krylov::default(), 1.0, &[time], 1e-11);
        let error = relative_difference(solution.densities[0].probability(), &exact);
        println!("exp(A t) at t = {time}: {error:.1e}");
        assert!(error < 1e-10, "t = {time}: {error:.1e}");
    }
}

/// The value is continuous as α -> 1, linearly in 1 - α, and so is the error estimate's promise.
#[test]
fn order_tends_to_one_continuously() {
    let problem = Problem::double_well(2.5, 400, 0.35, 0.0);
    let times = [0.01, 1.0, 30.0];
    let one = problem.propagate(&Krylov::default(), 1.0, &times, 1e-12);
    let rates = problem.rates();
    let mut slopes: Vec<Vec<f64>> = Vec::new();
    for gap in [1e-2, 1e-4, 1e-6, 1e-8] {
        let near = problem.propagate(&Krylov::default(), 1.0 - gap, &times, 1e-12);
        let mut row = Vec::new();
        for ((density, limit), time) in near.densities.iter().zip(&one.densities).zip(&times) {
            let exact = contour_reference(&rates, problem.initial.probability(), 1.0 - gap, *time);
            let error = relative_difference(density.probability(), &exact);
            assert!(error < 1e-10, "1 - alpha = {gap}, t = {time}: {error:.1e}");
            row.push(relative_difference(density.probability(), limit.probability()) / gap);
        }
        println!("1 - alpha = {gap:e}: difference over gap {row:.4?}");
        slopes.push(row);
    }
    // The slope d p / d alpha settles: the difference is proportional to the gap down to rounding.
    for (index, _) in times.iter().enumerate() {
        let relative = (slopes[2][index] / slopes[1][index] - 1.0).abs();
        assert!(relative < 0.01, "slopes {:?}", slopes.iter().map(|row| row[index]).collect::<Vec<_>>());
        assert!(slopes[3][index] < 1.5 * slopes[1][index] + 1.0);
    }
}

/// The error is not above the estimate that a run reports, nor above the tolerance.
#[test]
fn estimates_hold() {
    let problem = Problem::double_well(2.5, 300, 0.1, 0.05);
    let rates = problem.rates();
    let times = log_times(1e-2, 1e2, 5);
    for order in [0.3, 0.7, 1.0] {
        for tolerance in [1e-4, 1e-7] {
            let solution = problem.propagate(&Krylov::default(), order, &times, tolerance);
            let estimates = solution.error_estimates.as_ref().unwrap();
            for ((density, time), estimate) in solution.densities.iter().zip(&times).zip(estimates) {
                let exact = contour_reference(&rates, problem.initial.probability(), order, *time);
                let error = relative_difference(density.probability(), &exact);
                assert!(*estimate <= tolerance, "{estimate:e}");
                assert!(error <= estimate + 1e-12, "alpha {order} t {time}: error {error:e}, said {estimate:e}");
                assert!(error <= tolerance, "alpha {order} t {time}: error {error:e}");
            }
        }
    }
}

/// Every part of a porous medium keeps its own mass, at every time, by every method.
#[test]
fn pieces_of_a_porous_medium_keep_their_masses() {
    use porewalk::caputo::L1;
    use porewalk::fokker_planck::{Flux, FokkerPlanck, InitialDensity};
    use porewalk::mesh::{Axis, Mesh};
    use porewalk::propagator::{Stepping, stepping::Memory};
    use support::problem::Loss;

    let axes = [Axis::new(-2.0, 2.0, 24).unwrap(), Axis::new(-2.0, 2.0, 20).unwrap()];
    let landscape = Loss(2, |w: &[f64]| (w[0] * w[0] - 1.0).powi(2) + 0.4 * w[1] * w[1]);
    let box_mesh = Mesh::cartesian(&axes).unwrap();
    let losses: Vec<f64> =
        box_mesh.centers().chunks_exact(2).map(|w| (w[0] * w[0] - 1.0).powi(2) + 0.4 * w[1] * w[1]).collect();
    let mesh = Arc::new(Mesh::porous(&axes, &losses, 0.6).unwrap());
    let components = mesh.components();
    assert_eq!(components.count, 2);
    let operator =
        FokkerPlanck { landscape: &landscape, diffusivity: &UniformDiffusivity::new(0.3).unwrap(), friction: 1.0 }
            .discretize(mesh.clone(), Flux::ScharfetterGummel)
            .unwrap();
    let initial = InitialDensity::gaussian(&mesh, &[-0.4, 0.2], &[0.6, 0.6]).unwrap().density;
    let problem = Problem { stationary: operator.stationary().unwrap(), operator, initial };
    let part = |values: &[f64], label: usize| -> f64 {
        values.iter().zip(&components.label).filter(|(_, other)| **other == label).map(|(value, _)| value).sum()
    };
    let stepping = Stepping { scheme: &L1, steps: 60, grading: 2.0, memory: Memory::Direct };
    let methods: [&dyn Propagator; 2] = [&Krylov::default(), &stepping];
    for method in methods {
        for order in [0.4, 1.0] {
            let solution = problem.propagate(method, order, &[0.1, 10.0, 1000.0], 1e-10);
            assert_is_density(method.name(), &solution);
            for density in &solution.densities {
                for label in 0..2 {
                    let drift = part(density.probability(), label) - part(problem.initial.probability(), label);
                    assert!(drift.abs() < 1e-13, "{} alpha {order}: piece {label} drifts by {drift:e}", method.name());
                }
            }
        }
    }
}

/// Symmetrising loses no digits: the relative error of (q I - A)^-1 p by Cholesky against a refined LU, by the spread
/// of γ L / D. Above a spread of 1000, where its scaling nears the end of the doubles' range, the program takes LU.
#[test]
fn cholesky_keeps_its_digits_up_to_its_limit() {
    use porewalk::fokker_planck::{FactorizationKind, ShiftedSystem};

    let mut rows = Vec::new();
    // In a well, and high on a slope, where the scaling of the symmetrised operator is strongest.
    let starts = [[-1.0, 0.5], [2.3, 1.8]];
    for (spread, start) in [10.0, 60.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0, 1400.0]
        .into_iter()
        .flat_map(|s| starts.map(|w| (s, w)))
    {
        let range = (2.5f64 * 2.5 - 1.0).powi(2) + 2.0;
        let problem = Problem::new(
            &[(-2.5, 2.5, 64), (-2.0, 2.0, 48)],
            |w| (w[0] * w[0] - 1.0).powi(2) + 0.5 * w[1] * w[1],
            &UniformDiffusivity::new(range / spread).unwrap(),
            (&start, 0.1),
        );
        let right = problem.initial.probability().to_vec();
        let mut worst = [0.0f64; 2];
        for shift in [1e-3, 1.0, 1e3] {
            let solve = |kind: FactorizationKind, right: &[f64]| {
                let mut system = ShiftedSystem::with_kind(&problem.operator, &problem.stationary, kind).unwrap();
                let mut x = right.to_vec();
                system.factorize(shift).unwrap().solve_in_place(&mut x);
                x
            };
            let lu = solve(FactorizationKind::Lu, &right);
            let mut exact = lu.clone();
            for _ in 0..3 {
                let mut residual = vec![0.0; right.len()];
                problem.operator.apply(&exact, &mut residual);
                residual.iter_mut().zip(&exact).zip(&right).for_each(|((r, x), b)| *r += b - shift * x);
                exact.iter_mut().zip(solve(FactorizationKind::Lu, &residual)).for_each(|(x, more)| *x += more);
            }
            // The mass is known to be 1 / shift and always put right; small shifts lose digits of nothing else.
            let with_mass = |x: &[f64]| {
                let scale = 1.0 / (shift * x.iter().sum::<f64>());
                x.iter().map(|value| value * scale).collect::<Vec<f64>>()
            };
            let (exact, lu) = (with_mass(&exact), with_mass(&lu));
            let cholesky = with_mass(&solve(FactorizationKind::Cholesky, &right));
            worst[0] = worst[0].max(relative_difference(&cholesky, &exact));
            worst[1] = worst[1].max(relative_difference(&lu, &exact));
        }
        println!("spread {spread}, start {start:?}: Cholesky {:.1e}, LU {:.1e}", worst[0], worst[1]);
        rows.push((spread, worst));
    }
    for (spread, worst) in rows {
        assert!(spread > 1000.0 || worst[0] < 1e-11, "spread {spread}: {worst:?}");
        assert!(worst[1] < 1e-11, "spread {spread}: {worst:?}");
    }
}
