//! Maintenance of a zone (`[zone.maintenance]`): visitors are told to come back later, and the origin is left alone.

use rayline_config::Maintenance;
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RulesCause;

use crate::exchange::{Exchange, Route};
use crate::phase::request::path_and_query;

/// Refuses a request of a zone, or of a path of it, that is in maintenance.
///
/// # Errors
/// It is, and the visitor is not among those who are let in.
pub(crate) fn refuse(exchange: &Exchange<'_>, route: &Route<'_>) -> Result<(), Fault> {
    let Some(maintenance) = &route.zone.zone.maintenance else { return Ok(()) };
    let visitor = exchange.record.client_ip;
    if maintenance.allow.iter().any(|network| network.contains(&visitor)) || !concerns(maintenance, exchange) {
        return Ok(());
    }
    let seconds = u32::try_from(maintenance.retry_after.as_secs()).unwrap_or(u32::MAX);
    Err(Fault::new(RulesCause::Maintenance).with(Fact::RetryAfter(seconds)))
}

fn concerns(maintenance: &Maintenance, exchange: &Exchange<'_>) -> bool {
    let path = path_and_query(exchange.head);
    maintenance.paths.is_empty() || maintenance.paths.iter().any(|beginning| path.starts_with(beginning.as_bytes()))
}
