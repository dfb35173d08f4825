//! Readers and writers of foreign file formats (floor 0).

pub mod npz;
