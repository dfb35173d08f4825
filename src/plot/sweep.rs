//! Estimates of a learning coefficient over step sizes, localisations and temperatures.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Color, Dash, Drawing, Side, Stroke};
use super::palette::{Palette, curve_color};
use super::scale::Scale;
use super::style::{CURVE, FRAME, INK, LABEL_SIZE, OUTSIDE, TICK_SIZE, TITLE_SIZE, label, number};
use crate::storage::LlcReport;
use crate::storage::llc::SweepRow;

/// A setting of a row.
type Pick = fn(&SweepRow) -> f64;

/// The swept settings: label, symbol, value.
const AXES: [(&str, &str, Pick); 3] = [
    ("step size ε", "ε", |row| row.step_size),
    ("localisation g", "g", |row| row.localization),
    ("inverse temperature t", "t", |row| row.inverse_temperature),
];

/// What the heat maps show: name, value, decimals.
type Quantity = (&'static str, fn(&SweepRow) -> Option<f64>, usize);
const QUANTITIES: [Quantity; 6] = [
    ("learning coefficient", |row| row.value, 2),
    ("R-hat", |row| row.r_hat, 2),
    ("acceptance", |row| row.acceptance, 2),
    ("drift (standard errors)", |row| row.drift, 1),
    ("share below the point", |row| row.below_start, 2),
    ("distance / prior radius", |row| row.radius_ratio, 2),
];

fn distinct(rows: &[SweepRow], pick: Pick) -> Vec<f64> {
    let mut values: Vec<f64> = rows.iter().map(pick).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Heat maps over the two axes with the most values; of a third one its first value. A frame marks what nothing speaks
/// against. `None` when fewer than two axes are swept.
pub fn heat_maps(report: &LlcReport) -> Option<Drawing> {
    let rows = &report.sweep.as_ref()?.points;
    let mut order: Vec<usize> = (0..3).collect();
    order.sort_by_key(|index| std::cmp::Reverse(distinct(rows, AXES[*index].2).len()));
    let [(x_label, _, x_of), (y_label, _, y_of), (_, rest_symbol, rest_of)] =
        [AXES[order[0]], AXES[order[1]], AXES[order[2]]];
    let (xs, ys, rest) = (distinct(rows, x_of), distinct(rows, y_of), distinct(rows, rest_of));
    // Step sizes from pilot runs differ everywhere: they make no grid.
    if ys.len() < 2 || rows.len() != xs.len() * ys.len() * rest.len() {
        return None;
    }
    let (cell_width, cell_height) = ((280.0 / xs.len() as f64).min(70.0), (200.0 / ys.len() as f64).min(40.0));
    let (width, height) = (cell_width * xs.len() as f64, cell_height * ys.len() as f64);
    let (across, down) = (width + 130.0, height + 92.0);
    let mut drawing = Drawing::new((3.0 * across + 10.0).ceil(), (2.0 * down + 44.0).ceil());
    let fixed = if rest.len() > 1 { format!(", {rest_symbol} = {}", number(rest[0])) } else { String::new() };
    let heading = format!("{}{fixed}; framed: nothing speaks against", report.title);
    drawing.text((1.5 * across, 12.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    let of_slice: Vec<&SweepRow> = rows.iter().filter(|row| rest_of(row) == rest[0]).collect();
    for (index, (name, pick, digits)) in QUANTITIES.into_iter().enumerate() {
        let (left, top) = (96.0 + across * (index % 3) as f64, 66.0 + down * (index / 3) as f64);
        drawing.text((left + width / 2.0, top - 20.0), label(name, LABEL_SIZE, (Side::Middle, Side::Start)));
        let colors = Scale::linear(of_slice.iter().filter_map(|row| pick(row)), 0.0);
        for row in &of_slice {
            let (Some(column), Some(line)) =
                (xs.iter().position(|x| *x == x_of(row)), ys.iter().position(|y| *y == y_of(row)))
            else {
                continue;
            };
            let (x, y) = (left + cell_width * column as f64, top + cell_height * (ys.len() - 1 - line) as f64);
            let corners = vec![(x, y), (x + cell_width, y), (x + cell_width, y + cell_height), (x, y + cell_height)];
            let rgb = pick(row).map_or(OUTSIDE, |value| Palette::Sequential.color(colors.place(value)));
            drawing.polygon(corners.clone(), Color::solid(rgb));
            // Dark letters on light cells and the other way round.
            let lightness: u32 = rgb.iter().map(|channel| u32::from(*channel)).sum();
            let mut words = label(
                pick(row).map_or("–".to_string(), |value| format!("{value:.digits$}")),
                TICK_SIZE,
                (Side::Middle, Side::Middle),
            );
            words.color = Color::solid(if lightness > 380 { INK } else { [255; 3] });
            drawing.text((x + cell_width / 2.0, y + cell_height / 2.0), words);
            if row.trustworthy {
                let inset =
                    |(a, b): (f64, f64)| (a + if a > x { -2.5 } else { 2.5 }, b + if b > y { -2.5 } else { 2.5 });
                let frame: Vec<(f64, f64)> = corners.iter().chain(&corners[..1]).map(|corner| inset(*corner)).collect();
                drawing.line(frame, Stroke::solid([200, 60, 30], 2.0));
            }
        }
        let (right, bottom) = (left + width, top + height);
        drawing.line(vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], FRAME);
        for (column, x) in xs.iter().enumerate() {
            let place = (left + cell_width * (column as f64 + 0.5), bottom + 6.0);
            drawing.text(place, label(number(*x), TICK_SIZE, (Side::Middle, Side::Start)));
        }
        for (line, y) in ys.iter().rev().enumerate() {
            let place = (left - 6.0, top + cell_height * (line as f64 + 0.5));
            drawing.text(place, label(number(*y), TICK_SIZE, (Side::End, Side::Middle)));
        }
        drawing.text((left + width / 2.0, bottom + 24.0), label(x_label, LABEL_SIZE, (Side::Middle, Side::Start)));
        let mut words = label(y_label, LABEL_SIZE, (Side::Middle, Side::End));
        words.upwards = true;
        drawing.text((left - 56.0, top + height / 2.0), words);
    }
    Some(drawing)
}

/// Estimates against the swept axis with the most values, one line per combination of the others; R-hat and acceptance
/// below. `None` without a sweep.
pub fn lines(report: &LlcReport) -> Option<Drawing> {
    let rows = &report.sweep.as_ref()?.points;
    let distinct = |pick: Pick| distinct(rows, pick);
    let main = (0..3).max_by_key(|index| (distinct(AXES[*index].2).len(), 3 - index))?;
    let (x_label, _, x_of) = AXES[main];
    let others: Vec<(&str, Pick)> =
        (0..3).filter(|index| *index != main).map(|index| (AXES[index].1, AXES[index].2)).collect();
    let mut groups: Vec<(String, Vec<&SweepRow>)> = Vec::new();
    for row in rows {
        let swept = others.iter().filter(|(_, pick)| distinct(*pick).len() > 1);
        let name = swept.map(|(name, pick)| format!("{name} = {}", number(pick(row)))).collect::<Vec<_>>().join(", ");
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(row),
            None => groups.push((name, vec![row])),
        }
    }
    for (_, members) in &mut groups {
        members.sort_by(|a, b| x_of(a).total_cmp(&x_of(b)));
    }
    let mut drawing = Drawing::new(1180.0, 400.0);
    let heading = format!("{}: estimates over {x_label}", report.title);
    drawing.text((590.0, 12.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    type Column = (fn(&SweepRow) -> Option<f64>, &'static str);
    let columns: [Column; 3] = [
        (|row| row.value, "learning coefficient"),
        (|row| row.r_hat, "R-hat"),
        (|row| row.acceptance, "acceptance probability"),
    ];
    for (index, (pick, y_label)) in columns.into_iter().enumerate() {
        // Estimates of steps far too long would press all others into a line.
        let trusted = rows.iter().filter(|row| row.trustworthy).filter_map(pick).fold(f64::NAN, f64::max);
        let values = || rows.iter().filter_map(pick).filter(|value| trusted.is_nan() || *value <= 3.0 * trusted);
        let places = rows.iter().map(x_of).filter(|value| value.is_finite());
        let panel = Axes {
            left: 84.0 + 384.0 * index as f64,
            top: 56.0,
            width: 300.0,
            height: 270.0,
            x: Scale::logarithmic(places, 0.06),
            y: Scale::linear(values(), 0.1),
        };
        panel.grid(&mut drawing);
        let mut entries = Vec::new();
        for (number, (name, members)) in groups.iter().enumerate() {
            let color = curve_color(number, groups.len().max(2));
            let points = members.iter().filter_map(|row| pick(row).map(|value| (x_of(row), value)));
            let (xs, ys): (Vec<f64>, Vec<f64>) = points.unzip();
            let stroke = Stroke::solid(color, CURVE).with_dash([Dash::Solid, Dash::Dashed][number % 2]);
            panel.curve(&mut drawing, &xs, &ys, stroke);
            // A mark is an estimate that nothing speaks against.
            let trusted = members.iter().filter(|row| row.trustworthy);
            let marks = trusted.filter_map(|row| pick(row).map(|value| (x_of(row), value)));
            let (xs, ys): (Vec<f64>, Vec<f64>) = marks.unzip();
            panel.marks(&mut drawing, &xs, &ys, color);
            if index == 0 {
                for row in members.iter() {
                    if let (Some(value), Some(mcse)) = (row.value, row.mcse) {
                        panel.curve(
                            &mut drawing,
                            &[x_of(row); 2],
                            &[value - mcse, value + mcse],
                            Stroke::solid(color, 1.0),
                        );
                    }
                }
            }
            entries.push(Entry { stroke, text: name.clone() });
        }
        panel.frame(&mut drawing, x_label, y_label, if index == 0 { "squares: nothing speaks against" } else { "" });
        if index == 0 && groups.len() > 1 {
            legend(&mut drawing, (panel.left + 8.0, panel.top + 8.0), "", &entries);
        }
    }
    Some(drawing)
}
