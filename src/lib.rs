//! Time-fractional Fokker-Planck equations on loss landscapes.
//!
//! ```text
//! D_t^α p = div( D grad p + γ p grad L ),   no flux through the boundary,   0 < α ≤ 1
//! ```
//!
//! # The map: floors, and who may import whom
//!
//! Imports go strictly down; neighbours on a floor do not import each other (`tests/floors.rs`).
//!
//! ```text
//! 7  main          the program
//! 6  plot          figures from stored results
//! 5  experiment    a problem file read, checked, run, reported
//! 4  estimate | storage
//! 3  propagator | dynamics
//! 2  fokker_planck | network
//! 1  mesh | landscape | caputo
//! 0  error, math, formats
//! ```

pub mod caputo;
pub mod dynamics;
pub mod error;
pub mod estimate;
pub mod experiment;
pub mod fokker_planck;
pub mod formats;
pub mod guide;
pub mod landscape;
pub mod math;
pub mod mesh;
pub mod network;
pub mod plot;
pub mod propagator;
pub mod storage;

pub use error::{Error, Result};

/// The README's library example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeDoctest;
