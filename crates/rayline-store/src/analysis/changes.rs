//! What changed: which values explain a rise of failures against the time before. It shows what goes together with the
//! failures, which is a lead and not a proof.

use rayline_verdict::Moment;

use super::failures::Failures;
use super::tally::{Seen, Tally};
use super::{Percent, both, share};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
use crate::query::{Filter, QueryError, first_seen};

/// Where failures can come from. What they look like (code, party, statuses) is told apart from that.
const WHERE: [Dimension; 15] = [
    Dimension::Origin,
    Dimension::Zone,
    Dimension::Host,
    Dimension::Path,
    Dimension::Colo,
    Dimension::Worker,
    Dimension::Rule,
    Dimension::Client,
    Dimension::UserAgent,
    Dimension::Country,
    Dimension::Method,
    Dimension::Agent,
    Dimension::Protocol,
    Dimension::OriginProtocol,
    Dimension::Scheme,
];

/// What explains less of the rise than this is not worth a line.
const LEAST_SHARE: f64 = 0.1;
/// Nor what is hardly more than its share of the good requests.
const LEAST_SURPRISE: f64 = 0.1;
/// How many standard deviations a rise must be, of values and in all.
const SIGNIFICANT: f64 = 3.0;
/// From which part of its failures on a value is implied by another one.
const IMPLIED: f64 = 0.9;
const MOST_CHANGES: usize = 10;
const MOST_CANDIDATES: usize = 60;

/// A rise of failures, and what goes together with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// Failures in the span.
    pub failed: u64,
    /// Failures that the rate before would have led to.
    pub expected: f64,
    /// The share of requests that fail, and that failed before.
    pub rate: f64,
    /// See `rate`; `None` if there was no request before.
    pub rate_before: Option<f64>,
    /// Whether there are more failures than chance explains. If not, the lists are empty.
    pub risen: bool,
    /// What fails more than before: codes, by their part of the rise.
    pub kinds: Vec<Kind>,
    /// Where it fails more than before; the best explanation first.
    pub explanations: Vec<Explanation>,
    /// A version of the configuration under which it began to fail.
    pub plan: Option<PlanChange>,
    /// Whether only a part of the failures was looked at to see which explanations are the same: there were too many.
    pub thinned: bool,
}

/// A code that became more frequent.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name; empty for a status of 500 and more without a verdict.
    pub code: String,
    /// How often in the span.
    pub failed: u64,
    /// How often before, in as many requests.
    pub expected: f64,
    /// Its part of the rise.
    pub share: f64,
}

/// A value whose requests explain a part of the rise.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Of what.
    pub dimension: Dimension,
    /// The value.
    pub value: String,
    /// Its failures in the span.
    pub failed: u64,
    /// Those that the rate before would have led to.
    pub expected: f64,
    /// Its part of the rise: from 0 to 1.
    pub share: f64,
    /// The share of its requests that fail.
    pub rate_inside: f64,
    /// The share of all other requests that fail.
    pub rate_outside: f64,
    /// Its part of the rise less its part of the good requests: 1 if it is all of the one and nothing of the other, 0 if it
    /// tells nothing. What the order goes by.
    pub surprise: f64,
    /// What goes together with it, so that it explains nothing more.
    pub also: Vec<(Dimension, String)>,
    /// The same in words.
    pub sentence: String,
}

/// A version of the configuration that came shortly before failures.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanChange {
    /// Its number.
    pub version: String,
    /// Since when requests were decided by it, to the minute.
    pub since: Moment,
    /// The share of its requests that fail.
    pub rate: f64,
    /// The share of requests that failed under other versions, in both spans.
    pub rate_before: f64,
    /// Its share of the span's failures.
    pub share: f64,
}

/// Compares a span with one before it.
///
/// # Errors
///
/// As [`run`](crate::run).
pub fn changes(source: &dyn Source, span: Span, before: Span, filters: &[Filter]) -> Result<Changes, QueryError> {
    let dimensions: Vec<Dimension> = WHERE.into_iter().chain([Dimension::Code, Dimension::Plan]).collect();
    let read = |span| Tally::read(source, span, filters, &dimensions);
    let (now, then) = both(|| read(span), || read(before))?;
    let rates = Rates::new(&now, &then);
    let mut changes = Changes {
        failed: now.all.failed,
        expected: rates.expected(now.all, then.all),
        rate: rate(now.all),
        rate_before: (then.all.requests > 0).then(|| rate(then.all)),
        risen: rates.is_significant(now.all, then.all),
        kinds: Vec::new(),
        explanations: Vec::new(),
        plan: None,
        thinned: false,
    };
    if !changes.risen {
        return Ok(changes);
    }
    changes.kinds = kinds(&now, &then, &rates);
    let failures = Failures::read(source, span, filters, &WHERE)?;
    changes.thinned = failures.stride > 1;
    changes.explanations = fold(candidates(&now, &then, &rates), &failures);
    changes.plan = plan(source, span, before, &now, &then)?;
    Ok(changes)
}

fn rate(seen: Seen) -> f64 {
    share(seen.failed as f64, seen.requests as f64)
}

/// What is compared with what.
struct Rates {
    before: f64,
    requests: f64,
    requests_before: f64,
    rise: f64,
    good: f64,
}

impl Rates {
    fn new(now: &Tally, then: &Tally) -> Self {
        let mut rates = Self {
            before: rate(then.all),
            requests: now.all.requests as f64,
            requests_before: then.all.requests as f64,
            rise: 0.0,
            good: now.all.requests.saturating_sub(now.all.failed) as f64,
        };
        rates.rise = now.all.failed as f64 - rates.expected(now.all, then.all);
        rates
    }

    /// The failures that so many requests would have met before. Of a value that was not there: at the rate of all.
    fn expected(&self, now: Seen, then: Seen) -> f64 {
        let rate = if then.requests > 0 { rate(then) } else { self.before };
        rate * now.requests as f64
    }

    /// Counts vary by their square root, those before in proportion to the traffic.
    fn is_significant(&self, now: Seen, then: Seen) -> bool {
        let expected = self.expected(now, then);
        let scale = share(self.requests, self.requests_before).max(1.0);
        now.failed as f64 - expected > SIGNIFICANT * (expected * scale + now.failed as f64).sqrt().max(1.0)
    }
}

/// Codes have no rate of their own: what is compared is how often each comes in all requests.
fn kinds(now: &Tally, then: &Tally, rates: &Rates) -> Vec<Kind> {
    let values = now.values(Dimension::Code).filter(|(_, seen)| seen.failed > 0);
    let mut kinds: Vec<Kind> = values
        .map(|(code, seen)| {
            let before = then.of(Dimension::Code, code).failed as f64;
            let expected = share(before, rates.requests_before) * rates.requests;
            let share = share(seen.failed as f64 - expected, rates.rise).clamp(0.0, 1.0);
            Kind { code: code.to_owned(), failed: seen.failed, expected, share }
        })
        .filter(|kind| kind.share >= 0.01)
        .collect();
    kinds.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.code.cmp(&b.code)));
    kinds.truncate(MOST_CHANGES);
    kinds
}

fn candidates(now: &Tally, then: &Tally, rates: &Rates) -> Vec<Explanation> {
    let mut found = Vec::new();
    for dimension in WHERE {
        for (value, seen) in now.values(dimension).filter(|(value, seen)| !value.is_empty() && seen.failed > 0) {
            let before = then.of(dimension, value);
            let expected = rates.expected(seen, before);
            let part = share(seen.failed as f64 - expected, rates.rise).clamp(0.0, 1.0);
            let surprise = part - share(seen.requests.saturating_sub(seen.failed) as f64, rates.good);
            if part < LEAST_SHARE || surprise < LEAST_SURPRISE || !rates.is_significant(seen, before) {
                continue;
            }
            let rest = Seen {
                requests: now.all.requests.saturating_sub(seen.requests),
                failed: now.all.failed.saturating_sub(seen.failed),
            };
            let sentence = sentence(dimension, value, part, rate(seen), (rest.requests > 0).then(|| rate(rest)));
            found.push(Explanation {
                dimension,
                value: value.to_owned(),
                failed: seen.failed,
                expected,
                share: part,
                rate_inside: rate(seen).min(1.0),
                rate_outside: rate(rest).min(1.0),
                surprise,
                also: Vec::new(),
                sentence,
            });
        }
    }
    // between equals, the order of the dimensions: from the server to its visitors
    found.sort_by(|a, b| (rounded(b.surprise), place(a.dimension)).cmp(&(rounded(a.surprise), place(b.dimension))));
    found.truncate(MOST_CANDIDATES);
    found
}

/// Differences below a fiftieth are those of sampling.
fn rounded(surprise: f64) -> i64 {
    (surprise * 50.0).round() as i64
}

fn place(dimension: Dimension) -> usize {
    WHERE.iter().position(|other| *other == dimension).unwrap_or(WHERE.len())
}

fn sentence(dimension: Dimension, value: &str, part: f64, inside: f64, outside: Option<f64>) -> String {
    let name = match dimension {
        Dimension::UserAgent => "user agent",
        Dimension::OriginProtocol => "origin protocol",
        other => other.name(),
    };
    let value: String = value.chars().take(120).flat_map(char::escape_debug).collect();
    let begin = format!(
        "{} of the rise is at {name} `{value}`: {} of its requests fail",
        Percent(part),
        Percent(inside.min(1.0))
    );
    match outside {
        Some(outside) => format!("{begin}, and {} of all others", Percent(outside.min(1.0))),
        None => format!("{begin}; there are no others"),
    }
}

/// Takes those that explain something by themselves, and hangs the others on them.
fn fold(candidates: Vec<Explanation>, failures: &Failures) -> Vec<Explanation> {
    let mut kept: Vec<(Explanation, Vec<u64>)> = Vec::new();
    for candidate in candidates {
        let rows = rows_of(failures, candidate.dimension, &candidate.value);
        let all = count(&rows).max(1);
        let same = kept.iter_mut().find(|(better, of_better)| {
            let common: u32 = rows.iter().zip(of_better.iter()).map(|(a, b)| (a & b).count_ones()).sum();
            let inside = f64::from(common) >= IMPLIED * f64::from(all);
            let around = f64::from(common) >= IMPLIED * f64::from(count(of_better));
            // a wider one is worth its line only if it explains much more
            inside || (around && candidate.share < better.share + LEAST_SHARE)
        });
        match same {
            Some((better, _)) => better.also.push((candidate.dimension, candidate.value)),
            None => kept.push((candidate, rows)),
        }
    }
    kept.truncate(MOST_CHANGES);
    kept.into_iter().map(|(explanation, _)| explanation).collect()
}

/// A bit for each failure: whether it has the value.
fn rows_of(failures: &Failures, dimension: Dimension, value: &str) -> Vec<u64> {
    let code = failures.code(dimension, value);
    let bits = |codes: &[u32]| codes.iter().rev().fold(0, |bits, other| (bits << 1) | u64::from(Some(*other) == code));
    failures.codes(dimension).chunks(64).map(bits).collect()
}

fn count(bits: &[u64]) -> u32 {
    bits.iter().map(|bits| bits.count_ones()).sum()
}

/// The newest version that is new since `before` began, and under which clearly more fails than under the others.
fn plan(
    source: &dyn Source,
    span: Span,
    before: Span,
    now: &Tally,
    then: &Tally,
) -> Result<Option<PlanChange>, QueryError> {
    let both = Span { from: before.from.min(span.from), to: span.to.max(before.to) };
    let first = first_seen(source, Dimension::Plan, both, &[])?;
    let mut found = None;
    // what was there first is not new
    for (version, since) in first.into_iter().skip(1) {
        let (of_now, of_then) = (now.of(Dimension::Plan, &version), then.of(Dimension::Plan, &version));
        let under = Seen { requests: of_now.requests + of_then.requests, failed: of_now.failed + of_then.failed };
        let other = Seen {
            requests: (now.all.requests + then.all.requests).saturating_sub(under.requests),
            failed: (now.all.failed + then.all.failed).saturating_sub(under.failed),
        };
        let part = share(of_now.failed as f64, now.all.failed as f64);
        let worse = rate(under) > 2.0 * rate(other) && other.requests > 0;
        if worse && part >= 0.5 {
            found = Some(PlanChange { version, since, rate: rate(under), rate_before: rate(other), share: part });
        }
    }
    Ok(found)
}
