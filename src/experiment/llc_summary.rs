//! What an estimate of a learning coefficient tells on the terminal.

use std::fmt::Write;
use std::path::Path;

use crate::storage::LlcReport;
use crate::storage::llc::{LlcEstimate, SweepTable};

/// What `porewalk llc` tells on the terminal.
pub fn summary(report: &LlcReport, folder: &Path) -> String {
    let LlcEstimate { value, mcse, verdict, .. } = &report.llc;
    let llc = &report.llc;
    let or_none = |value: Option<f64>, digits: usize| value.map_or("none".into(), |value| format!("{value:.digits$}"));
    let accuracy = report.model.accuracy.map_or(String::new(), |part| format!(", accuracy {part:.4}"));
    let mut lines = vec![
        ("model", report.model.description.clone()),
        (
            "loss",
            format!(
                "{:.6e}{accuracy}; {} parameters, n = {}",
                report.model.loss, report.model.parameters, report.model.sample_count
            ),
        ),
        ("learning coefficient", format!("{value:.4} ± {mcse:.4}")),
        ("verdict", verdict.clone()),
        (
            "settings",
            format!(
                "{}, t = n beta = {:.2}, g = {}, step {:.2e}, {} chains x {} draws",
                llc.sampler, llc.inverse_temperature, llc.localization, llc.step_size, llc.chains, llc.draws
            ),
        ),
        (
            "chains",
            format!(
                "R-hat {}, effective sample size {}, acceptance {:.3}, drift {:+.1}, variance/mean {:.2}",
                or_none(llc.r_hat, 4),
                or_none(llc.ess, 0),
                llc.acceptance,
                llc.drift,
                llc.variance_ratio
            ),
        ),
    ];
    if let Some((half, error)) = llc.half_step {
        let (whole, whole_error) = llc.whole_step;
        lines.push((
            "step sizes",
            format!("whole {whole:.4} ± {whole_error:.4}, half {half:.4} ± {error:.4}, extrapolated {value:.4}"),
        ));
    }
    if let Some(oracle) = &report.oracle {
        let mut parts = Vec::new();
        if let Some(value) = oracle.quadrature {
            parts.push(format!("{value:.4} by quadrature at this temperature"));
        }
        if let Some((value, multiplicity)) = oracle.volume_scaling {
            parts.push(format!("{value:.3}, multiplicity {multiplicity}, by volume scaling"));
        }
        if let Some((value, multiplicity)) = oracle.exact {
            parts.push(format!("{value} and {multiplicity} by theorem, at temperature zero"));
        }
        lines.push(("without sampling", parts.join("; ")));
    }
    lines.extend(llc.remarks.iter().map(|remark| ("remark", remark.clone())));
    let mut text = format!("{}\n", report.title);
    for (label, words) in &lines {
        let _ = writeln!(text, "  {label:<20}  {words}");
    }
    if let Some(sweep) = &report.sweep {
        text.push_str(&sweep_text(sweep));
    }
    let _ = writeln!(text, "  {:<20}  {}: {}", "written", folder.display(), report.files.join(", "));
    text
}

fn sweep_text(sweep: &SweepTable) -> String {
    let mut text = format!(
        "\n  {:>10} {:>8} {:>10} {:>9} {:>8} {:>7} {:>7} {:>7}  verdict\n",
        "step", "g", "t", "value", "mcse", "R-hat", "ess", "accept"
    );
    for row in &sweep.points {
        let number =
            |value: Option<f64>, digits: usize| value.map_or("-".to_string(), |value| format!("{value:.digits$}"));
        let _ = writeln!(
            text,
            "  {:>10.2e} {:>8.3} {:>10.2} {:>9} {:>8} {:>7} {:>7} {:>7}  {}",
            row.step_size,
            row.localization,
            row.inverse_temperature,
            number(row.value, 4),
            number(row.mcse, 4),
            number(row.r_hat, 3),
            number(row.ess, 0),
            number(row.acceptance, 3),
            row.verdict
        );
    }
    for plateau in &sweep.plateaus {
        let [first_name, second_name] = match plateau.axis.as_str() {
            "step_size" => ["g", "t"],
            "localization" => ["step", "t"],
            _ => ["step", "g"],
        };
        let (first, second) = plateau.others;
        let _ = match (plateau.interval, plateau.value) {
            (Some((from, to)), Some(value)) => {
                write!(text, "  plateau {value:.4} along {} {from:.3e} to {to:.3e}", plateau.axis)
            }
            _ => write!(text, "  no plateau along {}", plateau.axis),
        };
        let _ = writeln!(text, " at {first_name} = {first:.3e}, {second_name} = {second:.3e}");
    }
    for slope in &sweep.slopes {
        let _ = writeln!(
            text,
            "  slope of the mean loss over 1/t, step {:.2e}, g = {}: {:.4} ± {:.4}, whatever the loss of the point",
            slope.step_size, slope.localization, slope.value, slope.mcse
        );
    }
    text.push('\n');
    text
}
