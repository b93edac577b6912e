//! RFC 7541: header blocks as a decoder must take or refuse them.

use rayline_testkit::http2::{Frame, encode, flag, kind, setting};

use super::{COMPRESSION, Expected, Row, Say, frame, get, request, row};

pub(super) fn rows() -> Vec<Row> {
    let mut all = representations();
    all.extend(refused());
    all
}

/// A GET with these bytes around its fields.
fn around(stream: u32, before: &[u8], behind: &[u8]) -> Say {
    let block = [before, &encode(request("GET")), behind].concat();
    frame(Frame::new(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, block))
}

/// A row in which the block with these bytes behind its fields is fine, and `shown` to the origin.
fn fine(section: &'static str, what: &'static str, behind: &[u8], shown: &'static str) -> Row {
    row(section, what, [around(1, &[], behind)], Expected::Shown(1, shown))
}

/// A row in which the block with these bytes around its fields cannot be decoded.
fn wrong(section: &'static str, what: &'static str, before: &[u8], behind: &[u8]) -> Row {
    row(section, what, [around(1, before, behind)], Expected::ConnectionError(COMPRESSION)).unspecific()
}

fn representations() -> Vec<Row> {
    // a string of `test` in Huffman code is 0x83 0x49 0x50 0x9f; index 58 in the static table is `user-agent`
    vec![
        row(
            "HPACK 2.3.1",
            "an indexed field of the static table",
            [frame(Frame::new(
                kind::HEADERS,
                flag::END_HEADERS | flag::END_STREAM,
                1,
                [&[0x82, 0x87, 0x84][..], &encode([(":authority", super::HOST)])].concat(),
            ))],
            Expected::Answer(1, &[200]),
        ),
        fine("HPACK 6.2.1", "a literal to be indexed, with an indexed name", b"\x7a\x04test", "test"),
        fine(
            "HPACK 6.2.1",
            "a literal to be indexed, with an indexed name and Huffman code",
            b"\x7a\x83\x49\x50\x9f",
            "test",
        ),
        fine("HPACK 6.2.1", "a literal to be indexed, with a new name", b"\x40\x06x-test\x04test", "x-test: test"),
        fine(
            "HPACK 6.2.1",
            "a literal to be indexed, with a new name and Huffman code",
            b"\x40\x85\xf2\xb4\xa8\x4a\x7f\x83\x49\x50\x9f",
            "test",
        ),
        fine("HPACK 6.2.2", "a literal without indexing, with an indexed name", b"\x0f\x2b\x04test", "test"),
        fine(
            "HPACK 6.2.2",
            "a literal without indexing, with an indexed name and Huffman code",
            b"\x0f\x2b\x83\x49\x50\x9f",
            "test",
        ),
        fine("HPACK 6.2.2", "a literal without indexing, with a new name", b"\0\x06x-test\x04test", "x-test: test"),
        fine(
            "HPACK 6.2.2",
            "a literal without indexing, with a new name and Huffman code",
            b"\0\x85\xf2\xb4\xa8\x4a\x7f\x83\x49\x50\x9f",
            "test",
        ),
        fine("HPACK 6.2.3", "a literal never to be indexed, with an indexed name", b"\x1f\x2b\x04test", "test"),
        fine(
            "HPACK 6.2.3",
            "a literal never to be indexed, with an indexed name and Huffman code",
            b"\x1f\x2b\x83\x49\x50\x9f",
            "test",
        ),
        fine(
            "HPACK 6.2.3",
            "a literal never to be indexed, with a new name",
            b"\x10\x06x-test\x04test",
            "x-test: test",
        ),
        fine(
            "HPACK 6.2.3",
            "a literal never to be indexed, with a new name and Huffman code",
            b"\x10\x85\xf2\xb4\xa8\x4a\x7f\x83\x49\x50\x9f",
            "test",
        ),
        row(
            "HPACK 6.3",
            "a size update of the dynamic table before the first field",
            [around(1, &[0x3f, 0xe1, 0x1f], &[])],
            Expected::Answer(1, &[200]),
        ),
        row(
            "HPACK 6.3",
            "many size updates before the first field",
            [around(1, &[0x20, 0x3f, 0xe1, 0x1f], &[])],
            Expected::Answer(1, &[200]),
        ),
        row(
            "HPACK 2.3.2",
            "an entry that one request has added is there for the next",
            [around(1, &[], b"\x40\x06x-test\x04kept"), around(3, &[], &[0xbe])],
            Expected::Shown(3, "x-test: kept"),
        ),
        row(
            "HPACK 4.3",
            "a table of size 0 keeps nothing, and is no error",
            [around(1, &[0x20], b"\x40\x06x-test\x04gone"), get(3)],
            Expected::Answer(3, &[200]),
        ),
    ]
}

fn refused() -> Vec<Row> {
    vec![
        wrong("HPACK 2.3.3", "an indexed field that neither table has", &[], &[0xff, 0x00]),
        wrong("HPACK 2.3.3", "a literal whose name neither table has", &[], b"\x7f\x00\x04test"),
        wrong("HPACK 4.2", "a size update behind the fields", &[], &[0x20]),
        wrong("HPACK 4.4", "an entry that a smaller table has evicted", &[], b"\x40\x01a\x01b\x20\xbe"),
        wrong(
            "HPACK 5.1",
            "an integer without an end",
            &[],
            &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        wrong(
            "HPACK 5.2",
            "Huffman code with more than 7 bits of padding",
            &[],
            b"\0\x85\xf2\xb4\xa8\x4a\x7f\x84\x49\x50\x9f\xff",
        ),
        wrong("HPACK 5.2", "Huffman code padded with zeros", &[], b"\0\x85\xf2\xb4\xa8\x4a\x7f\x83\x49\x50\x90"),
        wrong(
            "HPACK 5.2",
            "Huffman code with the end-of-string symbol in it",
            &[],
            b"\0\x85\xf2\xb4\xa8\x4a\x7f\x87\x49\x51\xff\xff\xff\xfa\x7f",
        ),
        wrong("HPACK 5.2", "a string longer than its block", &[], b"\0\x06x-test\x7ftest"),
        wrong("HPACK 6.1", "an indexed field with the index 0", &[], &[0x80]),
        wrong("HPACK 6.3", "a size update over SETTINGS_HEADER_TABLE_SIZE", &[0x3f, 0xe2, 0x1f], &[]),
        row(
            "HPACK 4.2",
            "a smaller table of the visitor's own choice keeps the connection in step",
            [
                frame(Frame::settings(&[(setting::HEADER_TABLE_SIZE, 64)])),
                get(1),
                Say::UntilEnd(1),
                get(3),
                Say::UntilEnd(3),
            ],
            Expected::Alive,
        ),
    ]
}
