//! Mathematics without physics: special functions, quadrature, sums, sparse factorisations, statistics (floor 0).

pub mod elimination;
pub mod extended;
pub mod names;
pub mod ordering;
pub mod quadrature;
pub mod random;
pub mod sparse;
pub mod special;
pub mod statistics;
pub mod summation;
pub mod triangular_factor;
pub mod tridiagonal;
