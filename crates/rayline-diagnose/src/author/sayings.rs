//! The table of what error pages say, and which codes it comes to.
//!
//! Rows of one author are tried in their order: what is more telling stands first, and a row without words, which goes by
//! the status alone, last. Words are in lower case.

use rayline_verdict::Code::{self, *};

use crate::logs::Cause;

/// One row.
#[derive(Debug)]
pub(super) struct Saying {
    /// The author's name.
    pub(super) who: &'static str,
    /// The field that says it; `None`: the body does.
    pub(super) field: Option<&'static str>,
    /// What is said; empty: the status says enough.
    pub(super) words: &'static str,
    /// The status that goes with it; 0: any.
    pub(super) status: u16,
    /// What that comes to, the likeliest first.
    pub(super) codes: &'static [Code],
    /// What is wrong inside the origin.
    pub(super) cause: Option<Cause>,
}

const fn body(who: &'static str, words: &'static str, codes: &'static [Code]) -> Saying {
    Saying { who, field: None, words, status: 0, codes, cause: None }
}

const fn field(who: &'static str, name: &'static str, words: &'static str, codes: &'static [Code]) -> Saying {
    Saying { who, field: Some(name), words, status: 0, codes, cause: None }
}

const fn bare(who: &'static str, status: u16, codes: &'static [Code]) -> Saying {
    Saying { who, field: None, words: "", status, codes, cause: None }
}

const fn inside(who: &'static str, words: &'static str, cause: Cause) -> Saying {
    Saying { who, field: None, words, status: 0, codes: ERROR, cause: Some(cause) }
}

/// The origin answered, and its answer is the error.
const ERROR: &[Code] = &[OriginWaitErrorStatus];
/// It did not come to a connection.
const CONNECT: &[Code] = &[OriginConnectRefused, NetworkConnectTimedOut, NetworkConnectUnreachable];
/// It did not come to a connection, or TLS on it failed.
const CONNECT_OR_TLS: &[Code] =
    &[OriginConnectRefused, NetworkConnectTimedOut, NetworkConnectUnreachable, OriginTlsClosed, OriginTlsPlainHttp];
const REFUSED: &[Code] = &[OriginConnectRefused];
const UNANSWERED: &[Code] = &[NetworkConnectTimedOut];
const UNREACHABLE: &[Code] = &[NetworkConnectUnreachable, NetworkConnectNoNeighbour, NetworkConnectProhibited];
/// The origin was too slow.
const SLOW: &[Code] = &[OriginWaitTimedOut];
/// Something took too long, and nobody says what.
const TIME: &[Code] = &[OriginWaitTimedOut, NetworkConnectTimedOut];
/// The connection ended before an answer.
const CLOSED: &[Code] = &[OriginWaitClosedEmpty, OriginWaitReset, OriginWaitHalfHead];
const EMPTY: &[Code] = &[OriginWaitClosedEmpty];
/// The answer cannot be read.
const UNREADABLE: &[Code] =
    &[OriginWaitNotHttp, OriginWaitIllegalHeader, OriginWaitHeaderTooLarge, OriginWaitBadStatus];
/// The connection ended before an answer, or the answer cannot be read.
const INVALID: &[Code] =
    &[OriginWaitClosedEmpty, OriginWaitReset, OriginWaitHalfHead, OriginWaitNotHttp, OriginWaitHeaderTooLarge];
const HANDSHAKE: &[Code] =
    &[OriginTlsClosed, OriginTlsAlert, OriginTlsPlainHttp, OriginTlsNoCommonVersion, OriginTlsReset, OriginTlsTimedOut];
const CERTIFICATE: &[Code] =
    &[OriginTlsUnknownIssuer, OriginTlsNameMismatch, OriginTlsCertificateExpired, OriginTlsSelfSigned];
const MISMATCH: &[Code] = &[OriginTlsNameMismatch];
const EXPIRED: &[Code] = &[OriginTlsCertificateExpired];
const ISSUER: &[Code] = &[OriginTlsUnknownIssuer, OriginTlsMissingIntermediate];
/// All that a gateway says 502 to.
const GATEWAY: &[Code] = &[
    OriginConnectRefused,
    OriginWaitClosedEmpty,
    OriginWaitReset,
    OriginTlsClosed,
    OriginTlsUnknownIssuer,
    OriginWaitNotHttp,
    OriginWaitHeaderTooLarge,
    NetworkConnectUnreachable,
];
/// Nothing stands behind a gateway that would be asked.
const NOBODY: &[Code] = &[OriginConnectRefused, NetworkConnectTimedOut, OriginWaitErrorStatus];
const NAME: &[Code] = &[OwnerResolveNxdomain, OwnerResolveNoAddress, NetworkResolveServfail];
const HOST: &[Code] = &[OwnerRouteUnknownHost];
const PLAIN: &[Code] = &[VisitorClientTlsPlainHttp, OwnerRouteWrongPort];
const LARGE: &[Code] = &[VisitorRequestBodyTooLarge];
const HEADERS: &[Code] = &[VisitorRequestHeaderTooLarge];
const LONG: &[Code] = &[VisitorRequestUriTooLong];
const LATE: &[Code] = &[VisitorRequestHeadTimedOut];
const MALFORMED: &[Code] = &[VisitorRequestMalformed];
const LOOP: &[Code] = &[OwnerRouteLoop];
/// A rule or a limit of the site's: no fault.
const REFUSAL: &[Code] = &[PolicyRulesRefused];
/// The owner's program on the edge.
const WORKER: &[Code] = &[OwnerWorkerFailed];
/// An error of the edge's own.
const OWN: &[Code] = &[EdgeReplyErrorStatus];

/// Where many codes show one number: those that are met most.
pub(super) const LIKELIEST: &[Code] = &[
    OriginWaitClosedEmpty,
    OriginWaitReset,
    OriginWaitHeaderTooLarge,
    OriginWaitHalfHead,
    OriginWaitIllegalHeader,
    OriginWaitTimedOut,
    OriginConnectRefused,
    NetworkConnectTimedOut,
    NetworkConnectUnreachable,
    OriginTlsPlainHttp,
    OriginTlsClosed,
    OriginTlsAlert,
    OriginTlsSelfSigned,
    OriginTlsUnknownIssuer,
    OriginTlsCertificateExpired,
    OriginTlsNameMismatch,
    OwnerResolveNxdomain,
    OwnerResolvePointsToEdge,
];

/// What Cloudflare's numbers come to that no code of ours is shown with, or not that alone ("Cloudflare 5xx errors",
/// "Cloudflare 1xxx errors").
pub(super) fn of_cloudflare(number: u16) -> &'static [Code] {
    match number {
        500 | 503 => OWN,
        // The branded pages replace what the origin answered.
        502 | 504 => ERROR,
        // A CNAME that leads nowhere.
        1001 => &[OwnerResolveNxdomain],
        1018 | 1023 => HOST,
        1033 => &[OwnerConnectTunnelDown],
        1034 => &[OwnerResolveProhibitedAddress],
        // Bans, rules and limits: of addresses, countries, browsers, foreign pages, rates.
        1005..=1012 | 1015 | 1020 | 1106..=1109 => REFUSAL,
        // Workers and Snippets.
        1019 | 1021 | 1022 | 1024 | 1025 | 1027 | 1042 | 1101..=1103 | 1105 | 1201..=1204 | 1206 => WORKER,
        // Too many requests wait at the edge for this origin.
        1200 => &[OriginWaitTimedOut, EdgeReplyErrorStatus],
        _ => &[],
    }
}

/// What is wrong inside an origin, whoever shows it.
pub(super) const CAUSES: &[(&str, Cause)] = &[
    ("allowed memory size of", Cause::AppPhpMemory),
    ("maximum execution time of", Cause::AppPhpTime),
    ("too many connections", Cause::DatabaseTooManyConnections),
    ("sorry, too many clients already", Cause::DatabaseTooManyConnections),
    ("sqlstate[hy000] [1040]", Cause::DatabaseTooManyConnections),
    ("sqlstate[hy000] [1045]", Cause::DatabaseAccessDenied),
    ("access denied for user", Cause::DatabaseAccessDenied),
    ("password authentication failed for user", Cause::DatabaseAccessDenied),
    ("sqlstate[hy000] [2002]", Cause::DatabaseRefused),
    ("server has gone away", Cause::DatabaseGone),
    ("lock wait timeout exceeded", Cause::DatabaseLocked),
    ("no space left on device", Cause::HostDiskFull),
    ("modulenotfounderror", Cause::AppModuleMissing),
    ("cannot find module", Cause::AppModuleMissing),
    ("php fatal error", Cause::AppPhpFatal),
    ("<b>fatal error</b>", Cause::AppPhpFatal),
    ("<b>parse error</b>", Cause::AppPhpFatal),
    ("fatal error: uncaught", Cause::AppPhpFatal),
];

/// All rows.
pub(super) const SAYINGS: &[Saying] = &[
    // Fastly: "Fastly-generated errors".
    body("Fastly", "unknown domain", HOST),
    body("Fastly", "first byte timeout", SLOW),
    body("Fastly", "between bytes timeout", &[OriginReceiveTimedOut]),
    body("Fastly", "connection timed out", UNANSWERED),
    body("Fastly", "connection refused", REFUSED),
    body("Fastly", "network unreachable", UNREACHABLE),
    body("Fastly", "hostname doesn't match against certificate", MISMATCH),
    body("Fastly", "certificate has expired", EXPIRED),
    body("Fastly", "self signed certificate", &[OriginTlsSelfSigned]),
    body("Fastly", "unable to get local issuer certificate", ISSUER),
    body("Fastly", "ssl handshake error", HANDSHAKE),
    body("Fastly", "backend read error", &[OriginWaitReset, OriginWaitClosedEmpty, OriginWaitTimedOut]),
    body("Fastly", "backend write error", &[OriginSendReset, OriginSendTimedOut]),
    body("Fastly", "backend.max_conn reached", OWN),
    body("Fastly", "backend is unhealthy", NOBODY),
    body("Fastly", "all backends failed or unhealthy", NOBODY),
    body("Fastly", "header overflow", &[OriginWaitHeaderTooLarge]),
    body("Fastly", "loop detected", LOOP),
    body("Fastly", "backend fetch failed", GATEWAY),
    // Akamai: "Edge error strings".
    body("Akamai", "dns failure", NAME),
    body("Akamai", "err_dns_fail", NAME),
    body("Akamai", "zero size object", EMPTY),
    body("Akamai", "err_zero_size_object", EMPTY),
    body("Akamai", "err_connect_timeout", UNANSWERED),
    body("Akamai", "err_connect_fail", CONNECT),
    body("Akamai", "err_first_byte_timeout", SLOW),
    body("Akamai", "err_read_timeout", SLOW),
    body("Akamai", "err_read_error", CLOSED),
    body("Akamai", "in a timely fashion", TIME),
    body("Akamai", "did not receive a timely response", TIME),
    body("Akamai", "invalid url", HOST),
    body("Akamai", "access denied", REFUSAL),
    bare("Akamai", 504, TIME),
    bare("Akamai", 503, CONNECT),
    // CloudFront: "Troubleshooting error response status codes in CloudFront".
    body("CloudFront", "wasn't able to resolve the origin domain name", NAME),
    body("CloudFront", "wasn't able to connect to the origin", CONNECT_OR_TLS),
    body(
        "CloudFront",
        "either the attempt failed or the origin closed the connection",
        &[OriginConnectRefused, OriginTlsClosed, NetworkConnectTimedOut, OriginWaitClosedEmpty],
    ),
    body("CloudFront", "origin closed the connection", CLOSED),
    body("CloudFront", "lambda function", WORKER),
    body("CloudFront", "request blocked", REFUSAL),
    bare(
        "CloudFront",
        502,
        &[
            OriginTlsNameMismatch,
            OriginTlsUnknownIssuer,
            OriginTlsCertificateExpired,
            OriginTlsClosed,
            OriginConnectRefused,
            OriginWaitClosedEmpty,
        ],
    ),
    bare("CloudFront", 504, &[NetworkConnectTimedOut, OriginWaitTimedOut]),
    // Google: "External Application Load Balancer logging".
    body("Google Cloud", "no healthy upstream", NOBODY),
    body("Google Cloud", "upstream request timeout", SLOW),
    body("Google Cloud", "connection failure", CONNECT_OR_TLS),
    body("Google Cloud", "connection timeout", UNANSWERED),
    body("Google Cloud", "connection termination", CLOSED),
    bare("Google Cloud", 502, GATEWAY),
    bare("Google Cloud", 504, TIME),
    // AWS: "Troubleshoot your Application Load Balancers", "Gateway responses in API Gateway".
    bare(
        "AWS ALB",
        502,
        &[OriginConnectRefused, OriginWaitClosedEmpty, OriginWaitReset, OriginTlsClosed, OriginWaitIllegalHeader],
    ),
    bare("AWS ALB", 503, NOBODY),
    bare("AWS ALB", 504, &[NetworkConnectTimedOut, OriginWaitTimedOut]),
    body("API Gateway", "endpoint request timed out", SLOW),
    bare("API Gateway", 504, SLOW),
    bare("API Gateway", 502, ERROR),
    bare("API Gateway", 500, ERROR),
    // Azure: "Monitor metrics and logs in Azure Front Door" (names), WinINet error numbers.
    field("Azure Front Door", "x-azure-externalerror", "origintimeout", SLOW),
    field("Azure Front Door", "x-azure-externalerror", "0x80072ee2", TIME),
    field("Azure Front Door", "x-azure-externalerror", "originconnectionrefused", REFUSED),
    field("Azure Front Door", "x-azure-externalerror", "originconnectionerror", CONNECT),
    field("Azure Front Door", "x-azure-externalerror", "0x80072efd", CONNECT),
    field("Azure Front Door", "x-azure-externalerror", "0x80072efe", CLOSED),
    field("Azure Front Door", "x-azure-externalerror", "dns", NAME),
    field("Azure Front Door", "x-azure-externalerror", "0x80072ee7", NAME),
    field("Azure Front Door", "x-azure-externalerror", "sslmismatchedsni", MISMATCH),
    field("Azure Front Door", "x-azure-externalerror", "sslinvalidcertificate", CERTIFICATE),
    field("Azure Front Door", "x-azure-externalerror", "certificate", CERTIFICATE),
    field("Azure Front Door", "x-azure-externalerror", "ssl", HANDSHAKE),
    field("Azure Front Door", "x-azure-externalerror", "responseheadertoobig", &[OriginWaitHeaderTooLarge]),
    field("Azure Front Door", "x-azure-externalerror", "origininvalidresponse", UNREADABLE),
    bare("Azure Front Door", 404, HOST),
    bare("Azure Front Door", 502, GATEWAY),
    bare("Azure Front Door", 503, &[OriginWaitTimedOut, OriginConnectRefused, OriginTlsNameMismatch]),
    bare("Azure Front Door", 504, TIME),
    bare(
        "Azure Application Gateway",
        502,
        &[OriginConnectRefused, NetworkConnectTimedOut, OriginTlsUnknownIssuer, OriginWaitTimedOut],
    ),
    bare("Azure Application Gateway", 504, SLOW),
    // Vercel: "Errors".
    body("Vercel", "function_invocation_timeout", SLOW),
    body("Vercel", "edge_function_invocation_failed", WORKER),
    body("Vercel", "middleware_invocation_failed", WORKER),
    body("Vercel", "middleware_invocation_timeout", WORKER),
    body("Vercel", "router_external_target_connection_error", CONNECT),
    body("Vercel", "router_external_target_handshake_error", HANDSHAKE),
    body("Vercel", "router_external_target_error", GATEWAY),
    body("Vercel", "router_too_many_has_selections", OWN),
    body("Vercel", "no_response_from_function", EMPTY),
    body("Vercel", "body_not_a_string_from_function", ERROR),
    body("Vercel", "function_invocation_failed", ERROR),
    body("Vercel", "dns_hostname_resolved_private", &[OwnerResolveProhibitedAddress]),
    body("Vercel", "dns_hostname_server_error", &[NetworkResolveServfail]),
    body("Vercel", "dns_hostname_empty", &[OwnerResolveNoAddress]),
    body("Vercel", "dns_hostname_", NAME),
    body("Vercel", "infinite_loop_detected", LOOP),
    body("Vercel", "deployment_not_found", HOST),
    body("Vercel", "request_header_too_large", HEADERS),
    body("Vercel", "url_too_long", LONG),
    body("Vercel", "function_payload_too_large", LARGE),
    field("Vercel", "x-vercel-error", "timeout", SLOW),
    field("Vercel", "x-vercel-error", "external_target", GATEWAY),
    field("Vercel", "x-vercel-error", "dns_hostname", NAME),
    field("Vercel", "x-vercel-error", "invocation_failed", ERROR),
    // Heroku: "Error codes".
    body("Heroku", "code=h10", REFUSED),
    body("Heroku", "code=h12", SLOW),
    body("Heroku", "code=h13", EMPTY),
    body("Heroku", "code=h14", REFUSED),
    body("Heroku", "code=h15", &[OriginReceiveTimedOut]),
    body("Heroku", "code=h18", &[OriginWaitReset]),
    body("Heroku", "code=h20", REFUSED),
    body("Heroku", "code=h21", REFUSED),
    body("Heroku", "no such app", HOST),
    bare("Heroku", 503, &[OriginConnectRefused, OriginWaitTimedOut, OriginWaitClosedEmpty]),
    // Other platforms.
    body("Netlify", "error decoding lambda response", ERROR),
    body("Netlify", "task timed out", SLOW),
    bare("Netlify", 404, HOST),
    bare("Netlify", 502, GATEWAY),
    bare("GitHub Pages", 404, HOST),
    bare("Shopify", 402, REFUSAL),
    bare("Fly", 502, GATEWAY),
    bare("Fly", 503, NOBODY),
    bare("Render", 502, GATEWAY),
    bare("Render", 503, NOBODY),
    body("Sucuri", "backend or gateway connection timeout", TIME),
    body("Sucuri", "backend or gateway", CONNECT),
    body("Imperva", "error code 20", CONNECT_OR_TLS),
    body("Imperva", "error code 8", CONNECT),
    body("Imperva", "connection timed out", UNANSWERED),
    body("Imperva", "request unsuccessful", REFUSAL),
    bare("DDoS-Guard", 502, GATEWAY),
    bare("DDoS-Guard", 504, TIME),
    body("Bunny", "domain suspended or not configured", HOST),
    bare("Bunny", 502, GATEWAY),
    bare("Bunny", 504, TIME),
    bare("KeyCDN", 502, GATEWAY),
    bare("KeyCDN", 504, TIME),
    // nginx and what is made of it.
    body("nginx", "plain http request was sent to https port", PLAIN),
    body("nginx", "request header or cookie too large", HEADERS),
    bare("nginx", 413, LARGE),
    bare("nginx", 414, LONG),
    bare("nginx", 408, LATE),
    bare("nginx", 502, GATEWAY),
    bare("nginx", 504, TIME),
    bare("OpenResty", 413, LARGE),
    bare("OpenResty", 502, GATEWAY),
    bare("OpenResty", 504, TIME),
    bare("Tengine", 502, GATEWAY),
    bare("Tengine", 504, TIME),
    body("Kong", "the upstream server is timing out", TIME),
    body("Kong", "an invalid response was received from the upstream server", GATEWAY),
    body("Kong", "failure to get a peer", NOBODY),
    body("Kong", "name resolution failed", NAME),
    body("Kong", "no route matched", HOST),
    bare("Kong", 502, GATEWAY),
    bare("Kong", 504, TIME),
    bare("APISIX", 502, GATEWAY),
    bare("APISIX", 503, NOBODY),
    bare("APISIX", 504, TIME),
    // Apache: mod_proxy.
    body("Apache", "dns lookup failure for", NAME),
    body("Apache", "error during ssl handshake with remote server", HANDSHAKE),
    body("Apache", "error reading from remote server", CLOSED),
    body("Apache", "the proxy server received an invalid", INVALID),
    body("Apache", "did not receive a timely response", TIME),
    body("Apache", "plain http to an ssl-enabled server port", PLAIN),
    body("Apache", "size of a request header field exceeds", HEADERS),
    body("Apache", "due to maintenance downtime or capacity", &[OriginConnectRefused, OriginWaitErrorStatus]),
    bare("Apache", 413, LARGE),
    bare("Apache", 414, LONG),
    bare("Apache", 408, LATE),
    bare("LiteSpeed", 504, TIME),
    bare("LiteSpeed", 413, LARGE),
    body("IIS", "invalid response while acting as a gateway", INVALID),
    body("IIS", "502.3", GATEWAY),
    body("IIS", "502.5", REFUSED),
    body("IIS", "500.30", REFUSED),
    body("IIS", "service unavailable", ERROR),
    // Proxies.
    body("HAProxy", "no server is available", CONNECT_OR_TLS),
    body("HAProxy", "invalid or incomplete response", INVALID),
    body("HAProxy", "didn't respond in time", SLOW),
    body("HAProxy", "didn't send a complete request in time", LATE),
    body("HAProxy", "your browser sent an invalid request", MALFORMED),
    body("HAProxy", "internal server error", OWN),
    body("HAProxy", "forbidden by administrative rules", REFUSAL),
    body("Envoy", "certificate_verify_failed", CERTIFICATE),
    body("Envoy", "wrong_version_number", &[OriginTlsPlainHttp]),
    body("Envoy", "tls_error", HANDSHAKE),
    body("Envoy", "connection refused", REFUSED),
    body("Envoy", "delayed connect error: 111", REFUSED),
    body("Envoy", "no route to host", UNREACHABLE),
    body("Envoy", "delayed connect error: 113", UNREACHABLE),
    body("Envoy", "delayed connect error: 110", UNANSWERED),
    body("Envoy", "reset reason: connection timeout", UNANSWERED),
    body("Envoy", "connection failure", CONNECT_OR_TLS),
    body("Envoy", "connection termination", CLOSED),
    body("Envoy", "remote refused stream reset", &[OriginWaitHttp2RefusedStream]),
    body("Envoy", "remote reset", &[OriginWaitHttp2Reset]),
    body("Envoy", "protocol error", UNREADABLE),
    body("Envoy", "reset reason: overflow", OWN),
    body("Envoy", "rbac: access denied", REFUSAL),
    body("Envoy", "local_rate_limited", REFUSAL),
    body("Envoy", "upstream request timeout", SLOW),
    body("Envoy", "stream timeout", SLOW),
    body("Envoy", "no healthy upstream", NOBODY),
    body("Envoy", "dns resolution failure", NAME),
    bare("Envoy", 502, UNREADABLE),
    bare("Envoy", 503, NOBODY),
    bare("Envoy", 504, SLOW),
    body(
        "Varnish",
        "backend fetch failed",
        &[
            OriginConnectRefused,
            NetworkConnectTimedOut,
            OriginWaitTimedOut,
            OriginWaitClosedEmpty,
            OriginWaitReset,
            OriginWaitNotHttp,
        ],
    ),
    body("Varnish", "first byte timeout", SLOW),
    body("Varnish", "service unavailable", NOBODY),
    body("Traefik", "no available server", NOBODY),
    bare("Traefik", 502, GATEWAY),
    bare("Traefik", 503, NOBODY),
    bare("Traefik", 504, TIME),
    bare("Caddy", 502, GATEWAY),
    bare("Caddy", 503, NOBODY),
    bare("Caddy", 504, TIME),
    field("Squid", "x-squid-error", "err_connect_fail 111", REFUSED),
    field("Squid", "x-squid-error", "err_connect_fail 110", UNANSWERED),
    field("Squid", "x-squid-error", "err_connect_fail", CONNECT),
    field("Squid", "x-squid-error", "err_dns_fail", NAME),
    field("Squid", "x-squid-error", "err_read_timeout", SLOW),
    field("Squid", "x-squid-error", "err_read_error", CLOSED),
    field("Squid", "x-squid-error", "err_zero_size_object", EMPTY),
    field("Squid", "x-squid-error", "err_secure_connect_fail", HANDSHAKE),
    field("Squid", "x-squid-error", "err_invalid_resp", UNREADABLE),
    field("Squid", "x-squid-error", "err_access_denied", REFUSAL),
    body("Traffic Server", "could not connect", CONNECT_OR_TLS),
    body("Traffic Server", "unknown host", NAME),
    body("Traffic Server", "inactivity timeout", SLOW),
    body("Traffic Server", "server connection closed", CLOSED),
    // Applications: the answer is the origin's own.
    inside("WordPress", "error establishing a database connection", Cause::DatabaseRefused),
    inside("WordPress", "briefly unavailable for scheduled maintenance", Cause::ServerMaintenance),
    inside("WordPress", "there has been a critical error", Cause::AppPhpFatal),
    inside("PHP", "no input file specified", Cause::ServerFileMissing),
    inside("PHP", "file not found.", Cause::ServerFileMissing),
    inside("Magento", "service temporarily unavailable", Cause::ServerMaintenance),
    inside("Drupal", "site under maintenance", Cause::ServerMaintenance),
    inside("Laravel", "service unavailable", Cause::ServerMaintenance),
];
