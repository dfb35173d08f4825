//! What a section of a landscape tells on the terminal.

use std::fmt::Write;
use std::path::Path;

use crate::storage::LandscapeReport;

/// What `porewalk landscape` tells on the terminal.
pub fn summary(report: &LandscapeReport, folder: &Path) -> String {
    let LandscapeReport { model, section, lowest, .. } = report;
    let accuracy = model.accuracy.map_or(String::new(), |part| format!(", accuracy {part:.4}"));
    let list = |values: &[f64]| values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(", ");
    let cells: Vec<String> = section.cells.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        ("model", model.description.clone()),
        ("loss", format!("{:.6e}{accuracy}; {} parameters, n = {}", model.loss, model.parameters, model.sample_count)),
        ("section", format!("{} cells, unit {}, origin {}", cells.join(" x "), section.unit, section.origin)),
    ];
    for (axis, label) in section.labels.iter().enumerate() {
        let (lower, upper) = (section.lower[axis], section.upper[axis]);
        lines.push((["x", "y"][axis.min(1)], format!("{label}: {lower:.4} to {upper:.4}")));
    }
    lines.push(("lowest loss", format!("{:.6e} at ({})", lowest.loss, list(&lowest.at))));
    if let Some(path) = report.trajectory {
        lines.push((
            "trajectory",
            format!(
                "{} checkpoints over {:.4}, at most {:.4} beside the section, the last {:.2e}",
                path.checkpoints, path.displacement, path.largest_distance, path.last_distance
            ),
        ));
    }
    if let Some(field) = &report.learning_coefficient {
        let (low, middle, high) = field.range;
        let parts = match (field.median_from_temperature, field.median_from_grid) {
            (Some(temperature), Some(grid)) => format!(" (temperature {temperature:.3}, grid {grid:.3})"),
            _ => String::new(),
        };
        lines.push((
            "learning coefficient",
            format!("{low:.3} to {high:.3}, median {middle:.3}, median error {:.3}{parts}", field.median_error),
        ));
        lines.push((
            "by",
            format!("{}, t = n beta = {:.2}, reach {:.4}", field.method, field.inverse_temperature, field.radius),
        ));
        if let Some(comparison) = &field.comparison {
            let correlation = comparison.correlation.map_or("none".into(), |value| format!("{value:.3}"));
            lines.push((
                "chains - volume",
                format!(
                    "{:+.3} on average over {} points, correlation {correlation}; {} with chains not at rest",
                    comparison.mean_difference,
                    comparison.chains.len(),
                    comparison.restless
                ),
            ));
        }
    }
    if let Some(found) = report.diffusivity {
        let (low, high) = found.log10_range;
        let words = format!("{low:.3} to {high:.3} at xi = {}, d_s = {}", found.scale, found.spectral_dimension);
        lines.push(("log10 D_xi", words));
    }
    lines.extend(report.remarks.iter().map(|remark| ("remark", remark.clone())));
    lines.push(("written", format!("{}: {}", folder.display(), report.files.join(", "))));
    let mut text = format!("{}\n", report.title);
    for (label, words) in &lines {
        let _ = writeln!(text, "  {label:<20}  {words}");
    }
    text
}
