//! Origins that do everything right: what an edge must pass through unharmed.

use std::time::Duration;

use super::answer::{Answer, Body, Framing};
use super::{Script, Step};

/// How many field lines [`Script::many_fields`] sends.
const MANY: usize = 300;

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::ok(),
        Script::ok_length(100_000),
        Script::ok_chunked(100_000),
        Script::ok_to_close(100_000),
        Script::echo_body(),
        Script::events(Duration::from_secs(1)),
        Script::ranges(100_000),
        Script::conditional(),
        Script::no_content(),
        Script::redirect("/elsewhere"),
        Script::slow_ok(Duration::from_secs(3)),
        Script::interim_then_ok(),
        Script::many_fields(),
        Script::keep_alive_off(),
        Script::status(404),
        Script::status(500),
        Script::status(502),
        Script::status(503),
        Script::status(504),
        Script::status(520),
    ]
}

impl Script {
    /// 200, with the head of the request as it arrived in the body.
    pub fn ok() -> Self {
        Self::answer("ok", "answers 200 and shows the request as it arrived", Answer::ok())
    }

    /// 200 with `Content-Length` and so many bytes.
    pub fn ok_length(bytes: u64) -> Self {
        Self::answer(
            "ok-length",
            "answers 200 with a body whose length it announces",
            Answer::status(200).body(Body::Pattern(bytes)),
        )
    }

    /// 200 with so many bytes in chunks.
    pub fn ok_chunked(bytes: u64) -> Self {
        Self::answer(
            "ok-chunked",
            "answers 200 with a body in chunks",
            Answer::status(200).body(Body::Pattern(bytes)).framing(Framing::Chunked),
        )
    }

    /// 200 with so many bytes, which end where the connection ends.
    pub fn ok_to_close(bytes: u64) -> Self {
        Self::answer(
            "ok-to-close",
            "answers 200 with a body that ends where the connection ends",
            Answer::status(200).body(Body::Pattern(bytes)).framing(Framing::Close),
        )
    }

    /// 200 with the body of the request, sent back while it arrives.
    pub fn echo_body() -> Self {
        Self::answer(
            "echo-body",
            "sends the body of the request back while it arrives",
            Answer::status(200).body(Body::Request),
        )
    }

    /// Server-sent events without an end, one after each pause of `every`.
    pub fn events(every: Duration) -> Self {
        Self::answer(
            "events",
            "sends server-sent events, one after another without an end",
            Answer::status(200)
                .field("Content-Type", "text/event-stream")
                .field("Cache-Control", "no-store")
                .body(Body::Events(every, None)),
        )
    }

    /// So many bytes, or the range of them that is asked for: 200, 206 or 416.
    pub fn ranges(bytes: u64) -> Self {
        Self::answer(
            "ranges",
            "answers with the range of bytes that is asked for",
            Answer::status(200).field("Accept-Ranges", "bytes").body(Body::Ranges(bytes)),
        )
    }

    /// 200 with an entity tag, or 304 to who has that already.
    pub fn conditional() -> Self {
        Self::answer(
            "conditional",
            "answers 200 with an entity tag, and 304 to who has that version already",
            Answer::status(200).field("ETag", "\"v1\"").text("version 1\n"),
        )
    }

    /// 204.
    pub fn no_content() -> Self {
        Self::answer("no-content", "answers 204 without a body", Answer::status(204))
    }

    /// 302 to `location`.
    pub fn redirect(location: &str) -> Self {
        Self::answer(
            "redirect",
            "sends the visitor elsewhere with a 302",
            Answer::status(302).field("Location", location).text("elsewhere\n"),
        )
    }

    /// 200, but only after `delay`.
    pub fn slow_ok(delay: Duration) -> Self {
        Self::new(
            "slow-ok",
            "thinks for a while before it answers 200",
            [Step::ReadHead, Step::Pause(delay), Step::Answer(Answer::ok())],
        )
    }

    /// 100 and 103 before a 200.
    pub fn interim_then_ok() -> Self {
        Self::new(
            "interim-then-ok",
            "sends the interim responses 100 and 103 before its 200",
            [
                Step::ReadHead,
                Step::send("HTTP/1.1 100 Continue\r\n\r\n"),
                Step::send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"),
                Step::Answer(Answer::ok()),
            ],
        )
    }

    /// 200 with 300 field lines.
    pub fn many_fields() -> Self {
        let answer = (0..MANY).fold(Answer::ok(), |answer, n| answer.field(&format!("X-Field-{n}"), "value"));
        Self::answer("many-fields", "answers 200 with 300 header fields, all of them valid", answer)
    }

    /// 200 with `Connection: close`.
    pub fn keep_alive_off() -> Self {
        Self::answer(
            "keep-alive-off",
            "answers 200 and closes the connection, as it says it will",
            Answer::ok().close(),
        )
    }

    /// A status of the origin's own choice, with a page of its own.
    pub fn status(status: u16) -> Self {
        let (name, what) = match status {
            404 => ("own-404", "answers 404 itself: it has no such page"),
            500 => ("own-500", "answers 500 itself: its application failed"),
            502 => ("own-502", "answers 502 itself: something behind it failed"),
            503 => ("own-503", "answers 503 itself: it has no time for us"),
            504 => ("own-504", "answers 504 itself: something behind it was too slow"),
            520 => ("own-520", "answers 520 itself, a status that an edge sends for its origin"),
            _ => ("own-status", "answers with a status of its own choice"),
        };
        let text = format!("this is the origin's own page for {status}\n");
        Self::answer(name, what, Answer::status(status).text(&text))
    }

    /// One answer to each request.
    pub fn answer(name: &'static str, what: &'static str, answer: Answer) -> Self {
        Self::new(name, what, [Step::Answer(answer)])
    }
}
