//! Which codes are weighed, besides those that were seen or told: what goes with a status, with a number that says no
//! code, and with what differs between an edge's request and a direct one.

use rayline_verdict::Code;

use super::evidence::{Observation, What};
use super::scene::{Scene, Symptom};
use crate::author::{Mark, Role};
use crate::direct::RivalKind;

/// What a gateway that says nothing else may mean, and how usual that is.
const BY_STATUS: &[(u16, &[(Code, f64)])] = &[
    (500, &[(Code::OriginWaitErrorStatus, 1.0), (Code::EdgeReplyErrorStatus, 0.3)]),
    (
        502,
        &[
            (Code::OriginConnectRefused, 1.0),
            (Code::OriginWaitClosedEmpty, 0.6),
            (Code::OriginWaitErrorStatus, 0.5),
            (Code::OriginWaitReset, 0.4),
            (Code::NetworkConnectTimedOut, 0.3),
            (Code::OriginWaitHeaderTooLarge, 0.3),
            (Code::OwnerRouteWrongPort, 0.3),
            (Code::OriginConnectEdgeBlocked, 0.2),
            (Code::EdgeReplyErrorStatus, 0.1),
        ],
    ),
    (
        503,
        &[
            (Code::OriginWaitErrorStatus, 1.0),
            (Code::OriginConnectRefused, 0.6),
            (Code::NetworkConnectTimedOut, 0.2),
            (Code::EdgeReplyErrorStatus, 0.2),
        ],
    ),
    (
        504,
        &[
            (Code::OriginWaitTimedOut, 1.0),
            (Code::NetworkConnectTimedOut, 0.7),
            (Code::OriginWaitErrorStatus, 0.4),
            (Code::NetworkSendUnacknowledged, 0.2),
            (Code::OriginConnectEdgeBlocked, 0.2),
            (Code::EdgeReplyErrorStatus, 0.1),
        ],
    ),
];

/// The same of any other status of 500 or more.
const OTHERWISE: &[(Code, f64)] = &[(Code::OriginWaitErrorStatus, 1.0), (Code::EdgeReplyErrorStatus, 0.2)];

/// Numbers by which an edge speaks of itself, or of what its owner configured ("Cloudflare 1xxx errors").
const OF_THE_EDGE: &[(&[u16], Code)] = &[
    (&[1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1015, 1020], Code::PolicyRulesRefused),
    (&[1019, 1101, 1102, 1103, 1104], Code::OwnerWorkerFailed),
    (&[1033], Code::OwnerConnectTunnelDown),
];

/// The code of a number by which an edge speaks of itself.
pub(super) fn of_the_edge(number: u16) -> Option<Code> {
    OF_THE_EDGE.iter().find(|(numbers, _)| numbers.contains(&number)).map(|(_, code)| *code)
}

/// What an edge's page comes to that names no cause.
pub(super) fn unnamed(symptom: &Symptom<'_>, author: &Mark, words: &str) -> Vec<Code> {
    let status = symptom.answer().map(|answer| answer.status).unwrap_or_default();
    let words = words.to_ascii_lowercase();
    if author.role != Role::Edge {
        Vec::new()
    } else if matches!(symptom, Symptom::Refused(..)) {
        vec![Code::PolicyRulesRefused]
    } else if ["worker", "lambda", "function"].iter().any(|program| words.contains(program)) {
        vec![Code::OwnerWorkerFailed]
    } else if status == 500 || author.name == "Cloudflare" {
        // Cloudflare's pages that are not branded are of its own troubles alone.
        vec![Code::EdgeReplyErrorStatus]
    } else {
        Vec::new()
    }
}

/// What an origin that fails under one of the things that differ comes to.
pub(super) fn under(kind: RivalKind, symptom: &Symptom<'_>) -> Code {
    match kind {
        RivalKind::Firewall => Code::OriginConnectEdgeBlocked,
        RivalKind::Http2 => Code::OriginWaitHttp2ProtocolError,
        RivalKind::Port => Code::OwnerRouteWrongPort,
        RivalKind::Reuse => Code::OriginSendStaleConnection,
        RivalKind::EdgeFields | RivalKind::HeaderSize => Code::OriginWaitErrorStatus,
        RivalKind::Concurrency => match symptom.number() {
            504 | 524 => Code::OriginWaitTimedOut,
            520 => Code::OriginWaitClosedEmpty,
            521 => Code::OriginConnectRefused,
            522 => Code::NetworkConnectTimedOut,
            _ => Code::OriginWaitErrorStatus,
        },
    }
}

/// What else may be behind the symptom, unless somebody said it or signed it.
pub(super) fn usual(scene: &Scene<'_>, symptom: &Symptom<'_>, seen: &[Observation]) -> Vec<Observation> {
    let mut all: Vec<Observation> = Vec::new();
    let mut add = |code: Code, share: f64| {
        if all.iter().all(|known| known.code != Some(code)) {
            all.push(Observation::usual(code, share, symptom.number()));
        }
    };
    let has = |code: Code| seen.iter().any(|seen| seen.code == Some(code));
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    let settled = |seen: &Observation| seen.what.names_the_author() || (known && seen.what == What::Told);
    match symptom {
        Symptom::Status(_, answer) if !seen.iter().any(settled) => {
            let row = BY_STATUS.iter().find(|(status, _)| *status == answer.status);
            row.map_or(OTHERWISE, |(_, codes)| codes).iter().for_each(|(code, share)| add(*code, *share));
        }
        Symptom::Slow(..) => {
            [
                (Code::OriginWaitTimedOut, 1.0),
                (Code::NetworkSendUnacknowledged, 0.3),
                (Code::EdgeReplyErrorStatus, 0.1),
            ]
            .iter()
            .for_each(|(code, share)| add(*code, *share));
        }
        Symptom::Body(..) | Symptom::NoAnswer(..) => {
            [(Code::EdgeReplyErrorStatus, 0.4), (Code::NetworkReceiveLost, 0.2)]
                .iter()
                .for_each(|(code, share)| add(*code, *share));
        }
        Symptom::Status(..)
        | Symptom::Refused(..)
        | Symptom::Blank(..)
        | Symptom::Unresolved(_)
        | Symptom::NothingAsked
        | Symptom::Fine
        | Symptom::Certificate(_)
        | Symptom::Looping(_) => {}
    }
    // What an edge takes for a refusal or for silence may be meant for it alone.
    let is_behind = seen.iter().any(|seen| matches!(seen.what, What::AppWrote | What::BehindWrote));
    if !is_behind && (has(Code::OriginConnectRefused) || has(Code::NetworkConnectTimedOut)) {
        add(Code::OriginConnectEdgeBlocked, 0.2);
        if has(Code::OriginConnectRefused) {
            add(Code::OwnerRouteWrongPort, 0.15);
        }
    }
    all
}
