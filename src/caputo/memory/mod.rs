//! Memory sums: what the past increments contribute to the Caputo derivative at the next time.
//!
//! | sum | cost for N steps | memory | steps |
//! |---|---|---|---|
//! | [`DirectSum`] | N² | N | any: the oracle |
//! | [`ExponentialMemory`] | N log N | log N | any; schemes that integrate an interpolant; to a tolerance |
//! | [`Sharded`] | that of its parts, on several threads | that of its parts | those of its parts |
//! | [`FftSum`] | N log² N | about 2.5 N | uniform, schemes whose weights depend on the lag |

mod direct;
mod exponentials;
mod fft;
mod sharded;

pub use direct::DirectSum;
pub use exponentials::ExponentialMemory;
pub use fft::FftSum;
pub use sharded::Sharded;

/// The history of increments of a vector, summed with the weights of a scheme.
///
/// `history` leaves no trace, so a rejected step costs nothing; `push` is called for accepted steps only.
pub trait MemorySum: Send + Sync {
    /// Overwrites `out` with the sum over all past increments for a next step of length `next_step`, and returns
    /// the weight of that next step's own increment.
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64;

    /// Accepts an increment over a step.
    fn push(&mut self, increment: &[f64], step: f64);

    /// About how many operations the next [`MemorySum::history`] and the next [`MemorySum::push`] take.
    fn flops_ahead(&self) -> (u64, u64);

    /// Floating-point operations of the sums of all accepted steps.
    fn flops(&self) -> u64;

    /// Bytes held.
    fn bytes(&self) -> u64;
}
