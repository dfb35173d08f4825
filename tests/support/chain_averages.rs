//! Averages over many chains of a sampler, with their errors.

use porewalk::dynamics::{ChainBlock, Sampler, Step, Target};
use porewalk::landscape::{LANES, Lanes};
use rayon::prelude::*;

/// Mean over chains and steps of a number of every chain, and the standard error from the spread between chains.
pub fn average(
    sampler: &dyn Sampler,
    target: &Target<'_>,
    (blocks, burn_in, steps): (u64, u32, u32),
    read: impl Fn(&ChainBlock, &Step) -> Lanes + Sync,
) -> (f64, f64) {
    sampler.check(target).expect("a target that it can sample");
    let means: Vec<f64> = (0..blocks)
        .into_par_iter()
        .flat_map_iter(|block| {
            let mut chains = ChainBlock::new(target.anchor, 11, block * LANES as u64);
            (0..burn_in).for_each(|_| {
                sampler.step(target, &mut chains);
            });
            let mut sum = [0.0; LANES];
            for _ in 0..steps {
                let step = sampler.step(target, &mut chains);
                sum.iter_mut().zip(read(&chains, &step)).for_each(|(sum, value)| *sum += value);
            }
            sum.map(|sum| sum / f64::from(steps))
        })
        .collect();
    let count = means.len() as f64;
    let mean = means.iter().sum::<f64>() / count;
    let spread = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (spread / count).sqrt())
}

/// Mean of t K, K = L - `floor`, and its standard error.
pub fn tempered_loss(sampler: &dyn Sampler, target: &Target<'_>, floor: f64, effort: (u64, u32, u32)) -> (f64, f64) {
    average(sampler, target, effort, |_, step| step.loss.map(|loss| target.inverse_temperature * (loss - floor)))
}
