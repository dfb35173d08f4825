//! The one look of all figures: sizes, inks and the words for units.

use super::drawing::{Color, Label, Side, Stroke};

/// Text of labels \[points\].
pub const LABEL_SIZE: f64 = 13.0;
/// Text of ticks and legends \[points\].
pub const TICK_SIZE: f64 = 12.0;
/// Text of titles \[points\].
pub const TITLE_SIZE: f64 = 14.0;
/// Ink of frames and text.
pub const INK: [u8; 3] = [34, 34, 34];
/// Ink of grid lines.
pub const GRID: Stroke = Stroke::solid([226, 226, 226], 0.6);
/// Frame of a panel.
pub const FRAME: Stroke = Stroke::solid(INK, 0.9);
/// Width of a curve \[points\].
pub const CURVE: f64 = 1.8;
/// Colour of positions outside a porous medium.
pub const OUTSIDE: [u8; 3] = [190, 190, 190];

/// Unit of a position.
pub const WEIGHT_UNITS: &str = "weight units";
/// Label of a time axis.
pub const TIME: &str = "time t (time units)";

/// Names of the coordinates.
pub const COORDINATES: [&str; 3] = ["x", "y", "z"];

/// "position x (weight units)".
pub fn position_label(axis: usize) -> String {
    format!("position {} ({WEIGHT_UNITS})", COORDINATES[axis])
}

/// "density (per weight unit)", with the power of the dimension.
pub fn density_label(dimension: usize) -> String {
    match dimension {
        1 => "density (per weight unit)".into(),
        2 => "density (per weight unit²)".into(),
        _ => "density (per weight unit³)".into(),
    }
}

/// A text in the ink of the figure.
pub fn label(text: impl Into<String>, size: f64, anchor: (Side, Side)) -> Label {
    Label { text: text.into(), size, anchor, bold: false, upwards: false, color: Color::solid(INK) }
}

/// A time for a legend or a panel: "t = 0.1".
pub fn time_label(time: f64) -> String {
    format!("t = {}", number(time))
}

/// A number in at most four digits, with a power of ten where that is shorter.
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-3..5).contains(&exponent) {
        let text = format!("{value:.*}", (3 - exponent).max(0) as usize);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    } else {
        let mantissa = format!("{:.2}", value / 10f64.powi(exponent));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let power = power_of_ten(exponent);
        match mantissa {
            "1" => power,
            "-1" => format!("−{power}"),
            _ => format!("{mantissa}×{power}").replace('-', "−"),
        }
    }
}

/// 10 with its exponent raised.
pub fn power_of_ten(exponent: i32) -> String {
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.1, "0.1"),
            (1000.0, "1000"),
            (2.5, "2.5"),
            (1e-5, "10⁻⁵"),
            (2.5e7, "2.5×10⁷"),
            (0.0, "0"),
            (-0.25, "-0.25"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }
}
