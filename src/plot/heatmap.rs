//! Fields on a grid as rasters, with their colour bar.

use super::axes::Axes;
use super::drawing::{Drawing, Shape, Side};
use super::palette::Palette;
use super::render::text_width;
use super::scale::Scale;
use super::style::{FRAME, LABEL_SIZE, TICK_SIZE, label};

/// Most pixels along one side of a raster: finer cells are averaged.
const MOST_PIXELS: usize = 360;

/// Values on a grid, row-major with the last axis (upwards on the paper) fastest.
#[derive(Clone, Debug)]
pub struct Field {
    /// Columns and rows.
    pub shape: (usize, usize),
    /// One value per cell; not a number outside the medium.
    pub values: Vec<f64>,
}

impl Field {
    /// The field on at most `most` cells along each side, by averages over blocks; a block wholly outside the medium
    /// stays outside.
    pub fn coarsened(&self, most: usize) -> Field {
        let (columns, rows) = (self.shape.0.min(most), self.shape.1.min(most));
        let mut values = Vec::with_capacity(columns * rows);
        for column in 0..columns {
            for row in 0..rows {
                let across = column * self.shape.0 / columns..(column + 1) * self.shape.0 / columns;
                let up = row * self.shape.1 / rows..(row + 1) * self.shape.1 / rows;
                let block = across.flat_map(|i| up.clone().map(move |j| i * self.shape.1 + j));
                let known: Vec<f64> = block.map(|index| self.values[index]).filter(|value| !value.is_nan()).collect();
                values.push(if known.is_empty() { f64::NAN } else { known.iter().sum::<f64>() / known.len() as f64 });
            }
        }
        Field { shape: (columns, rows), values }
    }

    /// Paints the field over a panel.
    pub fn paint(&self, drawing: &mut Drawing, axes: &Axes, colors: &Scale, palette: Palette) {
        let small = self.coarsened(MOST_PIXELS);
        let (columns, rows) = small.shape;
        let mut rgb = Vec::with_capacity(3 * columns * rows);
        for row in (0..rows).rev() {
            for column in 0..columns {
                rgb.extend(palette.color(colors.place(small.values[column * rows + row])));
            }
        }
        drawing.shapes.push(Shape::Raster {
            place: (axes.left, axes.top),
            size: (axes.width, axes.height),
            pixels: (columns, rows),
            rgb,
        });
    }
}

/// A colour bar `right` of a panel of the given top and height.
pub fn color_bar(
    drawing: &mut Drawing,
    (left, top): (f64, f64),
    height: f64,
    colors: &Scale,
    palette: Palette,
    text: &str,
) {
    let width = 14.0;
    let steps = 128;
    let rgb = (0..steps).rev().flat_map(|step| palette.color((step as f64 + 0.5) / steps as f64)).collect();
    drawing.shapes.push(Shape::Raster { place: (left, top), size: (width, height), pixels: (1, steps), rgb });
    let (right, bottom) = (left + width, top + height);
    drawing.line(vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], FRAME);
    let mut widest: f64 = 0.0;
    let mut last = f64::INFINITY;
    for tick in colors.ticks(((height / 40.0) as usize).clamp(2, 8)).into_iter().filter(|tick| !tick.label.is_empty()) {
        let y = bottom - colors.place(tick.value) * height;
        if last - y < 14.0 {
            continue;
        }
        last = y;
        drawing.line(vec![(right, y), (right + 4.0, y)], FRAME);
        widest = widest.max(text_width(&tick.label, TICK_SIZE));
        drawing.text((right + 8.0, y), label(tick.label, TICK_SIZE, (Side::Start, Side::Middle)));
    }
    let mut words = label(text, LABEL_SIZE, (Side::Middle, Side::Start));
    words.upwards = true;
    drawing.text((right + 18.0 + widest, top + height / 2.0), words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_averaged_and_the_outside_stays_outside() {
        let field = Field { shape: (4, 2), values: vec![1.0, 3.0, 5.0, f64::NAN, f64::NAN, f64::NAN, f64::NAN, 7.0] };
        let small = field.coarsened(2);
        assert_eq!(small.shape, (2, 2));
        assert_eq!(small.values[..2], [3.0, 3.0]);
        assert!(small.values[2].is_nan());
        assert_eq!(small.values[3], 7.0);
        assert_eq!(field.coarsened(10).shape, (4, 2));
    }

    #[test]
    fn rows_run_upwards() {
        let field = Field { shape: (1, 2), values: vec![0.0, 1.0] };
        let axes = Axes {
            left: 0.0,
            top: 0.0,
            width: 1.0,
            height: 1.0,
            x: Scale::linear([0.0, 1.0], 0.0),
            y: Scale::linear([0.0, 1.0], 0.0),
        };
        let mut drawing = Drawing::new(1.0, 1.0);
        field.paint(&mut drawing, &axes, &Scale::linear([0.0, 1.0], 0.0), Palette::Sequential);
        let Shape::Raster { rgb, .. } = &drawing.shapes[0] else { panic!("a raster") };
        assert_eq!(rgb[..3], Palette::Sequential.color(1.0));
    }
}
