//! Tridiagonal systems of a birth-death chain, without a single subtraction.
//!
//! Formula:   (s I - A) x = b, A\[i+1, i\] = up_i, A\[i, i+1\] = down_i, column sums of A zero
//! Assumes:   up, down >= 0; s > 0, or complex off the negative real axis
//! Order:     exact; for real s every pivot and every entry of the solution for b >= 0 has a relative error of a few
//!            n ulp; for complex s the pivots are those of a complex symmetric matrix whose imaginary part has one sign
//! Cost:      3 n divisions to factor, 4 n multiplications per solve
//! Fails when a rate is negative (central fluxes at large cell Peclet numbers): use the general factorisation
//! Reference: \[AlfaXueYe2002\], \[Higham1998\]
//!
//! Pivots follow from excesses: with e_0 = 0 and pivot_i = s + e_i + up_i,
//! e_(i+1) = down_i (s + e_i) / pivot_i, where ordinary elimination would subtract up_i down_i / pivot_i.

use std::ops::{Add, Div, Mul};

/// Numbers a shift may be: real, or complex on a Laplace contour.
pub trait Shift:
    Copy + From<f64> + Add<Output = Self> + Mul<Output = Self> + Mul<f64, Output = Self> + Div<Output = Self>
{
}

impl Shift for f64 {}
impl Shift for num_complex::Complex64 {}

/// The factors of s I - A for one shift s.
#[derive(Clone, Debug)]
pub struct Tridiagonal<S = f64> {
    /// up_i / pivot_i: the share of cell i that moves on upwards.
    forward: Vec<S>,
    /// down_i / pivot_i.
    backward: Vec<S>,
    /// 1 / pivot_i.
    inverse_pivot: Vec<S>,
}

impl<S: Shift> Tridiagonal<S> {
    /// Factorises s I - A from the rates `up` (i to i+1) and `down` (i+1 to i), both of length n - 1.
    ///
    /// # Panics
    /// When the two lengths differ.
    pub fn new(shift: S, up: &[f64], down: &[f64]) -> Self {
        assert_eq!(up.len(), down.len(), "one pair of rates per face");
        let count = up.len() + 1;
        let mut factors = Tridiagonal {
            forward: Vec::with_capacity(count),
            backward: Vec::with_capacity(count),
            inverse_pivot: Vec::with_capacity(count),
        };
        let (zero, one) = (S::from(0.0), S::from(1.0));
        let mut excess = zero;
        for (&up, &down) in up.iter().zip(down) {
            let inverse = one / (shift + excess + S::from(up));
            factors.forward.push(inverse * up);
            factors.backward.push(inverse * down);
            factors.inverse_pivot.push(inverse);
            excess = (shift + excess) * down * inverse;
        }
        // The last cell has no face above it.
        factors.forward.push(zero);
        factors.backward.push(zero);
        factors.inverse_pivot.push(one / (shift + excess));
        factors
    }

    /// Replaces `x` (length n) by (s I - A)^-1 `x`.
    ///
    /// # Panics
    /// When the length of `x` is not n.
    pub fn solve_in_place(&self, x: &mut [S]) {
        assert_eq!(x.len(), self.inverse_pivot.len(), "one value per cell");
        let mut carried = S::from(0.0);
        for ((value, &inverse), &forward) in x.iter_mut().zip(&self.inverse_pivot).zip(&self.forward) {
            let total = *value + carried;
            carried = total * forward;
            *value = total * inverse;
        }
        let mut above = S::from(0.0);
        for (value, &backward) in x.iter_mut().zip(&self.backward).rev() {
            above = *value + backward * above;
            *value = above;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn solves_the_system_and_keeps_the_mass(
            rates in prop::collection::vec((1e-6f64..1e3, 1e-6f64..1e3), 1..40),
            shift in 1e-3f64..1e2,
        ) {
            let (up, down): (Vec<f64>, Vec<f64>) = rates.into_iter().unzip();
            let count = up.len() + 1;
            let right: Vec<f64> = (0..count).map(|i| 1.0 + (i as f64).sin()).collect();
            let mut x = right.clone();
            Tridiagonal::new(shift, &up, &down).solve_in_place(&mut x);
            for i in 0..count {
                let mut residual = shift * x[i] - right[i];
                if i + 1 < count { residual += up[i] * x[i] - down[i] * x[i + 1]; }
                if i > 0 { residual += down[i - 1] * x[i] - up[i - 1] * x[i - 1]; }
                let scale = x.iter().fold(0.0f64, |a, &b| a.max(b)) * 2e3 + 2.0;
                prop_assert!(residual.abs() <= 1e-14 * scale, "row {}: {}", i, residual);
            }
            let (before, after): (f64, f64) = (right.iter().sum(), x.iter().sum());
            prop_assert!((shift * after / before - 1.0).abs() < 1e-13);
        }
    }
}
