//! Change points of a displacement.
//!
//! Formula:   log R² = continuous and piecewise straight in log t, with one to three pieces, plus a noise of covariance
//!            σ² ρ(s, t)²; BIC = K log(RSS/K) + log det ρ² + p log K over pieces, change points and ρ
//! Assumes:   ρ of fractional Brownian motion, any h, or (s/t)^h: of a self-similar process, so stationary in log t
//! Cost:      (K²/2) systems of four unknowns for every ρ, K <= 40
//! Fails when fewer than three points lie between change points
//! Reference: \[Lamperti1962\] (a self-similar process is stationary in log t); \[Isserlis1918\]
//!
//! Neighbouring values of log R are nearly the same number. Least squares would count them as independent and find a change
//! point in every wave of the noise.

use faer::linalg::solvers::Llt;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, Par, Side};

use super::bends::bends;
use super::diagnosis::{Interval, Phase, PhaseKind};
use super::layout::log_spaced;
use super::noise::{Correlation, NUGGET};
use super::resample::{Sums, exponential, quantile};
use crate::math::random::Stream;
use crate::math::statistics::student_quantile;

/// Largest number of times.
const POINTS: usize = 40;
/// Least number of points of a piece.
pub(super) const LEAST: usize = 4;
/// Parameters that a change point counts for: its slope, and its place, which is sought among many. With four, straight lines
/// with the noise of fractional Brownian motion are broken in about one of forty (`tests/displacement.rs`).
const CHANGE: f64 = 4.0;
/// 95 % of a chi-squared number of one degree of freedom.
const CHI_SQUARED: f64 = 3.841;

/// Phases of a displacement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phases {
    pub phases: Vec<Phase>,
    pub changes: Vec<Interval>,
    pub criteria: Vec<f64>,
    pub significance: Vec<f64>,
}

/// Whitened columns of one correlation: their products and where they stand.
pub(super) struct Whitened {
    log_determinant: f64,
    cholesky: Llt<f64>,
    columns: Mat<f64>,
    /// Products of the columns 1, x, (x - x_k)+ for every point k, y.
    products: Mat<f64>,
}

struct Fit {
    knots: Vec<usize>,
    correlation: usize,
    coefficients: Vec<f64>,
    inverse: Mat<f64>,
    residual: f64,
    score: f64,
}

/// Finds the phases of mean squared displacements at times > 0. The slopes get their intervals from the units where there are
/// any, else from the noise of the curve.
pub(super) fn phases(times: &[f64], squares: &[f64], units: &[Sums]) -> Phases {
    let all: Vec<usize> = (0..times.len()).collect();
    let places = log_spaced(times, &all, POINTS);
    let x: Vec<f64> = places.iter().map(|place| times[*place].ln()).collect();
    let y: Vec<f64> = places.iter().map(|place| squares[*place].ln()).collect();
    let count = x.len();
    let whitened: Vec<Whitened> = Correlation::all().filter_map(|correlation| whiten(&x, &y, correlation)).collect();
    let mut best: Vec<(f64, Vec<Fit>)> = Vec::new();
    let mut ranges: Vec<Vec<(usize, usize)>> = Vec::new();
    for pieces in 1..=3 {
        let fits: Vec<Fit> = candidates(count, pieces)
            .iter()
            .flat_map(|knots| {
                (0..whitened.len()).filter_map(|place| solve(&whitened[place], place, knots, count)).collect::<Vec<_>>()
            })
            .collect();
        let Some(least) = fits.iter().map(|fit| fit.score).min_by(f64::total_cmp) else { break };
        // Likelihood intervals of the change points: every place that is not worse than the best by the 95 % value.
        let range = |which: usize| {
            let inside = fits.iter().filter(|fit| fit.score <= least + CHI_SQUARED).map(|fit| fit.knots[which]);
            inside.fold((count, 0), |(low, high), knot| (low.min(knot), high.max(knot)))
        };
        ranges.push((0..pieces - 1).map(range).collect());
        let parameters = 4.0 + CHANGE * (pieces - 1) as f64;
        let knots = fits.iter().find(|fit| fit.score == least).map(|fit| fit.knots.clone()).unwrap_or_default();
        // The most likely change points under every correlation that is not worse than the best by the 95 % value.
        let mut near: Vec<Fit> =
            fits.into_iter().filter(|fit| fit.knots == knots && fit.score <= least + CHI_SQUARED).collect();
        near.sort_by(|a, b| a.score.total_cmp(&b.score));
        best.push((least + parameters * (count as f64).ln(), near));
    }
    let criteria: Vec<f64> = best.iter().map(|(criterion, _)| *criterion).collect();
    let chosen = (0..best.len()).min_by(|a, b| criteria[*a].total_cmp(&criteria[*b])).expect("one piece always fits");
    let thinned: Vec<(f64, Vec<f64>)> =
        units.iter().map(|(weight, sums)| (*weight, places.iter().map(|place| sums[*place]).collect())).collect();
    let mut significance = Vec::new();
    if !thinned.is_empty()
        && let Some(plain) = plain(&x, &y)
    {
        let bends = bends(&plain, &thinned);
        // Waves that units do not share are noise; a bend that they share is none, whatever the curve alone would allow.
        if bends.knots.len() > chosen
            && let Some(found) = agreed(&plain, bends.knots.len(), &x, &thinned)
        {
            return Phases { criteria, significance: bends.significance, ..found };
        }
        significance = bends.significance;
    }
    let near = &best[chosen].1;
    let changes = near[0]
        .knots
        .iter()
        .zip(&ranges[chosen])
        // The true change lies between neighbours of the points.
        .map(|(knot, (low, high))| exponential(Interval::new(x[*knot], x[low - 1], x[high + 1])))
        .collect();
    let mut phases = pieces_of(&near[0], &x);
    for (piece, phase) in phases.iter_mut().enumerate() {
        if thinned.is_empty() {
            // The correlation is not known either: the ends are the outermost of all that are likely.
            for other in &near[1..] {
                let slope = pieces_of(other, &x)[piece].slope;
                phase.slope.lower = phase.slope.lower.zip(slope.lower).map(|(a, b)| a.min(b));
                phase.slope.upper = phase.slope.upper.zip(slope.upper).map(|(a, b)| a.max(b));
            }
        } else {
            let weights = slope_weights(&near[0], &whitened[near[0].correlation], piece, &x);
            let half = student_quantile(0.975, thinned.len() as f64 - 1.0) * influence_error(&weights, &thinned);
            phase.slope = Interval::new(phase.slope.value, phase.slope.value - half, phase.slope.value + half);
        }
        phase.kind = kind_of(&phase.slope);
    }
    Phases { phases, changes, criteria, significance }
}

/// Resamples of the units for the interval of a change point.
const RESAMPLES: usize = 199;

/// The phases with as many change points as units agree on, by least squares; all intervals from the units.
fn agreed(plain: &Whitened, changes: usize, x: &[f64], units: &[(f64, Vec<f64>)]) -> Option<Phases> {
    let count = x.len();
    let knots = candidates(count, changes + 1);
    let least = |whitened: &Whitened| {
        let fits = knots.iter().filter_map(|knots| solve(whitened, 0, knots, count));
        fits.min_by(|a, b| a.residual.total_cmp(&b.residual))
    };
    let fit = least(plain)?;
    if is_rounded_corner(&fit) {
        return agreed(plain, 1, x, units);
    }
    let mut stream = Stream::new(0, "phases", 0);
    let mut places: Vec<Vec<f64>> = vec![Vec::new(); changes];
    for _ in 0..RESAMPLES {
        let mut sums = vec![0.0; count];
        for _ in units {
            let unit = &units[stream.index(units.len() as u32) as usize].1;
            sums.iter_mut().zip(unit).for_each(|(sum, value)| *sum += value);
        }
        let again: Vec<f64> = sums.iter().map(|sum| sum.ln()).collect();
        if let Some(fit) = self::plain(x, &again).as_ref().and_then(least) {
            places.iter_mut().zip(&fit.knots).for_each(|(places, knot)| places.push(x[*knot]));
        }
    }
    let changes = fit.knots.iter().zip(&mut places).map(|(knot, places)| {
        // The true change lies between neighbours of the points.
        let (low, high) = (quantile(places, 0.025).min(x[knot - 1]), quantile(places, 0.975).max(x[knot + 1]));
        exponential(Interval::new(x[*knot], low, high))
    });
    let changes = changes.collect();
    let mut phases = pieces_of(&fit, x);
    let student = student_quantile(0.975, units.len() as f64 - 1.0);
    for (piece, phase) in phases.iter_mut().enumerate() {
        let half = student * influence_error(&slope_weights(&fit, plain, piece, x), units);
        phase.slope = Interval::new(phase.slope.value, phase.slope.value - half, phase.slope.value + half);
        phase.kind = kind_of(&phase.slope);
    }
    Some(Phases { phases, changes, criteria: Vec::new(), significance: Vec::new() })
}

/// Two change points with a short piece between them whose slope lies between those of its neighbours: one corner that lies
/// between two points, or is a little round.
fn is_rounded_corner(fit: &Fit) -> bool {
    let &[first, second] = &fit.knots[..] else { return false };
    second - first < 2 * LEAST && fit.coefficients[2] * fit.coefficients[3] > 0.0
}

/// The hinge at `knot` beside hinges at `others`, and its weights on log R².
pub(super) fn contrast(plain: &Whitened, others: &[usize], knot: usize, count: usize) -> Option<(f64, Vec<f64>)> {
    let mut knots: Vec<usize> = others.to_vec();
    knots.push(knot);
    let fit = solve(plain, 0, &knots, count)?;
    let columns: Vec<usize> = [0, 1].into_iter().chain(knots.iter().map(|knot| knot + 2)).collect();
    let last = columns.len() - 1;
    let weight =
        |i: usize| columns.iter().enumerate().map(|(j, k)| plain.columns[(i, *k)] * fit.inverse[(j, last)]).sum();
    Some((fit.coefficients[last], (0..count).map(weight).collect()))
}

/// Knots of `pieces` pieces, each with enough points.
fn candidates(count: usize, pieces: usize) -> Vec<Vec<usize>> {
    let ends = LEAST - 1..(count + 1).saturating_sub(LEAST);
    match pieces {
        1 => vec![vec![]],
        2 => ends.map(|knot| vec![knot]).collect(),
        _ => ends
            .clone()
            .flat_map(|first| {
                ends.clone().filter(move |second| *second >= first + LEAST - 1).map(move |second| vec![first, second])
            })
            .collect(),
    }
}

fn whiten(x: &[f64], y: &[f64], correlation: Correlation) -> Option<Whitened> {
    let entry = |i: usize, j: usize| correlation.at(x[i].exp(), x[j].exp()) + if i == j { NUGGET } else { 0.0 };
    whitened(x, y, Mat::from_fn(x.len(), x.len(), entry))
}

/// The columns of least squares, every point alike.
fn plain(x: &[f64], y: &[f64]) -> Option<Whitened> {
    whitened(x, y, Mat::identity(x.len(), x.len()))
}

fn whitened(x: &[f64], y: &[f64], matrix: Mat<f64>) -> Option<Whitened> {
    let count = x.len();
    let centre = x[count / 2];
    let cholesky = matrix.llt(Side::Lower).ok()?;
    // Columns: 1, x, hinges at the points, y.
    let mut columns = Mat::from_fn(count, count + 3, |i, k| match k {
        0 => 1.0,
        1 => x[i] - centre,
        _ if k == count + 2 => y[i],
        _ => (x[i] - x[k - 2]).max(0.0),
    });
    solve_lower_triangular_in_place(cholesky.L(), columns.as_mut(), Par::Seq);
    let log_determinant = 2.0 * (0..count).map(|i| cholesky.L()[(i, i)].ln()).sum::<f64>();
    let products = columns.transpose() * &columns;
    Some(Whitened { log_determinant, cholesky, columns, products })
}

fn solve(whitened: &Whitened, place: usize, knots: &[usize], count: usize) -> Option<Fit> {
    let columns: Vec<usize> = [0, 1].into_iter().chain(knots.iter().map(|knot| knot + 2)).collect();
    let last = count + 2;
    let size = columns.len();
    let normal = Mat::from_fn(size, size, |i, j| whitened.products[(columns[i], columns[j])]);
    let cholesky = normal.llt(Side::Lower).ok()?;
    let right = Mat::from_fn(size, 1, |i, _| whitened.products[(columns[i], last)]);
    let solution = faer::prelude::Solve::solve(&cholesky, &right);
    let explained: f64 = (0..size).map(|i| solution[(i, 0)] * right[(i, 0)]).sum();
    // A straight line in exact arithmetic leaves rounding.
    let total = whitened.products[(last, last)];
    let residual = (total - explained).max(1e-14 * total).max(f64::MIN_POSITIVE);
    let inverse = faer::prelude::Solve::solve(&cholesky, &Mat::<f64>::identity(size, size));
    let score = count as f64 * (residual / count as f64).ln() + whitened.log_determinant;
    let coefficients = (0..size).map(|i| solution[(i, 0)]).collect();
    Some(Fit { knots: knots.to_vec(), correlation: place, coefficients, inverse, residual, score })
}

/// The slope of a piece as a sum of weights times log R².
fn slope_weights(fit: &Fit, whitened: &Whitened, piece: usize, x: &[f64]) -> Vec<f64> {
    let columns: Vec<usize> = [0, 1].into_iter().chain(fit.knots.iter().map(|knot| knot + 2)).collect();
    let half: Vec<f64> =
        (0..columns.len()).map(|i| (1..=piece + 1).map(|term| 0.5 * fit.inverse[(i, term)]).sum()).collect();
    let combined =
        Mat::from_fn(x.len(), 1, |i, _| columns.iter().zip(&half).map(|(k, h)| whitened.columns[(i, *k)] * h).sum());
    let mut weights = combined;
    solve_upper_triangular_in_place(whitened.cholesky.L().transpose(), weights.as_mut(), Par::Seq);
    (0..x.len()).map(|i| weights[(i, 0)]).collect()
}

/// Standard error of Σ weights log S(t), weights of sum 0, from the influence of every unit.
fn influence_error(weights: &[f64], units: &[(f64, Vec<f64>)]) -> f64 {
    let sums: Vec<f64> = (0..weights.len()).map(|t| units.iter().map(|(_, unit)| unit[t]).sum()).collect();
    let influence =
        |unit: &[f64]| -> f64 { weights.iter().zip(unit).zip(&sums).map(|((a, s), sum)| a * s / sum).sum() };
    let count = units.len() as f64;
    (count / (count - 1.0) * units.iter().map(|(_, unit)| influence(unit).powi(2)).sum::<f64>()).sqrt()
}

/// The pieces of a fit in words and numbers.
fn pieces_of(fit: &Fit, x: &[f64]) -> Vec<Phase> {
    let count = x.len();
    let centre = x[count / 2];
    let freedom = (count as f64 - 2.0 - 2.0 * fit.knots.len() as f64).max(1.0);
    let variance = fit.residual / freedom;
    let quantile = student_quantile(0.975, freedom);
    let value_at = |place: f64| {
        let hinges = fit.knots.iter().zip(&fit.coefficients[2..]);
        fit.coefficients[0]
            + fit.coefficients[1] * (place - centre)
            + hinges.map(|(knot, slope)| slope * (place - x[*knot]).max(0.0)).sum::<f64>()
    };
    let ends: Vec<f64> =
        [x[0]].into_iter().chain(fit.knots.iter().map(|knot| x[*knot])).chain([x[count - 1]]).collect();
    (0..=fit.knots.len())
        .map(|piece| {
            // The slope of a piece is the sum of the first slope and all changes before it; half, for R instead of R².
            let terms: Vec<usize> = (1..=piece + 1).collect();
            let slope = 0.5 * terms.iter().map(|term| fit.coefficients[*term]).sum::<f64>();
            let square: f64 = terms.iter().flat_map(|i| terms.iter().map(|j| fit.inverse[(*i, *j)])).sum();
            let half = 0.5 * quantile * (variance * square).sqrt();
            let slope = Interval::new(slope, slope - half, slope + half);
            Phase {
                kind: kind_of(&slope),
                from: ends[piece].exp(),
                to: ends[piece + 1].exp(),
                displacement_from: (0.5 * value_at(ends[piece])).exp(),
                displacement_to: (0.5 * value_at(ends[piece + 1])).exp(),
                slope,
            }
        })
        .collect()
}

fn kind_of(slope: &Interval) -> PhaseKind {
    let below = |number: f64| slope.upper.is_some_and(|upper| upper < number);
    match (slope.contains(0.0) || below(0.0), slope.contains(0.5)) {
        (true, true) => PhaseKind::Undetermined,
        (true, false) => PhaseKind::Stalled,
        (false, true) => PhaseKind::Diffusive,
        (false, false) if below(0.5) => PhaseKind::SubDiffusive,
        (false, false) => PhaseKind::SuperDiffusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    #[test]
    fn a_bent_curve_has_its_change_point_and_a_straight_one_has_none() {
        let times: Vec<f64> = (1..=1000).map(f64::from).collect();
        let mut stream = Stream::new(1, "phases", 0);
        let mut noisy = |bent: bool| -> Vec<f64> {
            times
                .iter()
                .map(|t| {
                    let square = if bent && *t > 40.0 { 40f64.powf(1.6) * (t / 40.0).powf(0.4) } else { t.powf(1.6) };
                    square * (1.0 + 0.01 * stream.normal())
                })
                .collect()
        };
        let found = phases(&times, &noisy(true), &[]);
        assert_eq!(found.phases.len(), 2, "{:?}", found.criteria);
        assert!(found.changes[0].contains(40.0), "{:?}", found.changes);
        let kinds: Vec<PhaseKind> = found.phases.iter().map(|phase| phase.kind).collect();
        assert_eq!(kinds, [PhaseKind::SuperDiffusive, PhaseKind::SubDiffusive]);
        let straight = phases(&times, &noisy(false), &[]);
        assert_eq!(straight.phases.len(), 1, "{:?}", straight.criteria);
        assert!(straight.phases[0].slope.contains(0.8));
    }

    #[test]
    fn names_follow_the_interval() {
        for (low, high, kind) in [
            (0.6, 0.7, PhaseKind::SuperDiffusive),
            (0.4, 0.6, PhaseKind::Diffusive),
            (0.1, 0.3, PhaseKind::SubDiffusive),
            (-0.1, 0.1, PhaseKind::Stalled),
            (-0.3, -0.1, PhaseKind::Stalled),
            (-0.1, 0.7, PhaseKind::Undetermined),
        ] {
            assert_eq!(kind_of(&Interval::new(0.5 * (low + high), low, high)), kind);
        }
    }
}
