//! Walkers on landscapes: optimisers and samplers, written on blocks (floor 3).
