use super::*;

fn stream(index: u64) -> Stream {
    Stream::new(11, "linear", index)
}

/// Networks of one to four layers, with and without samples and noise.
fn networks() -> Vec<DeepLinear> {
    let mut networks = Vec::new();
    for (index, (widths, values)) in
        [(&[3, 2][..], &[1.5][..]), (&[5, 3, 5], &[2.0]), (&[4, 3, 2, 4], &[1.0, 0.3]), (&[2, 3, 4, 3, 1], &[])]
            .into_iter()
            .enumerate()
    {
        let ends = (widths[0], widths[widths.len() - 1]);
        let truth = TrueMap::random(ends.0, ends.1, values, &mut stream(index as u64)).expect("valid");
        networks.push(DeepLinear::population(widths, truth.clone(), 100).expect("valid"));
        for noise in [0.0, 0.4] {
            let own = &mut stream(10 + index as u64);
            networks.push(DeepLinear::sampled(widths, truth.clone(), 30, noise, own).expect("valid"));
        }
    }
    networks
}

fn random_point(network: &DeepLinear, stream: &mut Stream) -> Vec<f64> {
    (0..network.dimension()).map(|_| 0.7 * stream.normal()).collect()
}

/// The loss by its definition, sample by sample.
fn loss_by_samples(network: &DeepLinear, point: &[f64], batch: &[u32]) -> f64 {
    let samples = network.samples.as_ref().expect("samples");
    let (inputs, outputs) = (network.widths[0], network.matrix.len() / network.widths[0]);
    let apply = |signal: &[f64], matrix: &[f64], columns: usize| -> Vec<f64> {
        (0..columns).map(|j| signal.iter().enumerate().map(|(i, x)| x * matrix[i * columns + j]).sum()).collect()
    };
    let mut sum = 0.0;
    for &k in batch {
        let x = &samples.inputs[k as usize * inputs..][..inputs];
        let mut target = apply(x, &network.matrix, outputs);
        if !samples.noise.is_empty() {
            let noise = &samples.noise[k as usize * outputs..][..outputs];
            target.iter_mut().zip(noise).for_each(|(target, noise)| *target += noise);
        }
        let (mut signal, mut start) = (x.to_vec(), 0);
        for pair in network.widths.windows(2) {
            signal = apply(&signal, &point[start..], pair[1]);
            start += pair[0] * pair[1];
        }
        sum += signal.iter().zip(&target).map(|(y, target)| (y - target).powi(2)).sum::<f64>() / 2.0;
    }
    sum / batch.len() as f64
}

#[test]
fn moments_give_the_loss_of_the_samples() {
    for network in networks().iter().filter(|network| network.samples.is_some()) {
        let point = random_point(network, &mut stream(20));
        let all: Vec<u32> = (0..30).collect();
        let expected = loss_by_samples(network, &point, &all);
        assert!((network.loss(&point) - expected).abs() < 1e-12 * expected.max(1.0));
        let batch = [3, 29, 3, 0, 7];
        let mut gradient = vec![0.0; network.dimension()];
        let found = network.batch_gradient(&point, Some(&batch), &mut gradient);
        let expected = loss_by_samples(network, &point, &batch);
        assert!((found - expected).abs() < 1e-12 * expected.max(1.0), "{found} {expected}");
    }
}

#[test]
fn population_loss_is_half_the_squared_distance() {
    let truth = TrueMap::diagonal(2, 2, &[1.0]).expect("valid");
    let network = DeepLinear::population(&[2, 1, 2], truth, 10).expect("valid");
    // (1, 2)ᵀ (3, 4) - diag(1, 0) = (2, 4; 6, 8).
    assert_eq!(network.loss(&[1.0, 2.0, 3.0, 4.0]), 60.0);
}

#[test]
fn gradients_agree_with_finite_differences() {
    for network in networks() {
        let point = random_point(&network, &mut stream(30));
        let mut gradient = vec![0.0; point.len()];
        for batch in [None, Some(&[1, 4, 4, 9][..])] {
            let loss = network.batch_gradient(&point, batch, &mut gradient);
            let mut unused = vec![0.0; point.len()];
            for k in 0..point.len() {
                let mut at = |shift: f64| {
                    let mut moved = point.clone();
                    moved[k] += shift;
                    network.batch_gradient(&moved, batch, &mut unused)
                };
                // The loss along one weight is a parabola: central differences are exact up to rounding.
                let expected = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((gradient[k] - expected).abs() < 1e-11 * (1.0 + loss), "{k}: {} {expected}", gradient[k]);
            }
        }
    }
}

#[test]
fn blocks_agree_with_walkers_one_by_one() {
    for network in networks() {
        let mut stream = stream(40);
        let mut block = WalkerBlock::zeros(network.dimension());
        for lane in 0..LANES {
            block.write(lane, &random_point(&network, &mut stream));
        }
        let draws: Vec<[u32; LANES]> = (0..7).map(|_| std::array::from_fn(|_| stream.index(30))).collect();
        for batch in [Batch::Full, Batch::Drawn(&draws)] {
            let mut gradient = WalkerBlock::zeros(network.dimension());
            let losses = network.block_gradient(&block, batch, &mut gradient);
            for (lane, loss) in losses.iter().enumerate() {
                let (mut point, mut own) = (vec![0.0; network.dimension()], vec![0.0; network.dimension()]);
                block.read(lane, &mut point);
                let batch: Option<Vec<u32>> = match batch {
                    Batch::Full => None,
                    Batch::Drawn(draws) => Some(draws.iter().map(|draw| draw[lane]).collect()),
                };
                let expected = network.batch_gradient(&point, batch.as_deref(), &mut own);
                assert!((loss - expected).abs() < 1e-13 * (1.0 + expected.abs()));
                let mut found = vec![0.0; network.dimension()];
                gradient.read(lane, &mut found);
                assert!(found.iter().zip(&own).all(|(x, y)| (x - y).abs() < 1e-12 * (1.0 + y.abs())));
                assert!((network.block_loss(&block)[lane] - network.loss(&point)).abs() < 1e-13 * (1.0 + expected));
            }
        }
    }
}

/// Number of directions in which the matrix (rows, columns) does not vanish.
fn rank(matrix: &[f64], columns: usize) -> usize {
    let mut rows: Vec<Vec<f64>> = matrix.chunks_exact(columns).map(<[f64]>::to_vec).collect();
    let mut rank = 0;
    for column in 0..columns {
        let best = (rank..rows.len()).max_by(|&i, &j| rows[i][column].abs().total_cmp(&rows[j][column].abs()));
        let Some(best) = best.filter(|&best| rows[best][column].abs() > 1e-9) else { continue };
        rows.swap(rank, best);
        let pivot = rows[rank].clone();
        for row in &mut rows[rank + 1..] {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(&pivot).for_each(|(x, y)| *x -= factor * y);
        }
        rank += 1;
    }
    rank
}

#[test]
fn starts_are_exact_and_have_the_rank_of_the_map() {
    for network in networks() {
        let start = network.start();
        let mut gradient = vec![0.0; start.len()];
        let noisy = network.samples.as_ref().is_some_and(|samples| !samples.noise.is_empty());
        let loss = network.batch_gradient(&start, None, &mut gradient);
        assert!(noisy || (loss < 1e-28 && gradient.iter().all(|value| value.abs() < 1e-14)), "{loss}");
        let mut begin = 0;
        for pair in network.widths().windows(2) {
            let size = pair[0] * pair[1];
            assert_eq!(rank(&start[begin..begin + size], pair[1]), network.truth().rank());
            begin += size;
        }
    }
}

#[test]
fn strata_are_exact_and_have_their_ranks() {
    let truth = TrueMap::random(5, 5, &[2.0], &mut stream(50)).expect("valid");
    let network = DeepLinear::sampled(&[5, 3, 5], truth, 40, 0.0, &mut stream(51)).expect("valid");
    for (a, b) in [(1, 1), (2, 1), (1, 3), (2, 2), (3, 1)] {
        let point = network.point_of_stratum(a, b, 2.0).expect("a stratum");
        assert!(network.loss(&point) < 1e-28);
        assert_eq!((rank(&point[..15], 3), rank(&point[15..], 5)), (a, b));
    }
    assert!(network.point_of_stratum(3, 2, 2.0).is_err());
}

#[test]
fn impossible_networks_are_refused() {
    let truth = || TrueMap::diagonal(3, 2, &[1.0, 1.0]).expect("valid");
    assert!(DeepLinear::population(&[3], truth(), 10).is_err());
    assert!(DeepLinear::population(&[3, 1, 2], truth(), 10).is_err());
    assert!(DeepLinear::population(&[2, 2, 2], truth(), 10).is_err());
    assert!(DeepLinear::population(&[3, 2, 2], truth(), 0).is_err());
    assert!(DeepLinear::sampled(&[3, 2, 2], truth(), 10, -1.0, &mut stream(0)).is_err());
    assert!(DeepLinear::sampled(&[3, 2, 2], truth(), 0, 0.0, &mut stream(0)).is_err());
}
