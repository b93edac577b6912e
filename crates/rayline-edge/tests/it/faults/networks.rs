//! What the network and this machine's own routes say of an address, told apart: in a network of the test's own, with a
//! router in another one.

use serde_json::{Value, json};

use crate::again;
use crate::scene::{Blame, Scene};

/// A line for the shell: `edge0`, with 10.11.1.1 and fd11:1::1, leads to a router that forwards nothing. One network
/// behind it is prohibited, one it knows no way to. The router's namespace lasts as long as the process that sleeps in
/// it, and that one no longer than the test.
const ROUTER: &str = "ip link add edge0 type veth peer name router0 \
    && { setpriv --pdeathsig KILL unshare --net sleep 120 >/dev/null 2>&1 & } && router=$! \
    && until [ \"$(readlink /proc/$router/ns/net)\" != \"$(readlink /proc/$$/ns/net)\" ]; do kill -0 $router; done \
    && ip link set router0 netns $router \
    && nsenter --target $router --net sh -e -c '\
        sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratemask=0; \
        ip link set lo up; ip link set router0 up; \
        ip addr add 10.11.1.254/24 dev router0; ip addr add fd11:1::fe/64 dev router0 nodad; \
        ip route add prohibit 10.11.2.0/24; ip route add prohibit fd11:2::/64; \
        ip route add unreachable 10.11.3.0/24; ip route add unreachable fd11:3::/64' \
    && ip addr add 10.11.1.1/24 dev edge0 && ip addr add fd11:1::1/64 dev edge0 nodad && ip link set edge0 up \
    && ip ntable change name arp_cache dev edge0 retrans 50 && ip ntable change name ndisc_cache dev edge0 retrans 50 \
    && for network in 10.11.2.0/24 10.11.3.0/24; do ip route add $network via 10.11.1.254 || exit; done \
    && for network in fd11:2::/64 fd11:3::/64; do ip route add $network via fd11:1::fe || exit; done";

/// A line for the shell.
const IPV6_OFF: &str = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1";

#[tokio::test]
async fn what_a_router_says() {
    if !again::is_prepared() {
        return again::in_a_network_of_its_own("faults::networks::what_a_router_says", ROUTER);
    }
    for (address, code, errno, kind, icmp, from) in [
        ("10.11.2.1", "network.connect.prohibited", "EHOSTUNREACH", 3, 13, "10.11.1.254"),
        ("fd11:2::1", "network.connect.prohibited", "EACCES", 1, 1, "fd11:1::fe"),
        ("10.11.3.1", "network.connect.unreachable", "EHOSTUNREACH", 3, 1, "10.11.1.254"),
        ("fd11:3::1", "network.connect.unreachable", "ENETUNREACH", 1, 0, "fd11:1::fe"),
    ] {
        let record = told(address, code, errno).await;
        let message = &record["VerdictEvidence"]["icmp"];
        let seen = (&message["type"], &message["code"], &message["from"]);
        assert_eq!(seen, (&json!(kind), &json!(icmp), &json!(from)), "{record:#}");
    }
}

/// Nobody answers ARP or NDP for the origin's address, or for the next router's.
#[tokio::test]
async fn nobody_at_the_address() {
    if !again::is_prepared() {
        let line = format!("{ROUTER} && ip route add 10.11.4.0/24 via 10.11.1.77");
        return again::in_a_network_of_its_own("faults::networks::nobody_at_the_address", &line);
    }
    for (address, from) in [("10.11.1.99", "10.11.1.1"), ("fd11:1::99", "fd11:1::1"), ("10.11.4.1", "10.11.1.1")] {
        let record = told(address, "network.connect.no_neighbour", "EHOSTUNREACH").await;
        assert_eq!(record["VerdictEvidence"]["icmp"]["from"], from, "{record:#}");
    }
}

/// A machine whose IPv6 is switched off, as in many containers, has no address of it: it says so as if its ports were
/// used up.
#[tokio::test]
async fn no_route_at_all() {
    if !again::is_prepared() {
        return again::in_a_network_of_its_own("faults::networks::no_route_at_all", IPV6_OFF);
    }
    for (address, errno) in [("192.0.2.1", "ENETUNREACH"), ("2001:db8::1", "EADDRNOTAVAIL")] {
        let record = told(address, "edge.connect.no_route", errno).await;
        assert_eq!(record["VerdictEvidence"]["icmp"], Value::Null, "{record:#}");
    }
}

/// The record of a request to an origin at this address, which the network says this of.
async fn told(address: &str, code: &str, errno: &str) -> Value {
    let scene = Scene::pointing_to(address).start();
    let record = scene.blames(Blame::page(code, 523).evidence(&["origin_address"])).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], errno, "{address} {record:#}");
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
    assert_eq!(record["VerdictAttempts"][0]["code"], code, "{record:#}");
    record
}
