//! Sections 3 and 4: how a connection begins, what a frame is, how large it may be, how blocks of fields are carried.

use rayline_testkit::http2::{Frame, INITIAL_WINDOW, PREFACE, encode, flag, kind, setting};

use super::{
    COMPRESSION, Expected, HOST, PROTOCOL, Row, SIZE, Say, data, frame, get, headers, post, request, request_with, row,
};

pub(super) fn rows() -> Vec<Row> {
    let mut all = beginning();
    all.extend(formats());
    all.extend(sizes());
    all.extend(blocks());
    all
}

fn beginning() -> Vec<Row> {
    vec![
        row("3.2", "`h2` agreed on by ALPN is HTTP/2: a request is answered", [get(1)], Expected::Answer(1, &[200])),
        row(
            "3.4",
            "the preface and SETTINGS are answered with SETTINGS",
            [preface(), frame(Frame::settings(&[]))],
            Expected::SettingsFirst,
        )
        .raw(),
        row(
            "3.4",
            "the visitor's SETTINGS are acknowledged",
            [preface(), frame(Frame::settings(&[]))],
            Expected::Acknowledged(1),
        )
        .raw(),
        row(
            "3.4",
            "a preface with other bytes ends the connection",
            [Say::Bytes(b"INVALID CONNECTION PREFACE\r\n\r\n".into())],
            Expected::End,
        )
        .raw(),
        row(
            "3.4",
            "a preface that goes wrong in its last byte ends the connection",
            [Say::Bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX".into()), frame(Frame::settings(&[]))],
            Expected::End,
        )
        .raw(),
        row(
            "3.4",
            "a request of HTTP/1.1 where the preface should be ends the connection",
            [Say::Bytes(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").into_bytes())],
            Expected::End,
        )
        .raw(),
        row(
            "3.4",
            "HEADERS in the place of the first SETTINGS",
            [preface(), get(1)],
            Expected::ConnectionError(PROTOCOL),
        )
        .raw(),
        row(
            "3.4",
            "a request may follow the preface without a wait",
            [preface(), frame(Frame::settings(&[])), get(1)],
            Expected::Answer(1, &[200]),
        )
        .raw(),
    ]
}

fn preface() -> Say {
    Say::Bytes(PREFACE.to_vec())
}

fn formats() -> Vec<Row> {
    vec![
        row(
            "4.1",
            "a frame of an unknown type is ignored",
            [frame(Frame::new(0xff, 0, 0, vec![0; 8]))],
            Expected::Alive,
        ),
        row(
            "4.1",
            "flags that a type does not have are ignored",
            [frame(Frame::ping(*b"flagged!").flags(!flag::ACK))],
            Expected::Alive,
        ),
        row(
            "4.1",
            "the reserved bit of a stream identifier is ignored",
            [frame(Frame::headers(1, request("GET"), true).on(0x8000_0001))],
            Expected::Answer(1, &[200]),
        ),
        row("4.1", "a frame in pieces of single bytes is a frame", split_ping(), Expected::Alive),
    ]
}

/// A PING that arrives byte by byte, as far as TLS lets it.
fn split_ping() -> Vec<Say> {
    Frame::ping(*b"in parts").encode().iter().map(|byte| Say::Bytes(vec![*byte])).collect()
}

fn sizes() -> Vec<Row> {
    vec![
        row(
            "4.2",
            "DATA of 2^14 bytes is taken",
            [post(1), Say::Frame(Frame::data(1, vec![b'x'; 1 << 14], true))],
            Expected::Answer(1, &[200]),
        ),
        row(
            "4.2",
            "DATA larger than the edge's SETTINGS_MAX_FRAME_SIZE",
            [post(1), Say::Sized(|largest| Frame::data(1, vec![b'x'; largest + 1], true))],
            Expected::StreamError(1, SIZE),
        ),
        row(
            "4.2",
            "HEADERS larger than the edge's SETTINGS_MAX_FRAME_SIZE",
            [Say::Sized(|largest| {
                let mut block = encode(request("GET")).to_vec();
                block.extend_from_slice(&encode([("x-large", "x".repeat(largest).as_str())]));
                Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, block)
            })],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "4.2",
            "SETTINGS larger than the edge's SETTINGS_MAX_FRAME_SIZE",
            [Say::Sized(|largest| {
                let values = vec![(setting::INITIAL_WINDOW_SIZE, INITIAL_WINDOW); largest / 6 + 1];
                Frame::settings(&values)
            })],
            Expected::ConnectionError(SIZE),
        ),
        row(
            "4.2",
            "a frame too large on a stream that was never opened",
            [Say::Sized(|largest| Frame::new(0xbe, 0, 99, vec![0; largest + 1]))],
            Expected::ConnectionError(SIZE),
        ),
    ]
}

fn blocks() -> Vec<Row> {
    let open = |stream: u32| frame(Frame::new(kind::HEADERS, flag::END_STREAM, stream, encode(request("GET"))));
    vec![
        row(
            "4.3",
            "a block that cannot be decompressed",
            [frame(undecodable())],
            Expected::ConnectionError(COMPRESSION),
        )
        .unspecific(),
        row(
            "4.3",
            "a block cut off inside a field",
            [frame(Frame::new(
                kind::HEADERS,
                flag::END_HEADERS | flag::END_STREAM,
                1,
                encode(request("GET")).slice(..20),
            ))],
            Expected::ConnectionError(COMPRESSION),
        )
        .unspecific(),
        row(
            "4.3",
            "PRIORITY in the middle of a block",
            [open(1), frame(Frame::priority(1, 0, 15)), frame(Frame::continuation(1, encode([("x-more", "1")]), true))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "4.3",
            "HEADERS of another stream in the middle of a block",
            [open(1), get(3), frame(Frame::continuation(1, encode([("x-more", "1")]), true))],
            Expected::ConnectionError(PROTOCOL),
        ),
        row(
            "4.3",
            "trailers that cannot be decompressed",
            [post(1), data(1, b"body", false), frame(Frame { stream: 1, ..undecodable() })],
            Expected::ConnectionError(COMPRESSION),
        )
        .unspecific(),
        row(
            "4.3",
            "the blocks of different streams share one table",
            [
                headers(1, request("GET"), true),
                // the first adds a field to the table, the second is nothing but a reference to it
                frame(block_with(3, &[0x40, 1, b'a', 1, b'b'])),
                frame(block_with(5, &[0xbe])),
            ],
            Expected::Shown(5, "a: b"),
        ),
        row("4.3.1", "a block may be in pieces of one byte", pieces(1), Expected::Answer(1, &[200])),
        row(
            "4.3.1",
            "a table that the visitor makes smaller is said so in the edge's next block",
            [frame(Frame::settings(&[(setting::HEADER_TABLE_SIZE, 0)])), get(1), Say::UntilEnd(1), get(3)],
            Expected::Answer(3, &[200]),
        ),
    ]
}

/// HEADERS that refer to an entry which the table does not have.
fn undecodable() -> Frame {
    Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, vec![0xff, 0x80, 0x01])
}

/// A GET with this behind its fields.
fn block_with(stream: u32, more: &[u8]) -> Frame {
    let block = [&encode(request_with("GET", &[])), more].concat();
    Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, block)
}

fn pieces(stream: u32) -> Vec<Say> {
    // the first piece is larger: too many of one byte are a flood
    let block = encode(request("GET"));
    let mut frames = Frame::block(stream, &block, block.len() - 3, true);
    if let Some(rest) = frames.pop() {
        let last = rest.payload.len() - 1;
        let continued = rest.payload.iter().enumerate();
        frames.extend(continued.map(|(at, byte)| Frame::continuation(stream, vec![*byte], at == last)));
    }
    frames.into_iter().map(frame).collect()
}
