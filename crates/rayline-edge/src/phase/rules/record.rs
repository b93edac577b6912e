//! What rules did, written into the record: which matched, what they changed, and the fields they want in the log.

use std::ops::ControlFlow;
use std::sync::Arc;

use rayline_http1::Fields;
use rayline_rules::ruleset::{Access, AccessTarget, Phase};
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
    let access = exchange.zone.and_then(|zone| zone.zone.rules.as_deref()).map(|rules| &rules.access);
    if let (Some(verdict), Some(access)) = (exchange.record.verdict.as_deref(), access)
        && let Some(event) = beside_the_rules(verdict, access)
    {
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
fn beside_the_rules(verdict: &Verdict, access: &Access) -> Option<SecurityEvent> {
    let rule = verdict.evidence.find(|fact| match fact {
        Fact::Rule { id, phase, .. } if *phase == super::access::PHASE => Some(id.as_str()),
        _ => None,
    });
    let source = match verdict.code {
        Code::PolicyRulesBrowserSignature => "bic",
        Code::PolicyRulesHotlink => "hot",
        _ => source_beside(rule?, access)?,
    };
    let action = if verdict.code == CHALLENGED { "managed_challenge" } else { "block" };
    Some(SecurityEvent { action, rule: rule.unwrap_or(source).into(), source, ended: true })
}

/// What kind of rule an id is of, among those that stand beside the rulesets.
fn source_beside(id: &str, access: &Access) -> Option<&'static str> {
    if let Some(rule) = access.rules.iter().find(|rule| *rule.id == *id) {
        return Some(match rule.target {
            AccessTarget::Network(network) if network.prefix_len() == network.max_prefix_len() => "ip",
            AccessTarget::Network(_) => "ipRange",
            AccessTarget::Asn(_) => "asn",
            AccessTarget::Country(_) => "country",
        });
    }
    let is_lockdown = || access.lockdowns.iter().any(|rule| *rule.id == *id);
    let is_user_agent = || access.user_agents.iter().any(|rule| *rule.id == *id);
    if is_lockdown() {
        Some("zoneLockdown")
    } else if is_user_agent() {
        Some("uaBlock")
    } else {
        None
    }
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
