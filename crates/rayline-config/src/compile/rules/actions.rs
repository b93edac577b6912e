//! Actions that end a request, leave something out, or send it elsewhere: `block`, `skip`, `execute`, `rewrite`,
//! `redirect`, `route`.

use std::net::IpAddr;
use std::sync::Arc;

use rayline_rules::ruleset::{
    Action, Execute, HeaderChange, HeaderOperation, ManagedAction, ManagedOverride, ManagedTarget, OwnResponse, Phase,
    Product, Redirect, Rewrite, Route, Sensitivity, Skip, Text,
};
use rayline_rules::{Stage, waf};

use super::expression::Expressions;
use super::kinds::OperationKind;
use super::rule::Context;
use super::{headers, quoted, within};
use crate::document::{At, Fields, Place, shown};
use crate::keys::nearest;
use crate::name::parse_name;
use crate::problem::Problem;
use crate::value::{AnyText, Read as _};

/// The longest content of an answer of one's own ("block", 30 KB).
const LONGEST_RESPONSE: usize = 30 << 10;

/// What an answer of one's own may be.
const CONTENT_TYPES: [&str; 4] = ["text/html", "text/plain", "application/json", "text/xml"];

/// Phases that `skip` may name ("Skip options").
const SKIPPED: [Phase; 3] = [Phase::Ratelimit, Phase::FirewallManaged, Phase::FirewallCustom];

const PRODUCTS: [(&str, Product); 7] = [
    ("bic", Product::BrowserIntegrityCheck),
    ("hot", Product::HotlinkProtection),
    ("rateLimit", Product::RateLimit),
    ("securityLevel", Product::SecurityLevel),
    ("uaBlock", Product::UserAgentBlocking),
    ("waf", Product::Waf),
    ("zoneLockdown", Product::ZoneLockdown),
];

pub(super) fn block(parameters: &Fields<'_>) -> Option<Action> {
    if parameters.written("response").is_none() {
        return Some(Action::Block(None));
    }
    let table = parameters.optional_table("response")?;
    let status_code: u16 = table.take("status_code");
    let content_type = content_type(&table);
    let content: Option<At<AnyText>> = table.required("content");
    let content = content.and_then(|at| within(at.value.0, LONGEST_RESPONSE, &at.place, table.report));
    Some(Action::Block(Some(OwnResponse {
        status_code,
        content_type: content_type?,
        content: content?.into_bytes().into(),
    })))
}

/// `content_type` of an answer of one's own.
pub(super) fn content_type(fields: &Fields<'_>) -> Option<Box<str>> {
    let written: At<String> = fields.take("content_type");
    let media_type = written.value.split(';').next().unwrap_or_default().trim();
    if CONTENT_TYPES.contains(&media_type) && written.value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Some(written.value.into());
    }
    let problem = written.place.error(format!("`{}` is no content type of such an answer", shown(&written.value)));
    fields.report.refuse(problem.hint(format!("it is one of {}", quoted(CONTENT_TYPES))))
}

pub(super) fn skip(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let current = |name: &str| {
        let written: Option<At<String>> = parameters.optional(name);
        written.is_some_and(|written| {
            if written.value != "current" {
                let problem = written.place.error(format!("`{}` is not `current`", shown(&written.value)));
                parameters.report.push(problem.hint("write `current`, or name phases in `phases`"));
            }
            true
        })
    };
    // a zone has one ruleset per phase, so the rest of either is the same
    let current_ruleset = current("ruleset") | current("phase");
    let phases: Vec<At<String>> = parameters.take("phases");
    let products: Vec<At<String>> = parameters.take("products");
    let managed: Vec<Arc<str>> = parameters
        .entries("rules")
        .iter()
        .filter(|(name, _)| is_managed_ruleset(name, parameters))
        .filter_map(|(_, item)| Vec::<At<String>>::read(item))
        .flatten()
        .filter_map(|written| managed_rule(&written, parameters))
        .map(Arc::from)
        .collect();
    if !current_ruleset
        && phases.is_empty()
        && products.is_empty()
        && managed.is_empty()
        && parameters.keys().is_empty()
    {
        let problem = rule.place.error("`skip` does not say what is to be left out");
        let hint = "add, for example, `action_parameters = { phases = [\"http_request_firewall_managed\"] }`";
        return rule.report.refuse(problem.hint(hint));
    }
    let phases = phases
        .into_iter()
        .filter_map(|at| named(&at, &SKIPPED.map(|phase| (phase.name(), phase)), "phase", parameters));
    let products: Vec<Product> =
        products.into_iter().filter_map(|at| named(&at, &PRODUCTS, "product", parameters)).collect();
    Some(Action::Skip(Skip { current_ruleset, phases: phases.collect(), products, rules: managed }))
}

/// The one of that name.
fn named<T: Copy>(written: &At<String>, known: &[(&str, T)], what: &str, fields: &Fields<'_>) -> Option<T> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == written.value) {
        return Some(*found);
    }
    let problem = written.place.error(format!("`{}` is no {what} that can be left out", shown(&written.value)));
    let names = || known.iter().map(|(name, _)| *name);
    fields.report.refuse(match nearest(&written.value, names()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("it is one of {}", quoted(names()))),
    })
}

pub(super) fn execute(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let id: Option<At<String>> = parameters.optional("id");
    let overrides = parameters.table("overrides");
    let mut changes = Vec::new();
    for table in overrides.tables("categories") {
        let category = table.required("category").and_then(|written: At<String>| {
            waf::Category::named(&written.value).map(|_| written.value.clone()).or_else(|| {
                let names = waf::Category::ALL.iter().map(|category| category.name());
                table.report.refuse(unknown(&written, "category of managed rules", names))
            })
        });
        changes.extend(managed_override(&table, category.map(|name| ManagedTarget::Category(name.into()))));
    }
    for table in overrides.tables("rules") {
        let id = table.required("id").and_then(|written| managed_rule(&written, &table));
        changes.extend(managed_override(&table, id.map(|name| ManagedTarget::Rule(name.into()))));
    }
    let execute = Execute {
        id: waf::RULESET.into(),
        action: overrides.optional("action"),
        enabled: overrides.optional("enabled"),
        sensitivity: overrides.take::<Sensitivity>("sensitivity_level"),
        paranoia_level: u8::try_from(parameters.take::<u16>("paranoia_level")).unwrap_or(1),
        anomaly_threshold: parameters.optional("anomaly_threshold"),
        overrides: changes,
    };
    if id.is_none() && parameters.written("id").is_none() {
        let problem = rule.place.error("`execute` does not say which managed rules");
        let hint = format!("add `action_parameters = {{ id = \"{}\" }}`", waf::RULESET);
        return rule.report.refuse(problem.hint(hint));
    }
    is_managed_ruleset(&id?, parameters).then(|| Action::Execute(Box::new(execute)))
}

/// Whether it is the name of the managed rules that come with this version.
fn is_managed_ruleset(written: &At<String>, fields: &Fields<'_>) -> bool {
    if written.value == waf::RULESET {
        return true;
    }
    let problem = written.place.error(format!("there is no managed ruleset `{}`", shown(&written.value)));
    fields.report.push(problem.hint(format!("the one of this edge is `{}`; Cloudflare's are not here", waf::RULESET)));
    false
}

/// The id of a managed rule that there is.
fn managed_rule(written: &At<String>, fields: &Fields<'_>) -> Option<String> {
    let ids = waf::signatures().unwrap_or_default().iter().map(|signature| &*signature.id);
    if ids.clone().any(|id| id == written.value) {
        return Some(written.value.clone());
    }
    fields.report.refuse(unknown(written, "managed rule", ids))
}

fn unknown<'a>(written: &At<String>, what: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let problem = written.place.error(format!("there is no {what} `{}`", shown(&written.value)));
    match nearest(&written.value, known.clone()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if known.clone().count() <= 20 => problem.hint(format!("there are {}", quoted(known))),
        None => problem,
    }
}

fn managed_override(fields: &Fields<'_>, target: Option<ManagedTarget>) -> Option<ManagedOverride> {
    let action: Option<ManagedAction> = fields.optional("action");
    let enabled: Option<bool> = fields.optional("enabled");
    Some(ManagedOverride { target: target?, action, enabled })
}

pub(super) fn rewrite(
    parameters: &Fields<'_>,
    rule: &Fields<'_>,
    phase: Option<Phase>,
    expressions: &mut Expressions<'_>,
) -> Option<Action> {
    let stage = phase.map_or(Stage::Response, Phase::stage);
    let wrong = match phase {
        Some(Phase::RequestTransform) => Some(("headers", "`http_request_late_transform`")),
        Some(Phase::LateTransform | Phase::ResponseHeadersTransform) => Some(("uri", "`http_request_transform`")),
        _ => None,
    };
    if let Some((key, belongs)) = wrong
        && let Some(place) = parameters.written(key)
    {
        let phase = phase.map_or("", Phase::name);
        let problem = place.error(format!("`{phase}` does not change `{key}`"));
        rule.report.push(problem.hint(format!("put it into a rule of {belongs}")));
    }
    let uri = parameters.table("uri");
    let mut part = |name: &str| uri.optional_table(name).and_then(|table| expressions.text(&table, stage));
    let path = part("path").filter(|(text, place)| is_path(text, place, rule));
    let query = part("query").filter(|(text, place)| is_query(text, place, rule));
    let changes: Vec<HeaderChange> = parameters
        .named_tables("headers")
        .iter()
        .filter_map(|(name, table)| header(name, table, phase, expressions))
        .collect();
    if path.is_none() && query.is_none() && changes.is_empty() && parameters.keys().is_empty() {
        let problem = rule.place.error("`rewrite` does not say what is to be changed");
        let what = if phase == Some(Phase::RequestTransform) { "uri" } else { "headers" };
        return rule.report.refuse(problem.hint(format!("add `{what}` to its `action_parameters`")));
    }
    let (path, query) = (path.map(|(text, _)| text), query.map(|(text, _)| text));
    Some(Action::Rewrite(Box::new(Rewrite { path, query, headers: changes })))
}

/// Whether a path that is written out could be sent to an origin: else every such request would fail, by 1035.
fn is_path(text: &Text, place: &Place, rule: &Fields<'_>) -> bool {
    let Text::Value(path) = text else { return true };
    let wrong = if !path.starts_with('/') {
        "a path begins with `/`"
    } else if path.starts_with("/cdn-cgi/") {
        "paths under `/cdn-cgi/` are the edge's own"
    } else if path.contains(['?', '#']) || path.contains(|c: char| c.is_ascii_control() || c == ' ') {
        "a path has no `?`, `#`, space or control character: write `query` apart, and the others as `%20`"
    } else {
        return true;
    };
    rule.report.push(place.error(format!("`{}` is no path to rewrite to", shown(path))).hint(wrong));
    false
}

fn is_query(text: &Text, place: &Place, rule: &Fields<'_>) -> bool {
    let Text::Value(query) = text else { return true };
    let wrong = if query.starts_with('?') {
        "leave the `?` out"
    } else if query.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '#') {
        "a query has no `#`, space or control character: write them as `%20`"
    } else {
        return true;
    };
    rule.report.push(place.error(format!("`{}` is no query to rewrite to", shown(query))).hint(wrong));
    false
}

fn header(
    name: &At<String>,
    fields: &Fields<'_>,
    phase: Option<Phase>,
    expressions: &mut Expressions<'_>,
) -> Option<HeaderChange> {
    let report = fields.report;
    let operation: Option<At<OperationKind>> = fields.required("operation");
    let stage = phase.map_or(Stage::Response, Phase::stage);
    let allowed = match headers::refusal(&name.value, phase.is_some_and(Phase::is_of_response), &operation) {
        Some((message, hint)) => {
            report.push(name.place.error(message).hint(hint));
            None
        }
        None => Some(()),
    };
    let written = fields.written("value").or(fields.written("expression"));
    let text = match &operation {
        Some(At { value: OperationKind::Remove, .. }) => {
            if let Some(place) = written {
                report.push(place.error("`remove` takes no value").hint("leave it out"));
            }
            None
        }
        // any of them would be read the same
        Some(_) | None if operation.is_some() || written.is_some() => expressions.text(fields, stage),
        Some(_) | None => None,
    };
    if let Some((Text::Value(value), place)) = &text
        && !headers::is_value(value)
    {
        let problem = place.error("a header field's value has no control characters");
        report.push(problem.hint("leave them out: such a request would fail by 1041"));
    }
    let operation = match operation?.value {
        OperationKind::Set => HeaderOperation::Set(text?.0),
        OperationKind::Add => HeaderOperation::Add(text?.0),
        OperationKind::Remove => HeaderOperation::Remove,
    };
    allowed.map(|()| HeaderChange { name: name.value.as_str().into(), operation })
}

pub(super) fn redirect(
    parameters: &Fields<'_>,
    rule: &Fields<'_>,
    phase: Option<Phase>,
    context: &mut Context<'_, '_>,
) -> Option<Action> {
    let stage = phase.map_or(Stage::Response, Phase::stage);
    let (needed, other) = match phase {
        Some(Phase::Redirect) => ("from_list", "from_value"),
        _ => ("from_value", "from_list"),
    };
    if phase.is_some()
        && let Some(place) = parameters.written(other)
    {
        let phase = if other == "from_list" { Phase::Redirect } else { Phase::DynamicRedirect };
        let problem = place.error(format!("`{other}` is for rules of `{}`", phase.name()));
        rule.report.push(problem.hint(format!("put the rule there, or write `{needed}`")));
    } else if phase.is_some() && parameters.written(needed).is_none() {
        let problem = rule.place.error(format!("`redirect` has no `{needed}`"));
        rule.report.push(problem.hint("add it to its `action_parameters`"));
    }
    let from_value = parameters.optional_table("from_value").and_then(|table| from_value(&table, stage, context));
    let from_list = parameters.optional_table("from_list").and_then(|table| from_list(&table, stage, context));
    from_value.or(from_list).map(|redirect| Action::Redirect(Box::new(redirect)))
}

fn from_value(fields: &Fields<'_>, stage: Stage, context: &mut Context<'_, '_>) -> Option<Redirect> {
    let status_code = redirect_status(fields);
    let preserve_query_string: bool = fields.take("preserve_query_string");
    if fields.written("target_url").is_none() {
        let problem = fields.place.error("`target_url` is missing");
        return fields.report.refuse(problem.hint("add `target_url = { value = \"https://…\" }`"));
    }
    let (target, place) = context.expressions.text(&fields.optional_table("target_url")?, stage)?;
    if let Text::Value(url) = &target
        && !is_target(url)
    {
        let problem = place.error(format!("`{}` is no place to redirect to", shown(url)));
        return fields
            .report
            .refuse(problem.hint("write a URL with `https://` or `http://`, or a path beginning with `/`"));
    }
    Some(Redirect::Value { target, status_code: status_code?, preserve_query_string })
}

/// Whether a redirect may lead there: a URL of HTTP, or a path.
pub(super) fn is_target(url: &str) -> bool {
    let begins = |scheme: &str| {
        let start = url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && url.len() > scheme.len()
    };
    let known = begins("https://") || begins("http://") || url.starts_with('/');
    known && !url.contains(|c: char| c.is_ascii_control() || c == ' ')
}

/// `status_code` of a redirect.
pub(super) fn redirect_status(fields: &Fields<'_>) -> Option<u16> {
    let written: At<u16> = fields.take("status_code");
    match written.value {
        301 | 302 | 303 | 307 | 308 => Some(written.value),
        other => {
            let problem = written.place.error(format!("{other} is no status of a redirect"));
            fields.report.refuse(problem.hint("it is 301, 302, 303, 307 or 308"))
        }
    }
}

fn from_list(fields: &Fields<'_>, stage: Stage, context: &mut Context<'_, '_>) -> Option<Redirect> {
    let name: Option<At<String>> = fields.required("name");
    let key: At<String> = fields.take("key");
    let key = context.expressions.dynamic(&key, stage);
    let name = name?;
    let lists = &context.named.redirect_lists;
    let Some(list) = lists.get(name.value.as_str()) else {
        let problem = name.place.error(format!("there is no redirect list `{}`", shown(&name.value)));
        return fields.report.refuse(match nearest(&name.value, lists.keys().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("add it as `[[redirect_list]]`"),
        });
    };
    Some(Redirect::List { list: Arc::clone(list), key: key? })
}

pub(super) fn route(parameters: &Fields<'_>, rule: &Fields<'_>) -> Option<Action> {
    let name = |written: At<String>| host_name(&written, parameters);
    let host_header = parameters.optional("host_header").and_then(|at: At<String>| host_and_port(&at, parameters));
    let origin = parameters.table("origin");
    let host: Option<At<String>> = origin.optional("host");
    let port: Option<u16> = origin.optional("port");
    let host = host.and_then(|at| match at.value.parse::<IpAddr>() {
        Ok(address) => Some(address.to_string()),
        Err(_) => name(at),
    });
    let sni = parameters.optional_table("sni").and_then(|table| table.required("value").and_then(name));
    let route = Route {
        host_header: host_header.map(|name| Text::Value(name.into())),
        sni: sni.map(|name| Text::Value(name.into())),
        host: host.map(Arc::from),
        port,
    };
    if route == Route::default() && parameters.keys().is_empty() {
        let problem = rule.place.error("`route` does not say what is to be changed");
        return rule.report.refuse(problem.hint("add `host_header`, `origin` or `sni` to its `action_parameters`"));
    }
    Some(Action::Route(Box::new(route)))
}

pub(super) fn host_name(written: &At<String>, fields: &Fields<'_>) -> Option<String> {
    parse_name(&written.value).map_or_else(|fault| fields.report.refuse(fault.problem(written)), Some)
}

/// A value of `Host`: a name or an address, perhaps with a port.
pub(super) fn host_and_port(written: &At<String>, fields: &Fields<'_>) -> Option<String> {
    let text = &written.value;
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => text,
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if address.parse::<IpAddr>().is_ok() {
        return Some(text.clone());
    }
    parse_name(host).map_or_else(|fault| fields.report.refuse(fault.problem(written)), |_| Some(text.clone()))
}
