//! Frames as they are on the wire (RFC 9113 sections 4.1 and 6), good and bad.
//!
//! A frame is five parts that need not fit each other: nothing here stops a sender from a wrong length, a flag that the type
//! does not have, or a payload that is none.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::code::Code;
use super::fields;

/// What a client sends first (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest payload that every peer takes, in bytes, and the one our own frames are cut to.
pub const MAX_FRAME_SIZE: usize = 16_384;
/// The flow-control window that everything begins with, in bytes.
pub const INITIAL_WINDOW: u32 = 65_535;
/// The length of a frame header in bytes.
const HEADER: usize = 9;

/// Frame types (RFC 9113 section 6).
pub mod kind {
    #![expect(missing_docs, reason = "each is what the RFC calls it")]
    pub const DATA: u8 = 0x0;
    pub const HEADERS: u8 = 0x1;
    pub const PRIORITY: u8 = 0x2;
    pub const RST_STREAM: u8 = 0x3;
    pub const SETTINGS: u8 = 0x4;
    pub const PUSH_PROMISE: u8 = 0x5;
    pub const PING: u8 = 0x6;
    pub const GOAWAY: u8 = 0x7;
    pub const WINDOW_UPDATE: u8 = 0x8;
    pub const CONTINUATION: u8 = 0x9;
}

/// Frame flags (RFC 9113 section 6).
pub mod flag {
    #![expect(missing_docs, reason = "each is what the RFC calls it")]
    pub const ACK: u8 = 0x1;
    pub const END_STREAM: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

/// Settings (RFC 9113 section 6.5.2 and RFC 8441 section 3).
pub mod setting {
    #![expect(missing_docs, reason = "each is what the RFC calls it")]
    pub const HEADER_TABLE_SIZE: u16 = 0x1;
    pub const ENABLE_PUSH: u16 = 0x2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    pub const INITIAL_WINDOW_SIZE: u16 = 0x4;
    pub const MAX_FRAME_SIZE: u16 = 0x5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The type, see [`kind`].
    pub kind: u8,
    /// The flags, see [`flag`].
    pub flags: u8,
    /// The stream with the reserved bit in front of it; 0 is the connection.
    pub stream: u32,
    /// The payload with padding and all.
    pub payload: Bytes,
}

impl Frame {
    /// Stands for the stream at hand in the frames of a script.
    pub const HERE: u32 = u32::MAX;

    /// A frame of these parts.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Bytes>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// DATA.
    pub fn data(stream: u32, bytes: impl Into<Bytes>, end_stream: bool) -> Self {
        Self::new(kind::DATA, if end_stream { flag::END_STREAM } else { 0 }, stream, bytes)
    }

    /// HEADERS with a whole block of these fields, each as a literal that no table keeps.
    pub fn headers<'a>(stream: u32, list: impl IntoIterator<Item = (&'a str, &'a str)>, end_stream: bool) -> Self {
        let end = if end_stream { flag::END_STREAM } else { 0 };
        Self::new(kind::HEADERS, flag::END_HEADERS | end, stream, fields::encode(list))
    }

    /// PRIORITY, which RFC 9113 section 5.3.2 deprecates.
    pub fn priority(stream: u32, depends_on: u32, weight: u8) -> Self {
        let mut payload = depends_on.to_be_bytes().to_vec();
        payload.push(weight);
        Self::new(kind::PRIORITY, 0, stream, payload)
    }

    /// RST_STREAM.
    pub fn rst_stream(stream: u32, code: Code) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.0.to_be_bytes().to_vec())
    }

    /// SETTINGS with these identifiers and values, see [`setting`].
    pub fn settings(values: &[(u16, u32)]) -> Self {
        let mut payload = BytesMut::new();
        for (identifier, value) in values {
            payload.put_u16(*identifier);
            payload.put_u32(*value);
        }
        Self::new(kind::SETTINGS, 0, 0, payload)
    }

    /// The acknowledgement of SETTINGS.
    pub fn settings_ack() -> Self {
        Self::new(kind::SETTINGS, flag::ACK, 0, Bytes::new())
    }

    /// PUSH_PROMISE with a whole block.
    pub fn push_promise<'a>(stream: u32, promised: u32, list: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut payload = promised.to_be_bytes().to_vec();
        payload.extend_from_slice(&fields::encode(list));
        Self::new(kind::PUSH_PROMISE, flag::END_HEADERS, stream, payload)
    }

    /// PING.
    pub fn ping(payload: [u8; 8]) -> Self {
        Self::new(kind::PING, 0, 0, payload.to_vec())
    }

    /// The acknowledgement of a PING.
    pub fn ping_ack(payload: [u8; 8]) -> Self {
        Self::new(kind::PING, flag::ACK, 0, payload.to_vec())
    }

    /// GOAWAY.
    pub fn goaway(last: u32, code: Code, debug: &[u8]) -> Self {
        let mut payload = BytesMut::new();
        payload.put_u32(last);
        payload.put_u32(code.0);
        payload.put_slice(debug);
        Self::new(kind::GOAWAY, 0, 0, payload)
    }

    /// WINDOW_UPDATE.
    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, increment.to_be_bytes().to_vec())
    }

    /// CONTINUATION with a piece of a header block.
    pub fn continuation(stream: u32, block: impl Into<Bytes>, end_headers: bool) -> Self {
        Self::new(kind::CONTINUATION, if end_headers { flag::END_HEADERS } else { 0 }, stream, block)
    }

    /// A header block as HEADERS and as many CONTINUATION as pieces of `size` bytes make.
    pub fn block(stream: u32, block: &Bytes, size: usize, end_stream: bool) -> Vec<Self> {
        let end = if end_stream { flag::END_STREAM } else { 0 };
        let mut rest = block.clone();
        let first = rest.split_to(size.min(rest.len()));
        let mut frames = vec![Self::new(kind::HEADERS, end, stream, first)];
        while !rest.is_empty() {
            let piece = rest.split_to(size.max(1).min(rest.len()));
            frames.push(Self::continuation(stream, piece, false));
        }
        if let Some(last) = frames.last_mut() {
            last.flags |= flag::END_HEADERS;
        }
        frames
    }

    /// The same with other flags.
    #[must_use]
    pub fn flags(mut self, flags: u8) -> Self {
        self.flags = flags;
        self
    }

    /// The same on another stream.
    #[must_use]
    pub fn on(mut self, stream: u32) -> Self {
        self.stream = stream;
        self
    }

    /// Whether all these flags are set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The frame on the wire.
    pub fn encode(&self) -> Bytes {
        self.encode_claiming(u32::try_from(self.payload.len()).unwrap_or(u32::MAX))
    }

    /// The frame on the wire with this number in its length field, of which only 24 bits are sent.
    pub fn encode_claiming(&self, length: u32) -> Bytes {
        let mut bytes = BytesMut::with_capacity(HEADER + self.payload.len());
        bytes.put_uint(u64::from(length & 0x00ff_ffff), 3);
        bytes.put_u8(self.kind);
        bytes.put_u8(self.flags);
        bytes.put_u32(self.stream);
        bytes.put_slice(&self.payload);
        bytes.freeze()
    }

    /// Takes a whole frame from the start of `buffer`, if one is there. The reserved bit is not kept.
    pub(crate) fn split(buffer: &mut BytesMut) -> Option<Self> {
        let mut header = buffer.get(..HEADER)?;
        let length = usize::try_from(header.get_uint(3)).unwrap_or(usize::MAX);
        let (kind, flags, stream) = (header.get_u8(), header.get_u8(), header.get_u32() & 0x7fff_ffff);
        if buffer.len() < HEADER + length {
            return None;
        }
        buffer.advance(HEADER);
        Some(Self { kind, flags, stream, payload: buffer.split_to(length).freeze() })
    }

    /// The payload without padding (RFC 9113 section 6.1); `None` if the padding is longer than the payload.
    pub(crate) fn unpadded(&self) -> Option<Bytes> {
        let mut payload = self.payload.clone();
        if self.has(flag::PADDED) {
            let padding = usize::from(payload.try_get_u8().ok()?);
            payload.truncate(payload.len().checked_sub(padding)?);
        }
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_wire_and_takes_nothing_else_along() {
        let frame = Frame::data(3, "hello", true);
        let mut wire = BytesMut::from(&frame.encode()[..]);
        assert_eq!(&wire[..9], [0, 0, 5, 0, 1, 0, 0, 0, 3]);
        wire.put_slice(b"\0\0\x01");
        assert_eq!(Frame::split(&mut wire), Some(frame));
        assert_eq!(Frame::split(&mut wire), None);
        assert_eq!(wire.len(), 3);
    }

    #[test]
    fn a_long_block_goes_in_pieces_of_which_the_last_ends_it() {
        let frames = Frame::block(1, &Bytes::from_static(b"abcdefg"), 3, true);
        let shown: Vec<_> = frames.iter().map(|frame| (frame.kind, frame.flags, &frame.payload[..])).collect();
        assert_eq!(shown, [(1, 1, &b"abc"[..]), (9, 0, b"def"), (9, 4, b"g")]);
    }

    #[test]
    fn padding_longer_than_the_payload_is_none() {
        let padded = Frame::new(kind::DATA, flag::PADDED, 1, &b"\x02abxx"[..]);
        assert_eq!(padded.unpadded().as_deref(), Some(&b"ab"[..]));
        assert_eq!(Frame::new(kind::DATA, flag::PADDED, 1, &b"\x03ab"[..]).unpadded(), None);
        assert_eq!(Frame::new(kind::DATA, flag::PADDED, 1, Bytes::new()).unpadded(), None);
    }
}
