//! Inverse Laplace transforms on a hyperbola, one set of nodes for a window of times.
//!
//! Formula:   f(t) ≈ Im sum_k w_k e^(z_k t) F(z_k), z(u) = μ (1 + sin(iu - φ)), u_k = (k + 1/2) h, w_k = (h/π) z'(u_k)
//! Assumes:   F(z̄) = conj F(z), analytic outside a sector of half-angle δ around the negative real axis
//! Order:     the tolerance times the size of F, for all t in the window
//! Cost:      N evaluations of F; at 1e-15: δ = 0: 17 for one time, 35 for a decade, 55 for two; δ = 1: 81, 126, 174
//! Fails when the sector opens to a right angle
//! Reference: \[WeidemanTrefethen2007\], \[LopezFernandezPalenciaSchaedle2006\]
//!
//! The parameters follow from four errors. Shifting the path towards the singularities by b = π/2 - δ - φ leaves
//! e^(-2πb/h); shifting it to the right by a leaves e^(-2πa/h + μ t (1 - sin(φ - a))); cutting at N h leaves
//! e^(μ t (1 - sin φ cosh(N h))); rounding is multiplied by e^(μ t (1 - sin φ)). The first and third are set to the tolerance, the
//! second is kept below it, and the fourth is bounded by e^4: taking more nodes cannot lose digits.

use std::f64::consts::{FRAC_PI_2, PI};

use num_complex::Complex64;

/// Error at which the full precision of a double is reached.
pub const FULL_PRECISION: f64 = 1e-15;
/// Logarithm of the largest factor on rounding errors.
const ROUNDING: f64 = 4.0;
/// Angles and shifts that are tried: more save no node.
const ANGLES: u32 = 80;
const SHIFTS: u32 = 20;
/// Largest half-angle of the sector of singularities.
pub const LARGEST_OPENING: f64 = 1.52;

/// Nodes z_k and weights w_k for one window of times.
#[derive(Clone, Debug)]
pub struct Hyperbola {
    nodes: Vec<(Complex64, Complex64)>,
}

impl Hyperbola {
    /// Nodes for all times in \[`first`, `last`\], singularities inside a sector of half-angle `opening` (radians)
    /// around the negative real axis, and errors of about `tolerance` times the size of F.
    ///
    /// # Panics
    /// When the window is empty or the opening exceeds [`LARGEST_OPENING`].
    pub fn new(first: f64, last: f64, opening: f64, tolerance: f64) -> Self {
        assert!(first > 0.0 && last >= first, "a window of positive times");
        assert!((0.0..=LARGEST_OPENING).contains(&opening), "the sector must leave room for the contour");
        let room = FRAC_PI_2 - opening;
        let digits = -tolerance.clamp(FULL_PRECISION, 0.1).ln();
        let candidates = (1..ANGLES)
            .filter_map(|k| Shape::with_angle(room * f64::from(k) / f64::from(ANGLES), room, last / first, digits));
        let shape = candidates.min_by(|a, b| a.count.total_cmp(&b.count)).expect("some angle admits a contour");
        let scale = shape.scale / last;
        let nodes = (0..shape.count as usize).map(|k| {
            let u = Complex64::new(-shape.angle, (k as f64 + 0.5) * shape.step);
            let derivative = Complex64::i() * scale * u.cos();
            (scale * (1.0 + u.sin()), derivative * (shape.step / PI))
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

/// Angle φ, step h, scale μ t_last and node count of one admissible hyperbola.
struct Shape {
    angle: f64,
    step: f64,
    scale: f64,
    count: f64,
}

impl Shape {
    fn with_angle(angle: f64, room: f64, ratio: f64, digits: f64) -> Option<Self> {
        let step = 2.0 * PI * (room - angle) / digits;
        // Beyond a = φ the shifted path would turn to the right, where e^(zt) grows.
        let shifts = (1..=SHIFTS).map(|k| angle * f64::from(k) / f64::from(SHIFTS));
        let largest = shifts.map(|shift| (2.0 * PI * shift / step - digits) / (1.0 - (angle - shift).sin()));
        let scale = largest.fold(0.0, f64::max).min(ROUNDING / (1.0 - angle.sin()));
        let reach = (1.0 + digits * ratio / scale) / angle.sin();
        (scale > 0.0).then(|| Shape { angle, step, scale, count: (reach.acosh() / step).ceil() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::special::mittag_leffler;

    #[test]
    fn inverts_the_transform_of_mittag_leffler_relaxation() {
        for order in [0.2, 0.5, 0.8, 1.0] {
            for (first, last) in [(1.0, 1.0), (0.3, 3.0), (1e-2, 1.0)] {
                for opening in [0.0, 0.3, 1.2] {
                    let contour = Hyperbola::new(first, last, opening, FULL_PRECISION);
                    for rate in [0.0, 1e-3, 1.0, 30.0, 1e6] {
                        for time in [first, (first * last).sqrt(), last] {
                            let value: f64 = contour
                                .nodes()
                                .zip(contour.factors(time))
                                .map(|(z, factor)| (factor * z.powf(order - 1.0) / (z.powf(order) + rate)).im)
                                .sum();
                            let exact = mittag_leffler(order, 1.0, -rate * f64::powf(time, order)).expect("finite");
                            assert!(
                                (value - exact).abs() < 2e-13,
                                "order {order}, window {first}..{last}, opening {opening}, rate {rate}: {value} against {exact}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_error_follows_the_tolerance_and_saves_nodes() {
        for ratio in [1.0, 10.0, 100.0] {
            let mut counts = Vec::new();
            for tolerance in [1e-6, 1e-8, 1e-10, 1e-12, 1e-14] {
                let contour = Hyperbola::new(1.0, ratio, 0.05, tolerance);
                let mut worst = 0.0f64;
                for order in [0.2, 0.6, 1.0] {
                    for rate in [0.0, 1e-3, 0.1, 1.0, 10.0, 1e3, 1e6] {
                        for time in [1.0, ratio.sqrt(), ratio] {
                            let terms = contour.nodes().zip(contour.factors(time));
                            let value: f64 = terms
                                .map(|(z, factor)| (factor * z.powf(order - 1.0) / (z.powf(order) + rate)).im)
                                .sum();
                            let exact = mittag_leffler(order, 1.0, -rate * f64::powf(time, order)).expect("finite");
                            worst = worst.max((value - exact).abs());
                        }
                    }
                }
                counts.push(contour.nodes().len());
                println!("ratio {ratio}, tolerance {tolerance:e}: {} nodes, {worst:.1e}", contour.nodes().len());
                assert!(worst < 4.0 * tolerance + 1e-13, "ratio {ratio}, {tolerance:e}: {worst:e}");
            }
            assert!(counts.is_sorted());
        }
    }

    #[test]
    fn an_open_contour_reaches_poles_near_the_imaginary_axis() {
        // F(z) = (z + a) / ((z + a)^2 + w^2) is the transform of e^(-a t) cos(w t).
        let (decay, frequency) = (1.0, 4.0);
        let opening = PI - Complex64::new(-decay, frequency).arg() + 0.02;
        let contour = Hyperbola::new(0.1, 10.0, opening, FULL_PRECISION);
        for time in [0.1, 0.7, 3.0, 10.0] {
            let terms = contour.nodes().zip(contour.factors(time));
            let value: f64 = terms
                .map(|(z, factor)| (factor * (z + decay) / ((z + decay).powi(2) + frequency * frequency)).im)
                .sum();
            let exact = (-decay * time).exp() * (frequency * time).cos();
            assert!((value - exact).abs() < 1e-12, "t = {time}: {value} against {exact}");
        }
    }
}
