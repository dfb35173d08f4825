//! Time stepping with a Caputo scheme, solved for increments.
//!
//! Formula:   (w_n I - A) δ_n = A p_(n-1) - history, p_n = p_(n-1) + δ_n
//! Assumes:   nothing of the steps; A p in flux form
//! Order:     that of the scheme; mass to rounding at every step
//! Cost:      one solve per step, one factorisation per distinct step length, and the memory sum
//! Fails when the history does not fit the memory limit: refused before the run
//! Reference: \[SunWu2006\], \[LinXu2007\]
//!
//! Solving for p_n instead loses 1e-12 and more of the mass, however the history is summed.

use super::conservation::Conservation;
use super::{Evolution, Observer, Propagator, Solution, Work, undershoot};
use crate::caputo::{CaputoScheme, DirectSum, MemorySum, TimeGrid};
use crate::error::{Error, Result};
use crate::fokker_planck::{ShiftedFactor, ShiftedSystem};
use crate::mesh::Density;

/// A Caputo scheme on a graded grid with the direct memory sum.
pub struct Stepping<'a> {
    /// The scheme.
    pub scheme: &'a dyn CaputoScheme,
    /// Number of steps before output times are worked in.
    pub steps: usize,
    /// Grading r of t_n = T (n/N)^r.
    pub grading: f64,
}

impl Propagator for Stepping<'_> {
    fn name(&self) -> &'static str {
        self.scheme.name()
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        let size = evolution.initial.probability().len();
        let end = evolution.times.last().copied().unwrap_or(0.0);
        let mut system = ShiftedSystem::new(evolution.operator, evolution.stationary)?;
        let mut run = Run {
            probability: evolution.initial.probability().to_vec(),
            right: vec![0.0; size],
            history: vec![0.0; size],
            densities: Vec::with_capacity(evolution.times.len()),
            work: Work::default(),
            conservation: Conservation::new(evolution),
            raw_mass_defect: 0.0,
        };
        run.keep_if_wanted(evolution, 0.0);
        if end > 0.0 {
            let grid = TimeGrid::graded(end, self.steps, self.grading)?;
            let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
            let grid = grid.through(&positive);
            let bytes = DirectSum::bytes_needed(size, grid.step_count());
            if bytes > evolution.memory_limit {
                return Err(Error::TooLarge {
                    what: format!("the history of {} steps of {size} cells", grid.step_count()),
                    bytes,
                    limit: evolution.memory_limit,
                    remedy:
                        "raise method.memory_limit, use fewer steps, or propagator = \"krylov\", which keeps no history"
                            .into(),
                });
            }
            let mut memory = DirectSum::new(self.scheme, evolution.order, size, grid.step_count());
            run.march(evolution, &grid, &mut memory, &mut system, observer)?;
            run.work.peak_history_bytes = memory.bytes();
        }
        run.work.factorisations = system.factorizations();
        Ok(Solution {
            times: evolution.times.to_vec(),
            raw_mass_defect: run.raw_mass_defect,
            raw_undershoot: undershoot(&run.densities),
            densities: run.densities,
            error_estimates: None,
            work: run.work,
            factorization: system.kind().name(),
        })
    }
}

struct Run {
    probability: Vec<f64>,
    right: Vec<f64>,
    history: Vec<f64>,
    densities: Vec<Density>,
    work: Work,
    conservation: Conservation,
    raw_mass_defect: f64,
}

impl Run {
    fn march(
        &mut self,
        evolution: &Evolution<'_>,
        grid: &TimeGrid,
        memory: &mut dyn MemorySum,
        system: &mut ShiftedSystem,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let mut factor: Option<(f64, ShiftedFactor)> = None;
        let total = grid.step_count() as u64;
        for (n, (step, &time)) in grid.steps().into_iter().zip(&grid.times()[1..]).enumerate() {
            self.work.memory_flops += memory.history_flops();
            let weight = memory.history(step, &mut self.history);
            evolution.operator.apply(&self.probability, &mut self.right);
            self.right.iter_mut().zip(&self.history).for_each(|(right, past)| *right -= past);
            let solver = reuse_or_factorize(&mut factor, weight, system)?;
            solver.solve_in_place(&mut self.right);
            self.work.solves += 1;
            self.work.steps += 1;
            self.probability.iter_mut().zip(&self.right).for_each(|(p, increment)| *p += increment);
            if !self.probability.iter().all(|p| p.is_finite()) {
                return Err(Error::NotFinite { stage: format!("step {} of {total} (t = {time:e})", n + 1) });
            }
            let defect = self.conservation.defect(&self.probability, "a density of the time steps")?;
            self.raw_mass_defect = self.raw_mass_defect.max(defect);
            self.conservation.restore_with(&mut self.probability, &mut self.right);
            memory.push(&self.right, step);
            self.keep_if_wanted(evolution, time);
            observer.progress(n as u64 + 1, total);
        }
        Ok(())
    }

    fn keep_if_wanted(&mut self, evolution: &Evolution<'_>, time: f64) {
        while evolution.times.get(self.densities.len()) == Some(&time) {
            self.densities.push(Density::new(evolution.initial.mesh().clone(), self.probability.clone()));
        }
    }
}

/// Steps that differ by rounding alone share a factorisation: the increment's equation tolerates a relative change
/// of the weight far better than a new factorisation for each step of a uniform grid would be worth.
fn reuse_or_factorize<'a>(
    known: &'a mut Option<(f64, ShiftedFactor)>,
    weight: f64,
    system: &mut ShiftedSystem,
) -> Result<&'a mut ShiftedFactor> {
    const SAME: f64 = 1e-12;
    if known.as_ref().is_none_or(|(old, _)| (old / weight - 1.0).abs() > SAME) {
        *known = Some((weight, system.factorize(weight)?));
    }
    Ok(&mut known.as_mut().expect("just set").1)
}
