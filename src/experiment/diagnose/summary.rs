//! What a diagnosis tells on the terminal.

use std::fmt::Write;
use std::path::Path;

use super::along::Along;
use super::report::DiagnosisReport;
use crate::estimate::displacement::{Convention, Interval};

/// Rows of learning coefficients that are printed.
const MOST_ROWS: usize = 12;

/// What `porewalk diagnose` tells on the terminal.
pub fn summary(report: &DiagnosisReport, folder: &Path) -> String {
    let (diagnosis, dimensions) = (&report.diagnosis, &report.dimensions);
    let mut lines: Vec<(&str, String)> = vec![("input", report.source.clone())];
    let input = &diagnosis.input;
    lines.push((
        "window",
        format!(
            "origin {}, fitted from {} to {} after it, {} points",
            input.origin, input.first, input.last, diagnosis.displacement.points
        ),
    ));
    lines.push(("slope", format!("{} (R ~ t^slope)", interval(&diagnosis.slope, 4))));
    lines.push(("walk dimension", or_none(diagnosis.walk_dimension.as_ref(), 3)));
    lines.push(("Caputo order", format!("{} (2 x slope)", interval(&diagnosis.caputo_order, 4))));
    let convention = match dimensions.convention {
        Convention::Paper => "2 lambda slope, paper",
        Convention::Length => "4 lambda slope, length",
    };
    lines
        .push(("spectral dimension", format!("{} ({convention})", or_none(dimensions.spectral_dimension.as_ref(), 3))));
    lines.push((
        "log10 D_xi",
        format!("{} at xi = {}", or_none(dimensions.log10_diffusivity.as_ref(), 3), dimensions.scale),
    ));
    lines.extend(dimensions.reason.iter().map(|reason| ("", reason.clone())));
    if let (Some(lambda), Some(words)) = (&dimensions.learning_coefficient, &report.learning_coefficient_source) {
        lines.push(("lambda", format!("{} ({words})", interval(lambda, 3))));
    }
    lines.extend(report.bound.iter().map(|bound| ("bound", bound.words.clone())));
    lines.push(("r²", interval(&diagnosis.r_squared, 4)));
    match &diagnosis.time_averaged {
        Some(fit) => {
            let order = interval(&fit.slope.scaled(2.0), 4);
            lines.push(("time average", format!("slope {}, order {order}", interval(&fit.slope, 4))));
        }
        None => lines.extend(diagnosis.time_averaged_reason.iter().map(|why| ("time average", format!("none: {why}")))),
    }
    lines.push(("intervals", diagnosis.interval_method.clone()));
    for phase in diagnosis.phases.iter().filter(|_| diagnosis.phases.len() > 1) {
        let words = format!(
            "{} from {:.4} to {:.4}, slope {}",
            phase.kind.words(),
            phase.from,
            phase.to,
            interval(&phase.slope, 3)
        );
        lines.push(("phase", words));
    }
    lines.extend(diagnosis.change_times.iter().map(|time| ("change point", interval(time, 1))));
    if !report.explained_variance.is_empty() {
        let shares: Vec<String> =
            report.explained_variance.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
        lines.push(("principal directions", format!("{} of the variance", shares.join(", "))));
    }
    lines.extend(diagnosis.verdict.iter().map(|words| ("finding", words.clone())));
    lines.extend(report.remarks.iter().map(|words| ("remark", words.clone())));
    let mut text = format!("{}\n", report.title);
    for (label, words) in &lines {
        let _ = writeln!(text, "  {label:<20}  {words}");
    }
    if let Some(along) = &report.along {
        text.push_str(&rows(along));
    }
    let _ = writeln!(text, "  {:<20}  {}: {}", "written", folder.display(), report.files.join(", "));
    text
}

/// "0.4123 [0.4001, 0.4250]".
fn interval(interval: &Interval, digits: usize) -> String {
    let end = |end: Option<f64>| end.map_or("open".into(), |end| format!("{end:.digits$}"));
    format!("{:.digits$} [{}, {}]", interval.value, end(interval.lower), end(interval.upper))
}

fn or_none(found: Option<&Interval>, digits: usize) -> String {
    found.map_or("none".into(), |found| interval(found, digits))
}

/// Some rows of the learning coefficients, first and last among them.
fn rows(along: &Along) -> String {
    let mut text = format!(
        "\n  {:>10} {:>12} {:>10} {:>8} {:>20}  verdict\n",
        "step", "loss", "lambda", "mcse", "spectral dimension"
    );
    let count = along.rows.len();
    let shown: Vec<usize> = match count {
        0..=MOST_ROWS => (0..count).collect(),
        _ => (0..MOST_ROWS).map(|row| row * (count - 1) / (MOST_ROWS - 1)).collect(),
    };
    for row in shown.into_iter().map(|row| &along.rows[row]) {
        let _ = writeln!(
            text,
            "  {:>10} {:>12.4e} {:>10.4} {:>8.4} {:>20}  {}",
            row.step,
            row.loss,
            row.learning_coefficient,
            row.mcse,
            row.spectral_dimension.map_or("-".into(), |own| interval(&own, 3)),
            row.verdict
        );
    }
    if count > MOST_ROWS {
        let _ = writeln!(text, "  {MOST_ROWS} of {count} rows; all are in report.json");
    }
    text.push('\n');
    text
}
