//! IDX files (`.idx3-ubyte`, `.idx1-ubyte`): the arrays of MNIST and its kin, plain or gzip.
//!
//! Two zero bytes, one byte for the type, one for the number of axes, a big-endian u32 per axis, then the elements, big-endian,
//! last axis fastest. At most as much is unpacked as the header announces, so a packed bomb costs no memory.

use std::io::Read;
use std::path::Path;

use super::gzip;
use crate::error::{Error, Result};

/// Largest array that is read, in elements: 4 GiB of f64.
const LARGEST_ARRAY: u64 = 1 << 29;
/// Bytes that are unpacked at a time; a multiple of every element's width.
const PIECE: u64 = 1 << 16;

/// Type of the elements in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// Code 0x08.
    U8,
    /// Code 0x09.
    I8,
    /// Code 0x0B.
    I16,
    /// Code 0x0C.
    I32,
    /// Code 0x0D.
    F32,
    /// Code 0x0E.
    F64,
}

impl ElementKind {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => ElementKind::U8,
            0x09 => ElementKind::I8,
            0x0b => ElementKind::I16,
            0x0c => ElementKind::I32,
            0x0d => ElementKind::F32,
            0x0e => ElementKind::F64,
            _ => return None,
        })
    }

    /// Bytes per element.
    pub fn width(self) -> usize {
        match self {
            ElementKind::U8 | ElementKind::I8 => 1,
            ElementKind::I16 => 2,
            ElementKind::I32 | ElementKind::F32 => 4,
            ElementKind::F64 => 8,
        }
    }

    /// Appends the elements of `bytes`, whose length is a multiple of the width.
    fn decode(self, bytes: &[u8], out: &mut Vec<f64>) {
        match self {
            ElementKind::U8 => out.extend(bytes.iter().map(|&byte| f64::from(byte))),
            ElementKind::I8 => out.extend(bytes.iter().map(|&byte| f64::from(byte.cast_signed()))),
            ElementKind::I16 => out.extend(words(bytes).map(|word| f64::from(i16::from_be_bytes(word)))),
            ElementKind::I32 => out.extend(words(bytes).map(|word| f64::from(i32::from_be_bytes(word)))),
            ElementKind::F32 => out.extend(words(bytes).map(|word| f64::from(f32::from_be_bytes(word)))),
            ElementKind::F64 => out.extend(words(bytes).map(f64::from_be_bytes)),
        }
    }
}

fn words<const WIDTH: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; WIDTH]> {
    bytes.chunks_exact(WIDTH).map(|word| word.try_into().expect("chunks of that width"))
}

/// An array of any shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct IdxArray {
    /// Type that the elements had in the file.
    pub kind: ElementKind,
    /// Length along each axis, at least one axis.
    pub shape: Vec<usize>,
    /// Elements, last axis fastest.
    pub data: Vec<f64>,
}

/// The array of an IDX file.
///
/// # Errors
/// Names the file: unreadable, no IDX file, an unknown type, too large, truncated, or longer than its header says.
pub fn read(path: &Path) -> Result<IdxArray> {
    parse(path, gzip::open(path)?)
}

/// The array in bytes that are held in memory; `name` stands for the file in errors.
///
/// # Errors
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<IdxArray> {
    let path = Path::new(name);
    parse(path, gzip::unpacked(path, bytes)?)
}

fn parse(path: &Path, mut source: impl Read) -> Result<IdxArray> {
    let damaged = |problem: String| Error::malformed(path, problem);
    let mut magic = [0; 4];
    source.read_exact(&mut magic).map_err(|reason| damaged(format!("not an IDX file: no header ({reason})")))?;
    let [0, 0, code, axes] = magic else {
        return Err(damaged(format!("not an IDX file: it begins with {magic:02x?}, the rule is [00, 00, type, axes]")));
    };
    let kind = ElementKind::from_code(code).ok_or_else(|| {
        damaged(format!("the element type {code:#04x} is unknown; known are 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e"))
    })?;
    if axes == 0 {
        return Err(damaged("its header has no axes; the rule is one at least".into()));
    }
    let mut lengths = vec![0; 4 * usize::from(axes)];
    source
        .read_exact(&mut lengths)
        .map_err(|reason| damaged(format!("truncated: the lengths of its {axes} axes are missing ({reason})")))?;
    let lengths: Vec<u32> = words(&lengths).map(u32::from_be_bytes).collect();
    let count = lengths
        .iter()
        .try_fold(1u64, |count, &length| count.checked_mul(u64::from(length)))
        .filter(|count| *count <= LARGEST_ARRAY)
        .ok_or_else(|| damaged(format!("its shape {lengths:?} is above the limit of {LARGEST_ARRAY} elements")))?;
    // The header may lie: memory grows with what really comes.
    let mut data = Vec::new();
    let mut left = count * kind.width() as u64;
    let mut piece = Vec::new();
    while left > 0 {
        piece.clear();
        source
            .by_ref()
            .take(left.min(PIECE))
            .read_to_end(&mut piece)
            .map_err(|reason| damaged(format!("cannot be read after element {} ({reason})", data.len())))?;
        kind.decode(&piece[..piece.len() - piece.len() % kind.width()], &mut data);
        if (piece.len() as u64) < left.min(PIECE) {
            let found = data.len();
            return Err(damaged(format!(
                "truncated: its shape {lengths:?} asks for {count} elements but there are {found}"
            )));
        }
        left -= piece.len() as u64;
    }
    piece.clear();
    source
        .take(1)
        .read_to_end(&mut piece)
        .map_err(|reason| damaged(format!("cannot be read to its end ({reason})")))?;
    if !piece.is_empty() {
        return Err(damaged(format!("it goes on after the {count} elements of its shape {lengths:?}")));
    }
    Ok(IdxArray { kind, shape: lengths.iter().map(|&length| length as usize).collect(), data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> Result<IdxArray> {
        let path = Path::new("some.idx");
        parse(path, gzip::unpacked(path, bytes)?)
    }

    fn file(code: u8, lengths: &[u32], elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, code, lengths.len() as u8];
        lengths.iter().for_each(|length| bytes.extend(length.to_be_bytes()));
        bytes.extend(elements);
        bytes
    }

    #[test]
    fn every_type_is_read_plain_and_packed() {
        let cases: [(u8, ElementKind, Vec<u8>, [f64; 2]); 6] = [
            (0x08, ElementKind::U8, vec![7, 255], [7.0, 255.0]),
            (0x09, ElementKind::I8, vec![7, 255], [7.0, -1.0]),
            (0x0b, ElementKind::I16, vec![1, 0, 255, 254], [256.0, -2.0]),
            (0x0c, ElementKind::I32, [3i32, -70_000].iter().flat_map(|x| x.to_be_bytes()).collect(), [3.0, -7e4]),
            (0x0d, ElementKind::F32, [0.5f32, -2.0].iter().flat_map(|x| x.to_be_bytes()).collect(), [0.5, -2.0]),
            (0x0e, ElementKind::F64, [0.1f64, 1e300].iter().flat_map(|x| x.to_be_bytes()).collect(), [0.1, 1e300]),
        ];
        for (code, kind, elements, expected) in cases {
            let bytes = file(code, &[2, 1], &elements);
            for bytes in [gzip::packed(&bytes), bytes] {
                let array = of(&bytes).expect("a valid file");
                assert_eq!((array.kind, array.shape, array.data), (kind, vec![2, 1], expected.to_vec()));
            }
        }
    }

    #[test]
    fn arrays_longer_than_a_piece_come_whole() {
        let elements: Vec<u8> = (0..200_003).map(|k| (k % 251) as u8).collect();
        let array = of(&gzip::packed(&file(0x08, &[200_003], &elements))).expect("a valid file");
        assert!(array.data.iter().zip(&elements).all(|(value, byte)| *value == f64::from(*byte)));
        assert_eq!(array.data.len(), elements.len());
    }

    #[test]
    fn damaged_files_are_refused_with_the_reason() {
        let good = file(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6]);
        let packed = gzip::packed(&good);
        let mut flipped = packed.clone();
        let place = flipped.len() - 6;
        flipped[place] ^= 0xff;
        let cases: [(Vec<u8>, &str); 11] = [
            (Vec::new(), "no header"),
            (b"\x89PNG1234".to_vec(), "begins with"),
            (file(0x0a, &[1], &[1]), "0x0a is unknown"),
            (file(0x08, &[], &[1]), "no axes"),
            (good[..9].to_vec(), "axes are missing"),
            (good[..14].to_vec(), "6 elements but there are 2"),
            (file(0x0c, &[2], &[0; 7]), "2 elements but there are 1"),
            ([good.clone(), vec![0]].concat(), "goes on after"),
            (file(0x08, &[u32::MAX; 3], &[0; 7]), "above the limit"),
            (packed[..packed.len() - 9].to_vec(), "some.idx"),
            (flipped, "some.idx"),
        ];
        for (bytes, expected) in cases {
            let message = of(&bytes).expect_err(expected).to_string();
            assert!(message.contains("some.idx") && message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked_beyond_its_header() {
        // 64 MiB of zeros in 64 kB, announced as ten bytes: the reader stops one byte after them.
        let bomb = gzip::packed(&file(0x08, &[10], &vec![0; 1 << 26]));
        assert!(of(&bomb).expect_err("too long").to_string().contains("goes on after the 10 elements"));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), code in 0u8..16, axes in 0u8..4) {
            let _ = of(&bytes);
            let mut framed = vec![0, 0, code, axes];
            framed.extend(&bytes);
            let _ = of(&framed);
            let mut packed = gzip::packed(&framed);
            if let Some(place) = bytes.first().map(|byte| usize::from(*byte) % packed.len()) {
                packed[place] ^= 1 << (place % 8);
            }
            let _ = of(&packed);
        }
    }
}
