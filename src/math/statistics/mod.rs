//! Statistics of samples: chains of a sampler, ranks, the normal law.

mod autocovariance;
mod chains;
mod normal;
mod ranks;

pub use chains::{ChainStatistics, chain_statistics};
pub use normal::normal_quantile;
