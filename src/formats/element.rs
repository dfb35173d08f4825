//! Types of the numbers in foreign files, and their bytes as `f64`.
//!
//! Every value of a float type is exact in `f64`; 64-bit integers beyond 2^53 are rounded.

use std::fmt;

/// Type of a number in a file; little-endian unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// IEEE double.
    F64,
    /// IEEE single.
    F32,
    /// IEEE half.
    F16,
    /// The upper half of an IEEE single.
    Bf16,
    /// Eight bits, four of exponent (bias 7), no infinity, NaN where all bits below the sign are 1.
    F8E4M3,
    /// Eight bits, five of exponent: the upper half of an IEEE half.
    F8E5M2,
    /// Eight bits of exponent alone: 2^(byte - 127), NaN for 255.
    F8E8M0,
    /// Signed, 64 bits.
    I64,
    /// Signed, 32 bits.
    I32,
    /// Signed, 16 bits.
    I16,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 64 bits.
    U64,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 8 bits.
    U8,
    /// One byte, 0 is false, anything else true.
    Bool,
}

impl ElementType {
    /// Bytes per element.
    pub fn width(self) -> usize {
        match self {
            ElementType::F64 | ElementType::I64 | ElementType::U64 => 8,
            ElementType::F32 | ElementType::I32 | ElementType::U32 => 4,
            ElementType::F16 | ElementType::Bf16 | ElementType::I16 | ElementType::U16 => 2,
            ElementType::F8E4M3
            | ElementType::F8E5M2
            | ElementType::F8E8M0
            | ElementType::I8
            | ElementType::U8
            | ElementType::Bool => 1,
        }
    }

    /// True for types with a fraction.
    pub fn is_float(self) -> bool {
        matches!(
            self,
            ElementType::F64
                | ElementType::F32
                | ElementType::F16
                | ElementType::Bf16
                | ElementType::F8E4M3
                | ElementType::F8E5M2
                | ElementType::F8E8M0
        )
    }

    /// The numbers in `bytes`, as many as `out` takes.
    ///
    /// # Panics
    /// When there are not `width` bytes for every number.
    pub fn decode(self, bytes: &[u8], out: &mut [f64]) {
        assert_eq!(bytes.len(), out.len() * self.width(), "a whole number of elements");
        match self {
            ElementType::F64 => each(bytes, out, f64::from_le_bytes),
            ElementType::F32 => each(bytes, out, |word| f64::from(f32::from_le_bytes(word))),
            ElementType::F16 => each(bytes, out, |word| half(u16::from_le_bytes(word))),
            ElementType::Bf16 => {
                each(bytes, out, |word| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)));
            }
            ElementType::F8E4M3 => each(bytes, out, |[byte]| eight_bits(byte)),
            ElementType::F8E5M2 => each(bytes, out, |[byte]| half(u16::from(byte) << 8)),
            ElementType::F8E8M0 => each(bytes, out, |[byte]| power_of_two(byte)),
            ElementType::I64 => each(bytes, out, |word| i64::from_le_bytes(word) as f64),
            ElementType::I32 => each(bytes, out, |word| f64::from(i32::from_le_bytes(word))),
            ElementType::I16 => each(bytes, out, |word| f64::from(i16::from_le_bytes(word))),
            ElementType::I8 => each(bytes, out, |word| f64::from(i8::from_le_bytes(word))),
            ElementType::U64 => each(bytes, out, |word| u64::from_le_bytes(word) as f64),
            ElementType::U32 => each(bytes, out, |word| f64::from(u32::from_le_bytes(word))),
            ElementType::U16 => each(bytes, out, |word| f64::from(u16::from_le_bytes(word))),
            ElementType::U8 => each(bytes, out, |[byte]| f64::from(byte)),
            ElementType::Bool => each(bytes, out, |[byte]| f64::from(u8::from(byte != 0))),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::F64 => "float64",
            ElementType::F32 => "float32",
            ElementType::F16 => "float16",
            ElementType::Bf16 => "bfloat16",
            ElementType::F8E4M3 => "float8_e4m3fn",
            ElementType::F8E5M2 => "float8_e5m2",
            ElementType::F8E8M0 => "float8_e8m0fnu",
            ElementType::I64 => "int64",
            ElementType::I32 => "int32",
            ElementType::I16 => "int16",
            ElementType::I8 => "int8",
            ElementType::U64 => "uint64",
            ElementType::U32 => "uint32",
            ElementType::U16 => "uint16",
            ElementType::U8 => "uint8",
            ElementType::Bool => "bool",
        })
    }
}

fn each<const WIDTH: usize>(bytes: &[u8], out: &mut [f64], convert: impl Fn([u8; WIDTH]) -> f64) {
    let (words, _) = bytes.as_chunks::<WIDTH>();
    out.iter_mut().zip(words).for_each(|(value, word)| *value = convert(*word));
}

/// The number of an IEEE half. Its exponent and mantissa are those of a double 2^1008 times smaller, subnormal ones too.
fn half(bits: u16) -> f64 {
    const SCALE: f64 = f64::from_bits((1008 + 1023) << 52);
    let magnitude = f64::from_bits(u64::from(bits & 0x7fff) << 42) * SCALE;
    // All ones in the exponent: infinity or NaN, not 65536 and above.
    let magnitude = if magnitude < 65536.0 {
        magnitude
    } else if bits & 0x3ff == 0 {
        f64::INFINITY
    } else {
        f64::NAN
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

fn eight_bits(byte: u8) -> f64 {
    if byte & 0x7f == 0x7f {
        return f64::NAN;
    }
    // The half with the same mantissa has its exponent biased by 15, not 7.
    let half_bits = (u16::from(byte & 0x80) << 8) | (u16::from(byte & 0x7f) << 7);
    const SCALE: f64 = 256.0;
    half(half_bits) * SCALE
}

fn power_of_two(byte: u8) -> f64 {
    if byte == 255 { f64::NAN } else { f64::from_bits((u64::from(byte) + 1023 - 127) << 52) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A float by its definition: sign, exponent of the given width and bias, fraction.
    fn defined(bits: u32, exponent_bits: u32, fraction_bits: u32, bias: i32) -> f64 {
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / f64::from(1u32 << fraction_bits);
        let exponent = ((bits >> fraction_bits) & ((1 << exponent_bits) - 1)).cast_signed();
        let magnitude =
            if exponent == 0 { fraction * 2f64.powi(1 - bias) } else { (1.0 + fraction) * 2f64.powi(exponent - bias) };
        if bits >> (exponent_bits + fraction_bits) & 1 == 1 { -magnitude } else { magnitude }
    }

    fn one(element: ElementType, bytes: &[u8]) -> f64 {
        let mut out = [0.0];
        element.decode(bytes, &mut out);
        out[0]
    }

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn every_small_float_is_what_its_bits_say() {
        for bits in 0..=u16::MAX {
            let whole = u32::from(bits);
            let mut expected = defined(whole, 5, 10, 15);
            if bits & 0x7c00 == 0x7c00 {
                expected = if bits & 0x3ff == 0 { f64::INFINITY.copysign(expected) } else { f64::NAN };
            }
            assert!(same(one(ElementType::F16, &bits.to_le_bytes()), expected), "{bits:#x}");
            let mut expected = defined(whole, 8, 7, 127);
            if bits & 0x7f80 == 0x7f80 {
                expected = if bits & 0x7f == 0 { f64::INFINITY.copysign(expected) } else { f64::NAN };
            }
            assert!(same(one(ElementType::Bf16, &bits.to_le_bytes()), expected), "{bits:#x}");
        }
        for byte in 0..=u8::MAX {
            let whole = u32::from(byte);
            let expected = if byte & 0x7f == 0x7f { f64::NAN } else { defined(whole, 4, 3, 7) };
            assert!(same(one(ElementType::F8E4M3, &[byte]), expected), "{byte:#x}");
            let mut expected = defined(whole, 5, 2, 15);
            if byte & 0x7c == 0x7c {
                expected = if byte & 3 == 0 { f64::INFINITY.copysign(expected) } else { f64::NAN };
            }
            assert!(same(one(ElementType::F8E5M2, &[byte]), expected), "{byte:#x}");
            let expected = if byte == 255 { f64::NAN } else { 2f64.powi(i32::from(byte) - 127) };
            assert!(same(one(ElementType::F8E8M0, &[byte]), expected), "{byte:#x}");
        }
        assert_eq!(one(ElementType::F8E4M3, &[0x7e]), 448.0, "the largest number of the type");
    }

    #[test]
    fn whole_numbers_and_wide_floats_are_exact() {
        assert_eq!(one(ElementType::F64, &0.1f64.to_le_bytes()), 0.1);
        assert_eq!(one(ElementType::F32, &0.1f32.to_le_bytes()), f64::from(0.1f32));
        assert_eq!(one(ElementType::I64, &(-5i64).to_le_bytes()), -5.0);
        assert_eq!(one(ElementType::I32, &(-70_000i32).to_le_bytes()), -70_000.0);
        assert_eq!(one(ElementType::I16, &(-300i16).to_le_bytes()), -300.0);
        assert_eq!(one(ElementType::I8, &[0xff]), -1.0);
        assert_eq!(one(ElementType::U64, &(1u64 << 40).to_le_bytes()), 2f64.powi(40));
        assert_eq!(one(ElementType::U32, &u32::MAX.to_le_bytes()), f64::from(u32::MAX));
        assert_eq!(one(ElementType::U16, &u16::MAX.to_le_bytes()), 65535.0);
        assert_eq!(one(ElementType::U8, &[200]), 200.0);
        assert_eq!(one(ElementType::Bool, &[1]), 1.0);
    }
}
