//! What the workers share: a few counters that move once per connection, and nothing that moves once per request.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::guard::Guard;

/// Counts that anybody may read at any time. All are relaxed: they are for people and for limits, not for order.
#[derive(Debug)]
pub struct Counts {
    /// Visitors' connections that are open now.
    pub visitor_connections: AtomicUsize,
    /// Visitors' connections ever accepted.
    pub visitor_connections_accepted: AtomicU64,
    /// Origin connections kept for reuse now.
    pub idle_origin_connections: AtomicUsize,
    /// The version of the plan that serves new requests.
    pub plan_version: AtomicU64,
    /// The drain time is over, whatever was said before.
    pub(crate) hurry: AtomicBool,
    pub(crate) guard: Guard,
}

impl Counts {
    /// Nothing is counted yet.
    pub(crate) fn new(guard: Guard) -> Self {
        Self {
            visitor_connections: AtomicUsize::new(0),
            visitor_connections_accepted: AtomicU64::new(0),
            idle_origin_connections: AtomicUsize::new(0),
            plan_version: AtomicU64::new(0),
            hurry: AtomicBool::new(false),
            guard,
        }
    }

    /// Keys that rate limits had to forget before their time: more clients were alive than there is room for.
    pub fn rate_limit_keys_forgotten(&self) -> u64 {
        self.guard.forgotten()
    }

    /// Takes one place among `most` visitors' connections; `false` if there is none left.
    pub(crate) fn admit(&self, most: usize) -> bool {
        self.visitor_connections_accepted.fetch_add(1, Ordering::Relaxed);
        let admitted = self.visitor_connections.fetch_add(1, Ordering::Relaxed) < most;
        if !admitted {
            self.release();
        }
        admitted
    }

    /// Gives the place back.
    pub(crate) fn release(&self) {
        self.visitor_connections.fetch_sub(1, Ordering::Relaxed);
    }
}
