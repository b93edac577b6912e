//! Origins whose response head is right and whose body is not.

use super::{Script, Step};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::truncated_body(1000, 100),
        Script::truncated_chunked(),
        Script::reset_in_body(1000, 100),
        Script::bad_chunk(),
        Script::chunk_overflow(),
        Script::chunk_without_end(),
        Script::bad_trailers(),
    ]
}

/// Reads the whole request, sends the head of a chunked response and `rest`, and closes in good order.
fn chunks(name: &'static str, what: &'static str, rest: &str) -> Script {
    let response = format!("{CHUNKED}5\r\nhello\r\n{rest}");
    Script::new(name, what, [Step::ReadHead, Step::ReadBody, Step::send(response), Step::Fin])
}

fn part_of_body(announced: usize, sent: usize) -> Step {
    let body = "x".repeat(sent);
    Step::send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {announced}\r\n\r\n{body}"))
}

impl Script {
    /// `announced` bytes are announced, `sent` are sent, then a close.
    pub fn truncated_body(announced: usize, sent: usize) -> Self {
        Self::new(
            "truncated-body",
            "closes the connection before the body has the length it announced",
            [Step::ReadHead, Step::ReadBody, part_of_body(announced, sent), Step::Fin],
        )
    }

    /// A whole chunk, but not the last one, then a close.
    pub fn truncated_chunked() -> Self {
        chunks("truncated-chunked", "closes the connection without the chunk that marks the end", "")
    }

    /// `announced` bytes are announced, `sent` are sent, then a reset.
    pub fn reset_in_body(announced: usize, sent: usize) -> Self {
        Self::new(
            "reset-in-body",
            "resets the connection in the middle of the body",
            [Step::ReadHead, Step::ReadBody, part_of_body(announced, sent), Step::Reset],
        )
    }

    /// A chunk size that is no number.
    pub fn bad_chunk() -> Self {
        chunks("bad-chunk", "sends a chunk whose size is not a number", "xyz\r\nworld\r\n0\r\n\r\n")
    }

    /// A chunk size of more than 64 bits.
    pub fn chunk_overflow() -> Self {
        chunks(
            "chunk-overflow",
            "announces a chunk larger than any number a computer counts with",
            "fffffffffffffffff\r\nworld\r\n0\r\n\r\n",
        )
    }

    /// A chunk with more data than its size says.
    pub fn chunk_without_end() -> Self {
        chunks("chunk-without-end", "sends a chunk that is longer than its size says", "5\r\nworldwide\r\n0\r\n\r\n")
    }

    /// A trailer section with a line that is no field.
    pub fn bad_trailers() -> Self {
        chunks(
            "bad-trailers",
            "ends the body with a trailer line that is not a header field",
            "0\r\nthis is no field\r\n\r\n",
        )
    }
}
