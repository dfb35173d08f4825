//! Many independent pieces of work on threads, watched and stopped from one place.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::propagator::{Observer, StopFlag};

/// How pieces of work are run.
pub(super) struct Crew<'a> {
    pub(super) threads: NonZeroUsize,
    pub(super) stop: &'a StopFlag,
}

impl Crew<'_> {
    /// The results of pieces 0 to `count` in order; the first error by number, but a stop before all others.
    pub(super) fn run<T: Send>(
        &self,
        count: usize,
        observer: &mut dyn Observer,
        piece: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.get())
            .build()
            .map_err(|error| Error::io("start threads for", "the section", std::io::Error::other(error)))?;
        let (done, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let work = || -> Vec<Result<T>> {
            let one = |index| {
                self.stop.check()?;
                let result = piece(index);
                done.fetch_add(1, Ordering::Relaxed);
                result
            };
            (0..count).into_par_iter().with_max_len(1).map(one).collect()
        };
        let watcher = thread::current();
        let outcome = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let outcome = pool.install(work);
                is_over.store(true, Ordering::Release);
                watcher.unpark();
                outcome
            });
            let mut pause = Duration::from_millis(1);
            while !is_over.load(Ordering::Acquire) && !worker.is_finished() {
                // The worker ends the pause.
                thread::park_timeout(pause);
                pause = (2 * pause).min(Duration::from_millis(100));
                observer.progress(done.load(Ordering::Relaxed), count as u64);
            }
            worker.join()
        });
        let results = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if results.iter().any(|result| matches!(result, Err(Error::Interrupted { .. }))) {
            return Err(Error::Interrupted { kept: None });
        }
        results.into_iter().collect()
    }
}
