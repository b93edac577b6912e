//! The only place where a fault becomes a verdict: who is to blame, how sure that is, which number is shown.
//!
//! The match over [`Cause`] is exhaustive and has no default arm: a new cause does not compile until somebody has
//! said whose fault it is.

use crate::code::{Code, Reached, Sent};
use crate::evidence::{Evidence, Fact};
use crate::fault::{
    AcceptCause, Cause, ClientTlsCause, ConnectCause, Fault, OriginTlsCause, OutsideCause, ReceiveCause, ReplyCause,
    RequestCause, ResolveCause, RouteCause, RulesCause, SendCause, WaitCause,
};
use crate::verdict::{Attempt, Certainty, Outcome, Verdict};

/// Reaches the verdict on a fault after these attempts.
pub fn attribute(fault: Fault, attempts: Vec<Attempt>) -> Verdict {
    let Fault { cause, evidence } = fault;
    let code = code_of(cause, &evidence);
    let rivals = rivals_of(code, cause, &evidence);
    let origin_status = evidence.find(|fact| match fact {
        Fact::OriginStatus(status) => Some(*status),
        _ => None,
    });
    Verdict {
        code,
        number: if code == Code::OriginWaitErrorStatus {
            origin_status.unwrap_or_default()
        } else {
            code.entry().number()
        },
        certainty: if rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred },
        rivals,
        reached: reached_by_any(reached(code, cause, &evidence), &attempts),
        evidence: *evidence,
        attempts,
    }
}

/// The verdict on a request of somebody else's, of which this code is known or concluded and not met: an edge's page named
/// it, or other observations leave it and these rivals. `seen` is the number or status that was shown for it, 0 for none; it
/// counts where the code has no number of its own.
pub fn told(code: Code, seen: u16, rivals: Vec<Code>, evidence: Evidence) -> Verdict {
    let entry = code.entry();
    let number = match entry.sent {
        Sent::Origin | Sent::Outside => seen,
        Sent::Page(number) | Sent::Cut(number) | Sent::Nothing(number) => number,
    };
    Verdict {
        code,
        number,
        certainty: if rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred },
        rivals,
        reached: entry.reached,
        evidence,
        attempts: Vec::new(),
    }
}

/// What an attempt came to that failed with `fault`.
pub fn outcome_of(fault: &Fault) -> Outcome {
    let code = code_of(fault.cause, &fault.evidence);
    Outcome::Failed { code, reached: reached(code, fault.cause, &fault.evidence) }
}

/// The code of a cause on its own.
pub fn code_of(cause: Cause, evidence: &Evidence) -> Code {
    match cause {
        Cause::Accept(cause) => accept(cause),
        Cause::ClientTls(cause) => client_tls(cause),
        Cause::Request(cause) => request(cause),
        Cause::Route(cause) => route(cause),
        Cause::Rules(cause) => rules(cause),
        Cause::Resolve(cause) => resolve(cause),
        Cause::Connect(cause) => connect(cause),
        Cause::OriginTls(cause) => origin_tls(cause, evidence),
        Cause::Send(cause) => send(cause, evidence),
        Cause::Wait(cause) => wait(cause, evidence),
        Cause::Receive(cause) => receive(cause),
        Cause::Reply(cause) => reply(cause),
        Cause::Outside(cause) => outside(cause),
    }
}

fn accept(cause: AcceptCause) -> Code {
    match cause {
        AcceptCause::TooManyConnections => Code::EdgeAcceptTooManyConnections,
        AcceptCause::ProxyHeaderMissing => Code::OwnerAcceptProxyHeaderMissing,
        AcceptCause::ProxyHeaderMalformed => Code::OwnerAcceptProxyHeaderMalformed,
        AcceptCause::ProxyHeaderTimedOut => Code::OwnerAcceptProxyHeaderTimedOut,
    }
}

fn client_tls(cause: ClientTlsCause) -> Code {
    match cause {
        ClientTlsCause::PlainHttp => Code::VisitorClientTlsPlainHttp,
        ClientTlsCause::Malformed => Code::VisitorClientTlsMalformed,
        ClientTlsCause::NoCommonVersion => Code::VisitorClientTlsNoCommonVersion,
        ClientTlsCause::NoCommonCipher => Code::VisitorClientTlsNoCommonCipher,
        ClientTlsCause::NoCertificate => Code::OwnerClientTlsNoCertificate,
        ClientTlsCause::Alert => Code::VisitorClientTlsAlert,
        ClientTlsCause::Closed => Code::VisitorClientTlsClosed,
        ClientTlsCause::Reset => Code::VisitorClientTlsReset,
        ClientTlsCause::TimedOut => Code::VisitorClientTlsTimedOut,
    }
}

fn request(cause: RequestCause) -> Code {
    match cause {
        RequestCause::Malformed => Code::VisitorRequestMalformed,
        RequestCause::AmbiguousFraming => Code::VisitorRequestAmbiguousFraming,
        RequestCause::BadHost => Code::VisitorRequestBadHost,
        RequestCause::UnsupportedVersion => Code::VisitorRequestUnsupportedVersion,
        RequestCause::MethodNotAllowed => Code::VisitorRequestMethodNotAllowed,
        RequestCause::UnsupportedTransferCoding => Code::VisitorRequestUnsupportedTransferCoding,
        RequestCause::ExpectationFailed => Code::VisitorRequestExpectationFailed,
        RequestCause::UriTooLong => Code::VisitorRequestUriTooLong,
        RequestCause::HeaderTooLarge => Code::VisitorRequestHeaderTooLarge,
        RequestCause::BodyTooLarge => Code::VisitorRequestBodyTooLarge,
        RequestCause::BodyMalformed => Code::VisitorRequestBodyMalformed,
        RequestCause::HeadTimedOut => Code::VisitorRequestHeadTimedOut,
        RequestCause::BodyTimedOut => Code::VisitorRequestBodyTimedOut,
        RequestCause::HeadTruncated => Code::VisitorRequestHeadTruncated,
        RequestCause::BodyTruncated => Code::VisitorRequestBodyTruncated,
        RequestCause::Http2Malformed => Code::VisitorRequestHttp2Malformed,
        RequestCause::Http2Protocol => Code::VisitorRequestHttp2ProtocolError,
        RequestCause::Http2Flood => Code::VisitorRequestHttp2Flood,
    }
}

fn route(cause: RouteCause) -> Code {
    match cause {
        RouteCause::UnknownHost => Code::OwnerRouteUnknownHost,
        RouteCause::NoRecord => Code::OwnerRouteNoRecord,
        RouteCause::DnsOnly => Code::OwnerRouteDnsOnly,
        RouteCause::DirectIp => Code::VisitorRouteDirectIp,
        RouteCause::SniMismatch => Code::VisitorRouteSniMismatch,
        RouteCause::ForgedHeader => Code::VisitorRouteForgedHeader,
        RouteCause::Loop => Code::OwnerRouteLoop,
    }
}

/// A rule that turns a request away did its work; one that cannot do its work is its owner's to mend.
fn rules(cause: RulesCause) -> Code {
    match cause {
        RulesCause::CustomRule => Code::PolicyRulesCustomRule,
        RulesCause::ManagedRule => Code::PolicyRulesManagedRule,
        RulesCause::AddressBanned => Code::PolicyRulesAddressBanned,
        RulesCause::AsnBanned => Code::PolicyRulesAsnBanned,
        RulesCause::CountryBanned => Code::PolicyRulesCountryBanned,
        RulesCause::ZoneLockdown => Code::PolicyRulesZoneLockdown,
        RulesCause::BrowserSignature => Code::PolicyRulesBrowserSignature,
        RulesCause::UserAgent => Code::PolicyRulesUserAgent,
        RulesCause::Hotlink => Code::PolicyRulesHotlink,
        RulesCause::RateLimited => Code::PolicyRulesRateLimited,
        RulesCause::Challenged => Code::PolicyRulesChallenged,
        RulesCause::Maintenance => Code::PolicyRulesMaintenance,
        RulesCause::RewriteInvalidPath => Code::OwnerRulesRewriteInvalidPath,
        RulesCause::RewriteTooLong => Code::OwnerRulesRewriteTooLong,
        RulesCause::ExpressionFailed => Code::OwnerRulesExpressionFailed,
        RulesCause::HeaderLimit => Code::OwnerRulesHeaderLimit,
        RulesCause::HeaderNotAllowed => Code::OwnerRulesHeaderNotAllowed,
        RulesCause::HeaderInvalidValue => Code::OwnerRulesHeaderInvalidValue,
    }
}

fn resolve(cause: ResolveCause) -> Code {
    match cause {
        ResolveCause::NxDomain => Code::OwnerResolveNxdomain,
        ResolveCause::NoAddress => Code::OwnerResolveNoAddress,
        ResolveCause::AliasLoop => Code::OwnerResolveAliasLoop,
        ResolveCause::ServFail => Code::NetworkResolveServfail,
        ResolveCause::Refused => Code::NetworkResolveRefused,
        ResolveCause::TimedOut => Code::NetworkResolveTimedOut,
        ResolveCause::Unreachable => Code::NetworkResolveUnreachable,
        ResolveCause::ProhibitedAddress => Code::OwnerResolveProhibitedAddress,
        ResolveCause::PointsToEdge => Code::OwnerResolvePointsToEdge,
    }
}

fn connect(cause: ConnectCause) -> Code {
    match cause {
        ConnectCause::Refused => Code::OriginConnectRefused,
        ConnectCause::TimedOut => Code::NetworkConnectTimedOut,
        ConnectCause::Unreachable => Code::NetworkConnectUnreachable,
        ConnectCause::Prohibited => Code::NetworkConnectProhibited,
        ConnectCause::NoNeighbour => Code::NetworkConnectNoNeighbour,
        ConnectCause::NoRoute => Code::EdgeConnectNoRoute,
        ConnectCause::Forbidden => Code::EdgeConnectForbidden,
        ConnectCause::Exhausted => Code::EdgeConnectExhausted,
    }
}

fn origin_tls(cause: OriginTlsCause, evidence: &Evidence) -> Code {
    match cause {
        OriginTlsCause::TimedOut if unacknowledged(evidence) => Code::NetworkSendUnacknowledged,
        OriginTlsCause::PlainHttp => Code::OriginTlsPlainHttp,
        OriginTlsCause::Malformed => Code::OriginTlsMalformed,
        OriginTlsCause::Closed => Code::OriginTlsClosed,
        OriginTlsCause::Reset => Code::OriginTlsReset,
        OriginTlsCause::TimedOut => Code::OriginTlsTimedOut,
        OriginTlsCause::Alert => Code::OriginTlsAlert,
        OriginTlsCause::NoCommonVersion => Code::OriginTlsNoCommonVersion,
        OriginTlsCause::NoCommonCipher => Code::OriginTlsNoCommonCipher,
        OriginTlsCause::SniRefused => Code::OriginTlsSniRefused,
        OriginTlsCause::ClientCertificateRefused => Code::OriginTlsClientCertificateRefused,
        OriginTlsCause::CertificateExpired => Code::OriginTlsCertificateExpired,
        OriginTlsCause::CertificateNotYetValid => Code::OriginTlsCertificateNotYetValid,
        OriginTlsCause::SelfSigned => Code::OriginTlsSelfSigned,
        OriginTlsCause::UnknownIssuer => Code::OriginTlsUnknownIssuer,
        OriginTlsCause::MissingIntermediate => Code::OriginTlsMissingIntermediate,
        OriginTlsCause::NameMismatch => Code::OriginTlsNameMismatch,
        OriginTlsCause::NameOnlyInCommonName => Code::OriginTlsNameOnlyInCommonName,
        OriginTlsCause::Revoked => Code::OriginTlsRevoked,
        OriginTlsCause::WrongUsage => Code::OriginTlsWrongUsage,
        OriginTlsCause::CertificateInvalid => Code::OriginTlsCertificateInvalid,
    }
}

/// Whichever wait timer fires while sent bytes are unacknowledged, the network is to blame and not the origin: the
/// origin's kernel acknowledges for a busy application, so only a lost path or a dead machine stays silent.
fn send(cause: SendCause, evidence: &Evidence) -> Code {
    match cause {
        SendCause::Unacknowledged => Code::NetworkSendUnacknowledged,
        SendCause::TimedOut | SendCause::FlowControlStalled if unacknowledged(evidence) => {
            Code::NetworkSendUnacknowledged
        }
        SendCause::TimedOut => Code::OriginSendTimedOut,
        SendCause::Reset => Code::OriginSendReset,
        SendCause::StaleConnection => Code::OriginSendStaleConnection,
        SendCause::FlowControlStalled => Code::OriginSendFlowControlStalled,
    }
}

fn wait(cause: WaitCause, evidence: &Evidence) -> Code {
    match cause {
        WaitCause::TimedOut | WaitCause::DeadlineExceeded if unacknowledged(evidence) => {
            Code::NetworkSendUnacknowledged
        }
        WaitCause::TimedOut => Code::OriginWaitTimedOut,
        WaitCause::Reset => Code::OriginWaitReset,
        WaitCause::ClosedEmpty => Code::OriginWaitClosedEmpty,
        WaitCause::HalfHead => Code::OriginWaitHalfHead,
        WaitCause::TlsBroken => Code::OriginWaitTlsBroken,
        WaitCause::Lost => Code::NetworkWaitLost,
        WaitCause::NotHttp => Code::OriginWaitNotHttp,
        WaitCause::Http09 => Code::OriginWaitHttp09,
        WaitCause::UnsupportedVersion => Code::OriginWaitUnsupportedVersion,
        WaitCause::BadStatus => Code::OriginWaitBadStatus,
        WaitCause::IllegalHeader => Code::OriginWaitIllegalHeader,
        WaitCause::ConflictingLengths => Code::OriginWaitConflictingLengths,
        WaitCause::LengthWithTransferEncoding => Code::OriginWaitLengthWithTransferEncoding,
        WaitCause::UnsupportedTransferCoding => Code::OriginWaitUnsupportedTransferCoding,
        WaitCause::HeaderTooLarge => Code::OriginWaitHeaderTooLarge,
        WaitCause::InformationalFlood => Code::OriginWaitInformationalFlood,
        WaitCause::UnexpectedUpgrade => Code::OriginWaitUnexpectedUpgrade,
        WaitCause::BadUpgrade => Code::OriginWaitBadUpgrade,
        WaitCause::Http2NotSpoken => Code::OriginWaitHttp2NotSpoken,
        WaitCause::Http2GoAway => Code::OriginWaitHttp2Goaway,
        WaitCause::Http2Reset => Code::OriginWaitHttp2Reset,
        WaitCause::Http2RefusedStream => Code::OriginWaitHttp2RefusedStream,
        WaitCause::Http2Protocol => Code::OriginWaitHttp2ProtocolError,
        WaitCause::DeadlineExceeded => Code::OriginWaitDeadlineExceeded,
        WaitCause::ErrorStatus => Code::OriginWaitErrorStatus,
    }
}

fn receive(cause: ReceiveCause) -> Code {
    match cause {
        ReceiveCause::Truncated => Code::OriginReceiveTruncated,
        ReceiveCause::Reset => Code::OriginReceiveReset,
        ReceiveCause::BadChunk => Code::OriginReceiveBadChunk,
        ReceiveCause::BadTrailers => Code::OriginReceiveBadTrailers,
        ReceiveCause::TimedOut => Code::OriginReceiveTimedOut,
        ReceiveCause::Lost => Code::NetworkReceiveLost,
        ReceiveCause::TlsBroken => Code::OriginReceiveTlsBroken,
        ReceiveCause::Http2Reset => Code::OriginReceiveHttp2Reset,
        ReceiveCause::Http2GoAway => Code::OriginReceiveHttp2Goaway,
        ReceiveCause::Http2Protocol => Code::OriginReceiveHttp2ProtocolError,
    }
}

fn reply(cause: ReplyCause) -> Code {
    match cause {
        ReplyCause::Gone => Code::VisitorReplyGone,
        ReplyCause::Stalled => Code::VisitorReplyStalled,
        ReplyCause::Idle => Code::PolicyReplyIdle,
        ReplyCause::Shutdown => Code::EdgeReplyShutdown,
        ReplyCause::Unclassified => Code::EdgeReplyUnclassified,
    }
}

fn outside(cause: OutsideCause) -> Code {
    match cause {
        OutsideCause::EdgeRefused => Code::EdgeAcceptRefused,
        OutsideCause::EdgeSilent => Code::EdgeAcceptTimedOut,
        OutsideCause::EdgeError => Code::EdgeReplyErrorStatus,
        OutsideCause::CertificateExpired => Code::OwnerClientTlsCertificateExpired,
        OutsideCause::CertificateName => Code::OwnerClientTlsNameMismatch,
        OutsideCause::CertificateUntrusted => Code::OwnerClientTlsUntrusted,
        OutsideCause::RedirectLoop => Code::OwnerRouteRedirectLoop,
        OutsideCause::WrongPort => Code::OwnerRouteWrongPort,
        OutsideCause::RuleRefused => Code::PolicyRulesRefused,
        OutsideCause::RuleBreaks => Code::OwnerRulesBreaksRequest,
        OutsideCause::WorkerFailed => Code::OwnerWorkerFailed,
        OutsideCause::TunnelDown => Code::OwnerConnectTunnelDown,
        OutsideCause::EdgeBlocked => Code::OriginConnectEdgeBlocked,
        OutsideCause::Blank => Code::OriginWaitBlank,
    }
}

/// Whether TCP_INFO showed bytes that the origin's kernel does not acknowledge.
fn unacknowledged(evidence: &Evidence) -> bool {
    evidence
        .find(|fact| match fact {
            Fact::Tcp(tcp) => Some(tcp.is_unacknowledged()),
            _ => None,
        })
        .unwrap_or(false)
}

/// The table's rivals, less those that the evidence rules out.
fn rivals_of(code: Code, cause: Cause, evidence: &Evidence) -> Vec<Code> {
    let ruled_out = match cause {
        // Seen in TCP_INFO: bytes that stay unacknowledged while the window is open leave no other reading.
        Cause::Send(SendCause::Unacknowledged | SendCause::TimedOut | SendCause::FlowControlStalled)
        | Cause::Wait(WaitCause::TimedOut | WaitCause::DeadlineExceeded)
        | Cause::OriginTls(OriginTlsCause::TimedOut) => unacknowledged(evidence),
        // The kernel kept the ICMP message: the network has said itself what is wrong.
        Cause::Connect(_) => evidence.find(|fact| matches!(fact, Fact::Icmp { .. }).then_some(())).is_some(),
        Cause::Accept(_)
        | Cause::ClientTls(_)
        | Cause::Request(_)
        | Cause::Route(_)
        | Cause::Rules(_)
        | Cause::Resolve(_)
        | Cause::OriginTls(_)
        | Cause::Send(_)
        | Cause::Wait(_)
        | Cause::Receive(_)
        | Cause::Reply(_)
        | Cause::Outside(_) => false,
    };
    if ruled_out { Vec::new() } else { code.entry().rivals.to_vec() }
}

/// The table's word, unless the evidence shows that not a byte of the request was sent, or that the origin left it alone.
fn reached(code: Code, cause: Cause, evidence: &Evidence) -> Reached {
    let nothing_sent = evidence.find(|fact| match fact {
        Fact::BytesSent(count) => Some(*count == 0),
        _ => None,
    });
    let handshaking = cause == OriginTlsCause::TimedOut.into();
    let unseen = handshaking || nothing_sent == Some(true) || is_unprocessed(code, evidence);
    if unseen { Reached::No } else { code.entry().reached }
}

/// The same of a request that was tried before. An earlier attempt that may have reached the application counts too: a
/// stale connection's request is repeated, and nobody knows what became of the first.
fn reached_by_any(last: Reached, attempts: &[Attempt]) -> Reached {
    let earlier = attempts.split_last().map_or(&[] as &[Attempt], |(_, earlier)| earlier);
    let may_have = |attempt: &Attempt| match attempt.outcome {
        Outcome::Failed { reached, .. } => reached != Reached::No,
        Outcome::Answered(_) => true,
        Outcome::Abandoned => false,
    };
    if last == Reached::No && earlier.iter().any(may_have) { Reached::Maybe } else { last }
}

/// Whether the origin itself said that it did not act on the request: a GOAWAY without an error fails only the streams
/// beyond the last one that it processed, and those "can be retried" whatever their method (RFC 9113 §6.8, §8.7).
fn is_unprocessed(code: Code, evidence: &Evidence) -> bool {
    let without_error = |fact| matches!(fact, &Fact::Http2Error { code: 0, .. }).then_some(());
    code == Code::OriginWaitHttp2Goaway && evidence.find(without_error).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{End, TcpState};

    fn go_away(code: u32, name: &'static str) -> Fact {
        Fact::Http2Error { frame: "GOAWAY", code, name, sent_by: End::Theirs, debug: None }
    }

    #[test]
    fn a_repeated_request_may_have_reached_the_application_the_first_time() {
        let attempt = |outcome| Attempt { address: ([127, 0, 0, 1], 80).into(), reused: false, outcome, took_ms: 1 };
        let failed = |fault| attempt(outcome_of(&fault));
        let refused = || failed(Fault::new(ConnectCause::Refused));
        let judge = |attempts| attribute(Fault::new(ConnectCause::Refused), attempts).reached;
        assert_eq!(judge(vec![refused()]), Reached::No);
        assert_eq!(judge(vec![refused(), attempt(Outcome::Abandoned), refused()]), Reached::No);
        let left_alone = failed(Fault::new(WaitCause::Http2GoAway).with(go_away(0, "NO_ERROR")));
        assert_eq!(judge(vec![left_alone, refused()]), Reached::No);
        let unsent = failed(Fault::new(WaitCause::ClosedEmpty).with(Fact::BytesSent(0)));
        assert_eq!(judge(vec![unsent, refused()]), Reached::No);
        let stale = failed(Fault::new(WaitCause::ClosedEmpty).with(Fact::BytesSent(90)));
        assert_eq!(judge(vec![stale, refused()]), Reached::Maybe);
    }

    #[test]
    fn a_graceful_goaway_has_left_the_request_alone() {
        let judge =
            |code, name| attribute(Fault::new(WaitCause::Http2GoAway).with(go_away(code, name)), Vec::new()).reached;
        assert_eq!(judge(0, "NO_ERROR"), Reached::No);
        assert_eq!(judge(2, "INTERNAL_ERROR"), Reached::Maybe);
    }

    #[test]
    fn a_timer_over_what_is_unacknowledged_blames_the_network() {
        let silent = TcpState { unacked_segments: 1, timeouts: 2, peer_window: 65_536, ..TcpState::default() };
        for cause in [
            Cause::from(SendCause::TimedOut),
            SendCause::FlowControlStalled.into(),
            WaitCause::TimedOut.into(),
            WaitCause::DeadlineExceeded.into(),
        ] {
            let verdict = attribute(Fault::new(cause).with(Fact::Tcp(silent)), Vec::new());
            assert_eq!((verdict.code, verdict.certainty), (Code::NetworkSendUnacknowledged, Certainty::Proven));
            assert_ne!(attribute(Fault::new(cause), Vec::new()).code, Code::NetworkSendUnacknowledged);
        }
    }
}
