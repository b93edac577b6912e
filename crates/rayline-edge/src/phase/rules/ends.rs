//! What becomes of a request by a rule that ends it, and of an answer by one that changes it.

use bytes::Bytes;
use rayline_rules::ruleset::{Phase, Rule};
use rayline_rules::run::{End, Failure, FailureKind};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RulesCause;
use rayline_verdict::rules::Value;
use rayline_verdict::snippet::is_secret;

use super::facts::cause_of;
use super::{is_turned_away, run};
use crate::exchange::Exchange;
use crate::phase::reply::{self, Answered};

/// What a rule's end comes to.
///
/// # Errors
/// A request that is turned away with a page of the edge's.
pub(super) fn of_request(exchange: &mut Exchange<'_>, phase: Phase, end: End<'_>) -> Result<Answered, Fault> {
    match end {
        End::Block(rule, own) => {
            let fault = about(Fault::new(cause_of(phase)), rule, phase);
            let fault = if phase == Phase::FirewallManaged { with_score(exchange, fault) } else { fault };
            let fault = if phase == Phase::Ratelimit { with_wait(exchange, fault) } else { fault };
            let Some(own) = own else { return Err(fault) };
            // It did its work all the same: the record has the verdict, and the visitor what the rule says.
            reply::judge(exchange, fault);
            if let Some(ruled) = exchange.rules.as_deref_mut() {
                ruled.own_response = true;
            }
            let kind = Bytes::copy_from_slice(own.content_type.as_bytes());
            let body = Bytes::copy_from_slice(&own.content);
            Ok(Answered::made(own.status_code, vec![("content-type", kind)], body))
        }
        End::Challenge(rule) => Err(about(Fault::new(RulesCause::Challenged), rule, phase)),
        End::Redirect { status, location, .. } => {
            Ok(Answered::made(status, vec![("location", location.into())], Bytes::new()))
        }
        // Of answers alone; the configuration lets it stand nowhere else.
        End::ServeError(rule, _) => Err(about(Fault::new(cause_of(phase)), rule, phase)),
    }
}

/// Names the rule.
fn about(fault: Fault, rule: &Rule, phase: Phase) -> Fault {
    fault.with(Fact::Rule { id: rule.id.to_string(), description: rule.description.to_string(), phase: phase.name() })
}

fn with_wait(exchange: &Exchange<'_>, fault: Fault) -> Fault {
    match exchange.rules.as_deref().and_then(|ruled| ruled.limits.wait()) {
        Some(seconds) => fault.with(Fact::RetryAfter(seconds)),
        None => fault,
    }
}

fn with_score(exchange: &Exchange<'_>, fault: Fault) -> Fault {
    let score = exchange.rules.as_deref().map_or(0, |ruled| ruled.score);
    fault.with(Fact::Made { what: "anomaly_score".to_owned(), value: score.to_string() })
}

/// The fault of a rule that cannot do what it says.
pub(super) fn fault_of(exchange: &Exchange<'_>, failure: &Failure<'_>) -> Fault {
    let limits = exchange.running.limits();
    let limit = |what, seen: usize, limit: usize| Fact::Limit { what, seen: seen as u64, limit: limit as u64 };
    let (cause, fact) = match failure.kind {
        FailureKind::InvalidPath => (RulesCause::RewriteInvalidPath, None),
        FailureKind::TooLong => {
            let fact = limit("rewritten address", failure.made.len(), limits.request_uri_bytes);
            (RulesCause::RewriteTooLong, Some(fact))
        }
        FailureKind::Expression => (RulesCause::ExpressionFailed, None),
        FailureKind::TooManyFields => return too_many_fields(exchange, failure.rule, failure.phase),
        FailureKind::FieldNotAllowed => (RulesCause::HeaderNotAllowed, None),
        FailureKind::InvalidValue => (RulesCause::HeaderInvalidValue, None),
    };
    let value = if is_secret(&failure.what) { Value::masked() } else { Value::new(&failure.made) };
    let made = Fact::Made { what: failure.what.to_string(), value: value.to_string() };
    let fault = about(Fault::new(cause), failure.rule, failure.phase).with(made);
    match fact {
        Some(fact) => fault.with(fact),
        None => fault,
    }
}

fn too_many_fields(exchange: &Exchange<'_>, rule: &Rule, phase: Phase) -> Fault {
    let limits = exchange.running.limits();
    let (most, bytes) = match (phase.is_of_response(), exchange.changes()) {
        (true, changes) => (limits.response_header_bytes, changes.map_or(0, |changes| changes.response_fields.bytes())),
        (false, changes) => {
            let added = changes.map_or(0, |changes| changes.request_fields.bytes());
            (limits.request_header_bytes, exchange.head.raw().len() + added)
        }
    };
    let limit = Fact::Limit { what: "header bytes", seen: bytes as u64, limit: most as u64 };
    about(Fault::new(RulesCause::HeaderLimit), rule, phase).with(limit)
}

/// Refuses a request whose head rules have made larger than one may be.
///
/// # Errors
/// 1038.
pub(super) fn check_fields(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let added = exchange.changes().map_or(0, |changes| changes.request_fields.bytes());
    let most = exchange.running.limits().request_header_bytes;
    if added == 0 || exchange.head.raw().len() + added <= most {
        return Ok(());
    }
    let rules = exchange.zone.and_then(|zone| zone.zone.rules.as_deref());
    let last = exchange.rules.as_deref().and_then(|ruled| {
        ruled.trail.steps.iter().rfind(|step| step.phase == Phase::LateTransform).map(|step| &step.rule)
    });
    let rule = rules.and_then(|rules| rules.of(Phase::LateTransform).iter().find(|rule| Some(&rule.id) == last));
    rule.map_or(Ok(()), |rule| Err(too_many_fields(exchange, rule, Phase::LateTransform)))
}

/// Puts a rule's page in place of an error, of the origin's or of the edge's own; not of what a rule has refused, which
/// has a page of its own ("Custom Errors", priority).
///
/// # Errors
/// A rule that cannot do what it says.
pub(super) fn serve_errors(exchange: &mut Exchange<'_>, answered: &mut Answered) -> Result<(), Fault> {
    if answered.status() < 400 || is_turned_away(exchange) || exchange.is_call() {
        return Ok(());
    }
    if let Some(End::ServeError(_, page)) = run(exchange, Phase::CustomErrors, Some(answered))? {
        answered.replace(
            page.status_code,
            page.content_type.as_bytes(),
            Bytes::copy_from_slice(page.content.as_bytes()),
        );
    }
    Ok(())
}

/// Hands over what rules made of the answer's fields.
pub(super) fn change_fields(exchange: &mut Exchange<'_>, answered: &mut Answered) {
    let Some(ruled) = exchange.rules.as_deref_mut() else { return };
    if !ruled.changes.response_fields.is_empty() {
        answered.amend().add(std::mem::take(&mut ruled.changes.response_fields));
    }
}
