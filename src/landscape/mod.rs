//! Landscapes: a loss L(w) at a point w of R^d.
//!
//! One trait serves the equation, the optimisers and the learning coefficient, so an analytic well with a known
//! answer runs through the same code as a trained network.

pub mod analytic;
pub mod expression;
pub mod grid;
pub mod parameters;
pub mod sampled;
pub mod section;

use crate::error::{Error, Result};

pub use analytic::Analytic;
pub use expression::{ExpressionLandscape, Formula};
pub use grid::{GridField, GridLandscape};
pub use sampled::{Batch, LANES, Lanes, Population, Sampled, WalkerBlock};
pub use section::Section;

/// A loss L(w) on R^d. Losses are in \[loss\], positions in \[w\].
pub trait Landscape: Send + Sync {
    /// Number of coordinates d of a point.
    fn dimension(&self) -> usize;

    /// Loss at `point` (length d). Not a number outside the range where the landscape is known.
    fn loss(&self, point: &[f64]) -> f64;

    /// Losses at many points: `points` is (count, d), row after row; `out` has length count and is overwritten.
    ///
    /// # Errors
    /// Names the first point whose loss is not finite.
    fn losses(&self, points: &[f64], out: &mut [f64]) -> Result<()> {
        let dimension = self.dimension();
        assert_eq!(points.len(), out.len() * dimension, "points must be (count, dimension)");
        for (point, value) in points.chunks_exact(dimension).zip(out.iter_mut()) {
            *value = self.loss(point);
            if !value.is_finite() {
                return Err(Error::invalid(
                    "landscape",
                    format!("{value} at w = {point:?}"),
                    "the loss must be a finite number in every cell of the domain",
                    "change the landscape or shrink the domain",
                ));
            }
        }
        Ok(())
    }
}

/// A landscape whose gradient is known.
pub trait Differentiable: Landscape {
    /// Gradient of the loss at `point`; `out` (length d) is overwritten.
    fn gradient(&self, point: &[f64], out: &mut [f64]);
}
