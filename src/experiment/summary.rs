//! What a solve tells on the terminal.

use std::fmt;
use std::path::PathBuf;

use crate::error::Result;
use crate::storage::Report;

/// A total variation up to here is rounding.
const ROUNDING: f64 = 1e-12;

/// The outcome of a solve.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The report as written.
    pub report: Report,
    /// The results folder.
    pub folder: PathBuf,
}

/// How much to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detail {
    /// What everyone wants to know.
    Short,
    /// Also work and wall time.
    Full,
}

impl Summary {
    /// The report as JSON, as `report.json` holds it.
    ///
    /// # Errors
    /// When a number is not finite; never for a report that was written.
    pub fn json(&self) -> Result<String> {
        self.report.to_json()
    }

    /// The text for the terminal.
    pub fn text(&self, detail: Detail) -> String {
        let mut lines = self.lines();
        if detail == Detail::Full {
            lines.extend(self.full_lines());
        }
        lines.extend(self.report.warnings.iter().map(|warning| ("warning", warning.clone())));
        lines.push(("written", format!("{}: {}", self.folder.display(), self.files())));
        let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        let mut text = format!("{}\n", self.report.title);
        for (label, content) in lines {
            text.push_str(&format!("  {label:width$}  {content}\n"));
        }
        text
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let Report { method, observables, stationary_comparison: compared, error_estimate: estimate, .. } =
            &self.report;
        let mut lines = vec![("problem", self.problem())];
        lines.push(("method", format!("{} ({} flux): {}", method.propagator, method.flux, method.reason)));
        if let (Some(first), Some(last)) = (observables.time.first(), observables.time.last()) {
            lines.push(("times", format!("{} from {first} to {last}", observables.time.len())));
        }
        let defect = observables.mass.iter().map(|mass| (mass - 1.0).abs()).fold(0.0, f64::max);
        lines.push(("mass", format!("1 within {defect:.1e}")));
        if let Some(least) = observables.min_density.iter().copied().reduce(f64::min) {
            lines.push(("smallest density", format!("{least:.3e}")));
        }
        if let (Some(first), Some(last)) = (observables.free_energy.first(), observables.free_energy.last()) {
            lines.push(("free energy", format!("{first:.6} -> {last:.6}")));
        }
        if let Some(last) = observables.kl_to_gibbs.last() {
            lines.push(("KL to exp(-gamma L/D)", format!("{last:.3e} at the last time")));
        }
        let distance = if compared.total_variation <= ROUNDING {
            "exp(-gamma L/D) to rounding".to_string()
        } else {
            format!(
                "from exp(-gamma L/D): KL {:.3e}, total variation {:.3e}; circulating flux {:.3e}",
                compared.kl, compared.total_variation, compared.circulating_flux
            )
        };
        lines.push(("stationary state", format!("{}: {distance}", method.stationary)));
        let in_words =
            |estimate: Option<f64>| estimate.map_or("not estimated".to_string(), |error| format!("{error:.1e}"));
        if let Some(check) = &self.report.check {
            let difference = check.difference.iter().copied().fold(0.0, f64::max);
            lines.push(("check", format!("{} differs by {difference:.1e}", check.propagator)));
        }
        lines.push(("relative error", format!("time {}, space {}", in_words(estimate.time), in_words(estimate.space))));
        lines
    }

    /// The files written, a figure once for both of its formats.
    fn files(&self) -> String {
        let mut names: Vec<String> = self.report.files.iter().map(|file| file.replace(".png", ".svg")).collect();
        names.sort();
        names.dedup();
        names.iter().map(|name| name.replace(".svg", " (.svg, .png)")).collect::<Vec<_>>().join(", ")
    }

    /// The checked problem in one line.
    fn problem(&self) -> String {
        let problem = &self.report.problem;
        let kind = |table: &str| problem[table]["kind"].as_str().unwrap_or("?").to_string();
        let cells: Vec<String> = problem["domain"]["cells"]
            .as_array()
            .map_or(Vec::new(), |cells| cells.iter().map(ToString::to_string).collect());
        let landscape = match problem["landscape"]["formula"].as_str() {
            Some(formula) => format!("L = {formula}"),
            None => format!("{} landscape", kind("landscape")),
        };
        format!(
            "{landscape}, {} cells, order {}, {} diffusivity, {} start",
            cells.join(" x "),
            problem["dynamics"]["order"],
            kind("diffusivity"),
            kind("initial")
        )
    }

    fn full_lines(&self) -> Vec<(&'static str, String)> {
        let Report { work, method, wall_time, seed, .. } = &self.report;
        let stages: Vec<String> = wall_time.iter().map(|(stage, seconds)| format!("{stage} {seconds:.3} s")).collect();
        let predicted = &method.predicted_work;
        vec![
            (
                "expected",
                format!(
                    "{} factorisations, {} solves, {} steps, {} memory flops, {} bytes of history",
                    predicted.factorisations,
                    predicted.solves,
                    predicted.steps,
                    predicted.memory_flops,
                    predicted.peak_history_bytes
                ),
            ),
            (
                "work",
                format!(
                    "{} factorisations ({}), {} solves, {} steps ({} rejected), {} memory flops, {} bytes of history",
                    work.factorisations,
                    method.factorisation,
                    work.solves,
                    work.steps,
                    work.rejected_steps,
                    work.memory_flops,
                    work.peak_history_bytes
                ),
            ),
            ("wall time", stages.join(", ")),
            ("seed", seed.to_string()),
        ]
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Detail::Short))
    }
}
