//! The smallest parts of an expression: names, texts, numbers, addresses, signs. It knows no grammar and no types.

use std::net::IpAddr;
use std::ops::Range;

use winnow::combinator::{alt, not, opt, peek, repeat, terminated};
use winnow::error::EmptyError;
use winnow::stream::{Location, Stream};
use winnow::token::{any, literal, one_of, take_while};
use winnow::{LocatingSlice, Parser};

use crate::problem::ExprProblem;

type Input<'a> = LocatingSlice<&'a str>;
type Lexed<T> = Result<T, EmptyError>;

/// The bytes of a text, and its place.
type Text = (Vec<u8>, Range<usize>);

/// Reads what stands between quotes, from behind the first (at this place in the whole text): the bytes, and how much of
/// the text they take, the closing quote included.
type Unescape = fn(&str, usize) -> Result<(Vec<u8>, usize), ExprProblem>;

/// The text and how far it has been read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    input: Input<'a>,
    /// Where the last part ended, space not counted.
    end: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, input: LocatingSlice::new(text), end: 0 }
    }

    /// The next part, if it is such a one, with its place. Space behind it is skipped.
    fn take<O>(&mut self, lexer: impl Parser<Input<'a>, O, EmptyError>) -> Option<(O, Range<usize>)> {
        let start = self.input.checkpoint();
        match lexer.with_span().parse_next(&mut self.input) {
            Ok((part, span)) => {
                self.end = span.end;
                self.skip_space();
                Some((part, span))
            }
            Err(EmptyError) => {
                self.input.reset(&start);
                None
            }
        }
    }

    pub(super) fn skip_space(&mut self) {
        // it takes what there is, if anything: it cannot fail
        let _: Lexed<&str> = space(&mut self.input);
    }

    /// Where the next part begins.
    pub(super) fn offset(&self) -> usize {
        self.input.current_token_start()
    }

    /// Where the last part ended.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// What was not yet read.
    pub(super) fn rest(&self) -> &'a str {
        &self.input
    }

    /// The text of a place.
    pub(super) fn text(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// A sign such as `(`.
    pub(super) fn sign(&mut self, sign: &'static str) -> Option<Range<usize>> {
        self.take(literal(sign)).map(|(_, span)| span)
    }

    /// A name: of a field, a function, or a word of the language.
    pub(super) fn name(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.take(name)
    }

    /// The name that comes next, without reading it.
    pub(super) fn next_name(&self) -> Option<&'a str> {
        peek(name).parse_next(&mut self.input.clone()).ok()
    }

    /// This word, if it comes next.
    pub(super) fn word(&mut self, word: &str) -> Option<Range<usize>> {
        self.take(name.verify(|name: &str| name == word)).map(|(_, span)| span)
    }

    /// One of the spellings of an operator: a whole word, or a sign, where there is one.
    pub(super) fn operator(&mut self, english: &str, sign: Option<&'static str>) -> Option<Range<usize>> {
        self.word(english).or_else(|| self.take(symbol(sign?)).map(|(_, span)| span))
    }

    /// `strict wildcard`.
    pub(super) fn strict_wildcard(&mut self) -> Option<Range<usize>> {
        let words = (name.verify(|name: &str| name == "strict"), space, name.verify(|name: &str| name == "wildcard"));
        self.take(words.void()).map(|((), span)| span)
    }

    /// A run of letters and digits that begins like a number.
    pub(super) fn number(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.take((opt('-'), peek(one_of('0'..='9')), take_while(1.., word_character)).take())
    }

    /// A run of what addresses, networks and their ranges are made of, and not of more.
    pub(super) fn address(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.take(address)
    }

    /// One address.
    pub(super) fn whole_address(&mut self) -> Option<(IpAddr, Range<usize>)> {
        self.take(address.parse_to())
    }

    /// Bytes as pairs of hexadecimal digits: `61:62:63`, also with `-` and `.` between; two at least.
    pub(super) fn bytes(&mut self) -> Option<(Vec<u8>, Range<usize>)> {
        self.take(bytes(&[':', '-', '.']))
    }

    /// The same with colons alone, where a name might stand too.
    pub(super) fn bytes_with_colons(&mut self) -> Option<(Vec<u8>, Range<usize>)> {
        self.take(bytes(&[':']))
    }

    /// The name of a list behind its `$`.
    pub(super) fn list(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.take((literal("$"), take_while(0.., |c: char| word_character(c) || c == '.')).map(|(_, name)| name))
    }

    /// Whether a text begins here, quoted or raw.
    pub(super) fn is_at_text(&self) -> bool {
        let rest = self.rest();
        rest.starts_with('"')
            || rest.strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    }

    /// A text, quoted or raw, if one begins here. What `\` does between quotes is for `unescape` to say.
    pub(super) fn text_literal(&mut self, unescape: Unescape) -> Result<Option<Text>, ExprProblem> {
        if !self.is_at_text() {
            return Ok(None);
        }
        let start = self.offset();
        let (content, length) = match self.rest().strip_prefix('"') {
            Some(inside) => {
                let (content, length) = unescape(inside, start + 1)?;
                (content, length + 1)
            }
            None => {
                let (content, length) = raw(self.rest(), start)?;
                (content.as_bytes().to_vec(), length)
            }
        };
        let end = start + length;
        self.input.next_slice(length.min(self.input.eof_offset()));
        self.end = end;
        self.skip_space();
        Ok(Some((content, start..end)))
    }

    /// The place of whatever comes next: a word, a text's first quote, or one character.
    pub(super) fn next_span(&self) -> Range<usize> {
        let start = self.offset();
        let rest = self.rest();
        let word = rest.len() - rest.trim_start_matches(|c: char| word_character(c) || c == '.').len();
        let length = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        start..start + length
    }
}

fn word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn space<'a>(input: &mut Input<'a>) -> Lexed<&'a str> {
    take_while(0.., [' ', '\t', '\r', '\n']).parse_next(input)
}

fn name<'a>(input: &mut Input<'a>) -> Lexed<&'a str> {
    (one_of(('a'..='z', 'A'..='Z', '_')), take_while(0.., |c: char| word_character(c) || c == '.'))
        .take()
        .parse_next(input)
}

/// A sign that is not the beginning of a longer one: `<` is not `<=`, `&` is not `&&`.
fn symbol<'a>(sign: &'static str) -> impl Parser<Input<'a>, (), EmptyError> {
    let longer = match sign {
        "<" | ">" | "!" => "=",
        "&" => "&",
        _ => "\0",
    };
    terminated(literal(sign), not(literal(longer))).void()
}

fn address<'a>(input: &mut Input<'a>) -> Lexed<&'a str> {
    let run = take_while(1.., (('0'..='9'), ('a'..='f'), ('A'..='F'), ':', '.', '/'));
    terminated(run, not(any.verify(|c: &char| word_character(*c)))).parse_next(input)
}

fn bytes<'a>(separators: &'static [char]) -> impl Parser<Input<'a>, Vec<u8>, EmptyError> {
    let pair =
        || (hex_digit, hex_digit).take().try_map(|pair: &str| u8::from_str_radix(pair, 16).map_err(|_| EmptyError));
    let following = (one_of(separators), pair()).map(|(_, byte)| byte);
    (pair(), repeat(1.., following), not(any.verify(|c: &char| word_character(*c)))).map(
        |(first, mut rest, ()): (u8, Vec<u8>, ())| {
            rest.insert(0, first);
            rest
        },
    )
}

fn hex_digit(input: &mut Input<'_>) -> Lexed<char> {
    alt((one_of('0'..='9'), one_of('a'..='f'), one_of('A'..='F'))).parse_next(input)
}

/// A raw text from its `r` on, and how many bytes it takes.
fn raw(text: &str, start: usize) -> Result<(&str, usize), ExprProblem> {
    let fence_end = text.find('"').unwrap_or(text.len());
    let (opening, inside) = text.split_at((fence_end + 1).min(text.len()));
    let fence = "#".repeat(opening.len().saturating_sub(2));
    let closing = format!("\"{fence}");
    match inside.find(&closing) {
        Some(length) => Ok((inside.get(..length).unwrap_or_default(), opening.len() + length + closing.len())),
        None => Err(ExprProblem::new(start..start + opening.len(), "this text is not closed")
            .hint(format!("end it with `{closing}`"))),
    }
}

fn unclosed(quote: usize) -> ExprProblem {
    ExprProblem::new(quote..quote + 1, "this text is not closed").hint("end it with `\"`")
}

/// The bytes between quotes, from behind the first (at `start` in the whole text), and how much of the text they take, the
/// closing quote included. `\"`, `\\`, `\x41` and `\101` are escapes ("Values", "Quoted string syntax").
pub(super) fn basic_escapes(text: &str, start: usize) -> Result<(Vec<u8>, usize), ExprProblem> {
    let mut content = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((content, at + 1)),
            '\\' => {
                let escaped = text.get(at + 1..).unwrap_or_default();
                let first = escaped.chars().next().ok_or_else(|| unclosed(start - 1))?;
                let (byte, length) = match first {
                    '"' | '\\' => (escaped.bytes().next(), 1),
                    'x' => (escaped.get(1..3).and_then(|digits| byte_of(digits, 16)), 3),
                    '0'..='7' => (escaped.get(..3).and_then(|digits| byte_of(digits, 8)), 3),
                    _ => (None, first.len_utf8()),
                };
                let Some(byte) = byte else {
                    let span = start + at..start + at + 1 + first.len_utf8();
                    let written = format!("\\{first}");
                    return Err(ExprProblem::new(span, format!("`{written}` is no escape here")).hint(match first {
                        'x' => "write two hexadecimal digits behind it, as in `\\x2f`".to_owned(),
                        '0'..='7' => "write three octal digits, as in `\\057`".to_owned(),
                        _ => format!("write `\\\\{first}`, or a raw text: `r\"…\"`"),
                    }));
                };
                content.push(byte);
                // the backslash has been read; so are the characters of the escape, all of one byte
                chars.nth(length - 1);
            }
            other => content.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(unclosed(start - 1))
}

/// A byte of two hexadecimal or three octal digits.
fn byte_of(digits: &str, radix: u32) -> Option<u8> {
    let all_digits = digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u8::from_str_radix(digits, radix).ok()).flatten()
}

/// The same for a regular expression: `\"` is a quote outside of brackets, all other escapes are the regular expression's
/// ("Values", "Quoted string syntax"). Between brackets a quote is a quote.
pub(super) fn regex_escapes(text: &str, start: usize) -> Result<(Vec<u8>, usize), ExprProblem> {
    let mut content = String::new();
    let mut in_class = false;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => {
                let (_, escaped) = chars.next().ok_or_else(|| unclosed(start - 1))?;
                if in_class || escaped != '"' {
                    content.push('\\');
                }
                content.push(escaped);
            }
            '"' if !in_class => return Ok((content.into_bytes(), at + 1)),
            other => {
                in_class = if in_class { other != ']' } else { other == '[' };
                content.push(other);
            }
        }
    }
    Err(unclosed(start - 1))
}
