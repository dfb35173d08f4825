//! Gradients of linear networks, eight walkers at once, one thread. `cargo bench --bench linear`; numbers in
//! benches/README.md.

use divan::{Bencher, black_box};
use porewalk::landscape::{Batch, LANES, Sampled, WalkerBlock};
use porewalk::math::random::Stream;
use porewalk::network::{DeepLinear, TrueMap};

fn main() {
    divan::main();
}

/// Reduced rank regression 5, 3, 5 of rank 1 with 2000 samples, and walkers near its singular point.
fn problem() -> (DeepLinear, WalkerBlock) {
    let mut stream = Stream::new(1, "linear", 0);
    let truth = TrueMap::diagonal(5, 5, &[2.0]).expect("a map");
    let network = DeepLinear::sampled(&[5, 3, 5], truth, 2000, 0.0, &mut stream).expect("a network");
    let mut block = WalkerBlock::at(&network.start());
    block.rows_mut().iter_mut().flatten().for_each(|value| *value += 0.1 * stream.normal());
    (network, block)
}

/// All samples.
#[divan::bench]
fn full_batch(bencher: Bencher) {
    let (network, block) = problem();
    let mut gradient = block.clone();
    bencher.bench_local(|| black_box(network.block_gradient(&block, Batch::Full, &mut gradient)));
}

/// A hundred samples of its own for every walker.
#[divan::bench]
fn batch_of_100(bencher: Bencher) {
    let (network, block) = problem();
    let mut stream = Stream::new(1, "batches", 0);
    let draws: Vec<[u32; LANES]> = (0..100).map(|_| std::array::from_fn(|_| stream.index(2000))).collect();
    let mut gradient = block.clone();
    bencher.bench_local(|| black_box(network.block_gradient(&block, Batch::Drawn(&draws), &mut gradient)));
}

/// All samples, one walker: the baseline of the same run.
#[divan::bench]
fn one_walker(bencher: Bencher) {
    let (network, block) = problem();
    let (mut point, mut gradient) = (vec![0.0; block.dimension()], vec![0.0; block.dimension()]);
    block.read(0, &mut point);
    bencher.bench_local(|| black_box(network.batch_gradient(&point, None, &mut gradient)));
}
