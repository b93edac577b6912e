//! The HTTP/2 connections of one worker, and who dials the next one.
//!
//! Requests that arrive while a connection is being made wait for it, instead of making one each: they will share it, if
//! the origin chooses HTTP/2. There are no locks and no timers here: the worker owns the pool and calls
//! [`Http2Pool::sweep`] now and then.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use tokio::sync::watch;

use super::{Http2, Lease};
use crate::pool::{Key, PoolLimits};

/// How long it is remembered that an origin speaks HTTP/1.1.
const REMEMBERED: Duration = Duration::from_secs(900);
/// Keys that something is remembered of; beyond that many, what is not in use is forgotten.
const MOST_KEYS: usize = 4096;

/// The HTTP/2 connections of one worker.
#[derive(Debug)]
pub struct Http2Pool {
    shelves: HashMap<Key, Shelf, RandomState>,
    /// Connections without a request.
    resting: Rc<Cell<usize>>,
    limits: PoolLimits,
    generations: Vec<u64>,
}

#[derive(Debug, Default)]
struct Shelf {
    connections: Vec<Http2>,
    /// Somebody makes a connection, or it is not yet settled how many requests it takes.
    dialling: Option<watch::Receiver<State>>,
    http1: Option<Http1>,
}

/// What an origin said of HTTP/1.1, and until when that is believed.
#[derive(Clone, Copy, Debug)]
enum Http1 {
    /// It chose it in the handshake, and is offered HTTP/2 the next time all the same.
    Chosen(Instant),
    /// It asked for it over HTTP/2.
    Required(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The outcome is not known, or nothing is to be said of it.
    Open,
    Failed,
}

/// What a request that found no connection is to do.
#[derive(Debug)]
pub enum Turn {
    /// Make one that others wait for.
    Lead(Dialling),
    /// Wait for the one that is being made.
    Wait(Wait),
    /// Make one of its own: the origin speaks HTTP/1.1.
    Alone,
    /// Make one of its own that offers nothing but HTTP/1.1.
    Http1,
}

/// Held while a connection is being made and settled. Those who wait look again when it is dropped.
#[derive(Debug)]
pub struct Dialling(watch::Sender<State>);

impl Dialling {
    /// Dialling failed: those who wait each meet that for themselves, as they would have without waiting.
    pub fn fail(self) {
        self.0.send_replace(State::Failed);
    }
}

/// Waits for another request's connection.
#[derive(Debug)]
pub struct Wait(watch::Receiver<State>);

impl Wait {
    /// True if there may be a place by now, false if dialling failed.
    pub async fn over(mut self) -> bool {
        // An error says that the other is done.
        let _ = self.0.changed().await;
        *self.0.borrow() == State::Open
    }
}

impl Http2Pool {
    /// An empty pool for connections of this generation of trust settings.
    pub fn new(limits: PoolLimits, generation: u64) -> Self {
        Self { shelves: HashMap::default(), resting: Rc::default(), limits, generations: vec![generation] }
    }

    /// The count of connections that are open without a request, kept up to date.
    pub fn resting(&self) -> &Rc<Cell<usize>> {
        &self.resting
    }

    /// A place on a connection that stands as far as is known; with `tunnel`, on one whose origin lets it become one.
    pub fn take(&mut self, key: &Key, streams: u32, tunnel: bool) -> Option<Lease> {
        let connections = &mut self.shelves.get_mut(key)?.connections;
        connections.retain_mut(|connection| !connection.is_over());
        let fits = |connection: &&Http2| {
            connection.shared.settled.get()
                && connection.has_room(streams)
                && (!tunnel || connection.requests.is_extended_connect_protocol_enabled())
        };
        connections.iter().find(fits).map(Http2::lease)
    }

    /// Keeps a connection for further requests, unless it was made under other trust settings.
    pub fn put(&mut self, key: &Key, connection: Http2) {
        let is_trusted = connection.generation() == key.generation && self.generations.contains(&key.generation);
        if !is_trusted || self.limits.total == 0 {
            return;
        }
        if self.resting.get() >= self.limits.total {
            self.make_room();
        }
        connection.shared.change(|shared| shared.kept.set(true));
        let shelf = self.shelf(key);
        shelf.http1 = None;
        shelf.connections.push(connection);
    }

    /// What a request is to do that found no place.
    pub fn turn(&mut self, key: &Key, now: Instant) -> Turn {
        let shelf = self.shelf(key);
        match shelf.http1 {
            Some(Http1::Required(until)) if now < until => return Turn::Http1,
            Some(Http1::Chosen(until)) if now < until => return Turn::Alone,
            Some(Http1::Required(_) | Http1::Chosen(_)) | None => {}
        }
        match &shelf.dialling {
            // With its sender gone, there is nothing to wait for.
            Some(other) if other.has_changed().is_ok() => Turn::Wait(Wait(other.clone())),
            Some(_) | None => {
                let (sender, receiver) = watch::channel(State::Open);
                shelf.dialling = Some(receiver);
                Turn::Lead(Dialling(sender))
            }
        }
    }

    /// The origin chose HTTP/1.1.
    pub fn chose_http1(&mut self, key: &Key, now: Instant) {
        self.shelf(key).http1 = Some(Http1::Chosen(now + REMEMBERED));
    }

    /// The origin asked for HTTP/1.1. Its connections end when their requests have.
    pub fn require_http1(&mut self, key: &Key, now: Instant) {
        let shelf = self.shelf(key);
        shelf.http1 = Some(Http1::Required(now + REMEMBERED));
        shelf.connections.clear();
    }

    /// Lets go of what has been idle too long at `now`, of what ended or goes away, and of what is not believed any more.
    pub fn sweep(&mut self, now: Instant) {
        let idle = self.limits.idle;
        for shelf in self.shelves.values_mut() {
            shelf.connections.retain_mut(|connection| {
                let rested = now.saturating_duration_since(connection.shared.last_used.get());
                !connection.is_over() && (connection.shared.open.get() > 0 || rested <= idle)
            });
            shelf.http1 = shelf.http1.filter(|(Http1::Chosen(until) | Http1::Required(until))| now < *until);
        }
        self.shelves.retain(|_, shelf| shelf.is_used() || shelf.http1.is_some());
    }

    /// Takes over new limits and the generations of trust settings that are in use now; connections of others are let go
    /// of, and end when their last request has.
    pub fn renew(&mut self, limits: PoolLimits, generations: &[u64]) {
        self.limits = limits;
        self.generations = generations.to_vec();
        self.shelves.retain(|key, _| generations.contains(&key.generation));
    }

    /// The shelf of a key. Visitors choose the names under a wildcard, so there is a bound on how many are remembered.
    fn shelf(&mut self, key: &Key) -> &mut Shelf {
        if !self.shelves.contains_key(key) {
            if self.shelves.len() >= MOST_KEYS {
                self.shelves.retain(|_, shelf| shelf.is_used());
            }
            self.shelves.insert(key.clone(), Shelf::default());
        }
        self.shelves.entry(key.clone()).or_default()
    }

    /// Lets go of the connection that has been without a request for longest.
    fn make_room(&mut self) {
        let resting = |connection: &&Http2| connection.shared.rests();
        let all = self.shelves.values().flat_map(|shelf| &shelf.connections).filter(resting);
        let Some(oldest) = all.map(|connection| connection.shared.last_used.get()).min() else { return };
        for shelf in self.shelves.values_mut() {
            shelf
                .connections
                .retain(|connection| !connection.shared.rests() || connection.shared.last_used.get() > oldest);
        }
    }
}

impl Shelf {
    fn is_used(&self) -> bool {
        !self.connections.is_empty() || self.dialling.as_ref().is_some_and(|other| other.has_changed().is_ok())
    }
}
