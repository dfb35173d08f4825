//! A section of a landscape as `report.json` and `landscape.npz` hold it.
//!
//! | array | shape | holds |
//! |---|---|---|
//! | `x`, `y` | (Nx), (Ny) | centres of the cells along each axis, `y` for a plane only |
//! | `loss` | (Nx\[, Ny\]) | loss there |
//! | `learning_coefficient`, `learning_coefficient_error` | (Nx\[, Ny\]) | λ and its error, when they were asked for |
//! | `log10_diffusivity` | (Nx\[, Ny\]) | log10 D_ξ, when a spectral dimension was given |
//! | `trajectory`, `trajectory_distance`, `trajectory_step`, `trajectory_loss` | (T, k), (T), (T), (T) | checkpoints on the section, their distance from it, steps and own losses |
//! | `origin`, `directions` | (d), (k, d) | the section |

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::llc::ModelSummary;
use super::report::REPORT_FILE;
use crate::error::{Error, Result};
use crate::formats::npz;

/// Name of the arrays in a results folder.
pub const LANDSCAPE_FILE: &str = "landscape.npz";

/// Everything about a section that is not an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LandscapeReport {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title of the run.
    pub title: String,
    /// The command, the checked run and the section in full, with every default filled in.
    pub problem: serde_json::Value,
    /// The loss that was cut.
    pub model: ModelSummary,
    /// Where the section lies.
    pub section: SectionSummary,
    /// The lowest loss of the grid.
    pub lowest: Lowest,
    /// The training's path; null when there is none.
    pub trajectory: Option<PathSummary>,
    /// Learning coefficients on the grid; null when they were not asked for.
    pub learning_coefficient: Option<FieldSummary>,
    /// The diffusivity made of them; null when it was left out.
    pub diffusivity: Option<DiffusivitySummary>,
    /// What the reader should know, in sentences.
    pub remarks: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Wall time by stage \[s\].
    pub wall_time: BTreeMap<String, f64>,
    /// References of the methods used (citation key: full reference).
    pub references: BTreeMap<String, String>,
    /// Names of the files written beside this report.
    #[serde(default)]
    pub files: Vec<String>,
}

/// Where a section lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionSummary {
    /// `trajectory`, `random`, `between` or `axes`.
    pub directions: String,
    /// What a coordinate of 1 means: `parameter`, `filter-norm` or `between`.
    pub unit: String,
    /// What the coordinates 0 are.
    pub origin: String,
    /// Words for each axis.
    pub labels: Vec<String>,
    /// Share of the trajectory's variance along each axis; null for other directions.
    pub explained_variance: Option<Vec<f64>>,
    /// Length of each direction \[w per unit\].
    pub lengths: Vec<f64>,
    /// Cosine of the angle between the two directions; null for a line.
    pub cosine: Option<f64>,
    /// Lower end of each axis.
    pub lower: Vec<f64>,
    /// Upper end of each axis.
    pub upper: Vec<f64>,
    /// Cells along each axis.
    pub cells: Vec<usize>,
}

/// The lowest loss of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lowest {
    /// The loss \[loss\].
    pub loss: f64,
    /// Its coordinates.
    pub at: Vec<f64>,
}

/// A training's path and its section.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathSummary {
    /// Number of checkpoints.
    pub checkpoints: usize,
    /// Distance of the last checkpoint from the section \[w\].
    pub last_distance: f64,
    /// Largest distance from the section \[w\].
    pub largest_distance: f64,
    /// Length of the way between the first and the last checkpoint, straight \[w\].
    pub displacement: f64,
}

/// Learning coefficients on a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSummary {
    /// `volume` (within the section) or `chains` (in the whole space).
    pub method: String,
    /// Inverse temperature t \[1/loss\].
    pub inverse_temperature: f64,
    /// Reach of a point in the section, in units of the axes.
    pub radius: f64,
    /// Prior of the quadrature in 1/units², and of the chains in \[w^-2\].
    pub localization: (f64, f64),
    /// Lowest, median and highest λ.
    pub range: (f64, f64, f64),
    /// Median error.
    pub median_error: f64,
    /// Median change from half the inverse temperature; null for chains.
    pub median_from_temperature: Option<f64>,
    /// Median change from every second point; null for chains.
    pub median_from_grid: Option<f64>,
    /// Chains against volumes at the coarse points; null when no chains were run.
    pub comparison: Option<ComparisonSummary>,
}

/// Chains in the whole space against volumes in the section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonSummary {
    /// Points along each axis.
    pub points: Vec<usize>,
    /// Mean of chains minus volumes.
    pub mean_difference: f64,
    /// Correlation; null where one of the two does not vary.
    pub correlation: Option<f64>,
    /// Points whose chains have not come to rest (R-hat above 1.05).
    pub restless: usize,
    /// λ by chains, row-major.
    pub chains: Vec<f64>,
    /// Its Monte-Carlo standard errors.
    pub mcse: Vec<f64>,
    /// λ by volumes.
    pub volume: Vec<f64>,
}

/// D_ξ(w) = ξ^(2 - 2 λ(w)/d_s) on a grid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffusivitySummary {
    /// Length scale ξ.
    pub scale: f64,
    /// Spectral dimension d_s.
    pub spectral_dimension: f64,
    /// Lowest and highest log10 D_ξ.
    pub log10_range: (f64, f64),
}

impl LandscapeReport {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the lowest loss is not a number.
    pub fn to_json(&self) -> Result<String> {
        if !self.lowest.loss.is_finite() {
            return Err(Error::NotFinite { stage: "the lowest loss of the section".into() });
        }
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::NotFinite { stage: format!("the report of the section: {error}") })
    }

    /// The report of a results folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(REPORT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_str(&text).map_err(|error| Error::malformed(&path, format!("no report of a section: {error}")))
    }
}

/// Arrays of a section; fields are row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLandscape {
    /// Centres of the cells along one or two axes.
    pub axes: Vec<Vec<f64>>,
    /// Loss \[loss\].
    pub loss: Vec<f64>,
    /// λ and its error.
    pub learning_coefficient: Option<(Vec<f64>, Vec<f64>)>,
    /// log10 D_ξ.
    pub log10_diffusivity: Option<Vec<f64>>,
    /// The training's path.
    pub trajectory: Option<StoredPath>,
    /// The point at the coordinates 0 \[w\].
    pub origin: Vec<f64>,
    /// Directions \[w per unit\].
    pub directions: Vec<Vec<f64>>,
}

/// A training's path on a section.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPath {
    /// Coordinates of every checkpoint's nearest point of the section.
    pub coordinates: Vec<Vec<f64>>,
    /// Distance from that point \[w\].
    pub distance: Vec<f64>,
    /// Step of every checkpoint.
    pub step: Vec<f64>,
    /// Loss of every checkpoint itself \[loss\].
    pub loss: Vec<f64>,
}

impl StoredLandscape {
    /// The arrays as an npz archive.
    ///
    /// # Errors
    /// When the archive cannot be made.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let shape: Vec<usize> = self.axes.iter().map(Vec::len).collect();
        let (axes, dimension) = (self.axes.len(), self.origin.len());
        let directions = self.directions.concat();
        let mut arrays: Vec<(&str, Vec<usize>, &[f64])> = vec![("loss", shape.clone(), &self.loss)];
        arrays.extend(self.axes.iter().zip(["x", "y"]).map(|(axis, name)| (name, vec![axis.len()], &axis[..])));
        arrays.push(("origin", vec![dimension], &self.origin));
        arrays.push(("directions", vec![axes, dimension], &directions));
        if let Some((value, error)) = &self.learning_coefficient {
            arrays.push(("learning_coefficient", shape.clone(), value));
            arrays.push(("learning_coefficient_error", shape.clone(), error));
        }
        if let Some(values) = &self.log10_diffusivity {
            arrays.push(("log10_diffusivity", shape, values));
        }
        let places = self.trajectory.as_ref().map(|path| path.coordinates.concat()).unwrap_or_default();
        if let Some(StoredPath { distance, step, loss, .. }) = &self.trajectory {
            arrays.push(("trajectory", vec![step.len(), axes], &places));
            let columns = [("trajectory_distance", distance), ("trajectory_step", step), ("trajectory_loss", loss)];
            arrays.extend(columns.map(|(name, column)| (name, vec![step.len()], &column[..])));
        }
        let borrowed: Vec<_> = arrays.iter().map(|(name, shape, data)| (*name, &shape[..], *data)).collect();
        npz::to_bytes(&borrowed)
    }

    /// Reads the arrays back.
    ///
    /// # Errors
    /// Names the file and the array that is missing or has the wrong length.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(LANDSCAPE_FILE);
        let mut arrays = npz::read(&path)?;
        let mut take = |name: &str, length: Option<usize>| -> Result<Option<Vec<f64>>> {
            match arrays.remove(name) {
                Some(array) if length.is_some_and(|length| length != array.data.len()) => {
                    let problem = format!("array {name} has {} elements, not {length:?}", array.data.len());
                    Err(Error::malformed(&path, problem))
                }
                found => Ok(found.map(|array| array.data)),
            }
        };
        let missing = |name: &str| Error::malformed(&path, format!("it has no array {name}"));
        let mut axes = vec![take("x", None)?.ok_or_else(|| missing("x"))?];
        axes.extend(take("y", None)?);
        let count = Some(axes.iter().map(Vec::len).product());
        let loss = take("loss", count)?.ok_or_else(|| missing("loss"))?;
        let value = take("learning_coefficient", count)?;
        let error = take("learning_coefficient_error", count)?;
        let origin = take("origin", None)?.ok_or_else(|| missing("origin"))?;
        let directions = take("directions", Some(axes.len() * origin.len()))?.ok_or_else(|| missing("directions"))?;
        let trajectory = match take("trajectory_step", None)? {
            None => None,
            Some(step) => {
                let length = Some(step.len());
                let mut column = |name: &str| take(name, length)?.ok_or_else(|| missing(name));
                let (distance, loss) = (column("trajectory_distance")?, column("trajectory_loss")?);
                let places = take("trajectory", Some(step.len() * axes.len()))?.ok_or_else(|| missing("trajectory"))?;
                let coordinates = places.chunks(axes.len()).map(<[f64]>::to_vec).collect();
                Some(StoredPath { coordinates, distance, step, loss })
            }
        };
        Ok(StoredLandscape {
            loss,
            learning_coefficient: value.zip(error),
            log10_diffusivity: take("log10_diffusivity", count)?,
            trajectory,
            directions: directions.chunks(origin.len().max(1)).map(<[f64]>::to_vec).collect(),
            origin,
            axes,
        })
    }
}
