//! What the answer itself says, and the edge's record of it.

use std::time::Duration;

use rayline_verdict::{Certainty, Code, Party, Phase};

use super::{Observation, What};
use crate::author::{Mark, Role, Told};
use crate::conclude::scene::{RAYLINE, Scene, Symptom};
use crate::visit::Sample;

pub(super) fn observe(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Vec<Observation> {
    let mut all = Vec::new();
    let recorded = recorded(scene, symptom);
    let is_recorded = recorded.is_some();
    all.extend(recorded);
    all.extend(met(symptom));
    let Some(sample) = symptom.sample().filter(|_| symptom.answer().is_some()) else { return all };
    match (sample.recognition.author.as_ref(), symptom) {
        _ if is_recorded => {}
        (Some(author), Symptom::Status(..) | Symptom::Refused(..)) if author.role == Role::Application => {
            all.push(wrote(What::AppWrote, author).of(Code::OriginWaitErrorStatus));
        }
        // The head is the application's; where the body went, it does not tell.
        (Some(author), Symptom::Blank(..)) if author.role == Role::Application => {
            all.push(wrote(What::AppWrote, author).of(Code::OriginWaitBlank).counting(0.5));
        }
        (Some(author), _) if author.role == Role::Application => {}
        (Some(author), _) if is_behind(scene, sample, author) => {
            all.push(wrote(What::BehindWrote, author).of(Code::OriginWaitErrorStatus));
        }
        (Some(author), _) => all.extend(told(symptom, author, sample.recognition.told.as_ref())),
        (None, Symptom::Status(_, answer)) => {
            let sentence = format!("nobody signed the page with {}: edges pass on what they are given", answer.status);
            all.push(Observation::new(What::Passed, sentence).of(Code::OriginWaitErrorStatus));
        }
        (None, _) => {}
    }
    all
}

/// What the visitor's own connection shows.
fn met(symptom: &Symptom<'_>) -> Option<Observation> {
    let seen = |sentence: String| Observation::new(What::Met, sentence);
    match symptom {
        Symptom::NoAnswer(_, verdict) | Symptom::Body(_, verdict) => {
            let sentence = format!("a visitor's connection showed it: {}", words(verdict.sentence()));
            // An edge hands a broken body on as it comes; for a broken head it has pages.
            let share = if verdict.phase() == Phase::Receive { 1.0 } else { 0.25 };
            Some(seen(sentence).judged(verdict).counting(share))
        }
        Symptom::Slow(_, waited) => {
            let sentence = format!("visitors get no answer within {}, and no error either", lasting(*waited));
            Some(seen(sentence).of(Code::OriginWaitTimedOut).counting(0.75))
        }
        Symptom::Blank(_, answer) => {
            let sentence = format!("visitors get {} without a byte", answer.status);
            Some(seen(sentence).of(Code::OriginWaitBlank).counting(0.75))
        }
        Symptom::Status(..)
        | Symptom::Refused(..)
        | Symptom::Unresolved(_)
        | Symptom::NothingAsked
        | Symptom::Fine
        | Symptom::Certificate(_)
        | Symptom::Looping(_) => None,
    }
}

/// What a Rayline edge says, in its record or in its answer's head.
fn recorded(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<Observation> {
    let record = scene.seen.edge.as_ref().and_then(|side| side.record.as_ref());
    let word = |name: &str| record.and_then(|record| record.get(name)).and_then(serde_json::Value::as_str);
    if let Some(code) = word("VerdictCode").and_then(Code::find) {
        let proven = word("VerdictCertainty") == Some(Certainty::Proven.name());
        let sentence = format!("the edge recorded this request as `{code}`: {}", words(code.entry().sentence));
        return Some(Observation::new(recorded_as(code, proven), sentence).of(code));
    }
    let sample = symptom.sample()?;
    let marks = sample.recognition.author.iter().chain(&sample.recognition.passed);
    let [code] = sample.recognition.told.as_ref()?.codes.as_slice() else { return None };
    marks.into_iter().find(|mark| mark.name == RAYLINE)?;
    let sentence = format!("the edge's answer names `{code}`: {}", words(code.entry().sentence));
    Some(Observation::new(recorded_as(*code, code.entry().rivals.is_empty()), sentence).of(*code))
}

fn recorded_as(code: Code, proven: bool) -> What {
    match (proven, code) {
        (true, Code::OriginConnectRefused) => What::RecordedRefused,
        (true, _) => What::Recorded,
        (false, _) => What::RecordedLikely,
    }
}

/// Whether who wrote the page stands behind the edge: it is none itself, and the edge is known to be another.
fn is_behind(scene: &Scene<'_>, sample: &Sample, author: &Mark) -> bool {
    let error = sample.exchange.outcome.as_ref().is_ok_and(|answer| answer.status >= 500);
    error
        && author.role == Role::Server
        && scene.edge.is_some_and(|edge| edge.is_known && edge.name != Some(author.name))
}

fn wrote(what: What, author: &Mark) -> Observation {
    Observation::new(what, format!("{} wrote the page ({})", author.name, author.rule))
}

/// The codes that an edge's page leaves, the likeliest first.
fn told(symptom: &Symptom<'_>, author: &Mark, told: Option<&Told>) -> Vec<Observation> {
    let number = told.and_then(|told| told.number);
    let status = symptom.answer().map(|answer| answer.status).unwrap_or_default();
    let mut codes = told.map(|told| told.codes.clone()).unwrap_or_default();
    if codes.is_empty() && matches!(symptom, Symptom::Refused(..)) {
        codes.push(Code::PolicyRulesRefused);
    }
    let says = match (number, told.map(|told| told.words.as_str()).filter(|words| !words.is_empty())) {
        (Some(number), Some(said)) => format!("{} says {number} ({said})", author.name),
        (Some(number), None) => format!("{} says {number}", author.name),
        (None, Some(said)) => format!("{} says `{said}` ({status})", author.name),
        (None, None) => format!("{} wrote the page with {status}", author.name),
    };
    // What is no edge does not speak for one.
    let speaks = |code: &Code| author.role == Role::Edge || code.entry().party != Party::Edge;
    codes.retain(speaks);
    let alone = codes.len() == 1;
    let place = |(rank, code): (usize, &Code)| {
        let what = match rank {
            _ if author.role == Role::Edge && is_edges_own(*code) && alone => What::ToldOfItself,
            0 => What::Told,
            _ => What::ToldToo,
        };
        Observation::new(what, says.clone()).of(*code)
    };
    codes.iter().enumerate().map(place).collect()
}

/// Whether an edge says of itself or its settings that this happened, and not of what it met at the origin.
fn is_edges_own(code: Code) -> bool {
    let entry = code.entry();
    let at_edge = matches!(entry.party, Party::Owner | Party::Policy | Party::Visitor | Party::Edge);
    at_edge && entry.phase != Phase::Resolve && entry.rivals.is_empty() || entry.party == Party::Edge
}

/// A time as a person says it: `5 s`, and below a second `100 ms`.
pub(in crate::conclude) fn lasting(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds => format!("{seconds} s"),
    }
}

/// A sentence of the table inside another one.
pub(in crate::conclude) fn words(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut letters = sentence.chars();
    let Some(first) = letters.next() else { return String::new() };
    // `PHP` stays as it is.
    let is_word = letters.clone().next().is_none_or(|second| !second.is_ascii_uppercase());
    std::iter::once(if is_word { first.to_ascii_lowercase() } else { first }).chain(letters).collect()
}
