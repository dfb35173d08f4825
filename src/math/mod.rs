//! Mathematics without physics: special functions, quadrature, sums, sparse factorisations (floor 0).

pub mod summation;
