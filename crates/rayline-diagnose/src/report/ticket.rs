//! A message for a side's support, with what it asks for: what failed, when, where, how often, and what was found.

use std::fmt::Write as _;

use super::{Row, labels, rows};
use crate::diagnosis::Diagnosis;
use crate::mask::{self, Masking};
use crate::network::Path;

/// Requests that a message names.
const REQUESTS: usize = 6;

/// Whose support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever runs the site's server.
    Hosting,
    /// Whoever runs the edge.
    Edge,
}

/// The message, as plain text.
pub fn ticket(diagnosis: &Diagnosis, side: Side, masking: Masking) -> String {
    let Diagnosis { case, conclusion, seen, .. } = diagnosis;
    let url = mask::url(&case.url, masking);
    let mut out = String::new();
    let mut say = |line: &str| {
        let kept: String = line.chars().filter(|letter| !letter.is_control()).collect();
        let _ = writeln!(out, "{kept}");
    };
    say(&format!("Subject: {} fails: {}", case.host(), labels(conclusion).first().map_or("see below", String::as_str)));
    say("");
    say("Hello,");
    say("");
    say(&format!("{url} fails. {}", conclusion.sentence));
    say(match side {
        Side::Hosting => {
            "Please look at the site's server: what follows is what was seen from outside, past the edge too where its address is known."
        }
        Side::Edge => {
            "Please look at your edge's records of these requests: what follows is what was seen from outside."
        }
    });
    say("");
    say(&format!("When:     {} (UTC), for {} ms", diagnosis.began(), diagnosis.took.as_millis()));
    say(&format!("Request:  {} {url}", case.method));
    if let Some(rate) = seen.visit.rate {
        let (from, to) = rate.between;
        say(&format!(
            "Rate:     {} of {} requests failed (95 % interval: {:.0} to {:.0} %)",
            rate.failed,
            rate.of,
            from * 100.0,
            to * 100.0
        ));
    }
    let addresses: Vec<String> = seen.visit.addresses.iter().map(ToString::to_string).collect();
    say(&format!("Address:  {}", if addresses.is_empty() { "none found".to_owned() } else { addresses.join(", ") }));
    say("");
    say("Requests:");
    for row in chosen(diagnosis, side) {
        say(&format!("  {}", in_a_line(&row)));
    }
    section(&mut say, "Findings:", &conclusion.clues);
    if side == Side::Edge {
        trace(&mut say, diagnosis);
    }
    if let Some(network) = &seen.network {
        for path in &network.paths {
            say("");
            say(&format!("Path to {}{}:", path.to, if path.reached { "" } else { " (the end was not reached)" }));
            for hop in hops(path) {
                say(&format!("  {hop}"));
            }
        }
    }
    section(&mut say, "What seems to be needed:", &conclusion.fix);
    say("");
    say(&format!("Made by rayline {} (`rayline diagnose`).", env!("CARGO_PKG_VERSION")));
    out
}

fn section(say: &mut impl FnMut(&str), title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    say("");
    say(title);
    for line in lines {
        say(&format!("  - {line}"));
    }
}

/// The requests that a side can find in its records: the failing ones first; for the hosting those past the edge too.
fn chosen(diagnosis: &Diagnosis, side: Side) -> Vec<Row<'_>> {
    let mut rows = rows(diagnosis);
    if side == Side::Edge {
        rows.retain(|row| !row.way.starts_with("direct"));
    }
    let failing = |row: &Row<'_>| row.exchange.outcome.as_ref().is_ok_and(|answer| answer.status < 500);
    rows.sort_by_key(failing);
    rows.truncate(REQUESTS);
    rows
}

fn in_a_line(row: &Row<'_>) -> String {
    let since = row.exchange.at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let at = rayline_verdict::moment::rfc3339_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    let address = row.exchange.address.map_or_else(|| "no connection".to_owned(), |address| address.to_string());
    let id = row.request_id.map_or_else(String::new, |id| format!(", request id {id}"));
    format!("{at}  {}, {address}: {}, {} ms{id}", row.way, row.outcome(), row.exchange.timings.total.as_millis())
}

/// What `/cdn-cgi/trace` says; the visitor's own address is theirs to give.
fn trace(say: &mut impl FnMut(&str), diagnosis: &Diagnosis) {
    let Some(trace) = &diagnosis.seen.visit.trace else { return };
    say("");
    say("Trace (/cdn-cgi/trace):");
    for (name, value) in trace.iter().filter(|(name, _)| name != "uag") {
        say(&format!("  {name}={value}"));
    }
}

fn hops(path: &Path) -> Vec<String> {
    let hop = |(place, hop): (usize, &Option<crate::network::Hop>)| match hop {
        Some(hop) => {
            let (address, took, lost) = (hop.address, hop.round_trip.as_secs_f64() * 1e3, hop.lost * 100.0);
            format!("{:>2}  {address}  {took:.1} ms  {lost:.0} % lost", place + 1)
        }
        None => format!("{:>2}  *", place + 1),
    };
    path.hops.iter().enumerate().map(hop).collect()
}
