//! Origins that do everything right over HTTP/2: what an edge must pass through unharmed.

use std::time::Duration;

use super::super::answer::Answer;
use super::super::{Script, Step};
use super::acts;
use crate::http2::{Act, Frame, Serving, setting};

/// How long a stream is kept open where many are to be open at once.
const WHILE: Duration = Duration::from_millis(50);

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::http2_ok(),
        Script::http2_ok_length(100_000),
        Script::http2_echo(),
        Script::http2_trailers(),
        Script::http2_interim_then_ok(),
        Script::http2_connect(),
        Script::http2_capped(4),
        Script::http2_retiring(3),
        Script::http2_unknown(),
        Script::http2_padded(),
        Script::grpc_unary(),
        Script::grpc_stream(),
        Script::grpc_error(),
    ]
}

/// A 200 that shows the request.
pub(super) fn ok() -> [Act; 3] {
    [Act::ReadBody, Act::head(200, &[("content-type", "text/plain; charset=utf-8")]), Act::Show]
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

impl Script {
    /// 200, with the head of the request as it arrived in the body.
    pub fn http2_ok() -> Self {
        acts("http2-ok", "answers 200 over HTTP/2 and shows the request as it arrived", ok())
    }

    /// 200 with `content-length` and so many bytes.
    pub fn http2_ok_length(bytes: u64) -> Self {
        let head = Act::head(200, &[("content-length", &bytes.to_string())]);
        acts(
            "http2-ok-length",
            "answers 200 over HTTP/2 with a body whose length it announces",
            [Act::ReadBody, head, Act::Pattern(bytes)],
        )
    }

    /// 200 with the body of the request, sent back while it arrives.
    pub fn http2_echo() -> Self {
        acts(
            "http2-echo",
            "sends the body of the request back over HTTP/2 while it arrives",
            [Act::head(200, &[]), Act::Echo],
        )
    }

    /// 200 with a body and trailers.
    pub fn http2_trailers() -> Self {
        acts(
            "http2-trailers",
            "answers 200 over HTTP/2 with a body and trailers behind it",
            [
                Act::ReadBody,
                Act::head(200, &[("trailer", "x-checksum")]),
                Act::Body("hello\n".into()),
                Act::trailers(&[("x-checksum", "5d41402a")]),
            ],
        )
    }

    /// 103 before a 200.
    pub fn http2_interim_then_ok() -> Self {
        let hints = Act::head(103, &[("link", "</style.css>; rel=preload")]);
        acts(
            "http2-interim-then-ok",
            "sends the interim response 103 over HTTP/2 before its 200",
            [hints].into_iter().chain(ok()),
        )
    }

    /// Takes extended CONNECT (RFC 8441) and sends back what it gets.
    pub fn http2_connect() -> Self {
        let serving = Serving::new([Act::head(200, &[]), Act::Echo]);
        Self::http2(
            "http2-connect",
            "takes extended CONNECT and sends back what comes through the tunnel",
            serving.setting(setting::ENABLE_CONNECT_PROTOCOL, 1),
        )
    }

    /// At most so many streams at once, each open for 50 ms; what is beyond is refused. See
    /// [`Counts::peak_streams`](crate::Counts::peak_streams).
    pub fn http2_capped(streams: u32) -> Self {
        let serving = Serving::new([Act::Pause(WHILE)].into_iter().chain(ok()));
        Self::http2(
            "http2-capped",
            "allows few streams at once on an HTTP/2 connection, and answers 200 on each",
            serving.setting(setting::MAX_CONCURRENT_STREAMS, streams),
        )
    }

    /// So many requests on each connection; the last of them gets its answer behind a GOAWAY with `NO_ERROR`.
    pub fn http2_retiring(requests: u64) -> Self {
        Self::http2(
            "http2-retiring",
            "ends each HTTP/2 connection gracefully after a few requests",
            Serving::new(ok()).retiring_after(requests),
        )
    }

    /// Frames, flags and settings that nobody has defined, which have to be ignored (RFC 9113 sections 4.1, 5.5 and 6.5.2).
    pub fn http2_unknown() -> Self {
        let unknown = |stream| Frame::new(0xbe, 0xff, stream, "what is this");
        let serving =
            Serving::new([Act::Send(vec![unknown(Frame::HERE)])].into_iter().chain(ok()).chain([Act::Send(vec![
                unknown(Frame::HERE),
                unknown(0),
                Frame::ping(*b"rayline?"),
            ])]));
        Self::http2(
            "http2-unknown",
            "answers 200 among HTTP/2 frames and settings that nobody has defined",
            serving.setting(0xabcd, u32::MAX).before(unknown(0)),
        )
    }

    /// Padding on every frame that can have it.
    pub fn http2_padded() -> Self {
        use crate::http2::{encode, flag, kind};
        let pad = |bytes: &[u8]| [&[7], bytes, &[0; 7]].concat();
        let head = pad(&encode([(":status", "200")]));
        acts(
            "http2-padded",
            "answers 200 over HTTP/2 with padding in every frame that can have some",
            [
                Act::ReadBody,
                Act::Send(vec![
                    Frame::new(kind::HEADERS, flag::END_HEADERS | flag::PADDED, Frame::HERE, head),
                    Frame::new(kind::DATA, flag::PADDED, Frame::HERE, pad(b"padded\n")),
                    Frame::new(kind::DATA, flag::PADDED | flag::END_STREAM, Frame::HERE, pad(b"")),
                ]),
            ],
        )
    }

    /// A gRPC method that answers one message with the same message, once it has it.
    pub fn grpc_unary() -> Self {
        acts(
            "grpc-unary",
            "answers a gRPC message with the same message and the status OK",
            [Act::KeepBody, Act::head(200, &[GRPC]), Act::Echo, Act::trailers(&[("grpc-status", "0")])],
        )
    }

    /// A gRPC method that streams both ways: each message is sent back as it arrives.
    pub fn grpc_stream() -> Self {
        acts(
            "grpc-stream",
            "sends each gRPC message back as it arrives, and the status OK at the end",
            [Act::head(200, &[GRPC]), Act::Echo, Act::trailers(&[("grpc-status", "0")])],
        )
    }

    /// A gRPC method that fails: a head that is the trailers too.
    pub fn grpc_error() -> Self {
        let status = [GRPC, ("grpc-status", "14"), ("grpc-message", "out of service")];
        acts(
            "grpc-error",
            "answers a gRPC call with the status UNAVAILABLE and nothing else",
            [Act::ReadBody, Act::only_head(200, &status)],
        )
    }

    /// [`Script::http2_ok`], or [`Script::ok`] to who does not speak HTTP/2.
    pub fn http2_or_http1() -> Self {
        Self::new(
            "http2-or-http1",
            "answers 200 over HTTP/2 or HTTP/1.1, whichever the client prefers",
            [Step::Http2(Serving::new(ok())), Step::Answer(Answer::ok())],
        )
    }
}
