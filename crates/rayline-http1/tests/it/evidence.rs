//! What a refusal carries for the person who has to find out.

use bytes::BytesMut;
use expect_test::expect;
use rayline_http1::{Limits, Part, Refusal, RefusalKind, RequestKind, RequestParser, ResponseParser};

fn refuse(bytes: &[u8]) -> Refusal {
    RequestParser::new(Limits::default()).parse(&mut BytesMut::from(bytes)).unwrap_err()
}

#[test]
fn it_says_what_where_and_why() {
    let refusal = refuse(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n");
    assert_eq!(refusal.part, Part::RequestHead);
    assert_eq!(refusal.kind.clause(), "RFC 9112 §6.3");
    expect!["the body has two lengths, 5 and 6 (request head, byte 60)"].assert_eq(&refusal.to_string());
    assert!(refusal.bytes.len() <= 64 && refusal.bytes.ends_with(b"5\r\nContent-Length: 6\r\n\r\n"));
}

#[test]
fn it_shows_the_bytes_around_the_place() {
    let long = [&b"GET / HTTP/1.1\r\nA: "[..], &[b'x'; 100], b"\0", &[b'y'; 100]].concat();
    let refusal = refuse(&long);
    assert_eq!((refusal.kind, refusal.offset), (RefusalKind::NulByte, 119));
    assert_eq!(refusal.bytes, [&[b'x'; 32][..], b"\0", &[b'y'; 31]].concat());
    let refusal = refuse(b"\x16\x03\x01");
    assert_eq!((refusal.offset, &refusal.bytes[..]), (0, &b"\x16\x03\x01"[..]));
}

#[test]
fn it_shows_the_last_bytes_at_the_end_of_the_stream() {
    let head = [&b"HTTP/1.1 200 OK\r\nA: "[..], &[b'x'; 100]].concat();
    let mut parser = ResponseParser::new(Limits::default());
    let mut buf = BytesMut::from(&head[..]);
    assert!(parser.parse(&mut buf, RequestKind::Other).is_ok());
    let refusal = parser.eof(&buf);
    assert_eq!(refusal.kind, RefusalKind::HalfHead { received: 120 });
    assert_eq!(refusal.bytes, [b'x'; 64][..]);
    let nothing = ResponseParser::new(Limits::default()).eof(b"");
    assert_eq!((nothing.kind, nothing.bytes.len()), (RefusalKind::Empty, 0));
}

#[test]
fn it_stays_the_same_when_asked_again() {
    let mut parser = RequestParser::new(Limits::default());
    let mut buf = BytesMut::from(&b"GET / HTTP/1.1\nHost"[..]);
    let first = parser.parse(&mut buf).unwrap_err();
    buf.extend_from_slice(b": a\r\n\r\n");
    assert_eq!(parser.parse(&mut buf).unwrap_err().kind, first.kind);
}
