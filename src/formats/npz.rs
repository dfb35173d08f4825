//! NumPy archives (`.npz`): named arrays in a zip file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};
use ndarray_npy::NpzWriter;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive};

use super::npy::{Header, LONGEST_START};
use crate::error::{Error, Result};

/// Largest array that is read, in elements: 2 GiB of f64.
const LARGEST_ARRAY: u64 = 1 << 28;
/// Most elements of all arrays of an archive.
const LARGEST_ARCHIVE: u64 = 1 << 29;
/// Elements that are unpacked at a time.
const PIECE: u64 = 1 << 13;

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
/// Names the file and the array: unreadable, not an archive, truncated, a type that is no number, more than 2^28 elements or
/// 2^29 in all arrays.
pub fn read(path: &Path) -> Result<BTreeMap<String, Array>> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    parse(path, file)
}

/// The arrays of an archive that is held in memory; `name` stands for the file in errors.
///
/// # Errors
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Array>> {
    parse(Path::new(name), Cursor::new(bytes))
}

fn parse(path: &Path, source: impl Read + Seek) -> Result<BTreeMap<String, Array>> {
    let mut archive = ZipArchive::new(source).map_err(|reason| {
        Error::malformed(path, format!("not an npz archive ({reason}); write it with numpy.savez"))
    })?;
    let mut arrays = BTreeMap::new();
    let mut left = LARGEST_ARCHIVE;
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|reason| Error::malformed(path, format!("entry {index} of the archive is damaged ({reason})")))?;
        let name = entry.name().trim_end_matches(".npy").to_string();
        let array = read_array(entry, left.min(LARGEST_ARRAY));
        let array = array.map_err(|problem| Error::malformed(path, format!("array {name}: {problem}")))?;
        left -= array.data.len() as u64;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

/// Memory grows with what really comes, not with what the header says.
fn read_array(mut entry: impl Read, limit: u64) -> std::result::Result<Array, String> {
    let unpacked = |reason: std::io::Error| format!("cannot be unpacked ({reason})");
    // Most headers are short; what is read beyond them are elements.
    let mut start = Vec::new();
    entry.by_ref().take(128).read_to_end(&mut start).map_err(unpacked)?;
    let header = match Header::parse(&start) {
        Ok(header) => header,
        Err(_) => {
            entry.by_ref().take((LONGEST_START - 128) as u64).read_to_end(&mut start).map_err(unpacked)?;
            Header::parse(&start)?
        }
    };
    let shape = header.shape.clone();
    let element =
        header.element.clone().map_err(|kind| format!("its type {kind} is not a real number; save it as float64"))?;
    let count = header.count().ok_or_else(|| format!("its shape {shape:?} overflows"))?;
    if count > limit {
        return Err(format!("its shape {shape:?} is larger than the limit of {limit} elements"));
    }
    let mut elements = Cursor::new(&start[header.length..]).chain(entry);
    let (width, mut data, mut left) = (element.width() as u64, Vec::new(), count);
    let mut bytes = Vec::new();
    while left > 0 {
        let wanted = left.min(PIECE);
        bytes.clear();
        elements.by_ref().take(wanted * width).read_to_end(&mut bytes).map_err(unpacked)?;
        if (bytes.len() as u64) < wanted * width {
            let found = data.len() + bytes.len() / width as usize;
            return Err(format!("truncated: its shape {shape:?} asks for {count} elements but there are {found}"));
        }
        if header.is_big_endian {
            bytes.chunks_exact_mut(width as usize).for_each(<[u8]>::reverse);
        }
        let first = data.len();
        data.resize(first + wanted as usize, 0.0);
        element.decode(&bytes, &mut data[first..]);
        left -= wanted;
    }
    bytes.clear();
    elements.take(1).read_to_end(&mut bytes).map_err(unpacked)?;
    if !bytes.is_empty() {
        return Err(format!("it goes on after the {count} elements of its shape {shape:?}"));
    }
    if header.is_fortran && shape.len() > 1 {
        let array = ArrayViewD::from_shape(IxDyn(&shape).f(), &data).map_err(|reason| reason.to_string())?;
        // Iterating goes in row-major order whatever the order in memory.
        data = array.iter().copied().collect();
    }
    Ok(Array { shape, data })
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
        for (header, bytes, expected) in [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, "overflows"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }", 0, "larger than the limit"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000,), }", 80, "but there are 10"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (9,), }", 80, "goes on after the 9 elements"),
            ("{'descr': '<c16', 'fortran_order': False, 'shape': (5,), }", 80, "its type <c16 is not a real number"),
        ] {
            let length = header.len() as u16;
            let start = [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), &vec![0; bytes]].concat();
            let problem = read_array(&start[..], LARGEST_ARRAY).expect_err(expected);
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn long_headers_and_big_endian_elements_are_read() {
        let header = "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }".to_string() + &" ".repeat(300);
        let length = header.len() as u16;
        let elements: Vec<u8> = (0..6u8).flat_map(|k| f32::from(k).to_be_bytes()).collect();
        let bytes = [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), &elements].concat();
        let array = read_array(&bytes[..], LARGEST_ARRAY).expect("valid");
        assert_eq!((array.shape, array.data), (vec![2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
    }
}
