//! The zone that a name stands in, and what its own servers say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use futures_util::future::join_all;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::Resolver;
use super::query::{Want, ask};
use super::reading::{Reading, text};

/// The most of a zone's servers that are asked.
const MOST_SERVERS: usize = 4;
/// The deepest name whose zone is looked for label by label.
const MOST_STEPS: usize = 10;
/// How often a server may send to those of a zone further down.
const MOST_REFERRALS: usize = 3;

/// A zone with its servers.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) name: Name,
    servers: Vec<Name>,
    /// Addresses that came along.
    glue: Vec<(Name, IpAddr)>,
}

/// What one of a zone's servers says.
#[derive(Debug)]
pub(super) struct Told {
    /// The server's name and address.
    pub(super) server: String,
    pub(super) reading: Reading,
    /// The zone further down that it sends to.
    referral: Option<Zone>,
}

/// The zone of `name` and what its servers say; else why that cannot be found out.
pub(super) async fn look(resolver: &Resolver, name: &Name) -> Result<(Zone, Vec<Told>), String> {
    let mut zone = find(resolver, name).await?;
    for _ in 0..MOST_REFERRALS {
        let mut told = ask_all(resolver, &zone, name).await?;
        match told.iter_mut().find_map(|told| told.referral.take()) {
            Some(below) => zone = below,
            None => return Ok((zone, told)),
        }
    }
    Err(format!("the servers of `{}` send from one to another", text(&zone.name)))
}

/// Goes up from `name` until a name has servers of its own.
async fn find(resolver: &Resolver, name: &Name) -> Result<Zone, String> {
    let mut candidate = name.to_lowercase();
    for _ in 0..MOST_STEPS {
        if candidate.is_root() {
            break;
        }
        let answer = resolver.ask(&candidate, RecordType::NS, Want::Resolved).await;
        let answer = answer.map_err(|_| "the resolver does not say who serves the zone".to_owned())?;
        if let Some(zone) = delegated(&answer.answers, &answer.additionals, |owner| *owner == candidate) {
            return Ok(zone);
        }
        // Who says that there is nothing says of which zone (RFC 2308 section 3).
        let above = answer.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(_) => Some(record.name.to_lowercase()),
            _ => None,
        });
        let above = above.filter(|above| above.zone_of(&candidate) && *above != candidate);
        candidate = above.unwrap_or_else(|| candidate.base_name());
    }
    Err("no zone was found that holds the name".to_owned())
}

/// The zone that these records give servers to, if its name is wanted.
fn delegated(records: &[Record], glue: &[Record], wanted: impl Fn(&Name) -> bool) -> Option<Zone> {
    let servers = |owner: &Name| {
        let of_owner = records.iter().filter(|record| record.name.to_lowercase() == *owner);
        let named = of_owner.filter_map(|record| match &record.data {
            RData::NS(server) => Some(server.0.to_lowercase()),
            _ => None,
        });
        named.take(MOST_SERVERS).collect::<Vec<_>>()
    };
    let owners = records.iter().filter(|record| record.record_type() == RecordType::NS);
    let name = owners.map(|record| record.name.to_lowercase()).find(wanted)?;
    let addresses = glue.iter().filter_map(|record| Some((record.name.to_lowercase(), record.data.ip_addr()?)));
    Some(Zone { servers: servers(&name), glue: addresses.collect(), name })
}

async fn ask_all(resolver: &Resolver, zone: &Zone, name: &Name) -> Result<Vec<Told>, String> {
    let addressed = join_all(zone.servers.iter().map(|server| address_of(resolver, zone, server))).await;
    let servers: Vec<_> = addressed.into_iter().flatten().collect();
    if servers.is_empty() {
        return Err(format!(
            "the name servers of `{}` have no address that this machine has a way to",
            text(&zone.name)
        ));
    }
    Ok(join_all(servers.iter().map(|(server, ip)| ask_one(resolver, zone, server, *ip, name))).await)
}

/// One address of a server to which this machine has a way; IPv4 where there is a choice.
async fn address_of(resolver: &Resolver, zone: &Zone, server: &Name) -> Option<(Name, IpAddr)> {
    let mut known: Vec<_> = zone.glue.iter().filter(|(owner, _)| owner == server).map(|(_, ip)| *ip).collect();
    for kind in [RecordType::A, RecordType::AAAA] {
        if known.is_empty() {
            let answer = resolver.ask(server, kind, Want::Resolved).await.ok()?;
            known = answer.answers.iter().filter_map(|record| record.data.ip_addr()).collect();
        }
    }
    known.sort_unstable();
    Some((server.clone(), known.into_iter().find(|ip| has_way(*ip))?))
}

/// Whether this machine has a way to an address: a datagram socket knows, and sends nothing.
fn has_way(ip: IpAddr) -> bool {
    let any: IpAddr = if ip.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((ip, 53))).is_ok()
}

async fn ask_one(resolver: &Resolver, zone: &Zone, server: &Name, ip: IpAddr, name: &Name) -> Told {
    let address = SocketAddr::new(ip, resolver.authority_port);
    let of_kind = |kind| ask(address, name, kind, Want::Own, resolver.patience);
    let (four, six) = tokio::join!(of_kind(RecordType::A), of_kind(RecordType::AAAA));
    let referral = four.as_ref().ok().and_then(|answer| referral(answer, zone, name));
    Told { server: format!("{} ({ip})", text(server)), reading: Reading::of(name, &four, &six), referral }
}

/// The zone below that a server without authority sends to (RFC 1034 section 4.3.2).
fn referral(answer: &Message, zone: &Zone, name: &Name) -> Option<Zone> {
    let answers = answer.metadata.response_code == ResponseCode::NoError && answer.answers.is_empty();
    let below = |owner: &Name| *owner != zone.name && zone.name.zone_of(owner) && owner.zone_of(name);
    let refers = answers && !answer.metadata.authoritative;
    refers.then(|| delegated(&answer.authorities, &answer.additionals, below)).flatten()
}
