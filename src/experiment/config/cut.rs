//! `[section]` of a run file as it was typed.

use super::section::Section;
use crate::error::Result;

/// `[section]`: which line or plane through a landscape; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CutConfig {
    /// `trajectory`, `random`, `between` or `axes`.
    pub directions: Option<String>,
    /// `end` or `mean` of the trajectory.
    pub origin: Option<String>,
    /// Weight files to cut between, relative to the run file.
    pub files: Option<Vec<String>>,
    /// Parameters to cut along.
    pub indices: Option<Vec<u64>>,
    /// `parameter`, `filter-norm` or `between`.
    pub unit: Option<String>,
    /// Lower end of each axis.
    pub lower: Option<Vec<f64>>,
    /// Upper end of each axis.
    pub upper: Option<Vec<f64>>,
    /// Cells along each axis.
    pub cells: Option<Vec<u64>>,
    /// The field of learning coefficients too.
    pub learning_coefficient: Option<bool>,
    /// `volume` or `chains`.
    pub method: Option<String>,
    /// Reach of a point within the section, in units of its axes.
    pub radius: Option<f64>,
    /// Prior around a point within the section, in 1/units² of its axes.
    pub localization: Option<f64>,
    /// Points per cell side of the quadrature.
    pub refine: Option<u64>,
    /// Points along each axis where chains are run.
    pub coarse: Option<Vec<u64>>,
    /// Length scale of the diffusivity.
    pub scale: Option<f64>,
    /// Spectral dimension of the diffusivity.
    pub spectral_dimension: Option<f64>,
}

impl CutConfig {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self> {
        section.only(&[
            "directions",
            "origin",
            "files",
            "indices",
            "unit",
            "lower",
            "upper",
            "cells",
            "learning_coefficient",
            "method",
            "radius",
            "localization",
            "refine",
            "coarse",
            "scale",
            "spectral_dimension",
        ])?;
        let (text, number, truth) = ("text", "a number", "true or false");
        let numbers = "a list of one or two numbers";
        let counts = "a list of one or two whole numbers";
        let names = "a list of two or three texts that name files";
        Ok(CutConfig {
            directions: section.optional("directions", text, "directions = \"trajectory\"")?,
            origin: section.optional("origin", text, "origin = \"end\"")?,
            files: section.optional("files", names, "files = [\"a.npz\", \"b.npz\"]")?,
            indices: section.optional("indices", counts, "indices = [0, 5]")?,
            unit: section.optional("unit", text, "unit = \"parameter\"")?,
            lower: section.optional("lower", numbers, "lower = [-1.0, -1.0]")?,
            upper: section.optional("upper", numbers, "upper = [1.0, 1.0]")?,
            cells: section.optional("cells", counts, "cells = [200, 200]")?,
            learning_coefficient: section.optional("learning_coefficient", truth, "learning_coefficient = true")?,
            method: section.optional("method", text, "method = \"volume\"")?,
            radius: section.optional("radius", number, "radius = 0.5")?,
            localization: section.optional("localization", number, "localization = 0.0")?,
            refine: section.optional("refine", "a whole number", "refine = 2")?,
            coarse: section.optional("coarse", counts, "coarse = [9, 9]")?,
            scale: section.optional("scale", number, "scale = 0.5")?,
            spectral_dimension: section.optional("spectral_dimension", number, "spectral_dimension = 1.0")?,
        })
    }
}
