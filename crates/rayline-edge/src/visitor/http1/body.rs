//! A request's body over HTTP/1.1: decoded from the connection it shares with the answer.

use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rayline_dial::http1::request_fault;
use rayline_http1::{BodyDecoder, Decoded, Framing, Limits, ResponseHead, encode};
use rayline_verdict::Fault;

use crate::hop::{Hops, passes_to_visitor};
use crate::visitor::body::{Interim, Piece};
use crate::visitor::io::{SharedIo, VisitorIo};

/// The least and most read at once while a body streams.
const READ: std::ops::RangeInclusive<u64> = 4 * 1024..=128 * 1024;

/// Room to read so much of a body, and a byte: a read that leaves some of its room has emptied the socket, as the runtime
/// knows, and nobody has to find that out by another.
fn room(bytes: u64) -> usize {
    usize::try_from(bytes.clamp(*READ.start(), *READ.end())).unwrap_or(usize::MAX).saturating_add(1)
}

/// The body of one request on a connection.
#[derive(Debug)]
pub(crate) struct Body {
    io: SharedIo,
    decoder: BodyDecoder,
}

impl Body {
    pub(super) fn new(io: SharedIo, framing: Framing, limits: &Limits) -> Self {
        Self { io, decoder: BodyDecoder::new(framing, limits) }
    }

    /// Goes on with whatever comes behind the head, until the visitor closes.
    pub(crate) fn open_tunnel(&mut self) {
        self.decoder = BodyDecoder::new(Framing::Close, &Limits::default());
    }

    pub(crate) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// The next piece.
    ///
    /// # Errors
    /// Truncated or malformed.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let mut io = self.io.borrow_mut();
        self.read_ahead(&mut io, cx);
        loop {
            match self.decoder.decode(&mut io.input).map_err(|refusal| request_fault(&refusal))? {
                Decoded::Data(data) => return Poll::Ready(Ok(Piece::Data(data))),
                Decoded::Trailers(fields) => return Poll::Ready(Ok(Piece::Trailers(fields))),
                Decoded::End => return Poll::Ready(Ok(Piece::End)),
                Decoded::NeedMore => {}
            }
            let hint = self.decoder.remaining_hint().unwrap_or(*READ.end() / 2);
            match ready!(io.poll_fill(cx, room(hint))) {
                Ok(1..) => {}
                Ok(0) | Err(_) => {
                    return Poll::Ready(match self.decoder.eof() {
                        Ok(()) => Ok(Piece::End),
                        Err(refusal) => Err(request_fault(&refusal)),
                    });
                }
            }
        }
    }

    /// Reads what has come behind the first bytes of a body, which came with the head: in one piece they go out in one
    /// write. Where nothing has, it costs nothing; what goes wrong is met again by whoever reads next.
    fn read_ahead(&self, io: &mut VisitorIo, cx: &mut Context<'_>) {
        let here = io.input.len() as u64;
        if let Some(missing) = self.decoder.remaining_hint().and_then(|left| left.min(*READ.end()).checked_sub(here))
            && here > 0
            && missing > 0
        {
            let _ = io.poll_fill(cx, room(missing));
        }
    }

    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.borrow_mut().poll_gone(cx)
    }

    pub(crate) fn queue_interim(&mut self, interim: Interim<'_>) {
        let mut io = self.io.borrow_mut();
        match interim {
            Interim::Continue => io.queue_interim(b"HTTP/1.1 100 Continue\r\n\r\n"),
            Interim::Passed(head) => io.queue_interim(&encoded(head)),
        }
    }

    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) {
        self.io.borrow_mut().poll_interim(cx);
    }
}

/// An interim response as the visitor gets it: less what is for one hop, or in the edge's own name.
fn encoded(head: &ResponseHead) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.raw().len());
    // The codec has checked both the status and the fields.
    let _ = encode::status_line(&mut out, head.status, Some(head.reason()));
    let hops = Hops::of(&head.fields);
    // It has no body, so a length could only lead its reader astray (RFC 9110 §8.6).
    let is_length = |name: &[u8]| name.eq_ignore_ascii_case(b"content-length");
    encode::copy_fields(&mut out, &head.fields, |name, _| !is_length(name) && passes_to_visitor(name, &hops));
    encode::end(&mut out);
    out
}
