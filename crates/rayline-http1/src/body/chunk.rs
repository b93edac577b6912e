//! The line before the data of a chunk (RFC 9112 §7.1): its size and its extensions.
//!
//! Extensions have no meaning to anyone here; they are checked against their grammar, so that no
//! line end can hide in them, and dropped.

use crate::refusal::{ChunkSizeFault, Fault, RefusalKind};
use crate::syntax::{is_space, is_text, is_token};

/// Bytes of extensions that a body may have beyond as many as it has data.
///
/// RFC 9112 §7.1.1 asks for a total bound. A fixed one would break signed uploads, which carry a
/// signature per chunk; data in proportion is what shows that the peer means to send a body.
pub(crate) const EXTENSION_ALLOWANCE: usize = 16 * 1024;

/// Digits that always fit 64 bits.
const MAX_DIGITS: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    SizeSpace,
    ExtensionStart,
    Name,
    NameSpace,
    ValueStart,
    Value,
    Quoted,
    Escaped,
    ValueEnd,
    ValueSpace,
    Cr,
    End,
}

/// Walks a chunk-size line, resumably; each byte is looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChunkLine {
    state: State,
    /// Bytes walked.
    at: usize,
    digits: usize,
    size: u64,
}

impl ChunkLine {
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// Bytes of the line with its CRLF.
    pub(super) fn length(self) -> usize {
        self.at
    }

    /// Bytes of the line that are neither digits nor its end.
    pub(super) fn extensions(self) -> usize {
        self.at.saturating_sub(self.digits + b"\r\n".len())
    }

    /// Walks what is new in `seen`, which begins with the line. True when the line is whole.
    pub(super) fn read(&mut self, seen: &[u8], limit: usize) -> Result<bool, Fault> {
        for byte in seen.get(self.at..).unwrap_or_default() {
            if self.at >= limit {
                return Err(Fault::new(RefusalKind::ChunkLineTooLong { limit }, limit));
            }
            self.state = self.step(*byte)?;
            self.at += 1;
            if self.state == State::End {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step(&mut self, byte: u8) -> Result<State, Fault> {
        let refuse = |kind| Err(Fault::new(kind, self.at));
        match (self.state, byte) {
            (State::Cr, b'\n') => Ok(State::End),
            (State::Cr, _) => Err(Fault::new(RefusalKind::BareCr, self.at.saturating_sub(1))),
            (State::End, _) => Ok(State::End),
            (_, b'\n') => refuse(RefusalKind::BareLf),

            (State::Size, b'\r' | b';') if self.digits == 0 => refuse(RefusalKind::BadChunkSize(ChunkSizeFault::Empty)),
            (State::Size, b'\r') => Ok(State::Cr),
            (State::Size | State::SizeSpace, b';') => Ok(State::ExtensionStart),
            (State::Size, _) if self.digits > 0 && is_space(byte) => Ok(State::SizeSpace),
            (State::Size, _) => match char::from(byte).to_digit(16) {
                None => refuse(RefusalKind::BadChunkSize(ChunkSizeFault::NotHex)),
                // Leading zeros count: lenient peers disagree about numbers this long.
                Some(_) if self.digits >= MAX_DIGITS => refuse(RefusalKind::ChunkSizeOverflow),
                Some(digit) => {
                    self.size = self.size << 4 | u64::from(digit);
                    self.digits += 1;
                    Ok(State::Size)
                }
            },
            // The grammar has white space only before an extension (BWS, RFC 9110 §5.6.3).
            (State::SizeSpace, b'\r') => refuse(RefusalKind::BadChunkSize(ChunkSizeFault::TrailingSpace)),
            (State::SizeSpace, _) if is_space(byte) => Ok(State::SizeSpace),
            (State::SizeSpace, _) => refuse(RefusalKind::BadChunkSize(ChunkSizeFault::NotHex)),

            (State::ExtensionStart, _) if is_space(byte) => Ok(State::ExtensionStart),
            (State::ExtensionStart | State::Name, _) if is_token(byte) => Ok(State::Name),
            (State::Name | State::Value | State::ValueEnd, b'\r') => Ok(State::Cr),
            (State::Name | State::NameSpace, b'=') => Ok(State::ValueStart),
            (State::Name | State::NameSpace | State::Value | State::ValueEnd | State::ValueSpace, b';') => {
                Ok(State::ExtensionStart)
            }
            (State::Name | State::NameSpace, _) if is_space(byte) => Ok(State::NameSpace),
            (State::ValueStart, _) if is_space(byte) => Ok(State::ValueStart),
            (State::ValueStart, b'"') => Ok(State::Quoted),
            (State::ValueStart | State::Value, _) if is_token(byte) => Ok(State::Value),
            (State::Quoted, b'"') => Ok(State::ValueEnd),
            (State::Quoted, b'\\') => Ok(State::Escaped),
            (State::Quoted | State::Escaped, _) if is_text(byte) => Ok(State::Quoted),
            (State::Value | State::ValueEnd | State::ValueSpace, _) if is_space(byte) => Ok(State::ValueSpace),
            (
                State::ExtensionStart
                | State::Name
                | State::NameSpace
                | State::ValueStart
                | State::Value
                | State::Quoted
                | State::Escaped
                | State::ValueEnd
                | State::ValueSpace,
                _,
            ) => refuse(RefusalKind::BadChunkExtension),
        }
    }
}
