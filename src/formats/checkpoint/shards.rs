//! The index of a checkpoint in several files (`model.safetensors.index.json`): which file holds which tensor.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;

use crate::error::{Error, Result};

/// Most bytes of an index.
const LARGEST_INDEX: u64 = 100_000_000;

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// File name by tensor name.
///
/// # Errors
/// Names the index: unreadable, damaged, or with a file outside its folder.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    let failed = |source| Error::io("read", path, source);
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST_INDEX {
        return Err(Error::malformed(path, format!("an index of {length} bytes, the limit is {LARGEST_INDEX}")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let index: Index = serde_json::from_slice(&bytes)
        .map_err(|reason| Error::malformed(path, format!("the index of shards is damaged ({reason})")))?;
    for (tensor, file) in &index.weight_map {
        let mut parts = Path::new(file).components();
        let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        if !is_plain || file.ends_with(".json") {
            let problem = format!("tensor {tensor} is said to be in {file}; the rule is a file of the same folder");
            return Err(Error::malformed(path, problem));
        }
    }
    Ok(index.weight_map)
}
