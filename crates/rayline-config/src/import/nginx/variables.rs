//! Variables: texts that have some in them, and the conditions of `if`.

use serde_json::{Map, Value};

use super::Server;
use super::regex::translated;
use crate::import::sites::{Part, literal, pattern, push_text, text_of};
use crate::import::syntax::Directive;

/// The scheme as a text.
const SCHEME: &str = "regex_replace(http.request.full_uri, r\"^(https?):.*$\", \"${1}\")";

/// A text with variables.
pub(super) fn values(server: &Server<'_>, text: &str) -> Result<Vec<Part>, String> {
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
        match name {
            "server_name" => push_text(&mut parts, server.names.first().map_or("", String::as_str)),
            name => parts.push(Part::Field(field(name)?)),
        }
        rest = after;
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

/// The same as a parameter: `{ value = … }` or `{ expression = … }`.
pub(super) fn value(server: &Server<'_>, text: &str) -> Result<Map<String, Value>, String> {
    Ok(text_of(&values(server, text)?).as_object().cloned().unwrap_or_default())
}

/// A variable as an expression.
fn field(name: &str) -> Result<String, String> {
    let header = |name: &str| format!("http.request.headers[{}][0]", literal(&name.replace('_', "-").to_lowercase()));
    Ok(match name {
        "host" | "http_host" => "http.host".to_owned(),
        "scheme" => SCHEME.to_owned(),
        "request_uri" => "raw.http.request.uri".to_owned(),
        "uri" | "document_uri" => "http.request.uri.path".to_owned(),
        "args" | "query_string" => "http.request.uri.query".to_owned(),
        "request_method" => "http.request.method".to_owned(),
        "remote_addr" => "to_string(ip.src)".to_owned(),
        "http_user_agent" => "http.user_agent".to_owned(),
        "http_referer" => "http.referer".to_owned(),
        "http_cookie" => "http.cookie".to_owned(),
        "request_id" => "cf.ray_id".to_owned(),
        name => match (name.strip_prefix("http_"), name.strip_prefix("arg_"), name.strip_prefix("cookie_")) {
            (Some(name), ..) => header(name),
            (_, Some(name), _) => format!("http.request.uri.args[{}][0]", literal(name)),
            (.., Some(name)) => format!("http.request.cookies[{}][0]", literal(name)),
            _ => return Err(format!("the variable `${name}` has no counterpart")),
        },
    })
}

/// The condition of an `if`.
pub(super) fn condition(directive: &Directive) -> Result<String, String> {
    let text = directive.arguments().join(" ");
    let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&text).trim();
    let (tested, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let Some(name) = tested.strip_prefix('$') else {
        return Err("it looks at files, of which this edge serves none".to_owned());
    };
    let (operator, value) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let value = value.trim();
    let is = match (name, operator) {
        ("scheme", "=" | "!=") => return scheme(operator == "!=", value),
        (_, "") => {
            let field = field(name)?;
            return Ok(format!("{field} ne \"\" and {field} ne \"0\""));
        }
        (_, "=" | "!=") => format!("{} eq {}", field(name)?, literal(value)),
        (_, "~" | "!~") => format!("{} matches {}", field(name)?, pattern(&translated(value))),
        (_, "~*" | "!~*") => format!("{} matches {}", field(name)?, pattern(&format!("(?i){}", translated(value)))),
        _ => return Err("its condition has no counterpart".to_owned()),
    };
    Ok(if operator.starts_with('!') { format!("not {is}") } else { is })
}

fn scheme(is_not: bool, value: &str) -> Result<String, String> {
    let is_https = match value {
        "https" => true,
        "http" => false,
        _ => return Err("a scheme is `http` or `https`".to_owned()),
    };
    Ok(if is_https == is_not { "not ssl" } else { "ssl" }.to_owned())
}
