//! Answers as HTTP wants them: the good origin, and the parts of a bad one that are good.
//!
//! Framing, HEAD, conditional and range requests are done right here, so that what a test sees broken is the edge.

use std::time::Duration;

use bytes::Bytes;

/// A response, described; how it is framed on the wire follows from the request too (HEAD, HTTP/1.0, `Connection`).
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) framing: Framing,
    pub(crate) close: bool,
}

/// What a response carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing, and no word of a length: for 204 and 304.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// The head of the request as it arrived, and the length of its body.
    Echo,
    /// The body of the request, sent back while it arrives.
    Request,
    /// So many bytes of a fixed pattern: the alphabet, again and again.
    Pattern(u64),
    /// The same pattern, of which a client may ask for a range (RFC 9110 section 14).
    Ranges(u64),
    /// Server-sent events, one after each pause: so many, or without an end.
    Events(Duration, Option<u64>),
}

/// How the end of a response body is marked (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By `Content-Length`, if it is known beforehand; otherwise as `Chunked`.
    Length,
    /// By the last chunk.
    Chunked,
    /// By the end of the connection.
    Close,
}

impl Answer {
    /// A 200 whose body shows the head of the request as it arrived.
    pub fn ok() -> Self {
        Self::status(200).field("Content-Type", "text/plain; charset=utf-8").body(Body::Echo)
    }

    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Body::None, framing: Framing::Length, close: false }
    }

    /// Adds a field line.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sets a body of plain text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.field("Content-Type", "text/plain; charset=utf-8")
            .body(Body::Bytes(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// Sets how the end of the body is marked.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Announces and does the close of the connection after this answer.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }
}

/// The reason phrase that goes with a status (RFC 9110 section 15), or none.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// The fixed pattern of [`Body::Pattern`] and [`Body::Ranges`]: `count` bytes from `offset` on.
pub(crate) fn pattern(offset: u64, count: usize) -> Bytes {
    (offset..).take(count).map(|at| b'a'.wrapping_add((at % 26) as u8)).collect()
}
