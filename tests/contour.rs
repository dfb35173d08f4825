//! The contour propagator and its derivatives: against independent contours, the Krylov space, and finite differences.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use porewalk::caputo::FractionalOrder;
use porewalk::fokker_planck::{FieldDiffusivity, Flux, Parameter, UniformDiffusivity};
use porewalk::mesh::Density;
use porewalk::propagator::{Contour, Evolution, Krylov, Solution};
use support::problem::{Problem, log_times};
use support::{contour_reference, relative_difference};

fn worst(a: &Solution, b: &Solution) -> f64 {
    let pairs = a.densities.iter().zip(&b.densities);
    pairs.map(|(a, b)| relative_difference(a.probability(), b.probability())).fold(0.0, f64::max)
}

#[test]
fn a_hundred_times_over_two_decades_take_at_most_40_factorisations() {
    for (half_width, diffusivity) in [(2.5, 0.35), (3.0, 0.02), (3.0, 0.005)] {
        let problem = Problem::double_well(half_width, 1000, diffusivity, 0.1);
        let times = log_times(0.1, 10.0, 100);
        for order in [0.3, 0.6, 0.9, 1.0] {
            let found = problem.propagate(&Contour, order, &times, 1e-9);
            let mut error = 0.0f64;
            for (density, &time) in found.densities.iter().zip(&times).step_by(9) {
                let exact = contour_reference(&problem.rates(), problem.initial.probability(), order, time);
                error = error.max(relative_difference(density.probability(), &exact));
            }
            let error = error.max(worst(&found, &problem.propagate(&Krylov::default(), order, &times, 1e-12)));
            let estimate = found.error_estimates.iter().flatten().copied().fold(0.0, f64::max);
            println!(
                "D = {diffusivity}, order {order}: {} factorisations, {error:.1e}, estimated {estimate:.1e}, raw mass {:.1e}",
                found.work.factorisations, found.raw_mass_defect
            );
            // Steep drift near order 1 makes the contour open.
            let most = if diffusivity >= 0.3 { 40 } else { 150 };
            assert!(found.work.factorisations <= most, "{}", found.work.factorisations);
            assert!(error <= 1e-10, "D = {diffusivity}, order {order}: {error:.1e}");
            assert!(found.densities.iter().all(|density| (density.mass() - 1.0).abs() <= 1e-13));
        }
    }
}

#[test]
fn the_tolerance_is_kept_over_six_decades_and_at_time_zero() {
    let problem = Problem::double_well(2.5, 300, 0.35, 0.1);
    let times: Vec<f64> = std::iter::once(0.0).chain(log_times(1e-3, 1e3, 13)).collect();
    for tolerance in [1e-4, 1e-8, 1e-11] {
        let found = problem.propagate(&Contour, 0.7, &times, tolerance);
        let error = worst(&found, &problem.propagate(&Krylov::default(), 0.7, &times, 1e-12));
        println!("{tolerance:e}: {error:.1e}, {} factorisations", found.work.factorisations);
        assert!(error <= tolerance.max(2e-11), "{tolerance:e}: {error:.1e}");
        assert_eq!(found.densities[0].probability(), problem.initial.probability());
    }
}

#[test]
fn planes_with_and_without_circulation_agree_with_the_krylov_space() {
    let reversible = Problem::new(
        &[(-2.0, 2.0, 40), (-2.0, 2.0, 36)],
        |w| (w[0] * w[0] - 1.0).powi(2) + w[1] * w[1] + 0.3 * w[0] * w[1],
        &UniformDiffusivity::new(0.3).unwrap(),
        (&[-1.0, 0.5], 0.3),
    );
    let times = log_times(0.05, 5.0, 7);
    for (name, problem) in [("reversible", reversible), ("circulating", Problem::circulating(40, 1.0))] {
        let angle = problem.operator.opening_angle(&problem.stationary).unwrap().unwrap();
        for order in [0.4, 0.7, 1.0] {
            let found = problem.propagate(&Contour, order, &times, 1e-10);
            let error = worst(&found, &problem.propagate(&Krylov::default(), order, &times, 1e-12));
            println!(
                "{name}, opening {angle:.3}, order {order}: {error:.1e}, {} factorisations, raw mass {:.1e}",
                found.work.factorisations, found.raw_mass_defect
            );
            assert!(error <= 1e-10, "{name}, order {order}: {error:.1e}");
        }
    }
}

#[test]
fn a_landscape_too_steep_to_bound_the_range_is_refused_unless_the_order_is_small() {
    let steep = Problem::circulating(20, 0.002);
    let refused = steep.try_propagate(&Contour, 0.9, &[1.0], 1e-8).unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    assert!(refused.to_string().contains("too steep"), "{refused}");
    assert!(steep.try_propagate(&Contour, 0.5, &[1.0], 1e-8).is_ok());
}

/// Central differences with steps h and h/2, extrapolated: error h^4.
fn differences(at: f64, values: &dyn Fn(f64) -> Solution) -> Vec<Vec<f64>> {
    let step = 2e-3 * at;
    let slope = |step: f64| -> Vec<Vec<f64>> {
        let (above, below) = (values(at + step), values(at - step));
        let pairs = above.densities.iter().zip(&below.densities);
        let slopes = pairs.map(|(above, below)| {
            let pairs = above.probability().iter().zip(below.probability());
            pairs.map(|(above, below)| (above - below) / (2.0 * step)).collect()
        });
        slopes.collect()
    };
    let (coarse, fine) = (slope(step), slope(0.5 * step));
    let pairs = coarse.iter().zip(&fine);
    pairs.map(|(c, f)| c.iter().zip(f).map(|(c, f)| f + (f - c) / 3.0).collect()).collect()
}

#[test]
fn derivatives_agree_with_finite_differences() {
    let times = [0.1, 1.0, 10.0];
    let line = |order: f64, friction: f64, diffusivity: f64| {
        let base = Problem::double_well(2.2, 60, diffusivity, 0.2);
        (order, with_coefficients(base, &UniformDiffusivity::new(diffusivity).unwrap(), friction))
    };
    let plane = |order: f64, friction: f64, factor: f64| {
        let diffusivity =
            FieldDiffusivity(move |w: &[f64]| factor * (0.3 + 0.25 * (2.0 * w[0]).sin() * (3.0 * w[1]).cos()));
        (order, with_coefficients(Problem::circulating(14, factor), &diffusivity, friction))
    };
    type Family<'a> = &'a dyn Fn(f64, f64, f64) -> (f64, Problem);
    let families: [(&str, Family<'_>, [f64; 3]); 2] =
        [("line", &line, [0.7, 1.3, 0.4]), ("plane", &plane, [0.6, 0.8, 1.0])];
    for (name, family, at) in families {
        let (order, problem) = family(at[0], at[1], at[2]);
        let evolution = Evolution {
            operator: &problem.operator,
            varying: None,
            stationary: &problem.stationary,
            order: FractionalOrder::new(order).unwrap(),
            initial: &problem.initial,
            times: &times,
            tolerance: 1e-12,
            memory_limit: 1 << 30,
            threads: 1,
        };
        let parameters = Parameter::ALL.map(|(_, parameter)| parameter);
        let (_, derivatives) = Contour.with_derivatives(&evolution, &parameters, &mut ()).unwrap();
        for (k, (parameter, found)) in derivatives.iter().enumerate() {
            let expected = differences(at[k], &|value| {
                let mut moved = at;
                moved[k] = value;
                let (order, problem) = family(moved[0], moved[1], moved[2]);
                problem.propagate(&Contour, order, &times, 1e-12)
            });
            for ((found, expected), time) in found.iter().zip(&expected).zip(times) {
                let size: f64 = expected.iter().map(|value| value.abs()).sum();
                let error: f64 = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).sum();
                println!("{name}, d/d{}, t = {time}: |dp| = {size:.2e}, error {error:.1e}", parameter.name());
                assert!(error <= 1e-7 * size + 1e-9, "{name}, {}, {time}: {error:.1e} of {size:.1e}", parameter.name());
                assert!(found.iter().sum::<f64>().abs() < 1e-14 * size.max(1.0));
            }
        }
    }
}

/// The problem with another diffusivity and friction, from the same start.
fn with_coefficients(
    problem: Problem,
    diffusivity: &dyn porewalk::fokker_planck::Diffusivity,
    friction: f64,
) -> Problem {
    let operator = problem.operator.with_coefficients(diffusivity, friction, 0.0).unwrap();
    assert_eq!(operator.flux(), Flux::ScharfetterGummel);
    let stationary = operator.stationary().unwrap();
    let initial = Density::new(problem.initial.mesh().clone(), problem.initial.probability().to_vec());
    Problem { operator, stationary, initial }
}
