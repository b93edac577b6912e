//! What each policy finds in the store now. It remembers nothing: whether it has been told is the ledger's business.

use std::collections::HashSet;
use std::time::Duration;

use rayline_store::{Dimension, Filter, Group, Matching, Number, Query, QueryError, Source, Span, rows, run};
use rayline_verdict::{Code, Moment};
use serde_json::Value;

use super::notice::Evidence;
use super::{Kind, Policy};

/// How far back a code must not have been seen to be new.
const MEMORY: Duration = Duration::from_secs(30 * 86_400);
/// How many hosts and origins are named.
const PLACES: usize = 5;
/// Facts of a request that are told.
const FACTS: usize = 8;
/// Characters of a fact.
const FACT: usize = 160;

/// A certificate that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it is for: `shop.example, shown to visitors`.
    pub subject: String,
    /// The zone.
    pub zone: String,
    /// Its end.
    pub not_after: Moment,
    /// Where it is shown, in words; the first few are told.
    pub places: Vec<String>,
}

/// What is known besides the store.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Certificates in use.
    pub certificates: Vec<Certificate>,
    /// Zone and how long its origins may take to answer.
    pub read_timeouts: Vec<(String, Duration)>,
    /// Versions of the configuration that the edge has rolled back.
    pub rollbacks: Vec<Rollback>,
}

/// A version of the configuration that the edge has rolled back by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollback {
    /// Its number.
    pub version: u64,
    /// When.
    pub at: Moment,
    /// Why, as one sentence.
    pub conclusion: String,
    /// What failed most.
    pub code: Option<Code>,
    /// Failures of owner and edge under it.
    pub failed: u64,
    /// Requests under it.
    pub requests: u64,
    /// The share of the failures, in percent.
    pub percent: f64,
    /// The same under the version before, in the same time.
    pub percent_before: f64,
    /// Codes, and how often each occurred, in words.
    pub counts: Vec<(String, String)>,
}

/// One thing that a policy looks for and that is so now.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What of the policy it is: a zone, a code, an origin, a certificate.
    pub key: String,
    /// One sentence.
    pub headline: String,
    /// The zone; may be empty.
    pub zone: String,
    /// The commonest code, if something failed.
    pub code: Option<Code>,
    /// When it began, as far as the window shows.
    pub since: Moment,
    /// Failed requests in the window.
    pub failed: u64,
    /// Requests in the window.
    pub requests: u64,
    /// What was measured.
    pub measured: f64,
    /// What is allowed.
    pub threshold: f64,
    /// What the last such request shows.
    pub evidence: Vec<Evidence>,
    /// Hosts and origins that met it.
    pub places: Vec<String>,
    /// The last such request.
    pub ray_id: String,
}

/// Everything that a policy finds at `now`.
///
/// # Errors
///
/// If the store cannot be read.
pub fn watch(source: &dyn Source, policy: &Policy, known: &Known, now: Moment) -> Result<Vec<Finding>, QueryError> {
    let look = Look { source, policy, span: before(now, policy.window), now };
    match policy.kind {
        Kind::FailureRate { percent } => look.failure_rate(percent),
        Kind::BurnRate { objective, times } => look.burn_rate(objective, times),
        Kind::NewCode => look.new_codes(),
        Kind::NearTimeout { percent } => look.near_timeout(percent, &known.read_timeouts),
        Kind::Certificate { before } => Ok(look.certificates(before, &known.certificates)),
        Kind::Rollback => Ok(look.rollbacks(&known.rollbacks)),
    }
}

struct Look<'a> {
    source: &'a dyn Source,
    policy: &'a Policy,
    span: Span,
    now: Moment,
}

impl Look<'_> {
    fn failure_rate(&self, percent: f64) -> Result<Vec<Finding>, QueryError> {
        let mut found = Vec::new();
        for zone in self.zones(self.span)? {
            let measured = share(&zone) * 100.0;
            if zone.failed == 0 || measured < percent {
                continue;
            }
            let headline = format!("{}: {measured:.1} % of requests fail", named(&zone.name));
            found.push(self.of_zone(&zone, headline, measured, percent)?);
        }
        Ok(found)
    }

    /// Two windows, as in "Alerting on SLOs": the long one shows that it matters, the short one that it still goes on.
    fn burn_rate(&self, objective: f64, times: f64) -> Result<Vec<Finding>, QueryError> {
        let budget = (100.0 - objective) / 100.0;
        let short = self.zones(before(self.now, (self.policy.window / 12).max(Duration::from_secs(60))))?;
        let mut found = Vec::new();
        for zone in self.zones(self.span)? {
            let measured = share(&zone) / budget;
            let now = short.iter().find(|short| short.name == zone.name).map_or(0.0, |zone| share(zone) / budget);
            if zone.failed == 0 || measured < times || now < times {
                continue;
            }
            let headline = format!(
                "{}: the error budget of {objective} % is used up {measured:.1} times too fast",
                named(&zone.name)
            );
            found.push(self.of_zone(&zone, headline, measured, times)?);
        }
        Ok(found)
    }

    fn new_codes(&self) -> Result<Vec<Finding>, QueryError> {
        let codes = |span: Span| {
            let query =
                Query { filters: self.faults(), by: vec![Dimension::Zone, Dimension::Code], ..Query::new(span) };
            run(self.source, &query).map(|answer| answer.groups)
        };
        let memory = Span { from: Moment(self.span.from.0.saturating_sub(nanos(MEMORY))), to: self.span.from };
        let known: HashSet<Vec<String>> = codes(memory)?.into_iter().map(|group| group.key).collect();
        let mut found = Vec::new();
        for group in codes(self.span)?.into_iter().filter(|group| !known.contains(&group.key)) {
            let [zone, code] = group.key.as_slice() else { continue };
            let filters = with(&self.faults(), &[(Dimension::Zone, zone), (Dimension::Code, code)]);
            let seen =
                Seen { failed: group.sum.failed, requests: whole(group.sum.requests), measured: 1.0, threshold: 0.0 };
            let headline = format!("{}: {} is new here", named(zone), code);
            found.push(self.finding(format!("{zone}/{code}"), zone, headline, &filters, &seen)?);
        }
        Ok(found)
    }

    fn near_timeout(&self, percent: f64, timeouts: &[(String, Duration)]) -> Result<Vec<Finding>, QueryError> {
        let query = Query {
            filters: self.of_zones(),
            by: vec![Dimension::Zone, Dimension::Origin],
            quantiles: vec![(Number::Wait, 0.99)],
            ..Query::new(self.span)
        };
        let mut found = Vec::new();
        for group in run(self.source, &query)?.groups {
            let ([zone, origin], Some(wait)) = (group.key.as_slice(), group.sum.quantiles.first().copied().flatten())
            else {
                continue;
            };
            let Some((_, limit)) = timeouts.iter().find(|(name, _)| name == zone) else { continue };
            let measured = wait / 1e6 / limit.as_secs_f64() * 100.0;
            if origin.is_empty() || group.sum.requests < self.policy.min_requests as f64 || measured < percent {
                continue;
            }
            let headline = format!(
                "{}: 1 % of the answers of {origin} take {:.1} s and more; at {} s they become 524",
                named(zone),
                wait / 1e6,
                limit.as_secs()
            );
            let filters = with(&self.of_zones(), &[(Dimension::Zone, zone), (Dimension::Origin, origin)]);
            let seen =
                Seen { failed: group.sum.failed, requests: whole(group.sum.requests), measured, threshold: percent };
            found.push(self.finding(format!("{zone}/{origin}"), zone, headline, &filters, &seen)?);
        }
        Ok(found)
    }

    fn certificates(&self, before: Duration, certificates: &[Certificate]) -> Vec<Finding> {
        let ours = |zone: &String| self.policy.zones.is_empty() || self.policy.zones.contains(zone);
        let ends = |certificate: &&Certificate| certificate.not_after.0.saturating_sub(self.now.0) < nanos(before);
        let finding = |certificate: &Certificate| {
            let days = certificate.not_after.0.saturating_sub(self.now.0) as f64 / 86_400e9;
            let when = certificate.not_after.to_seconds();
            let headline = match days {
                days if days < 0.0 => format!("the certificate of {} ended on {when}", certificate.subject),
                days => format!("the certificate of {} ends in {days:.1} days, on {when}", certificate.subject),
            };
            Finding {
                key: format!("{}/{}/{when}", certificate.zone, certificate.subject),
                headline,
                zone: certificate.zone.clone(),
                code: None,
                since: Moment(certificate.not_after.0.saturating_sub(nanos(before))),
                failed: 0,
                requests: 0,
                measured: days,
                threshold: before.as_secs_f64() / 86_400.0,
                evidence: Vec::new(),
                places: certificate.places.iter().take(PLACES).cloned().collect(),
                ray_id: String::new(),
            }
        };
        certificates.iter().filter(|certificate| ours(&certificate.zone)).filter(ends).map(finding).collect()
    }

    /// Those of the window: what happens once goes on for no longer than that.
    fn rollbacks(&self, rollbacks: &[Rollback]) -> Vec<Finding> {
        let finding = |rollback: &Rollback| Finding {
            key: rollback.version.to_string(),
            headline: format!(
                "version {} of the configuration was rolled back: {}",
                rollback.version, rollback.conclusion
            ),
            zone: String::new(),
            code: rollback.code,
            since: rollback.at,
            failed: rollback.failed,
            requests: rollback.requests,
            measured: rollback.percent,
            threshold: rollback.percent_before,
            evidence: rollback
                .counts
                .iter()
                .take(FACTS)
                .map(|(name, value)| Evidence { name: name.clone(), value: value.clone() })
                .collect(),
            places: Vec::new(),
            ray_id: String::new(),
        };
        rollbacks.iter().filter(|rollback| self.span.from <= rollback.at).map(finding).collect()
    }

    /// Requests and failures that count, by zone, of zones with enough of them.
    fn zones(&self, span: Span) -> Result<Vec<Zone>, QueryError> {
        let by_zone = |filters| run(self.source, &Query { filters, by: vec![Dimension::Zone], ..Query::new(span) });
        let failed = by_zone(self.faults())?.groups;
        let failed_of = |name: &str| failed.iter().find(|group| key(group) == name).map_or(0, |group| group.sum.failed);
        let zone = |group: Group| {
            let name = key(&group).to_owned();
            Zone { requests: group.sum.requests, failed: failed_of(&name), name }
        };
        let enough = |zone: &Zone| zone.requests >= self.policy.min_requests as f64;
        Ok(by_zone(self.of_zones())?.groups.into_iter().map(zone).filter(enough).collect())
    }

    fn of_zone(&self, zone: &Zone, headline: String, measured: f64, threshold: f64) -> Result<Finding, QueryError> {
        let filters = with(&self.faults(), &[(Dimension::Zone, &zone.name)]);
        let seen = Seen { failed: zone.failed, requests: whole(zone.requests), measured, threshold };
        self.finding(zone.name.clone(), &zone.name, headline, &filters, &seen)
    }

    /// A finding with what its failed requests have in common.
    fn finding(
        &self,
        key_: String,
        zone: &str,
        headline: String,
        filters: &[Filter],
        seen: &Seen,
    ) -> Result<Finding, QueryError> {
        let top = |by: Dimension| {
            let query = Query { filters: filters.to_vec(), by: vec![by], top: PLACES, ..Query::new(self.span) };
            run(self.source, &query).map(|answer| answer.groups)
        };
        let code = top(Dimension::Code)?.first().and_then(|group| Code::find(key(group)));
        let mut places = Vec::new();
        for (dimension, what) in [(Dimension::Host, "host"), (Dimension::Origin, "origin")] {
            let met = |group: &Group| {
                (!key(group).is_empty()).then(|| format!("{what} {} ({} failed)", key(group), group.sum.failed))
            };
            places.extend(top(dimension)?.iter().filter_map(met));
        }
        let last = rows(self.source, self.span, filters, 1)?.into_iter().next();
        let line = last.as_ref().and_then(|row| serde_json::from_slice::<Value>(&row.line).ok());
        Ok(Finding {
            key: key_,
            headline: match code {
                Some(code) if seen.failed > 0 => format!("{headline}: {}", lower(code.entry().sentence)),
                Some(_) | None => headline,
            },
            zone: zone.to_owned(),
            code,
            since: self.began(filters)?,
            failed: seen.failed,
            requests: seen.requests,
            measured: seen.measured,
            threshold: seen.threshold,
            evidence: line.as_ref().map(facts).unwrap_or_default(),
            places,
            ray_id: last.map(|row| row.ray.to_string()).unwrap_or_default(),
        })
    }

    /// The first minute of the window that has such requests.
    fn began(&self, filters: &[Filter]) -> Result<Moment, QueryError> {
        let minute = Duration::from_secs(60);
        let step = if self.policy.window > minute * 1_000 { Duration::from_secs(3600) } else { minute };
        let query = Query { filters: filters.to_vec(), step: Some(step), ..Query::new(self.span) };
        let first = run(self.source, &query)?.groups.iter().filter_map(|group| group.at).min();
        Ok(first.map_or(self.span.from, |first| first.max(self.span.from)))
    }

    fn of_zones(&self) -> Vec<Filter> {
        if self.policy.zones.is_empty() {
            return Vec::new();
        }
        vec![Filter { dimension: Dimension::Zone, matching: Matching::Is, values: self.policy.zones.clone() }]
    }

    /// The failures that count.
    fn faults(&self) -> Vec<Filter> {
        let mut filters = self.of_zones();
        let values = self.policy.parties.iter().map(|party| party.name().to_owned()).collect();
        filters.push(Filter { dimension: Dimension::Party, matching: Matching::Is, values });
        if !self.policy.codes.is_empty() {
            let values = self.policy.codes.clone();
            filters.push(Filter { dimension: Dimension::Code, matching: Matching::StartsWith, values });
        }
        filters
    }
}

/// What a zone's window has.
struct Zone {
    name: String,
    requests: f64,
    failed: u64,
}

/// What was counted and measured.
struct Seen {
    failed: u64,
    requests: u64,
    measured: f64,
    threshold: f64,
}

fn share(zone: &Zone) -> f64 {
    zone.failed as f64 / zone.requests.max(1.0)
}

/// The evidence of a line, shortened to what a message can hold.
fn facts(line: &Value) -> Vec<Evidence> {
    let Some(Value::Object(evidence)) = line.get("VerdictEvidence") else { return Vec::new() };
    let fact = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            // a fact of several parts is told in words
            Value::Object(parts) => {
                let parts = parts.iter().filter(|(_, part)| !part.is_null());
                let part = |(name, part): (&String, &Value)| match part {
                    Value::String(text) => format!("{name} {text}"),
                    part => format!("{name} {part}"),
                };
                parts.map(part).collect::<Vec<_>>().join(", ")
            }
            value => value.to_string(),
        };
        Evidence { name: name.clone(), value: shortened(&value) }
    };
    evidence.iter().take(FACTS).map(fact).collect()
}

/// Without control characters, and cut.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(FACT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(FACT).is_some() {
        short.push('…');
    }
    short
}

fn with(filters: &[Filter], more: &[(Dimension, &str)]) -> Vec<Filter> {
    let is = |(dimension, value): &(Dimension, &str)| Filter {
        dimension: *dimension,
        matching: Matching::Is,
        values: vec![(*value).to_owned()],
    };
    let replaced =
        |filter: &&Filter| filter.matching != Matching::Is || !more.iter().any(|(of, _)| *of == filter.dimension);
    filters.iter().filter(replaced).cloned().chain(more.iter().map(is)).collect()
}

fn key(group: &Group) -> &str {
    group.key.first().map_or("", String::as_str)
}

fn named(zone: &str) -> &str {
    if zone.is_empty() { "hosts of no zone" } else { zone }
}

/// A sentence as it goes on behind a colon.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.trim_end_matches('.').chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn before(now: Moment, window: Duration) -> Span {
    Span { from: Moment(now.0.saturating_sub(nanos(window))), to: now }
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests, and saturating")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
