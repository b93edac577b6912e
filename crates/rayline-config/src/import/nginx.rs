//! nginx: `server` blocks with their locations, upstreams and limits.
//!
//! nginx chooses one location for a request; each rule here excludes the locations that would have been chosen before.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ImportText;
use super::draft::{Draft, Item};
use super::sites::{Origin, Part, Sites, addresses, all, hosts, literal, pattern, push_text, rule, text_of};
use super::syntax::{Directive, Grammar, parse};

/// What changes nothing for visitors or origins, or what this edge does anyway.
const SAYS_NOTHING: [&str; 36] = [
    "access_log",
    "charset",
    "client_body_buffer_size",
    "client_header_buffer_size",
    "default_type",
    "error_log",
    "events",
    "gzip_comp_level",
    "gzip_disable",
    "gzip_min_length",
    "gzip_proxied",
    "gzip_types",
    "gzip_vary",
    "http2",
    "keepalive",
    "keepalive_timeout",
    "large_client_header_buffers",
    "log_format",
    "multi_accept",
    "pid",
    "proxy_buffer_size",
    "proxy_buffering",
    "proxy_buffers",
    "proxy_busy_buffers_size",
    "proxy_http_version",
    "proxy_redirect",
    "sendfile",
    "server_tokens",
    "ssl_ciphers",
    "ssl_dhparam",
    "ssl_prefer_server_ciphers",
    "ssl_session_cache",
    "ssl_session_tickets",
    "ssl_session_timeout",
    "tcp_nodelay",
    "user",
];

/// Statuses for which `add_header` holds without `always`.
const ADDED_TO: &str = "http.response.code in {200 201 204 206 301 302 303 304 307 308}";

/// What stands around servers.
#[derive(Debug, Default)]
struct Http<'a> {
    upstreams: HashMap<&'a str, &'a [Directive]>,
    /// `limit_req_zone`, by its name.
    limits: HashMap<String, &'a Directive>,
    servers: Vec<(&'a ImportText, &'a Directive)>,
}

/// A `server` on its way.
struct Server<'a> {
    text: &'a ImportText,
    names: Vec<String>,
    http: &'a Http<'a>,
    /// Whether locations rewrite paths, so that conditions have to ask for the path as it came.
    rewrites: bool,
    /// What is true of the scheme: empty where the server is for both, or no other has its names.
    scheme: &'static str,
}

impl Server<'_> {
    fn place(&self, directive: &Directive) -> String {
        format!("{}:{}", self.text.name, directive.line)
    }

    fn path(&self) -> &'static str {
        if self.rewrites { "raw.http.request.uri.path" } else { "http.request.uri.path" }
    }
}

pub(super) fn read(texts: &[ImportText], draft: &mut Draft) {
    let mut parsed = Vec::new();
    for text in texts {
        let (directives, unread) = parse(&text.text, Grammar::Nginx);
        if let Some(unread) = unread {
            draft.leave(&format!("{}:{}", text.name, unread.line), "the rest of the text", unread.why);
        }
        parsed.push((text, directives));
    }
    let mut http = Http::default();
    for (text, directives) in &parsed {
        collect(text, directives, &mut http, draft);
    }
    let names: Vec<String> = http.servers.iter().flat_map(|(_, server)| names(server)).collect();
    let mut sites = Sites::new(&names);
    draft.server.insert("allow_private_origins".to_owned(), Value::Bool(true));
    for (text, server) in &http.servers {
        translate(text, server, &http, &mut sites, draft);
    }
    sites.placeholders(draft);
}

fn collect<'a>(text: &'a ImportText, directives: &'a [Directive], http: &mut Http<'a>, draft: &mut Draft) {
    for directive in directives {
        match directive.name() {
            "http" => collect(text, directive.inside(), http, draft),
            "server" if directive.block.is_some() => http.servers.push((text, directive)),
            "upstream" => {
                http.upstreams.insert(directive.argument(0), directive.inside());
            }
            "limit_req_zone" => {
                let zone = directive.arguments().iter().find_map(|word| word.strip_prefix("zone="));
                let name = zone.unwrap_or_default().split(':').next().unwrap_or_default();
                http.limits.insert(name.to_owned(), directive);
            }
            name if SAYS_NOTHING.contains(&name) || name.starts_with("worker_") => {}
            _ => left(&format!("{}:{}", text.name, directive.line), directive, draft),
        }
    }
}

/// Notes a directive that has no counterpart.
fn left(place: &str, directive: &Directive, draft: &mut Draft) {
    let why = match directive.name() {
        "include" => "it names other files: translate those too",
        "root" | "alias" | "index" | "try_files" | "autoindex" => "this edge serves no files: let an origin do so",
        "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "grpc_pass" | "memcached_pass" => {
            "origins of this edge speak HTTP: put a server in front of it that does"
        }
        "auth_basic" | "auth_basic_user_file" | "auth_request" => "this edge asks for no passwords",
        "if" => "write it as the `expression` of a rule",
        "map" | "geo" | "split_clients" => {
            "variables of one's own have no counterpart: write their conditions into rules"
        }
        "error_page" => "write it as a rule in `http_custom_errors`, or as `[zone.error_pages]`",
        "proxy_cache" | "proxy_cache_path" | "proxy_cache_valid" | "proxy_cache_key" | "expires" => {
            "write it as a rule in `http_request_cache_settings`"
        }
        "stream" | "mail" => "this edge speaks HTTP alone",
        _ => "it has no counterpart",
    };
    draft.leave(place, directive.shown(), why);
}

/// The host names of a server, without those that are none.
fn names(server: &Directive) -> Vec<String> {
    let of = server.inside().iter().filter(|directive| directive.name() == "server_name");
    let expand = |name: &String| match name.strip_prefix('.') {
        Some(bare) => vec![bare.to_owned(), format!("*.{bare}")],
        None => vec![name.clone()],
    };
    let is_name =
        |name: &String| !name.starts_with('~') && name.contains('.') && name.find('*').is_none_or(|at| at == 0);
    of.flat_map(|directive| directive.arguments())
        .flat_map(expand)
        .filter(is_name)
        .map(|name| name.to_lowercase())
        .collect()
}

fn translate(text: &ImportText, directive: &Directive, http: &Http<'_>, sites: &mut Sites, draft: &mut Draft) {
    let place = format!("{}:{}", text.name, directive.line);
    let names = names(directive);
    if names.is_empty() {
        return draft.leave(&place, "server { … }", "it has no host name, or none that is written out");
    }
    let of_locations = |inner: &&Directive| inner.name() == "location";
    let rewrites = directive.inside().iter().filter(of_locations).any(|inner| has_rewrites(inner.inside()));
    let scheme = scheme(directive, &names, http);
    let server = Server { text, names, http, rewrites, scheme };
    let locations: Vec<Location<'_>> =
        directive.inside().iter().filter(|inner| inner.name() == "location").filter_map(location).collect();

    for inner in directive.inside() {
        match inner.name() {
            "listen" => listen(&server, inner, draft),
            "server_name" => {
                for name in inner.arguments().iter().filter(|name| name.starts_with('~') || name.ends_with(".*")) {
                    draft.leave(&server.place(inner), name, "names of hosts are written out here, or begin with `*.`");
                }
            }
            "location" if location(inner).is_none() => left(&server.place(inner), inner, draft),
            "location" => {}
            "ssl_certificate" => certificate(&server, inner, directive.inside(), sites, draft),
            "ssl_certificate_key" => {}
            "client_max_body_size" | "ssl_protocols" | "proxy_read_timeout" => setting(&server, inner, sites, draft),
            _ => {}
        }
    }
    // what stands beside locations holds where a location does not say otherwise
    let own: Vec<&Directive> = directive.inside().iter().filter(|inner| !is_of_server(inner.name())).collect();
    let everywhere = |zone_names: &[String]| all(&[hosts(zone_names), server.scheme.to_owned()]);
    scope(&server, &own, &everywhere, None, &locations, sites, draft);
    for (index, location) in locations.iter().enumerate() {
        let excluded = excluded(location, index, &locations, server.path());
        let own_match = location.condition(server.path());
        let condition = |zone_names: &[String]| {
            let mut parts = vec![hosts(zone_names), server.scheme.to_owned(), own_match.clone()];
            parts.extend(excluded.iter().map(|other| format!("not {other}")));
            all(&parts)
        };
        let inside: Vec<&Directive> = location.directive.inside().iter().collect();
        scope(&server, &inside, &condition, Some(location), &locations, sites, draft);
    }
}

/// `ssl`, `not ssl`, or nothing: which scheme a server is for, if others have the same names.
fn scheme(directive: &Directive, own: &[String], http: &Http<'_>) -> &'static str {
    let is_shared = http
        .servers
        .iter()
        .any(|(_, other)| !std::ptr::eq(*other, directive) && names(other).iter().any(|name| own.contains(name)));
    let listens: Vec<&Directive> = directive.inside().iter().filter(|inner| inner.name() == "listen").collect();
    let is_tls = |listen: &&Directive| listen.arguments().iter().any(|word| word == "ssl");
    match (is_shared, listens.iter().any(is_tls), listens.iter().all(is_tls)) {
        (false, ..) | (true, true, false) => "",
        // without any `listen` it is port 80
        (true, false, _) => "not ssl",
        (true, true, true) => "ssl",
    }
}

fn is_of_server(name: &str) -> bool {
    matches!(
        name,
        "listen"
            | "server_name"
            | "location"
            | "ssl_certificate"
            | "ssl_certificate_key"
            | "client_max_body_size"
            | "ssl_protocols"
            | "proxy_read_timeout"
    )
}

fn has_rewrites(directives: &[Directive]) -> bool {
    directives.iter().any(|directive| {
        let is_rewrite = directive.name() == "rewrite" && !matches!(directive.argument(2), "permanent" | "redirect");
        let replaces = directive.name() == "proxy_pass"
            && Origin::parse(directive.argument(0)).is_some_and(|origin| !origin.path.is_empty() && origin.path != "/");
        is_rewrite || replaces || (directive.name() == "location" && has_rewrites(directive.inside()))
    })
}

// === locations ===

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `=`.
    Exact,
    /// None, or `^~`, which keeps regular expressions from being tried.
    Prefix { is_final: bool },
    /// `~`, `~*`.
    Regex { any_case: bool },
}

struct Location<'a> {
    kind: Kind,
    path: &'a str,
    directive: &'a Directive,
}

/// A location that is chosen by its path; `None` for one that is named.
fn location(directive: &Directive) -> Option<Location<'_>> {
    let (kind, path) = match directive.arguments() {
        [path] if !path.starts_with('@') => (Kind::Prefix { is_final: false }, path),
        [sign, path] => {
            let kind = match sign.as_str() {
                "=" => Kind::Exact,
                "^~" => Kind::Prefix { is_final: true },
                "~" => Kind::Regex { any_case: false },
                "~*" => Kind::Regex { any_case: true },
                _ => return None,
            };
            (kind, path)
        }
        _ => return None,
    };
    directive.block.as_ref()?;
    Some(Location { kind, path, directive })
}

impl Location<'_> {
    /// What is true of its paths; empty if it is of all.
    fn condition(&self, field: &str) -> String {
        match self.kind {
            Kind::Exact => format!("{field} eq {}", literal(self.path)),
            Kind::Prefix { .. } if self.path == "/" => String::new(),
            Kind::Prefix { .. } => format!("starts_with({field}, {})", literal(self.path)),
            Kind::Regex { any_case: true } => format!("{field} matches {}", pattern(&format!("(?i){}", self.path))),
            Kind::Regex { any_case: false } => format!("{field} matches {}", pattern(self.path)),
        }
    }

    fn is_root(&self) -> bool {
        matches!(self.kind, Kind::Prefix { .. }) && self.path == "/"
    }
}

/// The conditions of locations that are chosen before this one for some of its paths.
fn excluded(location: &Location<'_>, index: usize, all: &[Location<'_>], field: &str) -> Vec<String> {
    let wins = |place: usize, other: &Location<'_>| match (location.kind, other.kind) {
        (Kind::Exact, _) => false,
        (Kind::Prefix { .. }, Kind::Exact) => other.path.starts_with(location.path),
        (Kind::Prefix { .. }, Kind::Prefix { .. }) => {
            other.path.len() > location.path.len() && other.path.starts_with(location.path)
        }
        (Kind::Prefix { is_final }, Kind::Regex { .. }) => !is_final,
        (Kind::Regex { .. }, Kind::Exact | Kind::Prefix { is_final: true }) => true,
        (Kind::Regex { .. }, Kind::Prefix { is_final: false }) => false,
        (Kind::Regex { .. }, Kind::Regex { .. }) => place < index,
    };
    let others = all.iter().enumerate().filter(|(place, other)| *place != index && wins(*place, other));
    others.map(|(_, other)| other.condition(field)).filter(|condition| !condition.is_empty()).collect()
}

// === what stands in servers and locations ===

/// Translates what stands in a server or a location. `condition` says of which requests, given the names of one zone.
fn scope(
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

// === what is of whole servers ===

fn listen(server: &Server<'_>, directive: &Directive, draft: &mut Draft) {
    let address = directive.argument(0);
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ if address.parse::<u16>().is_ok() => ("", address),
        _ => (address, "80"),
    };
    let host = if matches!(host, "" | "*") { "0.0.0.0" } else { host };
    let is_tls = directive.arguments().iter().any(|word| word == "ssl");
    if port.parse::<u16>().is_err() || (host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[')) {
        return draft.leave(&server.place(directive), directive.shown(), "listeners have an address and a port here");
    }
    if host != "0.0.0.0" && host.starts_with("[::]") {
        // one listener for all addresses is enough
        return;
    }
    let key = if is_tls { "https" } else { "http" };
    let listeners = draft.server.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    let written = Value::from(format!("{host}:{port}"));
    if let Some(listeners) = listeners.as_array_mut()
        && !listeners.contains(&written)
    {
        listeners.push(written);
    }
}

fn certificate(server: &Server<'_>, directive: &Directive, siblings: &[Directive], sites: &Sites, draft: &mut Draft) {
    let key = siblings.iter().find(|sibling| sibling.name() == "ssl_certificate_key");
    let place = server.place(directive);
    let Some(key) = key else { return draft.leave(&place, directive.shown(), "it has no key") };
    for (zone, _) in sites.by_zone(&server.names) {
        let entries = [("certificate", directive.argument(0)), ("private_key", key.argument(0))];
        let keys: Map<String, Value> =
            entries.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
        let item = Item { place: place.clone(), what: directive.shown(), keys };
        draft.zone(&zone).table("certificates", item);
    }
}

fn setting(server: &Server<'_>, directive: &Directive, sites: &Sites, draft: &mut Draft) {
    let place = server.place(directive);
    let found = match directive.name() {
        "client_max_body_size" => megabytes(directive.argument(0)).map(|of| ("max_upload", Value::from(of))),
        "ssl_protocols" => {
            let lowest = directive.arguments().iter().filter_map(|word| word.strip_prefix("TLSv")).min();
            lowest.map(|version| ("min_tls_version", Value::from(if version == "1.3" { "1.3" } else { "1.2" })))
        }
        _ => {
            let text = directive.argument(0);
            let seconds = text.strip_suffix('s').unwrap_or(text).parse::<u64>().ok();
            seconds.map(|seconds| ("proxy_read_timeout", Value::from(seconds)))
        }
    };
    match found {
        Some((key, value)) => {
            for (zone, _) in sites.by_zone(&server.names) {
                draft.zone(&zone).setting(&place, key, value.clone());
            }
        }
        None => draft.leave(&place, directive.shown(), "its value has no counterpart"),
    }
}

/// `10m`, `512k`, `1g` in megabytes, rounded up.
fn megabytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let bytes = number.checked_mul(match unit {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    })?;
    (bytes > 0).then(|| bytes.div_ceil(1 << 20))
}
