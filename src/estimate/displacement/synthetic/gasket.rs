//! A random walk on the Sierpinski gasket.
//!
//! Formula:   vertices a e1 + b e2 of the triangular lattice with a & b = 0 (binary), four neighbours each;
//!            d_walk = ln 5/ln 2
//! Assumes:   the walk starts at the corner, of which the graph goes on without end: no boundary is felt
//! Cost:      some integer operations per step
//! Fails when the displacement is fitted over less than a factor of 5 in time: it oscillates in log t with that period
//! Reference: \[BenAvrahamHavlin2000\]

use crate::math::random::Stream;

/// A maker of walks on the infinite gasket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SierpinskiGasket {
    steps: usize,
}

/// Steps of the triangular lattice along e1, e2 and e2 - e1, and back.
const STEPS: [(i64, i64); 6] = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)];

impl SierpinskiGasket {
    /// Walks of `steps` steps.
    pub fn new(steps: usize) -> Self {
        SierpinskiGasket { steps }
    }

    /// A run in the plane (two coordinates), point after point; edges have length 1.
    ///
    /// The reflection of the gasket at the corner is joined to it, so that the corner has four neighbours like every other
    /// vertex; distances from the corner are the same on both sides.
    pub fn run(&self, stream: &mut Stream) -> Vec<f64> {
        let mut points = Vec::with_capacity(2 * (self.steps + 1));
        let (mut a, mut b, mut side) = (0_i64, 0_i64, 1.0);
        for step in 0..=self.steps {
            let (x, y) = (a as f64 + 0.5 * b as f64, b as f64 * 0.75_f64.sqrt());
            points.extend([side * x, side * y]);
            if step == self.steps {
                break;
            }
            if (a, b) == (0, 0) {
                let choice = stream.index(4);
                side = if choice < 2 { 1.0 } else { -1.0 };
                (a, b) = if choice.is_multiple_of(2) { (1, 0) } else { (0, 1) };
                continue;
            }
            let mut around = STEPS.iter().filter(|(da, db)| is_edge((a, b), (a + da, b + db)));
            let (da, db) = around.nth(stream.index(4) as usize).expect("four neighbours");
            (a, b) = (a + da, b + db);
        }
        points
    }
}

/// Upward unit triangles with a corner (a, b), a & b = 0, are the gasket's; every edge lies in one of them.
fn is_edge(from: (i64, i64), to: (i64, i64)) -> bool {
    let corner = (from.0.min(to.0), from.1.min(to.1));
    corner.0 >= 0 && corner.1 >= 0 && corner.0 & corner.1 == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The gasket built by its definition: three copies of the triangle before.
    fn built(level: u32) -> BTreeSet<((i64, i64), (i64, i64))> {
        if level == 0 {
            return [((0, 0), (1, 0)), ((0, 0), (0, 1)), ((0, 1), (1, 0))].into_iter().collect();
        }
        let (part, size) = (built(level - 1), 1 << (level - 1));
        let shifted = |da: i64, db: i64| {
            part.iter().map(move |(p, q)| ((p.0 + da, p.1 + db), (q.0 + da, q.1 + db))).collect::<Vec<_>>()
        };
        [shifted(0, 0), shifted(size, 0), shifted(0, size)].concat().into_iter().collect()
    }

    #[test]
    fn edges_are_those_of_the_construction() {
        let size = 1 << 4;
        let expected = built(4);
        let mut found = BTreeSet::new();
        for a in 0..=size {
            for b in 0..=size - a {
                for (da, db) in STEPS {
                    let to = (a + da, b + db);
                    if to.0 >= 0 && to.1 >= 0 && to.0 + to.1 <= size && is_edge((a, b), to) {
                        found.insert(((a, b).min(to), (a, b).max(to)));
                    }
                }
            }
        }
        assert_eq!(found, expected);
        let walk = SierpinskiGasket::new(300).run(&mut Stream::new(1, "gasket", 0));
        for pair in walk.chunks_exact(2).collect::<Vec<_>>().windows(2) {
            let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
            assert!((length - 1.0).abs() < 1e-9);
        }
    }
}
