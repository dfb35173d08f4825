//! Linear networks: singular landscapes whose learning coefficients are known.
//!
//! Formula:   L(w) = mean of |y - y*|² / 2, y = x W_1 ... W_l, y* = x W* + noise. With D = W_1 ... W_l - W*,
//!            S = mean x xᵀ, N = mean x noiseᵀ: L = tr Dᵀ (S D / 2 - N) + mean |noise|² / 2;
//!            dL/dW_k = (W_1 ... W_(k-1))ᵀ (S D - N) (W_(k+1) ... W_l)ᵀ
//! Assumes:   standard normal inputs
//! Cost:      of the full loss: as one sample for every input, whatever the number of samples; a batch adds its moments
//! Reference: \[AoyagiWatanabe2005\], \[Aoyagi2024\] for the learning coefficients
//!
//! Moments of the samples are all that the loss needs, and D instead of the outputs keeps the digits of small losses.
//! The population landscape has S = 1 and no noise. One code serves a walker and a block of them.

use super::true_map::TrueMap;
use crate::error::{Error, Result};
use crate::landscape::{Batch, Differentiable, LANES, Landscape, Lanes, Sampled, WalkerBlock};
use crate::math::random::Stream;

/// A network of linear layers, widths H_0 to H_l, and the map it learns. A point is the weights of all layers in order,
/// each (in, out), row after row.
#[derive(Clone, Debug)]
pub struct DeepLinear {
    widths: Vec<usize>,
    truth: TrueMap,
    matrix: Vec<f64>,
    sample_count: usize,
    samples: Option<Samples>,
    full: Moments<f64>,
    full_lanes: Moments<Lanes>,
}

#[derive(Clone, Debug)]
struct Samples {
    /// (sample, input).
    inputs: Vec<f64>,
    /// (sample, output); empty without noise.
    noise: Vec<f64>,
}

/// What the loss needs of samples.
#[derive(Clone, Debug)]
struct Moments<T> {
    /// S, (input, input); `None` is the identity.
    second: Option<Vec<T>>,
    /// N, (input, output); `None` is zero.
    noise: Option<Vec<T>>,
    /// Mean of |noise|².
    energy: T,
}

/// One number or one per walker.
trait Element: Copy {
    const ZERO: Self;
    fn spread(value: f64) -> Self;
    fn add_product(&mut self, left: Self, right: Self);
    fn scale(&mut self, factor: f64);
}

impl Element for f64 {
    const ZERO: Self = 0.0;

    fn spread(value: f64) -> Self {
        value
    }

    fn add_product(&mut self, left: Self, right: Self) {
        *self += left * right;
    }

    fn scale(&mut self, factor: f64) {
        *self *= factor;
    }
}

impl Element for Lanes {
    const ZERO: Self = [0.0; LANES];

    fn spread(value: f64) -> Self {
        [value; LANES]
    }

    fn add_product(&mut self, left: Self, right: Self) {
        for lane in 0..LANES {
            self[lane] += left[lane] * right[lane];
        }
    }

    fn scale(&mut self, factor: f64) {
        self.iter_mut().for_each(|value| *value *= factor);
    }
}

impl<T: Element> Moments<T> {
    /// Of `count` samples; `sample` writes sample k's inputs and noise (of the lengths of the buffers).
    fn of(
        count: usize,
        widths: (usize, usize),
        noisy: bool,
        mut sample: impl FnMut(usize, &mut [T], &mut [T]),
    ) -> Self {
        let (inputs, outputs) = widths;
        let mut x = vec![T::ZERO; inputs];
        let mut error = vec![T::ZERO; if noisy { outputs } else { 0 }];
        let mut second = vec![T::ZERO; inputs * inputs];
        let mut noise = vec![T::ZERO; inputs * error.len()];
        let mut energy = T::ZERO;
        for k in 0..count {
            sample(k, &mut x, &mut error);
            for (i, row) in second.chunks_exact_mut(inputs).enumerate() {
                row[i..].iter_mut().zip(&x[i..]).for_each(|(sum, other)| sum.add_product(x[i], *other));
            }
            if noisy {
                for (row, x) in noise.chunks_exact_mut(outputs).zip(&x) {
                    row.iter_mut().zip(&error).for_each(|(sum, error)| sum.add_product(*x, *error));
                }
                error.iter().for_each(|error| energy.add_product(*error, *error));
            }
        }
        let share = 1.0 / count as f64;
        for i in 0..inputs {
            for j in i..inputs {
                second[i * inputs + j].scale(share);
                second[j * inputs + i] = second[i * inputs + j];
            }
        }
        noise.iter_mut().for_each(|sum| sum.scale(share));
        energy.scale(share);
        Moments { second: Some(second), noise: noisy.then_some(noise), energy }
    }
}

impl Moments<f64> {
    fn spread(&self) -> Moments<Lanes> {
        let all = |values: &Vec<f64>| values.iter().map(|&value| Lanes::spread(value)).collect();
        Moments {
            second: self.second.as_ref().map(all),
            noise: self.noise.as_ref().map(all),
            energy: Lanes::spread(self.energy),
        }
    }
}

/// out += left · right, left (rows, inner), right (inner, columns).
fn add_product<T: Element>(left: &[T], right: &[T], inner: usize, columns: usize, out: &mut [T]) {
    for (out, left) in out.chunks_exact_mut(columns).zip(left.chunks_exact(inner)) {
        for (factor, right) in left.iter().zip(right.chunks_exact(columns)) {
            out.iter_mut().zip(right).for_each(|(sum, value)| sum.add_product(*factor, *value));
        }
    }
}

impl DeepLinear {
    /// The expected loss over all inputs, |W_1 ... W_l - W*|² / 2, standing for `sample_count` samples.
    ///
    /// # Errors
    /// When there is no layer, the outer widths are not those of the map, or a layer is narrower than its rank.
    pub fn population(widths: &[usize], truth: TrueMap, sample_count: usize) -> Result<Self> {
        let full = Moments { second: None, noise: None, energy: 0.0 };
        Self::new(widths, truth, sample_count, None, full)
    }

    /// The mean loss of `sample_count` samples: inputs standard normal, targets x W* plus normal noise of standard deviation
    /// `noise`.
    ///
    /// # Errors
    /// As for [`DeepLinear::population`], and when there is no sample or the noise is negative or not finite.
    pub fn sampled(
        widths: &[usize],
        truth: TrueMap,
        sample_count: usize,
        noise: f64,
        stream: &mut Stream,
    ) -> Result<Self> {
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::invalid("noise", noise, "a standard deviation is at least 0", "use noise = 0"));
        }
        let (inputs, outputs) = (truth.input_width(), truth.output_width());
        let mut samples = Samples { inputs: Vec::new(), noise: Vec::new() };
        for _ in 0..sample_count {
            samples.inputs.extend((0..inputs).map(|_| stream.normal()));
            if noise > 0.0 {
                samples.noise.extend((0..outputs).map(|_| noise * stream.normal()));
            }
        }
        let full = Moments::of(sample_count, (inputs, outputs), noise > 0.0, |k, x, error| {
            samples.copy_into(k, x, error);
        });
        Self::new(widths, truth, sample_count, Some(samples), full)
    }

    fn new(
        widths: &[usize],
        truth: TrueMap,
        sample_count: usize,
        samples: Option<Samples>,
        full: Moments<f64>,
    ) -> Result<Self> {
        let refuse = |rule: String| Err(Error::invalid("widths", format!("{widths:?}"), rule, "change the network"));
        let ends = (truth.input_width(), truth.output_width());
        if widths.len() < 2 || (widths[0], widths[widths.len() - 1]) != ends {
            return refuse(format!("the true map has {} inputs and {} outputs", ends.0, ends.1));
        }
        if widths.iter().any(|width| *width < truth.rank().max(1)) {
            return refuse(format!("no layer is narrower than the rank {} of the true map, or empty", truth.rank()));
        }
        if sample_count == 0 {
            return Err(Error::invalid("sample_count", 0, "there must be a sample", "use 1000"));
        }
        let (widths, matrix, full_lanes) = (widths.to_vec(), truth.matrix(), full.spread());
        Ok(DeepLinear { widths, truth, matrix, sample_count, samples, full, full_lanes })
    }

    /// Widths H_0 to H_l.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// The map that is learnt.
    pub fn truth(&self) -> &TrueMap {
        &self.truth
    }

    /// Weights that represent the map exactly, all layers of its rank r: the first r hidden units carry its directions, all
    /// other weights are zero.
    pub fn start(&self) -> Vec<f64> {
        self.truth.start(&self.widths)
    }

    /// Weights of two layers that represent the map exactly, W_1 of rank a and W_2 of rank b; their singular values beyond
    /// those of the map are `extra`.
    ///
    /// # Errors
    /// When there are not two layers, no exact point has these ranks, or `extra` is not positive and finite.
    pub fn point_of_stratum(&self, a: usize, b: usize, extra: f64) -> Result<Vec<f64>> {
        self.truth.stratum(&self.widths, a, b, extra)
    }

    /// Products W_1, W_1 W_2, ..., the last one minus W*.
    fn products<T: Element>(&self, weights: &[T]) -> Vec<Vec<T>> {
        let inputs = self.widths[0];
        let (first, mut rest) = weights.split_at(inputs * self.widths[1]);
        let mut products = vec![first.to_vec()];
        for pair in self.widths[1..].windows(2) {
            let (layer, next) = rest.split_at(pair[0] * pair[1]);
            let mut product = vec![T::ZERO; inputs * pair[1]];
            add_product(&products[products.len() - 1], layer, pair[0], pair[1], &mut product);
            products.push(product);
            rest = next;
        }
        let last = products.last_mut().expect("a network has a layer");
        let minus_one = T::spread(-1.0);
        last.iter_mut().zip(&self.matrix).for_each(|(entry, truth)| entry.add_product(minus_one, T::spread(*truth)));
        products
    }

    /// The loss at a difference D, and S D - N.
    fn loss_at<T: Element>(&self, difference: &[T], moments: &Moments<T>) -> (T, Vec<T>) {
        let (inputs, outputs) = (self.widths[0], self.widths[self.widths.len() - 1]);
        let mut slope = match &moments.second {
            None => difference.to_vec(),
            Some(second) => {
                let mut slope = vec![T::ZERO; difference.len()];
                add_product(second, difference, inputs, outputs, &mut slope);
                slope
            }
        };
        let mut loss = moments.energy;
        difference.iter().zip(&slope).for_each(|(d, slope)| loss.add_product(*d, *slope));
        loss.scale(0.5);
        if let Some(noise) = &moments.noise {
            let minus_one = T::spread(-1.0);
            let mut overlap = T::ZERO;
            for ((slope, d), noise) in slope.iter_mut().zip(difference).zip(noise) {
                overlap.add_product(*d, *noise);
                slope.add_product(minus_one, *noise);
            }
            loss.add_product(minus_one, overlap);
        }
        (loss, slope)
    }

    fn loss_of<T: Element>(&self, weights: &[T], moments: &Moments<T>) -> T {
        let products = self.products(weights);
        self.loss_at(&products[products.len() - 1], moments).0
    }

    /// Loss, and its gradient into `gradient`.
    fn gradient_of<T: Element>(&self, weights: &[T], moments: &Moments<T>, gradient: &mut [T]) -> T {
        let inputs = self.widths[0];
        let products = self.products(weights);
        let (loss, mut slope) = self.loss_at(&products[products.len() - 1], moments);
        let mut end = weights.len();
        // `slope` is the derivative by W_1 ... W_k, k from the last layer down.
        for (layer, pair) in self.widths.windows(2).enumerate().skip(1).rev() {
            let (rows, columns) = (pair[0], pair[1]);
            let start = end - rows * columns;
            let before = &products[layer - 1];
            let own = &mut gradient[start..end];
            own.fill(T::ZERO);
            let mut next = vec![T::ZERO; inputs * rows];
            for ((slope, before), next) in
                slope.chunks_exact(columns).zip(before.chunks_exact(rows)).zip(next.chunks_exact_mut(rows))
            {
                let weights = weights[start..end].chunks_exact(columns);
                for (((factor, next), weights), own) in
                    before.iter().zip(next).zip(weights).zip(own.chunks_exact_mut(columns))
                {
                    for ((slope, weight), own) in slope.iter().zip(weights).zip(own) {
                        own.add_product(*factor, *slope);
                        next.add_product(*slope, *weight);
                    }
                }
            }
            (slope, end) = (next, start);
        }
        gradient[..end].copy_from_slice(&slope);
        loss
    }
}

impl Samples {
    fn copy_into(&self, k: usize, x: &mut [f64], error: &mut [f64]) {
        x.copy_from_slice(&self.inputs[k * x.len()..][..x.len()]);
        error.copy_from_slice(&self.noise[k * error.len()..][..error.len()]);
    }
}

impl Landscape for DeepLinear {
    fn dimension(&self) -> usize {
        self.widths.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.loss_of(point, &self.full)
    }
}

impl Differentiable for DeepLinear {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        self.gradient_of(point, &self.full, out);
    }
}

impl Sampled for DeepLinear {
    fn sample_count(&self) -> usize {
        self.sample_count
    }

    fn batch_gradient(&self, point: &[f64], batch: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        let (Some(batch), Some(samples)) = (batch, &self.samples) else {
            return self.gradient_of(point, &self.full, gradient);
        };
        let widths = (self.widths[0], self.widths[self.widths.len() - 1]);
        let moments = Moments::of(batch.len(), widths, !samples.noise.is_empty(), |k, x, error| {
            samples.copy_into(batch[k] as usize, x, error);
        });
        self.gradient_of(point, &moments, gradient)
    }

    fn block_gradient(&self, block: &WalkerBlock, batch: Batch<'_>, gradient: &mut WalkerBlock) -> Lanes {
        let (Batch::Drawn(draws), Some(samples)) = (batch, &self.samples) else {
            return self.gradient_of(block.rows(), &self.full_lanes, gradient.rows_mut());
        };
        let (inputs, outputs) = (self.widths[0], self.widths[self.widths.len() - 1]);
        let moments = Moments::of(draws.len(), (inputs, outputs), !samples.noise.is_empty(), |k, x, error| {
            for (lane, &draw) in draws[k].iter().enumerate() {
                let own = &samples.inputs[draw as usize * inputs..][..inputs];
                x.iter_mut().zip(own).for_each(|(x, value): (&mut Lanes, _)| x[lane] = *value);
                if !error.is_empty() {
                    let own = &samples.noise[draw as usize * outputs..][..outputs];
                    error.iter_mut().zip(own).for_each(|(error, value): (&mut Lanes, _)| error[lane] = *value);
                }
            }
        });
        self.gradient_of(block.rows(), &moments, gradient.rows_mut())
    }

    fn block_loss(&self, block: &WalkerBlock) -> Lanes {
        self.loss_of(block.rows(), &self.full_lanes)
    }
}

#[cfg(test)]
mod tests;
