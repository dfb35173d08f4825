//! Two-point fluxes: how much of D grad p + γ p grad L passes a face.

use crate::math::special::{bernoulli, bernoulli_derivative, log_bernoulli};

/// A two-point flux. With u = γ (L_1 - L_0) / D at the face, probability passes from cell 0 to cell 1 at the rate
/// D / distance · area / volume · weight(u), and back with weight(-u); weight(u) - weight(-u) = -u in every scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flux {
    /// Exact for constant flux between the two centres: weight(u) = u / (e^u - 1). Positive, second order, and
    /// exp(-γ L/D) carries exactly no flux \[ScharfetterGummel1969\].
    ScharfetterGummel,
    /// weight(u) = 1 - u/2. Second order; positive only where |u| < 2.
    Central,
    /// weight(u) = 1 + max(-u, 0). Positive, first order.
    Upwind,
}

impl Flux {
    /// All fluxes with their names in a problem file.
    pub const ALL: [(&'static str, Flux); 3] =
        [("scharfetter-gummel", Flux::ScharfetterGummel), ("central", Flux::Central), ("upwind", Flux::Upwind)];

    /// Name in a problem file.
    pub fn name(self) -> &'static str {
        match self {
            Flux::ScharfetterGummel => "scharfetter-gummel",
            Flux::Central => "central",
            Flux::Upwind => "upwind",
        }
    }

    /// Dimensionless rate uphill by `u`.
    pub fn weight(self, u: f64) -> f64 {
        match self {
            Flux::ScharfetterGummel => bernoulli(u),
            Flux::Central => 1.0 - 0.5 * u,
            Flux::Upwind => 1.0 + (-u).max(0.0),
        }
    }

    /// Derivative of [`Flux::weight`] by `u`; that of the upwind flux jumps at 0, where the mean is taken.
    pub fn weight_derivative(self, u: f64) -> f64 {
        match self {
            Flux::ScharfetterGummel => bernoulli_derivative(u),
            Flux::Central => -0.5,
            Flux::Upwind if u == 0.0 => -0.5,
            Flux::Upwind => {
                if u < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            }
        }
    }

    /// Logarithm of [`Flux::weight`]; not a number where the weight is negative.
    pub fn log_weight(self, u: f64) -> f64 {
        match self {
            Flux::ScharfetterGummel => log_bernoulli(u),
            Flux::Central => (-0.5 * u).ln_1p(),
            Flux::Upwind => (-u).max(0.0).ln_1p(),
        }
    }

    /// ln( weight(u) / weight(-u) ): the log-ratio of the zero-flux state across the face.
    pub fn log_ratio(self, u: f64) -> f64 {
        match self {
            Flux::ScharfetterGummel => -u,
            Flux::Central | Flux::Upwind => self.log_weight(u) - self.log_weight(-u),
        }
    }

    /// Order of the error in the cell size on smooth problems.
    pub fn order(self) -> f64 {
        match self {
            Flux::ScharfetterGummel | Flux::Central => 2.0,
            Flux::Upwind => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flux_is_consistent_and_knows_its_zero_flux_state() {
        for (name, flux) in Flux::ALL {
            assert_eq!(flux.name(), name);
            for u in [-1.7, -0.3, -1e-9, 0.0, 1e-7, 0.5, 1.9] {
                let (up, down) = (flux.weight(u), flux.weight(-u));
                assert!((up - down + u).abs() < 1e-15 * (1.0 + u.abs()), "{name}: drift at u = {u}");
                let (step, slope) = (1e-5, flux.weight_derivative(u));
                if u.abs() > step {
                    let difference = (flux.weight(u + step) - flux.weight(u - step)) / (2.0 * step);
                    assert!((slope - difference).abs() < 1e-9, "{name}: slope {slope} at u = {u}, {difference}");
                }
                assert!((flux.log_ratio(u) - (up / down).ln()).abs() < 2e-15 * (1.0 + u.abs()), "{name} at {u}");
            }
        }
    }
}
