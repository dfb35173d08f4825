//! A diagnosis: the displacement with its fit and phases, the time average, and what the slope depends on.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Color, Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::{Scale, Spacing};
use super::style::{CURVE, INK, TITLE_SIZE, WEIGHT_UNITS, label, number};
use crate::estimate::displacement::{Family, Finding, Interval, PowerLawFit, Sensitivity};
use crate::experiment::diagnose::report::DiagnosisReport;

/// Colour of what was observed.
const OBSERVED: usize = 0;
/// Colour of fits.
const FIT: [u8; 3] = [200, 60, 30];
/// Colour of what stands against the power law.
const RIVAL: [u8; 3] = [33, 145, 140];
/// Colour of lines that mark a place.
const MARK: Stroke = Stroke::solid([120; 3], 0.9).with_dash(Dash::Dotted);
/// Most marks of a curve: more would be a band.
const MOST_MARKS: usize = 60;

/// Places of the four panels.
const LEFT: [f64; 2] = [92.0, 672.0];
const TOP: [f64; 2] = [62.0, 470.0];
const WIDTH: f64 = 450.0;
const HEIGHT: f64 = 320.0;

/// An interval in words: "0.41 [0.39, 0.43]".
fn words(interval: &Interval) -> String {
    let end = |end: Option<f64>| end.map_or("–".into(), number);
    format!("{} [{}, {}]", number(interval.value), end(interval.lower), end(interval.upper))
}

/// R(t), the time average, and the slope against first time and origin.
pub fn displacement(report: &DiagnosisReport) -> Drawing {
    let mut drawing = Drawing::new(1180.0, 850.0);
    let diagnosis = &report.diagnosis;
    let finding = diagnosis.comparison.as_ref().map_or(String::new(), |comparison| match comparison.finding {
        Finding::PowerLaw => ": a power law".into(),
        Finding::NotPowerLaw => format!(": not a power law ({} explains it better)", comparison.best_other.words()),
        Finding::NotDistinguishable => format!(": not distinguishable from {}", comparison.best_other.words()),
    });
    let heading = format!("{}: slope {}{finding}", report.title, words(&diagnosis.slope));
    drawing.text((590.0, 14.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    curve_panel(&mut drawing, report);
    time_average_panel(&mut drawing, report);
    let first = ("first fitted time since the origin", &diagnosis.by_first_time[..], diagnosis.displacement.first);
    let origin = ("origin", &diagnosis.by_origin[..], diagnosis.input.origin);
    for (column, (x_label, rows, used)) in [first, origin].into_iter().enumerate() {
        sensitivity_panel(&mut drawing, (LEFT[column], TOP[1]), x_label, rows, used);
    }
    drawing
}

fn panel((left, top): (f64, f64), x: Scale, y: Scale) -> Axes {
    Axes { left, top, width: WIDTH, height: HEIGHT, x, y }
}

/// The displacement, its straight line, the phases and the best other model.
fn curve_panel(drawing: &mut Drawing, report: &DiagnosisReport) {
    let diagnosis = &report.diagnosis;
    let curves = &diagnosis.curves;
    let axes = panel(
        (LEFT[0], TOP[0]),
        Scale::logarithmic(curves.times.iter().copied(), 0.03),
        Scale::logarithmic(curves.displacement.iter().copied(), 0.08),
    );
    axes.grid(drawing);
    for time in &diagnosis.change_times {
        band_across(drawing, &axes, time);
    }
    let observed = curve_color(OBSERVED, 4);
    axes.curve(drawing, &curves.times, &curves.displacement, Stroke::solid(observed, 1.2));
    let (xs, ys) = spread(&curves.times, &curves.displacement);
    axes.marks(drawing, &xs, &ys, observed);
    let fit = &diagnosis.displacement;
    let line = Stroke::solid(FIT, CURVE).with_dash(Dash::Dashed);
    let (xs, ys) = line_of(fit, 1.0);
    axes.curve(drawing, &xs, &ys, line);
    let mut entries = vec![
        Entry { stroke: Stroke::solid(observed, CURVE), text: "displacement R".into() },
        Entry { stroke: line, text: format!("R ~ t^{}, r² = {:.4}", number(fit.slope.value), fit.r_squared.value) },
    ];
    let rival = diagnosis.comparison.as_ref().and_then(|comparison| {
        let best = comparison.models.iter().find(|model| model.family != Family::PowerLaw)?;
        Some((comparison, best))
    });
    if let Some((comparison, best)) = rival {
        let stroke = Stroke::solid(RIVAL, CURVE).with_dash(Dash::Dotted);
        axes.curve(drawing, &comparison.times, &best.displacement, stroke);
        entries.push(Entry { stroke, text: best.family.words().into() });
    }
    if diagnosis.phases.len() > 1 {
        for phase in &diagnosis.phases {
            let ends = (&[phase.from, phase.to], &[phase.displacement_from, phase.displacement_to]);
            axes.curve(drawing, ends.0, ends.1, Stroke::solid(INK, 1.0));
            let middle = (phase.from * phase.to).sqrt();
            let height = (phase.displacement_from * phase.displacement_to).sqrt();
            let (x, y) = axes.point(middle, height);
            let text = format!("{} {}", phase.kind.words(), number(phase.slope.value));
            // Below the line on the left half, above it on the right one: never beyond the frame.
            if x < axes.left + 0.5 * axes.width {
                drawing.text((x + 6.0, y + 14.0), label(text, 11.0, (Side::Start, Side::Start)));
            } else {
                drawing.text((x - 6.0, y - 14.0), label(text, 11.0, (Side::End, Side::End)));
            }
        }
    }
    axes.frame(drawing, "time since the origin", &format!("displacement R ({WEIGHT_UNITS})"), "");
    legend(drawing, (axes.left + 12.0, axes.top + 6.0), "", &entries);
}

/// At most [`MOST_MARKS`] points, evenly spread over the logarithm of time.
fn spread(times: &[f64], values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let positive: Vec<usize> = (0..times.len()).filter(|place| times[*place] > 0.0).collect();
    let (Some(first), Some(last)) = (positive.first(), positive.last()) else { return (Vec::new(), Vec::new()) };
    let step = (times[*last] / times[*first]).ln() / MOST_MARKS as f64;
    let mut next = f64::NEG_INFINITY;
    let kept = positive.into_iter().filter(|place| {
        let log = times[*place].ln();
        let keeps = log >= next;
        if keeps {
            next = log + step;
        }
        keeps
    });
    kept.map(|place| (times[place], values[place])).unzip()
}

/// The fitted line at its ends; `power` 2 gives mean squares.
fn line_of(fit: &PowerLawFit, power: f64) -> (Vec<f64>, Vec<f64>) {
    let at = |time: f64| (fit.prefactor.value * time.powf(fit.slope.value)).powf(power);
    (vec![fit.first, fit.last], vec![at(fit.first), at(fit.last)])
}

/// A vertical line with its interval.
fn band_across(drawing: &mut Drawing, axes: &Axes, time: &Interval) {
    let inside = |value: f64| value.clamp(axes.x.lower, axes.x.upper);
    let (from, to) = (inside(time.lower.unwrap_or(axes.x.lower)), inside(time.upper.unwrap_or(axes.x.upper)));
    let (left, right) = (axes.point(from, axes.y.lower).0, axes.point(to, axes.y.lower).0);
    let bottom = axes.top + axes.height;
    let corners = vec![(left, axes.top), (right, axes.top), (right, bottom), (left, bottom)];
    drawing.polygon(corners, Color { rgb: [150; 3], opacity: 0.18 });
    axes.curve(drawing, &[time.value; 2], &[axes.y.lower, axes.y.upper], MARK);
}

fn time_average_panel(drawing: &mut Drawing, report: &DiagnosisReport) {
    let diagnosis = &report.diagnosis;
    let curves = &diagnosis.curves;
    let place = (LEFT[1], TOP[0]);
    let Some(fit) = &diagnosis.time_averaged else {
        let reason = diagnosis.time_averaged_reason.as_deref().unwrap_or("no time average");
        return empty(drawing, place, &format!("no time average: {reason}"));
    };
    let axes = panel(
        place,
        Scale::logarithmic(curves.lags.iter().copied(), 0.03),
        Scale::logarithmic(curves.time_averaged.iter().copied(), 0.08),
    );
    axes.grid(drawing);
    let observed = curve_color(OBSERVED, 4);
    axes.curve(drawing, &curves.lags, &curves.time_averaged, Stroke::solid(observed, 1.2));
    let (xs, ys) = spread(&curves.lags, &curves.time_averaged);
    axes.marks(drawing, &xs, &ys, observed);
    let line = Stroke::solid(FIT, CURVE).with_dash(Dash::Dashed);
    let (xs, ys) = line_of(fit, 2.0);
    axes.curve(drawing, &xs, &ys, line);
    axes.frame(drawing, "lag", &format!("time-averaged R² ({WEIGHT_UNITS}²)"), "");
    let entries = [
        Entry { stroke: Stroke::solid(observed, CURVE), text: "mean over time, by lag".into() },
        Entry { stroke: line, text: format!("half its slope: {}", words(&fit.slope)) },
    ];
    legend(drawing, (axes.left + 12.0, axes.top + 6.0), "", &entries);
}

/// A panel that has nothing to show, and why.
fn empty(drawing: &mut Drawing, (left, top): (f64, f64), text: &str) {
    let axes = panel((left, top), Scale::linear([0.0, 1.0], 0.0), Scale::linear([0.0, 1.0], 0.0));
    axes.outline(drawing);
    let lines = wrapped(text, 62);
    let middle = top + HEIGHT / 2.0 - 9.0 * lines.len() as f64;
    for (number, line) in lines.into_iter().enumerate() {
        let place = (left + WIDTH / 2.0, middle + 18.0 * number as f64);
        drawing.text(place, label(line, 12.0, (Side::Middle, Side::Start)));
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// The slope for other choices, with its intervals; `used` is the choice of the fit.
fn sensitivity_panel(drawing: &mut Drawing, place: (f64, f64), x_label: &str, rows: &[Sensitivity], used: f64) {
    if rows.len() < 2 {
        return empty(drawing, place, &format!("the slope for one {x_label} only"));
    }
    let xs: Vec<f64> = rows.iter().map(|row| row.at).collect();
    let ys: Vec<f64> = rows.iter().map(|row| row.slope.value).collect();
    let scale = if xs[0] > 0.0 && xs[xs.len() - 1] > 10.0 * xs[0] {
        Scale { lower: xs[0], upper: xs[xs.len() - 1], spacing: Spacing::Logarithmic }
    } else {
        Scale::linear(xs.iter().copied(), 0.0)
    };
    // Intervals may be far wider than what the slope does: they are cut where they would hide it.
    let (low, high) =
        ys.iter().chain(&[0.5]).fold((f64::INFINITY, f64::NEG_INFINITY), |range, y| (range.0.min(*y), range.1.max(*y)));
    let reach = (high - low).max(0.1);
    let ends = rows.iter().flat_map(|row| [row.slope.lower, row.slope.upper]).flatten();
    let shown = ends.map(|end| end.clamp(low - reach, high + reach));
    let axes = panel(place, scale, Scale::linear(shown.chain([low, high + 0.6 * reach]), 0.06));
    axes.grid(drawing);
    let color = curve_color(1, 4);
    axes.band(
        drawing,
        &xs,
        &rows.iter().map(|row| row.slope.lower.unwrap_or(row.slope.value)).collect::<Vec<f64>>(),
        &rows.iter().map(|row| row.slope.upper.unwrap_or(row.slope.value)).collect::<Vec<f64>>(),
        Color { rgb: color, opacity: 0.25 },
    );
    let diffusive = Stroke::solid(INK, 1.0).with_dash(Dash::Dashed);
    axes.curve(drawing, &[axes.x.lower, axes.x.upper], &[0.5; 2], diffusive);
    axes.curve(drawing, &[used; 2], &[axes.y.lower, axes.y.upper], MARK);
    axes.curve(drawing, &xs, &ys, Stroke::solid(color, CURVE));
    if xs.len() <= MOST_MARKS {
        axes.marks(drawing, &xs, &ys, color);
    }
    axes.frame(drawing, x_label, "slope of log R", "");
    let entries = [
        Entry { stroke: Stroke::solid(color, CURVE), text: "slope".into() },
        Entry { stroke: diffusive, text: "ordinary diffusion, 1/2".into() },
        Entry { stroke: MARK, text: "the choice of the fit".into() },
    ];
    legend(drawing, (axes.left + 12.0, axes.top + 6.0), "", &entries);
}
