//! Requests: RFC 9112 §2, §3, §5, §9 and the parts of RFC 9110 that a head depends on.

use rayline_http1::{Limits, Parsed, RequestHead, RequestParser, TargetForm, Version};

use crate::drive::check_requests;

#[test]
fn message_parsing() {
    check_requests(&[
        ("§2.1", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / host=a"),
        ("§2.2 empty lines before the request line", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / host=a"),
        ("§2.2 but not without end", b"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", "NotHttp in request head at 0"),
        (
            "§2.2 before each of many",
            b"\r\n\r\nGET /1 HTTP/1.0\r\n\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\n\r\nGET /3 HTTP/1.0\r\n\r\n",
            "GET /1 host=- close | GET /2 host=- close | GET /3 host=- close",
        ),
        ("§2.2 nothing but empty lines", b"\r\n\r\n", ""),
        ("§2.2 half an empty line", b"\r\n\r", ""),
        ("§2.2 bare LF before the request line", b"\nGET / HTTP/1.1\r\n", "BareLf in request head at 0"),
        ("§2.2 bare CR before the request line", b"\rGET / HTTP/1.1\r\n", "BareCr in request head at 0"),
        ("§2.2 bare LF ends the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", "BareLf in request head at 14"),
        ("§2.2 bare LF ends a field line", b"GET / HTTP/1.1\r\nHost: a\nb: c\r\n\r\n", "BareLf in request head at 23"),
        ("§2.2 bare LF ends the last line", b"GET / HTTP/1.1\r\nHost: a\n\r\n", "BareLf in request head at 23"),
        ("§2.2 bare LF ends the head", b"GET / HTTP/1.1\r\nHost: a\r\n\n", "BareLf in request head at 25"),
        ("§2.2 bare CR in the target", b"GET /\rb HTTP/1.1\r\n", "BareCr in request head at 5"),
        ("§2.2 bare CR ends the request line", b"GET / HTTP/1.1\rHost: a\r\n\r\n", "BareCr in request head at 14"),
        ("§2.2 bare CR in a value", b"GET / HTTP/1.1\r\nHost: a\rb: c\r\n\r\n", "BareCr in request head at 23"),
        ("§2.2 bare CR in a name", b"GET / HTTP/1.1\r\nHo\rst: a\r\n\r\n", "BareCr in request head at 18"),
        ("§2.2 CR CR LF", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "BareCr in request head at 23"),
        ("§2.2 CR in place of the end", b"GET / HTTP/1.1\r\nHost: a\r\n\rx", "BareCr in request head at 25"),
        (
            "§2.2 space before the fields",
            b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "SpaceBeforeHeaders in request head at 16",
        ),
        (
            "§2.2 tab before the fields",
            b"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n",
            "SpaceBeforeHeaders in request head at 16",
        ),
        ("§2.2 a record of TLS", b"\x16\x03\x01\x02\x00\x01", "NotHttp in request head at 0"),
        ("§2.2 binary data", b"\x00\x00\x00\x04", "NotHttp in request head at 0"),
        ("§2.2 binary data after a letter", b"G\x80", "NotHttp in request head at 1"),
        ("§2.2 another protocol's object", b"{\"id\":1}", "NotHttp in request head at 0"),
        ("§2.2 a lone word", b"hello\r\n", "NotHttp in request head at 5"),
        ("§8 half a request line", b"GET / HT", "HalfHead { received: 8 } in request head at 8"),
        ("§8 half a field line", b"GET / HTTP/1.1\r\nHos", "HalfHead { received: 19 } in request head at 19"),
        ("§8 nothing at all", b"", ""),
    ]);
}

#[test]
fn version() {
    check_requests(&[
        ("§2.3", b"GET / HTTP/1.0\r\n\r\n", "GET / host=- close"),
        ("§2.3 of HTTP/0.9", b"GET /\r\n", "Http09 in request head at 5"),
        ("§2.3 empty", b"GET / \r\n", "BadVersion in request head at 6"),
        ("§2.3 lower case", b"GET / http/1.1\r\n", "BadVersion in request head at 6"),
        ("§2.3 another protocol", b"GET / HTTPS/1.1\r\n", "BadVersion in request head at 10"),
        ("§2.3 two digits", b"GET / HTTP/1.10\r\n", "BadVersion in request head at 14"),
        ("§2.3 two digits", b"GET / HTTP/11.1\r\n", "BadVersion in request head at 12"),
        ("§2.3 no minor", b"GET / HTTP/1\r\n", "BadVersion in request head at 12"),
        ("§2.3 comma", b"GET / HTTP/1,1\r\n", "BadVersion in request head at 12"),
        ("§2.3 a letter", b"GET / HTTP/1.x\r\n", "BadVersion in request head at 13"),
        ("§2.3 trailing space", b"GET / HTTP/1.1 \r\n", "BadVersion in request head at 14"),
        ("RFC 9110 §2.5", b"GET / HTTP/1.2\r\n", "UnsupportedVersion { major: 1, minor: 2 } in request head at 13"),
        ("RFC 9110 §2.5", b"GET / HTTP/0.9\r\n", "UnsupportedVersion { major: 0, minor: 9 } in request head at 13"),
        ("RFC 9110 §2.5", b"GET / HTTP/9.9\r\n", "UnsupportedVersion { major: 9, minor: 9 } in request head at 13"),
        ("RFC 9110 §2.5", b"GET / HTTP/3\r\n", "UnsupportedVersion { major: 3, minor: 0 } in request head at 12"),
        (
            "RFC 9113 §3.4, the preface of HTTP/2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "UnsupportedVersion { major: 2, minor: 0 } in request head at 13",
        ),
    ]);
}

#[test]
fn method() {
    check_requests(&[
        ("§3.1 case matters", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / host=a"),
        (
            "§3.1 any token",
            b"M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
            "M-SEARCH!#$%&'*+.^_`|~9 / host=a",
        ),
        ("§3.1 none", b" / HTTP/1.1\r\n", "BadMethod in request head at 0"),
        ("§3.1 not a token", b"GE(T / HTTP/1.1\r\n", "BadMethod in request head at 2"),
        ("§3.1 a tab behind it", b"GET\t/ HTTP/1.1\r\n", "BadMethod in request head at 3"),
        ("§3.1 a colon in it", b"Host: a\r\n", "BadMethod in request head at 4"),
        (
            "§3 too long",
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n",
            "BadMethod in request head at 64",
        ),
    ]);
}

#[test]
fn target() {
    check_requests(&[
        (
            "§3.2.1",
            b"GET /a/../b;c?d=%zz&{|}^\"<>`\\ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a/../b;c?d=%zz&{|}^\"<>`\\ host=a",
        ),
        ("§3.2.2 the authority wins", b"GET http://b:81/c HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b:81/c host=b:81"),
        ("§3.2.2 without a path", b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b host=b"),
        ("§3.2.2 query only", b"GET HTTPS://b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTPS://b?c host=b"),
        ("§3.2.2 IPv6", b"GET http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://[::1]:80/ host=[::1]:80"),
        ("§3.2.2 and Host is still due", b"GET http://b/ HTTP/1.1\r\n\r\n", "MissingHost in request head at 26"),
        ("§3.2.2 and must be good", b"GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", "BadHost in request head at 30"),
        (
            "RFC 9110 §4.2.4 user information",
            b"GET http://u@b/ HTTP/1.1\r\nHost: b\r\n\r\n",
            "BadHost in request head at 4",
        ),
        ("RFC 9110 §4.2.1 no host", b"GET http:///c HTTP/1.1\r\nHost: a\r\n\r\n", "BadHost in request head at 4"),
        ("§3.2.2 no slashes", b"GET http:b HTTP/1.1\r\nHost: a\r\n\r\n", "BadTarget in request head at 4"),
        ("§3.2.3", b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", "CONNECT b:443 host=b:443"),
        ("§3.2.3 without a port", b"CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n", "BadTarget in request head at 8"),
        ("§3.2.3 with an empty port", b"CONNECT b: HTTP/1.1\r\nHost: b\r\n\r\n", "BadTarget in request head at 8"),
        ("§3.2.3 with a path", b"CONNECT / HTTP/1.1\r\nHost: b\r\n\r\n", "BadTarget in request head at 8"),
        ("§3.2.3 not of others", b"GET b:443 HTTP/1.1\r\nHost: b\r\n\r\n", "BadTarget in request head at 4"),
        ("§3.2.4", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * host=a"),
        ("§3.2.4 not of others", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "BadTarget in request head at 4"),
        ("§3.2.4 no more", b"OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", "BadTarget in request head at 8"),
        ("§3.2 no form", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "BadTarget in request head at 4"),
        ("§3.2 no form", b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", "BadTarget in request head at 4"),
        ("§3.2 empty", b"GET  HTTP/1.1\r\n", "BadTarget in request head at 4"),
        ("§3.2 left out", b"GET HTTP/1.1\r\nHost: a\r\n", "Http09 in request head at 12"),
        ("§3.2 two spaces behind it", b"GET /  HTTP/1.1\r\n", "BadVersion in request head at 6"),
        ("§3.2 a space in it", b"GET /a b HTTP/1.1\r\n", "BadVersion in request head at 7"),
        ("§3.2 a tab in it", b"GET /a\tb HTTP/1.1\r\n", "BadTarget in request head at 6"),
        ("§3.2 a fragment", b"GET /a#b HTTP/1.1\r\n", "BadTarget in request head at 6"),
        ("§3.2 a zero byte", b"GET /a\0 HTTP/1.1\r\n", "NulByte in request head at 6"),
        ("§3.2 not ASCII", b"GET /\xc3\xa9 HTTP/1.1\r\n", "BadTarget in request head at 5"),
        ("§3.2 not UTF-8 either", b"GET /\xff HTTP/1.1\r\n", "BadTarget in request head at 5"),
        ("§3.2 DEL", b"GET /\x7f HTTP/1.1\r\n", "BadTarget in request head at 5"),
    ]);
}

#[test]
fn host() {
    check_requests(&[
        ("§3.2 none", b"GET / HTTP/1.1\r\n\r\n", "MissingHost in request head at 18"),
        ("§3.2 two", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "MultipleHosts in request head at 25"),
        ("§3.2 two alike", b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "MultipleHosts in request head at 25"),
        (
            "§3.2 two in HTTP/1.0",
            b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
            "MultipleHosts in request head at 25",
        ),
        ("RFC 9110 §4.2.1 empty", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "BadHost in request head at 21"),
        ("RFC 9110 §7.2", b"GET / HTTP/1.1\r\nHost:\t a.b-c_d~1:8080 \r\n\r\n", "GET / host=a.b-c_d~1:8080"),
        ("RFC 9110 §7.2 escaped", b"GET / HTTP/1.1\r\nHost: %41\r\n\r\n", "GET / host=%41"),
        ("RFC 9110 §7.2 half escaped", b"GET / HTTP/1.1\r\nHost: %4\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 IPv6", b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:\r\n\r\n", "GET / host=[2001:db8::1]:"),
        ("RFC 9110 §7.2 not IPv6", b"GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 unclosed", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 behind it", b"GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 bare IPv6", b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 port only", b"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 port too large", b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 port too long", b"GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 signed port", b"GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 two", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "BadHost in request head at 22"),
        ("RFC 9110 §7.2 not ASCII", b"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", "BadHost in request head at 22"),
    ]);
}

#[test]
fn fields() {
    check_requests(&[
        (
            "§5.1 space before the colon",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "SpaceBeforeColon in request head at 20",
        ),
        ("§5.1 tab before the colon", b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "SpaceBeforeColon in request head at 20"),
        ("§5.1 no colon", b"GET / HTTP/1.1\r\nHost\r\n\r\n", "MissingColon in request head at 20"),
        ("§5.1 no colon but a space", b"GET / HTTP/1.1\r\nHost \r\n\r\n", "MissingColon in request head at 21"),
        ("§5.1 no name", b"GET / HTTP/1.1\r\n: a\r\n\r\n", "IllegalHeaderName in request head at 16"),
        ("§5.1 a space in the name", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n", "IllegalHeaderName in request head at 17"),
        (
            "§5.1 another request line",
            b"GET / HTTP/1.1\r\nGET /b HTTP/1.1\r\n",
            "IllegalHeaderName in request head at 19",
        ),
        ("RFC 9110 §5.1 not a token", b"GET / HTTP/1.1\r\nA[]: c\r\n\r\n", "IllegalHeaderName in request head at 17"),
        (
            "RFC 9110 §5.1 not ASCII",
            b"GET / HTTP/1.1\r\nA\xc3\xab: c\r\n\r\n",
            "IllegalHeaderName in request head at 17",
        ),
        ("RFC 9110 §5.1 zero byte", b"GET / HTTP/1.1\r\nA\0: c\r\n\r\n", "NulByte in request head at 17"),
        ("RFC 9110 §5.1 any token", b"GET / HTTP/1.1\r\nHost: a\r\nx_y!#$%&'*+.^`|~9: c\r\n\r\n", "GET / host=a"),
        ("RFC 9110 §5.5 empty", b"GET / HTTP/1.1\r\nHost: a\r\nb:\r\nc: \t \r\n\r\n", "GET / host=a"),
        ("RFC 9110 §5.5 obs-text", b"GET / HTTP/1.1\r\nHost: a\r\nb: \x80\xff\tc\r\n\r\n", "GET / host=a"),
        ("RFC 9110 §5.5 zero byte", b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", "NulByte in request head at 23"),
        ("RFC 9110 §5.5 VT", b"GET / HTTP/1.1\r\nHost: a\x0b\r\n\r\n", "IllegalHeaderValue in request head at 23"),
        ("RFC 9110 §5.5 DEL", b"GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", "IllegalHeaderValue in request head at 23"),
        ("§5.2 folded", b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "ObsoleteFold in request head at 25"),
        ("§5.2 folded by a tab", b"GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n", "ObsoleteFold in request head at 25"),
        ("§5.2 folded emptily", b"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", "ObsoleteFold in request head at 25"),
    ]);
}

#[test]
fn connection() {
    check_requests(&[
        ("§9.3", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "GET / host=a close"),
        ("§9.3", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nconnection: y,,close ,z\r\n\r\n", "GET / host=a close"),
        ("§9.3", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET / host=a"),
        ("§9.3", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / host=-"),
        ("§9.3", b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET / host=- close"),
        (
            "§9.3.2 in order",
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\
              \r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /1 host=a | POST /2 host=a length=2 body=hi | POST /3 host=a chunked body=ho | GET /4 host=a",
        ),
        ("RFC 9110 §10.1.1", b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", "PUT / host=a 100-continue"),
        ("RFC 9110 §10.1.1", b"PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "PUT / host=a close"),
        ("RFC 9110 §10.1.1", b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", "PUT / host=a"),
        (
            "RFC 9110 §7.8",
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: x, Upgrade\r\n\r\n",
            "GET / host=a upgrade=websocket",
        ),
        ("RFC 9110 §7.8 not named", b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "GET / host=a"),
        (
            "RFC 9110 §7.8 in HTTP/1.0",
            b"GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            "GET / host=- close",
        ),
    ]);
}

#[test]
fn bodies() {
    check_requests(&[
        ("§6.3 none", b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / host=a"),
        ("§6.2", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "POST / host=a length=5 body=hello"),
        ("§6.2 zero", b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:0\r\n\r\n", "POST / host=a length=0"),
        (
            "§6.2 cut",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
            "POST / host=a length=5 body=hell Truncated { received: 4, expected: Some(5) } in body at 4",
        ),
        (
            "§6.1 chunked",
            b"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tChUnKeD \r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n",
            "POST / host=a chunked body=a x:y",
        ),
        (
            "§6.1 registered but not spoken",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "UnsupportedTransferCoding in request head at 45",
        ),
        (
            "§6.3 to the close",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "BadTransferEncoding(NotChunked) in request head at 45",
        ),
        (
            "§6.3 to the close",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            "BadTransferEncoding(NotChunked) in request head at 45",
        ),
    ]);
}

fn parse(bytes: &[u8]) -> RequestHead {
    match RequestParser::new(Limits::default()).parse(&mut bytes.into()) {
        Ok(Parsed::Complete(head)) => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_head_gives_back_what_came() {
    let bytes = b"GET http://b/c?d HTTP/1.0\r\nHOST: a\r\nX-A:  1\t\r\nx-b:\r\nX-a: 2, THREE\r\n\r\n";
    let head = parse(bytes);
    assert_eq!(head.version, Version::Http10);
    assert_eq!(head.raw(), &bytes[..]);
    assert_eq!(head.form(), TargetForm::Absolute { scheme: "http", authority: "b", path: "/c?d" });
    let fields: Vec<_> = head.fields.iter().map(|(name, value)| (name, value.escape_ascii().to_string())).collect();
    let expected = [(&b"HOST"[..], "a"), (b"X-A", "1"), (b"x-b", ""), (b"X-a", "2, THREE")];
    assert!(fields.iter().map(|(name, value)| (*name, value.as_str())).eq(expected), "{fields:?}");
    assert_eq!(head.fields.get("x-a"), Some(&b"1"[..]));
    assert_eq!(head.fields.get("X-B"), Some(&b""[..]));
    assert_eq!(head.fields.get("x-c"), None);
    assert!(head.fields.all("x-a").eq([&b"1"[..], b"2, THREE"]));
    assert_eq!((head.fields.count("x-a"), head.fields.len(), head.fields.is_empty()), (2, 4, false));
    assert!(head.fields.list_contains("x-a", "1") && head.fields.list_contains("x-a", "three"));
    assert!(!head.fields.list_contains("x-a", "2, three") && !head.fields.contains("x"));
    assert_eq!(format!("{:?}", head.fields), r#"{"HOST": "a", "X-A": "1", "x-b": "", "X-a": "2, THREE"}"#);
}

#[test]
fn forms_of_a_target() {
    let form = |head: &[u8]| format!("{:?}", parse(head).form());
    assert_eq!(form(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), "Origin");
    assert_eq!(form(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "Asterisk");
    assert_eq!(form(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), "Authority");
    assert_eq!(
        form(b"OPTIONS Ht+p://a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        r#"Absolute { scheme: "Ht+p", authority: "a:1", path: "" }"#
    );
    assert_eq!(
        form(b"GET http://[::1]?b HTTP/1.1\r\nHost: a\r\n\r\n"),
        r#"Absolute { scheme: "http", authority: "[::1]", path: "?b" }"#
    );
}
