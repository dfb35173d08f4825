//! RMSprop.
//!
//! Formula:   g += c w; v = a v + (1 - a) g²; w -= η g / (√v + δ); with momentum b = μ b + g / (√v + δ), w -= η b;
//!            centred: √(v - m²) for √v, m = a m + (1 - a) g
//! Assumes:   a gradient, of a batch or of all samples
//! Order:     none: the limit of small η is no gradient flow
//! Cost:      one pass over the parameters, one to three numbers kept for each
//! Fails when the first steps are not meant to be long: v begins at 0 without correction, so that they are 1/√(1 - a) times
//!            as long as later ones of the same gradient
//! Reference: \[TielemanHinton2012\]
//!
//! Memory: vectors 0 = v, then b when μ > 0, then m when centred.

use crate::error::Result;
use crate::landscape::{LANES, WalkerBlock};

use super::adam::check_stabilizer;
use super::chains::Memory;
use super::optimiser::{Optimiser, check_decay, check_not_negative, remembered};

/// Descent by gradients over their root mean squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rmsprop {
    /// a, on \[0, 1).
    pub square_decay: f64,
    /// δ, positive.
    pub stabilizer: f64,
    /// c, at least 0.
    pub weight_decay: f64,
    /// μ, on \[0, 1); 0 for none.
    pub momentum: f64,
    /// Take the variance instead of the mean square.
    pub centered: bool,
}

impl Default for Rmsprop {
    fn default() -> Self {
        Rmsprop { square_decay: 0.99, stabilizer: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

impl Optimiser for Rmsprop {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn check(&self) -> Result<()> {
        check_decay("square_decay", self.square_decay)?;
        check_decay("momentum", self.momentum)?;
        check_not_negative("weight_decay", self.weight_decay)?;
        check_stabilizer(self.stabilizer)
    }

    fn step(&self, _: u64, rate: f64, gradient: &WalkerBlock, walkers: &mut WalkerBlock, memory: &mut Memory) {
        let has_momentum = self.momentum > 0.0;
        let vectors = 1 + usize::from(has_momentum) + usize::from(self.centered);
        for place in 0..vectors {
            remembered(memory, place, gradient.dimension());
        }
        let (squares, others) = memory.vectors.split_at_mut(1);
        let (velocities, means) = others.split_at_mut(usize::from(has_momentum));
        for (place, (row, slope)) in walkers.rows_mut().iter_mut().zip(gradient.rows()).enumerate() {
            let square = &mut squares[0].rows_mut()[place];
            let mut moves = [0.0; LANES];
            for lane in 0..LANES {
                let slope = slope[lane] + self.weight_decay * row[lane];
                square[lane] = self.square_decay * square[lane] + (1.0 - self.square_decay) * slope * slope;
                let mut spread = square[lane];
                if self.centered {
                    let mean = &mut means[0].rows_mut()[place][lane];
                    *mean = self.square_decay * *mean + (1.0 - self.square_decay) * slope;
                    // Rounding may make a variance of 0 negative.
                    spread = (spread - *mean * *mean).max(0.0);
                }
                moves[lane] = slope / (spread.sqrt() + self.stabilizer);
            }
            if has_momentum {
                let velocity = &mut velocities[0].rows_mut()[place];
                for lane in 0..LANES {
                    velocity[lane] = self.momentum * velocity[lane] + moves[lane];
                }
                moves = *velocity;
            }
            for lane in 0..LANES {
                row[lane] -= rate * moves[lane];
            }
        }
    }
}
