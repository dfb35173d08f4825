//! Statistics of chains against ArviZ.

use std::path::Path;

use porewalk::formats::npz;
use porewalk::math::statistics::chain_statistics;

#[test]
fn every_number_is_that_of_arviz() {
    // Written by make_arviz_traces.py with ArviZ itself.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/arviz_traces.npz");
    let arrays = npz::read(&path).expect("readable");
    let mut worst = 0.0f64;
    let mut cases = 0;
    for (name, trace) in arrays.iter().filter(|(name, _)| arrays.contains_key(&format!("{name}_expected"))) {
        let expected = &arrays[&format!("{name}_expected")].data;
        let chains: Vec<&[f64]> = trace.data.chunks_exact(trace.shape[1]).collect();
        let found = chain_statistics(&chains).expect("finite chains");
        let found = [found.mean, found.standard_deviation, found.mcse, found.bulk_ess, found.tail_ess, found.r_hat];
        for (which, (found, expected)) in found.iter().zip(expected).enumerate() {
            if expected.is_nan() {
                assert!(found.is_nan(), "{name} {which}: {found}");
            } else if *expected > 1e12 {
                // Chains that do not move at all: a variance of 0 within, up to rounding.
                assert!(*found > 1e12, "{name} {which}: {found}");
            } else {
                let difference = (found - expected).abs() / expected.abs().max(1e-3);
                assert!(difference < 1e-10, "{name} {which}: {found} {expected}");
                worst = worst.max(difference);
            }
        }
        cases += 1;
    }
    assert!(cases >= 19, "{cases}");
    println!("{cases} traces, largest relative difference {worst:.1e}");
}
