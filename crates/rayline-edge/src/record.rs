//! The open record of a request in progress: it closes exactly once, whatever becomes of the request.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::time::Instant;

use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::ReplyCause;
use rayline_verdict::{Attempt, Fault, Moment, Outcome, Record, attribute};

use crate::worker::Worker;

/// A record that is still being written. Dropping it closes it: a request whose future is dropped was given up by
/// its visitor, by a panic of ours, or by the end of the drain time.
pub(crate) struct OpenRecord {
    /// `None` once closed. In a box, for it is handed from phase to phase.
    record: Option<Box<Record>>,
    started: Instant,
    worker: Rc<Worker>,
}

impl std::fmt::Debug for OpenRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenRecord").field("record", &self.record).finish_non_exhaustive()
    }
}

impl OpenRecord {
    /// Opens a record for a request that began at `started`.
    pub(crate) fn new(record: Record, started: Instant, worker: Rc<Worker>) -> Self {
        Self { record: Some(Box::new(record)), started, worker }
    }

    /// When the request began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Milliseconds since the request began.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Closes with what stands in it. When that was.
    pub(crate) fn close(mut self) -> Instant {
        self.finish()
    }

    /// Closes with a verdict on `fault`, unless an earlier fault has been judged: the first one is the cause, what
    /// follows are its consequences.
    pub(crate) fn close_with(mut self, fault: Fault) {
        self.judge(fault);
        self.finish();
    }

    /// Writes the verdict on `fault` into it, unless there is one already.
    pub(crate) fn judge(&mut self, fault: Fault) {
        let elapsed = self.elapsed_ms();
        if let Some(record) = &mut self.record
            && record.verdict.is_none()
        {
            let attempts = answered(record).into_iter().collect();
            record.verdict = Some(Box::new(attribute(fault.with(Fact::Elapsed(elapsed)), attempts)));
        }
    }

    fn finish(&mut self) -> Instant {
        let now = Instant::now();
        if let Some(mut record) = self.record.take() {
            let took = now.saturating_duration_since(self.started);
            let nanoseconds = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
            record.end = Moment(record.start.0.saturating_add(nanoseconds));
            self.worker.keep(&record);
        }
        now
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        if self.record.is_none() {
            return;
        }
        let fault = if std::thread::panicking() {
            Fault::new(ReplyCause::Unclassified).with(Fact::Internal("panicked while serving the request".to_owned()))
        } else if self.worker.is_aborting() {
            Fault::new(ReplyCause::Shutdown)
        } else {
            self.worker.given_up().unwrap_or_else(|| Fault::new(ReplyCause::Gone))
        };
        self.judge(fault);
        self.finish();
    }
}

/// The attempt that had answered by the time something went wrong behind its head.
fn answered(record: &Record) -> Option<Attempt> {
    let origin = record.origin.as_ref().filter(|origin| origin.status != 0)?;
    let outcome = Outcome::Answered(origin.status);
    Some(Attempt { address: origin.address?, reused: origin.reused, outcome, took_ms: origin.response_us / 1000 })
}

/// A closed record is gone together with its `OpenRecord`.
impl Deref for OpenRecord {
    type Target = Record;

    #[expect(clippy::expect_used, reason = "only `close`, `close_with` and `drop` take the record, and each ends self")]
    fn deref(&self) -> &Record {
        self.record.as_ref().expect("the record of a live OpenRecord")
    }
}

impl DerefMut for OpenRecord {
    #[expect(clippy::expect_used, reason = "only `close`, `close_with` and `drop` take the record, and each ends self")]
    fn deref_mut(&mut self) -> &mut Record {
        self.record.as_mut().expect("the record of a live OpenRecord")
    }
}
