//! Figures of one-dimensional problems: densities over the landscape, density in space and time.

use super::axes::{Axes, Entry, GIBBS, STATIONARY, legend};
use super::drawing::{Color, Drawing, Side, Stroke};
use super::heatmap::{Field, color_bar};
use super::palette::{Palette, curve_color};
use super::scale::{Scale, Spacing};
use super::style::{CURVE, TIME, TITLE_SIZE, density_label, label, position_label, time_label};
use super::{chosen_times, ends, largest, relevant_losses, title};
use crate::storage::{Report, StoredSolution};

/// Ink of the landscape below the curves.
const LANDSCAPE: [u8; 3] = [150, 150, 150];

/// Densities at some output times over the landscape, with the stationary state and exp(-gamma L/D).
pub fn densities(solution: &StoredSolution, report: &Report) -> Drawing {
    let mut drawing = Drawing::new(752.0, 432.0);
    let positions = &solution.axes[0];
    let chosen = chosen_times(solution.time.len());
    let (lower, upper) = ends(positions);
    let x = Scale { lower, upper, spacing: Spacing::Linear };
    // A first density much narrower than the others would flatten them: the scale then goes by square roots.
    let peaks: Vec<f64> = chosen
        .iter()
        .map(|&index| largest(solution.density_at(index)))
        .chain([largest(&solution.stationary)])
        .collect();
    let (highest, lowest) = (largest(&peaks), peaks.iter().copied().fold(f64::INFINITY, f64::min));
    let spacing = if highest > 8.0 * lowest { Spacing::SquareRoot } else { Spacing::Linear };
    let axes =
        Axes { left: 76.0, top: 40.0, width: 480.0, height: 335.0, x, y: Scale::from_zero(1.08 * highest, spacing) };
    let (low, high) = relevant_losses(solution);
    // The landscape stays in the lower three quarters, so that curves and legend can be told from it.
    let losses = Scale { lower: low, upper: low + 1.35 * (high - low), spacing: Spacing::Linear };
    let on_losses = Axes { y: losses, ..axes };
    on_losses.fill_below(&mut drawing, positions, &solution.loss, Color { rgb: LANDSCAPE, opacity: 0.22 });
    axes.grid(&mut drawing);
    on_losses.curve(&mut drawing, positions, &solution.loss, Stroke::solid(LANDSCAPE, 1.2));
    let mut entries = Vec::new();
    for (order, &index) in chosen.iter().enumerate() {
        let stroke = Stroke::solid(curve_color(order, chosen.len()), CURVE);
        axes.curve(&mut drawing, positions, solution.density_at(index), stroke);
        entries.push(Entry { stroke, text: time_label(solution.time[index]) });
    }
    axes.curve(&mut drawing, positions, &solution.stationary, STATIONARY);
    axes.curve(&mut drawing, positions, &solution.gibbs, GIBBS);
    entries.push(Entry { stroke: STATIONARY, text: "stationary".into() });
    entries.push(Entry { stroke: GIBBS, text: "exp(−γL/D)".into() });
    entries.push(Entry { stroke: Stroke::solid(LANDSCAPE, 1.2), text: "loss L".into() });
    let words = match spacing {
        Spacing::SquareRoot => format!("{}, square-root scale", density_label(1)),
        _ => density_label(1),
    };
    axes.frame(&mut drawing, &position_label(0), &words, &title(report));
    axes.right_scale(&mut drawing, &losses, "loss L (loss units)");
    legend(&mut drawing, (632.0, axes.top), "", &entries);
    drawing
}

/// Density in space and time.
pub fn space_time(solution: &StoredSolution, report: &Report) -> Drawing {
    let mut drawing = Drawing::new(680.0, 432.0);
    let positions = &solution.axes[0];
    let (lower, upper) = ends(positions);
    let times = Scale::times(&solution.time);
    let axes = Axes {
        left: 76.0,
        top: 40.0,
        width: 480.0,
        height: 335.0,
        x: times,
        y: Scale { lower, upper, spacing: Spacing::Linear },
    };
    // Each column of the raster shows the output nearest in the scale of the axis: nothing is interpolated in time.
    let columns = 480;
    let rows = positions.len();
    let places: Vec<f64> = solution.time.iter().map(|time| times.place(*time)).collect();
    let mut values = Vec::with_capacity(columns * rows);
    for column in 0..columns {
        let place = (column as f64 + 0.5) / columns as f64;
        let later = places.partition_point(|other| *other < place);
        let nearest = if later == places.len() || (later > 0 && place - places[later - 1] <= places[later] - place) {
            later - 1
        } else {
            later
        };
        values.extend_from_slice(solution.density_at(nearest));
    }
    let field = Field { shape: (columns, rows), values };
    let peaks: Vec<f64> = (0..solution.time.len()).map(|index| largest(solution.density_at(index))).collect();
    let lowest = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    let spacing = if largest(&peaks) > 4.0 * lowest { Spacing::SquareRoot } else { Spacing::Linear };
    let colors = Scale::from_zero(largest(&peaks), spacing);
    field.paint(&mut drawing, &axes, &colors, Palette::Sequential);
    axes.frame(&mut drawing, TIME, &position_label(0), "");
    drawing.text(
        (axes.left + axes.width / 2.0, axes.top - 14.0),
        label(title(report), TITLE_SIZE, (Side::Middle, Side::End)),
    );
    // Where the computed times are.
    for place in places {
        let x = axes.left + place * axes.width;
        drawing.line(vec![(x, axes.top - 5.0), (x, axes.top)], Stroke::solid(super::style::INK, 0.8));
    }
    let words = match spacing {
        Spacing::SquareRoot => format!("{}, square-root scale", density_label(1)),
        _ => density_label(1),
    };
    color_bar(&mut drawing, (572.0, axes.top), axes.height, &colors, Palette::Sequential, &words);
    drawing
}
