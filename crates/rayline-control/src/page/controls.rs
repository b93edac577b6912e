//! What stands above a page about requests: which span, which filters, and how to change both. All of it is links and a
//! form, so it works without the script.

use maud::{Markup, html};
use rayline_store::{Dimension, Matching};
use rayline_verdict::Moment;

use super::timeline::named;
use crate::scope::{SPANS, Scope};
use crate::show::{self, short};

/// Spans, filters, and the form that adds one.
pub(crate) fn all(scope: &Scope, path: &str, now: Moment) -> Markup {
    html! { div.controls {
        div.choose role="group" aria-label="Span" {
            span { "Span" }
            @for (name, from) in SPANS {
                a.chip href=(scope.since(from, now).link(path)) aria-current=[scope.is_last(from).then_some("true")] { (name) }
            }
            @if !SPANS.iter().any(|(_, from)| scope.is_last(from)) {
                span.chip aria-current="true" { (span(scope)) }
            }
        }
        (filters(scope, path))
    } }
}

/// The span in words.
pub(crate) fn span(scope: &Scope) -> Markup {
    html! { (show::when_short(scope.span.from)) " – " (show::when(scope.span.to)) }
}

/// The same as shortly as can be.
pub(crate) fn lately(scope: &Scope) -> Markup {
    html! { @if scope.is_live() { "in the last " (show::duration(scope.length())) } @else { (span(scope)) } }
}

fn filters(scope: &Scope, path: &str) -> Markup {
    html! {
        div.choose role="group" aria-label="Filters" {
            span { "Filters" }
            @if scope.filters.is_empty() { span.soft.small { "none: click any value below" } }
            @for (place, filter) in scope.filters.iter().enumerate() {
                a.chip href=(scope.without(place).link(path)) title="take this filter away" {
                    (filter.dimension.name()) " " (filter.matching.sign()) " "
                    @for (place, value) in filter.values.iter().enumerate() {
                        @if place > 0 { " or " }
                        (short(&named(filter.dimension, value)))
                    }
                    span.x aria-hidden="true" { "×" }
                }
            }
        }
        details {
            summary { "Add a filter" }
            form.row method="get" action=(path) {
                // the view as it is, encoded: values of filters may be anything
                input type="hidden" name="view" value=(scope.to_query());
                label { "What" select name="add" {
                    @for dimension in Dimension::ALL.into_iter().filter(|dimension| is_offered(*dimension)) {
                        option value=(dimension.name()) { (dimension.name().replace('_', " ")) }
                    }
                } }
                label { "How" select name="how" {
                    @for (matching, name) in MATCHINGS { option value=(matching.sign()) { (name) } }
                } }
                label.wide { "Value" input name="value" autocomplete="off"; }
                button type="submit" { "Filter" }
            }
        }
    }
}

const MATCHINGS: [(Matching, &str); 4] = [
    (Matching::Is, "is"),
    (Matching::IsNot, "is not"),
    (Matching::StartsWith, "starts with"),
    (Matching::Contains, "contains"),
];

/// Phase and bucket belong to the times alone.
fn is_offered(dimension: Dimension) -> bool {
    !matches!(dimension, Dimension::Phase | Dimension::Bucket)
}

/// Where the form that adds a filter leads: the same view with it. `None` if none is to be added.
pub(crate) fn added(pairs: &[(String, String)], path: &str) -> Option<String> {
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let dimension = value("add").and_then(Dimension::named)?;
    let (matching, _) = MATCHINGS.into_iter().find(|(matching, _)| Some(matching.sign()) == value("how"))?;
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(url::form_urlencoded::parse(value("view").unwrap_or_default().as_bytes()));
    let key = format!("{}{}", dimension.name(), matching.sign().trim_end_matches('='));
    out.append_pair(&key, value("value").unwrap_or_default().trim());
    Some(format!("{path}?{}", out.finish()))
}
