//! The pass over rows: which of them count, and for which cell. It adds nothing up; a [`Sink`] does.
//!
//! Rows go by in batches, and each batch column by column, so that every loop is over plain numbers side by side.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::groups::{Cells, WIDTH};
use super::plan::{Piece, Steps};
use super::{Filter, Matching};
use crate::chunk::{Chunk, Column, Source, Span, Table, Wanted};
use crate::dimension::Dimension;

/// How many rows go by at once: their cells and keys stay in the nearest cache.
const BATCH: usize = 4096;
/// The cell of rows that a filter has kept out.
pub(crate) const OUT: u32 = u32::MAX;
/// What has not been asked for yet: a number, or a cell.
const UNSEEN: u32 = u32::MAX;
/// Up to so many combinations have their cells in a plain array.
const DENSE: usize = 1 << 21;

/// What is the same for every row of a pass.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// At least what is filtered and grouped by, and what the sink reads.
    pub(crate) wanted: &'a Wanted,
    pub(crate) filters: &'a [Filter],
    /// `None`: all rows are in step 0.
    pub(crate) step: Option<Steps>,
}

/// Rows side by side in one step of time.
pub(crate) struct Batch<'a> {
    pub(crate) chunk: &'a Chunk,
    pub(crate) rows: Range<usize>,
    pub(crate) step: usize,
    /// For every row its cell, or [`OUT`].
    pub(crate) cells: &'a [u32],
}

/// Where rows go.
pub(crate) trait Sink {
    /// The rows that follow are of this chunk.
    fn begin(&mut self, chunk: &Chunk, table: Table);
    fn take(&mut self, batch: &Batch<'_>);
}

/// Passes every row that lies in its piece's span and through the filters. Returns how many lay in the spans.
pub(crate) fn scan(
    source: &dyn Source,
    pieces: &[Piece],
    pass: &Pass<'_>,
    groups: &mut impl Cells,
    sink: &mut impl Sink,
) -> io::Result<u64> {
    let mut looked_at = 0;
    let mut cells = vec![OUT; BATCH];
    let mut keying = Keying::default();
    let mut masking = Masking::new(pass.filters);
    for piece in pieces {
        source.visit(piece.table, piece.span, pass.wanted, &mut |chunk| {
            let Some(masks) = masking.of(&chunk) else { return Ok(()) };
            keying.begin(&chunk, groups);
            sink.begin(&chunk, piece.table);
            for (step, run) in runs(&chunk, piece.span, pass.step) {
                looked_at += run.len() as u64;
                for rows in batches(run) {
                    let Some(cells) = cells.get_mut(..rows.len()) else { continue };
                    cells.fill(1);
                    for mask in &masks {
                        mask.apply(&rows, cells);
                    }
                    if !masks.is_empty() && cells.iter().all(|cell| *cell == OUT) {
                        continue;
                    }
                    keying.place(&chunk, &rows, cells, groups);
                    sink.take(&Batch { chunk: &chunk, rows, step, cells });
                }
            }
            Ok(())
        })?;
    }
    Ok(looked_at)
}

/// Rows in the span, one beside the other in the same step. It relies on no order, but is fast because there is one. All rows
/// of a chunk without times lie in the span.
fn runs(chunk: &Chunk, span: Span, steps: Option<Steps>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let (from, to) = (span.from.0, span.to.0);
    let at = chunk.at.as_slice();
    let untimed = if at.is_empty() { chunk.len() } else { 0 };
    let mut next = 0;
    let timed = std::iter::from_fn(move || {
        let rest = at.get(next..)?;
        let start = next + rest.iter().position(|at| from <= *at && *at < to)?;
        let first = *at.get(start)?;
        let (step, low, high) = steps.map_or((0, from, to), |steps| steps.around(first));
        let (low, high) = (low.max(from), high.min(to));
        let run = at.get(start..)?;
        next = start + run.iter().position(|at| *at < low || *at >= high).unwrap_or(run.len());
        Some((step, start..next))
    });
    (untimed > 0).then_some((0, 0..untimed)).into_iter().chain(timed)
}

fn batches(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    rows.clone().step_by(BATCH).map(move |start| start..(start + BATCH).min(rows.end))
}

/// A column's codes of some rows; empty if it is shorter than the chunk.
pub(crate) fn part<'a, T>(column: &'a [T], rows: &Range<usize>) -> &'a [T] {
    column.get(rows.clone()).unwrap_or_default()
}

/// The texts of a column of the chunk before. Columns of many chunks share them: then what was found out of them still holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Option<Arc<Vec<Arc<str>>>>);

impl Shared {
    /// Whether this chunk's texts are the same as those of the chunk before; its own are remembered in any case.
    pub(crate) fn stays(&mut self, column: Option<&Column>) -> bool {
        let same = match (&self.0, column) {
            (Some(before), Some(column)) => Arc::ptr_eq(before, &column.values),
            (Some(_) | None, _) => false,
        };
        if !same {
            self.0 = column.map(|column| Arc::clone(&column.values));
        }
        same
    }

    pub(crate) fn texts(&self) -> &[Arc<str>] {
        self.0.as_ref().map_or(&[], |texts| texts)
    }
}

/// The filters, and which texts they let pass.
struct Masking<'f> {
    filters: Vec<(&'f Filter, Shared, Vec<bool>)>,
}

/// Which codes of a column a filter lets pass.
struct Mask<'a> {
    column: &'a Column,
    passes: &'a [bool],
    /// Whether `""` passes, which is the value of a code that its dictionary does not know.
    empty: bool,
}

impl Mask<'_> {
    fn apply(&self, rows: &Range<usize>, cells: &mut [u32]) {
        for (cell, code) in cells.iter_mut().zip(part(&self.column.codes, rows)) {
            if !self.passes.get(*code as usize).copied().unwrap_or(self.empty) {
                *cell = OUT;
            }
        }
    }
}

impl<'f> Masking<'f> {
    fn new(filters: &'f [Filter]) -> Self {
        Self { filters: filters.iter().map(|filter| (filter, Shared::default(), Vec::new())).collect() }
    }

    /// The filters as seen by one chunk; `None` if none of its rows passes.
    fn of<'a>(&'a mut self, chunk: &'a Chunk) -> Option<Vec<Mask<'a>>> {
        let mut masks = Vec::with_capacity(self.filters.len());
        for (filter, shared, passing) in &mut self.filters {
            let empty = passes(filter, "");
            match column(chunk, filter.dimension) {
                None if empty => {}
                None => return None,
                Some(column) => {
                    if !shared.stays(Some(column)) {
                        *passing = column.values.iter().map(|value| passes(filter, value)).collect();
                    }
                    if !empty && !passing.contains(&true) {
                        return None;
                    }
                    masks.push(Mask { column, passes: passing, empty });
                }
            }
        }
        Some(masks)
    }
}

/// Whether a value passes a filter.
pub(crate) fn passes(filter: &Filter, value: &str) -> bool {
    let mut wanted = filter.values.iter();
    match filter.matching {
        Matching::Is => wanted.any(|wanted| wanted == value),
        Matching::IsNot => wanted.all(|wanted| wanted != value),
        Matching::StartsWith => wanted.any(|wanted| value.starts_with(wanted.as_str())),
        Matching::Contains => wanted.any(|wanted| value.contains(wanted.as_str())),
    }
}

/// The column of a dimension, if the chunk has it.
pub(crate) fn column(chunk: &Chunk, dimension: Dimension) -> Option<&Column> {
    chunk.columns.get(dimension.index())?.as_ref()
}

/// From the codes of a chunk's columns to cells: by way of the texts' numbers, which are the same in all chunks.
#[derive(Default)]
struct Keying {
    by: Vec<Dimension>,
    shared: [Shared; WIDTH],
    /// By dimension: the number of each of the chunk's codes, or [`UNSEEN`]. The last is that of unknown codes.
    numbers: [Vec<u32>; WIDTH],
    /// By dimension: more than the highest number. They grow by doubling, so that they seldom do.
    bases: [usize; WIDTH],
    /// Cells by combination, if there cannot be many; else the groups are asked row by row.
    cells: Option<Vec<u32>>,
    narrow: Vec<u32>,
    wide: Vec<u128>,
}

impl Keying {
    fn begin(&mut self, chunk: &Chunk, groups: &impl Cells) {
        groups.by().clone_into(&mut self.by);
        let mut grown = false;
        let of_dimensions = self.shared.iter_mut().zip(&mut self.numbers).zip(&mut self.bases);
        for (nth, (dimension, ((shared, numbers), base))) in self.by.iter().zip(of_dimensions).enumerate() {
            if shared.stays(column(chunk, *dimension)) {
                continue;
            }
            let texts = shared.texts();
            numbers.clear();
            numbers.extend(texts.iter().map(|text| groups.find(nth, text).unwrap_or(UNSEEN)));
            numbers.push(groups.find(nth, "").unwrap_or(UNSEEN));
            let new = numbers.iter().filter(|number| **number == UNSEEN).count();
            let needed = groups.known(nth) + new + 1;
            if needed > *base {
                *base = needed.next_power_of_two();
                grown = true;
            }
        }
        if grown {
            let combinations =
                self.bases.iter().take(self.by.len()).try_fold(1_usize, |all, base| all.checked_mul(*base));
            self.cells = combinations.filter(|count| *count <= DENSE).map(|count| vec![UNSEEN; count]);
        }
    }

    /// Replaces every cell that is not [`OUT`] by the cell of the row's group.
    fn place(&mut self, chunk: &Chunk, rows: &Range<usize>, cells: &mut [u32], groups: &mut impl Cells) {
        let Self { by, shared: _, numbers, bases, cells: dense, narrow, wide } = self;
        if by.is_empty() {
            return;
        }
        match dense {
            Some(dense) => {
                fold(
                    chunk,
                    by,
                    numbers,
                    |nth| bases.get(nth).map_or(0, |base| *base as u32),
                    rows,
                    cells,
                    groups,
                    narrow,
                );
                for (cell, key) in cells.iter_mut().zip(narrow) {
                    let Some(known) = dense.get_mut(*key as usize).filter(|_| *cell != OUT) else { continue };
                    if *known == UNSEEN {
                        *known = groups.cell(spread(*key as usize, by.len(), bases));
                    }
                    *cell = *known;
                }
            }
            None => {
                fold(chunk, by, numbers, |_| 1_u128 << 32, rows, cells, groups, wide);
                for (cell, key) in cells.iter_mut().zip(wide) {
                    if *cell != OUT {
                        *cell = groups.cell(*key);
                    }
                }
            }
        }
    }
}

/// Each row's numbers as one: digits, whose bases may differ. Those of rows that are [`OUT`] mean nothing.
#[expect(clippy::too_many_arguments, reason = "the parts of one borrowed structure, and what is the batch's")]
fn fold<K>(
    chunk: &Chunk,
    by: &[Dimension],
    numbers: &mut [Vec<u32>],
    base: impl Fn(usize) -> K,
    rows: &Range<usize>,
    cells: &[u32],
    groups: &mut impl Cells,
    keys: &mut Vec<K>,
) where
    K: Copy + From<u32> + std::ops::Mul<Output = K> + std::ops::Add<Output = K>,
{
    keys.clear();
    keys.resize(rows.len(), K::from(0));
    for (nth, (dimension, numbers)) in by.iter().zip(numbers).enumerate() {
        let base = base(nth);
        let column = column(chunk, *dimension);
        let texts = column.map(|column| column.values.as_slice()).unwrap_or_default();
        let mut number_of = |code: usize, cell: u32| {
            let code = code.min(texts.len());
            let Some(number) = numbers.get_mut(code) else { return 0 };
            if *number == UNSEEN {
                if cell == OUT {
                    return 0;
                }
                *number = groups.number(nth, texts.get(code).map_or("", |text| text));
            }
            *number
        };
        match column {
            Some(column) => {
                for ((key, code), cell) in keys.iter_mut().zip(part(&column.codes, rows)).zip(cells) {
                    *key = *key * base + K::from(number_of(*code as usize, *cell));
                }
            }
            None => {
                for (key, cell) in keys.iter_mut().zip(cells) {
                    *key = *key * base + K::from(number_of(usize::MAX, *cell));
                }
            }
        }
    }
}

/// A number of digits with these bases as a combination.
fn spread(mut key: usize, width: usize, bases: &[usize]) -> u128 {
    let mut spread = 0;
    for (nth, base) in bases.iter().take(width).rev().enumerate() {
        spread |= ((key % base) as u128) << (32 * nth);
        key /= base;
    }
    spread
}
