//! How a run moves: the exponent of its displacement, what it is worth, and which process explains it.
//!
//! ```text
//! Observations (one run, many runs, a table) --diagnose--> Diagnosis: fits, sensitivity, phases, models, ergodicity, words
//! slope + learning coefficient --dimensions--> spectral dimension, log10 D_ξ
//! ```
//!
//! The derivations are in [`crate::guide::displacement`].

mod diagnosis;
mod dimensions;
mod layout;
mod moments;
mod observations;
mod table_one;

pub use diagnosis::{
    Comparison, Curves, Diagnosis, Ergodicity, Family, Finding, InputSummary, Interval, ModelFit, Parameter, Phase,
    PhaseKind, PowerLawFit, Sensitivity,
};
pub use dimensions::{Convention, Dimensions, LENGTH_DEGREE, dimensions};
pub use observations::{Ensemble, Observations, Settings};
pub use table_one::{SCALE, TableOneRow, table_one};
