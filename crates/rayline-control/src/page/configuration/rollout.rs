//! A version on its way into use: the rollout that goes on, what happened to a version, and the evidence of either.

use maud::{Markup, html};
use rayline_verdict::Moment;

use crate::access::Who;
use crate::gate::CSRF;
use crate::page::parts;
use crate::seat::{Event, Evidence, Rollout, Sample, Version};
use crate::show::{self, count, short};

/// The rollout that goes on, with what its administrator can do.
pub(super) fn going_on(rollout: &Rollout, who: &Who) -> Markup {
    let Rollout { version, from, percent, .. } = rollout;
    html! {
        section.card #rollout {
            header {
                h2 { "Version " (version) " is being rolled out" }
                span.soft { (percent) " % of the visitors; the others are on version " (from) }
            }
            p {
                "Steps: "
                @for (place, step) in rollout.steps.iter().enumerate() {
                    @if place > 0 { " → " }
                    @if step == percent { strong { (step) " %" } } @else { (step) " %" }
                }
                ", each for at least " (show::duration(rollout.dwell)) "; this one since " (show::when_short(Moment(rollout.since)))
            }
            p { "Waits for: " (parts::prose(&rollout.waiting_for)) }
            (evidence(&rollout.evidence))
            @if who.is_admin() {
                div.row {
                    (button(who, "promote", &[], if next_is_last(rollout) { "Everybody now" } else { "Next step now" }))
                    (button(who, "promote", &[("whole", "true")], "All the way"))
                    (button(who, "abort", &[], "Abort: everybody back"))
                }
            }
        }
    }
}

fn next_is_last(rollout: &Rollout) -> bool {
    rollout.steps.iter().find(|step| **step > rollout.percent).is_none_or(|next| *next >= 100.0)
}

/// A form of one button; nothing for whom forms are not.
pub(super) fn button(who: &Who, action: &str, fields: &[(&str, &str)], label: &str) -> Markup {
    html! {
        @if let Some(csrf) = who.csrf() {
            form method="post" action=(format!("/configuration/{action}")) {
                input type="hidden" name=(CSRF) value=(csrf.as_str());
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button.plain type="submit" { (label) }
            }
        }
    }
}

/// Who brought a version, why, and what became of it.
pub(super) fn history(version: &Version) -> Markup {
    html! {
        section.card {
            header { h2 { "What happened to version " (version.number) } span.soft { (version.state.in_words()) } }
            p {
                "By " (author(&version.author)) " from " (short(&version.source))
                @if !version.comment.is_empty() { ": " (show::long(&version.comment, 1_000)) }
            }
            ol { @for event in &version.history { li { (happened(event)) } } }
        }
    }
}

/// Who it was; files and restarts have no name.
pub(super) fn author(name: &str) -> Markup {
    html! { @if name.is_empty() { span.soft { "nobody by name" } } @else { (short(name)) } }
}

fn happened(event: &Event) -> Markup {
    html! {
        (show::when_short(Moment(event.at))) " " (show::long(&event.what, 2_000))
        @if !event.by.is_empty() { span.soft { " by " (short(&event.by)) } }
        @if let Some(seen) = &event.evidence { (evidence(seen)) }
    }
}

/// What came of both versions in the same window.
fn evidence(evidence: &Evidence) -> Markup {
    let Evidence { conclusion, confidence, seconds, old, new, codes } = evidence;
    html! {
        @if new.version != 0 {
            @if !conclusion.is_empty() {
                p { (show::long(conclusion, 2_000)) @if *confidence > 0.0 { span.soft { " (at least " (confidence) " % sure)" } } }
            }
            div.scroll { table {
                thead { tr {
                    th scope="col" { "In " (seconds) " s" } th.num scope="col" { "Requests" }
                    th.num scope="col" { "Failed by owner or edge" } th.num scope="col" { "Share" }
                    th.num scope="col" { "Visitors" } th.num scope="col" { "of them failing" } th scope="col" { "Others' failures" }
                } }
                tbody { (sample(old)) (sample(new)) }
            } }
            @if !codes.is_empty() {
                div.scroll { table {
                    thead { tr {
                        th scope="col" { "Code" } th.num scope="col" { "Version " (old.version) } th.num scope="col" { "Version " (new.version) }
                    } }
                    tbody { @for code in codes {
                        tr { th scope="row" { (parts::code(&code.code)) } td.num { (count(code.old)) } td.num { (count(code.new)) } }
                    } }
                } }
            }
        }
    }
}

fn sample(sample: &Sample) -> Markup {
    html! {
        tr {
            th scope="row" { "Version " (sample.version) }
            td.num { (count(sample.requests)) }
            td.num { (count(sample.blamed)) }
            td.num { (sample.percent) " %" br; span.soft.small { (sample.percent_low) "–" (sample.percent_high) } }
            td.num { "≈ " (count(sample.visitors)) }
            td.num { "≈ " (count(sample.failing_visitors)) }
            td { @for (party, failed) in &sample.others { (parts::party(party)) " " (count(*failed)) " " } }
        }
    }
}
