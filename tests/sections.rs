//! Sections end to end: losses against one point at a time, directions, paths, learning coefficients, run files.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use porewalk::estimate::section::{centers, losses_on, points_of};
use porewalk::formats::npz;
use porewalk::landscape::{Landscape, Section};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, TargetKind};
use porewalk::propagator::StopFlag;
use porewalk::storage::{LandscapeReport, StoredLandscape};

fn reference(precision: Precision) -> (EmpiricalLoss, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/moons_2-16-16-2.npz");
    let data = Dataset::from_npz(&path, TargetKind::Classes).expect("what the test needs");
    let (mlp, point) = Mlp::from_npz(&path, Activation::Relu).expect("what the test needs");
    (EmpiricalLoss::new(mlp, Arc::new(data), precision).expect("what the test needs"), point)
}

#[test]
fn blocks_of_points_equal_one_point_at_a_time() {
    let (loss, point) = reference(Precision::Double);
    let directions = (0..2).map(|k| loss.mlp().filter_normalised(&point, &mut Stream::new(0, "section", k))).collect();
    let section = Section::new(&loss, point, directions).expect("independent directions");
    // Neither a whole number of blocks nor of chunks.
    let cells = if support::is_slow() { 201 } else { 27 };
    let axes = [centers(-1.0, 1.0, cells), centers(-1.0, 1.0, cells)];
    let by_threads = |threads: usize| {
        let threads = NonZeroUsize::new(threads).expect("at least one");
        losses_on(&section, &axes, threads, &StopFlag::default(), &mut ()).expect("finite losses")
    };
    let all = by_threads(1);
    assert_eq!(all, by_threads(3), "threads change no bit");
    let mut counted = 0;
    for (place, loss) in points_of(&axes).chunks(2).zip(&all) {
        let alone = section.loss(place);
        assert!((loss - alone).abs() <= 1e-12 * alone, "{place:?}: {loss} {alone}");
        counted += 1;
    }
    assert_eq!(counted, cells * cells);
}

/// An empty folder of its own for a test.
fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-sections-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder
}

fn porewalk(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_porewalk");
    Command::new(program).args(arguments).current_dir(folder).output().expect("the program starts")
}

/// Runs `landscape` on a file of this text.
fn cut(folder: &Path, text: &str, flags: &[&str]) -> (LandscapeReport, StoredLandscape) {
    fs::write(folder.join("run.toml"), text).expect("a written file");
    let mut arguments = vec!["landscape", "run.toml", "-o", "out", "--force"];
    arguments.extend(flags);
    let output = porewalk(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let out = folder.join("out");
    (LandscapeReport::read(&out).expect("a report"), StoredLandscape::read(&out).expect("arrays"))
}

fn array(folder: &Path, file: &str, name: &str) -> npz::Array {
    npz::read(&folder.join(file)).expect("an archive").remove(name).expect("an array")
}

const RUN: &str = "[model]\nkind = \"mlp\"\nwidths = [2, 5, 2]\nactivation = \"tanh\"\n[data]\nkind = \"two-moons\"\n\
                   samples = 60\n[training]\nsteps = 200\ncheckpoints = { count = 12, spacing = \"log\" }\n";

#[test]
fn a_trajectory_is_projected_on_its_own_plane() {
    let folder = workplace("trajectory");
    let text = format!("{RUN}[section]\ncells = [24, 20]\n");
    let (report, plane) = cut(&folder, &text, &[]);
    let steps = array(&folder, "out/trajectory.npz", "step").data;
    let parameters = array(&folder, "out/trajectory.npz", "parameters");
    assert_eq!((steps[0], steps[steps.len() - 1]), (0.0, 200.0));
    assert_eq!(parameters.shape, [steps.len(), 27]);
    let path = plane.trajectory.expect("a path");
    assert_eq!(path.step, steps);
    let last = parameters.data.chunks(27).last().expect("a point");
    assert_eq!(plane.origin, last, "the coordinates 0 are the end of the training");
    let [u, v] = &plane.directions[..] else { panic!("two directions") };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    assert!((dot(u, u) - 1.0).abs() < 1e-12 && (dot(v, v) - 1.0).abs() < 1e-12 && dot(u, v).abs() < 1e-12);
    for (k, point) in parameters.data.chunks(27).enumerate() {
        let moved: Vec<f64> = point.iter().zip(last).map(|(a, b)| a - b).collect();
        let (a, b) = (dot(&moved, u), dot(&moved, v));
        assert!((path.coordinates[k][0] - a).abs() < 1e-12 && (path.coordinates[k][1] - b).abs() < 1e-12);
        let rest = (dot(&moved, &moved) - a * a - b * b).max(0.0).sqrt();
        assert!((path.distance[k] - rest).abs() < 1e-6, "{k}: {} {rest}", path.distance[k]);
        assert!(plane.axes[0][0] < a && a < plane.axes[0][23] && plane.axes[1][0] < b && b < plane.axes[1][19]);
    }
    let explained = report.section.explained_variance.expect("a trajectory");
    assert!(explained[0] > explained[1] && explained.iter().sum::<f64>() <= 1.0 + 1e-12);
    // Checkpoints change no step of the training.
    let weights = fs::read(folder.join("out/weights.npz")).expect("weights");
    let without = text.replace("checkpoints = { count = 12, spacing = \"log\" }", "");
    cut(&folder, &without, &["--set", "section.directions=random"]);
    assert_eq!(weights, fs::read(folder.join("out/weights.npz")).expect("weights"));
    // From the mean, along a line, redrawn from the files alone.
    let (report, line) = cut(&folder, &text, &["--set", "section.cells=[30]", "--set", "section.origin=mean"]);
    assert_eq!((line.axes.len(), line.directions.len(), report.section.cosine), (1, 1, None));
    let mean = line.trajectory.expect("a path").coordinates.iter().map(|place| place[0]).sum::<f64>();
    assert!(mean.abs() < 1e-10, "{mean}");
    fs::remove_file(folder.join("out/section.png")).expect("a figure");
    assert_eq!(porewalk(&folder, &["plot", "out"]).status.code(), Some(0));
    assert!(folder.join("out/section.png").exists());
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn random_directions_are_those_of_the_seed_and_of_every_unit() {
    let folder = workplace("random");
    let text = format!("{RUN}[section]\ndirections = \"random\"\ncells = [6, 6]\n");
    let (report, plane) = cut(&folder, &text, &[]);
    assert_eq!((report.section.unit.as_str(), &report.section.lower[..]), ("filter-norm", &[-1.0, -1.0][..]));
    assert!(report.references.contains_key("LiXuTaylorStuderGoldstein2018"));
    for direction in &plane.directions {
        // (2, 5) and (5, 2) weights with 5 and 2 biases.
        for (start, inputs, units) in [(0, 2, 5), (15, 5, 2)] {
            for unit in 0..units {
                let norm = |of: &[f64]| (0..inputs).map(|k| of[start + k * units + unit].powi(2)).sum::<f64>().sqrt();
                assert!((norm(direction) - norm(&plane.origin)).abs() < 1e-12);
            }
        }
        assert!(direction[10..15].iter().chain(&direction[25..]).all(|value| *value == 0.0));
    }
    let again = cut(&folder, &text, &["--threads", "2"]).1;
    assert_eq!(plane, again, "the same seed and any threads give the same bits");
    let plain = cut(&folder, &text, &["--set", "section.unit=parameter"]).0;
    assert!(plain.section.lengths.iter().all(|length| (length - 1.0).abs() < 1e-12));
    assert!(plain.section.cosine.is_some_and(|cosine| cosine.abs() < 1e-12));
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn a_plane_between_files_goes_through_them() {
    let folder = workplace("between");
    for (seed, name) in ["a.npz", "b.npz", "c.npz"].iter().enumerate() {
        cut(
            &folder,
            &format!("{RUN}[section]\ndirections = \"random\"\ncells = [4]\n"),
            &["--seed", &seed.to_string()],
        );
        fs::copy(folder.join("out/weights.npz"), folder.join(name)).expect("a copy");
    }
    let mut text = RUN.replace("[data]", "weights = \"a.npz\"\n[data]");
    text.push_str("[section]\ndirections = \"between\"\nfiles = [\"a.npz\", \"b.npz\", \"c.npz\"]\ncells = [8, 8]\n");
    let (report, plane) = cut(&folder, &text, &[]);
    assert_eq!((report.section.unit.as_str(), &report.section.upper[..]), ("between", &[1.5, 1.5][..]));
    // Centres of cells a quarter wide around the files: three quarters of the way along both axes is one of the centres.
    let data = Dataset::two_moons(60, 0.1, &mut Stream::new(0, "data", 0)).expect("moons");
    let weights = |name: &str| Mlp::from_npz(&folder.join(name), Activation::Tanh).expect("weights");
    let (mlp, _) = weights("a.npz");
    let loss = EmpiricalLoss::new(mlp, Arc::new(data), Precision::Double).expect("widths that agree");
    let section = Section::new(&loss, plane.origin.clone(), plane.directions.clone()).expect("independent");
    for (name, corner) in [("a.npz", [0.0, 0.0]), ("b.npz", [1.0, 0.0]), ("c.npz", [0.0, 1.0])] {
        let own = loss.loss(&weights(name).1);
        assert!((section.loss(&corner) - own).abs() < 1e-13 * own.max(1.0), "{name}");
        let (place, distance) = section.project(&weights(name).1);
        assert!(distance < 1e-12 && place.iter().zip(corner).all(|(a, b)| (a - b).abs() < 1e-12), "{name}: {place:?}");
    }
    for (place, loss) in points_of(&plane.axes).chunks(2).zip(&plane.loss) {
        assert!((loss - section.loss(place)).abs() < 1e-12);
    }
    // Orthonormal directions span the same plane.
    let (_, plain) = cut(&folder, &text, &["--set", "section.unit=parameter"]);
    let section = Section::new(&loss, plain.origin, plain.directions).expect("independent");
    assert!(["a.npz", "b.npz", "c.npz"].iter().all(|name| section.project(&weights(name).1).1 < 1e-12));
    fs::remove_dir_all(folder).expect("a removable folder");
}

const WELL: &str = "[model]\nkind = \"harmonic\"\nstiffness = [2.0, 30.0, 5.0]\nsample_count = 1000\n[llc]\nburn_in = 200\n\
                    draws = 800\n[section]\ndirections = \"axes\"\nindices = [0, 2]\ncells = [20, 20]\n\
                    learning_coefficient = true\n";

#[test]
fn fields_of_a_well_are_those_of_the_theorem() {
    let folder = workplace("fields");
    let (report, plane) = cut(
        &folder,
        WELL,
        &[
            "--set",
            "section.localization=4.0",
            "--set",
            "section.radius=1.0",
            "--set",
            "section.spectral_dimension=1.5",
        ],
    );
    for (place, loss) in points_of(&plane.axes).chunks(2).zip(&plane.loss) {
        assert!((loss - (place[0] * place[0] + 2.5 * place[1] * place[1])).abs() < 1e-13);
    }
    let (value, error) = plane.learning_coefficient.expect("a field");
    assert_eq!(value.len(), 400);
    assert!(value.iter().chain(&error).all(|value| *value >= 0.0));
    // Around the minimum: 1/2 t h/(t h + g) for both directions of the plane, the third is not seen.
    let t = 1000.0 / 1000f64.ln();
    let exact = 0.5 * (2.0 * t / (2.0 * t + 4.0) + 5.0 * t / (5.0 * t + 4.0));
    let middle = 10 * 20 + 10;
    assert!((value[middle] - exact).abs() < 0.02, "{} {exact}", value[middle]);
    assert!((value[middle] - exact).abs() < error[middle], "{} {exact} ± {}", value[middle], error[middle]);
    let logs = plane.log10_diffusivity.expect("a spectral dimension");
    for (log, value) in logs.iter().zip(&value) {
        assert!((log - (2.0 - 2.0 * value / 1.5) * 0.5f64.log10()).abs() < 1e-12);
    }
    assert!(report.learning_coefficient.is_some_and(|field| field.comparison.is_none()));
    // Chains see all three directions.
    let flags = ["--set", "section.method=chains", "--set", "section.coarse=[4,4]", "--set", "llc.localization=4.0"];
    let (report, plane) = cut(&folder, WELL, &flags);
    assert!(report.diffusivity.is_none() && report.remarks.iter().any(|remark| remark.contains("spectral_dimension")));
    let all: f64 = [2.0, 30.0, 5.0].iter().map(|h| 0.5 * h * t / (h * t + 4.0)).sum();
    let field = report.learning_coefficient.expect("a field");
    let comparison = field.comparison.expect("chains were run");
    let mean = comparison.chains.iter().sum::<f64>() / 16.0;
    assert!((mean - all).abs() < 0.1, "{mean} {all}");
    assert_eq!(plane.learning_coefficient.expect("a field").0[0], comparison.chains[0]);
    let again = cut(&folder, WELL, &[&flags[..], &["--threads", "2"]].concat()).0;
    assert_eq!(again.learning_coefficient.and_then(|field| field.comparison), Some(comparison));
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn solve_reads_a_section_with_its_learning_coefficients() {
    let folder = workplace("solve");
    cut(&folder, WELL, &[]);
    let problem = "landscape = { kind = \"grid\", file = \"out/landscape.npz\" }\n\
                   domain = { lower = [-1.0, -1.0], upper = [1.0, 1.0], cells = [20, 20] }\ndynamics = { order = 1.0 }\n\
                   initial = { kind = \"gaussian\", mean = [0.5, 0.5], standard_deviation = 0.2 }\n\
                   time = { outputs = [1.0] }\n[diffusivity]\nkind = \"coarse-grained\"\nscale = 0.5\n\
                   spectral_dimension = 1.0\nlearning_coefficient = \"from-landscape\"\n";
    fs::write(folder.join("walk.toml"), problem).expect("a written file");
    let output = porewalk(&folder, &["solve", "walk.toml", "-o", "walk"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let value = array(&folder, "out/landscape.npz", "learning_coefficient").data;
    let diffusivity = array(&folder, "walk/solution.npz", "diffusivity").data;
    for (d, value) in diffusivity.iter().zip(&value) {
        let exact = 0.5f64.powf(2.0 - 2.0 * value);
        assert!((d - exact).abs() < 1e-12 * exact, "{d} {exact}");
    }
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn the_examples_make_a_chain() {
    let folder = workplace("chain");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let run = |arguments: &[&str], example: &str| {
        let file = examples.join(example);
        let all = [&arguments[..1], &[file.to_str().expect("a path of text")], &arguments[1..]].concat();
        let output = porewalk(&folder, &all);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON and nothing else")
    };
    let report = run(&["landscape", "--json", "-o", "plane", "--set", "section.cells=[24,16]"], "moons_section.toml");
    assert!(report["lowest"]["loss"].as_f64().is_some_and(|loss| loss < 0.05), "{report}");
    let file = format!("landscape.file={}", folder.join("plane/landscape.npz").display());
    let flags = ["solve", "--json", "-o", "walk", "--set", &file, "--set", "domain.cells=[20,12]"];
    let report = run(&flags, "moons_walk.toml");
    let masses = report["observables"]["mass"].as_array().expect("masses");
    assert!(masses.iter().all(|mass| mass.as_f64().is_some_and(|mass| (mass - 1.0).abs() <= 1e-13)), "{masses:?}");
    fs::remove_dir_all(folder).expect("a removable folder");
}

/// What is put at the end of the run file, the key, words of the message.
const WRONG: &[(&str, &str, &[&str])] = &[
    ("directions = \"trajektory\"", "section.directions", &["did you mean \"trajectory\"?"]),
    ("direction = \"random\"", "section.direction", &["did you mean directions?"]),
    ("directions = \"between\"", "section.directions", &["needs the key files"]),
    ("directions = \"between\"\nfiles = [\"a.npz\", \"no.npz\"]", "section.files[0]", &["there is no file"]),
    ("directions = \"between\"\nfiles = [\"a.npz\"]", "section.files", &["two files"]),
    ("directions = \"axes\"", "section.directions", &["needs the key indices"]),
    ("directions = \"axes\"\nindices = [3, 3]", "section.indices", &["two different ones"]),
    ("directions = \"axes\"\nindices = [0, 27]", "section.indices[1]", &["27 parameters"]),
    ("indices = [0, 1]", "section.indices", &["only directions = \"axes\""]),
    ("directions = \"random\"\norigin = \"mean\"", "section.origin", &["only directions = \"trajectory\""]),
    ("unit = \"filter-norm\"", "section.unit", &["only random directions"]),
    ("directions = \"random\"\nunit = \"between\"", "section.unit", &["has files to count from"]),
    ("lower = [-1.0, -1.0]", "section.lower", &["section.upper is missing"]),
    ("lower = [-1.0]\nupper = [1.0, 1.0]", "section.upper", &["one entry per axis"]),
    ("lower = [1.0]\nupper = [-1.0]", "section.upper[0]", &["above section.lower[0] = 1.0"]),
    ("lower = [-1.0]\nupper = [inf]", "section.upper[0]", &["finite"]),
    ("cells = [10, 10, 10]", "section.cells", &["one or two axes"]),
    ("cells = [3]", "section.cells[0]", &["from 4"]),
    ("cells = [100000, 100000]", "section.cells", &["at most 16777216"]),
    ("radius = 0.5", "section.radius", &["learning_coefficient = true"]),
    ("learning_coefficient = true\nradius = 0.0", "section.radius", &["positive"]),
    ("learning_coefficient = true\nlocalization = -1.0", "section.localization", &["at least 0"]),
    ("learning_coefficient = true\nrefine = 0", "section.refine", &["from 1 to 64"]),
    ("learning_coefficient = true\nmethod = \"volumes\"", "section.method", &["did you mean \"volume\"?"]),
    ("learning_coefficient = true\nradius = 1e9\nrefine = 64", "section.refine", &["smaller radius"]),
    ("learning_coefficient = \"yes\"", "section.learning_coefficient", &["true or false"]),
];

#[test]
fn wrong_sections_are_told_where_what_and_why() {
    let folder = workplace("wrong");
    let refused = |text: &str, place: &str, key: &str, words: &[&str]| {
        fs::write(folder.join("run.toml"), text).expect("a written file");
        let output = porewalk(&folder, &["landscape", "run.toml"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {told}");
        for word in words.iter().chain([&place, &key]) {
            assert!(told.contains(word), "{text}: no {word:?} in {told}");
        }
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1, "{text}: something was left");
    };
    for (wrong, key, words) in WRONG {
        refused(&format!("{RUN}[section]\n{wrong}\n"), "run.toml:1", key, words);
    }
    let model = "[model]\nkind = \"harmonic\"\n[section]\n";
    refused(&format!("{model}directions = \"trajectory\""), "run.toml:4", "section.directions", &["trains nothing"]);
    refused(&format!("{model}unit = \"filter-norm\""), "run.toml:4", "section.unit", &["no units"]);
    for (wrong, words) in [
        ("checkpoints = 1", "from 2 to"),
        ("checkpoints = { count = 5, spacing = \"logg\" }", "did you mean \"log\"?"),
        ("checkpoints = { number = 5 }", "table with count and spacing"),
    ] {
        let text = RUN.replace("checkpoints = { count = 12, spacing = \"log\" }", wrong);
        refused(&text, "run.toml:10", "training.checkpoints", &[words]);
    }
    fs::remove_dir_all(folder).expect("a removable folder");
}
