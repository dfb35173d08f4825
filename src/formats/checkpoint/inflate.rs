//! Reading a deflated entry of an archive from any place on, without holding it.
//!
//! Assumes:   the entry is read forwards: then every byte is unpacked once
//! Cost:      a read before the place that the last one ended at unpacks the entry again from its beginning
//! Fails when the entry is damaged, or shorter than what is asked for; its checksum is not looked at

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::source::Source;

/// Packed bytes that are read at a time.
const PIECE: usize = 1 << 14;

/// A place in a deflated entry, from which unpacking goes on.
pub(super) struct Cursor {
    /// Where the packed bytes begin in the file: what tells entries apart.
    entry: u64,
    /// Where the packed bytes end.
    end: u64,
    state: Decompress,
    input: Vec<u8>,
    /// What of `input` is used up.
    used: usize,
    /// Where the next packed bytes are read.
    next: u64,
    /// Bytes that were unpacked.
    place: u64,
}

impl Cursor {
    pub(super) fn new(entry: u64, packed: u64) -> Self {
        let state = Decompress::new(false);
        Cursor { entry, end: entry.saturating_add(packed), state, input: Vec::new(), used: 0, next: entry, place: 0 }
    }

    /// True when the bytes of this entry from `place` on can be reached forwards.
    pub(super) fn reaches(&self, entry: u64, place: u64) -> bool {
        self.entry == entry && self.place <= place
    }

    /// Fills `out` with the unpacked bytes from `place` on.
    pub(super) fn read(&mut self, source: &dyn Source, place: u64, out: &mut [u8]) -> io::Result<()> {
        let mut waste = [0; 1 << 13];
        while self.place < place {
            let length = (place - self.place).min(waste.len() as u64) as usize;
            self.unpack(source, &mut waste[..length])?;
        }
        self.unpack(source, out)
    }

    fn unpack(&mut self, source: &dyn Source, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            if self.used == self.input.len() {
                let length = self.end.saturating_sub(self.next).min(PIECE as u64) as usize;
                self.input.resize(length, 0);
                source.read_at(self.next, &mut self.input)?;
                self.next += length as u64;
                self.used = 0;
            }
            let (taken, given) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(&self.input[self.used..], out, FlushDecompress::None)
                .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason.to_string()))?;
            let (taken, given) = ((self.state.total_in() - taken) as usize, (self.state.total_out() - given) as usize);
            self.used += taken;
            self.place += given as u64;
            out = &mut out[given..];
            let is_stuck = taken == 0 && given == 0;
            if !out.is_empty() && (status == Status::StreamEnd || is_stuck) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
