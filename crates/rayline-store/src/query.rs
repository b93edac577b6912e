//! What can be asked, and what is answered. It says nothing of HTTP: whoever serves it translates.
//!
//! [`run`] is the data path: what is asked is checked, the tables to read are chosen, their rows are counted by group, the
//! foremost groups are taken, and what was asked of these in particular (steps, quantiles) is read in further passes over
//! the same rows. No text is touched per row: filters and groups are looked up once per text of a chunk's dictionary.

mod check;
mod count;
pub(crate) mod failing;
mod first;
pub(crate) mod groups;
mod measure;
mod pairs;
pub(crate) mod plan;
mod rows;
pub(crate) mod scan;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use rayline_verdict::Moment;

use crate::chunk::{Outcome, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};
use count::{Count, Counting};
use groups::Groups;
use plan::Plan;
use scan::Pass;

pub use first::first_seen;
pub(crate) use rows::matches;
pub use rows::{Row, rows};

/// Which requests, and how they are to be summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// When.
    pub span: Span,
    /// What all of them must be.
    pub filters: Vec<Filter>,
    /// One group per combination of values of these; none: one group of all.
    pub by: Vec<Dimension>,
    /// One group per so much time too, whole multiples of it since 1970.
    pub step: Option<Duration>,
    /// How many groups at most: those with the most failed requests, then with the most requests. The others are summed up
    /// in [`Answer::others`]. 0: all, up to 10,000; fewer if there would be more than a million groups with all steps.
    pub top: usize,
    /// Of which numbers quantiles are wanted, and which: from 0 to 1.
    pub quantiles: Vec<(Number, f64)>,
}

/// What the values of one dimension must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of which.
    pub dimension: Dimension,
    /// How they are compared.
    pub matching: Matching,
    /// Any of these will do.
    pub values: Vec<String>,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `=`
    Is,
    /// `!=`: none of them.
    IsNot,
    /// `^=`
    StartsWith,
    /// `*=`
    Contains,
}

/// Requests summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    /// How many; an estimate if successes were sampled.
    pub requests: f64,
    /// The standard error of `requests`; 0 where they are counted exactly.
    pub error: f64,
    /// Those with a verdict or a status of 500 and more: always exact.
    pub failed: u64,
    /// Bytes sent to visitors, estimated in the same way.
    pub bytes: f64,
    /// As asked for in [`Query::quantiles`], in their order; `None` where nothing was measured.
    pub quantiles: Vec<Option<f64>>,
}

/// The requests of one combination of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The values, in the order of [`Query::by`].
    pub key: Vec<String>,
    /// The beginning of the step, if steps were asked for.
    pub at: Option<Moment>,
    /// Their sum.
    pub sum: Sum,
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Where there are steps: in the order of time, then of the failed; else in the order of the failed, then the requests.
    /// A group without a request, in a step or at all, is left out.
    pub groups: Vec<Group>,
    /// What lies beyond [`Query::top`].
    pub others: Option<Sum>,
    /// All together.
    pub total: Sum,
    /// Where it was counted. Quantiles may come from another table.
    pub table: Table,
    /// What it covers: the span asked for, rounded outwards to whole minutes where counts by minute were read.
    pub span: Span,
    /// Rows that were looked at.
    pub rows: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum QueryError {
    /// The question makes no sense: what and why, as one sentence.
    Invalid(String),
    /// The store's files could not be read.
    Unreadable(std::io::Error),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => f.write_str(why),
            Self::Unreadable(why) => write!(f, "the store cannot be read: {why}"),
        }
    }
}

impl Error for QueryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(_) => None,
            Self::Unreadable(why) => Some(why),
        }
    }
}

/// How all requests that pass these filters have ended: only failed ones have a code.
pub(crate) fn outcome(filters: &[Filter]) -> Outcome {
    let wants_code = |filter: &Filter| filter.dimension == Dimension::Code && !scan::passes(filter, "");
    if filters.iter().any(wants_code) { Outcome::Failed } else { Outcome::Any }
}

impl From<std::io::Error> for QueryError {
    fn from(why: std::io::Error) -> Self {
        Self::Unreadable(why)
    }
}

/// Asks.
///
/// Counts come from [`Table::Hours`] and [`Table::Minutes`] where everything asked for is kept by them, else from
/// [`Table::Requests`], whose sampled successes make them estimates. Quantiles of times come from [`Table::HourlyTimes`] and
/// [`Table::Times`] where these know every dimension asked for, else from the requests kept, by their weight; there a time of
/// 0 was not measured.
///
/// # Errors
///
/// If the question makes no sense or is too large, or the source cannot be read.
pub fn run(source: &dyn Source, query: &Query) -> Result<Answer, QueryError> {
    check::check(query)?;
    let plan = Plan::new(query);
    let mut groups = Groups::new(&query.by);
    let pieces = plan.pieces(source)?;
    let wanted = Wanted { untimed: true, ..plan.wanted(query) };

    let mut counting = Counting::new(1);
    let pass = Pass { wanted: &wanted, filters: &query.filters, step: None };
    let mut rows = scan::scan(source, &pieces, &pass, &mut groups, &mut counting)?;
    let ranking = groups.rank(counting.cells(), limit(query, plan.steps));

    let mut cells = ranking.choose(counting.cells());
    if query.step.is_some() {
        let mut counting = Counting::new(plan.steps.count);
        let wanted = Wanted { untimed: false, ..wanted.clone() };
        let pass = Pass { wanted: &wanted, step: Some(plan.steps), ..pass };
        rows += scan::scan(source, &pieces, &pass, &mut groups.chosen(&ranking), &mut counting)?;
        cells = counting.into_cells();
    }

    let quantiles = measure::measure(source, query, &plan, &mut groups.chosen(&ranking))?;
    rows += quantiles.rows();
    let sum = |cell: usize, count: &Count| count.to_sum(quantiles.of_cell(cell));

    let steps = plan.steps.count.max(1);
    let mut found = Vec::new();
    for (place, key) in groups.keys(&ranking).into_iter().enumerate() {
        for step in 0..steps {
            let cell = (place + 1) * steps + step;
            if let Some(count) = cells.get(cell).filter(|count| count.requests > 0) {
                let at = query.step.map(|_| plan.steps.beginning(step));
                found.push(Group { key: key.clone(), at, sum: sum(cell, count) });
            }
        }
    }
    found.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| order(&a.sum, &b.sum)).then_with(|| a.key.cmp(&b.key)));

    let others: Count = cells.iter().take(steps).sum();
    Ok(Answer {
        groups: found,
        others: (others.requests > 0).then(|| others.to_sum(quantiles.of_others())),
        total: cells.iter().sum::<Count>().to_sum(quantiles.of_all()),
        table: plan.table,
        span: plan.span,
        rows,
    })
}

/// The most failed first, then the most asked for.
fn order(a: &Sum, b: &Sum) -> std::cmp::Ordering {
    b.failed.cmp(&a.failed).then_with(|| b.requests.total_cmp(&a.requests))
}

/// How many groups are told apart.
fn limit(query: &Query, steps: plan::Steps) -> usize {
    const GROUPS: usize = 10_000;
    const CELLS: usize = 1_000_000;
    let asked = if query.top == 0 { GROUPS } else { query.top.min(GROUPS) };
    asked.min(CELLS / steps.count.max(1))
}
