//! What goes wrong on an HTTP/2 connection, as faults of the vocabulary.

use rayline_verdict::evidence::{End, Fact};
use rayline_verdict::fault::RequestCause;
use rayline_verdict::{Fault, Snippet, http2_error_name};

use super::frames::{Head, Kind};

/// The error code at the end of the first eight bytes of a GOAWAY, or in the first four of a RST_STREAM.
pub(super) fn code(payload: &[u8]) -> u32 {
    payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The fact of an error code in a frame.
pub(super) fn error(frame: &'static str, code: u32, sent_by: End, debug: Option<Snippet>) -> Fact {
    Fact::Http2Error { frame, code, name: http2_error_name(code), sent_by, debug }
}

/// The library made no request of a stream, and reset it; or it reset one that was under way. `most` streams may be open.
pub(super) fn refused(code: u32, most: u32) -> Fault {
    let fault = Fault::new(RequestCause::Http2Malformed).with(error("RST_STREAM", code, End::Ours, None));
    if h2::Reason::from(code) == h2::Reason::REFUSED_STREAM {
        let limit = u64::from(most);
        return fault.with(Fact::Limit { what: "requests at once", seen: limit + 1, limit });
    }
    fault
}

/// The library made no request of a stream, for its fields are far too many.
pub(super) fn too_large() -> Fault {
    Fault::new(RequestCause::HeaderTooLarge)
}

/// The connection does not begin with SETTINGS.
pub(super) fn not_settings(kind: Kind, first: &[u8]) -> Fault {
    protocol(&format!("the connection begins with {}, not with SETTINGS", kind.name()), "RFC 9113 §3.4", first)
}

/// The connection does not begin with the preface.
pub(super) fn no_preface(first: &[u8]) -> Fault {
    protocol("the connection does not begin with the preface of HTTP/2", "RFC 9113 §3.4", first)
}

/// A frame is longer or shorter than its kind.
pub(super) fn wrong_length(frame: Head) -> Fault {
    protocol(&format!("a {} frame of {} bytes", frame.kind.name(), frame.length), "RFC 9113 §4.2", &[])
}

/// SETTINGS ask for a window that cannot be.
pub(super) fn too_large_a_window() -> Fault {
    protocol("SETTINGS_INITIAL_WINDOW_SIZE is over 2^31-1", "RFC 9113 §6.5.2", &[])
}

/// Trailers have a pseudo-header field.
pub(super) fn pseudo_trailer() -> Fault {
    protocol("a pseudo-header field is among the trailers", "RFC 9113 §8.1", &[])
}

fn protocol(rule: &str, clause: &'static str, first: &[u8]) -> Fault {
    let bytes = Snippet::first(first);
    let violation = Fact::Violation { rule: rule.to_owned(), clause, offset: 0, bytes };
    Fault::new(RequestCause::Http2Protocol).with(violation)
}

/// More frames than any client needs.
pub(super) fn flood(costliest: Option<Fact>) -> Fault {
    let fault = Fault::new(RequestCause::Http2Flood);
    match costliest {
        Some(fact) => fault.with(fact),
        None => fault,
    }
}

/// The error by which the library ended the connection.
pub(super) fn goaway(reason: h2::Reason, text: Option<Snippet>, costliest: Option<Fact>) -> Fault {
    let fault = if reason == h2::Reason::ENHANCE_YOUR_CALM {
        flood(costliest)
    } else {
        Fault::new(RequestCause::Http2Protocol)
    };
    fault.with(error("GOAWAY", reason.into(), End::Ours, text))
}

/// The error by which a request's body ended before its time.
pub(super) fn body(error: &h2::Error) -> Fault {
    // What the library refuses of a body is its length against `Content-Length`, or its trailers.
    let ours = error.is_library() && error.is_reset();
    let fault = Fault::new(if ours { RequestCause::Http2Malformed } else { RequestCause::BodyTruncated });
    match error.reason() {
        Some(reason) => {
            let frame = if error.is_reset() { "RST_STREAM" } else { "GOAWAY" };
            let sent_by = if error.is_remote() { End::Theirs } else { End::Ours };
            fault.with(self::error(frame, reason.into(), sent_by, None))
        }
        None => fault,
    }
}
