//! Reading one section of lines out of a growing buffer: find its end, tokenize it, split it off.
//!
//! The fast path sees a section once, when it is whole. Bytes of a section that is not whole yet,
//! or that the fast path rejects, go through the [`Examiner`], which alone says what is wrong.

use std::sync::LazyLock;

use bytes::BytesMut;
use httparse::Header;
use memchr::memmem::Finder;

use crate::examine::{Examiner, Section};
use crate::fields::{Fields, Line};
use crate::limits::{Limits, Parsed};
use crate::refusal::{Fault, Part, Refusal, RefusalKind};

static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(END_BYTES));
const END_BYTES: &[u8] = b"\r\n\r\n";

/// Why a whole section is not taken.
pub(crate) enum Rejected {
    /// The tokenizer, or a check on its leniency, said no; the examiner will say why and where.
    Syntax(RefusalKind),
    /// The lines are well formed, but what they say is not acceptable.
    Meaning(Fault),
}

impl From<Fault> for Rejected {
    fn from(fault: Fault) -> Self {
        Self::Meaning(fault)
    }
}

impl From<httparse::Error> for Rejected {
    fn from(error: httparse::Error) -> Self {
        Self::Syntax(match error {
            httparse::Error::HeaderName => RefusalKind::IllegalHeaderName,
            httparse::Error::HeaderValue => RefusalKind::IllegalHeaderValue,
            httparse::Error::NewLine => RefusalKind::BareCr,
            httparse::Error::Status => RefusalKind::BadStatus,
            httparse::Error::Token => RefusalKind::NotHttp,
            httparse::Error::TooManyHeaders => RefusalKind::TooManyHeaders { limit: 0 },
            httparse::Error::Version => RefusalKind::BadVersion,
        })
    }
}

/// The state of reading sections of one kind, one after the other.
#[derive(Debug)]
pub(crate) struct Reader {
    section: Section,
    part: Part,
    limits: Limits,
    /// Bytes of the buffer in which no end was found.
    searched: usize,
    examiner: Examiner,
    /// A list that a former section has given back.
    spare: Vec<Line>,
}

impl Reader {
    pub(crate) fn new(section: Section, limits: Limits) -> Self {
        let part = match section {
            Section::Request => Part::RequestHead,
            Section::Response => Part::ResponseHead,
            Section::Trailers => Part::Trailers,
        };
        Self { section, part, limits, searched: 0, examiner: Examiner::new(section), spare: Vec::new() }
    }

    /// Whether no byte of the current section was looked at yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.searched == 0
    }

    pub(crate) fn recycle(&mut self, fields: Fields) {
        if fields.lines.capacity() > self.spare.capacity() {
            self.spare = fields.lines;
        }
    }

    pub(crate) fn refuse(&self, fault: Fault, seen: &[u8]) -> Refusal {
        fault.refuse(self.part, seen, 0)
    }

    /// Takes the section off `buf` if it is whole and `read` accepts it.
    pub(crate) fn take<T>(
        &mut self,
        buf: &mut BytesMut,
        read: impl FnOnce(&[u8], &mut Vec<Line>, &Limits) -> Result<T, Rejected>,
    ) -> Result<Parsed<(T, Fields)>, Refusal> {
        let limit = self.section.limit(&self.limits);
        let whole = self.find_end(buf).filter(|end| *end <= limit).and_then(|end| buf.get(..end));
        let Some(section) = whole else {
            return match self.examiner.examine(buf, &self.limits) {
                Ok(()) => Ok(Parsed::Partial),
                Err(fault) => Err(self.refuse(fault, buf)),
            };
        };
        let mut lines = std::mem::take(&mut self.spare);
        lines.clear();
        match read(section, &mut lines, &self.limits) {
            Ok(read) => {
                if self.searched > 0 {
                    self.searched = 0;
                    self.examiner = Examiner::new(self.section);
                }
                let end = section.len();
                Ok(Parsed::Complete((read, Fields { bytes: buf.split_to(end).freeze(), lines })))
            }
            Err(Rejected::Meaning(fault)) => Err(self.refuse(fault, buf)),
            Err(Rejected::Syntax(kind)) => {
                let fault = match self.examiner.examine(section, &self.limits) {
                    Err(fault) => fault,
                    // Both must agree. Should they ever not, the stricter one has its way.
                    Ok(()) => {
                        debug_assert!(false, "only the tokenizer rejects {section:?}");
                        Fault::new(kind, 0)
                    }
                };
                Err(self.refuse(fault, buf))
            }
        }
    }

    /// Where the section ends; each byte is searched once.
    fn find_end(&mut self, seen: &[u8]) -> Option<usize> {
        if self.section == Section::Trailers && seen.starts_with(b"\r\n") {
            return Some(b"\r\n".len());
        }
        let from = self.searched.saturating_sub(END_BYTES.len() - 1);
        match END.find(seen.get(from..).unwrap_or_default()) {
            Some(at) => Some(from + at + END_BYTES.len()),
            None => {
                self.searched = seen.len();
                None
            }
        }
    }
}

/// Where `part` of `section` begins.
pub(crate) fn offset(section: &[u8], part: &[u8]) -> Option<u32> {
    let distance = part.as_ptr().addr().checked_sub(section.as_ptr().addr())?;
    u32::try_from(distance).ok()
}

/// Turns the tokenizer's slices into offsets, and shows each line to `each`.
///
/// The tokenizer also takes a bare LF for a line end. Behind a name it leaves nothing but a value
/// and a line end, so looking at the two bytes before each name finds every such line but the last,
/// and the section is known to end in CRLF CRLF.
#[inline]
pub(crate) fn collect(
    section: &[u8],
    headers: &[Header<'_>],
    lines: &mut Vec<Line>,
    mut each: impl FnMut(&[u8], &[u8], Line),
) -> Result<(), Rejected> {
    lines.reserve(headers.len());
    for header in headers {
        let (name, value) = (header.name.as_bytes(), header.value);
        let line = locate(section, name, value).ok_or(Rejected::Syntax(RefusalKind::BareLf))?;
        each(name, value, line);
        lines.push(line);
    }
    Ok(())
}

#[inline]
fn locate(section: &[u8], name: &[u8], value: &[u8]) -> Option<Line> {
    let start = offset(section, name)?;
    let before = (start as usize).checked_sub(2);
    if start > 0 && section.get(before?..start as usize)? != b"\r\n" {
        return None;
    }
    let value_start = offset(section, value)?;
    Some(Line {
        name: start,
        name_end: start + u32::try_from(name.len()).ok()?,
        value: value_start,
        value_end: value_start + u32::try_from(value.len()).ok()?,
    })
}

/// The most lines a section of this size can have: each has a name, a colon and a line end.
pub(crate) fn most_lines(section: &[u8], limits: &Limits) -> usize {
    limits.headers.min(section.len() / b"a:\r\n".len())
}
