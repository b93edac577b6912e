//! Caddy, as a Caddyfile: sites, matchers and the directives that have a counterpart.

mod directives;
mod matcher;
mod proxy;
mod scope;
mod snippets;

use std::collections::HashMap;

use serde_json::Value;

use super::ImportText;
use super::draft::Draft;
use super::sites::Sites;
use super::syntax::{Directive, Grammar, parse};
use matcher::matcher_condition;
use scope::Scope;
use snippets::Snippets;

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
        let (mut directives, unread) = parse(&text.text, Grammar::Caddy);
        if let Some(unread) = unread {
            draft.leave(&format!("{}:{}", text.name, unread.line), "the rest of the text", unread.why);
        }
        let directives = Snippets::take_from(&mut directives).expand(directives);
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
        return draft.leave(&place, directive.shown(), "put what it names here, and translate again");
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
    Scope::whole(&site).translate(directive.inside(), sites, draft);
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
