//! Factorisations and solves of s I - A in the plane, one thread. `cargo bench --bench factorise`.

mod common;

use common::Problem;
use divan::{Bencher, black_box};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::perm::PermRef;
use faer::sparse::linalg::cholesky::{CholeskySymbolicParams, LltRef, SymmetricOrdering, factorize_symbolic_cholesky};
use faer::sparse::{SparseColMat, Triplet};
use faer::{Conj, MatMut, Par, Side, Spec};
use porewalk::fokker_planck::{FactorizationKind, ShiftedSystem};
use porewalk::math::sparse::Analysis;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [128, 256, 512];

fn system(problem: &Problem, kind: FactorizationKind) -> ShiftedSystem {
    ShiftedSystem::with_kind(&problem.operator, &problem.stationary, kind).expect("a system")
}

/// Order, symbolic analysis and first factors of Cholesky by nested dissection.
#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn cholesky_with_analysis(bencher: Bencher, cells: usize) {
    let problem = Problem::plane(cells);
    bencher.bench_local(|| {
        let factor = system(&problem, FactorizationKind::Cholesky).factorize(1.0).expect("factors");
        black_box(&factor);
    });
}

/// The baseline in the same run: the same matrix in its natural order (a band).
#[divan::bench(args = [128, 256], sample_count = 2, sample_size = 1)]
fn cholesky_natural_order(bencher: Bencher, cells: usize) {
    let problem = Problem::plane(cells);
    let mut matrix = problem.operator.matrix();
    // Only the pattern matters for time: symmetric values, dominant diagonal.
    let count = matrix.cols();
    let places: Vec<(usize, usize)> = matrix.iter().map(|(_, place)| place).collect();
    for (value, (row, column)) in matrix.data_mut().iter_mut().zip(places) {
        *value = if row == column { 5.0 } else { -1.0 };
    }
    let order: Vec<usize> = (0..count).collect();
    bencher.bench_local(|| {
        black_box(Analysis::cholesky(&matrix, &order).expect("an analysis").factorize(matrix.data()).is_ok())
    });
}

/// LU with its own column order, for operators without detailed balance.
#[divan::bench(args = SIZES, sample_count = 2, sample_size = 1)]
fn lu_with_analysis(bencher: Bencher, cells: usize) {
    let problem = Problem::circulating(cells);
    bencher.bench_local(|| {
        let factor = system(&problem, FactorizationKind::Lu).factorize(1.0).expect("factors");
        black_box(&factor);
    });
}

/// One solve with the factorisation library's own triangular solves, the baseline of the next bench: same order and
/// structure.
#[divan::bench(args = SIZES, sample_count = 40, sample_size = 1)]
fn cholesky_solve_by_the_library(bencher: Bencher, cells: usize) {
    let count = cells * cells;
    let positions: Vec<[usize; 3]> = (0..count).map(|k| [k / cells, k % cells, 0]).collect();
    let order = porewalk::math::ordering::nested_dissection(&positions);
    let forward: Vec<u32> = order.iter().map(|&row| row as u32).collect();
    let mut inverse = vec![0u32; count];
    order.iter().enumerate().for_each(|(k, &row)| inverse[row] = k as u32);
    let order = SymmetricOrdering::Custom(PermRef::new_checked(&forward, &inverse, count));
    // Only the pattern matters for time.
    let mut triplets = Vec::new();
    for row in 0..count {
        let at = |a: usize, b: usize, value: f64| Triplet::new(a as u32, b as u32, value);
        triplets.push(at(row, row, 5.0));
        for (next, exists) in [(row + 1, (row + 1) % cells != 0), (row + cells, row + cells < count)] {
            if exists {
                triplets.extend([at(row, next, -1.0), at(next, row, -1.0)]);
            }
        }
    }
    let matrix = SparseColMat::<u32, f64>::try_new_from_triplets(count, count, &triplets).expect("a matrix");
    let symbolic =
        factorize_symbolic_cholesky(matrix.symbolic(), Side::Upper, order, CholeskySymbolicParams::default())
            .expect("a structure");
    let mut values = vec![0.0; symbolic.len_val()];
    let request = symbolic.factorize_numeric_llt_scratch::<f64>(Par::Seq, Spec::default());
    symbolic
        .factorize_numeric_llt(
            &mut values,
            matrix.as_ref(),
            Side::Upper,
            LltRegularization::default(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(request)),
            Spec::default(),
        )
        .expect("factors");
    let mut x = vec![1.0; count];
    let mut scratch = MemBuffer::new(symbolic.solve_in_place_scratch::<f64>(1, Par::Seq));
    bencher.bench_local(|| {
        let right = MatMut::from_column_major_slice_mut(&mut x, count, 1);
        LltRef::new(&symbolic, &values).solve_in_place_with_conj(
            Conj::No,
            right,
            Par::Seq,
            MemStack::new(&mut scratch),
        );
        black_box(&x);
    });
}

/// One solve with Cholesky factors.
#[divan::bench(args = SIZES, sample_count = 40, sample_size = 1)]
fn cholesky_solve(bencher: Bencher, cells: usize) {
    let problem = Problem::plane(cells);
    let mut factor = system(&problem, FactorizationKind::Cholesky).factorize(1.0).expect("factors");
    let mut x = problem.initial.probability().to_vec();
    bencher.bench_local(|| factor.solve_in_place(black_box(&mut x)));
}

/// One solve with LU factors.
#[divan::bench(args = SIZES, sample_count = 10)]
fn lu_solve(bencher: Bencher, cells: usize) {
    let problem = Problem::circulating(cells);
    let mut factor = system(&problem, FactorizationKind::Lu).factorize(1.0).expect("factors");
    let mut x = problem.initial.probability().to_vec();
    bencher.bench_local(|| factor.solve_in_place(black_box(&mut x)));
}

/// The stationary state by subtraction-free elimination.
#[divan::bench(args = SIZES, sample_count = 1, sample_size = 1)]
fn stationary_by_elimination(bencher: Bencher, cells: usize) {
    let problem = Problem::circulating(cells);
    bencher.bench_local(|| black_box(problem.operator.stationary().expect("a state")));
}

/// One factorisation and one solve of the chain of 1000 cells in one dimension.
#[divan::bench]
fn line_1000_factors_and_solve(bencher: Bencher) {
    let problem = Problem::line(2.5, 1000, 0.35);
    let mut system = system(&problem, FactorizationKind::Tridiagonal);
    let mut x = problem.initial.probability().to_vec();
    bencher.bench_local(|| system.factorize(1.0).expect("factors").solve_in_place(black_box(&mut x)));
}

/// One solve of that chain.
#[divan::bench]
fn line_1000_solve(bencher: Bencher) {
    let problem = Problem::line(2.5, 1000, 0.35);
    let mut factor = system(&problem, FactorizationKind::Tridiagonal).factorize(1.0).expect("factors");
    let mut x = problem.initial.probability().to_vec();
    bencher.bench_local(|| factor.solve_in_place(black_box(&mut x)));
}
