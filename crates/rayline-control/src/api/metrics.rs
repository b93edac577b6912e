//! `GET /metrics`: what the observer counts, and how whoever sends things away fares.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use super::Shared;
use crate::seat::{Job, Senders};

/// What a receiver is told apart by. Both are written by whoever configures it.
const LABELS: [&str; 2] = ["name", "kind"];

/// A metric: its name, what it means, and what it is of a job.
type Measure = (&'static str, &'static str, fn(&Job) -> u64);

pub(super) async fn show(State(shared): State<Shared>) -> Response {
    let mut text = shared.observer.metrics();
    if let Some(senders) = &shared.seats.senders {
        text.push_str(&of_senders(&**senders).unwrap_or_else(|error| format!("# {error}\n")));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Senders keep their own counts: a registry is filled with them at each scrape.
fn of_senders(senders: &dyn Senders) -> prometheus::Result<String> {
    let (jobs, alerts) = (senders.jobs(), senders.alerts());
    let registry = Registry::new();
    let counters: [Measure; 3] = [
        ("rayline_sender_sent_total", "Lines or notices that a receiver has taken.", |job| job.sent),
        ("rayline_sender_failed_tries_total", "Tries to send that failed.", |job| job.failed),
        ("rayline_sender_lost_total", "Lines or notices that were given up: no room, or refused.", |job| job.lost),
    ];
    for (name, help, count) in counters {
        let metric = IntCounterVec::new(Opts::new(name, help), &LABELS)?;
        registry.register(Box::new(metric.clone()))?;
        for job in &jobs {
            metric.with_label_values(&[&job.name, &job.kind]).inc_by(count(job));
        }
    }
    let gauges: [Measure; 4] = [
        ("rayline_sender_waiting", "Lines or notices that wait for a receiver.", |job| job.waiting),
        ("rayline_sender_waiting_bytes", "Bytes on disk that wait for a receiver.", |job| job.waiting_bytes),
        ("rayline_sender_failing", "1 while the last try to send has failed.", |job| u64::from(job.error.is_some())),
        (
            "rayline_sender_last_success_timestamp_seconds",
            "When a receiver took something last, in seconds since 1970; 0: not since the start.",
            |job| job.last_success.map_or(0, |at| at.0.unsigned_abs() / 1_000_000_000),
        ),
    ];
    for (name, help, value) in gauges {
        let metric = IntGaugeVec::new(Opts::new(name, help), &LABELS)?;
        registry.register(Box::new(metric.clone()))?;
        for job in &jobs {
            metric.with_label_values(&[&job.name, &job.kind]).set(i64::try_from(value(job)).unwrap_or(i64::MAX));
        }
    }
    let firing = IntGauge::new("rayline_alerts_firing", "Alerts that fire now.")?;
    registry.register(Box::new(firing.clone()))?;
    firing.set(i64::try_from(alerts.iter().filter(|alert| alert.until.is_none()).count()).unwrap_or(i64::MAX));
    TextEncoder::new().encode_to_string(&registry.gather())
}
