//! Points that crowd around one of them: quadrature for functions with a peak or a crest of any width there.
//!
//! Formula:   w = c ± r, r = e^u with u in equal steps between ln(reach 10^-12) and ln(reach); a Riemann sum in u
//! Assumes:   one to three dimensions; what happens closer to the centre than 10^-12 of the reach does not matter
//! Order:     spectral for smooth functions of u (they vanish at both ends, or are cut at the reach)
//! Cost:      (2 n)^d evaluations

use crate::error::Result;
use crate::landscape::Landscape;

/// Decades below the reach that the points cover.
const DECADES: f64 = 12.0;

/// Losses at graded points around a centre, with the volume that each point stands for.
pub(super) struct GradedLosses {
    pub(super) losses: Vec<f64>,
    pub(super) squares: Vec<f64>,
    pub(super) volumes: Vec<f64>,
}

impl GradedLosses {
    /// `half_count` points on either side of every axis, up to the distance `reach` \[w\].
    ///
    /// # Errors
    /// When a loss is not finite.
    pub(super) fn new(landscape: &dyn Landscape, center: &[f64], reach: f64, half_count: usize) -> Result<Self> {
        let dimension = center.len();
        let step = DECADES * std::f64::consts::LN_10 / half_count as f64;
        // Middles of equal steps in u up to ln(reach): the sum is exact at the cut to second order.
        let radii: Vec<f64> = (0..half_count).map(|k| reach * (-(k as f64 + 0.5) * step).exp()).collect();
        let offsets: Vec<(f64, f64)> = radii.iter().flat_map(|r| [(*r, r * step), (-r, r * step)]).collect();
        let count = offsets.len().pow(dimension as u32);
        let mut points = Vec::with_capacity(count * dimension);
        let (mut squares, mut volumes) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for index in 0..count {
            let (mut rest, mut square, mut volume) = (index, 0.0, 1.0);
            for coordinate in center {
                let (offset, weight) = offsets[rest % offsets.len()];
                rest /= offsets.len();
                points.push(coordinate + offset);
                square += offset * offset;
                volume *= weight;
            }
            squares.push(square);
            volumes.push(volume);
        }
        let mut losses = vec![0.0; count];
        landscape.losses(&points, &mut losses)?;
        Ok(GradedLosses { losses, squares, volumes })
    }
}
