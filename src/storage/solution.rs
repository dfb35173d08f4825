//! The arrays of a solve as `solution.npz` holds them.

/// Arrays of one solve. Grids are row-major with the last axis fastest; positions outside a porous mesh hold NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSolution {
    /// Output times, length T \[t\].
    pub time: Vec<f64>,
    /// Cell centres of each axis (one to three axes): `x`, `y`, `z` \[w\].
    pub axes: Vec<Vec<f64>>,
    /// Density, shape (T, Mx\[, My\[, Mz\]\]) \[w^-d\].
    pub density: Vec<f64>,
    /// Stationary density of the operator, shape (Mx\[, My\[, Mz\]\]) \[w^-d\].
    pub stationary: Vec<f64>,
    /// exp(-gamma L/D), normalised, same shape \[w^-d\].
    pub gibbs: Vec<f64>,
    /// Loss at the cell centres, same shape \[loss\].
    pub loss: Vec<f64>,
    /// Diffusivity at the cell centres, same shape \[w^2 t^-alpha\].
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
}
