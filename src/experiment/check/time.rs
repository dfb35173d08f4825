//! `[time]`: output times, listed or described.

use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{TimeConfig, list, number};

/// How described output times are spread.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// Equal ratios: the natural choice for power laws.
    Log,
    /// Equal differences.
    Linear,
}

/// Values of `time.spacing`.
pub const SPACINGS: &[Choice<Spacing>] = &[
    Choice::of("log", Spacing::Log, "equal ratios from first (default end * 1e-5) to end"),
    Choice::of("linear", Spacing::Linear, "equal differences from first (default end / count) to end"),
];

/// Times are stored with a whole density each.
const MAXIMUM_COUNT: u64 = 100_000;

const DEFAULT_COUNT: u64 = 40;

/// Part of the end time at which logarithmic outputs start when `first` is not given: five decades.
const DEFAULT_FIRST: f64 = 1e-5;

pub(super) fn check(config: &TimeConfig) -> Result<Vec<f64>> {
    let outputs = match (&config.outputs, config.end) {
        (Some(outputs), _) => {
            described_keys_absent(config)?;
            outputs.clone()
        }
        (None, Some(end)) => return described(config, end),
        (None, None) => {
            return Err(Error::invalid(
                "time",
                "{ }",
                "the output times are missing",
                "add outputs = [0.1, 1.0, 10.0], or end = 100.0 with count, spacing and first",
            ));
        }
    };
    if outputs.is_empty() {
        let rule = "there must be at least one output time";
        return Err(Error::invalid("time.outputs", list(&outputs), rule, "use outputs = [0.1, 1.0, 10.0], say"));
    }
    if outputs.len() as u64 > MAXIMUM_COUNT {
        let rule = format!("there may be at most {MAXIMUM_COUNT} output times");
        return Err(Error::invalid("time.outputs", format!("{} times", outputs.len()), rule, "list fewer"));
    }
    for (index, &time) in outputs.iter().enumerate() {
        let key = format!("time.outputs[{index}]");
        if !(time >= 0.0 && time.is_finite()) {
            let rule = "output times must be finite and not negative";
            return Err(Error::invalid(key, number(time), rule, "time starts at 0"));
        }
        if index > 0 && time <= outputs[index - 1] {
            let rule = format!("output times must increase, and the one before is {}", number(outputs[index - 1]));
            return Err(Error::invalid(key, number(time), rule, "sort them and remove repetitions"));
        }
    }
    Ok(outputs)
}

fn described_keys_absent(config: &TimeConfig) -> Result<()> {
    let given = [
        ("end", config.end.map(number)),
        ("count", config.count.map(|count| count.to_string())),
        ("spacing", config.spacing.as_ref().map(|spacing| format!("{spacing:?}"))),
        ("first", config.first.map(number)),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            return Err(Error::invalid(
                format!("time.{key}"),
                value,
                "output times are either listed (outputs) or described (end, count, spacing, first), not both",
                format!("remove {key} or outputs"),
            ));
        }
    }
    Ok(())
}

fn described(config: &TimeConfig, end: f64) -> Result<Vec<f64>> {
    let end = super::positive("time.end", end)?;
    let count = config.count.unwrap_or(DEFAULT_COUNT);
    if !(1..=MAXIMUM_COUNT).contains(&count) {
        let rule = format!("the number of output times must be between 1 and {MAXIMUM_COUNT}");
        return Err(Error::invalid("time.count", count, rule, "use count = 40, say"));
    }
    let spacing =
        config.spacing.as_deref().map_or(Ok(Spacing::Log), |typed| choose("time.spacing", typed, SPACINGS))?;
    let first = match (config.first, spacing) {
        (None, Spacing::Log) => end * DEFAULT_FIRST,
        (None, Spacing::Linear) => end / count as f64,
        (Some(first), _) => check_first(first, end, spacing)?,
    };
    if count == 1 {
        return Ok(vec![end]);
    }
    let intervals = (count - 1) as f64;
    let mut outputs: Vec<f64> = (0..count)
        .map(|index| {
            let part = index as f64 / intervals;
            match spacing {
                Spacing::Log => rounded(first * (end / first).powf(part)),
                Spacing::Linear => rounded(first * (1.0 - part) + end * part),
            }
        })
        .collect();
    // The ends are what the file says, not what rounding makes of it.
    outputs[0] = first;
    outputs[count as usize - 1] = end;
    let is_increasing = outputs[0] >= 0.0 && outputs.windows(2).all(|pair| pair[0] < pair[1] && pair[1].is_finite());
    if is_increasing {
        return Ok(outputs);
    }
    Err(Error::invalid(
        "time.count",
        count,
        format!("so many times between {} and {} are not distinct in double precision", number(first), number(end)),
        "use fewer times or ends further apart",
    ))
}

/// The nearest number of 15 digits: whole decades and halves come out as people write them.
fn rounded(time: f64) -> f64 {
    format!("{time:.14e}").parse().unwrap_or(time)
}

fn check_first(first: f64, end: f64, spacing: Spacing) -> Result<f64> {
    let is_late_enough = match spacing {
        Spacing::Log => first > 0.0,
        Spacing::Linear => first >= 0.0,
    };
    if is_late_enough && first < end {
        return Ok(first);
    }
    let least = match spacing {
        Spacing::Log => "above 0 for logarithmic spacing",
        Spacing::Linear => "0 or later",
    };
    let rule = format!("the first output time must be {least} and before end = {}", number(end));
    Err(Error::invalid("time.first", number(first), rule, "use first = 1e-3, say"))
}
