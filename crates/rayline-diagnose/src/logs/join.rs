//! Which lines belong to the requests that failed, and how far the origin's clock is off.
//!
//! A Ray ID proves it. All else is weighed: what the line and the request share, how near they are once the clocks are set
//! right, and how many other lines share as much. What failed them is [`rank`](super::rank)'s matter.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::Joined;
use super::entry::Kind;
use super::gather::{Line, Occurrence, Tie};
use super::mask::shown;
use super::profile::seconds_between;
use super::wanted::Request;

/// The likelihood of what a Ray ID joins.
const BY_RAY: f64 = 0.99;

/// The most that anything else can reach.
pub(super) const MOST: f64 = 0.95;

/// What is less likely is not shown.
const LEAST: f64 = 0.05;

/// The most lines that are shown.
const MOST_JOINED: usize = 50;

/// How far the differences of the clocks may lie apart to be one difference, in seconds.
const SPREAD: f64 = 2.0;

/// Logs have whole seconds, and round in one way or another.
const SAME_SECOND: f64 = 2.0;

/// How far the origin's clock is ahead of ours, in seconds: the median over lines that surely are a request's.
pub(super) fn skew(lines: &[Line], requests: &[Request]) -> Option<f64> {
    let by_ray = lines.iter().filter_map(|line| match line.tie {
        Tie::Ray(index) if line.kind == Kind::Access => late(line.at?, requests.get(index)?),
        Tie::Ray(_) | Tie::Line(_) => None,
    });
    let mut differences: Vec<f64> = by_ray.collect();
    if differences.is_empty() {
        differences = alone(lines, requests);
    }
    differences.sort_by(f64::total_cmp);
    differences.get(differences.len() / 2).copied()
}

/// The differences of requests that but one line can belong to, if at least two of them agree.
fn alone(lines: &[Line], requests: &[Request]) -> Vec<f64> {
    let of = |request: &Request| {
        let fits = |line: &&Line| line.kind == Kind::Access && shared(line, request) >= 0.7;
        let mut fitting = lines.iter().filter(fits);
        let line = fitting.next()?;
        if fitting.next().is_some() { None } else { late(line.at?, request) }
    };
    let differences: Vec<f64> = requests.iter().filter_map(of).collect();
    let least = differences.iter().copied().fold(f64::INFINITY, f64::min);
    let most = differences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if differences.len() >= 2 && most - least <= SPREAD { differences } else { Vec::new() }
}

/// How many seconds after the request a line was written, 0 while it went on; negative before it began.
fn late(at: SystemTime, request: &Request) -> Option<f64> {
    let seconds = |from: SystemTime, to: SystemTime| to.duration_since(from).map(|span| span.as_secs_f64()).ok();
    if let Some(early) = seconds(at, request.at).filter(|early| *early > 0.0) {
        // A whole second begins up to one before what happened in it.
        return Some(if early < 1.0 { 0.0 } else { -early });
    }
    seconds(request.ended(), at).or(Some(0.0))
}

/// How much a line and a request have in common but for the time, from 0 to 1.
fn shared(line: &Line, request: &Request) -> f64 {
    let facts = &line.facts;
    let target = facts.target.as_deref();
    if facts.method.as_ref().is_some_and(|method| *method != request.method) {
        return 0.0;
    }
    if target.is_some_and(|target| super::wanted::path_of(target) != request.path()) {
        return 0.0;
    }
    let query = |target: &str| target.split_once('?').map(|(_, query)| query.to_owned());
    let same_query = target.is_none_or(|target| query(target) == query(&request.path_and_query));
    let by_query = if same_query { 1.0 } else { 0.4 };
    let by_status = match (facts.status, request.status) {
        (Some(written), Some(seen)) if written == seen => 1.0,
        // The edge answers in its own words what the origin failed, or gave up.
        (Some(500.. | 408 | 499), Some(500..)) => 0.8,
        (Some(_), Some(_)) => 0.3,
        _ => 0.8,
    };
    let bare = |host: &str| host.trim_end_matches('.').trim_start_matches("www.").to_ascii_lowercase();
    let by_host = match &facts.host {
        Some(host) if !host.is_empty() && bare(host) != bare(&request.host) => 0.3,
        _ => 1.0,
    };
    let by_client = match (facts.client, request.client) {
        (Some(written), Some(seen)) if written != seen => 0.5,
        _ => 1.0,
    };
    let by_bytes = match (facts.bytes, request.body_bytes) {
        (Some(written), Some(seen)) if written != seen => 0.9,
        _ => 1.0,
    };
    by_query * by_status * by_host * by_client * by_bytes
}

/// How much the time speaks for a line, from 0 to 1.
pub(super) fn in_time(at: Option<SystemTime>, request: &Request, skew: f64) -> f64 {
    let Some(late) = at.and_then(|at| late(moved(at, -skew), request)) else { return 0.1 };
    match late.abs() {
        0.0..=SAME_SECOND => 1.0,
        0.0..=5.0 => 0.8,
        0.0..=60.0 => 0.3,
        _ => 0.05,
    }
}

pub(super) fn moved(at: SystemTime, seconds: f64) -> SystemTime {
    let by = Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    if seconds < 0.0 { at.checked_sub(by) } else { at.checked_add(by) }.unwrap_or(at)
}

/// The lines with their likelihoods, the likeliest first.
pub(super) fn join(lines: &[Line], requests: &[Request], skew: f64) -> Vec<(usize, f64, &'static str)> {
    // A line's share of each request: by what it fits, among all lines that fit.
    let weight = |line: &Line, request: &Request| shared(line, request) * in_time(line.at, request, skew);
    let proven: HashSet<usize> = lines.iter().filter_map(ray_of).collect();
    let mut likelihoods = vec![0.0_f64; lines.len()];
    for (index, request) in requests.iter().enumerate() {
        for kind in [Kind::Access, Kind::Event] {
            // Where a Ray ID has told the line, no other one is the request's.
            if kind == Kind::Access && proven.contains(&index) {
                continue;
            }
            let fits = |line: &&Line| line.kind == kind && matches!(line.tie, Tie::Line(_));
            let sum: f64 = lines.iter().filter(fits).map(|line| weight(line, request)).sum();
            for (line, likelihood) in lines.iter().zip(&mut likelihoods).filter(|(line, _)| fits(line)) {
                let weight = weight(line, request);
                // An event is written in several lines, or by several servers: they do not rule each other out.
                let share = if kind == Kind::Access && sum > weight { weight / sum } else { 1.0 };
                *likelihood = (*likelihood + MOST * weight * share).min(MOST);
            }
        }
    }
    let mut joined: Vec<(usize, f64, &'static str)> = Vec::new();
    for (index, (line, likelihood)) in lines.iter().zip(likelihoods).enumerate() {
        let (likelihood, by) = match line.tie {
            Tie::Ray(_) => (BY_RAY, "Ray ID"),
            Tie::Line(_) if beside_a_proven(line, lines) => (MOST, "the request of a line with the Ray ID"),
            Tie::Line(_) if line.facts.method.is_some() => (likelihood, "time, method, path"),
            Tie::Line(_) => (likelihood, "time, path"),
        };
        if likelihood >= LEAST {
            joined.push((index, likelihood, by));
        }
    }
    joined.sort_by(|one, other| other.1.total_cmp(&one.1));
    joined
}

fn ray_of(line: &Line) -> Option<usize> {
    match line.tie {
        Tie::Ray(request) if line.kind == Kind::Access => Some(request),
        Tie::Ray(_) | Tie::Line(_) => None,
    }
}

/// Whether an event tells of the same request of the same client in the same second as a line that its Ray ID proves.
fn beside_a_proven(line: &Line, lines: &[Line]) -> bool {
    let near = |other: &Line| line.at.zip(other.at).is_some_and(|(one, other)| seconds_between(one, other).abs() <= 1);
    line.kind == Kind::Event
        && line.facts.client.is_some()
        && lines.iter().filter(|other| ray_of(other).is_some()).any(|other| {
            let (one, other_facts) = (&line.facts, &other.facts);
            one.client == other_facts.client
                && one.method == other_facts.method
                && one.target == other_facts.target
                && near(other)
        })
}

/// The lines as they are shown.
pub(super) fn shown_lines(lines: &[Line], joined: &[(usize, f64, &'static str)]) -> Vec<Joined> {
    let show = |&(index, likelihood, by): &(usize, f64, &'static str)| {
        let line = lines.get(index)?;
        let (path, number) = &line.found;
        let found = (path.to_path_buf(), *number);
        Some(Joined { found, line: shown(&line.line), status: line.facts.status, by, likelihood })
    };
    joined.iter().take(MOST_JOINED).filter_map(show).collect()
}

/// Who took part in the requests, as far as lines tell.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The processes that served them.
    processes: HashSet<u64>,
    /// The addresses that they came from.
    clients: HashSet<IpAddr>,
}

impl Part {
    /// As the likely ones of the lines tell.
    pub(super) fn new(lines: &[Line], joined: &[(usize, f64, &'static str)]) -> Self {
        let likely = joined.iter().filter(|(_, likelihood, _)| *likelihood >= 0.5);
        let lines: Vec<&Line> = likely.filter_map(|&(index, ..)| lines.get(index)).collect();
        Self {
            processes: lines.iter().filter_map(|line| line.process).collect(),
            clients: lines.iter().filter_map(|line| line.facts.client).collect(),
        }
    }

    /// Whether it was written by a process, or about a client, that took part.
    pub(super) fn took(&self, time: &Occurrence) -> bool {
        let process = time.process.is_some_and(|process| self.processes.contains(&process));
        process || time.client.is_some_and(|client| self.clients.contains(&client))
    }
}

#[cfg(test)]
mod tests;
