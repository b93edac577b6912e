//! Path and query: normalised for rules, taken apart, rewritten.

use std::ops::ControlFlow;

use crate::facts::{Each, Fact, Facts};
use crate::scheme::Field;

/// A path and a query that rules made, and the addresses that follow from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// `https://host/path?query`.
    full: Vec<u8>,
    /// Where the path begins in it.
    path: usize,
    /// Where the path ends.
    path_end: usize,
}

impl Uri {
    /// `prefix` is scheme and host; without a query there is no question mark.
    pub(super) fn new(prefix: &[u8], path: &[u8], query: &[u8]) -> Self {
        let mut full = Vec::with_capacity(prefix.len() + path.len() + query.len() + 1);
        full.extend_from_slice(prefix);
        full.extend_from_slice(path);
        let path_end = full.len();
        if !query.is_empty() {
            full.push(b'?');
            full.extend_from_slice(query);
        }
        Self { full, path: prefix.len(), path_end }
    }

    /// Scheme, host, path and query.
    pub fn full(&self) -> &[u8] {
        &self.full
    }

    /// Path and query, as an origin is asked for them.
    pub fn path_and_query(&self) -> &[u8] {
        self.full.get(self.path..).unwrap_or_default()
    }

    /// The path.
    pub fn path(&self) -> &[u8] {
        self.full.get(self.path..self.path_end).unwrap_or_default()
    }

    /// The query, without the question mark.
    pub fn query(&self) -> &[u8] {
        self.full.get(self.path_end + 1..).unwrap_or_default()
    }
}

/// A request as it is after what was rewritten so far.
pub struct Seen<'a> {
    /// As it came.
    pub facts: &'a dyn Facts,
    /// What was made of its address, if anything.
    pub uri: Option<&'a Uri>,
}

impl std::fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Facts for Seen<'_> {
    fn fact(&self, field: Field) -> Fact<'_> {
        match (self.uri, field) {
            (Some(uri), Field::Uri) => Fact::Bytes(uri.path_and_query()),
            (Some(uri), Field::UriPath) => Fact::Bytes(uri.path()),
            (Some(uri), Field::UriQuery) => Fact::Bytes(uri.query()),
            (Some(uri), Field::FullUri) => Fact::Bytes(uri.full()),
            _ => self.facts.fact(field),
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        match (self.uri, field) {
            (Some(uri), Field::UriArgs) => each_argument(uri.query(), each),
            _ => self.facts.entries(field, each),
        }
    }
}

/// Each argument of a query, decoded neither of `%` nor of `+`. One without `=` has an empty value.
pub fn each_argument(query: &[u8], each: &mut Each<'_>) {
    for argument in query.split(|byte| *byte == b'&').filter(|argument| !argument.is_empty()) {
        let mut parts = argument.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if each(name, value) == ControlFlow::Break(()) {
            return;
        }
    }
}

/// Appends a path as rules see it ("URL normalization", type Cloudflare): `\` is `/`, slashes in a row are one, `%` is
/// taken off characters that need none (RFC 3986 §6.2.2), other `%` have capital digits, `.` and `..` are resolved.
pub fn normalize(path: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => match decoded(after) {
                Some(value) => {
                    rest = after.get(2..).unwrap_or_default();
                    if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
                        out.push(value);
                    } else {
                        out.push(b'%');
                        out.extend(after.iter().take(2).map(u8::to_ascii_uppercase));
                    }
                }
                None => out.push(b'%'),
            },
            b'/' | b'\\' => {
                end_segment(begin, out);
                if out.len() == begin || out.last() != Some(&b'/') {
                    out.push(b'/');
                }
            }
            other => out.push(other),
        }
    }
    end_segment(begin, out);
}

/// Resolves the last segment, if it is `.` or `..`.
fn end_segment(begin: usize, out: &mut Vec<u8>) {
    let slash = out.iter().skip(begin).rposition(|byte| *byte == b'/').map(|place| begin + place);
    let Some(slash) = slash else { return };
    match out.get(slash + 1..) {
        Some(b".") => out.truncate(slash + 1),
        Some(b"..") => {
            let before = out.get(begin..slash).unwrap_or_default();
            let parent = before.iter().rposition(|byte| *byte == b'/').map_or(0, |place| place);
            out.truncate(begin + parent + 1);
        }
        _ => {}
    }
}

/// The byte that two hexadecimal digits stand for.
fn decoded(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (high, low) = (value(*digits.first()?)?, value(*digits.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// Appends what a rule made of a path or a query, with `%` for what cannot stand there; nothing if it holds a control
/// character, which nobody means.
pub(super) fn escape(made: &[u8], is_path: bool, out: &mut Vec<u8>) -> Option<()> {
    for &byte in made {
        match byte {
            0..=0x1f | 0x7f => return None,
            b' ' | b'#' | b'"' | b'<' | b'>' | 0x80.. => percent(byte, out),
            b'?' if is_path => percent(byte, out),
            _ => out.push(byte),
        }
    }
    Some(())
}

fn percent(byte: u8, out: &mut Vec<u8>) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'A' + value - 10 };
    out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
}
