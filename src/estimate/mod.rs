//! Numbers read off densities: moments, free energy, distances (floor 4).

pub mod divergence;
pub mod moments;
