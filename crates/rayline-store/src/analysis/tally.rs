//! Requests and failures by each value of many dimensions at once, each dimension for itself. Combinations are the query's.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::query::failing::Failing;
use crate::query::groups::Groups;
use crate::query::plan::{Piece, Plan};
use crate::query::scan::{Batch, OUT, Pass, Shared, Sink, column, part, scan};
use crate::query::{Filter, Query, QueryError, outcome};

/// How many values of a dimension are told apart; those that come later are not counted by themselves.
const MOST: usize = 200_000;

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) failed: u64,
}

/// What was seen of each value.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Of everything.
    pub(super) all: Seen,
    values: HashMap<Dimension, HashMap<Arc<str>, Seen, RandomState>, RandomState>,
}

impl Tally {
    /// Reads it; from counts where a dimension is rolled up, else from the requests kept.
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
        let plan = Plan::new(&Query { filters: filters.to_vec(), ..Query::new(span) });
        let counted = |dimension: &Dimension| plan.table != Table::Requests && dimension.is_rolled_up();
        let (rolled, kept): (Vec<Dimension>, Vec<Dimension>) = dimensions.iter().copied().partition(counted);
        let mut tally = Self::default();
        tally.add(
            source,
            &plan.pieces(source)?,
            filters,
            if plan.table == Table::Requests { &kept } else { &rolled },
        )?;
        if plan.table != Table::Requests && !kept.is_empty() {
            let mut of_requests = Self::default();
            of_requests.add(source, &[Piece { table: Table::Requests, span }], filters, &kept)?;
            tally.values.extend(of_requests.values);
        }
        Ok(tally)
    }

    fn add(
        &mut self,
        source: &dyn Source,
        pieces: &[Piece],
        filters: &[Filter],
        dimensions: &[Dimension],
    ) -> Result<(), QueryError> {
        let mut needed = dimensions.to_vec();
        needed.extend(filters.iter().map(|filter| filter.dimension).chain([Dimension::Code, Dimension::EdgeStatus]));
        needed.sort_unstable();
        needed.dedup();
        let wanted = Wanted { dimensions: needed, untimed: true, outcome: outcome(filters), ..Wanted::default() };
        let pass = Pass { wanted: &wanted, filters, step: None };
        let mut tallying = Tallying {
            tally: self,
            failing: Failing::default(),
            columns: dimensions.iter().map(|dimension| Codes::new(*dimension)).collect(),
            weights: Vec::new(),
            failed: Vec::new(),
        };
        scan(source, pieces, &pass, &mut Groups::new(&[]), &mut tallying)?;
        let Tallying { tally, columns, .. } = tallying;
        for mut codes in columns {
            let shared = std::mem::take(&mut codes.shared);
            codes.settle(shared.texts(), tally);
        }
        Ok(())
    }

    /// What was seen of a value.
    pub(super) fn of(&self, dimension: Dimension, value: &str) -> Seen {
        self.values.get(&dimension).and_then(|values| values.get(value)).copied().unwrap_or_default()
    }

    /// Every value of a dimension.
    pub(super) fn values(&self, dimension: Dimension) -> impl Iterator<Item = (&str, Seen)> {
        self.values.get(&dimension).into_iter().flatten().map(|(value, seen)| (&**value, *seen))
    }
}

struct Tallying<'a> {
    tally: &'a mut Tally,
    failing: Failing,
    columns: Vec<Codes>,
    /// Of the batch at hand: each row's weight, 0 if it is out; and the failed rows with theirs.
    weights: Vec<u64>,
    failed: Vec<(usize, u64)>,
}

/// One dimension's texts in the chunk at hand, and what was seen of each, in this chunk and in those before it that share
/// its texts.
struct Codes {
    dimension: Dimension,
    shared: Shared,
    seen: Vec<Seen>,
}

impl Codes {
    fn new(dimension: Dimension) -> Self {
        Self { dimension, shared: Shared::default(), seen: Vec::new() }
    }
}

impl Codes {
    /// Adds what was seen of codes to what was seen of their texts.
    fn settle(&mut self, texts: &[Arc<str>], tally: &mut Tally) {
        let values = tally.values.entry(self.dimension).or_default();
        for (text, seen) in texts.iter().zip(self.seen.drain(..)).filter(|(_, seen)| seen.requests > 0) {
            let is_full = values.len() >= MOST;
            let known = match values.get_mut(text) {
                Some(known) => known,
                None if is_full => continue,
                None => values.entry(Arc::clone(text)).or_default(),
            };
            known.requests = known.requests.saturating_add(seen.requests);
            known.failed = known.failed.saturating_add(seen.failed);
        }
    }
}

impl Sink for Tallying<'_> {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        self.failing.begin(chunk);
        for codes in &mut self.columns {
            let before = codes.shared.clone();
            if !codes.shared.stays(column(chunk, codes.dimension)) {
                codes.settle(before.texts(), self.tally);
                codes.seen.resize(codes.shared.texts().len(), Seen::default());
            }
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let marks = self.failing.mark(batch.chunk, &batch.rows);
        let weights = part(&batch.chunk.weight, &batch.rows);
        self.weights.clear();
        self.failed.clear();
        for (nth, ((cell, weight), failed)) in batch.cells.iter().zip(weights).zip(marks).enumerate() {
            let weight = if *cell == OUT { 0 } else { u64::from(*weight) };
            self.weights.push(weight);
            if *failed && weight > 0 {
                self.failed.push((nth, weight));
                self.tally.all.failed = self.tally.all.failed.saturating_add(weight);
            }
        }
        let all = self.weights.iter().fold(0_u64, |all, weight| all.saturating_add(*weight));
        self.tally.all.requests = self.tally.all.requests.saturating_add(all);
        for Codes { dimension, seen, .. } in &mut self.columns {
            let Some(column) = column(batch.chunk, *dimension) else { continue };
            let codes = part(&column.codes, &batch.rows);
            // many a dimension has one value all day long
            let only = codes.first().filter(|first| codes.iter().all(|code| code == *first));
            match only.and_then(|code| seen.get_mut(*code as usize)) {
                Some(seen) => seen.requests = seen.requests.saturating_add(all),
                None => {
                    for (weight, code) in self.weights.iter().zip(codes) {
                        if let Some(seen) = seen.get_mut(*code as usize) {
                            seen.requests = seen.requests.saturating_add(*weight);
                        }
                    }
                }
            }
            // few fail, so this loop is short
            for (nth, weight) in &self.failed {
                if let Some(seen) = codes.get(*nth).and_then(|code| seen.get_mut(*code as usize)) {
                    seen.failed = seen.failed.saturating_add(*weight);
                }
            }
        }
    }
}
