//! What can be asked, and what is answered. It says nothing of HTTP: whoever serves it translates.

use std::time::Duration;

use rayline_verdict::Moment;

use crate::chunk::{Span, Table};
use crate::dimension::{Dimension, Number};

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
    /// in [`Answer::others`]. 0: all, up to 10,000.
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
    pub groups: Vec<Group>,
    /// What lies beyond [`Query::top`].
    pub others: Option<Sum>,
    /// All together.
    pub total: Sum,
    /// Where it was read.
    pub table: Table,
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
