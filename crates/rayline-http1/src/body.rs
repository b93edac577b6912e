//! Bodies: by length, in chunks, to the end of the stream; and the trailers behind chunks.
//!
//! Splits data off the buffer it came in, never copies or joins it. Content codings are none of
//! its business.

use bytes::{Buf, Bytes, BytesMut};

use crate::examine::Section;
use crate::fields::{Fields, Line};
use crate::framing::Framing;
use crate::limits::{Limits, Parsed};
use crate::refusal::{Fault, Part, Refusal, RefusalKind};
use crate::section::{Reader, Rejected, collect, most_lines};

mod chunk;

use chunk::{ChunkLine, EXTENSION_ALLOWANCE};

/// One step of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The next bytes of content; never empty.
    Data(Bytes),
    /// The trailers, if there are any; at most once, directly before the end.
    Trailers(Fields),
    /// The body is over. What is left in the buffer is not part of it.
    End,
    /// The buffer holds nothing that can be given out: read more and call again.
    NeedMore,
}

/// Takes one body off a buffer.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    framing: Framing,
    limits: Limits,
    /// Bytes of content given out.
    received: u64,
    /// Bytes taken off the buffer, chunk framing included.
    consumed: usize,
    /// Bytes of chunk extensions beyond the data they came with.
    excess: u64,
}

#[derive(Debug)]
enum State {
    Length { left: u64 },
    Close,
    ChunkLine(ChunkLine),
    ChunkData { left: u64 },
    ChunkEnd,
    Trailers(Box<Reader>),
    Done,
}

impl BodyDecoder {
    /// A decoder for the body behind a head with this framing.
    pub fn new(framing: Framing, limits: &Limits) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(left) => State::Length { left },
            Framing::Chunked => State::ChunkLine(ChunkLine::default()),
            Framing::Close => State::Close,
        };
        Self { state, framing, limits: *limits, received: 0, consumed: 0, excess: 0 }
    }

    /// Takes the next piece off the front of `buf`.
    ///
    /// Between calls bytes may only be added to the end of `buf`: the line that a chunk or its
    /// trailers begin with stays in there until it is whole, so `buf` must have room for
    /// [`Limits::chunk_line`] and [`Limits::trailers`] bytes.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]; nothing further on this stream can be understood, and what was given out is
    /// not the whole body.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Decoded, Refusal> {
        loop {
            match &mut self.state {
                State::Done => return Ok(Decoded::End),
                State::Close => {
                    return Ok(match self.take_data(buf, u64::MAX) {
                        Some((data, _)) => Decoded::Data(data),
                        None => Decoded::NeedMore,
                    });
                }
                State::Length { left } => {
                    let left = *left;
                    let Some((data, rest)) = self.take_data(buf, left) else {
                        return Ok(Decoded::NeedMore);
                    };
                    self.state = if rest == 0 { State::Done } else { State::Length { left: rest } };
                    return Ok(Decoded::Data(data));
                }
                State::ChunkData { left } => {
                    let left = *left;
                    let Some((data, rest)) = self.take_data(buf, left) else {
                        return Ok(Decoded::NeedMore);
                    };
                    self.state = if rest == 0 { State::ChunkEnd } else { State::ChunkData { left: rest } };
                    return Ok(Decoded::Data(data));
                }
                State::ChunkLine(line) => match line.read(buf, self.limits.chunk_line) {
                    Err(fault) => return Err(self.refuse(fault, buf)),
                    Ok(false) => return Ok(Decoded::NeedMore),
                    Ok(true) => {
                        let line = *line;
                        self.begin_chunk(line, buf)?;
                    }
                },
                State::ChunkEnd => match buf.as_ref() {
                    [b'\r', b'\n', ..] => {
                        self.skip(buf, 2);
                        self.state = State::ChunkLine(ChunkLine::default());
                    }
                    [] | [b'\r'] => return Ok(Decoded::NeedMore),
                    [..] => return Err(self.refuse(Fault::new(RefusalKind::MissingChunkEnd, 0), buf)),
                },
                State::Trailers(reader) => {
                    let before = buf.len();
                    let trailers = match reader.take(buf, read_trailers) {
                        Ok(Parsed::Partial) => return Ok(Decoded::NeedMore),
                        Ok(Parsed::Complete(((), trailers))) => trailers,
                        Err(mut refusal) => {
                            refusal.offset += self.consumed;
                            return Err(refusal);
                        }
                    };
                    self.consumed += before - buf.len();
                    self.state = State::Done;
                    if !trailers.is_empty() {
                        return Ok(Decoded::Trailers(trailers));
                    }
                }
            }
        }
    }

    /// What the end of the stream means now, everything before it having been decoded.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Truncated`], unless the body was over or ends with the stream.
    pub fn eof(&mut self) -> Result<(), Refusal> {
        let expected = match (&self.state, self.framing) {
            (State::Done, _) => return Ok(()),
            (State::Close, _) => {
                self.state = State::Done;
                return Ok(());
            }
            (_, Framing::Length(length)) => Some(length),
            (_, Framing::None | Framing::Chunked | Framing::Close) => None,
        };
        let kind = RefusalKind::Truncated { received: self.received, expected };
        Err(self.refuse(Fault::new(kind, 0), &[]))
    }

    /// Whether the body is over.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Bytes of content given out so far; chunk framing does not count.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of content still to come, where that is known: with a length, and at the end.
    pub fn remaining_hint(&self) -> Option<u64> {
        match self.state {
            State::Done => Some(0),
            State::Length { left } => Some(left),
            State::Close | State::ChunkLine(_) | State::ChunkData { .. } | State::ChunkEnd | State::Trailers(_) => None,
        }
    }

    /// Takes note of so many bytes of content, [`Self::remaining_hint`] at the most, that went another way than through the
    /// buffer, before anything that is in there.
    pub fn pass(&mut self, count: u64) {
        if let State::Length { left } = self.state {
            let count = count.min(left);
            self.received += count;
            self.state = if count == left { State::Done } else { State::Length { left: left - count } };
        }
    }

    /// Up to `left` bytes of data, and how many of `left` remain.
    fn take_data(&mut self, buf: &mut BytesMut, left: u64) -> Option<(Bytes, u64)> {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        if length == 0 {
            return None;
        }
        self.consumed += length;
        self.received += length as u64;
        Some((buf.split_to(length).freeze(), left - length as u64))
    }

    fn skip(&mut self, buf: &mut BytesMut, length: usize) {
        buf.advance(length);
        self.consumed += length;
    }

    /// The chunk-size line at the front of `buf` is whole.
    fn begin_chunk(&mut self, line: ChunkLine, buf: &mut BytesMut) -> Result<(), Refusal> {
        if self.received.checked_add(line.size()).is_none() {
            return Err(self.refuse(Fault::new(RefusalKind::ChunkSizeOverflow, 0), buf));
        }
        self.excess = (self.excess + line.extensions() as u64).saturating_sub(line.size());
        if self.excess > EXTENSION_ALLOWANCE as u64 {
            let kind = RefusalKind::ChunkExtensionsTooLarge { limit: EXTENSION_ALLOWANCE };
            return Err(self.refuse(Fault::new(kind, 0), buf));
        }
        self.skip(buf, line.length());
        self.state = match line.size() {
            // Nearly every body ends without trailers, and in one piece with its last chunk.
            0 if buf.starts_with(b"\r\n") => {
                self.skip(buf, 2);
                State::Done
            }
            0 => State::Trailers(Box::new(Reader::new(Section::Trailers, self.limits))),
            left => State::ChunkData { left },
        };
        Ok(())
    }

    #[cold]
    fn refuse(&self, fault: Fault, seen: &[u8]) -> Refusal {
        fault.refuse(Part::Body, seen, self.consumed)
    }
}

/// Fields that must not come as trailers: message framing, routing and the connection depend on
/// them, and a recipient that merges trailers into the head would be led astray (RFC 9110 §6.5.1).
const NEVER_TRAILERS: [&[u8]; 9] = [
    b"connection",
    b"content-length",
    b"host",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

fn read_trailers(section: &[u8], lines: &mut Vec<Line>, limits: &Limits) -> Result<(), Rejected> {
    let mut slots = vec![httparse::EMPTY_HEADER; most_lines(section, limits)];
    let headers = match httparse::parse_headers(section, &mut slots)? {
        httparse::Status::Complete((length, headers)) if length == section.len() => headers,
        httparse::Status::Complete(_) | httparse::Status::Partial => {
            return Err(Rejected::Syntax(RefusalKind::BareLf));
        }
    };
    let mut forbidden = None;
    collect(section, headers, lines, |name, _, line| {
        if NEVER_TRAILERS.iter().any(|never| name.eq_ignore_ascii_case(never)) {
            forbidden.get_or_insert(line);
        }
    })?;
    match forbidden {
        None => Ok(()),
        Some(line) => Err(Fault::new(RefusalKind::BadTrailer, line.name as usize).into()),
    }
}
