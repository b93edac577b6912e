//! What crosses from the lanes to the store's thread, and how much of it may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender};

use super::Rows;

/// Bytes that may wait for the store's thread. Lines beyond are lost, and counted; counts wait where they are.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// What the store's thread is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Cells, one after the other.
    Counts(Vec<u8>),
    /// Rows, one after the other, and how many they are.
    Rows(Vec<u8>, Rows),
    /// Says so when everything from before has been taken in.
    Sync(SyncSender<()>),
    /// Seals what is open now.
    Seal,
    /// Ends.
    Stop,
}

/// How much waits, and what was lost.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    waiting: AtomicUsize,
    lost_successes: AtomicU64,
    lost_failures: AtomicU64,
}

impl Flow {
    pub(crate) fn lose(&self, rows: Rows) {
        self.lost_successes.fetch_add(rows.successes, Ordering::Relaxed);
        self.lost_failures.fetch_add(rows.failures, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self) -> Rows {
        Rows {
            successes: self.lost_successes.load(Ordering::Relaxed),
            failures: self.lost_failures.load(Ordering::Relaxed),
        }
    }

    /// Says that so many bytes no longer wait.
    pub(crate) fn taken(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The sending end of the store's thread. Clones lead to the same.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) orders: Sender<Order>,
    pub(crate) flow: Arc<Flow>,
}

impl Door {
    /// Whether counts may be sent. Lines leave them the last quarter.
    pub(super) fn has_room(&self) -> bool {
        self.flow.waiting.load(Ordering::Relaxed) < WAITING_BYTES
    }

    pub(super) fn send_rows(&self, rows: &[u8], how_many: Rows) {
        let before = self.flow.waiting.fetch_add(rows.len(), Ordering::Relaxed);
        let fits = before + rows.len() <= WAITING_BYTES / 4 * 3;
        if !fits || self.orders.send(Order::Rows(rows.to_vec(), how_many)).is_err() {
            self.flow.taken(rows.len());
            self.flow.lose(how_many);
        }
    }

    pub(super) fn send_counts(&self, counts: Vec<u8>) {
        self.flow.waiting.fetch_add(counts.len(), Ordering::Relaxed);
        // A store that has stopped counts no more.
        let _ = self.orders.send(Order::Counts(counts));
    }
}
