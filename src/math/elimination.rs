//! The stationary distribution of a Markov generator, accurate in every entry (Grassmann-Taksar-Heyman).
//!
//! Formula:   eliminating state k: rate(i, j) += rate(i, k) rate(k, j) / S_k, S_k = sum of rate(k, j) over what is left
//! Assumes:   non-negative rates, a structurally symmetric graph, one component
//! Order:     exact; every entry has a relative error of a few n ulp however deep the wells are \[GrassmannTaksarHeyman1985\]
//! Cost:      that of a sparse LU with the same order (nested dissection: 10 n^1.5 multiplications in the plane)
//! Fails when the graph is not connected
//! Reference: \[GrassmannTaksarHeyman1985\], \[OCinneide1993\]
//!
//! No number is ever subtracted: the diagonal is the sum of what leaves. Ordinary elimination loses the weights of
//! metastable wells instead. Numbers span exp(-12800) there, so f64 is tried first and, where a product would
//! underflow, the elimination is repeated with [`Extended`] numbers.

use super::extended::Extended;
use crate::error::{Error, Result};

/// Two states and the rates between them: `forward` from `states[0]` to `states[1]`, `backward` the other way.
#[derive(Clone, Copy, Debug)]
pub struct Coupling {
    /// The two states.
    pub states: [usize; 2],
    /// Rate from the first to the second \[1/time\].
    pub forward: Extended,
    /// Rate from the second to the first \[1/time\].
    pub backward: Extended,
}

/// Natural logarithms of the stationary probabilities (they sum to one) of `count` states.
///
/// `order` lists the states, first eliminated first.
///
/// # Errors
/// [`Error::SingularOperator`] when some state cannot leave for the rest, which makes the answer not unique.
pub fn log_stationary(count: usize, couplings: &[Coupling], order: &[usize]) -> Result<Vec<f64>> {
    let fill = Fill::new(count, couplings, order);
    let weights = match fill.eliminate::<f64>(couplings) {
        Some(factor) => fill.weights(&factor),
        None => {
            let factor = fill.eliminate::<Extended>(couplings).ok_or_else(|| Error::SingularOperator {
                what: "the stationary state (a cell has no way out)".into(),
            })?;
            fill.weights(&factor)
        }
    };
    // Normalised before the logarithm is taken: the logarithm of a large weight would carry its rounding along.
    let total = weights.iter().fold(Extended::ZERO, |sum, &weight| sum + weight);
    let mut by_state = vec![0.0; count];
    for (&state, weight) in order.iter().zip(weights) {
        by_state[state] = weight.divided_by(total).ln();
    }
    Ok(by_state)
}

/// Arithmetic of non-negative numbers; `None` from `product` tells that the type's range does not suffice.
trait Nonnegative: Copy + std::ops::Add<Output = Self> + std::ops::Mul<Output = Self> {
    const ZERO: Self;
    /// `None` when the number has no place in the range of the type.
    fn from_extended(value: Extended) -> Option<Self>;
    fn divided_by(self, other: Self) -> Self;
    fn is_zero(self) -> bool;
    fn extended(self) -> Extended;
    /// True when the product of two numbers of this size may have lost digits.
    fn too_small(a: Self, b: Self) -> bool;
    /// The smaller of two, zeros aside.
    fn smaller_positive(a: Self, b: Self) -> Self;
}

impl Nonnegative for f64 {
    const ZERO: Self = 0.0;
    fn from_extended(value: Extended) -> Option<Self> {
        value.to_f64()
    }
    fn divided_by(self, other: Self) -> Self {
        self / other
    }
    fn is_zero(self) -> bool {
        self == 0.0
    }
    fn extended(self) -> Extended {
        Extended::new(self)
    }
    fn too_small(a: Self, b: Self) -> bool {
        a > 0.0 && b > 0.0 && a * b < 1e-290
    }
    fn smaller_positive(a: Self, b: Self) -> Self {
        if b > 0.0 && (a == 0.0 || b < a) { b } else { a }
    }
}

impl Nonnegative for Extended {
    const ZERO: Self = Extended::ZERO;
    fn from_extended(value: Extended) -> Option<Self> {
        Some(value)
    }
    fn divided_by(self, other: Self) -> Self {
        Extended::divided_by(self, other)
    }
    fn is_zero(self) -> bool {
        Extended::is_zero(self)
    }
    fn extended(self) -> Extended {
        self
    }
    fn too_small(_: Self, _: Self) -> bool {
        false
    }
    fn smaller_positive(a: Self, _: Self) -> Self {
        a
    }
}

/// Rates left when a state is eliminated, by elimination number and slot of [`Fill`].
struct Factor<T> {
    /// Rate from the eliminated state to each later neighbour.
    outward: Vec<T>,
    /// Rate from each later neighbour to the eliminated state.
    inward: Vec<T>,
    /// Sum of the outward rates.
    leaving: Vec<T>,
}

/// The filled graph: later neighbours of every state, in elimination numbers, sorted.
struct Fill {
    number: Vec<u32>,
    start: Vec<usize>,
    later: Vec<u32>,
}

impl Fill {
    fn new(count: usize, couplings: &[Coupling], order: &[usize]) -> Self {
        let mut number = vec![0u32; count];
        for (position, &state) in order.iter().enumerate() {
            number[state] = position as u32;
        }
        let mut direct: Vec<Vec<u32>> = vec![Vec::new(); count];
        for coupling in couplings {
            let [a, b] = coupling.states.map(|state| number[state]);
            direct[a.min(b) as usize].push(a.max(b));
        }
        // Column structures of a Cholesky factor: own neighbours joined with those of the children.
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut structures: Vec<Vec<u32>> = Vec::with_capacity(count);
        let mut seen = vec![u32::MAX; count];
        for k in 0..count {
            let mut structure = std::mem::take(&mut direct[k]);
            structure.retain(|&j| std::mem::replace(&mut seen[j as usize], k as u32) != k as u32);
            for &child in &children[k] {
                for &j in &structures[child as usize] {
                    if j > k as u32 && std::mem::replace(&mut seen[j as usize], k as u32) != k as u32 {
                        structure.push(j);
                    }
                }
            }
            structure.sort_unstable();
            if let Some(&parent) = structure.first() {
                children[parent as usize].push(k as u32);
            }
            structures.push(structure);
        }
        let mut start = Vec::with_capacity(count + 1);
        start.push(0);
        let mut later = Vec::with_capacity(structures.iter().map(Vec::len).sum());
        for structure in &structures {
            later.extend_from_slice(structure);
            start.push(later.len());
        }
        Fill { number, start, later }
    }

    fn neighbours(&self, k: usize) -> &[u32] {
        &self.later[self.start[k]..self.start[k + 1]]
    }

    /// `None` when the range of `T` does not suffice or a state other than the last cannot leave.
    fn eliminate<T: Nonnegative>(&self, couplings: &[Coupling]) -> Option<Factor<T>> {
        let count = self.number.len();
        let mut factor = Factor {
            outward: vec![T::ZERO; self.later.len()],
            inward: vec![T::ZERO; self.later.len()],
            leaving: vec![T::ZERO; count],
        };
        for coupling in couplings {
            let [a, b] = coupling.states.map(|state| self.number[state]);
            let (first, second, out, into) = if a < b {
                (a, b, coupling.forward, coupling.backward)
            } else {
                (b, a, coupling.backward, coupling.forward)
            };
            let slot = self.start[first as usize]
                + self.neighbours(first as usize).binary_search(&second).expect("every coupling is in the fill");
            factor.outward[slot] = factor.outward[slot] + T::from_extended(out)?;
            factor.inward[slot] = factor.inward[slot] + T::from_extended(into)?;
        }
        let mut slot_of = vec![0usize; count];
        for k in 0..count.saturating_sub(1) {
            let range = self.start[k]..self.start[k + 1];
            let neighbours = &self.later[range.clone()];
            let mut leaving = T::ZERO;
            let (mut least_out, mut least_in) = (T::ZERO, T::ZERO);
            for slot in range.clone() {
                leaving = leaving + factor.outward[slot];
                least_out = T::smaller_positive(least_out, factor.outward[slot]);
                least_in = T::smaller_positive(least_in, factor.inward[slot]);
            }
            if leaving.is_zero() || T::too_small(least_out.divided_by(leaving), least_in) {
                return None;
            }
            factor.leaving[k] = leaving;
            let (outward_k, outward_rest) = factor.outward.split_at_mut(range.end);
            let (inward_k, inward_rest) = factor.inward.split_at_mut(range.end);
            let (out_k, in_k) = (&outward_k[range.clone()], &inward_k[range.clone()]);
            for (a, &i) in neighbours.iter().enumerate() {
                // Pairs (i, j) with i < j are stored with i; the slots of its neighbours are looked up once.
                for (slot, &j) in (self.start[i as usize]..).zip(self.neighbours(i as usize)) {
                    slot_of[j as usize] = slot - range.end;
                }
                let (out_i, in_i) = (out_k[a].divided_by(leaving), in_k[a].divided_by(leaving));
                for (b, &j) in neighbours.iter().enumerate().skip(a + 1) {
                    let slot = slot_of[j as usize];
                    outward_rest[slot] = outward_rest[slot] + in_i * out_k[b];
                    inward_rest[slot] = inward_rest[slot] + in_k[b] * out_i;
                }
            }
        }
        Some(factor)
    }

    /// Back substitution from the last state: weights in elimination order, not normalised.
    fn weights<T: Nonnegative>(&self, factor: &Factor<T>) -> Vec<Extended> {
        let count = self.number.len();
        let mut weight = vec![Extended::ZERO; count];
        if let Some(last) = weight.last_mut() {
            *last = Extended::ONE;
        }
        for k in (0..count.saturating_sub(1)).rev() {
            let mut arriving = Extended::ZERO;
            for (slot, &j) in (self.start[k]..).zip(self.neighbours(k)) {
                arriving = arriving + weight[j as usize] * factor.inward[slot].extended();
            }
            weight[k] = arriving.divided_by(factor.leaving[k].extended());
        }
        weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coupling(states: [usize; 2], forward: f64, backward: f64) -> Coupling {
        Coupling { states, forward: Extended::new(forward), backward: Extended::new(backward) }
    }

    #[test]
    fn a_ring_with_a_circulating_flux_has_its_known_distribution() {
        // Three states, 0 -> 1 -> 2 -> 0 at rates a, b, c and nothing backwards: weights 1/a, 1/b, 1/c.
        let (a, b, c) = (2.0, 3.0, 5.0);
        let couplings = [coupling([0, 1], a, 0.0), coupling([1, 2], b, 0.0), coupling([0, 2], 0.0, c)];
        let total = 1.0 / a + 1.0 / b + 1.0 / c;
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let logs = log_stationary(3, &couplings, &order).expect("connected");
            for (log, weight) in logs.iter().zip([1.0 / a, 1.0 / b, 1.0 / c]) {
                assert!((log.exp() / (weight / total) - 1.0).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn a_chain_beyond_the_range_of_f64_keeps_its_digits() {
        // Ratios exp(-40) up a barrier of 30 cells and exp(40) down: the far well is exactly as deep.
        let couplings: Vec<Coupling> = (0..60)
            .map(|i| {
                let (forward, backward) = if i < 30 { ((-40f64).exp(), 1.0) } else { (1.0, (-40f64).exp()) };
                coupling([i, i + 1], forward, backward)
            })
            .collect();
        let order: Vec<usize> = (0..61).map(|k| (k * 17) % 61).collect();
        let logs = log_stationary(61, &couplings, &order).expect("connected");
        assert!((logs[0] - 0.5f64.ln()).abs() < 1e-14 && (logs[60] - 0.5f64.ln()).abs() < 1e-14);
        assert!((logs[30] - logs[0] + 1200.0).abs() < 1e-12);
    }

    #[test]
    fn a_state_without_a_way_out_is_refused() {
        let couplings = [coupling([0, 1], 0.0, 1.0)];
        assert!(log_stationary(2, &couplings, &[0, 1]).is_err());
    }
}
