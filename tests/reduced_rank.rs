//! Reduced-rank regression at a singular point: samplers against a Gibbs sampler, and the bias of step sizes.

mod support;

use porewalk::dynamics::{Mala, Sgld, Target};
use porewalk::landscape::{Differentiable, Landscape};
use porewalk::math::random::Stream;
use rayon::prelude::*;
use support::chain_averages::tempered_loss;
use support::exact_values::REDUCED_RANK_5_5_3_1;
use support::reduced_rank::ReducedRank;

/// Mean of t K and its standard error, from 64 chains.
fn gibbs(landscape: &ReducedRank, anchor: &[f64], t: f64, sweeps: u32) -> (f64, f64) {
    let run = |chain| landscape.gibbs(anchor, t, 1.0, sweeps, &mut Stream::new(1, "gibbs", chain));
    let means: Vec<f64> = (0..64u64).into_par_iter().map(run).collect();
    let mean = means.iter().sum::<f64>() / 64.0;
    let spread = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 63.0;
    (mean, (spread / 64.0).sqrt())
}

#[test]
fn gradients_are_those_of_the_loss() {
    let (landscape, mut point) = ReducedRank::new(4, 3, 2, &[1.5]);
    point.iter_mut().enumerate().for_each(|(k, value)| *value += 0.1 * (k as f64).sin());
    let mut gradient = vec![0.0; landscape.dimension()];
    landscape.gradient(&point, &mut gradient);
    for (k, slope) in gradient.iter().enumerate() {
        let at = |change: f64| {
            let mut moved = point.clone();
            moved[k] += change;
            landscape.loss(&moved)
        };
        let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((slope - expected).abs() < 1e-8, "{k}: {slope} {expected}");
    }
}

#[test]
fn two_gibbs_samplers_agree() {
    let (landscape, anchor) = ReducedRank::new(5, 5, 3, &[4.0]);
    for (t, expected, allowance) in REDUCED_RANK_5_5_3_1 {
        let (mean, error) = gibbs(&landscape, &anchor, t, 4000);
        println!("t = {t}: {mean:.4} ± {error:.4}, told {expected} ± {allowance}");
        assert!((mean - expected).abs() < 4.0 * error.hypot(allowance), "{t}: {mean} {error} {expected}");
    }
}

#[test]
fn mala_finds_the_value_and_sgld_by_extrapolation() {
    let (landscape, anchor) = ReducedRank::new(5, 5, 3, &[1.0]);
    let t = 263.1;
    let target = Target {
        landscape: &landscape,
        anchor: &anchor,
        inverse_temperature: t,
        localization: 1.0,
        box_radius: None,
        batch_size: None,
    };
    let (exact, own_error) = gibbs(&landscape, &anchor, t, 10_000);
    let (mala, error) = tempered_loss(&Mala { step_size: 1e-3 }, &target, 0.0, (8, 4000, 40_000));
    println!("Gibbs {exact:.4} ± {own_error:.4}, MALA {mala:.4} ± {error:.4}");
    assert!((mala - exact).abs() < 4.0 * error.hypot(own_error) && error < 0.005 * exact, "{mala} {error} {exact}");

    let sgld = |step_size: f64| tempered_loss(&Sgld { step_size }, &target, 0.0, (8, 6000, 60_000)).0;
    let (coarse, fine) = (sgld(3e-4), sgld(1.5e-4));
    let extrapolated = 2.0 * fine - coarse;
    println!("SGLD {coarse:.4} and {fine:.4}, extrapolated {extrapolated:.4}");
    assert!(coarse / exact > 1.04 && fine / exact > 1.02, "{coarse} {fine} {exact}");
    assert!((extrapolated / exact - 1.0).abs() < 0.02, "{extrapolated} {exact}");
}
