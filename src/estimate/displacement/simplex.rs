//! The least value of a function of few variables.
//!
//! Formula:   a simplex that is reflected, expanded, contracted and shrunk
//! Assumes:   a function that is finite at the start
//! Cost:      about 40 values per variable
//! Fails when the function has several valleys: start in each
//! Reference: \[NelderMead1965\]

/// Greatest number of values.
const VALUES: usize = 400;

/// The least place found from `start` with steps of about `step`, and its value; `tolerance` is on the value.
pub(super) fn minimise(function: &dyn Fn(&[f64]) -> f64, start: &[f64], step: f64, tolerance: f64) -> (Vec<f64>, f64) {
    let value_at = |place: &[f64]| {
        let value = function(place);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let count = start.len();
    let mut simplex: Vec<(Vec<f64>, f64)> = (0..=count)
        .map(|corner| {
            let mut place = start.to_vec();
            if corner > 0 {
                place[corner - 1] += step;
            }
            let value = value_at(&place);
            (place, value)
        })
        .collect();
    let mut values = count + 1;
    loop {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let spread = simplex[count].1 - simplex[0].1;
        let width = (0..count).map(|k| (simplex[count].0[k] - simplex[0].0[k]).abs()).fold(0.0, f64::max);
        if values >= VALUES || (spread <= tolerance && width <= 0.02) {
            return simplex.swap_remove(0);
        }
        let centre: Vec<f64> = (0..count)
            .map(|k| simplex[..count].iter().map(|(place, _)| place[k]).sum::<f64>() / count as f64)
            .collect();
        let along = |factor: f64| -> (Vec<f64>, f64) {
            let place: Vec<f64> = centre.iter().zip(&simplex[count].0).map(|(c, w)| c + factor * (c - w)).collect();
            let value = value_at(&place);
            (place, value)
        };
        let reflected = along(1.0);
        values += 1;
        let replacement = if reflected.1 < simplex[0].1 {
            values += 1;
            let expanded = along(2.0);
            Some(if expanded.1 < reflected.1 { expanded } else { reflected })
        } else if reflected.1 < simplex[count - 1].1 {
            Some(reflected)
        } else {
            values += 1;
            let contracted = if reflected.1 < simplex[count].1 { along(0.5) } else { along(-0.5) };
            (contracted.1 < reflected.1.min(simplex[count].1)).then_some(contracted)
        };
        match replacement {
            Some(corner) => simplex[count] = corner,
            None => {
                let best = simplex[0].0.clone();
                for (place, value) in &mut simplex[1..] {
                    place.iter_mut().zip(&best).for_each(|(x, best)| *x = 0.5 * (*x + best));
                    *value = value_at(place);
                }
                values += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valleys_are_found() {
        let bowl = |x: &[f64]| (x[0] - 3.0).powi(2);
        assert!((minimise(&bowl, &[0.0], 0.5, 1e-12).0[0] - 3.0).abs() < 1e-5);
        let banana = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let (place, value) = minimise(&banana, &[-1.2, 1.0], 0.5, 1e-14);
        assert!(value < 1e-10 && (place[0] - 1.0).abs() < 1e-4, "{place:?} {value}");
        assert!(minimise(&|x| if x[0] < 0.0 { f64::NAN } else { x[0] }, &[1.0], 0.5, 1e-9).0[0] >= 0.0);
    }
}
