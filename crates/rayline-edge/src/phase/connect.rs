//! A connection to the origin: a kept one that still stands, or a new one.

use std::rc::Rc;
use std::time::Instant;

use rayline_dial::{Connection, Timeouts};
use rayline_verdict::Fault;

use super::reply::unless_gone;
use super::resolve::Target;
use crate::exchange::Exchange;
use crate::link::Link;

/// Takes a kept connection to one of the addresses. A request that met a stale one gets a fresh connection.
pub(crate) fn reuse(exchange: &mut Exchange<'_>, target: &Target) -> Option<Link> {
    if !exchange.attempts.is_empty() {
        return None;
    }
    let now = Instant::now();
    let taken = exchange
        .worker
        .count_idle(|pool| target.addresses.iter().find_map(|address| pool.take(&target.key(*address), now)))?;
    Some(link(exchange, target, taken))
}

/// Opens a new connection, TLS included.
///
/// # Errors
/// The dialler's: of the most telling address when all failed. The visitor's leaving meanwhile.
pub(crate) async fn open(exchange: &mut Exchange<'_>, target: &Target) -> Result<Link, Fault> {
    let limits = exchange.running.limits();
    let timeouts =
        Timeouts { connect: limits.connect_timeout, tls: limits.tls_timeout, keepalive: limits.tcp_keepalive };
    let dialled = rayline_dial::Target {
        addresses: &target.addresses,
        tls: target.security.tls,
        server_name: &target.server_name,
        ssl_mode: target.security.mode,
        identity: target.identity.as_ref(),
    };
    let mut attempts = std::mem::take(&mut exchange.attempts);
    let running = exchange.running;
    let outcome = unless_gone(exchange, running.dialer.dial(&dialled, &timeouts, &mut attempts)).await;
    exchange.attempts = attempts;
    match outcome? {
        Ok(connection) => {
            let timings = connection.timings();
            let origin = exchange.origin();
            (origin.tcp_us, origin.tls_us) = (timings.tcp_us.into(), timings.tls_us.into());
            Ok(link(exchange, target, connection))
        }
        Err(fault) => {
            exchange.origin().address = exchange.attempts.last().map(|attempt| attempt.address);
            Err(fault)
        }
    }
}

fn link(exchange: &mut Exchange<'_>, target: &Target, connection: Connection) -> Link {
    let origin = exchange.origin();
    origin.address = Some(connection.address());
    origin.reused = connection.is_reused();
    origin.ssl_protocol = connection.tls().map_or("none", |(version, _)| version);
    Link::new(exchange.worker, connection, exchange.running.response_limits(), target.security.mode)
}

/// Keeps a connection whose request ended well.
pub(crate) fn keep(worker: &Rc<crate::worker::Worker>, target: &Target, link: Link) {
    let connection = link.into_connection();
    let key = target.key(connection.address());
    worker.count_idle(|pool| pool.put(&key, connection, Instant::now()));
}
