//! Whole problems through their files: the same answer however a landscape is given, the same bytes every time,
//! arrays that NumPy opens, every example.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ndarray::{ArrayD, IxDyn};
use ndarray_npy::NpzReader;
use porewalk::experiment::{Options, Resources, run_solve};
use porewalk::formats::npz;
use porewalk::propagator::StopFlag;
use porewalk::storage::{Replacement, Report, SOLUTION_FILE, StoredSolution};

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-problems-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder
}

fn solve(folder: &Path, name: &str, problem: &str, resources: Resources) -> (StoredSolution, Report) {
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, problem).expect("writable");
    let output = folder.join(name);
    let options = Options {
        output: Some(output.clone()),
        overrides: Vec::new(),
        replacement: Replacement::Always,
        resources,
        resume: false,
        stop: StopFlag::default(),
    };
    run_solve(&file, &options, &|_, _, _| Ok(()), &mut ()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let solution = StoredSolution::read(&output.join(SOLUTION_FILE)).expect("readable");
    (solution, Report::read(&output).expect("readable"))
}

/// The rest of a problem in one or two dimensions.
fn problem(landscape: &str, dimension: usize, cells: usize) -> String {
    let list = |value: &str| vec![value; dimension].join(", ");
    format!(
        "[landscape]\n{landscape}\n[domain]\nlower = [{}]\nupper = [{}]\ncells = [{}]\n[dynamics]\norder = 0.6\n\
         friction = 1.2\n[diffusivity]\nkind = \"uniform\"\nvalue = 0.4\n[initial]\nkind = \"gaussian\"\nmean = [{}]\n\
         standard_deviation = 0.3\n[time]\noutputs = [0.01, 1.0, 100.0]\n[method]\ntolerance = 1e-12\n",
        list("-2.0"),
        list("2.0"),
        list(&cells.to_string()),
        list("-0.7")
    )
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().copied().fold(0.0, f64::max);
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

#[test]
fn expressions_give_the_answer_of_the_analytic_landscape_to_1e_12() {
    let folder = workplace("expression");
    for (dimension, cells, analytic, formula) in [
        (1, 200, "kind = \"double-well\"", "(x^2 - 1)^2"),
        (1, 200, "kind = \"harmonic\"\nstiffness = 1.3", "0.5*1.3*x^2"),
        (1, 200, "kind = \"linear\"\nforce = [0.8]", "-0.8*x"),
        (2, 40, "kind = \"harmonic\"\nstiffness = [1.3, 0.4]", "0.65*x^2 + 0.2*y^2"),
        (2, 40, "kind = \"normal-crossing\"\nexponents = [2, 4]", "w1^2 * w2^4"),
    ] {
        let resources = Resources::default();
        let (a, _) = solve(&folder, "analytic", &problem(analytic, dimension, cells), resources);
        let expression = format!("kind = \"expression\"\nformula = \"{formula}\"");
        let (b, _) = solve(&folder, "expression", &problem(&expression, dimension, cells), resources);
        let density = largest_difference(&a.density, &b.density);
        let stationary = largest_difference(&a.stationary, &b.stationary);
        println!("{formula}: densities {density:.1e}, stationary {stationary:.1e}");
        assert!(density < 1e-12 && stationary < 1e-12, "{formula}: {density:e}, {stationary:e}");
    }
    fs::remove_dir_all(folder).expect("removable");
}

/// Cubic interpolation of a saved grid with centred slopes: third order in the spacing of the grid, on the same cells.
#[test]
fn grids_give_the_answer_to_interpolation_order() {
    let folder = workplace("grid");
    let analytic = problem("kind = \"double-well\"", 1, 150);
    let (exact, _) = solve(&folder, "analytic", &analytic, Resources::default());
    let errors = [41usize, 81, 161, 321].map(|count| {
        let axis: Vec<f64> = (0..count).map(|k| -2.0 + 4.0 * k as f64 / (count - 1) as f64).collect();
        let loss: Vec<f64> = axis.iter().map(|x| (x * x - 1.0).powi(2)).collect();
        let bytes = npz::to_bytes(&[("x", &[count], &axis), ("loss", &[count], &loss)]).expect("an archive");
        fs::write(folder.join("landscape.npz"), bytes).expect("writable");
        let grid = problem("kind = \"grid\"\nfile = \"landscape.npz\"", 1, 150);
        largest_difference(&exact.density, &solve(&folder, "grid", &grid, Resources::default()).0.density)
    });
    // Where the cells lie between the grid points differs from grid to grid: the order is seen over three of them.
    let order = (errors[0] / errors[3]).log2() / 3.0;
    println!("grid landscape: errors {errors:?}, order {order:.2}");
    assert!((order - 3.0).abs() < 0.15, "{order}");
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn a_grid_holds_its_own_points_exactly() {
    let folder = workplace("points");
    // Cell centres of the mesh as grid points: interpolation then reads the file's own numbers.
    let cells = 60;
    let axis: Vec<f64> = (0..cells).map(|k| -2.0 + (k as f64 + 0.5) * 4.0 / cells as f64).collect();
    let loss: Vec<f64> = axis.iter().map(|x| (x * x - 1.0).powi(2)).collect();
    let bytes = npz::to_bytes(&[("x", &[cells], &axis), ("loss", &[cells], &loss)]).expect("an archive");
    fs::write(folder.join("landscape.npz"), bytes).expect("writable");
    let grid = problem("kind = \"grid\"\nfile = \"landscape.npz\"", 1, cells);
    let (a, _) = solve(&folder, "grid", &grid, Resources::default());
    let (b, _) = solve(&folder, "analytic", &problem("kind = \"double-well\"", 1, cells), Resources::default());
    assert!(largest_difference(&a.density, &b.density) < 1e-12);
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn the_same_problem_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = workplace("bytes");
    for (name, text) in [
        ("line", problem("kind = \"double-well\"", 1, 300)),
        ("plane", problem("kind = \"expression\"\nformula = \"(x^2-1)^2 + y^2 + 0.2*x*y\"", 2, 40)),
        (
            "circulating",
            problem("kind = \"expression\"\nformula = \"x^2 + y^2\"", 2, 30).replace(
                "kind = \"uniform\"\nvalue = 0.4",
                "kind = \"expression\"\nformula = \"0.3 + 0.2*sin(x)*cos(2*y)\"",
            ),
        ),
        (
            "fft",
            problem("kind = \"double-well\"", 1, 200).replace("[0.01, ", "[")
                + "propagator = \"bdf2\"\nsteps = 1000\nmemory = \"fft\"\ngrading = 1.0\n",
        ),
        ("steps", problem("kind = \"double-well\"", 1, 100) + "propagator = \"l1\"\nsteps = 50\n"),
    ] {
        let mut seen: Option<Vec<u8>> = None;
        for (run, threads) in [(0, 1), (1, 1), (2, 4)] {
            let resources = Resources { seed: 7, threads: std::num::NonZeroUsize::new(threads) };
            let stem = format!("{name}-{run}");
            solve(&folder, &stem, &text, resources);
            let bytes = fs::read(folder.join(&stem).join(SOLUTION_FILE)).expect("readable");
            let first = seen.get_or_insert_with(|| bytes.clone());
            assert!(*first == bytes, "{name}: run {run} differs");
        }
    }
    fs::remove_dir_all(folder).expect("removable");
}

/// Names and shapes of solution.npz, read by another library.
#[test]
fn arrays_have_the_promised_names_and_shapes() {
    let folder = workplace("shapes");
    let text = problem("kind = \"expression\"\nformula = \"x^2 + y^2\"", 2, 12)
        .replace("cells = [12, 12]", "cells = [12, 9]\nkeep_below = 2.0\ncomponent = \"containing-start\"");
    solve(&folder, "plane", &text, Resources::default());
    let file = fs::File::open(folder.join("plane").join(SOLUTION_FILE)).expect("readable");
    let mut archive = NpzReader::new(file).expect("an archive");
    let mut names = archive.names().expect("names");
    names.sort();
    assert_eq!(names, ["density", "diffusivity", "gibbs", "loss", "stationary", "time", "x", "y"]);
    let mut read = |name: &str| -> ArrayD<f64> { archive.by_name(name).expect("an array of doubles") };
    assert_eq!(read("time").shape(), [3]);
    assert_eq!((read("x").shape(), read("y").shape()), (&[12usize][..], &[9usize][..]));
    let density = read("density");
    assert_eq!(density.shape(), [3, 12, 9]);
    for name in ["stationary", "gibbs", "loss", "diffusivity"] {
        assert_eq!(read(name).shape(), [12, 9], "{name}");
    }
    // Outside of the medium: not a number; inside: the mass is one.
    assert!(density[IxDyn(&[0, 0, 0])].is_nan());
    let cell = 4.0 / 12.0 * 4.0 / 9.0;
    let mass: f64 = density.iter().take(108).filter(|value| !value.is_nan()).map(|value| value * cell).sum();
    assert!((mass - 1.0).abs() < 1e-13, "{mass}");
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn every_example_runs_from_the_command_line() {
    let folder = workplace("examples");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(examples).expect("examples") {
        let path = entry.expect("an entry").path();
        // What needs the results of another example is run after it, in tests/sections.rs.
        let is_alone = path.file_stem().is_none_or(|stem| stem != "moons_walk");
        if path.extension().is_none_or(|extension| extension != "toml") || !is_alone {
            continue;
        }
        let is_run = fs::read_to_string(&path).expect("a readable file").contains("[model]");
        let coarse = ["--set", "llc.draws=50", "--set", "llc.burn_in=10"];
        let output = Command::new(env!("CARGO_BIN_EXE_porewalk"))
            .arg(if is_run { "llc" } else { "solve" })
            .arg(&path)
            .args(if is_run { &coarse[..] } else { &[] })
            .args(["--json", "-o"])
            .arg(folder.join(path.file_stem().expect("a stem")))
            .current_dir(&folder)
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{path:?}: {}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
        count += 1;
        if is_run {
            assert!(report["llc"]["value"].is_f64(), "{path:?}");
            continue;
        }
        let masses = report["observables"]["mass"].as_array().expect("masses");
        assert!(masses.iter().all(|mass| (mass.as_f64().expect("a number") - 1.0).abs() <= 1e-13), "{path:?}");
    }
    assert!(count >= 8);
    fs::remove_dir_all(folder).expect("removable");
}
