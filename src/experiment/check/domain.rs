//! `[domain]`: the box, its cells, its boundary and the medium in it.

use serde::Serialize;
use toml::Value;

use crate::error::{Error, Result};
use crate::experiment::choice::{Choice, choose};
use crate::experiment::config::{DomainConfig, list, number};

/// A box cut into equal cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Domain {
    /// Lower end of each axis (one to three), finite and below `upper` \[w\].
    pub lower: Vec<f64>,
    /// Upper end of each axis \[w\].
    pub upper: Vec<f64>,
    /// Cells along each axis, at least 1.
    pub cells: Vec<usize>,
    /// What happens at the boundary.
    pub boundary: Boundary,
    /// Porous medium: cells with a loss above this are left out; `None` keeps all \[loss\].
    pub keep_below: Option<f64>,
    /// Which pieces of a porous medium take part; `None` refuses a medium in several pieces.
    pub component: Option<Component>,
}

/// Boundary condition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// No probability crosses the boundary.
    NoFlux,
}

/// Pieces of a porous medium.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The piece that holds most of the initial density.
    ContainingStart,
    /// Every piece, each with its own stationary state.
    All,
}

/// Values of `domain.boundary`.
pub const BOUNDARIES: &[Choice<Boundary>] = &[
    Choice::of("no-flux", Boundary::NoFlux, "nothing crosses the boundary"),
    Choice::not_yet("periodic"),
    Choice::not_yet("absorbing"),
];

/// Values of `domain.component`.
pub const COMPONENTS: &[Choice<Component>] = &[
    Choice::of("containing-start", Component::ContainingStart, "the piece of the medium where the walk starts"),
    Choice::of("all", Component::All, "all pieces, each with its own stationary state"),
];

/// 2^24 cells (4096 x 4096 or 256 x 256 x 256): what a factorisation in tens of GiB could still serve.
const MAXIMUM_CELLS: u64 = 1 << 24;

/// Cells narrower than this many spacings of f64 numbers have no distinct centre and edges.
const RESOLUTION: f64 = 16.0;

pub(super) fn check(config: &DomainConfig, warnings: &mut Vec<String>) -> Result<Domain> {
    lengths(config)?;
    for axis in 0..config.lower.len() {
        bounds(config, axis)?;
    }
    cell_count(&config.cells)?;
    let component = match &config.component {
        None => None,
        Some(typed) => Some(choose("domain.component", typed, COMPONENTS)?),
    };
    if let Some(level) = config.keep_below {
        super::finite("domain.keep_below", level)?;
    } else if component.is_some() {
        warnings.push("domain.component has no effect without domain.keep_below.".to_string());
    }
    Ok(Domain {
        lower: config.lower.clone(),
        upper: config.upper.clone(),
        cells: config.cells.iter().map(|&cells| cells as usize).collect(),
        boundary: boundary(config.boundary.as_ref())?,
        keep_below: config.keep_below,
        component,
    })
}

fn lengths(config: &DomainConfig) -> Result<()> {
    let dimension = config.lower.len();
    if !(1..=3).contains(&dimension) {
        return Err(Error::invalid(
            "domain.lower",
            list(&config.lower),
            "a domain has one, two or three axes",
            "give one number per axis, as in lower = [-2.5]",
        ));
    }
    let unequal = |key: &str, value: String, length: usize| {
        Error::invalid(
            key,
            value,
            format!("must have as many entries as domain.lower, which has {dimension}, not {length}"),
            "give lower, upper and cells one entry per axis",
        )
    };
    if config.upper.len() != dimension {
        return Err(unequal("domain.upper", list(&config.upper), config.upper.len()));
    }
    if config.cells.len() != dimension {
        return Err(unequal("domain.cells", format!("{:?}", config.cells), config.cells.len()));
    }
    Ok(())
}

fn bounds(config: &DomainConfig, axis: usize) -> Result<()> {
    let (lower, upper, cells) = (config.lower[axis], config.upper[axis], config.cells[axis]);
    super::finite(&format!("domain.lower[{axis}]"), lower)?;
    super::finite(&format!("domain.upper[{axis}]"), upper)?;
    if lower >= upper {
        return Err(Error::invalid(
            format!("domain.upper[{axis}]"),
            number(upper),
            format!("must be above domain.lower[{axis}] = {}", number(lower)),
            "swap or correct the ends",
        ));
    }
    if cells == 0 {
        return Err(Error::invalid(
            format!("domain.cells[{axis}]"),
            cells,
            "every axis needs at least one cell",
            "use cells = [400], say",
        ));
    }
    let width = (upper - lower) / cells as f64;
    let spacing = f64::EPSILON * lower.abs().max(upper.abs());
    // Volumes and face areas are products of up to three widths: keep them far from under- and overflow.
    let is_representable = (1e-90..=1e90).contains(&width) && width >= RESOLUTION * spacing;
    if !is_representable {
        return Err(Error::invalid(
            format!("domain.upper[{axis}]"),
            number(upper),
            format!(
                "cells of width {width:e} between {} and {} are beyond double precision",
                number(lower),
                number(upper)
            ),
            "use fewer cells, or shift and scale the coordinates",
        ));
    }
    Ok(())
}

fn cell_count(cells: &[u64]) -> Result<()> {
    let total = cells.iter().try_fold(1u64, |product, &cells| product.checked_mul(cells));
    if total.is_some_and(|total| total <= MAXIMUM_CELLS) {
        return Ok(());
    }
    Err(Error::invalid(
        "domain.cells",
        format!("{cells:?}"),
        format!("the product of the cells may be at most {MAXIMUM_CELLS}"),
        "use fewer cells; extrapolate = true gains accuracy without more of them",
    ))
}

fn boundary(typed: Option<&Value>) -> Result<Boundary> {
    let key = "domain.boundary";
    match typed {
        None => Ok(Boundary::NoFlux),
        Some(Value::String(name)) => choose(key, name, BOUNDARIES),
        Some(Value::Array(_) | Value::Table(_)) => {
            Err(Error::not_available(key, "a boundary per side", "use boundary = \"no-flux\""))
        }
        Some(other) => Err(Error::invalid(key, other, "must be text", "write boundary = \"no-flux\"")),
    }
}
