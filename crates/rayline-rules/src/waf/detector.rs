//! What takes more than a pattern to find: in a text ([`Detector`]), and in how a request is put together ([`Signal`]).
//!
//! SQL and markup are recognised by libinjection's method, tokens instead of words. Its port to Rust is fast on markup, but
//! takes time that grows with the square of some SQL, so that sees the beginning of a text only, and of all texts of a
//! request together no more than [`SQL_BUDGET_BYTES`].

mod sql;

use std::ops::Range;
use std::panic::catch_unwind;

use libinjectionrs::{SqliFlags, SqliState};
use serde::Deserialize;

use super::alphabet::Bytes;

/// Bytes of one text in which SQL is looked for. The method looks at five tokens, which rarely are longer.
const SQL_BYTES: usize = 512;

/// Bytes of all texts of a request in which SQL is looked for: about 10 ms at the worst.
pub(super) const SQL_BUDGET_BYTES: usize = 8 * 1024;

/// Looks at one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Detector {
    /// The text continues an SQL statement.
    Sql,
    /// The text is, or continues, HTML that runs a script.
    Markup,
    /// `%` without two hexadecimal digits behind it.
    BadPercent,
    /// Bytes that UTF-8 forbids because a shorter form exists, or that are cut short.
    BadUtf8,
    /// NUL.
    Nul,
    /// Control characters other than tab, line feed and carriage return.
    Control,
}

impl Detector {
    /// Bytes of which a text must have one for this to find anything.
    pub(super) fn alphabet(self) -> Bytes {
        match self {
            Self::Sql => Bytes::of(is_of_sql),
            Self::Markup => Bytes::of(|byte| matches!(byte, b'<' | b'=' | b'`')),
            Self::BadPercent => Bytes::of(|byte| byte == b'%'),
            Self::BadUtf8 => Bytes::of(|byte| !byte.is_ascii()),
            Self::Nul => Bytes::of(|byte| byte == 0),
            Self::Control => Bytes::of(is_control),
        }
    }

    /// Where in the text it is, if it is. `budget` is what is left of [`SQL_BUDGET_BYTES`].
    pub(super) fn find(self, bytes: &[u8], budget: &mut usize) -> Option<Range<usize>> {
        match self {
            Self::Sql => sql(bytes, budget),
            Self::Markup => markup(bytes),
            Self::BadPercent => bad_percent(bytes),
            Self::BadUtf8 => bad_utf8(bytes),
            Self::Nul => memchr::memchr(0, bytes).map(|at| at..at + 1),
            Self::Control => bytes.iter().position(|byte| is_control(*byte)).map(|at| at..at + 1),
        }
    }
}

/// Something about the request as a whole, which whoever reads it raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signal {
    /// The body says that it is JSON, and is not.
    MalformedJson,
    /// It is deeper than [`super::body::DEPTH`].
    DeepJson,
    /// The body says that it is multipart, and is not, or not by the rules.
    MalformedMultipart,
    /// More than [`super::body::ARGUMENTS`] arguments.
    ManyArguments,
    /// A GET or HEAD request with a body.
    BodyOfGet,
    /// A body without `Content-Type`.
    UntypedBody,
    /// No `User-Agent`, or an empty one.
    NoUserAgent,
    /// No `Accept`.
    NoAccept,
    /// Twice the same header field that may stand once.
    RepeatedHeader,
}

const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// A panic in there is a finding: no honest text would be behind it.
fn sql(bytes: &[u8], budget: &mut usize) -> Option<Range<usize>> {
    let text = bytes.get(..SQL_BYTES).unwrap_or(bytes);
    if !text.iter().any(|byte| is_of_sql(*byte)) {
        return None;
    }
    *budget = budget.checked_sub(text.len())?;
    if !sql::is_possible(text) {
        return None;
    }
    let found = catch_unwind(|| SqliState::new(text, SqliFlags::FLAG_NONE).detect()).unwrap_or(true);
    found.then_some(0..text.len())
}

/// What no SQL does without that is worth a look.
const fn is_of_sql(byte: u8) -> bool {
    matches!(
        byte,
        b'\''
            | b'"'
            | b'`'
            | b'('
            | b')'
            | b'='
            | b'<'
            | b'>'
            | b';'
            | b'#'
            | b'-'
            | b'/'
            | b'*'
            | b'|'
            | b'&'
            | b'@'
            | b'0'..=b'9'
    )
}

fn markup(bytes: &[u8]) -> Option<Range<usize>> {
    let place = memchr::memchr3(b'<', b'=', b'`', bytes)?;
    let found = catch_unwind(|| libinjectionrs::detect_xss(bytes).is_injection()).unwrap_or(true);
    found.then_some(place..bytes.len())
}

fn bad_percent(bytes: &[u8]) -> Option<Range<usize>> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', bytes)
        .find(|at| {
            let digits = bytes.get(at + 1..).unwrap_or_default();
            !(is_hex(digits.first()) && is_hex(digits.get(1)))
        })
        .map(|at| at..at + 1)
}

fn bad_utf8(bytes: &[u8]) -> Option<Range<usize>> {
    match std::str::from_utf8(bytes) {
        Ok(_) => None,
        Err(error) => Some(error.valid_up_to()..error.valid_up_to() + error.error_len().unwrap_or(1)),
    }
}
