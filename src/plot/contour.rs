//! Contour lines of a field by marching squares, joined into long curves.

use std::collections::BTreeMap;

use super::heatmap::Field;

/// An edge of the grid of cell centres: (column, row, 0 to the next column | 1 to the next row).
type Edge = (usize, usize, u8);

/// Curves where the field crosses `level`, in units of columns and rows (cell centres at whole numbers).
/// Cells outside the medium end a curve.
pub fn contours(field: &Field, level: f64) -> Vec<Vec<(f64, f64)>> {
    let (columns, rows) = field.shape;
    let value = |column: usize, row: usize| field.values[column * rows + row] - level;
    let mut links: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    for column in 0..columns.saturating_sub(1) {
        for row in 0..rows.saturating_sub(1) {
            let corners =
                [value(column, row), value(column + 1, row), value(column + 1, row + 1), value(column, row + 1)];
            if corners.iter().any(|corner| corner.is_nan()) {
                continue;
            }
            let edges = [(column, row, 0), (column + 1, row, 1), (column, row + 1, 0), (column, row, 1)];
            let crossed: Vec<usize> = (0..4).filter(|&i| (corners[i] < 0.0) != (corners[(i + 1) % 4] < 0.0)).collect();
            let pairs: Vec<(usize, usize)> = match crossed[..] {
                [a, b] => vec![(a, b)],
                // A saddle: its centre tells which corners belong together.
                [_, _, _, _] if (corners.iter().sum::<f64>() < 0.0) == (corners[0] < 0.0) => vec![(0, 1), (2, 3)],
                [_, _, _, _] => vec![(3, 0), (1, 2)],
                _ => Vec::new(),
            };
            for (a, b) in pairs {
                links.entry(edges[a]).or_default().push(edges[b]);
                links.entry(edges[b]).or_default().push(edges[a]);
            }
        }
    }
    let place = |(column, row, direction): Edge| {
        let (next_column, next_row) = if direction == 0 { (column + 1, row) } else { (column, row + 1) };
        let (from, to) = (value(column, row), value(next_column, next_row));
        let part = from / (from - to);
        let along = |start: usize, end: usize| start as f64 + part * (end as f64 - start as f64);
        (along(column, next_column), along(row, next_row))
    };
    let mut curves = Vec::new();
    // Open curves first, from their ends; what is left are closed ones.
    for ends_only in [true, false] {
        let starts: Vec<Edge> =
            links.iter().filter(|(_, to)| !ends_only || to.len() == 1).map(|(edge, _)| *edge).collect();
        for start in starts {
            if links.get(&start).is_none_or(|to| to.is_empty() || (ends_only && to.len() != 1)) {
                continue;
            }
            let mut curve = vec![place(start)];
            let mut here = start;
            while let Some(next) = links.get_mut(&here).and_then(Vec::pop) {
                if let Some(back) = links.get_mut(&next)
                    && let Some(index) = back.iter().position(|edge| *edge == here)
                {
                    back.swap_remove(index);
                }
                curve.push(place(next));
                here = next;
            }
            curves.push(curve);
        }
    }
    curves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn radius(size: usize, center: f64) -> Field {
        let square = |i: usize| (i as f64 - center).powi(2);
        let values = (0..size * size).map(|index| square(index / size) + square(index % size)).collect();
        Field { shape: (size, size), values }
    }

    #[test]
    fn a_bowl_has_one_closed_round_contour() {
        let curves = contours(&radius(41, 20.0), 100.0);
        assert_eq!(curves.len(), 1);
        let curve = &curves[0];
        assert_eq!(curve[0], curve[curve.len() - 1]);
        for (x, y) in curve {
            assert!(((x - 20.0).hypot(y - 20.0) - 10.0).abs() < 0.02, "{x} {y}");
        }
    }

    #[test]
    fn contours_end_at_the_border_and_at_holes() {
        let curves = contours(&radius(41, 0.0), 400.0);
        assert_eq!(curves.len(), 1);
        let ends = [curves[0][0], curves[0][curves[0].len() - 1]];
        assert!(ends.contains(&(20.0, 0.0)) && ends.contains(&(0.0, 20.0)), "{ends:?}");
        let mut holed = radius(41, 20.0);
        holed.values[30 * 41 + 20] = f64::NAN;
        let broken = contours(&holed, 100.0);
        assert_eq!(broken.len(), 1);
        assert_ne!(broken[0][0], broken[0][broken[0].len() - 1]);
    }

    #[test]
    fn a_saddle_is_resolved_both_ways() {
        for (values, level) in [(vec![1.0, 0.0, 0.0, 1.0], 0.4), (vec![1.0, 0.0, 0.0, 1.0], 0.6)] {
            let curves = contours(&Field { shape: (2, 2), values }, level);
            assert_eq!(curves.len(), 2);
            assert!(curves.iter().all(|curve| curve.len() == 2));
        }
    }
}
