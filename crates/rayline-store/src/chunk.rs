//! Rows in memory, column by column: the one form that is written, read and asked.

mod asked;
mod gather;
mod sum;

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use crate::dimension::{Dimension, Number};
pub(crate) use asked::{ASKED, asked_of, hash_of};
pub(crate) use gather::Texts;

/// What rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// A request each. Failed and degraded ones are all here with a weight of 1; of successes one in `weight`.
    Requests,
    /// How often one combination of values was seen in a minute, exactly: only the dimensions that are rolled up have
    /// values, and the numbers are sums.
    Minutes,
    /// The same of an hour.
    Hours,
    /// How often a time fell into a bucket, by minute, zone, host and origin: the quantile sketches. `weight` is the count.
    Times,
    /// The same of an hour.
    HourlyTimes,
}

/// From a moment to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Moment,
    /// The first moment after it.
    pub to: Moment,
}

/// Rows of one table, in the order of time. All columns that are there have the same length. A clone is cheap: it shares
/// the columns.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// When: a request's start, a minute's or an hour's beginning. Nanoseconds since 1970-01-01 UTC. Empty if it was not
    /// asked for, see [`Wanted::untimed`].
    pub at: Shared<i64>,
    /// How many requests a row stands for.
    pub weight: Shared<u32>,
    /// Which request; empty in other tables than [`Table::Requests`], or if not asked for.
    pub rays: Shared<RayId>,
    /// By [`Dimension::index`]; `None` where the table has not got it, or it was not asked for.
    pub columns: [Option<Column>; Dimension::ALL.len()],
    /// By [`Number::index`].
    pub numbers: [Option<Shared<u64>>; Number::ALL.len()],
    /// The request log's lines, masked as the store was told to, without their newline; empty unless asked for.
    pub lines: Shared<Bytes>,
    /// What each row asked for and who asked, as one number, see [`Wanted::asked`]; empty where that is not at hand.
    pub asked: Shared<u64>,
}

/// A list whose clones share it until one of them is changed. It is read and changed like a `Vec`, and made of one with
/// `into`. So queries share what is in the cache of decoded columns, and none of them copies it.
#[derive(Debug, PartialEq, Eq)]
pub struct Shared<T>(Arc<Vec<T>>);

/// One dimension's values, each text held once.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Per row, which of `values`.
    pub codes: Shared<u32>,
    /// The texts, in no order. Columns of several chunks may share them, and then have but a part of them.
    pub values: Arc<Vec<Arc<str>>>,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 5] = [Self::Requests, Self::Minutes, Self::Hours, Self::Times, Self::HourlyTimes];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Times => "times",
            Self::HourlyTimes => "hourly_times",
        }
    }

    /// The table of the same by the minute, of one by the hour.
    pub const fn by_minute(self) -> Option<Self> {
        match self {
            Self::Hours => Some(Self::Minutes),
            Self::HourlyTimes => Some(Self::Times),
            Self::Requests | Self::Minutes | Self::Times => None,
        }
    }

    /// The table of the same by the hour, of one by the minute.
    pub const fn by_hour(self) -> Option<Self> {
        match self {
            Self::Minutes => Some(Self::Hours),
            Self::Times => Some(Self::HourlyTimes),
            Self::Requests | Self::Hours | Self::HourlyTimes => None,
        }
    }

    /// The table of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

impl Chunk {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.at.len().max(self.weight.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Deref for Shared<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(list: Vec<T>) -> Self {
        Self(Arc::new(list))
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::from(Vec::from_iter(items))
    }
}

impl<'a, T> IntoIterator for &'a Shared<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Span {
    /// Whether a moment lies in it.
    pub fn contains(self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }
}

/// Which columns are asked for. The weight is always there, and so is the time, unless it is said that it need not be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Values.
    pub dimensions: Vec<Dimension>,
    /// Measures.
    pub numbers: Vec<Number>,
    /// Ray IDs.
    pub rays: bool,
    /// The log's lines.
    pub lines: bool,
    /// It is enough that rows lie in the span: a chunk of which all rows do need not have their times.
    pub untimed: bool,
    /// Rows of other outcomes need not be there. They may be all the same, so whoever asks looks.
    pub outcome: Outcome,
    /// Rows with less of a number than this need not be there. The same holds.
    pub at_least: Option<(Number, u64)>,
    /// Address, host and path of each row as one number, so that the same can be found without reading any of the three.
    /// Chunks that have not got it have the three.
    pub asked: bool,
}

/// How requests ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// In whatever way.
    #[default]
    Any,
    /// With a verdict, or a status of 500 and more.
    Failed,
    /// Neither of that. Rows that are known to be so come without their code and status, for these say nothing more.
    Fine,
}

impl Wanted {
    /// Everything there is.
    pub fn all() -> Self {
        Self {
            dimensions: Dimension::ALL.to_vec(),
            numbers: Number::ALL.to_vec(),
            rays: true,
            lines: true,
            ..Self::default()
        }
    }
}

/// Where chunks come from: files, memory, both. Several threads may ask at once.
pub trait Source: Sync {
    /// Every chunk of the table with a row in the span, in the order of time; it may have rows outside of it.
    ///
    /// # Errors
    ///
    /// If files cannot be read.
    fn chunks(&self, table: Table, span: Span, wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>>;

    /// The same, one after the other, so that not all of them need to be in memory at once. Ends early with the first
    /// error that `visit` returns.
    ///
    /// # Errors
    ///
    /// If files cannot be read, and what `visit` returns.
    fn visit(
        &self,
        table: Table,
        span: Span,
        wanted: &Wanted,
        visit: &mut dyn FnMut(Arc<Chunk>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.chunks(table, span, wanted)?.into_iter().try_for_each(visit)
    }
}
