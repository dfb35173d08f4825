//! Landscapes given by formulas, with exact gradients, known minima and known learning coefficients.

use super::parameters::{KindInfo, ParameterInfo, Parameters, Reader};
use super::{Differentiable, Landscape};
use crate::error::{Error, Result};
use crate::math::names::nearest;

/// An analytic landscape of a given dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Analytic {
    dimension: usize,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Harmonic { stiffness: Vec<f64>, center: Vec<f64> },
    DoubleWell { barrier: f64, separation: f64, tilt: f64, stiffness: f64 },
    Quartic { coefficient: f64 },
    NormalCrossing { powers: Vec<i32> },
    MuellerBrown,
    Rosenbrock { offset: f64, steepness: f64 },
    Rastrigin { amplitude: f64 },
    Flat,
    Linear { force: Vec<f64> },
}

const STIFFNESS: ParameterInfo =
    ParameterInfo { name: "stiffness", default: "1", meaning: "curvature k, one number or one per axis, > 0" };
const CENTER: ParameterInfo =
    ParameterInfo { name: "center", default: "0", meaning: "position of the minimum, one per axis" };

/// Every analytic kind that can be named in a problem file.
pub const KINDS: [KindInfo; 10] = [
    KindInfo {
        name: "harmonic",
        summary: "L = 1/2 sum k_i (w_i - c_i)^2 (stiffness, center; λ = d/2)",
        dimensions: 1..=3,
        parameters: &[STIFFNESS, CENTER],
        learning_coefficient: "d/2",
    },
    KindInfo {
        name: "anisotropic-harmonic",
        summary: "L = 1/2 sum k_i (w_i - c_i)^2 (stiffness = [1, 10, 100], center; λ = d/2)",
        dimensions: 2..=3,
        parameters: &[
            ParameterInfo { name: "stiffness", default: "[1, 10, 100]", meaning: "curvatures, one per axis, > 0" },
            CENTER,
        ],
        learning_coefficient: "d/2",
    },
    KindInfo {
        name: "double-well",
        summary: "L = b ((x/s)^2 - 1)^2 + f x + k/2 (y^2 + z^2) (barrier, separation, tilt, stiffness; λ = d/2)",
        dimensions: 1..=3,
        parameters: &[
            ParameterInfo { name: "barrier", default: "1", meaning: "height b of the barrier, > 0" },
            ParameterInfo { name: "separation", default: "1", meaning: "half the distance s of the wells, > 0" },
            ParameterInfo { name: "tilt", default: "0", meaning: "slope f; |f| < 1.5396 b/s keeps two wells" },
            ParameterInfo { name: "stiffness", default: "1", meaning: "curvature k across, > 0" },
        ],
        learning_coefficient: "d/2",
    },
    KindInfo {
        name: "quartic",
        summary: "L = a sum w_i^4 (coefficient; λ = d/4)",
        dimensions: 1..=3,
        parameters: &[ParameterInfo { name: "coefficient", default: "1", meaning: "factor a, > 0" }],
        learning_coefficient: "d/4",
    },
    KindInfo {
        name: "normal-crossing",
        summary: "L = product of w_i^(n_i) (exponents = even powers n_i; λ = min 1/n_i)",
        dimensions: 1..=3,
        parameters: &[ParameterInfo {
            name: "exponents",
            default: "[2, 2, 2]",
            meaning: "even powers n_i = 2 k_i, one per axis",
        }],
        learning_coefficient: "min 1/n_i, multiplicity = how many attain it",
    },
    KindInfo {
        name: "mueller-brown",
        summary: "sum of four Gaussians A exp(a (x-X)^2 + b (x-X)(y-Y) + c (y-Y)^2) (2D; λ = 1)",
        dimensions: 2..=2,
        parameters: &[],
        learning_coefficient: "1",
    },
    KindInfo {
        name: "rosenbrock",
        summary: "L = sum (a - w_i)^2 + b (w_(i+1) - w_i^2)^2 (2D, 3D; offset a, steepness b; λ = d/2)",
        dimensions: 2..=3,
        parameters: &[
            ParameterInfo {
                name: "offset",
                default: "1",
                meaning: "a: the minimum lies at (a, a^2, ..), 1 in three dimensions",
            },
            ParameterInfo { name: "steepness", default: "100", meaning: "b, > 0" },
        ],
        learning_coefficient: "d/2",
    },
    KindInfo {
        name: "rastrigin",
        summary: "L = sum w_i^2 + A (1 - cos(2 pi w_i)) (amplitude; λ = d/2)",
        dimensions: 1..=3,
        parameters: &[ParameterInfo { name: "amplitude", default: "10", meaning: "A, >= 0" }],
        learning_coefficient: "d/2",
    },
    KindInfo {
        name: "flat",
        summary: "L = 0 (no force)",
        dimensions: 1..=3,
        parameters: &[],
        learning_coefficient: "0",
    },
    KindInfo {
        name: "linear",
        summary: "L = -(F, w) (force; no minimum)",
        dimensions: 1..=3,
        parameters: &[ParameterInfo { name: "force", default: "1 along x", meaning: "F, one number or one per axis" }],
        learning_coefficient: "none (no minimum)",
    },
];

impl Analytic {
    /// Builds the landscape `kind` in `dimension` dimensions from its parameters; absent ones take their defaults.
    ///
    /// # Errors
    /// Names the key: an unknown kind or parameter, a dimension the kind does not have, a value outside its range.
    pub fn build(kind: &str, dimension: usize, parameters: &Parameters) -> Result<Self> {
        let Some(info) = KINDS.iter().find(|info| info.name == kind) else {
            let names: Vec<&str> = KINDS.iter().map(|info| info.name).collect();
            let suggestion =
                nearest(kind, names.iter().copied()).map(|name| format!("did you mean {name:?}? ")).unwrap_or_default();
            return Err(Error::invalid(
                "landscape.kind",
                format!("{kind:?}"),
                "not a known landscape",
                format!("{suggestion}known: {}, expression, grid", names.join(", ")),
            ));
        };
        if !info.dimensions.contains(&dimension) {
            return Err(Error::invalid(
                "landscape.kind",
                format!("{kind:?}"),
                format!(
                    "this landscape has {} to {} dimensions, the domain {dimension}",
                    info.dimensions.start(),
                    info.dimensions.end()
                ),
                "change the number of entries in domain.lower, upper and cells",
            ));
        }
        let read = Reader::new(info, dimension, parameters)?;
        let shape = match kind {
            "harmonic" => Shape::Harmonic {
                stiffness: read.positive_per_axis("stiffness", 1.0)?,
                center: read.per_axis("center", 0.0)?,
            },
            "anisotropic-harmonic" => Shape::Harmonic {
                stiffness: read.positive_per_axis_or("stiffness", &[1.0, 10.0, 100.0][..dimension])?,
                center: read.per_axis("center", 0.0)?,
            },
            "double-well" => Shape::DoubleWell {
                barrier: read.positive("barrier", 1.0)?,
                separation: read.positive("separation", 1.0)?,
                tilt: read.number("tilt", 0.0)?,
                stiffness: read.positive("stiffness", 1.0)?,
            },
            "quartic" => Shape::Quartic { coefficient: read.positive("coefficient", 1.0)? },
            "normal-crossing" => Shape::NormalCrossing { powers: read.even_powers("exponents")? },
            "mueller-brown" => Shape::MuellerBrown,
            "rosenbrock" => {
                Shape::Rosenbrock { offset: read.number("offset", 1.0)?, steepness: read.positive("steepness", 100.0)? }
            }
            "rastrigin" => Shape::Rastrigin { amplitude: read.non_negative("amplitude", 10.0)? },
            "flat" => Shape::Flat,
            "linear" => {
                let mut unit = vec![0.0; dimension];
                unit[0] = 1.0;
                Shape::Linear { force: read.per_axis_or("force", &unit)? }
            }
            other => unreachable!("{other} is listed in KINDS and must be built here"),
        };
        Ok(Analytic { dimension, shape })
    }

    /// Known local minima, the lowest first; empty where there is none or they are not isolated points.
    pub fn minima(&self) -> Vec<Vec<f64>> {
        let origin = vec![0.0; self.dimension];
        match &self.shape {
            Shape::Harmonic { center, .. } => vec![center.clone()],
            Shape::DoubleWell { separation, .. } => {
                let mut wells: Vec<Vec<f64>> = [-separation, *separation]
                    .into_iter()
                    .filter_map(|start| self.double_well_minimum(start))
                    .map(|x| std::iter::once(x).chain(std::iter::repeat_n(0.0, self.dimension - 1)).collect())
                    .collect();
                wells.sort_by(|a: &Vec<f64>, b| self.loss(a).total_cmp(&self.loss(b)));
                wells
            }
            Shape::Quartic { .. } | Shape::NormalCrossing { .. } | Shape::Rastrigin { .. } => vec![origin],
            Shape::MuellerBrown => MUELLER_BROWN_MINIMA.iter().map(|point| point.to_vec()).collect(),
            Shape::Rosenbrock { offset, .. } if self.dimension == 2 => vec![vec![*offset, offset * offset]],
            Shape::Rosenbrock { offset, .. } if *offset == 1.0 => vec![vec![1.0; self.dimension]],
            Shape::Rosenbrock { .. } | Shape::Flat | Shape::Linear { .. } => Vec::new(),
        }
    }

    /// Learning coefficient λ and its multiplicity at the lowest minimum, where known.
    pub fn learning_coefficient(&self) -> Option<(f64, usize)> {
        let dimension = self.dimension as f64;
        match &self.shape {
            Shape::Quartic { .. } => Some((dimension / 4.0, 1)),
            Shape::NormalCrossing { powers } => {
                let largest = powers.iter().max()?;
                Some((1.0 / f64::from(*largest), powers.iter().filter(|power| *power == largest).count()))
            }
            Shape::Flat => Some((0.0, 1)),
            Shape::Linear { .. } => None,
            _ => Some((dimension / 2.0, 1)),
        }
    }

    /// Newton's method from the well at `start`; `None` when the tilt has removed that well.
    fn double_well_minimum(&self, start: f64) -> Option<f64> {
        let Shape::DoubleWell { barrier, separation, tilt, .. } = self.shape else { return None };
        let mut x = start;
        for _ in 0..60 {
            let r = x / separation;
            let slope = 4.0 * barrier * r * (r * r - 1.0) / separation + tilt;
            let curvature = 4.0 * barrier * (3.0 * r * r - 1.0) / (separation * separation);
            if curvature <= 0.0 {
                return None;
            }
            x -= slope / curvature;
        }
        let r = x / separation;
        (x * start > 0.0 && 3.0 * r * r > 1.0).then_some(x)
    }
}

/// Prefactor, quadratic coefficients and centre of each term \[MuellerBrown1979\].
const MUELLER_BROWN: [[f64; 6]; 4] = [
    [-200.0, -1.0, 0.0, -10.0, 1.0, 0.0],
    [-100.0, -1.0, 0.0, -10.0, 0.0, 0.5],
    [-170.0, -6.5, 11.0, -6.5, -0.5, 1.5],
    [15.0, 0.7, 0.6, 0.7, -1.0, 1.0],
];

const MUELLER_BROWN_MINIMA: [[f64; 2]; 3] = [
    [-0.558_223_634_633, 1.441_725_841_805],
    [0.623_499_404_931, 0.028_037_758_529],
    [-0.050_010_822_998, 0.466_694_104_872],
];

impl Landscape for Analytic {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn loss(&self, w: &[f64]) -> f64 {
        match &self.shape {
            Shape::Harmonic { stiffness, center } => {
                0.5 * w.iter().zip(center).zip(stiffness).map(|((w, c), k)| k * (w - c) * (w - c)).sum::<f64>()
            }
            Shape::DoubleWell { barrier, separation, tilt, stiffness } => {
                let r = w[0] / separation;
                let across: f64 = w[1..].iter().map(|y| y * y).sum();
                barrier * (r * r - 1.0).powi(2) + tilt * w[0] + 0.5 * stiffness * across
            }
            Shape::Quartic { coefficient } => coefficient * w.iter().map(|x| x.powi(4)).sum::<f64>(),
            Shape::NormalCrossing { powers } => w.iter().zip(powers).map(|(x, &power)| x.powi(power)).product(),
            Shape::MuellerBrown => MUELLER_BROWN.iter().map(|term| mueller_brown_term(term, w).0).sum(),
            Shape::Rosenbrock { offset, steepness } => w
                .windows(2)
                .map(|pair| (offset - pair[0]).powi(2) + steepness * (pair[1] - pair[0] * pair[0]).powi(2))
                .sum(),
            Shape::Rastrigin { amplitude } => {
                // 1 - cos(2 π x) = 2 sin²(π x) keeps its digits near the minimum.
                w.iter().map(|x| x * x + 2.0 * amplitude * (std::f64::consts::PI * x).sin().powi(2)).sum()
            }
            Shape::Flat => 0.0,
            Shape::Linear { force } => -w.iter().zip(force).map(|(x, f)| x * f).sum::<f64>(),
        }
    }
}

impl Differentiable for Analytic {
    fn gradient(&self, w: &[f64], out: &mut [f64]) {
        match &self.shape {
            Shape::Harmonic { stiffness, center } => {
                for (((out, w), c), k) in out.iter_mut().zip(w).zip(center).zip(stiffness) {
                    *out = k * (w - c);
                }
            }
            Shape::DoubleWell { barrier, separation, tilt, stiffness } => {
                let r = w[0] / separation;
                out[0] = 4.0 * barrier * r * (r * r - 1.0) / separation + tilt;
                out[1..].iter_mut().zip(&w[1..]).for_each(|(out, y)| *out = stiffness * y);
            }
            Shape::Quartic { coefficient } => {
                out.iter_mut().zip(w).for_each(|(out, x)| *out = 4.0 * coefficient * x.powi(3));
            }
            Shape::NormalCrossing { powers } => {
                for i in 0..w.len() {
                    let others = (0..w.len()).filter(|&j| j != i).map(|j| w[j].powi(powers[j]));
                    out[i] = f64::from(powers[i]) * w[i].powi(powers[i] - 1) * others.product::<f64>();
                }
            }
            Shape::MuellerBrown => {
                out.fill(0.0);
                for term in &MUELLER_BROWN {
                    let (_, gradient) = mueller_brown_term(term, w);
                    out.iter_mut().zip(gradient).for_each(|(out, part)| *out += part);
                }
            }
            Shape::Rosenbrock { offset, steepness } => {
                out.fill(0.0);
                for i in 0..w.len() - 1 {
                    let ridge = w[i + 1] - w[i] * w[i];
                    out[i] += -2.0 * (offset - w[i]) - 4.0 * steepness * w[i] * ridge;
                    out[i + 1] += 2.0 * steepness * ridge;
                }
            }
            Shape::Rastrigin { amplitude } => {
                let turn = 2.0 * std::f64::consts::PI;
                out.iter_mut().zip(w).for_each(|(out, x)| *out = 2.0 * x + amplitude * turn * (turn * x).sin());
            }
            Shape::Flat => out.fill(0.0),
            Shape::Linear { force } => out.iter_mut().zip(force).for_each(|(out, f)| *out = -f),
        }
    }
}

/// One Gaussian of the Mueller-Brown surface and its gradient.
fn mueller_brown_term(&[size, a, b, c, x0, y0]: &[f64; 6], w: &[f64]) -> (f64, [f64; 2]) {
    let (x, y) = (w[0] - x0, w[1] - y0);
    let value = size * (a * x * x + b * x * y + c * y * y).exp();
    (value, [value * (2.0 * a * x + b * y), value * (b * x + 2.0 * c * y)])
}
