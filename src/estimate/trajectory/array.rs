//! A trajectory in memory.

use super::Trajectory;
use crate::error::{Error, Result};

/// Points of one run, all of them in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct PointArray {
    times: Vec<f64>,
    dimension: usize,
    /// Point after point.
    points: Vec<f64>,
}

impl PointArray {
    /// `points` holds one point after another, as many as `times`.
    ///
    /// # Errors
    /// When there are no points, the numbers do not divide among them, times do not increase or a number is not finite.
    pub fn new(times: Vec<f64>, points: Vec<f64>) -> Result<Self> {
        let increases = times.windows(2).all(|pair| pair[0] < pair[1]) && times.iter().all(|time| time.is_finite());
        if times.is_empty() || !increases {
            let value = format!("{} times", times.len());
            return Err(Error::invalid(
                "time",
                value,
                "finite, increasing and at least one",
                "sort the points by step",
            ));
        }
        if points.is_empty() || !points.len().is_multiple_of(times.len()) {
            let value = format!("{} numbers", points.len());
            let rule = format!("{} points of one length", times.len());
            return Err(Error::invalid("points", value, rule, "give every point the same number of parameters"));
        }
        let dimension = points.len() / times.len();
        if let Some(place) = points.iter().position(|value| !value.is_finite()) {
            let name = format!("points[{}][{}]", place / dimension, place % dimension);
            return Err(Error::invalid(name, points[place], "must be finite", "leave out what comes after it"));
        }
        Ok(PointArray { times, dimension, points })
    }

    /// Point number `point`.
    ///
    /// # Panics
    /// When it does not exist.
    pub fn point(&self, point: usize) -> &[f64] {
        &self.points[point * self.dimension..][..self.dimension]
    }
}

impl Trajectory for PointArray {
    fn times(&self) -> &[f64] {
        &self.times
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn read(&self, point: usize, first: usize, out: &mut [f64]) -> Result<()> {
        out.copy_from_slice(&self.point(point)[first..first + out.len()]);
        Ok(())
    }
}
