//! A line or a plane through a landscape, which is a landscape again.
//!
//! Formula:   S(c) = L( w_0 + Σ_k c_k u_k );   a point w belongs to the c with the least |w - w_0 - Σ_k c_k u_k|
//! Assumes:   directions that are linearly independent; they need not be orthogonal or of length 1
//! Cost:      d multiplications per direction and point beside the loss itself
//! Fails when the directions are nearly parallel: places found by projection lose digits

use super::Landscape;
use crate::error::{Error, Result};

/// Points that are handed to the landscape at a time: enough for its blocks, little enough for its caches.
const POINTS: usize = 64;
/// Part of a direction that must be left when the directions before it are taken out.
const INDEPENDENT: f64 = 1e-10;

/// A section of a landscape along one direction or several.
#[derive(Clone)]
pub struct Section<'a> {
    landscape: &'a dyn Landscape,
    origin: Vec<f64>,
    directions: Vec<Vec<f64>>,
    /// Cholesky factor of the inner products of the directions, row after row.
    factor: Vec<f64>,
}

impl<'a> Section<'a> {
    /// Through `origin` (length d) along `directions` (length d each) \[w per unit of a coordinate\].
    ///
    /// # Errors
    /// When there is no direction, lengths differ from the landscape's, a number is not finite, or a direction is a
    /// combination of those before it.
    pub fn new(landscape: &'a dyn Landscape, origin: Vec<f64>, directions: Vec<Vec<f64>>) -> Result<Self> {
        let dimension = landscape.dimension();
        let refuse = |value: String, rule: String| {
            Err(Error::invalid("section.directions", value, rule, "give independent directions of the landscape"))
        };
        if directions.is_empty() {
            return refuse("(none)".into(), "a section has at least one direction".into());
        }
        for vector in directions.iter().chain([&origin]) {
            if vector.len() != dimension {
                let rule = format!("the landscape has {dimension} parameters");
                return refuse(format!("{} numbers", vector.len()), rule);
            }
            if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
                return refuse(value.to_string(), "every number must be finite".into());
            }
        }
        let Some(factor) = cholesky(&directions) else {
            let rule = "one of them is zero or a combination of the others".to_string();
            return refuse(format!("{} directions", directions.len()), rule);
        };
        Ok(Section { landscape, origin, directions, factor })
    }

    /// The point at the coordinates 0.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// The directions, d numbers each.
    pub fn directions(&self) -> &[Vec<f64>] {
        &self.directions
    }

    /// The point at `coordinates`, one per direction; `out` (length d) is overwritten.
    pub fn point(&self, coordinates: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.origin);
        for (coordinate, direction) in coordinates.iter().zip(&self.directions) {
            out.iter_mut().zip(direction).for_each(|(value, step)| *value += coordinate * step);
        }
    }

    /// Coordinates of the point of the section that is nearest to `point` (length d), and its distance \[w\].
    pub fn project(&self, point: &[f64]) -> (Vec<f64>, f64) {
        let count = self.directions.len();
        let mut rest: Vec<f64> = point.iter().zip(&self.origin).map(|(value, origin)| value - origin).collect();
        let mut coordinates = vec![0.0; count];
        // A second round brings the digits that the first one lost.
        for _ in 0..2 {
            let mut step: Vec<f64> = self.directions.iter().map(|direction| dot(direction, &rest)).collect();
            for i in 0..count {
                let known: f64 = (0..i).map(|j| self.factor[i * count + j] * step[j]).sum();
                step[i] = (step[i] - known) / self.factor[i * count + i];
            }
            for i in (0..count).rev() {
                let known: f64 = (i + 1..count).map(|j| self.factor[j * count + i] * step[j]).sum();
                step[i] = (step[i] - known) / self.factor[i * count + i];
            }
            for ((coordinate, step), direction) in coordinates.iter_mut().zip(&step).zip(&self.directions) {
                *coordinate += step;
                rest.iter_mut().zip(direction).for_each(|(value, along)| *value -= step * along);
            }
        }
        (coordinates, dot(&rest, &rest).sqrt())
    }
}

impl Landscape for Section<'_> {
    fn dimension(&self) -> usize {
        self.directions.len()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        let mut place = vec![0.0; self.origin.len()];
        self.point(point, &mut place);
        self.landscape.loss(&place)
    }

    fn losses(&self, points: &[f64], out: &mut [f64]) -> Result<()> {
        let (own, dimension) = (self.dimension(), self.origin.len());
        assert_eq!(points.len(), out.len() * own, "points must be (count, dimension)");
        let mut places = vec![0.0; POINTS.min(out.len()) * dimension];
        for (points, out) in points.chunks(POINTS * own).zip(out.chunks_mut(POINTS)) {
            let places = &mut places[..out.len() * dimension];
            points
                .chunks_exact(own)
                .zip(places.chunks_exact_mut(dimension))
                .for_each(|(c, place)| self.point(c, place));
            self.landscape.losses(places, out).map_err(|error| match error {
                Error::Invalid { rule, .. } => Error::invalid(
                    "section.upper",
                    format!("the part of the section from {:?} to {:?}", &points[..own], &points[points.len() - own..]),
                    rule,
                    "cut a smaller section",
                ),
                other => other,
            })?;
        }
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Lower triangular factor of the inner products; `None` when the vectors are dependent.
fn cholesky(vectors: &[Vec<f64>]) -> Option<Vec<f64>> {
    let count = vectors.len();
    let mut factor = vec![0.0; count * count];
    for i in 0..count {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * count + k] * factor[j * count + k]).sum();
            let (product, square) = (dot(&vectors[i], &vectors[j]), dot(&vectors[i], &vectors[i]));
            let left = product - known;
            factor[i * count + j] = match i == j {
                true if left > INDEPENDENT * square && left.is_finite() => left.sqrt(),
                true => return None,
                false => left / factor[j * count + j],
            };
        }
    }
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::ExpressionLandscape;
    use crate::math::random::Stream;

    fn bowl() -> ExpressionLandscape {
        ExpressionLandscape::new("w1^2 + 2*w2^2 + 3*w3^2 + w1*w4 + w4^4", 4).expect("a formula")
    }

    #[test]
    fn a_section_of_a_section_is_a_section() {
        let landscape = bowl();
        let plane = Section::new(
            &landscape,
            vec![1.0, 0.5, -1.0, 0.25],
            vec![vec![1.0, 2.0, 0.0, 0.5], vec![0.0, 1.0, -1.0, 0.25]],
        )
        .expect("independent directions");
        let line = Section::new(&plane, vec![0.5, -0.25], vec![vec![2.0, 1.0]]).expect("a direction");
        for c in [-1.5, 0.0, 0.75] {
            let (a, b) = (0.5 + 2.0 * c, -0.25 + c);
            let point = [1.0 + a, 0.5 + 2.0 * a + b, -1.0 - b, 0.25 + 0.5 * a + 0.25 * b];
            // Every number is a short binary fraction: nothing is rounded.
            assert_eq!(line.loss(&[c]), landscape.loss(&point));
        }
        let points: Vec<f64> = (0..150).map(|k| f64::from(k) / 64.0).collect();
        let mut losses = vec![0.0; 150];
        line.losses(&points, &mut losses).expect("finite losses");
        assert!(points.iter().zip(&losses).all(|(c, loss)| line.loss(&[*c]) == *loss));
    }

    #[test]
    fn the_nearest_point_leaves_a_rest_at_right_angles() {
        let mut stream = Stream::new(3, "section", 0);
        let mut vector = |scale: f64| -> Vec<f64> { (0..40).map(|_| scale * stream.normal()).collect() };
        let zero = Zero(40);
        let section =
            Section::new(&zero, vector(1.0), vec![vector(1e-3), vector(50.0)]).expect("independent directions");
        for _ in 0..20 {
            let point = vector(2.0);
            let (coordinates, distance) = section.project(&point);
            let mut nearest = vec![0.0; 40];
            section.point(&coordinates, &mut nearest);
            let rest: Vec<f64> = point.iter().zip(&nearest).map(|(a, b)| a - b).collect();
            for direction in section.directions() {
                let cosine = dot(direction, &rest) / (dot(direction, direction) * dot(&rest, &rest)).sqrt();
                assert!(cosine.abs() < 1e-12, "{cosine:e}");
            }
            assert!((distance - dot(&rest, &rest).sqrt()).abs() < 1e-12 * distance);
        }
        let mut inside = vec![0.0; 40];
        section.point(&[30.0, -0.25], &mut inside);
        let (coordinates, distance) = section.project(&inside);
        assert!((coordinates[0] - 30.0).abs() < 1e-9 && (coordinates[1] + 0.25).abs() < 1e-13 && distance < 1e-12);
    }

    struct Zero(usize);

    impl Landscape for Zero {
        fn dimension(&self) -> usize {
            self.0
        }

        fn loss(&self, _: &[f64]) -> f64 {
            0.0
        }
    }

    #[test]
    fn dependent_directions_and_wrong_lengths_are_refused() {
        let landscape = bowl();
        let along = vec![1.0, 2.0, 3.0, 4.0];
        for directions in [
            vec![],
            vec![vec![0.0; 4]],
            vec![along.clone(), along.iter().map(|value| -2.5 * value).collect()],
            vec![vec![1.0; 3]],
            vec![vec![f64::NAN; 4]],
        ] {
            assert!(Section::new(&landscape, vec![0.0; 4], directions).is_err());
        }
        assert!(Section::new(&landscape, vec![0.0; 5], vec![along]).is_err());
    }

    #[test]
    fn losses_that_are_not_finite_name_the_part() {
        let landscape = ExpressionLandscape::new("sqrt(x) + y", 2).expect("a formula");
        let line = Section::new(&landscape, vec![1.0, 0.0], vec![vec![1.0, 0.0]]).expect("a direction");
        let error = line.losses(&[0.0, -2.0], &mut [0.0; 2]).expect_err("a root of -1");
        assert!(error.to_string().contains("section.upper") && error.to_string().contains("[-2.0]"), "{error}");
    }
}
