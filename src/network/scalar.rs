//! A network at one point, in double precision and plain loops: the reference that the lane kernels are tested against.

use super::dataset::{Dataset, Targets};
use super::mlp::{Layer, Mlp, NORMALISATION_EPSILON};

/// Samples that go through the network together, unless batch normalisation needs all of them.
const CHUNK: usize = 64;

/// What a layer leaves for the way back, row after row of (sample, unit).
#[derive(Default)]
struct Trace {
    /// Values after the activation.
    values: Vec<f64>,
    /// Slopes of the activation; empty in the last layer.
    slopes: Vec<f64>,
    /// (z - mean) / sqrt(variance + ε); empty without normalisation.
    normalised: Vec<f64>,
    /// 1 / sqrt(variance + ε) of every unit.
    inverse_deviations: Vec<f64>,
}

/// Mean loss at `point` over the samples `batch` (all of them when `None`), and its gradient.
pub(super) fn mean_loss(
    mlp: &Mlp,
    dataset: &Dataset,
    point: &[f64],
    batch: Option<&[u32]>,
    mut gradient: Option<&mut [f64]>,
) -> f64 {
    let count = batch.map_or(dataset.sample_count(), <[u32]>::len);
    if let Some(gradient) = &mut gradient {
        gradient.fill(0.0);
    }
    let mut total = 0.0;
    for_each_chunk(mlp, dataset, point, batch, |samples, inputs, traces| {
        let Some(last) = traces.last_mut() else { return };
        let outputs = mlp.outputs();
        for (row, sample) in last.values.chunks_exact_mut(outputs).zip(samples) {
            total += sample_loss(dataset.targets(), *sample, row);
        }
        if let Some(gradient) = &mut gradient {
            last.values.iter_mut().for_each(|slope| *slope /= count as f64);
            backward(mlp, point, inputs, traces, gradient);
        }
    });
    total / count as f64
}

/// Outputs of all samples, one call per sample: `visit(sample, outputs)`.
pub(super) fn for_each_output(mlp: &Mlp, dataset: &Dataset, point: &[f64], mut visit: impl FnMut(usize, &[f64])) {
    for_each_chunk(mlp, dataset, point, None, |samples, _, traces| {
        let Some(last) = traces.last() else { return };
        last.values.chunks_exact(mlp.outputs()).zip(samples).for_each(|(row, sample)| visit(*sample, row));
    });
}

/// Runs samples forwards, chunk by chunk: `visit(numbers, inputs, traces of the layers)`.
fn for_each_chunk(
    mlp: &Mlp,
    dataset: &Dataset,
    point: &[f64],
    batch: Option<&[u32]>,
    mut visit: impl FnMut(&[usize], &[f64], &mut [Trace]),
) {
    assert_eq!(point.len(), mlp.parameter_count(), "a point has one number per parameter");
    let count = batch.map_or(dataset.sample_count(), <[u32]>::len);
    let chunk = if mlp.batch_normalisation() { count } else { CHUNK.min(count) };
    let mut traces: Vec<Trace> = mlp.layers().iter().map(|_| Trace::default()).collect();
    let (mut samples, mut inputs) = (Vec::new(), Vec::new());
    let mut start = 0;
    while start < count {
        let end = (start + chunk).min(count);
        samples.clear();
        samples.extend((start..end).map(|place| batch.map_or(place, |batch| batch[place] as usize)));
        inputs.clear();
        for sample in &samples {
            let width = dataset.input_width();
            inputs.extend_from_slice(&dataset.inputs()[sample * width..(sample + 1) * width]);
        }
        forward(mlp, point, &inputs, &mut traces);
        visit(&samples, &inputs, &mut traces);
        start = end;
    }
}

fn forward(mlp: &Mlp, point: &[f64], inputs: &[f64], traces: &mut [Trace]) {
    let layers = mlp.layers();
    for (number, layer) in layers.iter().enumerate() {
        let (before, after) = traces.split_at_mut(number);
        let input = before.last().map_or(inputs, |trace| &trace.values);
        let trace = &mut after[0];
        let weights = &point[layer.weights()];
        trace.values.clear();
        for row in input.chunks_exact(layer.inputs) {
            let start = trace.values.len();
            trace.values.extend_from_slice(&point[layer.biases()]);
            let out = &mut trace.values[start..];
            for (value, weights) in row.iter().zip(weights.chunks_exact(layer.outputs)) {
                out.iter_mut().zip(weights).for_each(|(out, weight)| *out += value * weight);
            }
        }
        if let Some(scale) = layer.scale {
            normalise(layer, &point[scale..scale + 2 * layer.outputs], trace);
        }
        if number + 1 < layers.len() {
            trace.slopes.clear();
            for value in &mut trace.values {
                let (after, slope) = mlp.activation().evaluate(*value);
                *value = after;
                trace.slopes.push(slope);
            }
        }
    }
}

/// `parameters`: scales, then shifts.
fn normalise(layer: &Layer, parameters: &[f64], trace: &mut Trace) {
    let units = layer.outputs;
    let count = (trace.values.len() / units) as f64;
    let mut means = vec![0.0; units];
    for row in trace.values.chunks_exact(units) {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
    }
    let mut variances = vec![0.0; units];
    for row in trace.values.chunks_exact(units) {
        for ((variance, mean), value) in variances.iter_mut().zip(&means).zip(row) {
            *variance += (value - mean).powi(2) / count;
        }
    }
    trace.inverse_deviations.clear();
    trace.inverse_deviations.extend(variances.iter().map(|variance| 1.0 / (variance + NORMALISATION_EPSILON).sqrt()));
    trace.normalised.clear();
    let (scales, shifts) = parameters.split_at(units);
    for row in trace.values.chunks_exact_mut(units) {
        for (unit, value) in row.iter_mut().enumerate() {
            let normalised = (*value - means[unit]) * trace.inverse_deviations[unit];
            trace.normalised.push(normalised);
            *value = scales[unit] * normalised + shifts[unit];
        }
    }
}

/// Adds the gradient of a chunk; the last trace's values are the slopes of the loss in the outputs.
fn backward(mlp: &Mlp, point: &[f64], inputs: &[f64], traces: &mut [Trace], gradient: &mut [f64]) {
    for (number, layer) in mlp.layers().iter().enumerate().rev() {
        let (before, after) = traces.split_at_mut(number);
        let trace = &mut after[0];
        if let Some(scale) = layer.scale {
            let (scales, gradient) =
                (&point[scale..scale + layer.outputs], &mut gradient[scale..scale + 2 * layer.outputs]);
            normalise_backward(layer, scales, trace, gradient);
        }
        let input = before.last().map_or(inputs, |trace| &trace.values);
        for (row, slopes) in input.chunks_exact(layer.inputs).zip(trace.values.chunks_exact(layer.outputs)) {
            for (value, weights) in row.iter().zip(gradient[layer.weights()].chunks_exact_mut(layer.outputs)) {
                weights.iter_mut().zip(slopes).for_each(|(weight, slope)| *weight += value * slope);
            }
            gradient[layer.biases()].iter_mut().zip(slopes).for_each(|(bias, slope)| *bias += slope);
        }
        let Some(below) = before.last_mut() else { return };
        // The values of the layer below are no longer needed: its slopes of the loss take their place.
        let rows = below.values.chunks_exact_mut(layer.inputs).zip(below.slopes.chunks_exact(layer.inputs));
        for ((row, own), slopes) in rows.zip(trace.values.chunks_exact(layer.outputs)) {
            let weights = point[layer.weights()].chunks_exact(layer.outputs);
            for ((value, own), weights) in row.iter_mut().zip(own).zip(weights) {
                *value = own * weights.iter().zip(slopes).map(|(weight, slope)| weight * slope).sum::<f64>();
            }
        }
    }
}

/// From slopes of the loss in the normalised and scaled values to slopes in the values before; `gradient`: scales, shifts.
fn normalise_backward(layer: &Layer, scales: &[f64], trace: &mut Trace, gradient: &mut [f64]) {
    let units = layer.outputs;
    let count = (trace.values.len() / units) as f64;
    let mut sums = vec![0.0; 2 * units];
    for (slopes, normalised) in trace.values.chunks_exact(units).zip(trace.normalised.chunks_exact(units)) {
        for unit in 0..units {
            sums[unit] += slopes[unit] * normalised[unit];
            sums[units + unit] += slopes[unit];
        }
    }
    gradient.iter_mut().zip(&sums).for_each(|(gradient, sum)| *gradient += sum);
    for (slopes, normalised) in trace.values.chunks_exact_mut(units).zip(trace.normalised.chunks_exact(units)) {
        for unit in 0..units {
            let rest = slopes[unit] - (sums[units + unit] + normalised[unit] * sums[unit]) / count;
            slopes[unit] = scales[unit] * trace.inverse_deviations[unit] * rest;
        }
    }
}

/// Loss of one sample; its slopes take the place of the outputs.
///
/// With m the largest output and y the class, the cross-entropy is m - z_y + ln(1 + sum of exp(z_j - m) over the others),
/// and the slope at y is minus the probability of the other classes: neither cancels when the sample is learnt well.
fn sample_loss(targets: &Targets, sample: usize, outputs: &mut [f64]) -> f64 {
    match targets {
        Targets::Classes { labels, .. } => {
            let class = labels[sample] as usize;
            let largest = (0..outputs.len()).fold(0, |best, k| if outputs[k] > outputs[best] { k } else { best });
            let (top, own) = (outputs[largest], outputs[class]);
            outputs.iter_mut().for_each(|value| *value = (*value - top).exp());
            let without =
                |skipped: usize| (0..outputs.len()).filter(|k| *k != skipped).map(|k| outputs[k]).sum::<f64>();
            let (rest, others) = (without(largest), without(class));
            let total = 1.0 + rest;
            outputs[class] = -others;
            outputs.iter_mut().for_each(|value| *value /= total);
            (top - own) + rest.ln_1p()
        }
        Targets::Values { values, width } => {
            let mut loss = 0.0;
            for (output, value) in outputs.iter_mut().zip(&values[sample * width..]) {
                *output -= value;
                loss += 0.5 * *output * *output;
            }
            loss
        }
    }
}
