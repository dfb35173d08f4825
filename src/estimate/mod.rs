//! Numbers read off densities, chains and landscapes: moments, free energy, distances, learning coefficients (floor 4).

pub mod displacement;
pub mod divergence;
mod graded_points;
pub mod learning_coefficient;
pub mod moments;
pub mod quadrature;
pub mod section;
pub mod trajectory;
pub mod volume_scaling;
