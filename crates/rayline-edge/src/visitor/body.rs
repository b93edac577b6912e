//! The body of a request, pulled piece by piece: nothing is read that nobody has room for.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use rayline_dial::http1::request_fault;
use rayline_http1::{BodyDecoder, Decoded, Fields, Framing, Limits};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;

use super::SharedIo;
use crate::deadline::Deadline;

/// Bytes read at once while a body streams.
const BODY_READ: usize = 64 * 1024;

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(Fields),
    End,
}

/// The body of a request over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct RequestBody {
    io: SharedIo,
    framing: Framing,
    decoder: BodyDecoder,
    deadline: Deadline,
    /// Most body bytes accepted.
    limit: u64,
    /// Longest wait between two reads.
    patience: Duration,
    /// The visitor waits for `100 Continue` before it sends.
    pub(crate) awaits_continue: bool,
}

impl RequestBody {
    pub(crate) fn new(
        io: SharedIo,
        framing: Framing,
        limits: &Limits,
        limit: u64,
        patience: Duration,
        awaits_continue: bool,
    ) -> Self {
        let decoder = BodyDecoder::new(framing, limits);
        let awaits_continue = awaits_continue && !decoder.is_done();
        Self { io, framing, decoder, deadline: Deadline::default(), limit, patience, awaits_continue }
    }

    /// How its end is told.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether all of it has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Body bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.decoder.received()
    }

    /// Lowers the limit to the zone's, once the zone is known.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Refuses a body whose announced length is over the limit, before a byte of it is read.
    ///
    /// # Errors
    /// `BodyTooLarge`.
    pub(crate) fn check_announced(&self) -> Result<(), Fault> {
        match self.framing {
            Framing::Length(length) if length > self.limit => Err(self.too_large(length)),
            Framing::Length(_) | Framing::None | Framing::Chunked | Framing::Close => Ok(()),
        }
    }

    /// The next piece. After `End` always `End`.
    ///
    /// # Errors
    /// The visitor's faults: truncated, malformed, too large, too slow.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let io = self.io.clone();
        let mut io = io.borrow_mut();
        loop {
            match self.decoder.decode(&mut io.input).map_err(|refusal| request_fault(&refusal))? {
                Decoded::Data(data) => {
                    self.awaits_continue = false;
                    self.deadline.clear();
                    let received = self.decoder.received();
                    if received > self.limit {
                        return Poll::Ready(Err(self.too_large(received)));
                    }
                    return Poll::Ready(Ok(Piece::Data(data)));
                }
                Decoded::Trailers(fields) => return Poll::Ready(Ok(Piece::Trailers(fields))),
                Decoded::End => return Poll::Ready(Ok(Piece::End)),
                Decoded::NeedMore => {}
            }
            match io.poll_fill(cx, BODY_READ) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => {
                    return Poll::Ready(match self.decoder.eof() {
                        Ok(()) => Ok(Piece::End),
                        Err(refusal) => Err(request_fault(&refusal)),
                    });
                }
                Poll::Pending => {
                    self.deadline.set_after_if_unset(self.patience);
                    ready!(self.deadline.poll(cx));
                    let limit_ms = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
                    return Poll::Ready(Err(Fault::new(RequestCause::BodyTimedOut)
                        .with(Fact::Timer { setting: "client_body_timeout", limit_ms })
                        .with(Fact::Body { received: self.decoder.received(), expected: self.expected() })));
                }
            }
        }
    }

    /// Ready when the visitor has left while we owe it an answer.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.borrow_mut().poll_gone(cx)
    }

    /// The connection, for interim responses.
    pub(crate) fn io(&self) -> &SharedIo {
        &self.io
    }

    fn expected(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked | Framing::Close => None,
        }
    }

    fn too_large(&self, seen: u64) -> Fault {
        Fault::new(RequestCause::BodyTooLarge).with(Fact::Limit { what: "request body", seen, limit: self.limit })
    }
}
