//! Bytes that are read at any place, from a file or from memory.
//!
//! Files are never mapped: a mapped file that is cut while it is read kills the process, a positioned read returns an error.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// Bytes that are read at any place by any thread.
pub trait Source: Send + Sync {
    /// Number of bytes.
    fn length(&self) -> u64;

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// When there are not as many bytes or they cannot be read.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}

impl Source for Vec<u8> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(out.len())?))
            .and_then(|range| self.get(range));
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A file, held open or opened for every read: a run of ten thousand checkpoints must not hold as many descriptors.
pub(super) struct FileSource {
    path: PathBuf,
    length: u64,
    held: Option<File>,
}

impl FileSource {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::io("read", path, source);
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok(FileSource { path: path.to_path_buf(), length, held: Some(file) })
    }

    /// The same file without a descriptor.
    pub(super) fn released(self) -> Self {
        FileSource { held: None, ..self }
    }
}

impl Source for FileSource {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &self.held {
            Some(file) => read_exactly_at(file, offset, out),
            None => read_exactly_at(&File::open(&self.path)?, offset, out),
        }
    }
}

#[cfg(unix)]
fn read_exactly_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_exactly_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                offset += count as u64;
                out = &mut out[count..];
            }
        }
    }
    Ok(())
}

/// Where reads have no place of their own, the one place of the descriptor is guarded.
#[cfg(not(any(unix, windows)))]
fn read_exactly_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    static PLACE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = PLACE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(out)
}

/// A source read from one place on, as archives are.
pub(super) struct Reader {
    source: Arc<dyn Source>,
    place: u64,
}

impl Reader {
    pub(super) fn new(source: Arc<dyn Source>) -> Self {
        Reader { source, place: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.source.length().saturating_sub(self.place);
        let count = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.source.read_at(self.place, &mut out[..count])?;
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.source.length().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
        };
        self.place = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}
