//! Finding the culprit of a failing site from the dashboard: a form, a live view of the steps, what follows from them.

mod run;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, RawForm, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use maud::{Markup, html};
use serde_json::Value;
use url::form_urlencoded;

use self::run::Ended;
pub(crate) use self::run::{Run, Runs};
use super::frame::{Page, Tab};
use super::parts;
use super::tail::{events, too_many};
use crate::access::Who;
use crate::api::Shared;
use crate::envelope::Failure;
use crate::gate::CSRF;
use crate::login::see;
use crate::show::{self, long, short};

/// Origins that can be named in the form.
const ORIGINS: usize = 8;

/// `GET /diagnose?url=`: the form, and the diagnoses of late.
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    page(&shared, &who, value("url"), value("origins"), None)
}

fn page(shared: &Shared, who: &Who, url: &str, origins: &str, wrong: Option<&str>) -> Response {
    let runs = shared.runs.all();
    let main = html! {
        @if let Some(wrong) = wrong { (parts::wrong("That cannot be looked at", [wrong])) }
        @match (&shared.seats.diagnose, who.csrf()) {
            (Some(_), Some(csrf)) if who.is_admin() => form.row.card method="post" action="/diagnose" {
                input type="hidden" name=(CSRF) value=(csrf.as_str());
                label.wide { "A URL that fails, behind this edge, another or none"
                    input name="url" type="url" required placeholder="https://shop.example/checkout"
                        value=(show::plain(url, 2_000)) autocomplete="off"; }
                label.wide { "Where its origin is, if you know (several: with spaces)"
                    input name="origins" placeholder="192.0.2.7 or http://192.0.2.7:8080"
                        value=(show::plain(origins, 500)) autocomplete="off"; }
                button type="submit" { "Find the culprit" }
                p.soft.small { "It asks the site a few times with GET, from the machine on which this edge runs, and changes nothing." }
            },
            (Some(_), _) => p.note { "Only the administrator may start a diagnosis: it asks other sites from this machine." },
            (None, _) => (parts::empty("Diagnoses are not to be had here", &html! {
                p { "On any machine the command does the same:" }
                pre { code { "rayline diagnose https://shop.example/" } }
            })),
        }
        @if !runs.is_empty() {
            section.card {
                h2 { "Of late" }
                div.scroll { table {
                    thead { tr { th scope="col" { "Begun (UTC)" } th scope="col" { "URL" } th scope="col" { "Outcome" } } }
                    tbody { @for run in &runs {
                        tr {
                            td { (show::when_short(run.began)) }
                            th scope="row" { a href=(format!("/diagnose/{}", run.id)) { (short(&run.url)) } }
                            td { (outcome(run)) }
                        }
                    } }
                } }
            }
        }
    };
    let frame = Page { tab: Tab::Diagnose, title: "Diagnose", who, api: None, permalink: None, is_live: false, main };
    frame.answer()
}

fn outcome(run: &Run) -> Markup {
    let (steps, ended) = run.so_far(0);
    html! {
        @match ended {
            None => { "running, " (steps.len()) " steps so far" },
            Some(Ended::Broken(why)) => span.badly { (short(&why)) },
            Some(Ended::Concluded(result)) => (long(result.get("summary").and_then(Value::as_str).unwrap_or("done"), 160)),
        }
    }
}

/// `POST /diagnose`: `url` and `origins`.
pub(crate) async fn start(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    RawForm(body): RawForm,
) -> Response {
    let (mut url, mut origins) = (String::new(), String::new());
    for (name, value) in form_urlencoded::parse(&body) {
        match &*name {
            "url" => value.trim().clone_into(&mut url),
            "origins" => value.trim().clone_into(&mut origins),
            _ => {}
        }
    }
    let Some(diagnose) = &shared.seats.diagnose else {
        return page(&shared, &who, &url, &origins, Some("this edge was started without diagnoses"));
    };
    let Some(place) = shared.runs.place() else {
        return page(&shared, &who, &url, &origins, Some("two diagnoses are running already; wait for one to end"));
    };
    let named: Vec<String> = origins.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if named.len() > ORIGINS {
        return page(&shared, &who, &url, &origins, Some("eight origins at most"));
    }
    match diagnose.start(&url, &named) {
        Ok(steps) => match shared.runs.follow(&url, steps, place) {
            Ok(run) => see(&format!("/diagnose/{}", run.id)),
            Err(_) => Failure::Internal.answer(["the system has no random numbers to give"]),
        },
        Err(why) => page(&shared, &who, &url, &origins, Some(&why)),
    }
}

/// `GET /diagnose/ID`
pub(crate) async fn watch(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Response {
    let Some(run) = shared.runs.find(&id) else {
        return page(&shared, &who, "", "", Some("that diagnosis is no longer kept; start it anew"));
    };
    let (steps, ended) = run.so_far(0);
    let next: String = form_urlencoded::Serializer::new(String::new()).append_pair("url", &run.url).finish();
    let main = html! {
        p { strong { (long(&run.url, 500)) } " · begun " (show::when(run.began)) }
        @match &ended {
            None => p.note role="status" #state { "Looking. Without the page’s script: " a href="" { "look again" } },
            Some(Ended::Broken(why)) => (parts::wrong("It broke off", [why.as_str()])),
            Some(Ended::Concluded(result)) => (conclusion(result)),
        }
        section.card {
            h2 { "Steps" }
            @if ended.is_none() {
                ol.lines.probes data-stream=(format!("/diagnose/{}/events?from={}", run.id, steps.len())) data-order="last" data-state="state" {
                    @for step in &steps { (probe(step)) }
                }
            } @else {
                ol.lines.probes { @for step in &steps { (probe(step)) } }
            }
        }
        p { a href=(format!("/diagnose?{next}")) { "Ask again" } }
    };
    let api = Some(format!("/diagnose/{}/result", run.id)).filter(|_| ended.is_some());
    Page { tab: Tab::Diagnose, title: "Diagnosis", who: &who, api, permalink: None, is_live: false, main }.answer()
}

/// `GET /diagnose/ID/result`: the object that `rayline diagnose --json` prints.
pub(crate) async fn result(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match shared.runs.find(&id).and_then(|run| run.so_far(0).1) {
        Some(Ended::Concluded(result)) => crate::envelope::success(result),
        Some(Ended::Broken(why)) => Failure::Internal.answer([why]),
        None => Failure::NoRoute.answer(["that diagnosis has no result, or is no longer kept"]),
    }
}

/// `GET /diagnose/ID/events?from=N`: the steps as they end, each as a rendered line.
pub(crate) async fn stream(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let Some(run) = shared.runs.find(&id) else {
        return Failure::NoRoute.answer(["that diagnosis is no longer kept"]).into_response();
    };
    let Some(place) = shared.live_place() else { return too_many() };
    let from = pairs.iter().find(|(key, _)| key == "from").and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let changed = run.changed();
    events(unfold((run, changed, from, false, place), |(run, mut changed, from, over, place)| async move {
        if over {
            return None;
        }
        loop {
            changed.borrow_and_update();
            let (steps, ended) = run.so_far(from);
            if !steps.is_empty() {
                let rows: String =
                    steps.iter().map(|step| probe(step).into_string().replace(['\r', '\n'], " ")).collect();
                let event = Event::default().event("line").data(rows);
                return Some((Ok(event), (Arc::clone(&run), changed, from + steps.len(), false, place)));
            }
            if ended.is_some() {
                return Some((
                    Ok(Event::default().event("done").data("done")),
                    (Arc::clone(&run), changed, from, true, place),
                ));
            }
            changed.changed().await.ok()?;
        }
    }))
}

fn probe(step: &Value) -> Markup {
    let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
    let took = step.get("took_ms").and_then(Value::as_u64).unwrap_or_default();
    html! {
        li {
            span.soft.small { (short(text("name"))) }
            @match step.get("ok").and_then(Value::as_bool) {
                Some(true) => strong.good { "ok" },
                Some(false) => strong.badly { "fails" },
                None => span.soft { "–" },
            }
            span.what { (parts::prose(text("said"))) }
            span.took.n.soft { (show::count(took)) " ms" }
        }
    }
}

fn conclusion(result: &Value) -> Markup {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value, name: &str| -> Vec<String> {
        let items = value.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).take(20).map(str::to_owned).collect()
    };
    let verdict = result.get("verdict").filter(|verdict| verdict.is_object());
    let hypotheses: Vec<&Value> =
        result.get("hypotheses").and_then(Value::as_array).into_iter().flatten().take(5).collect();
    html! {
        section.card {
            h2 { (parts::prose(&text(result, "summary"))) }
            @if let Some(verdict) = verdict {
                p { (parts::party(&text(verdict, "party"))) " " (parts::code(&text(verdict, "code")))
                    " " span.soft { (short(&text(verdict, "certainty"))) } }
                @if let Some(cause) = verdict.get("cause").filter(|cause| cause.is_object()) {
                    p { (parts::prose(&text(cause, "summary"))) }
                    @if !text(cause, "line").is_empty() { pre { (long(&text(cause, "line"), 2_000)) } }
                }
                (items("What speaks for it", &list(verdict, "clues")))
                (items("What to do", &list(verdict, "remedies")))
            }
            @if verdict.is_none() && !hypotheses.is_empty() {
                h3 { "What it may be, the likeliest first" }
                ol.steps { @for hypothesis in hypotheses {
                    li { (parts::prose(&text(hypothesis, "sentence"))) " " (parts::code(&text(hypothesis, "code"))) }
                } }
            }
            (items("Next", &list(result, "next")))
        }
    }
}

fn items(title: &str, items: &[String]) -> Markup {
    html! {
        @if !items.is_empty() {
            h3 { (title) }
            ol.steps { @for item in items { li { (parts::prose(item)) } } }
        }
    }
}
