//! A panel: two scales, their frame, and curves clipped to it.

use super::drawing::{Color, Dash, Drawing, Point, Side, Stroke};
use super::render::text_width;
use super::scale::{Scale, Spacing};
use super::style::{self, FRAME, GRID, LABEL_SIZE, TICK_SIZE, TITLE_SIZE, label};

/// Length of a labelled tick \[points\].
const TICK: f64 = 4.5;

/// A rectangle on the paper with a horizontal and a vertical scale.
#[derive(Clone, Copy, Debug)]
pub struct Axes {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Left to right.
    pub x: Scale,
    /// Bottom to top.
    pub y: Scale,
}

/// A legend entry: how it is drawn and what it says.
pub struct Entry {
    /// Line of the sample.
    pub stroke: Stroke,
    /// Words.
    pub text: String,
}

impl Axes {
    /// Place of (x, y) on the paper.
    pub fn point(&self, x: f64, y: f64) -> Point {
        (self.left + self.x.place(x) * self.width, self.top + (1.0 - self.y.place(y)) * self.height)
    }

    /// Grid lines at the labelled ticks, to be covered by the curves.
    pub fn grid(&self, drawing: &mut Drawing) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for tick in self.x_ticks().into_iter().filter(|tick| !tick.label.is_empty()) {
            let x = self.left + self.x.place(tick.value) * self.width;
            drawing.line(vec![(x, self.top), (x, bottom)], GRID);
        }
        for tick in self.y_ticks().into_iter().filter(|tick| !tick.label.is_empty()) {
            let y = bottom - self.y.place(tick.value) * self.height;
            drawing.line(vec![(self.left, y), (right, y)], GRID);
        }
    }

    /// Frame, ticks, labels and title.
    pub fn frame(&self, drawing: &mut Drawing, x_label: &str, y_label: &str, title: &str) {
        let bottom = self.top + self.height;
        self.outline(drawing);
        for tick in self.x_ticks() {
            let x = self.left + self.x.place(tick.value) * self.width;
            let length = if tick.label.is_empty() { 0.6 * TICK } else { TICK };
            drawing.line(vec![(x, bottom), (x, bottom + length)], FRAME);
            if !tick.label.is_empty() {
                drawing.text((x, bottom + 8.0), label(tick.label, TICK_SIZE, (Side::Middle, Side::Start)));
            }
        }
        let mut widest: f64 = 0.0;
        for tick in self.y_ticks() {
            let y = bottom - self.y.place(tick.value) * self.height;
            let length = if tick.label.is_empty() { 0.6 * TICK } else { TICK };
            drawing.line(vec![(self.left - length, y), (self.left, y)], FRAME);
            if !tick.label.is_empty() {
                widest = widest.max(text_width(&tick.label, TICK_SIZE));
                drawing.text((self.left - 7.0, y), label(tick.label, TICK_SIZE, (Side::End, Side::Middle)));
            }
        }
        if !x_label.is_empty() {
            let place = (self.left + self.width / 2.0, bottom + 25.0);
            drawing.text(place, label(x_label, LABEL_SIZE, (Side::Middle, Side::Start)));
        }
        if !y_label.is_empty() {
            let mut text = label(y_label, LABEL_SIZE, (Side::Middle, Side::End));
            text.upwards = true;
            drawing.text((self.left - 14.0 - widest, self.top + self.height / 2.0), text);
        }
        if !title.is_empty() {
            let place = (self.left + self.width / 2.0, self.top - 7.0);
            drawing.text(place, label(title, TITLE_SIZE, (Side::Middle, Side::End)));
        }
    }

    /// The rectangle alone.
    pub fn outline(&self, drawing: &mut Drawing) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let corners =
            vec![(self.left, self.top), (right, self.top), (right, bottom), (self.left, bottom), (self.left, self.top)];
        drawing.line(corners, FRAME);
    }

    /// Ticks and label of a second vertical scale on the right.
    pub fn right_scale(&self, drawing: &mut Drawing, scale: &Scale, text: &str) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let mut widest: f64 = 0.0;
        for tick in scale.ticks(self.tick_count(self.height, 45.0)).into_iter().filter(|tick| !tick.label.is_empty()) {
            let y = bottom - scale.place(tick.value) * self.height;
            drawing.line(vec![(right, y), (right + TICK, y)], FRAME);
            widest = widest.max(text_width(&tick.label, TICK_SIZE));
            drawing.text((right + 7.0, y), label(tick.label, TICK_SIZE, (Side::Start, Side::Middle)));
        }
        let mut words = label(text, LABEL_SIZE, (Side::Middle, Side::Start));
        words.upwards = true;
        drawing.text((right + 18.0 + widest, self.top + self.height / 2.0), words);
    }

    /// A curve through (x, y), clipped to the frame and broken where a value has no place.
    pub fn curve(&self, drawing: &mut Drawing, xs: &[f64], ys: &[f64], stroke: Stroke) {
        for piece in self.clipped(xs, ys) {
            drawing.line(piece, stroke);
        }
    }

    /// The area between a curve and the lower edge.
    pub fn fill_below(&self, drawing: &mut Drawing, xs: &[f64], ys: &[f64], fill: Color) {
        let bottom = self.top + self.height;
        let held: Vec<f64> = ys.iter().map(|y| y.clamp(self.y.lower, self.y.upper)).collect();
        for mut piece in self.clipped(xs, &held) {
            let (first, last) = (piece[0].0, piece[piece.len() - 1].0);
            piece.extend([(last, bottom), (first, bottom)]);
            drawing.polygon(piece, fill);
        }
    }

    /// The area between two curves, held inside the frame and broken where a value is not a number.
    pub fn band(&self, drawing: &mut Drawing, xs: &[f64], lower: &[f64], upper: &[f64], fill: Color) {
        let held = |y: f64| y.clamp(self.y.lower, self.y.upper);
        let is_drawn = |place: &usize| {
            let numbers = [xs[*place], lower[*place], upper[*place]];
            numbers.iter().all(|number| number.is_finite()) && (self.x.lower..=self.x.upper).contains(&xs[*place])
        };
        let places: Vec<usize> = (0..xs.len()).collect();
        for run in places.split(|place| !is_drawn(place)) {
            let above = run.iter().map(|&place| self.point(xs[place], held(upper[place])));
            let below = run.iter().rev().map(|&place| self.point(xs[place], held(lower[place])));
            drawing.polygon(above.chain(below).collect(), fill);
        }
    }

    /// A small square at every (x, y) inside the frame: what was computed, as against the line between.
    pub fn marks(&self, drawing: &mut Drawing, xs: &[f64], ys: &[f64], rgb: [u8; 3]) {
        for (x, y) in xs.iter().zip(ys).map(|(x, y)| self.point(*x, *y)).filter(|place| self.holds(*place)) {
            let half = 2.2;
            drawing.polygon(
                vec![(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)],
                Color::solid(rgb),
            );
        }
    }

    fn holds(&self, (x, y): Point) -> bool {
        let slack = 1e-6;
        (self.left - slack..=self.left + self.width + slack).contains(&x)
            && (self.top - slack..=self.top + self.height + slack).contains(&y)
    }

    /// Pieces of the curve inside the frame.
    fn clipped(&self, xs: &[f64], ys: &[f64]) -> Vec<Vec<Point>> {
        let places: Vec<Point> = xs.iter().zip(ys).map(|(x, y)| self.point(*x, *y)).collect();
        let mut pieces: Vec<Vec<Point>> = Vec::new();
        let mut open = false;
        for pair in thinned(&places).windows(2) {
            let Some((from, to)) = self.inside(pair[0], pair[1]) else {
                open = false;
                continue;
            };
            match pieces.last_mut() {
                Some(piece) if open => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
            open = to == pair[1];
        }
        pieces
    }

    /// The part of a segment inside the frame (Liang and Barsky).
    fn inside(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        if ![from.0, from.1, to.0, to.1].iter().all(|value| value.is_finite()) {
            return None;
        }
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        let edges = [
            (-dx, from.0 - self.left),
            (dx, self.left + self.width - from.0),
            (-dy, from.1 - self.top),
            (dy, self.top + self.height - from.1),
        ];
        for (direction, distance) in edges {
            if direction == 0.0 {
                if distance < -1e-9 {
                    return None;
                }
            } else if direction < 0.0 {
                enter = enter.max(distance / direction);
            } else {
                leave = leave.min(distance / direction);
            }
        }
        let at = |part: f64| (from.0 + part * dx, from.1 + part * dy);
        (enter <= leave).then(|| (if enter > 0.0 { at(enter) } else { from }, if leave < 1.0 { at(leave) } else { to }))
    }

    fn tick_count(&self, length: f64, room: f64) -> usize {
        ((length / room) as usize).clamp(2, 10)
    }

    fn x_ticks(&self) -> Vec<super::scale::Tick> {
        let room = if self.x.spacing == Spacing::Logarithmic { 42.0 } else { 62.0 };
        self.x.ticks(self.tick_count(self.width, room))
    }

    fn y_ticks(&self) -> Vec<super::scale::Tick> {
        self.y.ticks(self.tick_count(self.height, 42.0))
    }
}

/// At most four points (first, lowest, highest, last) for each half point of width: all that the paper shows.
fn thinned(places: &[Point]) -> Vec<Point> {
    if places.len() < 1500 {
        return places.to_vec();
    }
    let mut kept = Vec::new();
    let mut start = 0;
    while start < places.len() {
        let column = (2.0 * places[start].0).floor();
        let end = start + places[start..].iter().take_while(|place| (2.0 * place.0).floor() == column).count().max(1);
        let group = &places[start..end];
        let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let extremes = [group.first(), group.iter().min_by(by_height), group.iter().max_by(by_height), group.last()];
        let mut chosen: Vec<Point> = extremes.into_iter().flatten().copied().collect();
        chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
        chosen.dedup();
        kept.extend(chosen);
        start = end;
    }
    kept
}

/// A legend with its upper left corner at `place`; returns its width and height.
pub fn legend(drawing: &mut Drawing, place: Point, title: &str, entries: &[Entry]) -> Point {
    let line = 18.0;
    let sample = 26.0;
    let (left, mut y) = (place.0, place.1 + 8.0);
    let mut width = text_width(title, TICK_SIZE);
    if !title.is_empty() {
        drawing.text((left, y), label(title, TICK_SIZE, (Side::Start, Side::Middle)));
        y += line;
    }
    for entry in entries {
        drawing.line(vec![(left, y), (left + sample, y)], entry.stroke);
        drawing.text((left + sample + 6.0, y), label(entry.text.clone(), TICK_SIZE, (Side::Start, Side::Middle)));
        width = width.max(sample + 6.0 + text_width(&entry.text, TICK_SIZE));
        y += line;
    }
    (width, y - place.1)
}

/// The line of the stationary state in every figure.
pub const STATIONARY: Stroke = Stroke::solid(style::INK, 1.6).with_dash(Dash::Dashed);
/// The line of exp(-gamma L/D) in every figure.
pub const GIBBS: Stroke = Stroke::solid([200, 60, 30], 1.8).with_dash(Dash::Dotted);

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> Axes {
        Axes {
            left: 10.0,
            top: 20.0,
            width: 100.0,
            height: 50.0,
            x: Scale::linear([0.0, 1.0], 0.0),
            y: Scale::linear([0.0, 1.0], 0.0),
        }
    }

    #[test]
    fn curves_are_cut_at_the_frame_and_at_gaps() {
        let axes = axes();
        let pieces = axes.clipped(&[0.0, 0.5, 1.0], &[0.0, 2.0, 0.0]);
        assert_eq!(pieces, [vec![(10.0, 70.0), (35.0, 20.0)], vec![(85.0, 20.0), (110.0, 70.0)]]);
        let gap = axes.clipped(&[0.0, 0.25, 0.5, 0.75, 1.0], &[0.5, 0.5, f64::NAN, 0.5, 0.5]);
        assert_eq!(gap.len(), 2);
        assert!(axes.clipped(&[0.0, 1.0], &[3.0, 3.0]).is_empty());
    }

    #[test]
    fn thinning_keeps_the_peaks() {
        let places: Vec<Point> =
            (0..100_000).map(|i| (f64::from(i) * 1e-3, if i == 54_321 { 9.0 } else { 1.0 })).collect();
        let kept = thinned(&places);
        assert!(kept.len() < 1000 && kept.iter().any(|place| place.1 == 9.0));
    }
}
