//! Exhibits in which the origin works: what happens is what a rule of the zone says, as it was meant or not.

use super::{Exhibit, Place, Visit};

const TRANSFORM: &str = "http_request_transform";
const LATE: &str = "http_request_late_transform";
const CUSTOM: &str = "http_request_firewall_custom";
const LIMIT: &str = "http_ratelimit";

/// The exhibit that `rayline bisect` is for.
pub(in crate::demo) const BROKEN_BY_A_RULE: &str = "broken-by-a-rule";

/// Rules of which each looks harmless. One sends what is asked for to a port that nobody listens on, so the verdict is an
/// origin's that is not to blame.
const SEVERAL: &str = r#"
[[zone.rulesets]]
phase = "http_request_transform"
[[zone.rulesets.rules]]
id = "old-blog"
expression = 'starts_with(http.request.uri.path, "/blog/")'
action = "rewrite"
action_parameters = { uri = { path = { expression = 'regex_replace(http.request.uri.path, "^/blog/", "/news/")' } } }
[[zone.rulesets.rules]]
id = "no-tracking"
expression = 'http.request.uri.query contains "utm_"'
action = "rewrite"
action_parameters = { uri = { query = { expression = 'remove_query_args(http.request.uri.query, "utm_source", "utm_medium")' } } }
[[zone.rulesets]]
phase = "http_config_settings"
[[zone.rulesets.rules]]
id = "patient-reports"
expression = 'starts_with(http.request.uri.path, "/reports/")'
action = "set_config"
action_parameters = { read_timeout = 60 }
[[zone.rulesets.rules]]
id = "no-timings"
expression = 'true'
action = "set_config"
action_parameters = { server_timing = false }
[[zone.rulesets]]
phase = "http_request_origin"
[[zone.rulesets.rules]]
id = "api-name"
expression = 'starts_with(http.request.uri.path, "/api/")'
action = "route"
action_parameters = { host_header = "api.internal.example" }
[[zone.rulesets.rules]]
id = "new-shop"
description = "the new shop is on another port"
expression = 'not starts_with(http.request.uri.path, "/api/")'
action = "route"
action_parameters = { origin = { port = 1 } }
[[zone.rulesets]]
phase = "http_request_firewall_custom"
[[zone.rulesets.rules]]
id = "no-backups"
expression = 'http.request.uri.path.extension in {"bak" "sql"}'
action = "block"
[[zone.rulesets]]
phase = "http_request_late_transform"
[[zone.rulesets.rules]]
id = "tell-the-port"
expression = 'true'
action = "rewrite"
action_parameters = { headers = { X-Port = { operation = "set", expression = "to_string(cf.edge.server_port)" } } }
[[zone.rulesets]]
phase = "http_response_headers_transform"
[[zone.rulesets.rules]]
id = "no-frames"
expression = 'true'
action = "rewrite"
action_parameters = { headers = { X-Frame-Options = { operation = "set", value = "DENY" } } }
"#;

pub(super) fn all() -> Vec<Exhibit> {
    let mut all = refusing();
    all.extend(beside());
    all.extend(broken());
    all
}

fn ruled(name: &'static str, code: &'static str, what: &str, rules: String) -> Exhibit {
    Exhibit {
        name,
        what: what.to_owned(),
        code: Some(code),
        place: Place::Ruled(rules),
        ssl: "flexible",
        visit: Visit::Link,
    }
}

/// A ruleset of one rule that has the exhibit's name for an id and holds for every request.
fn rule(phase: &str, id: &str, does: &str) -> String {
    format!(
        "[[zone.rulesets]]\nphase = \"{phase}\"\n[[zone.rulesets.rules]]\nid = \"{id}\"\nexpression = 'true'\n{does}\n"
    )
}

/// One that sets a header field to the value of an expression.
fn set(phase: &str, id: &str, field: &str, expression: &str) -> String {
    let does = format!(
        "action = \"rewrite\"\naction_parameters = {{ headers = {{ {field} = {{ operation = \"set\", expression = '{expression}' }} }} }}"
    );
    rule(phase, id, &does)
}

/// One that rewrites the path to the value of an expression.
fn path(id: &str, expression: &str) -> String {
    let does =
        format!("action = \"rewrite\"\naction_parameters = {{ uri = {{ path = {{ expression = '{expression}' }} }} }}");
    rule(TRANSFORM, id, &does)
}

fn refusing() -> Vec<Exhibit> {
    let managed = "action = \"execute\"\naction_parameters = { id = \"rayline-managed\", overrides = { sensitivity_level = \"high\" } }";
    let often = "action = \"block\"\nratelimit = { characteristics = [\"cf.colo.id\", \"ip.src\"], period = 10, requests_per_period = 2, mitigation_timeout = 10 }";
    vec![
        ruled(
            "blocked",
            "policy.rules.custom_rule",
            "A custom rule blocks: nothing is broken, and the log names the rule",
            rule(CUSTOM, "blocked", "action = \"block\""),
        ),
        ruled(
            "challenged",
            "policy.rules.challenged",
            "A custom rule asks for a proof of work, which a browser does by itself, and curl does not",
            rule(CUSTOM, "challenged", "action = \"managed_challenge\""),
        ),
        ruled(
            "rate-limited",
            "policy.rules.rate_limited",
            "A rule lets two requests through in ten seconds: see `RateLimit` in the answers",
            rule(LIMIT, "rate-limited", often),
        )
        .by("for i in 1 2 3; do curl -i URL; done"),
        ruled(
            "attacked",
            "policy.rules.managed_rule",
            "The managed rules see an attack on a database in the address",
            rule("http_request_firewall_managed", "managed", managed),
        )
        .by("curl -i \"URL?id=1%27%20OR%20%271%27=%271%27--\""),
    ]
}

/// What stands beside the rules.
fn beside() -> Vec<Exhibit> {
    let access = |target: &str, value: &str| {
        format!(
            "[[zone.access_rules]]\nmode = \"block\"\nconfiguration = {{ target = \"{target}\", value = \"{value}\" }}\n"
        )
    };
    vec![
        ruled(
            "banned",
            "policy.rules.address_banned",
            "An IP access rule blocks the visitor's address",
            access("ip_range", "127.0.0.0/8"),
        ),
        ruled(
            "banned-country",
            "policy.rules.country_banned",
            "An IP access rule blocks the country of the visitor's address",
            access("country", "US"),
        )
        .by(
            "printf 'PROXY TCP4 8.8.8.8 192.0.2.1 51234 80\\r\\nGET / HTTP/1.1\\r\\nHost: HOST\\r\\nConnection: close\\r\\n\\r\\n' \
             | curl -s --interface 127.0.0.2 telnet://PLAIN",
        ),
        ruled(
            "locked",
            "policy.rules.zone_lockdown",
            "A lockdown lets one office in, and the visitor is elsewhere",
            "[[zone.lockdowns]]\nurls = [\"locked.demo.localhost/*\"]\n\
             configurations = [{ target = \"ip\", value = \"192.0.2.1\" }]\n"
                .to_owned(),
        ),
        ruled(
            "bad-agent",
            "policy.rules.user_agent",
            "The visitor's program is one that the zone blocks",
            "[[zone.user_agent_rules]]\nmode = \"block\"\nconfiguration = { target = \"ua\", value = \"BadBot/1.0\" }\n"
                .to_owned(),
        )
        .by("curl -i -A BadBot/1.0 URL"),
        ruled(
            "no-agent",
            "policy.rules.browser_signature",
            "The visitor's program does not say what it is, and the zone has its browser check on",
            rule("http_config_settings", "no-agent", "action = \"set_config\"\naction_parameters = { bic = true }"),
        )
        .by("curl -i -A '' URL"),
        ruled(
            "hotlinked",
            "policy.rules.hotlink",
            "A page of another site shows this site's picture, and the zone has hotlink protection on",
            rule(
                "http_config_settings",
                "hotlinked",
                "action = \"set_config\"\naction_parameters = { hotlink_protection = true }",
            ),
        )
        .by("curl -i -e https://shop.example/ URLlogo.png"),
        ruled(
            "maintenance",
            "policy.rules.maintenance",
            "The zone is in maintenance, and says when to come back",
            "[zone.maintenance]\nenabled = \"on\"\nretry_after = \"10m\"\n".to_owned(),
        ),
    ]
}

/// Rules that do what nobody wanted.
fn broken() -> Vec<Exhibit> {
    vec![
        ruled(
            BROKEN_BY_A_RULE,
            "origin.connect.refused",
            "The origin works, and one of nine rules leads past it. The verdict can only say what the edge met; \
             `rayline bisect` finds the rule",
            SEVERAL.to_owned(),
        ),
        ruled(
            "failed-expression",
            "owner.rules.expression_failed",
            "A rule needs a header that this visitor does not send",
            set(LATE, "failed-expression", "X-User", "http.request.headers[\"x-session\"][0]"),
        ),
        ruled(
            "rewritten-to-nothing",
            "owner.rules.rewrite_invalid_path",
            "A rule rewrites the path to one that has no slash in front",
            path("rewritten-to-nothing", "substring(http.request.uri.path, 1)"),
        ),
        ruled(
            "rewritten-too-long",
            "owner.rules.rewrite_too_long",
            "A rule makes the path three times as long, and the visitor's is long already",
            path("rewritten-too-long", "concat(http.request.uri.path, http.request.uri.path, http.request.uri.path)"),
        )
        .by("curl -i \"URL$(printf '%15000s' | tr ' ' a)\""),
        ruled(
            "headers-too-large",
            "owner.rules.header_limit",
            "A rule copies a large header twice, and there is no room for so much",
            rule(
                LATE,
                "headers-too-large",
                "action = \"rewrite\"\naction_parameters = { headers = { \
                 X-A = { operation = \"set\", expression = 'http.request.headers[\"x-long\"][0]' }, \
                 X-B = { operation = \"set\", expression = 'http.request.headers[\"x-long\"][0]' } } }",
            ),
        )
        .by("printf 'X-Long: %060000d\\n' 0 | curl -i -H @- URL"),
        ruled(
            "header-not-allowed",
            "owner.rules.header_not_allowed",
            "A rule removes a header that is the edge's own",
            rule(
                "http_response_headers_transform",
                "header-not-allowed",
                "action = \"rewrite\"\naction_parameters = { headers = { CF-Cache-Status = { operation = \"remove\" } } }",
            ),
        ),
        ruled(
            "header-with-line-break",
            "owner.rules.header_invalid_value",
            "A rule copies a part of the address into a header, and the visitor put a line break there",
            set(LATE, "header-with-line-break", "X-Query", "url_decode(http.request.uri.query)"),
        )
        .by("curl -i \"URL?%0d%0aX-Injected:%201\""),
    ]
}
