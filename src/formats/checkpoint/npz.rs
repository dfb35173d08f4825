//! Arrays of NumPy as tensors: `.npz` archives, stored or deflated, and single `.npy` files.

use std::sync::Arc;

use super::archive::Entry;
use super::place::{Bytes, Place, needed_strides};
use super::source::Source;
use super::{Contents, Skipped, Tensor};
use crate::formats::npy::{Header, LONGEST_START};

/// The arrays of an archive. Those that hold no real numbers are skipped.
///
/// # Errors
/// Says what is wrong with which array.
pub(super) fn of_archive(
    source: &Arc<dyn Source>,
    entries: &[Entry],
    file: u32,
) -> std::result::Result<Contents, String> {
    let mut contents = Contents::default();
    for entry in entries {
        let Some(name) = entry.name.strip_suffix(".npy") else {
            let reason = "not an array of NumPy".to_string();
            contents.skipped.push(Skipped { name: entry.name.clone(), reason });
            continue;
        };
        let start = entry.start(&**source, LONGEST_START)?;
        let found = array(name, &start, entry.length, |skip| entry.bytes(skip), file);
        contents.add(found.map_err(|problem| format!("array {name}: {problem}"))?);
    }
    Ok(contents)
}

/// The one array of a file, under the name `array`.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn of_array(source: &dyn Source, file: u32) -> std::result::Result<Contents, String> {
    let mut start = vec![0; usize::try_from(source.length()).unwrap_or(usize::MAX).min(LONGEST_START)];
    source.read_at(0, &mut start).map_err(|reason| reason.to_string())?;
    let mut contents = Contents::default();
    contents.add(array("array", &start, source.length(), |skip| Bytes::Stored { offset: skip }, file)?);
    Ok(contents)
}

fn array(
    name: &str,
    start: &[u8],
    length: u64,
    bytes: impl Fn(u64) -> Bytes,
    file: u32,
) -> std::result::Result<std::result::Result<Tensor, Skipped>, String> {
    let header = Header::parse(start)?;
    let skipped = |reason: String| Ok(Err(Skipped { name: name.to_string(), reason }));
    let element = match &header.element {
        Ok(element) if header.is_big_endian && element.width() > 1 => {
            return skipped(format!("big-endian {element} is not read; save it little-endian"));
        }
        Ok(element) => *element,
        Err(kind) => return skipped(format!("its type {kind} is no real number")),
    };
    let shape = header.shape.clone();
    let needed = header.count().and_then(|count| count.checked_mul(element.width() as u64));
    let available = length - header.length as u64;
    match needed {
        None => return Err(format!("its shape {shape:?} overflows")),
        Some(needed) if needed > available => {
            return Err(format!(
                "truncated: its shape {shape:?} of {element} asks for {needed} bytes but there are {available}"
            ));
        }
        Some(needed) if needed < available => {
            return Err(format!(
                "its shape {shape:?} of {element} asks for {needed} bytes but there are {available}: it goes on after them"
            ));
        }
        Some(_) => {}
    }
    let strides = header.is_fortran.then(|| {
        let lengths = shape.iter().map(|length| *length as u64);
        lengths.scan(1u64, |next, length| Some(std::mem::replace(next, next.saturating_mul(length)))).collect()
    });
    let strides = strides.and_then(|strides| needed_strides(&shape, strides));
    let place = Place { file, bytes: bytes(header.length as u64), element, strides };
    Ok(Ok(Tensor { name: name.to_string(), shape, element, place, is_aside: false }))
}
