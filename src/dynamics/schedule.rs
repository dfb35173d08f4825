//! Learning rates that change with the step.
//!
//! Formula:   step s = 0, 1, ..: rate · (s + 1)/u for s < u (warm-up), then with s' = s - u
//!            constant: rate; step: rate · factor^⌊s'/every⌋;
//!            cosine: rate · (e + (1 - e)(1 + cos(π s'/n))/2) up to s' = n, then rate · e
//! Assumes:   a positive rate
//! Order:     none: a rate
//! Cost:      a few operations per step of a block
//! Fails when factors or lengths are out of their ranges: refused by [`Schedule::check`]
//! Reference: the cosine of \[LoshchilovHutter2017\]

use std::f64::consts::PI;

use crate::error::{Error, Result};

/// How the rate changes after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// By a factor every so many steps.
    Step {
        /// Steps between changes, at least 1.
        every: u64,
        /// The factor, on (0, 1\].
        factor: f64,
    },
    /// Half a period of a cosine.
    Cosine {
        /// Steps n to the end of the fall, at least 1.
        steps: u64,
        /// Part e of the rate that is left at the end, on \[0, 1\].
        end: f64,
    },
}

/// A learning rate per step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Highest rate, positive.
    pub rate: f64,
    /// Steps u of linear growth up to it; 0 for none.
    pub warm_up: u64,
    /// What follows.
    pub decay: Decay,
}

impl Schedule {
    /// The same rate at every step.
    pub fn constant(rate: f64) -> Self {
        Schedule { rate, warm_up: 0, decay: Decay::Constant }
    }

    /// Rate of step s = 0, 1, ..
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warm_up {
            return self.rate * (step + 1) as f64 / self.warm_up as f64;
        }
        let since = step - self.warm_up;
        match self.decay {
            Decay::Constant => self.rate,
            Decay::Step { every, factor } => self.rate * factor.powf((since / every) as f64),
            Decay::Cosine { steps, end } => {
                let phase = since.min(steps) as f64 / steps as f64;
                self.rate * (end + (1.0 - end) * 0.5 * (1.0 + (PI * phase).cos()))
            }
        }
    }

    /// Checks the values against their ranges.
    ///
    /// # Errors
    /// Names the value that is out of its range.
    pub fn check(&self) -> Result<()> {
        let refuse = |name: &str, value: String, rule: &str| Err(Error::invalid(name, value, rule, "change it"));
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return refuse("learning_rate", self.rate.to_string(), "must be positive and finite");
        }
        match self.decay {
            Decay::Step { every: 0, .. } => refuse("every", "0".into(), "must be at least 1"),
            Decay::Step { factor, .. } if !(factor > 0.0 && factor <= 1.0) => {
                refuse("factor", factor.to_string(), "must be above 0 and at most 1")
            }
            Decay::Cosine { steps: 0, .. } => refuse("steps", "0".into(), "must be at least 1"),
            Decay::Cosine { end, .. } if !(0.0..=1.0).contains(&end) => {
                refuse("end", end.to_string(), "must be between 0 and 1")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_at_chosen_steps() {
        let schedule = |decay, warm_up| Schedule { rate: 0.8, warm_up, decay };
        let step = Decay::Step { every: 10, factor: 0.5 };
        let cosine = Decay::Cosine { steps: 100, end: 0.1 };
        for (schedule, place, expected) in [
            (Schedule::constant(0.8), 1_000_000, 0.8),
            (schedule(Decay::Constant, 4), 0, 0.2),
            (schedule(Decay::Constant, 4), 3, 0.8),
            (schedule(step, 0), 9, 0.8),
            (schedule(step, 0), 10, 0.4),
            (schedule(step, 5), 25, 0.2),
            (schedule(cosine, 0), 0, 0.8),
            (schedule(cosine, 0), 50, 0.44),
            (schedule(cosine, 7), 107, 0.08),
            (schedule(cosine, 0), 5000, 0.08),
        ] {
            assert!((schedule.rate(place) - expected).abs() < 1e-15, "{schedule:?} {place}");
            assert!(schedule.check().is_ok());
        }
        let wrong = [
            Schedule::constant(0.0),
            schedule(Decay::Step { every: 0, factor: 0.5 }, 0),
            schedule(Decay::Step { every: 1, factor: 1.5 }, 0),
            schedule(Decay::Cosine { steps: 0, end: 0.0 }, 0),
            schedule(Decay::Cosine { steps: 1, end: -0.1 }, 0),
        ];
        assert!(wrong.iter().all(|schedule| schedule.check().is_err()));
    }
}
