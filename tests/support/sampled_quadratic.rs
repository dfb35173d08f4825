//! A quadratic loss that is a mean over samples, with known noise of its batches.

use porewalk::landscape::{Batch, Differentiable, LANES, Landscape, Lanes, Sampled, WalkerBlock};

/// Sample k has the loss 1/2 Σ h_i (w_i - x_ki)², x_ki = ±s_i with as many of either sign in every coordinate: the mean is
/// L = 1/2 Σ h_i (w_i² + s_i²), and the gradient of one sample has variance h_i² s_i², at every w.
pub struct SampledQuadratic {
    /// h (length d).
    pub curvatures: Vec<f64>,
    /// s (length d).
    pub spreads: Vec<f64>,
    /// n, even.
    pub sample_count: usize,
}

impl SampledQuadratic {
    /// Curvatures spread evenly on a logarithmic scale from 1 to 100, without noise of batches.
    pub fn spread_out(dimension: usize) -> Self {
        let curvatures = (0..dimension).map(|i| 100f64.powf(i as f64 / (dimension - 1) as f64)).collect();
        SampledQuadratic { curvatures, spreads: vec![0.0; dimension], sample_count: 2 }
    }

    /// x of a sample and coordinate.
    fn shift(&self, sample: u32, coordinate: usize) -> f64 {
        // A sign that differs between neighbouring coordinates, so that they are not in step.
        let sign = ((sample as usize >> (coordinate % 6)) ^ (sample as usize / (self.sample_count / 2))) & 1;
        if sign == 0 { self.spreads[coordinate] } else { -self.spreads[coordinate] }
    }

    /// Loss at the minimum.
    pub fn floor(&self) -> f64 {
        0.5 * self.curvatures.iter().zip(&self.spreads).map(|(h, s)| h * s * s).sum::<f64>()
    }
}

impl Landscape for SampledQuadratic {
    fn dimension(&self) -> usize {
        self.curvatures.len()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        self.floor() + 0.5 * self.curvatures.iter().zip(point).map(|(h, w)| h * w * w).sum::<f64>()
    }
}

impl Differentiable for SampledQuadratic {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(self.curvatures.iter().zip(point)).for_each(|(out, (h, w))| *out = h * w);
    }
}

impl Sampled for SampledQuadratic {
    fn sample_count(&self) -> usize {
        self.sample_count
    }

    fn batch_gradient(&self, point: &[f64], batch: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        let Some(batch) = batch else {
            self.gradient(point, gradient);
            return self.loss(point);
        };
        gradient.fill(0.0);
        let share = 1.0 / batch.len() as f64;
        let mut loss = 0.0;
        for &sample in batch {
            for (i, (slope, w)) in gradient.iter_mut().zip(point).enumerate() {
                let distance = w - self.shift(sample, i);
                *slope += share * self.curvatures[i] * distance;
                loss += 0.5 * share * self.curvatures[i] * distance * distance;
            }
        }
        loss
    }

    fn block_gradient(&self, block: &WalkerBlock, batch: Batch<'_>, gradient: &mut WalkerBlock) -> Lanes {
        let mut losses = [0.0; LANES];
        if let Batch::Full = batch {
            losses = [self.floor(); LANES];
        }
        for (i, (slope, row)) in gradient.rows_mut().iter_mut().zip(block.rows()).enumerate() {
            let h = self.curvatures[i];
            for lane in 0..LANES {
                let (mut first, mut second) = (row[lane], row[lane] * row[lane]);
                if let Batch::Drawn(draws) = batch {
                    let mean: f64 =
                        draws.iter().map(|draw| self.shift(draw[lane], i)).sum::<f64>() / draws.len() as f64;
                    second += self.spreads[i] * self.spreads[i] - 2.0 * row[lane] * mean;
                    first -= mean;
                }
                slope[lane] = h * first;
                losses[lane] += 0.5 * h * second;
            }
        }
        losses
    }
}
