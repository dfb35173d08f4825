//! Learning coefficients end to end: the reference network, verdicts on bad settings, sweeps, run files.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use porewalk::estimate::learning_coefficient::{Fault, LearningCoefficient, Settings, estimate};
use porewalk::experiment::llc::run_llc;
use porewalk::experiment::{Options, Resources};
use porewalk::formats::npz;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, TargetKind};
use porewalk::propagator::StopFlag;
use porewalk::storage::llc::TRACES_FILE;
use porewalk::storage::{LlcReport, Replacement};

/// A trained 2-16-16-2 network on 1000 points of two moons: mean cross-entropy 0.002362. Its coefficient at t = 144.76 and
/// g = 1 is 2.23 ± 0.03 by an independent Metropolis-adjusted sampler, 16 chains x 40000 draws.
fn reference() -> (EmpiricalLoss, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/moons_2-16-16-2.npz");
    let data = Dataset::from_npz(&path, TargetKind::Classes).expect("what the test needs");
    let (mlp, point) = Mlp::from_npz(&path, Activation::Relu).expect("what the test needs");
    (EmpiricalLoss::new(mlp, Arc::new(data), Precision::Single).expect("what the test needs"), point)
}

fn moons(change: impl FnOnce(&mut Settings)) -> LearningCoefficient {
    let (loss, point) = reference();
    let mut settings = Settings {
        inverse_temperature: Some(144.76),
        burn_in: 1000,
        draws: 5000,
        threads: NonZeroUsize::new(2).expect("what the test needs"),
        ..Settings::default()
    };
    change(&mut settings);
    estimate(&loss, &point, &settings, &mut ()).expect("what the test needs")
}

/// Everything takes the lengths of the reference when slow tests are asked for.
fn is_slow() -> bool {
    support::is_slow()
}

#[test]
fn the_reference_network_has_its_coefficient() {
    let llc = moons(|settings| {
        if is_slow() {
            settings.draws = 20_000;
        }
    });
    println!("mala {:.3} ± {:.3}: {}", llc.value, llc.mcse, llc.verdict.words());
    assert!(llc.verdict.is_trustworthy(), "{}", llc.verdict.words());
    // A quarter of the draws: twice the error.
    let bound = if is_slow() { 0.1 } else { 0.2 };
    assert!((llc.value - 2.23).abs() < bound, "{} ± {}", llc.value, llc.mcse);
}

#[test]
fn extrapolated_langevin_steps_agree_or_say_that_they_do_not() {
    let llc = moons(|settings| {
        settings.sampler = Some("sgld".into());
        settings.step_size = Some(1e-3);
        if is_slow() {
            settings.draws = 20_000;
        }
    });
    println!("sgld {:.3} ± {:.3}: {}", llc.value, llc.mcse, llc.verdict.words());
    let is_near = (llc.value - 2.23).abs() < 3.0 * llc.mcse;
    assert!(is_near || llc.verdict.has(Fault::BiasNotResolved), "{} ± {}", llc.value, llc.mcse);
}

#[test]
fn steps_too_long_and_too_short_are_called_so() {
    let with_step = |step_size: f64| {
        moons(|settings| {
            settings.sampler = Some("sgld".into());
            settings.step_size = Some(step_size);
            settings.draws = if is_slow() { 20_000 } else { 2000 };
        })
    };
    let long = with_step(1e-2).verdict;
    assert!(long.has(Fault::StepBias) && long.words().contains("step bias"), "{}", long.words());
    let short = with_step(1e-5).verdict;
    assert!(short.has(Fault::NotConverged) && short.words().contains("not converged"), "{}", short.words());
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let on = |threads: usize| {
        let llc = moons(|settings| {
            settings.chains = 20;
            settings.sampler = Some("sgld".into());
            settings.batch_size = Some(50);
            (settings.burn_in, settings.draws) = (10, 40);
            settings.threads = NonZeroUsize::new(threads).expect("what the test needs");
        });
        (llc.value, llc.mcse, llc.traces)
    };
    let first = on(1);
    assert_eq!(first.2.loss.len(), 20);
    assert_eq!(first, on(3));
}

fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-llc-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("what the test needs");
    folder
}

fn run(folder: &Path, name: &str, text: &str) -> LlcReport {
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, text).expect("what the test needs");
    let options = Options {
        output: Some(folder.join(name)),
        overrides: Vec::new(),
        replacement: Replacement::Always,
        resources: Resources::default(),
        resume: false,
        stop: StopFlag::default(),
    };
    let (report, place) =
        run_llc(&file, &options, &|_, _, _| Ok(()), &mut ()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report, LlcReport::read(&place).expect("what the test needs"), "the report comes back from its file");
    report
}

#[test]
fn run_files_train_sample_and_report() {
    let folder = workplace("run");
    let report = run(
        &folder,
        "moons",
        "[model]\nkind = \"mlp\"\nwidths = [2, 8, 2]\nactivation = \"tanh\"\n[data]\nkind = \"two-moons\"\nsamples = 200\n\
         [training]\nsteps = 3000\n[llc]\ndraws = 300\nburn_in = 100\npolish = 50\n",
    );
    assert!(report.model.accuracy.expect("what the test needs") > 0.8, "{:?}", report.model);
    assert_eq!((report.model.parameters, report.model.sample_count), (42, 200));
    assert!(report.llc.value > 0.0 && report.llc.mcse > 0.0);
    assert!((report.llc.inverse_temperature - 200.0 / 200f64.ln()).abs() < 1e-12);
    let traces = npz::read(&folder.join("moons").join(TRACES_FILE)).expect("what the test needs");
    for name in ["loss", "distance"] {
        assert_eq!(traces[name].shape, [8, 300], "{name} is (chain, draw)");
    }
    // The weights that were sampled around are there, and give the same loss.
    let weights = folder.join("moons/weights.npz");
    let (mlp, point) = Mlp::from_npz(&weights, Activation::Tanh).expect("what the test needs");
    assert_eq!((mlp.widths(), point.len()), (&[2, 8, 2][..], 42));
    let mean = traces["loss"].data.iter().sum::<f64>() / traces["loss"].data.len() as f64;
    let value = report.llc.inverse_temperature * (mean - report.model.loss);
    assert!((value - report.llc.value).abs() < 1e-9 * value.abs(), "the value is that of the traces");
    fs::remove_dir_all(folder).expect("what the test needs");
}

#[test]
fn small_landscapes_come_with_their_oracles() {
    let folder = workplace("oracle");
    let report = run(
        &folder,
        "crossing",
        "[model]\nkind = \"normal-crossing\"\nexponents = [2, 2]\n[llc]\ninverse_temperature = 144.76\ndraws = 20000\n\
         [llc.sweep]\nlocalization = [1.0, 10.0]\ninverse_temperature = [144.76, 1000.0]\n",
    );
    let oracle = report.oracle.expect("what the test needs");
    // 1/2 + a (1 - K1(a)/K0(a)), a = 1/(8 t).
    assert!((oracle.quadrature.expect("what the test needs") - 0.36140).abs() < 1e-5);
    assert_eq!(oracle.exact, Some((0.5, 2)));
    let (exponent, multiplicity) = oracle.volume_scaling.expect("what the test needs");
    assert!((exponent - 0.5).abs() < 0.01 && multiplicity == 2);
    assert!((report.llc.value - 0.36140).abs() < 4.0 * report.llc.mcse, "{:?}", report.llc);
    let sweep = report.sweep.expect("what the test needs");
    assert_eq!((sweep.points.len(), sweep.slopes.len(), sweep.plateaus.len()), (4, 2, 0));
    fs::remove_dir_all(folder).expect("what the test needs");
}
