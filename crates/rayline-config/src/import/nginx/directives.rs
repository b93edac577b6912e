//! Directives that become rules: answers, rewrites, header fields, access and limits.

use serde_json::{Map, Value, json};

use super::Server;
use super::regex::translated;
use super::variables::{value, values};
use crate::import::made::{Made, change};
use crate::import::sites::{addresses, all, literal, pattern, text_of};
use crate::import::syntax::Directive;

/// Statuses for which `add_header` and `expires` hold without `always`.
const ADDED_TO: &str = "http.response.code in {200 201 204 206 301 302 303 304 307 308}";

/// The change of one field, by what it does.
fn changed(name: &str, operation: &str, mut text: Map<String, Value>) -> Map<String, Value> {
    text.insert("operation".to_owned(), operation.into());
    change(name, text)
}

/// The rules of a directive; `None`: there is no counterpart.
pub(super) fn rules(server: &Server<'_>, directive: &Directive) -> Option<Result<Vec<Made>, String>> {
    let one = |made: Result<Made, String>| made.map(|made| vec![made]);
    Some(match directive.name() {
        "return" => one(answer(server, directive)),
        "rewrite" => one(rewrite(server, directive)),
        "add_header" => one(add_header(server, directive)),
        "expires" => expires(directive.arguments()),
        "proxy_set_header" => set_header(server, directive),
        "proxy_hide_header" => Ok(vec![Made::response_headers(changed(directive.argument(0), "remove", Map::new()))]),
        "limit_req" => one(limit(server, directive)),
        "gzip" if directive.argument(0) == "on" => Ok(vec![Made::compress(&["gzip"])]),
        "gzip" => Ok(Vec::new()),
        "client_max_body_size" | "proxy_read_timeout" => Err("here it is a setting of the whole zone".to_owned()),
        _ => return None,
    })
}

/// `return`.
fn answer(server: &Server<'_>, directive: &Directive) -> Result<Made, String> {
    let (status, target) = match directive.arguments() {
        [one] => match one.parse::<u16>() {
            Ok(status) => (status, ""),
            Err(_) => (302, one.as_str()),
        },
        [status, target] => (status.parse().map_err(|_| "its status is no number".to_owned())?, target.as_str()),
        _ => return Err("it has no status".to_owned()),
    };
    match status {
        301 | 302 | 303 | 307 | 308 if !target.is_empty() => redirect(server, target, status),
        444 => Ok(Made::block()),
        status => Made::respond(status, target),
    }
}

fn redirect(server: &Server<'_>, target: &str, status: u16) -> Result<Made, String> {
    // the query as it came, if one did
    let bare = ["$is_args$args", "$is_args$query_string"].into_iter().find_map(|query| target.strip_suffix(query));
    let keeps_query = bare.is_some_and(|bare| !bare.ends_with("$uri"));
    let bare = bare.filter(|_| keeps_query).unwrap_or(target);
    let mut from = json!({ "target_url": text_of(&values(server, bare)?), "status_code": status });
    if let (true, Some(from)) = (keeps_query, from.as_object_mut()) {
        from.insert("preserve_query_string".to_owned(), true.into());
    }
    Ok(Made::redirect(&from))
}

/// `rewrite REGEX REPLACEMENT [FLAG]`.
fn rewrite(server: &Server<'_>, directive: &Directive) -> Result<Made, String> {
    let [regex, replacement, rest @ ..] = directive.arguments() else {
        return Err("it has no replacement".to_owned());
    };
    let regex = &translated(regex);
    let condition = format!("http.request.uri.path matches {}", pattern(regex));
    let path = replacement.strip_suffix('?').unwrap_or(replacement);
    let flag = rest.first().map_or("", String::as_str);
    let is_redirect = matches!(flag, "permanent" | "redirect")
        || ["http://", "https://", "$scheme"].iter().any(|start| path.starts_with(start));
    if path.contains('?') && !is_redirect {
        return Err("a new query beside the path has to be written as a rule of its own".to_owned());
    }
    let text = replaced(server, regex, path)?;
    if is_redirect {
        let status = if flag == "permanent" { 301 } else { 302 };
        let keeps_query = !replacement.ends_with('?');
        let from = json!({ "target_url": text, "status_code": status, "preserve_query_string": keeps_query });
        return Ok(Made::redirect(&from).of(condition));
    }
    Ok(Made::uri(&json!({ "path": text })).of(condition))
}

/// What a path becomes: a text, one with variables, or one with what groups of the expression matched.
fn replaced(server: &Server<'_>, regex: &str, path: &str) -> Result<Value, String> {
    let has_group = path.split('$').skip(1).any(|behind| behind.starts_with(|c: char| c.is_ascii_digit()));
    if !has_group {
        return Ok(text_of(&values(server, path)?));
    }
    // nginx puts the replacement in place of the whole path, `regex_replace` in place of what matched
    let start = if regex.starts_with('^') { "" } else { "^.*?" };
    let end = if regex.ends_with('$') { "" } else { ".*$" };
    let whole = pattern(&format!("{start}{regex}{end}"));
    let references = literal(&references(path)?);
    Ok(json!({ "expression": format!("regex_replace(http.request.uri.path, {whole}, {references})") }))
}

/// `$1` as `${1}`; other variables have no place beside them.
fn references(text: &str) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = behind.split_at(digits);
        if number.is_empty() {
            return Err("variables beside groups of the regular expression have no counterpart".to_owned());
        }
        written += &format!("{before}${{{number}}}");
        rest = behind;
    }
    Ok(written + rest)
}

fn add_header(server: &Server<'_>, directive: &Directive) -> Result<Made, String> {
    let also = if directive.argument(2) == "always" { "" } else { ADDED_TO };
    let change = changed(directive.argument(0), "add", value(server, directive.argument(1))?);
    Ok(Made::response_headers(change).of(also))
}

/// `expires`: what caches are told. `Expires` says the same to those of HTTP/1.0, and is left out.
fn expires(arguments: &[String]) -> Result<Vec<Made>, String> {
    let value = match arguments {
        [word] if word == "off" => return Ok(Vec::new()),
        [word] if word == "max" => "max-age=315360000".to_owned(),
        [word] if word == "epoch" || word.starts_with('-') => "no-cache".to_owned(),
        [word] => format!("max-age={}", seconds(word).ok_or("it is no time that is written out")?),
        _ => return Err("a time from the file's last change has no counterpart".to_owned()),
    };
    let change = change("Cache-Control", json!({ "operation": "set", "value": value }));
    Ok(vec![Made::response_headers(change).of(ADDED_TO)])
}

/// `30d`, `12h`, `1h30m`, `3600`.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let unit = behind.chars().next();
        let seconds = match unit {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 7 * 86_400,
            Some('M') => 30 * 86_400,
            Some('y') => 365 * 86_400,
            Some(_) => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(seconds)?)?;
        rest = behind.get(unit.map_or(0, char::len_utf8)..)?;
    }
    Some(total)
}

/// `proxy_set_header`.
fn set_header(server: &Server<'_>, directive: &Directive) -> Result<Vec<Made>, String> {
    let (name, text) = (directive.argument(0), directive.argument(1));
    let late = |operation: &str, text| vec![Made::request_headers(changed(name, operation, text))];
    match name.to_ascii_lowercase().as_str() {
        "host" => match text {
            "$host" | "$http_host" | "$host:$server_port" => Ok(Vec::new()),
            "$proxy_host" | "" => Err("the host that origins are sent is written out here".to_owned()),
            text if text.contains('$') => Err("the host that origins are sent is written out here".to_owned()),
            text => Ok(vec![Made::host_header(text)]),
        },
        // these the edge sends by itself, or passes on
        "x-forwarded-for" | "x-forwarded-proto" | "upgrade" | "connection" | "x-forwarded-host" | "accept-encoding" => {
            Ok(Vec::new())
        }
        "x-real-ip" => Err("origins are told the visitor's address in `CF-Connecting-IP`".to_owned()),
        _ if text.is_empty() => Ok(late("remove", Map::new())),
        _ => Ok(late("set", value(server, text)?)),
    }
}

/// `limit_req zone=NAME burst=N`, with the zone's rate.
fn limit(server: &Server<'_>, directive: &Directive) -> Result<Made, String> {
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
    Ok(Made::limit(ratelimit))
}

/// `allow` and `deny`, of which the first that fits counts: a rule, or why there is none, for each `deny`.
pub(super) fn access<'a>(all_of_it: &[&'a Directive]) -> Vec<(&'a Directive, Result<Made, String>)> {
    let mut allowed: Vec<String> = Vec::new();
    let mut rules = Vec::new();
    for directive in all_of_it {
        let who = directive.argument(0);
        match (directive.name(), who) {
            ("allow", "all") => break,
            ("allow", _) => allowed.push(who.to_owned()),
            _ => rules.push((*directive, denied(who, &allowed))),
        }
    }
    rules
}

fn denied(who: &str, allowed: &[String]) -> Result<Made, String> {
    let set = |list: &[String]| {
        addresses(list).ok_or_else(|| "it is about something else than addresses and networks".to_owned())
    };
    let denied = if who == "all" { String::new() } else { set(&[who.to_owned()])? };
    let not = if allowed.is_empty() { String::new() } else { format!("not {}", set(allowed)?) };
    let condition = [denied, not].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let also = if condition.is_empty() { String::new() } else { all(&condition) };
    Ok(Made::block().of(also))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_that_add_up() {
        for (text, expected) in
            [("30d", Some(2_592_000)), ("1h30m", Some(5400)), ("3600", Some(3600)), ("1y", Some(31_536_000))]
        {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for text in ["d", "5x", "99999999999999999999", "modified", "1ä"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
