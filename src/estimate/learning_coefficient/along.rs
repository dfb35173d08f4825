//! Learning coefficients along the points of a run.
//!
//! Formula:   λ̂_k = t ( E_k\[L\] - L(w_k) ), E_k under exp( -t L(w) - (g/2) |w - w_k|² )
//! Assumes:   neighbouring points have similar surroundings: the chains of w_k+1 begin at the ends of those of w_k, moved
//!            by w_k+1 - w_k
//! Cost:      one estimate per point; the burn-in need only bridge the difference of two points
//! Fails when a point is far from a minimum: the chains leave it downhill, λ̂_k is negative, and its verdict says so
//! Reference: \[LauMurfetWei2023\]
//!
//! Every point has streams of random numbers of its own, so that what is estimated at one does not depend on which other
//! points are, but for the start of its chains.

use super::{LearningCoefficient, Relay, Settings, Upkeep, estimate_with};
use crate::error::Result;
use crate::landscape::Sampled;
use crate::math::random::Stream;
use crate::propagator::Observer;

/// Estimates at every one of `count` points, in order; `point` gives them.
///
/// With `upkeep` the whole series can be stopped and gone on with, as one estimate can.
///
/// # Errors
/// Those of [`estimate_with`] and of `point`.
pub fn estimate_along(
    landscape: &dyn Sampled,
    count: usize,
    point: &mut dyn FnMut(usize) -> Result<Vec<f64>>,
    settings: &Settings,
    upkeep: Upkeep<'_>,
    observer: &mut dyn Observer,
) -> Result<Vec<LearningCoefficient>> {
    let mut found = Vec::with_capacity(count);
    let mut relay = Relay::default();
    let mut previous: Option<Vec<f64>> = None;
    for number in 0..count {
        let at = point(number)?;
        if let Some(previous) = &previous {
            let shift: Vec<f64> = at.iter().zip(previous).map(|(new, old)| new - old).collect();
            relay = relay.passed_on(&shift);
        }
        let seed = Stream::new(settings.seed, "along", number as u64).bits();
        let settings = Settings { seed, ..settings.clone() };
        let upkeep = Upkeep { estimate: upkeep.estimate + number, relay: Some(&relay), ..upkeep };
        let mut part = Part { whole: observer, number: number as u64, count: count as u64 };
        found.push(estimate_with(landscape, &at, &settings, upkeep, &mut part)?);
        previous = Some(at);
    }
    Ok(found)
}

/// Tells the progress of one estimate as part of all.
struct Part<'a> {
    whole: &'a mut dyn Observer,
    number: u64,
    count: u64,
}

impl Observer for Part<'_> {
    fn progress(&mut self, done: u64, total: u64) {
        self.whole.progress(self.number * total + done, self.count * total);
    }

    fn note(&mut self, text: &str) {
        self.whole.note(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{ExpressionLandscape, Population};
    use crate::propagator::StopFlag;

    /// Quadratic wells around every point of the line y = 0, the narrower the farther to the right.
    #[test]
    fn every_point_has_its_own_coefficient() {
        let formula = "0.5*y^2*(1 + 10*x^2)";
        let valley = Population::new(ExpressionLandscape::new(formula, 2).expect("a formula"), 1000);
        let settings = Settings { localization: 50.0, burn_in: 200, draws: 4000, ..Settings::default() };
        let upkeep = Upkeep { store: &(), stop: &StopFlag::default(), estimate: 0, relay: None };
        let places = [0.0, 0.2, 0.4, 2.0, 2.2];
        let mut point = |number: usize| Ok(vec![places[number], 0.0]);
        let found = estimate_along(&valley, places.len(), &mut point, &settings, upkeep, &mut ()).expect("finite");
        for (x, llc) in places.iter().zip(&found) {
            let t = llc.diagnosis.inverse_temperature;
            // E over x of th/(th + g)/2 with x about Normal(x_k, 1/g), by Simpson's rule; h = 1 + 10 x² also weighs x.
            let (mut sum, mut weight) = (0.0, 0.0);
            for k in -400..=400 {
                let place = x + f64::from(k) * 0.01 / 5.0;
                let stiffness = t * (1.0 + 10.0 * place * place) + 50.0;
                let law = (-25.0 * (place - x).powi(2)).exp() / stiffness.sqrt();
                sum += law * 0.5 * (stiffness - 50.0) / stiffness;
                weight += law;
            }
            let exact = sum / weight;
            assert!((llc.value - exact).abs() < 4.0 * llc.mcse, "{x}: {} ± {} vs {exact}", llc.value, llc.mcse);
            assert!(llc.verdict.is_trustworthy(), "{x}: {}", llc.verdict.words());
        }
        let seeds: Vec<f64> = found.iter().map(|llc| llc.traces.loss[0][0]).collect();
        assert!(seeds.windows(2).all(|pair| pair[0] != pair[1]), "every point has its own numbers");
    }

    #[test]
    fn chains_go_on_from_where_they_were() {
        let well = Population::new(ExpressionLandscape::new("0.5*x^2", 1).expect("a formula"), 100);
        // So short that chains from the point itself would still be near it.
        let settings = Settings { burn_in: 0, draws: 20, step_size: Some(1e-4), ..Settings::default() };
        let upkeep = Upkeep { store: &(), stop: &StopFlag::default(), estimate: 0, relay: None };
        let at = |number: usize| Ok(vec![number as f64 * 1e-3]);
        let found = estimate_along(&well, 30, &mut { at }, &settings, upkeep, &mut ()).expect("finite");
        let mean = |llc: &LearningCoefficient| llc.diagnosis.mean_distance;
        assert!(mean(&found[29]) > 3.0 * mean(&found[0]), "{} {}", mean(&found[0]), mean(&found[29]));
    }
}
