//! Statistics of chains, one thread. `cargo bench --bench statistics`; numbers in benches/README.md.

use divan::{Bencher, black_box};
use porewalk::math::random::Stream;
use porewalk::math::statistics::chain_statistics;

fn main() {
    divan::main();
}

/// Autoregressive chains: correlation `memory` between one draw and the next.
fn chains(count: usize, draws: usize, memory: f64) -> Vec<Vec<f64>> {
    (0..count)
        .map(|chain| {
            let mut stream = Stream::new(1, "chains", chain as u64);
            let mut last = stream.normal();
            (0..draws)
                .map(|_| {
                    last = memory * last + (1.0 - memory * memory).sqrt() * stream.normal();
                    last
                })
                .collect()
        })
        .collect()
}

/// R-hat, bulk and tail ESS and MCSE of 64 chains x 10000 draws (target: 40 ms).
#[divan::bench(args = [0.0, 0.9, 0.999])]
fn sixty_four_chains(bencher: Bencher, memory: f64) {
    let chains = chains(64, 10_000, memory);
    let slices: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    bencher.bench_local(|| black_box(chain_statistics(&slices)));
}

/// The same with ties: 0 and 1 only.
#[divan::bench]
fn sixty_four_chains_of_ties(bencher: Bencher) {
    let mut chains = chains(64, 10_000, 0.9);
    chains.iter_mut().flatten().for_each(|value| *value = f64::from(u8::from(*value > 0.5)));
    let slices: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    bencher.bench_local(|| black_box(chain_statistics(&slices)));
}

/// R-hat, bulk and tail ESS and MCSE of 4 chains x 2000 draws.
#[divan::bench]
fn four_chains(bencher: Bencher) {
    let chains = chains(4, 2000, 0.9);
    let slices: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    bencher.bench_local(|| black_box(chain_statistics(&slices)));
}
