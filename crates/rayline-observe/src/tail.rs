//! Following along: subscribers get the request log's lines as they are made, as fast as they can read.

mod filter;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rayline_verdict::Record;
use tokio::sync::mpsc;

pub use filter::{CodeFilter, StatusFilter, Subject, TailFilter};

/// Lines that wait for a slow reader. What comes on top is missed, and the reader is told how many.
const WAITING_LINES: usize = 1024;

/// What a follower gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tailed {
    /// One line of the request log, with its newline.
    Line(Bytes),
    /// So many lines were not delivered, because the follower reads too slowly.
    Missed(u64),
}

/// The receiving end of a tail. Dropping it ends the subscription.
#[derive(Debug)]
pub struct TailStream {
    lines: mpsc::Receiver<Bytes>,
    missed: Arc<AtomicU64>,
}

impl TailStream {
    /// The next line; `None` once the observer has stopped. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Tailed> {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            return Some(Tailed::Missed(missed));
        }
        self.lines.recv().await.map(Tailed::Line)
    }
}

/// The writer's end of a tail.
pub(crate) struct Tail {
    filter: TailFilter,
    lines: mpsc::Sender<Bytes>,
    missed: Arc<AtomicU64>,
}

pub(crate) fn connect(filter: TailFilter) -> (Tail, TailStream) {
    let (sender, receiver) = mpsc::channel(WAITING_LINES);
    let missed = Arc::new(AtomicU64::new(0));
    (Tail { filter, lines: sender, missed: Arc::clone(&missed) }, TailStream { lines: receiver, missed })
}

impl Tail {
    pub(crate) fn admits(&self, record: &Record) -> bool {
        self.filter.admits(&Subject::from(record))
    }

    pub(crate) fn offer(&self, line: Bytes) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.lines.try_send(line) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lines.is_closed()
    }
}
