//! Solving (s I - A) x = b, with whatever the operator's structure makes cheapest.

use super::{Operator, Stationary};
use crate::error::Result;
use crate::math::ordering::nested_dissection;
use crate::math::sparse::{Analysis, Factorization, SparseMatrix};
use crate::math::tridiagonal::Tridiagonal;

/// The factorisation a [`ShiftedSystem`] uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorizationKind {
    /// Subtraction-free elimination of a chain (one dimension).
    Tridiagonal,
    /// Cholesky of the symmetrised operator P^(-1/2) A P^(1/2) (detailed balance).
    Cholesky,
    /// LU with partial pivoting.
    Lu,
}

impl FactorizationKind {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            FactorizationKind::Tridiagonal => "tridiagonal",
            FactorizationKind::Cholesky => "cholesky",
            FactorizationKind::Lu => "lu",
        }
    }
}

/// The family s I - A: analysed once, factorised for every shift s.
pub struct ShiftedSystem {
    kind: Kind,
    factorizations: u64,
}

enum Kind {
    Tridiagonal { up: Vec<f64>, down: Vec<f64> },
    Sparse { minus_operator: SparseMatrix, diagonal: Vec<usize>, analysis: Analysis, scale: Option<Vec<f64>> },
}

/// One factorised s I - A.
pub struct ShiftedFactor {
    kind: FactorKind,
    /// Square roots of stationary probabilities relative to their largest, when the symmetrised operator is solved.
    scale: Option<Vec<f64>>,
}

enum FactorKind {
    Tridiagonal(Tridiagonal),
    Sparse(Box<Factorization>),
}

/// Largest spread of γ L/D (in the exponent) for which the symmetrised operator is factorised. Its scaling spans
/// exp(spread / 2), which must have room in a double; digits are not lost to it, because the matrix is an M-matrix and
/// its elimination accurate entry by entry (measured up to 1400, see the guide).
pub const LARGEST_SYMMETRIC_SPREAD: f64 = 1000.0;

impl ShiftedSystem {
    /// Chooses the factorisation: tridiagonal in one dimension, Cholesky for detailed balance with mild scaling,
    /// LU otherwise.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn new(operator: &Operator, stationary: &Stationary) -> Result<Self> {
        Self::with_kind(operator, stationary, best_kind(operator, Some(stationary)))
    }

    /// The same with a given factorisation (tests and benches compare them).
    ///
    /// # Errors
    /// When memory runs out.
    ///
    /// # Panics
    /// When `kind` does not suit the operator (a chain for tridiagonal, detailed balance for Cholesky).
    pub fn with_kind(operator: &Operator, stationary: &Stationary, kind: FactorizationKind) -> Result<Self> {
        Ok(ShiftedSystem { kind: Kind::new(operator, Some(stationary), kind, None)?, factorizations: 0 })
    }

    /// Takes another operator on the same mesh; what was analysed is used again unless the kind of factorisation
    /// changes.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn update(&mut self, operator: &Operator) -> Result<()> {
        // A chain needs no stationary state.
        let stationary = if operator.chain().is_some() { None } else { operator.detailed_balance().ok() };
        let kind = best_kind(operator, stationary.as_ref());
        let same = kind == self.kind();
        let before = std::mem::replace(&mut self.kind, Kind::Tridiagonal { up: Vec::new(), down: Vec::new() });
        let known = if same { before.analysis() } else { None };
        self.kind = Kind::new(operator, stationary.as_ref(), kind, known)?;
        Ok(())
    }

    /// The factorisation in use.
    pub fn kind(&self) -> FactorizationKind {
        match &self.kind {
            Kind::Tridiagonal { .. } => FactorizationKind::Tridiagonal,
            Kind::Sparse { scale: Some(_), .. } => FactorizationKind::Cholesky,
            Kind::Sparse { scale: None, .. } => FactorizationKind::Lu,
        }
    }

    /// Number of numeric factorisations so far.
    pub fn factorizations(&self) -> u64 {
        self.factorizations
    }

    /// Factorises `shift` I - A for a shift > 0 \[t^-alpha\].
    ///
    /// # Errors
    /// When a pivot vanishes.
    pub fn factorize(&mut self, shift: f64) -> Result<ShiftedFactor> {
        self.factorizations += 1;
        match &self.kind {
            Kind::Tridiagonal { up, down } => {
                let factor = FactorKind::Tridiagonal(Tridiagonal::new(shift, up, down));
                Ok(ShiftedFactor { kind: factor, scale: None })
            }
            Kind::Sparse { minus_operator, diagonal, analysis, scale } => {
                let mut entries = minus_operator.data().to_vec();
                for &slot in diagonal {
                    entries[slot] += shift;
                }
                let factor = FactorKind::Sparse(Box::new(analysis.factorize(&entries)?));
                Ok(ShiftedFactor { kind: factor, scale: scale.clone() })
            }
        }
    }
}

/// The cheapest factorisation for an operator; `stationary` is given when it has detailed balance, or may be anything.
fn best_kind(operator: &Operator, stationary: Option<&Stationary>) -> FactorizationKind {
    let is_mild = |stationary: &Stationary| {
        stationary.is_reversible() && log_spread(&stationary.log_probability) <= LARGEST_SYMMETRIC_SPREAD
    };
    if operator.mesh().dimension() == 1 {
        FactorizationKind::Tridiagonal
    } else if stationary.is_some_and(is_mild) {
        FactorizationKind::Cholesky
    } else {
        FactorizationKind::Lu
    }
}

impl Kind {
    /// `known` is the analysis of the same structure for the same kind, if there is one.
    fn new(
        operator: &Operator,
        stationary: Option<&Stationary>,
        kind: FactorizationKind,
        known: Option<Analysis>,
    ) -> Result<Self> {
        match kind {
            FactorizationKind::Tridiagonal => {
                let (up, down) = operator.chain().expect("tridiagonal systems come from chains");
                Ok(Kind::Tridiagonal { up, down })
            }
            FactorizationKind::Cholesky => {
                let stationary = stationary.filter(|state| state.is_reversible());
                let logs = &stationary.expect("the symmetrised operator needs detailed balance").log_probability;
                let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let scale = logs.iter().map(|log| (0.5 * (log - top)).exp()).collect();
                let minus_operator = symmetrized(operator);
                let analysis = match known {
                    Some(analysis) => analysis,
                    None => {
                        let cells = operator.mesh().cells().iter();
                        let positions: Vec<[usize; 3]> = cells.map(|cell| cell.index).collect();
                        Analysis::cholesky(&minus_operator, &nested_dissection(&positions))?
                    }
                };
                let diagonal = diagonal_slots(&minus_operator);
                Ok(Kind::Sparse { minus_operator, diagonal, analysis, scale: Some(scale) })
            }
            FactorizationKind::Lu => {
                let mut minus_operator = operator.matrix();
                minus_operator.data_mut().iter_mut().for_each(|entry| *entry = -*entry);
                let analysis = known.map_or_else(|| Analysis::lu(&minus_operator), Ok)?;
                let diagonal = diagonal_slots(&minus_operator);
                Ok(Kind::Sparse { minus_operator, diagonal, analysis, scale: None })
            }
        }
    }

    fn analysis(self) -> Option<Analysis> {
        match self {
            Kind::Tridiagonal { .. } => None,
            Kind::Sparse { analysis, .. } => Some(analysis),
        }
    }
}

impl ShiftedFactor {
    /// Replaces `x` by (s I - A)^-1 `x`.
    ///
    /// # Panics
    /// When the length of `x` is not the number of cells.
    pub fn solve_in_place(&mut self, x: &mut [f64]) {
        if let Some(scale) = &self.scale {
            x.iter_mut().zip(scale).for_each(|(value, scale)| *value /= scale);
        }
        match &mut self.kind {
            FactorKind::Tridiagonal(factor) => factor.solve_in_place(x),
            FactorKind::Sparse(factor) => factor.solve_in_place(x),
        }
        if let Some(scale) = &self.scale {
            x.iter_mut().zip(scale).for_each(|(value, scale)| *value *= scale);
        }
    }
}

/// Spread of logarithms: largest minus smallest.
pub fn log_spread(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest - logs.iter().copied().fold(f64::INFINITY, f64::min)
}

/// -P^(-1/2) A P^(1/2): by detailed balance its off-diagonal entries are minus the geometric means of both rates.
fn symmetrized(operator: &Operator) -> SparseMatrix {
    let count = operator.mesh().cell_count();
    let rates = operator.forward_rates().iter().zip(operator.backward_rates());
    let mut triplets = sprs::TriMat::with_capacity((count, count), 3 * operator.forward_rates().len() + count);
    for (face, (forward, backward)) in operator.mesh().faces().iter().zip(rates) {
        // Square roots first: the product may underflow where both factors do not.
        let mean = -(forward.sqrt() * backward.sqrt());
        triplets.add_triplet(face.cells[0], face.cells[1], mean);
        triplets.add_triplet(face.cells[1], face.cells[0], mean);
    }
    for (cell, exit) in operator.exit_rates().into_iter().enumerate() {
        triplets.add_triplet(cell, cell, exit);
    }
    triplets.to_csc()
}

/// Position of each diagonal entry in the matrix data.
pub(super) fn diagonal_slots(matrix: &SparseMatrix) -> Vec<usize> {
    (0..matrix.cols()).map(|k| matrix.nnz_index(k, k).expect("every column has a diagonal entry").0).collect()
}
