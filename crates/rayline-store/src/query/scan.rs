//! The pass over rows: which of them count, and for which cell. It adds nothing up; a [`Sink`] does.
//!
//! Rows go by in batches, and each batch column by column, so that every loop is over plain numbers side by side.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::groups::{Cells, WIDTH};
use super::plan::{Piece, Steps};
use super::{Filter, Matching};
use crate::chunk::{Chunk, Column, Source, Span, Table, Wanted};
use crate::dimension::Dimension;

/// How many rows go by at once: their cells and keys stay in the nearest cache.
const BATCH: usize = 4096;
/// The cell of rows that a filter has kept out.
pub(super) const OUT: u32 = u32::MAX;
/// A combination of codes whose cell has not been asked for yet.
const UNSEEN: u32 = u32::MAX;

/// What is the same for every row of a pass.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    /// At least what is filtered and grouped by, and what the sink reads.
    pub(super) wanted: &'a Wanted,
    pub(super) filters: &'a [Filter],
    /// `None`: all rows are in step 0.
    pub(super) step: Option<Steps>,
}

/// Rows side by side in one step of time.
pub(super) struct Batch<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) rows: Range<usize>,
    pub(super) step: usize,
    /// For every row its cell, or [`OUT`].
    pub(super) cells: &'a [u32],
}

/// Where rows go.
pub(super) trait Sink {
    /// The rows that follow are of this chunk.
    fn begin(&mut self, chunk: &Chunk, table: Table);
    fn take(&mut self, batch: &Batch<'_>);
}

/// Passes every row that lies in its piece's span and through the filters. Returns how many lay in the spans.
pub(super) fn scan(
    source: &dyn Source,
    pieces: &[Piece],
    pass: &Pass<'_>,
    groups: &mut impl Cells,
    sink: &mut impl Sink,
) -> io::Result<u64> {
    let mut looked_at = 0;
    let mut cells = vec![OUT; BATCH];
    let mut keying = Keying::default();
    for piece in pieces {
        source.visit(piece.table, piece.span, pass.wanted, &mut |chunk| {
            let Some(masks) = masks(&chunk, pass.filters) else { return Ok(()) };
            keying.begin(&chunk, groups.by());
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

/// Rows in the span, one beside the other in the same step. It relies on no order, but is fast because there is one.
fn runs(chunk: &Chunk, span: Span, steps: Option<Steps>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let (from, to) = (span.from.0, span.to.0);
    let at = chunk.at.as_slice();
    let mut next = 0;
    std::iter::from_fn(move || {
        let rest = at.get(next..)?;
        let start = next + rest.iter().position(|at| from <= *at && *at < to)?;
        let first = *at.get(start)?;
        let (step, low, high) = steps.map_or((0, from, to), |steps| steps.around(first));
        let (low, high) = (low.max(from), high.min(to));
        let run = at.get(start..)?;
        next = start + run.iter().position(|at| *at < low || *at >= high).unwrap_or(run.len());
        Some((step, start..next))
    })
}

fn batches(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    rows.clone().step_by(BATCH).map(move |start| start..(start + BATCH).min(rows.end))
}

/// A column's codes of some rows; empty if it is shorter than the chunk.
pub(super) fn part<'a, T>(column: &'a [T], rows: &Range<usize>) -> &'a [T] {
    column.get(rows.clone()).unwrap_or_default()
}

/// Which codes of a column a filter lets pass.
struct Mask<'a> {
    column: &'a Column,
    passes: Vec<bool>,
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

/// The filters as seen by one chunk; `None` if none of its rows passes.
fn masks<'a>(chunk: &'a Chunk, filters: &[Filter]) -> Option<Vec<Mask<'a>>> {
    let mut masks = Vec::with_capacity(filters.len());
    for filter in filters {
        let empty = passes(filter, "");
        match column(chunk, filter.dimension) {
            None if empty => {}
            None => return None,
            Some(column) => {
                let passes: Vec<bool> = column.values.iter().map(|value| passes(filter, value)).collect();
                if !empty && !passes.contains(&true) {
                    return None;
                }
                masks.push(Mask { column, passes, empty });
            }
        }
    }
    Some(masks)
}

/// Whether a value passes a filter.
pub(super) fn passes(filter: &Filter, value: &str) -> bool {
    let mut wanted = filter.values.iter();
    match filter.matching {
        Matching::Is => wanted.any(|wanted| wanted == value),
        Matching::IsNot => wanted.all(|wanted| wanted != value),
        Matching::StartsWith => wanted.any(|wanted| value.starts_with(wanted.as_str())),
        Matching::Contains => wanted.any(|wanted| value.contains(wanted.as_str())),
    }
}

/// The column of a dimension, if the chunk has it.
pub(super) fn column(chunk: &Chunk, dimension: Dimension) -> Option<&Column> {
    chunk.columns.get(dimension.index())?.as_ref()
}

/// From the codes of one chunk's columns to cells. A combination's cell is asked for once per chunk.
#[derive(Default)]
struct Keying {
    by: Vec<Dimension>,
    /// The texts' numbers in the groups, where they are known already.
    texts: [Vec<Option<Option<u32>>>; WIDTH],
    slots: Slots,
    narrow: Vec<u64>,
    wide: Vec<u128>,
}

/// Cells by combination of codes: a plain array where there cannot be many, else a hash table.
enum Slots {
    Dense(Vec<u32>),
    Sparse(HashMap<u128, u32, RandomState>),
}

impl Default for Slots {
    fn default() -> Self {
        Self::Dense(Vec::new())
    }
}

impl Keying {
    fn begin(&mut self, chunk: &Chunk, by: &[Dimension]) {
        by.clone_into(&mut self.by);
        let mut combinations = 1_u128;
        for (texts, dimension) in self.texts.iter_mut().zip(by) {
            texts.clear();
            // one more than there are texts: codes that the dictionary does not know
            texts.resize(column(chunk, *dimension).map_or(0, |column| column.values.len()) + 1, None);
            combinations = combinations.saturating_mul(texts.len() as u128);
        }
        let worthwhile = chunk.len().saturating_mul(2).max(BATCH);
        let room = usize::try_from(combinations).ok().filter(|room| *room <= worthwhile);
        match (room, &mut self.slots) {
            (Some(room), Slots::Dense(slots)) => {
                slots.clear();
                slots.resize(room, UNSEEN);
            }
            (Some(room), slots @ Slots::Sparse(_)) => *slots = Slots::Dense(vec![UNSEEN; room]),
            (None, Slots::Sparse(slots)) => slots.clear(),
            (None, slots @ Slots::Dense(_)) => *slots = Slots::Sparse(HashMap::default()),
        }
    }

    /// Replaces every cell that is not [`OUT`] by the cell of the row's group.
    fn place(&mut self, chunk: &Chunk, rows: &Range<usize>, cells: &mut [u32], groups: &mut impl Cells) {
        if self.by.is_empty() {
            return;
        }
        let Self { by, texts, slots, narrow, wide } = self;
        match slots {
            Slots::Dense(slots) => {
                fold(chunk, by, texts, rows, narrow);
                for (cell, key) in cells.iter_mut().zip(narrow) {
                    if *cell == OUT {
                        continue;
                    }
                    let Some(slot) = usize::try_from(*key).ok().and_then(|key| slots.get_mut(key)) else { continue };
                    if *slot == UNSEEN {
                        *slot = resolve(chunk, by, texts, u128::from(*key), groups);
                    }
                    *cell = *slot;
                }
            }
            Slots::Sparse(slots) => {
                fold(chunk, by, texts, rows, wide);
                for (cell, key) in cells.iter_mut().zip(wide) {
                    if *cell != OUT {
                        *cell = *slots.entry(*key).or_insert_with(|| resolve(chunk, by, texts, *key, groups));
                    }
                }
            }
        }
    }
}

/// A row's codes as one number: digits of a number whose digits have different bases.
fn fold<K>(chunk: &Chunk, by: &[Dimension], texts: &[Vec<Option<Option<u32>>>], rows: &Range<usize>, keys: &mut Vec<K>)
where
    K: Copy + From<u32> + std::ops::Mul<Output = K> + std::ops::Add<Output = K>,
{
    keys.clear();
    keys.resize(rows.len(), K::from(0));
    for (dimension, texts) in by.iter().zip(texts) {
        let unknown = u32::try_from(texts.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let base = K::from(unknown) + K::from(1);
        match column(chunk, *dimension) {
            None => {}
            Some(column) => {
                for (key, code) in keys.iter_mut().zip(part(&column.codes, rows)) {
                    *key = *key * base + K::from((*code).min(unknown));
                }
            }
        }
    }
}

/// The cell of a combination of codes.
fn resolve(
    chunk: &Chunk,
    by: &[Dimension],
    texts: &mut [Vec<Option<Option<u32>>>],
    mut key: u128,
    groups: &mut impl Cells,
) -> u32 {
    let mut numbers = [None; WIDTH];
    for (nth, ((dimension, texts), number)) in by.iter().zip(texts).zip(&mut numbers).enumerate().rev() {
        let base = texts.len() as u128;
        let code = usize::try_from(key % base.max(1)).unwrap_or_default();
        key /= base.max(1);
        let Some(known) = texts.get_mut(code) else { continue };
        *number = *known.get_or_insert_with(|| {
            let text = column(chunk, *dimension).and_then(|column| column.values.get(code)).map_or("", |text| &**text);
            groups.text(nth, text)
        });
    }
    groups.cell(numbers)
}
