//! Change points in which units of a run agree.
//!
//! Formula:   Δ_k = Σ_t a_k(t) log S(t), the hinge of least squares at t_k; z_k = Δ_k/se_k with se_k from the influences
//!            i_uk = Σ_t a_k(t) S_u(t)/S(t) of the units u; a change where sup_k |z_k| is larger than all but 1 % of
//!            sup_k |Σ_u ±i_uk|/se_k over random signs
//! Assumes:   units independent and of one kind; at least eight
//! Cost:      signs × units × points
//! Fails when units depend on each other: too many changes are found
//! Reference: \[EfronTibshirani1993\]; signs in place of resamples keep every unit once
//!
//! The displacement of one run waves as a self-similar process of few coordinates does, and its curve alone cannot tell a bend
//! from a wave. Units can: waves of independent units differ, a bend of the run is theirs all.

use super::phases::{LEAST, Whitened, contrast};
use crate::math::random::Stream;

/// Share of straight lines that are taken for bent, and that of a further bend.
const LEVEL: f64 = 0.01;
/// Random signs.
const SIGNS: usize = 999;
/// Largest number of change points.
const MOST: usize = 2;

/// Change points that units agree on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bends {
    /// Places of the change points among the times, in their order; found one after another.
    pub knots: Vec<usize>,
    /// Share of straight lines with as large a bend, for the first change point and for every further one that was tried.
    pub significance: Vec<f64>,
}

/// Looks for change points; `whitened` holds the columns of least squares, `units` their sums at the times.
pub(super) fn bends(whitened: &Whitened, units: &[(f64, Vec<f64>)]) -> Bends {
    let count = units[0].1.len();
    let sums: Vec<f64> = (0..count).map(|t| units.iter().map(|(_, unit)| unit[t]).sum()).collect();
    let mut found = Bends::default();
    for _ in 0..MOST {
        let candidates: Vec<Candidate> = (LEAST - 1..(count + 1).saturating_sub(LEAST))
            .filter(|knot| found.knots.iter().all(|other| knot.abs_diff(*other) >= LEAST - 1))
            .filter_map(|knot| Candidate::new(whitened, &found.knots, knot, units, &sums))
            .collect();
        let Some(best) = candidates.iter().max_by(|a, b| a.size.total_cmp(&b.size)) else { break };
        let share = share_of_signs(&candidates, best.size);
        found.significance.push(share);
        if share > LEVEL {
            break;
        }
        found.knots.push(best.knot);
        found.knots.sort_unstable();
    }
    found
}

/// A hinge at a place.
struct Candidate {
    knot: usize,
    /// |z|.
    size: f64,
    /// Influences of the units over the standard error.
    influences: Vec<f64>,
}

impl Candidate {
    fn new(
        whitened: &Whitened,
        others: &[usize],
        knot: usize,
        units: &[(f64, Vec<f64>)],
        sums: &[f64],
    ) -> Option<Self> {
        let (value, weights) = contrast(whitened, others, knot, sums.len())?;
        let influence = |(_, unit): &(f64, Vec<f64>)| -> f64 {
            weights.iter().zip(unit).zip(sums).map(|((weight, value), sum)| weight * value / sum).sum()
        };
        let influences: Vec<f64> = units.iter().map(influence).collect();
        let count = units.len() as f64;
        let error = (count / (count - 1.0) * influences.iter().map(|value| value * value).sum::<f64>()).sqrt();
        let influences = influences.into_iter().map(|value| value / error).collect();
        (error > 0.0).then_some(Candidate { knot, size: (value / error).abs(), influences })
    }
}

/// Share of random signs that give as large a bend at any place.
fn share_of_signs(candidates: &[Candidate], size: f64) -> f64 {
    let mut stream = Stream::new(0, "bends", 0);
    let unit_count = candidates[0].influences.len();
    let mut larger = 1;
    for _ in 0..SIGNS {
        let signs: Vec<f64> = (0..unit_count).map(|_| if stream.bits() & 1 == 0 { 1.0 } else { -1.0 }).collect();
        let is_larger = candidates.iter().any(|candidate| {
            let sum: f64 = candidate.influences.iter().zip(&signs).map(|(value, sign)| value * sign).sum();
            sum.abs() >= size
        });
        larger += usize::from(is_larger);
    }
    larger as f64 / (SIGNS + 1) as f64
}
