//! The closed table of codes: everything Rayline can say of a failed request, one row each.
//!
//! A code's name is `party.phase.cause`; the macro builds it from the same words that set the party and the
//! phase, so the two cannot disagree. A row says what was seen (one sentence that a visitor may read), what is
//! sent, the RFC 9209 error token, whether the request reached the application, when repeating helps, which
//! other explanations remain, and what whoever can act should do. Everything that depends on the shown number
//! alone stands in `number.rs`. Codes retire; they do not vanish.

use std::fmt;

use crate::party::{Party, Phase};

/// What the visitor gets when this code's verdict is reached before anything was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A page of ours with this number; the HTTP status is the number's.
    Page(u16),
    /// The origin's own answer, its 502 and 504 excepted, which become pages that name it.
    Origin,
    /// The response had begun: it is cut short so that nobody takes it for whole. The number is for the records.
    Cut(u16),
    /// Nothing can be sent: there is no HTTP yet, or nobody to read it. The number is for the records, 0 for none.
    Nothing(u16),
    /// No edge reaches this verdict: it is what a diagnosis sees from outside, where the visitor is. The number is the one
    /// that was seen there.
    Outside,
}

/// Whether the request reached the application behind the origin server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It did not: repeating it is safe, whatever its method.
    No,
    /// It may have: repeat it only if its method is idempotent.
    Maybe,
    /// It did.
    Yes,
}

impl Reached {
    /// The word in the request log's `VerdictReached`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

/// When sending the same request again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before somebody changed something.
    Never,
    /// After a while: the number's `Retry-After`.
    Later,
    /// At once.
    Now,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// `party.phase.cause`.
    pub name: &'static str,
    /// Who can act.
    pub party: Party,
    /// Where it happened.
    pub phase: Phase,
    /// The last part of the name.
    pub cause: &'static str,
    /// One plain sentence, fit for a visitor's eyes.
    pub sentence: &'static str,
    /// What is sent.
    pub sent: Sent,
    /// The RFC 9209 §2.3 error token for `Proxy-Status`; `None` where the RFC has none that is true: nothing failed, or no
    /// proxy is there to say so.
    pub proxy_error: Option<&'static str>,
    /// Whether the application saw the request.
    pub reached: Reached,
    /// When repeating may help.
    pub retry: Retry,
    /// The codes that the same evidence would also fit. Empty: the code is proven.
    pub rivals: &'static [Code],
    /// Steps for the party that can act, the likeliest first.
    pub fix: &'static [&'static str],
}

macro_rules! party {
    (visitor) => {
        Party::Visitor
    };
    (policy) => {
        Party::Policy
    };
    (owner) => {
        Party::Owner
    };
    (edge) => {
        Party::Edge
    };
    (network) => {
        Party::Network
    };
    (origin) => {
        Party::Origin
    };
}

macro_rules! phase {
    (accept) => {
        Phase::Accept
    };
    (client_tls) => {
        Phase::ClientTls
    };
    (request) => {
        Phase::Request
    };
    (route) => {
        Phase::Route
    };
    (rules) => {
        Phase::Rules
    };
    (worker) => {
        Phase::Worker
    };
    (cache) => {
        Phase::Cache
    };
    (balance) => {
        Phase::Balance
    };
    (resolve) => {
        Phase::Resolve
    };
    (connect) => {
        Phase::Connect
    };
    (origin_tls) => {
        Phase::OriginTls
    };
    (send) => {
        Phase::Send
    };
    (wait) => {
        Phase::Wait
    };
    (receive) => {
        Phase::Receive
    };
    (reply) => {
        Phase::Reply
    };
}

macro_rules! codes {
    ($($variant:ident = $party:ident . $phase:ident . $cause:ident {
        $sentence:literal, $sent:expr, $error:expr, $reached:ident, $retry:ident, [$($rival:ident),*], [$($fix:literal),+ $(,)?]
    })+) => {
        /// A name for one kind of failure: `party.phase.cause`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code { $(#[doc = $sentence] $variant),+ }

        const COUNT: usize = [$(Code::$variant),+].len();

        /// Every row, in the order of a request's life.
        pub static TABLE: [Entry; COUNT] = [$(Entry {
            code: Code::$variant,
            name: concat!(stringify!($party), ".", stringify!($phase), ".", stringify!($cause)),
            party: party!($party),
            phase: phase!($phase),
            cause: stringify!($cause),
            sentence: $sentence,
            sent: $sent,
            proxy_error: $error,
            reached: Reached::$reached,
            retry: Retry::$retry,
            rivals: &[$(Code::$rival),*],
            fix: &[$($fix),+],
        }),+];
    };
}

use Sent::{Cut, Nothing, Origin, Outside, Page};

codes! {
    // The visitor's connection.
    EdgeAcceptTooManyConnections = edge.accept.too_many_connections {
        "The edge has as many connections open as it is allowed to.",
        Page(503), Some("connection_limit_reached"), No, Later, [],
        ["Raise `max_connections` under `[server]`, and the process's limit of open files with it",
         "Look for a flood: `rayline tail --json` shows which addresses open the connections",
         "Add edge machines if the visitors are real"]
    }
    EdgeAcceptRefused = edge.accept.refused {
        "The edge refuses the connections of its visitors.",
        Outside, None, No, Later, [NetworkConnectProhibited],
        ["Start the edge, and see with `ss -ltnp` there that it listens on the address and port in the evidence",
         "Compare the addresses that DNS gives for the name with the edge's own: an old record leads to a machine without it",
         "Try from another network: a firewall near the visitor can refuse in the edge's place"]
    }
    EdgeAcceptTimedOut = edge.accept.timed_out {
        "The edge does not answer when its visitors connect.",
        Outside, None, No, Later, [NetworkConnectUnreachable],
        ["Try from another network, by IPv4 and by IPv6: if it works there, the way from the first one is broken, not the edge",
         "Compare the addresses that DNS gives for the name with the edge's own: an old record leads to nobody",
         "Look for a firewall in front of the edge that drops, and whether the machine runs"]
    }
    OwnerAcceptProxyHeaderMissing = owner.accept.proxy_header_missing {
        "The connection did not begin with the PROXY header that the edge is set to expect.",
        Nothing(400), Some("proxy_configuration_error"), No, Never, [],
        ["Let the load balancer in front send the PROXY protocol (`send-proxy-v2` in HAProxy, `proxy_protocol on;` in nginx's `stream`)",
         "If nothing stands in front, set `proxy_protocol = \"off\"` under `[server]`",
         "If `ClientIP` is not the load balancer's, somebody came past it: let the firewall admit the load balancer alone"]
    }
    OwnerAcceptProxyHeaderMalformed = owner.accept.proxy_header_malformed {
        "The PROXY header at the start of the connection cannot be read.",
        Nothing(400), Some("http_request_error"), No, Never, [],
        ["Compare the first bytes in the evidence with the version that `proxy_protocol` under `[server]` takes",
         "Mend or update the load balancer that sends it"]
    }
    OwnerAcceptProxyHeaderTimedOut = owner.accept.proxy_header_timed_out {
        "The PROXY header that the edge is set to expect did not arrive in time.",
        Nothing(408), Some("connection_read_timeout"), No, Later, [],
        ["If the load balancer only opens connections to see whether the edge lives, let its check send the header too",
         "If `ClientIP` is not the load balancer's, somebody came past it: let the firewall admit the load balancer alone"]
    }
    VisitorClientTlsPlainHttp = visitor.client_tls.plain_http {
        "A plain HTTP request was sent to the HTTPS port.",
        Page(400), Some("http_request_error"), No, Never, [],
        ["Use `https://` in front of the address, or the port that serves plain HTTP"]
    }
    VisitorClientTlsMalformed = visitor.client_tls.malformed {
        "What arrived on the HTTPS port is not TLS.",
        Nothing(0), Some("tls_protocol_error"), No, Never, [],
        ["Check what program connects, and whether something between it and the edge changes the bytes",
         "If a load balancer in front speaks the PROXY protocol, set `proxy_protocol` under `[server]`, or switch it off there"]
    }
    VisitorClientTlsNoCommonVersion = visitor.client_tls.no_common_version {
        "The visitor offers only TLS versions that this site does not accept.",
        Nothing(0), Some("tls_protocol_error"), No, Never, [],
        ["Update the client to one that speaks TLS 1.2 or TLS 1.3",
         "If the client speaks TLS 1.2 and the zone asks for more, lower `min_tls_version` to `1.2`"]
    }
    VisitorClientTlsNoCommonCipher = visitor.client_tls.no_common_cipher {
        "The visitor offers no cipher suite that the edge has.",
        Nothing(0), Some("tls_protocol_error"), No, Never, [],
        ["Update the client: the edge offers AES-GCM and ChaCha20-Poly1305 with ephemeral keys, which every current client has"]
    }
    OwnerClientTlsNoCertificate = owner.client_tls.no_certificate {
        "The edge has no certificate for the name that the visitor asked for.",
        Nothing(0), Some("tls_protocol_error"), No, Never, [VisitorRouteDirectIp],
        ["Add a certificate that covers the name under `[[zone.certificates]]`",
         "For development, `development_ca = true` under `[server]` issues one from a local CA",
         "If the name is not yours, somebody points it at this edge: nothing is to be done"]
    }
    OwnerClientTlsCertificateExpired = owner.client_tls.certificate_expired {
        "The certificate that the site shows its visitors has expired.",
        Outside, None, No, Never, [],
        ["Renew the certificate on the edge, and see why it was not renewed by itself (DNS check, CAA record, a stopped timer)",
         "If it was renewed, reload the edge: the old one may still be in its memory",
         "If only one visitor sees it, look at that machine's clock"]
    }
    OwnerClientTlsNameMismatch = owner.client_tls.name_mismatch {
        "The certificate that the site shows its visitors is for another name.",
        Outside, None, No, Never, [],
        ["Add a certificate on the edge that covers the expected name in the evidence; a wildcard covers one level only",
         "If it is the certificate of another site, DNS may lead to a machine that does not know this one"]
    }
    OwnerClientTlsUntrusted = owner.client_tls.untrusted {
        "The certificate that the site shows its visitors is not to be trusted.",
        Outside, None, No, Never, [],
        ["Install a certificate from a public CA on the edge, with its whole chain: leaf first, then the intermediates",
         "If the issuer in the evidence is a company or a virus scanner near the visitor, it looks into TLS there: the site is fine",
         "If the certificate is your own CA's, give the CA to the client"]
    }
    VisitorClientTlsAlert = visitor.client_tls.alert {
        "The visitor refused the TLS handshake with an alert.",
        Nothing(0), Some("tls_alert_received"), No, Never, [OwnerClientTlsNoCertificate],
        ["Read the alert's name: `unknown_ca` and `certificate_unknown` mean that the client does not trust the certificate served",
         "If the certificate comes from a private or development CA, add that CA to the client",
         "If it comes from a public CA, check that `certificate` holds the whole chain, leaf first"]
    }
    VisitorClientTlsClosed = visitor.client_tls.closed {
        "The visitor closed the connection during the TLS handshake.",
        Nothing(0), Some("connection_terminated"), No, Now, [],
        ["Nothing, if it is rare: browsers open spare connections, and scanners look no further",
         "If one kind of client always does it, it may not trust the certificate and say so only in its own log"]
    }
    VisitorClientTlsReset = visitor.client_tls.reset {
        "The visitor reset the connection during the TLS handshake.",
        Nothing(0), Some("connection_terminated"), No, Now, [],
        ["Nothing, if it is rare",
         "If one network always does it, a firewall there may look into TLS and cut it"]
    }
    VisitorClientTlsTimedOut = visitor.client_tls.timed_out {
        "The visitor did not finish the TLS handshake in time.",
        Nothing(0), Some("connection_read_timeout"), No, Now, [],
        ["Nothing, if it is rare: a lost mobile connection looks like this",
         "Many at once from a few addresses are an attempt to hold connections open"]
    }

    // The visitor's request.
    VisitorRequestMalformed = visitor.request.malformed {
        "The request is not valid HTTP.",
        Page(400), Some("http_request_error"), No, Never, [],
        ["Look at the offset and the bytes in the record: they name the rule that was broken",
         "Mend the client, or whatever stands between it and the edge"]
    }
    VisitorRequestAmbiguousFraming = visitor.request.ambiguous_framing {
        "The request says in contradictory ways where its body ends.",
        Page(400), Some("http_request_error"), No, Never, [],
        ["Send either one `Content-Length` or `Transfer-Encoding: chunked`, never both and never twice",
         "If you did not write this client: this is also what an attempt at request smuggling looks like"]
    }
    VisitorRequestBadHost = visitor.request.bad_host {
        "The request has no host name, or more than one.",
        Page(400), Some("http_request_error"), No, Never, [],
        ["Send exactly one `Host` header with the site's name (RFC 9112, section 3.2)"]
    }
    VisitorRequestUnsupportedVersion = visitor.request.unsupported_version {
        "The request uses a version of HTTP that is not spoken here.",
        Page(505), Some("http_request_error"), No, Never, [],
        ["Use HTTP/1.1, or HTTP/2 over TLS"]
    }
    VisitorRequestMethodNotAllowed = visitor.request.method_not_allowed {
        "The request uses a method that an edge does not serve.",
        Page(405), Some("http_request_denied"), No, Never, [],
        ["Do not send `CONNECT` or `TRACE` to a web site: the edge is no forward proxy"]
    }
    VisitorRequestUnsupportedTransferCoding = visitor.request.unsupported_transfer_coding {
        "The request's body is encoded for transfer in a way that is not spoken here.",
        Page(501), Some("http_request_error"), No, Never, [],
        ["Use `Transfer-Encoding: chunked` alone; compress with `Content-Encoding` instead"]
    }
    VisitorRequestExpectationFailed = visitor.request.expectation_failed {
        "The request expects something that the edge cannot promise.",
        Page(417), Some("http_request_error"), No, Never, [],
        ["Send `Expect: 100-continue` or no `Expect` at all"]
    }
    VisitorRequestUriTooLong = visitor.request.uri_too_long {
        "The address of the request is too long.",
        Page(414), Some("http_request_error"), No, Never, [],
        ["Send long data in the body of a POST instead of the address",
         "If the site builds such addresses itself, raise `request_uri_bytes` under `[limits]`"]
    }
    VisitorRequestHeaderTooLarge = visitor.request.header_too_large {
        "The headers of the request are too large.",
        Page(431), Some("http_request_error"), No, Never, [],
        ["Clear the site's cookies: they are the usual cause",
         "If the site sets such cookies itself, make them smaller, or raise `request_header_bytes` under `[limits]`"]
    }
    VisitorRequestBodyTooLarge = visitor.request.body_too_large {
        "The body of the request is larger than this site accepts.",
        Page(413), Some("http_request_error"), No, Never, [],
        ["Send a smaller file, or in parts",
         "If the site means to accept it, raise `request_body_bytes` under `[limits]` or the zone's `max_upload`"]
    }
    VisitorRequestBodyMalformed = visitor.request.body_malformed {
        "The body of the request breaks the rules of chunked transfer.",
        Page(400), Some("http_request_error"), Maybe, Never, [],
        ["Look at the offset and the bytes in the record, and mend the client"]
    }
    VisitorRequestHeadTimedOut = visitor.request.head_timed_out {
        "The request did not arrive in time.",
        Page(408), Some("http_request_error"), No, Now, [],
        ["Try again: a lost connection looks like this",
         "Many at once from a few addresses are an attempt to hold connections open"]
    }
    VisitorRequestBodyTimedOut = visitor.request.body_timed_out {
        "The body of the request stopped arriving.",
        Page(408), Some("http_request_error"), Maybe, Now, [],
        ["Try again on a better connection",
         "If slow uploads are normal for the site, raise `client_body_timeout` under `[server]`"]
    }
    VisitorRequestHeadTruncated = visitor.request.head_truncated {
        "The visitor closed the connection inside the head of the request.",
        Nothing(400), Some("http_request_error"), No, Now, [],
        ["Nothing, if it is rare",
         "If one client always does it, look at the bytes in the record: it may not speak HTTP"]
    }
    VisitorRequestBodyTruncated = visitor.request.body_truncated {
        "The visitor closed the connection before the whole body of the request had arrived.",
        Nothing(499), Some("http_request_error"), Maybe, Now, [],
        ["Nothing: the visitor stopped an upload, or lost the connection",
         "If one client always does it, it announces more bytes than it sends"]
    }
    VisitorRequestHttp2Malformed = visitor.request.http2_malformed {
        "The request is not a valid one of HTTP/2.",
        Nothing(400), Some("http_request_error"), Maybe, Never, [],
        ["Look at the rule in the record: it says what was broken",
         "Mend the client, or whatever turns its requests into HTTP/2"]
    }
    VisitorRequestHttp2ProtocolError = visitor.request.http2_protocol_error {
        "The visitor broke the rules of its HTTP/2 connection.",
        Nothing(400), Some("http_request_error"), Maybe, Never, [],
        ["Read the error's name in the record, and mend or update the client",
         "Until then, let the client speak HTTP/1.1 (`curl --http1.1`)"]
    }
    VisitorRequestHttp2Flood = visitor.request.http2_flood {
        "The visitor sent HTTP/2 frames in numbers that no client needs.",
        Nothing(400), Some("http_request_denied"), Maybe, Never, [],
        ["If many addresses do it, it is an attack: the edge ends such connections by itself, and a firewall can keep the addresses out",
         "If it is a client of yours, look why it opens and cancels streams, or sends pings and settings, without pause"]
    }

    // Which zone, which record.
    OwnerRouteUnknownHost = owner.route.unknown_host {
        "No site of this name is set up on this edge.",
        Page(1001), Some("destination_not_found"), No, Never, [VisitorRouteDirectIp],
        ["Add a `[[zone]]` for the name, or mend the DNS record that sends its visitors here"]
    }
    OwnerRouteNoRecord = owner.route.no_record {
        "The site has no record of this name on this edge.",
        Page(1001), Some("destination_not_found"), No, Never, [],
        ["Add a proxied record of the name under `[[zone.dns_records]]`, or a wildcard `*`"]
    }
    OwnerRouteDnsOnly = owner.route.dns_only {
        "The record of this name is DNS-only: the edge does not serve it.",
        Page(1001), Some("destination_not_found"), No, Never, [VisitorRouteDirectIp],
        ["Set `proxied = true` on the record if the edge is to serve the name",
         "Otherwise the visitor should have gone to the origin: an old DNS answer or a hosts file sent the request here"]
    }
    VisitorRouteDirectIp = visitor.route.direct_ip {
        "The site was asked for by the edge's address instead of its name.",
        Page(1003), Some("http_request_denied"), No, Never, [],
        ["Use the site's name instead of an IP address"]
    }
    VisitorRouteSniMismatch = visitor.route.sni_mismatch {
        "The request names another site than the certificate of its connection covers.",
        Page(1013), Some("http_request_denied"), No, Now, [],
        ["Open a new connection with the requested name as server name (SNI)",
         "If a proxy of the visitor's sets the `Host` header, let it set the server name as well"]
    }
    VisitorRouteForgedHeader = visitor.route.forged_header {
        "The request carries a header that only an edge may set.",
        Page(1000), Some("http_request_denied"), No, Never, [OwnerRouteLoop],
        ["Do not send `CF-Connecting-IP`",
         "If another edge of yours stands in front, list its addresses in `trusted_proxies` under `[server]`"]
    }
    OwnerRouteLoop = owner.route.loop {
        "The request has already been through this edge: the site's origin points back at it.",
        Page(1000), Some("proxy_loop_detected"), No, Never, [],
        ["Point the record at the origin server's own address instead of the edge",
         "If the origin is a proxy, look where it forwards to"]
    }
    OwnerRouteRedirectLoop = owner.route.redirect_loop {
        "The site sends its visitors in a circle of redirects.",
        Outside, None, Yes, Never, [],
        ["If the circle goes from `http` to `https` of the same address, set the SSL mode to `full` or `strict`: under `flexible` the origin sees plain HTTP and redirects again",
         "Let the application behind the edge believe `X-Forwarded-Proto`, from the edge's addresses alone",
         "If it goes between two names, such as with and without `www`, let edge and origin agree on one"]
    }
    OwnerRouteWrongPort = owner.route.wrong_port {
        "The edge connects to a port on which the site's server does not serve.",
        Outside, None, No, Never, [OriginConnectRefused],
        ["Set the SSL mode that goes with the port that works: `full` or `strict` for 443, `flexible` for 80",
         "Or let the server listen on the port that the edge connects to"]
    }

    // The zone's rules and workers.
    PolicyRulesRefused = policy.rules.refused {
        "A rule of the site turned the request away.",
        Outside, None, No, Never, [],
        ["Nothing is broken: the rule did what it was told",
         "If the visitor should get in, find the rule by the request's id in the edge's log of security events, and except what it should not catch"]
    }
    PolicyRulesCustomRule = policy.rules.custom_rule {
        "A custom rule of the site turned the request away.",
        Page(1020), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: the rule in the evidence did what it was told",
         "If the visitor should get in, narrow the expression of the rule, or put a rule with `skip` before it"]
    }
    PolicyRulesManagedRule = policy.rules.managed_rule {
        "The request looks like an attack to the managed rules of the site.",
        Page(1020), Some("http_request_denied"), No, Never, [],
        ["Read in the record which managed rules matched, and on what part of the request",
         "If the request is a good one, switch the rule off for that path with a `skip` rule, or set it to `log` with an override",
         "If it is one of many good ones, lower the sensitivity or the paranoia level"]
    }
    PolicyRulesAddressBanned = policy.rules.address_banned {
        "The address of the visitor is banned from the site.",
        Page(1006), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: an IP access rule names the address or its network",
         "If the visitor should get in, remove the rule in the evidence, or put one with `whitelist` beside it"]
    }
    PolicyRulesAsnBanned = policy.rules.asn_banned {
        "The network that the visitor comes from is banned from the site.",
        Page(1005), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: an IP access rule names the autonomous system that the address belongs to",
         "If this visitor should get in all the same, put a rule with `whitelist` for the address beside it",
         "If the number is wrong, see how old the file is that `asn_table` names: addresses move"]
    }
    PolicyRulesCountryBanned = policy.rules.country_banned {
        "The country of the visitor is banned from the site.",
        Page(1009), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: an IP access rule names the country",
         "If this visitor should get in all the same, put a rule with `whitelist` for the address beside it",
         "If the country is wrong, look in `/cdn-cgi/trace` how the edge sees the address: a proxy in front belongs into `trusted_proxies`"]
    }
    PolicyRulesZoneLockdown = policy.rules.zone_lockdown {
        "The address asked for is locked down: only some visitors may see it.",
        Page(1106), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: the lockdown in the evidence names who may ask for this URL",
         "If the visitor should get in, add the address or its network to `configurations` of that lockdown"]
    }
    PolicyRulesBrowserSignature = policy.rules.browser_signature {
        "The browser integrity check of the site turned the request away.",
        Page(1010), Some("http_request_denied"), No, Never, [],
        ["Send the fields that browsers send, with a `User-Agent` that names the program",
         "As the owner, except the path of an API with a configuration rule that sets `bic` to false"]
    }
    PolicyRulesUserAgent = policy.rules.user_agent {
        "The program of the visitor is banned from the site by its name.",
        Page(1010), Some("http_request_denied"), No, Never, [],
        ["Nothing is broken: a user-agent rule names this `User-Agent`",
         "If the visitor should get in, remove the rule in the evidence: it compares the whole value"]
    }
    PolicyRulesHotlink = policy.rules.hotlink {
        "Another site shows a picture of this one, which its owner does not allow.",
        Page(1011), Some("http_request_denied"), No, Never, [],
        ["Link to the page instead of the picture, or keep a copy where the licence allows it",
         "As the owner, except pictures for others with a configuration rule that sets `hotlink_protection` to false"]
    }
    PolicyRulesRateLimited = policy.rules.rate_limited {
        "The visitor has asked more often than the site allows.",
        Page(1015), Some("http_request_denied"), No, Later, [],
        ["Ask again after the seconds in `Retry-After`, and less often from then on",
         "As the owner, see whether the characteristics of the rule put many visitors into one count: everybody behind one proxy has one address",
         "Raise `requests_per_period`, or count less with `counting_expression`"]
    }
    PolicyRulesChallenged = policy.rules.challenged {
        "The visitor is asked to prove that it is a browser before it may go on.",
        Page(403), Some("http_request_denied"), No, Now, [],
        ["Nothing is broken: a browser solves it by itself within seconds",
         "A program cannot solve it: as the owner, except it with a `skip` rule before the one in the evidence"]
    }
    PolicyRulesMaintenance = policy.rules.maintenance {
        "The site is closed for maintenance by its owner.",
        Page(503), Some("http_request_denied"), No, Later, [],
        ["Nothing is broken: wait until the owner opens the site again",
         "As the owner, switch maintenance off for the zone, or add your address to those that get in"]
    }
    OwnerRulesRewriteInvalidPath = owner.rules.rewrite_invalid_path {
        "A rule of the site made an address of the request that cannot be one.",
        Page(1035), Some("proxy_configuration_error"), No, Never, [],
        ["Read in the evidence what the rule made: a path begins with a slash, and does not lie below `/cdn-cgi/`",
         "Begin the expression with a slash, as in `concat(\"/en\", http.request.uri.path)`",
         "Try it with `rayline trace` before you apply it"]
    }
    OwnerRulesRewriteTooLong = owner.rules.rewrite_too_long {
        "A rule of the site made the address of the request longer than it may be.",
        Page(1036), Some("proxy_configuration_error"), No, Never, [],
        ["Look at the limit in the evidence, and for a rule that adds to the path or the query what is there already",
         "Cut what comes from the visitor with `substring`"]
    }
    OwnerRulesExpressionFailed = owner.rules.expression_failed {
        "An expression of a rule of the site has no value for this request.",
        Page(1037), Some("proxy_configuration_error"), No, Never, [],
        ["Except requests that lack what the expression takes: a field that was not sent has no `[0]`",
         "Add to the condition of the rule, for example, `len(http.request.headers[\"name\"]) > 0`"]
    }
    OwnerRulesHeaderLimit = owner.rules.header_limit {
        "Rules of the site added more header fields than a request may have.",
        Page(1038), Some("proxy_configuration_error"), No, Never, [],
        ["Look at the limit in the evidence, and remove fields that nobody reads",
         "Set long values at the origin, not for each request"]
    }
    OwnerRulesHeaderNotAllowed = owner.rules.header_not_allowed {
        "A rule of the site changes a header field that rules may not change.",
        Page(1040), Some("proxy_configuration_error"), No, Never, [],
        ["Read in the evidence which field it is",
         "To change `Host`, use an origin rule; what frames a message and what the edge says of itself is not for rules"]
    }
    OwnerRulesHeaderInvalidValue = owner.rules.header_invalid_value {
        "A rule of the site made a header value with characters that none may have.",
        Page(1041), Some("proxy_configuration_error"), No, Never, [],
        ["Look in the evidence for what the rule takes over from the visitor: a line break or a NUL cannot stand in a value",
         "Encode it, for example with `encode_base64`, or take the bytes away with `remove_bytes`"]
    }
    OwnerRulesBreaksRequest = owner.rules.breaks_request {
        "A rule of the site makes a request fail that works without it.",
        Outside, None, Maybe, Never, [],
        ["See what it does to the request: `rayline trace URL`",
         "Look at what changed last: `rayline config list`, and go back with `rayline config rollback`"]
    }
    OwnerWorkerFailed = owner.worker.failed {
        "A program of the site's owner that runs on the edge failed.",
        Outside, None, Maybe, Later, [],
        ["Read the worker's log at this time: an exception stands there with its stack",
         "Go back to the version before the last deployment"]
    }

    // Finding the origin's address.
    OwnerResolveNxdomain = owner.resolve.nxdomain {
        "The name of the site's server does not exist.",
        Page(1016), Some("dns_error"), No, Never, [],
        ["Correct the `content` of the CNAME record, or create the name at its DNS host",
         "If it was created a moment ago, wait until the old negative answer has run out"]
    }
    OwnerResolveNoAddress = owner.resolve.no_address {
        "The name of the site's server has no address.",
        Page(1016), Some("dns_error"), No, Never, [],
        ["Add an A or AAAA record to the name at its DNS host"]
    }
    OwnerResolveAliasLoop = owner.resolve.alias_loop {
        "The name of the site's server is an alias that leads in a circle.",
        Page(1016), Some("dns_error"), No, Never, [],
        ["Follow the CNAME records in the evidence and break the circle"]
    }
    NetworkResolveServfail = network.resolve.servfail {
        "The name servers could not say where the site's server is.",
        Page(1016), Some("dns_error"), No, Later, [OwnerResolveNoAddress],
        ["Ask the zone's authoritative servers yourself: `dig NAME @SERVER`; SERVFAIL is often broken DNSSEC or a dead name server",
         "Ask another resolver; if it answers, change `resolvers` under `[server]`"]
    }
    NetworkResolveRefused = network.resolve.refused {
        "The name server refused to say where the site's server is.",
        Page(1016), Some("dns_error"), No, Later, [],
        ["Allow the edge's address to ask that name server, or name another in `resolvers` under `[server]`"]
    }
    NetworkResolveTimedOut = network.resolve.timed_out {
        "No name server said in time where the site's server is.",
        Page(1016), Some("dns_timeout"), No, Later, [],
        ["Check that the edge reaches its name servers on port 53, UDP and TCP",
         "Name other servers in `resolvers` under `[server]`"]
    }
    NetworkResolveUnreachable = network.resolve.unreachable {
        "No name server could be reached.",
        Page(1016), Some("dns_error"), No, Later, [],
        ["Check `/etc/resolv.conf` or `resolvers` under `[server]`, and that a name server listens there"]
    }
    OwnerResolveProhibitedAddress = owner.resolve.prohibited_address {
        "The name of the site's server leads to an address that is not allowed.",
        Page(1002), Some("destination_ip_prohibited"), No, Never, [],
        ["Point the name at a public address",
         "If the origin really is on a private network, write its address into the record, or set `allow_private_origins = true` under `[server]`"]
    }
    OwnerResolvePointsToEdge = owner.resolve.points_to_edge {
        "The name of the site's server leads back to this edge.",
        Page(1000), Some("proxy_loop_detected"), No, Never, [],
        ["Point the record at the origin server's own address instead of the edge"]
    }

    // Connecting.
    OriginConnectRefused = origin.connect.refused {
        "The site's server refused the connection.",
        Page(521), Some("connection_refused"), No, Later, [],
        ["Start the web server, and see with `ss -ltnp` that it listens on the port in the evidence, and not on 127.0.0.1 alone",
         "Check that the port goes with the SSL mode: 80 for `off` and `flexible`, 443 for `full` and `strict`",
         "Look for a firewall that rejects: allow the edge's addresses"]
    }
    OriginConnectEdgeBlocked = origin.connect.edge_blocked {
        "The site's server lets others in, and keeps the edge out.",
        Outside, None, No, Never, [NetworkConnectTimedOut],
        ["Let the edge's addresses in, on the server and in its provider's firewall: `rayline ips --format nft` prints the lines",
         "Look for what bans by itself (fail2ban, a rate limit, a security plugin): it takes the edge for one busy visitor",
         "Let the server's log and its bans go by the visitor's address (`CF-Connecting-IP`), in place of the edge's"]
    }
    OwnerConnectTunnelDown = owner.connect.tunnel_down {
        "The tunnel between the edge and the site's server has no end at the server.",
        Outside, None, No, Later, [],
        ["Start the tunnel's program on the server (`systemctl status cloudflared`), and read in its log why it does not connect",
         "If the tunnel was made anew, let the site's record point to the new one"]
    }
    NetworkConnectTimedOut = network.connect.timed_out {
        "The site's server did not answer the attempt to connect.",
        Page(522), Some("connection_timeout"), No, Later, [OriginConnectRefused, NetworkConnectUnreachable],
        ["Look for a firewall at the origin or its host that drops: allow the edge's addresses",
         "Check that the machine runs and has the address in the evidence",
         "On the origin, `ss -lnt` shows a full accept queue (Recv-Q above Send-Q): the server is overloaded",
         "Run `mtr --tcp --port PORT ADDRESS` from the edge to see where the packets end"]
    }
    NetworkConnectUnreachable = network.connect.unreachable {
        "A router on the way says that there is no way to the site's server.",
        Page(523), Some("destination_ip_unroutable"), No, Later, [],
        ["Check that the record holds the origin's present address",
         "Ask whoever runs the router in the evidence whether the machine was moved or its network is down",
         "See with `mtr ADDRESS` from the edge where the packets end"]
    }
    NetworkConnectProhibited = network.connect.prohibited {
        "A firewall on the way to the site's server does not let the edge connect.",
        Page(523), Some("destination_ip_unroutable"), No, Later, [],
        ["Allow the edge's addresses in the firewall that answered: its own address stands in the evidence",
         "If it is the origin's own address, that is the firewall of the machine (`nft list ruleset`, `firewall-cmd --list-all`)"]
    }
    NetworkConnectNoNeighbour = network.connect.no_neighbour {
        "Nobody answers for the address of the site's server on its own network.",
        Page(523), Some("destination_ip_unroutable"), No, Later, [],
        ["Start the machine, and check with `ip -brief address` there that it has the address in the evidence",
         "Check cable, switch, VLAN and bridge between the edge and it: `ip neigh show ADDRESS` on the edge says `FAILED`",
         "If the address is not on a network of the edge's, its netmask is too wide: mend it with a router's address"]
    }
    EdgeConnectNoRoute = edge.connect.no_route {
        "The edge's machine has no route to the site's server.",
        Page(523), Some("destination_ip_unroutable"), No, Later, [],
        ["See which way the edge would take: `ip route get ADDRESS`; add a default route, or one to that network",
         "If the address is IPv6 and the edge has none, remove the AAAA record or give the edge IPv6"]
    }
    EdgeConnectForbidden = edge.connect.forbidden {
        "The edge's own machine does not let it connect to the site's server.",
        Page(500), Some("proxy_internal_error"), No, Later, [],
        ["Look at the edge machine's own firewall and routes: `nft list ruleset`, `ip route get ADDRESS`"]
    }
    EdgeConnectExhausted = edge.connect.exhausted {
        "The edge has no file, port or memory left for a connection to the site's server.",
        Page(503), Some("connection_limit_reached"), No, Later, [],
        ["Raise the limit of open files of the edge's process (`LimitNOFILE=` in systemd, `ulimit -n`)",
         "If `EADDRNOTAVAIL` stands in the evidence, widen `net.ipv4.ip_local_port_range`"]
    }

    // The TLS handshake with the origin.
    OriginTlsPlainHttp = origin.origin_tls.plain_http {
        "The site's server speaks plain HTTP where TLS was expected.",
        Page(525), Some("tls_protocol_error"), No, Never, [],
        ["Switch TLS on for the port in the evidence (`listen 443 ssl` in nginx, `SSLEngine on` in Apache)",
         "Or correct `origin_https_port`, or set `ssl` to `flexible` if the origin is to be reached without TLS"]
    }
    OriginTlsMalformed = origin.origin_tls.malformed {
        "What the site's server answered to the TLS handshake is not TLS.",
        Page(525), Some("tls_protocol_error"), No, Never, [],
        ["See what listens on the port in the evidence: its first bytes stand there too",
         "Correct `origin_https_port` if it is another service"]
    }
    OriginTlsClosed = origin.origin_tls.closed {
        "The site's server closed the connection during the TLS handshake.",
        Page(525), Some("tls_protocol_error"), No, Later, [],
        ["Read the web server's error log at this time",
         "Check that a certificate is set for the name in the evidence: some servers close when none matches"]
    }
    OriginTlsReset = origin.origin_tls.reset {
        "The connection was reset during the TLS handshake with the site's server.",
        Page(525), Some("tls_protocol_error"), No, Later, [],
        ["Read the web server's error log at this time",
         "Look for a firewall that inspects TLS: it may cut what it does not know"]
    }
    OriginTlsTimedOut = origin.origin_tls.timed_out {
        "The site's server accepted the connection and then did not answer the TLS handshake.",
        Page(525), Some("connection_read_timeout"), No, Later, [],
        ["See whether all workers of the web server are busy",
         "See whether the port serves TLS at all: a service that waits for plain text stays silent too"]
    }
    OriginTlsAlert = origin.origin_tls.alert {
        "The site's server ended the TLS handshake with an alert.",
        Page(525), Some("tls_alert_received"), No, Later, [],
        ["Read the alert's name in the evidence, and the web server's error log at this time",
         "Try `openssl s_client -connect ADDRESS -servername NAME`"]
    }
    OriginTlsNoCommonVersion = origin.origin_tls.no_common_version {
        "The site's server speaks no TLS version that the edge accepts.",
        Page(525), Some("tls_protocol_error"), No, Never, [],
        ["Switch TLS 1.2 or TLS 1.3 on at the origin (`ssl_protocols TLSv1.2 TLSv1.3;` in nginx)"]
    }
    OriginTlsNoCommonCipher = origin.origin_tls.no_common_cipher {
        "The site's server and the edge have no cipher suite in common.",
        Page(525), Some("tls_protocol_error"), No, Never, [OriginTlsSniRefused],
        ["Allow ECDHE with AES-GCM or ChaCha20-Poly1305 at the origin (for example Mozilla's intermediate profile)",
         "Check that a certificate is set for the name in the evidence: some servers send this alert when none is"]
    }
    OriginTlsSniRefused = origin.origin_tls.sni_refused {
        "The site's server does not know the name that it was asked for in the TLS handshake.",
        Page(525), Some("tls_alert_received"), No, Never, [],
        ["Add a virtual host with a certificate for the name in the evidence at the origin"]
    }
    OriginTlsClientCertificateRefused = origin.origin_tls.client_certificate_refused {
        "The site's server asks for a client certificate and did not accept the edge's.",
        Page(525), Some("tls_alert_received"), No, Never, [],
        ["If only the edge may connect, give it a certificate that the origin trusts",
         "Otherwise switch the demand off at the origin (`ssl_verify_client off;` in nginx)"]
    }
    OriginTlsCertificateExpired = origin.origin_tls.certificate_expired {
        "The certificate of the site's server has expired.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Renew the certificate at the origin and reload the web server (a renewed file that was not reloaded is common)",
         "Check the clocks of both machines against the dates in the evidence",
         "Until then `ssl = \"full\"` accepts it, without protection from an impostor"]
    }
    OriginTlsCertificateNotYetValid = origin.origin_tls.certificate_not_yet_valid {
        "The certificate of the site's server is not valid yet.",
        Page(526), Some("tls_certificate_error"), No, Later, [],
        ["Check the clocks of both machines against the dates in the evidence",
         "Install the certificate that is valid now"]
    }
    OriginTlsSelfSigned = origin.origin_tls.self_signed {
        "The certificate of the site's server is signed by itself.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Install a certificate from a public CA, or add this one to `origin_ca` under `[server]`",
         "`ssl = \"full\"` accepts it, without protection from an impostor"]
    }
    OriginTlsUnknownIssuer = origin.origin_tls.unknown_issuer {
        "The certificate of the site's server comes from an issuer that the edge does not trust.",
        Page(526), Some("tls_certificate_error"), No, Never, [OriginTlsMissingIntermediate],
        ["If the issuer in the evidence is your own CA, add its certificate to `origin_ca` under `[server]`",
         "Otherwise install a certificate from a public CA"]
    }
    OriginTlsMissingIntermediate = origin.origin_tls.missing_intermediate {
        "The site's server does not send the certificate that links its own to a trusted issuer.",
        Page(526), Some("tls_certificate_error"), No, Never, [OriginTlsUnknownIssuer],
        ["Install the full chain at the origin: leaf first, then the intermediate (`fullchain.pem`, not `cert.pem`)"]
    }
    OriginTlsNameMismatch = origin.origin_tls.name_mismatch {
        "The certificate of the site's server is for another name.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Get a certificate at the origin that covers the expected name in the evidence",
         "If the origin serves several sites, check that the virtual host of this name uses its own certificate"]
    }
    OriginTlsNameOnlyInCommonName = origin.origin_tls.name_only_in_common_name {
        "The certificate of the site's server carries its name only in a field that is no longer read.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Issue the certificate anew with the name as subject alternative name (RFC 9525 has the common name ignored)"]
    }
    OriginTlsRevoked = origin.origin_tls.revoked {
        "The certificate of the site's server was revoked.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Install a new certificate with a new key: a revoked one may have been stolen"]
    }
    OriginTlsWrongUsage = origin.origin_tls.wrong_usage {
        "The certificate of the site's server was not issued for servers.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Issue the certificate with the extended key usage `serverAuth`"]
    }
    OriginTlsCertificateInvalid = origin.origin_tls.certificate_invalid {
        "The certificate of the site's server cannot be read, or its signature does not hold.",
        Page(526), Some("tls_certificate_error"), No, Never, [],
        ["Read the reason in the evidence, and issue the certificate anew"]
    }

    // Sending the request.
    NetworkSendUnacknowledged = network.send.unacknowledged {
        "The connection to the site's server stands, but what is sent on it is never acknowledged.",
        Page(522), Some("connection_timeout"), Maybe, Later, [OriginSendTimedOut],
        ["Look for a firewall or router that forgets connections or drops packets after the first",
         "Check for a path MTU problem: small requests work and large ones do not",
         "See whether the origin machine hung or lost its network after accepting"]
    }
    OriginSendTimedOut = origin.send.timed_out {
        "The site's server stopped reading the request.",
        Page(524), Some("connection_write_timeout"), Maybe, Later, [],
        ["See why the application does not read the body: a blocked worker, a full disk, a limit on uploads",
         "If it needs longer between two reads, raise `write_timeout` under `[limits]`"]
    }
    OriginSendFlowControlStalled = origin.send.flow_control_stalled {
        "The site's server stopped taking the request's body over HTTP/2.",
        Page(524), Some("connection_write_timeout"), Maybe, Later, [],
        ["See why the application does not read the body: a blocked worker, a full disk, a limit on uploads",
         "If it needs longer between two reads, raise `write_timeout` under `[limits]`",
         "If one slow request holds up the others, lower `origin_h2_max_streams`: they share a connection's window"]
    }
    OriginSendReset = origin.send.reset {
        "The site's server cut the connection while the request was being sent.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["Look for a limit on the request's size at the origin (`client_max_body_size`, `LimitRequestBody`, `post_max_size`)",
         "Read the web server's error log at this time for a crashed or restarted worker"]
    }
    OriginSendStaleConnection = origin.send.stale_connection {
        "The site's server closed a kept-alive connection just as it was used again.",
        Page(520), Some("connection_terminated"), Maybe, Now, [OriginWaitClosedEmpty, OriginWaitReset],
        ["Make the origin's keep-alive time-out longer than the edge's `idle_timeout`, or that shorter",
         "The request was not repeated because its method may change something: only the client can decide that"]
    }

    // Waiting for the head.
    OriginWaitTimedOut = origin.wait.timed_out {
        "The site's server took the request and did not answer in time.",
        Page(524), Some("http_response_timeout"), Maybe, Later, [],
        ["Find what the application was doing at this time: a slow query, a third party, too few workers",
         "Move long work out of the request: answer at once, and let the client ask for the result",
         "If it really needs longer, raise `proxy_read_timeout` in the zone's settings"]
    }
    OriginWaitReset = origin.wait.reset {
        "The site's server reset the connection instead of answering.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["Read the error log of the web server and the application at this time: a crash or a kill looks like this",
         "Look for a firewall or security module at the origin that cuts connections"]
    }
    OriginWaitClosedEmpty = origin.wait.closed_empty {
        "The site's server closed the connection without answering.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["Read the error log of the web server and the application at this time: a crashed worker looks like this",
         "Look for a rule that drops the request on purpose (`return 444` in nginx)"]
    }
    OriginWaitHalfHead = origin.wait.half_head {
        "The site's server broke off in the middle of its response's header.",
        Page(520), Some("http_response_incomplete"), Yes, Later, [],
        ["Read the application's log at this time: it died while it was answering"]
    }
    OriginWaitTlsBroken = origin.wait.tls_broken {
        "The encrypted connection to the site's server broke before it answered.",
        Page(520), Some("tls_protocol_error"), Maybe, Later, [],
        ["Read the alert or error in the evidence, and the web server's error log at this time"]
    }
    NetworkWaitLost = network.wait.lost {
        "The site's server vanished from the network before it answered.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["See whether the origin machine crashed, was moved or lost its network at this time",
         "Look for a firewall or NAT on the way that forgets connections: its idle limit must be longer than the slowest answer"]
    }
    OriginWaitNotHttp = origin.wait.not_http {
        "What the site's server answered is not HTTP.",
        Page(520), Some("http_protocol_error"), Maybe, Never, [],
        ["See what listens on the port in the evidence: its first bytes stand there too",
         "If they begin with `\\x15\\x03` or `\\x16\\x03`, the port speaks TLS: set `ssl` to `full` or `strict`, or correct `origin_http_port`"]
    }
    OriginWaitHttp09 = origin.wait.http09 {
        "The site's server sent a document without the header that HTTP asks for.",
        Page(520), Some("http_protocol_error"), Yes, Never, [OriginWaitNotHttp],
        ["Look for a script that prints its page without a status line and header (CGI with `nph-`, a hand-written server)"]
    }
    OriginWaitUnsupportedVersion = origin.wait.unsupported_version {
        "The site's server answered in a version of HTTP that was not asked for.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Let the origin answer HTTP/1.1 requests in HTTP/1.1"]
    }
    OriginWaitBadStatus = origin.wait.bad_status {
        "The site's server answered with a status that does not exist.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Find where the application sets the status in the evidence: it must be a number from 100 to 599"]
    }
    OriginWaitIllegalHeader = origin.wait.illegal_header {
        "The site's server sent a header that is not allowed in HTTP.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Find where the application sets the header in the evidence: a line break or a space in a name is the usual cause"]
    }
    OriginWaitConflictingLengths = origin.wait.conflicting_lengths {
        "The site's server announced two different lengths, or none that is a number.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Let only one of application, framework and web server set `Content-Length`"]
    }
    OriginWaitLengthWithTransferEncoding = origin.wait.length_with_transfer_encoding {
        "The site's server announced its answer's length and chunked transfer at once.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Remove the `Content-Length` that the application sets, or its hand-made chunks"]
    }
    OriginWaitUnsupportedTransferCoding = origin.wait.unsupported_transfer_coding {
        "The site's server encoded its answer for transfer in a way that is not spoken here.",
        Page(520), Some("http_response_transfer_coding"), Yes, Never, [],
        ["Compress with `Content-Encoding` instead of `Transfer-Encoding`"]
    }
    OriginWaitHeaderTooLarge = origin.wait.header_too_large {
        "The headers of the site's server's answer are too large.",
        Page(520), Some("http_response_header_section_size"), Yes, Never, [],
        ["Find the header that grew: cookies, a content security policy, debug output",
         "If it must be so large, raise `response_header_bytes` under `[limits]`"]
    }
    OriginWaitInformationalFlood = origin.wait.informational_flood {
        "The site's server sent interim answers without end.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Find what sends `100`, `102` or `103` again and again without a final answer"]
    }
    OriginWaitUnexpectedUpgrade = origin.wait.unexpected_upgrade {
        "The site's server switched to another protocol that nobody had asked for.",
        Page(520), Some("http_protocol_error"), Yes, Never, [],
        ["Let the origin answer `101` only to requests that carry `Upgrade`"]
    }
    OriginWaitBadUpgrade = origin.wait.bad_upgrade {
        "The site's server switched to another protocol than the one asked for.",
        Page(520), Some("http_upgrade_failed"), Yes, Never, [],
        ["Compare what was asked for with what came: both stand in the evidence",
         "If `Sec-WebSocket-Accept` is wrong, the handshake is hand-made or answered from a cache: use a library's"]
    }
    OriginWaitHttp2NotSpoken = origin.wait.http2_not_spoken {
        "The site's server agreed to speak HTTP/2 and then did not.",
        Page(520), Some("http_protocol_error"), Maybe, Later, [],
        ["See what ends TLS at the origin: it offers `h2` and passes the bytes to a server that speaks HTTP/1.1 alone",
         "Switch HTTP/2 on behind it, or take `h2` out of its ALPN list",
         "Until then, set `origin_max_http_version = \"1\"` in the zone's settings"]
    }
    OriginWaitHttp2Goaway = origin.wait.http2_goaway {
        "The site's server ended its HTTP/2 connection before it answered.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["Read the error's name and text in the evidence, and the web server's error log at this time",
         "If the name is `NO_ERROR`, the server was restarting or had served enough: look how often it does"]
    }
    OriginWaitHttp2Reset = origin.wait.http2_reset {
        "The site's server cancelled the request instead of answering.",
        Page(520), Some("connection_terminated"), Maybe, Later, [],
        ["Read the error's name in the evidence, and the log of web server and application at this time: a crash looks like this",
         "If the name is `HTTP_1_1_REQUIRED`, set `origin_max_http_version = \"1\"` in the zone's settings"]
    }
    OriginWaitHttp2RefusedStream = origin.wait.http2_refused_stream {
        "The site's server has no room for another request on its HTTP/2 connection.",
        Page(520), Some("destination_unavailable"), No, Now, [],
        ["Compare how many streams were open with how many the origin allows: both stand in the evidence",
         "Raise the limit at the origin (`http2_max_concurrent_streams` in nginx), or lower `origin_h2_max_streams`"]
    }
    OriginWaitHttp2ProtocolError = origin.wait.http2_protocol_error {
        "The site's server broke the rules of HTTP/2.",
        Page(520), Some("http_protocol_error"), Maybe, Later, [],
        ["Read the error's name in the evidence; update the server, or the module or proxy that speaks HTTP/2 there",
         "Until then, set `origin_max_http_version = \"1\"` in the zone's settings"]
    }
    OriginWaitDeadlineExceeded = origin.wait.deadline_exceeded {
        "The time that the call itself allowed ran out before the site's server answered.",
        Page(504), Some("http_response_timeout"), Maybe, Later, [],
        ["Find what the service was doing at this time: a slow query, a third party, too few workers",
         "If it was not slow, the caller's deadline is too short: the timer in the evidence shows it"]
    }
    OriginWaitErrorStatus = origin.wait.error_status {
        "The site's server answered, and its answer is an error.",
        Origin, None, Yes, Later, [],
        ["Read the application's error log at this time: the error is its own",
         "For 502 and 504: the server at the origin is a gateway itself (nginx, a load balancer); look at what stands behind it",
         "For 503: overload or maintenance; look at worker limits and `Retry-After`"]
    }
    OriginWaitBlank = origin.wait.blank {
        "The site's server answered with success and an empty page.",
        Outside, None, Yes, Later, [],
        ["Read the application's error log at this time: a PHP error that is not displayed leaves an empty page",
         "Look whether a plugin, a theme or an output filter ends the page before it begins",
         "Purge the page from caches in between: an empty page may have been kept"]
    }

    // Receiving the body.
    OriginReceiveTruncated = origin.receive.truncated {
        "The site's server closed the connection before its answer was complete.",
        Cut(520), Some("http_response_incomplete"), Yes, Later, [],
        ["Read the application's log at this time: it died or was stopped while it was answering",
         "Check who sets `Content-Length`: a length that counts more than is sent looks the same (compression after counting)"]
    }
    OriginReceiveReset = origin.receive.reset {
        "The connection to the site's server was reset in the middle of its answer.",
        Cut(520), Some("http_response_incomplete"), Yes, Later, [],
        ["Read the application's log at this time for a killed worker",
         "Look for a firewall or load balancer that ends long answers"]
    }
    OriginReceiveBadChunk = origin.receive.bad_chunk {
        "The site's server broke the rules of chunked transfer in the middle of its answer.",
        Cut(520), Some("http_response_transfer_coding"), Yes, Never, [],
        ["Remove hand-made chunks from the application: the web server makes them"]
    }
    OriginReceiveBadTrailers = origin.receive.bad_trailers {
        "The site's server ended its answer with trailers that are not allowed.",
        Cut(520), Some("http_response_transfer_coding"), Yes, Never, [],
        ["Find what writes the trailer section in the evidence"]
    }
    OriginReceiveTimedOut = origin.receive.timed_out {
        "The site's server stopped in the middle of its answer.",
        Cut(524), Some("http_response_timeout"), Yes, Later, [],
        ["Find what the application waits for in mid-answer",
         "For event streams, send a comment line now and then, or raise `proxy_read_timeout`"]
    }
    NetworkReceiveLost = network.receive.lost {
        "The site's server vanished from the network in the middle of its answer.",
        Cut(520), Some("connection_terminated"), Yes, Later, [],
        ["See whether the origin machine crashed, was moved or lost its network at this time",
         "Look for a firewall or NAT on the way that forgets connections in the middle"]
    }
    OriginReceiveTlsBroken = origin.receive.tls_broken {
        "The encrypted connection to the site's server broke in the middle of its answer.",
        Cut(520), Some("http_response_incomplete"), Yes, Later, [OriginReceiveTruncated],
        ["Read the alert or error in the evidence",
         "If the answer has no length, let the origin send one, or close TLS properly (`close_notify`): otherwise nobody can tell its end from a cut"]
    }
    OriginReceiveHttp2Reset = origin.receive.http2_reset {
        "The site's server cancelled its answer in the middle.",
        Cut(520), Some("http_response_incomplete"), Yes, Later, [],
        ["Read the application's log at this time: it died or gave up while it was answering",
         "Read the error's name in the evidence: `CANCEL` and `INTERNAL_ERROR` are what most servers say of that"]
    }
    OriginReceiveHttp2Goaway = origin.receive.http2_goaway {
        "The site's server ended its HTTP/2 connection in the middle of its answer.",
        Cut(520), Some("http_response_incomplete"), Yes, Later, [],
        ["Read the error's name and text in the evidence, and the web server's error log at this time",
         "If it happens at restarts, let the server finish what it has begun"]
    }
    OriginReceiveHttp2ProtocolError = origin.receive.http2_protocol_error {
        "The site's server broke the rules of HTTP/2 in the middle of its answer.",
        Cut(520), Some("http_protocol_error"), Yes, Later, [],
        ["Read the error's name in the evidence; update the server, or the module or proxy that speaks HTTP/2 there",
         "Until then, set `origin_max_http_version = \"1\"` in the zone's settings"]
    }

    // Answering the visitor.
    VisitorReplyGone = visitor.reply.gone {
        "The visitor left before the answer was complete.",
        Nothing(499), Some("connection_terminated"), Maybe, Now, [],
        ["Nothing, if it is rare: people close tabs",
         "If it is common on one address, look how long the origin takes: people leave when they wait"]
    }
    VisitorReplyStalled = visitor.reply.stalled {
        "The visitor stopped reading the answer.",
        Nothing(499), Some("connection_write_timeout"), Yes, Now, [],
        ["Nothing, if it is rare: a lost mobile connection looks like this",
         "Many at once from a few addresses are an attempt to hold connections open"]
    }
    PolicyReplyIdle = policy.reply.idle {
        "The connection carried nothing for as long as it may, and was closed.",
        Nothing(0), None, Yes, Now, [],
        ["Let one side send a ping now and then: most WebSocket libraries have a setting for it",
         "If longer silence is normal for the site, raise `websocket_idle_timeout` under `[limits]`"]
    }
    EdgeReplyShutdown = edge.reply.shutdown {
        "The edge was stopped before the answer was complete.",
        Cut(503), Some("connection_terminated"), Maybe, Now, [],
        ["Raise `drain_timeout` under `[server]` above the time that the slowest answers take",
         "Take the edge out of DNS or its load balancer before stopping it"]
    }
    EdgeReplyErrorStatus = edge.reply.error_status {
        "The edge answered with an error of its own.",
        Outside, None, Maybe, Later, [OriginWaitErrorStatus],
        ["Look at the status page of whoever runs the edge",
         "Look up the request's id in the edge's log, or give it to its support with time and address",
         "Take back the last change on the edge: a rule, a worker, a certificate"]
    }
    EdgeReplyUnclassified = edge.reply.unclassified {
        "Something broke in the edge that it has no name for.",
        Page(500), Some("proxy_internal_error"), Maybe, Later, [],
        ["This is a bug in Rayline: please report it with the record, which `rayline tail --json` shows"]
    }
}

impl Code {
    /// This code's row.
    #[expect(clippy::indexing_slicing, reason = "the table is built from the same list as the enum, in its order")]
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// `party.phase.cause`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Whether no edge reaches it, but a diagnosis that looks from outside.
    pub fn is_outside(self) -> bool {
        self.entry().sent == Outside
    }

    /// The code of that name.
    pub fn find(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.code)
    }
}

impl Entry {
    /// The number that records and pages show; 0 where it is the origin's own status, or none.
    pub fn number(&self) -> u16 {
        match self.sent {
            Page(number) | Cut(number) | Nothing(number) => number,
            Origin | Outside => 0,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
