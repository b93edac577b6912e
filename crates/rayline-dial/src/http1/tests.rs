use bytes::Bytes;
use rayline_http1::{BodyLengthFault, ChunkSizeFault, TransferEncodingFault};

use super::*;

fn refusal(kind: RefusalKind, part: Part) -> Refusal {
    Refusal { kind, part, offset: 17, bytes: Bytes::from_static(b"X-Bad\x01: 1\r\n") }
}

#[test]
fn heads_of_responses_have_their_cause() {
    let rows: [(RefusalKind, WaitCause); 19] = [
        (RefusalKind::NotHttp, WaitCause::NotHttp),
        (RefusalKind::Http09, WaitCause::Http09),
        (RefusalKind::BadVersion, WaitCause::NotHttp),
        (RefusalKind::UnsupportedVersion { major: 2, minor: 0 }, WaitCause::UnsupportedVersion),
        (RefusalKind::HeadTooLarge { limit: 9, seen: 10 }, WaitCause::HeaderTooLarge),
        (RefusalKind::TooManyHeaders { limit: 9 }, WaitCause::HeaderTooLarge),
        (RefusalKind::BareLf, WaitCause::IllegalHeader),
        (RefusalKind::NulByte, WaitCause::IllegalHeader),
        (RefusalKind::ObsoleteFold, WaitCause::IllegalHeader),
        (RefusalKind::SpaceBeforeColon, WaitCause::IllegalHeader),
        (RefusalKind::MissingColon, WaitCause::IllegalHeader),
        (RefusalKind::BadStatus, WaitCause::BadStatus),
        (RefusalKind::ConflictingContentLength { first: 1, second: 2 }, WaitCause::ConflictingLengths),
        (RefusalKind::BadContentLength(BodyLengthFault::NotDigits), WaitCause::ConflictingLengths),
        (RefusalKind::LengthWithTransferEncoding, WaitCause::LengthWithTransferEncoding),
        (RefusalKind::BadTransferEncoding(TransferEncodingFault::ChunkedNotLast), WaitCause::UnsupportedTransferCoding),
        (RefusalKind::UnsupportedTransferCoding, WaitCause::UnsupportedTransferCoding),
        (RefusalKind::HalfHead { received: 9 }, WaitCause::HalfHead),
        (RefusalKind::Empty, WaitCause::ClosedEmpty),
    ];
    for (kind, cause) in rows {
        assert_eq!(response_fault(&refusal(kind, Part::ResponseHead)).cause, Cause::Wait(cause), "{kind:?}");
    }
}

#[test]
fn a_greeting_is_another_protocol_and_no_document() {
    let said = |bytes: &'static [u8]| {
        let refusal = Refusal { bytes: Bytes::from_static(bytes), ..refusal(RefusalKind::Http09, Part::ResponseHead) };
        response_fault(&refusal).cause
    };
    for greeting in [b"SSH-2.0-OpenSSH".as_slice(), b"220 mail.test ESMTP", b"+OK POP3", b"* OK IMAP4", b"RFB 003.008"]
    {
        assert_eq!(said(greeting), WaitCause::NotHttp.into(), "{}", greeting.escape_ascii());
    }
    assert_eq!(said(b"2200 bottles"), WaitCause::Http09.into());
}

#[test]
fn bodies_of_responses_have_their_cause() {
    let rows = [
        (RefusalKind::BadChunkSize(ChunkSizeFault::NotHex), Part::Body, ReceiveCause::BadChunk),
        (RefusalKind::MissingChunkEnd, Part::Body, ReceiveCause::BadChunk),
        (RefusalKind::BareLf, Part::Body, ReceiveCause::BadChunk),
        (RefusalKind::BareLf, Part::Trailers, ReceiveCause::BadTrailers),
        (RefusalKind::TooManyHeaders { limit: 9 }, Part::Trailers, ReceiveCause::BadTrailers),
        (RefusalKind::BadTrailer, Part::Trailers, ReceiveCause::BadTrailers),
        (RefusalKind::TrailersTooLarge { limit: 9 }, Part::Trailers, ReceiveCause::BadTrailers),
        (RefusalKind::Truncated { received: 4, expected: Some(9) }, Part::Body, ReceiveCause::Truncated),
    ];
    for (kind, part, cause) in rows {
        assert_eq!(response_fault(&refusal(kind, part)).cause, Cause::Receive(cause), "{kind:?} {part:?}");
    }
}

#[test]
fn requests_have_their_cause() {
    let rows = [
        (RefusalKind::NotHttp, Part::RequestHead, RequestCause::Malformed),
        (RefusalKind::Http09, Part::RequestHead, RequestCause::UnsupportedVersion),
        (RefusalKind::UnsupportedVersion { major: 3, minor: 0 }, Part::RequestHead, RequestCause::UnsupportedVersion),
        (RefusalKind::BadMethod, Part::RequestHead, RequestCause::Malformed),
        (RefusalKind::BadTarget, Part::RequestHead, RequestCause::Malformed),
        (RefusalKind::UriTooLong { limit: 9 }, Part::RequestHead, RequestCause::UriTooLong),
        (RefusalKind::HeadTooLarge { limit: 9, seen: 12 }, Part::RequestHead, RequestCause::HeaderTooLarge),
        (RefusalKind::IllegalHeaderName, Part::RequestHead, RequestCause::Malformed),
        (RefusalKind::MissingHost, Part::RequestHead, RequestCause::BadHost),
        (RefusalKind::MultipleHosts, Part::RequestHead, RequestCause::BadHost),
        (RefusalKind::BadHost, Part::RequestHead, RequestCause::BadHost),
        (RefusalKind::DuplicateContentLength { length: 5 }, Part::RequestHead, RequestCause::AmbiguousFraming),
        (RefusalKind::LengthWithTransferEncoding, Part::RequestHead, RequestCause::AmbiguousFraming),
        (
            RefusalKind::BadTransferEncoding(TransferEncodingFault::NotChunked),
            Part::RequestHead,
            RequestCause::AmbiguousFraming,
        ),
        (RefusalKind::UnsupportedTransferCoding, Part::RequestHead, RequestCause::UnsupportedTransferCoding),
        (RefusalKind::ChunkSizeOverflow, Part::Body, RequestCause::BodyMalformed),
        (RefusalKind::BadTrailer, Part::Trailers, RequestCause::BodyMalformed),
        (RefusalKind::HalfHead { received: 3 }, Part::RequestHead, RequestCause::HeadTruncated),
        (RefusalKind::Truncated { received: 3, expected: None }, Part::Body, RequestCause::BodyTruncated),
    ];
    for (kind, part, cause) in rows {
        assert_eq!(request_fault(&refusal(kind, part)).cause, Cause::Request(cause), "{kind:?}");
    }
}

#[test]
fn a_violation_names_its_rule_its_clause_and_its_place() {
    let fault = response_fault(&refusal(RefusalKind::IllegalHeaderName, Part::ResponseHead));
    let [Fact::Violation { rule, clause, offset, bytes }] = fault.evidence.facts() else {
        panic!("{:?}", fault.evidence);
    };
    assert_eq!((rule.as_str(), *clause), ("a field name is empty or holds an illegal character", "RFC 9110 §5.1"));
    assert_eq!((*offset, bytes.to_string().as_str()), (17, r"X-Bad\x01: 1\r\n"));
}

#[test]
fn a_limit_names_its_sizes_and_a_cut_how_far_it_came() {
    let fault = request_fault(&refusal(RefusalKind::HeadTooLarge { limit: 9, seen: 12 }, Part::RequestHead));
    assert_eq!(fault.evidence.facts().last(), Some(&Fact::Limit { what: "header section", seen: 12, limit: 9 }));
    let kind = RefusalKind::Truncated { received: 4, expected: Some(9) };
    let fault = response_fault(&refusal(kind, Part::Body));
    assert_eq!(fault.evidence.facts(), [Fact::Body { received: 4, expected: Some(9) }]);
    let fault = response_fault(&refusal(RefusalKind::HalfHead { received: 4 }, Part::ResponseHead));
    assert_eq!(fault.evidence.facts(), []);
}
