//! Checkpoints of any framework as named tensors that are read by place: safetensors, NumPy, PyTorch archives.
//!
//! ```text
//! Checkpoint::open --headers only--> Tensor (name, shape, type) --read, by positioned reads--> f64 in row-major order
//! CheckpointFolder::open --steps, selection, agreement--> one vector per step, read some parameters at a time
//! ```
//!
//! Nothing in a file is executed. What a header says is checked against the file before anything is read or allocated for it.
//! The format is told from the first bytes, not from the name.

mod archive;
mod folder;
mod inflate;
mod names;
mod npz;
mod pickle;
mod place;
mod safetensors;
mod shards;
mod source;
mod step;
mod torch;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use folder::{CheckpointFolder, ChosenTensor, Selection};
pub use source::Source;

use self::place::{OpenFile, Place};
use self::source::FileSource;
pub use super::element::ElementType;
use super::npy;
use super::npz::Array;
use crate::error::{Error, Result};

/// Largest tensor that is read whole, in elements: 2 GiB of f64.
const LARGEST_ARRAY: usize = 1 << 28;
/// Descriptors that stay open: common limits are 1024 and, on macOS, 256.
const HELD_DESCRIPTORS: usize = if cfg!(target_os = "linux") { 256 } else { 64 };
/// Files of deflated arrays whose unpacking goes on where it stopped, 60 kB each.
const HELD_CURSORS: usize = 1024;
/// Bytes by which a pickle begins.
const PICKLE_MAGIC: u8 = 0x80;

/// A named array in a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name, with the keys of nested dictionaries before it, joined by dots.
    pub name: String,
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// Type of the elements in the file.
    pub element: ElementType,
    place: Place,
    is_aside: bool,
}

impl Tensor {
    /// Number of elements.
    pub fn count(&self) -> usize {
        // Whoever made the tensor checked that the product fits the file.
        self.shape.iter().product()
    }

    /// True when it lies beside the weights (an optimiser's state, another copy of the weights) and is left out of a run's
    /// vector unless its part is asked for.
    pub fn is_aside(&self) -> bool {
        self.is_aside
    }
}

/// A part of a checkpoint that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a reader of one format found.
#[derive(Default)]
struct Contents {
    tensors: Vec<Tensor>,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
}

impl Contents {
    fn add(&mut self, found: std::result::Result<Tensor, Skipped>) {
        match found {
            Ok(tensor) => self.tensors.push(tensor),
            Err(skipped) => self.skipped.push(skipped),
        }
    }
}

/// An open checkpoint: its headers are read, its elements are not.
pub struct Checkpoint {
    path: PathBuf,
    files: Vec<OpenFile>,
    tensors: Vec<Tensor>,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Opens a file of any known format, or several by their index (`*.index.json`).
    ///
    /// # Errors
    /// Names the file and what is wrong: unreadable, of no known format, truncated, a header that lies, a pickle that asks for
    /// more than tensors.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &mut Holding::default())
    }

    fn open_with(path: &Path, holding: &mut Holding) -> Result<Self> {
        if path.extension().is_some_and(|extension| extension == "json") {
            return Self::open_shards(path, holding);
        }
        let file = FileSource::open(path)?;
        let source: Arc<dyn Source> = Arc::new(file);
        let contents = contents_of(path, &source, 0)?;
        let file = holding.keep(path.to_path_buf(), source)?;
        Self::assemble(path, vec![file], contents)
    }

    /// A checkpoint in memory; `name` stands for its file in errors.
    ///
    /// # Errors
    /// As for [`Checkpoint::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let path = Path::new(name);
        let source: Arc<dyn Source> = Arc::new(bytes);
        let contents = contents_of(path, &source, 0)?;
        Self::assemble(path, vec![OpenFile::new(path.to_path_buf(), source, true)], contents)
    }

    fn open_shards(index: &Path, holding: &mut Holding) -> Result<Self> {
        let file_of = shards::read(index)?;
        let folder = index.parent().unwrap_or(Path::new(""));
        let mut number_of: BTreeMap<&str, u32> = BTreeMap::new();
        for file in file_of.values() {
            let next = number_of.len() as u32;
            number_of.entry(file).or_insert(next);
        }
        let mut shards: Vec<(&str, u32)> = number_of.iter().map(|(file, number)| (*file, *number)).collect();
        shards.sort_unstable_by_key(|(_, number)| *number);
        let (mut files, mut all) = (Vec::new(), Contents::default());
        for (file, number) in shards {
            let path = folder.join(file);
            let source: Arc<dyn Source> = Arc::new(FileSource::open(&path)?);
            let contents = contents_of(&path, &source, number)?;
            for tensor in &contents.tensors {
                if file_of.get(&tensor.name).is_none_or(|said| said != file) {
                    let problem = format!("tensor {} is in {file} but the index does not say so", tensor.name);
                    return Err(Error::malformed(index, problem));
                }
            }
            files.push(holding.keep(path, source)?);
            all.tensors.extend(contents.tensors);
            all.skipped.extend(contents.skipped);
            all.notes.extend(contents.notes);
        }
        let found: HashSet<&str> = all.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        if let Some((name, file)) = file_of.iter().find(|(name, _)| !found.contains(name.as_str())) {
            return Err(Error::malformed(index, format!("tensor {name} is said to be in {file} but is not there")));
        }
        Self::assemble(index, files, all)
    }

    fn assemble(path: &Path, files: Vec<OpenFile>, mut contents: Contents) -> Result<Self> {
        contents.tensors.sort_by(|a, b| names::natural_order(&a.name, &b.name));
        if let Some(pair) = contents.tensors.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Error::malformed(path, format!("it holds tensor {} twice", pair[0].name)));
        }
        let Contents { tensors, skipped, notes } = contents;
        Ok(Checkpoint { path: path.to_path_buf(), files, tensors, skipped, notes })
    }

    /// The file, or the index of its shards.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every tensor of real numbers, sorted by name in natural order (`layers.2` before `layers.10`), so that the files of one
    /// run agree whatever wrote them.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// What cannot be read as real numbers.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What the reader chose where there was a choice, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of the tensor of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.tensors.iter().position(|tensor| tensor.name == name)
    }

    /// Elements `first..first + out.len()` of tensor number `tensor`, in row-major order whatever its order in the file.
    ///
    /// # Errors
    /// When they cannot be read, or a number is not finite: names file, tensor and element.
    ///
    /// # Panics
    /// When the tensor or the elements do not exist.
    pub fn read(&self, tensor: usize, first: usize, out: &mut [f64]) -> Result<()> {
        let tensor = &self.tensors[tensor];
        let rest = tensor.count().checked_sub(first).expect("the first element exists");
        assert!(out.len() <= rest, "the elements exist");
        tensor.place.read(&self.files[tensor.place.file as usize], &tensor.name, &tensor.shape, first, out)
    }

    /// The whole tensor of that name.
    ///
    /// # Errors
    /// When there is none, it has more than 2^28 elements, cannot be read or holds a number that is not finite.
    pub fn array(&self, name: &str) -> Result<Array> {
        let number = self.find(name).ok_or_else(|| {
            let known = self.tensors.iter().map(|tensor| tensor.name.as_str());
            let remedy = match crate::math::names::nearest(name, known) {
                Some(near) => format!("did you mean {near}?"),
                None => names::listing(self.tensors.iter().map(|tensor| tensor.name.as_str())),
            };
            Error::invalid("tensor", name, format!("is not in {}", self.path.display()), remedy)
        })?;
        let tensor = &self.tensors[number];
        if tensor.count() > LARGEST_ARRAY {
            let problem = format!("tensor {name} has {} elements, the limit is {LARGEST_ARRAY}", tensor.count());
            return Err(Error::malformed(&self.path, problem));
        }
        let mut data = vec![0.0; tensor.count()];
        self.read(number, 0, &mut data)?;
        Ok(Array { shape: tensor.shape.clone(), data })
    }
}

/// How much more may stay open between reads. Counted in files: a checkpoint may have many shards.
struct Holding {
    descriptors: usize,
    cursors: usize,
}

impl Default for Holding {
    fn default() -> Self {
        Holding { descriptors: HELD_DESCRIPTORS, cursors: HELD_CURSORS }
    }
}

impl Holding {
    fn keep(&mut self, path: PathBuf, source: Arc<dyn Source>) -> Result<OpenFile> {
        let source =
            if take_one(&mut self.descriptors) { source } else { Arc::new(FileSource::open(&path)?.released()) };
        Ok(OpenFile::new(path, source, take_one(&mut self.cursors)))
    }
}

/// False when none is left.
fn take_one(left: &mut usize) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

/// The tensors of one file, whose format its first bytes tell.
fn contents_of(path: &Path, source: &Arc<dyn Source>, file: u32) -> Result<Contents> {
    let mut start = [0; 6];
    let length = source.length().min(6) as usize;
    source.read_at(0, &mut start[..length]).map_err(|reason| Error::io("read", path, reason))?;
    let contents = if start.starts_with(archive::MAGIC) {
        archive::entries(source).and_then(|entries| {
            if torch::is_torch(&entries) {
                torch::of_archive(&**source, &entries, file)
            } else {
                npz::of_archive(source, &entries, file)
            }
        })
    } else if start == *npy::MAGIC {
        npz::of_array(&**source, file)
    } else if start[0] == PICKLE_MAGIC && start[1] <= 5 && start[4..] != [0, 0] {
        // As the length of a safetensors header it would be above 4 GiB.
        Err("a bare pickle, as torch.save wrote before version 1.6; write it again with torch.save(torch.load(file), file)"
            .into())
    } else {
        safetensors::of_file(&**source, file)
    };
    contents.map_err(|problem| Error::malformed(path, problem))
}
