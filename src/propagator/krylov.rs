//! The Krylov propagator.
//!
//! Formula:   p(t) = E_α(t^α A) p(0), E_α on a rational Krylov space by a Laplace contour
//! Assumes:   coefficients constant in time; any A, reversible or not
//! Order:     none: accurate to the tolerance, mass exact, positive to the tolerance
//! Cost:      one factorisation and 20-25 solves for one time, 40 for six decades; steep problems take further poles
//! Fails when the estimate does not reach the tolerance within the largest basis: an error, never wrong digits
//! Reference: \[MoretNovati2011\], \[Guettel2013\]
//!
//! The space belongs to A as it is, in the plain inner product. Symmetrising first would divide by the square roots
//! of stationary probabilities: at exp(-64) and beyond nothing is left of the digits.

use super::hyperbola::Hyperbola;
use super::rational_basis::RationalBasis;
use super::{Evolution, Observer, Propagator, Solution, Work};
use crate::error::{Error, Result};
use crate::fokker_planck::{ShiftedFactor, ShiftedSystem};
use crate::math::summation::compensated_sum;
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
const WINDOW: f64 = 10.0;
/// Solves between two looks at the estimate.
const LOOK_EVERY: usize = 4;
/// Solves before the first look.
const FIRST_LOOK: usize = 12;
/// A pole q serves the time t best when q t^α is about this.
const BEST_POLE: f64 = 10.0;

impl Propagator for Krylov {
    fn name(&self) -> &'static str {
        "krylov"
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        let mut system = ShiftedSystem::new(evolution.operator, evolution.stationary)?;
        let initial = evolution.initial.probability();
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let mut densities = vec![evolution.initial.clone(); evolution.times.len() - positive.len()];
        let mut estimates = vec![0.0; densities.len()];
        let mut work = Work::default();
        let mut raw_mass_defect = 0.0f64;
        if !positive.is_empty() {
            let mut search = Search::new(self, evolution, &positive);
            search.run(&mut system, observer)?;
            let (values, tails) = search.evaluate(&positive);
            let mass = compensated_sum(initial.iter().copied());
            for value in values.chunks_exact(initial.len()) {
                let (density, defect) = with_mass(value, mass)?;
                raw_mass_defect = raw_mass_defect.max(defect);
                densities.push(Density::new(evolution.initial.mesh().clone(), density));
            }
            estimates.extend(tails);
            work.solves = search.basis.solve_count() as u64;
            work.peak_history_bytes = search.basis.bytes();
        }
        work.factorisations = system.factorizations();
        Ok(Solution {
            times: evolution.times.to_vec(),
            densities,
            error_estimates: Some(estimates),
            raw_mass_defect,
            work,
            factorization: system.kind().name(),
        })
    }
}

/// The mass rule: scales `value` to the mass it must have; returns the relative defect before.
fn with_mass(value: &[f64], mass: f64) -> Result<(Vec<f64>, f64)> {
    let found = compensated_sum(value.iter().copied());
    if !(found.is_finite() && found > 0.0) {
        return Err(Error::NotFinite { stage: format!("a density of the Krylov propagator has mass {found}") });
    }
    let scale = mass / found;
    Ok((value.iter().map(|value| value * scale).collect(), (found / mass - 1.0).abs()))
}

/// The growth of the basis until every output time is served.
struct Search<'a> {
    limits: &'a Krylov,
    order: f64,
    tolerance: f64,
    memory_limit: u64,
    /// Times at which the estimate is watched while the basis grows.
    watched: Vec<f64>,
    basis: RationalBasis,
    poles: Vec<(f64, ShiftedFactor)>,
}

impl<'a> Search<'a> {
    fn new(limits: &'a Krylov, evolution: &Evolution<'_>, times: &[f64]) -> Self {
        Search {
            limits,
            order: evolution.order.value(),
            tolerance: evolution.tolerance,
            memory_limit: evolution.memory_limit,
            watched: watched(times),
            basis: RationalBasis::new(evolution.initial.probability()),
            poles: Vec::new(),
        }
    }

    fn run(&mut self, system: &mut ShiftedSystem, observer: &mut dyn Observer) -> Result<()> {
        let (first, last) = (self.watched[0], self.watched[self.watched.len() - 1]);
        let mut pole = self.use_pole((first * last).sqrt(), 1.0, system)?;
        let mut looks: Vec<(usize, f64)> = Vec::new();
        loop {
            let (shift, factor) = &mut self.poles[pole];
            self.basis.extend(*shift, factor)?;
            let solves = self.basis.solve_count();
            observer.progress(solves as u64, self.limits.largest_basis as u64);
            if self.basis.is_complete() {
                return Ok(());
            }
            self.check_memory(solves)?;
            if solves < FIRST_LOOK || (solves - FIRST_LOOK) % LOOK_EVERY != 0 {
                continue;
            }
            let (worst_time, worst) = self.worst();
            if std::env::var("KRYLOV_TRACE").is_ok() { eprintln!("m={solves} pole={:.3e} worst t={worst_time:.3e} est={worst:.2e}", self.poles[pole].0); }
            if worst <= self.tolerance {
                return Ok(());
            }
            if solves >= self.limits.largest_basis {
                return Err(Error::Unconverged {
                    method: "krylov",
                    reached: worst,
                    wanted: self.tolerance,
                    remedy: "relax method.tolerance, or split the output times into two runs".into(),
                });
            }
            looks.push((solves, worst));
            if stalls(&looks, self.tolerance) {
                let next = self.use_pole(worst_time, BEST_POLE, system)?;
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
        if self.basis.bytes() <= self.memory_limit {
            return Ok(());
        }
        Err(Error::TooLarge {
            what: format!("the Krylov basis of {solves} vectors"),
            bytes: self.basis.bytes(),
            limit: self.memory_limit,
            remedy: "raise method.memory_limit, relax method.tolerance or use fewer cells".into(),
        })
    }

    /// The watched time with the largest estimate.
    fn worst(&self) -> (f64, f64) {
        let estimates = self.watched.iter().map(|&time| {
            let contour = Hyperbola::new(time, time, 0.0);
            let coefficients = self.basis.coefficients(self.order, &contour, &[time]);
            (time, self.estimate(&coefficients[0]))
        });
        estimates.max_by(|a, b| a.1.total_cmp(&b.1)).expect("at least one watched time")
    }

    /// Estimated error: the newest coefficients, in the L1 norm. They fall faster than geometrically once the
    /// space is large enough, so the last ones bound what is missing.
    fn estimate(&self, coefficients: &[f64]) -> f64 {
        if self.basis.is_complete() {
            return 0.0;
        }
        let newest = coefficients.len().saturating_sub(3)..coefficients.len();
        newest.map(|k| coefficients[k].abs() * self.basis.absolute_sum(k)).fold(0.0, f64::max)
    }

    /// Densities at all times, one after another, and their estimated errors.
    fn evaluate(&self, times: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut coefficients = Vec::with_capacity(times.len());
        let mut rest = times;
        while let Some(&first) = rest.first() {
            let window = rest.partition_point(|&time| time <= WINDOW * first);
            let contour = Hyperbola::new(first, rest[window - 1], 0.0);
            coefficients.extend(self.basis.coefficients(self.order, &contour, &rest[..window]));
            rest = &rest[window..];
        }
        let estimates = coefficients.iter().map(|set| self.estimate(set)).collect();
        (self.basis.combine(&coefficients), estimates)
    }
}

/// First, last and a few times between, evenly spread in the logarithm.
fn watched(times: &[f64]) -> Vec<f64> {
    const LARGEST: usize = 5;
    let last = times.len() - 1;
    let mut chosen: Vec<f64> = (0..LARGEST).map(|k| times[(k * last) / (LARGEST - 1)]).collect();
    chosen.dedup();
    chosen
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
