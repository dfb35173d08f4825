//! Diffusivities that vary: formulas, saved grids and coarse-graining.

use super::diffusivity::{Diffusivity, DiffusivityField, not_positive};
use crate::error::{Error, Result};
use crate::landscape::{Formula, GridField};

/// A diffusivity given by a formula in the coordinates.
#[derive(Clone, Debug)]
pub struct FormulaDiffusivity(pub Formula);

impl Diffusivity for FormulaDiffusivity {
    fn evaluate(&self, points: &[f64], dimension: usize, time: f64) -> Result<DiffusivityField> {
        let logs = points.chunks_exact(dimension).map(|point| log_of(self.0.evaluate(point, time), point));
        Ok(DiffusivityField::LogScalar(logs.collect::<Result<_>>()?))
    }

    fn uses_time(&self) -> bool {
        self.0.uses_time()
    }
}

/// A diffusivity saved on a grid.
#[derive(Clone, Debug)]
pub struct GridDiffusivity(pub GridField);

impl Diffusivity for GridDiffusivity {
    fn evaluate(&self, points: &[f64], dimension: usize, _: f64) -> Result<DiffusivityField> {
        let logs = points.chunks_exact(dimension).map(|point| {
            refuse_outside(&self.0, point, "diffusivity.file")?;
            log_of(self.0.value(point), point)
        });
        Ok(DiffusivityField::LogScalar(logs.collect::<Result<_>>()?))
    }
}

/// The learning coefficient λ of a coarse-grained diffusivity.
#[derive(Clone, Debug)]
pub enum LearningCoefficient {
    /// The same everywhere.
    Number(f64),
    /// A field λ(w).
    Field(GridField),
}

/// D_ξ = reference · ξ^(2 - 2 λ/d_s), kept as a logarithm \[HennickDeBaerdemacker2026\].
#[derive(Clone, Debug)]
pub struct CoarseGrained {
    /// Length scale ξ \[w\].
    pub scale: f64,
    /// Spectral dimension d_s.
    pub spectral_dimension: f64,
    /// Learning coefficient λ(w).
    pub learning_coefficient: LearningCoefficient,
    /// Prefactor of the power law, 1 in the paper \[w^2 t^-alpha\].
    pub reference: f64,
}

impl CoarseGrained {
    /// ln D_ξ for one λ.
    ///
    /// ```
    /// use porewalk::fokker_planck::fields::{CoarseGrained, LearningCoefficient};
    /// // ResNet18 of the paper's table 1: log10 D = 75.5 at ξ = 0.5.
    /// let resnet = CoarseGrained { scale: 0.5, spectral_dimension: 0.57, reference: 1.0, learning_coefficient: LearningCoefficient::Number(72.05) };
    /// assert!((resnet.log_diffusivity(72.05) / 10f64.ln() - 75.5).abs() < 0.05);
    /// ```
    pub fn log_diffusivity(&self, learning_coefficient: f64) -> f64 {
        self.reference.ln() + (2.0 - 2.0 * learning_coefficient / self.spectral_dimension) * self.scale.ln()
    }
}

impl Diffusivity for CoarseGrained {
    fn evaluate(&self, points: &[f64], dimension: usize, _: f64) -> Result<DiffusivityField> {
        let logs = match &self.learning_coefficient {
            LearningCoefficient::Number(value) => vec![self.log_diffusivity(*value); points.len() / dimension],
            LearningCoefficient::Field(field) => points
                .chunks_exact(dimension)
                .map(|point| {
                    refuse_outside(field, point, "diffusivity.learning_coefficient")?;
                    Ok(self.log_diffusivity(field.value(point)))
                })
                .collect::<Result<_>>()?,
        };
        Ok(DiffusivityField::LogScalar(logs))
    }

    fn uniform(&self) -> Option<f64> {
        match self.learning_coefficient {
            LearningCoefficient::Number(value) => {
                Some(self.log_diffusivity(value).exp()).filter(|d| d.is_finite() && *d > 0.0)
            }
            LearningCoefficient::Field(_) => None,
        }
    }
}

fn log_of(value: f64, point: &[f64]) -> Result<f64> {
    if value > 0.0 && value.is_finite() { Ok(value.ln()) } else { Err(not_positive(value, point)) }
}

fn refuse_outside(field: &GridField, point: &[f64], key: &str) -> Result<()> {
    match field.outside(point) {
        None => Ok(()),
        Some(problem) => Err(Error::invalid(
            key,
            format!("w = {point:?}"),
            problem,
            "shrink the domain so that it lies inside the saved grid",
        )),
    }
}
