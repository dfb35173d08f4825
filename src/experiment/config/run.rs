//! The run file as it was typed: every key of RUN.toml, with the right type and nothing else decided.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cut::CutConfig;
use super::section::Section;
use super::{CountOrText, NumberOrList, NumberOrText, Source};
use crate::error::Result;

/// The whole run file. `None` is a key or a table that was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// `title`
    pub title: Option<String>,
    /// `[model]`
    pub model: ModelConfig,
    /// `[data]`
    pub data: Option<DataConfig>,
    /// `[training]`
    pub training: Option<TrainingConfig>,
    /// `[llc]`
    pub llc: LlcConfig,
    /// `[section]`
    pub section: Option<CutConfig>,
}

/// `[model]`: the loss L(w).
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// `mlp`, `deep-linear`, `reduced-rank` or a landscape.
    pub kind: String,
    /// Units of each layer of a multi-layer perceptron, inputs first.
    pub widths: Option<Vec<u64>>,
    /// Activation of the hidden layers.
    pub activation: Option<String>,
    /// Normalise hidden layers over the batch.
    pub batch_normalisation: Option<bool>,
    /// `f32` or `f64`.
    pub precision: Option<String>,
    /// Array file with weights, relative to the run file.
    pub weights: Option<String>,
    /// Inputs of a linear network.
    pub inputs: Option<u64>,
    /// Hidden units of a linear network.
    pub hidden: Option<Vec<u64>>,
    /// Outputs of a linear network.
    pub outputs: Option<u64>,
    /// Rank of the true map of a linear network.
    pub rank: Option<u64>,
    /// Singular values of the true map of a linear network.
    pub singular_values: Option<NumberOrList>,
    /// Number of samples n that a landscape stands for.
    pub sample_count: Option<u64>,
    /// Number of coordinates of a landscape.
    pub dimension: Option<u64>,
    /// Formula of an expression.
    pub formula: Option<String>,
    /// Every other key: parameters of the named landscape.
    pub parameters: BTreeMap<String, NumberOrList>,
}

/// `[data]`
#[derive(Clone, Debug, PartialEq)]
pub struct DataConfig {
    /// `two-moons`, `teacher`, `idx`, `csv`, `npz` or `digits`.
    pub kind: String,
    /// Number of samples drawn.
    pub samples: Option<u64>,
    /// Standard deviation of the noise.
    pub noise: Option<f64>,
    /// Units of each layer of a teacher.
    pub widths: Option<Vec<u64>>,
    /// File of a csv or npz data set.
    pub file: Option<String>,
    /// IDX file of images.
    pub images: Option<String>,
    /// IDX file of labels.
    pub labels: Option<String>,
    /// The last column of a csv file holds classes.
    pub classes: Option<bool>,
}

/// `[training]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingConfig {
    /// `sgd`, `adam` or `rmsprop`.
    pub optimizer: Option<String>,
    /// Learning rate.
    pub learning_rate: Option<f64>,
    /// Samples per step, or `full`.
    pub batch_size: Option<CountOrText>,
    /// Number of steps.
    pub steps: Option<u64>,
    /// Momentum of sgd.
    pub momentum: Option<f64>,
    /// Weight decay.
    pub weight_decay: Option<f64>,
    /// `constant`, `cosine` or `step`.
    pub schedule: Option<String>,
    /// Which steps are kept: how many of them, or how many and how they are spaced.
    pub checkpoints: Option<CheckpointsConfig>,
}

/// `[training] checkpoints`: a count, or a table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum CheckpointsConfig {
    /// `40`
    Count(u64),
    /// `{ count = 40, spacing = "log" }`
    Table(CheckpointsTable),
}

/// The table of `[training] checkpoints`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointsTable {
    /// Number of checkpoints.
    pub count: u64,
    /// `log` or `linear`.
    pub spacing: Option<String>,
}

/// `[llc]`: how to sample; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LlcConfig {
    /// Sampler.
    pub sampler: Option<String>,
    /// n beta, or `auto`.
    pub inverse_temperature: Option<NumberOrText>,
    /// Strength g of the prior around the point.
    pub localization: Option<f64>,
    /// Step size, or `auto`.
    pub step_size: Option<NumberOrText>,
    /// Repeat at half the step and extrapolate.
    pub extrapolation: Option<bool>,
    /// The point of a landscape.
    pub at: Option<NumberOrList>,
    /// Half the side of a box around the point.
    pub box_radius: Option<f64>,
    /// `f32` or `f64`; that of the model when left out.
    pub precision: Option<String>,
    /// Values to go through.
    pub sweep: Option<SweepConfig>,
    /// Number of chains.
    pub chains: Option<u64>,
    /// Steps straight down before the chains start.
    pub polish: Option<u64>,
    /// Draws that do not count.
    pub burn_in: Option<u64>,
    /// Draws that count, per chain.
    pub draws: Option<u64>,
    /// Samples per draw, or `full`.
    pub batch_size: Option<CountOrText>,
}

/// `[llc] sweep`: every combination is run.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepConfig {
    /// Step sizes.
    pub step_size: Option<Vec<f64>>,
    /// Localisations.
    pub localization: Option<Vec<f64>>,
    /// Inverse temperatures.
    pub inverse_temperature: Option<Vec<f64>>,
}

const COUNT: &str = "a whole number";
const NUMBER: &str = "a number";
const TEXT: &str = "text";
const FILE: &str = "text that names a file";
const COUNTS: &str = "a list of whole numbers";
const BATCH: &str = "a whole number or \"full\"";

impl RunConfig {
    /// Reads the typed values out of `source`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for an unknown key, a missing key or a value of the wrong type.
    pub fn read(source: &Source) -> Result<Self> {
        let mut root = Section::root(source, "a run file");
        root.only(&["title", "model", "data", "training", "llc", "section"])?;
        Ok(RunConfig {
            title: root.optional("title", TEXT, "title = \"Two moons\"")?,
            model: ModelConfig::read(root.table("model", "kind = \"mlp\" and widths = [2, 16, 16, 2]")?)?,
            data: root.optional_table("data")?.map(DataConfig::read).transpose()?,
            training: root.optional_table("training")?.map(TrainingConfig::read).transpose()?,
            llc: root.optional_table("llc")?.map_or_else(|| Ok(LlcConfig::default()), LlcConfig::read)?,
            section: root.optional_table("section")?.map(CutConfig::read).transpose()?,
        })
    }
}

impl ModelConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        Ok(ModelConfig {
            kind: section.required("kind", "text that names a model", "kind = \"mlp\"")?,
            widths: section.optional("widths", COUNTS, "widths = [2, 16, 16, 2]")?,
            activation: section.optional("activation", TEXT, "activation = \"relu\"")?,
            batch_normalisation: section.optional(
                "batch_normalisation",
                "true or false",
                "batch_normalisation = false",
            )?,
            precision: section.optional("precision", TEXT, "precision = \"f32\"")?,
            weights: section.optional("weights", FILE, "weights = \"trained.npz\"")?,
            inputs: section.optional("inputs", COUNT, "inputs = 5")?,
            hidden: section.optional("hidden", COUNTS, "hidden = [3]")?,
            outputs: section.optional("outputs", COUNT, "outputs = 5")?,
            rank: section.optional("rank", COUNT, "rank = 1")?,
            singular_values: section.optional(
                "singular_values",
                "a number or a list of numbers",
                "singular_values = [1.0]",
            )?,
            sample_count: section.optional("sample_count", COUNT, "sample_count = 1000")?,
            dimension: section.optional("dimension", COUNT, "dimension = 2")?,
            formula: section.optional("formula", "text that holds a formula", "formula = \"x^2*y^2\"")?,
            parameters: section.remaining("a number or a list of numbers", "a number such as 1.0")?,
        })
    }
}

impl DataConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["kind", "samples", "noise", "widths", "file", "images", "labels", "classes"])?;
        Ok(DataConfig {
            kind: section.required("kind", "text that names data", "kind = \"two-moons\"")?,
            samples: section.optional("samples", COUNT, "samples = 1000")?,
            noise: section.optional("noise", NUMBER, "noise = 0.1")?,
            widths: section.optional("widths", COUNTS, "widths = [2, 4, 1]")?,
            file: section.optional("file", FILE, "file = \"data.csv\"")?,
            images: section.optional("images", FILE, "images = \"train-images-idx3-ubyte.gz\"")?,
            labels: section.optional("labels", FILE, "labels = \"train-labels-idx1-ubyte.gz\"")?,
            classes: section.optional("classes", "true or false", "classes = true")?,
        })
    }
}

impl TrainingConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&[
            "optimizer",
            "learning_rate",
            "batch_size",
            "steps",
            "momentum",
            "weight_decay",
            "schedule",
            "checkpoints",
        ])?;
        Ok(TrainingConfig {
            optimizer: section.optional("optimizer", TEXT, "optimizer = \"sgd\"")?,
            learning_rate: section.optional("learning_rate", NUMBER, "learning_rate = 0.1")?,
            batch_size: section.optional("batch_size", BATCH, "batch_size = 32")?,
            steps: section.optional("steps", COUNT, "steps = 2000")?,
            momentum: section.optional("momentum", NUMBER, "momentum = 0.9")?,
            weight_decay: section.optional("weight_decay", NUMBER, "weight_decay = 1e-4")?,
            schedule: section.optional("schedule", TEXT, "schedule = \"constant\"")?,
            checkpoints: section.optional(
                "checkpoints",
                "a whole number or a table with count and spacing",
                "checkpoints = 40, or checkpoints = { count = 40, spacing = \"log\" }",
            )?,
        })
    }
}

impl LlcConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&[
            "sampler",
            "inverse_temperature",
            "localization",
            "step_size",
            "extrapolation",
            "at",
            "box",
            "precision",
            "sweep",
            "chains",
            "polish",
            "burn_in",
            "draws",
            "batch_size",
        ])?;
        let or_auto = "a number or \"auto\"";
        Ok(LlcConfig {
            sampler: section.optional("sampler", TEXT, "sampler = \"auto\"")?,
            inverse_temperature: section.optional("inverse_temperature", or_auto, "inverse_temperature = \"auto\"")?,
            localization: section.optional("localization", NUMBER, "localization = 1.0")?,
            step_size: section.optional("step_size", or_auto, "step_size = \"auto\"")?,
            extrapolation: section.optional("extrapolation", "true or false", "extrapolation = true")?,
            at: section.optional("at", "a number or a list of numbers, one per coordinate", "at = [0.0, 0.0]")?,
            box_radius: section.optional("box", NUMBER, "box = 1.0")?,
            precision: section.optional("precision", TEXT, "precision = \"f64\"")?,
            sweep: section.optional_table("sweep")?.map(SweepConfig::read).transpose()?,
            chains: section.optional("chains", COUNT, "chains = 8")?,
            polish: section.optional("polish", COUNT, "polish = 1000")?,
            burn_in: section.optional("burn_in", COUNT, "burn_in = 500")?,
            draws: section.optional("draws", COUNT, "draws = 2000")?,
            batch_size: section.optional("batch_size", BATCH, "batch_size = \"full\"")?,
        })
    }
}

impl SweepConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["step_size", "localization", "inverse_temperature"])?;
        let list = "a list of numbers";
        Ok(SweepConfig {
            step_size: section.optional("step_size", list, "step_size = [1e-4, 3e-4, 1e-3]")?,
            localization: section.optional("localization", list, "localization = [1.0, 10.0]")?,
            inverse_temperature: section.optional(
                "inverse_temperature",
                list,
                "inverse_temperature = [50.0, 500.0]",
            )?,
        })
    }
}
