//! Origins that cannot be reached, or that end the connection where an answer should begin.

use super::answer::Answer;
use super::{Door, Script, Step};

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::refuse(),
        Script::backlog_full(),
        Script::accept_then_reset(),
        Script::close_at_once(),
        Script::reset_after_request(),
        Script::close_empty(),
        Script::reset_idle_under_request(),
        Script::close_idle_under_request(),
        Script::close_idle(),
        Script::extra_bytes(),
        Script::early_answer_then_close(),
        Script::early_answer_then_reset(),
        Script::early_answer_then_hold(),
    ]
}

/// A whole answer that does not wait for the body of the request.
const EARLY: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n";

impl Script {
    /// Nobody listens on the port, and nobody else can: `ECONNREFUSED`.
    pub fn refuse() -> Self {
        Self::new("refuse", "does not run: nobody listens on its port", []).behind(Door::Closed)
    }

    /// The accept queue is full, so that Linux drops further SYNs and `connect` times out. Linux only.
    pub fn backlog_full() -> Self {
        Self::new("backlog-full", "listens but never accepts, and its queue is full: connecting takes for ever", [])
            .behind(Door::Full)
    }

    /// A reset right after the connection is made. Depending on who is faster, a client learns of it from `connect`, from
    /// sending or from reading; [`Script::reset_after_request`] leaves it no choice.
    pub fn accept_then_reset() -> Self {
        Self::new("accept-then-reset", "accepts the connection and resets it at once", [Step::Reset])
    }

    /// A close right after the connection is made.
    pub fn close_at_once() -> Self {
        Self::new("close-at-once", "accepts the connection and closes it at once, before any request", [Step::Fin])
    }

    /// A reset in place of an answer.
    pub fn reset_after_request() -> Self {
        Self::new(
            "reset-after-request",
            "reads the request, then resets the connection without an answer",
            [Step::ReadHead, Step::Reset],
        )
    }

    /// A close in place of an answer.
    pub fn close_empty() -> Self {
        Self::new(
            "close-empty",
            "reads the request, then closes the connection without sending a byte",
            [Step::ReadHead, Step::Fin],
        )
    }

    /// The stale keep-alive race with a reset: the second request on a connection gets no answer, on a fresh one it does.
    pub fn reset_idle_under_request() -> Self {
        Self::new(
            "reset-idle-under-request",
            "answers once, keeps the connection, and resets it when the next request comes",
            [Step::Answer(Answer::ok()), Step::ReadHead, Step::Reset],
        )
    }

    /// The stale keep-alive race with a close: the second request on a connection gets no answer, on a fresh one it does.
    pub fn close_idle_under_request() -> Self {
        Self::new(
            "close-idle-under-request",
            "answers once, keeps the connection, and closes it when the next request comes",
            [Step::Answer(Answer::ok()), Step::ReadHead, Step::Fin],
        )
    }

    /// A connection that the origin seems to keep, but closes while it is idle.
    pub fn close_idle() -> Self {
        Self::new(
            "close-idle",
            "answers 200, says nothing of closing, and then closes the idle connection",
            [Step::Answer(Answer::ok()), Step::Fin],
        )
    }

    /// Bytes behind a whole response: the connection cannot be used again.
    pub fn extra_bytes() -> Self {
        Self::new(
            "extra-bytes",
            "answers 200 and goes on sending behind the end of its answer",
            [
                Step::ReadHead,
                Step::send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\nHTTP/1.1 200 OK\r\n"),
                Step::Hold,
            ],
        )
    }

    /// 413 before the body of the request is read, then an orderly close.
    pub fn early_answer_then_close() -> Self {
        Self::new(
            "early-answer-then-close",
            "answers 413 before it has read the body of the request, then closes",
            [Step::ReadHead, Step::send(format!("{EARLY}Connection: close\r\n\r\ntoo long\n")), Step::Fin],
        )
    }

    /// 413 before the body of the request is read, then a reset, as servers do that close with bytes unread.
    pub fn early_answer_then_reset() -> Self {
        Self::new(
            "early-answer-then-reset",
            "answers 413 before it has read the body of the request, then resets the connection",
            [Step::ReadHead, Step::send(format!("{EARLY}Connection: close\r\n\r\ntoo long\n")), Step::Reset],
        )
        .receive_buffer(super::stall::SMALL)
    }

    /// 413 before the body of the request is read, and the connection stays open unread.
    pub fn early_answer_then_hold() -> Self {
        Self::new(
            "early-answer-then-hold",
            "answers 413 before it has read the body of the request, and reads no more of it",
            [Step::ReadHead, Step::send(format!("{EARLY}\r\ntoo long\n")), Step::Hold],
        )
        .receive_buffer(super::stall::SMALL)
    }
}
