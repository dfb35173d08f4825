//! Propagation on one thread, after assembly. `cargo bench --bench propagate`; numbers in benches/README.md.

mod common;

use std::time::Instant;

use common::{Problem, log_times};
use divan::{Bencher, black_box};
use porewalk::caputo::{BackwardDifferences, L1, L2Sigma};
use porewalk::fokker_planck::ShiftedSystem;
use porewalk::propagator::{Adaptive, Contour, Krylov, Spectral, Stepping, stepping::Memory};

fn main() {
    divan::main();
}

/// One time, 1D, 1000 cells (target 1 ms), by order.
#[divan::bench(args = [0.2, 0.5, 0.8, 1.0])]
fn line_1000_one_time(bencher: Bencher, order: f64) {
    let problem = Problem::line(2.5, 1000, 0.35);
    bencher.bench_local(|| black_box(problem.propagate(&Krylov::default(), order, &[1.0], 1e-8)));
}

/// The baseline in the same run: eigenvectors of the dense symmetrised operator, same time.
#[divan::bench(sample_count = 2, sample_size = 1)]
fn line_1000_one_time_spectral(bencher: Bencher) {
    let problem = Problem::task_b(1000);
    bencher.bench_local(|| black_box(problem.propagate(&Spectral::default(), 0.5, &[1.0], 1e-8)));
}

/// 100 times from 1e-3 to 1e3, tolerance 1e-10 (target 10 ms).
#[divan::bench(args = [0.2, 0.5, 0.8, 1.0])]
fn line_1000_hundred_times(bencher: Bencher, order: f64) {
    let problem = Problem::line(2.5, 1000, 0.35);
    let times = log_times(1e-3, 1e3, 100);
    bencher.bench_local(|| black_box(problem.propagate(&Krylov::default(), order, &times, 1e-10)));
}

/// The same for γ ΔL / D = 12800.
#[divan::bench(args = [0.5, 1.0], sample_count = 10)]
fn steep_line_1000_hundred_times(bencher: Bencher, order: f64) {
    let problem = Problem::line(3.0, 1000, 0.005);
    let times = log_times(1e-3, 1e3, 100);
    bencher.bench_local(|| black_box(problem.propagate(&Krylov::default(), order, &times, 1e-10)));
}

/// One time to 1e-10 in the plane with detailed balance: 200 x 200 (target 0.25 s) and 512 x 512 (2.5 s), Cholesky.
#[divan::bench(args = [200, 512], sample_count = 3, sample_size = 1)]
fn plane_cholesky(bencher: Bencher, cells: usize) {
    let problem = Problem::plane(cells);
    bencher.bench_local(|| black_box(problem.propagate(&Krylov::default(), 0.5, &[1.0], 1e-10)));
}

/// The same with a circulating flux: LU (512 x 512: 4.5 s).
#[divan::bench(args = [200, 512], sample_count = 3, sample_size = 1)]
fn plane_lu(bencher: Bencher, cells: usize) {
    let problem = Problem::circulating(cells);
    bencher.bench_local(|| black_box(problem.propagate(&Krylov::default(), 0.5, &[1.0], 1e-10)));
}

/// Task B: L1 by fft, 1000 cells x 1000 steps (target 50 ms).
#[divan::bench(sample_count = 5, sample_size = 1)]
fn l1_fft_1000_by_1000(bencher: Bencher) {
    let problem = Problem::task_b(1000);
    let stepping = Stepping { scheme: &L1, steps: 1000, grading: 1.0, memory: Memory::Fft };
    bencher.bench_local(|| black_box(problem.propagate(&stepping, 0.6, &[1.0], 1e-8)));
}

/// The same by exponentials, uniform and graded.
#[divan::bench(args = [1.0, 2.3333], sample_count = 5, sample_size = 1)]
fn l1_exponentials_1000_by_1000(bencher: Bencher, grading: f64) {
    let problem = Problem::task_b(1000);
    let stepping = Stepping { scheme: &L1, steps: 1000, grading, memory: Memory::Exponentials };
    bencher.bench_local(|| black_box(problem.propagate(&stepping, 0.6, &[1.0], 1e-6)));
}

/// The same with the direct sum.
#[divan::bench(args = [1.0, 2.3333], sample_count = 5, sample_size = 1)]
fn l1_direct_1000_by_1000(bencher: Bencher, grading: f64) {
    let problem = Problem::task_b(1000);
    let stepping = Stepping { scheme: &L1, steps: 1000, grading, memory: Memory::Direct };
    bencher.bench_local(|| black_box(problem.propagate(&stepping, 0.6, &[1.0], 1e-8)));
}

/// Task B by convolution quadrature of order 3 and fft.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn bdf3_1000_by_1000(bencher: Bencher) {
    let problem = Problem::task_b(1000);
    let stepping = Stepping { scheme: &BackwardDifferences::THIRD, steps: 1000, grading: 1.0, memory: Memory::Fft };
    bencher.bench_local(|| black_box(problem.propagate(&stepping, 0.6, &[1.0], 1e-8)));
}

/// 256 x 256 cells, D(w) constant in time, 1000 uniform steps of L1 by exponentials (target 8 s). Prints the time of the
/// solves alone, the bytes that the modes move, and both as parts of the whole.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn plane_256_l1_exponentials(bencher: Bencher) {
    let problem = Problem::plane(256);
    let steps = 1000;
    let stepping = Stepping { scheme: &L1, steps, grading: 1.0, memory: Memory::Exponentials };
    bencher.bench_local(|| {
        let begun = Instant::now();
        let solution = problem.propagate(&stepping, 0.6, &[1.0], 1e-6);
        let whole = begun.elapsed().as_secs_f64();
        let mut factor = ShiftedSystem::new(&problem.operator, &problem.stationary)
            .and_then(|mut system| system.factorize(1e3))
            .expect("factors");
        let mut x = problem.initial.probability().to_vec();
        let begun = Instant::now();
        (0..steps).for_each(|_| factor.solve_in_place(black_box(&mut x)));
        let solves = begun.elapsed().as_secs_f64();
        // Every step reads the modes for the sum, and reads and writes them when the step is accepted.
        let moved = 3 * steps as u64 * solution.work.peak_history_bytes;
        println!(
            "    {whole:.2} s, of which {steps} solves {solves:.2} s ({:.0} %); the modes move {:.1} GB; {:?}",
            100.0 * solves / whole,
            moved as f64 / 1e9,
            solution.work
        );
        black_box(solution)
    });
}

/// 100 times over two decades by contour, 1D, 1000 cells (at most 40 complex factorisations).
#[divan::bench(args = [0.5, 1.0], sample_count = 10)]
fn line_1000_contour_hundred_times(bencher: Bencher, order: f64) {
    let problem = Problem::line(2.5, 1000, 0.35);
    let times = log_times(0.1, 10.0, 100);
    bencher.bench_local(|| black_box(problem.propagate(&Contour, order, &times, 1e-9)));
}

/// Adaptive steps of order 2 to a tolerance of 1e-6, 1D, 1000 cells, up to t = 10.
#[divan::bench(args = [0.5, 0.9], sample_count = 2, sample_size = 1)]
fn line_1000_adaptive(bencher: Bencher, order: f64) {
    let problem = Problem::line(2.5, 1000, 0.35);
    bencher.bench_local(|| black_box(problem.propagate(&Adaptive::new(&L2Sigma), order, &[0.1, 1.0, 10.0], 1e-6)));
}
