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

#[cfg(test)]
mod tests {
    use super::functions::{exp, gelu, ln_1p, tanh};
    use super::vector::Real;
    use super::*;
    use crate::math::random::Stream;
    use crate::network::activation::Activation;
    use pulp::bytemuck::cast_slice;

    fn apply<S: Simd>(s: S, x: f64, f: impl Fn(S, S::V) -> S::V) -> f64 {
        let value = [f(s, s.splat(S::Real::from_f64(x)))];
        cast_slice::<S::V, S::Real>(&value)[0].to_f64()
    }

    fn check_functions<S: Simd>(s: S, rounding: f64) {
        for k in 0..4000 {
            let x = S::Real::from_f64(f64::from(k) * 0.01 - 25.0).to_f64();
            let near = |found: f64, exact: f64, scale: f64, what: &str| {
                assert!((found - exact).abs() <= 4.0 * rounding * scale, "{what} {x}: {found} {exact}");
            };
            near(apply(s, x, exp), x.exp(), x.exp(), "exp");
            near(apply(s, x, tanh), x.tanh(), x.tanh().abs(), "tanh");
            let (value, slope) = Activation::Gelu.evaluate(x);
            near(apply(s, x, |s, x| gelu(s, x).0), value, x.abs().max(1.0), "gelu");
            near(apply(s, x, |s, x| gelu(s, x).1), slope, 2.0, "slope of the gelu");
            let positive = S::Real::from_f64(x.exp()).to_f64();
            near(apply(s, positive, ln_1p), positive.ln_1p(), positive.ln_1p(), "ln(1 + x)");
        }
        for f in [exp::<S>, tanh::<S>, |s, x| gelu(s, x).0] {
            assert!(apply(s, f64::NAN, f).is_nan());
        }
    }

    #[test]
    fn functions_are_exact_to_a_few_units_in_the_last_place() {
        check_functions(portable::Single, f64::from(f32::EPSILON));
        check_functions(portable::Double, f64::EPSILON);
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = pulp::x86::V3::try_new() {
            check_functions(avx2::Single(token), f64::from(f32::EPSILON));
            check_functions(avx2::Double(token), f64::EPSILON);
        }
    }

    #[test]
    fn paths_agree_to_rounding() {
        let mut stream = Stream::new(2, "paths", 0);
        let dataset = Dataset::two_moons(50, 0.1, &mut stream).expect("valid");
        for (precision, allowed) in [(Precision::Single, 1e-5), (Precision::Double, 1e-13)] {
            for (_, activation) in Activation::NAMES {
                for normalised in [false, true] {
                    let mlp = Mlp::new(&[2, 7, 6, 2], activation, normalised).expect("valid");
                    let kernels = Kernels::new(&dataset, precision);
                    let mut block = WalkerBlock::zeros(mlp.parameter_count());
                    (0..LANES).for_each(|lane| block.write(lane, &mlp.initial(&mut stream)));
                    let draws: Vec<[u32; LANES]> = (0..13).map(|_| std::array::from_fn(|_| stream.index(50))).collect();
                    let (mut one, mut other) = (block.clone(), block.clone());
                    let chosen = kernels.evaluate(&mlp, &block, Batch::Drawn(&draws), Some(&mut one));
                    let portable = kernels.evaluate_portable(&mlp, &block, Batch::Drawn(&draws), Some(&mut other));
                    for (a, b) in chosen.expect("small").iter().zip(portable.expect("small")) {
                        assert!((a - b).abs() < allowed, "{a} {b}");
                    }
                    for (a, b) in one.rows().iter().flatten().zip(other.rows().iter().flatten()) {
                        assert!((a - b).abs() < allowed, "{a} {b}");
                    }
                }
            }
        }
        assert!(["avx2+fma", "portable"].contains(&simd_path()));
    }
}
