//! Origins that fall silent, or that stop to read: what timers are for.

use std::time::Duration;

use super::{Script, Step};

/// A kernel receive buffer that one request body soon fills, in bytes.
pub(super) const SMALL: usize = 4 << 10;

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::stall_before_head(),
        Script::stall_in_head(),
        Script::drip_head(Duration::from_millis(500)),
        Script::stall_in_body(100),
        Script::never_read(),
        Script::read_some_then_stop(16 << 10),
    ]
}

impl Script {
    /// The request is read; nothing follows.
    pub fn stall_before_head() -> Self {
        Self::new(
            "stall-before-head",
            "reads the request and never answers",
            [Step::ReadHead, Step::ReadBody, Step::Hold],
        )
    }

    /// Half a header section; nothing follows.
    pub fn stall_in_head() -> Self {
        Self::new(
            "stall-in-head",
            "sends half of a response header and falls silent",
            [
                Step::ReadHead,
                Step::ReadBody,
                Step::send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le"),
                Step::Hold,
            ],
        )
    }

    /// A header section that grows by one byte after each pause of `every` and never ends.
    pub fn drip_head(every: Duration) -> Self {
        Self::new(
            "drip-head",
            "sends its response header byte by byte, and never to the end",
            [
                Step::ReadHead,
                Step::ReadBody,
                Step::send("HTTP/1.1 200 OK\r\nX-Drip: "),
                Step::Repeat("x".into(), every),
            ],
        )
    }

    /// A head that announces 1000 bytes, `sent` of them; nothing follows.
    pub fn stall_in_body(sent: usize) -> Self {
        let body = "x".repeat(sent);
        Self::new(
            "stall-in-body",
            "sends the beginning of a body and falls silent",
            [
                Step::ReadHead,
                Step::ReadBody,
                Step::send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n{body}"
                )),
                Step::Hold,
            ],
        )
    }

    /// Nothing is read at all: a request of some length meets a closed window.
    pub fn never_read() -> Self {
        Self::new("never-read", "accepts the connection and never reads from it", [Step::Hold]).receive_buffer(SMALL)
    }

    /// The head of the request and `bytes` of its body are read: the rest meets a closed window.
    pub fn read_some_then_stop(bytes: usize) -> Self {
        Self::new(
            "read-some-then-stop",
            "reads the beginning of the request body and then reads no more",
            [Step::ReadHead, Step::ReadBytes(bytes), Step::Hold],
        )
        .receive_buffer(SMALL)
    }
}
