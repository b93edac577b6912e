//! Zones and origins: what is configured, and how each origin address fares with real traffic.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_store::analysis::origins::{Origin, origins};
use rayline_store::{Answer, Dimension, Number, Query, QueryError, Source};
use serde_json::Value;

use super::errors::unanswered;
use super::frame::Tab;
use super::parts;
use super::timeline::named;
use super::view::View;
use crate::access::Who;
use crate::api::Shared;
use crate::facts::Unanswered;
use crate::scope::Scope;
use crate::show::{self, short};

/// Zones that are listed, and origins.
const TOP: usize = 100;
const ORIGINS: usize = 200;
/// Origins that are seen at once.
const FIRST: usize = 15;
/// So many configured zones are listed without being asked for.
const FEW: usize = 20;
/// From this share of failed requests on an origin is ill, and from this one it limps.
const ILL: f64 = 0.05;
const LIMPS: f64 = 0.001;
/// Certificates with fewer days left are marked, and with fewer than these they are urgent.
const SOON: i64 = 30;
const URGENT: i64 = 7;

const VIEW: View = View {
    tab: Tab::Origins,
    title: "Zones & origins",
    path: "/origins",
    own: &[],
    api: |scope| format!("/api/origins?{}", scope.api_query()),
};

struct Seen {
    origins: Vec<Origin>,
    zones: Answer,
}

/// `GET /origins`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    let read_timeout = shared.seats.limits().read_timeout;
    let read = move |store: &dyn Source, scope: &Scope| read(store, scope, read_timeout);
    let status = shared.edge.status();
    let draw = |scope: &Scope, seen: Result<Seen, Unanswered>| {
        html! {
            @match &seen {
                Ok(seen) => {
                    section.card #origins data-swap { (all(scope, &seen.origins, &status, read_timeout)) }
                    section.card #zones data-swap { (zones(scope, &seen.zones, &status)) }
                },
                Err(why) => (unanswered(why)),
            }
            (configured(&status))
            (parts::seen_since(shared.started))
        }
    };
    VIEW.answer(&shared, &who, &pairs, read, draw).await
}

fn read(store: &dyn Source, scope: &Scope, read_timeout: Duration) -> Result<Seen, QueryError> {
    Ok(Seen {
        origins: origins(store, scope.span, &scope.filters, read_timeout)?,
        zones: rayline_store::run(
            store,
            &Query {
                top: TOP,
                quantiles: vec![(Number::FirstByte, 0.5), (Number::FirstByte, 0.99)],
                ..scope.query(&[Dimension::Zone])
            },
        )?,
    })
}

fn all(scope: &Scope, origins: &[Origin], status: &Value, read_timeout: Duration) -> Markup {
    let (first, others) = origins.split_at(FIRST.min(origins.len()));
    let left_out = others.len().saturating_sub(ORIGINS);
    let rows = |origins: &[Origin]| {
        html! {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Origin and zone" } th scope="col" { "Health" } th.n scope="col" { "Failed" }
                    th.n scope="col" title="the time to connect, by TCP and then by TLS" { "Connect + TLS" }
                    th.n scope="col" title="from the request’s end to the first byte of the answer: half take less; and one in a hundred more" { "Wait" }
                    th.n scope="col" title="answered on a connection that was there already" { "Reused" }
                    th scope="col" { "Certificate" }
                } }
                tbody { @for origin in origins { (row(scope, origin, status, read_timeout)) } }
            } }
        }
    };
    html! {
        header { h2 { "Origins" } span.soft { "each address as real requests found it, the worst first" } }
        @if origins.is_empty() { p.soft { "No origin was asked in this span." } } @else { (rows(first)) }
        @if !others.is_empty() {
            details {
                summary { (show::count(others.len() as u64)) " more origins, none with a larger share of failures" }
                (rows(others.get(..ORIGINS).unwrap_or(others)))
                @if left_out > 0 { p.soft { (show::count(left_out as u64)) " more are left out; add a filter to see one of them." } }
            }
        }
    }
}

fn row(scope: &Scope, origin: &Origin, status: &Value, read_timeout: Duration) -> Markup {
    let share = origin.failed as f64 / origin.requests.max(1.0);
    let time = |time: Option<Duration>| {
        html! { @match time { Some(time) => (show::micros(time.as_secs_f64() * 1e6)), None => span.soft { "–" } } }
    };
    html! {
        tr {
            th scope="row" { a href=(scope.with(Dimension::Origin, &origin.address).link("/errors")) { (short(&origin.address)) }
                @for zone in origin.zones.iter().take(3) { br; span.soft.small { (short(&named(Dimension::Zone, zone))) } } }
            td {
                @if share >= ILL { span.badly.dot { "failing" } } @else if origin.slow { span.warns.dot { "slow" } }
                @else if share >= LIMPS { span.warns.dot { "some fail" } } @else { span.good.dot { "well" } }
                @if let Some((code, _)) = origin.codes.iter().find(|(_, failed)| *failed > 0) { br; span.small { (parts::code(code)) } }
                @if let Some(failure) = origin.last_failure { br; span.soft.small { "last failed " (show::ago(failure, scope.span.to)) } }
                @if let (Some(success), true) = (origin.last_success, share >= LIMPS) { br; span.soft.small { "last went well " (show::ago(success, scope.span.to)) } }
            }
            td.n { (show::count(origin.failed)) " " span.soft { (show::percent(origin.failed as f64, origin.requests)) }
                br; span.soft.small { "of " (show::estimate(origin.requests, origin.error)) } }
            td.n { (time(origin.connect_p50)) @if origin.tls_p50.is_some() { " + " (time(origin.tls_p50)) } }
            td.n { (time(origin.wait_p50))
                @if origin.wait_p99.is_some() { br; span.small.warns[origin.slow].soft[!origin.slow] { "p99 " (time(origin.wait_p99)) } }
                @if origin.slow { br; span.soft.small { "ends at " (show::duration(read_timeout)) } } }
            td.n { @match origin.reused { Some(reused) => (show::percent(reused, 1.0)), None => span.soft { "–" } } }
            td { (certificate(&origin.address, status)) }
        }
    }
}

/// What the origin showed in its newest handshake.
fn certificate(address: &str, status: &Value) -> Markup {
    let all = status.get("certificates").and_then(Value::as_array).into_iter().flatten();
    let text =
        |certificate: &Value, name: &str| certificate.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown = all.filter(|certificate| text(certificate, "address") == address);
    let shown = shown.min_by_key(|certificate| certificate.get("days_left").and_then(Value::as_i64));
    html! {
        @match shown {
            None => span.soft { "–" },
            Some(certificate) => {
                @let days = certificate.get("days_left").and_then(Value::as_i64).unwrap_or_default();
                span.badly[days < URGENT].warns[(URGENT..SOON).contains(&days)] title=(show::plain(&text(certificate, "not_after"), 40)) {
                    @if days < 0 { "expired " (days.unsigned_abs()) " d ago" } @else { (days) " d left" }
                }
            },
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
