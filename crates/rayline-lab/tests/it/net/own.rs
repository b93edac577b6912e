//! The edge's own machine: its routes, its firewall, its link, and neighbours that do not answer.

use rayline_lab::net::{EDGE, Hook, origin_v4, origin_v6};

use super::scene::{Case, Hosts, all_told, fine, network};

const NO_ROUTE: (u16, &str) = (523, "edge.connect.no_route");
const NO_NEIGHBOUR: (u16, &str) = (523, "network.connect.no_neighbour");
const FORBIDDEN: (u16, &str) = (500, "edge.connect.forbidden");

#[test]
fn routes_that_lead_nowhere_are_the_edges() {
    let Some((_origin, network)) = network() else { return };
    let (mut hosts, mut cases) = (Hosts::default(), Vec::new());
    let rows = [
        ("unreachable", NO_ROUTE, "EHOSTUNREACH"),
        ("prohibit", FORBIDDEN, "EACCES"),
        ("blackhole", FORBIDDEN, "EINVAL"),
        ("none", NO_ROUTE, "ENETUNREACH"),
    ];
    for (number, (kind, (status, code), errno)) in (1..).zip(rows) {
        if kind != "none" {
            let routes = format!("ip route add {kind} 10.88.{number}.0/24; ip route add {kind} fd88:{number}::/64");
            network.edge.run(&routes).unwrap();
        }
        for address in [format!("10.88.{number}.1"), format!("fd88:{number}::1")] {
            let case = Case::new(format!("{kind} {address}"), hosts.add(&[address]), status, code);
            cases.push(case.errno(errno));
        }
    }
    all_told(&hosts.edge(&network), &cases);
}

#[test]
fn the_edges_own_firewall_is_the_edges() {
    let Some((_origin, network)) = network() else { return };
    let (mut hosts, mut cases) = (Hosts::default(), Vec::new());
    let rows = [
        ("icmp net-unreachable", (3, 0), "ENETUNREACH"),
        ("icmp port-unreachable", (3, 3), "ECONNREFUSED"),
        ("icmp admin-prohibited", (3, 13), "EHOSTUNREACH"),
        ("icmpv6 no-route", (1, 0), "ENETUNREACH"),
        ("icmpv6 admin-prohibited", (1, 1), "EACCES"),
        ("icmpv6 port-unreachable", (1, 4), "ECONNREFUSED"),
    ];
    for (number, (words, (kind, message), errno)) in (1..).zip(rows) {
        let v6 = words.starts_with("icmpv6");
        let (family, address) = if v6 { ("ip6", origin_v6(number)) } else { ("ip", origin_v4(number)) };
        let rule = format!("{family} daddr {address} tcp dport 80 reject with {words}");
        network.edge.rule(Hook::Output, &rule).unwrap();
        let (status, code) = FORBIDDEN;
        let case = Case::new(words, hosts.add(&[address]), status, code).errno(errno);
        cases.push(case.icmp(kind, message, EDGE[usize::from(v6)]));
    }
    let dropped = origin_v4(20);
    network.edge.rule(Hook::Output, &format!("ip daddr {dropped} drop")).unwrap();
    cases.push(Case::new("drop", hosts.add(&[dropped]), 522, "network.connect.timed_out"));
    all_told(&hosts.edge(&network), &cases);
}

/// Nobody answers ARP or NDP: for the origin's address, for the next router's, or for anybody's when the cable is pulled
/// at its other end. When it is pulled at this end, there is no route any more.
#[test]
fn neighbours_that_do_not_answer_and_links_that_are_down() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let lead = "ip route add 10.88.1.0/24 via 10.77.1.77; ip route add fd88:1::/64 via fd77:1::77";
    network.edge.run(lead).unwrap();
    let addresses = ["10.77.1.99", "fd77:1::99", "10.88.1.1", "fd88:1::1"].map(str::to_owned);
    let (status, code) = NO_NEIGHBOUR;
    let told = |address: &str, host: &str| {
        let case = Case::new(address, host.to_owned(), status, code).errno("EHOSTUNREACH");
        if address.contains(':') { case.icmp(1, 3, EDGE[1]) } else { case.icmp(3, 1, EDGE[0]) }
    };
    let nobody: Vec<Case> = addresses.iter().map(|address| told(address, &hosts.add(&[address]))).collect();
    let alive = [origin_v4(1), origin_v6(1)].map(|address| (hosts.add(&[&address]), address));
    let edge = hosts.edge(&network);
    all_told(&edge, &nobody);
    for (host, _) in &alive {
        fine(edge.curl("/").host(host));
    }

    network.router.run("ip link set edge0 down").unwrap();
    network.edge.run("ip neigh flush all").unwrap();
    let cases: Vec<Case> = alive.iter().map(|(host, address)| told(address, host)).collect();
    all_told(&edge, &cases);

    network.edge.run("ip link set net0 down").unwrap();
    let (status, code) = NO_ROUTE;
    let cases: Vec<Case> =
        alive.iter().map(|(host, _)| Case::new("link down", host.clone(), status, code).errno("ENETUNREACH")).collect();
    all_told(&edge, &cases);
}
