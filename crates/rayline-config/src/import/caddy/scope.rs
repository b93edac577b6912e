//! A scope: a site, or a `handle` or `route` in it, with what is true of its requests.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::Site;
use super::directives::{header, rules, why_not};
use super::matcher::matched;
use super::proxy::proxy;
use crate::import::draft::{Draft, Item};
use crate::import::made::Made;
use crate::import::sites::{Sites, all, hosts, literal, pattern};
use crate::import::syntax::Directive;

pub(super) struct Scope<'a> {
    pub(super) site: &'a Site<'a>,
    /// What is true of its requests, beside their hosts; empty parts say nothing.
    within: Vec<String>,
}

impl<'a> Scope<'a> {
    pub(super) fn whole(site: &'a Site<'a>) -> Self {
        Self { site, within: Vec::new() }
    }

    /// The same for those requests alone of which this is true too.
    fn narrowed(&self, more: impl IntoIterator<Item = String>) -> Self {
        Self { site: self.site, within: self.within.iter().cloned().chain(more).collect() }
    }

    /// Of which requests it is, by the zone of their hosts.
    pub(super) fn zones(&self, sites: &Sites) -> Vec<(String, String)> {
        let of_zone = |(zone, names): (String, Vec<&str>)| {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            (zone, all(&[&[hosts(&names)], self.within.as_slice()].concat()))
        };
        sites.by_zone(&self.site.names).into_iter().map(of_zone).collect()
    }

    /// Whether it is all of the site, or what is left once every `handle` was tried.
    pub(super) fn is_whole_site(&self) -> bool {
        self.within.iter().all(|part| part.is_empty() || part.starts_with("not "))
    }

    /// Translates everything that stands in it.
    pub(super) fn translate(&self, directives: &[Directive], sites: &mut Sites, draft: &mut Draft) {
        self.handles(directives, sites, draft);
        for directive in directives {
            if let Err(why) = self.one(directive, sites, draft) {
                draft.leave(&self.site.place(directive), directive.shown(), why);
            }
        }
    }

    /// Of `handle` and `handle_path` one is chosen: the most particular path first, that without a matcher last.
    fn handles(&self, directives: &[Directive], sites: &mut Sites, draft: &mut Draft) {
        let is_handle = |directive: &&Directive| matches!(directive.name(), "handle" | "handle_path");
        let mut handles: Vec<&Directive> = directives.iter().filter(is_handle).collect();
        handles.sort_by_key(|directive| {
            let path = directive.argument(0);
            (path.is_empty(), Reverse(if path.starts_with('/') { path.len() } else { usize::MAX }))
        });
        let mut before: Vec<String> = Vec::new();
        for directive in handles {
            match matched(self.site, directive) {
                Ok((condition, _)) => {
                    let others = before.iter().map(|other| format!("not {other}"));
                    let scope = self.narrowed(std::iter::once(condition.clone()).chain(others));
                    scope.handle(directive, sites, draft);
                    before.extend(Some(condition).filter(|condition| !condition.is_empty()));
                }
                Err(why) => draft.leave(&self.site.place(directive), directive.shown(), why),
            }
        }
    }

    fn handle(&self, directive: &Directive, sites: &mut Sites, draft: &mut Draft) {
        if directive.name() == "handle_path" {
            let prefix = directive.argument(0).trim_end_matches('*').trim_end_matches('/');
            without_prefix(prefix).add(&self.site.place(directive), &self.zones(sites), draft);
        }
        self.translate(directive.inside(), sites, draft);
    }

    /// One directive, other than `handle`.
    fn one(&self, directive: &Directive, sites: &mut Sites, draft: &mut Draft) -> Result<(), String> {
        let name = directive.name();
        if name.starts_with('@') {
            return self.site.matchers.get(name).map_or(Ok(()), |matcher| matcher.clone().map(drop));
        }
        let (condition, arguments) = matched(self.site, directive)?;
        let scope = self.narrowed([condition]);
        match name {
            "handle" | "handle_path" | "log" => {}
            "route" => scope.translate(directive.inside(), sites, draft),
            "reverse_proxy" => proxy(&scope, directive, arguments, sites, draft)?,
            "uri" => scope.add(directive, &[without(arguments)?], sites, draft),
            "tls" => tls(self.site, directive, sites, draft)?,
            "header" => {
                let made = header(directive, arguments, |inner, why| {
                    draft.leave(&self.site.place(inner), inner.shown(), why);
                })?;
                scope.add(directive, made.as_slice(), sites, draft);
            }
            _ => {
                let made = rules(directive, arguments).unwrap_or_else(|| Err(why_not(name).to_owned()))?;
                scope.add(directive, &made, sites, draft);
            }
        }
        Ok(())
    }

    fn add(&self, directive: &Directive, rules: &[Made], sites: &Sites, draft: &mut Draft) {
        let (place, zones) = (self.site.place(directive), self.zones(sites));
        rules.iter().for_each(|made| made.add(&place, &zones, draft));
    }
}

/// `uri strip_prefix PREFIX`.
fn without(arguments: &[String]) -> Result<Made, String> {
    let [operation, prefix] = arguments else { return Err(why_not("uri").to_owned()) };
    if operation != "strip_prefix" {
        return Err(why_not("uri").to_owned());
    }
    let prefix = prefix.trim_end_matches('/');
    Ok(without_prefix(prefix).of(format!("starts_with(http.request.uri.path, {})", literal(prefix))))
}

/// The path without its beginning; nothing behind that is the root.
fn without_prefix(prefix: &str) -> Made {
    let start = pattern(&format!("^{}/?", escaped(prefix)));
    Made::uri(&json!({ "path": { "expression": format!("regex_replace(http.request.uri.path, {start}, \"/\")") } }))
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
