//! What nginx and Caddy have in common: sites by host name, with origins, conditions and texts that are put together.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::draft::{Draft, Item};

/// An upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_https: bool,
    /// What stands behind host and port, with its `/`; empty if nothing does.
    pub(super) path: String,
}

impl Origin {
    /// `http://host:port/path`, or without scheme.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_https, rest) = match text.split_once("://") {
            Some(("http" | "h2c", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => return None,
            None => (false, text),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.starts_with("unix") || authority.contains(['$', '{', '*', '@']) {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if is_https { 443 } else { 80 }),
        };
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        // a name of this machine alone
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        Some(Self { host: host.to_owned(), port, is_https, path: path.to_owned() })
    }

    fn record(&self, name: &str) -> Map<String, Value> {
        let kind = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => "A",
            Ok(IpAddr::V6(_)) => "AAAA",
            Err(_) => "CNAME",
        };
        let entries = [("type", kind), ("name", name), ("content", &self.host)];
        entries.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
    }
}

/// The sites of a text on their way: which zone a name belongs to, and what its zone's origins have in common.
#[derive(Debug, Default)]
pub(super) struct Sites {
    zones: BTreeMap<String, String>,
    /// Scheme and port of the origins that a zone's settings are for.
    origins: HashMap<String, (bool, u16)>,
}

impl Sites {
    /// Sorts names into zones: names below another belong to its zone, `www.` to what follows it.
    pub(super) fn new(names: &[String]) -> Self {
        let bare = |name: &str| {
            let name = name.strip_prefix("*.").unwrap_or(name);
            name.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(name).to_owned()
        };
        let mut apexes: Vec<String> = names.iter().map(|name| bare(name)).collect();
        apexes.sort_by_key(String::len);
        let zone = |name: &String| {
            let own = bare(name);
            let apex = apexes.iter().find(|apex| own == **apex || own.ends_with(&format!(".{apex}")));
            (name.clone(), apex.cloned().unwrap_or(own))
        };
        Self { zones: names.iter().map(zone).collect(), ..Self::default() }
    }

    /// The zone of a name that was sorted in.
    pub(super) fn zone(&self, name: &str) -> String {
        self.zones.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// Names by their zone.
    pub(super) fn by_zone<'n>(&self, names: &'n [String]) -> Vec<(String, Vec<&'n str>)> {
        let mut zones: Vec<(String, Vec<&str>)> = Vec::new();
        for name in names {
            let zone = self.zone(name);
            match zones.iter_mut().find(|(of, _)| *of == zone) {
                Some((_, names)) => names.push(name),
                None => zones.push((zone, vec![name])),
            }
        }
        zones
    }

    /// The origins of whole sites: records, and how they are reached. Several are tried one after the other.
    pub(super) fn main_origin(&mut self, place: &str, names: &[String], origins: &[Origin], draft: &mut Draft) {
        let Some(first) = origins.first() else { return };
        for (zone_name, names) in self.by_zone(names) {
            for name in &names {
                for origin in origins {
                    let is_there = draft.zone(&zone_name).records().any(|item| {
                        item.keys.get("name").and_then(Value::as_str) == Some(name)
                            && item.keys.get("content").and_then(Value::as_str) == Some(&origin.host)
                    });
                    if !is_there {
                        let what = format!("origin `{}` of `{name}`", origin.host);
                        let record = Item { place: place.to_owned(), what, keys: origin.record(name) };
                        draft.zone(&zone_name).table("dns_records", record);
                    }
                }
            }
            let known = *self.origins.entry(zone_name.clone()).or_insert_with(|| {
                let zone = draft.zone(&zone_name);
                zone.setting(place, "ssl", Value::from(ssl(first.is_https)));
                let (key, usual) = if first.is_https { ("origin_https_port", 443) } else { ("origin_http_port", 80) };
                if first.port != usual {
                    zone.setting(place, key, Value::from(first.port));
                }
                (first.is_https, first.port)
            });
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            self.reach(place, &zone_name, &hosts(&names), first, known, draft);
        }
    }

    /// Once all sites were read: names that only rules answer, as redirects do, are served if they have a record, and
    /// get one that leads nowhere.
    pub(super) fn placeholders(&self, draft: &mut Draft) {
        for (name, zone) in &self.zones {
            let zone = draft.zone(zone);
            if zone.records().any(|item| item.keys.get("name").and_then(Value::as_str) == Some(name.as_str())) {
                continue;
            }
            let keys = json!({
                "type": "AAAA",
                "name": name,
                "content": "100::",
                "comment": "leads nowhere (RFC 6666): rules answer",
            });
            let keys = keys.as_object().cloned().unwrap_or_default();
            zone.table("dns_records", Item { place: name.clone(), what: format!("host `{name}`"), keys });
        }
    }

    /// Other origins for some requests.
    pub(super) fn other_origin(
        &mut self,
        place: &str,
        zone: &str,
        condition: &str,
        origin: &Origin,
        draft: &mut Draft,
    ) {
        let parameters = json!({ "origin": { "host": origin.host, "port": origin.port } });
        draft.zone(zone).rule("http_request_origin", rule(place, condition, "route", parameters));
        let known = self.origins.get(zone).copied();
        if known.is_none_or(|(is_https, _)| is_https != origin.is_https) {
            let parameters = json!({ "ssl": ssl(origin.is_https) });
            draft.zone(zone).rule("http_config_settings", rule(place, condition, "set_config", parameters));
        }
    }

    /// Rules for an origin that is reached otherwise than the zone's settings say.
    fn reach(&self, place: &str, zone: &str, condition: &str, origin: &Origin, known: (bool, u16), draft: &mut Draft) {
        let (is_https, port) = known;
        if is_https != origin.is_https {
            let parameters = json!({ "ssl": ssl(origin.is_https) });
            draft.zone(zone).rule("http_config_settings", rule(place, condition, "set_config", parameters));
        }
        if (is_https, port) != (origin.is_https, origin.port) {
            let parameters = json!({ "origin": { "port": origin.port } });
            draft.zone(zone).rule("http_request_origin", rule(place, condition, "route", parameters));
        }
    }
}

fn ssl(is_https: bool) -> &'static str {
    if is_https { "origin_pull" } else { "flexible" }
}

/// A rule.
pub(super) fn rule(place: &str, condition: &str, action: &str, parameters: Value) -> Item {
    let mut keys = Map::new();
    keys.insert("description".to_owned(), Value::from(place));
    keys.insert("expression".to_owned(), Value::from(condition));
    keys.insert("action".to_owned(), Value::from(action));
    if parameters.as_object().is_some_and(|parameters| !parameters.is_empty()) {
        keys.insert("action_parameters".to_owned(), parameters);
    }
    Item { place: place.to_owned(), what: format!("`{action}` where {condition}"), keys }
}

/// A text as an expression has it.
pub(super) fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A regular expression as an expression has it.
pub(super) fn pattern(text: &str) -> String {
    if text.contains('"') { literal(text) } else { format!("r\"{text}\"") }
}

/// That the host is one of these.
pub(super) fn hosts(names: &[String]) -> String {
    let (wild, exact): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| name.starts_with("*."));
    let mut parts: Vec<String> =
        wild.iter().map(|name| format!("ends_with(http.host, {})", literal(name.trim_start_matches('*')))).collect();
    match exact.as_slice() {
        [] => {}
        [one] => parts.push(format!("http.host eq {}", literal(one))),
        several => {
            let names: Vec<String> = several.iter().map(|name| literal(name)).collect();
            parts.push(format!("http.host in {{{}}}", names.join(" ")));
        }
    }
    match parts.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

/// All of these conditions.
pub(super) fn all(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "true".to_owned() } else { parts.join(" and ") }
}

/// A part of a text that is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// An expression whose value is a text.
    Field(String),
}

/// `{ value = … }` or `{ expression = … }`.
pub(super) fn text_of(parts: &[Part]) -> Value {
    let expressions: Vec<String> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => literal(text),
            Part::Field(field) => field.clone(),
        })
        .collect();
    match parts {
        [] => json!({ "value": "" }),
        [Part::Text(text)] => json!({ "value": text }),
        [Part::Field(field)] => json!({ "expression": field }),
        _ => json!({ "expression": format!("concat({})", expressions.join(", ")) }),
    }
}

/// Texts that follow each other become one.
pub(super) fn push_text(parts: &mut Vec<Part>, more: &str) {
    match parts.last_mut() {
        Some(Part::Text(text)) => *text += more,
        _ if more.is_empty() => {}
        _ => parts.push(Part::Text(more.to_owned())),
    }
}

/// A list of addresses as a set; `None` where one of them is none.
pub(super) fn addresses(list: &[String]) -> Option<String> {
    let is_address = |text: &String| text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok();
    list.iter().all(is_address).then(|| format!("ip.src in {{{}}}", list.join(" ")))
}
