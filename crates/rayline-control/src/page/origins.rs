//! Zones and origins: what is configured, and how each origin address fares with real traffic.

use axum::Extension;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_store::{Answer, Dimension, Filter, Group, Matching, Number, Query, QueryError, Source};
use serde_json::Value;

use super::errors::{unanswered, unreadable};
use super::frame::{Page, Tab};
use super::timeline::named;
use super::{controls, parts};
use crate::access::Who;
use crate::api::Shared;
use crate::control::now;
use crate::facts::source;
use crate::scope::Scope;
use crate::show::{self, short};

const PATH: &str = "/origins";
/// Origins and zones that are listed.
const TOP: usize = 100;
/// So many configured zones are listed without being asked for.
const FEW: usize = 20;
/// What is measured of an origin.
const TIMES: [(Number, f64); 4] = [(Number::Tcp, 0.5), (Number::Tls, 0.5), (Number::Wait, 0.5), (Number::Wait, 0.99)];
/// From this share of failed requests on an origin is ill, and from this one it limps.
const ILL: f64 = 0.05;
const LIMPS: f64 = 0.001;

struct Seen {
    origins: Answer,
    /// The most frequent code of each, and whose it is.
    codes: Answer,
    served: Answer,
    zones: Answer,
}

/// `GET /origins`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    if let Some(link) = controls::added(&pairs, PATH) {
        return crate::login::see(&link);
    }
    let now = now();
    let page = |main, scope: Option<&Scope>| Page {
        tab: Tab::Origins,
        title: "Zones & origins",
        who: &who,
        api: scope.map(|scope| format!("/api/analytics?{}&by=origin&q=wait:0.99", scope.api_query())),
        permalink: scope.map(|scope| scope.permalink(PATH)),
        is_live: scope.is_some_and(Scope::is_live),
        main,
    };
    let scope = match Scope::read(&pairs, &[], now) {
        Ok(scope) => scope,
        Err(wrong) => return page(unreadable(&wrong), None).answer(),
    };
    let asked = scope.clone();
    let seen = shared.desk.ask(move |store| read(source(store), &asked)).await;
    let status = shared.edge.status();
    let main = html! {
        (controls::all(&scope, PATH, now))
        @match &seen {
            Ok(seen) => {
                section.card #origins data-swap { (origins(&scope, seen)) }
                section.card #zones data-swap { (zones(&scope, &seen.zones, &status)) }
            },
            Err(why) => (unanswered(why)),
        }
        (configured(&status))
    };
    page(main, Some(&scope)).answer()
}

fn read(store: &dyn Source, scope: &Scope) -> Result<Seen, QueryError> {
    let mut asked = scope.clone();
    asked.filters.push(Filter { dimension: Dimension::Origin, matching: Matching::IsNot, values: vec![String::new()] });
    let run = |query: Query| rayline_store::run(store, &query);
    Ok(Seen {
        origins: run(Query { top: TOP, quantiles: TIMES.to_vec(), ..asked.query(&[Dimension::Origin]) })?,
        codes: run(Query { top: 4 * TOP, ..asked.query(&[Dimension::Origin, Dimension::Code]) })?,
        served: run(Query { top: 4 * TOP, ..asked.query(&[Dimension::Origin, Dimension::Zone]) })?,
        zones: run(Query {
            top: TOP,
            quantiles: vec![(Number::FirstByte, 0.5), (Number::FirstByte, 0.99)],
            ..scope.query(&[Dimension::Zone])
        })?,
    })
}

fn origins(scope: &Scope, seen: &Seen) -> Markup {
    html! {
        header { h2 { "Origins" } span.soft { "each address as real requests found it" } }
        @if seen.origins.groups.is_empty() { p.soft { "No origin was asked in this span." } } @else {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Origin and zone" } th scope="col" { "Health" } th.n scope="col" { "Failed" } th.n scope="col" { "Requests" }
                    th.n scope="col" { "Connect" } th.n scope="col" { "TLS" } th.n scope="col" { "Wait, median" } th.n scope="col" { "p99" }
                    th scope="col" { "Mostly" }
                } }
                tbody { @for group in &seen.origins.groups { (origin_row(scope, group, seen)) } }
            } }
        }
    }
}

fn origin_row(scope: &Scope, group: &Group, seen: &Seen) -> Markup {
    let origin = group.key.first().map_or("", String::as_str);
    let share = group.sum.failed as f64 / group.sum.requests.max(1.0);
    let zones = seen.served.groups.iter().filter_map(|group| match group.key.as_slice() {
        [of, zone] if of == origin => Some(zone.as_str()),
        _ => None,
    });
    let zones: Vec<&str> = zones.take(3).collect();
    let worst =
        seen.codes.groups.iter().filter(|group| group.sum.failed > 0).find_map(|group| match group.key.as_slice() {
            [of, code] if of == origin && !code.is_empty() => Some(code.as_str()),
            _ => None,
        });
    html! {
        tr {
            th scope="row" { a href=(scope.with(Dimension::Origin, origin).link("/errors")) { (short(&named(Dimension::Origin, origin))) }
                @for zone in &zones { br; span.soft.small { (short(&named(Dimension::Zone, zone))) } } }
            td { @if share >= ILL { span.badly.dot { "failing" } } @else if share >= LIMPS { span.warns.dot { "some fail" } } @else { span.good.dot { "well" } } }
            td.n { (show::count(group.sum.failed)) " " span.soft { (show::percent(group.sum.failed as f64, group.sum.requests)) } }
            td.n { (show::requests(&group.sum)) }
            @for place in 0..TIMES.len() {
                td.n { @match group.sum.quantiles.get(place).copied().flatten() { Some(us) => (show::micros(us)), None => span.soft { "–" } } }
            }
            td.nowrap { @if let Some(code) = worst { (parts::code(code)) } }
        }
    }
}

fn zones(scope: &Scope, answer: &Answer, status: &Value) -> Markup {
    let known = status.get("zones").and_then(Value::as_array);
    let ssl = |zone: &str| {
        let zone = known?.iter().find(|known| known.get("name").and_then(Value::as_str) == Some(zone))?;
        zone.get("ssl").and_then(Value::as_str)
    };
    html! {
        header { h2 { "Zones" } }
        @if answer.groups.is_empty() { p.soft { "No zone was asked for in this span." } } @else {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Zone" } th scope="col" { "SSL mode" } th.n scope="col" { "Failed" } th.n scope="col" { "Requests" }
                    th.n scope="col" { "First byte, median" } th.n scope="col" { "p99" } th.n scope="col" { "Sent" }
                } }
                tbody { @for group in &answer.groups {
                    @let zone = group.key.first().map_or("", String::as_str);
                    tr {
                        th scope="row" { a href=(scope.with(Dimension::Zone, zone).link("/errors")) { (short(&named(Dimension::Zone, zone))) } }
                        td { (short(ssl(zone).unwrap_or("–"))) }
                        td.n { (show::count(group.sum.failed)) " " span.soft { (show::percent(group.sum.failed as f64, group.sum.requests)) } }
                        td.n { (show::requests(&group.sum)) }
                        @for place in 0..2 {
                            td.n { @match group.sum.quantiles.get(place).copied().flatten() { Some(us) => (show::micros(us)), None => span.soft { "–" } } }
                        }
                        td.n { (show::bytes(group.sum.bytes)) }
                    }
                } }
            } }
        }
    }
}

/// What the edge says is configured, with traffic or without.
fn configured(status: &Value) -> Markup {
    let zones: Vec<&Value> = status
        .get("zones")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|zone| zone.is_object())
        .take(1_000)
        .collect();
    let texts = |zone: &Value, name: &str| -> Vec<String> {
        zone.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .take(20)
            .map(str::to_owned)
            .collect()
    };
    html! {
        @if !zones.is_empty() {
            section.card {
                header { h2 { "Configured" } span.soft { (zones.len()) " zones" } }
                details open[zones.len() <= FEW] { summary { "Zones with their hosts and origins" } div.scroll { table {
                    thead { tr { th scope="col" { "Zone" } th scope="col" { "SSL mode" } th scope="col" { "Hosts" } th scope="col" { "Origins" } } }
                    tbody { @for zone in &zones {
                        tr {
                            th scope="row" { (short(zone.get("name").and_then(Value::as_str).unwrap_or_default())) }
                            td { (short(zone.get("ssl").and_then(Value::as_str).unwrap_or_default())) }
                            td { @for host in texts(zone, "hosts") { (short(&host)) " " } }
                            td { @for origin in texts(zone, "origins") { (short(&origin)) " " } }
                        }
                    } }
                } } }
            }
        }
    }
}
