//! Experiments: a problem file read, checked, run and reported (floor 5).

pub mod measure;
pub mod model;
