//! Linear layers on vectors, in register blocks of two units by four samples.
//!
//! Arrays of samples are (unit, group), a group being four samples; weights are (in, out). Sums run over units, then
//! samples, always in the same order.

use super::vector::Simd;

/// Samples in a group.
pub(super) const GROUP: usize = 4;

/// Four samples of one unit.
pub(super) type Group<V> = [V; GROUP];

/// `out` = `input` W + b.
#[inline(always)]
pub(super) fn forward<S: Simd>(
    s: S,
    groups: usize,
    input: &[Group<S::V>],
    weights: &[S::V],
    biases: &[S::V],
    out: &mut [Group<S::V>],
) {
    let outputs = biases.len();
    let paired = outputs - outputs % 2;
    for unit in (0..paired).step_by(2) {
        forward_units::<S, 2>(s, groups, unit, input, weights, biases, out);
    }
    if paired < outputs {
        forward_units::<S, 1>(s, groups, paired, input, weights, biases, out);
    }
}

#[inline(always)]
fn forward_units<S: Simd, const T: usize>(
    s: S,
    groups: usize,
    unit: usize,
    input: &[Group<S::V>],
    weights: &[S::V],
    biases: &[S::V],
    out: &mut [Group<S::V>],
) {
    let outputs = biases.len();
    for group in 0..groups {
        let mut sums = [[biases[unit]; GROUP]; T];
        for (k, sums) in sums.iter_mut().enumerate() {
            *sums = [biases[unit + k]; GROUP];
        }
        for (input, weights) in input.chunks_exact(groups).zip(weights.chunks_exact(outputs)) {
            let values = &input[group];
            for k in 0..T {
                let weight = weights[unit + k];
                for sample in 0..GROUP {
                    sums[k][sample] = s.fma(weight, values[sample], sums[k][sample]);
                }
            }
        }
        for (k, sums) in sums.iter().enumerate() {
            out[(unit + k) * groups + group] = *sums;
        }
    }
}

/// `below` = slopes in the inputs of a layer, W times the slopes in its outputs.
#[inline(always)]
pub(super) fn backward<S: Simd>(
    s: S,
    groups: usize,
    slopes: &[Group<S::V>],
    weights: &[S::V],
    inputs: usize,
    below: &mut [Group<S::V>],
) {
    let paired = inputs - inputs % 2;
    for unit in (0..paired).step_by(2) {
        backward_units::<S, 2>(s, groups, unit, slopes, weights, inputs, below);
    }
    if paired < inputs {
        backward_units::<S, 1>(s, groups, paired, slopes, weights, inputs, below);
    }
}

#[inline(always)]
fn backward_units<S: Simd, const T: usize>(
    s: S,
    groups: usize,
    unit: usize,
    slopes: &[Group<S::V>],
    weights: &[S::V],
    inputs: usize,
    below: &mut [Group<S::V>],
) {
    let outputs = weights.len() / inputs;
    let (first, rest) = weights[unit * outputs..].split_at(outputs);
    // The second row is the first again when there is only one.
    let second = if T == 2 { &rest[..outputs] } else { first };
    for group in 0..groups {
        let mut sums = [[s.splat(S::Real::default()); GROUP]; T];
        for ((slopes, first), second) in slopes.chunks_exact(groups).zip(first).zip(second) {
            let values = &slopes[group];
            for sample in 0..GROUP {
                sums[0][sample] = s.fma(*first, values[sample], sums[0][sample]);
            }
            if T == 2 {
                for sample in 0..GROUP {
                    sums[T - 1][sample] = s.fma(*second, values[sample], sums[T - 1][sample]);
                }
            }
        }
        for (k, sums) in sums.iter().enumerate() {
            below[(unit + k) * groups + group] = *sums;
        }
    }
}

/// Adds the gradient in W and b.
#[inline(always)]
pub(super) fn gradient<S: Simd>(
    s: S,
    groups: usize,
    input: &[Group<S::V>],
    slopes: &[Group<S::V>],
    weights: &mut [S::V],
    biases: &mut [S::V],
) {
    let outputs = biases.len();
    let mut inputs = input.chunks_exact(2 * groups);
    let mut rows = weights.chunks_exact_mut(2 * outputs);
    for (input, rows) in (&mut inputs).zip(&mut rows) {
        let (first, second) = input.split_at(groups);
        let (first_row, second_row) = rows.split_at_mut(outputs);
        for group in 0..groups {
            let (a, b) = (first[group], second[group]);
            let rows = first_row.iter_mut().zip(second_row.iter_mut());
            for (slopes, (one, two)) in slopes.chunks_exact(groups).zip(rows) {
                let slope = &slopes[group];
                let (mut first, mut second) = (*one, *two);
                for sample in 0..GROUP {
                    first = s.fma(a[sample], slope[sample], first);
                    second = s.fma(b[sample], slope[sample], second);
                }
                (*one, *two) = (first, second);
            }
        }
    }
    for (input, row) in inputs.remainder().chunks_exact(groups).zip(rows.into_remainder().chunks_exact_mut(outputs)) {
        for (group, values) in input.iter().enumerate() {
            for (slopes, weight) in slopes.chunks_exact(groups).zip(row.iter_mut()) {
                for sample in 0..GROUP {
                    *weight = s.fma(values[sample], slopes[group][sample], *weight);
                }
            }
        }
    }
    for (slopes, bias) in slopes.chunks_exact(groups).zip(biases) {
        let mut sums = [s.splat(S::Real::default()); GROUP];
        for slopes in slopes {
            for (sum, slope) in sums.iter_mut().zip(slopes) {
                *sum = s.add(*sum, *slope);
            }
        }
        *bias = s.add(*bias, s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3])));
    }
}
