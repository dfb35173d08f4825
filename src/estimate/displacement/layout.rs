//! Which times enter which sum: the fitted times, the lags of the time average, the pairs of chosen times.
//!
//! Fitted times are at most 400, spaced evenly in log t; neighbours beyond that carry no more information of a displacement.
//! Chosen times (at most 48 with the origin) are half evenly spaced in log t and half evenly in t. Lags are the least ones
//! of which the times hold enough pairs.

use super::observations::Settings;
use crate::error::{Error, Result};

/// Largest number of fitted times.
const FITTED: usize = 400;
/// Largest number of chosen times, the origin among them.
const CHOSEN: usize = 48;
/// Largest number of lags without a setting.
const LAGS: usize = 19;
/// Least number of points after the origin, of a fit, and of lags of a time average.
pub(super) const LEAST_POINTS: usize = 5;
const LEAST_LAGS: usize = 4;
/// Largest number of pairs of irregular times that are looked at.
const MOST_PAIRS: usize = 4_000_000;
/// Least number of pairs of a lag.
const LEAST_PAIRS: usize = 10;
/// Least difference of the logarithms of the last and the first fitted time.
const LEAST_LOG_SPAN: f64 = 1e-6;
/// Part of a step by which evenly spaced times may be rounded.
const ROUNDED: f64 = 0.05;

/// Pairs of points of one lag, counted from the origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pairs {
    /// All pairs (i, i + shift).
    Shift(usize),
    /// Pairs of irregular times.
    List(Vec<(u32, u32)>),
}

/// The times of a diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Number of points of the input.
    pub count: usize,
    /// Place of the origin in the input.
    pub origin: usize,
    /// Time of the origin in the unit of the input.
    pub origin_time: f64,
    /// Times since the origin, of the origin (0) and of every point after it up to the last fitted one.
    pub times: Vec<f64>,
    /// Places in `times` of the fitted points.
    pub fitted: Vec<usize>,
    /// Places in `times` of the chosen points, the origin first.
    pub chosen: Vec<usize>,
    /// Lags with their pairs; empty when there are too few.
    pub lags: Vec<(f64, Pairs)>,
    asked: [Option<f64>; 3],
    asked_lags: Option<usize>,
}

impl Layout {
    /// The times of an input under settings.
    ///
    /// # Errors
    /// When times do not increase, the origin is not among them, or fewer than five points are left to fit.
    pub fn new(times: &[f64], settings: &Settings) -> Result<Self> {
        if let Some(place) = times.iter().position(|time| !time.is_finite() || *time < 0.0) {
            let rule = "times are finite and not negative";
            return Err(Error::invalid(format!("time[{place}]"), times[place], rule, "count steps from the start"));
        }
        if let Some(place) = times.windows(2).position(|pair| pair[0] >= pair[1]) {
            let value = format!("{} after {}", times[place + 1], times[place]);
            return Err(Error::invalid(
                format!("time[{}]", place + 1),
                value,
                "times increase",
                "sort the points, once each",
            ));
        }
        let origin = match settings.origin {
            None => 0,
            Some(wanted) => times.iter().position(|time| *time == wanted).ok_or_else(|| {
                let rule = format!("the displacement is measured from one of the {} points", times.len());
                Error::invalid("origin", wanted, rule, nearest(times, wanted))
            })?,
        };
        let origin_time = times.get(origin).copied().unwrap_or(0.0);
        let last = settings.last.unwrap_or(f64::INFINITY);
        for (name, asked) in [("first", settings.first), ("last", settings.last)] {
            if let Some(value) = asked.filter(|value| !(value.is_finite() && *value >= 0.0)) {
                return Err(Error::invalid(name, value, "a time since the origin, not negative", "leave it out"));
            }
        }
        let since: Vec<f64> = times[origin.min(times.len())..]
            .iter()
            .map(|time| time - origin_time)
            .take_while(|time| *time <= last)
            .collect();
        let first = settings.first.unwrap_or(0.0);
        let window: Vec<usize> = (1..since.len()).filter(|place| since[*place] >= first).collect();
        if window.len() < LEAST_POINTS {
            let asked = |time: Option<f64>, name: &str| time.map_or(String::new(), |time| format!(", {name} {time}"));
            let value = format!(
                "{} points (origin {origin_time}{}{})",
                window.len(),
                asked(settings.first, "first"),
                asked(settings.last, "last")
            );
            let rule = format!("a slope needs at least {LEAST_POINTS} points after the origin");
            let remedy = "save more checkpoints, or widen the window (origin, first, last)";
            return Err(Error::invalid("time", value, rule, remedy));
        }
        let (begin, end) = (since[window[0]], since[window[window.len() - 1]]);
        if (end / begin).ln() < LEAST_LOG_SPAN {
            let value = format!("{begin} to {end}");
            let rule = "the fitted times are one and the same in log t: a slope needs times that differ by a factor";
            return Err(Error::invalid("time", value, rule, "count times from the origin of the displacement"));
        }
        let fitted = log_spaced(&since, &window, FITTED);
        let mut chosen = log_spaced(&since, &window, CHOSEN / 2);
        let rest = CHOSEN - 1 - chosen.len();
        chosen.extend((0..rest).map(|k| window[(k + 1) * (window.len() - 1) / rest]));
        chosen.push(0);
        chosen.sort_unstable();
        chosen.dedup();
        let lags = lags(&since, settings.lags);
        let asked = [settings.origin, settings.first, settings.last];
        Ok(Layout {
            count: times.len(),
            origin,
            origin_time,
            times: since,
            fitted,
            chosen,
            lags,
            asked,
            asked_lags: settings.lags,
        })
    }

    /// True when the settings ask for these times.
    pub fn suits(&self, settings: &Settings) -> bool {
        self.asked == [settings.origin, settings.first, settings.last] && self.asked_lags == settings.lags
    }

    /// Fitted times since the origin.
    pub fn fitted_times(&self) -> Vec<f64> {
        self.fitted.iter().map(|place| self.times[*place]).collect()
    }

    /// Chosen times since the origin, the origin (0) first.
    pub fn chosen_times(&self) -> Vec<f64> {
        self.chosen.iter().map(|place| self.times[*place]).collect()
    }

    /// Why there are no lags.
    pub fn no_lags(&self) -> String {
        format!(
            "fewer than {LEAST_LAGS} lags occur at least {LEAST_PAIRS} times among the {} points: a time average needs \
             evenly spaced points",
            self.times.len()
        )
    }
}

fn nearest(times: &[f64], wanted: f64) -> String {
    let near = times.iter().min_by(|a, b| (*a - wanted).abs().total_cmp(&(*b - wanted).abs()));
    near.map_or(String::new(), |time| format!("the nearest is {time}"))
}

/// At most `most` places of a window, evenly spaced in log time as far as the times allow.
pub(super) fn log_spaced(times: &[f64], window: &[usize], most: usize) -> Vec<usize> {
    if window.len() <= most {
        return window.to_vec();
    }
    let at = |k: usize| times[window[k]].ln();
    let (begin, end) = (at(0), at(window.len() - 1));
    let mut places: Vec<usize> = Vec::with_capacity(most);
    let mut k = 0;
    for step in 0..most {
        let wanted = begin + (end - begin) * step as f64 / (most - 1) as f64;
        while k + 1 < window.len() && (at(k + 1) - wanted).abs() <= (at(k) - wanted).abs() {
            k += 1;
        }
        if places.last() != Some(&window[k]) {
            places.push(window[k]);
        }
    }
    places
}

/// The least lags with enough pairs.
fn lags(times: &[f64], wanted: Option<usize>) -> Vec<(f64, Pairs)> {
    let count = times.len();
    let most = wanted.unwrap_or(LAGS.min(count / 10).max(LEAST_LAGS));
    // Steps that were rounded to whole numbers count as evenly spaced: pairs by place, lags by their mean.
    let step = times[count - 1] / (count - 1) as f64;
    let is_uniform = times.iter().enumerate().all(|(place, time)| {
        (time - step * place as f64).abs() <= (ROUNDED * step).min(1.0).max(1e-9 * times[count - 1])
    });
    let found: Vec<(f64, Pairs)> = if is_uniform {
        (1..=most.min(count.saturating_sub(LEAST_PAIRS))).map(|k| (step * k as f64, Pairs::Shift(k))).collect()
    } else {
        // The least lags lie between near points: very many points need not all be paired.
        let reach = MOST_PAIRS / count;
        let mut differences: Vec<(f64, u32, u32)> = (0..count)
            .flat_map(|j| (j.saturating_sub(reach)..j).map(move |i| (times[j] - times[i], i as u32, j as u32)))
            .collect();
        differences.sort_by(|a, b| a.0.total_cmp(&b.0));
        differences
            .chunk_by(|a, b| b.0 - a.0 <= 1e-9 * times[count - 1])
            .filter(|same| same.len() >= LEAST_PAIRS)
            .take(most)
            .map(|same| (same[0].0, Pairs::List(same.iter().map(|(_, i, j)| (*i, *j)).collect())))
            .collect()
    };
    if found.len() < LEAST_LAGS { Vec::new() } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_times_are_thinned_evenly_in_their_logarithm() {
        let times: Vec<f64> = (0..=2000).map(f64::from).collect();
        let layout = Layout::new(&times, &Settings::default()).unwrap();
        let fitted = layout.fitted_times();
        assert!(fitted.len() <= FITTED && fitted[..40].iter().zip(1..).all(|(time, k)| *time == f64::from(k)));
        assert_eq!(*fitted.last().unwrap(), 2000.0);
        let chosen = layout.chosen_times();
        assert!(chosen.len() <= CHOSEN && chosen.len() > 36 && chosen[0] == 0.0 && *chosen.last().unwrap() == 2000.0);
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(layout.lags.len(), 19);
        assert_eq!(layout.lags[2], (3.0, Pairs::Shift(3)));
    }

    #[test]
    fn irregular_times_give_the_lags_they_hold() {
        let powers: Vec<f64> = (0..20).map(|k| 2f64.powi(k)).collect();
        assert!(Layout::new(&powers, &Settings::default()).unwrap().lags.is_empty());
        // Every third point of a uniform grid is missing: lags 1 to 5 all remain, as many as a slow count finds.
        let times: Vec<f64> = (0..100).filter(|k| k % 3 != 2).map(f64::from).collect();
        let layout = Layout::new(&times, &Settings::default()).unwrap();
        for (lag, pairs) in &layout.lags {
            let Pairs::List(pairs) = pairs else { panic!("irregular") };
            let expected = times.iter().filter(|time| times.contains(&(*time + lag))).count();
            assert_eq!(pairs.len(), expected);
            assert!(pairs.iter().all(|(i, j)| times[*j as usize] - times[*i as usize] == *lag));
        }
        assert_eq!(layout.lags.iter().map(|lag| lag.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn wrong_times_are_refused() {
        let default = Settings::default();
        for times in
            [vec![], vec![0.0, 1.0, 2.0], vec![0.0, -1.0], vec![0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0], vec![f64::NAN]]
        {
            assert!(Layout::new(&times, &default).is_err(), "{times:?}");
        }
        let times: Vec<f64> = (0..10).map(f64::from).collect();
        assert!(Layout::new(&times, &Settings { origin: Some(2.5), ..default.clone() }).is_err());
        assert!(Layout::new(&times, &Settings { first: Some(7.0), ..default.clone() }).is_err());
        let layout = Layout::new(&times, &Settings { origin: Some(2.0), ..default }).unwrap();
        assert_eq!((layout.times.len(), layout.times[1]), (8, 1.0));
    }
}
