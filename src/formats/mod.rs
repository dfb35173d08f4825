//! Readers and writers of foreign file formats (floor 0).

mod gzip;
pub mod idx;
pub mod npz;
pub mod table;
