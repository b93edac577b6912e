//! Decodings: percent, HTML, JavaScript, CSS, base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig as Config};

/// Rounds of percent-decoding: what is encoded more often no server takes off.
const ROUNDS: usize = 3;

/// Bytes of the shortest base64 that is looked at.
const BASE64_LEAST: usize = 16;

const BASE64: Config = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, BASE64);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, BASE64);

fn hex(byte: Option<&u8>) -> Option<u32> {
    char::from(*byte?).to_digit(16)
}

/// The number that the first `most` hexadecimal digits of `bytes` make, and how many there were.
fn hex_number(bytes: &[u8], most: usize) -> (u32, usize) {
    let mut number = 0;
    let mut digits = 0;
    while let Some(digit) = hex(bytes.get(digits)).filter(|_| digits < most) {
        number = number << 4 | digit;
        digits += 1;
    }
    (number, digits)
}

/// A character as UTF-8; full-width forms as what they stand for, since some servers fold them.
fn push_char(number: u32, out: &mut Vec<u8>) {
    let number = if (0xff01..=0xff5e).contains(&number) { number - 0xfee0 } else { number };
    match char::from_u32(number) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.push(b'?'),
    }
}

/// `+` is a space, `%41` an A, once: the value of an argument.
pub(in crate::waf) fn form(bytes: &[u8], out: &mut Vec<u8>) {
    percent(bytes, true, out);
}

/// Percent-decoding until nothing changes, three times at most; then [`overlong`].
pub(super) fn url(bytes: &[u8], out: &mut Vec<u8>) {
    percent(bytes, false, out);
    let mut before = Vec::new();
    for _ in 1..ROUNDS {
        if memchr::memchr(b'%', out).is_none() {
            break;
        }
        std::mem::swap(&mut before, out);
        out.clear();
        percent(&before, false, out);
        if *out == before {
            break;
        }
    }
    overlong(out);
}

fn percent(mut bytes: &[u8], plus: bool, out: &mut Vec<u8>) {
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        match first {
            b'+' if plus => out.push(b' '),
            b'%' => match (hex(rest.first()), hex(rest.get(1))) {
                (Some(high), Some(low)) => {
                    out.push((high << 4 | low) as u8);
                    bytes = rest.get(2..).unwrap_or_default();
                }
                _ => {
                    let wide = rest.strip_prefix(b"u").or_else(|| rest.strip_prefix(b"U")).unwrap_or_default();
                    match hex_number(wide, 4) {
                        (number, 4) => {
                            push_char(number, out);
                            bytes = wide.get(4..).unwrap_or_default();
                        }
                        _ => out.push(b'%'),
                    }
                }
            },
            other => out.push(*other),
        }
    }
}

/// ASCII characters that were written in two or three bytes, or in full width, become one byte. In place.
fn overlong(bytes: &mut Vec<u8>) {
    if memchr::memchr3(0xc0, 0xc1, 0xe0, bytes).is_none() && memchr::memchr(0xef, bytes).is_none() {
        return;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest: &[u8] = bytes;
    while let Some(first) = rest.first() {
        let (byte, length) = match rest {
            [lead @ (0xc0 | 0xc1), low @ 0x80..=0xbf, ..] => ((lead & 1) << 6 | (low & 0x3f), 2),
            [0xe0, high @ 0x80..=0x81, low @ 0x80..=0xbf, ..] => ((high & 1) << 6 | (low & 0x3f), 3),
            [0xef, 0xbc, low @ 0x81..=0xbf, ..] => (low - 0x60, 3),
            [0xef, 0xbd, low @ 0x80..=0x9e, ..] => (low - 0x20, 3),
            _ => (*first, 1),
        };
        out.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    *bytes = out;
}

/// References that attackers write; the hundreds of others stand for letters.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"amp", b'&'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"nbsp", b' '),
    (b"colon", b':'),
    (b"tab", b'\t'),
    (b"newline", b'\n'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"equals", b'='),
    (b"semi", b';'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"grave", b'`'),
    (b"lbrack", b'['),
    (b"rbrack", b']'),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"percnt", b'%'),
    (b"dollar", b'$'),
];

/// References of HTML, with or without the semicolon.
pub(super) fn html(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        if *first == b'&'
            && let Some(length) = reference(rest, out)
        {
            let after = rest.get(length..).unwrap_or_default();
            bytes = after.strip_prefix(b";").unwrap_or(after);
        } else {
            out.push(*first);
        }
    }
}

/// Writes what the reference at the beginning stands for; its length.
fn reference(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if let Some(number) = bytes.strip_prefix(b"#") {
        let (value, length) = match number.split_first() {
            Some((b'x' | b'X', digits)) => {
                let zeros = digits.iter().take_while(|byte| **byte == b'0').take(64).count();
                let (value, length) = hex_number(digits.get(zeros..).unwrap_or_default(), 6);
                (value, (zeros + length).checked_sub(1).map(|_| zeros + length + 2)?)
            }
            _ => {
                let length = number.iter().take_while(|byte| byte.is_ascii_digit()).take(64).count();
                let digits = number.get(..length).filter(|digits| !digits.is_empty())?;
                (std::str::from_utf8(digits).ok()?.parse().unwrap_or(u32::MAX), length + 1)
            }
        };
        push_char(value, out);
        return Some(length);
    }
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).take(8).count();
    let name = bytes.get(..length)?;
    let (_, byte) = ENTITIES.iter().find(|(entity, _)| entity.eq_ignore_ascii_case(name))?;
    out.push(*byte);
    Some(length)
}

/// Escapes of JavaScript.
pub(super) fn js(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let Some((kind, rest)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        let taken = match kind {
            b'x' => Some(hex_number(rest, 2)).filter(|(_, digits)| *digits == 2),
            b'u' => match rest.strip_prefix(b"{") {
                Some(digits) => Some(hex_number(digits, 6))
                    .filter(|(_, length)| digits.get(*length) == Some(&b'}'))
                    .map(|(value, length)| (value, length + 2)),
                None => Some(hex_number(rest, 4)).filter(|(_, digits)| *digits == 4),
            },
            b'0'..=b'7' => {
                let digits = bytes.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let (value, length) =
                    digits.fold((0, 0), |(value, length), byte| (value << 3 | u32::from(byte - b'0'), length + 1));
                // one of the digits is `kind`
                Some((value & 0xff, length - 1))
            }
            _ => None,
        };
        match (taken, kind) {
            (Some((value, length)), _) => {
                push_char(value, out);
                bytes = rest.get(length..).unwrap_or_default();
                continue;
            }
            (None, b'n' | b'r' | b't' | b'v' | b'f' | b'b') => out.push(b' '),
            (None, other) => out.push(*other),
        }
        bytes = rest;
    }
}

/// Escapes of CSS: a backslash and one to six hexadecimal digits, with a space behind them.
pub(super) fn css(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        match hex_number(rest, 6) {
            (_, 0) => {}
            (value, length) => {
                push_char(value, out);
                let after = rest.get(length..).unwrap_or_default();
                bytes = after.strip_prefix(b" ").unwrap_or(after);
            }
        }
    }
}

/// Whether [`base64`] could yield anything, by a quick look.
pub(in crate::waf) fn may_be_base64(bytes: &[u8]) -> bool {
    let start = bytes.get(..BASE64_LEAST);
    start.is_some_and(|start| start.iter().all(is_base64) || memchr::memchr(b',', bytes).is_some())
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte)
}

/// What base64, all of the bytes or what follows `base64,`, stands for, if that is mostly text; else nothing.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let data = match memchr::memmem::find(bytes, b"base64,") {
        Some(place) => bytes.get(place + 7..).unwrap_or_default(),
        None => bytes,
    };
    let is_text = data.iter().all(is_base64);
    let engine = if memchr::memchr2(b'-', b'_', data).is_some() { URL_SAFE } else { STANDARD };
    if data.len() < BASE64_LEAST || !is_text || engine.decode_vec(data, out).is_err() || !is_mostly_text(out) {
        out.clear();
    }
}

/// Whether nine in ten bytes are printable ASCII, or it begins as a serialised Java object does.
fn is_mostly_text(bytes: &[u8]) -> bool {
    let printable = bytes.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    printable * 10 >= bytes.len() * 9 || bytes.starts_with(b"\xac\xed\x00\x05")
}
