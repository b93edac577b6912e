//! What to know first: what share failed, whose fault each share is, since when, where, and what to do.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_store::analysis::approaching::{Kind, Limits, Warning, approaching};
use rayline_store::analysis::budget::{Budget, budget};
use rayline_store::analysis::impact::{Impact, impact};
use rayline_store::analysis::incidents::{Incidents, incidents};
use rayline_store::{Answer, Dimension, Group, Query, QueryError, Row, Source};
use serde_json::Value;

use super::errors::{failed, unanswered};
use super::frame::Tab;
use super::line::Line;
use super::timeline::{Timeline, named};
use super::view::View;
use super::{chart, controls, insight, parts, system};
use crate::access::Who;
use crate::api::{OBJECTIVE, Shared};
use crate::facts::Unanswered;
use crate::login;
use crate::scope::Scope;
use crate::show::{self, long, short};

/// Zones in the budget that are seen at once, and those that are there at all.
const WORST: usize = 8;
const ZONES: usize = 200;
/// Failures that are named with what to do.
const CODES: usize = 6;
/// Requests in the list of the newest.
const NEWEST: usize = 8;
/// From this burn rate on a zone's budget of a month is gone in two days.
const FAST: f64 = 14.4;
/// Alerts that are seen at once.
const ALERTS: usize = 3;
/// Certificates with fewer days left are shown.
const DAYS: i64 = 30;

const VIEW: View = View {
    tab: Tab::Overview,
    title: "Overview",
    path: "/",
    own: &[],
    api: |scope| format!("/api/budget?{}", scope.api_query()),
};

struct Seen {
    timeline: Timeline,
    budgets: Vec<Budget>,
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
    let limits = shared.seats.limits();
    let read = move |store: &dyn Source, scope: &Scope| read(store, scope, &limits);
    let draw = |scope: &Scope, seen: Result<Seen, Unanswered>| {
        html! {
            div #alerts data-swap { (firing(&shared)) }
            @match seen {
                Ok(seen) => (body(&shared, scope, &seen)),
                Err(why) => (unanswered(&why)),
            }
        }
    };
    VIEW.answer(&shared, &who, &pairs, read, draw).await
}

fn read(store: &dyn Source, scope: &Scope, limits: &Limits) -> Result<Seen, QueryError> {
    let mut filters = scope.filters.clone();
    filters.push(failed());
    let worst = Query { filters: filters.clone(), top: 8 * CODES, ..scope.query(&[Dimension::Code, Dimension::Zone]) };
    Ok(Seen {
        timeline: Timeline::read(store, scope, Dimension::Party)?,
        budgets: budget(store, scope.span, &scope.filters, OBJECTIVE)?,
        codes: rayline_store::run(store, &worst)?,
        newest: rayline_store::rows(store, scope.span, &filters, NEWEST)?,
        incidents: incidents(store, scope.span, &scope.filters)?,
        impact: impact(store, scope.span, &scope.filters)?,
        warnings: approaching(store, scope.span, &scope.filters, limits)?,
    })
}

/// Alerts that fire now.
fn firing(shared: &Shared) -> Markup {
    let alerts = shared.seats.senders.as_ref().map(|senders| senders.alerts()).unwrap_or_default();
    let firing: Vec<_> = alerts.into_iter().filter(|alert| alert.until.is_none()).collect();
    let (first, others) = firing.split_at(ALERTS.min(firing.len()));
    html! { @if !firing.is_empty() {
        section.note.bad {
            h2 { "Alerts" } (system::alert_list(first))
            @if !others.is_empty() { details { summary { (show::count(others.len() as u64)) " more" } (system::alert_list(others)) } }
        }
    } }
}

fn body(shared: &Shared, scope: &Scope, seen: &Seen) -> Markup {
    let status = shared.edge.status();
    let all = Budget::together(&seen.budgets, OBJECTIVE);
    html! {
        @if all.requests <= 0.0 {
            (parts::empty("No requests in this span", &html! {
                p { "Requests appear here as they come. Send one, or look at a longer span." }
                pre { code { "curl -i -H 'Host: YOUR.SITE' http://127.0.0.1:8080/" } }
            }))
        } @else {
            div #stats data-swap { (stats(scope, &all)) }
            section.card #timeline data-swap {
                header { h2 { "Failed requests, by whose fault it is" } span.soft { "click a bar to look closer" } }
                @if seen.timeline.is_empty() { p.good { "Nothing failed in this span." } }
                (seen.timeline.draw(scope, "/errors", "Failed requests by party", true))
            }
            section.card #incidents data-swap { (insight::incidents(scope, &seen.incidents)) }
            @let alone = alone(&seen.codes, &seen.incidents);
            @if !alone.is_empty() { section.card #first data-swap { (first(scope, &alone)) } }
            section.card #budget data-swap { (budgets(scope, &seen.budgets)) }
            @let warnings = [seen.warnings.as_slice(), &near_limits(&status)].concat();
            @if seen.impact.failed > 0 || !warnings.is_empty() {
                div.grid {
                    @if seen.impact.failed > 0 { section.card #impact data-swap { (insight::impact(scope, &seen.impact)) } }
                    @if !warnings.is_empty() { section.card #approaching data-swap { (insight::approaching(&warnings)) } }
                }
            }
            @if !seen.newest.is_empty() {
                section.card #newest data-swap {
                    header { h2 { "The newest failures" } a href=(scope.link("/errors")) { "all of them" } }
                    ol.lines { @for line in seen.newest.iter().filter_map(|row| Line::parse(&row.line)) { (line.row(false)) } }
                }
            }
        }
        div #certificates data-swap { (certificates(&status)) }
        (parts::seen_since(shared.started))
    }
}

/// All requests of the span in four numbers.
fn stats(scope: &Scope, all: &Budget) -> Markup {
    let worst = all.losses.iter().find(|loss| loss.against_site);
    html! {
        dl.grid.narrow {
            div.stat { dt { "Answered" } dd.good[all.lost() == 0].badly[all.lost() > 0] { (show::percent(all.success, 1.0)) }
                dd.small { "all but " (show::count(all.lost())) " that count against the site" } }
            div.stat { dt { "Failed" } dd { a href=(scope.link("/errors")) { (show::count(all.failed())) } }
                dd.small { "with what visitors and rules brought about" } }
            div.stat { dt { "Mostly the fault of" }
                @match worst {
                    Some(loss) => {
                        dd { a href=(scope.with(Dimension::Party, &loss.party).link("/errors")) { (parts::party_name(&loss.party)) } }
                        dd.small { (show::count(loss.failed)) " requests" }
                    },
                    None => { dd { "nobody" } dd.small { "nothing failed that counts" } },
                } }
            div.stat { dt { "Requests" } dd { (show::estimate(all.requests, all.error)) }
                dd.small { (controls::lately(scope)) } }
        }
    }
}

/// What share of each zone's requests was answered, whose fault the rest is, and how fast that uses up its budget.
fn budgets(scope: &Scope, budgets: &[Budget]) -> Markup {
    let left_out = budgets.len().saturating_sub(ZONES + WORST);
    let (worst, others) = budgets.split_at(WORST.min(budgets.len()));
    let rows = |budgets: &[Budget]| {
        html! {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Zone" } th.n scope="col" { "Answered" } th.half scope="col" { "Whose fault the rest is" }
                    th.n scope="col" { "Burn rate" } th.n scope="col" { "Requests" }
                } }
                tbody { @for budget in budgets { (zone_row(scope, budget)) } }
            } }
        }
    };
    html! {
        header { h2 { "Error budget" } span.soft { "what share was answered, and whose fault the rest is" } }
        (rows(worst))
        @if !others.is_empty() {
            details {
                summary { (show::count(others.len() as u64)) " more zones, none of which lost more" }
                (rows(others.get(..ZONES).unwrap_or(others)))
                @if left_out > 0 { p.soft { (show::count(left_out as u64)) " more are left out; add a filter to see one of them." } }
            }
        }
        p.soft.small {
            "A burn rate of 1 uses up exactly what an objective of " (OBJECTIVE * 100.0) " % leaves; at 10, a month’s budget is gone in three days. "
            "What visitors did wrong, such as leaving early, and what rules turned away is named but does not count."
        }
    }
}

fn zone_row(scope: &Scope, budget: &Budget) -> Markup {
    let at = scope.with(Dimension::Zone, &budget.zone);
    let counted = budget.losses.iter().filter(|loss| loss.against_site);
    let shares: Vec<(f64, &str)> = std::iter::once(((budget.requests - budget.lost() as f64).max(0.0), "fine"))
        .chain(counted.map(|loss| (loss.failed as f64, parts::party_class(&loss.party))))
        .collect();
    html! {
        tr {
            th scope="row" { a href=(at.link("/errors")) { (short(&named(Dimension::Zone, &budget.zone))) } }
            td.n { strong.good[budget.lost() == 0] { (show::percent(budget.success, 1.0)) } }
            td {
                (chart::split(&shares))
                ul.keys {
                    @for loss in &budget.losses {
                        li.small class=(format!("key {}", parts::party_class(&loss.party))) {
                            a href=(at.with(Dimension::Party, &loss.party).link("/errors")) { (parts::party_name(&loss.party)) }
                            " " (show::percent(loss.share, 1.0))
                            @if !loss.against_site { span.soft { " (not counted)" } }
                        }
                    }
                    @if budget.losses.is_empty() { li.small.soft { "nobody’s: nothing failed" } }
                }
            }
            td.n { span.badly[budget.burn >= FAST] { (burn(budget.burn)) } }
            td.n { (show::estimate(budget.requests, budget.error)) }
        }
    }
}

fn burn(rate: f64) -> String {
    match rate {
        0.0 => "0".to_owned(),
        rate if rate < 10.0 => format!("{rate:.1}"),
        rate => show::rounded(rate),
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

/// Header sections near their limits, as the edge says that it has seen them since its start.
fn near_limits(status: &Value) -> Vec<Warning> {
    let all = status.get("near_limits").and_then(Value::as_array).into_iter().flatten();
    let warning = |seen: &Value| {
        let text = |name: &str| seen.get(name).and_then(Value::as_str).unwrap_or_default();
        let (bytes, limit) = (seen.get("bytes")?.as_f64()?, seen.get("limit")?.as_f64()?);
        let (kind, of) = match text("what") {
            "request" => (Kind::RequestHeader, "request to"),
            _ => (Kind::ResponseHeader, "response of"),
        };
        let (share, key, host, at) = (show::percent(bytes, limit), text("key"), text("host"), text("seen_at"));
        let sentence = format!(
            "the header section of a {of} `{host}` had {share} of the {limit} bytes that `{key}` allows, last seen at {at}"
        );
        Some(Warning { kind, subject: text("zone").to_owned(), degree: bytes / limit.max(1.0), sentence })
    };
    all.filter_map(warning).collect()
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
                        span.soft { @match certificate.get("address").and_then(Value::as_str) {
                            Some(address) => { "the origin’s at " (short(address)) },
                            None => "ours, shown to visitors",
                        } }
                    }
                } }
            }
        }
    }
}
