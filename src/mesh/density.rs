//! A probability per cell of a mesh.

use std::sync::Arc;

use super::Mesh;
use crate::math::summation::compensated_sum;

/// Probability per cell; dividing by the cell volume gives the density as a cell average \[w^-d\].
#[derive(Clone, Debug)]
pub struct Density {
    mesh: Arc<Mesh>,
    probability: Vec<f64>,
}

impl Density {
    /// Wraps one probability per cell.
    ///
    /// # Panics
    /// When the length differs from the number of cells.
    pub fn new(mesh: Arc<Mesh>, probability: Vec<f64>) -> Self {
        assert_eq!(probability.len(), mesh.cell_count(), "one probability per cell");
        Density { mesh, probability }
    }

    /// The mesh.
    pub fn mesh(&self) -> &Arc<Mesh> {
        &self.mesh
    }

    /// Probability of each cell, in the mesh's order.
    pub fn probability(&self) -> &[f64] {
        &self.probability
    }

    /// Total probability; 1 for a normalised density.
    pub fn mass(&self) -> f64 {
        compensated_sum(self.probability.iter().copied())
    }

    /// Cell averages of the density \[w^-d\].
    pub fn values(&self) -> Vec<f64> {
        self.probability.iter().zip(self.mesh.cells()).map(|(p, cell)| p / cell.volume).collect()
    }

    /// Smallest cell average \[w^-d\].
    pub fn minimum(&self) -> f64 {
        self.values().into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The same distribution on a coarser mesh whose cells are unions of this mesh's cells: masses are added.
    ///
    /// # Panics
    /// When the cells along an axis are not a multiple of those of `coarse`, or a cell lies outside it.
    pub fn restricted_to(&self, coarse: &Arc<Mesh>) -> Density {
        let ratios: Vec<usize> =
            self.mesh.axes().iter().zip(coarse.axes()).map(|(fine, coarse)| fine.cells() / coarse.cells()).collect();
        for ((fine, coarse), ratio) in self.mesh.axes().iter().zip(coarse.axes()).zip(&ratios) {
            assert_eq!(fine.cells(), coarse.cells() * ratio, "fine cells fill coarse ones");
        }
        let mut probability = vec![0.0; coarse.cell_count()];
        for (cell, value) in self.mesh.cells().iter().zip(&self.probability) {
            let along = coarse.axes().iter().zip(&cell.index).zip(&ratios);
            let position = along.fold(0, |position, ((axis, index), ratio)| position * axis.cells() + index / ratio);
            probability[coarse.cell_at(position).expect("coarse cells cover the fine ones")] += value;
        }
        Density::new(coarse.clone(), probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::Axis;

    #[test]
    fn restriction_adds_the_masses_of_the_fine_cells() {
        let axes = |factor: usize| {
            [Axis::new(0.0, 1.0, 2 * factor).expect("valid"), Axis::new(-1.0, 1.0, 3 * factor).expect("valid")]
        };
        let coarse = Arc::new(Mesh::cartesian(&axes(1)).expect("valid"));
        let fine = Arc::new(Mesh::cartesian(&axes(2)).expect("valid"));
        // A density that is linear in y: the mass of a cell is its volume times the value at its centre.
        let masses = |mesh: &Mesh| -> Vec<f64> {
            mesh.cells().iter().map(|cell| cell.volume * (2.0 + cell.center[1])).collect()
        };
        let restricted = Density::new(fine.clone(), masses(&fine)).restricted_to(&coarse);
        let expected: Vec<f64> = masses(&coarse);
        restricted.probability().iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-15));
    }
}
