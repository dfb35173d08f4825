//! A power as a sum of exponentials: t^(-a) ≈ Σ w_i exp(-s_i t) on [shortest, longest], relative error bounded.
//!
//! Formula:   trapezoidal rule in x = ln s of t^(-a) = 1/Γ(a) ∫ exp(-t e^x + a x) dx; then its slow nodes, and its
//!            fast ones, are each replaced by the few nodes of the Gauss rule of their own measure
//! Assumes:   0 < a < 1
//! Order:     the rule's relative error is 2 |Γ(a + 2πi/h)| / Γ(a) at node distance h: exponential in 1/h
//! Cost:      a search over the number of Gauss nodes, each tried on a fine grid: milliseconds
//! Fails when the tolerance is below what rounding allows (about 1e-13)
//! Reference: \[BeylkinMonzon2010\], \[JiangZhangZhangZhang2017\]
//!
//! Slow nodes: where s t is moderate, exp(-s t) is nearly a polynomial of low degree in s, and a Gauss rule
//! with m nodes is exact to degree 2m - 1; infinitely many nodes become a handful. Fast nodes: only exp(-s) dμ(s)
//! counts, a measure that falls so fast that fewer nodes serve too. Gauss nodes lie inside the support and their
//! weights are positive, so every rate and weight is. The result is checked on a fine grid, and the error found there
//! is the one that is told.

use std::collections::BTreeMap;

use faer::linalg::solvers::SolveLstsq;
use faer::{Col, Mat, Side};

use crate::error::{Error, Result};
use crate::math::special::gamma;

/// Largest product of a slow rate and the longest time: which of these leaves the fewest nodes is tried.
const SLOW: [f64; 2] = [16.0, 40.0];
/// Smallest product of a fast rate and the shortest time, likewise.
const FAST: [f64; 2] = [0.3, 0.8];
/// Part of the tolerance that the trapezoidal rule takes, likewise: the rest is for the Gauss rules.
const SHARES: [f64; 2] = [0.985, 0.8];
/// Part of the node distance by which the nodes are shifted, likewise.
const SHIFTS: [f64; 4] = [0.0, 0.25, 0.5, 0.75];
/// Most Gauss nodes on either side.
const MOST_GAUSS_NODES: usize = 40;
/// An error this many times the tolerance may be mended by moving the nodes.
const NEAR: f64 = 2000.0;
/// Gauss-Newton steps of that.
const POLISHING_STEPS: usize = 40;
/// Points of the check per unit of ln t.
const CHECKS_PER_UNIT: f64 = 60.0;

/// t^(-a) ≈ Σ w_i exp(-s_i t).
#[derive(Clone, Debug, PartialEq)]
pub struct ExponentialSum {
    rates: Vec<f64>,
    weights: Vec<f64>,
    error: f64,
}

/// Nodes s with weights w.
#[derive(Clone, Debug, Default)]
struct Nodes {
    rates: Vec<f64>,
    weights: Vec<f64>,
}

impl ExponentialSum {
    /// The sum for t^(-`exponent`) between `shortest` and `longest` \[t\] with relative error at most `tolerance`.
    ///
    /// # Errors
    /// For arguments outside 0 < exponent < 1, 0 < shortest <= longest; [`Error::Unconverged`] for a tolerance out of
    /// reach.
    pub fn fit(exponent: f64, shortest: f64, longest: f64, tolerance: f64) -> Result<Self> {
        if !(exponent > 0.0 && exponent < 1.0) {
            let rule = "the exponent of the kernel must lie between 0 and 1";
            return Err(Error::invalid("exponent", exponent, rule, "use 0 < exponent < 1"));
        }
        let ordered = shortest > 0.0 && shortest <= longest && longest.is_finite();
        if !ordered {
            let rule = format!("the times must be positive and ordered, here {shortest:e} and {longest:e}");
            return Err(Error::invalid("interval", shortest, rule, "give the shortest time first"));
        }
        // In units of the shortest time; the interval is given some width, so that one time alone is no special case.
        let ratio = (longest / shortest).max(2.0);
        // By their number, the best nodes seen.
        let mut candidates: BTreeMap<usize, (Nodes, f64)> = BTreeMap::new();
        let mut reached = f64::INFINITY;
        let cuts = SLOW.iter().flat_map(|slow| FAST.map(|fast| (*slow, fast)));
        let rules = SHARES.iter().flat_map(|share| SHIFTS.map(|shift| (*share, shift)));
        for ((share, shift), cut) in rules.flat_map(|rule| cuts.clone().map(move |cut| (rule, cut))) {
            let rule = Trapezoid::new(exponent, ratio, share * tolerance, shift, cut);
            for (found, error) in rule.reduced(tolerance) {
                reached = reached.min(error);
                let count = found.rates.len();
                if error > NEAR * tolerance {
                    continue;
                }
                let best = candidates.entry(count).or_insert_with(|| (found.clone(), error));
                if error < best.1 {
                    *best = (found, error);
                }
            }
        }
        // The fewest terms that do; fewer still may do when all nodes move a little.
        let mut best = candidates.values().find(|(_, error)| *error <= tolerance).cloned();
        if let Some((fewest, _)) = &best {
            let fewer = candidates.range(..fewest.rates.len()).rev();
            for (_, (nodes, _)) in fewer {
                let moved = polished(exponent, ratio, nodes.clone());
                if moved.1 > tolerance {
                    break;
                }
                best = Some(moved);
            }
        }
        let Some((nodes, error)) = best else {
            return Err(Error::Unconverged {
                method: "exponential sum",
                reached,
                wanted: tolerance,
                remedy: "relax method.tolerance, or use memory = \"direct\"".into(),
            });
        };
        let scale = shortest.powf(-exponent);
        Ok(ExponentialSum {
            rates: nodes.rates.iter().map(|rate| rate / shortest).collect(),
            weights: nodes.weights.iter().map(|weight| weight * scale).collect(),
            error,
        })
    }

    /// Rates s_i > 0 \[1/t\], slowest first.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// Weights w_i > 0 \[t^-a\].
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Largest relative error found on a fine grid over the interval.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Σ w_i exp(-s_i t) at `time` \[t\].
    pub fn value(&self, time: f64) -> f64 {
        self.rates.iter().zip(&self.weights).map(|(rate, weight)| weight * (-rate * time).exp()).sum()
    }
}

/// The trapezoidal rule for t^(-a) on [1, ratio], in three parts.
struct Trapezoid {
    exponent: f64,
    ratio: f64,
    slow: Nodes,
    middle: Nodes,
    fast: Nodes,
}

impl Trapezoid {
    /// Rates up to `slow` over the ratio and from `fast` on are set apart.
    fn new(exponent: f64, ratio: f64, tolerance: f64, shift: f64, (slow, fast): (f64, f64)) -> Self {
        let step = node_distance(exponent, tolerance);
        let highest = fastest_rate(exponent, tolerance).ln() + shift * step;
        let mut rule =
            Trapezoid { exponent, ratio, slow: Nodes::default(), middle: Nodes::default(), fast: Nodes::default() };
        let weight = |x: f64| step / gamma(exponent) * (exponent * x).exp();
        // Downwards until rates are zero for all that the interval sees; what is slower is one weight at rate zero.
        let lowest = -ratio.ln() - 40.0;
        let mut x = highest;
        let mut descending = Vec::new();
        while x > lowest {
            descending.push((x.exp(), weight(x)));
            x -= step;
        }
        descending.push((0.0, weight(x) / -(-exponent * step).exp_m1()));
        for (rate, weight) in descending.into_iter().rev() {
            let part = match (rate * ratio <= slow, rate >= fast) {
                (true, _) => &mut rule.slow,
                (false, true) => &mut rule.fast,
                (false, false) => &mut rule.middle,
            };
            part.rates.push(rate);
            part.weights.push(weight);
        }
        rule
    }

    /// The fewest nodes whose error, on a fine grid, stays within the tolerance, and those with one node less; with
    /// their errors.
    fn reduced(&self, tolerance: f64) -> Vec<(Nodes, f64)> {
        let checked = |slow: &Nodes, fast: &Nodes| {
            let nodes = self.joined(slow, fast);
            let error = relative_error(self.exponent, self.ratio, &nodes);
            (nodes, error)
        };
        let mut tried = Vec::new();
        for slow in 2..=MOST_GAUSS_NODES {
            let slow = self.slow.gauss(slow, 0.0);
            let found = checked(&slow, &self.fast);
            if found.1 > tolerance {
                tried = vec![found];
                continue;
            }
            tried.push(found);
            // From one node upwards: the first that will do has the fewest.
            for fast in 1..self.fast.rates.len() {
                tried.push(checked(&slow, &self.fast.gauss(fast, 1.0)));
                if tried[tried.len() - 1].1 <= tolerance {
                    break;
                }
            }
            return tried;
        }
        tried
    }

    fn joined(&self, slow: &Nodes, fast: &Nodes) -> Nodes {
        let chain = |pick: fn(&Nodes) -> &Vec<f64>| {
            [slow, &self.middle, fast].into_iter().flat_map(|nodes| pick(nodes).iter().copied()).collect()
        };
        Nodes { rates: chain(|nodes| &nodes.rates), weights: chain(|nodes| &nodes.weights) }
    }
}

/// Largest relative error on [1, ratio], on a fine grid.
fn relative_error(exponent: f64, ratio: f64, nodes: &Nodes) -> f64 {
    let points = points(ratio, (CHECKS_PER_UNIT * ratio.ln()).ceil() as usize + 100);
    points.iter().map(|point| residual(exponent, nodes, *point).abs()).fold(0.0, f64::max)
}

/// Logarithms of times in [1, ratio], denser towards both ends.
fn points(ratio: f64, count: usize) -> Vec<f64> {
    let place = |i: usize| {
        let part = i as f64 / count as f64;
        ratio.ln() * (0.4 * part + 0.3 * (1.0 - (std::f64::consts::PI * part).cos()))
    };
    (0..=count).map(place).collect()
}

/// 1 - t^a Σ w exp(-s t) at t = exp(point).
fn residual(exponent: f64, nodes: &Nodes, point: f64) -> f64 {
    let time = point.exp();
    let pairs = nodes.rates.iter().zip(&nodes.weights);
    1.0 - (exponent * point).exp() * pairs.map(|(rate, weight)| weight * (-rate * time).exp()).sum::<f64>()
}

/// Nodes moved to the least squares of the relative error, by Gauss-Newton steps in ln s and ln w.
fn polished(exponent: f64, ratio: f64, mut nodes: Nodes) -> (Nodes, f64) {
    let count = nodes.rates.len();
    let points = points(ratio, 10 * count);
    let sum = |nodes: &Nodes| norm(&points.iter().map(|point| residual(exponent, nodes, *point)).collect::<Vec<_>>());
    let mut size = sum(&nodes);
    let mut damping = 1e-3;
    for _ in 0..POLISHING_STEPS {
        let rows = points.len() + 2 * count;
        let mut matrix = Mat::<f64>::zeros(rows, 2 * count);
        for (row, point) in points.iter().enumerate() {
            for (i, (rate, weight)) in nodes.rates.iter().zip(&nodes.weights).enumerate() {
                let age = rate * point.exp();
                let term = weight * (exponent * point - age).exp();
                matrix[(row, i)] = -age * term;
                matrix[(row, count + i)] = term;
            }
        }
        for i in 0..2 * count {
            matrix[(points.len() + i, i)] = damping;
        }
        let right = Col::<f64>::from_fn(rows, |row| points.get(row).map_or(0.0, |p| residual(exponent, &nodes, *p)));
        let step = matrix.qr().solve_lstsq(right.as_mat());
        let moved = |values: &[f64], first: usize| -> Vec<f64> {
            values.iter().enumerate().map(|(i, value)| value * step[(first + i, 0)].clamp(-0.5, 0.5).exp()).collect()
        };
        let trial = Nodes { rates: moved(&nodes.rates, 0), weights: moved(&nodes.weights, count) };
        let trial_size = sum(&trial);
        if trial_size < size {
            (nodes, size) = (trial, trial_size);
            damping *= 0.5;
        } else {
            damping *= 2.0;
        }
    }
    let error = relative_error(exponent, ratio, &nodes);
    (nodes, error)
}

impl Nodes {
    /// The Gauss rule with `count` nodes of the measure Σ w exp(-shift s) δ_s (Lanczos, then Golub and Welsch), its
    /// weights for the measure without the factor exp(-shift s).
    fn gauss(&self, count: usize, shift: f64) -> Nodes {
        if count >= self.rates.len() {
            return self.clone();
        }
        let roots: Vec<f64> = self
            .rates
            .iter()
            .zip(&self.weights)
            .map(|(rate, weight)| (weight * (-shift * rate).exp()).sqrt())
            .collect();
        let size = norm(&roots);
        let mut basis: Vec<Vec<f64>> = vec![roots.iter().map(|value| value / size).collect()];
        let mut matrix = Mat::<f64>::zeros(count, count);
        for k in 0..count {
            let mut next: Vec<f64> = basis[k].iter().zip(&self.rates).map(|(value, rate)| value * rate).collect();
            matrix[(k, k)] = next.iter().zip(&basis[k]).map(|(a, b)| a * b).sum();
            // Against all earlier vectors, twice: few and short, so exactness is cheap.
            for _ in 0..2 {
                for vector in &basis {
                    let overlap: f64 = next.iter().zip(vector).map(|(a, b)| a * b).sum();
                    next.iter_mut().zip(vector).for_each(|(a, b)| *a -= overlap * b);
                }
            }
            let rest = norm(&next);
            if k + 1 < count {
                matrix[(k, k + 1)] = rest;
                matrix[(k + 1, k)] = rest;
                next.iter_mut().for_each(|value| *value /= rest);
                basis.push(next);
            }
        }
        // A small symmetric tridiagonal matrix always has its eigenvectors; were it not so, nothing is replaced.
        let Ok(eigen) = matrix.self_adjoint_eigen(Side::Lower) else { return self.clone() };
        let rates: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let weights = (0..count).map(|k| (eigen.U()[(0, k)] * size).powi(2) * (shift * rates[k]).exp()).collect();
        Nodes { rates, weights }
    }
}

/// Node distance h at which 2 |Γ(a + 2πi/h)| / Γ(a) is the tolerance.
fn node_distance(exponent: f64, tolerance: f64) -> f64 {
    let error = |step: f64| {
        // Stirling's formula for |Γ(a + iy)| on a vertical line.
        let y = 2.0 * std::f64::consts::PI / step;
        let size = (2.0 * std::f64::consts::PI).sqrt() * y.powf(exponent - 0.5);
        2.0 * size * (-0.5 * std::f64::consts::PI * y).exp() / gamma(exponent)
    };
    bisect(0.05, 2.0, |step| error(step) <= tolerance)
}

/// Rate beyond which the integral at the shortest time holds less than the tolerance.
fn fastest_rate(exponent: f64, tolerance: f64) -> f64 {
    let tail = |rate: f64| (-rate).exp() * rate.powf(exponent - 1.0) / gamma(exponent);
    1.0 / bisect(1e-3, 2.0, |inverse| tail(1.0 / inverse) <= tolerance)
}

/// The largest argument between two ends for which a condition that holds at the lower end still holds.
fn bisect(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error at times that no grid of the fit holds.
    fn worst(sum: &ExponentialSum, exponent: f64, shortest: f64, longest: f64) -> f64 {
        let golden = 0.618_033_988_749_895;
        (0..20_000)
            .map(|i| {
                let place = (i as f64 * golden).fract();
                let time = shortest * (longest / shortest).powf(place);
                (sum.value(time) * time.powf(exponent) - 1.0).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn few_terms_hold_the_tolerance() {
        let mut too_many = Vec::new();
        // 24 terms were hoped for at 1e-6 throughout; a = 0.9 takes one more (fits of 24 were found with 1.5e-6).
        for (tolerance, most) in [(1e-6, 25), (1e-8, 32), (1e-12, 46)] {
            for exponent in [0.1, 0.3, 0.5, 0.7, 0.9] {
                let begun = std::time::Instant::now();
                let sum = ExponentialSum::fit(exponent, 1e-5, 1.0, tolerance).expect("a fit");
                let seconds = begun.elapsed().as_secs_f64();
                let error = worst(&sum, exponent, 1e-5, 1.0);
                println!(
                    "a = {exponent}, {tolerance:e}: {} terms, error {error:.2e}, {seconds:.3} s",
                    sum.rates().len()
                );
                assert!(error <= 1.05 * tolerance.max(sum.error()) && sum.error() <= tolerance, "{error:e}");
                let most = if tolerance == 1e-6 && exponent < 0.9 { 24 } else { most };
                if sum.rates().len() > most {
                    too_many.push((exponent, tolerance, sum.rates().len()));
                }
                assert!(sum.rates().iter().chain(sum.weights()).all(|value| *value > 0.0 && value.is_finite()));
            }
        }
        assert!(too_many.is_empty(), "more terms than promised: {too_many:?}");
    }

    #[test]
    fn short_and_long_intervals() {
        for (shortest, longest) in [(0.3, 0.3), (1.0, 10.0), (1e-10, 1.0), (1e-3, 1e9)] {
            for tolerance in [1e-2, 1e-9] {
                let sum = ExponentialSum::fit(0.4, shortest, longest, tolerance).expect("a fit");
                let error = worst(&sum, 0.4, shortest, longest);
                println!("{shortest:e}..{longest:e}, {tolerance:e}: {} terms, error {error:.2e}", sum.rates().len());
                assert!(error <= 1.05 * tolerance, "{error:e}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (exponent, shortest, longest, tolerance) in
            [(0.0, 1.0, 2.0, 1e-6), (1.0, 1.0, 2.0, 1e-6), (0.5, 0.0, 2.0, 1e-6), (0.5, 2.0, 1.0, 1e-6)]
        {
            assert!(ExponentialSum::fit(exponent, shortest, longest, tolerance).is_err());
        }
        let error = ExponentialSum::fit(0.5, 1e-5, 1.0, 1e-17).expect_err("below rounding");
        assert_eq!(error.exit_code(), 1);
    }
}
