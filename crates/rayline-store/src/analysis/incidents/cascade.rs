//! Which incident made another one happen. Nobody sees a cause in requests: what is seen is the order of time, the same
//! hosts, and load that moved.

use rayline_verdict::Moment;

use super::{Consequence, Incident, MINUTE, SECOND};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
use crate::query::{Filter, Matching, Query, QueryError, run};

/// What begins later than this after another incident did not follow from its beginning.
const SOON: i64 = 10 * MINUTE;
/// How long load is looked at before, and at least after.
const BEFORE: i64 = 5 * MINUTE;
const AFTER: i64 = 2 * MINUTE;
/// What fails a smaller share of requests than this neither moves load nor needs it to be explained.
const LEAST_SHARE: f64 = 0.05;
/// From how much more load on it counts as moved, and by how many standard errors it has to be more.
const MORE: f64 = 1.2;
const SIGNIFICANT: f64 = 3.0;

/// Hangs every incident that followed from another one on its root.
///
/// # Errors
///
/// As [`run`].
pub(super) fn fold(source: &dyn Source, mut incidents: Vec<Incident>) -> Result<Vec<Incident>, QueryError> {
    incidents.sort_by_key(|incident| incident.begin);
    let mut roots: Vec<Incident> = Vec::new();
    for incident in incidents {
        let mut found = None;
        for (nth, root) in roots.iter().enumerate() {
            // a chain: what followed from the root may be what brought this one about
            let chain = std::iter::once(root).chain(root.consequences.iter().map(|consequence| &consequence.incident));
            for cause in chain {
                if let Some(reason) = reason(source, cause, &incident)? {
                    found = Some((nth, reason));
                    break;
                }
            }
            if found.is_some() {
                break;
            }
        }
        match found.and_then(|(nth, reason)| Some((roots.get_mut(nth)?, reason))) {
            Some((root, reason)) => root.consequences.push(Consequence { incident, reason }),
            None => roots.push(incident),
        }
    }
    Ok(roots)
}

/// Why one incident is taken to have brought the other about, if it is.
fn reason(source: &dyn Source, cause: &Incident, effect: &Incident) -> Result<Option<String>, QueryError> {
    let delay = effect.begin.0.saturating_sub(cause.begin.0);
    let related = cause.hosts.iter().any(|host| effect.hosts.contains(host));
    let in_order = delay > 0 && delay <= SOON && cause.is_going_on(Moment(effect.begin.0.saturating_sub(1)));
    if !in_order || !related || cause.share.min(effect.share) < LEAST_SHARE || cause.origins.is_empty() {
        return Ok(None);
    }
    let (origins, later) = (names(&cause.origins), seconds(delay));
    if effect.origins.is_empty() {
        let exhausted = matches!(effect.code(), "edge.connect.exhausted" | "edge.accept.too_many_connections");
        return Ok((exhausted && is_slow(cause)).then(|| {
            format!("{origins} had stopped answering in time {later} earlier, and every request that waits holds a connection of the edge")
        }));
    }
    if effect.origins.iter().all(|origin| cause.origins.contains(origin)) {
        return Ok(Some(format!("{origins} had been failing for {later} when it began to fail in this way too")));
    }
    if effect.origins.iter().any(|origin| cause.origins.contains(origin)) {
        return Ok(None);
    }
    let load = load(source, cause, effect)?;
    Ok(load.map(|factor| {
        let times = format!("{factor:.1}");
        format!(
            "{origins} began to fail {later} earlier with `{}`; {}, which serves the same hosts, then got {times} times the requests",
            cause.code(),
            names(&effect.origins)
        )
    }))
}

fn is_slow(incident: &Incident) -> bool {
    let slow =
        |code: &str| code.ends_with(".timed_out") || code.ends_with("_stalled") || code.ends_with(".unacknowledged");
    slow(incident.code())
}

/// How many times the requests the second one's origins got once the first one's failed, if that is more than chance.
fn load(source: &dyn Source, cause: &Incident, effect: &Incident) -> Result<Option<f64>, QueryError> {
    let begin = cause.begin.0;
    let end = effect.begin.0.max(begin.saturating_add(AFTER));
    let per_second = |from: i64, to: i64| -> Result<(f64, f64), QueryError> {
        let filter = Filter { dimension: Dimension::Origin, matching: Matching::Is, values: effect.origins.clone() };
        let span = Span { from: Moment(from), to: Moment(to) };
        let answer = run(source, &Query { filters: vec![filter], ..Query::new(span) })?;
        let length = answer.span.to.0.saturating_sub(answer.span.from.0) as f64 / SECOND as f64;
        // what was counted varies by its root, what was sampled by its error besides
        let error = (answer.total.requests + answer.total.error.powi(2)).sqrt();
        Ok((answer.total.requests / length, error / length))
    };
    // just under what counts by minute would answer: they cannot tell before from after within a minute
    let (before, error_before) = per_second(begin.saturating_sub(BEFORE - SECOND), begin)?;
    let (after, error_after) = per_second(begin, end.min(begin.saturating_add(BEFORE - SECOND)))?;
    let moved =
        before > 0.0 && after >= MORE * before && after - before > SIGNIFICANT * error_before.hypot(error_after);
    Ok(moved.then(|| after / before))
}

fn names(names: &[String]) -> String {
    match names {
        [] => "it".to_owned(),
        [one] => format!("`{one}`"),
        [one, another] => format!("`{one}` and `{another}`"),
        [one, rest @ ..] => format!("`{one}` and {} others", rest.len()),
    }
}

fn seconds(nanoseconds: i64) -> String {
    match nanoseconds / SECOND {
        0 => "less than a second".to_owned(),
        1 => "a second".to_owned(),
        seconds if seconds < 120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
