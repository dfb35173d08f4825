//! Networks as landscapes, and the data they are trained on (floor 2).
