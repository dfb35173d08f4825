//! The Caputo derivative in time: orders, time grids, schemes and memory sums (floor 1; knows time, not space).
