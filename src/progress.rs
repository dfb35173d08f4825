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
    bar: Option<ProgressBar>,
}

impl Progress {
    /// `silent` says nothing at all.
    pub fn new(silent: bool) -> Self {
        let now = Instant::now();
        Progress { silent, begun: now, last_line: now, bar: None }
    }

    fn start_bar(total: u64) -> ProgressBar {
        let bar = ProgressBar::new(total);
        let template = "{bar:30} {pos}/{len}  {per_sec}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}

impl Observer for Progress {
    fn progress(&mut self, done: u64, total: u64) {
        if self.silent || self.begun.elapsed() < PATIENCE {
            return;
        }
        if io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| Self::start_bar(total));
            bar.set_length(total);
            bar.set_position(done);
        } else if self.last_line.elapsed() >= INTERVAL {
            self.last_line = Instant::now();
            let rate = done as f64 / self.begun.elapsed().as_secs_f64();
            let left = total.saturating_sub(done) as f64 / rate.max(f64::MIN_POSITIVE);
            // Progress that nobody can read is no reason to stop the run.
            let _ = writeln!(io::stderr(), "{done} of {total} done, {rate:.3} per second, about {left:.0} s left");
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
