//! A Gibbs sampler of deep linear networks: every layer is drawn exactly, the others given. Shares nothing with the crate's
//! samplers but their random numbers, and nothing with its networks.

use porewalk::math::random::Stream;

use super::reduced_rank::{draw, precision_factor};

/// K = 1/2 |W_1 ... W_l - T|², T diagonal (inputs, outputs); a point is all layers in order, each (in, out), row after row.
pub struct DeepLinearGibbs {
    widths: Vec<usize>,
    singular_values: Vec<f64>,
}

/// A matrix (rows, columns), row after row.
type Matrix = Vec<Vec<f64>>;

impl DeepLinearGibbs {
    /// Widths H_0 to H_l and the diagonal of T.
    pub fn new(widths: &[usize], singular_values: &[f64]) -> Self {
        DeepLinearGibbs { widths: widths.to_vec(), singular_values: singular_values.to_vec() }
    }

    /// Mean of t K over `sweeps` sweeps, after a tenth as many, under exp(-t K - (g/2) |w - anchor|²).
    pub fn mean_energy(&self, anchor: &[f64], t: f64, g: f64, sweeps: u32, stream: &mut Stream) -> f64 {
        let anchors = self.layers(anchor);
        let mut layers = anchors.clone();
        let burn_in = sweeps / 10;
        let mut sum = 0.0;
        for sweep in 0..burn_in + sweeps {
            for layer in 0..layers.len() {
                layers[layer] = self.draw_layer(&layers, layer, &anchors[layer], t, g, stream);
            }
            if sweep >= burn_in {
                let map = product(&layers, self.widths[0]);
                let squares = (0..map.len()).flat_map(|i| (0..map[0].len()).map(move |j| (i, j)));
                sum += 0.5 * t * squares.map(|(i, j)| (map[i][j] - self.truth(i, j)).powi(2)).sum::<f64>();
            }
        }
        sum / f64::from(sweeps)
    }

    /// Entry (i, j) of B W C is linear in W with the features B_ik C_lj.
    fn draw_layer(
        &self,
        layers: &[Matrix],
        layer: usize,
        anchor: &Matrix,
        t: f64,
        g: f64,
        stream: &mut Stream,
    ) -> Matrix {
        let before = product(&layers[..layer], self.widths[0]);
        let after = product(&layers[layer + 1..], self.widths[layer + 1]);
        let outputs = after[0].len();
        let mut features: Vec<Vec<f64>> = Vec::new();
        let mut targets = Vec::new();
        for (i, row) in before.iter().enumerate() {
            for j in 0..outputs {
                features.push(row.iter().flat_map(|b| after.iter().map(move |c| b * c[j])).collect());
                targets.push(self.truth(i, j));
            }
        }
        let features: Vec<&[f64]> = features.iter().map(Vec::as_slice).collect();
        let factor = precision_factor(&features, t, g);
        let drawn = draw(&factor, &features, targets.into_iter(), anchor.iter().flatten().copied(), t, g, stream);
        drawn.chunks_exact(self.widths[layer + 1]).map(<[f64]>::to_vec).collect()
    }

    fn truth(&self, i: usize, j: usize) -> f64 {
        if i == j { self.singular_values.get(i).copied().unwrap_or(0.0) } else { 0.0 }
    }

    fn layers(&self, point: &[f64]) -> Vec<Matrix> {
        let mut rest = point;
        let mut layers = Vec::new();
        for pair in self.widths.windows(2) {
            let (own, others) = rest.split_at(pair[0] * pair[1]);
            layers.push(own.chunks_exact(pair[1]).map(<[f64]>::to_vec).collect());
            rest = others;
        }
        layers
    }
}

/// Product of layers; the identity of `size` when there is none.
fn product(layers: &[Matrix], size: usize) -> Matrix {
    let Some((first, others)) = layers.split_first() else {
        return (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    };
    let mut map = first.clone();
    for layer in others {
        let times = |row: &Vec<f64>| -> Vec<f64> {
            (0..layer[0].len()).map(|j| row.iter().zip(layer).map(|(x, other)| x * other[j]).sum()).collect()
        };
        map = map.iter().map(times).collect();
    }
    map
}
