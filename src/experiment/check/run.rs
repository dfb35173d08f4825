//! Run files: `[model]`, `[data]` and `[training]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::llc::{self, Llc};
use super::{LandscapeForm, existing_file, finite, formula, landscapes, needed, only_keys, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{CountOrText, DataConfig, ModelConfig, NumberOrList, RunConfig, TrainingConfig};

/// A run that keeps every rule of the run file. Only [`check_run`] makes one.
///
/// Serialised it is the `problem` of `report.json`: the keys of the run file with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckedRun {
    title: String,
    model: Model,
    data: Option<Data>,
    training: Option<Training>,
    llc: Llc,
    #[serde(skip)]
    folder: PathBuf,
}

impl CheckedRun {
    /// Title; the stem of the file when none was given.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The loss.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What a network is trained on; `None` for other models.
    pub fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// How a network is trained; `None` when its weights are given, and for other models.
    pub fn training(&self) -> Option<&Training> {
        self.training.as_ref()
    }

    /// How to sample.
    pub fn llc(&self) -> &Llc {
        &self.llc
    }

    /// Path of a file that the run names: relative names start at the folder of the run file.
    pub fn resolve(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

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

/// Data of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Data {
    /// Two half circles that interleave.
    TwoMoons {
        /// Number of samples.
        samples: usize,
        /// Standard deviation of the noise.
        noise: f64,
    },
    /// A random network's answers to normal inputs.
    Teacher {
        /// Units of each layer.
        widths: Vec<usize>,
        /// Number of samples.
        samples: usize,
        /// Standard deviation of the noise.
        noise: f64,
    },
    /// Images and labels in IDX files.
    Idx {
        /// File of images.
        images: String,
        /// File of labels.
        labels: String,
    },
    /// A table of numbers, the last column the target.
    Csv {
        /// The file.
        file: String,
        /// The last column holds classes.
        classes: bool,
    },
    /// Arrays x and y.
    Npz {
        /// The file.
        file: String,
        /// y holds classes.
        classes: bool,
    },
    /// The 8 x 8 digits that come with the program.
    Digits,
}

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Learning rate.
    pub learning_rate: f64,
    /// Samples per step; `None` takes all.
    pub batch_size: Option<usize>,
    /// Number of steps.
    pub steps: u64,
    /// Momentum of sgd.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Course of the learning rate.
    pub schedule: Schedule,
}

/// Optimisers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam.
    Adam,
    /// RMSprop.
    Rmsprop,
}

/// Courses of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Half a cosine down to zero.
    Cosine,
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

const PRECISIONS: &[Choice<Precision>] =
    &[Choice::of("f32", Precision::Single, ""), Choice::of("f64", Precision::Double, "")];

/// Values of `data.kind`.
pub const DATA: &[Choice<&'static str>] = &[
    Choice::of("two-moons", "two-moons", "two half circles that interleave (samples, noise)"),
    Choice::of("teacher", "teacher", "a random tanh network's answers to normal inputs (widths, samples, noise)"),
    Choice::of("idx", "idx", "MNIST's format, plain or gzip (images, labels)"),
    Choice::of("csv", "csv", "a table of numbers, the last column the target (file, classes)"),
    Choice::of("npz", "npz", "arrays x and y (file, classes)"),
    Choice::of("digits", "digits", "1797 digits of 8 x 8 pixels that come with the program"),
];

/// Values of `training.optimizer`.
pub const OPTIMIZERS: &[Choice<Optimizer>] = &[
    Choice::of("sgd", Optimizer::Sgd, "stochastic gradient descent (momentum, weight_decay; default)"),
    Choice::of("adam", Optimizer::Adam, "Adam"),
    Choice::of("rmsprop", Optimizer::Rmsprop, "RMSprop"),
];

/// Values of `training.schedule`.
pub const SCHEDULES: &[Choice<Schedule>] = &[
    Choice::of("constant", Schedule::Constant, "the same learning rate throughout (default)"),
    Choice::of("cosine", Schedule::Cosine, "half a cosine down to zero"),
];

/// Largest number of parameters, steps or samples that a run file may ask for.
const LARGEST: u64 = 1 << 32;

/// Checks a run. `stem` is the title if the file gives none, `folder` the place from which it names other files.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::NotAvailable`] with the key path of the value that breaks a rule.
pub fn check_run(config: &RunConfig, stem: &str, folder: &Path) -> Result<CheckedRun> {
    let model = model(&config.model, config.llc.at.as_ref(), folder)?;
    let is_mlp = matches!(model, Model::Mlp { .. });
    let needs_training = matches!(model, Model::Mlp { weights: None, .. });
    let data = match &config.data {
        Some(config) if is_mlp => Some(data(config, folder)?),
        Some(_) => return Err(unused("data", "kind", &config.model.kind)),
        None if is_mlp => {
            let remedy = "add [data] with kind = \"two-moons\"";
            return Err(Error::invalid("model.kind", "\"mlp\"", "a network needs the table [data]", remedy));
        }
        None => None,
    };
    let training = match &config.training {
        Some(config) if needs_training => Some(training(config)?),
        // A file may hold both: how the weights came to be, and where they are.
        Some(config) if is_mlp => training(config).map(|_| None)?,
        Some(_) => return Err(unused("training", "optimizer", &config.model.kind)),
        None if needs_training => Some(training(&TrainingConfig::default())?),
        None => None,
    };
    Ok(CheckedRun {
        title: config.title.clone().unwrap_or_else(|| stem.to_string()),
        llc: llc::check(&config.llc, &model)?,
        model,
        data,
        training,
        folder: folder.to_path_buf(),
    })
}

fn unused(table: &str, key: &str, kind: &str) -> Error {
    let rule = format!("kind = {kind:?} has no use for [{table}]");
    Error::invalid(format!("{table}.{key}"), "(given)", rule, "remove the table or change model.kind")
}

/// A whole number within bounds.
pub(super) fn count(key: &str, value: u64, least: u64) -> Result<usize> {
    if (least..=LARGEST).contains(&value) {
        return Ok(value as usize);
    }
    let rule = format!("must be a whole number from {least} to {LARGEST}");
    Err(Error::invalid(key, value, rule, format!("use {}, say", least.max(8))))
}

fn layer_widths(key: &str, widths: &[u64]) -> Result<Vec<usize>> {
    if widths.len() < 2 {
        let rule = "needs the inputs and the outputs at least";
        return Err(Error::invalid(key, format!("{widths:?}"), rule, "use [2, 16, 16, 2], say"));
    }
    widths.iter().enumerate().map(|(layer, width)| count(&format!("{key}[{layer}]"), *width, 1)).collect()
}

/// Samples per step or draw; `None` takes all.
pub(super) fn batch_size(key: &str, typed: Option<&CountOrText>, default: Option<usize>) -> Result<Option<usize>> {
    match typed {
        None => Ok(default),
        Some(CountOrText::Text(text)) if text == "full" => Ok(None),
        Some(CountOrText::Count(value)) => count(key, *value, 1).map(Some),
        Some(other) => {
            Err(Error::invalid(key, other, "must be a whole number or \"full\"", "use 32, or \"full\" for all samples"))
        }
    }
}

fn model(config: &ModelConfig, at: Option<&NumberOrList>, folder: &Path) -> Result<Model> {
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

fn data(config: &DataConfig, folder: &Path) -> Result<Data> {
    let kind = choose("data.kind", &config.kind, DATA)?;
    let allowed: &[&str] = match kind {
        "two-moons" => &["samples", "noise"],
        "teacher" => &["widths", "samples", "noise"],
        "idx" => &["images", "labels"],
        "csv" => &["file", "classes"],
        "npz" => &["file", "classes"],
        _ => &[],
    };
    let given = [
        ("samples", config.samples.map(|value| value.to_string())),
        ("noise", config.noise.map(|value| value.to_string())),
        ("widths", config.widths.as_ref().map(|value| format!("{value:?}"))),
        ("file", config.file.clone()),
        ("images", config.images.clone()),
        ("labels", config.labels.clone()),
        ("classes", config.classes.map(|value| value.to_string())),
    ];
    only_keys("data", kind, allowed, &given)?;
    let file = |key: &'static str, value: Option<&String>, example: &str| {
        needed("data", kind, key, value, example).and_then(|name| existing_file(&format!("data.{key}"), name, folder))
    };
    let samples = || count("data.samples", config.samples.unwrap_or(1000), 2);
    let noise = |default: f64| {
        let value = config.noise.unwrap_or(default);
        if value >= 0.0 && value.is_finite() {
            return Ok(value);
        }
        Err(Error::invalid("data.noise", value, "a standard deviation is at least 0", "use noise = 0.1"))
    };
    Ok(match kind {
        "two-moons" => Data::TwoMoons { samples: samples()?, noise: noise(0.1)? },
        "teacher" => {
            let widths = needed("data", kind, "widths", config.widths.as_ref(), "widths = [2, 4, 1]")?;
            Data::Teacher { widths: layer_widths("data.widths", widths)?, samples: samples()?, noise: noise(0.0)? }
        }
        "idx" => Data::Idx {
            images: file("images", config.images.as_ref(), "images = \"images.gz\"")?,
            labels: file("labels", config.labels.as_ref(), "labels = \"labels.gz\"")?,
        },
        "csv" => Data::Csv {
            file: file("file", config.file.as_ref(), "file = \"data.csv\"")?,
            classes: config.classes.unwrap_or(true),
        },
        "npz" => Data::Npz {
            file: file("file", config.file.as_ref(), "file = \"data.npz\"")?,
            classes: config.classes.unwrap_or(true),
        },
        _ => Data::Digits,
    })
}

fn training(config: &TrainingConfig) -> Result<Training> {
    let named = |default: &str, value: &Option<String>| value.clone().unwrap_or_else(|| default.to_string());
    let optimizer = choose("training.optimizer", &named("sgd", &config.optimizer), OPTIMIZERS)?;
    let fraction = |key: &str, value: Option<f64>| {
        let value = value.unwrap_or(0.0);
        if (0.0..1.0).contains(&value) {
            return Ok(value);
        }
        Err(Error::invalid(key, value, "must be at least 0 and below 1", "use 0.9, say"))
    };
    if config.checkpoints.is_some() {
        let remedy = "remove it; the steps themselves are not changed by it";
        return Err(Error::not_available("training.checkpoints", "(given)", remedy));
    }
    let default_rate = if optimizer == Optimizer::Sgd { 0.1 } else { 1e-3 };
    Ok(Training {
        optimizer,
        learning_rate: positive("training.learning_rate", config.learning_rate.unwrap_or(default_rate))?,
        batch_size: batch_size("training.batch_size", config.batch_size.as_ref(), Some(32))?,
        steps: count("training.steps", config.steps.unwrap_or(2000), 1)? as u64,
        momentum: fraction("training.momentum", config.momentum)?,
        weight_decay: fraction("training.weight_decay", config.weight_decay)?,
        schedule: choose("training.schedule", &named("constant", &config.schedule), SCHEDULES)?,
    })
}
