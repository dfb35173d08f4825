//! Run files as a whole.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::cut::{self, Cut};
use super::llc::{self, Llc};
use super::model::{Model, model};
use super::training::{Checkpoints, Data, Training, data, training};
use crate::error::{Error, Result};
use crate::experiment::config::{CountOrText, RunConfig, TrainingConfig};

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
    /// Only the command landscape reads it: other results do not depend on it.
    #[serde(skip)]
    section: Cut,
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

    /// Which line or plane to cut.
    pub fn section(&self) -> &Cut {
        &self.section
    }

    /// The same run with these checkpoints of its training, where it has one that names none.
    #[must_use]
    pub fn with_checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        if let Some(training) = &mut self.training {
            training.checkpoints.get_or_insert(checkpoints);
        }
        self
    }

    /// The same run of a network with the weights of a file that is there, in place of a training.
    #[must_use]
    pub fn with_weights(mut self, file: &str) -> Self {
        if let Model::Mlp { weights: weights @ None, .. } = &mut self.model {
            *weights = Some(file.to_string());
            self.training = None;
        }
        self
    }

    /// Path of a file that the run names: relative names start at the folder of the run file.
    pub fn resolve(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

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
        section: cut::check(config.section.as_ref(), &model, folder)?,
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
