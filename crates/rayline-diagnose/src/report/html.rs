//! A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html as page};

use super::{Part, Row, labels, rows};
use crate::conclude::{Conclusion, Outcome};
use crate::diagnosis::Diagnosis;
use crate::fetch::Timings;
use crate::mask::{self, Masking};

const STYLE: &str = include_str!("report.css");

/// The report.
pub fn html(diagnosis: &Diagnosis, masking: Masking) -> String {
    let Diagnosis { case, conclusion, .. } = diagnosis;
    let url = mask::url(&case.url, masking);
    let markup = page! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { (url) " – diagnosis" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        p.url { (url) }
                        h1 class=(tone(conclusion)) { (conclusion.sentence) }
                        (picture(conclusion))
                        p.labels { @for label in labels(conclusion) { code { (label) } " " } }
                        p.when { "Looked at " time { (diagnosis.began()) } " for " (diagnosis.took.as_millis()) " ms" }
                    }
                    (list("Why", &conclusion.clues, false))
                    (list("What to do", &conclusion.fix, true))
                    (hypotheses(conclusion))
                    (list("To know more", &conclusion.next, false))
                    (requests(&rows(diagnosis)))
                    (log_lines(diagnosis))
                    (steps(diagnosis))
                }
            }
        }
    };
    markup.into_string()
}

fn tone(conclusion: &Conclusion) -> &'static str {
    match conclusion.outcome {
        Outcome::Fine => "fine",
        Outcome::Fault => "fault",
        Outcome::CannotTell => "unsure",
    }
}

/// *You ─ Edge ─ Network ─ Origin ─ App*.
fn picture(conclusion: &Conclusion) -> Markup {
    let state = |part: Part| match part {
        Part::Fails => ("bad", "fails here"),
        Part::Well => ("good", "did its part"),
        Part::Open => ("open", ""),
    };
    page! {
        ol.hops aria-label="Where it fails" {
            @for (name, part) in super::picture(conclusion) {
                @let (class, said) = state(part);
                li class=(class) { strong { (name) } span { (said) } }
            }
        }
    }
}

fn list(title: &str, lines: &[String], is_numbered: bool) -> Markup {
    page! {
        @if !lines.is_empty() {
            section {
                h2 { (title) }
                @if is_numbered {
                    ol { @for line in lines { li { (line) } } }
                } @else {
                    ul { @for line in lines { li { (line) } } }
                }
            }
        }
    }
}

fn hypotheses(conclusion: &Conclusion) -> Markup {
    page! {
        @if conclusion.hypotheses.len() > 1 {
            section {
                h2 { "What it could be" }
                @for hypothesis in &conclusion.hypotheses {
                    article {
                        h3 { (percent(hypothesis.likelihood)) " " code { (hypothesis.code.name()) } }
                        p { (hypothesis.sentence) }
                        @for line in &hypothesis.speaks_for { p.for { "+ " (line) } }
                        @for line in &hypothesis.speaks_against { p.against { "− " (line) } }
                        p { "To decide: " (hypothesis.decide) }
                    }
                }
            }
        }
    }
}

fn requests(rows: &[Row<'_>]) -> Markup {
    let longest = rows.iter().map(|row| row.exchange.timings.total).max().unwrap_or_default();
    page! {
        @if !rows.is_empty() {
            section {
                h2 { "Requests" }
                p.legend {
                    span.connect { "connect" } " " span.tls { "TLS" } " " span.wait { "wait" } " " span.receive { "receive" }
                }
                table {
                    thead { tr { th { "Way" } th { "Outcome" } th { "Time" } th { "Request id" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td { (row.way) }
                                td { (row.outcome()) }
                                td { (bar(&row.exchange.timings, longest)) }
                                td { @if let Some(id) = row.request_id { code { (id) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The phases of a request, as wide as they were long.
fn bar(timings: &Timings, longest: Duration) -> Markup {
    const WIDTH: f64 = 240.0;
    let scale = WIDTH / longest.as_secs_f64().max(0.001);
    let phases =
        [("connect", timings.connect), ("tls", timings.tls), ("wait", timings.wait), ("receive", timings.receive)];
    let mut from = 0.0;
    let mut boxes = Vec::new();
    for (class, took) in phases {
        let took = took.unwrap_or_default();
        let width = took.as_secs_f64() * scale;
        if width > 0.0 {
            boxes.push((class, from, width.max(1.0), took));
        }
        from += width;
    }
    page! {
        svg viewBox="0 0 240 12" width="240" height="12" role="img" aria-label=(format!("{} ms", timings.total.as_millis())) {
            @for (class, from, width, took) in boxes {
                rect class=(class) x=(format!("{from:.1}")) y="0" width=(format!("{width:.1}")) height="12" {
                    title { (class) " " (format!("{:.1}", took.as_secs_f64() * 1e3)) " ms" }
                }
            }
        }
        span.ms { (timings.total.as_millis()) " ms" }
    }
}

fn log_lines(diagnosis: &Diagnosis) -> Markup {
    let logs = diagnosis.seen.logs.as_ref();
    let named = logs.map(|logs| logs.named.as_slice()).unwrap_or_default();
    page! {
        @if !named.is_empty() {
            section {
                h2 { "What the origin's logs name" }
                @for named in named {
                    article {
                        h3 { code { (named.cause.name()) } " " (named.count) "×, by " (named.source) }
                        p { (named.sentence) @if let Some(place) = &named.place { " at " code { (place) } } }
                        pre { (named.line) }
                    }
                }
            }
        }
    }
}

fn steps(diagnosis: &Diagnosis) -> Markup {
    page! {
        section {
            h2 { "Steps" }
            table {
                tbody {
                    @for probe in diagnosis.probes() {
                        @let (class, mark) = match probe.ok {
                            Some(true) => ("good", "ok"),
                            Some(false) => ("bad", "fault"),
                            None => ("open", "–"),
                        };
                        tr {
                            td class=(class) { (mark) }
                            td { code { (probe.name) } }
                            td { (probe.said) }
                            td.ms { (probe.took.as_millis()) " ms" }
                        }
                    }
                }
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
