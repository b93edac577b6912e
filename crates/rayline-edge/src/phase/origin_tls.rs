//! Whether and how the origin is spoken to over TLS, by the zone's SSL mode and the visitor's scheme; and which versions
//! of HTTP may be spoken above it.
//!
//! The handshake itself is the dialler's; what it met comes back as a fault of this phase.

use rayline_config::{HttpVersion, SslMode};
use rayline_dial::{Protocols, Tls};

use crate::exchange::{Exchange, Route};

/// How one request's connection to the origin is secured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Security {
    pub(crate) tls: Tls,
    /// What may be spoken above it.
    pub(crate) protocols: Protocols,
    pub(crate) port: u16,
    /// The mode's name, for the evidence.
    pub(crate) mode: &'static str,
}

/// Chooses by mode ("Encryption modes" of the Cloudflare SSL documentation): `off` and `flexible` speak HTTP to the
/// origin, `full` and `strict` whatever the visitor speaks, `origin_pull` always HTTPS. A paused zone keeps its mode:
/// it says what the origin speaks, not what the edge does for it.
pub(crate) fn choose(exchange: &Exchange<'_>, route: &Route<'_>) -> Security {
    let settings = &route.zone.zone.settings;
    let https = exchange.visitor.tls.is_some();
    let ssl = exchange.ssl(route.zone);
    let tls = match ssl {
        SslMode::Off | SslMode::Flexible => Tls::Off,
        SslMode::Full if https => Tls::Full,
        SslMode::Strict if https => Tls::Strict,
        SslMode::Full | SslMode::Strict => Tls::Off,
        SslMode::OriginPull => Tls::Strict,
    };
    let ruled = exchange.changes().and_then(|changes| changes.route.port);
    let usual = if tls == Tls::Off { settings.origin_http_port } else { settings.origin_https_port };
    let protocols = protocols(exchange, tls, settings.origin_max_http_version);
    Security { tls, protocols, port: ruled.unwrap_or(usual), mode: name(ssl) }
}

/// Over TLS the origin chooses. Over plain TCP it cannot, and HTTP/1.1 is spoken; except that gRPC knows no other version
/// than HTTP/2, so a server for it is supposed to speak that (prior knowledge).
fn protocols(exchange: &Exchange<'_>, tls: Tls, most: HttpVersion) -> Protocols {
    match (tls, most) {
        (Tls::Off, _) if exchange.is_call() => Protocols::Http2,
        (Tls::Off, _) | (Tls::Full | Tls::Strict, HttpVersion::V1) => Protocols::Http1,
        (Tls::Full | Tls::Strict, HttpVersion::V2) => Protocols::Http2OrHttp1,
    }
}

/// The mode's value in the API.
fn name(mode: SslMode) -> &'static str {
    match mode {
        SslMode::Off => "off",
        SslMode::Flexible => "flexible",
        SslMode::Full => "full",
        SslMode::Strict => "strict",
        SslMode::OriginPull => "origin_pull",
    }
}
