//! What is about to go wrong: times near their limits, bodies near theirs, failures that become more, failures never seen
//! before. Certificates and header sections are not known here: they are the edge's to tell.

use std::collections::BTreeMap;
use std::time::Duration;

use rayline_verdict::Moment;

use super::tally::{Seen, Tally};
use super::{Percent, counts_against_site, only, party_of, share};
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Sink, column, part, scan};
use crate::query::{Filter, Matching, Query, QueryError, first_seen, run};

/// From which part of a limit on it is near.
const NEAR: f64 = 0.7;
/// Fewer requests say nothing of a percentile.
const LEAST_REQUESTS: f64 = 100.0;
/// Hosts whose bodies are told apart.
const MOST_HOSTS: usize = 10_000;
/// How much more failures count as growing, and by how many standard deviations they have to be more.
const GROWN: f64 = 2.0;
const SIGNIFICANT: f64 = 4.0;

/// The limits that something can come near to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// How long an origin's answer may take.
    pub read_timeout: Duration,
    /// How long a connection to an origin may take.
    pub connect_timeout: Duration,
    /// How long a TLS handshake with an origin may take.
    pub tls_timeout: Duration,
    /// Bytes of a request's body.
    pub request_body_bytes: u64,
    /// How far back codes are looked for to call one new.
    pub memory: Duration,
}

/// Something that may become an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// What it is of.
    pub kind: Kind,
    /// Which origin, host, zone or code.
    pub subject: String,
    /// How far it has come: as a part of the limit, of a rate how many times the rate before; 1 for a code.
    pub degree: f64,
    /// In words.
    pub sentence: String,
}

/// What nears what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 99 % of an origin's answers come within a time that is near `read_timeout`.
    Wait,
    /// The same of connections and `connect_timeout`.
    Connect,
    /// The same of TLS handshakes and `tls_timeout`.
    Tls,
    /// A host gets bodies near `request_body_bytes`.
    RequestBody,
    /// A visitor's request has a header section near its limit. Requests kept do not say: whoever runs the edge knows.
    RequestHeader,
    /// The same of an origin's response.
    ResponseHeader,
    /// A zone's failures that count against the site have become more in the last quarter of the span.
    Growing,
    /// A code that had not been seen in [`Limits::memory`].
    NewCode,
}

impl Kind {
    /// The name in data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::RequestBody => "request_body",
            Self::RequestHeader => "request_header",
            Self::ResponseHeader => "response_header",
            Self::Growing => "growing",
            Self::NewCode => "new_code",
        }
    }
}

/// Everything that is near or new among the requests that pass the filters, by kind, then the nearest first.
///
/// # Errors
///
/// As [`run`].
pub fn approaching(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    limits: &Limits,
) -> Result<Vec<Warning>, QueryError> {
    let mut warnings = times(source, span, filters, limits)?;
    warnings.extend(bodies(source, span, filters, limits)?);
    warnings.extend(growing(source, span, filters)?);
    warnings.extend(new_codes(source, span, filters, limits.memory)?);
    warnings.sort_by(|a, b| {
        let degree = b.degree.total_cmp(&a.degree);
        a.kind.cmp(&b.kind).then(degree).then_with(|| a.subject.cmp(&b.subject))
    });
    Ok(warnings)
}

fn asked(span: Span, filters: &[Filter]) -> Query {
    Query { filters: filters.to_vec(), ..Query::new(span) }
}

fn times(source: &dyn Source, span: Span, filters: &[Filter], limits: &Limits) -> Result<Vec<Warning>, QueryError> {
    let rows = [
        (Kind::Wait, Number::Wait, limits.read_timeout, "answers", "`proxy_read_timeout`"),
        (Kind::Connect, Number::Tcp, limits.connect_timeout, "connections", "`connect_timeout`"),
        (Kind::Tls, Number::Tls, limits.tls_timeout, "TLS handshakes", "`tls_timeout`"),
    ];
    let quantiles = rows.iter().map(|(_, number, ..)| (*number, 0.99)).collect();
    let answer = run(source, &Query { by: vec![Dimension::Origin], quantiles, ..asked(span, filters) })?;
    let mut warnings = Vec::new();
    for group in answer.groups.iter().filter(|group| group.sum.requests >= LEAST_REQUESTS) {
        let Some(origin) = group.key.first().filter(|origin| !origin.is_empty()) else { continue };
        for ((kind, _, limit, what, name), time) in rows.iter().zip(&group.sum.quantiles) {
            let Some(seconds) = time.map(|microseconds| microseconds / 1e6) else { continue };
            let degree = share(seconds, limit.as_secs_f64());
            if degree >= NEAR {
                let sentence = format!(
                    "of the {what} of `{origin}`, 1 % take {seconds:.1} s and longer; {name} ends them at {} s",
                    limit.as_secs_f64()
                );
                warnings.push(Warning { kind: *kind, subject: origin.clone(), degree, sentence });
            }
        }
    }
    Ok(warnings)
}

/// The largest body of each host. Only of requests kept, so a larger one may have passed.
fn bodies(source: &dyn Source, span: Span, filters: &[Filter], limits: &Limits) -> Result<Vec<Warning>, QueryError> {
    let least = (limits.request_body_bytes as f64 * NEAR).ceil() as u64;
    let mut dimensions: Vec<Dimension> = filters.iter().map(|filter| filter.dimension).collect();
    dimensions.push(Dimension::Host);
    dimensions.sort_unstable();
    dimensions.dedup();
    let numbers = vec![Number::RequestBytes];
    let at_least = Some((Number::RequestBytes, least));
    let wanted = Wanted { dimensions, numbers, at_least, untimed: true, ..Wanted::default() };
    let pass = Pass { wanted: &wanted, filters, step: None };
    let mut bodies = Bodies { least, largest: BTreeMap::new() };
    scan(source, &[Piece { table: Table::Requests, span }], &pass, &mut Groups::new(&[]), &mut bodies)?;
    let warning = |(host, bytes): (String, u64)| {
        let degree = share(bytes as f64, limits.request_body_bytes as f64);
        let sentence = format!(
            "a request to `{host}` had a body of {} of the {} bytes that `request_body_bytes` allows",
            Percent(degree.min(1.0)),
            limits.request_body_bytes
        );
        Warning { kind: Kind::RequestBody, subject: host, degree, sentence }
    };
    Ok(bodies.largest.into_iter().map(warning).collect())
}

/// The largest body of each host that had one of at least so much. Few requests have.
struct Bodies {
    least: u64,
    largest: BTreeMap<String, u64>,
}

impl Sink for Bodies {
    fn begin(&mut self, _chunk: &Chunk, _table: Table) {}

    fn take(&mut self, batch: &Batch<'_>) {
        let Some(Some(bytes)) = batch.chunk.numbers.get(Number::RequestBytes.index()) else { return };
        let hosts = column(batch.chunk, Dimension::Host);
        let rows = batch.rows.clone().zip(batch.cells).zip(part(bytes, &batch.rows));
        for ((row, _), bytes) in rows.filter(|((_, cell), bytes)| **cell != OUT && **bytes >= self.least) {
            let host = hosts.and_then(|hosts| hosts.values.get(*hosts.codes.get(row)? as usize));
            let host = host.map_or("", |host| host);
            if let Some(largest) = self.largest.get_mut(host) {
                *largest = (*largest).max(*bytes);
            } else if self.largest.len() < MOST_HOSTS {
                self.largest.insert(host.to_owned(), *bytes);
            }
        }
    }
}

fn growing(source: &dyn Source, span: Span, filters: &[Filter]) -> Result<Vec<Warning>, QueryError> {
    let quarter = span.to.0.saturating_sub(span.from.0) / 4;
    let middle = Moment(span.to.0.saturating_sub(quarter));
    if middle <= span.from || middle >= span.to {
        return Ok(Vec::new());
    }
    // what visitors and rules bring about is not the site's trouble
    let values = ["visitor", "policy"].map(str::to_owned).to_vec();
    let of_site = Filter { dimension: Dimension::Party, matching: Matching::IsNot, values };
    let filters = [filters, &[of_site]].concat();
    let then = Tally::read(source, Span { from: span.from, to: middle }, &filters, &[Dimension::Zone])?;
    let now = Tally::read(source, Span { from: middle, to: span.to }, &filters, &[Dimension::Zone])?;
    let rate = |seen: Seen| share(seen.failed as f64, seen.requests as f64);
    let mut warnings = Vec::new();
    for (zone, seen) in now.values(Dimension::Zone).filter(|(zone, _)| !zone.is_empty()) {
        let before = then.of(Dimension::Zone, zone);
        if before.requests == 0 {
            continue;
        }
        // one failure more than there were: so that the first one is not infinitely many times as much
        let usual = share(before.failed as f64 + 1.0, before.requests as f64 + 1.0);
        let expected = usual * seen.requests as f64;
        let grown = rate(seen) >= GROWN * usual;
        if grown && seen.failed as f64 - expected > SIGNIFICANT * expected.sqrt().max(1.0) {
            let sentence = format!(
                "{} of the requests of `{zone}` fail now, and {} did before",
                Percent(rate(seen)),
                Percent(rate(before))
            );
            warnings.push(Warning {
                kind: Kind::Growing,
                subject: zone.to_owned(),
                degree: rate(seen) / usual,
                sentence,
            });
        }
    }
    Ok(warnings)
}

fn new_codes(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    memory: Duration,
) -> Result<Vec<Warning>, QueryError> {
    let back = i64::try_from(memory.as_nanos()).unwrap_or(i64::MAX);
    let long = Span { from: Moment(span.from.0.saturating_sub(back)), to: span.to };
    let earliest = run(source, &Query { top: 1, ..asked(Span { from: long.from, to: span.from }, filters) })?.total;
    // of a store that has no past everything is new, and so nothing is
    if earliest.requests == 0.0 {
        return Ok(Vec::new());
    }
    let new = first_seen(source, Dimension::Code, long, filters)?
        .into_iter()
        .filter(|(code, since)| *since >= span.from && counts_against_site(party_of(code)));
    let mut warnings = Vec::new();
    for (code, since) in new {
        let within = Span { from: since.max(span.from), to: span.to };
        let of_code = [filters, &[only(Dimension::Code, &code)]].concat();
        let failed = run(source, &asked(within, &of_code))?.total.failed;
        let times = if failed == 1 { "once".to_owned() } else { format!("{failed} times") };
        let sentence = format!("`{code}` was never seen before {}, and {times} since", since.to_seconds());
        warnings.push(Warning { kind: Kind::NewCode, subject: code, degree: 1.0, sentence });
    }
    Ok(warnings)
}
