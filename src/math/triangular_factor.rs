//! Triangular solves with a sparse Cholesky factor, arranged so that memory is read once per pass, in order.
//!
//! Formula:   L L^T x = b by panels of columns J with the same rows R below: x_J = L_JJ^-1 x_J, x_R -= L_RJ x_J; and back
//! Assumes:   the diagonal blocks are inverted once: a symmetric M-matrix has factors whose inverses are non-negative,
//!            so that every entry of the inverse is accurate
//! Order:     exact up to rounding
//! Cost:      2 flops and 8 bytes per entry and pass; the entries are read in the order in which they lie
//! Fails when never: the factor exists
//! Reference: \[RothbergGupta1991\]
//!
//! A panel's rows lie in groups of four, column after column inside a group. Forwards a group accumulates its rows
//! side by side; backwards every column accumulates one sum per lane. Neither direction needs a sum across lanes or a
//! copy of the right-hand side, and both do the same operations in the same order on every machine. On the way back the
//! memory is read strictly downwards: short panels read upwards one after another, from the last to the first, defeat
//! the prefetching of the hardware.

use wide::f64x4;

/// Rows of a group.
const LANES: usize = 4;

/// One panel: columns `first..first + width`, and the rows below that its columns share.
struct Panel {
    first: usize,
    width: usize,
    /// Row numbers below the diagonal block.
    rows: Vec<u32>,
    /// Where its groups begin in the values.
    begin: usize,
}

/// A factor L, ready for solves.
pub struct TriangularFactor {
    panels: Vec<Panel>,
    /// Groups of the inverted diagonal block, lower triangle, then groups of the rows below, panel after panel.
    values: Vec<f64>,
    /// Row of the matrix that stands at each place of the elimination order.
    order: Vec<u32>,
    /// The right-hand side in elimination order.
    work: Vec<f64>,
    /// Sums per column and lane on the way back.
    lanes: Vec<[f64; LANES]>,
}

/// A panel as a factorisation delivers it.
pub struct PanelSource<'a> {
    /// First column, in elimination order.
    pub first: usize,
    /// Number of columns.
    pub width: usize,
    /// Rows below the diagonal block.
    pub rows: &'a [u32],
    /// Entry in row i of the panel (diagonal block first) and column j.
    pub entry: &'a dyn Fn(usize, usize) -> f64,
}

impl TriangularFactor {
    /// Packs the panels of a factor, added in elimination order by [`TriangularFactor::push`]; `order` lists the rows of
    /// the matrix, first eliminated first.
    pub fn new(order: Vec<u32>) -> Self {
        let work = vec![0.0; order.len()];
        TriangularFactor { panels: Vec::new(), values: Vec::new(), order, work, lanes: Vec::new() }
    }

    /// Adds the next panel.
    pub fn push(&mut self, source: &PanelSource<'_>) {
        let width = source.width;
        let begin = self.values.len();
        let inverse = inverted(width, source.entry);
        let at = |i: usize, j: usize| if i < width && j <= i { inverse[i * width + j] } else { 0.0 };
        for top in (0..width).step_by(LANES) {
            // A group of the triangle ends with its own diagonal.
            for j in 0..(top + LANES).min(width) {
                self.values.extend((top..top + LANES).map(|i| at(i, j)));
            }
        }
        let below = source.rows.len();
        let entry = |i: usize, j: usize| if i < below { (source.entry)(width + i, j) } else { 0.0 };
        for top in (0..below).step_by(LANES) {
            for j in 0..width {
                self.values.extend((top..top + LANES).map(|i| entry(i, j)));
            }
        }
        if self.lanes.len() < width {
            self.lanes.resize(width, [0.0; LANES]);
        }
        self.panels.push(Panel { first: source.first, width, rows: source.rows.to_vec(), begin });
    }

    /// Number of stored values, those of the padding included.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// Replaces `x` by the solution of L L^T x = b, both in the order of the matrix.
    ///
    /// # Panics
    /// When the length of `x` is not the number of rows.
    pub fn solve_in_place(&mut self, x: &mut [f64]) {
        assert_eq!(x.len(), self.order.len(), "one value per row");
        for (place, &row) in self.work.iter_mut().zip(&self.order) {
            *place = x[row as usize];
        }
        let lanes = &mut self.lanes;
        for panel in &self.panels {
            forward(panel, &self.values[panel.begin..], &mut self.work, lanes);
        }
        for panel in self.panels.iter().rev() {
            backward(panel, &self.values[panel.begin..], &mut self.work, lanes);
        }
        for (place, &row) in self.work.iter().zip(&self.order) {
            x[row as usize] = *place;
        }
    }
}

/// L_JJ^-1, row after row.
fn inverted(width: usize, entry: &dyn Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut inverse = vec![0.0; width * width];
    for j in 0..width {
        inverse[j * width + j] = 1.0 / entry(j, j);
        for i in j + 1..width {
            let sum: f64 = (j..i).map(|k| entry(i, k) * inverse[k * width + j]).sum();
            inverse[i * width + j] = -sum / entry(i, i);
        }
    }
    inverse
}

/// The products of a group's rows with `x`.
#[inline(always)]
fn products(group: &[f64], x: &[f64]) -> [f64; LANES] {
    // Two sums, so that an addition need not wait for the one before it.
    let (columns, values) = (group.as_chunks::<LANES>().0, x.as_chunks::<2>());
    let pairs = columns.as_chunks::<2>();
    let (mut even, mut odd) = (f64x4::ZERO, f64x4::ZERO);
    for (pair, value) in pairs.0.iter().zip(values.0) {
        even += f64x4::new(pair[0]) * f64x4::splat(value[0]);
        odd += f64x4::new(pair[1]) * f64x4::splat(value[1]);
    }
    for (column, value) in pairs.1.iter().zip(values.1) {
        even += f64x4::new(*column) * f64x4::splat(*value);
    }
    (even + odd).to_array()
}

/// Adds the columns of two groups times their factors to the sums of the columns.
#[inline(always)]
fn add_columns(groups: [&[f64]; 2], factors: [[f64; LANES]; 2], sums: &mut [[f64; LANES]]) {
    let [first, second] = groups.map(|group| group.as_chunks::<LANES>().0);
    let [one, two] = factors.map(f64x4::new);
    for ((sum, first), second) in sums.iter_mut().zip(first).zip(second).rev() {
        *sum = (f64x4::new(*sum) + f64x4::new(*first) * one + f64x4::new(*second) * two).to_array();
    }
}

/// The same for one group.
#[inline(always)]
fn add_column(group: &[f64], factors: [f64; LANES], sums: &mut [[f64; LANES]]) {
    let factors = f64x4::new(factors);
    for (sum, column) in sums.iter_mut().zip(group.as_chunks::<LANES>().0).rev() {
        *sum = (f64x4::new(*sum) + f64x4::new(*column) * factors).to_array();
    }
}

fn triangle_length(width: usize) -> usize {
    (0..width).step_by(LANES).map(|top| (top + LANES).min(width) * LANES).sum()
}

fn forward(panel: &Panel, values: &[f64], work: &mut [f64], scratch: &mut [[f64; LANES]]) {
    let Panel { first, width, rows, .. } = panel;
    let mut rest = values;
    for (block, top) in (0..*width).step_by(LANES).enumerate() {
        let columns = (top + LANES).min(*width);
        let (group, next) = rest.split_at(columns * LANES);
        scratch[block] = products(group, &work[*first..first + columns]);
        rest = next;
    }
    let solved = scratch.as_flattened();
    work[*first..first + width].copy_from_slice(&solved[..*width]);
    let (own, below) = work.split_at_mut(first + width);
    let own = &own[*first..];
    let offset = first + width;
    for (group, rows) in rest.chunks_exact(LANES * width).zip(rows.chunks(LANES)) {
        let sums = products(group, own);
        for (&row, sum) in rows.iter().zip(sums) {
            below[row as usize - offset] -= sum;
        }
    }
}

fn backward(panel: &Panel, values: &[f64], work: &mut [f64], sums: &mut [[f64; LANES]]) {
    let Panel { first, width, rows, .. } = panel;
    let (triangle, below) = values.split_at(triangle_length(*width));
    let sums = &mut sums[..*width];
    if !rows.is_empty() {
        sums.fill([0.0; LANES]);
        let factors = |rows: &[u32]| {
            let mut factors = [0.0; LANES];
            factors.iter_mut().zip(rows).for_each(|(factor, &row)| *factor = work[row as usize]);
            factors
        };
        // Everything is read from its end: a straight run through memory, as on the way forwards.
        let size = LANES * width;
        let mut groups = below[..rows.len().div_ceil(LANES) * size].rchunks_exact(size);
        let mut parts = rows.chunks(LANES).rev();
        if parts.len() % 2 == 1
            && let (Some(group), Some(rows)) = (groups.next(), parts.next())
        {
            add_column(group, factors(rows), sums);
        }
        while let (Some(lower), Some(second), Some(upper), Some(first)) =
            (groups.next(), parts.next(), groups.next(), parts.next())
        {
            add_columns([upper, lower], [factors(first), factors(second)], sums);
        }
        for (value, sums) in work[*first..first + width].iter_mut().zip(sums.iter()) {
            *value -= (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
    }
    // The transposed triangle: groups of rows, each with as many columns as reach its diagonal.
    sums.fill([0.0; LANES]);
    let mut rest = triangle;
    for top in (0..*width).step_by(LANES).rev() {
        let columns = (top + LANES).min(*width);
        let (before, group) = rest.split_at(rest.len() - columns * LANES);
        let mut factors = [0.0; LANES];
        factors.iter_mut().zip(&work[first + top..first + columns]).for_each(|(factor, value)| *factor = *value);
        add_column(group, factors, &mut sums[..columns]);
        rest = before;
    }
    for (value, sums) in work[*first..first + width].iter_mut().zip(sums.iter()) {
        *value = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
}
