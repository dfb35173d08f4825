//! Random directions that move every unit of a network by the same part of itself.
//!
//! Formula:   u = ξ |w|/|ξ| for the incoming weights w of every unit, ξ standard normal; 0 for biases, scales and shifts
//! Assumes:   units whose scale says nothing: a ReLU network computes the same when a unit is doubled and what it feeds halved
//! Cost:      one normal number per weight
//! Fails when a unit has no weights left: it stays where it is
//! Reference: \[LiXuTaylorStuderGoldstein2018\], who leave biases and normalisation out as well

use super::mlp::Mlp;
use crate::math::random::Stream;

impl Mlp {
    /// A random direction at `point`, normalised unit by unit; a coordinate of 1 along it moves every unit by its own norm.
    ///
    /// # Panics
    /// When `point` has another length than the parameter vector.
    pub fn filter_normalised(&self, point: &[f64], stream: &mut Stream) -> Vec<f64> {
        assert_eq!(point.len(), self.parameter_count(), "a point has one number per parameter");
        let mut direction = vec![0.0; point.len()];
        for layer in self.layers() {
            direction[layer.weights()].iter_mut().for_each(|value| *value = stream.normal());
            for unit in 0..layer.outputs {
                let weights = || layer.weights().skip(unit).step_by(layer.outputs);
                let norm = |of: &[f64]| weights().map(|k| of[k] * of[k]).sum::<f64>().sqrt();
                let (wanted, drawn) = (norm(point), norm(&direction));
                // Drawn numbers are never all zero.
                let factor = if drawn > 0.0 { wanted / drawn } else { 0.0 };
                weights().for_each(|k| direction[k] *= factor);
            }
        }
        direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;

    #[test]
    fn every_unit_moves_by_its_own_norm() {
        let mlp = Mlp::new(&[3, 7, 5, 2], Activation::Relu, true).expect("valid");
        let mut point = mlp.initial(&mut Stream::new(1, "weights", 0));
        let dead = 2;
        (0..3).for_each(|input| point[input * 7 + dead] = 0.0);
        let direction = mlp.filter_normalised(&point, &mut Stream::new(1, "section", 0));
        for array in mlp.layout() {
            let (own, along) = (&point[array.range.clone()], &direction[array.range.clone()]);
            let [inputs, units] = array.shape[..] else {
                assert!(along.iter().all(|value| *value == 0.0), "{}", array.name);
                continue;
            };
            for unit in 0..units {
                let norm = |of: &[f64]| (0..inputs).map(|k| of[k * units + unit].powi(2)).sum::<f64>().sqrt();
                assert!((norm(own) - norm(along)).abs() <= 1e-14 * norm(own), "{} {unit}", array.name);
            }
        }
        let other = mlp.filter_normalised(&point, &mut Stream::new(1, "section", 1));
        assert_ne!(direction, other);
    }
}
