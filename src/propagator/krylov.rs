//! The Krylov propagator.
//!
//! Formula:   p(t) = E_α(t^α A) p(0), E_α on a rational Krylov space by a Laplace contour
//! Assumes:   coefficients constant in time; any A, reversible or not
//! Order:     none: accurate to the tolerance; mass exact and no negative value, by projection within the tolerance
//! Cost:      one factorisation and 20-25 solves for one time, 40 for six decades; steep problems take further poles
//! Fails when the estimate does not reach the tolerance within the largest basis: an error, never wrong digits
//! Reference: \[MoretNovati2011\], \[Guettel2013\]
//!
//! The space belongs to A as it is, in the plain inner product. Symmetrising first would divide by the square roots
//! of stationary probabilities: at exp(-64) and beyond nothing is left of the digits.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::allowance::allow;
use super::conservation::Conservation;
use super::hyperbola::{FULL_PRECISION, Hyperbola, LARGEST_OPENING};
use super::rational_basis::RationalBasis;
use super::{
    Evolution, Observer, Propagator, Solution, Work, constant_coefficients, time_span, undershoot, vector_bytes,
};
use crate::error::{Error, Result};
use crate::fokker_planck::{ShiftedFactor, ShiftedSystem};
use crate::mesh::Density;

/// Rational Krylov propagator with automatic poles.
#[derive(Clone, Copy, Debug)]
pub struct Krylov {
    /// Largest number of basis vectors.
    pub largest_basis: usize,
}

impl Default for Krylov {
    fn default() -> Self {
        Krylov { largest_basis: 400 }
    }
}

/// Times of one window of a contour differ by at most this factor.
const WINDOW: f64 = 100.0;
/// Solves between two looks at the estimate.
const LOOK_EVERY: usize = 4;
/// Solves before the first look.
const FIRST_LOOK: usize = 12;
/// The first pole q has q t^α about this at the geometric mean of the first and last time.
const FIRST_POLE: f64 = 1.0;
/// A further pole q for the time t has q t^α about this.
const FURTHER_POLE: f64 = 10.0;
/// The sum of the newest coefficients was seen to fall short of the error by up to 3.5 (steep planes, α = 1).
const SAFETY: f64 = 5.0;
/// exp(-36) is below the rounding unit: poles of the transform that far left contribute nothing.
const FORGOTTEN: f64 = 36.0;

impl Propagator for Krylov {
    fn name(&self) -> &'static str {
        "krylov"
    }

    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work {
        // A vector halves the error or better; each decade of times asks for a few more. Steep problems take more.
        let span = time_span(evolution);
        let decades = span.map_or(0.0, |(first, last)| (last / first).log10());
        let solves =
            if span.is_some() { (2.0 * -evolution.tolerance.log10() + 3.0 * decades).ceil() as u64 } else { 0 };
        Work {
            factorisations: u64::from(span.is_some()),
            solves,
            peak_history_bytes: (solves + 1) * vector_bytes(evolution),
            ..Work::default()
        }
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        constant_coefficients(evolution, self.name())?;
        let mut system = ShiftedSystem::new(evolution.operator, evolution.stationary)?;
        let initial = evolution.initial.probability();
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let mut densities = vec![evolution.initial.clone(); evolution.times.len() - positive.len()];
        let mut estimates = vec![0.0; densities.len()];
        let mut work = Work::default();
        let (mut raw_mass_defect, mut raw_undershoot) = (0.0f64, 0.0f64);
        if !positive.is_empty() {
            let mut search = Search::new(self, evolution, &positive);
            let found = search.run(&mut system, observer)?;
            let values = search.basis.combine(&found.coefficients);
            // What is known of the exact density: no negative probability, and its masses. Both can only reduce the error.
            let conservation = Conservation::new(evolution);
            let mesh = evolution.initial.mesh();
            for value in values.chunks_exact(initial.len()) {
                let raw = Density::new(mesh.clone(), value.to_vec());
                raw_mass_defect =
                    raw_mass_defect.max(conservation.defect(value, "a density of the Krylov propagator")?);
                raw_undershoot = raw_undershoot.min(undershoot(std::slice::from_ref(&raw)));
                let mut probability: Vec<f64> = value.iter().map(|p| p.max(0.0)).collect();
                conservation.restore(&mut probability);
                densities.push(Density::new(mesh.clone(), probability));
            }
            estimates.extend(found.estimates);
            work.solves = search.basis.solve_count() as u64;
            work.peak_history_bytes = search.basis.bytes();
        }
        work.factorisations = system.factorizations();
        Ok(Solution {
            times: evolution.times.to_vec(),
            densities,
            error_estimates: Some(estimates),
            raw_mass_defect,
            raw_undershoot,
            work,
            factorization: system.kind().name(),
        })
    }
}

/// The growth of the basis until every output time is served.
struct Search<'a> {
    limits: &'a Krylov,
    order: f64,
    tolerance: f64,
    memory_limit: u64,
    times: &'a [f64],
    basis: RationalBasis,
    poles: Vec<(f64, ShiftedFactor)>,
}

impl<'a> Search<'a> {
    fn new(limits: &'a Krylov, evolution: &Evolution<'_>, times: &'a [f64]) -> Self {
        Search {
            limits,
            order: evolution.order.value(),
            tolerance: evolution.tolerance,
            memory_limit: evolution.memory_limit,
            times,
            basis: RationalBasis::new(evolution.initial.probability()),
            poles: Vec::new(),
        }
    }

    fn run(&mut self, system: &mut ShiftedSystem, observer: &mut dyn Observer) -> Result<Found> {
        let (first, last) = (self.times[0], self.times[self.times.len() - 1]);
        let mut pole = self.use_pole((first * last).sqrt(), FIRST_POLE, system)?;
        let mut slowest = first;
        let mut looks: Vec<(usize, f64)> = Vec::new();
        loop {
            let (shift, factor) = &mut self.poles[pole];
            self.basis.extend(*shift, factor)?;
            let solves = self.basis.solve_count();
            observer.progress(solves as u64, self.limits.largest_basis as u64);
            self.check_memory(solves)?;
            let due = solves >= FIRST_LOOK && (solves - FIRST_LOOK).is_multiple_of(LOOK_EVERY);
            if !due && !self.basis.is_complete() {
                continue;
            }
            // One time is watched while the basis grows: the one that was worst when all were looked at last.
            let mut estimate = self.look(&[slowest]).estimates[0];
            if estimate <= self.tolerance || self.basis.is_complete() {
                let found = self.look(self.times);
                (slowest, estimate) = found.worst();
                if estimate <= self.tolerance || self.basis.is_complete() {
                    return found.checked();
                }
                looks.clear();
            }
            if solves >= self.limits.largest_basis {
                return Err(unconverged(estimate, self.tolerance));
            }
            looks.push((solves, estimate));
            if stalls(&looks, self.tolerance) {
                let next = self.use_pole(slowest, FURTHER_POLE, system)?;
                if next != pole {
                    pole = next;
                    looks.clear();
                }
            }
        }
    }

    /// The pole best for a time: an existing one when it is near enough, else a new factorisation.
    fn use_pole(&mut self, time: f64, ideal: f64, system: &mut ShiftedSystem) -> Result<usize> {
        let wanted = ideal / time.powf(self.order);
        let near = |shift: f64| (shift / wanted).ln().abs() < 3f64.ln();
        if let Some(known) = self.poles.iter().position(|(shift, _)| near(*shift)) {
            return Ok(known);
        }
        self.poles.push((wanted, system.factorize(wanted)?));
        Ok(self.poles.len() - 1)
    }

    fn check_memory(&self, solves: usize) -> Result<()> {
        let remedy = "relax method.tolerance or use fewer cells";
        allow(&format!("the Krylov basis of {solves} vectors"), self.basis.bytes(), self.memory_limit, remedy)
    }

    /// Coefficients and estimated errors at `times`.
    fn look(&self, times: &[f64]) -> Found {
        // Below order 1/2 no pole of the transform lies on the principal sheet: z = s^(1/α) with |arg s| > π/2.
        let ritz_values = if self.order > 0.5 { self.basis.ritz_values() } else { Vec::new() };
        let mut coefficients = Vec::with_capacity(times.len());
        let mut rest = times;
        while let Some(&first) = rest.first() {
            let window = rest.partition_point(|&time| time <= WINDOW * first);
            let last = rest[window - 1];
            match opening(&ritz_values, self.order, first, last) {
                Some(opening) => {
                    let contour = Hyperbola::new(first, last, opening, FULL_PRECISION);
                    coefficients.extend(self.basis.coefficients(self.order, &contour, &rest[..window]));
                }
                None => coefficients.extend(std::iter::repeat_n(Vec::new(), window)),
            }
            rest = &rest[window..];
        }
        let estimates = coefficients.iter().map(|set| self.estimate(set)).collect();
        Found { times: times.to_vec(), coefficients, estimates }
    }

    /// Estimated error: the newest coefficients, in the L1 norm, times a safety factor. They fall at least
    /// geometrically once the space is large enough, so the last ones tell what is missing.
    fn estimate(&self, coefficients: &[f64]) -> f64 {
        if coefficients.is_empty() {
            return f64::INFINITY;
        }
        if self.basis.is_complete() {
            return 0.0;
        }
        let newest = coefficients.len().saturating_sub(4)..coefficients.len();
        SAFETY * newest.map(|k| coefficients[k].abs() * self.basis.absolute_sum(k)).sum::<f64>()
    }
}

/// What a look at the basis found.
struct Found {
    times: Vec<f64>,
    /// Coefficients in the basis vectors, per time; empty where no contour encloses the small problem's poles.
    coefficients: Vec<Vec<f64>>,
    /// Estimated error per time; infinite where there are no coefficients.
    estimates: Vec<f64>,
}

impl Found {
    /// The time with the largest estimate. Times without coefficients count only when no other has any: nothing is
    /// known of them yet, and they should not choose a pole.
    fn worst(&self) -> (f64, f64) {
        let rank = |estimate: f64| if estimate.is_finite() { estimate } else { -1.0 };
        let pairs = self.times.iter().copied().zip(self.estimates.iter().copied());
        let (time, estimate) = pairs.max_by(|a, b| rank(a.1).total_cmp(&rank(b.1))).expect("at least one time");
        let unknown = self.times.iter().zip(&self.estimates).find(|(_, estimate)| estimate.is_infinite());
        // Never report success while some time is unknown.
        match unknown {
            Some((&unknown, _)) if estimate <= 0.0 || estimate.is_infinite() => (unknown, f64::INFINITY),
            Some(_) => (time, f64::INFINITY),
            None => (time, estimate),
        }
    }

    fn checked(self) -> Result<Self> {
        if self.estimates.iter().all(|estimate| estimate.is_finite()) {
            Ok(self)
        } else {
            Err(unconverged(f64::INFINITY, 0.0))
        }
    }
}

fn unconverged(reached: f64, wanted: f64) -> Error {
    Error::Unconverged {
        method: "krylov",
        reached,
        wanted,
        remedy: "relax method.tolerance, or split the output times into two runs".into(),
    }
}

/// Half-angle of the sector that holds the poles z = s^(1/α) of the small transform, as far as they matter at times
/// from `first` to `last`; `None` when one lies to the right of every contour.
fn opening(ritz_values: &[Complex64], order: f64, first: f64, last: f64) -> Option<f64> {
    const MARGIN: f64 = 0.03;
    let mut opening = 0.0f64;
    for value in ritz_values {
        let angle = value.arg().abs() / order;
        let size = value.norm().powf(1.0 / order);
        // Off the principal sheet, at the origin up to rounding, or forgotten before the first time.
        if angle >= PI || size * last < 0.1 || size * angle.cos() * first < -FORGOTTEN {
            continue;
        }
        opening = opening.max(PI - angle + MARGIN);
    }
    (opening <= LARGEST_OPENING).then_some(opening)
}

/// True when the trend of the estimate does not promise the tolerance within a reasonable number of solves.
fn stalls(looks: &[(usize, f64)], tolerance: f64) -> bool {
    const TREND: usize = 3;
    const PATIENCE: f64 = 40.0;
    if looks.len() <= TREND {
        return false;
    }
    let ((from, before), (to, now)) = (looks[looks.len() - 1 - TREND], looks[looks.len() - 1]);
    let decay = (before / now).ln() / (to - from) as f64;
    !(decay > 0.0 && (now / tolerance).ln() / decay <= PATIENCE)
}
