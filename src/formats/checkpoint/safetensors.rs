//! The header of a safetensors file.
//!
//! Eight bytes for the length of the header (little-endian), a JSON object of tensors and free text, then the elements in
//! row-major order without gaps.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::place::{Bytes, Place, count_of};
use super::source::Source;
use super::{Contents, Tensor};
use crate::formats::element::ElementType;

/// Longest header, as the format has it.
const LONGEST_HEADER: u64 = 100_000_000;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The tensors of a header in its order, each name once.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries, A::Error> {
                let mut found = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    } else {
                        found.push((name, map.next_value()?));
                    }
                }
                Ok(Entries(found))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// The tensors of a file.
///
/// # Errors
/// Says what is wrong: no header, one that is too long or lies, tensors that overlap, leave gaps or end beyond the file.
pub(super) fn of_file(source: &dyn Source, file: u32) -> std::result::Result<Contents, String> {
    let mut length = [0; 8];
    let cannot = |reason: std::io::Error| reason.to_string();
    if source.length() < 8 {
        return Err("neither safetensors, npz, npy nor a torch archive: it has fewer than 8 bytes".into());
    }
    source.read_at(0, &mut length).map_err(cannot)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(format!(
            "no safetensors file: its first 8 bytes announce a header of {length} bytes, the limit is {LONGEST_HEADER}"
        ));
    }
    let start = 8 + length;
    if start > source.length() {
        let held = source.length();
        return Err(format!("truncated: its header has {length} bytes but the file only {held}"));
    }
    let mut header = vec![0; length as usize];
    source.read_at(8, &mut header).map_err(cannot)?;
    let Entries(entries) =
        serde_json::from_slice(&header).map_err(|reason| format!("its safetensors header is damaged ({reason})"))?;
    drop(header);
    let mut spans = Vec::with_capacity(entries.len());
    let mut contents = Contents::default();
    for (name, entry) in entries {
        let (begin, end) = entry.data_offsets;
        let tensor = tensor(&name, &entry, start, file).map_err(|problem| format!("tensor {name}: {problem}"))?;
        contents.tensors.push(tensor);
        spans.push((begin, end, name));
    }
    spans.sort_unstable();
    let mut next = 0;
    for (begin, end, name) in &spans {
        if *begin < next {
            return Err(format!("tensor {name} begins at byte {begin} inside another one that ends at {next}"));
        }
        if *begin > next {
            return Err(format!("bytes {next} to {begin} before tensor {name} belong to no tensor"));
        }
        next = *end;
    }
    let held = source.length() - start;
    if next > held {
        return Err(format!("truncated: its header asks for {next} bytes of elements but there are {held}"));
    }
    if next < held {
        return Err(format!("its header accounts for {next} bytes of elements but there are {held}"));
    }
    Ok(contents)
}

fn tensor(name: &str, entry: &Entry, start: u64, file: u32) -> std::result::Result<Tensor, String> {
    let element = match entry.dtype.as_str() {
        "F64" => ElementType::F64,
        "F32" => ElementType::F32,
        "F16" => ElementType::F16,
        "BF16" => ElementType::Bf16,
        "F8_E4M3" => ElementType::F8E4M3,
        "F8_E5M2" => ElementType::F8E5M2,
        "F8_E8M0" => ElementType::F8E8M0,
        "I64" => ElementType::I64,
        "I32" => ElementType::I32,
        "I16" => ElementType::I16,
        "I8" => ElementType::I8,
        "U64" => ElementType::U64,
        "U32" => ElementType::U32,
        "U16" => ElementType::U16,
        "U8" => ElementType::U8,
        "BOOL" => ElementType::Bool,
        other => return Err(format!("its type {other} is not read; save it as F32")),
    };
    let (begin, end) = entry.data_offsets;
    let shape: Option<Vec<usize>> = entry.shape.iter().map(|length| usize::try_from(*length).ok()).collect();
    let shape = shape.ok_or_else(|| format!("its shape {:?} overflows", entry.shape))?;
    let needed = count_of(&shape).and_then(|count| count.checked_mul(element.width() as u64));
    let needed = needed.ok_or_else(|| format!("its shape {shape:?} overflows"))?;
    if end.checked_sub(begin) != Some(needed) {
        return Err(format!(
            "its shape {shape:?} of {element} asks for {needed} bytes but its offsets are {begin} to {end}"
        ));
    }
    let offset = start.checked_add(begin).ok_or("its offset overflows")?;
    let place = Place { file, bytes: Bytes::Stored { offset }, element, strides: None };
    Ok(Tensor { name: name.to_string(), shape, element, place, is_aside: false })
}
