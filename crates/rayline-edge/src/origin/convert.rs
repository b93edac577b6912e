//! Between HTTP/1.1, in which the phases think, and HTTP/2 (RFC 9113 §8): one head and its trailers, in both directions.
//!
//! A request is converted from the very bytes that would go out over HTTP/1.1, so that what an edge adds and leaves out is
//! decided in one place. A response becomes the bytes that HTTP/1.1 would have brought, and goes through the same codec,
//! with its limits and refusals.

use std::fmt::Display;

use bytes::{BufMut, Bytes, BytesMut};
use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use rayline_dial::http1::response_fault;
use rayline_http1::{BodyDecoder, Decoded, Fields, Framing, Limits, RequestKind, ResponseHead, encode};
use rayline_verdict::Fault;
use rayline_verdict::fault::ReceiveCause;
use rayline_verdict::snippet::{Snippet, is_secret};

use crate::hop::Known;
use crate::tunnel::{Upgrade, WEBSOCKET};

/// Makes a request of the bytes of its HTTP/1.1 head, and says what upgrade it asks for: by extended CONNECT, with no key
/// (RFC 8441 §5).
///
/// # Errors
/// Why HTTP/2 cannot express it, or the library not.
pub(super) fn request(head: Bytes, scheme: Scheme) -> Result<(Request<()>, Option<Upgrade>), String> {
    let mut lines = Lines(head);
    let line = lines.next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut method = Method::from_bytes(method).map_err(told("the method"))?;
    let path = PathAndQuery::from_maybe_shared(path(line.slice_ref(target))).map_err(told("the path"))?;
    let (mut authority, mut upgrades) = (None, false);
    let mut fields = HeaderMap::with_capacity(32);
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 2..).unwrap_or_default());
        match Known::of(name) {
            // The library takes `:authority` from the URI.
            Some(Known::Host) => {
                authority = Some(Authority::from_maybe_shared(line.slice_ref(value)).map_err(told("the host"))?);
                continue;
            }
            Some(Known::Hop) if !name.eq_ignore_ascii_case(b"te") => {
                // The edge writes it for WebSockets alone.
                upgrades |= name.eq_ignore_ascii_case(b"upgrade");
                continue;
            }
            _ => {}
        }
        let name = HeaderName::from_bytes(name).map_err(told("a field's name"))?;
        let mut value = HeaderValue::from_maybe_shared(line.slice_ref(value)).map_err(told("a field's value"))?;
        // Never put into the table by which a connection compresses: visitors share it, and from the length of what one of
        // them sends, another who can watch the wire could guess what stands there (RFC 7541 §7.1).
        value.set_sensitive(is_secret(name.as_str()));
        fields.try_append(name, value).map_err(told("the number of fields"))?;
    }
    let mut request = Request::new(());
    let key = if upgrades { fields.remove(SEC_WEBSOCKET_KEY) } else { None };
    let upgrade = key.and_then(|key| Upgrade::of(key.as_bytes()));
    if upgrade.is_some() {
        fields.remove(SEC_WEBSOCKET_ACCEPT);
        method = Method::CONNECT;
        request.extensions_mut().insert(Protocol::from_static(WEBSOCKET));
    }
    let mut uri = http::uri::Parts::default();
    (uri.scheme, uri.authority, uri.path_and_query) = (Some(scheme), authority, Some(path));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_parts(uri).map_err(told("the target"))?;
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = fields;
    Ok((request, upgrade))
}

fn told<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what} cannot be sent over HTTP/2: {error}")
}

/// A path without the bytes that no URI has (RFC 3986 §2), and the library refuses: some browsers send them as they are.
fn path(target: Bytes) -> Bytes {
    let foreign = |byte: &u8| matches!(byte, b'<' | b'>' | b'"' | b'`');
    if !target.iter().any(foreign) {
        return target;
    }
    let mut escaped = Vec::with_capacity(target.len() + 16);
    for byte in &target {
        if foreign(byte) {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped.into()
}

/// The lines of a head that the edge wrote, to the empty one.
struct Lines(Bytes);

impl Iterator for Lines {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let end = self.0.windows(2).position(|pair| pair == b"\r\n").filter(|end| *end > 0)?;
        let line = self.0.split_to(end);
        let _ = self.0.split_to(2);
        Some(line)
    }
}

/// Writes a response's head as HTTP/1.1 would have brought it. `ended`: there is no body.
pub(super) fn response(out: &mut BytesMut, status: StatusCode, fields: &HeaderMap, kind: RequestKind, ended: bool) {
    // The library takes statuses up to 999, and the codec refuses those it does not know.
    if encode::status_line(out, status.as_u16(), None).is_err() {
        out.put_slice(b"HTTP/1.1 ");
        out.put_slice(status.as_str().as_bytes());
        out.put_slice(b" \r\n");
    }
    put(out, fields);
    let bare = kind == RequestKind::Head || status.is_informational() || matches!(status.as_u16(), 204 | 304);
    if !bare && !fields.contains_key(CONTENT_LENGTH) {
        out.put_slice(if ended { b"content-length: 0\r\n" } else { b"transfer-encoding: chunked\r\n" });
    }
    encode::end(out);
}

/// Writes the head of a response that made the stream a tunnel, as HTTP/1.1 would have brought it.
pub(super) fn switched(out: &mut BytesMut, mut fields: HeaderMap, upgrade: &Upgrade) {
    // What neither side has a use for in such a response (RFC 8441 §5, RFC 9110 §9.3.6).
    for unused in [SEC_WEBSOCKET_ACCEPT, CONTENT_LENGTH] {
        fields.remove(unused);
    }
    out.put_slice(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ");
    out.put_slice(WEBSOCKET.as_bytes());
    out.put_slice(b"\r\nsec-websocket-accept: ");
    out.put_slice(upgrade.accept());
    out.put_slice(b"\r\n");
    put(out, &fields);
    encode::end(out);
}

/// The bytes are copied as they are: the codec reads them next, and refuses what it would of HTTP/1.1.
fn put(out: &mut BytesMut, fields: &HeaderMap) {
    out.reserve(fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum());
    for (name, value) in fields {
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
        out.put_slice(b"\r\n");
    }
}

/// The trailers of a response.
///
/// # Errors
/// Those that no trailer section may hold, or too many of them.
pub(super) fn trailers(fields: &HeaderMap, limits: &Limits) -> Result<Fields, Fault> {
    let mut section = BytesMut::new();
    encode::last_chunk(&mut section);
    put(&mut section, fields);
    encode::end(&mut section);
    match BodyDecoder::new(Framing::Chunked, limits).decode(&mut section) {
        Ok(Decoded::Trailers(fields)) => Ok(fields),
        Ok(Decoded::End) => Ok(Fields::default()),
        Ok(Decoded::Data(_) | Decoded::NeedMore) => Err(Fault::new(ReceiveCause::BadTrailers)),
        Err(refusal) => Err(response_fault(&refusal)),
    }
}

/// The trailers of a request; those that a request may not have are left out, as over HTTP/1.1.
pub(super) fn request_trailers(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields.iter().filter(|(name, _)| Known::of(name).is_none()) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            let _ = map.try_append(name, value);
        }
    }
    map
}

/// The first bytes of a head, written as HTTP/2 has it.
pub(super) fn first_bytes(head: &ResponseHead) -> Snippet {
    let fields = head.raw().windows(2).position(|pair| pair == b"\r\n").and_then(|end| head.raw().get(end..));
    let mut text = format!(":status: {}", head.status).into_bytes();
    text.extend_from_slice(fields.unwrap_or_default());
    Snippet::first(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_what_is_for_the_other_end() {
        let head = "POST /a<b?q=`x` HTTP/1.1\r\nHost: shop.test:8080\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\
                    TE: trailers\r\nConnection: TE\r\nCookie: a=1\r\nX-Two: 1\r\nx-two: 2\r\n\r\n";
        let (request, _) = request(Bytes::from_static(head.as_bytes()), Scheme::HTTPS).unwrap();
        assert_eq!(request.uri().to_string(), "https://shop.test:8080/a%3Cb?q=%60x%60");
        let fields: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let expected: [(&str, &[u8]); 5] =
            [("accept", b"*/*"), ("te", b"trailers"), ("cookie", b"a=1"), ("x-two", b"1"), ("x-two", b"2")];
        assert_eq!(fields, expected);
    }

    #[test]
    fn an_asterisk_stays_one() {
        let head = "OPTIONS * HTTP/1.1\r\nHost: shop.test\r\n\r\n";
        let (request, _) = request(Bytes::from_static(head.as_bytes()), Scheme::HTTP).unwrap();
        assert_eq!(request.uri().path(), "*");
    }
}
