//! One rule of a ruleset: what it is called, of which requests it is, and that its action fits its phase.

use std::sync::Arc;

use rayline_rules::Stage;
use rayline_rules::ruleset::{Action, Phase, Rule};

use super::expression::Expressions;
use super::kinds::ActionKind;
use super::lists::Named;
use super::{Ids, actions, quoted, ratelimit, settings};
use crate::document::{At, Fields};
use crate::value::AnyText;

/// What reading a rule needs and adds to.
pub(super) struct Context<'a, 'p> {
    pub(super) expressions: &'a mut Expressions<'p>,
    pub(super) ids: &'a mut Ids,
    pub(super) named: &'a Named,
}

/// A rule; `place` counts from 1 in its ruleset. The phase is `None` where it could not be read.
pub(super) fn read(
    fields: &Fields<'_>,
    phase: Option<Phase>,
    place: usize,
    context: &mut Context<'_, '_>,
) -> Option<Rule> {
    let id = context.ids.read(fields);
    let reference: Option<String> = fields.optional("ref");
    let description: Option<AnyText> = fields.optional("description");
    let enabled: bool = fields.take("enabled");
    let logging: bool = fields.table("logging").take("enabled");
    let stage = phase.map_or(Stage::Response, Phase::stage);
    let expression: Option<At<String>> = fields.required("expression");
    let condition = expression.as_ref().and_then(|written| match phase {
        Some(Phase::Redirect) if asks_for_a_redirect_list(&written.value, context.named) => {
            context.expressions.condition(&At { value: "true".to_owned(), place: written.place.clone() }, stage)
        }
        _ => context.expressions.condition(written, stage),
    });
    let kind: Option<At<ActionKind>> = fields.required("action");
    let parameters = fields.table("action_parameters");
    let action = match &kind {
        Some(kind) => {
            let fits = fits(kind, phase, fields) & are_parameters_of(kind.value, &parameters);
            read_action(kind.value, &parameters, fields, phase, context).filter(|_| fits)
        }
        // which of the parameters are meant is not known: whatever is wrong with any of them is said
        None => {
            for kind in [
                ActionKind::Block,
                ActionKind::Skip,
                ActionKind::Execute,
                ActionKind::Rewrite,
                ActionKind::Redirect,
                ActionKind::Route,
                ActionKind::SetConfig,
                ActionKind::SetCacheSettings,
                ActionKind::ServeError,
                ActionKind::CompressResponse,
                ActionKind::LogCustomField,
            ] {
                let written = parameters.keys().iter().any(|key| kind.parameters().contains(&key.value));
                let _read = written.then(|| read_action(kind, &parameters, fields, phase, context));
            }
            None
        }
    };
    let action = limited(action, fields, phase, context);

    let made = || Arc::from(format!("{}.{place}", phase.map_or("", Phase::name)));
    Some(Rule {
        id: id.or_else(|| reference.map(Arc::from)).unwrap_or_else(made),
        description: description.unwrap_or_default().0.into(),
        expression: expression?.value.into(),
        condition: condition?,
        enabled,
        logging,
        action: action?,
    })
}

/// Whether it is `http.request.full_uri in $list` with a redirect list, as Cloudflare writes all rules of bulk redirects:
/// looking the URL up in the list is what the action does.
fn asks_for_a_redirect_list(expression: &str, named: &Named) -> bool {
    let bare = expression.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let list = bare.strip_prefix("http.request.full_uri").and_then(|rest| rest.trim_start().strip_prefix("in"));
    let name = list.and_then(|rest| rest.trim_start().strip_prefix('$'));
    name.is_some_and(|name| named.redirect_lists.contains_key(name))
}

/// Whether the action is one of the phase.
fn fits(kind: &At<ActionKind>, phase: Option<Phase>, fields: &Fields<'_>) -> bool {
    let Some(phase) = phase else { return true };
    if ActionKind::of(phase).contains(&kind.value) {
        return true;
    }
    let takes = Phase::ALL.into_iter().filter(|phase| ActionKind::of(*phase).contains(&kind.value));
    let name = kind.value.name();
    fields.report.push(kind.place.error(format!("`{name}` is no action of `{}`", phase.name())).hint(format!(
        "phases that take it: {}; actions of this phase: {}",
        quoted(takes.map(Phase::name)),
        quoted(ActionKind::of(phase).iter().map(|kind| kind.name()))
    )));
    false
}

/// Whether every parameter that was written is one of the action's.
fn are_parameters_of(kind: ActionKind, parameters: &Fields<'_>) -> bool {
    let mut all = true;
    for key in parameters.keys() {
        if kind.parameters().contains(&key.value) {
            continue;
        }
        all = false;
        let problem = key.place.error(format!("`{}` is no parameter of `{}`", key.value, kind.name()));
        parameters.report.push(problem.hint(match kind.parameters() {
            [] => "it takes none".to_owned(),
            takes => format!("it takes {}", quoted(takes.iter().copied())),
        }));
    }
    all
}

fn read_action(
    kind: ActionKind,
    parameters: &Fields<'_>,
    rule: &Fields<'_>,
    phase: Option<Phase>,
    context: &mut Context<'_, '_>,
) -> Option<Action> {
    match kind {
        ActionKind::Block => actions::block(parameters),
        ActionKind::Challenge | ActionKind::JsChallenge | ActionKind::ManagedChallenge => Some(Action::Challenge),
        ActionKind::Skip => actions::skip(parameters, rule),
        ActionKind::Log => Some(Action::Log),
        ActionKind::Execute => actions::execute(parameters, rule),
        ActionKind::Rewrite => actions::rewrite(parameters, rule, phase, context.expressions),
        ActionKind::Redirect => actions::redirect(parameters, rule, phase, context),
        ActionKind::Route => actions::route(parameters, rule),
        ActionKind::SetConfig => settings::set_config(parameters, rule),
        ActionKind::SetCacheSettings => settings::set_cache_settings(parameters, rule),
        ActionKind::ServeError => settings::serve_error(parameters, rule),
        ActionKind::CompressResponse => settings::compress_response(parameters, rule),
        ActionKind::LogCustomField => settings::log_custom_field(parameters, rule),
    }
}

/// The action with its `ratelimit`, which rules of one phase must have, and no others.
fn limited(
    action: Option<Action>,
    fields: &Fields<'_>,
    phase: Option<Phase>,
    context: &mut Context<'_, '_>,
) -> Option<Action> {
    let is_limit = phase == Some(Phase::Ratelimit);
    let Some(table) = fields.optional_table("ratelimit") else {
        if is_limit && fields.written("ratelimit").is_none() {
            let problem = fields.place.error("a rule of `http_ratelimit` has a table `ratelimit`");
            let hint = "add, for example, `ratelimit = { characteristics = [\"cf.colo.id\", \"ip.src\"], period = 60, requests_per_period = 100 }`";
            return fields.report.refuse(problem.hint(hint));
        }
        return action.filter(|_| !is_limit);
    };
    let limit = ratelimit::read(&table, action.as_ref(), context.expressions);
    if is_limit {
        return limit.map(|limit| Action::RateLimit(Box::new(limit)));
    }
    if phase.is_some() {
        let problem = table.place.error("`ratelimit` is only for rules of `http_ratelimit`");
        return fields.report.refuse(problem.hint("put the rule into a ruleset of that phase"));
    }
    action
}
