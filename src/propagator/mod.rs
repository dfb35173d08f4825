//! Propagators: p(t) from p(0) (floor 3).
//!
//! | propagator | method | use |
//! |---|---|---|
//! | [`Krylov`] | rational Krylov space of A, small problem by Laplace inversion | coefficients constant in time |
//! | [`Contour`] | Laplace inversion on A itself | the independent check; derivatives by order, γ and D |
//! | [`Stepping`] | a Caputo scheme, step by step | the oracle; coefficients that vary |
//! | [`Adaptive`] | the same with steps that keep a tolerance | coefficients that vary |
//! | [`Spectral`] | eigenvectors times Mittag-Leffler | the oracle of small reversible problems |

pub mod adaptive;
mod allowance;
mod conservation;
pub mod contour;
pub mod hyperbola;
pub mod krylov;
mod rational_basis;
pub mod spectral;
mod step;
pub mod stepping;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::caputo::{CaputoScheme, ExponentialMemory, FractionalOrder, Sharded};
use crate::error::{Error, Result};
use crate::fokker_planck::{Operator, Stationary, Varying};
use crate::mesh::Density;

pub use adaptive::Adaptive;
pub use contour::Contour;
pub use krylov::Krylov;
pub use spectral::Spectral;
pub use stepping::Stepping;

/// An initial-value problem on a mesh: D_t^α p = A p, p(0) given, p wanted at some times.
#[derive(Clone, Copy)]
pub struct Evolution<'a> {
    /// The operator A, at time 0 when it changes with time.
    pub operator: &'a Operator,
    /// Coefficients that change with time; `None` when they do not.
    pub varying: Option<&'a Varying<'a>>,
    /// Its stationary state.
    pub stationary: &'a Stationary,
    /// Caputo order.
    pub order: FractionalOrder,
    /// p(0).
    pub initial: &'a Density,
    /// Output times, increasing, >= 0 \[t\].
    pub times: &'a [f64],
    /// Wanted relative error of each density (discrete L1 norm).
    pub tolerance: f64,
    /// Bytes that history or basis may take.
    pub memory_limit: u64,
    /// Threads that memory sums may use (at least 1); results do not depend on them.
    pub threads: usize,
}

/// A method that carries a density through time.
pub trait Propagator {
    /// Name in a problem file.
    fn name(&self) -> &'static str;

    /// The work that [`Propagator::propagate`] is expected to take, before anything is computed. Steps on a given
    /// grid are counted exactly; where the solution decides it is a guess.
    fn predicted_work(&self, evolution: &Evolution<'_>) -> Work;

    /// p at every output time.
    ///
    /// # Errors
    /// When the method does not apply, does not converge or loses finiteness.
    fn propagate(&self, evolution: &Evolution<'_>, observer: &mut dyn Observer) -> Result<Solution>;
}

/// First and last positive output time, if there is any.
fn time_span(evolution: &Evolution<'_>) -> Option<(f64, f64)> {
    let first = evolution.times.iter().copied().find(|&time| time > 0.0)?;
    Some((first, evolution.times[evolution.times.len() - 1]))
}

/// Bytes of one number per cell.
fn vector_bytes(evolution: &Evolution<'_>) -> u64 {
    size_of_val(evolution.initial.probability()) as u64
}

/// The memory sum by exponentials for steps within `span` (shortest step, end), on the threads of the problem; `None`
/// for schemes without a kernel.
fn by_exponentials<'a>(
    scheme: &'a dyn CaputoScheme,
    evolution: &Evolution<'_>,
    span: (f64, f64),
    tolerance: f64,
) -> Result<Option<Sharded<'a>>> {
    let Some(sum) = ExponentialMemory::new(scheme, evolution.order, 0, span, tolerance)? else { return Ok(None) };
    let size = evolution.initial.probability().len();
    Sharded::new(size, evolution.threads, |cells| Ok(Some(Box::new(sum.for_cells(cells)) as _)))
}

/// Refuses coefficients that change with time.
fn constant_coefficients(evolution: &Evolution<'_>, method: &'static str) -> Result<()> {
    if evolution.varying.is_none() {
        return Ok(());
    }
    Err(Error::DoesNotApply {
        method,
        why: "the coefficients change with time".into(),
        remedy: "use propagator = \"auto\", \"l1\" or another scheme that takes time steps".into(),
    })
}

/// Watches a long run.
pub trait Observer {
    /// `done` of about `total` units of work are finished.
    fn progress(&mut self, done: u64, total: u64);

    /// Something about the run that its reader should know at once.
    fn note(&mut self, _text: &str) {}
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: u64, _: u64) {}
}

/// Asks a long run to stop, from any thread. Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks to stop; a run keeps what is done and ends with [`Error::Interrupted`] after at most a few steps.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once somebody has asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// [`Error::Interrupted`] once somebody has asked.
    ///
    /// # Errors
    /// See above.
    pub fn check(&self) -> Result<()> {
        if self.is_set() { Err(Error::Interrupted { kept: None }) } else { Ok(()) }
    }
}

/// Equal when one asks for both.
impl PartialEq for StopFlag {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Counted work: deterministic, independent of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Numeric factorisations.
    pub factorisations: u64,
    /// Linear solves, one right-hand side each.
    pub solves: u64,
    /// Floating-point operations of the memory sum.
    pub memory_flops: u64,
    /// Largest number of bytes held for history or basis vectors.
    pub peak_history_bytes: u64,
    /// Time steps (0 for propagators without steps).
    pub steps: u64,
    /// Steps that were tried and rejected by a step control.
    #[serde(default)]
    pub rejected_steps: u64,
}

impl Work {
    /// Adds the work of another run; the larger peak counts.
    pub fn add(&mut self, other: &Work) {
        self.factorisations += other.factorisations;
        self.solves += other.solves;
        self.memory_flops += other.memory_flops;
        self.peak_history_bytes = self.peak_history_bytes.max(other.peak_history_bytes);
        self.steps += other.steps;
        self.rejected_steps += other.rejected_steps;
    }
}

/// Densities at the output times.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Output times \[t\].
    pub times: Vec<f64>,
    /// One density per output time; each has the mass of the initial one.
    pub densities: Vec<Density>,
    /// Estimated relative error per output time (discrete L1 norm), where the method has an estimate.
    pub error_estimates: Option<Vec<f64>>,
    /// Largest |mass - initial mass| before the mass rule was applied.
    pub raw_mass_defect: f64,
    /// Most negative density over the largest one, before negative values were set to zero (<= 0).
    pub raw_undershoot: f64,
    /// Work counted.
    pub work: Work,
    /// Factorisation used.
    pub factorization: &'static str,
}

impl Solution {
    /// The answer when no time above zero is asked for.
    fn at_start(evolution: &Evolution<'_>) -> Self {
        Solution {
            times: evolution.times.to_vec(),
            densities: vec![evolution.initial.clone(); evolution.times.len()],
            error_estimates: None,
            raw_mass_defect: 0.0,
            raw_undershoot: 0.0,
            work: Work::default(),
            factorization: "none",
        }
    }
}

/// Most negative value over the largest one, 0 when none is negative.
fn undershoot(densities: &[Density]) -> f64 {
    let relative = densities.iter().map(|density| {
        let values = density.probability();
        let largest = values.iter().copied().fold(0.0, f64::max);
        values.iter().copied().fold(0.0, f64::min) / largest
    });
    relative.fold(0.0, f64::min)
}
