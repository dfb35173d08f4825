//! Figures from stored results (floor 6): SVG and PNG, no font or system package needed.
//!
//! ```text
//! StoredSolution + Report --one_dimension | two_dimensions | three_dimensions | observables--> Drawing --render--> files
//! ```

mod along;
pub mod axes;
pub mod contour;
mod convergence;
mod diagnosis;
pub mod drawing;
pub mod heatmap;
mod llc;
mod observables;
mod one_dimension;
pub mod palette;
pub mod render;
pub mod scale;
mod section;
pub mod style;
mod sweep;
mod three_dimensions;
mod two_dimensions;

use std::path::Path;

use crate::error::Result;
use crate::experiment::diagnose::report::DiagnosisReport;
use crate::storage::{Convergence, LandscapeReport, LlcReport, Report, StoredLandscape, StoredSolution, StoredTraces};
use drawing::Drawing;

/// Most densities drawn in one figure.
const MOST_TIMES: usize = 7;

/// Draws every figure of a solve into `folder` as `NAME.svg` and `NAME.png`; returns the names.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw(solution: &StoredSolution, report: &Report, folder: &Path) -> Result<Vec<&'static str>> {
    let figures = figures(solution, report);
    for (name, drawing) in &figures {
        render::write(drawing, folder, name)?;
    }
    Ok(figures.into_iter().map(|(name, _)| name).collect())
}

/// Draws the figure of a convergence study into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw_convergence(study: &Convergence, folder: &Path) -> Result<Vec<&'static str>> {
    render::write(&convergence::convergence(study), folder, "convergence")?;
    Ok(vec!["convergence"])
}

/// Draws the figures of a learning coefficient into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw_llc(traces: &StoredTraces, report: &LlcReport, folder: &Path) -> Result<Vec<&'static str>> {
    let mut names = vec!["chains"];
    render::write(&llc::chains(traces, report), folder, "chains")?;
    for (name, drawing) in [("sweep", sweep::lines(report)), ("sweep_maps", sweep::heat_maps(report))] {
        if let Some(drawing) = drawing {
            render::write(&drawing, folder, name)?;
            names.push(name);
        }
    }
    Ok(names)
}

/// Draws the figures of a diagnosis into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw_diagnosis(report: &DiagnosisReport, folder: &Path) -> Result<Vec<&'static str>> {
    let mut names = vec!["displacement"];
    render::write(&diagnosis::displacement(report), folder, "displacement")?;
    if let Some(rows) = &report.along {
        render::write(&along::along(report, rows), folder, "learning_coefficients")?;
        names.push("learning_coefficients");
    }
    Ok(names)
}

/// Draws the figures of a section into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw_landscape(section: &StoredLandscape, report: &LandscapeReport, folder: &Path) -> Result<Vec<&'static str>> {
    let figures = section::figures(section, report);
    for (name, drawing) in &figures {
        render::write(drawing, folder, name)?;
    }
    Ok(figures.into_iter().map(|(name, _)| name).collect())
}

/// Every figure of a solve with its name.
pub fn figures(solution: &StoredSolution, report: &Report) -> Vec<(&'static str, Drawing)> {
    let mut figures = Vec::new();
    match solution.axes.len() {
        1 => {
            figures.push(("densities", one_dimension::densities(solution, report)));
            if solution.time.len() > 1 {
                figures.push(("space_time", one_dimension::space_time(solution, report)));
            }
        }
        2 => {
            figures.push(("landscape", two_dimensions::landscape(solution, report)));
            figures.push(("densities", two_dimensions::densities(solution, report)));
            figures.push(("difference_to_gibbs", two_dimensions::difference_to_gibbs(solution, report)));
        }
        _ => figures.push(("marginals", three_dimensions::marginals(solution, report))),
    }
    figures.push(("observables", observables::observables(report)));
    figures
}

/// Title of a figure: the problem's, with its Caputo order.
fn title(report: &Report) -> String {
    match report.problem.pointer("/dynamics/order").and_then(serde_json::Value::as_f64) {
        Some(order) => format!("{}, α = {}", report.title, style::number(order)),
        None => report.title.clone(),
    }
}

/// At most [`MOST_TIMES`] outputs, first and last included, evenly spread.
fn chosen_times(count: usize) -> Vec<usize> {
    if count <= MOST_TIMES {
        return (0..count).collect();
    }
    (0..MOST_TIMES).map(|index| (index * (count - 1) + (MOST_TIMES - 1) / 2) / (MOST_TIMES - 1)).collect()
}

/// Lower and upper end of an axis of equal cells, from its centres.
fn ends(centers: &[f64]) -> (f64, f64) {
    let half = match centers {
        [first, second, ..] => 0.5 * (second - first),
        _ => 0.5,
    };
    (centers[0] - half, centers[centers.len() - 1] + half)
}

/// Largest finite value, 0 when there is none.
fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values.into_iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// Lowest loss, and the highest where some drawn density is above a thousandth of its own maximum: the part of the
/// landscape that the figures are about.
fn relevant_losses(solution: &StoredSolution) -> (f64, f64) {
    let mut relevant = vec![false; solution.position_count()];
    let densities = chosen_times(solution.time.len()).into_iter().map(|index| solution.density_at(index));
    for density in densities.chain([&solution.stationary[..]]) {
        let floor = 1e-3 * largest(density);
        relevant.iter_mut().zip(density).for_each(|(relevant, value)| *relevant |= *value > floor);
    }
    let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (loss, relevant) in solution.loss.iter().zip(relevant) {
        if loss.is_finite() {
            lowest = lowest.min(*loss);
            if relevant {
                highest = highest.max(*loss);
            }
        }
    }
    if highest > lowest { (lowest, highest) } else { (lowest, lowest + 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_over_the_run() {
        assert_eq!(chosen_times(3), [0, 1, 2]);
        let chosen = chosen_times(100);
        assert_eq!((chosen.len(), chosen[0], chosen[6]), (7, 0, 99));
        assert!(chosen.windows(2).all(|pair| (16..=17).contains(&(pair[1] - pair[0]))));
    }
}
