//! Single values of a problem file that may be written in more than one way.

use std::fmt;

use serde::Deserialize;

/// A number, or a list of numbers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum NumberOrList {
    /// `0.2`
    Number(f64),
    /// `[0.2, 0.3]`
    List(Vec<f64>),
}

/// A number, or text (a formula or a name).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum NumberOrText {
    /// `1.0`
    Number(f64),
    /// `"1 + 0.5*sin(t)"`, `"auto"`
    Text(String),
}

/// A whole number, or text (a name or a size with its unit).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum CountOrText {
    /// `1000`
    Count(u64),
    /// `"adaptive"`, `"4 GiB"`
    Text(String),
}

/// One formula, or a square table of formulas.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum FormulaOrTensor {
    /// `"0.2 + 0.15*tanh(2*x)"`
    Formula(String),
    /// `[["1", "0"], ["0", "2"]]`
    Tensor(Vec<Vec<String>>),
}

/// A number as a problem file would write it.
pub fn number(value: f64) -> String {
    if value.is_nan() { "nan".to_string() } else { format!("{value:?}") }
}

/// A list of numbers as a problem file would write it.
pub fn list(values: &[f64]) -> String {
    let written: Vec<String> = values.iter().copied().map(number).collect();
    format!("[{}]", written.join(", "))
}

impl fmt::Display for NumberOrList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberOrList::Number(value) => f.write_str(&number(*value)),
            NumberOrList::List(values) => f.write_str(&list(values)),
        }
    }
}

impl fmt::Display for NumberOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberOrText::Number(value) => f.write_str(&number(*value)),
            NumberOrText::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Display for CountOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CountOrText::Count(value) => write!(f, "{value}"),
            CountOrText::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Display for FormulaOrTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormulaOrTensor::Formula(text) => write!(f, "{text:?}"),
            FormulaOrTensor::Tensor(rows) => write!(f, "{rows:?}"),
        }
    }
}
