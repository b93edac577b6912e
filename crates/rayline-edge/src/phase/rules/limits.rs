//! Rate limits once the answer is known: what counts by it is counted, and the visitor is told what is left.

use std::sync::Arc;

use rayline_rules::ruleset::{Action, Phase};

use super::{evaluate, is_turned_away};
use crate::exchange::Exchange;
use crate::phase::reply::Answered;

/// Counts the request for the limits that count by answers, or by whether the origin was asked. What was turned away is
/// not counted: the refusal is no answer, and would prolong itself.
pub(super) fn count(exchange: &mut Exchange<'_>, answered: &Answered) {
    let Some(ruled) = exchange.rules.as_deref_mut() else { return };
    let pending = std::mem::take(&mut ruled.limits.pending);
    if pending.is_empty() {
        return;
    }
    if is_turned_away(exchange) {
        return;
    }
    let Some(rules) = exchange.zone.and_then(|zone| zone.zone.rules.as_deref()) else { return };
    let reached_origin = exchange.record.origin.as_ref().is_some_and(|origin| origin.status != 0);
    for waiting in pending {
        let found = rules.of(Phase::Ratelimit).iter().find(|rule| rule.id == waiting.rule);
        let Some(Action::RateLimit(limit)) = found.map(|rule| &rule.action) else { continue };
        if limit.requests_to_origin && !reached_origin {
            continue;
        }
        let counts = limit.counting.is_none_or(|counting| evaluate(exchange, answered, counting));
        if counts {
            let guard = &exchange.worker.counts.guard;
            guard.limiter().count_answer(waiting.key, limit, guard.milliseconds(exchange.now));
        }
    }
}

/// `RateLimit` and `RateLimit-Policy`, of the limit that is nearest.
pub(super) fn tell(exchange: &mut Exchange<'_>) {
    let Some(ruled) = exchange.rules.as_deref_mut() else { return };
    let Some(tightest) = &ruled.limits.tightest else { return };
    for (name, value) in [("RateLimit-Policy", tightest.policy()), ("RateLimit", tightest.left())] {
        ruled.changes.response_fields.set(&Arc::from(name), value.as_bytes());
    }
}
