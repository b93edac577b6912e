//! HAProxy, by the termination state in its log lines too; Caddy; Traefik and Envoy by what they say of an upstream.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppPortTaken, HostTooManyFiles, ServerBodyTooLarge, ServerConfiguration, ServerMaintenance, ServerPoolExhausted,
    ServerStopped, ServerTlsFailed, ServerUpstreamClosed, ServerUpstreamInvalid, ServerUpstreamRefused,
    ServerUpstreamTimedOut, ServerUpstreamUnresolved,
};
use crate::logs::Source;

pub(super) const PATTERNS: &[Pattern] = &[
    // HAProxy's termination states: who ended the session, and what it waited for
    means(ServerUpstreamRefused, &[" SC"], r"^[^\n]*? (?P<server>\S+/<NOSRV>) \S+ (?:[0-9-]+ )?[0-9+]+ (?:\S+ \S+ )?SC[A-Z-]{0,2} [0-9]", "HAProxy had no server for the request: {server} (SC)"),
    means(ServerUpstreamRefused, &[" SC"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?SC[A-Z-]{0,2} [0-9]", "HAProxy could not connect to the application {server} (SC)"),
    means(ServerUpstreamTimedOut, &[" sC"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?sC[A-Z-]{0,2} [0-9]", "HAProxy could not connect to the application {server} in time (sC)"),
    means(ServerPoolExhausted, &[" sQ"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?sQ[A-Z-]{0,2} [0-9]", "a request waited too long in HAProxy's queue for {server} (sQ)"),
    means(ServerUpstreamTimedOut, &[" sH", " sD", " sL"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>s[HDL])[A-Z-]{0,2} [0-9]", "the application {server} took longer than HAProxy waits ({state})"),
    means(ServerUpstreamClosed, &[" SH", " SD", " SL", " DH", " DD", " DC"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>[SD][HDL]|DC)[A-Z-]{0,2} [0-9]", "the application {server} broke the connection off ({state})"),
    means(ServerUpstreamInvalid, &[" PH", " PD"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>P[HD])[A-Z-]{0,2} [0-9]", "HAProxy could not read the answer of the application {server} ({state})"),
    means(HostTooManyFiles, &[" PC", " RC"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>[PR]C)[A-Z-]{0,2} [0-9]", "HAProxy had no socket or port left to connect to {server} ({state})"),
    means(ServerConfiguration, &[" PR", " PT"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>P[RT])[A-Z-]{0,2} [0-9]", "HAProxy turned the request away by a rule, or took it for malformed[, with status {status}] ({state})"),
    means(ServerStopped, &[" KC", " KH", " KD"], r" (?P<server>[^\s/]+/[^\s/]+) [0-9/+-]+ (?:(?P<status>[0-9-]+) )?[0-9+]+ (?:\S+ \S+ )?(?P<state>K[CHD])[A-Z-]{0,2} [0-9]", "somebody ended the session with {server} in HAProxy ({state})"),
    // what HAProxy says of its servers
    means(ServerUpstreamTimedOut, &["is DOWN, reason"], r#"Server (?P<server>\S+) is DOWN, reason: (?P<why>Layer[467] timeout)"#, "HAProxy takes the application {server} for down: {why}"),
    means(ServerTlsFailed, &["is DOWN, reason"], r#"Server (?P<server>\S+) is DOWN, reason: (?P<why>Layer6 invalid response[^\n]*?)(?:, check duration|$)"#, "HAProxy takes the application {server} for down: {why}"),
    means(ServerUpstreamRefused, &["is DOWN, reason"], r#"Server (?P<server>\S+) is DOWN, reason: (?P<why>[^\n]+?)(?:, check duration|$)"#, "HAProxy takes the application {server} for down: {why}"),
    means(ServerUpstreamRefused, &["has no server available"], r"(?:backend|proxy) '?(?P<backend>[^\s']+)'? has no server available", "HAProxy has no server left for `{backend}`"),
    means(ServerMaintenance, &["DOWN for maintenance"], r"Server (?P<server>\S+) is going DOWN for maintenance", "somebody took the application {server} out for maintenance, in HAProxy"),
    means(ServerUpstreamUnresolved, &["could not resolve address"], r"could not resolve address '(?P<name>[^']+)'", "HAProxy cannot resolve the application's name `{name}`"),
    means(AppPortTaken, &["cannot bind socket"], r"cannot bind socket \((?P<why>Address already in use)\)[^\n]*\[(?P<address>[^\]]+)\]", "HAProxy cannot listen on {address}: the port is taken"),
    means(HostTooManyFiles, &["reached process FD limit", "reached system FD limit"], r"reached (?P<what>process|system) FD limit", "HAProxy has as many connections open as the {what} allows"),
    means(ServerConfiguration, &[": parsing ["], r"parsing \[(?P<file>[^\]:]+):(?P<line>[0-9]+)\]\s?: (?P<what>[^\n]+)", "HAProxy's configuration is wrong: {what}"),
    // Caddy: its messages are those of its language, and are told from an application's by who wrote them
    means(ServerUpstreamRefused, &["connection refused", "no route to host", "connect: no such file", "network is unreachable"], r"dial (?:tcp|unix) (?P<address>\S+): connect: (?P<why>connection refused|no route to host|no such file or directory|network is unreachable)", "the web server cannot connect to the application at {address}: {why}").by(&[Source::Caddy]),
    means(ServerUpstreamRefused, &["caused by: dial tcp", "reverseproxy"], r#"dial (?:tcp|unix) (?P<address>[^\s"]+): connect: (?P<why>connection refused|no route to host|no such file or directory|network is unreachable)[^\n]*reverseproxy|caused by: dial tcp (?P<other>\S+): connect: connection refused"#, "the web server cannot connect to the application at[ {address}: {why}][ {other}]"),
    means(ServerUpstreamRefused, &["no upstreams available"], r"no upstreams available", "the web server takes every server of the application for down"),
    means(ServerUpstreamTimedOut, &["i/o timeout", "timeout awaiting response headers", "context deadline exceeded"], r"(?:dial tcp (?P<address>\S+): )?i/o timeout|timeout awaiting response headers|context deadline exceeded", "the application[ at {address}] took longer than the web server waits").by(&[Source::Caddy]),
    means(ServerUpstreamTimedOut, &["reverseproxy"], r#"(?:dial tcp (?P<address>[^\s"]+): )?(?:i/o timeout|timeout awaiting response headers|context deadline exceeded)[^\n]*reverseproxy"#, "the application[ at {address}] took longer than the web server waits"),
    means(ServerUpstreamTimedOut, &["timeout awaiting response headers"], r"timeout awaiting response headers", "the application took longer than the web server waits"),
    means(ServerTlsFailed, &["tls: ", "x509: ", "certificate from issuer", "obtaining certificate", "remote error: tls"], r#"(?P<what>(?:remote error: )?(?:tls|x509): [^\n"]+|could not get certificate from issuer[^\n"]*|obtaining certificate[^\n"]*: [^\n"]+)"#, "the web server's TLS failed: {what}").by(&[Source::Caddy]),
    means(ServerTlsFailed, &["\"logger\":\"tls", "TLS handshake error from"], r#""logger":"tls\.[^\n]*"msg":"(?P<what>(?:could not get certificate|will retry|challenge failed)[^"]*)"|http: TLS handshake error from \S+ (?P<why>remote error: tls: [^\n]+|tls: [^\n]+)"#, "the web server's TLS failed[: {what}][: {why}]"),
    means(ServerUpstreamInvalid, &["malformed HTTP"], r#"malformed HTTP (?P<what>response|status code|version|header|line)\s?\\?"?(?P<seen>[^"\\\n]*)"#, "the application's answer is not what the web server can read: malformed HTTP {what}"),
    means(ServerUpstreamInvalid, &["reverseproxy", "http: server gave HTTP response to HTTPS client"], r"http: server gave HTTP response to HTTPS client", "the web server speaks TLS to an application that speaks plain HTTP"),
    means(ServerBodyTooLarge, &["http: request body too large"], r"http: request body too large", "a request's body is larger than the web server allows"),
    means(ServerUpstreamClosed, &["EOF", "connection reset by peer", "server closed idle connection", "broken pipe"], r#"(?:^|: |"msg":")(?P<what>(?:unexpected )?EOF|(?:read|write)(?: tcp \S+->(?P<address>\S+))?: (?:read: |write: )?(?:connection reset by peer|broken pipe)|http: server closed idle connection)"#, "the application[ at {address}] closed the connection before it had answered: {what}").by(&[Source::Caddy]),
    means(ServerUpstreamClosed, &["reverseproxy"], r#""msg":"(?P<what>(?:unexpected )?EOF|read tcp \S+->(?P<address>\S+): read: connection reset by peer|http: server closed idle connection)"[^\n]*reverseproxy"#, "the application[ at {address}] closed the connection before it had answered: {what}"),
    means(ServerConfiguration, &["adapting config using caddyfile", "loading initial config"], r"(?P<what>(?:adapting config using caddyfile|loading initial config|parsing caddyfile)[^\n]*)", "Caddy's configuration is wrong: {what}"),
    // Envoy
    means(ServerUpstreamRefused, &["upstream connect error or disconnect", "no healthy upstream"], r"reset reason: (?:remote )?connection failure|no healthy upstream", "the proxy cannot connect to the application"),
    means(ServerUpstreamTimedOut, &["upstream request timeout", "upstream connect error or disconnect"], r"upstream request timeout|reset reason: connection timeout", "the application took longer than the proxy waits"),
    means(ServerUpstreamClosed, &["upstream connect error or disconnect"], r"reset reason: (?P<why>connection termination|remote reset|local reset|protocol error)", "the application closed the connection before it had answered: {why}"),
    // Varnish
    means(ServerUpstreamRefused, &["no backend connection", "backend fetch failed"], r"FetchError\s+no backend connection|VCL_Error\s+Backend fetch failed", "Varnish cannot connect to the application"),
];
