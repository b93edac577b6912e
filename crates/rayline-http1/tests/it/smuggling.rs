//! Shapes that make two readers see different messages. Each is refused, on both sides.

use crate::drive::{requests, responses};

/// Field lines, and the kind of refusal they meet, with the offset within the lines.
const FRAMING: &[(&[u8], &str, usize)] = &[
    // CL.TE and TE.CL
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "LengthWithTransferEncoding", 19),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "LengthWithTransferEncoding", 0),
    (b"transfer-encoding: chunked\r\ncontent-length: 0\r\n", "LengthWithTransferEncoding", 0),
    (b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", "LengthWithTransferEncoding", 19),
    (b"Content-Length: x\r\nTransfer-Encoding:\r\n", "LengthWithTransferEncoding", 19),
    // TE.TE
    (b"Transfer-Encoding : chunked\r\n", "SpaceBeforeColon", 17),
    (b"Transfer-Encoding\t: chunked\r\n", "SpaceBeforeColon", 17),
    (b" Transfer-Encoding: chunked\r\n", "SpaceBeforeHeaders", 0),
    (b"X: y\r\n Transfer-Encoding: chunked\r\n", "ObsoleteFold", 6),
    (b"Transfer-Encoding:\r\n chunked\r\n", "ObsoleteFold", 20),
    (b"X: y\rTransfer-Encoding: chunked\r\n", "BareCr", 4),
    (b"X: y\nTransfer-Encoding: chunked\r\n", "BareLf", 4),
    (b"X: y\r\rTransfer-Encoding: chunked\r\n", "BareCr", 4),
    (b"X: y\0Transfer-Encoding: chunked\r\n", "NulByte", 4),
    (b"Transfer-Encoding: \x0bchunked\r\n", "IllegalHeaderValue", 19),
    (b"Transfer-Encoding: \x0cchunked\r\n", "IllegalHeaderValue", 19),
    (b"Transfer-Encoding: chunked\0\r\n", "NulByte", 26),
    (b"Transfer-Encoding: chunked\x00, x\r\n", "NulByte", 26),
    (b"Transfer-Encoding\0: chunked\r\n", "NulByte", 17),
    (b"Transfer\xffEncoding: chunked\r\n", "IllegalHeaderName", 8),
    (b"Transfer-Encoding chunked\r\n", "IllegalHeaderName", 17),
    (b"Transfer-Encoding:\r\n", "BadTransferEncoding(Malformed)", 18),
    (b"Transfer-Encoding: , chunked\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: chunked,\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: chunked;q=1\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: \"chunked\"\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: chun ked\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: chunked identity\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: chunked\x80\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: \xe2\x84\xaahunked\r\n", "BadTransferEncoding(Malformed)", 19),
    (b"Transfer-Encoding: xchunked\r\n", "BadTransferEncoding(Unknown)", 19),
    (b"Transfer-Encoding: chunkedx\r\n", "BadTransferEncoding(Unknown)", 19),
    (b"Transfer-Encoding: cow, chunked\r\n", "BadTransferEncoding(Unknown)", 19),
    (b"Transfer-Encoding: chunked, identity\r\n", "BadTransferEncoding(ChunkedNotLast)", 19),
    (b"Transfer-Encoding: chunked, gzip\r\n", "BadTransferEncoding(ChunkedNotLast)", 19),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", "BadTransferEncoding(ChunkedNotLast)", 19),
    (b"Transfer-Encoding: chunked, chunked\r\n", "BadTransferEncoding(ChunkedTwice)", 19),
    (b"Transfer-Encoding: chunked\r\ntransfer-encoding: Chunked\r\n", "BadTransferEncoding(ChunkedTwice)", 19),
    (b"Transfer-Encoding: identity, chunked\r\n", "UnsupportedTransferCoding", 19),
    // lengths
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", "ConflictingContentLength { first: 5, second: 6 }", 35),
    (b"Content-Length: 5\r\ncontent-length: 5\r\n", "DuplicateContentLength { length: 5 }", 35),
    (b"Content-Length: 5, 6\r\n", "ConflictingContentLength { first: 5, second: 6 }", 16),
    (b"Content-Length: 5,5\r\n", "DuplicateContentLength { length: 5 }", 16),
    (b"Content-Length: 5,5\r\nContent-Length: 6\r\n", "ConflictingContentLength { first: 5, second: 6 }", 37),
    (b"Content-Length:\r\n", "BadContentLength(Empty)", 15),
    (b"Content-Length: 5,\r\n", "BadContentLength(Empty)", 16),
    (b"Content-Length: ,5\r\n", "BadContentLength(Empty)", 16),
    (b"Content-Length: +5\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: -5\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: -0\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 1 0\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 1_0\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 0x5\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 0o5\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 5e1\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 5.0\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: five\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: \xd9\xa5\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 5;6\r\n", "BadContentLength(NotDigits)", 16),
    (b"Content-Length: 05\r\n", "BadContentLength(LeadingZero)", 16),
    (b"Content-Length: 00\r\n", "BadContentLength(LeadingZero)", 16),
    (b"Content-Length: 18446744073709551616\r\n", "BadContentLength(Overflow)", 16),
    (b"Content-Length: 99999999999999999999999\r\n", "BadContentLength(Overflow)", 16),
    (b"Content-Length : 5\r\n", "SpaceBeforeColon", 14),
    (b"Content-Length: 5\0\r\n", "NulByte", 17),
    (b"Content-Length:\r\n 5\r\n", "ObsoleteFold", 17),
    (b"Content-Length: 5\rX: y\r\n", "BareCr", 17),
];

#[test]
fn framing_is_refused_on_both_sides() {
    for (lines, kind, at) in FRAMING {
        for (start, read, part) in [
            // HTTP/1.0, so that no other field is due; the coding lines need 1.1.
            (&b"POST / HTTP/1.0\r\n"[..], requests as fn(&[u8]) -> String, "request head"),
            (b"POST / HTTP/1.1\r\n", requests, "request head"),
            (b"HTTP/1.1 200 OK\r\n", responses, "response head"),
        ] {
            let is_request = part == "request head";
            let host: &[u8] = if is_request { b"Host: a\r\n" } else { b"" };
            // Some rows only mean something as the first line.
            let message = [start, lines, host, b"\r\n"].concat();
            let expected = format!("{kind} in {part} at {}", start.len() + at);
            let found = read(&message);
            if start.ends_with(b"1.0\r\n") && lines.windows(9).any(|nine| nine.eq_ignore_ascii_case(b"-encoding")) {
                assert!(found.contains(" in request head at "), "{}: {found}", message.escape_ascii());
            } else {
                assert_eq!(found, expected, "{}", message.escape_ascii());
            }
        }
    }
}

#[test]
fn a_coding_in_http_1_0_is_refused_on_both_sides() {
    assert_eq!(
        requests(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "BadTransferEncoding(InHttp10) in request head at 17"
    );
    assert_eq!(
        responses(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "BadTransferEncoding(InHttp10) in response head at 17"
    );
}

#[test]
fn framing_is_checked_where_no_body_follows() {
    for start in [&b"HTTP/1.1 204 \r\n"[..], b"HTTP/1.1 304 \r\n", b"HTTP/1.1 100 \r\n"] {
        let message = [start, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"].concat();
        let expected = "ConflictingContentLength { first: 5, second: 6 } in response head at 50";
        assert_eq!(responses(&message), expected);
    }
}

/// Bodies that another reader could end elsewhere.
const CHUNKS: &[&[u8]] = &[
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\r\n0\r\n\r\n",
    b"5\rhello\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\n",
    b"5\r\nhello\r\n0\n\r\n",
    b"5;\nhello\r\n0\r\n\r\n",
    b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nhello\r\n0\r\nx : y\r\n\r\n",
    b"5\r\nhello\r\n0\r\nx: y\n\r\n",
    b"5\r\nhello\r\n0\r\n\rGET / HTTP/1.1\r\n\r\n",
    b"5\r\nhello\r\n\r\n\r\n",
];

#[test]
fn chunk_oddities_are_refused_on_both_sides() {
    for chunks in CHUNKS {
        let coding = &b"Transfer-Encoding: chunked\r\n\r\n"[..];
        let request = [b"POST / HTTP/1.1\r\nHost: a\r\n", coding, chunks].concat();
        let response = [b"HTTP/1.1 200 OK\r\n", coding, chunks].concat();
        for found in [requests(&request), responses(&response)] {
            let refused = found.contains(" in body at ") || found.contains(" in trailers at ");
            assert!(refused && !found.contains("Truncated"), "{}: {found}", chunks.escape_ascii());
        }
    }
}
