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
}
