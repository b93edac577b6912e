//! Cloudflare's API: answers of GET requests, or an export of them, each told by its shape.

use serde_json::{Map, Value, json};

use super::ImportText;
use super::draft::{Draft, Item};

/// How deep an export may be nested before its parts are taken for what they are.
const DEEPEST: usize = 6;

/// What was read, until the zone's name is known.
#[derive(Debug, Default)]
pub(super) struct Read {
    zone: Option<String>,
    settings: Vec<(String, String, Value)>,
    records: Vec<Item>,
    tables: Vec<(&'static str, Item)>,
    rules: Vec<(String, Item)>,
    lists: Vec<Item>,
    /// Items of lists that came apart from them: the name of their text, and they.
    items: Vec<(String, Vec<Value>)>,
}

pub(super) fn read(texts: &[ImportText], draft: &mut Draft) {
    let mut read = Read::default();
    for text in texts {
        match serde_json::from_str::<Value>(&text.text) {
            Ok(value) => read.any(&text.name, &value, DEEPEST, draft),
            Err(error) => draft.leave(&text.name, "the text", format!("it is no JSON: {error}")),
        }
    }
    read.into_draft("cloudflare", draft);
}

impl Read {
    pub(super) fn of_zone(zone: Option<String>) -> Self {
        Self { zone, ..Self::default() }
    }

    /// Whatever it is.
    fn any(&mut self, place: &str, value: &Value, depth: usize, draft: &mut Draft) {
        let Some(deeper) = depth.checked_sub(1) else {
            return draft.leave(place, "the text", "it is nested too deeply");
        };
        match value {
            Value::Array(values) => {
                let is_item = |value: &Value| is_list_item(value);
                if !values.is_empty() && values.iter().all(is_item) {
                    self.items.push((place.to_owned(), values.clone()));
                    return;
                }
                for (index, value) in values.iter().enumerate() {
                    self.any(&format!("{place}[{index}]"), value, deeper, draft);
                }
            }
            Value::Object(table) => self.object(place, table, deeper, draft),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, place: &str, table: &Map<String, Value>, depth: usize, draft: &mut Draft) {
        let has = |key: &str| table.contains_key(key);
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        if has("phase") && (has("rules") || has("kind")) {
            self.ruleset(place, table, draft);
        } else if has("targets") && has("actions") {
            self.page_rule(place, table, draft);
        } else if has("urls") && has("configurations") {
            self.tables.push((
                "lockdowns",
                item(place, "zone lockdown rule", table, &["id", "urls", "configurations", "description", "paused"]),
            ));
        } else if has("configuration") && has("mode") {
            let is_agent =
                table.get("configuration").and_then(|of| of.get("target")).and_then(Value::as_str) == Some("ua");
            let (key, what, keys): (_, _, &[&str]) = if is_agent {
                ("user_agent_rules", "user agent rule", &["id", "mode", "configuration", "description", "paused"])
            } else {
                ("access_rules", "IP access rule", &["id", "mode", "configuration", "notes"])
            };
            self.tables.push((key, item(place, what, table, keys)));
        } else if has("type") && has("name") && (has("content") || has("data")) {
            self.record(place, table);
        } else if matches!(text("kind"), Some("ip" | "redirect" | "hostname" | "asn")) && has("name") {
            self.list(place, table);
        } else if has("id") && has("value") && table.len() <= 6 {
            self.setting(place, text("id").unwrap_or_default(), table.get("value"));
        } else if has("name_servers") && has("name") {
            self.zone = text("name").map(str::to_owned);
        } else if has("success") && has("result") {
            let result = table.get("result").unwrap_or(&Value::Null);
            self.any(place, result, depth, draft);
        } else {
            for (key, value) in table {
                match value {
                    Value::Array(_) | Value::Object(_) => self.any(&format!("{place}.{key}"), value, depth, draft),
                    // an export that names the zone at its top
                    Value::String(name) if matches!(key.as_str(), "zone" | "zone_name") => {
                        self.zone = Some(name.clone())
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
    }

    /// A setting. Those that are off, and what they are without being set, say nothing here.
    pub(super) fn setting(&mut self, place: &str, id: &str, value: Option<&Value>) {
        let says_nothing = match value {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => match id {
                "always_use_https" | "browser_check" | "hotlink_protection" => false,
                "cache_level" => text == "aggressive",
                "security_level" => matches!(text.as_str(), "medium" | "essentially_off" | "off"),
                "tls_1_3"
                | "ipv6"
                | "brotli"
                | "http3"
                | "opportunistic_encryption"
                | "privacy_pass"
                | "automatic_https_rewrites"
                | "email_obfuscation"
                | "server_side_exclude"
                | "response_buffering"
                | "always_online"
                | "h2_prioritization"
                | "rocket_loader"
                | "mirage"
                | "polish"
                | "cname_flattening"
                | "0rtt"
                | "websockets"
                | "ip_geolocation"
                | "http2" => {
                    matches!(text.as_str(), "off" | "flatten_at_root")
                        && !matches!(id, "websockets" | "ip_geolocation" | "http2")
                }
                "pseudo_ipv4" | "image_resizing" | "advanced_ddos" | "waf" | "development_mode" => text == "off",
                _ => text == "off" && !matches!(id, "ssl" | "tls_client_auth"),
            },
            Some(Value::Number(number)) => {
                (id == "browser_cache_ttl" && number.as_u64() == Some(14_400))
                    || (id == "edge_cache_ttl" && number.as_u64() == Some(7200))
            }
            Some(Value::Array(values)) => values.is_empty(),
            Some(Value::Object(_)) => matches!(id, "minify" | "mobile_redirect" | "nel" | "aegis"),
            Some(Value::Bool(_)) => false,
        };
        if !says_nothing {
            let value = value.cloned().unwrap_or_default();
            self.settings.push((place.to_owned(), id.to_owned(), value));
        }
    }

    pub(super) fn record(&mut self, place: &str, table: &Map<String, Value>) {
        if let Some(zone) = table.get("zone_name").and_then(Value::as_str) {
            self.zone.get_or_insert_with(|| zone.to_owned());
        }
        let mut record = item(place, "DNS record", table, &["type", "name", "content", "proxied", "comment"]);
        let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default();
        record.what = format!("DNS record `{} {}`", text("type"), text("name"));
        // the API's default is the opposite of ours
        record.keys.entry("proxied").or_insert(Value::Bool(false));
        self.records.push(record);
    }

    pub(super) fn ruleset(&mut self, place: &str, table: &Map<String, Value>, draft: &mut Draft) {
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        if text("kind") == Some("managed") {
            // it is Cloudflare's own, and there whether anybody runs it or not
            return;
        }
        let phase = text("phase").unwrap_or_default();
        let rules = table.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, rule) in rules.iter().enumerate() {
            let place = format!("{place}.rules[{index}]");
            let Some(rule) = rule.as_object() else {
                draft.leave(&place, "a rule", "it is no object");
                continue;
            };
            let name = rule.get("description").and_then(Value::as_str).filter(|text| !text.is_empty());
            let mut translated = item(
                &place,
                &name.map_or_else(|| format!("rule of `{phase}`"), |name| format!("rule `{name}`")),
                rule,
                &[
                    "id",
                    "ref",
                    "description",
                    "expression",
                    "action",
                    "action_parameters",
                    "enabled",
                    "logging",
                    "ratelimit",
                ],
            );
            managed(&mut translated, draft);
            own_shapes(&mut translated.keys);
            self.rules.push((phase.to_owned(), translated));
        }
    }

    pub(super) fn page_rule(&mut self, place: &str, table: &Map<String, Value>, draft: &mut Draft) {
        let targets = table.get("targets").and_then(Value::as_array);
        let target = targets
            .and_then(|targets| targets.first())
            .and_then(|target| target.pointer("/constraint/value"))
            .or_else(|| table.get("target"));
        let Some(target) = target.and_then(Value::as_str) else {
            return draft.leave(place, "Page Rule", "it has no target");
        };
        let mut actions = Map::new();
        for action in table.get("actions").and_then(Value::as_array).into_iter().flatten() {
            let value = action.get("value").filter(|value| !value.is_null()).cloned();
            if let Some(id) = action.get("id").and_then(Value::as_str) {
                actions.insert(id.to_owned(), value.unwrap_or(Value::Bool(true)));
            }
        }
        self.written_page_rule(place, target, table, actions);
    }

    /// A Page Rule whose actions are a table.
    pub(super) fn written_page_rule(
        &mut self,
        place: &str,
        target: &str,
        table: &Map<String, Value>,
        actions: Map<String, Value>,
    ) {
        let mut rule = item(place, &format!("Page Rule `{target}`"), table, &["id", "priority", "status"]);
        rule.keys.insert("target".to_owned(), Value::from(target));
        rule.keys.insert("actions".to_owned(), Value::Object(actions));
        self.tables.push(("page_rules", rule));
    }

    pub(super) fn table(&mut self, key: &'static str, item: Item) {
        self.tables.push((key, item));
    }

    pub(super) fn list(&mut self, place: &str, table: &Map<String, Value>) {
        let name = table.get("name").and_then(Value::as_str).unwrap_or_default();
        self.lists.push(item(place, &format!("list `{name}`"), table, &["id", "name", "kind", "description", "items"]));
    }

    /// Puts all of it into the draft. `from` is what a zone without a name is called after.
    pub(super) fn into_draft(mut self, from: &str, draft: &mut Draft) {
        for (name, items) in std::mem::take(&mut self.items) {
            let of = self.lists.iter_mut().find(|list| {
                let is_named = |key: &str| {
                    let text = list.keys.get(key).and_then(Value::as_str).unwrap_or_default();
                    !text.is_empty() && name.contains(text)
                };
                is_named("id") || is_named("name")
            });
            match of {
                Some(list) => {
                    list.keys.insert("items".to_owned(), Value::Array(items));
                }
                None => draft.leave(&name, "items of a list", "no list has its name or id in the name of this text"),
            }
        }
        for mut list in self.lists {
            list.keys.shift_remove("id");
            let is_redirect = list.keys.get("kind").and_then(Value::as_str) == Some("redirect");
            let items = list.keys.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let items = items.iter().filter_map(|item| list_item(item, is_redirect)).collect();
            list.keys.insert("items".to_owned(), Value::Array(items));
            if is_redirect {
                list.keys.shift_remove("kind");
                draft.redirect_lists.push(list);
            } else {
                draft.lists.push(list);
            }
        }
        let is_empty =
            self.settings.is_empty() && self.records.is_empty() && self.tables.is_empty() && self.rules.is_empty();
        if is_empty && self.zone.is_none() {
            return;
        }
        let name = self.zone.clone().or_else(|| common_name(&self.records)).unwrap_or_else(|| {
            draft.leave(from, "the zone's name", "it stands nowhere: `example.com` was written in its place");
            "example.com".to_owned()
        });
        let zone = draft.zone(&name);
        self.settings.into_iter().for_each(|(place, id, value)| zone.setting(&place, &id, value));
        self.records.into_iter().for_each(|record| zone.table("dns_records", record));
        self.tables.into_iter().for_each(|(key, item)| zone.table(key, item));
        self.rules.into_iter().for_each(|(phase, rule)| zone.rule(&phase, rule));
    }
}

/// Those of an object's keys that there are here.
fn item(place: &str, what: &str, table: &Map<String, Value>, keys: &[&str]) -> Item {
    let is_note = |key: &str| matches!(key, "description" | "notes" | "comment");
    let says_nothing = |key: &str, value: &Value| is_note(key) && value.as_str() == Some("");
    let written = keys.iter().filter_map(|key| {
        let value = without_nulls(table.get(*key)?).filter(|value| !says_nothing(key, value))?;
        Some(((*key).to_owned(), value))
    });
    Item { place: place.to_owned(), what: what.to_owned(), keys: written.collect() }
}

/// The same without what is `null`, which stands for what was not written.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(values) => Some(Value::Array(values.iter().filter_map(without_nulls).collect())),
        Value::Object(table) => {
            let entries = table.iter().filter_map(|(key, value)| Some((key.clone(), without_nulls(value)?)));
            Some(Value::Object(entries.collect()))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// Cloudflare's managed rules are theirs: this edge's stand in for them, and that is said.
fn managed(rule: &mut Item, draft: &mut Draft) {
    if rule.keys.get("action").and_then(Value::as_str) != Some("execute") {
        return;
    }
    let action = rule.keys.get("action_parameters").and_then(|parameters| parameters.pointer("/overrides/action"));
    let overrides = action.map(|action| json!({ "action": action }));
    draft.leave(
        &rule.place,
        &rule.what,
        "Cloudflare's managed rules are not here: `rayline-managed`, the rules of this edge, stand in for them without the changes made to single rules",
    );
    let mut parameters = json!({ "id": "rayline-managed" });
    if let (Some(overrides), Some(table)) = (overrides, parameters.as_object_mut()) {
        table.insert("overrides".to_owned(), overrides);
    }
    rule.keys.insert("action_parameters".to_owned(), parameters);
}

/// Where the API writes in another shape what means the same.
fn own_shapes(rule: &mut Map<String, Value>) {
    // the reference is the id unless somebody wrote one
    if rule.contains_key("id") {
        rule.shift_remove("ref");
    }
}

fn is_list_item(value: &Value) -> bool {
    let is_of = |key: &str| value.get(key).is_some();
    (is_of("ip") || is_of("redirect") || is_of("asn") || is_of("hostname")) && !is_of("type") && !is_of("phase")
}

/// An item as lists here have it: a text, or the keys of a redirect.
fn list_item(item: &Value, is_redirect: bool) -> Option<Value> {
    if is_redirect {
        return Some(item.get("redirect").unwrap_or(item)).and_then(without_nulls);
    }
    let value = ["ip", "hostname", "asn"].into_iter().find_map(|key| item.get(key)).unwrap_or(item);
    Some(match value {
        Value::Number(number) => Value::from(number.to_string()),
        Value::Object(host) => host.get("url_hostname")?.clone(),
        value => value.clone(),
    })
}

/// The shortest name of records that all others end in.
fn common_name(records: &[Item]) -> Option<String> {
    let names = || records.iter().filter_map(|record| record.keys.get("name").and_then(Value::as_str));
    let shortest = names().min_by_key(|name| name.len())?;
    let is_above = |name: &str| name == shortest || name.ends_with(&format!(".{shortest}"));
    (shortest.contains('.') && names().all(is_above)).then(|| shortest.to_owned())
}
