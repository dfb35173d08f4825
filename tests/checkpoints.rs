//! Checkpoints that PyTorch, safetensors and NumPy wrote give the numbers that NumPy has for them; what is refused says why.

#![allow(clippy::unwrap_used)] // a file that is missing must stop the test

mod support;

use std::path::{Path, PathBuf};

use porewalk::estimate::trajectory::{Gram, Trajectory, displacement};
use porewalk::formats::checkpoint::{Checkpoint, CheckpointFolder, ElementType, Selection};
use serde_json::{Value, json};
use support::numbers;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints").join(name)
}

/// A new folder, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("porewalk-checkpoints-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    /// Puts a committed file under another name.
    fn put(&self, source: &str, name: &str) -> &Self {
        let target = self.0.join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(data(source), target).unwrap();
        self
    }

    fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        std::fs::write(self.0.join(name), bytes).unwrap();
        self
    }

    fn open(&self) -> Result<CheckpointFolder, String> {
        CheckpointFolder::open(&self.0, &Selection::default()).map_err(|error| error.to_string())
    }

    fn refusal(&self) -> String {
        self.open().err().expect("refused")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn texts(array: &Value) -> Vec<String> {
    array.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_string()).collect()
}

fn patterns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn open(folder: &str, include: &[&str], exclude: &[&str], pattern: Option<&str>) -> Result<CheckpointFolder, String> {
    let selection =
        Selection { include: patterns(include), exclude: patterns(exclude), pattern: pattern.map(str::to_string) };
    CheckpointFolder::open(&data(folder), &selection).map_err(|error| error.to_string())
}

fn names(run: &CheckpointFolder) -> Vec<&str> {
    run.tensors().iter().map(|tensor| tensor.name.as_str()).collect()
}

const STATISTIC: &str = "a running statistic, no parameter";

/// A safetensors file of zeros by its header.
fn safetensors(header: &Value, bytes: usize) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes()[..], &header, &vec![0; bytes]].concat()
}

#[test]
fn every_folder_gives_the_displacement_that_numpy_computes() {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(data("expected.json")).unwrap()).unwrap();
    let folders = expected.as_object().unwrap();
    assert!(folders.len() >= 12);
    for (folder, expected) in folders {
        // NumPy counted running statistics, which a pattern takes.
        let names_of = texts(&expected["names"]);
        let has_statistics = names_of.iter().any(|name| name.contains("running_"));
        let include: Vec<&str> = names_of.iter().map(String::as_str).filter(|_| has_statistics).collect();
        let run = open(folder, &include, &[], None).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert_eq!(json!(run.steps()), expected["steps"], "{folder}");
        assert_eq!(names(&run), names_of, "{folder}");
        let shapes: Vec<&Vec<usize>> = run.tensors().iter().map(|tensor| &tensor.shape).collect();
        assert_eq!(json!(shapes), expected["shapes"], "{folder}");
        let first = numbers(&expected["first"]);
        let mut point = vec![0.0; first.len()];
        run.read(0, 0, &mut point).unwrap();
        assert_eq!(point, first, "{folder}");
        let last = run.steps().len() - 1;
        let gram = Gram::of_with(&run, 3, 2, &mut |_| Ok(())).unwrap();
        for (origin, key) in [(0, "from_first"), (last, "from_last")] {
            let expected = numbers(&expected[key]);
            let scale = expected.iter().fold(0.0f64, |scale, value| scale.max(*value));
            let streamed = displacement(&run, origin, 2).unwrap();
            for (distance, expected) in streamed.iter().zip(&expected) {
                assert!((distance - expected).abs() <= 1e-12 * scale, "{folder}: {distance} {expected}");
            }
            for (distance, expected) in gram.displacement(origin).iter().zip(&expected) {
                // Products lose digits only where points are nearly equal.
                assert!((distance - expected).abs() <= 1e-7 * scale, "{folder}: {distance} {expected}");
            }
        }
    }
}

#[test]
fn parameters_come_in_any_pieces() {
    for folder in ["torch/views", "npz/deflated", "npz/stored", "safetensors/sharded"] {
        let run = open(folder, &[], &[], None).unwrap();
        let mut whole = vec![0.0; run.dimension()];
        run.read(2, 0, &mut whole).unwrap();
        for length in [1, 7, 64] {
            let mut first = run.dimension();
            while first > 0 {
                let start = first.saturating_sub(length);
                let mut piece = vec![0.0; first - start];
                Trajectory::read(&run, 2, start, &mut piece).unwrap();
                assert_eq!(piece, whole[start..first], "{folder}");
                first = start;
            }
        }
    }
}

#[test]
fn tensors_are_chosen_by_name() {
    let all = ["embed.weight", "layers.0.bias", "layers.0.weight", "layers.2.weight", "layers.10.weight", "norm.scale"];
    let folder = "safetensors/float32";
    let chosen = |include: &[&str], exclude: &[&str]| -> Vec<String> {
        let run = open(folder, include, exclude, None).unwrap();
        names(&run).iter().map(|name| name.to_string()).collect()
    };
    assert_eq!(chosen(&[], &[]), all);
    assert_eq!(chosen(&[], &["*bias*"]), [&all[..1], &all[2..]].concat());
    assert_eq!(chosen(&["layers.*"], &["bias", "layers.10.*"]), all[2..4]);
    assert_eq!(chosen(&["layers.?.weight"], &[]), all[2..4]);
    assert_eq!(chosen(&["weight"], &["embed*"]), all[2..5]);
    // Counters are no weights: only their very name takes them.
    assert_eq!(chosen(&["norm.*"], &[]), ["norm.scale"]);
    assert_eq!(chosen(&["num_batches_tracked"], &[]), ["norm.num_batches_tracked"]);
    let run = open(folder, &[], &["bias"], None).unwrap();
    let reasons: Vec<(&str, &str)> =
        run.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())).collect();
    assert_eq!(reasons, [("layers.0.bias", "excluded"), ("norm.num_batches_tracked", STATISTIC)]);
    for (include, exclude, expected) in [
        (&["wieght"][..], &[][..], "include = wieght: fits no tensor of"),
        (&[], &["biases"], "exclude = biases: fits no tensor of"),
        (&[], &["*"], "no parameter is left to read"),
        (&["norm.num*"], &[], "norm.num_batches_tracked (whole numbers)"),
    ] {
        let error = open(folder, include, exclude, None).err().unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn running_statistics_are_no_parameters() {
    let scratch = Scratch::new("statistics");
    let names_of =
        ["bn.bias", "bn.num_batches_tracked", "bn.running_mean", "bn.running_var", "bn.weight", "running_mean"];
    let header: serde_json::Map<String, Value> = names_of
        .iter()
        .enumerate()
        .map(|(k, name)| {
            (name.to_string(), json!({"dtype": "F32", "shape": [3], "data_offsets": [12 * k, 12 * k + 12]}))
        })
        .collect();
    scratch.write("step_1.safetensors", &safetensors(&Value::Object(header), 72));
    let run = scratch.open().unwrap();
    assert_eq!((names(&run), run.dimension()), (vec!["bn.bias", "bn.weight"], 6));
    let left: Vec<&str> = run.skipped().iter().map(|skipped| skipped.name.as_str()).collect();
    assert_eq!(left, ["bn.num_batches_tracked", "bn.running_mean", "bn.running_var", "running_mean"]);
    assert!(run.skipped().iter().all(|skipped| skipped.reason == STATISTIC), "{:?}", run.skipped());
    let selection = Selection { include: patterns(&["weight", "bn.running_*"]), ..Selection::default() };
    let run = CheckpointFolder::open(&scratch.0, &selection).unwrap();
    assert_eq!(names(&run), ["bn.running_mean", "bn.running_var", "bn.weight"]);
}

#[test]
fn tied_weights_are_noted() {
    let tied = |run: &CheckpointFolder| -> Vec<String> {
        run.notes().iter().filter(|note| note.contains("tied weights")).cloned().collect()
    };
    let run = open("torch/nested", &[], &[], None).unwrap();
    let notes = tied(&run);
    assert_eq!(notes.len(), 1, "{:?}", run.notes());
    assert!(notes[0].contains("embed.weight and head.weight share their storage"), "{}", notes[0]);
    assert!(notes[0].contains("exclude = [\"head.weight\"]"), "{}", notes[0]);
    let once = open("torch/nested", &[], &["head.weight"], None).unwrap();
    assert!(tied(&once).is_empty(), "{:?}", once.notes());
    assert!(once.dimension() < run.dimension());
    for folder in ["torch/plain", "safetensors/float32", "npz/stored", "npz/deflated"] {
        let run = open(folder, &[], &[], None).unwrap();
        assert!(tied(&run).is_empty(), "{folder}: {:?}", run.notes());
    }
}

#[test]
fn weights_are_told_from_what_lies_beside_them() {
    let run = open("torch/nested", &[], &[], None).unwrap();
    assert!(run.notes()[0].contains("under \"model\""), "{:?}", run.notes());
    assert!(run.skipped().iter().any(|skipped| skipped.name == "optimizer.state.0.momentum_buffer"));
    assert!(run.skipped().iter().any(|skipped| skipped.name == "rng" && skipped.reason == "beside the weights"));
    let momentum = open("torch/nested", &["optimizer.*"], &[], None).unwrap();
    assert!(momentum.dimension() > 0);
    assert!(names(&momentum).iter().all(|name| name.starts_with("optimizer.state.")));
    // Tied weights are two names of one storage.
    let checkpoint = Checkpoint::open(&data("torch/nested/epoch2.pt")).unwrap();
    assert_eq!(checkpoint.array("embed.weight").unwrap(), checkpoint.array("head.weight").unwrap());
    let array = checkpoint.array("norm.num_batches_tracked").unwrap();
    assert_eq!((array.shape, array.data), (vec![], vec![2.0]));
    let error = checkpoint.array("head.wieght").err().unwrap().to_string();
    assert!(error.contains("did you mean head.weight?"), "{error}");
}

#[test]
fn one_file_lists_its_tensors() {
    let checkpoint = Checkpoint::open(&data("torch/views/00010.pth")).unwrap();
    let element = |name: &str| checkpoint.tensors()[checkpoint.find(name).unwrap()].element;
    assert_eq!(element("brain"), ElementType::Bf16);
    assert_eq!(element("eight"), ElementType::F8E5M2);
    assert_eq!(element("double"), ElementType::F64);
    let expanded = checkpoint.array("expanded").unwrap();
    assert_eq!(expanded.shape, [4, 3]);
    assert!(expanded.data.chunks(3).all(|row| row[0] == row[1] && row[1] == row[2]));
    let npz = Checkpoint::open(&data("npz/stored/run1_step2.npz")).unwrap();
    assert_eq!(npz.skipped()[0].name, "words");
    assert!(npz.skipped()[0].reason.contains("<U1"), "{:?}", npz.skipped());
}

#[test]
fn steps_come_in_order_and_by_pattern() {
    let scratch = Scratch::new("order");
    let file = "torch/plain/step_2/pytorch_model.bin";
    scratch.put(file, "step_10.pt").put(file, "step_2.pt").put(file, "step_0100.pt").put(file, "notes.txt");
    let run = scratch.open().unwrap();
    assert_eq!(run.steps(), [2, 10, 100]);
    assert_eq!(run.times(), [2.0, 10.0, 100.0]);
    assert!(run.files()[0].ends_with("step_2.pt"));
    scratch.put(file, "last.pt");
    assert!(scratch.refusal().contains("last.pt: has no number in its name"), "{}", scratch.refusal());
    let selection = |pattern: &str| Selection { pattern: Some(pattern.into()), ..Selection::default() };
    let run = CheckpointFolder::open(&scratch.0, &selection(r"^step_(\d+)\.pt$")).unwrap();
    assert_eq!(run.steps(), [2, 10, 100]);
    for (pattern, expected) in [
        (r"step", "has 0 groups"),
        (r"(", "no regular expression"),
        (r"^nothing(\d+)", "no checkpoints"),
        (r"^(st)ep", "\"st\""),
    ] {
        let error = CheckpointFolder::open(&scratch.0, &selection(pattern)).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn folders_that_do_not_fit_together_are_refused_by_name() {
    let file = "safetensors/float32/step_2.safetensors";
    let bin = "torch/plain/step_2/pytorch_model.bin";
    let twice = Scratch::new("twice");
    let error = twice.put(file, "step_2.safetensors").put(bin, "step_02.pt").refusal();
    assert!(error.contains("step_2.safetensors") && error.contains("step_02.pt"), "{error}");
    assert!(error.contains("has the step 2, and so has"), "{error}");
    let mixed = Scratch::new("mixed");
    let error = mixed.put(file, "step_2/model.safetensors").put(bin, "step_2/pytorch_model.bin").refusal();
    assert!(error.contains("model.safetensors") && error.contains("pytorch_model.bin"), "{error}");
    let decimal = Scratch::new("decimal");
    assert!(decimal.put(file, "step_2_loss0.25.safetensors").refusal().contains("0.25, which is no step"));
    let power = Scratch::new("power");
    let error = power.put(file, "step_1e5.safetensors").refusal();
    assert!(error.contains("1e5, which is no step") && error.contains("give a pattern"), "{error}");
    let empty = Scratch::new("empty");
    assert!(empty.refusal().contains("no checkpoints"), "{}", empty.refusal());

    let shape = |name: &str, length: usize| {
        safetensors(
            &json!({
                name: {"dtype": "F32", "shape": [length], "data_offsets": [0, 4 * length]}
            }),
            4 * length,
        )
    };
    let differs = Scratch::new("differs");
    differs.write("step_1.safetensors", &shape("a", 2)).write("step_2.safetensors", &shape("a", 3));
    let error = differs.refusal();
    assert!(error.contains("step_2.safetensors: tensor a has the shape [3], in"), "{error}");
    assert!(error.contains("step_1.safetensors it has [2]"), "{error}");
    differs.write("step_2.safetensors", &shape("b", 2));
    let error = differs.refusal();
    assert!(error.contains("step_2.safetensors: tensor a of") && error.contains("is missing"), "{error}");

    let shards = Scratch::new("shards");
    let index = |map: Value| json!({"weight_map": map}).to_string().into_bytes();
    shards
        .write("m1.safetensors", &shape("a", 2))
        .write("x-5.safetensors.index.json", &index(json!({"a": "../m1.safetensors"})));
    assert!(shards.refusal().contains("the rule is a file of the same folder"), "{}", shards.refusal());
    shards.write("x-5.safetensors.index.json", &index(json!({"a": "m1.safetensors", "b": "m1.safetensors"})));
    assert!(shards.refusal().contains("tensor b is said to be in m1.safetensors but is not there"));
    shards.write("x-5.safetensors.index.json", &index(json!({"a": "m1.safetensors"})));
    assert_eq!(shards.open().unwrap().steps(), [5]);
}

#[test]
fn what_torch_may_hold_beyond_tensors_is_refused_by_name() {
    let before = std::env::current_dir().unwrap().join("porewalk-was-attacked");
    for (file, expected) in [
        ("attack.pt", "system is not one that a checkpoint needs; nothing was executed"),
        ("whole_module.pt", "torch.nn.modules.linear.Linear is not one that a checkpoint needs"),
        ("complex.pt", "torch.ComplexFloatStorage is not one that a checkpoint needs"),
        ("old_format.pt", "as torch.save wrote before version 1.6"),
        ("program.pt", "a TorchScript program, not a checkpoint"),
    ] {
        let error = Checkpoint::open(&data("refused").join(file)).err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains(file), "{error}");
    }
    assert!(!before.exists());
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let checkpoint = Checkpoint::open(&data("refused/nan.safetensors")).unwrap();
    assert_eq!(checkpoint.array("a").unwrap().data, [0.0; 3]);
    let error = checkpoint.array("layers.1.weight").err().unwrap().to_string();
    assert!(error.contains("nan.safetensors: tensor layers.1.weight, element 1: NaN is not a finite"), "{error}");
    let error = Checkpoint::open(&data("refused/infinite.pt")).unwrap().array("w").err().unwrap().to_string();
    assert!(error.contains("tensor w, element 1: -inf"), "{error}");
}

#[test]
fn a_file_that_is_cut_while_it_is_read_gives_an_error() {
    let scratch = Scratch::new("cut");
    scratch.put("torch/plain/step_2/pytorch_model.bin", "step_1.pt");
    let run = scratch.open().unwrap();
    scratch.write("step_1.pt", b"PK");
    let error = run.read(0, 0, &mut vec![0.0; run.dimension()]).err().unwrap().to_string();
    assert!(error.contains("step_1.pt: tensor") && error.contains("is truncated"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn many_files_do_not_hold_as_many_descriptors() {
    let scratch = Scratch::new("many");
    for step in 0..400 {
        scratch.put("npz/single/2.npy", &format!("{step}.npy"));
    }
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    let run = scratch.open().unwrap();
    assert_eq!(run.steps().len(), 400);
    let mut out = vec![0.0; run.dimension()];
    (0..400).for_each(|point| run.read(point, 0, &mut out).unwrap());
    // Other tests of this file hold some dozens.
    assert!(open_files() <= before + 256 + 60, "{} and {before} before", open_files());
    drop(run);

    // Shards count one by one: 100 checkpoints of five.
    let shards = Scratch::new("many-shards");
    for step in 0..100 {
        let file = |shard: usize| format!("{step}-{shard}.safetensors");
        for shard in 0..5 {
            let header = json!({format!("w{shard}"): {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}});
            shards.write(&file(shard), &safetensors(&header, 4));
        }
        let map: serde_json::Map<String, Value> = (0..5).map(|k| (format!("w{k}"), json!(file(k)))).collect();
        let index = json!({"weight_map": map}).to_string();
        shards.write(&format!("step_{step}.safetensors.index.json"), index.as_bytes());
    }
    let before = open_files();
    let run = shards.open().unwrap();
    assert_eq!((run.steps().len(), run.dimension()), (100, 5));
    let mut out = [1.0; 5];
    (0..100).for_each(|point| run.read(point, 0, &mut out).unwrap());
    assert_eq!(out, [0.0; 5]);
    assert!(open_files() <= before + 256 + 60, "{} and {before} before", open_files());
}
