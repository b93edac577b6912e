//! What fires, and how whoever is told takes it.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::Shared;
use crate::envelope::success;

/// `GET /api/alerts`
pub(super) async fn ask(State(shared): State<Shared>) -> Response {
    let senders = shared.seats.senders.as_ref();
    let alerts = senders.map(|senders| senders.alerts()).unwrap_or_default().into_iter().map(|alert| {
        json!({
            "rule": alert.rule,
            "summary": alert.summary,
            "state": if alert.until.is_none() { "firing" } else { "resolved" },
            "since": alert.since.to_seconds(),
            "until": alert.until.map(|until| until.to_seconds()),
            "link": alert.link,
        })
    });
    let receivers = senders.map(|senders| senders.jobs()).unwrap_or_default().into_iter().map(|job| {
        json!({
            "name": job.name,
            "kind": job.kind,
            "receiver": job.receiver,
            "sent": job.sent,
            "waiting": job.waiting,
            "waiting_bytes": job.waiting_bytes,
            "lost": job.lost,
            "failed_tries": job.failed,
            "last_success": job.last_success.map(|at| at.to_seconds()),
            "objection": job.objection,
            "error": job.error,
            "failing_since": job.failing_since.map(|since| since.to_seconds()),
        })
    });
    success(json!({ "alerts": alerts.collect::<Vec<_>>(), "receivers": receivers.collect::<Vec<_>>() }))
}
