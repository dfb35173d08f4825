//! The oracle of the other tests, checked itself: is the Laplace contour right to 1e-11?
//!
//! Equation: D_t^α p = A p with p(t) = Σ v_k (w_k·p0) E_α(λ_k t^α).

mod support;

use support::{
    ShiftedSolver, contour_reference, contour_reference_by, relative_difference, small_transients, table_rows,
};

/// Two cells relax as E_α(−(a + b) t^α) towards (b, a)/(a + b).
#[test]
fn two_cells_relax_as_a_mittag_leffler_function() {
    let mut worst = 0.0f64;
    for row in table_rows(include_str!("reference/mittag_leffler.csv")) {
        let value: Vec<f64> = row.iter().map(|text| text.parse().unwrap()).collect();
        let (alpha, beta, z, exact) = (value[0], value[1], value[2], value[3]);
        if beta != 1.0 || z >= 0.0 || alpha < 0.1 {
            continue;
        }
        // Rates a + b = -z at time 1; the arguments are dyadic multiples, so that a + b is exact.
        let rates = [(0, 1, -z * 0.75), (1, 0, -z * 0.25)];
        for solver in [ShiftedSolver::Band, ShiftedSolver::SparseLu] {
            let p = contour_reference_by(solver, 16, &rates, &[1.0, 0.0], alpha, 1.0);
            let error = (p[0] - (0.25 + 0.75 * exact)).abs();
            assert!(error < 1e-11, "{solver:?} alpha {alpha} z {z}: {error:.1e}");
            worst = worst.max(error);
        }
    }
    println!("two cells: {worst:.1e}");
}

#[test]
fn small_operators_agree_with_high_precision_eigenvectors() {
    for node_count in [14, 15, 16, 17, 18, 20] {
        for case in small_transients() {
            let mut worst = [0.0f64; 2];
            for (alpha, time, exact) in &case.results {
                for (kind, solver) in [ShiftedSolver::Band, ShiftedSolver::SparseLu].into_iter().enumerate() {
                    let p = contour_reference_by(solver, node_count, &case.rates, &case.initial, *alpha, *time);
                    worst[kind] = worst[kind].max(relative_difference(&p, exact));
                }
            }
            println!("{} with {node_count} nodes: band {:.1e}, sparse LU {:.1e}", case.name, worst[0], worst[1]);
            assert!(worst[0] < 1e-11 && worst[1] < 1e-11, "{}: {worst:?}", case.name);
        }
    }
}

/// A chain of equal rates k: λ_m = −4k sin²(πm/2n), v_m(i) = cos(πm(i + 1/2)/n).
#[test]
fn an_even_chain_has_its_cosine_modes() {
    let (cell_count, rate, start) = (200, 400.0, 30);
    let rates: Vec<_> = (0..cell_count - 1).flat_map(|i| [(i, i + 1, rate), (i + 1, i, rate)]).collect();
    let mut initial = vec![0.0; cell_count];
    initial[start] = 1.0;
    for (alpha, time) in [(0.2, 1e-3), (0.2, 1e3), (0.5, 0.1), (0.8, 10.0), (0.8, 1e-3), (1.0, 0.5), (1.0, 1e3)] {
        let time: f64 = time;
        let count = cell_count as f64;
        let mode = |m: usize, i: usize| (std::f64::consts::PI * m as f64 * (i as f64 + 0.5) / count).cos();
        let mut exact = vec![1.0 / count; cell_count];
        for m in 1..cell_count {
            let sine = (std::f64::consts::PI * m as f64 / (2.0 * count)).sin();
            let argument = -4.0 * rate * sine * sine * time.powf(alpha);
            let decay = porewalk::math::special::mittag_leffler(alpha, 1.0, argument).unwrap();
            for (i, entry) in exact.iter_mut().enumerate() {
                *entry += 2.0 / count * decay * mode(m, start) * mode(m, i);
            }
        }
        let p = contour_reference(&rates, &initial, alpha, time);
        let error = relative_difference(&p, &exact);
        println!("chain, alpha {alpha}, time {time}: {error:.1e}");
        assert!(error < 1e-11, "alpha {alpha}, time {time}: {error:.1e}");
    }
}

/// The two solvers share nothing but the contour: they agree where rates span 1e-300 .. 1e5 and the graph has loops.
#[test]
fn band_elimination_and_sparse_factors_agree() {
    // A steep double well (γΔL/D = 12800 on [-3, 3]) and a 2D grid without detailed balance.
    let bernoulli = porewalk::math::special::bernoulli;
    let (cell_count, d) = (1000, 0.005);
    let h = 6.0 / cell_count as f64;
    let loss = |i: usize| {
        let x = -3.0 + (i as f64 + 0.5) * h;
        (x * x - 1.0) * (x * x - 1.0)
    };
    let mut wells = Vec::new();
    for i in 0..cell_count - 1 {
        let u = (loss(i + 1) - loss(i)) / d;
        wells.push((i, i + 1, d / (h * h) * bernoulli(u)));
        wells.push((i + 1, i, d / (h * h) * bernoulli(-u)));
    }
    let start = |i: usize| (-((-3.0 + (i as f64 + 0.5) * h - 0.3) / 0.4f64).powi(2)).exp();
    let total: f64 = (0..cell_count).map(start).sum();
    let wells_initial: Vec<f64> = (0..cell_count).map(|i| start(i) / total).collect();

    let side = 24;
    let mut grid = Vec::new();
    for i in 0..side {
        for j in 0..side {
            for (di, dj) in [(1, 0), (0, 1)] {
                if i + di < side && j + dj < side {
                    let (x, y) = (i as f64 / 6.0 - 2.0, j as f64 / 6.0 - 2.0);
                    let u = (3.0 * x * (x * x - 1.0) * di as f64 + 2.0 * y * dj as f64) / (1.0 + (x * y).sin() / 2.0);
                    let scale = 36.0 * (1.0 + (2.0 * x - y).cos() / 2.0);
                    grid.push((side * i + j, side * (i + di) + j + dj, scale * bernoulli(u)));
                    grid.push((side * (i + di) + j + dj, side * i + j, scale * bernoulli(-u)));
                }
            }
        }
    }
    let mut grid_initial = vec![0.0; side * side];
    grid_initial[side * 5 + 7] = 1.0;

    for (name, rates, initial) in [("wells", &wells, &wells_initial), ("grid", &grid, &grid_initial)] {
        for (alpha, time) in [(0.2, 1e-3), (0.5, 1.0), (0.8, 1e3), (1.0, 1e-3), (1.0, 0.1), (1.0, 0.3), (1.0, 1e3)] {
            let band = contour_reference_by(ShiftedSolver::Band, 16, rates, initial, alpha, time);
            let factors = contour_reference_by(ShiftedSolver::SparseLu, 16, rates, initial, alpha, time);
            let nodes = contour_reference_by(ShiftedSolver::Band, 18, rates, initial, alpha, time);
            let (solvers, counts) = (relative_difference(&factors, &band), relative_difference(&nodes, &band));
            println!("{name}, alpha {alpha}, time {time}: solvers {solvers:.1e}, node counts {counts:.1e}");
            assert!(solvers < 1e-11 && counts < 1e-11);
        }
    }
}
