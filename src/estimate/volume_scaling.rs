//! The learning coefficient from its definition: how fast the volume of low losses shrinks.
//!
//! Formula:   V(ε) = vol { w in the box : L(w) - L(w*) < ε } ~ c ε^λ (-ln ε + s)^(m-1)
//! Assumes:   one to three dimensions; low losses around w* or along the axes through it
//! Cost:      (2 n)^d losses
//! Fails when ε is so small that the points no longer resolve the set: seen in the residual
//! Reference: \[Watanabe2009\]
//!
//! Without the logarithm of a multiplicity m > 1 a fit of ln V against ln ε is wrong by (m-1)/ln(1/ε): every m up to the
//! dimension is fitted, with the shift s of the logarithm, and the best one is taken.

use std::f64::consts::LN_10;

use super::graded_points::GradedLosses;
use crate::error::Result;
use crate::landscape::Landscape;

/// Points on either side of an axis in one, two and three dimensions.
const POINTS: [usize; 3] = [20_000, 900, 60];
/// Levels per decade of ε, and decades of the fit.
const LEVELS: usize = 8;

/// Residual of ln V below which a fit needs no further term.
const SMALL_RESIDUAL: f64 = 2e-3;

/// λ and m by volume scaling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VolumeScaling {
    /// Learning coefficient λ.
    pub learning_coefficient: f64,
    /// Multiplicity m.
    pub multiplicity: usize,
    /// Root of the mean squared residual of ln V.
    pub residual: f64,
}

/// Fits the volumes of the box |w_i - at_i| <= `radius` for ε between `lowest` \[loss\] and 10^6
/// times it.
///
/// # Errors
/// When a loss is not finite.
///
/// # Panics
/// When the dimension is not one to three.
pub fn volume_scaling(landscape: &dyn Landscape, at: &[f64], radius: f64, lowest: f64) -> Result<VolumeScaling> {
    let dimension = at.len();
    let points = GradedLosses::new(landscape, at, radius, POINTS[dimension - 1])?;
    let baseline = landscape.loss(at);
    let mut cells: Vec<(f64, f64)> = points
        .losses
        .iter()
        .zip(&points.volumes)
        .map(|(loss, volume)| ((loss - baseline).max(0.0).ln(), *volume))
        .collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let levels: Vec<(f64, f64)> = (0..=6 * LEVELS)
        .map(|level| lowest.ln() + LN_10 * level as f64 / LEVELS as f64)
        .filter_map(|level| {
            let volume = averaged_volume(&cells, level);
            (volume > 0.0).then(|| (level, volume.ln()))
        })
        .collect();
    let fits = (1..=dimension).map(|multiplicity| fit(&levels, multiplicity));
    // A logarithm must earn its place: its shift can stand for the small corrections of a pure power too.
    let earns = |best: &VolumeScaling, next: &VolumeScaling| {
        best.residual > SMALL_RESIDUAL && next.residual < 0.3 * best.residual
    };
    let best = fits.reduce(|best, next| if earns(&best, &next) { next } else { best });
    best.ok_or_else(|| crate::Error::NotFinite { stage: "a fit of volumes in no dimension".into() })
}

/// Mean of V over the levels from ln ε = `level` to a decade above: every power keeps its exponent, and what a single
/// point adds to V no longer shows. `cells` are (ln (L - L*), volume) in order.
fn averaged_volume(cells: &[(f64, f64)], level: f64) -> f64 {
    let end = cells.partition_point(|cell| cell.0 < level + LN_10);
    cells[..end].iter().map(|(loss, volume)| volume * ((level + LN_10 - loss) / LN_10).min(1.0)).sum()
}

/// Least squares of ln V = c + λ ln ε + (m-1) ln(s - ln ε), over a search for s.
fn fit(levels: &[(f64, f64)], multiplicity: usize) -> VolumeScaling {
    let with_shift = |shift: f64| {
        let power = (multiplicity - 1) as f64;
        let rest: Vec<(f64, f64)> =
            levels.iter().map(|(x, y)| (*x, y - power * (shift - x).max(f64::MIN_POSITIVE).ln())).collect();
        let n = rest.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| rest.iter().map(pick).sum::<f64>() / n;
        let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let slope = rest.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum::<f64>()
            / rest.iter().map(|pair| (pair.0 - x).powi(2)).sum::<f64>();
        let squares: f64 = rest.iter().map(|pair| (pair.1 - y - slope * (pair.0 - x)).powi(2)).sum();
        VolumeScaling { learning_coefficient: slope, multiplicity, residual: (squares / n).sqrt() }
    };
    if multiplicity == 1 {
        return with_shift(0.0);
    }
    let largest = levels.iter().map(|level| level.0).fold(f64::NEG_INFINITY, f64::max);
    let tried = (0..=200).map(|step| with_shift(largest + 0.1 * (1.045_f64).powi(step)));
    tried.min_by(|a, b| a.residual.total_cmp(&b.residual)).unwrap_or_else(|| with_shift(largest + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::ExpressionLandscape;

    #[test]
    fn monomials_have_their_exponent_and_multiplicity() {
        for (formula, dimension, exact, multiplicity) in [
            ("x^2", 1, 0.5, 1),
            ("x^4", 1, 0.25, 1),
            ("x^2 + y^2", 2, 1.0, 1),
            ("x^2*y^2", 2, 0.5, 2),
            ("x^2*y^4", 2, 0.25, 1),
            ("x^4*y^4", 2, 0.25, 2),
            ("x^4 + y^2", 2, 0.75, 1),
        ] {
            let landscape = ExpressionLandscape::new(formula, dimension).expect("a formula");
            let found = volume_scaling(&landscape, &vec![0.0; dimension], 1.0, 1e-16).expect("finite losses");
            assert_eq!(found.multiplicity, multiplicity, "{formula}: {found:?}");
            assert!((found.learning_coefficient - exact).abs() < 0.01 * exact, "{formula}: {found:?}");
        }
    }
}
