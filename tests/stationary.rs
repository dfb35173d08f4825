//! Stationary states against exact quadrature and 60-digit eliminations; entrywise, in logarithms.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use porewalk::fokker_planck::{FieldDiffusivity, Flux, FokkerPlanck, StationaryMethod, UniformDiffusivity};
use porewalk::math::elimination::log_stationary;
use support::problem::{Loss, Problem, mesh};
use support::{numbers, table_rows};

/// ln of a positive decimal that may lie below the range of doubles.
fn log_of(decimal: &str) -> f64 {
    let (mantissa, exponent) = decimal.split_once('e').unwrap_or((decimal, "0"));
    mantissa.parse::<f64>().unwrap().ln() + exponent.parse::<f64>().unwrap() * std::f64::consts::LN_10
}

/// Cell probabilities by subtraction-free elimination whatever the operator, in natural order.
fn by_elimination(problem: &Problem) -> Vec<f64> {
    let operator = &problem.operator;
    let order: Vec<usize> = (0..operator.mesh().cell_count()).collect();
    log_stationary(order.len(), &operator.couplings(), &order).unwrap()
}

#[test]
fn weights_of_metastable_wells_by_all_three_methods() {
    for barrier in ["20", "50", "200"] {
        let rows: Vec<_> = table_rows(include_str!("reference/stationary_wells.csv"))
            .into_iter()
            .filter(|row| row[0] == barrier)
            .collect();
        let diffusivity: f64 = rows[0][1].parse().unwrap();
        let closed = Problem::double_well(2.5, 1000, diffusivity, 0.01);
        assert_eq!(closed.stationary.method, StationaryMethod::ClosedForm);
        // The same diffusivity as a field: the method cannot know the formula and sums log-ratios.
        let summed = Problem::new(
            &[(-2.5, 2.5, 1000)],
            |w| (w[0] * w[0] - 1.0).powi(2) + 0.01 * w[0],
            &FieldDiffusivity(move |_: &[f64]| diffusivity),
            (&[-1.0], 0.2),
        );
        assert_eq!(summed.stationary.method, StationaryMethod::LogRatios);
        let ways = [
            ("closed form", closed.stationary.log_probability.clone()),
            ("log-ratios", summed.stationary.log_probability.clone()),
            ("elimination", by_elimination(&closed)),
        ];
        for (name, logs) in &ways {
            let mut worst = 0.0f64;
            for row in &rows {
                let exact = log_of(row[4]);
                let sum = |from: usize, to: usize| logs[from..to].iter().map(|log| log.exp()).sum::<f64>().ln();
                let found = match row[2] {
                    "left_weight" => sum(0, 500),
                    "right_weight" => sum(500, 1000),
                    _ => logs[row[3].parse::<usize>().unwrap()],
                };
                worst = worst.max((found - exact).abs());
            }
            println!("barrier/D = {barrier}, {name}: largest relative error of weights and cells {worst:.1e}");
            assert!(worst < 1e-10, "barrier/D = {barrier}, {name}: {worst:.1e}");
        }
    }
}

#[test]
fn circulating_states_agree_with_a_dense_60_digit_solve() {
    let file: serde_json::Value = serde_json::from_str(include_str!("reference/circulating_2d.json")).unwrap();
    let [lower, upper, shape] = ["lower", "upper", "shape"].map(|key| numbers(&file[key]));
    let axes: Vec<(f64, f64, usize)> = (0..2).map(|axis| (lower[axis], upper[axis], shape[axis] as usize)).collect();
    for case in file["cases"].as_array().unwrap() {
        // The table names its scales as fractions of whole numbers.
        let scale = match case["scale"].as_str().unwrap().split_once('/') {
            Some((above, below)) => above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap(),
            None => case["scale"].as_str().unwrap().parse().unwrap(),
        };
        let problem = Problem::new(
            &axes,
            |w| (w[0] * w[0] - 1.0).powi(2) + w[1] * w[1] + 0.3 * w[0] * w[1],
            &FieldDiffusivity(move |w: &[f64]| scale * (0.05 + 0.04 * (2.0 * w[0]).sin() * (3.0 * w[1]).cos())),
            (&[-1.0, 0.0], 0.3),
        );
        assert_eq!(problem.stationary.method, StationaryMethod::Elimination);
        let exact = case["probabilities"].as_array().unwrap();
        let mut worst = 0.0f64;
        for (found, exact) in problem.stationary.log_probability.iter().zip(exact) {
            let exact = log_of(exact.as_str().unwrap());
            // Rates enter through exp(γ ΔL / D), whose rounding grows with its exponent: relative to ln p.
            worst = worst.max((found - exact).abs() / exact.abs().max(1.0));
        }
        println!("{}: largest error of ln p, relative {worst:.1e}", case["name"]);
        assert!(worst < 1e-13, "{}: {worst:.1e}", case["name"]);
        let probability: Vec<f64> = problem.stationary.log_probability.iter().map(|log| log.exp()).collect();
        let flux = problem.operator.flux_norm(&probability);
        println!("{}: circulating flux {flux:.3e}", case["name"]);
        // In the steep cases nearly all of it is frozen in the wells.
        assert!(flux > 0.0 && (case["name"] != "mild" || flux > 1e-6), "the state carries a flux");
    }
}

#[test]
fn a_range_of_ten_thousand_does_not_overflow() {
    // γ (L_max - L_min) / D = 12800, uniform and not, one and two dimensions.
    for problem in [
        Problem::double_well(3.0, 1000, 0.005, 0.0),
        Problem::new(
            &[(-3.0, 3.0, 300)],
            |w| (w[0] * w[0] - 1.0).powi(2),
            &FieldDiffusivity(|w: &[f64]| 0.005 + 0.001 * w[0].tanh()),
            (&[-1.0], 0.2),
        ),
        Problem::new(
            &[(-3.0, 3.0, 60), (-2.0, 2.0, 50)],
            |w| (w[0] * w[0] - 1.0).powi(2) + w[1] * w[1],
            &FieldDiffusivity(|w: &[f64]| 0.006 + 0.001 * (w[0] + 2.0 * w[1]).sin()),
            (&[-1.0, 0.0], 0.2),
        ),
    ] {
        let logs = &problem.stationary.log_probability;
        assert!(logs.iter().all(|log| log.is_finite()), "{:?}", problem.stationary.method);
        assert!(problem.operator.gibbs().iter().all(|log| log.is_finite()));
        let lowest = logs.iter().copied().fold(0.0, f64::min);
        assert!(lowest < -8000.0, "the tails are there, not cut: {lowest}");
        let total: f64 = logs.iter().map(|log| log.exp()).sum();
        assert!((total - 1.0).abs() < 1e-13, "{total}");
    }
}

/// Every flux has exp(-γ L/D) as its limit: Scharfetter-Gummel exactly, central to order 2, upwind to order 1.
#[test]
fn fluxes_reach_gibbs_with_their_order() {
    let landscape = Loss(1, |w: &[f64]| (w[0] * w[0] - 1.0).powi(2));
    let diffusivity = UniformDiffusivity::new(0.35).unwrap();
    let error = |flux: Flux, cells: usize| {
        let operator = FokkerPlanck { landscape: &landscape, diffusivity: &diffusivity, friction: 1.0 }
            .discretize(mesh(&[(-2.0, 2.0, cells)]), flux)
            .unwrap();
        let stationary = operator.stationary().unwrap();
        let gibbs = operator.gibbs();
        stationary.log_probability.iter().zip(gibbs).map(|(a, b)| (a.exp() - b.exp()).abs()).sum::<f64>()
    };
    for (flux, order) in [(Flux::Central, 2.0), (Flux::Upwind, 1.0)] {
        let errors = [800, 1600, 3200].map(|cells| error(flux, cells));
        let orders = [errors[0] / errors[1], errors[1] / errors[2]].map(f64::log2);
        println!("{}: errors {errors:?}, orders {orders:.3?}", flux.name());
        assert!(orders.iter().all(|found| (found - order).abs() < 0.1), "{}: {orders:?}", flux.name());
    }
    assert!(error(Flux::ScharfetterGummel, 50) < 1e-14);
}

#[test]
fn central_fluxes_are_refused_where_they_lose_positivity() {
    let landscape = Loss(1, |w: &[f64]| 40.0 * w[0]);
    let diffusivity = UniformDiffusivity::new(0.1).unwrap();
    let problem = FokkerPlanck { landscape: &landscape, diffusivity: &diffusivity, friction: 1.0 };
    // γ ΔL / D across a face is 400 h: 4 at h = 0.01, 1 at h = 0.0025.
    let error = problem.discretize(mesh(&[(0.0, 1.0, 100)]), Flux::Central).unwrap_err();
    assert!(error.to_string().contains("4.000"), "{error}");
    assert!(problem.discretize(mesh(&[(0.0, 1.0, 400)]), Flux::Central).is_ok());
}
