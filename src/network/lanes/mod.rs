//! Blocks of networks in vector registers: one walker per lane.
//!
//! Walkers are independent, so nothing is added across lanes and the path (AVX2 or portable) changes results only by
//! rounding. On one path results depend on neither threads nor neighbours in the block.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod data;
mod functions;
mod kernel;
mod linear;
mod normalisation;
mod output;
mod portable;
mod vector;

use std::cell::Cell;

use data::LaneData;
use kernel::Line;
use vector::Simd;

use super::dataset::Dataset;
use super::loss::Precision;
use super::mlp::Mlp;
use crate::landscape::{Batch, LANES, Lanes, WalkerBlock};

/// Scratch beyond this is not kept: the walkers are computed one by one instead. Only batch normalisation, which needs
/// all activations at once, comes near.
const LARGEST_SCRATCH: usize = 1 << 30;

thread_local! {
    static SCRATCH: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Instructions that the kernels use on this machine: "avx2+fma" or "portable".
pub fn simd_path() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if pulp::x86::V3::try_new().is_some() {
        return "avx2+fma";
    }
    "portable"
}

/// A data set ready for the kernels.
#[derive(Clone, Debug)]
pub(super) struct Kernels(Data);

#[derive(Clone, Debug)]
enum Data {
    Single(LaneData<f32>),
    Double(LaneData<f64>),
}

impl Kernels {
    pub(super) fn new(dataset: &Dataset, precision: Precision) -> Self {
        match precision {
            Precision::Single => Kernels(Data::Single(LaneData::new(dataset))),
            Precision::Double => Kernels(Data::Double(LaneData::new(dataset))),
        }
    }

    /// Mean losses of a block over a batch, and gradients; `None` when the scratch would be too large.
    pub(super) fn evaluate(
        &self,
        mlp: &Mlp,
        block: &WalkerBlock,
        batch: Batch<'_>,
        gradient: Option<&mut WalkerBlock>,
    ) -> Option<Lanes> {
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = pulp::x86::V3::try_new() {
            return match &self.0 {
                Data::Single(data) => run(avx2::Single(token), mlp, data, block, batch, gradient),
                Data::Double(data) => run(avx2::Double(token), mlp, data, block, batch, gradient),
            };
        }
        self.evaluate_portable(mlp, block, batch, gradient)
    }

    fn evaluate_portable(
        &self,
        mlp: &Mlp,
        block: &WalkerBlock,
        batch: Batch<'_>,
        gradient: Option<&mut WalkerBlock>,
    ) -> Option<Lanes> {
        match &self.0 {
            Data::Single(data) => run(portable::Single, mlp, data, block, batch, gradient),
            Data::Double(data) => run(portable::Double, mlp, data, block, batch, gradient),
        }
    }
}

fn run<S: Simd>(
    s: S,
    mlp: &Mlp,
    data: &LaneData<S::Real>,
    block: &WalkerBlock,
    batch: Batch<'_>,
    mut gradient: Option<&mut WalkerBlock>,
) -> Option<Lanes> {
    assert_eq!(block.dimension(), mlp.parameter_count(), "a walker has one number per parameter");
    let count = match batch {
        Batch::Full => data.count,
        Batch::Drawn(draws) => draws.len(),
    };
    if kernel::scratch_bytes::<S>(mlp, data, count) > LARGEST_SCRATCH {
        return None;
    }
    let mut scratch = SCRATCH.take();
    let mut losses = [0.0; LANES];
    for first in (0..LANES).step_by(S::WIDTH) {
        let gradient = gradient.as_deref_mut();
        s.vectorize(
            #[inline(always)]
            || kernel::run(s, mlp, data, block, batch, first, gradient, &mut scratch, &mut losses),
        );
    }
    SCRATCH.set(scratch);
    Some(losses)
}
