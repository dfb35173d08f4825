//! How the operator changes with the friction and with the diffusivity.
//!
//! Formula:   rate = c D w(u), u = γ ΔL/D: d rate/dγ = c w'(u) ΔL, d rate/ds of D → s D at s = 1: c D (w(u) - u w'(u))
//! Assumes:   the flux weight w is differentiable at u
//! Order:     exact
//! Cost:      one pass over the faces

use num_complex::Complex64;
use serde::Serialize;

use super::Operator;

/// A parameter of the equation by which a density can be differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parameter {
    /// The Caputo order α.
    Order,
    /// The friction γ.
    Friction,
    /// The diffusivity: its value where it is uniform, else a common factor of it, at one.
    Diffusivity,
}

impl Parameter {
    /// All parameters with their names in a problem file.
    pub const ALL: [(&'static str, Parameter); 3] =
        [("order", Parameter::Order), ("friction", Parameter::Friction), ("diffusivity", Parameter::Diffusivity)];

    /// Name in a problem file.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// dA/dθ in flux form: derivatives of the rates across each face.
#[derive(Clone, Debug)]
pub struct RateDerivatives {
    cells: Vec<[usize; 2]>,
    forward: Vec<f64>,
    backward: Vec<f64>,
}

impl Operator {
    /// dA/dθ; `None` for the order, on which A does not depend.
    pub fn derivative(&self, parameter: Parameter) -> Option<RateDerivatives> {
        let mesh = self.mesh();
        let mut derivative = RateDerivatives { cells: Vec::new(), forward: Vec::new(), backward: Vec::new() };
        for (face, log_diffusivity) in mesh.faces().iter().zip(self.log_diffusivity_at_faces()) {
            let [a, b] = face.cells;
            let diffusivity = self.uniform_diffusivity().unwrap_or_else(|| log_diffusivity.exp());
            let geometry = face.area / face.distance;
            let climb = self.losses()[b] - self.losses()[a];
            let u = self.friction() * climb / diffusivity;
            let slope = |u: f64, climb: f64| match parameter {
                Parameter::Order => None,
                Parameter::Friction => Some(geometry * self.flux().weight_derivative(u) * climb),
                Parameter::Diffusivity => {
                    let by_factor = diffusivity * (self.flux().weight(u) - u * self.flux().weight_derivative(u));
                    Some(geometry * by_factor / self.uniform_diffusivity().unwrap_or(1.0))
                }
            };
            derivative.cells.push(face.cells);
            derivative.forward.push(slope(u, climb)? / mesh.cells()[a].volume);
            derivative.backward.push(slope(-u, -climb)? / mesh.cells()[b].volume);
        }
        Some(derivative)
    }
}

impl RateDerivatives {
    /// (dA/dθ) p; the entries of the result sum to rounding.
    pub fn apply(&self, probability: &[Complex64]) -> Vec<Complex64> {
        let mut out = vec![Complex64::ZERO; probability.len()];
        for ((&[a, b], forward), backward) in self.cells.iter().zip(&self.forward).zip(&self.backward) {
            let flux = probability[a] * forward - probability[b] * backward;
            out[a] -= flux;
            out[b] += flux;
        }
        out
    }
}
