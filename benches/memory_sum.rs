//! The direct memory sum against the loop that reads like the formula. `cargo bench --bench memory_sum`.

use divan::{Bencher, black_box, counter::ItemsCount};
use porewalk::caputo::{CaputoScheme, DirectSum, FractionalOrder, L1, MemorySum};

fn main() {
    divan::main();
}

const CELLS: usize = 200;

fn increment(step: usize, out: &mut [f64]) {
    out.iter_mut().enumerate().for_each(|(cell, value)| *value = ((step * 31 + cell * 7) % 101) as f64 - 50.0);
}

/// All histories of N steps of 200 cells; items are multiply-adds.
#[divan::bench(args = [512, 1024, 2048], sample_count = 5, sample_size = 1)]
fn direct(bencher: Bencher, steps: usize) {
    let order = FractionalOrder::new(0.6).expect("an order");
    bencher.counter(ItemsCount::new(steps * steps / 2 * CELLS)).bench_local(|| {
        let mut memory = DirectSum::new(&L1, order, CELLS, steps);
        let (mut history, mut own) = (vec![0.0; CELLS], vec![0.0; CELLS]);
        for step in 0..steps {
            memory.history(1e-3, &mut history);
            increment(step, &mut own);
            memory.push(&own, 1e-3);
        }
        black_box(history)
    });
}

/// The same sums written out: a row of weights, then one pass over the increments per cell.
#[divan::bench(args = [512, 1024, 2048], sample_count = 3, sample_size = 1)]
fn written_out(bencher: Bencher, count: usize) {
    let order = FractionalOrder::new(0.6).expect("an order");
    bencher.counter(ItemsCount::new(count * count / 2 * CELLS)).bench_local(|| {
        let mut increments = vec![0.0; CELLS * count];
        let mut history = vec![0.0; CELLS];
        for step in 0..count {
            let mut row = vec![0.0; step + 1];
            L1.row(order, &vec![1e-3; step + 1], &mut row);
            for (cell, sum) in history.iter_mut().enumerate() {
                *sum = (0..step).map(|past| row[past] * increments[past * CELLS + cell]).sum();
            }
            increment(step, &mut increments[step * CELLS..(step + 1) * CELLS]);
        }
        black_box(history)
    });
}
