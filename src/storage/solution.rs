//! The arrays of a solve as `solution.npz` holds them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::formats::npz;

/// Name of the arrays in a results folder.
pub const SOLUTION_FILE: &str = "solution.npz";

/// What the name of a derivative begins with in the file.
const DERIVATIVE: &str = "density_d_";

/// Names of the axes in the file.
const AXIS_NAMES: [&str; 3] = ["x", "y", "z"];

/// Arrays of one solve. Grids are row-major with the last axis fastest; positions outside a porous mesh hold NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSolution {
    /// Output times, length T \[t\].
    pub time: Vec<f64>,
    /// Cell centres of each axis (one to three axes): `x`, `y`, `z` \[w\].
    pub axes: Vec<Vec<f64>>,
    /// Density, shape (T, Mx\[, My\[, Mz\]\]) \[w^-d\].
    pub density: Vec<f64>,
    /// Derivatives of the density: the parameter's name and an array of the density's shape; `density_d_order` and so on
    /// in the file \[w^-d over the parameter's unit\].
    pub derivatives: Vec<(String, Vec<f64>)>,
    /// Stationary density of the operator, at the last time if it changes, shape (Mx\[, My\[, Mz\]\]) \[w^-d\].
    pub stationary: Vec<f64>,
    /// exp(-gamma L/D), normalised, same shape \[w^-d\].
    pub gibbs: Vec<f64>,
    /// Loss at the cell centres, same shape \[loss\].
    pub loss: Vec<f64>,
    /// Diffusivity at the cell centres, same shape, led by T when it changes with time \[w^2 t^-alpha\].
    pub diffusivity: Vec<f64>,
}

impl StoredSolution {
    /// Number of grid positions, the product of the axis lengths.
    pub fn position_count(&self) -> usize {
        self.axes.iter().map(Vec::len).product()
    }

    /// Density at output `index`, one value per grid position.
    pub fn density_at(&self, index: usize) -> &[f64] {
        let count = self.position_count();
        &self.density[index * count..(index + 1) * count]
    }

    /// The arrays as an npz archive; the same arrays give the same bytes.
    ///
    /// # Errors
    /// When the archive cannot be made.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let grid: Vec<usize> = self.axes.iter().map(Vec::len).collect();
        let with_time: Vec<usize> = std::iter::once(self.time.len()).chain(grid.iter().copied()).collect();
        let times = [self.time.len()];
        let lengths: Vec<[usize; 1]> = grid.iter().map(|&length| [length]).collect();
        let mut arrays: Vec<(&str, &[usize], &[f64])> = vec![("time", &times, &self.time)];
        for ((name, length), axis) in AXIS_NAMES.into_iter().zip(&lengths).zip(&self.axes) {
            arrays.push((name, length, axis));
        }
        arrays.push(("density", &with_time, &self.density));
        let names: Vec<String> = self.derivatives.iter().map(|(name, _)| format!("{DERIVATIVE}{name}")).collect();
        for (name, (_, values)) in names.iter().zip(&self.derivatives) {
            arrays.push((name, &with_time, values));
        }
        for (name, values) in [("stationary", &self.stationary), ("gibbs", &self.gibbs), ("loss", &self.loss)] {
            arrays.push((name, &grid, values));
        }
        let is_constant = self.diffusivity.len() == self.position_count();
        arrays.push(("diffusivity", if is_constant { &grid } else { &with_time }, &self.diffusivity));
        npz::to_bytes(&arrays)
    }

    /// Reads the arrays back.
    ///
    /// # Errors
    /// Names the file and the array that is missing or has the wrong length.
    pub fn read(path: &Path) -> Result<Self> {
        let mut arrays = npz::read(path)?;
        let mut take = |name: &str| arrays.remove(name).map(|array| array.data);
        let axes: Vec<Vec<f64>> = AXIS_NAMES.iter().map_while(|name| take(name)).collect();
        let count: usize = axes.iter().map(Vec::len).product();
        let mut field = |name: &str, length: Option<usize>| match take(name) {
            Some(values) if length.is_none_or(|length| values.len() == length) => Ok(values),
            Some(values) => Err(Error::malformed(
                path,
                format!("array {name:?} holds {} numbers, its axes ask for another count", values.len()),
            )),
            None => Err(Error::malformed(path, format!("no array {name:?}: this is not the solution of a solve"))),
        };
        let time = field("time", None)?;
        let density = field("density", Some(count * time.len()))?;
        let [stationary, gibbs, loss] = ["stationary", "gibbs", "loss"].map(|name| field(name, Some(count)));
        let diffusivity = field("diffusivity", None)?;
        if diffusivity.len() != count && diffusivity.len() != count * time.len() {
            return Err(Error::malformed(
                path,
                "array \"diffusivity\" has neither the shape of the grid nor of the density",
            ));
        }
        let known = ["order", "friction", "diffusivity"];
        let derivatives = known.iter().filter_map(|name| {
            arrays.remove(&format!("{DERIVATIVE}{name}")).map(|array| ((*name).to_string(), array.data))
        });
        let derivatives: Vec<(String, Vec<f64>)> = derivatives.collect();
        if derivatives.iter().any(|(_, values)| values.len() != density.len()) {
            return Err(Error::malformed(path, "a derivative has another shape than the density"));
        }
        Ok(StoredSolution {
            time,
            axes,
            density,
            derivatives,
            stationary: stationary?,
            gibbs: gibbs?,
            loss: loss?,
            diffusivity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_comes_back_from_its_file() {
        let solution = StoredSolution {
            time: vec![0.5, 1.0],
            axes: vec![vec![0.0, 1.0], vec![0.0, 0.5, 1.0]],
            density: (0..12).map(f64::from).collect(),
            derivatives: vec![("order".into(), vec![0.5; 12]), ("diffusivity".into(), vec![0.25; 12])],
            stationary: vec![1.0; 6],
            gibbs: vec![2.0; 6],
            loss: vec![3.0; 6],
            diffusivity: vec![4.0; 12],
        };
        let path = std::env::temp_dir().join(format!("porewalk-solution-{}.npz", std::process::id()));
        std::fs::write(&path, solution.to_npz().expect("writable")).expect("a writable folder");
        assert_eq!(StoredSolution::read(&path).expect("readable"), solution);
        std::fs::remove_file(path).expect("removable");
        assert_eq!(solution.density_at(1), &solution.density[6..]);
    }
}
