//! A memory sum over shares of the cells, one thread each.
//!
//! Cells never mix in a memory sum, so the shares give the same numbers whatever their count.

use std::ops::Range;
use std::thread;

use super::MemorySum;

/// Work below this many operations is done before a second thread has begun.
const WORTH_A_THREAD: u64 = 1_000_000;

/// Memory sums over ranges of cells that together are all cells.
pub struct Sharded<'a> {
    shards: Vec<(Range<usize>, Box<dyn MemorySum + 'a>)>,
}

impl<'a> Sharded<'a> {
    /// At most `threads` shares of `size` cells, each with a sum that `make` builds for its number of cells; `None` when
    /// `make` gives none.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn new<E>(
        size: usize,
        threads: usize,
        mut make: impl FnMut(usize) -> Result<Option<Box<dyn MemorySum + 'a>>, E>,
    ) -> Result<Option<Self>, E> {
        let share = size.div_ceil(threads.max(1)).max(1);
        let mut shards = Vec::new();
        for first in (0..size).step_by(share) {
            let range = first..(first + share).min(size);
            let Some(sum) = make(range.len())? else { return Ok(None) };
            shards.push((range, sum));
        }
        Ok(Some(Sharded { shards }))
    }
}

impl MemorySum for Sharded<'_> {
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64 {
        let mut rest = out;
        let mut parts = Vec::with_capacity(self.shards.len());
        for (range, sum) in &self.shards {
            let (part, after) = rest.split_at_mut(range.len());
            parts.push((sum, part));
            rest = after;
        }
        let alone = self.flops_ahead().0 < WORTH_A_THREAD;
        let own = parts.pop();
        thread::scope(|scope| {
            for (sum, part) in parts {
                if alone {
                    sum.history(next_step, part);
                } else {
                    scope.spawn(move || sum.history(next_step, part));
                }
            }
            // Every share has the same weight for the next step.
            own.map_or(0.0, |(sum, part)| sum.history(next_step, part))
        })
    }

    fn push(&mut self, increment: &[f64], step: f64) {
        let alone = self.flops_ahead().1 < WORTH_A_THREAD;
        thread::scope(|scope| {
            for (range, sum) in &mut self.shards {
                let part = &increment[range.clone()];
                if alone {
                    sum.push(part, step);
                } else {
                    scope.spawn(move || sum.push(part, step));
                }
            }
        });
    }

    fn flops_ahead(&self) -> (u64, u64) {
        let all = self.shards.iter().map(|(_, sum)| sum.flops_ahead());
        all.fold((0, 0), |(history, push), (a, b)| (history + a, push + b))
    }

    fn flops(&self) -> u64 {
        self.shards.iter().map(|(_, sum)| sum.flops()).sum()
    }

    fn bytes(&self) -> u64 {
        self.shards.iter().map(|(_, sum)| sum.bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caputo::{ExponentialMemory, FftSum, FractionalOrder, L1};
    use crate::error::Result;

    #[test]
    fn any_number_of_shares_gives_the_same_bits() {
        let order = FractionalOrder::new(0.6).expect("valid");
        let (size, count, step) = (40_000, 129, 0.01);
        let by_fft = |cells: usize| -> Result<Option<Box<dyn MemorySum>>> {
            Ok(FftSum::new(&L1, order, cells, count, step).map(|sum| Box::new(sum) as _))
        };
        let by_exponentials = |cells: usize| -> Result<Option<Box<dyn MemorySum>>> {
            let span = (step, step * count as f64);
            Ok(ExponentialMemory::new(&L1, order, cells, span, 1e-8)?.map(|sum| Box::new(sum) as _))
        };
        type Maker<'a> = &'a dyn Fn(usize) -> Result<Option<Box<dyn MemorySum>>>;
        let makers: [Maker<'_>; 2] = [&by_fft, &by_exponentials];
        for make in makers {
            let mut results: Vec<Vec<f64>> = Vec::new();
            let mut threaded = 0;
            for threads in [1, 2, 3, 8] {
                let mut memory = Sharded::new(size, threads, make).expect("a fit").expect("a convolution");
                let mut out = vec![f64::NAN; size];
                for n in 0..count {
                    let (history, push) = memory.flops_ahead();
                    threaded += usize::from(history.max(push) >= WORTH_A_THREAD);
                    assert!(memory.history(step, &mut out) > 0.0);
                    let increment: Vec<f64> = (0..size).map(|i| ((7 * n + 3 * i) % 23) as f64 - 11.0).collect();
                    memory.push(&increment, step);
                }
                results.push(out);
            }
            assert!(threaded > 0, "no thread was tried");
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}
