//! One input, one hidden layer, one output, and a true function that is zero: a singular loss with exact expectations.
//!
//! Formula:   K = E\[y²\] / 2, y = Σ a_h f(b_h x), x ~ N(0, 1)
//! Assumes:   f is ReLU, where K = (s₊² + s₋²)/4 with s± the sum of a_h b_h over b_h of either sign, or tanh
//! Order:     ReLU exact; tanh by the midpoint rule, whose error is about a² exp(-6 π²/|b|): tanh² has a pole at iπ/(2b)
//! Cost:      tanh: an exponential and 48 divisions per unit
//! Reference: \[AoyagiNagata2012\] for the learning coefficients
//!
//! A point is a_1 ... a_H, then b_1 ... b_H.

use super::Activation;
use crate::error::{Error, Result};
use crate::landscape::{Differentiable, Landscape, Sampled};

/// Nodes x > 0 of the rule for tanh; y² is even.
const NODES: usize = 48;
/// Distance of the nodes: the last one is beyond all weight.
const SPACING: f64 = 1.0 / 6.0;

/// The expected loss of a network with one hidden layer, against the true function zero.
#[derive(Clone, Debug)]
pub struct OneHidden {
    hidden: usize,
    activation: Activation,
    sample_count: usize,
    /// Weights of the nodes.
    weights: [f64; NODES],
}

impl OneHidden {
    /// A network of `hidden` units whose expected loss stands for `sample_count` samples.
    ///
    /// # Errors
    /// When there is no unit or no sample, or the activation is neither ReLU nor tanh.
    pub fn population(hidden: usize, activation: Activation, sample_count: usize) -> Result<Self> {
        if hidden == 0 {
            return Err(Error::invalid("hidden", 0, "there is a hidden unit at least", "use 1"));
        }
        if sample_count == 0 {
            return Err(Error::invalid("sample_count", 0, "there must be a sample", "use 1000"));
        }
        if !matches!(activation, Activation::Relu | Activation::Tanh) {
            let rule = "the expectation is known for relu and tanh";
            return Err(Error::invalid("activation", activation.name(), rule, "use \"tanh\""));
        }
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let weights = std::array::from_fn(|k| 2.0 * SPACING * density(node(k)));
        Ok(OneHidden { hidden, activation, sample_count, weights })
    }

    /// K, and its gradient into `gradient` (length 2 H).
    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        match self.activation {
            Activation::Relu => self.evaluate_relu(point, gradient),
            _ => self.evaluate_tanh(point, gradient),
        }
    }

    fn evaluate_relu(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (outer, inner) = point.split_at(self.hidden);
        // Units of opposite signs are never active together.
        let mut sums = [0.0; 2];
        for (a, b) in outer.iter().zip(inner) {
            sums[usize::from(*b < 0.0)] += a * b;
        }
        let (by_outer, by_inner) = gradient.split_at_mut(self.hidden);
        for (((a, b), by_a), by_b) in outer.iter().zip(inner).zip(by_outer).zip(by_inner) {
            let half = 0.5 * sums[usize::from(*b < 0.0)];
            // At b = 0 the slope is that of a unit which is not active, as everywhere in this crate.
            (*by_a, *by_b) = (half * b, if *b == 0.0 { 0.0 } else { half * a });
        }
        0.25 * (sums[0] * sums[0] + sums[1] * sums[1])
    }

    fn evaluate_tanh(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (outer, inner) = point.split_at(self.hidden);
        let mut output = [0.0; NODES];
        for (a, b) in outer.iter().zip(inner) {
            let values = tanh_at_nodes(*b);
            output.iter_mut().zip(&values).for_each(|(y, value)| *y += a * value);
        }
        let mut loss = 0.0;
        for (y, weight) in output.iter_mut().zip(&self.weights) {
            loss += 0.5 * weight * *y * *y;
            *y *= weight;
        }
        let (by_outer, by_inner) = gradient.split_at_mut(self.hidden);
        for (((a, b), by_a), by_b) in outer.iter().zip(inner).zip(by_outer).zip(by_inner) {
            let values = tanh_at_nodes(*b);
            (*by_a, *by_b) = (0.0, 0.0);
            for (k, (y, value)) in output.iter().zip(&values).enumerate() {
                *by_a += y * value;
                *by_b += y * (1.0 - value * value) * node(k);
            }
            *by_b *= a;
        }
        loss
    }
}

fn node(k: usize) -> f64 {
    (k as f64 + 0.5) * SPACING
}

/// tanh(b x) at all nodes: powers of one exponential, to some 1e-15 (not relative to small values).
fn tanh_at_nodes(b: f64) -> [f64; NODES] {
    let factor = (-2.0 * b.abs() * SPACING).exp();
    let mut power = factor.sqrt();
    std::array::from_fn(|_| {
        let value = (1.0 - power) / (1.0 + power);
        power *= factor;
        value.copysign(b)
    })
}

impl Landscape for OneHidden {
    fn dimension(&self) -> usize {
        2 * self.hidden
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.evaluate(point, &mut vec![0.0; 2 * self.hidden])
    }
}

impl Differentiable for OneHidden {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        self.evaluate(point, out);
    }
}

impl Sampled for OneHidden {
    fn sample_count(&self) -> usize {
        self.sample_count
    }

    fn batch_gradient(&self, point: &[f64], _: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        self.evaluate(point, gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn network(hidden: usize, activation: Activation) -> OneHidden {
        OneHidden::population(hidden, activation, 100).expect("valid")
    }

    /// K by a fine midpoint rule on both sides of zero.
    fn by_definition(activation: Activation, point: &[f64]) -> f64 {
        let (outer, inner) = point.split_at(point.len() / 2);
        let step = 1e-3;
        let share = |k: i32| {
            let x = (f64::from(k) + 0.5) * step;
            let y: f64 = outer.iter().zip(inner).map(|(a, b)| a * activation.evaluate(b * x).0).sum();
            0.5 * step * y * y * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
        };
        (-10_000..10_000).map(share).sum()
    }

    #[test]
    fn losses_are_expectations_and_gradients_their_slopes() {
        let mut stream = Stream::new(3, "point", 0);
        for activation in [Activation::Relu, Activation::Tanh] {
            for hidden in [1, 2, 5] {
                let network = network(hidden, activation);
                let point: Vec<f64> = (0..2 * hidden).map(|_| stream.normal()).collect();
                let (loss, expected) = (network.loss(&point), by_definition(activation, &point));
                assert!((loss - expected).abs() < 1e-6 * (1.0 + expected), "{activation:?}: {loss} {expected}");
                let mut gradient = vec![f64::NAN; 2 * hidden];
                assert_eq!(network.batch_gradient(&point, None, &mut gradient), loss);
                for (k, slope) in gradient.iter().enumerate() {
                    let at = |change: f64| {
                        let mut moved = point.clone();
                        moved[k] += change;
                        network.loss(&moved)
                    };
                    let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!((slope - expected).abs() < 1e-8, "{activation:?} {k}: {slope} {expected}");
                }
            }
        }
    }

    #[test]
    fn steep_units_keep_their_digits() {
        for (b, allowance) in [(1.0, 1e-12), (2.5, 1e-9), (4.0, 1e-5)] {
            let (loss, expected) =
                (network(1, Activation::Tanh).loss(&[1.0, b]), by_definition(Activation::Tanh, &[1.0, b]));
            assert!((loss - expected).abs() < allowance, "b = {b}: {loss} {expected}");
        }
        assert_eq!(network(1, Activation::Relu).loss(&[2.0, 3.0]), 9.0);
    }

    #[test]
    fn other_networks_are_refused() {
        assert!(OneHidden::population(0, Activation::Tanh, 1).is_err());
        assert!(OneHidden::population(1, Activation::Tanh, 0).is_err());
        assert!(OneHidden::population(1, Activation::Gelu, 1).is_err());
    }
}
