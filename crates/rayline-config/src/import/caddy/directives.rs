//! Directives that become rules: redirects, rewrites, header fields, answers, compression.

use serde_json::{Map, Value, json};

use crate::import::made::{Made, change};
use crate::import::sites::{Part, literal, push_text, text_of};
use crate::import::syntax::Directive;

/// The rules of a directive, given its arguments behind the matcher; `None`: it is none of these.
pub(super) fn rules(directive: &Directive, arguments: &[String]) -> Option<Result<Vec<Made>, String>> {
    let argument = |place: usize| arguments.get(place).map_or("", String::as_str);
    let one = |made: Result<Made, String>| made.map(|made| vec![made]);
    Some(match directive.name() {
        "redir" => one(redirect(argument(0), argument(1))),
        "rewrite" => one(rewrite(argument(0))),
        "request_header" => header_change(argument(0), argument(1)).map(|change| vec![Made::request_headers(change)]),
        "respond" => one(respond(arguments)),
        "encode" => Ok(vec![encode(arguments)]),
        _ => return None,
    })
}

/// Why a directive has no counterpart.
pub(super) fn why_not(name: &str) -> &'static str {
    match name {
        "file_server" | "root" | "try_files" | "php_fastcgi" => {
            "this edge serves no files and runs no scripts: let an origin do so"
        }
        "basic_auth" | "basicauth" | "forward_auth" => "this edge asks for no passwords",
        "import" => "put the directives of the snippet or file here, and translate again",
        "handle_errors" => "write it as a rule in `http_custom_errors`, or as `[zone.error_pages]`",
        "request_body" => "the largest upload is a setting of the zone: `max_upload`",
        _ => "it has no counterpart",
    }
}

fn redirect(target: &str, status: &str) -> Result<Made, String> {
    let status = match status {
        "" | "temporary" => 302,
        "permanent" => 301,
        "html" => return Err("a page that redirects has no counterpart".to_owned()),
        code => code.parse::<u16>().map_err(|_| "its status is no number".to_owned())?,
    };
    Ok(Made::redirect(&json!({ "target_url": text_of(&values(target)?), "status_code": status })))
}

fn rewrite(target: &str) -> Result<Made, String> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut uri = json!({ "path": text_of(&values(path)?) });
    if let (Some(query), Some(uri)) = (query, uri.as_object_mut()) {
        uri.insert("query".to_owned(), text_of(&values(query)?));
    }
    Ok(Made::uri(&uri))
}

fn respond(arguments: &[String]) -> Result<Made, String> {
    match arguments {
        [one] => match one.parse() {
            Ok(status) => Made::respond(status, ""),
            Err(_) => Made::respond(200, one),
        },
        [body, status] => Made::respond(status.parse().map_err(|_| "its status is no number".to_owned())?, body),
        _ => Err("it has no counterpart".to_owned()),
    }
}

fn encode(arguments: &[String]) -> Made {
    let known = |word: &String| match word.as_str() {
        "gzip" => Some("gzip"),
        "zstd" => Some("zstd"),
        "br" => Some("brotli"),
        _ => None,
    };
    let names: Vec<&str> = arguments.iter().filter_map(known).collect();
    Made::compress(if names.is_empty() { &["auto"] } else { &names })
}

/// `header`, on one line or as a block. `leave` is told what of the block has no counterpart.
pub(super) fn header(
    directive: &Directive,
    arguments: &[String],
    mut leave: impl FnMut(&Directive, String),
) -> Result<Option<Made>, String> {
    let mut changes = match arguments {
        [field, value, ..] => header_change(field, value)?,
        [field] => header_change(field, "")?,
        [] => Map::new(),
    };
    for inner in directive.inside().iter().filter(|inner| inner.name() != "defer") {
        match header_change(inner.name(), inner.argument(0)) {
            Ok(more) => changes.extend(more),
            Err(why) => leave(inner, why),
        }
    }
    Ok((!changes.is_empty()).then(|| Made::response_headers(changes)))
}

/// `[+|-]Field [value]` as an entry of `headers`.
pub(super) fn header_change(field: &str, value: &str) -> Result<Map<String, Value>, String> {
    let (name, operation) = match field.split_at_checked(1) {
        Some(("-", name)) => return Ok(change(name, json!({ "operation": "remove" }))),
        Some(("+", name)) => (name, "add"),
        Some(("?" | ">", _)) => {
            return Err("it is set only if it is missing, or late: write a rule with a condition".to_owned());
        }
        _ => (field, "set"),
    };
    if name.contains('*') {
        return Err("fields are named one by one here".to_owned());
    }
    let mut text = text_of(&values(value)?);
    if let Some(table) = text.as_object_mut() {
        table.insert("operation".to_owned(), Value::from(operation));
    }
    Ok(change(name, text))
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
        parts.push(Part::Field(field(name)?));
        rest = after;
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

/// A placeholder as an expression.
fn field(name: &str) -> Result<String, String> {
    let name = name.strip_prefix("http.request.").unwrap_or(name);
    Ok(match name {
        "host" | "hostport" => "http.host".to_owned(),
        "uri" | "orig_uri" => "http.request.uri".to_owned(),
        "path" | "uri.path" | "orig_uri.path" => "http.request.uri.path".to_owned(),
        "query" | "uri.query" => "http.request.uri.query".to_owned(),
        "scheme" => "regex_replace(http.request.full_uri, r\"^(https?):.*$\", \"${1}\")".to_owned(),
        "method" => "http.request.method".to_owned(),
        "remote_host" | "remote.host" | "client_ip" => "to_string(ip.src)".to_owned(),
        name => match name.strip_prefix("header.").or_else(|| name.strip_prefix('>')) {
            Some(header) => format!("http.request.headers[{}][0]", literal(&header.to_lowercase())),
            None => return Err(format!("the placeholder `{{{name}}}` has no counterpart")),
        },
    })
}
