//! A well, a crossing of two valleys and a trained network through one function.
//!
//! Problem:  λ̂ of a quadratic well (λ = d/2 = 1), of x² y² (λ = 1/2) and of a network that tells two moons apart (114
//!           weights, λ far below half of them).
//! Run:      cargo run --release --example three_losses
//! Expect:   near 1, below 1/2 (a crossing comes near it like 1/ln t), and about 2.4 of 114/2.
//! Try next: a larger localisation in `Settings`: it bounds the valleys, and the last two numbers fall.

use std::sync::Arc;

use porewalk::Result;
use porewalk::dynamics::{Batches, Schedule, Sgd, Training, TrainingBlock};
use porewalk::estimate::learning_coefficient::{LearningCoefficient, Settings, estimate};
use porewalk::landscape::{Analytic, Population, Sampled};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision};

/// Name, number of parameters and estimate of every loss: `steps` of training, `draws` per chain.
pub fn run(steps: u64, draws: usize) -> Result<Vec<(&'static str, usize, LearningCoefficient)>> {
    let well = Population::new(Analytic::build("harmonic", 2, &Default::default())?, 1000);
    let crossing = Population::new(Analytic::build("normal-crossing", 2, &Default::default())?, 1000);
    let moons = Arc::new(Dataset::two_moons(1000, 0.1, &mut Stream::new(1, "data", 0))?);
    let mlp = Mlp::new(&[2, 8, 8, 2], Activation::Relu, false)?;
    let start = mlp.initial(&mut Stream::new(1, "start", 0));
    let network = EmpiricalLoss::new(mlp, moons, Precision::Single)?;
    let trained = train(&network, start, steps)?;
    let losses: [(&'static str, &dyn Sampled, Vec<f64>); 3] =
        [("well", &well, vec![0.0; 2]), ("crossing", &crossing, vec![0.0; 2]), ("network", &network, trained)];
    let settings = Settings { burn_in: draws / 5, draws, ..Settings::default() };
    let one = |(name, loss, point): (&'static str, &dyn Sampled, Vec<f64>)| {
        Ok((name, point.len(), estimate(loss, &point, &settings, &mut ())?))
    };
    losses.into_iter().map(one).collect()
}

fn train(landscape: &dyn Sampled, start: Vec<f64>, steps: u64) -> Result<Vec<f64>> {
    let (optimiser, schedule, batches) = (&Sgd::default(), Schedule::constant(0.1), Batches::Epochs(50));
    let mut point = start;
    let mut blocks = TrainingBlock::all(std::slice::from_ref(&point), 0);
    Training { landscape, optimiser, schedule, steps, batches, seed: 1, threads: 1 }
        .run(&mut blocks, &[], &|_| Ok(()))?;
    blocks[0].walkers.read(0, &mut point);
    Ok(point)
}

/// Prints the table.
pub fn main() -> Result<()> {
    println!("loss      parameters  coefficient   error  verdict");
    for (name, dimension, found) in run(20_000, 10_000)? {
        println!("{name:<9} {dimension:>10} {:>12.3} {:>7.3}  {}", found.value, found.mcse, found.verdict.words());
    }
    Ok(())
}
