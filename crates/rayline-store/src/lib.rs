//! The analytics store: every failed request whole, successes sampled, counts by minute and hour, and what can be asked
//! of them.
//!
//! A lane of the edge counts every request in an [`Intake`] and hands over the lines that are kept; the store's own thread
//! journals them, gathers them in [`Chunk`]s and seals these into Parquet files. A [`Query`] is answered from chunks alone,
//! so it is the same whether they are in memory or in files. It knows neither the edge, nor the configuration, nor HTTP.

pub mod analysis;
mod cache;
mod chunk;
mod dimension;
mod export;
pub mod generate;
mod intake;
mod journal;
#[cfg(test)]
mod memory;
mod query;
mod row;
#[cfg(test)]
mod samples;
mod segment;
mod shelf;
mod store;
mod writer;

pub use chunk::{Chunk, Column, Outcome, Shared, Source, Span, Table, Wanted};
pub use dimension::{Dimension, Number};
pub use export::{Format, export};
pub use intake::{Intake, Take};
pub use query::{Answer, Filter, Group, Matching, Query, QueryError, Row, Sum, first_seen, rows, run};
pub use shelf::{Shelf, Trimmed};
pub use store::{Health, Options, Store};
