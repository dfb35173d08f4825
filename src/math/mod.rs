//! Mathematics without physics: special functions, quadrature, sums, sparse factorisations (floor 0).

pub mod special;
pub mod summation;
