//! Solving (s I - A) x = b for complex shifts: the resolvent on a Laplace contour.

use num_complex::Complex64;

use super::Operator;
use super::shifted::diagonal_slots;
use crate::error::Result;
use crate::math::sparse::{Analysis, ComplexFactorization, SparseMatrix};
use crate::math::tridiagonal::Tridiagonal;

/// The family s I - A for complex s: analysed once, factorised for every shift.
pub struct ComplexShiftedSystem {
    kind: Kind,
    factorizations: u64,
}

enum Kind {
    Tridiagonal { up: Vec<f64>, down: Vec<f64> },
    Sparse { minus_operator: SparseMatrix, diagonal: Vec<usize>, analysis: Analysis },
}

/// One factorised s I - A.
pub enum ComplexShiftedFactor {
    /// A chain.
    Tridiagonal(Tridiagonal<Complex64>),
    /// Any other operator.
    Sparse(Box<ComplexFactorization>),
}

impl ComplexShiftedSystem {
    /// Analyses the operator: a chain in one dimension, sparse LU otherwise.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn new(operator: &Operator) -> Result<Self> {
        let kind = match operator.chain() {
            Some((up, down)) => Kind::Tridiagonal { up, down },
            None => {
                let mut minus_operator = operator.matrix();
                minus_operator.data_mut().iter_mut().for_each(|entry| *entry = -*entry);
                let analysis = Analysis::lu(&minus_operator)?;
                let diagonal = diagonal_slots(&minus_operator);
                Kind::Sparse { minus_operator, diagonal, analysis }
            }
        };
        Ok(ComplexShiftedSystem { kind, factorizations: 0 })
    }

    /// Name of the factorisation in reports.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Tridiagonal { .. } => "complex tridiagonal",
            Kind::Sparse { .. } => "complex lu",
        }
    }

    /// Number of numeric factorisations so far.
    pub fn factorizations(&self) -> u64 {
        self.factorizations
    }

    /// Factorises `shift` I - A \[t^-alpha\].
    ///
    /// # Errors
    /// When a pivot vanishes.
    pub fn factorize(&mut self, shift: Complex64) -> Result<ComplexShiftedFactor> {
        self.factorizations += 1;
        match &self.kind {
            Kind::Tridiagonal { up, down } => Ok(ComplexShiftedFactor::Tridiagonal(Tridiagonal::new(shift, up, down))),
            Kind::Sparse { minus_operator, diagonal, analysis } => {
                let mut entries: Vec<Complex64> = minus_operator.data().iter().map(|&entry| entry.into()).collect();
                for &slot in diagonal {
                    entries[slot] += shift;
                }
                Ok(ComplexShiftedFactor::Sparse(Box::new(analysis.factorize_complex(&entries)?)))
            }
        }
    }
}

impl ComplexShiftedFactor {
    /// Replaces `x` by (s I - A)^-1 `x`.
    ///
    /// # Panics
    /// When the length of `x` is not the number of cells.
    pub fn solve_in_place(&self, x: &mut [Complex64]) {
        match self {
            ComplexShiftedFactor::Tridiagonal(factor) => factor.solve_in_place(x),
            ComplexShiftedFactor::Sparse(factor) => factor.solve_in_place(x),
        }
    }
}
