//! Networks, many at once: one thread, two moons (1000 samples), 2-16-16-2. `cargo bench --bench ensemble`.
//!
//! A step draws the sample numbers, computes the gradients of a block of walkers and moves them by plain SGD.

use std::sync::Arc;
use std::time::Instant;

use divan::{Bencher, black_box};
use porewalk::landscape::{Batch, LANES, Landscape, Sampled, WalkerBlock};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, simd_path};

fn main() {
    println!("kernels: {}", simd_path());
    against_one_at_a_time();
    divan::main();
}

const LEARNING_RATE: f64 = 1e-3;
const WIDTHS: [usize; 4] = [2, 16, 16, 2];

fn loss(activation: Activation, normalised: bool, precision: Precision) -> EmpiricalLoss {
    let data = Dataset::two_moons(1000, 0.1, &mut Stream::new(1, "data", 0)).expect("valid");
    let mlp = Mlp::new(&WIDTHS, activation, normalised).expect("valid");
    EmpiricalLoss::new(mlp, Arc::new(data), precision).expect("widths agree")
}

/// Walkers under plain SGD.
struct Ensemble {
    loss: EmpiricalLoss,
    block: WalkerBlock,
    gradient: WalkerBlock,
    draws: Vec<[u32; LANES]>,
    stream: Stream,
}

impl Ensemble {
    /// `batch`: samples per step; `None` for all.
    fn new(loss: EmpiricalLoss, batch: Option<usize>) -> Self {
        let mut stream = Stream::new(3, "batches", 0);
        let mut block = WalkerBlock::zeros(loss.dimension());
        (0..LANES).for_each(|lane| block.write(lane, &loss.mlp().initial(&mut stream)));
        let draws = vec![[0; LANES]; batch.unwrap_or(0)];
        Ensemble { loss, gradient: block.clone(), block, draws, stream }
    }

    fn draw(&mut self) {
        let count = self.loss.sample_count() as u32;
        self.draws.iter_mut().flatten().for_each(|draw| *draw = self.stream.index(count));
    }

    fn step(&mut self) {
        self.draw();
        let batch = if self.draws.is_empty() { Batch::Full } else { Batch::Drawn(&self.draws) };
        black_box(self.loss.block_gradient(&self.block, batch, &mut self.gradient));
        for (row, slopes) in self.block.rows_mut().iter_mut().zip(self.gradient.rows()) {
            row.iter_mut().zip(slopes).for_each(|(value, slope)| *value -= LEARNING_RATE * slope);
        }
    }

    /// The same, walker by walker in plain double precision.
    fn step_one_at_a_time(&mut self) {
        self.draw();
        let mut point = vec![0.0; self.block.dimension()];
        let mut slopes = point.clone();
        for lane in 0..LANES {
            self.block.read(lane, &mut point);
            let draws: Vec<u32> = self.draws.iter().map(|draw| draw[lane]).collect();
            black_box(self.loss.batch_gradient(&point, (!draws.is_empty()).then_some(&draws), &mut slopes));
            point.iter_mut().zip(&slopes).for_each(|(value, slope)| *value -= LEARNING_RATE * slope);
            self.block.write(lane, &point);
        }
    }
}

/// Fastest of seven runs of `count` steps, in seconds per step.
fn fastest(count: usize, mut step: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        (0..count).for_each(|_| step());
        best = best.min(start.elapsed().as_secs_f64() / count as f64);
    }
    best
}

/// Microseconds per network and step in blocks and one at a time, and the rate of the arithmetic.
fn against_one_at_a_time() {
    // Multiply-adds of a sample: the outputs, the gradient, the slopes below all layers but the first.
    let weights: Vec<usize> = WIDTHS.windows(2).map(|pair| pair[0] * pair[1]).collect();
    let operations = 2 * (3 * weights.iter().sum::<usize>() - weights[0]);
    for (name, precision) in [("f32", Precision::Single), ("f64", Precision::Double)] {
        for batch in [Some(32), Some(100), None] {
            let samples = batch.unwrap_or(1000);
            let mut ensemble = Ensemble::new(loss(Activation::Relu, false, precision), batch);
            let block = fastest(64_000 / samples, || ensemble.step()) / LANES as f64;
            let single = fastest(6_400 / samples, || ensemble.step_one_at_a_time()) / LANES as f64;
            let rate = (operations * samples) as f64 / block * 1e-9;
            println!(
                "{name}, batch {samples}: {:.2} us per network and step, {rate:.0} GF/s; one at a time {:.1} us, {:.1} x",
                block * 1e6,
                single * 1e6,
                single / block
            );
        }
    }
}

/// A step of a block of [`LANES`] networks with rectifiers.
#[divan::bench(args = [32, 100, 1000])]
fn relu_block_step(bencher: Bencher, samples: usize) {
    block_step(bencher, loss(Activation::Relu, false, Precision::Single), samples);
}

#[divan::bench(args = [32, 100, 1000])]
fn tanh_block_step(bencher: Bencher, samples: usize) {
    block_step(bencher, loss(Activation::Tanh, false, Precision::Single), samples);
}

#[divan::bench(args = [32, 100, 1000])]
fn gelu_block_step(bencher: Bencher, samples: usize) {
    block_step(bencher, loss(Activation::Gelu, false, Precision::Single), samples);
}

#[divan::bench(args = [32, 100, 1000])]
fn normalised_block_step(bencher: Bencher, samples: usize) {
    block_step(bencher, loss(Activation::Relu, true, Precision::Single), samples);
}

fn block_step(bencher: Bencher, loss: EmpiricalLoss, samples: usize) {
    let mut ensemble = Ensemble::new(loss, (samples < 1000).then_some(samples));
    bencher.bench_local(|| ensemble.step());
}
