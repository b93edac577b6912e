//! A connection to the origin: a kept one that still stands, a place on a shared one, or a new one.

use std::net::SocketAddr;
use std::time::Instant;

use rayline_dial::http2::{Dialling, Http2, Http2Limits, Lease, Turn};
use rayline_dial::{Connection, Protocols, Timeouts};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::ReplyCause;

use super::reply::unless_gone;
use super::resolve::Target;
use super::send::Upload;
use crate::exchange::Exchange;
use crate::origin::{Link, http1, http2};
use crate::tunnel::Upgrade;

/// The TLS alert `no_application_protocol` (RFC 7301 §3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Takes a kept connection to one of the addresses, or a place on a shared one. A request that is sent again gets a fresh
/// connection, and the first place on it: what happened to it once would happen to it again among others.
pub(crate) fn reuse(exchange: &mut Exchange<'_>, target: &Target, upload: &Upload) -> Option<Link> {
    if upload.is_repeated() {
        return None;
    }
    if exchange.upgrade.is_some() {
        // It would have a connection of HTTP/1.1 to itself for as long as it lasts.
        return share(exchange, target, true).or_else(|| take_idle(exchange, target));
    }
    // An origin that speaks HTTP/1.1 is not made to wait for a look at what it does not have.
    take_idle(exchange, target).or_else(|| share(exchange, target, false))
}

/// Takes a kept connection of HTTP/1.1 to one of the addresses.
fn take_idle(exchange: &mut Exchange<'_>, target: &Target) -> Option<Link> {
    if target.security.protocols == Protocols::Http2 {
        return None;
    }
    let now = exchange.now;
    let mut addresses = target.addresses.iter();
    let taken = exchange.worker.count_idle(|pool| addresses.find_map(|address| pool.take(&target.key(*address), now)));
    Some(owned(exchange, target, taken?))
}

/// Takes a place on an HTTP/2 connection to one of the addresses, one for a `tunnel` or any.
fn share(exchange: &mut Exchange<'_>, target: &Target, tunnel: bool) -> Option<Link> {
    if target.security.protocols == Protocols::Http1 {
        return None;
    }
    let mut pool = exchange.worker.shared.borrow_mut();
    let mut addresses = target.addresses.iter();
    let taken = addresses.find_map(|address| pool.take(&target.key(*address), target.streams, tunnel));
    drop(pool);
    exchange.worker.count_resting();
    Some(shared(exchange, target, taken?))
}

/// Opens a new connection, TLS included; or shares the one that another request is opening, where the origin may speak
/// HTTP/2.
///
/// # Errors
/// The dialler's: of the most telling address when all failed. The visitor's leaving meanwhile.
pub(crate) async fn open(exchange: &mut Exchange<'_>, target: &Target, upload: &Upload) -> Result<Link, Fault> {
    let opened = match exchange.upgrade {
        None => open_or_share(exchange, target, upload).await,
        Some(_) => Box::pin(open_for_tunnel(exchange, target, upload)).await,
    };
    exchange.now = Instant::now();
    opened
}

/// Opens a connection for a WebSocket: one of HTTP/1.1, for which an origin needs to allow nothing. Of one that speaks
/// HTTP/2 alone, a stream is taken if it may become a tunnel.
async fn open_for_tunnel(exchange: &mut Exchange<'_>, target: &Target, upload: &Upload) -> Result<Link, Fault> {
    let refusal = match dial(exchange, target, Protocols::Http1, None).await {
        Err(refusal) if target.security.protocols != Protocols::Http1 && is_for_protocol(&refusal) => refusal,
        opened => return opened,
    };
    let place = if upload.is_repeated() { None } else { share(exchange, target, false) };
    let link = match place {
        Some(link) => link,
        None => open_or_share(exchange, target, upload).await?,
    };
    match unless_gone(exchange, link.takes_tunnel()).await? {
        true => Ok(link),
        false => Err(refusal.with(Upgrade::fact("HTTP/2 without extended CONNECT".to_owned()))),
    }
}

/// Whether the origin refused the handshake because it speaks none of the protocols that were offered.
fn is_for_protocol(refusal: &Fault) -> bool {
    let no_protocol = |fact: &Fact| matches!(fact, Fact::TlsAlert { number: NO_APPLICATION_PROTOCOL, .. });
    refusal.evidence.facts().iter().any(no_protocol)
}

async fn open_or_share(exchange: &mut Exchange<'_>, target: &Target, upload: &Upload) -> Result<Link, Fault> {
    let protocols = target.security.protocols;
    let Some(address) = target.addresses.first().filter(|_| protocols != Protocols::Http1) else {
        return dial(exchange, target, Protocols::Http1, None).await;
    };
    let key = target.key(*address);
    loop {
        let turn = exchange.worker.shared.borrow_mut().turn(&key, Instant::now());
        match turn {
            Turn::Lead(dialling) => return dial(exchange, target, protocols, Some(dialling)).await,
            Turn::Alone => return dial(exchange, target, protocols, None).await,
            Turn::Http1 => return dial(exchange, target, Protocols::Http1, None).await,
            Turn::Wait(_) if upload.is_repeated() => return dial(exchange, target, protocols, None).await,
            Turn::Wait(wait) => {
                let goes_on = unless_gone(exchange, wait.over()).await?;
                if let Some(link) = share(exchange, target, false) {
                    return Ok(link);
                }
                if !goes_on {
                    return dial(exchange, target, protocols, None).await;
                }
            }
        }
    }
}

async fn dial(
    exchange: &mut Exchange<'_>,
    target: &Target,
    protocols: Protocols,
    dialling: Option<Dialling>,
) -> Result<Link, Fault> {
    let limits = exchange.running.limits();
    let timeouts =
        Timeouts { connect: limits.connect_timeout, tls: limits.tls_timeout, keepalive: limits.tcp_keepalive };
    let dialled = rayline_dial::Target {
        addresses: &target.addresses,
        tls: target.security.tls,
        protocols,
        server_name: &target.server_name,
        ssl_mode: target.security.mode,
        identity: target.identity.as_ref(),
    };
    let mut attempts = std::mem::take(&mut exchange.attempts);
    let running = exchange.running;
    let outcome = unless_gone(exchange, Box::pin(running.dialer.dial(&dialled, &timeouts, &mut attempts))).await;
    exchange.attempts = attempts;
    match outcome? {
        Ok(connection) => {
            let timings = connection.timings();
            let origin = exchange.origin();
            (origin.tcp_us, origin.tls_us) = (timings.tcp_us.into(), timings.tls_us.into());
            if connection.is_http2() {
                return begin(exchange, target, connection, dialling).await;
            }
            if let Some(address) = target.addresses.first().filter(|_| protocols != Protocols::Http1) {
                exchange.worker.shared.borrow_mut().chose_http1(&target.key(*address), Instant::now());
            }
            Ok(owned(exchange, target, connection))
        }
        Err(fault) => {
            if let Some(dialling) = dialling {
                dialling.fail();
            }
            exchange.origin().address = exchange.attempts.last().map(|attempt| attempt.address);
            Err(fault)
        }
    }
}

/// Begins to speak HTTP/2 on a new connection, and puts it where others find it.
async fn begin(
    exchange: &mut Exchange<'_>,
    target: &Target,
    connection: Connection,
    dialling: Option<Dialling>,
) -> Result<Link, Fault> {
    let worker = exchange.worker;
    let limits = Http2Limits { streams: target.streams, header_bytes: exchange.running.limits().response_header_bytes };
    let resting = std::rc::Rc::clone(worker.shared.borrow().resting());
    let key = target.key(connection.address());
    let begun = unless_gone(exchange, Box::pin(Http2::begin(connection, limits, &resting, dialling))).await?;
    let connection =
        begun.map_err(|error| Fault::new(ReplyCause::Unclassified).with(Fact::Internal(error.to_string())))?;
    let lease = connection.lease();
    worker.shared.borrow_mut().put(&key, connection);
    Ok(shared(exchange, target, lease))
}

/// A connection of the request's own.
fn owned(exchange: &mut Exchange<'_>, target: &Target, connection: Connection) -> Link {
    let limits = exchange.running.response_limits();
    let link = Link::Http1(http1::Link::new(exchange.worker, connection, limits, target.security.mode));
    note(exchange, &link);
    link
}

/// A place on a shared one.
fn shared(exchange: &mut Exchange<'_>, target: &Target, lease: Lease) -> Link {
    let limits = exchange.running.response_limits();
    let link = Link::Http2(Box::new(http2::Link::new(exchange.worker, lease, limits, target.security.mode)));
    note(exchange, &link);
    link
}

fn note(exchange: &mut Exchange<'_>, link: &Link) {
    let origin = exchange.origin();
    origin.address = Some(link.address());
    origin.reused = link.is_reused();
    origin.protocol = link.protocol();
    origin.ssl_protocol = link.ssl_protocol();
    if origin.reused {
        (origin.tcp_us, origin.tls_us) = (0, 0);
    }
}

/// The origin asked for HTTP/1.1 over HTTP/2.
pub(crate) fn require_http1(exchange: &Exchange<'_>, target: &Target, address: SocketAddr) {
    let mut pool = exchange.worker.shared.borrow_mut();
    for address in target.addresses.first().into_iter().chain([&address]) {
        pool.require_http1(&target.key(*address), Instant::now());
    }
}
