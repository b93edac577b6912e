//! The keys of rulesets and of their rules.

use rayline_rules::ruleset::Phase;

use super::actions::PARAMETERS;
use super::{Key, Kind, Later, Section};
use crate::compile::ActionKind;
use crate::value::names;

const NONE: (&str, &str) = ("none", "");

const TEXT: Kind = Kind::Text("a text");
const EXPRESSION: Kind = Kind::Text("an expression such as `'http.request.uri.path eq \"/old\"'`");

const fn section(path: &'static str, doc: &'static str, keys: &'static [Key]) -> Section {
    Section { path, doc, keys, later: &[] }
}

pub(crate) static RULESET: Section = Section {
    path: "zone.rulesets",
    doc: "The rules of one phase, as Cloudflare's rulesets API has them: one ruleset per phase. Phases run in the order in which \
          the kinds below are listed, whatever the order in the file; within a ruleset rules run in the order of the file",
    keys: &[
        Key::required(
            "phase",
            Kind::OneOf(names::<Phase>),
            "\"http_request_transform\"",
            "When the rules run, and so what they can do",
        ),
        Key::optional("name", TEXT, ("none", "\"ours\""), "A name for the people who read the file"),
        Key::optional("description", TEXT, ("none", "\"what was moved\""), "A note for the same"),
        Key::optional("rules", Kind::Tables(&RULE), NONE, "The rules, in order"),
    ],
    later: &[],
};

pub(crate) static RULE: Section = Section {
    path: "zone.rulesets.rules",
    doc: "One rule: where `expression` is true of a request, `action` is done",
    keys: &[
        Key::optional(
            "id",
            Kind::Text("a name of letters, digits, `-`, `_` and `.`"),
            ("`ref`, or else made of phase and place", "\"old-paths\""),
            "What logs, verdicts and `rayline bisect` call the rule; unique in its zone",
        ),
        Key::optional("ref", TEXT, ("none", "\"old-paths\""), "The same for those who know it by this name; `id` wins"),
        Key::optional("description", TEXT, ("none", "\"old paths\""), "What it is for"),
        Key::required(
            "expression",
            EXPRESSION,
            "'starts_with(http.request.uri.path, \"/blog/\")'",
            "Of which requests",
        ),
        Key::required(
            "action",
            Kind::OneOf(names::<ActionKind>),
            "\"log\"",
            "What is done; which actions there are depends on the phase",
        ),
        Key::optional(
            "action_parameters",
            Kind::Table(&PARAMETERS),
            NONE,
            "How it is done; which there are depends on the action",
        ),
        Key::with("enabled", Kind::Flag, "true", "Whether the rule runs; one that does not is still checked"),
        Key::optional(
            "logging",
            Kind::Table(&LOGGING),
            ("matches are written down", ""),
            "What is written down of matches",
        ),
        Key::optional(
            "ratelimit",
            Kind::Table(&RATELIMIT),
            ("it counts nothing", ""),
            "What is counted, of rules in `http_ratelimit`",
        ),
    ],
    later: &[
        Later { feature: "leaked credentials checks", names: &["exposed_credential_check"] },
        Later { feature: "the API, which makes them", names: &["categories", "last_updated", "version"] },
    ],
};

pub(crate) static LOGGING: Section = section(
    "zone.rulesets.rules.logging",
    "What is written down of matches",
    &[Key::with("enabled", Kind::Flag, "true", "Whether a match stands in the request log")],
);

pub(crate) static RATELIMIT: Section = Section {
    path: "zone.rulesets.rules.ratelimit",
    doc: "Requests that are alike in all `characteristics` are counted together; past the limit the rule's action is done",
    keys: &[
        Key::required(
            "characteristics",
            Kind::List(&Kind::Text("a field such as `\"ip.src\"`, or `\"cf.colo.id\"`")),
            "[\"cf.colo.id\", \"ip.src\"]",
            "What must be alike; `cf.colo.id` has to be among them, as counters are each colo's own",
        ),
        Key::required(
            "period",
            Kind::Whole { min: 10, max: 86_400, unit: "seconds" },
            "60",
            "Over how many seconds is counted",
        ),
        Key::required(
            "requests_per_period",
            Kind::Whole { min: 1, max: 1_000_000, unit: "" },
            "100",
            "How many requests may come in it",
        ),
        Key::with(
            "mitigation_timeout",
            Kind::Whole { min: 0, max: 86_400, unit: "seconds" },
            "0",
            "How many seconds the action goes on once the limit was passed; 0 lets so many per period through",
        ),
        Key::optional(
            "counting_expression",
            Kind::Text("an expression"),
            ("`expression`", "'http.response.code eq 401'"),
            "Which requests count, where that is not those of the rule; it may ask for the response",
        ),
        Key::with("requests_to_origin", Kind::Flag, "false", "Whether only requests that reach the origin count"),
    ],
    later: &[Later { feature: "counting by a score", names: &["score_per_period", "score_response_header_name"] }],
};
