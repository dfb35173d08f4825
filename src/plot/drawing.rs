//! A drawing: shapes in points, in painting order, that know nothing of the file they end in.

/// A place on the paper: points from the left and from the top.
pub type Point = (f64, f64);

/// A colour with opacity 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color {
    /// Red, green, blue.
    pub rgb: [u8; 3],
    /// 0 invisible, 1 solid.
    pub opacity: f64,
}

impl Color {
    /// A solid colour.
    pub const fn solid(rgb: [u8; 3]) -> Self {
        Color { rgb, opacity: 1.0 }
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long strokes.
    Dashed,
    /// Short strokes.
    Dotted,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub color: Color,
    /// Its width in points.
    pub width: f64,
    /// Its pattern.
    pub dash: Dash,
}

impl Stroke {
    /// An unbroken line.
    pub const fn solid(rgb: [u8; 3], width: f64) -> Self {
        Stroke { color: Color::solid(rgb), width, dash: Dash::Solid }
    }

    /// The same line in another pattern.
    pub const fn with_dash(self, dash: Dash) -> Self {
        Stroke { dash, ..self }
    }
}

/// Which side of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    /// The text begins there (or hangs below it).
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there (or stands on it).
    End,
}

/// A text and its look.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The words.
    pub text: String,
    /// Size in points.
    pub size: f64,
    /// Horizontal and vertical side.
    pub anchor: (Side, Side),
    /// Bold face.
    pub bold: bool,
    /// Reads upwards.
    pub upwards: bool,
    /// Its colour.
    pub color: Color,
}

/// One thing to paint.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line through points.
    Line(Vec<Point>, Stroke),
    /// A filled polygon.
    Polygon(Vec<Point>, Color),
    /// A text at a place.
    Text(Point, Label),
    /// A raster, stretched to its rectangle without smoothing.
    Raster {
        /// Left and top.
        place: Point,
        /// Width and height.
        size: Point,
        /// Pixels across and down.
        pixels: (usize, usize),
        /// Red, green, blue of each pixel, row by row from the top.
        rgb: Vec<u8>,
    },
}

/// Shapes on a sheet of paper.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width in points.
    pub width: f64,
    /// Height in points.
    pub height: f64,
    /// In painting order.
    pub shapes: Vec<Shape>,
}

impl Drawing {
    /// An empty sheet.
    pub fn new(width: f64, height: f64) -> Self {
        Drawing { width, height, shapes: Vec::new() }
    }

    /// Adds a line.
    pub fn line(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line(points, stroke));
        }
    }

    /// Adds a polygon.
    pub fn polygon(&mut self, points: Vec<Point>, fill: Color) {
        if points.len() > 2 {
            self.shapes.push(Shape::Polygon(points, fill));
        }
    }

    /// Adds a text.
    pub fn text(&mut self, place: Point, label: Label) {
        self.shapes.push(Shape::Text(place, label));
    }
}
