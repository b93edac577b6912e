//! Where nothing need be weighed: who was asked is who is to blame, or nobody is.

use std::time::Duration;

use rayline_verdict::attribute::told;
use rayline_verdict::{Code, Evidence, Fact, Phase, Verdict};
use url::Url;

use super::Hop;
use super::candidates;
use super::evidence::inside;
use super::evidence::page::{lasting, words};
use super::scene::{PATIENCE, Scene, Symptom, is_before_request, is_ours};
use crate::author::{Mark, Role};
use crate::fetch::Answer;
use crate::tls::{End, Mode};
use crate::visit::{Loop, Sample};

/// The most that a page by nobody in particular is said to stand for.
const MOST_RIVALS: usize = 4;

/// A verdict that is reached without weighing.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) verdict: Verdict,
    /// Where, if the party does not say it.
    pub(super) hop: Option<Hop>,
    pub(super) clues: Vec<String>,
}

impl Plain {
    fn new(verdict: Verdict, clue: impl Into<String>) -> Self {
        Self { verdict, hop: None, clues: vec![clue.into()] }
    }

    fn at(self, hop: Hop) -> Self {
        Self { hop: Some(hop), ..self }
    }
}

/// What is plain; `None`: it must be weighed, or there is nothing to blame anybody for.
pub(super) fn find(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<Plain> {
    match (*symptom, scene.edge.is_some()) {
        (Symptom::Unresolved(verdict), _) => Some(unresolved(scene, verdict)),
        (Symptom::Looping(looping), _) => Some(redirects(scene, looping)),
        (Symptom::Certificate(verdict), true) => Some(at_edge(scene, verdict)),
        (Symptom::Certificate(verdict), false) => {
            let clue = format!("browsers do not take what the server shows them: {}", words(verdict.sentence()));
            Some(Plain::new(verdict.clone(), clue))
        }
        (Symptom::NoAnswer(_, verdict), _) if is_ours(verdict.code) => None,
        (Symptom::NoAnswer(_, verdict), _) if verdict.phase() == Phase::Resolve => {
            let clue = itself(scene, symptom, words(verdict.sentence()));
            Some(Plain::new(verdict.clone(), clue).at(Hop::You))
        }
        (Symptom::NoAnswer(_, verdict), true) if is_before_request(verdict.code) => Some(at_edge(scene, verdict)),
        (Symptom::NoAnswer(_, verdict) | Symptom::Body(_, verdict), false) => {
            Some(Plain::new(patient(verdict), itself(scene, symptom, words(verdict.sentence()))))
        }
        (Symptom::Status(sample, answer), false) => Some(status(scene, symptom, sample, answer)),
        (Symptom::Blank(_, answer), false) => {
            let verdict = told(Code::OriginWaitBlank, answer.status, Vec::new(), Evidence::default());
            Some(
                Plain::new(verdict, itself(scene, symptom, format!("it answers {} without a byte", answer.status)))
                    .at(Hop::App),
            )
        }
        (Symptom::Slow(_, waited), false) if waited >= PATIENCE => {
            let verdict = told(Code::OriginWaitTimedOut, 0, Vec::new(), Evidence::default());
            let clue = itself(scene, symptom, format!("it took the request, and nothing came in {}", lasting(waited)));
            Some(Plain::new(verdict, clue))
        }
        (
            Symptom::NoAnswer(..)
            | Symptom::Status(..)
            | Symptom::Refused(..)
            | Symptom::Blank(..)
            | Symptom::Body(..)
            | Symptom::Slow(..)
            | Symptom::NothingAsked
            | Symptom::Fine,
            _,
        ) => None,
    }
}

/// The verdict of a probe, inferred where it was the probe that lost its patience: it has less than an edge has, and what is
/// slow may end well, or have got lost on the way.
fn patient(verdict: &Verdict) -> Verdict {
    let limit = verdict.evidence.facts().iter().find_map(|fact| match fact {
        Fact::Timer { limit_ms, .. } => Some(Duration::from_millis(*limit_ms)),
        _ => None,
    });
    let is_hasty = verdict.code == Code::OriginReceiveTimedOut && limit.is_none_or(|limit| limit < PATIENCE);
    let rivals = if is_hasty { vec![Code::NetworkReceiveLost, Code::OriginReceiveTruncated] } else { Vec::new() };
    verdict.clone().with_rivals(rivals)
}

/// What is seen of the server itself: the site's, or the one that a redirect led to.
fn itself(scene: &Scene<'_>, symptom: &Symptom<'_>, what: impl std::fmt::Display) -> String {
    match symptom.elsewhere(scene) {
        Some(place) => format!("a redirect leads to `{place}`, and there: {what}"),
        None => format!("no edge is seen in front of the site's server: {what}"),
    }
}

/// An error that the server itself answers with, as it seems.
fn status(scene: &Scene<'_>, symptom: &Symptom<'_>, sample: &Sample, answer: &Answer) -> Plain {
    let mut evidence = Evidence::default();
    evidence.add(Fact::OriginStatus(answer.status));
    let rivals = if is_of_origin(scene, sample, answer) { Vec::new() } else { behind_it(sample, answer) };
    let verdict = told(Code::OriginWaitErrorStatus, answer.status, rivals, evidence);
    let author = sample.recognition.author.as_ref();
    let by = author.map(|mark| format!(", written by {} ({})", mark.name, mark.rule)).unwrap_or_default();
    let clue = itself(scene, symptom, format!("it answers {}{by}", answer.status));
    Plain { hop: author.and_then(|mark| behind(mark, answer.status)), ..Plain::new(verdict, clue) }
}

/// When the answer says that it will be well again, as sites in maintenance do (RFC 9110 §10.2.3).
pub(super) fn retry_after(answer: &Answer) -> Option<String> {
    let value = answer.field("retry-after").filter(|_| answer.status == 503)?;
    let shown: String =
        value.trim().chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').take(40).collect();
    let unit = if shown.bytes().all(|byte| byte.is_ascii_digit()) { " s" } else { "" };
    (!shown.is_empty())
        .then(|| format!("it says when to come back (`Retry-After`: {shown}{unit}), as in maintenance or overload"))
}

/// Whether an error is the origin's own: somebody says that this server is the origin, its logs have it, or who wrote it is
/// none that stands in front of others. A web server may: then its page tells of an origin that nobody has seen yet.
fn is_of_origin(scene: &Scene<'_>, sample: &Sample, answer: &Answer) -> bool {
    let is_gateway = match sample.recognition.author.as_ref().map(|mark| mark.role) {
        Some(Role::Application) => false,
        Some(Role::Server | Role::Edge) => true,
        None => matches!(answer.status, 502..=504),
    };
    let is_said = scene.seen.direct.as_ref().is_some_and(|direct| !direct.asked.is_empty());
    !is_gateway || is_said || inside::has_error(scene)
}

/// What such a page may tell of the server behind.
fn behind_it(sample: &Sample, answer: &Answer) -> Vec<Code> {
    let page = sample.recognition.told.iter().flat_map(|told| told.codes.iter().copied());
    let usual = candidates::by_status(answer.status).iter().map(|(code, _)| *code);
    let mut rivals: Vec<Code> = Vec::new();
    for code in page.chain(usual).filter(|code| *code != Code::OriginWaitErrorStatus) {
        if rivals.len() < MOST_RIVALS && !rivals.contains(&code) {
            rivals.push(code);
        }
    }
    rivals
}

/// Where an answer was made whose author is known, where that is not the server: in the application, also if a web server
/// says that it got no good answer from there.
pub(super) fn behind(author: &Mark, status: u16) -> Option<Hop> {
    match author.role {
        Role::Application => Some(Hop::App),
        Role::Server | Role::Edge if matches!(status, 502 | 504) => Some(Hop::App),
        Role::Server | Role::Edge => None,
    }
}

fn unresolved(scene: &Scene<'_>, verdict: &Verdict) -> Plain {
    let zone = scene.seen.network.as_ref().map(|network| network.dns.authoritative.as_slice()).unwrap_or_default();
    let found = zone.iter().find(|(_, answered)| !answered.addresses.is_empty());
    let host = scene.case.host();
    let plain = Plain::new(verdict.clone(), format!("looking up `{host}`: {}", words(verdict.sentence())));
    match found {
        // The zone is fine: it is the way to its answer, or an old one that is still kept.
        Some((server, _)) => {
            let clue =
                format!("the zone's own server {server} has addresses for `{host}`, and the resolver here gives none");
            let rivals = vec![Code::NetworkResolveServfail];
            let verdict = match verdict.code {
                Code::OwnerResolveNxdomain | Code::OwnerResolveNoAddress => verdict.clone().with_rivals(rivals),
                _ => verdict.clone(),
            };
            Plain { verdict, clues: vec![clue], ..plain }.at(Hop::You)
        }
        None if matches!(verdict.code, Code::NetworkResolveUnreachable) => plain.at(Hop::You),
        None => plain,
    }
}

/// What the edge does to a visitor who wants to connect.
fn at_edge(scene: &Scene<'_>, verdict: &Verdict) -> Plain {
    use Code as C;
    let (code, rivals) = match verdict.code {
        C::OriginConnectRefused => (C::EdgeAcceptRefused, vec![C::NetworkConnectProhibited]),
        C::OriginTlsReset | C::OriginTlsClosed => {
            (C::EdgeAcceptRefused, vec![C::NetworkConnectProhibited, C::OwnerClientTlsNoCertificate])
        }
        C::NetworkConnectTimedOut | C::OriginTlsTimedOut | C::NetworkSendUnacknowledged => {
            (C::EdgeAcceptTimedOut, vec![C::NetworkConnectUnreachable])
        }
        C::OriginTlsCertificateExpired => (C::OwnerClientTlsCertificateExpired, Vec::new()),
        C::OriginTlsNameMismatch | C::OriginTlsNameOnlyInCommonName => (C::OwnerClientTlsNameMismatch, Vec::new()),
        C::OriginTlsSelfSigned
        | C::OriginTlsUnknownIssuer
        | C::OriginTlsMissingIntermediate
        | C::OriginTlsCertificateNotYetValid
        | C::OriginTlsRevoked
        | C::OriginTlsWrongUsage
        | C::OriginTlsCertificateInvalid => (C::OwnerClientTlsUntrusted, Vec::new()),
        C::OriginTlsSniRefused => (C::OwnerClientTlsNoCertificate, Vec::new()),
        // An edge that has no certificate for the name says so in many ways.
        C::OriginTlsAlert | C::OriginTlsNoCommonCipher | C::OriginTlsPlainHttp | C::OriginTlsMalformed => {
            (C::OwnerClientTlsNoCertificate, vec![C::VisitorClientTlsNoCommonCipher])
        }
        C::OriginTlsNoCommonVersion => (C::VisitorClientTlsNoCommonVersion, vec![C::OwnerClientTlsNoCertificate]),
        // What a router said is the same whoever is at its end.
        other => (other, verdict.rivals.clone()),
    };
    let clue = format!("the connection to {} itself fails: {}", scene.edge_name(), in_words_of_edge(verdict));
    Plain::new(told(code, 0, rivals, verdict.evidence.clone()), clue)
}

/// The probe's sentence speaks of the site's server, which is the edge here.
fn in_words_of_edge(verdict: &Verdict) -> String {
    words(verdict.sentence()).replace("the site's server", "it")
}

fn redirects(scene: &Scene<'_>, looping: &Loop) -> Plain {
    let evidence = Evidence::default();
    let circle: Vec<String> = looping.urls.iter().take(4).map(without_values).collect();
    let clue = format!("the redirects go in a circle: {}", circle.join(" → "));
    let report = scene.seen.tls.as_ref().and_then(|report| report.mode(Mode::Flexible));
    let by_mode = report.is_some_and(|report| matches!(report.https.end, End::RedirectLoop));
    let alone = past_edge_too(scene, looping);
    let proven = |clue: String, more: Option<&str>| {
        let plain = Plain::new(told(Code::OwnerRouteRedirectLoop, 0, Vec::new(), evidence.clone()), clue);
        let clues = plain.clues.into_iter().chain(more.map(str::to_owned)).collect();
        Plain { clues, ..plain }
    };
    if scene.edge.is_none() {
        return proven(clue, Some("the site's address is the server itself: it alone redirects")).at(Hop::Origin);
    }
    if looping.flexible && by_mode {
        return proven(
            clue,
            Some("the origin sends plain HTTP to HTTPS: under the SSL mode `flexible` that never ends"),
        );
    }
    let rivals = vec![Code::OriginWaitErrorStatus];
    let verdict = told(Code::OwnerRouteRedirectLoop, 0, rivals, evidence.clone());
    let plain = Plain::new(verdict, clue);
    match alone {
        true => Plain {
            clues: plain
                .clues
                .into_iter()
                .chain(["past the edge the origin redirects to the same address".to_owned()])
                .collect(),
            ..plain
        }
        .at(Hop::Origin),
        false => plain,
    }
}

/// A URL as it may be repeated: a query may hold secrets.
fn without_values(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    if url.query().is_some() { format!("{bare}?…") } else { bare.to_string() }
}

/// Whether the origin, asked by HTTPS, sends the visitor to an address of the circle.
fn past_edge_too(scene: &Scene<'_>, looping: &Loop) -> bool {
    let Some(direct) = &scene.seen.direct else { return false };
    direct.asked.iter().filter(|asked| asked.scheme == scene.case.scheme()).any(|asked| {
        let location = asked.exchange.outcome.as_ref().ok().and_then(|answer| answer.field("location"));
        location.and_then(|location| scene.case.url.join(&location).ok()).is_some_and(|url| looping.urls.contains(&url))
    })
}
