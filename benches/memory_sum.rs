//! Memory sums alone, one thread: direct, by fft, by exponentials, and the loop that reads like the formula.
//! `cargo bench --bench memory_sum`; numbers in benches/README.md.

use std::time::Instant;

use divan::{Bencher, black_box, counter::ItemsCount};
use porewalk::caputo::{
    BackwardDifferences, CaputoScheme, DirectSum, ExponentialMemory, FftSum, FractionalOrder, L1, MemorySum,
};

fn main() {
    divan::main();
}

const CELLS: usize = 200;
const STEP: f64 = 1e-3;

fn order() -> FractionalOrder {
    FractionalOrder::new(0.6).expect("an order")
}

fn increment(step: usize, out: &mut [f64]) {
    out.iter_mut().enumerate().for_each(|(cell, value)| *value = ((step * 31 + cell * 7) % 101) as f64 - 50.0);
}

fn by_direct(steps: usize) -> DirectSum<'static> {
    DirectSum::uniform(&L1, order(), CELLS, steps, STEP).expect("a convolution")
}

fn by_fft(steps: usize) -> FftSum {
    FftSum::new(&L1, order(), CELLS, steps, STEP).expect("a convolution")
}

fn by_exponentials(steps: usize) -> ExponentialMemory {
    let span = (STEP, STEP * steps as f64);
    ExponentialMemory::new(&L1, order(), CELLS, span, 1e-8).expect("a fit").expect("a kernel")
}

/// All histories of `steps` steps.
fn march(memory: &mut dyn MemorySum, cells: usize, steps: usize) -> Vec<f64> {
    let (mut history, mut own) = (vec![0.0; cells], vec![0.0; cells]);
    for step in 0..steps {
        memory.history(STEP, &mut history);
        increment(step, &mut own);
        memory.push(&own, STEP);
    }
    history
}

/// 200 cells, direct: the baseline of the same run. Items are multiply-adds.
#[divan::bench(args = [1024, 4096], sample_count = 1, sample_size = 1)]
fn direct(bencher: Bencher, steps: usize) {
    bencher
        .counter(ItemsCount::new(steps * steps / 2 * CELLS))
        .bench_local(|| black_box(march(&mut by_direct(steps), CELLS, steps)));
}

/// 200 cells by fft (target at 16384 steps: 0.5 s).
#[divan::bench(args = [1024, 4096, 16384, 65536, 262144], sample_count = 2, sample_size = 1)]
fn fft(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| black_box(march(&mut by_fft(steps), CELLS, steps)));
}

/// 200 cells by exponentials to 1e-8 (target at 16384 steps: 0.15 s).
#[divan::bench(args = [1024, 4096, 16384, 65536], sample_count = 2, sample_size = 1)]
fn exponentials(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| black_box(march(&mut by_exponentials(steps), CELLS, steps)));
}

type Maker<'a> = &'a dyn Fn(usize) -> Box<dyn MemorySum>;

/// 200 cells, 16384 steps: times, ratios to the direct sum and differences from it, all from one run; and the exponent
/// of the cost between 16384 and 262144 steps (target 1.15).
#[divan::bench(sample_count = 1, sample_size = 1)]
fn against_the_direct_sum(bencher: Bencher) {
    fn timed(memory: &mut dyn MemorySum, steps: usize) -> (f64, Vec<f64>) {
        let begun = Instant::now();
        let history = march(memory, CELLS, steps);
        (begun.elapsed().as_secs_f64(), history)
    }
    bencher.bench_local(|| {
        let steps = 16384;
        let (baseline, exact) = timed(&mut by_direct(steps), steps);
        let scale = exact.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
        println!("    direct: {baseline:.2} s");
        let makers: [(&str, Maker<'_>); 2] =
            [("fft", &|steps| Box::new(by_fft(steps))), ("exponentials", &|steps| Box::new(by_exponentials(steps)))];
        for (name, make) in makers {
            let (time, found) = timed(&mut *make(steps), steps);
            let pairs = exact.iter().zip(&found);
            let difference = pairs.fold(0.0_f64, |difference, (a, b)| difference.max((a - b).abs())) / scale;
            // Least squares of ln time on ln steps; of three runs the fastest, which the rest of the machine disturbed least.
            let counts = [16384, 32768, 65536, 131_072, 262_144];
            let best = |count| (0..3).map(|_| timed(&mut *make(count), count).0).fold(f64::INFINITY, f64::min);
            let points = counts.map(|count| ((count as f64).ln(), best(count).ln()));
            let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / points.len() as f64;
            let (x, y) = (mean(|point| point.0), mean(|point| point.1));
            let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>()
                / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>();
            println!(
                "    {name}: {time:.3} s, direct / {name} {:.0}, relative difference {difference:.1e}, cost ~ N^{slope:.2}",
                baseline / time
            );
        }
    });
}

/// A million steps of 1000 cells: the history stays what it was.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn exponentials_million_steps(bencher: Bencher) {
    bencher.bench_local(|| {
        let mut memory =
            ExponentialMemory::new(&L1, order(), 1000, (STEP, STEP * 1e6), 1e-8).expect("a fit").expect("a kernel");
        let history = march(&mut memory, 1000, 1_000_000);
        println!("    {} exponentials, {} bytes of history", memory.term_count(), memory.bytes());
        black_box(history)
    });
}

/// Scalar relaxation D^α u = -u with N steps, everything included (target for L1 at 10^4: 10 ms).
#[divan::bench(args = [1000, 10_000], sample_count = 10)]
fn scalar_relaxation_l1(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| black_box(relax(&L1, steps)));
}

/// The same by corrected convolution quadrature of order 3.
#[divan::bench(args = [1000, 10_000], sample_count = 10)]
fn scalar_relaxation_bdf3(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| black_box(relax(&BackwardDifferences::THIRD, steps)));
}

fn relax(scheme: &dyn CaputoScheme, steps: usize) -> f64 {
    let step = 1.0 / steps as f64;
    let order = FractionalOrder::new(0.5).expect("an order");
    let mut memory = FftSum::new(scheme, order, 1, steps, step).expect("a convolution");
    let mut value = 1.0;
    let mut history = [0.0];
    for n in 1..=steps {
        let weight = memory.history(step, &mut history);
        let increment = -(value + scheme.start_correction(n) + history[0]) / (weight + 1.0);
        memory.push(&[increment], step);
        value += increment;
    }
    value
}

/// The same sums written out: a row of weights, then one pass over the increments per cell.
#[divan::bench(args = [1024, 2048], sample_count = 2, sample_size = 1)]
fn written_out(bencher: Bencher, count: usize) {
    bencher.counter(ItemsCount::new(count * count / 2 * CELLS)).bench_local(|| {
        let mut increments = vec![0.0; CELLS * count];
        let mut history = vec![0.0; CELLS];
        for step in 0..count {
            let mut row = vec![0.0; step + 1];
            L1.row(order(), &vec![STEP; step + 1], &mut row);
            for (cell, sum) in history.iter_mut().enumerate() {
                *sum = (0..step).map(|past| row[past] * increments[past * CELLS + cell]).sum();
            }
            increment(step, &mut increments[step * CELLS..(step + 1) * CELLS]);
        }
        black_box(history)
    });
}
