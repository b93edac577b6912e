//! Responses: RFC 9112 §4 and §6.3, and what origins send in place of HTTP.

use rayline_http1::RequestKind;

use crate::drive::{check_responses, responses_to};

#[test]
fn status_line() {
    check_responses(&[
        ("§4", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' length=0"),
        ("§4 no reason", b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 '' length=0"),
        ("§4 not even the space", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 '' length=0"),
        ("§4 no fields", b"HTTP/1.1 404 Not Found\r\n\r\n", "404 'Not Found' to-close close body="),
        ("§4 any text", b"HTTP/1.1 200  \t\x80 x\r\n\r\n", "200 ' \\t\\x80 x' to-close close body="),
        ("§4 a control character", b"HTTP/1.1 200 O\x01K\r\n\r\n", "IllegalHeaderValue in response head at 14"),
        ("§4 a zero byte", b"HTTP/1.1 200 O\0K\r\n\r\n", "NulByte in response head at 14"),
        ("§2.2 bare CR", b"HTTP/1.1 200 O\rK\r\n\r\n", "BareCr in response head at 14"),
        ("§2.2 bare LF", b"HTTP/1.1 200 OK\n\n", "BareLf in response head at 15"),
        ("§2.2 bare LF without a reason", b"HTTP/1.1 200\n\n", "BareLf in response head at 12"),
        ("§4 no status", b"HTTP/1.1\r\n\r\n", "BadStatus in response head at 8"),
        ("§4 no status", b"HTTP/1.1 \r\n\r\n", "BadStatus in response head at 9"),
        ("§4 two spaces", b"HTTP/1.1  200 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("§4 two digits", b"HTTP/1.1 20 OK\r\n\r\n", "BadStatus in response head at 11"),
        ("§4 four digits", b"HTTP/1.1 2000 OK\r\n\r\n", "BadStatus in response head at 12"),
        ("§4 signed", b"HTTP/1.1 -20 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("§4 letters", b"HTTP/1.1 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("RFC 9110 §15", b"HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n", "599 '' length=0"),
        ("RFC 9110 §15", b"HTTP/1.1 600 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("RFC 9110 §15", b"HTTP/1.1 999 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("RFC 9110 §15", b"HTTP/1.1 099 OK\r\n\r\n", "BadStatus in response head at 9"),
        ("RFC 9110 §15", b"HTTP/1.1 000 OK\r\n\r\n", "BadStatus in response head at 9"),
    ]);
}

#[test]
fn not_a_response() {
    check_responses(&[
        ("§2.3 HTTP/0.9", b"<html>hello</html>", "Http09 in response head at 0"),
        ("§2.3 HTTP/0.9", b"hello", "Http09 in response head at 0"),
        ("§2.3 almost", b"HTTX/1.1 200 OK\r\n", "Http09 in response head at 3"),
        ("§2.3 lower case", b"http/1.1 200 OK\r\n", "Http09 in response head at 0"),
        ("§2.2 an alert of TLS", b"\x15\x03\x01\x00\x02\x02\x46", "NotHttp in response head at 0"),
        ("§2.2 a frame of HTTP/2", b"\x00\x00\x12\x04\x00", "NotHttp in response head at 0"),
        ("§2.2 binary after a while", b"HTT\xff", "NotHttp in response head at 3"),
        ("§2.2 empty lines are for servers to skip", b"\r\nHTTP/1.1 200 OK\r\n", "NotHttp in response head at 0"),
        ("§2.2 empty lines are for servers to skip", b"\nHTTP/1.1 200 OK\r\n", "NotHttp in response head at 0"),
        ("§2.3", b"HTTP/one 200 OK\r\n", "BadVersion in response head at 5"),
        ("§2.3", b"HTTP/1.1\t200 OK\r\n", "BadVersion in response head at 8"),
        ("RFC 9110 §2.5", b"HTTP/2.0 200\r\n", "UnsupportedVersion { major: 2, minor: 0 } in response head at 7"),
        ("RFC 9110 §2.5", b"HTTP/2 200\r\n", "UnsupportedVersion { major: 2, minor: 0 } in response head at 6"),
        ("§8 nothing", b"", "Empty in response head at 0"),
        ("§8 half", b"HT", "HalfHead { received: 2 } in response head at 2"),
        ("§8 half", b"HTTP/1.1 200 OK\r\nServer: x\r\n", "HalfHead { received: 28 } in response head at 28"),
    ]);
}

#[test]
fn fields() {
    check_responses(&[
        ("§5.1", b"HTTP/1.1 200 OK\r\nServer : x\r\n\r\n", "SpaceBeforeColon in response head at 23"),
        ("§5.1", b"HTTP/1.1 200 OK\r\nServer\r\n\r\n", "MissingColon in response head at 23"),
        ("§5.1", b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "IllegalHeaderName in response head at 20"),
        ("§5.2", b"HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", "ObsoleteFold in response head at 23"),
        ("§2.2", b"HTTP/1.1 200 OK\r\n a: b\r\n\r\n", "SpaceBeforeHeaders in response head at 17"),
        ("RFC 9110 §5.5", b"HTTP/1.1 200 OK\r\na: \x01\r\n\r\n", "IllegalHeaderValue in response head at 20"),
        ("RFC 9110 §5.5", b"HTTP/1.1 200 OK\r\na: \xe9\r\nContent-Length: 0\r\n\r\n", "200 'OK' length=0"),
        ("§2.2", b"HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", "BareLf in response head at 21"),
    ]);
}

#[test]
fn bodies() {
    check_responses(&[
        (
            "§6.3 rule 6",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP",
            "200 'OK' length=5 body=hello rest=HTTP",
        ),
        (
            "§6.3 rule 4",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\nrest",
            "200 'OK' chunked body=hello a:b rest=rest",
        ),
        ("§6.3 rule 8", b"HTTP/1.1 200 OK\r\n\r\nhello", "200 'OK' to-close close body=hello"),
        (
            "§8",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "200 'OK' length=5 body=hell Truncated { received: 4, expected: Some(5) } in body at 4",
        ),
        (
            "§8",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
            "200 'OK' chunked body=hell Truncated { received: 4, expected: None } in body at 7",
        ),
        (
            "§8 all data but no end",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "200 'OK' chunked body=hello Truncated { received: 5, expected: None } in body at 10",
        ),
        ("§6.3 rule 1", b"HTTP/1.1 204 No Content\r\n\r\nx", "204 'No Content' rest=x"),
        ("§6.3 rule 1", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 'No Content' ignored"),
        ("§6.3 rule 1", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "204 'No Content' ignored"),
        ("§6.3 rule 1", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 'Not Modified'"),
        (
            "§6.1 a coding that TE did not offer",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "UnsupportedTransferCoding in response head at 36",
        ),
        (
            "§6.1 a coding that TE did not offer",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "UnsupportedTransferCoding in response head at 36",
        ),
    ]);
}

#[test]
fn informational() {
    check_responses(&[
        (
            "RFC 9110 §15.2",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "100 'Continue' | 103 '' | 200 'OK' length=0",
        ),
        ("RFC 9110 §15.2 and then nothing", b"HTTP/1.1 100 Continue\r\n\r\n", "100 'Continue' | Empty in response head at 0"),
        (
            "§6.3 rule 1",
            b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 \r\n\r\n",
            "100 'Continue' ignored | 204 ''",
        ),
        (
            "RFC 9110 §15.2.2",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00",
            "101 'Switching Protocols' upgrade=websocket rest=\\x81\\x00",
        ),
    ]);
}

#[test]
fn connection() {
    check_responses(&[
        ("§9.3", b"HTTP/1.1 204 \r\nConnection: close\r\n\r\n", "204 '' close"),
        ("§9.3", b"HTTP/1.0 204 \r\n\r\n", "204 '' close"),
        ("§9.3", b"HTTP/1.0 204 \r\nConnection: keep-alive\r\n\r\n", "204 ''"),
        ("§9.3", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", "200 'OK' to-close close body="),
    ]);
}

#[test]
fn the_request_decides_too() {
    let with_length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(responses_to(RequestKind::Head, with_length), "200 'OK'");
    assert_eq!(responses_to(RequestKind::Head, chunked), "200 'OK'");
    assert_eq!(responses_to(RequestKind::Connect, with_length), "200 'OK' ignored");
    assert_eq!(responses_to(RequestKind::Connect, b"HTTP/1.1 200 OK\r\n\r\nraw"), "200 'OK' rest=raw");
    let refused = b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno";
    assert_eq!(responses_to(RequestKind::Connect, refused), "407 'No' length=2 body=no");
    assert_eq!(RequestKind::of("HEAD"), RequestKind::Head);
    assert_eq!(RequestKind::of("CONNECT"), RequestKind::Connect);
    assert_eq!(RequestKind::of("head"), RequestKind::Other);
}
