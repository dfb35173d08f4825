//! The true map of a linear network, and weights that represent it exactly.

use crate::error::{Error, Result};
use crate::math::random::Stream;

/// A matrix W* = Σ s_i u_i v_iᵀ, (input, output), with orthonormal u and v.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueMap {
    singular_values: Vec<f64>,
    /// Orthonormal basis of the inputs, the first ones are the u: (vector, input).
    inputs: Vec<Vec<f64>>,
    /// Orthonormal basis of the outputs, the first ones are the v: (vector, output).
    outputs: Vec<Vec<f64>>,
}

impl TrueMap {
    /// The map with these singular values on its diagonal; its rank is their number.
    ///
    /// # Errors
    /// When there are no inputs or outputs, more singular values than either, or one is not positive and finite.
    pub fn diagonal(inputs: usize, outputs: usize, singular_values: &[f64]) -> Result<Self> {
        check(inputs, outputs, singular_values)?;
        let unit = |size: usize| (0..size).map(|k| (0..size).map(|i| f64::from(u8::from(i == k))).collect()).collect();
        Ok(TrueMap { singular_values: singular_values.to_vec(), inputs: unit(inputs), outputs: unit(outputs) })
    }

    /// A map with these singular values between directions drawn uniformly.
    ///
    /// # Errors
    /// As for [`TrueMap::diagonal`].
    pub fn random(inputs: usize, outputs: usize, singular_values: &[f64], stream: &mut Stream) -> Result<Self> {
        check(inputs, outputs, singular_values)?;
        let (inputs, outputs) = (frame(inputs, stream), frame(outputs, stream));
        Ok(TrueMap { singular_values: singular_values.to_vec(), inputs, outputs })
    }

    /// Rank r of the map.
    pub fn rank(&self) -> usize {
        self.singular_values.len()
    }

    /// Number of inputs.
    pub fn input_width(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs.
    pub fn output_width(&self) -> usize {
        self.outputs.len()
    }

    /// The matrix (input, output), row after row.
    pub fn matrix(&self) -> Vec<f64> {
        let width = self.outputs.len();
        let mut matrix = vec![0.0; self.inputs.len() * width];
        for ((value, u), v) in self.singular_values.iter().zip(&self.inputs).zip(&self.outputs) {
            for (row, x) in matrix.chunks_exact_mut(width).zip(u) {
                row.iter_mut().zip(v).for_each(|(entry, y)| *entry += value * x * y);
            }
        }
        matrix
    }

    /// Weights of all layers, each (in, out), whose product is the map and that all have its rank: hidden unit i carries
    /// direction i, all others are zero. `widths` are those of a network for this map.
    pub(super) fn start(&self, widths: &[usize]) -> Vec<f64> {
        let depth = widths.len() - 1;
        let mut layers = zeros(widths);
        for (k, value) in self.singular_values.iter().enumerate() {
            let share = value.powf(1.0 / depth as f64);
            for (layer, (weights, pair)) in layers.iter_mut().zip(widths.windows(2)).enumerate() {
                let input: Vec<f64> = if layer == 0 { self.inputs[k].clone() } else { unit(pair[0], k) };
                let output: Vec<f64> = if layer + 1 == depth { self.outputs[k].clone() } else { unit(pair[1], k) };
                add_outer(weights, share, &input, &output);
            }
        }
        layers.concat()
    }

    /// Weights of two layers whose product is the map, the first of rank a, the second of rank b, where singular values
    /// beyond the map's are `extra`: these directions leave the inputs and reach no output, or come from no input.
    pub(super) fn stratum(&self, widths: &[usize], a: usize, b: usize, extra: f64) -> Result<Vec<f64>> {
        let &[inputs, hidden, outputs] = widths else {
            let rule = "ranks of strata are known for two layers";
            return Err(Error::invalid("widths", format!("{widths:?}"), rule, "use one hidden layer"));
        };
        let rank = self.rank();
        if a < rank || b < rank || a > inputs || b > outputs || a + b - rank > hidden {
            return Err(Error::invalid(
                "stratum",
                format!("({a}, {b})"),
                format!(
                    "both ranks are at least {rank}, at most {inputs} and {outputs}, their sum at most {}",
                    hidden + rank
                ),
                "choose other ranks",
            ));
        }
        if !(extra > 0.0 && extra.is_finite()) {
            return Err(Error::invalid("extra", extra, "a singular value is positive and finite", "use 1"));
        }
        let mut point = self.start(widths);
        let (first, second) = point.split_at_mut(inputs * hidden);
        for k in rank..a {
            add_outer(first, extra, &self.inputs[k], &unit(hidden, k));
        }
        for k in rank..b {
            add_outer(second, extra, &unit(hidden, a + k - rank), &self.outputs[k]);
        }
        Ok(point)
    }
}

fn check(inputs: usize, outputs: usize, singular_values: &[f64]) -> Result<()> {
    let refuse = |rule: String| {
        Err(Error::invalid("singular_values", format!("{singular_values:?}"), rule, "change the true map"))
    };
    if inputs == 0 || outputs == 0 || singular_values.len() > inputs.min(outputs) {
        return refuse(format!("a map from {inputs} inputs to {outputs} outputs has rank at most the smaller number"));
    }
    if singular_values.iter().any(|value| !(*value > 0.0 && value.is_finite())) {
        return refuse("singular values are positive and finite".into());
    }
    Ok(())
}

/// Orthonormal vectors, uniform among all frames.
fn frame(size: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(size);
    while vectors.len() < size {
        let mut vector: Vec<f64> = (0..size).map(|_| stream.normal()).collect();
        // Twice: once leaves rounding of the size of what was taken away.
        for _ in 0..2 {
            for other in &vectors {
                let share: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        // A direction that was nearly there already is drawn again.
        if length > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= length);
            vectors.push(vector);
        }
    }
    vectors
}

fn unit(size: usize, k: usize) -> Vec<f64> {
    let mut vector = vec![0.0; size];
    vector[k] = 1.0;
    vector
}

fn zeros(widths: &[usize]) -> Vec<Vec<f64>> {
    widths.windows(2).map(|pair| vec![0.0; pair[0] * pair[1]]).collect()
}

/// weights += factor · input outputᵀ.
fn add_outer(weights: &mut [f64], factor: f64, input: &[f64], output: &[f64]) {
    for (row, x) in weights.chunks_exact_mut(output.len()).zip(input) {
        row.iter_mut().zip(output).for_each(|(weight, y)| *weight += factor * x * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_maps_have_their_singular_values() {
        let map = TrueMap::random(4, 3, &[3.0, 0.5], &mut Stream::new(1, "map", 0)).expect("valid");
        let matrix = map.matrix();
        // |W*|² and |W*ᵀ W*|² are sums of s² and s⁴.
        let square: f64 = matrix.iter().map(|x| x * x).sum();
        assert!((square - 9.25).abs() < 1e-12, "{square}");
        let mut fourth = 0.0;
        for i in 0..3 {
            for j in 0..3 {
                let entry: f64 = matrix.chunks_exact(3).map(|row| row[i] * row[j]).sum();
                fourth += entry * entry;
            }
        }
        assert!((fourth - 81.0625).abs() < 1e-11, "{fourth}");
    }

    #[test]
    fn impossible_maps_and_strata_are_refused() {
        assert!(TrueMap::diagonal(2, 3, &[1.0; 3]).is_err());
        assert!(TrueMap::diagonal(2, 3, &[0.0]).is_err());
        assert!(TrueMap::diagonal(0, 3, &[]).is_err());
        let map = TrueMap::diagonal(5, 5, &[1.0]).expect("valid");
        for (a, b) in [(0, 1), (3, 2), (6, 1), (1, 4)] {
            assert!(map.stratum(&[5, 3, 5], a, b, 1.0).is_err(), "{a} {b}");
        }
        assert!(map.stratum(&[5, 3, 5], 3, 1, 0.0).is_err());
        assert!(map.stratum(&[5, 3, 3, 5], 1, 1, 1.0).is_err());
    }
}
