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

/// Values in ascending order. Two buffers of the sort become the result: first touches of memory cost as much as sorting.
pub(super) struct Sorted {
    /// Places in the lower 32 bits.
    items: Vec<u64>,
    /// Bits of the values.
    bits: Vec<u64>,
}

impl Sorted {
    pub(super) fn new(values: &[f64]) -> Self {
        let ends = |(low, high): (u64, u64), value: &f64| (low.min(key(*value)), high.max(key(*value)));
        let (low, high) = values.iter().fold((u64::MAX, 0), ends);
        // The 32 highest bits of the range that is used: losses close to each other differ in their last bits only.
        let shift = (64 - high.saturating_sub(low).leading_zeros()).saturating_sub(32);
        let item = |(place, value): (usize, &f64)| ((key(*value) - low) >> shift) << 32 | place as u64;
        let mut items: Vec<u64> = values.iter().enumerate().map(item).collect();
        let mut other = vec![0; items.len()];
        sort_by_upper_half(&mut items, &mut other);
        let mut bits = other;
        bits.iter_mut().zip(&items).for_each(|(bits, &item)| *bits = (values[item as u32 as usize] + 0.0).to_bits());
        if shift > 0 {
            sort_runs(&mut items, &mut bits);
        }
        Sorted { items, bits }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn value(&self, rank: usize) -> f64 {
        f64::from_bits(self.bits[rank])
    }

    fn placed(&self, rank: usize) -> Placed {
        Placed { value: self.value(rank), place: self.items[rank] as u32 }
    }

    /// Leaves out values that came from place `limit` or a later one.
    pub(super) fn keep_places_below(&mut self, limit: usize) {
        let mut kept = 0;
        for rank in 0..self.items.len() {
            if ((self.items[rank] as u32) as usize) < limit {
                (self.items[kept], self.bits[kept]) = (self.items[rank], self.bits[rank]);
                kept += 1;
            }
        }
        self.items.truncate(kept);
        self.bits.truncate(kept);
    }

    pub(super) fn ascending(&self) -> impl Iterator<Item = Placed> {
        self.items
            .iter()
            .zip(&self.bits)
            .map(|(&item, &bits)| Placed { value: f64::from_bits(bits), place: item as u32 })
    }

    /// Distances of the values from `centre`, in ascending order.
    pub(super) fn distances(&self, centre: f64) -> impl Iterator<Item = Placed> {
        let split = self.bits.partition_point(|&bits| f64::from_bits(bits) < centre);
        // The next one below the centre is `low - 1`, the next one above it `high`.
        let (mut low, mut high) = (split, split);
        std::iter::from_fn(move || {
            let take_low = if low > 0 && high < self.len() {
                centre - self.value(low - 1) < self.value(high) - centre
            } else if low > 0 || high < self.len() {
                low > 0
            } else {
                return None;
            };
            // Which half comes next is a toss-up: indices are computed, because a branch would be guessed wrongly.
            low -= usize::from(take_low);
            let item = self.placed(if take_low { low } else { high });
            high += usize::from(!take_low);
            Some(Placed { value: (item.value - centre).abs(), place: item.place })
        })
    }
}

/// Counting passes over the upper halves of the items, from the lowest digit up; `other` is overwritten.
fn sort_by_upper_half(items: &mut Vec<u64>, other: &mut Vec<u64>) {
    let mut counts = [[0u32; 1 << DIGIT]; 3];
    for item in items.iter() {
        for (counts, start) in counts.iter_mut().zip(DIGITS) {
            counts[(item >> start) as usize & ((1 << DIGIT) - 1)] += 1;
        }
    }
    for (counts, start) in counts.iter_mut().zip(DIGITS) {
        if counts.iter().any(|&count| count as usize == items.len()) {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        for &item in items.iter() {
            let slot = &mut counts[(item >> start) as usize & ((1 << DIGIT) - 1)];
            other[*slot as usize] = item;
            *slot += 1;
        }
        std::mem::swap(items, other);
    }
}

/// Sorts every run of items with equal upper halves by the bits of the values.
fn sort_runs(items: &mut [u64], bits: &mut [u64]) {
    let order = |bits: u64| key(f64::from_bits(bits));
    let mut pairs: Vec<(u64, u64)> = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let upper = items[start] >> 32;
        let length = items[start..].iter().take_while(|item| **item >> 32 == upper).count();
        let run = start..start + length;
        if length == 2 {
            if order(bits[start]) > order(bits[start + 1]) {
                items.swap(start, start + 1);
                bits.swap(start, start + 1);
            }
        } else if length > 2 && bits[run.clone()].iter().any(|other| *other != bits[start]) {
            pairs.clear();
            pairs.extend(items[run.clone()].iter().copied().zip(bits[run].iter().copied()));
            pairs.sort_unstable_by_key(|(_, bits)| order(*bits));
            for (offset, (item, value)) in pairs.iter().enumerate() {
                (items[start + offset], bits[start + offset]) = (*item, *value);
            }
        }
        start += length;
    }
}

/// Scores of the ranks 1 to `count`.
pub(super) struct NormalScores {
    count: usize,
    /// Of the lower half, the middle included; the others are the same with their signs changed.
    lower: Vec<f64>,
}

impl NormalScores {
    pub(super) fn new(count: usize) -> Self {
        let lower = (1..=count.div_ceil(2)).map(|rank| Self::score(rank as f64, count)).collect();
        NormalScores { count, lower }
    }

    /// Score of rank `before` + 1.
    fn after(&self, before: usize) -> f64 {
        if before < self.lower.len() { self.lower[before] } else { -self.lower[self.count - 1 - before] }
    }

    fn score(rank: f64, count: usize) -> f64 {
        normal_quantile((rank - 0.375) / (count as f64 + 0.25))
    }

    /// Tells place and score of every value; the values come in ascending order.
    pub(super) fn tell(&self, ascending: impl Iterator<Item = Placed>, mut out: impl FnMut(u32, f64)) {
        let mut tied: Vec<u32> = Vec::new();
        let mut last = f64::NAN;
        let mut rank = 0;
        for item in ascending {
            if item.value != last {
                self.share(rank, &mut tied, &mut out);
                last = item.value;
            }
            tied.push(item.place);
            rank += 1;
        }
        self.share(rank, &mut tied, &mut out);
    }

    /// Gives all `tied` values, whose ranks end with `end`, the score of their mean rank.
    fn share(&self, end: usize, tied: &mut Vec<u32>, out: &mut impl FnMut(u32, f64)) {
        let start = end - tied.len();
        let score = match tied.len() {
            0 => return,
            odd if odd % 2 == 1 => self.after(start + odd / 2),
            _ => Self::score((start + 1 + end) as f64 / 2.0, self.count),
        };
        tied.iter().for_each(|&place| out(place, score));
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
        let sorted = Sorted::new(values);
        assert_eq!(sorted.len(), values.len());
        assert_eq!(sorted.ascending().map(|item| item.value).collect::<Vec<_>>(), expected);
        assert!(sorted.ascending().all(|item| values[item.place as usize] == item.value));
        let centre = 0.5 * (expected[(values.len() - 1) / 2] + expected[values.len() / 2]);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
        distances.sort_by(f64::total_cmp);
        assert_eq!(sorted.distances(centre).map(|item| item.value).collect::<Vec<_>>(), distances);
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
        NormalScores::new(4)
            .tell(Sorted::new(&[2.0, -0.0, 0.0, 7.0]).ascending(), |place, score| out[place as usize] = score);
        let score = |rank: f64| normal_quantile((rank - 0.375) / 4.25);
        assert_eq!(out, [score(3.0), score(1.5), score(1.5), score(4.0)]);
    }
}
