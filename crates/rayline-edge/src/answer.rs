//! An answer on its way to the visitor, whatever protocol they speak: status, fields, body, and the open record.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rayline_dial::Pipe;
use rayline_http1::{Framing, ResponseHead};
use rayline_rules::run::Edits;
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::ReplyCause;

use crate::phase::receive::OriginBody;
use crate::phase::rules::Compressed;
use crate::record::OpenRecord;
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;

/// The head of an answer.
#[derive(Debug)]
pub(crate) enum AnswerHead {
    /// The origin's, less what is for one hop.
    Passed(Box<ResponseHead>),
    /// Made by the edge.
    Made { status: u16, fields: Vec<(&'static str, Bytes)> },
}

impl AnswerHead {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Passed(head) => head.status,
            Self::Made { status, .. } => *status,
        }
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// Made by the edge, all of it here.
    Whole(Bytes),
    /// From the origin, as it comes.
    Origin(Box<OriginBody>),
    /// One of those, compressed as a rule says.
    Compressed(Box<Compressed>),
}

/// What rules changed in an answer's head.
#[derive(Debug, Default)]
pub(crate) struct Amended {
    /// Another status.
    pub(crate) status: Option<u16>,
    edits: Edits,
}

impl Amended {
    /// Adds what rules made of the fields.
    pub(crate) fn add(&mut self, edits: Edits) {
        self.edits = edits;
    }

    /// One more field.
    pub(crate) fn put(&mut self, name: &str, value: &[u8]) {
        self.edits.add(&Arc::from(name), value);
    }

    /// This field in place of all of its name.
    pub(crate) fn set(&mut self, name: &str, value: &[u8]) {
        self.edits.set(&Arc::from(name), value);
    }

    /// None of this name.
    pub(crate) fn drop_field(&mut self, name: &str) {
        self.edits.remove(&Arc::from(name));
    }

    /// Whether fields of this name go that the answer had.
    pub(crate) fn drops(&self, name: &[u8]) -> bool {
        self.edits.drops(name)
    }

    /// What is put in, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.edits.put()
    }

    /// The last value that is put in under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.edits.get(name)
    }
}

impl AnswerBody {
    /// How its end is known beforehand.
    pub(crate) fn framing(&self) -> Framing {
        match self {
            Self::Whole(bytes) => Framing::Length(bytes.len() as u64),
            Self::Origin(body) => body.framing(),
            Self::Compressed(_) => Framing::Chunked,
        }
    }

    /// A pipe for a body that is worth it, to be given to [`Self::poll_next`] by whoever can send what is in there.
    pub(crate) fn pipe(&self) -> Option<Pipe> {
        match self {
            Self::Origin(body) => body.pipe(),
            Self::Whole(_) | Self::Compressed(_) => None,
        }
    }

    /// The next piece. It comes behind what has gone into the pipe meanwhile, and that may come without a piece.
    ///
    /// # Errors
    /// The origin's faults, in the middle of its body.
    pub(crate) fn poll_next(&mut self, pipe: Option<&mut Pipe>, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(Ok(Piece::End)),
            Self::Whole(bytes) => Poll::Ready(Ok(Piece::Data(std::mem::take(bytes)))),
            Self::Origin(body) => body.poll_next(pipe, cx),
            Self::Compressed(body) => body.poll_next(cx),
        }
    }

    /// The next piece, if it has been received already: nothing is read for it.
    pub(crate) fn next_buffered(&mut self) -> Option<Result<Piece, Fault>> {
        match self {
            Self::Whole(bytes) => bytes.is_empty().then_some(Ok(Piece::End)),
            Self::Origin(body) => body.next_buffered(),
            Self::Compressed(body) => body.next_buffered(),
        }
    }

    /// Gives the body up: it is not to be sent. An origin that sends none has its connection kept.
    pub(crate) fn discard(&mut self) {
        match self {
            Self::Whole(bytes) => bytes.clear(),
            Self::Origin(body) => drop(body.next_buffered()),
            Self::Compressed(body) => body.discard(),
        }
    }

    /// Where it comes from, if that is an origin.
    pub(crate) fn origin(&mut self) -> Option<&mut OriginBody> {
        match self {
            Self::Whole(_) => None,
            Self::Origin(body) => Some(body),
            Self::Compressed(body) => body.origin(),
        }
    }
}

/// An answer, and what became of the request it answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: AnswerHead,
    pub(crate) body: AnswerBody,
    /// Fields of the edge that say more than the usual: `Proxy-Status`, `Server-Timing`.
    pub(crate) notes: Vec<(&'static str, Bytes)>,
    /// What rules changed.
    pub(crate) amended: Option<Box<Amended>>,
    /// The request's method was HEAD: the fields of the body, without the body.
    pub(crate) head_only: bool,
    /// The request's body, which the origin may still be taking. `None` after a request that could not be read.
    pub(crate) request_body: Option<RequestBody>,
    /// Whether the request lets the connection go on.
    pub(crate) keep_alive: bool,
    /// The visitor has said that no other request follows.
    pub(crate) is_last: bool,
    /// When it was known what to answer: nothing is waited for from then to the first byte.
    pub(crate) ready: Instant,
    pub(crate) record: OpenRecord,
}

impl Answer {
    /// The status that is sent.
    pub(crate) fn status(&self) -> u16 {
        self.amended.as_deref().and_then(|amended| amended.status).unwrap_or_else(|| self.head.status())
    }

    /// Whether rules took fields of this name away.
    pub(crate) fn drops(&self, name: &[u8]) -> bool {
        self.amended.as_deref().is_some_and(|amended| amended.drops(name))
    }

    /// Whether the whole request has been read, so that another can follow.
    pub(crate) fn request_is_read(&self) -> bool {
        self.request_body.as_ref().is_some_and(RequestBody::is_done)
    }

    /// Goes on sending the request to an origin that answered before it had all of it. True if there is nothing left
    /// to send.
    ///
    /// # Errors
    /// The visitor's faults while it sends the body.
    pub(crate) fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        match (self.body.origin(), &mut self.request_body) {
            (Some(origin), Some(body)) => origin.poll_upload(body, cx),
            (Some(_) | None, _) => Ok(true),
        }
    }

    /// Ready when the visitor has left while we wait for the origin.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.request_body {
            Some(body) => body.poll_gone(cx),
            None => Poll::Pending,
        }
    }
}

/// Waits for `future`, unless `gone` is ready first.
pub(crate) async fn race<T>(
    future: impl Future<Output = T>,
    mut gone: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> Option<T> {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending => gone(cx).map(|()| None),
    })
    .await
}

/// The fault of a visitor that takes nothing of an answer for `client_write_timeout`.
pub(crate) fn stalled(patience: Duration) -> Fault {
    let limit_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    Fault::new(ReplyCause::Stalled).with(Fact::Timer { setting: "client_write_timeout", limit_ms })
}
