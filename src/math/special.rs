//! placeholder until merge
#![allow(missing_docs)]
use crate::error::{Error, Result};
pub fn bernoulli(u: f64) -> f64 {
    if u.abs() < 1e-5 { 1.0 - u / 2.0 + u * u / 12.0 } else { u / u.exp_m1() }
}
pub fn log_bernoulli(u: f64) -> f64 {
    if u > 0.0 { bernoulli(-u).ln() - u } else { bernoulli(u).ln() }
}
pub fn gamma(x: f64) -> f64 {
    special::Gamma::gamma(x)
}
pub fn mittag_leffler(alpha: f64, beta: f64, z: f64) -> Result<f64> {
    if alpha == 1.0 && beta == 1.0 {
        return Ok(z.exp());
    }
    mittagleffler::MittagLeffler::mittag_leffler(&num_complex::Complex64::new(z, 0.0), alpha, beta)
        .map(|v| v.re)
        .ok_or(Error::NotFinite { stage: "Mittag-Leffler".into() })
}
pub fn power_difference(a: f64, step: f64, exponent: f64) -> f64 {
    if step >= a { a.powf(exponent) } else { -a.powf(exponent) * (exponent * (-step / a).ln_1p()).exp_m1() }
}
