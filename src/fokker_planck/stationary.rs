//! The stationary state of the operator, and exp(-γ L/D), as logarithms of probabilities per cell.
//!
//! A null vector by LU or inverse iteration is silently wrong in metastable wells. Three ways are exact instead:
//! the formula (uniform D, Scharfetter-Gummel), sums of the faces' log-ratios (detailed balance), and
//! subtraction-free elimination (anything else, with a circulating flux).

use std::collections::VecDeque;

use super::Operator;
use crate::error::Result;
use crate::math::elimination::{Coupling, log_stationary};
use crate::math::extended::Extended;
use crate::math::ordering::nested_dissection;
use crate::math::summation::compensated_sum;
use crate::mesh::porous::Components;

/// How a stationary state was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StationaryMethod {
    /// exp(-γ L/D): uniform D and Scharfetter-Gummel fluxes.
    ClosedForm,
    /// Sums of log-ratios along paths: the operator has detailed balance.
    LogRatios,
    /// Grassmann-Taksar-Heyman elimination: the state carries a circulating flux.
    Elimination,
}

impl StationaryMethod {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            StationaryMethod::ClosedForm => "closed-form",
            StationaryMethod::LogRatios => "log-ratios",
            StationaryMethod::Elimination => "elimination",
        }
    }
}

/// The stationary state of each connected piece of the medium.
#[derive(Clone, Debug)]
pub struct Stationary {
    /// Natural logarithm of the probability of each cell; every piece sums to one.
    pub log_probability: Vec<f64>,
    /// How it was found.
    pub method: StationaryMethod,
    /// Largest mismatch of log-ratios around a cycle of faces; 0 with detailed balance up to rounding.
    pub cycle_defect: f64,
}

impl Stationary {
    /// True when no face carries a stationary flux.
    pub fn is_reversible(&self) -> bool {
        self.method != StationaryMethod::Elimination
    }

    /// Probabilities per cell when piece k of `components` holds `masses[k]`.
    pub fn probability(&self, components: &Components, masses: &[f64]) -> Vec<f64> {
        let with_label = self.log_probability.iter().zip(&components.label);
        with_label.map(|(log, &label)| log.exp() * masses[label]).collect()
    }
}

impl Operator {
    /// The stationary state, accurate in every entry.
    ///
    /// # Errors
    /// When a cell has no way out (its rates underflow to zero).
    pub fn stationary(&self) -> Result<Stationary> {
        match self.detailed_balance() {
            Ok(stationary) => Ok(stationary),
            Err(cycle_defect) => Ok(Stationary {
                log_probability: self.eliminate(&self.mesh().components())?,
                method: StationaryMethod::Elimination,
                cycle_defect,
            }),
        }
    }

    /// The stationary state of an operator with detailed balance, from formula or log-ratios; of any other operator the
    /// largest mismatch around a cycle.
    pub(super) fn detailed_balance(&self) -> std::result::Result<Stationary, f64> {
        let components = self.mesh().components();
        if let (super::Flux::ScharfetterGummel, Some(diffusivity)) = (self.flux(), self.uniform_diffusivity()) {
            let lowest = self.lowest_loss();
            let logs = self.losses().iter().map(|loss| -self.friction() * (loss - lowest) / diffusivity).collect();
            return Ok(Stationary {
                log_probability: normalized(logs, &components),
                method: StationaryMethod::ClosedForm,
                cycle_defect: 0.0,
            });
        }
        let (logs, cycle_defect) = self.log_potential();
        let largest = self.log_ratios().iter().fold(0.0f64, |largest, ratio| largest.max(ratio.abs()));
        // Around a cycle a handful of ratios is summed: what rounding leaves is a few units of the largest.
        if cycle_defect > 64.0 * f64::EPSILON * (1.0 + largest) {
            return Err(cycle_defect);
        }
        let log_probability = normalized(logs, &components);
        Ok(Stationary { log_probability, method: StationaryMethod::LogRatios, cycle_defect })
    }

    /// exp(-γ L/D) as logarithms of probabilities per cell; every connected piece sums to one.
    pub fn gibbs(&self) -> Vec<f64> {
        let volumes = self.mesh().cells().iter().map(|cell| cell.volume.ln());
        // With one D a constant in L drops out; without it the exponents of the wells are small, and exact.
        let lowest = if self.uniform_diffusivity().is_some() { self.lowest_loss() } else { 0.0 };
        let exponents = self.losses().iter().zip(self.log_diffusivity()).zip(volumes);
        let logs = exponents.map(|((loss, log_diffusivity), volume)| {
            let diffusivity = self.uniform_diffusivity().unwrap_or_else(|| log_diffusivity.exp());
            volume - self.friction() * (loss - lowest) / diffusivity
        });
        normalized(logs.collect(), &self.mesh().components())
    }

    fn lowest_loss(&self) -> f64 {
        self.losses().iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// L1 norm over the faces of the probability flux of a state \[t^-alpha\].
    pub fn flux_norm(&self, probability: &[f64]) -> f64 {
        let rates = self.forward_rates().iter().zip(self.backward_rates());
        let fluxes = self.mesh().faces().iter().zip(rates).map(|(face, (forward, backward))| {
            (forward * probability[face.cells[0]] - backward * probability[face.cells[1]]).abs()
        });
        compensated_sum(fluxes)
    }

    /// The rates of every face, also those that are too small for a double: uphill by exp(-800) and less.
    pub fn couplings(&self) -> Vec<Coupling> {
        let rates = self.forward_rates().iter().zip(self.backward_rates()).zip(self.log_ratios());
        let faces = self.mesh().faces().iter().zip(rates);
        let couplings = faces.map(|(face, ((&forward, &backward), &ratio))| {
            let smaller = |small: f64, large: f64| {
                if small >= f64::MIN_POSITIVE {
                    Extended::new(small)
                } else {
                    Extended::new(large) * Extended::exp(-ratio.abs())
                }
            };
            let (forward, backward) = if ratio >= 0.0 {
                (Extended::new(forward), smaller(backward, forward))
            } else {
                (smaller(forward, backward), Extended::new(backward))
            };
            Coupling { states: face.cells, forward, backward }
        });
        couplings.collect()
    }

    /// Logarithms summed along a spanning tree, and the largest mismatch on the faces outside the tree.
    fn log_potential(&self) -> (Vec<f64>, f64) {
        let mesh = self.mesh();
        let mut neighbours: Vec<Vec<(usize, f64)>> = vec![Vec::new(); mesh.cell_count()];
        for (face, &ratio) in mesh.faces().iter().zip(self.log_ratios()) {
            let [a, b] = face.cells;
            neighbours[a].push((b, ratio));
            neighbours[b].push((a, -ratio));
        }
        // Value and carried rounding error of each sum: paths have thousands of terms.
        let mut potential: Vec<Option<(f64, f64)>> = vec![None; mesh.cell_count()];
        let mut queue = VecDeque::new();
        for start in 0..mesh.cell_count() {
            if potential[start].is_some() {
                continue;
            }
            potential[start] = Some((0.0, 0.0));
            queue.push_back((start, 0.0, 0.0));
            while let Some((cell, value, carry)) = queue.pop_front() {
                for &(next, ratio) in &neighbours[cell] {
                    if potential[next].is_none() {
                        let sum = value + ratio;
                        let lost =
                            if value.abs() >= ratio.abs() { (value - sum) + ratio } else { (ratio - sum) + value };
                        potential[next] = Some((sum, carry + lost));
                        queue.push_back((next, sum, carry + lost));
                    }
                }
            }
        }
        let potential: Vec<(f64, f64)> = potential.into_iter().map(|value| value.unwrap_or_default()).collect();
        let mismatches = mesh.faces().iter().zip(self.log_ratios()).map(|(face, ratio)| {
            let ((a, carry_a), (b, carry_b)) = (potential[face.cells[0]], potential[face.cells[1]]);
            ((b - a) - ratio + (carry_b - carry_a)).abs()
        });
        let defect = mismatches.fold(0.0, f64::max);
        // Against the largest value of its piece: near the bottom of a well the logarithms are then small, and exact.
        let components = mesh.components();
        let mut top = vec![(f64::NEG_INFINITY, 0.0); components.count];
        for (pair, &label) in potential.iter().zip(&components.label) {
            if pair.0 > top[label].0 {
                top[label] = *pair;
            }
        }
        let against_top = potential
            .iter()
            .zip(&components.label)
            .map(|((value, carry), &label)| (value - top[label].0) + (carry - top[label].1));
        (against_top.collect(), defect)
    }

    fn eliminate(&self, components: &Components) -> Result<Vec<f64>> {
        let mesh = self.mesh();
        let mut logs = vec![0.0; mesh.cell_count()];
        let all = self.couplings();
        for label in 0..components.count {
            let cells: Vec<usize> = (0..mesh.cell_count()).filter(|&cell| components.label[cell] == label).collect();
            let mut local = vec![usize::MAX; mesh.cell_count()];
            for (number, &cell) in cells.iter().enumerate() {
                local[cell] = number;
            }
            let couplings: Vec<Coupling> = all
                .iter()
                .filter(|coupling| components.label[coupling.states[0]] == label)
                .map(|coupling| Coupling { states: coupling.states.map(|cell| local[cell]), ..*coupling })
                .collect();
            let positions: Vec<[usize; 3]> = cells.iter().map(|&cell| mesh.cells()[cell].index).collect();
            let weights = log_stationary(cells.len(), &couplings, &nested_dissection(&positions))?;
            for (&cell, weight) in cells.iter().zip(weights) {
                logs[cell] = weight;
            }
        }
        Ok(logs)
    }
}

/// Shifts logarithms so that every connected piece sums to one.
fn normalized(mut logs: Vec<f64>, components: &Components) -> Vec<f64> {
    let mut largest = vec![f64::NEG_INFINITY; components.count];
    for (log, &label) in logs.iter().zip(&components.label) {
        largest[label] = largest[label].max(*log);
    }
    for (label, &top) in largest.iter().enumerate() {
        let members = logs.iter().zip(&components.label).filter(|(_, member)| **member == label);
        let total = compensated_sum(members.map(|(log, _)| (log - top).exp())).ln();
        for (log, _) in logs.iter_mut().zip(&components.label).filter(|(_, member)| **member == label) {
            *log = (*log - top) - total;
        }
    }
    logs
}
