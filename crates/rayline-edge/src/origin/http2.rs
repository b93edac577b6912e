//! One request's stream on an HTTP/2 connection to an origin: what is on its way in and out, and what its end means.

use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use http::uri::Scheme;
use rayline_dial::Break;
use rayline_dial::http1::response_fault;
use rayline_dial::http2::{Ending, Lease, StreamFault, release};
use rayline_http1::{Framing, Limits, Parsed, RequestKind, ResponseHead, ResponseParser};
use rayline_verdict::Fault;
use rayline_verdict::evidence::{Fact, TcpState};
use rayline_verdict::fault::{ReplyCause, RequestCause, SendCause};

use super::{Failure, Refused, Repeat, Sent, convert, timer};
use crate::deadline::Deadline;
use crate::tunnel::Upgrade;
use crate::visitor::body::Piece;
use crate::worker::Worker;

/// A place on an HTTP/2 connection, in use.
pub(crate) struct Link {
    // Dropped first: a stream that is not over is reset (CANCEL), and the connection stays.
    state: State,
    outgoing: Outgoing,
    lease: Lease,
    /// Dropped after the lease.
    _resting: Resting,
    limits: Limits,
    framing: Framing,
    tunnel: Tunnel,
    pub(super) deadline: Deadline,
    /// Bytes of the request's head, before compression, and of its body; the same of the response.
    sent: u64,
    received: u64,
    body_received: u64,
    ssl_mode: &'static str,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("received", &self.received).finish_non_exhaustive()
    }
}

enum State {
    /// Nothing has been asked.
    Idle,
    /// The library or the connection did not take the request.
    Failed(h2::Error),
    /// The request cannot be expressed.
    Unspeakable(String),
    Waiting(ResponseFuture),
    Body(RecvStream),
    Over,
}

/// What becomes of the stream.
#[derive(Clone, Copy)]
enum Tunnel {
    No,
    /// It is to become a tunnel, and has no end before that is decided.
    Asked(Upgrade),
    Open,
}

/// The request's body on its way.
#[derive(Default)]
struct Outgoing {
    /// `None` where there is no body, or no more of it.
    stream: Option<SendStream<Bytes>>,
    data: Bytes,
    /// Bytes of the body ever queued.
    queued: u64,
    end: Option<End>,
}

/// How the request's body ends.
enum End {
    Bare,
    Trailers(HeaderMap),
}

impl Link {
    pub(crate) fn new(worker: &Rc<Worker>, lease: Lease, limits: Limits, ssl_mode: &'static str) -> Self {
        Self {
            state: State::Idle,
            outgoing: Outgoing::default(),
            lease,
            _resting: Resting(Rc::clone(worker)),
            limits,
            framing: Framing::None,
            tunnel: Tunnel::No,
            deadline: worker.deadline(),
            sent: 0,
            received: 0,
            body_received: 0,
            ssl_mode,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.lease.address()
    }

    pub(super) fn tls_version(&self) -> Option<&'static str> {
        self.lease.tls_version()
    }

    pub(super) async fn takes_tunnel(&self) -> bool {
        self.lease.takes_tunnel().await
    }

    pub(super) fn is_reused(&self) -> bool {
        self.lease.is_reused()
    }

    pub(super) fn sent(&self) -> u64 {
        if self.lease.has_sent() { self.sent } else { 0 }
    }

    pub(super) fn tcp_state(&self) -> Option<TcpState> {
        self.lease.tcp_state()
    }

    pub(super) fn begin(&mut self, head: &[u8], end: bool) {
        let scheme = if self.lease.tls_version().is_some() { Scheme::HTTPS } else { Scheme::HTTP };
        let (request, upgrade) = match convert::request(Bytes::copy_from_slice(head), scheme) {
            Ok(request) => request,
            Err(why) => {
                self.state = State::Unspeakable(why);
                return;
            }
        };
        self.tunnel = upgrade.map_or(Tunnel::No, Tunnel::Asked);
        let end = end && upgrade.is_none();
        match self.lease.send(request, end) {
            Ok((response, stream)) => {
                self.state = State::Waiting(response);
                self.outgoing.stream = (!end).then_some(stream);
                self.sent = head.len() as u64;
            }
            Err(error) => self.state = State::Failed(error),
        }
    }

    pub(super) fn taken(&self) -> u64 {
        self.sent
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        if matches!(self.state, State::Failed(_) | State::Unspeakable(_)) {
            return Poll::Ready(Err(Refused));
        }
        self.outgoing.poll_flush(&mut self.sent, cx)
    }

    pub(super) fn queue(&mut self, piece: Piece, framing: Framing) {
        // The end of a request without a body is none of the tunnel that it asks for.
        if !matches!((self.tunnel, &piece), (Tunnel::Asked(_), Piece::End)) {
            self.outgoing.queue(piece, framing);
        }
    }

    /// Whether the socket takes no more: then it is not the window of the stream that is missing.
    pub(super) fn is_blocked(&self) -> bool {
        self.lease.is_blocked()
    }

    pub(super) fn stalled(&self, limit: Duration) -> Fault {
        let cause = if self.is_blocked() { SendCause::TimedOut } else { SendCause::FlowControlStalled };
        self.testify(Fault::new(cause).with(timer("write_timeout", limit)))
    }

    pub(super) fn poll_head(
        &mut self,
        kind: RequestKind,
        sent: Sent,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        let response = match &mut self.state {
            State::Waiting(response) => response,
            State::Failed(error) => {
                let fault = self.lease.fault(error, None);
                return Poll::Ready(Err(Failure { repeat: Repeat::Unprocessed, ..failure(fault, sent, false) }));
            }
            State::Unspeakable(why) => {
                let why = Fact::Internal(std::mem::take(why));
                return Poll::Ready(Err(Fault::new(RequestCause::Malformed).with(why).into()));
            }
            // The head has been handed up already.
            State::Idle | State::Body(_) | State::Over => return Poll::Pending,
        };
        let stream = response.stream_id();
        let met = match ready!(response.poll_informational(cx)) {
            Some(Ok(head)) => Ok((head.into_parts().0, None)),
            Some(Err(error)) => Err(error),
            None => ready!(Pin::new(response).poll(cx)).map(|response| {
                let (parts, body) = response.into_parts();
                (parts, Some(body))
            }),
        };
        let (parts, body) = match met {
            Ok(head) => head,
            Err(error) => {
                let fault = self.lease.fault(&error, Some(stream));
                let stale = self.received == 0 && self.lease.is_stale();
                let repeat = if self.lease.has_sent() { None } else { Some(Repeat::Unprocessed) };
                let failure = failure(fault, sent, stale);
                return Poll::Ready(Err(Failure { repeat: repeat.unwrap_or(failure.repeat), ..failure }));
            }
        };
        let ended = body.as_ref().is_none_or(RecvStream::is_end_stream);
        if let Some(body) = body {
            self.state = State::Body(body);
        }
        let mut text = BytesMut::new();
        match self.tunnel {
            Tunnel::Asked(upgrade) if parts.status.is_success() => {
                convert::switched(&mut text, parts.headers, &upgrade);
            }
            Tunnel::No | Tunnel::Asked(_) | Tunnel::Open => {
                convert::response(&mut text, parts.status, &parts.headers, kind, ended);
            }
        }
        self.received += text.len() as u64;
        let received = text.len() as u64;
        match ResponseParser::new(self.limits).parse(&mut text, kind) {
            Ok(Parsed::Complete(head)) => Poll::Ready(Ok(head)),
            Err(refusal) => Poll::Ready(Err(response_fault(&refusal).into())),
            // A head that ends with an empty line is whole.
            Ok(Parsed::Partial) => {
                let why = Fact::Internal(format!("{received} bytes are no head"));
                Poll::Ready(Err(Fault::new(ReplyCause::Unclassified).with(why).into()))
            }
        }
    }

    pub(super) fn condemn(&self, count: u32, limit: u32) {
        self.lease.condemn(count, limit);
    }

    pub(super) fn doubt(&self) {
        self.lease.doubt();
    }

    pub(super) fn begin_body(&mut self, head: &ResponseHead, limits: &Limits) {
        self.framing = head.framing();
        self.limits = *limits;
        // The origin answers instead of switching.
        if let Tunnel::Asked(_) = self.tunnel {
            self.outgoing.end();
        }
    }

    /// Begins with what comes through the tunnel: bytes, until the origin ends the stream.
    pub(super) fn begin_tunnel(&mut self, limits: &Limits) {
        self.tunnel = Tunnel::Open;
        self.framing = Framing::Close;
        self.limits = *limits;
    }

    /// The response is over.
    pub(super) fn finish(mut self) {
        if let Tunnel::Open = self.tunnel {
            self.outgoing.end();
        }
    }

    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let State::Body(body) = &mut self.state else { return Poll::Ready(Ok(Piece::End)) };
        if self.framing == Framing::None {
            self.state = State::Over;
            return Poll::Ready(Ok(Piece::End));
        }
        let stream = body.stream_id();
        let error = loop {
            match ready!(body.poll_data(cx)) {
                Some(Ok(data)) => {
                    release(body, &data);
                    self.received += data.len() as u64;
                    self.body_received += data.len() as u64;
                    // A frame may be empty, a chunk may not.
                    if !data.is_empty() {
                        return Poll::Ready(Ok(Piece::Data(data)));
                    }
                }
                Some(Err(error)) => break error,
                None => match ready!(body.poll_trailers(cx)) {
                    Ok(fields) => {
                        self.state = State::Over;
                        return Poll::Ready(self.ending(fields));
                    }
                    Err(error) => break error,
                },
            }
        };
        self.state = State::Over;
        // All that came before the error has been handed up.
        if !error.is_reset() && self.lease.is_ended(stream) {
            return Poll::Ready(Ok(Piece::End));
        }
        let StreamFault { how, evidence, .. } = self.lease.fault(&error, Some(stream));
        let fault = Fault { cause: how.in_body(), evidence };
        Poll::Ready(Err(self.testify(fault)))
    }

    fn ending(&self, fields: Option<HeaderMap>) -> Result<Piece, Fault> {
        match fields {
            None => Ok(Piece::End),
            // A tunnel has none (RFC 9113 §8.5).
            Some(_) if matches!(self.tunnel, Tunnel::Open) => Ok(Piece::End),
            Some(fields) => {
                let fields = convert::trailers(&fields, &self.limits).map_err(|fault| self.testify(fault))?;
                Ok(Piece::Trailers(fields))
            }
        }
    }

    pub(super) fn next_piece(&mut self) -> Option<Result<Piece, Fault>> {
        // Whoever wants to be woken asks again with a waker of its own.
        match self.poll_piece(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(piece) => Some(piece),
            Poll::Pending => None,
        }
    }

    pub(super) fn body_received(&self) -> u64 {
        self.body_received
    }

    pub(super) fn testify(&self, mut fault: Fault) -> Fault {
        self.lease.testify((self.sent(), self.received), &mut fault.evidence);
        fault.with(Fact::SslMode(self.ssl_mode))
    }
}

impl Outgoing {
    fn queue(&mut self, piece: Piece, framing: Framing) {
        match piece {
            Piece::Data(data) => {
                self.queued += data.len() as u64;
                if framing == Framing::Length(self.queued) {
                    self.end = Some(End::Bare);
                }
                self.data = data;
            }
            Piece::Trailers(fields) => self.end = Some(End::Trailers(convert::request_trailers(&fields))),
            Piece::End => self.end = Some(End::Bare),
        }
    }

    /// Ends it, unless there is something that it would cut off.
    fn end(&mut self) {
        if let Some(mut stream) = self.stream.take_if(|_| self.data.is_empty()) {
            // It fails where the stream is over.
            let _ = stream.send_data(Bytes::new(), true);
        }
    }

    /// Hands on what is queued as far as there is window for it, and counts it in `sent`.
    fn poll_flush(&mut self, sent: &mut u64, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(())) };
        while !self.data.is_empty() {
            stream.reserve_capacity(self.data.len());
            let capacity = match stream.capacity() {
                0 => match ready!(stream.poll_capacity(cx)) {
                    Some(Ok(capacity)) => capacity,
                    Some(Err(_)) | None => return Poll::Ready(Err(Refused)),
                },
                capacity => capacity,
            };
            let part = self.data.split_to(capacity.min(self.data.len()));
            let last = self.data.is_empty() && matches!(self.end, Some(End::Bare));
            *sent += part.len() as u64;
            stream.send_data(part, last).map_err(|_| Refused)?;
            if last {
                self.stream = None;
                return Poll::Ready(Ok(()));
            }
        }
        let handed = match self.end.take() {
            None => return Poll::Ready(Ok(())),
            Some(End::Bare) => stream.send_data(Bytes::new(), true),
            Some(End::Trailers(fields)) => stream.send_trailers(fields),
        };
        self.stream = None;
        Poll::Ready(handed.map_err(|_| Refused))
    }
}

/// What a stream that failed before the head of its response is.
fn failure(failed: StreamFault, sent: Sent, stale: bool) -> Failure {
    let StreamFault { how, unprocessed, http1_required, evidence } = failed;
    let cause = how.before_head(sent == Sent::Whole);
    let ended = matches!(how, Ending::Broken(Break::Closed | Break::Reset | Break::TlsBroken));
    let repeat = if http1_required {
        Repeat::OverHttp1
    } else if unprocessed {
        Repeat::Unprocessed
    } else if stale && ended {
        Repeat::Stale
    } else {
        Repeat::Never
    };
    Failure { fault: Fault { cause, evidence }, repeat }
}

/// Brings the count of connections at rest up to date when it is dropped.
struct Resting(Rc<Worker>);

impl Drop for Resting {
    fn drop(&mut self) {
        self.0.count_resting();
    }
}
