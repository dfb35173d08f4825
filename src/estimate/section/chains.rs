//! The learning coefficient around points of a section in the whole space, by short chains.
//!
//! Formula:   λ(w) = t ( E_w[L] - min_w L ), w' ∝ exp(-t L(w') - (g/2) |w' - w|²)
//! Assumes:   chains long enough to come down from w; R-hat tells
//! Cost:      one estimate with its pilot run per point; points are shared out to threads
//! Fails when the chains have not come to rest: they are counted in the comparison
//! Reference: \[LauMurfetWei2023\]
//!
//! The lowest loss within reach is that of the point where t L + (g/2) |w' - w|² is lowest, found by going straight down
//! from w, or the lowest loss that a chain drew where that is lower.

use std::num::NonZeroUsize;

use super::watched::Crew;
use crate::dynamics::ChainStore;
use crate::dynamics::polish::polish;
use crate::error::Result;
use crate::estimate::learning_coefficient::{Settings, Upkeep, estimate_with};
use crate::landscape::{Differentiable, Landscape, Sampled};
use crate::propagator::{Observer, StopFlag};

/// Steps straight down in search of the lowest loss.
const DESCENT: usize = 100;
/// R-hat above which chains have not come to rest.
const AT_REST: f64 = 1.05;

/// λ at one point, by chains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalChains {
    /// λ, at least 0.
    pub value: f64,
    /// Its Monte-Carlo standard error; what the search for the lowest loss misses is not in it.
    pub mcse: f64,
    /// Rank-normalised split R-hat.
    pub r_hat: f64,
    /// t times the fall from the loss of the point to the lowest loss within reach.
    pub fall: f64,
}

impl LocalChains {
    /// Whether nothing speaks against the chains having come to rest.
    pub fn is_at_rest(&self) -> bool {
        // Chains that do not move have no R-hat, and have not come anywhere.
        self.r_hat <= AT_REST
    }
}

/// λ around every one of `points`; estimate number k + 1 of the store belongs to point k.
///
/// # Errors
/// Settings out of their ranges, a chain that diverges, a store that fails;
/// [`Error::Interrupted`](crate::Error::Interrupted) when stopped.
pub fn chains_field(
    landscape: &dyn Sampled,
    points: &[Vec<f64>],
    settings: &Settings,
    (store, stop): (&dyn ChainStore, &StopFlag),
    observer: &mut dyn Observer,
) -> Result<Vec<LocalChains>> {
    let n = landscape.sample_count() as f64;
    let t = settings.inverse_temperature.unwrap_or(n / n.ln());
    let of_point = |point: usize| Settings {
        // Chains of different points share no random number.
        seed: settings.seed.wrapping_add(1 + point as u64),
        threads: NonZeroUsize::MIN,
        ..settings.clone()
    };
    Crew { threads: settings.threads, stop }.run(points.len(), observer, |index| {
        let point = &points[index];
        let upkeep = Upkeep { store, stop, estimate: index + 1, relay: None };
        let settings = of_point(index);
        let found = estimate_with(landscape, point, &settings, upkeep, &mut ())?;
        let tied = Tied { landscape, anchor: point, strength: settings.localization / t };
        let mut lowest_point = point.clone();
        polish(&tied, &mut lowest_point, DESCENT);
        let drawn = found.traces.loss.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let fall = t * (found.diagnosis.baseline - landscape.loss(&lowest_point).min(drawn));
        // Both losses of a mean of draws: rounding alone can bring it below.
        let value = (found.value + fall).max(0.0);
        Ok(LocalChains { value, mcse: found.mcse, r_hat: found.diagnosis.r_hat, fall })
    })
}

/// L(w) + (strength/2) |w - anchor|².
struct Tied<'a> {
    landscape: &'a dyn Sampled,
    anchor: &'a [f64],
    strength: f64,
}

impl Landscape for Tied<'_> {
    fn dimension(&self) -> usize {
        self.anchor.len()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        let square: f64 = point.iter().zip(self.anchor).map(|(w, anchor)| (w - anchor) * (w - anchor)).sum();
        self.landscape.loss(point) + 0.5 * self.strength * square
    }
}

impl Differentiable for Tied<'_> {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        self.landscape.gradient(point, out);
        let moved = point.iter().zip(self.anchor).map(|(w, anchor)| w - anchor);
        out.iter_mut().zip(moved).for_each(|(slope, moved)| *slope += self.strength * moved);
    }
}

impl Sampled for Tied<'_> {
    fn sample_count(&self) -> usize {
        self.landscape.sample_count()
    }

    fn batch_gradient(&self, point: &[f64], _: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        self.gradient(point, gradient);
        self.loss(point)
    }
}

/// λ by chains in the whole space against λ by volumes within the section, at the same points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Mean of chains minus volumes.
    pub mean_difference: f64,
    /// Correlation of the two; `None` where one of them does not vary.
    pub correlation: Option<f64>,
    /// Points whose chains have not come to rest.
    pub restless: usize,
}

/// Compares the two at the same points.
///
/// # Panics
/// When the numbers of points differ, or there are none.
pub fn compare(chains: &[LocalChains], volumes: &[f64]) -> Comparison {
    assert!(chains.len() == volumes.len() && !chains.is_empty(), "the same points");
    let count = chains.len() as f64;
    let mean = |values: &dyn Fn(usize) -> f64| (0..chains.len()).map(values).sum::<f64>() / count;
    let (a, b) = (mean(&|k| chains[k].value), mean(&|k| volumes[k]));
    let product = mean(&|k| (chains[k].value - a) * (volumes[k] - b));
    let squares = mean(&|k| (chains[k].value - a).powi(2)) * mean(&|k| (volumes[k] - b).powi(2));
    Comparison {
        mean_difference: a - b,
        correlation: (squares > 0.0).then(|| product / squares.sqrt()),
        restless: chains.iter().filter(|chain| !chain.is_at_rest()).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::parameters::Value;
    use crate::landscape::{Analytic, Population};

    fn settings() -> Settings {
        Settings { localization: 3.0, inverse_temperature: Some(100.0), draws: 4000, ..Settings::default() }
    }

    #[test]
    fn a_well_has_its_value_at_its_minimum_and_beside_it() {
        let stiffness = ("stiffness".to_string(), Value::Numbers(vec![2.0, 30.0, 1.0]));
        let well = Population::new(Analytic::build("harmonic", 3, &[stiffness].into()).expect("a well"), 1000);
        let exact: f64 = [2.0, 30.0, 1.0].iter().map(|h| 0.5 * 100.0 * h / (100.0 * h + 3.0)).sum();
        let points = [vec![0.0; 3], vec![0.4, -0.1, 0.3], vec![-2.0, 0.3, 1.0]];
        let found =
            chains_field(&well, &points, &settings(), (&(), &StopFlag::default()), &mut ()).expect("three estimates");
        for (point, found) in points.iter().zip(&found) {
            // The tie moves the mean; it leaves the fluctuations, and the lowest energy, of a quadratic as they are.
            let bound = 4.0 * found.mcse + 0.02;
            assert!((found.value - exact).abs() < bound, "{point:?}: {found:?} {exact}");
            assert!(found.is_at_rest(), "{found:?}");
        }
        assert!(found[2].fall > 100.0, "far above its surroundings: {:?}", found[2]);
        let shifted: Vec<f64> = found.iter().map(|found| found.value - 0.25).collect();
        let comparison = compare(&found, &shifted);
        assert!((comparison.mean_difference - 0.25).abs() < 1e-12 && comparison.restless == 0);
        assert!(comparison.correlation.is_some_and(|r| (r - 1.0).abs() < 1e-9), "{comparison:?}");
    }
}
