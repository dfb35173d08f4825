//! Sparse direct solvers: the one place that knows the factorisation library.
//!
//! Everything runs on one thread: two threads inside one sparse solve were measured ten times slower than one.

use std::sync::Arc;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::linalg::solvers::SolveCore;
use faer::perm::PermRef;
use faer::sparse::linalg::cholesky::supernodal::SupernodalLltRef;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::linalg::solvers::{Lu, SymbolicLu};
use faer::sparse::linalg::{SupernodalThreshold, SymbolicSupernodalParams};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::traits::ComplexField;
use faer::{Conj, MatMut, Par, Side, Spec};
use num_complex::Complex64;
use sprs::CsMat;

use super::triangular_factor::{PanelSource, TriangularFactor};
use crate::error::{Error, Result};

/// Index type of the factorisation.
pub type Index = u32;

/// A square sparse matrix, compressed by columns.
pub type SparseMatrix = CsMat<f64>;

/// Neighbouring panels of at most so many columns are merged while the part of zeros stays below this: a few more
/// numbers are read, in longer runs. Solves of 256 x 256 cells were measured a sixth faster than with the library's own
/// choice, and a fifth faster than without any merging.
const MERGING: [(usize, f64); 4] = [(12, 1.0), (24, 0.6), (64, 0.2), (usize::MAX, 0.05)];

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
            CholeskySymbolicParams {
                supernodal_flop_ratio_threshold: SupernodalThreshold::FORCE_SUPERNODAL,
                supernodal_params: SymbolicSupernodalParams { relax: Some(&MERGING) },
                ..Default::default()
            },
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
                Ok(Factorization::Cholesky(packed(symbolic, &values)))
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

/// The factor in the order in which solves read it.
fn packed(symbolic: &SymbolicCholesky<Index>, values: &[f64]) -> TriangularFactor {
    let order = match symbolic.perm() {
        Some(order) => order.arrays().0.to_vec(),
        None => (0..symbolic.nrows() as Index).collect(),
    };
    let mut factor = TriangularFactor::new(order);
    match symbolic.raw() {
        SymbolicCholeskyRaw::Supernodal(symbolic) => {
            let source = SupernodalLltRef::new(symbolic, values);
            for k in 0..symbolic.n_supernodes() {
                let panel = source.supernode(k);
                let matrix = panel.val();
                let entry = |i: usize, j: usize| matrix[(i, j)];
                let (first, width) = (panel.start(), matrix.ncols());
                factor.push(&PanelSource { first, width, rows: panel.pattern(), entry: &entry });
            }
        }
        SymbolicCholeskyRaw::Simplicial(_) => unreachable!("panels were asked for"),
    }
    factor
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
    /// L L^T.
    Cholesky(TriangularFactor),
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
        match self {
            Factorization::Cholesky(factor) => factor.solve_in_place(x),
            Factorization::Lu(factors) => {
                let right = MatMut::from_column_major_slice_mut(x, count, 1);
                factors.solve_in_place_with_conj(Conj::No, right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ordering::nested_dissection;
    use faer::prelude::Solve;

    /// A symmetric M-matrix on a grid, its elimination order, and the same matrix dense.
    fn grid(rows: usize, columns: usize) -> (SparseMatrix, Vec<usize>, faer::Mat<f64>) {
        let count = rows * columns;
        let mut triplets = sprs::TriMat::new((count, count));
        let mut diagonal = vec![0.3; count];
        for i in 0..count {
            for (step, exists) in [(1, (i + 1) % columns != 0), (columns, i + columns < count)] {
                if exists {
                    let weight = 1.0 + 0.5 * (i as f64).sin();
                    triplets.add_triplet(i, i + step, -weight);
                    triplets.add_triplet(i + step, i, -weight);
                    diagonal[i] += weight;
                    diagonal[i + step] += weight;
                }
            }
        }
        diagonal.iter().enumerate().for_each(|(i, value)| triplets.add_triplet(i, i, *value));
        let matrix: SparseMatrix = triplets.to_csc();
        let dense = faer::Mat::from_fn(count, count, |i, j| matrix.get(i, j).copied().unwrap_or(0.0));
        let positions: Vec<[usize; 3]> = (0..count).map(|k| [k / columns, k % columns, 0]).collect();
        (matrix, nested_dissection(&positions), dense)
    }

    #[test]
    fn solves_agree_with_a_dense_factorisation() {
        for (rows, columns) in [(1, 1), (1, 7), (3, 5), (17, 23), (30, 31)] {
            let (matrix, order, dense) = grid(rows, columns);
            let right: Vec<f64> = (0..rows * columns).map(|k| (0.7 * k as f64).cos()).collect();
            let exact = dense.partial_piv_lu().solve(faer::Mat::from_fn(right.len(), 1, |i, _| right[i]));
            let kinds = [Analysis::cholesky(&matrix, &order), Analysis::lu(&matrix)];
            for analysis in kinds {
                let mut found = right.clone();
                let mut factor = analysis.expect("a structure").factorize(matrix.data()).expect("a factor");
                // The workspace of one solve does not leak into the next.
                factor.solve_in_place(&mut vec![1.0; right.len()]);
                factor.solve_in_place(&mut found);
                for (k, value) in found.iter().enumerate() {
                    assert!((value - exact[(k, 0)]).abs() < 1e-13, "{rows} x {columns}: row {k}");
                }
            }
        }
    }
}
