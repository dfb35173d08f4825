//! The contour propagator: the inverse Laplace transform on the whole operator.
//!
//! Formula:   p(t) = 1/(2πi) ∫ e^(zt) z^(α-1) (z^α I - A)^-1 p(0) dz on a hyperbola, one set of nodes per window of times
//! Assumes:   coefficients constant in time; any A whose numerical range is known to leave room for the contour
//! Order:     none: the tolerance; mass exact and no negative value, by projection within the tolerance
//! Cost:      one complex factorisation and solve per node: 11 for one time at 1e-10, 38 for two decades
//! Fails when the numerical range opens towards the imaginary axis, or cannot be told, or the resolvent grows along
//!            every contour (steep drift at order 1): refused
//! Reference: \[WeidemanTrefethen2007\], \[LopezFernandezPalenciaSchaedle2006\]
//!
//! Derivatives come from the same factorisations, one more solve per node each: with R = (z^α I - A)^-1,
//! d/dθ (R p) = R (dA/dθ) R p and d/dα (z^(α-1) R p) = ln z z^(α-1) (R p - z^α R R p).

use std::f64::consts::PI;
use std::ops::Range;

use num_complex::Complex64;

use super::allowance::allow;
use super::conservation::Conservation;
use super::hyperbola::{Hyperbola, LARGEST_OPENING};
use super::{Evolution, Observer, Propagator, Solution, Work, constant_coefficients, undershoot, vector_bytes};
use crate::error::{Error, Result};
use crate::fokker_planck::{ComplexShiftedSystem, Parameter, RateDerivatives};
use crate::mesh::Density;

/// Laplace inversion on the operator itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contour;

/// Derivatives of the densities: per parameter and output time one vector over the cells, each of sum zero.
pub type Derivatives = Vec<(Parameter, Vec<Vec<f64>>)>;

/// Drift makes the operator non-normal: even with detailed balance the contour keeps this distance from the axis.
const SMALLEST_OPENING: f64 = 0.05;
/// The contour's own error is kept this far below the tolerance; rounding of the solves comes on top.
const SHARE: f64 = 0.1;
/// By how much the contour opens when the resolvent is seen to grow along it.
const WIDENING: f64 = 0.15;
/// An image that is g times larger than |p(0)/z| announces an error g^this times that of a resolvent that does not
/// grow: between the contour and the spectrum it is larger still (steep wells at order 1: exponents up to 1.3 seen).
const GROWTH_EXPONENT: f64 = 1.5;
/// Largest ratio of the times of one window: beyond it more nodes are spent than on two windows.
const LARGEST_WINDOW: f64 = 300.0;

impl Propagator for Contour {
    fn name(&self) -> &'static str {
        "contour"
    }

    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work {
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let windows = windows(&positive, SMALLEST_OPENING, SHARE * evolution.tolerance);
        let nodes = windows.iter().map(|(contour, _)| contour.nodes().len() as u64).sum();
        Work {
            factorisations: nodes,
            solves: nodes,
            peak_history_bytes: positive.len() as u64 * vector_bytes(evolution),
            ..Work::default()
        }
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        Ok(self.with_derivatives(evolution, &[], observer)?.0)
    }
}

impl Contour {
    /// p and its derivatives by `parameters` at every output time.
    ///
    /// # Errors
    /// As for [`Propagator::propagate`].
    pub fn with_derivatives(
        self,
        evolution: &Evolution<'_>,
        parameters: &[Parameter],
        observer: &mut dyn Observer,
    ) -> Result<(Solution, Derivatives)> {
        constant_coefficients(evolution, self.name())?;
        let mut opening = opening(evolution)?;
        let mut system = ComplexShiftedSystem::new(evolution.operator)?;
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let mut sums = Sums::new(evolution, parameters, positive.len());
        let what = format!("the sums of {} output times", positive.len());
        allow(&what, sums.bytes(), evolution.memory_limit, "ask for fewer output times")?;
        let mut served = 0;
        while served < positive.len() {
            let windows = windows(&positive[served..], opening, SHARE * evolution.tolerance);
            let ahead: u64 = windows.iter().map(|(contour, _)| contour.nodes().len() as u64).sum();
            let total = system.factorizations() + ahead;
            for (contour, count) in &windows {
                let times = served..served + count;
                let kept = sums.integrate(evolution, contour, (&positive, times), &mut system, &mut |done| {
                    observer.progress(done, total);
                })?;
                if !kept {
                    opening += WIDENING;
                    if opening > LARGEST_OPENING {
                        return Err(refused("the resolvent grows along every contour: the drift is too steep".into()));
                    }
                    break;
                }
                served += count;
            }
        }
        let work = Work {
            factorisations: system.factorizations(),
            solves: system.factorizations() * (1 + parameters.len() as u64),
            peak_history_bytes: sums.bytes(),
            ..Work::default()
        };
        sums.finish(evolution, work, system.name())
    }
}

/// Half-angle of the sector around the negative real axis of z that holds every singularity of the transform.
fn opening(evolution: &Evolution<'_>) -> Result<f64> {
    let alpha = evolution.order.value();
    // z^α reaches the range of A at |arg z| = (π - angle)/α; beyond π that lies off the principal sheet.
    let in_z = |angle: f64| (PI - (PI - angle) / alpha).max(0.0);
    // A generator's range never reaches the right half-plane: for small orders that is enough.
    let angle =
        if in_z(0.5 * PI) == 0.0 { Some(0.5 * PI) } else { evolution.operator.opening_angle(evolution.stationary)? };
    let angle = angle.ok_or_else(|| {
        refused(
            "the landscape is too steep to bound the numerical range of an operator without detailed balance".into(),
        )
    })?;
    let opening = in_z(angle) + SMALLEST_OPENING;
    if opening > LARGEST_OPENING {
        let why =
            format!("the numerical range of the operator opens to {angle:.3} rad, which leaves no room for a contour");
        return Err(refused(why));
    }
    Ok(opening)
}

fn refused(why: String) -> Error {
    Error::DoesNotApply {
        method: "contour",
        why,
        remedy: "use propagator = \"krylov\", which needs no contour around the whole operator".into(),
    }
}

/// The contours and how many of `times` each serves: windows of equal ratio, as many as take the fewest nodes.
fn windows(times: &[f64], opening: f64, tolerance: f64) -> Vec<(Hyperbola, usize)> {
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else { return Vec::new() };
    let cut = |parts: usize| {
        let ratio = (last / first).powf(1.0 / parts as f64) * (1.0 + 1e-12);
        let (mut windows, mut rest) = (Vec::new(), times);
        while let Some(&begin) = rest.first() {
            let count = rest.partition_point(|&time| time <= ratio * begin);
            windows.push((Hyperbola::new(begin, rest[count - 1], opening, tolerance), count));
            rest = &rest[count..];
        }
        windows
    };
    let fewest = ((last / first).ln() / LARGEST_WINDOW.ln()).ceil().max(1.0) as usize;
    let nodes =
        |windows: &[(Hyperbola, usize)]| windows.iter().map(|(contour, _)| contour.nodes().len()).sum::<usize>();
    let choices = (fewest..=2 * fewest + times.len().min(4)).map(cut);
    choices.min_by_key(|windows| nodes(windows)).expect("at least one choice")
}

/// The sums over the nodes, of the density and of each derivative, per output time.
struct Sums {
    parameters: Vec<Parameter>,
    rates: Vec<Option<RateDerivatives>>,
    size: usize,
    values: Vec<Vec<f64>>,
    /// Predicted error per time.
    estimates: Vec<f64>,
    derivatives: Vec<Vec<Vec<f64>>>,
}

impl Sums {
    fn new(evolution: &Evolution<'_>, parameters: &[Parameter], times: usize) -> Self {
        let size = evolution.initial.probability().len();
        Sums {
            parameters: parameters.to_vec(),
            rates: parameters.iter().map(|&parameter| evolution.operator.derivative(parameter)).collect(),
            size,
            values: vec![vec![0.0; size]; times],
            estimates: vec![0.0; times],
            derivatives: vec![vec![vec![0.0; size]; times]; parameters.len()],
        }
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * (1 + self.parameters.len()) * self.size * size_of::<f64>()) as u64
    }

    /// Adds the nodes of a contour to the sums of its times; false, with those sums as they were, when the resolvent
    /// grows too much along it. The far nodes come first: there it grows most.
    fn integrate(
        &mut self,
        evolution: &Evolution<'_>,
        contour: &Hyperbola,
        (all, served): (&[f64], Range<usize>),
        system: &mut ComplexShiftedSystem,
        progress: &mut dyn FnMut(u64),
    ) -> Result<bool> {
        let initial = evolution.initial.probability();
        let factors: Vec<Vec<Complex64>> =
            all[served.clone()].iter().map(|&time| contour.factors(time).collect()).collect();
        let nodes: Vec<Complex64> = contour.nodes().collect();
        let error = SHARE * evolution.tolerance;
        let mut growth = 1.0f64;
        for (k, &node) in nodes.iter().enumerate().rev() {
            let shift = node.powf(evolution.order.value());
            let factor = system.factorize(shift)?;
            let images = self.images(initial, (node, shift), &|mut right| {
                factor.solve_in_place(&mut right);
                right
            });
            growth = growth.max(node.norm() * images[0].iter().map(|value| value.norm()).sum::<f64>());
            if error * growth.powf(GROWTH_EXPONENT) > evolution.tolerance {
                for time in served {
                    self.clear(time);
                }
                return Ok(false);
            }
            for (time, factors) in served.clone().zip(&factors) {
                self.add(time, factors[k], &images);
            }
            progress(system.factorizations());
        }
        self.estimates[served].fill(error * growth.powf(GROWTH_EXPONENT));
        Ok(true)
    }

    fn clear(&mut self, time: usize) {
        self.values[time].fill(0.0);
        self.derivatives.iter_mut().for_each(|times| times[time].fill(0.0));
    }

    /// The transform of p and of each derivative at a node.
    fn images(
        &self,
        initial: &[f64],
        (node, shift): (Complex64, Complex64),
        solve: &dyn Fn(Vec<Complex64>) -> Vec<Complex64>,
    ) -> Vec<Vec<Complex64>> {
        // z^(α-1) = z^α / z
        let scale = shift / node;
        let mut image = solve(initial.iter().map(|&p| p.into()).collect());
        image.iter_mut().for_each(|value| *value *= scale);
        let derivatives = self.rates.iter().map(|rates| match rates {
            Some(rates) => solve(rates.apply(&image)),
            None => {
                let again = solve(image.clone());
                let log = node.ln();
                image.iter().zip(again).map(|(once, twice)| log * (once - shift * twice)).collect()
            }
        });
        let derivatives: Vec<Vec<Complex64>> = derivatives.collect();
        std::iter::once(image).chain(derivatives).collect()
    }

    fn add(&mut self, time: usize, factor: Complex64, images: &[Vec<Complex64>]) {
        let targets = std::iter::once(&mut self.values[time]);
        let targets = targets.chain(self.derivatives.iter_mut().map(|times| &mut times[time]));
        for (target, image) in targets.zip(images) {
            for (sum, value) in target.iter_mut().zip(image) {
                *sum += factor.re * value.im + factor.im * value.re;
            }
        }
    }

    fn finish(
        self,
        evolution: &Evolution<'_>,
        work: Work,
        factorization: &'static str,
    ) -> Result<(Solution, Derivatives)> {
        let conservation = Conservation::new(evolution);
        let mesh = evolution.initial.mesh();
        let starts = evolution.times.len() - self.values.len();
        let mut densities = vec![evolution.initial.clone(); starts];
        let mut estimates = vec![0.0; starts];
        let (mut raw_mass_defect, mut raw_undershoot) = (0.0f64, 0.0f64);
        for (value, predicted) in self.values.into_iter().zip(self.estimates) {
            // The error of the quadrature shows in the mass as well, which the exact density keeps.
            let defect = conservation.defect(&value, "a density of the contour propagator")?;
            estimates.push(defect.max(predicted));
            raw_mass_defect = raw_mass_defect.max(defect);
            let raw = Density::new(mesh.clone(), value);
            raw_undershoot = raw_undershoot.min(undershoot(std::slice::from_ref(&raw)));
            let mut probability: Vec<f64> = raw.probability().iter().map(|p| p.max(0.0)).collect();
            conservation.restore(&mut probability);
            densities.push(Density::new(mesh.clone(), probability));
        }
        let at_start = |_| vec![0.0; self.size];
        let derivatives = self.parameters.into_iter().zip(self.derivatives).map(|(parameter, values)| {
            let projected = values.into_iter().zip(&densities[starts..]).map(|(mut value, density)| {
                // No parameter changes the mass.
                let defect: f64 = value.iter().sum();
                value.iter_mut().zip(density.probability()).for_each(|(value, p)| *value -= defect * p);
                value
            });
            (parameter, (0..starts).map(at_start).chain(projected).collect())
        });
        let derivatives = derivatives.collect();
        let solution = Solution {
            times: evolution.times.to_vec(),
            densities,
            error_estimates: Some(estimates),
            raw_mass_defect,
            raw_undershoot,
            work,
            factorization,
        };
        Ok((solution, derivatives))
    }
}
