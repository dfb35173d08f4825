//! Architecture of a multi-layer perceptron, and the place of every parameter in its vector.

use std::ops::Range;
use std::path::Path;

use super::activation::Activation;
use crate::error::{Error, Result};
use crate::formats::npz;
use crate::math::random::Stream;

/// Added to a variance before its root, as PyTorch does.
pub const NORMALISATION_EPSILON: f64 = 1e-5;

/// Most parameters that a network may have: more than any that is trained here, and far from overflow.
const LARGEST: usize = 1 << 32;

/// Linear layers with an activation after each but the last.
///
/// A layer maps a to a W + b, W of shape (in, out). With batch normalisation the result z of every hidden layer becomes
/// scale (z - mean) / sqrt(variance + 1e-5) + shift, unit by unit, before the activation; mean and (biased) variance are
/// those of the samples on which the loss is evaluated ("training mode").
///
/// The parameters are one vector: weight1 (row after row), bias1, then scale1 and shift1 if normalised, weight2, ...
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    widths: Vec<usize>,
    activation: Activation,
    batch_normalisation: bool,
    layers: Vec<Layer>,
    parameter_count: usize,
}

/// One linear layer: where its parameters begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weight: usize,
    pub(super) bias: usize,
    /// Start of the scales of batch normalisation; the shifts follow.
    pub(super) scale: Option<usize>,
}

impl Layer {
    pub(super) fn weights(&self) -> Range<usize> {
        self.weight..self.bias
    }

    pub(super) fn biases(&self) -> Range<usize> {
        self.bias..self.bias + self.outputs
    }
}

/// One named array of the parameter vector.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterArray {
    /// weight1, bias1, scale1, shift1, weight2, ...
    pub name: String,
    /// (in, out) of a weight, (out) of the others.
    pub shape: Vec<usize>,
    /// Its place in the parameter vector, last axis fastest.
    pub range: Range<usize>,
}

impl Mlp {
    /// `widths`: inputs, hidden units of every layer, outputs.
    ///
    /// # Errors
    /// When there are fewer than two widths, one is 0, or there would be more than 2^32 parameters.
    pub fn new(widths: &[usize], activation: Activation, batch_normalisation: bool) -> Result<Self> {
        let refuse = |rule: &str| {
            Err(Error::invalid("model.widths", format!("{widths:?}"), rule, "use for example widths = [2, 16, 16, 2]"))
        };
        if widths.len() < 2 {
            return refuse("a network has inputs and outputs");
        }
        if widths.contains(&0) {
            return refuse("every width is at least 1");
        }
        let mut place = 0usize;
        let mut layers = Vec::with_capacity(widths.len() - 1);
        for (number, pair) in widths.windows(2).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            let normalised = batch_normalisation && number + 2 < widths.len();
            let count = inputs.checked_mul(outputs).filter(|count| *count <= LARGEST && outputs <= LARGEST);
            let Some(count) = count else { return refuse("a network has at most 2^32 parameters") };
            let (weight, bias) = (place, place + count);
            let scale = normalised.then_some(bias + outputs);
            place = bias + outputs * if normalised { 3 } else { 1 };
            if place > LARGEST {
                return refuse("a network has at most 2^32 parameters");
            }
            layers.push(Layer { inputs, outputs, weight, bias, scale });
        }
        Ok(Mlp { widths: widths.to_vec(), activation, batch_normalisation, layers, parameter_count: place })
    }

    /// Inputs, hidden units of every layer, outputs.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// Function after every hidden layer.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Whether hidden layers are normalised over the batch.
    pub fn batch_normalisation(&self) -> bool {
        self.batch_normalisation
    }

    /// Length of the parameter vector.
    pub fn parameter_count(&self) -> usize {
        self.parameter_count
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// The linear layers, first to last.
    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Every array of the parameter vector, in order.
    pub fn layout(&self) -> Vec<ParameterArray> {
        let mut arrays = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let mut push = |name: &str, shape: Vec<usize>, start: usize| {
                let range = start..start + shape.iter().product::<usize>();
                arrays.push(ParameterArray { name: format!("{name}{}", number + 1), shape, range });
            };
            push("weight", vec![layer.inputs, layer.outputs], layer.weight);
            push("bias", vec![layer.outputs], layer.bias);
            if let Some(scale) = layer.scale {
                push("scale", vec![layer.outputs], scale);
                push("shift", vec![layer.outputs], scale + layer.outputs);
            }
        }
        arrays
    }

    /// A random start: weights and biases uniform on ±1/sqrt(inputs of the layer), PyTorch's default, in the order of the
    /// parameter vector; scales 1, shifts 0.
    pub fn initial(&self, stream: &mut Stream) -> Vec<f64> {
        let mut point = vec![0.0; self.parameter_count];
        for layer in &self.layers {
            let bound = 1.0 / (layer.inputs as f64).sqrt();
            point[layer.weight..layer.bias + layer.outputs]
                .iter_mut()
                .for_each(|value| *value = bound * (2.0 * stream.uniform() - 1.0));
            if let Some(scale) = layer.scale {
                point[scale..scale + layer.outputs].fill(1.0);
            }
        }
        point
    }

    /// Architecture and parameters from an archive with arrays weight1 (in, out), bias1, optionally scale1 and shift1,
    /// weight2, ...; other arrays are ignored.
    ///
    /// # Errors
    /// Names the file and the array that is missing or has the wrong shape, or a parameter that is not finite.
    pub fn from_npz(path: &Path, activation: Activation) -> Result<(Self, Vec<f64>)> {
        let arrays = npz::read(path)?;
        let mut widths = Vec::new();
        while let Some(weight) = arrays.get(&format!("weight{}", widths.len().max(1))) {
            let [inputs, outputs] = weight.shape[..] else {
                let name = format!("weight{}", widths.len().max(1));
                return Err(Error::malformed(path, format!("array {name}: its shape must be (in, out)")));
            };
            if widths.is_empty() {
                widths.push(inputs);
            }
            widths.push(outputs);
        }
        if widths.is_empty() {
            return Err(Error::malformed(path, "no array weight1; a network has weight1, bias1, weight2, ..."));
        }
        let mlp = Mlp::new(&widths, activation, arrays.contains_key("scale1"))?;
        let mut point = vec![0.0; mlp.parameter_count];
        for ParameterArray { name, shape, range } in mlp.layout() {
            let array = arrays.get(&name).ok_or_else(|| Error::malformed(path, format!("array {name} is missing")))?;
            if array.shape != shape {
                let problem = format!("array {name}: its shape is {:?}, expected {shape:?}", array.shape);
                return Err(Error::malformed(path, problem));
            }
            if array.data.iter().any(|value| !value.is_finite()) {
                return Err(Error::malformed(path, format!("array {name} holds a number that is not finite")));
            }
            point[range].copy_from_slice(&array.data);
        }
        Ok((mlp, point))
    }

    /// The parameters at `point` as the bytes of an archive that [`Mlp::from_npz`] reads.
    ///
    /// # Errors
    /// When the archive cannot be written.
    ///
    /// # Panics
    /// When `point` has another length than the parameter vector.
    pub fn to_npz(&self, point: &[f64]) -> Result<Vec<u8>> {
        assert_eq!(point.len(), self.parameter_count, "a point has one number per parameter");
        let layout = self.layout();
        let arrays: Vec<(&str, &[usize], &[f64])> =
            layout.iter().map(|array| (&array.name[..], &array.shape[..], &point[array.range.clone()])).collect();
        npz::to_bytes(&arrays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_fill_the_vector_without_gaps() {
        let plain = Mlp::new(&[2, 16, 16, 2], Activation::Relu, false).expect("valid");
        assert_eq!(plain.parameter_count(), 354);
        let normal = Mlp::new(&[3, 5, 4, 1], Activation::Tanh, true).expect("valid");
        assert_eq!(normal.parameter_count(), 20 + 10 + 24 + 8 + 5);
        for mlp in [plain, normal] {
            let mut place = 0;
            for array in mlp.layout() {
                assert_eq!((array.range.start, array.range.len()), (place, array.shape.iter().product()));
                place = array.range.end;
            }
            assert_eq!(place, mlp.parameter_count());
        }
        for widths in [&[2][..], &[2, 0, 2], &[usize::MAX, 2], &[1 << 20, 1 << 20]] {
            assert!(Mlp::new(widths, Activation::Relu, false).is_err(), "{widths:?}");
        }
    }

    #[test]
    fn starts_have_the_variance_of_their_law_and_repeat() {
        let mlp = Mlp::new(&[4, 400, 3], Activation::Relu, true).expect("valid");
        let start = mlp.initial(&mut Stream::new(1, "initial", 0));
        assert_eq!(start, mlp.initial(&mut Stream::new(1, "initial", 0)));
        for array in mlp.layout() {
            let values = &start[array.range.clone()];
            match &array.name[..] {
                "scale1" => assert!(values.iter().all(|value| *value == 1.0)),
                "shift1" => assert!(values.iter().all(|value| *value == 0.0)),
                "weight1" => {
                    assert!(values.iter().all(|value| value.abs() <= 0.5));
                    let square: f64 = values.iter().map(|value| value * value).sum::<f64>() / 1600.0;
                    assert!((square - 1.0 / 12.0).abs() < 0.01, "{square}");
                }
                _ => assert!(values.iter().all(|value| *value != 0.0)),
            }
        }
    }

    #[test]
    fn archives_come_back_and_bad_ones_are_refused() {
        let path = std::env::temp_dir().join(format!("porewalk-mlp-{}.npz", std::process::id()));
        let mlp = Mlp::new(&[3, 5, 4, 1], Activation::Gelu, true).expect("valid");
        let start = mlp.initial(&mut Stream::new(7, "initial", 0));
        std::fs::write(&path, mlp.to_npz(&start).expect("writable")).expect("a writable folder");
        let (again, point) = Mlp::from_npz(&path, Activation::Gelu).expect("readable");
        assert_eq!((&again, &point), (&mlp, &start));
        for arrays in [
            &[("bias1", &[2][..], &[0.0; 2][..])][..],
            &[("weight1", &[2, 2], &[0.0; 4])],
            &[("weight1", &[2, 2], &[0.0; 4]), ("bias1", &[3], &[0.0; 3])],
            &[("weight1", &[1, 1], &[f64::NAN]), ("bias1", &[1], &[0.0])],
            &[("weight1", &[4], &[0.0; 4]), ("bias1", &[1], &[0.0])],
        ] {
            std::fs::write(&path, npz::to_bytes(arrays).expect("writable")).expect("a writable folder");
            assert!(Mlp::from_npz(&path, Activation::Relu).is_err(), "{arrays:?}");
        }
        std::fs::remove_file(path).expect("removable");
    }
}
