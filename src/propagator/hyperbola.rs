//! Inverse Laplace transforms on a hyperbola, one set of nodes for a window of times.
//!
//! Formula:   f(t) ≈ Im sum_k w_k e^(z_k t) F(z_k), z(u) = μ (1 + sin(iu - φ)), u_k = (k + 1/2) h, w_k = (h/π) z'(u_k)
//! Assumes:   F(z̄) = conj F(z), analytic outside a sector of half-angle δ around the negative real axis
//! Order:     e^(-B N), B = π (π - 2φ - 2δ) / A(φ), for all t in a window \[t_1/Λ, t_1\]
//! Cost:      N evaluations of F: 15 for one time, about 33 for a decade
//! Fails when too many nodes are taken: rounding grows like e^(μ t_1 (1 - sin φ)); N follows from the error model
//! Reference: \[WeidemanTrefethen2007\], \[LopezFernandezPalencia2004\]

use std::f64::consts::PI;

use num_complex::Complex64;

/// Relative size at which the discretisation error is cut: a little above the rounding unit.
const TARGET: f64 = 1e-15;

/// Nodes z_k and weights w_k for one window of times.
#[derive(Clone, Debug)]
pub struct Hyperbola {
    nodes: Vec<(Complex64, Complex64)>,
}

impl Hyperbola {
    /// Nodes for all times in \[`first`, `last`\] and singularities inside a sector of half-angle `opening` (radians,
    /// below π/4) around the negative real axis.
    ///
    /// # Panics
    /// When the window is empty or the opening is π/4 or more.
    pub fn new(first: f64, last: f64, opening: f64) -> Self {
        assert!(first > 0.0 && last >= first, "a window of positive times");
        assert!((0.0..PI / 4.0).contains(&opening), "the sector must leave room for the contour");
        let ratio = last / first;
        // The exponent of convergence has one maximum in the angle; a scan finds it well enough.
        let (angle, width, exponent) = (1..400)
            .map(|k| {
                let low = PI / 4.0 - opening / 2.0;
                let high = PI / 2.0 - opening;
                let angle = low + (high - low) * f64::from(k) / 400.0;
                let excess = 4.0 * angle - PI + 2.0 * opening;
                let argument = ((PI - 2.0 * angle - 2.0 * opening) * ratio + excess) / (excess * angle.sin());
                let width = argument.acosh();
                (angle, width, PI * (PI - 2.0 * angle - 2.0 * opening) / width)
            })
            .max_by(|a, b| a.2.total_cmp(&b.2))
            .expect("the scan is not empty");
        let count = ((1.0 / TARGET).ln() / exponent).ceil();
        let step = width / count;
        let scale = (4.0 * PI * angle - PI * PI + 2.0 * PI * opening) / width * count / last;
        let nodes = (0..count as usize).map(|k| {
            let u = Complex64::new(-angle, (k as f64 + 0.5) * step);
            let node = scale * (1.0 + u.sin());
            let derivative = Complex64::i() * scale * u.cos();
            (node, derivative * (step / PI))
        });
        Hyperbola { nodes: nodes.collect() }
    }

    /// Nodes z_k.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = Complex64> + '_ {
        self.nodes.iter().map(|(node, _)| *node)
    }

    /// The factors w_k e^(z_k t) with which F(z_k) is summed; f(t) is the imaginary part of the sum.
    pub fn factors(&self, time: f64) -> impl ExactSizeIterator<Item = Complex64> + '_ {
        self.nodes.iter().map(move |(node, weight)| weight * (node * time).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::special::mittag_leffler;

    #[test]
    fn inverts_the_transform_of_mittag_leffler_relaxation() {
        for order in [0.2, 0.5, 0.8, 1.0] {
            for (first, last) in [(1.0, 1.0), (0.3, 3.0)] {
                for opening in [0.0, 0.3] {
                    let contour = Hyperbola::new(first, last, opening);
                    for rate in [0.0, 1e-3, 1.0, 30.0, 1e6] {
                        for time in [first, last] {
                            let value: f64 = contour
                                .nodes()
                                .zip(contour.factors(time))
                                .map(|(z, factor)| (factor * z.powf(order - 1.0) / (z.powf(order) + rate)).im)
                                .sum();
                            let exact = mittag_leffler(order, 1.0, -rate * f64::powf(time, order)).expect("finite");
                            assert!(
                                (value - exact).abs() < 2e-13,
                                "order {order}, window {first}..{last}, rate {rate}: {value} against {exact}"
                            );
                        }
                    }
                }
            }
        }
    }
}
