//! `porewalk converge`: the orders it reports, what it writes, what it refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use porewalk::formats::npz;
use porewalk::storage::Convergence;

const PROBLEM: &str = "title = \"Double well\"
[landscape]
kind = \"double-well\"
[domain]
lower = [-2.5]
upper = [2.5]
cells = [80]
[dynamics]
order = 0.6
[diffusivity]
kind = \"uniform\"
value = 0.5
[initial]
kind = \"gaussian\"
mean = [-1.0]
standard_deviation = 0.3
[time]
outputs = [1.0]
";

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-converge-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    fs::write(folder.join("problem.toml"), PROBLEM).expect("writable");
    folder
}

fn porewalk(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porewalk"));
    command.args(arguments).current_dir(folder).output().expect("the program starts")
}

#[test]
fn every_scheme_shows_the_order_of_its_theory() {
    let folder = workplace("orders");
    let output = porewalk(&folder, &["converge", "problem.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}");
    let study = Convergence::read(&folder.join("results/problem")).expect("a study");
    // Orders from the theory, not from the program: min of 2 - α, 2, 2 and 3.
    for (name, order) in [("l1", 1.4), ("l1-corrected", 1.4), ("l2-1sigma", 2.0), ("bdf2", 2.0), ("bdf3", 3.0)] {
        let found = study.time.iter().find(|one| one.name == name).expect("a study of every scheme");
        let observed = found.observed_order().expect("an order");
        assert!((observed - order).abs() < 0.1, "{name}: {observed}");
        assert!(found.verdict.starts_with("as promised"), "{name}: {}", found.verdict);
        assert!(text.contains(&found.verdict));
        assert_eq!(found.levels.len(), 5);
        assert!(found.levels.windows(2).all(|pair| pair[1].size == 2 * pair[0].size));
    }
    let observed = study.space.observed_order().expect("an order");
    assert!((observed - 2.0).abs() < 0.1, "space: {observed}");
    let arrays = npz::read(&folder.join("results/problem/convergence.npz")).expect("arrays");
    assert_eq!(arrays["bdf3_size"].data, [64.0, 128.0, 256.0, 512.0, 1024.0]);
    assert_eq!(arrays["scharfetter-gummel_error_at_end"].data.len(), study.space.levels.len());
    let svg = fs::read_to_string(folder.join("results/problem/convergence.svg")).expect("a figure");
    assert!(svg.contains("bdf3, order") && svg.contains("wall time (s)"));
    // The figure is drawn again from what is stored.
    fs::remove_file(folder.join("results/problem/convergence.svg")).expect("removable");
    assert!(porewalk(&folder, &["plot", "results/problem"]).status.success());
    assert_eq!(fs::read_to_string(folder.join("results/problem/convergence.svg")).expect("redrawn"), svg);
    fs::remove_dir_all(folder).expect("removable");
}

/// An upwind flux is of first order, and uniform steps leave L1 at first order: both are told, against their promise.
#[test]
fn lower_orders_are_told_as_they_are() {
    let folder = workplace("lower");
    let arguments = [
        "converge",
        "problem.toml",
        "--json",
        "--set",
        "method={propagator=\"l1\", grading=1.0, flux=\"upwind\", steps=128}",
        "--set",
        "domain.cells=[640]",
    ];
    let output = porewalk(&folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let study: Convergence = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert_eq!(study.time.len(), 1);
    for one in [&study.time[0], &study.space] {
        let observed = one.observed_order().expect("an order");
        assert_eq!(one.expected_order, 1.0);
        assert!((observed - 1.0).abs() < 0.1, "{}: {observed}", one.name);
    }
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn results_of_a_solve_are_not_replaced_by_a_study_nor_is_nothing_studied() {
    let folder = workplace("refused");
    assert!(porewalk(&folder, &["solve", "problem.toml", "-q"]).status.success());
    let report = fs::read(folder.join("results/problem/report.json")).expect("a report");
    let output = porewalk(&folder, &["converge", "problem.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--force"), "{output:?}");
    assert_eq!(fs::read(folder.join("results/problem/report.json")).expect("still there"), report);
    let output = porewalk(&folder, &["converge", "problem.toml", "-o", "study", "--set", "time.outputs=[0.0]"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("final time"), "{output:?}");
    assert!(!folder.join("study").exists());
    fs::remove_dir_all(folder).expect("removable");
}
