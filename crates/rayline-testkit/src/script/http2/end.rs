//! Origins that end a stream or the connection where an answer should be.

use super::super::{Script, Step};
use super::{acts, good};
use crate::http2::{Act, Code, Last, PREFACE, Serving};

/// What a GOAWAY of these origins says besides its code.
const DEBUG: &str = "scripted to go away";

pub(super) fn all() -> Vec<Script> {
    let mut all = vec![
        Script::http2_silent(),
        Script::http2_speaks_http1(),
        Script::http2_close_at_once(),
        Script::http2_garbage(),
        Script::http2_close_before_head(),
        Script::http2_close_in_body(),
        Script::http2_connection_reset(),
        Script::http2_reset_under_streams(3),
        Script::http2_goaway_unprocessed(Code::NO_ERROR),
        Script::http2_goaway_once(),
        Script::http2_goaway_in_body(Code::INTERNAL_ERROR),
        Script::http2_reset_in_body(Code::INTERNAL_ERROR),
        Script::http2_refused_once(),
        Script::http2_early_answer(),
    ];
    all.extend(Code::ALL.map(Script::http2_goaway));
    all.extend(Code::ALL.map(Script::http2_reset));
    all
}

/// The beginning of an answer that announces more than comes.
fn half() -> [Act; 3] {
    [Act::ReadBody, Act::head(200, &[("content-length", "1000")]), Act::Pattern(100)]
}

impl Script {
    /// The preface is read; nothing follows.
    pub fn http2_silent() -> Self {
        Self::new(
            "http2-silent",
            "agrees to speak HTTP/2 and then says nothing at all",
            [Step::ReadBytes(PREFACE.len()), Step::Hold],
        )
    }

    /// A response of HTTP/1.1 to the preface.
    pub fn http2_speaks_http1() -> Self {
        let response = "HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\nConnection: close\r\n\r\nbad request\n";
        Self::new(
            "http2-speaks-http1",
            "agrees to speak HTTP/2 and then speaks HTTP/1.1",
            [Step::ReadBytes(PREFACE.len()), Step::send(response), Step::Fin],
        )
    }

    /// A close in answer to the preface.
    pub fn http2_close_at_once() -> Self {
        Self::new(
            "http2-close-at-once",
            "agrees to speak HTTP/2 and then closes the connection",
            [Step::ReadBytes(PREFACE.len()), Step::Fin],
        )
    }

    /// Bytes in answer to the preface that are no frame of any kind.
    pub fn http2_garbage() -> Self {
        Self::new(
            "http2-garbage",
            "agrees to speak HTTP/2 and then sends bytes that are no frames",
            [Step::ReadBytes(PREFACE.len()), Step::send(vec![0xff; 64]), Step::Fin],
        )
    }

    /// The request is read; then the connection closes.
    pub fn http2_close_before_head() -> Self {
        acts(
            "http2-close-before-head",
            "reads the request over HTTP/2 and closes the connection without an answer",
            [Act::ReadBody, Act::Fin],
        )
    }

    /// A head that announces 1000 bytes, 100 of them, and a close.
    pub fn http2_close_in_body() -> Self {
        acts(
            "http2-close-in-body",
            "closes the HTTP/2 connection in the middle of a response body",
            half().into_iter().chain([Act::Fin]),
        )
    }

    /// The request is read; then the connection is reset.
    pub fn http2_connection_reset() -> Self {
        acts(
            "http2-connection-reset",
            "reads the request over HTTP/2 and resets the connection",
            [Act::ReadBody, Act::ResetConnection],
        )
    }

    /// Waits for so many streams at once, sends the head and part of the body on each, then resets the connection.
    pub fn http2_reset_under_streams(streams: usize) -> Self {
        acts(
            "http2-reset-under-streams",
            "resets the HTTP/2 connection while many requests are on it",
            [Act::AwaitStreams(streams), Act::ResetConnection],
        )
    }

    /// GOAWAY with this code that covers the request, some debug data, and a close.
    pub fn http2_goaway(code: Code) -> Self {
        let (name, what) = code.goaway();
        acts(name, what, [Act::GoAway(Last::This, code, DEBUG), Act::Fin])
    }

    /// GOAWAY with this code that does not cover the request, some debug data, and a close.
    pub fn http2_goaway_unprocessed(code: Code) -> Self {
        acts(
            "http2-goaway-unprocessed",
            "answers every request with a GOAWAY that says it was not begun with",
            [Act::GoAway(Last::Before, code, DEBUG), Act::Fin],
        )
    }

    /// The same with `NO_ERROR` for the first request of all; the others are answered.
    pub fn http2_goaway_once() -> Self {
        let serving = Serving::new(good::ok());
        Self::http2(
            "http2-goaway-once",
            "leaves the first request aside with a GOAWAY, and answers 200 from then on",
            serving.at_first([Act::GoAway(Last::None, Code::NO_ERROR, DEBUG), Act::Fin]),
        )
    }

    /// A head that announces 1000 bytes, 100 of them, and a GOAWAY with a close.
    pub fn http2_goaway_in_body(code: Code) -> Self {
        acts(
            "http2-goaway-in-body",
            "ends the HTTP/2 connection with GOAWAY in the middle of a response body",
            half().into_iter().chain([Act::GoAway(Last::This, code, DEBUG), Act::Fin]),
        )
    }

    /// RST_STREAM with this code instead of a head. With `REFUSED_STREAM` the request may be repeated, always in vain.
    pub fn http2_reset(code: Code) -> Self {
        let (name, what) = code.reset();
        acts(name, what, [Act::reset(code)])
    }

    /// A head that announces 1000 bytes, 100 of them, and RST_STREAM with this code.
    pub fn http2_reset_in_body(code: Code) -> Self {
        acts(
            "http2-reset-in-body",
            "ends the stream with RST_STREAM in the middle of a response body",
            half().into_iter().chain([Act::reset(code)]),
        )
    }

    /// RST_STREAM with `REFUSED_STREAM` for the first request of all; the others are answered.
    pub fn http2_refused_once() -> Self {
        Self::http2(
            "http2-refused-once",
            "refuses the first stream, and answers 200 from then on",
            Serving::new(good::ok()).at_first([Act::reset(Code::REFUSED_STREAM)]),
        )
    }

    /// A whole 413 without a look at the body, and RST_STREAM with `NO_ERROR` (RFC 9113 section 8.1).
    pub fn http2_early_answer() -> Self {
        acts(
            "http2-early-answer",
            "answers 413 before it has the body, and asks for no more of it with RST_STREAM",
            [Act::only_head(413, &[]), Act::reset(Code::NO_ERROR)],
        )
    }
}
