//! From a network to a walk on its landscape.
//!
//! Problem:  train 2-16-16-2 on two moons, cut the plane of the training's own path, measure λ(w) on it, and solve the
//!           equation there with D_ξ(w) = ξ^(2 - 2 λ(w)/d_s), starting where the training began.
//! Run:      cargo run --release --example network_to_walk
//! Expect:   the loss falls from 0.7 to 0.03; λ is about 0.3 at the end of the training, in a wide valley of the plane, and
//!           up to 3/2 on slopes; the density leaves the start and gathers in the valley, more slowly where λ is small.
//! Try next: other seeds, xi = 0.9 (D almost uniform), d_s = 0.5 (D over two decades), "chains" in place of "volume".

use std::fs;
use std::path::Path;

use porewalk::experiment::landscape::run_landscape;
use porewalk::experiment::{Options, Resources, Summary, run_solve};
use porewalk::propagator::StopFlag;
use porewalk::storage::{LandscapeReport, Replacement, StoredLandscape};
use porewalk::{Error, Result, plot};

/// The training and the plane.
const SECTION: &str = include_str!("moons_section.toml");

/// The equation on it. D_ξ holds the sub-diffusion, so the order is 1; d_s = 1 makes a regular minimum of the plane (λ = 1)
/// diffuse in the ordinary way, d_walk = 2 λ/d_s = 2. Losses below 1 need friction to bend a density whose D is near 1.
const WALK: &str = r#"
title = "A walk to the minimum of two moons"
landscape = { kind = "grid", file = "section/landscape.npz" }
dynamics = { order = 1.0, friction = 20.0 }
time = { outputs = [1.0, 3.0, 10.0, 30.0, 100.0] }

[diffusivity]
kind = "coarse-grained"
scale = 0.5
spectral_dimension = 1.0
learning_coefficient = "from-landscape"
"#;

/// Section and solution of one chain.
pub struct Chain {
    /// The section.
    pub section: LandscapeReport,
    /// Its arrays.
    pub plane: StoredLandscape,
    /// The solution.
    pub walk: Summary,
}

/// Runs the chain with `cells` by half as many cells; results and figures go to `folder`.
pub fn run(cells: usize, folder: &Path) -> Result<Chain> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|source| Error::Io {
            path: path.clone(),
            action: "write",
            source,
        })?;
        Ok::<_, Error>(path)
    };
    let options = |output: &str, overrides: Vec<String>| Options {
        output: Some(folder.join(output)),
        overrides,
        replacement: Replacement::Always,
        resources: Resources::default(),
        resume: false,
        stop: StopFlag::default(),
    };
    let file = write("section.toml", SECTION)?;
    let cut = options("section", vec![format!("section.cells=[{cells},{}]", cells / 2)]);
    let draw = |plane: &StoredLandscape, report: &LandscapeReport, to: &Path| {
        plot::draw_landscape(plane, report, to).map(drop)
    };
    let (section, place) = run_landscape(&file, &cut, &draw, &mut ())?;
    let plane = StoredLandscape::read(&place)?;

    // The start: the first checkpoint, seen on the plane. The domain: the same cells, so that no value is interpolated.
    let start = plane.trajectory.as_ref().map(|path| path.coordinates[0].clone()).unwrap_or_default();
    let (lower, upper) = (&section.section.lower, &section.section.upper);
    let problem = format!(
        "{WALK}\n[domain]\nlower = {lower:?}\nupper = {upper:?}\ncells = [{cells}, {}]\n\
         [initial]\nkind = \"gaussian\"\nmean = {start:?}\nstandard_deviation = 0.2\n",
        cells / 2
    );
    let file = write("walk.toml", &problem)?;
    let draw = |solution: &_, report: &_, to: &Path| plot::draw(solution, report, to).map(drop);
    let walk = run_solve(&file, &options("walk", Vec::new()), &draw, &mut ())?;
    Ok(Chain { section, plane, walk })
}

/// Runs the chain and says where its figures are.
pub fn main() -> Result<()> {
    let folder = Path::new("results/network_to_walk");
    let chain = run(100, folder)?;
    println!("{}", porewalk::experiment::landscape_summary::summary(&chain.section, &folder.join("section")));
    println!("{}", chain.walk.text(porewalk::experiment::Detail::Short));
    Ok(())
}
