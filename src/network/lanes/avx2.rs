//! Vectors of AVX2 with fused multiply-add: eight f32, four f64.

use std::arch::x86_64::{__m256, __m256d, _CMP_EQ_OQ, _CMP_LT_OQ};

use pulp::x86::V3;

use super::vector::{Real, Simd};

/// Eight f32.
#[derive(Clone, Copy)]
pub(super) struct Single(pub(super) V3);

/// Four f64.
#[derive(Clone, Copy)]
pub(super) struct Double(pub(super) V3);

macro_rules! avx2 {
    ($name:ident, $real:ty, $vector:ty, $width:literal, $mantissa:literal, $high:expr, $offset:expr, $powers:expr,
     $set:ident, $set_int:ident, $int:ty, $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident, $sqrt:ident,
     $max:ident, $min:ident, $compare:ident, $blend:ident, $and:ident, $or_int:ident, $to_int:ident, $from_int:ident,
     $add_int:ident, $sub_int:ident, $left:ident, $right:ident) => {
        impl Simd for $name {
            type Real = $real;
            type V = $vector;
            const WIDTH: usize = $width;

            #[inline(always)]
            fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
                self.0.vectorize(work)
            }

            #[inline(always)]
            fn splat(self, value: $real) -> $vector {
                self.0.avx.$set(value)
            }

            #[inline(always)]
            fn add(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$add(a, b)
            }

            #[inline(always)]
            fn sub(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$sub(a, b)
            }

            #[inline(always)]
            fn mul(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$mul(a, b)
            }

            #[inline(always)]
            fn div(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$div(a, b)
            }

            #[inline(always)]
            fn fma(self, a: $vector, b: $vector, c: $vector) -> $vector {
                self.0.fma.$fma(a, b, c)
            }

            #[inline(always)]
            fn sqrt(self, a: $vector) -> $vector {
                self.0.avx.$sqrt(a)
            }

            // The instructions return their second operand when one is not a number.
            #[inline(always)]
            fn max(self, bound: $vector, x: $vector) -> $vector {
                self.0.avx.$max(bound, x)
            }

            #[inline(always)]
            fn min(self, bound: $vector, x: $vector) -> $vector {
                self.0.avx.$min(bound, x)
            }

            #[inline(always)]
            fn less(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$compare::<_CMP_LT_OQ>(a, b)
            }

            #[inline(always)]
            fn equal(self, a: $vector, b: $vector) -> $vector {
                self.0.avx.$compare::<_CMP_EQ_OQ>(a, b)
            }

            #[inline(always)]
            fn select(self, mask: $vector, yes: $vector, no: $vector) -> $vector {
                self.0.avx.$blend(no, yes, mask)
            }

            #[inline(always)]
            fn keep(self, mask: $vector, x: $vector) -> $vector {
                self.0.avx.$and(mask, x)
            }

            #[inline(always)]
            fn power(self, rounded: $vector) -> $vector {
                let shifted = self.0.avx2.$left::<$mantissa>(self.0.avx.$to_int(rounded));
                let one = self.0.avx.$set_int((1.0 as $real).to_bits() as $int);
                self.0.avx.$from_int(self.0.avx2.$add_int(shifted, one))
            }

            #[inline(always)]
            fn exponent(self, u: $vector) -> ($vector, $vector) {
                let (avx, avx2) = (self.0.avx, self.0.avx2);
                let raised = avx2.$add_int(avx.$to_int(u), avx.$set_int($offset));
                let field = avx2.$right::<$mantissa>(raised);
                let number = avx.$from_int(avx2.$or_int(field, avx.$set_int($high)));
                let inverse = avx2.$left::<$mantissa>(avx2.$sub_int(avx.$set_int($powers), field));
                (self.sub(number, self.splat(<$real>::EXPONENT_OFFSET)), avx.$from_int(inverse))
            }
        }
    };
}

avx2!(
    Single,
    f32,
    __m256,
    8,
    23,
    0x4b00_0000,
    0x004a_fb0d,
    254,
    _mm256_set1_ps,
    _mm256_set1_epi32,
    i32,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_sqrt_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_cmp_ps,
    _mm256_blendv_ps,
    _mm256_and_ps,
    _mm256_or_si256,
    _mm256_castps_si256,
    _mm256_castsi256_ps,
    _mm256_add_epi32,
    _mm256_sub_epi32,
    _mm256_slli_epi32,
    _mm256_srli_epi32
);

avx2!(
    Double,
    f64,
    __m256d,
    4,
    52,
    0x4330_0000_0000_0000,
    0x0009_5f61_9980_c433,
    2046,
    _mm256_set1_pd,
    _mm256_set1_epi64x,
    i64,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    _mm256_fmadd_pd,
    _mm256_sqrt_pd,
    _mm256_max_pd,
    _mm256_min_pd,
    _mm256_cmp_pd,
    _mm256_blendv_pd,
    _mm256_and_pd,
    _mm256_or_si256,
    _mm256_castpd_si256,
    _mm256_castsi256_pd,
    _mm256_add_epi64,
    _mm256_sub_epi64,
    _mm256_slli_epi64,
    _mm256_srli_epi64
);
