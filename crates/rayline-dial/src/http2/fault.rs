//! What it means that a stream failed: the connection broke beneath it, or one of the two ends said that it is over.

use bytes::Bytes;
use rayline_verdict::evidence::{End, Evidence, http2_error_name};
use rayline_verdict::fault::{ReceiveCause, ReplyCause, WaitCause};
use rayline_verdict::snippet::Snippet;
use rayline_verdict::{Cause, Fact};

use super::tap::Tap;
use crate::session::{Break, session_fault};

/// `REFUSED_STREAM` (RFC 9113 §7).
const REFUSED_STREAM: u32 = 0x7;
/// `HTTP_1_1_REQUIRED`.
const HTTP_1_1_REQUIRED: u32 = 0xd;

/// How a stream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The connection broke; nobody said anything in HTTP/2 of why.
    Broken(Break),
    /// What came was not HTTP/2 from the first byte on.
    NotSpoken,
    /// The origin ended the connection, with an error or with this stream beyond the last one that it processed.
    GoAway,
    /// The origin ended the stream.
    Reset,
    /// The origin ended the stream before it did anything with it.
    Refused,
    /// The origin broke the rules of HTTP/2, and the library ended the stream or the connection.
    Protocol,
    /// The header section has more bytes than are allowed.
    HeaderTooLarge,
    /// The library would not do what it was asked: a mistake on our side.
    Misused,
}

impl Ending {
    /// What happened where nothing of a response's head had come; `is_sent`: the whole request was with the connection.
    pub fn before_head(self, is_sent: bool) -> Cause {
        match self {
            Self::Broken(how) => how.before_head(is_sent),
            Self::NotSpoken => WaitCause::Http2NotSpoken.into(),
            Self::GoAway => WaitCause::Http2GoAway.into(),
            Self::Reset => WaitCause::Http2Reset.into(),
            Self::Refused => WaitCause::Http2RefusedStream.into(),
            Self::Protocol => WaitCause::Http2Protocol.into(),
            Self::HeaderTooLarge => WaitCause::HeaderTooLarge.into(),
            Self::Misused => ReplyCause::Unclassified.into(),
        }
    }

    /// What happened where the stream failed behind the head.
    pub fn in_body(self) -> Cause {
        match self {
            Self::Broken(how) => how.in_body(),
            Self::GoAway => ReceiveCause::Http2GoAway.into(),
            Self::Reset | Self::Refused => ReceiveCause::Http2Reset.into(),
            Self::Protocol | Self::NotSpoken => ReceiveCause::Http2Protocol.into(),
            Self::HeaderTooLarge => ReceiveCause::BadTrailers.into(),
            Self::Misused => ReplyCause::Unclassified.into(),
        }
    }
}

/// A failed stream.
#[derive(Debug)]
pub struct StreamFault {
    /// How it failed.
    pub how: Ending,
    /// The origin itself says that it did nothing with the request, which can be repeated whatever its method (RFC 9113
    /// §8.7).
    pub unprocessed: bool,
    /// The origin wants the request over HTTP/1.1.
    pub http1_required: bool,
    /// What shows it.
    pub evidence: Box<Evidence>,
}

/// Reads `error`, and what the tap saw.
pub(super) fn stream_fault(tap: &Tap, error: &h2::Error, stream: Option<u32>) -> StreamFault {
    let mut evidence = Box::<Evidence>::default();
    let mut unprocessed = false;
    let code = error.reason().map(u32::from);
    let how = if let Some(first) = tap.frames.foreign() {
        evidence.add(Fact::FirstBytes(first));
        Ending::NotSpoken
    } else if let Some(flood) = tap.frames.flood().filter(|_| error.is_io()) {
        let (count, limit) = (flood.count.into(), flood.limit.into());
        evidence.add(Fact::Frames { kind: flood.kind, count, limit });
        Ending::Protocol
    } else if let Some(seen) = tap.frames.oversize(stream.filter(|_| error.is_reset()))
        && error.is_library()
    {
        // Where the library ended the connection for it, that is the cause for all who were on it.
        let limit = tap.frames.header_bytes() as u64;
        evidence.add(Fact::Limit { what: "header section", seen: seen as u64, limit });
        Ending::HeaderTooLarge
    } else if let Some(code) = code.filter(|_| error.is_remote()) {
        if error.is_go_away() {
            // The library fails only the streams beyond the last one processed.
            unprocessed = true;
            let debug = tap.frames.go_away().map(|go_away| go_away.debug.clone());
            evidence.add(told("GOAWAY", code, End::Theirs, debug));
            Ending::GoAway
        } else {
            unprocessed = code == REFUSED_STREAM;
            evidence.add(told("RST_STREAM", code, End::Theirs, None));
            if unprocessed { Ending::Refused } else { Ending::Reset }
        }
    } else if let Some(code) = code.filter(|_| error.is_library()) {
        let frame = if error.is_go_away() { "GOAWAY" } else { "RST_STREAM" };
        evidence.add(told(frame, code, End::Ours, None));
        Ending::Protocol
    } else if error.is_io() {
        ended(tap, &mut evidence)
    } else {
        evidence.add(Fact::Internal(error.to_string()));
        Ending::Misused
    };
    let http1_required = matches!(how, Ending::Reset | Ending::GoAway) && code == Some(HTTP_1_1_REQUIRED);
    StreamFault { how, unprocessed, http1_required, evidence }
}

/// The connection is over. A GOAWAY with an error has said why; one without says only that there is no more to come.
fn ended(tap: &Tap, evidence: &mut Box<Evidence>) -> Ending {
    if let Some(go_away) = tap.frames.go_away().filter(|go_away| go_away.code != 0) {
        evidence.add(told("GOAWAY", go_away.code, End::Theirs, Some(go_away.debug.clone())));
        return Ending::GoAway;
    }
    match tap.error() {
        Some(error) => {
            let broken = session_fault(&tap.connection, error);
            *evidence = broken.evidence;
            Ending::Broken(broken.how)
        }
        None if tap.is_closed() => Ending::Broken(Break::Closed),
        None => {
            evidence.add(Fact::Internal("the connection was given up on this side".to_owned()));
            Ending::Broken(Break::Other)
        }
    }
}

fn told(frame: &'static str, code: u32, sent_by: End, debug: Option<Bytes>) -> Fact {
    let debug = debug.filter(|debug| !debug.is_empty()).map(|debug| Snippet::first(&debug));
    Fact::Http2Error { frame, code, name: http2_error_name(code), sent_by, debug }
}
