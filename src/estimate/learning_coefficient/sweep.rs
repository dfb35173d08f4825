//! Estimates over step sizes, localisations and temperatures, and the plateaus among them.

use serde::{Deserialize, Serialize};

use super::{Fault, LearningCoefficient, Settings, Upkeep, Verdict, estimate_with};
use crate::error::Result;
use crate::landscape::Sampled;
use crate::propagator::Observer;

/// Values to go through; an empty axis keeps the setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axes {
    /// Step sizes ε.
    pub step_size: Vec<f64>,
    /// Localisations g \[w^-2\].
    pub localization: Vec<f64>,
    /// Inverse temperatures t \[1/loss\].
    pub inverse_temperature: Vec<f64>,
}

/// One estimate of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Step size ε.
    pub step_size: f64,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// Inverse temperature t \[1/loss\].
    pub inverse_temperature: f64,
    /// What was found; `None` when the chains diverged.
    pub found: Option<Found>,
    /// The verdict in words.
    pub verdict: String,
}

/// The numbers of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// λ̂.
    pub value: f64,
    /// Its Monte-Carlo standard error.
    pub mcse: f64,
    /// Rank-normalised split R-hat.
    pub r_hat: f64,
    /// Bulk effective sample size.
    pub ess: f64,
    /// Metropolis acceptance probability.
    pub acceptance: f64,
    /// Drift from half to half in standard errors.
    pub drift: f64,
    /// Share of the draws below the point.
    pub below_start: f64,
    /// Distance over the prior's radius.
    pub radius_ratio: f64,
    /// Nothing speaks against it.
    pub is_trustworthy: bool,
}

/// An interval of one axis where the estimate does not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// The axis: `step_size`, `localization` or `inverse_temperature`.
    pub axis: String,
    /// The other two settings, in the order step size, localisation, inverse temperature.
    pub others: [f64; 2],
    /// First and last value of the axis; `None` when there is no plateau.
    pub interval: Option<(f64, f64)>,
    /// Mean of the estimates on it.
    pub value: Option<f64>,
}

/// Estimates at every combination of the axes, step sizes fastest; their numbers in the store start at that of `upkeep`.
///
/// # Errors
/// Those of [`estimate_with`], except for chains that diverge: these are part of the answer.
pub fn sweep(
    landscape: &dyn Sampled,
    at: &[f64],
    settings: &Settings,
    axes: &Axes,
    upkeep: Upkeep<'_>,
    observer: &mut dyn Observer,
) -> Result<Vec<Point>> {
    let options = |values: &[f64], kept: Option<f64>| -> Vec<Option<f64>> {
        if values.is_empty() { vec![kept] } else { values.iter().copied().map(Some).collect() }
    };
    let temperatures = options(&axes.inverse_temperature, settings.inverse_temperature);
    let localizations = options(&axes.localization, Some(settings.localization));
    let steps = options(&axes.step_size, settings.step_size);
    let total = (temperatures.len() * localizations.len() * steps.len()) as u64;
    let mut points = Vec::new();
    for inverse_temperature in &temperatures {
        for localization in &localizations {
            for step_size in &steps {
                let own = Settings {
                    inverse_temperature: *inverse_temperature,
                    localization: localization.unwrap_or(settings.localization),
                    step_size: *step_size,
                    ..settings.clone()
                };
                let upkeep = Upkeep { estimate: upkeep.estimate + points.len(), ..upkeep };
                let outcome = estimate_with(landscape, at, &own, upkeep, &mut ());
                points.push(point(&own, landscape.sample_count(), outcome)?);
                observer.progress(points.len() as u64, total);
            }
        }
    }
    Ok(points)
}

fn point(settings: &Settings, n: usize, outcome: Result<LearningCoefficient>) -> Result<Point> {
    match outcome {
        Ok(LearningCoefficient { value, mcse, diagnosis, mut verdict, .. }) => {
            // The step sizes of a sweep measure the bias themselves.
            verdict.faults.retain(|(fault, _)| *fault != Fault::BiasNotMeasured);
            Ok(Point {
                step_size: diagnosis.step_size,
                localization: diagnosis.localization,
                inverse_temperature: diagnosis.inverse_temperature,
                verdict: Verdict::words(&verdict),
                found: Some(Found {
                    value,
                    mcse,
                    r_hat: diagnosis.r_hat,
                    ess: diagnosis.bulk_ess,
                    acceptance: diagnosis.acceptance,
                    drift: diagnosis.drift,
                    below_start: diagnosis.below_start,
                    radius_ratio: diagnosis.radius_ratio,
                    is_trustworthy: verdict.is_trustworthy(),
                }),
            })
        }
        Err(error @ crate::Error::NotFinite { .. }) => Ok(Point {
            step_size: settings.step_size.unwrap_or(f64::NAN),
            localization: settings.localization,
            inverse_temperature: settings.inverse_temperature.unwrap_or(n as f64 / (n as f64).ln()),
            found: None,
            verdict: format!("diverged: {error}"),
        }),
        Err(error) => Err(error),
    }
}

/// Slope of the mean loss over 1/t at one step size and localisation: a learning coefficient that does not need the loss
/// of the point, right as far as E\[L\] = L_0 + λ/t.
#[derive(Clone, Debug, PartialEq)]
pub struct Slope {
    /// Step size ε.
    pub step_size: f64,
    /// Localisation g \[w^-2\].
    pub localization: f64,
    /// The slope.
    pub value: f64,
    /// Its Monte-Carlo standard error.
    pub mcse: f64,
}

/// Weighted least squares of E\[L\] against 1/t for every step size and localisation with at least two temperatures at
/// which nothing speaks against the estimate.
///
/// Step sizes that were found by pilot runs differ from temperature to temperature: these go together.
pub fn slopes(points: &[Point]) -> Vec<Slope> {
    let mut known: Vec<&Point> = points.iter().collect();
    known.sort_by(|a, b| a.localization.total_cmp(&b.localization));
    let mut slopes = Vec::new();
    for group in known.chunk_by(|a, b| a.localization == b.localization) {
        let temperatures = distinct(group, |point| point.inverse_temperature);
        let steps = distinct(group, |point| point.step_size);
        let is_grid = steps.len() * temperatures.len() == group.len();
        let lines: Vec<Vec<&Point>> = if is_grid {
            let of_step = |step: &f64| group.iter().filter(|point| point.step_size == *step).copied().collect();
            steps.iter().map(of_step).collect()
        } else {
            vec![group.to_vec()]
        };
        slopes.extend(lines.iter().filter_map(|line| slope(line)));
    }
    slopes
}

fn distinct(points: &[&Point], pick: fn(&Point) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| pick(point)).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn slope(line: &[&Point]) -> Option<Slope> {
    // (1/t, value/t, 1/error²): the loss of the point is the same everywhere and drops out of a slope.
    let rows: Vec<(f64, f64, f64)> = line
        .iter()
        .filter_map(|point| point.found.as_ref().map(|found| (point.inverse_temperature, found)))
        .filter(|(_, found)| found.is_trustworthy && found.mcse > 0.0)
        .map(|(t, found)| (t, found.value, found.mcse))
        .map(|(t, value, mcse)| (1.0 / t, value / t, (t / mcse).powi(2)))
        .collect();
    if rows.len() < 2 {
        return None;
    }
    let total: f64 = rows.iter().map(|row| row.2).sum();
    let x = rows.iter().map(|row| row.2 * row.0).sum::<f64>() / total;
    let y = rows.iter().map(|row| row.2 * row.1).sum::<f64>() / total;
    let spread: f64 = rows.iter().map(|row| row.2 * (row.0 - x).powi(2)).sum();
    let value = rows.iter().map(|row| row.2 * (row.0 - x) * (row.1 - y)).sum::<f64>() / spread;
    let [step_size, localization] = [line[0].step_size, line[0].localization];
    value.is_finite().then(|| Slope { step_size, localization, value, mcse: spread.sqrt().recip() })
}

/// A plateau needs this many neighbouring values.
const FEWEST: usize = 3;
/// ... that differ from their mean by at most this part of it, or this many standard errors.
const EVEN: f64 = 0.05;
const ERRORS: f64 = 2.0;

/// The longest plateau along every axis with at least three values, for every pair of the other two.
pub fn plateaus(points: &[Point]) -> Vec<Plateau> {
    type Pick = fn(&Point) -> f64;
    let picks: [(&str, Pick); 3] = [
        ("step_size", |point| point.step_size),
        ("localization", |point| point.localization),
        ("inverse_temperature", |point| point.inverse_temperature),
    ];
    let mut plateaus = Vec::new();
    for (index, (axis, pick)) in picks.iter().enumerate() {
        let others: Vec<Pick> =
            picks.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, (_, pick))| *pick).collect();
        let mut pairs: Vec<[f64; 2]> = points.iter().map(|point| [others[0](point), others[1](point)]).collect();
        pairs.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        pairs.dedup();
        for pair in pairs {
            let mut line: Vec<&Point> =
                points.iter().filter(|point| [others[0](point), others[1](point)] == pair).collect();
            if line.len() < FEWEST {
                continue;
            }
            line.sort_by(|a, b| pick(a).total_cmp(&pick(b)));
            let found = longest(&line);
            plateaus.push(Plateau {
                axis: (*axis).to_string(),
                others: pair,
                interval: found.map(|(first, last, _)| (pick(line[first]), pick(line[last]))),
                value: found.map(|(_, _, value)| value),
            });
        }
    }
    plateaus
}

/// First and last of the longest run of trustworthy estimates that agree, and their mean.
fn longest(line: &[&Point]) -> Option<(usize, usize, f64)> {
    let mut best: Option<(usize, usize, f64)> = None;
    for first in 0..line.len() {
        for last in first + FEWEST - 1..line.len() {
            let Some(value) = even(&line[first..=last]) else { continue };
            if best.is_none_or(|(start, end, _)| last - first > end - start) {
                best = Some((first, last, value));
            }
        }
    }
    best
}

/// The mean of estimates that agree and are trustworthy.
fn even(run: &[&Point]) -> Option<f64> {
    let found: Vec<&Found> =
        run.iter().map(|point| point.found.as_ref().filter(|found| found.is_trustworthy)).collect::<Option<_>>()?;
    let mean = found.iter().map(|found| found.value).sum::<f64>() / found.len() as f64;
    let agrees = |found: &&Found| (found.value - mean).abs() <= (EVEN * mean.abs()).max(ERRORS * found.mcse);
    found.iter().all(agrees).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[(f64, bool)]) -> Vec<Point> {
        let points = values.iter().enumerate().map(|(place, (value, is_trustworthy))| Point {
            step_size: 10.0_f64.powi(place as i32 - 5),
            localization: 1.0,
            inverse_temperature: 100.0,
            found: Some(Found {
                value: *value,
                mcse: 0.01,
                r_hat: 1.0,
                ess: 1000.0,
                acceptance: 0.6,
                drift: 0.0,
                below_start: 0.0,
                radius_ratio: 0.1,
                is_trustworthy: *is_trustworthy,
            }),
            verdict: String::new(),
        });
        points.collect()
    }

    #[test]
    fn the_longest_run_that_agrees_is_a_plateau() {
        let points = line(&[(0.3, false), (1.9, true), (2.0, true), (2.02, true), (2.05, true), (3.0, true)]);
        let found = &plateaus(&points)[0];
        assert_eq!(found.axis, "step_size");
        assert_eq!(found.interval, Some((points[1].step_size, points[4].step_size)));
        assert!((found.value.unwrap() - 1.9925).abs() < 1e-12);
    }

    #[test]
    fn slopes_do_not_need_the_loss_of_the_point() {
        // The point lies 0.01 above the minimum: the value is 2 - 0.01 t.
        let points: Vec<Point> = [50.0, 100.0, 400.0]
            .map(|t| {
                let mut point = line(&[(2.0 - 0.01 * t, true)]).remove(0);
                point.inverse_temperature = t;
                point
            })
            .into();
        let found = slopes(&points);
        assert_eq!(found.len(), 1);
        assert!((found[0].value - 2.0).abs() < 1e-12 && found[0].mcse > 0.0, "{found:?}");
        assert!(slopes(&points[..1]).is_empty());
    }

    #[test]
    fn slopes_and_doubtful_values_are_no_plateau() {
        for values in [
            [(1.0, true), (1.5, true), (2.0, true), (2.5, true)],
            [(2.0, true), (2.0, false), (2.0, true), (2.0, false)],
        ] {
            let found = plateaus(&line(&values));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].interval, None);
        }
    }
}
