//! Observables of a run: what the report says about its densities.

use super::model::{Discretised, Distribution};
use crate::estimate::divergence::{kullback_leibler, largest_relative_difference, total_variation};
use crate::estimate::moments::{Moments, free_energy};
use crate::mesh::Density;
use crate::storage::report::{Observables, StationaryComparison};

/// Numbers per output time. `frames` holds the problem at every time when its coefficients change, else nothing;
/// `constant` the stationary state and exp(-γ L/D) for the latter case.
pub fn observables(
    times: &[f64],
    densities: &[Density],
    on: &Discretised,
    frames: &[Discretised],
    constant: &(&Distribution, &Distribution),
) -> Observables {
    let origin = Moments::of(&on.initial).mean;
    let mut all = Observables { time: times.to_vec(), ..Observables::default() };
    for (index, density) in densities.iter().enumerate() {
        let operator = &frames.get(index).unwrap_or(on).operator;
        let moved = frames.get(index).map(|frame| (frame.stationary_distribution(), frame.gibbs_distribution()));
        let (stationary, gibbs) = moved.as_ref().map_or(*constant, |(stationary, gibbs)| (stationary, gibbs));
        let moments = Moments::of(density);
        all.mass.push(density.mass());
        all.min_density.push(density.minimum());
        all.displacement.push(moments.displacement_from(&origin));
        all.mean.push(moments.mean);
        all.second_moment.push(moments.second);
        all.free_energy.push(free_energy(density, operator.losses(), operator.log_diffusivity(), operator.friction()));
        all.kl_to_stationary.push(kullback_leibler(density.probability(), &stationary.logs));
        all.kl_to_gibbs.push(kullback_leibler(density.probability(), &gibbs.logs));
    }
    all
}

/// Below this part of its maximum a density is too small for a relative difference to mean anything.
const RELATIVE_FLOOR: f64 = 1e-12;

/// The stationary state against exp(-γ L/D).
pub fn compare_stationary(on: &Discretised, stationary: &Distribution, gibbs: &Distribution) -> StationaryComparison {
    // With detailed balance the flux is zero; what the sum would show is the rounding of its terms.
    let circulating_flux =
        if on.stationary.is_reversible() { 0.0 } else { on.operator.flux_norm(&stationary.probability) };
    StationaryComparison {
        kl: kullback_leibler(&stationary.probability, &gibbs.logs),
        total_variation: total_variation(&stationary.probability, &gibbs.probability),
        largest_relative_difference: largest_relative_difference(
            &stationary.probability,
            &gibbs.probability,
            RELATIVE_FLOOR,
        ),
        circulating_flux,
    }
}
