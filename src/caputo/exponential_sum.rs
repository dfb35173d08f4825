//! Sums of decaying exponentials that stand for the kernel t^(-a), with the fewest terms for a relative error.
//!
//! ```text
//! t^(-a) = 1/Γ(a) ∫_0^∞ e^(-λt) λ^(a-1) dλ ≈ Σ_i w_i e^(-λ_i t),   0 < a < 1,   shortest <= t <= longest
//! ```
//!
//! Of all sums of n terms the best one has positive rates and weights, and ln(t^a Σ) swings between −E and +E at 2n + 1
//! times, the two ends among them. Newton's method solves those 2n + 1 equations for ln λ_i, ln w_i and E, and the times
//! move to the new extrema after every step (Remez). The first guess for n + 1 terms continues the solutions for n and
//! n − 1. Long intervals start from a short one: away from the ends ln λ_i are equally spaced, so terms are put into the
//! middle and few steps are left to do.
//!
//! Assumes 0 < a < 1 and positive finite times. Costs O(n³) a step and about 5 steps a term: milliseconds for 1e-8,
//! less than a tenth of a second for 1e-12 on 12 decades. The number of terms grows like
//! ln(1/error) ln(longest/shortest) / π². Ratios below 30 get the sum for 30, exponents near 0 sometimes that for a still
//! longer interval. Rounding ends the search near 1e-13; tighter tolerances may be refused.
//!
//! Reference: `[BraessHackbusch2005]`; the integral goes back to `[BeylkinMonzon2010]`.

mod search;

use std::cell::Cell;

use crate::error::{Error, Result};

use search::{Fit, POINTS, Search, spread};

/// Logarithms of the intervals \[longest/shortest\] on which the search adds one term after the other.
const SHORT_SPAN: f64 = 3.4;
const LONG_SPAN: f64 = 12.0;
/// Where the terms for a longer interval come from.
const CORE_SPAN: f64 = 9.21;
/// Where a search that stops has met rounding, not a bad start.
const ROUNDING: f64 = 1e-13;

/// t^(-exponent) ≈ Σ weights_i exp(−rates_i t) on \[shortest, longest\], relative error at most [`error`](Self::error).
#[derive(Clone, Debug, PartialEq)]
pub struct ExponentialSum {
    rates: Vec<f64>,
    weights: Vec<f64>,
    error: f64,
}

impl ExponentialSum {
    /// No terms at all: the kernel of order 1, which has no past.
    pub fn empty() -> Self {
        ExponentialSum { rates: Vec::new(), weights: Vec::new(), error: 0.0 }
    }

    /// The shortest sum found whose relative error is at most `tolerance` for `shortest` <= t <= `longest` \[t\].
    ///
    /// ```
    /// use porewalk::caputo::ExponentialSum;
    /// let sum = ExponentialSum::fit(0.5, 1e-3, 1e2, 1e-6)?;
    /// assert!(sum.rates().len() <= 20);
    /// assert!((sum.value(4.0) - 0.5).abs() <= 0.5e-6);
    /// # Ok::<(), porewalk::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an argument is out of range, or when rounding keeps the error above the tolerance (below about 1e-13).
    pub fn fit(exponent: f64, shortest: f64, longest: f64, tolerance: f64) -> Result<Self> {
        if !(exponent > 0.0 && exponent < 1.0) {
            return Err(Error::invalid("exponent", exponent, "the rule is 0 < exponent < 1", "use 1 - order or order"));
        }
        if !(shortest > 0.0 && shortest.is_finite()) {
            return Err(Error::invalid("shortest", shortest, "times must be positive and finite", "use the least lag"));
        }
        if !(longest >= shortest && longest.is_finite()) {
            let rule = format!("the rule is shortest = {shortest} <= longest < infinity");
            return Err(Error::invalid("longest", longest, rule, "use the length of the run"));
        }
        if !(tolerance > 0.0 && tolerance < 1.0) {
            return Err(Error::invalid("tolerance", tolerance, "the rule is 0 < tolerance < 1", "use 1e-2 to 1e-12"));
        }
        let span = longest.ln() - shortest.ln();
        // The check on the finer grid may find a little more than the search.
        let wanted = 0.98 * tolerance.ln_1p();
        let reached = Cell::new(f64::INFINITY);
        let accept = |fit: &Fit| {
            let sum = (fit.error <= wanted).then(|| Self::from_fit(fit, exponent, shortest, longest));
            reached.set(reached.get().min(sum.as_ref().map_or(fit.error, |sum| sum.error)));
            sum.filter(|sum| sum.error <= tolerance)
        };
        if let Some(sum) = accept(&Search { exponent, span, wanted }.one_term()) {
            return Ok(sum);
        }
        if span > LONG_SPAN {
            let core = Search { exponent, span: CORE_SPAN, wanted };
            if let Some(fit) = core.grow(|fit| fit.error <= wanted) {
                let search = Search { exponent, span, wanted };
                let spacing = fit.middle_spacing();
                let least = ((span - CORE_SPAN) / spacing).ceil() as usize;
                for added in least..least + 4 {
                    if let Some(sum) = accept(&search.level(core.lengthen(&fit, span, added))) {
                        return Ok(sum);
                    }
                }
            }
        }
        // Small exponents on short intervals may leave the search without a good start: a longer interval has one.
        for try_number in 0..4 {
            let span = span.max(SHORT_SPAN) + f64::from(try_number) * 3.5;
            let mut found = None;
            Search { exponent, span, wanted }.grow(|fit| {
                found = accept(fit);
                found.is_some()
            });
            if let Some(sum) = found {
                return Ok(sum);
            }
            if reached.get() < ROUNDING {
                break;
            }
        }
        let reached = reached.get();
        let remedy = "use a larger tolerance (1e-12 is safe) or a shorter interval";
        Err(Error::Unconverged { method: "exponential sum", reached, wanted: tolerance, remedy: remedy.into() })
    }

    /// Decay rates λ_i > 0, ascending \[1/t\].
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// Weights w_i > 0 of the rates \[t^(-exponent)\].
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The largest relative error on a log-spaced grid of the interval, four times finer than the grid of the search.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Σ weights_i exp(−rates_i t), close to t^(-exponent) inside the interval only; `t` \[t\].
    pub fn value(&self, t: f64) -> f64 {
        self.rates.iter().zip(&self.weights).map(|(rate, weight)| weight * (-rate * t).exp()).sum()
    }

    /// The sum in the caller's unit of time, with its error measured there.
    fn from_fit(fit: &Fit, exponent: f64, shortest: f64, longest: f64) -> Self {
        let mut terms: Vec<(f64, f64)> = (fit.log_rates.iter().zip(&fit.log_weights))
            .map(|(rate, weight)| (rate.exp() / shortest, weight.exp() * shortest.powf(-exponent)))
            .collect();
        terms.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (rates, weights) = terms.into_iter().unzip();
        let mut sum = ExponentialSum { rates, weights, error: 0.0 };
        let log_times = spread(longest.ln() - shortest.ln(), 4 * POINTS * fit.extrema.len());
        let inner = log_times.iter().map(|log_time| (shortest * log_time.exp()).clamp(shortest, longest));
        for t in inner.chain([longest]) {
            let error = (sum.value(t) * t.powf(exponent) - 1.0).abs();
            // A value that is not a number must not pass.
            sum.error = if error.is_nan() { f64::INFINITY } else { sum.error.max(error) };
        }
        let positive = |values: &[f64]| values.iter().all(|value| *value > 0.0 && value.is_finite());
        if !positive(&sum.rates) || !positive(&sum.weights) {
            sum.error = f64::INFINITY;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error at irrational places: multiples of the golden ratio, taken modulo 1, of ln(longest/shortest).
    fn measured(sum: &ExponentialSum, exponent: f64, shortest: f64, longest: f64) -> f64 {
        let error = |k: u32| {
            let t = shortest * (longest / shortest).powf((f64::from(k) * 0.618_033_988_749_894_9).fract());
            (sum.value(t) * t.powf(exponent) - 1.0).abs()
        };
        (0..20_000).map(error).fold(0.0, f64::max)
    }

    fn check(exponent: f64, shortest: f64, longest: f64, tolerance: f64) -> usize {
        let start = std::time::Instant::now();
        let sum = ExponentialSum::fit(exponent, shortest, longest, tolerance).unwrap();
        let took = start.elapsed().as_secs_f64() * 1e3;
        let (terms, ratio) = (sum.rates().len(), longest / shortest);
        let error = measured(&sum, exponent, shortest, longest);
        println!(
            "exponent {exponent} ratio {ratio:.0e} tolerance {tolerance:.0e}: {terms} terms, error {:.2e} (measured {error:.2e}), {took:.1} ms",
            sum.error()
        );
        assert!(sum.error() <= tolerance);
        assert!(error <= 1.01 * sum.error() + 4e-15, "{error} > {}", sum.error());
        assert!(sum.rates().iter().chain(sum.weights()).all(|value| *value > 0.0 && value.is_finite()));
        assert!(sum.rates().is_sorted());
        terms
    }

    #[test]
    fn few_terms_suffice_for_five_decades() {
        for (exponent, coarse, fine) in [(0.1, 17, 35), (0.3, 19, 37), (0.5, 20, 39), (0.7, 21, 40), (0.9, 22, 41)] {
            assert!(check(exponent, 1e-5, 1.0, 1e-6) <= coarse);
            check(exponent, 1e-5, 1.0, 1e-8);
            assert!(check(exponent, 1e-5, 1.0, 1e-12) <= fine);
        }
    }

    #[test]
    fn every_ratio_and_tolerance_works() {
        for exponent in [0.001, 0.02, 0.1, 0.5, 0.9, 0.999] {
            for ratio in [1.0, 1.0 + 1e-9, 1.3, 10.0, 200.0, 3e4, 1e7, 1e10, 1e12] {
                for tolerance in [1e-2, 1e-5, 1e-9, 1e-12] {
                    check(exponent, 0.37, 0.37 * ratio, tolerance);
                }
            }
        }
    }

    #[test]
    fn any_interval_works() {
        // Fractional parts of multiples of irrational numbers fill the cube of arguments evenly.
        for k in 1..=300 {
            let part = |root: f64| (f64::from(k) * root).fract();
            let exponent = 0.01 + 0.98 * part(2f64.sqrt());
            let shortest = 10f64.powf(40.0 * part(3f64.sqrt()) - 20.0);
            check(
                exponent,
                shortest,
                shortest * 10f64.powf(12.0 * part(5f64.sqrt())),
                10f64.powf(-2.0 - 10.0 * part(7f64.sqrt())),
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (exponent, shortest, longest, tolerance) in [
            (0.0, 1.0, 2.0, 1e-6),
            (1.0, 1.0, 2.0, 1e-6),
            (f64::NAN, 1.0, 2.0, 1e-6),
            (0.5, 0.0, 2.0, 1e-6),
            (0.5, 3.0, 2.0, 1e-6),
            (0.5, 1.0, f64::INFINITY, 1e-6),
            (0.5, 1.0, 2.0, 0.0),
            (0.5, 1.0, 2.0, 1.0),
        ] {
            let refused = ExponentialSum::fit(exponent, shortest, longest, tolerance);
            assert!(matches!(refused, Err(Error::Invalid { .. })));
        }
        let refused = ExponentialSum::fit(0.5, 1.0, 1e6, 1e-17);
        assert!(matches!(refused, Err(Error::Unconverged { reached, .. }) if reached < 1e-12), "{refused:?}");
    }
}
