//! Counts in memory: the minutes, which are exact, and the times, which are counted from the requests kept.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::rows::Row;
use crate::chunk::{Chunk, Column, Texts};
use crate::dimension::{Dimension, Number};
use crate::intake::coarsened;
use crate::journal::wire;
use crate::row::MINUTE;

/// Combinations of values within a minute. What comes on top is counted without the values that visitors choose.
const CELLS: usize = 20_000;

/// Combinations among the times of one journal. What comes on top is counted under another host.
const TIMES: usize = 200_000;

const OTHER: &str = "(other)";

/// How often each combination of values was seen, by minute.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    /// Since 1970, in order when a chunk is made of them.
    minutes: HashMap<u64, HashMap<Box<[u8]>, Sums, RandomState>, RandomState>,
    /// What they were made into for those who asked, until more comes.
    made: OnceLock<Chunk>,
}

#[derive(Debug, Default)]
struct Sums {
    hits: u64,
    numbers: [u64; Number::ALL.len()],
}

impl Minutes {
    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    fn add(&mut self, cell: &wire::Cell<'_>) {
        let cells = self.minutes.entry(cell.minute).or_default();
        let sums = if let Some(sums) = cells.get_mut(cell.key) {
            sums
        } else if cells.len() < CELLS {
            cells.entry(cell.key.into()).or_default()
        } else {
            cells.entry(coarsened(cell.key).into()).or_default()
        };
        sums.hits = sums.hits.saturating_add(cell.hits);
        for (sum, number) in sums.numbers.iter_mut().zip(&cell.sums) {
            *sum = sum.saturating_add(*number);
        }
    }

    pub(super) fn add_all(&mut self, cells: &[u8]) {
        self.made.take();
        let mut reader = wire::Reader::new(cells);
        while let Some(cell) = reader.cell() {
            self.add(&cell);
        }
    }

    /// Appends the same, to be read by [`add_all`](Self::add_all).
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        for (minute, cells) in &self.minutes {
            for (key, sums) in cells {
                let cell = wire::Cell { minute: *minute, hits: sums.hits, sums: sums.numbers, key };
                wire::put_cell(out, &cell);
            }
        }
    }

    pub(super) fn chunk(&self) -> Chunk {
        self.made.get_or_init(|| self.make()).clone()
    }

    fn make(&self) -> Chunk {
        let mut minutes: Vec<_> = self.minutes.iter().collect();
        minutes.sort_unstable_by_key(|(minute, _)| **minute);
        let dimensions = || Dimension::ALL.into_iter().filter(|dimension| dimension.is_rolled_up());
        let mut columns: [Option<(Vec<u32>, Texts)>; Dimension::ALL.len()] =
            Dimension::ALL.map(|dimension| dimension.is_rolled_up().then(Default::default));
        let mut numbers: [Vec<u64>; Number::ALL.len()] = Default::default();
        let mut chunk = Chunk::default();
        let (mut at, mut weight) = (Vec::new(), Vec::new());
        for (minute, cells) in minutes {
            for (key, sums) in cells {
                at.push(i64::try_from(*minute).unwrap_or_default().saturating_mul(MINUTE));
                weight.push(u32::try_from(sums.hits).unwrap_or(u32::MAX));
                let mut texts = wire::Reader::new(key);
                for dimension in dimensions() {
                    let text = texts.text().unwrap_or_default();
                    if let Some(Some((codes, values))) = columns.get_mut(dimension.index()) {
                        codes.push(values.place(text));
                    }
                }
                for (list, number) in numbers.iter_mut().zip(&sums.numbers) {
                    list.push(*number);
                }
            }
        }
        (chunk.at, chunk.weight) = (at.into(), weight.into());
        chunk.columns = columns.map(|column| column.map(to_column));
        chunk.numbers = numbers.map(|list| Some(list.into()));
        chunk
    }
}

fn to_column((codes, texts): (Vec<u32>, Texts)) -> Column {
    Column { codes: codes.into(), values: Arc::new(texts.values) }
}

/// Into which bucket each time of a request fell, by minute, zone, host and origin.
#[derive(Debug, Default)]
pub(super) struct Times {
    spots: IndexSet<Spot, RandomState>,
    weights: HashMap<Fall, u32, RandomState>,
    zones: Texts,
    hosts: Texts,
    origins: Texts,
    /// What they were made into for those who asked, until more comes.
    made: OnceLock<Chunk>,
}

/// Where requests went, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Spot {
    minute: i64,
    zone: u32,
    host: u32,
    origin: u32,
}

/// One bucket of one phase at one of the spots, as one number that is hashed fast: the spot, the place of the phase among the
/// numbers, and the place among [`BOUNDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fall(u64);

impl Fall {
    fn new(spot: usize, phase: usize, bucket: usize) -> Self {
        Self((spot as u64) << 32 | (phase as u64) << 16 | bucket as u64)
    }

    fn spot(self) -> usize {
        (self.0 >> 32) as usize
    }

    fn phase(self) -> Option<Number> {
        Number::ALL.get((self.0 >> 16 & 0xffff) as usize).copied()
    }

    fn bucket(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

/// The buckets' upper bounds in microseconds: each at most 5 % above the one before, up to three hours.
pub(crate) static BOUNDS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let next = |bound: &u64| Some((bound + bound / 20).max(bound + 1));
    std::iter::successors(Some(1), next).take_while(|bound| *bound < 10_800_000_000).collect()
});

/// By how many bits a time takes, the first bucket that it can be in; the one behind the last is there too.
static FIRST: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let first = |bits: u32| {
        let least = 1_u64.checked_shl(bits.saturating_sub(1)).unwrap_or_default();
        BOUNDS.partition_point(|bound| *bound < least)
    };
    (0..=u64::BITS).map(first).chain([BOUNDS.len()]).collect()
});

/// Which of [`BOUNDS`] is the first that is not below a time; the last one of those that are too long.
fn bucket(time: u64) -> usize {
    let bits = (u64::BITS - time.leading_zeros()) as usize;
    let (from, to) = FIRST.get(bits).zip(FIRST.get(bits + 1)).unwrap_or((&0, &0));
    // the first of the next doubling is one of this too
    let near = BOUNDS.get(*from..BOUNDS.len().min(to + 1)).unwrap_or_default();
    (from + near.partition_point(|bound| *bound < time)).min(BOUNDS.len() - 1)
}

impl Times {
    /// A phase that took no time was skipped, and is not counted.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.made.take();
        let text = |dimension: Dimension| row.texts.get(dimension.index()).map_or("", |text| text);
        let is_full = self.weights.len() >= TIMES;
        let host = if is_full { OTHER } else { text(Dimension::Host) };
        let origin = if is_full { OTHER } else { text(Dimension::Origin) };
        let (spot, _) = self.spots.insert_full(Spot {
            minute: row.at.div_euclid(MINUTE),
            zone: self.zones.place(text(Dimension::Zone)),
            host: self.hosts.place(host),
            origin: self.origins.place(origin),
        });
        for (place, (phase, time)) in Number::ALL.into_iter().zip(row.numbers).enumerate() {
            if phase.is_time() && time > 0 {
                let weight = self.weights.entry(Fall::new(spot, place, bucket(time))).or_default();
                *weight = weight.saturating_add(row.weight.get());
            }
        }
    }

    pub(super) fn chunk(&self) -> Chunk {
        self.made.get_or_init(|| self.make()).clone()
    }

    fn make(&self) -> Chunk {
        let fall = |(fall, weight): (&Fall, &u32)| {
            let spot = self.spots.get_index(fall.spot())?;
            Some((*spot, fall.phase()?, fall.bucket(), *weight))
        };
        let mut falls: Vec<(Spot, Number, usize, u32)> = self.weights.iter().filter_map(fall).collect();
        falls.sort_unstable();
        let codes = |of: fn(&Spot) -> u32, texts: &Texts| {
            let codes = falls.iter().map(|(spot, ..)| of(spot)).collect();
            Some(Column { codes, values: Arc::new(texts.values.clone()) })
        };
        let written = |of: &dyn Fn(Number, usize) -> String| {
            let mut texts = Texts::default();
            let codes = falls.iter().map(|(_, phase, bucket, _)| texts.place(&of(*phase, *bucket))).collect();
            Some(Column { codes, values: Arc::new(texts.values) })
        };
        let bound = |bucket: usize| BOUNDS.get(bucket).copied().unwrap_or_default();
        Chunk {
            at: falls.iter().map(|(spot, ..)| spot.minute.saturating_mul(MINUTE)).collect(),
            weight: falls.iter().map(|(.., weight)| *weight).collect(),
            columns: Dimension::ALL.map(|dimension| match dimension {
                Dimension::Zone => codes(|spot| spot.zone, &self.zones),
                Dimension::Host => codes(|spot| spot.host, &self.hosts),
                Dimension::Origin => codes(|spot| spot.origin, &self.origins),
                Dimension::Phase => written(&|phase, _| phase.name().to_owned()),
                Dimension::Bucket => written(&|_, bucket| bound(bucket).to_string()),
                _ => None,
            }),
            ..Chunk::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow() {
        for time in (1..200_000).chain((200_000..2_000_000_000).step_by(99_991)) {
            let upper = BOUNDS[bucket(time)];
            assert_eq!(upper, BOUNDS[BOUNDS.partition_point(|bound| *bound < time).min(BOUNDS.len() - 1)]);
            assert!(upper >= time && upper as f64 <= time as f64 * 1.05 + 1e-9, "{time} in {upper}");
        }
        assert!(BOUNDS.len() < 500);
        assert_eq!(bucket(u64::MAX), BOUNDS.len() - 1);
    }
}
