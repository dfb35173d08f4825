//! Adaptive steps: the accuracy that was asked for, and an estimate that tells the truth.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use porewalk::caputo::{BackwardDifferences, CaputoScheme, FractionalOrder, L1, L2Sigma};
use porewalk::fokker_planck::{UniformDiffusivity, Varying};
use porewalk::propagator::stepping::Memory;
use porewalk::propagator::{Adaptive, Evolution, Krylov, Propagator, Stepping};
use support::problem::{Problem, log_times};
use support::relative_difference;

#[test]
fn tolerance_in_accuracy_out() {
    let cases = [
        ("double well", Problem::double_well(2.5, 120, 0.35, 0.1)),
        ("steep well", Problem::double_well(2.2, 100, 0.02, 0.1)),
        ("circulating plane", Problem::circulating(12, 1.0)),
    ];
    let schemes: [(&dyn CaputoScheme, &[f64]); 2] = [(&L1, &[1e-3, 1e-4]), (&L2Sigma, &[1e-3, 1e-5, 1e-7])];
    let times = log_times(0.1, 10.0, 4);
    for (name, problem) in &cases {
        for (scheme, tolerances) in schemes {
            for order in [0.3, 0.6, 0.9, 1.0] {
                let exact = problem.propagate(&Krylov::default(), order, &times, 1e-12);
                // Order 1 of backward differences asks for a step per unit of accuracy: once is enough.
                let tolerances = if order == 1.0 && scheme.name() == "l1" { &tolerances[..1] } else { tolerances };
                for &tolerance in tolerances {
                    let found = problem.propagate(&Adaptive::new(scheme), order, &times, tolerance);
                    let pairs = found.densities.iter().zip(&exact.densities);
                    let errors = pairs.map(|(a, b)| relative_difference(a.probability(), b.probability()));
                    let errors: Vec<f64> = errors.collect();
                    let estimates = found.error_estimates.clone().unwrap();
                    let worst = errors.iter().copied().fold(0.0, f64::max);
                    let estimated = estimates.iter().copied().fold(0.0, f64::max);
                    println!(
                        "{name}, {} at order {order}, {tolerance:e}: error {worst:.1e}, estimate {estimated:.1e}, {} steps, {} rejected",
                        scheme.name(),
                        found.work.steps,
                        found.work.rejected_steps
                    );
                    assert!(worst <= tolerance, "{worst:e}");
                    assert!((0.3..3.0).contains(&(estimated / worst)), "estimate {estimated:e} of {worst:e}");
                    // Where the well has come to rest both vanish, the error faster.
                    let told = estimates.iter().zip(&errors).filter(|(_, error)| **error > 1e-4 * tolerance);
                    for (estimate, error) in told {
                        let ratio = estimate / error;
                        assert!((0.1..10.0).contains(&ratio), "{ratio}: {estimates:?}, {errors:?}");
                    }
                    assert!(found.work.rejected_steps < found.work.steps / 5);
                    let work = &found.work;
                    assert_eq!(work.solves, work.steps + work.rejected_steps);
                    assert!(found.densities.iter().all(|density| (density.mass() - 1.0).abs() <= 1e-13));
                }
            }
        }
    }
}

#[test]
fn a_pulse_of_the_friction_is_found_and_resolved() {
    // γ jumps up for a hundredth of the time: long steps would pass over it.
    let problem = Problem::double_well(2.0, 60, 0.3, 0.1);
    let uniform = UniformDiffusivity::new(0.3).unwrap();
    let friction = |time: f64| 1.0 + 20.0 * (-((time - 0.6) / 0.02).powi(2)).exp();
    let varying = Varying { diffusivity: &uniform, friction: &friction };
    let evolution = |tolerance: f64| Evolution {
        operator: &problem.operator,
        varying: Some(&varying),
        stationary: &problem.stationary,
        order: FractionalOrder::new(0.7).unwrap(),
        initial: &problem.initial,
        times: &[0.62, 1.0],
        tolerance,
        memory_limit: 1 << 30,
        threads: 1,
    };
    let fine = Stepping { scheme: &BackwardDifferences::SECOND, steps: 20_000, grading: 1.0, memory: Memory::Fft };
    let reference = fine.propagate(&evolution(1e-10), &mut ()).unwrap();
    for tolerance in [1e-4, 1e-6] {
        let found = Adaptive::new(&L2Sigma).propagate(&evolution(tolerance), &mut ()).unwrap();
        let pairs = found.densities.iter().zip(&reference.densities);
        let error = pairs.map(|(a, b)| relative_difference(a.probability(), b.probability())).fold(0.0, f64::max);
        let estimate = found.error_estimates.iter().flatten().copied().fold(0.0, f64::max);
        println!(
            "{tolerance:e}: error {error:.1e}, estimate {estimate:.1e}, {} steps, {} rejected",
            found.work.steps, found.work.rejected_steps
        );
        assert!(found.work.rejected_steps > 0);
        assert!(error <= tolerance && (0.1..10.0).contains(&(estimate / error)), "{error:e}, {estimate:e}");
    }
}

#[test]
fn what_cannot_be_adapted_or_reached_is_said() {
    let problem = Problem::double_well(2.0, 40, 0.35, 0.1);
    let refused = problem.try_propagate(&Adaptive::new(&BackwardDifferences::SECOND), 0.5, &[1.0], 1e-4).unwrap_err();
    assert!(refused.to_string().contains("uniform steps"), "{refused}");
    let few = Adaptive { scheme: &L1, largest_count: 200 };
    let failed = problem.try_propagate(&few, 0.9, &[1.0], 1e-6).unwrap_err();
    assert_eq!(failed.exit_code(), 1);
    assert!(failed.to_string().contains("more than 200 steps"), "{failed}");
    let at_start = problem.propagate(&Adaptive::new(&L1), 0.5, &[0.0], 1e-4);
    assert_eq!(at_start.densities[0].probability(), problem.initial.probability());
}
