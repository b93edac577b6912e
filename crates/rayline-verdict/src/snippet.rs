//! Bytes from the wire that are safe to print: bounded, escaped, and with secrets masked.

use std::fmt;

/// The most bytes a snippet keeps.
pub const SNIPPET_BYTES: usize = 512;

/// Header fields whose values are secrets.
const SECRET_FIELDS: [&str; 9] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "proxy-authenticate",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "www-authenticate",
];

/// A piece of what was received, at most [`SNIPPET_BYTES`] long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet(Vec<u8>);

impl Snippet {
    /// Keeps the first [`SNIPPET_BYTES`] of `bytes`, with the values of secret header fields masked.
    pub fn first(bytes: &[u8]) -> Self {
        Self(mask(bytes.get(..SNIPPET_BYTES).unwrap_or(bytes)))
    }

    /// Keeps the last [`SNIPPET_BYTES`] of `bytes`, masked likewise: all of them are looked at, so that the end of a secret
    /// value is known for one.
    pub fn last(bytes: &[u8]) -> Self {
        let masked = mask(bytes);
        let from = masked.len().saturating_sub(SNIPPET_BYTES);
        Self(masked.get(from..).unwrap_or_default().to_vec())
    }

    /// The bytes kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing was received.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Printable ASCII stays, everything else is escaped as in a byte string: `\r`, `\n`, `\x16`.
impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

/// Whether a field of this name carries a secret.
pub fn is_secret(field: &str) -> bool {
    SECRET_FIELDS.iter().any(|secret| field.eq_ignore_ascii_case(secret))
}

/// What stands in a secret's place, wherever one is masked.
pub const MASKED: &str = "(masked)";

/// Replaces the values of secret fields, line by line: the bytes need not be a well-formed head. A piece that
/// starts inside a value cannot show its name, so a first line without one is kept only when it is no
/// continuation of a secret the caller knows of.
fn mask(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut in_secret = false;
    // A bare CR is a line end to some, and a line that begins with white space goes on with the value before it.
    for line in bytes.split_inclusive(|&byte| matches!(byte, b'\r' | b'\n')) {
        let goes_on = matches!(line, [b'\n'] | [b' ' | b'\t', ..]) && in_secret;
        let start = if goes_on { (line != b"\n").then_some(1) } else { secret_value_start(line) };
        in_secret = goes_on || start.is_some();
        match start {
            Some(start) => {
                out.extend_from_slice(line.get(..start).unwrap_or_default());
                out.push(b' ');
                out.extend_from_slice(MASKED.as_bytes());
                let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
                out.extend_from_slice(line.get(end.max(start)..).unwrap_or_default());
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// The offset behind the colon, when the line is a field with a secret value.
fn secret_value_start(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = std::str::from_utf8(line.get(..colon)?).ok()?;
    is_secret(name.trim()).then_some(colon + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_does_not_print() {
        assert_eq!(Snippet::first(b"\x16\x03\x01 ok\r\n").to_string(), r"\x16\x03\x01 ok\r\n");
    }

    #[test]
    fn masks_secret_values_and_keeps_their_names() {
        let head = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc\r\nX: 1\r\nAUTHORIZATION : Bearer q";
        let shown = Snippet::first(head).to_string();
        assert_eq!(shown, r"HTTP/1.1 200 OK\r\nSet-Cookie: (masked)\r\nX: 1\r\nAUTHORIZATION : (masked)");
    }

    #[test]
    fn masks_what_some_reader_would_take_for_a_secret() {
        for (head, masked) in [
            (b"X: 1\rCookie: q\r\nY: 2".as_slice(), r"X: 1\rCookie: (masked)\r\nY: 2"),
            (b"Cookie: a\r\n q\r\n\tq\nY: 2", r"Cookie: (masked)\r\n  (masked)\r\n\t (masked)\nY: 2"),
        ] {
            assert_eq!(Snippet::first(head).to_string(), masked);
        }
    }

    #[test]
    fn masks_the_end_of_a_secret_that_began_long_before() {
        let head = [b"HTTP/1.1 200 OK\r\nSet-Cookie: ".as_slice(), &[b's'; 4096], b"\r\nX: 1"].concat();
        assert_eq!(Snippet::last(&head).to_string(), r"HTTP/1.1 200 OK\r\nSet-Cookie: (masked)\r\nX: 1");
    }

    #[test]
    fn is_bounded() {
        assert_eq!(Snippet::first(&[b'a'; 4096]).bytes().len(), SNIPPET_BYTES);
        assert_eq!(Snippet::last(&[b'a'; 4096]).bytes().len(), SNIPPET_BYTES);
    }
}
