//! Where the origin is: the record's addresses, or those that its name resolves to now.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use rayline_config::Target as Content;
use rayline_dial::{Identity, Key, Tls, prohibited};
use rayline_verdict::Fault;
use rayline_verdict::evidence::{DnsFacts, Fact};
use rayline_verdict::fault::ResolveCause;
use smallvec::SmallVec;

use super::origin_tls::Security;
use super::reply::unless_gone;
use super::route::host_name;
use crate::exchange::{Exchange, Route, micros};

/// Where an origin is, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Target {
    /// Where to connect, at least one.
    pub(crate) addresses: SmallVec<[SocketAddr; 1]>,
    /// The name for the TLS handshake; empty without TLS.
    pub(crate) server_name: Arc<str>,
    pub(crate) security: Security,
    /// The most requests at once on one HTTP/2 connection.
    pub(crate) streams: u32,
    /// What to show if the origin asks for a client certificate; `None` without TLS.
    pub(crate) identity: Option<Arc<Identity>>,
    /// The trust settings that connections are made under.
    pub(crate) trust: u64,
}

impl Target {
    /// The pool's key for one of the addresses.
    pub(crate) fn key(&self, address: SocketAddr) -> Key {
        Key {
            address,
            tls: self.security.tls,
            server_name: Arc::clone(&self.server_name),
            identity: self.identity.clone(),
            generation: self.trust,
        }
    }
}

/// Finds the origin's addresses.
///
/// # Errors
/// Every way in which a name can fail to lead to an address that the edge may connect to.
pub(crate) async fn target(
    exchange: &mut Exchange<'_>,
    route: &Route<'_>,
    security: Security,
) -> Result<Target, Fault> {
    let with_port = |ip: IpAddr| SocketAddr::new(ip, security.port);
    let ruled = exchange.changes().and_then(|changes| changes.route.host.clone());
    let addresses: SmallVec<[SocketAddr; 1]> = match (ruled.as_deref(), &route.origin.target) {
        (Some(host), _) => ruled_addresses(exchange, host).await?.into_iter().map(with_port).collect(),
        (None, Content::Addresses(addresses)) => addresses.iter().copied().map(with_port).collect(),
        (None, Content::Name(name)) => resolve(exchange, name).await?.into_iter().map(with_port).collect(),
    };
    if let Some(own) = addresses.iter().find(|address| is_own(exchange, **address)) {
        return Err(Fault::new(ResolveCause::PointsToEdge)
            .with(Fact::OriginAddress(*own))
            .with(Fact::ProhibitedAddress(own.ip())))
        .map_err(|fault| named(exchange, fault));
    }
    let (server_name, identity) = match security.tls {
        Tls::Off => (Arc::clone(&exchange.running.no_zone), None),
        // One name for one host: a visitor who varies the case must not have a connection opened for each.
        Tls::Full | Tls::Strict => {
            let name = server_name(exchange).unwrap_or_else(|| route.host.into());
            (Arc::from(name.trim_end_matches('.').to_ascii_lowercase()), route.zone.identity.clone())
        }
    };
    let streams = route.zone.zone.settings.origin_h2_max_streams;
    let trust = exchange.running.edition.trust;
    Ok(Target { addresses, server_name, security, streams, identity, trust })
}

/// The server name that an origin rule asks for: its own, else that of its host header ("Origin Rules", SNI).
fn server_name<'e>(exchange: &'e Exchange<'_>) -> Option<Cow<'e, str>> {
    let routed = &exchange.changes()?.route;
    if let Some(sni) = &routed.sni {
        return Some(String::from_utf8_lossy(sni));
    }
    Some(match String::from_utf8_lossy(routed.host_header.as_deref()?) {
        Cow::Borrowed(host) => host_name(host).into(),
        Cow::Owned(host) => host_name(&host).to_owned().into(),
    })
}

/// The addresses of the host that an origin rule names. One that is written there is taken as it is, like a record's.
async fn ruled_addresses(exchange: &mut Exchange<'_>, host: &str) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(address) = host_name(host).parse() {
        return Ok(vec![address]);
    }
    let resolved = Box::pin(resolve(exchange, host)).await;
    resolved.map_err(|fault| named(exchange, fault))
}

/// Names the origin rule, where one has chosen the origin.
fn named(exchange: &Exchange<'_>, fault: Fault) -> Fault {
    let by = exchange.changes().and_then(|changes| changes.route.by.as_ref());
    match by {
        Some((id, description)) => fault.with(Fact::Rule {
            id: id.to_string(),
            description: description.to_string(),
            phase: rayline_rules::ruleset::Phase::Origin.name(),
        }),
        None => fault,
    }
}

async fn resolve(exchange: &mut Exchange<'_>, name: &str) -> Result<Vec<IpAddr>, Fault> {
    let began = exchange.now;
    let running = exchange.running;
    let resolved = unless_gone(exchange, Box::pin(running.resolver.resolve(name))).await;
    exchange.now = Instant::now();
    exchange.origin().dns_us = micros(began, exchange.now);
    let resolved = resolved?.map_err(|fault| fault.with(Fact::OriginName(name.to_owned())))?;
    if running.server().allow_private_origins {
        return Ok(resolved.addresses.to_vec());
    }
    let (refused, allowed): (Vec<_>, Vec<_>) = resolved.addresses.iter().partition(|ip| prohibited(**ip));
    match refused.first() {
        Some(ip) if allowed.is_empty() => Err(Fault::new(ResolveCause::ProhibitedAddress)
            .with(Fact::OriginName(name.to_owned()))
            .with(Fact::ProhibitedAddress(*ip))
            .with(Fact::Dns(DnsFacts {
                name: name.to_owned(),
                response_code: "NOERROR".to_owned(),
                addresses: resolved.addresses.to_vec(),
                ..DnsFacts::default()
            }))),
        _ => Ok(allowed),
    }
}

/// Whether an address is one of the edge's own listeners: a request sent there comes straight back.
fn is_own(exchange: &Exchange<'_>, address: SocketAddr) -> bool {
    let server = exchange.running.server();
    server.http.iter().chain(&server.https).any(|listener| {
        listener.port() == address.port()
            && (listener.ip() == address.ip()
                || listener.ip().is_unspecified()
                    && (address.ip().is_loopback() || address.ip() == exchange.visitor.local.ip()))
    })
}
