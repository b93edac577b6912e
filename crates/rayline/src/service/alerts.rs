//! From the configuration's alerts to those that are watched for.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayline_config::{AlertKind, Plan, ReceiverKind};
use rayline_control::Evidence;
use rayline_edge::Lookout;
use rayline_push::alert::{Address, Certificate, Kind, Known, Options, Policy, Receiver, Rollback};
use rayline_verdict::{Code, Moment};

use super::watched;

/// The file in `data_dir` that says what has been told.
const FILE: &str = "alerts.json";
/// How often is looked.
const EVERY: Duration = Duration::from_secs(10);

/// What a plan asks to be watched for.
#[derive(Debug)]
pub(crate) struct Watched {
    /// `None`: nothing.
    pub(crate) options: Option<Options>,
    pub(crate) known: Known,
    /// The names of the zones.
    pub(crate) zones: Vec<String>,
}

impl Watched {
    /// Links lead to the dashboard, if there is one.
    pub(crate) fn of(plan: &Plan, dashboard: Option<SocketAddr>) -> Self {
        let zones = plan.zones.iter().map(|zone| zone.name.clone()).collect();
        Self { options: options(plan, dashboard), known: known(plan), zones }
    }
}

fn options(plan: &Plan, dashboard: Option<SocketAddr>) -> Option<Options> {
    let policies: Vec<Policy> = plan.sight.alerts.iter().map(policy).collect();
    (!policies.is_empty()).then(|| Options {
        policies,
        receivers: plan.sight.receivers.iter().map(receiver).collect(),
        file: plan.server.data_dir.join(FILE),
        every: EVERY,
        dashboard: dashboard.map(|address| format!("http://{address}")).unwrap_or_default(),
    })
}

/// What a plan says of certificates and time-outs.
fn known(plan: &Plan) -> Known {
    let of_zone = |zone: &std::sync::Arc<rayline_config::Zone>| {
        let name = zone.name.clone();
        let shown = zone.certificates.iter().map(move |certificate| Certificate {
            subject: format!("{}, shown to visitors,", certificate.names.join(", ")),
            zone: name.clone(),
            not_after: moment(certificate.not_after),
            places: Vec::new(),
        });
        shown.collect::<Vec<_>>()
    };
    Known {
        certificates: plan.zones.iter().flat_map(of_zone).collect(),
        read_timeouts: plan.zones.iter().map(|zone| (zone.name.clone(), zone.settings.proxy_read_timeout)).collect(),
        // what happens while the edge runs is no part of a plan
        rollbacks: Vec::new(),
    }
}

/// What is told of a version that the edge has rolled back just now.
pub(crate) fn rollback(evidence: &Evidence) -> Rollback {
    let count = |code: &rayline_control::CodeCount| {
        (
            code.code.clone(),
            format!(
                "{} under version {}, {} under version {}",
                code.new, evidence.new.version, code.old, evidence.old.version
            ),
        )
    };
    Rollback {
        version: evidence.new.version,
        at: moment(SystemTime::now()),
        conclusion: evidence.conclusion.clone(),
        code: evidence.codes.iter().find(|code| code.new > 0).and_then(|code| Code::find(&code.code)),
        failed: evidence.new.blamed,
        requests: evidence.new.requests,
        percent: evidence.new.percent,
        percent_before: evidence.old.percent,
        counts: evidence.codes.iter().map(count).collect(),
    }
}

/// The same with what origins have shown of late.
pub(crate) fn known_now(known: &Known, zones: &[String], lookout: &Lookout) -> Known {
    let mut known = known.clone();
    let shown = watched::of_late(lookout).into_iter().map(|shown| {
        let zone = zone_of(zones, &shown.server_name).to_owned();
        let names = if shown.names.is_empty() { vec![shown.subject] } else { shown.names };
        (zone, names, watched::moment_of(shown.not_after), shown.address)
    });
    known.certificates.extend(of_origins(shown));
    known
}

/// One certificate for all origins of a zone that show the same: it is renewed as one.
fn of_origins(shown: impl Iterator<Item = (String, Vec<String>, Moment, SocketAddr)>) -> Vec<Certificate> {
    const NAMES: usize = 3;
    let mut found: Vec<Certificate> = Vec::new();
    for (zone, names, not_after, address) in shown {
        let more = if names.len() > NAMES { ", …" } else { "" };
        let names = names.get(..NAMES).unwrap_or(&names).join(", ");
        let (subject, place) = (format!("{names}{more}, shown by an origin,"), format!("origin {address}"));
        let same =
            |known: &&mut Certificate| (&known.zone, &known.subject, known.not_after) == (&zone, &subject, not_after);
        match found.iter_mut().find(same) {
            Some(known) if known.places.contains(&place) => {}
            Some(known) => known.places.push(place),
            None => found.push(Certificate { subject, zone, not_after, places: vec![place] }),
        }
    }
    found
}

/// The zone that a host's name is in: the longest that it ends with.
fn zone_of<'a>(zones: &'a [String], host: &str) -> &'a str {
    let is_in =
        |zone: &&String| host.strip_suffix(zone.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    zones.iter().filter(is_in).max_by_key(|zone| zone.len()).map_or("", String::as_str)
}

fn policy(alert: &rayline_config::Alert) -> Policy {
    let kind = match alert.kind {
        AlertKind::FailureRate => Kind::FailureRate { percent: alert.threshold },
        AlertKind::NewCode => Kind::NewCode,
        AlertKind::BurnRate => Kind::BurnRate { objective: alert.objective, times: alert.threshold },
        AlertKind::Certificate => Kind::Certificate { before: alert.before },
        AlertKind::NearTimeout => Kind::NearTimeout { percent: alert.threshold },
        AlertKind::Rollback => Kind::Rollback,
    };
    Policy {
        name: alert.name.clone(),
        kind,
        zones: alert.zones.clone(),
        parties: alert.parties.clone(),
        codes: alert.codes.clone(),
        window: alert.window,
        min_requests: alert.min_requests,
        receivers: alert.receivers.clone(),
        repeat: alert.repeat,
        quiet_minutes: alert.quiet_minutes,
    }
}

fn receiver(receiver: &rayline_config::Receiver) -> Receiver {
    let url = receiver.url.0.clone();
    let secret = receiver.secret.as_ref().map(|secret| secret.0.clone());
    let address = match receiver.kind {
        ReceiverKind::Webhook => Address::Webhook { url, secret },
        ReceiverKind::Slack => Address::Slack { url },
        ReceiverKind::Discord => Address::Discord { url },
        ReceiverKind::Teams => Address::Teams { url },
        ReceiverKind::PagerDuty => Address::PagerDuty { url, routing_key: secret.unwrap_or_default() },
        ReceiverKind::Email => Address::Email { server: url, from: receiver.from.clone(), to: receiver.to.clone() },
        ReceiverKind::Command => Address::Command { words: receiver.command.clone() },
    };
    Receiver { name: receiver.name.clone(), address }
}

/// A point in time as records have it.
pub(crate) fn moment(at: SystemTime) -> Moment {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_many_origins_show_is_one() {
        let shown = |zone: &str, ends, port| {
            (zone.to_owned(), vec!["*.shop.example".to_owned()], Moment(ends), SocketAddr::from(([192, 0, 2, 1], port)))
        };
        let all = [shown("a", 1, 1), shown("a", 1, 2), shown("a", 1, 2), shown("a", 2, 3), shown("b", 1, 1)];
        let found = of_origins(all.into_iter());
        let places: Vec<usize> = found.iter().map(|certificate| certificate.places.len()).collect();
        assert_eq!(places, [2, 1, 1], "{found:?}");
        assert_eq!(found[0].subject, "*.shop.example, shown by an origin,");
    }

    #[test]
    fn a_host_is_in_the_longest_zone_that_it_ends_with() {
        let zones = ["example".to_owned(), "shop.example".to_owned(), "other.test".to_owned()];
        for (host, zone) in [
            ("shop.example", "shop.example"),
            ("www.shop.example", "shop.example"),
            ("myshop.example", "example"),
            ("x.test", ""),
        ] {
            assert_eq!(zone_of(&zones, host), zone, "{host}");
        }
    }
}
