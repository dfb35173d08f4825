//! Networks against finite differences, a trained example and each other.

use std::path::Path;
use std::sync::Arc;

use porewalk::formats::npz;
use porewalk::landscape::{Batch, Differentiable, LANES, Landscape, Sampled, WalkerBlock};
use porewalk::math::random::Stream;
use porewalk::network::{Activation, Dataset, EmpiricalLoss, Mlp, Precision, Targets};

/// Widths 3, 5, 4, 3 on random data of either kind.
fn example(activation: Activation, normalised: bool, classes: bool, precision: Precision) -> EmpiricalLoss {
    let mut stream = Stream::new(11, "data", 0);
    let samples = 37;
    let inputs = (0..3 * samples).map(|_| stream.normal()).collect();
    let targets = if classes {
        Targets::Classes { labels: (0..samples).map(|_| stream.index(3)).collect(), count: 3 }
    } else {
        Targets::Values { values: (0..3 * samples).map(|_| stream.normal()).collect(), width: 3 }
    };
    let dataset = Arc::new(Dataset::new(3, inputs, targets).expect("valid"));
    let mlp = Mlp::new(&[3, 5, 4, 3], activation, normalised).expect("valid");
    EmpiricalLoss::new(mlp, dataset, precision).expect("widths agree")
}

fn every_example(precision: Precision) -> Vec<(String, EmpiricalLoss)> {
    let mut all = Vec::new();
    for (name, activation) in Activation::NAMES {
        for normalised in [false, true] {
            for classes in [false, true] {
                let label = format!("{name}, normalised {normalised}, classes {classes}");
                all.push((label, example(activation, normalised, classes, precision)));
            }
        }
    }
    all
}

/// A start whose scales and shifts are not 1 and 0.
fn start(loss: &EmpiricalLoss, index: u64) -> Vec<f64> {
    let mut stream = Stream::new(5, "initial", index);
    let mut point = loss.mlp().initial(&mut stream);
    point.iter_mut().for_each(|value| *value += 0.3 * stream.normal());
    point
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (name, loss) in every_example(Precision::Double) {
        let mut point = start(&loss, 0);
        let batch: Vec<u32> = (0..20).map(|k| (7 * k) % 37).collect();
        for batch in [None, Some(&batch[..])] {
            let mut gradient = vec![0.0; point.len()];
            let value = loss.batch_gradient(&point, batch, &mut gradient);
            if batch.is_none() {
                assert!((value - loss.loss(&point)).abs() < 1e-14, "{name}");
            }
            let mut ignored = vec![0.0; point.len()];
            for k in 0..point.len() {
                let (middle, step) = (point[k], 1e-5);
                let mut at = |value: f64| {
                    point[k] = value;
                    loss.batch_gradient(&point, batch, &mut ignored)
                };
                let found = (at(middle + step) - at(middle - step)) / (2.0 * step);
                point[k] = middle;
                assert!((found - gradient[k]).abs() < 2e-8, "{name}, {k}: {found} and {}", gradient[k]);
            }
        }
    }
}

fn moons() -> (EmpiricalLoss, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/moons_2-16-16-2.npz");
    let (mlp, point) = Mlp::from_npz(&path, Activation::Relu).expect("a network");
    let mut arrays = npz::read(&path).expect("readable");
    let (x, y) = (arrays.remove("x").expect("inputs"), arrays.remove("y").expect("classes"));
    let labels = y.data.iter().map(|label| *label as u32).collect();
    let dataset = Dataset::new(2, x.data, Targets::Classes { labels, count: 2 }).expect("valid");
    (EmpiricalLoss::new(mlp, Arc::new(dataset), Precision::Single).expect("widths agree"), point)
}

#[test]
fn the_trained_moons_have_their_known_loss_and_accuracy() {
    let (loss, point) = moons();
    assert_eq!(loss.mlp().widths(), [2, 16, 16, 2]);
    assert!((loss.loss(&point) - 0.002362).abs() < 1e-6, "{}", loss.loss(&point));
    assert_eq!(loss.accuracy(&point), Some(0.999));
    let mut gradient = vec![0.0; point.len()];
    loss.gradient(&point, &mut gradient);
    assert!(gradient.iter().all(|slope| slope.abs() < 0.02));
}

/// Largest errors of a block beside one walker at a time: of losses (relative), of gradients (to the largest entry).
fn block_errors(loss: &EmpiricalLoss, points: &[Vec<f64>], draws: Option<&[[u32; LANES]]>) -> (f64, f64) {
    let mut block = WalkerBlock::zeros(loss.dimension());
    points.iter().enumerate().for_each(|(lane, point)| block.write(lane, point));
    let mut gradients = block.clone();
    let losses = loss.block_gradient(&block, draws.map_or(Batch::Full, Batch::Drawn), &mut gradients);
    if draws.is_none() {
        assert_eq!(losses, loss.block_loss(&block));
    }
    let (mut own, mut found) = (vec![0.0; loss.dimension()], vec![0.0; loss.dimension()]);
    let mut worst = (0.0_f64, 0.0_f64);
    for (lane, point) in points.iter().enumerate() {
        let batch: Option<Vec<u32>> = draws.map(|draws| draws.iter().map(|draw| draw[lane]).collect());
        let value = loss.batch_gradient(point, batch.as_deref(), &mut own);
        gradients.read(lane, &mut found);
        let largest = own.iter().fold(0.0_f64, |largest, slope| largest.max(slope.abs()));
        let error = own.iter().zip(&found).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
        worst = (worst.0.max((losses[lane] - value).abs() / value), worst.1.max(error / largest));
    }
    worst
}

#[test]
fn blocks_agree_with_one_walker_at_a_time() {
    for (precision, allowed) in [(Precision::Single, (1e-6, 1e-5)), (Precision::Double, (1e-12, 1e-12))] {
        for (name, loss) in every_example(precision) {
            let points: Vec<Vec<f64>> = (0..LANES as u64).map(|lane| start(&loss, lane)).collect();
            let mut stream = Stream::new(8, "batches", 0);
            for count in [0, 1, 4, 7, 150] {
                let draws: Vec<[u32; LANES]> = (0..count).map(|_| std::array::from_fn(|_| stream.index(37))).collect();
                // One sample alone has no variance: every gradient before a normalisation is rounding.
                if count == 1 && loss.mlp().batch_normalisation() {
                    continue;
                }
                let draws = (count > 0).then_some(&draws[..]);
                let (losses, gradients) = block_errors(&loss, &points, draws);
                assert!(losses < allowed.0 && gradients < allowed.1, "{name}, {count}: {losses:e} {gradients:e}");
            }
        }
    }
}

#[test]
fn a_trained_network_keeps_its_digits_in_single_precision() {
    let (loss, point) = moons();
    let (losses, gradients) = block_errors(&loss, &vec![point; LANES], None);
    assert!(losses < 1e-6, "{losses:e}");
    assert!(gradients < 1e-5, "{gradients:e}");
}

#[test]
fn sections_equal_single_evaluations() {
    for (precision, allowed) in [(Precision::Single, 1e-6), (Precision::Double, 1e-12)] {
        for (name, loss) in every_example(precision) {
            let points: Vec<f64> = (0..11).flat_map(|index| start(&loss, index)).collect();
            let mut found = vec![0.0; 11];
            loss.losses(&points, &mut found).expect("finite");
            for (point, found) in points.chunks_exact(loss.dimension()).zip(&found) {
                let exact = loss.loss(point);
                assert!((exact - found).abs() <= allowed * exact, "{name}: {found} {exact}");
            }
            let mut broken = points.clone();
            broken[9 * loss.dimension() + 3] = f64::NAN;
            assert!(loss.losses(&broken, &mut found).is_err(), "{name}");
        }
    }
}

#[test]
fn losses_that_diverge_are_not_numbers() {
    for (name, loss) in every_example(Precision::Single) {
        let mut point = start(&loss, 0);
        point[3] = f64::NAN;
        assert!(loss.loss(&point).is_nan(), "{name}");
        assert!(loss.block_loss(&WalkerBlock::at(&point)).iter().all(|value| value.is_nan()), "{name}");
    }
}
