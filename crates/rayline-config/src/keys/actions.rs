//! The keys of `action_parameters`, those of all actions.
//!
//! They are one section, as no two actions give one name another kind. Which belong to which action is known to
//! [`crate::compile`].

use std::time::Duration;

use super::{Key, Kind, Later, Section};
use crate::plan::SslMode;
use crate::value::names;

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const NONE: (&str, &str) = ("none", "");
const AS_IT_IS: &str = "left as it is";

const TEXT: Kind = Kind::Text("a text");
const VALUE: Kind =
    Kind::Text("an expression whose value is a text, such as `'concat(\"/new\", http.request.uri.path)'`");
const TTL: Kind = Kind::Time { min: Duration::ZERO, max: YEAR };

const fn section(path: &'static str, doc: &'static str, keys: &'static [Key]) -> Section {
    Section { path, doc, keys, later: &[] }
}

pub(crate) static PARAMETERS: Section = Section {
    path: "zone.rulesets.rules.action_parameters",
    doc: "How an action is done. Every key belongs to the action that its sentence begins with",
    keys: &[
        Key::optional(
            "response",
            Kind::Table(&RESPONSE),
            ("the edge's own", ""),
            "`block`: what the visitor is answered",
        ),
        Key::optional(
            "ruleset",
            Kind::Text("`\"current\"`"),
            ("none", "\"current\""),
            "`skip`: the rest of this ruleset",
        ),
        Key::optional(
            "phase",
            Kind::Text("`\"current\"`"),
            ("none", "\"current\""),
            "`skip`: the rest of this phase, which is the same here",
        ),
        Key::with("phases", Kind::List(&Kind::Text("the name of a phase")), "[]", "`skip`: whole phases"),
        Key::with(
            "products",
            Kind::List(&Kind::Text(
                "`\"bic\"`, `\"hot\"`, `\"rateLimit\"`, `\"securityLevel\"`, `\"uaBlock\"`, `\"waf\"` or `\"zoneLockdown\"`",
            )),
            "[]",
            "`skip`: what is not a phase",
        ),
        Key::optional(
            "rules",
            Kind::Map(&Kind::List(&Kind::Text("the id of a managed rule"))),
            ("none", "{ rayline-managed = [\"rl.sqli.001\"] }"),
            "`skip`: managed rules, under the name of their managed ruleset",
        ),
        Key::optional(
            "id",
            Kind::Text("the name of a managed ruleset"),
            ("none", "\"rayline-managed\""),
            "`execute`: which managed rules",
        ),
        Key::with(
            "paranoia_level",
            Kind::Whole { min: 1, max: 4, unit: "" },
            "1",
            "`execute`: how suspicious managed rules are, as the Core Rule Set counts; higher levels find more, and err more. Rayline's own",
        ),
        Key::optional(
            "anomaly_threshold",
            Kind::Whole { min: 1, max: 10_000, unit: "" },
            ("that of `sensitivity_level`", "5"),
            "`execute`: the score from which a request is blocked. Rayline's own",
        ),
        Key::optional("overrides", Kind::Table(&OVERRIDES), NONE, "`execute`: what is changed in managed rules"),
        Key::optional("uri", Kind::Table(&URI), NONE, "`rewrite`: path and query, in `http_request_transform`"),
        Key::optional(
            "headers",
            Kind::Map(&Kind::Table(&HEADER)),
            NONE,
            "`rewrite`: header fields by name, in the order of the file",
        ),
        Key::optional(
            "from_value",
            Kind::Table(&FROM_VALUE),
            NONE,
            "`redirect`: to where, in `http_request_dynamic_redirect`",
        ),
        Key::optional(
            "from_list",
            Kind::Table(&FROM_LIST),
            NONE,
            "`redirect`: by a `[[redirect_list]]`, in `http_request_redirect`",
        ),
        Key::optional(
            "host_header",
            Kind::Text("a host name"),
            (AS_IT_IS, "\"shop.internal\""),
            "`route`: the `Host` that the origin is sent",
        ),
        Key::optional("origin", Kind::Table(&ORIGIN), (AS_IT_IS, ""), "`route`: another origin"),
        Key::optional(
            "sni",
            Kind::Table(&SNI),
            (AS_IT_IS, ""),
            "`route`: another server name in the TLS handshake with the origin",
        ),
        Key::optional(
            "ssl",
            Kind::OneOf(names::<SslMode>),
            (AS_IT_IS, "\"flexible\""),
            "`set_config`: as the zone's setting",
        ),
        Key::optional(
            "always_use_https",
            Kind::Switch,
            (AS_IT_IS, "\"off\""),
            "`set_config`: as the zone's setting. Rayline's own here",
        ),
        Key::optional(
            "bic",
            Kind::Switch,
            (AS_IT_IS, "\"off\""),
            "`set_config`: as the zone's setting `browser_check`",
        ),
        Key::optional(
            "hotlink_protection",
            Kind::Switch,
            (AS_IT_IS, "\"off\""),
            "`set_config`: as the zone's setting. Rayline's own here",
        ),
        Key::optional(
            "server_timing",
            Kind::Switch,
            (AS_IT_IS, "\"on\""),
            "`set_config`: as the zone's setting. Rayline's own here",
        ),
        Key::optional(
            "origin_error_page_pass_thru",
            Kind::Switch,
            (AS_IT_IS, "\"on\""),
            "`set_config`: as the zone's setting. Rayline's own here",
        ),
        Key::optional(
            "max_upload",
            Kind::Whole { min: 1, max: 1 << 20, unit: "MB" },
            (AS_IT_IS, "200"),
            "`set_config`: as the zone's setting. Rayline's own here",
        ),
        Key::optional(
            "read_timeout",
            Kind::Time { min: Duration::from_secs(1), max: Duration::from_secs(6000) },
            (AS_IT_IS, "300"),
            "`set_cache_settings`, and `set_config` too: as the zone's setting `proxy_read_timeout`",
        ),
        Key::optional(
            "cache",
            Kind::Flag,
            ("by the file's extension", "true"),
            "`set_cache_settings`: whether the answer may be stored",
        ),
        Key::optional(
            "edge_ttl",
            Kind::Table(&EDGE_TTL),
            (AS_IT_IS, ""),
            "`set_cache_settings`: how long the edge keeps it",
        ),
        Key::optional(
            "browser_ttl",
            Kind::Table(&BROWSER_TTL),
            (AS_IT_IS, ""),
            "`set_cache_settings`: how long browsers are told to keep it",
        ),
        Key::optional(
            "serve_stale",
            Kind::Table(&SERVE_STALE),
            (AS_IT_IS, ""),
            "`set_cache_settings`: what happens while it is fetched anew",
        ),
        Key::optional(
            "respect_strong_etags",
            Kind::Flag,
            (AS_IT_IS, "true"),
            "`set_cache_settings`: whether strong validators are kept",
        ),
        Key::optional(
            "origin_cache_control",
            Kind::Flag,
            (AS_IT_IS, "true"),
            "`set_cache_settings`: whether `Cache-Control` of the origin is followed to the letter",
        ),
        Key::optional(
            "origin_error_page_passthru",
            Kind::Flag,
            (AS_IT_IS, "true"),
            "`set_cache_settings`: whether an origin's own 502 and 504 pages are shown",
        ),
        Key::optional("content", TEXT, ("none", "\"<h1>Back soon</h1>\""), "`serve_error`: the page, at most 10 KB"),
        Key::optional(
            "asset_file",
            Kind::Text("the path of a file"),
            ("none", "\"pages/sorry.html\""),
            "`serve_error`: the file that the page is in, in place of `content`. Rayline's own",
        ),
        Key::with(
            "content_type",
            Kind::Text("`\"text/html\"`, `\"text/plain\"`, `\"application/json\"` or `\"text/xml\"`"),
            "\"text/html\"",
            "`serve_error`: what the page is",
        ),
        Key::optional(
            "status_code",
            Kind::Whole { min: 400, max: 999, unit: "" },
            ("the error's own", "503"),
            "`serve_error`: the status sent with it",
        ),
        Key::optional(
            "algorithms",
            Kind::Tables(&ALGORITHM),
            NONE,
            "`compress_response`: which compressions, best first",
        ),
        Key::optional(
            "request_fields",
            Kind::Tables(&REQUEST_FIELD),
            NONE,
            "`log_custom_field`: header fields of the request",
        ),
        Key::optional(
            "response_fields",
            Kind::Tables(&RESPONSE_FIELD),
            NONE,
            "`log_custom_field`: header fields of the answer",
        ),
        Key::optional("cookie_fields", Kind::Tables(&COOKIE_FIELD), NONE, "`log_custom_field`: cookies of the request"),
    ],
    later: &[
        Later {
            feature: "caching",
            names: &[
                "additional_cacheable_ports",
                "cache_key",
                "cache_reserve",
                "shared_dictionary",
                "strip_etags",
                "strip_last_modified",
                "strip_set_cookie",
                "vary",
            ],
        },
        Later {
            feature: "content optimisation",
            names: &[
                "autominify",
                "automatic_https_rewrites",
                "disable_apps",
                "disable_rum",
                "disable_zaraz",
                "email_obfuscation",
                "fonts",
                "mirage",
                "polish",
                "rocket_loader",
                "server_side_excludes",
                "sxg",
            ],
        },
        Later {
            feature: "buffering and encryption settings",
            names: &["opportunistic_encryption", "request_body_buffering", "response_body_buffering"],
        },
        Later { feature: "reputation of addresses", names: &["security_level"] },
        Later { feature: "uploaded assets; write `asset_file` or `content`", names: &["asset_name"] },
        Later { feature: "several managed rulesets; name phases or rules", names: &["rulesets"] },
        Later { feature: "encrypted logging of what matched", names: &["matched_data"] },
        Later {
            feature: "raw and transformed fields in the log",
            names: &["raw_response_fields", "transformed_request_fields"],
        },
    ],
};

pub(crate) static RESPONSE: Section = section(
    "zone.rulesets.rules.action_parameters.response",
    "What a blocked visitor is answered",
    &[
        Key::with("status_code", Kind::Whole { min: 400, max: 499, unit: "" }, "403", "The status"),
        Key::with(
            "content_type",
            Kind::Text("`\"text/html\"`, `\"text/plain\"`, `\"application/json\"` or `\"text/xml\"`"),
            "\"text/plain\"",
            "What the content is",
        ),
        Key::required("content", TEXT, "\"no\"", "The content, at most 30 KB"),
    ],
);

pub(crate) static OVERRIDES: Section = section(
    "zone.rulesets.rules.action_parameters.overrides",
    "What is changed in managed rules: in all of them, then in those of a category, then in single ones",
    &[
        Key::optional("action", MANAGED_ACTION, ("each rule's own", "\"log\""), "What every rule does when it matches"),
        Key::optional("enabled", Kind::Flag, ("each rule's own", "true"), "Whether the rules run"),
        Key::with(
            "sensitivity_level",
            Kind::OneOf(names::<rayline_rules::ruleset::Sensitivity>),
            "\"high\"",
            "From which score a request is blocked: 5, 10 or 25; at `high` a single critical match blocks",
        ),
        Key::optional("categories", Kind::Tables(&CATEGORY), NONE, "Changes by category"),
        Key::optional("rules", Kind::Tables(&OVERRIDE), NONE, "Changes by rule; they win over those by category"),
    ],
);

const MANAGED_ACTION: Kind = Kind::OneOf(names::<rayline_rules::ruleset::ManagedAction>);

pub(crate) static CATEGORY: Section = section(
    "zone.rulesets.rules.action_parameters.overrides.categories",
    "What is changed in the managed rules of a category",
    &[
        Key::required("category", Kind::Text("a category such as `\"sqli\"`"), "\"sqli\"", "Which"),
        Key::optional("action", MANAGED_ACTION, ("each rule's own", "\"log\""), "What they do when they match"),
        Key::optional("enabled", Kind::Flag, ("each rule's own", "false"), "Whether they run"),
    ],
);

pub(crate) static OVERRIDE: Section = section(
    "zone.rulesets.rules.action_parameters.overrides.rules",
    "What is changed in one managed rule",
    &[
        Key::required("id", Kind::Text("the id of a managed rule"), "\"rl.sqli.001\"", "Which"),
        Key::optional("action", MANAGED_ACTION, ("the rule's own", "\"log\""), "What it does when it matches"),
        Key::optional("enabled", Kind::Flag, ("the rule's own", "false"), "Whether it runs"),
    ],
);

pub(crate) static URI: Section = section(
    "zone.rulesets.rules.action_parameters.uri",
    "Another path, another query, or both",
    &[
        Key::optional("path", Kind::Table(&PATH), (AS_IT_IS, ""), "The path"),
        Key::optional("query", Kind::Table(&QUERY), (AS_IT_IS, ""), "The query"),
    ],
);

const TEXT_VALUE: Key = Key::optional("value", TEXT, ("none", "\"/new\""), "The text as it is");
const TEXT_EXPRESSION: Key = Key::optional(
    "expression",
    VALUE,
    ("none", "'lower(http.request.uri.path)'"),
    "The text as an expression makes it, in place of `value`",
);

pub(crate) static PATH: Section =
    section("zone.rulesets.rules.action_parameters.uri.path", "The new path", &[TEXT_VALUE, TEXT_EXPRESSION]);
pub(crate) static QUERY: Section = section(
    "zone.rulesets.rules.action_parameters.uri.query",
    "The new query, without the question mark; an empty one takes it away",
    &[TEXT_VALUE, TEXT_EXPRESSION],
);
pub(crate) static TARGET_URL: Section = section(
    "zone.rulesets.rules.action_parameters.from_value.target_url",
    "Where to: a URL, or a path of the same host",
    &[TEXT_VALUE, TEXT_EXPRESSION],
);

pub(crate) static HEADER: Section = section(
    "zone.rulesets.rules.action_parameters.headers",
    "What becomes of one header field; NAME is its name",
    &[
        Key::required(
            "operation",
            Kind::OneOf(names::<crate::compile::OperationKind>),
            "\"set\"",
            "`set` puts one value in place of all there are, `add` puts one more (responses only), `remove` takes all away",
        ),
        TEXT_VALUE,
        TEXT_EXPRESSION,
    ],
);

pub(crate) static FROM_VALUE: Section = section(
    "zone.rulesets.rules.action_parameters.from_value",
    "A redirect to one place",
    &[
        Key::optional("target_url", Kind::Table(&TARGET_URL), ("none: it must be there", ""), "Where to"),
        Key::with("status_code", REDIRECT_STATUS, "301", "The status: 301, 302, 303, 307 or 308"),
        Key::with("preserve_query_string", Kind::Flag, "false", "Whether the query goes along"),
    ],
);

pub(super) const REDIRECT_STATUS: Kind = Kind::Whole { min: 301, max: 308, unit: "" };

pub(crate) static FROM_LIST: Section = section(
    "zone.rulesets.rules.action_parameters.from_list",
    "Redirects by a list",
    &[
        Key::required("name", Kind::Text("the name of a `[[redirect_list]]`"), "\"moved\"", "Which list"),
        Key::with("key", VALUE, "\"http.request.full_uri\"", "The URL that is looked up"),
    ],
);

pub(crate) static ORIGIN: Section = section(
    "zone.rulesets.rules.action_parameters.origin",
    "Another origin",
    &[
        Key::optional(
            "host",
            Kind::Text("a host name or an address"),
            (AS_IT_IS, "\"blue.internal\""),
            "Its name, which is resolved, or its address",
        ),
        Key::optional("port", Kind::Whole { min: 1, max: 65_535, unit: "" }, (AS_IT_IS, "8080"), "Its port"),
    ],
);

pub(crate) static SNI: Section = section(
    "zone.rulesets.rules.action_parameters.sni",
    "Another server name",
    &[Key::required("value", Kind::Text("a host name"), "\"shop.internal\"", "The name")],
);

const TTL_MODE: Kind = Kind::OneOf(names::<rayline_rules::ruleset::TtlMode>);

pub(crate) static EDGE_TTL: Section = section(
    "zone.rulesets.rules.action_parameters.edge_ttl",
    "How long the edge keeps an answer",
    &[
        Key::required("mode", TTL_MODE, "\"respect_origin\"", "Whether the origin says so, or this"),
        Key::optional("default", TTL, ("none", "3600"), "Seconds, or a duration; needed by `override_origin`"),
        Key::optional("status_code_ttl", Kind::Tables(&STATUS_CODE_TTL), NONE, "Other times by status"),
    ],
);

pub(crate) static STATUS_CODE_TTL: Section = section(
    "zone.rulesets.rules.action_parameters.edge_ttl.status_code_ttl",
    "How long answers of one status, or of several, are kept",
    &[
        Key::optional("status_code", STATUS, ("none", "404"), "The status"),
        Key::optional(
            "status_code_range",
            Kind::Table(&STATUS_CODE_RANGE),
            ("none", ""),
            "Several, in place of `status_code`",
        ),
        Key::required(
            "value",
            Kind::Number { min: -1, max: 31_536_000 },
            "60",
            "Seconds; 0 means that it is asked for again each time, -1 that it is not stored",
        ),
    ],
);

const STATUS: Kind = Kind::Whole { min: 100, max: 999, unit: "" };

pub(crate) static STATUS_CODE_RANGE: Section = section(
    "zone.rulesets.rules.action_parameters.edge_ttl.status_code_ttl.status_code_range",
    "The statuses from one to another, both included",
    &[Key::with("from", STATUS, "100", "The first"), Key::with("to", STATUS, "999", "The last")],
);

pub(crate) static BROWSER_TTL: Section = section(
    "zone.rulesets.rules.action_parameters.browser_ttl",
    "How long browsers are told to keep an answer",
    &[
        Key::required("mode", TTL_MODE, "\"respect_origin\"", "Whether the origin says so, or this"),
        Key::optional("default", TTL, ("none", "3600"), "Seconds, or a duration; needed by `override_origin`"),
    ],
);

pub(crate) static SERVE_STALE: Section = section(
    "zone.rulesets.rules.action_parameters.serve_stale",
    "What happens while an answer is fetched anew",
    &[Key::required(
        "disable_stale_while_updating",
        Kind::Flag,
        "true",
        "Whether visitors wait rather than get the old one",
    )],
);

pub(crate) static ALGORITHM: Section = section(
    "zone.rulesets.rules.action_parameters.algorithms",
    "One compression",
    &[Key::required(
        "name",
        Kind::OneOf(names::<crate::compile::Algorithm>),
        "\"gzip\"",
        "Which; `auto` is those that the edge would choose, `default` the same",
    )],
);

const FIELD_NAME: Key = Key::required("name", Kind::Text("a name"), "\"x-request-id\"", "Which");

pub(crate) static REQUEST_FIELD: Section =
    section("zone.rulesets.rules.action_parameters.request_fields", "One header field of the request", &[FIELD_NAME]);
pub(crate) static RESPONSE_FIELD: Section =
    section("zone.rulesets.rules.action_parameters.response_fields", "One header field of the answer", &[FIELD_NAME]);
pub(crate) static COOKIE_FIELD: Section =
    section("zone.rulesets.rules.action_parameters.cookie_fields", "One cookie", &[FIELD_NAME]);
