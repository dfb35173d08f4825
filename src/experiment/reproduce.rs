//! Tables and figures of the paper, recomputed: `porewalk reproduce NAME`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Options;
use crate::error::{Error, Result};
use crate::estimate::displacement::{SCALE, TableOneRow, table_one};
use crate::guide::references;
use crate::math::names::nearest;
use crate::storage::report::REPORT_FILE;
use crate::storage::{Identity, ResultFolder};

/// What can be reproduced now, and what comes later.
const NAMES: [&str; 1] = ["table1"];
const LATER: [&str; 3] = ["moons", "displacement", "optimizers"];
/// Name of the table in a results folder.
const TABLE_FILE: &str = "table1.csv";

/// Table 1 as `report.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableOne {
    /// Program name.
    pub program: String,
    /// Program version.
    pub version: String,
    /// Title.
    pub title: String,
    /// The command.
    pub problem: serde_json::Value,
    /// Coarse-graining length ξ of the table.
    pub scale: f64,
    /// The rows.
    pub rows: Vec<TableOneRow>,
    /// What does not agree, in sentences.
    pub remarks: Vec<String>,
    /// References (citation key: full reference).
    pub references: BTreeMap<String, String>,
    /// Names of the files written beside this report.
    pub files: Vec<String>,
}

/// Recomputes what `name` says and writes its results folder.
///
/// # Errors
/// An unknown name; an occupied or unwritable results folder.
pub fn run_reproduce(name: &str, options: &Options) -> Result<(TableOne, PathBuf)> {
    if LATER.contains(&name) {
        return Err(Error::not_available("reproduce", name, format!("reproduce {} instead", NAMES.join(", "))));
    }
    if !NAMES.contains(&name) {
        let near = nearest(name, NAMES.into_iter().chain(LATER));
        let hint = near.map_or(String::new(), |near| format!("did you mean {near}? "));
        let rule = "is no table or figure that can be reproduced";
        return Err(Error::invalid("reproduce", name, rule, format!("{hint}the names are: {}", NAMES.join(", "))));
    }
    let problem = serde_json::json!({ "command": "reproduce", "name": name });
    let place = options.output.clone().unwrap_or_else(|| Path::new("results").join(name));
    let identity = Identity { problem: problem.clone(), version: env!("CARGO_PKG_VERSION").to_string() };
    let folder = ResultFolder::open(&place, &identity, options.replacement)?;
    let rows = table_one();
    let remarks = rows.iter().filter(|row| !row.rounds).map(does_not_round).collect();
    let key = "HennickDeBaerdemacker2026";
    let references = references::find(key).map(|full| (key.to_string(), full.to_string()));
    let table = TableOne {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        title: "Table 1 of Almost Bayesian, recomputed from its lambda and d_s".into(),
        problem,
        scale: SCALE,
        rows,
        remarks,
        references: references.into_iter().collect(),
        files: vec![REPORT_FILE.into(), TABLE_FILE.into()],
    };
    folder.write(TABLE_FILE, csv(&table.rows).as_bytes())?;
    folder.write(REPORT_FILE, format!("{}\n", to_json(&table)?).as_bytes())?;
    folder.commit()?;
    Ok((table, place))
}

/// The report as indented JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn to_json(table: &TableOne) -> Result<String> {
    serde_json::to_string_pretty(table)
        .map_err(|error| Error::NotFinite { stage: format!("the report of the table: {error}") })
}

fn does_not_round(row: &TableOneRow) -> String {
    format!(
        "{}: the printed exponent {} is not d_s/(2 lambda) = {:.5} rounded; it would be printed {}",
        row.model,
        row.printed,
        row.slope,
        rounded(row)
    )
}

/// The slope with as many decimals as are printed.
fn rounded(row: &TableOneRow) -> String {
    let decimals = row.printed.split('.').nth(1).map_or(0, str::len);
    format!("{:.decimals$}", row.slope)
}

fn csv(rows: &[TableOneRow]) -> String {
    let mut text = String::from(
        "model,learning_coefficient,spectral_dimension,printed_slope,slope,walk_dimension,caputo_order,\
         log10_diffusivity,printed_slope_rounds\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{}",
            row.model,
            row.learning_coefficient,
            row.spectral_dimension,
            row.printed,
            row.slope,
            row.walk_dimension,
            row.caputo_order,
            row.log10_diffusivity,
            row.rounds
        );
    }
    text
}

/// What `porewalk reproduce table1` tells on the terminal.
pub fn summary(table: &TableOne, folder: &Path) -> String {
    let mut text = format!(
        "{}\n  {:<16} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>12}\n",
        table.title, "model", "lambda", "d_s", "printed", "slope", "d_walk", "order", "log10 D_xi"
    );
    for row in &table.rows {
        let _ = writeln!(
            text,
            "  {:<16} {:>8} {:>8} {:>8} {:>9.5} {:>9.2} {:>9.5} {:>12.2}{}",
            row.model,
            row.learning_coefficient,
            row.spectral_dimension,
            row.printed,
            row.slope,
            row.walk_dimension,
            row.caputo_order,
            row.log10_diffusivity,
            if row.rounds { "" } else { "  <- does not round" }
        );
    }
    let _ = writeln!(
        text,
        "  xi = {}; slope = d_s/(2 lambda) is what the paper's table calls alpha, order = 2 slope is the Caputo order",
        table.scale
    );
    for remark in &table.remarks {
        let _ = writeln!(text, "  {remark}");
    }
    let _ = writeln!(text, "  written: {}: {}", folder.display(), table.files.join(", "));
    text
}
