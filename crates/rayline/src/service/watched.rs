//! What the edge has seen of what is about to fail, as pages, API and alerts are told: origins' certificates, and header
//! sections near their limits.

use std::time::{Duration, SystemTime};

use rayline_edge::{Lookout, Section, Shown, Side};
use rayline_verdict::Moment;
use serde_json::{Value, json};

use super::alerts::moment;

/// A certificate that no handshake was made under for so long is nobody's business any more: its origin is gone, or has
/// another.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);
const DAY: i64 = 86_400_000_000_000;

/// What origins have shown and may show again.
pub(super) fn of_late(lookout: &Lookout) -> Vec<Shown> {
    let now = SystemTime::now();
    let is_late = |shown: &Shown| now.duration_since(shown.seen).is_ok_and(|ago| ago > FORGOTTEN);
    lookout.presented.list().into_iter().filter(|shown| !is_late(shown)).collect()
}

/// The same as entries of `certificates` in `GET /api/status`.
pub(super) fn certificates(lookout: &Lookout) -> impl Iterator<Item = Value> {
    let now = moment(SystemTime::now()).0;
    of_late(lookout).into_iter().map(move |shown| {
        let ends = moment_of(shown.not_after);
        json!({
            "names": shown.names,
            "subject": shown.subject,
            "not_after": ends.to_seconds(),
            "days_left": ends.0.saturating_sub(now).div_euclid(DAY),
            "toward": "origin",
            "address": shown.address.to_string(),
            "server_name": shown.server_name,
            "seen_at": moment(shown.seen).to_seconds(),
        })
    })
}

/// The entries of `near_limits`.
pub(super) fn near_limits(lookout: &Lookout) -> Vec<Value> {
    let entry = |section: Section| {
        let (what, key) = match section.side {
            Side::Request => ("request", "request_header_bytes"),
            Side::Response => ("response", "response_header_bytes"),
        };
        json!({
            "what": what, "key": key, "zone": section.zone, "host": section.host,
            "bytes": section.bytes, "limit": section.limit, "seen_at": moment(section.seen).to_seconds(),
        })
    };
    lookout.sections().into_iter().map(entry).collect()
}

/// Seconds since 1970, as certificates have them.
pub(super) fn moment_of(seconds: i64) -> Moment {
    Moment(seconds.saturating_mul(1_000_000_000))
}
