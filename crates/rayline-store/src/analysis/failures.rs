//! The failed requests of a span, as codes side by side, so that it can be asked which of them are the same. It keeps a
//! bounded number of them, evenly thinned if there are more.

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use crate::chunk::{Chunk, Outcome, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::query::failing::Failing;
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Shared, Sink, column, scan};
use crate::query::{Filter, QueryError};

/// How many are kept.
const MOST: usize = 200_000;

/// Failed requests in the order of time.
#[derive(Debug)]
pub(super) struct Failures {
    /// When each began.
    pub(super) at: Vec<i64>,
    columns: Vec<Texts>,
    /// One in so many is here.
    pub(super) stride: u64,
}

#[derive(Debug)]
struct Texts {
    dimension: Dimension,
    codes: Vec<u32>,
    texts: IndexSet<Box<str>, RandomState>,
    /// For the texts of the last chunk.
    known: Known,
}

impl Failures {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// If the source cannot be read.
    pub(super) fn read(
        source: &dyn Source,
        span: Span,
        filters: &[Filter],
        dimensions: &[Dimension],
    ) -> Result<Self, QueryError> {
        let mut needed: Vec<Dimension> = filters.iter().map(|filter| filter.dimension).collect();
        needed.extend(dimensions);
        needed.extend([Dimension::Code, Dimension::EdgeStatus]);
        needed.sort_unstable();
        needed.dedup();
        let wanted = Wanted { dimensions: needed, outcome: Outcome::Failed, ..Wanted::default() };
        let pass = Pass { wanted: &wanted, filters, step: None };
        let texts = |dimension: &Dimension| Texts {
            dimension: *dimension,
            codes: Vec::new(),
            texts: IndexSet::default(),
            known: Known::default(),
        };
        let columns = dimensions.iter().map(texts).collect();
        let mut gathering =
            Gathering { failures: Self { at: Vec::new(), columns, stride: 1 }, failing: Failing::default(), met: 0 };
        let piece = Piece { table: Table::Requests, span };
        scan(source, &[piece], &pass, &mut Groups::new(&[]), &mut gathering)?;
        let mut failures = gathering.failures;
        failures.sort();
        Ok(failures)
    }

    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// A failure's value; `""` if the dimension was not read.
    pub(super) fn text(&self, row: usize, dimension: Dimension) -> &str {
        let Some(column) = self.columns.iter().find(|column| column.dimension == dimension) else { return "" };
        let text = column.codes.get(row).and_then(|code| column.texts.get_index(*code as usize));
        text.map_or("", |text| text)
    }

    /// The code of a value that failures have.
    pub(super) fn code(&self, dimension: Dimension, text: &str) -> Option<u32> {
        let column = self.columns.iter().find(|column| column.dimension == dimension)?;
        column.texts.get_index_of(text).and_then(|index| u32::try_from(index).ok())
    }

    /// The values that failures have, by their codes.
    pub(super) fn values(&self, dimension: Dimension) -> impl Iterator<Item = &str> {
        let column = self.columns.iter().find(|column| column.dimension == dimension);
        column.into_iter().flat_map(|column| &column.texts).map(|text| &**text)
    }

    /// The codes of a dimension, row by row.
    pub(super) fn codes(&self, dimension: Dimension) -> &[u32] {
        let column = self.columns.iter().find(|column| column.dimension == dimension);
        column.map_or(&[], |column| &column.codes)
    }

    fn sort(&mut self) {
        if self.at.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.at.len()).collect();
        order.sort_by_key(|row| self.at.get(*row).copied());
        self.at = order.iter().filter_map(|row| self.at.get(*row).copied()).collect();
        for column in &mut self.columns {
            column.codes = order.iter().filter_map(|row| column.codes.get(*row).copied()).collect();
        }
    }

    /// Keeps every other one.
    fn thin(&mut self) {
        self.stride *= 2;
        let every_other = |nth: &mut usize| {
            *nth += 1;
            *nth % 2 == 1
        };
        let mut nth = 0;
        self.at.retain(|_| every_other(&mut nth));
        for column in &mut self.columns {
            let mut nth = 0;
            column.codes.retain(|_| every_other(&mut nth));
        }
    }
}

/// A code whose text has not been looked up yet.
const UNSEEN: u32 = u32::MAX;

struct Gathering {
    failures: Failures,
    failing: Failing,
    met: u64,
}

/// For each of the chunk's codes its text's number. The last is that of unknown codes.
#[derive(Debug, Default)]
struct Known {
    shared: Shared,
    numbers: Vec<u32>,
}

impl Sink for Gathering {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        self.failing.begin(chunk);
        for texts in &mut self.failures.columns {
            let Known { shared, numbers } = &mut texts.known;
            if !shared.stays(column(chunk, texts.dimension)) {
                numbers.clear();
                numbers.resize(shared.texts().len() + 1, UNSEEN);
            }
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let marks = self.failing.mark(batch.chunk, &batch.rows);
        for ((row, cell), failed) in batch.rows.clone().zip(batch.cells).zip(marks) {
            if !*failed || *cell == OUT {
                continue;
            }
            self.met += 1;
            if !self.met.is_multiple_of(self.failures.stride) {
                continue;
            }
            if self.failures.at.len() >= MOST {
                self.failures.thin();
            }
            let Some(at) = batch.chunk.at.get(row) else { continue };
            self.failures.at.push(*at);
            for texts in &mut self.failures.columns {
                let Texts { known: Known { shared, numbers }, texts: all, .. } = texts;
                let column = column(batch.chunk, texts.dimension);
                let code = column.and_then(|column| column.codes.get(row)).map_or(usize::MAX, |code| *code as usize);
                let code = code.min(numbers.len().saturating_sub(1));
                let Some(number) = numbers.get_mut(code) else { continue };
                if *number == UNSEEN {
                    *number = number_of(all, shared.texts().get(code).map_or("", |text| text));
                }
                texts.codes.push(*number);
            }
        }
    }
}

fn number_of(texts: &mut IndexSet<Box<str>, RandomState>, text: &str) -> u32 {
    let index = texts.get_index_of(text).unwrap_or_else(|| texts.insert_full(text.into()).0);
    u32::try_from(index).unwrap_or(u32::MAX)
}
