//! The objects a checked problem names, and what they become on a mesh.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::fokker_planck::{Diffusivity, Flux, FokkerPlanck, InitialDensity, Operator, Stationary, Varying};
use crate::landscape::{Formula, GridField, Landscape};
use crate::mesh::porous::Components;
use crate::mesh::{Axis, Density, Mesh};

/// Landscape, diffusivity, domain and start of a problem.
pub struct Model {
    /// L(w).
    pub landscape: Box<dyn Landscape>,
    /// D(w).
    pub diffusivity: Box<dyn Diffusivity>,
    /// Friction γ.
    pub friction: Friction,
    /// The box and its cells.
    pub axes: Vec<Axis>,
    /// Flux scheme.
    pub flux: Flux,
    /// Cells with a loss above this are not part of the medium \[loss\].
    pub keep_below: Option<f64>,
    /// Which pieces of a porous medium take part; `None` asks for a single piece that holds the whole start.
    pub component: Option<ComponentChoice>,
    /// p(0).
    pub initial: Initial,
}

/// The friction γ(t) \[w^2 loss^-1 t^-alpha\].
#[derive(Clone, Debug)]
pub enum Friction {
    /// The same at all times.
    Constant(f64),
    /// A formula in t.
    Formula(Formula),
}

impl Friction {
    /// γ at a time; whatever the formula gives.
    pub fn at(&self, time: f64) -> f64 {
        match self {
            Friction::Constant(value) => *value,
            Friction::Formula(formula) => formula.evaluate(&[], time),
        }
    }
}

/// Which connected pieces of a porous medium take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentChoice {
    /// The piece that holds most of the start mass.
    ContainingStart,
    /// All pieces, each keeping the mass that starts in it.
    All,
}

/// The initial density.
#[derive(Clone, Debug)]
pub enum Initial {
    /// Independent Gaussian coordinates.
    Gaussian {
        /// One mean per axis \[w\].
        mean: Vec<f64>,
        /// One standard deviation per axis \[w\].
        standard_deviation: Vec<f64>,
    },
    /// The same everywhere.
    Uniform,
    /// One cell.
    Point(Vec<f64>),
    /// Proportional to a formula.
    Formula(Formula),
    /// Proportional to a saved field.
    Grid(GridField),
}

/// A model on a mesh.
pub struct Discretised {
    /// The medium.
    pub mesh: Arc<Mesh>,
    /// The operator on it.
    pub operator: Operator,
    /// Its stationary state.
    pub stationary: Stationary,
    /// Connected pieces of the medium.
    pub components: Components,
    /// Start mass of each piece.
    pub masses: Vec<f64>,
    /// p(0).
    pub initial: Density,
    /// Part of the given initial density that lies outside the medium.
    pub lost_mass: f64,
}

/// Lost start mass up to this size is rounding or a negligible tail, and not worth a word.
pub const NEGLIGIBLE_LOSS: f64 = 1e-6;

impl Model {
    /// True when the operator changes with time.
    pub fn varies(&self) -> bool {
        let friction = matches!(&self.friction, Friction::Formula(formula) if formula.uses_time());
        friction || self.diffusivity.uses_time()
    }

    /// The model with `refinement` times as many cells along each axis.
    ///
    /// # Errors
    /// When a loss, diffusivity or density is impossible somewhere, or the medium is not what the problem asks for.
    pub fn discretise(&self, refinement: usize) -> Result<Discretised> {
        let axes: Vec<Axis> = self.axes.iter().map(|axis| axis.refined(refinement)).collect();
        let (mesh, initial) = match self.keep_below {
            None => {
                let mesh = Arc::new(Mesh::cartesian(&axes)?);
                let initial = self.initial.on(&mesh)?;
                (mesh, initial)
            }
            Some(level) => self.porous(&axes, level)?,
        };
        let friction = self.friction.at(0.0);
        let problem = FokkerPlanck { landscape: &*self.landscape, diffusivity: &*self.diffusivity, friction };
        let operator = problem.discretize(mesh.clone(), self.flux)?;
        let stationary = operator.stationary()?;
        let components = mesh.components();
        let mut masses = vec![0.0; components.count];
        for (p, &label) in initial.density.probability().iter().zip(&components.label) {
            masses[label] += p;
        }
        if components.count == 1 {
            masses[0] = 1.0;
        }
        let InitialDensity { density, lost_mass } = initial;
        Ok(Discretised { mesh, operator, stationary, components, masses, initial: density, lost_mass })
    }

    fn porous(&self, axes: &[Axis], level: f64) -> Result<(Arc<Mesh>, InitialDensity)> {
        let whole = Mesh::cartesian(axes)?;
        let mut losses = vec![0.0; whole.cell_count()];
        self.landscape.losses(&whole.centers(), &mut losses)?;
        let mesh = Arc::new(Mesh::porous(axes, &losses, level)?);
        let components = mesh.components();
        let initial = self.initial.on(&mesh)?;
        match self.component {
            Some(ComponentChoice::All) => Ok((mesh, initial)),
            Some(ComponentChoice::ContainingStart) if components.count == 1 => Ok((mesh, initial)),
            Some(ComponentChoice::ContainingStart) => {
                let mut masses = vec![0.0; components.count];
                for (p, &label) in initial.density.probability().iter().zip(&components.label) {
                    masses[label] += p;
                }
                let (label, mass) = masses
                    .iter()
                    .copied()
                    .enumerate()
                    .max_by(|a, b| a.1.total_cmp(&b.1))
                    .expect("a medium has at least one piece");
                let piece = Arc::new(mesh.component(&components, label)?);
                let mut initial_on_piece = self.initial.on(&piece)?;
                initial_on_piece.lost_mass = 1.0 - (1.0 - initial.lost_mass) * mass;
                Ok((piece, initial_on_piece))
            }
            None if components.count == 1 && initial.lost_mass <= NEGLIGIBLE_LOSS => Ok((mesh, initial)),
            None => Err(Error::invalid(
                "domain.keep_below",
                level,
                format!(
                    "the medium must be one piece that holds the whole start, here it has {} pieces and loses {:.3e} of the start mass",
                    components.count, initial.lost_mass
                ),
                "set domain.component = \"containing-start\" or \"all\", or raise keep_below",
            )),
        }
    }
}

impl Initial {
    fn on(&self, mesh: &Arc<Mesh>) -> Result<InitialDensity> {
        match self {
            Initial::Gaussian { mean, standard_deviation } => InitialDensity::gaussian(mesh, mean, standard_deviation),
            Initial::Uniform => Ok(InitialDensity::uniform(mesh)),
            Initial::Point(point) => InitialDensity::point(mesh, point),
            Initial::Formula(formula) => InitialDensity::formula(mesh, formula),
            Initial::Grid(field) => InitialDensity::grid(mesh, field),
        }
    }
}

impl Discretised {
    /// The same with the coefficients of another time: its stationary state is that of the operator held there.
    ///
    /// # Errors
    /// When a coefficient leaves its range.
    pub fn at(&self, model: &Model, time: f64) -> Result<Discretised> {
        let friction = |time: f64| model.friction.at(time);
        let varying = Varying { diffusivity: &*model.diffusivity, friction: &friction };
        let operator = varying.operator_at(&self.operator, time)?;
        let stationary = operator.stationary()?;
        Ok(Discretised {
            mesh: self.mesh.clone(),
            operator,
            stationary,
            components: self.components.clone(),
            masses: self.masses.clone(),
            initial: self.initial.clone(),
            lost_mass: self.lost_mass,
        })
    }

    /// Stationary probabilities per cell, and their logarithms, each piece holding its start mass.
    pub fn stationary_distribution(&self) -> Distribution {
        self.weighted(&self.stationary.log_probability)
    }

    /// exp(-γ L/D) per cell, each piece holding its start mass.
    pub fn gibbs_distribution(&self) -> Distribution {
        self.weighted(&self.operator.gibbs())
    }

    fn weighted(&self, logs: &[f64]) -> Distribution {
        let logs: Vec<f64> =
            logs.iter().zip(&self.components.label).map(|(log, &label)| log + self.masses[label].ln()).collect();
        Distribution { probability: logs.iter().map(|log| log.exp()).collect(), logs }
    }
}

/// A distribution over the cells with its logarithms, which reach further down than the numbers do.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// Probability per cell.
    pub probability: Vec<f64>,
    /// Natural logarithm of each.
    pub logs: Vec<f64>,
}
