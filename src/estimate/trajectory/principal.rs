//! Principal directions of a run, from the inner products of its points.
//!
//! Formula:   G centred about the mean point = U S Uᵀ; direction k is Σ_i U_ik (w_i - mean) / sqrt(S_k)
//! Assumes:   at least one point away from the mean
//! Cost:      T³
//! Fails when the points are one point: there is no direction

use faer::{Mat, Side};

use super::Gram;
use crate::error::{Error, Result};

/// Share of the largest variance below which a direction is rounding.
const ROUNDING: f64 = 1e-13;

/// Principal directions of a run, the largest variance first.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// Share of the variance about the mean point that every direction explains.
    pub explained: Vec<f64>,
    /// Direction k is Σ_i weights\[k\]\[i\] w_i, of length 1; the weights sum to 0.
    pub weights: Vec<Vec<f64>>,
    /// Place of every point along every direction, from the mean point \[w\].
    pub coordinates: Vec<Vec<f64>>,
}

impl Principal {
    /// At most `count` directions. The sign of a direction makes its last point's place positive.
    ///
    /// # Errors
    /// When all points are one, or the products are not finite.
    pub fn of(gram: &Gram, count: usize) -> Result<Self> {
        let size = gram.times().len();
        let products = gram.products();
        let row_means: Vec<f64> =
            (0..size).map(|i| products[i * size..][..size].iter().sum::<f64>() / size as f64).collect();
        let mean = row_means.iter().sum::<f64>() / size as f64;
        let centred = Mat::from_fn(size, size, |i, j| products[i * size + j] - row_means[i] - row_means[j] + mean);
        let eigen = centred
            .self_adjoint_eigen(Side::Lower)
            .map_err(|reason| Error::NotFinite { stage: format!("principal directions ({reason:?})") })?;
        let (vectors, variances) = (eigen.U(), eigen.S().column_vector());
        let total: f64 = (0..size).map(|k| variances[k].max(0.0)).sum();
        let largest = if size > 0 { variances[size - 1] } else { 0.0 };
        if largest.is_nan() || largest <= 0.0 {
            let rule = "the points of the trajectory are all the same";
            return Err(Error::invalid("trajectory", format!("{size} points"), rule, "take more steps between them"));
        }
        let mut found = Principal { explained: Vec::new(), weights: Vec::new(), coordinates: Vec::new() };
        for k in (0..size).rev().take(count).filter(|k| variances[*k] > ROUNDING * largest) {
            let root = variances[k].sqrt();
            let sign = if vectors[(size - 1, k)] < 0.0 { -1.0 } else { 1.0 };
            let vector: Vec<f64> = (0..size).map(|i| sign * vectors[(i, k)]).collect();
            let mean = vector.iter().sum::<f64>() / size as f64;
            found.explained.push(variances[k] / total);
            found.weights.push(vector.iter().map(|value| (value - mean) / root).collect());
            found.coordinates.push(vector.iter().map(|value| value * root).collect());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PointArray, Trajectory};
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn directions_are_orthonormal_and_carry_the_points() {
        let mut stream = Stream::new(1, "principal", 0);
        let (count, dimension) = (9, 30);
        let points: Vec<f64> = (0..count * dimension).map(|_| 3.0 + stream.normal()).collect();
        let run = PointArray::new((0..count).map(|t| t as f64).collect(), points).expect("valid");
        let found = Principal::of(&Gram::of(&run, 4).expect("readable"), count).expect("different points");
        assert_eq!(found.explained.len(), count - 1, "the mean takes one direction away");
        assert!((found.explained.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let directions: Vec<Vec<f64>> = found
            .weights
            .iter()
            .map(|weights| {
                (0..dimension).map(|k| (0..count).map(|i| weights[i] * run.point(i)[k]).sum()).collect::<Vec<f64>>()
            })
            .collect();
        for (i, a) in directions.iter().enumerate() {
            for (j, b) in directions.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-10, "{i} {j} {product}");
            }
        }
        for point in 0..count {
            for k in 0..dimension {
                let mean = (0..count).map(|i| run.point(i)[k]).sum::<f64>() / count as f64;
                let again: f64 = directions.iter().zip(&found.coordinates).map(|(d, c)| d[k] * c[point]).sum();
                assert!((mean + again - run.point(point)[k]).abs() < 1e-10);
            }
        }
        assert_eq!(run.times().len(), count);
    }
}
