//! An HTTP/1.1 connection in use by one request: the connection, what is on its way in and out, its parser, its timer.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rayline_dial::http1::response_fault;
use rayline_dial::{Break, Connection, Pipe, session_fault};
use rayline_http1::{BodyDecoder, Decoded, Framing, Limits, Parsed, RequestKind, ResponseHead, ResponseParser, encode};
use rayline_verdict::Fault;
use rayline_verdict::evidence::{Fact, TcpState};
use rayline_verdict::fault::{ReceiveCause, SendCause, WaitCause};
use rayline_verdict::snippet::{SNIPPET_BYTES, Snippet};
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{Failure, Refused, Repeat, Sent, timer};
use crate::deadline::Deadline;
use crate::hop::{Known, put_trailers};
use crate::output::Output;
use crate::phase::resolve::Target;
use crate::visitor::body::Piece;
use crate::worker::Worker;

/// Room for a typical response head with a small body.
const HEAD_READ: usize = 16 * 1024;
/// How many bytes of a body are looked at where the rest goes through a pipe: the last ones are evidence if it breaks off.
const SEEN: u64 = 32;
/// The least and most read at once while a body streams.
const READ: std::ops::RangeInclusive<u64> = 16 * 1024..=256 * 1024;

/// An HTTP/1.1 connection in use.
pub(crate) struct Link {
    connection: Connection,
    input: BytesMut,
    output: Output,
    parser: ResponseParser,
    /// From the final head on.
    body: Option<BodyDecoder>,
    framing: Framing,
    /// The head lets another request follow.
    keep_alive: bool,
    /// Both sides have switched to a protocol that is not ours to read.
    tunnel: bool,
    /// Nothing more will be sent through it.
    sent_all: bool,
    pub(super) deadline: Deadline,
    /// Bytes received for this request.
    received: u64,
    /// When the last of them had come, if that is known: small answers come with their heads.
    read_at: Option<Instant>,
    /// The zone's SSL mode: the reason why TLS is spoken, or not.
    ssl_mode: &'static str,
    worker: Rc<Worker>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("received", &self.received).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(worker: &Rc<Worker>, connection: Connection, limits: Limits, ssl_mode: &'static str) -> Self {
        Self {
            connection,
            input: worker.buffer(),
            output: Output { prefix: worker.buffer(), ..Output::default() },
            parser: ResponseParser::new(limits),
            body: None,
            framing: Framing::None,
            keep_alive: false,
            tunnel: false,
            sent_all: false,
            deadline: worker.deadline(),
            received: 0,
            read_at: None,
            ssl_mode,
            worker: Rc::clone(worker),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.connection.address()
    }

    pub(super) fn tls_version(&self) -> Option<&'static str> {
        self.connection.tls().map(|(version, _)| version)
    }

    pub(super) fn is_reused(&self) -> bool {
        self.connection.is_reused()
    }

    pub(super) fn sent(&self) -> u64 {
        self.connection.request_bytes().0
    }

    pub(super) fn tcp_state(&self) -> Option<TcpState> {
        self.connection.tcp_state()
    }

    pub(super) fn begin(&mut self, head: &[u8], _: bool) {
        self.output.prefix.extend_from_slice(head);
    }

    pub(super) fn taken(&self) -> u64 {
        self.output.written
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        ready!(self.output.poll_flush(&mut self.connection, cx)).map_err(|_| Refused)?;
        if self.sent_all {
            Pin::new(&mut self.connection).poll_shutdown(cx).map_err(|_| Refused)
        } else {
            Poll::Ready(Ok(()))
        }
    }

    pub(super) fn queue(&mut self, piece: Piece, framing: Framing) {
        let chunked = framing == Framing::Chunked;
        match piece {
            Piece::Data(data) => {
                if chunked {
                    self.output.prefix.extend_from_slice(&encode::chunk_head(data.len()));
                    self.output.suffix = encode::CHUNK_END;
                }
                self.output.data = data;
            }
            Piece::Trailers(fields) => {
                put_trailers(&mut self.output.prefix, &fields, |name| Known::of(name).is_none());
            }
            Piece::End if chunked => self.output.suffix = encode::LAST_CHUNK,
            // Nothing but the close tells the end of what has no framing.
            Piece::End => self.sent_all = self.tunnel,
        }
    }

    pub(super) fn stalled(&self, limit: Duration) -> Fault {
        self.testify(Fault::new(SendCause::TimedOut).with(timer("write_timeout", limit)))
    }

    /// Reads once, with room for at least `want` bytes. `Ready(0)`: the origin closed.
    ///
    /// # Errors
    /// The socket's, or TLS's.
    fn poll_fill(&mut self, cx: &mut Context<'_>, want: usize) -> Poll<io::Result<usize>> {
        self.input.reserve(want.max(HEAD_READ));
        let count = ready!(pin!(self.connection.read_buf(&mut self.input)).poll(cx))?;
        self.received += count as u64;
        self.read_at = None;
        Poll::Ready(Ok(count))
    }

    pub(super) fn poll_head(
        &mut self,
        kind: RequestKind,
        sent: Sent,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        loop {
            if !self.input.is_empty() {
                match self.parser.parse(&mut self.input, kind) {
                    Ok(Parsed::Complete(head)) => return Poll::Ready(Ok(head)),
                    Ok(Parsed::Partial) => {}
                    Err(refusal) => return Poll::Ready(Err(response_fault(&refusal).into())),
                }
            }
            match ready!(self.poll_fill(cx, 1)) {
                Ok(1..) => {}
                Ok(0) => return Poll::Ready(Err(self.ended_before_head(sent, None))),
                Err(error) => return Poll::Ready(Err(self.ended_before_head(sent, Some(&error)))),
            }
        }
    }

    /// The fault of a connection that ended before the head was whole.
    fn ended_before_head(&self, sent: Sent, error: Option<&io::Error>) -> Failure {
        let broken = error.map(|error| session_fault(&self.connection, error));
        let how = broken.as_ref().map_or(Break::Closed, |broken| broken.how);
        // Interim responses are heads of their own, and gone from the buffer.
        let begun = !self.input.is_empty();
        let cause = match how {
            Break::Closed | Break::Reset | Break::TlsBroken if begun => WaitCause::HalfHead.into(),
            other => other.before_head(sent == Sent::Whole),
        };
        let ended = matches!(how, Break::Closed | Break::Reset | Break::TlsBroken);
        // An origin that closes idle connections does so without knowing that a request is on its way (RFC 9112 §9.3.1).
        let stale = ended && self.is_reused() && self.received == 0;
        Failure {
            fault: Fault { cause, evidence: broken.map(|broken| broken.evidence).unwrap_or_default() },
            repeat: if stale { Repeat::Stale } else { Repeat::Never },
        }
    }

    /// Begins with the body behind a head that was read by `now`.
    pub(super) fn begin_body(&mut self, head: &ResponseHead, limits: &Limits, now: Instant) {
        self.read_at = Some(now);
        self.framing = head.framing();
        self.keep_alive = head.keep_alive();
        self.body = Some(BodyDecoder::new(self.framing, limits));
    }

    /// Begins with what comes behind a `101`: bytes, until the origin closes.
    pub(super) fn begin_tunnel(&mut self, limits: &Limits) {
        self.tunnel = true;
        self.framing = Framing::Close;
        self.body = Some(BodyDecoder::new(Framing::Close, limits));
    }

    pub(super) fn poll_piece(
        &mut self,
        mut pipe: Option<&mut Pipe>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Piece, Fault>> {
        loop {
            if let Some(piece) = self.next_piece() {
                return Poll::Ready(piece);
            }
            let read = match pipe.as_deref_mut().is_some_and(|pipe| self.pass_through(pipe)) {
                true => self.poll_fill_little(cx),
                false => self.poll_fill_much(cx),
            };
            match ready!(read) {
                Ok(1..) => {}
                Ok(0) => {
                    self.keep_alive = false;
                    let whole = self.body.as_mut().is_none_or(|body| body.eof().is_ok());
                    return Poll::Ready(if whole { Ok(Piece::End) } else { Err(self.ended_in_body(None)) });
                }
                // Under TLS without `close_notify`. What is spoken in a tunnel has an end of its own.
                Err(error) if self.tunnel && session_fault(&self.connection, &error).how == Break::Closed => {
                    return Poll::Ready(Ok(Piece::End));
                }
                Err(error) => return Poll::Ready(Err(self.ended_in_body(Some(&error)))),
            }
        }
    }

    /// Reads once, as much as there is of the body, within reason.
    fn poll_fill_much(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let hint = self.body.as_ref().and_then(BodyDecoder::remaining_hint);
        let want = hint.unwrap_or(*READ.end() / 4).clamp(*READ.start(), *READ.end());
        // And a byte: a read that leaves some of its room has emptied the socket, as the runtime knows, and nobody has to
        // find that out by another.
        self.poll_fill(cx, usize::try_from(want).unwrap_or(usize::MAX).saturating_add(1))
    }

    /// Reads once, [`SEEN`] bytes at the most.
    fn poll_fill_little(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut few = (&mut self.connection).take(SEEN);
        let count = ready!(pin!(few.read_buf(&mut self.input)).poll(cx))?;
        self.received += count as u64;
        self.read_at = None;
        Poll::Ready(Ok(count))
    }

    /// Takes what waits of the body into the pipe, unread, all but its last bytes. False if nothing went there.
    fn pass_through(&mut self, pipe: &mut Pipe) -> bool {
        let Some(body) = &mut self.body else { return false };
        let Some(left) = body.remaining_hint() else { return false };
        let count = self.connection.fill(pipe, left, SEEN) as u64;
        body.pass(count);
        self.received += count;
        count > 0
    }

    /// Whether a body may go through a pipe.
    pub(super) fn is_plain(&self) -> bool {
        self.connection.is_plain()
    }

    pub(super) fn next_piece(&mut self) -> Option<Result<Piece, Fault>> {
        let Some(body) = &mut self.body else { return Some(Ok(Piece::End)) };
        match body.decode(&mut self.input) {
            Ok(Decoded::Data(data)) => Some(Ok(Piece::Data(data))),
            Ok(Decoded::Trailers(fields)) => Some(Ok(Piece::Trailers(fields))),
            Ok(Decoded::End) => Some(Ok(Piece::End)),
            Ok(Decoded::NeedMore) => None,
            Err(refusal) => Some(Err(self.testify(response_fault(&refusal)))),
        }
    }

    fn ended_in_body(&self, error: Option<&io::Error>) -> Fault {
        let broken = error.map(|error| session_fault(&self.connection, error));
        let how = broken.as_ref().map_or(Break::Closed, |broken| broken.how);
        let cause = match how {
            // Under TLS, where the close is the body's only end: it may have been whole.
            Break::Closed if self.framing == Framing::Close => ReceiveCause::TlsBroken.into(),
            other => other.in_body(),
        };
        let mut evidence = broken.map(|broken| broken.evidence).unwrap_or_default();
        if how == Break::Closed && error.is_some() {
            evidence.add(Fact::TlsError("closed without close_notify".to_owned()));
        }
        self.testify(Fault { cause, evidence })
    }

    pub(super) fn body_received(&self) -> u64 {
        self.body.as_ref().map_or(0, BodyDecoder::received)
    }

    pub(super) fn testify(&self, mut fault: Fault) -> Fault {
        self.connection.testify(&mut fault.evidence);
        fault.with(Fact::SslMode(self.ssl_mode))
    }

    pub(super) fn testify_of_head(&self, fault: Fault) -> Fault {
        let mut fault = self.testify(fault);
        if !self.input.is_empty() {
            fault.evidence.add(Fact::FirstBytes(Snippet::first(&self.input)));
        }
        if self.input.len() > SNIPPET_BYTES {
            fault.evidence.add(Fact::LastBytes(Snippet::last(&self.input)));
        }
        fault
    }

    /// Keeps the connection if both sides are at rest: the request sent whole, the response read whole and nothing
    /// behind it.
    pub(super) fn finish(self, target: &Target, request_done: bool) {
        if !self.keep_alive || !request_done || !self.input.is_empty() || self.framing == Framing::Close {
            return;
        }
        let Self { worker, connection, input, output, deadline, read_at, .. } = self;
        worker.give_back(input);
        worker.give_back(output.prefix);
        worker.give_back_deadline(deadline);
        let key = target.key(connection.address());
        worker.count_idle(|pool| pool.put(&key, connection, read_at.unwrap_or_else(Instant::now)));
    }
}
