//! A learning coefficient: traces, running means, the law of the energy; sweeps.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Color, Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::Scale;
use super::style::{CURVE, INK, TITLE_SIZE, label, number};
use crate::storage::llc::SweepRow;
use crate::storage::{LlcReport, StoredTraces};

/// Most points of a curve: more would be finer than the picture.
const MOST_POINTS: usize = 800;
/// Bars of the histogram.
const BARS: usize = 60;
/// Line of what the chains should show.
const EXPECTED: [u8; 3] = [200, 60, 30];

/// Energies t (loss - loss of the point), one row per chain.
fn energies(traces: &StoredTraces, report: &LlcReport) -> Vec<Vec<f64>> {
    let (t, baseline) = (report.llc.inverse_temperature, report.model.loss);
    traces.loss.iter().map(|chain| chain.iter().map(|loss| t * (loss - baseline)).collect()).collect()
}

/// Traces, running means of every chain and the histogram of all draws with a Gamma law of the same mean.
pub fn chains(traces: &StoredTraces, report: &LlcReport) -> Drawing {
    let mut drawing = Drawing::new(1180.0, 400.0);
    let llc = &report.llc;
    let heading = format!(
        "{}: λ = {:.3} ± {:.3}, {}",
        report.title,
        llc.value,
        llc.mcse,
        if llc.trustworthy { "trustworthy".to_string() } else { llc.faults.join(", ") }
    );
    drawing.text((590.0, 12.0), label(heading, TITLE_SIZE, (Side::Middle, Side::Start)));
    let energies = energies(traces, report);
    let panel = |index: usize, x: Scale, y: Scale| Axes {
        left: 84.0 + 384.0 * index as f64,
        top: 56.0,
        width: 300.0,
        height: 270.0,
        x,
        y,
    };
    let draws = energies.first().map_or(1, Vec::len);
    let color = |chain: usize| curve_color(chain, energies.len().max(2));
    let across = || Scale::linear([0.0, draws as f64], 0.0);

    let thinned: Vec<(Vec<f64>, Vec<f64>)> = energies.iter().map(|chain| thinned(chain)).collect();
    let axes = panel(0, across(), Scale::linear(thinned.iter().flat_map(|(_, ys)| ys.iter().copied()), 0.05));
    axes.grid(&mut drawing);
    for (chain, (xs, ys)) in thinned.iter().enumerate() {
        axes.curve(&mut drawing, xs, ys, Stroke::solid(color(chain), 0.6));
    }
    axes.frame(&mut drawing, "draw", "energy t (L − L*)", "traces");

    let running: Vec<(Vec<f64>, Vec<f64>)> = energies.iter().map(|chain| running_mean(chain)).collect();
    // The first draws swing more than the picture should.
    let settled = running.iter().flat_map(|(_, ys)| ys[ys.len() / 20..].iter().copied());
    let axes = panel(1, across(), Scale::linear(settled.chain([llc.whole_step.0]), 0.1));
    axes.grid(&mut drawing);
    for (chain, (xs, ys)) in running.iter().enumerate() {
        axes.curve(&mut drawing, xs, ys, Stroke::solid(color(chain), 1.2));
    }
    let level = [llc.whole_step.0; 2];
    let dashed = Stroke::solid(INK, 1.6).with_dash(Dash::Dashed);
    axes.curve(&mut drawing, &[0.0, draws as f64], &level, dashed);
    axes.frame(&mut drawing, "draw", "mean energy so far", "running means, one line per chain");

    histogram(&mut drawing, &energies.concat(), llc.whole_step.0, &panel);
    drawing
}

/// Every so many-th value, with its place.
fn thinned(chain: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let stride = chain.len().div_ceil(MOST_POINTS).max(1);
    chain.iter().enumerate().step_by(stride).map(|(place, value)| (place as f64, *value)).unzip()
}

fn running_mean(chain: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut sum = 0.0;
    let means: Vec<f64> = chain
        .iter()
        .enumerate()
        .map(|(place, value)| {
            sum += value;
            sum / (place + 1) as f64
        })
        .collect();
    thinned(&means)
}

/// Density of the draws, and of the Gamma law that the energy of a well follows.
fn histogram(drawing: &mut Drawing, draws: &[f64], mean: f64, panel: &dyn Fn(usize, Scale, Scale) -> Axes) {
    let mut sorted = draws.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    let (low, high) = (quantile(0.0).min(0.0), quantile(0.999).max(1e-12));
    let width = (high - low) / BARS as f64;
    let mut counts = [0.0; BARS];
    for value in &sorted {
        let bar = ((value - low) / width) as usize;
        if *value >= low && bar < BARS {
            counts[bar] += 1.0 / (sorted.len() as f64 * width);
        }
    }
    // Steps: every bar twice.
    let xs: Vec<f64> = (0..BARS).flat_map(|bar| [low + bar as f64 * width, low + (bar + 1) as f64 * width]).collect();
    let ys: Vec<f64> = counts.iter().flat_map(|count| [*count, *count]).collect();
    let places: Vec<f64> = (1..400).map(|k| high * f64::from(k) / 400.0).collect();
    let law: Vec<f64> = places.iter().map(|x| gamma_density(*x, mean)).collect();
    let top = counts.iter().copied().fold(0.0, f64::max);
    let axes = panel(2, Scale::linear([low, high], 0.0), Scale::linear([0.0, 1.1 * top], 0.0));
    axes.grid(drawing);
    axes.fill_below(drawing, &xs, &ys, Color { rgb: curve_color(1, 4), opacity: 0.35 });
    axes.curve(drawing, &xs, &ys, Stroke::solid(curve_color(1, 4), 1.0));
    let stroke = Stroke::solid(EXPECTED, CURVE).with_dash(Dash::Dotted);
    if mean > 0.0 {
        axes.curve(drawing, &places, &law, stroke);
    }
    axes.frame(drawing, "energy t (L − L*)", "density of draws", "");
    let entry = Entry { stroke, text: format!("Gamma({}, 1)", number(mean)) };
    legend(drawing, (axes.left + axes.width - 130.0, axes.top + 10.0), "", &[entry]);
}

/// Density of Gamma(shape, 1).
fn gamma_density(x: f64, shape: f64) -> f64 {
    ((shape - 1.0) * x.ln() - x - special::Gamma::ln_gamma(shape).0).exp()
}

/// Estimates against the swept axis with the most values, one line per combination of the others; R-hat and acceptance
/// below. `None` without a sweep.
pub fn sweep(report: &LlcReport) -> Option<Drawing> {
    let rows = &report.sweep.as_ref()?.points;
    type Pick = fn(&SweepRow) -> f64;
    let axes: [(&str, &str, Pick); 3] = [
        ("step size ε", "ε", |row| row.step_size),
        ("localisation g", "g", |row| row.localization),
        ("inverse temperature t", "t", |row| row.inverse_temperature),
    ];
    let distinct = |pick: Pick| {
        let mut values: Vec<f64> = rows.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let main = (0..3).max_by_key(|index| (distinct(axes[*index].2).len(), 3 - index))?;
    let (x_label, _, x_of) = axes[main];
    let others: Vec<(&str, Pick)> =
        (0..3).filter(|index| *index != main).map(|index| (axes[index].1, axes[index].2)).collect();
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
        let values = || rows.iter().filter_map(pick);
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
