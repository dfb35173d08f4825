//! Checkpoints of a training as arrays.
//!
//! | array | shape | holds |
//! |---|---|---|
//! | `step` | (T) | steps, increasing |
//! | `parameters` | (T, d) | the weights at each |

use crate::error::Result;
use crate::formats::npz;

/// Name of the checkpoints in a results folder.
pub const TRAJECTORY_FILE: &str = "trajectory.npz";

/// Arrays `step` and `parameters` as an npz archive; `parameters` holds one point after another.
///
/// # Errors
/// When the archive cannot be made.
///
/// # Panics
/// When the numbers do not divide among the steps.
pub fn trajectory_npz(steps: &[f64], parameters: &[f64]) -> Result<Vec<u8>> {
    let shape = [steps.len(), parameters.len() / steps.len().max(1)];
    npz::to_bytes(&[("step", &[steps.len()], steps), ("parameters", &shape, parameters)])
}
