//! Cartesian meshes: equal cells along every axis.

use super::{Cell, Face, Mesh};
use crate::error::{Error, Result};

/// An interval cut into equal cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    lower: f64,
    upper: f64,
    cells: usize,
}

impl Axis {
    /// The interval from `lower` to `upper` \[w\] cut into `cells` equal cells.
    ///
    /// # Errors
    /// When the bounds are not finite and increasing or there are no cells.
    pub fn new(lower: f64, upper: f64, cells: usize) -> Result<Self> {
        if !(lower.is_finite() && upper.is_finite() && lower < upper) {
            return Err(Error::invalid(
                "domain.lower",
                format!("{lower} with upper = {upper}"),
                "lower must be below upper and both finite",
                "swap or correct the bounds",
            ));
        }
        if cells == 0 {
            return Err(Error::invalid(
                "domain.cells",
                cells,
                "every axis needs at least one cell",
                "use cells = [400], say",
            ));
        }
        Ok(Axis { lower, upper, cells })
    }

    /// Lower end \[w\].
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// Upper end \[w\].
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Cell width \[w\].
    pub fn width(&self) -> f64 {
        (self.upper - self.lower) / self.cells as f64
    }

    /// The edge left of cell `index`; `index` may equal the cell count \[w\].
    pub fn edge(&self, index: usize) -> f64 {
        self.at(2 * index)
    }

    /// Centre of cell `index` \[w\].
    pub fn center(&self, index: usize) -> f64 {
        self.at(2 * index + 1)
    }

    /// All cell centres \[w\].
    pub fn centers(&self) -> Vec<f64> {
        (0..self.cells).map(|index| self.center(index)).collect()
    }

    /// The cell that contains `coordinate`; the upper end belongs to the last cell.
    pub fn cell_containing(&self, coordinate: f64) -> Option<usize> {
        if !(coordinate >= self.lower && coordinate <= self.upper) {
            return None;
        }
        let guess = ((coordinate - self.lower) / self.width()) as usize;
        let mut index = guess.min(self.cells - 1);
        // The division may round across an edge: the edges themselves decide.
        while index > 0 && coordinate < self.edge(index) {
            index -= 1;
        }
        while index + 1 < self.cells && coordinate >= self.edge(index + 1) {
            index += 1;
        }
        Some(index)
    }

    /// The same interval with `factor` times as many cells.
    pub fn refined(&self, factor: usize) -> Self {
        Axis { cells: self.cells * factor, ..*self }
    }

    // Weighted mean of both ends: exact at the ends and symmetric for symmetric intervals.
    fn at(&self, half_steps: usize) -> f64 {
        let whole = 2 * self.cells;
        let (right, left) = (half_steps as f64, (whole - half_steps) as f64);
        (self.lower * left + self.upper * right) / whole as f64
    }
}

impl Mesh {
    /// All cells of the box spanned by `axes` (one to three).
    ///
    /// # Errors
    /// When there are no axes, more than three, or more cells than an index can count.
    pub fn cartesian(axes: &[Axis]) -> Result<Self> {
        Self::from_positions(axes, |_| true)
    }

    /// The cells of the box for which `keep(position)` holds, position being the row-major grid position.
    pub(super) fn from_positions(axes: &[Axis], keep: impl Fn(usize) -> bool) -> Result<Self> {
        if axes.is_empty() || axes.len() > 3 {
            return Err(Error::invalid(
                "domain.cells",
                axes.len(),
                "a mesh has one, two or three axes",
                "give one entry of lower, upper and cells per axis",
            ));
        }
        let position_count = axes
            .iter()
            .try_fold(1usize, |product, axis| product.checked_mul(axis.cells()))
            .filter(|&count| count <= MAXIMUM_POSITIONS)
            .ok_or_else(|| {
                Error::invalid(
                    "domain.cells",
                    format!("{:?}", axes.iter().map(Axis::cells).collect::<Vec<_>>()),
                    format!("a mesh has at most {MAXIMUM_POSITIONS} cells"),
                    "use fewer cells",
                )
            })?;
        let mut cell_by_position = vec![None; position_count];
        let mut cells = Vec::new();
        let volume: f64 = axes.iter().map(Axis::width).product();
        for (position, slot) in cell_by_position.iter_mut().enumerate() {
            if keep(position) {
                let index = unravel(axes, position);
                let mut center = [0.0; 3];
                for (k, axis) in axes.iter().enumerate() {
                    center[k] = axis.center(index[k]);
                }
                *slot = Some(cells.len());
                cells.push(Cell { center, volume, index });
            }
        }
        let mut mesh = Mesh { axes: axes.to_vec(), cells, faces: Vec::new(), cell_by_position };
        mesh.faces = mesh.faces_between_cells(volume);
        Ok(mesh)
    }

    fn faces_between_cells(&self, volume: f64) -> Vec<Face> {
        let mut faces = Vec::with_capacity(self.cells.len() * self.axes.len());
        for (position, cell) in self.cell_by_position.iter().enumerate() {
            let Some(cell) = *cell else { continue };
            let mut stride = 1;
            for (k, axis) in self.axes.iter().enumerate().rev() {
                let index = self.cells[cell].index[k];
                let upper = if index + 1 < axis.cells() { self.cell_by_position[position + stride] } else { None };
                stride *= axis.cells();
                let Some(upper) = upper else { continue };
                let mut center = self.cells[cell].center;
                center[k] = axis.edge(index + 1);
                faces.push(Face {
                    cells: [cell, upper],
                    axis: k,
                    area: volume / axis.width(),
                    distance: axis.width(),
                    center,
                });
            }
        }
        faces
    }
}

/// 2^31 - 1: cell numbers fit the index type of the factorisation.
const MAXIMUM_POSITIONS: usize = i32::MAX as usize;

fn unravel(axes: &[Axis], mut position: usize) -> [usize; 3] {
    let mut index = [0; 3];
    for (k, axis) in axes.iter().enumerate().rev() {
        index[k] = position % axis.cells();
        position /= axis.cells();
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_cells_and_faces_follow_from_the_axes() {
        let axis = |n| Axis::new(-1.0, 2.0, n).expect("a valid axis");
        for (axes, faces) in [
            (vec![axis(5)], 4),
            (vec![axis(5), axis(7)], 4 * 7 + 5 * 6),
            (vec![axis(3), axis(4), axis(5)], 2 * 20 + 3 * 15 + 4 * 12),
        ] {
            let mesh = Mesh::cartesian(&axes).expect("a valid mesh");
            assert_eq!(mesh.faces().len(), faces);
            let volume: f64 = mesh.cells().iter().map(|cell| cell.volume).sum();
            assert!((volume - 3f64.powi(axes.len() as i32)).abs() < 1e-12);
        }
    }

    #[test]
    fn every_centre_and_edge_is_found_in_its_cell() {
        let axis = Axis::new(-0.3, 0.7, 37).expect("a valid axis");
        for index in 0..37 {
            assert_eq!(axis.cell_containing(axis.center(index)), Some(index));
            assert_eq!(axis.cell_containing(axis.edge(index)), Some(index));
        }
        assert_eq!(axis.cell_containing(0.7), Some(36));
        assert_eq!(axis.cell_containing(0.7000001), None);
    }
}
