//! One edge worker's way to hand over its records: it makes their lines and counts them, while they are at hand.
//!
//! What is made gathers in a [`Load`] that worker and writer pass to and fro. Either takes it out of a slot by one atomic
//! exchange and puts it back by another, so that neither ever waits for the other, and no record crosses a thread.

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use bytes::Bytes;
use crossbeam_utils::atomic::AtomicCell;
use rayline_store::{Intake, Take};
use rayline_verdict::{Record, log_line};

use crate::metrics::{Metrics, Tally};
use crate::request_log::Batch;
use crate::tail::Tails;

/// Bytes of lines that are gathered before the next ones get a batch of their own: what is written at once.
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

/// Emptied batches that a load keeps for later: those of 50 ms of eighty thousand requests a second. A burst of more must
/// not hold its memory for ever.
const SPARES: usize = 64;

/// The sending end of one worker's records.
pub struct Lane {
    slots: Arc<Slots>,
    metrics: Arc<Metrics>,
    tails: Arc<Tails>,
    /// Lines are wanted by the log, and not only by who follows along.
    logged: bool,
    /// Says what the store keeps; `None` without one.
    intake: Option<Intake>,
    /// Records that a load holds.
    capacity: usize,
    writer: Thread,
}

/// Where loads lie while nobody works on them. There are two at most: one fills while the other is emptied.
#[derive(Default)]
pub(crate) struct Slots {
    filled: AtomicCell<Option<Box<Load>>>,
    emptied: AtomicCell<Option<Box<Load>>>,
}

impl Slots {
    /// What the worker has made since the last look; nothing too while it is at work on it.
    pub(crate) fn take(&self) -> Option<Box<Load>> {
        self.filled.take()
    }

    /// Gives a load back, emptied.
    pub(crate) fn give_back(&self, load: Box<Load>) {
        self.emptied.store(Some(load));
    }

    /// The load that the worker would fill next, if it is not at work on one.
    pub(crate) fn take_emptied(&self) -> Option<Box<Load>> {
        self.emptied.take()
    }
}

/// What came of some records: their lines, what they add to the metrics, and what the store keeps of them.
pub(crate) struct Load {
    lines: Lines,
    records: usize,
    tally: Tally,
    take: Option<Take>,
}

/// Lines for the log.
#[derive(Default)]
struct Lines {
    /// Batches that have their share of lines.
    full: Vec<Batch>,
    last: Batch,
    /// Emptied ones. Memory that was let go has to be asked of the system anew, page by page.
    spare: Vec<Batch>,
}

impl Lines {
    /// Appends the line of a record, and hands it back.
    fn add(&mut self, record: &Record) -> &[u8] {
        if self.last.lines.len() >= BATCH_BYTES {
            let next = self.spare.pop().unwrap_or_default();
            self.full.push(std::mem::replace(&mut self.last, next));
            // Room for all of it at once: lines that grow out of their room are copied.
            self.last.lines.reserve(BATCH_BYTES + BATCH_BYTES / 8);
        }
        let start = self.last.lines.len();
        log_line::write(record, &mut self.last.lines);
        self.last.count(record);
        self.last.lines.get(start..).unwrap_or_default()
    }

    /// Shows each batch to `write`, in order, and is empty again.
    fn drain(&mut self, mut write: impl FnMut(&mut Batch)) {
        for batch in self.full.iter_mut().chain([&mut self.last]) {
            write(batch);
            batch.clear();
        }
        self.spare.append(&mut self.full);
        self.spare.truncate(SPARES);
    }
}

impl Load {
    fn new(metrics: &Arc<Metrics>, intake: Option<&Intake>) -> Self {
        let tally = Tally::new(Arc::clone(metrics));
        Self { lines: Lines::default(), records: 0, tally, take: intake.map(Intake::take) }
    }

    /// Shows each batch to `write`, in order, brings the metrics up to date, hands over what the store gets, and is empty
    /// again.
    pub(crate) fn drain(&mut self, write: impl FnMut(&mut Batch)) {
        self.tally.flush();
        self.records = 0;
        self.lines.drain(write);
        if let Some(take) = &mut self.take {
            take.hand_over();
        }
    }
}

impl Lane {
    pub(crate) fn new(
        slots: Arc<Slots>,
        metrics: Arc<Metrics>,
        tails: Arc<Tails>,
        logged: bool,
        intake: Option<Intake>,
        capacity: usize,
        writer: Thread,
    ) -> Self {
        Self { slots, metrics, tails, logged, intake, capacity: capacity.max(1), writer }
    }

    /// Counts a record, makes its line, and offers that to who follows along. Wait-free and without a system call; a full
    /// lane loses the record and counts it.
    ///
    /// The writer looks by itself every 50 ms. Only a lane that is half full wakes it.
    pub fn record(&mut self, record: impl Borrow<Record>) {
        let record = record.borrow();
        let waiting = self.slots.filled.take().or_else(|| self.slots.emptied.take());
        let mut load = waiting.unwrap_or_else(|| Box::new(Load::new(&self.metrics, self.intake.as_ref())));
        // The store counts those too that are lost here.
        let kept = self.intake.as_mut().zip(load.take.as_mut()).and_then(|(intake, take)| intake.count(record, take));
        if load.records < self.capacity {
            self.add(&mut load, record, kept);
        } else {
            self.metrics.lost_in_lane.count(record);
            if let Some((take, _)) = load.take.as_mut().zip(kept) {
                take.lose(record);
            }
        }
        let is_half_full = load.records == self.capacity.div_ceil(2);
        self.slots.filled.store(Some(load));
        if is_half_full {
            self.writer.unpark();
        }
    }

    /// `kept`: for how many records the store keeps this one's line.
    fn add(&self, load: &mut Load, record: &Record, kept: Option<NonZeroU32>) {
        load.records += 1;
        load.tally.count(record);
        let followed = self.tails.followed.load(Ordering::Relaxed);
        if !followed && !self.logged && kept.is_none() {
            return;
        }
        let line = load.lines.add(record);
        if let Some((take, weight)) = load.take.as_mut().zip(kept) {
            take.keep(record, weight, line);
        }
        if followed {
            self.tails.offer(record, || Bytes::copy_from_slice(line));
        }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
