//! A learning coefficient: traces, running means, the law of the energy.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Color, Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::Scale;
use super::style::{CURVE, INK, TITLE_SIZE, label, number};
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
    // The first means are single draws and would cross the whole picture.
    let (places, means) = thinned(&means);
    let first = places.len() / 100;
    (places[first..].to_vec(), means[first..].to_vec())
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
