//! Memory sums alone, one thread: direct, by fft, by exponentials, and the loop that reads like the formula.
//! `cargo bench --bench memory_sum`; numbers in benches/README.md.

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
#[divan::bench(args = [1024, 4096, 16384], sample_count = 1, sample_size = 1)]
fn direct(bencher: Bencher, steps: usize) {
    bencher.counter(ItemsCount::new(steps * steps / 2 * CELLS)).bench_local(|| {
        let mut memory = DirectSum::uniform(&L1, order(), CELLS, steps, STEP).expect("a convolution");
        black_box(march(&mut memory, CELLS, steps))
    });
}

/// 200 cells by fft (target at 16384 steps: 0.5 s).
#[divan::bench(args = [1024, 4096, 16384, 65536], sample_count = 2, sample_size = 1)]
fn fft(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| {
        let mut memory = FftSum::new(&L1, order(), CELLS, steps, STEP).expect("a convolution");
        black_box(march(&mut memory, CELLS, steps))
    });
}

/// 200 cells by exponentials to 1e-8 (target at 16384 steps: 0.15 s).
#[divan::bench(args = [1024, 4096, 16384, 65536], sample_count = 2, sample_size = 1)]
fn exponentials(bencher: Bencher, steps: usize) {
    bencher.bench_local(|| {
        let mut memory = ExponentialMemory::new(&L1, order(), CELLS, (STEP, STEP * steps as f64), 1e-8)
            .expect("a fit")
            .expect("a kernel");
        black_box(march(&mut memory, CELLS, steps))
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
