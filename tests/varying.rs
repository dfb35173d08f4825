//! Coefficients that change with time: D_t^α p = A(t) p by every scheme, against power series, exact changes of time
//! and a fine independent integration.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use faer::{Mat, Side};
use porewalk::caputo::{self, CaputoScheme, FractionalOrder};
use porewalk::fokker_planck::{Diffusivity, FormulaDiffusivity, UniformDiffusivity, Varying};
use porewalk::landscape::Formula;
use porewalk::math::special::gamma;
use porewalk::propagator::stepping::Memory;
use porewalk::propagator::{Contour, Evolution, Krylov, Propagator, Solution, Spectral, Stepping};
use support::problem::Problem;
use support::relative_difference;

/// Growth of both coefficients: f(t) = 1 + RATE t.
const RATE: f64 = 0.8;

fn formula(text: &str, dimension: usize) -> FormulaDiffusivity {
    FormulaDiffusivity(Formula::parse("diffusivity.formula", text, dimension).unwrap())
}

/// A short chain whose D and γ grow together, so that A(t) = (1 + RATE t) A(0).
fn growing_chain() -> (Problem, FormulaDiffusivity) {
    let uniform = UniformDiffusivity::new(0.06).unwrap();
    let problem = Problem::new(&[(-1.0, 1.0, 6)], |w| 0.1 * w[0] * w[0] + 0.05 * w[0], &uniform, (&[-0.4], 0.3));
    (problem, formula("0.06*(1 + 0.8*t)", 1))
}

fn run(
    problem: &Problem,
    diffusivity: &dyn Diffusivity,
    friction: &(dyn Fn(f64) -> f64 + Sync),
    propagator: &dyn Propagator,
    order: f64,
    times: &[f64],
) -> porewalk::Result<Solution> {
    let varying = Varying { diffusivity, friction };
    let evolution = Evolution {
        operator: &problem.operator,
        varying: Some(&varying),
        stationary: &problem.stationary,
        order: FractionalOrder::new(order).unwrap(),
        initial: &problem.initial,
        times,
        tolerance: 1e-10,
        memory_limit: 1 << 30,
        threads: 1,
    };
    propagator.propagate(&evolution, &mut ())
}

/// c(t) of D_t^α c = -λ (1 + b t) c, c(0) = 1, by its series in t^(α j + k).
fn growing_relaxation(alpha: f64, lambda: f64, b: f64, time: f64) -> f64 {
    const POWERS: usize = 90;
    let mut row = vec![0.0; POWERS];
    row[0] = 1.0;
    let mut sum = 1.0;
    for j in 0..2 * POWERS {
        let next: Vec<f64> = (0..POWERS)
            .map(|k| {
                let power = alpha * j as f64 + k as f64;
                // Quotients of far gammas: the terms are beyond double precision by then.
                let quotient = if power < 140.0 { gamma(power + 1.0) / gamma(power + 1.0 + alpha) } else { 0.0 };
                -lambda * quotient * (row[k] + if k > 0 { b * row[k - 1] } else { 0.0 })
            })
            .collect();
        sum += next.iter().enumerate().map(|(k, a)| a * time.powf(alpha * (j + 1) as f64 + k as f64)).sum::<f64>();
        row = next;
    }
    sum
}

/// Exact densities of the growing chain: eigenvectors of A(0), each with its own relaxation.
fn exact_growing(problem: &Problem, relaxation: &dyn Fn(f64) -> f64) -> Vec<f64> {
    let logs = &problem.stationary.log_probability;
    let matrix = problem.operator.matrix();
    let count = logs.len();
    let root = |k: usize| (0.5 * logs[k]).exp();
    let symmetric = Mat::<f64>::from_fn(count, count, |i, j| {
        matrix.get(i.max(j), i.min(j)).copied().unwrap_or(0.0) * root(i.min(j)) / root(i.max(j))
    });
    let eigen = symmetric.self_adjoint_eigen(Side::Lower).unwrap();
    let start = problem.initial.probability();
    let mut sum = vec![0.0; count];
    for k in 0..count {
        let vector: Vec<f64> = (0..count).map(|i| eigen.U()[(i, k)]).collect();
        let weight: f64 = (0..count).map(|i| vector[i] * start[i] / root(i)).sum();
        let factor = weight * relaxation(-eigen.S()[k]);
        (0..count).for_each(|i| sum[i] += factor * vector[i] * root(i));
    }
    sum
}

fn graded(scheme: &dyn CaputoScheme, order: f64, steps: usize) -> Stepping<'_> {
    let grading = scheme.best_grading(FractionalOrder::new(order).unwrap());
    Stepping { scheme, steps, grading, memory: Memory::Direct }
}

#[test]
fn the_series_knows_constant_coefficients_and_ordinary_time() {
    use porewalk::math::special::mittag_leffler;
    for alpha in [0.4, 0.7, 1.0] {
        let value = growing_relaxation(alpha, 0.9, 0.0, 1.3);
        assert!((value - mittag_leffler(alpha, 1.0, -0.9 * 1.3f64.powf(alpha)).unwrap()).abs() < 1e-13);
    }
    let (rate, b, time): (f64, f64, f64) = (0.9, 0.8, 1.3);
    let exact = (-rate * (time + 0.5 * b * time * time)).exp();
    assert!((growing_relaxation(1.0, rate, b, time) - exact).abs() < 1e-13);
}

#[test]
fn every_scheme_keeps_its_order_when_the_operator_grows() {
    let (problem, diffusivity) = growing_chain();
    let friction = |time: f64| 1.0 + RATE * time;
    for order in [0.4, 0.6, 0.8] {
        let exact = exact_growing(&problem, &|rate| growing_relaxation(order, rate, RATE, 1.0));
        for scheme in caputo::all() {
            let promised = scheme.guarantees(FractionalOrder::new(order).unwrap());
            // The correction of bdf3 expands A(0) alone: what A'(0) adds leaves it at order 2.
            let expected = match scheme.name() {
                "bdf3" => 2.0,
                _ => promised.graded_order.unwrap_or(promised.rough_order),
            };
            let errors: Vec<f64> = [160, 320, 640]
                .iter()
                .map(|&steps| {
                    let found =
                        run(&problem, &diffusivity, &friction, &graded(&*scheme, order, steps), order, &[1.0]).unwrap();
                    assert!((found.densities[0].mass() - 1.0).abs() <= 1e-13);
                    assert_eq!(found.work.factorisations, found.work.steps, "the operator changes in every step");
                    relative_difference(found.densities[0].probability(), &exact)
                })
                .collect();
            let observed = (errors[1] / errors[2]).log2();
            println!("{} at order {order}: {errors:?}, observed {observed:.3}, promised {expected}", scheme.name());
            assert!((observed - expected).abs() < 0.1, "{} at order {order}: {observed:.3}", scheme.name());
        }
    }
}

/// A diffusivity and a friction that share no eigenvectors at different times.
fn turning() -> (Problem, FormulaDiffusivity, fn(f64) -> f64) {
    let problem = Problem::new(
        &[(-2.0, 2.0, 24)],
        |w| (w[0] * w[0] - 1.0).powi(2) + 0.1 * w[0],
        &formula("0.2 + 0.1*tanh(2*x + 3*t)", 1),
        (&[-0.8], 0.3),
    );
    (problem, formula("0.2 + 0.1*tanh(2*x + 3*t)", 1), |time| 1.0 + 0.5 * (4.0 * time).sin())
}

#[test]
fn ordinary_time_agrees_with_a_fine_integration() {
    // Classical Runge-Kutta steps far below the stability limit: nothing of the crate but A(t) p.
    let (problem, diffusivity, friction) = turning();
    let varying = Varying { diffusivity: &diffusivity, friction: &friction };
    let slope = |time: f64, p: &[f64]| {
        let mut out = vec![0.0; p.len()];
        varying.operator_at(&problem.operator, time).unwrap().apply(p, &mut out);
        out
    };
    let moved = |p: &[f64], step: f64, k: &[f64]| -> Vec<f64> { p.iter().zip(k).map(|(p, k)| p + step * k).collect() };
    let count = 4000;
    let step = 1.0 / f64::from(count);
    let mut p = problem.initial.probability().to_vec();
    for n in 0..count {
        let time = f64::from(n) * step;
        let k1 = slope(time, &p);
        let k2 = slope(time + 0.5 * step, &moved(&p, 0.5 * step, &k1));
        let k3 = slope(time + 0.5 * step, &moved(&p, 0.5 * step, &k2));
        let k4 = slope(time + step, &moved(&p, step, &k3));
        for i in 0..p.len() {
            p[i] += step / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    for (scheme, steps, tolerance) in [("l1", 4000, 2e-3), ("l2-1sigma", 2000, 2e-6), ("bdf2", 2000, 1e-5)] {
        let scheme = caputo::all().into_iter().find(|known| known.name() == scheme).unwrap();
        let found = run(&problem, &diffusivity, &friction, &graded(&*scheme, 1.0, steps), 1.0, &[1.0]).unwrap();
        let half = run(&problem, &diffusivity, &friction, &graded(&*scheme, 1.0, steps / 2), 1.0, &[1.0]).unwrap();
        let [error, before] = [found, half].map(|run| relative_difference(run.densities[0].probability(), &p));
        println!("{}: {error:.2e}, twice the step {before:.2e}", scheme.name());
        assert!(error < tolerance, "{}: {error:e}", scheme.name());
        let expected = scheme.guarantees(FractionalOrder::new(1.0).unwrap()).smooth_order.min(2.0);
        assert!(((before / error).log2() - expected).abs() < 0.1, "{}: {:.3}", scheme.name(), (before / error).log2());
    }
}

#[test]
fn different_schemes_agree_when_eigenvectors_turn() {
    let (problem, diffusivity, friction) = turning();
    for order in [0.5, 0.8] {
        let solve = |scheme: &dyn CaputoScheme| {
            let stepping = graded(scheme, order, 1600);
            run(&problem, &diffusivity, &friction, &stepping, order, &[1.0]).unwrap().densities[0].clone()
        };
        let [second, alikhanov] =
            [&caputo::BackwardDifferences::SECOND as &dyn CaputoScheme, &caputo::L2Sigma].map(solve);
        let difference = relative_difference(second.probability(), alikhanov.probability());
        println!("order {order}: bdf2 against l2-1sigma {difference:.1e}");
        assert!(difference < 2e-5, "{difference:e}");
    }
}

#[test]
fn mass_and_positivity_are_kept_and_coefficients_that_rest_are_factorised_once() {
    let (problem, diffusivity, friction) = turning();
    let l1 = Stepping { scheme: &caputo::L1, steps: 200, grading: 1.0, memory: Memory::Auto };
    let found = run(&problem, &diffusivity, &friction, &l1, 0.6, &[0.5, 1.0]).unwrap();
    for density in &found.densities {
        assert!((density.mass() - 1.0).abs() <= 1e-13);
        assert!(density.minimum() >= 0.0);
    }
    assert_eq!(found.work.factorisations, 200);
    // γ jumps once: two operators, two factorisations. The plane uses the analysis of its structure again.
    let uniform = UniformDiffusivity::new(0.3).unwrap();
    let jump = |time: f64| if time < 0.5 { 1.0 } else { 2.0 };
    for problem in [Problem::double_well(2.0, 40, 0.3, 0.1), Problem::circulating(10, 1.0)] {
        let found = run(&problem, &uniform, &jump, &l1, 0.6, &[1.0]).unwrap();
        assert_eq!(found.work.factorisations, 2);
        assert!((found.densities[0].mass() - 1.0).abs() <= 1e-13);
    }
}

#[test]
fn methods_for_constant_coefficients_refuse() {
    let (problem, diffusivity, friction) = turning();
    let methods: [&dyn Propagator; 3] = [&Krylov::default(), &Contour, &Spectral::default()];
    for method in methods {
        let error = run(&problem, &diffusivity, &friction, method, 0.6, &[1.0]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("change with time"), "{error}");
    }
    let sinking = |time: f64| 1.0 - 2.0 * time;
    let l1 = Stepping { scheme: &caputo::L1, steps: 20, grading: 1.0, memory: Memory::Auto };
    let error = run(&problem, &diffusivity, &sinking, &l1, 0.6, &[1.0]).unwrap_err().to_string();
    assert!(error.contains("friction") && error.contains("t = 5.5"), "{error}");
}
