//! A request's body over HTTP/2: taken from the library as the origin takes it. The visitor's window opens again only
//! for what was taken, so that no more than a window is ever held.

use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use h2::RecvStream;
use http::HeaderMap;
use rayline_dial::http1::request_fault;
use rayline_http1::{BodyDecoder, Decoded, Fields, Framing, Limits, encode};
use rayline_verdict::fault::RequestCause;
use rayline_verdict::{Fact, Fault};

use super::fault;
use super::reply::SharedReply;
use crate::visitor::body::{Interim, Piece};

/// The body of one request.
pub(crate) struct Body {
    received: RecvStream,
    reply: SharedReply,
    framing: Framing,
    limits: Limits,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// What comes is for a tunnel that is not open yet.
    Held,
    Data,
    Trailers,
    Done,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Body {
    pub(super) fn new(received: RecvStream, reply: SharedReply, framing: Framing, limits: Limits) -> Self {
        let state = match framing {
            _ if received.is_end_stream() => State::Done,
            // Content without framing: only a stream that was opened as a tunnel has it (RFC 8441 §4).
            Framing::None => State::Held,
            Framing::Length(_) | Framing::Chunked | Framing::Close => State::Data,
        };
        Self { received, reply, framing, limits, state }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done | State::Held)
    }

    pub(crate) fn awaits_tunnel(&self) -> bool {
        self.state == State::Held
    }

    pub(crate) fn open_tunnel(&mut self) {
        if self.state == State::Held {
            self.state = State::Data;
        }
    }

    /// The next piece.
    ///
    /// # Errors
    /// Reset or cut off; longer or shorter than announced; trailers that the codec refuses.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        loop {
            match self.state {
                State::Data => match ready!(self.received.poll_data(cx)) {
                    Some(Ok(data)) => {
                        // An error here is one of the stream, and comes with the next piece.
                        let _ = self.received.flow_control().release_capacity(data.len());
                        if self.received.is_end_stream() {
                            self.state = State::Done;
                        }
                        if !data.is_empty() {
                            return Poll::Ready(Ok(Piece::Data(data)));
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Err(fault::body(&error))),
                    None => self.state = State::Trailers,
                },
                State::Trailers => {
                    let trailers = ready!(self.received.poll_trailers(cx)).map_err(|error| fault::body(&error))?;
                    self.state = State::Done;
                    // Behind a body with a length there is no place for them in HTTP/1.1.
                    if let Some(trailers) = trailers.filter(|_| self.framing == Framing::Chunked)
                        && let Some(fields) = parse(&trailers, &self.limits)?
                    {
                        return Poll::Ready(Ok(Piece::Trailers(fields)));
                    }
                }
                State::Held | State::Done => return Poll::Ready(Ok(Piece::End)),
            }
        }
    }

    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reply.borrow_mut().poll_gone(cx)
    }

    pub(crate) fn queue_interim(&mut self, interim: Interim<'_>) {
        self.reply.borrow_mut().queue_interim(interim);
    }
}

/// Reads trailers with the eyes of HTTP/1.1: what cannot be said there is refused here.
fn parse(trailers: &HeaderMap, limits: &Limits) -> Result<Option<Fields>, Fault> {
    let mut bytes = BytesMut::new();
    encode::last_chunk(&mut bytes);
    for (name, value) in trailers {
        encode::field(&mut bytes, name.as_str(), value)
            .map_err(|illegal| Fault::new(RequestCause::BodyMalformed).with(Fact::Internal(illegal.to_string())))?;
    }
    encode::end(&mut bytes);
    let decoded = BodyDecoder::new(Framing::Chunked, limits).decode(&mut bytes);
    match decoded.map_err(|refusal| request_fault(&refusal))? {
        Decoded::Trailers(fields) => Ok(Some(fields)),
        Decoded::Data(_) | Decoded::End | Decoded::NeedMore => Ok(None),
    }
}
