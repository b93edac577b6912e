//! Names, addresses and paths: DNS as resolver and authoritative servers have it, TCP to each address, the path there.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rayline_verdict::Verdict;

use crate::probe::Probe;

/// What the network is like.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The name's records.
    pub dns: Dns,
    /// Every address tried, those of the site and those of the origin.
    pub tcp: Vec<Tcp>,
    /// The paths that were traced.
    pub paths: Vec<Path>,
    /// A black hole for large packets, where one was found: between here and this address.
    pub black_hole: Option<SocketAddr>,
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
    /// Addresses that a public name must not lead to.
    pub prohibited: Vec<IpAddr>,
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
