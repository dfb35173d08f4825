//! Time stepping with a Caputo scheme, solved for increments.
//!
//! Formula:   (w_n I - (1-σ) A) δ_n = A p_(n-1) - history + c_n A p_0, p_n = p_(n-1) + δ_n
//! Assumes:   nothing of the steps; A p in flux form; A may change with time
//! Order:     that of the scheme; mass to rounding at every step
//! Cost:      one solve per step, one factorisation per distinct step length or change of A, and the memory sum
//! Fails when the history does not fit the memory limit: refused before the run
//! Reference: \[SunWu2006\], \[LinXu2007\]
//!
//! Solving for p_n instead loses 1e-12 and more of the mass, however the history is summed.

use super::allowance::allow;
use super::step::{Stepper, march};
use super::{Evolution, Observer, Propagator, Solution, Work, by_exponentials, time_span, undershoot};
use crate::caputo::{CaputoScheme, DirectSum, FftSum, MemorySum, Sharded, TimeGrid};
use crate::error::{Error, Result};

/// How the memory sum is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// The one with the fewest operations among those that fit.
    Auto,
    /// Every earlier step, one by one.
    Direct,
    /// Blocks by fast Fourier transforms; uniform steps only.
    Fft,
    /// The kernel as a sum of exponentials, its relative error a tenth of the tolerance.
    Exponentials,
}

/// A Caputo scheme on a graded grid.
pub struct Stepping<'a> {
    /// The scheme.
    pub scheme: &'a dyn CaputoScheme,
    /// Number of steps before output times are worked in.
    pub steps: usize,
    /// Grading r of t_n = T (n/N)^r.
    pub grading: f64,
    /// How the memory sum is taken.
    pub memory: Memory,
}

impl Propagator for Stepping<'_> {
    fn name(&self) -> &'static str {
        self.scheme.name()
    }

    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work {
        let Ok(Some(grid)) = self.grid(evolution) else { return Work::default() };
        let plan = Plan::new(self.scheme, evolution, &grid);
        let memory = if self.memory == Memory::Auto { plan.cheapest(evolution.memory_limit) } else { self.memory };
        let steps = grid.step_count() as u64;
        let is_constant = evolution.varying.is_none() && grid.uniform_step().is_some();
        Work {
            factorisations: if is_constant { 1 } else { steps },
            solves: steps,
            steps,
            memory_flops: plan.flops(memory),
            peak_history_bytes: plan.bytes(memory),
            rejected_steps: 0,
        }
    }

    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution> {
        let Some(grid) = self.grid(evolution)? else {
            return Ok(Solution::at_start(evolution));
        };
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        let memory = self.memory_sum(evolution, &grid, &positive)?;
        let steps = grid.uniform_step().map_or_else(|| grid.steps(), |step| vec![step; grid.step_count()]);
        let mut stepper = Stepper::new(evolution, self.scheme, memory)?;
        let densities = march(&mut stepper, grid.times(), &steps, observer, (0, grid.step_count() as u64))?;
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

impl<'a> Stepping<'a> {
    /// The steps, through every output time; `None` when no time above zero is asked for.
    fn grid(&self, evolution: &Evolution<'_>) -> Result<Option<TimeGrid>> {
        let Some((_, end)) = time_span(evolution) else { return Ok(None) };
        let positive: Vec<f64> = evolution.times.iter().copied().filter(|&time| time > 0.0).collect();
        Ok(Some(TimeGrid::graded(end, self.steps, self.grading)?.through(&positive)))
    }

    /// The memory sum for a grid, within the memory limit.
    fn memory_sum(
        &self,
        evolution: &Evolution<'_>,
        grid: &TimeGrid,
        outputs: &[f64],
    ) -> Result<Box<dyn MemorySum + 'a>> {
        let (scheme, order) = (self.scheme, evolution.order);
        let (size, count) = (evolution.initial.probability().len(), grid.step_count());
        let uniform = grid.uniform_step();
        if uniform.is_none() && (self.memory == Memory::Fft || scheme.needs_uniform_steps()) {
            return Err(self.not_uniform(outputs));
        }
        let plan = Plan::new(scheme, evolution, grid);
        let memory = if self.memory == Memory::Auto { plan.cheapest(evolution.memory_limit) } else { self.memory };
        let bytes = plan.bytes(memory);
        allow(
            &format!("the history of {count} steps of {size} cells"),
            bytes,
            evolution.memory_limit,
            "use memory = \"exponentials\", whose history does not grow with the steps, or propagator = \"krylov\", which keeps none",
        )?;
        let sum: Option<Box<dyn MemorySum + 'a>> = match (memory, uniform) {
            (Memory::Fft, Some(step)) => Sharded::new(size, evolution.threads, |cells| {
                Ok::<_, Error>(FftSum::new(scheme, order, cells, count, step).map(|sum| Box::new(sum) as _))
            })?
            .map(|sum| Box::new(sum) as _),
            (Memory::Exponentials, _) => {
                let span = (plan.shortest, grid.times()[count]);
                let tolerance = plan.kernel_tolerance;
                by_exponentials(scheme, evolution, span, tolerance)?.map(|sum| Box::new(sum) as _)
            }
            (_, Some(step)) => match DirectSum::uniform(scheme, order, size, count, step) {
                Some(sum) => Some(Box::new(sum)),
                None => Some(Box::new(DirectSum::new(scheme, order, size, count))),
            },
            (_, None) => Some(Box::new(DirectSum::new(scheme, order, size, count))),
        };
        sum.ok_or_else(|| {
            let (name, rule) = if memory == Memory::Fft {
                ("fft", "do not depend on the lag alone")
            } else {
                ("exponentials", "come from no kernel that exponentials could stand for")
            };
            let rule = format!("the weights of the scheme {:?} {rule}", scheme.name());
            Error::invalid("method.memory", name, rule, "use memory = \"auto\" or \"direct\"")
        })
    }

    /// The error for outputs or gradings that leave a method without its uniform steps, with a count that would do.
    fn not_uniform(&self, outputs: &[f64]) -> Error {
        let who = if self.memory == Memory::Fft { "the sum by fft" } else { self.scheme.name() };
        if self.grading != 1.0 {
            return Error::invalid(
                "method.grading",
                self.grading,
                format!("{who} needs uniform steps"),
                "use grading = 1.0, or l1 or l2-1sigma with memory = \"direct\"",
            );
        }
        let end = outputs.last().copied().unwrap_or(1.0);
        let all_on_grid = |count: usize| {
            outputs.iter().all(|time| {
                let place = time / end * count as f64;
                (place - place.round()).abs() <= 1e-12 * place
            })
        };
        let remedy = match (self.steps..=self.steps.saturating_mul(20)).find(|count| all_on_grid(*count)) {
            Some(count) => format!("use steps = {count}, or l1 or l2-1sigma with memory = \"direct\""),
            None => "use equally spaced output times, or l1 or l2-1sigma with memory = \"direct\"".into(),
        };
        Error::invalid(
            "method.steps",
            self.steps,
            format!("{who} needs uniform steps, so every output time must be a multiple of {end} / steps"),
            remedy,
        )
    }
}

/// What each memory sum would cost: counted work and bytes, known before the run.
struct Plan {
    size: usize,
    count: usize,
    is_convolution: bool,
    has_kernel: bool,
    shortest: f64,
    /// Exponentials that the kernel takes, about.
    terms: usize,
    kernel_tolerance: f64,
}

impl Plan {
    fn new(scheme: &dyn CaputoScheme, evolution: &Evolution<'_>, grid: &TimeGrid) -> Self {
        let shortest = grid.steps().into_iter().fold(f64::INFINITY, f64::min);
        let end = grid.times()[grid.step_count()];
        let kernel_tolerance = (0.1 * evolution.tolerance).clamp(1e-12, 1e-6);
        let decades = (end / shortest).log10();
        let uniform = grid.uniform_step();
        Plan {
            size: evolution.initial.probability().len(),
            count: grid.step_count(),
            is_convolution: uniform.is_some_and(|step| scheme.lag_weights(evolution.order, step, 1).is_some()),
            has_kernel: scheme.interpolation().is_some(),
            shortest,
            // Fitted to the counts of the fits: 31 at five decades and 1e-8, 68 at twelve and 1e-9.
            terms: if evolution.order.value() >= 1.0 {
                0
            } else {
                ((1.1 * decades + 2.0) * -0.5 * kernel_tolerance.log10()) as usize + 1
            },
            kernel_tolerance,
        }
    }

    fn bytes(&self, memory: Memory) -> u64 {
        match memory {
            Memory::Auto | Memory::Direct => DirectSum::bytes_needed(self.size, self.count),
            Memory::Fft => FftSum::bytes_needed(self.size, self.count),
            Memory::Exponentials => (self.size * (self.terms + 2) * size_of::<f64>()) as u64,
        }
    }

    fn flops(&self, memory: Memory) -> u64 {
        match memory {
            Memory::Auto | Memory::Direct => DirectSum::flops_needed(self.size, self.count),
            Memory::Fft => FftSum::flops_needed(self.size, self.count),
            Memory::Exponentials => 6 * (self.size * self.terms) as u64 * self.count as u64,
        }
    }

    /// The sum with the fewest operations among those that apply and fit; the exact ones first among equals.
    fn cheapest(&self, memory_limit: u64) -> Memory {
        let applies = [
            (Memory::Direct, true),
            (Memory::Fft, self.is_convolution),
            // An error of the kernel is taken only where it saves much.
            (
                Memory::Exponentials,
                self.has_kernel && 4 * self.flops(Memory::Exponentials) < self.flops(Memory::Direct),
            ),
        ];
        let fitting = applies.into_iter().filter(|(memory, applies)| *applies && self.bytes(*memory) <= memory_limit);
        fitting.map(|(memory, _)| memory).min_by_key(|memory| self.flops(*memory)).unwrap_or(Memory::Direct)
    }
}
