//! A visitor's connection over HTTP/1.1: takes requests from it in order, and writes each answer before it reads the
//! next.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rayline_dial::http1::request_fault;
use rayline_http1::{Limits, Parsed, RequestHead, RequestParser};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;
use rayline_verdict::snippet::Snippet;

use super::body::{Patience, Source};
use super::io::{SharedIo, VisitorIo, linger};
use super::{Protocol, RequestBody, Stream, Visitor, http2};
use crate::deadline::Deadline;
use crate::exchange::Incoming;
use crate::phase::{accept, reply};
use crate::pipeline;
use crate::worker::Worker;

mod body;
mod writer;

use writer::After;

pub(crate) use body::Body;

/// Serves a visitor until one side closes. `busy` tells draining whether a request is being served, or its answer is
/// still being taken. A visitor that begins with the preface of HTTP/2 is handed on.
///
/// The future has room for what its block captures once, where it would have it twice for the parameters of an
/// `async fn`: there is one for each visitor.
pub(crate) fn serve(
    worker: Rc<Worker>,
    mut visitor: Visitor,
    stream: Stream,
    busy: Rc<Cell<bool>>,
) -> impl Future<Output = ()> {
    let io: SharedIo = Rc::new(RefCell::new(VisitorIo::new(stream)));
    let mut reader = Reader::new(worker.running_for(&visitor, None).request_limits(), visitor.tls.is_none());
    let mut rests_since = Instant::now();
    async move {
        loop {
            let incoming = match reader.next(&worker, &visitor, &io, &busy, rests_since).await {
                Ok(incoming) => incoming,
                Err(Last::Over) => break,
                Err(Last::Http2) => {
                    visitor.protocol = Protocol::Http2;
                    // In a box of its own, as on the other way there: who speaks HTTP/1.1 need not hold the room for it.
                    return Box::pin(http2::serve(worker, visitor, io, busy)).await;
                }
            };
            busy.set(true);
            // What it takes to serve a request is held while one is served: most visitors are idle most of the time.
            let responded = async {
                let answer = pipeline::serve(&worker, &visitor, incoming).await;
                writer::write(&worker, &io, answer).await
            };
            match Box::pin(responded).await {
                After::Close => return,
                After::Next { since } if !worker.is_draining() => {
                    busy.set(false);
                    rests_since = since;
                }
                After::Next { .. } | After::Linger => break,
            }
        }
        Box::pin(linger(&io)).await;
    }
}

/// Answers a connection that is not to be served at all.
pub(crate) async fn refuse(worker: &Rc<Worker>, visitor: &Visitor, stream: Stream, started: Instant, fault: Fault) {
    let io: SharedIo = Rc::new(RefCell::new(VisitorIo::new(stream)));
    let running = worker.running_for(visitor, None);
    let record = accept::open_record(worker, &running, visitor, started, Instant::now());
    writer::write(worker, &io, reply::refuse_unread(&running, record, fault)).await;
    linger(&io).await;
}

/// Reads request heads.
struct Reader {
    parser: RequestParser,
    limits: Limits,
    deadline: Deadline,
    first: bool,
    /// What comes may still be the preface of HTTP/2.
    may_be_http2: bool,
}

/// Why no other request comes.
enum Last {
    /// The visitor speaks HTTP/2 (RFC 9113 §3.3).
    Http2,
    /// The connection has ended.
    Over,
}

/// What reading came to.
enum Read {
    Head(RequestHead),
    Http2,
    /// The connection ended between two requests: nothing to answer, nothing to record.
    Over,
    Fault(Fault),
}

impl Reader {
    fn new(limits: Limits, may_be_http2: bool) -> Self {
        let parser = RequestParser::new(limits);
        Self { parser, limits, deadline: Deadline::default(), first: true, may_be_http2 }
    }

    /// Takes what has come to the parser, unless it is the preface of HTTP/2, or may become it. `None`: more is needed.
    fn parse(&mut self, input: &mut BytesMut) -> Option<Read> {
        if self.may_be_http2 {
            if input.starts_with(http2::PREFACE) {
                return Some(Read::Http2);
            }
            if http2::PREFACE.starts_with(input) {
                return None;
            }
            self.may_be_http2 = false;
        }
        match self.parser.parse(input) {
            Ok(Parsed::Complete(head)) => Some(Read::Head(head)),
            Ok(Parsed::Partial) => None,
            Err(refusal) => Some(Read::Fault(request_fault(&refusal))),
        }
    }

    /// The next request, or the fault that kept it from being one. The visitor's patience counts from `since`.
    async fn next(
        &mut self,
        worker: &Rc<Worker>,
        visitor: &Visitor,
        io: &SharedIo,
        busy: &Cell<bool>,
        since: Instant,
    ) -> Result<Incoming, Last> {
        let running = worker.running_for(visitor, None);
        let server = running.server();
        let patience = if self.first { server.client_head_timeout } else { server.keepalive_timeout };
        self.first = false;
        self.deadline.set((since + patience).into());
        io.borrow_mut().rest();
        let mut started = None;
        let head_timeout = server.client_head_timeout;
        let outcome = poll_fn(|cx| {
            let mut io = io.borrow_mut();
            loop {
                if !io.input.is_empty() {
                    if let Some(read) = self.parse(&mut io.input) {
                        return Poll::Ready(read);
                    }
                    // Empty lines, which the parser takes off, are no request yet.
                    if started.is_none() && !io.input.is_empty() {
                        started = Some(Instant::now());
                        busy.set(true);
                        self.deadline.set_after(head_timeout);
                    }
                }
                // A visitor that is idle holds no buffer.
                if io.input.is_empty() && io.poll_readable(cx).is_pending() {
                    worker.give_back(std::mem::take(&mut io.input));
                    break;
                }
                if io.input.capacity() == 0 {
                    io.input = worker.buffer();
                }
                match io.poll_fill(cx, 1) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(self.ended(&io)),
                    Poll::Pending => break,
                }
            }
            self.deadline.poll(cx).map(|()| self.timed_out(&io, head_timeout))
        })
        .await;
        let ready = Instant::now();
        let started = started.unwrap_or(ready);
        let request = match outcome {
            Read::Over => return Err(Last::Over),
            Read::Http2 => return Err(Last::Http2),
            Read::Fault(fault) => Err(fault),
            Read::Head(head) => {
                // The plan may have changed while the connection was idle.
                let patience = Patience::of(&worker.running_for(visitor, None));
                let source = Source::Http1(Body::new(Rc::clone(io), head.framing(), &self.limits));
                let body = RequestBody::new(source, head.framing(), patience, head.expects_continue());
                Ok((head, body))
            }
        };
        self.deadline.clear();
        Ok(Incoming { started, ready, request })
    }

    fn ended(&self, io: &VisitorIo) -> Read {
        match self.parser.eof(&io.input) {
            None => Read::Over,
            Some(refusal) => Read::Fault(request_fault(&refusal).with(Fact::FirstBytes(Snippet::first(&io.input)))),
        }
    }

    fn timed_out(&self, io: &VisitorIo, limit: Duration) -> Read {
        if io.input.is_empty() {
            return Read::Over;
        }
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Read::Fault(
            Fault::new(RequestCause::HeadTimedOut)
                .with(Fact::Timer { setting: "client_head_timeout", limit_ms })
                .with(Fact::FirstBytes(Snippet::first(&io.input))),
        )
    }
}
