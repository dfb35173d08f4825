//! Time grids: 0 = t_0 < t_1 < ... < t_N.

use crate::error::{Error, Result};

/// Increasing times from 0 with the steps between them \[t\].
#[derive(Clone, Debug, PartialEq)]
pub struct TimeGrid {
    times: Vec<f64>,
}

impl TimeGrid {
    /// t_n = `end` (n / `steps`)^`grading`; grading 1 gives uniform steps, larger gradings crowd the start.
    ///
    /// # Errors
    /// When `end` is not positive, there are no steps, the grading is below 1, or the first step underflows.
    pub fn graded(end: f64, steps: usize, grading: f64) -> Result<Self> {
        if !(end > 0.0 && end.is_finite()) {
            return Err(Error::invalid("time.end", end, "the end time must be positive and finite", "use end = 1.0"));
        }
        if steps == 0 {
            return Err(Error::invalid("method.steps", steps, "there must be at least one step", "use steps = 1000"));
        }
        if !(grading >= 1.0 && grading.is_finite()) {
            return Err(Error::invalid(
                "method.grading",
                grading,
                "the grading must be a number >= 1",
                "use grading = \"auto\"",
            ));
        }
        let times: Vec<f64> = (0..=steps).map(|n| end * (n as f64 / steps as f64).powf(grading)).collect();
        if times[1] < f64::MIN_POSITIVE / f64::EPSILON {
            return Err(Error::invalid(
                "method.grading",
                grading,
                format!("the first of {steps} steps would be {:e}, below the range of double precision", times[1]),
                "use a smaller grading or fewer steps",
            ));
        }
        Ok(TimeGrid { times })
    }

    /// The same grid with every one of `outputs` (increasing, positive) among its times: nearby times give way, so
    /// that no step becomes much shorter than its neighbours.
    #[must_use]
    pub fn through(&self, outputs: &[f64]) -> Self {
        let mut kept: Vec<f64> = Vec::with_capacity(self.times.len() + outputs.len());
        let mut next_output = 0;
        for (n, &time) in self.times.iter().enumerate() {
            let before = if n == 0 { 0.0 } else { time - self.times[n - 1] };
            let after = self.times.get(n + 1).map_or(before, |next| next - time);
            while next_output < outputs.len() && outputs[next_output] < time {
                push_increasing(&mut kept, outputs[next_output]);
                next_output += 1;
            }
            let crowded = outputs.iter().any(|&output| {
                let room = if output < time { before } else { after };
                (output - time).abs() <= CROWDING * room
            });
            if n == 0 || !crowded {
                push_increasing(&mut kept, time);
            }
        }
        outputs[next_output..].iter().for_each(|&output| push_increasing(&mut kept, output));
        let end = outputs.last().copied().unwrap_or(f64::INFINITY);
        kept.retain(|&time| time <= end);
        TimeGrid { times: kept }
    }

    /// All times, from 0.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of steps N.
    pub fn step_count(&self) -> usize {
        self.times.len() - 1
    }

    /// The length of the steps, when all times are multiples of it to rounding.
    pub fn uniform_step(&self) -> Option<f64> {
        let count = self.step_count();
        let step = self.times[count] / count as f64;
        let rounding = 8.0 * f64::EPSILON;
        let is_multiple = |(n, time): (usize, &f64)| (time - n as f64 * step).abs() <= rounding * time;
        (count > 0 && self.times.iter().enumerate().all(is_multiple)).then_some(step)
    }

    /// Steps t_n - t_(n-1), n = 1..N.
    pub fn steps(&self) -> Vec<f64> {
        self.times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// A grid time closer to an output than this part of the local step gives way to it.
const CROWDING: f64 = 0.4;

fn push_increasing(times: &mut Vec<f64>, time: f64) {
    if times.last().is_none_or(|&last| last < time) {
        times.push(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_grid_times_and_no_step_collapses() {
        let grid = TimeGrid::graded(10.0, 100, 1.0).expect("valid");
        assert_eq!(grid.through(&[2.5, 10.0]), TimeGrid { times: grid.times.clone() }, "already there: unchanged");
        let outputs = [1e-3, 0.12, 0.97, 3.333, 10.0];
        for grading in [1.0, 3.0] {
            let grid = TimeGrid::graded(10.0, 100, grading).expect("valid").through(&outputs);
            assert!(outputs.iter().all(|output| grid.times().contains(output)));
            assert_eq!(grid.times()[0], 0.0);
            assert!(grid.steps().iter().all(|&step| step > 0.0));
            assert!((98..=104).contains(&grid.step_count()), "{}", grid.step_count());
        }
    }

    #[test]
    fn uniform_grids_are_known_as_such() {
        let grid = TimeGrid::graded(3.7, 1000, 1.0).expect("valid");
        assert!((grid.uniform_step().expect("uniform") / 3.7e-3 - 1.0).abs() < 1e-14);
        assert!(grid.through(&[1.85, 3.7]).uniform_step().is_some(), "outputs on the grid change nothing");
        assert_eq!(grid.through(&[1.8512, 3.7]).uniform_step(), None);
        assert_eq!(TimeGrid::graded(1.0, 10, 1.5).expect("valid").uniform_step(), None);
    }

    #[test]
    fn impossible_grids_are_refused() {
        for (end, steps, grading) in
            [(0.0, 10, 1.0), (1.0, 0, 1.0), (1.0, 10, 0.5), (1.0, 1000, 200.0), (f64::NAN, 1, 1.0)]
        {
            assert!(TimeGrid::graded(end, steps, grading).is_err());
        }
    }
}
