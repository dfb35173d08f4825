//! Estimates of learning coefficients against exact values at a finite temperature.
//!
//! `POREWALK_SLOW_TESTS=1` runs every case and remakes the values that came from Gibbs samplers; without it a few are taken.

mod support;

#[allow(dead_code)] // the printing is the example's own
#[path = "../examples/exact_cases.rs"]
mod exact_cases;

use std::num::NonZeroUsize;

use exact_cases::Case;
use porewalk::estimate::learning_coefficient::{Settings, estimate};
use porewalk::estimate::quadrature::expected_energy;
use porewalk::landscape::ExpressionLandscape;
use porewalk::math::random::Stream;
use porewalk::network::{DeepLinear, TrueMap};
use rayon::prelude::*;
use support::deep_linear::DeepLinearGibbs;
use support::exact_values::{
    Activation, REDUCED_RANK_5_5_3_1, homogeneous, monomial_of_two, one_hidden_unit, product_of_three_squares,
    product_of_two_squares, quadratic, two_hidden_units,
};
use support::reduced_rank::ReducedRank;

/// Cases of the short run: some of every kind, the quick ones.
const QUICK: [(&str, f64); 10] = [
    ("quadratic 1", 144.76),
    ("quadratic 1, 10", 100.0),
    ("quartic, three axes", 1e3),
    ("x^6 + y^6", 144.76),
    ("x^2 y^2", 144.76),
    ("tanh, 1 hidden", 144.76),
    ("relu, 1 hidden", 144.76),
    ("relu, 2 hidden", 144.76),
    ("reduced rank 5 3 5, ranks 2, 2", 263.1),
    ("deep linear 4 3 2 4", 1e3),
];

fn all() -> Vec<Case> {
    exact_cases::cases().expect("landscapes that can be built")
}

/// The exact value of a case with this name, t and g.
fn listed(name: &str, t: f64, g: f64) -> f64 {
    let cases = all();
    let found = cases.iter().find(|case| (case.name.as_str(), case.t, case.g) == (name, t, g));
    found.unwrap_or_else(|| panic!("{name} at t = {t}, g = {g}")).exact
}

#[test]
fn estimates_hold_within_three_errors_and_three_per_cent() {
    let mut cases = all();
    assert!(cases.len() >= 28, "{}", cases.len());
    if !support::is_slow() {
        cases.retain(|case| QUICK.contains(&(case.name.as_str(), case.t)));
        assert!(cases.len() >= QUICK.len());
    }
    let outcomes = exact_cases::run(&cases).expect("estimates");
    outcomes.iter().for_each(|outcome| println!("{}", outcome.line));
    let holding = outcomes.iter().filter(|outcome| outcome.holds()).count();
    println!("{holding} of {} hold within 3 standard errors and 3 %", outcomes.len());
    for outcome in &outcomes {
        assert!(outcome.holds(), "{}", outcome.line);
        assert!(outcome.error_percent < 1.0, "too few draws to tell: {}", outcome.line);
    }
}

#[test]
fn closed_forms_and_quadratures_give_the_listed_values() {
    let check = |name: &str, t: f64, g: f64, expected: f64| {
        let found = listed(name, t, g);
        assert!((found - expected).abs() < 6e-6, "{name} at {t}, {g}: listed {found}, computed {expected}");
    };
    check("quadratic 1", 144.76, 100.0, quadratic(&[1.0], 144.76, 100.0));
    check("quadratic 1, 10", 100.0, 1.0, quadratic(&[1.0, 10.0], 100.0, 1.0));
    check("quadratic 0.1, 1, 10", 1e3, 10.0, quadratic(&[0.1, 1.0, 10.0], 1e3, 10.0));
    check("quadratic 2, 30", 263.13, 0.0, quadratic(&[2.0, 30.0], 263.13, 0.0));
    check("quartic, one axis", 144.76, 0.0, homogeneous(1, 4.0));
    check("quartic, three axes", 1e3, 0.0, homogeneous(3, 4.0));
    check("x^6 + y^6", 144.76, 0.0, homogeneous(2, 6.0));
    for (t, g) in [(144.76, 1.0), (144.76, 10.0), (1e3, 1.0), (1e4, 1.0)] {
        check("x^2 y^2", t, g, product_of_two_squares(t, g));
    }
    // Own rule, and the crate's on the mesh of losses.
    for (name, formula, powers, t) in [
        ("x^2 y^4", "x^2*y^4", [2, 4], 144.76),
        ("x^2 y^4", "x^2*y^4", [2, 4], 1e3),
        ("x^4 y^4", "x^4*y^4", [4, 4], 144.76),
    ] {
        check(name, t, 1.0, monomial_of_two(powers, t, 1.0));
        let landscape = ExpressionLandscape::new(formula, 2).expect("a formula");
        check(name, t, 1.0, expected_energy(&landscape, &[0.0, 0.0], t, 1.0, None).expect("two dimensions").0);
    }
    check("x^2 y^2 z^2", 144.76, 1.0, product_of_three_squares(144.76, 1.0));
    for (name, activation) in [("tanh", Activation::Tanh), ("relu", Activation::Relu)] {
        for t in [144.76, 263.13, 1e3, 1e4] {
            check(&format!("{name}, 1 hidden"), t, 1.0, one_hidden_unit(activation, t, 1.0));
            check(&format!("{name}, 2 hidden"), t, 1.0, two_hidden_units(activation, t, 1.0));
        }
    }
}

/// Mean and standard error of 64 chains.
fn mean(run: impl Fn(&mut Stream) -> f64 + Sync) -> (f64, f64) {
    let means: Vec<f64> = (0..64).into_par_iter().map(|chain| run(&mut Stream::new(5, "gibbs", chain))).collect();
    let mean = means.iter().sum::<f64>() / 64.0;
    let spread = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 63.0;
    (mean, (spread / 64.0).sqrt())
}

/// The listed values are means of 64 × 40000 sweeps, with errors of 0.0011 to 0.0016.
#[test]
fn gibbs_samplers_give_the_listed_values() {
    let sweeps = if support::is_slow() { 40_000 } else { 600 };
    let check = |name: &str, t: f64, g: f64, (found, error): (f64, f64)| {
        let listed = listed(name, t, g);
        println!("{name}, t = {t}, g = {g}: {found:.5} ± {error:.5}, listed {listed}");
        assert!((found - listed).abs() < 4.0 * error.hypot(0.0016) && error < 0.03, "{name} {t} {g}: {found} {error}");
    };
    let network =
        DeepLinear::population(&[5, 3, 5], TrueMap::diagonal(5, 5, &[4.0]).expect("valid"), 2).expect("valid");
    let gibbs = DeepLinearGibbs::new(&[5, 3, 5], &[4.0]);
    let (by_columns, _) = ReducedRank::new(5, 5, 3, &[4.0]);
    for (a, b, g) in [(1, 1, 1.0), (2, 2, 100.0), (3, 1, 100.0)] {
        let point = network.point_of_stratum(a, b, 2.0).expect("a stratum");
        // The other sampler has the outputs first.
        let (first, second) = point.split_at(15);
        let turned = |layer: &[f64], rows: usize, columns: usize| -> Vec<f64> {
            (0..15).map(|k| layer[k % rows * columns + k / rows]).collect()
        };
        let anchor = [turned(first, 5, 3), turned(second, 3, 5)].concat();
        let name = format!("reduced rank 5 3 5, ranks {a}, {b}");
        for t in [263.1, 1e4] {
            check(&name, t, g, mean(|stream| by_columns.gibbs(&anchor, t, g, sweeps, stream)));
        }
        check(&name, 263.1, g, mean(|stream| gibbs.mean_energy(&point, 263.1, g, sweeps / 2, stream)));
    }
    for widths in [[3, 3, 3, 3], [4, 3, 2, 4]] {
        let truth = TrueMap::diagonal(widths[0], widths[3], &[8.0]).expect("valid");
        let point = DeepLinear::population(&widths, truth, 2).expect("valid").start();
        let gibbs = DeepLinearGibbs::new(&widths, &[8.0]);
        let name = format!("deep linear {} {} {} {}", widths[0], widths[1], widths[2], widths[3]);
        check(&name, 1e3, 1.0, mean(|stream| gibbs.mean_energy(&point, 1e3, 1.0, sweeps, stream)));
    }
}

#[test]
fn extrapolated_sgld_is_within_two_per_cent_where_its_step_is_not() {
    let (t, exact, _) = REDUCED_RANK_5_5_3_1[0];
    let network =
        DeepLinear::population(&[5, 3, 5], TrueMap::diagonal(5, 5, &[4.0]).expect("valid"), 2000).expect("valid");
    let settings = Settings {
        sampler: Some("sgld".into()),
        step_size: Some(3e-4),
        extrapolation: Some(true),
        inverse_temperature: Some(t),
        chains: 32,
        burn_in: 5000,
        draws: 50_000,
        threads: NonZeroUsize::new(2).expect("two"),
        ..Settings::default()
    };
    let found = estimate(&network, &network.start(), &settings, &mut ()).expect("an estimate");
    let (whole, _) = found.diagnosis.whole_step;
    println!("step 3e-4: {whole:.4}; extrapolated {:.4} ± {:.4}, exact {exact}", found.value, found.mcse);
    assert!((found.value / exact - 1.0).abs() < 0.02 && found.mcse < 0.007 * exact, "{} {}", found.value, found.mcse);
    assert!(whole / exact > 1.02, "the step has a bias that is seen: {whole}");
}
