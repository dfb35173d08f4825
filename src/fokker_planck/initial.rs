//! Initial densities as probabilities per cell: exact integrals where there is a formula, quadrature elsewhere.
//!
//! What falls outside the domain, or into the missing cells of a porous mesh, is lost: the rest is normalised and the
//! lost part returned with it.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::landscape::{Formula, GridField};
use crate::math::quadrature::gauss_legendre;
use crate::math::summation::compensated_sum;
use crate::mesh::{Axis, Density, Mesh};

/// A normalised initial density and the mass that was lost in fitting it to the mesh.
#[derive(Clone, Debug)]
pub struct InitialDensity {
    /// Probabilities per cell, of sum one.
    pub density: Density,
    /// Part of the given density that lies outside the medium, 0 to 1.
    pub lost_mass: f64,
}

/// Points per axis and cell where a density is integrated numerically.
const POINTS: usize = 5;

impl InitialDensity {
    /// A Gaussian with independent coordinates: `mean` \[w\] and `standard_deviation` \[w\], one entry per axis.
    ///
    /// # Errors
    /// When no mass falls into the medium.
    pub fn gaussian(mesh: &Arc<Mesh>, mean: &[f64], standard_deviation: &[f64]) -> Result<Self> {
        let along: Vec<Vec<f64>> = mesh
            .axes()
            .iter()
            .zip(mean.iter().zip(standard_deviation))
            .map(|(axis, (&mean, &deviation))| gaussian_cells(axis, mean, deviation))
            .collect();
        let weight = |index: &[usize; 3]| along.iter().zip(index).map(|(cells, &index)| cells[index]).product();
        let probability: Vec<f64> = mesh.cells().iter().map(|cell| weight(&cell.index)).collect();
        Self::normalised(mesh, probability, 1.0, "initial.mean", &format!("{mean:?}"))
    }

    /// The same density everywhere in the medium.
    pub fn uniform(mesh: &Arc<Mesh>) -> Self {
        let volume = compensated_sum(mesh.cells().iter().map(|cell| cell.volume));
        let probability = mesh.cells().iter().map(|cell| cell.volume / volume).collect();
        InitialDensity { density: Density::new(mesh.clone(), probability), lost_mass: 0.0 }
    }

    /// All mass in the cell that contains `point`.
    ///
    /// # Errors
    /// When the point lies outside the medium.
    pub fn point(mesh: &Arc<Mesh>, point: &[f64]) -> Result<Self> {
        let cell = mesh.cell_containing(point).ok_or_else(|| {
            Error::invalid(
                "initial.at",
                format!("{point:?}"),
                "the point lies outside the medium",
                "move it into the domain, or raise domain.keep_below",
            )
        })?;
        let mut probability = vec![0.0; mesh.cell_count()];
        probability[cell] = 1.0;
        Ok(InitialDensity { density: Density::new(mesh.clone(), probability), lost_mass: 0.0 })
    }

    /// A density proportional to a formula, integrated with five Gauss points per axis and cell.
    ///
    /// # Errors
    /// When the formula is negative or not finite somewhere, or zero everywhere.
    pub fn formula(mesh: &Arc<Mesh>, formula: &Formula) -> Result<Self> {
        Self::integrated(mesh, "initial.formula", &format!("{:?}", formula.text()), |point| {
            formula.evaluate(point, 0.0)
        })
    }

    /// A density proportional to a saved field, integrated likewise; outside its grid it is zero.
    ///
    /// # Errors
    /// When the field is negative somewhere in the medium or zero everywhere.
    pub fn grid(mesh: &Arc<Mesh>, field: &GridField) -> Result<Self> {
        Self::integrated(mesh, "initial.file", "density", |point| match field.value(point) {
            value if value.is_nan() => 0.0,
            value => value,
        })
    }

    fn integrated(mesh: &Arc<Mesh>, key: &str, shown: &str, value: impl Fn(&[f64]) -> f64) -> Result<Self> {
        let rule = gauss_legendre(POINTS);
        let dimension = mesh.dimension();
        let mut probability = Vec::with_capacity(mesh.cell_count());
        for cell in mesh.cells() {
            let mut sum = 0.0;
            for combination in 0..POINTS.pow(dimension as u32) {
                let mut point = [0.0; 3];
                let mut weight = 1.0;
                let mut rest = combination;
                for (k, axis) in mesh.axes().iter().enumerate() {
                    let (node, part) = rule[rest % POINTS];
                    rest /= POINTS;
                    point[k] = cell.center[k] + 0.5 * axis.width() * node;
                    weight *= 0.5 * part;
                }
                let found = value(&point[..dimension]);
                if !(found >= 0.0 && found.is_finite()) {
                    return Err(Error::invalid(
                        key,
                        shown,
                        format!(
                            "a density must be finite and >= 0, here it is {found} at w = {:?}",
                            &point[..dimension]
                        ),
                        "change the formula or shrink the domain",
                    ));
                }
                sum += weight * found;
            }
            probability.push(sum * cell.volume);
        }
        let total = compensated_sum(probability.iter().copied());
        Self::normalised(mesh, probability, total, key, shown)
    }

    fn normalised(mesh: &Arc<Mesh>, mut probability: Vec<f64>, whole: f64, key: &str, shown: &str) -> Result<Self> {
        let kept = compensated_sum(probability.iter().copied());
        if !(kept > 0.0 && kept.is_finite()) {
            return Err(Error::invalid(
                key,
                shown,
                "no part of this density lies inside the medium",
                "move the density into the domain, or enlarge the domain",
            ));
        }
        probability.iter_mut().for_each(|p| *p /= kept);
        Ok(InitialDensity {
            density: Density::new(mesh.clone(), probability),
            lost_mass: (1.0 - kept / whole).max(0.0),
        })
    }
}

/// Integrals of a Gaussian over the cells of an axis.
fn gaussian_cells(axis: &Axis, mean: f64, deviation: f64) -> Vec<f64> {
    let scaled = |edge: f64| (edge - mean) / (deviation * std::f64::consts::SQRT_2);
    (0..axis.cells()).map(|index| gaussian_integral(scaled(axis.edge(index)), scaled(axis.edge(index + 1)))).collect()
}

/// Integral of exp(-x^2)/sqrt(pi) from `low` to `high`: by complementary error functions on the side where they are
/// small, and by quadrature where their difference would cancel.
fn gaussian_integral(low: f64, high: f64) -> f64 {
    let (near, far) = if low >= 0.0 { (low, high) } else { (-high, -low) };
    if near < 0.0 {
        return 0.5 * (special::Error::error(far) - special::Error::error(near));
    }
    let width = far - near;
    if width * (near + far) < 1.0 {
        let rule = gauss_legendre(POINTS + 3);
        let middle = 0.5 * (near + far);
        let sum: f64 = rule.iter().map(|(node, weight)| weight * (-(middle + 0.5 * width * node).powi(2)).exp()).sum();
        return 0.5 * width * sum / std::f64::consts::PI.sqrt();
    }
    0.5 * (special::Error::compl_error(near) - special::Error::compl_error(far))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_integrals_keep_their_relative_accuracy_in_the_tails() {
        // (erf(b) - erf(a)) / 2 computed with 40 digits.
        for (low, high, exact) in [
            (-0.1, 0.2, 0.167_582_752_614_381_68),
            (0.5, 0.51, 4.371_871_014_061_95e-3),
            (3.0, 4.0, 1.103_753_987_034_258e-5),
            (10.0, 10.001, 2.077_978_370_374_925e-47),
            (-20.0, -19.5, 1.045_477_071_263_432e-167),
            (25.0, 26.0, 4.150_086_285_598_261_4e-274),
        ] {
            let value = gaussian_integral(low, high);
            assert!((value / exact - 1.0).abs() < 2e-13, "{low}..{high}: {value:e} against {exact:e}");
        }
    }

    fn mesh(cells: usize) -> Arc<Mesh> {
        let axis = Axis::new(-2.0, 3.0, cells).expect("valid");
        Arc::new(Mesh::cartesian(&[axis, axis]).expect("valid"))
    }

    #[test]
    fn a_cut_gaussian_is_renormalised_and_its_loss_returned() {
        let cut = InitialDensity::gaussian(&mesh(40), &[3.0, 0.5], &[0.2, 0.2]).expect("inside");
        assert!((cut.lost_mass - 0.5).abs() < 1e-12);
        assert!((cut.density.mass() - 1.0).abs() < 1e-15);
        assert!(InitialDensity::gaussian(&mesh(40), &[50.0, 0.0], &[0.1, 0.1]).is_err());
    }

    #[test]
    fn formula_and_exact_integrals_agree() {
        let mesh = mesh(60);
        let exact = InitialDensity::gaussian(&mesh, &[0.3, 0.5], &[0.3, 0.4]).expect("inside");
        let text = "exp(-(x-0.3)^2/(2*0.3^2) - (y-0.5)^2/(2*0.4^2))";
        let formula = Formula::parse("initial.formula", text, 2).expect("a formula");
        let integrated = InitialDensity::formula(&mesh, &formula).expect("positive");
        for (a, b) in exact.density.probability().iter().zip(integrated.density.probability()) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b));
        }
        let negative = Formula::parse("initial.formula", "x", 2).expect("a formula");
        assert!(InitialDensity::formula(&mesh, &negative).is_err());
    }

    #[test]
    fn points_and_uniform_densities() {
        let mesh = mesh(5);
        let point = InitialDensity::point(&mesh, &[0.1, 2.9]).expect("inside");
        let cell = mesh.cell_containing(&[0.1, 2.9]).expect("inside");
        assert_eq!(point.density.probability()[cell], 1.0);
        assert!(InitialDensity::point(&mesh, &[0.1, 3.1]).is_err());
        let uniform = InitialDensity::uniform(&mesh);
        assert!(uniform.density.values().iter().all(|value| (value - 1.0 / 25.0).abs() < 1e-16));
    }
}
