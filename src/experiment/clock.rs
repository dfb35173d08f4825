//! Wall time by stage.

use std::collections::BTreeMap;
use std::time::Instant;

/// Wall time by stage \[s\].
#[derive(Default)]
pub(super) struct Clock {
    pub(super) stages: BTreeMap<String, f64>,
}

impl Clock {
    /// Does `work` and adds its time to a stage.
    pub(super) fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        *self.stages.entry(stage.into()).or_default() += start.elapsed().as_secs_f64();
        result
    }
}
