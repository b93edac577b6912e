//! Requests as they come.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use maud::{Markup, html};
use rayline_observe::{TailFilter, Tailed};
use rayline_verdict::Party;
use tokio::sync::OwnedSemaphorePermit;

use super::frame::{Page, Tab};
use super::line::Line;
use super::parts;
use crate::access::Who;
use crate::api::Shared;
use crate::envelope::Failure;
use crate::show;

/// Lines that stay on the page.
const KEPT: usize = 200;

/// How often pages look again at most while requests fail.
const PULSE: Duration = Duration::from_secs(3);
/// How often they do while nothing fails: what was said to go on may be quiet by then.
const IDLE: Duration = Duration::from_secs(20);

/// `GET /tail`: the page, with the filter's form.
pub(crate) async fn show(Extension(who): Extension<Who>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let filter = TailFilter::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let query = filter.as_ref().map(TailFilter::to_query).unwrap_or_default();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    let main = html! {
        (form(value))
        @match &filter {
            Err(wrong) => (parts::wrong("This filter cannot be read", wrong.iter().map(String::as_str))),
            Ok(_) => section.card {
                header {
                    h2 { "Requests" }
                    span.soft #state role="status" { "needs the page’s script; or use " code { "rayline tail" } }
                    button.plain #pause type="button" hidden { "Pause" }
                }
                div.empty #nothing {
                    h2 { "Waiting for requests" }
                    p { "They appear here as they end, the newest first." }
                }
                ol.lines data-stream=(format!("/live/tail?{query}")) data-limit=(KEPT) data-state="state"
                    data-pause="pause" data-empty="nothing" aria-label="Requests, the newest first" {}
            },
        }
    };
    let api = Some(if query.is_empty() { "/api/tail".to_owned() } else { format!("/api/tail?{query}") });
    Page { tab: Tab::Tail, title: "Live tail", who: &who, api, permalink: None, is_live: false, main }.answer()
}

fn form<'a>(value: impl Fn(&str) -> &'a str) -> Markup {
    let field = |name: &str, label: &str, example: &str| {
        html! { label { (label) input name=(name) value=(show::plain(value(name), 200)) placeholder=(example) size="14"; } }
    };
    html! {
        form.row.card method="get" action="/tail" {
            (field("zone", "Zone", "example.com"))
            (field("status", "Status", "502 or 5xx"))
            (field("code", "Code begins with", "origin.connect"))
            label { "Party" select name="party" {
                option value="" { "any" }
                @for party in Party::ALL {
                    option value=(party.name()) selected[value("party") == party.name()] { (party.name()) }
                }
            } }
            label { "Show" select name="failures" {
                option value="false" { "all requests" }
                option value="true" selected[value("failures") == "true"] { "failures" }
            } }
            button type="submit" { "Filter" }
        }
    }
}

/// `GET /live/tail`: the same as events, each a rendered line.
pub(crate) async fn stream(State(shared): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let filter = match TailFilter::from_pairs(pairs) {
        Ok(filter) => filter,
        Err(wrong) => return Failure::Invalid.answer(wrong),
    };
    let Some(place) = shared.live_place() else { return too_many() };
    let tail = shared.observer.subscribe(filter);
    events(unfold((tail, place), |(mut tail, place)| async move {
        let event = match tail.next().await? {
            Tailed::Line(line) => line_event(&line),
            Tailed::Missed(count) => {
                let missed = html! { li { span.what.soft { (show::count(count)) " requests were left out: this page was too slow for them" } } };
                Event::default().event("line").data(missed.into_string())
            }
        };
        Some((Ok(event), (tail, place)))
    }))
}

fn line_event(line: &[u8]) -> Event {
    let row = Line::parse(line).map(|line| line.row(true).into_string()).unwrap_or_default();
    // what ends a line would end the event: the rows hold none, for control characters are spelt out
    Event::default().event("line").data(row.replace(['\r', '\n'], " "))
}

/// `GET /live/pulse`: an event whenever requests have failed, and now and then, so that pages look again.
pub(crate) async fn pulse(State(shared): State<Shared>) -> Response {
    let Some(place) = shared.live_place() else { return too_many() };
    let tail = shared.observer.subscribe(TailFilter { failures_only: true, ..TailFilter::default() });
    events(unfold((tail, place), |(mut tail, place): (_, OwnedSemaphorePermit)| async move {
        match tokio::time::timeout(IDLE, tail.next()).await {
            Ok(failure) => drop(failure?),
            Err(_nothing_failed) => return Some((Ok(Event::default().event("pulse").data("quiet")), (tail, place))),
        }
        // what else fails in the meantime belongs to the same pulse
        let rest = tokio::time::timeout(PULSE, async { while tail.next().await.is_some() {} }).await;
        rest.is_err().then(|| (Ok(Event::default().event("pulse").data("failed")), (tail, place)))
    }))
}

/// A stream of events that shows it lives.
pub(crate) fn events(stream: impl futures_util::Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}

/// What a stream answers where there are too many.
pub(crate) fn too_many() -> Response {
    Failure::TooMany.answer(["too many pages follow along already; close one first"])
}

impl Shared {
    /// A place among the pages that follow along; it is free again when it is dropped.
    pub(crate) fn live_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.live).try_acquire_owned().ok()
    }
}
