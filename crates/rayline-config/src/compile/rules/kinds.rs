//! The words of rules: which are known, and which are understood but not done here.

use rayline_rules::ListKind;
use rayline_rules::ruleset::{AccessMode, Compression, ManagedAction, Phase, Sensitivity, TtlMode};

use crate::value::{Choice, word};

/// `action` of a rule, as it is written. What it does is a [`rayline_rules::ruleset::Action`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Block,
    Challenge,
    JsChallenge,
    ManagedChallenge,
    Skip,
    Log,
    Execute,
    Rewrite,
    Redirect,
    Route,
    SetConfig,
    SetCacheSettings,
    ServeError,
    CompressResponse,
    LogCustomField,
}

impl ActionKind {
    /// The actions of a phase (rulesets API, "Actions").
    pub(super) const fn of(phase: Phase) -> &'static [Self] {
        match phase {
            Phase::DynamicRedirect | Phase::Redirect => &[Self::Redirect],
            Phase::RequestTransform | Phase::LateTransform | Phase::ResponseHeadersTransform => &[Self::Rewrite],
            Phase::ConfigSettings => &[Self::SetConfig],
            Phase::Origin => &[Self::Route],
            Phase::FirewallCustom => {
                &[Self::Block, Self::Challenge, Self::JsChallenge, Self::ManagedChallenge, Self::Skip, Self::Log]
            }
            Phase::Ratelimit => &[Self::Block, Self::Challenge, Self::JsChallenge, Self::ManagedChallenge, Self::Log],
            Phase::FirewallManaged => &[Self::Execute, Self::Skip, Self::Log],
            Phase::CacheSettings => &[Self::SetCacheSettings],
            Phase::CustomErrors => &[Self::ServeError],
            Phase::ResponseCompression => &[Self::CompressResponse],
            Phase::LogCustomFields => &[Self::LogCustomField],
        }
    }

    /// Its `action_parameters`.
    pub(super) const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Block => &["response"],
            Self::Challenge | Self::JsChallenge | Self::ManagedChallenge | Self::Log => &[],
            Self::Skip => &["ruleset", "phase", "phases", "products", "rules"],
            Self::Execute => &["id", "overrides", "paranoia_level", "anomaly_threshold"],
            Self::Rewrite => &["uri", "headers"],
            Self::Redirect => &["from_value", "from_list"],
            Self::Route => &["host_header", "origin", "sni"],
            Self::SetConfig => &[
                "ssl",
                "always_use_https",
                "bic",
                "hotlink_protection",
                "server_timing",
                "origin_error_page_pass_thru",
                "max_upload",
                "read_timeout",
            ],
            Self::SetCacheSettings => &[
                "cache",
                "edge_ttl",
                "browser_ttl",
                "serve_stale",
                "respect_strong_etags",
                "origin_cache_control",
                "origin_error_page_passthru",
                "read_timeout",
            ],
            Self::ServeError => &["content", "asset_file", "content_type", "status_code"],
            Self::CompressResponse => &["algorithms"],
            Self::LogCustomField => &["request_fields", "response_fields", "cookie_fields"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        word(self)
    }
}

const NOT_HERE: &str = "is not available in this version";

impl Choice for ActionKind {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("block", Self::Block),
        ("challenge", Self::Challenge),
        ("js_challenge", Self::JsChallenge),
        ("managed_challenge", Self::ManagedChallenge),
        ("skip", Self::Skip),
        ("log", Self::Log),
        ("execute", Self::Execute),
        ("rewrite", Self::Rewrite),
        ("redirect", Self::Redirect),
        ("route", Self::Route),
        ("set_config", Self::SetConfig),
        ("set_cache_settings", Self::SetCacheSettings),
        ("serve_error", Self::ServeError),
        ("compress_response", Self::CompressResponse),
        ("log_custom_field", Self::LogCustomField),
    ];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("allow", "is an action of the former firewall rules", "write `skip` with what is to be left out"),
        ("bypass", "is an action of the former firewall rules", "write `skip` with what is to be left out"),
        (
            "score",
            "is an action of managed rules alone",
            "managed rules come with the edge; change them with `overrides`",
        ),
        ("force_connection_close", NOT_HERE, "write `block`"),
        ("ddos_dynamic", NOT_HERE, "write a rule in `http_ratelimit`"),
        ("set_cache_control", NOT_HERE, "set the header field `Cache-Control` with `rewrite`"),
        ("set_cache_tags", NOT_HERE, "leave the rule out"),
        ("transform_response_html", NOT_HERE, "leave the rule out"),
    ];
}

impl Choice for Phase {
    const CHOICES: &'static [(&'static str, Self)] = &[
        (Self::DynamicRedirect.name(), Self::DynamicRedirect),
        (Self::RequestTransform.name(), Self::RequestTransform),
        (Self::ConfigSettings.name(), Self::ConfigSettings),
        (Self::Origin.name(), Self::Origin),
        (Self::FirewallCustom.name(), Self::FirewallCustom),
        (Self::Ratelimit.name(), Self::Ratelimit),
        (Self::FirewallManaged.name(), Self::FirewallManaged),
        (Self::Redirect.name(), Self::Redirect),
        (Self::LateTransform.name(), Self::LateTransform),
        (Self::CacheSettings.name(), Self::CacheSettings),
        (Self::CustomErrors.name(), Self::CustomErrors),
        (Self::ResponseHeadersTransform.name(), Self::ResponseHeadersTransform),
        (Self::ResponseCompression.name(), Self::ResponseCompression),
        (Self::LogCustomFields.name(), Self::LogCustomFields),
    ];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("ddos_l7", NOT_HERE, "write rules in `http_ratelimit`"),
        ("http_request_sanitize", NOT_HERE, "paths are always normalised before rules see them"),
        ("http_request_api_gateway_early", NOT_HERE, "leave the ruleset out"),
        ("http_request_api_gateway_late", NOT_HERE, "leave the ruleset out"),
        ("http_request_sbfm", NOT_HERE, "this edge does not tell bots from people: leave the ruleset out"),
        ("http_request_snippets", NOT_HERE, "it comes with Workers: leave the ruleset out"),
        ("http_request_cloud_connector", NOT_HERE, "write rules in `http_request_origin`"),
        ("http_response_cache_settings", NOT_HERE, "write rules in `http_response_headers_transform`"),
        ("http_response_firewall_managed", NOT_HERE, "leave the ruleset out"),
    ];
}

/// `operation` of a change of a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Set,
    Add,
    Remove,
}

impl Choice for OperationKind {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("set", Self::Set), ("add", Self::Add), ("remove", Self::Remove)];
}

/// `name` of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    One(Compression),
    /// Those that the edge would choose, best first.
    All,
}

impl Choice for Algorithm {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("zstd", Self::One(Compression::Zstd)),
        ("brotli", Self::One(Compression::Brotli)),
        ("gzip", Self::One(Compression::Gzip)),
        ("none", Self::One(Compression::None)),
        ("auto", Self::All),
        ("default", Self::All),
    ];
}

impl Choice for ManagedAction {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("score", Self::Score),
        ("block", Self::Block),
        ("managed_challenge", Self::Challenge),
        ("js_challenge", Self::Challenge),
        ("challenge", Self::Challenge),
        ("log", Self::Log),
    ];
}

impl Choice for Sensitivity {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("high", Self::High), ("medium", Self::Medium), ("low", Self::Low)];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] =
        &[("default", "says nothing", "leave it out, or write `medium`")];
}

impl Choice for TtlMode {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("respect_origin", Self::RespectOrigin),
        ("override_origin", Self::OverrideOrigin),
        ("bypass_by_default", Self::Bypass),
        ("bypass", Self::Bypass),
    ];
}

impl Choice for ListKind {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("ip", Self::Ip), ("hostname", Self::Hostname), ("asn", Self::Asn), ("string", Self::String)];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] =
        &[("redirect", "is a list of its own here", "write it as `[[redirect_list]]`")];
}

impl Choice for AccessMode {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("block", Self::Block),
        ("managed_challenge", Self::Challenge),
        ("js_challenge", Self::Challenge),
        ("challenge", Self::Challenge),
        ("whitelist", Self::Allow),
    ];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] =
        &[("allow", "is `whitelist` in the API", "write `whitelist`")];
}

/// `mode` of a user-agent rule: nobody is let in by the user agent they say they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserAgentMode(pub(super) AccessMode);

impl Choice for UserAgentMode {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("block", Self(AccessMode::Block)),
        ("managed_challenge", Self(AccessMode::Challenge)),
        ("js_challenge", Self(AccessMode::Challenge)),
        ("challenge", Self(AccessMode::Challenge)),
    ];
}

/// `target` of an IP access rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessTargetKind {
    Ip,
    Ip6,
    IpRange,
    Asn,
    Country,
}

impl Choice for AccessTargetKind {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("ip", Self::Ip),
        ("ip6", Self::Ip6),
        ("ip_range", Self::IpRange),
        ("asn", Self::Asn),
        ("country", Self::Country),
    ];
}

/// `target` of who may pass a lockdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockdownTarget {
    Ip,
    IpRange,
}

impl Choice for LockdownTarget {
    const CHOICES: &'static [(&'static str, Self)] = &[("ip", Self::Ip), ("ip_range", Self::IpRange)];
}

/// `cache_level` of a Page Rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheLevel {
    Bypass,
    CacheEverything,
}

impl Choice for CacheLevel {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("bypass", Self::Bypass), ("cache_everything", Self::CacheEverything)];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("aggressive", NOT_HERE, "it is the default: leave it out"),
        ("basic", NOT_HERE, "leave it out: the cache key is not configurable yet"),
        ("simplified", NOT_HERE, "leave it out: the cache key is not configurable yet"),
    ];
}
