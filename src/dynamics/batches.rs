//! Which samples a training step sees.

use crate::landscape::LANES;
use crate::math::random::Stream;

/// How the samples of a step are chosen, for every walker from its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batches {
    /// All samples in every step.
    Full,
    /// So many independent draws, with replacement.
    Draws(usize),
    /// So many of a shuffled order that goes through all samples before it is shuffled anew; the last batch of an epoch may
    /// be smaller.
    Epochs(usize),
}

/// The batches of a block of walkers, one after the other.
pub(super) struct BatchSource {
    kind: Batches,
    sample_count: u32,
    streams: [Stream; LANES],
    /// Draws of the newest batch, or the order of this epoch.
    samples: Vec<[u32; LANES]>,
    /// Samples of this epoch that are gone; the whole epoch before the first one is shuffled.
    used: usize,
    epoch_start: [u128; LANES],
}

impl BatchSource {
    /// The batches from step `step` on, with the streams where [`BatchSource::positions`] left them.
    pub(super) fn new(kind: Batches, sample_count: u32, streams: [Stream; LANES], step: u64) -> Self {
        let epoch_start = std::array::from_fn(|lane| streams[lane].position());
        let count = sample_count as usize;
        let mut source = BatchSource { kind, sample_count, streams, samples: Vec::new(), used: count, epoch_start };
        if let Batches::Epochs(size) = kind {
            let place = (step % count.div_ceil(size) as u64) as usize;
            if place > 0 {
                source.shuffle();
                source.used = place * size;
            }
        }
        source
    }

    /// Positions of the streams from which the next batch can be had again.
    pub(super) fn positions(&self) -> [u128; LANES] {
        match self.kind {
            Batches::Epochs(_) if self.used < self.sample_count as usize => self.epoch_start,
            _ => std::array::from_fn(|lane| self.streams[lane].position()),
        }
    }

    /// Samples of the next step, (draw, lane); `None`: all of them.
    pub(super) fn next_batch(&mut self) -> Option<&[[u32; LANES]]> {
        match self.kind {
            Batches::Full => None,
            Batches::Draws(size) => {
                self.samples.resize(size, [0; LANES]);
                for (lane, stream) in self.streams.iter_mut().enumerate() {
                    self.samples.iter_mut().for_each(|sample| sample[lane] = stream.index(self.sample_count));
                }
                Some(&self.samples)
            }
            Batches::Epochs(size) => {
                if self.used == self.sample_count as usize {
                    self.shuffle();
                }
                let first = self.used;
                self.used = (first + size).min(self.samples.len());
                Some(&self.samples[first..self.used])
            }
        }
    }

    /// A new order, that depends on where the streams stand alone.
    fn shuffle(&mut self) {
        self.epoch_start = std::array::from_fn(|lane| self.streams[lane].position());
        self.samples.resize(self.sample_count as usize, [0; LANES]);
        for (lane, stream) in self.streams.iter_mut().enumerate() {
            let mut order: Vec<u32> = (0..self.sample_count).collect();
            stream.shuffle(&mut order);
            self.samples.iter_mut().zip(order).for_each(|(sample, new)| sample[lane] = new);
        }
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> [Stream; LANES] {
        std::array::from_fn(|lane| Stream::new(1, "batches", lane as u64))
    }

    #[test]
    fn an_epoch_sees_every_sample_once_in_every_lane() {
        let mut source = BatchSource::new(Batches::Epochs(4), 10, streams(), 0);
        for _ in 0..3 {
            let batches: Vec<Vec<[u32; LANES]>> =
                (0..3).map(|_| source.next_batch().expect("a batch").to_vec()).collect();
            assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
            for lane in 0..LANES {
                let mut seen: Vec<u32> = batches.iter().flatten().map(|draw| draw[lane]).collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..10).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn batches_go_on_from_any_step() {
        for kind in [Batches::Draws(4), Batches::Epochs(4), Batches::Epochs(5)] {
            for left in 0..7u64 {
                let mut source = BatchSource::new(kind, 10, streams(), 0);
                (0..left).for_each(|_| {
                    source.next_batch();
                });
                let mut positioned = streams();
                positioned.iter_mut().zip(source.positions()).for_each(|(stream, place)| stream.go_to(place));
                let mut again = BatchSource::new(kind, 10, positioned, left);
                for _ in 0..8 {
                    assert_eq!(source.next_batch(), again.next_batch(), "{kind:?} after {left}");
                }
            }
        }
    }
}
