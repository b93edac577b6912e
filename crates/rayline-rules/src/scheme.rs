//! Every field and function that an expression can name, with its type (Cloudflare Rules language, "Fields reference"
//! and "Functions"): one table, which the parser, the checker, the evaluator and the reference page read.
//!
//! A field that this edge cannot know is in the table too, with the reason: naming it is an error, never a silent `false`.

use std::fmt;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number, 64 bits with sign.
    Int,
    /// A number with a fraction.
    Float,
    /// Bytes, mostly text.
    Bytes,
    /// An address of IPv4 or IPv6.
    Ip,
    /// An array.
    Array(&'static Self),
    /// A map from texts.
    Map(&'static Self),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("a truth value"),
            Self::Int => f.write_str("a number"),
            Self::Float => f.write_str("a decimal number"),
            Self::Bytes => f.write_str("a text"),
            Self::Ip => f.write_str("an address"),
            Self::Array(of) => write!(f, "an array, each {of}"),
            Self::Map(of) => write!(f, "a map, each {of}"),
        }
    }
}

const BYTES: Type = Type::Bytes;
const INT: Type = Type::Int;
const BOOL: Type = Type::Bool;
const IP: Type = Type::Ip;
/// An array of texts.
const TEXTS: Type = Type::Array(&Type::Bytes);
/// A map from texts to arrays of texts, as of header fields.
const MULTIMAP: Type = Type::Map(&Type::Array(&Type::Bytes));

/// When a field is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// From the request's head on.
    Request,
    /// Once the body, or its first part, has been read.
    Body,
    /// Once the origin, or the edge, has answered.
    Response,
    /// Never: the text says why, and what to use instead where there is something.
    Unknown(&'static str),
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal: $type:expr, $stage:expr;)*) => {
        /// A field of the language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Field {
            /// Every field, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in an expression.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its type.
            pub const fn of_type(self) -> Type {
                match self { $(Self::$variant => $type,)* }
            }

            /// When it is known.
            pub const fn stage(self) -> Stage {
                match self { $(Self::$variant => $stage,)* }
            }

            /// One sentence on it, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*),)* }
            }
        }
    };
}

const NO_BOTS: &str = "this edge does not tell bots from people";
const NO_PLACES: &str = "this edge knows the country of an address, no more; use `ip.src.country`";
const NO_SAAS: &str = "this edge has no custom hostnames";
const NO_INTELLIGENCE: &str = "this edge has no reputation data; use a list of addresses of your own";

fields! {
    /// The host name asked for, lower case, without port.
    HttpHost = "http.host": BYTES, Stage::Request;
    /// `Cookie`, whole.
    HttpCookie = "http.cookie": BYTES, Stage::Request;
    /// `Referer`.
    HttpReferer = "http.referer": BYTES, Stage::Request;
    /// `User-Agent`.
    HttpUserAgent = "http.user_agent": BYTES, Stage::Request;
    /// `X-Forwarded-For`, as the visitor sent it.
    HttpXForwardedFor = "http.x_forwarded_for": BYTES, Stage::Request;
    /// The method, in capitals.
    Method = "http.request.method": BYTES, Stage::Request;
    /// Path and query, normalised, as rewritten so far.
    Uri = "http.request.uri": BYTES, Stage::Request;
    /// The path of it.
    UriPath = "http.request.uri.path": BYTES, Stage::Request;
    /// What stands behind the last dot of the path's last segment, lower case.
    UriPathExtension = "http.request.uri.path.extension": BYTES, Stage::Request;
    /// The query of it, without the question mark.
    UriQuery = "http.request.uri.query": BYTES, Stage::Request;
    /// The query's arguments, decoded neither of `%` nor of `+`.
    UriArgs = "http.request.uri.args": MULTIMAP, Stage::Request;
    /// Their names, in order.
    UriArgsNames = "http.request.uri.args.names": TEXTS, Stage::Request;
    /// Their values, in order.
    UriArgsValues = "http.request.uri.args.values": TEXTS, Stage::Request;
    /// Scheme, host and `http.request.uri`.
    FullUri = "http.request.full_uri": BYTES, Stage::Request;
    /// The same as it came.
    RawUri = "raw.http.request.uri": BYTES, Stage::Request;
    /// The path as it came.
    RawUriPath = "raw.http.request.uri.path": BYTES, Stage::Request;
    /// The extension of the path as it came.
    RawUriPathExtension = "raw.http.request.uri.path.extension": BYTES, Stage::Request;
    /// The query as it came.
    RawUriQuery = "raw.http.request.uri.query": BYTES, Stage::Request;
    /// Its arguments.
    RawUriArgs = "raw.http.request.uri.args": MULTIMAP, Stage::Request;
    /// Their names.
    RawUriArgsNames = "raw.http.request.uri.args.names": TEXTS, Stage::Request;
    /// Their values.
    RawUriArgsValues = "raw.http.request.uri.args.values": TEXTS, Stage::Request;
    /// Scheme, host and `raw.http.request.uri`.
    RawFullUri = "raw.http.request.full_uri": BYTES, Stage::Request;
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    Version = "http.request.version": BYTES, Stage::Request;
    /// The header fields by name in lower case.
    Headers = "http.request.headers": MULTIMAP, Stage::Request;
    /// Their names in lower case.
    HeadersNames = "http.request.headers.names": TEXTS, Stage::Request;
    /// Their values.
    HeadersValues = "http.request.headers.values": TEXTS, Stage::Request;
    /// Whether some were left out of the map: never, since a section over the limit is refused.
    HeadersTruncated = "http.request.headers.truncated": BOOL, Stage::Request;
    /// The cookies by name.
    Cookies = "http.request.cookies": MULTIMAP, Stage::Request;
    /// The languages of `Accept-Language` by falling weight.
    AcceptedLanguages = "http.request.accepted_languages": TEXTS, Stage::Request;
    /// Seconds since 1970.
    TimestampSec = "http.request.timestamp.sec": INT, Stage::Request;
    /// The milliseconds of that second.
    TimestampMsec = "http.request.timestamp.msec": INT, Stage::Request;
    /// The body, as far as it was read for rules.
    BodyRaw = "http.request.body.raw": BYTES, Stage::Body;
    /// Its size in bytes, as announced or read.
    BodySize = "http.request.body.size": INT, Stage::Body;
    /// Whether there is more of it than was read for rules.
    BodyTruncated = "http.request.body.truncated": BOOL, Stage::Body;
    /// Its media type, from `Content-Type`, lower case.
    BodyMime = "http.request.body.mime": BYTES, Stage::Request;
    /// The fields of a form (`application/x-www-form-urlencoded`).
    BodyForm = "http.request.body.form": MULTIMAP, Stage::Body;
    /// Their names.
    BodyFormNames = "http.request.body.form.names": TEXTS, Stage::Body;
    /// Their values.
    BodyFormValues = "http.request.body.form.values": TEXTS, Stage::Body;
    /// The values of the parts of a multipart body.
    BodyMultipartValues = "http.request.body.multipart.values": TEXTS, Stage::Body;
    /// The names of the parts.
    BodyMultipartNames = "http.request.body.multipart.names": TEXTS, Stage::Body;
    /// The file names of the parts.
    BodyMultipartFilenames = "http.request.body.multipart.filenames": TEXTS, Stage::Body;
    /// The address of the visitor.
    IpSrc = "ip.src": IP, Stage::Request;
    /// The number of the network that it belongs to, by the file that `asn_table` names; 0 if the file does not have it.
    /// Without such a file the field is refused.
    IpSrcAsnum = "ip.src.asnum": INT, Stage::Request;
    /// The country that it is registered in, two capitals.
    IpSrcCountry = "ip.src.country": BYTES, Stage::Request;
    /// The continent of that country: `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`, or `T1`.
    IpSrcContinent = "ip.src.continent": BYTES, Stage::Request;
    /// Whether that country is of the European Union.
    IpSrcIsInEuropeanUnion = "ip.src.is_in_european_union": BOOL, Stage::Request;
    /// The city.
    IpSrcCity = "ip.src.city": BYTES, Stage::Unknown(NO_PLACES);
    /// The region.
    IpSrcRegion = "ip.src.region": BYTES, Stage::Unknown(NO_PLACES);
    /// The code of the region.
    IpSrcRegionCode = "ip.src.region_code": BYTES, Stage::Unknown(NO_PLACES);
    /// The latitude.
    IpSrcLat = "ip.src.lat": BYTES, Stage::Unknown(NO_PLACES);
    /// The longitude.
    IpSrcLon = "ip.src.lon": BYTES, Stage::Unknown(NO_PLACES);
    /// The postal code.
    IpSrcPostalCode = "ip.src.postal_code": BYTES, Stage::Unknown(NO_PLACES);
    /// The metropolitan area.
    IpSrcMetroCode = "ip.src.metro_code": BYTES, Stage::Unknown(NO_PLACES);
    /// The time zone.
    IpSrcTimezoneName = "ip.src.timezone.name": BYTES, Stage::Unknown(NO_PLACES);
    /// Whether the visitor speaks TLS.
    Ssl = "ssl": BOOL, Stage::Request;
    /// The Ray ID.
    CfRayId = "cf.ray_id": BYTES, Stage::Request;
    /// 32 random bytes of this request's own, for sampling.
    CfRandomSeed = "cf.random_seed": BYTES, Stage::Request;
    /// The colo, three capitals.
    CfColoName = "cf.colo.name": BYTES, Stage::Request;
    /// The region of the colo.
    CfColoRegion = "cf.colo.region": BYTES, Stage::Unknown("a colo of this edge has a name and no region; use `cf.colo.name`");
    /// The edge's address that the visitor reached.
    CfEdgeServerIp = "cf.edge.server_ip": IP, Stage::Request;
    /// Its port.
    CfEdgeServerPort = "cf.edge.server_port": INT, Stage::Request;
    /// The visitor's port.
    CfEdgeClientPort = "cf.edge.client_port": INT, Stage::Request;
    /// Round-trip time to the visitor, in milliseconds, as the kernel sees it.
    CfEdgeClientTcp = "cf.timings.client_tcp_rtt_msec": INT, Stage::Unknown("this edge does not ask the kernel for it at each request");
    /// The zone's name.
    CfZoneName = "cf.zone.name": BYTES, Stage::Request;
    /// `TLSv1.2`, `TLSv1.3`; empty over plain TCP.
    CfTlsVersion = "cf.tls_version": BYTES, Stage::Request;
    /// The cipher suite by its OpenSSL name; empty over plain TCP.
    CfTlsCipher = "cf.tls_cipher": BYTES, Stage::Request;
    /// SHA-1 over the visitor's offered cipher suites, base64.
    CfTlsCiphersSha1 = "cf.tls_ciphers_sha1": BYTES, Stage::Unknown("use `cf.bot_management.ja4`");
    /// A fingerprint of the visitor's TLS, in the manner of JA4; empty over plain TCP.
    CfJa4 = "cf.bot_management.ja4": BYTES, Stage::Request;
    /// The older fingerprint.
    CfJa3 = "cf.bot_management.ja3_hash": BYTES, Stage::Unknown("it is superseded; use `cf.bot_management.ja4`");
    /// How likely a person is.
    CfBotScore = "cf.bot_management.score": INT, Stage::Unknown(NO_BOTS);
    /// Whether it is a good bot.
    CfVerifiedBot = "cf.bot_management.verified_bot": BOOL, Stage::Unknown(NO_BOTS);
    /// Whether it asks for a static file.
    CfStaticResource = "cf.bot_management.static_resource": BOOL, Stage::Unknown(NO_BOTS);
    /// Whether it is a known good bot.
    CfClientBot = "cf.client.bot": BOOL, Stage::Unknown(NO_BOTS);
    /// What kind of good bot.
    CfVerifiedBotCategory = "cf.verified_bot_category": BYTES, Stage::Unknown(NO_BOTS);
    /// The reputation of the address.
    CfThreatScore = "cf.threat_score": INT, Stage::Unknown(NO_INTELLIGENCE);
    /// The anomaly score of the managed rules so far, higher is worse. Ours: Cloudflare's score runs the other way.
    CfWafScore = "cf.waf.score": INT, Stage::Unknown("managed rules here have an anomaly score: higher is worse; use `rayline.waf.anomaly_score`");
    /// The class of that score.
    CfWafScoreClass = "cf.waf.score.class": BYTES, Stage::Unknown("use `rayline.waf.anomaly_score`");
    /// The anomaly score that the managed rules came to: 0 where nothing matched or they did not run. Ours.
    WafAnomalyScore = "rayline.waf.anomaly_score": INT, Stage::Body;
    /// The zone of the worker that asks.
    CfWorkerUpstreamZone = "cf.worker.upstream_zone": BYTES, Stage::Unknown("this version has no Workers");
    /// Metadata of a custom hostname.
    CfHostnameMetadata = "cf.hostname.metadata": BYTES, Stage::Unknown(NO_SAAS);
    /// Whether the visitor presented a client certificate.
    CfTlsClientAuthPresented = "cf.tls_client_auth.cert_presented": BOOL, Stage::Unknown("this edge asks visitors for no certificates");
    /// Whether it was verified.
    CfTlsClientAuthVerified = "cf.tls_client_auth.cert_verified": BOOL, Stage::Unknown("this edge asks visitors for no certificates");
    /// The status of the answer.
    ResponseCode = "http.response.code": INT, Stage::Response;
    /// The answer's header fields by name in lower case.
    ResponseHeaders = "http.response.headers": MULTIMAP, Stage::Response;
    /// Their names in lower case.
    ResponseHeadersNames = "http.response.headers.names": TEXTS, Stage::Response;
    /// Their values.
    ResponseHeadersValues = "http.response.headers.values": TEXTS, Stage::Response;
    /// The media type of the answer, lower case.
    ResponseMediaType = "http.response.content_type.media_type": BYTES, Stage::Response;
    /// The 1xxx number of the edge's own answer, else 0.
    Response1xxxCode = "cf.response.1xxx_code": INT, Stage::Response;
    /// What kind of error of the edge's the answer is, such as `origin_down`; empty for none.
    ResponseErrorType = "cf.response.error_type": BYTES, Stage::Response;
    /// Milliseconds that the edge itself took.
    TimingsEdge = "cf.timings.edge_msec": INT, Stage::Response;
    /// Milliseconds from the request to the first byte of the origin's answer; 0 where it was not asked.
    TimingsOrigin = "cf.timings.origin_ttfb_msec": INT, Stage::Response;
    /// Milliseconds that workers took.
    TimingsWorker = "cf.timings.worker_msec": INT, Stage::Unknown("this version has no Workers");
    /// The verdict's code, such as `origin.connect.refused`; empty without one. Ours.
    Verdict = "rayline.verdict.code": BYTES, Stage::Response;
    /// The verdict's party; empty without one. Ours.
    VerdictParty = "rayline.verdict.party": BYTES, Stage::Response;
}

impl Field {
    /// Whether the evaluator makes it of other fields, so that nobody is asked for it.
    pub const fn is_derived(self) -> bool {
        matches!(
            self,
            Self::UriPathExtension
                | Self::UriArgsNames
                | Self::UriArgsValues
                | Self::RawUriPathExtension
                | Self::RawUriArgsNames
                | Self::RawUriArgsValues
                | Self::HeadersNames
                | Self::HeadersValues
                | Self::BodyFormNames
                | Self::BodyFormValues
                | Self::ResponseHeadersNames
                | Self::ResponseHeadersValues
        )
    }
}

/// A function of the language ("Functions reference").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// `any(array of truth values)`.
    Any,
    /// `all(array of truth values)`.
    All,
    /// `cidr(address, bits of IPv4, bits of IPv6)`: the network's address.
    Cidr,
    /// `cidr6(address, bits of IPv6)`.
    Cidr6,
    /// `concat(a, b, …)`: texts, or arrays.
    Concat,
    /// `decode_base64(text)`.
    DecodeBase64,
    /// `encode_base64(text[, flags])`: `u` for the URL alphabet, `p` for padding.
    EncodeBase64,
    /// `ends_with(text, text)`.
    EndsWith,
    /// `starts_with(text, text)`.
    StartsWith,
    /// `has_key(map, key)`.
    HasKey,
    /// `has_value(map or array, value)`.
    HasValue,
    /// `is_timed_hmac_valid_v0(key, message with time, lifetime in seconds, now, separator length[, flags])`.
    IsTimedHmacValidV0,
    /// `join(array of texts, separator)`.
    Join,
    /// `len(text or array or map)`: bytes, or entries.
    Len,
    /// `lookup_json_integer(text, key, …)`.
    LookupJsonInteger,
    /// `lookup_json_string(text, key, …)`.
    LookupJsonString,
    /// `lower(text)`, ASCII.
    Lower,
    /// `upper(text)`, ASCII.
    Upper,
    /// `regex_replace(text, regular expression, replacement)`: the first match.
    RegexReplace,
    /// `remove_bytes(text, bytes)`.
    RemoveBytes,
    /// `remove_query_args(query, name, …)`.
    RemoveQueryArgs,
    /// `sha256(text)`: 32 bytes.
    Sha256,
    /// `split(text, separator, limit)`.
    Split,
    /// `substring(text, start[, end])`: bytes; negative counts from the end.
    Substring,
    /// `to_string(number, truth value or address)`.
    ToString,
    /// `url_decode(text[, options])`: `r` repeatedly, `u` with `%uXXXX`.
    UrlDecode,
    /// `uuidv4(seed)`.
    UuidV4,
    /// `wildcard_replace(text, pattern, replacement[, flags])`: `s` with case.
    WildcardReplace,
}
