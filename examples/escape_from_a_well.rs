//! How a walker leaves a well when time is fractional.
//!
//! Problem:  (x² - 1)², all mass starts in the left well; D = 0.35; orders 0.5, 0.8 and 1.
//! Run:      cargo run --release --example escape_from_a_well
//! Expect:   at order 1 the missing weight of the right well falls exponentially; below, like t^-α: memory keeps some
//!           walkers at home for as long as one looks.
//! Try next: a deeper well (D = 0.1), an order near 1 (the tail is there, but late), a tilt: "(x^2 - 1)^2 + 0.2*x".

use std::sync::Arc;

use porewalk::Result;
use porewalk::caputo::FractionalOrder;
use porewalk::fokker_planck::{Flux, FokkerPlanck, InitialDensity, UniformDiffusivity};
use porewalk::landscape::ExpressionLandscape;
use porewalk::mesh::{Axis, Mesh};
use porewalk::propagator::{Evolution, Krylov, Propagator};

/// Missing weight of the right well at some times.
pub struct Escape {
    /// Caputo order.
    pub order: f64,
    /// Times \[t\].
    pub times: Vec<f64>,
    /// Stationary weight of the right half minus its weight.
    pub missing: Vec<f64>,
}

impl Escape {
    /// d ln(missing) / d ln(t) between the last two times.
    pub fn late_slope(&self) -> f64 {
        let last = self.times.len() - 1;
        (self.missing[last] / self.missing[last - 1]).ln() / (self.times[last] / self.times[last - 1]).ln()
    }
}

/// Solves the escape at three orders on `cells` cells.
pub fn run(cells: usize) -> Result<Vec<Escape>> {
    let mesh = Arc::new(Mesh::cartesian(&[Axis::new(-2.5, 2.5, cells)?])?);
    let landscape = ExpressionLandscape::new("(x^2 - 1)^2", 1)?;
    let diffusivity = UniformDiffusivity::new(0.35)?;
    let operator = FokkerPlanck { landscape: &landscape, diffusivity: &diffusivity, friction: 1.0 }
        .discretize(mesh.clone(), Flux::ScharfetterGummel)?;
    let stationary = operator.stationary()?;
    let initial = InitialDensity::gaussian(&mesh, &[-1.0], &[0.2])?.density;
    let right = |probability: &[f64]| probability[cells / 2..].iter().sum::<f64>();
    let at_rest: Vec<f64> = stationary.log_probability.iter().map(|log| log.exp()).collect();
    let mut all = Vec::new();
    for order in [0.5, 0.8, 1.0] {
        // At order 1 nothing is missing any more after a few relaxation times.
        let times: Vec<f64> = (-2..=if order < 1.0 { 8 } else { 4 }).map(|k| 10f64.powf(0.5 * f64::from(k))).collect();
        let evolution = Evolution {
            operator: &operator,
            varying: None,
            stationary: &stationary,
            order: FractionalOrder::new(order)?,
            initial: &initial,
            times: &times,
            tolerance: 1e-12,
            memory_limit: 1 << 30,
            threads: 1,
        };
        let solution = Krylov::default().propagate(&evolution, &mut ())?;
        let missing = solution.densities.iter().map(|density| right(&at_rest) - right(density.probability())).collect();
        all.push(Escape { order, times, missing });
    }
    Ok(all)
}

/// Prints the table.
pub fn main() -> Result<()> {
    for escape in run(400)? {
        println!("order {}", escape.order);
        for (time, missing) in escape.times.iter().zip(&escape.missing) {
            println!("  t = {time:<10.4} missing in the right well {missing:.3e}");
        }
        let power = if escape.order < 1.0 { format!("memory gives {:.3}", -escape.order) } else { "no power".into() };
        println!("  late slope {:.3} ({power})\n", escape.late_slope());
    }
    Ok(())
}
