//! Have chains of a sampler met, and how many independent draws are they worth?
//!
//! Formula:   R-hat = max over values and distances from the median of sqrt((B / W + n - 1) / n), B and W the variances
//!            between and within half chains of n normal scores; MCSE = standard deviation / sqrt(ESS of the mean)
//! Assumes:   chains of one length, finite draws
//! Cost:      one sort and four real transforms of every half chain
//! Fails when all chains are stuck in the same wrong place: no statistic of the draws can see it
//! Reference: \[Vehtari2021\]; equal to ArviZ 0.23 (`rhat`, `ess` with methods bulk and tail, `mcse`)

use super::autocovariance::{Autocovariance, mean, variance};
use super::ranks::{NormalScores, Sorted};
use crate::error::{Error, Result};

/// What chains say about their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainStatistics {
    /// Mean of all draws.
    pub mean: f64,
    /// Standard deviation of all draws (divisor count - 1).
    pub standard_deviation: f64,
    /// Monte Carlo standard error of the mean.
    pub mcse: f64,
    /// Effective number of draws for the bulk: of the normal scores.
    pub bulk_ess: f64,
    /// Effective number of draws for the tails: the smaller one of the 5 % and 95 % quantiles.
    pub tail_ess: f64,
    /// Rank-normalised split R-hat, 1 when the chains have met. Not a number for a single chain and for draws that are
    /// all equal.
    pub r_hat: f64,
}

/// Statistics of `chains`, each a slice of draws of one quantity. Of an odd number of draws the middle one is left out of
/// R-hat and ESS, because chains are halved. Draws that are all equal count as independent, as in ArviZ.
///
/// # Errors
/// When there is no chain, chains differ in length, have fewer than 4 draws, or a draw is not finite.
pub fn chain_statistics(chains: &[&[f64]]) -> Result<ChainStatistics> {
    let draws = check(chains)?;
    let half = draws / 2;
    let split_count = 2 * half * chains.len();
    // (half chain, draw), then the middle draws, which only the quantiles see.
    let mut values = Vec::with_capacity(chains.len() * draws);
    values.extend(chains.iter().flat_map(|chain| chain[..half].iter().chain(&chain[draws - half..])));
    if draws % 2 == 1 {
        values.extend(chains.iter().map(|chain| chain[half]));
    }
    let overall = mean(&values);
    let standard_deviation = variance(&values).sqrt();

    let mut sorted = Sorted::new(&values);
    let quantiles = [0.05, 0.95].map(|p| quantile(&sorted, p));
    if draws % 2 == 1 {
        sorted.keep_places_below(split_count);
        values.truncate(split_count);
    }
    let mut autocovariance = Autocovariance::new(half);
    let mcse = standard_deviation / autocovariance.effective_sample_size(&values, |value| value).sqrt();
    let [low_ess, high_ess] = quantiles
        .map(|quantile| autocovariance.effective_sample_size(&values, |value| f64::from(u8::from(value <= quantile))));

    // The scores take the values' memory: first touches of new memory cost as much as the arithmetic.
    let scores = NormalScores::new(split_count);
    let mut series = values;
    scores.tell(sorted.ascending(), |place, score| series[place as usize] = score);
    let bulk_ess = autocovariance.effective_sample_size(&series, |score| score);
    let mut r_hat = f64::NAN;
    if chains.len() > 1 {
        let moments = series.chunks_exact(half).map(|chain| (mean(chain), variance(chain))).collect::<Vec<_>>();
        r_hat = plain_r_hat(&moments, half);
        let median = 0.5 * (sorted.value(split_count / 2 - 1) + sorted.value(split_count / 2));
        let r_hat_of_distances = plain_r_hat(&moments_of_distances(&scores, &sorted, median, half), half);
        // Distances that are all equal give no number and say nothing.
        if r_hat_of_distances > r_hat {
            r_hat = r_hat_of_distances;
        }
    }
    Ok(ChainStatistics { mean: overall, standard_deviation, mcse, bulk_ess, tail_ess: low_ess.min(high_ess), r_hat })
}

/// Number of draws per chain.
fn check(chains: &[&[f64]]) -> Result<usize> {
    let refuse = |value: String, rule: &str, remedy: &str| Err(Error::invalid("chains", value, rule, remedy));
    let Some(draws) = chains.first().map(|chain| chain.len()) else {
        return refuse("none".into(), "statistics need at least one chain", "run at least 4 chains");
    };
    if let Some(place) = chains.iter().position(|chain| chain.len() != draws) {
        let found = format!("{} draws in chain {place}, {draws} in chain 0", chains[place].len());
        return refuse(found, "chains must have one length", "cut them to the shortest");
    }
    if draws < 4 {
        return refuse(format!("{draws} draws"), "chains are halved and need at least 4 draws", "draw more");
    }
    if (draws as u64).saturating_mul(chains.len() as u64) >= u64::from(u32::MAX) {
        return refuse(format!("{} x {draws} draws", chains.len()), "fewer than 2^32 draws are ranked", "thin them");
    }
    for (chain, values) in chains.iter().enumerate() {
        if let Some(draw) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { stage: format!("draw {draw} of chain {chain} is {}", values[draw]) });
        }
    }
    Ok(draws)
}

/// Quantile of sorted values by linear interpolation (type 7 of R), rounded as ArviZ rounds it: ties are compared with it.
fn quantile(sorted: &Sorted, p: f64) -> f64 {
    let count = sorted.len() as f64;
    let position = count * p + (1.0 - p);
    let below = position.clamp(1.0, count - 1.0).floor();
    let share = (position - below).clamp(0.0, 1.0);
    let below = below as usize;
    (1.0 - share) * sorted.value(below - 1) + share * sorted.value(below)
}

/// Mean and variance of every half chain's scores of distances from the median.
///
/// Sums are enough: the scores are of order 1, and writing them to their places would be half of the time.
fn moments_of_distances(scores: &NormalScores, sorted: &Sorted, median: f64, draws: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); sorted.len() / draws];
    let count = draws as f64;
    // A product instead of a division; half a place keeps rounding away from the next chain.
    let reciprocal = 1.0 / count;
    scores.tell(sorted.distances(median), |place, score| {
        let (sum, squares) = &mut sums[((f64::from(place) + 0.5) * reciprocal) as usize];
        *sum += score;
        *squares += score * score;
    });
    let moments =
        |&(sum, squares): &(f64, f64)| (sum / count, ((squares - sum * sum / count) / (count - 1.0)).max(0.0));
    sums.iter().map(moments).collect()
}

/// R-hat of chains with these means and variances, as they are.
fn plain_r_hat(moments: &[(f64, f64)], draws: usize) -> f64 {
    let means: Vec<f64> = moments.iter().map(|(mean, _)| *mean).collect();
    let within = moments.iter().map(|(_, variance)| variance).sum::<f64>() / moments.len() as f64;
    let draws = draws as f64;
    let between = draws * variance(&means);
    ((between / within + draws - 1.0) / draws).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::Stream;

    fn of(chains: &[Vec<f64>]) -> Result<ChainStatistics> {
        chain_statistics(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn constant_chains_count_as_independent_and_have_no_r_hat() {
        let found = of(&vec![vec![2.0; 10]; 4]).expect("finite");
        assert_eq!((found.mean, found.mcse, found.bulk_ess, found.tail_ess), (2.0, 0.0, 40.0, 40.0));
        assert!(found.r_hat.is_nan());
    }

    #[test]
    fn statistics_do_not_depend_on_a_monotone_map() {
        let mut stream = Stream::new(3, "chains", 0);
        let chains: Vec<Vec<f64>> = (0..4).map(|_| (0..100).map(|_| stream.normal()).collect()).collect();
        let mapped: Vec<Vec<f64>> = chains.iter().map(|chain| chain.iter().map(|x| x.powi(3)).collect()).collect();
        let (plain, mapped) = (of(&chains).expect("finite"), of(&mapped).expect("finite"));
        assert_eq!(plain.bulk_ess, mapped.bulk_ess);
        assert!((plain.r_hat - 1.0).abs() < 0.05 && plain.bulk_ess > 200.0);
    }

    #[test]
    fn numbers_that_overflow_leave_the_ranks() {
        let mut stream = Stream::new(5, "chains", 0);
        let chains: Vec<Vec<f64>> = (0..4).map(|_| (0..100).map(|_| 1e308 * stream.uniform()).collect()).collect();
        let found = of(&chains).expect("finite draws");
        assert!(found.mcse.is_nan() && found.bulk_ess > 100.0 && found.tail_ess > 100.0, "{found:?}");
    }

    #[test]
    fn impossible_chains_are_refused() {
        assert!(of(&[]).is_err());
        assert!(of(&[vec![1.0; 3]]).is_err());
        assert!(of(&[vec![1.0; 8], vec![1.0; 9]]).is_err());
        let mut chains = vec![vec![1.0; 8]; 2];
        chains[1][5] = f64::NAN;
        let message = of(&chains).expect_err("not finite").to_string();
        assert!(message.contains("draw 5 of chain 1"), "{message}");
    }
}
