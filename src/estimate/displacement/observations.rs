//! What can be diagnosed: one run by its inner products, many runs by their points, or a bare table.

use super::layout::Layout;
use super::moments::Moments;
use crate::error::{Error, Result};
use crate::estimate::trajectory::Gram;

/// What to fit and how. Times are counted from the origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Time of the origin of the displacement, in the unit of the input; the first point when None.
    pub origin: Option<f64>,
    /// First fitted time since the origin; the first point after it when None.
    pub first: Option<f64>,
    /// Last fitted time since the origin; the last point when None.
    pub last: Option<f64>,
    /// Number of lags of the time average; min(19, points/10), but at least 4, when None.
    pub lags: Option<usize>,
    /// Number of bootstrap resamples.
    pub resamples: usize,
    /// Seed of the resampling.
    pub seed: u64,
    /// Difference of information criteria that counts as decided (6: strong evidence).
    pub margin: f64,
    /// Whether models are compared.
    pub compares_models: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            origin: None,
            first: None,
            last: None,
            lags: None,
            resamples: 999,
            seed: 0,
            margin: 6.0,
            compares_models: true,
        }
    }
}

/// What was observed.
#[derive(Clone, Debug)]
pub enum Observations {
    /// One run, known through the inner products of its points. Groups of parameters are its units of resampling: at
    /// least eight, better 32.
    Run(Gram),
    /// Many runs.
    Runs(Ensemble),
    /// A table of times (any unit) and displacements R \[w\] from the point at the origin.
    Table {
        /// Times, increasing. Time 0 may be among them.
        times: Vec<f64>,
        /// Displacements; only the one at the origin may be 0.
        displacement: Vec<f64>,
    },
}

/// Many runs of the same times, taken in one after another; only sums are kept.
#[derive(Clone, Debug)]
pub struct Ensemble {
    moments: Box<Moments>,
    pushed: usize,
}

impl Ensemble {
    /// Takes `runs` runs of points of `dimension` parameters at `times`.
    ///
    /// # Errors
    /// When times do not increase, are fewer than five after the origin, or nothing is to come.
    pub fn new(times: &[f64], dimension: usize, runs: usize, settings: &Settings) -> Result<Self> {
        if dimension == 0 || runs == 0 {
            let value = format!("{runs} runs of {dimension} parameters");
            return Err(Error::invalid(
                "runs",
                value,
                "must be at least one of each",
                "look at the shape of the input",
            ));
        }
        let layout = Layout::new(times, settings)?;
        Ok(Ensemble { moments: Box::new(Moments::of_runs(layout, dimension, runs)), pushed: 0 })
    }

    /// Takes in the next run: its points one after another (time, parameter).
    ///
    /// # Errors
    /// When a number is not finite, their count is wrong, or all runs are in already.
    pub fn push(&mut self, points: &[f64]) -> Result<()> {
        let name = || format!("runs[{}]", self.pushed);
        if self.pushed == self.moments.runs {
            let rule = format!("{} runs were announced", self.moments.runs);
            return Err(Error::invalid(name(), "one more", rule, "announce as many as there are"));
        }
        let dimension = self.moments.dimension.expect("runs have parameters");
        let wanted = self.moments.layout.count * dimension;
        if points.len() != wanted {
            let value = format!("{} numbers", points.len());
            return Err(Error::invalid(name(), value, format!("must be {wanted}"), "give every run the same times"));
        }
        if let Some(place) = points.iter().position(|value| !value.is_finite()) {
            let name = format!("{}[{}][{}]", name(), place / dimension, place % dimension);
            return Err(Error::invalid(name, points[place], "must be finite", "leave the run out, or end it before"));
        }
        self.moments.add_run(self.pushed, points);
        self.pushed += 1;
        Ok(())
    }

    /// The sums, once all runs are in.
    ///
    /// # Errors
    /// When runs are missing.
    pub(super) fn moments(&self) -> Result<&Moments> {
        if self.pushed < self.moments.runs {
            let value = format!("{} runs", self.pushed);
            let rule = format!("{} runs were announced", self.moments.runs);
            return Err(Error::invalid("runs", value, rule, "announce as many as there are"));
        }
        Ok(&self.moments)
    }

    /// The settings must ask for the origin, window and lags that the sums were taken with.
    pub(super) fn suits(&self, settings: &Settings) -> bool {
        self.moments.layout.suits(settings)
    }
}
