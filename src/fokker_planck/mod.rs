//! The Fokker-Planck operator on a mesh, its stationary state and initial densities (floor 2).
