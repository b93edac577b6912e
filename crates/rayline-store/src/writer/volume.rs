//! All that has come into one journal, in memory, as it is asked for until its files are there.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use super::counts::{Minutes, Times};
use super::rows::{Block, Growing, Place, Row};
use crate::chunk::{Chunk, Span, Table};
use crate::intake::Rows;
use crate::journal::{Kind, Reading, wire};
use crate::row::Values;

/// What one journal holds.
#[derive(Debug)]
pub(crate) struct Volume {
    number: u64,
    /// The journal, for reading lines again.
    file: Option<Arc<File>>,
    full: Vec<Block>,
    growing: Growing,
    minutes: Minutes,
    times: Times,
}

/// The rows of one frame, taken apart before anybody has to wait for them.
pub(crate) struct Taken<'a> {
    rows: Vec<Row<'a>>,
}

impl<'a> Taken<'a> {
    /// Reads a frame that begins there in its journal. Lines that are none are left out.
    pub(crate) fn read(frame: &'a [u8], begin: u64) -> Self {
        let mut reader = wire::Reader::new(frame);
        let mut rows = Vec::new();
        while let Some(row) = reader.row() {
            let Some(Values { ray, texts }) = Values::parse(row.line) else { continue };
            // The line is the last thing of a row.
            let at = begin + (frame.len() - reader.left() - row.line.len()) as u64;
            let place = Place { at, length: u32::try_from(row.line.len()).unwrap_or_default() };
            let wire::Row { weight, failed, at, numbers, line: _ } = row;
            rows.push(Row { at, weight, failed, ray, texts, numbers, place });
        }
        Self { rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many of which kind.
    pub(crate) fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        self.rows.iter().for_each(|row| rows.count(row.failed));
        rows
    }
}

impl Volume {
    pub(crate) fn new(number: u64, file: Option<Arc<File>>) -> Self {
        Self {
            number,
            file,
            full: Vec::new(),
            growing: Growing::default(),
            minutes: Minutes::default(),
            times: Times::default(),
        }
    }

    /// All that a journal holds.
    pub(crate) fn of(number: u64, file: Option<Arc<File>>, journal: &mut Reading) -> Self {
        let mut volume = Self::new(number, file);
        while let Some((kind, begin, bytes)) = journal.next() {
            match kind {
                Kind::Rows => volume.add_rows(&Taken::read(bytes, begin)),
                Kind::Cells => volume.add_cells(bytes),
            }
        }
        volume
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn read_lines_from(&mut self, file: Arc<File>) {
        self.file = Some(file);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0 && self.minutes.is_empty()
    }

    /// How many rows of requests.
    pub(crate) fn rows(&self) -> usize {
        self.full.iter().map(|block| block.chunk.len()).sum::<usize>() + self.growing.len()
    }

    pub(crate) fn add_rows(&mut self, taken: &Taken<'_>) {
        for row in &taken.rows {
            self.times.add(row);
            self.growing.push(row);
            if self.growing.is_full() {
                self.full.push(std::mem::take(&mut self.growing).into_block());
            }
        }
    }

    pub(crate) fn add_cells(&mut self, cells: &[u8]) {
        self.minutes.add_all(cells);
    }

    /// Its rows of a table that may lie in the span. Lines are read later, see [`Piece::chunk`].
    pub(crate) fn pieces(&self, table: Table, span: Span) -> Vec<Piece> {
        let overlaps = |chunk: &Chunk| match (chunk.at.first(), chunk.at.last()) {
            (Some(first), Some(last)) => Moment(*first) < span.to && span.from <= Moment(*last),
            _ => false,
        };
        let whole = |chunk: Chunk| {
            let chunk = Some(Arc::new(chunk)).filter(|chunk| overlaps(chunk));
            chunk.map(Piece::Whole).into_iter().collect()
        };
        match table {
            Table::Requests => {
                let blocks = self.full.iter().cloned().chain((self.growing.len() > 0).then(|| self.growing.block()));
                let blocks = blocks.filter(|block| overlaps(&block.chunk));
                blocks.map(|block| Piece::Rows(block, self.file.clone())).collect()
            }
            Table::Minutes => whole(self.minutes.chunk()),
            Table::Hours => whole(self.minutes.chunk().by_hour()),
            Table::Times => whole(self.times.chunk()),
            Table::HourlyTimes => whole(self.times.chunk().by_hour()),
        }
    }
}

/// A part of a [`Volume`] that does not change any more.
#[derive(Debug)]
pub(crate) enum Piece {
    Rows(Block, Option<Arc<File>>),
    Whole(Arc<Chunk>),
}

impl Piece {
    /// Its rows, with their lines if they are wanted.
    pub(crate) fn chunk(&self, lines: bool) -> io::Result<Arc<Chunk>> {
        match self {
            Self::Rows(block, file) if lines => block.with_lines(file.as_deref()),
            Self::Rows(block, _) => Ok(Arc::clone(&block.chunk)),
            Self::Whole(chunk) => Ok(Arc::clone(chunk)),
        }
    }

    /// The lines of that Ray ID.
    pub(crate) fn lines_of(&self, ray: RayId) -> io::Result<Vec<Bytes>> {
        match self {
            Self::Rows(block, file) => block.lines_of(ray, file.as_deref()),
            Self::Whole(_) => Ok(Vec::new()),
        }
    }
}
