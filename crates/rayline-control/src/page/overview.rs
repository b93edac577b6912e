//! What to know first: what share failed, whose fault each share is, since when, where, and what to do.

use std::collections::{BTreeMap, BTreeSet};

use axum::Extension;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_store::analysis::approaching::{Limits, Warning, approaching};
use rayline_store::analysis::impact::{Impact, impact};
use rayline_store::analysis::incidents::{Incidents, incidents};
use rayline_store::{Answer, Dimension, Group, Query, QueryError, Row, Source};
use rayline_verdict::Party;
use serde_json::Value;

use super::errors::{failed, unanswered, unreadable};
use super::frame::{Page, Tab};
use super::line::Line;
use super::timeline::{Timeline, named};
use super::{chart, controls, insight, parts, system};
use crate::access::Who;
use crate::api::Shared;
use crate::control::now;
use crate::facts::source;
use crate::login;
use crate::scope::Scope;
use crate::show::{self, long, short};

const PATH: &str = "/";

/// Zones in the budget that are seen at once, and those that are there at all.
const WORST: usize = 8;
const ZONES: usize = 200;
/// Failures that are named with what to do.
const CODES: usize = 6;
/// Requests in the list of the newest.
const NEWEST: usize = 8;
/// Certificates with fewer days left are shown.
const DAYS: i64 = 30;

/// Parties whose failures count against a zone: what visitors do wrong and what rules turn away is no outage.
const COUNTED: [Party; 4] = [Party::Origin, Party::Network, Party::Owner, Party::Edge];

struct Seen {
    timeline: Timeline,
    zones: Answer,
    codes: Answer,
    newest: Vec<Row>,
    incidents: Incidents,
    impact: Impact,
    warnings: Vec<Warning>,
}

/// `GET /`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    if who.role().is_none() {
        return login::form("/", None);
    }
    if let Some(link) = controls::added(&pairs, PATH) {
        return login::see(&link);
    }
    let now = now();
    let page = |main, scope: Option<&Scope>| Page {
        tab: Tab::Overview,
        title: "Overview",
        who: &who,
        api: scope.map(|scope| format!("/api/analytics?{}&by=zone&by=party", scope.api_query())),
        permalink: scope.map(|scope| scope.permalink(PATH)),
        is_live: scope.is_some_and(Scope::is_live),
        main,
    };
    let scope = match Scope::read(&pairs, &[], now) {
        Ok(scope) => scope,
        Err(wrong) => return page(unreadable(&wrong), None).answer(),
    };
    let (asked, limits) = (scope.clone(), shared.seats.limits());
    let seen = shared.desk.ask(move |store| read(source(store), &asked, &limits)).await;
    let main = html! {
        (controls::all(&scope, PATH, now))
        (firing(&shared))
        @match seen {
            Ok(seen) => (body(&shared, &scope, &seen)),
            Err(why) => (unanswered(&why)),
        }
    };
    page(main, Some(&scope)).answer()
}

fn read(store: &dyn Source, scope: &Scope, limits: &Limits) -> Result<Seen, QueryError> {
    let mut filters = scope.filters.clone();
    filters.push(failed());
    let worst = Query { filters: filters.clone(), top: 8 * CODES, ..scope.query(&[Dimension::Code, Dimension::Zone]) };
    Ok(Seen {
        timeline: Timeline::read(store, scope, Dimension::Party)?,
        zones: rayline_store::run(store, &scope.query(&[Dimension::Zone, Dimension::Party]))?,
        codes: rayline_store::run(store, &worst)?,
        newest: rayline_store::rows(store, scope.span, &filters, NEWEST)?,
        incidents: incidents(store, scope.span)?,
        impact: impact(store, scope.span, &scope.filters)?,
        warnings: approaching(store, scope.span, limits)?,
    })
}

/// Alerts that fire now.
fn firing(shared: &Shared) -> Markup {
    let alerts = shared.seats.senders.as_ref().map(|senders| senders.alerts()).unwrap_or_default();
    let firing: Vec<_> = alerts.into_iter().filter(|alert| alert.until.is_none()).take(5).collect();
    html! { @if !firing.is_empty() { section.note.bad { h2 { "Alerts" } (system::alert_list(&firing)) } } }
}

fn body(shared: &Shared, scope: &Scope, seen: &Seen) -> Markup {
    let status = shared.edge.status();
    html! {
        @if seen.zones.total.requests <= 0.0 {
            (parts::empty("No requests in this span", &html! {
                p { "Requests appear here as they come. Send one, or look at a longer span." }
                pre { code { "curl -i -H 'Host: YOUR.SITE' http://127.0.0.1:8080/" } }
            }))
        } @else {
            div #stats data-swap { (stats(scope, &seen.zones)) }
            section.card #timeline data-swap {
                header { h2 { "Failed requests, by whose fault it is" } span.soft { "click a bar to look closer" } }
                @if seen.timeline.is_empty() { p.good { "Nothing failed in this span." } }
                (seen.timeline.draw(scope, "/errors", "Failed requests by party", true))
            }
            section.card #incidents data-swap { (insight::incidents(scope, &seen.incidents)) }
            @let alone = alone(&seen.codes, &seen.incidents);
            @if !alone.is_empty() { section.card #first data-swap { (first(scope, &alone)) } }
            section.card #budget data-swap { (budget(scope, &seen.zones)) }
            @if seen.impact.failed > 0 || !seen.warnings.is_empty() {
                div.grid {
                    @if seen.impact.failed > 0 { section.card #impact data-swap { (insight::impact(scope, &seen.impact)) } }
                    @if !seen.warnings.is_empty() { section.card #approaching data-swap { (insight::approaching(&seen.warnings)) } }
                }
            }
            @if !seen.newest.is_empty() {
                section.card #newest data-swap {
                    header { h2 { "The newest failures" } a href=(scope.link("/errors")) { "all of them" } }
                    ol.lines { @for line in seen.newest.iter().filter_map(|row| Line::parse(&row.line)) { (line.row(false)) } }
                }
            }
        }
        (certificates(&status))
    }
}

/// A zone's requests: all, and the failed ones by party.
#[derive(Default)]
struct Budget {
    requests: f64,
    failed: BTreeMap<&'static str, u64>,
}

impl Budget {
    fn counted(&self) -> u64 {
        COUNTED.iter().filter_map(|party| self.failed.get(party.name())).sum()
    }
}

/// All requests of the span in four numbers.
fn stats(scope: &Scope, answer: &Answer) -> Markup {
    let mut failed: BTreeMap<&str, u64> = BTreeMap::new();
    for group in &answer.groups {
        if let [_, party] = group.key.as_slice() {
            *failed.entry(party).or_default() += group.sum.failed;
        }
    }
    let counted: u64 = COUNTED.iter().filter_map(|party| failed.get(party.name())).sum();
    let whole = answer.total.requests;
    let worst = COUNTED.into_iter().max_by_key(|party| failed.get(party.name()).copied().unwrap_or_default());
    let worst = worst.and_then(|party| Some((party, *failed.get(party.name())?))).filter(|(_, failed)| *failed > 0);
    html! {
        dl.grid.narrow {
            div.stat { dt { "Answered" } dd.good[counted == 0].badly[counted > 0] { (show::percent(whole - counted as f64, whole)) }
                dd.small { "all but " (show::count(counted)) " that count against the site" } }
            div.stat { dt { "Failed" } dd { a href=(scope.link("/errors")) { (show::count(answer.total.failed)) } }
                dd.small { "with what visitors and rules brought about" } }
            div.stat { dt { "Mostly the fault of" }
                @match worst {
                    Some((party, failed)) => {
                        dd { a href=(scope.with(Dimension::Party, party.name()).link("/errors")) { (party.name()) } }
                        dd.small { (show::count(failed)) " requests" }
                    },
                    None => { dd { "nobody" } dd.small { "nothing failed that counts" } },
                } }
            div.stat { dt { "Requests" } dd { (show::requests(&answer.total)) }
                dd.small { (controls::lately(scope)) } }
        }
    }
}

/// What share of each zone's requests was answered, and whose fault the rest is.
fn budget(scope: &Scope, answer: &Answer) -> Markup {
    let mut zones: BTreeMap<&str, Budget> = BTreeMap::new();
    for group in &answer.groups {
        let [zone, party] = group.key.as_slice() else { continue };
        let budget = zones.entry(zone).or_default();
        budget.requests += group.sum.requests;
        if let Some(party) = Party::ALL.into_iter().find(|known| known.name() == party) {
            *budget.failed.entry(party.name()).or_default() += group.sum.failed;
        }
    }
    let mut zones: Vec<(&str, Budget)> = zones.into_iter().collect();
    zones.sort_by(|one, other| {
        other.1.counted().cmp(&one.1.counted()).then_with(|| other.1.requests.total_cmp(&one.1.requests))
    });
    let left_out = zones.len().saturating_sub(ZONES + WORST);
    let (worst, others) = zones.split_at(WORST.min(zones.len()));
    let rows = |zones: &[(&str, Budget)]| {
        html! {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Zone" } th.n scope="col" { "Answered" } th.half scope="col" { "Whose fault the rest is" }
                    th.n scope="col" { "Requests" }
                } }
                tbody { @for (zone, budget) in zones { (zone_row(scope, zone, budget)) } }
            } }
        }
    };
    html! {
        header { h2 { "Error budget" } span.soft { "what share was answered, and whose fault the rest is" } }
        (rows(worst))
        @if !others.is_empty() {
            details {
                summary { (show::count(others.len() as u64)) " more zones, none of them worse" }
                (rows(others.get(..ZONES).unwrap_or(others)))
                @if left_out > 0 { p.soft { (show::count(left_out as u64)) " more are left out; add a filter to see one of them." } }
            }
        }
        p.soft.small { "What visitors did wrong, such as leaving early, and what rules turned away is named but does not count." }
    }
}

fn zone_row(scope: &Scope, zone: &str, budget: &Budget) -> Markup {
    let counted = budget.counted();
    let answered = (budget.requests - counted as f64).max(0.0);
    let at = scope.with(Dimension::Zone, zone);
    let shares: Vec<(f64, &str)> = std::iter::once((answered, "fine"))
        .chain(COUNTED.iter().filter_map(|party| Some((*budget.failed.get(party.name())? as f64, party.name()))))
        .collect();
    html! {
        tr {
            th scope="row" { a href=(at.link("/errors")) { (short(&named(Dimension::Zone, zone))) } }
            td.n { strong.good[counted == 0] { (show::percent(answered, budget.requests)) } }
            td {
                (chart::split(&shares))
                ul.keys {
                    @for party in Party::ALL.into_iter().rev() {
                        @if let Some(failed) = budget.failed.get(party.name()).filter(|failed| **failed > 0) {
                            li.small class=(format!("key {}", party.name())) {
                                a href=(at.with(Dimension::Party, party.name()).link("/errors")) { (party.name()) }
                                " " (show::percent(*failed as f64, budget.requests))
                                @if !COUNTED.contains(&party) { span.soft { " (not counted)" } }
                            }
                        }
                    }
                    @if counted == 0 && budget.failed.values().all(|failed| *failed == 0) { li.small.soft { "nobody’s: nothing failed" } }
                }
            }
            td.n { (show::rounded(budget.requests)) }
        }
    }
}

/// Frequent failures of which no incident speaks.
fn alone<'a>(codes: &'a Answer, incidents: &Incidents) -> Vec<&'a Group> {
    let told: BTreeSet<&str> =
        incidents.incidents.iter().flat_map(|incident| &incident.codes).map(|(code, _)| code.as_str()).collect();
    let is_alone =
        |group: &&Group| group.sum.failed > 0 && group.key.first().is_some_and(|code| !told.contains(code.as_str()));
    codes.groups.iter().filter(is_alone).take(CODES).collect()
}

/// Failures, each with what to do first.
fn first(scope: &Scope, groups: &[&Group]) -> Markup {
    html! {
        header { h2 { "What else fails" } span.soft { "the most frequent failures that are no incident" } }
        div.scroll { table {
            thead { tr { th scope="col" { "What fails" } th scope="col" { "What to do" } th.n scope="col" { "Failed" } } }
            tbody { @for group in groups {
                @if let [code, zone] = group.key.as_slice() {
                    @let entry = parts::code_named(code).map(|code| code.entry());
                    tr {
                        td { (parts::party(code.split('.').next().unwrap_or_default())) " "
                            a href=(scope.with(Dimension::Code, code).with(Dimension::Zone, zone).link("/errors")) { code { (short(code)) } }
                            br; span.soft.small { (short(&named(Dimension::Zone, zone))) }
                        }
                        td { @if let Some(entry) = entry { (entry.sentence)
                            @if let Some(fix) = entry.fix.first() { br; span.soft.small { (parts::prose(fix)) " " a href=(format!("/explain/{}", entry.name)) { "More" } } } } }
                        td.n { (show::count(group.sum.failed)) }
                    }
                }
            } }
        } }
    }
}

/// Certificates that run out.
fn certificates(status: &Value) -> Markup {
    let all = status.get("certificates").and_then(Value::as_array).into_iter().flatten();
    let ending =
        all.filter(|certificate| certificate.get("days_left").and_then(Value::as_i64).is_some_and(|days| days < DAYS));
    let mut ending: Vec<&Value> = ending.collect();
    ending.sort_by_key(|certificate| certificate.get("days_left").and_then(Value::as_i64));
    html! {
        @if !ending.is_empty() {
            section.card {
                header { h2 { "Certificates that run out" } span.soft { "in less than " (DAYS) " days" } }
                ul.plain { @for certificate in ending.iter().take(20) {
                    li {
                        @let days = certificate.get("days_left").and_then(Value::as_i64).unwrap_or_default();
                        strong.badly[days < 7] { @if days < 0 { "expired" } @else { (days) " days" } } " "
                        @for name in certificate.get("names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(5) {
                            (long(name, 100)) " "
                        }
                        span.soft { (short(certificate.get("toward").and_then(Value::as_str).unwrap_or_default())) }
                    }
                } }
            }
        }
    }
}
