//! Limits hold while the bytes come, at the first byte too many, and not one earlier.

use rayline_http1::{Framing, Limits, RequestKind};

use crate::drive::{body_within, requests_within, responses_within};

const LIMITS: Limits = Limits { uri: 8, head: 64, headers: 3, trailers: 16, chunk_line: 10 };

#[track_caller]
fn request(bytes: &[u8], expected: &str) {
    assert_eq!(requests_within(LIMITS, bytes), expected);
}

#[track_caller]
fn body(bytes: &[u8], expected: &str) {
    assert_eq!(body_within(LIMITS, Framing::Chunked, bytes), expected);
}

#[test]
fn target() {
    request(b"GET /2345678 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /2345678 host=a");
    request(b"GET /23456789 HTTP/1.1\r\nHost: a\r\n\r\n", "UriTooLong { limit: 8 } in request head at 12");
    request(b"GET /23456789", "UriTooLong { limit: 8 } in request head at 12");
}

#[test]
fn head() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nx: 3456789012345678901234567890123456\r\n";
    request(&[&head[..62], b"\r\n\r\n"].concat(), "HeadTooLarge { limit: 64 } in request head at 64");
    request(&[&head[..60], b"\r\n\r\n"].concat(), "GET / host=a");
    request(&head[..64], "HalfHead { received: 64 } in request head at 64");
    request(&[&head[..], b"56"].concat(), "HeadTooLarge { limit: 64 } in request head at 64");
    request(&[&head[..40], b"\n", &head[40..], &head[40..]].concat(), "BareLf in request head at 40");
    let response = [&b"HTTP/1.1 200 OK\r\nx: "[..], &[b'y'; 64], b"\r\n\r\n"].concat();
    let found = responses_within(LIMITS, RequestKind::Other, &response);
    assert_eq!(found, "HeadTooLarge { limit: 64 } in response head at 64");
}

#[test]
fn fields() {
    request(b"GET / HTTP/1.1\r\nHost: a\r\nb:\r\nc:\r\n\r\n", "GET / host=a");
    request(
        b"GET / HTTP/1.1\r\nHost: a\r\nb:\r\nc:\r\nd:\r\n\r\n",
        "TooManyHeaders { limit: 3 } in request head at 33",
    );
    request(b"GET / HTTP/1.1\r\nHost: a\r\nb:\r\nc:\r\nd", "TooManyHeaders { limit: 3 } in request head at 33");
}

#[test]
fn many_fields() {
    for (count, limit) in [(64, 64), (65, 65), (300, 1024), (1024, 1024)] {
        let limits = Limits { headers: limit, ..Limits::default() };
        let request = [&b"GET / HTTP/1.0\r\n"[..], &b"a: b\r\n".repeat(count), b"\r\n"].concat();
        assert_eq!(requests_within(limits, &request), "GET / host=- close");
        let response = [&b"HTTP/1.1 204 \r\n"[..], &b"a:\r\n".repeat(count), b"\r\n"].concat();
        assert_eq!(responses_within(limits, RequestKind::Other, &response), "204 ''");
        let limits = Limits { headers: count - 1, ..limits };
        let at = 16 + 6 * (count - 1);
        let expected = format!("TooManyHeaders {{ limit: {} }} in request head at {at}", count - 1);
        assert_eq!(requests_within(limits, &request), expected);
    }
}

#[test]
fn trailers() {
    body(b"0\r\na: 34567890\r\n\r\n", "body= a:34567890");
    body(b"0\r\na: 3456789012\r\n\r\n", "body= TrailersTooLarge { limit: 16 } in trailers at 19");
    body(b"0\r\na: 34567890123456", "body= TrailersTooLarge { limit: 16 } in trailers at 19");
    body(b"0\r\na:\r\nb:\r\nc:\r\nd", "body= TooManyHeaders { limit: 3 } in trailers at 15");
}

#[test]
fn chunk_line() {
    body(b"1;3456=8\r\nx\r\n0\r\n\r\n", "body=x");
    body(b"1;3456=89\r\nx\r\n0\r\n\r\n", "body= ChunkLineTooLong { limit: 10 } in body at 10");
    body(b"1;3456789012", "body= ChunkLineTooLong { limit: 10 } in body at 10");
}

#[test]
fn extensions_in_proportion() {
    let limits = Limits::default();
    let extension = "e".repeat(100);
    let small = format!("1;{extension}\r\nx\r\n").repeat(165) + "0\r\n\r\n";
    assert_eq!(
        body_within(limits, Framing::Chunked, small.as_bytes()),
        format!("body={} ChunkExtensionsTooLarge {{ limit: 16384 }} in body at {}", "x".repeat(163), 163 * 107)
    );
    let large = format!("80;{extension}\r\n{}\r\n", "x".repeat(128)).repeat(400) + "0\r\n\r\n";
    assert_eq!(body_within(limits, Framing::Chunked, large.as_bytes()), format!("body={}", "x".repeat(400 * 128)));
}

/// No limit is reached by what the defaults are for.
#[test]
fn defaults_are_roomy() {
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "u".repeat(16_383), "c".repeat(100_000));
    assert!(requests_within(Limits::default(), request.as_bytes()).ends_with(" host=a"));
}
