//! Meshes: cells and the faces between them, in one, two or three dimensions.
//!
//! A mesh knows nothing of the equation that is solved on it. Everything that loops over space loops over
//! [`Mesh::cells`] or [`Mesh::faces`]; there is no code per dimension.

pub mod cartesian;
pub mod density;
pub mod porous;

pub use cartesian::Axis;
pub use density::Density;

/// A box-shaped cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Centre, padded with zeros beyond the mesh's dimension \[w\].
    pub center: [f64; 3],
    /// Volume (length, area) \[w^d\].
    pub volume: f64,
    /// Position along each axis of the surrounding Cartesian grid.
    pub index: [usize; 3],
}

/// The face between two cells; its normal points from `cells[0]` to `cells[1]`, along `axis` upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// The two cells that share the face.
    pub cells: [usize; 2],
    /// Axis of the normal.
    pub axis: usize,
    /// Area \[w^(d-1)\] (1 in one dimension).
    pub area: f64,
    /// Distance between the two cell centres \[w\].
    pub distance: f64,
    /// Centre of the face, padded with zeros \[w\].
    pub center: [f64; 3],
}

/// Cells and faces cut from a Cartesian grid; some of the grid's cells may be missing (a porous medium).
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    axes: Vec<Axis>,
    cells: Vec<Cell>,
    faces: Vec<Face>,
    /// Cell number by grid position (row-major, last axis fastest), `None` outside the medium.
    cell_by_position: Vec<Option<usize>>,
}

impl Mesh {
    /// Number of dimensions, 1 to 3.
    pub fn dimension(&self) -> usize {
        self.axes.len()
    }

    /// The axes of the surrounding grid.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// All cells, in row-major order of the grid (last axis fastest).
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// All faces between cells; boundary faces carry no flux and are not listed.
    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    /// Number of cells of the medium.
    pub fn cell_count(&self) -> usize {
        self.cells.len()
    }

    /// Number of positions of the surrounding grid: the product of the cells along each axis.
    pub fn position_count(&self) -> usize {
        self.cell_by_position.len()
    }

    /// Cell at a row-major grid position, `None` when the position is outside the medium.
    pub fn cell_at(&self, position: usize) -> Option<usize> {
        self.cell_by_position[position]
    }

    /// The cell that contains `point` (length d), `None` outside the medium.
    pub fn cell_containing(&self, point: &[f64]) -> Option<usize> {
        let mut position = 0;
        for (axis, &coordinate) in self.axes.iter().zip(point) {
            position = position * axis.cells() + axis.cell_containing(coordinate)?;
        }
        self.cell_by_position[position]
    }

    /// Cell centres as (cell_count, d), row after row.
    pub fn centers(&self) -> Vec<f64> {
        self.cells.iter().flat_map(|cell| cell.center[..self.dimension()].iter().copied()).collect()
    }

    /// Face centres as (face_count, d), row after row.
    pub fn face_centers(&self) -> Vec<f64> {
        self.faces.iter().flat_map(|face| face.center[..self.dimension()].iter().copied()).collect()
    }

    /// Spreads one value per cell over the grid (row-major); positions outside the medium hold NaN.
    pub fn spread(&self, values: &[f64]) -> Vec<f64> {
        assert_eq!(values.len(), self.cells.len(), "one value per cell");
        self.cell_by_position.iter().map(|cell| cell.map_or(f64::NAN, |cell| values[cell])).collect()
    }
}
