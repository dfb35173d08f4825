//! The Caputo derivative in time: orders, time grids, schemes and memory sums (floor 1; knows time, not space).
//!
//! ```text
//! D_t^α f(t) = 1/Γ(1-α) ∫_0^t f'(s) (t-s)^(-α) ds,   0 < α < 1;   f'(t) at α = 1
//! ```

pub mod l1;
pub mod memory;
pub mod time_grid;

use crate::error::{Error, Result};

pub use l1::L1;
pub use memory::{DirectSum, MemorySum};
pub use time_grid::TimeGrid;

/// A Caputo order 0 < α <= 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct FractionalOrder(f64);

impl FractionalOrder {
    /// α = `value`.
    ///
    /// # Errors
    /// When the value is outside (0, 1].
    pub fn new(value: f64) -> Result<Self> {
        if value > 0.0 && value <= 1.0 {
            return Ok(FractionalOrder(value));
        }
        Err(Error::invalid(
            "dynamics.order",
            value,
            "the Caputo order must satisfy 0 < order <= 1",
            "use order = 1.0 for the ordinary equation",
        ))
    }

    /// The number α.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What a scheme promises; the convergence tests hold it to its word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guarantees {
    /// Order in the step for solutions with bounded derivatives.
    pub smooth_order: f64,
    /// Order in 1/N at the end time on uniform steps for solutions that behave like t^α at the start.
    pub rough_order: f64,
    /// Order in 1/N in the maximum norm on steps graded with [`CaputoScheme::best_grading`], same solutions.
    pub graded_order: f64,
    /// True when the solution of an M-matrix problem stays non-negative for every step.
    pub keeps_positivity: bool,
    /// Citation key.
    pub reference: &'static str,
}

/// A discretisation of the Caputo derivative as a weighted sum of increments, on any steps.
pub trait CaputoScheme: Send + Sync {
    /// Name in a problem file.
    fn name(&self) -> &'static str;

    /// What the scheme promises at this order.
    fn guarantees(&self, order: FractionalOrder) -> Guarantees;

    /// Grading r of t_n = T (n/N)^r that restores the full order for solutions like t^α.
    fn best_grading(&self, order: FractionalOrder) -> f64;

    /// Part of the last step by which the evaluation point lies before its end (Alikhanov's sigma; 0 for most).
    fn evaluation_offset(&self, _order: FractionalOrder) -> f64 {
        0.0
    }

    /// Weights of the increments over `steps` (oldest first) in the derivative at the end of the last step.
    ///
    /// # Panics
    /// When the lengths differ.
    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]);
}

/// Every scheme that can be named in a problem file.
pub fn all() -> Vec<Box<dyn CaputoScheme>> {
    vec![Box::new(L1)]
}
