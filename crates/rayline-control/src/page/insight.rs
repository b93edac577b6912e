//! What follows from requests, on pages: incidents, what changed, whom it met, what is about to go wrong. What is concluded
//! is concluded by the store's analyses; here it is only shown.

use maud::{Markup, html};
use rayline_store::analysis::approaching::Warning;
use rayline_store::analysis::changes::Changes;
use rayline_store::analysis::impact::Impact;
use rayline_store::analysis::incidents::{Incident, Incidents, PlanSwitch};
use rayline_store::{Dimension, Span};
use rayline_verdict::Moment;

use super::parts;
use super::timeline::named;
use crate::scope::Scope;
use crate::show::{self, long, short};

const ERRORS: &str = "/errors";

/// Incidents, explanations and pages that are shown.
const INCIDENTS: usize = 10;
const EXPLANATIONS: usize = 8;
const PAGES: usize = 8;
const WARNINGS: usize = 12;
/// After so much time without a failure an incident is called quiet. Whether it is over, the analysis says later.
const QUIET: i64 = 30 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// Incidents, each with its root and what followed from it.
pub(crate) fn incidents(scope: &Scope, found: &Incidents) -> Markup {
    html! {
        header { h2 { "Incidents" } span.soft { "failures that belong together, each with its root" } }
        @if found.incidents.is_empty() { p.good { "None in this span." } }
        @else {
            @let (largest, others) = found.incidents.split_at(INCIDENTS.min(found.incidents.len()));
            ol.steps { @for incident in largest { li { (one_incident(scope, incident)) } } }
            @if !others.is_empty() {
                details {
                    summary { (show::count(others.len() as u64)) " more incidents, each with fewer failures" }
                    ol.steps start=(INCIDENTS + 1) { @for incident in others { li { (one_incident(scope, incident)) } } }
                }
            }
        }
        @if found.strays > 0 { p.soft.small { (show::count(found.strays)) " failures belong to none: fewer than three of a kind together." } }
        @if found.looked_at_one_in > 1 { p.soft.small { "Looked at one failure in " (show::count(found.looked_at_one_in)) "." } }
    }
}

fn one_incident(scope: &Scope, incident: &Incident) -> Markup {
    let code = incident.codes.first().map_or("", |(code, _)| code.as_str());
    let entry = parts::code_named(code).map(|code| code.entry());
    let mut at = match incident.end {
        Some(end) => scope.within(Span { from: incident.begin, to: Moment(end.0.saturating_add(SECOND)) }),
        // what goes on is followed
        None => scope.onwards(incident.begin),
    };
    if let [zone] = incident.zones.as_slice() {
        at = at.with(Dimension::Zone, zone);
    }
    if !code.is_empty() {
        at = at.with(Dimension::Code, code);
    }
    html! {
        p { (parts::party(&incident.party)) " "
            a href=(at.link(ERRORS)) { strong { (entry.map_or(code, |entry| entry.sentence)) } } " " (parts::code(code)) }
        p.small { (course(scope, incident)) }
        p.small {
            (show::count(incident.failed)) " failed, " (show::percent(incident.share, 1.0)) " of the requests there"
            @let hosts = if incident.hosts.is_empty() { &incident.zones } else { &incident.hosts };
            @if !hosts.is_empty() { "; " (names(hosts)) }
            @if !incident.origins.is_empty() { "; origin " (names(&incident.origins)) }
        }
        @if let Some(plan) = &incident.plan {
            p.small { "It began with " (switch(plan)) "." }
        }
        @if let Some(fix) = entry.and_then(|entry| entry.fix.first()) {
            p.small { strong { "First: " } (parts::prose(fix)) }
        }
        p.small { a href=(at.link("/ray/newest")) { "See the newest of these requests" } span.soft { ", and how it is known" } }
        @for consequence in incident.consequences.iter().take(5) {
            @let followed = consequence.incident.codes.first().map_or("", |(code, _)| code.as_str());
            p.small.soft { "↳ then " (parts::code(followed)) ", " (show::count(consequence.incident.failed)) " failed: " (parts::prose(&consequence.reason)) }
        }
    }
}

/// Since when, and whether it goes on: nobody can say that it is over before it has been quiet for a while.
pub(crate) fn course(scope: &Scope, incident: &Incident) -> Markup {
    let silent = scope.span.to.0.saturating_sub(incident.last.0);
    html! {
        @match incident.end {
            Some(end) => { span.soft.dot { "over" } " from " (show::when(incident.begin)) " to " (show::when(end)) },
            None if !scope.is_live() => { strong.badly.dot { "not over" } " at the end of this span; since " (show::when(incident.begin)) ", last seen " (show::when(incident.last)) },
            None if silent < QUIET => { strong.badly.dot { "goes on" } " since " (show::when(incident.begin)) ", last seen " (show::ago(incident.last, scope.span.to)) },
            None => { strong.warns.dot { "quiet" } " since " (show::when(incident.last)) " (" (show::ago(incident.last, scope.span.to)) "); it began " (show::when(incident.begin)) },
        }
    }
}

/// The version of the configuration that something began with.
pub(crate) fn switch(plan: &PlanSwitch) -> Markup {
    html! {
        a href=(format!("/configuration?version={}", encoded(&plan.version))) { "configuration version " (short(&plan.version)) }
        ", which runs since " (show::when(plan.since))
    }
}

fn names(names: &[String]) -> Markup {
    html! { @for (place, name) in names.iter().take(4).enumerate() { @if place > 0 { ", " } (short(name)) }
    @if names.len() > 4 { " and " (names.len() - 4) " more" } }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What explains a rise, or that there is none.
pub(crate) fn changes(scope: &Scope, changes: &Changes) -> Markup {
    let length = show::duration(scope.length());
    html! {
        header { h2 { "What changed" } span.soft { "against the " (length) " before" } }
        @if changes.rate_before.is_none() {
            p { "There were no requests in the " (length) " before, so nothing can be compared. Of these "
                (show::percent(changes.rate, 1.0)) " failed." }
        } @else if changes.risen {
            p { strong.badly { "Failures have risen: " } (show::percent(changes.rate, 1.0)) " of requests"
                @if let Some(before) = changes.rate_before { ", before " (show::percent(before, 1.0)) }
                " (" (show::count(changes.failed)) ", expected " (show::rounded(changes.expected)) ")" }
        } @else { p { "No rise: " (show::count(changes.failed)) " failed, and " (show::rounded(changes.expected)) " were to be expected." } }
        @if let Some(plan) = &changes.plan {
            p.note { "With " a href=(format!("/configuration?version={}", encoded(&plan.version))) { "configuration version " (short(&plan.version)) }
                ", since " (show::when(plan.since)) ", " (show::percent(plan.rate, 1.0)) " fail; before it "
                (show::percent(plan.rate_before, 1.0)) ". It explains " (show::percent(plan.share, 1.0)) " of the rise." }
        }
        @if changes.rate_before.is_some() && !changes.explanations.is_empty() {
            ol.steps { @for explanation in changes.explanations.iter().take(EXPLANATIONS) {
                li {
                    a href=(scope.with(explanation.dimension, &explanation.value).link(ERRORS)) {
                        strong { (explanation.dimension.name().replace('_', " ")) " " (short(&named(explanation.dimension, &explanation.value))) } }
                    " " (parts::prose(&explanation.sentence))
                    @if !explanation.also.is_empty() {
                        span.soft.small { " The same requests have "
                            @for (place, (dimension, value)) in explanation.also.iter().take(3).enumerate() {
                                @if place > 0 { ", " } (dimension.name().replace('_', " ")) " " (short(value)) } "." }
                    }
                }
            } }
        }
        @if changes.thinned { p.soft.small { "Paths and clients were looked at in a part of the failures." } }
    }
}

/// Whom failures met.
pub(crate) fn impact(scope: &Scope, impact: &Impact) -> Markup {
    html! {
        header { h2 { "Whom it met" } @if impact.looked_at_one_in > 1 { span.soft { "by one failure in " (show::count(impact.looked_at_one_in)) } } }
        dl.facts {
            dt { "People" } dd.n { (show::count(impact.visitors)) " by their addresses"
                @if impact.addresses > 0 { span.soft { "; " (show::count(impact.came_through)) " of " (show::count(impact.addresses)) " got through in the end" } } }
            dt { "Programs" } dd.n { (show::count(impact.api_clients)) }
            dt { "Search engines" } dd { @if impact.crawlers.is_empty() { "none" } @else { (names(&impact.crawlers)) } }
            @if !impact.monitors.is_empty() { dt { "Monitors" } dd { (names(&impact.monitors)) } }
            dt { "For" } dd { (show::duration(impact.minutes)) " in all"
                @if let (Some(first), Some(last)) = (impact.first, impact.last) { span.soft { ", " (show::when_short(first)) " – " (show::when(last)) } } }
        }
        @if !impact.pages.is_empty() {
            div.scroll { table {
                caption { "Where they met it" }
                thead { tr { th scope="col" { "Page" } th.n scope="col" { "Addresses" } th.n scope="col" { "Failed" } } }
                tbody { @for page in impact.pages.iter().take(PAGES) {
                    tr {
                        th scope="row" { a href=(scope.with(Dimension::Host, &page.host).with(Dimension::Path, &page.path).link(ERRORS)) {
                            (long(&page.host, 60)) (long(&page.path, 100)) } }
                        td.n { (show::count(page.addresses)) } td.n { (show::count(page.failed)) }
                    }
                } }
            } }
        }
    }
}

/// What is about to go wrong.
pub(crate) fn approaching(warnings: &[Warning]) -> Markup {
    html! {
        header { h2 { "Approaching trouble" } span.soft { "near a limit, growing, or new" } }
        ul.plain { @for warning in warnings.iter().take(WARNINGS) {
            li { span.warns.dot { (long(&warning.subject, 100)) } ": " (parts::prose(&warning.sentence)) }
        } }
    }
}
