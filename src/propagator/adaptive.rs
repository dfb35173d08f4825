//! Steps chosen by the solution: a tolerance in, an accuracy out.
//!
//! Formula:   a step τ ending at t is accepted while (t/τ)^(2-q) |τ (slope - slope before)| <= η max(1, t_1/t)^ρ, in the
//!            L1 norm, q the scheme's order, t_1 the first output time; then every step is halved, and the difference
//!            of both runs over 2^q - 1 is the error of the finer one, which is returned
//! Assumes:   nothing of the coefficients; they may change with time
//! Order:     the tolerance, at the output times
//! Cost:      a coarse run that finds the constant between η and the error, then one run on N steps and one on 2 N
//! Fails when the estimate does not come down to the tolerance: an error, never wrong digits
//! Reference: \[KoptevaMeng2020\] for the steps at the start, \[Yuste2014\] for doubling
//!
//! The indicator τ² p'' is the error of interpolation; the factor in front makes it the truncation error of the scheme
//! against the weight t^-α, under which a barrier bounds the error by η. What goes wrong long before the first output
//! time is forgotten like t^(α-1), so steps near the start may be longer by ρ = 0.9 (1 - α).

use super::allowance::allow;
use super::step::{Kept, Stepper, march};
use super::{Evolution, Observer, Propagator, Solution, Work, by_exponentials, time_span, undershoot, vector_bytes};
use crate::caputo::{CaputoScheme, MemorySum};
use crate::error::{Error, Result};
use crate::math::special::gamma;
use crate::mesh::Density;

/// A scheme for any steps, with steps chosen to keep the tolerance.
pub struct Adaptive<'a> {
    /// A scheme with a graded order.
    pub scheme: &'a dyn CaputoScheme,
    /// Most steps of one run.
    pub largest_count: usize,
}

impl<'a> Adaptive<'a> {
    /// Adaptive steps of `scheme`.
    pub fn new(scheme: &'a dyn CaputoScheme) -> Self {
        Adaptive { scheme, largest_count: 2_000_000 }
    }
}

/// Tolerance of the run that finds the constant between indicator and error.
const PILOT: f64 = 1e-3;
/// Part of the tolerance that is aimed at.
const AIM: f64 = 0.5;
/// Runs before giving up.
const ATTEMPTS: usize = 5;
/// A step may grow and shrink by these factors. Alikhanov's scheme is stable while steps do not shrink by more than
/// 4/7 from one to the next.
const GROWTH: f64 = 1.6;
const SHRINKAGE: f64 = 0.6;
/// Part of the step at which the indicator is expected to reach its bound.
const CAUTION: f64 = 0.85;
/// Part of 1 - α by which the bound of the indicator rises towards the start.
const FORGETTING: f64 = 0.9;
/// No step is shorter than this part of the first output time.
const SHORTEST: f64 = 1e-14;

impl Propagator for Adaptive<'_> {
    fn name(&self) -> &'static str {
        self.scheme.name()
    }

    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work {
        let Some((first, last)) = time_span(evolution) else { return Work::default() };
        // A step per q-th root of the tolerance was seen, in all runs together; curvature decides, so this is a guess.
        let graded_order = self.scheme.guarantees(evolution.order).graded_order.unwrap_or(1.0);
        let steps = (3.0 * evolution.tolerance.powf(-1.0 / graded_order)).ceil() as u64;
        let decades = (last / first).log10() + 8.0;
        let terms = (-0.5 * (1.1 * decades + 2.0) * (0.1 * evolution.tolerance).log10()) as u64;
        Work {
            factorisations: steps,
            solves: steps,
            steps,
            memory_flops: 6 * terms * steps * evolution.initial.probability().len() as u64,
            peak_history_bytes: terms * vector_bytes(evolution),
            rejected_steps: 0,
        }
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        let order = evolution.order;
        let Some(graded_order) = self.scheme.guarantees(order).graded_order else {
            return Err(Error::DoesNotApply {
                method: self.scheme.name(),
                why: "it needs uniform steps, which adaptive ones are not".into(),
                remedy: "use propagator = \"l1\" or \"l2-1sigma\", or a number of steps".into(),
            });
        };
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let (Some(&first), Some(&last)) = (positive.first(), positive.last()) else {
            return Ok(Solution::at_start(evolution));
        };
        let mut control = Control {
            scheme: self.scheme,
            graded_order,
            alpha: order.value(),
            bound: PILOT.max(evolution.tolerance),
            span: (first, last),
            largest_count: self.largest_count,
            kernel_tolerance: (0.1 * evolution.tolerance).clamp(1e-12, 1e-6),
        };
        let mut work = Work::default();
        let mut reached = f64::INFINITY;
        for _ in 0..ATTEMPTS {
            let mut times = control.choose_times(evolution, &mut work, observer)?;
            let coarse = control.run(evolution, &times, &mut work, observer)?.densities;
            times = halved(&times);
            let mut fine = control.run(evolution, &times, &mut work, observer)?;
            let pairs = coarse.iter().zip(&fine.densities);
            let distance = |(a, b): (&Density, &Density)| -> f64 {
                let pairs = a.probability().iter().zip(b.probability());
                pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / b.mass()
            };
            let estimates: Vec<f64> = pairs.map(|pair| distance(pair) / (graded_order.exp2() - 1.0)).collect();
            reached = estimates.iter().copied().fold(0.0, f64::max);
            if reached <= evolution.tolerance {
                fine.error_estimates = Some(estimates);
                fine.work = work;
                return Ok(fine);
            }
            control.bound *= AIM * evolution.tolerance / reached;
        }
        Err(Error::Unconverged {
            method: self.scheme.name(),
            reached,
            wanted: evolution.tolerance,
            remedy: "relax method.tolerance, or give a number of steps".into(),
        })
    }
}

/// The choice of steps for one bound of the indicator.
struct Control<'a> {
    scheme: &'a dyn CaputoScheme,
    graded_order: f64,
    alpha: f64,
    /// Bound η of the indicator.
    bound: f64,
    /// First and last output time.
    span: (f64, f64),
    largest_count: usize,
    kernel_tolerance: f64,
}

impl Control<'_> {
    /// Bound of the indicator at a time.
    fn bound_at(&self, time: f64) -> f64 {
        self.bound * (self.span.0 / time).max(1.0).powf(FORGETTING * (1.0 - self.alpha))
    }

    /// The first step: the density moves by |A p(0)| τ^α / Γ(1+α).
    fn first_step(&self, evolution: &Evolution<'_>) -> f64 {
        let mut flow = vec![0.0; evolution.initial.probability().len()];
        evolution.operator.apply(evolution.initial.probability(), &mut flow);
        let speed = flow.iter().map(|value| value.abs()).sum::<f64>() / gamma(1.0 + self.alpha);
        let (first, exponent) = (self.span.0, FORGETTING * (1.0 - self.alpha));
        // speed τ^α = η (t_1/τ)^exponent; a start without speed is left at once.
        let step = (self.bound * first.powf(exponent) / speed).powf(1.0 / (self.alpha + exponent));
        step.clamp(SHORTEST * first, 0.1 * first)
    }

    fn memory<'m>(&'m self, evolution: &Evolution<'_>, shortest: f64) -> Result<Box<dyn MemorySum + 'm>> {
        let size = evolution.initial.probability().len();
        let span = (shortest, self.span.1);
        let sum = by_exponentials(self.scheme, evolution, span, self.kernel_tolerance)?;
        let sum = sum.ok_or_else(|| Error::DoesNotApply {
            method: self.scheme.name(),
            why: "its memory has no kernel for any steps".into(),
            remedy: "use propagator = \"l1\" or \"l2-1sigma\"".into(),
        })?;
        let what = format!("the exponential modes of the memory of {size} cells");
        allow(&what, sum.bytes(), evolution.memory_limit, "relax method.tolerance or use fewer cells")?;
        Ok(Box::new(sum))
    }

    /// Times from 0 to the last output with every output among them, by the indicator.
    fn choose_times(
        &self,
        evolution: &Evolution<'_>,
        work: &mut Work,
        observer: &mut dyn Observer,
    ) -> Result<Vec<f64>> {
        let mut shortest = 0.0;
        loop {
            // Steps that turn out shorter than the memory was made for take a new memory.
            match self.try_to_choose(evolution, shortest, work, observer)? {
                Choice::Times(times) => return Ok(times),
                Choice::Shorter(step) => shortest = 1e-3 * step,
            }
        }
    }

    fn try_to_choose(
        &self,
        evolution: &Evolution<'_>,
        shortest: f64,
        work: &mut Work,
        observer: &mut dyn Observer,
    ) -> Result<Choice> {
        let mut step = self.first_step(evolution);
        let shortest = if shortest > 0.0 { shortest } else { 0.5 * step };
        let mut stepper = Stepper::new(evolution, self.scheme, self.memory(evolution, shortest)?)?;
        let mut kept = Kept::new(evolution);
        let mut times = vec![0.0];
        let mut before: Option<(f64, Vec<f64>)> = None;
        let mut now = 0.0;
        while let Some(target) = kept.next_time() {
            let left: f64 = target - now;
            // Two equal steps rather than a long one and a crumb.
            let (length, ends) = if left <= step { (left, true) } else { (step.min(0.5 * left), false) };
            if length < shortest {
                work.add(&stepper.work());
                return Ok(Choice::Shorter(length));
            }
            let end = if ends { target } else { now + length };
            stepper.attempt(length)?;
            let indicator = self.indicator(&stepper, length, end, before.as_ref());
            if indicator > 1.0 && length > SHORTEST * self.span.0 {
                step = length * SHRINKAGE;
                continue;
            }
            stepper.accept(end)?;
            kept.keep_if_wanted(&stepper);
            before = Some((length, stepper.increment().to_vec()));
            times.push(end);
            now = end;
            if times.len() > self.largest_count {
                return Err(Error::Unconverged {
                    method: self.scheme.name(),
                    reached: f64::INFINITY,
                    wanted: evolution.tolerance,
                    remedy: format!("more than {} steps would be needed: relax method.tolerance", self.largest_count),
                });
            }
            let ideal = CAUTION * indicator.max(1e-300).powf(-1.0 / self.graded_order);
            // A step cut short by an output time says little of the next.
            step = step.max(length) * ideal.clamp(SHRINKAGE, GROWTH);
            observer.progress((now / self.span.1 * 1000.0) as u64, 1000);
        }
        work.add(&stepper.work());
        Ok(Choice::Times(times))
    }

    /// Indicator of the step tried last, over its bound.
    fn indicator(&self, stepper: &Stepper<'_>, length: f64, end: f64, before: Option<&(f64, Vec<f64>)>) -> f64 {
        let Some((earlier, past)) = before else { return 0.0 };
        let pairs = stepper.increment().iter().zip(past);
        // τ times the change of slope: τ (τ + τ')/2 p'' with the same weight for both lengths.
        let change: f64 = pairs.map(|(next, past)| (next - past * (length / earlier)).abs()).sum();
        let curvature = change * 2.0 * length / (length + earlier);
        curvature * (end / length).powf(2.0 - self.graded_order) / self.bound_at(end)
    }

    /// The solution on given times.
    fn run(
        &self,
        evolution: &Evolution<'_>,
        times: &[f64],
        work: &mut Work,
        observer: &mut dyn Observer,
    ) -> Result<Solution> {
        let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let shortest = steps.iter().copied().fold(f64::INFINITY, f64::min);
        let mut stepper = Stepper::new(evolution, self.scheme, self.memory(evolution, shortest)?)?;
        let densities = march(&mut stepper, times, &steps, observer, (0, steps.len() as u64))?;
        work.add(&stepper.work());
        Ok(Solution {
            times: evolution.times.to_vec(),
            raw_mass_defect: stepper.raw_mass_defect,
            raw_undershoot: undershoot(&densities),
            densities,
            error_estimates: None,
            work: stepper.work(),
            factorization: stepper.factorization(),
        })
    }
}

/// What a choice of steps led to.
enum Choice {
    Times(Vec<f64>),
    /// A step shorter than the memory was made for.
    Shorter(f64),
}

/// Every step in two.
fn halved(times: &[f64]) -> Vec<f64> {
    let pairs = times.windows(2).flat_map(|pair| [0.5 * (pair[0] + pair[1]), pair[1]]);
    std::iter::once(times[0]).chain(pairs).collect()
}
