//! The direct memory sum, the oracle of every faster one.
//!
//! Formula:   history = sum_(k<n) w_(n,k) δ_k with the scheme's own weights
//! Assumes:   nothing of the steps
//! Order:     exact
//! Cost:      2 M flops per past step and call, O(N^2 M) in all; memory N M numbers
//! Fails when the history does not fit in memory: the bytes are known before the run
//! Reference: \[StynesORiordanGracia2017\]

use faer::linalg::matmul::matmul;
use faer::{Accum, ColMut, ColRef, MatRef, Par};

use super::MemorySum;
use crate::caputo::{CaputoScheme, FractionalOrder};

/// All increments, kept and summed anew for every step.
pub struct DirectSum<'a> {
    scheme: &'a dyn CaputoScheme,
    order: FractionalOrder,
    size: usize,
    steps: Vec<f64>,
    /// Weights by lag, oldest first, when the steps are uniform and the weights depend on nothing else.
    by_lag: Option<Vec<f64>>,
    /// Increment k in elements k·size..(k+1)·size.
    increments: Vec<f64>,
    flops: u64,
}

impl<'a> DirectSum<'a> {
    /// An empty history of vectors of length `size`, with room for `capacity` steps.
    pub fn new(scheme: &'a dyn CaputoScheme, order: FractionalOrder, size: usize, capacity: usize) -> Self {
        DirectSum {
            scheme,
            order,
            size,
            steps: Vec::with_capacity(capacity),
            by_lag: None,
            increments: Vec::with_capacity(capacity * size),
            flops: 0,
        }
    }

    /// The same for at most `capacity` steps of length `step`, with the weights computed once; `None` when the scheme
    /// is no convolution on uniform steps.
    pub fn uniform(
        scheme: &'a dyn CaputoScheme,
        order: FractionalOrder,
        size: usize,
        capacity: usize,
        step: f64,
    ) -> Option<Self> {
        let mut by_lag = scheme.lag_weights(order, step, capacity)?;
        by_lag.reverse();
        Some(DirectSum { by_lag: Some(by_lag), ..Self::new(scheme, order, size, capacity) })
    }

    /// Floating-point operations of all sums over `count` steps of vectors of length `size`.
    pub fn flops_needed(size: usize, count: usize) -> u64 {
        (size as u64).saturating_mul(count as u64).saturating_mul(count as u64)
    }

    /// Bytes that a history of `capacity` vectors of length `size` takes.
    pub fn bytes_needed(size: usize, capacity: usize) -> u64 {
        (size as u64).saturating_mul(capacity as u64).saturating_mul(size_of::<f64>() as u64)
    }
}

impl MemorySum for DirectSum<'_> {
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64 {
        assert_eq!(out.len(), self.size, "one value per cell");
        let past = self.steps.len();
        let computed: Vec<f64>;
        let weights = match &self.by_lag {
            Some(by_lag) => &by_lag[by_lag.len() - 1 - past..],
            None => {
                let mut steps = self.steps.clone();
                steps.push(next_step);
                let mut row = vec![0.0; steps.len()];
                self.scheme.row(self.order, &steps, &mut row);
                computed = row;
                &computed
            }
        };
        // Older increments weigh less: beginning with them keeps the sum's rounding small.
        matmul(
            ColMut::from_slice_mut(out).as_mat_mut(),
            Accum::Replace,
            MatRef::from_column_major_slice(&self.increments, self.size, past),
            ColRef::from_slice(&weights[..past]).as_mat(),
            1.0,
            Par::Seq,
        );
        weights[past]
    }

    fn push(&mut self, increment: &[f64], step: f64) {
        assert_eq!(increment.len(), self.size, "one value per cell");
        self.flops += 2 * (self.increments.len() as u64);
        self.increments.extend_from_slice(increment);
        self.steps.push(step);
    }

    fn flops_ahead(&self) -> (u64, u64) {
        (2 * self.increments.len() as u64, 0)
    }

    fn flops(&self) -> u64 {
        self.flops
    }

    fn bytes(&self) -> u64 {
        (self.increments.capacity() * size_of::<f64>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caputo::L1;

    #[test]
    fn agrees_with_the_sum_written_out_and_leaves_no_trace() {
        let order = FractionalOrder::new(0.4).expect("valid");
        let mut memory = DirectSum::new(&L1, order, 3, 4);
        let steps = [0.1, 0.05, 0.2];
        for (k, &step) in steps.iter().enumerate() {
            memory.push(&[1.0 + k as f64, -2.0, 0.5 * k as f64], step);
        }
        let mut row = [0.0; 4];
        L1.row(order, &[0.1, 0.05, 0.2, 0.3], &mut row);
        let expected: Vec<f64> =
            (0..3).map(|i| (0..3).map(|k| row[k] * [1.0 + k as f64, -2.0, 0.5 * k as f64][i]).sum()).collect();
        for _ in 0..2 {
            let mut dirty = [f64::NAN; 3];
            assert_eq!(memory.history(0.3, &mut dirty), row[3]);
            dirty.iter().zip(&expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-14));
        }
    }
}
