//! Random numbers: one seed gives independent, named streams.
//!
//! A stream belongs to a purpose ("noise", "batches", ...) and an index (chain, network, run), never to a thread: the same
//! seed gives the same numbers for any number of threads. A stream can be left and taken up again at its position.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// One stream of random numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Stream `index` of a purpose under a seed.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut key = [0; 32];
        // FNV-1a: purposes are few and fixed names, of which no two may share a hash; a test holds them apart.
        let hash = |start: u64| {
            purpose.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
        };
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&hash(0xcbf2_9ce4_8422_2325).to_le_bytes());
        key[16..24].copy_from_slice(&hash(0x6c62_272e_07bb_0142).to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Stream(generator)
    }

    /// A number uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        self.0.sample(StandardNormal)
    }

    /// A standard exponential number.
    pub fn exponential(&mut self) -> f64 {
        -(-self.uniform()).ln_1p()
    }

    /// An integer uniform on 0..count.
    ///
    /// # Panics
    /// When `count` is 0.
    pub fn index(&mut self, count: u32) -> u32 {
        self.0.random_range(0..count)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Puts items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.0.random_range(0..=last));
        }
    }

    /// Where the stream stands.
    pub fn position(&self) -> u128 {
        self.0.get_word_pos()
    }

    /// Goes to a place that [`Stream::position`] told.
    pub fn go_to(&mut self, position: u128) {
        self.0.set_word_pos(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_index_and_repeat() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).bits();
        let all = [first(1, "noise", 0), first(2, "noise", 0), first(1, "batches", 0), first(1, "noise", 1)];
        for (place, bits) in all.iter().enumerate() {
            assert!(!all[..place].contains(bits));
        }
        assert_eq!(first(1, "noise", 1), all[3]);
    }

    #[test]
    fn a_stream_goes_on_from_its_position() {
        let mut stream = Stream::new(3, "noise", 5);
        (0..37).for_each(|_| {
            stream.normal();
        });
        let position = stream.position();
        let ahead: Vec<f64> = (0..20).map(|_| stream.normal()).collect();
        let mut again = Stream::new(3, "noise", 5);
        again.go_to(position);
        assert_eq!(ahead, (0..20).map(|_| again.normal()).collect::<Vec<_>>());
    }

    #[test]
    fn moments_are_those_of_the_laws() {
        let mut stream = Stream::new(0, "moments", 0);
        let count = 1_000_000;
        let mut sums = [0.0; 4];
        for _ in 0..count {
            let (normal, exponential) = (stream.normal(), stream.exponential());
            sums[0] += normal;
            sums[1] += normal * normal;
            sums[2] += normal.powi(4);
            sums[3] += exponential;
        }
        for (sum, (mean, deviation)) in sums.iter().zip([(0.0, 1.0), (1.0, 1.5), (3.0, 9.8), (1.0, 1.0)]) {
            let found = sum / f64::from(count);
            assert!((found - mean).abs() < 4.0 * deviation / f64::from(count).sqrt(), "{found} {mean}");
        }
    }
}
