//! exp, ln(1 + x), tanh and the GELU on vectors: polynomials without branches, a few units in the last place.

use super::vector::{Real, Simd};

/// Value of a polynomial that begins with the constant term.
#[inline(always)]
fn polynomial<S: Simd>(s: S, coefficients: &[S::Real], x: S::V) -> S::V {
    let mut value = s.splat(coefficients[coefficients.len() - 1]);
    for coefficient in coefficients[..coefficients.len() - 1].iter().rev() {
        value = s.fma(value, x, s.splat(*coefficient));
    }
    value
}

#[inline(always)]
pub(super) fn number<S: Simd>(s: S, value: f64) -> S::V {
    s.splat(S::Real::from_f64(value))
}

/// (2^k, exp(r) - 1) with x = k ln 2 + r, for x not above 80.
#[inline(always)]
fn split_exp<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let x = s.max(s.splat(S::Real::SMALLEST_EXPONENT), x);
    let rounder = s.splat(S::Real::ROUNDER);
    let rounded = s.fma(x, number(s, std::f64::consts::LOG2_E), rounder);
    let count = s.sub(rounder, rounded);
    let rest = s.fma(count, s.splat(S::Real::LN2_HIGH), x);
    let rest = s.fma(count, s.splat(S::Real::LN2_LOW), rest);
    let series = polynomial(s, S::Real::EXP, rest);
    (s.power(rounded), s.fma(s.mul(rest, rest), series, rest))
}

/// exp(x) for x not above 80; the smallest normal number far below 0.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    let (power, rest) = split_exp(s, x);
    s.fma(power, rest, power)
}

/// ln(1 + x) for x >= 0.
#[inline(always)]
pub(super) fn ln_1p<S: Simd>(s: S, x: S::V) -> S::V {
    let one = number(s, 1.0);
    let (exponent, inverse) = s.exponent(s.add(one, x));
    // (1 + x) 2^-e - 1, rounded once.
    let rest = s.fma(x, inverse, s.sub(inverse, one));
    let ratio = s.div(rest, s.add(number(s, 2.0), rest));
    let square = s.mul(ratio, ratio);
    let twice = s.add(ratio, ratio);
    let series = s.mul(s.mul(twice, square), polynomial(s, S::Real::LOG, square));
    let low = s.fma(exponent, s.splat(S::Real::LN2_LOW), series);
    s.fma(exponent, s.splat(S::Real::LN2_HIGH), s.add(twice, low))
}

#[inline(always)]
fn absolute<S: Simd>(s: S, x: S::V) -> S::V {
    s.max(s.sub(number(s, 0.0), x), x)
}

#[inline(always)]
pub(super) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    if let Some((above, below)) = S::Real::TANH {
        let x = s.min(number(s, 9.02), s.max(number(s, -9.02), x));
        let square = s.mul(x, x);
        return s.div(s.mul(x, polynomial(s, above, square)), polynomial(s, below, square));
    }
    let (power, rest) = split_exp(s, s.mul(number(s, -2.0), absolute(s, x)));
    let small = s.fma(power, rest, s.sub(power, number(s, 1.0)));
    let value = s.div(small, s.add(number(s, 2.0), small));
    s.select(s.less(x, number(s, 0.0)), value, s.sub(number(s, 0.0), value))
}

/// x Φ(x) and its slope; errors are small beside 1, not beside Φ(x) far below 0.
#[inline(always)]
pub(super) fn gelu<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let size = s.min(number(s, 39.0), absolute(s, x));
    let bell = exp(s, s.mul(number(s, -0.5), s.mul(size, size)));
    let place = s.fma(size, number(s, 1.256_410_256_410_256_4), number(s, -5.0));
    let place = s.div(place, s.add(size, number(s, 5.0)));
    let tail = s.mul(bell, polynomial(s, S::Real::TAIL, place));
    let below = s.select(s.less(x, number(s, 0.0)), tail, s.sub(number(s, 1.0), tail));
    let density = s.mul(bell, number(s, 0.398_942_280_401_432_7));
    (s.mul(x, below), s.fma(x, density, below))
}
