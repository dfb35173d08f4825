//! From the file as typed to a problem that can run: names, ranges and everything that needs more than one value.

mod coefficients;
mod cut;
mod domain;
mod initial;
mod llc;
mod method;
mod model;
mod run;
mod time;
mod training;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::config::{Config, NumberOrList, number};
use crate::error::{Error, Result};

pub use coefficients::{
    DIFFUSIVITIES, Diffusivity, DiffusivityForm, Friction, Landscape, LandscapeForm, LearningCoefficient, landscapes,
};
pub use cut::{Cut, DIRECTIONS, Directions, FieldMethod, FieldSettings, Form, METHODS, Origin, UNITS, Unit};
pub use domain::{BOUNDARIES, Boundary, COMPONENTS, Component, Domain};
pub use initial::{INITIALS, Initial};
pub use llc::{Llc, SAMPLERS, Sampler, Sweep};
pub use method::{
    DERIVATIVES, FLUXES, Flux, Grading, MAXIMUM_TOLERANCE, MEMORIES, MINIMUM_TOLERANCE, Memory, Method, PROPAGATORS,
    Propagator, Steps,
};
pub use model::{ACTIVATIONS, Activation, Model, NETWORKS, Precision};
pub use run::{CheckedRun, check_run};
pub use time::{SPACINGS, Spacing};
pub use training::{Checkpoints, DATA, Data, OPTIMIZERS, Optimizer, SCHEDULES, Schedule, Training};

/// A problem that keeps every rule of the problem file. Only [`check`] makes one.
///
/// Serialised it is the `problem` of `report.json`: the keys of the problem file with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    title: String,
    landscape: Landscape,
    domain: Domain,
    dynamics: Dynamics,
    diffusivity: Diffusivity,
    initial: Initial,
    time: Times,
    method: Method,
    #[serde(skip)]
    warnings: Vec<String>,
    #[serde(skip)]
    folder: PathBuf,
}

/// Order and friction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dynamics {
    /// Caputo order α, 0 < α <= 1.
    pub order: f64,
    /// Friction γ.
    pub friction: Friction,
}

/// The output times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// Strictly increasing and finite; the first may be 0 (the initial density itself) \[t\].
    pub outputs: Vec<f64>,
}

impl Checked {
    /// Title; the stem of the file when none was given.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Number of dimensions, 1 to 3.
    pub fn dimension(&self) -> usize {
        self.domain.lower.len()
    }

    /// Where the loss comes from.
    pub fn landscape(&self) -> &Landscape {
        &self.landscape
    }

    /// Box, cells, boundary and medium.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Order and friction.
    pub fn dynamics(&self) -> &Dynamics {
        &self.dynamics
    }

    /// Where the diffusivity comes from.
    pub fn diffusivity(&self) -> &Diffusivity {
        &self.diffusivity
    }

    /// The density at t = 0.
    pub fn initial(&self) -> &Initial {
        &self.initial
    }

    /// Output times, strictly increasing; the first may be 0 \[t\].
    pub fn outputs(&self) -> &[f64] {
        &self.time.outputs
    }

    /// How to solve.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What the user should know about the file, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The given number of time steps, if one was given.
    pub fn step_count(&self) -> Option<usize> {
        match self.method.steps {
            Some(Steps::Count(count)) => Some(count),
            _ => None,
        }
    }

    /// Path of a file that the problem names: relative names start at the folder of the problem file.
    pub fn resolve(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

/// Checks the problem. `stem` is the title if the file gives none, `folder` the place from which it names other files.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::NotAvailable`] with the key path of the value that breaks a rule.
pub fn check(config: &Config, stem: &str, folder: &Path) -> Result<Checked> {
    let mut warnings = Vec::new();
    let domain = domain::check(&config.domain, &mut warnings)?;
    let dimension = domain.lower.len();
    let dynamics = Dynamics {
        order: order(config.dynamics.order)?,
        friction: coefficients::friction(config.dynamics.friction.as_ref())?,
    };
    let checked = Checked {
        title: config.title.clone().unwrap_or_else(|| stem.to_string()),
        landscape: coefficients::landscape(&config.landscape, folder)?,
        dynamics,
        diffusivity: coefficients::diffusivity(&config.diffusivity, folder)?,
        initial: initial::check(&config.initial, &domain, folder)?,
        time: Times { outputs: time::check(&config.time)? },
        method: method::check(&config.method, &mut warnings)?,
        domain,
        warnings,
        folder: folder.to_path_buf(),
    };
    debug_assert_eq!(checked.dimension(), dimension);
    Ok(checked)
}

fn order(order: f64) -> Result<f64> {
    if order > 0.0 && order <= 1.0 {
        return Ok(order);
    }
    Err(Error::invalid(
        "dynamics.order",
        number(order),
        "the Caputo order must satisfy 0 < order <= 1",
        "use order = 1.0 for the ordinary equation or order = 0.7, say",
    ))
}

/// A number that must be finite and above 0.
fn positive(key: &str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::invalid(key, number(value), "must be a positive finite number", "use 0.35, say"))
}

/// A number that must be finite.
fn finite(key: &str, value: f64) -> Result<f64> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(Error::invalid(key, number(value), "must be a finite number", "use 1.0, say"))
}

/// One finite number per axis. `Spread::OneForAll` lets a single number stand for every axis.
fn per_axis(key: &str, typed: &NumberOrList, dimension: usize, spread: Spread) -> Result<Vec<f64>> {
    let values = match typed {
        NumberOrList::Number(value) if dimension == 1 || spread == Spread::OneForAll => vec![*value; dimension],
        NumberOrList::List(values) if values.len() == dimension => values.clone(),
        _ => {
            return Err(Error::invalid(
                key,
                typed,
                format!("must have one number per axis, and the domain has {dimension}"),
                format!("give a list of {dimension}, or change the domain"),
            ));
        }
    };
    for (index, &value) in values.iter().enumerate() {
        finite(&element(key, typed, index), value)?;
    }
    Ok(values)
}

/// Whether one number may stand for all axes.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    OneForAll,
    OnePerAxis,
}

/// Key path of an element, or of the whole when it is a single number.
fn element(key: &str, typed: &NumberOrList, index: usize) -> String {
    match typed {
        NumberOrList::Number(_) => key.to_string(),
        NumberOrList::List(_) => format!("{key}[{index}]"),
    }
}

/// A value that this kind of table needs.
fn needed<'a, T>(table: &str, kind: &str, key: &str, value: Option<&'a T>, example: &str) -> Result<&'a T> {
    value.ok_or_else(|| {
        let rule = format!("this kind needs the key {key}");
        Error::invalid(format!("{table}.kind"), format!("{kind:?}"), rule, format!("add {example}"))
    })
}

/// Refuses keys of another kind: `given` lists every optional key of the table with its value, if it is there.
fn only_keys(table: &str, kind: &str, allowed: &[&str], given: &[(&str, Option<String>)]) -> Result<()> {
    for (key, value) in given {
        if let Some(value) = value
            && !allowed.contains(key)
        {
            let keys = if allowed.is_empty() { "no other keys".to_string() } else { allowed.join(", ") };
            return Err(Error::invalid(
                format!("{table}.{key}"),
                value,
                format!("kind = {kind:?} does not use {key}"),
                format!("remove it (this kind takes {keys}) or change the kind"),
            ));
        }
    }
    Ok(())
}

/// A formula that is not blank.
fn formula(key: &str, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::invalid(key, format!("{text:?}"), "the formula is empty", "write \"(x^2 - 1)^2\", say"));
    }
    Ok(text.to_string())
}

/// A file that is there, as it was named.
fn existing_file(key: &str, name: &str, folder: &Path) -> Result<String> {
    let path = folder.join(name);
    if path.is_file() {
        return Ok(name.to_string());
    }
    Err(Error::invalid(
        key,
        format!("{name:?}"),
        format!("there is no file {}", path.display()),
        "name a file that is there; relative names start at the folder of the problem file",
    ))
}

#[cfg(test)]
mod tests;
