//! Failures folded into incidents: since when, until when, what, where, and what followed from what. Failures that visitors
//! and rules of the site bring about are no incidents of the site and are left out.

mod cascade;
mod onset;
mod scale;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rayline_verdict::Moment;

use super::failures::Failures;
use super::{counts_against_site, is_of_origin, party_of};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
use crate::query::{Filter, QueryError};
use onset::Burst;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
/// After so much time without a failure an incident is over.
const QUIET: i64 = 5 * MINUTE;
/// Fewer failures are no incident.
const LEAST: usize = 3;
/// What begins so near to one another at the same origin is one incident with several codes.
const TOGETHER: i64 = 2 * MINUTE;
/// What begins so near to one another at several origins with one code is one incident of all of them: what one failure
/// does to another takes longer.
const AT_ONCE: u64 = 2 * SECOND.unsigned_abs();
const MOST: usize = 50;
const MOST_NAMES: usize = 20;

/// Incidents of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incidents {
    /// The one with the most failures first, what followed from it counted in.
    pub incidents: Vec<Incident>,
    /// Failures that belong to none: fewer than three together, or of incidents beyond the 50 largest.
    pub strays: u64,
    /// One in so many failures was looked at, because there were very many: counts of them are then estimates.
    pub looked_at_one_in: u64,
}

/// Failures that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The first failure, or where failures became frequent.
    pub begin: Moment,
    /// The last failure, if five minutes without one have followed; `None` if the span ends before that, so that nobody can
    /// say yet whether it is over.
    pub end: Option<Moment>,
    /// The last failure.
    pub last: Moment,
    /// What failed and how often, the most frequent first. An empty code is a status of 500 and more without a verdict.
    pub codes: Vec<(String, u64)>,
    /// Whose fault it is: the party of the most frequent code.
    pub party: String,
    /// The zones met, 20 at most.
    pub zones: Vec<String>,
    /// The hosts met, 20 at most.
    pub hosts: Vec<String>,
    /// The origins that failed; empty if the failure is not one of origins.
    pub origins: Vec<String>,
    /// How many failures.
    pub failed: u64,
    /// How many requests its scope had in that time: those of its origins, or else of its zones. An estimate if it was short.
    pub requests: f64,
    /// The share of these that failed so.
    pub share: f64,
    /// A version of the configuration that was first seen within a minute before the begin.
    pub plan: Option<PlanSwitch>,
    /// Incidents that followed from this one, in the order of time.
    pub consequences: Vec<Consequence>,
}

/// A version of the configuration that came to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSwitch {
    /// Its number.
    pub version: String,
    /// Since when, to the minute.
    pub since: Moment,
}

/// An incident that is taken to follow from another one. This is an inference: the reason says from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Consequence {
    /// What followed.
    pub incident: Incident,
    /// Why the other one is taken for its root, in words.
    pub reason: String,
}

impl Incident {
    /// Its failures and those of all that followed.
    pub fn failed_with_consequences(&self) -> u64 {
        self.consequences.iter().fold(self.failed, |sum, consequence| sum + consequence.incident.failed)
    }

    /// The most frequent code.
    pub fn code(&self) -> &str {
        self.codes.first().map_or("", |(code, _)| code)
    }

    fn is_going_on(&self, at: Moment) -> bool {
        self.begin <= at && self.end.is_none_or(|end| at <= end)
    }
}

/// The incidents of a span, made of the failures that pass the filters. One that has lasted since before it begins with it.
///
/// # Errors
///
/// As [`run`](crate::query::run).
pub fn incidents(source: &dyn Source, span: Span, filters: &[Filter]) -> Result<Incidents, QueryError> {
    let dimensions = [Dimension::Code, Dimension::Zone, Dimension::Host, Dimension::Origin];
    let failures = Failures::read(source, span, filters, &dimensions)?;
    let bursts = bursts(&failures);
    let of_site: Vec<bool> = failures.values(Dimension::Code).map(|code| counts_against_site(party_of(code))).collect();
    let counts = |code: &&u32| of_site.get(**code as usize) == Some(&true);
    let all = failures.codes(Dimension::Code).iter().filter(counts).count();

    let mut found: Vec<Incident> = merged(bursts).iter().map(|burst| incident(burst, &failures, span)).collect();
    found.sort_by(|a, b| b.failed.cmp(&a.failed).then_with(|| a.begin.cmp(&b.begin)));
    found.truncate(MOST);
    let folded: u64 = found.iter().map(|incident| incident.failed).sum();
    scale::measure(source, &mut found)?;
    let mut incidents = cascade::fold(source, found)?;
    incidents.sort_by(|a, b| {
        let failed = b.failed_with_consequences().cmp(&a.failed_with_consequences());
        failed.then_with(|| a.begin.cmp(&b.begin))
    });
    Ok(Incidents {
        incidents,
        strays: (all as u64 * failures.stride).saturating_sub(folded),
        looked_at_one_in: failures.stride,
    })
}

/// Where something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope<'a> {
    Origin(&'a str),
    Zone(&'a str),
}

/// Failures of one code in one scope, cut where they pause or where their number leaps.
fn bursts(failures: &Failures) -> Vec<Burst<'_>> {
    // Rows with the same codes are alike: texts are looked at once for all of them.
    let mut alike: HashMap<[u32; 3], Vec<usize>, RandomState> = HashMap::default();
    for row in 0..failures.len() {
        let of_row = [Dimension::Code, Dimension::Origin, Dimension::Zone];
        let of_row = of_row.map(|dimension| failures.codes(dimension).get(row).copied().unwrap_or_default());
        alike.entry(of_row).or_default().push(row);
    }
    let mut series: BTreeMap<(Scope<'_>, &str), Vec<usize>> = BTreeMap::new();
    for rows in alike.into_values() {
        let Some(row) = rows.first().copied() else { continue };
        let code = failures.text(row, Dimension::Code);
        if !counts_against_site(party_of(code)) {
            continue;
        }
        let origin = failures.text(row, Dimension::Origin);
        let at_origin = is_of_origin(code) && !origin.is_empty();
        let scope = if at_origin { Scope::Origin(origin) } else { Scope::Zone(failures.text(row, Dimension::Zone)) };
        series.entry((scope, code)).or_default().extend(rows);
    }
    series.values_mut().for_each(|rows| rows.sort_unstable());
    let cut = |((scope, code), rows): (_, Vec<usize>)| onset::bursts(&failures.at, &rows, scope, code);
    series.into_iter().flat_map(cut).collect()
}

/// Bursts that are one incident, the largest of each first.
fn merged<'a>(mut bursts: Vec<Burst<'a>>) -> Vec<Vec<Burst<'a>>> {
    bursts.sort_by_key(|burst| (Reverse(burst.rows.len()), burst.begin));
    let mut merged: Vec<Vec<Burst<'a>>> = Vec::new();
    // by begin: of which incident each one is, and its place there
    let mut begins: BTreeMap<i64, Vec<(usize, usize)>> = BTreeMap::new();
    for burst in bursts {
        let near = burst.begin.saturating_sub(TOGETHER)..=burst.begin.saturating_add(TOGETHER);
        let same = begins.range(near).flat_map(|(_, of)| of).filter(|(incident, place)| {
            let other = merged.get(*incident).and_then(|incident| incident.get(*place));
            other.is_some_and(|other| is_same(other, &burst))
        });
        let incident = same.map(|(incident, _)| *incident).min().unwrap_or(merged.len());
        if incident == merged.len() {
            merged.push(Vec::new());
        }
        let Some(all) = merged.get_mut(incident) else { continue };
        begins.entry(burst.begin).or_default().push((incident, all.len()));
        all.push(burst);
    }
    merged
}

/// Whether two that begin near to one another are one incident.
fn is_same(one: &Burst<'_>, other: &Burst<'_>) -> bool {
    let same_scope = one.scope == other.scope && party_of(one.code) == party_of(other.code);
    let both_origins = matches!((one.scope, other.scope), (Scope::Origin(_), Scope::Origin(_)));
    let everywhere = both_origins && one.code == other.code && one.begin.abs_diff(other.begin) <= AT_ONCE;
    (same_scope && other.begin <= one.end && one.begin <= other.end) || everywhere
}

fn incident(bursts: &[Burst<'_>], failures: &Failures, span: Span) -> Incident {
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    // a few failures of a kind that there always is, shortly before, are not the begin
    let largest = bursts.first().map_or(0, |burst| burst.rows.len());
    let main = bursts.iter().filter(|burst| burst.rows.len() * 10 >= largest);
    let mut incident = Incident {
        begin: Moment(main.map(|burst| burst.begin).min().unwrap_or_default()),
        end: None,
        last: Moment(bursts.iter().map(|burst| burst.end).max().unwrap_or_default()),
        codes: Vec::new(),
        party: String::new(),
        zones: Vec::new(),
        hosts: Vec::new(),
        origins: Vec::new(),
        failed: 0,
        requests: 0.0,
        share: 0.0,
        plan: None,
        consequences: Vec::new(),
    };
    for burst in bursts {
        let failed = burst.rows.len() as u64 * failures.stride;
        *codes.entry(burst.code).or_default() += failed;
        incident.failed += failed;
        if let Scope::Origin(origin) = burst.scope {
            add_name(&mut incident.origins, origin);
        }
        add_names(&mut incident.zones, failures, Dimension::Zone, &burst.rows);
        add_names(&mut incident.hosts, failures, Dimension::Host, &burst.rows);
    }
    incident.end = (incident.last.0 < span.to.0.saturating_sub(QUIET)).then_some(incident.last);
    incident.codes = codes.into_iter().map(|(code, failed)| (code.to_owned(), failed)).collect();
    incident.codes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    incident.party = party_of(incident.code()).to_owned();
    incident
}

/// The values of those failures, in their order.
fn add_names(names: &mut Vec<String>, failures: &Failures, dimension: Dimension, rows: &[usize]) {
    let mut met = vec![false; failures.values(dimension).count()];
    let codes = failures.codes(dimension);
    for row in rows {
        let Some(code) = codes.get(*row) else { continue };
        if let Some(met @ false) = met.get_mut(*code as usize) {
            *met = true;
            add_name(names, failures.text(*row, dimension));
        }
    }
}

fn add_name(names: &mut Vec<String>, name: &str) {
    if names.len() < MOST_NAMES && !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}
