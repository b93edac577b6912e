//! Why bytes were refused: one closed list of causes, each with its place and its clause.
//!
//! Names the cause only. Whose fault it is, and what the peer is told, is decided elsewhere.

use std::fmt;

use bytes::Bytes;

mod kind;

pub use kind::{BodyLengthFault, ChunkSizeFault, RefusalKind, TransferEncodingFault};

/// Bytes kept as evidence around the offending place.
const EVIDENCE: usize = 64;

/// A message that is not HTTP/1.1 as this codec accepts it. The connection is of no further use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The cause.
    pub kind: RefusalKind,
    /// The part of the message it was found in.
    pub part: Part,
    /// Where: bytes from the start of the head (empty lines before a request are not counted), or
    /// from the start of the body as it is on the wire (chunk framing and trailers counted).
    ///
    /// For a limit it is the first byte too many; for an end of stream, how far reading had got.
    pub offset: usize,
    /// Up to 64 bytes around that place, as they came. They may hold secrets of the peer.
    pub bytes: Bytes,
}

/// The part of a message that a [`Refusal`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Request line and header fields.
    RequestHead,
    /// Status line and header fields.
    ResponseHead,
    /// The body and its chunk framing.
    Body,
    /// The field lines after the last chunk.
    Trailers,
}

impl Part {
    /// The part in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestHead => "request head",
            Self::ResponseHead => "response head",
            Self::Body => "body",
            Self::Trailers => "trailers",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, byte {})", self.kind, self.part.name(), self.offset)
    }
}

impl std::error::Error for Refusal {}

/// A cause and its place, before the evidence is cut out of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: RefusalKind,
    pub(crate) offset: usize,
}

impl Fault {
    pub(crate) fn new(kind: RefusalKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// The refusal of `seen`, whose first byte is `base` bytes into the part.
    #[cold]
    pub(crate) fn refuse(self, part: Part, seen: &[u8], base: usize) -> Refusal {
        let start = self.offset.saturating_sub(EVIDENCE / 2).min(seen.len().saturating_sub(EVIDENCE));
        let end = start.saturating_add(EVIDENCE).min(seen.len());
        let bytes = Bytes::copy_from_slice(seen.get(start..end).unwrap_or_default());
        Refusal { kind: self.kind, part, offset: base.saturating_add(self.offset), bytes }
    }
}
