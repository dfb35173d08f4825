//! Vectors for every machine: 128 bits wide, with the instructions that the program was compiled for.

use pulp::bytemuck::cast;
use wide::{f32x4, f64x2, u32x4, u64x2};

use super::vector::{Real, Simd};

/// Four f32.
#[derive(Clone, Copy)]
pub(super) struct Single;

/// Two f64.
#[derive(Clone, Copy)]
pub(super) struct Double;

macro_rules! portable {
    ($name:ident, $real:ty, $vector:ty, $integers:ty, $width:literal, $mantissa:literal, $high:expr, $offset:expr,
     $powers:expr) => {
        impl Simd for $name {
            type Real = $real;
            type V = $vector;
            const WIDTH: usize = $width;

            #[inline(always)]
            fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
                work()
            }

            #[inline(always)]
            fn splat(self, value: $real) -> $vector {
                <$vector>::splat(value)
            }

            #[inline(always)]
            fn add(self, a: $vector, b: $vector) -> $vector {
                a + b
            }

            #[inline(always)]
            fn sub(self, a: $vector, b: $vector) -> $vector {
                a - b
            }

            #[inline(always)]
            fn mul(self, a: $vector, b: $vector) -> $vector {
                a * b
            }

            #[inline(always)]
            fn div(self, a: $vector, b: $vector) -> $vector {
                a / b
            }

            #[inline(always)]
            fn fma(self, a: $vector, b: $vector, c: $vector) -> $vector {
                a.mul_add(b, c)
            }

            #[inline(always)]
            fn sqrt(self, a: $vector) -> $vector {
                a.sqrt()
            }

            #[inline(always)]
            fn max(self, bound: $vector, x: $vector) -> $vector {
                x.simd_lt(bound).bitselect(bound, x)
            }

            #[inline(always)]
            fn min(self, bound: $vector, x: $vector) -> $vector {
                bound.simd_lt(x).bitselect(bound, x)
            }

            #[inline(always)]
            fn less(self, a: $vector, b: $vector) -> $vector {
                a.simd_lt(b)
            }

            #[inline(always)]
            fn equal(self, a: $vector, b: $vector) -> $vector {
                a.simd_eq(b)
            }

            #[inline(always)]
            fn select(self, mask: $vector, yes: $vector, no: $vector) -> $vector {
                mask.bitselect(yes, no)
            }

            #[inline(always)]
            fn keep(self, mask: $vector, x: $vector) -> $vector {
                mask & x
            }

            #[inline(always)]
            fn power(self, rounded: $vector) -> $vector {
                let bits: $integers = cast(rounded);
                cast((bits << $mantissa) + <$integers>::splat((1.0 as $real).to_bits()))
            }

            #[inline(always)]
            fn exponent(self, u: $vector) -> ($vector, $vector) {
                let bits: $integers = cast(u);
                let field = (bits + <$integers>::splat($offset)) >> $mantissa;
                let number: $vector = cast(field | <$integers>::splat($high));
                let inverse: $vector = cast((<$integers>::splat($powers) - field) << $mantissa);
                (number - <$vector>::splat(<$real>::EXPONENT_OFFSET), inverse)
            }
        }
    };
}

portable!(Single, f32, f32x4, u32x4, 4, 23u32, 0x4b00_0000, 0x004a_fb0d, 254);
portable!(Double, f64, f64x2, u64x2, 2, 52u32, 0x4330_0000_0000_0000, 0x0009_5f61_9980_c433, 2046);
