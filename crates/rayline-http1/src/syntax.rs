//! Byte classes of RFC 9110 §5 and RFC 3986, as tables.

const TOKEN: u8 = 1;
const TEXT: u8 = 2;
const TARGET: u8 = 4;
const HOST: u8 = 8;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "byte < 256")]
        let b = byte as u8;
        let mut class = 0;
        if b.is_ascii_alphanumeric() || contains(b"!#$%&'*+-.^_`|~", b) {
            class |= TOKEN;
        }
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            class |= TEXT;
        }
        if b.is_ascii_graphic() && b != b'#' {
            class |= TARGET;
        }
        if b.is_ascii_alphanumeric() || contains(b"-._~!$&'()*+,;=%", b) {
            class |= HOST;
        }
        #[expect(clippy::indexing_slicing, reason = "byte < 256, the length of the table")]
        {
            table[byte] = class;
        }
        byte += 1;
    }
    table
}

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut rest = set;
    while let [first, tail @ ..] = rest {
        if *first == byte {
            return true;
        }
        rest = tail;
    }
    false
}

#[inline]
fn has(byte: u8, class: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "a u8 is below 256, the length of the table")]
    let found = CLASS[usize::from(byte)];
    found & class != 0
}

/// `tchar` (RFC 9110 §5.6.2): methods, field names, codings.
#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    has(byte, TOKEN)
}

/// What a field value or a reason phrase may hold: HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5).
#[inline]
pub(crate) fn is_text(byte: u8) -> bool {
    has(byte, TEXT)
}

/// Whether that is all there is. Looked at without a branch per byte, it is looked at many bytes at a time.
#[inline]
pub(crate) fn is_all_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, &byte| all & ((byte == b'\t') | (byte >= b' ') & (byte != 0x7f)))
}

/// What a request target may hold: visible ASCII but `#`.
///
/// RFC 3986 is narrower: it has no `"<>\^{|}` and no backquote. Browsers send several of these
/// unescaped in the query (URL Standard, query percent-encode set), and none of them can end or
/// split a line, so they pass. A fragment is never sent (RFC 9112 §3.2 has no place for one), and
/// bytes above 0x7e are read differently by different peers.
#[inline]
pub(crate) fn is_target(byte: u8) -> bool {
    has(byte, TARGET)
}

/// `reg-name` of RFC 3986 §3.2.2; that `%` is followed by two digits is checked by the caller.
#[inline]
pub(crate) fn is_host(byte: u8) -> bool {
    has(byte, HOST)
}

/// OWS (RFC 9110 §5.6.3).
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// `bytes` without OWS at either end.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), trimmed; empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Bytes that were checked to be ASCII when they were parsed, as text.
pub(crate) fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}
