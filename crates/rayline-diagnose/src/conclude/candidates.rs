//! Which codes are weighed, besides those that were seen or told: what goes with a status, and with what differs between
//! an edge's request and a direct one.

use rayline_verdict::Code;

use super::evidence::{Observation, What};
use super::scene::{Scene, Symptom};
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

/// What an error that nothing else is known of may mean, the likeliest first.
pub(super) fn by_status(status: u16) -> &'static [(Code, f64)] {
    BY_STATUS.iter().find(|(known, _)| *known == status).map_or(OTHERWISE, |(_, codes)| codes)
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
            by_status(answer.status).iter().for_each(|(code, share)| add(*code, *share));
        }
        Symptom::Slow(..) => {
            add(Code::OriginWaitTimedOut, 1.0);
            add(Code::NetworkSendUnacknowledged, 0.3);
            if scene.edge.is_some() {
                add(Code::EdgeReplyErrorStatus, 0.1);
            }
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
