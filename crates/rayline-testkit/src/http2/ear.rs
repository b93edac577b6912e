//! What frames mean, once header blocks are whole.
//!
//! It judges nothing: a frame that it cannot make sense of is handed on as it came.

use bytes::{Buf, Bytes, BytesMut};

use super::code::Code;
use super::fields::{Blocks, Fields};
use super::frame::{Frame, flag, kind};
use crate::visitor::End;

/// Something that the peer has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// SETTINGS with identifiers and values.
    Settings(Vec<(u16, u32)>),
    /// The acknowledgement of ours.
    SettingsAck,
    /// HEADERS with all their CONTINUATION: a head, an interim one, or trailers.
    Headers {
        /// The stream they are on.
        stream: u32,
        /// Pseudo-header fields and others, in order.
        fields: Fields,
        /// Whether nothing follows on that stream.
        end_stream: bool,
    },
    /// A header block that cannot be decoded.
    Undecodable {
        /// The stream it is on.
        stream: u32,
    },
    /// DATA.
    Data {
        /// The stream it is on.
        stream: u32,
        /// Its bytes without padding.
        bytes: Bytes,
        /// Whether nothing follows on that stream.
        end_stream: bool,
        /// How much of the windows it takes, padding and all, in bytes.
        flow: u32,
    },
    /// RST_STREAM.
    RstStream {
        /// The stream that ends.
        stream: u32,
        /// Why.
        code: Code,
    },
    /// GOAWAY.
    GoAway {
        /// The last stream that the peer may have done something about.
        last: u32,
        /// Why.
        code: Code,
        /// Anything else it has to say.
        debug: Bytes,
    },
    /// PING.
    Ping([u8; 8]),
    /// The answer to ours.
    PingAck([u8; 8]),
    /// WINDOW_UPDATE.
    WindowUpdate {
        /// The stream, or 0 for the connection.
        stream: u32,
        /// By how many bytes the window grows.
        increment: u32,
    },
    /// Any other frame, and those with a payload that their type does not have.
    Other(Frame),
    /// The connection has ended, or nothing came for as long as patience lasts.
    Closed(End),
}

impl Heard {
    /// The stream it concerns, if it concerns one.
    pub fn stream(&self) -> Option<u32> {
        match self {
            Self::Headers { stream, .. }
            | Self::Undecodable { stream }
            | Self::Data { stream, .. }
            | Self::RstStream { stream, .. }
            | Self::WindowUpdate { stream, .. } => Some(*stream),
            Self::Other(frame) => Some(frame.stream),
            Self::Settings(_)
            | Self::SettingsAck
            | Self::GoAway { .. }
            | Self::Ping(_)
            | Self::PingAck(_)
            | Self::Closed(_) => None,
        }
    }
}

/// The listening side of one connection.
#[derive(Debug)]
pub(crate) struct Ear {
    blocks: Blocks,
    /// A block that has begun: its stream, whether it ends it, and what has come.
    begun: Option<(u32, bool, BytesMut)>,
}

impl Ear {
    pub(crate) fn new() -> Self {
        Self { blocks: Blocks::new(), begun: None }
    }

    /// What this frame says; `None` while a header block goes on.
    pub(crate) fn hear(&mut self, frame: Frame) -> Option<Heard> {
        let heard = match frame.kind {
            kind::HEADERS => {
                let Some(mut block) = frame.unpadded() else { return Some(Heard::Other(frame)) };
                if frame.has(flag::PRIORITY) {
                    block = block.slice(block.len().min(5)..);
                }
                self.begun = Some((frame.stream, frame.has(flag::END_STREAM), block.into()));
                return self.end_of_block(&frame);
            }
            kind::CONTINUATION => {
                let Some((_, _, block)) = &mut self.begun else { return Some(Heard::Other(frame)) };
                block.extend_from_slice(&frame.payload);
                return self.end_of_block(&frame);
            }
            kind::DATA => data(&frame),
            kind::SETTINGS if frame.has(flag::ACK) => Some(Heard::SettingsAck),
            kind::SETTINGS => settings(&frame),
            kind::RST_STREAM => number(&frame).map(|code| Heard::RstStream { stream: frame.stream, code: Code(code) }),
            kind::WINDOW_UPDATE => number(&frame)
                .map(|number| Heard::WindowUpdate { stream: frame.stream, increment: number & 0x7fff_ffff }),
            kind::PING => {
                let payload = <[u8; 8]>::try_from(&frame.payload[..]).ok();
                payload.map(if frame.has(flag::ACK) { Heard::PingAck } else { Heard::Ping })
            }
            kind::GOAWAY => goaway(&frame),
            _ => None,
        };
        Some(heard.unwrap_or(Heard::Other(frame)))
    }

    fn end_of_block(&mut self, frame: &Frame) -> Option<Heard> {
        if !frame.has(flag::END_HEADERS) {
            return None;
        }
        let (stream, end_stream, block) = self.begun.take()?;
        Some(match self.blocks.decode(&block) {
            Some(fields) => Heard::Headers { stream, fields, end_stream },
            None => Heard::Undecodable { stream },
        })
    }
}

fn data(frame: &Frame) -> Option<Heard> {
    Some(Heard::Data {
        stream: frame.stream,
        bytes: frame.unpadded()?,
        end_stream: frame.has(flag::END_STREAM),
        flow: u32::try_from(frame.payload.len()).ok()?,
    })
}

fn settings(frame: &Frame) -> Option<Heard> {
    let mut rest = frame.payload.clone();
    let mut values = Vec::new();
    while !rest.is_empty() {
        values.push((rest.try_get_u16().ok()?, rest.try_get_u32().ok()?));
    }
    Some(Heard::Settings(values))
}

fn goaway(frame: &Frame) -> Option<Heard> {
    let mut rest = frame.payload.clone();
    let last = rest.try_get_u32().ok()? & 0x7fff_ffff;
    let code = Code(rest.try_get_u32().ok()?);
    Some(Heard::GoAway { last, code, debug: rest })
}

/// A payload that is one number.
fn number(frame: &Frame) -> Option<u32> {
    <[u8; 4]>::try_from(&frame.payload[..]).ok().map(u32::from_be_bytes)
}
