//! Data that a network is trained on.

use crate::error::{Error, Result};
use crate::math::random::Stream;

/// What the samples should map to.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Class of every sample, below `count`.
    Classes {
        /// Class of sample k.
        labels: Vec<u32>,
        /// Number of classes.
        count: usize,
    },
    /// Values of every sample: (sample, output), row after row.
    Values {
        /// The numbers.
        values: Vec<f64>,
        /// Outputs per sample.
        width: usize,
    },
}

/// Samples with their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    width: usize,
    inputs: Vec<f64>,
    targets: Targets,
}

impl Dataset {
    /// `inputs` is (sample, input), row after row, `width` numbers each.
    ///
    /// # Errors
    /// When there is no sample, counts differ, a number is not finite or a label is no class.
    pub fn new(width: usize, inputs: Vec<f64>, targets: Targets) -> Result<Self> {
        let refuse = |value: String, rule: &str| Err(Error::invalid("data", value, rule, "mend the data"));
        if width == 0 || inputs.is_empty() || !inputs.len().is_multiple_of(width) {
            return refuse(format!("{} numbers", inputs.len()), &format!("a sample has {width} inputs (at least one)"));
        }
        let count = inputs.len() / width;
        let target_count = match &targets {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values { values, width } if *width > 0 && values.len().is_multiple_of(*width) => {
                values.len() / width
            }
            Targets::Values { .. } => 0,
        };
        if target_count != count {
            return refuse(format!("{target_count} targets"), &format!("there are {count} samples"));
        }
        if let Some(place) = inputs.iter().position(|value| !value.is_finite()) {
            return refuse(format!("{} in sample {}", inputs[place], place / width), "inputs must be finite");
        }
        match &targets {
            Targets::Classes { labels, count } => {
                if let Some(place) = labels.iter().position(|label| *label as usize >= *count) {
                    return refuse(
                        format!("label {} of sample {place}", labels[place]),
                        &format!("there are {count} classes, counted from 0"),
                    );
                }
            }
            Targets::Values { values, width } => {
                if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                    return refuse(format!("{} in target {}", values[place], place / width), "targets must be finite");
                }
            }
        }
        Ok(Dataset { width, inputs, targets })
    }

    /// Number n of samples.
    pub fn sample_count(&self) -> usize {
        self.inputs.len() / self.width
    }

    /// Inputs per sample.
    pub fn input_width(&self) -> usize {
        self.width
    }

    /// Outputs that a network for this data has: classes, or target values per sample.
    pub fn output_width(&self) -> usize {
        match &self.targets {
            Targets::Classes { count, .. } => *count,
            Targets::Values { width, .. } => *width,
        }
    }

    /// Inputs (sample, input), row after row.
    pub fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    /// The targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Two half circles that interleave, as scikit-learn draws them: the outer one (cos θ, sin θ), class 0, the inner one
    /// (1 - cos θ, 1/2 - sin θ), class 1, θ equally spaced on [0, π], all coordinates with normal noise, in random order.
    ///
    /// # Errors
    /// When there are fewer than two samples, or the noise is negative or not finite.
    pub fn two_moons(samples: usize, noise: f64, stream: &mut Stream) -> Result<Self> {
        if samples < 2 {
            return Err(Error::invalid("data.samples", samples, "two moons need a sample each", "use samples = 1000"));
        }
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::invalid("data.noise", noise, "a standard deviation is at least 0", "use noise = 0.1"));
        }
        let outer = samples / 2;
        let mut points: Vec<([f64; 2], u32)> = (0..samples)
            .map(|sample| {
                let (place, count) = if sample < outer { (sample, outer) } else { (sample - outer, samples - outer) };
                let angle = std::f64::consts::PI * place as f64 / (count.max(2) - 1) as f64;
                let (sine, cosine) = angle.sin_cos();
                if sample < outer { ([cosine, sine], 0) } else { ([1.0 - cosine, 0.5 - sine], 1) }
            })
            .collect();
        stream.shuffle(&mut points);
        let inputs = points.iter().flat_map(|(point, _)| *point).map(|value| value + noise * stream.normal()).collect();
        let labels = points.iter().map(|(_, label)| *label).collect();
        Dataset::new(2, inputs, Targets::Classes { labels, count: 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moons_without_noise_lie_on_their_circles() {
        let data = Dataset::two_moons(101, 0.0, &mut Stream::new(1, "data", 0)).expect("valid");
        let Targets::Classes { labels, count: 2 } = data.targets() else { panic!("classes") };
        assert_eq!(labels.iter().filter(|label| **label == 0).count(), 50);
        for (point, label) in data.inputs().chunks_exact(2).zip(labels) {
            let (x, y) = if *label == 0 { (point[0], point[1]) } else { (1.0 - point[0], 0.5 - point[1]) };
            assert!((x.hypot(y) - 1.0).abs() < 1e-12 && y > -1e-12, "{point:?}");
        }
    }

    #[test]
    fn impossible_data_is_refused() {
        let classes = |labels: &[u32]| Targets::Classes { labels: labels.to_vec(), count: 2 };
        assert!(Dataset::new(1, vec![1.0, 2.0], classes(&[0, 1])).is_ok());
        assert!(Dataset::new(1, vec![1.0, 2.0], classes(&[0])).is_err());
        assert!(Dataset::new(1, vec![1.0, 2.0], classes(&[0, 2])).is_err());
        assert!(Dataset::new(1, vec![1.0, f64::NAN], classes(&[0, 1])).is_err());
        assert!(Dataset::new(2, vec![1.0, 2.0, 3.0], classes(&[0])).is_err());
        assert!(Dataset::two_moons(10, -1.0, &mut Stream::new(1, "data", 0)).is_err());
    }
}
