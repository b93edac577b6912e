//! Rows summed up by cell.

use std::iter::Sum as Total;
use std::ops::AddAssign;

use super::Sum;
use super::failing::Failing;
use super::scan::{Batch, OUT, Sink, part};
use crate::chunk::{Chunk, Table};
use crate::dimension::Number;

/// What is counted of a cell. Sums that would not fit stay at the largest number there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) requests: u64,
    /// The estimated variance of `requests`: one of `w` was kept, so a row that stands for `w` adds `w * (w - 1)`.
    variance: u64,
    pub(super) failed: u64,
    bytes: u64,
}

impl Count {
    pub(super) fn to_sum(self, quantiles: Vec<Option<f64>>) -> Sum {
        Sum {
            requests: self.requests as f64,
            error: (self.variance as f64).sqrt(),
            failed: self.failed,
            bytes: self.bytes as f64,
            quantiles,
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.variance = self.variance.saturating_add(other.variance);
        self.failed = self.failed.saturating_add(other.failed);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl<'a> Total<&'a Self> for Count {
    fn sum<I: Iterator<Item = &'a Self>>(counts: I) -> Self {
        let mut all = Self::default();
        for count in counts {
            all += *count;
        }
        all
    }
}

/// Counts rows by cell and step: the steps of one cell lie side by side.
pub(super) struct Counting {
    steps: usize,
    cells: Vec<Count>,
    failing: Failing,
    /// Whether a row's numbers are those of one request, to be multiplied by its weight, and not sums.
    sampled: bool,
    none: Vec<u64>,
}

impl Counting {
    pub(super) fn new(steps: usize) -> Self {
        Self { steps, cells: Vec::new(), failing: Failing::default(), sampled: false, none: Vec::new() }
    }

    pub(super) fn cells(&self) -> &[Count] {
        &self.cells
    }

    pub(super) fn into_cells(self) -> Vec<Count> {
        self.cells
    }
}

impl Sink for Counting {
    fn begin(&mut self, chunk: &Chunk, table: Table) {
        self.sampled = table == Table::Requests;
        self.failing.begin(chunk);
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let Batch { chunk, rows, step, cells } = batch;
        let bytes = chunk.numbers.get(Number::ResponseBytes.index()).and_then(Option::as_ref);
        let bytes = match bytes.map(|bytes| part(bytes, rows)) {
            Some(bytes) if bytes.len() == rows.len() => bytes,
            Some(_) | None => {
                self.none.clear();
                self.none.resize(rows.len(), 0);
                &self.none
            }
        };
        let weights = part(&chunk.weight, rows);
        let failed = self.failing.mark(chunk, rows);
        for (((cell, weight), failed), bytes) in cells.iter().zip(weights).zip(failed).zip(bytes) {
            if *cell == OUT {
                continue;
            }
            let place = (*cell as usize).saturating_mul(self.steps) + step;
            if place >= self.cells.len() {
                self.cells.resize(place + 1, Count::default());
            }
            let weight = u64::from(*weight);
            let count = Count {
                requests: weight,
                variance: if self.sampled { weight * weight.saturating_sub(1) } else { 0 },
                failed: if *failed { weight } else { 0 },
                bytes: if self.sampled { bytes.saturating_mul(weight) } else { *bytes },
            };
            if let Some(cell) = self.cells.get_mut(place) {
                *cell += count;
            }
        }
    }
}
