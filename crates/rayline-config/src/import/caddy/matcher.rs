//! Matchers: of which requests a directive is.

use super::Site;
use crate::import::sites::{addresses, all, hosts, literal, pattern};
use crate::import::syntax::Directive;

/// What is true of requests that a matcher is for, and the arguments behind it. A directive without one is for all.
pub(super) fn matched<'d>(site: &Site<'_>, directive: &'d Directive) -> Result<(String, &'d [String]), String> {
    match directive.arguments() {
        [first, rest @ ..] if first == "*" => Ok((String::new(), rest)),
        [first, rest @ ..] if first.starts_with('/') => Ok((path_condition(site, std::slice::from_ref(first)), rest)),
        [first, rest @ ..] if first.starts_with('@') => match site.matchers.get(first) {
            Some(condition) => Ok((condition.clone()?, rest)),
            None => Err(format!("there is no matcher `{first}`")),
        },
        arguments => Ok((String::new(), arguments)),
    }
}

/// Paths as Caddy has them: whole, or with a `*` at either end.
fn path_condition(site: &Site<'_>, paths: &[String]) -> String {
    let field = site.path();
    let one = |path: &String| match (path.strip_prefix('*'), path.strip_suffix('*')) {
        _ if matches!(path.as_str(), "*" | "/*") => "true".to_owned(),
        (None, Some(start)) if !start.contains('*') => format!("starts_with({field}, {})", literal(start)),
        (Some(end), None) if !end.contains('*') => format!("ends_with({field}, {})", literal(end)),
        (None, None) if !path.contains('*') => format!("{field} eq {}", literal(path)),
        _ => format!("{field} wildcard {}", literal(path)),
    };
    any(&paths.iter().map(one).collect::<Vec<_>>())
}

fn any(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

/// `@name …` or `@name { … }`: all of what stands in it.
pub(super) fn matcher_condition(site: &Site<'_>, matcher: &Directive) -> Result<String, String> {
    let inline = Directive { words: matcher.arguments().to_vec(), line: matcher.line, block: None };
    let parts: Vec<&Directive> = match &matcher.block {
        Some(block) => block.iter().collect(),
        None => vec![&inline],
    };
    let conditions: Result<Vec<String>, String> = parts.into_iter().map(|part| one_matcher(site, part)).collect();
    Ok(format!("({})", all(&conditions?)))
}

fn one_matcher(site: &Site<'_>, part: &Directive) -> Result<String, String> {
    let arguments = part.arguments();
    if arguments.is_empty() {
        return Err(format!("the matcher `{}` has no counterpart", part.name()));
    }
    Ok(match part.name() {
        "path" => path_condition(site, arguments),
        "host" => hosts(arguments),
        "method" => any(&arguments
            .iter()
            .map(|method| format!("http.request.method eq {}", literal(method)))
            .collect::<Vec<_>>()),
        "remote_ip" | "client_ip" => {
            let list: Vec<String> = arguments.iter().filter(|word| *word != "forwarded").cloned().collect();
            if list == ["private_ranges"] {
                return Ok("ip.src in {10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 fd00::/8 ::1}".to_owned());
            }
            addresses(&list).ok_or("its addresses are not written out")?
        }
        "path_regexp" => {
            let regex = arguments.last().map_or("", String::as_str);
            format!("{} matches {}", site.path(), pattern(regex))
        }
        "header" => {
            let (name, value) = (part.argument(0).to_lowercase(), part.argument(1));
            let field = format!("http.request.headers[{}][*]", literal(&name));
            match value {
                "" | "*" => format!("has_key(http.request.headers, {})", literal(&name)),
                value if value.contains('*') => format!("any({field} wildcard {})", literal(value)),
                value => format!("any({field} eq {})", literal(value)),
            }
        }
        "query" => {
            let one = |pair: &String| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, "*"));
                let field = format!("http.request.uri.args[{}][*]", literal(name));
                let operator = if value.contains('*') { "wildcard" } else { "eq" };
                format!("any({field} {operator} {})", literal(value))
            };
            any(&arguments.iter().map(one).collect::<Vec<_>>())
        }
        "protocol" => match part.argument(0) {
            "https" => "ssl".to_owned(),
            "http" => "not ssl".to_owned(),
            other => return Err(format!("the matcher `protocol {other}` has no counterpart")),
        },
        "not" => {
            let inner = Directive { words: arguments.to_vec(), line: part.line, block: None };
            format!("not {}", one_matcher(site, &inner)?)
        }
        other => return Err(format!("the matcher `{other}` has no counterpart")),
    })
}
