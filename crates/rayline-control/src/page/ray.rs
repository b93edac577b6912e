//! One request's whole life, by its Ray ID.

pub(crate) mod har;
mod replay;
mod waterfall;

use axum::Extension;
use axum::extract::{Path, Query as Pairs, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use rayline_store::{Dimension, Filter, Matching, Row};
use rayline_verdict::explain::page as explain_page;
use rayline_verdict::{Party, RayId};
use serde_json::{Value, json};

use super::errors::{around, failed, unanswered};
use super::frame::{Page, Tab};
use super::line::Line;
use super::{configuration, parts};
use crate::access::Who;
use crate::api::Shared;
use crate::control::now;
use crate::envelope::{Failure, success};
use crate::facts::Unanswered;
use crate::login::see;
use crate::scope::Scope;
use crate::show::{self, long, short};

/// Minutes to both sides in which neighbours are looked for.
const NEAR: i64 = 10;
/// Neighbours at most.
const NEIGHBOURS: usize = 12;

/// `GET /ray?id=`: where a search leads.
pub(crate) async fn find(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    let asked = pairs.iter().find(|(key, _)| key == "id").map_or("", |(_, value)| value.trim());
    let wrong = match asked.parse::<RayId>() {
        Ok(ray) => return see(&format!("/ray/{ray}")),
        Err(_) if asked.is_empty() => None,
        Err(error) => Some(error.to_string()),
    };
    let newest = shared.desk.rows(Scope::last("-24h", now()).span, vec![failed()], NEIGHBOURS).await;
    let main = html! {
        form.row.card method="get" action="/ray" role="search" {
            label.wide { "Ray ID, from an error page, a header " code { "cf-ray" } " or a log"
                input type="search" name="id" value=(show::plain(asked, 64)) aria-invalid=[wrong.as_ref().map(|_| "true")]
                    placeholder="230b030023ae2822 or 230b030023ae2822-LHR" autocomplete="off" spellcheck="false"; }
            button type="submit" { "Show its life" }
        }
        @if let Some(wrong) = &wrong { (parts::wrong("That is no Ray ID", [wrong.as_str()])) }
        @match newest {
            Ok(rows) if rows.is_empty() => (parts::empty("No failure in the last 24 hours", &html! {
                p { "Every failed request is kept whole and can be found here by its Ray ID." }
            })),
            Ok(rows) => section.card {
                header { h2 { "The newest failures" } span.soft { "of the last 24 hours" } }
                ol.lines { @for line in lines(&rows) { (line.row(false)) } }
            },
            Err(why) => (unanswered(&why)),
        }
    };
    let frame = Page { tab: Tab::Ray, title: "Ray", who: &who, api: None, permalink: None, is_live: false, main };
    frame.answer()
}

/// `GET /ray/newest?from=&code=…`: the newest failure that passes the filters.
pub(crate) async fn newest(State(shared): State<Shared>, Pairs(pairs): Pairs<Vec<(String, String)>>) -> Response {
    let Ok(scope) = Scope::read(&pairs, &[], now()) else { return see("/errors") };
    let mut filters = scope.filters.clone();
    filters.push(failed());
    match shared.desk.rows(scope.span, filters, 1).await.unwrap_or_default().first() {
        Some(row) => see(&format!("/ray/{}", row.ray)),
        None => see(&scope.link("/errors")),
    }
}

fn lines(rows: &[Row]) -> impl Iterator<Item = Line> {
    rows.iter().filter_map(|row| Line::parse(&row.line))
}

/// `GET /ray/ID`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Response {
    let Ok(ray) = id.parse::<RayId>() else {
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        return see(&format!("/ray?id={id}"));
    };
    let (title, main) = match shared.desk.ray(ray).await {
        Ok(found) => match found.split_first() {
            Some((line, others)) => {
                let neighbours = neighbours(&shared, line).await.unwrap_or_default();
                (format!("Ray {ray}"), life(&shared, ray, line, others, &neighbours))
            }
            None => (format!("Ray {ray}"), not_found()),
        },
        Err(why) => (format!("Ray {ray}"), unanswered(&why)),
    };
    let api = Some(format!("/api/ray/{ray}"));
    Page { tab: Tab::Ray, title: &title, who: &who, api, permalink: None, is_live: false, main }.answer()
}

fn not_found() -> Markup {
    parts::empty(
        "No request of that ID is kept",
        &html! {
            p { "Failed requests are kept whole until they are too old; of successful ones only a sample is. "
                "It may also be another edge’s: the letters after the dash say whose." }
            p { a href="/errors" { "All failures" } " · " a href="/tail" { "Requests as they come" } }
        },
    )
}

/// Requests around it that failed in the same way.
async fn neighbours(shared: &Shared, line: &Line) -> Result<Vec<Row>, Unanswered> {
    let Some(code) = line.code() else { return Ok(Vec::new()) };
    let is = |dimension, value: &str| Filter { dimension, matching: Matching::Is, values: vec![value.to_owned()] };
    let mut filters = vec![is(Dimension::Code, code), is(Dimension::Zone, line.text("ZoneName"))];
    if !line.origin().is_empty() {
        filters.push(is(Dimension::Origin, &line.origin()));
    }
    let span = around(line.moment("EdgeStartTimestamp"), NEAR);
    let rows = shared.desk.rows(span, filters, NEIGHBOURS + 1).await?;
    let ray = line.text("RayID").to_owned();
    Ok(rows.into_iter().filter(|row| row.ray.to_string() != ray).take(NEIGHBOURS).collect())
}

fn life(shared: &Shared, ray: RayId, line: &Line, others: &[Line], neighbours: &[Row]) -> Markup {
    html! {
        p { (parts::status(line.number("EdgeResponseStatus"))) " " strong { (short(line.text("ClientRequestMethod"))) } " "
            (long(&line.url(), 300)) br; span.soft { (show::when(line.moment("EdgeStartTimestamp"))) ", took "
            (show::micros(line.took_us())) } }
        @if !others.is_empty() {
            p.note { "There are " (others.len() + 1) " requests of this ID; this is the first. IDs are not guaranteed to be unique." }
        }
        (hops(line))
        @if let Some(code) = line.code() { (verdict(line, code)) } @else { p.note.ok { "This request went well: it has no verdict." } }
        (rules(line))
        section.card { header { h2 { "Where the time went" } } (waterfall::draw(line)) }
        div.grid {
            section.card { h2 { "The request" } (request(line)) }
            section.card { h2 { "What the origin was told" } (told(ray, line)) }
        }
        section.card {
            header { h2 { "Try it again" } span.soft { "the same request, straight to the origin, past the edge" } }
            @match replay::command(line) {
                Some(command) => { (parts::copyable("replay", &command)) (repeating(line)) },
                None => p.soft { "No origin was asked, so there is nothing to repeat." },
            }
        }
        (plan(shared, line))
        (around_it(line, neighbours))
        section.card {
            header { h2 { "All of it" } }
            p { a.button.plain href=(format!("/api/ray/{ray}/har")) download=(format!("{ray}.har")) { "Download as HAR" } }
            details { summary { "The request log’s line" }
                pre tabindex="0" { (long(&serde_json::to_string_pretty(&line.0).unwrap_or_default(), 100_000).lines()) } }
        }
    }
}

/// You, edge, host: which of them failed, as on the error page.
fn hops(line: &Line) -> Markup {
    let failing =
        line.code().and_then(|name| Party::ALL.into_iter().find(|party| name.split('.').next() == Some(party.name())));
    let failing = failing.map(|party| party.hop());
    let asked = !line.text("OriginIP").is_empty();
    let hop = |hop, name: &str, more: &str, was_met: bool| {
        let (class, word) = match (failing == Some(hop), was_met) {
            (true, _) => ("bad", "failed here"),
            (false, true) => ("ok", "worked"),
            (false, false) => ("", "not asked"),
        };
        html! { li class=(class) { b { (name) } span.small.soft { (long(more, 60)) } " " br; em { (word) } } }
    };
    html! {
        ol.hops aria-label="The request’s way" {
            (hop(rayline_verdict::Hop::You, "Visitor", line.text("ClientIP"), true))
            (hop(rayline_verdict::Hop::Edge, "Edge", line.text("EdgeColoCode"), true))
            (hop(rayline_verdict::Hop::Host, "Origin", &line.origin(), asked))
        }
    }
}

fn verdict(line: &Line, name: &str) -> Markup {
    let code = parts::code_named(name);
    let entry = code.map(|code| code.entry());
    let rivals: Vec<&str> =
        line.0.get("VerdictRivals").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let reached = match line.text("VerdictReached") {
        "no" => "The request did not reach the application: repeating it is safe.",
        "maybe" => "The request may have reached the application: repeat it only if that does no harm twice.",
        "yes" => "The request reached the application.",
        _ => "",
    };
    html! {
        section.card {
            header {
                h2 { (parts::party(line.party())) } (parts::code(name))
                @match line.number("VerdictStatus") { 0 => {}, number => strong { (number) } }
                span.soft { (short(line.text("VerdictCertainty"))) }
            }
            @if let Some(entry) = entry { p { strong { (entry.sentence) } } }
            p { (reached) }
            @if !rivals.is_empty() {
                p { "The evidence fits these too: " @for rival in rivals { (parts::code(rival)) " " } }
            }
            @if let Some(entry) = entry {
                h3 { "What to do" }
                ol.steps { @for step in entry.fix { li { (parts::prose(step)) } } }
            }
            @if let Some(code) = code { p { a href=(format!("/explain/{}", code.name())) { "What this code means, how it is known, and how to fix it" } } }
            @if let Some(evidence) = line.0.get("VerdictEvidence").filter(|evidence| evidence.as_object().is_some_and(|facts| !facts.is_empty())) {
                h3 { "How it is known" }
                (facts(evidence, 0))
            }
        }
    }
}

/// What the zone's rules did, in the order in which they ran.
fn rules(line: &Line) -> Markup {
    let matched = line.0.get("Rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    html! {
        @if !matched.is_empty() {
            section.card {
                header { h2 { "What rules did" } }
                ol.steps {
                    @for rule in matched {
                        li {
                            code { (long(&text(rule, "id"), 100)) } " " (short(&text(rule, "action").replace('_', " ")))
                            " " span.small.soft { (short(&text(rule, "phase"))) }
                            @if rule.get("ended") == Some(&Value::Bool(true)) { " " em { "ended the request" } }
                            @for change in rule.get("changes").and_then(Value::as_array).into_iter().flatten().take(50) {
                                br;
                                span.small {
                                    (long(&text(change, "what"), 100)) ": "
                                    code { (long(&text(change, "before"), 300)) } " → " code { (long(&text(change, "after"), 300)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Facts of any shape: evidence is typed where it is made, and data here.
fn facts(value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            Value::Null => span.soft { "–" },
            Value::Bool(is_so) => @if *is_so { "yes" } @else { "no" },
            Value::Number(number) => span.n { (number.as_u64().map_or_else(|| number.to_string(), show::count)) },
            Value::String(text) if text.chars().count() > 60 => pre tabindex="0" { (long(text, 4_000)) },
            Value::String(text) => code { (long(text, 100)) },
            Value::Array(items) if depth < 4 => @if items.is_empty() { span.soft { "none" } } @else {
                ul.plain { @for item in items.iter().take(50) { li { (facts(item, depth + 1)) } } }
            },
            Value::Object(entries) if depth < 4 => dl.facts {
                @for (name, value) in entries { dt { (short(&name.replace('_', " "))) } dd { (facts(value, depth + 1)) } }
            },
            Value::Array(_) | Value::Object(_) => code { (long(&value.to_string(), 400)) },
        }
    }
}

fn request(line: &Line) -> Markup {
    let rows = [
        ("Visitor", line.text("ClientIP").to_owned()),
        ("Country", line.text("ClientCountry").to_uppercase()),
        ("User agent", line.text("ClientRequestUserAgent").to_owned()),
        (
            "Protocol",
            format!(
                "{} {}",
                line.text("ClientRequestProtocol"),
                line.text("ClientSSLProtocol").replace("none", "without TLS")
            ),
        ),
        ("Zone", line.text("ZoneName").to_owned()),
        ("Host", line.text("ClientRequestHost").to_owned()),
        ("Cache", line.text("CacheCacheStatus").to_owned()),
        ("Origin", line.origin()),
        ("Origin’s TLS", line.text("OriginSSLProtocol").to_owned()),
    ];
    html! {
        dl.facts {
            @for (name, value) in &rows { @if !value.trim().is_empty() { dt { (name) } dd { (long(value, 300)) } } }
            dt { "Origin said" } dd { (parts::status(line.number("OriginResponseStatus"))) }
            dt { "Connection" } dd { @if line.flag("OriginConnectionReused") { "kept from an earlier request" } @else { "its own" } }
            dt { "Received" } dd.n { (show::bytes(line.number("ClientRequestBodyBytes") as f64)) " of body" }
            dt { "Sent" } dd.n { (show::bytes(line.number("EdgeResponseBytes") as f64)) }
        }
        p { a href=(format!("/errors?{}", query(&[("host", line.text("ClientRequestHost"))]))) { "Errors of this host" } " · "
            a href=(format!("/errors?{}", query(&[("client", line.text("ClientIP"))]))) { "of this visitor" } }
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The fields that the edge adds, as they follow from the record.
fn told(ray: RayId, line: &Line) -> Markup {
    let scheme = line.text("ClientRequestScheme");
    let mut rows = vec![
        ("CF-Ray", format!("{ray}-{}", line.text("EdgeColoCode"))),
        ("CF-Connecting-IP", line.text("ClientIP").to_owned()),
        ("X-Forwarded-For", format!("{} at its end", line.text("ClientIP"))),
        ("X-Forwarded-Proto", scheme.to_owned()),
        ("CF-Visitor", format!("{{\"scheme\":\"{scheme}\"}}")),
        ("CDN-Loop", "rayline".to_owned()),
    ];
    if !line.text("ClientCountry").is_empty() {
        rows.push(("CF-IPCountry", line.text("ClientCountry").to_uppercase()));
    }
    html! {
        @if line.text("OriginIP").is_empty() { p.soft { "No origin was asked." } } @else {
            dl.facts { @for (name, value) in &rows { dt { code { (name) } } dd.mono { (long(value, 200)) } } }
            p.soft.small {
                @match line.text("VerdictReached") {
                    "no" => "It was not told: the request did not get that far. This is what would have come with it.",
                    _ => "Search the origin’s own log for the Ray ID: it came with the request.",
                }
            }
        }
    }
}

fn repeating(line: &Line) -> Markup {
    let is_safe = matches!(line.text("ClientRequestMethod"), "GET" | "HEAD" | "OPTIONS");
    let is_masked = line.text("ClientRequestURI").split_once('?').is_some_and(|(_, query)| query.contains('*'));
    html! {
        @if !is_safe { p.note { "This method may change something; its body and secret fields are not kept, so it is not the same request." } }
        @if is_masked { p.soft.small { "Values in the query are not kept: put them in the place of each " code { "*" } "." } }
    }
}

fn plan(shared: &Shared, line: &Line) -> Markup {
    let number = line.number("PlanVersion");
    let known = shared.version_and_before(number);
    let text = |number| shared.seats.configurations.as_ref().and_then(|configurations| configurations.text(number));
    html! {
        section.card {
            header { h2 { "Configuration that decided" } }
            @match known {
                None => p { "Version " (number) @if number == shared.edge.plan_version() { ", which still runs" } "." },
                Some((version, before)) => {
                    p { a href=(format!("/configuration?version={number}")) { "Version " (number) } ", since " (show::when(version.since)) }
                    @if let Some((before, old, new)) = before.and_then(|before| Some((before, text(before)?, text(number)?))) {
                        h3 { "What it changed against version " (before) }
                        (configuration::difference(&old, &new))
                    }
                },
            }
        }
    }
}

fn around_it(line: &Line, neighbours: &[Row]) -> Markup {
    let Some(code) = line.code() else { return html! {} };
    let span = around(line.moment("EdgeStartTimestamp"), NEAR);
    let all = query(&[
        ("from", &span.from.to_seconds()),
        ("to", &span.to.to_seconds()),
        ("code", code),
        ("zone", line.text("ZoneName")),
    ]);
    html! {
        section.card {
            header { h2 { "Neighbours" } span.soft { "the same code, zone and origin, " (NEAR) " minutes before and after" } }
            @if neighbours.is_empty() { p.soft { "None: it was alone." } }
            @else { ol.lines { @for line in lines(neighbours) { (line.row(false)) } } p { a href=(format!("/errors?{all}")) { "All of them" } } }
        }
    }
}

/// `GET /api/ray/ID`
pub(crate) async fn call(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let line = match found(&shared, &id).await {
        Ok(line) => line,
        Err(answer) => return *answer,
    };
    let neighbours = neighbours(&shared, &line).await.unwrap_or_default();
    let explain = line.code().and_then(parts::code_named).map(|code| {
        let entry = code.entry();
        json!({
            "code": entry.name,
            "party": entry.party.name(),
            "phase": entry.phase.name(),
            "summary": entry.sentence,
            "remedies": entry.fix,
            "page": explain_page(code),
        })
    });
    let neighbours: Vec<Value> = lines(&neighbours).map(|line| line.0).collect();
    success(json!({ "line": line.0, "neighbours": neighbours, "explain": explain }))
}

/// `GET /api/ray/ID/har`
pub(crate) async fn call_har(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match found(&shared, &id).await {
        Ok(line) => ([(header::CONTENT_TYPE, "application/json")], har::of(&line).to_string()).into_response(),
        Err(answer) => *answer,
    }
}

async fn found(shared: &Shared, id: &str) -> Result<Line, Box<Response>> {
    let ray = id.parse::<RayId>().map_err(|error| Box::new(Failure::Invalid.answer([error.to_string()])))?;
    let lines = shared.desk.ray(ray).await.map_err(|why| Box::new(why.answer()))?;
    lines.into_iter().next().ok_or_else(|| Box::new(Failure::NoRoute.answer(["no request of that ID is kept"])))
}
