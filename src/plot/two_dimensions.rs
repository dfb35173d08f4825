//! Figures of two-dimensional problems: the landscape, densities on one colour scale, the difference to exp(-γL/D).

use super::axes::Axes;
use super::contour::contours;
use super::drawing::{Drawing, Side, Stroke};
use super::heatmap::{Field, color_bar};
use super::palette::Palette;
use super::scale::{Scale, Spacing};
use super::style::{COORDINATES, TITLE_SIZE, WEIGHT_UNITS, density_label, label, position_label, time_label};
use super::{chosen_times, ends, largest, relevant_losses, title};
use crate::storage::{Report, StoredSolution};

/// Cells along one side of the grid that contours are drawn on.
const CONTOUR_CELLS: usize = 120;
/// Number of contour levels.
const LEVELS: usize = 10;
/// Largest difference, relative to the largest density, that is rounding.
const ROUNDING: f64 = 1e-12;

/// The landscape with contours and its lowest cell.
pub fn landscape(solution: &StoredSolution, report: &Report) -> Drawing {
    let field = field(solution, solution.loss.clone());
    let (width, height) = panel_size(solution, 430.0);
    let mut drawing = Drawing::new(width + 210.0, height + 94.0);
    let axes = axes(solution, (76.0, 40.0), (width, height));
    let (low, high) = relevant_losses(solution);
    let losses = Scale { lower: low, upper: low + 1.5 * (high - low), spacing: Spacing::Linear };
    field.paint(&mut drawing, &axes, &losses, Palette::Relief);
    let levels: Vec<f64> = (1..=LEVELS).map(|index| losses.value(index as f64 / (LEVELS + 1) as f64)).collect();
    contour_lines(&mut drawing, &axes, &field, &levels, Stroke::solid([255; 3], 0.9));
    let lowest = (0..field.values.len())
        .filter(|index| field.values[*index].is_finite())
        .min_by(|a, b| field.values[*a].total_cmp(&field.values[*b]));
    if let Some(index) = lowest {
        let rows = field.shape.1;
        let (x, y) = axes.point(solution.axes[0][index / rows], solution.axes[1][index % rows]);
        for (dx, dy) in [(5.0, 5.0), (5.0, -5.0)] {
            drawing.line(vec![(x - dx, y - dy), (x + dx, y + dy)], Stroke::solid([200, 60, 30], 2.0));
        }
    }
    axes.frame(&mut drawing, &position_label(0), &position_label(1), &title(report));
    let words =
        if largest(&solution.loss) > losses.upper { "loss L (loss units), cut above" } else { "loss L (loss units)" };
    color_bar(&mut drawing, (axes.left + width + 16.0, axes.top), height, &losses, Palette::Relief, words);
    drawing
}

/// Densities at some output times and the stationary state, one colour scale.
pub fn densities(solution: &StoredSolution, report: &Report) -> Drawing {
    let chosen = chosen_times(solution.time.len());
    let mut panels: Vec<(String, Vec<f64>)> =
        chosen.iter().map(|&index| (time_label(solution.time[index]), solution.density_at(index).to_vec())).collect();
    panels.push(("stationary".into(), solution.stationary.clone()));
    let peaks: Vec<f64> = panels.iter().map(|(_, values)| largest(values)).collect();
    let lowest = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    let spacing = if largest(&peaks) > 4.0 * lowest { Spacing::SquareRoot } else { Spacing::Linear };
    let colors = Scale::from_zero(largest(&peaks), spacing);
    let words = match spacing {
        Spacing::SquareRoot => format!("{}, square-root scale", density_label(2)),
        _ => density_label(2),
    };
    let (low, high) = relevant_losses(solution);
    let levels: Vec<f64> = (1..5).map(|index| low + 0.25 * f64::from(index) * (high - low)).collect();
    sheet(solution, &title(report), &panels, &colors, Palette::Sequential, &words, &levels)
}

/// Last density and stationary state, each minus exp(-γL/D), one colour scale.
pub fn difference_to_gibbs(solution: &StoredSolution, report: &Report) -> Drawing {
    let minus = |values: &[f64]| values.iter().zip(&solution.gibbs).map(|(a, b)| a - b).collect::<Vec<f64>>();
    let last = solution.time.len() - 1;
    let floor = ROUNDING * largest(&solution.gibbs);
    let mut panels = Vec::new();
    for (name, values) in [
        (time_label(solution.time[last]), solution.density_at(last)),
        ("stationary".to_string(), &solution.stationary[..]),
    ] {
        let difference = minus(values);
        let size = largest(&difference.iter().map(|value| value.abs()).collect::<Vec<f64>>());
        let same = size <= floor;
        // What is rounding is shown as nothing, and said.
        let shown = difference.into_iter().map(|value| if same { 0.0 * value } else { value }).collect();
        panels.push((if same { format!("{name}: identical to rounding") } else { name }, shown));
    }
    let size =
        largest(&panels.iter().flat_map(|(_, values)| values).map(|value: &f64| value.abs()).collect::<Vec<f64>>());
    let half = if size > 0.0 { size } else { 1.0 };
    let colors = Scale { lower: -half, upper: half, spacing: Spacing::Linear };
    let heading = format!("{}: density minus exp(−γL/D)", title(report));
    sheet(solution, &heading, &panels, &colors, Palette::Diverging, "difference (per weight unit²)", &[])
}

/// Panels in rows with one colour bar.
fn sheet(
    solution: &StoredSolution,
    heading: &str,
    panels: &[(String, Vec<f64>)],
    colors: &Scale,
    palette: Palette,
    words: &str,
    levels: &[f64],
) -> Drawing {
    let columns = if panels.len() <= 3 { panels.len() } else { panels.len().div_ceil(2) };
    let rows = panels.len().div_ceil(columns);
    let (width, height) = panel_size(solution, if columns <= 2 { 340.0 } else { 250.0 });
    let (across, down) = (width + 26.0, height + 40.0);
    let whole_width = 76.0 + columns as f64 * across + 110.0;
    let whole_height = 66.0 + rows as f64 * down + 20.0;
    let mut drawing = Drawing::new(whole_width.ceil(), whole_height.ceil());
    drawing.text((whole_width / 2.0, 12.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    let losses = field(solution, solution.loss.clone());
    for (index, (name, values)) in panels.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        let place = (76.0 + column as f64 * across, 66.0 + row as f64 * down);
        let axes = axes(solution, place, (width, height));
        field(solution, values.clone()).paint(&mut drawing, &axes, colors, palette);
        contour_lines(&mut drawing, &axes, &losses, levels, Stroke::solid([200; 3], 0.7));
        let short = |axis: usize| format!("{} ({WEIGHT_UNITS})", COORDINATES[axis]);
        let is_lowest = index + columns >= panels.len();
        let x_label = if is_lowest { short(0) } else { String::new() };
        let y_label = if column == 0 { short(1) } else { String::new() };
        panel_frame(&mut drawing, &axes, &x_label, &y_label, name, column == 0, is_lowest);
    }
    let bar = (76.0 + columns as f64 * across - 10.0, 66.0);
    color_bar(&mut drawing, bar, rows as f64 * down - 40.0, colors, palette, words);
    drawing
}

/// Frame of a panel; ticks are numbered at the left and the lower edge of the sheet only.
fn panel_frame(
    drawing: &mut Drawing,
    axes: &Axes,
    x_label: &str,
    y_label: &str,
    name: &str,
    numbers_left: bool,
    numbers_below: bool,
) {
    let start = drawing.shapes.len();
    axes.frame(drawing, x_label, y_label, name);
    if numbers_left && numbers_below {
        return;
    }
    let bottom = axes.top + axes.height;
    let mut index = 0;
    drawing.shapes.retain(|shape| {
        index += 1;
        let super::drawing::Shape::Text((x, y), _) = shape else { return true };
        let beside = *x < axes.left;
        let below = *y > bottom;
        index <= start || ((numbers_left || !beside) && (numbers_below || !below))
    });
}

fn field(solution: &StoredSolution, values: Vec<f64>) -> Field {
    Field { shape: (solution.axes[0].len(), solution.axes[1].len()), values }
}

fn axes(solution: &StoredSolution, (left, top): (f64, f64), (width, height): (f64, f64)) -> Axes {
    let scale = |axis: usize| {
        let (lower, upper) = ends(&solution.axes[axis]);
        Scale { lower, upper, spacing: Spacing::Linear }
    };
    Axes { left, top, width, height, x: scale(0), y: scale(1) }
}

/// Width and height of a panel: true to scale where the domain is not too long, at most `longest` points.
fn panel_size(solution: &StoredSolution, longest: f64) -> (f64, f64) {
    let extent = |axis: usize| {
        let (lower, upper) = ends(&solution.axes[axis]);
        upper - lower
    };
    let ratio = (extent(1) / extent(0)).clamp(0.4, 1.6);
    if ratio <= 1.0 { (longest, (longest * ratio).round()) } else { ((longest / ratio).round(), longest) }
}

pub(super) fn contour_lines(drawing: &mut Drawing, axes: &Axes, field: &Field, levels: &[f64], stroke: Stroke) {
    let small = field.coarsened(CONTOUR_CELLS);
    let place = |(column, row): (f64, f64)| {
        (
            axes.left + (column + 0.5) / small.shape.0 as f64 * axes.width,
            axes.top + (1.0 - (row + 0.5) / small.shape.1 as f64) * axes.height,
        )
    };
    for level in levels {
        for curve in contours(&small, *level) {
            drawing.line(curve.into_iter().map(place).collect(), stroke);
        }
    }
}
