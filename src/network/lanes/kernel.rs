//! Loss and gradient of as many networks as a vector has numbers, one network per lane.

use pulp::bytemuck;

use super::data::LaneData;
use super::functions;
use super::linear::{self, GROUP, Group};
use super::normalisation;
use super::output;
use super::vector::{Real, Simd};
use crate::landscape::{Batch, Lanes, WalkerBlock};
use crate::network::activation::Activation;
use crate::network::mlp::Mlp;

/// Bytes of activations that a chunk of samples may take, so that they stay in the fastest cache beside the weights. For
/// 2-16-16-2 these are two groups, 6 % faster than one over 1000 samples.
const CHUNK_BYTES: usize = 10 << 10;

/// Samples after which the gradient is added up in double precision.
const SEGMENT: usize = 128;

/// Memory for scratch, aligned to a cache line.
pub(super) type Line = wide::f32x16;

/// Where the arrays of samples begin, in groups.
struct Plan {
    /// Parameters, rounded up to groups.
    parameters: usize,
    /// Groups of samples in a chunk.
    groups: usize,
    /// Rows of (unit, group) arrays: inputs, then the values of every layer.
    values: usize,
    /// Hidden units, twice: slopes of the activation (GELU only) and normalised values.
    hidden: usize,
    /// The widest layer.
    widest: usize,
    targets: usize,
}

impl Plan {
    fn new<S: Simd>(mlp: &Mlp, targets: usize, count: usize) -> Self {
        let values: usize = mlp.widths().iter().sum();
        let hidden = values - mlp.inputs() - mlp.outputs();
        let most = count.div_ceil(GROUP).max(1);
        let row = values * size_of::<Group<S::V>>();
        let groups = if mlp.batch_normalisation() { most } else { (CHUNK_BYTES / row).clamp(1, 8).min(most) };
        let widest = mlp.widths().iter().copied().max().unwrap_or(1);
        Plan { parameters: mlp.parameter_count().div_ceil(GROUP), groups, values, hidden, widest, targets }
    }

    fn size(&self) -> usize {
        2 * self.parameters
            + self.hidden.div_ceil(GROUP)
            + self.groups * (self.values + 2 * self.hidden + 2 * self.widest + self.targets)
    }
}

/// Bytes of scratch for a batch of `count` samples.
pub(super) fn scratch_bytes<S: Simd>(mlp: &Mlp, data: &LaneData<S::Real>, count: usize) -> usize {
    Plan::new::<S>(mlp, data.target_rows, count).size().saturating_mul(size_of::<Group<S::V>>())
}

/// Mean losses of the walkers `first..first + WIDTH`, and their gradients into those lanes of `gradient`.
#[expect(clippy::too_many_arguments)] // everything is borrowed from one scratch
#[inline(always)]
pub(super) fn run<S: Simd>(
    s: S,
    mlp: &Mlp,
    data: &LaneData<S::Real>,
    block: &WalkerBlock,
    batch: Batch<'_>,
    first: usize,
    mut gradient: Option<&mut WalkerBlock>,
    scratch: &mut Vec<Line>,
    losses: &mut Lanes,
) {
    let count = match batch {
        Batch::Full => data.count,
        Batch::Drawn(draws) => draws.len(),
    };
    let plan = Plan::new::<S>(mlp, data.target_rows, count);
    let lines = plan.size() * size_of::<Group<S::V>>() / size_of::<Line>();
    if scratch.len() < lines {
        scratch.resize(lines, Line::ZERO);
    }
    let memory: &mut [Group<S::V>] = bytemuck::cast_slice_mut(&mut scratch[..lines]);
    let mut rest = memory;
    let mut take = |length: usize| {
        let (taken, left) = std::mem::take(&mut rest).split_at_mut(length);
        rest = left;
        taken
    };
    let point: &mut [S::V] = bytemuck::cast_slice_mut(take(plan.parameters));
    let sums: &mut [S::V] = bytemuck::cast_slice_mut(take(plan.parameters));
    let inverse_deviations: &mut [S::V] = bytemuck::cast_slice_mut(take(plan.hidden.div_ceil(GROUP)));
    let values = take(plan.groups * plan.values);
    let own_slopes = take(plan.groups * plan.hidden);
    let normalised = take(plan.groups * plan.hidden);
    let slopes = take(plan.groups * plan.widest);
    let below = take(plan.groups * plan.widest);
    let targets = take(plan.groups * plan.targets);

    for (vector, row) in point.iter_mut().zip(block.rows()) {
        let mut numbers = [*vector];
        let numbers: &mut [S::Real] = bytemuck::cast_slice_mut(&mut numbers);
        numbers.iter_mut().zip(&row[first..]).for_each(|(number, value)| *number = S::Real::from_f64(*value));
        *vector = bytemuck::cast_slice::<S::Real, S::V>(numbers)[0];
    }
    let mut total = [0.0; 16];
    let total = &mut total[..S::WIDTH];
    if let Some(gradient) = &mut gradient {
        gradient.rows_mut().iter_mut().for_each(|row| row[first..first + S::WIDTH].fill(0.0));
    }
    let chunk = plan.groups * GROUP;
    let segment = if mlp.batch_normalisation() { count } else { SEGMENT.next_multiple_of(chunk) };
    let mut start = 0;
    while start < count {
        let end = (start + segment).min(count);
        if gradient.is_some() {
            sums.fill(s.splat(S::Real::default()));
        }
        while start < end {
            let live = chunk.min(end - start);
            let groups = live.div_ceil(GROUP);
            let mut pass = Pass {
                s,
                mlp,
                count: live,
                groups,
                point,
                values: &mut values[..groups * plan.values],
                own_slopes: &mut own_slopes[..groups * plan.hidden],
                normalised: &mut normalised[..groups * plan.hidden],
                inverse_deviations,
            };
            let targets = &mut targets[..groups * plan.targets];
            data.gather(s, batch, start, live, first, groups, &mut pass.values[..groups * mlp.inputs()], targets);
            pass.forward();
            let outputs = groups * (plan.values - mlp.outputs());
            let outputs = &mut pass.values[outputs..];
            output::losses(s, data.kind, groups, live, outputs, targets, gradient.is_some(), total);
            if gradient.is_some() {
                pass.backward(sums, slopes, below);
            }
            start += live;
        }
        if let Some(gradient) = &mut gradient {
            let share = 1.0 / count as f64;
            for (row, vector) in gradient.rows_mut().iter_mut().zip(sums.iter()) {
                let vector = [*vector];
                let numbers: &[S::Real] = bytemuck::cast_slice(&vector);
                row[first..].iter_mut().zip(numbers).for_each(|(sum, number)| *sum += share * number.to_f64());
            }
        }
    }
    losses[first..].iter_mut().zip(total.iter()).for_each(|(loss, total)| *loss = total / count as f64);
}

/// One chunk of samples on its way through the networks. Arrays are (unit, group).
struct Pass<'a, S: Simd> {
    s: S,
    mlp: &'a Mlp,
    /// Samples that are not padding.
    count: usize,
    groups: usize,
    point: &'a [S::V],
    /// Inputs, then the values of every layer.
    values: &'a mut [Group<S::V>],
    own_slopes: &'a mut [Group<S::V>],
    normalised: &'a mut [Group<S::V>],
    inverse_deviations: &'a mut [S::V],
}

impl<S: Simd> Pass<'_, S> {
    #[inline(always)]
    fn forward(&mut self) {
        let (s, groups) = (self.s, self.groups);
        let layers = self.mlp.layers();
        let (mut place, mut hidden) = (0, 0);
        for (number, layer) in layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(place + groups * layer.inputs);
            let input = &before[place..];
            let out = &mut after[..groups * layer.outputs];
            linear::forward(s, groups, input, &self.point[layer.weights()], &self.point[layer.biases()], out);
            place += groups * layer.inputs;
            if number + 1 == layers.len() {
                break;
            }
            let own = groups * hidden..groups * (hidden + layer.outputs);
            if let Some(scale) = layer.scale {
                let (scales, shifts) = self.point[scale..scale + 2 * layer.outputs].split_at(layer.outputs);
                let normalised = &mut self.normalised[own.clone()];
                let deviations = &mut self.inverse_deviations[hidden..hidden + layer.outputs];
                normalisation::forward(s, self.count, groups, (scales, shifts), out, normalised, deviations);
            }
            activate(s, self.mlp.activation(), out, &mut self.own_slopes[own]);
            hidden += layer.outputs;
        }
    }

    /// Adds the gradient to `sums`; the outputs have been replaced by the slopes of the loss in them.
    #[inline(always)]
    fn backward<'b>(&mut self, sums: &mut [S::V], mut slopes: &'b mut [Group<S::V>], mut below: &'b mut [Group<S::V>]) {
        let (s, groups) = (self.s, self.groups);
        let mut end = self.values.len();
        let mut hidden = self.own_slopes.len() / groups;
        for (number, layer) in self.mlp.layers().iter().enumerate().rev() {
            let (start, width) = (end - groups * layer.outputs, groups * layer.outputs);
            let is_last = end == self.values.len();
            let (before, after) = self.values.split_at_mut(start);
            let input = &before[start - groups * layer.inputs..];
            let own = if is_last { &mut after[..width] } else { &mut slopes[..width] };
            if let Some(scale) = layer.scale {
                let units = hidden..hidden + layer.outputs;
                normalisation::backward(
                    s,
                    self.count,
                    groups,
                    &self.point[scale..scale + layer.outputs],
                    &self.normalised[groups * units.start..groups * units.end],
                    &self.inverse_deviations[units],
                    own,
                    &mut sums[scale..scale + 2 * layer.outputs],
                );
            }
            let (weights, biases) = sums[layer.weight..layer.bias + layer.outputs].split_at_mut(layer.weights().len());
            linear::gradient(s, groups, input, own, weights, biases);
            if number == 0 {
                break;
            }
            let out = &mut below[..groups * layer.inputs];
            linear::backward(s, groups, own, &self.point[layer.weights()], layer.inputs, out);
            hidden -= layer.inputs;
            let kept = &self.own_slopes[groups * hidden..groups * (hidden + layer.inputs)];
            deactivate(s, self.mlp.activation(), input, kept, out);
            std::mem::swap(&mut slopes, &mut below);
            end = start;
        }
    }
}

// Loops, not closures: a closure that is not inlined is compiled without the instructions, and every operation becomes a
// call.
#[inline(always)]
fn activate<S: Simd>(s: S, activation: Activation, values: &mut [Group<S::V>], slopes: &mut [Group<S::V>]) {
    let zero = s.splat(S::Real::default());
    match activation {
        Activation::Relu => {
            for value in values.as_flattened_mut() {
                *value = s.max(zero, *value);
            }
        }
        Activation::Tanh => {
            for value in values.as_flattened_mut() {
                *value = functions::tanh(s, *value);
            }
        }
        Activation::Gelu => {
            for (value, slope) in values.as_flattened_mut().iter_mut().zip(slopes.as_flattened_mut()) {
                (*value, *slope) = functions::gelu(s, *value);
            }
        }
        Activation::Identity => {}
    }
}

/// Multiplies slopes of the loss by the slope of the activation, told from its value where possible.
#[inline(always)]
fn deactivate<S: Simd>(
    s: S,
    activation: Activation,
    values: &[Group<S::V>],
    own: &[Group<S::V>],
    slopes: &mut [Group<S::V>],
) {
    let zero = s.splat(S::Real::default());
    let (values, own, slopes) = (values.as_flattened(), own.as_flattened(), slopes.as_flattened_mut());
    match activation {
        Activation::Relu => {
            for (slope, value) in slopes.iter_mut().zip(values) {
                *slope = s.keep(s.less(zero, *value), *slope);
            }
        }
        Activation::Tanh => {
            for (slope, value) in slopes.iter_mut().zip(values) {
                let negative = s.sub(zero, *value);
                *slope = s.mul(*slope, s.fma(negative, *value, functions::number(s, 1.0)));
            }
        }
        Activation::Gelu => {
            for (slope, own) in slopes.iter_mut().zip(own) {
                *slope = s.mul(*slope, *own);
            }
        }
        Activation::Identity => {}
    }
}
