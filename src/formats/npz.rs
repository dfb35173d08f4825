//! NumPy archives (`.npz`): named arrays in a zip file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use ndarray_npy::{NpzWriter, ReadNpyError, ReadNpyExt, ReadableElement};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive};

use crate::error::{Error, Result};

/// Largest array that is read, in elements: 2 GiB of f64.
const LARGEST_ARRAY: u64 = 1 << 28;

/// An array of any shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// Elements, last axis fastest.
    pub data: Vec<f64>,
}

/// An archive with the given arrays (name, shape, elements) as bytes: the same arrays give the same bytes.
///
/// # Panics
/// When an array's length differs from the product of its shape.
pub fn to_bytes(arrays: &[(&str, &[usize], &[f64])]) -> Result<Vec<u8>> {
    pack(arrays, CompressionMethod::Deflated, Some(6))
}

/// The same without compression: many times faster, for files that do not stay.
///
/// # Panics
/// When an array's length differs from the product of its shape.
pub fn to_bytes_stored(arrays: &[(&str, &[usize], &[f64])]) -> Result<Vec<u8>> {
    pack(arrays, CompressionMethod::Stored, None)
}

fn pack(arrays: &[(&str, &[usize], &[f64])], method: CompressionMethod, level: Option<i64>) -> Result<Vec<u8>> {
    // Time stamps would make every run's file different: all are 1980-01-01.
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .compression_level(level)
        .last_modified_time(DateTime::default());
    let mut writer = NpzWriter::new_with_options(Cursor::new(Vec::new()), options);
    for (name, shape, data) in arrays {
        let view = ArrayViewD::from_shape(IxDyn(shape), data).expect("as many elements as the shape says");
        writer.add_array(*name, &view).map_err(|reason| failed(name, &reason))?;
    }
    Ok(writer.finish().map_err(|reason| failed("the archive", &reason))?.into_inner())
}

fn failed(name: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::io("write", name, std::io::Error::other(reason.to_string()))
}

/// All numeric arrays of an archive by name: any float or integer type, C or Fortran order, stored or deflated.
///
/// # Errors
/// Names the file and the array: unreadable, not an archive, truncated, a type that is no number, too large.
pub fn read(path: &Path) -> Result<BTreeMap<String, Array>> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    let mut archive = ZipArchive::new(file).map_err(|reason| {
        Error::malformed(path, format!("not an npz archive ({reason}); write it with numpy.savez"))
    })?;
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|reason| Error::malformed(path, format!("entry {index} of the archive is damaged ({reason})")))?;
        let name = entry.name().trim_end_matches(".npy").to_string();
        let array = read_array(entry).map_err(|problem| Error::malformed(path, format!("array {name}: {problem}")))?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

fn read_array(entry: impl Read) -> std::result::Result<Array, String> {
    let limit = LARGEST_ARRAY * 8;
    let mut bytes = Vec::new();
    // The size that the entry declares may lie: what is unpacked is counted.
    entry.take(limit + 1).read_to_end(&mut bytes).map_err(|reason| format!("cannot be unpacked ({reason})"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than the limit of {LARGEST_ARRAY} elements"));
    }
    check_shape(&bytes)?;
    let attempts = [
        decode::<f64>(&bytes, |value| value),
        decode::<f32>(&bytes, f64::from),
        decode::<i64>(&bytes, |value| value as f64),
        decode::<i32>(&bytes, f64::from),
        decode::<u8>(&bytes, f64::from),
        decode::<i16>(&bytes, f64::from),
        decode::<u16>(&bytes, f64::from),
        decode::<u32>(&bytes, f64::from),
        decode::<u64>(&bytes, |value| value as f64),
        decode::<i8>(&bytes, f64::from),
    ];
    attempts
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| Err("its type is not a real number; save it as float64".into()))
}

/// `None` when the array has another type.
fn decode<T: ReadableElement + Copy>(
    bytes: &[u8],
    convert: impl Fn(T) -> f64,
) -> Option<std::result::Result<Array, String>> {
    match ArrayD::<T>::read_npy(bytes) {
        Ok(array) => {
            let shape = array.shape().to_vec();
            // Iterating an array goes in row-major order whatever its memory order is.
            Some(Ok(Array { shape, data: array.iter().map(|&value| convert(value)).collect() }))
        }
        Err(ReadNpyError::WrongDescriptor(_)) => None,
        Err(reason) => Some(Err(format!("damaged ({reason})"))),
    }
}

/// Refuses a header whose shape asks for more elements than there are bytes, before anything is allocated for it.
fn check_shape(bytes: &[u8]) -> std::result::Result<(), String> {
    let header = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    let shape =
        header.split("'shape'").nth(1).and_then(|rest| rest.split('(').nth(1)).and_then(|rest| rest.split(')').next());
    let shape = shape.ok_or("it has no NumPy header")?;
    let mut count = 1u64;
    for length in shape.split(',').map(str::trim).filter(|length| !length.is_empty()) {
        let length: u64 =
            length.trim_end_matches('L').parse().map_err(|_| format!("its shape ({shape}) is not readable"))?;
        count = count.checked_mul(length).ok_or_else(|| format!("its shape ({shape}) overflows"))?;
    }
    if count > bytes.len() as u64 {
        return Err(format!(
            "truncated: its shape ({shape}) asks for {count} elements but there are {} bytes",
            bytes.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(name: &str, bytes: &[u8]) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("porewalk-npz-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    }

    #[test]
    fn arrays_come_back_and_bytes_repeat() {
        let data = [1.0, -2.5, f64::NAN, 1e-300, 5.0, 6.0];
        let bytes = to_bytes(&[("density", &[2, 3], &data), ("time", &[1], &[0.5])]).expect("writable");
        assert_eq!(bytes, to_bytes(&[("density", &[2, 3], &data), ("time", &[1], &[0.5])]).expect("writable"));
        let path = in_file("round.npz", &bytes);
        let arrays = read(&path).expect("readable");
        assert_eq!(arrays["density"].shape, [2, 3]);
        assert_eq!(arrays["density"].data[..2], data[..2]);
        assert!(arrays["density"].data[2].is_nan());
        assert_eq!(arrays["time"].data, [0.5]);
        std::fs::remove_file(path).expect("removable");
    }

    #[test]
    fn numpy_files_of_every_kind_are_read() {
        // Written by tests/data/numpy_written.py with NumPy itself.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy_written.npz");
        let arrays = read(&path).expect("readable");
        let expected = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        for name in ["c_float64", "fortran_float64", "float32", "int64", "int32", "uint8"] {
            assert_eq!((&arrays[name].shape[..], &arrays[name].data[..]), (&[2, 3][..], &expected[..]), "{name}");
        }
    }

    #[test]
    fn malformed_files_are_refused_with_file_and_array() {
        let good = to_bytes(&[("a", &[4], &[1.0, 2.0, 3.0, 4.0])]).expect("writable");
        let mut cases =
            vec![("empty", Vec::new()), ("text", b"hello".to_vec()), ("cut", good[..good.len() / 2].to_vec())];
        let mut flipped = good.clone();
        flipped[60] ^= 0xff;
        cases.push(("flipped", flipped));
        for (name, bytes) in cases {
            let path = in_file(name, &bytes);
            let error = read(&path).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
            std::fs::remove_file(path).expect("removable");
        }
        assert!(check_shape(b"\x93NUMPY {'descr': '<f8', 'shape': (4294967296, 4294967296), }").is_err());
        assert!(check_shape(b"\x93NUMPY {'descr': '<f8', 'shape': (1000000,), }").is_err());
    }
}
