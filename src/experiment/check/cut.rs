//! `[section]` of a run file: which line or plane is cut through a landscape, and what is measured on it.

use std::path::Path;

use serde::Serialize;

use super::model::Model;
use super::run::count;
use super::{existing_file, finite, positive};
use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{CutConfig, list, number};

/// A line or a plane through a landscape, every default filled in but the extent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cut {
    /// Where the directions come from.
    pub directions: Directions,
    /// What a coordinate of 1 means.
    pub unit: Unit,
    /// Lower and upper end of each axis; `None` is chosen when the directions are known.
    pub extent: Option<Vec<(f64, f64)>>,
    /// Cells along each axis, one or two.
    pub cells: Vec<usize>,
    /// The field of learning coefficients; `None` leaves it out.
    pub learning_coefficient: Option<FieldSettings>,
}

/// Where directions come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// Principal directions of the training's checkpoints.
    Trajectory {
        /// What the coordinates 0 are.
        origin: Origin,
    },
    /// Drawn from the seed.
    Random,
    /// Through weight files, as named.
    Between {
        /// Two for a line, three for a plane.
        files: Vec<String>,
    },
    /// Single parameters.
    Axes {
        /// Their places in the parameter vector.
        indices: Vec<usize>,
    },
}

/// Origin of a section along a trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Where the training ended.
    End,
    /// The mean of the checkpoints.
    Mean,
}

/// What a coordinate of 1 means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A distance of 1 in parameters, along directions at right angles.
    Parameter,
    /// Every unit of the network moves by its own norm.
    FilterNorm,
    /// The way from the first file to the next.
    Between,
}

/// What is measured of learning coefficients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldSettings {
    /// Which of the two fills the grid.
    pub method: FieldMethod,
    /// Reach of a point in units of the axes; `None` is a tenth of the shorter side.
    pub radius: Option<f64>,
    /// Prior around a point in 1/units² of the axes.
    pub localization: f64,
    /// Points per cell side of the quadrature; `None` is as many as the reach asks for.
    pub refine: Option<usize>,
    /// Points along each axis where chains are run; `None` runs none.
    pub coarse: Option<Vec<usize>>,
    /// Length scale of the diffusivity \[w\].
    pub scale: f64,
    /// Spectral dimension of the diffusivity; `None` leaves it out.
    pub spectral_dimension: Option<f64>,
}

/// How learning coefficients of a section are found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldMethod {
    /// Quadrature within the section.
    Volume,
    /// Chains in the whole space, at the points of a coarse grid.
    Chains,
}

/// The forms of directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// `trajectory`
    Trajectory,
    /// `random`
    Random,
    /// `between`
    Between,
    /// `axes`
    Axes,
}

/// Values of `section.directions`.
pub const DIRECTIONS: &[Choice<Form>] = &[
    Choice::of("trajectory", Form::Trajectory, "principal directions of the checkpoints of a training (origin)"),
    Choice::of("random", Form::Random, "random directions from the seed (unit)"),
    Choice::of("between", Form::Between, "through two or three weight files (files, unit)"),
    Choice::of("axes", Form::Axes, "single parameters (indices)"),
];

/// Values of `section.unit`.
pub const UNITS: &[Choice<Unit>] = &[
    Choice::of("parameter", Unit::Parameter, "distance in parameters, directions at right angles"),
    Choice::of("filter-norm", Unit::FilterNorm, "random: every unit of a network moves by its own norm (its default)"),
    Choice::of("between", Unit::Between, "between: 0 at the first file, 1 at the next (its default)"),
];

/// Values of `section.method`.
pub const METHODS: &[Choice<FieldMethod>] = &[
    Choice::of("volume", FieldMethod::Volume, "quadrature within the section (radius, localization, refine; default)"),
    Choice::of("chains", FieldMethod::Chains, "chains of [llc] in the whole space, at coarse points (coarse)"),
];

/// Values of `section.origin`.
const ORIGINS: &[Choice<Origin>] = &[Choice::of("end", Origin::End, ""), Choice::of("mean", Origin::Mean, "")];

/// Cells along the axes of a line, and of a plane, when no number is given.
const DEFAULT_CELLS: [u64; 2] = [1000, 200];
/// Points along the axes of a line, and of a plane, where chains are run.
const DEFAULT_COARSE: [usize; 2] = [33, 9];
/// Fewest cells that a section and its interpolation make sense with.
const FEWEST_CELLS: u64 = 4;
/// Most points of a grid.
const MOST_CELLS: usize = 1 << 24;

pub(super) fn check(config: Option<&CutConfig>, model: &Model, folder: &Path) -> Result<Cut> {
    let empty = CutConfig::default();
    let config = config.unwrap_or(&empty);
    let is_trained = matches!(model, Model::Mlp { weights: None, .. });
    let default = if is_trained { "trajectory" } else { "random" };
    let form = choose("section.directions", config.directions.as_deref().unwrap_or(default), DIRECTIONS)?;
    only_its_own(config, form)?;
    let (directions, own_count) = directions(config, form, model, folder)?;
    let unit = unit(config, form, model)?;
    let lengths = [
        ("lower", config.lower.as_ref().map(Vec::len)),
        ("upper", config.upper.as_ref().map(Vec::len)),
        ("cells", config.cells.as_ref().map(Vec::len)),
        ("coarse", config.coarse.as_ref().map(Vec::len)),
    ];
    let axes = own_count.or_else(|| lengths.iter().find_map(|(_, length)| *length)).unwrap_or(2);
    for (key, length) in lengths {
        if let Some(length) = length
            && (!(1..=2).contains(&length) || length != axes)
        {
            let rule = match (1..=2).contains(&length) {
                true => format!("must have one entry per axis, and the section has {axes}"),
                false => "a section has one or two axes".to_string(),
            };
            let remedy = "give as many entries as axes";
            return Err(Error::invalid(format!("section.{key}"), format!("{length} entries"), rule, remedy));
        }
    }
    let cells = config.cells.clone().unwrap_or_else(|| vec![DEFAULT_CELLS[axes - 1]; axes]);
    Ok(Cut {
        directions,
        unit,
        extent: extent(config, axes)?,
        cells: counts("cells", &cells)?,
        learning_coefficient: field(config, axes)?,
    })
}

/// Refuses keys of other directions.
fn only_its_own(config: &CutConfig, form: Form) -> Result<()> {
    for (key, value, needs, owner) in [
        ("origin", config.origin.clone(), Form::Trajectory, "trajectory"),
        ("files", config.files.as_ref().map(|files| format!("{files:?}")), Form::Between, "between"),
        ("indices", config.indices.as_ref().map(|indices| format!("{indices:?}")), Form::Axes, "axes"),
    ] {
        if let Some(value) = value
            && form != needs
        {
            let rule = format!("only directions = {owner:?} uses {key}");
            return Err(Error::invalid(format!("section.{key}"), value, rule, "remove it or change the directions"));
        }
    }
    Ok(())
}

/// Directions, and the number of axes where it follows from them.
fn directions(config: &CutConfig, form: Form, model: &Model, folder: &Path) -> Result<(Directions, Option<usize>)> {
    let refuse = |name: &str, rule: &str, remedy: &str| {
        Err(Error::invalid("section.directions", format!("{name:?}"), rule, remedy))
    };
    match form {
        Form::Trajectory if !matches!(model, Model::Mlp { weights: None, .. }) => {
            let rule = "this run trains nothing, so there is no trajectory";
            refuse("trajectory", rule, "remove model.weights to train a network here, or use \"random\"")
        }
        Form::Trajectory => {
            let origin = choose("section.origin", config.origin.as_deref().unwrap_or("end"), ORIGINS)?;
            Ok((Directions::Trajectory { origin }, None))
        }
        Form::Random => Ok((Directions::Random, None)),
        Form::Between => {
            if !matches!(model, Model::Mlp { .. }) {
                let rule = "weight files belong to networks, and this model is none";
                return refuse("between", rule, "use \"random\" or \"axes\"");
            }
            let Some(files) = &config.files else {
                return refuse("between", "this needs the key files", "add files = [\"a.npz\", \"b.npz\"]");
            };
            if !(2..=3).contains(&files.len()) {
                let (value, rule) = (format!("{files:?}"), "a line goes through two files, a plane through three");
                return Err(Error::invalid("section.files", value, rule, "name two or three"));
            }
            for (place, file) in files.iter().enumerate() {
                existing_file(&format!("section.files[{place}]"), file, folder)?;
            }
            Ok((Directions::Between { files: files.clone() }, Some(files.len() - 1)))
        }
        Form::Axes => {
            let Some(indices) = &config.indices else {
                return refuse("axes", "this needs the key indices", "add indices = [0, 1]");
            };
            if !(1..=2).contains(&indices.len()) || matches!(indices[..], [a, b] if a == b) {
                let rule = "a section goes along one parameter or two different ones";
                let value = format!("{indices:?}");
                return Err(Error::invalid("section.indices", value, rule, "use indices = [0, 1], say"));
            }
            let place = |(k, index): (usize, &u64)| count(&format!("section.indices[{k}]"), *index, 0);
            let indices = indices.iter().enumerate().map(place).collect::<Result<Vec<usize>>>()?;
            let axes = indices.len();
            Ok((Directions::Axes { indices }, Some(axes)))
        }
    }
}

fn unit(config: &CutConfig, form: Form, model: &Model) -> Result<Unit> {
    let is_network = matches!(model, Model::Mlp { .. });
    let default = match form {
        Form::Random if is_network => Unit::FilterNorm,
        Form::Between => Unit::Between,
        _ => Unit::Parameter,
    };
    let Some(typed) = config.unit.as_deref() else { return Ok(default) };
    let unit = choose("section.unit", typed, UNITS)?;
    let rule = match (unit, form) {
        (Unit::FilterNorm, Form::Random) if !is_network => "this model has no units whose norm could be taken",
        (Unit::Parameter, _) | (Unit::FilterNorm, Form::Random) | (Unit::Between, Form::Between) => return Ok(unit),
        (Unit::FilterNorm, _) => "only random directions are scaled by the norms of units",
        (Unit::Between, _) => "only directions = \"between\" has files to count from",
    };
    Err(Error::invalid("section.unit", format!("{typed:?}"), rule, "leave it out, or use \"parameter\""))
}

fn counts(key: &str, typed: &[u64]) -> Result<Vec<usize>> {
    let one = |(axis, value): (usize, &u64)| count(&format!("section.{key}[{axis}]"), *value, FEWEST_CELLS);
    let found: Vec<usize> = typed.iter().enumerate().map(one).collect::<Result<_>>()?;
    let product = found.iter().try_fold(1usize, |product, count| product.checked_mul(*count));
    if product.is_none_or(|product| product > MOST_CELLS) {
        let rule = format!("a section has at most {MOST_CELLS} points");
        return Err(Error::invalid(format!("section.{key}"), format!("{typed:?}"), rule, "use 200 per axis, say"));
    }
    Ok(found)
}

fn extent(config: &CutConfig, axes: usize) -> Result<Option<Vec<(f64, f64)>>> {
    let (lower, upper) = match (&config.lower, &config.upper) {
        (None, None) => return Ok(None),
        (Some(lower), Some(upper)) => (lower, upper),
        (Some(given), None) => return Err(alone("lower", "upper", given)),
        (None, Some(given)) => return Err(alone("upper", "lower", given)),
    };
    let mut extent = Vec::new();
    for axis in 0..axes {
        let low = finite(&format!("section.lower[{axis}]"), lower[axis])?;
        let high = finite(&format!("section.upper[{axis}]"), upper[axis])?;
        if low >= high {
            let rule = format!("must be above section.lower[{axis}] = {}", number(low));
            return Err(Error::invalid(format!("section.upper[{axis}]"), number(high), rule, "swap the two, say"));
        }
        extent.push((low, high));
    }
    Ok(Some(extent))
}

fn alone(key: &str, missing: &str, given: &[f64]) -> Error {
    let rule = format!("section.{missing} is missing; the extent needs both ends");
    Error::invalid(format!("section.{key}"), list(given), rule, format!("add {missing}, or leave both out"))
}

fn field(config: &CutConfig, axes: usize) -> Result<Option<FieldSettings>> {
    if config.learning_coefficient != Some(true) {
        let given = [
            ("method", config.method.clone()),
            ("radius", config.radius.map(number)),
            ("localization", config.localization.map(number)),
            ("refine", config.refine.map(|value| value.to_string())),
            ("coarse", config.coarse.as_ref().map(|value| format!("{value:?}"))),
            ("scale", config.scale.map(number)),
            ("spectral_dimension", config.spectral_dimension.map(number)),
        ];
        if let Some((key, Some(value))) = given.into_iter().find(|(_, value)| value.is_some()) {
            let rule = format!("{key} says how learning coefficients are used, and none are asked for");
            let remedy = "add learning_coefficient = true, or remove it";
            return Err(Error::invalid(format!("section.{key}"), value, rule, remedy));
        }
        return Ok(None);
    }
    let method = choose("section.method", config.method.as_deref().unwrap_or("volume"), METHODS)?;
    let localization = finite("section.localization", config.localization.unwrap_or(0.0))?;
    if localization < 0.0 {
        let rule = "must be at least 0";
        return Err(Error::invalid("section.localization", number(localization), rule, "leave it out for 0"));
    }
    if let Some(refine) = config.refine.filter(|refine| !(1..=64).contains(refine)) {
        return Err(Error::invalid("section.refine", refine, "must be a whole number from 1 to 64", "use 2, say"));
    }
    let coarse = match (&config.coarse, method) {
        (Some(typed), _) => Some(counts("coarse", typed)?),
        (None, FieldMethod::Chains) => Some(vec![DEFAULT_COARSE[axes - 1]; axes]),
        (None, FieldMethod::Volume) => None,
    };
    let above_zero = |key: &str, value: Option<f64>| value.map(|value| positive(key, value)).transpose();
    Ok(Some(FieldSettings {
        method,
        radius: above_zero("section.radius", config.radius)?,
        localization,
        refine: config.refine.map(|refine| refine as usize),
        coarse,
        scale: positive("section.scale", config.scale.unwrap_or(0.5))?,
        spectral_dimension: above_zero("section.spectral_dimension", config.spectral_dimension)?,
    }))
}
