//! Parameters of analytic landscapes, as a problem file gives them, read with their rules.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::math::names::nearest;

/// A parameter: one number or a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    Number(f64),
    /// A list of numbers.
    Numbers(Vec<f64>),
}

/// Parameters by name.
pub type Parameters = BTreeMap<String, Value>;

/// A parameter of a kind of landscape.
#[derive(Clone, Copy, Debug)]
pub struct ParameterInfo {
    /// Key in a problem file.
    pub name: &'static str,
    /// Default, as text.
    pub default: &'static str,
    /// Meaning and rule.
    pub meaning: &'static str,
}

/// What `porewalk list landscapes` shows of a kind.
#[derive(Clone, Debug)]
pub struct KindInfo {
    /// Name in a problem file.
    pub name: &'static str,
    /// The loss, its parameters and the learning coefficient of its lowest minimum, on one line.
    pub summary: &'static str,
    /// Dimensions in which the kind exists.
    pub dimensions: RangeInclusive<usize>,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// Learning coefficient at the lowest minimum, as text.
    pub learning_coefficient: &'static str,
}

/// Reads parameters of one kind and holds them to their rules.
pub(super) struct Reader<'a> {
    dimension: usize,
    parameters: &'a Parameters,
}

impl<'a> Reader<'a> {
    pub(super) fn new(info: &KindInfo, dimension: usize, parameters: &'a Parameters) -> Result<Self> {
        let allowed: Vec<&str> = info.parameters.iter().map(|parameter| parameter.name).collect();
        if let Some(unknown) = parameters.keys().find(|name| !allowed.contains(&name.as_str())) {
            let suggestion = nearest(unknown, allowed.iter().copied())
                .map(|name| format!("did you mean {name}? "))
                .unwrap_or_default();
            let list =
                if allowed.is_empty() { "it has none".into() } else { format!("it has: {}", allowed.join(", ")) };
            return Err(Error::invalid(
                format!("landscape.{unknown}"),
                "(unknown key)",
                format!("{} has no such parameter", info.name),
                format!("{suggestion}{list}"),
            ));
        }
        Ok(Reader { dimension, parameters })
    }

    pub(super) fn number(&self, name: &str, default: f64) -> Result<f64> {
        match self.parameters.get(name) {
            None => Ok(default),
            Some(Value::Number(value)) if value.is_finite() => Ok(*value),
            Some(other) => Err(wrong(name, other, "must be one finite number")),
        }
    }

    pub(super) fn positive(&self, name: &str, default: f64) -> Result<f64> {
        let value = self.number(name, default)?;
        if value > 0.0 { Ok(value) } else { Err(wrong(name, &Value::Number(value), "must be > 0")) }
    }

    pub(super) fn non_negative(&self, name: &str, default: f64) -> Result<f64> {
        let value = self.number(name, default)?;
        if value >= 0.0 { Ok(value) } else { Err(wrong(name, &Value::Number(value), "must be >= 0")) }
    }

    pub(super) fn per_axis(&self, name: &str, default: f64) -> Result<Vec<f64>> {
        self.per_axis_or(name, &vec![default; self.dimension])
    }

    pub(super) fn per_axis_or(&self, name: &str, default: &[f64]) -> Result<Vec<f64>> {
        match self.parameters.get(name) {
            None => Ok(default.to_vec()),
            Some(Value::Number(value)) if value.is_finite() => Ok(vec![*value; self.dimension]),
            Some(Value::Numbers(values)) if values.len() == self.dimension && values.iter().all(|v| v.is_finite()) => {
                Ok(values.clone())
            }
            Some(other) => Err(wrong(
                name,
                other,
                &format!("must be one finite number or {} of them, one per axis", self.dimension),
            )),
        }
    }

    pub(super) fn positive_per_axis(&self, name: &str, default: f64) -> Result<Vec<f64>> {
        self.positive_per_axis_or(name, &vec![default; self.dimension])
    }

    pub(super) fn positive_per_axis_or(&self, name: &str, default: &[f64]) -> Result<Vec<f64>> {
        let values = self.per_axis_or(name, default)?;
        if values.iter().all(|&value| value > 0.0) {
            return Ok(values);
        }
        Err(wrong(name, &Value::Numbers(values), "every entry must be > 0"))
    }

    pub(super) fn even_powers(&self, name: &str) -> Result<Vec<i32>> {
        let values = self.per_axis(name, 2.0)?;
        if values.iter().all(|&value| (2.0..=64.0).contains(&value) && value % 2.0 == 0.0) {
            return Ok(values.into_iter().map(|value| value as i32).collect());
        }
        Err(wrong(name, &Value::Numbers(values), "every entry must be an even whole number from 2 to 64"))
    }
}

fn wrong(name: &str, value: &Value, rule: &str) -> Error {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::Numbers(numbers) => format!("{numbers:?}"),
    };
    Error::invalid(format!("landscape.{name}"), text, rule, "see `porewalk list landscapes`")
}
