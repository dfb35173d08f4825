//! A plane through a network's landscape. `cargo bench --bench section`; numbers in benches/README.md.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use divan::{Bencher, black_box};
use porewalk::estimate::section::{Window, centers, losses_on, points_of, volume_field};
use porewalk::landscape::{Landscape, Section};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, TargetKind};
use porewalk::propagator::StopFlag;

fn main() {
    divan::main();
}

const CELLS: usize = 200;

/// The reference network of tests/data, 2-16-16-2 on 1000 samples, with two filter-normalised directions.
fn network(precision: Precision) -> (EmpiricalLoss, Vec<f64>, Vec<Vec<f64>>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/moons_2-16-16-2.npz");
    let data = Dataset::from_npz(&path, TargetKind::Classes).expect("data");
    let (mlp, point) = Mlp::from_npz(&path, Activation::Relu).expect("weights");
    let directions = (0..2).map(|k| mlp.filter_normalised(&point, &mut Stream::new(0, "section", k))).collect();
    (EmpiricalLoss::new(mlp, Arc::new(data), precision).expect("widths that agree"), point, directions)
}

/// 200 x 200 losses on one thread (target 1.0 s in f32), beside 1 % of them point by point in the same run.
#[divan::bench(args = ["f32", "f64"], sample_count = 3, sample_size = 1)]
fn two_hundred_squared(bencher: Bencher, precision: &str) {
    let single = precision == "f32";
    let (loss, point, directions) = network(if single { Precision::Single } else { Precision::Double });
    let section = Section::new(&loss, point, directions).expect("independent directions");
    let axes = [centers(-1.0, 1.0, CELLS), centers(-1.0, 1.0, CELLS)];
    let points = points_of(&axes);
    bencher.bench_local(|| {
        let begun = Instant::now();
        let all = losses_on(&section, &axes, NonZeroUsize::MIN, &StopFlag::default(), &mut ()).expect("losses");
        let seconds = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let mut largest = 0.0_f64;
        for k in (0..all.len()).step_by(100) {
            let alone = section.loss(&points[2 * k..2 * k + 2]);
            largest = largest.max((all[k] - alone).abs() / alone);
        }
        let one_by_one = 100.0 * begun.elapsed().as_secs_f64();
        println!(
            "    {precision}: {seconds:.3} s, one by one {one_by_one:.1} s ({:.1} times), largest difference {largest:.1e}",
            one_by_one / seconds
        );
        black_box(all)
    });
}

/// λ on 200 x 200 points by volumes, the losses included.
#[divan::bench(sample_count = 2, sample_size = 1)]
fn learning_coefficients(bencher: Bencher) {
    let (loss, point, directions) = network(Precision::Single);
    let section = Section::new(&loss, point, directions).expect("independent directions");
    let axes = [centers(-1.0, 1.0, CELLS), centers(-1.0, 1.0, CELLS)];
    let window = Window { inverse_temperature: 144.76, localization: 0.0, radius: 0.2 };
    let crew = (NonZeroUsize::MIN, &StopFlag::default());
    bencher.bench_local(|| black_box(volume_field(&section, &axes, 1, &window, crew, &mut ()).expect("a field")));
}
