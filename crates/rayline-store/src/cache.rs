//! Columns that were decoded lately, one by one, so that queries that share a column share it in memory too. It holds a part
//! of the machine's memory and no more; lines are not kept.
//!
//! Texts are coded anew when they come: by one dictionary for all row groups of a dimension. So a query that reads many row
//! groups looks each text up once, and none of them is held twice.

mod dictionary;
mod packed;

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rayline_verdict::RayId;

use crate::chunk::{Column, Shared};
use crate::dimension::Dimension;
use crate::segment::{Decoded, Segment, Slot};
use dictionary::Dictionary;
use packed::{Moments, Packed};

/// Bytes of decoded columns, without their texts: an eighth of the machine's memory, within these bounds.
const LEAST_BYTES: u64 = 64 * 1024 * 1024;
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Bytes of one of them, about.
const COLUMN: u64 = 128 * 1024;

/// The place of who asked for what among the columns: behind all that files have.
const ASKED: usize = usize::MAX;

/// The cache of one shelf.
#[derive(Debug)]
pub(crate) struct Columns {
    cache: Cache<Key, Option<Kept>, Bytes>,
    /// By dimension. A full one makes way for another, together with all columns that are coded by it.
    dictionaries: [Mutex<Arc<Dictionary>>; Dimension::ALL.len()],
}

/// A column of a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    segment: u64,
    group: usize,
    slot: usize,
}

/// A column as it is kept.
#[derive(Clone, Debug)]
enum Kept {
    At(Moments),
    Weight(Packed),
    Number(Packed),
    Text(Packed, Arc<Dictionary>),
    Rays(Shared<RayId>),
    /// What is best left as it is.
    Other(Decoded),
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Key, Option<Kept>> for Bytes {
    fn weight(&self, _: &Key, column: &Option<Kept>) -> u64 {
        // What was found missing takes a place too.
        column.as_ref().map_or(0, Kept::bytes) as u64 + 64
    }
}

impl Columns {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let machine = rustix::system::sysinfo();
        let memory = (machine.totalram as u64).saturating_mul(machine.mem_unit.into());
        let bytes = (memory / 8).clamp(LEAST_BYTES, MOST_BYTES);
        let columns = usize::try_from(bytes / COLUMN).unwrap_or(usize::MAX);
        Self {
            cache: Cache::with_weighter(columns, bytes, Bytes),
            dictionaries: Dimension::ALL.map(|_| Mutex::default()),
        }
    }

    /// Some rows of a column, which is decoded unless it is here. Of several that ask at once, one decodes it.
    pub(crate) fn read(
        &self,
        segment: &Segment,
        group: usize,
        slot: Slot,
        rows: &Range<usize>,
    ) -> io::Result<Option<Decoded>> {
        let key = Key { segment: segment.id, group, slot: slot.index() };
        let kept = match slot {
            Slot::Text(dimension) => {
                let dictionary = self.dictionary(dimension);
                self.cache.get_or_insert_with(&key, || -> io::Result<_> {
                    let codes = segment.codes(group, dimension, &mut |texts| dictionary.place(texts))?;
                    Ok(codes.map(|codes| Kept::Text(Packed::new(&codes), Arc::clone(&dictionary))))
                })?
            }
            Slot::At | Slot::Weight | Slot::Ray | Slot::Number(_) | Slot::Line => {
                self.cache.get_or_insert_with(&key, || Ok::<_, io::Error>(segment.read(group, slot)?.map(Kept::new)))?
            }
        };
        Ok(kept.map(|kept| kept.widened(rows)))
    }

    /// Who asked for what in some rows, see [`Wanted::asked`](crate::chunk::Wanted::asked). None of the three texts is held for it.
    pub(crate) fn asked(&self, segment: &Segment, group: usize, rows: &Range<usize>) -> io::Result<Shared<u64>> {
        let key = Key { segment: segment.id, group, slot: ASKED };
        let read = || Ok::<_, io::Error>(Some(Kept::Other(Decoded::Number(segment.asked(group)?.into()))));
        match self.cache.get_or_insert_with(&key, read)?.map(|kept| kept.widened(rows)) {
            Some(Decoded::Number(list)) => Ok(list),
            _ => Ok(Shared::default()),
        }
    }

    /// The dictionary of a dimension, which has room.
    fn dictionary(&self, dimension: Dimension) -> Arc<Dictionary> {
        let Some(current) = self.dictionaries.get(dimension.index()) else { return Arc::default() };
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_full() {
            *current = Arc::default();
            let slot = Slot::Text(dimension).index();
            self.cache.retain(|key, _| key.slot != slot);
        }
        Arc::clone(&current)
    }

    /// Forgets all of them; for measuring how long it takes without.
    pub(crate) fn clear(&self) {
        self.cache.clear();
        for dictionary in &self.dictionaries {
            *dictionary.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        }
    }
}

impl Kept {
    fn new(column: Decoded) -> Self {
        match column {
            Decoded::At(list) => Moments::new(&list).map_or(Self::Other(Decoded::At(list)), Self::At),
            Decoded::Weight(list) => Self::Weight(Packed::new(&list)),
            Decoded::Number(list) => Self::Number(Packed::new(&list)),
            Decoded::Rays(list) => Self::Rays(list),
            Decoded::Text(_) | Decoded::Lines(_) => Self::Other(column),
        }
    }

    /// Some rows as they were read, but for the order of the texts.
    fn widened(self, rows: &Range<usize>) -> Decoded {
        match self {
            Self::At(moments) => Decoded::At(moments.all().into()).part(rows),
            Self::Weight(packed) => Decoded::Weight(packed.words(rows).into()),
            Self::Number(packed) => Decoded::Number(packed.longs(rows).into()),
            Self::Text(packed, dictionary) => {
                Decoded::Text(Column { codes: packed.words(rows).into(), values: dictionary.values() })
            }
            Self::Rays(list) => Decoded::Rays(list).part(rows),
            Self::Other(column) => column.part(rows),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::At(moments) => moments.bytes(),
            Self::Weight(packed) | Self::Number(packed) | Self::Text(packed, _) => packed.bytes(),
            Self::Rays(list) => list.len() * 8,
            Self::Other(column) => column.bytes(),
        }
    }
}
