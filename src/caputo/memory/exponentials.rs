//! The memory sum by exponentials: the kernel as a sum of decaying modes, so that the past is a few numbers per cell.
//!
//! Formula:   ω(t) = t^(-α)/Γ(1-α) ≈ Σ w_i e^(-s_i t); V_i = ∫ e^(-s_i (t_k - s)) (Π u)'(s) ds obeys
//!            V_i ← e^(-s_i τ) V_i + (integral over the newest step); the last step's own weight is exact
//! Assumes:   nothing of the steps but the bounds of their ages that the sum was fitted for
//! Order:     that of the scheme until the kernel's relative error shows
//! Cost:      terms × cells per step, whatever the number of steps; memory the same
//! Fails when a step is shorter than the shortest that was announced
//! Reference: \[JiangZhangZhangZhang2017\]
//!
//! With quadratic interpolation (Alikhanov's scheme) the shape on a step is known one step later: the newest past step
//! is therefore summed exactly and enters the modes when its successor is accepted.

use super::MemorySum;
use crate::caputo::alikhanov::first_moment;
use crate::caputo::{CaputoScheme, ExponentialSum, FractionalOrder, Interpolation};
use crate::error::Result;
use crate::math::special::{gamma, power_increase, reciprocal_gamma};

/// Modes of the past, one vector each.
pub struct ExponentialMemory {
    order: f64,
    interpolation: Interpolation,
    /// Part σ of a step by which the evaluation point lies before its end.
    offset: f64,
    kernel: ExponentialSum,
    size: usize,
    /// V_i of cell c in element i·size + c.
    modes: Vec<f64>,
    /// The newest past step and its increment, not yet in the modes (quadratic interpolation only).
    pending: Option<(f64, Vec<f64>)>,
    flops: u64,
}

impl ExponentialMemory {
    /// An empty history of vectors of length `size` for steps no shorter than `shortest` until `end` \[t\], with a
    /// relative error of the kernel of at most `tolerance`. `None` when the scheme is no integral of an interpolant.
    ///
    /// # Errors
    /// When the kernel cannot be fitted to the tolerance.
    pub fn new(
        scheme: &dyn CaputoScheme,
        order: FractionalOrder,
        size: usize,
        (shortest, end): (f64, f64),
        tolerance: f64,
    ) -> Result<Option<Self>> {
        let Some(interpolation) = scheme.interpolation() else { return Ok(None) };
        let offset = scheme.evaluation_offset(order);
        let kernel = if order.value() < 1.0 {
            ExponentialSum::fit(order.value(), (1.0 - offset) * shortest, end, tolerance)?
        } else {
            // The kernel has shrunk to a point: there is no past.
            ExponentialSum::empty()
        };
        Ok(Some(ExponentialMemory {
            order: order.value(),
            interpolation,
            offset,
            size,
            modes: vec![0.0; size * kernel.rates().len()],
            kernel,
            pending: None,
            flops: 0,
        }))
    }

    /// An empty history with the same kernel for vectors of another length.
    pub fn for_cells(&self, size: usize) -> Self {
        ExponentialMemory {
            size,
            modes: vec![0.0; size * self.term_count()],
            kernel: self.kernel.clone(),
            pending: None,
            flops: 0,
            ..*self
        }
    }

    /// Number of exponentials.
    pub fn term_count(&self) -> usize {
        self.kernel.rates().len()
    }

    /// Moves the modes over a step whose slope is `increment`/step + 2 (s - middle) `bend`.
    fn absorb(&mut self, step: f64, increment: &[f64], bend: Option<&[f64]>) {
        for (rate, mode) in self.kernel.rates().iter().zip(self.modes.chunks_exact_mut(self.size)) {
            let z = rate * step;
            let decay = (-z).exp();
            // ∫ e^(-s x) dx over the step, over the step.
            let mean = if z > 0.0 { -(-z).exp_m1() / z } else { 1.0 };
            match bend {
                None => {
                    for (value, increment) in mode.iter_mut().zip(increment) {
                        *value = decay * *value + mean * increment;
                    }
                }
                Some(bend) => {
                    let moment = 2.0 * step * step * centred_moment(z);
                    for ((value, increment), bend) in mode.iter_mut().zip(increment).zip(bend) {
                        *value = decay * *value + mean * increment + moment * bend;
                    }
                }
            }
        }
        self.flops += (4 * self.modes.len()) as u64;
    }
}

/// ∫₀¹ (1/2 - x) e^(-z x) dx.
fn centred_moment(z: f64) -> f64 {
    if z > 0.5 {
        return (0.5 * z * (1.0 + (-z).exp()) + (-z).exp_m1()) / (z * z);
    }
    // Σ_k (-z)^k / k! (1/(2(k+1)) - 1/(k+2)); the term of k = 0 vanishes.
    let (mut power, mut sum) = (1.0, 0.0);
    for k in 1..16 {
        power *= -z / f64::from(k);
        sum += power * (0.5 / f64::from(k + 1) - 1.0 / f64::from(k + 2));
    }
    sum
}

impl MemorySum for ExponentialMemory {
    fn history(&self, next_step: f64, out: &mut [f64]) -> f64 {
        assert_eq!(out.len(), self.size, "one value per cell");
        let alpha = self.order;
        let over_gamma = reciprocal_gamma(1.0 - alpha);
        let reach = (1.0 - self.offset) * next_step;
        let mut own = reach.powf(1.0 - alpha) / (gamma(2.0 - alpha) * next_step);
        // The modes end where the pending step begins.
        let age = reach + self.pending.as_ref().map_or(0.0, |(step, _)| *step);
        out.fill(0.0);
        let terms = self.kernel.rates().iter().zip(self.kernel.weights());
        for ((rate, weight), mode) in terms.zip(self.modes.chunks_exact(self.size)) {
            let factor = over_gamma * weight * (-rate * age).exp();
            out.iter_mut().zip(mode).for_each(|(sum, value)| *sum += factor * value);
        }
        if let Some((step, increment)) = &self.pending {
            let b = 2.0 * first_moment(alpha, reach, *step) / (step * (step + next_step));
            let a = power_increase(reach, *step, 1.0 - alpha) / (gamma(2.0 - alpha) * step);
            out.iter_mut().zip(increment).for_each(|(sum, value)| *sum += (a - b) * value);
            own += b * step / next_step;
        }
        own
    }

    fn push(&mut self, increment: &[f64], step: f64) {
        assert_eq!(increment.len(), self.size, "one value per cell");
        self.flops += (2 * self.modes.len()) as u64;
        match self.interpolation {
            Interpolation::Linear => self.absorb(step, increment, None),
            Interpolation::Quadratic => {
                if let Some((before, past)) = self.pending.take() {
                    let bend: Vec<f64> = past
                        .iter()
                        .zip(increment)
                        .map(|(past, next)| (next / step - past / before) / (before + step))
                        .collect();
                    self.absorb(before, &past, Some(&bend));
                }
                self.pending = Some((step, increment.to_vec()));
            }
        }
    }

    fn flops_ahead(&self) -> (u64, u64) {
        (2 * self.modes.len() as u64, 4 * self.modes.len() as u64)
    }

    fn flops(&self) -> u64 {
        self.flops
    }

    fn bytes(&self) -> u64 {
        (self.modes.len() * size_of::<f64>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caputo::{DirectSum, L1, L2Sigma, TimeGrid};

    #[test]
    fn the_centred_moment_agrees_across_its_formulas() {
        for z in [1e-9, 0.01, 0.4999, 0.5001, 3.0, 50.0] {
            let rule = crate::math::quadrature::gauss_legendre(40);
            let exact: f64 = rule
                .iter()
                .map(|(node, weight)| {
                    let x = 0.5 * (1.0 + node);
                    0.5 * weight * (0.5 - x) * (-z * x).exp()
                })
                .sum();
            let found = centred_moment(z);
            assert!((found - exact).abs() < 1e-15 + 1e-11 * exact.abs(), "{z}: {found:e} {exact:e}");
        }
    }

    #[test]
    fn at_order_one_there_is_no_past() {
        let order = FractionalOrder::new(1.0).expect("valid");
        for scheme in [&L1 as &dyn CaputoScheme, &L2Sigma] {
            let mut memory =
                ExponentialMemory::new(scheme, order, 2, (0.1, 1.0), 1e-8).expect("no fit").expect("an integral");
            for step in [0.1, 0.3, 0.2] {
                let mut past = [f64::NAN; 2];
                assert!((memory.history(step, &mut past) - 1.0 / step).abs() < 1e-13);
                assert_eq!(past, [0.0; 2]);
                memory.push(&[1.0, -2.0], step);
            }
        }
    }

    #[test]
    fn equals_the_direct_sum_to_its_tolerance_on_any_steps() {
        let order = FractionalOrder::new(0.6).expect("valid");
        let schemes: [&dyn CaputoScheme; 2] = [&L1, &L2Sigma];
        for scheme in schemes {
            for grading in [1.0, 3.0] {
                let grid = TimeGrid::graded(2.0, 300, grading).expect("valid");
                let steps = grid.steps();
                let shortest = steps.iter().copied().fold(f64::INFINITY, f64::min);
                for tolerance in [1e-6, 1e-10] {
                    let size = 3;
                    let mut fast = ExponentialMemory::new(scheme, order, size, (shortest, 2.0), tolerance)
                        .expect("a fit")
                        .expect("an integral");
                    let mut direct = DirectSum::new(scheme, order, size, steps.len());
                    let mut worst = 0.0f64;
                    for (n, &step) in steps.iter().enumerate() {
                        let (mut a, mut b) = (vec![f64::NAN; size], vec![f64::INFINITY; size]);
                        // A look at another step leaves no trace.
                        fast.history(0.7 * step, &mut a);
                        let (own, exact) = (fast.history(step, &mut a), direct.history(step, &mut b));
                        assert!((own / exact - 1.0).abs() < 1e-13);
                        // Increments of one sign: the relative error of the kernel is that of the sum.
                        let scale = b.iter().fold(0.0f64, |top, value| top.max(value.abs()));
                        let error = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                        worst = worst.max(if scale > 0.0 { error / scale } else { error });
                        let increment: Vec<f64> = (0..size).map(|i| step * (1.0 + ((n + i) % 5) as f64)).collect();
                        fast.push(&increment, step);
                        direct.push(&increment, step);
                    }
                    println!(
                        "{} r = {grading}, {tolerance:e}: {worst:.1e}, {} terms",
                        scheme.name(),
                        fast.term_count()
                    );
                    assert!(worst < 3.0 * tolerance, "{} r = {grading}: {worst:e}", scheme.name());
                }
            }
        }
    }
}
