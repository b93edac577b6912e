//! Which tables a question is answered from. It reads no row.

use std::io;
use std::time::Duration;

use rayline_verdict::Moment;

use super::{Query, outcome};
use crate::chunk::{Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};

/// The dimensions of [`Table::Times`].
pub(crate) const TIMES: [Dimension; 5] =
    [Dimension::Zone, Dimension::Host, Dimension::Origin, Dimension::Phase, Dimension::Bucket];

const MINUTE: i64 = 60 * 1_000_000_000;
const HOUR: i64 = 60 * MINUTE;
/// From how many whole hours on it is worth reading two tables.
const HOURS_FROM: i64 = 3 * HOUR;

/// Equal lengths of time, whole multiples of it since 1970. Without steps: one that is as long as the span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    first: i64,
    length: i64,
    /// How many touch the span.
    pub(crate) count: usize,
}

impl Steps {
    pub(crate) fn new(span: Span, step: Duration) -> Self {
        let length = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX).max(1);
        let first = floor(span.from.0, length);
        let steps = (i128::from(span.to.0) - i128::from(first) - 1).div_euclid(i128::from(length)) + 1;
        Self { first, length, count: usize::try_from(steps).unwrap_or(usize::MAX) }
    }

    fn whole(span: Span) -> Self {
        Self { first: span.from.0, length: span.to.0.saturating_sub(span.from.0).max(1), count: 1 }
    }

    /// When a step begins.
    pub(crate) fn beginning(self, step: usize) -> Moment {
        let nth = i64::try_from(step).unwrap_or(i64::MAX);
        Moment(self.first.saturating_add(self.length.saturating_mul(nth)))
    }

    /// In which step a moment lies, and the bounds of that step.
    pub(crate) fn around(self, at: i64) -> (usize, i64, i64) {
        let nth = at.saturating_sub(self.first).div_euclid(self.length);
        let from = self.first.saturating_add(self.length.saturating_mul(nth));
        (usize::try_from(nth).unwrap_or(0), from, from.saturating_add(self.length))
    }
}

/// Rows to be read.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) table: Table,
    pub(crate) span: Span,
}

/// Where the counts come from, and where the quantiles.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The coarsest table that counts are read from.
    pub(crate) table: Table,
    /// The span covered.
    pub(crate) span: Span,
    pub(crate) steps: Steps,
    /// Whether the tables of times can give the quantiles of times.
    pub(crate) sketched: bool,
    /// Whether whole hours will do for the most part of the span.
    hourly: bool,
}

impl Plan {
    pub(crate) fn new(query: &Query) -> Self {
        let asked = || query.by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension));
        let times_only = asked().any(|dimension| matches!(dimension, Dimension::Phase | Dimension::Bucket));
        let step = query.step.map(|step| i64::try_from(step.as_nanos()).unwrap_or(i64::MAX));
        let minutely = step.is_none_or(|step| step % MINUTE == 0) && suits_minutes(query.span);
        let outwards =
            Span { from: Moment(floor(query.span.from.0, MINUTE)), to: Moment(ceiling(query.span.to.0, MINUTE)) };
        let hours = hours_within(outwards);
        let hourly = step.is_none_or(|step| step % HOUR == 0) && hours.to.0.saturating_sub(hours.from.0) >= HOURS_FROM;
        let table = match (times_only, hourly) {
            (true, true) => Table::HourlyTimes,
            (true, false) => Table::Times,
            (false, _) if !minutely || !asked().all(Dimension::is_rolled_up) => Table::Requests,
            (false, true) => Table::Hours,
            (false, false) => Table::Minutes,
        };
        let span = if table == Table::Requests { query.span } else { outwards };
        let steps = query.step.map_or_else(|| Steps::whole(span), |step| Steps::new(span, step));
        let sketched = table != Table::Requests && asked().all(|dimension| TIMES.contains(&dimension));
        Self { table, span, steps, sketched, hourly }
    }

    /// The columns that counting takes.
    pub(crate) fn wanted(&self, query: &Query) -> Wanted {
        match self.table {
            Table::Times | Table::HourlyTimes => Wanted { dimensions: asked(query, &[]), ..Wanted::default() },
            Table::Requests | Table::Minutes | Table::Hours => Wanted {
                dimensions: asked(query, &[Dimension::Code, Dimension::EdgeStatus]),
                numbers: vec![Number::ResponseBytes],
                outcome: outcome(&query.filters),
                ..Wanted::default()
            },
        }
    }

    /// Where the rows are that counting takes.
    pub(crate) fn pieces(&self, source: &dyn Source) -> io::Result<Vec<Piece>> {
        pieces(source, self.table, self.span)
    }

    /// Where the rows are that quantiles of times take, if they are sketched.
    pub(crate) fn pieces_of_times(&self, source: &dyn Source) -> io::Result<Vec<Piece>> {
        pieces(source, if self.hourly { Table::HourlyTimes } else { Table::Times }, self.span)
    }
}

/// The rows of a span. Of hours: the whole ones as far as they have been summed up, and the minutes before and after them.
fn pieces(source: &dyn Source, table: Table, span: Span) -> io::Result<Vec<Piece>> {
    let Some(by_minute) = table.by_minute() else { return Ok(vec![Piece { table, span }]) };
    let whole = hours_within(span);
    let mut end = whole.from;
    // The newest are enough to see how far they reach, and most often they are there.
    let mut length = HOURS_FROM;
    let mut until = whole.to;
    while end == whole.from && whole.from < until {
        let from = Moment(until.0.saturating_sub(length)).max(whole.from);
        let newest = Span { from, to: until };
        source.visit(table, newest, &Wanted::default(), &mut |chunk| {
            let newest = chunk.at.iter().filter(|at| newest.contains(Moment(**at))).max();
            end = newest.map_or(end, |at| end.max(Moment(at.saturating_add(HOUR))));
            Ok(())
        })?;
        (until, length) = (from, length.saturating_mul(8));
    }
    let pieces = [
        Piece { table: by_minute, span: Span { from: span.from, to: whole.from } },
        Piece { table, span: Span { from: whole.from, to: end } },
        Piece { table: by_minute, span: Span { from: end, to: span.to } },
    ];
    Ok(pieces.into_iter().filter(|piece| piece.span.from < piece.span.to).collect())
}

/// What is filtered and grouped by, and what else is needed, each once.
pub(crate) fn asked(query: &Query, needed: &[Dimension]) -> Vec<Dimension> {
    let filtered = query.filters.iter().map(|filter| filter.dimension);
    let mut dimensions: Vec<Dimension> =
        query.by.iter().copied().chain(filtered).chain(needed.iter().copied()).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    dimensions
}

/// Counts by minute know no parts of minutes: a short span that does not consist of whole ones is asked of the requests.
fn suits_minutes(span: Span) -> bool {
    const SHORT: i64 = 5 * MINUTE;
    let whole = span.from.0.rem_euclid(MINUTE) == 0 && span.to.0.rem_euclid(MINUTE) == 0;
    whole || span.to.0.saturating_sub(span.from.0) >= SHORT
}

fn hours_within(span: Span) -> Span {
    let from = ceiling(span.from.0, HOUR);
    Span { from: Moment(from), to: Moment(floor(span.to.0, HOUR).max(from)) }
}

fn floor(at: i64, unit: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(unit))
}

fn ceiling(at: i64, unit: i64) -> i64 {
    match at.rem_euclid(unit) {
        0 => at,
        over => at.saturating_add(unit - over),
    }
}
