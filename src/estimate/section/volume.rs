//! The learning coefficient of the part of a section around every point of it, by quadrature.
//!
//! Formula:   λ(c) = t ( E_c[L] - min_c L ), over the c' within the radius of c, ∝ exp(-t L(c') - (g/2) |c' - c|²)
//! Assumes:   one or two directions; distances are those of the coordinates
//! Cost:      the losses of the refined grid with a margin of the radius; per point one exponential for every point in reach
//! Fails when the grid does not resolve the set of low losses: seen in the change from every second point to every point
//! Reference: \[Watanabe2009\]
//!
//! On flat ground λ is 0, in a regular well of the plane 1, on a slope 3/2 (the cap of a disc); in between it is smooth.

use std::num::NonZeroUsize;

use super::grid::losses_on;
use super::watched::Crew;
use crate::error::{Error, Result};
use crate::landscape::Landscape;
use crate::propagator::{Observer, StopFlag};

/// Energies above the lowest one by more than twice this weigh nothing in double precision.
const FAR: f64 = 60.0;
/// Most points of the refined grid: 64 MiB of losses.
const MOST_POINTS: usize = 1 << 23;

/// What lies within reach of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Inverse temperature t \[1/loss\].
    pub inverse_temperature: f64,
    /// Localisation g in 1/\[coordinate\]²; 0 weighs all of the reach alike.
    pub localization: f64,
    /// Reach in \[coordinate\].
    pub radius: f64,
}

/// λ at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalVolume {
    /// λ, at least 0.
    pub value: f64,
    /// Change of λ from half the inverse temperature to the whole.
    pub from_temperature: f64,
    /// Change of λ from every second point of the grid to every point.
    pub from_grid: f64,
}

impl LocalVolume {
    /// Both changes together: how far the number may be from that of a finer grid at a lower temperature.
    pub fn error(&self) -> f64 {
        self.from_temperature.hypot(self.from_grid)
    }
}

/// λ at point `center` (one index per axis) of a uniform grid with one or two axes and `losses` (row-major).
///
/// # Panics
/// When there are neither one nor two axes, or the losses are not as many as the points.
pub fn local_volume(axes: &[Vec<f64>], losses: &[f64], center: &[usize], window: &Window) -> LocalVolume {
    assert!(matches!(axes.len(), 1 | 2), "one or two axes");
    assert_eq!(losses.len(), axes.iter().map(Vec::len).product::<usize>(), "one loss per point");
    let flat = [0.0];
    // A line is a plane of one row.
    let (rows, columns): (&[f64], &[f64]) = if axes.len() == 2 { (&axes[0], &axes[1]) } else { (&flat, &axes[0]) };
    let (row, column) = if axes.len() == 2 { (center[0], center[1]) } else { (0, center[0]) };
    let spacing =
        |axis: &[f64]| if axis.len() > 1 { (axis[axis.len() - 1] - axis[0]) / (axis.len() - 1) as f64 } else { 1.0 };
    let (up, across) = (spacing(rows), spacing(columns));
    let reach = |step: f64| (window.radius / step * (1.0 + 1e-12)) as usize;
    let first_row = row.saturating_sub(reach(up));
    let last_row = (row + reach(up)).min(rows.len() - 1);
    // Losses of one row within reach, with the place of the first.
    let row_of = |i: usize| {
        let height = up * i.abs_diff(row) as f64;
        let half = (window.radius * window.radius * (1.0 + 1e-12) - height * height).max(0.0).sqrt();
        let half = (half / across) as usize;
        let (first, last) = (column.saturating_sub(half), (column + half).min(columns.len() - 1));
        (height * height, first, &losses[i * columns.len() + first..=i * columns.len() + last])
    };
    let (mut lowest, mut lowest_even) = (f64::INFINITY, f64::INFINITY);
    for i in first_row..=last_row {
        let (_, first, row_losses) = row_of(i);
        lowest = row_losses.iter().copied().fold(lowest, f64::min);
        if i.abs_diff(row) % 2 == 0 {
            let start = first.abs_diff(column) % 2;
            lowest_even = row_losses[start..].iter().step_by(2).copied().fold(lowest_even, f64::min);
        }
    }
    let half = 0.5 * window.inverse_temperature;
    let (mut cold, mut warm, mut even) = (Mean::default(), Mean::default(), Mean::default());
    for i in first_row..=last_row {
        let (square, first, row_losses) = row_of(i);
        let is_even_row = i.abs_diff(row) % 2 == 0;
        for (j, loss) in row_losses.iter().enumerate() {
            let above = loss - lowest;
            if half * above > FAR {
                continue;
            }
            let away = (first + j).abs_diff(column);
            let distance = across * away as f64;
            let prior = match window.localization {
                0.0 => 1.0,
                g => (-0.5 * g * (square + distance * distance)).exp(),
            };
            let weight = (-half * above).exp();
            warm.add(prior * weight, above);
            cold.add(prior * weight * weight, above);
            if is_even_row && away % 2 == 0 {
                even.add(prior * weight * weight, above);
            }
        }
    }
    let value = window.inverse_temperature * cold.value();
    // Every second point sees its own lowest loss. Where none of them is near the lowest one there is nothing to compare.
    let coarse = if even.weight > 0.0 {
        window.inverse_temperature * (even.value() - (lowest_even - lowest)).max(0.0)
    } else {
        0.0
    };
    LocalVolume { value, from_temperature: (value - half * warm.value()).abs(), from_grid: (value - coarse).abs() }
}

/// A weighted mean.
#[derive(Default)]
struct Mean {
    weight: f64,
    sum: f64,
}

impl Mean {
    fn add(&mut self, weight: f64, value: f64) {
        self.weight += weight;
        self.sum += weight * value;
    }

    fn value(&self) -> f64 {
        self.sum / self.weight
    }
}

/// λ at all points of a grid on `section` (row-major), from losses at points `refinement` times as close, beyond the edges
/// of the grid too, so that every point has its whole reach.
///
/// # Errors
/// When the refined grid is too large or a loss is not finite; [`Error::Interrupted`] when stopped.
pub fn volume_field(
    section: &dyn Landscape,
    axes: &[Vec<f64>],
    refinement: usize,
    window: &Window,
    (threads, stop): (NonZeroUsize, &StopFlag),
    observer: &mut dyn Observer,
) -> Result<Vec<LocalVolume>> {
    let mut fine = Vec::new();
    let mut margins = Vec::new();
    for axis in axes {
        let step = (axis[axis.len() - 1] - axis[0]) / ((axis.len() - 1) * refinement) as f64;
        let margin = (window.radius / step).ceil();
        let count = 2.0 * margin + ((axis.len() - 1) * refinement + 1) as f64;
        if count > MOST_POINTS as f64 {
            return Err(too_fine(count));
        }
        margins.push(margin as usize);
        fine.push((0..count as usize).map(|k| axis[0] + (k as f64 - margin) * step).collect::<Vec<f64>>());
    }
    let count: f64 = fine.iter().map(|axis| axis.len() as f64).product();
    if count > MOST_POINTS as f64 {
        return Err(too_fine(count));
    }
    let losses = losses_on(section, &fine, threads, stop, observer)?;
    let last = axes.len() - 1;
    let rows = if last == 1 { axes[0].len() } else { 1 };
    let parts = Crew { threads, stop }.run(rows, observer, |row| {
        let one = |column: usize| {
            let mut center = vec![margins[0] + row * refinement];
            if last == 0 {
                center.clear();
            }
            center.push(margins[last] + column * refinement);
            local_volume(&fine, &losses, &center, window)
        };
        Ok((0..axes[last].len()).map(one).collect::<Vec<_>>())
    })?;
    Ok(parts.concat())
}

fn too_fine(count: f64) -> Error {
    let rule = format!("the refined grid with its margin would have {count:.1e} points, {MOST_POINTS} is the most");
    Error::invalid("section.refine", "(or section.radius)", rule, "use a smaller radius, fewer cells or refine = 1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::quadrature::expected_energy;
    use crate::estimate::section::{centers, points_of};
    use crate::landscape::ExpressionLandscape;

    /// λ at the middle of [-reach, reach]^d on an odd number of points.
    fn middle(formula: &str, dimension: usize, reach: f64, count: usize, window: Window) -> LocalVolume {
        let landscape = ExpressionLandscape::new(formula, dimension).expect("a formula");
        let axes = vec![centers(-reach, reach, count); dimension];
        let mut losses = vec![0.0; count.pow(dimension as u32)];
        landscape.losses(&points_of(&axes), &mut losses).expect("finite losses");
        local_volume(&axes, &losses, &vec![count / 2; dimension], &window)
    }

    #[test]
    fn a_well_with_a_prior_has_its_closed_form() {
        // 1/2 t h / (t h + g) per direction.
        let window = Window { inverse_temperature: 100.0, localization: 3.0, radius: 4.0 };
        let exact = 0.5 * (100.0 * 2.0 / 203.0 + 100.0 * 30.0 / 3003.0);
        let found = middle("x^2 + 15*y^2", 2, 4.2, 1051, window);
        assert!((found.value - exact).abs() < 1e-6, "{found:?} {exact}");
        // At half the temperature: 50 instead of 100.
        let warm = 0.5 * (50.0 * 2.0 / 103.0 + 50.0 * 30.0 / 1503.0);
        assert!((found.from_temperature - (exact - warm)).abs() < 1e-6, "{found:?}");
        assert!(found.from_grid < 1e-4, "{found:?}");
        let line = middle("x^2", 1, 4.2, 1051, window);
        assert!((line.value - 0.5 * 200.0 / 203.0).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn a_well_in_a_disc_has_its_closed_form() {
        // The energy of a round well in a disc follows an exponential law cut at a = t h R²/2: mean 1 - a/(e^a - 1).
        let window = Window { inverse_temperature: 50.0, localization: 0.0, radius: 0.5 };
        for h in [1.0, 0.16, 4.0] {
            let a: f64 = 50.0 * h * 0.125;
            let found = middle(&format!("{}*(x^2 + y^2)", 0.5 * h), 2, 0.51, 2041, window);
            let exact = 1.0 - a / a.exp_m1();
            assert!((found.value - exact).abs() < 3e-3, "{h}: {found:?} {exact}");
        }
    }

    #[test]
    fn flat_ground_and_slopes_have_theirs() {
        let window = Window { inverse_temperature: 1000.0, localization: 0.0, radius: 0.5 };
        assert_eq!(middle("0*x", 2, 0.51, 201, window).value, 0.0);
        // A cap of a disc: V ~ ε^(3/2), here at a finite temperature by a sum over chords; of an interval: V ~ ε.
        let on_a_slope = |t: f64| {
            let chord = |k: i32| (0.25 - (f64::from(k) * 1e-5).powi(2)).sqrt();
            let energy = |k: i32| t * (0.5 + f64::from(k) * 1e-5);
            let total = |of: &dyn Fn(i32) -> f64| {
                (-50_000..=50_000).map(|k| of(k) * chord(k) * (-energy(k)).exp()).sum::<f64>()
            };
            total(&energy) / total(&|_| 1.0)
        };
        assert!((on_a_slope(1000.0) - 1.5).abs() < 2e-3);
        let slope = middle("0.6*x + 0.8*y", 2, 0.51, 4001, Window { inverse_temperature: 100.0, ..window });
        assert!((slope.value - on_a_slope(100.0)).abs() < 0.01, "{slope:?} {}", on_a_slope(100.0));
        assert!((slope.from_temperature - (on_a_slope(100.0) - on_a_slope(50.0)).abs()).abs() < 0.01, "{slope:?}");
        let line = middle("x", 1, 0.51, 40_001, window);
        assert!((line.value - 1.0).abs() < 0.02, "{line:?}");
    }

    #[test]
    fn a_crossing_agrees_with_the_other_quadrature() {
        // x²y² at t = 144.76, g = 1: 0.36140 in closed form (60-digit arithmetic).
        let window = Window { inverse_temperature: 144.76, localization: 1.0, radius: 6.0 };
        let found = middle("x^2*y^2", 2, 6.0, 2401, window);
        assert!((found.value - 0.36140).abs() < 2e-4, "{found:?}");
        assert!(found.from_grid < 1e-2, "{found:?}");
    }

    #[test]
    fn fields_are_right_up_to_the_edge() {
        let landscape = ExpressionLandscape::new("(x^2 - 1)^2 + 0.2*x + y^2", 2).expect("a formula");
        let axes = [centers(-1.5, 1.5, 9), centers(-1.0, 1.0, 7)];
        let window = Window { inverse_temperature: 10.0, localization: 25.0, radius: 1.6 };
        let by_threads = |threads: usize| {
            let threads = NonZeroUsize::new(threads).expect("at least one");
            volume_field(&landscape, &axes, 12, &window, (threads, &StopFlag::default()), &mut ()).expect("a field")
        };
        let field = by_threads(1);
        assert_eq!(field, by_threads(3));
        for (point, found) in points_of(&axes).chunks(2).zip(&field) {
            assert!(found.value >= 0.0);
            // The other rule counts from the loss of the point.
            let (relative, _) = expected_energy(&landscape, point, 10.0, 25.0, None).expect("two dimensions");
            let lowest = lowest_within(&landscape, point, 1.6);
            let expected = relative + 10.0 * (landscape.loss(point) - lowest);
            // The two grids see the lowest loss within their own spacings.
            assert!((found.value - expected).abs() < found.from_grid.max(0.01), "{point:?}: {found:?} {expected}");
        }
    }

    fn lowest_within(landscape: &dyn Landscape, center: &[f64], radius: f64) -> f64 {
        let steps = 400;
        let place = |k: i32| radius * f64::from(k) / f64::from(steps);
        let mut lowest = f64::INFINITY;
        for i in -steps..=steps {
            for j in -steps..=steps {
                let (dx, dy) = (place(i), place(j));
                if dx.hypot(dy) <= radius {
                    lowest = lowest.min(landscape.loss(&[center[0] + dx, center[1] + dy]));
                }
            }
        }
        lowest
    }

    #[test]
    fn what_is_too_fine_is_refused() {
        let landscape = ExpressionLandscape::new("x^2 + y^2", 2).expect("a formula");
        let window = Window { inverse_temperature: 1.0, localization: 0.0, radius: 1e9 };
        let axes = [centers(0.0, 1.0, 10), centers(0.0, 1.0, 10)];
        let error = volume_field(&landscape, &axes, 2, &window, (NonZeroUsize::MIN, &StopFlag::default()), &mut ());
        assert!(error.expect_err("too many points").to_string().contains("section.refine"));
    }
}
