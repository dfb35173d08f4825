//! What was found, in plain sentences.

use super::compare::ROOM;
use super::diagnosis::{Comparison, Diagnosis, Family, Finding, Interval, ModelFit};

/// The sentences of a diagnosis.
pub(super) fn verdict(found: &Diagnosis) -> Vec<String> {
    let mut words = vec![displacement(found)];
    words.extend(walk(found));
    words.extend(found.comparison.as_ref().map(|comparison| models(found.r_squared.value, comparison)));
    words.extend(phases(found));
    words.extend(ergodicity(found));
    words.extend(sensitivity(found));
    if let (Some(_), "run" | "runs") = (&found.time_averaged_reason, found.input.kind.as_str()) {
        words.push(format!("no time average: {}", found.time_averaged_reason.as_deref().unwrap_or_default()));
    }
    words
}

fn displacement(found: &Diagnosis) -> String {
    let grows = if found.slope.value > 0.0 { "grows" } else { "does not grow:" };
    format!(
        "displacement {grows} as t^{} (r^2 = {:.4}) from {} to {} after the origin",
        with_ends(&found.slope),
        found.r_squared.value,
        short(found.input.first),
        short(found.input.last)
    )
}

fn walk(found: &Diagnosis) -> Vec<String> {
    let slope = &found.slope;
    let order = with_ends(&found.caputo_order);
    let name = if slope.lower.is_some_and(|lower| lower > 0.5) {
        format!(
            "super-diffusive: the order 2 x slope = {order} is above 1, which no Caputo equation of order <= 1 gives"
        )
    } else if slope.upper.is_some_and(|upper| upper < 0.5) {
        format!("slower than diffusion: order {order} if it is a power law")
    } else {
        format!("diffusion (slope 1/2) lies within the interval: order {order}")
    };
    let mut words = vec![name];
    if found.walk_dimension.is_none() {
        words.push("the slope is not positive: no walk dimension".to_string());
    }
    words
}

fn models(r_squared: f64, comparison: &Comparison) -> String {
    let name = |family: Family| {
        let variant = comparison.models.iter().find(|model| model.family == family);
        let article = if matches!(family, Family::DriftDiffusion | Family::Logarithm) { "" } else { "a " };
        if let Some(words) =
            variant.filter(|_| family == Family::TwoPhase).and_then(|model| at_the_edge(comparison, model))
        {
            return words;
        }
        let told = variant.map_or(String::new(), |model| match family {
            Family::TwoPhase => {
                let of = |name: &str| model.parameters.iter().find(|one| one.name == name).map_or(0.0, |one| one.value);
                let (before, after, change) = (of("slope_before"), of("slope_after"), of("change_time"));
                format!("{}: slope {before:.3} up to {}, {after:.3} after", model.variant, short(change))
            }
            _ => model.variant.clone(),
        });
        format!("{article}{} ({told})", family.words())
    };
    let other = name(comparison.best_other);
    let difference = comparison.against_power_law.abs();
    let margin = comparison.margin;
    match comparison.finding {
        Finding::NotPowerLaw => format!(
            "r^2 = {r_squared:.3}, but {other} explains it better than any power law (criterion {difference:.1}, margin \
             {margin})"
        ),
        Finding::PowerLaw => format!(
            "a power law explains it better than every other model (nearest: {other}, criterion {difference:.1}, margin \
             {margin})"
        ),
        Finding::NotDistinguishable => {
            let power = comparison.models.iter().find(|model| model.family == Family::PowerLaw);
            let power = power.map_or(0.0, |model| model.difference);
            let near: Vec<String> = comparison
                .models
                .iter()
                .filter(|model| ![Family::PowerLaw, Family::TwoPhase].contains(&model.family))
                .filter(|model| model.difference < power + margin)
                .map(|model| name(model.family))
                .collect();
            let lean = if comparison.against_power_law > 0.0 { "against" } else { "for" };
            format!(
                "a power law is not distinguishable from {} (criterion {difference:.1} {lean} the power law, margin {margin})",
                near.join(" or ")
            )
        }
    }
}

/// A two-phase law whose change time is as early or late as is tried is told without its numbers.
fn at_the_edge(comparison: &Comparison, model: &ModelFit) -> Option<String> {
    let change = model.parameters.iter().find(|one| one.name == "change_time")?.value;
    let (first, last) = comparison.times.first().zip(comparison.times.last())?;
    let is_edge = change < 1.01 * ROOM * first || change > 0.99 * last / ROOM;
    is_edge.then(|| format!("a two-phase power law ({}, its change at the end of what is tried)", model.variant))
}

fn phases(found: &Diagnosis) -> Option<String> {
    if found.change_times.is_empty() {
        return None;
    }
    let parts: Vec<String> = found
        .phases
        .iter()
        .map(|phase| {
            let slope = phase.slope.value;
            format!("{} (slope {slope:.3}) from {} to {}", phase.kind.words(), short(phase.from), short(phase.to))
        })
        .collect();
    let is_more = parts.len() > 2 && found.comparison.as_ref().is_some_and(|all| all.best_other == Family::TwoPhase);
    let more = if is_more { "; two phases, the most that a model has, are not enough" } else { "" };
    Some(format!("the slope changes: {}{more}", parts.join(", then ")))
}

fn ergodicity(found: &Diagnosis) -> Option<String> {
    let ergodicity = found.ergodicity.as_ref()?;
    let slopes = format!(
        "slope {} over runs, {} over time",
        with_ends(&ergodicity.ensemble_slope),
        with_ends(&ergodicity.time_averaged_slope)
    );
    let scatter = format!(
        "runs scatter with {} where a Gaussian process has {}",
        short(ergodicity.breaking_parameter.value),
        short(ergodicity.gaussian)
    );
    if ergodicity.weakly_broken {
        let waiting = ergodicity.waiting_times.map_or(String::new(), |value| {
            format!("; waiting times of order {:.2} would give {value:.2}", 2.0 * ergodicity.ensemble_slope.value)
        });
        return Some(format!("weak ergodicity breaking: {slopes}, and {scatter}{waiting}"));
    }
    if ergodicity.scatters_beyond_gaussian && ergodicity.ensemble_slope.is_apart_from(&ergodicity.time_averaged_slope) {
        return Some(format!(
            "averages over runs and over time differ ({slopes}), and {scatter}, but the time average does not age: runs are \
             unlike, or confined, rather than waiting"
        ));
    }
    ergodicity.ensemble_slope.is_apart_from(&ergodicity.time_averaged_slope).then(|| {
        format!(
            "averages over runs and over time differ ({slopes}), but {scatter}: increments change with time, or the \
                 shortest lags are not on the power law yet"
        )
    })
}

fn sensitivity(found: &Diagnosis) -> Option<String> {
    let rows: Vec<f64> = found
        .by_origin
        .iter()
        .chain(&found.by_first_time)
        .filter(|row| row.slope.is_apart_from(&found.slope) && (row.slope.value - found.slope.value).abs() > 1e-3)
        .map(|row| row.slope.value)
        .collect();
    let (low, high) =
        rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), slope| (low.min(*slope), high.max(*slope)));
    (!rows.is_empty()).then(|| {
        format!(
            "the slope depends on where the fit begins: {low:.3} to {high:.3} for {} of the {} origins and first times tried",
            rows.len(),
            found.by_origin.len() + found.by_first_time.len()
        )
    })
}

/// A number to six digits, without zeros at its end.
fn short(number: f64) -> String {
    format!("{number:.5e}").parse::<f64>().unwrap_or(number).to_string()
}

fn with_ends(number: &Interval) -> String {
    let end = |bound: Option<f64>| bound.map_or("?".to_string(), |value| format!("{value:.4}"));
    if number.lower.is_none() && number.upper.is_none() {
        return format!("{:.4}", number.value);
    }
    format!("{:.4} [{}, {}]", number.value, end(number.lower), end(number.upper))
}
