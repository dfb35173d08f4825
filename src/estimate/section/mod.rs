//! Fields on a section of a landscape: its loss, and the learning coefficient of what lies around every point.
//!
//! ```text
//! Section (landscape) --losses_on--> L(c)
//!                     --volume_field--> λ(c) within the section      (cheap: quadrature)
//! points of it        --chains_field--> λ(w) in the whole space       (dear: chains), compared on a coarse grid
//! ```
//!
//! **λ away from minima.** The usual estimator t (E\[L\] - L(w)) turns negative where w is above its surroundings. Here
//!
//! ```text
//! λ(w) = t ( E_w[L] - min_w L ) ≥ 0
//! ```
//!
//! with E_w over the law ∝ exp(-t L(w') - (g/2) |w' - w|²) of the points w' within reach of w, and min_w L the lowest loss
//! within the same reach. As t grows it tends to the exponent of V(ε) = vol { w' in reach : L(w') - min_w L < ε }, which at a
//! minimum is the local learning coefficient \[Watanabe2009\] \[LauMurfetWei2023\].

mod chains;
mod grid;
mod volume;
mod watched;

pub use chains::{Comparison, LocalChains, chains_field, compare};
pub use grid::{centers, losses_on, points_of, spread};
pub use volume::{LocalVolume, Window, local_volume, volume_field};
