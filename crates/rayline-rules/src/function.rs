//! What the functions of the language do, text in and text out (Rules language, "Functions"). Which of them an expression
//! may call with what is the checker's affair, and what a missing argument means that of the evaluators.

mod hmac;
mod json;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::matcher::{Replacement, Wildcard};

pub(crate) use hmac::{TimedHmac, is_timed_hmac_valid};
pub(crate) use json::{JsonKey, lookup_json_integer, lookup_json_string};

const BARE: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PADDED: GeneralPurposeConfig = BARE.with_encode_padding(true);
/// Base64 with the standard alphabet, the padding optional.
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, BARE);
/// Base64 with the alphabet for URLs, the padding optional.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, BARE);

/// `lower`: ASCII letters only.
pub(crate) fn lower(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.iter().map(u8::to_ascii_lowercase));
}

/// `upper`: ASCII letters only.
pub(crate) fn upper(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.iter().map(u8::to_ascii_uppercase));
}

/// `decode_base64`; false for what is not Base64.
pub(crate) fn decode_base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    STANDARD.decode_vec(text, out).is_ok()
}

/// `encode_base64`: `u` in the flags for the URL alphabet, `p` for padding.
pub(crate) fn encode_base64(text: &[u8], flags: &[u8], out: &mut Vec<u8>) {
    let alphabet = if flags.contains(&b'u') { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let config = if flags.contains(&b'p') { PADDED } else { BARE };
    out.extend_from_slice(GeneralPurpose::new(alphabet, config).encode(text).as_bytes());
}

/// `sha256`.
pub(crate) fn sha256(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(digest::digest(&digest::SHA256, text).as_ref());
}

/// `remove_bytes`: without any of these bytes.
pub(crate) fn remove_bytes(text: &[u8], bytes: &[u8], out: &mut Vec<u8>) {
    let mut removed = [false; 256];
    for byte in bytes {
        removed.iter_mut().skip(usize::from(*byte)).take(1).for_each(|place| *place = true);
    }
    out.extend(text.iter().filter(|byte| !removed.get(usize::from(**byte)).is_some_and(|removed| *removed)));
}

/// `remove_query_args`: without the arguments of these names, the others as they stood.
pub(crate) fn remove_query_args(query: &[u8], is_removed: impl Fn(&[u8]) -> bool, out: &mut Vec<u8>) {
    let start = out.len();
    for argument in query.split(|byte| *byte == b'&') {
        let name = argument.split(|byte| *byte == b'=').next().unwrap_or_default();
        if is_removed(name) {
            continue;
        }
        if out.len() > start {
            out.push(b'&');
        }
        out.extend_from_slice(argument);
    }
}

/// `split`: at most `limit` pieces, the last with all that remains.
pub(crate) fn split(text: &[u8], separator: &[u8], limit: usize, mut each: impl FnMut(&[u8])) {
    let finder = Finder::new(separator);
    let mut rest = text;
    for _ in 1..limit {
        let Some(found) = finder.find(rest).filter(|_| !separator.is_empty()) else { break };
        let (piece, after) = rest.split_at(found);
        each(piece);
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    each(rest);
}

/// `substring`: from `start` up to, and without, `end`; negative numbers count from the end, and what lies outside is
/// left out.
pub(crate) fn substring(text: &[u8], start: i64, end: Option<i64>) -> &[u8] {
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let place = |index: i64| {
        let index = if index < 0 { index.saturating_add(len) } else { index };
        usize::try_from(index.clamp(0, len)).unwrap_or(text.len())
    };
    text.get(place(start)..end.map_or(text.len(), place)).unwrap_or_default()
}

/// How `url_decode` does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UrlDecode {
    /// `r`: until there is nothing left to decode.
    repeated: bool,
    /// `u`: `%u2601` too, to UTF-8.
    unicode: bool,
}

impl UrlDecode {
    /// Reads the options; letters that mean nothing are ignored.
    pub(crate) fn new(options: &[u8]) -> Self {
        Self { repeated: options.contains(&b'r'), unicode: options.contains(&b'u') }
    }

    /// `url_decode`, in one go over the text. Decoding until nothing is left needs no second one: what a decoded byte
    /// completes is decoded as soon as it stands there, and no order of decoding gives another result, since a sequence
    /// never overlaps with another one.
    pub(crate) fn write(self, text: &[u8], out: &mut Vec<u8>) {
        if self.repeated {
            let start = out.len();
            for byte in text {
                out.push(*byte);
                self.decode_end(start, out);
            }
            return;
        }
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if let Some((decoded, len)) = self.sequence(rest) {
                decoded.write(out);
                rest = rest.get(len..).unwrap_or_default();
            } else {
                out.push(if byte == b'+' { b' ' } else { byte });
                rest = after;
            }
        }
    }

    /// Decodes what the last byte written completes, and what that completes in turn.
    fn decode_end(self, start: usize, out: &mut Vec<u8>) {
        loop {
            if out.last() == Some(&b'+') {
                out.pop();
                out.push(b' ');
            }
            let written = out.get(start..).unwrap_or_default();
            let completed = [3, 6].into_iter().find_map(|len| {
                let tail = written.get(written.len().checked_sub(len)?..)?;
                self.sequence(tail).filter(|(_, taken)| *taken == len)
            });
            let Some((decoded, len)) = completed else { return };
            out.truncate(out.len() - len);
            decoded.write(out);
        }
    }

    /// What a sequence at the start of the text stands for, and how long it is.
    fn sequence(self, text: &[u8]) -> Option<(Decoded, usize)> {
        let hex = |digits: Option<&[u8]>| {
            let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        };
        match text {
            [b'%', b'u' | b'U', digits @ ..] if self.unicode => {
                Some((Decoded::Character(char::from_u32(hex(digits.get(..4))?)?), 6))
            }
            [b'%', digits @ ..] => Some((Decoded::Byte(u8::try_from(hex(digits.get(..2))?).ok()?), 3)),
            _ => None,
        }
    }
}

/// What a sequence of `url_decode` stands for.
enum Decoded {
    Byte(u8),
    Character(char),
}

impl Decoded {
    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => out.push(byte),
            Self::Character(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// `uuidv4`: of the first 16 bytes of the seed; nothing for fewer (RFC 9562, section 5.4).
pub(crate) fn uuidv4(seed: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(bytes) = seed.first_chunk::<16>() else { return false };
    let number = u128::from_be_bytes(*bytes);
    let number = number & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    for (index, digit) in hex.bytes().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(digit);
    }
    true
}

/// `regex_replace`: the first match.
pub(crate) fn regex_replace(text: &[u8], regex: &Regex, replacement: &Replacement, out: &mut Vec<u8>) {
    let captures = regex.captures(text);
    let Some((captures, whole)) = captures.as_ref().and_then(|found| Some((found, found.get(0)?))) else {
        return out.extend_from_slice(text);
    };
    out.extend_from_slice(text.get(..whole.start()).unwrap_or_default());
    replacement.write(out, |number| Some(captures.get(number)?.as_bytes()));
    out.extend_from_slice(text.get(whole.end()..).unwrap_or_default());
}

/// `wildcard_replace`: the whole text, if it matches.
pub(crate) fn wildcard_replace(
    text: &[u8],
    wildcard: &Wildcard,
    replacement: &Replacement,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    match wildcard.captures(text, scratch) {
        Some(stars) => replacement.write(out, |number| stars.get(number.checked_sub(1)?).copied()),
        None => out.extend_from_slice(text),
    }
}

/// `cidr`: the address of the network that has so many bits.
pub(crate) fn cidr(address: IpAddr, bits_v4: i64, bits_v6: i64) -> IpAddr {
    let zeros = |bits: i64, width: i64| u32::try_from(width - bits.clamp(0, width)).unwrap_or(0);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(zeros(bits_v4, 32)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(zeros(bits_v6, 128)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// What stands behind the last dot of the path's last segment, if it is not the segment's first byte, in lower case
/// ("http.request.uri.path.extension").
pub(crate) fn extension(path: &[u8]) -> &[u8] {
    let segment = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let dot = segment.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    dot.and_then(|dot| segment.get(dot + 1..)).unwrap_or_default()
}
