//! Normal scores of ranks: one sort for the values and for their distances from the median.
//!
//! Formula:   z = Φ⁻¹((rank - 3/8) / (count + 1/4)), ties share the mean of their ranks
//! Assumes:   finite values, fewer than 2^32
//! Cost:      three counting passes over keys of 32 bits, then every run of equal keys is sorted by all 64 bits
//! Reference: \[Vehtari2021\]; the offsets are Blom's
//!
//! Distances from the median rise to both sides of it, so their order is a merge of the two halves and needs no sort;
//! both rankings read the same table of scores.

use super::normal::normal_quantile;

/// Bits that one counting pass sorts by.
const DIGIT: u32 = 11;
/// Where the digits of the key begin: above the place of the value.
const DIGITS: [u32; 3] = [32, 32 + DIGIT, 32 + 2 * DIGIT];

/// A value with the place that it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placed {
    pub value: f64,
    pub place: u32,
}

/// Unsigned numbers in the order of the values; both zeros are one number, because they are a tie.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | 1 << 63)
}

/// All values in ascending order.
pub(super) fn ascending(values: &[f64]) -> Vec<Placed> {
    let (low, high) =
        values.iter().map(|&value| key(value)).fold((u64::MAX, 0), |(low, high), key| (low.min(key), high.max(key)));
    // The 32 highest bits of the range that is used: losses close to each other differ in their last bits only.
    let shift = (64 - high.saturating_sub(low).leading_zeros()).saturating_sub(32);
    let mut items: Vec<u64> =
        values.iter().enumerate().map(|(place, &value)| ((key(value) - low) >> shift) << 32 | place as u64).collect();
    let mut counts = [[0u32; 1 << DIGIT]; 3];
    for item in &items {
        for (counts, start) in counts.iter_mut().zip(DIGITS) {
            counts[(item >> start) as usize & ((1 << DIGIT) - 1)] += 1;
        }
    }
    let mut other = vec![0; items.len()];
    for (counts, start) in counts.iter_mut().zip(DIGITS) {
        if counts.iter().any(|&count| count as usize == items.len()) {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        for &item in &items {
            let slot = &mut counts[(item >> start) as usize & ((1 << DIGIT) - 1)];
            other[*slot as usize] = item;
            *slot += 1;
        }
        std::mem::swap(&mut items, &mut other);
    }
    let mut sorted: Vec<Placed> =
        items.iter().map(|&item| Placed { value: values[item as u32 as usize], place: item as u32 }).collect();
    if shift > 0 {
        let mut start = 0;
        for run in items.chunk_by(|one, other| one >> 32 == other >> 32) {
            if run.len() > 1 {
                sorted[start..start + run.len()].sort_unstable_by_key(|item| key(item.value));
            }
            start += run.len();
        }
    }
    sorted
}

/// Distances of sorted values from `centre`, in ascending order.
pub(super) fn folded(sorted: &[Placed], centre: f64) -> impl Iterator<Item = Placed> {
    let split = sorted.partition_point(|item| item.value < centre);
    // The next one below the centre is `low - 1`, the next one above it `high`.
    let (mut low, mut high) = (split, split);
    std::iter::from_fn(move || {
        let take_low = if low > 0 && high < sorted.len() {
            centre - sorted[low - 1].value < sorted[high].value - centre
        } else if low + sorted.len() > high {
            low > 0
        } else {
            return None;
        };
        // Which half comes next is a toss-up: indices are computed, because a branch would be guessed wrongly.
        low -= usize::from(take_low);
        let item = sorted[if take_low { low } else { high }];
        high += usize::from(!take_low);
        Some(Placed { value: (item.value - centre).abs(), place: item.place })
    })
}

/// Scores of the ranks 1 to `count`.
pub(super) struct NormalScores {
    table: Vec<f64>,
}

impl NormalScores {
    pub(super) fn new(count: usize) -> Self {
        let mut table = vec![0.0; count];
        // Φ is symmetric: half of the scores are the others with their signs changed.
        for rank in 1..=count / 2 {
            let score = Self::score(rank as f64, count);
            table[rank - 1] = score;
            table[count - rank] = -score;
        }
        NormalScores { table }
    }

    fn score(rank: f64, count: usize) -> f64 {
        normal_quantile((rank - 0.375) / (count as f64 + 0.25))
    }

    /// Writes the score of every value to its place; the values come in ascending order.
    pub(super) fn assign(&self, ascending: impl Iterator<Item = Placed>, out: &mut [f64]) {
        let mut tied: Vec<u32> = Vec::new();
        let mut last: Option<f64> = None;
        let mut rank = 0;
        for item in ascending {
            if last == Some(item.value) {
                tied.push(item.place);
            } else {
                self.share(rank, &mut tied, out);
                last = Some(item.value);
            }
            // Right unless more ties follow.
            out[item.place as usize] = self.table[rank];
            if tied.is_empty() {
                tied.push(item.place);
            }
            rank += 1;
        }
        self.share(rank, &mut tied, out);
    }

    /// Gives all `tied` values, whose ranks end before `end`, the score of their mean rank.
    fn share(&self, end: usize, tied: &mut Vec<u32>, out: &mut [f64]) {
        if tied.len() > 1 {
            let start = end - tied.len();
            let score = if tied.len() % 2 == 1 {
                self.table[start + tied.len() / 2]
            } else {
                Self::score((start + 1 + end) as f64 / 2.0, self.table.len())
            };
            tied.iter().for_each(|&place| out[place as usize] = score);
        }
        tied.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn check(values: &[f64]) {
        let mut expected: Vec<f64> = values.to_vec();
        expected.sort_by(f64::total_cmp);
        let sorted = ascending(values);
        assert_eq!(sorted.iter().map(|item| item.value).collect::<Vec<_>>(), expected);
        assert!(sorted.iter().all(|item| values[item.place as usize] == item.value));
        let centre = 0.5 * (expected[(values.len() - 1) / 2] + expected[values.len() / 2]);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
        distances.sort_by(f64::total_cmp);
        assert_eq!(folded(&sorted, centre).map(|item| item.value).collect::<Vec<_>>(), distances);
    }

    #[test]
    fn every_kind_of_values_is_sorted() {
        let mut stream = Stream::new(7, "ranks", 0);
        let mut draw = |count: usize, map: &dyn Fn(f64) -> f64| {
            check(&(0..count).map(|_| map(stream.normal())).collect::<Vec<f64>>());
        };
        draw(5001, &|x| x);
        draw(5000, &|x| x.powi(31));
        draw(5000, &|x| 1.0 + 1e-12 * x);
        draw(5000, &|x| x.round() + 0.0);
        draw(1000, &|x| if x > 0.0 { 1.0 } else { 0.3 });
        draw(1, &|x| x);
        draw(100, &|_| 2.5);
        check(&[f64::MAX, f64::MIN, 0.0, 5e-324, -5e-324, 1.0]);
    }

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        let mut out = [0.0; 4];
        NormalScores::new(4).assign(ascending(&[2.0, -0.0, 0.0, 7.0]).into_iter(), &mut out);
        let score = |rank: f64| normal_quantile((rank - 0.375) / 4.25);
        assert_eq!(out, [score(3.0), score(1.5), score(1.5), score(4.0)]);
    }
}
