//! Section 6 without flow control: each type of frame with what it must not be.

use rayline_testkit::http2::{Code, Frame, encode, flag, kind, setting};

use super::{
    CLOSED, Expected, FLOW, PROTOCOL, Row, SIZE, Say, data, frame, get, headers, post, request, request_with, row,
};

pub(super) fn rows() -> Vec<Row> {
    let mut all = data_and_headers();
    all.extend(priority_and_reset());
    all.extend(settings());
    all.extend(ping_and_goaway());
    all.extend(continuation());
    all
}

/// HEADERS or DATA with this payload and these flags on stream 1.
fn padded(kind: u8, flags: u8, payload: impl Into<Vec<u8>>) -> Say {
    frame(Frame::new(kind, flags | flag::PADDED, 1, payload.into()))
}

fn data_and_headers() -> Vec<Row> {
    let ends = flag::END_STREAM | flag::END_HEADERS;
    let block = || encode(request("GET"));
    vec![
        row(
            "6.1",
            "DATA is the body of a request",
            [post(1), data(1, b"test", true)],
            Expected::Shown(1, "(4 bytes of body)"),
        ),
        row(
            "6.1",
            "DATA may come in many frames",
            [post(1), data(1, b"te", false), data(1, b"st!", true)],
            Expected::Shown(1, "(5 bytes of body)"),
        ),
        row(
            "6.1",
            "DATA may be empty",
            [post(1), data(1, b"", false), data(1, b"", true)],
            Expected::Shown(1, "(0 bytes of body)"),
        ),
        row(
            "6.1",
            "DATA may have padding, which is no body",
            [post(1), padded(kind::DATA, flag::END_STREAM, *b"\x06test\0\0\0\0\0\0")],
            Expected::Shown(1, "(4 bytes of body)"),
        ),
        row(
            "6.1",
            "DATA may be nothing but padding",
            [post(1), padded(kind::DATA, flag::END_STREAM, *b"\x03\0\0\0")],
            Expected::Shown(1, "(0 bytes of body)"),
        ),
        row("6.1", "DATA on stream 0", [post(1), data(0, b"test", false)], Expected::ConnectionError(PROTOCOL)),
        row(
            "6.1",
            "DATA on a stream that the visitor has ended",
            [get(1), data(1, b"test", false)],
            Expected::StreamError(1, CLOSED),
        )
        .unspecific(),
        row(
            "6.1",
            "DATA with padding as long as the payload",
            [post(1), padded(kind::DATA, 0, *b"\x05test!")],
            Expected::Alive,
        ),
        row(
            "6.1",
            "DATA with padding longer than the payload",
            [post(1), padded(kind::DATA, 0, *b"\x06test!")],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.1",
            "DATA that is padded but empty",
            [post(1), padded(kind::DATA, 0, [])],
            Expected::ConnectionError(&[Code::PROTOCOL_ERROR, Code::FRAME_SIZE_ERROR]),
        ),
        row("6.2", "HEADERS are a request", [get(1)], Expected::Answer(1, &[200])),
        row(
            "6.2",
            "HEADERS may have padding",
            [padded(kind::HEADERS, ends, [&[4], &block()[..], &[0; 4]].concat())],
            Expected::Answer(1, &[200]),
        ),
        row(
            "6.2",
            "HEADERS may have padding and a priority",
            [padded(kind::HEADERS, ends | flag::PRIORITY, [&[4, 0, 0, 0, 0, 15], &block()[..], &[0; 4]].concat())],
            Expected::Answer(1, &[200]),
        ),
        row(
            "6.2",
            "HEADERS without END_HEADERS and no CONTINUATION next",
            [frame(Frame::new(kind::HEADERS, flag::END_STREAM, 1, block())), frame(Frame::priority(1, 0, 15))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.2",
            "HEADERS without END_HEADERS and those of another stream next",
            [frame(Frame::new(kind::HEADERS, flag::END_STREAM, 1, block())), get(3)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row("6.2", "HEADERS on stream 0", [get(0)], Expected::ConnectionError(PROTOCOL)),
        row(
            "6.2",
            "HEADERS with padding longer than the payload",
            [padded(kind::HEADERS, ends, [&[0xff], &block()[..]].concat())],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.2",
            "HEADERS too short for their priority",
            [frame(Frame::new(kind::HEADERS, ends | flag::PRIORITY, 1, vec![0; 4]))],
            Expected::ConnectionError(&[Code::PROTOCOL_ERROR, Code::FRAME_SIZE_ERROR]),
        ),
    ]
}

fn priority_and_reset() -> Vec<Row> {
    vec![
        row("6.3", "PRIORITY on stream 0", [frame(Frame::priority(0, 0, 15))], Expected::ConnectionError(PROTOCOL)),
        row(
            "6.3",
            "PRIORITY of another length than 5",
            [post(1), frame(Frame::new(kind::PRIORITY, 0, 1, vec![0; 4]))],
            Expected::StreamError(1, SIZE),
        ),
        row("6.4", "RST_STREAM ends a stream", [post(1), frame(Frame::rst_stream(1, Code::CANCEL))], Expected::Alive),
        row(
            "6.4",
            "RST_STREAM on stream 0",
            [frame(Frame::rst_stream(0, Code::CANCEL))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.4",
            "RST_STREAM on an idle stream",
            [frame(Frame::rst_stream(1, Code::CANCEL))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.4",
            "RST_STREAM of another length than 4",
            [post(1), frame(Frame::new(kind::RST_STREAM, 0, 1, vec![0; 3]))],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "6.6",
            "PUSH_PROMISE by a visitor",
            [post(1), frame(Frame::push_promise(1, 2, request("GET")))],
            Expected::ConnectionError(PROTOCOL),
        ),
    ]
}

fn settings() -> Vec<Row> {
    let one = |identifier, value| frame(Frame::settings(&[(identifier, value)]));
    let settings = |flags, stream, length| frame(Frame::new(kind::SETTINGS, flags, stream, vec![0; length]));
    vec![
        row("6.5", "SETTINGS are acknowledged", [one(setting::ENABLE_PUSH, 0)], Expected::Acknowledged(1)),
        row("6.5", "an acknowledgement with a payload", [settings(flag::ACK, 0, 6)], Expected::ConnectionError(SIZE)),
        row("6.5", "SETTINGS on a stream", [post(1), settings(0, 1, 6)], Expected::ConnectionError(PROTOCOL)),
        row(
            "6.5",
            "SETTINGS of a length that is no multiple of 6",
            [settings(0, 0, 3)],
            Expected::ConnectionError(SIZE),
        ),
        row("6.5", "SETTINGS may be empty", [frame(Frame::settings(&[]))], Expected::Acknowledged(1)),
        row(
            "6.5.2",
            "SETTINGS_ENABLE_PUSH that is neither 0 nor 1",
            [one(setting::ENABLE_PUSH, 2)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.5.2",
            "SETTINGS_INITIAL_WINDOW_SIZE over 2^31-1",
            [one(setting::INITIAL_WINDOW_SIZE, 1 << 31)],
            Expected::ConnectionError(FLOW),
        ),
        row(
            "6.5.2",
            "SETTINGS_MAX_FRAME_SIZE under 2^14",
            [one(setting::MAX_FRAME_SIZE, (1 << 14) - 1)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.5.2",
            "SETTINGS_MAX_FRAME_SIZE over 2^24-1",
            [one(setting::MAX_FRAME_SIZE, 1 << 24)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.5.2",
            "SETTINGS_MAX_FRAME_SIZE at its limits is taken",
            [one(setting::MAX_FRAME_SIZE, 1 << 14), one(setting::MAX_FRAME_SIZE, (1 << 24) - 1)],
            Expected::Acknowledged(2),
        ),
        row(
            "6.5.2",
            "SETTINGS_MAX_CONCURRENT_STREAMS of 0 forbids pushes, not requests",
            [one(setting::MAX_CONCURRENT_STREAMS, 0), get(1)],
            Expected::Answer(1, &[200]),
        ),
        row("6.5.2", "an unknown setting is ignored", [one(0xff, 1)], Expected::Alive),
        row(
            "6.5.3",
            "settings are applied in their order: the last one counts",
            [frame(Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 100), (setting::INITIAL_WINDOW_SIZE, 1)])), get(1)],
            Expected::Data(1, 1),
        ),
        row(
            "6.5.3",
            "each SETTINGS is acknowledged once",
            [frame(Frame::settings(&[])), frame(Frame::settings(&[])), frame(Frame::settings(&[]))],
            Expected::Acknowledged(3),
        ),
    ]
}

fn ping_and_goaway() -> Vec<Row> {
    vec![
        row("6.7", "PING is answered with its payload", [], Expected::Alive),
        row(
            "6.7",
            "an acknowledgement of no PING is not answered",
            [frame(Frame::ping_ack(*b"invalid\0"))],
            Expected::Alive,
        ),
        row(
            "6.7",
            "PING on a stream",
            [post(1), frame(Frame::ping(*b"00000000").on(1))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.7",
            "PING of another length than 8",
            [frame(Frame::new(kind::PING, 0, 0, vec![0; 6]))],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "6.8",
            "GOAWAY on a stream",
            [post(1), frame(Frame::goaway(0, Code::NO_ERROR, b"").on(1))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.8",
            "GOAWAY shorter than 8",
            [frame(Frame::new(kind::GOAWAY, 0, 0, vec![0; 7]))],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "6.8",
            "the request before a GOAWAY is answered",
            [get(1), frame(Frame::goaway(0, Code::NO_ERROR, b"bye"))],
            Expected::Answer(1, &[200]),
        ),
        row("6.8", "GOAWAY is taken", [frame(Frame::goaway(0, Code::NO_ERROR, b"bye"))], Expected::AliveOrEnd),
    ]
}

fn continuation() -> Vec<Row> {
    let begin = |flags| frame(Frame::new(kind::HEADERS, flags | flag::END_STREAM, 1, encode(request("GET"))));
    let more = |stream, last| frame(Frame::continuation(stream, encode([("x-more", "1")]), last));
    vec![
        row("6.10", "CONTINUATION goes on with a block", [begin(0), more(1, true)], Expected::Shown(1, "x-more: 1")),
        row(
            "6.10",
            "there may be many CONTINUATION",
            [begin(0), more(1, false), more(1, false), more(1, true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "6.10",
            "CONTINUATION may be empty",
            [begin(0), frame(Frame::continuation(1, "", true))],
            Expected::Answer(1, &[200]),
        ),
        row(
            "6.10",
            "another frame between CONTINUATION",
            [begin(0), more(1, false), data(1, b"test", true)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row("6.10", "CONTINUATION of another stream", [begin(0), more(3, true)], Expected::ConnectionError(PROTOCOL)),
        row("6.10", "CONTINUATION on stream 0", [begin(0), more(0, true)], Expected::ConnectionError(PROTOCOL)),
        row(
            "6.10",
            "CONTINUATION after a block that has ended with HEADERS",
            [begin(flag::END_HEADERS), more(1, true)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.10",
            "CONTINUATION after a block that has ended with CONTINUATION",
            [begin(0), more(1, true), more(1, true)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.10",
            "CONTINUATION after DATA",
            [post(1), data(1, b"test", false), more(1, true)],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "6.10",
            "trailers may go on in CONTINUATION",
            [
                headers(1, request_with("POST", &[("trailer", "x-more")]), false),
                data(1, b"test", false),
                frame(Frame::new(kind::HEADERS, flag::END_STREAM, 1, encode([("x-sum", "1")]))),
                more(1, true),
            ],
            Expected::Answer(1, &[200]),
        ),
        row(
            "7",
            "GOAWAY with an unknown code is taken",
            [frame(Frame::goaway(0, Code(0xff), b""))],
            Expected::AliveOrEnd,
        ),
        row(
            "7",
            "RST_STREAM with an unknown code is taken",
            [post(1), frame(Frame::rst_stream(1, Code(0xff)))],
            Expected::Alive,
        ),
    ]
}
