//! `[landscape]`, `[diffusivity]` and the friction: where L, D and γ come from.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{existing_file, finite, formula, needed, only_keys, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{
    DiffusivityConfig, FormulaOrTensor, LandscapeConfig, NumberOrList, NumberOrText, list, number,
};
use crate::landscape::analytic::KINDS;

/// Where the loss comes from. Parameter names and counts are judged by the named landscape itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Landscape {
    /// A landscape of the library.
    Analytic {
        /// Its name.
        kind: String,
        /// Its parameters as typed, finite: a single number is a list of one.
        #[serde(flatten)]
        parameters: BTreeMap<String, Vec<f64>>,
    },
    /// A formula in x, y, z or w1..w9.
    Expression {
        /// `expression`
        kind: &'static str,
        /// The formula, not yet parsed.
        formula: String,
    },
    /// A saved table.
    Grid {
        /// `grid`
        kind: &'static str,
        /// The file as named; [`Checked::resolve`](super::Checked::resolve) gives its path. It exists.
        file: String,
    },
}

/// The three forms of a landscape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LandscapeForm {
    /// A landscape of the library.
    Analytic,
    /// `expression`
    Expression,
    /// `grid`
    Grid,
}

/// Names of `landscape.kind`: every analytic kind, formulas and saved tables.
pub fn landscapes() -> Vec<Choice<LandscapeForm>> {
    let analytic = KINDS.iter().map(|kind| Choice::of(kind.name, LandscapeForm::Analytic, kind.summary));
    analytic
        .chain([
            Choice::of("expression", LandscapeForm::Expression, "a formula in x, y, z or w1..w9 (formula)"),
            Choice::of("grid", LandscapeForm::Grid, "a saved table, interpolated (file)"),
        ])
        .collect()
}

/// The friction γ \[w^2 loss^-1 t^-α\].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Friction {
    /// The same at all times, finite.
    Constant(f64),
    /// A formula in t, not yet parsed. Whether it depends on t, and whether the method can follow it, is judged where
    /// formulas are understood.
    Formula(String),
}

/// Where the diffusivity comes from. Tensors will be a further variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Diffusivity {
    /// The same everywhere.
    Uniform {
        /// D > 0 \[w^2 t^-α\].
        value: f64,
    },
    /// A formula in the coordinates.
    Expression {
        /// The formula, not yet parsed; it may name t, see [`Friction::Formula`].
        formula: String,
    },
    /// A saved table.
    Grid {
        /// The file as named; [`Checked::resolve`](super::Checked::resolve) gives its path. It exists.
        file: String,
    },
    /// D = reference * scale^(2 - 2 λ / spectral_dimension).
    CoarseGrained {
        /// Length scale ξ > 0 \[w\].
        scale: f64,
        /// Spectral dimension d_s > 0.
        spectral_dimension: f64,
        /// Learning coefficient λ.
        learning_coefficient: LearningCoefficient,
        /// Prefactor > 0, 1 if not given \[w^(2 λ / d_s) t^-α\].
        reference: f64,
    },
}

/// Where the learning coefficient λ of a coarse-grained diffusivity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningCoefficient {
    /// λ at the minima of an analytic landscape, or the array of a saved one.
    FromLandscape,
    /// The same λ > 0 everywhere.
    #[serde(untagged)]
    Value(f64),
}

/// The forms of a diffusivity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DiffusivityForm {
    /// `uniform`
    Uniform,
    /// `expression`
    Expression,
    /// `grid`
    Grid,
    /// `coarse-grained`
    CoarseGrained,
}

/// Values of `diffusivity.kind`.
pub const DIFFUSIVITIES: &[Choice<DiffusivityForm>] = &[
    Choice::of("uniform", DiffusivityForm::Uniform, "the same everywhere (value)"),
    Choice::of("expression", DiffusivityForm::Expression, "a formula in the coordinates (formula)"),
    Choice::of("grid", DiffusivityForm::Grid, "a saved table, interpolated (file)"),
    Choice::of(
        "coarse-grained",
        DiffusivityForm::CoarseGrained,
        "reference * scale^(2 - 2 lambda/d_s) (scale, spectral_dimension, learning_coefficient, reference)",
    ),
    Choice::not_yet("tensor"),
];

pub(super) fn landscape(config: &LandscapeConfig, folder: &Path) -> Result<Landscape> {
    let (table, kind) = ("landscape", config.kind.as_str());
    let form = choose("landscape.kind", kind, &landscapes())?;
    let allowed: &[&str] = match form {
        LandscapeForm::Analytic => &[],
        LandscapeForm::Expression => &["formula"],
        LandscapeForm::Grid => &["file"],
    };
    let texts = [("formula", config.formula.as_ref()), ("file", config.file.as_ref())];
    only_keys(table, kind, allowed, &texts.map(|(key, text)| (key, text.map(|text| format!("{text:?}")))))?;
    if form == LandscapeForm::Analytic {
        return Ok(Landscape::Analytic { kind: config.kind.clone(), parameters: parameters(&config.parameters)? });
    }
    let extra: Vec<(&str, Option<String>)> =
        config.parameters.iter().map(|(key, value)| (key.as_str(), Some(value.to_string()))).collect();
    only_keys(table, kind, allowed, &extra)?;
    if form == LandscapeForm::Expression {
        let text = needed(table, kind, "formula", config.formula.as_ref(), "formula = \"(x^2 - 1)^2\"")?;
        return Ok(Landscape::Expression { kind: "expression", formula: formula("landscape.formula", text)? });
    }
    let file = needed(table, kind, "file", config.file.as_ref(), "file = \"landscape.npz\"")?;
    Ok(Landscape::Grid { kind: "grid", file: existing_file("landscape.file", file, folder)? })
}

fn parameters(typed: &BTreeMap<String, NumberOrList>) -> Result<BTreeMap<String, Vec<f64>>> {
    let mut parameters = BTreeMap::new();
    for (name, value) in typed {
        let key = format!("landscape.{name}");
        let values = match value {
            NumberOrList::Number(value) => vec![*value],
            NumberOrList::List(values) => values.clone(),
        };
        if values.is_empty() {
            return Err(Error::invalid(key, list(&values), "the list is empty", "give one number per axis"));
        }
        for (index, &number) in values.iter().enumerate() {
            finite(&super::element(&key, value, index), number)?;
        }
        parameters.insert(name.clone(), values);
    }
    Ok(parameters)
}

pub(super) fn friction(typed: Option<&NumberOrText>) -> Result<Friction> {
    let key = "dynamics.friction";
    match typed {
        None => Ok(Friction::Constant(1.0)),
        Some(NumberOrText::Text(text)) => Ok(Friction::Formula(formula(key, text)?)),
        Some(NumberOrText::Number(value)) if value.is_finite() && *value >= 0.0 => Ok(Friction::Constant(*value)),
        Some(NumberOrText::Number(value)) => {
            let rule = "the friction must be a finite number >= 0";
            Err(Error::invalid(key, number(*value), rule, "use friction = 1.0; turn the landscape over to climb it"))
        }
    }
}

pub(super) fn diffusivity(config: &DiffusivityConfig, folder: &Path) -> Result<Diffusivity> {
    let (table, kind) = ("diffusivity", config.kind.as_str());
    let form = choose("diffusivity.kind", kind, DIFFUSIVITIES)?;
    let allowed: &[&str] = match form {
        DiffusivityForm::Uniform => &["value"],
        DiffusivityForm::Expression => &["formula"],
        DiffusivityForm::Grid => &["file"],
        DiffusivityForm::CoarseGrained => &["scale", "spectral_dimension", "learning_coefficient", "reference"],
    };
    let given = [
        ("value", config.value.map(number)),
        ("formula", config.formula.as_ref().map(ToString::to_string)),
        ("file", config.file.as_ref().map(|file| format!("{file:?}"))),
        ("scale", config.scale.map(number)),
        ("spectral_dimension", config.spectral_dimension.map(number)),
        ("learning_coefficient", config.learning_coefficient.as_ref().map(ToString::to_string)),
        ("reference", config.reference.map(number)),
    ];
    only_keys(table, kind, allowed, &given)?;
    match form {
        DiffusivityForm::Uniform => {
            let value = *needed(table, kind, "value", config.value.as_ref(), "value = 0.35")?;
            Ok(Diffusivity::Uniform { value: positive("diffusivity.value", value)? })
        }
        DiffusivityForm::Expression => {
            let key = "diffusivity.formula";
            let typed = needed(table, kind, "formula", config.formula.as_ref(), "formula = \"0.2 + 0.1*cos(x)\"")?;
            match typed {
                FormulaOrTensor::Formula(text) => Ok(Diffusivity::Expression { formula: formula(key, text)? }),
                FormulaOrTensor::Tensor(_) => {
                    Err(Error::not_available(key, typed, "write one formula for a scalar diffusivity"))
                }
            }
        }
        DiffusivityForm::Grid => {
            let file = needed(table, kind, "file", config.file.as_ref(), "file = \"diffusivity.npz\"")?;
            Ok(Diffusivity::Grid { file: existing_file("diffusivity.file", file, folder)? })
        }
        DiffusivityForm::CoarseGrained => coarse_grained(config, kind),
    }
}

fn coarse_grained(config: &DiffusivityConfig, kind: &str) -> Result<Diffusivity> {
    let table = "diffusivity";
    let scale = *needed(table, kind, "scale", config.scale.as_ref(), "scale = 0.5")?;
    let spectral_dimension =
        *needed(table, kind, "spectral_dimension", config.spectral_dimension.as_ref(), "spectral_dimension = 1.3")?;
    let typed = config.learning_coefficient.as_ref();
    let key = "diffusivity.learning_coefficient";
    let learning_coefficient =
        match needed(table, kind, "learning_coefficient", typed, "learning_coefficient = \"from-landscape\"")? {
            NumberOrText::Number(value) => LearningCoefficient::Value(positive(key, *value)?),
            NumberOrText::Text(text) => {
                choose(key, text, &[Choice::of("from-landscape", LearningCoefficient::FromLandscape, "")])?
            }
        };
    Ok(Diffusivity::CoarseGrained {
        scale: positive("diffusivity.scale", scale)?,
        spectral_dimension: positive("diffusivity.spectral_dimension", spectral_dimension)?,
        learning_coefficient,
        reference: positive("diffusivity.reference", config.reference.unwrap_or(1.0))?,
    })
}
