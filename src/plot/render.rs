//! Drawings into SVG and PNG, through plotters with an embedded font.
//!
//! The same drawing gives the same bytes. PNG pixels are drawn four to a point and averaged, which smooths every edge;
//! SVG coordinates are integers eight to a point. Rasters stay rasters in both.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, IntoFont, RGBAColor, ShapeStyle, TextStyle, register_font};
use plotters_backend::{BackendColor, DrawingErrorKind};

use super::drawing::{Dash, Drawing, Label, Point, Shape, Side, Stroke};
use crate::error::{Error, Result};

/// Pixels of a PNG per point.
const PNG_SCALE: usize = 2;
/// Samples per pixel in each direction.
const SAMPLES: usize = 2;
/// Units of an SVG per point.
const SVG_SCALE: f64 = 8.0;
/// The family under which the embedded font is known; SVG viewers replace it by their own.
const FAMILY: &str = "sans-serif";

/// Writes `NAME.svg` and `NAME.png` into a folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(drawing: &Drawing, folder: &Path, name: &str) -> Result<()> {
    let save = |extension: &str, bytes: &[u8]| {
        let path = folder.join(format!("{name}.{extension}"));
        fs::write(&path, bytes).map_err(|source| Error::io("write", &path, source))
    };
    save("svg", svg(drawing)?.as_bytes())?;
    save("png", &png(drawing)?)
}

/// The drawing as PNG.
///
/// # Errors
/// When it cannot be encoded.
pub fn png(drawing: &Drawing) -> Result<Vec<u8>> {
    let scale = PNG_SCALE * SAMPLES;
    let (width, height) = ((drawing.width as usize) * scale, (drawing.height as usize) * scale);
    let mut samples = vec![255u8; 3 * width * height];
    {
        let mut backend = BitMapBackend::with_buffer(&mut samples, (width as u32, height as u32));
        paint(drawing, &mut backend, scale as f64, true)?;
    }
    let (across, down) = (width / SAMPLES, height / SAMPLES);
    let mut pixels = Vec::with_capacity(3 * across * down);
    for row in 0..down {
        for column in 0..across {
            for channel in 0..3 {
                let sample = |i: usize, j: usize| {
                    usize::from(samples[3 * ((SAMPLES * row + i) * width + SAMPLES * column + j) + channel])
                };
                let sum: usize = (0..SAMPLES * SAMPLES).map(|k| sample(k / SAMPLES, k % SAMPLES)).sum();
                pixels.push(((sum + SAMPLES * SAMPLES / 2) / (SAMPLES * SAMPLES)) as u8);
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, across as u32, down as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Default);
    encoder.set_adaptive_filter(png::AdaptiveFilterType::Adaptive);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .map_err(|error| unwritable(&error))?;
    Ok(bytes)
}

/// The drawing as SVG.
///
/// # Errors
/// When it cannot be drawn.
pub fn svg(drawing: &Drawing) -> Result<String> {
    let (width, height) = ((drawing.width * SVG_SCALE) as u32, (drawing.height * SVG_SCALE) as u32);
    let mut text = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut text, (width, height));
        paint(drawing, &mut backend, SVG_SCALE, false)?;
        backend.present().map_err(|error| unwritable(&error))?;
    }
    // The sheet has its size in points; the coordinates inside are finer.
    let text = text.replacen(
        &format!("width=\"{width}\" height=\"{height}\""),
        &format!("width=\"{}\" height=\"{}\"", drawing.width, drawing.height),
        1,
    );
    Ok(stretch_rasters(&text, drawing))
}

/// Plotters writes a raster in the size of its pixels; here each gets the rectangle that the drawing gives it.
fn stretch_rasters(text: &str, drawing: &Drawing) -> String {
    let mut rest = text;
    let mut whole = String::with_capacity(text.len());
    for shape in &drawing.shapes {
        let Shape::Raster { size, pixels, .. } = shape else { continue };
        let Some(start) = rest.find("<image ") else { break };
        let (before, after) = rest.split_at(start);
        whole.push_str(before);
        let own = format!("width=\"{}\" height=\"{}\" href=\"data:png;", pixels.0, pixels.1);
        let wanted = format!(
            "width=\"{:.0}\" height=\"{:.0}\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;",
            size.0 * SVG_SCALE,
            size.1 * SVG_SCALE
        );
        let end = after.find("/>").map_or(after.len(), |end| end + 2);
        whole.push_str(&after[..end].replacen(&own, &wanted, 1));
        rest = &after[end..];
    }
    whole.push_str(rest);
    whole
}

/// Width of a text in points.
pub fn text_width(text: &str, size: f64) -> f64 {
    embed_font();
    // Measured large, because the font answers in whole pixels.
    let font = (FAMILY, 16.0 * size).into_font();
    font.box_size(text).map_or(0.6 * size * text.chars().count() as f64, |(width, _)| f64::from(width) / 16.0)
}

/// Makes the embedded font known, once.
fn embed_font() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        for (style, bytes) in [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())] {
            // A font that does not parse would leave the figure without text, which its tests would see.
            let _ = register_font(FAMILY, style, bytes);
        }
    });
}

fn unwritable(error: &dyn std::fmt::Display) -> Error {
    Error::io("draw", "figure", std::io::Error::other(error.to_string()))
}

fn paint<B: DrawingBackend>(drawing: &Drawing, backend: &mut B, scale: f64, stretch: bool) -> Result<()> {
    embed_font();
    let at = |(x, y): Point| ((x * scale).round() as i32, (y * scale).round() as i32);
    let sheet = at((drawing.width, drawing.height));
    let white = ShapeStyle { color: RGBAColor(255, 255, 255, 1.0), filled: true, stroke_width: 0 };
    let fault = |error: DrawingErrorKind<B::ErrorType>| unwritable(&error);
    backend.draw_rect((0, 0), sheet, &white, true).map_err(fault)?;
    for shape in &drawing.shapes {
        match shape {
            Shape::Line(points, stroke) => {
                let style = ShapeStyle {
                    color: rgba(stroke.color),
                    filled: false,
                    stroke_width: ((stroke.width * scale).round() as u32).max(1),
                };
                for piece in dashes(points, stroke) {
                    let mut path: Vec<(i32, i32)> = piece.into_iter().map(at).collect();
                    path.dedup();
                    if path.len() > 1 {
                        backend.draw_path(path, &style).map_err(fault)?;
                    }
                }
            }
            Shape::Polygon(points, fill) => {
                backend.fill_polygon(points.iter().copied().map(at), &rgba(*fill)).map_err(fault)?;
            }
            Shape::Text(place, label) => {
                // Where a text is painted here, its box is centred, and that has room for descenders below the digits.
                let sink =
                    if stretch && !label.upwards && label.anchor.1 == Side::Middle { 0.13 * label.size } else { 0.0 };
                let place = at((place.0, place.1 + sink));
                backend.draw_text(&label.text, &text_style(label, scale), place).map_err(fault)?;
            }
            Shape::Raster { place, size, pixels, rgb } => {
                let target = if stretch { at(*size) } else { (pixels.0 as i32, pixels.1 as i32) };
                let target = (target.0.max(1) as usize, target.1.max(1) as usize);
                let mut stretched = Vec::with_capacity(3 * target.0 * target.1);
                for row in 0..target.1 {
                    let from = row * pixels.1 / target.1;
                    for column in 0..target.0 {
                        let index = 3 * (from * pixels.0 + column * pixels.0 / target.0);
                        stretched.extend_from_slice(&rgb[index..index + 3]);
                    }
                }
                backend.blit_bitmap(at(*place), (target.0 as u32, target.1 as u32), &stretched).map_err(fault)?;
            }
        }
    }
    Ok(())
}

fn rgba(color: super::drawing::Color) -> RGBAColor {
    RGBAColor(color.rgb[0], color.rgb[1], color.rgb[2], color.opacity)
}

fn text_style(label: &Label, scale: f64) -> TextStyle<'static> {
    let face = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = (FAMILY, label.size * scale, face).into_font();
    let font = if label.upwards { font.transform(FontTransform::Rotate270) } else { font };
    let horizontal = match label.anchor.0 {
        Side::Start => HPos::Left,
        Side::Middle => HPos::Center,
        Side::End => HPos::Right,
    };
    let vertical = match label.anchor.1 {
        Side::Start => VPos::Top,
        Side::Middle => VPos::Center,
        Side::End => VPos::Bottom,
    };
    let color =
        BackendColor { rgb: (label.color.rgb[0], label.color.rgb[1], label.color.rgb[2]), alpha: label.color.opacity };
    TextStyle { font, color, pos: Pos::new(horizontal, vertical) }
}

/// The pieces of a line that its pattern leaves.
fn dashes(points: &[Point], stroke: &Stroke) -> Vec<Vec<Point>> {
    let (on, off) = match stroke.dash {
        Dash::Solid => return vec![points.to_vec()],
        Dash::Dashed => (5.0, 3.0),
        Dash::Dotted => (1.6, 2.4),
    };
    let mut pieces = Vec::new();
    let mut piece = vec![points[0]];
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length < left {
                left -= length;
                break;
            }
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            if drawing {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        if drawing {
            piece.push(to);
        }
    }
    if piece.len() > 1 && piece[0] != piece[piece.len() - 1] {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Color;
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_line() {
        let stroke = Stroke { color: Color::solid([0; 3]), width: 1.0, dash: Dash::Dashed };
        let points: Vec<Point> = (0..=160).map(|i| (f64::from(i) * 0.5, 0.0)).collect();
        let pieces = dashes(&points, &stroke);
        let drawn: f64 = pieces.iter().map(|piece| piece[piece.len() - 1].0 - piece[0].0).sum();
        assert_eq!(pieces.len(), 10);
        assert!((drawn - 50.0).abs() < 1e-9, "{drawn}");
    }

    #[test]
    fn a_raster_fills_its_rectangle_and_text_is_drawn() {
        let mut drawing = Drawing::new(40.0, 20.0);
        drawing.shapes.push(Shape::Raster {
            place: (10.0, 5.0),
            size: (20.0, 10.0),
            pixels: (2, 1),
            rgb: vec![255, 0, 0, 0, 0, 255],
        });
        let text = svg(&drawing).expect("drawn");
        assert!(text.contains("x=\"80\" y=\"40\" width=\"160\" height=\"80\" preserveAspectRatio=\"none\""), "{text}");
        assert!(text.starts_with("<svg width=\"40\" height=\"20\" viewBox=\"0 0 320 160\""), "{text}");
        let decoder = png::Decoder::new(std::io::Cursor::new(png(&drawing).expect("drawn")));
        let mut reader = decoder.read_info().expect("a header");
        let mut pixels = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut pixels).expect("pixels");
        let pixel = |x: usize, y: usize| <[u8; 3]>::try_from(&pixels[3 * (80 * y + x)..][..3]).expect("three");
        assert_eq!(
            [pixel(19, 20), pixel(20, 10), pixel(39, 29), pixel(40, 20), pixel(59, 20), pixel(60, 20)],
            [[255; 3], [255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255], [255; 3]]
        );
        assert!(text_width("density", 12.0) > 35.0 && text_width("density", 12.0) < 60.0);
    }
}
