//! Losses of samples from the outputs of the network, on vectors.

use super::functions::{exp, ln_1p, number};
use super::linear::{GROUP, Group};
use super::vector::{Real, Simd};

/// What the targets of a chunk are: (1, group) class numbers, or (output, group) values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Classes,
    Values,
}

/// Sum of the losses of `count` samples (the rest is padding); with `slopes` theirs take the place of the outputs, 0 in
/// the padding.
#[expect(clippy::too_many_arguments)] // everything is borrowed from one scratch
#[inline(always)]
pub(super) fn losses<S: Simd>(
    s: S,
    kind: Kind,
    groups: usize,
    count: usize,
    outputs: &mut [Group<S::V>],
    targets: &[Group<S::V>],
    slopes: bool,
    total: &mut [f64],
) {
    let zero = s.splat(S::Real::default());
    for group in 0..groups {
        let live = count.saturating_sub(group * GROUP).min(GROUP);
        let mut sum = zero;
        for sample in 0..live {
            let loss = match kind {
                Kind::Classes if !slopes && outputs.len() == 2 * groups => {
                    let (first, second) = (outputs[group][sample], outputs[groups + group][sample]);
                    two_classes(s, first, second, targets[group][sample])
                }
                Kind::Classes => cross_entropy(s, groups, group, sample, outputs, targets[group][sample], slopes),
                Kind::Values => squared_error(s, groups, group, sample, outputs, targets),
            };
            sum = s.add(sum, loss);
        }
        for sample in live..GROUP {
            outputs.chunks_exact_mut(groups).for_each(|row| row[group][sample] = zero);
        }
        let sum = [sum];
        let sum: &[S::Real] = pulp::bytemuck::cast_slice(&sum);
        total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum.to_f64());
    }
}

/// [`cross_entropy`] of two classes without slopes, to the same bits: the exponential of the larger output is 1.
#[inline(always)]
fn two_classes<S: Simd>(s: S, first: S::V, second: S::V, label: S::V) -> S::V {
    let top = s.max(first, second);
    let own = s.select(s.equal(label, s.splat(S::Real::default())), first, second);
    s.add(s.sub(top, own), ln_1p(s, exp(s, s.sub(s.min(first, second), top))))
}

/// As in one dimension: nothing cancels for a sample that is learnt well.
#[inline(always)]
fn cross_entropy<S: Simd>(
    s: S,
    groups: usize,
    group: usize,
    sample: usize,
    outputs: &mut [Group<S::V>],
    label: S::V,
    slopes: bool,
) -> S::V {
    let (zero, one) = (s.splat(S::Real::default()), number(s, 1.0));
    let mut top = outputs[group][sample];
    for row in outputs.chunks_exact(groups) {
        top = s.max(top, row[group][sample]);
    }
    // How many reach the top beyond one, and the sums of exp over those below it and over the other classes.
    let (mut ties, mut rest, mut others, mut own) = (number(s, -1.0), zero, zero, zero);
    let mut class = zero;
    for row in outputs.chunks_exact_mut(groups) {
        let value = row[group][sample];
        let (at_top, is_own) = (s.equal(value, top), s.equal(class, label));
        let power = exp(s, s.sub(value, top));
        ties = s.add(ties, s.keep(at_top, one));
        rest = s.add(rest, s.select(at_top, zero, power));
        others = s.add(others, s.select(is_own, zero, power));
        own = s.add(own, s.keep(is_own, value));
        row[group][sample] = power;
        class = s.add(class, one);
    }
    let beyond = s.add(rest, ties);
    let loss = s.add(s.sub(top, own), ln_1p(s, beyond));
    if !slopes {
        return loss;
    }
    let inverse = s.div(one, s.add(one, beyond));
    let wrong = s.sub(zero, others);
    let mut class = zero;
    for row in outputs.chunks_exact_mut(groups) {
        let is_own = s.equal(class, label);
        row[group][sample] = s.mul(s.select(is_own, wrong, row[group][sample]), inverse);
        class = s.add(class, one);
    }
    loss
}

#[inline(always)]
fn squared_error<S: Simd>(
    s: S,
    groups: usize,
    group: usize,
    sample: usize,
    outputs: &mut [Group<S::V>],
    targets: &[Group<S::V>],
) -> S::V {
    let mut sum = s.splat(S::Real::default());
    for (row, target) in outputs.chunks_exact_mut(groups).zip(targets.chunks_exact(groups)) {
        let slope = s.sub(row[group][sample], target[group][sample]);
        row[group][sample] = slope;
        sum = s.fma(slope, slope, sum);
    }
    s.mul(number(s, 0.5), sum)
}
