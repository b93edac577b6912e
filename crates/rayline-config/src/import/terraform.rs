//! Terraform's language, with resources of Cloudflare's provider (versions 4 and 5).
//!
//! What stands in a variable or a local value is put in; what is known only once Terraform runs is not, and is said.

use std::collections::HashMap;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Block, Body};
use hcl_edit::template::Element;
use serde_json::{Map, Value};

use super::ImportText;
use super::cloudflare::Read;
use super::draft::{Draft, Item};
use super::syntax::line_of;

/// How deep values that refer to others are looked up.
const DEEPEST: usize = 8;

/// Blocks of which there may be several, so that one is an array too.
const SEVERAL: [&str; 12] = [
    "rules",
    "headers",
    "algorithms",
    "status_code_ttl",
    "categories",
    "item",
    "items",
    "configurations",
    "request_fields",
    "response_fields",
    "cookie_fields",
    "additional_cacheable_ports",
];

/// A resource, as its type and name have it.
struct Resource<'a> {
    kind: String,
    name: String,
    place: String,
    body: &'a Body,
}

/// What names stand for: `var.x`, `local.x`.
type Values<'a> = HashMap<String, &'a Expression>;

pub(super) fn read(texts: &[ImportText], draft: &mut Draft) {
    let mut bodies = Vec::new();
    for text in texts {
        match hcl_edit::parser::parse_body(&text.text) {
            Ok(body) => bodies.push((text, body)),
            Err(error) => {
                let message = error.message().lines().next().unwrap_or_default().to_owned();
                let place = format!("{}:{}", text.name, error.location().line());
                draft.leave(&place, "the text", format!("it cannot be read: {message}"));
            }
        }
    }
    let mut values = Values::new();
    let mut resources = Vec::new();
    for (text, body) in &bodies {
        for block in body.blocks() {
            collect(text, block, &mut values, &mut resources);
        }
    }

    let zones = zones(&resources, &values);
    let mut reads: Vec<(String, Read)> = Vec::new();
    let default = zones.first().map(|(reference, _)| reference.clone()).unwrap_or_default();
    for resource in &resources {
        let reference = zone_of(resource, &values, &zones).unwrap_or_else(|| default.clone());
        let place = reads.iter().position(|(of, _)| *of == reference).unwrap_or_else(|| {
            let zone = zones.iter().find(|(of, _)| *of == reference).map(|(_, name)| name.clone());
            reads.push((reference, Read::of_zone(zone)));
            reads.len() - 1
        });
        if let Some((_, read)) = reads.get_mut(place) {
            translate(resource, &values, read, draft);
        }
    }
    reads.into_iter().for_each(|(_, read)| read.into_draft("terraform", draft));
}

/// Sorts a block at the top of a text.
fn collect<'a>(text: &ImportText, block: &'a Block, values: &mut Values<'a>, resources: &mut Vec<Resource<'a>>) {
    let label = |place: usize| block.labels.get(place).map(|label| label.as_str().to_owned()).unwrap_or_default();
    let place = format!("{}:{}", text.name, line_of(&text.text, block.span().map_or(0, |span| span.start)));
    match block.ident.as_str() {
        "variable" => {
            if let Some(default) = block.body.get_attribute("default") {
                values.insert(format!("var.{}", label(0)), &default.value);
            }
        }
        "locals" => {
            for attribute in block.body.attributes() {
                values.insert(format!("local.{}", attribute.key.as_str()), &attribute.value);
            }
        }
        "resource" => resources.push(Resource { kind: label(0), name: label(1), place, body: &block.body }),
        "data" => {
            let (kind, name) = (format!("data.{}", label(0)), label(1));
            resources.push(Resource { kind, name, place, body: &block.body });
        }
        // of the provider, of modules and of what is printed nothing is an edge's
        _ => {}
    }
}

/// The zones by what refers to them, each with its name.
fn zones(resources: &[Resource<'_>], values: &Values<'_>) -> Vec<(String, String)> {
    let is_zone =
        |resource: &&Resource<'_>| matches!(resource.kind.as_str(), "cloudflare_zone" | "data.cloudflare_zone");
    let name = |resource: &Resource<'_>| {
        let table = body(resource.body, values);
        let name = ["zone", "name"].into_iter().find_map(|key| table.get(key)?.as_str().map(str::to_owned));
        let filtered = || table.get("filter")?.get("name")?.as_str().map(str::to_owned);
        Some((format!("{}.{}", resource.kind, resource.name), name.or_else(filtered)?))
    };
    resources.iter().filter(is_zone).filter_map(name).collect()
}

/// Which zone a resource says it belongs to.
fn zone_of(resource: &Resource<'_>, values: &Values<'_>, zones: &[(String, String)]) -> Option<String> {
    let zone = value(&resource.body.get_attribute("zone_id")?.value, values, DEEPEST);
    let text = zone.as_str()?;
    let known = zones.iter().map(|(reference, _)| reference).find(|reference| {
        text.strip_prefix("${").is_some_and(|text| {
            text.strip_prefix(reference.as_str()).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
        })
    });
    known.cloned()
}

fn translate(resource: &Resource<'_>, values: &Values<'_>, read: &mut Read, draft: &mut Draft) {
    let Resource { kind, name, place, body: written } = resource;
    let what = format!("{kind}.{name}");
    if ["count", "for_each"].iter().any(|key| written.has_attribute(key)) {
        return draft.leave(place, what, "how many of it there are is known only once Terraform runs");
    }
    if has_dynamic(written) {
        return draft.leave(place, what, "it has `dynamic` blocks, which are known only once Terraform runs");
    }
    let mut table = body(written, values);
    if let Some(unknown) = unresolved(&table) {
        return draft.leave(place, what, format!("`{unknown}` is known only once Terraform runs"));
    }
    table.shift_remove("zone_id");
    table.shift_remove("account_id");
    match kind.as_str() {
        "cloudflare_zone" | "data.cloudflare_zone" => {}
        "cloudflare_record" | "cloudflare_dns_record" => {
            if let Some(content) = table.shift_remove("value") {
                table.entry("content").or_insert(content);
            }
            read.record(place, &table);
        }
        "cloudflare_zone_settings_override" => {
            let settings = table.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
            settings.iter().for_each(|(id, value)| read.setting(place, id, Some(value)));
        }
        "cloudflare_zone_setting" => {
            let id = table.get("setting_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            read.setting(place, &id, table.get("value"));
        }
        "cloudflare_ruleset" => {
            for rule in table.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
                modern(rule);
            }
            read.ruleset(place, &table, draft);
        }
        "cloudflare_list" => {
            let items = table.shift_remove("item").or_else(|| table.shift_remove("items"));
            if let Some(Value::Array(items)) = items {
                table.insert("items".to_owned(), items.into_iter().map(list_item).collect());
            }
            read.list(place, &table);
        }
        "cloudflare_page_rule" => {
            let target = table.get("target").and_then(Value::as_str).unwrap_or_default().to_owned();
            let actions = table.get("actions").and_then(Value::as_object).cloned().unwrap_or_default();
            read.written_page_rule(place, &target, &table, actions);
        }
        "cloudflare_access_rule" => {
            read.table("access_rules", picked(place, &what, &table, &["mode", "configuration", "notes"]))
        }
        "cloudflare_zone_lockdown" => {
            read.table("lockdowns", picked(place, &what, &table, &["urls", "configurations", "description", "paused"]));
        }
        "cloudflare_user_agent_blocking_rule" => {
            read.table(
                "user_agent_rules",
                picked(place, &what, &table, &["mode", "configuration", "description", "paused"]),
            );
        }
        kind if kind.starts_with("cloudflare_") => draft.leave(place, what, "this edge has nothing of the kind"),
        // of another provider
        _ => {}
    }
}

fn picked(place: &str, what: &str, table: &Map<String, Value>, keys: &[&str]) -> Item {
    let of = |key: &&str| Some(((*key).to_owned(), table.get(*key)?.clone()));
    Item { place: place.to_owned(), what: what.to_owned(), keys: keys.iter().filter_map(of).collect() }
}

/// A rule of version 4 of the provider as the API has it.
fn modern(rule: &mut Value) {
    let Some(parameters) = rule.get_mut("action_parameters").and_then(Value::as_object_mut) else { return };
    if let Some(Value::Array(headers)) = parameters.get("headers") {
        let named = |header: &Value| {
            let mut header = header.as_object()?.clone();
            let name = header.shift_remove("name")?.as_str()?.to_owned();
            Some((name, Value::Object(header)))
        };
        let headers: Map<String, Value> = headers.iter().filter_map(named).collect();
        parameters.insert("headers".to_owned(), Value::Object(headers));
    }
    for key in ["request_fields", "response_fields", "cookie_fields"] {
        for field in parameters.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::String(name) = field {
                *field = Value::Object(Map::from_iter([("name".to_owned(), Value::from(name.as_str()))]));
            }
        }
    }
}

/// An item of a list: in version 4 it stands in `value`, and truth values of redirects are words.
fn list_item(item: Value) -> Value {
    let mut item = item.get("value").cloned().unwrap_or(item);
    for flag in item.get_mut("redirect").and_then(Value::as_object_mut).into_iter().flat_map(|of| of.values_mut()) {
        match flag.as_str() {
            Some("enabled") => *flag = Value::Bool(true),
            Some("disabled") => *flag = Value::Bool(false),
            _ => {}
        }
    }
    item
}

/// Whether something in it is made by `dynamic`.
fn has_dynamic(body: &Body) -> bool {
    body.blocks().any(|block| block.ident.as_str() == "dynamic" || has_dynamic(&block.body))
}

/// The first reference that could not be followed, other than to which zone or account something belongs.
fn unresolved(table: &Map<String, Value>) -> Option<String> {
    fn of(value: &Value) -> Option<String> {
        match value {
            // expressions have no `${` but in replacements, where a number follows
            Value::String(text) => text.match_indices("${").find_map(|(at, _)| {
                let inner = text.get(at + 2..)?.split('}').next()?;
                (!inner.chars().all(|c| c.is_ascii_digit())).then(|| inner.to_owned())
            }),
            Value::Array(values) => values.iter().find_map(of),
            Value::Object(table) => table.values().find_map(of),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    table
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "zone_id" | "account_id" | "depends_on"))
        .find_map(|(_, value)| of(value))
}

/// A body as the API's objects are.
fn body(body: &Body, values: &Values<'_>) -> Map<String, Value> {
    let mut table = Map::new();
    for attribute in body.attributes() {
        table.insert(attribute.key.as_str().to_owned(), value(&attribute.value, values, DEEPEST));
    }
    for block in body.blocks() {
        let name = block.ident.as_str();
        let inner = Value::Object(self::body(&block.body, values));
        match table.get_mut(name) {
            Some(Value::Array(several)) => several.push(inner),
            Some(one) => *one = Value::Array(vec![one.take(), inner]),
            None if SEVERAL.contains(&name) => {
                table.insert(name.to_owned(), Value::Array(vec![inner]));
            }
            None => {
                table.insert(name.to_owned(), inner);
            }
        }
    }
    table
}

/// A value. A reference that cannot be followed becomes `${…}`.
fn value(expression: &Expression, values: &Values<'_>, depth: usize) -> Value {
    let Some(deeper) = depth.checked_sub(1) else { return Value::from("${…}") };
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(flag) => Value::Bool(*flag.value()),
        Expression::Number(number) => number_of(number.value()),
        Expression::String(text) => Value::from(text.as_str()),
        Expression::Array(array) => array.iter().map(|item| value(item, values, deeper)).collect(),
        Expression::Object(object) => {
            let entry = |(key, of): (&hcl_edit::expr::ObjectKey, &hcl_edit::expr::ObjectValue)| {
                let key = match key {
                    hcl_edit::expr::ObjectKey::Ident(name) => name.as_str().to_owned(),
                    hcl_edit::expr::ObjectKey::Expression(key) => plain(&value(key, values, deeper)),
                };
                (key, value(of.expr(), values, deeper))
            };
            Value::Object(object.iter().map(entry).collect())
        }
        Expression::StringTemplate(template) => template_text(template.iter(), values, deeper),
        Expression::HeredocTemplate(heredoc) => {
            let text = template_text(heredoc.template.iter(), values, deeper);
            Value::from(plain(&text).trim_end_matches('\n'))
        }
        Expression::Parenthesis(inner) => value(inner.inner(), values, deeper),
        Expression::Variable(name) => Value::from(format!("${{{}}}", name.as_str())),
        Expression::Traversal(traversal) => reference(traversal, &expression.to_string(), values, deeper),
        Expression::UnaryOp(_)
        | Expression::Conditional(_)
        | Expression::FuncCall(_)
        | Expression::BinaryOp(_)
        | Expression::ForExpr(_) => Value::from(format!("${{{}}}", expression.to_string().trim())),
    }
}

fn number_of(number: &hcl_edit::Number) -> Value {
    let whole = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    whole.or_else(|| number.as_f64().map(Value::from)).unwrap_or_default()
}

/// `var.name`, `local.name`, and entries of what they stand for.
fn reference(traversal: &Traversal, written: &str, values: &Values<'_>, depth: usize) -> Value {
    let unknown = || Value::from(format!("${{{}}}", written.trim()));
    let Expression::Variable(root) = &traversal.expr else { return unknown() };
    let mut steps = traversal.operators.iter().map(|operator| match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
        TraversalOperator::Index(index) => Some(plain(&value(index, values, depth))),
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) | TraversalOperator::LegacyIndex(_) => None,
    });
    let Some(Some(name)) = steps.next() else { return unknown() };
    let Some(found) = values.get(&format!("{}.{name}", root.as_str())) else { return unknown() };
    let mut found = value(found, values, depth);
    for step in steps {
        let next = step.and_then(|step| match &found {
            Value::Object(table) => table.get(&step).cloned(),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?).cloned(),
            _ => None,
        });
        let Some(next) = next else { return unknown() };
        found = next;
    }
    found
}

fn template_text<'a>(elements: impl Iterator<Item = &'a Element>, values: &Values<'_>, depth: usize) -> Value {
    let mut text = String::new();
    for element in elements {
        match element {
            Element::Literal(literal) => text += literal.as_str(),
            Element::Interpolation(inner) => text += &plain(&value(&inner.expr, values, depth)),
            Element::Directive(_) => text += "${a directive}",
        }
    }
    Value::from(text)
}

/// A scalar as a template puts it in.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}
