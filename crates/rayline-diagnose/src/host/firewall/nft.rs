//! Rules as `nft -j list ruleset` prints them (libnftables-json(5)).

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::rules::{Chain, Family, Match, Rule, Ruleset, Then};

/// Sets and maps by table and name.
type Sets = BTreeMap<(String, String), Vec<Value>>;

/// Reads a ruleset; what does not look like one is none. Tables that `iptables` keeps there are left out where it
/// printed them itself: it knows its own matches better.
pub(super) fn parse(text: &str, is_without_iptables: bool) -> Ruleset {
    let mut rules = Ruleset::default();
    let Ok(whole) = serde_json::from_str::<Value>(text) else { return rules };
    let objects: Vec<(&String, &Value)> = whole
        .get("nftables")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flatten()
        .collect();
    let mut sets = Sets::new();
    for (_, set) in objects.iter().filter(|(kind, _)| matches!(kind.as_str(), "set" | "map")) {
        let elements = set.get("elem").and_then(Value::as_array).cloned().unwrap_or_default();
        sets.insert((table_of(set), word(set, "name")), elements);
    }
    for (_, chain) in objects.iter().filter(|(kind, _)| *kind == "chain") {
        if is_without_iptables && is_of_iptables(chain) {
            continue;
        }
        let is_way_in = matches!(word(chain, "hook").as_str(), "input" | "prerouting" | "ingress")
            && word(chain, "type") == "filter";
        rules.chains.push(Chain {
            table: table_of(chain),
            name: word(chain, "name"),
            family: match word(chain, "family").as_str() {
                "ip" => Family::V4,
                "ip6" => Family::V6,
                _ => Family::Both,
            },
            policy_drops: is_way_in.then(|| word(chain, "policy") == "drop"),
            rules: Vec::new(),
        });
    }
    for (_, rule) in objects.iter().filter(|(kind, _)| *kind == "rule") {
        let (table, name) = (table_of(rule), word(rule, "chain"));
        if let Some(chain) = rules.chains.iter_mut().find(|chain| chain.table == table && chain.name == name) {
            chain.rules.extend(read(rule, &table, &sets));
        }
    }
    rules
}

/// The rules that one line is: a verdict map is several.
fn read(rule: &Value, table: &str, sets: &Sets) -> Vec<Rule> {
    let mut when = Vec::new();
    let mut out = Vec::new();
    let text = format!("{table} {}: {}", word(rule, "chain"), in_words(rule));
    let mut push = |when: &[Match], then: Then| out.push(Rule { when: when.to_vec(), then, text: text.clone() });
    for expression in rule.get("expr").and_then(Value::as_array).into_iter().flatten() {
        let Some((kind, value)) = expression.as_object().and_then(|object| object.iter().next()) else { continue };
        match kind.as_str() {
            "match" => when.push(asked(value, table, sets)),
            "vmap" => {
                let key = value.get("key").unwrap_or(&Value::Null);
                let pairs = elements(value.get("data").unwrap_or(&Value::Null), table, sets);
                for pair in pairs.iter().filter_map(Value::as_array) {
                    if let [element, verdict] = pair.as_slice() {
                        let mut when = when.clone();
                        when.push(compared(key, std::slice::from_ref(element), false));
                        push(&when, then(verdict));
                    }
                }
            }
            "limit" | "quota" | "connlimit" | "ct count" | "xt" | "socket" | "fib" | "meter" => {
                when.push(Match::Unknown)
            }
            "set" if value.get("op").and_then(Value::as_str) == Some("update") => {}
            _ => {
                let then = then(expression);
                if then != Then::Continue {
                    push(&when, then);
                }
            }
        }
    }
    out
}

/// What an expression does; most do nothing that decides.
fn then(verdict: &Value) -> Then {
    let kind = verdict.as_object().and_then(|object| object.iter().next());
    match kind.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("accept", _)) => Then::Accept,
        Some(("drop", _)) => Then::Drop,
        Some(("reject", _)) => Then::Reject,
        Some(("return", _)) => Then::Return,
        Some(("jump", value)) => Then::Jump(word(value, "target")),
        Some(("goto", value)) => Then::Goto(word(value, "target")),
        _ => Then::Continue,
    }
}

fn asked(value: &Value, table: &str, sets: &Sets) -> Match {
    let left = value.get("left").unwrap_or(&Value::Null);
    let right = elements(value.get("right").unwrap_or(&Value::Null), table, sets);
    compared(left, &right, word(value, "op") == "!=")
}

/// Whether what `left` stands for is one of `right`.
fn compared(left: &Value, right: &[Value], is_not: bool) -> Match {
    let texts: Vec<&str> = right.iter().filter_map(Value::as_str).collect();
    if let Some(payload) = left.get("payload") {
        return match (word(payload, "protocol").as_str(), word(payload, "field").as_str()) {
            ("ip" | "ip6", "saddr") => {
                // A set that cannot be read whole could be anything.
                let nets: Option<Vec<Vec<IpNet>>> = right.iter().map(nets).collect();
                nets.map_or(Match::Unknown, |nets| Match::Source { nets: nets.concat(), is_not })
            }
            ("tcp" | "th", "dport") => {
                let ranges: Option<Vec<(u16, u16)>> = right.iter().map(range).collect();
                ranges.map_or(Match::Unknown, |ranges| Match::Port { ranges, is_not })
            }
            ("udp" | "icmp" | "icmpv6" | "sctp" | "dccp", _) => Match::Known(false),
            ("ip", "protocol") | ("ip6", "nexthdr") => Match::Known(texts.contains(&"tcp") != is_not),
            _ => Match::Unknown,
        };
    }
    if left.get("ct").is_some_and(|tracked| word(tracked, "key") == "state") {
        return Match::Known(texts.contains(&"new") != is_not);
    }
    if let Some(meta) = left.get("meta") {
        return match word(meta, "key").as_str() {
            "l4proto" => Match::Known(texts.contains(&"tcp") != is_not),
            "iifname" | "iif" if texts == ["lo"] => Match::Known(is_not),
            "nfproto" if texts == ["ipv4"] || texts == ["ipv6"] => {
                let all = if (texts == ["ipv4"]) == is_not { "::/0" } else { "0.0.0.0/0" };
                Match::Source { nets: net(all).into_iter().collect(), is_not: false }
            }
            _ => Match::Unknown,
        };
    }
    Match::Unknown
}

/// The elements of a set, named or written out; of anything else itself.
fn elements(value: &Value, table: &str, sets: &Sets) -> Vec<Value> {
    if let Some(name) = value.as_str().and_then(|text| text.strip_prefix('@')) {
        let unknown = || vec![Value::Null];
        return sets.get(&(table.to_owned(), name.to_owned())).cloned().unwrap_or_else(unknown);
    }
    match (value.get("set"), value) {
        (Some(Value::Array(elements)), _) | (None, Value::Array(elements)) => elements.clone(),
        (Some(one), _) => vec![one.clone()],
        (None, one) => vec![one.clone()],
    }
}

/// The networks of an element: an address, a prefix, a range; with a timer around it or without.
fn nets(element: &Value) -> Option<Vec<IpNet>> {
    if let Some(text) = element.as_str() {
        return Some(vec![net(text)?]);
    }
    if let Some(prefix) = element.get("prefix") {
        return Some(vec![net(&format!("{}/{}", word(prefix, "addr"), prefix.get("len")?.as_u64()?))?]);
    }
    if let Some(Value::Array(ends)) = element.get("range") {
        let [from, to] = ends.as_slice() else { return None };
        return match (from.as_str()?.parse().ok()?, to.as_str()?.parse().ok()?) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Some(ipnet::Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect()),
            (IpAddr::V6(from), IpAddr::V6(to)) => Some(ipnet::Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect()),
            _ => None,
        };
    }
    nets(element.get("elem")?.get("val")?)
}

fn range(element: &Value) -> Option<(u16, u16)> {
    let port = |value: &Value| match value {
        Value::String(name) if name == "http" => Some(80),
        Value::String(name) if name == "https" => Some(443),
        value => value.as_u64().and_then(|port| u16::try_from(port).ok()),
    };
    if let Some(Value::Array(ends)) = element.get("range") {
        let [from, to] = ends.as_slice() else { return None };
        return Some((port(from)?, port(to)?));
    }
    if let Some(inner) = element.get("elem").and_then(|element| element.get("val")) {
        return range(inner);
    }
    port(element).map(|port| (port, port))
}

/// A network, or an address as one.
pub(super) fn net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether a chain is one that `iptables` keeps.
fn is_of_iptables(chain: &Value) -> bool {
    matches!(word(chain, "family").as_str(), "ip" | "ip6")
        && matches!(word(chain, "table").as_str(), "filter" | "nat" | "mangle" | "raw" | "security")
}

fn table_of(object: &Value) -> String {
    format!("nft {} {}", word(object, "family"), word(object, "table"))
}

fn word(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A rule for people: its comment if it has one, or what it is made of.
fn in_words(rule: &Value) -> String {
    let comment = word(rule, "comment");
    let expressions: Vec<String> = rule
        .get("expr")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(expression_in_words)
        .filter(|text| !text.is_empty())
        .collect();
    let text: String = expressions.join(" ").chars().take(240).collect();
    if comment.is_empty() { text } else { format!("{text} (\"{comment}\")") }
}

fn expression_in_words(expression: &Value) -> String {
    let Some((kind, value)) = expression.as_object().and_then(|object| object.iter().next()) else {
        return String::new();
    };
    match kind.as_str() {
        "match" => {
            let left = value.get("left").unwrap_or(&Value::Null);
            let inner = left.as_object().and_then(|object| object.iter().next());
            let what = inner.map_or_else(String::new, |(kind, value)| match kind.as_str() {
                "payload" => format!("{} {}", word(value, "protocol"), word(value, "field")),
                kind => format!("{kind} {}", word(value, "key")),
            });
            let not = if word(value, "op") == "!=" { "!= " } else { "" };
            format!("{} {not}{}", what.trim(), in_short(value.get("right").unwrap_or(&Value::Null)))
        }
        "jump" | "goto" => format!("{kind} {}", word(value, "target")),
        "counter" => String::new(),
        kind => kind.to_owned(),
    }
}

fn in_short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(in_short).collect::<Vec<_>>().join(","),
        Value::Object(object) => match object.iter().next() {
            Some((kind, inner)) if kind == "set" => format!("{{ {} }}", in_short(inner)),
            Some((kind, inner)) if kind == "prefix" => {
                format!("{}/{}", word(inner, "addr"), inner.get("len").unwrap_or(&Value::Null))
            }
            Some((kind, Value::Array(ends))) if kind == "range" => {
                ends.iter().map(in_short).collect::<Vec<_>>().join("-")
            }
            Some((_, inner)) => in_short(inner),
            None => String::new(),
        },
        other => other.to_string(),
    }
}
