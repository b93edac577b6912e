//! Columns that were decoded lately, one by one, so that queries that share a column share it in memory too. It holds so
//! many bytes and no more; lines are not kept.

use std::io;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::segment::{Decoded, Segment, Slot};

/// Bytes of decoded columns.
const BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of one of them, about.
const COLUMN: u64 = 512 * 1024;

/// The cache of one shelf.
#[derive(Debug)]
pub(crate) struct Columns {
    cache: Cache<Key, Option<Decoded>, Bytes>,
}

/// A column of a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    segment: u64,
    group: usize,
    slot: usize,
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Key, Option<Decoded>> for Bytes {
    fn weight(&self, _: &Key, column: &Option<Decoded>) -> u64 {
        // What was found missing takes a place too.
        column.as_ref().map_or(0, Decoded::bytes) as u64 + 64
    }
}

impl Columns {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let columns = usize::try_from(BYTES / COLUMN).unwrap_or(usize::MAX);
        Self { cache: Cache::with_weighter(columns, BYTES, Bytes) }
    }

    /// A column, decoded unless it is here. Of several that ask at once, one decodes it.
    pub(crate) fn read(&self, segment: &Segment, group: usize, slot: Slot) -> io::Result<Option<Decoded>> {
        let key = Key { segment: segment.id, group, slot: slot.index() };
        self.cache.get_or_insert_with(&key, || segment.read(group, slot))
    }

    /// Forgets all of them; for measuring how long it takes without.
    pub(crate) fn clear(&self) {
        self.cache.clear();
    }
}
