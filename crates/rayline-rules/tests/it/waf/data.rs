//! The rules' data against itself: every rule finds what it says it finds, and not what it says it does not.

use std::collections::BTreeSet;

use rayline_rules::waf::{Category, Example, Place, Signature, signatures};

use super::{only, outcome};
use crate::request::Request;

/// Everything but what stands unescaped in queries.
fn escaped(value: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(byte);
    value.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The request that shows the example to the rule.
fn shown(rule: &Signature, example: &Example) -> Request {
    match (example, rule.first_target()) {
        (Example::Request { method, uri, headers, body, repeat }, _) => {
            let get = Request::get(uri.as_deref().unwrap_or("/"));
            let body = body.as_deref().unwrap_or_default().repeat(*repeat).into();
            let method = method.as_deref().unwrap_or("GET").into();
            let mut request = Request { method, body, ..get };
            for line in headers {
                let (name, value) = line.split_once(':').expect("`Name: value`");
                match (name.strip_prefix('+'), value.trim()) {
                    (Some(name), value) => request.headers.push((name.into(), value.into())),
                    (None, "-") => request.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes())),
                    (None, value) => request = request.header(name, value),
                }
            }
            request
        }
        (Example::Value(value), (place, header)) => match place {
            // a percent sign stands for itself: it is what the rule is shown once the query is decoded
            Place::Argument => Request::get(format!("/?a={}", escaped(&value.replace('%', "%25")))),
            Place::ArgumentName => Request::get(format!("/?{}=1", escaped(&value.replace('%', "%25")))),
            Place::Path => Request::get(&**value),
            Place::Query => Request::get(format!("/?{value}")),
            Place::Header => Request::get("/").header(header.unwrap_or("X-Example"), &**value),
            Place::Cookie => Request::get("/").header("Cookie", format!("a={value}")),
            Place::CookieName => Request::get("/").header("Cookie", format!("{value}=1")),
            Place::FileName => Request::post(
                "/",
                "multipart/form-data; boundary=b",
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{value}\"\r\n\r\nx\r\n--b--\r\n"
                ),
            ),
            Place::FileContent => Request::post(
                "/",
                "multipart/form-data; boundary=b",
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n{value}\r\n--b--\r\n"
                ),
            ),
            Place::Body => Request::post("/", "text/plain", &**value),
            Place::Method => Request { method: value.as_bytes().to_vec(), ..Request::get("/") },
            Place::Request => panic!("{}: a rule about the whole request needs examples that are requests", rule.id),
        },
    }
}

#[test]
fn every_rule_finds_its_examples_and_nothing_near_them() {
    let mut wrong = Vec::new();
    for rule in signatures().unwrap() {
        let managed = only(&rule.id);
        if rule.positive.is_empty() || rule.negative.is_empty() {
            wrong.push(format!(
                "{}: has no example of {}",
                rule.id,
                if rule.positive.is_empty() { "a match" } else { "a near miss" }
            ));
        }
        for (examples, matches) in [(&rule.positive, true), (&rule.negative, false)] {
            for example in examples {
                let found = outcome(&managed, &shown(rule, example));
                if found.matches.is_empty() == matches {
                    wrong.push(format!("{}: {} {example:?}", rule.id, if matches { "misses" } else { "finds" }));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_are_in_order_and_of_their_category() {
    let rules = signatures().unwrap();
    let names: BTreeSet<_> = rules.iter().map(|rule| &*rule.id).collect();
    assert_eq!(names.len(), rules.len());
    for rule in rules {
        let prefix = format!("rl.{}.", rule.category.name());
        let number = rule.id.strip_prefix(&*prefix).unwrap_or_else(|| panic!("{} is not {prefix}NNN", rule.id));
        assert!(number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()), "{}", rule.id);
        assert!((1..=4).contains(&rule.paranoia), "{}", rule.id);
    }
    for category in Category::ALL {
        assert!(rules.iter().any(|rule| rule.category == *category), "no rule of {}", category.name());
    }
}

#[test]
fn the_version_is_in_the_list_of_changes() {
    let changes = include_str!("../../../managed/CHANGELOG.md");
    assert!(changes.contains(&format!("## {}", rayline_rules::waf::version())));
}
