//! Maintenance of a zone (`[zone.maintenance]`): visitors are told to come back later, and the origin is left alone.

use std::time::Duration;

use rayline_config::Maintenance;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RulesCause;
use rayline_verdict::{Fault, Moment};

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
    let retry_after = match maintenance.until {
        None => maintenance.retry_after,
        Some(until) => match left(until, exchange.record.start) {
            None => return Ok(()),
            Some(left) => maintenance.retry_after.min(left),
        },
    };
    let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
    Err(Fault::new(RulesCause::Maintenance).with(Fact::RetryAfter(seconds)))
}

/// How long it lasts yet, in whole seconds, at least one; `None` once it has ended by itself.
fn left(until: Moment, now: Moment) -> Option<Duration> {
    let nanoseconds = u64::try_from(until.0.saturating_sub(now.0)).ok().filter(|left| *left > 0)?;
    Some(Duration::from_secs(nanoseconds.div_ceil(1_000_000_000)))
}

fn concerns(maintenance: &Maintenance, exchange: &Exchange<'_>) -> bool {
    let path = path_and_query(exchange.head);
    maintenance.paths.is_empty() || maintenance.paths.iter().any(|beginning| path.starts_with(beginning.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_less_than_a_second_until_it_is_over() {
        let until = Moment(10_000_000_000);
        for (now, seconds) in [(0, Some(10)), (8_500_000_000, Some(2)), (9_999_999_999, Some(1))] {
            assert_eq!(left(until, Moment(now)), seconds.map(Duration::from_secs), "{now}");
        }
        assert_eq!((left(until, until), left(until, Moment(i64::MAX))), (None, None));
    }
}
