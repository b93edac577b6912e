//! An HTTP/2 connection to an origin, shared by the requests of one worker.
//!
//! The `h2` crate owns the stream and speaks the protocol. What it does not tell is kept here: a tap between it and the
//! connection sees each frame that the origin sends and the error that ends it, so that every request on a lost connection
//! gets its own verdict with the one cause. [`Http2`] is the connection as the [`Http2Pool`] keeps it, [`Lease`] the place
//! of one request on it. Requests are written and responses read by whoever holds the lease.
//!
//! Nothing here sends or reads a request, or decides whether one is repeated.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use rayline_verdict::Fact;
use rayline_verdict::evidence::{Evidence, TcpState};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use crate::connection::{Connection, Timings};

mod fault;
mod frames;
mod pool;
mod tap;

pub use fault::{Ending, StreamFault};
pub use pool::{Dialling, Http2Pool, Turn, Wait};
use tap::{Tap, TapStream};

/// Bytes of a response that an origin may send ahead of its visitor: about what is read ahead of one over HTTP/1.1.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The largest frame accepted: large enough that the frames of a large body cost little.
const FRAME: u32 = 64 * 1024;
/// Bytes of a request that wait to be written: enough to keep the socket busy.
const SEND_BUFFER: usize = 128 * 1024;
/// The largest window there is (RFC 9113 §6.9.1).
const MOST_WINDOW: u32 = (1 << 31) - 1;
/// Streams that an origin is supposed to allow until it says how many: the least that RFC 9113 §6.5.2 recommends.
const UNTOLD_STREAMS: usize = 100;
/// The longest that further requests wait for an origin to say how many it allows.
const SETTLING: Duration = Duration::from_secs(1);
/// The longest that saying goodbye may take: an origin that reads nothing would hold a descriptor for ever.
const GOODBYE: Duration = Duration::from_secs(5);
/// The header list that the library takes is larger than what is allowed of a head, for its count is another (32 bytes
/// for each field, RFC 9113 §6.5.2) and the one that counts is the codec's, which says what was seen.
const HEADER_LIST_FACTOR: u32 = 8;
/// Streams that were reset here and may still be answered: visitors that leave at once are no fault of the connection.
const RESET_STREAMS: usize = 1024;

/// What a connection is made with.
#[derive(Clone, Copy, Debug)]
pub struct Http2Limits {
    /// Requests under way at once, as far as the origin allows it: `origin_h2_max_streams`.
    pub streams: u32,
    /// Bytes of a response's header section: `response_header_bytes`.
    pub header_bytes: usize,
}

/// A connection, as the pool keeps it. Without any, it ends when its last request has.
pub struct Http2 {
    shared: Rc<Shared>,
    requests: SendRequest<Bytes>,
}

impl fmt::Debug for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").field("open", &self.shared.open.get()).finish_non_exhaustive()
    }
}

/// What all requests on a connection share.
#[derive(Debug)]
struct Shared {
    tap: RefCell<Tap>,
    address: SocketAddr,
    /// Requests under way.
    open: Cell<u32>,
    /// Requests there ever were.
    served: Cell<u64>,
    /// When the last request ended.
    last_used: Cell<Instant>,
    /// When it last had a request again after a rest: the requests there had been, and the bytes received.
    woken: Cell<(u64, u64)>,
    /// The pool holds it.
    kept: Cell<bool>,
    /// The origin has said how many streams it allows and what they may become, or has had its time to.
    settled: Cell<bool>,
    /// Wakes those who wait for that.
    settles: Notify,
    /// Somebody waited on it in vain.
    doubted: Cell<bool>,
    ended: Cell<bool>,
    /// The connections of this worker that rest in the pool.
    resting: Rc<Cell<usize>>,
}

impl Shared {
    fn rests(&self) -> bool {
        self.kept.get() && !self.ended.get() && self.open.get() == 0
    }

    fn settle(&self) {
        self.settled.set(true);
        self.settles.notify_waiters();
    }

    /// Changes something, and counts the connection among those at rest or no more.
    fn change(&self, change: impl FnOnce(&Self)) {
        let before = self.rests();
        change(self);
        match (before, self.rests()) {
            (false, true) => self.resting.set(self.resting.get() + 1),
            (true, false) => self.resting.set(self.resting.get().saturating_sub(1)),
            (true, true) | (false, false) => {}
        }
    }
}

impl Http2 {
    /// Begins to speak HTTP/2 on `connection`, and has a task of its own drive it. Requests that wait for `dialling` are
    /// told when the origin has said how many streams it allows.
    ///
    /// # Errors
    /// None that is known: what goes wrong with the connection is met by the requests on it.
    pub async fn begin(
        connection: Connection,
        limits: Http2Limits,
        resting: &Rc<Cell<usize>>,
        dialling: Option<Dialling>,
    ) -> Result<Self, h2::Error> {
        let shared = Rc::new(Shared {
            address: connection.address(),
            tap: RefCell::new(Tap::new(connection, limits.header_bytes)),
            open: Cell::new(0),
            served: Cell::new(0),
            last_used: Cell::new(Instant::now()),
            woken: Cell::default(),
            kept: Cell::new(false),
            settled: Cell::new(false),
            settles: Notify::new(),
            doubted: Cell::new(false),
            ended: Cell::new(false),
            resting: Rc::clone(resting),
        });
        let header_list = u32::try_from(limits.header_bytes).unwrap_or(u32::MAX).saturating_mul(HEADER_LIST_FACTOR);
        let (requests, connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            // Room for all streams: visitors who take their answers slowly must not hold up the others.
            .initial_connection_window_size(STREAM_WINDOW.saturating_mul(limits.streams.max(1)).min(MOST_WINDOW))
            .max_frame_size(FRAME)
            .max_header_list_size(header_list)
            .max_send_buffer_size(SEND_BUFFER)
            .initial_max_send_streams(UNTOLD_STREAMS)
            .max_concurrent_reset_streams(RESET_STREAMS)
            .max_local_error_reset_streams(None)
            .handshake(TapStream(Rc::clone(&shared)))
            .await?;
        let settling = Some((dialling, Box::pin(sleep(SETTLING))));
        let driver = Driver { connection, shared: Rc::clone(&shared), settling, goodbye: None };
        tokio::task::spawn_local(driver);
        Ok(Self { shared, requests })
    }

    /// The version of the trust settings under which it was made.
    fn generation(&self) -> u64 {
        self.shared.tap.borrow().connection.generation()
    }

    /// Whether it takes no further requests: it ended, seems dead, the origin goes away, or its stream numbers are used up.
    fn is_over(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let frames = &self.shared.tap.borrow().frames;
        self.shared.ended.get()
            || self.shared.doubted.get()
            || frames.go_away().is_some()
            || frames.flood().is_some()
            || matches!(self.requests.poll_ready(&mut cx), Poll::Ready(Err(_)))
    }

    /// Whether there is a place for one more request.
    fn has_room(&self, streams: u32) -> bool {
        let most = self.requests.current_max_send_streams().min(streams as usize);
        (self.shared.open.get() as usize) < most
    }

    /// Takes a place on it for the request that began it, before it is settled how many it has.
    pub fn lease(&self) -> Lease {
        let shared = &self.shared;
        let (sent_before, received_before) = shared.tap.borrow().connection.bytes();
        let served = shared.served.get();
        let mut idle = Duration::ZERO;
        if shared.open.get() == 0 {
            shared.woken.set((served, received_before));
            idle = if served > 0 { shared.last_used.get().elapsed() } else { Duration::ZERO };
        }
        shared.change(|shared| shared.open.set(shared.open.get() + 1));
        shared.served.set(served + 1);
        Lease { shared: Rc::clone(shared), requests: self.requests.clone(), served, idle, sent_before, received_before }
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.shared.change(|shared| shared.kept.set(false));
    }
}

/// One request's place on a connection.
pub struct Lease {
    shared: Rc<Shared>,
    requests: SendRequest<Bytes>,
    /// Requests before this one.
    served: u64,
    /// How long the connection had been idle before it.
    idle: Duration,
    /// The connection's bytes sent and received when it began.
    sent_before: u64,
    received_before: u64,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("served", &self.served).finish_non_exhaustive()
    }
}

impl Lease {
    /// Hands a request's head over; with `end`, there is no body.
    ///
    /// # Errors
    /// A connection that takes no more requests, or a head that HTTP/2 cannot express.
    pub fn send(&mut self, request: Request<()>, end: bool) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.requests.send_request(request, end)
    }

    /// The origin's address.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// How long dialling took: of use for the request that dialled.
    pub fn timings(&self) -> Timings {
        self.shared.tap.borrow().connection.timings()
    }

    /// The TLS version, such as `TLSv1.3`; `None` without TLS.
    pub fn tls_version(&self) -> Option<&'static str> {
        self.shared.tap.borrow().connection.tls().map(|(version, _)| version)
    }

    /// Whether this request may ask for a tunnel (extended CONNECT, RFC 8441 §3). Ready when the origin has said what it
    /// allows, or has had its time to. On a connection that ended meanwhile it may: it meets the reason.
    pub async fn takes_tunnel(&self) -> bool {
        let settles = self.shared.settles.notified();
        if !self.shared.settled.get() {
            settles.await;
        }
        self.shared.ended.get() || self.requests.is_extended_connect_protocol_enabled()
    }

    /// Whether the connection had another request before this one.
    pub fn is_reused(&self) -> bool {
        self.served > 0
    }

    /// Whether the connection gave no sign of life since it was last idle: an origin that closes idle connections may do
    /// so without knowing of the requests on their way to it.
    pub fn is_stale(&self) -> bool {
        let (served, received) = self.shared.woken.get();
        served > 0 && self.shared.tap.borrow().connection.bytes().1 == received
    }

    /// Whether anything at all was sent since this request began.
    pub fn has_sent(&self) -> bool {
        self.shared.tap.borrow().connection.bytes().0 > self.sent_before
    }

    /// Says that this request waited in vain. If nothing at all came meanwhile, the connection may be one that a router has
    /// forgotten, or that leads to a machine that hangs: it gets no further requests, as one over HTTP/1.1 would not.
    pub fn doubt(&self) {
        if self.shared.tap.borrow().connection.bytes().1 == self.received_before {
            self.shared.doubted.set(true);
        }
    }

    /// Whether the kernel takes no more bytes of the connection, for the origin does not read.
    pub fn is_blocked(&self) -> bool {
        self.shared.tap.borrow().is_blocked()
    }

    /// What the kernel knows of the connection; `None` where the system does not say.
    pub fn tcp_state(&self) -> Option<TcpState> {
        self.shared.tap.borrow().connection.tcp_state()
    }

    /// Ends the connection: the origin answers with more interim responses than the `limit`, and would go on.
    pub fn condemn(&self, count: u32, limit: u32) {
        self.shared.tap.borrow_mut().frames.condemn(frames::Flood { kind: "HEADERS", count, limit });
    }

    /// Adds what is known of this request's connection, with the bytes of its own that were sent and received: for the
    /// cold path.
    pub fn testify(&self, bytes: (u64, u64), evidence: &mut Evidence) {
        let served = u32::try_from(self.served).unwrap_or(u32::MAX);
        self.shared.tap.borrow().connection.testify_of(self.idle, served, bytes, evidence);
        evidence.add(Fact::Protocol("HTTP/2"));
        evidence.add(Fact::Http2Connection {
            streams: self.shared.open.get(),
            served: self.served,
            most: u32::try_from(self.requests.current_max_send_streams()).unwrap_or(u32::MAX),
        });
    }

    /// Whether the origin has said all it had to say on this stream. The library forgets that when the connection ends while
    /// a request is still on its way.
    pub fn is_ended(&self, stream: h2::StreamId) -> bool {
        self.shared.tap.borrow().frames.is_ended(stream.as_u32())
    }

    /// What it means that a stream failed with `error`: before its head if `stream` is `None`.
    pub fn fault(&self, error: &h2::Error, stream: Option<h2::StreamId>) -> StreamFault {
        fault::stream_fault(&self.shared.tap.borrow(), error, stream.map(|stream| stream.as_u32()))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.last_used.set(Instant::now());
        self.shared.change(|shared| shared.open.set(shared.open.get().saturating_sub(1)));
    }
}

/// Gives the origin back the window that `data` took.
pub fn release(body: &mut RecvStream, data: &Bytes) {
    // It was received, so the stream knows of it; a stream that has ended needs no window.
    let _ = body.flow_control().release_capacity(data.len());
}

/// Drives a connection to its end.
struct Driver {
    connection: h2::client::Connection<TapStream, Bytes>,
    shared: Rc<Shared>,
    /// Those who wait until it is settled how many streams there are, and how long they do at most.
    settling: Option<(Option<Dialling>, Pin<Box<Sleep>>)>,
    goodbye: Option<Pin<Box<Sleep>>>,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.tap.borrow_mut().begin_turn();
        let ended = Pin::new(&mut this.connection).poll(cx).is_ready();
        if let Some((_, patience)) = &mut this.settling
            && (ended || this.shared.tap.borrow().frames.is_settled() || patience.as_mut().poll(cx).is_ready())
        {
            this.shared.settle();
            this.settling = None;
        }
        if ended {
            return Poll::Ready(());
        }
        if !this.shared.kept.get() && this.shared.open.get() == 0 {
            return this.goodbye.get_or_insert_with(|| Box::pin(sleep(GOODBYE))).as_mut().poll(cx);
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.change(|shared| shared.ended.set(true));
        self.shared.settle();
    }
}
