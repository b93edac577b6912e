//! Regular expressions and wildcard patterns, within bounds, and what `regex_replace` and `wildcard_replace` put in their
//! place (Rules language, "Operators", "Functions").
//!
//! Both take time in proportion to the text: the regex crate knows no backtracking, and a wildcard is a few literals
//! sought one after the other.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// The most bytes that a compiled regular expression may take, as in wirefilter's default.
const COMPILED_LIMIT: usize = 10 << 20;
/// The most bytes that its states may take while it runs.
const STATES_LIMIT: usize = 2 << 20;
/// The most references that a replacement may hold ("up to eight replacement references").
const REFERENCES: usize = 8;
/// The most `*` that a wildcard pattern may hold.
const STARS: usize = 8;

/// Compiles a regular expression as the language means it: of bytes, Unicode only where `(?u)` asks for it.
///
/// # Errors
/// In one sentence, why it is none, or that it is too large.
pub(crate) fn regex(pattern: &[u8]) -> Result<Regex, String> {
    let Ok(pattern) = std::str::from_utf8(pattern) else {
        return Err("this regular expression is not UTF-8".to_owned());
    };
    let built =
        RegexBuilder::new(pattern).unicode(false).size_limit(COMPILED_LIMIT).dfa_size_limit(STATES_LIMIT).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large once compiled".to_owned(),
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("this is no regular expression: {reason}")
        }
    })
}

/// A wildcard pattern: literals with any characters between them.
#[derive(Debug, Clone)]
pub(crate) struct Wildcard {
    /// What it begins with, up to the first `*`.
    first: Box<[u8]>,
    /// The literals between stars.
    middle: Vec<Finder<'static>>,
    /// What follows the last `*`; without a star, `first` is all.
    last: Option<Box<[u8]>>,
    strict: bool,
}

impl Wildcard {
    /// Reads a pattern. `strict` minds the case.
    ///
    /// # Errors
    /// In one sentence, what is wrong with it.
    pub(crate) fn new(pattern: &[u8], strict: bool) -> Result<Self, String> {
        let mut pieces = vec![Vec::new()];
        let mut bytes = pattern.iter();
        let mut after_star = false;
        while let Some(&byte) = bytes.next() {
            let literal = match byte {
                b'*' if after_star => return Err("two `*` in a row are no wildcard pattern".to_owned()),
                b'*' => None,
                b'\\' => match bytes.next() {
                    Some(&escaped @ (b'*' | b'\\')) => Some(escaped),
                    Some(_) | None => {
                        return Err(r"in a wildcard pattern, `\` stands before `*` or `\` only".to_owned());
                    }
                },
                byte => Some(byte),
            };
            after_star = literal.is_none();
            match literal {
                None => pieces.push(Vec::new()),
                Some(literal) => {
                    let literal = if strict { literal } else { literal.to_ascii_lowercase() };
                    pieces.last_mut().into_iter().for_each(|piece| piece.push(literal));
                }
            }
        }
        let stars = pieces.len() - 1;
        if stars > STARS {
            return Err(format!("a wildcard pattern may hold {STARS} `*`, this one holds {stars}"));
        }
        let mut pieces = pieces.into_iter();
        let first = pieces.next().unwrap_or_default().into_boxed_slice();
        let last = pieces.next_back().map(Vec::into_boxed_slice);
        Ok(Self { first, middle: pieces.map(|piece| Finder::new(&piece).into_owned()).collect(), last, strict })
    }

    /// The longest literal of it, in lower case unless it minds the case: a text without it cannot match.
    pub(crate) fn longest_literal(&self) -> &[u8] {
        let middle = self.middle.iter().map(Finder::needle);
        let all = middle.chain([&*self.first]).chain(self.last.as_deref());
        all.max_by_key(|literal| literal.len()).unwrap_or_default()
    }

    /// Whether it stands for the whole text. `scratch` holds the text in lower case meanwhile, if the case is ignored.
    pub(crate) fn is_match(&self, text: &[u8], scratch: &mut Vec<u8>) -> bool {
        self.matched(text, scratch, |_, _| ())
    }

    /// What each `*` stands for, as short as may be from the left on ("lazy matching"), if the whole text matches.
    pub(crate) fn captures<'t>(&self, text: &'t [u8], scratch: &mut Vec<u8>) -> Option<Vec<&'t [u8]>> {
        let mut captures = Vec::new();
        let is_match =
            self.matched(text, scratch, |start, end| captures.push(text.get(start..end).unwrap_or_default()));
        is_match.then_some(captures)
    }

    fn matched(&self, text: &[u8], scratch: &mut Vec<u8>, mut star: impl FnMut(usize, usize)) -> bool {
        let text = if self.strict {
            text
        } else {
            scratch.clear();
            scratch.extend(text.iter().map(u8::to_ascii_lowercase));
            scratch.as_slice()
        };
        let Some(last) = self.last.as_deref() else { return text == &*self.first };
        let Some(rest) = text.strip_prefix(&*self.first) else { return false };
        let Some(mut rest) = rest.strip_suffix(last) else { return false };
        let mut start = self.first.len();
        for finder in &self.middle {
            let Some(found) = finder.find(rest) else { return false };
            star(start, start + found);
            let taken = found + finder.needle().len();
            rest = rest.get(taken..).unwrap_or_default();
            start += taken;
        }
        star(start, start + rest.len());
        true
    }
}

/// The replacement of `regex_replace` and `wildcard_replace`: text with references to what was captured.
#[derive(Debug, Clone)]
pub(crate) struct Replacement(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<u8>),
    /// What the group of this number stands for; nothing, if there is no such group.
    Group(usize),
}

impl Replacement {
    /// Reads `${1}`, `$1` and `$$`; any other `$` stands for itself.
    ///
    /// # Errors
    /// In one sentence, that there are too many references.
    pub(crate) fn new(text: &[u8]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'$' {
                literal.push(byte);
            } else if let Some(after) = after.strip_prefix(b"$") {
                literal.push(b'$');
                rest = after;
            } else if let Some((group, after)) = group(after) {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
                pieces.push(Piece::Group(group));
                rest = after;
            } else {
                literal.push(byte);
            }
        }
        pieces.push(Piece::Text(literal));
        let references = pieces.iter().filter(|piece| matches!(piece, Piece::Group(_))).count();
        if references > REFERENCES {
            return Err(format!(
                "a replacement may refer to captured text {REFERENCES} times, this one does {references} times"
            ));
        }
        Ok(Self(pieces))
    }

    /// Writes it, each reference by what `group` gives for its number.
    pub(crate) fn write<'t>(&self, out: &mut Vec<u8>, group: impl Fn(usize) -> Option<&'t [u8]>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Group(number) => out.extend_from_slice(group(*number).unwrap_or_default()),
            }
        }
    }
}

/// The number of a reference behind its `$`, and what follows it.
fn group(text: &[u8]) -> Option<(usize, &[u8])> {
    let (braced, digits) = text.strip_prefix(b"{").map_or((false, text), |rest| (true, rest));
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let rest = if braced { rest.strip_prefix(b"}")? } else { rest };
    Some((number, rest))
}
