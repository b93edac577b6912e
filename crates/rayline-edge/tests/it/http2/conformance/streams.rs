//! Section 5: the states of streams, their numbers, priorities, errors and extensions.

use rayline_testkit::http2::{Code, Frame, encode, flag, kind};

use super::{
    CLOSED, CLOSED_OR_PROTOCOL, Expected, PROTOCOL, Row, SIZE, Say, data, frame, get, headers, post, request,
    request_with, row,
};

pub(super) fn rows() -> Vec<Row> {
    let mut all = idle();
    all.extend(half_closed());
    all.extend(closed());
    all.extend(numbers());
    all.extend(priorities());
    all.extend(errors_and_extensions());
    all
}

fn continuation(stream: u32) -> Say {
    frame(Frame::continuation(stream, encode([("x-more", "1")]), true))
}

fn cancel(stream: u32) -> Say {
    frame(Frame::rst_stream(stream, Code::CANCEL))
}

fn idle() -> Vec<Row> {
    vec![
        row("5.1", "idle: DATA", [data(1, b"test", true)], Expected::ConnectionError(CLOSED_OR_PROTOCOL)),
        row("5.1", "idle: RST_STREAM", [cancel(1)], Expected::ConnectionError(PROTOCOL)),
        row("5.1", "idle: WINDOW_UPDATE", [frame(Frame::window_update(1, 100))], Expected::ConnectionError(PROTOCOL)),
        row("5.1", "idle: CONTINUATION", [continuation(1)], Expected::ConnectionError(PROTOCOL)),
        row("5.1", "idle: PRIORITY is taken", [frame(Frame::priority(1, 0, 15))], Expected::Alive),
        row(
            "5.1",
            "idle: a request after PRIORITY on its stream is answered",
            [frame(Frame::priority(1, 0, 15)), get(1)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.1",
            "open: WINDOW_UPDATE and PRIORITY are taken between the head and the body",
            [post(1), frame(Frame::window_update(1, 10)), frame(Frame::priority(1, 0, 200)), data(1, b"body", true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.1",
            "open: RST_STREAM leaves the connection and later streams alone",
            [post(1), cancel(1), get(3)],
            Expected::Answer(3, &[200]),
        ),
    ]
}

fn half_closed() -> Vec<Row> {
    vec![
        row("5.1", "half-closed (remote): DATA", [get(1), data(1, b"test", true)], Expected::StreamError(1, CLOSED))
            .unspecific(),
        row("5.1", "half-closed (remote): HEADERS", [get(1), get(1)], Expected::StreamError(1, CLOSED)).unspecific(),
        row(
            "5.1",
            "half-closed (remote): CONTINUATION",
            [get(1), continuation(1)],
            Expected::ConnectionError(CLOSED_OR_PROTOCOL),
        ),
        row(
            "5.1",
            "half-closed (remote): WINDOW_UPDATE is taken",
            [get(1), frame(Frame::window_update(1, 100))],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.1",
            "half-closed (remote): PRIORITY is taken",
            [get(1), frame(Frame::priority(1, 0, 15))],
            Expected::Answer(1, &[200]),
        ),
        row("5.1", "half-closed (remote): RST_STREAM is taken", [get(1), cancel(1)], Expected::Alive),
    ]
}

fn closed() -> Vec<Row> {
    let reset = |then: Say| vec![post(1), cancel(1), then];
    let ended = |then: Say| vec![get(1), Say::UntilEnd(1), then];
    vec![
        row("5.1", "closed by RST_STREAM: DATA", reset(data(1, b"test", true)), Expected::StreamError(1, CLOSED)),
        row("5.1", "closed by RST_STREAM: HEADERS", reset(get(1)), Expected::StreamError(1, CLOSED)).unspecific(),
        row(
            "5.1",
            "closed by RST_STREAM: CONTINUATION",
            reset(continuation(1)),
            Expected::ConnectionError(CLOSED_OR_PROTOCOL),
        ),
        row("5.1", "closed by END_STREAM: DATA", ended(data(1, b"test", true)), Expected::StreamError(1, CLOSED)),
        row("5.1", "closed by END_STREAM: HEADERS", ended(get(1)), Expected::ConnectionError(CLOSED_OR_PROTOCOL)),
        row(
            "5.1",
            "closed by END_STREAM: CONTINUATION",
            ended(continuation(1)),
            Expected::ConnectionError(CLOSED_OR_PROTOCOL),
        ),
        row("5.1", "closed by END_STREAM: PRIORITY is taken", ended(frame(Frame::priority(1, 0, 15))), Expected::Alive),
        row(
            "5.1",
            "closed by END_STREAM: a late WINDOW_UPDATE is ignored",
            ended(frame(Frame::window_update(1, 1))),
            Expected::Alive,
        ),
        row("5.1", "closed by END_STREAM: a late RST_STREAM is ignored", ended(cancel(1)), Expected::Alive),
    ]
}

fn numbers() -> Vec<Row> {
    vec![
        row("5.1.1", "a visitor's stream has no even number", [get(2)], Expected::ConnectionError(PROTOCOL)),
        row(
            "5.1.1",
            "a new stream has a higher number than all before",
            [get(5), get(3)],
            Expected::ConnectionError(CLOSED_OR_PROTOCOL),
        ),
        row("5.1.1", "numbers may be left out", [get(1), get(7), get(101)], Expected::Answer(101, &[200])),
        row(
            "5.1.1",
            "the highest number there is may be used",
            [get(0x7fff_ffff)],
            Expected::Answer(0x7fff_ffff, &[200]),
        ),
        row(
            "5.1.1",
            "a number that was left out is closed: DATA on it",
            [get(5), data(3, b"test", true)],
            Expected::StreamError(3, CLOSED_OR_PROTOCOL),
        ),
        row(
            "5.1.2",
            "one stream more than SETTINGS_MAX_CONCURRENT_STREAMS",
            [Say::TooManyStreams],
            Expected::LastStreamError(&[Code::PROTOCOL_ERROR, Code::REFUSED_STREAM]),
        ),
        row("5.1.2", "streams that have ended do not count", ended_streams(150), Expected::Answer(301, &[200])),
    ]
}

/// More requests, one after another, than a server would allow at once.
fn ended_streams(count: u32) -> Vec<Say> {
    let mut says: Vec<_> =
        (0..count).map(|n| n * 2 + 1).flat_map(|stream| [get(stream), Say::UntilEnd(stream)]).collect();
    says.push(get(count * 2 + 1));
    says
}

fn priorities() -> Vec<Row> {
    let prioritised = |depends_on: u32, weight: u8| {
        let payload = [&depends_on.to_be_bytes()[..], &[weight], &encode(request("GET"))].concat();
        let flags = flag::END_STREAM | flag::END_HEADERS | flag::PRIORITY;
        frame(Frame::new(kind::HEADERS, flags, 1, payload))
    };
    vec![
        row(
            "5.3.1",
            "HEADERS that make a stream depend on itself",
            [prioritised(1, 255)],
            Expected::StreamError(1, PROTOCOL),
        ),
        row(
            "5.3.1",
            "PRIORITY that makes a stream depend on itself",
            [post(1), frame(Frame::priority(1, 1, 255))],
            Expected::StreamError(1, PROTOCOL),
        ),
        row("5.3.2", "HEADERS with a priority are a request", [prioritised(0, 255)], Expected::Answer(1, &[200])),
        row(
            "5.3.2",
            "PRIORITY with the weight 1",
            [frame(Frame::priority(1, 0, 0)), get(1)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.3.2",
            "PRIORITY with the weight 256",
            [frame(Frame::priority(1, 0, 255)), get(1)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.3.2",
            "PRIORITY that depends on another stream",
            [frame(Frame::priority(3, 1, 15)), get(3)],
            Expected::Answer(3, &[200]),
        ),
        row(
            "5.3.2",
            "PRIORITY that depends on it alone",
            [frame(Frame::priority(3, 0x8000_0001, 15)), get(3)],
            Expected::Answer(3, &[200]),
        ),
        row(
            "5.3.2",
            "PRIORITY on an idle stream does not open it: lower numbers are still free",
            [frame(Frame::priority(5, 0, 15)), get(3)],
            Expected::Answer(3, &[200]),
        ),
    ]
}

fn errors_and_extensions() -> Vec<Row> {
    let bad_ping = || frame(Frame::new(kind::PING, 0, 0, vec![0; 6]));
    vec![
        row(
            "5.4.1",
            "an error of the connection is followed by its end",
            [bad_ping()],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "5.4.1",
            "an error of the connection ends it under a request too",
            [post(1), bad_ping()],
            Expected::ConnectionError(SIZE),
        ),
        row("5.4.2", "RST_STREAM is not answered with RST_STREAM", [post(1), cancel(1), cancel(1)], Expected::Alive),
        row(
            "5.4.2",
            "an error of one stream leaves the others alone",
            [headers(1, request_with("GET", &[("connection", "close")]), true), get(3)],
            Expected::Answer(3, &[200]),
        ),
        row(
            "5.5",
            "an unknown frame on the connection is ignored",
            [frame(Frame::new(0x16, 0, 0, vec![0; 8]))],
            Expected::Alive,
        ),
        row(
            "5.5",
            "an unknown frame on a stream is ignored",
            [post(1), frame(Frame::new(0x16, 0xff, 1, vec![0; 8])), data(1, b"body", true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "5.5",
            "an unknown frame in the middle of a block",
            [
                frame(Frame::new(kind::HEADERS, flag::END_STREAM, 1, encode(request("GET")))),
                frame(Frame::new(0x16, 0, 0, vec![0; 8])),
                continuation(1),
            ],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "5.5",
            "an unknown setting is ignored",
            [frame(Frame::settings(&[(0xff, 1)])), headers(1, request("GET"), true)],
            Expected::Answer(1, &[200]),
        ),
    ]
}
