//! Vectors of numbers, one per walker, and the operations that the kernels need of them.
//!
//! A backend is a value that proves that the machine has its instructions; each holds one kind of number at one width.

use pulp::bytemuck::Pod;

/// f32 or f64 with the constants of its elementary functions; polynomials begin with the constant term.
pub(super) trait Real: Copy + Default + PartialEq + Send + Sync + Pod {
    /// 1.5 times the power of two at which the spacing of numbers is 1: adding it rounds to an integer.
    const ROUNDER: Self;
    /// What to take from an exponent field read as a mantissa at that power of two: the power and the field's offset.
    const EXPONENT_OFFSET: Self;
    /// Arguments of exp below this give about the smallest normal number.
    const SMALLEST_EXPONENT: Self;
    /// ln 2, short enough that its multiples are exact.
    const LN2_HIGH: Self;
    /// The rest of ln 2.
    const LN2_LOW: Self;
    /// (exp r - 1 - r) / r² for |r| <= ln 2 / 2.
    const EXP: &'static [Self];
    /// (atanh s / s - 1) / s² in s², for |s| <= 0.1716.
    const LOG: &'static [Self];
    /// Φ(-x) exp(x²/2) for 0 <= x <= 39, in (1.2564... x - 5) / (x + 5).
    const TAIL: &'static [Self];
    /// tanh(x) / x in x², numerator and denominator, for |x| <= 9.02; `None`: by exp.
    const TANH: Option<(&'static [Self], &'static [Self])>;

    /// Nearest number.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
}

/// Operations on vectors of one width.
pub(super) trait Simd: Copy {
    /// Kind of number.
    type Real: Real;
    /// A vector of them.
    type V: Pod;
    /// Numbers in a vector.
    const WIDTH: usize;

    /// Runs `work` compiled for this backend's instructions: everything that it calls must be inlined.
    fn vectorize<T>(self, work: impl FnOnce() -> T) -> T;
    fn splat(self, value: Self::Real) -> Self::V;
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b + c, with one rounding where the machine can.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn sqrt(self, a: Self::V) -> Self::V;
    /// The larger; not a number where `x` is not.
    fn max(self, bound: Self::V, x: Self::V) -> Self::V;
    /// The smaller; not a number where `x` is not.
    fn min(self, bound: Self::V, x: Self::V) -> Self::V;
    /// Mask of a < b.
    fn less(self, a: Self::V, b: Self::V) -> Self::V;
    /// Mask of a = b.
    fn equal(self, a: Self::V, b: Self::V) -> Self::V;
    fn select(self, mask: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// `x` where the mask is set, else 0.
    fn keep(self, mask: Self::V, x: Self::V) -> Self::V;
    /// 2^k of an integer k to which [`Real::ROUNDER`] was added.
    fn power(self, rounded: Self::V) -> Self::V;
    /// For u >= 1: (e as a number, 2^-e) with u 2^-e in [√½, √2).
    fn exponent(self, u: Self::V) -> (Self::V, Self::V);
}

impl Real for f32 {
    const ROUNDER: f32 = 12_582_912.0;
    const EXPONENT_OFFSET: f32 = 8_388_608.0 + 127.0;
    const SMALLEST_EXPONENT: f32 = -87.0;
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;
    const EXP: &'static [f32] = &[0.5, 0.166_665_73, 0.041_666_55, 0.008_363_774, 0.001_392_692_7];
    const LOG: &'static [f32] = &[0.333_333_34, 0.2, 0.142_749_77, 0.116_768_99];
    const TAIL: &'static [f32] = &[
        0.094_847_255,
        -0.153_581_75,
        0.116_053_045,
        -0.073_771_16,
        0.038_900_245,
        -0.016_524_572,
        0.005_309_574,
        -0.001_076_820_6,
        0.000_013_282_972,
        0.000_067_898_4,
        -0.000_012_114_449,
        -2.305_122e-6,
    ];
    const TANH: Option<(&'static [f32], &'static [f32])> = Some((
        &[1.0, 0.133_797_08, 0.003_494_020_9, 2.058_319_5e-5, 1.331_858_4e-8],
        &[1.0, 0.467_130_24, 0.025_871_026, 0.000_328_306_77, 7.761_838e-7],
    ));

    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const EXPONENT_OFFSET: f64 = 4_503_599_627_370_496.0 + 1023.0;
    const SMALLEST_EXPONENT: f64 = -708.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const EXP: &'static [f64] = &[
        0.5,
        0.166_666_666_666_666_7,
        0.041_666_666_666_666_67,
        0.008_333_333_333_325_544,
        0.001_388_888_888_888_332_7,
        0.000_198_412_698_768_643_56,
        2.480_158_732_700_718_7e-5,
        2.755_725_283_351_691e-6,
        2.755_727_181_021_98e-7,
        2.510_627_473_357_329_6e-8,
        2.091_544_229_778_011_6e-9,
    ];
    const LOG: &'static [f64] = &[
        0.333_333_333_333_333_3,
        0.200_000_000_000_005_06,
        0.142_857_142_853_609_43,
        0.111_111_112_050_265_96,
        0.090_908_968_501_827_77,
        0.076_931_720_711_393_4,
        0.066_330_021_886_146_49,
        0.065_576_451_939_887_91,
    ];
    const TAIL: &'static [f64] = &[
        0.094_847_255_871_324_96,
        -0.153_581_751_278_064_9,
        0.116_052_998_249_205_22,
        -0.073_771_161_516_650_71,
        0.038_900_803_644_734_21,
        -0.016_524_559_672_904_074,
        0.005_307_154_335_378_855_5,
        -0.001_076_873_691_059_149,
        1.807_721_386_492_673_4e-5,
        6.799_513_301_529_377e-5,
        -1.662_906_936_322_693_7e-5,
        -2.379_677_015_839_065_8e-6,
        1.785_344_801_836_094_2e-6,
        1.188_791_622_465_491_7e-8,
        -1.732_892_378_070_765e-7,
        8.287_873_505_737_739e-9,
        1.808_732_282_465_969e-8,
        -9.802_892_057_619_58e-10,
        -2.049_442_337_652_098_3e-9,
        5.220_100_067_481_017_6e-11,
        2.236_470_292_669_627_5e-10,
        8.378_267_315_285_686e-13,
        -1.637_653_330_763_664e-11,
    ];
    const TANH: Option<(&'static [f64], &'static [f64])> = None;

    fn from_f64(value: f64) -> f64 {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }
}
