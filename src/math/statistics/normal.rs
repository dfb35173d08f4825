//! The normal law: its quantiles.
//!
//! Formula:   z = Φ⁻¹(p) by rational functions of degree 7, in p - 1/2 at the centre and in sqrt(-ln(tail)) outside
//! Assumes:   0 < p < 1
//! Cost:      one division at the centre (85 % of all p), a logarithm and a root more outside
//! Fails when p is no probability: not a number
//! Reference: \[Wichura1988\], algorithm AS 241, PPND16 (about 16 digits)

type Polynomial = [f64; 8];

const CENTRE_NUMERATOR: Polynomial = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DENOMINATOR: Polynomial = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const NEAR_NUMERATOR: Polynomial = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const NEAR_DENOMINATOR: Polynomial = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    1.0507500716444169e-09,
];
const FAR_NUMERATOR: Polynomial = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.7115555687434876e-05,
    2.0103343992922881e-07,
];
const FAR_DENOMINATOR: Polynomial = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    0.000_786_869_131_145_613_3,
    1.8463183175100548e-05,
    1.421511758316446e-07,
    2.0442631033899397e-15,
];

/// Coefficients from the constant on.
fn value(polynomial: &Polynomial, x: f64) -> f64 {
    polynomial.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The z with Φ(z) = p: -∞ at 0, ∞ at 1, not a number outside of \[0, 1\].
pub fn normal_quantile(p: f64) -> f64 {
    let offset = p - 0.5;
    if offset.abs() <= 0.425 {
        let x = 0.180_625 - offset * offset;
        return offset * value(&CENTRE_NUMERATOR, x) / value(&CENTRE_DENOMINATOR, x);
    }
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let tail = p.min(1.0 - p);
    if tail == 0.0 {
        return f64::INFINITY.copysign(offset);
    }
    let distance = (-tail.ln()).sqrt();
    let z = if distance <= 5.0 {
        value(&NEAR_NUMERATOR, distance - 1.6) / value(&NEAR_DENOMINATOR, distance - 1.6)
    } else {
        value(&FAR_NUMERATOR, distance - 5.0) / value(&FAR_DENOMINATOR, distance - 5.0)
    };
    z.copysign(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_have_sixteen_digits() {
        // Roots of log Φ(z) = log p in 40 digits, p the double next to the number written.
        let known = [
            (0.5, 0.0),
            (0.25, -0.674_489_750_196_081_7),
            (0.1, -1.281_551_565_544_600_4),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
            (1e-20, -9.262_340_089_798_408),
            (1e-100, -21.273_453_560_965_324),
            (1e-300, -37.047_096_299_361_2),
            (0.075, -1.439_531_470_938_456),
            (0.07, -1.475_791_028_179_170_7),
            (0.3, -0.524_400_512_708_040_8),
            (0.425, -0.189_118_426_272_792_52),
            (0.92, 1.405_071_560_309_632_8),
            (0.999, 3.090_232_306_167_813),
        ];
        for (p, expected) in known {
            let found = normal_quantile(p);
            assert!((found - expected).abs() <= 4e-16 * expected.abs(), "{p}: {found} {expected}");
        }
    }

    #[test]
    fn ends_and_no_probabilities() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!([-0.1, 1.1, f64::NAN].iter().all(|p| normal_quantile(*p).is_nan()));
    }
}
