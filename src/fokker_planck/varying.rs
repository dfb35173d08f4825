//! Coefficients that change with time.
//!
//! The equation is then D_t^α p = A(t) p: the operator of the time t acts on the density of the same time.

use super::{Diffusivity, Operator};
use crate::error::{Error, Result};

/// D(w, t) and γ(t).
pub struct Varying<'a> {
    /// The diffusivity.
    pub diffusivity: &'a dyn Diffusivity,
    /// The friction at a time.
    pub friction: &'a (dyn Fn(f64) -> f64 + Sync),
}

impl Varying<'_> {
    /// The operator at `time` \[t\], on the mesh and with the losses of `base`.
    ///
    /// # Errors
    /// Names the time at which a coefficient leaves its range.
    pub fn operator_at(&self, base: &Operator, time: f64) -> Result<Operator> {
        base.with_coefficients(self.diffusivity, (self.friction)(time), time).map_err(|error| match error {
            Error::Invalid { name, value, rule, remedy } => {
                Error::Invalid { name, value: format!("{value}, at t = {time:e}"), rule, remedy }
            }
            other => other,
        })
    }
}
