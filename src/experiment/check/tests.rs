use super::*;
use crate::experiment::config::Source;

const PROBLEM: &str = "
[landscape]
kind = 'double-well'
barrier = 2
[domain]
lower = [-2.5]
upper = [2.5]
cells = [400]
[dynamics]
order = 0.7
[diffusivity]
kind = 'uniform'
value = 0.35
[initial]
kind = 'gaussian'
mean = [-1.0]
standard_deviation = 0.2
[time]
outputs = [0.1, 1, 10]
";

fn checked(flags: &[&str]) -> Result<Checked> {
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_string()).collect();
    let source = Source::from_text(Path::new("some/well.toml"), PROBLEM.to_string(), &flags)?;
    let config = Config::read(&source)?;
    check(&config, &source.stem(), source.folder()).map_err(|error| source.locate(error))
}

fn outputs(time: &str) -> Vec<f64> {
    checked(&[&format!("time={time}")]).unwrap().outputs().to_vec()
}

#[test]
fn defaults_are_the_documented_ones() {
    let problem = checked(&[]).unwrap();
    assert_eq!(problem.title(), "well");
    assert_eq!(problem.dimension(), 1);
    assert_eq!(problem.dynamics().friction, Friction::Constant(1.0));
    assert_eq!(
        *problem.method(),
        Method {
            propagator: Propagator::Auto,
            tolerance: 1e-8,
            steps: None,
            grading: Grading::Auto,
            memory: Memory::Auto,
            memory_limit: 4 << 30,
            check: false,
            derivatives: Vec::new(),
            extrapolate: false,
            flux: Flux::ScharfetterGummel,
        }
    );
    assert!(problem.warnings().is_empty());
    assert_eq!(problem.resolve("a.npz"), Path::new("some/a.npz"));
}

#[test]
fn the_document_has_the_keys_of_the_file() {
    let flags = [
        "method.grading=1.5",
        "diffusivity={kind='coarse-grained', scale=0.5, spectral_dimension=1.3, learning_coefficient='from-landscape'}",
    ];
    let document = serde_json::to_value(checked(&flags).unwrap()).unwrap();
    let expected = serde_json::json!({
        "title": "well",
        "landscape": { "kind": "double-well", "barrier": [2.0] },
        "domain": { "lower": [-2.5], "upper": [2.5], "cells": [400], "boundary": "no-flux", "keep_below": null, "component": null },
        "dynamics": { "order": 0.7, "friction": 1.0 },
        "diffusivity": { "kind": "coarse-grained", "scale": 0.5, "spectral_dimension": 1.3,
                         "learning_coefficient": "from-landscape", "reference": 1.0 },
        "initial": { "kind": "gaussian", "mean": [-1.0], "standard_deviation": [0.2] },
        "time": { "outputs": [0.1, 1.0, 10.0] },
        "method": { "propagator": "auto", "tolerance": 1e-8, "steps": null, "grading": 1.5, "memory": "auto",
                    "memory_limit": 4294967296u64, "check": false, "derivatives": [], "extrapolate": false, "flux": "scharfetter-gummel" },
    });
    assert_eq!(document, expected);
}

#[test]
fn every_available_key_is_accepted() {
    for flags in [
        &["title=Wells", "domain.boundary=no-flux", "domain.keep_below=3", "domain.component=all"][..],
        &["dynamics.friction=1 + 0.5*sin(t)", "dynamics.order=1"],
        &["landscape={kind='expression', formula='x^2'}", "diffusivity={kind='expression', formula='1+x^2'}"],
        &["initial={kind='uniform'}"],
        &["initial={kind='point', at=[2.5]}"],
        &["initial={kind='expression', formula='exp(-x^2)'}"],
        &["initial.mean=-1", "initial.standard_deviation=[0.3]"],
        &[
            "diffusivity={kind='coarse-grained', scale=0.5, spectral_dimension=1.3, learning_coefficient=2.0, reference=3}",
        ],
        &[
            "method={propagator='l1', tolerance=1e-3, steps=1000, grading='auto', memory='direct', memory_limit='1 GiB'}",
        ],
        &["method={propagator='spectral', flux='central', extrapolate=true, check=false, derivatives=[]}"],
        &["method={propagator='krylov', flux='upwind', memory_limit=1000000}"],
        &["method={propagator='contour', check=true, derivatives=['diffusivity', 'order']}"],
        &["method={steps='adaptive', memory='exponentials'}"],
        &["time.outputs=[0, 1]"],
    ] {
        let problem = checked(flags);
        assert!(problem.is_ok(), "{flags:?}: {}", problem.unwrap_err());
    }
}

#[test]
fn described_times_have_exact_ends() {
    let doubling = outputs("{end=8, count=4, spacing='log', first=1}");
    assert_eq!((doubling[0], doubling[3]), (1.0, 8.0));
    assert!((doubling[1] - 2.0).abs() < 1e-15 && (doubling[2] - 4.0).abs() < 2e-15);
    assert_eq!(outputs("{end=8, count=4, spacing='linear'}"), [2.0, 4.0, 6.0, 8.0]);
    assert_eq!(outputs("{end=8, count=3, spacing='linear', first=0}"), [0.0, 4.0, 8.0]);
    assert_eq!(outputs("{end=8, count=1}"), [8.0]);
    let times = outputs("{end=0.3}");
    assert_eq!((times.len(), times[39]), (40, 0.3));
    assert!((times[0] / 3e-6 - 1.0).abs() < 1e-15);
}

#[test]
fn one_standard_deviation_serves_all_axes_but_a_mean_does_not() {
    let square = ["domain={lower=[-1,-1], upper=[1,1], cells=[4,4]}", "initial.mean=[0, 0]"];
    let problem = checked(&square).unwrap();
    assert_eq!(*problem.initial(), Initial::Gaussian { mean: vec![0.0, 0.0], standard_deviation: vec![0.2, 0.2] });
    assert!(checked(&[square[0], "initial.mean=0"]).is_err());
}

#[test]
fn settings_without_effect_are_told() {
    let problem = checked(&["method.propagator=krylov", "method.steps=10", "domain.component=all"]).unwrap();
    assert_eq!(problem.warnings().len(), 2, "{:?}", problem.warnings());
}
