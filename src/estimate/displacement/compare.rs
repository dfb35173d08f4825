//! Models held against each other by an information criterion.
//!
//! Formula:   BIC = -2 log likelihood + p log N, N = n K (increments) or K (table)
//! Assumes:   what [`super::likelihood`] assumes; a difference of 6 to 10 is strong evidence, more is very strong
//! Cost:      about 3000 likelihoods
//! Fails when no model is near the truth: the best of them is then reported, and n is small
//! Reference: \[KassRaftery1995\]
//!
//! n is the number of independent coordinates seen from the scatter about the model that leaves most of them: parameters that
//! move together, and what no model explains, make it small, so that a verdict does not rest on a million copies of one
//! coordinate.

use rayon::prelude::*;

use super::diagnosis::{Comparison, Family, Finding, Interval, ModelFit, Parameter};
use super::likelihood::Evidence;
use super::process::Process;
use super::simplex::minimise;

/// Least ratio of a change time to the first time, and of the last time to it.
pub(super) const ROOM: f64 = 4.0;

/// The most likely parameters of one process.
struct Found {
    process: Process,
    theta: Vec<f64>,
    deviance: f64,
    log_factor: f64,
    effective: f64,
}

/// Compares the models. `coordinates` is the number of coordinates of a run (1 for a table). None when a power law itself has
/// no likelihood.
pub(super) fn compare(evidence: &Evidence, coordinates: f64, margin: f64) -> Option<Comparison> {
    let times = evidence.times();
    let (first, last) = (times[0], times[times.len() - 1]);
    let fits: Vec<Found> =
        Process::ALL.par_iter().filter_map(|process| most_likely(evidence, *process, first, last)).collect();
    let by_increments = matches!(evidence, Evidence::Increments { .. });
    let count = evidence.count() as f64;
    let most = fits.iter().map(|fit| fit.effective).fold(0.0, f64::max);
    // A table's n is a parameter of every model; the deviance holds it already.
    let (weight, observations, more) = if by_increments { (most, most * count, 1) } else { (1.0, count, 2) };
    let criterion = |fit: &Found| weight * fit.deviance + (fit.theta.len() + more) as f64 * observations.max(2.0).ln();
    let best_of = |family: Family| {
        fits.iter().filter(|fit| fit.process.family() == family).min_by(|a, b| criterion(a).total_cmp(&criterion(b)))
    };
    let families =
        [Family::PowerLaw, Family::Logarithm, Family::OrnsteinUhlenbeck, Family::DriftDiffusion, Family::TwoPhase];
    let mut best: Vec<&Found> = families.iter().filter_map(|family| best_of(*family)).collect();
    best.sort_by(|a, b| criterion(a).total_cmp(&criterion(b)));
    let power = best_of(Family::PowerLaw)?;
    let best_among = |families: &[Family]| best.iter().find(|fit| families.contains(&fit.process.family()));
    // A two-phase law holds every power law: it can speak against one, but few points never let one win over it.
    let rival = best_among(&[Family::Logarithm, Family::OrnsteinUhlenbeck, Family::DriftDiffusion])?;
    let wider = best_among(&[Family::TwoPhase]);
    let other = wider
        .filter(|fit| criterion(power) - criterion(fit) > margin && criterion(fit) < criterion(rival))
        .unwrap_or(rival);
    let against = criterion(power) - criterion(other);
    let finding = match against {
        _ if against > margin => Finding::NotPowerLaw,
        _ if against < -margin => Finding::PowerLaw,
        _ => Finding::NotDistinguishable,
    };
    let least = criterion(best[0]);
    let models = best
        .iter()
        .map(|fit| ModelFit {
            family: fit.process.family(),
            variant: fit.process.words().to_string(),
            parameters: fit
                .process
                .parameters(&fit.theta)
                .into_iter()
                .map(|(name, value)| Parameter { name: name.to_string(), value })
                .collect(),
            parameter_count: fit.theta.len() + more,
            criterion: criterion(fit),
            difference: criterion(fit) - least,
            displacement: times
                .iter()
                .map(|time| (coordinates * fit.log_factor.exp() * fit.process.mean_square(&fit.theta, *time)).sqrt())
                .collect(),
        })
        .collect();
    let effective = if by_increments { most } else { best[0].effective };
    Some(Comparison {
        finding,
        models,
        best_other: other.process.family(),
        against_power_law: against,
        margin,
        likelihood_slope: slope_interval(evidence, power, weight),
        effective_coordinates: effective,
        effective_method: if by_increments {
            "participation of the coordinates in the products of increments, whitened by the model that leaves most"
        } else {
            "scatter of log R squared about the best model: 2/variance"
        }
        .to_string(),
        times: times.to_vec(),
        basis: if by_increments { "increments" } else { "displacement" }.to_string(),
    })
}

fn most_likely(evidence: &Evidence, process: Process, first: f64, last: f64) -> Option<Found> {
    // The deviance of increments counts per coordinate: many of them ask for a finer minimum.
    let tolerance = match evidence {
        Evidence::Increments { .. } => 1e-7,
        Evidence::Curve { .. } => 1e-4,
    };
    let function = |theta: &[f64]| {
        // Beyond e^40 nothing changes any more but rounding; a change of exponent needs some room on either side.
        let change = process.change_time(theta).unwrap_or((first * last).sqrt());
        let has_room = last < ROOM * ROOM * first || (change >= ROOM * first && ROOM * change <= last);
        let is_finite = process.parameters(theta).iter().all(|(_, value)| value.is_finite());
        if !has_room || !is_finite || theta.iter().any(|value| value.abs() > 40.0) {
            return f64::INFINITY;
        }
        evidence.deviance(process, theta).map_or(f64::INFINITY, |(value, _)| value)
    };
    let (theta, deviance) = process
        .starts(first, last)
        .iter()
        .map(|start| minimise(&function, start, 0.7, tolerance))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (_, log_factor) = evidence.deviance(process, &theta)?;
    let effective = evidence.effective_coordinates(process, &theta)?;
    deviance.is_finite().then_some(Found { process, theta, deviance, log_factor, effective })
}

/// Exponent of a power law and its interval from the curvature of the likelihood.
fn slope_interval(evidence: &Evidence, power: &Found, weight: f64) -> Interval {
    let step = 0.02;
    let slope = |theta: f64| power.process.parameters(&[theta])[0].1;
    let theta = power.theta[0];
    let at = |theta: f64| evidence.deviance(power.process, &[theta]).map(|(value, _)| value);
    let value = slope(theta);
    let (Some(below), Some(here), Some(above)) = (at(theta - step), at(theta), at(theta + step)) else {
        return Interval::unbounded(value);
    };
    let curvature = weight * (below + above - 2.0 * here) / (step * step);
    let derivative = (slope(theta + step) - slope(theta - step)) / (2.0 * step);
    let half = 1.959_963_985 * derivative * (2.0 / curvature).sqrt();
    Interval::new(value, value - half, value + half)
}
