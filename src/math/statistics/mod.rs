//! Statistics of samples: chains of a sampler, ranks, the normal law and Student's.

mod autocovariance;
mod chains;
mod normal;
mod ranks;
mod student;

pub use chains::{ChainStatistics, chain_statistics};
pub use normal::normal_quantile;
pub use student::student_quantile;
