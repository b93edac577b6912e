//! Origins whose frames or fields are not those of HTTP/2.

use bytes::Bytes;

use super::super::Script;
use super::acts;
use crate::http2::{Act, Frame, encode, flag, kind};

/// How long the value of the field is that makes a header block huge, in bytes.
pub(super) const HUGE: usize = 2 << 20;

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::http2_uppercase_name(),
        Script::http2_no_status(),
        Script::http2_connection_field(),
        Script::http2_undecodable_head(),
        Script::http2_data_before_head(),
        Script::http2_data_on_connection(),
        Script::http2_bad_padding(),
        Script::http2_body_too_short(),
        Script::http2_body_too_long(),
        Script::http2_frame_too_large(),
        Script::http2_huge_head(HUGE),
        Script::http2_push(),
        Script::http2_unopened_stream(),
        Script::http2_window_overflow(),
        Script::http2_bad_settings(),
    ]
}

/// Reads the request, sends these frames, and leaves the rest to the client.
fn sends(name: &'static str, what: &'static str, frames: impl IntoIterator<Item = Frame>) -> Script {
    acts(name, what, [Act::ReadBody, Act::Send(frames.into_iter().collect()), Act::Hold])
}

/// HEADERS on the stream at hand.
fn head<const N: usize>(fields: [(&str, &str); N], end_stream: bool) -> Frame {
    Frame::headers(Frame::HERE, fields, end_stream)
}

fn data(bytes: impl Into<Bytes>, end_stream: bool) -> Frame {
    Frame::data(Frame::HERE, bytes, end_stream)
}

impl Script {
    /// A field name with capitals (RFC 9113 section 8.2.1).
    pub fn http2_uppercase_name() -> Self {
        sends(
            "http2-uppercase-name",
            "sends a field name with capital letters over HTTP/2",
            [head([(":status", "200"), ("X-Powered-By", "capitals")], true)],
        )
    }

    /// A head without `:status` (section 8.3.2).
    pub fn http2_no_status() -> Self {
        sends("http2-no-status", "sends a response head without a status", [head([("server", "nameless")], true)])
    }

    /// `connection: close` (section 8.2.2).
    pub fn http2_connection_field() -> Self {
        sends(
            "http2-connection-field",
            "sends the field `connection`, which HTTP/2 does not have",
            [head([(":status", "200"), ("connection", "close")], true)],
        )
    }

    /// A block that refers to an entry which the dynamic table does not have.
    pub fn http2_undecodable_head() -> Self {
        let block = Bytes::from_static(&[0xff, 0x80, 0x01]);
        sends(
            "http2-undecodable-head",
            "sends a header block that cannot be decompressed",
            [Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, Frame::HERE, block)],
        )
    }

    /// DATA where the head should be (section 8.1).
    pub fn http2_data_before_head() -> Self {
        sends(
            "http2-data-before-head",
            "sends a response body over HTTP/2 without a head before it",
            [data("too early\n", true)],
        )
    }

    /// DATA on stream 0 (section 6.1).
    pub fn http2_data_on_connection() -> Self {
        sends(
            "http2-data-on-connection",
            "sends DATA on stream 0, which is the connection itself",
            [head([(":status", "200"), ("content-length", "13")], false), Frame::data(0, "whose is it?\n", false)],
        )
    }

    /// DATA with more padding than payload (section 6.1).
    pub fn http2_bad_padding() -> Self {
        sends(
            "http2-bad-padding",
            "sends DATA with more padding than the frame is long",
            [
                head([(":status", "200"), ("content-length", "5")], false),
                data(&b"\xffshort"[..], true).flags(flag::PADDED),
            ],
        )
    }

    /// Less DATA than `content-length` says (section 8.1.1).
    pub fn http2_body_too_short() -> Self {
        sends(
            "http2-body-too-short",
            "ends an HTTP/2 response before its body is as long as announced",
            [head([(":status", "200"), ("content-length", "1000")], false), data(vec![b'x'; 100], true)],
        )
    }

    /// More DATA than `content-length` says (section 8.1.1).
    pub fn http2_body_too_long() -> Self {
        sends(
            "http2-body-too-long",
            "sends more of an HTTP/2 response body than it has announced",
            [head([(":status", "200"), ("content-length", "10")], false), data(vec![b'x'; 100], true)],
        )
    }

    /// A frame over the size that nobody has allowed (section 4.2): 16 MiB less one byte.
    pub fn http2_frame_too_large() -> Self {
        sends(
            "http2-frame-too-large",
            "sends a frame that is larger than anybody has allowed",
            [head([(":status", "200"), ("content-length", "16777215")], false), data(vec![b'x'; 0x00ff_ffff], true)],
        )
    }

    /// A whole header block of more than so many bytes, in HEADERS and CONTINUATION.
    pub fn http2_huge_head(bytes: usize) -> Self {
        let block = encode([(":status", "200"), ("x-huge", &"x".repeat(bytes))]);
        sends(
            "http2-huge-head",
            "sends an HTTP/2 response head that is larger than anybody wants",
            Frame::block(Frame::HERE, &block, crate::http2::MAX_FRAME_SIZE, true),
        )
    }

    /// PUSH_PROMISE to a client that has forbidden it (section 6.6); one that allows it gets nothing more.
    pub fn http2_push() -> Self {
        let promised = [(":method", "GET"), (":scheme", "https"), (":authority", "origin.test"), (":path", "/pushed")];
        sends(
            "http2-push",
            "promises a response that nobody has asked for",
            [Frame::push_promise(Frame::HERE, 2, promised)],
        )
    }

    /// HEADERS on a stream that the client has not opened (section 5.1.1).
    pub fn http2_unopened_stream() -> Self {
        sends(
            "http2-unopened-stream",
            "answers on a stream that the client has never opened",
            [head([(":status", "200")], true).on(0x7fff_fffd)],
        )
    }

    /// WINDOW_UPDATE that makes a window larger than 2³¹−1 (section 6.9.1).
    pub fn http2_window_overflow() -> Self {
        sends(
            "http2-window-overflow",
            "opens the flow-control window wider than a window can be",
            [Frame::window_update(0, 0x7fff_ffff)],
        )
    }

    /// SETTINGS with a value that is not allowed (section 6.5.2).
    pub fn http2_bad_settings() -> Self {
        sends(
            "http2-bad-settings",
            "announces a frame size that HTTP/2 does not allow",
            [Frame::settings(&[(crate::http2::setting::MAX_FRAME_SIZE, 1)])],
        )
    }
}
