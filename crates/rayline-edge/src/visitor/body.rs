//! The body of a request, pulled piece by piece: nothing is read that nobody has room for.
//!
//! How its bytes come is the protocol's affair; limits and patience are the same for all.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use rayline_http1::{Fields, Framing, ResponseHead};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;

use super::{http1, http2};
use crate::deadline::Deadline;
use crate::running::Running;

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(Fields),
    End,
}

/// Where the bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    Http1(http1::Body),
    Http2(http2::Body),
}

/// An answer before the answer (RFC 9110 §15.2).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interim<'a> {
    /// `100 Continue`: send the body.
    Continue,
    /// The origin's, to be passed on.
    Passed(&'a ResponseHead),
}

/// How much of a body is accepted, and how slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Most body bytes.
    pub(crate) limit: u64,
    /// Longest wait between two reads.
    pub(crate) between_reads: Duration,
}

impl Patience {
    /// What the plan says, before the zone has its say.
    pub(crate) fn of(running: &Running) -> Self {
        let between_reads = running.server().client_body_timeout;
        Self { limit: running.limits().request_body_bytes, between_reads }
    }
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct RequestBody {
    source: Source,
    framing: Framing,
    deadline: Deadline,
    patience: Patience,
    received: u64,
    /// What was read already and given back, in order.
    again: VecDeque<Piece>,
    /// The visitor waits for `100 Continue` before it sends.
    pub(crate) awaits_continue: bool,
}

impl RequestBody {
    pub(crate) fn new(source: Source, framing: Framing, patience: Patience, awaits_continue: bool) -> Self {
        let mut body = Self {
            source,
            framing,
            deadline: Deadline::default(),
            patience,
            received: 0,
            again: VecDeque::new(),
            awaits_continue: false,
        };
        body.awaits_continue = awaits_continue && !body.is_done();
        body
    }

    /// How its end is told.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether all of it has been read.
    pub(crate) fn is_done(&self) -> bool {
        let is_read = match &self.source {
            Source::Http1(body) => body.is_done(),
            Source::Http2(body) => body.is_done(),
        };
        is_read && self.again.is_empty()
    }

    /// Gives back what was read: whoever reads next gets it once more, before what follows.
    pub(crate) fn put_back(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.again.extend(pieces);
    }

    /// Body bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Whether the stream was opened as a tunnel, which it is not yet (RFC 8441 §4).
    pub(crate) fn awaits_tunnel(&self) -> bool {
        match &self.source {
            Source::Http1(_) => false,
            Source::Http2(body) => body.awaits_tunnel(),
        }
    }

    /// Both sides have switched protocols: what comes is passed on as it is, as much and as slowly as it may.
    pub(crate) fn open_tunnel(&mut self) {
        self.framing = Framing::Close;
        self.patience.limit = u64::MAX;
        match &mut self.source {
            Source::Http1(body) => body.open_tunnel(),
            Source::Http2(body) => body.open_tunnel(),
        }
    }

    /// Lowers the limit to the zone's, once the zone is known.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.patience.limit = limit;
    }

    /// Refuses a body whose announced length is over the limit, before a byte of it is read.
    ///
    /// # Errors
    /// `BodyTooLarge`.
    pub(crate) fn check_announced(&self) -> Result<(), Fault> {
        match self.framing {
            Framing::Length(length) if length > self.patience.limit => Err(self.too_large(length)),
            Framing::Length(_) | Framing::None | Framing::Chunked | Framing::Close => Ok(()),
        }
    }

    /// The next piece. After `End` always `End`.
    ///
    /// # Errors
    /// The visitor's faults: truncated, malformed, too large, too slow.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        if let Some(piece) = self.again.pop_front() {
            return Poll::Ready(Ok(piece));
        }
        let piece = match &mut self.source {
            Source::Http1(body) => body.poll_next(cx),
            Source::Http2(body) => body.poll_next(cx),
        };
        match piece {
            Poll::Ready(Ok(Piece::Data(data))) => {
                self.awaits_continue = false;
                self.deadline.clear();
                self.received += data.len() as u64;
                if self.received > self.patience.limit {
                    return Poll::Ready(Err(self.too_large(self.received)));
                }
                Poll::Ready(Ok(Piece::Data(data)))
            }
            Poll::Ready(other) => Poll::Ready(other),
            // In a tunnel silence is the tunnel's affair.
            Poll::Pending if self.framing == Framing::Close => Poll::Pending,
            Poll::Pending => {
                self.deadline.set_after_if_unset(self.patience.between_reads);
                ready!(self.deadline.poll(cx));
                let limit_ms = u64::try_from(self.patience.between_reads.as_millis()).unwrap_or(u64::MAX);
                Poll::Ready(Err(Fault::new(RequestCause::BodyTimedOut)
                    .with(Fact::Timer { setting: "client_body_timeout", limit_ms })
                    .with(Fact::Body { received: self.received, expected: self.expected() })))
            }
        }
    }

    /// Ready when the visitor has left while we owe it an answer.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.source {
            Source::Http1(body) => body.poll_gone(cx),
            Source::Http2(body) => body.poll_gone(cx),
        }
    }

    /// Whether the visitor has given the request up already, as far as that can be told without asking the system.
    pub(crate) fn is_abandoned(&mut self) -> bool {
        match &mut self.source {
            Source::Http1(_) => false,
            Source::Http2(body) => body.poll_gone(&mut Context::from_waker(Waker::noop())).is_ready(),
        }
    }

    /// Queues an interim response for the visitor.
    pub(crate) fn queue_interim(&mut self, interim: Interim<'_>) {
        match &mut self.source {
            Source::Http1(body) => body.queue_interim(interim),
            Source::Http2(body) => body.queue_interim(interim),
        }
    }

    /// Writes queued interim responses out as far as the visitor takes them. What goes wrong is met again by whoever
    /// writes next.
    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) {
        match &mut self.source {
            Source::Http1(body) => body.poll_interim(cx),
            // The connection writes them.
            Source::Http2(_) => {}
        }
    }

    fn expected(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked | Framing::Close => None,
        }
    }

    fn too_large(&self, seen: u64) -> Fault {
        let limit = self.patience.limit;
        Fault::new(RequestCause::BodyTooLarge).with(Fact::Limit { what: "request body", seen, limit })
    }
}
