//! How the edge itself fares: log, store, push, alerts, versions.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Page, Tab};
use crate::access::Who;
use crate::api::Shared;
use crate::control::now;
use crate::seat::{Alert, Job};
use crate::show::{self, short};

/// `GET /system`
pub(crate) async fn show(State(shared): State<Shared>, Extension(who): Extension<Who>) -> Response {
    let status = shared.edge.status();
    let main = html! {
        div.grid {
            (edge(&shared, &status))
            (log(&shared))
            (store(&shared).await)
        }
        (senders(&shared))
        (raw(&status))
    };
    let api = Some("/api/status".to_owned());
    Page { tab: Tab::System, title: "System", who: &who, api, permalink: None, is_live: false, main }.answer()
}

fn edge(shared: &Shared, status: &Value) -> Markup {
    let addresses = |name: &str| -> Vec<&str> {
        status.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let number = |name: &str| status.get(name).and_then(Value::as_u64);
    html! {
        section.card {
            h2 { "Edge" }
            dl.facts {
                dt { "Rayline" } dd { (env!("CARGO_PKG_VERSION")) }
                dt { "Configuration" } dd { a href="/configuration" { "version " (shared.edge.plan_version()) } }
                dt { "Running since" } dd { (show::when(shared.started)) " (" (show::ago(shared.started, now())) ")" }
                @for (name, addresses) in [("HTTP on", addresses("http")), ("HTTPS on", addresses("https"))] {
                    @if !addresses.is_empty() { dt { (name) } dd { @for address in addresses { (short(address)) " " } } }
                }
                @if let Some(visitors) = number("visitor_connections") { dt { "Visitors’ connections" } dd.n { (show::count(visitors)) } }
                @if let Some(idle) = number("idle_origin_connections") { dt { "Kept to origins" } dd.n { (show::count(idle)) } }
            }
        }
    }
}

fn log(shared: &Shared) -> Markup {
    let health = shared.observer.health();
    html! {
        section.card {
            header { h2 { "Request log" }
                @match (&health.log_error, health.records_lost) {
                    (Some(_), _) => span.badly.dot { "cannot be written" },
                    (None, 0) => span.good.dot { "works" },
                    (None, _) => span.warns.dot { "has lost records" },
                } }
            @if let Some(error) = &health.log_error { p.badly { (show::long(error, 400)) } }
            dl.facts {
                dt { "Records lost" } dd.n { (show::count(health.records_lost)) }
                dt { "Failed writes" } dd.n { (show::count(health.log_write_errors)) }
                dt { "Metrics" } dd { a href="/metrics" { code { "/metrics" } } " for Prometheus" }
            }
        }
    }
}

async fn store(shared: &Shared) -> Markup {
    let Some(store) = shared.seats.store.clone() else {
        return html! {
            section.card { header { h2 { "Store" } span.warns.dot { "off" } }
                p { "Without the store nothing is kept but the request log: no error analytics, no look-up of Ray IDs." } }
        };
    };
    let health = tokio::task::spawn_blocking(move || store.health()).await.unwrap_or_default();
    html! {
        section.card {
            header { h2 { "Store" }
                @if health.get("error").is_some_and(|error| !error.is_null()) { span.badly.dot { "fails" } } @else { span.good.dot { "works" } } }
            (facts(&health))
        }
    }
}

/// An object's entries that are numbers, texts or truths, by their names.
fn facts(object: &Value) -> Markup {
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let entries = object.as_object().into_iter().flatten().filter(|(_, value)| !is_empty(value));
    html! {
        dl.facts { @for (name, value) in entries {
            dt { (short(&label(name))) }
            dd.n { @match value {
                Value::Null => "–",
                Value::Bool(is_so) => @if *is_so { "yes" } @else { "no" },
                Value::Number(number) => @match number.as_u64() {
                    Some(number) if name.ends_with("bytes") => (show::bytes(number as f64)),
                    Some(number) => (show::count(number)),
                    None => (number.to_string()),
                },
                Value::String(text) => (show::long(text, 400)),
                Value::Array(_) | Value::Object(_) => code { (show::long(&value.to_string(), 400)) },
            } }
        } }
    }
}

/// A name in words: `size_bytes` is the size.
fn label(name: &str) -> String {
    let words = name.trim_end_matches("_bytes").replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn senders(shared: &Shared) -> Markup {
    let Some(senders) = &shared.seats.senders else {
        return html! {
            section.card { header { h2 { "Push and alerts" } span.soft { "off" } }
                p { "Records can be sent to other systems, and people told when something fails; the configuration says where to." } }
        };
    };
    let (jobs, alerts) = (senders.jobs(), senders.alerts());
    html! {
        section.card {
            header { h2 { "Alerts" } a href="/api/alerts" { code { "/api/alerts" } } }
            @if alerts.is_empty() {
                p { "Nothing is firing" @if jobs.is_empty() { ". Who is to be told of what is said by " code { "[[alert]]" } " and " code { "[[alert_receiver]]" } " in the configuration" } "." }
            } @else { (alert_list(&alerts)) }
        }
        section.card {
            header { h2 { "Receivers" } span.soft { "where records and alerts are sent to" } }
            @if jobs.is_empty() {
                p { "None is configured. Records are sent by " code { "[[logpush]]" } ", traces by " code { "[trace]" } ", alerts by " code { "[[alert_receiver]]" } "." }
            } @else { (job_table(&jobs)) }
        }
    }
}

fn job_table(jobs: &[Job]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Receiver" } th scope="col" { "State" }
                th.n scope="col" { "Sent" } th scope="col" { "Last" } th.n scope="col" { "Waiting" }
                th.n scope="col" { "Lost" } th.n scope="col" { "Failed tries" }
            } }
            tbody { @for job in jobs {
                tr {
                    th scope="row" { (short(&job.name)) } td { (short(&job.kind)) } td { (short(&job.receiver)) }
                    td { @match &job.error {
                        None => span.good.dot { "works" },
                        Some(error) => { span.badly.dot { "fails" }
                            @if let Some(since) = job.failing_since { " since " (show::when(since)) } ": " (show::long(error, 300)) },
                    }
                    @if let Some(objection) = &job.objection { br; span.warns.small { "it objects: " (show::long(objection, 300)) } } }
                    td.n { (show::count(job.sent)) }
                    td.nowrap { @match job.last_success { Some(at) => span title=(show::text(at, show::Precision::Second)) { (show::ago(at, now())) }, None => span.soft { "never" } } }
                    td.n { (show::count(job.waiting)) @if job.waiting_bytes > 0 { br; span.soft.small { (show::bytes(job.waiting_bytes as f64)) } } }
                    td.n { (show::count(job.lost)) } td.n { (show::count(job.failed)) }
                }
            } }
        } }
    }
}

/// Alerts, the newest first.
pub(crate) fn alert_list(alerts: &[Alert]) -> Markup {
    html! {
        ul.plain { @for alert in alerts {
            li {
                @if alert.until.is_none() { strong.badly.dot { "fires" } } @else { span.soft.dot { "over" } }
                " " strong { (short(&alert.rule)) } " " (show::long(&alert.summary, 400)) " "
                span.soft.small { "since " (show::when(alert.since)) @if let Some(until) = alert.until { " until " (show::when(until)) } }
                @if alert.link.starts_with('/') && !alert.link.starts_with("//") { " " a href=(alert.link) { "see" } }
            }
        } }
    }
}

fn raw(status: &Value) -> Markup {
    let text = serde_json::to_string_pretty(status).unwrap_or_default();
    html! {
        section.card {
            details { summary { "What the edge says of itself, as data" } pre tabindex="0" { (show::long(&text, 50_000).lines()) } }
        }
    }
}
