//! The finite-volume operator: a Markov generator on the cells of a mesh.
//!
//! The unknown is the probability per cell. Column sums vanish, off-diagonals are rates, so mass is kept and
//! positivity follows from the M-matrix property of s I - A.

use std::sync::Arc;

use super::{Diffusivity, DiffusivityField, Flux};
use crate::error::{Error, Result};
use crate::landscape::Landscape;
use crate::math::sparse::SparseMatrix;
use crate::mesh::Mesh;

/// The continuous problem in space: landscape, diffusivity and friction.
#[derive(Clone, Copy)]
pub struct FokkerPlanck<'a> {
    /// L(w) \[loss\].
    pub landscape: &'a dyn Landscape,
    /// D(w) \[w^2 t^-alpha\].
    pub diffusivity: &'a dyn Diffusivity,
    /// γ \[w^2 loss^-1 t^-alpha\].
    pub friction: f64,
}

/// A = div( D grad + γ grad L ) on the cells of a mesh, acting on probabilities per cell.
#[derive(Clone, Debug)]
pub struct Operator {
    mesh: Arc<Mesh>,
    flux: Flux,
    friction: f64,
    losses: Vec<f64>,
    log_diffusivity: Vec<f64>,
    log_diffusivity_at_faces: Vec<f64>,
    uniform_diffusivity: Option<f64>,
    forward: Vec<f64>,
    backward: Vec<f64>,
    log_ratios: Vec<f64>,
}

impl FokkerPlanck<'_> {
    /// Assembles the operator on `mesh` at time 0.
    ///
    /// # Errors
    /// When γ is negative, L or D is not finite somewhere, a rate overflows, or a central flux would need a
    /// negative rate.
    pub fn discretize(&self, mesh: Arc<Mesh>, flux: Flux) -> Result<Operator> {
        let dimension = mesh.dimension();
        assert_eq!(self.landscape.dimension(), dimension, "landscape and mesh have the same dimension");
        let mut losses = vec![0.0; mesh.cell_count()];
        self.landscape.losses(&mesh.centers(), &mut losses)?;
        Operator::assemble(mesh, flux, losses, self.diffusivity, self.friction, 0.0)
    }
}

impl Operator {
    /// The operator on the same mesh and landscape with other coefficients, at `time` \[t\].
    ///
    /// # Errors
    /// As for [`FokkerPlanck::discretize`].
    pub fn with_coefficients(&self, diffusivity: &dyn Diffusivity, friction: f64, time: f64) -> Result<Operator> {
        Operator::assemble(self.mesh.clone(), self.flux, self.losses.clone(), diffusivity, friction, time)
    }

    fn assemble(
        mesh: Arc<Mesh>,
        flux: Flux,
        losses: Vec<f64>,
        diffusivity: &dyn Diffusivity,
        friction: f64,
        time: f64,
    ) -> Result<Operator> {
        if !(friction >= 0.0 && friction.is_finite()) {
            return Err(Error::invalid(
                "dynamics.friction",
                friction,
                "the friction must be a finite number >= 0",
                "use friction = 1.0",
            ));
        }
        let dimension = mesh.dimension();
        let DiffusivityField::LogScalar(log_diffusivity) = diffusivity.evaluate(&mesh.centers(), dimension, time)?;
        let DiffusivityField::LogScalar(log_diffusivity_at_faces) =
            diffusivity.evaluate(&mesh.face_centers(), dimension, time)?;
        let mut operator = Operator {
            flux,
            friction,
            losses,
            log_diffusivity,
            log_diffusivity_at_faces,
            uniform_diffusivity: diffusivity.uniform(),
            forward: Vec::with_capacity(mesh.faces().len()),
            backward: Vec::with_capacity(mesh.faces().len()),
            log_ratios: Vec::with_capacity(mesh.faces().len()),
            mesh,
        };
        operator.find_rates()?;
        Ok(operator)
    }

    /// The same with other rates across the faces.
    pub(super) fn with_rates(&self, forward: Vec<f64>, backward: Vec<f64>) -> Operator {
        let log_ratios = forward.iter().zip(&backward).map(|(forward, backward)| (forward / backward).ln()).collect();
        Operator { forward, backward, log_ratios, ..self.clone() }
    }

    fn find_rates(&mut self) -> Result<()> {
        let mesh = self.mesh.clone();
        for (face, log_diffusivity) in mesh.faces().iter().zip(&self.log_diffusivity_at_faces) {
            let [a, b] = face.cells;
            let diffusivity = self.uniform_diffusivity.unwrap_or_else(|| log_diffusivity.exp());
            let conductance = face.area * diffusivity / face.distance;
            let u = self.friction * (self.losses[b] - self.losses[a]) / diffusivity;
            let (forward, backward) = (self.flux.weight(u), self.flux.weight(-u));
            if forward < 0.0 || backward < 0.0 {
                return Err(Error::invalid(
                    "method.flux",
                    self.flux.name(),
                    format!(
                        "a central flux needs γ |ΔL| / D < 2 across every face to keep positivity, here it is {:.3} at w = {:?}",
                        u.abs(),
                        &face.center[..mesh.dimension()]
                    ),
                    "use flux = \"scharfetter-gummel\" or more cells",
                ));
            }
            let forward = conductance * forward / mesh.cells()[a].volume;
            let backward = conductance * backward / mesh.cells()[b].volume;
            if !(forward.is_finite() && backward.is_finite()) {
                return Err(Error::NotFinite {
                    stage: format!(
                        "the rates at w = {:?} (ln D = {log_diffusivity:.3}, γ ΔL / D = {u:.3e}) leave the range of double precision",
                        &face.center[..mesh.dimension()]
                    ),
                });
            }
            self.forward.push(forward);
            self.backward.push(backward);
            let volumes = (mesh.cells()[b].volume / mesh.cells()[a].volume).ln();
            self.log_ratios.push(self.flux.log_ratio(u) + volumes);
        }
        Ok(())
    }

    /// The mesh.
    pub fn mesh(&self) -> &Arc<Mesh> {
        &self.mesh
    }

    /// The flux scheme.
    pub fn flux(&self) -> Flux {
        self.flux
    }

    /// Friction γ \[w^2 loss^-1 t^-alpha\].
    pub fn friction(&self) -> f64 {
        self.friction
    }

    /// Loss at the cell centres \[loss\].
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// Natural logarithm of D at the cell centres.
    pub fn log_diffusivity(&self) -> &[f64] {
        &self.log_diffusivity
    }

    /// Natural logarithm of D at the face centres.
    pub(super) fn log_diffusivity_at_faces(&self) -> &[f64] {
        &self.log_diffusivity_at_faces
    }

    /// D when it is uniform.
    pub fn uniform_diffusivity(&self) -> Option<f64> {
        self.uniform_diffusivity
    }

    /// Rates across each face, from its first cell to its second \[t^-alpha\].
    pub fn forward_rates(&self) -> &[f64] {
        &self.forward
    }

    /// Rates across each face, from its second cell to its first \[t^-alpha\].
    pub fn backward_rates(&self) -> &[f64] {
        &self.backward
    }

    /// ln( forward / backward ) of each face: the log-ratio of a zero-flux state, also where a rate underflows.
    pub fn log_ratios(&self) -> &[f64] {
        &self.log_ratios
    }

    /// A p in flux form: what leaves one cell enters its neighbour, so the entries of `out` sum to rounding.
    ///
    /// # Panics
    /// When a length differs from the number of cells.
    pub fn apply(&self, probability: &[f64], out: &mut [f64]) {
        assert_eq!(probability.len(), self.mesh.cell_count(), "one probability per cell");
        assert_eq!(out.len(), self.mesh.cell_count(), "one value per cell");
        out.fill(0.0);
        for ((face, forward), backward) in self.mesh.faces().iter().zip(&self.forward).zip(&self.backward) {
            let [a, b] = face.cells;
            let flux = forward * probability[a] - backward * probability[b];
            out[a] -= flux;
            out[b] += flux;
        }
    }

    /// Total rate out of each cell, the negative diagonal of A \[t^-alpha\].
    pub fn exit_rates(&self) -> Vec<f64> {
        let mut exit = vec![0.0; self.mesh.cell_count()];
        for ((face, forward), backward) in self.mesh.faces().iter().zip(&self.forward).zip(&self.backward) {
            exit[face.cells[0]] += forward;
            exit[face.cells[1]] += backward;
        }
        exit
    }

    /// A as a sparse matrix compressed by columns; every column's diagonal is minus the sum of its other entries.
    pub fn matrix(&self) -> SparseMatrix {
        let count = self.mesh.cell_count();
        let entries = 2 * self.forward.len() + count;
        let mut triplets = sprs::TriMat::with_capacity((count, count), entries);
        for ((face, &forward), &backward) in self.mesh.faces().iter().zip(&self.forward).zip(&self.backward) {
            let [a, b] = face.cells;
            triplets.add_triplet(b, a, forward);
            triplets.add_triplet(a, b, backward);
        }
        for (cell, exit) in self.exit_rates().into_iter().enumerate() {
            triplets.add_triplet(cell, cell, -exit);
        }
        triplets.to_csc()
    }

    /// The rates up and down when the mesh is a chain of neighbouring cells (one dimension); gaps have rates 0.
    pub fn chain(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        if self.mesh.dimension() != 1 {
            return None;
        }
        let faces = self.mesh.cell_count() - 1;
        let (mut up, mut down) = (vec![0.0; faces], vec![0.0; faces]);
        for ((face, &forward), &backward) in self.mesh.faces().iter().zip(&self.forward).zip(&self.backward) {
            up[face.cells[0]] = forward;
            down[face.cells[0]] = backward;
        }
        Some((up, down))
    }
}
