//! What `diagnose` finds: plain numbers with their intervals, and the sentences that go with them.

use serde::{Deserialize, Serialize};

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end; null when there is no bound.
    pub lower: Option<f64>,
    /// Upper end; null when there is no bound.
    pub upper: Option<f64>,
}

impl Interval {
    /// `value` between `lower` and `upper`; ends that are not finite are no bounds.
    pub fn new(value: f64, lower: f64, upper: f64) -> Self {
        let finite = |bound: f64| bound.is_finite().then_some(bound);
        Interval { value, lower: finite(lower), upper: finite(upper) }
    }

    /// A number known without an interval.
    pub fn exact(value: f64) -> Self {
        Interval { value, lower: Some(value), upper: Some(value) }
    }

    /// A number of which no interval is known.
    pub fn unbounded(value: f64) -> Self {
        Interval { value, lower: None, upper: None }
    }

    /// True when `number` is in the interval; a missing end excludes nothing.
    pub fn contains(&self, number: f64) -> bool {
        self.lower.is_none_or(|lower| lower <= number) && self.upper.is_none_or(|upper| number <= upper)
    }

    /// The interval times a factor.
    pub fn scaled(&self, factor: f64) -> Self {
        let (lower, upper) = (self.lower.map(|bound| bound * factor), self.upper.map(|bound| bound * factor));
        let (lower, upper) = if factor < 0.0 { (upper, lower) } else { (lower, upper) };
        Interval { value: self.value * factor, lower, upper }
    }

    /// One over a positive number: an interval that reaches 0 has no upper end. None when the value is not positive.
    pub fn reciprocal(&self) -> Option<Self> {
        (self.value > 0.0).then(|| Interval {
            value: 1.0 / self.value,
            lower: self.upper.map(|bound| 1.0 / bound),
            upper: self.lower.filter(|bound| *bound > 0.0).map(|bound| 1.0 / bound),
        })
    }

    /// True when neither interval reaches into the other; false when an end is missing.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        let below = |a: &Self, b: &Self| matches!((a.upper, b.lower), (Some(upper), Some(lower)) if upper < lower);
        below(self, other) || below(other, self)
    }
}

/// Everything that `diagnose` finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What was observed, counted.
    pub input: InputSummary,
    /// log R = slope log t + c from the origin.
    pub displacement: PowerLawFit,
    /// Half the exponent of the time-averaged MSD over lags; null where `time_averaged_reason` says why.
    pub time_averaged: Option<PowerLawFit>,
    /// Why there is no time-averaged fit; null when there is one.
    pub time_averaged_reason: Option<String>,
    /// Slope of the displacement fit.
    pub slope: Interval,
    /// d_walk = 1/slope; null when the slope is not positive.
    pub walk_dimension: Option<Interval>,
    /// Caputo order 2 slope. Above 1: super-diffusion, reported as it is.
    pub caputo_order: Interval,
    /// Caputo order from the time average, 2 times its slope; null where there is none.
    pub time_averaged_caputo_order: Option<Interval>,
    /// r² of log R on log t, weighted as the fit.
    pub r_squared: Interval,
    /// How the intervals of the fits were made, and what that assumes.
    pub interval_method: String,
    /// The slope when the displacement is measured from other origins.
    pub by_origin: Vec<Sensitivity>,
    /// The slope when the fit begins at other times after the origin.
    pub by_first_time: Vec<Sensitivity>,
    /// Phases of the displacement between change points, in the order of time.
    pub phases: Vec<Phase>,
    /// Change points between the phases: times since the origin with their intervals.
    pub change_times: Vec<Interval>,
    /// Information criterion of one, two and three phases, least is best; fewer where there are few points.
    pub phase_criteria: Vec<f64>,
    /// Share of straight lines in whose units as large a bend would be seen: for a first change point, and for a second one if
    /// there is a first. Empty without units.
    pub phase_significance: Vec<f64>,
    /// Model comparison; null when it was not asked for.
    pub comparison: Option<Comparison>,
    /// Ensemble against time average; null when there are fewer than eight runs or no time average.
    pub ergodicity: Option<Ergodicity>,
    /// The curves behind the fits.
    #[serde(default)]
    pub curves: Curves,
    /// What was found, in plain sentences.
    pub verdict: Vec<String>,
}

/// What was observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputSummary {
    /// `run`, `runs` or `table`.
    pub kind: String,
    /// Number of runs.
    pub runs: usize,
    /// Number of parameters; null for a table.
    pub dimension: Option<usize>,
    /// Number of points in time, the origin not counted.
    pub points: usize,
    /// Time of the origin, in the unit of the input.
    pub origin: f64,
    /// First fitted time since the origin.
    pub first: f64,
    /// Last fitted time since the origin.
    pub last: f64,
}

/// A straight line through logarithms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLawFit {
    /// Exponent of the displacement (half that of the mean squared displacement).
    pub slope: Interval,
    /// Displacement at time (or lag) 1 \[w\].
    pub prefactor: Interval,
    /// Weighted r² of the line.
    pub r_squared: Interval,
    /// First fitted time since the origin, or lag.
    pub first: f64,
    /// Last fitted time since the origin, or lag.
    pub last: f64,
    /// Number of points fitted.
    pub points: usize,
}

/// The slope for another choice of where the fit begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The origin (in the unit of the input) or the first fitted time (since the origin).
    pub at: f64,
    /// Slope with its 95 % interval; the ends are missing where they are not known.
    pub slope: Interval,
    /// Weighted r² of the line.
    pub r_squared: f64,
    /// Number of points fitted.
    pub points: usize,
}

/// What a phase is called: its slope against 1/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// The slope is above 1/2.
    SuperDiffusive,
    /// The interval of the slope holds 1/2.
    Diffusive,
    /// The slope is below 1/2 and above 0.
    SubDiffusive,
    /// The slope is not above 0.
    Stalled,
    /// The interval of the slope holds both 0 and 1/2.
    Undetermined,
}

impl PhaseKind {
    /// Its name in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            PhaseKind::SuperDiffusive => "super-diffusive",
            PhaseKind::Diffusive => "diffusive",
            PhaseKind::SubDiffusive => "sub-diffusive",
            PhaseKind::Stalled => "stalled",
            PhaseKind::Undetermined => "undetermined",
        }
    }
}

/// A stretch of time with one slope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// What it is called.
    pub kind: PhaseKind,
    /// First time since the origin.
    pub from: f64,
    /// Last time since the origin.
    pub to: f64,
    /// Displacement at `from` on the fitted line \[w\].
    pub displacement_from: f64,
    /// Displacement at `to` on the fitted line \[w\].
    pub displacement_to: f64,
    /// Slope of log R.
    pub slope: Interval,
}

/// The processes that are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// R ~ t^H.
    PowerLaw,
    /// R² ~ log(1 + t/τ).
    Logarithm,
    /// Memoryless motion in a quadratic basin.
    OrnsteinUhlenbeck,
    /// A constant drift and ordinary diffusion.
    DriftDiffusion,
    /// A power law whose exponent changes once.
    TwoPhase,
}

impl Family {
    /// Its name in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Family::PowerLaw => "power law",
            Family::Logarithm => "log t",
            Family::OrnsteinUhlenbeck => "memoryless Ornstein-Uhlenbeck process",
            Family::DriftDiffusion => "drift + diffusion",
            Family::TwoPhase => "two-phase power law",
        }
    }
}

/// A parameter of a fitted process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its most likely value.
    pub value: f64,
}

/// The most likely process of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFit {
    /// The family.
    pub family: Family,
    /// Which member of the family is the most likely, in words.
    pub variant: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Number of parameters that the criterion counts.
    pub parameter_count: usize,
    /// -2 log likelihood + parameters times the log of the number of observations, least is best.
    pub criterion: f64,
    /// Criterion minus the least criterion.
    pub difference: f64,
    /// Fitted displacement at `Comparison::times` \[w\].
    pub displacement: Vec<f64>,
}

/// What the comparison of models says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// A power law explains the data better than every other model, by the margin.
    PowerLaw,
    /// Another model explains them better than the power law, by the margin.
    NotPowerLaw,
    /// The power law and the best other model are within the margin.
    NotDistinguishable,
}

/// Models held against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What it says.
    pub finding: Finding,
    /// The families, best first.
    pub models: Vec<ModelFit>,
    /// The best family that is no power law.
    pub best_other: Family,
    /// Criterion of the power law minus that of the best other family: positive speaks against the power law.
    pub against_power_law: f64,
    /// Difference of criteria that counts as decided.
    pub margin: f64,
    /// Exponent of the most likely power law, by likelihood of the increments.
    pub likelihood_slope: Interval,
    /// Effective number of independent coordinates.
    pub effective_coordinates: f64,
    /// How that number was found.
    pub effective_method: String,
    /// Times since the origin at which the models were compared.
    pub times: Vec<f64>,
    /// `increments` (squared distances of pairs of points) or `displacement` (R at each time alone).
    pub basis: String,
}

/// Whether the average over time agrees with the average over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ergodicity {
    /// Weak ergodicity breaking: the slopes differ beyond their intervals, runs scatter more than a Gaussian process, and the
    /// time average falls as the measurement gets longer.
    pub weakly_broken: bool,
    /// Runs scatter more than a Gaussian process.
    pub scatters_beyond_gaussian: bool,
    /// Slope of the displacement over runs.
    pub ensemble_slope: Interval,
    /// Slope of the time average.
    pub time_averaged_slope: Interval,
    /// Lag of the next three numbers.
    pub lag: f64,
    /// Variance over squared mean of the runs' time-averaged MSD at the lag.
    pub breaking_parameter: Interval,
    /// Its value for a Gaussian process with the time-averaged exponent and as many independent coordinates.
    pub gaussian: f64,
    /// Its value for Brownian motion, (4/3) lag/duration over the coordinates.
    pub brownian: f64,
    /// Its limit for a walk with waiting times of order 2 × the ensemble slope; null at 1 and above.
    pub waiting_times: Option<f64>,
    /// Exponent with which the time-averaged MSD at the lag changes as the measurement gets longer: 0 for stationary
    /// increments, order - 1 for waiting times.
    pub ageing_exponent: Option<Interval>,
}

/// The curves behind the fits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Times since the origin.
    pub times: Vec<f64>,
    /// Displacement R (root of the mean square over runs) \[w\].
    pub displacement: Vec<f64>,
    /// Lags of the time average.
    pub lags: Vec<f64>,
    /// Time-averaged MSD \[w²\].
    pub time_averaged: Vec<f64>,
}
