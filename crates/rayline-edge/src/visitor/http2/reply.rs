//! Our half of a stream, shared by the request's body, which sends interim responses on it, and by the answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use rayline_http1::ResponseHead;
use rayline_verdict::Fault;
use rayline_verdict::evidence::End;
use rayline_verdict::fault::{Cause, ReplyCause};

use super::fault;
use super::frames::{Sent, SharedFrames};
use crate::hop::{Hops, passes_to_visitor};
use crate::visitor::body::Interim;

/// Bytes of interim responses to one request: they wait for a visitor that does not read, and are optional.
const MOST_INTERIM: usize = 64 * 1024;

/// Our half.
#[derive(Debug)]
pub(crate) struct Reply {
    half: Half,
    pub(super) sent: Rc<Sent>,
    frames: SharedFrames,
    interim: usize,
}

#[derive(Debug)]
enum Half {
    /// The answer has not begun.
    Before(SendResponse<Bytes>),
    Begun(SendStream<Bytes>),
}

pub(crate) type SharedReply = Rc<RefCell<Reply>>;

impl Reply {
    pub(super) fn new(response: SendResponse<Bytes>, sent: Rc<Sent>, frames: SharedFrames) -> Self {
        Self { half: Half::Before(response), sent, frames, interim: 0 }
    }

    /// Ready when the stream is over before its answer is, and why: the visitor has reset it, or we have for what the
    /// visitor did with it, or the connection has ended.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let reset = match &mut self.half {
            Half::Before(response) => ready!(response.poll_reset(cx)),
            Half::Begun(stream) => ready!(stream.poll_reset(cx)),
        };
        let gone = Fault::new(ReplyCause::Gone);
        let frames = self.frames.borrow();
        Poll::Ready(match (reset, self.sent.left.get(), frames.ended_by) {
            (_, Some(code), _) => gone.with(fault::error("RST_STREAM", code, End::Theirs, None)),
            (_, None, Some(code)) => gone.with(fault::error("GOAWAY", code, End::Ours, None)),
            (Ok(reason), None, None) => frames.reset(reason.into()),
            (Err(_), None, None) => gone,
        })
    }

    /// Ready when the visitor has left.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.poll_over(cx)).cause {
            Cause::Reply(ReplyCause::Gone) => Poll::Ready(()),
            // What we reset is told by the body, or by whoever answers.
            _ => Poll::Pending,
        }
    }

    /// Queues an interim response. What cannot be sent is left out, for whoever writes next to meet the reason.
    pub(super) fn queue_interim(&mut self, interim: Interim<'_>) {
        let Half::Before(response) = &mut self.half else { return };
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        if let Interim::Passed(passed) = interim {
            self.interim += passed.raw().len();
            let Ok(status) = StatusCode::from_u16(passed.status) else { return };
            *head.status_mut() = status;
            let hops = Hops::of(&passed.fields);
            // It has no body, so a length could only lead its reader astray (RFC 9110 §8.6).
            let is_length = |name: &[u8]| name.eq_ignore_ascii_case(b"content-length");
            put_received(head.headers_mut(), passed, |name| !is_length(name) && passes_to_visitor(name, &hops));
        }
        if self.interim <= MOST_INTERIM {
            let _ = response.send_informational(head);
        }
    }

    /// Begins the answer. `None`: the stream is over already.
    pub(super) fn begin(&mut self, head: Response<()>, end: bool) -> Option<()> {
        let Half::Before(response) = &mut self.half else { return None };
        self.half = Half::Begun(response.send_response(head, end).ok()?);
        Some(())
    }

    /// Where the content goes, once the answer has begun.
    pub(super) fn stream(&mut self) -> Option<&mut SendStream<Bytes>> {
        match &mut self.half {
            Half::Before(_) => None,
            Half::Begun(stream) => Some(stream),
        }
    }

    /// Ends the stream by RST_STREAM.
    pub(super) fn reset(&mut self, reason: Reason) {
        match &mut self.half {
            Half::Before(response) => response.send_reset(reason),
            Half::Begun(stream) => stream.send_reset(reason),
        }
    }
}

/// Takes over the lines of a received head for which `passes` says so. Values are copied: some stay in HPACK's table for
/// as long as the connection does (RFC 7541 §2.3.2), and a slice would keep all of the origin's read buffer there.
pub(super) fn put_received(out: &mut HeaderMap, head: &ResponseHead, mut passes: impl FnMut(&[u8]) -> bool) {
    for (name, value) in head.fields.iter().filter(|(name, _)| passes(name)) {
        put(out, name, HeaderValue::from_bytes(value));
    }
}

/// Adds a field. The codec has checked what was received, and what is made here is well formed: nothing is left out.
pub(super) fn put<E>(out: &mut HeaderMap, name: &[u8], value: Result<HeaderValue, E>) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
        // Beyond the tens of thousands of names that the map can hold no head was let in.
        let _ = out.try_append(name, value);
    }
}

/// Adds a field that is made here, its name in lower case.
pub(super) fn put_made(out: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(mut value) = HeaderValue::from_bytes(value) {
        // No two answers have the same: in the table of what may be referred to again (RFC 7541 §2.3.2) it would only
        // be in the way of others, and of the search.
        value.set_sensitive(matches!(name, "cf-ray" | "server-timing"));
        let _ = out.try_append(HeaderName::from_static(name), value);
    }
}
