//! The analyses as data: what changed, budget, origins, incidents, impact, approaching trouble.

use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use rayline_store::analysis::approaching::approaching;
use rayline_store::analysis::changes::{Changes, changes};
use rayline_store::analysis::impact::impact;
use rayline_store::analysis::incidents::{Incident, Incidents, incidents};
use rayline_store::analysis::{budget, origins};
use rayline_verdict::Moment;
use serde_json::{Value, json};

use super::{OBJECTIVE, Shared};
use crate::control::now;
use crate::envelope::{Failure, success};
use crate::facts::{Unanswered, source};
use crate::scope::Scope;

pub(super) type Asked = Pairs<Vec<(String, String)>>;

pub(super) fn scope(pairs: &[(String, String)], own: &[&'static str]) -> Result<Scope, Box<Response>> {
    Scope::read(pairs, own, now()).map_err(|wrong| Box::new(Unanswered::Invalid(wrong).answer()))
}

fn answer(outcome: Result<Value, Unanswered>) -> Response {
    outcome.map_or_else(Unanswered::answer, success)
}

/// `GET /api/analytics/changes`
pub(super) async fn ask_changes(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &[]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let found = shared.desk.ask(move |store| changes(source(store), scope.span, scope.before(), &scope.filters)).await;
    answer(found.map(|found| changes_json(&found)))
}

fn changes_json(found: &Changes) -> Value {
    let kinds = found.kinds.iter().map(
        |kind| json!({ "code": kind.code, "failed": kind.failed, "expected": kind.expected, "share": kind.share }),
    );
    let explanations = found.explanations.iter().map(|explanation| {
        let also =
            explanation.also.iter().map(|(dimension, value)| json!({ "dimension": dimension.name(), "value": value }));
        json!({
            "dimension": explanation.dimension.name(), "value": explanation.value, "failed": explanation.failed,
            "expected": explanation.expected, "share": explanation.share, "rate_inside": explanation.rate_inside,
            "rate_outside": explanation.rate_outside, "surprise": explanation.surprise,
            "also": also.collect::<Vec<_>>(), "sentence": explanation.sentence,
        })
    });
    json!({
        "failed": found.failed, "expected": found.expected, "rate": found.rate, "rate_before": found.rate_before,
        "risen": found.risen, "kinds": kinds.collect::<Vec<_>>(), "explanations": explanations.collect::<Vec<_>>(),
        "plan": found.plan.as_ref().map(|plan| json!({
            "version": plan.version, "since": plan.since.to_seconds(), "rate": plan.rate,
            "rate_before": plan.rate_before, "share": plan.share,
        })),
        "thinned": found.thinned,
    })
}

/// `GET /api/budget?objective=0.999`
pub(super) async fn ask_budget(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &["objective"]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let objective = match scope.own("objective").map_or(Ok(OBJECTIVE), str::parse::<f64>) {
        Ok(objective) if (0.0..1.0).contains(&objective) => objective,
        Ok(_) | Err(_) => return Failure::Invalid.answer(["`objective` is a share such as `0.999`"]),
    };
    let found =
        shared.desk.ask(move |store| budget::budget(source(store), scope.span, &scope.filters, objective)).await;
    answer(found.map(|zones| {
        zones
            .iter()
            .map(|zone| {
                let losses = zone.losses.iter().map(|loss| json!({
                "party": loss.party, "failed": loss.failed, "share": loss.share, "against_site": loss.against_site,
            }));
                json!({
                    "zone": zone.zone, "requests": zone.requests, "requests_error": zone.error, "success": zone.success,
                    "burn": zone.burn, "losses": losses.collect::<Vec<_>>(),
                })
            })
            .collect()
    }))
}

/// `GET /api/origins`
pub(super) async fn ask_origins(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &[]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let limit = shared.seats.limits().read_timeout;
    let found = shared.desk.ask(move |store| origins::origins(source(store), scope.span, &scope.filters, limit)).await;
    let seconds = |at: Option<Moment>| at.map(Moment::to_seconds);
    answer(found.map(|origins| {
        origins.iter().map(|origin| json!({
            "address": origin.address, "zones": origin.zones, "requests": origin.requests, "requests_error": origin.error,
            "failed": origin.failed, "codes": codes(&origin.codes),
            "last_failure": seconds(origin.last_failure), "last_success": seconds(origin.last_success),
            "wait_p50_ms": origin.wait_p50.map(|time| time.as_secs_f64() * 1e3),
            "wait_p99_ms": origin.wait_p99.map(|time| time.as_secs_f64() * 1e3),
            "connect_p50_ms": origin.connect_p50.map(|time| time.as_secs_f64() * 1e3),
            "tls_p50_ms": origin.tls_p50.map(|time| time.as_secs_f64() * 1e3),
            "reused": origin.reused, "slow": origin.slow,
        })).collect()
    }))
}

fn codes(codes: &[(String, u64)]) -> Vec<Value> {
    codes.iter().map(|(code, failed)| json!({ "code": code, "failed": failed })).collect()
}

/// `GET /api/incidents`
pub(super) async fn ask_incidents(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &[]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let found = shared.desk.ask(move |store| incidents(source(store), scope.span, &scope.filters)).await;
    answer(found.map(|Incidents { incidents, strays, looked_at_one_in }| {
        let incidents: Vec<Value> = incidents.iter().map(incident_json).collect();
        json!({ "incidents": incidents, "strays": strays, "looked_at_one_in": looked_at_one_in })
    }))
}

/// Consequences have none themselves.
fn incident_json(incident: &Incident) -> Value {
    let consequences = incident.consequences.iter().map(|consequence| {
        let followed = &consequence.incident;
        json!({ "reason": consequence.reason, "codes": codes(&followed.codes), "begin": followed.begin.to_seconds(),
            "failed": followed.failed, "zones": followed.zones, "origins": followed.origins })
    });
    json!({
        "begin": incident.begin.to_seconds(), "end": incident.end.map(Moment::to_seconds),
        "last": incident.last.to_seconds(), "party": incident.party,
        "codes": codes(&incident.codes), "zones": incident.zones, "hosts": incident.hosts, "origins": incident.origins,
        "failed": incident.failed, "requests": incident.requests, "share": incident.share,
        "plan": incident.plan.as_ref().map(|plan| json!({ "version": plan.version, "since": plan.since.to_seconds() })),
        "consequences": consequences.collect::<Vec<_>>(),
    })
}

/// `GET /api/impact`
pub(super) async fn ask_impact(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &[]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let found = shared.desk.ask(move |store| impact(source(store), scope.span, &scope.filters)).await;
    answer(found.map(|impact| {
        let pages = impact.pages.iter().map(
            |page| json!({ "host": page.host, "path": page.path, "addresses": page.addresses, "failed": page.failed }),
        );
        json!({
            "failed": impact.failed, "visitors": impact.visitors, "api_clients": impact.api_clients,
            "crawlers": impact.crawlers, "monitors": impact.monitors, "first": impact.first.map(Moment::to_seconds),
            "last": impact.last.map(Moment::to_seconds), "seconds": impact.minutes.as_secs(),
            "pages": pages.collect::<Vec<_>>(), "came_through": impact.came_through, "addresses": impact.addresses,
            "looked_at_one_in": impact.looked_at_one_in,
        })
    }))
}

/// `GET /api/approaching`: what requests show; certificates and header sections are in `GET /api/status`.
pub(super) async fn ask_approaching(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &[]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let limits = shared.seats.limits();
    let found = shared.desk.ask(move |store| approaching(source(store), scope.span, &scope.filters, &limits)).await;
    answer(found.map(|warnings| {
        let warnings = warnings.iter().map(|warning| {
            json!({
                "kind": warning.kind.name(), "subject": warning.subject, "degree": warning.degree,
                "sentence": warning.sentence,
            })
        });
        warnings.collect()
    }))
}
