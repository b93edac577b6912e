//! A batch: which lines go together, under a name that stays the same however often they are sent.

use rayline_verdict::Moment;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const COMPACT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Lines that are sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Its place among the others of its spool.
    pub(crate) sequence: u64,
    /// When its first line was taken.
    pub(crate) began: Moment,
    /// When it, start and end in whole seconds, and a random number, as in the object names of Logpush.
    pub(crate) id: String,
    /// How many lines.
    pub(crate) records: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

impl Batch {
    pub(crate) fn new(sequence: u64, began: Moment, ended: Moment, records: u64, bytes: u64) -> Self {
        let id = format!("{}_{}_{:016x}", compact(began), compact(ended), random());
        Self { sequence, began, id, records, bytes }
    }

    /// Sequence, id and number of lines: what the file is called.
    pub(crate) fn name(&self) -> String {
        format!("{:016}_{}_{}", self.sequence, self.id, self.records)
    }

    /// Reads what [`name`](Self::name) writes.
    pub(crate) fn named(name: &str, bytes: u64) -> Option<Self> {
        let (sequence, rest) = name.split_once('_')?;
        let (id, records) = rest.rsplit_once('_')?;
        let began = time::PrimitiveDateTime::parse(id.split('_').next()?, COMPACT).ok()?.assume_utc();
        let began = Moment(i64::try_from(began.unix_timestamp_nanos()).ok()?);
        let (sequence, records) = (sequence.parse().ok()?, records.parse().ok()?);
        Some(Self { sequence, began, id: id.to_owned(), records, bytes })
    }

    /// The day on which it began, for `{DATE}` in a destination.
    pub(crate) fn day(&self) -> &str {
        self.id.split('T').next().unwrap_or_default()
    }
}

/// Seconds in the basic format of ISO 8601, which sorts as a text.
fn compact(moment: Moment) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0));
    time.ok().and_then(|time| time.format(COMPACT).ok()).unwrap_or_default()
}

/// Without random numbers from the system there is the address space's layout, which is random too.
pub(crate) fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        use std::hash::{BuildHasher as _, RandomState};
        RandomState::new().hash_one(0)
    })
}
