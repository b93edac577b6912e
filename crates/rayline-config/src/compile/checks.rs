//! What can only be seen once everything was read: keys that do not go together, in one zone or over all.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::records::WrittenRecord;
use super::server::{Listener, Role};
use super::zone::WrittenZone;
use crate::certificate::CertificateTable;
use crate::document::{Place, Report};
use crate::hosts::LostName;
use crate::name::lies_in;
use crate::plan::{Content, RecordKind, SslMode};

/// Listeners: at least one for visitors, and none in another's way.
pub(super) fn listeners(listeners: &[Listener], server: &Place, report: &Report<'_>) {
    let unreadable = || report.failed(|path| path == "server" || path.starts_with("server.http"));
    if listeners.iter().all(|listener| listener.role == Role::Admin) && !unreadable() {
        let place = Place { span: server.span, path: "server.http".to_owned() };
        let problem = place.error("there is no listener: visitors could not reach the edge");
        report.push(problem.hint("add to `[server]`, for example, `http = [\"127.0.0.1:8080\"]`"));
    }
    for (index, later) in listeners.iter().enumerate() {
        let first = listeners.iter().take(index).find(|earlier| overlap(earlier.address, later.address));
        if let Some(first) = first {
            let problem = if first.address == later.address {
                later.place.error(format!("`{}` is already listened on", later.address))
            } else {
                later.place.error(format!("`{}` is already listened on by `{}`", later.address, first.address))
            };
            report.push(
                problem.hint("give each listener an address or a port of its own").related(&first.place, "first here"),
            );
        }
    }
}

/// Whether two sockets would take the same connections. `0.0.0.0` and `[::]` may stand beside each other.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let same_family = one.is_ipv4() == other.is_ipv4();
    let same_address = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && same_family && same_address
}

/// Zones: at least one, each once, and each name's records of one mind.
pub(super) fn zones(zones: &[WrittenZone], report: &Report<'_>) {
    if zones.is_empty() && !report.failed(|path| path.starts_with("zone")) {
        let place = Place { span: None, path: "zone".to_owned() };
        let problem = place.error("there is no zone: the edge would serve no host");
        report.push(problem.hint("add a table `[[zone]]` with a `name` and `dns_records`"));
    }
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    for zone in zones {
        let Some(name) = &zone.name else { continue };
        if let Some(first) = seen.insert(&name.value, &name.place) {
            let problem = name.place.error(format!("there are two zones `{}`", name.value));
            report.push(problem.hint("put the records of both into one").related(first, "first here"));
        }
        if zone.records.is_empty()
            && !report.failed(|path| path.starts_with(&format!("{}.dns_records", zone.place.path)))
        {
            let problem =
                zone.place.warning(format!("the zone `{}` has no record, so none of its hosts is served", name.value));
            report.push(problem.hint("add `[[zone.dns_records]]` with `type`, `name` and `content`"));
        }
    }
    for zone in zones {
        let Some(own) = &zone.name else { continue };
        records(&zone.records, report);
        for record in &zone.records {
            let nested = zones.iter().filter_map(|other| other.name.as_ref()).find(|other| {
                other.value != own.value
                    && lies_in(&other.value, &own.value)
                    && lies_in(&record.record.name, &other.value)
            });
            if let Some(other) = nested {
                let problem =
                    record.name.error(format!("`{}` belongs to the zone `{}`", record.record.full_name(), other.value));
                report.push(problem.hint("write it in that zone").related(&other.place, "this zone"));
            }
        }
    }
}

/// The records of one zone, name by name.
fn records(records: &[WrittenRecord], report: &Report<'_>) {
    let mut by_name: HashMap<(&str, bool), Vec<&WrittenRecord>> = HashMap::new();
    for written in records {
        let record = &written.record;
        let name = record.full_name();
        let earlier = by_name.entry((&record.name, record.wildcard)).or_default();
        let is_cname = |written: &WrittenRecord| written.record.kind == RecordKind::Cname;
        if let Some(twin) = earlier.iter().find(|other| other.record.content == record.content) {
            let problem = written.content.error(format!("this record of `{name}` is written twice"));
            report.push(problem.hint("remove one of them").related(&twin.content, "first here"));
        } else if let Some(other) = earlier.iter().find(|other| is_cname(other) || is_cname(written)) {
            let problem = written.name.error(format!("`{name}` has a `CNAME` record beside another record"));
            report.push(
                problem.hint("keep either one `CNAME`, or `A` and `AAAA` records").related(&other.name, "first here"),
            );
        } else if let Some(other) = earlier.iter().find(|other| other.record.proxied != record.proxied) {
            let problem = written.name.warning(format!(
                "one record of `{name}` is proxied and another is DNS-only: all are taken as proxied"
            ));
            report.push(problem.hint("write the same `proxied` on each").related(&other.name, "first here"));
        }
        earlier.push(written);
    }
}

/// `CNAME` records that lead nowhere within the zones of this file.
pub(super) fn names(lost: Vec<LostName>, zones: &[WrittenZone], report: &Report<'_>) {
    let place_of = |name: &str| {
        let mut records = zones.iter().flat_map(|zone| &zone.records);
        records
            .find(|written| written.record.full_name() == name)
            .map_or_else(Place::default, |written| written.content.clone())
    };
    for lost in lost {
        report.push(match lost {
            LostName::Circle { name } => {
                let problem = place_of(&name).error(format!("the `CNAME` of `{name}` leads in a circle"));
                problem.hint("point it to a name that has an `A` or `AAAA` record, or to a name outside these zones")
            }
            LostName::NoRecord { name, target, zone } => {
                let problem =
                    place_of(&name).warning(format!("`{target}` lies in the zone `{zone}`, which has no record of it"));
                problem.hint(format!("add a record for it; until then `{name}` asks the name servers for it"))
            }
        });
    }
}

/// Origins that are the edge itself.
pub(super) fn loops(zones: &[WrittenZone], listeners: &[Listener], report: &Report<'_>) {
    for zone in zones {
        let settings = &zone.settings;
        let ports = match settings.ssl {
            SslMode::Off | SslMode::Flexible => vec![settings.origin_http_port],
            SslMode::Full | SslMode::Strict => vec![settings.origin_http_port, settings.origin_https_port],
            SslMode::OriginPull => vec![settings.origin_https_port],
        };
        for written in zone.records.iter().filter(|written| written.record.proxied) {
            let Content::Address(address) = written.record.content else { continue };
            let itself = ports
                .iter()
                .map(|port| SocketAddr::new(address, *port))
                .find(|origin| listeners.iter().any(|listener| reaches(*origin, listener.address)));
            if let Some(origin) = itself {
                let problem =
                    written.content.warning(format!("`{origin}` is this edge itself: requests would run in a circle"));
                report.push(
                    problem
                        .hint("write the origin's address, or its port as `origin_http_port` or `origin_https_port`"),
                );
            }
        }
    }
}

/// Whether connecting to `origin` surely ends at a listener of this machine.
fn reaches(origin: SocketAddr, listener: SocketAddr) -> bool {
    let here = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    let same_family = origin.is_ipv4() == listener.is_ipv4();
    let unspecified = listener.ip().is_unspecified() && same_family && here(origin.ip());
    origin.port() == listener.port() && (origin.ip() == listener.ip() || unspecified)
}

/// Whether every name served over TLS has a certificate, and every certificate and redirect a use.
pub(super) fn certificates(
    zones: &[WrittenZone],
    table: &CertificateTable,
    listeners: &[Listener],
    development_ca: bool,
    report: &Report<'_>,
) {
    let https = listeners.iter().find(|listener| listener.role == Role::Https);
    let Some(https) = https else {
        for zone in zones.iter().filter(|zone| zone.settings.always_use_https) {
            let problem = zone.always_use_https.warning("visitors are sent to HTTPS, but there is no listener for it");
            report.push(problem.hint(
                "add to `[server]`, for example, `https = [\"0.0.0.0:443\"]`, unless something in front ends TLS",
            ));
        }
        for certificate in zones.iter().flat_map(|zone| &zone.certificates) {
            let problem = certificate.place.warning("this certificate is never shown: there is no listener for HTTPS");
            report.push(problem.hint("add to `[server]`, for example, `https = [\"0.0.0.0:443\"]`"));
        }
        return;
    };
    for zone in zones {
        let Some(name) = &zone.name else { continue };
        for certificate in &zone.certificates {
            let names = &certificate.value.names;
            let used = names.iter().any(|of| {
                lies_in(of.strip_prefix("*.").unwrap_or(of), &name.value) || certificate.value.covers(&name.value)
            });
            if !used && !names.is_empty() {
                let names: Vec<String> = names.iter().map(|of| format!("`{of}`")).collect();
                let problem = certificate.place.warning(format!(
                    "this certificate is for {}, nothing of the zone `{}`",
                    names.join(", "),
                    name.value
                ));
                report.push(problem.hint("put it into the zone it belongs to"));
            }
        }
    }
    if development_ca {
        return;
    }
    if table.is_empty() {
        // a certificate that cannot be read has left its own problem
        if !report.failed(|path| path.contains("certificates")) {
            let problem = https.place.error("there is no certificate to show to visitors here");
            report.push(problem.hint(
                "add `[[zone.certificates]]` with `certificate` and `private_key`, or `development_ca = true` to `[server]` for a local one",
            ));
        }
        return;
    }
    for zone in zones {
        for written in zone.records.iter().filter(|written| written.record.proxied) {
            let name = written.record.full_name();
            if table.find(&name).is_empty() {
                let problem =
                    written.name.warning(format!("no certificate covers `{name}`: visitors cannot reach it by HTTPS"));
                report.push(
                    problem.hint("add one to `[[zone.certificates]]`, or set `development_ca = true` in `[server]`"),
                );
            }
        }
    }
}
