//! A visitor's connection over HTTP/2 (RFC 9113): many requests at once, each through the same pipeline.
//!
//! The library keeps the protocol: frames, HPACK, windows, the states of streams. Here is what it does not do: when a
//! connection ends, what becomes of what the library refused by itself, and which visitors ask too much.
//!
//! The whole connection is one task. Its streams are futures in it, so that they are dropped with it, and a record that
//! is open then closes as over HTTP/1.1.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Request;
use rayline_http1::{Limits, RequestParser};
use rayline_verdict::evidence::{End, Fact};
use rayline_verdict::fault::RequestCause;
use rayline_verdict::{Fault, Snippet};

use super::body::{Patience, Source};
use super::io::{LINGER_TIME, SharedIo, linger};
use super::{RequestBody, Visitor};
use crate::deadline::Deadline;
use crate::exchange::Incoming;
use crate::phase::accept;
use crate::pipeline;
use crate::running::Running;
use crate::worker::Worker;

mod body;
mod budget;
mod fault;
mod frames;
mod head;
mod reply;
mod tap;
mod writer;

pub(crate) use body::Body;
use frames::{Frames, SharedFrames};
use reply::{Reply, SharedReply};
use tap::{SharedWire, Tap, Wire};

/// What a client begins a connection with (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a visitor may send of one request's body, and of all of them together, before some of it was taken.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is kept of one answer for a visitor that is slow to take it.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that the library resets for what the visitor did with them, before it ends the connection.
const MOST_BROKEN_STREAMS: usize = 128;
/// How often the connection goes round before it lets others have a turn: streams, frames, socket.
const ROUNDS: usize = 4;
/// Requests that were given up before they were looked at, before the library ends the connection.
const MOST_RESET_UNSEEN: usize = 128;

type Accepted = (Request<RecvStream>, SendResponse<Bytes>);

/// Serves a visitor until one side closes. It is `busy` all the time: when draining begins it says GOAWAY and ends by
/// itself.
pub(crate) async fn serve(worker: Rc<Worker>, visitor: Visitor, io: SharedIo, busy: Rc<Cell<bool>>) {
    busy.set(true);
    let visitor = Rc::new(visitor);
    if let Some(mut connection) = Connection::open(&worker, &visitor, &io).await {
        let mut begins = pin!(worker.drain_begins.notified());
        let mut streams = FuturesUnordered::new();
        poll_fn(|cx| {
            for _ in 0..ROUNDS {
                while let Poll::Ready(Some(())) = streams.poll_next_unpin(cx) {}
                let draining = worker.is_draining() || begins.as_mut().poll(cx).is_ready();
                let mut goes_on = false;
                while let Poll::Ready(accepted) = connection.poll_accept(streams.len(), draining, cx) {
                    let Some(accepted) = accepted else {
                        // They see that it is over, and say so in their records.
                        while let Poll::Ready(Some(())) = streams.poll_next_unpin(cx) {}
                        return Poll::Ready(());
                    };
                    // In a box: the set keeps room for one that is none.
                    streams.push(Box::pin(connection.begin(accepted)));
                    goes_on = true;
                }
                goes_on |= connection.wire.borrow_mut().flush(cx);
                if !goes_on {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    linger(&io).await;
}

/// The library's connection with what surrounds it.
struct Connection {
    worker: Rc<Worker>,
    visitor: Rc<Visitor>,
    h2: h2::server::Connection<Tap, Bytes>,
    wire: SharedWire,
    frames: SharedFrames,
    parser: RequestParser,
    limits: Limits,
    head_timeout: Duration,
    /// What a request may take to arrive, or an idle connection to be used again; after GOAWAY, the visitor to take it.
    deadline: Deadline,
    /// What that is set for.
    wait: Wait,
    state: State,
}

/// What is waited for with limited patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Settings,
    /// The rest of a head that began then: nothing else can come in between (RFC 9113 §4.3).
    Head(Instant),
    /// Another request, all others being answered.
    Request,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// GOAWAY is said: what is under way may finish.
    Leaving,
    /// It ends as soon as the last GOAWAY is out.
    Ending,
}

impl Connection {
    /// Exchanges prefaces. `None`: there is no such connection, which the record says if there is anything to say.
    async fn open(worker: &Rc<Worker>, visitor: &Rc<Visitor>, io: &SharedIo) -> Option<Self> {
        let started = Instant::now();
        let running = worker.running_for(visitor, None);
        let (server, limits) = (running.server(), running.request_limits());
        let frames = Rc::new(RefCell::new(Frames::new(server.http2_max_streams)));
        let wire = Wire::new(worker, io, &frames);
        let mut builder = h2::server::Builder::new();
        builder
            .max_concurrent_streams(server.http2_max_streams)
            // The codec refuses what is too large, with a page. The library's own answer is for what is larger still.
            .max_header_list_size(u32::try_from(limits.head.saturating_mul(2)).unwrap_or(u32::MAX))
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER)
            .enable_connect_protocol()
            .max_local_error_reset_streams(Some(MOST_BROKEN_STREAMS))
            .max_pending_accept_reset_streams(MOST_RESET_UNSEEN);
        let mut handshake = pin!(builder.handshake(Tap(Rc::clone(&wire))));
        let handshake = poll_fn(|cx| {
            let polled = handshake.as_mut().poll(cx);
            wire.borrow_mut().flush(cx);
            polled
        });
        let handshake = tokio::time::timeout(server.client_head_timeout, handshake).await;
        let failed = match handshake {
            Ok(Ok(h2)) => {
                return Some(Self {
                    worker: Rc::clone(worker),
                    visitor: Rc::clone(visitor),
                    h2,
                    wire,
                    frames,
                    parser: RequestParser::new(limits),
                    limits,
                    head_timeout: server.client_head_timeout,
                    deadline: Deadline::default(),
                    wait: Wait::Nothing,
                    state: State::Open,
                });
            }
            Ok(Err(_)) if PREFACE.starts_with(frames.borrow().first()) => Fault::new(RequestCause::HeadTruncated),
            Ok(Err(_)) => fault::no_preface(frames.borrow().first()),
            Err(_) => timed_out(server.client_head_timeout),
        };
        let frames = frames.borrow();
        // A spare connection that never says a word is no request.
        if !frames.first().is_empty() {
            let failed = failed.with(Fact::FirstBytes(Snippet::first(frames.first())));
            accept::record_only(worker, visitor, started, failed);
        }
        None
    }

    /// The next stream. `None`: the connection is over.
    fn poll_accept(&mut self, serving: usize, draining: bool, cx: &mut Context<'_>) -> Poll<Option<Accepted>> {
        loop {
            match self.h2.poll_accept(cx) {
                Poll::Ready(Some(Ok(accepted))) => return Poll::Ready(Some(accepted)),
                Poll::Ready(Some(Err(error))) => {
                    self.note_refused();
                    self.note_error(&error);
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => {
                    self.note_refused();
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
            self.note_refused();
            if self.state == State::Ending {
                return self.deadline.poll(cx).map(|()| None);
            }
            let broken = self.frames.borrow().broken.as_ref().map(|broken| broken.reason);
            let at_rest = serving == 0 && !self.h2.has_streams();
            let reason = if let Some(reason) = broken {
                reason
            } else if draining && at_rest {
                Reason::NO_ERROR
            } else {
                if draining && self.state == State::Open {
                    self.state = State::Leaving;
                    self.h2.graceful_shutdown();
                    continue;
                }
                match self.poll_patience(at_rest, cx) {
                    Poll::Ready(reason) => reason,
                    Poll::Pending => return Poll::Pending,
                }
            };
            self.end(reason);
        }
    }

    fn running(&self) -> Rc<Running> {
        self.worker.running_for(&self.visitor, None)
    }

    /// Waits until the visitor's time is over: for a head that has begun, or for another request. The reason to end by.
    fn poll_patience(&mut self, at_rest: bool, cx: &mut Context<'_>) -> Poll<Reason> {
        let frames = self.frames.borrow();
        let wait = match frames.head_since {
            Some(since) => Wait::Head(since),
            None if !frames.is_set_up => Wait::Settings,
            None if at_rest => Wait::Request,
            None => Wait::Nothing,
        };
        drop(frames);
        if self.wait != wait {
            self.wait = wait;
            match wait {
                Wait::Head(_) | Wait::Settings => self.deadline.set_after(self.head_timeout),
                Wait::Request => self.deadline.set_after(self.running().server().keepalive_timeout),
                Wait::Nothing => self.deadline.clear(),
            }
        }
        self.deadline.poll(cx).map(|()| {
            match wait {
                Wait::Head(since) => self.record(since, timed_out(self.head_timeout)),
                Wait::Settings => self.record(Instant::now(), timed_out(self.head_timeout)),
                Wait::Request | Wait::Nothing => {}
            }
            Reason::NO_ERROR
        })
    }

    /// Ends the connection: GOAWAY, and no more than a moment for the visitor to take it.
    fn end(&mut self, reason: Reason) {
        self.state = State::Ending;
        self.deadline.set_after(LINGER_TIME);
        let mut frames = self.frames.borrow_mut();
        let broken = frames.broken.take();
        frames.ended_by = Some(reason.into());
        drop(frames);
        self.h2.abrupt_shutdown(reason);
        if let Some(broken) = broken {
            let goaway = fault::error("GOAWAY", reason.into(), End::Ours, None);
            self.record(Instant::now(), broken.fault.with(goaway));
        }
    }

    /// Records the streams that the library made no request of.
    fn note_refused(&mut self) {
        let refused = std::mem::take(&mut self.frames.borrow_mut().refused);
        for stream in refused {
            let mut record =
                accept::open_record(&self.worker, &self.running(), &self.visitor, stream.opened, Instant::now());
            record.edge_status = stream.status;
            record.edge_bytes = stream.bytes;
            record.close_with(stream.fault);
        }
    }

    /// Records the error by which the library ended the connection. The visitor's own, and that of a socket, is what its
    /// streams say it is to them.
    fn note_error(&self, error: &h2::Error) {
        if let Some(reason) = error.reason().filter(|_| error.is_library()) {
            let frames = self.frames.borrow();
            let fault = fault::goaway(reason, frames.goaway_text(), frames.costliest());
            drop(frames);
            self.frames.borrow_mut().ended_by = Some(reason.into());
            self.record(Instant::now(), fault);
        }
    }

    fn record(&self, since: Instant, fault: Fault) {
        accept::record_only(&self.worker, &self.visitor, since, fault);
    }

    /// Begins to serve a stream.
    fn begin(&mut self, (request, response): Accepted) -> impl Future<Output = ()> + use<> {
        let id = response.stream_id().as_u32();
        let (started, sent) = self.frames.borrow_mut().accept(id);
        let (parts, received) = request.into_parts();
        let reply = Rc::new(RefCell::new(Reply::new(response, sent, Rc::clone(&self.frames))));
        let mut buffer = self.worker.buffer();
        let request = head::read(&mut self.parser, &mut buffer, &parts, received.is_end_stream()).map(|head| {
            let source = Body::new(received, Rc::clone(&reply), head.framing(), self.limits);
            let (framing, awaits_continue) = (head.framing(), head.expects_continue());
            let patience = Patience::of(&self.running());
            (head, RequestBody::new(Source::Http2(source), framing, patience, awaits_continue))
        });
        if request.is_err() {
            self.parser = RequestParser::new(self.limits);
        }
        self.worker.give_back(buffer);
        let serving = Serving { frames: Rc::clone(&self.frames), id };
        let (worker, visitor) = (Rc::clone(&self.worker), Rc::clone(&self.visitor));
        serve_stream(worker, visitor, Incoming { started, ready: Instant::now(), request }, reply, serving)
    }
}

async fn serve_stream(
    worker: Rc<Worker>,
    visitor: Rc<Visitor>,
    incoming: Incoming,
    reply: SharedReply,
    serving: Serving,
) {
    let served = {
        // In a box: it is by far the most of a stream, and not needed any more while the answer is being taken.
        let mut serving = Box::pin(pipeline::serve(&worker, &visitor, incoming));
        // A phase that waits for something else does not see that the stream is over. It is dropped then, and the record
        // with it says why.
        poll_fn(|cx| match serving.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => reply.borrow_mut().poll_over(cx).map(|over| {
                worker.give_up(over);
                None
            }),
        })
        .await
    };
    let Some(answer) = served else {
        // Where the record was closed before, it is nobody else's word.
        worker.given_up();
        return;
    };
    if writer::write(&worker, &serving.frames, &reply, answer).await {
        serving.frames.borrow_mut().answered();
    }
}

fn timed_out(limit: Duration) -> Fault {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    Fault::new(RequestCause::HeadTimedOut).with(Fact::Timer { setting: "client_head_timeout", limit_ms })
}

/// A stream that is being served.
struct Serving {
    frames: SharedFrames,
    id: u32,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.frames.borrow_mut().forget(self.id);
    }
}
