//! `[data]` and `[training]` of a run file.

use std::path::Path;

use serde::Serialize;

use super::model::layer_widths;
use super::run::{batch_size, count};
use super::time::{SPACINGS, Spacing};
use super::{existing_file, needed, only_keys, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{CheckpointsConfig, DataConfig, TrainingConfig};

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
    /// Which steps are kept; they change nothing of the training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Checkpoints>,
}

/// Steps of a training whose weights are kept: the start, the end and steps between them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Checkpoints {
    /// Number of steps, start and end included; steps that would be the same are one.
    pub count: usize,
    /// How they are spread.
    pub spacing: Spacing,
}

impl Checkpoints {
    /// The steps of a training of `steps` steps, increasing: 0, then steps spread up to `steps`.
    pub fn steps(&self, steps: u64) -> Vec<u64> {
        let last = (self.count - 1) as f64;
        let place = |k: usize| match self.spacing {
            Spacing::Linear => steps as f64 * k as f64 / last,
            Spacing::Log if k == 0 => 0.0,
            Spacing::Log => (steps as f64).powf((k as f64 - 1.0) / (last - 1.0).max(1.0)),
        };
        let mut all: Vec<u64> = (0..self.count).map(|k| place(k).round() as u64).chain([steps]).collect();
        all.dedup();
        all
    }
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

pub(super) fn data(config: &DataConfig, folder: &Path) -> Result<Data> {
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

pub(super) fn training(config: &TrainingConfig) -> Result<Training> {
    let named = |default: &str, value: &Option<String>| value.clone().unwrap_or_else(|| default.to_string());
    let optimizer = choose("training.optimizer", &named("sgd", &config.optimizer), OPTIMIZERS)?;
    let fraction = |key: &str, value: Option<f64>| {
        let value = value.unwrap_or(0.0);
        if (0.0..1.0).contains(&value) {
            return Ok(value);
        }
        Err(Error::invalid(key, value, "must be at least 0 and below 1", "use 0.9, say"))
    };
    let default_rate = if optimizer == Optimizer::Sgd { 0.1 } else { 1e-3 };
    Ok(Training {
        optimizer,
        learning_rate: positive("training.learning_rate", config.learning_rate.unwrap_or(default_rate))?,
        batch_size: batch_size("training.batch_size", config.batch_size.as_ref(), Some(32))?,
        steps: count("training.steps", config.steps.unwrap_or(2000), 1)? as u64,
        momentum: fraction("training.momentum", config.momentum)?,
        weight_decay: fraction("training.weight_decay", config.weight_decay)?,
        schedule: choose("training.schedule", &named("constant", &config.schedule), SCHEDULES)?,
        checkpoints: config.checkpoints.as_ref().map(checkpoints).transpose()?,
    })
}

/// Every checkpoint is a whole copy of the weights.
const MOST_CHECKPOINTS: u64 = 100_000;

fn checkpoints(typed: &CheckpointsConfig) -> Result<Checkpoints> {
    let (key, count, spacing) = match typed {
        CheckpointsConfig::Count(count) => ("training.checkpoints", *count, None),
        CheckpointsConfig::Table(table) => ("training.checkpoints.count", table.count, table.spacing.as_deref()),
    };
    if !(2..=MOST_CHECKPOINTS).contains(&count) {
        let rule = format!("must be a whole number from 2 to {MOST_CHECKPOINTS}");
        return Err(Error::invalid(key, count, rule, "use 100, say: start and end are among them"));
    }
    let spacing = choose("training.checkpoints.spacing", spacing.unwrap_or("linear"), SPACINGS)?;
    Ok(Checkpoints { count: count as usize, spacing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_hold_start_and_end() {
        let of = |count, spacing, steps| Checkpoints { count, spacing }.steps(steps);
        assert_eq!(of(5, Spacing::Linear, 100), [0, 25, 50, 75, 100]);
        assert_eq!(of(4, Spacing::Log, 100), [0, 1, 10, 100]);
        assert_eq!(of(2, Spacing::Log, 7), [0, 1, 7]);
        assert_eq!(of(50, Spacing::Log, 3), [0, 1, 2, 3]);
        assert_eq!(of(50, Spacing::Linear, 2), [0, 1, 2]);
    }
}
