//! The law that samplers draw from: a tempered posterior, tied to a point.
//!
//! ```text
//! π(w) ∝ exp( -U(w) ),   U(w) = t L_n(w) + (g/2) |w - w*|²,   inside the box |w_i - w*_i| ≤ r when there is one
//! ```
//!
//! t = n β is the inverse temperature, L_n the mean loss over the samples, w* the anchor, g the localisation
//! \[LauMurfetWei2023\].

use crate::error::{Error, Result};
use crate::landscape::{LANES, Lanes, Sampled, WalkerBlock};

/// What a sampler samples.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The loss L_n and its samples.
    pub landscape: &'a dyn Sampled,
    /// The point w* that the walkers are tied to (length d).
    pub anchor: &'a [f64],
    /// Inverse temperature t = n β in 1/\[loss\], positive.
    pub inverse_temperature: f64,
    /// Localisation g in 1/\[w\]², at least 0.
    pub localization: f64,
    /// Half the side r of the box around the anchor in \[w\]; `None`: no box.
    pub box_radius: Option<f64>,
    /// Samples per gradient, drawn anew for every walker and step; `None`: all of them.
    pub batch_size: Option<usize>,
}

impl Target<'_> {
    /// Checks the values against their ranges.
    ///
    /// # Errors
    /// Names the field that is out of its range, or the anchor when its length is not the landscape's dimension.
    pub fn validate(&self) -> Result<()> {
        let dimension = self.landscape.dimension();
        let samples = self.landscape.sample_count();
        let refuse =
            |name: &str, value: String, rule: &str, remedy: &str| Err(Error::invalid(name, value, rule, remedy));
        if self.anchor.len() != dimension {
            return refuse(
                "anchor",
                format!("{} numbers", self.anchor.len()),
                &format!("the landscape has {dimension} parameters"),
                "give one number per parameter",
            );
        }
        if let Some(place) = self.anchor.iter().position(|value| !value.is_finite()) {
            let value = format!("{} at parameter {place}", self.anchor[place]);
            return refuse("anchor", value, "must be finite", "train again with a smaller rate");
        }
        if samples == 0 || u32::try_from(samples).is_err() {
            let remedy = "change the data";
            return refuse("sample_count", samples.to_string(), "between 1 and 2^32 - 1 samples", remedy);
        }
        if !(self.inverse_temperature > 0.0 && self.inverse_temperature.is_finite()) {
            let value = self.inverse_temperature.to_string();
            return refuse("inverse_temperature", value, "must be positive and finite", "n / ln n is customary");
        }
        if !(self.localization >= 0.0 && self.localization.is_finite()) {
            let value = self.localization.to_string();
            return refuse("localization", value, "must be finite and at least 0", "1 is customary");
        }
        if let Some(radius) = self.box_radius.filter(|radius| !(*radius > 0.0 && radius.is_finite())) {
            return refuse("box_radius", radius.to_string(), "must be positive and finite", "leave it out for no box");
        }
        if self.batch_size == Some(0) {
            return refuse("batch_size", "0".into(), "must be at least 1", "leave it out for the full batch");
        }
        Ok(())
    }

    /// Energies U of a block whose mean losses over all samples are `loss`.
    pub fn energy(&self, walkers: &WalkerBlock, loss: &Lanes) -> Lanes {
        let mut distance = [0.0; LANES];
        for (row, anchor) in walkers.rows().iter().zip(self.anchor) {
            for (sum, value) in distance.iter_mut().zip(row) {
                *sum += (value - anchor) * (value - anchor);
            }
        }
        std::array::from_fn(|lane| self.inverse_temperature * loss[lane] + 0.5 * self.localization * distance[lane])
    }

    /// Turns gradients of the loss into gradients of the energy U: ∇U = t ∇L + g (w - w*).
    pub fn energy_gradient(&self, walkers: &WalkerBlock, gradient: &mut WalkerBlock) {
        for ((slope, row), anchor) in gradient.rows_mut().iter_mut().zip(walkers.rows()).zip(self.anchor) {
            for (slope, value) in slope.iter_mut().zip(row) {
                *slope = self.inverse_temperature * *slope + self.localization * (value - anchor);
            }
        }
    }

    /// Which walkers are inside the box (all of them when there is none).
    pub fn contains(&self, walkers: &WalkerBlock) -> [bool; LANES] {
        let mut inside = [true; LANES];
        if let Some(radius) = self.box_radius {
            for (row, anchor) in walkers.rows().iter().zip(self.anchor) {
                for (inside, value) in inside.iter_mut().zip(row) {
                    *inside &= (value - anchor).abs() <= radius;
                }
            }
        }
        inside
    }

    /// Puts every parameter that left the box on the wall it went through.
    pub fn clamp(&self, walkers: &mut WalkerBlock) {
        let Some(radius) = self.box_radius else { return };
        for (row, anchor) in walkers.rows_mut().iter_mut().zip(self.anchor) {
            for value in row {
                *value = value.clamp(anchor - radius, anchor + radius);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::parameters::Parameters;
    use crate::landscape::{Analytic, Population};

    #[test]
    fn values_outside_their_ranges_are_refused_by_name() {
        let landscape =
            Population::new(Analytic::build("harmonic", 2, &Parameters::default()).expect("a landscape"), 10);
        let anchor = [0.0, 0.0];
        let good = Target {
            landscape: &landscape,
            anchor: &anchor,
            inverse_temperature: 2.0,
            localization: 0.0,
            box_radius: None,
            batch_size: Some(20),
        };
        assert!(good.validate().is_ok());
        let bad = [
            ("anchor", Target { anchor: &anchor[..1], ..good }),
            ("anchor", Target { anchor: &[0.0, f64::NAN], ..good }),
            ("inverse_temperature", Target { inverse_temperature: 0.0, ..good }),
            ("localization", Target { localization: -1.0, ..good }),
            ("box_radius", Target { box_radius: Some(0.0), ..good }),
            ("batch_size", Target { batch_size: Some(0), ..good }),
        ];
        for (name, target) in bad {
            let message = target.validate().expect_err(name).to_string();
            assert!(message.starts_with(name), "{message}");
        }
    }
}
