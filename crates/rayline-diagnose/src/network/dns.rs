//! What DNS says of the site's name: the visitor's resolver, the zone's own servers, and whether they agree.

mod compare;
mod query;
mod reading;
mod zone;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, system_conf};
use rayline_verdict::evidence::DnsFacts;
use rayline_verdict::fault::ResolveCause;
use rayline_verdict::{Fact, Fault, Verdict, attribute};
use serde_json::{Value, json};

use self::compare::compare;
use self::query::{Silence, Want};
use self::reading::Reading;
use super::{Answered, Dns, Source, is_ours};
use crate::case::Case;
use crate::probe::{Probe, Watcher};

const NAME: &str = "network.dns";
const AUTHORITATIVE: &str = "network.dns.authoritative";
/// The port of name servers.
const PORT: u16 = 53;
/// The most name servers of the system that are asked, as in resolv.conf(5).
const MOST_SERVERS: usize = 3;
/// The longest chain of aliases that is followed question by question.
const MOST_ALIASES: usize = 8;

/// The visitor's resolver.
#[derive(Debug)]
struct Resolver {
    servers: Vec<SocketAddr>,
    /// How long one server may take for one question.
    patience: Duration,
    /// The port where a zone's own servers answer.
    authority_port: u16,
}

impl Resolver {
    /// The name servers of the case, else those of `/etc/resolv.conf`, else this machine's (resolv.conf(5)).
    fn new(case: &Case) -> Self {
        let mut servers = case.name_servers.clone();
        if servers.is_empty() {
            let system = system_conf::read_system_conf().map(|(config, _)| config.name_servers).unwrap_or_default();
            servers = system.iter().map(|server| SocketAddr::new(server.ip, PORT)).collect();
        }
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        servers.dedup();
        servers.truncate(MOST_SERVERS);
        let patience = case.timeout / u32::try_from(servers.len()).unwrap_or(1).max(1);
        Self { servers, patience, authority_port: PORT }
    }

    /// Asks one server after the other until one answers.
    async fn ask(&self, name: &Name, kind: RecordType, want: Want) -> Result<Message, Silence> {
        let mut outcome = Err(Silence::TimedOut);
        for server in &self.servers {
            outcome = query::ask(*server, name, kind, want, self.patience).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn addresses(&self, name: &Name, want: Want) -> Reading {
        let (four, six) = tokio::join!(self.ask(name, RecordType::A, want), self.ask(name, RecordType::AAAA, want));
        Reading::of(name, &four, &six)
    }

    /// Follows the aliases one by one, since a resolver that meets a circle mostly fails without a word: whether there is
    /// one, and the trail.
    async fn follow_aliases(&self, name: &Name) -> (Vec<String>, bool) {
        let (mut trail, mut here) = (vec![name.to_lowercase()], name.to_lowercase());
        let mut circle = false;
        while !circle && trail.len() <= MOST_ALIASES {
            let Ok(answer) = self.ask(&here, RecordType::CNAME, Want::Resolved).await else { break };
            let (aliases, _) = reading::follow(&here, &answer);
            let Some(next) = aliases.into_iter().next() else { break };
            circle = trail.contains(&next);
            trail.push(next.clone());
            here = next;
        }
        let on_and_on = trail.len() > MOST_ALIASES;
        (trail.iter().skip(1).map(reading::text).collect(), circle || on_and_on)
    }
}

/// What DNS says of the case's host.
pub(super) async fn look(case: &Case, watcher: &dyn Watcher) -> (Dns, Vec<Probe>) {
    look_by(&Resolver::new(case), case, watcher).await
}

async fn look_by(resolver: &Resolver, case: &Case, watcher: &dyn Watcher) -> (Dns, Vec<Probe>) {
    let (source, known) = without_asking(case);
    let name = Name::from_ascii(case.host()).map(|mut name| {
        name.set_fqdn(true);
        name
    });
    let (Source::Asked | Source::HostsFile, Ok(name)) = (source, name) else {
        let dns = seen(case, Dns { source, ..Dns::default() }, &known);
        let probe = unasked(case, &dns, &known);
        watcher.ended(&probe);
        return (dns, vec![probe]);
    };
    watcher.began(NAME, &format!("looking up `{}`", case.host()));
    let began = Instant::now();
    let ((reading, dnssec, took), zone) = tokio::join!(by_resolver(resolver, case, &name, began), async {
        let looked = tokio::time::timeout(case.timeout, zone::look(resolver, &name)).await;
        (looked.unwrap_or_else(|_late| Err("the zone's servers do not answer in time".to_owned())), began.elapsed())
    });
    let verdict =
        reading.cause.filter(|_| source == Source::Asked).map(|cause| judge(cause, case, resolver, &reading, took));
    let mut dns = Dns { source, dnssec, resolver: Some(reading.answered.clone()), ..Dns::default() };
    dns = Dns { verdict: verdict.map(Box::new), ..seen(case, dns, &reading.answered.addresses) };
    let first = resolved(case, &dns, &reading, &known, resolver, took);
    watcher.ended(&first);
    let second = authoritative(&mut dns, &reading, zone);
    watcher.ended(&second);
    (dns, vec![first, second])
}

/// Where the name leads without DNS, and by whose word.
fn without_asking(case: &Case) -> (Source, Vec<IpAddr>) {
    let host = case.host();
    if let Ok(ip) = host.parse() {
        return (Source::Address, vec![ip]);
    }
    let given = case.resolved.iter().filter(|resolve| resolve.host == host && resolve.port == case.port());
    let given: Vec<_> = given.map(|resolve| resolve.address).collect();
    if !given.is_empty() {
        return (Source::Given, given);
    }
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("localhost") {
        return (Source::Localhost, vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let hosts = if case.name_servers.is_empty() { in_hosts_file(host) } else { Vec::new() };
    if hosts.is_empty() { (Source::Asked, hosts) } else { (Source::HostsFile, hosts) }
}

fn in_hosts_file(host: &str) -> Vec<IpAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_ascii(host)) else { return Vec::new() };
    let lookups = [RecordType::A, RecordType::AAAA]
        .into_iter()
        .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.to_lowercase(), kind)));
    lookups
        .flat_map(|found| found.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>())
        .collect()
}

/// With what can be told of the addresses themselves.
fn seen(case: &Case, dns: Dns, addresses: &[IpAddr]) -> Dns {
    let edges: Vec<_> = addresses.iter().map(|ip| super::edge_of(*ip)).collect();
    let edge = edges.first().copied().flatten().filter(|first| edges.iter().all(|edge| *edge == Some(*first)));
    let prohibited = match dns.source {
        Source::Asked | Source::HostsFile => {
            let resolved = dns.resolver.iter().flat_map(|answered| &answered.addresses);
            resolved.copied().filter(|ip| rayline_dial::prohibited(*ip)).collect()
        }
        Source::Given | Source::Address | Source::Localhost => Vec::new(),
    };
    let ours = (case.here && !addresses.is_empty()).then(|| addresses.iter().any(|ip| is_ours(*ip)));
    Dns { edge, prohibited, ours, ..dns }
}

/// Asks the resolver: what it says, whether only broken signatures are in the way, and how long it took.
async fn by_resolver(resolver: &Resolver, case: &Case, name: &Name, began: Instant) -> (Reading, bool, Duration) {
    let mut reading = resolver.addresses(name, Want::Resolved).await;
    let took = began.elapsed();
    let closer = async {
        match reading.cause {
            Some(ResolveCause::ServFail) => {
                let unchecked = resolver.addresses(name, Want::Unchecked).await;
                let dnssec = !unchecked.answered.addresses.is_empty();
                (dnssec, if dnssec { None } else { Some(resolver.follow_aliases(name).await) })
            }
            Some(ResolveCause::NoAddress) => (false, Some(resolver.follow_aliases(name).await)),
            _ => (false, None),
        }
    };
    let (dnssec, trail) = tokio::time::timeout(case.timeout / 2, closer).await.unwrap_or_default();
    if let Some((aliases, circle)) = trail {
        if aliases.len() > reading.answered.aliases.len() {
            reading.answered.aliases = aliases;
        }
        if circle {
            reading.cause = Some(ResolveCause::AliasLoop);
            reading.answered.failed = Some("its aliases lead in a circle".to_owned());
        }
    }
    (reading, dnssec, took)
}

fn judge(cause: ResolveCause, case: &Case, resolver: &Resolver, reading: &Reading, took: Duration) -> Verdict {
    let facts = DnsFacts {
        name: case.host().to_owned(),
        response_code: reading.answered.failed.clone().unwrap_or_default(),
        aliases: reading.answered.aliases.clone(),
        addresses: reading.answered.addresses.clone(),
        servers: resolver.servers.clone(),
        took_ms: milliseconds(took),
    };
    let mut fault = Fault::new(cause).with(Fact::OriginName(case.host().to_owned())).with(Fact::Dns(facts));
    if cause == ResolveCause::TimedOut {
        fault = fault.with(Fact::Timer { setting: "timeout", limit_ms: milliseconds(case.timeout) });
    }
    attribute(fault, Vec::new())
}

/// The probe of a name that DNS is not asked for.
fn unasked(case: &Case, dns: &Dns, known: &[IpAddr]) -> Probe {
    let host = case.host();
    let said = match dns.source {
        Source::Address => format!("`{host}` is an address, DNS has no part in it"),
        Source::Given => format!("DNS is not asked: `{host}` was given to lead to {}", listed(known)),
        Source::Localhost => format!("`{host}` is this machine by definition, DNS has no part in it"),
        Source::Asked | Source::HostsFile => format!("`{host}` is no name that DNS can hold"),
    };
    facts(Probe::new(NAME, None, Duration::ZERO, said), case, dns).with("addresses", strings(known))
}

/// The probe of what the resolver says.
fn resolved(case: &Case, dns: &Dns, reading: &Reading, known: &[IpAddr], resolver: &Resolver, took: Duration) -> Probe {
    let (host, answered) = (case.host(), &reading.answered);
    let mut said = match (&answered.failed, reading.cause) {
        (None, _) => leads(host, answered),
        (Some(_), Some(ResolveCause::NxDomain)) if answered.aliases.is_empty() => format!("`{host}` does not exist"),
        (Some(_), Some(ResolveCause::AliasLoop)) => {
            format!("`{host}`: the aliases lead in a circle, by way of `{}`", answered.aliases.join("`, `"))
        }
        (Some(_), Some(ResolveCause::ServFail)) if dns.dnssec => {
            format!("`{host}`: the DNSSEC signatures of the zone do not hold; unchecked, the name has addresses")
        }
        (Some(why), _) => format!("`{host}`{}: {why}", by_way_of(answered)),
    };
    if let Some((number, text)) = &reading.extended_error {
        said.push_str(&format!(" (the name server adds: error {number} {text})"));
    }
    let mut ok = Some(answered.failed.is_none());
    if dns.source == Source::HostsFile {
        ok = ok.filter(|_| known.iter().any(|ip| answered.addresses.contains(ip)));
        let differ = if ok.is_some() { "" } else { ", which is not what other visitors are led by" };
        said = format!("the hosts file of this machine leads `{host}` to {}{differ}; by DNS, {said}", listed(known));
    }
    if !dns.prohibited.is_empty() {
        said.push_str(&format!("; only machines of the same network get to {}", listed(&dns.prohibited)));
    }
    match dns.ours {
        Some(true) => said.push_str("; that is this machine"),
        Some(false) if dns.edge.is_none() => {
            said.push_str("; this machine has none of these addresses itself, as behind an edge or behind NAT");
        }
        Some(false) | None => {}
    }
    let probe = facts(Probe::new(NAME, ok, took, said), case, dns);
    let probe = probe.with("servers", strings(&resolver.servers)).with("answer", in_json(answered));
    probe.with("hosts_file", strings(known)).judged(dns.verdict.clone())
}

/// The probe of what the zone's own servers say, which is written into `dns`.
fn authoritative(
    dns: &mut Dns,
    reading: &Reading,
    (outcome, took): (Result<(zone::Zone, Vec<zone::Told>), String>, Duration),
) -> Probe {
    let (zone, told) = match outcome {
        Ok(looked) => looked,
        Err(why) => {
            return Probe::new(AUTHORITATIVE, None, took, format!("the zone's own servers were not asked: {why}"));
        }
    };
    let compared = compare(reading, &told, dns.edge);
    let (zone_name, servers) = (reading::text(&zone.name), told.len());
    let said = if compared.differences.is_empty() {
        let servers = if servers == 1 { "server says".to_owned() } else { format!("{servers} servers asked say") };
        format!("zone `{zone_name}`: its own {servers} the same as the resolver")
    } else {
        format!("zone `{zone_name}`: {}", compared.differences.join("; "))
    };
    dns.authoritative = told.into_iter().map(|told| (told.server, told.reading.into_authority())).collect();
    let answers: serde_json::Map<_, _> =
        dns.authoritative.iter().map(|(server, answered)| (server.clone(), in_json(answered))).collect();
    dns.differences.clone_from(&compared.differences);
    let probe = Probe::new(AUTHORITATIVE, compared.ok, took, said).with("zone", zone_name.clone());
    dns.zone = Some(zone_name);
    probe.with("answers", answers).with("differences", compared.differences)
}

fn facts(probe: Probe, case: &Case, dns: &Dns) -> Probe {
    let probe = probe.with("name", case.host()).with("source", dns.source.name()).with("edge", dns.edge);
    let probe = probe.with("prohibited", strings(&dns.prohibited)).with("dnssec_broken", dns.dnssec);
    probe.with("this_machine", dns.ours)
}

fn leads(host: &str, answered: &Answered) -> String {
    let ttl = answered.ttl.map(|ttl| format!(" (TTL {ttl} s)")).unwrap_or_default();
    format!("`{host}` leads to {}{}{ttl}", listed(&answered.addresses), by_way_of(answered))
}

fn by_way_of(answered: &Answered) -> String {
    if answered.aliases.is_empty() { String::new() } else { format!(" by way of `{}`", answered.aliases.join("`, `")) }
}

fn in_json(answered: &Answered) -> Value {
    json!({
        "aliases": answered.aliases,
        "addresses": strings(&answered.addresses),
        "ttl_s": answered.ttl,
        "failed": answered.failed,
    })
}

/// Addresses in a sentence.
fn listed(addresses: &[IpAddr]) -> String {
    strings(addresses).join(", ")
}

fn strings(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
