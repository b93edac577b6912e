//! What the codec refused, as faults: the same bytes are another happening from a visitor than from an origin.
//!
//! Every refusal first falls into one of a few shapes, in the one place that knows all of the codec's reasons. What each
//! shape means is then said for the request and for the response.

use rayline_http1::{Part, Refusal, RefusalKind};
use rayline_verdict::fault::{Cause, ReceiveCause, RequestCause, WaitCause};
use rayline_verdict::{Fact, Fault, Snippet};

/// What a refusal comes to, whoever sent the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// The start is not HTTP's.
    NotHttp,
    /// The start is that of HTTP/0.9: no version, or no status line.
    Http09,
    /// A version that is not spoken.
    Version,
    /// The status of a response.
    Status,
    /// The request line, in another way than the above.
    RequestLine,
    /// The request target, by its length.
    TargetSize,
    /// `Host`.
    Host,
    /// A field line.
    Field,
    /// The size or number of the head's lines.
    HeadSize,
    /// The body's length, given twice or not as a number.
    Length,
    /// The body's length beside a transfer coding.
    LengthBesideCoding,
    /// A transfer coding that leaves the end of the body unknown.
    BadCoding,
    /// A transfer coding that is not spoken.
    OtherCoding,
    /// The framing of chunks.
    Chunk,
    /// The trailer section.
    Trailers,
    /// The end of the stream before the first byte.
    Nothing,
    /// The end of the stream inside the head.
    HalfHead,
    /// The end of the stream inside the body.
    HalfBody,
}

fn shape(refusal: &Refusal) -> Shape {
    match refusal.kind {
        RefusalKind::NotHttp | RefusalKind::BadVersion => Shape::NotHttp,
        RefusalKind::Http09 => Shape::Http09,
        RefusalKind::UnsupportedVersion { .. } => Shape::Version,
        RefusalKind::BadMethod | RefusalKind::BadTarget => Shape::RequestLine,
        RefusalKind::UriTooLong { .. } => Shape::TargetSize,
        RefusalKind::HeadTooLarge { .. } | RefusalKind::TooManyHeaders { .. } => match refusal.part {
            Part::RequestHead | Part::ResponseHead => Shape::HeadSize,
            Part::Body | Part::Trailers => Shape::Trailers,
        },
        // The grammar of lines is the same in a head, in chunk framing and in trailers.
        RefusalKind::BareLf
        | RefusalKind::BareCr
        | RefusalKind::NulByte
        | RefusalKind::ObsoleteFold
        | RefusalKind::SpaceBeforeHeaders
        | RefusalKind::SpaceBeforeColon
        | RefusalKind::IllegalHeaderName
        | RefusalKind::IllegalHeaderValue
        | RefusalKind::MissingColon => match refusal.part {
            Part::RequestHead | Part::ResponseHead => Shape::Field,
            Part::Body => Shape::Chunk,
            Part::Trailers => Shape::Trailers,
        },
        RefusalKind::MissingHost | RefusalKind::MultipleHosts | RefusalKind::BadHost => Shape::Host,
        RefusalKind::BadStatus => Shape::Status,
        RefusalKind::ConflictingContentLength { .. }
        | RefusalKind::DuplicateContentLength { .. }
        | RefusalKind::BadContentLength(_) => Shape::Length,
        RefusalKind::LengthWithTransferEncoding => Shape::LengthBesideCoding,
        RefusalKind::BadTransferEncoding(_) => Shape::BadCoding,
        RefusalKind::UnsupportedTransferCoding => Shape::OtherCoding,
        RefusalKind::BadChunkSize(_)
        | RefusalKind::BadChunkExtension
        | RefusalKind::ChunkExtensionsTooLarge { .. }
        | RefusalKind::ChunkSizeOverflow
        | RefusalKind::ChunkLineTooLong { .. }
        | RefusalKind::MissingChunkEnd => Shape::Chunk,
        RefusalKind::BadTrailer | RefusalKind::TrailersTooLarge { .. } => Shape::Trailers,
        RefusalKind::HalfHead { .. } => Shape::HalfHead,
        RefusalKind::Empty => Shape::Nothing,
        RefusalKind::Truncated { .. } => Shape::HalfBody,
    }
}

/// The fault of an origin's response that the codec refused: of waiting for its head, or of receiving its body.
pub fn response_fault(refusal: &Refusal) -> Fault {
    let cause: Cause = match shape(refusal) {
        Shape::NotHttp => WaitCause::NotHttp.into(),
        Shape::Http09 if is_greeting(&refusal.bytes) => WaitCause::NotHttp.into(),
        Shape::Http09 => WaitCause::Http09.into(),
        Shape::Version => WaitCause::UnsupportedVersion.into(),
        Shape::Status => WaitCause::BadStatus.into(),
        Shape::Field => WaitCause::IllegalHeader.into(),
        Shape::HeadSize => WaitCause::HeaderTooLarge.into(),
        Shape::Length => WaitCause::ConflictingLengths.into(),
        Shape::LengthBesideCoding => WaitCause::LengthWithTransferEncoding.into(),
        Shape::BadCoding | Shape::OtherCoding => WaitCause::UnsupportedTransferCoding.into(),
        Shape::Nothing => WaitCause::ClosedEmpty.into(),
        Shape::HalfHead => WaitCause::HalfHead.into(),
        Shape::Chunk => ReceiveCause::BadChunk.into(),
        Shape::Trailers => ReceiveCause::BadTrailers.into(),
        Shape::HalfBody => ReceiveCause::Truncated.into(),
        // A response has neither request line nor `Host`: the codec refuses none for them.
        Shape::RequestLine | Shape::TargetSize | Shape::Host => WaitCause::NotHttp.into(),
    };
    with_facts(Fault::new(cause), refusal)
}

/// Whether these are the first words of another service that speaks in text: SSH, mail, FTP, streaming radio, VNC, Redis.
fn is_greeting(bytes: &[u8]) -> bool {
    ["SSH-", "220 ", "220-", "+OK", "* OK", "ICY ", "RFB 0", "-ERR"]
        .iter()
        .any(|word| bytes.starts_with(word.as_bytes()))
}

/// The fault of a visitor's request that the codec refused.
pub fn request_fault(refusal: &Refusal) -> Fault {
    let cause = match shape(refusal) {
        Shape::NotHttp | Shape::RequestLine | Shape::Field => RequestCause::Malformed,
        Shape::Http09 | Shape::Version => RequestCause::UnsupportedVersion,
        Shape::TargetSize => RequestCause::UriTooLong,
        Shape::Host => RequestCause::BadHost,
        Shape::HeadSize => RequestCause::HeaderTooLarge,
        Shape::Length | Shape::LengthBesideCoding | Shape::BadCoding => RequestCause::AmbiguousFraming,
        Shape::OtherCoding => RequestCause::UnsupportedTransferCoding,
        Shape::Chunk | Shape::Trailers => RequestCause::BodyMalformed,
        // Without a byte there is no request: the codec calls this end empty for responses only.
        Shape::HalfHead | Shape::Nothing => RequestCause::HeadTruncated,
        Shape::HalfBody => RequestCause::BodyTruncated,
        // A request has no status: the codec refuses none for it.
        Shape::Status => RequestCause::Malformed,
    };
    with_facts(Fault::new(cause), refusal)
}

/// The rule, its clause and its place; the sizes, where it is a matter of size; and how far a stream came that ended.
fn with_facts(fault: Fault, refusal: &Refusal) -> Fault {
    let fault = match refusal.kind {
        // Nothing was sent that breaks a rule: it stopped.
        RefusalKind::Empty => return fault,
        RefusalKind::HalfHead { .. } => fault,
        RefusalKind::Truncated { received, expected } => return fault.with(Fact::Body { received, expected }),
        _ => fault.with(Fact::Violation {
            rule: refusal.kind.to_string(),
            clause: refusal.kind.clause(),
            offset: refusal.offset,
            bytes: Snippet::first(&refusal.bytes),
        }),
    };
    match limit(&refusal.kind) {
        Some(limit) => fault.with(limit),
        None => fault,
    }
}

/// The limit that was passed. Where the codec stopped counting, one more than the limit is what is known.
fn limit(kind: &RefusalKind) -> Option<Fact> {
    let (what, seen, limit) = match *kind {
        RefusalKind::UriTooLong { limit } => ("request target", limit.saturating_add(1), limit),
        RefusalKind::HeadTooLarge { limit, seen } => ("header section", seen, limit),
        RefusalKind::TooManyHeaders { limit } => ("header fields", limit.saturating_add(1), limit),
        RefusalKind::ChunkExtensionsTooLarge { limit } => ("chunk extensions", limit.saturating_add(1), limit),
        RefusalKind::ChunkLineTooLong { limit } => ("chunk-size line", limit.saturating_add(1), limit),
        RefusalKind::TrailersTooLarge { limit } => ("trailer section", limit.saturating_add(1), limit),
        RefusalKind::NotHttp
        | RefusalKind::Http09
        | RefusalKind::BadVersion
        | RefusalKind::UnsupportedVersion { .. }
        | RefusalKind::BadMethod
        | RefusalKind::BadTarget
        | RefusalKind::BareLf
        | RefusalKind::BareCr
        | RefusalKind::NulByte
        | RefusalKind::ObsoleteFold
        | RefusalKind::SpaceBeforeHeaders
        | RefusalKind::SpaceBeforeColon
        | RefusalKind::IllegalHeaderName
        | RefusalKind::IllegalHeaderValue
        | RefusalKind::MissingColon
        | RefusalKind::MissingHost
        | RefusalKind::MultipleHosts
        | RefusalKind::BadHost
        | RefusalKind::BadStatus
        | RefusalKind::ConflictingContentLength { .. }
        | RefusalKind::DuplicateContentLength { .. }
        | RefusalKind::BadContentLength(_)
        | RefusalKind::LengthWithTransferEncoding
        | RefusalKind::BadTransferEncoding(_)
        | RefusalKind::UnsupportedTransferCoding
        | RefusalKind::BadChunkSize(_)
        | RefusalKind::BadChunkExtension
        | RefusalKind::ChunkSizeOverflow
        | RefusalKind::MissingChunkEnd
        | RefusalKind::BadTrailer
        | RefusalKind::HalfHead { .. }
        | RefusalKind::Empty
        | RefusalKind::Truncated { .. } => return None,
    };
    Some(Fact::Limit { what, seen: seen as u64, limit: limit as u64 })
}

#[cfg(test)]
mod tests;
