//! One thread of the edge: its plan, its origin connections, its open visitors. Nothing here is shared with another
//! worker but the counts, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use bytes::BytesMut;
use foldhash::fast::RandomState;
use rayline_dial::http2::Http2Pool;
use rayline_dial::{Pool, PoolLimits};
use rayline_http1::RequestHead;
use rayline_verdict::{Fault, Moment, RayId, Record};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::Sink;
use crate::date::DateHeader;
use crate::deadline::Deadline;
use crate::edition::Edition;
use crate::phase::request::believed_address;
use crate::phase::rules::Ruled;
use crate::running::Running;
use crate::shared::Counts;
use crate::trial::{Share, Spread, Trial, Window};
use crate::visitor::Visitor;

/// Buffers and timers kept for reuse; beyond this many they are freed.
const SPARES: usize = 256;
/// Plans that are ready for replays at once.
const MOST_HELD: usize = 4;
/// A buffer that grew beyond this is not kept.
const SPARE_BYTES: usize = 256 * 1024;

/// The state of one worker.
pub(crate) struct Worker {
    running: RefCell<Rc<Running>>,
    /// A plan that serves some of the visitors.
    trial: RefCell<Option<Trial>>,
    /// Plans that serve nobody but replays that name them, the latest last.
    held: RefCell<Vec<Rc<Running>>>,
    pub(crate) counts: Arc<Counts>,
    sink: RefCell<Box<dyn Sink>>,
    pub(crate) pool: RefCell<Pool>,
    /// HTTP/2 connections to origins.
    pub(crate) shared: RefCell<Http2Pool>,
    /// How many of those were counted as idle when that was last looked at.
    resting: Cell<usize>,
    rays: RayIds,
    pub(crate) date: DateHeader,
    buffers: RefCell<Vec<BytesMut>>,
    deadlines: RefCell<Vec<Deadline>>,
    /// Room for what rules know of a request.
    #[expect(clippy::vec_box, reason = "an exchange has it in a box, and takes and gives that back as it is")]
    ruled: RefCell<Vec<Box<Ruled>>>,
    visitors: RefCell<HashMap<u64, Connection, RandomState>>,
    next_visitor: Cell<u64>,
    refusals: Cell<usize>,
    draining: Cell<bool>,
    /// Told when draining begins: connections that end by themselves listen.
    pub(crate) drain_begins: Notify,
    aborting: Cell<bool>,
    given_up: RefCell<Option<Fault>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("draining", &self.draining.get()).finish_non_exhaustive()
    }
}

/// The time of day.
fn now() -> Moment {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
}

/// A visitor's connection, as draining sees it.
#[derive(Debug)]
struct Connection {
    task: AbortHandle,
    busy: Rc<Cell<bool>>,
}

impl Worker {
    pub(crate) fn new(index: usize, running: Running, counts: Arc<Counts>, sink: Box<dyn Sink>) -> Self {
        let (limits, generation) = (pool_limits(&running), running.edition.trust);
        Self {
            running: RefCell::new(Rc::new(running)),
            trial: RefCell::default(),
            held: RefCell::default(),
            counts,
            sink: RefCell::new(sink),
            pool: RefCell::new(Pool::new(limits, generation)),
            shared: RefCell::new(Http2Pool::new(limits, generation)),
            resting: Cell::new(0),
            rays: RayIds::new(index),
            date: DateHeader::default(),
            buffers: RefCell::default(),
            deadlines: RefCell::default(),
            ruled: RefCell::default(),
            visitors: RefCell::default(),
            next_visitor: Cell::new(0),
            refusals: Cell::new(0),
            draining: Cell::new(false),
            drain_begins: Notify::new(),
            aborting: Cell::new(false),
            given_up: RefCell::default(),
        }
    }

    /// The plan, or where another is being tried, the one that runs beside it.
    pub(crate) fn running(&self) -> Rc<Running> {
        Rc::clone(&self.running.borrow())
    }

    /// The plan for a request of this visitor that begins now, or for their connection where there is no `head` yet. A
    /// request keeps the plan it began with. The same visitor gets the same plan for as long as both are there.
    pub(crate) fn running_for(&self, visitor: &Visitor, head: Option<&RequestHead>) -> Rc<Running> {
        if let Some(held) = self.held_for(head) {
            return held;
        }
        match &*self.trial.borrow() {
            None => self.running(),
            Some(trial) => {
                let running = self.running();
                // Listeners that the other plan does not have are no way to it.
                let is_its_door = visitor.door_version == trial.running.edition.version;
                let told = || head.and_then(|head| believed_address(running.server(), visitor, head));
                if is_its_door || trial.takes(told().unwrap_or_else(|| visitor.ip())) {
                    Rc::clone(&trial.running)
                } else {
                    running
                }
            }
        }
    }

    /// The plan that a replay names, where it is ready.
    fn held_for(&self, head: Option<&RequestHead>) -> Option<Rc<Running>> {
        let held = self.held.borrow();
        if held.is_empty() {
            return None;
        }
        let version = self.counts.guard.replays.of(head?, now())?.version?;
        held.iter().find(|running| running.edition.version == version).map(Rc::clone)
    }

    /// Has an edition ready for replays that name it. One that cannot be prepared is not there for them.
    pub(crate) fn hold(&self, edition: Arc<Edition>) {
        let mut held = self.held.borrow_mut();
        held.retain(|running| running.edition.version != edition.version);
        if held.len() == MOST_HELD {
            held.remove(0);
        }
        held.extend(Running::new(edition).map(Rc::new));
    }

    /// New requests run on this edition, all of them. Kept origin connections go if they were opened under other trust.
    ///
    /// # Errors
    /// As [`Running::new`]; nothing changes then.
    pub(crate) fn swap(&self, edition: Arc<Edition>) -> io::Result<()> {
        let tried = self.trial.borrow().as_ref().map(|trial| Rc::clone(&trial.running));
        let running = match tried.filter(|tried| Arc::ptr_eq(&tried.edition, &edition)) {
            Some(tried) => tried,
            None => Rc::new(Running::new(edition)?),
        };
        *self.running.borrow_mut() = running;
        self.end_trial();
        Ok(())
    }

    /// Some visitors' new requests run on this edition.
    ///
    /// # Errors
    /// As [`Running::new`]; nothing changes then.
    pub(crate) fn begin_trial(&self, edition: Arc<Edition>, spread: Spread, window: Arc<Window>) -> io::Result<()> {
        let running = Rc::new(Running::new(edition)?);
        *self.trial.borrow_mut() = Some(Trial::new(running, spread, window));
        self.renew_pools();
        Ok(())
    }

    /// Another share of the visitors is served by the plan on trial.
    pub(crate) fn widen(&self, share: Share, window: Arc<Window>) {
        if let Some(trial) = &mut *self.trial.borrow_mut() {
            trial.widen(share, window);
        }
    }

    /// Nobody's new requests run on the plan that was on trial.
    pub(crate) fn end_trial(&self) {
        *self.trial.borrow_mut() = None;
        self.renew_pools();
    }

    fn renew_pools(&self) {
        let running = self.running();
        let tried = self.trial.borrow().as_ref().map(|trial| trial.running.edition.trust);
        let generations: Vec<u64> = [running.edition.trust].into_iter().chain(tried).collect();
        let limits = pool_limits(&running);
        self.count_idle(|pool| pool.renew(limits, &generations));
        self.shared.borrow_mut().renew(limits, &generations);
        self.count_resting();
    }

    /// Lets go of origin connections that have been idle too long.
    pub(crate) fn sweep(&self, now: Instant) {
        self.count_idle(|pool| pool.sweep(now));
        self.shared.borrow_mut().sweep(now);
        self.count_resting();
    }

    /// Works on the pool and brings the count of idle connections up to date.
    pub(crate) fn count_idle<T>(&self, work: impl FnOnce(&mut Pool) -> T) -> T {
        let mut pool = self.pool.borrow_mut();
        let before = pool.len();
        let out = work(&mut pool);
        self.recount(before, pool.len());
        out
    }

    /// Brings the count of idle connections up to date with the shared ones that have no request now.
    pub(crate) fn count_resting(&self) {
        let after = self.shared.borrow().resting().get();
        self.recount(self.resting.replace(after), after);
    }

    fn recount(&self, before: usize, after: usize) {
        let count = &self.counts.idle_origin_connections;
        if after > before {
            count.fetch_add(after - before, Ordering::Relaxed);
        } else if before > after {
            count.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Shows a closed record to whoever keeps it.
    pub(crate) fn keep(&self, record: &Record) {
        if let Some(trial) = &*self.trial.borrow() {
            trial.count(record);
        }
        self.sink.borrow_mut().record(record);
    }

    /// A new Ray ID and the moment it was made.
    pub(crate) fn ray(&self) -> (RayId, Moment) {
        let moment = now();
        (self.rays.next(moment), moment)
    }

    /// An empty buffer, with room if one was given back.
    pub(crate) fn buffer(&self) -> BytesMut {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(crate) fn give_back(&self, mut buffer: BytesMut) {
        let mut buffers = self.buffers.borrow_mut();
        if buffers.len() < SPARES && buffer.capacity() <= SPARE_BYTES {
            buffer.clear();
            buffers.push(buffer);
        }
    }

    /// A timer that is not set.
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadlines.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives a timer back.
    pub(crate) fn give_back_deadline(&self, mut deadline: Deadline) {
        let mut deadlines = self.deadlines.borrow_mut();
        if deadlines.len() < SPARES {
            deadline.clear();
            deadlines.push(deadline);
        }
    }

    /// Room for what rules know of a request; it may hold what they knew of another.
    pub(crate) fn ruled(&self) -> Box<Ruled> {
        self.ruled.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives that back.
    pub(crate) fn give_back_ruled(&self, ruled: Box<Ruled>) {
        let mut spares = self.ruled.borrow_mut();
        if spares.len() < SPARES && ruled.bytes() <= SPARE_BYTES {
            spares.push(ruled);
        }
    }

    /// Whether connections should end after the answer they are at.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Whether requests are being dropped because the drain time is over.
    pub(crate) fn is_aborting(&self) -> bool {
        self.aborting.get()
    }

    /// Says why the request that is dropped next is.
    pub(crate) fn give_up(&self, fault: Fault) {
        *self.given_up.borrow_mut() = Some(fault);
    }

    /// What was said of the request that is being dropped.
    pub(crate) fn given_up(&self) -> Option<Fault> {
        self.given_up.borrow_mut().take()
    }

    /// Runs a visitor's connection as a task of its own, known to draining, which holds the visitor's seat until it ends.
    pub(crate) fn spawn<F>(self: &Rc<Self>, admitted: bool, serve: impl FnOnce(Seat) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let id = self.next_visitor.get();
        self.next_visitor.set(id.wrapping_add(1));
        let busy = Rc::new(Cell::new(false));
        self.refusals.set(self.refusals.get() + usize::from(!admitted));
        let seat = Seat { worker: Rc::clone(self), id, admitted, busy: Rc::clone(&busy) };
        let task = tokio::task::spawn_local(serve(seat));
        self.visitors.borrow_mut().insert(id, Connection { task: task.abort_handle(), busy });
    }

    /// Ends idle connections; the others end after the answer they are at.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.drain_begins.notify_waiters();
        for connection in self.visitors.borrow().values().filter(|connection| !connection.busy.get()) {
            connection.task.abort();
        }
    }

    /// Drops what is still being served.
    pub(crate) fn abort(&self) {
        self.aborting.set(true);
        for connection in self.visitors.borrow().values() {
            connection.task.abort();
        }
    }

    /// How many visitors that were not admitted are still being told so.
    pub(crate) fn refusals(&self) -> usize {
        self.refusals.get()
    }

    /// How many visitors are connected to this worker.
    pub(crate) fn visitors(&self) -> usize {
        self.visitors.borrow().len()
    }
}

fn pool_limits(running: &Running) -> PoolLimits {
    PoolLimits { idle: running.limits().idle_timeout, ..PoolLimits::default() }
}

/// A visitor's place on a worker, which is given back however the task ends that holds it.
pub(crate) struct Seat {
    worker: Rc<Worker>,
    id: u64,
    /// It is one of the `max_connections`.
    admitted: bool,
    /// Whether a request is being served, or its answer is still being taken: draining waits for that.
    pub(crate) busy: Rc<Cell<bool>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.worker.visitors.borrow_mut().remove(&self.id);
        if self.admitted {
            self.worker.counts.release();
        } else {
            self.worker.refusals.set(self.worker.refusals.get().saturating_sub(1));
        }
    }
}

/// Makes Ray IDs: 42 bits of milliseconds since 1970, 6 bits of worker, 16 bits of sequence. They sort by time, so
/// that a record can be looked for near its place, and repeat only if one worker serves more than 65,536 requests
/// in a millisecond, or a clock steps back. Worker numbers beyond 63 share their bits and start apart in sequence.
#[derive(Debug)]
struct RayIds {
    worker: u64,
    sequence: Cell<u64>,
}

impl RayIds {
    fn new(index: usize) -> Self {
        let index = index as u64;
        Self { worker: index & 0x3f, sequence: Cell::new((index >> 6) << 12) }
    }

    fn next(&self, now: Moment) -> RayId {
        let sequence = self.sequence.get();
        self.sequence.set(sequence.wrapping_add(1));
        let milliseconds = u64::try_from(now.0).unwrap_or_default() / 1_000_000;
        RayId((milliseconds << 22) | (self.worker << 16) | (sequence & 0xffff))
    }
}
