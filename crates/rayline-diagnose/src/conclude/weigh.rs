//! How much each observation speaks for or against each code: one table, and the sum.
//!
//! Weights are in nats, added up per code: 1 makes a code about three times as likely as before, 5 settles it unless
//! something else speaks as clearly. What is none of the codes weighs 0, so that the likelihoods leave room for it.

use rayline_verdict::{Certainty, Code, Party, Phase};

use super::evidence::{Observation, What};
use super::scene::Scene;
use crate::direct::RivalKind;
use crate::logs::Cause;

/// How much of its weight an observation must have to settle anything: a line of a log, that it has the Ray ID.
pub(super) const SURE: f64 = 0.9;

/// Which codes a weight is for. The first row that fits counts.
#[derive(Clone, Copy, Debug)]
enum On {
    /// The one that the observation is about.
    Itself,
    This(Code),
    Phase(Phase),
    Party(Party),
    /// Those that only an edge meets which checks certificates.
    Certificate,
    Any,
}

use On::{Any, Itself, This};

/// The table.
const fn rows(what: What) -> &'static [(On, f64)] {
    match what {
        What::RuleCauses => &[(Itself, 12.0), (Any, -6.0)],
        What::RuleChanges => &[(Itself, 2.0), (Any, -1.0)],
        What::RulesCleared => &[(This(Code::PolicyRulesRefused), -6.0), (This(Code::OwnerRulesBreaksRequest), -6.0)],
        What::Recorded => &[(Itself, 6.0), (Any, -3.0)],
        What::RecordedLikely => &[(Itself, 2.0), (This(Code::OriginConnectEdgeBlocked), 0.0), (Any, -1.0)],
        What::RecordedRefused => &[
            (Itself, 6.0),
            (This(Code::OriginConnectEdgeBlocked), 0.0),
            (This(Code::OwnerRouteWrongPort), 0.0),
            (Any, -3.0),
        ],
        What::Told => &[(Itself, 2.0)],
        What::ToldToo => &[(Itself, 0.3)],
        What::ToldOfItself => &[(Itself, 4.0), (Any, -1.0)],
        What::AppWrote => &[(Itself, 7.0), (Any, -3.0)],
        What::BehindWrote => &[(Itself, 6.0), (Any, -3.0)],
        What::Passed => &[(Itself, 1.5)],
        What::Status => &[(Itself, 1.5)],
        What::Met => &[(Itself, 2.0)],
        What::DirectFails => &[(Itself, 5.0), (On::Party(Party::Edge), -3.0), (Any, -1.5)],
        What::DirectBarred => &[(Itself, 3.0), (Any, -0.5)],
        What::DirectSame => &[(Itself, 6.0), (Any, -3.0)],
        What::DirectOther => &[(Itself, 3.0), (Any, -0.5)],
        What::DirectSlow | What::DirectNotYet => &[(Itself, 4.0), (On::Phase(Phase::Connect), -2.0), (Any, -1.0)],
        What::DirectBlank => &[(Itself, 6.0), (Any, -3.0)],
        What::DirectHead => &[(Itself, 4.0), (Any, -1.0)],
        What::DirectWorks => &[
            (This(Code::OriginConnectRefused), -4.0),
            (This(Code::OriginWaitErrorStatus), -3.0),
            (This(Code::OriginWaitBlank), -3.0),
            // What it takes an edge to meet.
            (On::Certificate, 0.0),
            (This(Code::OriginWaitHeaderTooLarge), 0.0),
            (This(Code::OriginConnectEdgeBlocked), 0.0),
            (This(Code::OwnerRouteWrongPort), 0.5),
            (This(Code::OriginSendStaleConnection), 0.0),
            (On::Party(Party::Origin), -2.0),
            (On::Party(Party::Network), -0.5),
            (On::Party(Party::Edge), 0.5),
        ],
        // Who listens refuses nobody.
        What::Unconnected => &[(Itself, 1.5), (This(Code::OriginConnectRefused), -3.0)],
        What::OtherPort => {
            &[(Itself, 3.5), (This(Code::OriginConnectRefused), -0.5), (This(Code::OriginConnectEdgeBlocked), -1.0)]
        }
        What::UnusualPort => &[(Itself, 2.0)],
        What::ConfiguredElsewhere => {
            &[(Itself, 5.0), (This(Code::OriginConnectRefused), -2.0), (This(Code::OriginConnectEdgeBlocked), -4.0)]
        }
        What::ConfiguredThere => &[(Itself, 1.5), (This(Code::OwnerRouteWrongPort), -6.0)],
        What::RivalFails(_) => &[(Itself, 5.0), (Any, -1.0)],
        What::RivalHolds(RivalKind::EdgeFields | RivalKind::HeaderSize) => &[(Itself, -1.0)],
        // What is bearable for a visitor's machine is little for an edge.
        What::RivalHolds(RivalKind::Concurrency) => &[(Itself, -0.5)],
        What::RivalHolds(RivalKind::Firewall | RivalKind::Http2 | RivalKind::Port | RivalKind::Reuse) => {
            &[(Itself, -4.0)]
        }
        What::Exonerated => &[(On::Party(Party::Origin), -6.0)],
        What::TlsFails | What::TlsDistrusted => &[(Itself, 5.0), (On::Phase(Phase::OriginTls), -1.5)],
        What::TlsWorks => &[(On::Phase(Phase::OriginTls), -3.0)],
        What::TcpFails => &[(Itself, 3.0), (Any, -0.5)],
        What::BlackHole => &[(Itself, 2.5)],
        What::LoggedError => &[
            (Itself, 4.0),
            (On::Phase(Phase::Connect), -3.0),
            (On::Phase(Phase::OriginTls), -3.0),
            (This(Code::OwnerRouteWrongPort), -3.0),
            (Any, -1.0),
        ],
        What::LoggedFine => &[
            (On::Phase(Phase::Connect), -3.0),
            (On::Phase(Phase::OriginTls), -3.0),
            (This(Code::OwnerRouteWrongPort), -3.0),
            (This(Code::OriginWaitErrorStatus), -4.0),
        ],
        // These have a table of their own.
        What::Named(_) => &[],
    }
}

/// Which codes a trouble inside the origin explains, and how well.
pub(super) const fn explains(cause: Cause) -> &'static [(Code, f64)] {
    use Code::{
        NetworkConnectTimedOut, OriginConnectEdgeBlocked, OriginConnectRefused, OriginReceiveReset,
        OriginReceiveTimedOut, OriginReceiveTruncated, OriginSendReset, OriginTlsAlert, OriginTlsCertificateExpired,
        OriginTlsCertificateNotYetValid, OriginTlsClosed, OriginTlsTimedOut, OriginWaitBlank, OriginWaitClosedEmpty,
        OriginWaitErrorStatus, OriginWaitHeaderTooLarge, OriginWaitNotHttp, OriginWaitReset, OriginWaitTimedOut,
    };
    match cause {
        Cause::ServerPoolExhausted => &[
            (OriginWaitTimedOut, 3.0),
            (OriginWaitErrorStatus, 2.5),
            (NetworkConnectTimedOut, 1.5),
            (OriginTlsTimedOut, 1.5),
            (OriginWaitClosedEmpty, 1.0),
            (OriginWaitReset, 1.0),
        ],
        // The server at the origin says so of the application behind it, and answers; an edge's own log says so of the
        // origin.
        Cause::ServerUpstreamRefused => &[(OriginWaitErrorStatus, 3.0), (OriginConnectRefused, 1.5)],
        Cause::ServerUpstreamClosed => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitClosedEmpty, 1.5),
            (OriginWaitReset, 1.5),
            (OriginReceiveTruncated, 2.0),
        ],
        Cause::ServerUpstreamTimedOut => {
            &[(OriginWaitErrorStatus, 3.0), (OriginWaitTimedOut, 2.5), (OriginReceiveTimedOut, 2.0)]
        }
        Cause::ServerUpstreamUnresolved
        | Cause::ServerMaintenance
        | Cause::ServerConfiguration
        | Cause::ServerFileMissing => &[(OriginWaitErrorStatus, 3.0)],
        Cause::ServerPermissionDenied => &[(OriginWaitErrorStatus, 3.0), (OriginConnectRefused, 0.5)],
        Cause::ServerHeaderTooBig => &[(OriginWaitErrorStatus, 3.0), (OriginWaitHeaderTooLarge, 2.5)],
        Cause::ServerUpstreamInvalid => &[(OriginWaitErrorStatus, 3.0), (OriginWaitNotHttp, 2.0)],
        Cause::ServerBodyTooLarge => &[(OriginSendReset, 3.0), (OriginWaitErrorStatus, 1.0)],
        Cause::ServerWorkerCrashed | Cause::ServerWorkerKilled | Cause::HostOutOfMemory => &[
            (OriginWaitClosedEmpty, 3.0),
            (OriginWaitReset, 3.0),
            (OriginWaitErrorStatus, 2.5),
            (OriginReceiveTruncated, 3.0),
            (OriginReceiveReset, 3.0),
            (OriginConnectRefused, 1.5),
            (OriginWaitBlank, 1.0),
        ],
        Cause::ServerTlsFailed => &[
            (OriginTlsAlert, 2.5),
            (OriginTlsClosed, 2.5),
            (OriginTlsCertificateExpired, 1.5),
            // A web server speaks TLS with the application behind it, too.
            (OriginWaitErrorStatus, 1.5),
            (OriginConnectRefused, 1.0),
        ],
        Cause::ServerStopped | Cause::AppPortTaken => {
            &[(OriginConnectRefused, 3.0), (OriginWaitErrorStatus, 2.0), (OriginWaitReset, 1.0)]
        }
        Cause::AppPhpFatal
        | Cause::AppPhpMemory
        | Cause::AppException
        | Cause::AppModuleMissing
        | Cause::AppEnvironment => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitBlank, 3.0),
            (OriginReceiveTruncated, 2.0),
            (OriginWaitClosedEmpty, 1.5),
            // What it met when it started kept it from listening.
            (OriginConnectRefused, 1.5),
            (OriginWaitReset, 1.0),
        ],
        Cause::AppPhpTime | Cause::AppWorkerTimeout => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitTimedOut, 3.0),
            (OriginWaitClosedEmpty, 2.0),
            (OriginWaitReset, 2.0),
            (OriginReceiveTruncated, 2.0),
        ],
        Cause::AppOutOfMemory => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitClosedEmpty, 3.0),
            (OriginWaitReset, 3.0),
            (OriginReceiveTruncated, 2.0),
            (OriginConnectRefused, 1.5),
        ],
        Cause::DatabaseTooManyConnections
        | Cause::DatabaseRefused
        | Cause::DatabaseAccessDenied
        | Cause::DatabaseGone
        | Cause::DatabaseMissing
        | Cause::DatabaseFull
        | Cause::CacheRefused
        | Cause::CacheFull
        | Cause::QueueFailed
        | Cause::ThirdPartyFailed => &[(OriginWaitErrorStatus, 3.0), (OriginWaitBlank, 2.0), (OriginWaitTimedOut, 0.5)],
        Cause::DatabaseLocked | Cause::DatabaseTimedOut | Cause::ThirdPartyTimedOut | Cause::DnsFailed => {
            &[(OriginWaitTimedOut, 3.0), (OriginWaitErrorStatus, 3.0), (OriginReceiveTimedOut, 2.0)]
        }
        Cause::HostDiskFull | Cause::HostDiskFailed => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitBlank, 2.0),
            // What a web server cannot put down before it hands it out.
            (OriginWaitClosedEmpty, 2.0),
            (OriginReceiveTruncated, 1.5),
            (OriginConnectRefused, 1.0),
        ],
        Cause::HostTooManyFiles | Cause::HostTooManyProcesses => &[
            (OriginWaitErrorStatus, 3.0),
            (OriginWaitTimedOut, 1.5),
            (NetworkConnectTimedOut, 1.5),
            (OriginWaitClosedEmpty, 1.5),
            (OriginWaitReset, 1.5),
        ],
        Cause::HostConntrackFull => &[(NetworkConnectTimedOut, 3.0)],
        Cause::HostClockWrong => {
            &[(OriginTlsCertificateNotYetValid, 2.0), (OriginTlsCertificateExpired, 1.0), (OriginWaitErrorStatus, 0.5)]
        }
        Cause::HostFirewallBlocksEdge => &[(OriginConnectEdgeBlocked, 5.0), (NetworkConnectTimedOut, 0.5)],
        Cause::HostNotListening | Cause::HostListensOnLoopback => &[(OriginConnectRefused, 5.0)],
    }
}

/// How well a trouble explains a code; 0: not at all.
pub(super) fn explained(cause: Cause, code: Code) -> f64 {
    explains(cause).iter().find(|(known, _)| *known == code).map_or(0.0, |(_, weight)| *weight)
}

/// A code with everything that speaks for and against it.
#[derive(Clone, Debug)]
pub(super) struct Weighed<'a> {
    pub(super) code: Code,
    /// The sum of the weights.
    pub(super) score: f64,
    /// From 0 to 1; all codes together less than 1.
    pub(super) likelihood: f64,
    /// What counted, with its weight for this code, the heaviest first. Of troubles inside the origin only the heaviest is
    /// in the sum.
    pub(super) counted: Vec<(f64, &'a Observation)>,
}

impl Weighed<'_> {
    pub(super) fn saw(&self, wanted: impl Fn(What) -> bool) -> bool {
        self.counted.iter().any(|(_, seen)| seen.code == Some(self.code) && wanted(seen.what))
    }
}

/// Weighs every code that an observation is about; the likeliest first.
pub(super) fn weigh(observations: &[Observation]) -> Vec<Weighed<'_>> {
    let mut codes: Vec<Code> = observations.iter().filter_map(|seen| seen.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut all: Vec<Weighed<'_>> = codes.into_iter().map(|code| sum(code, observations)).collect();
    // None of them: weight 0.
    let whole = 1.0 + all.iter().map(|weighed| weighed.score.exp()).sum::<f64>();
    for weighed in &mut all {
        weighed.likelihood = weighed.score.exp() / whole;
    }
    all.sort_by(|one, other| other.score.total_cmp(&one.score));
    all
}

/// A trouble inside the origin explains what was seen: it makes nothing likely that nothing else speaks for, and several
/// that explain the same make it no likelier than the best of them.
fn sum(code: Code, observations: &[Observation]) -> Weighed<'_> {
    let mut counted: Vec<(f64, &Observation)> =
        observations.iter().map(|seen| (weight(seen, code), seen)).filter(|(weight, _)| *weight != 0.0).collect();
    counted.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
    let is_named = |seen: &Observation| matches!(seen.what, What::Named(_));
    if !counted.iter().any(|(weight, seen)| *weight > 0.0 && !is_named(seen)) {
        counted.retain(|(_, seen)| !is_named(seen));
    }
    let of = |named: bool| counted.iter().filter(move |(_, seen)| is_named(seen) == named).map(|(weight, _)| *weight);
    let score = of(false).sum::<f64>() + of(true).next().unwrap_or_default();
    // Far beyond what anything needs; `exp` stays finite.
    Weighed { code, score: score.clamp(-50.0, 50.0), likelihood: 0.0, counted }
}

fn weight(seen: &Observation, code: Code) -> f64 {
    if let What::Named(cause) = seen.what {
        return explained(cause, code) * seen.share;
    }
    let fits = |on: On| match on {
        Itself => seen.code == Some(code),
        This(wanted) => wanted == code,
        On::Phase(phase) => code.entry().phase == phase,
        On::Party(party) => code.entry().party == party,
        On::Certificate => code.entry().proxy_error == Some("tls_certificate_error"),
        Any => true,
    };
    rows(seen.what).iter().find(|(on, _)| fits(*on)).map_or(0.0, |(_, weight)| weight * seen.share)
}

/// What is concluded of the weighed: the one that is the verdict, if one is likely enough.
pub(super) fn winner<'a, 'b>(scene: &Scene<'_>, all: &'b [Weighed<'a>]) -> Option<(&'b Weighed<'a>, Certainty)> {
    let has = |what: What| all.iter().flat_map(|weighed| &weighed.counted).any(|(_, seen)| seen.what == what);
    let exonerated = has(What::Exonerated);
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    let first = all.iter().find(|weighed| match weighed.code.entry().party {
        // That the origin works does not convict the edge: it must have said so itself.
        Party::Edge => {
            weighed.saw(|what| known && (what.is_recorded() || matches!(what, What::Told | What::ToldOfItself)))
        }
        Party::Origin => !exonerated,
        Party::Visitor | Party::Policy | Party::Owner | Party::Network => true,
    })?;
    let party = first.code.entry().party;
    let of_party: f64 =
        all.iter().filter(|weighed| weighed.code.entry().party == party).map(|weighed| weighed.likelihood).sum();
    let likely = first.likelihood >= 0.4 || of_party >= 0.6;
    if first.score < 0.5 || !likely {
        return None;
    }
    Some((first, certainty(scene, first, all)))
}

/// Proven: something settles it, nothing else is likely, and the edge does not say otherwise.
fn certainty(scene: &Scene<'_>, first: &Weighed<'_>, all: &[Weighed<'_>]) -> Certainty {
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    let told = first.saw(|what| matches!(what, What::Told | What::ToldToo | What::ToldOfItself));
    let settled = first.counted.iter().any(|(weight, seen)| {
        let itself = seen.code == Some(first.code) && seen.share >= SURE;
        match seen.what {
            What::Recorded
            | What::RecordedRefused
            | What::RuleCauses
            | What::ConfiguredElsewhere
            | What::AppWrote
            | What::BehindWrote
            | What::DirectFails
            | What::DirectSame
            | What::DirectBlank
            | What::LoggedError => itself,
            What::TlsFails | What::TlsDistrusted | What::DirectSlow => itself && told && known,
            What::ToldOfItself => itself && first.code.entry().rivals.is_empty(),
            // Seen on the very machine.
            What::Named(_) => *weight >= 4.0,
            What::RecordedLikely
            | What::RuleChanges
            | What::RulesCleared
            | What::Told
            | What::ToldToo
            | What::Passed
            | What::Status
            | What::Met
            | What::DirectBarred
            | What::DirectOther
            // It was we who ended it, sooner than an edge would.
            | What::DirectNotYet
            | What::DirectHead
            | What::DirectWorks
            | What::Unconnected
            | What::OtherPort
            | What::UnusualPort
            | What::ConfiguredThere
            | What::RivalFails(_)
            | What::RivalHolds(_)
            | What::Exonerated
            | What::TlsWorks
            | What::TcpFails
            | What::BlackHole
            | What::LoggedFine => false,
        }
    });
    let tells = |weighed: &Weighed<'_>| weighed.saw(|what| matches!(what, What::Told | What::ToldOfItself));
    // What can only be seen from outside, no edge can tell.
    let told_otherwise = known && !told && !first.code.is_outside() && all.iter().any(tells);
    if settled && !told_otherwise && first.likelihood >= 0.85 { Certainty::Proven } else { Certainty::Inferred }
}
