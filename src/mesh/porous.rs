//! Porous meshes: grid cells above a loss level are not part of the medium.
