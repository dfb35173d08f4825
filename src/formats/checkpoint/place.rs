//! Where the elements of a tensor lie, and how they are fetched in row-major order.
//!
//! Cost:      elements in a row: one positioned read of at most 64 KiB at a time; others: sorted by place, then read in runs
//! Fails when the file was changed after it was opened, or is damaged

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::inflate::Cursor;
use super::source::Source;
use crate::error::{Error, Result};
use crate::formats::element::ElementType;

/// Bytes of a positioned read.
const PIECE: usize = 1 << 16;
/// Elements of a strided tensor that are fetched together.
const GATHERED: usize = 1 << 16;
/// Bytes between two wanted elements up to which they are read together.
const GAP: u64 = 512;

/// A file whose tensors are read.
pub(super) struct OpenFile {
    pub(super) path: PathBuf,
    pub(super) source: Arc<dyn Source>,
    /// Where unpacking goes on; `None` when it is not kept between reads.
    cursor: Option<Mutex<Option<Box<Cursor>>>>,
}

impl OpenFile {
    pub(super) fn new(path: PathBuf, source: Arc<dyn Source>, keeps_cursor: bool) -> Self {
        OpenFile { path, source, cursor: keeps_cursor.then(|| Mutex::new(None)) }
    }
}

/// The bytes of a tensor in its file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bytes {
    /// As they are.
    Stored {
        /// Of element 0.
        offset: u64,
    },
    /// Deflated.
    Deflated {
        /// Of the packed bytes.
        offset: u64,
        /// How many packed bytes.
        packed: u64,
        /// Unpacked bytes before element 0.
        skip: u64,
    },
}

/// Where the elements of a tensor lie.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// Number of the file in its checkpoint.
    pub(super) file: u32,
    pub(super) bytes: Bytes,
    pub(super) element: ElementType,
    /// Elements from one index to the next along each axis; `None` for row-major order without gaps.
    pub(super) strides: Option<Box<[u64]>>,
}

/// Strides as [`Place`] keeps them: `None` when the elements follow one another in row-major order.
pub(super) fn needed_strides(shape: &[usize], strides: Vec<u64>) -> Option<Box<[u64]>> {
    let mut expected = 1u64;
    for (length, stride) in shape.iter().zip(&strides).rev() {
        if *length != 1 && *stride != expected {
            return Some(strides.into());
        }
        expected = expected.saturating_mul(*length as u64);
    }
    None
}

/// Number of elements, when it can be counted.
pub(super) fn count_of(shape: &[usize]) -> Option<u64> {
    // A zero anywhere makes the tensor empty, whatever the other lengths multiply to.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1u64, |count, length| count.checked_mul(*length as u64))
}

impl Place {
    /// Elements `first..first + out.len()` of the tensor in row-major order.
    ///
    /// # Errors
    /// When they cannot be read or a number is not finite; `name` stands for the tensor.
    pub(super) fn read(
        &self,
        file: &OpenFile,
        name: &str,
        shape: &[usize],
        first: usize,
        out: &mut [f64],
    ) -> Result<()> {
        let done = match &self.strides {
            None => self.read_in_a_row(file, first as u64, out),
            Some(strides) => self.gather(file, shape, strides, first as u64, out),
        };
        done.map_err(|reason| self.failure(file, name, reason))?;
        if self.element.is_float()
            && let Some(place) = first_not_finite(out)
        {
            let problem = format!(
                "tensor {name}, element {}: {} is not a finite number; leave this checkpoint or tensor out",
                first + place,
                out[place]
            );
            return Err(Error::malformed(&file.path, problem));
        }
        Ok(())
    }

    fn failure(&self, file: &OpenFile, name: &str, reason: io::Error) -> Error {
        match reason.kind() {
            io::ErrorKind::UnexpectedEof => Error::malformed(
                &file.path,
                format!("tensor {name} is truncated: the file ends before its last element"),
            ),
            io::ErrorKind::InvalidData => {
                Error::malformed(&file.path, format!("tensor {name} cannot be unpacked ({reason})"))
            }
            _ => Error::io("read", &file.path, reason),
        }
    }

    fn read_in_a_row(&self, file: &OpenFile, first: u64, out: &mut [f64]) -> io::Result<()> {
        let width = self.element.width();
        let mut piece = [0; PIECE];
        let mut place = first * width as u64;
        for part in out.chunks_mut(PIECE / width) {
            let bytes = &mut piece[..part.len() * width];
            self.fetch(file, place, bytes)?;
            self.element.decode(bytes, part);
            place += bytes.len() as u64;
        }
        Ok(())
    }

    fn gather(&self, file: &OpenFile, shape: &[usize], strides: &[u64], first: u64, out: &mut [f64]) -> io::Result<()> {
        let width = self.element.width() as u64;
        let mut index = index_of(shape, first);
        let mut run = Vec::new();
        for part in out.chunks_mut(GATHERED) {
            let mut wanted: Vec<(u64, u32)> = Vec::with_capacity(part.len());
            for number in 0..part.len() {
                let element: u64 = index.iter().zip(strides).map(|(index, stride)| index * stride).sum();
                wanted.push((element * width, number as u32));
                step(&mut index, shape);
            }
            wanted.sort_unstable();
            let mut rest = &wanted[..];
            while let Some((start, _)) = rest.first().copied() {
                let mut end = start + width;
                let mut taken = 0;
                for (place, _) in rest {
                    if *place > end + GAP || place + width - start > PIECE as u64 {
                        break;
                    }
                    end = place + width;
                    taken += 1;
                }
                let (together, left) = rest.split_at(taken);
                run.resize((end - start) as usize, 0);
                self.fetch(file, start, &mut run)?;
                for (place, number) in together {
                    let begin = (place - start) as usize;
                    let number = *number as usize;
                    self.element.decode(&run[begin..begin + width as usize], &mut part[number..=number]);
                }
                rest = left;
            }
        }
        Ok(())
    }

    /// Bytes of the tensor from `place` on, counted from element 0.
    fn fetch(&self, file: &OpenFile, place: u64, out: &mut [u8]) -> io::Result<()> {
        match self.bytes {
            Bytes::Stored { offset } => file.source.read_at(offset + place, out),
            Bytes::Deflated { offset, packed, skip } => {
                let place = place + skip;
                let Some(kept) = &file.cursor else {
                    return Cursor::new(offset, packed).read(&*file.source, place, out);
                };
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let mut cursor = kept
                    .take()
                    .filter(|cursor| cursor.reaches(offset, place))
                    .unwrap_or_else(|| Box::new(Cursor::new(offset, packed)));
                cursor.read(&*file.source, place, out)?;
                // After an error the cursor is lost and the next read begins anew.
                *kept = Some(cursor);
                Ok(())
            }
        }
    }
}

/// Index along every axis of an element in row-major order.
fn index_of(shape: &[usize], mut element: u64) -> Vec<u64> {
    let mut index = vec![0; shape.len()];
    for (place, length) in index.iter_mut().zip(shape).rev() {
        let length = (*length).max(1) as u64;
        *place = element % length;
        element /= length;
    }
    index
}

fn step(index: &mut [u64], shape: &[usize]) {
    for (place, length) in index.iter_mut().zip(shape).rev() {
        *place += 1;
        if *place < *length as u64 {
            return;
        }
        *place = 0;
    }
}

fn first_not_finite(values: &[f64]) -> Option<usize> {
    // 0 times a finite number is 0 and anything else is NaN; eight sums at a time go side by side.
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum += value * 0.0);
    }
    let total: f64 = sums.iter().sum::<f64>() + rest.iter().map(|value| value * 0.0).sum::<f64>();
    if total == 0.0 { None } else { values.iter().position(|value| !value.is_finite()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn file(bytes: Vec<u8>, keeps_cursor: bool) -> OpenFile {
        OpenFile::new("some.file".into(), Arc::new(bytes), keeps_cursor)
    }

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything")
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_found() {
        let mut values = vec![f64::MAX; 37];
        assert_eq!(first_not_finite(&values), None);
        for (place, value) in [(36, f64::NAN), (21, f64::NEG_INFINITY), (3, f64::INFINITY)] {
            values[place] = value;
            assert_eq!(first_not_finite(&values), Some(place));
        }
    }

    proptest! {
        #[test]
        fn strided_and_packed_elements_equal_the_whole_array(
            shape in prop::collection::vec(1usize..6, 0..4),
            choice in prop::collection::vec(0u64..7, 4),
            offset in 0u64..9,
            cuts in prop::collection::vec((0usize..300, 0usize..300), 1..5),
            keeps_cursor: bool,
        ) {
            let strides: Vec<u64> = choice[..shape.len()].to_vec();
            let count = count_of(&shape).expect("small") as usize;
            let reach: u64 = shape.iter().zip(&strides).map(|(n, s)| (*n as u64 - 1) * s).sum();
            let data: Vec<f32> = (0..=reach + offset).map(|k| k as f32).collect();
            let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
            // The obvious: every element by its index.
            let whole: Vec<f64> = (0..count)
                .map(|k| {
                    let index = index_of(&shape, k as u64);
                    let place: u64 = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
                    f64::from(data[(place + offset) as usize])
                })
                .collect();
            let packed = deflated(&bytes);
            let stored = Bytes::Stored { offset: 4 * offset };
            let squeezed = Bytes::Deflated { offset: 0, packed: packed.len() as u64, skip: 4 * offset };
            for (source, bytes) in [(bytes, stored), (packed, squeezed)] {
                let source = file(source, keeps_cursor);
                let strides = needed_strides(&shape, strides.clone());
                let place = Place { file: 0, bytes, element: ElementType::F32, strides };
                for (a, b) in &cuts {
                    let (a, b) = (a % (count + 1), b % (count + 1));
                    let (first, end) = (a.min(b), a.max(b));
                    let mut out = vec![0.0; end - first];
                    place.read(&source, "w", &shape, first, &mut out).expect("readable");
                    prop_assert_eq!(&out, &whole[first..end]);
                }
            }
        }
    }

    #[test]
    fn long_rows_and_columns_come_in_pieces() {
        let (rows, columns) = (700usize, 301usize);
        let data: Vec<f64> = (0..rows * columns).map(|k| k as f64).collect();
        let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        let source = file(bytes, false);
        let place = |strides: Vec<u64>, shape: &[usize]| Place {
            file: 0,
            bytes: Bytes::Stored { offset: 0 },
            element: ElementType::F64,
            strides: needed_strides(shape, strides),
        };
        let straight = place(vec![columns as u64, 1], &[rows, columns]);
        assert!(straight.strides.is_none());
        let mut out = vec![0.0; rows * columns];
        straight.read(&source, "w", &[rows, columns], 0, &mut out).expect("readable");
        assert_eq!(out, data);
        let shape = [columns, rows];
        place(vec![1, columns as u64], &shape).read(&source, "w", &shape, 0, &mut out).expect("readable");
        assert!((0..out.len()).all(|k| out[k] == data[(k % rows) * columns + k / rows]));
        let cut = straight.read(&file(vec![0; 9], false), "w", &[2], 0, &mut [0.0; 2]).expect_err("cut").to_string();
        assert_eq!(cut, "some.file: tensor w is truncated: the file ends before its last element");
    }
}
