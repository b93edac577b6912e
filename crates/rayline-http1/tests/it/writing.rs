//! What the writer writes, and what it refuses to.

use bytes::BytesMut;
use rayline_http1::encode::{chunk, copy_fields, end, field, last_chunk, request_line, status_line, trailers};
use rayline_http1::{
    BodyDecoder, CHUNK_END, Decoded, Framing, IllegalField, LAST_CHUNK, Limits, Parsed, RequestParser, chunk_head,
    standard_reason,
};

#[test]
fn a_request() {
    let mut out = BytesMut::new();
    request_line(&mut out, "GET", "/a?b").unwrap();
    field(&mut out, "Host", b"a").unwrap();
    field(&mut out, "empty", "").unwrap();
    end(&mut out);
    assert_eq!(out, &b"GET /a?b HTTP/1.1\r\nHost: a\r\nempty: \r\n\r\n"[..]);
}

#[test]
fn a_response() {
    let mut out = BytesMut::new();
    status_line(&mut out, 404, None).unwrap();
    status_line(&mut out, 200, Some(b"")).unwrap();
    status_line(&mut out, 299, None).unwrap();
    status_line(&mut out, 530, Some(b"Origin DNS Error")).unwrap();
    let expected = b"HTTP/1.1 404 Not Found\r\nHTTP/1.1 200 \r\nHTTP/1.1 299 \r\nHTTP/1.1 530 Origin DNS Error\r\n";
    assert_eq!(out, &expected[..]);
    assert_eq!((standard_reason(418), standard_reason(511)), ("", "Network Authentication Required"));
}

#[test]
fn what_would_break_a_line_is_not_written() {
    let mut out = BytesMut::from(&b"kept"[..]);
    for bad in ["", "a b", "a:", "a\r", "a\n", "a\0", "é"] {
        assert_eq!(field(&mut out, bad, "v"), Err(IllegalField::Name), "{bad:?}");
        assert_eq!(request_line(&mut out, bad, "/"), Err(IllegalField::Method), "{bad:?}");
    }
    for bad in ["a\r\nb: c", "\r", "\n", "\0", "\x7f", "\x1b"] {
        assert_eq!(field(&mut out, "n", bad), Err(IllegalField::Value), "{bad:?}");
        assert_eq!(status_line(&mut out, 200, Some(bad.as_bytes())), Err(IllegalField::Reason), "{bad:?}");
    }
    for bad in ["", "/ HTTP/1.1\r\nx: y", "/a b", "/#a", "/é", "/\0"] {
        assert_eq!(request_line(&mut out, "GET", bad), Err(IllegalField::Target), "{bad:?}");
    }
    for bad in [0, 99, 600, u16::MAX] {
        assert_eq!(status_line(&mut out, bad, None), Err(IllegalField::Status), "{bad}");
    }
    assert_eq!(out, &b"kept"[..]);
    assert_eq!(field(&mut out, "n", b"\t\x80 v"), Ok(()));
}

#[test]
fn received_fields_are_copied_in_order() {
    let head = b"GET / HTTP/1.0\r\nA: 1\r\nB:2\r\nC: 3\r\nD: 4\r\nE:  5 \r\nF:\r\nG: 7\r\n\r\n";
    let Ok(Parsed::Complete(head)) = RequestParser::new(Limits::default()).parse(&mut BytesMut::from(&head[..])) else {
        panic!("a good head");
    };
    let copy = |keep: &dyn Fn(&[u8]) -> bool| {
        let mut out = BytesMut::new();
        copy_fields(&mut out, &head.fields, |name, _| keep(name));
        String::from_utf8(out.to_vec()).unwrap()
    };
    assert_eq!(copy(&|_| true), "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nG: 7\r\n");
    assert_eq!(copy(&|name| name != b"C"), "A: 1\r\nB: 2\r\nD: 4\r\nE: 5\r\nF: \r\nG: 7\r\n");
    assert_eq!(copy(&|name| b"ADG".contains(&name[0])), "A: 1\r\nD: 4\r\nG: 7\r\n");
    assert_eq!(copy(&|_| false), "");
}

#[test]
fn chunks() {
    assert_eq!(&chunk_head(1)[..], b"1\r\n");
    assert_eq!(&chunk_head(0xabc)[..], b"abc\r\n");
    assert_eq!(&chunk_head(0x1000)[..], b"1000\r\n");
    assert_eq!(&chunk_head(usize::MAX)[..], b"ffffffffffffffff\r\n");
    assert_eq!(&chunk_head(0)[..], b"0\r\n");
    let mut out = BytesMut::new();
    chunk(&mut out, b"hello world, 16!");
    chunk(&mut out, b"");
    assert_eq!(out, [&chunk_head(16)[..], b"hello world, 16!", CHUNK_END].concat());
    out.extend_from_slice(LAST_CHUNK);
    assert_eq!(out, &b"10\r\nhello world, 16!\r\n0\r\n\r\n"[..]);
}

#[test]
fn trailers_are_passed_on() {
    let received = &b"0\r\nA: 1\r\nB:2\r\n\r\n"[..];
    let mut decoder = BodyDecoder::new(Framing::Chunked, &Limits::default());
    let Ok(Decoded::Trailers(fields)) = decoder.decode(&mut BytesMut::from(received)) else {
        panic!("trailers");
    };
    let mut out = BytesMut::new();
    trailers(&mut out, &fields);
    assert_eq!(out, &b"0\r\nA: 1\r\nB: 2\r\n\r\n"[..]);
    let mut own = BytesMut::new();
    last_chunk(&mut own);
    field(&mut own, "A", "1").unwrap();
    field(&mut own, "B", "2").unwrap();
    end(&mut own);
    assert_eq!(own, out);
}
