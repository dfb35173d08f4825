//! Observables against time: mean, spread, free energy, distances to the stationary state.

use super::axes::{Axes, Entry, legend};
use super::drawing::{Dash, Drawing, Side, Stroke};
use super::palette::curve_color;
use super::scale::Scale;
use super::style::{COORDINATES, CURVE, TIME, TITLE_SIZE, WEIGHT_UNITS, label};
use super::title;
use crate::storage::Report;

/// Divergences below this are rounding and are drawn as this.
const SMALLEST_DIVERGENCE: f64 = 1e-17;
/// Up to this many outputs are marked on their curves.
const MOST_MARKS: usize = 30;

/// One curve of a panel.
struct Series {
    name: String,
    values: Vec<f64>,
    stroke: Stroke,
}

/// Four panels over one time axis.
pub fn observables(report: &Report) -> Drawing {
    let mut drawing = Drawing::new(960.0, 620.0);
    drawing.text((480.0, 12.0), label(title(report), TITLE_SIZE, (Side::Middle, Side::Start)));
    let observables = &report.observables;
    let dimension = observables.mean.first().map_or(0, Vec::len);
    let coordinate = |values: &[Vec<f64>], axis: usize| values.iter().map(|value| value[axis]).collect::<Vec<f64>>();
    let stroke = |index: usize| {
        let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][index % 3];
        Stroke::solid(curve_color(index, 4), CURVE).with_dash(dash)
    };
    let means = (0..dimension)
        .map(|axis| Series {
            name: format!("mean {}", COORDINATES[axis]),
            values: coordinate(&observables.mean, axis),
            stroke: stroke(axis),
        })
        .collect();
    let mut spreads: Vec<Series> = (0..dimension)
        .map(|axis| {
            let mean = coordinate(&observables.mean, axis);
            let second = coordinate(&observables.second_moment, axis);
            let values = second.iter().zip(mean).map(|(second, mean)| (second - mean * mean).max(0.0).sqrt()).collect();
            Series { name: format!("deviation {}", COORDINATES[axis]), values, stroke: stroke(axis) }
        })
        .collect();
    spreads.push(Series {
        name: "displacement".into(),
        values: observables.displacement.clone(),
        stroke: Stroke::solid([200, 60, 30], CURVE),
    });
    let energies =
        vec![Series { name: "free energy".into(), values: observables.free_energy.clone(), stroke: stroke(0) }];
    let held = |values: &[f64]| values.iter().map(|value| value.max(SMALLEST_DIVERGENCE)).collect();
    let divergences = vec![
        Series {
            name: "to the stationary state".into(),
            values: held(&observables.kl_to_stationary),
            stroke: stroke(0),
        },
        Series {
            name: "to exp(−γL/D)".into(),
            values: held(&observables.kl_to_gibbs),
            stroke: Stroke::solid([200, 60, 30], CURVE).with_dash(Dash::Dotted),
        },
    ];
    let all = |series: &[Series]| series.iter().flat_map(|one| one.values.clone()).collect::<Vec<f64>>();
    let panels = [
        (means, false, format!("mean ({WEIGHT_UNITS})")),
        (spreads, false, format!("spread ({WEIGHT_UNITS})")),
        (energies, false, "free energy ∫ γLp + D p ln p".to_string()),
        (divergences, true, "Kullback-Leibler divergence (nats)".to_string()),
    ];
    for (index, (series, logarithmic, words)) in panels.into_iter().enumerate() {
        let values: Vec<f64> = all(&series);
        let axes = Axes {
            left: 84.0 + 480.0 * (index % 2) as f64,
            top: 66.0 + 290.0 * (index / 2) as f64,
            width: 376.0,
            height: 205.0,
            x: Scale::times(&observables.time),
            y: if logarithmic { Scale::logarithmic(values, 0.06) } else { Scale::linear(values, 0.08) },
        };
        axes.grid(&mut drawing);
        let mut entries = Vec::new();
        for one in &series {
            axes.curve(&mut drawing, &observables.time, &one.values, one.stroke);
            if observables.time.len() <= MOST_MARKS {
                axes.marks(&mut drawing, &observables.time, &one.values, one.stroke.color.rgb);
            }
            entries.push(Entry { stroke: one.stroke, text: one.name.clone() });
        }
        axes.frame(&mut drawing, if index < 2 { "" } else { TIME }, &words, "");
        if entries.len() > 1 {
            row_legend(&mut drawing, &axes, &entries);
        }
    }
    drawing
}

/// The legend in one line above a panel, where it covers no curve.
fn row_legend(drawing: &mut Drawing, axes: &Axes, entries: &[Entry]) {
    let mut left = axes.left;
    for entry in entries {
        let one = Entry { stroke: entry.stroke, text: entry.text.clone() };
        let (width, _) = legend(drawing, (left, axes.top - 20.0), "", &[one]);
        left += width + 14.0;
    }
}
