//! `[[zone.page_rules]]`, translated into rules.
//!
//! Of the Page Rules that match a request only that of the highest priority counts, so each condition excludes those
//! before it. Cloudflare documentation: "Page Rules", and "Migrate to modern Rules features" for what becomes of what.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rayline_rules::ast::{Expr, ExprKind};
use rayline_rules::ruleset::{
    Action, BrowserTtl, CacheSettings, EdgeTtl, Phase, Product, Redirect, Route, Rule, SetConfig, Skip, Text, TtlMode,
};

use super::Ids;
use super::actions::{host_and_port, host_name, is_target, redirect_status};
use super::expression::Expressions;
use super::kinds::CacheLevel;
use crate::document::{At, Fields, Place, shown};
use crate::plan::SslMode;

/// What a pattern is held against, besides the scheme.
const URL: &str = "concat(http.host, http.request.uri)";

/// A Page Rule on its way.
struct Written {
    id: Arc<str>,
    priority: u32,
    target: Pattern,
    actions: Actions,
}

/// `actions`, sorted by what they become.
struct Actions {
    place: Place,
    forwarding: Option<Forwarding>,
    always_use_https: bool,
    config: SetConfig,
    route: Route,
    skip: Skip,
    cache: CacheSettings,
}

/// `forwarding_url`.
struct Forwarding {
    url: At<String>,
    status_code: u16,
}

/// `target`, taken apart.
struct Pattern {
    place: Place,
    /// `http` or `https`, where only one of them is meant.
    scheme: Option<&'static str>,
    /// Host, path and query, in which `*` stands for any characters.
    rest: String,
}

impl Pattern {
    fn condition(&self) -> String {
        let matches = format!("{URL} strict wildcard {}", literal(&self.rest));
        match self.scheme {
            Some("https") => format!("(ssl and {matches})"),
            Some(_) => format!("(not ssl and {matches})"),
            None => format!("({matches})"),
        }
    }

    fn stars(&self) -> usize {
        self.rest.matches('*').count()
    }
}

/// The rules that Page Rules become, each with its phase.
pub(super) fn read(tables: &[Fields<'_>], expressions: &mut Expressions<'_>, ids: &mut Ids) -> Vec<(Phase, Rule)> {
    let mut page_rules: Vec<Written> =
        tables.iter().enumerate().filter_map(|(index, table)| read_one(table, index + 1, ids)).flatten().collect();
    page_rules.sort_by_key(|rule| Reverse(rule.priority));

    let mut rules = Vec::new();
    let mut earlier: Vec<Condition> = Vec::new();
    for page_rule in &page_rules {
        let text = page_rule.target.condition();
        let Some(expr) = expressions.made(&text, &page_rule.target.place) else { continue };
        let mut parts = vec![Condition { text: text.clone(), expr: expr.clone() }];
        parts.extend(earlier.iter().cloned());
        translate(page_rule, &parts, expressions, &mut rules);
        let without = Expr { span: 0..0, kind: ExprKind::Not(Box::new(expr)) };
        earlier.push(Condition { text: format!("not {text}"), expr: without });
    }
    rules
}

/// A part of the condition of a rule. They are put together as trees: a zone may have more Page Rules than fit into
/// the longest text that an expression may have.
#[derive(Clone)]
struct Condition {
    text: String,
    expr: Expr,
}

/// A Page Rule; the inner `None` is one that is off.
fn read_one(fields: &Fields<'_>, place: usize, ids: &mut Ids) -> Option<Option<Written>> {
    let id = ids.read(fields).unwrap_or_else(|| format!("page_rules.{place}").into());
    let priority: u32 = fields.take("priority");
    let status: At<String> = fields.take("status");
    let target: Option<At<String>> = fields.required("target");
    if !matches!(status.value.as_str(), "active" | "disabled") {
        let problem = status.place.error(format!("`{}` is neither `active` nor `disabled`", shown(&status.value)));
        fields.report.push(problem);
    }
    if fields.written("actions").is_none() {
        let problem = fields.place.error("`actions` is missing");
        return fields.report.refuse(problem.hint("add it, for example `actions = { always_use_https = true }`"));
    }
    let actions = fields.optional_table("actions").map(|table| read_actions(&table));
    let target = pattern(&target?, fields)?;
    let actions = actions?;
    Some((status.value == "active").then_some(Written { id, priority, target, actions }))
}

fn pattern(written: &At<String>, fields: &Fields<'_>) -> Option<Pattern> {
    let text = written.value.as_str();
    let refuse = |hint: &str| {
        let problem = written.place.error(format!("`{}` is no target of a Page Rule", shown(text)));
        fields.report.refuse(problem.hint(hint))
    };
    let (scheme, rest) = match text.split_once("://") {
        Some(("http", rest)) => (Some("http"), rest),
        Some(("https", rest)) => (Some("https"), rest),
        Some(("*" | "http*", rest)) => (None, rest),
        Some(_) => return refuse("its scheme is `http` or `https`, or left out"),
        None => (None, text),
    };
    if rest.contains("**") {
        return refuse("write one `*`: two of them stand for nothing more");
    }
    if rest.is_empty()
        || rest.starts_with('/')
        || rest.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '\\')
    {
        return refuse("write a host and a path, such as `shop.example/old/*`");
    }
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if host.contains(':') {
        return refuse("leave the port out");
    }
    let root = if path.is_empty() && !host.ends_with('*') { "/" } else { "" };
    Some(Pattern { place: written.place.clone(), scheme, rest: format!("{}{path}{root}", host.to_ascii_lowercase()) })
}

/// A text as an expression has it.
fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn read_actions(fields: &Fields<'_>) -> Actions {
    if fields.keys().is_empty() {
        fields.report.push(fields.place.error("this Page Rule does nothing").hint("add an action, or leave it out"));
    }
    let forwarding = fields.optional_table("forwarding_url").and_then(|table| {
        if fields.keys().len() > 1 {
            let problem = table.place.error("`forwarding_url` stands alone: a redirect ends the request");
            table.report.push(problem.hint("leave the other actions out"));
        }
        let url: Option<At<String>> = table.required("url");
        let status_code = redirect_status(&table);
        Some(Forwarding { url: url?, status_code: status_code? })
    });
    Actions {
        place: fields.place.clone(),
        forwarding,
        always_use_https: fields.take("always_use_https"),
        config: set_config(fields),
        route: route(fields),
        skip: skip(fields),
        cache: cache_settings(fields),
    }
}

fn translate(
    page_rule: &Written,
    parts: &[Condition],
    expressions: &mut Expressions<'_>,
    rules: &mut Vec<(Phase, Rule)>,
) {
    let Written { actions, target, .. } = page_rule;
    let mut add = |phase: Phase, also: Option<Condition>, action: Action, expressions: &mut Expressions<'_>| {
        let parts: Vec<&Condition> = parts.iter().chain(&also).collect();
        let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" and ");
        let exprs = parts.into_iter().map(|part| part.expr.clone()).collect();
        let Some(place) = expressions.all_of(exprs, &target.place) else { return };
        let id = format!("{}.{}", page_rule.id, phase.name());
        let rule = Rule {
            id: id.into(),
            description: format!("Page Rule `{}`", target.rest).into(),
            expression: text.into(),
            condition: place,
            enabled: true,
            logging: true,
            action,
        };
        rules.push((phase, rule));
    };

    if let Some(forwarding) = &actions.forwarding
        && let Some(redirect) = redirect(forwarding, target, expressions)
    {
        add(Phase::DynamicRedirect, None, Action::Redirect(Box::new(redirect)), expressions);
    }
    if actions.always_use_https {
        let to = "concat(\"https://\", http.host, http.request.uri)";
        let plain = expressions.made("not ssl", &actions.place);
        if let (Some(url), Some(expr)) = (expressions.made_text(to, &actions.place), plain) {
            let target = Text::Expression(url);
            let redirect = Redirect::Value { target, status_code: 301, preserve_query_string: false };
            let also = Condition { text: "not ssl".to_owned(), expr };
            add(Phase::DynamicRedirect, Some(also), Action::Redirect(Box::new(redirect)), expressions);
        }
    }
    if actions.config != SetConfig::default() {
        add(Phase::ConfigSettings, None, Action::SetConfig(Box::new(actions.config.clone())), expressions);
    }
    if actions.route != Route::default() {
        add(Phase::Origin, None, Action::Route(Box::new(actions.route.clone())), expressions);
    }
    if actions.skip != Skip::default() {
        add(Phase::FirewallCustom, None, Action::Skip(actions.skip.clone()), expressions);
    }
    if actions.cache != CacheSettings::default() {
        add(Phase::CacheSettings, None, Action::SetCacheSettings(Box::new(actions.cache.clone())), expressions);
    }
}

fn redirect(forwarding: &Forwarding, target: &Pattern, expressions: &mut Expressions<'_>) -> Option<Redirect> {
    let Forwarding { url, status_code } = forwarding;
    if !is_target(&url.value) || url.value.starts_with('/') {
        let problem = url.place.error(format!("`{}` is no place to redirect to", shown(&url.value)));
        return expressions.report.refuse(problem.hint("write a URL with `https://` or `http://`"));
    }
    let replacement = match replacement(&url.value, target.stars()) {
        Ok(replacement) => replacement,
        Err(number) => {
            let stars = target.stars();
            let problem = url.place.error(format!("there is no `*` for `${number}`"));
            let problem = problem.hint(format!("`target` has {stars} of them")).related(&target.place, "here");
            return expressions.report.refuse(problem);
        }
    };
    let text = match replacement {
        None => Text::Value(url.value.as_str().into()),
        Some(replacement) => {
            let call = format!("wildcard_replace({URL}, {}, {}, \"s\")", literal(&target.rest), literal(&replacement));
            Text::Expression(expressions.made_text(&call, &url.place)?)
        }
    };
    Some(Redirect::Value { target: text, status_code: *status_code, preserve_query_string: false })
}

/// `https://shop.example/$1` as a replacement, `https://shop.example/${1}`; nothing where there is no `$1` in it.
///
/// # Errors
/// The number of a `*` that there is not.
fn replacement(url: &str, stars: usize) -> Result<Option<String>, usize> {
    let mut text = String::new();
    let mut has_any = false;
    let mut rest = url;
    while let Some((before, behind)) = rest.split_once('$') {
        text += before;
        let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = behind.split_at(digits);
        match number.parse::<usize>() {
            Ok(number) if (1..=stars).contains(&number) => {
                has_any = true;
                // a String takes every write
                let _ = write!(text, "${{{number}}}");
            }
            Ok(number) => return Err(number),
            Err(_) => text += "$$",
        }
        rest = behind;
    }
    text += rest;
    Ok(has_any.then_some(text))
}

fn set_config(actions: &Fields<'_>) -> SetConfig {
    SetConfig {
        ssl: actions.optional("ssl").map(|mode: SslMode| mode.as_str().into()),
        browser_check: actions.optional("browser_check"),
        hotlink_protection: actions.optional("hotlink_protection"),
        origin_error_page_pass_thru: actions.optional("origin_error_page_pass_thru"),
        ..SetConfig::default()
    }
}

fn route(actions: &Fields<'_>) -> Route {
    let host_header: Option<At<String>> = actions.optional("host_header_override");
    let host: Option<At<String>> = actions.optional("resolve_override");
    Route {
        host_header: host_header.and_then(|at| host_and_port(&at, actions)).map(|name| Text::Value(name.into())),
        host: host.and_then(|at| host_name(&at, actions)).map(Arc::from),
        ..Route::default()
    }
}

fn skip(actions: &Fields<'_>) -> Skip {
    let security_is_off: bool = actions.take("disable_security");
    let managed_is_off = actions.optional("waf") == Some(false);
    let mut skip = Skip::default();
    if security_is_off || managed_is_off {
        skip.phases.push(Phase::FirewallManaged);
        skip.products.push(Product::Waf);
    }
    if security_is_off {
        skip.phases.push(Phase::Ratelimit);
        skip.products.extend([
            Product::BrowserIntegrityCheck,
            Product::HotlinkProtection,
            Product::RateLimit,
            Product::SecurityLevel,
            Product::UserAgentBlocking,
            Product::ZoneLockdown,
        ]);
    }
    skip
}

fn cache_settings(actions: &Fields<'_>) -> CacheSettings {
    let level: Option<CacheLevel> = actions.optional("cache_level");
    let browser: Option<Duration> = actions.optional("browser_cache_ttl");
    let edge: Option<Duration> = actions.optional("edge_cache_ttl");
    CacheSettings {
        cache: level.map(|level| match level {
            CacheLevel::Bypass => false,
            CacheLevel::CacheEverything => true,
        }),
        browser_ttl: browser.map(|ttl| match ttl {
            Duration::ZERO => BrowserTtl { mode: TtlMode::RespectOrigin, default: None },
            ttl => BrowserTtl { mode: TtlMode::OverrideOrigin, default: Some(ttl) },
        }),
        edge_ttl: edge.map(|ttl| EdgeTtl {
            mode: TtlMode::OverrideOrigin,
            default: Some(ttl),
            status_code_ttl: Vec::new(),
        }),
        origin_cache_control: actions.optional("explicit_cache_control"),
        respect_strong_etags: actions.optional("respect_strong_etag"),
        ..CacheSettings::default()
    }
}
