//! The search as a step of a diagnosis: whether a rule of the Rayline edge in front makes the request fail, and which.
//!
//! It is taken where that may be so, and left out with the reason where it cannot. It changes nothing: the copies are GET or
//! HEAD, and what visitors are served stays as it is.

use std::fmt::Display;
use std::time::{Duration, Instant};

use rayline_dial::{Dialer, Protocols, Tls};
use rayline_verdict::{Certainty, Party};
use url::Url;

use super::{Bounds, Copies, Culprit, Found, Part, Replays, Reply, Tried, groups, search};
use crate::case::Case;
use crate::conclude::{Conclusion, Outcome, Seen};
use crate::fetch::{Ask, Exchange, Obstacle};
use crate::probe::{Probe, Watcher};
use crate::visit::Sample;

const NAME: &str = "edge.rules";
/// Copies at most: one culprit among 1,000 rules takes about 20.
const COPIES: usize = 120;
/// How long all copies may take together.
const LONGEST: Duration = Duration::from_secs(30);
/// Bytes of a body that are read: only the head tells.
const BODY_BYTES: usize = 4096;

/// What came of switching rules off.
#[derive(Clone, Debug, Default)]
pub struct Bisection {
    /// What the edge's own listener answered to the request as it is.
    pub baseline: Reply,
    /// The rules that can be switched off.
    pub parts: Vec<Part>,
    /// What was found; `None`: it was not looked for, or could not be.
    pub found: Option<Found>,
    /// Copies that were sent.
    pub copies: u64,
    /// What a person reads of it.
    pub probes: Vec<Probe>,
}

impl Bisection {
    /// Rules that make the request fail, each set with whether the request works without it; none unless the search came to
    /// its end.
    pub fn culprits(&self) -> &[Culprit] {
        match &self.found {
            Some(Found::Culprits(culprits)) => culprits,
            Some(Found::NoFailure(_) | Found::Without(_) | Found::Unfinished(_)) | None => &[],
        }
    }

    /// Whether the request fails the same without any rule.
    pub fn clears_rules(&self) -> bool {
        matches!(self.found, Some(Found::Without(Tried::Fails)))
    }

    /// The rules, as they stand in a sentence: `` the rule `a` (rayline.toml:3) ``.
    pub fn named(&self, culprit: &Culprit) -> String {
        let shown: Vec<String> = culprit.of(&self.parts).map(Part::shown).collect();
        match shown.as_slice() {
            [one] => format!("the rule {one}"),
            all => format!("the rules {} together", all.join(" and ")),
        }
    }

    fn said(&self) -> (Option<bool>, String) {
        let Self { baseline, parts, copies, .. } = self;
        let count = parts.len();
        match &self.found {
            None | Some(Found::Unfinished(_)) => {
                (None, format!("which rule it is was not found with {copies} copies in {} s", LONGEST.as_secs()))
            }
            Some(Found::NoFailure(Tried::Works)) => {
                (None, format!("asked at the edge's own listener, it does not fail ({})", baseline.shown()))
            }
            Some(Found::NoFailure(_)) => (None, "copies fail now in one way and now in another".to_owned()),
            Some(Found::Without(Tried::Fails)) => {
                (Some(true), format!("no rule has to do with it: it fails the same with all {count} switched off"))
            }
            Some(Found::Without(_)) => {
                (None, format!("with all {count} rules switched off it fails in another way, which hides what they do"))
            }
            Some(Found::Culprits(culprits)) => {
                let named: Vec<String> = culprits.iter().map(|culprit| self.named(culprit)).collect();
                let is_proof = culprits.last().is_some_and(|last| last.without == Tried::Works);
                let without = if is_proof { "without, it works" } else { "without, it fails in another way" };
                (Some(false), format!("{} of {count} makes it fail; {without}", named.join(", and by itself ")))
            }
        }
    }
}

/// Switches rules off in copies of the request that failed, until those are known that make it fail.
pub async fn look<R: Replays<Error: Display>>(
    (case, dialer): (&Case, &Dialer),
    seen: &Seen,
    conclusion: &Conclusion,
    replays: &R,
    watcher: &dyn Watcher,
) -> Bisection {
    let Some(sample) = failing(seen) else { return Bisection::default() };
    watcher.began(NAME, "switching rules off in copies of the request");
    let began = Instant::now();
    let mut bisection = Bisection::default();
    let (ok, said) = match pointless(case, seen, conclusion) {
        Some(why) => (None, format!("skipped: {why}")),
        None => match halve((case, dialer), &sample.url, replays, watcher, &mut bisection).await {
            Ok(()) => bisection.said(),
            Err(why) => (None, why),
        },
    };
    let mut probe = Probe::new(NAME, ok, began.elapsed(), said);
    if let Some(found) = &bisection.found {
        let culprits = found.culprits().iter().map(|culprit| culprit.to_json(&bisection.parts));
        probe = probe
            .with("found", found.name())
            .with("baseline", bisection.baseline.to_json())
            .with("parts", bisection.parts.len())
            .with("copies", bisection.copies)
            .with("culprits", culprits.collect::<Vec<_>>());
    }
    watcher.ended(&probe);
    bisection.probes.push(probe);
    bisection
}

/// The first request that failed at the edge, once connected.
fn failing(seen: &Seen) -> Option<&Sample> {
    let is_met = |exchange: &Exchange| match &exchange.outcome {
        Ok(_) | Err(Obstacle::Silent { .. }) => true,
        Err(Obstacle::Fault(_)) => false,
    };
    seen.visit.samples.iter().find(|sample| sample.failing.is_some() && is_met(&sample.exchange))
}

/// Why no rule need be looked at; `None` where one may be to blame.
fn pointless(case: &Case, seen: &Seen, conclusion: &Conclusion) -> Option<String> {
    if !matches!(case.method.as_str(), "GET" | "HEAD") {
        return Some(format!("`{}` may change something, and would be sent again and again", case.method));
    }
    let verdict = match (&conclusion.verdict, conclusion.outcome) {
        (Some(verdict), Outcome::Fault) => verdict,
        (_, Outcome::Fine | Outcome::Fault | Outcome::CannotTell) => return None,
    };
    let direct = || seen.direct.iter().flat_map(|direct| &direct.asked);
    // Who fails by himself has no rule to blame.
    let fails_past_edge = direct().next().is_some() && direct().all(|asked| asked.failing.is_some());
    match verdict.party() {
        Party::Visitor => Some(format!("the fault is the visitor's (`{}`)", verdict.code)),
        Party::Origin | Party::Network if fails_past_edge && verdict.certainty == Certainty::Proven => {
            Some(format!("it fails past the edge as well (`{}`), where no rule has a say", verdict.code))
        }
        Party::Origin | Party::Network | Party::Edge | Party::Owner | Party::Policy => None,
    }
}

/// Searches, within the bounds, and leaves what was found in `bisection`.
async fn halve<R: Replays<Error: Display>>(
    (case, dialer): (&Case, &Dialer),
    url: &Url,
    replays: &R,
    watcher: &dyn Watcher,
    bisection: &mut Bisection,
) -> Result<(), String> {
    let in_words = |error: R::Error| error.to_string();
    bisection.parts = replays.parts(url.host_str().unwrap_or_default()).await.map_err(in_words)?;
    if bisection.parts.is_empty() {
        return Err("skipped: the zone has no rules".to_owned());
    }
    let to = replays.listeners(url.scheme()).await.map_err(in_words)?;
    // What the site itself means to say, such as that a page is missing, is no failure.
    let is_good = |reply: &Reply| (100..500).contains(&reply.status) && reply.code.is_none();
    let told = |sent| watcher.went_on(NAME, sent, None);
    let mut copies = Copies::new(replays, (ask(case, url), to, dialer), &is_good, &told);
    bisection.baseline = copies.baseline().await;
    let ids: Vec<&str> = bisection.parts.iter().map(|part| part.id.as_str()).collect();
    let bounds = Bounds { tries: COPIES, ..Bounds::default() };
    let numbers = groups(&bisection.parts);
    let search = search(&numbers, bounds, async |off: &[usize]| {
        let off: Vec<&str> = off.iter().filter_map(|part| ids.get(*part).copied()).collect();
        copies.tried(&off, None).await
    });
    let found = tokio::time::timeout(LONGEST, search).await;
    bisection.copies = copies.sent();
    bisection.found = Some(match found {
        Ok(found) => found.map_err(in_words)?,
        Err(_late) => Found::Unfinished(Vec::new()),
    });
    Ok(())
}

fn ask(case: &Case, url: &Url) -> Ask {
    Ask {
        url: url.clone(),
        method: case.method.clone(),
        fields: case.fields.clone(),
        protocols: Protocols::Http1,
        // this very edge is asked: who it is needs no proof
        tls: if url.scheme() == "https" { Tls::Full } else { Tls::Off },
        timeout: case.timeout,
        body_bytes: BODY_BYTES,
    }
}
