//! Caddy, as a Caddyfile: sites, matchers and the directives that have a counterpart.

mod matcher;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ImportText;
use super::draft::{Draft, Item};
use super::sites::{Origin, Part, Sites, all, hosts, literal, pattern, push_text, rule, text_of};
use super::syntax::{Directive, Grammar, parse};
use matcher::{matched, matcher_condition};

/// A site on its way.
struct Site<'a> {
    text: &'a ImportText,
    names: Vec<String>,
    /// `@name`, as a condition, or why it has none.
    matchers: HashMap<String, Result<String, String>>,
    /// Whether paths are rewritten, so that conditions have to ask for the path as it came.
    rewrites: bool,
}

impl Site<'_> {
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
        let (directives, unread) = parse(&text.text, Grammar::Caddy);
        if let Some(unread) = unread {
            draft.leave(&format!("{}:{}", text.name, unread.line), "the rest of the text", unread.why);
        }
        parsed.push((text, as_sites(directives)));
    }
    let all_names: Vec<String> = parsed.iter().flat_map(|(_, sites)| sites).flat_map(names).collect();
    let mut sites = Sites::new(&all_names);
    draft.server.insert("allow_private_origins".to_owned(), Value::Bool(true));
    for (text, directives) in &parsed {
        for directive in directives {
            translate(text, directive, &mut sites, draft);
        }
    }
    sites.placeholders(draft);
}

/// A file that has one site only may leave its braces out: the first line is its addresses then.
fn as_sites(directives: Vec<Directive>) -> Vec<Directive> {
    let has_blocks = directives.iter().any(|directive| directive.block.is_some() && is_address(directive.name()));
    match directives.split_first() {
        Some((first, rest)) if !has_blocks && first.block.is_none() && is_address(first.name()) => {
            vec![Directive { block: Some(rest.to_vec()), ..first.clone() }]
        }
        _ => directives,
    }
}

fn is_address(word: &str) -> bool {
    word.contains('.') || word.contains("://") || word.starts_with(':') || word.starts_with("localhost")
}

/// Host and port of an address, and whether it is for plain HTTP alone.
fn address(word: &str) -> (String, Option<u16>, bool) {
    let word = word.trim_end_matches(',');
    let (is_plain, rest) = match word.split_once("://") {
        Some((scheme, rest)) => (scheme == "http", rest),
        None => (false, word),
    };
    let rest = rest.split('/').next().unwrap_or_default();
    match rest.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host.to_lowercase(), port.parse().ok(), is_plain),
        _ => (rest.to_lowercase(), None, is_plain),
    }
}

fn names(site: &Directive) -> Vec<String> {
    let names = site.words.iter().map(|word| address(word).0);
    names
        .filter(|name| name.contains('.') && !name.contains(['{', '$']) && name.parse::<std::net::IpAddr>().is_err())
        .collect()
}

fn translate(text: &ImportText, directive: &Directive, sites: &mut Sites, draft: &mut Draft) {
    let place = format!("{}:{}", text.name, directive.line);
    if directive.words.is_empty() {
        for option in directive.inside() {
            let place = format!("{}:{}", text.name, option.line);
            draft.leave(&place, option.shown(), "it is an option of the whole server: see `[server]` and `[limits]`");
        }
        return;
    }
    if directive.name().starts_with('(') || directive.name() == "import" {
        return draft.leave(
            &place,
            directive.shown(),
            "put the directives of the snippet where it is used, and translate again",
        );
    }
    let names = names(directive);
    if names.is_empty() {
        return draft.leave(&place, directive.shown(), "it has no host name that is written out");
    }
    listen(directive, draft);
    let rewrites = has_rewrites(directive.inside());
    let mut site = Site { text, names, matchers: HashMap::new(), rewrites };
    for matcher in directive.inside().iter().filter(|inner| inner.name().starts_with('@')) {
        let condition = matcher_condition(&site, matcher);
        site.matchers.insert(matcher.name().to_owned(), condition);
    }
    let has_certificate = directive.inside().iter().any(|inner| inner.name() == "tls" && inner.arguments().len() == 2);
    let is_plain = directive.words.iter().all(|word| address(word).2 || address(word).1 == Some(80));
    if !has_certificate && !is_plain {
        draft.leave(
            &place,
            "automatic HTTPS",
            "this edge obtains no certificates: add one as `[[zone.certificates]]`, and `https` to `[server]`",
        );
    }
    inside(&site, directive.inside(), &[], sites, draft);
}

fn listen(site: &Directive, draft: &mut Draft) {
    let has_certificate = site.inside().iter().any(|inner| inner.name() == "tls" && inner.arguments().len() == 2);
    for word in &site.words {
        let (_, port, is_plain) = address(word);
        let mut add = |key: &str, port: u16| {
            let listeners = draft.server.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            let written = Value::from(format!("0.0.0.0:{port}"));
            if let Some(listeners) = listeners.as_array_mut()
                && !listeners.contains(&written)
            {
                listeners.push(written);
            }
        };
        match port {
            Some(443) | None if has_certificate && !is_plain => {
                add("https", 443);
                add("http", 80);
            }
            Some(443) | None => add("http", 80),
            Some(port) if has_certificate && !is_plain => add("https", port),
            Some(port) => add("http", port),
        }
    }
}

fn has_rewrites(directives: &[Directive]) -> bool {
    directives.iter().any(|directive| {
        matches!(directive.name(), "rewrite" | "uri" | "handle_path") || has_rewrites(directive.inside())
    })
}

/// The directives of a site or of a `handle`; `within` is what is true of its requests already.
fn inside(site: &Site<'_>, directives: &[Directive], within: &[String], sites: &mut Sites, draft: &mut Draft) {
    // of `handle` and `handle_path` one is chosen: the most particular path first, that without a matcher last
    let mut handles: Vec<(&Directive, Result<String, String>)> = directives
        .iter()
        .filter(|directive| matches!(directive.name(), "handle" | "handle_path"))
        .map(|directive| (directive, matched(site, directive).map(|(condition, _)| condition)))
        .collect();
    handles.sort_by_key(|(directive, _)| {
        let path = directive.argument(0);
        (path.is_empty(), std::cmp::Reverse(if path.starts_with('/') { path.len() } else { usize::MAX }))
    });
    let mut before: Vec<String> = Vec::new();
    for (directive, condition) in handles {
        match condition {
            Ok(condition) => {
                let mut parts = within.to_vec();
                parts.push(condition.clone());
                parts.extend(before.iter().map(|other| format!("not {other}")));
                if directive.name() == "handle_path" {
                    let prefix = directive.argument(0).trim_end_matches('*').trim_end_matches('/').to_owned();
                    strip_prefix(site, directive, &prefix, &parts, sites, draft);
                }
                inside(site, directive.inside(), &parts, sites, draft);
                if !condition.is_empty() {
                    before.push(condition);
                }
            }
            Err(why) => draft.leave(&site.place(directive), directive.shown(), why),
        }
    }
    for directive in directives {
        if let Err(why) = one(site, directive, within, sites, draft) {
            draft.leave(&site.place(directive), directive.shown(), why);
        }
    }
}

/// Adds a rule to each zone of a site.
fn add(
    site: &Site<'_>,
    (place, condition): (&str, &[String]),
    (phase, action): (&str, &str),
    parameters: &Value,
    sites: &Sites,
    draft: &mut Draft,
) {
    for (zone, names) in sites.by_zone(&site.names) {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut parts = vec![hosts(&names)];
        parts.extend_from_slice(condition);
        draft.zone(&zone).rule(phase, rule(place, &all(&parts), action, parameters.clone()));
    }
}

fn strip_prefix(
    site: &Site<'_>,
    directive: &Directive,
    prefix: &str,
    condition: &[String],
    sites: &Sites,
    draft: &mut Draft,
) {
    // nothing behind the prefix is the root
    let path = format!("regex_replace(http.request.uri.path, {}, \"/\")", pattern(&format!("^{}/?", escaped(prefix))));
    let parameters = json!({ "uri": { "path": { "expression": path } } });
    add(site, (&site.place(directive), condition), ("http_request_transform", "rewrite"), &parameters, sites, draft);
}

/// A text as a regular expression that is just it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && !matches!(c, '/' | '-' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn one(
    site: &Site<'_>,
    directive: &Directive,
    within: &[String],
    sites: &mut Sites,
    draft: &mut Draft,
) -> Result<(), String> {
    let place = site.place(directive);
    let name = directive.name();
    if name.starts_with('@') {
        if let Some(Err(why)) = site.matchers.get(name) {
            return Err(why.clone());
        }
        return Ok(());
    }
    let (condition, arguments) = matched(site, directive)?;
    let mut parts = within.to_vec();
    parts.push(condition);
    let argument = |place: usize| arguments.get(place).map_or("", String::as_str);
    match name {
        "handle" | "handle_path" | "log" => {}
        "route" => inside(site, directive.inside(), &parts, sites, draft),
        "reverse_proxy" => proxy(site, directive, arguments, &parts, sites, draft)?,
        "redir" => {
            let status = match argument(1) {
                "" | "temporary" => 302,
                "permanent" => 301,
                "html" => return Err("a page that redirects has no counterpart".to_owned()),
                code => code.parse::<u16>().map_err(|_| "its status is no number".to_owned())?,
            };
            let target = text_of(&values(argument(0))?);
            let parameters = json!({ "from_value": { "target_url": target, "status_code": status } });
            add(site, (&place, &parts), ("http_request_dynamic_redirect", "redirect"), &parameters, sites, draft);
        }
        "rewrite" => {
            let (path, query) =
                argument(0).split_once('?').map_or((argument(0), None), |(path, query)| (path, Some(query)));
            let mut uri = json!({ "path": text_of(&values(path)?) });
            if let (Some(query), Some(uri)) = (query, uri.as_object_mut()) {
                uri.insert("query".to_owned(), text_of(&values(query)?));
            }
            add(site, (&place, &parts), ("http_request_transform", "rewrite"), &json!({ "uri": uri }), sites, draft);
        }
        "uri" if argument(0) == "strip_prefix" => {
            let prefix = argument(1).trim_end_matches('/').to_owned();
            parts.push(format!("starts_with(http.request.uri.path, {})", literal(&prefix)));
            strip_prefix(site, directive, &prefix, &parts, sites, draft);
        }
        "header" => header(site, directive, arguments, &parts, sites, draft)?,
        "request_header" => {
            let change = header_change(argument(0), argument(1), "set")?;
            add(
                site,
                (&place, &parts),
                ("http_request_late_transform", "rewrite"),
                &json!({ "headers": change }),
                sites,
                draft,
            );
        }
        "respond" => {
            let (body, status) = match arguments {
                [one] if one.parse::<u16>().is_ok() => ("", one.parse().unwrap_or(200)),
                [body] => (body.as_str(), 200),
                [body, status] => (body.as_str(), status.parse().map_err(|_| "its status is no number".to_owned())?),
                _ => return Err("it has no counterpart".to_owned()),
            };
            if !(400..=499).contains(&status) {
                return Err("answers of one's own have a status from 400 to 499 here".to_owned());
            }
            let content = if body.is_empty() { format!("{status}\n") } else { body.to_owned() };
            let response = json!({ "status_code": status, "content_type": "text/plain", "content": content });
            add(
                site,
                (&place, &parts),
                ("http_request_firewall_custom", "block"),
                &json!({ "response": response }),
                sites,
                draft,
            );
        }
        "encode" => {
            let known = |word: &String| match word.as_str() {
                "gzip" => Some("gzip"),
                "zstd" => Some("zstd"),
                "br" => Some("brotli"),
                _ => None,
            };
            let mut algorithms: Vec<Value> =
                arguments.iter().filter_map(known).map(|name| json!({ "name": name })).collect();
            if algorithms.is_empty() {
                algorithms.push(json!({ "name": "auto" }));
            }
            add(
                site,
                (&place, &parts),
                ("http_response_compression", "compress_response"),
                &json!({ "algorithms": algorithms }),
                sites,
                draft,
            );
        }
        "tls" => tls(site, directive, sites, draft)?,
        "file_server" | "root" | "try_files" | "php_fastcgi" => {
            return Err("this edge serves no files and runs no scripts: let an origin do so".to_owned());
        }
        "basic_auth" | "basicauth" | "forward_auth" => return Err("this edge asks for no passwords".to_owned()),
        "import" => return Err("put the directives of the snippet here, and translate again".to_owned()),
        _ => return Err("it has no counterpart".to_owned()),
    }
    Ok(())
}

fn proxy(
    site: &Site<'_>,
    directive: &Directive,
    arguments: &[String],
    condition: &[String],
    sites: &mut Sites,
    draft: &mut Draft,
) -> Result<(), String> {
    let place = site.place(directive);
    let of_block = directive.inside().iter().filter(|inner| inner.name() == "to").flat_map(Directive::arguments);
    let upstreams: Vec<&String> = arguments.iter().chain(of_block).collect();
    let origins: Vec<Origin> = upstreams.iter().filter_map(|upstream| Origin::parse(upstream)).collect();
    let Some(first) = origins.first() else {
        return Err("it names no upstream with an address that is written out".to_owned());
    };
    let alike = |origin: &&Origin| origin.port == first.port && origin.is_https == first.is_https;
    let together: Vec<Origin> = if first.host.parse::<std::net::IpAddr>().is_ok() {
        origins.iter().filter(alike).filter(|origin| origin.host.parse::<std::net::IpAddr>().is_ok()).cloned().collect()
    } else {
        vec![first.clone()]
    };
    if together.len() < upstreams.len() {
        draft.leave(
            &place,
            directive.shown(),
            "of its upstreams only those of one port are taken: load balancing is not available in this version",
        );
    }
    // what is left once every `handle` was tried is the site itself
    if condition.iter().all(|part| part.is_empty() || part.starts_with("not ")) {
        sites.main_origin(&place, &site.names, &together, draft);
    } else {
        for (zone, names) in sites.by_zone(&site.names) {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let mut parts = vec![hosts(&names)];
            parts.extend_from_slice(condition);
            sites.other_origin(&place, &zone, &all(&parts), first, draft);
        }
    }
    for inner in directive.inside() {
        let place = site.place(inner);
        match (inner.name(), inner.argument(0)) {
            ("to", _) => {}
            // these the edge sends by itself
            ("header_up", "X-Forwarded-For" | "X-Forwarded-Proto" | "X-Forwarded-Host" | "X-Real-IP") => {}
            ("header_up", "Host") if inner.argument(1) == "{host}" => {}
            ("header_up", "Host") => {
                let host = match inner.argument(1) {
                    "{upstream_hostport}" | "{http.reverse_proxy.upstream.hostport}" => {
                        format!("{}:{}", first.host, first.port)
                    }
                    host => host.to_owned(),
                };
                add(
                    site,
                    (&place, condition),
                    ("http_request_origin", "route"),
                    &json!({ "host_header": host }),
                    sites,
                    draft,
                );
            }
            ("header_up", field) => match header_change(field, inner.argument(1), "set") {
                Ok(change) => {
                    let parameters = json!({ "headers": change });
                    add(
                        site,
                        (&place, condition),
                        ("http_request_late_transform", "rewrite"),
                        &parameters,
                        sites,
                        draft,
                    );
                }
                Err(why) => draft.leave(&place, inner.shown(), why),
            },
            ("header_down", field) => match header_change(field, inner.argument(1), "set") {
                Ok(change) => {
                    let parameters = json!({ "headers": change });
                    add(
                        site,
                        (&place, condition),
                        ("http_response_headers_transform", "rewrite"),
                        &parameters,
                        sites,
                        draft,
                    );
                }
                Err(why) => draft.leave(&place, inner.shown(), why),
            },
            _ => draft.leave(&place, inner.shown(), "it has no counterpart"),
        }
    }
    Ok(())
}

fn header(
    site: &Site<'_>,
    directive: &Directive,
    arguments: &[String],
    condition: &[String],
    sites: &Sites,
    draft: &mut Draft,
) -> Result<(), String> {
    let mut changes = Map::new();
    let mut change = |field: &str, value: &str| -> Result<(), String> {
        if let Value::Object(entries) = header_change(field, value, "set")? {
            changes.extend(entries);
        }
        Ok(())
    };
    match arguments {
        [field, value, ..] => change(field, value)?,
        [field] => change(field, "")?,
        [] => {}
    }
    for inner in directive.inside().iter().filter(|inner| inner.name() != "defer") {
        if let Err(why) = change(inner.name(), inner.argument(0)) {
            draft.leave(&site.place(inner), inner.shown(), why);
        }
    }
    if !changes.is_empty() {
        let parameters = json!({ "headers": changes });
        add(
            site,
            (&site.place(directive), condition),
            ("http_response_headers_transform", "rewrite"),
            &parameters,
            sites,
            draft,
        );
    }
    Ok(())
}

/// `[+|-|?]Field [value]` as an entry of `headers`.
fn header_change(field: &str, value: &str, operation: &str) -> Result<Value, String> {
    let (name, operation) = match field.split_at_checked(1) {
        Some(("-", name)) => return Ok(json!({ name: { "operation": "remove" } })),
        Some(("+", name)) => (name, "add"),
        Some(("?" | ">", _)) => {
            return Err("it is set only if it is missing, or late: write a rule with a condition".to_owned());
        }
        _ => (field, operation),
    };
    if name.contains('*') {
        return Err("fields are named one by one here".to_owned());
    }
    let mut change = text_of(&values(value)?);
    if let Some(table) = change.as_object_mut() {
        table.insert("operation".to_owned(), Value::from(operation));
    }
    Ok(json!({ name: change }))
}

fn tls(site: &Site<'_>, directive: &Directive, sites: &Sites, draft: &mut Draft) -> Result<(), String> {
    match directive.arguments() {
        [certificate, key] => {
            for (zone, _) in sites.by_zone(&site.names) {
                let entries = [("certificate", certificate), ("private_key", key)];
                let keys: Map<String, Value> =
                    entries.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect();
                let item = Item { place: site.place(directive), what: directive.shown(), keys };
                draft.zone(&zone).table("certificates", item);
            }
            Ok(())
        }
        [word] if word == "internal" => {
            draft.server.insert("development_ca".to_owned(), Value::Bool(true));
            draft.server.entry("https").or_insert_with(|| json!(["0.0.0.0:443"]));
            Ok(())
        }
        _ => Err("this edge obtains no certificates: add one as `[[zone.certificates]]`".to_owned()),
    }
}

/// A text with placeholders.
fn values(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        push_text(&mut parts, before);
        let Some((name, after)) = behind.split_once('}') else {
            push_text(&mut parts, "{");
            rest = behind;
            continue;
        };
        let name = name.strip_prefix("http.request.").unwrap_or(name);
        let field = match name {
            "host" | "hostport" => "http.host".to_owned(),
            "uri" | "orig_uri" => "http.request.uri".to_owned(),
            "path" | "uri.path" | "orig_uri.path" => "http.request.uri.path".to_owned(),
            "query" | "uri.query" => "http.request.uri.query".to_owned(),
            "method" => "http.request.method".to_owned(),
            "remote_host" | "remote.host" | "client_ip" => "to_string(ip.src)".to_owned(),
            name => match name.strip_prefix("header.").or_else(|| name.strip_prefix(">")) {
                Some(header) => format!("http.request.headers[{}][0]", literal(&header.to_lowercase())),
                None => return Err(format!("the placeholder `{{{name}}}` has no counterpart")),
            },
        };
        parts.push(Part::Field(field));
        rest = after;
    }
    push_text(&mut parts, rest);
    Ok(parts)
}
