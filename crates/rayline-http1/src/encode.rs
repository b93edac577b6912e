//! Writing heads, chunks and trailers, so that nothing can be smuggled through the writer.
//!
//! Appends to a buffer of the caller's; decides nothing about which fields a message needs.

use std::fmt;
use std::ops::Deref;

use bytes::BytesMut;

use crate::fields::{Fields, Line};
use crate::reason::standard_reason;
use crate::syntax::{is_all_text, is_target, is_token};

/// The end of a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk and the end of a body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Something that must not be written, because it would break its line. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IllegalField {
    /// The method is not a token.
    Method,
    /// The request target is empty or holds a byte that may not stand in one.
    Target,
    /// The status is not between 100 and 599.
    Status,
    /// The reason phrase holds a control character.
    Reason,
    /// The field name is not a token.
    Name,
    /// The field value holds CR, LF, NUL or another control character.
    Value,
}

impl fmt::Display for IllegalField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method is not a token",
            Self::Target => "the request target is empty or holds an illegal character",
            Self::Status => "the status is not a number from 100 to 599",
            Self::Reason => "the reason phrase holds a control character",
            Self::Name => "the field name is not a token",
            Self::Value => "the field value holds a control character",
        })
    }
}

impl std::error::Error for IllegalField {}

fn require(condition: bool, otherwise: IllegalField) -> Result<(), IllegalField> {
    if condition { Ok(()) } else { Err(otherwise) }
}

fn is_token_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token)
}

/// Appends `METHOD target HTTP/1.1` and the line end.
///
/// # Errors
///
/// [`IllegalField::Method`] or [`IllegalField::Target`]; then nothing was written.
pub fn request_line(
    out: &mut BytesMut,
    method: impl AsRef<[u8]>,
    target: impl AsRef<[u8]>,
) -> Result<(), IllegalField> {
    let (method, target) = (method.as_ref(), target.as_ref());
    require(is_token_text(method), IllegalField::Method)?;
    require(!target.is_empty() && target.iter().copied().all(is_target), IllegalField::Target)?;
    out.reserve(method.len() + target.len() + b"  HTTP/1.1\r\n".len());
    out.extend_from_slice(method);
    out.extend_from_slice(b" ");
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

/// Appends `HTTP/1.1 status reason` and the line end; without a reason, the registered one.
///
/// # Errors
///
/// [`IllegalField::Status`] or [`IllegalField::Reason`]; then nothing was written.
pub fn status_line(out: &mut BytesMut, status: u16, reason: Option<&[u8]>) -> Result<(), IllegalField> {
    require((100..=599).contains(&status), IllegalField::Status)?;
    let reason = reason.unwrap_or_else(|| standard_reason(status).as_bytes());
    require(is_all_text(reason), IllegalField::Reason)?;
    out.reserve(b"HTTP/1.1 000 \r\n".len() + reason.len());
    out.extend_from_slice(b"HTTP/1.1 ");
    let digit = |value: u16| b'0' + (value % 10).to_le_bytes()[0];
    out.extend_from_slice(&[digit(status / 100), digit(status / 10), digit(status), b' ']);
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends one field line.
///
/// # Errors
///
/// [`IllegalField::Name`] or [`IllegalField::Value`]; then nothing was written.
pub fn field(out: &mut BytesMut, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), IllegalField> {
    let (name, value) = (name.as_ref(), value.as_ref());
    require(is_token_text(name), IllegalField::Name)?;
    own_field(out, name, value)
}

/// Appends one field line with a name of the caller's own, which is not looked at: it must be a token.
///
/// # Errors
///
/// [`IllegalField::Value`]; then nothing was written.
pub fn own_field(out: &mut BytesMut, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), IllegalField> {
    require(is_all_text(value.as_ref()), IllegalField::Value)?;
    line(out, name.as_ref(), value.as_ref());
    Ok(())
}

fn line(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + b": \r\n".len());
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the received lines for which `keep` says so, in order.
///
/// They were checked when they were parsed, so runs of lines that are kept are copied as they
/// stand, in one piece; only white space around a value is brought to the usual single space.
pub fn copy_fields<'a>(out: &mut BytesMut, fields: &'a Fields, mut keep: impl FnMut(&'a [u8], &'a [u8]) -> bool) {
    let bytes = &fields.bytes;
    let mut run = 0..0_usize;
    for line in &fields.lines {
        let (name, value) = (line.name(bytes), line.value(bytes));
        if !keep(name, value) {
            continue;
        }
        match usual_extent(bytes, *line) {
            Some(extent) if extent.start == run.end => run.end = extent.end,
            Some(extent) => {
                out.extend_from_slice(bytes.get(run).unwrap_or_default());
                run = extent;
            }
            None => {
                out.extend_from_slice(bytes.get(run).unwrap_or_default());
                run = 0..0;
                self::line(out, name, value);
            }
        }
    }
    out.extend_from_slice(bytes.get(run).unwrap_or_default());
}

/// The bytes of a line with its CRLF, if it is written just as [`field`] would write it.
fn usual_extent(section: &[u8], line: Line) -> Option<std::ops::Range<usize>> {
    let (start, end) = (line.name as usize, line.value_end as usize + 2);
    let usual = section.get(line.name_end as usize..line.value as usize) == Some(b": ")
        && section.get(line.value_end as usize..end) == Some(b"\r\n");
    usual.then_some(start..end)
}

/// Appends the empty line that ends a head or a trailer section.
pub fn end(out: &mut BytesMut) {
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk and these trailers, and ends the body.
pub fn trailers(out: &mut BytesMut, fields: &Fields) {
    last_chunk(out);
    copy_fields(out, fields, |_, _| true);
    end(out);
}

/// Appends the last chunk only: trailers by [`field`] and then [`end`] must follow.
pub fn last_chunk(out: &mut BytesMut) {
    out.extend_from_slice(b"0\r\n");
}

/// The size line of a chunk, on the stack. Dereferences to its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHead {
    bytes: [u8; Self::SIZE],
    start: u8,
}

impl ChunkHead {
    /// 16 digits and CRLF.
    const SIZE: usize = 18;
}

impl Deref for ChunkHead {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(usize::from(self.start)..).unwrap_or_default()
    }
}

impl AsRef<[u8]> for ChunkHead {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// The size line before `len` bytes of data, which [`CHUNK_END`] must follow.
///
/// A length of zero is the last chunk and ends the body: never frame an empty piece of data.
pub fn chunk_head(len: usize) -> ChunkHead {
    let mut bytes = *b"0000000000000000\r\n";
    let mut start = ChunkHead::SIZE - CHUNK_END.len();
    let mut rest = len;
    for digit in bytes.iter_mut().rev().skip(CHUNK_END.len()) {
        *digit = match (rest & 0xf).to_le_bytes()[0] {
            small @ 0..=9 => b'0' + small,
            large => b'a' + (large - 10),
        };
        start -= 1;
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "start < 18")]
    ChunkHead { bytes, start: start as u8 }
}

/// Appends `data` as one chunk; nothing if it is empty, since an empty chunk ends the body.
pub fn chunk(out: &mut BytesMut, data: &[u8]) {
    if !data.is_empty() {
        out.extend_from_slice(&chunk_head(data.len()));
        out.extend_from_slice(data);
        out.extend_from_slice(CHUNK_END);
    }
}
