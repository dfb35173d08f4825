//! A walk with waiting times of infinite mean.
//!
//! Formula:   P(wait > t) = (t/τ)^-order for t > τ; a normal jump of variance 1 after every wait; read at times 0, 1, ..., n
//! Assumes:   0 < order < 1
//! Cost:      about (n/τ)^order jumps
//! Fails when the first steps are compared to the limit law with a τ that is not small: MSD ~ t^order from t >> τ on
//! Reference: \[MetzlerJeonCherstvyBarkai2014\]

use crate::error::{Error, Result};
use crate::math::random::Stream;

/// A maker of walks.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingTimes {
    /// Exponent of the waiting times, and of the mean squared displacement.
    order: f64,
    /// Shortest wait τ in steps.
    shortest: f64,
    steps: usize,
}

impl WaitingTimes {
    /// Walks of `steps` steps; no wait is shorter than `shortest` steps.
    ///
    /// # Errors
    /// When the order is not between 0 and 1 or the shortest wait is not positive.
    pub fn new(order: f64, shortest: f64, steps: usize) -> Result<Self> {
        if !(order > 0.0 && order < 1.0) {
            return Err(Error::invalid("order", order, "must be between 0 and 1", "from 1 on the mean wait is finite"));
        }
        if !(shortest > 0.0 && shortest.is_finite()) {
            return Err(Error::invalid("shortest", shortest, "must be positive", "take 0.01"));
        }
        Ok(WaitingTimes { order, shortest, steps })
    }

    /// A run of `dimension` coordinates that jump together, point after point.
    pub fn run(&self, dimension: usize, stream: &mut Stream) -> Vec<f64> {
        let mut points = vec![0.0; (self.steps + 1) * dimension];
        let mut place = vec![0.0; dimension];
        let mut jump = 0.0;
        for (step, point) in points.chunks_exact_mut(dimension).enumerate() {
            loop {
                if jump > step as f64 {
                    break;
                }
                if jump > 0.0 {
                    place.iter_mut().for_each(|value| *value += stream.normal());
                }
                jump += self.shortest * (1.0 - stream.uniform()).powf(-1.0 / self.order);
            }
            point.copy_from_slice(&place);
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::special::gamma;

    #[test]
    fn the_number_of_jumps_grows_as_the_renewal_theorem_says() {
        // E N(t) ~ t^a / (τ^a Γ(1-a) Γ(1+a)); E |x|² = E N.
        let (order, shortest, steps, runs) = (0.6, 0.001, 50, 4000);
        let walk = WaitingTimes::new(order, shortest, steps).unwrap();
        let mut stream = Stream::new(5, "ctrw", 0);
        let mean: f64 = (0..runs).map(|_| walk.run(1, &mut stream)[steps].powi(2)).sum::<f64>() / f64::from(runs);
        let exact = (steps as f64 / shortest).powf(order) / (gamma(1.0 - order) * gamma(1.0 + order));
        // x² has a standard deviation of about twice its mean: 3 % over 4000 runs, three of them.
        assert!((mean / exact - 1.0).abs() < 0.1, "{mean} {exact}");
        assert!(WaitingTimes::new(1.0, 0.1, 5).is_err() && WaitingTimes::new(0.5, 0.0, 5).is_err());
    }
}
