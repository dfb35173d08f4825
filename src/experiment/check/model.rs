//! `[model]` of a run file: the loss L(w).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::run::count;
use super::{LandscapeForm, existing_file, finite, formula, landscapes, needed, only_keys, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{ModelConfig, NumberOrList};

/// The loss of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Model {
    /// A multi-layer perceptron.
    Mlp {
        /// `mlp`
        kind: &'static str,
        /// Units of each layer, inputs first.
        widths: Vec<usize>,
        /// Activation of the hidden layers.
        activation: Activation,
        /// Normalise hidden layers over the batch.
        batch_normalisation: bool,
        /// Numbers that the network computes with.
        precision: Precision,
        /// File with weights as named; `None` trains.
        weights: Option<String>,
    },
    /// A product of matrices.
    Linear {
        /// `deep-linear` or `reduced-rank`
        kind: &'static str,
        /// Inputs, hidden units, outputs.
        widths: Vec<usize>,
        /// Singular values of the true map, as many as its rank.
        singular_values: Vec<f64>,
        /// Number n of samples it stands for.
        sample_count: usize,
    },
    /// A landscape of few coordinates.
    Landscape {
        /// Name of a landscape, or `expression`.
        kind: String,
        /// Number of coordinates.
        dimension: usize,
        /// Formula of an expression.
        formula: Option<String>,
        /// Parameters as typed: a single number is a list of one.
        #[serde(flatten)]
        parameters: BTreeMap<String, Vec<f64>>,
        /// Number n of samples it stands for.
        sample_count: usize,
    },
}

/// Activation of hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// tanh x
    Tanh,
    /// x Φ(x)
    Gelu,
    /// x
    Identity,
}

/// Numbers that a network computes with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Precision {
    /// Single precision.
    #[serde(rename = "f32")]
    Single,
    /// Double precision.
    #[serde(rename = "f64")]
    Double,
}

#[derive(Clone, Copy, PartialEq)]
enum ModelForm {
    Mlp,
    Linear(&'static str),
    Landscape(LandscapeForm),
}

fn models() -> Vec<Choice<ModelForm>> {
    let networks = [
        Choice::of("mlp", ModelForm::Mlp, ""),
        Choice::of("deep-linear", ModelForm::Linear("deep-linear"), ""),
        Choice::of("reduced-rank", ModelForm::Linear("reduced-rank"), ""),
    ];
    let landscapes = landscapes().into_iter().map(|choice| Choice {
        name: choice.name,
        // A saved table ends at its border, which a chain would have to know.
        value: choice.value.filter(|form| *form != LandscapeForm::Grid).map(ModelForm::Landscape),
        meaning: choice.meaning,
    });
    networks.into_iter().chain(landscapes).collect()
}

/// Values of `model.kind` beside the landscapes.
pub const NETWORKS: &[Choice<()>] = &[
    Choice::of("mlp", (), "multi-layer perceptron (widths, activation, batch_normalisation, precision, weights)"),
    Choice::of("deep-linear", (), "product of matrices (inputs, hidden, outputs, singular_values or rank)"),
    Choice::of("reduced-rank", (), "product of two matrices (inputs, hidden, outputs, singular_values or rank)"),
];

/// Values of `model.activation`.
pub const ACTIVATIONS: &[Choice<Activation>] = &[
    Choice::of("relu", Activation::Relu, "max(x, 0) (default)"),
    Choice::of("tanh", Activation::Tanh, "tanh x"),
    Choice::of("gelu", Activation::Gelu, "x times the normal distribution function"),
    Choice::of("identity", Activation::Identity, "x: a deep linear network"),
];

pub(super) const PRECISIONS: &[Choice<Precision>] =
    &[Choice::of("f32", Precision::Single, ""), Choice::of("f64", Precision::Double, "")];

pub(super) fn layer_widths(key: &str, widths: &[u64]) -> Result<Vec<usize>> {
    if widths.len() < 2 {
        let rule = "needs the inputs and the outputs at least";
        return Err(Error::invalid(key, format!("{widths:?}"), rule, "use [2, 16, 16, 2], say"));
    }
    widths.iter().enumerate().map(|(layer, width)| count(&format!("{key}[{layer}]"), *width, 1)).collect()
}

pub(super) fn model(config: &ModelConfig, at: Option<&NumberOrList>, folder: &Path) -> Result<Model> {
    let form = choose("model.kind", &config.kind, &models())?;
    let allowed: &[&str] = match form {
        ModelForm::Mlp => &["widths", "activation", "batch_normalisation", "precision", "weights"],
        ModelForm::Linear(_) => &["inputs", "hidden", "outputs", "rank", "singular_values", "sample_count"],
        ModelForm::Landscape(LandscapeForm::Expression) => &["formula", "sample_count", "dimension"],
        ModelForm::Landscape(_) => &["sample_count", "dimension"],
    };
    let text = |shown: Option<String>| shown;
    let mut given = vec![
        ("widths", text(config.widths.as_ref().map(|value| format!("{value:?}")))),
        ("activation", text(config.activation.clone())),
        ("batch_normalisation", text(config.batch_normalisation.map(|value| value.to_string()))),
        ("precision", text(config.precision.clone())),
        ("weights", text(config.weights.clone())),
        ("inputs", text(config.inputs.map(|value| value.to_string()))),
        ("hidden", text(config.hidden.as_ref().map(|value| format!("{value:?}")))),
        ("outputs", text(config.outputs.map(|value| value.to_string()))),
        ("rank", text(config.rank.map(|value| value.to_string()))),
        ("singular_values", text(config.singular_values.as_ref().map(ToString::to_string))),
        ("sample_count", text(config.sample_count.map(|value| value.to_string()))),
        ("dimension", text(config.dimension.map(|value| value.to_string()))),
        ("formula", text(config.formula.clone())),
    ];
    if !matches!(form, ModelForm::Landscape(LandscapeForm::Analytic)) {
        given.extend(config.parameters.iter().map(|(key, value)| (key.as_str(), Some(value.to_string()))));
    }
    only_keys("model", &config.kind, allowed, &given)?;
    match form {
        ModelForm::Mlp => {
            let example = "widths = [2, 16, 16, 2]";
            let widths = needed("model", &config.kind, "widths", config.widths.as_ref(), example)?;
            let named = |key: &str, value: &Option<String>| value.clone().unwrap_or_else(|| key.to_string());
            Ok(Model::Mlp {
                kind: "mlp",
                widths: layer_widths("model.widths", widths)?,
                activation: choose("model.activation", &named("relu", &config.activation), ACTIVATIONS)?,
                batch_normalisation: config.batch_normalisation.unwrap_or(false),
                precision: choose("model.precision", &named("f32", &config.precision), PRECISIONS)?,
                weights: config
                    .weights
                    .as_ref()
                    .map(|file| existing_file("model.weights", file, folder))
                    .transpose()?,
            })
        }
        ModelForm::Linear(kind) => linear(config, kind),
        ModelForm::Landscape(form) => landscape(config, form, at),
    }
}

fn linear(config: &ModelConfig, kind: &'static str) -> Result<Model> {
    let inputs = *needed("model", kind, "inputs", config.inputs.as_ref(), "inputs = 5")?;
    let hidden = needed("model", kind, "hidden", config.hidden.as_ref(), "hidden = [3]")?;
    let outputs = *needed("model", kind, "outputs", config.outputs.as_ref(), "outputs = 5")?;
    if kind == "reduced-rank" && hidden.len() != 1 || hidden.is_empty() {
        let rule = "reduced-rank has one hidden layer, deep-linear at least one";
        return Err(Error::invalid("model.hidden", format!("{hidden:?}"), rule, "use hidden = [3], say"));
    }
    let mut widths = vec![count("model.inputs", inputs, 1)?];
    for (layer, width) in hidden.iter().enumerate() {
        widths.push(count(&format!("model.hidden[{layer}]"), *width, 1)?);
    }
    widths.push(count("model.outputs", outputs, 1)?);
    let narrowest = *widths.iter().min().unwrap_or(&0);
    let singular_values = match (&config.singular_values, config.rank) {
        (None, rank) => vec![1.0; rank.unwrap_or(0) as usize],
        (Some(NumberOrList::List(values)), _) => values.clone(),
        (Some(NumberOrList::Number(value)), rank) => vec![*value; rank.unwrap_or(1) as usize],
    };
    if let Some(rank) = config.rank
        && rank as usize != singular_values.len()
    {
        let rule = format!("{} singular values are given", singular_values.len());
        return Err(Error::invalid("model.rank", rank, rule, "give as many as the rank, or leave the rank out"));
    }
    if singular_values.len() > narrowest {
        let rule = format!("the rank of the true map is at most that of the narrowest layer, {narrowest}");
        return Err(Error::invalid("model.rank", singular_values.len(), rule, "use a smaller rank"));
    }
    for value in &singular_values {
        positive("model.singular_values", *value)?;
    }
    Ok(Model::Linear { kind, widths, singular_values, sample_count: sample_count(config)? })
}

/// n of a model without data.
fn sample_count(config: &ModelConfig) -> Result<usize> {
    count("model.sample_count", config.sample_count.unwrap_or(1000), 2)
}

fn landscape(config: &ModelConfig, form: LandscapeForm, at: Option<&NumberOrList>) -> Result<Model> {
    let text = match form {
        LandscapeForm::Expression => {
            let text = needed("model", &config.kind, "formula", config.formula.as_ref(), "formula = \"x^2*y^2\"")?;
            Some(formula("model.formula", text)?)
        }
        _ => None,
    };
    let length = |value: &NumberOrList| match value {
        NumberOrList::Number(_) => None,
        NumberOrList::List(values) => Some(values.len()),
    };
    let listed = || config.parameters.values().filter_map(length).max();
    let smallest = || crate::landscape::analytic::KINDS.iter().find(|kind| kind.name == config.kind);
    let dimension = match config.dimension {
        Some(value) => count("model.dimension", value, 1)?,
        None => {
            at.and_then(length).or_else(listed).or_else(|| smallest().map(|kind| *kind.dimensions.start())).unwrap_or(1)
        }
    };
    let mut parameters = BTreeMap::new();
    for (name, value) in &config.parameters {
        let values = match value {
            NumberOrList::Number(value) => vec![*value],
            NumberOrList::List(values) => values.clone(),
        };
        for value in &values {
            finite(&format!("model.{name}"), *value)?;
        }
        parameters.insert(name.clone(), values);
    }
    Ok(Model::Landscape {
        kind: config.kind.clone(),
        dimension,
        formula: text,
        parameters,
        sample_count: sample_count(config)?,
    })
}
