//! What stands in a server or a location: answers, rewrites, header fields, access, limits, origins.

use serde_json::{Value, json};

use super::location::{Kind, Location};
use super::{SAYS_NOTHING, Server, left};
use crate::import::draft::Draft;
use crate::import::sites::{Origin, Part, Sites, addresses, all, literal, pattern, push_text, rule, text_of};
use crate::import::syntax::Directive;

/// Statuses for which `add_header` holds without `always`.
const ADDED_TO: &str = "http.response.code in {200 201 204 206 301 302 303 304 307 308}";

/// Translates what stands in a server or a location. `condition` says of which requests, given the names of one zone.
pub(super) fn scope(
    server: &Server<'_>,
    directives: &[&Directive],
    condition: &dyn Fn(&[String]) -> String,
    location: Option<&Location<'_>>,
    locations: &[Location<'_>],
    sites: &mut Sites,
    draft: &mut Draft,
) {
    let zones: Vec<(String, String)> = sites
        .by_zone(&server.names)
        .into_iter()
        .map(|(zone, names)| (zone, condition(&names.into_iter().map(str::to_owned).collect::<Vec<_>>())))
        .collect();
    let mut access: Vec<&Directive> = Vec::new();
    let is_there = |name: &str| directives.iter().any(|directive| directive.name() == name);
    for directive in directives {
        let place = server.place(directive);
        let mut add = |phase: &str, also: &str, action: &str, parameters: &Value, draft: &mut Draft| {
            for (zone, condition) in &zones {
                let condition = all(&[condition.clone(), also.to_owned()]);
                draft.zone(zone).rule(phase, rule(&place, &condition, action, parameters.clone()));
            }
        };
        match directive.name() {
            "return" => match answer(server, directive) {
                Ok((phase, action, parameters)) => add(phase, "", action, &parameters, draft),
                Err(why) => draft.leave(&place, directive.shown(), why),
            },
            "rewrite" => match rewrite(directive) {
                Ok((phase, also, action, parameters)) => {
                    if phase == "http_request_transform" && location.is_none() && server.rewrites {
                        let why = "it is translated, but locations are held against the path as it came, since some rewrite it too";
                        draft.leave(&place, directive.shown(), why);
                    }
                    add(phase, &also, action, &parameters, draft);
                }
                Err(why) => draft.leave(&place, directive.shown(), why),
            },
            "add_header" => {
                let also = if directive.argument(2) == "always" { "" } else { ADDED_TO };
                match values(server, directive.argument(1)) {
                    Ok(parts) => {
                        let mut change = text_of(&parts);
                        insert(&mut change, "operation", "add");
                        let mut excluded = also.to_owned();
                        if location.is_none() {
                            // a location with fields of its own has none of the server's
                            for other in locations.iter().filter(|other| {
                                other.directive.inside().iter().any(|inner| inner.name() == "add_header")
                            }) {
                                let other = other.condition(server.path());
                                let not = if other.is_empty() { "false".to_owned() } else { format!("not {other}") };
                                excluded = all(&[excluded, not]);
                            }
                        }
                        let parameters = json!({ "headers": { directive.argument(0): change } });
                        add("http_response_headers_transform", &excluded, "rewrite", &parameters, draft);
                    }
                    Err(why) => draft.leave(&place, directive.shown(), why),
                }
            }
            "proxy_set_header" => set_header(server, directive, &mut add, draft),
            "proxy_hide_header" => {
                let parameters = json!({ "headers": { directive.argument(0): { "operation": "remove" } } });
                add("http_response_headers_transform", "", "rewrite", &parameters, draft);
            }
            "allow" | "deny" => access.push(directive),
            "limit_req" => match limit(server, directive) {
                Ok((ratelimit, response)) => {
                    for (zone, condition) in &zones {
                        let mut item = rule(&place, condition, "block", response.clone());
                        item.keys.insert("ratelimit".to_owned(), ratelimit.clone());
                        draft.zone(zone).rule("http_ratelimit", item);
                    }
                }
                Err(why) => draft.leave(&place, directive.shown(), why),
            },
            "proxy_pass" => {
                let origins = origins(server, directive, draft);
                let Some(first) = origins.first() else {
                    draft.leave(&place, directive.shown(), "it names no server with an address that is written out");
                    continue;
                };
                if location.is_none_or(Location::is_root) {
                    sites.main_origin(&place, &server.names, &origins, draft);
                } else {
                    for (zone, condition) in &zones {
                        sites.other_origin(&place, zone, condition, first, draft);
                    }
                }
                // a path behind the origin stands in place of the location's
                if let Some(location) = location.filter(|_| !first.path.is_empty() && directive.argument(0) != "/") {
                    if matches!(location.kind, Kind::Regex { .. }) {
                        draft.leave(
                            &place,
                            directive.shown(),
                            "a path behind the origin means nothing in a location with a regular expression",
                        );
                    } else if first.path != location.path {
                        let rest = format!("substring(http.request.uri.path, {})", location.path.len());
                        let parts = [Part::Text(first.path.clone()), Part::Field(rest)];
                        let whole = if location.kind == Kind::Exact { &parts[..1] } else { &parts[..] };
                        add(
                            "http_request_transform",
                            "",
                            "rewrite",
                            &json!({ "uri": { "path": text_of(whole) } }),
                            draft,
                        );
                    }
                }
                let sets_host = directives
                    .iter()
                    .any(|inner| inner.name() == "proxy_set_header" && inner.argument(0).eq_ignore_ascii_case("host"));
                if !sets_host {
                    // nginx sends the name that it was given for the origin
                    let name = host_of(directive.argument(0));
                    add("http_request_origin", "", "route", &json!({ "host_header": name }), draft);
                }
            }
            "client_max_body_size" | "proxy_read_timeout" => {
                draft.leave(&place, directive.shown(), "here it is a setting of the whole zone");
            }
            "gzip" if directive.argument(0) == "on" => {
                add(
                    "http_response_compression",
                    "",
                    "compress_response",
                    &json!({ "algorithms": [{ "name": "gzip" }] }),
                    draft,
                );
            }
            "gzip" => {}
            "location" | "limit_req_zone" => left(&place, directive, draft),
            "proxy_ssl_verify" if directive.argument(0) == "on" => {}
            "break" | "proxy_ssl_server_name" if !is_there("if") => {}
            name if SAYS_NOTHING.contains(&name) => {}
            _ => left(&place, directive, draft),
        }
    }
    access_rules(server, &access, &zones, draft);
}

fn insert(table: &mut Value, key: &str, value: &str) {
    if let Some(table) = table.as_object_mut() {
        table.insert(key.to_owned(), Value::from(value));
    }
}

/// `return`.
fn answer(server: &Server<'_>, directive: &Directive) -> Result<(&'static str, &'static str, Value), String> {
    let (status, target) = match directive.arguments() {
        [one] => match one.parse::<u16>() {
            Ok(status) => (status, ""),
            Err(_) => (302, one.as_str()),
        },
        [status, target] => (status.parse().map_err(|_| "its status is no number".to_owned())?, target.as_str()),
        _ => return Err("it has no status".to_owned()),
    };
    match status {
        301 | 302 | 303 | 307 | 308 if !target.is_empty() => {
            let target = text_of(&values(server, target)?);
            let parameters = json!({ "from_value": { "target_url": target, "status_code": status } });
            Ok(("http_request_dynamic_redirect", "redirect", parameters))
        }
        444 => Ok(("http_request_firewall_custom", "block", json!({}))),
        400..=499 => {
            let content = if target.is_empty() { format!("{status}\n") } else { target.to_owned() };
            let response = json!({ "status_code": status, "content_type": "text/plain", "content": content });
            Ok(("http_request_firewall_custom", "block", json!({ "response": response })))
        }
        _ => Err("answers of one's own have a status from 400 to 499 here".to_owned()),
    }
}

/// `rewrite REGEX REPLACEMENT [FLAG]`.
fn rewrite(directive: &Directive) -> Result<(&'static str, String, &'static str, Value), String> {
    let [regex, replacement, rest @ ..] = directive.arguments() else {
        return Err("it has no replacement".to_owned());
    };
    // nginx puts the replacement in place of the whole path, `regex_replace` in place of what matched
    let start = if regex.starts_with('^') { "" } else { "^.*?" };
    let end = if regex.ends_with('$') { "" } else { ".*$" };
    let whole = pattern(&format!("{start}{regex}{end}"));
    let condition = format!("http.request.uri.path matches {}", pattern(regex));
    let path = replacement.strip_suffix('?').unwrap_or(replacement);
    let flag = rest.first().map_or("", String::as_str);
    let is_redirect = matches!(flag, "permanent" | "redirect") || path.contains("://");
    if path.contains('?') && !is_redirect {
        return Err("a new query beside the path has to be written as a rule of its own".to_owned());
    }
    let references = references(path)?;
    let text = if references == path && !path.contains('$') {
        json!({ "value": path })
    } else {
        json!({ "expression": format!("regex_replace(http.request.uri.path, {whole}, {})", literal(&references)) })
    };
    if is_redirect {
        let status = if flag == "permanent" { 301 } else { 302 };
        let keeps_query = !replacement.ends_with('?');
        let parameters = json!({ "from_value": { "target_url": text, "status_code": status, "preserve_query_string": keeps_query } });
        return Ok(("http_request_dynamic_redirect", condition, "redirect", parameters));
    }
    Ok(("http_request_transform", condition, "rewrite", json!({ "uri": { "path": text } })))
}

/// `$1` as `${1}`; other variables have no place in a replacement.
fn references(text: &str) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = behind.split_at(digits);
        if number.is_empty() {
            return Err("a variable in a replacement has no counterpart".to_owned());
        }
        written += &format!("{before}${{{number}}}");
        rest = behind;
    }
    Ok(written + rest)
}

fn set_header(
    server: &Server<'_>,
    directive: &Directive,
    add: &mut dyn FnMut(&str, &str, &str, &Value, &mut Draft),
    draft: &mut Draft,
) {
    let (name, value) = (directive.argument(0), directive.argument(1));
    let place = server.place(directive);
    match name.to_ascii_lowercase().as_str() {
        "host" => {
            if matches!(value, "$host" | "$http_host") {
                return;
            }
            let value = if matches!(value, "$proxy_host") { "" } else { value };
            if value.is_empty() || value.contains('$') {
                return draft.leave(&place, directive.shown(), "the host that origins are sent is written out here");
            }
            add("http_request_origin", "", "route", &json!({ "host_header": value }), draft);
        }
        // these the edge sends by itself, or passes on
        "x-forwarded-for" | "x-forwarded-proto" | "upgrade" | "connection" | "x-forwarded-host" | "accept-encoding" => {
        }
        "x-real-ip" => {
            draft.leave(&place, directive.shown(), "origins are told the visitor's address in `CF-Connecting-IP`")
        }
        _ if value.is_empty() => {
            add(
                "http_request_late_transform",
                "",
                "rewrite",
                &json!({ "headers": { name: { "operation": "remove" } } }),
                draft,
            );
        }
        _ => match values(server, value) {
            Ok(parts) => {
                let mut change = text_of(&parts);
                insert(&mut change, "operation", "set");
                add("http_request_late_transform", "", "rewrite", &json!({ "headers": { name: change } }), draft);
            }
            Err(why) => draft.leave(&place, directive.shown(), why),
        },
    }
}

/// `allow` and `deny`, of which the first that fits counts.
fn access_rules(server: &Server<'_>, access: &[&Directive], zones: &[(String, String)], draft: &mut Draft) {
    let mut allowed: Vec<String> = Vec::new();
    for directive in access {
        let place = server.place(directive);
        let who = directive.argument(0);
        if directive.name() == "allow" {
            if who == "all" {
                return;
            }
            allowed.push(who.to_owned());
            continue;
        }
        let denied = if who == "all" { Some(String::new()) } else { addresses(&[who.to_owned()]) };
        let not =
            if allowed.is_empty() { Some(String::new()) } else { addresses(&allowed).map(|set| format!("not {set}")) };
        let (Some(denied), Some(not)) = (denied, not) else {
            draft.leave(&place, directive.shown(), "it is about something else than addresses and networks");
            continue;
        };
        for (zone, condition) in zones {
            let condition = all(&[condition.clone(), denied.clone(), not.clone()]);
            draft.zone(zone).rule("http_request_firewall_custom", rule(&place, &condition, "block", json!({})));
        }
    }
}

/// `limit_req zone=NAME burst=N`, with the zone's rate.
fn limit(server: &Server<'_>, directive: &Directive) -> Result<(Value, Value), String> {
    let of = |words: &[String], key: &str| words.iter().find_map(|word| word.strip_prefix(key).map(str::to_owned));
    let name = of(directive.arguments(), "zone=").ok_or("it names no zone")?;
    let zone = server.http.limits.get(&name).ok_or("there is no `limit_req_zone` of its name here")?;
    let rate = of(zone.arguments(), "rate=").ok_or("its zone has no rate")?;
    let burst: u64 = of(directive.arguments(), "burst=").and_then(|text| text.parse().ok()).unwrap_or(0);
    let (number, period) = match rate.strip_suffix("r/s") {
        Some(number) => (number, 10),
        None => (rate.strip_suffix("r/m").ok_or("its rate is of no known unit")?, 60),
    };
    let number: u64 = number.parse().map_err(|_| "its rate is no number".to_owned())?;
    let requests = number.saturating_mul(if period == 10 { 10 } else { 1 }).saturating_add(burst);
    let characteristic = match zone.argument(0) {
        "$binary_remote_addr" | "$remote_addr" => "ip.src",
        "$host" | "$http_host" | "$server_name" => "http.host",
        "$uri" => "http.request.uri.path",
        _ => return Err("what it counts by has no counterpart".to_owned()),
    };
    let ratelimit = json!({
        "characteristics": ["cf.colo.id", characteristic],
        "period": period,
        "requests_per_period": requests,
    });
    Ok((ratelimit, json!({})))
}

/// A text with variables.
fn values(server: &Server<'_>, text: &str) -> Result<Vec<Part>, String> {
    // the same as what was asked for
    let text = text.replace("$uri$is_args$args", "$request_uri");
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once('$') {
        push_text(&mut parts, before);
        let (name, after) = match behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, after)) => (name, after),
            None => {
                behind.split_at(behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len()))
            }
        };
        let header =
            |name: &str| format!("http.request.headers[{}][0]", literal(&name.replace('_', "-").to_lowercase()));
        let field = match name {
            "host" | "http_host" => "http.host".to_owned(),
            "server_name" => {
                push_text(&mut parts, server.names.first().map_or("", String::as_str));
                rest = after;
                continue;
            }
            "request_uri" => "raw.http.request.uri".to_owned(),
            "uri" | "document_uri" => "http.request.uri.path".to_owned(),
            "args" | "query_string" => "http.request.uri.query".to_owned(),
            "request_method" => "http.request.method".to_owned(),
            "remote_addr" => "to_string(ip.src)".to_owned(),
            "http_user_agent" => "http.user_agent".to_owned(),
            "http_referer" => "http.referer".to_owned(),
            "request_id" => "cf.ray_id".to_owned(),
            name => match (name.strip_prefix("http_"), name.strip_prefix("arg_"), name.strip_prefix("cookie_")) {
                (Some(name), ..) => header(name),
                (_, Some(name), _) => format!("http.request.uri.args[{}][0]", literal(name)),
                (.., Some(name)) => format!("http.request.cookies[{}][0]", literal(name)),
                _ => return Err(format!("the variable `${name}` has no counterpart")),
            },
        };
        parts.push(Part::Field(field));
        rest = after;
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

/// The origins of a `proxy_pass`, looked up among the upstreams.
fn origins(server: &Server<'_>, directive: &Directive, draft: &mut Draft) -> Vec<Origin> {
    let Some(origin) = Origin::parse(directive.argument(0)) else { return Vec::new() };
    let Some(members) = server.http.upstreams.get(origin.host.as_str()) else { return vec![origin] };
    let mut found: Vec<Origin> = Vec::new();
    for member in *members {
        let place = server.place(member);
        let of = Origin::parse(member.argument(0)).filter(|_| member.name() == "server");
        match of {
            Some(of) => {
                let of = Origin { is_https: origin.is_https, path: origin.path.clone(), ..of };
                if member.arguments().len() > 1 {
                    draft.leave(&place, member.shown(), "servers of one name are tried in turn: it has no weight here");
                }
                if found
                    .first()
                    .is_some_and(|first| first.port != of.port || first.host.parse::<std::net::IpAddr>().is_err())
                {
                    draft.leave(
                        &place,
                        member.shown(),
                        "all addresses of one name have one port: load balancing is not available in this version",
                    );
                } else {
                    found.push(of);
                }
            }
            None if SAYS_NOTHING.contains(&member.name()) => {}
            None => draft.leave(&place, member.shown(), "load balancing is not available in this version"),
        }
    }
    found
}

/// What nginx sends as `Host` unless told otherwise.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}
