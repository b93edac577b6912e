//! The numbers that people know: what is shown on the page for each, and what it travels as.
//!
//! A number is coarser than a code: ten codes may show 525. What depends on the number alone (title, name,
//! category, `Retry-After`) stands here, once. Numbers and their statuses are Cloudflare's ("Cloudflare 5xx
//! errors", "Cloudflare 1xxx errors", "Error responses"); the 4xx are those of RFC 9110.

/// The family of a number, as in the structured error's `error_category`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The request itself.
    Request,
    /// Configuration of the zone.
    Config,
    /// Name resolution.
    Dns,
    /// TLS between edge and origin.
    Ssl,
    /// TLS between visitor and edge.
    Tls,
    /// The origin and the way to it.
    Origin,
    /// The edge itself.
    Edge,
    /// A rule that turned the visitor away.
    AccessDenied,
    /// A limit on how often a visitor may ask.
    RateLimit,
    /// A rule that changes requests, and could not.
    Rewrite,
}

impl Category {
    /// The word in structured errors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Config => "config",
            Self::Dns => "dns",
            Self::Ssl => "ssl",
            Self::Tls => "tls",
            Self::Origin => "origin",
            Self::Edge => "edge",
            Self::AccessDenied => "access_denied",
            Self::RateLimit => "rate_limit",
            Self::Rewrite => "rewrite",
        }
    }
}

/// A number and everything that depends on it alone.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// 400–599 or 1000–1999.
    pub number: u16,
    /// The HTTP status that carries it.
    pub status: u16,
    /// The title on the page.
    pub title: &'static str,
    /// Stable snake_case name, `error_name` in structured errors.
    pub name: &'static str,
    /// The family.
    pub category: Category,
    /// Seconds for `Retry-After`; `None` where repeating is no remedy.
    pub retry_after: Option<u32>,
}

const fn row(
    number: u16,
    status: u16,
    title: &'static str,
    name: &'static str,
    category: Category,
    retry_after: Option<u32>,
) -> Number {
    Number { number, status, title, name, category, retry_after }
}

use Category::{AccessDenied, Config, Dns, Edge, Origin, RateLimit, Request, Rewrite, Ssl, Tls};

/// Every number this version can send, in order.
pub static NUMBERS: &[Number] = &[
    row(400, 400, "Bad request", "bad_request", Request, None),
    row(403, 403, "Just a moment", "challenge", AccessDenied, None),
    row(405, 405, "Method not allowed", "method_not_allowed", Request, None),
    row(408, 408, "Request timed out", "request_timeout", Request, None),
    row(413, 413, "Request body too large", "payload_too_large", Request, None),
    row(414, 414, "Address too long", "uri_too_long", Request, None),
    row(417, 417, "Expectation failed", "expectation_failed", Request, None),
    row(431, 431, "Request headers too large", "request_header_fields_too_large", Request, None),
    row(499, 499, "Visitor left", "client_closed_request", Request, None),
    row(500, 500, "Internal server error", "internal_server_error", Edge, Some(30)),
    row(501, 501, "Not implemented", "not_implemented", Request, None),
    row(502, 502, "Bad gateway", "origin_bad_gateway", Origin, Some(60)),
    row(503, 503, "Service unavailable", "service_unavailable", Edge, Some(30)),
    row(504, 504, "Gateway time-out", "origin_gateway_timeout", Origin, Some(120)),
    row(505, 505, "HTTP version not supported", "http_version_not_supported", Request, None),
    row(520, 520, "Web server is returning an unknown error", "origin_unknown_error", Origin, Some(60)),
    row(521, 521, "Web server is down", "origin_down", Origin, Some(120)),
    row(522, 522, "Connection timed out", "connection_timeout", Origin, Some(120)),
    row(523, 523, "Origin is unreachable", "origin_unreachable", Origin, Some(120)),
    row(524, 524, "A timeout occurred", "origin_response_timeout", Origin, Some(120)),
    row(525, 525, "SSL handshake failed", "ssl_handshake_failed", Ssl, None),
    row(526, 526, "Invalid SSL certificate", "invalid_ssl_certificate", Ssl, None),
    row(1000, 403, "DNS points to prohibited IP", "dns_prohibited_ip", Config, None),
    row(1001, 409, "DNS resolution error", "dns_resolution_error", Dns, None),
    row(1002, 403, "DNS points to restricted IP", "dns_restricted_ip", Dns, None),
    row(1003, 403, "Direct IP access not allowed", "direct_ip_access", Request, None),
    row(1005, 403, "Access denied: your network has been banned", "asn_banned", AccessDenied, None),
    row(1006, 403, "Access denied: your IP address has been banned", "ip_banned", AccessDenied, None),
    row(1009, 403, "Access denied: country or region banned", "country_banned", AccessDenied, None),
    row(1010, 403, "Access denied: bad browser signature", "browser_signature_banned", AccessDenied, None),
    row(1011, 403, "Access denied: hotlinking denied", "hotlinking_denied", AccessDenied, None),
    row(1013, 421, "HTTP hostname and TLS SNI hostname mismatch", "sni_mismatch", Tls, None),
    row(1015, 429, "You are being rate limited", "rate_limited", RateLimit, Some(30)),
    row(1016, 530, "Origin DNS error", "origin_dns_error", Dns, None),
    row(1020, 403, "Access denied", "firewall_rule_blocked", AccessDenied, None),
    row(1035, 500, "Invalid request rewrite: invalid URI path", "rewrite_invalid_path", Rewrite, None),
    row(1036, 500, "Invalid request rewrite: maximum length exceeded", "rewrite_too_long", Rewrite, None),
    row(1037, 500, "Invalid rewrite rule: failed to evaluate expression", "rewrite_expression_failed", Rewrite, None),
    row(1038, 500, "HTTP headers limit exceeded", "headers_limit_exceeded", Rewrite, Some(60)),
    row(1040, 500, "Invalid request rewrite: header modification not allowed", "header_not_allowed", Rewrite, None),
    row(1041, 500, "Invalid request rewrite: invalid header value", "header_invalid_value", Rewrite, None),
    row(1106, 403, "Access denied: your IP address may not see this", "zone_lockdown", AccessDenied, None),
];

impl Number {
    /// The row of a number.
    pub fn find(number: u16) -> Option<&'static Self> {
        NUMBERS.iter().find(|row| row.number == number)
    }
}
