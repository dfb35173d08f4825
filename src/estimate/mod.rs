//! Numbers read off densities and chains: moments, free energy, distances, learning coefficients (floor 4).

pub mod divergence;
pub mod learning_coefficient;
pub mod moments;
