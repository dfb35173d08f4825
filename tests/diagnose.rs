//! `porewalk diagnose` end to end: tables, trajectories, checkpoints, learning coefficients along a run, bad input.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use porewalk::experiment::diagnose::{Request, run_diagnose};
use porewalk::experiment::{Options, Resources};
use porewalk::formats::npz;
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Mlp};
use porewalk::propagator::{Observer, StopFlag};
use porewalk::storage::Replacement;
use serde_json::Value;

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-diagnose-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable folder");
    folder
}

fn porewalk(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_porewalk")).current_dir(folder).args(arguments).output().expect("the program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `diagnose` and reads its report.
fn report(folder: &Path, arguments: &[&str]) -> Value {
    let output = porewalk(folder, &[&["diagnose"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let place = arguments.iter().position(|argument| *argument == "-o").map_or("results/out", |at| arguments[at + 1]);
    serde_json::from_str(&fs::read_to_string(folder.join(place).join("report.json")).expect("a report")).expect("JSON")
}

fn number(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {report}"))
}

/// A noisy table of R = 0.3 t^slope.
fn table(slope: f64, header: &str, lambda: Option<&dyn Fn(f64) -> f64>) -> String {
    let mut stream = Stream::new(5, "table", 0);
    let mut lines = String::from(header);
    for step in 1..=400 {
        let time = f64::from(step) * 10.0;
        let displacement = 0.3 * time.powf(slope) * (1.0 + 0.01 * stream.normal());
        lines.push_str(&format!("{time},{displacement}"));
        if let Some(lambda) = lambda {
            lines.push_str(&format!(",{}", lambda(time)));
        }
        lines.push('\n');
    }
    lines
}

#[test]
fn a_table_gives_its_slope_and_with_lambda_its_dimensions() {
    let folder = workplace("table");
    fs::write(folder.join("run.csv"), table(0.25, "step,R\n", None)).expect("writable");
    let found = report(&folder, &["run.csv", "-o", "plain"]);
    let slope = number(&found, "/slope/value");
    assert!((slope - 0.25).abs() < 0.01, "{slope}");
    assert!(number(&found, "/slope/lower") < 0.25 && number(&found, "/slope/upper") > 0.25);
    assert!((number(&found, "/caputo_order/value") - 2.0 * slope).abs() < 1e-14);
    assert!((number(&found, "/walk_dimension/value") - 1.0 / slope).abs() < 1e-12);
    assert!(number(&found, "/r_squared/value") > 0.99);
    for missing in ["spectral_dimension", "log10_diffusivity"] {
        assert!(found[missing].is_null(), "{missing}");
    }
    assert!(found["reason"].as_str().is_some_and(|why| why.contains("--lambda")), "{}", found["reason"]);

    let found = report(&folder, &["run.csv", "-o", "given", "--lambda", "8", "--scale", "0.25"]);
    let slope = number(&found, "/slope/value");
    assert!((number(&found, "/spectral_dimension/value") - 16.0 * slope).abs() < 1e-12);
    let log = (2.0 - 1.0 / slope) * 0.25f64.log10();
    assert!((number(&found, "/log10_diffusivity/value") - log).abs() < 1e-12);
    assert_eq!(found["bound"]["holds"], true, "slope < 1/2");
    let found = report(&folder, &["run.csv", "-o", "length", "--lambda", "8", "--convention", "length"]);
    assert!((number(&found, "/spectral_dimension/value") - 32.0 * slope).abs() < 1e-12);
    // d_s <= q λ says slope <= 1/2 in this convention too.
    assert_eq!((&found["bound"]["holds"], number(&found, "/bound/limit")), (&Value::Bool(true), 2.0));
    assert!((number(&found, "/bound/ratio/value") - 4.0 * slope).abs() < 1e-12);
    fs::write(folder.join("fast.csv"), table(0.8, "step,R\n", None)).expect("writable");
    let found = report(&folder, &["fast.csv", "-o", "fast", "--lambda", "8"]);
    assert_eq!((&found["bound"]["holds"], &found["bound"]["holds_for_interval"]), (&false.into(), &false.into()));

    // A continued run: steps count from its first row, where R is 0.
    let continued: String =
        (0..200).map(|row| format!("{},{}\n", 50_000 + 10 * row, 0.3 * f64::from(10 * row).powf(0.25))).collect();
    fs::write(folder.join("continued.csv"), continued).expect("writable");
    let found = report(&folder, &["continued.csv", "-o", "continued", "--origin", "50000"]);
    assert!((number(&found, "/slope/value") - 0.25).abs() < 1e-9);
    assert_eq!(number(&found, "/input/origin"), 50_000.0);

    // The mean of 2 + t/1000 over the table is 2 + (10 + 4000)/2000.
    let rising = table(0.25, "step,R,lambda\n", Some(&|time| 2.0 + time / 1000.0));
    fs::write(folder.join("rising.csv"), rising).expect("writable");
    let found = report(&folder, &["rising.csv", "-o", "column"]);
    assert!((number(&found, "/learning_coefficient/value") - 4.005).abs() < 1e-9);
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn results_are_redrawn_repeated_and_read_back() {
    let folder = workplace("again");
    fs::write(folder.join("run.csv"), table(0.4, "", None)).expect("writable");
    let arguments = ["run.csv", "--seed", "3"];
    let output = porewalk(&folder, &[&["diagnose"], &arguments[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for words in ["slope", "Caputo order", "log10 D_xi", "written"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let place = folder.join("results/run");
    let read = |name: &str| fs::read(place.join(name)).expect(name);
    let names = ["displacement.npz", "displacement.svg", "displacement.png"];
    let first: Vec<Vec<u8>> = names.iter().map(|name| read(name)).collect();
    fs::remove_file(place.join("displacement.svg")).expect("removable");
    let output = porewalk(&folder, &["plot", "results/run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(read("displacement.svg") == first[1], "a redrawn figure is the same figure");
    let output = porewalk(&folder, &["diagnose", "run.csv", "--seed", "3", "--threads", "1", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert!(report["slope"]["value"].is_f64());
    for (name, bytes) in names.iter().zip(&first) {
        assert!(read(name) == *bytes, "{name}: identical runs give identical bytes");
    }
    let arrays = npz::read(&place.join("displacement.npz")).expect("readable");
    assert_eq!(arrays["time"].data.len(), arrays["displacement"].data.len());
    let output = porewalk(&folder, &["diagnose", "run.csv", "--seed", "4"]);
    assert_eq!(output.status.code(), Some(2), "other results need --force");
    fs::write(folder.join("run.csv"), table(0.41, "", None)).expect("writable");
    let output = porewalk(&folder, &["diagnose", "run.csv", "--seed", "3"]);
    assert_eq!(output.status.code(), Some(2), "so do those of an edited input");
    fs::remove_dir_all(folder).expect("removable");
}

/// Steps of a run of a 2-4-2 network, its weights moving as Brownian motion from a random start.
fn wandering(mlp: &Mlp, count: usize) -> Vec<Vec<f64>> {
    let mut stream = Stream::new(11, "wandering", 0);
    let mut point = mlp.initial(&mut stream);
    (0..count)
        .map(|_| {
            let here = point.clone();
            point.iter_mut().for_each(|value| *value += 0.01 * stream.normal());
            here
        })
        .collect()
}

#[test]
fn checkpoints_and_trajectories_of_one_run_agree() {
    let folder = workplace("checkpoints");
    let mlp = Mlp::new(&[2, 4, 2], Activation::Relu, false).expect("valid");
    let points = wandering(&mlp, 40);
    fs::create_dir(folder.join("run")).expect("writable");
    for (number, point) in points.iter().enumerate() {
        let name = format!("run/step_{}.npz", 50 * number);
        fs::write(folder.join(name), mlp.to_npz(point).expect("small")).expect("writable");
    }
    let steps: Vec<f64> = (0..40).map(|number| 50.0 * f64::from(number)).collect();
    let archive =
        npz::to_bytes(&[("step", &[40], &steps), ("parameters", &[40, mlp.parameter_count()], &points.concat())]);
    fs::write(folder.join("run.npz"), archive.expect("small")).expect("writable");
    let of_folder = report(&folder, &["run", "-o", "a"]);
    let of_archive = report(&folder, &["run.npz", "-o", "b"]);
    // Parameters come in another order: sums differ by rounding, groups for resampling differ.
    for path in ["/slope/value", "/r_squared/value", "/displacement/prefactor/value"] {
        let (a, b) = (number(&of_folder, path), number(&of_archive, path));
        assert!((a - b).abs() < 1e-9 * b.abs(), "{path}: {a} {b}");
    }
    let curve = |place: &str| npz::read(&folder.join(place).join("displacement.npz")).expect("readable");
    let (a, b) = (curve("a"), curve("b"));
    for ((time, own), other) in a["time"].data.iter().zip(&a["displacement"].data).zip(&b["displacement"].data) {
        let point = &points[(time / 50.0) as usize];
        let square: f64 = point.iter().zip(&points[0]).map(|(w, o)| (w - o) * (w - o)).sum();
        assert!((own - square.sqrt()).abs() < 1e-12 && (other - square.sqrt()).abs() < 1e-12, "{time}");
    }
    assert!(number(&of_folder, "/explained_variance/0") > 0.2);
    let principal = &a["principal"];
    assert_eq!((principal.shape[0], a["step"].data.len()), (40, 40));

    // Only the first layer, by name; and from another origin.
    let part = report(&folder, &["run", "-o", "c", "--include", "*1", "--origin", "500", "--first", "100"]);
    let layout = mlp.layout();
    let first: Vec<usize> =
        layout.iter().filter(|array| array.name.ends_with('1')).flat_map(|array| array.range.clone()).collect();
    let c = curve("c");
    let place = c["time"].data.iter().position(|time| *time == 1000.0).expect("a point");
    let square: f64 = first.iter().map(|&k| (points[30][k] - points[10][k]).powi(2)).sum();
    assert!((c["displacement"].data[place] - square.sqrt()).abs() < 1e-12);
    assert_eq!(number(&part, "/input/origin"), 500.0);
    fs::remove_dir_all(folder).expect("removable");
}

/// Asks a run to stop once so many steps of chains are done, and notes how many were done when the chains began.
struct Watcher {
    stop: StopFlag,
    after: Option<u64>,
    first: Option<u64>,
}

impl Observer for Watcher {
    fn progress(&mut self, done: u64, total: u64) {
        // The pass over the points counts to 1000, the chains of 5 points of 250 steps to 1250.
        if total != 1250 {
            return;
        }
        self.first.get_or_insert(done);
        if self.after.is_some_and(|after| done >= after) {
            self.stop.set();
        }
    }
}

#[test]
fn learning_coefficients_along_a_run_are_resumed_to_the_same_numbers() {
    let folder = workplace("along");
    let run = r#"
[model]
kind = "mlp"
widths = [2, 4, 2]
activation = "tanh"

[data]
kind = "two-moons"
samples = 60
noise = 0.1

[training]
learning_rate = 0.5
batch_size = "full"
steps = 300

[llc]
localization = 100.0
burn_in = 50
draws = 200
"#;
    fs::write(folder.join("run.toml"), run).expect("writable");
    let mlp = Mlp::new(&[2, 4, 2], Activation::Tanh, false).expect("valid");
    let points = wandering(&mlp, 12);
    let steps: Vec<f64> = (0..12).map(f64::from).collect();
    let archive =
        npz::to_bytes(&[("step", &[12], &steps), ("parameters", &[12, mlp.parameter_count()], &points.concat())]);
    fs::write(folder.join("walk.npz"), archive.expect("small")).expect("writable");
    let found = report(&folder, &["walk.npz", "-o", "a", "--llc", "run.toml", "--llc-points", "5"]);
    let rows = found["along"]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 5);
    let steps: Vec<f64> = rows.iter().map(|row| row["step"].as_f64().expect("a step")).collect();
    assert_eq!((steps[0], steps[4]), (0.0, 11.0));
    for row in rows {
        assert!(row["mcse"].as_f64().is_some_and(|error| error > 0.0) && row["loss"].as_f64().is_some(), "{row}");
    }
    let arrays = npz::read(&folder.join("a/displacement.npz")).expect("readable");
    assert_eq!(arrays["learning_coefficient"].data.len(), 5);
    assert!(folder.join("a/learning_coefficients.png").exists());
    let again = report(&folder, &["walk.npz", "-o", "b", "--llc", "run.toml", "--llc-points", "5", "--threads", "1"]);
    assert_eq!(found["along"], again["along"], "the same numbers for any number of threads");

    // Stopped in the chains of the third point, then gone on with: the chains of the others are not run again.
    let options = |resume: bool| Options {
        output: Some(folder.join("c")),
        overrides: Vec::new(),
        replacement: Replacement::IfIdentical,
        resources: Resources { seed: 0, threads: None },
        resume,
        stop: StopFlag::default(),
    };
    let request = Request { llc: Some(folder.join("run.toml")), llc_points: 5, ..Request::default() };
    let run = |options: &Options, after: Option<u64>| {
        let mut watcher = Watcher { stop: options.stop.clone(), after, first: None };
        run_diagnose(&folder.join("walk.npz"), &request, options, &|_, _| Ok(()), &mut watcher)
            .map(|(report, _)| (report, watcher.first))
    };
    let error = run(&options(false), Some(2 * 250)).expect_err("stopped");
    assert!(matches!(error, porewalk::Error::Interrupted { kept: Some(_) }), "{error}");
    let (report, first) = run(&options(true), None).expect("resumed");
    assert_eq!(first, Some(250), "the first point is done already");
    let rows = serde_json::to_value(&report.along).expect("finite");
    assert_eq!(rows, found["along"], "resumed to the same numbers");
    let other = porewalk(&folder, &["diagnose", "walk.npz", "--llc", "run.toml", "--set", "model.widths=[2,5,2]"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("27 parameters and the points 22"), "{}", text(&other.stderr));
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn bad_input_is_refused_and_leaves_nothing() {
    let folder = workplace("refused");
    fs::write(folder.join("run.csv"), table(0.25, "", None)).expect("writable");
    let steps: Vec<f64> = (0..20).map(|step| 2.0 * f64::from(step)).collect();
    let archive = npz::to_bytes(&[("step", &[20], &steps), ("parameters", &[20, 1], &steps)]).expect("small");
    fs::write(folder.join("run.npz"), archive).expect("writable");
    fs::write(folder.join("short.csv"), "1,2\n2,3\n").expect("writable");
    fs::write(folder.join("still.csv"), "1,0\n2,0\n3,0\n4,0\n5,0\n6,0\n7,0\n8,0\n").expect("writable");
    fs::write(folder.join("back.csv"), "1,1\n3,2\n2,3\n4,4\n5,5\n6,6\n7,7\n").expect("writable");
    let late: String = (0..50).map(|row| format!("{},{}\n", 1_000_000 + row, 1.0 + f64::from(row))).collect();
    fs::write(folder.join("late.csv"), late).expect("writable");
    fs::create_dir(folder.join("results")).expect("writable");
    for name in ["report.json", "trajectory.npz"] {
        fs::write(folder.join("results").join(name), "{}").expect("writable");
    }
    fs::create_dir(folder.join("empty")).expect("writable");
    let before = fs::read_dir(&folder).expect("readable").count();
    for (arguments, words) in [
        (&["nowhere.csv"][..], "cannot read nowhere.csv"),
        (&["empty"], "empty"),
        (&["short.csv"], "at least"),
        (&["still.csv"], "0"),
        (&["back.csv"], "increase"),
        (&["run.csv", "--origin", "7"], "origin at time 0"),
        (&["run.npz", "--origin", "7"], "the nearest is"),
        (&["run.csv", "--first", "3990"], "at least"),
        (&["late.csv"], "count from the point"),
        (&["run.csv", "--first", "NaN"], "--first"),
        (&["results"], "give the run in it, results/trajectory.npz"),
        (&["run.csv", "--include", "*bias*"], "no parameter names"),
        (&["run.csv", "--lambda=-3"], "positive number"),
        (&["run.csv", "--lambda", "nothing.npz"], "is no number and no file"),
        (&["run.csv", "--scale", "0"], "--scale = 0"),
        (&["run.csv", "--set", "llc.draws=3"], "--llc"),
        (&["run.csv", "--llc", "run.csv"], "TOML"),
        (&["run.csv", "--convention", "metre"], "metre"),
    ] {
        let output = porewalk(&folder, &[&["diagnose"], arguments].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(fs::read_dir(&folder).expect("readable").count(), before, "{arguments:?}");
    }
    fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn table_one_is_recomputed_and_flagged() {
    let folder = workplace("table1");
    let output = porewalk(&folder, &["reproduce", "table1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert_eq!(said.matches("does not round").count(), 1, "{said}");
    assert!(said.lines().any(|line| line.contains("VGG16") && line.contains("does not round")), "{said}");
    let place = folder.join("results/table1");
    let report: Value =
        serde_json::from_str(&fs::read_to_string(place.join("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(6));
    let rows = fs::read_to_string(place.join("table1.csv")).expect("a table");
    assert_eq!(rows.lines().count(), 7);
    let output = porewalk(&folder, &["plot", "results/table1"]);
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("no figures"), "{}", text(&output.stderr));
    for (name, words) in [("tabel1", "did you mean table1?"), ("moons", "not available in this version")] {
        let output = porewalk(&folder, &["reproduce", name]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
    fs::remove_dir_all(folder).expect("removable");
}
