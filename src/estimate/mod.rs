//! Numbers read off densities: observables and distances (floor 4).
