//! Rows of requests in memory, in blocks: one that grows, and those that are full and never change again.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use rayline_verdict::RayId;

use crate::chunk::{Chunk, Column, Texts};
use crate::dimension::{Dimension, Number};

/// Rows in a block.
const BLOCK_ROWS: usize = 8192;

/// Where a line lies in its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) length: u32,
}

/// One request, taken apart.
pub(super) struct Row<'a> {
    pub(super) at: i64,
    pub(super) weight: NonZeroU32,
    pub(super) failed: bool,
    pub(super) ray: RayId,
    pub(super) texts: [Cow<'a, str>; Dimension::ALL.len()],
    pub(super) numbers: [u64; Number::ALL.len()],
    pub(super) place: Place,
}

/// Rows that do not change, in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(super) chunk: Arc<Chunk>,
    places: Vec<Place>,
}

/// Rows in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Growing {
    at: Vec<i64>,
    weight: Vec<u32>,
    rays: Vec<RayId>,
    columns: [(Vec<u32>, Texts); Dimension::ALL.len()],
    numbers: [Vec<u64>; Number::ALL.len()],
    places: Vec<Place>,
    /// What it was made into for those who asked, until more rows come: who asks one thing often asks another.
    made: OnceLock<Block>,
}

impl Growing {
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= BLOCK_ROWS
    }

    pub(super) fn push(&mut self, row: &Row<'_>) {
        self.made.take();
        self.at.push(row.at);
        self.weight.push(row.weight.get());
        self.rays.push(row.ray);
        self.places.push(row.place);
        for ((codes, texts), text) in self.columns.iter_mut().zip(&row.texts) {
            codes.push(texts.place(text));
        }
        for (list, number) in self.numbers.iter_mut().zip(&row.numbers) {
            list.push(*number);
        }
    }

    /// The same rows in the order of time.
    pub(super) fn block(&self) -> Block {
        self.made.get_or_init(|| self.clone().into_block()).clone()
    }

    /// The same of rows to which none will come. Nothing is copied if they came in the order of time.
    pub(super) fn into_block(mut self) -> Block {
        if let Some(made) = self.made.take() {
            return made;
        }
        let mut columns = self.columns.map(|(codes, texts)| {
            let values = Arc::new(texts.values);
            Some(Column { codes: codes.into(), values })
        });
        // only of the times
        for dimension in [Dimension::Phase, Dimension::Bucket] {
            columns.get_mut(dimension.index()).and_then(Option::take);
        }
        let sorted = self.at.is_sorted();
        let chunk = Chunk {
            at: self.at.into(),
            weight: self.weight.into(),
            rays: self.rays.into(),
            columns,
            numbers: self.numbers.map(|list| Some(list.into())),
            ..Chunk::default()
        };
        if sorted {
            return Block { chunk: Arc::new(chunk), places: self.places };
        }
        let mut order: Vec<u32> = (0..u32::try_from(chunk.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by_key(|row| chunk.at.get(*row as usize).copied());
        let places = order.iter().filter_map(|row| self.places.get(*row as usize).copied()).collect();
        Block { chunk: Arc::new(chunk.select(&order)), places }
    }
}

impl Block {
    /// The rows with their lines, which are read from the journal.
    pub(super) fn with_lines(&self, journal: Option<&File>) -> io::Result<Arc<Chunk>> {
        let lines = self.places.iter().map(|place| place.read(journal)).collect::<io::Result<_>>()?;
        Ok(Arc::new(Chunk { lines, ..Chunk::clone(&self.chunk) }))
    }

    /// The lines of that Ray ID.
    pub(super) fn lines_of(&self, ray: RayId, journal: Option<&File>) -> io::Result<Vec<Bytes>> {
        let places = self.chunk.rays.iter().zip(&self.places).filter(|(have, _)| **have == ray);
        places.map(|(_, place)| place.read(journal)).collect()
    }
}

impl Place {
    fn read(self, journal: Option<&File>) -> io::Result<Bytes> {
        let Some(journal) = journal else { return Ok(Bytes::new()) };
        let mut line = vec![0; self.length as usize];
        journal.read_exact_at(&mut line, self.at)?;
        Ok(line.into())
    }
}
