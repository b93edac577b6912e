//! Requests themselves, for lists and for a request's neighbours. It sums nothing up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use super::scan::passes;
use super::{Filter, QueryError, outcome};
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::Dimension;

/// How many rows at most, whatever is asked for.
const MOST: usize = 10_000;
/// Requests less than so far apart are fetched together.
const NEAR: i64 = 60 * 1_000_000_000;
/// How far back is looked first; then in steps that are longer each time, so that few of them make up a long span.
const LATELY: i64 = 10 * 60 * 1_000_000_000;
const LONGER: i64 = 4;

/// A request that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub ray: RayId,
    /// When it began.
    pub at: Moment,
    /// For how many it stands.
    pub weight: u32,
    /// Its line in the request log, masked as the store was told to, without the newline.
    pub line: Bytes,
}

/// The newest requests of a span that pass the filters, the newest first: `limit` of them, and never more than 10,000.
///
/// # Errors
///
/// If the span ends before it begins, or the source cannot be read.
pub fn rows(source: &dyn Source, span: Span, filters: &[Filter], limit: usize) -> Result<Vec<Row>, QueryError> {
    if span.to <= span.from {
        return Err(QueryError::Invalid("the span ends before it begins: `from` must be earlier than `to`".to_owned()));
    }
    let limit = limit.min(MOST);
    let mut dimensions: Vec<Dimension> = filters.iter().map(|filter| filter.dimension).collect();
    dimensions.sort_unstable();
    dimensions.dedup();

    // lines are long: which requests are wanted is found without them
    let wanted = Wanted { dimensions, outcome: outcome(filters), ..Wanted::default() };
    let newest = newest(source, span, filters, limit, &wanted)?;

    let wanted = Wanted { rays: true, lines: true, ..wanted };
    let mut rows = Vec::with_capacity(newest.len());
    for cluster in clusters(&newest) {
        source.visit(Table::Requests, cluster, &wanted, &mut |chunk| {
            rows.extend(matches(&chunk, cluster, filters).filter_map(|nth| row(&chunk, nth)));
            Ok(())
        })?;
    }
    rows.sort_by_key(|row| (Reverse(row.at), row.ray.0));
    rows.truncate(limit);
    Ok(rows)
}

/// The moments of the newest that match, in the order of time. What is older than enough of them is not read.
fn newest(source: &dyn Source, span: Span, filters: &[Filter], limit: usize, wanted: &Wanted) -> io::Result<Vec<i64>> {
    let mut newest = BinaryHeap::with_capacity(limit + 1);
    let (mut until, mut length) = (span.to, LATELY);
    while newest.len() < limit && span.from < until {
        let part = Span { from: Moment(until.0.saturating_sub(length)).max(span.from), to: until };
        source.visit(Table::Requests, part, wanted, &mut |chunk| {
            for nth in matches(&chunk, part, filters) {
                let Some(at) = chunk.at.get(nth) else { continue };
                newest.push(Reverse(*at));
                if newest.len() > limit {
                    newest.pop();
                }
            }
            Ok(())
        })?;
        (until, length) = (part.from, length.saturating_mul(LONGER));
    }
    let mut newest: Vec<i64> = newest.into_iter().map(|Reverse(at)| at).collect();
    newest.sort_unstable();
    Ok(newest)
}

/// Spans that hold all of these moments and little between them.
fn clusters(moments: &[i64]) -> Vec<Span> {
    let near = |a: &i64, b: &i64| b.saturating_sub(*a) < NEAR;
    let ends = moments.chunk_by(near).filter_map(|cluster| Some((*cluster.first()?, *cluster.last()?)));
    ends.map(|(from, last)| Span { from: Moment(from), to: Moment(last.saturating_add(1)) }).collect()
}

/// Which rows lie in the span and pass the filters.
pub(crate) fn matches(chunk: &Chunk, span: Span, filters: &[Filter]) -> impl Iterator<Item = usize> {
    let columns = filters.iter().map(|filter| {
        let column = super::scan::column(chunk, filter.dimension);
        let texts = column.map(|column| column.values.iter().map(|text| passes(filter, text)).collect::<Vec<bool>>());
        (column, texts.unwrap_or_default(), passes(filter, ""))
    });
    let columns: Vec<_> = columns.collect();
    let in_span = chunk.at.iter().enumerate().filter(move |(_, at)| span.contains(Moment(**at)));
    in_span.map(|(nth, _)| nth).filter(move |nth| {
        columns.iter().all(|(column, texts, empty)| {
            let code = column.and_then(|column| column.codes.get(*nth));
            code.and_then(|code| texts.get(*code as usize)).copied().unwrap_or(*empty)
        })
    })
}

fn row(chunk: &Chunk, nth: usize) -> Option<Row> {
    Some(Row {
        ray: chunk.rays.get(nth).copied()?,
        at: Moment(*chunk.at.get(nth)?),
        weight: chunk.weight.get(nth).copied()?,
        line: chunk.lines.get(nth).cloned()?,
    })
}
