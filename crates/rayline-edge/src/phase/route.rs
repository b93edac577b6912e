//! Which zone a request belongs to, and which record of it matched. Asks nobody: the plan's table has it all.

use std::net::IpAddr;

use rayline_config::HostMatch;
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RouteCause;

use crate::exchange::{Exchange, Route};

/// Finds the route of a request by its host name.
///
/// # Errors
/// A host that is an address, not covered by the certificate served, in no zone, without a record or DNS-only; a
/// header that only an edge may set; a request that came through here already.
pub(crate) fn find<'a>(exchange: &mut Exchange<'a>) -> Result<Route<'a>, Fault> {
    let host = host_name(exchange.head.host().unwrap_or_default());
    let found = exchange.running.find(host);
    let zone = match found {
        HostMatch::Found { zone, .. } | HostMatch::DnsOnly { zone } | HostMatch::NoRecord { zone } => Some(zone),
        HostMatch::Unknown => None,
    };
    exchange.zone = zone.and_then(|zone| exchange.running.zone(zone));
    let miss = |cause: RouteCause| {
        let server_name = exchange.visitor.tls.as_ref().and_then(|tls| tls.server_name.clone());
        Fault::new(cause).with(Fact::Host { host: host.to_owned(), server_name })
    };
    let (HostMatch::Found { origin, .. }, Some(zone)) = (found, exchange.zone) else {
        return Err(miss(match found {
            HostMatch::Unknown if host.parse::<IpAddr>().is_ok() => RouteCause::DirectIp,
            HostMatch::Unknown | HostMatch::Found { .. } => RouteCause::UnknownHost,
            HostMatch::NoRecord { .. } => RouteCause::NoRecord,
            HostMatch::DnsOnly { .. } => RouteCause::DnsOnly,
        }));
    };
    if exchange.visitor.tls.as_ref().is_some_and(|tls| !covers(&tls.certificate, host)) {
        return Err(miss(RouteCause::SniMismatch));
    }
    // A request that came through us bears the address that we wrote: the loop is its fault, not the visitor's.
    refuse_loop(exchange)?;
    refuse_forgery(exchange)?;
    Ok(Route { zone, origin, host })
}

/// The host without port and brackets. The codec has checked the grammar.
pub(crate) fn host_name(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    // Names are short: a search that looks at many bytes at a time takes longer to begin.
    let port = authority.bytes().position(|byte| byte == b':');
    port.and_then(|colon| authority.get(..colon)).unwrap_or(authority)
}

/// The host without port, brackets and final dot: `shop.test.` is the same name, and meets the same rules.
pub(crate) fn bare_host(authority: &str) -> &str {
    let host = host_name(authority);
    host.strip_suffix('.').unwrap_or(host)
}

/// A plan that serves every host name has certificates for none in particular: a certificate without names covers
/// whatever it is served for.
fn covers(certificate: &rayline_config::Certificate, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    certificate.names.is_empty()
        || if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            certificate.covers(&host.to_ascii_lowercase())
        } else {
            certificate.covers(host)
        }
}

/// A visitor that names its own address could pass a ban or frame somebody else.
fn refuse_forgery(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let Some(value) = exchange.head.fields.get("cf-connecting-ip") else { return Ok(()) };
    let peer = exchange.visitor.ip();
    if exchange.running.server().trusted_proxies.iter().any(|network| network.contains(&peer)) {
        return Ok(());
    }
    let value = String::from_utf8_lossy(value).into_owned();
    Err(Fault::new(RouteCause::ForgedHeader).with(Fact::RequestHeader { name: "CF-Connecting-IP", value }))
}

/// RFC 8586: each CDN adds its own token and looks for it. Another edge's token is no loop.
fn refuse_loop(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let looped = exchange.head.fields.all("cdn-loop").find(|value| {
        value.split(|&byte| byte == b',').any(|member| {
            let token = member.split(|&byte| byte == b';').next().unwrap_or_default();
            token.trim_ascii().eq_ignore_ascii_case(super::send::CDN_TOKEN)
        })
    });
    match looped {
        None => Ok(()),
        Some(value) => {
            let value = String::from_utf8_lossy(value).into_owned();
            Err(Fault::new(RouteCause::Loop).with(Fact::RequestHeader { name: "CDN-Loop", value }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn takes_port_and_brackets_off() {
        for (authority, name) in [
            ("a.example", "a.example"),
            ("a.example:8080", "a.example"),
            ("[::1]:80", "::1"),
            ("[::1]", "::1"),
            ("", ""),
        ] {
            assert_eq!(host_name(authority), name);
        }
    }
}
