//! Porous meshes: grid cells above a loss level are not part of the medium, and the medium may fall into pieces.

use super::{Axis, Mesh};
use crate::error::{Error, Result};

/// The connected pieces of a mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// Number of pieces.
    pub count: usize,
    /// Piece of each cell, numbered from 0 in the order of their first cells.
    pub label: Vec<usize>,
}

impl Mesh {
    /// The cells whose `losses` (one per grid position, row-major) lie at or below `keep_below` \[loss\].
    ///
    /// # Errors
    /// When no cell is left, or `keep_below` is not a number.
    pub fn porous(axes: &[Axis], losses: &[f64], keep_below: f64) -> Result<Self> {
        let mesh = Self::from_positions(axes, |position| losses[position] <= keep_below)?;
        if mesh.cells.is_empty() {
            let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
            return Err(Error::invalid(
                "domain.keep_below",
                keep_below,
                format!("no cell has a loss that low (the lowest is {lowest})"),
                "raise keep_below or move the domain",
            ));
        }
        Ok(mesh)
    }

    /// Labels the connected pieces.
    pub fn components(&self) -> Components {
        let mut parent: Vec<usize> = (0..self.cells.len()).collect();
        for face in &self.faces {
            let [a, b] = face.cells.map(|cell| root(&mut parent, cell));
            // The smaller number becomes the root, so labels follow the order of first cells.
            parent[a.max(b)] = a.min(b);
        }
        let mut label = vec![0; self.cells.len()];
        let mut count = 0;
        for cell in 0..self.cells.len() {
            let first = root(&mut parent, cell);
            if first == cell {
                label[cell] = count;
                count += 1;
            } else {
                label[cell] = label[first];
            }
        }
        Components { count, label }
    }

    /// The mesh of one connected piece alone.
    ///
    /// # Errors
    /// Never for a label of [`Mesh::components`].
    pub fn component(&self, components: &Components, label: usize) -> Result<Self> {
        Self::from_positions(&self.axes, |position| {
            self.cell_by_position[position].is_some_and(|cell| components.label[cell] == label)
        })
    }
}

fn root(parent: &mut [usize], mut cell: usize) -> usize {
    while parent[cell] != cell {
        parent[cell] = parent[parent[cell]];
        cell = parent[cell];
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_wells_below_the_barrier_are_two_components() {
        let axis = Axis::new(-2.0, 2.0, 40).expect("a valid axis");
        let losses: Vec<f64> = axis.centers().iter().map(|x| (x * x - 1.0).powi(2)).collect();
        let whole = Mesh::porous(&[axis], &losses, 2.0).expect("some cells");
        assert_eq!(whole.components().count, 1);
        let wells = Mesh::porous(&[axis], &losses, 0.5).expect("some cells");
        let components = wells.components();
        assert_eq!(components.count, 2);
        let right = wells.component(&components, 1).expect("a component");
        assert!(right.cells().iter().all(|cell| cell.center[0] > 0.0));
        assert_eq!(right.faces().len() + 1, right.cell_count());
        assert!(Mesh::porous(&[axis], &losses, -1.0).is_err());
    }
}
