//! Figures of a section: the loss with the training's path, learning coefficients with their errors, the diffusivity.

use super::axes::Axes;
use super::drawing::{Color, Drawing, Point, Side, Stroke};
use super::ends;
use super::heatmap::{Field, color_bar};
use super::palette::Palette;
use super::scale::{Scale, Spacing};
use super::style::{CURVE, INK, LABEL_SIZE, TICK_SIZE, label};
use super::two_dimensions::contour_lines;
use crate::storage::landscape::StoredPath;
use crate::storage::{LandscapeReport, StoredLandscape};

/// Number of contour levels.
const LEVELS: usize = 12;
/// Longest side of a map \[points\].
const LONGEST: f64 = 430.0;
/// Losses below this part of the highest share one colour: a minimum of 0 has no logarithm.
const FLOOR: f64 = 1e-5;
/// Ink of the path.
const PATH: [u8; 3] = [200, 40, 20];
const WHITE: [u8; 3] = [255; 3];

/// Every figure of a section with its name.
pub(super) fn figures(section: &StoredLandscape, report: &LandscapeReport) -> Vec<(&'static str, Drawing)> {
    if section.axes.len() == 1 {
        return lines(section, report);
    }
    let losses = loss_scale(&section.loss);
    let title = &report.title;
    let held: Vec<f64> = section.loss.iter().map(|loss| loss.max(losses.lower)).collect();
    let words = match losses.spacing {
        Spacing::Logarithmic => "loss L (loss units), logarithmic",
        _ => "loss L (loss units)",
    };
    let mut figures = Vec::new();
    let mut sheet = Sheet::new(section, report, 1);
    sheet.map(0, &Map { values: &held, colors: losses, palette: Palette::Relief, words, title, contours: WHITE });
    figures.push(("section", sheet.drawing));
    if let Some((value, error)) = &section.learning_coefficient {
        let mut sheet = Sheet::new(section, report, 2);
        let colors = Scale::linear(value.iter().copied(), 0.0);
        let words = "learning coefficient λ";
        sheet.map(0, &Map { values: value, colors, palette: Palette::Sequential, words, title, contours: WHITE });
        let colors = Scale::from_zero(super::largest(error), Spacing::Linear);
        let words = "error of λ";
        sheet.map(
            1,
            &Map { values: error, colors, palette: Palette::Sequential, words, title: "error", contours: WHITE },
        );
        figures.push(("learning_coefficient", sheet.drawing));
    }
    if let Some(values) = &section.log10_diffusivity {
        let mut sheet = Sheet::new(section, report, 1);
        let title = report
            .diffusivity
            .map_or(title.clone(), |found| format!("{title}, ξ = {}, d_s = {}", found.scale, found.spectral_dimension));
        let colors = Scale::linear(values.iter().copied(), 0.0);
        let words = "log₁₀ of the diffusivity D_ξ";
        let palette = Palette::Sequential;
        sheet.map(0, &Map { values, colors, palette, words, title: &title, contours: WHITE });
        figures.push(("log10_diffusivity", sheet.drawing));
    }
    figures
}

/// Logarithmic where the losses are positive and spread, linear otherwise.
fn loss_scale(losses: &[f64]) -> Scale {
    let finite = || losses.iter().copied().filter(|loss| loss.is_finite());
    let (lowest, highest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if lowest >= 0.0 && highest > 3.0 * lowest {
        let lower = lowest.max(FLOOR * highest);
        return Scale { lower, upper: highest, spacing: Spacing::Logarithmic };
    }
    Scale::linear([lowest, highest], 0.0)
}

/// One map on a sheet.
struct Map<'a> {
    values: &'a [f64],
    colors: Scale,
    palette: Palette,
    words: &'a str,
    title: &'a str,
    contours: [u8; 3],
}

/// Maps of one section side by side.
struct Sheet<'a> {
    section: &'a StoredLandscape,
    report: &'a LandscapeReport,
    size: (f64, f64),
    drawing: Drawing,
}

impl<'a> Sheet<'a> {
    fn new(section: &'a StoredLandscape, report: &'a LandscapeReport, maps: usize) -> Self {
        let side = |axis: usize| {
            let (lower, upper) = ends(&section.axes[axis]);
            upper - lower
        };
        let ratio = (side(1) / side(0)).clamp(0.5, 1.6);
        let longest = if maps > 1 { 0.8 * LONGEST } else { LONGEST };
        let size =
            if ratio <= 1.0 { (longest, (longest * ratio).round()) } else { ((longest / ratio).round(), longest) };
        let legend = if section.trajectory.is_some() { 26.0 } else { 0.0 };
        let drawing = Drawing::new((size.0 + 222.0) * maps as f64, size.1 + 94.0 + legend);
        Sheet { section, report, size, drawing }
    }

    fn map(&mut self, place: usize, map: &Map<'_>) {
        let section = self.section;
        let scale = |axis: usize| {
            let (lower, upper) = ends(&section.axes[axis]);
            Scale { lower, upper, spacing: Spacing::Linear }
        };
        let (width, height) = self.size;
        let left = 92.0 + place as f64 * (width + 222.0);
        let axes = Axes { left, top: 40.0, width, height, x: scale(0), y: scale(1) };
        let shape = (section.axes[0].len(), section.axes[1].len());
        let field = |values: &[f64]| Field { shape, values: values.to_vec() };
        field(map.values).paint(&mut self.drawing, &axes, &map.colors, map.palette);
        let losses = loss_scale(&section.loss);
        let levels: Vec<f64> = (1..=LEVELS).map(|k| losses.value(k as f64 / (LEVELS + 1) as f64)).collect();
        contour_lines(&mut self.drawing, &axes, &field(&section.loss), &levels, Stroke::solid(map.contours, 0.8));
        if let Some(path) = &section.trajectory {
            draw_path(&mut self.drawing, &axes, path);
            if place == 0 {
                let along = axes.left + 4.0;
                path_legend(&mut self.drawing, (along, axes.top + height + 58.0), path.step.len());
            }
        }
        let labels = &self.report.section.labels;
        axes.frame(&mut self.drawing, &labels[0], "", map.title);
        upright(&mut self.drawing, (left - 46.0, axes.top + height / 2.0), &labels[1]);
        let bar = (axes.left + width + 16.0, axes.top);
        color_bar(&mut self.drawing, bar, height, &map.colors, map.palette, map.words);
    }
}

/// The label of the vertical axis in two lines: maps may be low.
fn upright(drawing: &mut Drawing, (x, y): Point, words: &str) {
    let (first, second) = match words.find(" (") {
        Some(place) => words.split_at(place),
        None => (words, ""),
    };
    for (line, x) in [(first, x - 17.0), (second.trim_start(), x)] {
        let mut text = label(line, LABEL_SIZE, (Side::Middle, Side::End));
        text.upwards = true;
        drawing.text((x, y), text);
    }
}

fn draw_path(drawing: &mut Drawing, axes: &Axes, path: &StoredPath) {
    let column = |axis: usize| path.coordinates.iter().map(|place| place[axis]).collect::<Vec<f64>>();
    let (xs, ys) = (column(0), column(1));
    axes.curve(drawing, &xs, &ys, Stroke::solid(WHITE, 2.8));
    axes.curve(drawing, &xs, &ys, Stroke::solid(PATH, 1.3));
    axes.marks(drawing, &xs, &ys, PATH);
    let is_inside =
        |(x, y): Point| x >= axes.left && x <= axes.left + axes.width && y >= axes.top && y <= axes.top + axes.height;
    let last = xs.len() - 1;
    for (k, mark) in [(0, start_mark as fn(&mut Drawing, Point)), (last, end_mark)] {
        let place = axes.point(xs[k], ys[k]);
        if is_inside(place) {
            mark(drawing, place);
        }
    }
}

/// An empty square.
fn start_mark(drawing: &mut Drawing, (x, y): Point) {
    let square =
        |half: f64| vec![(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)];
    drawing.polygon(square(6.5), Color::solid(WHITE));
    drawing.polygon(square(5.2), Color::solid(INK));
    drawing.polygon(square(3.2), Color::solid(WHITE));
}

/// A cross.
fn end_mark(drawing: &mut Drawing, (x, y): Point) {
    for stroke in [Stroke::solid(WHITE, 5.0), Stroke::solid(INK, 2.4)] {
        for (dx, dy) in [(6.0, 6.0), (6.0, -6.0)] {
            drawing.line(vec![(x - dx, y - dy), (x + dx, y + dy)], stroke);
        }
    }
}

fn path_legend(drawing: &mut Drawing, (left, y): Point, checkpoints: usize) {
    let mut word = |x: f64, text: String| {
        drawing.text((x, y), label(text, TICK_SIZE, (Side::Start, Side::Middle)));
    };
    word(left + 32.0, format!("path of the training, {checkpoints} checkpoints"));
    word(left + 264.0, "start".into());
    word(left + 334.0, "end".into());
    drawing.line(vec![(left, y), (left + 26.0, y)], Stroke::solid(PATH, 1.3));
    let (x, half) = (left + 13.0, 2.2);
    drawing.polygon(
        vec![(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)],
        Color::solid(PATH),
    );
    start_mark(drawing, (left + 252.0, y));
    end_mark(drawing, (left + 322.0, y));
}

/// Figures of a line: the loss, the learning coefficient with its error, the diffusivity.
fn lines(section: &StoredLandscape, report: &LandscapeReport) -> Vec<(&'static str, Drawing)> {
    let positions = &section.axes[0];
    let (lower, upper) = ends(positions);
    let x_label = &report.section.labels[0];
    let line = |values: &[f64], band: Option<&[f64]>, y: Scale, words: &str| {
        let mut drawing = Drawing::new(640.0, 400.0);
        let x = Scale { lower, upper, spacing: Spacing::Linear };
        let axes = Axes { left: 84.0, top: 36.0, width: 520.0, height: 300.0, x, y };
        axes.grid(&mut drawing);
        if let Some(band) = band {
            for sign in [-1.0, 1.0] {
                let edge: Vec<f64> = values.iter().zip(band).map(|(value, error)| value + sign * error).collect();
                axes.curve(&mut drawing, positions, &edge, Stroke::solid([150; 3], 0.9));
            }
        }
        axes.curve(&mut drawing, positions, values, Stroke::solid([38, 130, 142], CURVE));
        axes.frame(&mut drawing, x_label, words, &report.title);
        (drawing, axes)
    };
    let scale = match loss_scale(&section.loss) {
        Scale { lower, upper, spacing: Spacing::Logarithmic } => Scale::logarithmic([lower, upper], 0.04),
        Scale { lower, upper, .. } => Scale::linear([lower, upper], 0.05),
    };
    let (mut drawing, axes) = line(&section.loss, None, scale, "loss L (loss units)");
    if let Some(path) = &section.trajectory {
        let xs: Vec<f64> = path.coordinates.iter().map(|place| place[0]).collect();
        axes.marks(&mut drawing, &xs, &path.loss, PATH);
        let place = (axes.left + axes.width - 8.0, axes.top + 14.0);
        drawing
            .text(place, label("squares: losses of the checkpoints themselves", TICK_SIZE, (Side::End, Side::Middle)));
    }
    let mut figures = vec![("section", drawing)];
    if let Some((value, error)) = &section.learning_coefficient {
        let around = value.iter().zip(error).flat_map(|(value, error)| [value - error, value + error]);
        let scale = Scale::linear(around, 0.05);
        figures.push(("learning_coefficient", line(value, Some(error), scale, "learning coefficient λ ± error").0));
    }
    if let Some(values) = &section.log10_diffusivity {
        let scale = Scale::linear(values.iter().copied(), 0.05);
        figures.push(("log10_diffusivity", line(values, None, scale, "log₁₀ of the diffusivity D_ξ").0));
    }
    figures
}
