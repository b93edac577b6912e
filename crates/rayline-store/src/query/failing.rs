//! Which rows are of failed requests: those with a code, or with a status of 500 and more.

use std::ops::Range;

use super::scan::{Shared, column, part};
use crate::chunk::Chunk;
use crate::dimension::Dimension;

/// What of a chunk's dictionaries means failure.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    codes: Vec<bool>,
    statuses: Vec<bool>,
    shared: [Shared; 2],
    marks: Vec<bool>,
}

impl Failing {
    /// The rows that follow are of this chunk.
    pub(crate) fn begin(&mut self, chunk: &Chunk) {
        let [of_codes, of_statuses] = &mut self.shared;
        if !of_codes.stays(column(chunk, Dimension::Code)) {
            self.codes = of_codes.texts().iter().map(|code| !code.is_empty()).collect();
        }
        let is_error = |status: &str| status.parse().is_ok_and(|status: u16| status >= 500);
        if !of_statuses.stays(column(chunk, Dimension::EdgeStatus)) {
            self.statuses = of_statuses.texts().iter().map(|status| is_error(status)).collect();
        }
    }

    /// A mark for each of these rows: whether it is of failed requests.
    pub(crate) fn mark(&mut self, chunk: &Chunk, rows: &Range<usize>) -> &[bool] {
        self.marks.clear();
        self.marks.resize(rows.len(), false);
        for (dimension, failing) in [(Dimension::Code, &self.codes), (Dimension::EdgeStatus, &self.statuses)] {
            let Some(column) = column(chunk, dimension) else { continue };
            for (mark, code) in self.marks.iter_mut().zip(part(&column.codes, rows)) {
                *mark |= failing.get(*code as usize).copied().unwrap_or(false);
            }
        }
        &self.marks
    }
}
