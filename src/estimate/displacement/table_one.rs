//! The paper's Table 1, recomputed from its own learning coefficients and spectral dimensions.
//!
//! Formula:   slope = d_s/(2 λ), d_walk = 1/slope, order = 2 slope, log10 D_ξ = (2 - d_walk) log10 ξ
//! Assumes:   the paper's convention
//! Cost:      none
//! Fails when never: a printed exponent that does not round is flagged, not corrected
//! Reference: \[HennickDeBaerdemacker2026\]

use serde::{Deserialize, Serialize};

use super::diagnosis::Interval;
use super::dimensions::{Convention, dimensions};

/// ξ of the table.
pub const SCALE: f64 = 0.5;

/// Model, λ, d_s and the exponent as it is printed.
const PRINTED: [(&str, f64, f64, &str); 6] = [
    ("TinyStories-1M", 32.0, 21.422, "0.33"),
    ("TinyLlama-15M", 76.1, 48.3, "0.32"),
    ("TinyStories-33M", 39.3, 38.7, "0.49"),
    ("ResNet18", 72.05, 0.57, "0.004"),
    ("ResNet34", 73.5, 0.62, "0.004"),
    ("VGG16", 159.7, 0.14, "0.001"),
];

/// One row: what is printed, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableOneRow {
    /// Name of the model.
    pub model: String,
    /// Printed λ.
    pub learning_coefficient: f64,
    /// Printed d_s.
    pub spectral_dimension: f64,
    /// Printed exponent, digit for digit.
    pub printed: String,
    /// d_s/(2 λ).
    pub slope: f64,
    /// 1/slope.
    pub walk_dimension: f64,
    /// 2 slope.
    pub caputo_order: f64,
    /// log10 of D_ξ at [`SCALE`].
    pub log10_diffusivity: f64,
    /// The printed exponent is the slope rounded to as many decimals.
    pub rounds: bool,
}

/// The six rows.
pub fn table_one() -> Vec<TableOneRow> {
    PRINTED.iter().map(|(model, lambda, spectral, printed)| row(model, *lambda, *spectral, printed)).collect()
}

fn row(model: &str, lambda: f64, spectral: f64, printed: &str) -> TableOneRow {
    let slope = spectral / (2.0 * lambda);
    let found = dimensions(Interval::exact(slope), Some(Interval::exact(lambda)), SCALE, Convention::Paper)
        .expect("printed numbers are positive");
    let decimals = printed.split('.').nth(1).map_or(0, str::len);
    TableOneRow {
        model: model.to_string(),
        learning_coefficient: lambda,
        spectral_dimension: spectral,
        printed: printed.to_string(),
        slope,
        walk_dimension: 1.0 / slope,
        caputo_order: 2.0 * slope,
        log10_diffusivity: found.log10_diffusivity.expect("a positive slope and a learning coefficient").value,
        rounds: format!("{slope:.decimals$}") == printed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_table_and_one_does_not_round() {
        // slope, d_walk and log10 D computed by hand from the printed numbers, to as many digits.
        let expected = [
            ("0.3347", "2.99", "0.30"),
            ("0.3173", "3.15", "0.35"),
            ("0.4924", "2.03", "0.01"),
            ("0.00396", "253", "75.5"),
            ("0.00422", "237", "70.8"),
            ("0.00044", "2281", "686"),
        ];
        let decimals = |text: &str| text.split('.').nth(1).map_or(0, str::len);
        for (row, (slope, walk, log)) in table_one().iter().zip(expected) {
            assert_eq!(format!("{:.*}", decimals(slope), row.slope), slope);
            assert_eq!(format!("{:.*}", decimals(walk), row.walk_dimension), walk);
            assert_eq!(format!("{:.*}", decimals(log), row.log10_diffusivity), log);
            assert_eq!(row.caputo_order, 2.0 * row.slope);
            assert_eq!(row.rounds, row.model != "VGG16", "{}", row.model);
        }
    }
}
