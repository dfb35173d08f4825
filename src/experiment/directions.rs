//! From the names of directions to vectors: where a section goes through a landscape.

use std::path::Path;

use super::check::{CheckedRun, Directions, Origin, Unit};
use super::subject::{Subject, load};
use crate::error::{Error, Result};
use crate::estimate::trajectory::{Gram, Principal, Trajectory};
use crate::landscape::{Landscape, Section};
use crate::math::random::Stream;

/// Extent of an axis when nothing says more.
const PLAIN: (f64, f64) = (-1.0, 1.0);
/// Extent of an axis that counts from file to file: the files are inside.
const AROUND_FILES: (f64, f64) = (-0.5, 1.5);
/// Part of the longest side that is left around a path or files.
const MARGIN: f64 = 0.2;

/// Where a section lies, with the words for it.
pub(super) struct Aim {
    pub(super) origin: Vec<f64>,
    pub(super) directions: Vec<Vec<f64>>,
    /// Share of the trajectory's variance along each direction.
    pub(super) explained: Option<Vec<f64>>,
    /// What the coordinates 0 are.
    pub(super) origin_words: String,
    /// What each axis is, with its unit.
    pub(super) labels: Vec<String>,
    /// Points that the section should show.
    shown: Vec<Vec<f64>>,
}

/// The section that a run names.
///
/// # Errors
/// A file that does not fit the network, an index beyond the parameters, a trajectory without as many directions.
pub(super) fn aim(run: &CheckedRun, subject: &Subject, seed: u64) -> Result<Aim> {
    let cut = run.section();
    let axes = cut.cells.len();
    match &cut.directions {
        Directions::Trajectory { origin } => along_trajectory(subject, *origin, axes),
        Directions::Random => random(subject, cut.unit, axes, seed),
        Directions::Between { files } => between(run, subject, files, cut.unit),
        Directions::Axes { indices } => {
            let dimension = subject.point.len();
            let mut directions = Vec::new();
            for (k, index) in indices.iter().enumerate() {
                if *index >= dimension {
                    let rule = format!("the model has {dimension} parameters, counted from 0");
                    return Err(Error::invalid(format!("section.indices[{k}]"), index, rule, "use a smaller number"));
                }
                let mut direction = vec![0.0; dimension];
                direction[*index] = 1.0;
                directions.push(direction);
            }
            Ok(Aim {
                labels: indices.iter().map(|index| format!("parameter {index} (weight units)")).collect(),
                directions,
                ..around(subject)
            })
        }
    }
}

/// Around the point of the subject, without directions.
fn around(subject: &Subject) -> Aim {
    Aim {
        origin: subject.point.clone(),
        directions: Vec::new(),
        explained: None,
        origin_words: if subject.is_trained { "the end of the training" } else { "the point of the model" }.to_string(),
        labels: Vec::new(),
        shown: Vec::new(),
    }
}

fn along_trajectory(subject: &Subject, origin: Origin, axes: usize) -> Result<Aim> {
    let Some(trajectory) = &subject.trajectory else {
        return Err(Error::NotFinite { stage: "a trajectory without checkpoints".into() });
    };
    let principal = Principal::of(&Gram::of(trajectory, 1)?, axes)?;
    let count = trajectory.times().len();
    if principal.explained.len() < axes {
        let rule = format!("{count} checkpoints span {} direction(s)", principal.explained.len());
        let remedy = "ask for more checkpoints, or for fewer axes";
        return Err(Error::invalid("section.directions", "\"trajectory\"", rule, remedy));
    }
    let first = trajectory.point(0);
    let combined = |weights: &[f64]| {
        let mut sum = vec![0.0; first.len()];
        for (k, weight) in weights.iter().enumerate() {
            // Weights of a direction add up to 0: taken from the first point, large parameters lose no digits.
            let moved = trajectory.point(k).iter().zip(first).map(|(w, start)| w - start);
            sum.iter_mut().zip(moved).for_each(|(sum, moved)| *sum += weight * moved);
        }
        sum
    };
    let mean = combined(&vec![1.0 / count as f64; count]).iter().zip(first).map(|(a, b)| a + b).collect();
    let (origin, origin_words) = match origin {
        Origin::End => (subject.point.clone(), "the end of the training"),
        Origin::Mean => (mean, "the mean of the checkpoints"),
    };
    let label = |(k, part): (usize, &f64)| {
        format!("principal direction {} (weight units, {:.1} % of the variance)", k + 1, 100.0 * part)
    };
    Ok(Aim {
        origin,
        directions: principal.weights.iter().map(|weights| combined(weights)).collect(),
        labels: principal.explained.iter().enumerate().map(label).collect(),
        explained: Some(principal.explained),
        origin_words: origin_words.to_string(),
        shown: (0..count).map(|k| trajectory.point(k).to_vec()).collect(),
    })
}

fn random(subject: &Subject, unit: Unit, axes: usize, seed: u64) -> Result<Aim> {
    let stream = |axis: usize| Stream::new(seed, "section", axis as u64);
    let (directions, words) = match (&subject.network, unit) {
        (Some(network), Unit::FilterNorm) => {
            let drawn = (0..axes).map(|axis| network.filter_normalised(&subject.point, &mut stream(axis)));
            (drawn.collect(), "in norms of each unit")
        }
        _ => {
            let normal = |axis: usize| {
                let mut stream = stream(axis);
                (0..subject.point.len()).map(|_| stream.normal()).collect::<Vec<f64>>()
            };
            (orthonormal((0..axes).map(normal).collect(), "section.directions")?, "weight units")
        }
    };
    let labels = (1..=axes).map(|axis| format!("random direction {axis} ({words})")).collect();
    Ok(Aim { directions, labels, ..around(subject) })
}

fn between(run: &CheckedRun, subject: &Subject, files: &[String], unit: Unit) -> Result<Aim> {
    let Some(network) = &subject.network else {
        return Err(Error::NotFinite { stage: "weight files without a network".into() });
    };
    let read = |(k, file): (usize, &String)| load(network, &run.resolve(file), &format!("section.files[{k}]"));
    let points = files.iter().enumerate().map(read).collect::<Result<Vec<_>>>()?;
    let steps: Vec<Vec<f64>> =
        points[1..].iter().map(|point| point.iter().zip(&points[0]).map(|(a, b)| a - b).collect()).collect();
    let names: Vec<String> = files
        .iter()
        .map(|file| {
            Path::new(file).file_stem().map_or_else(|| file.clone(), |stem| stem.to_string_lossy().into_owned())
        })
        .collect();
    let towards =
        |words: &str| names[1..].iter().map(|name| format!("from {} to {name} ({words})", names[0])).collect();
    let (directions, labels) = match unit {
        Unit::Between => (steps, towards("1 at the file")),
        _ => (orthonormal(steps, "section.files")?, towards("weight units")),
    };
    Ok(Aim {
        origin: points[0].clone(),
        directions,
        explained: None,
        origin_words: files[0].clone(),
        labels,
        shown: points,
    })
}

/// Directions of length 1 at right angles that span the same.
fn orthonormal(mut vectors: Vec<Vec<f64>>, key: &str) -> Result<Vec<Vec<f64>>> {
    for k in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(k);
        let own = &mut rest[0];
        let length = |vector: &[f64]| vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        let whole = length(own);
        for _ in 0..2 {
            for other in before.iter() {
                let product: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
                own.iter_mut().zip(other).for_each(|(a, b)| *a -= product * b);
            }
        }
        let left = length(own);
        if left.is_nan() || left <= 1e-10 * whole {
            let rule = "they span no section: points coincide or lie on a line";
            return Err(Error::invalid(key, format!("{} directions", vectors.len()), rule, "name other points"));
        }
        own.iter_mut().for_each(|value| *value /= left);
    }
    Ok(vectors)
}

/// Extent of every axis: as named, or around what the section should show.
pub(super) fn extent(run: &CheckedRun, aim: &Aim, section: &Section<'_>) -> Vec<(f64, f64)> {
    let cut = run.section();
    if let Some(extent) = &cut.extent {
        return extent.clone();
    }
    let axes = section.dimension();
    if cut.unit == Unit::Between {
        return vec![AROUND_FILES; axes];
    }
    if aim.shown.is_empty() {
        return vec![PLAIN; axes];
    }
    let places: Vec<Vec<f64>> = aim.shown.iter().map(|point| section.project(point).0).collect();
    let range = |axis: usize| {
        let along = || places.iter().map(|place| place[axis]);
        (along().fold(f64::INFINITY, f64::min), along().fold(f64::NEG_INFINITY, f64::max))
    };
    let longest = (0..axes).map(|axis| range(axis).1 - range(axis).0).fold(f64::MIN_POSITIVE, f64::max);
    (0..axes).map(|axis| (range(axis).0 - MARGIN * longest, range(axis).1 + MARGIN * longest)).collect()
}
