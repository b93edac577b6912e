//! What it could be, with what speaks for and against it, and the test that would decide.

use rayline_verdict::{Code, Phase, Verdict};

use super::distinct;
use crate::conclude::Hypothesis;
use crate::conclude::evidence::What;
use crate::conclude::scene::Scene;
use crate::conclude::weigh::Weighed;
use crate::direct::RivalKind;
use crate::logs::Cause;

/// The most that are told, and the least likely of them.
const MOST: usize = 5;
const LEAST: f64 = 0.02;

/// Those of what was weighed, the verdict's first.
pub(crate) fn of_weighed(scene: &Scene<'_>, all: &[Weighed<'_>], first: Option<Code>) -> Vec<Hypothesis> {
    let told = |weighed: &&Weighed<'_>| Some(weighed.code) == first || weighed.likelihood >= LEAST;
    let mut kept: Vec<&Weighed<'_>> = all.iter().filter(told).collect();
    kept.sort_by_key(|weighed| Some(weighed.code) != first);
    kept.into_iter().take(MOST).map(|weighed| hypothesis(scene, weighed)).collect()
}

fn hypothesis(scene: &Scene<'_>, weighed: &Weighed<'_>) -> Hypothesis {
    let said = |speaks: fn(f64) -> bool| {
        distinct(weighed.counted.iter().filter(|(weight, _)| speaks(*weight)).map(|(_, seen)| seen.sentence.clone()))
    };
    let cause = weighed.counted.iter().filter(|(weight, _)| *weight > 0.0).find_map(|(_, seen)| cause_of(seen.what));
    let sentence = match cause {
        Some(cause) => format!("{} {}", weighed.code.entry().sentence, cause.row().sentence),
        None => weighed.code.entry().sentence.to_owned(),
    };
    Hypothesis {
        code: weighed.code,
        cause,
        likelihood: weighed.likelihood,
        sentence,
        speaks_for: said(|weight| weight > 0.0),
        speaks_against: said(|weight| weight < 0.0),
        decide: decide(weighed.code, scene.edge.is_some() && scene.seen.direct.is_none()),
    }
}

/// The trouble inside the origin that an observation points at.
fn cause_of(what: What) -> Option<Cause> {
    if let What::Named(cause) = what {
        return Some(cause);
    }
    (what == What::RivalFails(RivalKind::Concurrency)).then_some(Cause::ServerPoolExhausted)
}

/// Those of a plain verdict that has rivals: the verdict with two thirds, the rivals with a quarter among them.
pub(crate) fn of_plain(scene: &Scene<'_>, verdict: &Verdict, clues: &[String]) -> Vec<Hypothesis> {
    let is_before_others = scene.edge.is_some() || verdict.code == Code::OriginWaitErrorStatus;
    let is_unknown = is_before_others && scene.seen.direct.is_none();
    let bare = |code: Code, likelihood: f64| Hypothesis {
        code,
        cause: None,
        likelihood,
        sentence: match (verdict.code, code) {
            (Code::OwnerRouteRedirectLoop, Code::OriginWaitErrorStatus) => {
                "The site's server redirects in a circle by itself, without the edge.".to_owned()
            }
            _ => code.entry().sentence.to_owned(),
        },
        speaks_for: Vec::new(),
        speaks_against: Vec::new(),
        decide: decide(code, is_unknown),
    };
    if verdict.rivals.is_empty() {
        return Vec::new();
    }
    let share = 0.25 / f64::from(u32::try_from(verdict.rivals.len()).unwrap_or(u32::MAX));
    let first = Hypothesis { speaks_for: clues.to_vec(), ..bare(verdict.code, 0.66) };
    std::iter::once(first).chain(verdict.rivals.iter().map(|code| bare(*code, share))).take(MOST).collect()
}

/// The one test that would decide; `is_unknown`: nobody knows where the origin is.
fn decide(code: Code, is_unknown: bool) -> String {
    let test = match code {
        Code::OriginConnectEdgeBlocked => {
            "on the origin, look for bans and rules that hit the edge's addresses (`rayline diagnose URL --here` does)"
        }
        Code::OwnerRouteWrongPort => {
            "compare the port that the edge connects to (by its SSL mode) with those that answer past it"
        }
        Code::OwnerRouteRedirectLoop => {
            "ask the origin past the edge by `http` and by `https`, and compare where each sends you"
        }
        Code::EdgeReplyErrorStatus => {
            "look the request's id up in the edge's log: did it ask the origin, and what came back?"
        }
        Code::EdgeAcceptRefused | Code::EdgeAcceptTimedOut => {
            "ask from another network: if it works there, it is the first one and not the edge"
        }
        Code::OriginSendStaleConnection => {
            "compare the origin's keep-alive time-out with the edge's: the origin's must be longer"
        }
        Code::OriginWaitHeaderTooLarge => {
            "count the bytes of the origin's header section (`curl -sI … | wc -c`), and compare them with the edge's limit"
        }
        Code::OriginWaitErrorStatus => {
            "look for this request in the origin's access log: if it stands there with this status, the origin wrote it"
        }
        Code::OriginWaitTimedOut => "time the same request past the edge, with as much patience as the edge has",
        Code::NetworkSendUnacknowledged => {
            "send a large and a small request past the edge: if only the small one works, it is the packet size on the way"
        }
        _ if is_unknown
            && matches!(
                code.entry().phase,
                Phase::Connect | Phase::OriginTls | Phase::Send | Phase::Wait | Phase::Receive
            ) =>
        {
            "say where the origin is (`--origin ADDR`), and see whether it fails past the edge too"
        }
        _ => match code.entry().phase {
            Phase::Resolve => "ask the zone's authoritative servers themselves (`dig NAME @SERVER`)",
            Phase::Connect => {
                "on the origin, see who listens (`ss -ltnp`), and whether the edge's packets arrive (`tcpdump`)"
            }
            Phase::OriginTls => "look at what each SSL mode makes of the origin's TLS: `rayline tls ADDR --host NAME`",
            Phase::ClientTls => "look at what is presented: `openssl s_client -connect NAME:443 -servername NAME`",
            Phase::Accept => "ask from another network",
            Phase::Send | Phase::Wait | Phase::Receive => "read the origin's error log at this second (`--logs PATH`)",
            Phase::Request
            | Phase::Route
            | Phase::Rules
            | Phase::Worker
            | Phase::Cache
            | Phase::Balance
            | Phase::Reply => "look the request's id up in the edge's log",
        },
    };
    test.to_owned()
}
