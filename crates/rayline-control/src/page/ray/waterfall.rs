//! Where a request's time went: its phases, and each attempt, as bars on one scale.

use maud::{Markup, html};
use serde_json::Value;

use crate::page::line::Line;
use crate::page::parts;
use crate::show::{self, short};

/// A bar: what it is, when it began and how long it took, in milliseconds.
struct Piece {
    name: &'static str,
    from: f64,
    took: f64,
    class: &'static str,
}

/// Attempts that are shown.
const ATTEMPTS: usize = 20;

/// The phases, then the attempts.
pub(super) fn draw(line: &Line) -> Markup {
    let whole = (line.took_us() / 1e3).max(line.number("EdgeTimeToFirstByteMs") as f64);
    let attempts: Vec<&Value> =
        line.0.get("VerdictAttempts").and_then(Value::as_array).into_iter().flatten().take(ATTEMPTS).collect();
    let tried: f64 = attempts.iter().map(|attempt| took(attempt)).sum();
    // what is shorter than a millisecond has a whole too, in which nothing but the whole is known
    let whole = whole.max(tried).max(0.001);
    let pieces = phases(line, whole);
    let began = attempts_began(line, tried, whole);
    let rows = attempts.iter().scan(began, |next, attempt| {
        let from = *next;
        *next += took(attempt);
        Some((from, *attempt))
    });
    html! {
        dl.fall {
            @for piece in &pieces { (bar(piece, whole)) }
        }
        @if !attempts.is_empty() {
            h3 { "Attempts" }
            dl.fall {
                @for (place, (from, attempt)) in rows.enumerate() {
                    (attempt_row(place + 1, attempt, from, took(attempt), whole))
                }
            }
        }
        p.soft.small { "Phases are logged in whole milliseconds." }
    }
}

fn took(attempt: &Value) -> f64 {
    attempt.get("took_ms").and_then(Value::as_f64).unwrap_or_default()
}

/// Attempts follow one another, and the last ends with the first byte of the answer at the latest.
fn attempts_began(line: &Line, tried: f64, whole: f64) -> f64 {
    let first = line.number("EdgeTimeToFirstByteMs") as f64;
    (first.min(whole) - tried).max(0.0)
}

fn phases(line: &Line, whole: f64) -> Vec<Piece> {
    let ms = |name: &str| line.number(name) as f64;
    let first = ms("EdgeTimeToFirstByteMs").min(whole);
    let total = ms("OriginResponseDurationMs");
    let mut at = (first - total).max(0.0);
    let mut pieces = vec![Piece { name: "Until the origin is asked", from: 0.0, took: at, class: "s-7" }];
    for (name, field, class) in [
        ("Resolve", "OriginDNSResponseTimeMs", "s-4"),
        ("Connect (TCP)", "OriginTCPHandshakeDurationMs", "s-2"),
        ("TLS handshake", "OriginTLSHandshakeDurationMs", "s-5"),
        ("Send the request", "OriginRequestHeaderSendDurationMs", "s-3"),
        ("Wait for the answer", "OriginResponseHeaderReceiveDurationMs", "s-1"),
    ] {
        let took = ms(field);
        if took > 0.0 {
            pieces.push(Piece { name, from: at, took, class });
            at += took;
        }
    }
    pieces.push(Piece { name: "Answer the visitor", from: first, took: (whole - first).max(0.0), class: "s-0" });
    pieces
}

fn bar(piece: &Piece, whole: f64) -> Markup {
    html! {
        div {
            dt { (piece.name) }
            dd.draw { (rect(piece.from, piece.took, whole, piece.class)) }
            dd.n { (length_of(piece.took)) }
        }
    }
}

fn attempt_row(place: usize, attempt: &Value, from: f64, length: f64, whole: f64) -> Markup {
    let text = |name: &str| attempt.get(name).and_then(Value::as_str).unwrap_or_default();
    let status = attempt.get("status").and_then(Value::as_u64);
    let class = if status.is_some() { "s-3" } else { "failed" };
    html! {
        div {
            dt { (place) ". " (short(text("address"))) }
            dd.draw {
                (rect(from, length, whole, class))
                span.small {
                    @match status {
                        Some(status) => { "answered " (parts::status(status)) },
                        None if text("code").is_empty() => "given up: another was faster",
                        None => (parts::code(text("code"))),
                    }
                    @if attempt.get("reused").and_then(Value::as_bool) == Some(true) { ", on a kept connection" }
                }
            }
            dd.n { (length_of(length)) }
        }
    }
}

/// Milliseconds as they were logged: whole ones, so that none is less than one.
fn length_of(ms: f64) -> String {
    if ms > 0.0 { show::micros(ms * 1e3) } else { "< 1 ms".to_owned() }
}

fn rect(from: f64, took: f64, whole: f64, class: &str) -> Markup {
    let scale = 100.0 / whole;
    let (x, width) = ((from * scale).clamp(0.0, 99.5), (took * scale).max(0.4));
    html! {
        svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect class=(class) x=(format!("{x:.2}")) width=(format!("{:.2}", width.min(100.0 - x))) height="10" {}
        }
    }
}
