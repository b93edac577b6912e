//! `ratelimit` of a rule: what is counted together, and how much of it is too much.

use std::time::Duration;

use rayline_rules::Stage;
use rayline_rules::ruleset::{Action, Characteristic, LimitAction, RateLimit};

use super::expression::Expressions;
use crate::document::{At, Fields};
use crate::value::AnyText;

/// The limit; `action` is what the rule does beyond it.
pub(super) fn read(
    fields: &Fields<'_>,
    action: Option<&Action>,
    expressions: &mut Expressions<'_>,
) -> Option<RateLimit> {
    let written: Option<At<Vec<At<String>>>> = fields.required("characteristics");
    let period: Option<u64> = fields.required("period");
    let requests: Option<u32> = fields.required("requests_per_period");
    let mitigation_timeout: u64 = fields.take("mitigation_timeout");
    let requests_to_origin: bool = fields.take("requests_to_origin");
    let counting: Option<At<AnyText>> = fields.optional("counting_expression");
    let counting = counting.filter(|at| !at.value.0.is_empty()).map(|at| At { value: at.value.0, place: at.place });
    let counts_responses =
        counting.as_ref().is_some_and(|written| !expressions.is_known_at(&written.value, Stage::Body));
    let condition = counting.as_ref().map(|written| expressions.condition(written, Stage::Response));

    let written = written?;
    let mut characteristics = Vec::new();
    for one in &written.value {
        characteristics.extend(characteristic(one, expressions));
    }
    if characteristics.len() == written.value.len() && !characteristics.contains(&Characteristic::Colo) {
        let problem = written.place.error("`cf.colo.id` is not among the characteristics");
        fields.report.push(problem.hint("add `\"cf.colo.id\"`: counters are each colo's own"));
    }
    let action = match action? {
        Action::Block(response) => LimitAction::Block(response.clone()),
        Action::Challenge => LimitAction::Challenge,
        Action::Log => LimitAction::Log,
        // no other action is one of the phase, which was said
        _ => return None,
    };
    Some(RateLimit {
        characteristics,
        period: Duration::from_secs(period?),
        requests_per_period: requests?,
        mitigation_timeout: Duration::from_secs(mitigation_timeout),
        counting: match condition {
            Some(condition) => Some(condition?),
            None => None,
        },
        counts_responses,
        requests_to_origin,
        action,
    })
}

/// One characteristic: a field that is known here by its name, or an expression.
fn characteristic(written: &At<String>, expressions: &mut Expressions<'_>) -> Option<Characteristic> {
    let text = written.value.trim();
    let entry = |map: &str| {
        let key = text.strip_prefix(map)?.strip_prefix("[\"")?.strip_suffix("\"]")?;
        (!key.contains(['"', '\\'])).then_some(key)
    };
    Some(match text {
        "cf.colo.id" => Characteristic::Colo,
        "ip.src" => Characteristic::Ip,
        "cf.unique_visitor_id" => Characteristic::UniqueVisitor,
        "ip.src.country" => Characteristic::Country,
        "http.host" => Characteristic::Host,
        "http.request.uri.path" => Characteristic::Path,
        "cf.bot_management.ja4" => Characteristic::Ja4,
        _ => {
            if let Some(name) = entry("http.request.headers") {
                Characteristic::Header(name.to_ascii_lowercase().into())
            } else if let Some(name) = entry("http.request.cookies") {
                Characteristic::Cookie(name.into())
            } else if let Some(name) = entry("http.request.uri.args") {
                Characteristic::Argument(name.into())
            } else {
                Characteristic::Expression(expressions.dynamic(written, Stage::Body)?)
            }
        }
    })
}
