//! Where a body ends, from what its head says (RFC 9112 §6.3).
//!
//! Everything two readers could understand differently is refused, also where the RFC would let a
//! recipient repair it.

use crate::fields::Line;
use crate::limits::Version;
use crate::refusal::{BodyLengthFault, Fault, RefusalKind, TransferEncodingFault};
use crate::syntax::{is_token, members};

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// There is no body: the message ends with its head.
    None,
    /// This many bytes, possibly zero.
    Length(u64),
    /// Chunks, the last of them empty, then trailers.
    Chunked,
    /// Everything until the stream ends. Responses only.
    Close,
}

/// The lines of a head that framing and the connection depend on, found in one pass.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) host: Option<Line>,
    pub(crate) second_host: Option<Line>,
    pub(crate) upgrade: Option<Line>,
    pub(crate) length: Option<Line>,
    pub(crate) repeats_length: bool,
    pub(crate) coding: Option<Line>,
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) wants_upgrade: bool,
    pub(crate) expects_continue: bool,
}

impl Notes {
    #[inline]
    pub(crate) fn take(&mut self, name: &[u8], value: &[u8], line: Line) {
        // Most lines are dismissed by their length alone.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                if self.host.is_none() {
                    self.host = Some(line);
                } else if self.second_host.is_none() {
                    self.second_host = Some(line);
                }
            }
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.expects_continue |= members(value).any(|member| member.eq_ignore_ascii_case(b"100-continue"));
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.upgrade.get_or_insert(line);
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for member in members(value) {
                    self.close |= member.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= member.eq_ignore_ascii_case(b"keep-alive");
                    self.wants_upgrade |= member.eq_ignore_ascii_case(b"upgrade");
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.repeats_length = self.length.is_some();
                self.length.get_or_insert(line);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.coding.get_or_insert(line);
            }
            _ => {}
        }
    }

    /// Whether the connection may carry another message after this one (RFC 9112 §9.3).
    pub(crate) fn keep_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        }
    }

    /// The line of `Upgrade`, if `Connection` names it too and the version knows it
    /// (RFC 9110 §7.8).
    pub(crate) fn upgrade(&self, version: Version) -> Option<Line> {
        self.upgrade.filter(|_| self.wants_upgrade && version == Version::Http11)
    }
}

/// What a head declares about its body, before the method and the status have their say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Nothing,
    Length(u64),
    Chunked,
}

/// Whose body it is: the rules for a final coding differ (RFC 9112 §6.3, rule 4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// Reads `Transfer-Encoding` and `Content-Length` strictly.
///
/// RFC 9112 §6.3 lets a server process a request with both by the coding, and RFC 9110 §8.6 lets a
/// recipient collapse identical lengths. Neither repair is made here: a peer further on may make
/// the other choice.
pub(crate) fn declared(
    notes: &Notes,
    section: &[u8],
    lines: &[Line],
    version: Version,
    sender: Sender,
) -> Result<Declared, Fault> {
    if let Some(coding) = notes.coding {
        let refuse = |kind| Err(Fault::new(kind, coding.name as usize));
        if version == Version::Http10 {
            return refuse(RefusalKind::BadTransferEncoding(TransferEncodingFault::InHttp10));
        }
        if notes.length.is_some() {
            return refuse(RefusalKind::LengthWithTransferEncoding);
        }
        return match transfer_coding(section, lines, sender) {
            Ok(()) => Ok(Declared::Chunked),
            Err(kind) => Err(Fault::new(kind, coding.value as usize)),
        };
    }
    match notes.length {
        None => Ok(Declared::Nothing),
        Some(line) => match decimal(line.value(section)) {
            Ok(length) if !notes.repeats_length => Ok(Declared::Length(length)),
            // What is wrong with it, or with them, is found in another pass.
            Ok(_) | Err(_) => content_length(section, lines).map(Declared::Length),
        },
    }
}

fn named<'a>(section: &'a [u8], lines: &'a [Line], name: &'a [u8]) -> impl Iterator<Item = Line> + 'a {
    lines.iter().copied().filter(move |line| line.is_named(section, name))
}

/// The one length of a head that has at least one such line.
fn content_length(section: &[u8], lines: &[Line]) -> Result<u64, Fault> {
    let mut first = None;
    let mut repeated = None;
    for line in named(section, lines, b"content-length") {
        let refuse = |kind| Fault::new(kind, line.value as usize);
        for member in members(line.value(section)) {
            let length = decimal(member).map_err(|fault| refuse(RefusalKind::BadContentLength(fault)))?;
            match first {
                None => first = Some(length),
                Some(first) if first != length => {
                    return Err(refuse(RefusalKind::ConflictingContentLength { first, second: length }));
                }
                Some(length) => {
                    repeated.get_or_insert(refuse(RefusalKind::DuplicateContentLength { length }));
                }
            }
        }
    }
    match repeated {
        Some(fault) => Err(fault),
        None => Ok(first.unwrap_or_default()),
    }
}

/// Digits that fit 64 bits and can only be read as decimal.
fn decimal(digits: &[u8]) -> Result<u64, BodyLengthFault> {
    if digits.is_empty() {
        return Err(BodyLengthFault::Empty);
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(BodyLengthFault::NotDigits);
    }
    if digits.len() > 1 && digits.starts_with(b"0") {
        return Err(BodyLengthFault::LeadingZero);
    }
    digits
        .iter()
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .ok_or(BodyLengthFault::Overflow)
}

/// Ok if the codings of all lines together are `chunked` and nothing else.
fn transfer_coding(section: &[u8], lines: &[Line], sender: Sender) -> Result<(), RefusalKind> {
    use RefusalKind::BadTransferEncoding as Bad;
    let codings = || named(section, lines, b"transfer-encoding").flat_map(|line| members(line.value(section)));
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");

    if codings().any(|coding| coding.is_empty() || !coding.iter().copied().all(is_token)) {
        return Err(Bad(TransferEncodingFault::Malformed));
    }
    match codings().filter(|coding| is_chunked(coding)).count() {
        0 | 1 => {}
        _ => return Err(Bad(TransferEncodingFault::ChunkedTwice)),
    }
    let chunked_is_last = codings().last().is_some_and(is_chunked);
    if !chunked_is_last && codings().any(is_chunked) {
        return Err(Bad(TransferEncodingFault::ChunkedNotLast));
    }
    match codings().find(|coding| !is_chunked(coding)) {
        None => Ok(()),
        Some(other) if !is_registered(other) => Err(Bad(TransferEncodingFault::Unknown)),
        Some(_) if !chunked_is_last && sender == Sender::Client => Err(Bad(TransferEncodingFault::NotChunked)),
        // A response in such a coding would be read to the end of the stream (RFC 9112 §6.3), but
        // it could not be decoded, and TE was never sent to allow it.
        Some(_) => Err(RefusalKind::UnsupportedTransferCoding),
    }
}

/// The HTTP Transfer Coding Registry (RFC 9112 §7.2), with `identity`, which RFC 2616 had.
fn is_registered(coding: &[u8]) -> bool {
    [&b"gzip"[..], b"x-gzip", b"deflate", b"compress", b"x-compress", b"identity"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known))
}
