//! Special functions against values of 25 and more digits.
//!
//! Equation: E_(α,β)(z) = Σ zᵏ/Γ(αk + β); the values come from `tests/reference/mittag_leffler.py` and
//! `tests/reference/power_increase.py`.

mod support;

use porewalk::math::special::{bernoulli, gamma, log_bernoulli, mittag_leffler, power_increase, reciprocal_gamma};
use support::table_rows;

fn number(text: &str) -> f64 {
    text.parse().expect("the reference table holds numbers")
}

/// Distance in units of the last place of `exact`, at least of the smallest normal number.
fn last_places(value: f64, exact: f64) -> f64 {
    let size = exact.abs().max(f64::MIN_POSITIVE);
    let unit = size.log2().floor().exp2() * f64::EPSILON;
    (value - exact).abs() / unit
}

#[test]
fn mittag_leffler_agrees_with_thirty_digit_values() {
    let mut count = 0;
    let mut worst = std::collections::BTreeMap::<String, (f64, f64)>::new();
    for row in table_rows(include_str!("reference/mittag_leffler.csv")) {
        let (alpha, beta, z, exact) = (number(row[0]), number(row[1]), number(row[2]), number(row[3]));
        let value = mittag_leffler(alpha, beta, z).unwrap();
        let error = (value / exact - 1.0).abs();
        let kind = match () {
            () if beta == 1.0 => "1",
            () if beta == alpha => "alpha",
            () if beta == 0.5 => "1/2",
            () => "1 + alpha",
        };
        let entry = worst.entry(format!("alpha = {alpha}, beta = {kind}")).or_insert((0.0, 0.0));
        if error > entry.0 {
            *entry = (error, z);
        }
        assert!(error <= 3e-14, "E_({alpha},{beta})({z}) = {value:e}, exact {exact:e}, relative error {error:.1e}");
        count += 1;
    }
    for (case, (error, z)) in worst {
        println!("{case}: {error:.1e} at z = {z}");
    }
    assert!(count > 900, "the table has {count} rows");
}

#[test]
fn mittag_leffler_is_continuous_at_the_seams_of_its_formulas() {
    for alpha in [0.05, 0.1, 0.3, 0.5, 0.77, 0.95, 0.96, 0.961, 0.98, 0.9999, 1.0 - 1e-12] {
        for beta in [1.0, alpha] {
            // |E(z (1 + 1e-9)) / E(z) - 1| <= about |z E'/E| 1e-9 with |z E'/E| <= max(2, |z|^(1/alpha)) / alpha
            let mut z = -1e-3;
            while z > -1e5 {
                let here = mittag_leffler(alpha, beta, z).unwrap();
                let there = mittag_leffler(alpha, beta, z * (1.0 + 1e-9)).unwrap();
                assert!(here > 0.0 && there > 0.0, "positive at {alpha} {beta} {z}");
                let bound = 1e-9 * (z.abs().powf(1.0 / alpha).min(60.0) + 2.5) / alpha;
                assert!(
                    (there / here - 1.0).abs() < bound,
                    "jump at alpha {alpha} beta {beta} z {z}: {here:e} {there:e}"
                );
                z *= 1.02;
            }
        }
    }
}

#[test]
fn order_one_has_its_closed_forms() {
    for z in [-1e6, -300.0, -45.0, -30.0, -3.0, -0.2, -1e-9, 0.0, 1e-9, 0.4, 3.0, 45.0, 600.0] {
        let z: f64 = z;
        assert_eq!(mittag_leffler(1.0, 1.0, z).unwrap(), z.exp());
        if z != 0.0 {
            // E_(1,3)(z) = (e^z - 1 - z)/z^2, cancelling near 0
            if z.abs() > 0.3 {
                let exact = (z.exp_m1() - z) / (z * z);
                let value = mittag_leffler(1.0, 3.0, z).unwrap();
                assert!((value / exact - 1.0).abs() < 2e-14, "{z}: {value:e} {exact:e}");
            }
            let exact = z.exp_m1() / z;
            assert!((mittag_leffler(1.0, 2.0, z).unwrap() / exact - 1.0).abs() < 1e-15);
        } else {
            assert_eq!(mittag_leffler(1.0, 3.0, z).unwrap(), 0.5);
        }
    }
    // E_(1,1/2)(-x) = (1 - 2 sqrt(x) Dawson(sqrt(x))) / sqrt(pi): 30-digit values by 1F1(1; 1/2; -x)
    for (z, exact) in [
        (-1.0, -0.042_968_122_293_637_445),
        (-10.0, -0.034_275_431_107_555_18),
        (-40.0, -0.007_334_998_528_903_26),
        (-100.0, -0.002_864_358_781_119_654),
    ] {
        let value = mittag_leffler(1.0, 0.5, z).unwrap();
        assert!((value / exact - 1.0).abs() < 1e-12, "{z}: {value:e} {exact:e}");
    }
}

#[test]
fn wrong_arguments_are_errors() {
    for (alpha, beta, z) in [(0.0, 1.0, -1.0), (1.1, 1.0, -1.0), (f64::NAN, 1.0, -1.0), (0.5, 0.0, -1.0)] {
        assert!(mittag_leffler(alpha, beta, z).is_err());
    }
    assert!(mittag_leffler(0.5, 1.0, f64::NEG_INFINITY).is_err());
    assert!(mittag_leffler(0.5, 1.0, 1e3).is_err(), "the value overflows");
    assert!(mittag_leffler(1.0, 1.0, 1e3).is_err(), "the value overflows");
}

#[test]
fn power_increases_and_bernoulli_numbers_are_accurate_to_the_last_places() {
    let (mut worst_power, mut worst_bernoulli, mut worst_logarithm) = (0.0f64, 0.0f64, 0.0f64);
    for row in table_rows(include_str!("reference/power_difference.csv")) {
        let (first, second, third, value) = (number(row[1]), number(row[2]), number(row[3]), number(row[4]));
        if row[0] == "power" {
            let error = last_places(power_increase(first - second, second, third), value);
            assert!(error <= 4.0, "{row:?}: {error} units");
            worst_power = worst_power.max(error);
        } else {
            let error = last_places(bernoulli(first), second);
            assert!(error <= 2.0, "{row:?}: {error} units");
            worst_bernoulli = worst_bernoulli.max(error);
            let error = last_places(log_bernoulli(first), value);
            assert!(error <= 4.0, "ln B: {row:?}: {error} units");
            worst_logarithm = worst_logarithm.max(error);
        }
    }
    println!("units in the last place: power {worst_power}, B {worst_bernoulli}, ln B {worst_logarithm}");
    assert_eq!(bernoulli(0.0), 1.0);
    assert_eq!(log_bernoulli(0.0), 0.0);
    assert_eq!(bernoulli(f64::INFINITY), 0.0);
}

#[test]
fn reciprocal_gamma_is_entire() {
    for n in 0..30 {
        assert_eq!(reciprocal_gamma(-f64::from(n)), 0.0);
    }
    for (x, exact) in
        [(-0.5, -0.282_094_791_773_878_14), (-2.5, -1.057_855_469_152_043), (1e-12, 1.000_000_000_000_577_2e-12)]
    {
        assert!((reciprocal_gamma(x) / exact - 1.0).abs() < 1e-14, "{x}");
        assert!((gamma(x) * exact - 1.0).abs() < 1e-14, "{x}");
    }
}
