//! The zone's rules, in the order of their phases: what they make of the request before an origin is asked, and of the
//! answer before the visitor gets it.
//!
//! What a rule means is `rayline_rules`' affair; here it is done. A zone without rules passes by with one look.

mod access;
mod body;
pub(crate) mod challenge;
mod compression;
mod ends;
mod facts;
mod guards;
mod limits;
mod record;
mod ruled;

use std::sync::Arc;

use rayline_config::SslMode;
use rayline_rules::ruleset::{Condition, Phase};
use rayline_rules::run::{End, Limits, Run, Seen as Rewritten};
use rayline_verdict::{Fault, Party};

use self::body::FirstBytes;
use self::facts::{Known, Seen, Texts};
use self::guards::EdgeGuards;
use super::reply::{self, Answered};
use super::request;
use crate::exchange::{Exchange, Route};
use crate::running::ZonePlan;

pub(crate) use compression::Compressed;
pub(crate) use ruled::Ruled;

/// The phases of a request.
const OF_REQUESTS: [Phase; 10] = [
    Phase::DynamicRedirect,
    Phase::RequestTransform,
    Phase::ConfigSettings,
    Phase::Origin,
    Phase::FirewallCustom,
    Phase::Ratelimit,
    Phase::FirewallManaged,
    Phase::Redirect,
    Phase::LateTransform,
    Phase::CacheSettings,
];

/// Runs what there is to run before an origin is asked. An answer ends the request here.
///
/// # Errors
/// A rule that turns the request away, or that cannot do what it says; the visitor's faults where rules look at its body.
pub(crate) async fn request(exchange: &mut Exchange<'_>, route: &Route<'_>) -> Result<Option<Answered>, Fault> {
    let Some(rules) = route.zone.zone.rules.as_deref() else { return Ok(None) };
    let mut ruled = exchange.worker.ruled();
    ruled.begin(exchange);
    exchange.rules = Some(ruled);
    replayed(exchange);
    if rules.program().needs().body {
        Box::pin(body::read(exchange, body::MOST_OF_RULES)).await?;
    }
    for phase in OF_REQUESTS {
        if phase == Phase::FirewallManaged
            && let Some(most) = body::managed_need(exchange, rules)
        {
            Box::pin(body::read(exchange, most)).await?;
        }
        if phase == Phase::FirewallCustom {
            access::by_address(exchange, rules)?;
        }
        if let Some(end) = run(exchange, phase, None)? {
            return ends::of_request(exchange, phase, end).map(Some);
        }
        if phase == Phase::FirewallCustom {
            access::by_request(exchange, rules)?;
        }
        if phase == Phase::ConfigSettings
            && let Some(answered) = configured(exchange, route)?
        {
            return Ok(Some(answered));
        }
    }
    ends::check_fields(exchange)?;
    Ok(None)
}

/// Leaves out what a replay goes without.
fn replayed(exchange: &mut Exchange<'_>) {
    let (replays, now) = (&exchange.worker.counts.guard.replays, exchange.record.start);
    if !replays.are_expected(now) {
        return;
    }
    let replay = replays.of(exchange.head, now);
    if let (Some(replay), Some(changes)) = (replay, exchange.changes_mut()) {
        changes.skips.rules.extend(replay.off().map(Arc::from));
    }
}

/// What was left until configuration rules had their say: how much may be uploaded, and redirects between HTTP and HTTPS.
fn configured(exchange: &mut Exchange<'_>, route: &Route<'_>) -> Result<Option<Answered>, Fault> {
    let overrides = route.zone.zone.rules.as_deref().map(rayline_rules::ZoneRules::overrides).unwrap_or_default();
    if overrides.upload {
        let most = exchange.changes().and_then(|changes| changes.config.max_upload_bytes);
        exchange.body.set_limit(most.unwrap_or(route.zone.zone.settings.max_upload_bytes));
        exchange.body.check_announced()?;
    }
    Ok(if overrides.scheme { request::answer_by_scheme(exchange, route) } else { None })
}

/// Runs what there is to run on an answer: the origin's, or one of the edge's own.
pub(crate) fn respond(exchange: &mut Exchange<'_>, mut answered: Answered) -> Answered {
    if exchange.rules.is_none() {
        return answered;
    }
    let outcome = ends::serve_errors(exchange, &mut answered).and_then(|()| {
        run(exchange, Phase::ResponseHeadersTransform, Some(&answered))?;
        run(exchange, Phase::ResponseCompression, Some(&answered))
    });
    limits::count(exchange, &answered);
    match outcome {
        Ok(_) => {
            limits::tell(exchange);
            ends::change_fields(exchange, &mut answered);
            compression::compress(exchange, &mut answered);
        }
        // What the rule should have changed is not shown as if it had.
        Err(fault) => answered = reply::page_of(exchange, fault),
    }
    if let Err(fault) = run(exchange, Phase::LogCustomFields, Some(&answered)) {
        reply::judge(exchange, fault);
    }
    record::write(exchange, &answered);
    answered
}

/// Whether the request was refused, or asked for a proof, by what the owner told the edge to do.
fn is_turned_away(exchange: &Exchange<'_>) -> bool {
    exchange.record.verdict.as_deref().is_some_and(|verdict| verdict.party() == Party::Policy)
}

/// Whether a condition holds, now that there is an answer. The address is as rules have rewritten it.
fn evaluate(exchange: &mut Exchange<'_>, answered: &Answered, condition: Condition) -> bool {
    let (Some(zone), Some(mut ruled)) = (exchange.zone, exchange.rules.take()) else { return false };
    let holds = zone.zone.rules.as_deref().is_some_and(|rules| {
        let Ruled { memory, changes, texts, body, score, own_response, .. } = &mut *ruled;
        let known = known(exchange, zone, (&*texts, &*body, *score), Some((answered, *own_response)));
        let seen = Rewritten { facts: &known, uri: changes.uri.as_ref() };
        rules.program().begin(&seen, memory).is_true(condition)
    });
    exchange.rules = Some(ruled);
    holds
}

/// An exchange as rules see it.
fn known<'a>(
    exchange: &'a Exchange<'_>,
    zone: &'a ZonePlan,
    (texts, body, anomaly_score): (&'a Texts, &'a FirstBytes, u32),
    answered: Option<(&'a Answered, bool)>,
) -> Known<'a> {
    Known {
        texts,
        visitor: exchange.visitor,
        head: exchange.head,
        record: &exchange.record,
        zone: &zone.zone,
        body,
        anomaly_score,
        answer: answered.map(|(answered, is_own_response)| Seen {
            head: answered.head(),
            status: answered.status(),
            is_own_response,
            elapsed_ms: exchange.record.elapsed_ms(),
        }),
    }
}

/// Runs one phase.
fn run<'a>(exchange: &mut Exchange<'a>, phase: Phase, answered: Option<&Answered>) -> Result<Option<End<'a>>, Fault> {
    let (Some(zone), Some(mut ruled)) = (exchange.zone, exchange.rules.take()) else { return Ok(None) };
    let Some(rules) = zone.zone.rules.as_deref() else { return Ok(None) };
    let limits = exchange.running.limits();
    let fields = if answered.is_some() { limits.response_header_bytes } else { limits.request_header_bytes };
    let limits = Limits { uri: limits.request_uri_bytes, fields };
    let done = {
        let Ruled { memory, changes, trail, texts, body, score, managed, scratch, limits: met, own_response } =
            &mut *ruled;
        let guard = &exchange.worker.counts.guard;
        let answered = answered.map(|answered| (answered, *own_response));
        let known = known(exchange, zone, (&*texts, &*body, *score), answered);
        let mut scored = *score;
        let mut guards = EdgeGuards {
            zone,
            guard,
            now_ms: guard.milliseconds(exchange.now),
            now: exchange.record.start,
            visitor: challenge::visitor(exchange),
            fields: &exchange.head.fields,
            limits: met,
            content_type: exchange.head.fields.get("content-type"),
            body,
            scratch,
            managed,
            score: &mut scored,
        };
        let done = Run { rules, limits, memory, changes, trail }.phase(phase, &known, &mut guards);
        *score = scored;
        done
    };
    exchange.rules = Some(ruled);
    done.map_err(|failure| ends::fault_of(exchange, &failure))
}

/// The SSL mode of that name in the API.
pub(crate) fn ssl_mode(name: &str) -> Option<SslMode> {
    match name {
        "off" => Some(SslMode::Off),
        "flexible" => Some(SslMode::Flexible),
        "full" => Some(SslMode::Full),
        "strict" => Some(SslMode::Strict),
        "origin_pull" => Some(SslMode::OriginPull),
        _ => None,
    }
}
