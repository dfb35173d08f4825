//! Convergence studies: the same problem with ever more steps and ever more cells, and the orders that come out.

use std::path::Path;
use std::time::Instant;

use super::build::{grading_of, model};
use super::check::{Checked, Propagator as Named};
use super::model::{Discretised, Model};
use super::{Options, read_problem};
use crate::caputo::{self, CaputoScheme, FractionalOrder, L2Sigma};
use crate::error::{Error, Result};
use crate::estimate::divergence::relative_l1;
use crate::fokker_planck::Varying;
use crate::mesh::Axis;
use crate::propagator::stepping::Memory;
use crate::propagator::{Adaptive, Evolution, Krylov, Observer, Propagator, Solution, Stepping};
use crate::storage::convergence::{CONVERGENCE_FILE, Convergence, Level, Study};
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, ResultFolder};

/// Doublings of the number of steps.
const LEVELS: u32 = 5;
/// Steps of the coarsest level when the file names none.
const FIRST_STEPS: usize = 64;
/// Errors below this are rounding.
const ROUNDING: f64 = 1e-11;
/// An observed order this close to the promised one keeps the promise.
const CLOSE: f64 = 0.15;

/// Draws the figures of a study into a folder.
pub type DrawConvergence<'a> = &'a dyn Fn(&Convergence, &Path) -> Result<()>;

/// Studies a problem file and writes its results folder, whole or not at all.
///
/// # Errors
/// Everything wrong with the input; an occupied or unwritable results folder; a failed run.
pub fn run_converge(
    path: &Path,
    options: &Options,
    draw: DrawConvergence<'_>,
    observer: &mut dyn Observer,
) -> Result<Convergence> {
    let (source, problem) = read_problem(path, &options.overrides)?;
    let document = serde_json::to_value(&problem)
        .map_err(|error| Error::NotFinite { stage: format!("the checked problem: {error}") })?;
    let document = serde_json::json!({ "command": "converge", "problem": document });
    let place = options.output.clone().unwrap_or_else(|| Path::new("results").join(source.stem()));
    let version = env!("CARGO_PKG_VERSION").to_string();
    let identity = Identity { problem: document.clone(), version };
    let folder = ResultFolder::open(&place, &identity, options.replacement)?;
    let mut convergence = study(&problem, document, observer).map_err(|error| source.locate(error))?;
    folder.write(CONVERGENCE_FILE, &convergence.to_npz()?)?;
    draw(&convergence, folder.partial())?;
    convergence.files = folder.files()?;
    convergence.files.push(REPORT_FILE.to_string());
    folder.write(REPORT_FILE, format!("{}\n", convergence.to_json()?).as_bytes())?;
    folder.commit()?;
    Ok(convergence)
}

/// What the schemes are compared with, on the same mesh.
struct Judge {
    propagator: Box<dyn Propagator>,
    tolerance: f64,
    /// Errors below this may be its own.
    floor: f64,
}

impl Judge {
    /// The Krylov space, which takes no steps; adaptive steps where the operator changes with time.
    fn new(varies: bool) -> Self {
        if varies {
            Judge { propagator: Box::new(Adaptive::new(&L2Sigma)), tolerance: 1e-8, floor: 2e-8 }
        } else {
            Judge { propagator: Box::new(Krylov::default()), tolerance: 1e-12, floor: ROUNDING }
        }
    }
}

fn study(problem: &Checked, document: serde_json::Value, observer: &mut dyn Observer) -> Result<Convergence> {
    let end = problem.outputs().last().copied().unwrap_or(0.0);
    if end <= 0.0 {
        let rule = "a convergence study needs a final time above zero";
        return Err(Error::invalid("time.outputs", end, rule, "use outputs = [1.0], say"));
    }
    let schemes = schemes(problem);
    let runs = schemes.len() as u64 * u64::from(LEVELS) + u64::from(SPACE_LEVELS) + 1;
    let mut done = 0;
    let mut tick = |observer: &mut dyn Observer| {
        done += 1;
        observer.progress(done, runs);
    };
    let model = model(problem)?;
    let mesh = model.discretise(1)?;
    // Multiples of every uniform step, so that every scheme is compared at the same times.
    let times: Vec<f64> = (0..5).rev().map(|k| end / f64::from(1 << k)).collect();
    let order = FractionalOrder::new(problem.dynamics().order)?;
    let judge = Judge::new(model.varies());
    let setting = Setting { problem, model: &model, order };
    let reference = setting.run(&*judge.propagator, &mesh, &times, judge.tolerance)?;
    tick(observer);
    let estimate = reference.error_estimates.iter().flatten().copied().fold(0.0, f64::max);
    let mut time = Vec::new();
    for scheme in &schemes {
        let mut promised = scheme.guarantees(order);
        if model.varies() {
            // The correction of the start expands A(0) alone: what A'(0) adds leaves order 2.
            promised.rough_order = promised.rough_order.min(2.0);
        }
        let grading = grading_of(problem, scheme.as_ref(), order);
        let first = problem.step_count().unwrap_or(FIRST_STEPS).next_multiple_of(16);
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let steps = first << level;
            let stepping = Stepping { scheme: scheme.as_ref(), steps, grading, memory: Memory::Auto };
            let begun = Instant::now();
            let solution = setting.run(&stepping, &mesh, &times, 1e-11)?;
            let pairs = solution.densities.iter().zip(&reference.densities);
            let errors: Vec<f64> = pairs.map(|(a, b)| relative_l1(a.probability(), b.probability())).collect();
            push_level(
                &mut levels,
                steps as u64,
                errors[errors.len() - 1],
                errors.iter().copied().fold(0.0, f64::max),
                (begun.elapsed().as_secs_f64(), solution.work.peak_history_bytes),
                judge.floor,
            );
            tick(observer);
        }
        // On steps of another grading the theory promises what the rough start leaves.
        let is_graded = promised.graded_order.is_some() && grading >= scheme.best_grading(order) * (1.0 - 1e-9);
        let expected_order = if is_graded { promised.graded_order.unwrap_or(1.0) } else { promised.rough_order };
        let verdict = verdict(&levels, expected_order, judge.floor);
        time.push(Study { name: scheme.name().into(), grading, expected_order, levels, verdict });
    }
    let varies = model.varies();
    let space = space_study(problem, model, order, &judge, &mut |observer| tick(observer), observer)?;
    Ok(Convergence {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        title: problem.title().into(),
        problem: document,
        reference: format!(
            "{} on the same mesh, tolerance {:e}, estimated error {estimate:.1e}",
            if varies { "adaptive l2-1sigma" } else { "krylov" },
            judge.tolerance
        ),
        end,
        time,
        space,
        files: Vec::new(),
    })
}

/// The scheme that the file names, or all.
fn schemes(problem: &Checked) -> Vec<Box<dyn CaputoScheme>> {
    let named = match problem.method().propagator {
        Named::Auto | Named::Krylov | Named::Contour | Named::Spectral => None,
        Named::L1 => Some("l1"),
        Named::CorrectedL1 => Some("l1-corrected"),
        Named::L2Sigma => Some("l2-1sigma"),
        Named::Bdf2 => Some("bdf2"),
        Named::Bdf3 => Some("bdf3"),
    };
    caputo::all().into_iter().filter(|scheme| named.is_none_or(|name| scheme.name() == name)).collect()
}

/// What all runs of a study share.
struct Setting<'a> {
    problem: &'a Checked,
    model: &'a Model,
    order: FractionalOrder,
}

impl Setting<'_> {
    fn run(&self, propagator: &dyn Propagator, on: &Discretised, times: &[f64], tolerance: f64) -> Result<Solution> {
        let friction = |time: f64| self.model.friction.at(time);
        let varying = Varying { diffusivity: &*self.model.diffusivity, friction: &friction };
        let evolution = Evolution {
            operator: &on.operator,
            varying: self.model.varies().then_some(&varying),
            stationary: &on.stationary,
            order: self.order,
            initial: &on.initial,
            times,
            tolerance,
            memory_limit: self.problem.method().memory_limit,
            threads: 1,
        };
        propagator.propagate(&evolution, &mut ())
    }
}

/// Meshes of the study of space.
const SPACE_LEVELS: u32 = 5;

/// Meshes from a quarter of the cells (where they divide) upwards, each against the next finer one.
fn space_study(
    problem: &Checked,
    mut model: Model,
    order: FractionalOrder,
    judge: &Judge,
    tick: &mut dyn FnMut(&mut dyn Observer),
    observer: &mut dyn Observer,
) -> Result<Study> {
    let flux = model.flux;
    let cells: Vec<usize> = model.axes.iter().map(Axis::cells).collect();
    let divisor = [4, 2, 1].into_iter().find(|d| cells.iter().all(|n| n % d == 0 && n / d >= 8)).unwrap_or(1);
    model.axes = model
        .axes
        .iter()
        .map(|axis| Axis::new(axis.lower(), axis.upper(), axis.cells() / divisor))
        .collect::<Result<Vec<_>>>()?;
    let end = problem.outputs().last().copied().unwrap_or(0.0);
    let first = model.axes[0].cells() as u64;
    if model.keep_below.is_some() {
        let verdict = "not studied: the medium itself changes with the mesh".to_string();
        let expected_order = flux.order();
        return Ok(Study { name: flux.name().into(), grading: 1.0, expected_order, levels: Vec::new(), verdict });
    }
    // Fewer doublings where the cells fill a plane or more.
    let count = if model.axes.len() == 1 { SPACE_LEVELS } else { 4 };
    let mut levels = Vec::new();
    let mut before: Option<(Discretised, Solution, f64)> = None;
    for level in 0..count {
        let begun = Instant::now();
        let mesh = model.discretise(1 << level)?;
        let setting = Setting { problem, model: &model, order };
        let solution = setting.run(&*judge.propagator, &mesh, &[end], judge.tolerance.max(1e-11))?;
        let seconds = begun.elapsed().as_secs_f64();
        if let Some((coarse, coarse_solution, coarse_seconds)) = &before {
            let fine = solution.densities[0].restricted_to(&coarse.mesh);
            let difference = relative_l1(coarse_solution.densities[0].probability(), fine.probability());
            let work = (*coarse_seconds, coarse_solution.work.peak_history_bytes);
            push_level(&mut levels, first << (level - 1), difference, difference, work, judge.floor);
        }
        before = Some((mesh, solution, seconds));
        tick(observer);
    }
    let verdict = verdict(&levels, flux.order(), judge.floor);
    Ok(Study { name: flux.name().into(), grading: 1.0, expected_order: flux.order(), levels, verdict })
}

fn push_level(
    levels: &mut Vec<Level>,
    size: u64,
    error_at_end: f64,
    largest_error: f64,
    (seconds, bytes): (f64, u64),
    floor: f64,
) {
    let order = levels.last().and_then(|before: &Level| {
        // Nothing is to be learnt from the rounding of the reference.
        let known = before.error_at_end > floor && error_at_end > floor;
        known.then(|| (before.error_at_end / error_at_end).log2() / (size as f64 / before.size as f64).log2())
    });
    levels.push(Level { size, error_at_end, largest_error, order, seconds, bytes });
}

/// What a study shows, in words.
fn verdict(levels: &[Level], expected: f64, floor: f64) -> String {
    let Some(last) = levels.last() else { return "nothing was measured".into() };
    let grows = levels.windows(2).any(|pair| pair[1].error_at_end > pair[0].error_at_end.max(floor));
    let orders: Vec<f64> = levels.iter().filter_map(|level| level.order).collect();
    match orders.last() {
        _ if grows => "the error does not fall at every refinement: too coarse still, or something is wrong".into(),
        _ if last.error_at_end <= floor => "at rounding: the finest errors are those of the reference".into(),
        None => "too few levels above rounding to tell an order".into(),
        Some(order) if (order - expected).abs() <= CLOSE => format!("as promised: {order:.2} of {expected:.2}"),
        Some(order) if *order > expected => format!("better than promised: {order:.2} of {expected:.2}"),
        Some(order) if orders.windows(2).all(|pair| pair[1] >= pair[0] - 0.02) => {
            format!("order {order:.2} instead of {expected:.2}, still rising: more steps or cells will tell")
        }
        Some(order) => format!("order missed: {order:.2} instead of {expected:.2}"),
    }
}

/// The study as a table for the terminal.
pub fn table(convergence: &Convergence, folder: &Path) -> String {
    let mut text = format!(
        "{}: convergence at T = {}\n  errors in time against {}\n\n",
        convergence.title, convergence.end, convergence.reference
    );
    let heading = |size: &str, error: &str| {
        format!("  {size:>18} {error:>12} {:>12} {:>7} {:>9} {:>11}\n", "largest", "order", "seconds", "memory")
    };
    for (studies, size, error) in [
        (&convergence.time[..], "steps", "error at T"),
        (std::slice::from_ref(&convergence.space), "cells", "to next mesh"),
    ] {
        text.push_str(&heading(size, error));
        for study in studies {
            let grading = if study.grading > 1.0 { format!(", grading {:.3}", study.grading) } else { String::new() };
            text.push_str(&format!("  {}{grading}: {}\n", study.name, study.verdict));
            for level in &study.levels {
                let order = level.order.map_or("-".to_string(), |order| format!("{order:.3}"));
                text.push_str(&format!(
                    "  {:>18} {:>12.3e} {:>12.3e} {order:>7} {:>9.3} {:>11}\n",
                    level.size,
                    level.error_at_end,
                    level.largest_error,
                    level.seconds,
                    bytes(level.bytes)
                ));
            }
        }
        text.push('\n');
    }
    let mut files: Vec<&str> = convergence.files.iter().map(String::as_str).collect();
    files.sort_unstable();
    text.push_str(&format!("  written  {}: {}\n", folder.display(), files.join(", ")));
    text
}

fn bytes(count: u64) -> String {
    match count as f64 {
        count if count < 1e3 => format!("{count:.0} B"),
        count if count < 1e6 => format!("{:.1} kB", count / 1e3),
        count if count < 1e9 => format!("{:.1} MB", count / 1e6),
        count => format!("{:.1} GB", count / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(errors: &[f64]) -> Vec<Level> {
        let mut levels = Vec::new();
        for (k, error) in errors.iter().enumerate() {
            push_level(&mut levels, 10 << k, *error, *error, (0.0, 0), ROUNDING);
        }
        levels
    }

    #[test]
    fn verdicts_say_what_the_numbers_show() {
        for (errors, expected, words) in [
            (&[1e-2, 2.5e-3, 6.25e-4][..], 2.0, "as promised: 2.00"),
            (&[1e-2, 5e-3, 2.5e-3], 2.0, "still rising"),
            (&[1e-2, 4e-3, 2.5e-3], 2.0, "order missed: 0.68 instead of 2.00"),
            (&[1e-2, 1e-3, 1e-4], 2.0, "better than promised"),
            (&[1e-2, 2e-2, 1e-3], 2.0, "does not fall"),
            (&[1e-9, 1e-10, 1e-13], 2.0, "at rounding"),
            (&[1e-2], 2.0, "too few"),
            (&[], 2.0, "nothing"),
        ] {
            let found = verdict(&levels(errors), expected, ROUNDING);
            assert!(found.contains(words), "{errors:?}: {found}");
        }
    }
}
