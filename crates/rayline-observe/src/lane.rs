//! One edge worker's way to hand over its records.

use std::fmt;
use std::thread::Thread;

use rayline_verdict::Record;
use rtrb::{Producer, PushError};

use crate::metrics::Lost;

/// The sending end of one worker's queue of records.
pub struct Lane {
    queue: Producer<Record>,
    lost: Lost,
    writer: Thread,
}

impl Lane {
    pub(crate) fn new(queue: Producer<Record>, lost: Lost, writer: Thread) -> Self {
        Self { queue, lost, writer }
    }

    /// Hands a record over. Wait-free, without allocation or system call; a full lane loses the record and counts it.
    ///
    /// The writer looks by itself every 20 ms. Only a lane that is more than half full wakes it.
    pub fn record(&mut self, record: Record) {
        if let Err(PushError::Full(record)) = self.queue.push(record) {
            self.lost.count(&record);
        }
        // the cached count costs nothing and is at worst too low: only then is the true one asked for
        let half = self.queue.buffer().capacity() / 2;
        if self.queue.cached_slots() < half && self.queue.slots() < half {
            self.writer.unpark();
        }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("capacity", &self.queue.buffer().capacity())
            .field("free", &self.queue.slots())
            .finish_non_exhaustive()
    }
}
