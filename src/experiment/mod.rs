//! Experiments: a problem file read, checked, run and reported (floor 5).
