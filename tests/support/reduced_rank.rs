//! Reduced-rank regression as a landscape: K(A, B) = 1/2 E|(B A - T) x|², x ~ N(0, I), without noise of targets.

use porewalk::landscape::{Differentiable, Landscape, Sampled};
use porewalk::math::random::Stream;

/// Points are the rows of A (hidden, inputs), then those of B (outputs, hidden).
pub struct ReducedRank {
    inputs: usize,
    outputs: usize,
    hidden: usize,
    /// T (outputs, inputs), row after row.
    truth: Vec<f64>,
}

impl ReducedRank {
    /// T diagonal with these singular values, and the exact fit whose factors are their square roots and zeros.
    pub fn new(inputs: usize, outputs: usize, hidden: usize, singular_values: &[f64]) -> (Self, Vec<f64>) {
        let mut truth = vec![0.0; outputs * inputs];
        let mut point = vec![0.0; hidden * (inputs + outputs)];
        for (k, value) in singular_values.iter().enumerate() {
            truth[k * inputs + k] = *value;
            point[k * inputs + k] = value.sqrt();
            point[hidden * inputs + k * hidden + k] = value.sqrt();
        }
        (ReducedRank { inputs, outputs, hidden, truth }, point)
    }

    /// Mean of t K over `sweeps` sweeps of a Gibbs sampler, after a tenth as many: either factor is drawn exactly, the other
    /// given. Shares nothing with the crate's samplers but their random numbers; K = 1/2 |B A - T|².
    pub fn gibbs(&self, anchor: &[f64], t: f64, g: f64, sweeps: u32, stream: &mut Stream) -> f64 {
        let (m, n, h) = (self.inputs, self.outputs, self.hidden);
        let (anchor_a, anchor_b) = anchor.split_at(h * m);
        let mut point = anchor.to_vec();
        let mut sum = 0.0;
        let burn_in = sweeps / 10;
        for sweep in 0..burn_in + sweeps {
            let (a, b) = point.split_at_mut(h * m);
            // Columns of A, given B: features are the rows of B.
            let features: Vec<&[f64]> = b.chunks_exact(h).collect();
            let factor = precision_factor(&features, t, g);
            for column in 0..m {
                let targets = (0..n).map(|row| self.truth[row * m + column]);
                let prior = (0..h).map(|row| anchor_a[row * m + column]);
                let drawn = draw(&factor, &features, targets, prior, t, g, stream);
                (0..h).for_each(|row| a[row * m + column] = drawn[row]);
            }
            // Rows of B, given A: features are the columns of A.
            let columns: Vec<Vec<f64>> = (0..m).map(|column| (0..h).map(|row| a[row * m + column]).collect()).collect();
            let features: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let factor = precision_factor(&features, t, g);
            for row in 0..n {
                let targets = self.truth[row * m..][..m].iter().copied();
                let prior = anchor_b[row * h..][..h].iter().copied();
                b[row * h..][..h].copy_from_slice(&draw(&factor, &features, targets, prior, t, g, stream));
            }
            if sweep >= burn_in {
                sum += t * self.loss(&point);
            }
        }
        sum / f64::from(sweeps)
    }

    /// B A - T, row after row.
    fn residual(&self, point: &[f64]) -> Vec<f64> {
        let (a, b) = point.split_at(self.hidden * self.inputs);
        let mut residual: Vec<f64> = self.truth.iter().map(|value| -value).collect();
        for (row, b) in residual.chunks_exact_mut(self.inputs).zip(b.chunks_exact(self.hidden)) {
            for (b, a) in b.iter().zip(a.chunks_exact(self.inputs)) {
                row.iter_mut().zip(a).for_each(|(value, a)| *value += b * a);
            }
        }
        residual
    }
}

impl Landscape for ReducedRank {
    fn dimension(&self) -> usize {
        self.hidden * (self.inputs + self.outputs)
    }

    fn loss(&self, point: &[f64]) -> f64 {
        0.5 * self.residual(point).iter().map(|value| value * value).sum::<f64>()
    }
}

impl Differentiable for ReducedRank {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        self.batch_gradient(point, None, out);
    }
}

impl Sampled for ReducedRank {
    fn sample_count(&self) -> usize {
        2000
    }

    fn batch_gradient(&self, point: &[f64], _: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        let residual = self.residual(point);
        let (a, b) = point.split_at(self.hidden * self.inputs);
        gradient.fill(0.0);
        let (slopes_a, slopes_b) = gradient.split_at_mut(self.hidden * self.inputs);
        for (n, row) in residual.chunks_exact(self.inputs).enumerate() {
            for h in 0..self.hidden {
                let a = &a[h * self.inputs..][..self.inputs];
                let slopes = &mut slopes_a[h * self.inputs..][..self.inputs];
                let b = b[n * self.hidden + h];
                slopes.iter_mut().zip(row).for_each(|(slope, value)| *slope += b * value);
                slopes_b[n * self.hidden + h] = row.iter().zip(a).map(|(value, a)| value * a).sum();
            }
        }
        0.5 * residual.iter().map(|value| value * value).sum::<f64>()
    }
}

/// Cholesky factor (rows of the lower triangle) of g I + t Σ f fᵀ.
pub fn precision_factor(features: &[&[f64]], t: f64, g: f64) -> Vec<Vec<f64>> {
    let size = features[0].len();
    let mut factor: Vec<Vec<f64>> = Vec::new();
    for i in 0..size {
        let mut row: Vec<f64> = Vec::new();
        for j in 0..=i {
            let entry = t * features.iter().map(|f| f[i] * f[j]).sum::<f64>() + if i == j { g } else { 0.0 };
            let known: f64 = (0..j).map(|k| row[k] * if i == j { row[k] } else { factor[j][k] }).sum();
            row.push(if i == j { (entry - known).sqrt() } else { (entry - known) / factor[j][j] });
        }
        factor.push(row);
    }
    factor
}

/// A draw from exp(-(t/2) Σ (f·x - y)² - (g/2) |x - prior|²), with the factor of its precision.
pub fn draw(
    factor: &[Vec<f64>],
    features: &[&[f64]],
    targets: impl Iterator<Item = f64>,
    prior: impl Iterator<Item = f64>,
    t: f64,
    g: f64,
    stream: &mut Stream,
) -> Vec<f64> {
    let mut x: Vec<f64> = prior.map(|value| g * value).collect();
    for (f, y) in features.iter().zip(targets) {
        x.iter_mut().zip(*f).for_each(|(x, f)| *x += t * f * y);
    }
    let size = x.len();
    for i in 0..size {
        let known: f64 = (0..i).map(|k| factor[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    // L⁻¹ times the right side, plus noise of variance 1, then L⁻ᵀ of both.
    x.iter_mut().for_each(|x| *x += stream.normal());
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| factor[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    x
}
