//! Files that may be packed by gzip.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// First bytes of a gzip file.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, unpacked when it is packed. Nothing limits how many come: the caller does.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    unpacked(path, BufReader::new(file))
}

/// `source` without its packing; `path` names it in errors.
pub(super) fn unpacked<'a>(path: &Path, mut source: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    let magic_length = MAGIC.len() as u64;
    source.by_ref().take(magic_length).read_to_end(&mut head).map_err(|source| Error::io("read", path, source))?;
    let packed = head == MAGIC;
    let whole = Cursor::new(head).chain(source);
    Ok(if packed { Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(whole)))) } else { Box::new(whole) })
}

/// Packed bytes, for tests.
#[cfg(test)]
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}
