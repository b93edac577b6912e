//! What a job takes of the request log: it chooses, and appends to the spool.

use std::sync::Arc;
use std::time::Instant;

use rayline_verdict::trace_context::is_sampled;

use super::line::{Filter, Keys};
use super::shared::Shared;

/// The share of lines that is taken, from 0 to 1, on top of the filter. Every job takes the same ones of a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Of requests with a verdict, or a status of a failed server.
    pub failures: f64,
    /// Of the others.
    pub successes: f64,
}

impl Sample {
    /// One share of all, as Logpush's `sample_rate`.
    pub const fn of_all(rate: f64) -> Self {
        Self { failures: rate, successes: rate }
    }

    /// Whether both are shares.
    pub(super) fn is_sound(self) -> bool {
        [self.failures, self.successes].iter().all(|rate| (0.0..=1.0).contains(rate))
    }

    fn is_all(self) -> bool {
        self.failures >= 1.0 && self.successes >= 1.0
    }
}

/// The end of a job that lines are put into. It costs a write to a file, and waits neither for the network nor for the
/// receiver.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    keys: Keys,
    filter: Option<Filter>,
    sample: Sample,
    enabled: bool,
    /// The lines that were chosen of those at hand.
    chosen: Vec<u8>,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, filter: Option<Filter>, sample: Sample, enabled: bool) -> Self {
        Self { shared, keys: Keys::new(), filter, sample, enabled, chosen: Vec::new() }
    }

    /// Takes lines of the request log, each with its end. What is cut after the last end is not taken.
    ///
    /// What the disk does not take is counted in the job's status, and so is its reason.
    pub fn take(&mut self, lines: &[u8]) {
        if !self.enabled {
            return;
        }
        if self.filter.is_none() && self.sample.is_all() {
            let whole = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
            let lines = lines.get(..whole).unwrap_or_default();
            let records = memchr::memchr_iter(b'\n', lines).count() as u64;
            return self.shared.append(lines, records, Instant::now());
        }
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.clear();
        let mut records = 0;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            let line = lines.get(start..=end).unwrap_or_default();
            start = end + 1;
            if self.admits(line) {
                chosen.extend_from_slice(line);
                records += 1;
            }
        }
        self.shared.append(&chosen, records, Instant::now());
        self.chosen = chosen;
    }

    fn admits(&self, line: &[u8]) -> bool {
        let subject = self.keys.subject(line);
        if self.filter.as_ref().is_some_and(|filter| !filter.admits(&subject)) {
            return false;
        }
        let share = if subject.is_failure() { self.sample.failures } else { self.sample.successes };
        share >= 1.0 || self.keys.ray(line).is_some_and(|ray| is_sampled(ray, share))
    }
}
