//! A visitor's connection over HTTP/1.1: takes requests from it in order, and writes each answer before it reads the
//! next.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use rayline_dial::http1::request_fault;
use rayline_http1::{Limits, Parsed, RequestHead, RequestParser};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;
use rayline_verdict::snippet::Snippet;

use super::body::{Patience, Source};
use super::{RequestBody, Stream, Visitor};
use crate::deadline::Deadline;
use crate::exchange::Incoming;
use crate::phase::{accept, reply};
use crate::pipeline;
use crate::worker::Worker;

mod body;
mod io;
mod writer;

pub(crate) use body::Body;
use io::VisitorIo;

/// The connection, shared by the request's body (which reads) and the answer (which writes). Both live on one
/// thread and borrow it only while they poll.
type SharedIo = Rc<RefCell<VisitorIo>>;

/// How much of an unread request is read and thrown away before the connection closes, so that the answer is not lost
/// to a reset (RFC 9112 §9.6), and for how long.
const LINGER_BYTES: usize = 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Serves a visitor until one side closes. `busy` tells draining whether a request is being served, or its answer is
/// still being taken.
pub(crate) async fn serve(worker: Rc<Worker>, visitor: Visitor, stream: Stream, busy: Rc<Cell<bool>>) {
    let io: SharedIo = Rc::new(RefCell::new(VisitorIo::new(stream)));
    let mut reader = Reader::new(worker.running().request_limits());
    while let Some(incoming) = reader.next(&worker, &io, &busy).await {
        busy.set(true);
        let answer = pipeline::serve(&worker, &visitor, incoming).await;
        let goes_on = writer::write(&worker, &io, answer).await;
        if !goes_on || worker.is_draining() {
            break;
        }
        busy.set(false);
    }
    linger(&io).await;
}

/// Answers a connection that is not to be served at all.
pub(crate) async fn refuse(worker: &Rc<Worker>, visitor: &Visitor, stream: Stream, started: Instant, fault: Fault) {
    let io: SharedIo = Rc::new(RefCell::new(VisitorIo::new(stream)));
    let running = worker.running();
    let record = accept::open_record(worker, &running, visitor, started);
    writer::write(worker, &io, reply::refuse_unread(&running, record, fault)).await;
    linger(&io).await;
}

/// Closes our side and waits a little for the other: what the visitor still sends must not meet a closed socket.
async fn linger(io: &SharedIo) {
    let mut deadline = Deadline::default();
    deadline.set_after(LINGER_TIME);
    let mut left = LINGER_BYTES;
    poll_fn(|cx| {
        let mut io = io.borrow_mut();
        if io.reset_on_drop || deadline.poll(cx).is_ready() || io.poll_shutdown(cx).is_pending() {
            return if io.reset_on_drop { Poll::Ready(()) } else { deadline.poll(cx) };
        }
        loop {
            io.input.clear();
            match io.poll_fill(cx, 16 * 1024) {
                Poll::Ready(Ok(count @ 1..)) if count < left => left -= count,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return deadline.poll(cx),
            }
        }
    })
    .await;
}

/// Reads request heads.
struct Reader {
    parser: RequestParser,
    limits: Limits,
    deadline: Deadline,
    first: bool,
}

/// What reading came to.
enum Read {
    Head(Box<RequestHead>),
    /// The connection ended between two requests: nothing to answer, nothing to record.
    Over,
    Fault(Fault),
}

impl Reader {
    fn new(limits: Limits) -> Self {
        Self { parser: RequestParser::new(limits), limits, deadline: Deadline::default(), first: true }
    }

    /// The next request, or the fault that kept it from being one. `None` at the end of the connection.
    async fn next(&mut self, worker: &Rc<Worker>, io: &SharedIo, busy: &Cell<bool>) -> Option<Incoming> {
        let running = worker.running();
        let server = running.server();
        let patience = if self.first { server.client_head_timeout } else { server.keepalive_timeout };
        self.first = false;
        self.deadline.set_after(patience);
        io.borrow_mut().rest();
        let mut started = None;
        let head_timeout = server.client_head_timeout;
        let outcome = poll_fn(|cx| {
            let mut io = io.borrow_mut();
            loop {
                if !io.input.is_empty() {
                    match self.parser.parse(&mut io.input) {
                        Ok(Parsed::Complete(head)) => return Poll::Ready(Read::Head(Box::new(head))),
                        Ok(Parsed::Partial) => {}
                        Err(refusal) => return Poll::Ready(Read::Fault(request_fault(&refusal))),
                    }
                    // Empty lines, which the parser takes off, are no request yet.
                    if started.is_none() && !io.input.is_empty() {
                        started = Some(Instant::now());
                        busy.set(true);
                        self.deadline.set_after(head_timeout);
                    }
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
        let started = started.unwrap_or_else(Instant::now);
        let request = match outcome {
            Read::Over => return None,
            Read::Fault(fault) => Err(fault),
            Read::Head(head) => {
                // The plan may have changed while the connection was idle.
                let running = worker.running();
                let patience = Patience {
                    limit: running.limits().request_body_bytes,
                    between_reads: running.server().client_body_timeout,
                };
                let source = Source::Http1(Body::new(Rc::clone(io), head.framing(), &self.limits));
                let body = RequestBody::new(source, head.framing(), patience, head.expects_continue());
                Ok((*head, body))
            }
        };
        self.deadline.clear();
        Some(Incoming { started, request })
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
