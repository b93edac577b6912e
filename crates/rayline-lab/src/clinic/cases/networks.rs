//! Firewalls and routes between edge and origin, in network namespaces: the edge in one, the origin in another, visitors
//! on the router between.

use std::net::{Ipv6Addr, SocketAddr};

use tempfile::TempDir;

use super::ANY_504;
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::{Site, Way};
use crate::net::{EDGE, Hook, Network, Origin};
use crate::process::Process;
use crate::servers::{Nginx, installed};

pub(super) const CASES: &[Case] = &[
    Case::new("dropped", "a firewall drops whatever is for the origin's port", dropped, "network.connect.timed_out")
        .seen(&[rayline(522).origin(), rayline(522), nginx(504).origin(), nginx(504).or(ANY_504)]),
    Case::new(
        "edge_dropped",
        "a firewall drops what comes from the edge's address, and lets others through",
        edge_dropped,
        "origin.connect.edge_blocked",
    )
    .because(&["host.firewall_blocks_edge"], "")
    .seen(&[
        rayline(522).origin(),
        rayline(522).or(&["network.connect.timed_out"]),
        rayline(522).origin().here(),
        nginx(504).origin().guess(),
        nginx(504).origin().here(),
    ]),
    Case::new(
        "edge_rejected",
        "a firewall refuses what comes from the edge's address, and lets others through",
        edge_rejected,
        "origin.connect.edge_blocked",
    )
    .seen(&[
        rayline(521).origin().or(&["owner.route.wrong_port"]),
        rayline(521).origin().config(),
        nginx(502).origin().or(&["owner.route.wrong_port"]),
    ]),
    Case::new("not_listening", "nobody listens on the origin's machine", not_listening, "origin.connect.refused")
        .because(&["host.not_listening"], "")
        .seen(&[rayline(521).origin(), rayline(521).origin().here()]),
    Case::new("on_loopback", "the origin's server listens on its loopback only", on_loopback, "origin.connect.refused")
        .because(&["host.listens_on_loopback"], "")
        .seen(&[rayline(521).origin(), rayline(521).origin().here()]),
    Case::new("reset", "a firewall answers for the origin's port with a reset", reset, "origin.connect.refused")
        .seen(&[rayline(521).origin(), nginx(502).origin(), bare(0)]),
    Case::new(
        "edge_reset",
        "a firewall resets the edge's connections with their first request, and lets others through",
        edge_reset,
        "origin.wait.reset",
    )
    .seen(&[
        rayline(520).origin().also(&["origin.connect.edge_blocked"]),
        rayline(520),
        nginx(502).origin().or(&["origin.connect.edge_blocked", "owner.route.wrong_port"]),
    ]),
    Case::new(
        "black_hole",
        "large packets to the origin vanish, and so does the message that they are too large",
        black_hole,
        "network.send.unacknowledged",
    )
    .seen(&[rayline(522).origin(), rayline(522), nginx(504).origin()]),
    Case::new(
        "ipv6_dropped",
        "a firewall drops what comes by IPv6, and lets IPv4 through",
        ipv6_dropped,
        "network.connect.timed_out",
    )
    .seen(&[bare(0)]),
    Case::new("ipv6_refused", "nobody listens at the site's address of IPv6", ipv6_refused, "origin.connect.refused")
        .seen(&[bare(0)]),
    Case::new(
        "ipv6_elsewhere",
        "the site's address of IPv6 is another server's, which fails",
        ipv6_elsewhere,
        "origin.wait.error_status",
    )
    .seen(&[bare(500)]),
    Case::new(
        "prohibited",
        "a firewall says by ICMP that the origin's port is prohibited",
        prohibited,
        "network.connect.prohibited",
    )
    .seen(&[rayline(523).origin(), rayline(523)]),
    Case::new(
        "unreachable",
        "a router says by ICMP that the origin is unreachable",
        unreachable,
        "network.connect.unreachable",
    )
    .seen(&[rayline(523).origin(), rayline(523)]),
];

/// A network whose origin has this rule for what comes in.
fn ruled(rule: &str) -> Result<Site, Unbuilt> {
    let network = Network::new()?;
    let server = Origin::start(&network.origin)?;
    if !rule.is_empty() {
        network.origin.rule(Hook::Input, rule)?;
    }
    Ok(in_network(network)?.keeping(server))
}

/// Visitors are on the router.
fn in_network(network: Network) -> Result<Site, Unbuilt> {
    let parse = |text: &str| text.parse::<SocketAddr>().map_err(std::io::Error::other);
    let way = Way {
        edge: network.edge.behind(),
        edge_at: parse(&format!("{}:8080", EDGE[0]))?,
        visitor: network.router.behind(),
        origin: network.origin.behind(),
    };
    let origin = parse(&format!("{}:80", crate::net::origin_v4(1)))?;
    Ok(Site::at(origin).on(way).keeping(network))
}

fn dropped() -> Result<Site, Unbuilt> {
    ruled("tcp dport 80 drop")
}

fn edge_dropped() -> Result<Site, Unbuilt> {
    ruled(&format!("ip saddr {} tcp dport 80 drop", EDGE[0]))
}

fn edge_rejected() -> Result<Site, Unbuilt> {
    ruled(&format!("ip saddr {} tcp dport 80 reject with tcp reset", EDGE[0]))
}

/// A firewall that looks into connections.
fn edge_reset() -> Result<Site, Unbuilt> {
    ruled(&format!("ip saddr {} tcp dport 80 tcp flags & psh == psh reject with tcp reset", EDGE[0]))
}

/// A request of two kilobytes; asked from where the edge is, which the same way leads away from.
fn black_hole() -> Result<Site, Unbuilt> {
    let network = Network::new()?;
    let server = Origin::start(&network.origin)?;
    network.router.run("ip link set origin0 mtu 1300")?;
    network.edge.rule(Hook::Input, "icmp type destination-unreachable icmp code frag-needed drop")?;
    let beside_the_edge = network.edge.behind();
    let mut site = in_network(network)?.keeping(server).asked(&format!("/products/{}", "shoe-".repeat(400)));
    if let Some(way) = &mut site.way {
        way.visitor = beside_the_edge;
    }
    Ok(site)
}

fn ipv6_dropped() -> Result<Site, Unbuilt> {
    let address = crate::net::origin_v6(1).parse().map_err(std::io::Error::other)?;
    Ok(ruled("ip6 nexthdr tcp tcp dport 80 drop")?.used_at(address))
}

fn ipv6_refused() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start("server { listen @HTTP@; default_type text/html; return 200 '<p>Welcome</p>'; }")?;
    Ok(Site::at(nginx.http()).used_at(Ipv6Addr::LOCALHOST.into()).keeping(nginx))
}

fn ipv6_elsewhere() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; default_type text/html; return 200 '<p>Welcome</p>'; }
         server { listen [::1]:@HTTP_PORT@; return 500; }",
    )?;
    Ok(Site::at(nginx.http()).used_at(Ipv6Addr::LOCALHOST.into()).keeping(nginx))
}

fn reset() -> Result<Site, Unbuilt> {
    ruled("tcp dport 80 reject with tcp reset")
}

fn prohibited() -> Result<Site, Unbuilt> {
    ruled("tcp dport 80 reject with icmp admin-prohibited")
}

fn unreachable() -> Result<Site, Unbuilt> {
    ruled("tcp dport 80 reject with icmp host-unreachable")
}

fn not_listening() -> Result<Site, Unbuilt> {
    in_network(Network::new()?)
}

fn on_loopback() -> Result<Site, Unbuilt> {
    let network = Network::new()?;
    installed("node", "nodejs")?;
    let script = "require('http').createServer((request, response) => response.end('Welcome'))
        .listen(80, '127.0.0.1', () => console.log('listening'));";
    let folder = TempDir::with_prefix("rayline-lab-")?;
    let mut command = network.origin.command("node");
    let mut node = Process::start(command.arg("-e").arg(script), &folder.path().join("printed.log"))?;
    node.until("does not listen", |node| node.printed().contains("listening").then_some(()))?;
    Ok(in_network(network)?.keeping(node).keeping(folder))
}

/// A site between whose edge and origin nothing is wrong.
pub(super) fn reachable() -> Result<Site, Unbuilt> {
    ruled("")
}
