//! The loss of a network on data, as a landscape over its parameters.

use std::sync::Arc;

use super::dataset::{Dataset, Targets};
use super::lanes::Kernels;
use super::mlp::Mlp;
use super::scalar;
use crate::error::{Error, Result};
use crate::landscape::{Batch, Differentiable, LANES, Landscape, Lanes, Sampled, WalkerBlock};

/// Numbers that blocks of walkers are computed in. One point alone is always computed in double precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32: losses within 1e-6 (relative), gradients within 1e-5 of the largest entry.
    Single,
    /// f64.
    Double,
}

/// Mean loss of a network over data: cross-entropy for classes (natural logarithm), half the squared error, summed over
/// outputs, for values.
#[derive(Clone, Debug)]
pub struct EmpiricalLoss {
    mlp: Mlp,
    dataset: Arc<Dataset>,
    precision: Precision,
    kernels: Kernels,
}

impl EmpiricalLoss {
    /// `mlp` on `dataset`.
    ///
    /// # Errors
    /// When the widths of network and data differ.
    pub fn new(mlp: Mlp, dataset: Arc<Dataset>, precision: Precision) -> Result<Self> {
        for (what, network, data) in
            [("inputs", mlp.inputs(), dataset.input_width()), ("outputs", mlp.outputs(), dataset.output_width())]
        {
            if network != data {
                return Err(Error::invalid(
                    "model.widths",
                    format!("{:?}", mlp.widths()),
                    format!("the network has {network} {what} and the data {data}"),
                    "change the first or last width",
                ));
            }
        }
        let kernels = Kernels::new(&dataset, precision);
        Ok(EmpiricalLoss { mlp, dataset, precision, kernels })
    }

    /// The network.
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// The data.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }

    /// Numbers that blocks are computed in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Share of samples whose largest output is that of their class (the first, if several are equal); `None` when the
    /// targets are values.
    ///
    /// # Panics
    /// When `point` has another length than the parameter vector.
    pub fn accuracy(&self, point: &[f64]) -> Option<f64> {
        let Targets::Classes { labels, .. } = self.dataset.targets() else { return None };
        let mut right = 0;
        scalar::for_each_output(&self.mlp, &self.dataset, point, |sample, outputs| {
            let best = (0..outputs.len()).fold(0, |best, k| if outputs[k] > outputs[best] { k } else { best });
            // A network that has diverged is right about nothing.
            right += usize::from(best == labels[sample] as usize && outputs[best].is_finite());
        });
        Some(right as f64 / labels.len() as f64)
    }
}

impl Landscape for EmpiricalLoss {
    fn dimension(&self) -> usize {
        self.mlp.parameter_count()
    }

    fn loss(&self, point: &[f64]) -> f64 {
        scalar::mean_loss(&self.mlp, &self.dataset, point, None, None)
    }

    fn losses(&self, points: &[f64], out: &mut [f64]) -> Result<()> {
        let dimension = self.dimension();
        assert_eq!(points.len(), out.len() * dimension, "points must be (count, dimension)");
        let mut block = WalkerBlock::zeros(dimension);
        for (points, out) in points.chunks(LANES * dimension).zip(out.chunks_mut(LANES)) {
            // Lanes beyond the last point keep what was there before.
            points.chunks_exact(dimension).enumerate().for_each(|(lane, point)| block.write(lane, point));
            out.copy_from_slice(&self.block_loss(&block)[..out.len()]);
            if let Some((lane, value)) = out.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                let point = &points[lane * dimension..(lane + 1) * dimension];
                return Err(Error::invalid(
                    "landscape",
                    format!("{value} at w = {point:?}"),
                    "the loss must be a finite number at every point",
                    "shrink the domain",
                ));
            }
        }
        Ok(())
    }
}

impl Differentiable for EmpiricalLoss {
    fn gradient(&self, point: &[f64], out: &mut [f64]) {
        scalar::mean_loss(&self.mlp, &self.dataset, point, None, Some(out));
    }
}

impl Sampled for EmpiricalLoss {
    fn sample_count(&self) -> usize {
        self.dataset.sample_count()
    }

    fn batch_gradient(&self, point: &[f64], batch: Option<&[u32]>, gradient: &mut [f64]) -> f64 {
        scalar::mean_loss(&self.mlp, &self.dataset, point, batch, Some(gradient))
    }

    fn block_gradient(&self, block: &WalkerBlock, batch: Batch<'_>, gradient: &mut WalkerBlock) -> Lanes {
        if let Some(losses) = self.kernels.evaluate(&self.mlp, block, batch, Some(&mut *gradient)) {
            return losses;
        }
        let mut point = vec![0.0; block.dimension()];
        let mut own = vec![0.0; block.dimension()];
        std::array::from_fn(|lane| {
            block.read(lane, &mut point);
            let draws: Option<Vec<u32>> = match batch {
                Batch::Full => None,
                Batch::Drawn(draws) => Some(draws.iter().map(|draw| draw[lane]).collect()),
            };
            let loss = self.batch_gradient(&point, draws.as_deref(), &mut own);
            gradient.write(lane, &own);
            loss
        })
    }

    fn block_loss(&self, block: &WalkerBlock) -> Lanes {
        self.kernels.evaluate(&self.mlp, block, Batch::Full, None).unwrap_or_else(|| {
            let mut point = vec![0.0; block.dimension()];
            std::array::from_fn(|lane| {
                block.read(lane, &mut point);
                self.loss(&point)
            })
        })
    }
}
