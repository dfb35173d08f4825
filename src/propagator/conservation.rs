//! The mass rule: every connected piece of the medium keeps the mass that it held at the start.
//!
//! The operator's column sums vanish to rounding only, and late times multiply that rounding by the fastest rate and
//! the time. The masses are known exactly, so scaling to them can only reduce the error; it keeps every sign.

use super::Evolution;
use crate::error::{Error, Result};
use crate::math::summation::{CompensatedSum, compensated_sum};
use crate::mesh::porous::Components;

/// The pieces of a medium and their masses.
pub(super) struct Conservation {
    components: Components,
    masses: Vec<f64>,
    total: f64,
}

impl Conservation {
    /// The rule of a problem.
    pub(super) fn new(evolution: &Evolution<'_>) -> Self {
        let components = evolution.initial.mesh().components();
        let masses = masses_of(evolution.initial.probability(), &components);
        let total = compensated_sum(masses.iter().copied());
        Conservation { components, masses, total }
    }

    /// |mass / wanted - 1| of the whole.
    ///
    /// # Errors
    /// When the mass is no positive finite number; `stage` says of what.
    pub(super) fn defect(&self, values: &[f64], stage: &str) -> Result<f64> {
        let found = compensated_sum(values.iter().copied());
        if found.is_finite() && found > 0.0 {
            Ok((found / self.total - 1.0).abs())
        } else {
            Err(Error::NotFinite { stage: format!("{stage} has mass {found}") })
        }
    }

    /// For each piece, of the given mass, the factor minus one that restores its own; minus one for a piece that holds
    /// nothing.
    fn corrections_to(&self, found: &[f64]) -> Vec<f64> {
        let correction = |(wanted, found): (&f64, &f64)| match (*wanted > 0.0, *found > 0.0) {
            (true, true) => (wanted - found) / found,
            // So little mass that rounding ate it: nothing is there to scale.
            (true, false) => 0.0,
            (false, _) => -1.0,
        };
        self.masses.iter().zip(found).map(correction).collect()
    }

    /// Scales every piece to its mass.
    pub(super) fn restore(&self, values: &mut [f64]) {
        let corrections = self.corrections_to(&masses_of(values, &self.components));
        for (value, &label) in values.iter_mut().zip(&self.components.label) {
            *value += *value * corrections[label];
        }
    }

    /// Scales every piece of `values` to its mass, lets `increments`, the last change of them, take part, and returns
    /// |mass / wanted - 1| of the whole before.
    ///
    /// # Errors
    /// When the mass is no positive finite number; `stage` says of what.
    pub(super) fn restore_with(&self, values: &mut [f64], increments: &mut [f64], stage: &str) -> Result<f64> {
        let found = masses_of(values, &self.components);
        let total = compensated_sum(found.iter().copied());
        if !(total.is_finite() && total > 0.0) {
            return Err(Error::NotFinite { stage: format!("{stage} has mass {total}") });
        }
        let corrections = self.corrections_to(&found);
        for ((value, increment), &label) in values.iter_mut().zip(increments).zip(&self.components.label) {
            let change = *value * corrections[label];
            *value += change;
            *increment += change;
        }
        Ok((total / self.total - 1.0).abs())
    }
}

/// Mass of every connected piece.
fn masses_of(values: &[f64], components: &Components) -> Vec<f64> {
    if components.count == 1 {
        return vec![compensated_sum(values.iter().copied())];
    }
    let mut sums = vec![CompensatedSum::default(); components.count];
    for (value, &label) in values.iter().zip(&components.label) {
        sums[label].add(*value);
    }
    sums.iter().map(CompensatedSum::value).collect()
}
