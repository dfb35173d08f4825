//! The loss of a network on data, as a landscape over its parameters.

use std::sync::Arc;

use super::dataset::{Dataset, Targets};
use super::mlp::Mlp;
use super::scalar;
use crate::error::{Error, Result};
use crate::landscape::{Differentiable, Landscape, Sampled};

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
        Ok(EmpiricalLoss { mlp, dataset, precision })
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
}
