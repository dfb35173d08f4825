//! Dimensions that follow from a slope and a learning coefficient.
//!
//! Formula:   d_walk = 1/slope; d_s = 2 λ slope (paper) or 2 q λ slope (length, q = 2); log10 D_ξ = (2 - d_walk) log10 ξ
//! Assumes:   slope > 0; in the length convention a loss of degree 2 around its zero set
//! Cost:      none
//! Fails when the slope reaches 0: d_walk and D_ξ then have no bound
//! Reference: \[HennickDeBaerdemacker2026\]; the relation of Alexander and Orbach in \[BenAvrahamHavlin2000\]
//!
//! `paper` takes λ, the exponent of volume with *loss*, for the mass dimension. A mass dimension is the exponent with
//! *length*: a loss of degree q makes it q λ. Around a regular quadratic minimum in d dimensions λ = d/2, and only the length
//! convention gives Brownian motion (slope 1/2) its d_s = d.

use serde::{Deserialize, Serialize};

use super::diagnosis::Interval;
use crate::error::{Error, Result};

/// Degree of the loss around its zero set that the length convention takes.
pub const LENGTH_DEGREE: f64 = 2.0;

/// Which exponent of volume stands for the mass dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// λ, the exponent with loss.
    #[default]
    Paper,
    /// q λ, the exponent with length, q = 2.
    Length,
}

impl Convention {
    /// What bounds d_s/λ: 1, or the degree of the loss.
    pub fn limit(self) -> f64 {
        match self {
            Convention::Paper => 1.0,
            Convention::Length => LENGTH_DEGREE,
        }
    }
}

/// Dimensions of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimensions {
    /// Convention of the spectral dimension.
    pub convention: Convention,
    /// Coarse-graining length ξ \[w\].
    pub scale: f64,
    /// Learning coefficient λ; null when none was given.
    pub learning_coefficient: Option<Interval>,
    /// Spectral dimension d_s; null without a learning coefficient or a positive slope.
    pub spectral_dimension: Option<Interval>,
    /// log10 of D_ξ; null without a learning coefficient or without a positive slope.
    pub log10_diffusivity: Option<Interval>,
    /// Why a number is missing; null when none is.
    pub reason: Option<String>,
}

/// Dimensions from the slope of log R and a learning coefficient.
///
/// The interval of d_s joins those of both factors as independent relative errors on the logarithm.
///
/// # Errors
/// When ξ or the learning coefficient is not a positive number.
pub fn dimensions(
    slope: Interval,
    learning_coefficient: Option<Interval>,
    scale: f64,
    convention: Convention,
) -> Result<Dimensions> {
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(Error::invalid("scale", scale, "must be a positive length", "the paper takes 0.5"));
    }
    if let Some(lambda) = learning_coefficient.filter(|lambda| !(lambda.value > 0.0 && lambda.value.is_finite())) {
        let rule = "a learning coefficient is a positive number";
        return Err(Error::invalid("lambda", lambda.value, rule, "look at the verdict of its estimate"));
    }
    let mut found = Dimensions {
        convention,
        scale,
        learning_coefficient,
        spectral_dimension: None,
        log10_diffusivity: None,
        reason: None,
    };
    let Some(lambda) = learning_coefficient else {
        let reason = "no learning coefficient was given: the spectral dimension and D_xi need one (--lambda or --llc)";
        found.reason = Some(reason.to_string());
        return Ok(found);
    };
    let factor = 2.0 * convention.limit();
    found.spectral_dimension = (slope.value > 0.0).then(|| product(&slope, &lambda).scaled(factor));
    match slope.reciprocal() {
        // (2 - d_walk) log10 ξ falls or rises with d_walk as ξ is above or below 1.
        Some(walk) => {
            // Zero is added so that no negative zero is told.
            let shift = |value: f64| (2.0 - value) * scale.log10() + 0.0;
            let ends = (walk.lower.map(shift), walk.upper.map(shift));
            let (lower, upper) = if scale < 1.0 { ends } else { (ends.1, ends.0) };
            found.log10_diffusivity = Some(Interval { value: shift(walk.value), lower, upper });
        }
        None => {
            found.reason =
                Some("the slope is not positive: walk and spectral dimension and D_xi are not defined".to_string());
        }
    }
    Ok(found)
}

/// Product of two positive numbers: their distances to each end join as independent relative errors.
fn product(a: &Interval, b: &Interval) -> Interval {
    let value = a.value * b.value;
    let end = |a_end: Option<f64>, b_end: Option<f64>, sign: f64| {
        let (a_end, b_end) = (a_end?, b_end?);
        let (of_a, of_b) = ((a_end - a.value) * b.value, (b_end - b.value) * a.value);
        Some(value + sign * of_a.hypot(of_b))
    };
    Interval { value, lower: end(a.lower, b.lower, -1.0), upper: end(a.upper, b.upper, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brownian_motion_around_a_quadratic_minimum_has_its_dimension_in_the_length_convention() {
        let (slope, lambda) = (Interval::exact(0.5), Interval::exact(7.0 / 2.0));
        let spectral = |convention| {
            let found = dimensions(slope, Some(lambda), 0.5, convention).unwrap();
            (found.spectral_dimension.unwrap().value, found.log10_diffusivity.unwrap().value)
        };
        assert_eq!(spectral(Convention::Length), (7.0, 0.0));
        assert_eq!(spectral(Convention::Paper), (3.5, 0.0));
    }

    #[test]
    fn without_a_learning_coefficient_it_says_why() {
        let found = dimensions(Interval::exact(0.4), None, 0.5, Convention::Paper).unwrap();
        assert!(found.spectral_dimension.is_none() && found.log10_diffusivity.is_none());
        assert!(found.reason.unwrap().contains("no learning coefficient"));
    }

    #[test]
    fn ends_follow_the_numbers() {
        let slope = Interval::new(0.25, 0.2, 0.5);
        let found = dimensions(slope, Some(Interval::exact(10.0)), 0.5, Convention::Paper).unwrap();
        let spectral = found.spectral_dimension.unwrap();
        assert_eq!((spectral.value, spectral.lower, spectral.upper), (5.0, Some(4.0), Some(10.0)));
        let log = found.log10_diffusivity.unwrap();
        assert!((log.value - 2.0 * 2f64.log10()).abs() < 1e-15);
        assert!(log.lower.unwrap().abs() < 1e-15 && (log.upper.unwrap() - 3.0 * 2f64.log10()).abs() < 1e-15);
        let wide = dimensions(Interval::new(0.1, -0.1, 0.3), Some(Interval::exact(1.0)), 0.5, Convention::Paper);
        assert_eq!(wide.unwrap().log10_diffusivity.unwrap().upper, None);
        let still = dimensions(Interval::exact(-0.1), Some(Interval::exact(1.0)), 0.5, Convention::Paper).unwrap();
        assert!(still.log10_diffusivity.is_none() && still.reason.is_some());
        assert!(dimensions(slope, None, 0.0, Convention::Paper).is_err());
        assert!(dimensions(slope, Some(Interval::exact(-1.0)), 0.5, Convention::Paper).is_err());
    }
}
