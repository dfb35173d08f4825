//! Whole trainings and whole estimates of networks. `cargo bench --bench training`; numbers in benches/README.md.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use divan::{Bencher, black_box};
use porewalk::dynamics::Sgd;
use porewalk::dynamics::schedule::Schedule;
use porewalk::dynamics::training::{Batches, Training, TrainingBlock};
use porewalk::estimate::learning_coefficient::{Settings, estimate};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, TargetKind};

fn main() {
    divan::main();
}

/// 500 networks 2-16-16-2 on two moons, 2000 steps of 32 samples, by threads (target 2.0 s on one, 1.2 s on two).
#[divan::bench(args = [1, 2], sample_count = 2, sample_size = 1)]
fn five_hundred_networks(bencher: Bencher, threads: usize) {
    let data = Dataset::two_moons(1000, 0.1, &mut Stream::new(1, "data", 0)).expect("moons");
    let mlp = Mlp::new(&[2, 16, 16, 2], Activation::Relu, false).expect("a network");
    let loss = EmpiricalLoss::new(mlp.clone(), Arc::new(data), Precision::Single).expect("widths that agree");
    let (networks, steps) = (500, 2000);
    let starts: Vec<Vec<f64>> = (0..networks).map(|k| mlp.initial(&mut Stream::new(1, "weights", k))).collect();
    let training = Training {
        landscape: &loss,
        optimiser: &Sgd::default(),
        schedule: Schedule::constant(0.1),
        steps,
        batches: Batches::Draws(32),
        seed: 1,
        threads,
    };
    bencher.bench_local(|| {
        let begun = Instant::now();
        let mut blocks = TrainingBlock::all(&starts, 0);
        let losses = training.run(&mut blocks, &[], &|_| Ok(())).expect("a training");
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "    {threads} threads: {seconds:.2} s, {:.2} us a network-step, mean final loss {:.5}",
            seconds * 1e6 / (networks * steps) as f64,
            losses.iter().sum::<f64>() / networks as f64
        );
        black_box(losses)
    });
}

/// The reference network of tests/data: 8 chains x 20000 full-batch draws, two threads (target 12 s each); and the
/// time of a chain-step with its noise, trace and distance (target 8 us at batch 100, 50 us at 1000).
#[divan::bench(args = ["mala full", "sgld full", "sgld 100"], sample_count = 1, sample_size = 1)]
fn moons_learning_coefficient(bencher: Bencher, what: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/moons_2-16-16-2.npz");
    let data = Dataset::from_npz(&path, TargetKind::Classes).expect("data");
    let (mlp, point) = Mlp::from_npz(&path, Activation::Relu).expect("weights");
    let loss = EmpiricalLoss::new(mlp, Arc::new(data), Precision::Single).expect("widths that agree");
    let (sampler, batch) = what.split_once(' ').expect("two words");
    let settings = Settings {
        sampler: Some(sampler.to_string()),
        step_size: (sampler == "sgld").then_some(1e-3),
        batch_size: batch.parse().ok(),
        inverse_temperature: Some(144.76),
        burn_in: 1000,
        draws: 20_000,
        threads: NonZeroUsize::new(2).expect("two"),
        ..Settings::default()
    };
    bencher.bench_local(|| {
        let begun = Instant::now();
        let llc = estimate(&loss, &point, &settings, &mut ()).expect("an estimate");
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "    {what}: {seconds:.2} s, {:.1} us a chain-step and thread, {:.3} ± {:.3}, {}",
            // One block of chains is one thread's work; two runs share two threads.
            seconds * 1e6 / (8 * (settings.draws + settings.burn_in)) as f64,
            llc.value,
            llc.mcse,
            llc.verdict.words()
        );
        black_box(llc)
    });
}
