//! Writing into a byte buffer: numbers, times and texts, escaped for where they go.
//!
//! Every function appends and nothing goes through a formatter: an error page and a log line are written for each
//! request of a flood. What is escaped is taken to be hostile.

use std::cell::RefCell;
use std::io::Write;
use std::net::IpAddr;

use bytes::BufMut;
use serde::Serialize;
use time::OffsetDateTime;

use crate::moment::Moment;

const NANOS: i64 = 1_000_000_000;

/// A decimal number.
pub(crate) fn int(out: &mut Vec<u8>, number: impl Into<u64>) {
    match number.into() {
        // Most numbers are, durations above all.
        digit @ 0..=9 => out.push(b'0' + digit as u8),
        number => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Microseconds as milliseconds with three decimal places.
pub(crate) fn millis(out: &mut Vec<u8>, micros: u64) {
    int(out, micros / 1000);
    out.push(b'.');
    out.extend_from_slice(&digits::<3>((micros % 1000) as u32));
}

/// Appends an address, as in RFC 5952. One of IPv4 does not go through a formatter, for every request has some.
pub fn put_address(out: &mut impl BufMut, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut text = [0; "255.255.255.255.".len()];
            let mut end = 0;
            for octet in address.octets() {
                let octet = usize::from(octet);
                if let Some((place, digits)) = text.get_mut(end..end + 4).zip(OCTETS.get(octet)) {
                    place.copy_from_slice(digits);
                }
                end += octet_digits(octet) + 1;
            }
            out.put_slice(text.get(..end - 1).unwrap_or_default());
        }
        // Writing to memory does not fail.
        IpAddr::V6(address) => drop(write!(out.writer(), "{address}")),
    }
}

/// Every octet in decimal, and a dot behind it.
#[expect(clippy::indexing_slicing, reason = "the compiler makes this, and would say so")]
const OCTETS: [[u8; 4]; 256] = {
    let mut texts = [[b'.'; 4]; 256];
    let mut octet = 0;
    while octet < texts.len() {
        let (digits, mut place) = ([octet / 100, octet / 10 % 10, octet % 10], 0);
        let mut digit = 3 - octet_digits(octet);
        while digit < 3 {
            texts[octet][place] = b'0' + digits[digit] as u8;
            (digit, place) = (digit + 1, place + 1);
        }
        octet += 1;
    }
    texts
};

const fn octet_digits(octet: usize) -> usize {
    1 + (octet >= 10) as usize + (octet >= 100) as usize
}

/// `2026-11-21` of RFC 3339, in UTC.
fn date(out: &mut Vec<u8>, moment: OffsetDateTime) {
    let (year, month, day) = moment.to_calendar_date();
    let year = u16::try_from(year).unwrap_or_default();
    out.extend_from_slice(&digits::<4>(u32::from(year)));
    for part in [u8::from(month), day] {
        out.push(b'-');
        out.extend_from_slice(&digits::<2>(u32::from(part)));
    }
}

/// `04:59:29`, in UTC.
fn time_of_day(out: &mut Vec<u8>, moment: OffsetDateTime) {
    let (hour, minute, second) = moment.to_hms();
    out.extend_from_slice(&digits::<2>(u32::from(hour)));
    for part in [minute, second] {
        out.push(b':');
        out.extend_from_slice(&digits::<2>(u32::from(part)));
    }
}

/// A [`Moment`] spans the years 1677 to 2262, all of which can be written.
fn calendar(moment: Moment) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(moment.0.div_euclid(NANOS)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// RFC 3339 in UTC with whole seconds: `2026-11-21T04:59:29Z`.
pub(crate) fn seconds(out: &mut Vec<u8>, moment: Moment) {
    let at = calendar(moment);
    date(out, at);
    out.push(b'T');
    time_of_day(out, at);
    out.push(b'Z');
}

thread_local! {
    /// The last second written with a fraction, and its text without the `Z`: most lines are of the same second.
    static LAST_SECOND: RefCell<(i64, Vec<u8>)> = const { RefCell::new((i64::MIN, Vec::new())) };
}

/// RFC 3339 in UTC with all nine digits of the second's fraction, so that lines sort as text.
pub(crate) fn nanoseconds(out: &mut Vec<u8>, moment: Moment) {
    LAST_SECOND.with_borrow_mut(|(last, text)| {
        let second = moment.0.div_euclid(NANOS);
        if *last != second {
            text.clear();
            seconds(text, moment);
            text.pop();
            *last = second;
        }
        out.extend_from_slice(text);
    });
    out.push(b'.');
    let fraction = u32::try_from(moment.0.rem_euclid(NANOS)).unwrap_or_default();
    out.extend_from_slice(&digits::<9>(fraction));
    out.push(b'Z');
}

/// For people: `2026-11-21 04:59:29 UTC`.
pub(crate) fn people_time(out: &mut Vec<u8>, moment: Moment) {
    let at = calendar(moment);
    date(out, at);
    out.push(b' ');
    time_of_day(out, at);
    out.extend_from_slice(b" UTC");
}

fn digits<const N: usize>(mut number: u32) -> [u8; N] {
    let mut out = [b'0'; N];
    for place in out.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out
}

/// Copies `text`, with what `replace` names put in the place of single bytes.
fn escaped(out: &mut Vec<u8>, text: &[u8], replace: impl Fn(u8) -> Option<&'static [u8]>) {
    let mut plain = 0;
    for (place, &byte) in text.iter().enumerate() {
        if let Some(instead) = replace(byte) {
            out.extend_from_slice(text.get(plain..place).unwrap_or_default());
            out.extend_from_slice(instead);
            plain = place + 1;
        }
    }
    out.extend_from_slice(text.get(plain..).unwrap_or_default());
}

/// HTML text or a quoted attribute's value.
pub(crate) fn html(out: &mut Vec<u8>, text: &str) {
    escaped(out, text.as_bytes(), |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'"' => Some(b"&quot;"),
        b'\'' => Some(b"&#39;"),
        0..=0x1f | 0x7f => Some(b" "),
        _ => None,
    });
}

/// HTML of a sentence of ours, in which `backticks` stand around what is typed.
pub(crate) fn html_prose(out: &mut Vec<u8>, text: &str) {
    for (place, part) in text.split('`').enumerate() {
        match place {
            0 => {}
            odd if odd % 2 == 1 => out.extend_from_slice(b"<code>"),
            _ => out.extend_from_slice(b"</code>"),
        }
        html(out, part);
    }
}

/// One line of plain text: control characters become spaces.
pub(crate) fn line(out: &mut Vec<u8>, text: &str) {
    escaped(out, text.as_bytes(), |byte| matches!(byte, 0..=0x1f | 0x7f).then_some(b" "));
}

/// A line of Markdown whose every punctuation mark means itself (CommonMark §2.4).
pub(crate) fn markdown(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            0..=0x1f | 0x7f => out.push(b' '),
            b'.' | b',' | b';' | b'\'' | b'-' => out.push(byte),
            _ if byte.is_ascii_punctuation() => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
}

/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD; U+2028 and U+2029 are escaped, because
/// some readers take them for the end of a line.
pub(crate) fn json(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    json_text(out, text);
    out.push(b'"');
}

/// The inside of a JSON string.
pub(crate) fn json_text(out: &mut Vec<u8>, text: &[u8]) {
    // Nearly every text is plain; looked at without a branch per byte, it is looked at many bytes at a time.
    if text.iter().fold(true, |plain, &byte| plain & matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')) {
        return out.extend_from_slice(text);
    }
    for chunk in text.utf8_chunks() {
        json_part(out, chunk.valid());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn json_part(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(|&byte| matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f | 0xe2)) {
        let (plain, special) = rest.split_at(place);
        out.extend_from_slice(plain);
        let taken = match special {
            [b'"', ..] => put(out, b"\\\"", 1),
            [b'\\', ..] => put(out, b"\\\\", 1),
            [b'\n', ..] => put(out, b"\\n", 1),
            [b'\r', ..] => put(out, b"\\r", 1),
            [b'\t', ..] => put(out, b"\\t", 1),
            [0xe2, 0x80, 0xa8, ..] => put(out, b"\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => put(out, b"\\u2029", 3),
            [0xe2, ..] => put(out, &[0xe2], 1),
            [control, ..] => {
                out.extend_from_slice(b"\\u00");
                out.extend([control >> 4, control & 0xf].map(hex));
                1
            }
            [] => 0,
        };
        rest = special.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

pub(crate) fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// Appends `bytes` in the place of the `taken` bytes they stand for.
fn put(out: &mut Vec<u8>, bytes: &[u8], taken: usize) -> usize {
    out.extend_from_slice(bytes);
    taken
}

/// A JSON string of what needs no escape.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

pub(crate) fn bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A JSON value; `null` in the place of one that cannot be written, so that the line stays whole.
pub(crate) fn value(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_those_of_the_time_crate() {
        for nanos in [0, 1, -1, 951_782_400_123_456_789, 1_795_237_169_000_000_000, i64::MAX, i64::MIN] {
            let at = Moment(nanos);
            let whole = at.to_seconds();
            assert_eq!(written(|out| seconds(out, at)), whole);
            let text = written(|out| nanoseconds(out, at));
            let (before, fraction) = text.strip_suffix('Z').unwrap().split_once('.').unwrap();
            assert_eq!(format!("{before}Z"), whole);
            assert_eq!(fraction.parse::<i64>().unwrap(), nanos.rem_euclid(NANOS));
        }
        let at = Moment(1_795_237_169_000_000_000);
        assert_eq!(written(|out| people_time(out, at)), "2026-11-21 04:59:29 UTC");
    }

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in ["127.0.0.1", "255.255.255.255", "0.9.10.99", "100.199.20.5", "::1", "2001:db8::1"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(written(|out| put_address(out, address)), text);
        }
    }

    #[test]
    fn json_strings_read_back() {
        for text in ["", "plain", "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}", "ä€😀", "a\u{2028}b\u{2029}c\u{2020}d"] {
            let json = written(|out| json(out, text.as_bytes()));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.contains(['\u{2028}', '\u{2029}', '\n']));
        }
        let lossy = written(|out| json(out, b"a\xffb\xe2\x80"));
        assert_eq!(serde_json::from_str::<String>(&lossy).unwrap(), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn html_cannot_be_broken_out_of() {
        assert_eq!(
            written(|out| html(out, "<a href='x' b=\"y\">&\n")),
            "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp; "
        );
        assert_eq!(written(|out| html_prose(out, "run `a < b` now")), "run <code>a &lt; b</code> now");
    }
}
