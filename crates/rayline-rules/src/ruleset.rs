//! Rules in phases, as they run: conditions and texts are places in the zone's program, parameters are read and right.
//!
//! Names are the rulesets API's. A parameter that this edge does not act on is refused when the configuration is
//! compiled, so none of them is here.

use std::sync::Arc;
use std::time::Duration;

mod access;
mod phase;

pub use access::{Access, AccessMode, AccessRule, AccessTarget, Lockdown, UrlPattern, UserAgentRule};
pub use phase::Phase;

/// A condition in the zone's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Condition(pub(crate) u32);

/// An expression with a value, in the zone's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dynamic(pub(crate) u32);

/// The rules of one phase of a zone.
#[derive(Debug, Clone)]
pub struct Ruleset {
    /// When they run.
    pub phase: Phase,
    /// In order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `id`, or one made of phase and place: what logs, verdicts, `skip` and `rayline bisect` name it by. Unique in its zone.
    pub id: Arc<str>,
    /// `description`.
    pub description: Arc<str>,
    /// `expression`, as written.
    pub expression: Arc<str>,
    /// The same in the program.
    pub condition: Condition,
    /// `enabled`; one that is not is kept for listings and never runs.
    pub enabled: bool,
    /// `logging.enabled`: whether a match is written into the record.
    pub logging: bool,
    /// What it does.
    pub action: Action,
}

/// `action` with its `action_parameters`.
#[derive(Debug, Clone)]
pub enum Action {
    /// Ends the request: 403 with 1020, or its own response.
    Block(Option<OwnResponse>),
    /// A proof of work in the browser, then a cookie: `managed_challenge`, `js_challenge`, and `challenge`, which are one here.
    Challenge,
    /// What is not to run for this request.
    Skip(Skip),
    /// The match is written down, nothing else.
    Log,
    /// Runs managed rules.
    Execute(Box<Execute>),
    /// Changes path, query or header fields; of the response in phases of responses.
    Rewrite(Box<Rewrite>),
    /// Ends the request with a redirect.
    Redirect(Box<Redirect>),
    /// Another host header, SNI, address or port toward the origin.
    Route(Box<Route>),
    /// Other settings for this request.
    SetConfig(Box<SetConfig>),
    /// How the cache is to treat it.
    SetCacheSettings(Box<CacheSettings>),
    /// Another page in place of an error.
    ServeError(Box<ServeError>),
    /// Which compressions are offered, best first.
    CompressResponse(Vec<Compression>),
    /// Fields for the request log.
    LogCustomField(Box<LogFields>),
    /// Counts, and acts once the limit is passed.
    RateLimit(Box<RateLimit>),
}

/// `response` of `block`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnResponse {
    /// 400 to 499.
    pub status_code: u16,
    /// `content_type`.
    pub content_type: Box<str>,
    /// `content`, at most 30 KB.
    pub content: Arc<[u8]>,
}

/// A text that is written, or comes of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// `value`.
    Value(Arc<str>),
    /// `expression`.
    Expression(Dynamic),
}

/// Parameters of `skip`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skip {
    /// `ruleset = "current"`: the rest of this ruleset.
    pub current_ruleset: bool,
    /// `phases`.
    pub phases: Vec<Phase>,
    /// `products`.
    pub products: Vec<Product>,
    /// `rules`: managed rules by identifier, of whichever managed ruleset.
    pub rules: Vec<Arc<str>>,
}

/// What `skip` knows besides phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// `bic`: browser integrity check.
    BrowserIntegrityCheck,
    /// `hot`: hotlink protection.
    HotlinkProtection,
    /// `rateLimit`.
    RateLimit,
    /// `securityLevel`.
    SecurityLevel,
    /// `uaBlock`: user-agent blocking.
    UserAgentBlocking,
    /// `waf`: managed rules.
    Waf,
    /// `zoneLockdown`.
    ZoneLockdown,
}

/// Parameters of `execute`: which managed ruleset, with what changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execute {
    /// `id`: the name of a managed ruleset that this version brings along.
    pub id: Box<str>,
    /// `overrides.action`: what is done once the threshold is reached, in place of blocking; `log` makes it watch only.
    pub action: Option<ManagedAction>,
    /// `overrides.enabled`.
    pub enabled: Option<bool>,
    /// `overrides.sensitivity_level`.
    pub sensitivity: Sensitivity,
    /// The paranoia level, 1 to 4 (as the Core Rule Set has it). Ours.
    pub paranoia_level: u8,
    /// The score at which the request is blocked, in place of the sensitivity's. Ours.
    pub anomaly_threshold: Option<u32>,
    /// `overrides.categories`, then `overrides.rules`: later ones win.
    pub overrides: Vec<ManagedOverride>,
}

/// What a managed rule does when it matches: [`ManagedAction::Score`] unless an override says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManagedAction {
    /// Adds to the score; blocks at the threshold.
    Score,
    /// Blocks at once.
    Block,
    /// A challenge.
    Challenge,
    /// Written down.
    Log,
}

/// `sensitivity_level` of managed rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sensitivity {
    /// Threshold 5: a single critical match blocks.
    #[default]
    High,
    /// Threshold 10.
    Medium,
    /// Threshold 25.
    Low,
}

/// One override of managed rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedOverride {
    /// Which: a rule's id or a category.
    pub target: ManagedTarget,
    /// `action`.
    pub action: Option<ManagedAction>,
    /// `enabled`.
    pub enabled: Option<bool>,
}

/// What an override is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagedTarget {
    /// A rule by its id.
    Rule(Box<str>),
    /// A category by its name, such as `sqli`.
    Category(Box<str>),
}

/// Parameters of `rewrite`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// `uri.path`.
    pub path: Option<Text>,
    /// `uri.query`; empty takes the query away.
    pub query: Option<Text>,
    /// `headers`, in the order they were written.
    pub headers: Vec<HeaderChange>,
}

/// One entry of `headers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderChange {
    /// The field's name, as written.
    pub name: Arc<str>,
    /// What becomes of it.
    pub operation: HeaderOperation,
}

/// `operation` of a header change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderOperation {
    /// One more field (responses only).
    Add(Text),
    /// This value in place of all there are.
    Set(Text),
    /// None.
    Remove,
}

/// Parameters of `redirect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// `from_value`.
    Value {
        /// `target_url`.
        target: Text,
        /// `status_code`: 301, 302, 303, 307 or 308.
        status_code: u16,
        /// `preserve_query_string`.
        preserve_query_string: bool,
    },
    /// `from_list`: a bulk redirect list, looked up by `key`.
    List {
        /// The list.
        list: Arc<RedirectList>,
        /// The URL that is looked up; as a rule `http.request.full_uri`.
        key: Dynamic,
    },
}

/// A bulk redirect list, in an order that finds the most particular source first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedirectList {
    /// Its name.
    pub name: Box<str>,
    /// Its items.
    pub items: Vec<RedirectItem>,
}

/// One item of a bulk redirect list ("URL redirect parameters").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectItem {
    /// `source_url`, without scheme where it had none.
    pub source_url: Box<str>,
    /// `target_url`.
    pub target_url: Box<str>,
    /// `status_code`.
    pub status_code: u16,
    /// `preserve_query_string`.
    pub preserve_query_string: bool,
    /// `include_subdomains`.
    pub include_subdomains: bool,
    /// `subpath_matching`.
    pub subpath_matching: bool,
    /// `preserve_path_suffix`.
    pub preserve_path_suffix: bool,
}

/// Parameters of `route`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// `host_header`.
    pub host_header: Option<Text>,
    /// `sni.value`.
    pub sni: Option<Text>,
    /// `origin.host`: a name, which must resolve, or an address.
    pub host: Option<Arc<str>>,
    /// `origin.port`.
    pub port: Option<u16>,
}

/// Parameters of `set_config`: `None` leaves a setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetConfig {
    /// `ssl`, by its value in the API.
    pub ssl: Option<Box<str>>,
    /// `automatic_https_rewrites`, `always_use_https`: whether plain HTTP is redirected.
    pub always_use_https: Option<bool>,
    /// `bic`: browser integrity check.
    pub browser_check: Option<bool>,
    /// `hotlink_protection`.
    pub hotlink_protection: Option<bool>,
    /// `server_timing`. Ours.
    pub server_timing: Option<bool>,
    /// `origin_error_page_pass_thru`.
    pub origin_error_page_pass_thru: Option<bool>,
    /// `read_timeout`. Ours here; Cloudflare has it in cache rules.
    pub read_timeout: Option<Duration>,
    /// `disable_waf`, `disable_apps` and their like are refused; this one is ours: no request log line.
    pub max_upload_bytes: Option<u64>,
}

/// Parameters of `set_cache_settings`, kept for the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// `cache`.
    pub cache: Option<bool>,
    /// `edge_ttl`.
    pub edge_ttl: Option<EdgeTtl>,
    /// `browser_ttl`.
    pub browser_ttl: Option<BrowserTtl>,
    /// `origin_error_page_passthru`.
    pub origin_error_page_passthru: Option<bool>,
    /// `respect_strong_etags`.
    pub respect_strong_etags: Option<bool>,
    /// `origin_cache_control`.
    pub origin_cache_control: Option<bool>,
    /// `read_timeout`.
    pub read_timeout: Option<Duration>,
    /// `serve_stale.disable_stale_while_updating`.
    pub disable_stale_while_updating: Option<bool>,
}

/// `edge_ttl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeTtl {
    /// `mode`.
    pub mode: TtlMode,
    /// `default`.
    pub default: Option<Duration>,
    /// `status_code_ttl`: first and last status, and how long; a negative value of the API is `None`: not stored.
    pub status_code_ttl: Vec<(u16, u16, Option<Duration>)>,
}

/// `browser_ttl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserTtl {
    /// `mode`.
    pub mode: TtlMode,
    /// `default`.
    pub default: Option<Duration>,
}

/// `mode` of a time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TtlMode {
    /// `respect_origin`.
    RespectOrigin,
    /// `override_origin`.
    OverrideOrigin,
    /// `bypass_by_default`, `bypass`.
    Bypass,
}

/// Parameters of `serve_error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeError {
    /// `content`, at most 10 KB, or the content of an asset's file.
    pub content: Arc<str>,
    /// `content_type`.
    pub content_type: Box<str>,
    /// `status_code`, 400 to 999; the error's own if `None`.
    pub status_code: Option<u16>,
}

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `gzip`.
    Gzip,
    /// `brotli`.
    Brotli,
    /// `zstd`.
    Zstd,
    /// `none`: as it came.
    None,
}

impl Compression {
    /// Its name in `Content-Encoding` (RFC 9110 §8.4.1, RFC 7932, RFC 8878); `none` for none.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }
}

/// Parameters of `log_custom_field`: names of header fields and cookies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFields {
    /// `request_fields`.
    pub request_fields: Vec<Arc<str>>,
    /// `response_fields`.
    pub response_fields: Vec<Arc<str>>,
    /// `cookie_fields`.
    pub cookie_fields: Vec<Arc<str>>,
}

/// `ratelimit` of a rule in phase `http_ratelimit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// `characteristics`: requests that are alike in all of them are counted together.
    pub characteristics: Vec<Characteristic>,
    /// `period`: 10 s to a day.
    pub period: Duration,
    /// `requests_per_period`, at least 1.
    pub requests_per_period: u32,
    /// `mitigation_timeout`: how long the action goes on; zero throttles, so that so many per period pass.
    pub mitigation_timeout: Duration,
    /// `counting_expression`: what counts, where that is not what the rule matches. It may be of the response's stage.
    pub counting: Option<Condition>,
    /// Whether counting needs the response (`counting_expression` with fields of the response).
    pub counts_responses: bool,
    /// `requests_to_origin`: only requests that reach the origin count.
    pub requests_to_origin: bool,
    /// What is done beyond the limit.
    pub action: LimitAction,
}

/// What is done beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitAction {
    /// 429 with 1015, or its own response.
    Block(Option<OwnResponse>),
    /// A challenge.
    Challenge,
    /// Written down.
    Log,
}

/// A characteristic of requests that are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Characteristic {
    /// `cf.colo.id`: this edge has one colo; it must be written and changes nothing.
    Colo,
    /// `ip.src`.
    Ip,
    /// `cf.unique_visitor_id`: the address here, since no cookie is set for it.
    UniqueVisitor,
    /// `ip.src.country`.
    Country,
    /// `http.host`.
    Host,
    /// `http.request.uri.path`.
    Path,
    /// `cf.bot_management.ja4`.
    Ja4,
    /// `http.request.headers["name"]`: its first value.
    Header(Arc<str>),
    /// `http.request.cookies["name"]`.
    Cookie(Arc<str>),
    /// `http.request.uri.args["name"]`.
    Argument(Arc<str>),
    /// Any other expression with a value.
    Expression(Dynamic),
}
