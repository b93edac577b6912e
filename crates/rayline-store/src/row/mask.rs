//! What is removed from lines before they are kept: parts of visitors' addresses, and the values in queries.
//!
//! It works on the line as text. A field's name between quotes and before a colon stands nowhere but where that field is:
//! in a value the quotes would be escaped. The values of secret header fields are masked before there is a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use memchr::{memchr, memchr3};

/// What stands for what was removed.
const MASK: u8 = b'*';

/// The fields with an address to a page.
static ADDRESSED: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["\"ClientRequestURI\":\"", "\"ClientRequestReferer\":\""].map(Finder::new));

/// From here on a line has what rules did, and then what was seen of a failure: the first that it has is where to begin.
static TOLD: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["\"Rules\":[", "\"VerdictEvidence\":"].map(Finder::new));

/// Which masks are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) addresses: bool,
    pub(crate) queries: bool,
}

impl Masks {
    /// Appends the masked line.
    pub(crate) fn apply(self, line: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        if self.addresses {
            mask_client(line, out)
        } else {
            out.extend_from_slice(line)
        }
        if !self.queries {
            return;
        }
        for field in &*ADDRESSED {
            if let Some(value) = find(out, start, field)
                && end_without_query(out, value).is_none()
            {
                mask_values(out, value, true);
            }
        }
        if let Some(told) = TOLD.iter().find_map(|field| find(out, start, field)) {
            mask_texts(out, told);
        }
    }
}

/// Where the first `needle` from `start` on ends.
fn find(text: &[u8], start: usize, needle: &Finder<'_>) -> Option<usize> {
    let at = needle.find(text.get(start..)?)?;
    Some(start + at + needle.needle().len())
}

/// The end of the JSON string that goes on at `from`, if nothing in it is escaped, and it has no `?` and thus no query. Nearly
/// all are so.
fn end_without_query(text: &[u8], from: usize) -> Option<usize> {
    let at = memchr3(b'?', b'\\', b'"', text.get(from..)?)?;
    (text.get(from + at) == Some(&b'"')).then_some(from + at)
}

/// Copies the line with the visitor's address masked, wherever in the line that stands.
fn mask_client(line: &[u8], out: &mut Vec<u8>) {
    let client = find(line, 0, &Finder::new("\"ClientIP\":\"")).and_then(|from| {
        let value = line.get(from..)?;
        let value = value.get(..value.iter().position(|byte| *byte == b'"')?)?;
        let address: IpAddr = std::str::from_utf8(value).ok()?.parse().ok()?;
        Some((value, masked(address).to_string()))
    });
    let Some((client, masked)) = client else { return out.extend_from_slice(line) };
    let mut copied = 0;
    for at in memmem::find_iter(line, client) {
        let end = at + client.len();
        let inside = |place: Option<&u8>| place.is_some_and(|byte| byte.is_ascii_hexdigit());
        // part of a longer number
        if inside(at.checked_sub(1).and_then(|before| line.get(before))) || inside(line.get(end)) {
            continue;
        }
        out.extend_from_slice(line.get(copied..at).unwrap_or_default());
        out.extend_from_slice(masked.as_bytes());
        copied = end;
    }
    out.extend_from_slice(line.get(copied..).unwrap_or_default());
}

/// The network: /24 of IPv4, /48 of IPv6.
fn masked(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => masked(mapped.into()),
            None => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).into(),
        },
    }
}

/// Where in a query one is.
enum Place {
    Before,
    /// Its length so far.
    Name(usize),
    Value,
}

/// Replaces the values of queries in the JSON string that goes on at `from`, up to its end. If it is nothing but an address,
/// a query goes to its end, and a part without `=`, which may be a name or a value, is replaced too.
fn mask_values(text: &mut Vec<u8>, from: usize, is_address: bool) -> usize {
    let rest = text.split_off(from);
    let mut place = Place::Before;
    let mut bytes = rest.iter().copied().enumerate();
    let mut end = rest.len();
    while let Some((at, byte)) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next().map(|(_, next)| next) } else { None };
        let over = byte == b'"';
        let ends = over || !is_address && ends_query(byte, escaped);
        let separates = byte == b'&';
        if ends || separates {
            if let Place::Name(length) = place
                && is_address
                && length > 0
            {
                text.truncate(text.len() - length);
                text.push(MASK);
            }
            place = if separates && !matches!(place, Place::Before) { Place::Name(0) } else { Place::Before };
        }
        if over {
            end = at;
            break;
        }
        let before = text.len();
        match place {
            Place::Value => {}
            Place::Before | Place::Name(_) => {
                text.push(byte);
                text.extend(escaped);
            }
        }
        place = match (place, byte) {
            (Place::Before, b'?') => Place::Name(0),
            (Place::Name(_), b'=') => {
                text.push(MASK);
                Place::Value
            }
            // the ampersand that began it is not part of it
            (Place::Name(0), b'&') => Place::Name(0),
            (Place::Name(length), _) => Place::Name(length + text.len() - before),
            (place, _) => place,
        };
    }
    let end_in_text = text.len();
    text.extend_from_slice(rest.get(end..).unwrap_or_default());
    end_in_text
}

/// Whether a query in a text is over: at what no address to a page has. An address at the end of a line whose break is shown
/// as `\r\n` takes along what follows, up to a space: better too much than too little.
fn ends_query(byte: u8, escaped: Option<u8>) -> bool {
    matches!(byte, b' ' | b'#' | b'<' | b'>') || matches!(escaped, Some(b'n' | b'r' | b't'))
}

/// Masks the queries in all strings from there on.
fn mask_texts(text: &mut Vec<u8>, from: usize) {
    let mut at = from;
    while let Some(quote) = text.get(at..).and_then(|rest| memchr(b'"', rest)).map(|quote| at + quote + 1) {
        at = end_without_query(text, quote).unwrap_or_else(|| mask_values(text, quote, false)) + 1;
    }
}

#[cfg(test)]
mod tests;
