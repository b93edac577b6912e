//! Sections 8.3 to 8.5: the pseudo-header fields of a request, pushes and CONNECT.

use rayline_testkit::http2::Frame;

use super::{Expected, HOST, PROTOCOL, Row, frame, headers, post, request, request_with, row};

pub(super) fn rows() -> Vec<Row> {
    let mut all = pseudo();
    all.extend(missing_and_twice());
    all.extend(values());
    all.extend(connect_and_push());
    all
}

/// A row with a request that is malformed by these fields.
fn malformed(section: &'static str, what: &'static str, fields: &[(&str, &str)]) -> Row {
    row(section, what, [headers(1, fields.iter().copied(), true)], Expected::StreamError(1, PROTOCOL))
}

/// The same where a 400 is as good.
fn refused(section: &'static str, what: &'static str, fields: &[(&str, &str)]) -> Row {
    row(section, what, [headers(1, fields.iter().copied(), true)], Expected::Refused(1))
}

/// The fields of a GET without those of that name.
fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    request("GET").into_iter().filter(|(field, _)| *field != name).collect()
}

/// The fields of a GET with another value for that one.
fn with<'a>(name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    request("GET").into_iter().map(|(field, old)| if field == name { (field, value) } else { (field, old) }).collect()
}

fn pseudo() -> Vec<Row> {
    let behind: Vec<_> = [("x-first", "1")].into_iter().chain(request("GET")).collect();
    let between = [(":method", "GET"), (":scheme", "https"), ("x-between", "1"), (":path", "/"), (":authority", HOST)];
    vec![
        malformed("8.3", "a pseudo-header field that nobody knows", &request_with("GET", &[(":test", "ok")])),
        malformed("8.3", "the pseudo-header field of a response", &request_with("GET", &[(":status", "200")])),
        malformed("8.3", "all pseudo-header fields behind another field", &behind),
        malformed("8.3", "a pseudo-header field behind another field", &between),
        malformed("8.3", "a pseudo-header field in capital letters", &request_with("GET", &[(":Method", "GET")])),
        malformed("8.3", "`:protocol` without CONNECT", &request_with("GET", &[(":protocol", "websocket")])),
    ]
}

fn missing_and_twice() -> Vec<Row> {
    vec![
        malformed("8.3.1", "no `:method`", &without(":method")),
        malformed("8.3.1", "no `:scheme`", &without(":scheme")),
        malformed("8.3.1", "no `:path`", &without(":path")),
        malformed("8.3.1", "no fields at all", &[]),
        malformed("8.3.1", "`:method` twice", &request_with("GET", &[(":method", "GET")])),
        malformed("8.3.1", "`:scheme` twice", &request_with("GET", &[(":scheme", "https")])),
        malformed("8.3.1", "`:path` twice", &request_with("GET", &[(":path", "/")])),
        malformed("8.3.1", "`:authority` twice", &request_with("GET", &[(":authority", HOST)])),
        row(
            "8.3.1",
            "`host` instead of `:authority`",
            [headers(1, without(":authority").into_iter().chain([("host", HOST)]), true)],
            Expected::Answer(1, &[200]),
        ),
        row(
            "8.3.1",
            "`host` that says the same as `:authority`",
            [headers(1, request_with("GET", &[("host", HOST)]), true)],
            Expected::Answer(1, &[200]),
        ),
    ]
}

fn values() -> Vec<Row> {
    vec![
        malformed("8.3.1", "an empty `:path`", &with(":path", "")),
        malformed("8.3.1", "a `:path` that begins with no slash", &with(":path", "nowhere")),
        malformed("8.3.1", "a `:path` with a space", &with(":path", "/a b")),
        malformed("8.3.1", "a `:path` with a line end", &with(":path", "/\r\nX-Smuggled: 1")),
        malformed("8.3.1", "an empty `:method`", &with(":method", "")),
        malformed("8.3.1", "a `:method` with a space", &with(":method", "GET /")),
        refused("8.3.1", "an `:authority` with user information", &with(":authority", "user@shop.test")),
        malformed("8.3.1", "an `:authority` with a line end", &with(":authority", "shop.test\r\nX-Smuggled: 1")),
        refused("8.3.1", "`host` that contradicts `:authority`", &request_with("GET", &[("host", "other.test")])),
        refused("8.3.1", "`*` for another method than OPTIONS", &with(":path", "*")),
    ]
}

fn connect_and_push() -> Vec<Row> {
    vec![
        row(
            "8.4",
            "a visitor cannot push",
            [post(1), frame(Frame::push_promise(1, 2, request("GET")))],
            Expected::ConnectionError(PROTOCOL),
        ),
        malformed("8.5", "CONNECT with `:scheme` and `:path`", &request("CONNECT")),
        refused("8.5", "CONNECT without `:authority`", &[(":method", "CONNECT")]),
    ]
}
