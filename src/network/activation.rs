//! Activation functions and their slopes, one number at a time.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use special::Error as _;

use crate::error::{Error, Result};
use crate::math::names::nearest;

/// Function between two linear layers, applied to every unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(0, z), with slope 0 at 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// z Φ(z) with the normal distribution function Φ: the exact form with the error function, PyTorch's default.
    Gelu,
    /// z: a deep linear network.
    Identity,
}

impl Activation {
    /// All of them, with the names that files use.
    pub const NAMES: [(&'static str, Activation); 4] = [
        ("relu", Activation::Relu),
        ("tanh", Activation::Tanh),
        ("gelu", Activation::Gelu),
        ("identity", Activation::Identity),
    ];

    /// The activation with this name.
    ///
    /// # Errors
    /// Lists the names, and the nearest one, when there is none of this name.
    pub fn from_name(name: &str) -> Result<Self> {
        let names = Self::NAMES.map(|(name, _)| name);
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, found)| *found).ok_or_else(|| {
            let hint = nearest(name, names).map_or(String::new(), |near| format!("use \"{near}\""));
            Error::invalid("activation", name, format!("known are {}", names.join(", ")), hint)
        })
    }

    /// Name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::Tanh => "tanh",
            Activation::Gelu => "gelu",
            Activation::Identity => "identity",
        }
    }

    /// Value and slope at `z`.
    pub fn evaluate(self, z: f64) -> (f64, f64) {
        match self {
            // Not a number stays so: a walker that has diverged must not look healthy.
            Activation::Relu if z <= 0.0 => (0.0, 0.0),
            Activation::Relu => (z, 1.0),
            Activation::Tanh => {
                let value = z.tanh();
                (value, 1.0 - value * value)
            }
            Activation::Gelu => {
                let below = 0.5 * (-z * FRAC_1_SQRT_2).compl_error();
                let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
                (z * below, below + z * density)
            }
            Activation::Identity => (z, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_derivatives() {
        for (name, activation) in Activation::NAMES {
            assert_eq!((Activation::from_name(name).expect("known"), activation.name()), (activation, name));
            for z in [-3.0, -0.7, 0.2, 1.0, 4.0] {
                let step = 1e-5;
                let found = (activation.evaluate(z + step).0 - activation.evaluate(z - step).0) / (2.0 * step);
                assert!((found - activation.evaluate(z).1).abs() < 1e-9, "{name} at {z}: {found}");
            }
            assert!(activation.evaluate(f64::NAN).0.is_nan());
        }
        // Φ(1) and Φ(-5) from tables.
        assert!((Activation::Gelu.evaluate(1.0).0 - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((Activation::Gelu.evaluate(-5.0).0 + 5.0 * 2.866_515_718_791_939e-7).abs() < 1e-20);
        assert!(Activation::from_name("rely").expect_err("unknown").to_string().contains("relu"));
    }
}
