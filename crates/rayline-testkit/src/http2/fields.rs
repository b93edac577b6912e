//! Header blocks: every field a literal on the way out, anything that HPACK has on the way in.
//!
//! What is sent touches no dynamic table and has no Huffman code (RFC 7541 section 6.2.2), so that any block can be read in a
//! dump and blocks can be lost without harm. What is received is decoded by `fluke-hpack`, a codec that the edge does not use.

use bytes::{BufMut, Bytes, BytesMut};
use fluke_hpack::Decoder;

/// Field names and values in their order, pseudo-header fields among them. What is not UTF-8 becomes U+FFFD.
pub type Fields = Vec<(String, String)>;

/// The largest dynamic table that we have not forbidden by a setting, in bytes.
const TABLE: usize = 4096;

/// A header block of these fields.
pub fn encode<'a>(list: impl IntoIterator<Item = (&'a str, &'a str)>) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in list {
        block.put_u8(0); // a literal, not indexed, with a name of its own
        put_string(&mut block, name.as_bytes());
        put_string(&mut block, value.as_bytes());
    }
    block.freeze()
}

/// The value of the first field of that name, in any case.
pub(crate) fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Borrows fields for [`encode`].
pub(crate) fn borrowed(fields: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn put_string(block: &mut BytesMut, bytes: &[u8]) {
    put_integer(block, bytes.len());
    block.put_slice(bytes);
}

/// An integer with a prefix of seven bits below a zero bit (RFC 7541 section 5.1).
fn put_integer(block: &mut BytesMut, number: usize) {
    const PREFIX: usize = 0x7f;
    let Some(mut rest) = number.checked_sub(PREFIX) else {
        block.put_uint(number as u64, 1);
        return;
    };
    block.put_uint(PREFIX as u64, 1);
    while rest >= 0x80 {
        block.put_uint((rest % 0x80 + 0x80) as u64, 1);
        rest /= 0x80;
    }
    block.put_uint(rest as u64, 1);
}

/// The decoding side of one connection.
pub(crate) struct Blocks(Decoder<'static>);

impl Blocks {
    pub(crate) fn new() -> Self {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(TABLE);
        Self(decoder)
    }

    /// The fields of a whole block; `None` if it cannot be decoded.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Option<Fields> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let fields = self.0.decode(block).ok()?;
        Some(fields.into_iter().map(|(name, value)| (text(name), text(value))).collect())
    }
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blocks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_back_however_long() {
        let long = "x".repeat(70_000);
        for value in ["", "v", &"y".repeat(126), &"y".repeat(127), &"y".repeat(255), &long] {
            let block = encode([(":status", "200"), ("X-Case", value)]);
            let fields = Blocks::new().decode(&block).unwrap();
            let fields: Vec<_> = borrowed(&fields).collect();
            assert_eq!(fields, [(":status", "200"), ("X-Case", value)]);
        }
    }

    #[test]
    fn huffman_codes_and_the_dynamic_table_are_understood() {
        // RFC 7541 section C.4.1 and C.4.2: the second block names what the first one has added
        let mut blocks = Blocks::new();
        let first = blocks.decode(b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff").unwrap();
        assert_eq!(value(&first, ":authority"), Some("www.example.com"));
        let second = blocks.decode(b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf").unwrap();
        assert_eq!(value(&second, ":authority"), Some("www.example.com"));
        assert_eq!(value(&second, "cache-control"), Some("no-cache"));
        assert_eq!(blocks.decode(b"\xff\xff\xff\xff\xff\xff"), None);
    }
}
