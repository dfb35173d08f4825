//! Points of a run in the order of its steps, and what follows from their inner products alone.
//!
//! ```text
//! Trajectory --Gram::of, one pass--> Gram --> squared distances of every pair, R(t) from every origin, principal directions
//!            --displacement--> R(t) from one origin, as fast as the points can be read
//! ```

mod array;
mod checkpoints;
mod displacement;
mod gram;
mod principal;

pub use array::PointArray;
pub use displacement::displacement;
pub use gram::Gram;
pub use principal::Principal;

use crate::error::{Error, Result};

/// Points of one run. They may be larger than memory: they are read some parameters at a time.
pub trait Trajectory: Sync {
    /// The step (or time) of every point, increasing.
    fn times(&self) -> &[f64];

    /// Number of parameters d of a point.
    fn dimension(&self) -> usize;

    /// Parameters `first..first + out.len()` of point number `point`.
    ///
    /// # Errors
    /// When the point cannot be read or holds a number that is not finite.
    ///
    /// # Panics
    /// When the point or the parameters do not exist.
    fn read(&self, point: usize, first: usize, out: &mut [f64]) -> Result<()>;
}

/// Threads that read and multiply.
fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
    built.map_err(|reason| Error::invalid("threads", threads, format!("cannot be started ({reason})"), "use fewer"))
}
