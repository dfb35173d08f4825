//! λ(t) and d_s(t): learning coefficients along the points of a run, beside its displacement.

use serde::{Deserialize, Serialize};

use crate::estimate::displacement::{Convention, dimensions};
use crate::estimate::displacement::{Diagnosis, Interval};
use crate::estimate::learning_coefficient::{Fault, LearningCoefficient};

/// 97.5 % quantile of the normal law: standard errors to 95 % intervals.
const TWO_SIDED: f64 = 1.959_963_984_540_054;

/// Learning coefficients along a run, one row per point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Along {
    /// The network and its data, in words.
    pub model: String,
    /// Inverse temperature t = n β \[1/loss\].
    pub inverse_temperature: f64,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// Chains of every estimate.
    pub chains: usize,
    /// Draws of every chain.
    pub draws: usize,
    /// The points.
    pub rows: Vec<AlongRow>,
    /// Mean of λ over time, by the trapezoidal rule over the rows that are minima; its ends hold their errors
    /// added, and are missing when something speaks against most of them. Null when none is a minimum.
    pub mean: Option<Interval>,
    /// Number of rows that are minima: no lower losses lie around them.
    pub minima: usize,
    /// Number of rows against which something speaks.
    pub doubtful: usize,
}

/// One point of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlongRow {
    /// Step of the point.
    pub step: f64,
    /// Loss over all samples.
    pub loss: f64,
    /// λ̂ of the point; negative when chains find lower losses nearby.
    pub learning_coefficient: f64,
    /// Monte-Carlo standard error.
    pub mcse: f64,
    /// Rank-normalised split R-hat; null when the chains do not move.
    pub r_hat: Option<f64>,
    /// The chains find no lower losses around the point: only then is λ̂ a learning coefficient.
    pub is_minimum: bool,
    /// Nothing speaks against the estimate.
    pub trustworthy: bool,
    /// The verdict in words.
    pub verdict: String,
    /// d_s(t) = 2 λ(t) times the slope of the phase that the point is in (paper); null at the origin and where
    /// the point is no minimum.
    pub spectral_dimension: Option<Interval>,
}

impl Along {
    /// From the estimates at `steps`; `origin` is the step that the times of the diagnosis count from.
    pub fn new(
        model: String,
        steps: &[f64],
        found: &[LearningCoefficient],
        (chains, draws): (usize, usize),
        (diagnosis, origin): (&Diagnosis, f64),
        (scale, convention): (f64, Convention),
    ) -> Self {
        let row = |(step, llc): (&f64, &LearningCoefficient)| {
            let slope = slope_at(diagnosis, step - origin);
            let own = Interval::new(llc.value, llc.value - TWO_SIDED * llc.mcse, llc.value + TWO_SIDED * llc.mcse);
            let known = slope.filter(|_| llc.value > 0.0 && !llc.verdict.has(Fault::NotAMinimum));
            let found = known.and_then(|slope| dimensions(slope, Some(own), scale, convention).ok());
            AlongRow {
                step: *step,
                loss: llc.diagnosis.baseline,
                learning_coefficient: llc.value,
                mcse: llc.mcse,
                r_hat: Some(llc.diagnosis.r_hat).filter(|value| value.is_finite()),
                is_minimum: !llc.verdict.has(Fault::NotAMinimum),
                trustworthy: llc.verdict.is_trustworthy(),
                verdict: llc.verdict.words(),
                spectral_dimension: found.and_then(|found| found.spectral_dimension),
            }
        };
        let rows: Vec<AlongRow> = steps.iter().zip(found).map(row).collect();
        let first = found.first().map(|llc| &llc.diagnosis);
        Along {
            model,
            inverse_temperature: first.map_or(0.0, |first| first.inverse_temperature),
            localization: first.map_or(0.0, |first| first.localization),
            chains,
            draws,
            mean: mean_of(&rows),
            minima: rows.iter().filter(|row| row.is_minimum).count(),
            doubtful: rows.iter().filter(|row| !row.trustworthy).count(),
            rows,
        }
    }

    /// The columns for an archive: name, shape, values.
    pub fn columns(&self) -> Vec<(&'static str, [usize; 1], Vec<f64>)> {
        let column = |pick: &dyn Fn(&AlongRow) -> f64| self.rows.iter().map(pick).collect::<Vec<f64>>();
        let shape = [self.rows.len()];
        vec![
            ("learning_coefficient_step", shape, column(&|row| row.step)),
            ("learning_coefficient", shape, column(&|row| row.learning_coefficient)),
            ("learning_coefficient_error", shape, column(&|row| row.mcse)),
            ("is_minimum", shape, column(&|row| f64::from(u8::from(row.is_minimum)))),
            ("loss", shape, column(&|row| row.loss)),
            ("spectral_dimension", shape, column(&|row| row.spectral_dimension.map_or(f64::NAN, |own| own.value))),
        ]
    }
}

/// The mean over the minima.
fn mean_of(rows: &[AlongRow]) -> Option<Interval> {
    let minima: Vec<&AlongRow> = rows.iter().filter(|row| row.is_minimum).collect();
    let values: Vec<(f64, f64, f64)> =
        minima.iter().map(|row| (row.step, row.learning_coefficient, row.mcse)).collect();
    let doubtful = minima.iter().filter(|row| !row.trustworthy).count();
    let mean = (!values.is_empty()).then(|| time_mean(&values))?;
    Some(if 2 * doubtful > minima.len() { Interval::unbounded(mean.value) } else { mean })
}

/// Slope of the phase that a time since the origin lies in.
fn slope_at(diagnosis: &Diagnosis, time: f64) -> Option<Interval> {
    if time <= 0.0 {
        return None;
    }
    let phases = &diagnosis.phases;
    let within = phases.iter().find(|phase| time <= phase.to);
    within.or(phases.last()).map(|phase| phase.slope)
}

/// Mean over time of (time, value, standard error), by the trapezoidal rule. Errors are added as they are: chains that are
/// passed on from point to point may err together.
pub fn time_mean(values: &[(f64, f64, f64)]) -> Interval {
    let count = values.len();
    let span = values[count - 1].0 - values[0].0;
    let weight = |place: usize| {
        if span <= 0.0 {
            return 1.0 / count as f64;
        }
        let (before, after) = (values[place.saturating_sub(1)].0, values[(place + 1).min(count - 1)].0);
        0.5 * (after - before) / span
    };
    let mean: f64 = values.iter().enumerate().map(|(place, row)| weight(place) * row.1).sum();
    let half = TWO_SIDED * values.iter().enumerate().map(|(place, row)| weight(place) * row.2).sum::<f64>();
    Interval::new(mean, mean - half, mean + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_over_time_weighs_by_the_time_between() {
        // ∫ t dt over [0, 10] is 50 wherever the points lie.
        let mean = time_mean(&[(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (4.0, 4.0, 0.0), (10.0, 10.0, 0.0)]);
        assert!((mean.value - 5.0).abs() < 1e-14 && mean.lower == mean.upper);
        let mean = time_mean(&[(0.0, 3.0, 0.1), (2.0, 3.0, 0.1)]);
        let half = TWO_SIDED * 0.1;
        assert!((mean.upper.expect("an end") - 3.0 - half).abs() < 1e-14);
        assert_eq!(time_mean(&[(5.0, 2.5, 0.0)]).value, 2.5);
    }
}
