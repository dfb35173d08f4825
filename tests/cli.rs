//! The command line as people meet it: what wrong input is told, and that nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A right problem; every case below breaks one thing. Line numbers matter to the cases: the first line is a title.
const PROBLEM: &str = "title = \"Double well\"
[landscape]
kind = \"expression\"
formula = \"(x^2 - 1)^2\"
[domain]
lower = [-2.5]
upper = [2.5]
cells = [40]
[dynamics]
order = 0.7
[diffusivity]
kind = \"uniform\"
value = 0.35
[initial]
kind = \"gaussian\"
mean = [-1.0]
standard_deviation = 0.2
[time]
outputs = [0.1, 1.0, 10.0]
[method]
tolerance = 1e-8
";

/// An empty folder of its own for a test.
fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-cli-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder
}

fn porewalk(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_porewalk"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks an input error: status 2, no panic, nothing on standard output, every fragment in the message.
fn assert_refused(case: &str, output: &Output, fragments: &[&str]) {
    let text = error_text(output);
    assert_eq!(output.status.code(), Some(2), "{case}: {text}");
    assert!(text.starts_with("error: "), "{case}: {text}");
    assert!(output.stdout.is_empty(), "{case}: standard output must stay empty");
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{case}: {text}");
    for fragment in fragments {
        assert!(text.contains(fragment), "{case}: no {fragment:?} in\n{text}");
    }
}

/// The text that is changed, what it is changed to, the place of the error, what the message holds.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const WRONG_FILES: &[Case] = &[
    // keys
    (
        "order = 0.7",
        "ordr = 0.7",
        "10:1",
        &["dynamics.ordr = 0.7", "is not a key of [dynamics]", "did you mean order?"],
    ),
    ("title =", "tilte =", "1:1", &["tilte = \"Double well\"", "did you mean title?"]),
    ("[method]", "[methods]", "20:2", &["methods is not a key of a problem file", "did you mean method?"]),
    ("tolerance =", "tolerence =", "21:1", &["did you mean tolerance?"]),
    ("order = 0.7", "", "9:2", &["dynamics.order is missing", "add order = 0.7"]),
    ("value = 0.35", "", "12:8", &["needs the key value", "add value = 0.35"]),
    ("kind = \"uniform\"", "knd = \"uniform\"", "12:1", &["did you mean kind?"]),
    ("order = 0.7", "order = 0.7\norder = 0.8", "11:1", &["not valid TOML", "duplicate key"]),
    ("mean = [-1.0]", "mean = [-1.0]\nat = [0.0]", "17:6", &["initial.at = [0.0]", "\"gaussian\" does not use at"]),
    ("value = 0.35", "value = 0.35\nscale = 1.0", "14:9", &["diffusivity.scale = 1.0", "does not use scale"]),
    ("formula =", "barrier = 2\nformula =", "4:11", &["landscape.barrier = 2.0", "does not use barrier"]),
    // types
    (
        "order = 0.7",
        "order = \"high\"",
        "10:9",
        &["dynamics.order = \"high\"", "must be a number", "write order = 0.7"],
    ),
    ("cells = [40]", "cells = 40", "8:9", &["domain.cells = 40", "must be a list of whole numbers"]),
    ("cells = [40]", "cells = [40.5]", "8:9", &["domain.cells = [40.5]", "whole numbers"]),
    ("cells = [40]", "cells = [-40]", "8:9", &["domain.cells = [-40]", "whole numbers"]),
    ("title = \"Double well\"", "title = 7", "1:9", &["title = 7", "must be text"]),
    ("[0.1, 1.0, 10.0]", "\"soon\"", "19:11", &["time.outputs = \"soon\"", "must be a list of numbers"]),
    ("tolerance = 1e-8", "extrapolate = \"yes\"", "21:15", &["must be true or false"]),
    ("[dynamics]\norder = 0.7", "[[dynamics]]\norder = 0.7", "9:1", &["must be a table", "write [dynamics]"]),
    ("kind = \"expression\"", "kind = 3", "3:8", &["landscape.kind = 3", "must be text"]),
    // ranges
    ("order = 0.7", "order = -0.5", "10:9", &["dynamics.order = -0.5", "0 < order <= 1"]),
    ("order = 0.7", "order = 0", "10:9", &["dynamics.order = 0.0", "0 < order <= 1"]),
    ("order = 0.7", "order = 1.5", "10:9", &["dynamics.order = 1.5", "0 < order <= 1", "use order = 1.0"]),
    ("order = 0.7", "order = nan", "10:9", &["dynamics.order = nan", "0 < order <= 1"]),
    ("order = 0.7", "order = 0.7\nfriction = -1.0", "11:12", &["dynamics.friction = -1.0", ">= 0"]),
    ("order = 0.7", "order = 0.7\nfriction = inf", "11:12", &["dynamics.friction = inf", "finite"]),
    ("order = 0.7", "order = 0.7\nfriction = \" \"", "11:12", &["dynamics.friction", "the formula is empty"]),
    ("value = 0.35", "value = 0", "13:9", &["diffusivity.value = 0.0", "must be a positive finite number"]),
    ("value = 0.35", "value = -inf", "13:9", &["diffusivity.value = -inf", "must be a positive finite number"]),
    ("standard_deviation = 0.2", "standard_deviation = 0", "17:22", &["initial.standard_deviation = 0.0", "positive"]),
    ("standard_deviation = 0.2", "standard_deviation = [nan]", "17:23", &["standard_deviation[0] = nan", "finite"]),
    ("mean = [-1.0]", "mean = [inf]", "16:9", &["initial.mean[0] = inf", "finite"]),
    ("tolerance = 1e-8", "tolerance = 0", "21:13", &["method.tolerance = 0.0", "between 1e-13 and 1e-1"]),
    ("tolerance = 1e-8", "tolerance = 0.5", "21:13", &["method.tolerance = 0.5", "between 1e-13 and 1e-1"]),
    (
        "tolerance = 1e-8",
        "steps = \"adaptive\"\npropagator = \"bdf2\"",
        "21:9",
        &["method.steps = \"adaptive\"", "needs uniform steps"],
    ),
    (
        "tolerance = 1e-8",
        "steps = \"adaptive\"\nmemory = \"fft\"",
        "22:10",
        &["method.memory = \"fft\"", "adaptive steps keep their memory as exponentials"],
    ),
    ("tolerance = 1e-8", "steps = \"adaptiv\"", "21:9", &["must be a whole number or \"adaptive\""]),
    (
        "tolerance = 1e-8",
        "derivatives = [\"order\"]\nextrapolate = true",
        "21:15",
        &["method.derivatives = [\"order\"]", "one mesh"],
    ),
    ("tolerance = 1e-8", "steps = 0", "21:9", &["method.steps = 0", "between 1 and"]),
    ("tolerance = 1e-8", "grading = 0.5", "21:11", &["method.grading = 0.5", "between 1 and"]),
    ("tolerance = 1e-8", "memory_limit = \"4 gigs\"", "21:16", &["method.memory_limit = \"4 gigs\"", "4 GiB"]),
    ("tolerance = 1e-8", "memory_limit = 0", "21:16", &["method.memory_limit = 0", "positive size"]),
    // domain
    ("lower = [-2.5]", "lower = [-2.5, 0.0]", "7:9", &["domain.upper = [2.5]", "domain.lower, which has 2, not 1"]),
    ("cells = [40]", "cells = [40, 40]", "8:9", &["domain.cells = [40, 40]", "as many entries"]),
    ("cells = [40]", "cells = [0]", "8:10", &["domain.cells[0] = 0", "at least one cell"]),
    ("cells = [40]", "cells = [4000000000]", "8:9", &["domain.cells", "at most 16777216"]),
    ("lower = [-2.5]", "lower = []", "6:9", &["domain.lower = []", "one, two or three axes"]),
    ("upper = [2.5]", "upper = [-2.5]", "7:10", &["domain.upper[0] = -2.5", "must be above domain.lower[0] = -2.5"]),
    ("upper = [2.5]", "upper = [inf]", "7:10", &["domain.upper[0] = inf", "finite"]),
    ("[-2.5]\nupper = [2.5]", "[1e20]\nupper = [1.00000000000001e20]", "7:10", &["beyond double precision"]),
    ("mean = [-1.0]", "mean = [-1.0, 0.0]", "16:8", &["initial.mean = [-1.0, 0.0]", "one number per axis"]),
    ("cells = [40]", "cells = [40]\nkeep_below = nan", "9:14", &["domain.keep_below = nan", "finite"]),
    (
        "cells = [40]",
        "cells = [40]\ncomponent = \"some\"",
        "9:13",
        &["domain.component", "\"containing-start\", \"all\""],
    ),
    // times
    ("[0.1, 1.0, 10.0]", "[]", "19:11", &["time.outputs = []", "at least one output time"]),
    ("[0.1, 1.0, 10.0]", "[1.0, 0.1]", "19:17", &["time.outputs[1] = 0.1", "must increase"]),
    ("[0.1, 1.0, 10.0]", "[1.0, 1.0]", "19:17", &["time.outputs[1] = 1.0", "must increase"]),
    ("[0.1, 1.0, 10.0]", "[-1.0, 1.0]", "19:12", &["time.outputs[0] = -1.0", "not negative"]),
    ("[0.1, 1.0, 10.0]", "[0.1, nan]", "19:17", &["time.outputs[1] = nan", "finite"]),
    ("outputs = [0.1, 1.0, 10.0]", "", "18:2", &["output times are missing", "add outputs"]),
    ("10.0]", "10.0]\nend = 3.0", "20:7", &["time.end = 3.0", "not both", "remove end"]),
    ("outputs = [0.1, 1.0, 10.0]", "end = -1.0", "19:7", &["time.end = -1.0", "positive"]),
    ("outputs = [0.1, 1.0, 10.0]", "end = 1.0\ncount = 0", "20:9", &["time.count = 0", "between 1 and"]),
    ("outputs = [0.1, 1.0, 10.0]", "end = 1.0\nfirst = 2.0", "20:9", &["time.first = 2.0", "before end = 1.0"]),
    ("outputs = [0.1, 1.0, 10.0]", "end = 1.0\nspacing = \"logarithmic\"", "20:11", &["did you mean \"log\"?"]),
    // names
    ("kind = \"expression\"", "kind = \"expresion\"", "3:8", &["landscape.kind", "did you mean \"expression\"?"]),
    ("kind = \"uniform\"", "kind = \"unifrom\"", "12:8", &["did you mean \"uniform\"?", "\"coarse-grained\""]),
    ("kind = \"gaussian\"", "kind = \"delta\"", "15:8", &["initial.kind = \"delta\"", "\"point\""]),
    ("tolerance = 1e-8", "propagator = \"krilov\"", "21:14", &["did you mean \"krylov\"?", "\"spectral\""]),
    ("tolerance = 1e-8", "flux = \"Upwind\"", "21:8", &["did you mean \"upwind\"?"]),
    ("tolerance = 1e-8", "memory = \"dirct\"", "21:10", &["did you mean \"direct\"?"]),
    (
        "tolerance = 1e-8",
        "derivatives = [\"ordre\"]",
        "21:16",
        &["derivatives[0] = \"ordre\"", "did you mean \"order\"?"],
    ),
    // files
    (
        "kind = \"expression\"\nformula = \"(x^2 - 1)^2\"",
        "kind = \"grid\"\nfile = \"no.npz\"",
        "4:8",
        &["there is no file"],
    ),
    ("formula = \"(x^2 - 1)^2\"", "", "3:8", &["landscape.kind = \"expression\"", "needs the key formula"]),
    // syntax
    ("order = 0.7", "order == 0.7", "10:8", &["not valid TOML"]),
    ("order = 0.7", "order = ", "10:", &["not valid TOML"]),
    ("[domain]", "[domain", "5:", &["not valid TOML"]),
];

const NOT_AVAILABLE: &[Case] = &[
    ("kind = \"uniform\"", "kind = \"tensor\"", "12:8", &["diffusivity.kind = \"tensor\""]),
    ("tolerance = 1e-8", "propagator = \"walkers\"", "21:14", &["method.propagator = \"walkers\"", "\"krylov\""]),
    (
        "cells = [40]",
        "cells = [40]\nboundary = \"periodic\"",
        "9:12",
        &["domain.boundary = \"periodic\"", "\"no-flux\""],
    ),
    ("cells = [40]", "cells = [40]\nboundary = [\"no-flux\", \"no-flux\"]", "9:12", &["a boundary per side"]),
];

fn refuse_each(name: &str, cases: &[Case], words: &[&str]) {
    let folder = workplace(name);
    for (old, new, place, fragments) in cases {
        assert!(PROBLEM.contains(old), "{old:?} is no part of the problem");
        fs::write(folder.join("well.toml"), PROBLEM.replacen(old, new, 1)).expect("a written file");
        let output = porewalk(&folder, &["solve", "well.toml"]);
        let case = format!("{old:?} -> {new:?}");
        assert_refused(&case, &output, fragments);
        assert_refused(&case, &output, words);
        assert_refused(&case, &output, &[&format!("error: well.toml:{place}"), " | ", "^"]);
        let left: Vec<_> = fs::read_dir(&folder).expect("a readable folder").collect();
        assert_eq!(left.len(), 1, "{case}: something besides the problem file was left");
    }
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn wrong_problem_files_are_told_where_what_and_why() {
    refuse_each("wrong", WRONG_FILES, &[]);
}

#[test]
fn features_of_later_versions_are_refused_by_name() {
    refuse_each("later", NOT_AVAILABLE, &["not available in this version"]);
}

#[test]
fn mistakes_in_flags_name_the_flag() {
    let folder = workplace("flags");
    fs::write(folder.join("well.toml"), PROBLEM).expect("a written file");
    for (flag, fragments) in [
        ("dynamics.order=1.5", &["dynamics.order = 1.5", "0 < order <= 1"][..]),
        ("dynamics.ordr=0.5", &["did you mean order?"]),
        ("dynamics={order=2.0}", &["dynamics.order = 2.0"]),
        ("method.propagator=krilov", &["did you mean \"krylov\"?"]),
        ("method.propagator=walkers", &["not available in this version"]),
        ("time.outputs=[3,2]", &["time.outputs[1] = 2.0", "must increase"]),
        ("domain.cells=[1,2]", &["domain.cells = [1, 2]"]),
        ("title=5", &["must be text"]),
        ("dynamics.order.deep=1", &["dynamics.order is a value, not a table"]),
        ("dynamics=3", &["must be a table"]),
        ("dynamics.order", &["there is no ="]),
        ("=3", &["there is no key before ="]),
        ("dynamics..order=1", &["not a path of TOML keys"]),
        ("dynamics.order=", &["there is no value after ="]),
        ("extra.key=1", &["extra is not a key of a problem file"]),
    ] {
        let output = porewalk(&folder, &["solve", "well.toml", "--set", flag]);
        assert_refused(flag, &output, fragments);
        assert_refused(flag, &output, &[&format!("error: --set {flag}: ")]);
        assert!(!folder.join("results").exists(), "{flag}");
    }
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn files_that_are_no_problem_files_are_refused() {
    let folder = workplace("files");
    let solve = |name: &str| porewalk(&folder, &["solve", name]);
    assert_refused("missing", &solve("missing.toml"), &["cannot read missing.toml"]);
    assert_refused("a folder", &solve("."), &["cannot read ."]);
    fs::write(folder.join("empty.toml"), "").expect("a written file");
    assert_refused("empty", &solve("empty.toml"), &["empty.toml: landscape is missing", "add [landscape]"]);
    fs::write(folder.join("binary.toml"), b"title = 1\n\xff\xfe\x00").expect("a written file");
    assert_refused("binary", &solve("binary.toml"), &["binary.toml:2:1", "UTF-8"]);
    fs::write(folder.join("prose.toml"), "Dear solver,\nplease solve.\n").expect("a written file");
    assert_refused("prose", &solve("prose.toml"), &["prose.toml:1:", "not valid TOML"]);
    assert_eq!(fs::read_dir(&folder).expect("a readable folder").count(), 3);
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn results_of_others_are_not_touched() {
    let folder = workplace("occupied");
    fs::write(folder.join("well.toml"), PROBLEM).expect("a written file");
    fs::create_dir(folder.join("thesis")).expect("a new folder");
    fs::write(folder.join("thesis/chapter.tex"), "mine").expect("a written file");
    let output = porewalk(&folder, &["solve", "well.toml", "-o", "thesis"]);
    assert_refused("occupied", &output, &["thesis holds other files (chapter.tex)", "--force"]);
    assert_eq!(fs::read_dir(folder.join("thesis")).expect("a readable folder").count(), 1);
    fs::remove_dir_all(folder).expect("a removable folder");
}

/// A run file that is right, and wrong ones: what is replaced by what, the place, words of the message.
const RUN: &str = "[model]\nkind = \"mlp\"\nwidths = [2, 4, 2]\n[data]\nkind = \"two-moons\"\nsamples = 50\n[training]\n\
                   steps = 10\n[llc]\nchains = 4\ndraws = 30\nburn_in = 5\n";

const WRONG_RUNS: &[Case] = &[
    ("kind = \"mlp\"", "kind = \"mpl\"", "2:8", &["model.kind = \"mpl\"", "did you mean \"mlp\"?"]),
    ("kind = \"mlp\"", "kind = \"grid\"", "2:8", &["not available in this version"]),
    ("widths = [2, 4, 2]", "", "2:8", &["needs the key widths"]),
    ("widths = [2, 4, 2]", "widths = [2]", "3:10", &["inputs and the outputs"]),
    ("widths = [2, 4, 2]", "widths = [2, 0, 2]", "3:14", &["model.widths[1] = 0"]),
    ("widths = [2, 4, 2]", "widths = [3, 4, 2]", "3:10", &["3 inputs and the data 2"]),
    ("widths = [2, 4, 2]", "widths = [2, 4, 2]\nrank = 2", "4:8", &["does not use rank"]),
    ("widths = [2, 4, 2]", "widths = [2, 4, 2]\nactivation = \"relo\"", "4:14", &["did you mean \"relu\"?"]),
    ("widths = [2, 4, 2]", "widths = [2, 4, 2]\nweights = \"no.npz\"", "4:11", &["there is no file"]),
    ("kind = \"two-moons\"", "kind = \"two-moon\"", "5:8", &["did you mean \"two-moons\"?"]),
    ("samples = 50", "samples = 1", "6:11", &["data.samples = 1"]),
    ("samples = 50", "samples = 50\nnoise = -0.1", "7:9", &["data.noise = -0.1"]),
    ("samples = 50", "samples = 50\nfile = \"x.csv\"", "7:8", &["does not use file"]),
    ("steps = 10", "steps = 0", "8:9", &["training.steps = 0"]),
    ("steps = 10", "stepz = 10", "8:1", &["did you mean steps?"]),
    ("steps = 10", "steps = 10\nlearning_rate = 0.0", "9:17", &["training.learning_rate"]),
    ("steps = 10", "steps = 10\noptimizer = \"adma\"", "9:13", &["did you mean \"adam\"?"]),
    ("chains = 4", "chains = 3", "10:10", &["llc.chains = 3", "from 4"]),
    ("draws = 30", "draws = 3", "11:9", &["llc.draws = 3"]),
    ("draws = 30", "draws = 30\nsampler = \"mela\"", "12:11", &["did you mean \"mala\"?"]),
    ("draws = 30", "draws = 30\nsampler = \"mala\"\nbatch_size = 5", "13:14", &["energies of all samples"]),
    ("draws = 30", "draws = 30\ninverse_temperature = -1.0", "12:23", &["llc.inverse_temperature"]),
    ("draws = 30", "draws = 30\nlocalization = -1.0", "12:16", &["at least 0"]),
    ("draws = 30", "draws = 30\nstep_size = \"big\"", "12:13", &["positive number or \"auto\""]),
    ("draws = 30", "draws = 30\nat = [0.0]", "12:6", &["takes no coordinates"]),
    ("draws = 30", "draws = 30\nprecision = \"f16\"", "12:13", &["llc.precision = \"f16\""]),
    ("draws = 30", "draws = 30\nbox = 0.0", "12:7", &["llc.box"]),
    ("draws = 30", "draws = 30\nsweep = {}", "12:", &["a sweep needs values"]),
    ("draws = 30", "draws = 30\nsweep = { step_size = [1e-3, 0.0] }", "12:", &["llc.sweep.step_size[1]"]),
];

#[test]
fn wrong_run_files_are_told_where_what_and_why() {
    let folder = workplace("runs");
    for (old, new, place, fragments) in WRONG_RUNS {
        assert!(RUN.contains(old), "{old:?} is no part of the run");
        fs::write(folder.join("run.toml"), RUN.replacen(old, new, 1)).expect("a written file");
        let output = porewalk(&folder, &["llc", "run.toml"]);
        let case = format!("{old:?} -> {new:?}");
        assert_refused(&case, &output, fragments);
        assert_refused(&case, &output, &[&format!("error: run.toml:{place}"), " | ", "^"]);
        let left: Vec<_> = fs::read_dir(&folder).expect("a readable folder").collect();
        assert_eq!(left.len(), 1, "{case}: something besides the run file was left");
    }
    fs::write(folder.join("run.toml"), RUN).expect("a written file");
    let output = porewalk(&folder, &["llc", "run.toml"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", error_text(&output));
    assert!(text.contains("learning coefficient") && text.contains("verdict"), "{text}");
    let again = porewalk(&folder, &["llc", "run.toml", "--set", "llc.draws=40"]);
    assert_refused("occupied", &again, &["results of another problem", "--force"]);
    let report = porewalk(&folder, &["llc", "run.toml", "--json"]);
    assert!(
        serde_json::from_slice::<serde_json::Value>(&report.stdout).is_ok_and(|report| report["llc"]["value"].is_f64())
    );
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn usage_errors_and_later_commands_exit_with_status_2() {
    let folder = workplace("usage");
    for arguments in [
        &["solve"][..],
        &["sovle", "a.toml"],
        &["solve", "a.toml", "--seed", "many"],
        &["solve", "a.toml", "--threads", "0"],
        &["solve", "a.toml", "-q", "--json"],
        &["plot"],
        &[],
    ] {
        let output = porewalk(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", error_text(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let output = porewalk(&folder, &["compare", "run.toml", "--origin", "3", "-o", "x"]);
    assert_refused("compare", &output, &["compare", "not available in this version"]);
    assert_refused("plot", &porewalk(&folder, &["plot", "nowhere"]), &["cannot read nowhere"]);
    assert_refused("list", &porewalk(&folder, &["list", "scheme"]), &["did you mean \"schemes\"?"]);
    assert_eq!(fs::read_dir(&folder).expect("a readable folder").count(), 0);
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn lists_show_what_runs() {
    let folder = workplace("list");
    let output = porewalk(&folder, &["list"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    for name in [
        "harmonic",
        "double-well",
        "krylov",
        "l1",
        "bdf3",
        "l2-1sigma",
        "fft",
        "spectral",
        "contour",
        "scharfetter-gummel",
        "gaussian",
        "trajectory",
        "filter-norm",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    for name in ["tensor", "walkers"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    let help = porewalk(&folder, &["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["solve", "converge", "landscape", "llc", "diagnose", "reproduce", "plot", "list"] {
        assert!(help.contains(&format!("  {command} ")), "{command}: {help}");
    }
    assert!(!help.contains("compare"), "{help}");
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[test]
fn every_example_file_is_read_without_complaint() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(examples).expect("the examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let is_run = fs::read_to_string(&path).expect("a readable file").contains("[model]");
            let read = if is_run {
                porewalk::experiment::llc::read_run(&path, &[]).map(drop)
            } else {
                // The landscape of moons_walk.toml is there once moons_section.toml has run: any file stands for it.
                let needs = path.file_stem().is_some_and(|stem| stem == "moons_walk");
                let flags = if needs { vec![format!("landscape.file={}", path.display())] } else { Vec::new() };
                porewalk::experiment::read_problem(&path, &flags).map(drop)
            };
            assert!(read.is_ok(), "{}: {}", path.display(), read.expect_err("an error"));
            count += 1;
        }
    }
    assert!(count >= 5, "{count} examples");
}
