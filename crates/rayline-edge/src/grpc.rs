//! gRPC over HTTP/2: what makes a request a call, and how long its caller will wait ("gRPC over HTTP2").
//!
//! Messages are not read. gRPC-Web is another protocol, and passes as any other request.

use std::time::Duration;

use rayline_http1::Fields;

/// Whether these are the fields of a call or of the answer to one: the content is `application/grpc`, alone or with what
/// it carries, as `application/grpc+proto`.
pub(crate) fn is_call(fields: &Fields) -> bool {
    let value = fields.get("content-type").unwrap_or_default();
    let Some((kind, rest)) = value.split_at_checked(b"application/grpc".len()) else { return false };
    kind.eq_ignore_ascii_case(b"application/grpc") && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// How long the caller waits, by `grpc-timeout`: at most eight digits and a unit. What cannot be read is no time-out, and
/// for the origin to refuse.
pub(crate) fn timeout(fields: &Fields) -> Option<Duration> {
    let (unit, digits) = fields.get("grpc-timeout")?.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(number * 3600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// The status in these trailers, or in the fields of an answer that is nothing but trailers.
pub(crate) fn status(fields: &Fields) -> Option<u32> {
    std::str::from_utf8(fields.get("grpc-status")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rayline_http1::{Limits, Parsed, RequestParser};

    use super::*;

    fn fields(fields: &str) -> Fields {
        let mut bytes = BytesMut::from(format!("POST /a.B/C HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n").as_bytes());
        match RequestParser::new(Limits::default()).parse(&mut bytes) {
            Ok(Parsed::Complete(head)) => head.fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn calls_are_told_by_their_content() {
        for (value, is) in [
            ("application/grpc", true),
            ("Application/gRPC+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpcs", false),
            ("application/json", false),
        ] {
            assert_eq!(is_call(&fields(&format!("Content-Type: {value}"))), is, "{value}");
        }
        assert!(!is_call(&fields("A: b")));
    }

    #[test]
    fn time_outs_have_a_unit() {
        for (value, is) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("99999999S", Some(Duration::from_secs(99_999_999))),
            ("250m", Some(Duration::from_millis(250))),
            ("5u", Some(Duration::from_micros(5))),
            ("7n", Some(Duration::from_nanos(7))),
            ("123456789S", None),
            ("S", None),
            ("-1S", None),
            ("5", None),
            ("5s", None),
        ] {
            assert_eq!(timeout(&fields(&format!("grpc-timeout: {value}"))), is, "{value}");
        }
    }
}
