//! Displacements of processes with known exponents, diagnosed.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod support;

use porewalk::estimate::displacement::synthetic::{
    FractionalBrownian, OrnsteinUhlenbeck, SierpinskiGasket, WaitingTimes,
};
use porewalk::estimate::displacement::{
    Diagnosis, Ensemble, Family, Finding, Observations, PhaseKind, Settings, diagnose,
};
use porewalk::estimate::trajectory::{Gram, PointArray};
use porewalk::math::random::Stream;

fn steps(count: usize) -> Vec<f64> {
    (0..=count).map(|step| step as f64).collect()
}

/// Diagnoses `runs` runs of `dimension` coordinates.
fn diagnose_runs(
    times: &[f64],
    dimension: usize,
    runs: usize,
    settings: &Settings,
    make: &mut dyn FnMut(&mut Stream) -> Vec<f64>,
    seed: u64,
) -> Diagnosis {
    let mut ensemble = Ensemble::new(times, dimension, runs, settings).unwrap();
    for run in 0..runs {
        ensemble.push(&make(&mut Stream::new(seed, "runs", run as u64))).unwrap();
    }
    diagnose(&Observations::Runs(ensemble), settings).unwrap()
}

/// The table that a diagnosis would have got instead of points.
fn table_of(found: &Diagnosis) -> Observations {
    Observations::Table { times: found.curves.times.clone(), displacement: found.curves.displacement.clone() }
}

/// Exponent number `k` of `count` between 0.1 and 0.45.
fn hurst(k: usize, count: usize) -> f64 {
    0.1 + 0.35 * k as f64 / (count - 1) as f64
}

#[test]
fn orders_of_fractional_brownian_motion_are_found_by_the_time_average() {
    let settings = Settings { compares_models: false, ..Settings::default() };
    for alpha in [0.1, 0.3, 0.5, 0.8, 1.0, 1.2, 1.5] {
        let maker = FractionalBrownian::new(alpha / 2.0, 2000).unwrap();
        let found = diagnose_runs(&steps(2000), 2, 200, &settings, &mut |stream| maker.run(2, stream), 7);
        let order = found.time_averaged.as_ref().unwrap().slope.scaled(2.0);
        assert!((order.value - alpha).abs() < 0.01, "{alpha}: {order:?}");
        assert!((found.caputo_order.value - alpha).abs() < 0.05, "{alpha}: {:?}", found.caputo_order);
        assert!(!found.ergodicity.as_ref().unwrap().weakly_broken, "{alpha}: {:?}", found.ergodicity);
        assert!(!found.verdict.iter().any(|words| words.contains("weak ergodicity breaking")));
        // Super-diffusion is reported as it is.
        assert_eq!(found.verdict.iter().any(|words| words.contains("super-diffusive:")), alpha > 1.0);
    }
}

#[test]
fn waiting_times_break_ergodicity_and_it_is_named() {
    let walk = WaitingTimes::new(0.6, 0.01, 1000).unwrap();
    let found = diagnose_runs(&steps(1000), 1, 10_000, &Settings::default(), &mut |stream| walk.run(1, stream), 11);
    assert!((found.slope.value - 0.3).abs() < 0.02, "{:?}", found.slope);
    let average = found.time_averaged.as_ref().unwrap().slope.value;
    assert!((average - 0.5).abs() < 0.02, "{average}");
    let ergodicity = found.ergodicity.as_ref().unwrap();
    assert!(
        ergodicity.weakly_broken && found.verdict.iter().any(|words| words.starts_with("weak ergodicity breaking:"))
    );
    // EB -> 2 Γ(1.6)²/Γ(2.2) - 1 = 0.4493; the time average falls as duration^(0.6 - 1).
    assert!((ergodicity.breaking_parameter.value - 0.4493).abs() < 0.05, "{:?}", ergodicity.breaking_parameter);
    assert!((ergodicity.ageing_exponent.unwrap().value + 0.4).abs() < 0.05);
}

#[test]
fn confined_runs_with_unlike_noise_are_not_taken_for_waiting() {
    let mut make = |stream: &mut Stream| -> Vec<f64> {
        let noise = (1.5 * stream.normal()).exp();
        let rates = OrnsteinUhlenbeck::log_uniform_rates(4, 1e-2, 1e-1, stream);
        let run = OrnsteinUhlenbeck::new(rates, 1000, false).unwrap().run(stream);
        run.into_iter().map(|value| noise * value).collect()
    };
    let found = diagnose_runs(&steps(1000), 4, 40, &Settings::default(), &mut make, 17);
    let ergodicity = found.ergodicity.unwrap();
    assert!(ergodicity.scatters_beyond_gaussian && !ergodicity.weakly_broken, "{ergodicity:?}");
    assert!(!found.verdict.iter().any(|words| words.starts_with("weak ergodicity")), "{:?}", found.verdict);
}

#[test]
fn the_sierpinski_gasket_has_its_walk_dimension() {
    let (count, runs) = if support::is_slow() { (50_000, 4000) } else { (10_000, 1500) };
    let walk = SierpinskiGasket::new(count);
    let settings = Settings { compares_models: false, ..Settings::default() };
    let found = diagnose_runs(&steps(count), 2, runs, &settings, &mut |stream| walk.run(stream), 3);
    let exact = 5f64.ln() / 2f64.ln();
    let walk_dimension = found.walk_dimension.unwrap();
    assert!((walk_dimension.value / exact - 1.0).abs() < 0.02, "{walk_dimension:?}");
    assert!(!found.ergodicity.unwrap().weakly_broken);
}

/// Findings of one-run inputs of 354 dimensions: whole runs, checkpoints with their inner products, bare tables.
fn findings(count: usize, salt: u64, make: &dyn Fn(usize, &mut Stream) -> Vec<f64>) -> [Vec<(Finding, Family)>; 3] {
    let dimension = 354;
    let times = steps(2000);
    // Checkpoints: dense at first, then every twentieth step.
    let kept: Vec<usize> = (0..20).chain((20..=2000).step_by(20)).collect();
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for k in 0..count {
        let points = make(k, &mut Stream::new(salt, "one run", k as u64));
        let settings = Settings::default();
        let mut ensemble = Ensemble::new(&times, dimension, 1, &settings).unwrap();
        ensemble.push(&points).unwrap();
        let whole = diagnose(&Observations::Runs(ensemble), &settings).unwrap();
        let part: Vec<f64> =
            kept.iter().flat_map(|step| points[step * dimension..(step + 1) * dimension].iter().copied()).collect();
        let run = PointArray::new(kept.iter().map(|step| times[*step]).collect(), part).unwrap();
        let checkpoints = diagnose(&Observations::Run(Gram::of(&run, 32).unwrap()), &settings).unwrap();
        let table = diagnose(&table_of(&whole), &settings).unwrap();
        for (all, diagnosis) in found.iter_mut().zip([whole, checkpoints, table]) {
            let comparison = diagnosis.comparison.unwrap();
            all.push((comparison.finding, comparison.best_other));
        }
    }
    found
}

#[test]
fn a_memoryless_basin_is_flagged_and_a_true_power_law_is_not() {
    let count = if support::is_slow() { 20 } else { 6 };
    let misses = count / 20;
    let of = |found: &[(Finding, Family)], finding| found.iter().filter(|(one, _)| *one == finding).count();
    let [whole, checkpoints, table] = findings(count, 1, &|_, stream| {
        let rates = OrnsteinUhlenbeck::log_uniform_rates(354, 1e-5, 1e-1, stream);
        OrnsteinUhlenbeck::new(rates, 2000, false).unwrap().run(stream)
    });
    for found in [&whole, &checkpoints] {
        assert!(of(found, Finding::NotPowerLaw) >= count - misses, "{found:?}");
        assert!(found.iter().all(|(_, family)| *family == Family::OrnsteinUhlenbeck), "{found:?}");
    }
    // One curve alone flags some; the others are not distinguishable, and none is taken for a power law.
    assert_eq!(of(&table, Finding::PowerLaw), 0, "{table:?}");
    println!("tables flagged: {} of {count}", of(&table, Finding::NotPowerLaw));

    let [whole, checkpoints, table] =
        findings(count, 2, &|k, stream| FractionalBrownian::new(hurst(k, count), 2000).unwrap().run(354, stream));
    for found in [&whole, &checkpoints, &table] {
        assert!(of(found, Finding::NotPowerLaw) <= misses, "{found:?}");
    }
}

/// How often the slope of the displacement, that of the time average and that of the bare table hold the truth, and how often
/// a straight line is broken.
fn coverage(ensembles: usize, runs: usize, dimension: usize, count: usize, salt: u64) -> [usize; 4] {
    let times = steps(count);
    let settings = Settings { compares_models: false, ..Settings::default() };
    let mut held = [0; 4];
    let (mut widths, mut errors) = ([0.0; 3], [0.0; 3]);
    for k in 0..ensembles {
        let truth = hurst(k, ensembles);
        let maker = FractionalBrownian::new(truth, count).unwrap();
        let seed = salt + k as u64;
        let found = diagnose_runs(&times, dimension, runs, &settings, &mut |stream| maker.run(dimension, stream), seed);
        let table = diagnose(&table_of(&found), &settings).unwrap();
        let average = found.time_averaged.as_ref().unwrap().slope;
        for (which, slope) in [found.slope, average, table.slope].into_iter().enumerate() {
            widths[which] += 0.5 * (slope.upper.unwrap() - slope.lower.unwrap()) / ensembles as f64;
            errors[which] += (slope.value - truth).powi(2) / ensembles as f64;
        }
        held[0] += usize::from(found.slope.contains(truth));
        held[1] += usize::from(found.time_averaged.unwrap().slope.contains(truth));
        held[2] += usize::from(table.slope.contains(truth));
        held[3] += usize::from(found.phases.len() > 1);
    }
    // Intervals that hold the truth because they are wide would be no achievement: 95 % are about two standard deviations.
    let ratios: Vec<f64> = widths.iter().zip(&errors).map(|(width, error)| width / error.sqrt()).collect();
    assert!(ratios.iter().all(|ratio| (1.2..3.5).contains(ratio)), "half-widths over errors: {ratios:?}");
    println!(
        "{ensembles} x {runs} runs x {count} steps, {dimension} dimensions: {held:?}, half-widths {ratios:.2?} errors"
    );
    held
}

/// A share of trials within 90 and 99 %, give or take three standard deviations of so few trials at 95 %.
fn is_covered(held: usize, trials: usize) -> bool {
    let slack = if trials >= 200 { 0.0 } else { 3.0 * (0.95 * 0.05 * trials as f64).sqrt() };
    let trials = trials as f64;
    let (low, high) = if slack == 0.0 { (0.9 * trials, 0.99 * trials) } else { (0.95 * trials - slack, trials) };
    (low..=high).contains(&(held as f64))
}

#[test]
fn intervals_of_many_runs_cover() {
    let (ensembles, dimension, count) = if support::is_slow() { (200, 354, 2000) } else { (40, 8, 300) };
    let held = coverage(ensembles, 32, dimension, count, 1000);
    assert!(is_covered(held[0], ensembles) && is_covered(held[1], ensembles), "{held:?}");
    assert!(held[3] * 20 <= ensembles, "{held:?}");
}

#[test]
fn intervals_of_one_run_cover_by_groups_of_its_parameters() {
    let (ensembles, count) = if support::is_slow() { (200, 2000) } else { (40, 300) };
    let held = coverage(ensembles, 1, 354, count, 2000);
    assert!(is_covered(held[0], ensembles) && is_covered(held[1], ensembles), "{held:?}");
    // The bare table of the same run, its noise estimated from the one curve.
    assert!(is_covered(held[2], ensembles), "{held:?}");
    assert!(held[3] * 20 <= ensembles, "{held:?}");
}

#[test]
fn parameters_that_move_together_count_once() {
    let (independent, copies, count) = (40, 25, 500);
    let maker = FractionalBrownian::new(0.3, count).unwrap();
    let mut make = |stream: &mut Stream| -> Vec<f64> {
        maker.run(independent, stream).iter().flat_map(|value| vec![*value; copies]).collect()
    };
    let found = diagnose_runs(&steps(count), independent * copies, 1, &Settings::default(), &mut make, 5);
    let comparison = found.comparison.unwrap();
    assert!((comparison.effective_coordinates / independent as f64 - 1.0).abs() < 0.2, "{comparison:?}");
    assert_eq!(comparison.models[0].family, Family::PowerLaw);
    assert!(comparison.likelihood_slope.contains(0.3), "{:?}", comparison.likelihood_slope);
}

#[test]
fn a_run_that_starts_fast_and_then_spreads_slowly_has_two_phases() {
    // Brownian motion in a time that runs as t^1.6 up to step 60 and as t^0.5 after.
    let (dimension, count) = (300, 1500);
    let clock = |t: f64| if t <= 60.0 { t.powf(1.6) } else { 60f64.powf(1.6) * (t / 60.0).powf(0.5) };
    let mut make = |stream: &mut Stream| {
        let mut points = vec![0.0; dimension];
        for step in 1..=count {
            let spread = (clock(step as f64) - clock(step as f64 - 1.0)).sqrt();
            for k in 0..dimension {
                points.push(points[(step - 1) * dimension + k] + spread * stream.normal());
            }
        }
        points
    };
    let found = diagnose_runs(&steps(count), dimension, 1, &Settings::default(), &mut make, 9);
    let kinds: Vec<PhaseKind> = found.phases.iter().map(|phase| phase.kind).collect();
    assert_eq!(kinds, [PhaseKind::SuperDiffusive, PhaseKind::SubDiffusive], "{:?}", found.phases);
    assert!(found.change_times[0].contains(60.0), "{:?}", found.change_times);
    let comparison = found.comparison.unwrap();
    assert_eq!((comparison.finding, comparison.best_other), (Finding::NotPowerLaw, Family::TwoPhase));
    let of = |name: &str| comparison.models[0].parameters.iter().find(|one| one.name == name).unwrap().value;
    assert!((of("slope_before") - 0.8).abs() < 0.05 && (of("slope_after") - 0.25).abs() < 0.05, "{comparison:?}");
    assert!(found.verdict.iter().any(|words| words.starts_with("the slope changes: super-diffusive")));
}

#[test]
fn checkpoints_at_powers_of_two_are_enough_for_a_slope_and_say_what_they_lack() {
    let (dimension, truth) = (300, 0.35);
    let maker = FractionalBrownian::new(truth, 4096).unwrap();
    let points = maker.run(dimension, &mut Stream::new(1, "powers", 0));
    let kept: Vec<usize> = [0].into_iter().chain((0..=12).map(|k| 1 << k)).collect();
    let part: Vec<f64> =
        kept.iter().flat_map(|step| points[step * dimension..(step + 1) * dimension].iter().copied()).collect();
    let run = PointArray::new(kept.iter().map(|step| *step as f64).collect(), part).unwrap();
    let found = diagnose(&Observations::Run(Gram::of(&run, 32).unwrap()), &Settings::default()).unwrap();
    assert!(found.slope.contains(truth) && found.comparison.as_ref().unwrap().likelihood_slope.contains(truth));
    assert!(found.time_averaged.is_none() && found.time_averaged_reason.as_ref().unwrap().contains("evenly spaced"));
    assert!(found.interval_method.contains("groups of consecutive parameters"));
    assert!(found.by_origin.len() > 2 && found.by_first_time.len() > 2);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), found);
}

#[test]
fn what_cannot_be_diagnosed_is_refused_with_a_reason() {
    let settings = Settings::default();
    let refused = |times: Vec<f64>, displacement: Vec<f64>| {
        diagnose(&Observations::Table { times, displacement }, &settings).unwrap_err().to_string()
    };
    let ten: Vec<f64> = (1..=10).map(f64::from).collect();
    assert!(refused(ten.clone(), vec![0.0; 10]).contains("does not move"));
    assert!(refused(ten.clone(), vec![f64::NAN; 10]).contains("finite"));
    assert!(refused(ten.clone(), vec![1.0; 9]).contains("as many as"));
    assert!(refused(vec![1.0, 2.0, 3.0], vec![1.0; 3]).contains("at least 5 points"));
    assert!(refused(vec![-1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![1.0; 6]).contains("not negative"));
    assert!(refused(steps(9), vec![1.0; 10]).contains("displacement at time 0 is 0"));
    let still = PointArray::new(steps(9), vec![2.0; 30]).unwrap();
    let reason = diagnose(&Observations::Run(Gram::of(&still, 3).unwrap()), &settings).unwrap_err();
    assert!(reason.is_input() && reason.to_string().contains("does not move"));
    let mut ensemble = Ensemble::new(&steps(9), 1, 2, &settings).unwrap();
    assert!(ensemble.push(&[0.0; 3]).is_err() && ensemble.push(&[f64::INFINITY; 10]).is_err());
    assert!(diagnose(&Observations::Runs(ensemble), &settings).unwrap_err().to_string().contains("announced"));
}

#[test]
fn few_points_and_few_runs_give_numbers_or_a_reason_and_never_a_panic() {
    let cases = if support::is_slow() { 2000 } else { 30 };
    for case in 0..cases {
        let mut stream = Stream::new(case, "small", 0);
        let (count, dimension, runs) =
            (6 + stream.index(30) as usize, 1 + stream.index(5) as usize, 1 + stream.index(12) as usize);
        let mut time = 0.0;
        let is_even = stream.index(2) == 0;
        let scale = 10f64.powf(8.0 * stream.uniform() - 4.0);
        let times: Vec<f64> = (0..count)
            .map(|_| {
                let now = time;
                time += scale * if is_even { 1.0 } else { 0.05 + stream.uniform() };
                now
            })
            .collect();
        let settings = Settings { resamples: 100, ..Settings::default() };
        let growth = 2.0 * stream.uniform() - 0.5;
        let mut make = |stream: &mut Stream| {
            let mut points = vec![0.0; dimension];
            for step in 1..count {
                let size = (step as f64).powf(growth);
                (0..dimension).for_each(|k| points.push(points[(step - 1) * dimension + k] + size * stream.normal()));
            }
            points
        };
        let found = diagnose_runs(&times, dimension, runs, &settings, &mut make, case);
        assert!(found.slope.value.is_finite() && found.slope.contains(found.slope.value), "{case}: {:?}", found.slope);
        let table = diagnose(&table_of(&found), &settings).unwrap();
        assert!((table.slope.value - found.slope.value).abs() < 1e-9, "{case}");
        let text = serde_json::to_string(&found).unwrap();
        assert!(serde_json::from_str::<Diagnosis>(&text).is_ok(), "{case}: {text}");
    }
}
