//! The diffusivity D(w, t), kept as a logarithm: D_ξ of real networks leaves the range of f64.

use crate::error::{Error, Result};

/// Diffusivity at many points. Tensors will be a further variant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DiffusivityField {
    /// Natural logarithm of a scalar D per point \[ln(w^2 t^-alpha)\].
    LogScalar(Vec<f64>),
}

/// A diffusivity D(w, t) \[w^2 t^-alpha\].
pub trait Diffusivity: Send + Sync {
    /// Values at `points` ((count, dimension), row after row) at `time`.
    ///
    /// # Errors
    /// Names the first point where D is not a positive finite number.
    fn evaluate(&self, points: &[f64], dimension: usize, time: f64) -> Result<DiffusivityField>;

    /// The value, when it is the same everywhere and always.
    fn uniform(&self) -> Option<f64> {
        None
    }

    /// True when values change with time.
    fn uses_time(&self) -> bool {
        false
    }
}

/// The same D everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UniformDiffusivity(f64);

impl UniformDiffusivity {
    /// D = `value` \[w^2 t^-alpha\].
    ///
    /// # Errors
    /// When the value is not a positive finite number.
    pub fn new(value: f64) -> Result<Self> {
        if value > 0.0 && value.is_finite() {
            return Ok(UniformDiffusivity(value));
        }
        Err(Error::invalid(
            "diffusivity.value",
            value,
            "the diffusivity must be a positive finite number",
            "use a value such as 0.35",
        ))
    }
}

impl Diffusivity for UniformDiffusivity {
    fn evaluate(&self, points: &[f64], dimension: usize, _: f64) -> Result<DiffusivityField> {
        Ok(DiffusivityField::LogScalar(vec![self.0.ln(); points.len() / dimension]))
    }

    fn uniform(&self) -> Option<f64> {
        Some(self.0)
    }
}

/// A diffusivity given by a function of the position (constant in time).
pub struct FieldDiffusivity<F>(pub F);

impl<F: Fn(&[f64]) -> f64 + Send + Sync> Diffusivity for FieldDiffusivity<F> {
    fn evaluate(&self, points: &[f64], dimension: usize, _: f64) -> Result<DiffusivityField> {
        let logs = points.chunks_exact(dimension).map(|point| {
            let value = (self.0)(point);
            if value > 0.0 && value.is_finite() { Ok(value.ln()) } else { Err(not_positive(value, point)) }
        });
        Ok(DiffusivityField::LogScalar(logs.collect::<Result<_>>()?))
    }
}

/// The error for a value that is no diffusivity.
pub(crate) fn not_positive(value: f64, point: &[f64]) -> Error {
    Error::invalid(
        "diffusivity",
        format!("{value} at w = {point:?}"),
        "the diffusivity must be a positive finite number on the whole domain",
        "change the field or shrink the domain",
    )
}
