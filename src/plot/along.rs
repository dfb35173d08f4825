//! λ(t) and d_s(t) along a run, next to its loss and displacement.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Color, Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::Scale;
use super::style::{CURVE, INK, TITLE_SIZE, WEIGHT_UNITS, label, number};
use crate::estimate::displacement::Convention;
use crate::experiment::diagnose::along::Along;
use crate::experiment::diagnose::report::DiagnosisReport;

/// 97.5 % quantile of the normal law.
const TWO_SIDED: f64 = 1.96;
/// Colour of the mean.
const MEAN: [u8; 3] = [200, 60, 30];

/// Four panels over the steps of the run.
pub fn along(report: &DiagnosisReport, along: &Along) -> Drawing {
    let mut drawing = Drawing::new(1180.0, 850.0);
    let heading = format!(
        "{}: learning coefficient at t = {}, g = {}, {} of {} points doubtful",
        report.title,
        number(along.inverse_temperature),
        number(along.localization),
        along.doubtful,
        along.rows.len()
    );
    drawing.text((590.0, 14.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    let steps: Vec<f64> = along.rows.iter().map(|row| row.step).collect();
    let origin = report.diagnosis.input.origin;
    let curves = &report.diagnosis.curves;
    let across = || Scale::linear(steps.iter().copied(), 0.02);
    let panel = |index: usize, y: Scale| Axes {
        left: [92.0, 672.0][index % 2],
        top: [62.0, 470.0][index / 2],
        width: 450.0,
        height: 320.0,
        x: across(),
        y,
    };

    let losses: Vec<f64> = along.rows.iter().map(|row| row.loss).collect();
    let axes = panel(0, Scale::logarithmic(losses.iter().copied(), 0.05));
    line(&mut drawing, &axes, &steps, &losses, "loss L (loss units)");

    let times: Vec<f64> = curves.times.iter().map(|time| time + origin).collect();
    let axes = panel(1, Scale::linear(curves.displacement.iter().copied().chain([0.0]), 0.05));
    axes.grid(&mut drawing);
    axes.curve(&mut drawing, &times, &curves.displacement, Stroke::solid(curve_color(0, 4), CURVE));
    axes.frame(&mut drawing, "step", &format!("displacement R ({WEIGHT_UNITS})"), "");

    // Points that are no minima have no coefficient: their numbers would only hide the others.
    let minima: Vec<bool> = along.rows.iter().map(|row| row.is_minimum).collect();
    let (values, lower, upper) = band(along.rows.iter().map(|row| {
        if !row.is_minimum {
            return (f64::NAN, f64::NAN, f64::NAN);
        }
        let half = TWO_SIDED * row.mcse;
        (row.learning_coefficient, row.learning_coefficient - half, row.learning_coefficient + half)
    }));
    let axes = panel(2, Scale::linear(upper.iter().copied().chain([0.0]), 0.2));
    banded(&mut drawing, &axes, &steps, (&values, &lower, &upper), "learning coefficient λ");
    let mean = Stroke::solid(MEAN, 1.4).with_dash(Dash::Dashed);
    let level = along.mean.map(|mean| mean.value);
    for stretch in no_minima(&steps, &minima) {
        let ends = [axes.y.lower, axes.y.upper].map(|y| vec![y; stretch.len()]);
        axes.band(&mut drawing, &stretch, &ends[0], &ends[1], Color { rgb: [150; 3], opacity: 0.22 });
    }
    if let Some(level) = level {
        axes.curve(&mut drawing, &[axes.x.lower, axes.x.upper], &[level; 2], mean);
    }
    let over_minima = level.map_or("no point is a minimum".into(), |mean| format!("mean over minima {}", number(mean)));
    let mut entries = vec![Entry { stroke: mean, text: over_minima }];
    if minima.contains(&false) {
        entries.push(Entry { stroke: Stroke::solid([205; 3], 9.0), text: "no minima: lower losses around".into() });
    }
    legend(&mut drawing, (axes.left + 12.0, axes.top + 6.0), "", &entries);

    let (values, lower, upper) = band(along.rows.iter().map(|row| {
        let Some(own) = row.spectral_dimension else { return (f64::NAN, f64::NAN, f64::NAN) };
        (own.value, own.lower.unwrap_or(own.value), own.upper.unwrap_or(own.value))
    }));
    let level = level.map(|mean| report.dimensions.convention.limit() * mean);
    let axes = panel(3, Scale::linear(upper.iter().copied().chain([0.0, level.unwrap_or(0.0)]), 0.2));
    let y_label = match report.dimensions.convention {
        Convention::Paper => "spectral dimension d_s = 2 λ slope",
        Convention::Length => "spectral dimension d_s = 4 λ slope",
    };
    banded(&mut drawing, &axes, &steps, (&values, &lower, &upper), y_label);
    if let Some(level) = level {
        axes.curve(&mut drawing, &[axes.x.lower, axes.x.upper], &[level; 2], mean);
    }
    let entries = [Entry {
        stroke: mean,
        text: format!("bound: {}mean λ", if level == along.mean.map(|mean| mean.value) { "" } else { "2 × " }),
    }];
    legend(&mut drawing, (axes.left + 12.0, axes.top + 6.0), "", &entries);
    drawing
}

/// The stretches of steps around points that are no minima, each as its two ends.
fn no_minima(steps: &[f64], minima: &[bool]) -> Vec<[f64; 2]> {
    let middle = |place: usize, next: usize| 0.5 * (steps[place] + steps[next]);
    let last = steps.len() - 1;
    let stretches = (0..=last).filter(|place| !minima[*place]);
    stretches.map(|place| [middle(place.saturating_sub(1), place), middle(place, (place + 1).min(last))]).collect()
}

fn band(rows: impl Iterator<Item = (f64, f64, f64)>) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut values, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for (value, below, above) in rows {
        values.push(value);
        lower.push(below);
        upper.push(above);
    }
    (values, lower, upper)
}

fn line(drawing: &mut Drawing, axes: &Axes, xs: &[f64], ys: &[f64], y_label: &str) {
    axes.grid(drawing);
    axes.curve(drawing, xs, ys, Stroke::solid(curve_color(0, 4), CURVE));
    axes.marks(drawing, xs, ys, curve_color(0, 4));
    axes.frame(drawing, "step", y_label, "");
}

type Band<'a> = (&'a [f64], &'a [f64], &'a [f64]);

fn banded(drawing: &mut Drawing, axes: &Axes, xs: &[f64], (values, lower, upper): Band<'_>, y_label: &str) {
    axes.grid(drawing);
    let color = curve_color(1, 4);
    axes.band(drawing, xs, lower, upper, Color { rgb: color, opacity: 0.25 });
    axes.curve(drawing, &[axes.x.lower, axes.x.upper], &[0.0; 2], Stroke::solid(INK, 0.8));
    axes.curve(drawing, xs, values, Stroke::solid(color, CURVE));
    axes.marks(drawing, xs, values, color);
    axes.frame(drawing, "step", y_label, "");
}
