//! What must go: what is too old, and the oldest of what is too much.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rayline_verdict::Moment;

use super::Shelf;
use crate::chunk::Table;
use crate::segment::Segment;
use crate::store::Options;

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that became one with others, or hours.
    pub merged: usize,
}

/// Who goes first when there is too much: the further to the left, the earlier.
const FIRST_TO_GO: [Table; 5] = [Table::Requests, Table::Times, Table::Minutes, Table::HourlyTimes, Table::Hours];

impl Shelf {
    /// Removes what is too old or too much, and merges what has come in small pieces. It takes seconds when there is much
    /// to merge, so it needs a thread that nobody waits for; asking and adding go on meanwhile.
    ///
    /// A file goes when its last row is too old; files span a day at most, those of hours a month.
    ///
    /// # Errors
    ///
    /// If files cannot be removed or written; what is there is as good as before then.
    pub fn trim(&self, now: Moment, options: &Options) -> io::Result<Trimmed> {
        self.check_writable()?;
        let mut refuse = self.refuse.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = too_much(&self.segments()?, now, options);
        self.replace(&gone, None);
        self.clear_away(&mut refuse, &gone)?;
        let bytes = gone.iter().map(|segment| segment.bytes).sum();
        Ok(Trimmed { files: gone.len(), bytes, merged: self.merge_all(&mut refuse, now)? })
    }
}

fn too_much(segments: &[Arc<Segment>], now: Moment, options: &Options) -> Vec<Arc<Segment>> {
    let is_old = |segment: &Segment| {
        let age = match segment.facts.table {
            Table::Requests => options.requests_age,
            Table::Minutes | Table::Hours | Table::Times | Table::HourlyTimes => options.counts_age,
        };
        segment.bounds().1 < before(now, age)
    };
    let (mut gone, mut rest): (Vec<_>, Vec<_>) = segments.iter().cloned().partition(|segment| is_old(segment));
    rest.sort_by_key(|segment| {
        let rank = FIRST_TO_GO.iter().position(|table| *table == segment.facts.table);
        (rank, segment.bounds().1, segment.facts.number)
    });
    let mut bytes: u64 = rest.iter().map(|segment| segment.bytes).sum();
    gone.extend(rest.into_iter().take_while(|segment| {
        let goes = bytes > options.max_bytes;
        bytes -= segment.bytes;
        goes
    }));
    gone
}

/// So long before a moment.
fn before(now: Moment, age: Duration) -> i64 {
    now.0.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
}
