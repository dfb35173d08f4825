//! Non-negative numbers whose range does not end at 1e308.
//!
//! Rates and weights of metastable systems span exp(-12800) and more; their *relative* accuracy is what counts. A
//! mantissa in \[1, 2) with a separate exponent keeps the 53 bits of f64 at any magnitude.

use std::cmp::Ordering;

/// A non-negative number: mantissa · 2^exponent with 1 <= mantissa < 2, or zero (mantissa 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extended {
    mantissa: f64,
    exponent: i64,
}

const MANTISSA_BITS: u64 = (1 << 52) - 1;
const EXPONENT_BIAS: i64 = 1023;

impl Extended {
    /// Zero.
    pub const ZERO: Extended = Extended { mantissa: 0.0, exponent: 0 };
    /// One.
    pub const ONE: Extended = Extended { mantissa: 1.0, exponent: 0 };

    /// The same value as a finite `value` >= 0.
    pub fn new(value: f64) -> Self {
        debug_assert!(value >= 0.0 && value.is_finite(), "only finite non-negative numbers: {value}");
        if value < f64::MIN_POSITIVE {
            // Subnormal numbers are scaled into the normal range first; zero stays zero.
            return if value == 0.0 {
                Extended::ZERO
            } else {
                let scaled = Self::normalized(value * 2f64.powi(60), 0);
                Extended { exponent: scaled.exponent - 60, ..scaled }
            };
        }
        Self::normalized(value, 0)
    }

    /// exp(`logarithm`) for any finite logarithm.
    pub fn exp(logarithm: f64) -> Self {
        // ln 2 = HIGH + LOW, HIGH with 32 bits: its whole multiples are exact, and the rest is small.
        const HIGH: f64 = 6.931_471_803_691_238e-1;
        const LOW: f64 = 1.908_214_929_270_587_7e-10;
        let exponent = (logarithm / std::f64::consts::LN_2).floor();
        let rest = (logarithm - exponent * HIGH) - exponent * LOW;
        Self::normalized(rest.exp(), exponent as i64)
    }

    /// The nearest double; `None` when it lies so low that products would lose digits, or overflows.
    pub fn to_f64(self) -> Option<f64> {
        match self.exponent {
            _ if self.is_zero() => Some(0.0),
            -960..=1000 => Some(self.mantissa * 2f64.powi(self.exponent as i32)),
            _ => None,
        }
    }

    /// `value` · 2^`exponent` for a positive normal `value`.
    fn normalized(value: f64, exponent: i64) -> Self {
        let bits = value.to_bits();
        let shift = (bits >> 52) as i64 - EXPONENT_BIAS;
        let mantissa = f64::from_bits((bits & MANTISSA_BITS) | ((EXPONENT_BIAS as u64) << 52));
        Extended { mantissa, exponent: exponent + shift }
    }

    /// True for zero.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// Natural logarithm; minus infinity for zero.
    pub fn ln(self) -> f64 {
        self.mantissa.ln() + self.exponent as f64 * std::f64::consts::LN_2
    }

    /// self / other; `other` must not be zero.
    pub fn divided_by(self, other: Self) -> Self {
        debug_assert!(!other.is_zero(), "division by zero");
        if self.is_zero() {
            return Self::ZERO;
        }
        Self::normalized(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl std::ops::Add for Extended {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (large, small) = match self.exponent.cmp(&other.exponent) {
            _ if other.is_zero() => return self,
            _ if self.is_zero() => return other,
            Ordering::Less => (other, self),
            Ordering::Equal | Ordering::Greater => (self, other),
        };
        let gap = large.exponent - small.exponent;
        if gap > 60 {
            return large;
        }
        let scale = f64::from_bits(((EXPONENT_BIAS - gap) as u64) << 52);
        Self::normalized(large.mantissa + small.mantissa * scale, large.exponent)
    }
}

impl std::ops::Mul for Extended {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        Self::normalized(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_f64_where_f64_reaches() {
        for (a, b) in [(3.5, 0.7), (1e-300, 2e5), (0.0, 4.0), (5e-324, 1.0), (1.0, 1e-30)] {
            let (x, y) = (Extended::new(a), Extended::new(b));
            for (got, want) in [(x + y, a + b), (x * y, a * b), (x.divided_by(y), a / b)] {
                assert_eq!(got, Extended::new(want), "{a} and {b}");
            }
        }
    }

    #[test]
    fn keeps_its_digits_far_below_the_range_of_f64() {
        let tiny = (0..20).fold(Extended::ONE, |product, _| product * Extended::new(1e-300));
        assert!((tiny.ln() + 6000.0 * std::f64::consts::LN_10).abs() < 1e-11);
        assert!(((tiny + tiny).divided_by(tiny).ln() - 2f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn exponentials_keep_their_digits_at_any_size() {
        for logarithm in [0.0, 0.3, -0.7, 12.5, -600.0, 600.0] {
            let relative = Extended::exp(logarithm).to_f64().expect("in range") / f64::exp(logarithm) - 1.0;
            assert!(relative.abs() < 1e-15, "{logarithm}: {relative:e}");
        }
        // exp(-12800) = exp(-50)^256, squared eight times.
        let power = (0..8).fold(Extended::new((-50f64).exp()), |power, _| power * power);
        let relative = Extended::exp(-12800.0).divided_by(power).to_f64().expect("near one") - 1.0;
        assert!(relative.abs() < 256.0 * 1e-15, "{relative:e}");
        assert_eq!(Extended::exp(-12800.0).to_f64(), None);
    }
}
