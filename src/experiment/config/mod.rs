//! The problem file as it was typed: every key of PROBLEM.toml, with the right type and nothing else decided.
//!
//! Rules that need more than one value, names and ranges are judged by [`check`](mod@crate::experiment::check).

mod cut;
mod overrides;
mod run;
mod section;
mod source;
mod values;

use std::collections::BTreeMap;

use crate::error::Result;
use section::Section;

pub use cut::CutConfig;
pub use overrides::Override;
pub use run::{
    CheckpointsConfig, CheckpointsTable, DataConfig, LlcConfig, ModelConfig, RunConfig, SweepConfig, TrainingConfig,
};
pub use source::Source;
pub use values::{CountOrText, FormulaOrTensor, NumberOrList, NumberOrText, list, number};

/// The whole problem file. `None` is a key that was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `title`
    pub title: Option<String>,
    /// `[landscape]`
    pub landscape: LandscapeConfig,
    /// `[domain]`
    pub domain: DomainConfig,
    /// `[dynamics]`
    pub dynamics: DynamicsConfig,
    /// `[diffusivity]`
    pub diffusivity: DiffusivityConfig,
    /// `[initial]`
    pub initial: InitialConfig,
    /// `[time]`
    pub time: TimeConfig,
    /// `[method]`
    pub method: MethodConfig,
}

/// `[landscape]`: the loss L(w).
#[derive(Clone, Debug, PartialEq)]
pub struct LandscapeConfig {
    /// Name of a landscape, `expression` or `grid`.
    pub kind: String,
    /// Formula in x, y, z or w1..w9.
    pub formula: Option<String>,
    /// Array file, relative to the problem file.
    pub file: Option<String>,
    /// Every other key: parameters of the named landscape.
    pub parameters: BTreeMap<String, NumberOrList>,
}

/// `[domain]`: the box and its cells.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainConfig {
    /// Lower end of each axis \[w\].
    pub lower: Vec<f64>,
    /// Upper end of each axis \[w\].
    pub upper: Vec<f64>,
    /// Cells along each axis.
    pub cells: Vec<u64>,
    /// A name, or something per side.
    pub boundary: Option<toml::Value>,
    /// Cells with a loss above this are not part of the medium \[loss\].
    pub keep_below: Option<f64>,
    /// Which pieces of a porous medium take part.
    pub component: Option<String>,
}

/// `[dynamics]`
#[derive(Clone, Debug, PartialEq)]
pub struct DynamicsConfig {
    /// Caputo order α.
    pub order: f64,
    /// Friction γ, a number or a formula in t \[w^2 loss^-1 t^-α\].
    pub friction: Option<NumberOrText>,
}

/// `[diffusivity]`: D(w, t) \[w^2 t^-α\].
#[derive(Clone, Debug, PartialEq)]
pub struct DiffusivityConfig {
    /// `uniform`, `expression`, `grid`, `tensor` or `coarse-grained`.
    pub kind: String,
    /// Value of a uniform D.
    pub value: Option<f64>,
    /// Formula, or table of formulas of a tensor.
    pub formula: Option<FormulaOrTensor>,
    /// Array file, relative to the problem file.
    pub file: Option<String>,
    /// Length scale ξ of a coarse-grained D \[w\].
    pub scale: Option<f64>,
    /// Spectral dimension of a coarse-grained D.
    pub spectral_dimension: Option<f64>,
    /// Learning coefficient of a coarse-grained D, or `from-landscape`.
    pub learning_coefficient: Option<NumberOrText>,
    /// Prefactor of a coarse-grained D.
    pub reference: Option<f64>,
}

/// `[initial]`: the density at t = 0.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialConfig {
    /// `gaussian`, `uniform`, `point`, `expression` or `grid`.
    pub kind: String,
    /// Mean of a Gaussian \[w\].
    pub mean: Option<NumberOrList>,
    /// Standard deviation of a Gaussian \[w\].
    pub standard_deviation: Option<NumberOrList>,
    /// Place of a point \[w\].
    pub at: Option<NumberOrList>,
    /// Formula of an unnormalised density.
    pub formula: Option<String>,
    /// Array file, relative to the problem file.
    pub file: Option<String>,
}

/// `[time]`: the output times, listed or described.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeConfig {
    /// The times themselves \[t\].
    pub outputs: Option<Vec<f64>>,
    /// Last time \[t\].
    pub end: Option<f64>,
    /// Number of times.
    pub count: Option<u64>,
    /// `log` or `linear`.
    pub spacing: Option<String>,
    /// First time \[t\].
    pub first: Option<f64>,
}

/// `[method]`: how to solve; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MethodConfig {
    /// Propagator.
    pub propagator: Option<String>,
    /// Wanted relative error of each density.
    pub tolerance: Option<f64>,
    /// Number of time steps, or `adaptive`.
    pub steps: Option<CountOrText>,
    /// Grading of the time steps, or `auto`.
    pub grading: Option<NumberOrText>,
    /// How the memory sum is taken.
    pub memory: Option<String>,
    /// Bytes that history or basis may take: a number, or text with a unit.
    pub memory_limit: Option<CountOrText>,
    /// Solve by an independent method too.
    pub check: Option<bool>,
    /// Parameters to differentiate the density by.
    pub derivatives: Option<Vec<String>>,
    /// Richardson extrapolation in the cell size.
    pub extrapolate: Option<bool>,
    /// Flux through a face.
    pub flux: Option<String>,
}

impl Config {
    /// Reads the typed values out of `source`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for an unknown key, a missing key or a value of the wrong type.
    pub fn read(source: &Source) -> Result<Self> {
        let mut root = Section::root(source, "a problem file");
        root.only(&["title", "landscape", "domain", "dynamics", "diffusivity", "initial", "time", "method"])?;
        Ok(Config {
            title: root.optional("title", "text", "title = \"Double well\"")?,
            landscape: LandscapeConfig::read(root.table("landscape", "kind = \"double-well\"")?)?,
            domain: DomainConfig::read(root.table("domain", "lower, upper and cells")?)?,
            dynamics: DynamicsConfig::read(root.table("dynamics", "order = 0.7")?)?,
            diffusivity: DiffusivityConfig::read(root.table("diffusivity", "kind = \"uniform\" and value = 0.35")?)?,
            initial: InitialConfig::read(root.table("initial", "kind = \"uniform\"")?)?,
            time: TimeConfig::read(root.table("time", "outputs = [0.1, 1.0, 10.0]")?)?,
            method: root.optional_table("method")?.map_or_else(|| Ok(MethodConfig::default()), MethodConfig::read)?,
        })
    }
}

const FORMULA: &str = "text that holds a formula";
const FILE: &str = "text that names a file";
const POINT: &str = "a number or a list of numbers, one per axis";
const NUMBER: &str = "a number";

impl LandscapeConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        let kind = section.required("kind", "text that names a landscape", "kind = \"double-well\"")?;
        let formula = section.optional("formula", FORMULA, "formula = \"(x^2 - 1)^2\"")?;
        let file = section.optional("file", FILE, "file = \"landscape.npz\"")?;
        let parameters = section.remaining("a number or a list of numbers", "a number such as 1.0")?;
        Ok(LandscapeConfig { kind, formula, file, parameters })
    }
}

impl DomainConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["lower", "upper", "cells", "boundary", "keep_below", "component"])?;
        Ok(DomainConfig {
            lower: section.required("lower", "a list of numbers, one per axis", "lower = [-2.5]")?,
            upper: section.required("upper", "a list of numbers, one per axis", "upper = [2.5]")?,
            cells: section.required("cells", "a list of whole numbers, one per axis", "cells = [400]")?,
            boundary: section.optional("boundary", "text", "boundary = \"no-flux\"")?,
            keep_below: section.optional("keep_below", NUMBER, "keep_below = 3.0")?,
            component: section.optional("component", "text", "component = \"containing-start\"")?,
        })
    }
}

impl DynamicsConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["order", "friction"])?;
        Ok(DynamicsConfig {
            order: section.required("order", NUMBER, "order = 0.7")?,
            friction: section.optional("friction", "a number or a formula in t", "friction = 1.0")?,
        })
    }
}

impl DiffusivityConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&[
            "kind",
            "value",
            "formula",
            "file",
            "scale",
            "spectral_dimension",
            "learning_coefficient",
            "reference",
        ])?;
        let tensor = "text that holds a formula, or a table of formulas for kind = \"tensor\"";
        Ok(DiffusivityConfig {
            kind: section.required("kind", "text that names a diffusivity", "kind = \"uniform\"")?,
            value: section.optional("value", NUMBER, "value = 0.35")?,
            formula: section.optional("formula", tensor, "formula = \"0.2 + 0.15*tanh(2*x)\"")?,
            file: section.optional("file", FILE, "file = \"diffusivity.npz\"")?,
            scale: section.optional("scale", NUMBER, "scale = 0.5")?,
            spectral_dimension: section.optional("spectral_dimension", NUMBER, "spectral_dimension = 1.3")?,
            learning_coefficient: section.optional(
                "learning_coefficient",
                "a number or \"from-landscape\"",
                "learning_coefficient = 2.0",
            )?,
            reference: section.optional("reference", NUMBER, "reference = 1.0")?,
        })
    }
}

impl InitialConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["kind", "mean", "standard_deviation", "at", "formula", "file"])?;
        Ok(InitialConfig {
            kind: section.required("kind", "text that names an initial density", "kind = \"gaussian\"")?,
            mean: section.optional("mean", POINT, "mean = [-1.0]")?,
            standard_deviation: section.optional("standard_deviation", POINT, "standard_deviation = 0.2")?,
            at: section.optional("at", POINT, "at = [-1.0]")?,
            formula: section.optional("formula", FORMULA, "formula = \"exp(-x^2)\"")?,
            file: section.optional("file", FILE, "file = \"initial.npz\"")?,
        })
    }
}

impl TimeConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&["outputs", "end", "count", "spacing", "first"])?;
        Ok(TimeConfig {
            outputs: section.optional("outputs", "a list of numbers", "outputs = [0.1, 1.0, 10.0]")?,
            end: section.optional("end", NUMBER, "end = 100.0")?,
            count: section.optional("count", "a whole number", "count = 40")?,
            spacing: section.optional("spacing", "text", "spacing = \"log\"")?,
            first: section.optional("first", NUMBER, "first = 1e-3")?,
        })
    }
}

impl MethodConfig {
    fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&[
            "propagator",
            "tolerance",
            "steps",
            "grading",
            "memory",
            "memory_limit",
            "check",
            "derivatives",
            "extrapolate",
            "flux",
        ])?;
        Ok(MethodConfig {
            propagator: section.optional("propagator", "text", "propagator = \"auto\"")?,
            tolerance: section.optional("tolerance", NUMBER, "tolerance = 1e-8")?,
            steps: section.optional("steps", "a whole number or \"adaptive\"", "steps = 1000")?,
            grading: section.optional("grading", "a number or \"auto\"", "grading = \"auto\"")?,
            memory: section.optional("memory", "text", "memory = \"auto\"")?,
            memory_limit: section.optional(
                "memory_limit",
                "text such as \"4 GiB\" or a whole number of bytes",
                "memory_limit = \"4 GiB\"",
            )?,
            check: section.optional("check", "true or false", "check = false")?,
            derivatives: section.optional("derivatives", "a list of texts", "derivatives = [\"order\"]")?,
            extrapolate: section.optional("extrapolate", "true or false", "extrapolate = true")?,
            flux: section.optional("flux", "text", "flux = \"scharfetter-gummel\"")?,
        })
    }
}
