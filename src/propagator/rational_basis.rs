//! An orthonormal basis of a rational Krylov space of A, grown one solve at a time.
//!
//! Formula:   (q_j I - A)^-1 v_j = V k_j, so A V K = V (K diag(q) - E), E the identity with a zero row below
//! Assumes:   poles q_j > 0
//! Cost:      one solve and two block projections per vector; memory one vector each
//! Fails when the space is invariant: the last entry of k_j vanishes and the basis is complete
//! Reference: \[Ruhe1984\], \[Guettel2013\]
//!
//! Resolvents: (s I - A)^-1 b ≈ V K u(s) with (K (s - diag q) + I) u = β e_1 on the first m rows. That matrix is upper
//! Hessenberg for every s, so a resolvent costs O(m^2), and the residual points along the last vector alone.

use faer::linalg::matmul::matmul;
use faer::{Accum, ColMut, ColRef, MatMut, MatRef, Par};
use num_complex::Complex64;

use super::hyperbola::Hyperbola;
use crate::error::{Error, Result};
use crate::fokker_planck::ShiftedFactor;

/// Below this part of a new vector, what is left after projection is rounding: the space is invariant.
const INVARIANT: f64 = 1e-14;

pub(super) struct RationalBasis {
    size: usize,
    /// Norm of the start vector.
    start_norm: f64,
    /// Basis vectors, one after another.
    vectors: Vec<f64>,
    /// L1 norm of each vector.
    absolute_sums: Vec<f64>,
    /// Columns k_j, packed: column j has j + 2 entries.
    columns: Vec<Vec<f64>>,
    poles: Vec<f64>,
    complete: bool,
}

impl RationalBasis {
    pub(super) fn new(start: &[f64]) -> Self {
        let norm = start.iter().map(|value| value * value).sum::<f64>().sqrt();
        let mut basis = RationalBasis {
            size: start.len(),
            start_norm: norm,
            vectors: Vec::new(),
            absolute_sums: Vec::new(),
            columns: Vec::new(),
            poles: Vec::new(),
            complete: false,
        };
        basis.append(start, norm);
        basis
    }

    /// Number of solves that went into the basis.
    pub(super) fn solve_count(&self) -> usize {
        self.columns.len()
    }

    /// True when the space is invariant: every further solve would stay inside it.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.vectors.capacity() * size_of::<f64>()) as u64
    }

    pub(super) fn absolute_sum(&self, vector: usize) -> f64 {
        self.absolute_sums[vector]
    }

    /// Adds the direction (q I - A)^-1 v for the newest vector v.
    pub(super) fn extend(&mut self, pole: f64, factor: &mut ShiftedFactor) -> Result<()> {
        let count = self.absolute_sums.len();
        let mut direction = self.vectors[(count - 1) * self.size..].to_vec();
        factor.solve_in_place(&mut direction);
        let before = norm(&direction);
        if !before.is_finite() {
            return Err(Error::NotFinite { stage: format!("solve {} of the Krylov basis (pole {pole:e})", count) });
        }
        let mut column = vec![0.0; count + 1];
        // Two block projections: the second removes what rounding left of the first.
        for _ in 0..2 {
            let mut overlaps = vec![0.0; count];
            let vectors = MatRef::from_column_major_slice(&self.vectors, self.size, count);
            let target = ColMut::from_slice_mut(&mut overlaps).as_mat_mut();
            matmul(target, Accum::Replace, vectors.transpose(), ColRef::from_slice(&direction).as_mat(), 1.0, Par::Seq);
            let target = ColMut::from_slice_mut(&mut direction).as_mat_mut();
            matmul(target, Accum::Add, vectors, ColRef::from_slice(&overlaps).as_mat(), -1.0, Par::Seq);
            column.iter_mut().zip(&overlaps).for_each(|(sum, overlap)| *sum += overlap);
        }
        let rest = norm(&direction);
        self.poles.push(pole);
        if rest <= INVARIANT * before {
            self.complete = true;
        } else {
            column[count] = rest;
            self.append(&direction, rest);
        }
        self.columns.push(column);
        Ok(())
    }

    fn append(&mut self, vector: &[f64], norm: f64) {
        let start = self.vectors.len();
        self.vectors.extend(vector.iter().map(|value| value / norm));
        self.absolute_sums.push(self.vectors[start..].iter().map(|value| value.abs()).sum());
    }

    /// Coefficients of E_α(t^α A) b in the basis vectors, for all `times` of the contour's window.
    pub(super) fn coefficients(&self, order: f64, contour: &Hyperbola, times: &[f64]) -> Vec<Vec<f64>> {
        let count = self.columns.len();
        let mut small = HessenbergWorkspace::new(count);
        let mut sums = vec![vec![0.0; count]; times.len()];
        let mut factors: Vec<_> = times.iter().map(|&time| contour.factors(time)).collect();
        for node in contour.nodes() {
            let shift = node.powf(order);
            let resolvent = small.solve(self, shift);
            // z^(α-1) = z^α / z
            let scale = shift / node;
            for (sum, factors) in sums.iter_mut().zip(&mut factors) {
                let factor = factors.next().expect("one factor per node") * scale;
                sum.iter_mut()
                    .zip(resolvent)
                    .for_each(|(sum, value)| *sum += factor.re * value.im + factor.im * value.re);
            }
        }
        sums.into_iter().map(|sum| self.in_basis(&sum)).collect()
    }

    /// K u: from coefficients of the solves to coefficients of the vectors.
    fn in_basis(&self, combination: &[f64]) -> Vec<f64> {
        let mut coefficients = vec![0.0; self.absolute_sums.len()];
        for (column, value) in self.columns.iter().zip(combination) {
            coefficients.iter_mut().zip(column).for_each(|(sum, entry)| *sum += entry * value);
        }
        coefficients
    }

    /// The combinations of the basis vectors with each of the coefficient sets, one after another.
    pub(super) fn combine(&self, coefficients: &[Vec<f64>]) -> Vec<f64> {
        let count = self.absolute_sums.len();
        let mut out = vec![0.0; self.size * coefficients.len()];
        let packed: Vec<f64> = coefficients.iter().flatten().copied().collect();
        matmul(
            MatMut::from_column_major_slice_mut(&mut out, self.size, coefficients.len()),
            Accum::Replace,
            MatRef::from_column_major_slice(&self.vectors, self.size, count),
            MatRef::from_column_major_slice(&packed, count, coefficients.len()),
            1.0,
            Par::Seq,
        );
        out
    }
}

/// Solves (K (s - diag q) + I) u = β e_1 on the first m rows by elimination with row exchanges.
struct HessenbergWorkspace {
    count: usize,
    rows: Vec<Complex64>,
    right: Vec<Complex64>,
}

impl HessenbergWorkspace {
    fn new(count: usize) -> Self {
        HessenbergWorkspace { count, rows: vec![Complex64::ZERO; count * count], right: vec![Complex64::ZERO; count] }
    }

    fn solve(&mut self, basis: &RationalBasis, shift: Complex64) -> &[Complex64] {
        let count = self.count;
        for (j, (column, pole)) in basis.columns.iter().zip(&basis.poles).enumerate() {
            let distance = shift - pole;
            for (i, entry) in column.iter().take(count).enumerate() {
                self.rows[i * count + j] = distance * entry;
            }
            self.rows[j * count + j] += 1.0;
        }
        self.right.fill(Complex64::ZERO);
        self.right[0] = Complex64::new(basis.start_norm, 0.0);
        for k in 0..count.saturating_sub(1) {
            let (upper, lower) = self.rows.split_at_mut((k + 1) * count);
            let (upper, lower) = (&mut upper[k * count + k..], &mut lower[k..count]);
            if lower[0].norm_sqr() > upper[0].norm_sqr() {
                upper.swap_with_slice(lower);
                self.right.swap(k, k + 1);
            }
            let multiplier = lower[0] / upper[0];
            for (below, above) in lower[1..].iter_mut().zip(&upper[1..]) {
                *below -= multiplier * above;
            }
            let above = self.right[k];
            self.right[k + 1] -= multiplier * above;
        }
        for k in (0..count).rev() {
            let row = &self.rows[k * count..(k + 1) * count];
            let mut value = self.right[k];
            for (entry, known) in row[k + 1..].iter().zip(&self.right[k + 1..]) {
                value -= entry * known;
            }
            self.right[k] = value / row[k];
        }
        &self.right
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

impl RationalBasis {
    /// Eigenvalues of diag(q) - K^-1, the Ritz values of A in this space.
    pub(super) fn ritz_values(&self) -> Vec<Complex64> {
        use faer::linalg::solvers::Solve;
        let count = self.columns.len();
        let matrix = faer::Mat::<f64>::from_fn(count, count, |i, j| self.columns[j].get(i).copied().unwrap_or(0.0));
        let mut reduced = -matrix.partial_piv_lu().solve(faer::Mat::<f64>::identity(count, count));
        for (k, pole) in self.poles.iter().enumerate() {
            reduced[(k, k)] += pole;
        }
        reduced.eigenvalues().unwrap_or_default()
    }
}
