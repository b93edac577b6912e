//! The head of a request over HTTP/2, made into one of HTTP/1.1 and read by the same codec.
//!
//! So there is one grammar for both, the stricter one, and one list of reasons to refuse: nothing can be smuggled to an
//! origin by way of the other version (RFC 9113 §10.3), for what goes on was read as what the origin will read.

use bytes::{BufMut, BytesMut};
use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, SEC_WEBSOCKET_KEY};
use http::request::Parts;
use rayline_dial::http1::request_fault;
use rayline_http1::{IllegalField, Parsed, RequestHead, RequestParser, encode};
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;
use rayline_verdict::{Fault, Snippet};

use crate::tunnel::{self, WEBSOCKET};

/// Reads the head of a request. `ended`: nothing follows it. The buffer is empty before and after.
///
/// # Errors
/// Whatever the codec refuses of HTTP/1.1, under the same causes.
pub(super) fn read(
    parser: &mut RequestParser,
    buffer: &mut BytesMut,
    parts: &Parts,
    ended: bool,
) -> Result<RequestHead, Fault> {
    buffer.clear();
    write(buffer, parts, ended)?;
    let parsed = parser.parse(buffer).map_err(|refusal| request_fault(&refusal))?;
    match parsed {
        Parsed::Complete(head) => Ok(head),
        // It ends in an empty line.
        Parsed::Partial => Err(malformed("the head has no end", "RFC 9113 §8.3.1", b"")),
    }
}

fn malformed(rule: &str, clause: &'static str, bytes: &[u8]) -> Fault {
    let violation = Fact::Violation { rule: rule.to_owned(), clause, offset: 0, bytes: Snippet::first(bytes) };
    Fault::new(RequestCause::Malformed).with(violation)
}

fn illegal(field: IllegalField, bytes: &[u8]) -> Fault {
    malformed(&field.to_string(), "RFC 9113 §8.3.1", bytes)
}

fn write(out: &mut BytesMut, parts: &Parts, ended: bool) -> Result<(), Fault> {
    let method = parts.method.as_str();
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let is_connect = parts.method == http::Method::CONNECT;
    let is_websocket = parts.extensions.get::<Protocol>().is_some_and(|protocol| protocol.as_str() == WEBSOCKET);
    if is_websocket && (ended || parts.headers.contains_key(CONTENT_LENGTH)) {
        return Err(malformed("an extended CONNECT opens a tunnel, and has no content", "RFC 8441 §4", b""));
    }
    let is_connect = is_connect && !is_websocket;
    let target = if is_connect { authority } else { parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str) };
    let target = target.unwrap_or_default();
    if !is_connect && !target.starts_with('/') && target != "*" {
        return Err(malformed("`:path` does not begin with `/`", "RFC 9113 §8.3.1", target.as_bytes()));
    }
    // A WebSocket is asked for by CONNECT over HTTP/2, and by GET over HTTP/1.1 (RFC 8441 §5).
    let method = if is_websocket { "GET" } else { method };
    encode::request_line(out, method, target).map_err(|field| illegal(field, target.as_bytes()))?;
    let mut field = |name: &str, value: &[u8]| encode::field(out, name, value).map_err(|field| illegal(field, value));
    if let Some(authority) = authority {
        field("host", authority.as_bytes())?;
    }
    for host in parts.headers.get_all(HOST) {
        // The same word twice is one. Another is a second host, which the codec refuses (RFC 9113 §8.3.1).
        if authority.is_none_or(|authority| !authority.as_bytes().eq_ignore_ascii_case(host.as_bytes())) {
            field("host", host.as_bytes())?;
        }
    }
    for (name, value) in &parts.headers {
        // The key is the edge's own, where there is one (RFC 8441 §5).
        if name != HOST && name != COOKIE && !(is_websocket && name == SEC_WEBSOCKET_KEY) {
            field(name.as_str(), value.as_bytes())?;
        }
    }
    if is_websocket {
        field("upgrade", WEBSOCKET.as_bytes())?;
        field("connection", b"upgrade")?;
        field("sec-websocket-key", tunnel::key().as_bytes())?;
    } else if !ended && !parts.headers.contains_key(CONTENT_LENGTH) {
        field("transfer-encoding", b"chunked")?;
    }
    cookie(out, parts)?;
    encode::end(out);
    Ok(())
}

/// A client may send its cookies one by one, to compress them better (RFC 9113 §8.2.3).
fn cookie(out: &mut BytesMut, parts: &Parts) -> Result<(), Fault> {
    let mut crumbs = parts.headers.get_all(COOKIE).iter();
    let Some(first) = crumbs.next() else { return Ok(()) };
    let mut whole = BytesMut::from(first.as_bytes());
    for crumb in crumbs {
        whole.put_slice(b"; ");
        whole.put_slice(crumb.as_bytes());
    }
    encode::field(out, "cookie", &whole).map_err(|field| illegal(field, b""))
}
