//! Sparse direct solvers: the one place that knows the factorisation library.
//!
//! Everything runs on one thread: two threads inside one sparse solve were measured ten times slower than one.

use std::sync::Arc;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::linalg::solvers::SolveCore;
use faer::perm::PermRef;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, LltRef, SymbolicCholesky, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::linalg::solvers::{Lu, SymbolicLu};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::traits::ComplexField;
use faer::{Conj, MatMut, Par, Side, Spec};
use num_complex::Complex64;
use sprs::CsMat;

use crate::error::{Error, Result};

/// Index type of the factorisation.
pub type Index = u32;

/// A square sparse matrix, compressed by columns.
pub type SparseMatrix = CsMat<f64>;

/// The ordering and fill of a matrix structure, computed once and reused by every factorisation.
pub enum Analysis {
    /// Symmetric positive definite matrices.
    Cholesky(Structure, Arc<SymbolicCholesky<Index>>),
    /// Any matrix.
    Lu(Structure, SymbolicLu<Index>),
}

/// Column pointers and row numbers in the library's index type.
pub struct Structure {
    count: usize,
    column_start: Vec<Index>,
    rows: Vec<Index>,
}

impl Structure {
    fn of(matrix: &SparseMatrix) -> Self {
        assert!(matrix.is_csc() && matrix.rows() == matrix.cols(), "square matrices compressed by columns");
        Structure {
            count: matrix.rows(),
            column_start: matrix.indptr().raw_storage().iter().map(|&start| start as Index).collect(),
            rows: matrix.indices().iter().map(|&row| row as Index).collect(),
        }
    }

    fn as_faer(&self) -> SymbolicSparseColMatRef<'_, Index> {
        SymbolicSparseColMatRef::new_checked(self.count, self.count, &self.column_start, None, &self.rows)
    }
}

impl Analysis {
    /// Analyses a symmetric structure; only its upper triangle is read. `order` lists rows, first eliminated first.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn cholesky(matrix: &SparseMatrix, order: &[usize]) -> Result<Self> {
        let structure = Structure::of(matrix);
        let forward: Vec<Index> = order.iter().map(|&row| row as Index).collect();
        let mut inverse = vec![0; order.len()];
        for (position, &row) in order.iter().enumerate() {
            inverse[row] = position as Index;
        }
        let order = PermRef::new_checked(&forward, &inverse, order.len());
        let symbolic = factorize_symbolic_cholesky(
            structure.as_faer(),
            Side::Upper,
            SymmetricOrdering::Custom(order),
            CholeskySymbolicParams::default(),
        )
        .map_err(|reason| Error::SingularOperator { what: format!("the structure of the matrix ({reason:?})") })?;
        Ok(Analysis::Cholesky(structure, Arc::new(symbolic)))
    }

    /// Analyses any square structure.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn lu(matrix: &SparseMatrix) -> Result<Self> {
        let structure = Structure::of(matrix);
        faer::set_global_parallelism(Par::Seq);
        let symbolic = SymbolicLu::try_new(structure.as_faer())
            .map_err(|reason| Error::SingularOperator { what: format!("the structure of the matrix ({reason:?})") })?;
        Ok(Analysis::Lu(structure, symbolic))
    }

    /// Factorises the matrix with the analysed structure and these entries.
    ///
    /// # Errors
    /// [`Error::SingularOperator`] when a pivot vanishes or, for Cholesky, is not positive.
    pub fn factorize(&self, entries: &[f64]) -> Result<Factorization> {
        match self {
            Analysis::Cholesky(structure, symbolic) => {
                let matrix = SparseColMatRef::new(structure.as_faer(), entries);
                let mut values = vec![0.0; symbolic.len_val()];
                let request = symbolic.factorize_numeric_llt_scratch::<f64>(Par::Seq, Spec::default());
                symbolic
                    .factorize_numeric_llt(
                        &mut values,
                        matrix,
                        Side::Upper,
                        LltRegularization::default(),
                        Par::Seq,
                        MemStack::new(&mut MemBuffer::new(request)),
                        Spec::default(),
                    )
                    .map_err(|reason| Error::SingularOperator { what: format!("a shifted operator ({reason:?})") })?;
                let scratch = MemBuffer::new(symbolic.solve_in_place_scratch::<f64>(1, Par::Seq));
                Ok(Factorization::Cholesky { symbolic: symbolic.clone(), values, scratch })
            }
            Analysis::Lu(structure, symbolic) => {
                Ok(Factorization::Lu(Box::new(numeric_lu(structure, symbolic, entries)?)))
            }
        }
    }

    /// Factorises the matrix with the analysed structure and these complex entries by LU.
    ///
    /// # Errors
    /// [`Error::SingularOperator`] when a pivot vanishes.
    ///
    /// # Panics
    /// When the structure was analysed for Cholesky.
    pub fn factorize_complex(&self, entries: &[Complex64]) -> Result<ComplexFactorization> {
        match self {
            Analysis::Lu(structure, symbolic) => Ok(ComplexFactorization(numeric_lu(structure, symbolic, entries)?)),
            Analysis::Cholesky(..) => panic!("complex matrices are factorised by LU"),
        }
    }
}

fn numeric_lu<T: ComplexField>(
    structure: &Structure,
    symbolic: &SymbolicLu<Index>,
    entries: &[T],
) -> Result<Lu<Index, T>> {
    let matrix = SparseColMatRef::new(structure.as_faer(), entries);
    Lu::try_new_with_symbolic(symbolic.clone(), matrix)
        .map_err(|reason| Error::SingularOperator { what: format!("a shifted operator ({reason:?})") })
}

/// A factorised complex matrix, P L U Q.
pub struct ComplexFactorization(Lu<Index, Complex64>);

impl ComplexFactorization {
    /// Replaces `x` by the solution for the right-hand side `x`.
    ///
    /// # Panics
    /// When the length of `x` is not the number of rows.
    pub fn solve_in_place(&self, x: &mut [Complex64]) {
        let count = x.len();
        self.0.solve_in_place_with_conj(Conj::No, MatMut::from_column_major_slice_mut(x, count, 1));
    }
}

/// A factorised matrix.
pub enum Factorization {
    /// L L^T with the workspace of its solves.
    Cholesky {
        /// Structure of the factor.
        symbolic: Arc<SymbolicCholesky<Index>>,
        /// Entries of the factor.
        values: Vec<f64>,
        /// Workspace.
        scratch: MemBuffer,
    },
    /// P L U Q.
    Lu(Box<Lu<Index, f64>>),
}

impl Factorization {
    /// Replaces `x` by the solution for the right-hand side `x`.
    ///
    /// # Panics
    /// When the length of `x` is not the number of rows.
    pub fn solve_in_place(&mut self, x: &mut [f64]) {
        let count = x.len();
        let right = MatMut::from_column_major_slice_mut(x, count, 1);
        match self {
            Factorization::Cholesky { symbolic, values, scratch } => LltRef::new(symbolic, values)
                .solve_in_place_with_conj(Conj::No, right, Par::Seq, MemStack::new(scratch)),
            Factorization::Lu(factors) => factors.solve_in_place_with_conj(Conj::No, right),
        }
    }
}
