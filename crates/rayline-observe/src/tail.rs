//! Following along: subscribers get the request log's lines as they are made, as fast as they can read.

mod filter;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use rayline_verdict::Record;
use tokio::sync::mpsc;

pub use filter::{CodeFilter, StatusFilter, Subject, TailFilter};

use crate::observer::lock;

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

/// Everybody who follows along now.
pub(crate) struct Tails {
    /// `None` once the observer has stopped.
    open: ArcSwapOption<Vec<Arc<Tail>>>,
    /// There is somebody: all that a record looks at otherwise.
    pub(crate) followed: AtomicBool,
    /// Held by whoever changes the two.
    change: Mutex<()>,
}

/// The sending end of a tail.
struct Tail {
    filter: TailFilter,
    lines: mpsc::Sender<Bytes>,
    missed: Arc<AtomicU64>,
}

impl Default for Tails {
    fn default() -> Self {
        let open = ArcSwapOption::from_pointee(Vec::new());
        Self { open, followed: AtomicBool::new(false), change: Mutex::new(()) }
    }
}

impl Tails {
    /// Follows the records that the filter lets through. Where the observer has stopped, the stream ends at once.
    pub(crate) fn connect(&self, filter: TailFilter) -> TailStream {
        let (lines, receiver) = mpsc::channel(WAITING_LINES);
        let missed = Arc::new(AtomicU64::new(0));
        let tail = Arc::new(Tail { filter, lines, missed: Arc::clone(&missed) });
        self.replace(|tails| tails.iter().chain([&tail]).map(Arc::clone).collect());
        TailStream { lines: receiver, missed }
    }

    /// Offers a record to those whose filter lets it through. Its line is made if there is one.
    pub(crate) fn offer(&self, record: &Record, line: impl Fn() -> Bytes) {
        let Some(tails) = &*self.open.load() else { return };
        let mut admitting = tails.iter().filter(|tail| tail.filter.admits(&Subject::from(record))).peekable();
        if admitting.peek().is_some() {
            let line = line();
            admitting.for_each(|tail| tail.offer(line.clone()));
        }
    }

    /// Forgets those who have gone.
    pub(crate) fn sweep(&self) {
        if self.followed.load(Ordering::Relaxed) {
            self.replace(|tails| tails.iter().filter(|tail| !tail.lines.is_closed()).map(Arc::clone).collect());
        }
    }

    /// Ends all of them.
    pub(crate) fn end(&self) {
        let _changing = lock(&self.change);
        self.open.store(None);
    }

    fn replace(&self, change: impl Fn(&[Arc<Tail>]) -> Vec<Arc<Tail>>) {
        let _changing = lock(&self.change);
        if let Some(tails) = self.open.load_full() {
            let tails = change(&tails);
            self.followed.store(!tails.is_empty(), Ordering::Relaxed);
            self.open.store(Some(Arc::new(tails)));
        }
    }
}

impl Tail {
    fn offer(&self, line: Bytes) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.lines.try_send(line) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
