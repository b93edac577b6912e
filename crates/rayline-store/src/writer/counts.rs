//! Counts in memory: the minutes, which are exact, and the times, which are counted from the requests kept.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;

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
        let mut reader = wire::Reader::new(cells);
        while let Some(cell) = reader.cell() {
            self.add(&cell);
        }
    }

    /// The same, to be read by [`add_all`](Self::add_all).
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (minute, cells) in &self.minutes {
            for (key, sums) in cells {
                let cell = wire::Cell { minute: *minute, hits: sums.hits, sums: sums.numbers, key };
                wire::put_cell(&mut out, &cell);
            }
        }
        out
    }

    pub(super) fn chunk(&self) -> Chunk {
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
    weights: HashMap<Fall, u32, RandomState>,
    zones: Texts,
    hosts: Texts,
    origins: Texts,
}

/// One bucket of one combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Fall {
    minute: i64,
    zone: u32,
    host: u32,
    origin: u32,
    phase: Number,
    bucket: u64,
}

/// The buckets' upper bounds in microseconds: each at most 5 % above the one before, up to three hours.
pub(crate) static BOUNDS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let next = |bound: &u64| Some((bound + bound / 20).max(bound + 1));
    std::iter::successors(Some(1), next).take_while(|bound| *bound < 10_800_000_000).collect()
});

fn bucket(time: u64) -> u64 {
    let bounds = &*BOUNDS;
    bounds.get(bounds.partition_point(|bound| *bound < time)).or(bounds.last()).copied().unwrap_or(time)
}

impl Times {
    /// A phase that took no time was skipped, and is not counted.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let text = |dimension: Dimension| row.texts.get(dimension.index()).map_or("", |text| text);
        let is_full = self.weights.len() >= TIMES;
        let host = if is_full { OTHER } else { text(Dimension::Host) };
        let origin = if is_full { OTHER } else { text(Dimension::Origin) };
        let fall = Fall {
            minute: row.at.div_euclid(MINUTE),
            zone: self.zones.place(text(Dimension::Zone)),
            host: self.hosts.place(host),
            origin: self.origins.place(origin),
            phase: Number::Duration,
            bucket: 0,
        };
        for (phase, time) in Number::ALL.into_iter().zip(row.numbers) {
            if phase.is_time() && time > 0 {
                let weight = self.weights.entry(Fall { phase, bucket: bucket(time), ..fall }).or_default();
                *weight = weight.saturating_add(row.weight.get());
            }
        }
    }

    pub(super) fn chunk(&self) -> Chunk {
        let mut falls: Vec<_> = self.weights.iter().collect();
        falls.sort_unstable();
        let codes = |of: fn(&Fall) -> u32, texts: &Texts| {
            let codes = falls.iter().map(|(fall, _)| of(fall)).collect();
            Some(Column { codes, values: Arc::new(texts.values.clone()) })
        };
        let written = |of: fn(&Fall) -> String| {
            let mut texts = Texts::default();
            let codes = falls.iter().map(|(fall, _)| texts.place(&of(fall))).collect();
            Some(Column { codes, values: Arc::new(texts.values) })
        };
        Chunk {
            at: falls.iter().map(|(fall, _)| fall.minute.saturating_mul(MINUTE)).collect(),
            weight: falls.iter().map(|(_, weight)| **weight).collect(),
            columns: Dimension::ALL.map(|dimension| match dimension {
                Dimension::Zone => codes(|fall| fall.zone, &self.zones),
                Dimension::Host => codes(|fall| fall.host, &self.hosts),
                Dimension::Origin => codes(|fall| fall.origin, &self.origins),
                Dimension::Phase => written(|fall| fall.phase.name().to_owned()),
                Dimension::Bucket => written(|fall| fall.bucket.to_string()),
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
            let upper = bucket(time);
            assert!(upper >= time && upper as f64 <= time as f64 * 1.05 + 1e-9, "{time} in {upper}");
        }
        assert!(BOUNDS.len() < 500);
        assert_eq!(bucket(u64::MAX), *BOUNDS.last().unwrap());
    }
}
