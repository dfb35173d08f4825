//! Chains that begin where other chains ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::dynamics::BlockName;
use crate::landscape::WalkerBlock;

/// Starts and ends of the chains of one estimate, block by block.
#[derive(Debug, Default)]
pub struct Relay {
    starts: BTreeMap<(usize, usize), WalkerBlock>,
    ends: Mutex<BTreeMap<(usize, usize), WalkerBlock>>,
}

impl Relay {
    /// The relay for a point that lies `shift` (length d) away from this one's: every chain begins where it has ended,
    /// moved by the shift.
    ///
    /// # Panics
    /// When `shift` has another length than the chains' points.
    pub fn passed_on(self, shift: &[f64]) -> Self {
        let mut starts = self.ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        for block in starts.values_mut() {
            let rows = block.rows_mut();
            assert_eq!(rows.len(), shift.len(), "a shift has one number per parameter");
            rows.iter_mut().zip(shift).for_each(|(row, shift)| row.iter_mut().for_each(|value| *value += shift));
        }
        Relay { starts, ends: Mutex::default() }
    }

    /// Where a block begins, if not at the point.
    pub(super) fn start(&self, name: BlockName) -> Option<WalkerBlock> {
        self.starts.get(&(name.run, name.block)).cloned()
    }

    /// Takes the end of a block.
    pub(super) fn finish(&self, name: BlockName, walkers: &WalkerBlock) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.insert((name.run, name.block), walkers.clone());
    }
}
