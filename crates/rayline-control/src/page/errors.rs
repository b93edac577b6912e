//! Error analytics: failures over time, what they have in common, what changed.

use axum::Extension;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_store::analysis::changes::{Changes, changes};
use rayline_store::analysis::incidents::{Incidents, incidents};
use rayline_store::{Answer, Dimension, Filter, Matching, Query, QueryError, Row, Source, Sum};
use rayline_verdict::Moment;

use super::frame::Tab;
use super::line::Line;
use super::timeline::{Timeline, named};
use super::view::View;
use super::{chart, controls, insight, parts};
use crate::access::Who;
use crate::api::Shared;
use crate::facts::Unanswered;
use crate::scope::Scope;
use crate::show::{self, long, short};

const PATH: &str = "/errors";

/// By what the time line can be split.
const SPLITS: [(Dimension, &str); 8] = [
    (Dimension::Party, "party"),
    (Dimension::Code, "code"),
    (Dimension::EdgeStatus, "edge status"),
    (Dimension::OriginStatus, "origin status"),
    (Dimension::Host, "host"),
    (Dimension::Origin, "origin"),
    (Dimension::Country, "country"),
    (Dimension::Plan, "plan version"),
];

/// What is listed: by which dimension, under which heading.
const TOPS: [(Dimension, &str); 12] = [
    (Dimension::Code, "Codes"),
    (Dimension::Host, "Hosts"),
    (Dimension::Path, "Paths"),
    (Dimension::Origin, "Origins"),
    (Dimension::Client, "Client addresses"),
    (Dimension::Country, "Countries"),
    (Dimension::UserAgent, "User agents"),
    (Dimension::Agent, "Who asks"),
    (Dimension::Method, "Methods"),
    (Dimension::Protocol, "Protocols"),
    (Dimension::Colo, "Edges"),
    (Dimension::Plan, "Plan versions"),
];

/// Values in a list.
const TOP: usize = 8;
/// Pairs of statuses.
const PAIRS: usize = 60;
/// Requests in the list of the newest.
const NEWEST: usize = 15;

/// Values in a list that was asked for whole.
const ALL: usize = 500;

const VIEW: View = View {
    tab: Tab::Errors,
    title: "Errors",
    path: PATH,
    own: &["split", "all"],
    api: |scope| format!("/api/analytics?{}&by=party&step={}s", scope.api_query(), scope.step().as_secs()),
};

/// What the page shows.
struct Seen {
    timeline: Timeline,
    total: Sum,
    before: Sum,
    statuses: Answer,
    tops: Vec<Answer>,
    changes: Changes,
    newest: Vec<Row>,
    /// Where the page is about one code alone.
    incidents: Option<Incidents>,
}

/// `GET /errors`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    let draw = |scope: &Scope, seen: Result<Seen, Unanswered>| match seen {
        Ok(seen) => body(&shared, scope, &seen),
        Err(why) => unanswered(&why),
    };
    VIEW.answer(&shared, &who, &pairs, read, draw).await
}

/// By what the time line is split.
fn split(scope: &Scope) -> Dimension {
    let asked = scope.own("split").and_then(Dimension::named);
    asked.filter(|split| SPLITS.iter().any(|(known, _)| known == split)).unwrap_or(Dimension::Party)
}

/// The code that the page is about alone.
fn code(scope: &Scope) -> Option<&str> {
    let mut filters = scope.filters.iter().filter(|filter| filter.dimension == Dimension::Code);
    match (filters.next(), filters.next()) {
        (Some(Filter { matching: Matching::Is, values, .. }), None) => match values.as_slice() {
            [code] if !code.is_empty() => Some(code),
            _ => None,
        },
        _ => None,
    }
}

fn read(store: &dyn Source, scope: &Scope) -> Result<Seen, QueryError> {
    let sum = |query: &Query| rayline_store::run(store, query).map(|answer| answer.total);
    let top = |by: &[Dimension], top| rayline_store::run(store, &Query { top, ..scope.query(by) });
    let all = scope.own("all").and_then(Dimension::named);
    let most = |dimension| if Some(dimension) == all { ALL } else { TOP };
    let mut filters = scope.filters.clone();
    filters.push(failed());
    Ok(Seen {
        timeline: Timeline::read(store, scope, split(scope))?,
        total: sum(&scope.query(&[]))?,
        before: sum(&Query { span: scope.before(), ..scope.query(&[]) })?,
        statuses: top(&[Dimension::EdgeStatus, Dimension::OriginStatus], PAIRS)?,
        tops: TOPS.into_iter().map(|(dimension, _)| top(&[dimension], most(dimension))).collect::<Result<_, _>>()?,
        changes: changes(store, scope.span, scope.before(), &scope.filters)?,
        newest: rayline_store::rows(store, scope.span, &filters, NEWEST)?,
        incidents: code(scope).map(|_| incidents(store, scope.span, &scope.filters)).transpose()?,
    })
}

/// Requests with a verdict.
pub(crate) fn failed() -> Filter {
    Filter { dimension: Dimension::Code, matching: Matching::IsNot, values: vec![String::new()] }
}

/// What stands where a link cannot be read.
pub(crate) fn unreadable(wrong: &[String]) -> Markup {
    html! {
        (parts::wrong("This link cannot be read", wrong.iter().map(String::as_str)))
        p { a href=(PATH) { "Begin anew" } }
    }
}

/// What stands where the store has no answer.
pub(crate) fn unanswered(why: &Unanswered) -> Markup {
    match why {
        Unanswered::NoStore => parts::empty(
            "Nothing is stored here",
            &html! {
                p { "This edge runs without the store, so only its request log knows what happened. With " code { "[store]" }
                    " in the configuration this page shows it." }
                pre { code { "rayline tail --failures" } }
            },
        ),
        Unanswered::Invalid(wrong) => unreadable(wrong),
        Unanswered::Broken(why) => parts::wrong("There is no answer", [why.as_str()]),
    }
}

fn body(shared: &Shared, scope: &Scope, seen: &Seen) -> Markup {
    let split = split(scope);
    if seen.total.requests <= 0.0 {
        return nothing(scope);
    }
    html! {
        div #stats data-swap { (stats(scope, seen)) }
        @if let (Some(code), true) = (code(scope), seen.total.failed > 0) {
            section.card #cause data-swap { (cause(scope, code, seen)) }
        }
        section.card #timeline data-swap {
            header { h2 { "Failed requests over time" } span.soft { "click a bar to look closer" } }
            div.choose role="group" aria-label="Split by" {
                span { "Split by" }
                @for (dimension, name) in SPLITS {
                    a.chip href=(scope.with_own("split", dimension.name()).link(PATH))
                        aria-current=[(dimension == split).then_some("true")] { (name) }
                }
            }
            @if seen.timeline.is_empty() { p.soft { "Nothing failed in this span." } }
            (seen.timeline.draw(scope, PATH, "Failed requests over time", false))
            (versions(shared, scope))
        }
        @if seen.total.failed > 0 {
            section.card #changes data-swap { (insight::changes(scope, &seen.changes)) }
            section.card #statuses data-swap {
                header { h2 { "What visitors got, and what the origin had said" } }
                (statuses(scope, &seen.statuses))
            }
            div.grid #tops data-swap {
                @for ((dimension, title), answer) in TOPS.into_iter().zip(&seen.tops) {
                    (top(scope, dimension, title, answer))
                }
            }
            section.card #newest data-swap {
                header { h2 { "The newest failures" } span.soft { "each leads to the request’s whole life" } }
                p.small { "Take them along: " @for form in ["ndjson", "csv", "parquet"] {
                    a href=(format!("/api/export?{}&format={form}", scope.api_query())) { (form) } " " } }
                ol.lines { @for line in seen.newest.iter().filter_map(|row| Line::parse(&row.line)) { (line.row(false)) } }
            }
        }
    }
}

/// One failure in short: whose fault, since when, where, and what to do first.
fn cause(scope: &Scope, code: &str, seen: &Seen) -> Markup {
    let entry = parts::code_named(code).map(|code| code.entry());
    let values = |dimension: Dimension| -> Vec<(&str, u64)> {
        let answer = TOPS.iter().zip(&seen.tops).find(|((top, _), _)| *top == dimension).map(|(_, answer)| answer);
        let groups = answer.into_iter().flat_map(|answer| &answer.groups).filter(|group| group.sum.failed > 0);
        let value = groups.filter_map(|group| Some((group.key.first()?.as_str(), group.sum.failed)));
        value.filter(|(value, _)| !value.is_empty()).take(4).collect()
    };
    let incident = seen.incidents.iter().flat_map(|found| &found.incidents).min_by_key(|incident| incident.begin);
    let newest = seen.newest.first();
    // of few failures the first one is in the list
    let first = seen.newest.last().filter(|_| seen.total.failed <= NEWEST as u64);
    html! {
        header { h2 { (parts::party(code.split('.').next().unwrap_or_default())) } (parts::code(code)) }
        p { strong { (entry.map_or(code, |entry| entry.sentence)) } }
        dl.facts {
            dt { "Since" }
            dd { @match (incident, first) {
                (Some(incident), _) => (insight::course(scope, incident)),
                (None, Some(first)) => { (show::when(first.at)) },
                (None, None) => "it happens now and then",
            } }
            @for (dimension, name) in [(Dimension::Host, "Hosts"), (Dimension::Path, "Paths"), (Dimension::Origin, "Origins")] {
                @let values = values(dimension);
                @if !values.is_empty() {
                    dt { (name) }
                    dd { @for (place, (value, failed)) in values.iter().enumerate() {
                        @if place > 0 { ", " }
                        a href=(scope.with(dimension, value).link(PATH)) { (long(value, 80)) } " " span.soft.small { (show::count(*failed)) }
                    } }
                }
            }
            @if let Some(plan) = incident.and_then(|incident| incident.plan.as_ref()) { dt { "Configuration" } dd { (insight::switch(plan)) } }
            @if let Some(fix) = entry.and_then(|entry| entry.fix.first()) { dt { "First" } dd { strong { (parts::prose(fix)) } } }
        }
        @if let Some(newest) = newest {
            p { a.button.plain href=(format!("/ray/{}", newest.ray)) { "How it is known: the newest of them" } }
        }
    }
}

fn nothing(scope: &Scope) -> Markup {
    parts::empty(
        "No requests in this span",
        &html! {
            @if scope.filters.is_empty() {
                p { "Send one through the edge, or look at a longer span." }
                pre { code { "curl -i -H 'Host: YOUR.SITE' http://127.0.0.1:8080/" } }
            } @else {
                p { "None passes these filters. Take one away, or look at a longer span." }
            }
        },
    )
}

fn stats(scope: &Scope, seen: &Seen) -> Markup {
    let Seen { total, before, .. } = seen;
    html! {
        dl.grid.narrow {
            div.stat { dt { "Failed" } dd.badly[total.failed > 0] { (show::count(total.failed)) }
                dd.small { (compared(total.failed, before.failed, scope)) } }
            div.stat { dt { "of all requests" } dd { (show::percent(total.failed as f64, total.requests)) }
                dd.small { "before: " (show::percent(before.failed as f64, before.requests)) } }
            div.stat { dt { "Requests" } dd { (show::requests(total)) }
                dd.small { "before: " (show::requests(before)) } }
            div.stat { dt { "Sent to visitors" } dd { (show::bytes(total.bytes)) }
                dd.small { (controls::lately(scope)) } }
        }
    }
}

fn compared(now: u64, before: u64, scope: &Scope) -> Markup {
    let length = show::duration(scope.length());
    html! {
        @match (now, before) {
            (0, 0) => { "none in the " (length) " before either" },
            (_, 0) => { "none in the " (length) " before" },
            (now, before) if now > before => {
                span.badly { "▲ " @if before > 0 { (show::rounded(now as f64 / before as f64 * 100.0 - 100.0)) " %" } }
                " against the " (length) " before (" (show::count(before)) ")"
            },
            (now, before) if now < before => {
                span.good { "▼ " (show::rounded(100.0 - now as f64 / before as f64 * 100.0)) " %" }
                " against the " (length) " before (" (show::count(before)) ")"
            },
            _ => { "as many as in the " (length) " before" },
        }
    }
}

/// Configuration versions that began in the span: the first thing to suspect.
fn versions(shared: &Shared, scope: &Scope) -> Markup {
    let versions = shared.versions_since(scope.span.from, scope.span.to);
    html! {
        @if !versions.is_empty() {
            p.small { "New configuration in this span: "
                @for version in versions.iter().take(8) {
                    a href=(format!("/configuration?version={}", version.number)) { "version " (version.number) }
                    " at " (show::when(version.since)) " "
                }
            }
        }
    }
}

/// Pairs of what the visitor got and what the origin had said.
fn statuses(scope: &Scope, answer: &Answer) -> Markup {
    let whole = answer.total.failed as f64;
    let failed = answer.groups.iter().filter(|group| group.sum.failed > 0);
    let link = |dimension, value: &str| scope.with(dimension, value).link(PATH);
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Visitor got" } th scope="col" { "Origin said" } th scope="col" { "That means" }
                th.n scope="col" { "Failed" } } }
            tbody { @for group in failed.take(12) {
                @if let [edge, origin] = group.key.as_slice() {
                    tr {
                        td { a href=(link(Dimension::EdgeStatus, edge)) { (short(&named(Dimension::EdgeStatus, edge))) } }
                        td { a href=(link(Dimension::OriginStatus, origin)) { (short(&named(Dimension::OriginStatus, origin))) } }
                        td.soft { (meaning(edge, origin)) }
                        td.n { (show::count(group.sum.failed)) (chart::share(group.sum.failed as f64, whole, "origin")) }
                    }
                }
            } }
        } }
    }
}

/// What it means that a visitor got one status and the origin had sent another.
fn meaning(edge: &str, origin: &str) -> &'static str {
    let (edge, origin) = (edge.parse::<u16>().unwrap_or_default(), origin.parse::<u16>().unwrap_or_default());
    match (edge, origin) {
        (0, _) => "the visitor was gone, or there was no HTTP to answer with",
        (400..500, 0) => "the edge turned the request away",
        (_, 0) => "the edge made this answer: the origin sent none",
        (edge, origin) if edge == origin && origin >= 500 => "the application’s own error, passed on",
        (_, 500..) => "the edge replaced the origin’s error page by its own",
        (edge, origin) if edge == origin => "the answer broke off, or was bad in itself",
        _ => "the edge answered otherwise than the origin",
    }
}

fn top(scope: &Scope, dimension: Dimension, title: &str, answer: &Answer) -> Markup {
    let whole = answer.total.failed as f64;
    let others = answer.others.as_ref().map_or(0, |others| others.failed);
    let failed: Vec<_> = answer.groups.iter().filter(|group| group.sum.failed > 0).collect();
    html! {
        section.card {
            div.scroll { table {
                caption { strong { (title) } }
                thead { tr { th scope="col" { (dimension.name().replace('_', " ")) } th.n scope="col" { "Failed" }
                    th.n scope="col" { "of its requests" } } }
                tbody {
                    @for group in failed {
                        @let value = group.key.first().map_or("", String::as_str);
                        tr {
                            th scope="row" {
                                a href=(scope.with(dimension, value).link(PATH)) { (long(&named(dimension, value), 70)) }
                                (chart::share(group.sum.failed as f64, whole, class(dimension, value)))
                            }
                            td.n { (show::count(group.sum.failed)) }
                            td.n.soft { (show::percent(group.sum.failed as f64, group.sum.requests)) }
                        }
                    }
                    @if others > 0 { tr { th scope="row" { a.soft href=(scope.with_own("all", dimension.name()).link(PATH)) { "all others" } } td.n { (show::count(others)) } td {} } }
                }
            } }
        }
    }
}

fn class(dimension: Dimension, value: &str) -> &'static str {
    match dimension {
        Dimension::Code => parts::party_class(value.split('.').next().unwrap_or_default()),
        _ => "s-0",
    }
}

/// The moment as the middle of a span of so many minutes to both sides.
pub(crate) fn around(at: Moment, minutes: i64) -> rayline_store::Span {
    let half = minutes * 60_000_000_000;
    rayline_store::Span { from: Moment(at.0.saturating_sub(half)), to: Moment(at.0.saturating_add(half)) }
}
