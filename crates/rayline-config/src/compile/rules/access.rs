//! IP access rules, zone lockdown and user agent blocking.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use rayline_rules::networks::number;
use rayline_rules::ruleset::{Access, AccessMode, AccessRule, AccessTarget, Lockdown, UrlPattern, UserAgentRule};

use super::Ids;
use super::kinds::{AccessTargetKind, LockdownTarget, UserAgentMode};
use super::lists::Named;
use crate::document::{At, Fields, shown};

/// What stands before the rules of a zone.
pub(super) fn read(zone: &Fields<'_>, ids: &mut Ids, named: &Named) -> Access {
    let rules = tables(zone, "access_rules", ids);
    let lockdowns = tables(zone, "lockdowns", ids);
    let user_agents = tables(zone, "user_agent_rules", ids);
    let mut rules: Vec<AccessRule> =
        rules.into_iter().filter_map(|(table, id)| access_rule(&table, id, named)).collect();
    // an address that is let in stays in, whatever its network or country ("IP Access rules")
    rules.sort_by_key(|rule| match rule.mode {
        AccessMode::Allow => 0,
        AccessMode::Challenge => 1,
        AccessMode::Block => 2,
    });
    Access {
        rules,
        lockdowns: lockdowns.into_iter().filter_map(|(table, id)| lockdown(&table, id)).flatten().collect(),
        user_agents: user_agents.into_iter().filter_map(|(table, id)| user_agent(&table, id)).flatten().collect(),
    }
}

/// The tables under a key, each with its id.
fn tables<'a>(zone: &Fields<'a>, key: &str, ids: &mut Ids) -> Vec<(Fields<'a>, Arc<str>)> {
    let mut all = Vec::new();
    for table in zone.tables(key) {
        let id = ids.read(&table).unwrap_or_else(|| format!("{key}.{}", all.len() + 1).into());
        all.push((table, id));
    }
    all
}

fn access_rule(fields: &Fields<'_>, id: Arc<str>, named: &Named) -> Option<AccessRule> {
    let _note: Option<String> = fields.optional("notes");
    let mode: Option<AccessMode> = fields.required("mode");
    let configuration = configuration(fields)?;
    let kind: Option<AccessTargetKind> = configuration.required("target");
    let value: Option<At<String>> = configuration.required("value");
    let (kind, value) = (kind?, value?);
    let target = match kind {
        AccessTargetKind::Ip => {
            AccessTarget::Network(address(&value, IpAddr::is_ipv4, "IPv4 address", &configuration)?)
        }
        AccessTargetKind::Ip6 => {
            AccessTarget::Network(address(&value, IpAddr::is_ipv6, "IPv6 address", &configuration)?)
        }
        AccessTargetKind::IpRange => AccessTarget::Network(network(&value, &configuration)?),
        AccessTargetKind::Asn => AccessTarget::Asn(asn(&value, &configuration, named)?),
        AccessTargetKind::Country => AccessTarget::Country(country(&value, &configuration)?),
    };
    Some(AccessRule { id, target, mode: mode? })
}

/// The table `configuration`, which must be there.
fn configuration<'a>(fields: &Fields<'a>) -> Option<Fields<'a>> {
    if fields.written("configuration").is_none() {
        let problem = fields.place.error("`configuration` is missing");
        return fields
            .report
            .refuse(problem.hint("add it, for example `configuration = { target = \"…\", value = \"…\" }`"));
    }
    fields.optional_table("configuration")
}

/// One address that `fits`, as a network of one; `what` it is to be.
fn address(written: &At<String>, fits: fn(&IpAddr) -> bool, what: &str, fields: &Fields<'_>) -> Option<IpNet> {
    match written.value.parse::<IpAddr>() {
        Ok(address) if fits(&address) => Some(address.into()),
        _ => {
            let problem = written.place.error(format!("`{}` is no {what}", shown(&written.value)));
            fields.report.refuse(problem.hint("`target` is `ip` for IPv4, `ip6` for IPv6, `ip_range` for networks"))
        }
    }
}

fn network(written: &At<String>, fields: &Fields<'_>) -> Option<IpNet> {
    match written.value.parse::<IpNet>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => {
            let problem = written.place.error(format!("`{}` is no network", shown(&written.value)));
            fields.report.refuse(problem.hint("write it as `192.0.2.0/24` or `2001:db8::/32`"))
        }
    }
}

/// The number of an autonomous system. Without a table of them nobody would be of any.
fn asn(written: &At<String>, fields: &Fields<'_>, named: &Named) -> Option<u32> {
    let Ok(number) = number(&written.value) else {
        let problem = written.place.error(format!("`{}` is no number of a network", shown(&written.value)));
        return fields.report.refuse(problem.hint("write it as `64496` or `AS64496`"));
    };
    if named.lists.networks().is_none() {
        let problem = written.place.error("this edge does not know who belongs to which network");
        return fields
            .report
            .refuse(problem.hint(
                "name a table of them with `asn_table` in `[server]`, or write the networks, each as `ip_range`",
            ));
    }
    Some(number)
}

fn country(written: &At<String>, fields: &Fields<'_>) -> Option<[u8; 2]> {
    match written.value.as_bytes() {
        // `T1` is Tor, `XX` an address of no known country
        [one, two] if one.is_ascii_uppercase() && (two.is_ascii_uppercase() || written.value == "T1") => {
            Some([*one, *two])
        }
        _ => {
            let problem = written.place.error(format!("`{}` is no country", shown(&written.value)));
            fields.report.refuse(problem.hint("write the two capitals of ISO 3166, such as `NL`"))
        }
    }
}

/// A lockdown; the inner `None` is one that is off.
fn lockdown(fields: &Fields<'_>, id: Arc<str>) -> Option<Option<Lockdown>> {
    let _note: Option<String> = fields.optional("description");
    let paused: bool = fields.take("paused");
    let urls: Option<At<Vec<At<String>>>> = fields.required("urls");
    let mut allowed = Vec::new();
    for table in fields.tables("configurations") {
        let kind: Option<LockdownTarget> = table.required("target");
        let value: Option<At<String>> = table.required("value");
        allowed.extend(kind.zip(value).and_then(|(kind, value)| match kind {
            LockdownTarget::Ip => address(&value, |_| true, "address", &table),
            LockdownTarget::IpRange => network(&value, &table),
        }));
    }
    let urls = urls?;
    if urls.value.is_empty() {
        return fields
            .report
            .refuse(urls.place.error("there is no URL").hint("name at least one, or leave the rule out"));
    }
    let urls = urls.value.iter().filter_map(|url| locked_url(url, fields)).collect();
    Some((!paused).then_some(Lockdown { id, urls, allowed }))
}

/// A URL of a lockdown: a host and a path, without scheme.
fn locked_url(written: &At<String>, fields: &Fields<'_>) -> Option<UrlPattern> {
    let text = written.value.as_str();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || rest.contains(|c: char| c.is_ascii_control() || c == ' ') {
        let problem = written.place.error(format!("`{}` is no host and path", shown(text)));
        return fields.report.refuse(problem.hint("write it as `shop.example/admin/*`"));
    }
    let root = if host.len() == rest.len() && !rest.ends_with('*') { "/" } else { "" };
    let pattern = format!("{}{}{root}", host.to_ascii_lowercase(), rest.get(host.len()..).unwrap_or_default());
    match UrlPattern::new(&pattern) {
        Ok(pattern) => Some(pattern),
        Err(reason) => {
            let problem = written.place.error(reason);
            fields.report.refuse(problem.hint("a lockdown that covers nothing would let everybody in"))
        }
    }
}

/// A user-agent rule; the inner `None` is one that is off.
fn user_agent(fields: &Fields<'_>, id: Arc<str>) -> Option<Option<UserAgentRule>> {
    let _note: Option<String> = fields.optional("description");
    let paused: bool = fields.take("paused");
    let mode: Option<UserAgentMode> = fields.required("mode");
    let configuration = configuration(fields)?;
    let target: At<String> = configuration.take("target");
    if target.value != "ua" {
        configuration
            .report
            .push(target.place.error(format!("`{}` is not `ua`", shown(&target.value))).hint("leave it out"));
    }
    let value: Option<String> = configuration.required("value");
    let rule = UserAgentRule { id, user_agent: value?.into_bytes().into(), mode: mode?.0 };
    Some((!paused).then_some(rule))
}
