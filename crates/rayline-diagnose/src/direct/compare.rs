//! What differs between the answer that visitors get and the origin's own; and whether one fault explains another.

use std::time::Duration;

use rayline_verdict::Code;

use super::trial::Trial;
use crate::author::Recognition;
use crate::fetch::{Answer, BodyEnd, Exchange};
use crate::visit::show::{in_words, verdict};
use crate::visit::{Failing, Sample};

/// Fields that say something of what a page is and who made it.
const TELLING: [&str; 4] = ["content-type", "location", "retry-after", "server"];
/// A wait that is so many times as long, and so much longer, is another.
const TIMES: u32 = 3;
const LONGER: Duration = Duration::from_millis(500);
/// Bytes of a field's value that are shown.
const SHOWN: usize = 80;

/// What differs, a sentence each.
pub(super) fn differences(visited: &Sample, exchange: &Exchange, recognition: &Recognition) -> Vec<String> {
    let (Ok(theirs), Ok(ours)) = (&visited.exchange.outcome, &exchange.outcome) else { return Vec::new() };
    let mut all = Vec::new();
    if theirs.status != ours.status {
        all.push(format!("the site answers {}, the origin {}", theirs.status, ours.status));
    }
    let name = |recognition: &Recognition| recognition.author.as_ref().map(|author| author.name);
    if let (Some(site), Some(origin)) = (name(&visited.recognition), name(recognition))
        && site != origin
    {
        all.push(format!("the site's answer is by {site}, the origin's by {origin}"));
    }
    for field in TELLING {
        let (site, origin) = (shown(theirs, field), shown(ours, field));
        if site != origin {
            all.push(format!("the site's `{field}` is {site}, the origin's {origin}"));
        }
    }
    if (theirs.body_bytes == 0) != (ours.body_bytes == 0) || differs(theirs.body_bytes, ours.body_bytes) {
        all.push(format!("the site's body has {} bytes, the origin's {}", theirs.body_bytes, ours.body_bytes));
    }
    let broken = |answer: &Answer| matches!(answer.end, BodyEnd::Broken(_));
    if broken(theirs) != broken(ours) {
        let who = if broken(theirs) { "site" } else { "origin" };
        all.push(format!("only the {who}'s body breaks"));
    }
    if let (Some(site), Some(origin)) = (visited.exchange.timings.wait, exchange.timings.wait) {
        let (short, long) = (site.min(origin), site.max(origin));
        if long > short * TIMES && long - short > LONGER {
            let (site, origin) = (in_words(site), in_words(origin));
            all.push(format!("the site's answer takes {site}, the origin's {origin}"));
        }
    }
    all
}

/// Whether two bodies are hardly the same page: pages that are made anew each time differ by a little.
fn differs(one: u64, other: u64) -> bool {
    one.abs_diff(other) > one.max(other) / 4
}

fn shown(answer: &Answer, field: &str) -> String {
    let Some(value) = answer.field(field) else { return "missing".to_owned() };
    // Queries may hold secrets.
    let value = value.split('?').next().unwrap_or_default();
    let text: String = value.chars().take(SHOWN).flat_map(char::escape_default).collect();
    format!("`{text}`")
}

/// Whether what visitors get is what an edge makes of such a fault at the origin; `None` if it may be, for the edge does not
/// say.
pub(super) fn explains(trial: &Trial, visited: &Sample) -> Option<bool> {
    let Some(failing) = trial.failing else { return Some(false) };
    let seen = visited.exchange.outcome.as_ref().ok().map(|answer| answer.status);
    if trial.status() == seen {
        return Some(true);
    }
    let met = verdict(&trial.exchange);
    let code = match failing {
        Failing::Status => Some(Code::OriginWaitErrorStatus),
        Failing::Slow => Some(Code::OriginWaitTimedOut),
        Failing::NoAnswer | Failing::Body => met.map(|verdict| verdict.code),
        Failing::Refused | Failing::Blank => None,
    };
    let told = visited.recognition.told.as_ref().map_or(&[][..], |told| &told.codes);
    if code.is_some_and(|code| told.contains(&code)) || met.is_some_and(|verdict| Some(verdict.number) == seen) {
        return Some(true);
    }
    // A gateway that says nothing of the cause says no more than that there was no good answer.
    let unsaid = told.is_empty() && matches!(seen, Some(502..=504));
    if unsaid && trial.status().is_none() { None } else { Some(false) }
}
