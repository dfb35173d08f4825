//! Geometric nested dissection: an elimination order for cells of a grid.
//!
//! A plane of cells splits a box into two halves that are not coupled; the halves come first, the plane last, and
//! so on inside each half \[George1973\]. For n cells in the plane the factor has O(n log n) entries.

/// Order in which to eliminate cells that are coupled only to neighbours at distance one along one axis.
///
/// `positions` holds the grid position of each cell. Returns the cell numbers, first eliminated first.
pub fn nested_dissection(positions: &[[usize; 3]]) -> Vec<usize> {
    let mut order = Vec::with_capacity(positions.len());
    let mut cells: Vec<usize> = (0..positions.len()).collect();
    dissect(positions, &mut cells, &mut order);
    order
}

/// Below this size a part is taken as it stands: dissecting it further saves nothing.
const SMALLEST_PART: usize = 6;

fn dissect(positions: &[[usize; 3]], cells: &mut [usize], order: &mut Vec<usize>) {
    if cells.len() <= SMALLEST_PART {
        order.extend_from_slice(cells);
        return;
    }
    let (axis, middle) = widest_axis(positions, cells);
    cells.sort_by_key(|&cell| (positions[cell][axis].cmp(&middle), cell));
    let below = cells.partition_point(|&cell| positions[cell][axis] < middle);
    let upto = cells.partition_point(|&cell| positions[cell][axis] <= middle);
    let (left, rest) = cells.split_at_mut(below);
    let (separator, right) = rest.split_at_mut(upto - below);
    if left.is_empty() && right.is_empty() {
        order.extend_from_slice(separator);
        return;
    }
    dissect(positions, left, order);
    dissect(positions, right, order);
    // The separator becomes dense anyway: its own order does not matter.
    order.extend_from_slice(separator);
}

/// The axis along which the cells spread most, and the middle of that spread.
fn widest_axis(positions: &[[usize; 3]], cells: &[usize]) -> (usize, usize) {
    let spread = |axis: usize| {
        let coordinates = cells.iter().map(|&cell| positions[cell][axis]);
        let (low, high) = coordinates.fold((usize::MAX, 0), |(low, high), x| (low.min(x), high.max(x)));
        (high - low, low + (high - low) / 2)
    };
    // Of equal spreads the first axis wins.
    let widest = (0..3).rev().max_by_key(|&axis| spread(axis).0).expect("there are three axes");
    (widest, spread(widest).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_eliminated_once_and_separators_last() {
        let positions: Vec<[usize; 3]> = (0..9 * 7).map(|k| [k / 7, k % 7, 0]).collect();
        let order = nested_dissection(&positions);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..63).collect::<Vec<_>>());
        let last: Vec<usize> = order[63 - 7..].iter().map(|&cell| positions[cell][0]).collect();
        assert_eq!(last, vec![4; 7], "the first separator is the middle plane of the longer axis");
    }
}
