//! Fields saved on a grid, interpolated between its points.
//!
//! Along each axis a cubic Hermite polynomial joins neighbouring points, with slopes from the parabola through three
//! points (one-sided at the ends). The field is continuously differentiable, exact at the points, and of third order
//! (fourth in the middle of uniform grids). Outside the grid nothing is known.

use std::path::Path;

use super::Landscape;
use crate::error::{Error, Result};
use crate::formats::npz;

/// Values on a tensor grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridField {
    axes: Vec<Vec<f64>>,
    values: Vec<f64>,
}

/// Names of the axes in npz files.
const AXIS_NAMES: [&str; 3] = ["x", "y", "z"];
/// A point this far outside the grid, relative to its length, is taken to lie on its edge.
const ROUNDING: f64 = 1e-12;

impl GridField {
    /// A field on `axes` (each strictly increasing, at least two points) with row-major `values`.
    ///
    /// # Errors
    /// Says which axis or count is wrong.
    pub fn new(axes: Vec<Vec<f64>>, values: Vec<f64>) -> std::result::Result<Self, String> {
        for (axis, name) in axes.iter().zip(AXIS_NAMES) {
            if axis.len() < 2 || !axis.windows(2).all(|pair| pair[0] < pair[1]) || !axis.iter().all(|x| x.is_finite()) {
                return Err(format!("the axis {name} must hold at least two finite, strictly increasing coordinates"));
            }
        }
        let count: usize = axes.iter().map(Vec::len).product();
        if values.len() != count {
            return Err(format!("{} values for a grid of {count} points", values.len()));
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(format!("value {position} is {}, every value must be finite", values[position]));
        }
        Ok(GridField { axes, values })
    }

    /// Reads the arrays x\[, y\[, z\]\] and `name` of an npz file.
    ///
    /// # Errors
    /// Names the file and the array that is missing or has the wrong shape.
    pub fn read(path: &Path, name: &str, dimension: usize) -> Result<Self> {
        let mut arrays = npz::read(path)?;
        let found = arrays.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut take = |wanted: &str| {
            let missing = || Error::malformed(path, format!("no array {wanted:?} in the file (it holds: {found})"));
            arrays.remove(wanted).ok_or_else(missing)
        };
        let axes: Vec<npz::Array> = AXIS_NAMES.iter().take(dimension).map(|axis| take(axis)).collect::<Result<_>>()?;
        let field = take(name)?;
        let wanted: Vec<usize> = axes.iter().map(|axis| axis.data.len()).collect();
        if field.shape != wanted {
            let problem = format!("array {name:?} has shape {:?}, its axes ask for {wanted:?}", field.shape);
            return Err(Error::malformed(path, problem));
        }
        let axes = axes.into_iter().map(|axis| axis.data).collect();
        Self::new(axes, field.data).map_err(|problem| Error::malformed(path, format!("array {name:?}: {problem}")))
    }

    /// Number of axes.
    pub fn dimension(&self) -> usize {
        self.axes.len()
    }

    /// Value at `point`, not a number outside the grid.
    pub fn value(&self, point: &[f64]) -> f64 {
        assert_eq!(point.len(), self.axes.len(), "one coordinate per axis");
        let mut stencils = [Stencil::default(); 3];
        for ((stencil, axis), &coordinate) in stencils.iter_mut().zip(&self.axes).zip(point) {
            match Stencil::new(axis, coordinate) {
                Some(found) => *stencil = found,
                None => return f64::NAN,
            }
        }
        let mut sum = 0.0;
        let [first, second, third] = &stencils;
        // Axes beyond the dimension have one point of weight one.
        let length = |k: usize| self.axes.get(k).map_or(1, Vec::len);
        for (i, a) in first.terms() {
            for (j, b) in second.terms() {
                for (k, c) in third.terms() {
                    sum += a * b * c * self.values[(i * length(1) + j) * length(2) + k];
                }
            }
        }
        sum
    }

    /// Says which coordinate of `point` lies outside the grid, if any does.
    pub fn outside(&self, point: &[f64]) -> Option<String> {
        let coordinates = point.iter().zip(&self.axes).zip(AXIS_NAMES);
        coordinates
            .filter(|((x, axis), _)| Stencil::new(axis, **x).is_none())
            .map(|((x, axis), name)| {
                format!("{name} = {x} lies outside the saved range {} to {}", axis[0], axis[axis.len() - 1])
            })
            .next()
    }
}

/// Up to four neighbouring points of an axis and their weights.
#[derive(Clone, Copy)]
struct Stencil {
    start: usize,
    count: usize,
    weights: [f64; 4],
}

impl Default for Stencil {
    fn default() -> Self {
        Stencil { start: 0, count: 1, weights: [1.0, 0.0, 0.0, 0.0] }
    }
}

impl Stencil {
    fn terms(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        (0..self.count).map(|k| (self.start + k, self.weights[k]))
    }

    fn new(axis: &[f64], coordinate: f64) -> Option<Self> {
        let (first, last) = (axis[0], axis[axis.len() - 1]);
        let slack = ROUNDING * (last - first);
        if !(coordinate >= first - slack && coordinate <= last + slack) {
            return None;
        }
        let coordinate = coordinate.clamp(first, last);
        let interval = axis.partition_point(|&x| x <= coordinate).clamp(1, axis.len() - 1) - 1;
        let start = interval.saturating_sub(1);
        let count = (interval + 3).min(axis.len()) - start;
        let width = axis[interval + 1] - axis[interval];
        let s = (coordinate - axis[interval]) / width;
        let mut weights = [0.0; 4];
        let own = interval - start;
        weights[own] += (1.0 + 2.0 * s) * (1.0 - s) * (1.0 - s);
        weights[own + 1] += s * s * (3.0 - 2.0 * s);
        for (point, factor) in [(interval, s * (1.0 - s) * (1.0 - s)), (interval + 1, s * s * (s - 1.0))] {
            for (index, slope) in slope_weights(axis, point) {
                weights[index - start] += width * factor * slope;
            }
        }
        Some(Stencil { start, count, weights })
    }
}

/// Weights of the derivative at point `k` of the parabola through it and its neighbours (two points: the chord).
fn slope_weights(axis: &[f64], k: usize) -> Vec<(usize, f64)> {
    if axis.len() == 2 {
        let width = axis[1] - axis[0];
        return vec![(0, -1.0 / width), (1, 1.0 / width)];
    }
    let middle = k.clamp(1, axis.len() - 2);
    let points = [middle - 1, middle, middle + 1];
    let x = axis[k];
    points
        .iter()
        .map(|&i| {
            let others: Vec<f64> = points.iter().filter(|&&j| j != i).map(|&j| axis[j]).collect();
            let scale = (axis[i] - others[0]) * (axis[i] - others[1]);
            (i, (2.0 * x - others[0] - others[1]) / scale)
        })
        .collect()
}

/// A landscape saved on a grid.
#[derive(Clone, Debug)]
pub struct GridLandscape {
    field: GridField,
}

impl GridLandscape {
    /// Reads the array `loss` on its axes.
    ///
    /// # Errors
    /// Names the file and the array at fault.
    pub fn read(path: &Path, dimension: usize) -> Result<Self> {
        Ok(GridLandscape { field: GridField::read(path, "loss", dimension)? })
    }
}

impl Landscape for GridLandscape {
    fn dimension(&self) -> usize {
        self.field.dimension()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.field.value(point)
    }

    fn losses(&self, points: &[f64], out: &mut [f64]) -> Result<()> {
        for (point, value) in points.chunks_exact(self.dimension()).zip(out.iter_mut()) {
            *value = self.field.value(point);
            if let Some(problem) = self.field.outside(point) {
                return Err(Error::invalid(
                    "landscape.file",
                    format!("w = {point:?}"),
                    problem,
                    "shrink the domain so that all cell centres lie inside the saved grid",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(count: usize, stretch: f64) -> Vec<f64> {
        // Slightly uneven: the interpolation does not ask for uniform grids.
        (0..count).map(|k| k as f64 / (count - 1) as f64).map(|u| u + stretch * u * (1.0 - u)).collect()
    }

    fn smooth(point: &[f64]) -> f64 {
        point.iter().enumerate().map(|(k, x)| (2.0 * x + k as f64).sin()).product::<f64>() + point[0].exp()
    }

    fn field(dimension: usize, count: usize, stretch: f64) -> GridField {
        let axes = vec![axis(count, stretch); dimension];
        let total = count.pow(dimension as u32);
        let values = (0..total)
            .map(|position| {
                let point: Vec<f64> =
                    (0..dimension).map(|k| axes[k][position / count.pow((dimension - 1 - k) as u32) % count]).collect();
                smooth(&point)
            })
            .collect();
        GridField::new(axes, values).expect("a valid grid")
    }

    #[test]
    fn interpolation_is_exact_at_points_and_of_third_order_between() {
        for dimension in 1..=3 {
            for stretch in [0.0, 0.2] {
                let error = |count: usize| {
                    let field = field(dimension, count, stretch);
                    let point = |k: usize| -> Vec<f64> {
                        (0..dimension).map(|i| ((k * 13 + i * 5) as f64 * 0.618_033_988_75).fract()).collect()
                    };
                    (0..400).map(|k| (field.value(&point(k)) - smooth(&point(k))).abs()).fold(0.0, f64::max)
                };
                let order = (error(12) / error(23)).log2();
                assert!((2.6..4.4).contains(&order), "{dimension}D, stretch {stretch}: observed order {order:.2}");
                let field = field(dimension, 9, stretch);
                let corner: Vec<f64> = vec![field.axes[0][4]; dimension];
                assert!((field.value(&corner) - smooth(&corner)).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn nothing_is_known_outside() {
        let landscape = GridLandscape { field: field(2, 5, 0.0) };
        assert!(landscape.loss(&[0.5, 1.01]).is_nan());
        assert!(landscape.loss(&[1.0 + 1e-14, 0.0]).is_finite());
        let error = landscape.losses(&[0.5, 1.01], &mut [0.0]).expect_err("outside").to_string();
        assert!(error.contains("y = 1.01") && error.contains("0 to 1"), "{error}");
    }

    #[test]
    fn impossible_grids_are_refused() {
        assert!(GridField::new(vec![vec![0.0, 0.0]], vec![1.0, 2.0]).is_err());
        assert!(GridField::new(vec![vec![0.0, 1.0]], vec![1.0]).is_err());
        assert!(GridField::new(vec![vec![0.0, 1.0]], vec![1.0, f64::NAN]).is_err());
    }
}
