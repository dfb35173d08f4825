//! Batch normalisation on vectors: the chunk is the whole batch.

use super::functions::number;
use super::linear::{GROUP, Group};
use super::vector::Simd;
use crate::network::mlp::NORMALISATION_EPSILON;

/// Sum of (a - mean) (b - mean), or of a alone, over `count` samples: four partial sums for every 32 groups, so that
/// rounding stays small.
#[inline(always)]
fn sum_of_products<S: Simd>(s: S, count: usize, a: &[Group<S::V>], b: Option<&[Group<S::V>]>, mean: S::V) -> S::V {
    let zero = s.splat(S::Real::default());
    let mut total = zero;
    for start in (0..a.len()).step_by(32) {
        let mut part = [zero; GROUP];
        for group in start..(start + 32).min(a.len()) {
            let live = count.saturating_sub(group * GROUP).min(GROUP);
            for (sample, part) in part[..live].iter_mut().enumerate() {
                *part = match b {
                    Some(b) => s.fma(s.sub(a[group][sample], mean), s.sub(b[group][sample], mean), *part),
                    None => s.add(*part, a[group][sample]),
                };
            }
        }
        total = s.add(total, s.add(s.add(part[0], part[1]), s.add(part[2], part[3])));
    }
    total
}

/// Normalises `values` unit by unit; keeps (z - mean) / deviation and 1 / deviation for the way back.
#[inline(always)]
pub(super) fn forward<S: Simd>(
    s: S,
    count: usize,
    groups: usize,
    parameters: (&[S::V], &[S::V]),
    values: &mut [Group<S::V>],
    normalised: &mut [Group<S::V>],
    inverse_deviations: &mut [S::V],
) {
    let share = number(s, 1.0 / count as f64);
    let (scales, shifts) = parameters;
    let rows = values.chunks_exact_mut(groups).zip(normalised.chunks_exact_mut(groups));
    for (unit, (row, normalised)) in rows.enumerate() {
        let mean = s.mul(share, sum_of_products(s, count, row, None, s.splat(S::Real::default())));
        let squares = sum_of_products(s, count, row, Some(row), mean);
        let deviation = s.sqrt(s.fma(share, squares, number(s, NORMALISATION_EPSILON)));
        let inverse = s.div(number(s, 1.0), deviation);
        inverse_deviations[unit] = inverse;
        for (values, normalised) in row.iter_mut().zip(normalised) {
            for sample in 0..GROUP {
                normalised[sample] = s.mul(s.sub(values[sample], mean), inverse);
                values[sample] = s.fma(scales[unit], normalised[sample], shifts[unit]);
            }
        }
    }
}

/// From slopes in the scaled values to slopes in the values before; adds the gradient in scales and shifts.
#[expect(clippy::too_many_arguments)] // everything is borrowed from one scratch
#[inline(always)]
pub(super) fn backward<S: Simd>(
    s: S,
    count: usize,
    groups: usize,
    scales: &[S::V],
    normalised: &[Group<S::V>],
    inverse_deviations: &[S::V],
    slopes: &mut [Group<S::V>],
    gradient: &mut [S::V],
) {
    let share = number(s, 1.0 / count as f64);
    let units = scales.len();
    let (scale_slopes, shift_slopes) = gradient.split_at_mut(units);
    let rows = slopes.chunks_exact_mut(groups).zip(normalised.chunks_exact(groups));
    for (unit, (slopes, normalised)) in rows.enumerate() {
        let zero = s.splat(S::Real::default());
        let along = sum_of_products(s, count, slopes, Some(normalised), zero);
        let plain = sum_of_products(s, count, slopes, None, zero);
        scale_slopes[unit] = s.add(scale_slopes[unit], along);
        shift_slopes[unit] = s.add(shift_slopes[unit], plain);
        let (along, plain) = (s.mul(along, share), s.mul(plain, share));
        let factor = s.mul(scales[unit], inverse_deviations[unit]);
        for (group, (slopes, normalised)) in slopes.iter_mut().zip(normalised).enumerate() {
            for sample in 0..GROUP {
                let rest = s.sub(s.sub(slopes[sample], plain), s.mul(normalised[sample], along));
                let is_sample = group * GROUP + sample < count;
                slopes[sample] = if is_sample { s.mul(factor, rest) } else { s.splat(S::Real::default()) };
            }
        }
    }
}
