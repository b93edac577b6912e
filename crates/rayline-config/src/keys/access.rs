//! The keys of lists, of bulk redirects, of access by address, URL and user agent, and of Page Rules.

use std::time::Duration;

use super::actions::REDIRECT_STATUS;
use super::{Key, Kind, Later, Section};
use crate::compile::{AccessTargetKind, CacheLevel, LockdownTarget, UserAgentMode};
use crate::plan::SslMode;
use crate::value::names;
use rayline_rules::ListKind;
use rayline_rules::ruleset::AccessMode;

const NONE: (&str, &str) = ("none", "");
const AS_IT_IS: &str = "left as it is";
const TEXT: Kind = Kind::Text("a text");
const TTL: Kind = Kind::Time { min: Duration::ZERO, max: Duration::from_secs(31_536_000) };
const ID: Key = Key::optional(
    "id",
    Kind::Text("a name of letters, digits, `-`, `_` and `.`"),
    ("made of its place", "\"office\""),
    "What logs and verdicts call it; unique in its zone",
);

pub(crate) static LIST: Section = Section {
    path: "list",
    doc: "A list that expressions of every zone may name, as `$name`",
    keys: &[
        Key::required(
            "name",
            Kind::Text("a name of lower-case letters, digits and underscores"),
            "\"office\"",
            "What expressions call it, behind a `$`",
        ),
        Key::required("kind", Kind::OneOf(names::<ListKind>), "\"ip\"", "What is in it; `string` is Rayline's own"),
        Key::optional("description", TEXT, ("none", "\"our own networks\""), "A note for the people who read the file"),
        Key::with(
            "items",
            Kind::List(&Kind::Text("an item such as `\"192.0.2.0/24\"`, `\"*.example.com\"`, `\"64496\"` or a text")),
            "[]",
            "What is in it",
        ),
        Key::optional(
            "file",
            Kind::Text("the path of a text file"),
            ("none", "\"lists/office.txt\""),
            "A file with further items, one on each line; what follows a `#` is a comment",
        ),
    ],
    later: &[],
};

pub(crate) static REDIRECT_LIST: Section = Section {
    path: "redirect_list",
    doc: "A list of redirects (Cloudflare's bulk redirects); a rule in the phase `http_request_redirect` puts it to work",
    keys: &[
        Key::required(
            "name",
            Kind::Text("a name of lower-case letters, digits and underscores"),
            "\"moved\"",
            "What `from_list` of a rule names",
        ),
        Key::optional("description", TEXT, ("none", "\"the old shop\""), "A note for the people who read the file"),
        Key::optional(
            "items",
            Kind::Tables(&REDIRECT_ITEM),
            NONE,
            "The redirects; where several match, the most particular is taken",
        ),
    ],
    later: &[],
};

pub(crate) static REDIRECT_ITEM: Section = Section {
    path: "redirect_list.items",
    doc: "One redirect, as the API has it",
    keys: &[
        Key::required(
            "source_url",
            Kind::Text("a host and a path, with or without scheme"),
            "\"shop.example/old\"",
            "Which URL; without a scheme it stands for both, without a path for the host's root",
        ),
        Key::required("target_url", Kind::Text("a URL"), "\"https://shop.example/new\"", "Where to"),
        Key::with("status_code", REDIRECT_STATUS, "301", "The status: 301, 302, 303, 307 or 308"),
        Key::with("preserve_query_string", Kind::Flag, "false", "Whether the query goes along"),
        Key::with("include_subdomains", Kind::Flag, "false", "Whether hosts below that of the source match too"),
        Key::with("subpath_matching", Kind::Flag, "false", "Whether paths below that of the source match too"),
        Key::with("preserve_path_suffix", Kind::Flag, "false", "Whether the rest of such a path goes along"),
    ],
    later: &[],
};

pub(crate) static ACCESS_RULE: Section = Section {
    path: "zone.access_rules",
    doc: "An IP access rule. Those that allow win over those that challenge, and these over those that block",
    keys: &[
        ID,
        Key::required(
            "mode",
            Kind::OneOf(names::<AccessMode>),
            "\"block\"",
            "What is done: `whitelist` lets in past all rules of security",
        ),
        Key::required(
            "configuration",
            Kind::Table(&ACCESS_CONFIGURATION),
            "{ target = \"ip\", value = \"192.0.2.1\" }",
            "Who is meant",
        ),
        Key::optional("notes", TEXT, ("none", "\"scrapes the shop\""), "A note for the people who read the file"),
    ],
    later: &[],
};

pub(crate) static ACCESS_CONFIGURATION: Section = Section {
    path: "zone.access_rules.configuration",
    doc: "Who is meant",
    keys: &[
        Key::required("target", Kind::OneOf(names::<AccessTargetKind>), "\"ip\"", "What `value` is"),
        Key::required(
            "value",
            Kind::Text("an address, a network, the number of one such as `\"AS64496\"`, or a country such as `\"NL\"`"),
            "\"192.0.2.1\"",
            "Which",
        ),
    ],
    later: &[],
};

pub(crate) static LOCKDOWN: Section = Section {
    path: "zone.lockdowns",
    doc: "Zone lockdown: URLs that only some addresses may ask for; others get 403 with 1106",
    keys: &[
        ID,
        Key::required(
            "urls",
            Kind::List(&Kind::Text("a host and a path, in which `*` stands for any characters")),
            "[\"shop.example/admin/*\"]",
            "Which URLs, without scheme",
        ),
        Key::optional("configurations", Kind::Tables(&LOCKDOWN_CONFIGURATION), ("nobody may", ""), "Who may"),
        Key::optional("description", TEXT, ("none", "\"the office only\""), "A note for the people who read the file"),
        Key::with("paused", Kind::Flag, "false", "Whether it is off"),
    ],
    later: &[],
};

pub(crate) static LOCKDOWN_CONFIGURATION: Section = Section {
    path: "zone.lockdowns.configurations",
    doc: "Who may",
    keys: &[
        Key::required("target", Kind::OneOf(names::<LockdownTarget>), "\"ip_range\"", "What `value` is"),
        Key::required("value", Kind::Text("an address or a network"), "\"192.0.2.0/24\"", "Which"),
    ],
    later: &[],
};

pub(crate) static USER_AGENT_RULE: Section = Section {
    path: "zone.user_agent_rules",
    doc: "User agent blocking: requests whose whole `User-Agent` is this",
    keys: &[
        ID,
        Key::required("mode", Kind::OneOf(names::<UserAgentMode>), "\"block\"", "What is done"),
        Key::required(
            "configuration",
            Kind::Table(&USER_AGENT_CONFIGURATION),
            "{ target = \"ua\", value = \"BadBot/1.0\" }",
            "Which user agent",
        ),
        Key::optional(
            "description",
            TEXT,
            ("none", "\"ignores robots.txt\""),
            "A note for the people who read the file",
        ),
        Key::with("paused", Kind::Flag, "false", "Whether it is off"),
    ],
    later: &[],
};

pub(crate) static USER_AGENT_CONFIGURATION: Section = Section {
    path: "zone.user_agent_rules.configuration",
    doc: "Which user agent",
    keys: &[
        Key::with("target", Kind::Text("`\"ua\"`"), "\"ua\"", "What `value` is: always `ua`"),
        Key::required("value", TEXT, "\"BadBot/1.0\"", "The whole `User-Agent`"),
    ],
    later: &[],
};

pub(crate) static PAGE_RULE: Section = Section {
    path: "zone.page_rules",
    doc: "A Page Rule, as Terraform writes it. It is translated into rules: of those whose `target` matches, only that of the \
          highest `priority` counts, and a rule in `[[zone.rulesets]]` wins over it",
    keys: &[
        ID,
        Key::required(
            "target",
            Kind::Text("a host and a path, with or without scheme, in which `*` stands for any characters"),
            "\"shop.example/old/*\"",
            "Which URLs; what a `*` stood for is `$1`, `$2` and so on in `forwarding_url`",
        ),
        Key::with(
            "priority",
            Kind::Whole { min: 1, max: 1_000_000, unit: "" },
            "1",
            "Which wins where several match: the highest; of equals the first",
        ),
        Key::with("status", Kind::Text("`\"active\"` or `\"disabled\"`"), "\"active\"", "Whether it counts"),
        Key::required("actions", Kind::Table(&PAGE_RULE_ACTIONS), "{ always_use_https = true }", "What is done"),
    ],
    later: &[],
};

pub(crate) static PAGE_RULE_ACTIONS: Section = Section {
    path: "zone.page_rules.actions",
    doc: "What a Page Rule does",
    keys: &[
        Key::optional(
            "forwarding_url",
            Kind::Table(&FORWARDING_URL),
            ("none", ""),
            "A redirect; nothing else may stand beside it",
        ),
        Key::with("always_use_https", Kind::Flag, "false", "Whether plain HTTP is answered with 301 to HTTPS"),
        Key::optional("ssl", Kind::OneOf(names::<SslMode>), (AS_IT_IS, "\"flexible\""), "As the zone's setting"),
        Key::optional("browser_check", Kind::Switch, (AS_IT_IS, "\"off\""), "As the zone's setting"),
        Key::optional("hotlink_protection", Kind::Switch, (AS_IT_IS, "\"off\""), "As the zone's setting"),
        Key::optional("origin_error_page_pass_thru", Kind::Switch, (AS_IT_IS, "\"on\""), "As the zone's setting"),
        Key::with(
            "disable_security",
            Kind::Flag,
            "false",
            "Whether managed rules, rate limits, lockdown, user agent blocking, browser check and hotlink protection are off",
        ),
        Key::optional("waf", Kind::Switch, (AS_IT_IS, "\"off\""), "`off`: no managed rules"),
        Key::optional(
            "host_header_override",
            Kind::Text("a host name"),
            (AS_IT_IS, "\"shop.internal\""),
            "The `Host` that the origin is sent",
        ),
        Key::optional(
            "resolve_override",
            Kind::Text("a host name"),
            (AS_IT_IS, "\"blue.shop.example\""),
            "The name that is resolved for the origin",
        ),
        Key::optional(
            "cache_level",
            Kind::OneOf(names::<CacheLevel>),
            (AS_IT_IS, "\"bypass\""),
            "Whether answers may be stored",
        ),
        Key::optional(
            "browser_cache_ttl",
            TTL,
            (AS_IT_IS, "3600"),
            "Seconds that browsers are told to keep an answer; 0 leaves it to the origin",
        ),
        Key::optional("edge_cache_ttl", TTL, (AS_IT_IS, "7200"), "Seconds that the edge keeps an answer"),
        Key::optional(
            "explicit_cache_control",
            Kind::Switch,
            (AS_IT_IS, "\"on\""),
            "Whether `Cache-Control` of the origin is followed to the letter",
        ),
        Key::optional("respect_strong_etag", Kind::Switch, (AS_IT_IS, "\"on\""), "Whether strong validators are kept"),
    ],
    later: &[
        Later {
            feature: "content optimisation",
            names: &[
                "automatic_https_rewrites",
                "disable_apps",
                "disable_performance",
                "disable_zaraz",
                "email_obfuscation",
                "minify",
                "mirage",
                "polish",
                "rocket_loader",
                "server_side_exclude",
            ],
        },
        Later {
            feature: "caching",
            names: &[
                "bypass_cache_on_cookie",
                "cache_by_device_type",
                "cache_deception_armor",
                "cache_key_fields",
                "cache_on_cookie",
                "cache_ttl_by_status",
                "sort_query_string_for_cache",
            ],
        },
        Later { feature: "reputation of addresses", names: &["security_level"] },
        Later {
            feature: "buffering and encryption settings",
            names: &["opportunistic_encryption", "response_buffering", "true_client_ip_header", "ip_geolocation"],
        },
    ],
};

pub(crate) static FORWARDING_URL: Section = Section {
    path: "zone.page_rules.actions.forwarding_url",
    doc: "A redirect",
    keys: &[
        Key::required("url", Kind::Text("a URL"), "\"https://shop.example/new/$1\"", "Where to"),
        Key::with("status_code", REDIRECT_STATUS, "301", "The status: 301 or 302"),
    ],
    later: &[],
};
