//! One lane's way into the store: it counts every request exactly, and says which successes are kept whole.
//!
//! What comes of that gathers in a [`Take`], which crosses to the store's thread now and then. No lock is taken and, for a
//! combination of values that was met before, nothing is allocated. It makes no lines: whoever asks it has them.

mod cells;
mod door;
mod sampling;

use std::fmt;
use std::num::NonZeroU32;

use rayline_verdict::Record;

use crate::journal::wire;
use crate::row;
pub(crate) use cells::HOST_BYTES;
pub(crate) use cells::coarsened;
use cells::{Cells, Seen};
pub(crate) use door::{Door, Flow, Order};
use sampling::Sampling;

/// Bytes of lines that a [`Take`] holds at most. What comes on top is lost, and counted.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// The store's end in one worker: decides what of a request is kept.
pub struct Intake {
    sampling: Sampling,
    door: Door,
}

/// Counts and lines on their way to the store.
pub struct Take {
    cells: Cells,
    /// See [`wire::put_row`].
    kept: Vec<u8>,
    rows: Rows,
    door: Door,
}

/// How many lines, failures apart from the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) successes: u64,
    pub(crate) failures: u64,
}

impl Rows {
    pub(crate) fn count(&mut self, failed: bool) {
        if failed { self.failures += 1 } else { self.successes += 1 }
    }

    /// Those that are not among the others.
    pub(crate) fn without(self, others: Self) -> Self {
        Self {
            successes: self.successes.saturating_sub(others.successes),
            failures: self.failures.saturating_sub(others.failures),
        }
    }
}

impl Intake {
    pub(crate) fn new(door: Door) -> Self {
        Self { sampling: Sampling::default(), door }
    }

    /// An empty [`Take`].
    pub fn take(&self) -> Take {
        Take { cells: Cells::default(), kept: Vec::new(), rows: Rows::default(), door: self.door.clone() }
    }

    /// Counts a request, and says whether its line is to be [kept](Take::keep): then for how many it stands. Of those that
    /// failed (with a verdict, or a status of 500 and more) every one is.
    pub fn count(&mut self, record: &Record, take: &mut Take) -> Option<NonZeroU32> {
        take.cells.count(&Seen::of(record, &mut [0; HOST_BYTES]), &row::measure(record));
        if row::has_failed(record) {
            return Some(NonZeroU32::MIN);
        }
        self.sampling.admit(record.ray, record.end.0.div_euclid(1_000_000_000))
    }
}

impl Take {
    /// Keeps the line of a request that stands for `weight` requests. Lines beyond 4 MiB are lost, and counted.
    pub fn keep(&mut self, record: &Record, weight: NonZeroU32, line: &[u8]) {
        let failed = row::has_failed(record);
        if self.kept.len() + line.len() > KEPT_BYTES {
            return self.lose(record);
        }
        self.rows.count(failed);
        let row = wire::Row {
            weight,
            failed,
            at: record.start.0,
            numbers: row::measure(record),
            line: line.trim_ascii_end(),
        };
        wire::put_row(&mut self.kept, &row);
    }

    /// Says that a line that should be kept is lost.
    pub fn lose(&self, record: &Record) {
        let mut lost = Rows::default();
        lost.count(row::has_failed(record));
        self.door.flow.lose(lost);
    }

    /// Hands over what there is. Never waits: counts that the store has no room for stay here, lines that it has no room for
    /// are lost, and counted.
    pub fn hand_over(&mut self) {
        if !self.kept.is_empty() {
            self.door.send_rows(&self.kept, self.rows);
            self.kept.clear();
            self.rows = Rows::default();
        }
        if !self.cells.is_empty() && self.door.has_room() {
            self.door.send_counts(self.cells.drain());
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("sampling", &self.sampling).finish_non_exhaustive()
    }
}

impl fmt::Debug for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take").field("rows", &self.rows).field("cells", &self.cells.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
