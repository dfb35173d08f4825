//! Processes of known exponents, for the calibration of a diagnosis.
//!
//! | process | R ~ t^slope | time average | memory |
//! |---|---|---|---|
//! | [`FractionalBrownian`] | H | H | yes |
//! | [`WaitingTimes`] | order/2 | 1/2 | no, but ages |
//! | [`OrnsteinUhlenbeck`] | none: a sum of relaxations that looks like 0.4 | | no |
//! | [`SierpinskiGasket`] | ln 2/ln 5 | ln 2/ln 5 | no |

mod basin;
mod fractional;
mod gasket;
mod waiting;

pub use basin::OrnsteinUhlenbeck;
pub use fractional::FractionalBrownian;
pub use gasket::SierpinskiGasket;
pub use waiting::WaitingTimes;
