//! Names, addresses and paths: DNS as resolver and authoritative servers have it, TCP to each address, the path there.
//!
//! It sends no request that an application hears of, and needs no privileges. What it sees is the way from this machine, which need not be the edge's.

mod dns;
mod mtu;
mod path;
mod tcp;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::future::join_all;
use rayline_dial::{Dialer, TrustSettings};
use rayline_verdict::Verdict;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::case::Case;
use crate::probe::{Probe, Watcher};

/// The most addresses of one family among which one that takes connections is looked for.
const MOST_ENDS: usize = 4;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the network is like.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The name's records.
    pub dns: Dns,
    /// Every address tried, those of the site and those of the origin.
    pub tcp: Vec<Tcp>,
    /// The paths that were traced.
    pub paths: Vec<Path>,
    /// A black hole for large packets, where one was found: between here and this address, which is the origin's, or the
    /// site's where nobody knows the origin's.
    pub black_hole: Option<SocketAddr>,
    /// The same between here and the site's address, where the origin has another: the edge's.
    pub edge_black_hole: Option<SocketAddr>,
    /// The same between here, which is the origin, and an address that an edge comes from.
    pub toward_black_hole: Option<SocketAddr>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// What DNS says of a name.
#[derive(Clone, Debug, Default)]
pub struct Dns {
    /// By the visitor's resolver.
    pub resolver: Option<Answered>,
    /// By the zone's own servers: name and address of the server, and what it says.
    pub authoritative: Vec<(String, Answered)>,
    /// The edge whose ranges hold the addresses; `None` if no known one does.
    pub edge: Option<&'static str>,
    /// Addresses that a public name must not lead to. On a network of one's own they may be right.
    pub prohibited: Vec<IpAddr>,
    /// By whose word the name leads where it does.
    pub source: Source,
    /// The zone that holds the name, if it was found.
    pub zone: Option<String>,
    /// What the zone's servers say differently from each other or from the resolver, a sentence each.
    pub differences: Vec<String>,
    /// Whether the name has addresses, and only its zone's broken signatures are in the way.
    pub dnssec: bool,
    /// Whether one of the addresses is this machine's own; `None` unless this machine is said to be the origin.
    pub ours: Option<bool>,
    /// What the resolver's failure is called.
    pub verdict: Option<Box<Verdict>>,
}

/// Who says where a name leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The name servers.
    #[default]
    Asked,
    /// The person who asked: `--resolve`. The name servers were not asked.
    Given,
    /// This machine's hosts file. The name servers were asked too, and do not count here.
    HostsFile,
    /// Nobody: it is an address.
    Address,
    /// Nobody: it is `localhost`, or below it (RFC 6761 section 6.3).
    Localhost,
}

impl Source {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "dns",
            Self::Given => "given",
            Self::HostsFile => "hosts_file",
            Self::Address => "address",
            Self::Localhost => "localhost",
        }
    }
}

/// What a name server says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The names that stand for another, in order.
    pub aliases: Vec<String>,
    /// The addresses, sorted.
    pub addresses: Vec<IpAddr>,
    /// The shortest time that the records may be kept, in seconds.
    pub ttl: Option<u32>,
    /// The response code or what was in the way, if there is no answer: `NXDOMAIN`, `SERVFAIL`, `timed out`.
    pub failed: Option<String>,
}

/// A TCP connection that was tried.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// Where to.
    pub address: SocketAddr,
    /// Whether it is the site's address (the edge, if there is one); else the origin's.
    pub is_site: bool,
    /// Whether somebody named the port; else it is one of the usual ones, where nothing need listen.
    pub named: bool,
    /// How long it took, or what was in the way.
    pub outcome: Result<Duration, Box<Verdict>>,
}

/// A path that was traced.
#[derive(Clone, Debug)]
pub struct Path {
    /// Where to.
    pub to: SocketAddr,
    /// The hops in order; `None`: that one does not answer.
    pub hops: Vec<Option<Hop>>,
    /// Whether the end was reached.
    pub reached: bool,
    /// Who on the way turns connections away, if somebody says so and the end is not reached.
    pub barred: Option<IpAddr>,
}

/// What becomes of packets on the way to some addresses.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// The paths that were traced.
    pub paths: Vec<Path>,
    /// The addresses to which large packets vanish, and small ones do not.
    pub black_holes: Vec<SocketAddr>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// A router on the way.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Its address.
    pub address: IpAddr,
    /// The median time to it and back.
    pub round_trip: Duration,
    /// The share of probes that it did not answer, from 0 to 1. Routers may answer seldom: it counts only where all
    /// that follow lose as much.
    pub lost: f64,
}

/// Looks at the name of the case, at the addresses it leads to (`site`), and at the origin's. Each part takes about the
/// case's time-out at most, and they run side by side.
pub async fn look(case: &Case, site: &[SocketAddr], origins: &[SocketAddr], watcher: &dyn Watcher) -> Network {
    let dialer = match Dialer::new(TrustSettings::default()) {
        Ok(dialer) => dialer,
        Err(error) => {
            let probes = vec![Probe::new("network", None, Duration::ZERO, error.to_string())];
            return Network { probes, ..Network::default() };
        }
    };
    let spots = tcp::spots(site, origins);
    let ((dns, mut probes), (tcp, connections), ways) = tokio::join!(
        dns::look(case, watcher),
        tcp::look(case, &spots, &dialer, watcher),
        ways(case, site, origins, &dialer, watcher)
    );
    probes.extend(connections);
    probes.extend(ways.probes);
    let (of_site, of_origin): (Vec<_>, Vec<_>) =
        ways.black_holes.into_iter().partition(|hole| site.contains(hole) && !origins.contains(hole));
    // Where nobody knows of another, the site's address is as good as the origin's.
    let (edge_black_hole, black_hole) =
        if origins.is_empty() { (None, of_site.first()) } else { (of_site.first(), of_origin.first()) };
    let (edge_black_hole, black_hole) = (edge_black_hole.copied(), black_hole.copied());
    Network { dns, tcp, paths: ways.paths, black_hole, edge_black_hole, toward_black_hole: None, probes }
}

/// Looks at the ways from here, which is the origin, to addresses that an edge comes from: that they do not answer is no
/// fault of anybody's. It takes about as long as [`look`].
pub async fn toward(case: &Case, edges: &[SocketAddr], watcher: &dyn Watcher) -> Ways {
    if edges.is_empty() {
        let said = "nothing is traced toward the edge: no access log that was read has an address of a known edge (servers \
                    that take the visitor's address from a field write down that one)";
        let probe = Probe::new("network.toward", None, Duration::ZERO, said);
        watcher.ended(&probe);
        return Ways { probes: vec![probe], ..Ways::default() };
    }
    match Dialer::new(TrustSettings::default()) {
        Ok(dialer) => packets(case, edges, path::End::Silent, &dialer, watcher).await,
        Err(error) => {
            let probes = vec![Probe::new("network.toward", None, Duration::ZERO, error.to_string())];
            Ways { probes, ..Ways::default() }
        }
    }
}

/// What becomes of packets on the way to the site and to the origin.
async fn ways(
    case: &Case,
    site: &[SocketAddr],
    origins: &[SocketAddr],
    dialer: &Dialer,
    watcher: &dyn Watcher,
) -> Ways {
    let (mut ends, origins) = tokio::join!(open_ends(site), open_ends(origins));
    let others: Vec<_> = origins.into_iter().filter(|end| !ends.contains(end)).collect();
    ends.extend(others);
    packets(case, &ends, path::End::Server, dialer, watcher).await
}

/// The same on the way to each of these.
async fn packets(case: &Case, ends: &[SocketAddr], whose: path::End, dialer: &Dialer, watcher: &dyn Watcher) -> Ways {
    let holes = join_all(ends.iter().map(|end| mtu::look(case, *end, dialer, watcher)));
    let paths = join_all(ends.iter().map(|end| path::look(*end, whose, case.timeout, watcher)));
    let (paths, holes) = tokio::join!(paths, holes);
    let mut ways = Ways::default();
    for (path, probe) in paths {
        ways.paths.extend(path);
        ways.probes.push(probe);
    }
    for found in holes {
        ways.black_holes.extend(found.black_hole.then_some(found.address));
        ways.probes.push(found.probe);
    }
    ways
}

/// One address and port of each family: the first that takes connections, else the first. Not of this machine, for there
/// is no way between it and itself.
async fn open_ends(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let of_family = |v6: bool| {
        let others = addresses.iter().filter(move |address| address.is_ipv6() == v6 && !is_ours(address.ip()));
        others.take(MOST_ENDS).copied().collect::<Vec<_>>()
    };
    let (four, six) = (of_family(false), of_family(true));
    let (four, six) = tokio::join!(open_end(&four), open_end(&six));
    four.into_iter().chain(six).collect()
}

async fn open_end(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    if addresses.len() < 2 {
        return addresses.first().copied();
    }
    let opened = join_all(addresses.iter().map(|address| timeout(PATIENCE, TcpStream::connect(address)))).await;
    let first = opened.iter().position(|opened| matches!(opened, Ok(Ok(_))));
    addresses.get(first.unwrap_or(0)).copied()
}

/// Whether an address is this machine's own: the kernel lets no socket be bound to another's.
fn is_ours(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

/// The edge in whose ranges an address is.
fn edge_of(ip: IpAddr) -> Option<&'static str> {
    crate::ranges::edge_of(ip).map(|edge| edge.name)
}
