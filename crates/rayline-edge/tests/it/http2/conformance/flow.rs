//! Sections 5.2 and 6.9: flow control.

use rayline_testkit::http2::{Frame, INITIAL_WINDOW, encode, flag, kind, setting};

use super::{Expected, FLOW, PROTOCOL, Row, SIZE, Say, data, frame, get, post, request, row};

pub(super) fn rows() -> Vec<Row> {
    let mut all = updates();
    all.extend(windows());
    all.extend(initial_sizes());
    all
}

const MOST: u32 = 0x7fff_ffff;

fn initial(value: u32) -> Say {
    frame(Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, value)]))
}

fn update(stream: u32, increment: u32) -> Say {
    frame(Frame::window_update(stream, increment))
}

fn updates() -> Vec<Row> {
    vec![
        row("6.9", "WINDOW_UPDATE of the connection is taken", [update(0, 1)], Expected::Alive),
        row(
            "6.9",
            "WINDOW_UPDATE of a stream is taken",
            [post(1), update(1, 1), data(1, b"test", true)],
            Expected::Answer(1, &[200]),
        ),
        row("6.9", "WINDOW_UPDATE of the connection by 0", [update(0, 0)], Expected::ConnectionError(PROTOCOL)),
        row("6.9", "WINDOW_UPDATE of a stream by 0", [post(1), update(1, 0)], Expected::StreamError(1, PROTOCOL)),
        row(
            "6.9",
            "WINDOW_UPDATE of another length than 4",
            [frame(Frame::new(kind::WINDOW_UPDATE, 0, 0, vec![0; 3]))],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "6.9",
            "WINDOW_UPDATE of another length than 4 on a stream",
            [post(1), frame(Frame::new(kind::WINDOW_UPDATE, 0, 1, vec![0; 5]))],
            Expected::ConnectionError(SIZE),
        ),
        row("6.9", "the reserved bit of an increment is ignored", [update(0, 0x8000_0001)], Expected::Alive),
    ]
}

fn windows() -> Vec<Row> {
    vec![
        row("5.2.1", "a body goes no further than its window", [get(1)], Expected::Data(1, 7))
            .greeting(&[(setting::INITIAL_WINDOW_SIZE, 7)]),
        row(
            "5.2.1",
            "flow control is for DATA alone: a head needs no window",
            [get(1), Say::UntilHead(1)],
            Expected::Alive,
        )
        .greeting(&[(setting::INITIAL_WINDOW_SIZE, 0)]),
        row(
            "5.2.2",
            "the edge gives windows back: a body longer than all of them goes through",
            [post(1), Say::Body(1, 4 << 20)],
            Expected::Shown(1, "(4194304 bytes of body)"),
        ),
        row("6.9.1", "DATA goes no further than a window of one byte", [get(1)], Expected::Data(1, 1))
            .greeting(&[(setting::INITIAL_WINDOW_SIZE, 1)]),
        row(
            "6.9.1",
            "WINDOW_UPDATE makes a body go on",
            [get(1), Say::UntilData(1, 1), update(1, 5)],
            Expected::Data(1, 5),
        )
        .greeting(&[(setting::INITIAL_WINDOW_SIZE, 1)]),
        row(
            "6.9.1",
            "the connection's window cannot be larger than 2^31-1",
            [update(0, MOST), update(0, MOST)],
            Expected::ConnectionError(FLOW),
        ),
        row(
            "6.9.1",
            "a stream's window cannot be larger than 2^31-1",
            [post(1), update(1, MOST), update(1, MOST)],
            Expected::StreamError(1, FLOW),
        ),
        row("6.9.1", "a window may be as large as 2^31-1", [update(0, MOST - INITIAL_WINDOW)], Expected::Alive),
        row("6.9.1", "DATA beyond the window", overrun(0), Expected::StreamError(1, FLOW)).unread(),
        row("6.9.1", "DATA beyond the window, with padding", overrun(flag::PADDED), Expected::StreamError(1, FLOW))
            .unread(),
    ]
}

/// More DATA than any window that a server may give, in one piece, with or without padding in it.
fn overrun(flags: u8) -> Vec<Say> {
    let padding = if flags & flag::PADDED == 0 { 0 } else { 255 };
    let payload = || [&[padding; 1], &[b'x'; 16_000][..], &vec![0; padding.into()]].concat();
    let frames = std::iter::repeat_with(|| frame(Frame::new(kind::DATA, flags, 1, payload())));
    std::iter::once(post(1)).chain(frames.take(2048)).collect()
}

fn initial_sizes() -> Vec<Row> {
    vec![
        row(
            "6.9.2",
            "a new initial size opens the windows of streams that wait",
            [get(1), Say::UntilHead(1), initial(1)],
            Expected::Data(1, 1),
        )
        .greeting(&[(setting::INITIAL_WINDOW_SIZE, 0)]),
        row(
            "6.9.2",
            "a window may become negative, and is one again after enough updates",
            [get(1), Say::UntilData(1, 3), initial(2), update(1, 2)],
            Expected::Data(1, 1),
        )
        .greeting(&[(setting::INITIAL_WINDOW_SIZE, 3)]),
        row("6.9.2", "a new initial size over 2^31-1", [initial(1 << 31)], Expected::ConnectionError(FLOW)),
        row(
            "6.9.2",
            "a new initial size that makes a stream's window larger than 2^31-1",
            [post(1), update(1, MOST - INITIAL_WINDOW), initial(INITIAL_WINDOW + 1)],
            Expected::ConnectionError(FLOW),
        ),
        row(
            "6.9.2",
            "a new initial size leaves the connection's window as it is",
            [
                initial(0),
                frame(Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, encode(request("GET")))),
                Say::UntilHead(1),
                initial(9),
            ],
            Expected::Data(1, 9),
        ),
        row(
            "6.9.3",
            "a smaller window holds for what is sent after it is acknowledged",
            [initial(4), get(1)],
            Expected::Data(1, 4),
        ),
    ]
}
