//! How a run moves: the exponent of its displacement, what it is worth, and which process explains it.
//!
//! ```text
//! Observations (one run, many runs, a table) --diagnose--> Diagnosis: fits, sensitivity, phases, models, ergodicity, words
//! slope + learning coefficient --dimensions--> spectral dimension, log10 D_ξ
//! ```
//!
//! The derivations are in [`crate::guide::displacement`].

mod bends;
mod compare;
mod diagnose;
mod diagnosis;
mod dimensions;
mod ergodicity;
mod layout;
mod likelihood;
mod line;
mod moments;
mod noise;
mod observations;
mod phases;
mod process;
mod resample;
mod simplex;
pub mod synthetic;
mod table_one;
mod words;

pub use diagnose::diagnose;
pub use diagnosis::{
    Comparison, Curves, Diagnosis, Ergodicity, Family, Finding, InputSummary, Interval, ModelFit, Parameter, Phase,
    PhaseKind, PowerLawFit, Sensitivity,
};
pub use dimensions::{Convention, Dimensions, LENGTH_DEGREE, dimensions};
pub use observations::{Ensemble, Observations, Settings};
pub use table_one::{SCALE, TableOneRow, table_one};
