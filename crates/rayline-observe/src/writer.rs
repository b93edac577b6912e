//! The thread that takes records out of the lanes and turns them into lines, metrics and tails.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rayline_verdict::{Record, log_line};
use rtrb::Consumer;

use crate::metrics::{Metrics, Tally};
use crate::request_log::{Batch, RequestLog};
use crate::tail::Tail;

/// How long a record may lie in its lane when there is little to do. The log promises 0.2 s.
const POLL: Duration = Duration::from_millis(20);

/// Bytes of lines that are gathered before they are written.
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

/// What the writer can be told.
pub(crate) enum Command {
    Reopen,
    Subscribe(Tail),
    Stop,
}

/// Everything the thread owns.
pub(crate) struct Writer {
    lanes: Vec<Consumer<Record>>,
    orders: Receiver<Command>,
    log: RequestLog,
    tally: Tally,
    tails: Vec<Tail>,
    batch: Batch,
}

impl Writer {
    pub(crate) fn new(
        lanes: Vec<Consumer<Record>>,
        orders: Receiver<Command>,
        log: RequestLog,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { lanes, orders, log, tally: Tally::new(metrics), tails: Vec::new(), batch: Batch::default() }
    }

    /// Runs until told to stop, or until nobody is left who could tell.
    pub(crate) fn run(mut self) {
        while !self.round() {
            self.log.tend(Instant::now());
            self.tails.retain(|tail| !tail.is_closed());
            thread::park_timeout(POLL);
        }
        // records that were made before the order to stop may have come after the look into their lane
        self.round();
        self.log.finish();
    }

    /// Obeys, and takes what lies in the lanes now; what comes meanwhile is for the next round, so that no lane waits
    /// for ever. Whether it is time to stop.
    ///
    /// An order that was given before a record was made is obeyed before that record is taken.
    fn round(&mut self) -> bool {
        let mut stop = self.obey();
        for at in 0..self.lanes.len() {
            let waiting = self.lanes.get(at).map_or(0, Consumer::slots);
            stop |= self.obey();
            for _ in 0..waiting {
                let Some(record) = self.lanes.get_mut(at).and_then(|lane| lane.pop().ok()) else { break };
                self.take(&record);
            }
        }
        self.write();
        stop
    }

    /// Whether it is time to stop.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Command::Reopen) => self.log.reopen(Instant::now()),
                Ok(Command::Subscribe(tail)) => self.tails.push(tail),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return true,
                Err(TryRecvError::Empty) => return false,
            }
        }
    }

    fn take(&mut self, record: &Record) {
        self.tally.count(record);
        let followed = self.tails.iter().any(|tail| tail.admits(record));
        if !followed && !self.log.is_on() {
            return;
        }
        let start = self.batch.lines.len();
        log_line::write(record, &mut self.batch.lines);
        self.batch.count(record);
        if followed {
            let line = Bytes::copy_from_slice(self.batch.lines.get(start..).unwrap_or_default());
            for tail in self.tails.iter().filter(|tail| tail.admits(record)) {
                tail.offer(line.clone());
            }
        }
        if self.batch.lines.len() >= BATCH_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        self.log.write(&self.batch, Instant::now());
        self.batch.clear();
    }
}
