//! Where data come from: files of three formats, the digits that are built in, random teachers.

use std::path::Path;

use super::{Dataset, Targets};
use crate::error::{Error, Result};
use crate::formats::idx::{self, ElementKind};
use crate::formats::{npz, table};
use crate::math::random::Stream;

/// Classes that a data set may have: more are a mistake in the file, and every one is an output of the network.
const LARGEST_CLASS_COUNT: usize = 1 << 16;

/// 1797 rows: 64 pixels from 0 to 16 and the digit.
const DIGITS: &[u8] = include_bytes!("digits.csv.gz");

/// How the targets of a file are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Integers from 0 on, one per sample.
    Classes,
    /// Numbers.
    Values,
}

impl Dataset {
    /// Images and labels in the format of MNIST, plain or gzip. Pixels of 8 bits are divided by 255, others are taken as they
    /// are; there are as many classes as the largest label asks for.
    ///
    /// # Errors
    /// When a file is damaged, labels are no integers from 0 on, or the files do not have one label per image.
    pub fn from_idx(images: &Path, labels: &Path) -> Result<Self> {
        let mut pixels = idx::read(images)?;
        let classes = idx::read(labels)?;
        if pixels.shape.len() < 2 {
            return Err(Error::malformed(images, format!("shape {:?}, images are (image, row, column)", pixels.shape)));
        }
        if classes.shape.len() != 1 {
            return Err(Error::malformed(labels, format!("shape {:?}, labels are (image)", classes.shape)));
        }
        if classes.shape[0] != pixels.shape[0] {
            return Err(Error::malformed(
                labels,
                format!("{} labels, {} has {} images", classes.shape[0], images.display(), pixels.shape[0]),
            ));
        }
        if pixels.kind == ElementKind::U8 {
            pixels.data.iter_mut().for_each(|pixel| *pixel /= 255.0);
        }
        let targets = targets(labels, classes.data, 1, TargetKind::Classes)?;
        Dataset::new(pixels.shape[1..].iter().product(), pixels.data, targets)
    }

    /// A table of numbers as text, plain or gzip, with or without a header: the last column is the target.
    ///
    /// # Errors
    /// When the file is damaged (with line and column), has one column only, or classes are no integers from 0 on.
    pub fn from_csv(path: &Path, kind: TargetKind) -> Result<Self> {
        of_table(path, table::read(path)?, kind)
    }

    /// A NumPy archive with arrays `x`, (sample, ...), and `y`, (sample) or (sample, output), of any real type.
    ///
    /// # Errors
    /// When the file is damaged, lacks an array, the arrays differ in length, or classes are no integers from 0 on.
    pub fn from_npz(path: &Path, kind: TargetKind) -> Result<Self> {
        let mut arrays = npz::read(path)?;
        let mut take = |name: &str| {
            let found = arrays.remove(name);
            found.filter(|array| !array.shape.is_empty()).ok_or_else(|| {
                Error::malformed(
                    path,
                    format!("no array {name} of samples; write it with numpy.savez(file, x=..., y=...)"),
                )
            })
        };
        let (inputs, outputs) = (take("x")?, take("y")?);
        if inputs.shape[0] != outputs.shape[0] {
            return Err(Error::malformed(
                path,
                format!("array x has {} samples, array y has {}", inputs.shape[0], outputs.shape[0]),
            ));
        }
        let targets = targets(path, outputs.data, outputs.shape[1..].iter().product(), kind)?;
        Dataset::new(inputs.shape[1..].iter().product(), inputs.data, targets)
    }

    /// 1797 handwritten digits of 8 x 8 pixels, from 0 to 1, in ten classes: the test set of "Optical Recognition of
    /// Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0 \[AlpaydinKaynak1998\].
    pub fn digits() -> Self {
        let mut digits = table::from_bytes("digits.csv.gz", DIGITS).expect("the built-in table is sound");
        let columns = digits.columns;
        for row in digits.values.chunks_exact_mut(columns) {
            row[..columns - 1].iter_mut().for_each(|pixel| *pixel /= 16.0);
        }
        of_table(Path::new("digits.csv.gz"), digits, TargetKind::Classes).expect("the built-in table is sound")
    }

    /// Standard normal inputs, and targets from a random network plus normal noise of standard deviation `noise`.
    ///
    /// The network has layers of the given widths, inputs first, outputs last, tanh between them and a linear last layer,
    /// no biases, and normal weights of variance 1 / inputs of the layer. The weights are drawn before the samples, so a
    /// longer set of the same stream has the same teacher.
    ///
    /// # Errors
    /// When there are fewer than two widths, a width or the number of samples is 0, or the noise is negative or not finite.
    pub fn teacher(widths: &[usize], samples: usize, noise: f64, stream: &mut Stream) -> Result<Self> {
        if widths.len() < 2 || widths.contains(&0) {
            let rule = "a teacher has inputs and outputs, and no layer is empty";
            return Err(Error::invalid("data.widths", format!("{widths:?}"), rule, "use widths = [4, 3, 1]"));
        }
        if samples == 0 {
            return Err(Error::invalid("data.samples", samples, "there must be a sample", "use samples = 1000"));
        }
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::invalid("data.noise", noise, "a standard deviation is at least 0", "use noise = 0.1"));
        }
        let layers: Vec<Vec<f64>> = widths
            .windows(2)
            .map(|pair| (0..pair[0] * pair[1]).map(|_| stream.normal() / (pair[0] as f64).sqrt()).collect())
            .collect();
        let (mut inputs, mut values) = (Vec::new(), Vec::new());
        let output_width = widths[widths.len() - 1];
        for _ in 0..samples {
            let mut signal: Vec<f64> = (0..widths[0]).map(|_| stream.normal()).collect();
            inputs.extend(&signal);
            for (depth, (weights, pair)) in layers.iter().zip(widths.windows(2)).enumerate() {
                let mut next = vec![0.0; pair[1]];
                for (value, row) in signal.iter().zip(weights.chunks_exact(pair[1])) {
                    next.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
                }
                if depth + 1 < layers.len() {
                    next.iter_mut().for_each(|value| *value = value.tanh());
                }
                signal = next;
            }
            values.extend(signal.iter().map(|value| value + noise * stream.normal()));
        }
        Dataset::new(widths[0], inputs, Targets::Values { values, width: output_width })
    }
}

fn of_table(path: &Path, table: table::Table, kind: TargetKind) -> Result<Dataset> {
    if table.columns < 2 {
        return Err(Error::malformed(path, "one column; the rule is inputs and, in the last column, the target"));
    }
    let (mut inputs, mut last) = (Vec::with_capacity(table.rows * (table.columns - 1)), Vec::with_capacity(table.rows));
    for row in table.values.chunks_exact(table.columns) {
        inputs.extend(&row[..table.columns - 1]);
        last.push(row[table.columns - 1]);
    }
    Dataset::new(table.columns - 1, inputs, targets(path, last, 1, kind)?)
}

/// Targets from numbers (sample, output).
fn targets(path: &Path, values: Vec<f64>, width: usize, kind: TargetKind) -> Result<Targets> {
    if kind == TargetKind::Values {
        return Ok(Targets::Values { values, width });
    }
    if width != 1 {
        return Err(Error::malformed(path, format!("{width} numbers per target; a class is one")));
    }
    let valid = |value: f64| value >= 0.0 && value < LARGEST_CLASS_COUNT as f64 && value.fract() == 0.0;
    if let Some(place) = values.iter().position(|&value| !valid(value)) {
        let rule = format!("classes are integers from 0 to {}", LARGEST_CLASS_COUNT - 1);
        return Err(Error::malformed(path, format!("target {} of sample {place}: {rule}", values[place])));
    }
    let labels: Vec<u32> = values.iter().map(|&value| value as u32).collect();
    let count = labels.iter().max().map_or(0, |&largest| largest as usize + 1);
    Ok(Targets::Classes { labels, count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    fn in_file(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("porewalk-sources-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    }

    fn labels(data: &Dataset) -> (&[u32], usize) {
        match data.targets() {
            Targets::Classes { labels, count } => (labels, *count),
            Targets::Values { .. } => panic!("classes"),
        }
    }

    #[test]
    fn digits_are_those_of_the_repository() {
        let digits = Dataset::digits();
        assert_eq!((digits.sample_count(), digits.input_width(), digits.output_width()), (1797, 64, 10));
        let (labels, _) = labels(&digits);
        assert_eq!(labels[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let counts: Vec<usize> = (0..10).map(|digit| labels.iter().filter(|label| **label == digit).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(digits.inputs()[2..5], [5.0 / 16.0, 13.0 / 16.0, 9.0 / 16.0]);
        assert!(digits.inputs().iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        let sum: f64 = digits.inputs().iter().sum();
        assert_eq!(sum * 16.0, 561_718.0);
    }

    #[test]
    fn images_and_labels_are_read_together() {
        let images =
            in_file("images", &[&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[0, 255, 51, 102]].concat());
        let good = in_file("labels", &[0, 0, 8, 1, 0, 0, 0, 2, 3, 0]);
        let data = Dataset::from_idx(&images, &good).expect("valid");
        assert_eq!((data.input_width(), data.inputs()), (2, &[0.0, 1.0, 0.2, 0.4][..]));
        assert_eq!(labels(&data), (&[3, 0][..], 4));
        let three = in_file("three", &[0, 0, 8, 1, 0, 0, 0, 3, 3, 0, 1]);
        let signed = in_file("signed", &[0, 0, 9, 1, 0, 0, 0, 2, 3, 255]);
        for (labels, expected) in
            [(&three, "3 labels"), (&signed, "target -1 of sample 1"), (&images, "shape [2, 1, 2]")]
        {
            let message = Dataset::from_idx(&images, labels).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(Dataset::from_idx(&good, &good).is_err());
        [images, good, three, signed].iter().for_each(|path| std::fs::remove_file(path).expect("removable"));
    }

    #[test]
    fn tables_give_classes_or_values() {
        let path = in_file("table.csv", b"a,b,class\n0.5,1,2\n-1,2,0\n");
        let classes = Dataset::from_csv(&path, TargetKind::Classes).expect("valid");
        assert_eq!((classes.inputs(), labels(&classes)), (&[0.5, 1.0, -1.0, 2.0][..], (&[2, 0][..], 3)));
        let values = Dataset::from_csv(&path, TargetKind::Values).expect("valid");
        assert_eq!(values.targets(), &Targets::Values { values: vec![2.0, 0.0], width: 1 });
        for (text, expected) in
            [("1\n2\n", "one column"), ("1,0.5\n", "target 0.5 of sample 0"), ("1,99999999\n", "65535")]
        {
            std::fs::write(&path, text).expect("writable");
            let message = Dataset::from_csv(&path, TargetKind::Classes).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
        std::fs::remove_file(path).expect("removable");
    }

    #[test]
    fn archives_give_classes_or_values() {
        let inputs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let write =
            |arrays: &[(&str, &[usize], &[f64])]| in_file("arrays.npz", &npz::to_bytes(arrays).expect("writable"));
        let path = write(&[("x", &[2, 3], &inputs), ("y", &[2], &[1.0, 0.0])]);
        let data = Dataset::from_npz(&path, TargetKind::Classes).expect("valid");
        assert_eq!((data.input_width(), labels(&data)), (3, (&[1, 0][..], 2)));
        write(&[("x", &[3, 1, 2], &inputs), ("y", &[3, 2], &inputs)]);
        let data = Dataset::from_npz(&path, TargetKind::Values).expect("valid");
        assert_eq!((data.sample_count(), data.output_width()), (3, 2));
        assert!(Dataset::from_npz(&path, TargetKind::Classes).is_err());
        write(&[("x", &[2, 3], &inputs)]);
        assert!(Dataset::from_npz(&path, TargetKind::Values).expect_err("no y").to_string().contains("no array y"));
        write(&[("x", &[2, 3], &inputs), ("y", &[3], &inputs[..3])]);
        assert!(Dataset::from_npz(&path, TargetKind::Values).is_err());
        std::fs::remove_file(path).expect("removable");
    }

    #[test]
    fn a_teacher_without_hidden_layers_is_linear_and_longer_sets_share_it() {
        let of =
            |widths: &[usize], samples, noise| Dataset::teacher(widths, samples, noise, &mut Stream::new(4, "data", 0));
        let linear = of(&[1, 2], 50, 0.0).expect("valid");
        let Targets::Values { values, width: 2 } = linear.targets() else { panic!("values") };
        let slope = values[0] / linear.inputs()[0];
        assert!(linear.inputs().iter().zip(values.chunks_exact(2)).all(|(x, y)| (y[0] - slope * x).abs() < 1e-12));
        let (short, long) = (of(&[3, 4, 1], 5, 0.1).expect("valid"), of(&[3, 4, 1], 9, 0.1).expect("valid"));
        assert_eq!(short.inputs(), &long.inputs()[..15]);
        assert!(of(&[3], 5, 0.0).is_err() && of(&[3, 0, 1], 5, 0.0).is_err());
        assert!(of(&[3, 1], 0, 0.0).is_err() && of(&[3, 1], 5, -0.1).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_archives_never_panic(place in 0usize..400, bit in 0u8..8, cut in 0usize..400) {
            let mut bytes = npz::to_bytes(&[("x", &[2, 1], &[1.0, 2.0]), ("y", &[2], &[1.0, 0.0])]).expect("writable");
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            bytes.truncate(bytes.len() - cut % 8);
            let path = in_file("damaged.npz", &bytes);
            let _ = Dataset::from_npz(&path, TargetKind::Classes);
            std::fs::remove_file(path).expect("removable");
        }
    }
}
