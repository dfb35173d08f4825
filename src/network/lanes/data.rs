//! Data in the numbers of a kernel, and samples brought to lanes.

use pulp::bytemuck;

use super::linear::{GROUP, Group};
use super::output::Kind;
use super::vector::{Real, Simd};
use crate::landscape::Batch;
use crate::network::dataset::{Dataset, Targets};

/// A data set as numbers of one kind.
#[derive(Clone, Debug)]
pub(super) struct LaneData<R> {
    pub(super) count: usize,
    pub(super) kind: Kind,
    /// Numbers per target: 1 for a class.
    pub(super) target_rows: usize,
    width: usize,
    inputs: Vec<R>,
    targets: Vec<R>,
}

impl<R: Real> LaneData<R> {
    pub(super) fn new(dataset: &Dataset) -> Self {
        let (kind, target_rows, targets) = match dataset.targets() {
            Targets::Classes { labels, .. } => {
                (Kind::Classes, 1, labels.iter().map(|label| R::from_f64(f64::from(*label))).collect())
            }
            Targets::Values { values, width } => {
                (Kind::Values, *width, values.iter().map(|value| R::from_f64(*value)).collect())
            }
        };
        LaneData {
            count: dataset.sample_count(),
            kind,
            target_rows,
            width: dataset.input_width(),
            inputs: dataset.inputs().iter().map(|value| R::from_f64(*value)).collect(),
            targets,
        }
    }

    /// Samples `start..start + live` of a batch into (input, group) and (target, group) arrays; the padding repeats the
    /// last one.
    #[expect(clippy::too_many_arguments)] // everything is borrowed from one scratch
    #[inline(always)]
    pub(super) fn gather<S: Simd<Real = R>>(
        &self,
        s: S,
        batch: Batch<'_>,
        start: usize,
        live: usize,
        first: usize,
        groups: usize,
        inputs: &mut [Group<S::V>],
        targets: &mut [Group<S::V>],
    ) {
        for group in 0..groups {
            for sample in 0..GROUP {
                let place = start + (group * GROUP + sample).min(live - 1);
                match batch {
                    Batch::Full => {
                        let row = &self.inputs[place * self.width..(place + 1) * self.width];
                        for (out, value) in inputs.chunks_exact_mut(groups).zip(row) {
                            out[group][sample] = s.splat(*value);
                        }
                        let row = &self.targets[place * self.target_rows..(place + 1) * self.target_rows];
                        for (out, value) in targets.chunks_exact_mut(groups).zip(row) {
                            out[group][sample] = s.splat(*value);
                        }
                    }
                    Batch::Drawn(draws) => {
                        let draws = &draws[place][first..first + S::WIDTH];
                        gather_rows::<S>(draws, &self.inputs, self.width, groups, group, sample, inputs);
                        gather_rows::<S>(draws, &self.targets, self.target_rows, groups, group, sample, targets);
                    }
                }
            }
        }
    }
}

/// Every lane's own row of (sample, number), one vector per number.
#[inline(always)]
fn gather_rows<S: Simd>(
    draws: &[u32],
    rows: &[S::Real],
    width: usize,
    groups: usize,
    group: usize,
    sample: usize,
    out: &mut [Group<S::V>],
) {
    for (k, out) in out.chunks_exact_mut(groups).enumerate() {
        let numbers: &mut [S::Real] = bytemuck::cast_slice_mut(&mut out[group][sample..sample + 1]);
        for (number, draw) in numbers.iter_mut().zip(draws) {
            *number = rows[*draw as usize * width + k];
        }
    }
}
