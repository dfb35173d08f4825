//! Memoryless motion in a quadratic basin: the null model of a sub-diffusive fit.
//!
//! Formula:   dw = -k w dt + sqrt(2 D) dB: w(t+1) = w(t) e^-k + sqrt(D (1 - e^-2k)/k) z, exact at times 0, 1, ..., n
//! Assumes:   rates k > 0, one per coordinate; D = 1/2; the start is the minimum (at rest) or the stationary law
//! Cost:      one normal number per coordinate and step
//! Fails when never
//! Reference: \[Risken1989\]

use crate::error::{Error, Result};
use crate::math::random::Stream;

/// A maker of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct OrnsteinUhlenbeck {
    rates: Vec<f64>,
    steps: usize,
    is_stationary: bool,
}

impl OrnsteinUhlenbeck {
    /// Runs of `steps` steps with a coordinate for every rate, from the minimum or from the stationary law.
    ///
    /// # Errors
    /// When a rate is not positive.
    pub fn new(rates: Vec<f64>, steps: usize, is_stationary: bool) -> Result<Self> {
        if let Some(rate) = rates.iter().find(|rate| !(**rate > 0.0 && rate.is_finite())) {
            return Err(Error::invalid("rates", rate, "must be positive", "leave flat directions out"));
        }
        Ok(OrnsteinUhlenbeck { rates, steps, is_stationary })
    }

    /// Rates of `dimension` coordinates, drawn evenly in their logarithm.
    pub fn log_uniform_rates(dimension: usize, least: f64, greatest: f64, stream: &mut Stream) -> Vec<f64> {
        (0..dimension).map(|_| least * (greatest / least).powf(stream.uniform())).collect()
    }

    /// A run, point after point.
    pub fn run(&self, stream: &mut Stream) -> Vec<f64> {
        let dimension = self.rates.len();
        let factors: Vec<(f64, f64)> =
            self.rates.iter().map(|k| ((-k).exp(), (-(-2.0 * k).exp_m1() / (2.0 * k)).sqrt())).collect();
        let mut points = vec![0.0; (self.steps + 1) * dimension];
        if self.is_stationary {
            for (value, k) in points.iter_mut().zip(&self.rates) {
                *value = stream.normal() / (2.0 * k).sqrt();
            }
        }
        for step in 1..=self.steps {
            let (before, now) = points.split_at_mut(step * dimension);
            let before = &before[(step - 1) * dimension..];
            for ((value, old), (decay, noise)) in now.iter_mut().zip(before).zip(&factors) {
                *value = old * decay + noise * stream.normal();
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_are_those_of_the_process() {
        let (rates, steps, runs) = (vec![0.02, 0.5], 20, 20_000);
        for is_stationary in [false, true] {
            let basin = OrnsteinUhlenbeck::new(rates.clone(), steps, is_stationary).unwrap();
            let mut stream = Stream::new(2, "basin", 0);
            let mut squares = [0.0; 2];
            for _ in 0..runs {
                let run = basin.run(&mut stream);
                (0..2).for_each(|k| squares[k] += (run[2 * steps + k] - run[k]).powi(2) / f64::from(runs));
            }
            for (square, k) in squares.iter().zip(&rates) {
                let t = steps as f64;
                let exact =
                    if is_stationary { (1.0 - (-k * t).exp()) / k } else { (1.0 - (-2.0 * k * t).exp()) / (2.0 * k) };
                assert!((square / exact - 1.0).abs() < 5.0 * (2.0 / f64::from(runs)).sqrt(), "{square} {exact}");
            }
        }
        assert!(OrnsteinUhlenbeck::new(vec![0.0], 3, false).is_err());
    }
}
