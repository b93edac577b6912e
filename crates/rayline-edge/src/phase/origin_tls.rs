//! Whether and how the origin is spoken to over TLS, by the zone's SSL mode and the visitor's scheme.
//!
//! The handshake itself is the dialler's; what it met comes back as a fault of this phase.

use rayline_config::SslMode;
use rayline_dial::Tls;

use crate::exchange::{Exchange, Route};

/// How one request's connection to the origin is secured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Security {
    pub(crate) tls: Tls,
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
    let tls = match settings.ssl {
        SslMode::Off | SslMode::Flexible => Tls::Off,
        SslMode::Full if https => Tls::Full,
        SslMode::Strict if https => Tls::Strict,
        SslMode::Full | SslMode::Strict => Tls::Off,
        SslMode::OriginPull => Tls::Strict,
    };
    let port = if tls == Tls::Off { settings.origin_http_port } else { settings.origin_https_port };
    Security { tls, port, mode: name(settings.ssl) }
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
