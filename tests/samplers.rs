//! Samplers against laws that are known exactly: quadratics with localisation, boxes, noise of batches.

mod support;

use porewalk::dynamics::{
    ChainBlock, Hmc, Mala, RmspropSgld, Sampler, Sgld, Sgnht, Target, energy_acceptance, sampler,
};
use porewalk::landscape::parameters::{Parameters, Value};
use porewalk::landscape::{Analytic, LANES, Lanes, Population, WalkerBlock};
use support::chain_averages::{average, tempered_loss};
use support::exact_values::{homogeneous, product_of_two_squares, quadratic, quadratic_by_sgld, sgld_variance};
use support::sampled_quadratic::SampledQuadratic;

fn target<'a>(landscape: &'a SampledQuadratic, anchor: &'a [f64], t: f64, g: f64) -> Target<'a> {
    Target { landscape, anchor, inverse_temperature: t, localization: g, box_radius: None, batch_size: None }
}

#[test]
fn every_sampler_finds_the_mean_energy_of_a_quadratic() {
    let landscape = SampledQuadratic::spread_out(20);
    let anchor = [0.0; 20];
    let (t, g) = (10.0, 10.0);
    let target = target(&landscape, &anchor, t, g);
    let truth = quadratic(&landscape.curvatures, t, g);
    let eps = 2e-4;
    let cases: [(Box<dyn Sampler>, f64); 5] = [
        (Box::new(Sgld { step_size: eps }), quadratic_by_sgld(&landscape.curvatures, t, g, eps, 0.0)),
        (Box::new(Mala { step_size: 1.5e-3 }), truth),
        (Box::new(Sgnht { step_size: 5e-4, friction: 0.1 }), truth),
        (Box::new(RmspropSgld::new(5e-5)), truth),
        (Box::new(Hmc { step_size: 5e-4, leapfrog_steps: 6 }), truth),
    ];
    for (sampler, expected) in cases {
        let steps = (40_000.0 / sampler.gradients_per_step()) as u32;
        let (mean, error) = tempered_loss(&*sampler, &target, 0.0, (8, steps / 8, steps));
        println!(
            "{:13} {mean:.4} ± {error:.4}, expected {expected:.4}, {:+.2} %",
            sampler.name(),
            100.0 * (mean / expected - 1.0)
        );
        assert!((mean / expected - 1.0).abs() < 0.02, "{}: {mean} {expected}", sampler.name());
        assert!(error < 0.006 * expected, "{}: {error}", sampler.name());
    }
}

#[test]
fn the_variance_of_sgld_is_that_of_its_discrete_time() {
    // (total curvature, step size, inverse temperature, variance of a batch's loss gradient, k times the variance)
    for (k, eps, t, v, expected) in
        [(100.0, 0.01, 1.0, 0.0, 1.3333), (100.0, 0.03, 1.0, 0.0, 4.0), (100.0, 0.01, 50.0, 4.0, 34.667)]
    {
        let batch = 4;
        let h: f64 = (k - 5.0) / t;
        let spread = (v * batch as f64).sqrt() / h;
        let landscape = SampledQuadratic { curvatures: vec![h; 12], spreads: vec![spread; 12], sample_count: 128 };
        let anchor = [0.0; 12];
        let target = Target { batch_size: Some(batch), ..target(&landscape, &anchor, t, 5.0) };
        let (mean, error) = average(&Sgld { step_size: eps }, &target, (8, 1000, 20_000), |chains, _| {
            std::array::from_fn(|lane| {
                chains.walkers.rows().iter().map(|row| row[lane] * row[lane]).sum::<f64>() / 12.0
            })
        });
        println!("k = {k}, eps = {eps}, t = {t}, v = {v}: {:.4} ± {:.4}, expected {expected}", k * mean, k * error);
        let formula = k * sgld_variance(k, eps, t, v);
        assert!((formula / expected - 1.0).abs() < 1e-4, "{formula}");
        assert!((k * mean / expected - 1.0).abs() < 0.01, "{} {expected}", k * mean);
    }
}

/// A public implementation computes the thermostat and never applies it: 0.21 instead of 10 at friction 1/100.
#[test]
fn the_thermostat_takes_away_the_heat_of_batches() {
    let dimension = 20;
    let (t, v, batch) = (50.0, 0.2, 2);
    let spread = (v * f64::from(batch)).sqrt() / 2.0;
    let landscape =
        SampledQuadratic { curvatures: vec![2.0; dimension], spreads: vec![spread; dimension], sample_count: 128 };
    let anchor = vec![0.0; dimension];
    let full = target(&landscape, &anchor, t, 0.0);
    let sgnht = Sgnht { step_size: 2.5e-4, friction: 0.1 };
    let time = sgnht.step_size.sqrt();
    let noisy = Target { batch_size: Some(batch as usize), ..full };
    // Without the thermostat the noise of batches would heat by 62 %.
    for (target, heat) in [(full, 0.0), (noisy, 0.5 * time * t * t * v)] {
        let (mean, error) = average(&sgnht, &target, (8, 2000, 20_000), |chains, _| {
            std::array::from_fn(|lane| {
                chains.walkers.rows().iter().map(|row| 100.0 * row[lane] * row[lane]).sum::<f64>() / 20.0
            })
        });
        let (friction, _) = average(&sgnht, &target, (8, 2000, 20_000), |chains, _| chains.memory.numbers[0]);
        let expected = sgnht.friction / time + heat;
        println!("heat {heat:.3}: k variance {mean:.4} ± {error:.4}; friction {friction:.4}, expected {expected:.4}");
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!((friction / expected - 1.0).abs() < 0.03, "{friction} {expected}");
    }
}

/// A public implementation changes its preconditioner with the walker and has no term for that: 11.3 to 2e6 instead of 10.
#[test]
fn the_preconditioner_leaves_the_law_alone() {
    let landscape = SampledQuadratic::spread_out(20);
    let anchor = [0.0; 20];
    let target = target(&landscape, &anchor, 10.0, 10.0);
    let exact = quadratic(&landscape.curvatures, 10.0, 10.0);
    for stabilizer in [0.1, 1e-8] {
        let sampler = RmspropSgld { stabilizer, ..RmspropSgld::new(4e-5) };
        let (mean, error) = tempered_loss(&sampler, &target, 0.0, (8, 2000, 40_000));
        println!("stabilizer {stabilizer}: {mean:.4} ± {error:.4}, exact {exact:.4}");
        assert!((mean / exact - 1.0).abs() < 0.02, "{stabilizer}: {mean} {exact}");
    }
}

#[test]
fn exact_samplers_keep_the_law_at_large_steps_and_in_a_box() {
    let landscape = SampledQuadratic { curvatures: vec![1.0, 4.0], spreads: vec![0.0; 2], sample_count: 2 };
    let anchor = [0.5, 0.0];
    let radius = 0.8;
    let target = Target { box_radius: Some(radius), ..target(&landscape, &anchor, 3.0, 1.0) };
    // Quadrature over the box of t K under the target.
    let moments = |h: f64, anchor: f64| {
        let (mut mass, mut sum) = (0.0, 0.0);
        for k in 0..20_000 {
            let w = anchor + radius * (2.0 * (f64::from(k) + 0.5) / 20_000.0 - 1.0);
            let weight = (-1.5 * h * w * w - 0.5 * (w - anchor).powi(2)).exp();
            mass += weight;
            sum += weight * 1.5 * h * w * w;
        }
        sum / mass
    };
    let expected = moments(1.0, 0.5) + moments(4.0, 0.0);
    let samplers: [Box<dyn Sampler>; 2] =
        [Box::new(Mala { step_size: 0.15 }), Box::new(Hmc { step_size: 0.15, leapfrog_steps: 2 })];
    for sampler in samplers {
        assert!(sampler.is_exact());
        let (mean, error) = tempered_loss(&*sampler, &target, 0.0, (8, 500, 20_000));
        println!("{}: {mean:.4} ± {error:.4}, expected {expected:.4}", sampler.name());
        assert!((mean - expected).abs() < 4.0 * error && error < 0.005 * expected, "{mean} {error} {expected}");
    }
    for sampler in sampler::all(0.1) {
        let mut chains = ChainBlock::new(&anchor, 3, 0);
        for _ in 0..500 {
            sampler.step(&target, &mut chains);
            assert!(target.contains(&chains.walkers).iter().all(|inside| *inside), "{}", sampler.name());
        }
    }
}

#[test]
fn batches_are_refused_where_the_energy_must_be_known() {
    let landscape = SampledQuadratic::spread_out(3);
    let anchor = [0.0; 3];
    let target = Target { batch_size: Some(1), ..target(&landscape, &anchor, 1.0, 1.0) };
    for sampler in sampler::all(1e-3) {
        assert_eq!(sampler.check(&target).is_err(), sampler.is_exact(), "{}", sampler.name());
    }
    assert!(sampler::by_name("mala", 1e-3).is_some() && sampler::by_name("metropolis", 1e-3).is_none());
}

/// The probe tells the acceptance of MALA when the move is MALA's, and falls when SGLD's steps grow.
#[test]
fn the_probe_is_the_acceptance_of_a_metropolis_step() {
    let landscape = SampledQuadratic::spread_out(20);
    let anchor = [0.0; 20];
    let target = target(&landscape, &anchor, 10.0, 10.0);
    let probe = |eps: f64| {
        let sampler = Sgld { step_size: eps };
        let mut chains = ChainBlock::new(&anchor, 5, 0);
        let mut sum = 0.0;
        for k in 0..4000 {
            let before = chains.walkers.clone();
            sampler.step(&target, &mut chains);
            if k >= 2000 && k % 20 == 0 {
                sum += energy_acceptance(&target, &before, &chains.walkers, eps).iter().sum::<f64>() / 800.0;
            }
        }
        sum
    };
    let (mala, _) = average(&Mala { step_size: 1e-3 }, &target, (4, 1000, 5000), |_, step| step.acceptance);
    let found = [1e-4, 3e-4, 1e-3].map(probe);
    println!("probe {found:?}, MALA at 1e-3 {mala:.4}");
    assert!(found[0] > 0.98 && found[0] > found[1] && found[1] > found[2]);
    assert!((found[2] - mala).abs() < 0.06, "{} {mala}", found[2]);
}

#[test]
fn chains_repeat_go_on_from_checkpoints_and_know_no_neighbours() {
    let landscape = SampledQuadratic { curvatures: vec![3.0; 7], spreads: vec![0.5; 7], sample_count: 128 };
    let anchor = [0.1; 7];
    for sampler in sampler::all(0.01) {
        let batch_size = (!sampler.is_exact()).then_some(5);
        let target = Target { batch_size, ..target(&landscape, &anchor, 4.0, 1.0) };
        let run = |chains: &mut ChainBlock, steps: u32| -> Vec<Lanes> {
            (0..steps).map(|_| sampler.step(&target, chains).loss).collect()
        };
        let mut whole = ChainBlock::new(&anchor, 9, 0);
        let losses = run(&mut whole, 260);

        let mut first = ChainBlock::new(&anchor, 9, 0);
        run(&mut first, 113);
        let mut second = ChainBlock::restore(first.checkpoint());
        assert_eq!(second.checkpoint(), first.checkpoint());
        assert_eq!(run(&mut second, 147), losses[113..], "{}", sampler.name());
        assert_eq!(second.checkpoint(), whole.checkpoint(), "{}", sampler.name());

        // Chains 3.. of the same seed, in other lanes.
        let mut moved = ChainBlock::new(&anchor, 9, 3);
        let other = run(&mut moved, 260);
        for lane in 0..LANES - 3 {
            assert!(losses.iter().zip(&other).all(|(a, b)| a[lane + 3] == b[lane]), "{}", sampler.name());
            let (mut a, mut b) = ([0.0; 7], [0.0; 7]);
            whole.walkers.read(lane + 3, &mut a);
            moved.walkers.read(lane, &mut b);
            assert_eq!(a, b, "{}", sampler.name());
        }
        let mut different = ChainBlock::from_walkers(WalkerBlock::at(&anchor), 10, 0);
        assert_ne!(run(&mut different, 260), losses);
    }
}

/// Landscapes without a quadratic minimum: the tail of w1² w2² along its axes, and a quartic without localisation.
#[test]
fn exact_samplers_find_the_finite_temperature_values_of_singular_landscapes() {
    let build = |kind: &str, dimension: usize, parameters: Parameters| {
        Population::new(Analytic::build(kind, dimension, &parameters).expect("a landscape"), 1000)
    };
    let powers = Parameters::from([("exponents".to_string(), Value::Numbers(vec![2.0, 2.0]))]);
    let crossing = build("normal-crossing", 2, powers);
    let quartic = build("quartic", 3, Parameters::new());
    let anchor = [0.0; 3];
    let target = |landscape, dimension: usize, t, g| Target {
        landscape,
        anchor: &anchor[..dimension],
        inverse_temperature: t,
        localization: g,
        box_radius: None,
        batch_size: None,
    };
    // Along an axis of w1² w2² the valley is as narrow as 1/√(2 t w1²): small steps, long paths.
    let cases: [(Target<'_>, f64, Mala, Hmc, u32); 3] = [
        (
            target(&crossing, 2, 144.76, 1.0),
            product_of_two_squares(144.76, 1.0),
            Mala { step_size: 4e-3 },
            Hmc { step_size: 2e-3, leapfrog_steps: 30 },
            300_000,
        ),
        (
            target(&crossing, 2, 144.76, 10.0),
            product_of_two_squares(144.76, 10.0),
            Mala { step_size: 0.02 },
            Hmc { step_size: 0.01, leapfrog_steps: 5 },
            80_000,
        ),
        (
            target(&quartic, 3, 200.0, 0.0),
            homogeneous(3, 4.0),
            Mala { step_size: 0.03 },
            Hmc { step_size: 0.015, leapfrog_steps: 5 },
            80_000,
        ),
    ];
    for (target, expected, mala, hmc, gradients) in cases {
        let samplers: [&dyn Sampler; 2] = [&mala, &hmc];
        for sampler in samplers {
            let steps = (f64::from(gradients) / sampler.gradients_per_step()) as u32;
            let (mean, error) = tempered_loss(sampler, &target, 0.0, (8, steps / 10, steps));
            println!("{:5} {mean:.5} ± {error:.5}, exact {expected:.5}", sampler.name());
            assert!((mean - expected).abs() < 4.0 * error, "{} {mean} {error} {expected}", sampler.name());
            assert!(error < 0.01 * expected, "{} {error}", sampler.name());
        }
    }
}
