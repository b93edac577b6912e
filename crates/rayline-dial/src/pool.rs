//! Idle connections of one worker, kept for the next request.
//!
//! The last one put back is the first one taken: it is the likeliest to be alive, and the others can grow old and go.
//! There are no locks and no timers here: the worker owns the pool and calls [`Pool::sweep`] now and then.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use crate::connection::Connection;
use crate::dial::Tls;
use crate::tls::identity::Identity;

/// A connection that rested longer than this is asked by a system call whether it still stands; below, what the runtime
/// saw since is enough.
const TRUSTED_REST: Duration = Duration::from_millis(5);

/// What makes two connections the same to a request: everything that shaped the connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The origin's address.
    pub address: SocketAddr,
    /// Whether and how it speaks TLS.
    pub tls: Tls,
    /// The name asked for in the handshake; empty without TLS, where it shapes nothing.
    pub server_name: Arc<str>,
    /// What it was shown when it asked for a client certificate, or would have been; `None` without TLS.
    pub identity: Option<Arc<Identity>>,
    /// The trust settings it was made under.
    pub generation: u64,
}

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// The longest time a connection may be idle: `idle_timeout`.
    pub idle: Duration,
    /// The most idle connections of one key.
    pub per_key: usize,
    /// The most idle connections in all.
    pub total: usize,
}

impl Default for PoolLimits {
    /// 900 s (Cloudflare: Connection limits, proxy idle time-out), 256 per key, 4096 in all.
    fn default() -> Self {
        Self { idle: Duration::from_secs(900), per_key: 256, total: 4096 }
    }
}

/// The idle connections of one worker.
#[derive(Debug)]
pub struct Pool {
    shelves: HashMap<Key, Vec<Connection>, RandomState>,
    idle: usize,
    limits: PoolLimits,
    generations: Vec<u64>,
}

impl Pool {
    /// An empty pool for connections of this generation of trust settings.
    pub fn new(limits: PoolLimits, generation: u64) -> Self {
        Self { shelves: HashMap::default(), idle: 0, limits, generations: vec![generation] }
    }

    /// How many connections are idle.
    pub fn len(&self) -> usize {
        self.idle
    }

    /// Whether none is idle.
    pub fn is_empty(&self) -> bool {
        self.idle == 0
    }

    /// A connection that stands as far as this machine knows, ready for its next request at `now`.
    ///
    /// Those found dead or too old on the way are dropped. The origin may still close it under the request: then the
    /// request has met [`StaleConnection`](rayline_verdict::fault::SendCause::StaleConnection).
    pub fn take(&mut self, key: &Key, now: Instant) -> Option<Connection> {
        let shelf = self.shelves.get_mut(key)?;
        while let Some(mut connection) = shelf.pop() {
            self.idle -= 1;
            let rested = now.saturating_duration_since(connection.last_used());
            if rested <= self.limits.idle && connection.is_quiet(rested > TRUSTED_REST) {
                connection.take_up(now);
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose request ended well at `now`. It is closed instead when it was made under other trust
    /// settings. A full shelf closes its oldest, a full pool the quarter of all that has been idle longest.
    pub fn put(&mut self, key: &Key, mut connection: Connection, now: Instant) {
        let is_trusted = connection.generation() == key.generation && self.generations.contains(&key.generation);
        if !is_trusted || self.limits.per_key == 0 || self.limits.total == 0 {
            return;
        }
        if self.idle >= self.limits.total {
            self.make_room();
        }
        connection.put_down(now);
        // The key is copied for its first connection only.
        let shelf = match self.shelves.get_mut(key) {
            Some(shelf) => shelf,
            None => self.shelves.entry(key.clone()).or_default(),
        };
        if shelf.len() >= self.limits.per_key {
            shelf.remove(0);
            self.idle -= 1;
        }
        shelf.push(connection);
        self.idle += 1;
    }

    /// Closes the quarter that has been idle longest, so that a flood of keys (visitors choose the names under a
    /// wildcard) costs one look at all connections for every thousand, and does not crowd out those in use.
    fn make_room(&mut self) {
        let mut ends: Vec<Instant> = self.shelves.values().flatten().map(|connection| connection.last_used()).collect();
        let quarter = ends.len() / 4;
        if quarter < ends.len() {
            let (_, &mut cutoff, _) = ends.select_nth_unstable(quarter);
            self.retain(|connection| connection.last_used() > cutoff);
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&mut Connection) -> bool) {
        self.shelves.retain(|_, shelf| {
            shelf.retain_mut(&mut keep);
            !shelf.is_empty()
        });
        self.idle = self.shelves.values().map(Vec::len).sum();
    }

    /// Drops what has been idle too long at `now`, and what died meanwhile: its descriptors are worth having back.
    pub fn sweep(&mut self, now: Instant) {
        let limit = self.limits.idle;
        self.retain(|connection| {
            now.saturating_duration_since(connection.last_used()) <= limit && connection.is_quiet(true)
        });
    }

    /// Takes over new limits and the generations of trust settings that are in use now; idle connections of others are
    /// dropped.
    pub fn renew(&mut self, limits: PoolLimits, generations: &[u64]) {
        self.limits = limits;
        self.generations = generations.to_vec();
        self.retain(|connection| generations.contains(&connection.generation()));
    }

    /// Drops the idle connections of one key: its origin said it goes away, or a reused one turned out dead.
    pub fn forget(&mut self, key: &Key) {
        self.idle -= self.shelves.remove(key).map_or(0, |shelf| shelf.len());
    }
}
