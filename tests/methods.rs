//! The `[method]` table end to end: contour, checks, derivatives, adaptive steps and coefficients that use t.
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

use std::path::{Path, PathBuf};

use porewalk::experiment::{self, Options, Resources};
use porewalk::propagator::StopFlag;
use porewalk::storage::{Replacement, Report, SOLUTION_FILE, StoredSolution};

const PROBLEM: &str = "
[landscape]
kind = \"double-well\"
[domain]
lower = [-2.2]
upper = [2.2]
cells = [60]
[dynamics]
order = 0.7
[diffusivity]
kind = \"uniform\"
value = 0.4
[initial]
kind = \"gaussian\"
mean = [-1.0]
standard_deviation = 0.3
[time]
outputs = [0.0, 0.1, 1.0, 10.0]
";

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-methods-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn solve(folder: &Path, overrides: &[&str]) -> porewalk::Result<(Report, StoredSolution)> {
    let file = folder.join("problem.toml");
    std::fs::write(&file, PROBLEM).unwrap();
    let options = Options {
        output: Some(folder.join("out")),
        overrides: overrides.iter().map(|text| (*text).to_string()).collect(),
        replacement: Replacement::Always,
        resources: Resources::default(),
        resume: false,
        stop: StopFlag::default(),
    };
    let summary = experiment::run_solve(&file, &options, &|_, _, _| Ok(()), &mut ())?;
    let solution = StoredSolution::read(&folder.join("out").join(SOLUTION_FILE)).unwrap();
    let read = Report::read(&folder.join("out")).unwrap();
    assert_eq!(read.work, summary.report.work);
    Ok((read, solution))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

#[test]
fn a_check_runs_an_independent_method_and_reports_the_difference() {
    let folder = workplace("check");
    for (method, judge, tolerance) in
        [("auto", "contour", 1e-10), ("contour", "krylov", 1e-10), ("l1", "contour", 1e-8)]
    {
        let (report, _) = solve(
            &folder,
            &[
                &format!("method.propagator={method}"),
                &format!("method.tolerance={tolerance}"),
                "method.check=true",
                "method.grading=1.0",
            ],
        )
        .unwrap();
        let check = report.check.unwrap();
        assert_eq!((check.propagator.as_str(), check.difference.len()), (judge, 4));
        assert!(check.work.solves > 0 && check.difference[0] == 0.0);
        let difference = largest(&check.difference);
        let told = report.warnings.iter().any(|warning| warning.contains("do not trust"));
        if method == "l1" {
            // A thousand uniform steps of L1 are far from the tolerance that was asked for, and the report says so.
            assert!(difference > 1e-6 && told, "{difference:e}, {:?}", report.warnings);
        } else {
            assert!(difference <= 10.0 * tolerance && !told, "{method}: {difference:e}");
        }
    }
    assert!(solve(&folder, &[]).unwrap().0.check.is_none());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn derivatives_are_stored_and_have_no_mass() {
    let folder = workplace("derivatives");
    let with = ["method.derivatives=['diffusivity', 'order']", "method.tolerance=1e-11"];
    let (report, solution) = solve(&folder, &with).unwrap();
    assert_eq!(
        solution.derivatives.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["order", "diffusivity"]
    );
    assert!(report.work.solves > 2 * 17);
    let (_, above) = solve(&folder, &["dynamics.order=0.701", "method.tolerance=1e-11"]).unwrap();
    let (_, below) = solve(&folder, &["dynamics.order=0.699", "method.tolerance=1e-11"]).unwrap();
    let slopes = above.density.iter().zip(&below.density).map(|(above, below)| (above - below) / 2e-3);
    let size = largest(&solution.derivatives[0].1);
    for (found, expected) in solution.derivatives[0].1.iter().zip(slopes) {
        assert!((found - expected).abs() < 1e-4 * size, "{found} {expected}");
    }
    let cells = solution.position_count();
    for (name, values) in &solution.derivatives {
        for at_time in values.chunks_exact(cells) {
            let sum: f64 = at_time.iter().sum();
            let size: f64 = at_time.iter().map(|value| value.abs()).sum();
            assert!(sum.abs() <= 1e-12 * size.max(1.0), "{name}: {sum:e}");
        }
    }
    let refused = solve(&folder, &["method.derivatives=['order']", "dynamics.friction='1+t'"]).unwrap_err();
    assert!(refused.to_string().contains("method.derivatives"), "{refused}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn coefficients_in_t_are_followed_to_the_tolerance() {
    let folder = workplace("varying");
    let varying = [
        "dynamics.friction='1 + 0.5*sin(2*t)'",
        "diffusivity={kind='expression', formula='0.3 + 0.1*tanh(2*x + t)'}",
        "time.outputs=[0, 0.1, 1.0]",
    ];
    let with = |more: &[&'static str]| [&varying[..], more].concat();
    let (report, solution) = solve(&folder, &with(&["method.tolerance=1e-6", "method.check=true"])).unwrap();
    assert_eq!(report.method.propagator, "l2-1sigma");
    assert!(report.method.reason.contains("depend on time"), "{}", report.method.reason);
    let estimate = report.error_estimate.time.unwrap();
    assert!(estimate <= 1e-6, "{estimate:e}");
    assert!(largest(&report.check.unwrap().difference) < 2e-3);
    // D at every time, as the formula says.
    let cells = solution.position_count();
    assert_eq!(solution.diffusivity.len(), 3 * cells);
    for (k, time) in [0.0, 0.1, 1.0].into_iter().enumerate() {
        for (x, found) in solution.axes[0].iter().zip(&solution.diffusivity[k * cells..]) {
            assert!((found - (0.3 + 0.1 * (2.0 * x + time).tanh())).abs() < 1e-14);
        }
    }
    // Uniform steps of another family, and the refusal of what cannot follow.
    let (_, other) =
        solve(&folder, &with(&["method.propagator=bdf2", "method.steps=4000", "method.memory=fft"])).unwrap();
    let scale = largest(&other.density);
    for (a, b) in solution.density.iter().zip(&other.density) {
        assert!((a - b).abs() < 5e-6 * scale, "{a} {b}");
    }
    for named in ["method.propagator=krylov", "method.propagator=contour", "method.propagator=spectral"] {
        let error = solve(&folder, &with(&[named])).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("depend on t"), "{error}");
    }
    let sinking = solve(&folder, &["dynamics.friction='1 - t'", "time.outputs=[2.0]"]).unwrap_err().to_string();
    assert!(sinking.contains("dynamics.friction") && sinking.contains("at t = "), "{sinking}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_report_tells_predicted_and_actual_work() {
    let folder = workplace("work");
    // Steps on a given grid are counted exactly before the run.
    let (report, _) = solve(&folder, &["method.propagator=l1", "method.steps=300", "method.memory=direct"]).unwrap();
    let (predicted, work) = (report.method.predicted_work, report.work);
    assert_eq!((predicted.solves, predicted.steps), (work.solves, work.steps));
    assert_eq!(predicted.peak_history_bytes, work.peak_history_bytes);
    assert!((predicted.memory_flops as f64 / work.memory_flops as f64 - 1.0).abs() < 0.01);
    // Contours too; a Krylov basis is guessed within a factor of two here.
    let (report, _) = solve(&folder, &["method.propagator=contour"]).unwrap();
    assert_eq!(report.method.predicted_work.factorisations, report.work.factorisations);
    let (report, _) = solve(&folder, &[]).unwrap();
    let ratio = report.work.solves as f64 / report.method.predicted_work.solves as f64;
    assert!((0.5..2.0).contains(&ratio), "{ratio}");
    // Steps without a scheme: one that takes any steps.
    let (report, _) = solve(&folder, &["method.steps=200"]).unwrap();
    assert_eq!((report.method.propagator.as_str(), report.method.reason.contains("asked for")), ("l2-1sigma", true));
    let (report, _) = solve(&folder, &["method.steps=adaptive", "method.tolerance=1e-5"]).unwrap();
    assert!(report.work.steps > 0 && report.error_estimate.time.unwrap() <= 1e-5);
    std::fs::remove_dir_all(folder).unwrap();
}
