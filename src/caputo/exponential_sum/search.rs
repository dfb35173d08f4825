//! The search for the best sums of exponentials on 1 <= t <= e^span: guesses, Newton's steps and moving extrema.
//!
//! Rates, weights and times are held as logarithms, so every sum is positive; `super` states the equations.

use std::f64::consts::PI;

use faer::Mat;
use faer::linalg::solvers::SolveLstsq;

use crate::math::special::log_gamma;

/// No search on these intervals needs more terms.
const MOST_TERMS: usize = 64;
/// Points of the search grid per extremum; the check is four times finer.
pub(super) const POINTS: usize = 12;
/// Least damping of a step: without it, directions that rounding alone decides would take over below 1e-11.
const LEAST_DAMPING: f64 = 1e-15;

/// `count` + 1 points from 0 to `span`, as dense as the extrema: halfway from equal spacing to Chebyshev's.
pub(super) fn spread(span: f64, count: usize) -> Vec<f64> {
    let point = |k: usize| {
        let part = k as f64 / count as f64;
        span * (0.5 * part + 0.25 * (1.0 - (PI * part).cos()))
    };
    (0..=count).map(point).collect()
}

/// A sum for 1 <= t <= e^span.
#[derive(Clone)]
pub(super) struct Fit {
    /// ln λ_i, ascending.
    pub(super) log_rates: Vec<f64>,
    pub(super) log_weights: Vec<f64>,
    /// ln t of the 2n + 1 extrema of the defect ln(t^a Σ).
    pub(super) extrema: Vec<f64>,
    /// Largest |defect| on the search grid.
    pub(super) error: f64,
}

impl Fit {
    /// Distance of the two middle logarithms of rates.
    pub(super) fn middle_spacing(&self) -> f64 {
        let middle = self.log_rates.len() / 2;
        self.log_rates[middle] - self.log_rates[middle - 1]
    }

    /// This sum after a step of the given part of the change in ln λ_i, then ln w_i.
    fn moved(&self, change: &Mat<f64>, part: f64) -> Fit {
        let count = self.log_rates.len();
        let shifted = |values: &[f64], first: usize| -> Vec<f64> {
            values.iter().enumerate().map(|(i, value)| value + part * change[(first + i, 0)]).collect()
        };
        Fit {
            log_rates: shifted(&self.log_rates, 0),
            log_weights: shifted(&self.log_weights, count),
            extrema: self.extrema.clone(),
            error: f64::INFINITY,
        }
    }
}

/// Defects ln(t^a Σ) at some times, and each term's share of the sum there (a row per time).
struct Defects {
    values: Vec<f64>,
    shares: Vec<f64>,
}

/// The sign that the best sum's defect has at its k-th extremum: any sum falls short at both ends.
fn sign(k: usize) -> f64 {
    if k.is_multiple_of(2) { -1.0 } else { 1.0 }
}

/// The search for t^(-exponent) on 1 <= t <= e^span with a defect of at most `wanted`.
pub(super) struct Search {
    pub(super) exponent: f64,
    pub(super) span: f64,
    pub(super) wanted: f64,
}

impl Search {
    fn defects(&self, fit: &Fit, log_times: &[f64]) -> Defects {
        // Rates and times are multiplied, not their logarithms added: large logarithms would cost two digits.
        let terms: Vec<(f64, f64)> =
            fit.log_rates.iter().zip(&fit.log_weights).map(|(rate, weight)| (rate.exp(), weight.exp())).collect();
        let mut shares = Vec::with_capacity(terms.len() * log_times.len());
        let mut values = Vec::with_capacity(log_times.len());
        for log_time in log_times {
            let time = log_time.exp();
            let power = time.powf(self.exponent);
            let first = shares.len();
            // Such a term is nothing beside 1: skip its exponential.
            let negligible = 90.0 + self.exponent * log_time;
            let share = |(rate, weight): &(f64, f64)| {
                if rate * time > negligible { 0.0 } else { power * weight * (-rate * time).exp() }
            };
            shares.extend(terms.iter().map(share));
            let total: f64 = shares[first..].iter().sum();
            shares[first..].iter_mut().for_each(|share| *share /= total);
            values.push((total - 1.0).ln_1p());
        }
        Defects { values, shares }
    }

    /// The best single term; exact (the tangent) on an interval of no length.
    pub(super) fn one_term(&self) -> Fit {
        let a = self.exponent;
        let rate = if self.span > 0.0 { a * self.span / self.span.exp_m1() } else { a };
        let (end, top) = (-rate, a * (a / rate).ln() - a);
        Fit {
            log_rates: vec![rate.ln()],
            log_weights: vec![-0.5 * (end + top)],
            extrema: vec![0.0, (a / rate).ln(), self.span],
            error: 0.5 * (top - end),
        }
    }

    /// Adds terms to the best sum of two until `enough`; `None` when the error stops falling first.
    pub(super) fn grow(&self, mut enough: impl FnMut(&Fit) -> bool) -> Option<Fit> {
        // Exact for short intervals (Gauss-Laguerre, two nodes); the slopes in the span are those of the best sums.
        let root = (self.exponent + 1.0).sqrt();
        let rates = vec![(root * root - root).ln() - 0.73 * self.span, (root * root + root).ln() - 0.5 * self.span];
        let mut fit = self.level(self.quadrature(rates));
        let mut previous: Option<Fit> = None;
        while !enough(&fit) {
            let count = fit.log_rates.len();
            if count >= MOST_TERMS || previous.as_ref().is_some_and(|previous| fit.error > previous.error) {
                return None;
            }
            let guess = match &previous {
                Some(previous) if count >= 4 => self.continued(previous, &fit),
                _ => self.interlaced(&fit),
            };
            previous = Some(std::mem::replace(&mut fit, self.level(guess)));
        }
        Some(fit)
    }

    /// Weights of the integral's quadrature at given rates; the slowest term stands for all slower ones.
    fn quadrature(&self, log_rates: Vec<f64>) -> Fit {
        let (a, last) = (self.exponent, log_rates.len() - 1);
        let weight = |i: usize| {
            if i == 0 {
                return a * 0.5 * (log_rates[0] + log_rates[1]) - log_gamma(a + 1.0);
            }
            let width = (log_rates[last.min(i + 1)] - log_rates[i - 1]) / if i < last { 2.0 } else { 1.0 };
            a * log_rates[i] - log_gamma(a) + width.ln()
        };
        let log_weights = (0..=last).map(weight).collect();
        Fit { log_weights, extrema: spread(self.span, 2 * log_rates.len()), log_rates, error: f64::INFINITY }
    }

    /// A guess with one more rate than `fit`, each between two of its rates, for small numbers of terms.
    fn interlaced(&self, fit: &Fit) -> Fit {
        let (old, count) = (&fit.log_rates, fit.log_rates.len() as f64);
        let growth = (1.0 / count).ln_1p();
        let mut rates = vec![old[0] - growth];
        rates.extend(old.windows(2).enumerate().map(|(i, pair)| {
            let part = (1.0 - (i + 1) as f64 / count).sqrt();
            pair[0] + part * (pair[1] - pair[0])
        }));
        rates.push(old[old.len() - 1] + 2.5 * growth);
        self.quadrature(rates)
    }

    /// A guess with one more term than `fit`, from how `fit` differs from `previous`, which has one less.
    fn continued(&self, previous: &Fit, fit: &Fit) -> Fit {
        let count = fit.log_rates.len() as f64;
        // Counted from either end, every quantity runs about linearly in the logarithm of the number of terms.
        let ratio = (1.0 / count).ln_1p() / (1.0 / (count - 1.0)).ln_1p();
        let next = |old: &[f64], new: &[f64]| -> Vec<f64> {
            let added = new.len() - old.len();
            let length = new.len() + added;
            let guess = |j: usize| {
                let from_end = ((j as f64 / (length - 1) as f64 - 0.5) * 3.0 + 0.5).clamp(0.0, 1.0);
                let step = |new: f64, old: f64| new + ratio * (new - old);
                let low = if from_end < 1.0 { step(new[j], old[j]) } else { 0.0 };
                let high = if from_end > 0.0 { step(new[j - added], old[j - 2 * added]) } else { 0.0 };
                (1.0 - from_end) * low + from_end * high
            };
            (0..length).map(guess).collect()
        };
        let mut extrema = next(&previous.extrema, &fit.extrema);
        extrema.iter_mut().for_each(|log_time| *log_time = log_time.clamp(0.0, self.span));
        extrema.sort_by(f64::total_cmp);
        Fit {
            log_rates: next(&previous.log_rates, &fit.log_rates),
            log_weights: next(&previous.log_weights, &fit.log_weights),
            extrema,
            error: f64::INFINITY,
        }
    }

    /// A guess for the longer interval: `added` terms between the middle ones of a sum for this one.
    pub(super) fn lengthen(&self, fit: &Fit, span: f64, added: usize) -> Fit {
        let longer = span - self.span;
        let (count, middle) = (fit.log_rates.len(), fit.log_rates.len() / 2);
        // All of `left`, then `extra` equally spaced values, then all of `right`.
        let join = |left: Vec<f64>, right: &[f64], extra: usize| -> Vec<f64> {
            let (from, to) = (left[left.len() - 1], right[0]);
            let between = (1..=extra).map(|k| from + (to - from) * k as f64 / (extra + 1) as f64);
            left.iter().copied().chain(between).chain(right.iter().copied()).collect()
        };
        let shift = |values: &[f64], by: f64| -> Vec<f64> { values.iter().map(|value| value + by).collect() };
        let (slow, fast) = fit.log_rates.split_at(middle);
        let (slow_weights, fast_weights) = fit.log_weights.split_at(middle);
        // Fast terms belong to short times, which stay; slow ones move with the end of the interval.
        let (early, late) = fit.extrema.split_at(2 * (count - middle));
        Fit {
            log_rates: join(shift(slow, -longer), fast, added),
            log_weights: join(shift(slow_weights, -self.exponent * longer), fast_weights, added),
            extrema: join(early.to_vec(), &shift(late, longer), 2 * added),
            error: f64::INFINITY,
        }
    }

    /// Moves a guess to the sum of its length whose extrema have equal size, or as near as rounding lets it.
    pub(super) fn level(&self, guess: Fit) -> Fit {
        let (terms, count) = (guess.log_rates.len(), guess.extrema.len());
        let grid = spread(self.span, POINTS * count);
        let mut fit = guess;
        let mut best = fit.clone();
        let mut damping = LEAST_DAMPING;
        let mut stale = 0;
        let mut defects = self.defects(&fit, &fit.extrema);
        let mean = |values: &[f64]| values.iter().enumerate().map(|(k, v)| sign(k) * v).sum::<f64>() / count as f64;
        let misfit = |values: &[f64], height: f64| -> f64 {
            values.iter().enumerate().map(|(k, value)| (value - sign(k) * height).powi(2)).sum()
        };
        let mut height = mean(&defects.values);
        for _ in 0..40 {
            let old = misfit(&defects.values, height);
            let change = self.newton_step(&fit, &defects, height, damping);
            let largest = (0..2 * terms).map(|i| change[(i, 0)].abs()).fold(0.0, f64::max);
            if !largest.is_finite() {
                break;
            }
            // Far from the solution, a shorter step beats a damped one: damping stops the directions that matter.
            let far = old > 1e-16;
            let mut part = (1.0 / largest).min(1.0);
            let mut accepted = None;
            for _ in 0..if far { 5 } else { 1 } {
                let moved = fit.moved(&change, part);
                let new_height = height + part * change[(2 * terms, 0)];
                let new_defects = self.defects(&moved, &moved.extrema);
                let new = misfit(&new_defects.values, new_height);
                if new < old * if far { 1.0 - 0.3 * part } else { 1.0 } {
                    accepted = Some((moved, new_height, new_defects, new));
                    break;
                }
                part *= 0.5;
            }
            let Some((moved, new_height, new_defects, new)) = accepted else {
                damping *= 10.0;
                if damping > 10.0 {
                    break;
                }
                continue;
            };
            damping = (damping / if new < 0.1 * old { 100.0 } else { 5.0 }).max(LEAST_DAMPING);
            (fit, height, defects) = (moved, new_height, new_defects);
            let (extrema, largest, smallest) = extrema_of(&grid, &self.defects(&fit, &grid).values);
            fit.error = largest;
            let alternates = extrema.len() == count && extrema.iter().enumerate().all(|(k, e)| e.1 * sign(k) > 0.0);
            if alternates {
                fit.extrema = extrema.iter().map(|extremum| extremum.0).collect();
            }
            stale = if largest < 0.99 * best.error { 0 } else { stale + 1 };
            if largest < 0.99 * best.error {
                best = fit.clone();
            }
            if largest <= self.wanted || (alternates && smallest > 0.7 * largest) {
                return fit;
            }
            if stale >= 12 {
                break;
            }
            if alternates {
                defects = self.defects(&fit, &fit.extrema);
                height = mean(&defects.values);
            }
        }
        best
    }

    /// Change of ln λ_i, ln w_i and the common height that would make the defects equal ± height, were they linear.
    fn newton_step(&self, fit: &Fit, defects: &Defects, height: f64, damping: f64) -> Mat<f64> {
        let (terms, count) = (fit.log_rates.len(), fit.extrema.len());
        let rates: Vec<f64> = fit.log_rates.iter().map(|rate| rate.exp()).collect();
        let times: Vec<f64> = fit.extrema.iter().map(|log_time| log_time.exp()).collect();
        // The condition number is about 1/error: orthogonal factors, and the damping as rows of its own.
        let matrix = Mat::from_fn(count + 2 * terms, count, |k, i| {
            if k >= count {
                return if k - count == i { damping } else { 0.0 };
            }
            match i {
                _ if i < terms => -times[k] * rates[i] * defects.shares[k * terms + i],
                _ if i < 2 * terms => defects.shares[k * terms + i - terms],
                _ => -sign(k),
            }
        });
        let mut right = Mat::zeros(count + 2 * terms, 1);
        for (k, value) in defects.values.iter().enumerate() {
            right[(k, 0)] = sign(k) * height - value;
        }
        matrix.qr().solve_lstsq(right)
    }
}

/// The extremum (place, value) of every run of one sign, and the largest and the smallest of their sizes.
fn extrema_of(grid: &[f64], values: &[f64]) -> (Vec<(f64, f64)>, f64, f64) {
    let mut peaks = vec![0];
    for (k, value) in values.iter().enumerate().skip(1) {
        let last = peaks.len() - 1;
        if (*value > 0.0) != (values[peaks[last]] > 0.0) {
            peaks.push(k);
        } else if value.abs() > values[peaks[last]].abs() {
            peaks[last] = k;
        }
    }
    let size = |k: &usize| values[*k].abs();
    let (largest, smallest) =
        (peaks.iter().map(size).fold(0.0, f64::max), peaks.iter().map(size).fold(f64::MAX, f64::min));
    let refined = peaks.iter().map(|&k| {
        if k == 0 || k + 1 == grid.len() {
            return (grid[k], values[k]);
        }
        // Vertex of the parabola through three points.
        let rise = (values[k] - values[k - 1]) / (grid[k] - grid[k - 1]);
        let bend = ((values[k + 1] - values[k]) / (grid[k + 1] - grid[k]) - rise) / (grid[k + 1] - grid[k - 1]);
        let vertex = 0.5 * (grid[k] + grid[k - 1]) - 0.5 * rise / bend;
        (if vertex > grid[k - 1] && vertex < grid[k + 1] { vertex } else { grid[k] }, values[k])
    });
    (refined.collect(), largest, smallest)
}
