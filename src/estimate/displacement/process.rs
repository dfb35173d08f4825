//! Gaussian processes of a displacement, per coordinate and up to a common factor.
//!
//! Formula:   see [`Process`]; c(s, t) = <w(s) w(t)> with w(0) = 0, times since the origin
//! Assumes:   coordinates independent, of mean 0, of one covariance (a spectrum of rates is averaged over)
//! Cost:      K² for K times, times 16 for a spectrum
//! Fails when never: every covariance is positive definite by construction
//! Reference: \[MandelbrotVanNess1968\], \[Risken1989\], \[MetzlerJeonCherstvyBarkai2014\]

use std::sync::LazyLock;

use faer::Mat;

use super::diagnosis::Family;
use crate::math::quadrature::gauss_legendre;

/// Rates of a spectrum: sixteen nodes over their logarithm.
static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(16));

/// A process with its parameters on the scale on which they are searched (logarithms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// Fractional Brownian motion: variogram |s - t|^(2H).
    Fractional,
    /// Scaled Brownian motion: independent increments, R² = t^(2H).
    Scaled,
    /// Stationary increments with variogram log(1 + |s - t|/τ).
    Logarithm,
    /// Independent increments, R² = log(1 + t/τ).
    AgeingLogarithm,
    /// One rate k, from the minimum.
    SingleRateAtRest,
    /// One rate k, from the stationary law.
    SingleRateStationary,
    /// Rates log-uniform between k_min and k_max, from the minimum.
    SpectrumAtRest,
    /// Rates log-uniform, from the stationary law.
    SpectrumStationary,
    /// Rates log-uniform, from a place of variance V in every coordinate.
    SpectrumRelaxing,
    /// v² s t + 2 D min(s, t).
    DriftDiffusion,
    /// Fractional Brownian motion in a time g(t) = t up to t_c, t_c (t/t_c)^p after.
    TwoPhaseFractional,
    /// Brownian motion in a time g(t) = t^(2a) up to t_c, continued as t^(2b).
    TwoPhaseScaled,
}

use Process::*;

impl Process {
    /// All of them.
    pub const ALL: [Process; 12] = [
        Fractional,
        Scaled,
        Logarithm,
        AgeingLogarithm,
        SingleRateAtRest,
        SingleRateStationary,
        SpectrumAtRest,
        SpectrumStationary,
        SpectrumRelaxing,
        DriftDiffusion,
        TwoPhaseFractional,
        TwoPhaseScaled,
    ];

    pub fn family(self) -> Family {
        match self {
            Fractional | Scaled => Family::PowerLaw,
            Logarithm | AgeingLogarithm => Family::Logarithm,
            SingleRateAtRest | SingleRateStationary | SpectrumAtRest | SpectrumStationary | SpectrumRelaxing => {
                Family::OrnsteinUhlenbeck
            }
            DriftDiffusion => Family::DriftDiffusion,
            TwoPhaseFractional | TwoPhaseScaled => Family::TwoPhase,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Fractional => "fractional Brownian motion",
            Scaled => "scaled Brownian motion: independent increments whose size changes with time",
            Logarithm => "stationary increments",
            AgeingLogarithm => "independent increments that shrink as 1/t",
            SingleRateAtRest => "one rate, from the minimum",
            SingleRateStationary => "one rate, from the stationary law",
            SpectrumAtRest => "rates log-uniform, from the minimum",
            SpectrumStationary => "rates log-uniform, from the stationary law",
            SpectrumRelaxing => "rates log-uniform, from a place away from the minimum",
            DriftDiffusion => "constant drift and Brownian motion",
            TwoPhaseFractional => "fractional Brownian motion whose time changes its pace",
            TwoPhaseScaled => "independent increments whose exponent changes",
        }
    }

    /// Places from which the most likely parameters are searched, for times between `first` and `last`.
    pub fn starts(self, first: f64, last: f64) -> Vec<Vec<f64>> {
        let middle = (first * last).sqrt().ln();
        let (slow, fast) = (-last.ln(), -first.ln());
        match self {
            Fractional => vec![vec![logit(0.3)]],
            Scaled => vec![vec![-1.0]],
            Logarithm | AgeingLogarithm => vec![vec![first.ln()], vec![middle]],
            SingleRateAtRest | SingleRateStationary => vec![vec![slow], vec![-middle]],
            SpectrumAtRest | SpectrumStationary => vec![vec![slow, (fast - slow).ln()], vec![slow - 3.0, 1.0]],
            SpectrumRelaxing => vec![vec![slow, (fast - slow).ln(), 0.0], vec![slow - 1.0, 1.0, -slow]],
            DriftDiffusion => vec![vec![slow], vec![fast]],
            TwoPhaseFractional => vec![vec![logit(0.3), middle, -0.3], vec![logit(0.6), middle, -0.3]],
            TwoPhaseScaled => vec![vec![-0.7, -1.5, middle], vec![-1.5, -0.7, middle]],
        }
    }

    /// Names and values of the parameters, without the factor.
    pub fn parameters(self, theta: &[f64]) -> Vec<(&'static str, f64)> {
        match self {
            Fractional => vec![("slope", sigmoid(theta[0]))],
            Scaled => vec![("slope", theta[0].exp())],
            Logarithm | AgeingLogarithm => vec![("time", theta[0].exp())],
            SingleRateAtRest | SingleRateStationary => vec![("rate", theta[0].exp())],
            SpectrumAtRest | SpectrumStationary | SpectrumRelaxing => {
                let mut all =
                    vec![("least_rate", theta[0].exp()), ("greatest_rate", (theta[0] + theta[1].exp()).exp())];
                if self == SpectrumRelaxing {
                    all.push(("start_variance_over_diffusivity", theta[2].exp()));
                }
                all
            }
            DriftDiffusion => vec![("drift_squared_over_two_diffusivity", theta[0].exp())],
            TwoPhaseFractional => vec![
                ("slope_before", sigmoid(theta[0])),
                ("slope_after", sigmoid(theta[0]) * theta[2].exp()),
                ("change_time", theta[1].exp()),
            ],
            TwoPhaseScaled => {
                vec![("slope_before", theta[0].exp()), ("slope_after", theta[1].exp()), ("change_time", theta[2].exp())]
            }
        }
    }

    /// Time at which the exponent changes.
    pub fn change_time(self, theta: &[f64]) -> Option<f64> {
        match self {
            TwoPhaseFractional => Some(theta[1].exp()),
            TwoPhaseScaled => Some(theta[2].exp()),
            _ => None,
        }
    }

    /// Covariance of the increments between neighbours of `times`, of which the first is 0.
    pub fn increments(self, theta: &[f64], times: &[f64]) -> Mat<f64> {
        let count = times.len() - 1;
        if let Some(spectrum) = self.spectrum(theta) {
            let mut sum = Mat::zeros(count, count);
            spectrum.iter().for_each(|mode| mode.add_increments(times, &mut sum));
            return sum;
        }
        match self {
            DriftDiffusion => Mat::from_fn(count, count, |i, j| {
                let (a, b) = (times[i + 1] - times[i], times[j + 1] - times[j]);
                theta[0].exp() * a * b + if i == j { a } else { 0.0 }
            }),
            Scaled | AgeingLogarithm | TwoPhaseScaled => {
                let clock: Vec<f64> = times.iter().map(|time| self.mean_square(theta, *time)).collect();
                Mat::from_fn(count, count, |i, j| if i == j { clock[i + 1] - clock[i] } else { 0.0 })
            }
            _ => {
                let clock: Vec<f64> = times.iter().map(|time| self.clock(theta, *time)).collect();
                let size = clock.len();
                let mut variogram = vec![0.0; size * size];
                for i in 0..size {
                    for j in 0..i {
                        let value = 0.5 * self.variogram(theta, clock[i] - clock[j]);
                        variogram[i * size + j] = value;
                        variogram[j * size + i] = value;
                    }
                }
                let v = |i: usize, j: usize| variogram[i * size + j];
                Mat::from_fn(count, count, |i, j| v(i + 1, j) + v(i, j + 1) - v(i + 1, j + 1) - v(i, j))
            }
        }
    }

    /// <w(t)²>.
    pub fn mean_square(self, theta: &[f64], time: f64) -> f64 {
        if let Some(spectrum) = self.spectrum(theta) {
            return spectrum.iter().map(|mode| mode.weight * mode.covariance(time, time)).sum();
        }
        match self {
            DriftDiffusion => theta[0].exp() * time * time + time,
            Scaled => time.powf(2.0 * theta[0].exp()),
            AgeingLogarithm => (time / theta[0].exp()).ln_1p(),
            TwoPhaseScaled => {
                let (before, after, change) = (2.0 * theta[0].exp(), 2.0 * theta[1].exp(), theta[2].exp());
                if time <= change { time.powf(before) } else { change.powf(before) * (time / change).powf(after) }
            }
            _ => self.variogram(theta, self.clock(theta, time)),
        }
    }

    /// Covariance of w² at every two times over twice the product of their means, averaged over the spectrum.
    pub fn square_correlations(self, theta: &[f64], times: &[f64]) -> Mat<f64> {
        let count = times.len();
        let spectrum = self.spectrum(theta);
        let means: Vec<f64> = times.iter().map(|time| self.mean_square(theta, *time)).collect();
        let clock: Vec<f64> = times.iter().map(|time| self.clock(theta, *time)).collect();
        let squared = |i: usize, j: usize| {
            let (s, t) = (times[i], times[j]);
            if let Some(modes) = &spectrum {
                return modes.iter().map(|mode| mode.weight * mode.covariance(s, t).powi(2)).sum::<f64>();
            }
            let covariance = match self {
                DriftDiffusion => theta[0].exp() * s * t + s.min(t),
                Scaled | AgeingLogarithm | TwoPhaseScaled => means[i].min(means[j]),
                _ => 0.5 * (means[i] + means[j] - self.variogram(theta, (clock[i] - clock[j]).abs())),
            };
            covariance * covariance
        };
        let mut found = Mat::zeros(count, count);
        for i in 0..count {
            for j in 0..=i {
                let value = squared(i, j) / (means[i] * means[j]);
                found[(i, j)] = value;
                found[(j, i)] = value;
            }
        }
        found
    }

    fn variogram(self, theta: &[f64], lag: f64) -> f64 {
        match self {
            Logarithm => (lag / theta[0].exp()).ln_1p(),
            _ => lag.powf(2.0 * sigmoid(theta[0])),
        }
    }

    fn clock(self, theta: &[f64], time: f64) -> f64 {
        if self != TwoPhaseFractional || time.ln() <= theta[1] {
            return time;
        }
        (theta[1] + theta[2].exp() * (time.ln() - theta[1])).exp()
    }

    fn spectrum(self, theta: &[f64]) -> Option<Vec<Mode>> {
        let excess = |rate: f64| match self {
            SingleRateAtRest | SpectrumAtRest => Some(0.0),
            SingleRateStationary | SpectrumStationary => Some(1.0),
            SpectrumRelaxing => Some(theta[2].exp() * rate),
            _ => None,
        };
        excess(1.0)?;
        let mode = |rate: f64, weight: f64| Mode { rate, weight, start: excess(rate).expect("has a spectrum") };
        if matches!(self, SingleRateAtRest | SingleRateStationary) {
            return Some(vec![mode(theta[0].exp(), 1.0)]);
        }
        let (middle, half) = (theta[0] + 0.5 * theta[1].exp(), 0.5 * theta[1].exp());
        Some(RULE.iter().map(|(x, w)| mode((middle + half * x).exp(), 0.5 * w)).collect())
    }
}

/// One rate of relaxation of a unit diffusivity.
struct Mode {
    rate: f64,
    weight: f64,
    /// Variance of the start over the stationary one, 1/rate.
    start: f64,
}

impl Mode {
    /// Displacement from the start: stationary part, plus what the start has more or less.
    fn covariance(&self, s: f64, t: f64) -> f64 {
        let k = self.rate;
        let (a, b) = (-(-k * s).exp_m1(), -(-k * t).exp_m1());
        // 1 + e^(-k|s-t|) - e^(-ks) - e^(-kt) = a + b - (1 - e^(-k|s-t|))
        let stationary = a + b + (-k * (s - t).abs()).exp_m1();
        (stationary + (self.start - 1.0) * a * b) / k
    }

    fn add_increments(&self, times: &[f64], sum: &mut Mat<f64>) {
        let count = times.len() - 1;
        let (k, scale) = (self.rate, self.weight / self.rate);
        let moved: Vec<f64> = times.windows(2).map(|pair| -(-k * (pair[1] - pair[0])).exp_m1()).collect();
        let stays: Vec<f64> = moved.iter().map(|part| 1.0 - part).collect();
        let from_start: Vec<f64> = times.iter().map(|time| (-k * time).exp()).collect();
        for i in 0..count {
            let column = sum.col_as_slice_mut(i);
            let from_here = scale * (self.start - 1.0) * moved[i] * from_start[i];
            let mut gap = scale * moved[i];
            column[i] += 2.0 * gap + from_here * moved[i] * from_start[i];
            for j in i + 1..count {
                column[j] += moved[j] * (from_here * from_start[j] - gap);
                gap *= stays[j];
            }
        }
        for i in 0..count {
            for j in 0..i {
                sum[(j, i)] = sum[(i, j)];
            }
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariances_agree_with_each_other_and_are_positive() {
        let times = [0.0, 1.0, 2.0, 5.0, 11.0, 30.0];
        for process in Process::ALL {
            for theta in process.starts(1.0, 30.0) {
                let increments = process.increments(&theta, &times);
                for (t, time) in times.iter().enumerate().skip(1) {
                    let sum: f64 =
                        (0..t).flat_map(|i| (0..t).map(move |j| (i, j))).map(|(i, j)| increments[(i, j)]).sum();
                    let exact = process.mean_square(&theta, *time);
                    assert!((sum / exact - 1.0).abs() < 1e-10, "{process:?}: {sum} {exact}");
                }
                assert!(increments.llt(faer::Side::Lower).is_ok(), "{process:?}");
                let correlations = process.square_correlations(&theta, &times[1..]);
                assert!(correlations.llt(faer::Side::Lower).is_ok(), "{process:?}");
                if process.spectrum(&theta).is_some_and(|spectrum| spectrum.len() > 1) {
                    continue;
                }
                for (s, t) in [(1, 1), (2, 4), (4, 2)] {
                    let covariance: f64 =
                        (0..s).flat_map(|i| (0..t).map(move |j| (i, j))).map(|(i, j)| increments[(i, j)]).sum();
                    let means = process.mean_square(&theta, times[s]) * process.mean_square(&theta, times[t]);
                    let exact = covariance.powi(2) / means;
                    assert!((correlations[(s - 1, t - 1)] / exact - 1.0).abs() < 1e-9, "{process:?}");
                }
            }
        }
    }

    #[test]
    fn a_single_rate_from_the_minimum_has_its_textbook_covariance() {
        let theta = [0.2_f64.ln()];
        let found = SingleRateAtRest.mean_square(&theta, 3.0);
        assert!((found - (1.0 - (-2.0 * 0.2 * 3.0_f64).exp()) / 0.2).abs() < 1e-14);
        let found = SingleRateStationary.mean_square(&theta, 3.0);
        assert!((found - 2.0 * (1.0 - (-0.2 * 3.0_f64).exp()) / 0.2).abs() < 1e-14);
    }
}
