//! Bodies: chunks, extensions and trailers (RFC 9112 §7.1), lengths, and the end of the stream.

use bytes::{Bytes, BytesMut};
use rayline_http1::{BodyDecoder, Decoded, Framing, Limits};

use crate::drive::{body, check_chunked};

#[test]
fn chunks() {
    check_chunked(&[
        ("§7.1", b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nrest", "body=hello world rest=rest"),
        (
            "§7.1 hexadecimal of either case",
            b"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
            "body=01234567890123456789a",
        ),
        ("§7.1 leading zeros", b"0005\r\nhello\r\n000\r\n\r\n", "body=hello"),
        ("§7.1 line ends are data", b"2\r\n\r\n\r\n0\r\n\r\n", "body=\\r\\n"),
        ("§7.1 no size", b"\r\nhello", "body= BadChunkSize(Empty) in body at 0"),
        ("§7.1 no size but an extension", b";a\r\nhello", "body= BadChunkSize(Empty) in body at 0"),
        ("§7.1 prefix", b"0x5\r\nhello", "body= BadChunkSize(NotHex) in body at 1"),
        ("§7.1 space before", b" 5\r\nhello", "body= BadChunkSize(NotHex) in body at 0"),
        ("§7.1 space behind", b"5 \r\nhello", "body= BadChunkSize(TrailingSpace) in body at 2"),
        ("§7.1 tab behind", b"5\t\r\nhello", "body= BadChunkSize(TrailingSpace) in body at 2"),
        ("§7.1 space inside", b"1 0\r\n", "body= BadChunkSize(NotHex) in body at 2"),
        ("§7.1 plus", b"+5\r\nhello", "body= BadChunkSize(NotHex) in body at 0"),
        ("§7.1 minus", b"-5\r\nhello", "body= BadChunkSize(NotHex) in body at 0"),
        ("§7.1 underscore", b"1_0\r\n", "body= BadChunkSize(NotHex) in body at 1"),
        ("§7.1 comma", b"5,5\r\n", "body= BadChunkSize(NotHex) in body at 1"),
        ("§7.1 letter", b"g\r\n", "body= BadChunkSize(NotHex) in body at 0"),
        ("§7.1 zero byte", b"5\0\r\n", "body= BadChunkSize(NotHex) in body at 1"),
        ("§7.1 a wide digit", b"\xef\xbc\x95\r\n", "body= BadChunkSize(NotHex) in body at 0"),
        ("§7.1 17 digits", b"10000000000000000\r\n", "body= ChunkSizeOverflow in body at 16"),
        ("§7.1 17 digits, 16 of them zero", b"00000000000000005\r\n", "body= ChunkSizeOverflow in body at 16"),
        (
            "§7.1 the largest",
            b"ffffffffffffffff\r\nhello",
            "body=hello Truncated { received: 5, expected: None } in body at 23",
        ),
        ("§7.1 sum too large", b"1\r\na\r\nffffffffffffffff\r\n", "body=a ChunkSizeOverflow in body at 6"),
        ("§7.1 bare LF", b"5\nhello\r\n0\r\n\r\n", "body= BareLf in body at 1"),
        ("§7.1 bare LF behind a space", b"5 \nhello\r\n", "body= BareLf in body at 2"),
        ("§7.1 bare CR", b"5\rhello\r\n", "body= BareCr in body at 1"),
        ("§7.1 CR CR LF", b"5\r\r\nhello\r\n", "body= BareCr in body at 1"),
        ("§7.1 more data than size", b"5\r\nhello!\r\n", "body=hello MissingChunkEnd in body at 8"),
        ("§7.1 less data than size", b"6\r\nhello\r\n0\r\n\r\n", "body=hello\\r MissingChunkEnd in body at 9"),
        ("§7.1 no line end", b"5\r\nhello0\r\n\r\n", "body=hello MissingChunkEnd in body at 8"),
        ("§7.1 LF behind the data", b"5\r\nhello\n0\r\n\r\n", "body=hello MissingChunkEnd in body at 8"),
        ("§7.1 CR behind the data", b"5\r\nhello\r0\r\n\r\n", "body=hello MissingChunkEnd in body at 8"),
        ("§8 cut in the size", b"5", "body= Truncated { received: 0, expected: None } in body at 0"),
        (
            "§8 cut in the end",
            b"5\r\nhello\r\n0\r\n\r",
            "body=hello Truncated { received: 5, expected: None } in body at 13",
        ),
    ]);
}

#[test]
fn extensions() {
    check_chunked(&[
        ("§7.1.1", b"1;a\r\nx\r\n0;b=c\r\n\r\n", "body=x"),
        ("§7.1.1", b"1;a=b;c;d=\"e f\";g=\"\"\r\nx\r\n0\r\n\r\n", "body=x"),
        ("§7.1.1 quoted pair", b"1;a=\"\\\"\\\\\t\x80;\"\r\nx\r\n0\r\n\r\n", "body=x"),
        ("§7.1.1 bad white space is to be taken", b"1 \t; a\t= b ;c = \"d\" ;e\r\nx\r\n0\r\n\r\n", "body=x"),
        ("§7.1.1 no name", b"1;\r\nx\r\n", "body= BadChunkExtension in body at 2"),
        ("§7.1.1 no name", b"1;;a\r\nx\r\n", "body= BadChunkExtension in body at 2"),
        ("§7.1.1 no name", b"1;=a\r\nx\r\n", "body= BadChunkExtension in body at 2"),
        ("§7.1.1 no value", b"1;a=\r\nx\r\n", "body= BadChunkExtension in body at 4"),
        ("§7.1.1 space behind", b"1;a \r\nx\r\n", "body= BadChunkExtension in body at 4"),
        ("§7.1.1 space behind", b"1;a=b \r\nx\r\n", "body= BadChunkExtension in body at 6"),
        ("§7.1.1 not a token", b"1;a[=b\r\nx\r\n", "body= BadChunkExtension in body at 3"),
        ("§7.1.1 two words", b"1;a b\r\nx\r\n", "body= BadChunkExtension in body at 4"),
        ("§7.1.1 after a quote", b"1;a=\"b\"c\r\nx\r\n", "body= BadChunkExtension in body at 7"),
        ("§7.1.1 line end in quotes", b"1;a=\"\r\n\"\r\nx\r\n", "body= BadChunkExtension in body at 5"),
        ("§7.1.1 line end behind a backslash", b"1;a=\"\\\r\n\"\r\nx\r\n", "body= BadChunkExtension in body at 6"),
        ("§7.1.1 control character", b"1;a=\"\x01\"\r\nx\r\n", "body= BadChunkExtension in body at 5"),
        ("§7.1.1 zero byte", b"1;a\0\r\nx\r\n", "body= BadChunkExtension in body at 3"),
        ("§7.1.1 bare LF", b"1;\nx\r\n", "body= BareLf in body at 2"),
        ("§7.1.1 bare LF", b"1;a\nx\r\n", "body= BareLf in body at 3"),
        ("§7.1.1 bare LF in quotes", b"1;a=\"\n\"\r\nx\r\n", "body= BareLf in body at 5"),
        ("§7.1.1 bare CR", b"1;a\rx\r\n", "body= BareCr in body at 3"),
    ]);
}

#[test]
fn trailers() {
    check_chunked(&[
        ("§7.1.2", b"0\r\nA: b\r\nc:\r\n\r\n", "body= A:b c:"),
        ("§7.1.2", b"1\r\nx\r\n0\r\na:  b c \r\n\r\nrest", "body=x a:b c rest=rest"),
        ("§7.1.2 cut", b"0\r\na: b\r\n", "body= Truncated { received: 0, expected: None } in body at 3"),
        ("RFC 9110 §6.5.1", b"0\r\na: b\r\nContent-Length: 5\r\n\r\n", "body= BadTrailer in trailers at 9"),
        ("RFC 9110 §6.5.1", b"0\r\ntransfer-encoding: chunked\r\n\r\n", "body= BadTrailer in trailers at 3"),
        ("RFC 9110 §6.5.1", b"0\r\nHost: a\r\n\r\n", "body= BadTrailer in trailers at 3"),
        ("RFC 9110 §6.5.1", b"0\r\nConnection: close\r\n\r\n", "body= BadTrailer in trailers at 3"),
        ("RFC 9110 §6.5.1", b"0\r\nTrailer: a\r\n\r\n", "body= BadTrailer in trailers at 3"),
        ("§5.1", b"0\r\nGET / HTTP/1.1\r\n\r\n", "body= IllegalHeaderName in trailers at 6"),
        ("§5.1", b"0\r\na\r\n\r\n", "body= MissingColon in trailers at 4"),
        ("§5.1", b"0\r\na : b\r\n\r\n", "body= SpaceBeforeColon in trailers at 4"),
        ("§5.2", b"0\r\n a: b\r\n\r\n", "body= ObsoleteFold in trailers at 3"),
        ("§5.2", b"0\r\na: b\r\n c\r\n\r\n", "body= ObsoleteFold in trailers at 9"),
        ("§2.2", b"0\r\n\n", "body= BareLf in trailers at 3"),
        ("§2.2", b"0\r\na: b\n\r\n", "body= BareLf in trailers at 7"),
        ("§2.2", b"0\r\na: b\r\n\n", "body= BareLf in trailers at 9"),
        ("§2.2", b"0\r\n\rGET / HTTP/1.1", "body= BareCr in trailers at 3"),
        ("RFC 9110 §5.5", b"0\r\na: \0\r\n\r\n", "body= NulByte in trailers at 6"),
    ]);
}

#[test]
fn lengths_and_the_close() {
    assert_eq!(body(Framing::None, b"hello"), "rest=hello");
    assert_eq!(body(Framing::Length(0), b"hello"), "rest=hello");
    assert_eq!(body(Framing::Length(2), b"hello"), "body=he rest=llo");
    assert_eq!(body(Framing::Length(9), b""), "body= Truncated { received: 0, expected: Some(9) } in body at 0");
    assert_eq!(
        body(Framing::Length(u64::MAX), b"hello"),
        "body=hello Truncated { received: 5, expected: Some(18446744073709551615) } in body at 5"
    );
    assert_eq!(body(Framing::Close, b"hello"), "body=hello");
    assert_eq!(body(Framing::Close, b""), "body=");
}

#[test]
fn progress_is_told() {
    let mut decoder = BodyDecoder::new(Framing::Length(5), &Limits::default());
    let mut buf = BytesMut::from(&b"hel"[..]);
    assert_eq!((decoder.received(), decoder.remaining_hint(), decoder.is_done()), (0, Some(5), false));
    assert_eq!(decoder.decode(&mut buf), Ok(Decoded::Data(Bytes::from_static(b"hel"))));
    assert_eq!(decoder.decode(&mut buf), Ok(Decoded::NeedMore));
    assert_eq!((decoder.received(), decoder.remaining_hint(), decoder.is_done()), (3, Some(2), false));
    buf.extend_from_slice(b"lo, next");
    assert_eq!(decoder.decode(&mut buf), Ok(Decoded::Data(Bytes::from_static(b"lo"))));
    assert_eq!((decoder.received(), decoder.remaining_hint(), decoder.is_done()), (5, Some(0), true));
    assert_eq!(decoder.decode(&mut buf), Ok(Decoded::End));
    assert_eq!(decoder.decode(&mut buf), Ok(Decoded::End));
    assert_eq!(decoder.eof(), Ok(()));
    assert_eq!(buf, &b", next"[..]);
}

#[test]
fn data_is_not_copied() {
    let mut decoder = BodyDecoder::new(Framing::Chunked, &Limits::default());
    let mut buf = BytesMut::from(&b"5\r\nhello\r\n0\r\n\r\n"[..]);
    let place = buf[3..].as_ptr();
    match decoder.decode(&mut buf) {
        Ok(Decoded::Data(data)) => assert_eq!((data.as_ptr(), data.len()), (place, 5)),
        other => panic!("{other:?}"),
    }
}
