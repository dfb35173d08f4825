//! The figure of a convergence study: error against steps, against seconds, and against cells.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::Scale;
use super::style::{CURVE, TITLE_SIZE, label};
use crate::storage::convergence::{Convergence, Level, Study};

/// Colour of the study of space, which shares its legend with the schemes in time.
const SPACE: [u8; 3] = [200, 60, 30];
/// Errors below this are drawn as this.
const SMALLEST: f64 = 1e-16;

/// Studies, the horizontal place of a level, its label, and whether the promised slope is drawn.
type Panel<'a> = (&'a [Study], fn(&Level) -> f64, &'static str, bool);

/// Three panels with one legend.
pub fn convergence(study: &Convergence) -> Drawing {
    let mut drawing = Drawing::new(1180.0, 430.0);
    let heading = format!("{}: relative error at T = {}", study.title, super::style::number(study.end));
    drawing.text((510.0, 12.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    let errors = |studies: &[Study]| -> Vec<f64> {
        studies.iter().flat_map(|one| one.levels.iter().map(|level| level.error_at_end.max(SMALLEST))).collect()
    };
    let panels: [Panel<'_>; 3] = [
        (&study.time, |level| level.size as f64, "steps", true),
        (&study.time, |level| level.seconds.max(1e-6), "wall time (s)", false),
        (std::slice::from_ref(&study.space), |level| level.size as f64, "cells along the first axis", true),
    ];
    let mut entries = Vec::new();
    for (index, (studies, place, x_label, has_slope)) in panels.into_iter().enumerate() {
        let places = studies.iter().flat_map(|one| one.levels.iter().map(place));
        let axes = Axes {
            left: 84.0 + 318.0 * index as f64,
            top: 52.0,
            width: 236.0,
            height: 310.0,
            x: Scale::logarithmic(places, 0.04),
            y: Scale::logarithmic(errors(studies), 0.05),
        };
        axes.grid(&mut drawing);
        for (number, one) in studies.iter().enumerate() {
            let dash = [Dash::Solid, Dash::Dashed][number % 2];
            let color = if index == 2 { SPACE } else { curve_color(number, studies.len().max(2)) };
            let stroke = Stroke::solid(color, CURVE).with_dash(dash);
            let xs: Vec<f64> = one.levels.iter().map(place).collect();
            let ys: Vec<f64> = one.levels.iter().map(|level| level.error_at_end.max(SMALLEST)).collect();
            if has_slope && let (Some(x), Some(y)) = (xs.first(), ys.first()) {
                // What the theory promises, through the first point.
                let promised: Vec<f64> = xs.iter().map(|other| y * (x / other).powf(one.expected_order)).collect();
                axes.curve(&mut drawing, &xs, &promised, Stroke::solid([150; 3], 0.9).with_dash(Dash::Dotted));
            }
            axes.curve(&mut drawing, &xs, &ys, stroke);
            axes.marks(&mut drawing, &xs, &ys, color);
            if index != 1 {
                let order = one.observed_order().map_or(String::new(), |order| format!(", order {order:.2}"));
                entries.push(Entry { stroke, text: format!("{}{order}", one.name) });
            }
        }
        let y_label = ["error in time", "", "difference to the next mesh"][index];
        axes.frame(&mut drawing, x_label, y_label, "");
    }
    entries.push(Entry { stroke: Stroke::solid([150; 3], 0.9).with_dash(Dash::Dotted), text: "promised".into() });
    let place = (976.0, 60.0);
    legend(&mut drawing, place, "", &entries);
    drawing
}
