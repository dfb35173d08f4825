//! Propagators: p(t) from p(0) (floor 3).
