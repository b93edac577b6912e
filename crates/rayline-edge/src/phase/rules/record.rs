//! What rules did, written into the record: which matched, what they changed, and the fields they want in the log.

use std::ops::ControlFlow;
use std::sync::Arc;

use rayline_http1::Fields;
use rayline_rules::ruleset::Phase;
use rayline_rules::run::{Change, Reached, Step};
use rayline_verdict::evidence::Fact;
use rayline_verdict::rules::{Logged, MOST_LOGGED, RuleChange, RuleFacts, RuleMatch, SecurityEvent, Value};
use rayline_verdict::snippet::is_secret;
use rayline_verdict::{Code, Verdict};

use super::facts::each_cookie;
use crate::exchange::Exchange;
use crate::phase::reply::Answered;

/// The verdict on a request that was asked for a proof of work.
const CHALLENGED: Code = Code::PolicyRulesChallenged;
/// The most values of one name that are kept.
const MOST_VALUES: usize = 8;

/// Writes it, if there is anything.
pub(super) fn write(exchange: &mut Exchange<'_>, answered: &Answered) {
    let Some(ruled) = exchange.rules.as_deref_mut() else { return };
    let mut facts = RuleFacts::default();
    for step in ruled.trail.steps.drain(..).filter(|step| matches!(step.reached, Reached::Matched | Reached::Ended)) {
        if let Some(source) = source(&step) {
            if step.phase == Phase::FirewallManaged {
                ruled.managed.drain(..).for_each(|event| facts.add_security(event));
            }
            let ended = step.reached == Reached::Ended;
            let is_challenge = exchange.record.verdict.as_deref().is_some_and(|verdict| verdict.code == CHALLENGED);
            facts.add_security(SecurityEvent {
                action: match (step.action, ended) {
                    ("execute", false) => "log",
                    ("execute", true) if is_challenge => "managed_challenge",
                    ("execute", true) => "block",
                    (action, _) => action,
                },
                rule: Arc::clone(&step.rule),
                source,
                ended,
            });
        }
        if step.logging {
            facts.add(RuleMatch {
                id: step.rule,
                phase: step.phase.name(),
                action: step.action,
                ended: step.reached == Reached::Ended,
                changes: step.changes.into_iter().map(change).collect(),
            });
        }
    }
    if let Some(event) = exchange.record.verdict.as_deref().and_then(beside_the_rules) {
        facts.add_security(event);
    }
    let log = &ruled.changes.log;
    let head = &exchange.head.fields;
    facts.request_headers = log.request_fields.iter().filter_map(|name| logged(name, head)).collect();
    facts.response_headers = log.response_fields.iter().filter_map(|name| of_answer(name, answered)).collect();
    facts.cookies = log.cookie_fields.iter().filter_map(|name| cookie(name, head)).collect();
    if !facts.is_empty() {
        exchange.record.rules = Some(Box::new(facts));
    }
}

/// What a request was turned away by that is no rule of a ruleset.
fn beside_the_rules(verdict: &Verdict) -> Option<SecurityEvent> {
    let rule = verdict.evidence.find(|fact| match fact {
        Fact::Rule { id, phase, .. } => Some((id.as_str(), *phase)),
        _ => None,
    });
    let source = match (verdict.code, rule) {
        (Code::PolicyRulesAddressBanned, _) => "ip",
        (Code::PolicyRulesCountryBanned, _) => "country",
        (Code::PolicyRulesZoneLockdown, _) => "zoneLockdown",
        (Code::PolicyRulesUserAgent, _) => "uaBlock",
        (Code::PolicyRulesBrowserSignature, _) => "bic",
        (Code::PolicyRulesHotlink, _) => "hot",
        (CHALLENGED, Some((_, super::access::PHASE))) => "ip",
        _ => return None,
    };
    let action = if verdict.code == CHALLENGED { "managed_challenge" } else { "block" };
    let rule = rule.map_or(source, |(id, _)| id).into();
    Some(SecurityEvent { action, rule, source, ended: true })
}

/// What kind of rule of security it is, if it is one.
fn source(step: &Step) -> Option<&'static str> {
    match step.phase {
        Phase::FirewallCustom => Some("firewallCustom"),
        Phase::Ratelimit => Some("ratelimit"),
        Phase::FirewallManaged => Some("firewallManaged"),
        Phase::DynamicRedirect
        | Phase::RequestTransform
        | Phase::ConfigSettings
        | Phase::Origin
        | Phase::Redirect
        | Phase::LateTransform
        | Phase::CacheSettings
        | Phase::CustomErrors
        | Phase::ResponseHeadersTransform
        | Phase::ResponseCompression
        | Phase::LogCustomFields => None,
    }
}

fn change(change: Change) -> RuleChange {
    let name = change.what.rsplit('.').next().unwrap_or_default();
    let is_header = change.what.contains(".header.");
    let value = |bytes: Option<Box<[u8]>>| {
        bytes.map(|bytes| if is_header && is_secret(name) { Value::masked() } else { Value::new(&bytes) })
    };
    let (before, after) = (value(change.before), value(change.after));
    RuleChange { what: change.what, before, after }
}

/// A field of a head, its values joined as a list (RFC 9110 §5.3). A rule that names a secret wants it, and gets it masked.
fn logged(name: &Arc<str>, fields: &Fields) -> Option<Logged> {
    let values: Vec<&[u8]> = fields.all(&**name).take(MOST_VALUES).collect();
    if values.is_empty() {
        return None;
    }
    Some(Logged { name: Arc::clone(name), value: shown(name, &values.join(b", ".as_slice())) })
}

/// The same of an answer: the last value, as it is sent.
fn of_answer(name: &Arc<str>, answered: &Answered) -> Option<Logged> {
    let value = answered.field(name)?;
    Some(Logged { name: Arc::clone(name), value: shown(name, value) })
}

/// A value as the log may have it.
fn shown(name: &str, value: &[u8]) -> Box<[u8]> {
    if is_secret(name) {
        return rayline_verdict::snippet::MASKED.as_bytes().into();
    }
    value.get(..MOST_LOGGED).unwrap_or(value).into()
}

/// A cookie that a rule names: it says itself that this one is no secret.
fn cookie(name: &Arc<str>, fields: &Fields) -> Option<Logged> {
    let mut found = None;
    each_cookie(fields, &mut |other, value| {
        if other != name.as_bytes() {
            return ControlFlow::Continue(());
        }
        found = Some(Logged { name: Arc::clone(name), value: value.get(..MOST_LOGGED).unwrap_or(value).into() });
        ControlFlow::Break(())
    });
    found
}
