//! The Caputo derivative in time: orders, time grids, schemes and memory sums (floor 1; knows time, not space).
//!
//! ```text
//! D_t^α f(t) = 1/Γ(1-α) ∫_0^t f'(s) (t-s)^(-α) ds,   0 < α < 1;   f'(t) at α = 1
//! ```

pub mod alikhanov;
pub mod convolution_quadrature;
pub mod exponential_sum;
mod l1;
pub mod memory;
pub mod time_grid;

use crate::error::{Error, Result};

pub use alikhanov::L2Sigma;
pub use convolution_quadrature::BackwardDifferences;
pub use exponential_sum::ExponentialSum;
pub use l1::{CorrectedL1, L1};
pub use memory::{DirectSum, ExponentialMemory, FftSum, MemorySum, Sharded};
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
    /// Order in 1/N in the maximum norm on steps graded with [`CaputoScheme::best_grading`], same solutions; `None` for
    /// schemes that need uniform steps.
    pub graded_order: Option<f64>,
    /// True when the solution of an M-matrix problem stays non-negative for every step.
    pub keeps_positivity: bool,
    /// Citation key.
    pub reference: &'static str,
}

/// A discretisation of the Caputo derivative as a weighted sum of increments.
///
/// ```text
/// sum_k row_k (u_k - u_(k-1)) = A [(1 - σ) u_n + σ u_(n-1)] + c_n A u_0
/// ```
///
/// with σ the evaluation offset and c_n the start correction, both zero for most schemes.
pub trait CaputoScheme: Send + Sync {
    /// Name in a problem file.
    fn name(&self) -> &'static str;

    /// What the scheme promises at this order.
    fn guarantees(&self, order: FractionalOrder) -> Guarantees;

    /// Grading r of t_n = T (n/N)^r that restores the full order for solutions like t^α; 1 for schemes that need
    /// uniform steps.
    fn best_grading(&self, order: FractionalOrder) -> f64;

    /// Part σ of the last step by which the evaluation point lies before its end (Alikhanov's; 0 for most).
    fn evaluation_offset(&self, _order: FractionalOrder) -> f64 {
        0.0
    }

    /// Coefficient c_n of A u_0 in step n = 1, 2, ... that repairs the start of rough solutions.
    fn start_correction(&self, _step: usize) -> f64 {
        0.0
    }

    /// True when the weights depend on the steps only through their number and common length.
    fn needs_uniform_steps(&self) -> bool {
        false
    }

    /// How the solution is interpolated under the integral, for memory sums that approximate the kernel; `None` for
    /// schemes that are no such integral.
    fn interpolation(&self) -> Option<Interpolation> {
        None
    }

    /// Weights of the increments over `steps` (oldest first) in the derivative at the evaluation point of the last.
    ///
    /// # Panics
    /// When the lengths differ.
    fn row(&self, order: FractionalOrder, steps: &[f64], out: &mut [f64]);

    /// Weights on uniform steps by lag, newest first, when they depend on the lag alone: the sum is a convolution.
    fn lag_weights(&self, _order: FractionalOrder, _step: f64, _count: usize) -> Option<Vec<f64>> {
        None
    }
}

/// The polynomial that stands for the solution on a past step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Through both ends of the step.
    Linear,
    /// Through both ends and the end of the next step.
    Quadratic,
}

/// Every scheme that can be named in a problem file.
pub fn all() -> Vec<Box<dyn CaputoScheme>> {
    vec![
        Box::new(L1),
        Box::new(CorrectedL1),
        Box::new(L2Sigma),
        Box::new(BackwardDifferences::SECOND),
        Box::new(BackwardDifferences::THIRD),
    ]
}

/// Row of a convolution scheme from its weights by lag.
fn row_by_lag(scheme: &dyn CaputoScheme, order: FractionalOrder, steps: &[f64], out: &mut [f64]) {
    assert_eq!(steps.len(), out.len(), "one weight per step");
    let Some(&step) = steps.last() else { return };
    debug_assert!(steps.iter().all(|other| (other / step - 1.0).abs() < 1e-6), "uniform steps");
    let weights = scheme.lag_weights(order, step, steps.len()).expect("a convolution scheme");
    out.iter_mut().rev().zip(weights).for_each(|(out, weight)| *out = weight);
}
