//! A folder of checkpoints of one run as vectors of parameters, one per step.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::names::{fits, is_plain, listing};
use super::place::{Bytes, OpenFile, Place};
use super::step::StepRule;
use super::{Checkpoint, Holding, Skipped, Tensor, shards};
use crate::error::{Error, Result};

/// Extensions of checkpoints.
const EXTENSIONS: [&str; 7] = ["safetensors", "npz", "npy", "pt", "pth", "bin", "ckpt"];
/// What trainers write beside the weights into the folder of a step.
const COMPANIONS: [&str; 5] = ["optimizer", "scheduler", "scaler", "rng_state", "training_args"];
/// Last parts of names under which batch normalisation keeps what it has seen.
const STATISTICS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];
/// Pairs of tied weights that are named.
const LISTED_PAIRS: usize = 4;

/// Which files and which tensors make up a run.
///
/// Patterns may hold `*` (any characters, dots too) and `?` (one character) and fit a whole name or what follows one of its
/// dots: `bias` fits `layers.0.bias`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Tensors to take; empty for every tensor of a float type among the weights but the running statistics of batch
    /// normalisation. Whole numbers are taken only by a pattern without `*` and `?`, what lies beside the weights only by a
    /// pattern that begins with the name of its part (`ema.*`).
    pub include: Vec<String>,
    /// Tensors to leave out after all.
    pub exclude: Vec<String>,
    /// Regular expression with one group around the step number, for paths relative to the folder; files that it does not fit
    /// are left out. Without it every checkpoint counts, with the last number of its name or else of its folder's.
    pub pattern: Option<String>,
}

/// A tensor of every checkpoint of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenTensor {
    /// Name.
    pub name: String,
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// Place of its first element in the vector of parameters.
    pub first: usize,
}

/// One step.
struct Point {
    files: Vec<OpenFile>,
    /// Where each chosen tensor lies; files that were written alike share it.
    places: Arc<Vec<Place>>,
}

/// The checkpoints of a run, sorted by step. Their headers are held, their elements are read when asked for.
pub struct CheckpointFolder {
    path: PathBuf,
    files: Vec<PathBuf>,
    steps: Vec<u64>,
    times: Vec<f64>,
    points: Vec<Point>,
    chosen: Vec<ChosenTensor>,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
    dimension: usize,
}

impl CheckpointFolder {
    /// Opens every checkpoint of a folder and those in its folders (`step_10/model.safetensors`).
    ///
    /// # Errors
    /// When a name has no step or two have the same, a file cannot be read, a pattern fits nothing, or the chosen tensors
    /// differ in name or shape: names the files and the tensor.
    pub fn open(path: &Path, selection: &Selection) -> Result<Self> {
        let rule = StepRule::new(selection.pattern.as_deref()).map_err(|problem| {
            let pattern = selection.pattern.as_deref().unwrap_or("");
            Error::invalid("pattern", pattern, problem, r"write for example step_(\d+)\.pt")
        })?;
        let files = steps_of(path, &rule)?;
        let mut run = CheckpointFolder {
            path: path.to_path_buf(),
            files: Vec::with_capacity(files.len()),
            steps: Vec::with_capacity(files.len()),
            times: Vec::with_capacity(files.len()),
            points: Vec::with_capacity(files.len()),
            chosen: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
            dimension: 0,
        };
        let mut holding = Holding::default();
        for (number, (step, file)) in files.into_iter().enumerate() {
            let checkpoint = Checkpoint::open_with(&file, &mut holding)?;
            let taken =
                if number == 0 { run.choose(&checkpoint, selection)? } else { run.agree(&checkpoint, selection)? };
            let places: Vec<Place> = taken.iter().map(|tensor| tensor.place.clone()).collect();
            let places = match run.points.last() {
                Some(last) if *last.places == places => last.places.clone(),
                _ => Arc::new(places),
            };
            run.points.push(Point { files: checkpoint.files, places });
            run.files.push(file);
            run.steps.push(step);
            run.times.push(step as f64);
        }
        Ok(run)
    }

    /// Takes the tensors of the first checkpoint.
    fn choose<'a>(&mut self, checkpoint: &'a Checkpoint, selection: &Selection) -> Result<Vec<&'a Tensor>> {
        let names = || checkpoint.tensors.iter().map(|tensor| tensor.name.as_str());
        for (key, patterns) in [("include", &selection.include), ("exclude", &selection.exclude)] {
            if let Some(lost) = patterns.iter().find(|pattern| !names().any(|name| fits(pattern, name))) {
                let rule = format!("fits no tensor of {}", checkpoint.path.display());
                return Err(Error::invalid(key, lost, rule, listing(names())));
            }
        }
        self.notes = checkpoint.notes.clone();
        self.skipped = checkpoint.skipped.clone();
        let mut taken = Vec::new();
        for tensor in &checkpoint.tensors {
            match reason_against(tensor, selection) {
                Some(reason) => self.skipped.push(Skipped { name: tensor.name.clone(), reason: reason.into() }),
                None => taken.push(tensor),
            }
        }
        for tensor in &taken {
            let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
            self.chosen.push(ChosenTensor { name, shape, first: self.dimension });
            self.dimension = self.dimension.checked_add(tensor.count()).ok_or_else(|| {
                Error::malformed(&checkpoint.path, "its tensors have more elements than can be counted")
            })?;
        }
        if self.dimension == 0 {
            let reasons = self.skipped.iter().map(|skipped| format!("{} ({})", skipped.name, skipped.reason));
            let reasons: Vec<String> = reasons.collect();
            let problem = format!("no parameter is left to read; {}", listing(reasons.iter().map(String::as_str)));
            return Err(Error::malformed(&checkpoint.path, problem));
        }
        self.notes.extend(note_on_tied(&taken));
        Ok(taken)
    }

    /// The same tensors in another checkpoint.
    fn agree<'a>(&self, checkpoint: &'a Checkpoint, selection: &Selection) -> Result<Vec<&'a Tensor>> {
        let taken: Vec<&Tensor> =
            checkpoint.tensors.iter().filter(|tensor| reason_against(tensor, selection).is_none()).collect();
        let first = self.files[0].display();
        let differs = |problem: String| {
            let remedy = "every checkpoint of a run needs the same tensors: choose them by include and exclude";
            Error::malformed(&checkpoint.path, format!("{problem}; {remedy}"))
        };
        let names: HashSet<&str> = taken.iter().map(|tensor| tensor.name.as_str()).collect();
        if let Some(lost) = self.chosen.iter().find(|tensor| !names.contains(tensor.name.as_str())) {
            return Err(differs(format!("tensor {} of {first} is missing", lost.name)));
        }
        let known: HashSet<&str> = self.chosen.iter().map(|tensor| tensor.name.as_str()).collect();
        if let Some(new) = taken.iter().find(|tensor| !known.contains(tensor.name.as_str())) {
            return Err(differs(format!("tensor {} is not in {first}", new.name)));
        }
        // Both are sorted by name.
        if let Some((tensor, chosen)) = taken.iter().zip(&self.chosen).find(|(a, b)| a.shape != b.shape) {
            let (name, shape) = (&tensor.name, &tensor.shape);
            return Err(differs(format!(
                "tensor {name} has the shape {shape:?}, in {first} it has {:?}",
                chosen.shape
            )));
        }
        Ok(taken)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of every step, or the index of its shards.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The steps, increasing.
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// The steps as times.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of parameters of a point.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The tensors that make up a point, one after another, sorted by name in natural order.
    pub fn tensors(&self) -> &[ChosenTensor] {
        &self.chosen
    }

    /// What the first checkpoint holds beyond them, and why it is left out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What the reader chose where there was a choice, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Parameters `first..first + out.len()` of point number `point`.
    ///
    /// # Errors
    /// When they cannot be read, or a number is not finite: names file, tensor and element.
    ///
    /// # Panics
    /// When the point or the parameters do not exist.
    pub fn read(&self, point: usize, first: usize, out: &mut [f64]) -> Result<()> {
        assert!(first + out.len() <= self.dimension, "the parameters exist");
        let Point { files, places } = &self.points[point];
        let mut number = self.chosen.partition_point(|tensor| tensor.first <= first) - 1;
        let (mut first, mut rest) = (first, out);
        while !rest.is_empty() {
            let tensor = &self.chosen[number];
            let end = self.chosen.get(number + 1).map_or(self.dimension, |next| next.first);
            let (part, left) = rest.split_at_mut((end - first).min(rest.len()));
            let place = &places[number];
            let file = &files[place.file as usize];
            place.read(file, &tensor.name, &tensor.shape, first - tensor.first, part)?;
            (first, rest) = (end, left);
            number += 1;
        }
        Ok(())
    }
}

/// Why a tensor is not taken; `None` when it is.
fn reason_against(tensor: &Tensor, selection: &Selection) -> Option<&'static str> {
    let name = tensor.name.as_str();
    if selection.exclude.iter().any(|pattern| fits(pattern, name)) {
        return Some("excluded");
    }
    let part = name.split_once('.').map_or(name, |(part, _)| part);
    let in_part =
        |pattern: &str| pattern.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let fitting = || selection.include.iter().filter(|pattern| fits(pattern, name));
    let by_default = selection.include.is_empty();
    if !by_default && fitting().next().is_none() {
        Some("not included")
    } else if tensor.is_aside && !fitting().any(|pattern| in_part(pattern)) {
        Some("beside the weights")
    } else if by_default && STATISTICS.contains(&name.rsplit('.').next().unwrap_or(name)) {
        Some("a running statistic, no parameter")
    } else if !tensor.element.is_float() && !fitting().any(|pattern| is_plain(pattern)) {
        Some("whole numbers")
    } else {
        None
    }
}

/// The bytes that a tensor fills. Of a tensor with gaps the first element alone counts: another may lie in the gaps.
#[derive(Clone, Copy)]
struct Block<'a> {
    file: u32,
    start: u64,
    end: u64,
    name: &'a str,
}

impl Block<'_> {
    fn of(tensor: &Tensor) -> Option<Block<'_>> {
        let Place { file, bytes: Bytes::Stored { offset }, element, strides } = &tensor.place else { return None };
        let count = Some(tensor.count() as u64).filter(|count| *count > 0)?;
        let last = |strides: &[u64]| -> u64 {
            tensor.shape.iter().zip(strides).map(|(length, stride)| (*length as u64 - 1) * stride).sum()
        };
        let is_filled = strides.as_ref().is_none_or(|strides| last(strides) + 1 == count);
        let filled = if is_filled { count } else { 1 };
        let end = offset + filled * element.width() as u64;
        Some(Block { file: *file, start: *offset, end, name: &tensor.name })
    }
}

/// A sentence on chosen tensors that have elements in common; only archives of PyTorch hold such.
fn note_on_tied(taken: &[&Tensor]) -> Option<String> {
    let mut blocks: Vec<Block<'_>> = taken.iter().filter_map(|tensor| Block::of(tensor)).collect();
    blocks.sort_by_key(|block| (block.file, block.start, std::cmp::Reverse(block.end)));
    // What begins inside the block that reaches farthest so far has elements of it.
    let mut farthest = *blocks.first()?;
    let mut pairs = Vec::new();
    for block in &blocks[1..] {
        let begins_inside = block.file == farthest.file && block.start < farthest.end;
        if begins_inside {
            pairs.push((farthest.name, block.name));
        }
        if !begins_inside || block.end > farthest.end {
            farthest = *block;
        }
    }
    let (_, second) = pairs.first()?;
    let shown: Vec<String> = pairs.iter().take(LISTED_PAIRS).map(|(a, b)| format!("{a} and {b}")).collect();
    let more = pairs.len().saturating_sub(LISTED_PAIRS);
    let end = if more > 0 { format!(", and {more} more pairs") } else { String::new() };
    Some(format!(
        "tied weights count once for each of their names: {}{end} share their storage; to count them once, exclude one \
         name of each pair (exclude = [\"{second}\"])",
        shown.join(", ")
    ))
}

/// Every checkpoint of the folder by its step.
fn steps_of(folder: &Path, rule: &StepRule) -> Result<BTreeMap<u64, PathBuf>> {
    let (mut candidates, mut nested) = (Vec::new(), Vec::new());
    for (path, name, is_folder) in entries(folder)? {
        if is_folder {
            let inside = entries(&path)?.into_iter().filter(|(_, _, is_folder)| !is_folder);
            let inside: Vec<(PathBuf, String)> = inside.map(|(path, name, _)| (path, name)).collect();
            let kept = without_shards(inside)?.into_iter().filter(|(_, file)| {
                let is_companion = COMPANIONS.iter().any(|companion| file.starts_with(companion));
                matches!(rule, StepRule::Pattern(_)) || !is_companion
            });
            nested.extend(kept.map(|(path, file)| (path, format!("{name}/{file}"))));
        } else {
            candidates.push((path, name));
        }
    }
    let mut steps: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for (path, relative) in without_shards(candidates)?.into_iter().chain(nested) {
        let step = rule.step(&relative).map_err(|problem| {
            let remedy =
                r"name the checkpoints by their steps or give a pattern with a group for the step, as step_(\d+)\.pt";
            Error::invalid("checkpoint", path.display(), problem, remedy)
        })?;
        let Some(step) = step else { continue };
        if let Some(other) = steps.insert(step, path.clone()) {
            let rule = format!("has the step {step}, and so has {}", other.display());
            let remedy = "keep one of them, or give a pattern that fits one";
            return Err(Error::invalid("checkpoint", path.display(), rule, remedy));
        }
    }
    if steps.is_empty() {
        let known = EXTENSIONS.join(", .");
        return Err(Error::malformed(folder, format!("it has no checkpoints; known are .{known} and .index.json")));
    }
    Ok(steps)
}

/// What lies in a folder, by name; hidden entries are left out.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String, bool)>> {
    let failed = |source| Error::io("read", folder, source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let is_folder = path.is_dir();
        let lower = name.to_lowercase();
        let is_known = EXTENSIONS.iter().any(|known| lower.strip_suffix(known).is_some_and(|stem| stem.ends_with('.')));
        if is_folder || is_known || lower.ends_with(".index.json") {
            found.push((path, name, is_folder));
        }
    }
    found.sort();
    Ok(found)
}

/// The candidates without the shards that an index among them names.
fn without_shards(candidates: Vec<(PathBuf, String)>) -> Result<Vec<(PathBuf, String)>> {
    let mut claimed = HashSet::new();
    for (path, name) in &candidates {
        if name.ends_with(".index.json") {
            let folder = path.parent().unwrap_or(Path::new(""));
            claimed.extend(shards::read(path)?.values().map(|file| folder.join(file)));
        }
    }
    Ok(candidates.into_iter().filter(|(path, _)| !claimed.contains(path)).collect())
}
