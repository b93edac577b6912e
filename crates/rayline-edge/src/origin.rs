//! A request's link to its origin, whatever protocol is spoken on it: the phases send, wait and receive through this, and
//! read the same for all.
//!
//! What is said on the link is the protocols' affair, one file each; when a request is sent again is that of the phases.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rayline_dial::Pipe;
use rayline_http1::{Framing, Limits, RequestKind, ResponseHead};
use rayline_verdict::Fault;
use rayline_verdict::evidence::{Fact, TcpState};
use rayline_verdict::snippet::Snippet;

use crate::deadline::Deadline;
use crate::visitor::body::Piece;

mod convert;
pub(crate) mod http1;
pub(crate) mod http2;

/// An origin's connection, or a place on one, in use by one request.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "HTTP/1.1 is the usual case, and should not pay an allocation for the other"
)]
pub(crate) enum Link {
    Http1(http1::Link),
    Http2(Box<http2::Link>),
}

/// The origin takes no more of the request. It may have answered before, so reading decides what that means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

/// How far a request is when something is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All of it is with the connection.
    Whole,
    /// There is more to come, or the origin would not take the rest.
    Partly,
}

/// What the kernel has on its way to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backlog {
    unsent_bytes: u32,
    unacked_segments: u32,
}

impl From<TcpState> for Backlog {
    fn from(tcp: TcpState) -> Self {
        Self { unsent_bytes: tcp.unsent_bytes, unacked_segments: tcp.unacked_segments }
    }
}

/// Whether a request that failed may be sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nobody knows what the origin did with it.
    Never,
    /// The connection was closed for having been idle, it seems: if the method allows it.
    Stale,
    /// The origin did nothing with it, and says so: whatever the method.
    Unprocessed,
    /// The same, and it wants HTTP/1.1.
    OverHttp1,
}

/// What ended the wait for a head.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) repeat: Repeat,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, repeat: Repeat::Never }
    }
}

/// Calls the same on whichever protocol's link.
macro_rules! either {
    ($self:expr, $link:ident => $out:expr) => {
        match $self {
            Self::Http1($link) => $out,
            Self::Http2($link) => $out,
        }
    };
}

impl Link {
    pub(crate) fn address(&self) -> SocketAddr {
        either!(self, link => link.address())
    }

    /// `HTTP/1.1` or `HTTP/2`.
    pub(crate) fn protocol(&self) -> &'static str {
        match self {
            Self::Http1(_) => "HTTP/1.1",
            Self::Http2(_) => "HTTP/2",
        }
    }

    /// The TLS version, or `none`.
    pub(crate) fn ssl_protocol(&self) -> &'static str {
        either!(self, link => link.tls_version()).unwrap_or("none")
    }

    /// Whether the connection served a request before this one.
    pub(crate) fn is_reused(&self) -> bool {
        either!(self, link => link.is_reused())
    }

    /// Whether the origin can say of a request that it did nothing with it. Over HTTP/1.1 none can.
    pub(crate) fn may_leave_requests(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Bytes of this request sent so far.
    pub(crate) fn sent(&self) -> u64 {
        either!(self, link => link.sent())
    }

    /// What the kernel knows of the connection.
    pub(crate) fn tcp_state(&self) -> Option<TcpState> {
        either!(self, link => link.tcp_state())
    }

    /// The timer of waiting and receiving.
    pub(crate) fn deadline(&mut self) -> &mut Deadline {
        either!(self, link => &mut link.deadline)
    }

    /// Whether a request may ask for a WebSocket here. Over HTTP/2 the origin says so, and is waited for (RFC 8441 §3).
    pub(crate) async fn takes_tunnel(&self) -> bool {
        match self {
            Self::Http1(_) => true,
            Self::Http2(link) => link.takes_tunnel().await,
        }
    }

    /// The status as the origin sent it: over HTTP/2, what comes as `101` was a success (RFC 8441 §5).
    pub(crate) fn status(&self, head: &ResponseHead) -> u16 {
        match (self, head.status) {
            (Self::Http2(_), 101) => 200,
            (Self::Http1(_) | Self::Http2(_), status) => status,
        }
    }

    /// Begins with the request, whose head was encoded for HTTP/1.1; with `end` there is no body.
    pub(crate) fn begin(&mut self, head: &[u8], end: bool) {
        either!(self, link => link.begin(head, end));
    }

    /// Whether a piece of the body may be queued behind a head that is not flushed yet: what goes out in one write costs
    /// least. Over HTTP/2 the head must have been let onto a stream first.
    pub(crate) fn takes_body_with_head(&self) -> bool {
        matches!(self, Self::Http1(_))
    }

    /// A number that grows while the origin takes the request.
    pub(crate) fn taken(&self) -> u64 {
        either!(self, link => link.taken())
    }

    /// Hands on what is queued of the request, as far as the origin takes it.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        either!(self, link => link.poll_flush(cx))
    }

    /// Queues a piece of the request's body. All before it is flushed.
    pub(crate) fn queue(&mut self, piece: Piece, framing: Framing) {
        either!(self, link => link.queue(piece, framing));
    }

    /// What the kernel has on its way: while nothing more is queued it changes only by what the origin's kernel takes.
    /// `None` where the request does not wait for the socket.
    pub(crate) fn backlog(&self) -> Option<Backlog> {
        let waits = match self {
            Self::Http1(_) => true,
            Self::Http2(link) => link.is_blocked(),
        };
        waits.then(|| self.tcp_state().map(Backlog::from)).flatten()
    }

    /// The fault of an origin that took nothing for `limit`.
    pub(crate) fn stalled(&self, limit: Duration) -> Fault {
        either!(self, link => link.stalled(limit))
    }

    /// The next head of the response: that of an interim response, or of the final one.
    pub(crate) fn poll_head(
        &mut self,
        kind: RequestKind,
        sent: Sent,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        either!(self, link => link.poll_head(kind, sent, cx))
    }

    /// The origin sends interim responses without an end: it is not to be listened to any longer, for anybody's request.
    pub(crate) fn condemn(&self, count: u32, limit: u32) {
        match self {
            // Nobody takes over a connection whose response was not read to its end.
            Self::Http1(_) => {}
            Self::Http2(link) => link.condemn(count, limit),
        }
    }

    /// The origin took or answered nothing in time: where nothing came from it for anybody, nobody else is to wait for it on
    /// this connection.
    pub(crate) fn doubt(&self) {
        match self {
            // It goes with the request.
            Self::Http1(_) => {}
            Self::Http2(link) => link.doubt(),
        }
    }

    /// Begins with the response's body, after the final head, which was read by `now`.
    pub(crate) fn begin_body(&mut self, head: &ResponseHead, limits: &Limits, now: Instant) {
        match self {
            Self::Http1(link) => link.begin_body(head, limits, now),
            Self::Http2(link) => link.begin_body(head, limits),
        }
    }

    /// Begins with what comes behind a `101`.
    pub(crate) fn begin_tunnel(&mut self, limits: &Limits) {
        either!(self, link => link.begin_tunnel(limits));
    }

    /// The next piece of the body. Nothing is to be asked for after the end or the trailers. What comes in large amounts may
    /// go through the pipe instead: what is in there comes before the piece.
    ///
    /// # Errors
    /// A body that was cut or broken.
    pub(crate) fn poll_piece(&mut self, pipe: Option<&mut Pipe>, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        match self {
            Self::Http1(link) => link.poll_piece(pipe, cx),
            Self::Http2(link) => link.poll_piece(cx),
        }
    }

    /// Whether a body may go through a pipe.
    pub(crate) fn takes_pipe(&self) -> bool {
        match self {
            Self::Http1(link) => link.is_plain(),
            Self::Http2(_) => false,
        }
    }

    /// The next piece, if it has been received already.
    pub(crate) fn next_piece(&mut self) -> Option<Result<Piece, Fault>> {
        either!(self, link => link.next_piece())
    }

    /// Bytes of the body received.
    pub(crate) fn body_received(&self) -> u64 {
        either!(self, link => link.body_received())
    }

    /// Adds what both taps know. A cold path: it asks the kernel.
    pub(crate) fn testify(&self, fault: Fault) -> Fault {
        either!(self, link => link.testify(fault))
    }

    /// The same, with what came of a head that is not to become one.
    pub(crate) fn testify_of_head(&self, fault: Fault) -> Fault {
        match self {
            Self::Http1(link) => link.testify_of_head(fault),
            Self::Http2(link) => link.testify(fault),
        }
    }

    /// The first bytes of a head, for the evidence.
    pub(crate) fn first_bytes(&self, head: &ResponseHead) -> Snippet {
        match self {
            Self::Http1(_) => Snippet::first(head.raw()),
            Self::Http2(_) => convert::first_bytes(head),
        }
    }

    /// The response is over. The connection is kept where it can take another request: over HTTP/1.1 if both sides are at
    /// rest, that is `request_done` and nothing behind the response. Over HTTP/2 it is in the pool already.
    pub(crate) fn finish(self, target: &crate::phase::resolve::Target, request_done: bool) {
        match self {
            Self::Http1(link) => link.finish(target, request_done),
            Self::Http2(link) => link.finish(),
        }
    }
}

/// A timer that ran out, with its limit.
pub(crate) fn timer(setting: &'static str, limit: Duration) -> Fact {
    Fact::Timer { setting, limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
}
