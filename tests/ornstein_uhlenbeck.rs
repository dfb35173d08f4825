//! The fractional Ornstein-Uhlenbeck process: moments and densities against Mittag-Leffler formulas (18 digits).
#![allow(clippy::unwrap_used)] // what does not unwrap must stop the test

mod support;

use std::collections::BTreeMap;
use std::fs;

use porewalk::estimate::moments::Moments;
use porewalk::fokker_planck::{Flux, FokkerPlanck, InitialDensity, UniformDiffusivity};
use porewalk::mesh::Density;
use porewalk::propagator::Krylov;
use support::problem::{Loss, Problem, mesh};
use support::table_rows;

/// One process: D, γ, stiffness, mean and variance of the start.
#[derive(Clone, Copy, Debug)]
struct Process {
    order: f64,
    diffusivity: f64,
    friction: f64,
    stiffness: f64,
    start_mean: f64,
    start_variance: f64,
}

impl Process {
    fn problem(&self, half_width: f64, cells: usize) -> Problem {
        let stiffness = self.stiffness;
        let landscape = Loss(1, move |w: &[f64]| 0.5 * stiffness * w[0] * w[0]);
        let mesh = mesh(&[(-half_width, half_width, cells)]);
        let diffusivity = UniformDiffusivity::new(self.diffusivity).unwrap();
        let operator = FokkerPlanck { landscape: &landscape, diffusivity: &diffusivity, friction: self.friction }
            .discretize(mesh.clone(), Flux::ScharfetterGummel)
            .unwrap();
        let initial = InitialDensity::gaussian(&mesh, &[self.start_mean], &[self.start_variance.sqrt()]).unwrap();
        Problem { stationary: operator.stationary().unwrap(), operator, initial: initial.density }
    }

    fn densities(&self, half_width: f64, cells: usize, times: &[f64]) -> Vec<Density> {
        self.problem(half_width, cells).propagate(&Krylov::default(), self.order, times, 1e-12).densities
    }
}

/// Rows of a table by process: for each, the remaining columns.
fn by_process(table: &str) -> Vec<(Process, Vec<Vec<f64>>)> {
    let mut groups: BTreeMap<String, (Process, Vec<Vec<f64>>)> = BTreeMap::new();
    for row in table_rows(table) {
        let value: Vec<f64> = row.iter().map(|text| text.parse().unwrap()).collect();
        let process = Process {
            order: value[0],
            diffusivity: value[1],
            friction: value[2],
            stiffness: value[3],
            start_mean: value[4],
            start_variance: value[5],
        };
        groups.entry(row[..6].join(",")).or_insert((process, Vec::new())).1.push(value[6..].to_vec());
    }
    groups.into_values().collect()
}

fn times_of(rows: &[Vec<f64>]) -> Vec<f64> {
    let mut times: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    times.dedup();
    times
}

/// Errors of mean and second moment at every time.
fn moment_errors(process: &Process, rows: &[Vec<f64>], half_width: f64, cells: usize) -> Vec<[f64; 2]> {
    let densities = process.densities(half_width, cells, &times_of(rows));
    let errors = densities.iter().zip(rows).map(|(density, row)| {
        let moments = Moments::of(density);
        [(moments.mean[0] - row[1]).abs(), (moments.second[0] - row[2]).abs()]
    });
    errors.collect()
}

#[test]
fn moments_have_order_two_for_every_order_friction_and_stiffness() {
    let groups = by_process(include_str!("reference/ou_moments.csv"));
    assert!(groups.len() >= 20);
    let (mut checked, mut crossings) = (0, 0);
    for (process, rows) in &groups {
        let [coarse, fine] = [700, 1400].map(|cells| moment_errors(process, rows, 14.0, cells));
        // Errors of the h² term have the size of h² = 4e-4 over 12; where it passes through zero the next one shows.
        let negligible = 4e-4 / 12.0 / 50.0;
        for ((coarse, fine), row) in coarse.iter().zip(&fine).zip(rows) {
            for (name, coarse, fine) in [("mean", coarse[0], fine[0]), ("second moment", coarse[1], fine[1])] {
                let order = (coarse / fine).log2();
                checked += 1;
                if coarse < negligible {
                    crossings += 1;
                    continue;
                }
                assert!(
                    (order - 2.0).abs() < 0.1,
                    "{name} at t = {} of {process:?}: {coarse:.2e}, {fine:.2e}, order {order:.3}",
                    row[0]
                );
            }
        }
    }
    println!(
        "{checked} moments of {} processes have order 2 +- 0.1; {crossings} at a zero of the h² term",
        groups.len()
    );
    assert!(10 * crossings < checked);
}

#[test]
fn moments_at_1600_cells_and_after_extrapolation() {
    let groups = by_process(include_str!("reference/ou_moments.csv"));
    let mut named = 0;
    for (process, rows) in groups.iter().filter(|(process, _)| process.diffusivity == 0.8) {
        assert_eq!((process.stiffness, process.start_mean, process.start_variance), (1.3, 1.0, 0.25));
        let errors = [400, 800, 1600].map(|cells| moment_errors(process, rows, 8.0, cells));
        let mut worst = [0.0f64; 2];
        for (index, row) in rows.iter().enumerate() {
            for (moment, worst) in worst.iter_mut().enumerate() {
                let [a, b, c] = [0, 1, 2].map(|level| errors[level][index][moment]);
                *worst = worst.max(c);
                assert!(c < 3e-5, "alpha {} t {} moment {moment}: {c:.2e}", process.order, row[0]);
                let orders = [(a / b).log2(), (b / c).log2()];
                let clear = c > 1e-8;
                assert!(
                    !clear || orders.iter().all(|order| (order - 2.0).abs() < 0.1),
                    "{process:?} {row:?}: {orders:?}"
                );
            }
        }
        println!("alpha {}: mean {:.2e}, second moment {:.2e} at 1600 cells", process.order, worst[0], worst[1]);
        named += 1;
    }
    assert!(named >= 6);
}

/// `extrapolate = true` through the whole program: report.json of a solve.
#[test]
fn extrapolated_moments_are_below_1e_6() {
    let folder = std::env::temp_dir().join(format!("porewalk-extrapolate-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (process, rows) in by_process(include_str!("reference/ou_moments.csv")) {
        if process.diffusivity != 0.8 {
            continue;
        }
        let file = folder.join("problem.toml");
        fs::write(
            &file,
            format!(
                "[landscape]\nkind = \"harmonic\"\nstiffness = 1.3\n[domain]\nlower = [-8.0]\nupper = [8.0]\ncells = [800]\n\
                 [dynamics]\norder = {:?}\n[diffusivity]\nkind = \"uniform\"\nvalue = 0.8\n[initial]\nkind = \"gaussian\"\n\
                 mean = [1.0]\nstandard_deviation = 0.5\n[time]\noutputs = {:?}\n[method]\ntolerance = 1e-12\n\
                 extrapolate = true\n",
                process.order,
                times_of(&rows)
            ),
        )
        .unwrap();
        let (source, problem) = porewalk::experiment::read_problem(&file, &[]).unwrap();
        let _ = source;
        let document = serde_json::to_value(&problem).unwrap();
        let resources = porewalk::experiment::Resources::default();
        let (_, report) = porewalk::experiment::solve::run(&problem, &document, &resources, &mut ()).unwrap();
        let mut worst = [0.0f64; 2];
        for (index, row) in rows.iter().enumerate() {
            worst[0] = worst[0].max((report.observables.mean[index][0] - row[1]).abs());
            worst[1] = worst[1].max((report.observables.second_moment[index][0] - row[2]).abs());
        }
        println!("alpha {}: extrapolated mean {:.1e}, second moment {:.1e}", process.order, worst[0], worst[1]);
        assert!(worst.iter().all(|error| *error < 1e-6), "alpha {}: {worst:?}", process.order);
        assert!(report.error_estimate.space.is_some());
        assert!(report.observables.mass.iter().all(|mass| (mass - 1.0).abs() < 1e-13));
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn density_values_have_order_two() {
    let groups = by_process(include_str!("reference/ou_density.csv"));
    assert!(groups.len() >= 6);
    for (process, rows) in &groups {
        let times = times_of(rows);
        // The points of the table are cell edges of these meshes, where the density is the mean of two cells.
        let errors: Vec<Vec<f64>> = [320, 640, 1280]
            .into_iter()
            .map(|cells| {
                let densities = process.densities(8.0, cells, &times);
                let mut worst = vec![0.0f64; times.len()];
                for row in rows {
                    let (time, x, exact) = (row[0], row[1], row[2]);
                    let index = times.iter().position(|other| *other == time).unwrap();
                    let edge = ((x + 8.0) * cells as f64 / 16.0).round();
                    assert!((edge * 16.0 / cells as f64 - 8.0 - x).abs() < 1e-9, "{x} is no edge");
                    let values = densities[index].values();
                    let found = 0.5 * (values[edge as usize - 1] + values[edge as usize]);
                    worst[index] = worst[index].max((found - exact).abs());
                }
                worst
            })
            .collect();
        for (index, time) in times.iter().enumerate() {
            let [a, b, c] = [0, 1, 2].map(|level| errors[level][index]);
            let orders = [(a / b).log2(), (b / c).log2()];
            println!("alpha {} t {time}: {a:.2e} {b:.2e} {c:.2e} orders {orders:.3?}", process.order);
            assert!(orders.iter().all(|order| (order - 2.0).abs() < 0.1), "{process:?} t {time}: {orders:?}");
        }
    }
}
