//! `[initial]`: the density at t = 0.

use std::path::Path;

use serde::Serialize;

use super::{Domain, Spread, element, existing_file, formula, needed, only_keys, per_axis};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{InitialConfig, number};

/// The density at t = 0, normalised to 1 when it is put on the mesh.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Initial {
    /// A Gaussian with independent axes.
    Gaussian {
        /// Mean, finite, one per axis \[w\].
        mean: Vec<f64>,
        /// Standard deviation > 0, one per axis \[w\].
        standard_deviation: Vec<f64>,
    },
    /// The same density everywhere.
    Uniform,
    /// All probability in one cell.
    Point {
        /// A point of the domain \[w\].
        at: Vec<f64>,
    },
    /// A formula in the coordinates.
    Expression {
        /// The formula of an unnormalised density, not yet parsed.
        formula: String,
    },
    /// A saved table.
    Grid {
        /// The file as named; [`Checked::resolve`](super::Checked::resolve) gives its path. It exists.
        file: String,
    },
}

/// The forms of an initial density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitialForm {
    /// `gaussian`
    Gaussian,
    /// `uniform`
    Uniform,
    /// `point`
    Point,
    /// `expression`
    Expression,
    /// `grid`
    Grid,
}

/// Values of `initial.kind`.
pub const INITIALS: &[Choice<InitialForm>] = &[
    Choice::of("gaussian", InitialForm::Gaussian, "a bell (mean, standard_deviation: a number or one per axis)"),
    Choice::of("uniform", InitialForm::Uniform, "the same density everywhere"),
    Choice::of("point", InitialForm::Point, "all probability in the cell of one point (at)"),
    Choice::of("expression", InitialForm::Expression, "a formula, normalised (formula)"),
    Choice::of("grid", InitialForm::Grid, "a saved table, interpolated and normalised (file)"),
];

pub(super) fn check(config: &InitialConfig, domain: &Domain, folder: &Path) -> Result<Initial> {
    let (table, kind) = ("initial", config.kind.as_str());
    let form = choose("initial.kind", kind, INITIALS)?;
    let allowed: &[&str] = match form {
        InitialForm::Gaussian => &["mean", "standard_deviation"],
        InitialForm::Uniform => &[],
        InitialForm::Point => &["at"],
        InitialForm::Expression => &["formula"],
        InitialForm::Grid => &["file"],
    };
    let given = [
        ("mean", config.mean.as_ref().map(ToString::to_string)),
        ("standard_deviation", config.standard_deviation.as_ref().map(ToString::to_string)),
        ("at", config.at.as_ref().map(ToString::to_string)),
        ("formula", config.formula.as_ref().map(|text| format!("{text:?}"))),
        ("file", config.file.as_ref().map(|file| format!("{file:?}"))),
    ];
    only_keys(table, kind, allowed, &given)?;
    match form {
        InitialForm::Gaussian => gaussian(config, domain),
        InitialForm::Uniform => Ok(Initial::Uniform),
        InitialForm::Point => point(config, domain),
        InitialForm::Expression => {
            let text = needed(table, kind, "formula", config.formula.as_ref(), "formula = \"exp(-x^2)\"")?;
            Ok(Initial::Expression { formula: formula("initial.formula", text)? })
        }
        InitialForm::Grid => {
            let file = needed(table, kind, "file", config.file.as_ref(), "file = \"initial.npz\"")?;
            Ok(Initial::Grid { file: existing_file("initial.file", file, folder)? })
        }
    }
}

fn gaussian(config: &InitialConfig, domain: &Domain) -> Result<Initial> {
    let dimension = domain.lower.len();
    let mean = needed("initial", "gaussian", "mean", config.mean.as_ref(), "mean = [-1.0]")?;
    let key = "initial.standard_deviation";
    let example = "standard_deviation = 0.2";
    let width = needed("initial", "gaussian", "standard_deviation", config.standard_deviation.as_ref(), example)?;
    let standard_deviation = per_axis(key, width, dimension, Spread::OneForAll)?;
    for (index, &value) in standard_deviation.iter().enumerate() {
        super::positive(&element(key, width, index), value)?;
    }
    Ok(Initial::Gaussian { mean: per_axis("initial.mean", mean, dimension, Spread::OnePerAxis)?, standard_deviation })
}

fn point(config: &InitialConfig, domain: &Domain) -> Result<Initial> {
    let typed = needed("initial", "point", "at", config.at.as_ref(), "at = [-1.0]")?;
    let at = per_axis("initial.at", typed, domain.lower.len(), Spread::OnePerAxis)?;
    for (axis, &coordinate) in at.iter().enumerate() {
        let (lower, upper) = (domain.lower[axis], domain.upper[axis]);
        if !(lower..=upper).contains(&coordinate) {
            return Err(Error::invalid(
                element("initial.at", typed, axis),
                number(coordinate),
                format!("the point must lie in the domain, here between {} and {}", number(lower), number(upper)),
                "move the point or enlarge the domain",
            ));
        }
    }
    Ok(Initial::Point { at })
}
