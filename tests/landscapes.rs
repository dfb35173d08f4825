//! Analytic landscapes: gradients against differences, minima against the gradient and their surroundings.

use porewalk::landscape::analytic::KINDS;
use porewalk::landscape::parameters::{Parameters, Value};
use porewalk::landscape::{Analytic, Differentiable, Landscape};

/// Every kind in every dimension it has, with defaults and with other parameters.
fn everything() -> Vec<(String, Analytic)> {
    let mut all = Vec::new();
    for info in &KINDS {
        for dimension in info.dimensions.clone() {
            let build = |parameters: &Parameters| Analytic::build(info.name, dimension, parameters).expect(info.name);
            all.push((format!("{} in {dimension}D", info.name), build(&Parameters::new())));
        }
    }
    for (kind, dimension, name, value) in [
        ("double-well", 2, "tilt", Value::Number(0.4)),
        ("harmonic", 3, "stiffness", Value::Numbers(vec![1.3, 0.2, 7.0])),
        ("harmonic", 1, "center", Value::Number(0.7)),
        ("normal-crossing", 2, "exponents", Value::Numbers(vec![2.0, 4.0])),
        ("linear", 2, "force", Value::Numbers(vec![0.5, -2.0])),
        ("rosenbrock", 2, "offset", Value::Number(0.6)),
    ] {
        let parameters = Parameters::from([(name.to_string(), value)]);
        all.push((format!("{kind} {name}"), Analytic::build(kind, dimension, &parameters).expect(kind)));
    }
    all
}

/// Reproducible points in [-1.5, 1.5]^d.
fn points(dimension: usize) -> Vec<Vec<f64>> {
    let fraction = |k: usize, i: usize| ((k * 7 + i * 3 + 1) as f64 * 0.618_033_988_749_895).fract();
    (0..25).map(|k| (0..dimension).map(|i| 3.0 * fraction(k, i) - 1.5).collect()).collect()
}

#[test]
fn gradients_agree_with_central_differences() {
    for (name, landscape) in everything() {
        for point in points(landscape.dimension()) {
            let mut gradient = vec![f64::NAN; landscape.dimension()];
            landscape.gradient(&point, &mut gradient);
            for (axis, slope) in gradient.iter().enumerate() {
                let at = |shift: f64| {
                    let mut moved = point.clone();
                    moved[axis] += shift;
                    landscape.loss(&moved)
                };
                // Fourth-order differences: error h^4 times the fifth derivative.
                let h = 1e-3;
                let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                let scale = 1.0 + slope.abs() + landscape.loss(&point).abs();
                assert!((slope - difference).abs() < 2e-7 * scale, "{name} at {point:?}: {slope} against {difference}");
            }
        }
    }
}

#[test]
fn minima_have_no_slope_and_no_lower_neighbour() {
    for (name, landscape) in everything() {
        for minimum in landscape.minima() {
            let mut gradient = vec![f64::NAN; landscape.dimension()];
            landscape.gradient(&minimum, &mut gradient);
            assert!(gradient.iter().all(|slope| slope.abs() < 1e-8), "{name}: {gradient:?}");
            for direction in points(landscape.dimension()) {
                let near: Vec<f64> = minimum.iter().zip(&direction).map(|(m, d)| m + 1e-2 * d).collect();
                assert!(landscape.loss(&near) >= landscape.loss(&minimum) - 1e-13, "{name} at {near:?}");
            }
        }
    }
}

#[test]
fn mueller_brown_has_the_published_depths() {
    let landscape = Analytic::build("mueller-brown", 2, &Parameters::new()).expect("known");
    let depths: Vec<f64> = landscape.minima().iter().map(|point| landscape.loss(point)).collect();
    for (depth, published) in depths.iter().zip([-146.6995, -108.1667, -80.7678]) {
        assert!((depth - published).abs() < 1e-4, "{depth} against {published}");
    }
}

#[test]
fn learning_coefficients_follow_the_exact_rules() {
    let exponents = |list: &[f64]| Parameters::from([("exponents".to_string(), Value::Numbers(list.to_vec()))]);
    for (kind, dimension, parameters, expected) in [
        ("harmonic", 2, Parameters::new(), (1.0, 1)),
        ("quartic", 1, Parameters::new(), (0.25, 1)),
        ("normal-crossing", 2, exponents(&[2.0, 2.0]), (0.5, 2)),
        ("normal-crossing", 2, exponents(&[2.0, 4.0]), (0.25, 1)),
    ] {
        let landscape = Analytic::build(kind, dimension, &parameters).expect(kind);
        assert_eq!(landscape.learning_coefficient(), Some(expected), "{kind}");
    }
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    let one = |name: &str, value: Value| Parameters::from([(name.to_string(), value)]);
    for (kind, dimension, parameters, words) in [
        ("harmonik", 1, Parameters::new(), "did you mean \"harmonic\""),
        ("harmonic", 1, one("stiffness", Value::Number(-1.0)), "landscape.stiffness"),
        ("harmonic", 2, one("stiffness", Value::Numbers(vec![1.0; 3])), "2 of them"),
        ("double-well", 1, one("barier", Value::Number(1.0)), "did you mean barrier"),
        ("double-well", 1, one("tilt", Value::Number(f64::NAN)), "finite"),
        ("normal-crossing", 2, one("exponents", Value::Numbers(vec![2.0, 3.0])), "even"),
        ("mueller-brown", 1, Parameters::new(), "2 to 2 dimensions"),
    ] {
        let error = Analytic::build(kind, dimension, &parameters).expect_err(kind).to_string();
        assert!(error.contains(words), "{error}");
    }
}
