//! Section 8.1: how requests and responses are framed, and what makes them malformed.

use rayline_testkit::http2::{Code, Frame};

use super::{Expected, PROTOCOL, Row, Say, data, frame, get, headers, post, request, request_with, row};

pub(super) fn rows() -> Vec<Row> {
    let mut all = exchanges();
    all.extend(malformed());
    all.extend(lengths());
    all
}

fn trailers(stream: u32, end_stream: bool) -> Say {
    headers(stream, [("x-checksum", "1")], end_stream)
}

fn exchanges() -> Vec<Row> {
    vec![
        row("8.1", "GET is answered", [get(1)], Expected::Answer(1, &[200])),
        row("8.1", "HEAD is answered", [headers(1, request("HEAD"), true)], Expected::Answer(1, &[200])),
        row("8.1", "POST is answered", [post(1), data(1, b"test", true)], Expected::Answer(1, &[200])),
        row(
            "8.1",
            "POST with trailers is answered",
            [
                headers(1, request_with("POST", &[("trailer", "x-checksum")]), false),
                data(1, b"test", false),
                trailers(1, true),
            ],
            Expected::Shown(1, "(4 bytes of body)"),
        ),
        row(
            "8.1",
            "a head and trailers without DATA between are a request",
            [post(1), trailers(1, true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "8.1",
            "OPTIONS for all of the server is answered",
            [headers(
                1,
                [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*"), (":authority", super::HOST)],
                true,
            )],
            Expected::Answer(1, &[200]),
        ),
        row(
            "8.1",
            "many requests at once are answered, each on its stream",
            [get(1), post(3), get(5), data(3, b"test", true), Say::UntilEnd(5)],
            Expected::Alive,
        ),
        row(
            "8.1",
            "a request that the visitor takes back is over",
            [post(1), data(1, b"te", false), frame(Frame::rst_stream(1, Code::CANCEL)), get(3)],
            Expected::Answer(3, &[200]),
        ),
    ]
}

fn malformed() -> Vec<Row> {
    vec![
        row(
            "8.1",
            "a second head that does not end the stream",
            [post(1), trailers(1, false)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1",
            "trailers behind DATA that do not end the stream",
            [post(1), data(1, b"test", false), trailers(1, false)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1",
            "DATA before a head",
            [data(1, b"test", false)],
            Expected::ConnectionError(super::CLOSED_OR_PROTOCOL),
        ),
        row(
            "8.1",
            "trailers with a pseudo-header field",
            [post(1), data(1, b"test", false), headers(1, [(":method", "POST")], true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1",
            "trailers with a connection-specific field",
            [post(1), data(1, b"test", false), headers(1, [("connection", "close")], true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1",
            "trailers with capital letters",
            [post(1), data(1, b"test", false), headers(1, [("X-Checksum", "1")], true)],
            Expected::StreamError(1, PROTOCOL),
        ),
    ]
}

fn lengths() -> Vec<Row> {
    let with_length = |length| headers(1, request_with("POST", &[("content-length", length)]), false);
    vec![
        row(
            "8.1.1",
            "content-length that is the length of the DATA",
            [with_length("4"), data(1, b"test", true)],
            Expected::Shown(1, "(4 bytes of body)"),
        ),
        row(
            "8.1.1",
            "content-length that is less than the DATA",
            [with_length("1"), data(1, b"test", true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length that is less than the DATA of many frames",
            [with_length("5"), data(1, b"test", false), data(1, b"test", true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length that is more than the DATA",
            [with_length("5"), data(1, b"test", true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length that is more than the DATA before trailers",
            [with_length("5"), data(1, b"test", false), trailers(1, true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length on a request that ends with its head",
            [headers(1, request_with("POST", &[("content-length", "4")]), true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length of 0 on a request that ends with its head",
            [headers(1, request_with("POST", &[("content-length", "0")]), true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "8.1.1",
            "content-length that is no number",
            [with_length("four"), data(1, b"test", true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "content-length with a sign",
            [with_length("+4"), data(1, b"test", true)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "8.1.1",
            "two content-length that differ",
            [
                headers(1, request_with("POST", &[("content-length", "4"), ("content-length", "5")]), false),
                data(1, b"test", true),
            ],
            Expected::StreamError(1, PROTOCOL),
        ),
    ]
}
