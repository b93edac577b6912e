//! The thread that takes what the lanes have made and writes it into the log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use crate::lane::{Load, Slots};
use crate::observer::Feed;
use crate::request_log::RequestLog;
use crate::tail::Tails;

/// How long a line may lie in its lane when there is little to do. The log promises 0.2 s.
const POLL: Duration = Duration::from_millis(50);

/// What the writer can be told.
pub(crate) enum Command {
    Reopen,
    Stop,
}

/// Everything the thread owns.
pub(crate) struct Writer {
    lanes: Vec<Arc<Slots>>,
    orders: Receiver<Command>,
    log: RequestLog,
    feeds: Vec<Feed>,
    tails: Arc<Tails>,
}

impl Writer {
    pub(crate) fn new(
        lanes: Vec<Arc<Slots>>,
        orders: Receiver<Command>,
        log: RequestLog,
        feeds: Vec<Feed>,
        tails: Arc<Tails>,
    ) -> Self {
        Self { lanes, orders, log, feeds, tails }
    }

    /// Runs until told to stop, or until nobody is left who could tell.
    pub(crate) fn run(mut self) {
        while !self.round() {
            self.log.tend(Instant::now());
            self.tails.sweep();
            thread::park_timeout(POLL);
        }
        // records that were made before the order to stop may have come after the look into their lane
        self.round();
        self.hand_over_rest();
        self.log.finish();
        self.tails.end();
    }

    /// Obeys, and takes what lies in the lanes now; what comes meanwhile is for the next round, so that no lane waits
    /// for ever. Whether it is time to stop.
    ///
    /// An order that was given before a record was made is obeyed before that record is taken.
    fn round(&mut self) -> bool {
        let mut stop = self.obey();
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get(at).map(Arc::clone) else { break };
            let taken = lane.take();
            stop |= self.obey();
            if let Some(mut load) = taken {
                self.empty(&mut load);
                lane.give_back(load);
            }
        }
        stop
    }

    /// The log takes the lines out of a batch: it comes last.
    fn empty(&mut self, load: &mut Load) {
        load.drain(|batch| {
            if !batch.lines.is_empty() {
                self.feeds.iter_mut().for_each(|feed| feed(&batch.lines));
            }
            self.log.write(batch, Instant::now());
        });
    }

    /// What the store had no room for in time waits in loads that are otherwise empty.
    fn hand_over_rest(&mut self) {
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get(at).map(Arc::clone) else { break };
            if let Some(mut load) = lane.take_emptied() {
                self.empty(&mut load);
                lane.give_back(load);
            }
        }
    }

    /// Whether it is time to stop.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Command::Reopen) => self.log.reopen(Instant::now()),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return true,
                Err(TryRecvError::Empty) => return false,
            }
        }
    }
}
