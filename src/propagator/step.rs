//! One step of a Caputo scheme, tried and then accepted or left.
//!
//! Formula:   (w_n I - (1-σ) A) δ_n = A p_(n-1) - history + c_n A p_0, A at the time t_n - σ τ_n where it acts

use super::conservation::Conservation;
use super::{Evolution, Observer, Work};
use crate::caputo::{CaputoScheme, MemorySum};
use crate::error::{Error, Result};
use crate::fokker_planck::{Operator, ShiftedFactor, ShiftedSystem};
use crate::mesh::Density;

/// The state of a run between two steps.
pub(super) struct Stepper<'a> {
    evolution: &'a Evolution<'a>,
    scheme: &'a dyn CaputoScheme,
    memory: Box<dyn MemorySum + 'a>,
    operator: OperatorNow<'a>,
    conservation: Conservation,
    /// Time reached and steps accepted.
    time: f64,
    count: usize,
    probability: Vec<f64>,
    /// A p(0) at time 0.
    start_flow: Vec<f64>,
    history: Vec<f64>,
    /// Increment of the step tried last, and its length.
    increment: Vec<f64>,
    tried: f64,
    solves: u64,
    /// Largest relative change of the mass that the rule mended.
    pub(super) raw_mass_defect: f64,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(
        evolution: &'a Evolution<'a>,
        scheme: &'a dyn CaputoScheme,
        memory: Box<dyn MemorySum + 'a>,
    ) -> Result<Self> {
        let probability = evolution.initial.probability().to_vec();
        let size = probability.len();
        let mut start_flow = vec![0.0; size];
        evolution.operator.apply(&probability, &mut start_flow);
        Ok(Stepper {
            evolution,
            scheme,
            memory,
            operator: OperatorNow::new(evolution)?,
            conservation: Conservation::new(evolution),
            time: 0.0,
            count: 0,
            probability,
            start_flow,
            history: vec![0.0; size],
            increment: vec![0.0; size],
            tried: 0.0,
            solves: 0,
            raw_mass_defect: 0.0,
        })
    }

    /// The increment of the step tried last, before the mass rule.
    pub(super) fn increment(&self) -> &[f64] {
        &self.increment
    }

    /// Solves for the increment over the next `step`; nothing else changes.
    pub(super) fn attempt(&mut self, step: f64) -> Result<()> {
        let offset = self.scheme.evaluation_offset(self.evolution.order);
        self.operator.move_to(self.time + (1.0 - offset) * step)?;
        // The operator acts at the evaluation point, on p_(n-1) and this part of the increment.
        let part = 1.0 - offset;
        let weight = self.memory.history(step, &mut self.history);
        self.operator.current().apply(&self.probability, &mut self.increment);
        let correction = self.scheme.start_correction(self.count + 1);
        for ((right, past), start) in self.increment.iter_mut().zip(&self.history).zip(&self.start_flow) {
            *right = (*right - past + correction * start) / part;
        }
        self.operator.factor(weight / part)?.solve_in_place(&mut self.increment);
        self.tried = step;
        self.solves += 1;
        Ok(())
    }

    /// Takes the step tried last, which ends at `time`.
    pub(super) fn accept(&mut self, time: f64) -> Result<()> {
        self.probability.iter_mut().zip(&self.increment).for_each(|(p, increment)| *p += increment);
        self.count += 1;
        // A value that is not finite makes the mass so, and is refused with it.
        let defect = self
            .conservation
            .restore_with(&mut self.probability, &mut self.increment, "a density of the time steps")
            .map_err(|_| Error::NotFinite { stage: format!("step {} (t = {time:e})", self.count) })?;
        self.raw_mass_defect = self.raw_mass_defect.max(defect);
        self.memory.push(&self.increment, self.tried);
        self.time = time;
        Ok(())
    }

    /// The work so far.
    pub(super) fn work(&self) -> Work {
        Work {
            factorisations: self.operator.system.factorizations(),
            solves: self.solves,
            memory_flops: self.memory.flops(),
            peak_history_bytes: self.memory.bytes(),
            steps: self.count as u64,
            rejected_steps: self.solves - self.count as u64,
        }
    }

    /// Name of the factorisation in use.
    pub(super) fn factorization(&self) -> &'static str {
        self.operator.system.kind().name()
    }
}

/// Marches over given times and keeps the densities of the output times; `observer` hears the number of steps done
/// above `before`, of `total`.
pub(super) fn march(
    stepper: &mut Stepper<'_>,
    times: &[f64],
    steps: &[f64],
    observer: &mut dyn Observer,
    (before, total): (u64, u64),
) -> Result<Vec<Density>> {
    let evolution = stepper.evolution;
    let mut kept = Kept::new(evolution);
    for (n, (&time, &step)) in times[1..].iter().zip(steps).enumerate() {
        stepper.attempt(step)?;
        stepper.accept(time)?;
        kept.keep_if_wanted(stepper);
        observer.progress(before + n as u64 + 1, total);
    }
    Ok(kept.densities)
}

/// The densities of the output times, as they are reached.
pub(super) struct Kept<'a> {
    evolution: &'a Evolution<'a>,
    pub(super) densities: Vec<Density>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(evolution: &'a Evolution<'a>) -> Self {
        let starts = evolution.times.iter().take_while(|&&time| time <= 0.0).count();
        Kept { evolution, densities: vec![evolution.initial.clone(); starts] }
    }

    /// The next output time that is not yet reached.
    pub(super) fn next_time(&self) -> Option<f64> {
        self.evolution.times.get(self.densities.len()).copied()
    }

    pub(super) fn keep_if_wanted(&mut self, stepper: &Stepper<'_>) {
        while self.next_time() == Some(stepper.time) {
            let mesh = self.evolution.initial.mesh().clone();
            self.densities.push(Density::new(mesh, stepper.probability.clone()));
        }
    }
}

/// The operator of the time, with the factorisations of its newest shifts.
struct OperatorNow<'a> {
    evolution: &'a Evolution<'a>,
    /// The operator where it differs from that of time 0.
    moved: Option<Operator>,
    system: ShiftedSystem,
    factors: Vec<(f64, ShiftedFactor)>,
}

/// Shifts whose factorisations are kept: that of the steps and that of a step cut short by an output time.
const KEPT_FACTORS: usize = 2;
/// Steps that differ by rounding alone share a factorisation: the increment's equation tolerates a relative change of
/// the weight far better than a new factorisation for each step of a uniform grid would be worth.
const SAME: f64 = 1e-12;

impl<'a> OperatorNow<'a> {
    fn new(evolution: &'a Evolution<'a>) -> Result<Self> {
        let system = ShiftedSystem::new(evolution.operator, evolution.stationary)?;
        Ok(OperatorNow { evolution, moved: None, system, factors: Vec::new() })
    }

    fn current(&self) -> &Operator {
        self.moved.as_ref().unwrap_or(self.evolution.operator)
    }

    /// Takes the coefficients of `time`; factorisations live on while the rates stay the same.
    fn move_to(&mut self, time: f64) -> Result<()> {
        let Some(varying) = self.evolution.varying else { return Ok(()) };
        let next = varying.operator_at(self.evolution.operator, time)?;
        let now = self.current();
        if next.forward_rates() != now.forward_rates() || next.backward_rates() != now.backward_rates() {
            self.system.update(&next)?;
            self.factors.clear();
            self.moved = Some(next);
        }
        Ok(())
    }

    fn factor(&mut self, weight: f64) -> Result<&mut ShiftedFactor> {
        let known = self.factors.iter().position(|(old, _)| (old / weight - 1.0).abs() <= SAME);
        match known {
            Some(place) => self.factors[..=place].rotate_right(1),
            None => {
                self.factors.truncate(KEPT_FACTORS - 1);
                let factor = self.system.factorize(weight)?;
                self.factors.insert(0, (weight, factor));
            }
        }
        Ok(&mut self.factors[0].1)
    }
}
