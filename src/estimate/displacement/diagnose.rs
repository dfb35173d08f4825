//! From observations to a diagnosis.

use super::compare::compare;
use super::diagnosis::{Comparison, Curves, Diagnosis, InputSummary, Interval, PowerLawFit, Sensitivity};
use super::ergodicity::ergodicity;
use super::layout::{LEAST_POINTS, Layout, log_spaced};
use super::likelihood::Evidence;
use super::moments::{Moments, UnitKind};
use super::noise::{Noise, fit_curve, noise_of};
use super::observations::{Observations, Settings};
use super::phases::{Phases, phases};
use super::resample::{Sums, fit_units, fit_with_error};
use super::words::verdict;
use crate::error::{Error, Result};
use crate::math::statistics::student_quantile;

/// Largest number of times of a table at which models are compared.
const TABLE_POINTS: usize = 40;
/// Largest number of rows of a table of sensitivity.
const ROWS: usize = 24;
/// Least ratio of the last to the first time of a row of a table of sensitivity.
const LEAST_RATIO: f64 = 10.0;

/// Diagnoses how a run, many runs or a table move.
///
/// # Errors
/// When the displacement is zero or not finite at a fitted time, fewer than five points are left, times do not increase or
/// are negative, or an ensemble was taken in under other settings or is incomplete.
///
/// ```
/// use porewalk::estimate::displacement::{Observations, Settings, diagnose};
/// let times: Vec<f64> = (1..=200).map(f64::from).collect();
/// let displacement = times.iter().map(|t| t.powf(0.3)).collect();
/// let table = Observations::Table { times, displacement };
/// let found = diagnose(&table, &Settings::default())?;
/// assert!((found.slope.value - 0.3).abs() < 1e-9 && (found.caputo_order.value - 0.6).abs() < 1e-9);
/// # Ok::<(), porewalk::error::Error>(())
/// ```
pub fn diagnose(observations: &Observations, settings: &Settings) -> Result<Diagnosis> {
    check(settings)?;
    match observations {
        Observations::Run(gram) => {
            let layout = Layout::new(gram.times(), settings)?;
            of_moments("run", &Moments::of_gram(layout, gram), settings)
        }
        Observations::Runs(ensemble) => {
            if !ensemble.suits(settings) {
                let rule = "must be those that the runs were taken in with";
                return Err(Error::invalid("settings", "origin, first, last, lags", rule, "pass the same settings"));
            }
            of_moments("runs", ensemble.moments()?, settings)
        }
        Observations::Table { times, displacement } => {
            of_moments("table", &table(times, displacement, settings)?, settings)
        }
    }
}

fn check(settings: &Settings) -> Result<()> {
    if settings.resamples < 100 {
        return Err(Error::invalid("resamples", settings.resamples, "must be at least 100", "take 999"));
    }
    if !(settings.margin >= 0.0 && settings.margin.is_finite()) {
        return Err(Error::invalid(
            "margin",
            settings.margin,
            "must not be negative",
            "6 is strong evidence, 10 very strong",
        ));
    }
    Ok(())
}

/// Least ratio of the last to the first time of a table that does not hold its origin.
const LEAST_SPAN: f64 = 2.0;

/// A table counts times from its origin: its first row where the displacement there is 0, else time 0.
fn table(times: &[f64], displacement: &[f64], settings: &Settings) -> Result<Moments> {
    if times.len() != displacement.len() {
        let value = format!("{} displacements", displacement.len());
        let rule = format!("must be as many as the {} times", times.len());
        return Err(Error::invalid("displacement", value, rule, "give one for every time"));
    }
    let start = if displacement.first() == Some(&0.0) { times[0] } else { 0.0 };
    if let Some(origin) = settings.origin.filter(|origin| *origin != start) {
        let rule = format!("a table of displacements has its origin at time {start}");
        return Err(Error::invalid("origin", origin, rule, "give the points of the run to measure from another one"));
    }
    if let Some(place) = times.iter().position(|time| !time.is_finite() || *time < start) {
        let rule = "times are finite and not negative, counted from the origin";
        return Err(Error::invalid(
            format!("time[{place}]"),
            times[place],
            rule,
            "sort the rows, and count from the origin",
        ));
    }
    let times: Vec<f64> = times.iter().map(|time| time - start).collect();
    let is_begun = times.first() == Some(&0.0);
    if let (false, Some(first), Some(last)) = (is_begun, times.first(), times.last())
        && *last < LEAST_SPAN * first
    {
        let rule =
            "times count from the point that the displacement is measured from, at time 0 or a first row with R = 0";
        return Err(Error::invalid("time[0]", first, rule, "add the row of the origin, or subtract its time"));
    }
    if let Some(start) = displacement.first().filter(|start| is_begun && **start != 0.0) {
        let rule = "the displacement at time 0 is 0: it is measured from there";
        return Err(Error::invalid("displacement[0]", start, rule, "count times from the point of displacement 0"));
    }
    let mut all_times = times.to_vec();
    let mut all = displacement.to_vec();
    if !is_begun {
        all_times.insert(0, 0.0);
        all.insert(0, 0.0);
    }
    if let Some(place) = displacement.iter().position(|value| !value.is_finite() || *value < 0.0) {
        let rule = "a displacement is finite and not negative";
        return Err(Error::invalid(format!("displacement[{place}]"), displacement[place], rule, "leave the row out"));
    }
    let mut layout = Layout::new(&all_times, &Settings { origin: None, ..settings.clone() })?;
    layout.origin_time = start;
    let count = layout.times.len();
    Ok(Moments::of_table(layout, &all[..count]))
}

fn of_moments(kind: &str, moments: &Moments, settings: &Settings) -> Result<Diagnosis> {
    let layout = &moments.layout;
    let times = layout.fitted_times();
    let squares: Vec<f64> = layout.fitted.iter().map(|place| moments.curve[*place]).collect();
    if let Some(place) = squares.iter().position(|square| !(*square > 0.0 && square.is_finite())) {
        let name = format!("displacement at {} after the origin", times[place]);
        let rule = "must be a positive number: the run does not move there, or is not finite";
        let remedy = "begin the fit later (first), end it earlier (last), or take another origin";
        return Err(Error::invalid(name, squares[place].sqrt(), rule, remedy));
    }
    let units: Vec<Sums> = match moments.kind {
        UnitKind::None => Vec::new(),
        _ => moments.units.iter().map(|unit| (unit.weight, unit.displacement.as_slice())).collect(),
    };
    let noise = noise_of(&times, &squares);
    let displacement = if units.is_empty() {
        fit_curve(&times, &squares, 0, noise.as_ref())
    } else {
        fit_units(&times, &units, settings.resamples, settings.seed, "displacement")
    };
    let (lags, lag_means, time_averaged) = time_average(moments, settings);
    let no_average = match moments.dimension {
        None => "a table holds the displacement from one origin only".to_string(),
        Some(_) => layout.no_lags(),
    };
    let comparison = if settings.compares_models { models(moments, &times, &squares, settings.margin) } else { None };
    let ergodicity = time_averaged.as_ref().and_then(|average| {
        let coordinates = independent_coordinates(moments, comparison.as_ref());
        ergodicity(moments, &displacement, average, coordinates, settings.resamples, settings.seed)
    });
    let slope = displacement.slope;
    let Phases { phases, changes, criteria, significance } = phases(&times, &squares, &units);
    let mut found = Diagnosis {
        input: InputSummary {
            kind: kind.to_string(),
            runs: moments.runs,
            dimension: moments.dimension,
            points: layout.times.len() - 1,
            origin: layout.origin_time,
            first: times[0],
            last: times[times.len() - 1],
        },
        slope,
        walk_dimension: slope.reciprocal(),
        caputo_order: slope.scaled(2.0),
        time_averaged_caputo_order: time_averaged.as_ref().map(|fit| fit.slope.scaled(2.0)),
        r_squared: displacement.r_squared,
        displacement,
        time_averaged_reason: time_averaged.is_none().then_some(no_average),
        time_averaged,
        interval_method: method(moments),
        by_origin: by_origin(moments),
        by_first_time: by_first_time(&units, &times, &squares, noise.as_ref()),
        phases,
        change_times: changes,
        phase_criteria: criteria,
        phase_significance: significance,
        comparison,
        ergodicity,
        curves: Curves {
            times: layout.times[1..].to_vec(),
            displacement: moments.curve[1..].iter().map(|square| square.sqrt()).collect(),
            lags,
            time_averaged: lag_means,
        },
        verdict: Vec::new(),
    };
    found.verdict = verdict(&found);
    Ok(found)
}

fn method(moments: &Moments) -> String {
    let count = moments.units.len();
    match moments.kind {
        UnitKind::Runs => format!(
            "95 % intervals by studentised bootstrap of {count} {}; it assumes that runs are independent and alike",
            if count == moments.runs { "runs" } else { "batches of runs" }
        ),
        UnitKind::Groups => format!(
            "95 % intervals by studentised block bootstrap of {count} groups of consecutive parameters; it assumes that \
             groups move independently of each other, and says nothing of how other runs would differ"
        ),
        UnitKind::None => {
            "95 % intervals from the noise of log R about the line, correlated in time as in a self-similar \
                           process; it assumes that the power law is right"
                .to_string()
        }
    }
}

/// Lags, time-averaged MSD, and the fit.
fn time_average(moments: &Moments, settings: &Settings) -> (Vec<f64>, Vec<f64>, Option<PowerLawFit>) {
    let lags: Vec<f64> = moments.layout.lags.iter().map(|(lag, _)| *lag).collect();
    let weight: f64 = moments.units.iter().map(|unit| unit.weight).sum();
    let mean = |lag: usize| moments.units.iter().map(|unit| unit.lagged[lag]).sum::<f64>() / weight;
    let means: Vec<f64> = if moments.units.is_empty() { Vec::new() } else { (0..lags.len()).map(mean).collect() };
    if means.is_empty() || means.iter().any(|mean| !(*mean > 0.0 && mean.is_finite())) {
        return (Vec::new(), Vec::new(), None);
    }
    let units: Vec<Sums> = moments.units.iter().map(|unit| (unit.weight, unit.lagged.as_slice())).collect();
    let fit = if moments.kind == UnitKind::None {
        let line = super::line::Line::new(&lags).fit(&means);
        PowerLawFit {
            slope: Interval::unbounded(line.slope),
            prefactor: Interval::unbounded(line.intercept.exp()),
            r_squared: Interval::unbounded(line.r_squared),
            first: lags[0],
            last: lags[lags.len() - 1],
            points: lags.len(),
        }
    } else {
        fit_units(&lags, &units, settings.resamples, settings.seed, "time average")
    };
    (lags, means, Some(fit))
}

fn models(moments: &Moments, times: &[f64], squares: &[f64], margin: f64) -> Option<Comparison> {
    if let Some(dimension) = moments.dimension {
        let coordinates = (dimension * moments.runs) as f64;
        let (chosen, distances) = (moments.layout.chosen_times(), moments.distances());
        let evidence = Evidence::of_distances(&chosen, &distances, coordinates, LEAST_POINTS)?;
        return compare(&evidence, dimension as f64, margin);
    }
    let all: Vec<usize> = (0..times.len()).collect();
    let places = log_spaced(times, &all, TABLE_POINTS);
    let evidence = Evidence::Curve {
        times: places.iter().map(|place| times[*place]).collect(),
        logarithms: places.iter().map(|place| squares[*place].ln()).collect(),
    };
    compare(&evidence, 1.0, margin)
}

/// Independent coordinates of one run: as many as it has, or as the scatter lets see.
fn independent_coordinates(moments: &Moments, comparison: Option<&Comparison>) -> f64 {
    let all = moments.dimension.unwrap_or(1) as f64;
    comparison.map_or(all, |comparison| (comparison.effective_coordinates / moments.runs as f64).clamp(1.0, all))
}

fn by_first_time(units: &[Sums], times: &[f64], squares: &[f64], noise: Option<&Noise>) -> Vec<Sensitivity> {
    let last = times[times.len() - 1];
    let starts: Vec<usize> =
        (0..=times.len() - LEAST_POINTS).filter(|start| *start == 0 || last >= LEAST_RATIO * times[*start]).collect();
    log_spaced(times, &starts, ROWS)
        .into_iter()
        .map(|start| {
            let rest = &times[start..];
            if units.is_empty() {
                let fit = fit_curve(times, squares, start, noise);
                let (slope, r_squared) = (fit.slope, fit.r_squared.value);
                return Sensitivity { at: times[start], slope, r_squared, points: rest.len() };
            }
            let units: Vec<Sums> = units.iter().map(|(weight, sums)| (*weight, &sums[start..])).collect();
            sensitivity(times[start], rest, &units)
        })
        .collect()
}

fn by_origin(moments: &Moments) -> Vec<Sensitivity> {
    let chosen = moments.layout.chosen_times();
    let count = chosen.len();
    if moments.units.is_empty() || count <= LEAST_POINTS {
        return Vec::new();
    }
    let starts: Vec<usize> = (1..count - LEAST_POINTS)
        .filter(|start| chosen[count - 1] - chosen[*start] >= LEAST_RATIO * (chosen[start + 1] - chosen[*start]))
        .collect();
    let mut origins = vec![0];
    if !starts.is_empty() {
        origins.extend(log_spaced(&chosen, &starts, ROWS - 1));
    }
    origins
        .into_iter()
        .filter_map(|origin| {
            let times: Vec<f64> = chosen[origin + 1..].iter().map(|time| time - chosen[origin]).collect();
            let rows: Vec<(f64, &[f64])> = moments
                .units
                .iter()
                .map(|unit| (unit.weight, &unit.distances[origin * count + origin + 1..(origin + 1) * count]))
                .collect();
            let moves = (0..times.len()).all(|k| rows.iter().map(|(_, row)| row[k]).sum::<f64>() > 0.0);
            moves.then(|| {
                let mut row = sensitivity(moments.layout.origin_time + chosen[origin], &times, &rows);
                if moments.kind == UnitKind::None {
                    row.slope = Interval::unbounded(row.slope.value);
                }
                row
            })
        })
        .collect()
}

/// The slope with the interval of Student's law: quicker than resampling, and close to it.
fn sensitivity(at: f64, times: &[f64], units: &[Sums]) -> Sensitivity {
    let (value, error, r_squared) = fit_with_error(times, units);
    let half = error * student_quantile(0.975, (units.len() as f64 - 1.0).max(1.0));
    Sensitivity { at, slope: Interval::new(value, value - half, value + half), r_squared, points: times.len() }
}
