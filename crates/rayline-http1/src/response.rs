//! Response heads: the client's side of RFC 9112 §4 and §6.3.
//!
//! Statuses are not interpreted beyond what they mean for the body.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};

use crate::examine::{Section, is_status};
use crate::fields::{Fields, Line};
use crate::framing::{Declared, Framing, Notes, Sender, declared};
use crate::limits::{Limits, Parsed, Version};
use crate::refusal::{Fault, Refusal, RefusalKind};
use crate::request::INLINE_LINES;
use crate::section::{Reader, Rejected, collect, most_lines};

/// What a response must know of its request, because it changes where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// `HEAD`: no response to it has a body.
    Head,
    /// `CONNECT`: a 2xx to it begins a tunnel.
    Connect,
    /// Any other method.
    Other,
}

impl RequestKind {
    /// The kind of a method.
    pub fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::Head,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

/// The head of a response, checked as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version it came in.
    pub version: Version,
    /// The status, 100 to 599.
    pub status: u16,
    /// Its header fields.
    pub fields: Fields,
    outline: Outline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outline {
    /// The end of the status line.
    line_end: u32,
    upgrade: Option<Line>,
    framing: Framing,
    ignores_framing: bool,
    keep_alive: bool,
}

/// `HTTP/1.1 200`.
const STATUS_END: usize = 12;

impl ResponseHead {
    /// The reason phrase as received, often empty. Text, but not always ASCII.
    pub fn reason(&self) -> &[u8] {
        let after = self.raw().get(STATUS_END..self.outline.line_end as usize).unwrap_or_default();
        after.strip_prefix(b" ").unwrap_or_default()
    }

    /// Where the body ends, the method of the request and the status considered.
    pub fn framing(&self) -> Framing {
        self.outline.framing
    }

    /// Whether there are `Content-Length` or `Transfer-Encoding` lines where none may be: in a
    /// 1xx, a 204, or a 2xx to `CONNECT`.
    ///
    /// They have no meaning there (RFC 9112 §6.3) and must not be passed on (RFC 9110 §8.6).
    pub fn ignores_framing(&self) -> bool {
        self.outline.ignores_framing
    }

    /// Whether the server can answer another request on this connection (RFC 9112 §9.3).
    pub fn keep_alive(&self) -> bool {
        self.outline.keep_alive
    }

    /// The protocols of `Upgrade`, if `Connection` names it (RFC 9110 §7.8).
    pub fn upgrade(&self) -> Option<&[u8]> {
        self.outline.upgrade.map(|line| self.fields.value(line))
    }

    /// Whether it is a 1xx. After any of them but 101, which ends HTTP on this connection, the
    /// next head is to be parsed.
    pub fn is_informational(&self) -> bool {
        self.status < 200
    }

    /// The head as received, from the version to the empty line that ends it.
    pub fn raw(&self) -> &Bytes {
        &self.fields.bytes
    }
}

/// Takes response heads off a buffer, one per connection.
#[derive(Debug)]
pub struct ResponseParser {
    reader: Reader,
}

impl ResponseParser {
    /// A parser with these limits; [`Limits::uri`] has no meaning here.
    pub fn new(limits: Limits) -> Self {
        Self { reader: Reader::new(Section::Response, limits) }
    }

    /// Takes a head off the front of `buf`, if it is whole; a 1xx is a head of its own.
    ///
    /// Between calls bytes may only be added to the end of `buf`. Bytes behind the head stay.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], as soon as no continuation of the bytes can be a response.
    pub fn parse(&mut self, buf: &mut BytesMut, request: RequestKind) -> Result<Parsed<ResponseHead>, Refusal> {
        let read = |section: &[u8], lines: &mut Vec<Line>, limits: &Limits| read(section, lines, limits, request);
        match self.reader.take(buf, read)? {
            Parsed::Partial => Ok(Parsed::Partial),
            Parsed::Complete(((version, status, outline), fields)) => {
                Ok(Parsed::Complete(ResponseHead { version, status, fields, outline }))
            }
        }
    }

    /// What the end of the stream means while a head is awaited, `buf` being what
    /// [`parse`](Self::parse) left: [`RefusalKind::Empty`] or [`RefusalKind::HalfHead`].
    pub fn eof(&self, buf: &[u8]) -> Refusal {
        let received = buf.len();
        let kind = if received == 0 { RefusalKind::Empty } else { RefusalKind::HalfHead { received } };
        self.reader.refuse(Fault::new(kind, received), buf)
    }

    /// Gives the memory of a head that is no longer needed back, for the next one.
    pub fn recycle(&mut self, head: ResponseHead) {
        self.reader.recycle(head.fields);
    }
}

fn read(
    section: &[u8],
    lines: &mut Vec<Line>,
    limits: &Limits,
    request: RequestKind,
) -> Result<(Version, u16, Outline), Rejected> {
    let mut slots = [const { MaybeUninit::uninit() }; INLINE_LINES];
    let slots = slots.get_mut(..limits.headers.min(INLINE_LINES)).unwrap_or_default();
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, section, slots) {
        Err(httparse::Error::TooManyHeaders) if limits.headers > INLINE_LINES => {
            let mut slots = vec![httparse::EMPTY_HEADER; most_lines(section, limits)];
            let mut response = httparse::Response::new(&mut slots);
            let status = response.parse(section)?;
            outline(section, &response, status, lines, request)
        }
        status => outline(section, &response, status?, lines, request),
    }
}

fn outline(
    section: &[u8],
    response: &httparse::Response<'_, '_>,
    status: httparse::Status<usize>,
    lines: &mut Vec<Line>,
    request: RequestKind,
) -> Result<(Version, u16, Outline), Rejected> {
    let (Some(minor), Some(code)) = (response.version, response.code) else {
        return Err(Rejected::Syntax(RefusalKind::NotHttp));
    };
    // The tokenizer skips empty lines; RFC 9112 §2.2 has only servers do so.
    let strict = status == httparse::Status::Complete(section.len()) && section.starts_with(b"HTTP/");
    if !strict || !is_status(code) {
        return Err(Rejected::Syntax(RefusalKind::BadStatus));
    }

    let mut notes = Notes::default();
    collect(section, response.headers, lines, |name, value, line| notes.take(name, value, line))?;

    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let declared = declared(&notes, section, lines, version, Sender::Server)?;
    let begins_tunnel = request == RequestKind::Connect && (200..300).contains(&code);
    let never_has_body = code < 200 || code == 204 || begins_tunnel;
    let framing = match declared {
        _ if never_has_body || code == 304 || request == RequestKind::Head => Framing::None,
        Declared::Nothing => Framing::Close,
        Declared::Length(length) => Framing::Length(length),
        Declared::Chunked => Framing::Chunked,
    };
    // The line end before the first field line, or before the empty line.
    let line_end = match lines.first() {
        Some(first) => first.name.saturating_sub(2),
        None => u32::try_from(section.len().saturating_sub(4)).unwrap_or_default(),
    };
    let outline = Outline {
        line_end,
        upgrade: notes.upgrade(version),
        framing,
        ignores_framing: never_has_body && declared != Declared::Nothing,
        keep_alive: notes.keep_alive(version) && framing != Framing::Close,
    };
    Ok((version, code, outline))
}
