//! Scales: values to places along an axis, and the ticks that a reader wants there.

use super::style::{number, power_of_ten};

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spacing {
    /// Equal differences, equal lengths.
    Linear,
    /// Equal ratios, equal lengths.
    Logarithmic,
    /// Square roots: small values are seen beside large ones, zero included.
    SquareRoot,
}

/// A range of values with its spacing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Value at the start.
    pub lower: f64,
    /// Value at the end.
    pub upper: f64,
    /// How values between them are spread.
    pub spacing: Spacing,
}

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What it says; empty for a minor tick.
    pub label: String,
}

impl Scale {
    /// A linear scale that holds the values with `margin` (a part of their range) at both ends; never empty.
    pub fn linear(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let (lower, upper) = range(values);
        // A range within rounding of its values would make ticks that all read the same.
        let smallest = 1e-9 * lower.abs().max(upper.abs());
        let (lower, upper) = if upper - lower > smallest {
            (lower, upper)
        } else {
            let half = if lower == 0.0 { 1.0 } else { 0.1 * lower.abs() };
            (lower - half, upper + half)
        };
        let pad = margin * (upper - lower);
        Scale { lower: lower - pad, upper: upper + pad, spacing: Spacing::Linear }
    }

    /// A logarithmic scale that holds the positive ones of the values, at least a decade long.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let logs = values.into_iter().filter(|value| *value > 0.0).map(f64::log10);
        let (lower, upper) = range(logs);
        let widen = (1.0 - (upper - lower)).max(0.0) / 2.0;
        let pad = margin * (upper - lower).max(1.0) + widen;
        Scale { lower: 10f64.powf(lower - pad), upper: 10f64.powf(upper + pad), spacing: Spacing::Logarithmic }
    }

    /// From zero to `upper`, linear or by square roots.
    pub fn from_zero(upper: f64, spacing: Spacing) -> Self {
        Scale { lower: 0.0, upper: if upper > 0.0 { upper } else { 1.0 }, spacing }
    }

    /// A scale for times: logarithmic when they span more than a decade.
    pub fn times(times: &[f64]) -> Self {
        let (lower, upper) = range(times.iter().copied());
        if lower > 0.0 && upper >= 10.0 * lower {
            Scale { lower, upper, spacing: Spacing::Logarithmic }
        } else {
            Scale::linear(times.iter().copied(), 0.0)
        }
    }

    /// Place of a value: 0 at the start, 1 at the end, not a number for what has no place.
    pub fn place(&self, value: f64) -> f64 {
        let spread = |value: f64| match self.spacing {
            Spacing::Linear => value,
            Spacing::Logarithmic if value > 0.0 => value.ln(),
            Spacing::Logarithmic => f64::NAN,
            Spacing::SquareRoot => value.max(0.0).sqrt(),
        };
        (spread(value) - spread(self.lower)) / (spread(self.upper) - spread(self.lower))
    }

    /// Value at a place from 0 to 1.
    pub fn value(&self, place: f64) -> f64 {
        match self.spacing {
            Spacing::Linear => self.lower + place * (self.upper - self.lower),
            Spacing::Logarithmic => (self.lower.ln() + place * (self.upper / self.lower).ln()).exp(),
            Spacing::SquareRoot => {
                let (lower, upper) = (self.lower.sqrt(), self.upper.sqrt());
                (lower + place * (upper - lower)).powi(2)
            }
        }
    }

    /// About `wanted` labelled ticks, with minor ones between decades.
    pub fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let ticks = match self.spacing {
            Spacing::Linear => linear_ticks(self.lower, self.upper, wanted),
            Spacing::Logarithmic => logarithmic_ticks(self.lower, self.upper, wanted),
            Spacing::SquareRoot => self.square_root_ticks(wanted),
        };
        ticks.into_iter().filter(|tick| (-1e-9..=1.0 + 1e-9).contains(&self.place(tick.value))).collect()
    }

    /// Round values nearest to equal distances on the paper.
    fn square_root_ticks(&self, wanted: usize) -> Vec<Tick> {
        let mut ticks = vec![Tick { value: 0.0, label: "0".into() }];
        for step in 1..=wanted {
            let value = round_to_nice(self.value(step as f64 / wanted as f64), &[1.0, 2.0, 3.0, 5.0]);
            // Rounding may bring two of them together.
            let room = ticks.last().is_none_or(|last| self.place(value) - self.place(last.value) > 0.5 / wanted as f64);
            if room && value <= self.upper {
                ticks.push(Tick { value, label: number(value) });
            }
        }
        ticks
    }
}

fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let found = values.into_iter().filter(|value| value.is_finite()).fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    });
    found.unwrap_or((0.0, 1.0))
}

/// The nearest value of the form nice × 10^k, rounding down.
fn round_to_nice(value: f64, nice: &[f64]) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let mantissa = value / decade;
    decade * nice.iter().copied().filter(|nice| *nice <= mantissa * (1.0 + 1e-9)).fold(1.0, f64::max)
}

fn linear_ticks(lower: f64, upper: f64, wanted: usize) -> Vec<Tick> {
    let rough = (upper - lower) / wanted as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let distance = |nice: &f64| (nice * decade / rough).ln().abs();
    let nice = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    let step = nice.unwrap_or(1.0) * decade;
    let (first, last) = ((lower / step - 1e-9).ceil() as i64, (upper / step + 1e-9).floor() as i64);
    (first..=last)
        .map(|index| {
            let value = index as f64 * step;
            Tick { value, label: linear_label(value, step, lower.abs().max(upper.abs())) }
        })
        .collect()
}

/// Digits that tell neighbouring ticks apart; a power of ten for very large and very small ranges.
fn linear_label(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let digits_of = |step: f64| {
        (0..9)
            .find(|digits| (step * 10f64.powi(*digits)).fract().min(1.0 - (step * 10f64.powi(*digits)).fract()) < 1e-6)
    };
    let exponent = largest.log10().floor() as i32;
    let text = if (-3..5).contains(&exponent) {
        format!("{value:.*}", digits_of(step).unwrap_or(6) as usize)
    } else {
        let unit = 10f64.powi(exponent);
        let digits = digits_of(step / unit).unwrap_or(3) as usize;
        format!("{:.digits$}×{}", value / unit, power_of_ten(exponent))
    };
    text.replacen('-', "−", 1)
}

fn logarithmic_ticks(lower: f64, upper: f64, wanted: usize) -> Vec<Tick> {
    let (first, last) = ((lower.log10() - 1e-9).ceil() as i32, (upper.log10() + 1e-9).floor() as i32);
    let decades = last - first + 1;
    let every = ((decades as f64 / wanted as f64).ceil() as i32).max(1);
    let sparse = decades <= 2;
    let mut ticks = Vec::new();
    for decade in first - 1..=last {
        for mantissa in 1..10 {
            let value = f64::from(mantissa) * 10f64.powi(decade);
            let label = match mantissa {
                1 | 2 | 5 if sparse => number(value),
                1 if decade.rem_euclid(every) == 0 => power_of_ten(decade),
                _ => String::new(),
            };
            // Minor ticks only where a decade has room for them.
            if !label.is_empty() || mantissa == 1 || every == 1 && decades <= 8 {
                ticks.push(Tick { value, label });
            }
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, wanted: usize) -> Vec<String> {
        scale.ticks(wanted).into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::linear([-2.5, 2.5], 0.0);
        assert_eq!(labels(scale, 5), ["−2", "−1", "0", "1", "2"]);
        assert_eq!(
            labels(Scale::linear([0.0, 1e-5], 0.0), 4),
            ["0", "0.25×10⁻⁵", "0.50×10⁻⁵", "0.75×10⁻⁵", "1.00×10⁻⁵"]
        );
        let decades = Scale { lower: 1e-3, upper: 1e3, spacing: Spacing::Logarithmic };
        assert_eq!(labels(decades, 7), ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²", "10³"]);
        let long = Scale { lower: 1e-16, upper: 1.0, spacing: Spacing::Logarithmic };
        assert_eq!(labels(long, 5), ["10⁻¹⁶", "10⁻¹²", "10⁻⁸", "10⁻⁴", "10⁰"]);
        assert_eq!(labels(Scale::from_zero(2.0, Spacing::SquareRoot), 4), ["0", "0.1", "0.5", "1", "2"]);
    }

    #[test]
    fn one_value_has_a_scale() {
        for scale in
            [Scale::linear([3.0], 0.0), Scale::linear([0.0], 0.0), Scale::linear([], 0.0), Scale::times(&[7.0])]
        {
            assert!(scale.upper > scale.lower && scale.ticks(5).len() > 2, "{scale:?}");
        }
        let scale = Scale::logarithmic([1e-3, f64::NAN, -1.0], 0.0);
        assert!((scale.place(1e-3) - 0.5).abs() < 1e-12 && scale.place(-1.0).is_nan());
    }

    #[test]
    fn places_and_values_are_inverse() {
        for spacing in [Spacing::Linear, Spacing::Logarithmic, Spacing::SquareRoot] {
            let scale = Scale { lower: 0.5, upper: 40.0, spacing };
            for value in [0.5, 1.0, 7.0, 40.0] {
                assert!((scale.value(scale.place(value)) - value).abs() < 1e-12 * value);
            }
        }
    }
}
