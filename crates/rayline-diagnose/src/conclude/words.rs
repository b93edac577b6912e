//! The conclusion in words: sentence, clues, fix, next steps, hypotheses.

mod hypotheses;

use rayline_verdict::{Certainty, Code, Fact, Party, Phase, Verdict};

pub(super) use self::hypotheses::{of_plain, of_weighed};

use super::evidence::page::{lasting, words};
use super::scene::{PATIENCE, Scene, Symptom};
use super::{Hop, Hypothesis};
use crate::bisect::Culprit;
use crate::logs::Named;
use crate::visit::Sample;

/// The most clues and steps that are told.
const MOST: usize = 8;

/// From which likelihood on the first of several explanations is named as the likeliest.
const LIKELIEST: f64 = 0.4;

/// Whose fault it is.
pub(super) fn sentence(
    scene: &Scene<'_>,
    symptom: &Symptom<'_>,
    verdict: &Verdict,
    cause: Option<&Named>,
    hop: Hop,
) -> String {
    let proven = verdict.certainty == Certainty::Proven;
    let often = often(scene).map(|often| format!("; it {often}")).unwrap_or_default();
    if let Symptom::Unresolved(_) = symptom {
        return format!("{}{often}.", unresolved(scene, verdict, hop));
    }
    if let (Symptom::NoAnswer(sample, _), Phase::Resolve) = (symptom, verdict.phase()) {
        let host = sample.url.host_str().unwrap_or_default();
        return format!("A redirect leads nowhere: {}{often}.", nowhere(verdict, host));
    }
    if verdict.party() == Party::Policy {
        let number = symptom.number();
        let shown = if number == 0 { String::new() } else { format!(" ({} {number})", scene.edge_name()) };
        return format!("Nothing is broken: a rule of the site turned this request away{shown}.");
    }
    let (who, plural) = who(scene, verdict.party(), hop);
    let what = what(scene, symptom, verdict, cause, hop);
    let verb = if plural { "are" } else { "is" };
    let probably = if proven { "" } else { " probably" };
    match symptom.elsewhere(scene) {
        Some(place) => {
            let who = who.strip_prefix("The ").map_or(who.clone(), |rest| format!("the {rest}"));
            let blame = format!("{who} {verb}{probably} at fault: {what}");
            format!("After a redirect to `{place}`, {}{often}.", blame.replace("the site's server", "the server there"))
        }
        None => format!("{who} {verb}{probably} at fault: {what}{often}."),
    }
}

/// Who, and whether that is a plural.
fn who(scene: &Scene<'_>, party: Party, hop: Hop) -> (String, bool) {
    let here = if scene.edge.is_some() { scene.edge_name() } else { "here" };
    match (party, hop) {
        (Party::Origin, Hop::App) => ("The application on the site's server".to_owned(), false),
        (Party::Origin, _) => ("The site's server".to_owned(), false),
        (Party::Network, _) => (format!("The network between {here} and the site's server"), false),
        (Party::Owner, Hop::Origin | Hop::App) => ("The settings of the site's server".to_owned(), true),
        (Party::Owner | Party::Policy, _) => match scene.edge.and_then(|edge| edge.name) {
            Some(name) => (format!("The site's settings at {name}"), true),
            None => ("The site's settings".to_owned(), true),
        },
        (Party::Edge, _) => (capital(scene.edge_name()), false),
        (Party::Visitor, _) => ("The visitor's side".to_owned(), false),
    }
}

/// What happened, with the cause in place of what it looks like from outside, where one is known.
fn what(scene: &Scene<'_>, symptom: &Symptom<'_>, verdict: &Verdict, cause: Option<&Named>, hop: Hop) -> String {
    if let Some(named) = cause {
        let place = match &named.place {
            Some(place) => format!("{} at {place}", named.source),
            None => named.source.to_owned(),
        };
        return format!("{} ({place})", words(named.cause.row().sentence));
    }
    if verdict.code == Code::OriginWaitErrorStatus {
        return error_status(scene, symptom, verdict, hop);
    }
    let said = words(verdict.sentence());
    match (verdict.party(), hop) {
        (Party::Origin, Hop::Origin | Hop::App) => said
            .replace("the site's server's", "its")
            .replace("of the site's server", "that it shows")
            .replace("the site's server", "it"),
        _ => said,
    }
}

/// That the site's server answers with an error, and with which: past the edge that may be another one.
fn error_status(scene: &Scene<'_>, symptom: &Symptom<'_>, verdict: &Verdict, hop: Hop) -> String {
    let met = symptom.answer().map(|answer| answer.status);
    let own = own_status(verdict);
    let by = symptom.sample().and_then(|sample| sample.recognition.author.as_ref()).map(|mark| mark.name);
    match (own.or(met), by) {
        (Some(own), _) if scene.edge.is_some() && met.is_some_and(|met| met != own) => {
            format!("asked past {}, it answers with {own} itself", scene.edge_name())
        }
        (Some(status @ (502 | 504)), Some(name))
            if hop == Hop::App && scene.edge.and_then(|edge| edge.name) != Some(name) =>
        {
            format!("{name} gets no good answer from it, and says {status}")
        }
        (Some(status), _) => format!("it answers with {status} itself"),
        (None, _) => "it answers with an error itself".to_owned(),
    }
}

/// The status that the verdict has of the site's server.
fn own_status(verdict: &Verdict) -> Option<u16> {
    verdict.evidence.facts().iter().find_map(|fact| {
        let Fact::OriginStatus(status) = fact else { return None };
        Some(*status)
    })
}

fn unresolved(scene: &Scene<'_>, verdict: &Verdict, hop: Hop) -> String {
    let host = scene.case.host();
    if hop == Hop::You && verdict.code != Code::NetworkResolveUnreachable {
        return format!("The resolver used here does not find `{host}`, and the zone's own servers do");
    }
    if scene.seen.network.as_ref().is_some_and(|network| network.dns.dnssec) {
        return format!(
            "`{host}` has addresses, and its zone's signatures (DNSSEC) are broken: the domain's owner has to mend them"
        );
    }
    nowhere(verdict, host)
}

/// Why a name leads nowhere.
fn nowhere(verdict: &Verdict, host: &str) -> String {
    match verdict.code {
        Code::OwnerResolveNxdomain => {
            format!("`{host}` does not exist in DNS: the domain's owner has to create or mend its record")
        }
        Code::OwnerResolveNoAddress => {
            format!("`{host}` exists in DNS and has no address: the domain's owner has to add one")
        }
        Code::OwnerResolveAliasLoop => {
            format!("`{host}` is an alias that leads in a circle: the domain's owner has to mend it")
        }
        Code::NetworkResolveUnreachable => {
            format!("No name server can be reached from here: nothing is known of `{host}`")
        }
        _ => format!(
            "`{host}` cannot be looked up: {}",
            words(verdict.sentence()).replace("where the site's server is", "where it is")
        ),
    }
}

/// `fails in 7 of 20 requests (18 to 57 %)`; `None` if it always does.
pub(super) fn often(scene: &Scene<'_>) -> Option<String> {
    let rate = scene.seen.visit.rate.filter(|rate| rate.failed > 0 && rate.failed < rate.of)?;
    let percent = |share: f64| (share.clamp(0.0, 1.0) * 100.0).round();
    let (low, high) = rate.between;
    Some(format!("fails in {} of {} requests ({} to {} %)", rate.failed, rate.of, percent(low), percent(high)))
}

/// That it fails and nothing tells why.
pub(super) fn cannot_tell(scene: &Scene<'_>, symptom: &Symptom<'_>, hypotheses: &[Hypothesis]) -> String {
    let host = scene.case.host();
    match symptom {
        Symptom::NothingAsked => return format!("Nothing could be asked of `{host}`."),
        Symptom::NoAnswer(_, verdict) if super::scene::is_ours(verdict.code) => {
            let why = words(verdict.sentence()).replace("the edge's", "this").replace("the edge", "this machine");
            return format!("This machine cannot reach `{host}`, which says nothing of the site: {why}.");
        }
        Symptom::Slow(_, waited) if symptom.is_short_silence(scene) => {
            let waited = lasting(*waited);
            return format!(
                "`{host}` has not answered within {waited}, and may yet: whether it is at fault cannot be told."
            );
        }
        _ => {}
    }
    let met = match symptom.number() {
        0 => "It fails".to_owned(),
        number => format!("It fails with {number}"),
    };
    let likeliest = hypotheses.first().filter(|first| first.likelihood >= LIKELIEST);
    let first = likeliest.map(|first| format!("; likeliest so far: {}", words(&first.sentence))).unwrap_or_default();
    format!("{met}, and what was seen does not tell whose fault it is{first}.")
}

/// How to see whether what is only slow answers at last.
pub(super) fn patience(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<String> {
    symptom.is_short_silence(scene).then(|| {
        format!(
            "wait for longer than edges do (`--timeout 120s`): they give up after {} or so, and what answers by then is \
             slow and does not fail",
            lasting(PATIENCE)
        )
    })
}

/// That nothing fails.
pub(super) fn fine(scene: &Scene<'_>) -> String {
    let samples = &scene.seen.visit.samples;
    let status =
        samples.iter().rev().find_map(|sample| sample.exchange.outcome.as_ref().ok()).map(|answer| answer.status);
    match (samples.len(), status) {
        (1, Some(status)) => format!("Nothing fails: the site answered ({status})."),
        (count, Some(status)) => format!("Nothing fails: all {count} requests were answered ({status})."),
        (_, None) => "Nothing fails.".to_owned(),
    }
}

/// What visitors see, by which ways.
pub(super) fn seen_by_visitors(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<String> {
    let samples = || scene.seen.visit.samples.iter();
    let (failing, well): (Vec<&Sample>, Vec<&Sample>) = samples().partition(|sample| sample.failing.is_some());
    symptom.sample()?;
    if well.is_empty() {
        return None;
    }
    let only =
        |on: fn(&Sample) -> bool| failing.iter().all(|sample| on(sample)) && !well.iter().any(|sample| on(sample));
    let way = if only(|sample| sample.way.ipv6) {
        "over IPv6 alone, by IPv4 it works"
    } else if only(|sample| !sample.way.ipv6) {
        "over IPv4 alone, by IPv6 it works"
    } else if only(|sample| sample.way.http2) {
        "over HTTP/2 alone, by HTTP/1.1 it works"
    } else if only(|sample| !sample.way.http2) {
        "over HTTP/1.1 alone, by HTTP/2 it works"
    } else {
        return often(scene).map(|often| format!("it {often}"));
    };
    Some(format!("it fails {way}"))
}

/// What visitors meet before they see the rest.
pub(super) fn besides(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<String> {
    let verdict = scene.seen.visit.certificate.as_ref()?;
    let told = matches!(symptom, Symptom::Certificate(_));
    (!told).then(|| {
        format!("besides, browsers do not take the certificate that visitors are shown: {}", words(verdict.sentence()))
    })
}

/// What befalls visitors with long requests on this way to the edge, whatever the site does.
pub(super) fn hole_before_edge(scene: &Scene<'_>) -> Option<String> {
    let address = scene.hole_before_edge()?;
    let edge = scene.edge_name();
    Some(format!(
        "besides, large packets vanish between this machine and {edge} at {address}: on this way requests with long cookies \
         or uploads stand still, which is not the site's doing"
    ))
}

/// What to do: what mends the cause first. Steps for another status than the one that was met are left out.
pub(super) fn fix(scene: &Scene<'_>, symptom: &Symptom<'_>, verdict: &Verdict, cause: Option<&Named>) -> Vec<String> {
    let redirect = symptom.elsewhere(scene).map(|place| {
        format!(
            "if `{place}` is not where the site should send its visitors, correct the redirect; else mend it there:"
        )
    });
    let cause = cause.map(|named| named.cause.row().fix).unwrap_or_default();
    let status = own_status(verdict).or(symptom.answer().map(|answer| answer.status));
    // The table's steps for this code are for a name that an edge connects to.
    let is_visited = verdict.code == Code::OwnerResolveNxdomain && symptom.answer().is_none();
    let create = is_visited.then(|| {
        let host = symptom.sample().and_then(|sample| sample.url.host_str()).unwrap_or(scene.case.host());
        format!("create the record of `{host}` at the domain's DNS host, or correct the name")
    });
    let known = verdict.code.entry().fix.iter().enumerate();
    let fitting = known.filter(|(place, step)| {
        is_for(step, status)
            && !(is_visited && step.contains("CNAME"))
            && (*place == 0 || !is_rayline_only(scene, step))
    });
    let steps = cause.iter().chain(fitting.map(|(_, step)| step)).map(|step| (*step).to_owned());
    distinct(redirect.into_iter().chain(create).chain(rules(scene, verdict)).chain(steps))
}

/// What to do about each rule that makes the request fail.
fn rules(scene: &Scene<'_>, verdict: &Verdict) -> Vec<String> {
    let Some(bisection) = scene.seen.rules.as_ref().filter(|_| verdict.phase() == Phase::Rules) else {
        return Vec::new();
    };
    let step = |culprit: &Culprit| match verdict.party() {
        Party::Policy => format!(
            "if visitors like this one should get in, narrow {}; `rayline trace` shows where it fits",
            bisection.named(culprit)
        ),
        _ => format!("correct {}, or switch it off for now with `enabled = false`", bisection.named(culprit)),
    };
    bisection.culprits().iter().map(step).collect()
}

/// Whether a step is about a setting of Rayline's, and another edge or none is in front.
fn is_rayline_only(scene: &Scene<'_>, step: &str) -> bool {
    const SETTINGS: &[&str] = &[
        "under `[",
        "`ssl",
        "`origin_",
        "`proxy_read_timeout`",
        "`write_timeout`",
        "`allow_private_origins",
        "zone's settings",
    ];
    !scene.is_rayline() && SETTINGS.iter().any(|setting| step.contains(setting))
}

/// Whether a step is for this status: `For 502 and 504: ...` is for these two.
fn is_for(step: &str, status: Option<u16>) -> bool {
    match (step.strip_prefix("For ").and_then(|rest| rest.split_once(':')), status) {
        (Some((numbers, _)), Some(status)) if numbers.contains(|letter: char| letter.is_ascii_digit()) => {
            numbers.contains(&status.to_string())
        }
        _ => true,
    }
}

/// What would make it surer.
pub(super) fn next(scene: &Scene<'_>, verdict: Option<&Verdict>, cause: Option<&Named>) -> Vec<String> {
    let seen = scene.seen;
    let open = verdict.is_none_or(|verdict| verdict.certainty == Certainty::Inferred);
    // What a handshake shows needs no log.
    let logged = verdict.is_none_or(|verdict| verdict.party() == Party::Origin && verdict.phase() != Phase::OriginTls);
    let mut steps: Vec<String> = Vec::new();
    if scene.edge.is_some() && seen.direct.is_none() && open {
        steps.push(format!(
            "say where the origin is (`--origin ADDR`): the same request past {} tells whether the origin fails by itself",
            scene.edge_name()
        ));
    }
    if open && scene.edge.is_none() && verdict.is_some_and(|verdict| verdict.code == Code::OriginWaitErrorStatus) {
        let failing = seen.visit.samples.iter().filter(|sample| sample.failing.is_some());
        let by = failing.filter_map(|sample| sample.recognition.author.as_ref()).map(|mark| mark.name).next();
        steps.push(format!(
            "if another server stands behind {}, give it as `--origin ADDR`: the same request past this one tells which of them fails",
            by.unwrap_or("the one that answers")
        ));
    }
    if logged && cause.is_none() {
        let given = seen.logs.is_some() || seen.host.is_some();
        steps.push(if given {
            "look into the application's own log: the logs given name no cause for this request".to_owned()
        } else {
            "give the origin's logs (`--logs PATH`), or run this on the origin (`--here`): they name the cause"
                .to_owned()
        });
    }
    if open {
        steps.extend(seen.edge.iter().flat_map(|side| side.steps.iter().cloned()));
    }
    steps.extend(seen.host.iter().flat_map(|host| host.unseen.iter().cloned()));
    if let Some(line) = seen.logs.as_ref().and_then(|logs| logs.format_hint.as_ref()) {
        steps.push(format!("log the Ray ID from now on, so that a request can be found by it: `{line}`"));
    }
    distinct(steps.into_iter())
}

/// What is worth knowing where nothing fails.
pub(super) fn notes(scene: &Scene<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let failing = scene.seen.direct.iter().flat_map(|direct| &direct.asked).find(|asked| asked.failing.is_some());
    if let Some(asked) = failing {
        notes.push(match scene.edge {
            Some(_) => format!(
                "past the edge the origin does not answer well ({}): the edge may serve from its cache",
                asked.address
            ),
            None => format!(
                "the origin that was named does not answer well ({}): visitors are served from elsewhere, or by a cache",
                asked.address
            ),
        });
    }
    let unfound = scene.seen.direct.iter().flat_map(|direct| &direct.probes);
    notes.extend(unfound.filter(|probe| probe.name == "direct.name").map(|probe| probe.said.clone()));
    notes.extend(hole_before_edge(scene));
    notes.extend(super::evidence::inside::named(scene).take(3).map(|named| {
        format!("not needed for an answer now, but worth a look: {}", super::evidence::inside::said(named))
    }));
    distinct(notes.into_iter())
}

/// Each once, in their order, and not too many.
pub(super) fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in all.filter(|text| !text.is_empty()) {
        if kept.len() < MOST && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    // A name keeps its own way of writing: nginx.
    if text.starts_with("the ") { first.into_iter().chain(letters).collect() } else { text.to_owned() }
}
