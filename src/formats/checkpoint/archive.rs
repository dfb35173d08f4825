//! Where the entries of a zip archive lie, so that they can be read by place.

use std::io::BufReader;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::inflate::Cursor;
use super::place::Bytes;
use super::source::{Reader, Source};

/// First bytes of an archive.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// An entry of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    /// Its first byte, packed or not, counted from the beginning of the file.
    pub(super) offset: u64,
    /// Bytes in the file.
    pub(super) packed: u64,
    /// Bytes that it unpacks to, as it declares.
    pub(super) length: u64,
    pub(super) is_stored: bool,
}

impl Entry {
    /// Where the bytes after the first `skip` lie.
    pub(super) fn bytes(&self, skip: u64) -> Bytes {
        if self.is_stored {
            Bytes::Stored { offset: self.offset + skip }
        } else {
            Bytes::Deflated { offset: self.offset, packed: self.packed, skip }
        }
    }

    /// The first bytes, at most `most`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn start(&self, source: &dyn Source, most: usize) -> std::result::Result<Vec<u8>, String> {
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(usize::MAX).min(most)];
        let read = if self.is_stored {
            source.read_at(self.offset, &mut bytes)
        } else {
            Cursor::new(self.offset, self.packed).read(source, 0, &mut bytes)
        };
        read.map_err(|reason| format!("entry {} cannot be read ({reason})", self.name))?;
        Ok(bytes)
    }
}

/// Every file in an archive, in its order.
///
/// # Errors
/// Says what is wrong: no archive, an entry outside the file, packed otherwise than deflated, encrypted.
pub(super) fn entries(source: &Arc<dyn Source>) -> std::result::Result<Vec<Entry>, String> {
    let mut archive = ZipArchive::new(BufReader::with_capacity(1 << 12, Reader::new(source.clone())))
        .map_err(|reason| format!("it is a damaged or truncated zip archive ({reason})"))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|reason| format!("entry {index} of the archive is damaged ({reason})"))?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().to_string();
        if entry.encrypted() {
            return Err(format!("entry {name} is encrypted; save it without a password"));
        }
        let is_stored = match entry.compression() {
            CompressionMethod::Stored => true,
            CompressionMethod::Deflated => false,
            other => return Err(format!("entry {name} is packed by {other}; known are stored and deflated")),
        };
        let (offset, packed, length) = (entry.data_start(), entry.compressed_size(), entry.size());
        if offset.checked_add(packed).is_none_or(|end| end > source.length()) {
            return Err(format!("entry {name} is truncated: it points past the end of the file"));
        }
        if is_stored && packed != length {
            return Err(format!("entry {name} is stored but declares {packed} and {length} bytes"));
        }
        // Deflate packs no byte string to less than 1/1032; what declares more lies.
        if length / 1032 > packed {
            return Err(format!("entry {name} declares {length} bytes, more than {packed} packed bytes can hold"));
        }
        found.push(Entry { name, offset, packed, length, is_stored });
    }
    Ok(found)
}
