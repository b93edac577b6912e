//! Which lines belong to the requests that failed, how far the origin's clock is off, and which trouble failed them.
//!
//! A Ray ID proves it. All else is weighed: what the line and the request share, how near they are once the clocks are set
//! right, and how many other lines share as much.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::entry::{Kind, Level};
use super::gather::{Gathered, Group, Line, Occurrence, Tie};
use super::mask::shown;
use super::profile::seconds_between;
use super::wanted::Request;
use super::{Joined, Named};

/// The likelihood of what a Ray ID joins.
const BY_RAY: f64 = 0.99;

/// The most that anything else can reach.
const MOST: f64 = 0.95;

/// What is less likely is not shown.
const LEAST: f64 = 0.05;

/// The most lines that are shown.
const MOST_JOINED: usize = 50;

/// The likelihood of what has nothing to do with any request but that it stands in the same log.
const FAR: f64 = 0.12;

/// How likely a cause and a symptom must be, each by itself, for the one to explain the other.
const EXPLAINS: f64 = 0.4;

/// How likely a symptom is at most, as a part of what its likeliest cause is.
const BEHIND_ITS_CAUSE: f64 = 0.9;

/// The likelihood of a program's last words that carry no time.
const LAST_WORDS: f64 = 0.62;

/// How many entries at the end of a file are last words: what is started again adds some.
const LAST_ENTRIES: u64 = 50;

/// How long before a request last words may have been written, in seconds.
const LAST_WORDS_BEFORE: i64 = 600;

/// How long after a request last words may have been written, in seconds: it may have ended the program slowly.
const LAST_WORDS_AFTER: i64 = 60;

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
fn in_time(at: Option<SystemTime>, request: &Request, skew: f64) -> f64 {
    let Some(late) = at.and_then(|at| late(moved(at, -skew), request)) else { return 0.1 };
    match late.abs() {
        0.0..=SAME_SECOND => 1.0,
        0.0..=5.0 => 0.8,
        0.0..=60.0 => 0.3,
        _ => 0.05,
    }
}

fn moved(at: SystemTime, seconds: f64) -> SystemTime {
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
    fn took(&self, time: &Occurrence) -> bool {
        let process = time.process.is_some_and(|process| self.processes.contains(&process));
        process || time.client.is_some_and(|client| self.clients.contains(&client))
    }
}

/// How likely each group is what failed the requests, the likeliest first; a cause before the symptoms that it explains.
pub(super) fn rank(gathered: &Gathered<'_>, requests: &[Request], skew: f64, part: &Part) -> Vec<Named> {
    let near = Nearness { gathered, requests, skew, part };
    let mut named: Vec<Named> = gathered.groups().iter().map(|group| near.named(group)).collect();
    if !requests.is_empty() {
        explain(&mut named);
    }
    named.sort_by(|one, other| {
        let last = |named: &Named| named.between.map(|(_, last)| last);
        other.likelihood.total_cmp(&one.likelihood).then(other.count.cmp(&one.count)).then(last(other).cmp(&last(one)))
    });
    named
}

/// Sets causes before symptoms. Who sees a symptom in a request knows that it failed then, and a cause of the same moments
/// says why: the one makes the other likelier.
fn explain(named: &mut [Named]) {
    let likeliest = |named: &[Named], is_symptom: bool| {
        let of = named.iter().filter(|named| named.cause.row().is_symptom == is_symptom);
        of.map(|named| named.likelihood).fold(0.0, f64::max)
    };
    let symptom = likeliest(named, true);
    if likeliest(named, false) < EXPLAINS || symptom < EXPLAINS {
        return;
    }
    let explains = |named: &&mut Named| !named.cause.row().is_symptom && named.likelihood >= EXPLAINS;
    for cause in named.iter_mut().filter(explains) {
        let likelier = cause.likelihood + (1.0 - cause.likelihood) * symptom / 2.0;
        cause.likelihood = cause.likelihood.max(likelier.min(MOST));
    }
    let most = likeliest(named, false) * BEHIND_ITS_CAUSE;
    for symptom in named.iter_mut().filter(|named| named.cause.row().is_symptom) {
        symptom.likelihood = symptom.likelihood.min(most);
    }
}

/// What the nearness of a trouble to the requests goes by.
struct Nearness<'a> {
    gathered: &'a Gathered<'a>,
    requests: &'a [Request],
    skew: f64,
    part: &'a Part,
}

impl Nearness<'_> {
    fn named(&self, group: &Group) -> Named {
        let near = |at: SystemTime| self.requests.iter().any(|request| in_time(Some(at), request, self.skew) >= 0.3);
        let only_then = group.between.is_some_and(|(first, last)| near(first) && near(last));
        let of = |time: &Occurrence| self.closeness(time, only_then) * weight(time.level);
        let likelihood = group.times.iter().map(of).fold(0.0, f64::max);
        let found = group.found.as_ref().map(|(path, number)| (path.to_path_buf(), *number));
        Named {
            cause: group.meaning.cause,
            sentence: group.meaning.sentence.clone(),
            place: group.meaning.place.clone(),
            source: group.source.name(),
            line: group.shown(),
            found,
            count: group.count,
            between: group.between,
            likelihood,
        }
    }

    /// How near an occurrence is to the nearest request.
    fn closeness(&self, time: &Occurrence, only_then: bool) -> f64 {
        if self.requests.is_empty() {
            return 0.5;
        }
        if time.is_of_another_path {
            return FAR;
        }
        let to = |at: SystemTime| {
            let each = self.requests.iter().enumerate();
            each.map(|(index, request)| self.to(index, request, time, at, only_then)).fold(0.0, f64::max)
        };
        match (time.at, time.written) {
            (Some(at), _) => to(at),
            // Where a file alone tells when, its last words are meant, or any before them.
            (None, Some(written)) if self.are_last_words(time, written) => LAST_WORDS.max(to(written) * 0.9),
            (None, Some(written)) => to(written) * 0.6,
            (None, None) => 0.25,
        }
    }

    /// How near an occurrence at this moment is to a request.
    fn to(&self, index: usize, request: &Request, time: &Occurrence, at: SystemTime, only_then: bool) -> f64 {
        let near = in_time(Some(at), request, self.skew);
        let tied = match time.tie {
            Some(Tie::Ray(tied)) if tied == index => return 0.98,
            Some(Tie::Ray(_)) => false,
            // Requests alike are tied to the first of them.
            Some(Tie::Line(tied)) => {
                let tied = self.requests.get(tied);
                tied.is_some_and(|tied| tied.method == request.method && tied.path() == request.path())
            }
            None => false,
        };
        match (tied, near >= 1.0, near >= 0.3) {
            (true, true, _) => 0.95,
            (true, false, true) => 0.7,
            (true, false, false) => 0.4,
            (false, true, _) if self.part.took(time) => 0.85,
            (false, true, _) => 0.7,
            (false, false, true) if only_then => 0.5,
            (false, false, true) => 0.35,
            (false, false, false) => FAR,
        }
    }

    /// Whether an occurrence without a time is among the last things in a file that was written last shortly before a
    /// request, or while it went on: what ended a program is the last that it says.
    fn are_last_words(&self, time: &Occurrence, written: SystemTime) -> bool {
        let written = moved(written, -self.skew);
        let fits = |request: &Request| {
            let early = seconds_between(written, request.at);
            (-LAST_WORDS_AFTER..=LAST_WORDS_BEFORE).contains(&early)
        };
        self.gathered.behind(time) < LAST_ENTRIES && self.requests.iter().any(fits)
    }
}

/// How much a level says.
const fn weight(level: Level) -> f64 {
    match level {
        Level::Critical | Level::Error => 1.0,
        Level::Warning => 0.9,
        Level::Notice | Level::Info => 0.7,
        Level::Debug => 0.5,
    }
}

#[cfg(test)]
mod tests;
