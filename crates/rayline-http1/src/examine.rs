//! The authority on what is wrong with a section of lines: a byte-wise automaton.
//!
//! The tokenizer of the fast path only says yes or no, and only to a whole section. This looks at
//! each byte once, as it arrives, and stops at the first that no legal section can have there. So
//! the verdict depends on the bytes alone, never on how they were cut into reads.
//!
//! Knows syntax and sizes; what the fields mean is looked at once the section is whole.

use crate::limits::Limits;
use crate::refusal::{Fault, RefusalKind};
use crate::syntax::{is_space, is_target, is_text, is_token};

/// The longest method that is looked at: the longest registered one has 17 bytes.
pub const MAX_METHOD: usize = 64;

/// The three sections made of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Request,
    Response,
    Trailers,
}

impl Section {
    /// The most bytes it may have.
    pub(crate) fn limit(self, limits: &Limits) -> usize {
        let limit = match self {
            Self::Request | Self::Response => limits.head,
            // The empty line is there even if there are no trailers.
            Self::Trailers => limits.trailers.max(b"\r\n".len()),
        };
        // Offsets are kept as u32.
        limit.min(u32::MAX as usize)
    }

    fn too_large(self, limit: usize, seen: usize) -> RefusalKind {
        match self {
            Self::Request | Self::Response => RefusalKind::HeadTooLarge { limit, seen },
            Self::Trailers => RefusalKind::TrailersTooLarge { limit },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Method,
    Target,
    /// In the version; the major digit once it was seen.
    Version(u8),
    Status(u16),
    StatusEnd,
    Reason,
    LineStart,
    Name,
    NameSpace,
    Value,
    /// Behind a CR that stood at the end of this.
    Cr(Before),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Method,
    Target,
    StartLine,
    Name,
    Value,
    EmptyLine,
}

/// Walks a section, resumably.
#[derive(Debug)]
pub(crate) struct Examiner {
    section: Section,
    state: State,
    /// Bytes examined.
    at: usize,
    /// Where the current token began.
    mark: usize,
    lines: usize,
}

impl Examiner {
    pub(crate) fn new(section: Section) -> Self {
        let state = match section {
            Section::Request => State::Method,
            Section::Response => State::Version(0),
            Section::Trailers => State::LineStart,
        };
        Self { section, state, at: 0, mark: 0, lines: 0 }
    }

    /// Examines what is new in `seen`, the section so far. Ok means that nothing is wrong up to
    /// its end or up to the end of the section, whichever is first.
    #[cold]
    pub(crate) fn examine(&mut self, seen: &[u8], limits: &Limits) -> Result<(), Fault> {
        let limit = self.section.limit(limits);
        let mut rest = seen.get(self.at..).unwrap_or_default();
        while self.state != State::End {
            if self.state == State::Value {
                // Most of a head is in its values.
                let room = limit.saturating_sub(self.at);
                let run = rest.iter().take(room).take_while(|byte| is_text(**byte)).count();
                self.at += run;
                rest = rest.get(run..).unwrap_or_default();
            }
            let Some((byte, tail)) = rest.split_first() else {
                break;
            };
            if self.at >= limit {
                return Err(Fault::new(self.section.too_large(limit, seen.len()), limit));
            }
            self.state = self.step(*byte, limits)?;
            self.at += 1;
            rest = tail;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8, limits: &Limits) -> Result<State, Fault> {
        let at = self.at;
        let refuse = |kind| Err(Fault::new(kind, at));
        match (self.state, byte) {
            (State::Cr(before), b'\n') => self.line_end(before),
            (State::Cr(_), _) => Err(Fault::new(RefusalKind::BareCr, at.saturating_sub(1))),
            (State::End, _) => Ok(State::End),
            // A response that does not begin like one is told by its first byte, whatever it is.
            (State::Version(_), _) if self.section == Section::Response && at < b"HTTP/".len() => self.version(0, byte),
            (_, b'\n') => refuse(RefusalKind::BareLf),

            (State::Method, b' ') if at > 0 => {
                self.mark = at + 1;
                Ok(State::Target)
            }
            (State::Method, b'\r') => Ok(State::Cr(Before::Method)),
            (State::Method, _) if is_token(byte) && at < MAX_METHOD => Ok(State::Method),
            (State::Method, _) => refuse(not_a_method(at, byte)),

            (_, 0) => refuse(RefusalKind::NulByte),

            (State::Target, b' ') if at > self.mark => {
                self.mark = at + 1;
                Ok(State::Version(0))
            }
            (State::Target, b'\r') if at > self.mark => Ok(State::Cr(Before::Target)),
            (State::Target, _) if !is_target(byte) => refuse(RefusalKind::BadTarget),
            (State::Target, _) if at - self.mark >= limits.uri => refuse(RefusalKind::UriTooLong { limit: limits.uri }),
            (State::Target, _) => Ok(State::Target),

            (State::Version(major), _) => self.version(major, byte),

            (State::Status(sum), b'0'..=b'9') => {
                let sum = sum * 10 + u16::from(byte - b'0');
                match at - self.mark {
                    0 | 1 => Ok(State::Status(sum)),
                    _ if is_status(sum) => Ok(State::StatusEnd),
                    _ => Err(Fault::new(RefusalKind::BadStatus, self.mark)),
                }
            }
            (State::Status(_), _) => refuse(RefusalKind::BadStatus),
            (State::StatusEnd, b' ') => Ok(State::Reason),
            // RFC 9112 §4 wants the space even if no reason follows; many servers leave it out,
            // and nothing can be misread without it.
            (State::StatusEnd | State::Reason, b'\r') => Ok(State::Cr(Before::StartLine)),
            (State::StatusEnd, _) => refuse(RefusalKind::BadStatus),
            (State::Reason, _) if is_text(byte) => Ok(State::Reason),

            (State::LineStart, b'\r') => Ok(State::Cr(Before::EmptyLine)),
            (State::LineStart, b' ' | b'\t') if self.lines == 0 && self.section != Section::Trailers => {
                refuse(RefusalKind::SpaceBeforeHeaders)
            }
            (State::LineStart, b' ' | b'\t') => refuse(RefusalKind::ObsoleteFold),
            (State::LineStart, _) if is_token(byte) => {
                if self.lines >= limits.headers {
                    return refuse(RefusalKind::TooManyHeaders { limit: limits.headers });
                }
                self.lines += 1;
                Ok(State::Name)
            }
            (State::Name, _) if is_token(byte) => Ok(State::Name),
            (State::Name, b':') => Ok(State::Value),
            (State::Name, _) if is_space(byte) => {
                self.mark = at;
                Ok(State::NameSpace)
            }
            (State::Name | State::NameSpace, b'\r') => Ok(State::Cr(Before::Name)),
            (State::NameSpace, b':') => Err(Fault::new(RefusalKind::SpaceBeforeColon, self.mark)),
            (State::NameSpace, _) if is_space(byte) => Ok(State::NameSpace),
            (State::NameSpace, _) => Err(Fault::new(RefusalKind::IllegalHeaderName, self.mark)),
            (State::LineStart | State::Name, _) => refuse(RefusalKind::IllegalHeaderName),

            (State::Value, b'\r') => Ok(State::Cr(Before::Value)),
            (State::Value, _) if is_text(byte) => Ok(State::Value),
            (State::Value | State::Reason, _) => refuse(RefusalKind::IllegalHeaderValue),
        }
    }

    /// The LF of a CRLF has come.
    fn line_end(&self, before: Before) -> Result<State, Fault> {
        let refuse = |kind| Err(Fault::new(kind, self.at.saturating_sub(1)));
        match before {
            Before::Method => refuse(RefusalKind::NotHttp),
            Before::Target => refuse(RefusalKind::Http09),
            Before::Name => refuse(RefusalKind::MissingColon),
            Before::StartLine | Before::Value => Ok(State::LineStart),
            Before::EmptyLine => Ok(State::End),
        }
    }

    /// One byte of `HTTP/d.d` or of what ends it.
    fn version(&mut self, major: u8, byte: u8) -> Result<State, Fault> {
        let refuse = |kind| Err(Fault::new(kind, self.at));
        let place = self.at - self.mark;
        match (b"HTTP/".get(place), place) {
            (Some(expected), _) if *expected == byte => Ok(State::Version(0)),
            (Some(_), _) if self.section == Section::Response => refuse(not_a_reply(byte)),
            (None, 5) if byte.is_ascii_digit() => Ok(State::Version(byte - b'0')),
            (None, 6) if byte == b'.' => Ok(State::Version(major)),
            // `HTTP/2` is how tools print it; RFC 9110 §2.5 reads it as 2.0.
            (None, 6) if major != 1 && (byte == b' ' || byte == b'\r') => {
                refuse(RefusalKind::UnsupportedVersion { major, minor: 0 })
            }
            (None, 7) if byte.is_ascii_digit() => match (major, byte - b'0') {
                (1, 0 | 1) => Ok(State::Version(major)),
                (major, minor) => refuse(RefusalKind::UnsupportedVersion { major, minor }),
            },
            (None, 8) if self.section == Section::Request && byte == b'\r' => Ok(State::Cr(Before::StartLine)),
            (None, 8) if self.section == Section::Response && byte == b' ' => {
                self.mark = self.at + 1;
                Ok(State::Status(0))
            }
            (None, 8) if self.section == Section::Response && byte == b'\r' => refuse(RefusalKind::BadStatus),
            (Some(_) | None, _) => refuse(RefusalKind::BadVersion),
        }
    }
}

/// RFC 9110 §15: three digits, and 100 to 599 are valid.
///
/// A client is to treat any other as a 5xx, a failure of the server; refusing it is just that.
pub(crate) fn is_status(status: u16) -> bool {
    (100..=599).contains(&status)
}

/// Binary data and text that cannot be a request at all, against a bad method in a request.
fn not_a_method(at: usize, byte: u8) -> RefusalKind {
    let graphic = byte.is_ascii_graphic() && at > 0;
    if graphic || is_space(byte) { RefusalKind::BadMethod } else { RefusalKind::NotHttp }
}

/// HTTP/0.9 sends the document at once, so text in the place of a status line may be that.
fn not_a_reply(byte: u8) -> RefusalKind {
    if byte.is_ascii_graphic() || byte == b' ' { RefusalKind::Http09 } else { RefusalKind::NotHttp }
}
