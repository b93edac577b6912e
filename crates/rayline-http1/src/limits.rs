//! How much of a message is read before it is refused, and the two small words of the start line.
//!
//! Only sizes: how long a peer may take is the business of whoever owns the socket.

/// Upper bounds on what one message may make the codec hold or skip.
///
/// Every bound is checked while the bytes arrive, so a peer that never ends a section is refused
/// at the bound and not when memory runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request target. RFC 9112 §3 asks for at least 8000.
    pub uri: usize,
    /// Bytes of a whole head section: start line, header fields and the empty line that ends it.
    pub head: usize,
    /// Header field lines of one head, and field lines of one trailer section.
    pub headers: usize,
    /// Bytes of a whole trailer section, the empty line included.
    pub trailers: usize,
    /// Bytes of one chunk-size line: size, extensions and CRLF.
    pub chunk_line: usize,
}

impl Default for Limits {
    /// 16 KiB of target, 128 KiB of head, 1024 fields, 16 KiB of trailers, 1 KiB of chunk line.
    ///
    /// A chunk line needs 18 bytes; the largest extension in wide use, the chunk signature of
    /// object stores, needs 82 more. 1 KiB leaves ten times that and keeps the bytes that a peer
    /// can make us read without sending any body small (RFC 9112 §7.1.1 asks for such a bound).
    fn default() -> Self {
        Self { uri: 16 * 1024, head: 128 * 1024, headers: 1024, trailers: 16 * 1024, chunk_line: 1024 }
    }
}

/// The protocol version of a message: the only two this codec speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `HTTP/1.0`: closes after each message unless told otherwise, knows no transfer coding.
    Http10,
    /// `HTTP/1.1`.
    Http11,
}

/// What [`RequestParser::parse`](crate::RequestParser::parse) and its sibling made of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// All bytes so far are fine and the end has not come: read more and call again.
    Partial,
    /// The whole head; its bytes have left the buffer.
    Complete(T),
}
