//! Section 8.2: names and values of fields, and those that HTTP/2 does not have.

use super::{Expected, PROTOCOL, Row, headers, request_with, row};

pub(super) fn rows() -> Vec<Row> {
    let mut all = names_and_values();
    all.extend(of_the_connection());
    all.extend(cookies());
    all
}

/// A row with a GET that this field makes malformed.
fn malformed(section: &'static str, what: &'static str, name: &str, value: &str) -> Row {
    let fields = [(name, value)];
    row(section, what, [headers(1, request_with("GET", &fields), true)], Expected::StreamError(1, PROTOCOL))
}

fn names_and_values() -> Vec<Row> {
    vec![
        malformed("8.2", "a name with capital letters", "X-TEST", "ok"),
        malformed("8.2.1", "a name with one capital letter at its end", "x-tesT", "ok"),
        malformed("8.2.1", "a name with a space", "x test", "ok"),
        malformed("8.2.1", "a name with a colon", "x:test", "ok"),
        malformed("8.2.1", "a name with a line end", "x-test\r\n", "ok"),
        malformed("8.2.1", "a name with a NUL", "x-\0test", "ok"),
        malformed("8.2.1", "a name with a DEL", "x-\x7ftest", "ok"),
        malformed("8.2.1", "an empty name", "", "ok"),
        malformed("8.2.1", "a value with a NUL", "x-test", "o\0k"),
        malformed("8.2.1", "a value with a line feed", "x-test", "o\nk"),
        malformed("8.2.1", "a value with a carriage return", "x-test", "o\rk"),
        malformed("8.2.1", "a value that would be a second request", "x-test", "ok\r\n\r\nGET /smuggled HTTP/1.1"),
        row(
            "8.2.1",
            "a value may be empty",
            [headers(1, request_with("GET", &[("x-test", "")]), true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "8.2.1",
            "a value may have bytes over 127",
            [headers(1, request_with("GET", &[("x-test", "caf\u{e9}")]), true)],
            Expected::Answer(1, &[200]),
        ),
    ]
}

fn of_the_connection() -> Vec<Row> {
    vec![
        malformed("8.2.2", "`connection`", "connection", "keep-alive"),
        malformed("8.2.2", "`keep-alive`", "keep-alive", "timeout=5"),
        malformed("8.2.2", "`proxy-connection`", "proxy-connection", "keep-alive"),
        malformed("8.2.2", "`transfer-encoding`", "transfer-encoding", "chunked"),
        malformed("8.2.2", "`upgrade`", "upgrade", "websocket"),
        malformed("8.2.2", "`te` with anything but `trailers`", "te", "trailers, deflate"),
        row(
            "8.2.2",
            "`te: trailers` is allowed",
            [headers(1, request_with("GET", &[("te", "trailers")]), true)],
            Expected::Answer(1, &[200]),
        ),
    ]
}

fn cookies() -> Vec<Row> {
    let crumbs = request_with("GET", &[("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f")]);
    vec![row(
        "8.2.3",
        "a cookie in pieces is one field with `; ` between",
        [headers(1, crumbs, true)],
        Expected::Shown(1, "a=b; c=d; e=f"),
    )]
}
