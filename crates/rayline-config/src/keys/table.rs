//! The table itself: paths, kinds, defaults and one sentence on each key.
//!
//! A name is Cloudflare's wherever Cloudflare has the thing. Where a number differs from theirs, the sentence says so.

use std::time::Duration;

use super::access::{
    ACCESS_CONFIGURATION, ACCESS_RULE, FORWARDING_URL, LIST, LOCKDOWN, LOCKDOWN_CONFIGURATION, PAGE_RULE,
    PAGE_RULE_ACTIONS, REDIRECT_ITEM, REDIRECT_LIST, USER_AGENT_CONFIGURATION, USER_AGENT_RULE,
};
use super::actions::{
    ALGORITHM, BROWSER_TTL, CATEGORY, COOKIE_FIELD, EDGE_TTL, FROM_LIST, FROM_VALUE, HEADER, ORIGIN, OVERRIDE,
    OVERRIDES, PARAMETERS, PATH, QUERY, REQUEST_FIELD, RESPONSE, RESPONSE_FIELD, SERVE_STALE, SNI, STATUS_CODE_RANGE,
    STATUS_CODE_TTL, TARGET_URL, URI,
};
use super::rollout::{MAINTENANCE, ROLLOUT};
use super::rules::{LOGGING, RATELIMIT, RULE, RULESET};
use super::sight::{ALERT, ALERT_RECEIVER, LOGPUSH, STORE, TRACE};
use super::{Key, Kind, Later, Otherwise, Section};
use crate::plan::{HttpVersion, LogLevel, ProxyProtocol, RecordKind, SslMode, TlsVersion};
use crate::value::names;

use Otherwise::{Default, Nothing, Required};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

const ADDRESS: Kind = Kind::Text("an address and port such as `\"127.0.0.1:8080\"`");
const FILE: Kind = Kind::Text("the path of a PEM file");
const PORT: Kind = Kind::Whole { min: 1, max: 65_535, unit: "" };
const TIMER: Kind = Kind::Time { min: MS, max: HOUR };
const STREAMS: Kind = Kind::Whole { min: 1, max: 1000, unit: "" };
const HEADER_BYTES: Kind = Kind::Whole { min: 1024, max: 16 << 20, unit: "bytes" };

/// Every section, in the order of the reference page.
pub(crate) static SECTIONS: [&Section; 56] = [
    &ROOT,
    &SERVER,
    &LOG,
    &LIMITS,
    &ZONE,
    &SETTINGS,
    &RECORD,
    &CERTIFICATE,
    &ORIGIN_TLS_CLIENT_AUTH,
    &ERROR_PAGES,
    &RULESET,
    &RULE,
    &LOGGING,
    &RATELIMIT,
    &PARAMETERS,
    &RESPONSE,
    &OVERRIDES,
    &CATEGORY,
    &OVERRIDE,
    &URI,
    &PATH,
    &QUERY,
    &HEADER,
    &FROM_VALUE,
    &TARGET_URL,
    &FROM_LIST,
    &ORIGIN,
    &SNI,
    &EDGE_TTL,
    &STATUS_CODE_TTL,
    &STATUS_CODE_RANGE,
    &BROWSER_TTL,
    &SERVE_STALE,
    &ALGORITHM,
    &REQUEST_FIELD,
    &RESPONSE_FIELD,
    &COOKIE_FIELD,
    &LIST,
    &REDIRECT_LIST,
    &REDIRECT_ITEM,
    &ACCESS_RULE,
    &ACCESS_CONFIGURATION,
    &LOCKDOWN,
    &LOCKDOWN_CONFIGURATION,
    &USER_AGENT_RULE,
    &USER_AGENT_CONFIGURATION,
    &PAGE_RULE,
    &PAGE_RULE_ACTIONS,
    &FORWARDING_URL,
    &MAINTENANCE,
    &ROLLOUT,
    &STORE,
    &LOGPUSH,
    &TRACE,
    &ALERT,
    &ALERT_RECEIVER,
];

pub(crate) static ROOT: Section = Section {
    path: "",
    doc: "What stands at the top of the file",
    keys: &[
        Key {
            name: "server",
            kind: Kind::Table(&SERVER),
            otherwise: Required { example: "" },
            doc: "Listeners, files, and what holds for every zone",
        },
        Key {
            name: "log",
            kind: Kind::Table(&LOG),
            otherwise: Nothing { means: "the defaults below", example: "" },
            doc: "The request log and the edge's own log",
        },
        Key {
            name: "limits",
            kind: Kind::Table(&LIMITS),
            otherwise: Nothing { means: "the defaults below", example: "" },
            doc: "Timers and sizes",
        },
        Key {
            name: "zone",
            kind: Kind::Tables(&ZONE),
            otherwise: Required { example: "" },
            doc: "The domains the edge serves, at least one",
        },
        Key::optional("list", Kind::Tables(&LIST), ("none", ""), "Lists that expressions may name"),
        Key::optional("redirect_list", Kind::Tables(&REDIRECT_LIST), ("none", ""), "Lists of redirects"),
        Key {
            name: "rollout",
            kind: Kind::Table(&ROLLOUT),
            otherwise: Nothing { means: "the defaults below", example: "" },
            doc: "How versions of the configuration are rolled out",
        },
        Key {
            name: "store",
            kind: Kind::Table(&STORE),
            otherwise: Nothing { means: "the defaults below", example: "" },
            doc: "The analytics store",
        },
        Key {
            name: "logpush",
            kind: Kind::Tables(&LOGPUSH),
            otherwise: Nothing { means: "none", example: "" },
            doc: "Jobs that send the request log elsewhere",
        },
        Key {
            name: "trace",
            kind: Kind::Table(&TRACE),
            otherwise: Nothing { means: "no traces are sent", example: "" },
            doc: "OpenTelemetry",
        },
        Key {
            name: "alert",
            kind: Kind::Tables(&ALERT),
            otherwise: Nothing { means: "none", example: "" },
            doc: "What somebody is told of",
        },
        Key {
            name: "alert_receiver",
            kind: Kind::Tables(&ALERT_RECEIVER),
            otherwise: Nothing { means: "none", example: "" },
            doc: "Who is told",
        },
    ],
    later: &[
        Later { feature: "load balancing", names: &["monitor", "pool"] },
        Later { feature: "Workers", names: &["worker"] },
    ],
};

pub(crate) static SERVER: Section = Section {
    path: "server",
    doc: "Listeners, files, and what holds for every zone. At least one listener is needed",
    keys: &[
        Key {
            name: "http",
            kind: Kind::List(&ADDRESS),
            otherwise: Default("[]"),
            doc: "Where visitors are served over plain HTTP; port 0 lets the system choose a port",
        },
        Key {
            name: "https",
            kind: Kind::List(&ADDRESS),
            otherwise: Default("[]"),
            doc: "Where visitors are served over TLS",
        },
        Key {
            name: "admin",
            kind: ADDRESS,
            otherwise: Nothing { means: "closed", example: "\"127.0.0.1:8787\"" },
            doc: "Where the admin server listens: dashboard, API, metrics",
        },
        Key {
            name: "data_dir",
            kind: Kind::Text("the path of a folder"),
            otherwise: Default("\"rayline-data\""),
            doc: "The folder for what the edge writes; it is created",
        },
        Key {
            name: "colo",
            kind: Kind::Text("three letters from `A` to `Z` such as `\"LHR\"`"),
            otherwise: Default("\"RAY\""),
            doc: "Where this edge stands, as Ray IDs and `/cdn-cgi/trace` name it",
        },
        Key {
            name: "brand",
            kind: Kind::Text("a name"),
            otherwise: Default("\"Rayline\""),
            doc: "What error pages call the edge",
        },
        Key {
            name: "threads",
            kind: Kind::Whole { min: 0, max: 1024, unit: "" },
            otherwise: Default("0"),
            doc: "Threads that serve visitors; 0 means one per core",
        },
        Key {
            name: "allow_private_origins",
            kind: Kind::Flag,
            otherwise: Default("false"),
            doc: "Whether an origin's name may resolve to a private, loopback or link-local address; if not, that is error \
                  1002. An address written literally in a record is always allowed",
        },
        Key {
            name: "development_ca",
            kind: Kind::Flag,
            otherwise: Default("false"),
            doc: "Whether names without a certificate get one from a local authority in `data_dir`, which browsers do not trust",
        },
        Key {
            name: "origin_ca",
            kind: Kind::List(&FILE),
            otherwise: Default("[]"),
            doc: "Certificates of authorities trusted toward origins besides the public ones",
        },
        Key {
            name: "origin_crl",
            kind: Kind::List(&Kind::Text("the path of a PEM or DER file")),
            otherwise: Default("[]"),
            doc: "Revocation lists that origins' certificates are held against",
        },
        Key {
            name: "resolvers",
            kind: Kind::List(&Kind::Text("an address such as `\"9.9.9.9\"`, with a port if it is not 53")),
            otherwise: Default("[]"),
            doc: "Name servers asked for origins' names; none means the system's",
        },
        Key {
            name: "trusted_proxies",
            kind: Kind::List(&Kind::Text("an address or a network such as `\"10.0.0.0/8\"`")),
            otherwise: Default("[]"),
            doc: "Whose `CF-Connecting-IP` and `X-Forwarded-For` are believed: another edge in front of this one",
        },
        Key {
            name: "asn_table",
            kind: Kind::Text("the path of a text file"),
            otherwise: Nothing { means: "no number is known", example: "\"ip2asn-combined.tsv\"" },
            doc: "A table of who announces which network, for rules about autonomous systems: on each line a range or a network and \
                  its number, as in the files of iptoasn.com and in the CSV of GeoLite2",
        },
        Key {
            name: "proxy_protocol",
            kind: Kind::OneOf(names::<ProxyProtocol>),
            otherwise: Default("\"off\""),
            doc: "Which version of the PROXY protocol's header visitors' connections begin with, to name the visitor: all \
                  connections if `trusted_proxies` is empty; else those from its addresses, and no others",
        },
        Key {
            name: "drain_timeout",
            kind: Kind::Time { min: Duration::ZERO, max: HOUR },
            otherwise: Default("\"30s\""),
            doc: "How long requests in flight may take once the edge was told to end; then they are cut",
        },
        Key {
            name: "client_head_timeout",
            kind: TIMER,
            otherwise: Default("\"30s\""),
            doc: "How long a visitor may take to send a request's header section; then 408",
        },
        Key {
            name: "client_body_timeout",
            kind: TIMER,
            otherwise: Default("\"30s\""),
            doc: "How long a visitor may pause between two pieces of a request's body; then 408",
        },
        Key {
            name: "client_write_timeout",
            kind: TIMER,
            otherwise: Default("\"60s\""),
            doc: "How long a visitor may take none of an answer; then the connection is closed",
        },
        Key {
            name: "keepalive_timeout",
            kind: Kind::Time { min: SECOND, max: DAY },
            otherwise: Default("\"400s\""),
            doc: "How long a visitor's connection stays open without a request",
        },
        Key {
            name: "max_connections",
            kind: Kind::Whole { min: 1, max: 10_000_000, unit: "" },
            otherwise: Default("65536"),
            doc: "Visitors' connections open at once, over all threads",
        },
        Key {
            name: "http2_max_streams",
            kind: STREAMS,
            otherwise: Default("100"),
            doc: "Requests a visitor may have under way at once on one HTTP/2 connection",
        },
    ],
    later: &[Later { feature: "HTTP/3", names: &["http3"] }],
};

pub(crate) static LOG: Section = Section {
    path: "log",
    doc: "The request log and the edge's own log",
    keys: &[
        Key {
            name: "requests",
            kind: Kind::Text("the path of a file, `\"stdout\"` or `\"off\"`"),
            otherwise: Default("\"requests.ndjson\""),
            doc: "Where each request is written as one line of JSON; a relative path starts at `data_dir`",
        },
        Key {
            name: "level",
            kind: Kind::OneOf(names::<LogLevel>),
            otherwise: Default("\"info\""),
            doc: "How much the edge says of itself on standard error",
        },
    ],
    later: &[],
};

pub(crate) static LIMITS: Section = Section {
    path: "limits",
    doc: "Timers and sizes. The defaults are Cloudflare's, but for `tls_timeout`, `resolve_timeout` and \
          `websocket_idle_timeout`, which Cloudflare does not publish",
    keys: &[
        Key {
            name: "connect_timeout",
            kind: TIMER,
            otherwise: Default("\"19s\""),
            doc: "How long the origin may take to accept a TCP connection; then 522",
        },
        Key {
            name: "ack_timeout",
            kind: TIMER,
            otherwise: Default("\"90s\""),
            doc: "How long what was sent to the origin may stay unacknowledged; then 522",
        },
        Key {
            name: "tls_timeout",
            kind: TIMER,
            otherwise: Default("\"19s\""),
            doc: "How long the TLS handshake with the origin may take; then 525",
        },
        Key {
            name: "write_timeout",
            kind: TIMER,
            otherwise: Default("\"30s\""),
            doc: "How long the origin may refuse to read more of the request; then 524",
        },
        Key {
            name: "resolve_timeout",
            kind: TIMER,
            otherwise: Default("\"5s\""),
            doc: "How long resolving the origin's name may take; then 530 with 1016",
        },
        Key {
            name: "idle_timeout",
            kind: Kind::Time { min: SECOND, max: DAY },
            otherwise: Default("\"900s\""),
            doc: "How long an unused connection to an origin is kept for reuse",
        },
        Key {
            name: "websocket_idle_timeout",
            kind: Kind::Time { min: SECOND, max: DAY },
            otherwise: Default("\"900s\""),
            doc: "How long a WebSocket may carry nothing either way; then it is closed",
        },
        Key {
            name: "tcp_keepalive",
            kind: Kind::Time { min: SECOND, max: HOUR },
            otherwise: Default("\"30s\""),
            doc: "Silence on a connection to an origin before its kernel is probed; half as long again after each of two unanswered probes it is lost, a 520",
        },
        Key {
            name: "response_header_bytes",
            kind: HEADER_BYTES,
            otherwise: Default("131072"),
            doc: "How long an origin's header section may be; beyond it 520",
        },
        Key {
            name: "request_header_bytes",
            kind: HEADER_BYTES,
            otherwise: Default("131072"),
            doc: "How long a visitor's header section may be; beyond it 431",
        },
        Key {
            name: "request_uri_bytes",
            kind: Kind::Whole { min: 256, max: 1 << 20, unit: "bytes" },
            otherwise: Default("32768"),
            doc: "How long a request's target may be; beyond it 414",
        },
        Key {
            name: "request_body_bytes",
            kind: Kind::Whole { min: 0, max: 1 << 40, unit: "bytes" },
            otherwise: Default("104857600"),
            doc: "How long a request's body may be where the zone has no `max_upload`; beyond it 413",
        },
    ],
    later: &[],
};

pub(crate) static ZONE: Section = Section {
    path: "zone",
    doc: "One domain. Hosts of no zone get 409 with 1001",
    keys: &[
        Key {
            name: "name",
            kind: Kind::Text("a domain such as `\"example.com\"`"),
            otherwise: Required { example: "\"example.com\"" },
            doc: "The domain; names of records are relative to it",
        },
        Key {
            name: "paused",
            kind: Kind::Flag,
            otherwise: Default("false"),
            doc: "Whether requests are only proxied, logged and attributed, without settings",
        },
        Key {
            name: "settings",
            kind: Kind::Table(&SETTINGS),
            otherwise: Nothing { means: "the defaults below", example: "" },
            doc: "The zone's settings",
        },
        Key {
            name: "dns_records",
            kind: Kind::Tables(&RECORD),
            otherwise: Nothing { means: "no host is served", example: "" },
            doc: "Which host names there are, and where their origins are",
        },
        Key {
            name: "certificates",
            kind: Kind::Tables(&CERTIFICATE),
            otherwise: Nothing { means: "none", example: "" },
            doc: "Certificates shown to visitors",
        },
        Key {
            name: "origin_tls_client_auth",
            kind: Kind::Table(&ORIGIN_TLS_CLIENT_AUTH),
            otherwise: Nothing { means: "none", example: "" },
            doc: "The client certificate shown to origins",
        },
        Key {
            name: "error_pages",
            kind: Kind::Table(&ERROR_PAGES),
            otherwise: Nothing { means: "the edge's own pages", example: "" },
            doc: "Pages shown in place of the edge's own",
        },
        Key::optional("rulesets", Kind::Tables(&RULESET), ("none", ""), "Rules, phase by phase"),
        Key::optional(
            "access_rules",
            Kind::Tables(&ACCESS_RULE),
            ("none", ""),
            "Who is let in, challenged or shut out by address or country",
        ),
        Key::optional("lockdowns", Kind::Tables(&LOCKDOWN), ("none", ""), "URLs that only some addresses may ask for"),
        Key::optional(
            "user_agent_rules",
            Kind::Tables(&USER_AGENT_RULE),
            ("none", ""),
            "User agents that are shut out or challenged",
        ),
        Key::optional("page_rules", Kind::Tables(&PAGE_RULE), ("none", ""), "Page Rules, translated into rules"),
        Key {
            name: "maintenance",
            kind: Kind::Table(&MAINTENANCE),
            otherwise: Nothing { means: "no maintenance", example: "" },
            doc: "Maintenance of the zone",
        },
    ],
    later: &[
        Later { feature: "load balancing", names: &["load_balancers"] },
        Later { feature: "Workers", names: &["workers_routes"] },
    ],
};

pub(crate) static SETTINGS: Section = Section {
    path: "zone.settings",
    doc: "Ids and values are those of Cloudflare's zone settings, besides `origin_http_port`, `origin_https_port` and \
          `server_timing`, which are Rayline's. Where `\"on\"` and `\"off\"` stand, `true` and `false` are taken too",
    keys: &[
        Key {
            name: "ssl",
            kind: Kind::OneOf(names::<SslMode>),
            otherwise: Default("\"strict\""),
            doc: "How the edge reaches origins: `off` and `flexible` by HTTP; `full` by the visitor's scheme, any certificate \
                  will do; `strict` the same, the certificate must be valid; `origin_pull` always by HTTPS with a valid one",
        },
        Key {
            name: "proxy_read_timeout",
            kind: Kind::Time { min: SECOND, max: Duration::from_secs(6000) },
            otherwise: Default("125"),
            doc: "Seconds an origin may take to answer, and to pause within an answer; then 524",
        },
        Key {
            name: "always_use_https",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether plain HTTP is answered with 301 to HTTPS",
        },
        Key {
            name: "min_tls_version",
            kind: Kind::OneOf(names::<TlsVersion>),
            otherwise: Default("\"1.2\""),
            doc: "The lowest TLS version visitors may use",
        },
        Key {
            name: "origin_max_http_version",
            kind: Kind::OneOf(names::<HttpVersion>),
            otherwise: Default("\"2\""),
            doc: "The highest HTTP version spoken to origins; HTTP/2 where the origin chooses it in the TLS handshake (ALPN)",
        },
        Key {
            name: "origin_h2_max_streams",
            kind: STREAMS,
            otherwise: Default("100"),
            doc: "Requests under way at once on one HTTP/2 connection to an origin, if the origin allows as many",
        },
        Key {
            name: "http2",
            kind: Kind::Switch,
            otherwise: Default("\"on\""),
            doc: "Whether visitors are offered HTTP/2 over TLS (ALPN)",
        },
        Key {
            name: "websockets",
            kind: Kind::Switch,
            otherwise: Default("\"on\""),
            doc: "Whether visitors may open WebSockets to origins",
        },
        Key {
            name: "ip_geolocation",
            kind: Kind::Switch,
            otherwise: Default("\"on\""),
            doc: "Whether origins are told the visitor's country in `CF-IPCountry`",
        },
        Key {
            name: "tls_client_auth",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether origins that ask for a client certificate over TLS are shown that of \
                  `[zone.origin_tls_client_auth]` (authenticated origin pulls)",
        },
        Key {
            name: "development_mode",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether the cache is bypassed; in this version there is no cache",
        },
        Key { name: "origin_http_port", kind: PORT, otherwise: Default("80"), doc: "The port origins serve HTTP on" },
        Key {
            name: "origin_https_port",
            kind: PORT,
            otherwise: Default("443"),
            doc: "The port origins serve HTTPS on",
        },
        Key {
            name: "origin_error_page_pass_thru",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether visitors see an origin's own 502 and 504 pages instead of the edge's",
        },
        Key {
            name: "max_upload",
            kind: Kind::Whole { min: 1, max: 1 << 20, unit: "MB" },
            otherwise: Nothing { means: "`limits.request_body_bytes`", example: "200" },
            doc: "How many MB (of 1,048,576 bytes) a request's body may have; beyond it 413",
        },
        Key {
            name: "server_timing",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether answers carry `Server-Timing` with the time spent in each phase",
        },
        Key::with(
            "browser_check",
            Kind::Switch,
            "\"off\"",
            "Whether requests whose header fields no browser sends get 403 with 1010; Cloudflare's default is `on`",
        ),
        Key::with(
            "hotlink_protection",
            Kind::Switch,
            "\"off\"",
            "Whether pages of other sites that show this zone's images get 403 with 1011",
        ),
        Key::with(
            "challenge_ttl",
            Kind::Time { min: Duration::from_secs(300), max: Duration::from_secs(31_536_000) },
            "1800",
            "Seconds for which a challenge that was passed holds",
        ),
    ],
    later: &[
        Later {
            feature: "caching",
            names: &[
                "always_online",
                "browser_cache_ttl",
                "cache_level",
                "early_hints",
                "edge_cache_ttl",
                "response_buffering",
                "sort_query_string_for_cache",
            ],
        },
        Later { feature: "HTTP/3 and priorities", names: &["0rtt", "h2_prioritization", "http3"] },
        Later { feature: "security features", names: &["advanced_ddos", "privacy_pass", "security_level", "waf"] },
        Later {
            feature: "further TLS settings",
            names: &[
                "ciphers",
                "opportunistic_encryption",
                "security_header",
                "sha1_support",
                "tls_1_2_only",
                "tls_1_3",
            ],
        },
        Later {
            feature: "content optimisation",
            names: &[
                "automatic_https_rewrites",
                "automatic_platform_optimization",
                "brotli",
                "content_converter",
                "email_obfuscation",
                "image_resizing",
                "mirage",
                "polish",
                "prefetch_preload",
                "redirects_for_ai_training",
                "replace_insecure_js",
                "rocket_loader",
                "search_for_agents",
                "server_side_exclude",
                "webp",
            ],
        },
        Later {
            feature: "network features",
            names: &[
                "aegis",
                "cname_flattening",
                "ipv6",
                "nel",
                "opportunistic_onion",
                "orange_to_orange",
                "pseudo_ipv4",
                "true_client_ip_header",
            ],
        },
    ],
};

pub(crate) static RECORD: Section = Section {
    path: "zone.dns_records",
    doc: "One record. A host name is looked up as DNS does: its own records first, else those of the wildcard directly below \
          the closest name that exists. Several `A` and `AAAA` records of one name are all tried. A `CNAME` to a name of a \
          zone in this file leads to that name's origin, without asking a name server",
    keys: &[
        Key {
            name: "type",
            kind: Kind::OneOf(names::<RecordKind>),
            otherwise: Required { example: "\"A\"" },
            doc: "The record's type",
        },
        Key {
            name: "name",
            kind: Kind::Text("a name such as `\"www\"`, `\"@\"` or `\"*\"`"),
            otherwise: Required { example: "\"www\"" },
            doc: "The host name, relative to the zone or in full; `@` is the zone itself; a leading `*` stands for one label or more",
        },
        Key {
            name: "content",
            kind: Kind::Text("an address or a name"),
            otherwise: Required { example: "\"192.0.2.10\"" },
            doc: "The origin: an IPv4 address for `A`, an IPv6 address for `AAAA`, a name for `CNAME`",
        },
        Key {
            name: "proxied",
            kind: Kind::Flag,
            otherwise: Default("true"),
            doc: "Whether the edge serves the name; `false` is DNS-only, and requests for it get 409 with 1001",
        },
        Key {
            name: "comment",
            kind: Kind::Text("a text"),
            otherwise: Nothing { means: "none", example: "\"the shop's server\"" },
            doc: "A note for the people who read the file",
        },
    ],
    later: &[Later { feature: "answering DNS queries", names: &["data", "priority", "settings", "tags", "ttl"] }],
};

pub(crate) static CERTIFICATE: Section = Section {
    path: "zone.certificates",
    doc: "One certificate shown to visitors. Which one a visitor sees is decided by the server name (SNI)",
    keys: &[
        Key {
            name: "certificate",
            kind: FILE,
            otherwise: Required { example: "\"example.com.pem\"" },
            doc: "The certificate, followed by the intermediate ones",
        },
        Key {
            name: "private_key",
            kind: FILE,
            otherwise: Required { example: "\"example.com.key\"" },
            doc: "Its private key (PKCS #8, PKCS #1 or SEC 1), not encrypted",
        },
    ],
    later: &[],
};

pub(crate) static ORIGIN_TLS_CLIENT_AUTH: Section = Section {
    path: "zone.origin_tls_client_auth",
    doc: "The certificate by which origins know the edge, shown to them where `tls_client_auth` is on",
    keys: &[
        Key {
            name: "certificate",
            kind: FILE,
            otherwise: Required { example: "\"edge-client.pem\"" },
            doc: "The certificate, followed by the intermediate ones",
        },
        Key {
            name: "private_key",
            kind: FILE,
            otherwise: Required { example: "\"edge-client.key\"" },
            doc: "Its private key (PKCS #8, PKCS #1 or SEC 1), not encrypted",
        },
    ],
    later: &[],
};

pub(crate) static ERROR_PAGES: Section = Section {
    path: "zone.error_pages",
    doc: "Identifiers are those of Cloudflare's error pages. Each page is an HTML file of at most 1,500,000 bytes with \
          `<head></head>` in it",
    keys: &[
        Key {
            name: "500_errors",
            kind: Kind::Text("the path of an HTML file"),
            otherwise: Nothing { means: "the edge's own page", example: "\"pages/500.html\"" },
            doc: "For 5xx errors the edge makes; it must contain `::CLOUDFLARE_ERROR_500S_BOX::` or `::RAYLINE_ERROR_500S_BOX::`",
        },
        Key {
            name: "1000_errors",
            kind: Kind::Text("the path of an HTML file"),
            otherwise: Nothing { means: "the edge's own page", example: "\"pages/1000.html\"" },
            doc: "For 1xxx errors; it must contain `::CLOUDFLARE_ERROR_1000S_BOX::` or `::RAYLINE_ERROR_1000S_BOX::`",
        },
    ],
    later: &[Later {
        feature: "security features",
        names: &[
            "basic_challenge",
            "country_challenge",
            "ip_block",
            "managed_challenge",
            "ratelimit_block",
            "under_attack",
            "waf_block",
            "waf_challenge",
        ],
    }],
};
