//! Progress of a long run on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use porewalk::propagator::Observer;

/// Runs shorter than this say nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// Time between two plain lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// Watches a run and says how far it is.
pub struct Progress {
    silent: bool,
    begun: Instant,
    last_line: Instant,
    /// Where the count began: a run that goes on did not do all of it now.
    start: Option<Start>,
    bar: Option<ProgressBar>,
}

/// The first count of a stage of the run.
struct Start {
    done: u64,
    at: Instant,
    newest: u64,
}

impl Progress {
    /// `silent` says nothing at all.
    pub fn new(silent: bool) -> Self {
        let now = Instant::now();
        Progress { silent, begun: now, last_line: now, start: None, bar: None }
    }

    fn start_bar(total: u64) -> ProgressBar {
        let bar = ProgressBar::new(total);
        let template = "{bar:30} {pos}/{len}  {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }

    /// Rate and time left, from what was done since the first count; a count that falls begins another stage.
    fn pace(&mut self, done: u64, total: u64) -> Option<String> {
        let now = Instant::now();
        let fresh = Start { done, at: now, newest: done };
        let start = match &mut self.start {
            Some(start) if start.newest <= done => start,
            start => start.insert(fresh),
        };
        start.newest = done;
        let rate = (done - start.done) as f64 / start.at.elapsed().as_secs_f64();
        let left = total.saturating_sub(done) as f64 / rate;
        (rate.is_finite() && rate > 0.0).then(|| format!("{rate:.3} per second, about {left:.0} s left"))
    }
}

impl Observer for Progress {
    fn progress(&mut self, done: u64, total: u64) {
        let pace = self.pace(done, total);
        if self.silent || self.begun.elapsed() < PATIENCE {
            return;
        }
        if io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| Self::start_bar(total));
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(pace.unwrap_or_default());
        } else if self.last_line.elapsed() >= INTERVAL {
            self.last_line = Instant::now();
            let pace = pace.map_or(String::new(), |pace| format!(", {pace}"));
            // Progress that nobody can read is no reason to stop the run.
            let _ = writeln!(io::stderr(), "{done} of {total} done{pace}");
        }
    }

    fn note(&mut self, text: &str) {
        if !self.silent {
            let _ = writeln!(io::stderr(), "note: {text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
