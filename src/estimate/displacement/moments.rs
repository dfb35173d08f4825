//! Sums of squared displacements by unit of resampling (runs, batches of runs, or groups of parameters).

use super::layout::{Layout, Pairs};
use crate::estimate::trajectory::Gram;

/// Least number of units whose scatter is believed.
pub(super) const LEAST_UNITS: usize = 8;
/// Largest number of units of many runs; more runs share a unit.
const MOST_UNITS: usize = 256;
/// Number of units aimed at when there are fewer than [`LEAST_UNITS`] runs.
const GROUPS: usize = 32;
/// Parts of the duration for the ageing of the time average.
pub(super) const PARTS: [usize; 4] = [8, 4, 2, 1];

/// What the units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    /// Runs, or batches of runs.
    Runs,
    /// Groups of consecutive parameters, of one run or of few.
    Groups,
    /// There are none.
    None,
}

/// Sums of one unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    /// Part of a run, or number of runs, that the sums hold.
    pub weight: f64,
    /// Squared displacement from the origin at the fitted times.
    pub displacement: Vec<f64>,
    /// Time-averaged squared displacement at the lags.
    pub lagged: Vec<f64>,
    /// Squared distances of the chosen times, row after row.
    pub distances: Vec<f64>,
    /// Time average at the first lag over the first eighth, quarter, half and all of the time; 0 for irregular times.
    pub ageing: [f64; 4],
}

/// Sums of an input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    /// The times.
    pub layout: Layout,
    /// Number of runs.
    pub runs: usize,
    /// Number of parameters; None for a table.
    pub dimension: Option<usize>,
    /// What the units are.
    pub kind: UnitKind,
    /// The units.
    pub units: Vec<Unit>,
    /// Mean squared displacement over runs at every time of the layout.
    pub curve: Vec<f64>,
    /// Time-averaged squared displacement of every run at the first lag; empty without lags.
    pub first_lag: Vec<f64>,
    groups: usize,
}

impl Moments {
    /// Empty sums of runs to come.
    pub fn of_runs(layout: Layout, dimension: usize, runs: usize) -> Self {
        let groups = if runs >= LEAST_UNITS { 1 } else { GROUPS.div_ceil(runs).min(dimension) };
        let count = if groups == 1 { runs.min(MOST_UNITS) } else { runs * groups };
        let kind = match () {
            () if runs >= LEAST_UNITS => UnitKind::Runs,
            () if count >= LEAST_UNITS => UnitKind::Groups,
            () => UnitKind::None,
        };
        Moments { runs, dimension: Some(dimension), kind, groups, ..Moments::empty(layout, count) }
    }

    fn empty(layout: Layout, count: usize) -> Self {
        let unit = Unit {
            weight: 0.0,
            displacement: vec![0.0; layout.fitted.len()],
            lagged: vec![0.0; layout.lags.len()],
            distances: vec![0.0; layout.chosen.len().pow(2)],
            ageing: [0.0; 4],
        };
        let curve = vec![0.0; layout.times.len()];
        let (kind, units) = (UnitKind::None, vec![unit; count]);
        Moments { layout, runs: 1, dimension: None, kind, units, curve, first_lag: Vec::new(), groups: 1 }
    }

    /// Sums of a table: displacement at every time of the layout, the origin's first.
    pub fn of_table(layout: Layout, displacement: &[f64]) -> Self {
        let mut moments = Moments::empty(layout, 0);
        moments.curve = displacement.iter().map(|value| value * value).collect();
        moments
    }

    /// Sums of one run.
    pub fn of_gram(layout: Layout, gram: &Gram) -> Self {
        let groups = gram.group_count();
        let mut moments = Moments::empty(layout, groups);
        moments.kind = if groups >= LEAST_UNITS { UnitKind::Groups } else { UnitKind::None };
        moments.dimension = Some(gram.dimension());
        let (first, count) = (moments.layout.origin, moments.layout.times.len());
        moments.curve = (0..count).map(|point| gram.squared_distance(first, first + point)).collect();
        for (group, unit) in moments.units.iter_mut().enumerate() {
            let distance = |i: usize, j: usize| gram.squared_distance_in(group, first + i, first + j);
            add_distances(&moments.layout, &distance, unit);
            unit.weight = 1.0 / groups as f64;
            for (sum, (_, pairs)) in unit.lagged.iter_mut().zip(&moments.layout.lags) {
                *sum = mean_over_pairs(pairs, count, &distance);
            }
        }
        moments
    }

    /// Takes in run number `run`, its points one after another.
    pub fn add_run(&mut self, run: usize, points: &[f64]) {
        let dimension = self.dimension.expect("runs have parameters");
        let points = &points[self.layout.origin * dimension..][..self.layout.times.len() * dimension];
        let (count, groups) = (self.layout.times.len(), self.groups);
        let mut first_lag = None;
        for group in 0..groups {
            let (begin, end) = (group * dimension / groups, (group + 1) * dimension / groups);
            let point = |i: usize| &points[i * dimension + begin..i * dimension + end];
            let distance = |i: usize, j: usize| squared_difference(point(i), point(j));
            let unit = match groups {
                1 => run * self.units.len() / self.runs,
                _ => run * groups + group,
            };
            let unit = &mut self.units[unit];
            unit.weight += 1.0 / groups as f64;
            add_distances(&self.layout, &distance, unit);
            for (lag, (sum, (_, pairs))) in unit.lagged.iter_mut().zip(&self.layout.lags).enumerate() {
                let mean = match pairs {
                    Pairs::Shift(shift) if groups == 1 => {
                        let (from, to) = (&points[..(count - shift) * dimension], &points[shift * dimension..]);
                        squared_difference(from, to) / (count - shift) as f64
                    }
                    _ => mean_over_pairs(pairs, count, &distance),
                };
                *sum += mean;
                if lag == 0 {
                    first_lag = Some(first_lag.unwrap_or(0.0) + mean);
                }
            }
        }
        self.first_lag.extend(first_lag);
        let origin = &points[..dimension];
        for (sum, point) in self.curve.iter_mut().zip(points.chunks_exact(dimension)) {
            *sum += squared_difference(origin, point) / self.runs as f64;
        }
        if let (Some((_, Pairs::Shift(shift))), 1) = (self.layout.lags.first(), groups) {
            let unit = run * self.units.len() / self.runs;
            for (sum, part) in self.units[unit].ageing.iter_mut().zip(PARTS) {
                let end = count / part;
                if end > *shift {
                    let (from, to) =
                        (&points[..(end - shift) * dimension], &points[shift * dimension..end * dimension]);
                    *sum += squared_difference(from, to) / (end - shift) as f64;
                }
            }
        }
    }

    /// Squared distances of the chosen times, summed over runs and parameters.
    pub fn distances(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.layout.chosen.len().pow(2)];
        for unit in &self.units {
            sums.iter_mut().zip(&unit.distances).for_each(|(sum, value)| *sum += value);
        }
        sums
    }
}

fn add_distances(layout: &Layout, distance: &dyn Fn(usize, usize) -> f64, unit: &mut Unit) {
    for (sum, place) in unit.displacement.iter_mut().zip(&layout.fitted) {
        *sum += distance(0, *place);
    }
    let chosen = &layout.chosen;
    for (a, i) in chosen.iter().enumerate() {
        for (b, j) in chosen[..a].iter().enumerate() {
            let value = distance(*i, *j);
            unit.distances[a * chosen.len() + b] += value;
            unit.distances[b * chosen.len() + a] += value;
        }
    }
}

fn mean_over_pairs(pairs: &Pairs, count: usize, distance: &dyn Fn(usize, usize) -> f64) -> f64 {
    match pairs {
        Pairs::Shift(shift) => (0..count - shift).map(|i| distance(i, i + shift)).sum::<f64>() / (count - shift) as f64,
        Pairs::List(list) => {
            list.iter().map(|(i, j)| distance(*i as usize, *j as usize)).sum::<f64>() / list.len() as f64
        }
    }
}

/// Sum of squared differences, in eight partial sums.
fn squared_difference(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in left.by_ref().zip(right.by_ref()) {
        for lane in 0..8 {
            let difference = x[lane] - y[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    sums.iter().sum::<f64>() + rest
}
