//! The largest curvature of the energy at the point, by power iteration.
//!
//! Formula:   v ← H v / |H v|, H v ≈ (∇L(w* + h v) - ∇L(w* - h v)) / 2h;  k_max = t |v·H v| + g
//! Assumes:   a gradient that changes smoothly within h
//! Cost:      two gradients per iteration
//! Fails when the curvature vanishes at the point (a crossing): the answer is g then, and the pilot run finds the step

use crate::dynamics::Target;
use crate::math::random::Stream;

const ITERATIONS: usize = 30;
/// Part of the point's size that the gradient is taken at a distance of.
const DISTANCE: f64 = 1e-4;

/// Largest curvature of t L + (g/2) |w - w*|² at the anchor \[w^-2\].
pub(super) fn largest(target: &Target<'_>, seed: u64) -> f64 {
    let dimension = target.anchor.len();
    let mut stream = Stream::new(seed, "curvature", 0);
    let mut direction: Vec<f64> = (0..dimension).map(|_| stream.normal()).collect();
    normalise(&mut direction);
    let size = target.anchor.iter().map(|value| value * value).sum::<f64>().sqrt();
    let step = DISTANCE * size.max(1.0);
    let (mut forwards, mut backwards) = (vec![0.0; dimension], vec![0.0; dimension]);
    let gradient_at = |direction: &[f64], sign: f64, out: &mut [f64]| {
        let point: Vec<f64> = target.anchor.iter().zip(direction).map(|(w, v)| w + sign * step * v).collect();
        target.landscape.gradient(&point, out);
    };
    let mut curvature = 0.0;
    for _ in 0..ITERATIONS {
        gradient_at(&direction, 1.0, &mut forwards);
        gradient_at(&direction, -1.0, &mut backwards);
        let mut product: Vec<f64> =
            forwards.iter().zip(&backwards).map(|(next, last)| (next - last) / (2.0 * step)).collect();
        let size = normalise(&mut product);
        if !(size > 0.0 && size.is_finite()) {
            break;
        }
        curvature = size;
        direction = product;
    }
    target.inverse_temperature * curvature + target.localization
}

/// Scales to length one and gives the length before.
fn normalise(vector: &mut [f64]) -> f64 {
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
    length
}
