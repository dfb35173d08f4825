//! Figures: every dimension and every odd case is drawn, small, deterministic, and redrawn by `porewalk plot`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use porewalk::experiment::{Options, Resources, run_solve};
use porewalk::plot;
use porewalk::propagator::StopFlag;
use porewalk::storage::{Replacement, Report, SOLUTION_FILE, StoredSolution};

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-figures-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder
}

/// Solves a problem of the given tables and returns what is stored.
fn solved(name: &str, problem: &str) -> (PathBuf, StoredSolution, Report) {
    let folder = workplace(name);
    let file = folder.join("problem.toml");
    fs::write(&file, problem).expect("writable");
    solved_file(&file, folder.join("out"), &[])
}

fn solved_file(file: &Path, output: PathBuf, overrides: &[&str]) -> (PathBuf, StoredSolution, Report) {
    let options = Options {
        output: Some(output.clone()),
        overrides: overrides.iter().map(ToString::to_string).collect(),
        replacement: Replacement::Always,
        resources: Resources::default(),
        resume: false,
        stop: StopFlag::default(),
    };
    let draw =
        |solution: &StoredSolution, report: &Report, folder: &Path| plot::draw(solution, report, folder).map(drop);
    run_solve(file, &options, &draw, &mut ()).expect("a solvable problem");
    let solution = StoredSolution::read(&output.join(SOLUTION_FILE)).expect("readable");
    let report = Report::read(&output).expect("readable");
    (output, solution, report)
}

/// Checks that exactly the named figures are there in both formats, that text is text and fields are rasters.
fn assert_drawn(folder: &Path, report: &Report, names: &[&str]) {
    let mut expected: Vec<String> = vec!["report.json".into(), "solution.npz".into()];
    for name in names {
        for extension in ["svg", "png"] {
            let file = format!("{name}.{extension}");
            let size = fs::metadata(folder.join(&file)).unwrap_or_else(|_| panic!("no {file}")).len();
            assert!((2_000..450_000).contains(&size), "{file} has {size} bytes");
            expected.push(file);
        }
        let svg = fs::read_to_string(folder.join(format!("{name}.svg"))).expect("text");
        assert!(svg.matches("<rect").count() < 5, "{name}: fields must be rasters");
        assert!(svg.contains("<text") && !svg.contains("NaN"), "{name}");
        assert!(!svg.contains("data:png"), "{name}: a raster without its type");
    }
    let mut files = report.files.clone();
    files.sort();
    expected.sort();
    assert_eq!(files, expected);
}

const REST: &str = "[dynamics]\norder = 0.7\n[diffusivity]\nkind = \"uniform\"\nvalue = 0.35\n";

#[test]
fn every_example_draws_its_figures_and_plot_redraws_the_same_bytes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let one = ["densities", "space_time", "observables"];
    let two = ["landscape", "densities", "difference_to_gibbs", "observables"];
    for (name, cells, figures) in [
        ("double_well", "[80]", &one[..]),
        ("deep_well", "[300]", &one),
        ("double_well_2d", "[30,24]", &two),
        ("circulating", "[30,24]", &two),
        ("porous", "[40,32]", &two),
    ] {
        let folder = workplace(name);
        let file = examples.join(format!("{name}.toml"));
        let (output, ..) = solved_file(&file, folder.join("out"), &[&format!("domain.cells={cells}")]);
        let report = Report::read(&output).expect("readable");
        assert_drawn(&output, &report, figures);
        let first = fs::read(output.join("densities.png")).expect("readable");
        let svg = fs::read(output.join("observables.svg")).expect("readable");
        fs::remove_file(output.join("densities.png")).expect("removable");
        let status = Command::new(env!("CARGO_BIN_EXE_porewalk")).args(["plot", "-q"]).arg(&output).status();
        assert!(status.expect("the program starts").success());
        assert_eq!(fs::read(output.join("densities.png")).expect("redrawn"), first, "{name}: other pixels");
        assert_eq!(fs::read(output.join("observables.svg")).expect("redrawn"), svg, "{name}: another drawing");
        fs::remove_dir_all(folder).expect("removable");
    }
}

#[test]
fn three_dimensions_have_marginals() {
    let problem = format!(
        "[landscape]\nkind = \"harmonic\"\nstiffness = [1.0, 2.0, 0.5]\n[domain]\nlower = [-3, -2.5, -4]\n\
         upper = [3, 2.5, 4]\ncells = [10, 9, 8]\n[initial]\nkind = \"gaussian\"\nmean = [0.5, 0.0, 0.5]\n\
         standard_deviation = 0.5\n[time]\noutputs = [0.1, 10.0]\n{REST}"
    );
    let (folder, _, report) = solved("three", &problem);
    assert_drawn(&folder, &report, &["marginals", "observables"]);
}

#[test]
fn odd_cases_are_drawn() {
    let flat = |domain: &str, rest: &str| {
        format!("[landscape]\nkind = \"flat\"\n[domain]\n{domain}\n[initial]\nkind = \"uniform\"\n{rest}\n{REST}")
    };
    // One time, nothing that moves, two cells.
    let (folder, _, report) =
        solved("single", &flat("lower = [-1.0]\nupper = [1.0]\ncells = [2]", "[time]\noutputs = [1.0]"));
    assert_drawn(&folder, &report, &["densities", "observables"]);
    // Time zero among the outputs: no logarithm of it.
    let (folder, _, report) =
        solved("zero", &flat("lower = [-1.0]\nupper = [1.0]\ncells = [5]", "[time]\noutputs = [0.0, 1.0, 100.0]"));
    assert_drawn(&folder, &report, &["densities", "space_time", "observables"]);
    // A plane of constant loss has no contour and no difference to exp(-γL/D).
    let (folder, _, report) =
        solved("plane", &flat("lower = [0.0, 0.0]\nupper = [1.0, 30.0]\ncells = [3, 40]", "[time]\noutputs = [1.0]"));
    assert_drawn(&folder, &report, &["landscape", "densities", "difference_to_gibbs", "observables"]);
    let svg = fs::read_to_string(folder.join("difference_to_gibbs.svg")).expect("text");
    assert!(svg.contains("identical to rounding"));
}

#[test]
fn many_cells_and_many_times_stay_small() {
    let problem = format!(
        "[landscape]\nkind = \"double-well\"\n[domain]\nlower = [-2.5]\nupper = [2.5]\ncells = [20000]\n\
         [initial]\nkind = \"gaussian\"\nmean = [-1.0]\nstandard_deviation = 0.1\n\
         [time]\nend = 100.0\nfirst = 1e-3\ncount = 60\nspacing = \"log\"\n{REST}"
    );
    let (folder, _, report) = solved("many", &problem);
    assert_drawn(&folder, &report, &["densities", "space_time", "observables"]);
}
