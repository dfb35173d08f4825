//! Readers and writers of foreign file formats (floor 0).

pub mod checkpoint;
mod element;
mod gzip;
pub mod idx;
mod npy;
pub mod npz;
pub mod table;
