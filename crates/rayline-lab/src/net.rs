//! Networks in namespaces of their own, and what can be broken in them: an edge, a router and an origin in a row, with
//! links of their own between them and no other way out, so that nothing of the machine around them is touched and
//! nothing can escape to it.
//!
//! It needs the right to make namespaces: root has it, and on many systems everybody ([`namespace`] says how). Where it
//! is missing, [`Network::new`] says what was, and a test says so and passes. The namespaces have no names, and live as
//! long as a process in them: whatever becomes of the test, they are gone with it.

use std::fmt;
use std::io;

pub mod delay;
pub mod namespace;
pub mod origin;
pub mod web;

pub use delay::Delay;
pub use namespace::{Hook, Namespace};
pub use origin::Origin;
pub use web::Web;

/// The edge's addresses.
pub const EDGE: [&str; 2] = ["10.77.1.1", "fd77:1::1"];
/// The router's addresses on the edge's link.
pub const ROUTER: [&str; 2] = ["10.77.1.254", "fd77:1::fe"];
/// How many addresses of each family the origin has.
const ORIGINS: u8 = 60;

/// An IPv4 address of the origin's link. The origin has those from 1 to 60, so that each can be broken in a way of its
/// own; from 100 to 250 nobody has them.
pub fn origin_v4(number: u8) -> String {
    format!("10.77.2.{number}")
}

/// The same of IPv6.
pub fn origin_v6(number: u8) -> String {
    format!("fd77:2::{number}")
}

/// A little of everything that a network and its faults are made of: a kernel may have namespaces and not these, and a
/// container may forbid what root may do elsewhere.
const TRIAL: &str = "sysctl -qw net.ipv4.ip_forward=0
    ip link add lab0 type veth peer name lab1
    tc qdisc add dev lab0 root tbf rate 1mbit burst 16kb latency 1s
    ip link del lab0
    nft -f - <<'.'
    add table inet trial
    add chain inet trial input { type filter hook input priority 0; }
    add rule inet trial input tcp dport 80 quota over 1 mbytes reject with tcp reset
    add rule inet trial input numgen random mod 100 < 5 reject with icmp host-unreachable
    delete table inet trial\n.";

/// Hosts say the same thing to the same one about once a second only; here each attempt is to be answered. (A router's
/// answers by its routes stay limited, to five at once over IPv4.)
const UNLIMITED: &str = "sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0";

/// Three namespaces in a row.
///
/// `net0` of the edge is linked with `edge0` of the router, `net0` of the origin with `origin0` of the router. The router
/// forwards between both, and is the way that edge and origin know to each other; there is no default route. Neighbours
/// that do not answer are given up after 0.3 s, in place of the 3 s of a system as it is installed.
#[derive(Debug)]
pub struct Network {
    /// Where the edge runs, and visitors beside it.
    pub edge: Namespace,
    /// What is on the way.
    pub router: Namespace,
    /// Where the origin runs.
    pub origin: Namespace,
}

/// Why there is no network.
#[derive(Debug)]
pub enum Unavailable {
    /// The privileges or tools for it are missing here.
    Missing(String),
    /// They are there, and it did not work.
    Failed(io::Error),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "{what}"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Network {
    /// Makes one.
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: this process may make no network namespaces, or tools for it are not installed.
    pub fn new() -> Result<Self, Unavailable> {
        let edge = Namespace::new()?;
        edge.run(TRIAL).map_err(|error| Unavailable::Missing(error.to_string()))?;
        let network = Self { router: edge.another()?, origin: edge.another()?, edge };
        network.link()?;
        Ok(network)
    }

    fn link(&self) -> io::Result<()> {
        // Nobody else can have these addresses: to ask first would make a new link wait for a second or two.
        for namespace in [&self.edge, &self.router, &self.origin] {
            namespace.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")?;
        }
        let router = self.router.id();
        self.edge.run(&format!("ip link add net0 type veth peer name edge0 netns {router}"))?;
        self.origin.run(&format!("ip link add net0 type veth peer name origin0 netns {router}"))?;
        let ([edge_v4, edge_v6], [router_v4, router_v6]) = (EDGE, ROUTER);
        self.router.run(&format!(
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            {UNLIMITED}
            ip addr add {router_v4}/24 dev edge0
            ip addr add {router_v6}/64 dev edge0 nodad
            ip addr add 10.77.2.254/24 dev origin0
            ip addr add fd77:2::fe/64 dev origin0 nodad
            ip link set edge0 up
            ip link set origin0 up
            {}",
            hasty("origin0")
        ))?;
        self.edge.run(&format!(
            "ip addr add {edge_v4}/24 dev net0
            ip addr add {edge_v6}/64 dev net0 nodad
            ip link set net0 up
            ip route add 10.77.2.0/24 via {router_v4}
            ip route add fd77:2::/64 via {router_v6}
            {}",
            hasty("net0")
        ))?;
        let addresses: String = (1..=ORIGINS).map(origin_addresses).collect();
        self.origin.run(&format!(
            "{UNLIMITED}
            ip -batch - <<'.'\n{addresses}.
            ip link set net0 up
            ip route add 10.77.1.0/24 via 10.77.2.254
            ip route add fd77:1::/64 via fd77:2::fe"
        ))?;
        Ok(())
    }
}

/// The lines that give the origin this address of each family.
fn origin_addresses(number: u8) -> String {
    format!("addr add {}/24 dev net0\naddr add {}/64 dev net0 nodad\n", origin_v4(number), origin_v6(number))
}

/// Asks for neighbours every 100 ms in place of every second; they are given up after three times.
fn hasty(device: &str) -> String {
    let change = |cache: &str| format!("ip ntable change name {cache} dev {device} retrans 100\n");
    ["arp_cache", "ndisc_cache"].map(change).concat()
}

/// What was made, or `None` where it cannot be here, which is said in one line on standard error, past the capture of a
/// passing test's output.
///
/// # Errors
/// It could be made, and did not work.
pub fn or_skip<T>(what: &str, made: Result<T, Unavailable>) -> io::Result<Option<T>> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(Unavailable::Failed(error)) => Err(error),
        Err(Unavailable::Missing(why)) => {
            let line = format!("skipped: {what}: {}\n", why.trim());
            io::Write::write_all(&mut io::stderr(), line.as_bytes())?;
            Ok(None)
        }
    }
}
