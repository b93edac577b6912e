//! Request heads: the server's side of RFC 9112 §3.
//!
//! Methods are not interpreted beyond the form of target they may use.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};

use crate::examine::{MAX_METHOD, Section};
use crate::fields::{Fields, Line};
use crate::framing::{Declared, Framing, Notes, Sender, declared};
use crate::limits::{Limits, Parsed, Version};
use crate::refusal::{Fault, Refusal, RefusalKind};
use crate::section::{Reader, Rejected, collect, most_lines, offset};
use crate::syntax::ascii;
use crate::target::{Form, TargetFault, TargetForm, authority, form};

/// Empty lines that are skipped before a request line.
///
/// RFC 9112 §2.2 asks for one, after old clients that end a body with a CRLF too many.
const MAX_EMPTY_LINES: usize = 4;

/// Lines for which there is room on the stack; a head with more costs one allocation.
pub(crate) const INLINE_LINES: usize = 64;

/// The head of a request, checked as a whole: every method below only looks up what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The version it came in.
    pub version: Version,
    /// Its header fields.
    pub fields: Fields,
    outline: Outline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outline {
    method_end: u32,
    target_end: u32,
    form: Form,
    host: Option<Line>,
    upgrade: Option<Line>,
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
}

impl RequestHead {
    /// The method, a token in the case received.
    pub fn method(&self) -> &str {
        match self.raw().get(..self.outline.method_end as usize).unwrap_or_default() {
            b"GET" => "GET",
            b"POST" => "POST",
            other => ascii(other),
        }
    }

    /// The request target as received: visible ASCII, not empty.
    pub fn target(&self) -> &str {
        ascii(self.target_bytes())
    }

    /// The same for who needs no text: that it is one has to be found out anew each time.
    pub fn target_bytes(&self) -> &[u8] {
        let start = self.outline.method_end as usize + 1;
        self.raw().get(start..self.outline.target_end as usize).unwrap_or_default()
    }

    /// In which of the four forms the target is, and its parts.
    pub fn form(&self) -> TargetForm<'_> {
        self.outline.form.of(|| self.target())
    }

    /// The host and port that the request is for.
    ///
    /// The authority of the target, if it has one (RFC 9112 §3.2.2 has it win over `Host`), else
    /// `Host`. Never empty; absent only in HTTP/1.0.
    pub fn host(&self) -> Option<&str> {
        self.host_bytes().map(ascii)
    }

    /// The same for who needs no text.
    pub fn host_bytes(&self) -> Option<&[u8]> {
        match self.form() {
            TargetForm::Absolute { authority, .. } => Some(authority.as_bytes()),
            TargetForm::Authority => Some(self.target_bytes()),
            TargetForm::Origin | TargetForm::Asterisk => self.outline.host.map(|line| self.fields.value(line)),
        }
    }

    /// Where the body ends. Never [`Framing::Close`].
    pub fn framing(&self) -> Framing {
        self.outline.framing
    }

    /// Whether the client can send another request on this connection (RFC 9112 §9.3).
    pub fn keep_alive(&self) -> bool {
        self.outline.keep_alive
    }

    /// Whether the client waits for a 100 before it sends the body (RFC 9110 §10.1.1, which has
    /// the expectation ignored in HTTP/1.0).
    pub fn expects_continue(&self) -> bool {
        self.outline.expects_continue
    }

    /// The protocols of `Upgrade`, if `Connection` names it (RFC 9110 §7.8, which has the field
    /// ignored in HTTP/1.0).
    pub fn upgrade(&self) -> Option<&[u8]> {
        self.outline.upgrade.map(|line| self.fields.value(line))
    }

    /// The head as received, from the method to the empty line that ends it.
    pub fn raw(&self) -> &Bytes {
        &self.fields.bytes
    }
}

/// Takes request heads off a buffer, one per connection.
#[derive(Debug)]
pub struct RequestParser {
    reader: Reader,
    empty_lines: usize,
}

impl RequestParser {
    /// A parser with these limits.
    pub fn new(limits: Limits) -> Self {
        Self { reader: Reader::new(Section::Request, limits), empty_lines: 0 }
    }

    /// Takes a head off the front of `buf`, if it is whole.
    ///
    /// Between calls bytes may only be added to the end of `buf`. Bytes behind the head stay.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], as soon as no continuation of the bytes can be a request. Nothing further on
    /// this stream can be understood: answer and close.
    pub fn parse(&mut self, buf: &mut BytesMut) -> Result<Parsed<RequestHead>, Refusal> {
        if self.reader.is_fresh() {
            while self.empty_lines < MAX_EMPTY_LINES && buf.starts_with(b"\r\n") {
                buf.advance(b"\r\n".len());
                self.empty_lines += 1;
            }
            if buf.is_empty() || (self.empty_lines < MAX_EMPTY_LINES && buf.as_ref() == b"\r") {
                return Ok(Parsed::Partial);
            }
        }
        match self.reader.take(buf, read)? {
            Parsed::Partial => Ok(Parsed::Partial),
            Parsed::Complete(((version, outline), fields)) => {
                self.empty_lines = 0;
                Ok(Parsed::Complete(RequestHead { version, fields, outline }))
            }
        }
    }

    /// What the end of the stream means now, `buf` being what [`parse`](Self::parse) left.
    ///
    /// `None` between requests: a clean close.
    pub fn eof(&self, buf: &[u8]) -> Option<Refusal> {
        if buf.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        let received = buf.len();
        Some(self.reader.refuse(Fault::new(RefusalKind::HalfHead { received }, received), buf))
    }

    /// Gives the memory of a head that is no longer needed back, for the next one.
    pub fn recycle(&mut self, head: RequestHead) {
        self.reader.recycle(head.fields);
    }
}

fn read(section: &[u8], lines: &mut Vec<Line>, limits: &Limits) -> Result<(Version, Outline), Rejected> {
    let mut slots = [const { MaybeUninit::uninit() }; INLINE_LINES];
    let slots = slots.get_mut(..limits.headers.min(INLINE_LINES)).unwrap_or_default();
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(section, slots) {
        Err(httparse::Error::TooManyHeaders) if limits.headers > INLINE_LINES => {
            let mut slots = vec![httparse::EMPTY_HEADER; most_lines(section, limits)];
            let mut request = httparse::Request::new(&mut slots);
            let status = request.parse(section)?;
            outline(section, &request, status, lines, limits)
        }
        status => outline(section, &request, status?, lines, limits),
    }
}

fn outline(
    section: &[u8],
    request: &httparse::Request<'_, '_>,
    status: httparse::Status<usize>,
    lines: &mut Vec<Line>,
    limits: &Limits,
) -> Result<(Version, Outline), Rejected> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Rejected::Syntax(RefusalKind::NotHttp));
    };
    let (method, target) = (method.as_bytes(), target.as_bytes());
    let strict = status == httparse::Status::Complete(section.len())
        && method.len() <= MAX_METHOD
        && target.len() <= limits.uri
        && target.is_ascii()
        && memchr::memchr(b'#', target).is_none();
    // Behind the method and a space, so the tokenizer skipped nothing before the method.
    let target_start = offset(section, target).filter(|start| strict && *start as usize == method.len() + 1);
    let Some(target_start) = target_start else {
        return Err(Rejected::Syntax(RefusalKind::BadTarget));
    };

    let mut notes = Notes::default();
    collect(section, request.headers, lines, |name, value, line| notes.take(name, value, line))?;

    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let form = form(method, target).map_err(|fault| {
        let kind = match fault {
            TargetFault::Form => RefusalKind::BadTarget,
            TargetFault::Host => RefusalKind::BadHost,
        };
        Fault::new(kind, target_start as usize)
    })?;
    check_host(&notes, section, version)?;
    let framing = match declared(&notes, section, lines, version, Sender::Client)? {
        Declared::Nothing => Framing::None,
        Declared::Length(length) => Framing::Length(length),
        Declared::Chunked => Framing::Chunked,
    };
    let outline = Outline {
        method_end: target_start - 1,
        target_end: target_start + u32::try_from(target.len()).unwrap_or_default(),
        form,
        host: notes.host,
        upgrade: notes.upgrade(version),
        framing,
        keep_alive: notes.keep_alive(version),
        expects_continue: notes.expects_continue && version == Version::Http11,
    };
    Ok((version, outline))
}

/// One `Host`, and a good one (RFC 9112 §3.2); HTTP/1.0 may go without.
fn check_host(notes: &Notes, section: &[u8], version: Version) -> Result<(), Fault> {
    if let Some(second) = notes.second_host {
        return Err(Fault::new(RefusalKind::MultipleHosts, second.name as usize));
    }
    match notes.host {
        Some(line) if authority(line.value(section)).is_none() => {
            Err(Fault::new(RefusalKind::BadHost, line.value as usize))
        }
        None if version == Version::Http11 => Err(Fault::new(RefusalKind::MissingHost, section.len())),
        Some(_) | None => Ok(()),
    }
}
