//! Colour maps. Lightness is monotone in each half, so that they read in greyscale too.

use super::style::OUTSIDE;

/// Viridis (matplotlib's, CC0), dark to light.
const VIRIDIS: [u32; 20] = [
    0x440154, 0x481567, 0x482677, 0x453781, 0x404788, 0x39568C, 0x33638D, 0x2D708E, 0x287D8E, 0x238A8D, 0x1F968B,
    0x20A387, 0x29AF7F, 0x3CBB75, 0x55C667, 0x73D055, 0x95D840, 0xB8DE29, 0xDCE319, 0xFDE725,
];

/// Blue through white to red (ColorBrewer's RdBu reversed, Apache 2.0).
const BLUE_RED: [u32; 11] =
    [0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B, 0x67001F];

/// A colour map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Palette {
    /// For quantities from nothing to much.
    Sequential,
    /// For differences about zero.
    Diverging,
    /// For landscapes under lines: light at the bottom of the wells, grey above.
    Relief,
}

impl Palette {
    /// Colour at `part` from 0 to 1; what is not a number lies outside the medium.
    pub fn color(self, part: f64) -> [u8; 3] {
        if part.is_nan() {
            return OUTSIDE;
        }
        let part = part.clamp(0.0, 1.0);
        match self {
            Palette::Sequential => between(&VIRIDIS, part),
            Palette::Diverging => between(&BLUE_RED, part),
            Palette::Relief => between(&VIRIDIS, 1.0 - 0.85 * part),
        }
    }
}

/// Colour of curve `index` of `count`, dark first, never too light for white paper.
pub fn curve_color(index: usize, count: usize) -> [u8; 3] {
    Palette::Sequential.color(if count < 2 { 0.25 } else { 0.9 * index as f64 / (count - 1) as f64 })
}

fn between(stops: &[u32], part: f64) -> [u8; 3] {
    let place = part * (stops.len() - 1) as f64;
    let index = (place as usize).min(stops.len() - 2);
    let weight = place - index as f64;
    let channel = |shift: u32| {
        let value = |stop: u32| f64::from((stop >> shift) & 0xFF);
        (value(stops[index]) * (1.0 - weight) + value(stops[index + 1]) * weight).round() as u8
    };
    [channel(16), channel(8), channel(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lightness(rgb: [u8; 3]) -> f64 {
        0.2126 * f64::from(rgb[0]) + 0.7152 * f64::from(rgb[1]) + 0.0722 * f64::from(rgb[2])
    }

    #[test]
    fn maps_read_in_greyscale() {
        let parts: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
        let steps = |palette: Palette, from: usize, to: usize| {
            (from..to)
                .map(|i| lightness(palette.color(parts[i + 1])) - lightness(palette.color(parts[i])))
                .collect::<Vec<f64>>()
        };
        assert!(steps(Palette::Sequential, 0, 100).iter().all(|step| *step > -0.5));
        assert!(steps(Palette::Relief, 0, 100).iter().all(|step| *step < 0.5));
        assert!(steps(Palette::Diverging, 0, 50).iter().all(|step| *step > -0.5));
        assert!(steps(Palette::Diverging, 50, 100).iter().all(|step| *step < 0.5));
    }

    #[test]
    fn outside_of_the_medium_is_grey_and_ends_are_held() {
        assert_eq!(Palette::Sequential.color(f64::NAN), OUTSIDE);
        assert_eq!(Palette::Sequential.color(7.0), Palette::Sequential.color(1.0));
        assert_eq!(Palette::Diverging.color(0.5), [0xF7; 3]);
    }
}
