//! A verdict for a caller that speaks gRPC: a status, a message and `Proxy-Status`, in fields or in trailers.
//!
//! A gRPC client reads no page: its library shows the program a number and a text. Whether a call is one of gRPC, and
//! which HTTP status carries the answer (200, always), is for the caller of these functions to say.

use crate::code::{Code, Entry, Sent};
use crate::party::Party;
use crate::surface::headers::{origin_status, proxy_status};
use crate::surface::{Notice, words};
use crate::verdict::Verdict;
use crate::write;

/// What a call can come to, as far as an edge knows it ("Status codes and their use in gRPC").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Cancelled = 1,
    Unknown = 2,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// The `grpc-status` of a call with this verdict.
///
/// | verdict | status |
/// | --- | --- |
/// | the call's own `grpc-timeout` ran out | 4 `DEADLINE_EXCEEDED` |
/// | any other time-out, a refused or lost connection, TLS, DNS, the zone's settings | 14 `UNAVAILABLE` |
/// | the origin or the visitor broke a protocol; something of the edge's own broke | 13 `INTERNAL` |
/// | too large a request, a rate limit | 8 `RESOURCE_EXHAUSTED` |
/// | a rule or the edge forbade it (403) | 7 `PERMISSION_DENIED` |
/// | a method that is not served | 12 `UNIMPLEMENTED` |
/// | the visitor left | 1 `CANCELLED` |
/// | the origin answered with an HTTP error instead of gRPC | as "HTTP to gRPC Status Code Mapping" has it |
///
/// That document is for clients that know nothing but an HTTP status. Where the verdict knows more, it departs from it:
/// only the caller's own deadline is 4, for libraries repeat a 14 and never a 4, and an error of the edge's own (500)
/// is 13 instead of 2, "unknown", which it is not.
pub fn status(verdict: &Verdict) -> u32 {
    let entry = verdict.code.entry();
    let http = verdict.shown().map_or(verdict.number, |number| number.status);
    let status = match entry.party {
        Party::Visitor => of_request(http),
        Party::Policy => of_rule(http),
        Party::Owner | Party::Network => Status::Unavailable,
        Party::Edge if entry.proxy_error == Some("proxy_internal_error") => Status::Internal,
        Party::Edge => Status::Unavailable,
        Party::Origin if entry.code == Code::OriginWaitDeadlineExceeded => Status::DeadlineExceeded,
        Party::Origin if entry.sent == Sent::Origin => of_answer(http),
        Party::Origin if breaks_protocol(entry) => Status::Internal,
        Party::Origin => Status::Unavailable,
    };
    status as u32
}

/// What the edge says to a request that is itself at fault.
const fn of_request(http: u16) -> Status {
    match http {
        // Another connection, or another try, may do.
        408 | 421 => Status::Unavailable,
        405 => Status::Unimplemented,
        413 | 414 | 431 => Status::ResourceExhausted,
        499 => Status::Cancelled,
        403 => Status::PermissionDenied,
        0 => Status::Unknown,
        _ => Status::Internal,
    }
}

/// What a rule of the zone's decided.
const fn of_rule(http: u16) -> Status {
    match http {
        429 => Status::ResourceExhausted,
        _ => of_answer(http),
    }
}

/// "HTTP to gRPC Status Code Mapping", for a status about which nothing else is known.
const fn of_answer(http: u16) -> Status {
    match http {
        400 => Status::Internal,
        401 => Status::Unauthenticated,
        403 => Status::PermissionDenied,
        404 => Status::Unimplemented,
        429 | 502 | 503 | 504 => Status::Unavailable,
        _ => Status::Unknown,
    }
}

/// Whether what the origin sent is no HTTP that could be passed on. A connection that ends early is not meant: that may
/// go better the next time.
fn breaks_protocol(entry: &Entry) -> bool {
    matches!(
        entry.proxy_error,
        Some(
            "http_protocol_error"
                | "http_upgrade_failed"
                | "http_response_transfer_coding"
                | "http_response_header_section_size"
        )
    )
}

/// Calls `emit` with every field of an answer without a body that is wholly a verdict's: `Trailers-Only` of "gRPC over
/// HTTP2", one header section which also ends the stream. Names are in lower case. `Server`, `Date` and `CF-Ray` are the
/// caller's.
pub fn fields(notice: &Notice<'_>, mut emit: impl FnMut(&'static str, &[u8])) {
    emit("content-type", b"application/grpc");
    trailers(notice, emit);
}

/// Calls `emit` with the fields of the trailer section that ends an answer already begun: `grpc-status`, `grpc-message`
/// and `proxy-status`.
pub fn trailers(notice: &Notice<'_>, mut emit: impl FnMut(&'static str, &[u8])) {
    let verdict = notice.verdict;
    let mut value = Vec::with_capacity(160);
    write::int(&mut value, status(verdict));
    emit("grpc-status", &value);
    value.clear();
    message(notice, &mut value);
    emit("grpc-message", &value);
    value.clear();
    proxy_status(verdict, origin_status(verdict), &mut value);
    emit("proxy-status", &value);
}

/// The text that the caller's library shows: what happened, the code and the Ray ID.
fn message(notice: &Notice<'_>, out: &mut Vec<u8>) {
    percent_encoded(out, notice.verdict.sentence().as_bytes());
    percent_encoded(out, words::details(notice.verdict).as_bytes());
    out.extend_from_slice(b" (code: ");
    out.extend_from_slice(notice.verdict.code.name().as_bytes());
    out.extend_from_slice(b", ray id: ");
    out.extend_from_slice(&notice.ray.digits());
    out.push(b')');
}

/// `Percent-Encoded` of "gRPC over HTTP2": printable ASCII stands for itself, but for the percent sign.
fn percent_encoded(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'%' | 0..=0x1f | 0x7f.. => {
                out.push(b'%');
                out.extend([byte >> 4, byte & 0xf].map(|nibble| write::hex(nibble).to_ascii_uppercase()));
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_percent_encoded() {
        let mut out = Vec::new();
        percent_encoded(&mut out, "100% of a~b\r\n\u{7f}é".as_bytes());
        assert_eq!(out, b"100%25 of a~b%0D%0A%7F%C3%A9");
    }

    #[test]
    fn what_nothing_else_is_known_of_is_mapped_as_documented() {
        let mapped = [400, 401, 403, 404, 429, 502, 503, 504, 500, 418].map(|http| of_answer(http) as u32);
        assert_eq!(mapped, [13, 16, 7, 12, 14, 14, 14, 14, 2, 2]);
        assert_eq!([403, 429].map(|http| of_rule(http) as u32), [7, 8]);
    }
}
